//! The loopback server: commands behind a token, screens for everybody on this machine, and a lock when it stops.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use mecum_api::{CallError, Code};
use mecum_client::{App, AppOptions};
use tokio::net::TcpListener;

use crate::files::{answer, file};
use crate::{BridgeError, base64};

/// Largest body of a call: a piece of a file is 1 MiB, in base64 and JSON a third more.
const MAX_BODY_BYTES: usize = 2 << 20;

/// How long answers under way may take at a stop; the wait for news takes longer and is cut.
const STOP_WAIT: Duration = Duration::from_secs(2);

const JSON: &str = "application/json";

struct Bridge {
    app: App,
    token: String,
    ui: PathBuf,
    port: u16,
}

/// Serves until the process is told to stop; then locks the vault.
pub(crate) async fn serve(app: App, options: &AppOptions, port: u16, ui: PathBuf) -> Result<(), BridgeError> {
    let io = |what| move |source| BridgeError::Io { what, source };
    let listener =
        TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(io("port"))?;
    let port = listener.local_addr().map_err(io("port"))?.port();
    let mut random = [0; 32];
    options.entropy.fill(&mut random);
    let token = base64::encode(&random).replace('+', "-").replace('/', "_").replace('=', "");
    let url = format!("http://127.0.0.1:{port}/#token={token}");
    println!("{}", serde_json::json!({ "url": url, "token": token }));
    let bridge = Arc::new(Bridge { app: app.clone(), token, ui, port });
    let router = Router::new().fallback(handle).with_state(bridge);
    let stop = Arc::new(tokio::sync::Notify::new());
    let stopped = stop.clone();
    let served =
        axum::serve(listener, router).with_graceful_shutdown(async move { stopped.notified().await });
    let served = tokio::spawn(async move { served.await });
    told_to_stop().await;
    stop.notify_one();
    // Keys leave memory before anything else is waited for.
    let locked = app.vault_lock(()).await.map(|_| ());
    let _ = tokio::time::timeout(STOP_WAIT, served).await;
    locked.map_err(|error| BridgeError::Refused("vault_lock", error))
}

async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}

async fn handle(State(bridge): State<Arc<Bridge>>, request: Request) -> Response {
    let refused = |status, text: &'static str| answer(status, "text/plain; charset=utf-8", text);
    // A page elsewhere can point a name of its own at this address: only this name is answered.
    if !bridge.is_own_host(request.headers()) {
        return refused(StatusCode::MISDIRECTED_REQUEST, "wrong host\n");
    }
    let path = request.uri().path().to_owned();
    match (request.method().clone(), path.strip_prefix("/api/")) {
        (Method::POST, Some(command)) => {
            if !bridge.is_token(request.headers()) {
                return refused(StatusCode::UNAUTHORIZED, "wrong token\n");
            }
            bridge.call(command, request).await
        }
        (Method::GET, None) => file(&bridge.ui, &path).await,
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "wrong method\n"),
    }
}

