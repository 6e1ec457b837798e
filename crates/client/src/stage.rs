//! One durable step: everything that belongs together is prepared aside, then committed in one transaction, then swapped
//! in. A step that fails leaves the session and the vault as they were.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::Topic;
use mecum_documents::{Authored, Document, Replayed};
use mecum_domain::{Batch, ChartId, Edit, FinishedKey, Section, Side};
use mecum_seal::{
    DocumentId, DocumentKey, EpochKey, Key32, Place, SpaceId, derive_key, seal_envelope_seeded, seal_row,
};
use mecum_sync::{Follower, encode};
use mecum_vault::{Durability, Table, WriteVaultError};
use minicbor::{Decode, Encode};

use crate::care::{Care, new_document};
use crate::error::{SessionError, refused};
use crate::heads::OwnChange;
use crate::plaintext::{OpenDocument, SpaceLabel, pack};
use crate::row::{ItemKey, Row};
use crate::rows_from::{RowPlace, dated, new_row_of_finished, undated_row_of_entry};
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};

/// What the sheet "Where your things are" says of one envelope.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Outgoing {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// `envelope_seq`.
    #[n(1)]
    pub seq: u64,
    /// The entry, when it is about one.
    #[n(2)]
    pub key: Option<ItemKey>,
    /// Title of the entry.
    #[n(3)]
    pub title: String,
    /// Entries that it writes.
    #[n(4)]
    pub things: u32,
    /// When it was written.
    #[n(5)]
    pub at_ms: i64,
}

/// A step in preparation.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) spaces: BTreeMap<SpaceId, SpaceState>,
    pub(crate) documents: BTreeMap<DocumentId, DocumentState>,
    pub(crate) open: BTreeMap<DocumentId, Document>,
    /// (log in the vault, envelope).
    pub(crate) appended: Vec<(DocumentId, Vec<u8>)>,
    pub(crate) rows: BTreeMap<ChartId, BTreeMap<(DocumentId, ItemKey), Row>>,
    pub(crate) puts: Vec<(Table, Vec<u8>, Vec<u8>)>,
    pub(crate) deletes: Vec<(Table, Vec<u8>)>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) follower: Option<Follower>,
    /// What cuts have done to documents.
    pub(crate) replayed: BTreeMap<DocumentId, Replayed>,
    /// Documents in which something that was applied is void now.
    pub(crate) to_replay: BTreeSet<DocumentId>,
    /// Notes of this account that came in a snapshot.
    pub(crate) notes: Vec<Vec<u8>>,
    /// Documents that are built anew: what their rows said before does not count.
    pub(crate) anew: BTreeSet<DocumentId>,
    /// Envelopes of the vault's own logs that are offered to documents again.
    pub(crate) again: Vec<crate::arrivals::Arrival>,
    /// Rows of entries that are in their document no longer.
    pub(crate) gone_rows: Vec<(ChartId, DocumentId, ItemKey)>,
    /// Documents that end.
    pub(crate) ended: BTreeSet<DocumentId>,
    /// Successors that were signed and are given up.
    pub(crate) given_up: BTreeSet<DocumentId>,
    /// Documents of which a snapshot is staged that has every change that they had: what was folded of their logs stays so.
    pub(crate) same_changes: BTreeSet<DocumentId>,
    /// Logs of the vault that go.
    pub(crate) dropped: Vec<DocumentId>,
    /// Logs of the vault that stay without some envelopes, with what stays.
    pub(crate) relogged: Vec<(DocumentId, Vec<Vec<u8>>)>,
}

/// The name under which the vault keeps where an own envelope lies until the relay has it.
pub(crate) fn push_name(space: SpaceId, seq: u64) -> Vec<u8> {
    [b"push".as_slice(), space.as_bytes(), &seq.to_be_bytes()].concat()
}

