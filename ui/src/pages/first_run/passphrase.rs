//! Choosing a passphrase: six words made on this device, or one's own; written twice.

use gloo::timers::callback::Timeout;
use mecum_api::{PassphraseArgs, PassphraseView, command};
use yew::prelude::*;

use crate::app::focus;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Field, FieldType, Icon, IconName};
use crate::i18n::{I18n, t, use_i18n};

/// How long after the last key the passphrase is judged.
const JUDGE_AFTER_MS: u32 = 200;

/// What comes of it.
#[derive(Properties, PartialEq)]
pub struct PassphraseStepProps {
    /// The passphrase, judged good and written twice.
    pub on_done: Callback<String>,
}

/// Which word of the second differs from the first, from 1; none when they are the same.
fn differing_word(first: &str, second: &str) -> Option<usize> {
    let (a, b): (Vec<_>, Vec<_>) = (first.split_whitespace().collect(), second.split_whitespace().collect());
    (0..a.len().max(b.len()))
        .find(|at| a.get(*at) != b.get(*at))
        .map(|at| at + 1)
        .or_else(|| (first != second).then_some(1))
}

/// The step.
#[component]
pub fn PassphraseStep(props: &PassphraseStepProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let (first, second) = (use_state(String::new), use_state(String::new));
    let judged = use_state(|| None::<PassphraseView>);
    let tried = use_state(|| false);
    let suggest = {
        let (first, backend) = (first.clone(), backend.clone());
        Callback::from(move |()| {
            let (first, backend) = (first.clone(), backend.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if let Ok(view) = backend.call::<command::PassphraseSuggest>(()).await {
                    first.set(view.words.join(" "));
                }
            });
        })
    };
    {
        let suggest = suggest.clone();
        use_effect_with((), move |()| {
            focus("main h1");
            suggest.emit(());
        });
    }
    {
        let (judged, backend) = (judged.clone(), backend.clone());
        use_effect_with((*first).clone(), move |typed| {
            let passphrase = typed.clone();
            let timer = Timeout::new(JUDGE_AFTER_MS, move || {
                wasm_bindgen_futures::spawn_local(async move {
                    if let Ok(view) =
                        backend.call::<command::PassphraseCheck>(PassphraseArgs { passphrase }).await
                    {
                        judged.set(Some(view));
                    }
                });
            });
            move || drop(timer)
        });
    }
    let onsubmit = {
        let (first, second, judged, tried, on_done) =
            (first.clone(), second.clone(), judged.clone(), tried.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if differing_word(&first, &second).is_some() {
                return;
            }
            // Judged anew: the verdict on the page may still be that of fewer letters.
            let (passphrase, backend, judged, on_done) =
                ((*first).clone(), backend.clone(), judged.clone(), on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let args = PassphraseArgs { passphrase: passphrase.clone() };
                match backend.call::<command::PassphraseCheck>(args).await {
                    Ok(view) if view.ok => on_done.emit(passphrase),
                    Ok(view) => judged.set(Some(view)),
                    Err(_) => {}
                }
            });
        })
    };
    let weak = judged
        .as_ref()
        .filter(|view| *tried && !view.ok)
        .and_then(|view| view.message_id.as_deref())
        .map(|id| i18n.text(id));
    let differs = differing_word(&first, &second).filter(|_| *tried);
    let mismatch = differs.map(|at| {
        AttrValue::from(if second.is_empty() {
            t!(i18n, "first-again-missing")
        } else {
            t!(i18n, "first-again-differs", at = at)
        })
    });
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <form class="closed-form closed-form-tall" {onsubmit} novalidate={true}>
            <h1 tabindex="-1">{ t!(i18n, "first-passphrase-title") }</h1>
            <p class="lead">{ t!(i18n, "first-passphrase-lead") }</p>
            <div>
                <Field id="passphrase-new" label={t!(i18n, "unlock-passphrase")} hint={AttrValue::from(t!(i18n, "first-passphrase-hint"))} value={(*first).clone()}
                    r#type={FieldType::NewSecret} shown=true error={weak.map(AttrValue::from)} oninput={set(&first)} />
                <div class="strength-row">
                    { strength(&i18n, judged.as_ref()) }
                    <button type="button" class="link-button" onclick={suggest.reform(|_| ())}>{ t!(i18n, "first-other-words") }</button>
                </div>
            </div>
            <Field id="passphrase-again" label={t!(i18n, "first-again")} value={(*second).clone()} r#type={FieldType::NewSecret} shown=true error={mismatch} oninput={set(&second)} />
            <ul class="promises" role="list">
                <li><Icon icon={IconName::Lock} />{ t!(i18n, "first-promise-sealed") }</li>
                <li><Icon icon={IconName::Pencil} />{ t!(i18n, "first-promise-write-down") }</li>
            </ul>
            <div class="closed-end"><Button kind={ButtonKind::Main} submit=true wide=true>{ t!(i18n, "first-continue") }</Button></div>
        </form>
    }
}

fn strength(i18n: &I18n, judged: Option<&PassphraseView>) -> Html {
    let Some(view) = judged else { return html! { <span class="strength" /> } };
    let word = i18n.text(match view.strength {
        0 => "first-strength-0",
        1 => "first-strength-1",
        2 => "first-strength-2",
        3 => "first-strength-3",
        _ => "first-strength-4",
    });
    html! {
        <span class={if view.ok { "strength strength-ok" } else { "strength" }} role="status">
            <span class="strength-bars" aria-hidden="true">
                { for (1..=4).map(|n| html! { <span class={if n <= view.strength { "strength-bar strength-bar-on" } else { "strength-bar" }} /> }) }
            </span>
            <strong>{ word }</strong>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_differs_is_named() {
        assert_eq!(differing_word("becak melati jembatan", "becak melati jembata"), Some(3), "the third");
        assert_eq!(differing_word("becak melati", "becak"), Some(2), "a missing word");
        assert_eq!(differing_word("becak melati", "becak melati"), None, "the same");
        assert_eq!(differing_word("a  b", "a b"), Some(1), "another space is another passphrase");
    }
}
