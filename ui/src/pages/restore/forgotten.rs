//! The passphrase is forgotten: the kit's words, a new passphrase, and the vault is open.

use mecum_api::{CallError, Code, VaultRecoverArgs, command};
use yew::prelude::*;

use super::{KIT_WORDS, WordsField, count};
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock};
use crate::i18n::{t, use_i18n};
use crate::pages::first_run::passphrase::PassphraseStep;
use crate::pages::first_run::step_head;

/// What the lock screen hears.
#[derive(Properties, PartialEq)]
pub struct ForgottenStepsProps {
    /// The vault is open.
    pub on_open: Callback<()>,
    /// Back to the passphrase.
    pub on_back: Callback<()>,
}

/// The passphrase is forgotten: the words, a new passphrase, and the vault is open.
#[component]
pub fn ForgottenSteps(props: &ForgottenStepsProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let words = use_state(String::new);
    let chosen = use_state(|| false);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let is_about_words = |error: &CallError| error.code == Code::BadKit;
    if *chosen {
        let on_done = {
            let (words, chosen, working, error, on_open) =
                (words.clone(), chosen.clone(), working.clone(), error.clone(), props.on_open.clone());
            Callback::from(move |passphrase: String| {
                if *working {
                    return;
                }
                working.set(true);
                let args = VaultRecoverArgs { words: (*words).clone(), passphrase };
                let (backend, chosen, working, error, on_open) =
                    (backend.clone(), chosen.clone(), working.clone(), error.clone(), on_open.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    match backend.call::<command::VaultRecover>(args).await {
                        Ok(_) => on_open.emit(()),
                        Err(refused) => {
                            working.set(false);
                            chosen.set(false);
                            error.set(Some(refused));
                        }
                    }
                });
            })
        };
        let back = {
            let chosen = chosen.clone();
            Callback::from(move |_: MouseEvent| chosen.set(false))
        };
        return html! {
            <>
                { step_head(&i18n, 2, 2, "first-step-passphrase", &back) }
                <PassphraseStep {on_done} />
            </>
        };
    }
    let onsubmit = {
        let (words, chosen, error) = (words.clone(), chosen.clone(), error.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if count(&words) == KIT_WORDS {
                error.set(None);
                chosen.set(true);
            } else {
                let wrong = CallError::new(Code::BadKit, "error-kit-count").with("got", count(&words));
                error.set(Some(wrong));
            }
        })
    };
    let on_words = {
        let words = words.clone();
        Callback::from(move |text| words.set(text))
    };
    let about_words = error.as_ref().filter(|error| is_about_words(error)).cloned();
    let other = error.as_ref().filter(|error| !is_about_words(error)).cloned();
    html! {
        <form class="closed-form closed-form-tall" {onsubmit} novalidate={true}>
            { step_head(&i18n, 1, 2, "restore-step-words", &props.on_back.reform(|_| ())) }
            <h1 tabindex="-1">{ t!(i18n, "forgotten-title") }</h1>
            <p class="lead">{ t!(i18n, "forgotten-lead") }</p>
            <WordsField words={(*words).clone()} error={about_words} {on_words} />
            if let Some(error) = other { <ErrorBlock {error} /> }
            <div class="closed-end"><Button kind={ButtonKind::Main} submit=true wide=true>{ t!(i18n, "first-continue") }</Button></div>
        </form>
    }
}
