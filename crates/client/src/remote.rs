//! The way to a server: enrolment, sign-in, sync, mailboxes and the wake socket, over HTTP.
//!
//! It moves frames and must not know what is in them; what a server says is believed only as far as
//! [`mecum_sync::Follower`] can verify it. Headers are kept to the fewest: coming back with nothing new costs less than 400
//! bytes.

mod address;
mod helping;
mod wake;

use std::sync::Once;
use std::time::Duration;

use mecum_seal::{AccountId, DeviceId, IncarnationId, SigningKey, VerifyingKey};
use mecum_sync::controls::{holds, is_out};
use mecum_sync::limits::{MAX_MAILBOX_BYTES, MAX_RESPONSE_BYTES, MAX_SMALL_FRAME_BYTES};
use mecum_sync::{
    AccountEntry, Challenge, EnrolRequest, EnrolResponse, FORMS, PROTOCOL_VERSION, RecoverRequest,
    RecoverResponse, RecoveryProof, Refusal, RefusalCode, SaidRequest, ServerInfo, SessionGrant,
    SessionToken, SignIn, Signed, SyncRequest, SyncResponse, decode, encode,
};
use minicbor::{Decode, Encode};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use tokio::time::Instant;

use address::Address;
pub use wake::{Heard, Wake};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may be silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one request may take from its first byte, beside what its bytes are granted: a server that goes on and on
/// must not hold up every later exchange.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes for which one more second is granted, whichever way they go: the server's own measure for request bodies.
const BYTES_PER_SECOND: usize = 16 * 1024;
/// How long an idle connection is kept: less than the server's own limit, so that no request meets its closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);

/// The server could not be asked, or did not answer as it should. Nothing was changed on this device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// No way to the server now: no network, no such host, a timeout. Trying again later helps.
    #[error("the server cannot be reached")]
    Offline,
    /// The session is not known or has ended: sign in anew.
    #[error("not signed in")]
    Unauthorised,
    /// The server refuses, and says why.
    #[error("{0}")]
    Refused(Refusal),
    /// An answer that is none of this protocol: not a Mecum server, or a faulty one.
    #[error("the server's answer makes no sense")]
    BadAnswer,
    /// The server's key is not the pinned one.
    #[error("another server than the one that is pinned")]
    OtherServer,
    /// The address is no `https` URL (or `http` URL of this machine).
    #[error("not the address of a server")]
    BadAddress,
    /// What is to be sent is above a limit.
    #[error("too large to send")]
    TooLarge,
}

/// A signed-in device's pass for one server. A bearer secret.
#[derive(Clone, Debug)]
pub struct Session {
    token: SessionToken,
    /// When it ends, by the server's clock, in ms since the epoch.
    pub expires_at_ms: i64,
    /// The server's clock at sign-in, in ms since the epoch.
    pub server_time_ms: i64,
    /// The short forms that the server takes; 0 for one that knows of none.
    pub forms: u32,
}

impl Session {
    fn authorization(&self) -> HeaderValue {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", self.token.to_hex()));
        let mut value = HeaderValue::from_str(&text).expect("hexadecimal digits are a header value");
        value.set_sensitive(true);
        value
    }
}

/// One server, by its address and pinned key. Cheap to clone; connections are shared and kept open.
#[derive(Clone, Debug)]
pub struct Remote {
    address: Address,
    pin: VerifyingKey,
    http: Client,
}

impl Remote {
    /// A server whose key is known (from pairing, or from [`Remote::server_info`] on first use). Sends nothing yet.
    pub fn new(url: &str, pin: VerifyingKey) -> Result<Self, RemoteError> {
        let address = Address::parse(url)?;
        let http = http_client(&address)?;
        Ok(Self { address, pin, http })
    }

    /// The pinned key.
    pub fn pin(&self) -> &VerifyingKey {
        &self.pin
    }

    /// What the server at `url` says of itself. Its key is proven to be its own, and nothing else: compare it with what a
    /// person or another device knows.
    pub async fn server_info(url: &str) -> Result<ServerInfo, RemoteError> {
        let address = Address::parse(url)?;
        let http = http_client(&address)?;
        let answer =
            ask(&http, Method::GET, &address.path("/v1/server"), None, None, MAX_SMALL_FRAME_BYTES).await?;
        let signed: Signed<ServerInfo> = parse(&answer)?;
        let key = signed.unverified().key;
        let info = signed.verify(&key).map_err(|_| RemoteError::BadAnswer)?;
        if !holds("server-version", info.version == PROTOCOL_VERSION) {
            return Err(RemoteError::Refused(RefusalCode::VersionUnsupported.into()));
        }
        Ok(info.clone())
    }

