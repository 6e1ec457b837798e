//! Recovery helpers: three people who each keep a part. Choosing them, handing out the parts, and what this person keeps for others.

mod choose;
mod parts;

use mecum_api::{
    HelperAnswerArgs, HelperArgs, HelperChoice, HelperState, HelperView, HelpersNoticeView, HelpersSetArgs,
    HelpersView, PairOfferView, PassphraseArgs, Topic, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use self::choose::Choose;
use self::parts::Parts;
use super::act::{PassphraseForm, use_act};
use super::answer::answered;
use super::head::PageHead;
use super::members::{code_block, word_list};
use crate::app::{focus, use_shell};
use crate::components::{Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind};
use crate::format;
use crate::i18n::{t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

#[derive(Clone, Debug, Default, PartialEq)]
enum Step {
    #[default]
    About,
    Choose,
    Passphrase(Vec<HelperChoice>),
    End,
}

/// The page.
#[component]
pub fn HelpersPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_query::<command::HelpersGet>((), vec![Topic::Settings, Topic::Sync, Topic::Devices]);
    let step = use_state(Step::default);
    {
        let at = std::mem::discriminant(&*step);
        let first = use_mut_ref(|| true);
        use_effect_with(at, move |_| {
            if !first.replace(false) {
                focus("main h1");
            }
        });
    }
    let go = |to: Step| {
        let step = step.clone();
        Callback::from(move |()| step.set(to.clone()))
    };
    let done = |said: &str| {
        let (step, shell, said, reload) = (step.clone(), shell.clone(), i18n.text(said), query.reload());
        Callback::from(move |_: HelpersView| {
            step.set(Step::About);
            reload.emit(());
            shell.toast(said.clone(), None);
        })
    };
    let set = use_act::<command::HelpersSet>(done("helpers-chosen"));
    let end = use_act::<command::HelpersEnd>(done("helpers-ended"));
    let body = match (*step).clone() {
        Step::About => answered(&i18n, &query, &t!(i18n, "data-opening"), |view| {
            html! { <About view={(*view).clone()} on_choose={go(Step::Choose)} on_end={go(Step::End)} reload={query.reload()} /> }
        }),
        Step::Choose => {
            let people = query.data().map(|view| view.people.clone()).unwrap_or_default();
            let step = step.clone();
            let on_done = Callback::from(move |chosen| step.set(Step::Passphrase(chosen)));
            html! { <Choose {people} {on_done} on_stop={go(Step::About)} /> }
        }
        Step::Passphrase(helpers) => {
            let send = set.send.clone();
            let on_done = Callback::from(move |args: PassphraseArgs| {
                send.emit(HelpersSetArgs { passphrase: args.passphrase, helpers: helpers.clone() });
            });
            html! { <PassphraseForm lead={t!(i18n, "helpers-passphrase")} action={t!(i18n, "helpers-choose-do")} working={set.working} error={set.error.clone()} {on_done} on_stop={go(Step::Choose)} /> }
        }
        Step::End => html! {
            <PassphraseForm lead={t!(i18n, "helpers-end-text")} action={t!(i18n, "helpers-end-do")} danger=true working={end.working} error={end.error.clone()} on_done={end.send.clone()} on_stop={go(Step::About)} />
        },
    };
    html! {
        <div class="page page-column page-data">
            <PageHead title={t!(i18n, "helpers-title")} back={Route::Settings} />
            { body }
            if *step == Step::About { <Parts /> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct AboutProps {
    view: HelpersView,
    on_choose: Callback<()>,
    on_end: Callback<()>,
    reload: Callback<()>,
}

/// What they are for, who they are, and how far each is.
#[component]
fn About(props: &AboutProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    let choose = props.on_choose.reform(|_: MouseEvent| ());
    html! {
        <>
            <p class="lead">{ t!(i18n, "helpers-intro") }</p>
            <ul class="promises" role="list">
                <li><Icon icon={IconName::Users} />{ t!(i18n, "helpers-two") }</li>
                <li><Icon icon={IconName::Lock} />{ t!(i18n, "helpers-alone-nothing") }</li>
                <li><Icon icon={IconName::CirclePause} />{ t!(i18n, "helpers-wait", count = if view.wait_days == 0 { 7 } else { view.wait_days }) }</li>
            </ul>
            if view.server.is_none() {
                <Notice kind={NoticeKind::Plain}>
                    <p>{ t!(i18n, "helpers-no-server") }</p>
                    <p><Link<Route> to={Route::Devices} classes="link">{ t!(i18n, "where-connect") }</Link<Route>></p>
                </Notice>
            } else if view.set {
                <Notice kind={if view.ready { NoticeKind::Plain } else { NoticeKind::Wait }}>
                    <p><strong>{ i18n.text(match (view.made_here, view.ready, view.stored) {
                        (_, true, _) => "helpers-ready",
                        (false, ..) => "helpers-elsewhere",
                        (true, false, true) => "helpers-not-ready",
                        (true, false, false) => "helpers-not-stored",
                    }) }</strong></p>
                    <p>{ t!(i18n, "helpers-account") }{ " " }<bdi class="breaks" translate="no">{ view.account.clone() }</bdi></p>
                </Notice>
                <ul class="settings-list" role="list">
                    { for view.helpers.iter().map(|one| html! { <li key={one.number}><Helper helper={one.clone()} reload={props.reload.clone()} /></li> }) }
                </ul>
                <div class="button-row">
                    <Button kind={ButtonKind::Second} onclick={choose}>{ t!(i18n, "helpers-replace") }</Button>
                    <Button kind={ButtonKind::Danger} onclick={props.on_end.reform(|_| ())}>{ t!(i18n, "helpers-end") }</Button>
                </div>
            } else {
                <div class="button-row"><Button kind={ButtonKind::Main} onclick={choose}>{ t!(i18n, "helpers-choose") }</Button></div>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct HelperProps {
    helper: HelperView,
    reload: Callback<()>,
}

/// One helper: how far they are, their code, and whether who answered is them.
#[component]
fn Helper(props: &HelperProps) -> Html {
    let i18n = use_i18n();
    let one = &props.helper;
    let shown = use_state(|| None::<PairOfferView>);
    let show = {
        let (shown, reload) = (shown.clone(), props.reload.clone());
        Callback::from(move |offer: PairOfferView| {
            shown.set(Some(offer));
            reload.emit(());
        })
    };
    let code = use_act::<command::HelpersCode>(show);
    let answer = use_act::<command::HelpersAnswer>(props.reload.reform(|_: HelpersView| ()));
    let number = one.number;
    let press = |yes: bool| answer.send.reform(move |_: MouseEvent| HelperAnswerArgs { number, yes });
    let (name, word) = (one.name.as_str(), super::words::wire_word(one.state));
    let other = one.answered_as.clone().unwrap_or_else(|| name.to_owned());
    let offer = shown.as_ref().filter(|_| matches!(one.state, HelperState::Chosen | HelperState::Waiting));
    let error = code.error.clone().or(answer.error.clone());
    html! {
        <>
            <div class="settings-row">
                <Icon icon={if one.state == HelperState::Kept { IconName::Check } else { IconName::User }} />
                <span class="settings-words">
                    <span class="settings-title"><bdi>{ one.name.clone() }</bdi></span>
                    <span class="caption">{ i18n.text(&format!("helper-{word}")) }</span>
                </span>
                if offer.is_none() && matches!(one.state, HelperState::Chosen | HelperState::Waiting) {
                    <Button kind={ButtonKind::Second} working={code.working} onclick={code.send.reform(move |_| HelperArgs { number })}>{ t!(i18n, "helper-code") }<span class="visually-hidden">{ ": " }{ one.name.clone() }</span></Button>
                }
            </div>
            if one.state == HelperState::Asking {
                <p>{ t!(i18n, "helper-is-it", other = other, name = name) }</p>
                <div class="button-row">
                    <Button kind={ButtonKind::Main} working={answer.working} onclick={press(true)}>{ t!(i18n, "helper-yes", name = name) }</Button>
                    <Button kind={ButtonKind::Danger} onclick={press(false)}>{ t!(i18n, "invite-refuse") }</Button>
                </div>
            }
            if let Some(offer) = offer {
                <p>{ t!(i18n, "helper-code-text", name = name) }</p>
                { code_block(&i18n, offer, &t!(i18n, "helper-code")) }
            }
            if let Some(error) = error { <ErrorBlock {error} /> }
        </>
    }
}

/// What the notice on home is about.
#[derive(Properties, PartialEq)]
pub struct AskedNoticeProps {
    /// The request.
    pub notice: HelpersNoticeView,
    /// Something was answered.
    pub reload: Callback<()>,
}

/// Somebody asks to restore this account: the first thing on home, on every device, until it is over.
#[component]
pub fn AskedNotice(props: &AskedNoticeProps) -> Html {
    let i18n = use_i18n();
    let notice = &props.notice;
    let stop = use_act::<command::HelpersStop>(props.reload.reform(|_: HelpersView| ()));
    let when = |at_ms| format::instant_near(i18n.language(), at_ms, format::local_day(format::now_ms()));
    html! {
        <Notice kind={NoticeKind::Urgent}>
            <h2 class="title-2">{ t!(i18n, "asked-title") }</h2>
            if notice.stopping {
                <p>{ t!(i18n, "asked-stopping") }</p>
            } else {
                <p>{ t!(i18n, "asked-text", asked = when(notice.asked_ms), until = when(notice.released_ms)) }</p>
                <p>{ t!(i18n, "asked-words") }</p>
                { word_list(&notice.words) }
                if notice.others > 0 { <p>{ t!(i18n, "asked-others", count = notice.others) }</p> }
                if let Some(error) = stop.error.clone() { <ErrorBlock {error} /> }
                <div class="button-row">
                    <Button kind={ButtonKind::DangerFilled} working={stop.working} onclick={stop.send.reform(|_| ())}>{ t!(i18n, "asked-stop") }</Button>
                    <Link<Route> to={Route::Pair} classes="button button-second">{ t!(i18n, "asked-me") }</Link<Route>>
                </div>
                <p class="small">{ t!(i18n, "asked-me-text") }</p>
            }
        </Notice>
    }
}
