//! The app around the pages: words, display, vault phase, the open record, navigation, receipts of what was done.

mod display;
mod frame;
mod shell;

use std::rc::Rc;

use mecum_api::{Topic, VaultPhase, VaultView, command};
use yew::prelude::*;
use yew_router::prelude::*;

pub use self::display::{TEXT_STEPS, nearest_text_step};
pub use self::frame::focus;
pub use self::shell::{Shell, use_shell};
use crate::backend::{Backend, use_backend};
use crate::components::{ErrorBlock, Skeleton};
use crate::i18n::I18n;
use crate::pages::first_run::FirstRunPage;
use crate::pages::integrity::closed::ClosedPage;
use crate::pages::unlock::UnlockPage;
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
    // A language chosen before there is a vault to keep it in, or while it is locked.
    let chosen = use_state(|| None::<String>);
    // While this device joins an account the vault is open already, but the first run still speaks.
    let joining = use_state(|| false);
    let display = query.data().map(|view| view.display.clone()).unwrap_or_default();
    let language = chosen.as_ref().cloned().unwrap_or_else(|| display.language.clone());
    {
        // It counts until it was kept, or another was.
        let chosen = chosen.clone();
        use_effect_with(display.language.clone(), move |_| {
            if chosen.is_some() {
                chosen.set(None);
            }
        });
    }
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
            html! { <FirstRunPage language_chosen={on_language.clone()} joining={on_joining.clone()} done={reload.clone()} /> }
        }
        VaultPhase::Open if joining => {
            html! { <FirstRunPage language_chosen={on_language.clone()} joining={on_joining.clone()} done={reload.clone()} /> }
        }
        VaultPhase::Locked => {
            html! { <UnlockPage status={view.clone()} on_language={on_language.clone()} on_open={reload.clone()} /> }
        }
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
        add, changes, desk, devices, edit, entry, helpers, home, hospitals, import, integrity, invitation,
        medicines, members, messages, pairing, record, results, settings, settle, visits,
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
        Route::Members => html! { <members::MembersPage /> },
        Route::Invite => html! { <members::invite::InvitePage /> },
        Route::Invitation => html! { <invitation::InvitationPage /> },
        Route::Import => html! { <import::ImportPage /> },
        Route::Visits => html! { <visits::VisitsPage /> },
        Route::AskVisit => html! { <visits::ask::AskVisitPage /> },
        Route::Visit { space, thread } => {
            html! { <visits::visit::VisitPage key={thread.clone()} {space} thread={thread.clone()} /> }
        }
        Route::Messages => html! { <messages::MessagesPage /> },
        Route::Write { kind } => {
            html! { <messages::write::WritePage key={kind.clone()} kind={kind.clone()} /> }
        }
        Route::Talk { space, thread } => {
            html! { <messages::talk::TalkPage key={thread.clone()} {space} thread={thread.clone()} /> }
        }
        Route::Hospitals => html! { <hospitals::HospitalsPage /> },
        Route::ConnectHospital => html! { <hospitals::connect::ConnectPage /> },
        Route::Hospital { hospital } => {
            html! { <hospitals::notice::NoticePage key={hospital.clone()} hospital={hospital.clone()} /> }
        }
        Route::Desk => html! { <desk::DeskPage /> },
        Route::DeskCodes => html! { <desk::codes::CodesPage /> },
        Route::DeskTalk { chart, space, thread } => {
            html! { <desk::talk::DeskTalkPage key={thread.clone()} {chart} {space} thread={thread.clone()} /> }
        }
        Route::Settings => html! { <settings::SettingsPage /> },
        Route::Display => html! { <settings::display::DisplayPage /> },
        Route::Devices => html! { <devices::DevicesPage /> },
        Route::Kit => html! { <settings::kit::KitPage /> },
        Route::Data => html! { <integrity::DataPage /> },
        Route::Helpers => html! { <helpers::HelpersPage /> },
        Route::Pair => html! { <pairing::PairPage /> },
        Route::Missing => html! { <frame::MissingPage /> },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::rc::Rc;

    use mecum_api::{CallError, Code, VaultPhase};
    use yew_router::history::{AnyHistory, History, MemoryHistory};

    use super::*;
    use crate::backend::fake::Fake;

    #[derive(Properties, PartialEq)]
    struct AtProps {
        path: AttrValue,
        language: AttrValue,
        backend: Backend,
    }

    #[component]
    fn At(props: &AtProps) -> Html {
        let history = AnyHistory::from(MemoryHistory::new());
        history.push(props.path.to_string());
        html! {
            <ContextProvider<Backend> context={props.backend.clone()}>
                <ContextProvider<Bus> context={Bus::default()}>
                    <ContextProvider<I18n> context={I18n::new(&props.language)}>
                        <Router {history}><shell::ShellProvider><frame::Frame /></shell::ShellProvider></Router>
                    </ContextProvider<I18n>>
                </ContextProvider<Bus>>
            </ContextProvider<Backend>>
        }
    }

    /// A page in its frame, drawn from fixtures.
    pub(crate) async fn drawn(fake: Fake, path: &'static str, language: &'static str) -> String {
        let backend = Backend::Fake(Rc::new(fake));
        let props = move || AtProps { path: path.into(), language: language.into(), backend };
        yew::LocalServerRenderer::<At>::with_props(props()).hydratable(false).render().await
    }

    #[tokio::test]
    async fn home_shows_what_needs_a_person_in_words_and_shapes() {
        let html = drawn(Fake::family(), "/", "en").await;
        for words in [
            "Tuesday 8 September",
            "Amlodipine: two values written",
            "5 mg on phone",
            "Above range",
            "On this device",
        ] {
            assert!(html.contains(words), "home says {words}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "one main heading");
        assert!(!html.contains("style="), "no style attribute: the policy would block it");
    }

    #[tokio::test]
    async fn home_speaks_indonesian_with_decimal_commas() {
        let html = drawn(Fake::family(), "/", "id").await;
        for words in ["Selasa 8 September", "Di atas rentang", "7,8 %"] {
            assert!(html.contains(words), "home says {words}");
        }
    }

    #[tokio::test]
    async fn every_page_has_one_heading_and_its_landmarks() {
        for path in [
            "/",
            "/record",
            "/record/results",
            "/record/medicines",
            "/record/changes",
            "/record/members",
            "/record/members/invite",
            "/invitation",
            "/import",
            "/settings",
            "/settings/display",
            "/settings/devices",
            "/settings/data",
            "/settings/helpers",
            "/visits",
            "/visits/ask",
            "/visits/5501010101010101010101010101010101/a1010101010101010101010101010101",
            "/messages",
            "/messages/write/complaint",
            "/messages/5501010101010101010101010101010101/b1010101010101010101010101010101",
            "/hospitals",
            "/hospitals/connect",
            "/hospitals/01010101010101010101010101010101",
            "/desk",
            "/desk/codes",
            "/record/add/note",
            "/nowhere",
        ] {
            let html = drawn(Fake::family(), path, "en").await;
            assert_eq!(html.matches("<h1").count(), 1, "{path} has one main heading");
            assert!(html.contains("<main") && html.contains("<nav"), "{path} has its landmarks");
        }
    }

    #[test]
    fn only_the_tokens_name_a_colour() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("styles");
        let mut read = 0;
        for file in std::fs::read_dir(folder).expect("the styles are there").flatten() {
            let name = file.file_name();
            let text = std::fs::read_to_string(file.path()).expect("a style sheet is text");
            read += 1;
            if name == "tokens.css" {
                assert!(text.contains("#FCFBF8"), "the search would find a colour");
                continue;
            }
            for line in text.lines() {
                let hex = line
                    .split('#')
                    .skip(1)
                    .any(|rest| rest.chars().take(3).filter(char::is_ascii_hexdigit).count() == 3);
                assert!(
                    !hex && !line.contains("rgb(") && !line.contains("hsl("),
                    "{name:?} names a colour: {line}"
                );
            }
        }
        assert!(read >= 5, "the style sheets were read: {read}");
    }

    #[tokio::test]
    async fn a_refused_question_is_said_in_place_with_a_way_out() {
        let fake = Fake::family();
        fake.refuse("home", CallError::new(Code::Internal, "error-no-answer"));
        let html = drawn(fake, "/", "en").await;
        assert!(
            html.contains("lost its connection") && html.contains("Try again"),
            "what happened and what to do"
        );
    }

    #[tokio::test]
    async fn a_locked_vault_tells_no_name() {
        let fake = Fake::family();
        fake.phase(VaultPhase::Locked);
        let backend = Backend::Fake(Rc::new(fake));
        let html = yew::LocalServerRenderer::<App>::with_props(AppProps { backend })
            .hydratable(false)
            .render()
            .await;
        assert!(html.contains("Open your records"), "the way in is there");
        assert!(!html.contains("Laras") && !html.contains("Ratna"), "no name while locked");
    }

    #[tokio::test]
    async fn an_empty_device_offers_both_ways_to_begin() {
        let fake = Fake::family();
        fake.phase(VaultPhase::Missing);
        let backend = Backend::Fake(Rc::new(fake));
        let html = yew::LocalServerRenderer::<App>::with_props(AppProps { backend })
            .hydratable(false)
            .render()
            .await;
        assert!(
            html.contains("Start a record") && html.contains("I have another device"),
            "a new record, or one more device"
        );
    }
}
