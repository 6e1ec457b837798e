//! What this device keeps about a space and about a document: keys, places in the chain, counters.

use mecum_domain::{ChartId, Section, Side};
use mecum_seal::{DocumentId, DocumentKey, Envelope, EpochKey, Hash32, SpaceId, document_key_in_epoch};
use mecum_sync::Why;
use minicbor::{Decode, Encode};

use crate::care::{Care, code_of_side, side_of_code, side_of_document};
use crate::error::SessionError;
use crate::heads::OwnChange;

/// A space: one section of one chart.
#[derive(Clone, Debug)]
pub(crate) struct SpaceState {
    /// Its id.
    pub space: SpaceId,
    /// Whose.
    pub chart: ChartId,
    /// Which section.
    pub section: Section,
    /// The key of the current epoch.
    pub key: EpochKey,
    /// The epoch.
    pub epoch: u32,
    /// The keys of the epochs before, as far as this account has them: what was written in them stays readable.
    pub earlier: Vec<(u32, EpochKey)>,
    /// How this account's stay ended, if it did: what was read stays, nothing is written any more.
    pub ended: Option<Why>,
    /// How many devices this account had removed when the current epoch began: one that was removed later has its key.
    pub removed_devices: u64,
    /// Head of its membership log.
    pub membership: Hash32,
    /// Its genesis entry, while the relay has not taken it.
    pub unsent_genesis: Option<Vec<u8>>,
    /// Last `envelope_seq` of this device's chain.
    pub own_seq: u64,
    /// Content id of the last envelope of this device's chain.
    pub own_last: Hash32,
    /// The membership head that the last own envelope was written under.
    pub own_membership: Hash32,
    /// The relay has a snapshot that covers the space up to here; 0 if none is known.
    pub snapshot_seq: u64,
    /// With which hospital it is, of a conversation; none elsewhere.
    pub care: Option<Care>,
}

#[derive(Encode, Decode)]
struct StoredKey {
    #[n(0)]
    epoch: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: [u8; 32],
}

#[derive(Encode, Decode)]
struct StoredSpace {
    #[cbor(n(0), with = "minicbor::bytes")]
    chart: [u8; 16],
    #[n(1)]
    section: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(3)]
    epoch: u32,
    #[n(4)]
    membership: Hash32,
    #[cbor(n(5), with = "minicbor::bytes")]
    unsent_genesis: Option<Vec<u8>>,
    #[n(8)]
    snapshot_seq: Option<u64>,
    #[n(9)]
    own_membership: Option<Hash32>,
    #[n(10)]
    earlier: Option<Vec<StoredKey>>,
    #[n(11)]
    ended: Option<Why>,
    #[n(12)]
    removed_devices: Option<u64>,
    #[n(13)]
    care: Option<Care>,
    #[n(6)]
    own_seq: u64,
    #[n(7)]
    own_last: Hash32,
}

