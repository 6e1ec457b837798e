//! What a device says of a request on the wire, and what an answer leaves out: what the other side has, it is not told again.
//!
//! A statement goes as what is new since the last one of its chain that the relay has shown; the body of a snapshot is left out,
//! for it says nothing that the relay does not have; an entry that comes back to the very request that brought it is confirmed by
//! the relay's signature alone. Nothing here is believed: the whole is put together again, and then checked as if it had been
//! said in full, signature and all. It must not know where the other side keeps what it has.

use std::borrow::Cow;

use mecum_seal::{DeviceId, Envelope, Hash32, IncarnationId, Signature, SpaceId, sha256};
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::account_log::AccountEntry;
use crate::codec;
use crate::controls::{holds, is_out};
use crate::follower::FollowError;
use crate::frames::{Item, Pruning, Push, SyncRequest, SyncResponse};
use crate::handed::Handed;
use crate::limits::{
    MAX_ACCOUNT_ENTRIES, MAX_ENVELOPES_PER_PUSH, MAX_PUSH_BYTES, MAX_PUSHES, MAX_RECEIVED,
    MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_PARTS, MAX_SNAPSHOTS, MAX_SPACE_ENTRIES,
};
use crate::receipt::Countersign;
use crate::signed::Signed;
use crate::snapshot::{FoldedChain, SnapshotBody, SpaceSnapshot};
use crate::space_log::SpaceEntry;
use crate::statement::{Received, Statement};

/// The short forms that this version speaks, as the number that a relay tells at sign-in ([`crate::SessionGrant::forms`]).
pub const FORMS: u32 = 1;
/// What [`SaidRequest::forms`] is at least if the answer may count the requests by helpers that are open
/// ([`crate::HelpersNotice::others`]). It is no form of its own at sign-in: a relay that takes the first ones takes any greater number
/// for them, and one that does not count says nothing.
pub const FORMS_COUNTED: u32 = 2;
/// What a relay tells at sign-in at least if it takes pushes that are handed over ([`SyncRequest::handed`]).
pub const FORMS_HANDED: u32 = 3;

/// The first bytes of a statement's hash, by which a later one names it. They select; what proves is the signature.
pub type Base = [u8; 8];

/// How a statement is named by a later one of its chain.
pub fn base_of(statement: &Statement) -> Base {
    let hash = sha256(&codec::encode(statement));
    let mut base = [0; 8];
    base.copy_from_slice(hash.as_bytes().split_at(8).0);
    base
}

/// A chain that is held further than the base says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Moved {
    /// Its place among the base's `received`, from 0.
    #[n(0)]
    pub place: u32,
    /// The last `envelope_seq` held now. Which link that is, the relay knows.
    #[n(1)]
    pub envelope_seq: u64,
}

/// A chain that is held now, and of which the base says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Begun {
    /// The device whose chain it is.
    #[n(0)]
    pub device: DeviceId,
    /// That device's incarnation.
    #[n(1)]
    pub incarnation: IncarnationId,
    /// The last `envelope_seq` held.
    #[n(2)]
    pub envelope_seq: u64,
}

/// A push whose statement is said by what is new in it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ShortPush {
    /// The envelopes' bytes, in chain order. The last one says where the statement ends.
    #[cbor(
        n(0),
        encode_with = "codec::encode_blobs",
        decode_with = "codec::blobs::<MAX_ENVELOPES_PER_PUSH, MAX_PUSH_BYTES, _>"
    )]
    pub envelopes: Vec<Vec<u8>>,
    /// The space, where no envelope names it.
    #[n(1)]
    pub space: Option<SpaceId>,
    /// The last statement of the chain, as the relay has shown it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub base: Base,
    /// The statement's `heads`.
    #[n(3)]
    pub heads: Hash32,
    /// Chains that are held further, in the base's order.
    #[cbor(n(4), decode_with = "codec::list::<MAX_RECEIVED, _, _>")]
    pub moved: Vec<Moved>,
    /// Chains that are new, in ascending order.
    #[cbor(n(5), decode_with = "codec::list::<MAX_RECEIVED, _, _>")]
    pub begun: Vec<Begun>,
    /// Over the whole statement.
    #[n(6)]
    pub signature: Signature,
}

