//! What an entry of a space's membership log says. The numbers are on the wire; further kinds take further numbers.

use mecum_seal::{AccountId, DeviceId, DocumentId, Hash32, IncarnationId, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{
    MAX_CHAINS, MAX_CUTS, MAX_MEMBERS, MAX_SEALED_KEY_BYTES, MAX_SEALED_NAME_BYTES, MAX_SEALED_TERMS_BYTES,
    MAX_WRAP_BYTES,
};
use crate::snapshot::FoldedChain;

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

/// Why a manager removes a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// Somebody decided so.
    #[n(1)]
    Removed,
    /// What the grant's terms said has ended.
    #[n(2)]
    Expired,
    /// The member said that they leave, elsewhere than in this log.
    #[n(3)]
    Left,
}

/// The last link of one chain that counts. Nothing beyond it does, whatever order a relay claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cut {
    /// The device whose chain it is.
    #[n(0)]
    pub device: DeviceId,
    /// That device's incarnation.
    #[n(1)]
    pub incarnation: IncarnationId,
    /// The last `envelope_seq` that counts; 0 if nothing of the chain does.
    #[n(2)]
    pub envelope_seq: u64,
    /// Content id of that envelope; zeros if there is none.
    #[n(3)]
    pub hash: Hash32,
}

/// A new epoch: from this entry on, nothing sealed under the one before is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct NewEpoch {
    /// Its number: the current one and 1.
    #[n(0)]
    pub epoch: u32,
    /// Its key, once for each member that is there after the entry, in the order of the log's members.
    #[cbor(n(1), decode_with = "codec::list::<MAX_MEMBERS, _, _>")]
    pub wraps: Vec<Wrap>,
    /// The key of the epoch before, sealed under the new one: who comes later reads what was written earlier.
    #[cbor(
        n(2),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_SEALED_KEY_BYTES, _>"
    )]
    pub sealed_previous: Vec<u8>,
}

/// What an entry does.
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
    /// Lets somebody in, or gives a member a higher role. By a manager.
    #[n(2)]
    Grant {
        /// Who.
        #[n(0)]
        member: AccountId,
        /// Hash of the first entry of their account's log: it pins who that is.
        #[n(1)]
        genesis: Hash32,
        /// What they may do.
        #[n(2)]
        role: Role,
        /// The current epoch's key, wrapped to them alone.
        #[cbor(n(3), decode_with = "codec::list::<MAX_MEMBERS, _, _>")]
        wraps: Vec<Wrap>,
        /// Verbs, validity, reason and names, sealed under the epoch's key.
        #[cbor(
            n(4),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_SEALED_TERMS_BYTES, _>"
        )]
        sealed_terms: Vec<u8>,
    },
    /// Removes a member and begins a new epoch. By a manager; never the owner, and never oneself.
    #[n(3)]
    Remove {
        /// Who.
        #[n(0)]
        member: AccountId,
        /// Why.
        #[n(1)]
        why: Why,
        /// What still counts of their chains, ascending. A chain that is not named does not count at all.
        #[cbor(n(2), decode_with = "codec::list::<MAX_CUTS, _, _>")]
        cuts: Vec<Cut>,
        /// The epoch that they cannot read.
        #[n(3)]
        next: NewEpoch,
        /// What the others may know of it, sealed under the new epoch's key.
        #[cbor(
            n(4),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_SEALED_TERMS_BYTES, _>"
        )]
        sealed_reason: Vec<u8>,
    },
    /// A member leaves; never the owner. The epoch is stale from here on: nobody writes until there is a new one.
    #[n(4)]
    Leave {
        /// What still counts of their chains, as in a removal.
        #[cbor(n(0), decode_with = "codec::list::<MAX_CUTS, _, _>")]
        cuts: Vec<Cut>,
    },
    /// Begins a new epoch: after somebody left, or after a device of the acting account was removed. By any writer.
    #[n(5)]
    Epoch {
        /// The epoch.
        #[n(0)]
        next: NewEpoch,
        /// What still counts of chains of removed devices of the acting account, ascending. Of a device that is named, a chain
        /// that is not named does not count at all.
        #[cbor(n(1), decode_with = "codec::list::<MAX_CUTS, _, _>")]
        cuts: Vec<Cut>,
    },
    /// A document goes on as another one (re-genesis): after edits turned out void, or to erase. By a manager.
    #[n(6)]
    Replace {
        /// Which document ends.
        #[n(0)]
        document: DocumentId,
        /// Which one takes its place.
        #[n(1)]
        by: DocumentId,
        /// Why, sealed under the epoch's key.
        #[cbor(
            n(2),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_SEALED_TERMS_BYTES, _>"
        )]
        sealed_reason: Vec<u8>,
        /// Where every chain stood whose edits the new document holds, ascending.
        #[cbor(n(3), decode_with = "codec::list::<MAX_CHAINS, _, _>")]
        chains: Vec<FoldedChain>,
    },
}

impl SpaceBody {
    /// The chains that the entry cuts; none for kinds that cut nothing.
    pub fn cuts(&self) -> &[Cut] {
        match self {
            SpaceBody::Remove { cuts, .. } | SpaceBody::Leave { cuts } | SpaceBody::Epoch { cuts, .. } => {
                cuts
            }
            SpaceBody::Genesis { .. } | SpaceBody::Grant { .. } | SpaceBody::Replace { .. } => &[],
        }
    }

    /// The epoch that the entry begins, if it begins one.
    pub fn next_epoch(&self) -> Option<&NewEpoch> {
        match self {
            SpaceBody::Remove { next, .. } | SpaceBody::Epoch { next, .. } => Some(next),
            _ => None,
        }
    }
}