/// Which own link a name of that kind is of.
pub(crate) fn pushed_of(name: &[u8]) -> Option<(SpaceId, u64)> {
    let (space, seq) = name.strip_prefix(b"push")?.split_at_checked(16)?;
    Some((SpaceId::from_slice(space)?, u64::from_be_bytes(seq.try_into().ok()?)))
}

/// The name under which the vault keeps an [`Outgoing`]; sorts by time.
pub(crate) fn outgoing_name(item: &Outgoing) -> Vec<u8> {
    [&item.at_ms.to_be_bytes(), item.space.as_bytes().as_slice(), &item.seq.to_be_bytes()].concat()
}

impl Session {
    /// A space as it will be after the stage.
    pub(crate) fn staged_space(&self, stage: &Stage, space: SpaceId) -> Result<SpaceState, SessionError> {
        stage
            .spaces
            .get(&space)
            .or_else(|| self.spaces.get(&space))
            .cloned()
            .ok_or_else(SessionError::not_found)
    }

    /// A document's state as it will be after the stage.
    pub(crate) fn staged_document(
        &self,
        stage: &Stage,
        document: DocumentId,
    ) -> Result<DocumentState, SessionError> {
        stage
            .documents
            .get(&document)
            .or_else(|| self.documents.get(&document))
            .cloned()
            .ok_or_else(SessionError::not_found)
    }

    /// The space of a section, made if there is none yet. Where two devices each made one, the lower id takes new writes.
    pub(crate) fn stage_space(
        &self,
        stage: &mut Stage,
        chart: ChartId,
        section: Section,
    ) -> Result<SpaceId, SessionError> {
        if section == Section::Care {
            return Err(SessionError::NotAllowed { what: "a conversation without a hospital" });
        }
        let known = self.spaces.values().chain(stage.spaces.values());
        let found = known
            .filter(|space| space.chart == chart && space.section == section)
            .map(|space| space.space)
            .min();
        if let Some(space) = found {
            return Ok(space);
        }
        self.stage_founded(stage, chart, section, None)
    }

    /// Founds a space of an own chart, of a conversation with whom it is.
    pub(crate) fn stage_founded(
        &self,
        stage: &mut Stage,
        chart: ChartId,
        section: Section,
        care: Option<Care>,
    ) -> Result<SpaceId, SessionError> {
        self.check_own_chart(chart)?;
        let space = SpaceId::random(self.entropy());
        let key = EpochKey::make(self.entropy());
        let label = SpaceLabel { chart: *chart.as_bytes(), section: section.code(), care };
        let body = minicbor::to_vec(&label).expect("plain fields encode");
        let sealed_label =
            seal_row(&derive_key(&key, "mecum space label v1"), space.as_bytes(), &body, self.entropy());
        let genesis = self.space_genesis(space, &key, sealed_label)?;
        let follower = stage.follower.get_or_insert_with(|| self.follower.clone());
        follower.found_space(&genesis).map_err(|_| SessionError::Stored { what: "space genesis" })?;
        stage.spaces.insert(
            space,
            SpaceState {
                space,
                chart,
                section,
                key,
                epoch: 1,
                earlier: Vec::new(),
                ended: None,
                removed_devices: self.removed_devices(),
                membership: genesis.hash(),
                unsent_genesis: Some(encode(&genesis)),
                own_seq: 0,
                own_last: mecum_seal::Hash32::ZERO,
                own_membership: genesis.hash(),
                snapshot_seq: 0,
                care: label.care,
            },
        );
        stage.topics.push(Topic::Charts);
        Ok(space)
    }

    /// A document of a space and year with room for `operations` more, made if there is none.
    pub(crate) fn stage_document(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        shard: i16,
        operations: u32,
    ) -> Result<DocumentId, SessionError> {
        self.stage_document_of(stage, space, (shard, None), operations)
    }

