//! What is typed while a kit is made: the passphrase before the words are shown, and a few words from the paper after it.

use mecum_api::{CallError, Code, KitConfirmArgs, KitView, PassphraseArgs, command};
use yew::prelude::*;

use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType};
use crate::i18n::{t, use_i18n};

#[derive(Properties, PartialEq)]
pub(super) struct PassphraseAgainProps {
    pub(super) on_made: Callback<KitView>,
    pub(super) on_stop: Callback<()>,
}

/// The passphrase is asked again: whoever finds the app open must not make a way in for themselves.
#[component]
pub(super) fn PassphraseAgain(props: &PassphraseAgainProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let typed = use_state(String::new);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let onsubmit = {
        let (typed, working, error, on_made) =
            (typed.clone(), working.clone(), error.clone(), props.on_made.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if *working || typed.trim().is_empty() {
                return;
            }
            working.set(true);
            let args = PassphraseArgs { passphrase: (*typed).clone() };
            let (backend, working, error, on_made) =
                (backend.clone(), working.clone(), error.clone(), on_made.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::KitMake>(args).await {
                    Ok(view) => on_made.emit(view),
                    Err(refused) => {
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let is_wrong = |error: &&CallError| error.code == Code::WrongPassphrase;
    let wrong = error.as_ref().filter(is_wrong).map(|e| AttrValue::from(i18n.error(e).0));
    let other = error.as_ref().filter(|error| !is_wrong(error)).cloned();
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "kit-passphrase-text") }</p>
            <Field id="passphrase" label={t!(i18n, "unlock-passphrase")} value={(*typed).clone()} r#type={FieldType::Secret} focus=true error={wrong}
                oninput={let typed = typed.clone(); Callback::from(move |text| typed.set(text))} />
            if let Some(error) = other { <ErrorBlock {error} /> }
            <div class="button-row">
                <Button kind={ButtonKind::Main} submit=true working={*working}>{ t!(i18n, "kit-show") }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_stop.reform(|_| ())}>{ t!(i18n, "pair-stop") }</Button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct TypedAgainProps {
    pub(super) view: KitView,
    pub(super) on_done: Callback<()>,
    pub(super) on_back: Callback<()>,
}

/// Which of the asked words, from 0, an error is about.
fn wrong_at(error: &CallError, asked: &[u8]) -> Option<usize> {
    let at: u8 = error.args.get("at").and_then(|at| at.parse().ok())?;
    (error.code == Code::BadKit).then(|| asked.iter().position(|place| *place == at))?
}

/// A few words typed from the paper: without the paper nobody can.
#[component]
pub(super) fn TypedAgain(props: &TypedAgainProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let typed = use_state(|| vec![String::new(); props.view.asked.len()]);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let onsubmit = {
        let (typed, working, error, on_done) =
            (typed.clone(), working.clone(), error.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if *working {
                return;
            }
            working.set(true);
            let args = KitConfirmArgs { words: (*typed).clone() };
            let (backend, working, error, on_done) =
                (backend.clone(), working.clone(), error.clone(), on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::KitConfirm>(args).await {
                    Ok(_) => on_done.emit(()),
                    Err(refused) => {
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let wrong = error.as_ref().and_then(|error| wrong_at(error, &props.view.asked));
    let other = error.as_ref().filter(|_| wrong.is_none()).cloned();
    let field = |(at, place): (usize, &u8)| {
        let oninput = {
            let typed = typed.clone();
            Callback::from(move |text: String| {
                let mut words = (*typed).clone();
                if let Some(word) = words.get_mut(at) {
                    *word = text;
                }
                typed.set(words);
            })
        };
        let wrong = error.as_ref().filter(|_| wrong == Some(at)).map(|e| AttrValue::from(i18n.error(e).0));
        html! {
            <Field id={format!("word-{place}")} label={t!(i18n, "kit-word", at = *place)} value={typed.get(at).cloned().unwrap_or_default()}
                focus={at == 0} error={wrong} {oninput} />
        }
    };
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "kit-again-text") }</p>
            { for props.view.asked.iter().enumerate().map(field) }
            if let Some(error) = other { <ErrorBlock {error} /> }
            <div class="button-row">
                <Button kind={ButtonKind::Main} submit=true working={*working}>{ t!(i18n, "kit-confirm") }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_back.reform(|_| ())}>{ t!(i18n, "kit-look-again") }</Button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_the_word_that_differs_is_named() {
        let wrong = CallError::new(Code::BadKit, "error-kit-again").with("at", 8);
        assert_eq!(wrong_at(&wrong, &[3, 8, 12]), Some(1), "the second of the asked");
        assert_eq!(wrong_at(&wrong, &[3, 9, 12]), None, "a word that was not asked");
        let other = CallError::new(Code::NotSaved, "error-not-saved");
        assert_eq!(wrong_at(&other, &[3, 8, 12]), None, "nothing about a word");
    }
}
