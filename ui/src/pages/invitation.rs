//! "Open an invitation": the words or the code that somebody gave, what they offer, yes or no, and then their record.

mod offered;

use std::rc::Rc;

use mecum_api::domain::{ChartId, Relation};
use mecum_api::{
    CallError, ChartView, InvitationOpenArgs, InvitationView, PairPhase, PairView, SyncPhase, Topic, command,
};
use yew::prelude::*;

use self::offered::Offered;
use super::answer::answered;
use super::head::PageHead;
use super::members::{needs_server, of_people, use_meeting, why};
use crate::app::{Shell, focus, use_shell};
use crate::backend::use_backend;
use crate::components::{
    Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Notice, NoticeKind,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::{use_bus, use_query};
use crate::route::Route;

/// An invitation that was opened on this page.
#[derive(Clone, PartialEq)]
struct Opened {
    view: Rc<InvitationView>,
    /// The records that were here before it was accepted.
    before: Vec<ChartId>,
    /// It was accepted.
    accepted: bool,
}

/// What the page is about.
#[derive(Clone, PartialEq)]
enum About {
    /// Whatever goes on.
    Going,
    /// Another invitation than the one that goes on: an answer that was given cannot be taken back, only waited for.
    Another,
    /// This one.
    This(Opened),
}

impl About {
    fn opened(&self) -> Option<&Opened> {
        if let About::This(opened) = self { Some(opened) } else { None }
    }
}

/// The page.
#[component]
pub fn InvitationPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let meeting = use_meeting::<command::InvitationStatus>(false);
    let about = use_state(|| About::Going);
    use_charts_when_done(&meeting.query.data());
    let on_opened = {
        let (about, shell) = (about.clone(), shell.clone());
        Callback::from(move |view: InvitationView| {
            let before = shell.charts().iter().map(|chart| chart.chart).collect();
            about.set(About::This(Opened { view: Rc::new(view), before, accepted: false }));
            gloo::timers::callback::Timeout::new(60, || focus("#main h1")).forget();
        })
    };
    let on_answer = {
        let (about, begin, forget) = (about.clone(), meeting.begin.clone(), meeting.forget.clone());
        let (shell, declined) = (shell.clone(), t!(i18n, "invitation-declined"));
        Callback::from(move |accepted: bool| {
            if let (Some(opened), true) = (about.opened().cloned(), accepted) {
                about.set(About::This(Opened { accepted, ..opened }));
                begin.emit(());
            } else {
                about.set(About::Going);
                shell.toast(declined.clone(), None);
                forget.emit(());
            }
        })
    };
    let another = {
        let (about, forget) = (about.clone(), meeting.forget.clone());
        Callback::from(move |_: MouseEvent| {
            about.set(About::Another);
            forget.emit(());
        })
    };
    let no_server = sync.data().is_some_and(|view| view.phase == SyncPhase::NoServer);
    html! {
        <div class="page page-task page-pair">
            <PageHead title={t!(i18n, "invitation-title")} back={Route::Home} />
            if no_server {
                { needs_server(&i18n) }
            } else {
                <div aria-live="polite" class="members-phase">
                    { answered(&i18n, &meeting.query, &t!(i18n, "members-opening"), |answer| match &*about {
                        About::This(open) if !open.accepted => html! {
                            <Offered invitation={(*open.view).clone()} name={own_name(&shell)} on_answer={on_answer.clone()} />
                        },
                        About::Another => html! { <CodeForm {on_opened} /> },
                        about => phase(&i18n, &shell, about.opened(), &meeting.view(&answer), &Ways { on_opened, another }),
                    }) }
                </div>
            }
        </div>
    }
}

/// Where the pages of the phases lead.
struct Ways {
    on_opened: Callback<InvitationView>,
    another: Callback<MouseEvent>,
}

