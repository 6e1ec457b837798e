//! An error where it happened: what happened, what is safe, what to do, and the way to try again.

use mecum_api::{CallError, Code};
use yew::prelude::*;

use super::{Button, ButtonKind, Icon, IconName};
use crate::i18n::{t, use_i18n};

/// An error.
#[derive(Properties, PartialEq)]
pub struct ErrorBlockProps {
    /// What was refused.
    pub error: CallError,
    /// Tries again.
    #[prop_or_default]
    pub on_retry: Option<Callback<()>>,
    /// Puts the message away.
    #[prop_or_default]
    pub on_close: Option<Callback<()>>,
}

/// An error in place. A lost save is said at once; everything else when the reader comes to it.
#[component]
pub fn ErrorBlock(props: &ErrorBlockProps) -> Html {
    let i18n = use_i18n();
    let (what, to_do) = i18n.error(&props.error);
    let safe = match props.error.code {
        Code::NotSaved => Some("error-safe-not-saved"),
        Code::BadFile => Some("error-safe-file"),
        Code::Internal | Code::Offline => Some("error-safe"),
        _ => None,
    };
    html! {
        <section class="error-block" role="alert">
            <Icon icon={IconName::OctagonAlert} />
            <div class="error-words">
                <p><strong>{ what }</strong>{ safe.map(|id| format!(" {}", i18n.text(id))) }</p>
                if let Some(to_do) = to_do { <p>{ to_do }</p> }
                <div class="error-buttons">
                    if let Some(retry) = &props.on_retry {
                        <Button kind={ButtonKind::Second} onclick={retry.reform(|_| ())}>{ t!(i18n, "app-try-again") }</Button>
                    }
                    if let Some(close) = &props.on_close {
                        <Button kind={ButtonKind::Quiet} onclick={close.reform(|_| ())}>{ t!(i18n, "app-put-away") }</Button>
                    }
                </div>
            </div>
        </section>
    }
}
