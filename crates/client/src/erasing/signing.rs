//! Making a successor and signing that it takes a document's place.

use std::collections::BTreeSet;

use mecum_api::ErasureKind;
use mecum_documents::{Actor, Item};
use mecum_domain::{ChartId, EntryId, FinishedKey};
use mecum_seal::{
    DocumentId, DocumentKey, EpochKey, Hash32, SpaceId, derive_key, open_row, seal_row, sha256_parts,
};
use mecum_sync::{Replaced, SpaceBody};
use mecum_vault::Table;

use super::base::{Base, Info, OpenSuccessor, Reason, Touched, base_digest};
use super::{code_of, pending_name};
use crate::arrivals::{Arrival, waiting_name};
use crate::care::new_document;
use crate::error::{SessionError, refused};
use crate::members::resealed_name;
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};
use crate::stage::Stage;

pub(super) const REPLACEMENT_PURPOSE: &str = "mecum replacement v1";

/// Where the reason of a replacement is sealed.
pub(super) fn reason_aad(space: SpaceId, document: DocumentId, by: DocumentId) -> Vec<u8> {
    [space.as_bytes().as_slice(), document.as_bytes(), by.as_bytes()].concat()
}

/// An item as rows name it.
pub(super) fn key_of_item(item: Item) -> ItemKey {
    match item {
        Item::Entry(entry) => ItemKey::Entry(*entry.as_bytes()),
        Item::Finished(key) => ItemKey::Finished(*key.as_bytes()),
    }
}

/// An item as documents name it.
pub(super) fn item_of_key(key: ItemKey) -> Item {
    match key {
        ItemKey::Entry(id) => Item::Entry(EntryId::from_bytes(id)),
        ItemKey::Finished(id) => Item::Finished(FinishedKey::from_bytes(id)),
    }
}

impl Session {
    /// Stages the end of a document: its successor without `left_out`, the entry that says so, and a new epoch, so that nobody who
    /// has not heard of it can still write to the old one at the server. Nothing of it is shown before the entry is in force.
    pub(super) fn stage_successor(
        &mut self,
        stage: &mut Stage,
        old: &DocumentState,
        left_out: &BTreeSet<ItemKey>,
        kind: ErasureKind,
        reason: &str,
    ) -> Result<DocumentId, SessionError> {
        self.stage_successor_saying(stage, old, left_out, (kind, reason), |info| info)
    }

    /// The same, and what is said beside its changes is as `say` makes it of the truth.
    pub(crate) fn stage_successor_saying(
        &mut self,
        stage: &mut Stage,
        old: &DocumentState,
        left_out: &BTreeSet<ItemKey>,
        (kind, reason): (ErasureKind, &str),
        say: impl FnOnce(Info) -> Info,
    ) -> Result<DocumentId, SessionError> {
        let space = old.space;
        let current = self.open_document(old.document)?.clone();
        let replayed = self.replayed(stage, old)?;
        let before = self.successor_info(stage, old.document)?.unwrap_or_default();
        let (by, of_side) = new_document(space, old.side, self.identity.account, self.entropy());
        let key = DocumentKey::make(self.entropy());
        let author_of = |actor: Actor| before.author(replayed.author(actor));
        let keep = |item: Item| !left_out.contains(&key_of_item(item));
        let made = current.regenesis(by.as_bytes(), self.identity.actor(), &author_of, &keep);
        // No later try makes one of it either: the person is told, and what else was decided goes on.
        let made = made.map_err(|_| refused("error-document"))?;
        let items = self.touched(old, left_out)?;
        let mut erased = before.erased.clone();
        if kind == ErasureKind::Erase {
            erased.extend(left_out.iter().filter_map(|key| self.tombstone(space, *key)));
        }
        let records = self.records_beside(old)?;
        let info = say(Info::new(made.authors.clone(), items, erased, records));
        let heads = made.document.heads_of(&|_| true);
        let digest = base_digest(&heads, &info.encode());
        let base = Base::new(
            old.document,
            &current.heads(),
            left_out.iter().copied().collect(),
            &info,
            &made.document,
        );
        self.stage_replacement(stage, space, old.document, by, &Reason::new(code_of(kind), reason, digest))?;
        let opening = OpenSuccessor::new(by, &key, old.shard, old.document, of_side);
        let state = self.staged_space(stage, space)?;
        self.stage_envelope(stage, space, DocumentId::CONTROL, &state.key, &opening.encode())?;
        let sealing = state.document_key(&key, state.epoch).ok_or(SessionError::Envelope)?;
        let seq = self.stage_envelope(stage, space, by, &sealing, &base.encode())?;
        // It is in no log: it waits, as another device's does, and goes out from here.
        let (Some((_, bytes)), Some(_)) = (stage.appended.pop(), stage.puts.pop()) else {
            return Err(SessionError::Envelope);
        };
        let envelope = mecum_seal::Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
        let name = waiting_name(&Arrival { envelope, bytes: Vec::new(), kept: false });
        stage.puts.push((Table::Waiting, name, bytes.clone()));
        stage.puts.push((Table::Sync, resealed_name(space, seq), bytes));
        let own = self.identity.account;
        stage.puts.push((Table::Sync, pending_name(by, own), opening.pending(space, own).encode()));
        Ok(by)
    }

