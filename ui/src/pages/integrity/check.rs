//! Checking the open vault: how far it is, and what it found, in plain words.

use mecum_api::{CheckView, TaskPhase, Topic, command};
use yew::prelude::*;

use super::findings;
use crate::components::{Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind, Progress};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::{use_act, use_asked_again};
use crate::pages::answer::answered;
use crate::query::use_query;

/// The check.
#[component]
pub(super) fn Check() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::CheckStatus>((), vec![Topic::Integrity]);
    let running = query.data().is_some_and(|view| view.phase == TaskPhase::Running);
    use_asked_again(&query, running);
    let begin = use_act::<command::CheckBegin>(query.reload().reform(|_| ()));
    let stop = use_act::<command::CheckStop>(query.reload().reform(|_| ()));
    let error = begin.error.clone().or(stop.error.clone());
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "check-title") }</h2>
            <p>{ t!(i18n, "check-text") }</p>
            <div aria-live="polite">
                { answered(&i18n, &query, &t!(i18n, "data-opening"), |view| found(&i18n, &view)) }
            </div>
            if let Some(error) = error { <ErrorBlock {error} /> }
            <div class="button-row">
                if running {
                    <Button kind={ButtonKind::Second} working={stop.working} onclick={stop.send.reform(|_| ())}>{ t!(i18n, "check-stop") }</Button>
                } else {
                    <Button kind={ButtonKind::Second} working={begin.working} onclick={begin.send.reform(|_| ())}>{ t!(i18n, "check-begin") }</Button>
                }
            </div>
        </section>
    }
}

/// What is known of a check.
pub(super) fn found(i18n: &I18n, view: &CheckView) -> Html {
    let looked = format::count(i18n.language(), view.looked);
    let when = format::instant_near(i18n.language(), view.ended_ms, format::local_day(format::now_ms()));
    match view.phase {
        TaskPhase::None => Html::default(),
        TaskPhase::Running => html! {
            <Progress done={u32::from(view.percent)} total={100} label={t!(i18n, "check-running", percent = view.percent)} />
        },
        TaskPhase::Stopped => html! { <p class="small">{ t!(i18n, "check-stopped") }</p> },
        TaskPhase::Failed => html! {
            <Notice kind={NoticeKind::Wait}><p>{ view.message_id.as_deref().map_or_else(|| t!(i18n, "check-failed"), |id| i18n.text(id)) }</p></Notice>
        },
        TaskPhase::Done if view.findings.is_empty() => html! {
            <p class="home-nothing"><Icon icon={IconName::Check} />{ t!(i18n, "check-sound", looked = looked, when = when) }</p>
        },
        TaskPhase::Done => html! {
            <>
                <Notice kind={NoticeKind::Urgent}><p>{ t!(i18n, "check-found", when = when) }</p></Notice>
                { findings(i18n, &view.findings) }
            </>
        },
    }
}
