//! The way to a server: enrolment, sign-in, sync, mailboxes and the wake socket, over HTTP.
//!
//! It moves frames and must not know what is in them; what a server says is believed only as far as
//! [`mecum_sync::Follower`] can verify it. Headers are kept to the fewest: an idle sync costs less than 400 bytes.

mod address;
mod wake;

use std::sync::Once;
use std::time::Duration;

use mecum_seal::{AccountId, DeviceId, IncarnationId, SigningKey, VerifyingKey};
use mecum_sync::limits::{MAX_MAILBOX_BYTES, MAX_RESPONSE_BYTES, MAX_SMALL_FRAME_BYTES};
use mecum_sync::{
    AccountEntry, Challenge, EnrolRequest, EnrolResponse, PROTOCOL_VERSION, Refusal, RefusalCode, ServerInfo,
    SessionGrant, SessionToken, SignIn, Signed, SyncRequest, SyncResponse, decode, encode,
};
use minicbor::{Decode, Encode};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, StatusCode};

use address::Address;
pub use wake::Wake;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may be silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
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
        if info.version != PROTOCOL_VERSION {
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
        let challenge: Challenge =
            self.post("/v1/challenge", None, Vec::new(), MAX_SMALL_FRAME_BYTES).await?;
        if challenge.server != self.pin {
            return Err(RemoteError::OtherServer);
        }
        let Challenge { nonce, server_time_ms, server } = challenge;
        let reply = SignIn { server, nonce, server_time_ms, account, device, incarnation };
        let signed = encode(&Signed::sign(reply, key));
        let grant: SessionGrant = self.post("/v1/session", None, signed, MAX_SMALL_FRAME_BYTES).await?;
        Ok(Session {
            token: grant.token,
            expires_at_ms: grant.expires_at_ms,
            server_time_ms: grant.server_time_ms,
        })
    }

    /// One exchange. The answer is well formed; whether it is true is the follower's to check.
    pub async fn sync(&self, session: &Session, request: &SyncRequest) -> Result<SyncResponse, RemoteError> {
        let body = encode(request);
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

    /// A pairing message, if it is there.
    pub async fn mailbox_get(&self, mailbox: &[u8; 16], slot: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        let url = self.address.mailbox(mailbox, slot);
        match ask(&self.http, Method::GET, &url, None, None, MAX_MAILBOX_BYTES).await {
            Ok(body) => Ok(Some(body)),
            Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the wake socket. Behind `https` there is none yet: the caller polls.
    pub async fn wake(&self, session: &Session) -> Result<Wake, RemoteError> {
        Wake::open(&self.address, session.authorization()).await
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
        .redirect(reqwest::redirect::Policy::none())
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
    let mut request = http.request(method, url);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    let mut response = request.send().await.map_err(|error| transport(&error))?;
    let status = response.status();
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
        if answer.len() + chunk.len() > max_answer {
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
    parse::<Refusal>(&answer).and_then(|refusal| Err(RemoteError::Refused(refusal)))
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