    /// Signs that a document takes another's place, and begins a new epoch.
    pub(crate) fn stage_replacement(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        document: DocumentId,
        by: DocumentId,
        reason: &Reason,
    ) -> Result<(), SessionError> {
        let state = self.staged_space(stage, space)?;
        let sealed_reason = seal_row(
            &derive_key(&state.key, REPLACEMENT_PURPOSE),
            &reason_aad(space, document, by),
            &reason.encode(),
            self.entropy(),
        );
        let chains = self.folded_chains(&state);
        self.stage_space_entry(stage, space, SpaceBody::Replace { document, by, sealed_reason, chains })?;
        self.stage_epoch(stage, space)
    }

    /// What the entry of a replacement says.
    pub(super) fn reason_of(
        &self,
        stage: &Stage,
        space: &SpaceState,
        of: &Replaced,
    ) -> Result<Option<Reason>, SessionError> {
        let Some(entry) = self.kept_entry(stage, space.space, of.entry)? else { return Ok(None) };
        let SpaceBody::Replace { sealed_reason, .. } = entry.body else { return Ok(None) };
        let aad = reason_aad(space.space, of.document, of.by);
        let opened = space
            .keys()
            .find_map(|key| open_row(&derive_key(key, REPLACEMENT_PURPOSE), &aad, &sealed_reason).ok());
        Ok(opened.and_then(|body| Reason::decode(&body)))
    }

    /// When each item that stays was written last, and on which device.
    fn touched(
        &mut self,
        old: &DocumentState,
        left_out: &BTreeSet<ItemKey>,
    ) -> Result<Vec<Touched>, SessionError> {
        let chart = self.space_of_document(old)?.chart;
        let rows = self.rows(chart)?.of_document(old.document);
        let mut items: Vec<Touched> = rows
            .filter(|row| !left_out.contains(&row.key))
            .map(|row| Touched { key: row.key, at_ms: row.at_ms, device: row.device })
            .collect();
        items.sort_unstable_by_key(|touched| touched.key);
        Ok(items)
    }

    /// The marks of everything finished that was erased from a chart, by section's space.
    pub(crate) fn erased_marks(&self, chart: ChartId) -> Result<BTreeSet<Hash32>, SessionError> {
        let mut marks = BTreeSet::new();
        for state in self.documents_of(chart) {
            let info = self.successor_info(&Stage::default(), state.document)?;
            marks.extend(info.into_iter().flat_map(|info| info.erased));
        }
        Ok(marks)
    }

    /// Whether an entry was erased from a chart before.
    pub(crate) fn is_erased(&self, marks: &BTreeSet<Hash32>, chart: ChartId, key: ItemKey) -> bool {
        let spaces = self.spaces.values().filter(|state| state.chart == chart);
        !marks.is_empty()
            && spaces.filter_map(|state| self.tombstone(state.space, key)).any(|mark| marks.contains(&mark))
    }

    /// The mark of a finished entry that was erased: whoever has it learns nothing, whoever has the key of the section's first epoch
    /// and the entry itself can tell that it was erased.
    pub(crate) fn tombstone(&self, space: SpaceId, key: ItemKey) -> Option<Hash32> {
        mark(self.spaces.get(&space)?.epoch_keys(1).last()?, key)
    }
}

/// The mark of a finished entry under a key of its section's first epoch.
pub(super) fn mark(first: &EpochKey, key: ItemKey) -> Option<Hash32> {
    let ItemKey::Finished(id) = key else { return None };
    let key = derive_key(first, "mecum erased v1");
    Some(sha256_parts(&[b"mecum erased v1\0", key.expose(), &id]))
}