impl ShortPush {
    /// The short form of `push` over `base`. None where it would not say the same: it is said in full then.
    pub fn of(push: &Push, base: &Statement) -> Option<Self> {
        let statement = push.statement.unverified();
        if statement.chain() != base.chain() {
            return None;
        }
        let end = match push.envelopes.last() {
            Some(last) => end_of(last)?,
            None => (base.space, base.envelope_seq, base.last),
        };
        if end != (statement.space, statement.envelope_seq, statement.last) {
            return None;
        }
        let name = |r: &Received| (r.device, r.incarnation);
        let mut moved = Vec::new();
        for (place, earlier) in base.received.iter().enumerate() {
            let now = statement.received.iter().find(|r| name(r) == name(earlier))?;
            if now.envelope_seq != earlier.envelope_seq {
                moved.push(Moved { place: u32::try_from(place).ok()?, envelope_seq: now.envelope_seq });
            } else if now.last != earlier.last {
                return None;
            }
        }
        let is_new = |r: &&Received| !base.received.iter().any(|earlier| name(earlier) == name(r));
        let begun = statement.received.iter().filter(is_new).map(|r| Begun {
            device: r.device,
            incarnation: r.incarnation,
            envelope_seq: r.envelope_seq,
        });
        Some(Self {
            envelopes: push.envelopes.clone(),
            space: push.envelopes.is_empty().then_some(statement.space),
            base: base_of(base),
            heads: statement.heads,
            moved,
            begun: begun.collect(),
            signature: push.statement.signature(),
        })
    }

    /// The space that it is for; none if its envelopes do not say.
    pub fn space(&self) -> Option<SpaceId> {
        match (self.space, self.envelopes.last()) {
            (Some(space), None) => Some(space),
            (None, Some(last)) => end_of(last).map(|(space, ..)| space),
            _ => None,
        }
    }

    /// The push in full over `base`, with nothing said about whether its signature holds. `link` gives the content id of a link of
    /// a chain of the same space. None if it is over another base, or names what is not there.
    pub fn whole<E>(
        &self,
        base: &Statement,
        mut link: impl FnMut(DeviceId, IncarnationId, u64) -> Result<Option<Hash32>, E>,
    ) -> Result<Option<Push>, E> {
        if !holds("statement-base", base_of(base) == self.base) {
            return Ok(None);
        }
        let end = match self.envelopes.last() {
            Some(last) => end_of(last).map(|(_, seq, last)| (seq, last)),
            None => Some((base.envelope_seq, base.last)),
        };
        let Some((envelope_seq, last)) = end else { return Ok(None) };
        let mut received = base.received.clone();
        for moved in &self.moved {
            let place = usize::try_from(moved.place).ok().and_then(|place| received.get_mut(place));
            let Some(of) = place else { return Ok(None) };
            let Some(last) = link(of.device, of.incarnation, moved.envelope_seq)? else { return Ok(None) };
            (of.envelope_seq, of.last) = (moved.envelope_seq, last);
        }
        for Begun { device, incarnation, envelope_seq } in self.begun.iter().copied() {
            let Some(last) = link(device, incarnation, envelope_seq)? else { return Ok(None) };
            received.push(Received { device, incarnation, envelope_seq, last });
        }
        received.sort_unstable_by_key(|r| (r.device, r.incarnation));
        if received.len() > MAX_RECEIVED {
            return Ok(None);
        }
        let Statement { space, device, incarnation, .. } = *base;
        let heads = self.heads;
        let statement = Statement { space, device, incarnation, envelope_seq, last, heads, received };
        let statement = Signed::put_together(statement, self.signature);
        Ok(Some(Push { envelopes: self.envelopes.clone(), statement }))
    }
}

/// The space, number and content id of an envelope.
fn end_of(bytes: &[u8]) -> Option<(SpaceId, u64, Hash32)> {
    let envelope = Envelope::parse(bytes).ok()?;
    Some((envelope.place().space, envelope.place().envelope_seq, envelope.content_id()))
}

