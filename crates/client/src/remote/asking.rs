//! One request over HTTP and its whole answer: how long it may take, how large it may be, and what a failure means.

use std::sync::Once;
use std::time::Duration;

use mecum_sync::controls::{holds, is_out};
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{Refusal, decode};
use minicbor::{Decode, Encode};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use tokio::time::Instant;

use super::address::Address;
use super::{CONNECT_TIMEOUT, RemoteError};

/// How long the server may be silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one request may take from its first byte, beside what its bytes are granted: a server that goes on and on
/// must not hold up every later exchange.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes for which one more second is granted, whichever way they go: the server's own measure for request bodies.
const BYTES_PER_SECOND: usize = 16 * 1024;

/// How long an idle connection is kept: less than the server's own limit, so that no request meets its closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);

fn http_client(address: &Address) -> Result<Client, RemoteError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the process has chosen one already: that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(if is_out("redirect") { Policy::default() } else { Policy::none() })
        .tcp_nodelay(true);
    let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
    builder.build().map_err(|_| RemoteError::Offline)
}

/// Whom to ask, and how long one request may take beside what its bytes are granted.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) http: Client,
    pub(super) timeout: Duration,
}

impl Asking {
    pub(super) fn of(address: &Address) -> Result<Self, RemoteError> {
        Ok(Self { http: http_client(address)?, timeout: REQUEST_TIMEOUT })
    }
}

/// One request and its whole answer, of at most `max_answer` bytes.
pub(super) async fn ask(
    asking: &Asking,
    method: Method,
    url: &str,
    authorization: Option<HeaderValue>,
    body: Option<Vec<u8>>,
    max_answer: usize,
) -> Result<Vec<u8>, RemoteError> {
    let mut request = asking.http.request(method, url);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    let mut ends = Instant::now() + asking.timeout;
    if let Some(body) = body {
        ends += granted(body.len());
        request = request.body(body);
    }
    let mut response = in_time(ends, request.send()).await?;
    let status = response.status();
    if let Err(error) = may_be_read(&response, max_answer) {
        return Err(if is_gateways(status) { RemoteError::Offline } else { error });
    }
    let mut answer = Vec::new();
    while let Some(chunk) = in_time(ends + granted(answer.len()), response.chunk()).await? {
        if !holds("answer-size", answer.len() + chunk.len() <= max_answer) {
            return Err(RemoteError::BadAnswer);
        }
        answer.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(answer);
    }
    if status == StatusCode::UNAUTHORIZED {
        return Err(RemoteError::Unauthorised);
    }
    match parse::<Refusal>(&answer) {
        Ok(refusal) => Err(RemoteError::Refused(refusal)),
        // A proxy's own page: it stands, and the server behind it cannot be reached.
        Err(_) if is_gateways(status) => Err(RemoteError::Offline),
        Err(error) => Err(error),
    }
}

/// Whether an answer's head says that its body may be read: one that is too long is not waited for, and nothing was asked for in a
/// packed form, which could be any size once it is unpacked.
fn may_be_read(response: &Response, max_answer: usize) -> Result<(), RemoteError> {
    let fits = response.content_length().is_none_or(|bytes| bytes <= max_answer as u64);
    let packed = response.headers().get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity");
    if holds("answer-length", fits) && holds("answer-packed", !packed) {
        return Ok(());
    }
    Err(RemoteError::BadAnswer)
}

/// What a proxy says for a server that does not answer it. Source: RFC 9110 sections 15.6.3 to 15.6.5.
fn is_gateways(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// The time that `bytes` may take.
fn granted(bytes: usize) -> Duration {
    Duration::from_secs((bytes / BYTES_PER_SECOND) as u64)
}

async fn in_time<T>(
    ends: Instant,
    step: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, RemoteError> {
    if is_out("answer-time") {
        return step.await.map_err(|error| transport(&error));
    }
    match tokio::time::timeout_at(ends, step).await {
        Ok(done) => done.map_err(|error| transport(&error)),
        Err(_) => Err(RemoteError::Offline),
    }
}

pub(super) fn parse<T>(bytes: &[u8]) -> Result<T, RemoteError>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    decode(bytes, MAX_RESPONSE_BYTES).map_err(|_| RemoteError::BadAnswer)
}

fn transport(error: &reqwest::Error) -> RemoteError {
    if error.is_builder() || error.is_decode() || error.is_redirect() {
        RemoteError::BadAnswer
    } else {
        RemoteError::Offline
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_goes_on_and_on_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let address = Address::parse(&url).expect("it is of this machine");
        tokio::spawn(async move {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n").await;
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let patient = Asking::of(&address).expect("a client");
        let impatient = Asking { timeout: Duration::from_millis(300), ..patient };
        let asking = ask(&impatient, Method::GET, &url, None, None, MAX_RESPONSE_BYTES);
        let left = tokio::time::timeout(Duration::from_secs(10), asking).await.expect("it is left in time");
        assert!(matches!(left, Err(RemoteError::Offline)), "slow for ever is as good as away: {left:?}");
        let slow_line = granted(mecum_sync::limits::MAX_REQUEST_BYTES);
        assert!(
            slow_line > Duration::from_mins(15),
            "a large request has time on a slow line: {slow_line:?}"
        );
    }
}
