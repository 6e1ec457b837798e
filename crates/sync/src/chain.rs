//! One hash chain of envelopes for each device, incarnation and space: no gap, no second version of a link.

use mecum_seal::{DeviceId, Envelope, Hash32, IncarnationId, SpaceId};
use minicbor::{Decode, Encode};

/// The name of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct Chain {
    /// The device that writes it.
    #[n(0)]
    pub device: DeviceId,
    /// The incarnation of that device: a restored or cloned vault takes a new one.
    #[n(1)]
    pub incarnation: IncarnationId,
    /// The space it is in.
    #[n(2)]
    pub space: SpaceId,
}

/// Where a chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ChainHead {
    /// `envelope_seq` of the last envelope; 0 before the first.
    #[n(0)]
    pub envelope_seq: u64,
    /// Content id of the last envelope; zeros before the first.
    #[n(1)]
    pub hash: Hash32,
    /// Number of the membership entry that the last envelope was written under; it never goes back. 0 before the first.
    #[n(2)]
    pub membership_seq: u64,
}

impl ChainHead {
    /// A chain without envelopes.
    pub const EMPTY: ChainHead = ChainHead { envelope_seq: 0, hash: Hash32::ZERO, membership_seq: 0 };
}

/// Why an envelope is not the next link of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The envelope names another device, incarnation or space than the chain.
    #[error("envelope belongs to another chain")]
    OtherChain,
    /// `envelope_seq` is beyond the next one.
    #[error("envelopes are missing before this one")]
    Gap,
    /// `envelope_seq` was passed already.
    #[error("envelope is not beyond the chain's last")]
    Behind,
    /// The right number on top of another history.
    #[error("envelope follows another history")]
    Fork,
}

impl ChainHead {
    /// Checks that `envelope` is the next link of `chain` after this head. The membership number is the caller's to check.
    pub fn check_next(&self, chain: &Chain, envelope: &Envelope) -> Result<(), ChainError> {
        let place = envelope.place();
        if place.device != chain.device
            || place.incarnation != chain.incarnation
            || place.space != chain.space
        {
            return Err(ChainError::OtherChain);
        }
        match self.envelope_seq.checked_add(1) {
            Some(next) if place.envelope_seq == next => {}
            Some(next) if place.envelope_seq > next => return Err(ChainError::Gap),
            _ => return Err(ChainError::Behind),
        }
        if place.previous != self.hash {
            return Err(ChainError::Fork);
        }
        Ok(())
    }
}
