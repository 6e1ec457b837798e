//! With the recovery kit's thirteen words: a new passphrase for the vault that is here, or everything on a device that is empty.

pub mod forgotten;
pub mod helpers;

use mecum_api::{AccountRestoreArgs, CallError, Code, PairPhase, PairView, command};
use yew::prelude::*;

use super::first_run::passphrase::PassphraseStep;
use super::first_run::{keep_language, step_head};
use crate::app::focus;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Notice, NoticeKind, RadioGroup};
use crate::i18n::{t, use_i18n};

/// How often the client is asked how far restoring is.
const ASK_MS: u32 = 1_000;

/// Words of a kit. Source: the kit's own page, `KitView::words`.
const KIT_WORDS: usize = 13;

/// How many words there are so far: whatever is no letter separates.
fn count(words: &str) -> usize {
    words.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).count()
}

#[derive(Properties, PartialEq)]
struct WordsFieldProps {
    words: String,
    error: Option<CallError>,
    on_words: Callback<String>,
}

/// The thirteen words, with how many there are and which of them is none.
#[component]
fn WordsField(props: &WordsFieldProps) -> Html {
    let i18n = use_i18n();
    let error = props.error.as_ref().map(|error| {
        let (what, to_do) = i18n.error(error);
        AttrValue::from(to_do.map_or(what.clone(), |to_do| format!("{what} {to_do}")))
    });
    html! {
        <>
            <Field id="kit-words" label={t!(i18n, "restore-words")} hint={AttrValue::from(t!(i18n, "restore-words-hint"))} value={props.words.clone()}
                r#type={FieldType::Lines} {error} focus=true oninput={props.on_words.clone()} />
            <p class="small" role="status">{ t!(i18n, "restore-words-count", count = count(&props.words), of = KIT_WORDS) }</p>
        </>
    }
}

#[derive(Clone, Default, PartialEq)]
struct Given {
    server: String,
    words: String,
    device: String,
    alone: bool,
    passphrase: String,
    error: Option<CallError>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Words,
    Passphrase,
    Working,
}

/// What the first run hears.
#[derive(Properties, PartialEq)]
pub struct RestoreStepsProps {
    /// Restoring begins or ends.
    pub on_joining: Callback<bool>,
    /// Back to the welcome.
    pub on_back: Callback<()>,
}

/// Everything on an empty device.
#[component]
pub fn RestoreSteps(props: &RestoreStepsProps) -> Html {
    let i18n = use_i18n();
    let step = use_state(Step::default);
    let given = use_state(|| Given { device: i18n.text("first-device-default"), ..Given::default() });
    let go = |to: Step| {
        let step = step.clone();
        move || step.set(to)
    };
    match *step {
        Step::Words => {
            // Who comes back because of a word has chosen a passphrase already.
            let next = go(if given.passphrase.is_empty() { Step::Passphrase } else { Step::Working });
            let on_done = {
                let given = given.clone();
                Callback::from(move |new: Given| {
                    given.set(new);
                    next();
                })
            };
            html! {
                <>
                    { step_head(&i18n, 1, 3, "restore-step-words", &props.on_back.reform(|_| ())) }
                    <WordsStep given={(*given).clone()} {on_done} />
                </>
            }
        }
        Step::Passphrase => {
            let (next, back) = (go(Step::Working), go(Step::Words));
            let on_done = {
                let given = given.clone();
                Callback::from(move |passphrase: String| {
                    given.set(Given { passphrase, ..(*given).clone() });
                    next();
                })
            };
            html! {
                <>
                    { step_head(&i18n, 2, 3, "first-step-passphrase", &Callback::from(move |_| back())) }
                    <p class="small">{ t!(i18n, "join-own-passphrase") }</p>
                    <PassphraseStep {on_done} />
                </>
            }
        }
        Step::Working => {
            let back = go(Step::Words);
            let on_back = {
                let given = given.clone();
                Callback::from(move |error: Option<CallError>| {
                    given.set(Given { error, ..(*given).clone() });
                    back();
                })
            };
            html! { <Working given={(*given).clone()} on_joining={props.on_joining.clone()} {on_back} /> }
        }
    }
}

#[derive(Properties, PartialEq)]
struct WordsStepProps {
    given: Given,
    on_done: Callback<Given>,
}