/// A record that has just come is not in the list yet: asks for it.
#[hook]
fn use_charts_when_done(answer: &Option<Rc<PairView>>) {
    let bus = use_bus();
    let done = answer.as_ref().is_some_and(|view| view.phase == PairPhase::Done);
    use_effect_with(done, move |done| {
        if *done {
            bus.tell(&[Topic::Charts]);
        }
    });
}

/// The name of the account's own person.
fn own_name(shell: &Shell) -> String {
    let charts = shell.charts();
    let own = |chart: &&ChartView| chart.relation == Relation::Own && chart.shared_by.is_none();
    charts.iter().find(own).map(|chart| chart.name.clone()).unwrap_or_default()
}

/// The record that an invitation brought: one that was not here before, else the one of this name from this person.
fn brought<'a>(charts: &'a [ChartView], open: Option<&Opened>) -> Option<&'a ChartView> {
    let open = open?;
    let shared = || charts.iter().filter(|chart| chart.shared_by.is_some() && chart.ended.is_none());
    shared().find(|chart| !open.before.contains(&chart.chart)).or_else(|| {
        shared()
            .find(|chart| chart.name == open.view.name && chart.shared_by.as_deref() == Some(&open.view.from))
    })
}

fn phase(i18n: &I18n, shell: &Shell, open: Option<&Opened>, view: &PairView, ways: &Ways) -> Html {
    let from = open.map(|open| open.view.from.clone()).or_else(|| view.other.clone());
    let from = from.unwrap_or_else(|| t!(i18n, "invitation-from-unnamed"));
    match view.phase {
        PairPhase::None => html! { <CodeForm on_opened={ways.on_opened.clone()} /> },
        PairPhase::Waiting | PairPhase::Asking => html! {
            <section>
                <h2 class="title-2"><bdi>{ t!(i18n, "invitation-waiting", name = from.as_str()) }</bdi></h2>
                <p>{ t!(i18n, "invitation-waiting-text", name = from) }</p>
                { waits(i18n, view) }
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "invitation-waiting-mark") }</p>
                <p class="small">{ t!(i18n, "invitation-working-text") }</p>
                <div class="button-row"><Button kind={ButtonKind::Second} onclick={ways.another.clone()}>{ t!(i18n, "invitation-other") }</Button></div>
            </section>
        },
        PairPhase::Working => html! {
            <section>
                <h2 class="title-2">{ t!(i18n, "invitation-working") }</h2>
                <p>{ t!(i18n, "invitation-working-text") }</p>
                { waits(i18n, view) }
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "join-working-mark") }</p>
            </section>
        },
        PairPhase::Done => done(i18n, shell, open, view, &from, ways),
        PairPhase::Ended => html! {
            <section class="pair-ended">
                <h2 class="title-2">{ t!(i18n, "invitation-ended") }</h2>
                <p>
                    if let Some(id) = &view.message_id { { why(i18n, id) }{ " " } }
                    { t!(i18n, "invitation-ended-text") }
                </p>
                <div class="button-row"><Button kind={ButtonKind::Main} onclick={ways.another.clone()}>{ t!(i18n, "invitation-other") }</Button></div>
            </section>
        },
    }
}

fn waits(i18n: &I18n, view: &PairView) -> Html {
    let Some(id) = &view.message_id else { return Html::default() };
    html! { <Notice kind={NoticeKind::Wait}><p>{ why(i18n, id) }</p></Notice> }
}

