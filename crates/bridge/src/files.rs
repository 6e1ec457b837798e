//! The screens' files from one folder, under the policy that the app's window has too.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// DESIGN 10, with `connect-src 'self'` alone: the bridge is the only thing that the screens talk to.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An answer with what every answer carries.
pub(crate) fn answer(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// The file of a path; a path without a file is a page of the app, whose own router reads it.
pub(crate) async fn file(ui: &Path, path: &str) -> Response {
    let missing = || answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "not found\n");
    let Some((place, kind)) = place_of(ui, path) else { return missing() };
    match tokio::fs::read(&place).await {
        Ok(bytes) => answer(StatusCode::OK, kind, bytes),
        Err(_) => missing(),
    }
}

fn place_of(ui: &Path, path: &str) -> Option<(PathBuf, &'static str)> {
    let mut place = ui.to_owned();
    let mut last = "";
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b'%' | b'|' | b':');
        if part.starts_with('.') || !part.bytes().all(plain) {
            return None;
        }
        place.push(part);
        last = part;
    }
    let ending = last.rsplit_once('.').map_or("", |(_, ending)| ending);
    let kind = match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "ftl" | "txt" => "text/plain; charset=utf-8",
        _ => return Some((ui.join("index.html"), "text/html; charset=utf-8")),
    };
    Some((place, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_under_the_folder_are_served() {
        let ui = Path::new("dist");
        let place = |path: &str| place_of(ui, path).map(|(place, _)| place);
        assert_eq!(place("/app.wasm"), Some("dist/app.wasm".into()), "a file");
        assert_eq!(place("/fonts/a.woff2"), Some("dist/fonts/a.woff2".into()), "a file in a folder");
        assert_eq!(place("/record/results"), Some("dist/index.html".into()), "a page of the app");
        for outside in ["/../secret.txt", "/a/../../b.txt", "/.git/config.txt", "/a\\b.txt"] {
            assert_eq!(place(outside), None, "{outside:?} is refused");
        }
    }
}
