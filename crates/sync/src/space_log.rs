//! A space's membership log: who may read and write in it, and which epoch is current. Signed, hash-chained, linear, and
//! appended by compare-and-swap at the space's home relay: an entry's `previous` is the head that its writer expects.
//!
//! It must not know what is in the space. Its labels, terms, reasons and keys are sealed bytes.

mod body;
mod history;
mod rules;

use mecum_seal::{AccountId, DeviceId, DocumentId, Hash32, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{MAX_MEMBERS, MAX_SPACE_LOG};
use crate::signed::SignedBody;

pub use body::{Cut, NewEpoch, Role, SpaceBody, Why, Wrap};
pub use history::{CutSet, Stay, Void};

/// One entry of a space's membership log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SpaceEntry {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// Number of the entry, from 1.
    #[n(1)]
    pub seq: u64,
    /// Hash of the signed entry before; zeros for the first.
    #[n(2)]
    pub previous: Hash32,
    /// The account that acts.
    #[n(3)]
    pub account: AccountId,
    /// The device of it that signs.
    #[n(4)]
    pub device: DeviceId,
    /// What it does.
    #[n(5)]
    pub body: SpaceBody,
}

impl SignedBody for SpaceEntry {
    const CONTEXT: &'static str = "mecum/space-entry/1";
}

/// Why an entry does not belong at the end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceLogError {
    /// The entry is of another space.
    #[error("entry belongs to another space")]
    OtherSpace,
    /// The entry expects another head: somebody was faster, or entries are missing.
    #[error("entry does not follow the head of the log")]
    StaleHead,
    /// The account that acts is not a manager.
    #[error("entry is signed for an account that may not change the membership")]
    NotManager,
    /// The account that acts may not write here, and so begins no epoch; or is no member, and so cannot leave.
    #[error("entry is signed for an account that may not write here")]
    NotWriter,
    /// The signature does not verify.
    #[error("entry signature does not verify")]
    BadSignature,
    /// The owner cannot be removed and cannot leave.
    #[error("the owner stays")]
    OwnerStays,
    /// The entry is about somebody who is not a member.
    #[error("entry is about somebody who is not a member")]
    NotThere,
    /// The grant gives a member nothing more than they have. A lower role takes a removal first.
    #[error("grant gives nothing more")]
    NothingMore,
    /// The grant names another first entry of the account's log than an earlier one did.
    #[error("grant names another beginning of the account")]
    OtherGenesis,
    /// The keys are not wrapped to exactly those who are to have them.
    #[error("key is not wrapped to exactly those who are members")]
    BadWraps,
    /// The new epoch is not the next one.
    #[error("epoch is not the next one")]
    BadEpoch,
    /// Cuts out of order or twice; of another account's chains; or of a device that is not removed.
    #[error("cuts are not of the chains that the entry is about")]
    BadCuts,
    /// The document was replaced already, or what takes its place is not new.
    #[error("document was replaced already, or by one that is not new")]
    BadReplacement,
    /// The log has as many entries or members as it may.
    #[error("log is full")]
    Full,
    /// The entry breaks another rule of the log.
    #[error("entry breaks a rule of the log")]
    BadEntry,
}

/// One member as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Member {
    /// Who.
    #[n(0)]
    pub account: AccountId,
    /// What they may do.
    #[n(1)]
    pub role: Role,
    /// Number of the entry from which on.
    #[n(2)]
    pub since: u64,
    /// Hash of the first entry of their account's log, as the grant pinned it. None for the owner: whoever they invite gets it
    /// with the invitation.
    #[n(3)]
    pub genesis: Option<Hash32>,
}

/// One document that goes on as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Replaced {
    /// Which document ended.
    #[n(0)]
    pub document: DocumentId,
    /// Which one took its place.
    #[n(1)]
    pub by: DocumentId,
    /// Number of the entry that says so.
    #[n(2)]
    pub entry: u64,
}

/// What only entries beyond the genesis bring about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Later {
    /// Stays that ended, in the order they ended.
    #[cbor(n(0), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    ended: Vec<Stay>,
    /// The entries that began epoch 2, 3, and so on.
    #[cbor(n(1), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    epochs: Vec<u64>,
    /// The entries by which somebody left.
    #[cbor(n(2), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    leaves: Vec<u64>,
    #[cbor(n(3), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    cuts: Vec<CutSet>,
    #[cbor(n(4), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    replaced: Vec<Replaced>,
}

/// What a verified membership log amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SpaceLog {
    #[n(0)]
    space: SpaceId,
    #[n(1)]
    owner: AccountId,
    #[n(2)]
    relay: Option<VerifyingKey>,
    #[n(3)]
    epoch: u32,
    #[cbor(n(4), decode_with = "codec::list::<MAX_SPACE_LOG, _, _>")]
    heads: Vec<Hash32>,
    #[cbor(n(5), decode_with = "codec::list::<MAX_MEMBERS, _, _>")]
    members: Vec<Member>,
    /// None, and so no bytes, for a log of its genesis alone: what was stored before there was more reads back.
    #[n(6)]
    later: Option<Later>,
}

impl SpaceLog {
    /// The space.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// The account that founded it.
    pub fn owner(&self) -> AccountId {
        self.owner
    }

    /// The home relay, if the genesis names one.
    pub fn relay(&self) -> Option<&VerifyingKey> {
        self.relay.as_ref()
    }

    /// The current epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Number of entries.
    pub fn entries(&self) -> u64 {
        self.heads.len() as u64
    }

    /// Hash of the last entry: the membership head that envelopes name.
    pub fn head(&self) -> Hash32 {
        self.heads.last().copied().unwrap_or(Hash32::ZERO)
    }

    /// Hash of entry `seq`.
    pub fn head_at(&self, seq: u64) -> Option<Hash32> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.heads.get(index).copied()
    }

    /// Number of the entry with this hash.
    pub fn seq_of(&self, head: Hash32) -> Option<u64> {
        self.heads.iter().rposition(|h| *h == head).map(|index| index as u64 + 1)
    }

    /// What `account` may do now.
    pub fn role(&self, account: AccountId) -> Option<Role> {
        self.members.iter().find(|m| m.account == account).map(|m| m.role)
    }

    /// The members who are there, in the order they came: what a new epoch's key is wrapped to.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The documents that were replaced, in order.
    pub fn replaced(&self) -> &[Replaced] {
        self.later.as_ref().map_or(&[], |later| &later.replaced)
    }

    /// Which document took the place of `document`, if one did.
    pub fn replaced_by(&self, document: DocumentId) -> Option<DocumentId> {
        self.replaced().iter().find(|r| r.document == document).map(|r| r.by)
    }
}
