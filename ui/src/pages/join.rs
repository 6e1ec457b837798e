//! "I have another device": this device joins an account by the words or the text of the code that the other device shows.

use mecum_api::{CallError, PairJoinArgs, PairPhase, PairView, command};
use yew::prelude::*;

use super::first_run::passphrase::PassphraseStep;
use super::first_run::{keep_language, step_head};
use crate::app::focus;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Notice, NoticeKind};
use crate::i18n::{t, use_i18n};

const STEPS: u8 = 3;

/// How often the client is asked how far joining is.
const ASK_MS: u32 = 1_000;

#[derive(Clone, Debug, Default, PartialEq)]
struct Given {
    code: String,
    server: String,
    device: String,
    passphrase: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Code,
    Passphrase,
    Waiting,
}

/// What the first run hears.
#[derive(Properties, PartialEq)]
pub struct JoinStepsProps {
    /// Joining begins or ends.
    pub on_joining: Callback<bool>,
    /// Back to the welcome.
    pub on_back: Callback<()>,
}

/// Words alone need the server's address; the text of a code carries it.
fn needs_server(code: &str) -> bool {
    !code.contains("://") && !code.trim_start().starts_with("mecum:") && code.split_whitespace().count() > 1
}

/// The steps.
#[component]
pub fn JoinSteps(props: &JoinStepsProps) -> Html {
    let i18n = use_i18n();
    let step = use_state(Step::default);
    let given = use_state(|| Given { device: i18n.text("first-device-default"), ..Given::default() });
    let go = |to: Step| {
        let step = step.clone();
        move || step.set(to)
    };
    match *step {
        Step::Code => {
            // Who comes back because of a word has chosen a passphrase already.
            let next = go(if given.passphrase.is_empty() { Step::Passphrase } else { Step::Waiting });
            let on_done = {
                let given = given.clone();
                Callback::from(move |new: Given| {
                    given.set(new);
                    next();
                })
            };
            html! {
                <>
                    { step_head(&i18n, 1, STEPS, "join-step-code", &props.on_back.reform(|_| ())) }
                    <CodeStep given={(*given).clone()} {on_done} />
                </>
            }
        }
        Step::Passphrase => {
            let (next, back) = (go(Step::Waiting), go(Step::Code));
            let on_done = {
                let given = given.clone();
                Callback::from(move |passphrase: String| {
                    given.set(Given { passphrase, ..(*given).clone() });
                    next();
                })
            };
            html! {
                <>
                    { step_head(&i18n, 2, STEPS, "first-step-passphrase", &Callback::from(move |_| back())) }
                    <p class="small">{ t!(i18n, "join-own-passphrase") }</p>
                    <PassphraseStep {on_done} />
                </>
            }
        }
        Step::Waiting => {
            let back = go(Step::Code);
            html! { <JoinWait given={(*given).clone()} on_joining={props.on_joining.clone()} on_back={Callback::from(move |()| back())} /> }
        }
    }
}

#[derive(Properties, PartialEq)]
struct CodeStepProps {
    given: Given,
    on_done: Callback<Given>,
}

