//! The vault is there and cannot be opened: what happened, what is safe, and the ways out. Nothing that is there is removed.

use mecum_api::{CheckView, VaultPhase, VaultView, command};
use yew::prelude::*;

use super::backups::RestoreFrom;
use super::check::found;
use super::mend::MendForm;
use crate::components::{Button, ButtonKind, Dialog, ErrorBlock, Logo};
use crate::i18n::{t, use_i18n};
use crate::pages::act::{PassphraseForm, use_act};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Ways,
    Look,
    Backup,
}

/// Why the vault cannot be opened.
#[derive(Properties, PartialEq)]
pub struct ClosedPageProps {
    /// In use, or damaged.
    pub phase: VaultPhase,
    /// Looks again.
    pub on_retry: Callback<()>,
}

/// The page.
#[component]
pub fn ClosedPage(props: &ClosedPageProps) -> Html {
    let i18n = use_i18n();
    let way = use_state(Way::default);
    let go = |to: Way| {
        let way = way.clone();
        Callback::from(move |()| way.set(to))
    };
    let in_use = props.phase == VaultPhase::InUse;
    let (title, text, to_do) = if in_use {
        ("closed-in-use-title", "closed-in-use-text", "closed-in-use-do")
    } else {
        ("closed-damaged-title", "closed-damaged-text", "closed-damaged-do")
    };
    let body = match *way {
        Way::Backup => html! { <RestoreFrom on_open={props.on_retry.clone()} on_back={go(Way::Ways)} /> },
        Way::Look => html! { <Look on_back={go(Way::Ways)} /> },
        Way::Ways => html! {
            <>
                <p class="brand brand-large"><Logo /><span>{ "Mecum" }</span></p>
                <h1 tabindex="-1">{ i18n.text(title) }</h1>
                <p class="lead">{ i18n.text(text) }</p>
                <p>{ i18n.text(to_do) }</p>
                <div class="closed-form">
                    if !in_use {
                        <Button kind={ButtonKind::Main} wide=true onclick={go(Way::Look).reform(|_| ())}>{ t!(i18n, "closed-look") }</Button>
                        <Button kind={ButtonKind::Second} wide=true onclick={go(Way::Backup).reform(|_| ())}>{ t!(i18n, "backup-restore-title") }</Button>
                    }
                    <Button kind={if in_use { ButtonKind::Main } else { ButtonKind::Second }} wide=true onclick={props.on_retry.reform(|_| ())}>{ t!(i18n, "app-try-again") }</Button>
                    if !in_use { <SetAside on_done={props.on_retry.clone()} /> }
                </div>
            </>
        },
    };
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">{ body }</main>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LookProps {
    on_back: Callback<()>,
}

/// What is damaged, after the passphrase, and mending it.
#[component]
fn Look(props: &LookProps) -> Html {
    let i18n = use_i18n();
    let view = use_state(|| None::<CheckView>);
    let seen = {
        let view = view.clone();
        Callback::from(move |now: CheckView| view.set(Some(now)))
    };
    let examine = use_act::<command::VaultExamine>(seen);
    html! {
        <section class="closed-form closed-form-tall">
            <h1 tabindex="-1">{ t!(i18n, "closed-look") }</h1>
            if let Some(view) = &*view {
                <div aria-live="polite">{ found(&i18n, view) }</div>
                <p>{ t!(i18n, "mend-text") }</p>
                <MendForm kind={ButtonKind::Main} />
                <div class="button-row"><Button kind={ButtonKind::Quiet} onclick={props.on_back.reform(|_| ())}>{ t!(i18n, "app-back") }</Button></div>
            } else {
                <PassphraseForm lead={t!(i18n, "closed-look-text")} action={t!(i18n, "closed-look-do")} working={examine.working} error={examine.error.clone()}
                    on_done={examine.send.clone()} on_stop={props.on_back.clone()} />
            }
        </section>
    }
}

/// What hears that the vault was set aside.
#[derive(Properties, PartialEq)]
pub struct SetAsideProps {
    /// There is no vault in its place now.
    pub on_done: Callback<()>,
}

/// Beginning anew, after a question.
#[component]
pub fn SetAside(props: &SetAsideProps) -> Html {
    let i18n = use_i18n();
    let open = use_state(|| false);
    let turn = |to: bool| {
        let open = open.clone();
        Callback::from(move |()| open.set(to))
    };
    let aside = use_act::<command::VaultSetAside>(props.on_done.reform(|_: VaultView| ()));
    html! {
        <>
            <button type="button" class="link-button" onclick={turn(true).reform(|_: MouseEvent| ())}>{ t!(i18n, "aside-begin") }</button>
            <Dialog open={*open} title={t!(i18n, "aside-question")} on_close={turn(false)}>
                <p>{ t!(i18n, "aside-text") }</p>
                if let Some(error) = aside.error.clone() { <ErrorBlock {error} /> }
                <div class="dialog-buttons">
                    <Button kind={ButtonKind::DangerFilled} working={aside.working} onclick={aside.send.reform(|_| ())}>{ t!(i18n, "aside-do") }</Button>
                    <Button kind={ButtonKind::Second} safe=true onclick={turn(false).reform(|_| ())}>{ t!(i18n, "app-back") }</Button>
                </div>
            </Dialog>
        </>
    }
}
