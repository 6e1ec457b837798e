//! The routes. Each has its body limit and its rule about who may call it; a path that is not here is 404.

mod body;
mod mailbox;
mod sign_in;
mod sync;
mod wake;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mecum_sync::{Refusal, RefusalCode, SessionToken, encode};
use minicbor::Encode;
use tokio::sync::watch;

use crate::Shared;
use crate::accept::Peer;
use crate::store::{Author, StoreError};

/// What handlers get.
#[derive(Clone)]
struct Context {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
}

pub(crate) fn router(shared: Arc<Shared>, stopping: watch::Receiver<bool>) -> Router {
    let context = Context { shared, stopping };
    Router::new()
        .route("/v1/enrol", post(sign_in::enrol))
        .route("/v1/challenge", post(sign_in::challenge))
        .route("/v1/session", post(sign_in::session))
        .route("/v1/sync", post(sync::sync))
        .route("/v1/wake", get(wake::wake))
        .route("/v1/mailbox/{mailbox}/{slot}", get(mailbox::get).put(mailbox::put))
        .route("/v1/server", get(sign_in::server))
        .route("/v1/health", get(health))
        .route("/v1/metrics", get(metrics))
        .fallback(async || Refused(RefusalCode::NotFound.into()))
        .layer(middleware::from_fn_with_state(context.clone(), each_request))
        .with_state(context)
}

/// What every request goes through: the source's rate, the counters, the log line.
async fn each_request(State(context): State<Context>, request: Request, next: Next) -> Response {
    let shared = &context.shared;
    let route = route_name(request.uri().path());
    let now_ms = shared.now_ms();
    let allowed = source(&request).is_some_and(|ip| shared.by_source.take(ip, now_ms));
    let response = if allowed {
        next.run(request).await
    } else {
        Refused(RefusalCode::RateLimited.into()).into_response()
    };
    let status = response.status().as_u16();
    let refusal = response.extensions().get::<RefusalCode>().copied();
    let took_ms = shared.now_ms().saturating_sub(now_ms);
    shared.counters.add(&format!("mecum_requests_total{{route=\"{route}\",status=\"{status}\"}}"), 1);
    if let Some(code) = refusal {
        shared.counters.refused(code);
    }
    let refused = refusal.map_or("-", RefusalCode::name);
    shared.log(&format!(
        "time_ms={now_ms} event=request route={route} status={status} refused={refused} took_ms={took_ms}"
    ));
    response
}

/// The route of a path, without what a path may hold.
fn route_name(path: &str) -> &'static str {
    match path {
        "/v1/enrol" => "enrol",
        "/v1/challenge" => "challenge",
        "/v1/session" => "session",
        "/v1/sync" => "sync",
        "/v1/wake" => "wake",
        "/v1/server" => "server",
        "/v1/health" => "health",
        "/v1/metrics" => "metrics",
        path if path.starts_with("/v1/mailbox/") => "mailbox",
        _ => "other",
    }
}

async fn health() -> &'static str {
    "ok\n"
}

/// Counters, for this machine only: how busy a server is concerns nobody else.
async fn metrics(State(context): State<Context>, request: Request) -> Response {
    if source(&request).is_some_and(|ip| ip.is_loopback()) {
        context.shared.counters.text().into_response()
    } else {
        Refused(RefusalCode::NotFound.into()).into_response()
    }
}

fn source(request: &Request) -> Option<std::net::IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.source)
}

/// Who a request's token stands for, and until when.
fn author(shared: &Shared, headers: &HeaderMap) -> Result<(Author, i64), Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refused(RefusalCode::Unauthorised.into()));
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("Bearer "))
        .and_then(SessionToken::from_hex)
        .and_then(|token| shared.sessions.author(&token, shared.now_ms()))
        .ok_or(Refused(RefusalCode::Unauthorised.into()))
}

/// A refusal as an answer.
pub(crate) struct Refused(pub(crate) Refusal);

impl From<RefusalCode> for Refused {
    fn from(code: RefusalCode) -> Self {
        Refused(code.into())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Refused(refusal)
    }
}

impl From<StoreError> for Refused {
    fn from(_: StoreError) -> Self {
        // What went wrong inside is for the operator's log, not for the caller.
        Refused(RefusalCode::Unavailable.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            RefusalCode::Unauthorised | RefusalCode::UnknownDevice => StatusCode::UNAUTHORIZED,
            RefusalCode::BadCode => StatusCode::FORBIDDEN,
            RefusalCode::NotFound => StatusCode::NOT_FOUND,
            RefusalCode::AlreadyExists => StatusCode::CONFLICT,
            RefusalCode::Resync => StatusCode::GONE,
            RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RefusalCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            RefusalCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let code = self.0.code;
        let mut response = Cbor(self.0).into_response();
        *response.status_mut() = status;
        response.extensions_mut().insert(code);
        response
    }
}

/// A frame as an answer.
struct Cbor<T>(T);

impl<T: Encode<()>> IntoResponse for Cbor<T> {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(encode(&self.0)));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/cbor"));
        response
    }
}