impl SpaceState {
    /// The bytes that the vault seals.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let earlier = self.earlier.iter().map(|(epoch, key)| StoredKey { epoch: *epoch, key: *key.expose() });
        let stored = StoredSpace {
            chart: *self.chart.as_bytes(),
            section: self.section.code(),
            key: *self.key.expose(),
            epoch: self.epoch,
            membership: self.membership,
            unsent_genesis: self.unsent_genesis.clone(),
            own_seq: self.own_seq,
            own_last: self.own_last,
            snapshot_seq: Some(self.snapshot_seq),
            own_membership: Some(self.own_membership),
            earlier: Some(earlier.collect()),
            ended: self.ended,
            removed_devices: Some(self.removed_devices),
            care: self.care.clone(),
        };
        minicbor::to_vec(&stored).expect("plain fields encode")
    }

    /// The state of stored bytes.
    pub(crate) fn decode(name: &[u8], bytes: &[u8]) -> Result<Self, SessionError> {
        let broken = SessionError::Stored { what: "space" };
        let stored: StoredSpace =
            minicbor::decode(bytes).map_err(|_| SessionError::Stored { what: "space" })?;
        let (Some(space), Some(section)) = (SpaceId::from_slice(name), Section::from_code(stored.section))
        else {
            return Err(broken);
        };
        if (section == Section::Care) != stored.care.is_some() {
            return Err(broken);
        }
        Ok(Self {
            space,
            chart: ChartId::from_bytes(stored.chart),
            section,
            key: EpochKey::from_bytes(stored.key),
            epoch: stored.epoch,
            membership: stored.membership,
            unsent_genesis: stored.unsent_genesis,
            own_seq: stored.own_seq,
            own_last: stored.own_last,
            snapshot_seq: stored.snapshot_seq.unwrap_or(0),
            own_membership: stored.own_membership.unwrap_or(stored.membership),
            earlier: stored
                .earlier
                .into_iter()
                .flatten()
                .map(|stored| (stored.epoch, EpochKey::from_bytes(stored.key)))
                .collect(),
            ended: stored.ended,
            removed_devices: stored.removed_devices.unwrap_or(0),
            care: stored.care,
        })
    }

    /// The key of an epoch, if this account has it.
    pub(crate) fn epoch_key(&self, epoch: u32) -> Option<&EpochKey> {
        self.epoch_keys(epoch).next()
    }

    /// The keys of an epoch, the one that counts first: where two devices began it at once, what was written here under the one that
    /// gave way is in the log here.
    pub(crate) fn epoch_keys(&self, epoch: u32) -> impl Iterator<Item = &EpochKey> {
        let earlier = self.earlier.iter().rev().map(|(epoch, key)| (*epoch, key));
        let all = std::iter::once((self.epoch, &self.key)).chain(earlier);
        all.filter(move |(of, _)| *of == epoch).map(|(_, key)| key)
    }

    /// What opens an envelope of a document of it, of any key of its epoch.
    pub(crate) fn open(&self, document: &DocumentKey, envelope: &Envelope) -> Option<Vec<u8>> {
        self.open_with_key(document, envelope).map(|(_, plaintext)| plaintext)
    }

    /// The same, with the key that did.
    pub(crate) fn open_with_key(
        &self,
        document: &DocumentKey,
        envelope: &Envelope,
    ) -> Option<(DocumentKey, Vec<u8>)> {
        let epoch = envelope.place().epoch;
        self.epoch_keys(epoch).find_map(|key| {
            let key = document_key_in_epoch(document, epoch, key);
            let plaintext = envelope.open(&key).ok()?;
            Some((key, plaintext))
        })
    }

    /// The same for an envelope of its control document.
    pub(crate) fn open_control(&self, envelope: &Envelope) -> Option<Vec<u8>> {
        self.epoch_keys(envelope.place().epoch).find_map(|key| envelope.open(key).ok())
    }

    /// The keys of every epoch, the current one first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &EpochKey> {
        std::iter::once(&self.key).chain(self.earlier.iter().map(|(_, key)| key))
    }

    /// What seals a document of it in an epoch.
    pub(crate) fn document_key(&self, document: &DocumentKey, epoch: u32) -> Option<DocumentKey> {
        self.epoch_key(epoch).map(|key| document_key_in_epoch(document, epoch, key))
    }

    /// Goes over to a new epoch.
    pub(crate) fn begin_epoch(&mut self, epoch: u32, key: EpochKey) {
        let before = std::mem::replace(&mut self.key, key);
        self.earlier.push((self.epoch, before));
        self.epoch = epoch;
    }

    /// Whose side a document of this space is, by its id; none where it is no conversation.
    pub(crate) fn side_of(&self, document: DocumentId) -> Option<Side> {
        self.care.as_ref().map(|_| side_of_document(document))
    }

    /// The log under which the vault keeps the envelopes of the space's control document: the control id is the same in
    /// every space, the vault's logs are not.
    pub(crate) fn control_log(&self) -> DocumentId {
        DocumentId::from_bytes(*self.space.as_bytes())
    }
}

