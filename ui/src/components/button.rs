//! Buttons: main, second, quiet, danger. A working one stays in place and says what it does.

use yew::prelude::*;

/// How strong a button is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one strong button of its region.
    Main,
    /// Edge border.
    #[default]
    Second,
    /// Text.
    Quiet,
    /// Danger, border.
    Danger,
    /// Danger, filled: for what cannot be undone.
    DangerFilled,
    /// Not yet: dashed; its words say what has to come first. It can be pressed, and says it again.
    NotYet,
}

/// A button.
#[derive(Properties, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one attribute of a button")]
pub struct ButtonProps {
    /// How strong.
    #[prop_or_default]
    pub kind: ButtonKind,
    /// Submits its form.
    #[prop_or_default]
    pub submit: bool,
    /// It is at work: shows a ring and takes no second press.
    #[prop_or_default]
    pub working: bool,
    /// As wide as its column.
    #[prop_or_default]
    pub wide: bool,
    /// Has the focus when its dialog opens: the safe one.
    #[prop_or_default]
    pub safe: bool,
    /// Pressed.
    #[prop_or_default]
    pub onclick: Callback<MouseEvent>,
    /// Its words, with an icon if any.
    pub children: Html,
}

/// A button. Enter and Space press it.
#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let kind = match props.kind {
        ButtonKind::Main => "button-main",
        ButtonKind::Second => "button-second",
        ButtonKind::Quiet => "button-quiet",
        ButtonKind::Danger => "button-danger",
        ButtonKind::DangerFilled => "button-danger-filled",
        ButtonKind::NotYet => "button-not-yet",
    };
    let onclick = {
        let (onclick, working) = (props.onclick.clone(), props.working);
        Callback::from(
            move |event: MouseEvent| if working { event.prevent_default() } else { onclick.emit(event) },
        )
    };
    let class = classes!("button", kind, props.wide.then_some("button-wide"));
    html! {
        <button type={if props.submit { "submit" } else { "button" }} {class} {onclick} autofocus={props.safe} aria-disabled={props.working.then_some("true")}>
            if props.working { <span class="ring" aria-hidden="true" /> }
            { props.children.clone() }
        </button>
    }
}
