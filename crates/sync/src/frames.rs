//! The one request that catches a device up on everything, and its answer.

use mecum_seal::SpaceId;
use minicbor::{Decode, Encode};

use crate::account_log::AccountEntry;
use crate::codec;
use crate::handed::{Handed, HandedAnswer};
use crate::limits::{
    MAX_ACCOUNT_ENTRIES, MAX_CHAINS, MAX_ENVELOPES_PER_PUSH, MAX_ITEMS, MAX_PUSH_BYTES, MAX_PUSHES,
    MAX_SNAPSHOTS, MAX_SPACE_ENTRIES,
};
use crate::receipt::{Countersign, Receipts};
use crate::refusal::Refusal;
use crate::signed::Signed;
use crate::snapshot::{SpaceSnapshot, StoredSnapshot, Verified};
use crate::space_log::SpaceEntry;
use crate::statement::Statement;

/// The next envelopes of one chain and the statement that covers them. Without envelopes it acknowledges only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Push {
    /// The envelopes' bytes, in chain order.
    #[cbor(
        n(0),
        encode_with = "codec::encode_blobs",
        decode_with = "codec::blobs::<MAX_ENVELOPES_PER_PUSH, MAX_PUSH_BYTES, _>"
    )]
    pub envelopes: Vec<Vec<u8>>,
    /// Names the space and chain, and ends where the envelopes end.
    #[n(1)]
    pub statement: Signed<Statement>,
}

impl Push {
    /// The space that it is for.
    pub fn space(&self) -> SpaceId {
        self.statement.unverified().space
    }
}

/// `POST /v1/sync`: what is new here, and from where on what is new there is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SyncRequest {
    /// [`crate::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u32,
    /// The account cursor of the last answer that was stored durably; 0 at first.
    #[cbor(n(1), with = "codec::stripes")]
    pub cursor: u64,
    /// Entries for the account's log, in order. `previous` is the expected head.
    #[cbor(n(2), decode_with = "codec::list::<MAX_ACCOUNT_ENTRIES, _, _>")]
    pub account_entries: Vec<Signed<AccountEntry>>,
    /// Entries for spaces' logs, in order. `previous` is the expected head.
    #[cbor(n(3), decode_with = "codec::list::<MAX_SPACE_ENTRIES, _, _>")]
    pub space_entries: Vec<Signed<SpaceEntry>>,
    /// Pushes, in order: at most one for each space and request is usual, more are allowed.
    #[cbor(n(4), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub pushes: Vec<Push>,
    /// How many bytes of items the answer should hold at most. The relay may choose less; one item always comes.
    #[n(5)]
    pub max_bytes: u64,
    /// Snapshots of spaces, each of exactly what the relay has of its space.
    #[cbor(n(6), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub snapshots: Vec<SpaceSnapshot>,
    /// Whether the answer should begin a space from its snapshot, where there is one: asked by a device that holds nothing, from
    /// cursor 0 until it has caught up.
    #[n(7)]
    pub from_snapshots: bool,
    /// What only a request of a device that verifies, or reads a pruned history, says. None, and so no bytes, mostly.
    #[n(8)]
    pub pruning: Option<Pruning>,
    /// Pushes that the relay has lost. None, and so no bytes, but after it was restored. For a relay that takes them
    /// ([`crate::FORMS_HANDED`]).
    #[n(10)]
    pub handed: Option<Handed>,
}

/// The part of a request that is about pruned logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pruning {
    /// Whether a snapshot may stand for envelopes that were pruned: said by a device that reads from the start. Otherwise a
    /// cursor before them is refused (`resync`).
    #[n(0)]
    pub over_pruned: bool,
    /// The space whose stored snapshot is to be shown.
    #[n(1)]
    pub show: Option<SpaceId>,
    /// Snapshots that this device fetched and found right.
    #[cbor(n(2), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub verified: Vec<Signed<Verified>>,
}

impl SyncRequest {
    /// A request that pushes nothing.
    pub fn pull(cursor: u64, max_bytes: u64) -> Self {
        Self {
            version: crate::PROTOCOL_VERSION,
            cursor,
            account_entries: Vec::new(),
            space_entries: Vec::new(),
            pushes: Vec::new(),
            max_bytes,
            snapshots: Vec::new(),
            from_snapshots: false,
            pruning: None,
            handed: None,
        }
    }

    /// Whether a snapshot may stand for what was pruned.
    pub fn over_pruned(&self) -> bool {
        self.from_snapshots || self.pruning.as_ref().is_some_and(|pruning| pruning.over_pruned)
    }

    /// Snapshots that the asking device found right.
    pub fn verified(&self) -> &[Signed<Verified>] {
        self.pruning.as_ref().map_or(&[], |pruning| &pruning.verified)
    }
}

/// What became of one entry or push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub enum Outcome {
    /// Committed durably, now or by an earlier request with the same bytes.
    #[n(0)]
    Stored,
    /// Refused; it changed nothing.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