/// A snapshot without what its maker signed: the relay takes it only if that is what the relay itself has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ShortSnapshot {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// Everything up to this `space_seq` is in it.
    #[n(1)]
    pub space_seq: u64,
    /// Over the whole body.
    #[n(2)]
    pub signature: Signature,
    /// The parts.
    #[cbor(
        n(3),
        encode_with = "codec::encode_blobs",
        decode_with = "codec::blobs::<MAX_SNAPSHOT_PARTS, MAX_SNAPSHOT_BYTES, _>"
    )]
    pub parts: Vec<Vec<u8>>,
}

/// How a space stands: what the body of a snapshot says beside its maker and its parts.
#[derive(Clone, Debug)]
pub struct SpaceStanding {
    /// Head of the membership log.
    pub membership_head: Hash32,
    /// The current epoch.
    pub epoch: u32,
    /// Every chain with envelopes, ascending.
    pub chains: Vec<FoldedChain>,
}

impl ShortSnapshot {
    /// The short form of `snapshot`.
    pub fn of(snapshot: &SpaceSnapshot) -> Self {
        let SnapshotBody { space, space_seq, .. } = *snapshot.signed.unverified();
        let signature = snapshot.signed.signature();
        Self { space, space_seq, signature, parts: snapshot.parts.clone() }
    }

    /// The snapshot in full, if its maker, `by`, saw the space as it stands; else one whose signature does not hold.
    pub fn whole(&self, by: (DeviceId, IncarnationId), standing: SpaceStanding) -> SpaceSnapshot {
        let body = SnapshotBody {
            space: self.space,
            device: by.0,
            incarnation: by.1,
            space_seq: self.space_seq,
            membership_head: standing.membership_head,
            epoch: standing.epoch,
            chains: standing.chains,
            parts: self.parts.iter().map(|part| sha256(part)).collect(),
        };
        SpaceSnapshot { signed: Signed::put_together(body, self.signature), parts: self.parts.clone() }
    }
}

/// Something in full or in its short form: each is an array, and their lengths differ.
macro_rules! said {
    ($(#[$doc:meta])* $name:ident, $whole:ty, $short:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            /// In full.
            Whole($whole),
            /// By what is new in it.
            Short($short),
        }

        impl<Ctx> Encode<Ctx> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                ctx: &mut Ctx,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                match self {
                    Self::Whole(whole) => whole.encode(e, ctx),
                    Self::Short(short) => short.encode(e, ctx),
                }
            }
        }

        impl<'b, Ctx> Decode<'b, Ctx> for $name {
            fn decode(d: &mut Decoder<'b>, ctx: &mut Ctx) -> Result<Self, Error> {
                match d.probe().array()? {
                    Some(2) => Decode::decode(d, ctx).map(Self::Whole),
                    _ => Decode::decode(d, ctx).map(Self::Short),
                }
            }
        }
    };
}

said! {
    /// A push on the wire.
    SaidPush, Push, ShortPush
}

said! {
    /// A snapshot on the wire.
    SaidSnapshot, SpaceSnapshot, ShortSnapshot
}

impl SaidPush {
    /// The space that it is for; none if it does not say.
    pub fn space(&self) -> Option<SpaceId> {
        match self {
            Self::Whole(push) => Some(push.space()),
            Self::Short(short) => short.space(),
        }
    }
}

/// A [`SyncRequest`] on the wire. Said in full it is the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SaidRequest {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// As in [`SyncRequest`].
    #[cbor(n(1), with = "codec::stripes")]
    pub cursor: u64,
    /// As in [`SyncRequest`].
    #[cbor(n(2), decode_with = "codec::list::<MAX_ACCOUNT_ENTRIES, _, _>")]
    pub account_entries: Vec<Signed<AccountEntry>>,
    /// As in [`SyncRequest`].
    #[cbor(n(3), decode_with = "codec::list::<MAX_SPACE_ENTRIES, _, _>")]
    pub space_entries: Vec<Signed<SpaceEntry>>,
    /// The pushes, in order, each in full or short.
    #[cbor(n(4), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub pushes: Vec<SaidPush>,
    /// As in [`SyncRequest`].
    #[n(5)]
    pub max_bytes: u64,
    /// The snapshots, in order, each in full or short.
    #[cbor(n(6), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub snapshots: Vec<SaidSnapshot>,
    /// As in [`SyncRequest`].
    #[n(7)]
    pub from_snapshots: bool,
    /// As in [`SyncRequest`].
    #[n(8)]
    pub pruning: Option<Pruning>,
    /// The short forms that the answer may take. None, and so no bytes, where it could take none.
    #[n(9)]
    pub forms: Option<u32>,
    /// As in [`SyncRequest`]: in full, for the relay has no base for any of them.
    #[n(10)]
    pub handed: Option<Handed>,
}