/// A document of a space.
#[derive(Clone, Debug)]
pub(crate) struct DocumentState {
    /// Its id.
    pub document: DocumentId,
    /// Its space.
    pub space: SpaceId,
    /// Its key.
    pub key: DocumentKey,
    /// The year that it holds; 0 for what has none.
    pub shard: i16,
    /// Envelopes in the vault's log of it.
    pub count: u64,
    /// The local snapshot covers the log up to here; 0 without one.
    pub snapshot_at: u64,
    /// Bytes of the local snapshot.
    pub snapshot_bytes: u64,
    /// Bytes of envelopes beyond the snapshot.
    pub tail_bytes: u64,
    /// View pages.
    pub pages: u32,
    /// Version of the view pages.
    pub view_version: u32,
    /// Operations in it.
    pub operations: u32,
    /// This device's own last change in it; `None` if an older version kept it without.
    pub own: Option<OwnChange>,
    /// How many cuts took something out of it. Such a document is kept whole, with what was done to it.
    pub cuts: u32,
    /// Whose side of a conversation it is; none elsewhere.
    pub side: Option<Side>,
}

#[derive(Encode, Decode)]
struct StoredDocument {
    #[n(0)]
    space: SpaceId,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(2)]
    shard: i16,
    #[n(3)]
    count: u64,
    #[n(4)]
    snapshot_at: u64,
    #[n(5)]
    snapshot_bytes: u64,
    #[n(6)]
    tail_bytes: u64,
    #[n(7)]
    pages: u32,
    #[n(8)]
    view_version: u32,
    #[n(9)]
    operations: u32,
    #[n(10)]
    own: Option<OwnChange>,
    #[n(11)]
    cuts: Option<u32>,
    #[n(12)]
    side: Option<u8>,
}

impl DocumentState {
    /// A document without envelopes.
    pub(crate) fn new(
        document: DocumentId,
        space: SpaceId,
        key: DocumentKey,
        shard: i16,
        side: Option<Side>,
    ) -> Self {
        Self {
            document,
            space,
            key,
            shard,
            count: 0,
            snapshot_at: 0,
            snapshot_bytes: 0,
            tail_bytes: 0,
            pages: 0,
            view_version: crate::pages::VIEW_VERSION,
            operations: 0,
            own: Some(OwnChange::NONE),
            cuts: 0,
            side,
        }
    }

    /// The bytes that the vault seals.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = StoredDocument {
            space: self.space,
            key: *self.key.expose(),
            shard: self.shard,
            count: self.count,
            snapshot_at: self.snapshot_at,
            snapshot_bytes: self.snapshot_bytes,
            tail_bytes: self.tail_bytes,
            pages: self.pages,
            view_version: self.view_version,
            operations: self.operations,
            own: self.own,
            cuts: (self.cuts > 0).then_some(self.cuts),
            side: self.side.map(code_of_side),
        };
        minicbor::to_vec(&stored).expect("plain fields encode")
    }

    /// The state of stored bytes.
    pub(crate) fn decode(name: &[u8], bytes: &[u8]) -> Result<Self, SessionError> {
        let stored: StoredDocument =
            minicbor::decode(bytes).map_err(|_| SessionError::Stored { what: "document" })?;
        let document = DocumentId::from_slice(name).ok_or(SessionError::Stored { what: "document" })?;
        let side = match stored.side {
            None => None,
            Some(code) => {
                let side = side_of_code(code).filter(|side| *side == side_of_document(document));
                Some(side.ok_or(SessionError::Stored { what: "document" })?)
            }
        };
        Ok(Self {
            document,
            space: stored.space,
            key: DocumentKey::from_bytes(stored.key),
            shard: stored.shard,
            count: stored.count,
            snapshot_at: stored.snapshot_at,
            snapshot_bytes: stored.snapshot_bytes,
            tail_bytes: stored.tail_bytes,
            pages: stored.pages,
            view_version: stored.view_version,
            operations: stored.operations,
            own: stored.own,
            cuts: stored.cuts.unwrap_or(0),
            side,
        })
    }

    /// The tail is long enough to fold into a new local snapshot (DESIGN 5, "Bounded").
    pub(crate) fn wants_snapshot(&self) -> bool {
        const FLOOR_BYTES: u64 = 64 * 1024;
        const MAX_TAIL: u64 = 300;
        self.tail_bytes >= self.snapshot_bytes.max(FLOOR_BYTES) || self.count - self.snapshot_at >= MAX_TAIL
    }
}