fn done(i18n: &I18n, shell: &Shell, open: Option<&Opened>, view: &PairView, from: &str, ways: &Ways) -> Html {
    let charts = shell.charts();
    let chart = brought(&charts, open).map(|chart| (chart.chart, chart.name.clone()));
    let read = chart.map_or_else(Html::default, |(chart, name)| {
        let shell = shell.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            shell.set_chart(chart);
            shell.go(Route::Record);
        });
        html! { <Button kind={ButtonKind::Main} {onclick}>{ t!(i18n, "invitation-read", name = name) }</Button> }
    });
    html! {
        <section class="pair-done">
            <h2 class="title-2"><Icon icon={IconName::Check} /><bdi>{ t!(i18n, "invitation-done", name = from) }</bdi></h2>
            <p>{ view.message_id.as_deref().map_or_else(|| t!(i18n, "invitation-done-text"), |id| why(i18n, id)) }</p>
            <div class="button-row">
                { read }
                <Button kind={ButtonKind::Second} onclick={ways.another.clone()}>{ t!(i18n, "invitation-other") }</Button>
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CodeFormProps {
    on_opened: Callback<InvitationView>,
}

/// Where the words are typed, or the text of the code is pasted. What was typed stays after a refusal.
#[component]
fn CodeForm(props: &CodeFormProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let code = use_state(String::new);
    let tried = use_state(|| false);
    let working = use_state(|| false);
    let problem = use_state(|| None::<CallError>);
    let onsubmit = {
        let (code, tried, working, problem) = (code.clone(), tried.clone(), working.clone(), problem.clone());
        let on_opened = props.on_opened.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let typed = code.trim().to_owned();
            if *working || typed.is_empty() {
                return;
            }
            working.set(true);
            problem.set(None);
            let (backend, working, problem, on_opened) =
                (backend.clone(), working.clone(), problem.clone(), on_opened.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::InvitationOpen>(InvitationOpenArgs { code: typed }).await {
                    Ok(view) => on_opened.emit(view),
                    Err(error) => {
                        working.set(false);
                        problem.set(Some(error));
                    }
                }
            });
        })
    };
    let oninput = {
        let code = code.clone();
        Callback::from(move |text: String| code.set(text))
    };
    let missing =
        (*tried && code.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "invitation-code-missing")));
    html! {
        <form class="members-form" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "invitation-lead") }</p>
            if let Some(error) = (*problem).clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <Field id="invitation-code" label={t!(i18n, "invitation-code")} hint={AttrValue::from(t!(i18n, "invitation-code-hint"))} value={(*code).clone()} r#type={FieldType::Lines} error={missing} {oninput} />
            <p class="small">{ t!(i18n, "invitation-nothing-yet") }</p>
            <div class="action-bar">
                <Button kind={ButtonKind::Main} submit=true working={*working}>{ if *working { t!(i18n, "invitation-opening") } else { t!(i18n, "invitation-open") } }</Button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::MemberState;

    use super::*;

    fn chart(n: u8, name: &str, from: Option<&str>) -> ChartView {
        let chart = ChartId::from_bytes([n; 16]);
        ChartView { chart, name: name.into(), shared_by: from.map(str::to_owned), ..ChartView::default() }
    }

    fn opened(before: &[&ChartView]) -> Opened {
        let view =
            InvitationView { from: "Laras".into(), name: "Ibu Ratna".into(), ..InvitationView::default() };
        let before = before.iter().map(|chart| chart.chart).collect();
        Opened { view: Rc::new(view), before, accepted: true }
    }

    #[test]
    fn the_record_that_came_is_the_one_that_opens() {
        let (own, came) = (chart(1, "Budi", None), chart(2, "Ibu Ratna", Some("Laras")));
        let open = opened(&[&own]);
        assert_eq!(brought(std::slice::from_ref(&own), Some(&open)), None, "it has not come yet");
        assert_eq!(brought(&[own, came.clone()], Some(&open)), Some(&came), "the new one");
    }

    #[test]
    fn a_second_invitation_into_the_same_record_opens_it_again() {
        let (own, came) = (chart(1, "Budi", None), chart(2, "Ibu Ratna", Some("Laras")));
        let open = opened(&[&own, &came]);
        assert_eq!(
            brought(&[own.clone(), came.clone()], Some(&open)),
            Some(&came),
            "by its name and its sharer"
        );
        let over = ChartView { ended: Some(MemberState::Removed), ..came };
        assert_eq!(brought(&[own, over], Some(&open)), None, "one that has ended is not what was offered");
    }
}