impl Outcome {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Outcome::Stored => None,
            Outcome::Refused(refusal) => Some(refusal),
        }
    }
}

/// One thing that is new for the account, in the order of its inbox.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub enum Item {
    /// An entry of the account's own log.
    #[n(1)]
    AccountEntry(#[n(0)] Signed<AccountEntry>),
    /// An entry of a space's membership log, under the relay's signature.
    #[n(2)]
    SpaceEntry {
        /// The entry.
        #[n(0)]
        entry: Signed<SpaceEntry>,
        /// Where the relay ordered it.
        #[n(1)]
        countersign: Signed<Countersign>,
    },
    /// A push of another device, or of an earlier incarnation of this one: whole, so that one signature covers it.
    #[n(3)]
    Batch {
        /// The `space_seq` of its first envelope; the others follow without a gap. For a push without envelopes: the
        /// `space_seq` that comes next.
        #[n(0)]
        first_space_seq: u64,
        /// The push. Envelopes that were stored by an earlier push are not repeated.
        #[n(1)]
        push: Push,
    },
    /// A push of the asking device and incarnation: without its bytes, which the device has.
    #[n(4)]
    Own {
        /// As in [`Item::Batch`].
        #[n(0)]
        first_space_seq: u64,
        /// How many envelopes were stored with it.
        #[n(1)]
        count: u64,
        /// Its statement.
        #[n(2)]
        statement: Signed<Statement>,
    },
    /// A snapshot, in the place of every push up to its `space_seq`. Only for who asked for snapshots.
    #[n(5)]
    Snapshot {
        /// The snapshot.
        #[n(0)]
        snapshot: SpaceSnapshot,
        /// The last statement of every chain when it was stored.
        #[cbor(n(1), decode_with = "codec::list::<MAX_CHAINS, _, _>")]
        statements: Vec<Signed<Statement>>,
    },
    /// There is a snapshot now: nobody else needs to make one of the same.
    #[n(6)]
    SnapshotStored {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// What it covers.
        #[n(1)]
        space_seq: u64,
    },
    /// An entry that this very request brought, without its body: only for who asked for short forms
    /// ([`crate::SaidRequest::forms`]). See [`SyncResponse::whole`].
    #[n(7)]
    Confirmed(#[n(0)] Signed<Countersign>),
}

/// The answer to a [`SyncRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SyncResponse {
    /// The relay's clock, in ms since the epoch.
    #[n(0)]
    pub server_time_ms: i64,
    /// One for each account entry, in order.
    #[cbor(n(1), decode_with = "codec::list::<MAX_ACCOUNT_ENTRIES, _, _>")]
    pub account_outcomes: Vec<Outcome>,
    /// One for each space entry, in order.
    #[cbor(n(2), decode_with = "codec::list::<MAX_SPACE_ENTRIES, _, _>")]
    pub space_outcomes: Vec<Outcome>,
    /// One for each push, in order.
    #[cbor(n(3), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub push_outcomes: Vec<Outcome>,
    /// What the relay holds of the accepted pushes; none if there were no envelopes.
    #[n(4)]
    pub receipts: Option<Signed<Receipts>>,
    /// What is new, in order.
    #[cbor(n(5), decode_with = "codec::list::<MAX_ITEMS, _, _>")]
    pub items: Vec<Item>,
    /// The cursor after these items.
    #[cbor(n(6), with = "codec::stripes")]
    pub cursor: u64,
    /// Whether there is more than this page.
    #[n(7)]
    pub more: bool,
    /// One for each snapshot, in order.
    #[cbor(n(8), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub snapshot_outcomes: Vec<Outcome>,
    /// The answer to [`SyncRequest::pruning`], and what the relay would have verified. None, and so no bytes, mostly.
    #[n(9)]
    pub pruned: Option<PruningAnswer>,
    /// Somebody asked to bring the account back by its helpers, and it is not over. None, and so no bytes, otherwise.
    #[n(10)]
    pub helpers_notice: Option<crate::helping::HelpersNotice>,
    /// What became of what was handed over. None, and so no bytes, where nothing was.
    #[n(11)]
    pub handed: Option<HandedAnswer>,
}

/// The part of an answer that is about pruned logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PruningAnswer {
    /// The snapshot that was asked for, if there is one that the asker may see.
    #[n(0)]
    pub shown: Option<StoredSnapshot>,
    /// One for each `verified` of the request, in order.
    #[cbor(n(1), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub verified_outcomes: Vec<Outcome>,
    /// Spaces whose snapshot waits to be verified by this device.
    #[cbor(n(2), decode_with = "codec::list::<MAX_SNAPSHOTS, _, _>")]
    pub to_verify: Vec<SpaceId>,
}

impl SyncResponse {
    /// One for each `verified` of the request.
    pub fn verified_outcomes(&self) -> &[Outcome] {
        self.pruned.as_ref().map_or(&[], |pruned| &pruned.verified_outcomes)
    }
}
