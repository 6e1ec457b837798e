//! Enrolment and sign-in: a device proves its key to one server, at the server's time. Nothing secret is stored there.

use std::fmt;

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, VerifyingKey};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::account_log::AccountEntry;
use crate::codec;
use crate::limits::{MAX_CODE_BYTES, MAX_SERVER_NAME_BYTES};
use crate::signed::{Signed, SignedBody};

/// What a server says of itself, signed with the key it names: worth something only to who has the key from elsewhere
/// (pairing, the printed page).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ServerInfo {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// What the server calls itself.
    #[cbor(n(1), decode_with = "codec::text::<MAX_SERVER_NAME_BYTES, _>")]
    pub name: String,
    /// The relay's key: the pin.
    #[n(2)]
    pub key: VerifyingKey,
    /// The relay's clock, in ms since the epoch.
    #[n(3)]
    pub server_time_ms: i64,
}

impl SignedBody for ServerInfo {
    const CONTEXT: &'static str = "mecum/server-info/1";
}

/// `POST /v1/enrol`: a one-time code admits an account.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolRequest {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// The code, as it was typed.
    #[cbor(n(1), decode_with = "codec::text::<MAX_CODE_BYTES, _>")]
    pub code: String,
    /// The account's first entry.
    #[n(2)]
    pub genesis: Signed<AccountEntry>,
}

impl fmt::Debug for EnrolRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolRequest").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The account is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolResponse {
    /// The relay's clock, in ms since the epoch.
    #[n(0)]
    pub server_time_ms: i64,
}

/// `POST /v1/challenge`: the same answer for everybody, so that it tells nothing about who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Challenge {
    /// Random, good for one sign-in within [`crate::limits::CHALLENGE_LIFE_MS`].
    #[n(0)]
    pub nonce: Hash32,
    /// The relay's clock, in ms since the epoch: signed back, so that a wrong clock still signs in.
    #[n(1)]
    pub server_time_ms: i64,
    /// The relay's key.
    #[n(2)]
    pub server: VerifyingKey,
}

/// `POST /v1/session`, signed by the device: the answer to a challenge, bound to the server that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignIn {
    /// The server that the device means to speak to.
    #[n(0)]
    pub server: VerifyingKey,
    /// The challenge's nonce.
    #[n(1)]
    pub nonce: Hash32,
    /// The challenge's time.
    #[n(2)]
    pub server_time_ms: i64,
    /// The account.
    #[n(3)]
    pub account: AccountId,
    /// The device that signs.
    #[n(4)]
    pub device: DeviceId,
    /// Its present incarnation: pushes of this one come back without their bytes.
    #[n(5)]
    pub incarnation: IncarnationId,
}

impl SignedBody for SignIn {
    const CONTEXT: &'static str = "mecum/sign-in/1";
}

/// 32 random bytes that stand for a session. A bearer secret.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub struct SessionToken(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl SessionToken {
    /// From its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From 64 lower-case hexadecimal digits, as in the `authorization` header.
    pub fn from_hex(text: &str) -> Option<Self> {
        text.parse::<Hash32>().ok().map(|bytes| Self(*bytes.as_bytes()))
    }

    /// The 64 lower-case hexadecimal digits of the `authorization` header.
    pub fn to_hex(&self) -> String {
        Hash32::from_bytes(self.0).to_string()
    }

    /// What the relay keeps: the token's hash.
    pub fn hash(&self) -> Hash32 {
        mecum_seal::sha256(&self.0)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

/// The session that a sign-in opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SessionGrant {
    /// Goes with every request.
    #[n(0)]
    pub token: SessionToken,
    /// When it ends, by the relay's clock, in ms since the epoch.
    #[n(1)]
    pub expires_at_ms: i64,
    /// The relay's clock, in ms since the epoch.
    #[n(2)]
    pub server_time_ms: i64,
    /// The short forms that the relay takes ([`crate::FORMS`]): said to who asked for it, and left out otherwise.
    #[n(3)]
    pub forms: Option<u32>,
}
