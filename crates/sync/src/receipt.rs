//! What the relay signs: that envelopes are stored, and where a membership entry stands in the order of its space.

use mecum_seal::{Hash32, SpaceId};
use minicbor::{Decode, Encode};

use crate::chain::Chain;
use crate::codec;
use crate::limits::MAX_PUSHES;
use crate::signed::SignedBody;

/// "This chain is stored durably up to here."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// The chain (device, incarnation, space).
    #[n(0)]
    pub chain: Chain,
    /// The last stored `envelope_seq` of the push.
    #[n(1)]
    pub envelope_seq: u64,
    /// Content id of that envelope.
    #[n(2)]
    pub last: Hash32,
    /// Its place in the order of the space.
    #[n(3)]
    pub space_seq: u64,
    /// When the relay committed it, in ms since the epoch by the relay's clock.
    #[n(4)]
    pub stored_at_ms: i64,
}

/// All receipts of one response, under one signature of the relay.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipts {
    /// In the order of the pushes that were accepted and held envelopes.
    #[cbor(n(0), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub receipts: Vec<Receipt>,
}

impl SignedBody for Receipts {
    const CONTEXT: &'static str = "mecum/receipts/1";
}

/// The relay's signature under a membership entry: this entry, at this place of this space's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Countersign {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// Number of the entry in the membership log.
    #[n(1)]
    pub seq: u64,
    /// Hash of the signed entry.
    #[n(2)]
    pub entry: Hash32,
    /// The `space_seq` of the last envelope ordered before it; 0 if none.
    #[n(3)]
    pub space_seq: u64,
    /// When the relay committed it, in ms since the epoch by the relay's clock.
    #[n(4)]
    pub stored_at_ms: i64,
}

impl SignedBody for Countersign {
    const CONTEXT: &'static str = "mecum/countersign/1";
}
