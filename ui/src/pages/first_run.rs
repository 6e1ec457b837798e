//! The first run: a record of one's own, or this device as one more of an account. Needs no server.

pub mod passphrase;

use mecum_api::domain::PersonColour;
use mecum_api::{CallError, ChartEditArgs, ChartView, SettingsView, VaultCreateArgs, command};
use yew::prelude::*;

use self::passphrase::PassphraseStep;
use super::integrity::backups::RestoreFrom;
use super::join::JoinSteps;
use super::restore::RestoreSteps;
use super::restore::helpers::HelpersSteps;
use crate::backend::{Backend, use_backend};
use crate::components::{
    Button, ButtonKind, ColourChoice, ErrorBlock, Field, FieldType, Icon, IconName, Logo,
};
use crate::format;
use crate::i18n::{I18n, LANGUAGES, t, use_i18n};

/// The steps of a new record.
const STEPS: u8 = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Welcome,
    Passphrase,
    About,
    Join,
    Restore,
    Helpers,
    Backup,
}

/// What the app hears.
#[derive(Properties, PartialEq)]
pub struct FirstRunPageProps {
    /// Another language was chosen.
    pub language_chosen: Callback<String>,
    /// This device begins or ends to join an account.
    pub joining: Callback<bool>,
    /// There is a vault now.
    pub done: Callback<()>,
}

/// The page.
#[component]
pub fn FirstRunPage(props: &FirstRunPageProps) -> Html {
    let i18n = use_i18n();
    let step = use_state(Step::default);
    let passphrase = use_state(String::new);
    let go = |to: Step| {
        let step = step.clone();
        move || step.set(to)
    };
    let body = match *step {
        Step::Welcome => {
            let (start, join) = (go(Step::Passphrase), go(Step::Join));
            let (restore, helpers, backup) = (go(Step::Restore), go(Step::Helpers), go(Step::Backup));
            let ways = Ways {
                start: Callback::from(move |_| start()),
                join: Callback::from(move |_| join()),
                restore: Callback::from(move |_| restore()),
                helpers: Callback::from(move |_| helpers()),
                backup: Callback::from(move |_| backup()),
            };
            welcome(&i18n, &props.language_chosen, &ways)
        }
        Step::Passphrase => {
            let (next, back, passphrase) = (go(Step::About), go(Step::Welcome), passphrase.clone());
            let on_done = Callback::from(move |chosen: String| {
                passphrase.set(chosen);
                next();
            });
            html! {
                <>
                    { step_head(&i18n, 2, STEPS, "first-step-passphrase", &Callback::from(move |_| back())) }
                    <PassphraseStep on_done={on_done} />
                </>
            }
        }
        Step::About => {
            let back = go(Step::Passphrase);
            html! {
                <>
                    { step_head(&i18n, 3, STEPS, "first-step-about", &Callback::from(move |_| back())) }
                    <AboutStep passphrase={(*passphrase).clone()} on_done={props.done.clone()} />
                </>
            }
        }
        Step::Join => {
            let back = go(Step::Welcome);
            html! { <JoinSteps on_joining={props.joining.clone()} on_back={Callback::from(move |()| back())} /> }
        }
        Step::Restore => {
            let back = go(Step::Welcome);
            html! { <RestoreSteps on_joining={props.joining.clone()} on_back={Callback::from(move |()| back())} /> }
        }
        Step::Helpers => {
            let back = go(Step::Welcome);
            html! { <HelpersSteps on_joining={props.joining.clone()} on_back={Callback::from(move |()| back())} /> }
        }
        Step::Backup => {
            let back = go(Step::Welcome);
            html! { <RestoreFrom on_open={props.done.clone()} on_back={Callback::from(move |()| back())} /> }
        }
    };
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">{ body }</main>
        </div>
    }
}

/// The way back, and how far the person is, in words and as a bar.
pub(crate) fn step_head(i18n: &I18n, at: u8, of: u8, name: &str, back: &Callback<MouseEvent>) -> Html {
    html! {
        <header class="step-head">
            <button type="button" class="icon-button" onclick={back.clone()} aria-label={t!(i18n, "app-back")}><Icon icon={IconName::ArrowLeft} /></button>
            <div class="step-words">
                <p class="caption">{ t!(i18n, "first-step", at = at, of = of, name = i18n.text(name)) }</p>
                <div class="step-bar" aria-hidden="true">
                    { for (1..=of).map(|n| html! { <span class={if n <= at { "step-part step-part-on" } else { "step-part" }} /> }) }
                </div>
            </div>
        </header>
    }
}

/// Where the welcome leads.
struct Ways {
    start: Callback<MouseEvent>,
    join: Callback<MouseEvent>,
    restore: Callback<MouseEvent>,
    helpers: Callback<MouseEvent>,
    backup: Callback<MouseEvent>,
}

/// The languages, before there is a page of settings: the first page and the locked one.
pub(crate) fn language_choice(i18n: &I18n, on_language: &Callback<String>) -> Html {
    let onchange = {
        let on_language = on_language.clone();
        Callback::from(move |event: Event| {
            if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
                on_language.emit(select.value());
            }
        })
    };
    html! {
        <label class="language-choice">
            <Icon icon={IconName::Languages} />
            <span class="visually-hidden">{ t!(i18n, "display-language") }</span>
            <select {onchange}>
                { for LANGUAGES.iter().map(|(tag, name)| html! { <option value={*tag} lang={*tag} selected={*tag == i18n.language()}>{ *name }</option> }) }
            </select>
        </label>
    }
}