/// Server, words, the name of this device, and what becomes of the others.
#[component]
fn WordsStep(props: &WordsStepProps) -> Html {
    let i18n = use_i18n();
    let given = use_state(|| props.given.clone());
    let tried = use_state(|| false);
    let onsubmit = {
        let (given, tried, on_done) = (given.clone(), tried.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let mut new = (*given).clone();
            new.error = (count(&new.words) != KIT_WORDS)
                .then(|| CallError::new(Code::BadKit, "error-kit-count").with("got", count(&new.words)));
            if new.error.is_none() && !new.server.trim().is_empty() {
                on_done.emit(new.clone());
            }
            given.set(new);
        })
    };
    let set = |put: fn(&mut Given, String)| {
        let given = given.clone();
        Callback::from(move |text: String| {
            let mut new = (*given).clone();
            put(&mut new, text);
            given.set(new);
        })
    };
    let alone = {
        let given = given.clone();
        Callback::from(move |chosen: AttrValue| {
            given.set(Given { alone: chosen == "lost", ..(*given).clone() });
        })
    };
    let no_server = (*tried && given.server.trim().is_empty())
        .then(|| AttrValue::from(t!(i18n, "restore-server-missing")));
    let is_about_words = |error: &&CallError| error.code == Code::BadKit;
    let about_words = given.error.as_ref().filter(is_about_words).cloned();
    let other = given.error.as_ref().filter(|error| !is_about_words(error)).cloned();
    html! {
        <form class="closed-form closed-form-tall" {onsubmit} novalidate={true}>
            <h1 tabindex="-1">{ t!(i18n, "restore-title") }</h1>
            <p class="lead">{ t!(i18n, "restore-lead") }</p>
            <WordsField words={given.words.clone()} error={about_words} on_words={set(|g, t| g.words = t)} />
            <Field id="server" label={t!(i18n, "join-server")} hint={AttrValue::from(t!(i18n, "restore-server-hint"))} value={given.server.clone()} r#type={FieldType::Address} error={no_server} oninput={set(|g, t| g.server = t)} />
            <Field id="device" label={t!(i18n, "first-device")} hint={AttrValue::from(t!(i18n, "first-device-hint"))} value={given.device.clone()} oninput={set(|g, t| g.device = t)} />
            <RadioGroup name="others" legend={t!(i18n, "restore-others")} value={if given.alone { "lost" } else { "mine" }}
                options={vec![
                    ("mine".into(), t!(i18n, "restore-others-mine").into(), t!(i18n, "restore-others-mine-note").into()),
                    ("lost".into(), t!(i18n, "restore-others-lost").into(), t!(i18n, "restore-others-lost-note").into()),
                ]}
                onchange={alone} />
            if let Some(error) = other { <ErrorBlock {error} /> }
            <div class="closed-end"><Button kind={ButtonKind::Main} submit=true wide=true>{ t!(i18n, "first-continue") }</Button></div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct WorkingProps {
    given: Given,
    on_joining: Callback<bool>,
    on_back: Callback<Option<CallError>>,
}

/// Begins to restore with the kit's words.
#[component]
fn Working(props: &WorkingProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let view = use_state_eq(|| PairView { phase: PairPhase::Waiting, ..PairView::default() });
    {
        let (view, given) = (view.clone(), props.given.clone());
        let (on_joining, on_back) = (props.on_joining.clone(), props.on_back.clone());
        let language = i18n.language();
        use_effect_with((), move |()| {
            on_joining.emit(true);
            wasm_bindgen_futures::spawn_local(async move {
                let args = AccountRestoreArgs {
                    server: given.server.trim().to_owned(),
                    words: given.words,
                    passphrase: given.passphrase,
                    device_name: given.device.trim().to_owned(),
                    alone: given.alone,
                };
                match backend.call::<command::AccountRestore>(args).await {
                    Ok(begun) => {
                        keep_language(&backend, language).await;
                        view.set(begun);
                    }
                    Err(refused) => {
                        on_joining.emit(false);
                        on_back.emit(Some(refused));
                    }
                }
            });
        });
    }
    html! { <Watch begun={(*view).clone()} on_joining={props.on_joining.clone()} /> }
}

/// What is being restored.
#[derive(Properties, PartialEq)]
pub(crate) struct WatchProps {
    /// As it was when it began.
    pub(crate) begun: PairView,
    /// Restoring ends.
    pub(crate) on_joining: Callback<bool>,
}

/// Says how far restoring is, by the kit or by helpers.
#[component]
pub(crate) fn Watch(props: &WatchProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let heard = use_state_eq(|| None::<PairView>);
    let view = heard.as_ref().unwrap_or(&props.begun);
    let phase = view.phase;
    {
        let heard = heard.clone();
        use_effect_with(phase, move |phase| {
            focus("main h1");
            let ask = (*phase == PairPhase::Working).then(|| {
                gloo::timers::callback::Interval::new(ASK_MS, move || {
                    let (heard, backend) = (heard.clone(), backend.clone());
                    wasm_bindgen_futures::spawn_local(async move {
                        if let Ok(now) = backend.call::<command::PairStatus>(()).await {
                            heard.set(Some(now));
                        }
                    });
                })
            });
            move || drop(ask)
        });
    }
    let done = props.on_joining.reform(|_: MouseEvent| false);
    let message = view.message_id.as_deref().map(|id| i18n.text(id));
    html! {
        <section class="closed-form" aria-live="polite">
            <h1 tabindex="-1">{ i18n.text(match phase {
                PairPhase::Done => "restore-done-title",
                PairPhase::Ended => "restore-ended-title",
                _ => "restore-working-title",
            }) }</h1>
            if phase == PairPhase::Done {
                <p class="lead">{ t!(i18n, "restore-done-text") }</p>
                <Button kind={ButtonKind::Main} wide=true onclick={done}>{ t!(i18n, "join-open") }</Button>
            } else if phase == PairPhase::Ended {
                <p class="lead">{ message.unwrap_or_else(|| t!(i18n, "restore-ended-text")) }</p>
                <Button kind={ButtonKind::Main} wide=true onclick={done}>{ t!(i18n, "app-try-again") }</Button>
            } else {
                <p class="lead">{ t!(i18n, "join-working-text") }</p>
                if let Some(message) = message { <Notice kind={NoticeKind::Plain}><p>{ message }</p></Notice> }
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "join-working-mark") }</p>
            }
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_however_they_are_typed() {
        assert_eq!(count(""), 0, "nothing yet");
        assert_eq!(count("1. lantern\n2. maple,orbit  quiet"), 4, "numbers and commas only separate");
    }
}