impl Bridge {
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let own = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).is_some_and(|host| own.iter().any(|name| name == host));
        let origin = text(header::ORIGIN)
            .is_none_or(|origin| own.iter().any(|name| format!("http://{name}") == origin));
        host && origin
    }

    fn is_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
        same(given.as_bytes(), self.token.as_bytes())
    }

    async fn call(&self, command: &str, request: Request) -> Response {
        let bad = || failed(&CallError::new(Code::BadCall, "error-arguments"));
        let Ok(body) = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await else { return bad() };
        let args = match body.trim_ascii() {
            b"" => Ok(serde_json::Value::Null),
            text => serde_json::from_slice(text),
        };
        let Ok(args) = args else { return bad() };
        match self.app.call(command, args).await {
            Ok(value) => answer(StatusCode::OK, JSON, value.to_string()),
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &CallError) -> Response {
    let status = match error.code {
        Code::BadCall => StatusCode::BAD_REQUEST,
        Code::WrongPassphrase => StatusCode::FORBIDDEN,
        Code::NotFound | Code::NoVault => StatusCode::NOT_FOUND,
        Code::Locked => StatusCode::LOCKED,
        Code::Waiting => StatusCode::TOO_MANY_REQUESTS,
        Code::Invalid | Code::BadFile | Code::WeakPassphrase | Code::BadPairingCode => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::CONFLICT,
    };
    answer(status, JSON, serde_json::to_string(error).unwrap_or_default())
}

/// Compares without telling by its time how much was right; the length is no secret.
fn same(given: &[u8], right: &[u8]) -> bool {
    let differ = given.iter().zip(right).fold(0, |differ, (a, b)| std::hint::black_box(differ | (a ^ b)));
    given.len() == right.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const TOKEN: &str = "right";

    fn bridge(folder: &std::path::Path) -> State<Arc<Bridge>> {
        std::fs::write(folder.join("index.html"), "<!doctype html>").expect("a folder that can be written");
        let app = App::open(AppOptions::new(folder.join("profile")));
        State(Arc::new(Bridge { app, token: TOKEN.into(), ui: folder.to_owned(), port: 4800 }))
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body.to_owned())).expect("a plain request")
    }

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a short answer");
        String::from_utf8(body.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn a_call_needs_this_host_and_the_token() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bridge = bridge(folder.path());
        let own = ("host", "127.0.0.1:4800");
        let right = ("authorization", "Bearer right");
        let cases: &[(&[(&str, &str)], StatusCode)] = &[
            (&[own, right], StatusCode::OK),
            (&[("host", "localhost:4800"), ("origin", "http://localhost:4800"), right], StatusCode::OK),
            (&[own], StatusCode::UNAUTHORIZED),
            (&[own, ("authorization", "Bearer wrong")], StatusCode::UNAUTHORIZED),
            (&[own, ("authorization", "right")], StatusCode::UNAUTHORIZED),
            (&[("host", "elsewhere.example:4800"), right], StatusCode::MISDIRECTED_REQUEST),
            (&[own, ("origin", "http://elsewhere.example"), right], StatusCode::MISDIRECTED_REQUEST),
            (&[right], StatusCode::MISDIRECTED_REQUEST),
        ];
        for (headers, status) in cases {
            let response = handle(bridge.clone(), request("POST", "/api/vault_status", headers, "")).await;
            assert_eq!(response.status(), *status, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn a_refused_call_is_a_typed_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bridge = bridge(folder.path());
        let headers = [("host", "127.0.0.1:4800"), ("authorization", "Bearer right")];
        for (path, body, status, id) in [
            ("/api/nothing", "", StatusCode::BAD_REQUEST, "error-command"),
            ("/api/timeline", "{", StatusCode::BAD_REQUEST, "error-arguments"),
            ("/api/home", "null", StatusCode::LOCKED, "error-locked"),
        ] {
            let response = handle(bridge.clone(), request("POST", path, &headers, body)).await;
            assert_eq!(response.status(), status, "{path}");
            let error: CallError = serde_json::from_str(&text(response).await).expect("a call error");
            assert_eq!(error.message_id, id, "{path} says what happened");
        }
    }

    #[tokio::test]
    async fn the_screens_come_under_the_policy() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bridge = bridge(folder.path());
        let page = handle(bridge, request("GET", "/record/results", &[("host", "127.0.0.1:4800")], "")).await;
        assert_eq!(page.status(), StatusCode::OK, "a page of the app");
        let policy =
            page.headers().get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
        assert!(
            policy.is_some_and(|policy| policy.contains("connect-src 'self';")),
            "it talks to the bridge alone"
        );
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(same(b"abc", b"abc"), "the token");
        for wrong in ["abd", "ab", "abcd", ""] {
            assert!(!same(wrong.as_bytes(), b"abc"), "{wrong:?} is not the token");
        }
    }
}
