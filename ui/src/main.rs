//! The screens of Mecum: Yew in a webview or a browser, over the typed commands of `mecum-api`.
//!
//! It knows words, rows and drawings. It must not know documents, keys, files or the network: those are behind [`backend::Backend`].

#![expect(
    unreachable_pub,
    reason = "a binary: nothing is reachable from outside, and pub says what a module offers"
)]
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "natively only the tests draw pages"))]

mod app;
mod backend;
mod charts;
mod components;
mod format;
mod glossary;
mod i18n;
mod json;
mod pages;
mod query;
mod route;

fn main() {
    #[cfg(target_arch = "wasm32")]
    yew::Renderer::<app::App>::with_props(app::AppProps { backend: backend::Backend::of_page() }).render();
}
