//! Flags: what is said about a value, by shape and word; colour is the third signal.

use mecum_api::domain::Flag as Said;
use yew::prelude::*;

use super::{Icon, IconName};
use crate::i18n::{I18n, use_i18n};

/// A flag.
#[derive(Properties, PartialEq)]
pub struct FlagProps {
    /// What is said.
    pub flag: Said,
}

/// The word of a flag; none when there is nothing to say.
pub fn flag_text(i18n: &I18n, flag: Said) -> Option<String> {
    let id = match flag {
        Said::None => return None,
        Said::High => "flag-high",
        Said::Low => "flag-low",
        Said::InRange => "flag-in-range",
        Said::NoRange => "flag-no-range",
        Said::Clash => "flag-clash",
        Said::Corrected => "flag-corrected",
        Said::EnteredInError => "flag-entered-in-error",
        Said::Ended => "flag-ended",
    };
    Some(i18n.text(id))
}

/// A flag with its shape and its word.
#[component]
pub fn Flag(props: &FlagProps) -> Html {
    let i18n = use_i18n();
    let Some(text) = flag_text(&i18n, props.flag) else { return Html::default() };
    let (class, mark) = match props.flag {
        Said::High => ("flag flag-high", shape("M6 1.6 11 10.4 1 10.4Z")),
        Said::Low => ("flag flag-low", shape("M6 10.4 1 1.6 11 1.6Z")),
        Said::InRange => ("flag flag-ok", html! { <Icon icon={IconName::Check} small=true /> }),
        Said::NoRange | Said::EnteredInError => {
            ("flag flag-unsure", html! { <span class="flag-ring" aria-hidden="true" /> })
        }
        Said::Clash => ("flag flag-hold", html! { <Icon icon={IconName::GitCompare} small=true /> }),
        Said::Corrected => ("flag flag-info", html! { <Icon icon={IconName::Pencil} small=true /> }),
        Said::Ended | Said::None => ("flag flag-plain", Html::default()),
    };
    html! { <span {class}>{ mark }{ text }</span> }
}

fn shape(d: &'static str) -> Html {
    html! { <svg class="flag-shape" viewBox="0 0 12 12" aria-hidden="true"><path fill="currentColor" {d} /></svg> }
}
