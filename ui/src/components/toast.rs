//! A word about what was done, with undo. One at a time, 8 seconds, longer while it has the focus. Not for errors.

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::{Icon, IconName};
use crate::app::use_shell;
use crate::i18n::{t, use_i18n};

const STAYS_MS: u32 = 8_000;

/// The toast of the shell.
#[component]
pub fn Toast() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let state = shell.toast_state();
    let held = use_state(|| false);
    {
        let state = state.clone();
        use_effect_with((state.as_ref().map(|t| t.number), *held), move |(number, held)| {
            let timer = (number.is_some() && !held).then(|| Timeout::new(STAYS_MS, move || state.set(None)));
            move || drop(timer)
        });
    }
    let hold = |on: bool| {
        let held = held.clone();
        move || held.set(on)
    };
    let (enter, leave, focus, blur) = (hold(true), hold(false), hold(true), hold(false));
    html! {
        <div class="toasts" aria-live="polite" role="status"
            onmouseenter={Callback::from(move |_| enter())} onmouseleave={Callback::from(move |_| leave())}
            onfocusin={Callback::from(move |_| focus())} onfocusout={Callback::from(move |_| blur())}>
            if let Some(toast) = (*state).clone() {
                <div class="toast" key={toast.number}>
                    <Icon icon={IconName::Check} />
                    <span class="toast-text">{ toast.text.clone() }</span>
                    if let Some(undo) = toast.undo {
                        <button type="button" class="toast-undo" onclick={let state = state.clone(); Callback::from(move |_| { state.set(None); undo.emit(()); })}>{ t!(i18n, "app-undo") }</button>
                    }
                </div>
            }
        </div>
    }
}