    /// The same of a side of a conversation.
    pub(crate) fn stage_document_of(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        (shard, side): (i16, Option<Side>),
        operations: u32,
    ) -> Result<DocumentId, SessionError> {
        let ends = self.staged_ends(stage, space);
        let waits = self.documents_that_wait_for_own()?;
        let fits = |state: &&DocumentState| {
            state.space == space
                && !stage.ended.contains(&state.document)
                && !ends.is_ended(state.document)
                && !waits.contains(&state.document)
                && (state.shard, state.side) == (shard, side)
                && state.operations + operations <= MAX_DOCUMENT_OPERATIONS
        };
        // A staged state hides the committed one of the same document.
        let committed =
            self.documents.values().filter(|state| !stage.documents.contains_key(&state.document));
        if let Some(found) =
            committed.chain(stage.documents.values()).filter(fits).map(|state| state.document).min()
        {
            return Ok(found);
        }
        let (document, of_side) = new_document(space, side, self.identity.account, self.entropy());
        let key = DocumentKey::make(self.entropy());
        let opening = OpenDocument::new(document, &key, shard, of_side).encode();
        self.ready_to_write(stage, space)?;
        let epoch_key = self.staged_space(stage, space)?.key;
        self.stage_envelope(stage, space, DocumentId::CONTROL, &epoch_key, &opening)?;
        stage.documents.insert(document, DocumentState::new(document, space, key, shard, side));
        stage.open.insert(document, Document::new(self.identity.actor()));
        Ok(document)
    }

    /// Seals one envelope at the end of this device's chain. Answers its `envelope_seq`.
    pub(crate) fn stage_envelope(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        document: DocumentId,
        key: &impl Key32,
        body: &[u8],
    ) -> Result<u64, SessionError> {
        self.stage_plaintext(stage, space, document, key, &pack(body))
    }

    /// The same, of a plaintext as it is.
    pub(crate) fn stage_plaintext(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        document: DocumentId,
        key: &impl Key32,
        plaintext: &[u8],
    ) -> Result<u64, SessionError> {
        let mut state = self.staged_space(stage, space)?;
        let place = Place {
            space,
            document,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            envelope_seq: state.own_seq + 1,
            epoch: state.epoch,
            membership_head: state.membership,
            previous: state.own_last,
        };
        let sealed = seal_envelope_seeded(key, &place, plaintext, self.entropy())
            .map_err(|_| SessionError::Envelope)?;
        state.own_seq += 1;
        state.own_last = sealed.content_id;
        state.own_membership = state.membership;
        let log = if document == DocumentId::CONTROL { state.control_log() } else { document };
        let at = stage.appended.len();
        stage.puts.push((Table::Sync, push_name(space, state.own_seq), push_body(log, at)));
        stage.appended.push((log, sealed.bytes));
        let seq = state.own_seq;
        stage.spaces.insert(space, state);
        Ok(seq)
    }

    /// Writes edits into a document: one Automerge change, one envelope. Answers nothing if the edits change nothing.
    pub(crate) fn stage_edits(
        &mut self,
        stage: &mut Stage,
        document: DocumentId,
        edits: Vec<Edit>,
    ) -> Result<Option<u64>, SessionError> {
        if self.documents_that_wait_for_own()?.contains(&document) {
            return Err(refused("error-entry-anew"));
        }
        let at_ms = self.now_ms();
        let batch = Batch { at_ms, edits };
        let authored = match stage.open.get(&document) {
            Some(open) => open.author(&batch)?,
            None => self.open_document(document)?.author(&batch)?,
        };
        self.stage_authored(stage, document, authored, at_ms)
    }

