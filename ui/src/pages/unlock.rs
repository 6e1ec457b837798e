//! Opening the vault, or another way in: the recovery kit, a backup. No names while locked.

use std::rc::Rc;

use mecum_api::{CallError, Code, PassphraseArgs, TaskPhase, Topic, VaultView, command};
use yew::prelude::*;

use super::act::use_asked_again;
use super::first_run::{keep_language, language_choice};
use super::integrity::backups::RestoreFrom;
use super::integrity::closed::SetAside;
use super::restore::forgotten::ForgottenSteps;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Logo, Progress};
use crate::i18n::{t, use_i18n};
use crate::query::use_query;

/// The state of the vault.
#[derive(Properties, PartialEq)]
pub struct UnlockPageProps {
    /// As last asked.
    pub status: Rc<VaultView>,
    /// A language was chosen.
    pub on_language: Callback<String>,
    /// It is open.
    pub on_open: Callback<()>,
}

/// Another way in than the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Kit,
    Backup,
}

/// The page.
#[component]
pub fn UnlockPage(props: &UnlockPageProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let typed = use_state(String::new);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let way = use_state(|| None::<Way>);
    // Mending locks the vault and opens it again when it is done.
    let mending = use_query::<command::MendStatus>((), vec![Topic::Integrity]);
    let mends = mending.data().is_some_and(|view| view.phase == TaskPhase::Running);
    use_asked_again(&mending, mends);
    let wait = use_state(|| props.status.wait_s);
    use_countdown(&wait);
    let onsubmit = {
        let (typed, working, error, wait, on_open) =
            (typed.clone(), working.clone(), error.clone(), wait.clone(), props.on_open.clone());
        let chosen = (props.status.display.language != i18n.language()).then(|| i18n.language().to_owned());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if *working || *wait > 0 || typed.trim().is_empty() {
                return;
            }
            working.set(true);
            let (working, error, wait, on_open, backend) =
                (working.clone(), error.clone(), wait.clone(), on_open.clone(), backend.clone());
            let args = PassphraseArgs { passphrase: (*typed).clone() };
            let language = chosen.clone();
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::VaultUnlock>(args).await {
                    Ok(_) => {
                        if let Some(language) = language {
                            keep_language(&backend, &language).await;
                        }
                        on_open.emit(());
                    }
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
    let turn = |to: Option<Way>| {
        let way = way.clone();
        Callback::from(move |()| way.set(to))
    };
    if let Some(to) = *way {
        let (on_open, on_back) = (props.on_open.clone(), turn(None));
        return html! {
            <div class="closed" data-person="abu">
                <div class="spine" aria-hidden="true" />
                <main class="closed-main">{ match to {
                    Way::Kit => html! { <ForgottenSteps {on_open} {on_back} /> },
                    Way::Backup => html! { <RestoreFrom {on_open} {on_back} /> },
                } }</main>
            </div>
        };
    }
    let link = |to: Way, id: &str| {
        let onclick = turn(Some(to)).reform(|_: MouseEvent| ());
        html! { <p><button type="button" class="link-button" {onclick}>{ i18n.text(id) }</button></p> }
    };
    if mends {
        return html! {
            <div class="closed" data-person="abu">
                <div class="spine" aria-hidden="true" />
                <main class="closed-main"><h1 tabindex="-1">{ t!(i18n, "mend-title") }</h1><Progress done=0 total=0 label={t!(i18n, "mend-running")} /></main>
            </div>
        };
    }
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">
                { language_choice(&i18n, &props.on_language) }
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
                { link(Way::Kit, "unlock-forgotten") }
                { link(Way::Backup, "backup-restore-title") }
                <p><SetAside on_done={props.on_open.clone()} /></p>
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
