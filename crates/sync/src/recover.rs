//! Recovery with the printed kit and nothing else: whoever holds the recovery key proves it to the server, reads the account's
//! log, and adds a new device to it. After that the device signs in as any other.

use mecum_seal::{AccountId, Hash32, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::account_log::AccountEntry;
use crate::codec;
use crate::limits::MAX_ITEMS;
use crate::signed::{Signed, SignedBody};

/// The answer to a challenge, signed by an account's recovery key, and bound to the server that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecoveryProof {
    /// The server that it is for.
    #[n(0)]
    pub server: VerifyingKey,
    /// The challenge's nonce.
    #[n(1)]
    pub nonce: Hash32,
    /// The challenge's time.
    #[n(2)]
    pub server_time_ms: i64,
    /// The account; zeros if it is not known: then it is the one whose log names `key` as its recovery key now.
    #[n(3)]
    pub account: AccountId,
    /// The recovery key that signs: what a person has is the kit's words, and no account's id.
    #[n(4)]
    pub key: VerifyingKey,
}

impl SignedBody for RecoveryProof {
    const CONTEXT: &'static str = "mecum/recovery/1";
}

/// `POST /v1/recover`: asks for the account's log, and may bring its next entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecoverRequest {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// Under the recovery key.
    #[n(1)]
    pub proof: Signed<RecoveryProof>,
    /// Entries up to this number are known to who asks.
    #[n(2)]
    pub after: u64,
    /// An [`crate::AccountBody::Recover`] for the end of the log.
    #[n(3)]
    pub entry: Option<Signed<AccountEntry>>,
}

/// The entry, if there was one, is stored; and these are the entries that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecoverResponse {
    /// The relay's clock, in ms since the epoch.
    #[n(0)]
    pub server_time_ms: i64,
    /// In order.
    #[cbor(n(1), decode_with = "codec::list::<MAX_ITEMS, _, _>")]
    pub entries: Vec<Signed<AccountEntry>>,
    /// Whether there are more after these.
    #[n(2)]
    pub more: bool,
}