    /// Admits an account by a one-time code and its first entry. The same again is accepted again.
    pub async fn enrol(
        &self,
        code: &str,
        genesis: Signed<AccountEntry>,
    ) -> Result<EnrolResponse, RemoteError> {
        let request = EnrolRequest { version: PROTOCOL_VERSION, code: code.to_owned(), genesis };
        self.post("/v1/enrol", None, encode(&request), MAX_SMALL_FRAME_BYTES).await
    }

    /// Opens a session for a device: fetches a challenge, checks that it is the pinned server's, and signs it.
    pub async fn sign_in(
        &self,
        key: &SigningKey,
        account: AccountId,
        device: DeviceId,
        incarnation: IncarnationId,
    ) -> Result<Session, RemoteError> {
        let Challenge { nonce, server_time_ms, server } = self.challenge().await?;
        let reply = SignIn { server, nonce, server_time_ms, account, device, incarnation };
        let signed = encode(&Signed::sign(reply, key));
        // A server that knows no short forms passes the question over.
        let path = format!("/v1/session?forms={FORMS}");
        let grant: SessionGrant = self.post(&path, None, signed, MAX_SMALL_FRAME_BYTES).await?;
        Ok(Session {
            token: grant.token,
            expires_at_ms: grant.expires_at_ms,
            server_time_ms: grant.server_time_ms,
            forms: grant.forms.unwrap_or(0),
        })
    }

    async fn challenge(&self) -> Result<Challenge, RemoteError> {
        let challenge: Challenge =
            self.post("/v1/challenge", None, Vec::new(), MAX_SMALL_FRAME_BYTES).await?;
        if holds("server-pin", challenge.server == self.pin) {
            Ok(challenge)
        } else {
            Err(RemoteError::OtherServer)
        }
    }

    /// Asks for the log of the account whose recovery key this is, as far as it comes after entry `after`, and brings its next
    /// entry. Without an account the server finds it by the key: nothing else is known to who has the kit alone.
    pub async fn recover(
        &self,
        key: &SigningKey,
        account: Option<AccountId>,
        after: u64,
        entry: Option<Signed<AccountEntry>>,
    ) -> Result<RecoverResponse, RemoteError> {
        let Challenge { nonce, server_time_ms, server } = self.challenge().await?;
        let account = account.unwrap_or(AccountId::from_bytes([0; 16]));
        let proof = RecoveryProof { server, nonce, server_time_ms, account, key: key.verifying_key() };
        let request =
            RecoverRequest { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after, entry };
        self.post("/v1/recover", None, encode(&request), MAX_RESPONSE_BYTES).await
    }

    /// One exchange, everything said in full.
    pub async fn sync(&self, session: &Session, request: &SyncRequest) -> Result<SyncResponse, RemoteError> {
        self.sync_as_said(session, &SaidRequest::from(request)).await
    }

    /// One exchange. The answer is well formed; whether it is true is the follower's to check.
    pub async fn sync_as_said(
        &self,
        session: &Session,
        said: &SaidRequest,
    ) -> Result<SyncResponse, RemoteError> {
        let body = encode(said);
        if body.len() > mecum_sync::limits::MAX_REQUEST_BYTES {
            return Err(RemoteError::TooLarge);
        }
        self.post("/v1/sync", Some(session), body, MAX_RESPONSE_BYTES).await
    }

    /// Puts a pairing message (`offer`, `join` or `welcome`), once. Only an offer opens a mailbox.
    pub async fn mailbox_put(&self, mailbox: &[u8; 16], slot: &str, body: &[u8]) -> Result<(), RemoteError> {
        if body.len() > MAX_MAILBOX_BYTES {
            return Err(RemoteError::TooLarge);
        }
        let url = self.address.mailbox(mailbox, slot);
        ask(&self.http, Method::PUT, &url, None, Some(body.to_vec()), MAX_SMALL_FRAME_BYTES).await?;
        Ok(())
    }

