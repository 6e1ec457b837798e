//! A switch with the word for its state beside it.

use yew::prelude::*;

use crate::i18n::{t, use_i18n};

/// A switch.
#[derive(Properties, PartialEq)]
pub struct SwitchProps {
    /// What it switches.
    pub label: AttrValue,
    /// What it does.
    pub hint: AttrValue,
    /// It is on.
    pub on: bool,
    /// The new state.
    pub onchange: Callback<bool>,
}

/// A switch in a row of its own. Enter and Space turn it.
#[component]
pub fn Switch(props: &SwitchProps) -> Html {
    let i18n = use_i18n();
    let onclick = {
        let on = props.on;
        props.onchange.reform(move |_: MouseEvent| !on)
    };
    html! {
        <button type="button" class="switch-row" role="switch" aria-checked={if props.on { "true" } else { "false" }} {onclick}>
            <span class="switch-words"><span class="switch-label">{ props.label.clone() }</span><span class="switch-hint">{ props.hint.clone() }</span></span>
            <span class="switch-state" aria-hidden="true">{ if props.on { t!(i18n, "app-on") } else { t!(i18n, "app-off") } }</span>
            <span class={if props.on { "switch switch-on" } else { "switch" }} aria-hidden="true"><span class="switch-knob" /></span>
        </button>
    }
}
