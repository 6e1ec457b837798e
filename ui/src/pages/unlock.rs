//! Opening the vault, and what is said when it cannot be opened at all. No names while locked.

use std::rc::Rc;

use mecum_api::{CallError, Code, PassphraseArgs, VaultPhase, VaultView, command};
use yew::prelude::*;

use super::restore::forgotten::ForgottenSteps;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Logo};
use crate::i18n::{t, use_i18n};

/// The state of the vault.
#[derive(Properties, PartialEq)]
pub struct UnlockPageProps {
    /// As last asked.
    pub status: Rc<VaultView>,
    /// It is open.
    pub on_open: Callback<()>,
}

/// The page.
#[component]
pub fn UnlockPage(props: &UnlockPageProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let typed = use_state(String::new);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let forgotten = use_state(|| false);
    let wait = use_state(|| props.status.wait_s);
    use_countdown(&wait);
    let onsubmit = {
        let (typed, working, error, wait, on_open) =
            (typed.clone(), working.clone(), error.clone(), wait.clone(), props.on_open.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if *working || *wait > 0 || typed.trim().is_empty() {
                return;
            }
            working.set(true);
            let (working, error, wait, on_open, backend) =
                (working.clone(), error.clone(), wait.clone(), on_open.clone(), backend.clone());
            let args = PassphraseArgs { passphrase: (*typed).clone() };
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::VaultUnlock>(args).await {
                    Ok(_) => on_open.emit(()),
                    Err(refused) => {
                        let seconds = refused.args.get("wait-s").and_then(|s| s.parse().ok()).unwrap_or(0);
                        wait.set(seconds);
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let wrong = error
        .as_ref()
        .filter(|e| matches!(e.code, Code::WrongPassphrase | Code::Waiting))
        .map(|e| i18n.error(e).0);
    let other = error.as_ref().filter(|e| !matches!(e.code, Code::WrongPassphrase | Code::Waiting)).cloned();
    if *forgotten {
        let back = {
            let forgotten = forgotten.clone();
            Callback::from(move |()| forgotten.set(false))
        };
        return html! {
            <div class="closed" data-person="abu">
                <div class="spine" aria-hidden="true" />
                <main class="closed-main"><ForgottenSteps on_open={props.on_open.clone()} on_back={back} /></main>
            </div>
        };
    }
    let forget = {
        let forgotten = forgotten.clone();
        Callback::from(move |_: MouseEvent| forgotten.set(true))
    };
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">
                <p class="brand brand-large"><Logo /><span>{ "Mecum" }</span></p>
                <h1 tabindex="-1">{ t!(i18n, "unlock-title") }</h1>
                <p class="lead">{ t!(i18n, "unlock-lead") }</p>
                <form class="closed-form" {onsubmit} novalidate={true}>
                    <Field id="passphrase" label={t!(i18n, "unlock-passphrase")} value={(*typed).clone()} r#type={FieldType::Secret}
                        focus=true error={wrong.map(AttrValue::from)} oninput={let typed = typed.clone(); Callback::from(move |text| typed.set(text))} />
                    if *wait > 0 {
                        <p class="not-yet" role="status">{ t!(i18n, "unlock-wait", seconds = *wait) }</p>
                    } else {
                        <Button kind={ButtonKind::Main} submit=true wide=true working={*working}>
                            { if *working { t!(i18n, "unlock-opening") } else { t!(i18n, "unlock-open") } }
                        </Button>
                    }
                </form>
                if let Some(error) = other { <ErrorBlock {error} /> }
                <p><button type="button" class="link-button" onclick={forget}>{ t!(i18n, "unlock-forgotten") }</button></p>
                <p class="closed-note"><Icon icon={IconName::Lock} small=true />{ t!(i18n, "unlock-note") }</p>
            </main>
        </div>
    }
}

/// Counts whole seconds down to zero.
#[hook]
fn use_countdown(wait: &UseStateHandle<u32>) {
    let wait = wait.clone();
    use_effect_with(*wait, move |left| {
        let timer = (*left > 0).then(|| {
            let next = *left - 1;
            gloo::timers::callback::Timeout::new(1_000, move || wait.set(next))
        });
        move || drop(timer)
    });
}

/// Why the vault cannot be opened.
#[derive(Properties, PartialEq)]
pub struct ClosedPageProps {
    /// In use, or damaged.
    pub phase: VaultPhase,
    /// Looks again.
    pub on_retry: Callback<()>,
}

/// The vault is there and cannot be opened: what happened, what is safe, what to do.
#[component]
pub fn ClosedPage(props: &ClosedPageProps) -> Html {
    let i18n = use_i18n();
    let (title, text, to_do) = match props.phase {
        VaultPhase::InUse => ("closed-in-use-title", "closed-in-use-text", "closed-in-use-do"),
        _ => ("closed-damaged-title", "closed-damaged-text", "closed-damaged-do"),
    };
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">
                <p class="brand brand-large"><Logo /><span>{ "Mecum" }</span></p>
                <h1 tabindex="-1">{ i18n.text(title) }</h1>
                <p class="lead">{ i18n.text(text) }</p>
                <p>{ i18n.text(to_do) }</p>
                <p><Button kind={ButtonKind::Main} onclick={props.on_retry.reform(|_| ())}>{ t!(i18n, "app-try-again") }</Button></p>
            </main>
        </div>
    }
}
