//! How a page calls the client: in the window by Tauri, in a browser over the bridge, in tests from fixtures.
//!
//! An enum and not a trait object, because a generic method is not object-safe. Chosen once, in `main`.

use std::rc::Rc;

use mecum_api::command::Command;
use mecum_api::{CallError, Code};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[cfg(any(test, feature = "fake"))]
pub mod fake;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["window", "__TAURI_INTERNALS__"], js_name = invoke)]
    async fn invoke(name: &str, args: JsValue) -> Result<JsValue, JsValue>;
}

/// Where a session's token is kept, so that a reload does not need the address with the token again.
const TOKEN_KEY: &str = "mecum-token";

/// The way to the client.
#[derive(Clone)]
pub enum Backend {
    /// The window's own client.
    Tauri,
    /// A bridge on this machine, at the origin of the page.
    Http {
        /// Its bearer token.
        token: Rc<str>,
    },
    /// Fixtures.
    #[cfg(any(test, feature = "fake"))]
    Fake(Rc<fake::Fake>),
}

/// Two backends are never told apart: there is one per page.
impl PartialEq for Backend {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The backend of this page.
#[hook]
pub fn use_backend() -> Backend {
    use_context::<Backend>().expect("the app provides its backend to every page")
}

impl Backend {
    /// The backend that fits the page: the window's own where there is one, the bridge otherwise.
    #[cfg(target_arch = "wasm32")]
    pub fn of_page() -> Self {
        #[cfg(feature = "fake")]
        if let Some(fake) = fake::Fake::of_page() {
            return Backend::Fake(Rc::new(fake));
        }
        let window = web_sys::window().expect("a page has a window");
        if js_sys::Reflect::has(&window, &"__TAURI_INTERNALS__".into()).unwrap_or(false) {
            return Backend::Tauri;
        }
        Backend::Http { token: page_token(&window).into() }
    }

    /// Calls a command.
    ///
    /// # Errors
    /// What the client answers; `Code::Internal` with `error-no-answer` when it cannot be reached.
    pub async fn call<C: Command>(&self, args: C::Args) -> Result<C::Output, CallError> {
        match self {
            Backend::Tauri => call_tauri::<C>(&args).await,
            Backend::Http { token } => call_http::<C>(token, &args).await,
            #[cfg(any(test, feature = "fake"))]
            Backend::Fake(fake) => fake.call::<C>(&args),
        }
    }

    /// The answer where it is there without waiting: from fixtures only, so that pages can be drawn natively.
    pub fn at_once<C: Command>(&self, args: &C::Args) -> Option<Result<C::Output, CallError>> {
        match self {
            #[cfg(any(test, feature = "fake"))]
            Backend::Fake(fake) if fake.at_once => Some(fake.call::<C>(args)),
            _ => {
                let _ = args;
                None
            }
        }
    }
}

/// The token in the address's fragment, kept for reloads and taken out of the address.
#[cfg(target_arch = "wasm32")]
fn page_token(window: &web_sys::Window) -> String {
    let storage = window.session_storage().ok().flatten();
    let hash = window.location().hash().unwrap_or_default();
    if let Some(token) = hash.strip_prefix("#token=") {
        if let Some(storage) = &storage {
            let _ = storage.set_item(TOKEN_KEY, token);
        }
        let path = window.location().pathname().unwrap_or_else(|_| "/".into());
        if let Ok(history) = window.history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
        }
        return token.to_owned();
    }
    storage.and_then(|s| s.get_item(TOKEN_KEY).ok().flatten()).unwrap_or_default()
}

fn no_answer() -> CallError {
    CallError::new(Code::Internal, "error-no-answer")
}

async fn call_tauri<C: Command>(args: &C::Args) -> Result<C::Output, CallError> {
    let json = serde_json::to_string(&Wrapped { args }).map_err(|_| no_answer())?;
    let value = js_sys::JSON::parse(&json).map_err(|_| no_answer())?;
    let text = |value: &JsValue| js_sys::JSON::stringify(value).ok().and_then(|s| s.as_string());
    match invoke(C::NAME, value).await {
        Ok(answer) => {
            let text = text(&answer).unwrap_or_else(|| "null".into());
            serde_json::from_str(&text).map_err(|_| no_answer())
        }
        Err(error) => Err(text(&error).and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_else(no_answer)),
    }
}

#[derive(serde::Serialize)]
struct Wrapped<'a, T> {
    args: &'a T,
}

async fn call_http<C: Command>(token: &str, args: &C::Args) -> Result<C::Output, CallError> {
    let body = serde_json::to_string(args).map_err(|_| no_answer())?;
    let request = gloo::net::http::Request::post(&format!("/api/{}", C::NAME))
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {token}"))
        .body(body)
        .map_err(|_| no_answer())?;
    let answer = request.send().await.map_err(|_| no_answer())?;
    let text = answer.text().await.map_err(|_| no_answer())?;
    if answer.ok() {
        return serde_json::from_str(if text.is_empty() { "null" } else { &text }).map_err(|_| no_answer());
    }
    Err(serde_json::from_str(&text).unwrap_or_else(|_| no_answer()))
}