impl SaidRequest {
    /// `request` in the short forms, as far as `base` gives the last statement that the relay has shown of a push's chain. Where it
    /// gives none, the push is said in full.
    pub fn short<'a>(request: &SyncRequest, mut base: impl FnMut(&Push) -> Option<&'a Statement>) -> Self {
        let mut said = Self::from(request);
        for (said, push) in said.pushes.iter_mut().zip(&request.pushes) {
            if let Some(short) = base(push).and_then(|base| ShortPush::of(push, base)) {
                *said = SaidPush::Short(short);
            }
        }
        let short = |snapshot| SaidSnapshot::Short(ShortSnapshot::of(snapshot));
        said.snapshots = request.snapshots.iter().map(short).collect();
        said.forms = (!request.space_entries.is_empty()).then_some(FORMS);
        said
    }

    /// Whether a snapshot may stand for what was pruned.
    pub fn over_pruned(&self) -> bool {
        self.from_snapshots || self.pruning.as_ref().is_some_and(|pruning| pruning.over_pruned)
    }

    /// The same, from a device that was told of a request by helpers and would know how many there are.
    #[must_use]
    pub fn counting(self) -> Self {
        Self { forms: Some(FORMS_COUNTED), ..self }
    }

    /// Whether its answer may count the requests by helpers that are open.
    pub fn takes_count(&self) -> bool {
        self.forms.is_some_and(|forms| forms >= FORMS_COUNTED)
    }

    /// Whether its answer may confirm entries without their bodies.
    pub fn takes_confirmations(&self) -> bool {
        self.forms.is_some_and(|forms| forms >= FORMS)
    }
}

impl From<&SyncRequest> for SaidRequest {
    fn from(request: &SyncRequest) -> Self {
        Self {
            version: request.version,
            cursor: request.cursor,
            account_entries: request.account_entries.clone(),
            space_entries: request.space_entries.clone(),
            pushes: request.pushes.iter().cloned().map(SaidPush::Whole).collect(),
            max_bytes: request.max_bytes,
            snapshots: request.snapshots.iter().cloned().map(SaidSnapshot::Whole).collect(),
            from_snapshots: request.from_snapshots,
            pruning: request.pruning.clone(),
            forms: None,
            handed: request.handed.clone(),
        }
    }
}

impl SyncResponse {
    /// The answer to `request` with everything in it that a short form left out: what the asking device has in that very request.
    /// An entry is found by the hash that the relay signed for; that signature is still to be checked.
    pub fn whole(&self, request: &SyncRequest) -> Result<Cow<'_, Self>, FollowError> {
        let is_short = |item: &Item| matches!(item, Item::Confirmed(_));
        if !self.items.iter().any(is_short) {
            return Ok(Cow::Borrowed(self));
        }
        let mut items = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let Item::Confirmed(countersign) = item else {
                items.push(item.clone());
                continue;
            };
            match confirmed(request, countersign) {
                Some(entry) => {
                    let (entry, countersign) = (entry.clone(), countersign.clone());
                    items.push(Item::SpaceEntry { entry, countersign });
                }
                None if is_out("confirmed-brought") => {}
                None => return Err(FollowError::BadAnswer),
            }
        }
        Ok(Cow::Owned(Self { items, ..self.clone() }))
    }
}

/// The entry of `request` that `countersign` is about.
fn confirmed<'r>(
    request: &'r SyncRequest,
    countersign: &Signed<Countersign>,
) -> Option<&'r Signed<SpaceEntry>> {
    let Countersign { space, seq, entry, .. } = *countersign.unverified();
    let is_it = |own: &&Signed<SpaceEntry>| {
        let of = own.unverified();
        of.space == space && of.seq == seq && holds("confirmed-entry", own.hash() == entry)
    };
    request.space_entries.iter().find(is_it)
}
