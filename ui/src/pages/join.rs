//! "I have another device": this device joins an account by the words or the text of the code that the other device shows.

use mecum_api::{CallError, PairJoinArgs, PairPhase, Topic, command};
use yew::prelude::*;

use super::first_run::passphrase::PassphraseStep;
use super::first_run::{keep_language, step_head};
use crate::app::focus;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Notice, NoticeKind};
use crate::i18n::{t, use_i18n};
use crate::query::use_query;

const STEPS: u8 = 3;

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
            let next = go(Step::Passphrase);
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
    let status = use_query::<command::PairStatus>((), vec![Topic::Devices, Topic::Sync]);
    let phase = status.data().map(|view| view.phase).unwrap_or_default();
    let reload = status.reload();
    {
        let (error, given, on_joining) = (error.clone(), props.given.clone(), props.on_joining.clone());
        let language = i18n.language();
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
                    Ok(_) => {
                        keep_language(&backend, language).await;
                        reload.emit(());
                    }
                    Err(refused) => error.set(Some(refused)),
                }
            });
        });
    }
    {
        // News come only to an open vault; until then the phase is asked for.
        let reload = status.reload();
        use_effect_with(phase, move |phase| {
            focus("main h1");
            let ask = (!matches!(phase, PairPhase::Done | PairPhase::Ended))
                .then(|| gloo::timers::callback::Interval::new(1_000, move || reload.emit(())));
            move || drop(ask)
        });
    }
    if let Some(error) = (*error).clone() {
        let back = {
            let (on_back, on_joining) = (props.on_back.clone(), props.on_joining.clone());
            Callback::from(move |()| {
                on_joining.emit(false);
                on_back.emit(());
            })
        };
        return html! {
            <>
                <h1 tabindex="-1">{ t!(i18n, "join-ended-title") }</h1>
                <ErrorBlock {error} on_retry={back} />
            </>
        };
    }
    let done = props.on_joining.reform(|_: MouseEvent| false);
    html! {
        <section class="closed-form" aria-live="polite">
            <h1 tabindex="-1">{ i18n.text(match phase {
                PairPhase::Working => "join-working-title",
                PairPhase::Done => "join-done-title",
                PairPhase::Ended => "join-ended-title",
                _ => "join-waiting-title",
            }) }</h1>
            <p class="lead">{ i18n.text(match phase {
                PairPhase::Working => "join-working-text",
                PairPhase::Done => "join-done-text",
                PairPhase::Ended => "join-ended-text",
                _ => "join-waiting-text",
            }) }</p>
            if phase == PairPhase::Done {
                <Button kind={ButtonKind::Main} wide=true onclick={done}>{ t!(i18n, "join-open") }</Button>
            } else if phase == PairPhase::Ended {
                <Button kind={ButtonKind::Second} wide=true onclick={let b = props.on_back.clone(); Callback::from(move |_| b.emit(()))}>{ t!(i18n, "app-try-again") }</Button>
            } else {
                <Notice kind={NoticeKind::Plain}><p>{ t!(i18n, "join-safe") }</p></Notice>
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "join-working-mark") }</p>
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
