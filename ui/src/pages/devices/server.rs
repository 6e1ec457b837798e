//! The server: its state in words, exchanging now, and connecting for the first time.

use mecum_api::{CallError, ServerConnectArgs, SyncPhase, SyncView, command};
use yew::prelude::*;

use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Notice, NoticeKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};

/// The exchange to show.
#[derive(Properties, PartialEq)]
pub(super) struct ServerPartProps {
    /// The exchange.
    pub(super) view: SyncView,
}

/// Connected: facts and "Exchange now". Not connected: the form.
#[component]
pub(super) fn ServerPart(props: &ServerPartProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    if view.phase == SyncPhase::NoServer {
        // What was lost is not "none": then the sentences that say so stand in the place of those for a first connection.
        let about = match &view.message_id {
            Some(id) => html! {
                <Notice kind={NoticeKind::Wait}>
                    <p>{ i18n.text(id) }{ " " }{ i18n.text(&format!("{id}-do")) }</p>
                </Notice>
            },
            None => html! {
                <>
                    <p>{ t!(i18n, "devices-server-none") }</p>
                    <p class="small">{ t!(i18n, "devices-server-none-text") }</p>
                </>
            },
        };
        return html! { <>{ about }<ConnectForm /></> };
    }
    html! {
        <>
            { facts(&i18n, view) }
            if view.quarantined > 0 {
                <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "devices-quarantined", count = view.quarantined) }</p></Notice>
            }
            <ExchangeNow working={view.phase == SyncPhase::Working} />
        </>
    }
}

fn phase_id(phase: SyncPhase) -> &'static str {
    match phase {
        SyncPhase::NoServer => "devices-phase-no-server",
        SyncPhase::Offline => "devices-phase-offline",
        SyncPhase::Working => "devices-phase-working",
        SyncPhase::UpToDate => "devices-phase-up-to-date",
        SyncPhase::Refused => "devices-phase-refused",
    }
}

fn facts(i18n: &I18n, view: &SyncView) -> Html {
    let fact = |label: String, value: String| html! { <div class="fact"><dt>{ label }</dt><dd><bdi>{ value }</bdi></dd></div> };
    let last = if view.last_ms > 0 {
        format::instant(i18n.language(), view.last_ms)
    } else {
        t!(i18n, "devices-server-never")
    };
    html! {
        <>
            <p class="server-phase" aria-live="polite">
                <strong>{ i18n.text(phase_id(view.phase)) }</strong>
                if let Some(id) = &view.message_id { { " " }{ i18n.text(id) } }
            </p>
            <dl class="facts">
                { view.server.clone().map(|server| fact(t!(i18n, "devices-server-at"), server)) }
                { fact(t!(i18n, "devices-server-last"), last) }
            </dl>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct ExchangeNowProps {
    working: bool,
}

#[component]
fn ExchangeNow(props: &ExchangeNowProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let asked = use_state(|| false);
    let onclick = {
        let (asked, shell) = (asked.clone(), shell.clone());
        Callback::from(move |_: MouseEvent| {
            let (asked, shell, backend) = (asked.clone(), shell.clone(), backend.clone());
            asked.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = backend.call::<command::SyncNow>(()).await {
                    shell.problem(&error);
                }
                asked.set(false);
            });
        })
    };
    let working = *asked || props.working;
    html! {
        <Button kind={ButtonKind::Second} {onclick} {working}>
            { if working { t!(i18n, "devices-exchanging") } else { t!(i18n, "devices-exchange-now") } }
        </Button>
    }
}

/// Connecting to a server, with the code of whoever runs it. What was typed stays after a refusal.
#[component]
fn ConnectForm() -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let (url, code) = (use_node_ref(), use_node_ref());
    let working = use_state(|| false);
    let problem = use_state(|| None::<CallError>);
    let onsubmit = {
        let (url, code, working, problem) = (url.clone(), code.clone(), working.clone(), problem.clone());
        let done = t!(i18n, "devices-server-connected");
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = |node: &NodeRef| {
                node.cast::<web_sys::HtmlInputElement>()
                    .map(|input| input.value().trim().to_owned())
                    .unwrap_or_default()
            };
            let args = ServerConnectArgs { url: text(&url), code: text(&code) };
            if *working {
                return;
            }
            working.set(true);
            problem.set(None);
            let (shell, backend, working, problem, done) =
                (shell.clone(), backend.clone(), working.clone(), problem.clone(), done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::ServerConnect>(args).await {
                    Ok(_) => shell.toast(done, None),
                    Err(error) => problem.set(Some(error)),
                }
                working.set(false);
            });
        })
    };
    html! {
        <form class="connect-form" {onsubmit}>
            if let Some(error) = &*problem { <ErrorBlock error={error.clone()} /> }
            <div class="field">
                <label class="field-label" for="server-url">{ t!(i18n, "devices-server-address") }</label>
                <span class="field-hint" id="server-url-hint">{ t!(i18n, "devices-server-address-hint") }</span>
                <input class="field-box" id="server-url" type="url" inputmode="url" autocomplete="off" required=true ref={url} aria-describedby="server-url-hint" />
            </div>
            <div class="field">
                <label class="field-label" for="server-code">{ t!(i18n, "devices-server-code") }</label>
                <span class="field-hint" id="server-code-hint">{ t!(i18n, "devices-server-code-hint") }</span>
                <input class="field-box" id="server-code" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" required=true ref={code} aria-describedby="server-code-hint" />
            </div>
            <Button kind={ButtonKind::Main} submit=true working={*working}>
                { if *working { t!(i18n, "devices-server-connecting") } else { t!(i18n, "devices-server-connect") } }
            </Button>
        </form>
    }
}
