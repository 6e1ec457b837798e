//! Answering over HTTP: what every request goes through, and how refusals and frames are answered. Which routes there are and
//! who may call them is in [`policy`].

mod body;
mod helping;
mod mailbox;
pub(crate) mod policy;
mod publishing;
mod recover;
mod sign_in;
mod sync;
mod wake;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use mecum_sync::{Refusal, RefusalCode, SessionToken, encode};
use minicbor::Encode;
use tokio::sync::watch;

use crate::Shared;
use crate::store::{Author, StoreError};

/// What handlers get.
#[derive(Clone)]
struct Context {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
}

pub(crate) fn router(shared: Arc<Shared>, stopping: watch::Receiver<bool>) -> Router {
    let context = Context { shared, stopping };
    policy::router(&context)
        .layer(middleware::from_fn_with_state(context.clone(), each_request))
        .with_state(context)
}

/// What every request goes through: the source's rate, the counters, the log line.
async fn each_request(State(context): State<Context>, mut request: Request, next: Next) -> Response {
    let shared = &context.shared;
    let route = policy::route_name(request.uri().path());
    let now_ms = shared.now_ms();
    let source = policy::source(&request, &shared.options.proxies);
    let allowed = source.is_some_and(|ip| shared.by_source.take(ip, now_ms));
    if let Some(ip) = source {
        request.extensions_mut().insert(Source(ip));
    }
    let mut response = if allowed {
        next.run(request).await
    } else {
        Refused(RefusalCode::RateLimited.into()).into_response()
    };
    if let Some(date) = date(response.status(), now_ms) {
        response.headers_mut().insert(header::DATE, date);
    }
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

/// The date of an answer. Source: RFC 9110 section 6.6.1: a server with a clock dates its 2xx, 3xx and 4xx; none of 1xx.
fn date(status: StatusCode, now_ms: i64) -> Option<HeaderValue> {
    if status.is_informational() {
        return None;
    }
    let now = jiff::Timestamp::from_millisecond(now_ms).ok()?;
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()?;
    HeaderValue::from_str(&text).ok()
}

async fn health() -> &'static str {
    "ok\n"
}

/// Counters: how busy a server is concerns nobody but who runs it.
async fn metrics(State(context): State<Context>) -> String {
    context.shared.counters.text()
}

/// Who a request is from, as rates count.
#[derive(Clone, Copy)]
struct Source(IpAddr);

fn source(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Source>().map(|source| source.0)
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
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
        response
    }
}
