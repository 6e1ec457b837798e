//! The way to a server: enrolment, sign-in, sync, mailboxes and the wake socket, over HTTP.
//!
//! It moves frames and must not know what is in them; what a server says is believed only as far as
//! [`mecum_sync::Follower`] can verify it. Headers are kept to the fewest: coming back with nothing new costs less than 400
//! bytes.

mod address;
mod asking;
mod helping;
mod publishing;
mod wake;

use std::time::Duration;

use mecum_seal::{AccountId, DeviceId, IncarnationId, SigningKey, VerifyingKey};
use mecum_sync::controls::holds;
use mecum_sync::limits::{MAX_MAILBOX_BYTES, MAX_RESPONSE_BYTES, MAX_SMALL_FRAME_BYTES};
use mecum_sync::{
    AccountEntry, Challenge, EnrolRequest, EnrolResponse, FORMS_HANDED, PROTOCOL_VERSION, RecoverRequest,
    RecoverResponse, RecoveryProof, Refusal, RefusalCode, SaidRequest, ServerInfo, SessionGrant,
    SessionToken, SignIn, Signed, SyncRequest, SyncResponse, encode,
};
use minicbor::{Decode, Encode};
use reqwest::Method;
use reqwest::header::HeaderValue;

use address::Address;
use asking::{Asking, ask, parse};
pub use wake::{Heard, Wake};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
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
    asking: Asking,
}

impl Remote {
    /// A server whose key is known (from pairing, or from [`Remote::server_info`] on first use). Sends nothing yet.
    pub fn new(url: &str, pin: VerifyingKey) -> Result<Self, RemoteError> {
        let address = Address::parse(url)?;
        let asking = Asking::of(&address)?;
        Ok(Self { address, pin, asking })
    }

    /// The same with less patience, for tests: how long one request may take, beside what its bytes are granted.
    #[doc(hidden)]
    #[must_use]
    pub fn waiting_for_tests(mut self, timeout: Duration) -> Self {
        self.asking.timeout = timeout;
        self
    }

    /// The pinned key.
    pub fn pin(&self) -> &VerifyingKey {
        &self.pin
    }

    /// What the server at `url` says of itself. Its key is proven to be its own, and nothing else: compare it with what a
    /// person or another device knows.
    pub async fn server_info(url: &str) -> Result<ServerInfo, RemoteError> {
        let address = Address::parse(url)?;
        let asking = Asking::of(&address)?;
        let answer =
            ask(&asking, Method::GET, &address.path("/v1/server"), None, None, MAX_SMALL_FRAME_BYTES).await?;
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
        let path = format!("/v1/session?forms={FORMS_HANDED}");
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
        ask(&self.asking, Method::PUT, &url, None, Some(body.to_vec()), MAX_SMALL_FRAME_BYTES).await?;
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
        ask(&self.asking, Method::PUT, &url, authorization, Some(offer.to_vec()), MAX_SMALL_FRAME_BYTES)
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
        ask(&self.asking, Method::PUT, &url, authorization, Some(offer.to_vec()), MAX_SMALL_FRAME_BYTES)
            .await?;
        Ok(())
    }

    /// A pairing message, if it is there.
    pub async fn mailbox_get(&self, mailbox: &[u8; 16], slot: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        let url = self.address.mailbox(mailbox, slot);
        match ask(&self.asking, Method::GET, &url, None, None, MAX_MAILBOX_BYTES).await {
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
        parse(&ask(&self.asking, Method::POST, &url, authorization, Some(body), max_answer).await?)
    }
}