fn welcome(i18n: &I18n, on_language: &Callback<String>, ways: &Ways) -> Html {
    html! {
        <>
            { language_choice(i18n, on_language) }
            <p class="brand brand-large"><Logo /><span>{ "Mecum" }</span></p>
            <h1 tabindex="-1">{ t!(i18n, "first-title") }</h1>
            <p class="lead">{ t!(i18n, "first-lead") }</p>
            <div class="closed-form">
                <Button kind={ButtonKind::Main} wide=true onclick={ways.start.clone()}>{ t!(i18n, "first-start") }</Button>
                <Button kind={ButtonKind::Second} wide=true onclick={ways.join.clone()}>{ t!(i18n, "first-join") }</Button>
                <button type="button" class="link-button" onclick={ways.restore.clone()}>{ t!(i18n, "first-restore") }</button>
                <button type="button" class="link-button" onclick={ways.helpers.clone()}>{ t!(i18n, "byhelpers-title") }</button>
                <button type="button" class="link-button" onclick={ways.backup.clone()}>{ t!(i18n, "backup-restore-title") }</button>
            </div>
            <ul class="promises" role="list">
                <li><Icon icon={IconName::Lock} />{ t!(i18n, "first-promise-sealed") }</li>
                <li><Icon icon={IconName::WifiOff} />{ t!(i18n, "first-promise-offline") }</li>
                <li><Icon icon={IconName::Key} />{ t!(i18n, "first-promise-key") }</li>
            </ul>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct AboutStepProps {
    passphrase: AttrValue,
    on_done: Callback<()>,
}

/// Whose record it is and how this device is called; then the vault is made.
#[component]
fn AboutStep(props: &AboutStepProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let (name, born) = (use_state(String::new), use_state(String::new));
    let device = use_state(|| i18n.text("first-device-default"));
    let colour = use_state(PersonColour::default);
    let working = use_state(|| false);
    let missing = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let onsubmit = {
        let (name, born, device, working, missing, error) =
            (name.clone(), born.clone(), device.clone(), working.clone(), missing.clone(), error.clone());
        let (passphrase, on_done, language, colour) =
            (props.passphrase.to_string(), props.on_done.clone(), i18n.language(), *colour);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            missing.set(name.trim().is_empty());
            if *working || name.trim().is_empty() {
                return;
            }
            working.set(true);
            let args = VaultCreateArgs {
                passphrase: passphrase.clone(),
                name: name.trim().to_owned(),
                born: Some(born.trim().to_owned()).filter(|b| !b.is_empty()),
                device_name: device.trim().to_owned(),
            };
            let (backend, on_done, working, error) =
                (backend.clone(), on_done.clone(), working.clone(), error.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::VaultCreate>(args).await {
                    Ok(_) => {
                        keep_language(&backend, language).await;
                        keep_colour(&backend, colour).await;
                        on_done.emit(());
                    }
                    Err(refused) => {
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let name_error = (*missing).then(|| AttrValue::from(t!(i18n, "first-name-missing")));
    html! {
        <form class="closed-form closed-form-tall" {onsubmit} novalidate={true}>
            <h1 tabindex="-1">{ t!(i18n, "first-about-title") }</h1>
            <p class="lead">{ t!(i18n, "first-about-lead") }</p>
            <Field id="name" label={t!(i18n, "first-name")} hint={AttrValue::from(t!(i18n, "first-name-hint"))} value={(*name).clone()} error={name_error} focus=true oninput={set(&name)} />
            <Field id="born" label={t!(i18n, "first-born")} value={(*born).clone()} r#type={FieldType::Date} optional=true oninput={set(&born)} />
            <ColourChoice name="colour" letters={format::initials(&name)} value={*colour} onchange={let colour = colour.clone(); Callback::from(move |chosen| colour.set(chosen))} />
            <Field id="device" label={t!(i18n, "first-device")} hint={AttrValue::from(t!(i18n, "first-device-hint"))} value={(*device).clone()} oninput={set(&device)} />
            if let Some(error) = (*error).clone() { <ErrorBlock {error} /> }
            <div class="closed-end">
                <Button kind={ButtonKind::Main} submit=true wide=true working={*working}>
                    { if *working { t!(i18n, "first-making") } else { t!(i18n, "first-make") } }
                </Button>
            </div>
        </form>
    }
}

/// The language of the first run goes into the new vault's settings. If that fails the vault stands all the same.
pub(super) async fn keep_language(backend: &Backend, language: &str) {
    if let Ok(settings) = backend.call::<command::SettingsGet>(()).await
        && settings.display.language != language
    {
        let mut display = settings.display.clone();
        language.clone_into(&mut display.language);
        let _ = backend.call::<command::SettingsSet>(SettingsView { display, ..settings }).await;
    }
}

/// The colour of the first record, where another than the first was chosen. If that fails the record stands all the same.
async fn keep_colour(backend: &Backend, colour: PersonColour) {
    let Ok(charts) = backend.call::<command::ChartList>(()).await else { return };
    if let Some(chart) = charts.into_iter().next().filter(|chart| chart.colour != colour) {
        let ChartView { chart, name, born, relation, .. } = chart;
        let args = ChartEditArgs { chart, name, born, relation, colour };
        let _ = backend.call::<command::ChartEdit>(args).await;
    }
}
