//! How a page calls the client: in the window by Tauri, in a browser over the bridge, in tests from fixtures.
//!
//! An enum and not a trait object, because a generic method is not object-safe. Chosen once, in `main`.

use std::pin::Pin;
use std::rc::Rc;

use mecum_api::command::Command;
use mecum_api::{CallError, Code};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use crate::json;

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
        #[cfg(any(test, feature = "fake"))]
        if let Backend::Fake(fake) = self {
            return fake.call::<C>(&args);
        }
        let args = serde_json::to_string(&args).map_err(|_| no_answer())?;
        let text = self.ask(C::NAME, args).await?;
        json::read(&text).map_err(|_| no_answer())
    }

    /// Boxed, and over texts: there are eighty commands, and this is what they have in common.
    fn ask(
        &self,
        name: &'static str,
        args: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, CallError>>>> {
        let token = match self {
            Backend::Http { token } => Some(token.clone()),
            Backend::Tauri => None,
            #[cfg(any(test, feature = "fake"))]
            Backend::Fake(_) => None,
        };
        Box::pin(async move {
            let (fine, text) = match token {
                Some(token) => by_http(&token, name, args).await?,
                None => by_tauri(name, &args).await?,
            };
            if fine { Ok(text) } else { Err(json::read(&text).unwrap_or_else(|_| no_answer())) }
        })
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

/// Whether the client did it, and what it answers.
async fn by_tauri(name: &str, args: &str) -> Result<(bool, String), CallError> {
    let args = js_sys::JSON::parse(&format!("{{\"args\":{args}}}")).map_err(|_| no_answer())?;
    let (fine, answer) = match invoke(name, args).await {
        Ok(answer) => (true, answer),
        Err(error) => (false, error),
    };
    let text = js_sys::JSON::stringify(&answer).ok().and_then(|text| text.as_string());
    Ok((fine, text.unwrap_or_else(|| "null".into())))
}

/// The same from the bridge.
async fn by_http(token: &str, name: &str, args: String) -> Result<(bool, String), CallError> {
    let request = gloo::net::http::Request::post(&format!("/api/{name}"))
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {token}"))
        .body(args)
        .map_err(|_| no_answer())?;
    let answer = request.send().await.map_err(|_| no_answer())?;
    let text = answer.text().await.map_err(|_| no_answer())?;
    Ok((answer.ok(), if text.is_empty() { "null".into() } else { text }))
}
