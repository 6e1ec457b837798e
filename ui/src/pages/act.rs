//! What a page does when something is pressed: one command, whether it is at work, and why it was refused.

use mecum_api::command::Command;
use mecum_api::{CallError, Code, PassphraseArgs};
use yew::prelude::*;

use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType};
use crate::i18n::{t, use_i18n};
use crate::query::Query;

/// How often the client is asked about something that goes on.
const ASK_MS: u32 = 1_000;

/// A command of a page.
pub struct Act<A> {
    /// It is under way.
    pub working: bool,
    /// Why it was refused, until it is sent again.
    pub error: Option<CallError>,
    /// Sends it. While one is under way another is not sent.
    pub send: Callback<A>,
}

/// One act of a page; `done` hears what is answered.
#[hook]
pub fn use_act<C>(done: Callback<C::Output>) -> Act<C::Args>
where
    C: Command + 'static,
    C::Args: 'static,
    C::Output: 'static,
{
    let backend = use_backend();
    let state = use_state(|| (false, None::<CallError>));
    let send = {
        let state = state.clone();
        Callback::from(move |args: C::Args| {
            if state.0 {
                return;
            }
            state.set((true, None));
            let (backend, state, done) = (backend.clone(), state.setter(), done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<C>(args).await {
                    Ok(answer) => {
                        state.set((false, None));
                        done.emit(answer);
                    }
                    Err(error) => state.set((false, Some(error))),
                }
            });
        })
    };
    Act { working: state.0, error: state.1.clone(), send }
}

/// Asks `query` again every second while it goes on.
#[hook]
pub fn use_asked_again<T: 'static>(query: &Query<T>, going: bool) {
    let reload = query.reload();
    use_effect_with(going, move |going| {
        let clock = going.then(|| gloo::timers::callback::Interval::new(ASK_MS, move || reload.emit(())));
        move || drop(clock)
    });
}

/// A passphrase that is asked for before something is done.
#[derive(Properties, PartialEq)]
pub struct PassphraseFormProps {
    /// Why it is asked for.
    pub lead: AttrValue,
    /// The word of its button.
    pub action: AttrValue,
    /// It is at work.
    pub working: bool,
    /// What was refused.
    pub error: Option<CallError>,
    /// The passphrase.
    pub on_done: Callback<PassphraseArgs>,
    /// Not now.
    pub on_stop: Callback<()>,
    /// What cannot be undone has another button.
    #[prop_or_default]
    pub danger: bool,
}

/// One field, what was wrong with it, and two ways on.
#[component]
pub fn PassphraseForm(props: &PassphraseFormProps) -> Html {
    let i18n = use_i18n();
    let typed = use_state(String::new);
    let onsubmit = {
        let (typed, on_done) = (typed.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !typed.trim().is_empty() {
                on_done.emit(PassphraseArgs { passphrase: (*typed).clone() });
            }
        })
    };
    let is_wrong = |error: &&CallError| matches!(error.code, Code::WrongPassphrase | Code::Waiting);
    let wrong = props.error.as_ref().filter(is_wrong).map(|error| {
        let (what, to_do) = i18n.error(error);
        AttrValue::from(to_do.map_or(what.clone(), |to_do| format!("{what} {to_do}")))
    });
    let other = props.error.as_ref().filter(|error| !is_wrong(error)).cloned();
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p>{ props.lead.clone() }</p>
            <Field id="passphrase" label={t!(i18n, "unlock-passphrase")} value={(*typed).clone()} r#type={FieldType::Secret} focus=true error={wrong}
                oninput={let typed = typed.clone(); Callback::from(move |text| typed.set(text))} />
            if let Some(error) = other { <ErrorBlock {error} /> }
            <div class="button-row">
                <Button kind={if props.danger { ButtonKind::DangerFilled } else { ButtonKind::Main }} submit=true working={props.working}>{ props.action.clone() }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_stop.reform(|_| ())}>{ t!(i18n, "add-cancel") }</Button>
            </div>
        </form>
    }
}
