//! Making a vault right again from what is good of it and what the server has. The damaged file is set aside.

use mecum_api::{MendView, TaskPhase, Topic, command};
use yew::prelude::*;

use super::findings;
use crate::components::{Button, ButtonKind, Notice, NoticeKind, Progress};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::{PassphraseForm, use_act, use_asked_again};
use crate::pages::words::wire_word;
use crate::query::use_query;

/// The mending, on the page of an open vault.
#[component]
pub(super) fn Mend() -> Html {
    let i18n = use_i18n();
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "mend-title") }</h2>
            <p>{ t!(i18n, "mend-text") }</p>
            <MendForm kind={ButtonKind::Second} />
        </section>
    }
}

/// How strong its button is.
#[derive(Properties, PartialEq)]
pub(super) struct MendFormProps {
    /// On a closed vault it is the one thing to do.
    pub(super) kind: ButtonKind,
}

/// Its button, the passphrase, how far it is, and what came of it. The same on a closed vault.
#[component]
pub(super) fn MendForm(props: &MendFormProps) -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::MendStatus>((), vec![Topic::Integrity]);
    let view = query.data();
    let running = view.as_ref().is_some_and(|view| view.phase == TaskPhase::Running);
    use_asked_again(&query, running);
    let asking = use_state(|| false);
    let begun = {
        let (asking, reload) = (asking.clone(), query.reload());
        Callback::from(move |_: MendView| {
            asking.set(false);
            reload.emit(());
        })
    };
    let mend = use_act::<command::VaultMend>(begun);
    let turn = |to: bool| {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(to))
    };
    html! {
        <>
            <div aria-live="polite">{ view.map(|view| came(&i18n, &view)).unwrap_or_default() }</div>
            if *asking {
                <PassphraseForm lead={t!(i18n, "mend-passphrase")} action={t!(i18n, "mend-do")} working={mend.working} error={mend.error.clone()} on_done={mend.send.clone()} on_stop={turn(false)} />
            } else if !running {
                <div class="button-row"><Button kind={props.kind} onclick={turn(true).reform(|_| ())}>{ t!(i18n, "mend-do") }</Button></div>
            }
        </>
    }
}

/// What came of a mending, with what is still missing and who has it.
fn came(i18n: &I18n, view: &MendView) -> Html {
    let why = view.message_id.as_deref().map(|id| i18n.text(id));
    match view.phase {
        TaskPhase::None | TaskPhase::Stopped => Html::default(),
        TaskPhase::Running => html! { <Progress done=0 total=0 label={t!(i18n, "mend-running")} /> },
        TaskPhase::Failed => html! {
            <>
                <Notice kind={NoticeKind::Urgent}><p>{ why.unwrap_or_else(|| t!(i18n, "mend-failed")) }</p><p>{ t!(i18n, "mend-as-it-was") }</p></Notice>
                { findings(i18n, &view.left) }
            </>
        },
        TaskPhase::Done => html! {
            <Notice kind={if view.left.is_empty() { NoticeKind::Plain } else { NoticeKind::Wait }}>
                <p><strong>{ t!(i18n, if view.found.is_empty() { "mend-nothing" } else if view.left.is_empty() { "mend-done" } else { "mend-partly" }) }</strong></p>
                if !view.found.is_empty() {
                    <p>{ t!(i18n, "mend-entries", count = view.entries) }{ " " }{ t!(i18n, "mend-unsent", count = view.unsent) }</p>
                    if let Some(by) = view.by { <p>{ i18n.text(&format!("mend-by-{}", wire_word(by))) }</p> }
                }
                { findings(i18n, &view.left) }
                if let Some(why) = why { <p>{ why }</p> }
                if let Some(aside) = &view.aside { <p class="small">{ t!(i18n, "mend-aside") }{ " " }<bdi class="breaks" translate="no">{ aside.clone() }</bdi></p> }
            </Notice>
        },
    }
}
