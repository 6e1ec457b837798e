//! Filter chips: chosen is filled, ticked and said as pressed.

use yew::prelude::*;

use super::{Icon, IconName};

/// A chip.
#[derive(Properties, PartialEq)]
pub struct ChipProps {
    /// It is chosen.
    pub pressed: bool,
    /// Pressed.
    pub onclick: Callback<MouseEvent>,
    /// Its words.
    pub children: Html,
}

/// A filter chip. Enter and Space press it.
#[component]
pub fn Chip(props: &ChipProps) -> Html {
    let class = if props.pressed { "chip chip-on" } else { "chip" };
    html! {
        <button type="button" {class} aria-pressed={if props.pressed { "true" } else { "false" }} onclick={props.onclick.clone()}>
            if props.pressed { <Icon icon={IconName::Check} small=true /> }
            <span>{ props.children.clone() }</span>
        </button>
    }
}