    /// Seals and stages what was authored.
    pub(crate) fn stage_authored(
        &mut self,
        stage: &mut Stage,
        document: DocumentId,
        authored: Authored,
        at_ms: i64,
    ) -> Result<Option<u64>, SessionError> {
        let Some(payload) = authored.payload else { return Ok(None) };
        let mut state = self.staged_document(stage, document)?;
        let key = self.key_to_write(stage, &state)?;
        let seq = self.stage_envelope(stage, state.space, document, &key, &payload.encode())?;
        state.count += 1;
        state.tail_bytes += stage.appended.last().map_or(0, |(_, bytes)| bytes.len() as u64);
        state.operations = u32::try_from(authored.next.operations()).unwrap_or(u32::MAX);
        state.own = Some(OwnChange { seq: payload.change_seq(), hash: payload.change_hash() });
        if state.cuts > 0 {
            Self::stage_whole(stage, &mut state, &authored.next);
        }
        let place = RowPlace {
            space: state.space,
            document,
            device: self.identity.device,
            at_ms,
            own_seq: seq,
            arrived: u64::try_from(at_ms).unwrap_or(0),
            side: state.side,
        };
        let chart = self.staged_space(stage, state.space)?.chart;
        let rows = rows_of(&authored.next, payload.batch(), &place);
        stage_outgoing(stage, &rows, state.space, seq, at_ms);
        self.stage_rows(stage, chart, rows)?;
        stage.topics.push(Topic::Record { chart });
        stage.documents.insert(document, state);
        stage.open.insert(document, authored.next);
        Ok(Some(seq))
    }

    /// Stages rows. Who wrote a row last is the same on every device, whatever order the envelopes came in: the latest by
    /// time, then by device. And another's later edit does not make an unsent own edit sent.
    pub(crate) fn stage_rows(
        &mut self,
        stage: &mut Stage,
        chart: ChartId,
        rows: Vec<Row>,
    ) -> Result<(), SessionError> {
        let known = self.spaces.values().any(|space| space.chart == chart);
        if known {
            self.load_chart(chart)?;
        }
        let committed = self.charts.get(&chart).map(|loaded| &loaded.rows);
        let staged = stage.rows.entry(chart).or_default();
        for mut row in rows {
            // Two phones that bring in one file each have a document with it. The row shown is that of the lower document, as
            // its document has it: merging the two would depend on which came first.
            let name = (row.document, row.key);
            let held = || committed.and_then(|rows| rows.get_in(row.document, row.key));
            let before = staged.get(&name).or_else(|| held().filter(|_| !stage.anew.contains(&row.document)));
            if let Some(before) = before {
                row.own_seq =
                    if before.space == row.space { row.own_seq.max(before.own_seq) } else { row.own_seq };
                if (before.at_ms, before.device) > (row.at_ms, row.device) {
                    (row.at_ms, row.device) = (before.at_ms, before.device);
                }
            }
            staged.insert(name, dated(row));
        }
        Ok(())
    }

    /// Commits a stage in one transaction and swaps it in.
    pub(crate) fn commit(&mut self, mut stage: Stage, durability: Durability) -> Result<(), SessionError> {
        for document in std::mem::take(&mut stage.to_replay) {
            let state = self.staged_document(&stage, document)?;
            self.stage_replayed(&mut stage, state, Vec::new())?;
        }
        mecum_trip::here("commit");
        let durability = self.durability(durability);
        self.ends_by_date.take();
        debug_assert!(stage.again.is_empty(), "what is offered again was taken in");
        if let Some(left) = &mut self.commits_left {
            *left = left.checked_sub(1).ok_or(SessionError::Stored { what: "commit" })?;
        }
        let charts: Vec<ChartId> = stage.rows.keys().copied().collect();
        let outcome = self.commit_rows(&mut stage).and_then(|()| self.commit_vault(&stage, durability));
        self.last_made.clear();
        if let Err(error) = outcome {
            // What the vault did not take must not be shown: the next reader loads the pages again.
            for chart in charts {
                self.charts.remove(&chart);
            }
            return Err(error);
        }
        mecum_trip::here("committed");
        self.is_committed();
        self.authored += u64::from(!stage.appended.is_empty());
        if let Some(follower) = stage.follower {
            self.follower = follower;
        }
        self.spaces.extend(stage.spaces);
        self.documents.extend(stage.documents);
        for (document, open) in stage.open {
            self.keep_open(document, open);
        }
        for document in stage.ended {
            self.documents.remove(&document);
            self.open.remove(&document);
            self.charts.values_mut().for_each(|loaded| loaded.forget(document));
        }
        for topic in stage.topics {
            self.tell(topic);
        }
        self.tell(Topic::Sync);
        Ok(())
    }