#[component]
fn CodeStep(props: &CodeStepProps) -> Html {
    let i18n = use_i18n();
    let given = use_state(|| props.given.clone());
    let tried = use_state(|| false);
    let onsubmit = {
        let (given, tried, on_done) = (given.clone(), tried.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !given.code.trim().is_empty()
                && (!needs_server(&given.code) || !given.server.trim().is_empty())
            {
                on_done.emit((*given).clone());
            }
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
    let no_code =
        (*tried && given.code.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "join-code-missing")));
    let no_server = (*tried && needs_server(&given.code) && given.server.trim().is_empty())
        .then(|| AttrValue::from(t!(i18n, "join-server-missing")));
    html! {
        <form class="closed-form closed-form-tall" {onsubmit} novalidate={true}>
            <h1 tabindex="-1">{ t!(i18n, "join-title") }</h1>
            <p class="lead">{ t!(i18n, "join-lead") }</p>
            <Field id="code" label={t!(i18n, "join-code")} hint={AttrValue::from(t!(i18n, "join-code-hint"))} value={given.code.clone()} r#type={FieldType::Lines} error={no_code} focus=true oninput={set(|g, t| g.code = t)} />
            if !given.code.contains("://") {
                <Field id="server" label={t!(i18n, "join-server")} hint={AttrValue::from(t!(i18n, "join-server-hint"))} value={given.server.clone()} r#type={FieldType::Address} error={no_server} oninput={set(|g, t| g.server = t)} />
            }
            <Field id="device" label={t!(i18n, "first-device")} hint={AttrValue::from(t!(i18n, "first-device-hint"))} value={given.device.clone()} oninput={set(|g, t| g.device = t)} />
            <div class="closed-end"><Button kind={ButtonKind::Main} submit=true wide=true>{ t!(i18n, "first-continue") }</Button></div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct JoinWaitProps {
    given: Given,
    on_joining: Callback<bool>,
    on_back: Callback<()>,
}

/// Joins, and says how far it is: waiting for the other device, bringing everything over, done.
#[component]
fn JoinWait(props: &JoinWaitProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let error = use_state(|| None::<CallError>);
    // Nothing until this try has begun: the client may still say how an earlier one ended.
    let view = use_state_eq(PairView::default);
    let phase = view.phase;
    {
        let (error, view, given, on_joining) =
            (error.clone(), view.clone(), props.given.clone(), props.on_joining.clone());
        let (backend, language) = (backend.clone(), i18n.language());
        use_effect_with((), move |()| {
            on_joining.emit(true);
            wasm_bindgen_futures::spawn_local(async move {
                let args = PairJoinArgs {
                    code: given.code.trim().to_owned(),
                    server: Some(given.server.trim().to_owned()).filter(|s| !s.is_empty()),
                    passphrase: given.passphrase,
                    device_name: given.device.trim().to_owned(),
                };
                match backend.call::<command::PairJoin>(args).await {
                    Ok(begun) => {
                        keep_language(&backend, language).await;
                        view.set(begun);
                    }
                    Err(refused) => error.set(Some(refused)),
                }
            });
        });
    }
    {
        // News come only to an open vault; until then the phase is asked for.
        let (view, backend) = (view.clone(), backend.clone());
        use_effect_with(phase, move |phase| {
            focus("main h1");
            let ask = matches!(phase, PairPhase::Waiting | PairPhase::Working).then(|| {
                gloo::timers::callback::Interval::new(ASK_MS, move || {
                    let (view, backend) = (view.clone(), backend.clone());
                    wasm_bindgen_futures::spawn_local(async move {
                        if let Ok(now) = backend.call::<command::PairStatus>(()).await {
                            view.set(now);
                        }
                    });
                })
            });
            move || drop(ask)
        });
    }
    let back = {
        let (on_back, on_joining, backend) =
            (props.on_back.clone(), props.on_joining.clone(), backend.clone());
        Callback::from(move |()| {
            let (on_back, on_joining, backend) = (on_back.clone(), on_joining.clone(), backend.clone());
            wasm_bindgen_futures::spawn_local(async move {
                // What was begun must not go on behind the person's back.
                let _ = backend.call::<command::PairStop>(()).await;
                on_joining.emit(false);
                on_back.emit(());
            });
        })
    };
    if let Some(error) = (*error).clone() {
        return html! {
            <>
                <h1 tabindex="-1">{ t!(i18n, "join-ended-title") }</h1>
                <ErrorBlock {error} on_retry={back} />
            </>
        };
    }
    let done = props.on_joining.reform(|_: MouseEvent| false);
    let message = view.message_id.as_deref().map(|id| i18n.text(id));
    html! {
        <section class="closed-form" aria-live="polite">
            <h1 tabindex="-1">{ i18n.text(match phase {
                PairPhase::Working => "join-working-title",
                PairPhase::Done => "join-done-title",
                PairPhase::Ended => "join-ended-title",
                _ => "join-waiting-title",
            }) }</h1>
            if phase == PairPhase::Ended {
                if let Some(message) = message.clone() { <p class="lead">{ message }</p> }
                <p>{ t!(i18n, "pair-ended-text") }</p>
            } else {
                <p class="lead">{ i18n.text(match phase {
                    PairPhase::Working => "join-working-text",
                    PairPhase::Done => "join-done-text",
                    _ => "join-waiting-text",
                }) }</p>
            }
            if phase == PairPhase::Done {
                <Button kind={ButtonKind::Main} wide=true onclick={done}>{ t!(i18n, "join-open") }</Button>
            } else if phase == PairPhase::Ended {
                <Button kind={ButtonKind::Second} wide=true onclick={back.reform(|_| ())}>{ t!(i18n, "app-try-again") }</Button>
            } else {
                <Notice kind={NoticeKind::Plain}><p>{ message.unwrap_or_else(|| t!(i18n, "join-safe")) }</p></Notice>
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "join-working-mark") }</p>
                if phase == PairPhase::Waiting {
                    <Button kind={ButtonKind::Second} wide=true onclick={back.reform(|_| ())}>{ t!(i18n, "pair-stop") }</Button>
                }
            }
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_need_a_server_and_a_code_carries_it() {
        assert!(needs_server("lantern maple orbit quiet"), "words know no address");
        assert!(!needs_server("mecum:pair?s=https://example.org"), "the code carries it");
        assert!(!needs_server(""), "nothing typed yet");
    }
}