    /// Opens a mailbox for a quarter of an hour. Who is signed in has a place in it that no stranger takes.
    pub async fn mailbox_offer(
        &self,
        session: Option<&Session>,
        mailbox: &[u8; 16],
        offer: &[u8],
    ) -> Result<(), RemoteError> {
        if offer.len() > MAX_MAILBOX_BYTES {
            return Err(RemoteError::TooLarge);
        }
        let url = self.address.mailbox(mailbox, "offer");
        let authorization = session.map(Session::authorization);
        ask(&self.http, Method::PUT, &url, authorization, Some(offer.to_vec()), MAX_SMALL_FRAME_BYTES)
            .await?;
        Ok(())
    }

    /// Opens a mailbox that lives for days: the offer of an invitation.
    pub async fn mailbox_open(
        &self,
        session: &Session,
        mailbox: &[u8; 16],
        offer: &[u8],
        days: u32,
    ) -> Result<(), RemoteError> {
        if offer.len() > MAX_MAILBOX_BYTES {
            return Err(RemoteError::TooLarge);
        }
        let url = format!("{}?days={days}", self.address.mailbox(mailbox, "offer"));
        let authorization = Some(session.authorization());
        ask(&self.http, Method::PUT, &url, authorization, Some(offer.to_vec()), MAX_SMALL_FRAME_BYTES)
            .await?;
        Ok(())
    }

    /// A pairing message, if it is there.
    pub async fn mailbox_get(&self, mailbox: &[u8; 16], slot: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        let url = self.address.mailbox(mailbox, slot);
        match ask(&self.http, Method::GET, &url, None, None, MAX_MAILBOX_BYTES).await {
            Ok(body) => Ok(Some(body)),
            Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the wake socket and asks whether there is anything after `cursor`, the one that the next exchange would ask
    /// from. Nothing falls between the answer and the wakes: what the server stores after it has answered wakes. Behind
    /// `https` there is no socket yet: the caller polls.
    pub async fn wake(&self, session: &Session, cursor: u64) -> Result<(Wake, Heard), RemoteError> {
        Wake::open(&self.address, session.authorization(), cursor).await
    }

    async fn post<T>(
        &self,
        path: &str,
        session: Option<&Session>,
        body: Vec<u8>,
        max_answer: usize,
    ) -> Result<T, RemoteError>
    where
        T: Encode<()> + for<'b> Decode<'b, ()>,
    {
        let url = self.address.path(path);
        let authorization = session.map(Session::authorization);
        parse(&ask(&self.http, Method::POST, &url, authorization, Some(body), max_answer).await?)
    }
}

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

/// One request and its whole answer, of at most `max_answer` bytes.
async fn ask(
    http: &Client,
    method: Method,
    url: &str,
    authorization: Option<HeaderValue>,
    body: Option<Vec<u8>>,
    max_answer: usize,
) -> Result<Vec<u8>, RemoteError> {
    ask_within(REQUEST_TIMEOUT, http, method, url, authorization, body, max_answer).await
}

async fn ask_within(
    timeout: Duration,
    http: &Client,
    method: Method,
    url: &str,
    authorization: Option<HeaderValue>,
    body: Option<Vec<u8>>,
    max_answer: usize,
) -> Result<Vec<u8>, RemoteError> {
    let mut request = http.request(method, url);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    let mut ends = Instant::now() + timeout;
    if let Some(body) = body {
        ends += granted(body.len());
        request = request.body(body);
    }
    let mut response = in_time(ends, request.send()).await?;
    let status = response.status();
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
    match tokio::time::timeout_at(ends, step).await {
        Ok(done) => done.map_err(|error| transport(&error)),
        Err(_) => Err(RemoteError::Offline),
    }
}

fn parse<T>(bytes: &[u8]) -> Result<T, RemoteError>
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
        let http = http_client(&address).expect("a client");
        let asking =
            ask_within(Duration::from_millis(300), &http, Method::GET, &url, None, None, MAX_RESPONSE_BYTES);
        let left = tokio::time::timeout(Duration::from_secs(10), asking).await.expect("it is left in time");
        assert!(matches!(left, Err(RemoteError::Offline)), "slow for ever is as good as away: {left:?}");
        let slow_line = granted(mecum_sync::limits::MAX_REQUEST_BYTES);
        assert!(
            slow_line > Duration::from_mins(15),
            "a large request has time on a slow line: {slow_line:?}"
        );
    }
}
