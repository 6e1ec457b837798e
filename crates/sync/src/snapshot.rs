//! A space folded: one sealed part for each document, and where every chain stood. A new device begins from it and not from the
//! first envelope.
//!
//! Whoever made it is trusted with nothing: it counts only if every chain's own signed statement ends where it says, and
//! if what is inside agrees with the heads record that each of these statements carries (checked by the holder of the
//! keys). The relay and every reader check the same here. It must not know what a part holds.

use mecum_seal::{AccountId, DeviceId, Envelope, Hash32, IncarnationId, SpaceId, VerifyingKey, sha256};
use minicbor::{Decode, Encode};

use crate::chain::ChainHead;
use crate::codec;
use crate::controls::holds;
use crate::limits::{MAX_CHAINS, MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_PARTS};
use crate::signed::{Signed, SignedBody};
use crate::space_log::{Role, SpaceLog};
use crate::statement::Statement;

/// Where one chain stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct FoldedChain {
    /// The device whose chain it is.
    #[n(0)]
    pub device: DeviceId,
    /// That device's incarnation.
    #[n(1)]
    pub incarnation: IncarnationId,
    /// Its last envelope.
    #[n(2)]
    pub head: ChainHead,
}

/// What the maker signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SnapshotBody {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The device that made it.
    #[n(1)]
    pub device: DeviceId,
    /// Its incarnation.
    #[n(2)]
    pub incarnation: IncarnationId,
    /// Everything up to this `space_seq` is in it.
    #[n(3)]
    pub space_seq: u64,
    /// Head of the membership log that it was made under.
    #[n(4)]
    pub membership_head: Hash32,
    /// The epoch whose keys seal it.
    #[n(5)]
    pub epoch: u32,
    /// Every chain with envelopes, in ascending order of device and incarnation.
    #[cbor(n(6), decode_with = "codec::list::<MAX_CHAINS, _, _>")]
    pub chains: Vec<FoldedChain>,
    /// Content ids of the parts, in order.
    #[cbor(n(7), decode_with = "codec::list::<MAX_SNAPSHOT_PARTS, _, _>")]
    pub parts: Vec<Hash32>,
}

impl SignedBody for SnapshotBody {
    const CONTEXT: &'static str = "mecum/snapshot/1";
}

/// A snapshot of a space with its sealed parts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SpaceSnapshot {
    /// What it is, signed.
    #[n(0)]
    pub signed: Signed<SnapshotBody>,
    /// Envelopes: the documents' keys first, then one for each document.
    #[cbor(
        n(1),
        encode_with = "codec::encode_blobs",
        decode_with = "codec::blobs::<MAX_SNAPSHOT_PARTS, MAX_SNAPSHOT_BYTES, _>"
    )]
    pub parts: Vec<Vec<u8>>,
}

impl SpaceSnapshot {
    /// The space.
    pub fn space(&self) -> SpaceId {
        self.signed.unverified().space
    }

    /// Bytes of its parts.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}

/// What a device signs that fetched a stored snapshot, found it right by every rule of taking one, and found in it what its own
/// documents hold. Two of them, and time, let a relay prune what the snapshot covers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Verified {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The device that verified.
    #[n(1)]
    pub device: DeviceId,
    /// Its incarnation.
    #[n(2)]
    pub incarnation: IncarnationId,
    /// Hash of the signed body of the snapshot: of what it covers, and of every part's bytes.
    #[n(3)]
    pub snapshot: Hash32,
    /// Head of the membership log as the device knew it.
    #[n(4)]
    pub membership_head: Hash32,
}

impl SignedBody for Verified {
    const CONTEXT: &'static str = "mecum/verified/1";
}

/// The snapshot that a relay holds, with what it is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StoredSnapshot {
    /// As it was received.
    #[n(0)]
    pub snapshot: SpaceSnapshot,
    /// The last statement of every chain when it was stored.
    #[cbor(n(1), decode_with = "codec::list::<MAX_CHAINS, _, _>")]
    pub statements: Vec<Signed<Statement>>,
}

