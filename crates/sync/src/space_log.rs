//! A space's membership log: who may read and write in it, and which epoch is current. Signed, hash-chained, linear, and
//! appended by compare-and-swap at the space's home relay: an entry's `previous` is the head that its writer expects.
//!
//! It must not know what is in the space. Its labels and keys are sealed bytes.

use mecum_seal::{AccountId, DeviceId, Hash32, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{MAX_MEMBERS, MAX_SEALED_NAME_BYTES, MAX_SPACE_LOG, MAX_WRAP_BYTES};
use crate::signed::{Signed, SignedBody};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// May read.
    #[n(1)]
    Reader,
    /// May read and write.
    #[n(2)]
    Writer,
    /// May read, write, and change the membership.
    #[n(3)]
    Manager,
}

impl Role {
    /// Whether envelopes of this member are accepted.
    pub fn may_write(self) -> bool {
        self >= Role::Writer
    }
}

/// An epoch key wrapped to one account's HPKE key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Wrap {
    /// Who can open it.
    #[n(0)]
    pub account: AccountId,
    /// The wrap's bytes.
    #[cbor(n(1), encode_with = "minicbor::bytes::encode", decode_with = "codec::blob::<MAX_WRAP_BYTES, _>")]
    pub bytes: Vec<u8>,
}

/// What an entry does. The numbers are on the wire; grants, removals, epochs and expiries take further numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub enum SpaceBody {
    /// Founds the space. Signed by a device of its owner, who becomes its manager.
    #[n(1)]
    Genesis {
        /// The first member.
        #[n(0)]
        owner: AccountId,
        /// The home relay's key. None before the first relay: whichever relay the owner brings it to is its home.
        #[n(1)]
        relay: Option<VerifyingKey>,
        /// Number of the first epoch: 1.
        #[n(2)]
        epoch: u32,
        /// The first epoch's key, wrapped to each member: here to the owner alone.
        #[cbor(n(3), decode_with = "codec::list::<MAX_MEMBERS, _, _>")]
        wraps: Vec<Wrap>,
        /// What the space is for, sealed under the epoch's key.
        #[cbor(
            n(4),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_SEALED_NAME_BYTES, _>"
        )]
        sealed_label: Vec<u8>,
    },
}

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
    /// The signature does not verify.
    #[error("entry signature does not verify")]
    BadSignature,
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
}

impl SpaceLog {
    /// Verifies the first entry of a log, whose signing device has the key `signer`, and begins with it.
    pub fn found(entry: &Signed<SpaceEntry>, signer: &VerifyingKey) -> Result<Self, SpaceLogError> {
        let verified = entry.verify(signer).map_err(|_| SpaceLogError::BadSignature)?;
        let SpaceBody::Genesis { owner, relay, epoch, wraps, .. } = &verified.body;
        let wrapped_to_owner = matches!(wraps.as_slice(), [only] if only.account == *owner);
        let rules = verified.seq == 1
            && verified.previous == Hash32::ZERO
            && verified.account == *owner
            && *epoch == 1
            && wrapped_to_owner;
        if !rules {
            return Err(SpaceLogError::BadEntry);
        }
        Ok(Self {
            space: verified.space,
            owner: *owner,
            relay: *relay,
            epoch: *epoch,
            heads: vec![entry.hash()],
            members: vec![Member { account: *owner, role: Role::Manager, since: 1 }],
        })
    }

    /// Verifies `entry` and takes it in. On an error nothing is changed. No kind of entry but the genesis exists yet.
    pub fn append(&mut self, entry: &Signed<SpaceEntry>, signer: &VerifyingKey) -> Result<(), SpaceLogError> {
        let unverified = entry.unverified();
        if unverified.space != self.space {
            return Err(SpaceLogError::OtherSpace);
        }
        if unverified.seq != self.entries().saturating_add(1) || unverified.previous != self.head() {
            return Err(SpaceLogError::StaleHead);
        }
        if self.role(unverified.account) != Some(Role::Manager) {
            return Err(SpaceLogError::NotManager);
        }
        let verified = entry.verify(signer).map_err(|_| SpaceLogError::BadSignature)?;
        match &verified.body {
            SpaceBody::Genesis { .. } => Err(SpaceLogError::BadEntry),
        }
    }

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

    /// What `account` might do as of entry `seq`, as far as it still counts.
    pub fn role_at(&self, account: AccountId, seq: u64) -> Option<Role> {
        self.members.iter().find(|m| m.account == account && m.since <= seq).map(|m| m.role)
    }

    /// The members, in the order they came.
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}
