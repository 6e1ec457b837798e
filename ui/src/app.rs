//! The app around the pages: words, display, vault phase, the open record, navigation, receipts of what was done.

mod display;
mod frame;
mod shell;

use std::rc::Rc;

use mecum_api::{Topic, VaultPhase, VaultView, command};
use yew::prelude::*;
use yew_router::prelude::*;

pub use self::display::{TEXT_STEPS, nearest_text_step};
pub use self::shell::{Shell, use_shell};
use crate::backend::{Backend, use_backend};
use crate::components::{ErrorBlock, Skeleton};
use crate::i18n::I18n;
use crate::pages::first_run::FirstRunPage;
use crate::pages::unlock::{ClosedPage, UnlockPage};
use crate::query::{Bus, QueryState, news_loop, use_query};
use crate::route::Route;

/// The app over a backend.
#[derive(Properties, PartialEq)]
pub struct AppProps {
    /// The way to the client.
    pub backend: Backend,
}

/// The app.
#[component]
pub fn App(props: &AppProps) -> Html {
    let bus = use_memo((), |()| Bus::default());
    {
        let (backend, bus) = (props.backend.clone(), (*bus).clone());
        use_effect_with((), move |()| wasm_bindgen_futures::spawn_local(news_loop(backend, bus)));
    }
    html! {
        <ContextProvider<Backend> context={props.backend.clone()}>
            <ContextProvider<Bus> context={(*bus).clone()}>
                <Vault />
            </ContextProvider<Bus>>
        </ContextProvider<Backend>>
    }
}

/// The vault's phase decides what stands before the pages.
#[component]
fn Vault() -> Html {
    let query = use_query::<command::VaultStatus>((), vec![Topic::Vault, Topic::Settings]);
    // A language chosen before there is a vault to keep it in.
    let chosen = use_state(|| None::<String>);
    // While this device joins an account the vault is open already, but the first run still speaks.
    let joining = use_state(|| false);
    let display = query.data().map(|view| view.display.clone()).unwrap_or_default();
    let missing = query.data().is_some_and(|view| view.phase == VaultPhase::Missing);
    let language =
        chosen.as_ref().filter(|_| missing || *joining).cloned().unwrap_or_else(|| display.language.clone());
    let i18n = use_memo(language, |language| I18n::new(language));
    display::use_display(&display, i18n.language());
    let on_language = {
        let chosen = chosen.clone();
        Callback::from(move |language: String| chosen.set(Some(language)))
    };
    let on_joining = {
        let (joining, reload) = (joining.clone(), query.reload());
        Callback::from(move |on: bool| {
            joining.set(on);
            reload.emit(());
        })
    };
    let body = match &query.state {
        QueryState::Loading => html! { <Bare><Skeleton text={i18n.text("app-opening")} /></Bare> },
        QueryState::Failed(error) => {
            html! { <Bare><h1 class="visually-hidden">{ "Mecum" }</h1><ErrorBlock error={error.clone()} on_retry={query.reload()} /></Bare> }
        }
        QueryState::Ready(view) => phase(view, *joining, &on_language, &on_joining, &query.reload()),
    };
    html! { <ContextProvider<I18n> context={(*i18n).clone()}>{ body }</ContextProvider<I18n>> }
}

fn phase(
    view: &Rc<VaultView>,
    joining: bool,
    on_language: &Callback<String>,
    on_joining: &Callback<bool>,
    reload: &Callback<()>,
) -> Html {
    match view.phase {
        VaultPhase::Missing => {
            html! { <FirstRunPage on_language={on_language.clone()} on_joining={on_joining.clone()} on_done={reload.clone()} /> }
        }
        VaultPhase::Open if joining => {
            html! { <FirstRunPage on_language={on_language.clone()} on_joining={on_joining.clone()} on_done={reload.clone()} /> }
        }
        VaultPhase::Locked => html! { <UnlockPage status={view.clone()} on_open={reload.clone()} /> },
        VaultPhase::InUse | VaultPhase::Damaged => {
            html! { <ClosedPage phase={view.phase} on_retry={reload.clone()} /> }
        }
        VaultPhase::Open => {
            html! { <BrowserRouter><shell::ShellProvider><frame::Frame /></shell::ShellProvider></BrowserRouter> }
        }
    }
}

/// A page before the vault is open: no names, a plain spine.
#[derive(Properties, PartialEq)]
struct BareProps {
    children: Html,
}

#[component]
fn Bare(props: &BareProps) -> Html {
    html! {
        <div class="closed" data-person="abu">
            <div class="spine" aria-hidden="true" />
            <main class="closed-main">{ props.children.clone() }</main>
        </div>
    }
}

/// Tells the client that the person is there, at most every half minute, so that auto-lock waits.
#[hook]
fn use_touch() {
    const EVERY_MS: f64 = 30_000.0;
    let backend = use_backend();
    use_effect_with((), move |()| {
        let last = std::cell::Cell::new(js_sys::Date::now());
        let touch = move || {
            let now = js_sys::Date::now();
            if now - last.get() < EVERY_MS {
                return;
            }
            last.set(now);
            let backend = backend.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let _ = backend.call::<command::VaultTouch>(()).await;
            });
        };
        let touch = std::rc::Rc::new(touch);
        let document = gloo::utils::document();
        let listeners: Vec<_> = ["keydown", "pointerdown", "wheel"]
            .into_iter()
            .map(|event| {
                let touch = touch.clone();
                gloo::events::EventListener::new(&document, event, move |_| touch())
            })
            .collect();
        move || drop(listeners)
    });
}

/// The page of a route.
fn page(route: Route) -> Html {
    use crate::pages::{
        add, changes, devices, edit, entry, home, import, medicines, pairing, record, results, settings,
        settle,
    };
    match route {
        Route::Home => html! { <home::HomePage /> },
        Route::Record => html! { <record::RecordPage /> },
        Route::Results => html! { <results::ResultsPage /> },
        Route::Trend { trend } => html! { <results::ResultsPage trend={Some(AttrValue::from(trend))} /> },
        Route::Medicines => html! { <medicines::MedicinesPage /> },
        Route::Settle { entry, field } => html! { <settle::SettlePage {entry} {field} /> },
        Route::Entry { entry } => html! { <entry::EntryPage key={entry.clone()} entry={entry.clone()} /> },
        Route::Edit { entry } => html! { <edit::EditPage {entry} /> },
        Route::Add { kind } => html! { <add::AddPage key={kind.clone()} kind={kind.clone()} /> },
        Route::Changes => html! { <changes::ChangesPage /> },
        Route::Import => html! { <import::ImportPage /> },
        Route::Settings => html! { <settings::SettingsPage /> },
        Route::Display => html! { <settings::display::DisplayPage /> },
        Route::Devices => html! { <devices::DevicesPage /> },
        Route::Pair => html! { <pairing::PairPage /> },
        Route::Missing => html! { <frame::MissingPage /> },
    }
}