    fn commit_rows(&mut self, stage: &mut Stage) -> Result<(), SessionError> {
        mecum_trip::here("rows");
        for (chart, rows) in std::mem::take(&mut stage.rows) {
            let spaces: Vec<SpaceId> =
                self.spaces.values().filter(|s| s.chart == chart).map(|s| s.space).collect();
            if !spaces.is_empty() {
                self.load_chart(chart)?;
            }
            let loaded = self.charts.entry(chart).or_default();
            let gone = stage.gone_rows.iter().filter(|(of, ..)| *of == chart);
            let mut dirty: BTreeSet<_> =
                gone.filter_map(|(_, document, key)| loaded.remove(*document, *key)).collect();
            dirty.extend(loaded.put(rows.into_values().collect()));
            for (document, page) in dirty {
                let body = loaded.pages.encode(document, page, &loaded.rows);
                stage.puts.push((Table::View, crate::pages::page_name(document, page), body));
                if let Some(state) = stage.documents.get_mut(&document).filter(|s| s.pages <= page) {
                    state.pages = page + 1;
                }
            }
            loaded.rows.written_here().stage(stage);
            let seen = self.seen_ms(chart)?;
            let summary = crate::summary::summarise(&self.charts.entry(chart).or_default().rows, seen);
            let (name, body) = (crate::session::summary_name(chart), summary.stored());
            // Most edits of a long chart change nothing of what home shows of it.
            // One that cannot be read is written over: that mends it.
            if self.vault.get(Table::View, &name).ok().flatten().is_none_or(|kept| *kept != body) {
                stage.puts.push((Table::View, name, body));
            }
        }
        Ok(())
    }

    /// A snapshot that takes another's place may lack changes: what was folded of such a document lies in its log again from then on.
    fn unfolded_by(&self, stage: &Stage) -> Result<Vec<Unfolded>, SessionError> {
        let mut all = Vec::new();
        let goes = |log: &DocumentId| {
            stage.dropped.contains(log) || stage.relogged.iter().any(|(relogged, _)| relogged == log)
        };
        let named = stage.puts.iter().filter(|(table, ..)| *table == Table::Snapshot);
        let documents: BTreeSet<DocumentId> =
            named.filter_map(|(_, name, _)| DocumentId::from_slice(name)).collect();
        for document in documents.into_iter().filter(|id| !stage.same_changes.contains(id) && !goes(id)) {
            let runs = self.unfolded(document)?;
            all.extend(runs.into_iter().map(|(first, envelopes)| (document, first, envelopes)));
        }
        Ok(all)
    }

    fn commit_vault(&mut self, stage: &Stage, durability: Durability) -> Result<(), SessionError> {
        let unfolded = self.unfolded_by(stage)?;
        let same_changes =
            |name: &[u8]| DocumentId::from_slice(name).is_some_and(|id| stage.same_changes.contains(&id));
        let written = self.vault.write(durability, |w| -> Result<(), WriteVaultError> {
            for log in &stage.dropped {
                w.drop_log(*log)?;
            }
            for (log, kept) in &stage.relogged {
                w.drop_log(*log)?;
                for envelope in kept {
                    w.append(*log, envelope)?;
                }
            }
            for (document, first, envelopes) in &unfolded {
                w.unfold(*document, *first, envelopes)?;
            }
            let mut numbers = Vec::with_capacity(stage.appended.len());
            for (log, envelope) in &stage.appended {
                numbers.push(w.append(*log, envelope)?);
            }
            for (table, name, body) in &stage.puts {
                match push_at(*table, name, body) {
                    Some((log, at)) => {
                        let number = numbers.get(at).copied().unwrap_or(0);
                        w.put(*table, name, &place_body(log, number))?;
                    }
                    None if *table == Table::Snapshot && same_changes(name) => {
                        w.put_over(*table, name, body)?;
                    }
                    None => w.put(*table, name, body)?,
                }
            }
            if stage.spaces.values().any(|state| state.care.is_some()) {
                w.note_care()?;
            }
            for state in stage.spaces.values() {
                w.put(Table::Space, state.space.as_bytes(), &state.encode())?;
            }
            for state in stage.documents.values() {
                w.put(Table::Document, state.document.as_bytes(), &state.encode())?;
            }
            if let Some(follower) = &stage.follower {
                w.put(Table::Sync, b"follower", &follower.to_bytes())?;
            }
            for (table, name) in &stage.deletes {
                w.delete(*table, name)?;
            }
            mecum_trip::here("transaction");
            Ok(())
        });
        Ok(written?)
    }
}

