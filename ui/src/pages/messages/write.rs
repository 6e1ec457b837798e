//! Beginning a question, a complaint or a message: choosing which, then its form. The person is named on the button.

use mecum_api::domain::{CaseAct, CaseKind};
use mecum_api::{
    CareActArgs, CareActWords, CareSpaceView, CareThreadView, HospitalArgs, SyncPhase, Topic, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::super::answer::answered;
use super::super::care::{no_hospital, open_spaces, use_care, use_say};
use super::super::head::PageHead;
use super::NotForEmergencies;
use super::words::{KINDS, kind_icon, kind_name, kind_word, promise};
use crate::app::use_shell;
use crate::components::{
    Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Notice, NoticeKind, RadioGroup, Switch,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// What it is opened with.
#[derive(Properties, PartialEq)]
pub struct WriteProps {
    /// The kind of case in kebab-case, or "new".
    pub kind: AttrValue,
}

/// Beginning a question, a complaint or a message.
#[component]
pub fn WritePage(props: &WriteProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_care(shell.chart_id());
    let kind = KINDS.iter().copied().find(|kind| kind_word(*kind) == &*props.kind);
    let title = kind.map_or_else(
        || t!(i18n, "messages-write-title"),
        |kind| i18n.text(&format!("messages-write-{}", kind_word(kind))),
    );
    let back = if kind.is_some() { Route::Write { kind: "new".into() } } else { Route::Messages };
    html! {
        <div class="page page-task talk-write">
            <PageHead {title} {back} />
            { answered(&i18n, &query, &t!(i18n, "messages-opening"), |view| {
                let spaces: Vec<CareSpaceView> = open_spaces(&view).into_iter().cloned().collect();
                match kind {
                    _ if spaces.is_empty() => no_hospital(&i18n, IconName::Messages),
                    Some(kind) => html! { <WriteForm key={kind_word(kind)} {kind} {spaces} /> },
                    None => choose(&i18n),
                }
            }) }
        </div>
    }
}

fn choose(i18n: &I18n) -> Html {
    html! {
        <>
            <NotForEmergencies />
            <p class="lead">{ t!(i18n, "messages-write-what") }</p>
            <ul class="choice-links" role="list">
                { for KINDS.iter().map(|kind| html! {
                    <li>
                        <Link<Route> to={Route::Write { kind: kind_word(*kind).into() }} classes="choice-link">
                            <Icon icon={kind_icon(*kind)} />
                            <span class="choice-body"><span class="choice-title">{ kind_name(i18n, *kind) }</span><span class="small">{ i18n.text(&format!("messages-about-{}", kind_word(*kind))) }</span></span>
                            <Icon icon={IconName::ChevronRight} />
                        </Link<Route>>
                    </li>
                }) }
            </ul>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct WriteFormProps {
    kind: CaseKind,
    spaces: Vec<CareSpaceView>,
}

#[component]
fn WriteForm(props: &WriteFormProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let kind = props.kind;
    // Words, what would help, not by name, and whether it was tried without words.
    let (happened, help) = (use_state(String::new), use_state(String::new));
    let (blind, tried) = (use_state(|| false), use_state(|| false));
    let only = if let [one] = props.spaces.as_slice() { one.space.clone() } else { String::new() };
    let space = use_state(|| AttrValue::from(only));
    let chosen = props.spaces.iter().find(|one| *one.space == **space);
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let offline = sync.data().is_some_and(|sync| sync.phase == SyncPhase::Offline);
    let say = {
        let shell = shell.clone();
        use_say(Callback::from(move |view: CareThreadView| {
            shell.go(Route::Talk { space: view.space, thread: view.thread.to_string() });
        }))
    };
    let onsubmit = {
        let (chart, send) = (shell.chart_id(), say.send.clone());
        let (happened, help, blind) = (happened.clone(), help.clone(), *blind);
        let (space, tried) = (space.to_string(), tried.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if happened.trim().is_empty() || space.is_empty() {
                tried.set(true);
                return;
            }
            let what = CaseAct::Open {
                kind,
                about: String::new(),
                happened: happened.trim().to_owned(),
                help: help.trim().to_owned(),
                ward_blind: blind,
            };
            send.emit(CareActArgs {
                chart,
                space: space.clone(),
                what: Some(CareActWords::Case(what)),
                ..CareActArgs::default()
            });
        })
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let missing =
        (*tried && happened.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "messages-words-missing")));
    let label = i18n.text(&format!("messages-field-{}", kind_word(kind)));
    html! {
        <form {onsubmit} novalidate={true} class="talk-form">
            <NotForEmergencies hospital={chosen.map(|one| one.hospital)} />
            if offline { <Notice kind={NoticeKind::Offline}><p>{ t!(i18n, "messages-offline") }</p></Notice> }
            if props.spaces.len() > 1 {
                <RadioGroup name="hospital" legend={t!(i18n, "messages-to")} value={(*space).clone()}
                    options={props.spaces.iter().map(|one| (one.space.clone().into(), one.name.clone().into(), AttrValue::default())).collect::<Vec<_>>()}
                    onchange={let space = space.clone(); Callback::from(move |word| space.set(word))} />
                if *tried && chosen.is_none() { <p class="field-error" role="alert"><Icon icon={IconName::OctagonAlert} small=true />{ t!(i18n, "messages-to-missing") }</p> }
            } else if let Some(one) = chosen {
                <p class="small"><bdi>{ t!(i18n, "messages-goes-to", name = one.name.as_str()) }</bdi></p>
            }
            <Field id="happened" {label} r#type={FieldType::Lines} value={(*happened).clone()} error={missing} oninput={set(&happened)} />
            if kind.has_outcome() {
                <Field id="help" label={t!(i18n, "messages-field-help")} r#type={FieldType::Lines} optional=true value={(*help).clone()} oninput={set(&help)} />
            }
            if kind == CaseKind::Complaint {
                <Switch label={t!(i18n, "messages-blind")} hint={t!(i18n, "messages-blind-hint")} on={*blind} onchange={let blind = blind.clone(); Callback::from(move |on| blind.set(on))} />
            }
            if let Some(one) = chosen { <Promised key={one.space.clone()} hospital={one.hospital} {kind} /> }
            if let Some(error) = &say.error { <ErrorBlock error={error.clone()} /> }
            <div class="action-bar">
                <Button kind={ButtonKind::Main} submit=true working={say.working}>
                    { if offline { t!(i18n, "messages-send-later") } else { t!(i18n, "messages-send", name = shell.chart_name()) } }
                </Button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct PromisedProps {
    hospital: mecum_api::domain::HospitalId,
    kind: CaseKind,
}

/// Who answers and until when, as the hospital has published it; and that nobody is treated worse for a complaint.
#[component]
fn Promised(props: &PromisedProps) -> Html {
    let i18n = use_i18n();
    let query =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: props.hospital }, vec![Topic::Sync]);
    let Some(view) = query.data() else { return Html::default() };
    let rung = view.ladders.iter().find(|one| one.kind == props.kind).and_then(|one| one.rungs.first());
    html! {
        <>
            if let Some(rung) = rung {
                <p class="talk-promise"><Icon icon={IconName::Clock} small=true /><span>{ promise(&i18n, rung) }{ " " }<bdi>{ t!(i18n, "messages-answers", name = rung.name.as_str()) }</bdi>{ " " }{ t!(i18n, "messages-clock-starts") }</span></p>
            }
            if props.kind == CaseKind::Complaint && !view.pledge.is_empty() {
                <Notice><p><bdi>{ view.pledge.clone() }</bdi></p></Notice>
            }
        </>
    }
}
