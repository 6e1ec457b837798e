//! Coming back with recovery helpers: who has no device and no kit asks the server, which tells every device of the account and
//! gives out its part of the helpers' recovery key only after the wait that the account's log names.
//!
//! It must not know who the helpers are. What anybody learns before the wait is over is the same for every account, also for one
//! that does not exist.

use mecum_seal::{AccountId, DeviceId, Hash32, HelperSet, VerifyingKey, sha256};
use minicbor::{Decode, Encode};

use crate::account_log::{AccountEntry, DeviceCard, HELPERS_SIGNER, RECOVERY_SIGNER};
use crate::codec;
use crate::limits::{MAX_ITEMS, MAX_WRAP_BYTES};
use crate::signed::{Signed, SignedBody};

/// What a set of parts is called: the hash of its encoding. The server keeps its own part under it.
pub fn set_hash(set: &HelperSet) -> Hash32 {
    sha256(&codec::encode(set))
}

/// Asks for an account on behalf of a fresh device. Its hash names the request everywhere, and makes its check words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersRequest {
    /// The server that it is for.
    #[n(0)]
    pub server: VerifyingKey,
    /// The account.
    #[n(1)]
    pub account: AccountId,
    /// The device that is to be added: everything that is given out is sealed to its `kem`. Its name is empty.
    #[n(2)]
    pub device: DeviceCard,
}

impl SignedBody for HelpersRequest {
    const CONTEXT: &'static str = "mecum/helpers-request/1";
}

/// Whether a request is under the key of the device that it names, and names one that may be.
pub fn is_sound(request: &Signed<HelpersRequest>) -> bool {
    let HelpersRequest { device, .. } = request.unverified();
    let named = device.device != RECOVERY_SIGNER && device.device != HELPERS_SIGNER;
    named && device.sealed_name.is_empty() && request.verify(&device.signing).is_ok()
}

/// `POST /v1/helpers/ask`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersAsk {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// Under the fresh device's key.
    #[n(1)]
    pub request: Signed<HelpersRequest>,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HelpersStage {
    /// The wait is not over.
    #[n(0)]
    Waiting,
    /// The wait is over, and nobody has stopped it.
    #[n(1)]
    Released,
    /// It was stopped.
    #[n(2)]
    Stopped,
}

/// Asks how a request stands, and for what is given out after the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersProof {
    /// The server that it is for.
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
    /// The request's hash.
    #[n(4)]
    pub request: Hash32,
}

impl SignedBody for HelpersProof {
    const CONTEXT: &'static str = "mecum/helpers-fetch/1";
}

/// `POST /v1/helpers/fetch`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersFetch {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// Under the key of the device that asked.
    #[n(1)]
    pub proof: Signed<HelpersProof>,
    /// Entries of the account's log up to this number are known to who asks.
    #[n(2)]
    pub after: u64,
}

/// The answer to both. Until the wait is over it holds times alone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersAnswer {
    /// The relay's clock, in ms since the epoch.
    #[n(0)]
    pub server_time_ms: i64,
    /// How it stands.
    #[n(1)]
    pub stage: HelpersStage,
    /// When it was asked, in ms since the epoch.
    #[n(2)]
    pub asked_at_ms: i64,
    /// When the server gives out its part, in ms since the epoch.
    #[n(3)]
    pub released_at_ms: i64,
    /// When another request is taken, in ms since the epoch: once this one was stopped, after a while; before that at any time, and then
    /// it is the time of asking.
    #[n(4)]
    pub again_at_ms: i64,
    /// The server's part, sealed to the device that asked ([`SERVER_PART_PURPOSE`]). Empty until it is given out.
    #[cbor(n(5), encode_with = "minicbor::bytes::encode", decode_with = "codec::blob::<MAX_WRAP_BYTES, _>")]
    pub sealed_part: Vec<u8>,
    /// The account's log after what is known, in order. Empty until the part is given out.
    #[cbor(n(6), decode_with = "codec::list::<MAX_ITEMS, _, _>")]
    pub entries: Vec<Signed<AccountEntry>>,
    /// Whether there are more after these.
    #[n(7)]
    pub more: bool,
}

/// The purpose under which the server seals its part to the device that asked; the place is the request's hash.
pub const SERVER_PART_PURPOSE: &str = "mecum helpers server part v1";

/// `POST /v1/helpers/part`: the server's part, from a signed-in device of an account whose log has the set that it belongs to.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersPart {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// [`set_hash`] of the set.
    #[n(1)]
    pub set: Hash32,
    /// The part.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub part: [u8; 32],
}

impl std::fmt::Debug for HelpersPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HelpersPart(..)")
    }
}

/// Stops a request that is open, and with it every other that is open for that account at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersStop {
    /// The server that it is for.
    #[n(0)]
    pub server: VerifyingKey,
    /// The account.
    #[n(1)]
    pub account: AccountId,
    /// The request's hash.
    #[n(2)]
    pub request: Hash32,
    /// Who signs: a live device of the account, or [`RECOVERY_SIGNER`] for whoever has the kit.
    #[n(3)]
    pub signer: DeviceId,
}

impl SignedBody for HelpersStop {
    const CONTEXT: &'static str = "mecum/helpers-stop/1";
}

/// `POST /v1/helpers/stop`. The same again is answered the same.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersStopping {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// Under the signer's key.
    #[n(1)]
    pub stop: Signed<HelpersStop>,
}

/// The part is stored; or what was asked is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersDone {
    /// The relay's clock, in ms since the epoch.
    #[n(0)]
    pub server_time_ms: i64,
}

/// Somebody asked to bring the account back by its helpers. In every answer to a sync of its devices until it is over. Of several
/// that are open it names the one that is released first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelpersNotice {
    /// The request's hash.
    #[n(0)]
    pub request: Hash32,
    /// When it was asked, in ms since the epoch.
    #[n(1)]
    pub asked_at_ms: i64,
    /// When the server gives out its part, in ms since the epoch.
    #[n(2)]
    pub released_at_ms: i64,
    /// How many more are open, at most [`crate::limits::MAX_OTHER_REQUESTS`]. None, and so no bytes, if there is no other, or if the
    /// device did not say that it knows this field ([`crate::FORMS_COUNTED`]).
    #[n(3)]
    pub others: Option<u32>,
}