/// Why a snapshot does not count. A reader who refuses one asks for the envelopes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The signature of the maker, or of a chain's statement, does not verify.
    #[error("snapshot signature does not verify")]
    BadSignature,
    /// The maker may not write in the space.
    #[error("snapshot is by an account that may not write here")]
    NotMember,
    /// Made under another membership or epoch than the log has.
    #[error("snapshot is of another membership")]
    BadMembershipHead,
    /// A part is no envelope, is not the one that was signed for, or belongs elsewhere.
    #[error("snapshot has a part that does not belong to it")]
    BadPart,
    /// Chains out of order, twice, or empty.
    #[error("snapshot is malformed")]
    Malformed,
    /// A chain's own statement is missing, or ends elsewhere.
    #[error("snapshot disagrees with a chain's own statement")]
    BadStatement,
}

/// Checks everything about a snapshot but the statements and what is inside its parts. Answers the parts, parsed.
pub fn verify_snapshot(
    log: &SpaceLog,
    account: AccountId,
    signer: &VerifyingKey,
    snapshot: &SpaceSnapshot,
) -> Result<Vec<Envelope>, SnapshotError> {
    let body = snapshot.signed.verify(signer).map_err(|_| SnapshotError::BadSignature)?;
    let membership_seq = log.seq_of(body.membership_head).ok_or(SnapshotError::BadMembershipHead)?;
    let of_its_time = body.epoch == log.epoch_at(membership_seq) && !log.is_stale_at(membership_seq);
    if body.space != log.space() || !holds("snapshot-membership", of_its_time) {
        return Err(SnapshotError::BadMembershipHead);
    }
    if !log.role_at(account, membership_seq).is_some_and(Role::may_write) {
        return Err(SnapshotError::NotMember);
    }
    let name = |chain: &FoldedChain| (chain.device, chain.incarnation);
    let ascending = body.chains.is_sorted_by(|a, b| name(a) < name(b));
    let chains_count = body.chains.iter().all(|chain| chain.head.envelope_seq > 0);
    if !ascending || !chains_count || body.space_seq == 0 {
        return Err(SnapshotError::Malformed);
    }
    if body.parts.len() != snapshot.parts.len() || body.parts.is_empty() {
        return Err(SnapshotError::BadPart);
    }
    let mut envelopes = Vec::with_capacity(snapshot.parts.len());
    for (bytes, id) in snapshot.parts.iter().zip(&body.parts) {
        if !holds("snapshot-part", sha256(bytes) == *id) {
            return Err(SnapshotError::BadPart);
        }
        let envelope = Envelope::parse(bytes).map_err(|_| SnapshotError::BadPart)?;
        let place = envelope.place();
        let belongs = place.space == body.space
            && place.device == body.device
            && place.incarnation == body.incarnation
            && place.epoch == body.epoch
            && place.membership_head == body.membership_head
            && place.envelope_seq == body.space_seq
            && place.previous == Hash32::ZERO;
        if !belongs {
            return Err(SnapshotError::BadPart);
        }
        envelopes.push(envelope);
    }
    Ok(envelopes)
}

/// Checks that `statements` hold the last word of every chain of `body`, each under its device's key, and no two of one chain.
/// `key` gives a device's key, removed ones included.
pub fn verify_statements(
    body: &SnapshotBody,
    statements: &[Signed<Statement>],
    mut key: impl FnMut(DeviceId) -> Option<VerifyingKey>,
) -> Result<(), SnapshotError> {
    let mut named = std::collections::BTreeMap::new();
    for signed in statements {
        let signer = key(signed.unverified().device).ok_or(SnapshotError::BadSignature)?;
        let statement = signed.verify(&signer).map_err(|_| SnapshotError::BadSignature)?;
        let fits = statement.space == body.space && statement.is_well_formed();
        if !fits || named.insert((statement.device, statement.incarnation), statement).is_some() {
            return Err(SnapshotError::BadStatement);
        }
    }
    for chain in &body.chains {
        let said = named.remove(&(chain.device, chain.incarnation));
        let same = said.is_some_and(|statement| {
            statement.envelope_seq == chain.head.envelope_seq && statement.last == chain.head.hash
        });
        if !holds("snapshot-statement", same) {
            return Err(SnapshotError::BadStatement);
        }
    }
    // What is left has written nothing: it acknowledges only.
    if named.values().all(|statement| statement.envelope_seq == 0) {
        Ok(())
    } else {
        Err(SnapshotError::BadStatement)
    }
}