/// Envelopes that take the place of a folded run: document, number of the first, and they.
type Unfolded = (DocumentId, u64, crate::logs::Made);

/// Notes what the sheet "Where your things are" says of an envelope.
pub(crate) fn stage_outgoing(stage: &mut Stage, rows: &[Row], space: SpaceId, seq: u64, at_ms: i64) {
    let item = Outgoing {
        space,
        seq,
        key: rows.first().map(|row| row.key),
        title: rows.first().map(|row| row.title.clone()).unwrap_or_default(),
        things: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        at_ms,
    };
    let body = minicbor::to_vec(&item).expect("plain fields encode");
    stage.puts.push((Table::Outbox, outgoing_name(&item), body));
}

/// A document takes no more new entries above this (DESIGN 5, "Bounded").
pub(crate) const MAX_DOCUMENT_OPERATIONS: u32 = 5_000;

/// While staged: the log and the place in [`Stage::appended`], because the number in the log is known at commit only.
fn push_body(log: DocumentId, at: usize) -> Vec<u8> {
    [b"staged".as_slice(), log.as_bytes(), &(at as u64).to_be_bytes()].concat()
}

fn push_at(table: Table, name: &[u8], body: &[u8]) -> Option<(DocumentId, usize)> {
    if table != Table::Sync || !name.starts_with(b"push") {
        return None;
    }
    let rest = body.strip_prefix(b"staged".as_slice())?;
    let (log, at) = rest.split_at_checked(16)?;
    let at = u64::from_be_bytes(at.try_into().ok()?);
    Some((DocumentId::from_slice(log)?, usize::try_from(at).ok()?))
}

/// Where an own envelope lies: log and number.
pub(crate) fn place_body(log: DocumentId, number: u64) -> Vec<u8> {
    [log.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// The log and number of [`place_body`].
pub(crate) fn place_of(body: &[u8]) -> Option<(DocumentId, u64)> {
    let (log, number) = body.split_at_checked(16)?;
    Some((DocumentId::from_slice(log)?, u64::from_be_bytes(number.try_into().ok()?)))
}

/// The rows that a batch touched, as they stand in `document`. An entry without a date of its own has none yet: staging them says
/// when each was written last.
pub(crate) fn rows_of(document: &Document, batch: &Batch, place: &RowPlace) -> Vec<Row> {
    mecum_trip::here("row");
    let mut rows: BTreeMap<ItemKey, Row> = BTreeMap::new();
    for edit in &batch.edits {
        match edit {
            Edit::Add { entry, .. } | Edit::Set { entry, .. } => {
                if let Some(entry) = document.entry(*entry) {
                    let row = undated_row_of_entry(&entry, place);
                    rows.insert(row.key, row);
                }
            }
            Edit::Keep { key, bytes } => {
                let row = new_row_of_finished(FinishedKey::from_bytes(*key.as_bytes()), bytes, place);
                rows.insert(row.key, row);
            }
        }
    }
    rows.into_values().collect()
}
