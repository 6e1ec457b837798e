//! A successor begins: it takes the place of its document in one step, and everything of the old one goes with it, key first.
//!
//! Whoever has the old document works the successor out and compares, who wrote what and when as well: what the manager sent is believed
//! only by who begins after it.

use std::collections::BTreeSet;

use mecum_api::{ErasureKind, Topic};
use mecum_documents::{Actor, Document, Late};
use mecum_domain::{Edit, FinishedKey};
use mecum_seal::{DocumentId, Envelope, SpaceId};
use mecum_sync::{Replaced, SpaceLog};
use mecum_vault::{Durability, Table, Write, WriteVaultError};

use super::base::{Base, Info, Pending, base_digest, opened_document};
use super::comparing::WorkedOut;
use super::intents::Erased;
use super::late::key_of as key_of_edit;
use super::signing::{item_of_key, key_of_item};
use super::{info_name, kind_of};
use crate::arrivals::{Arrival, waiting_prefix};
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::heads::OwnChange;
use crate::members::{actors_in, all_actors, replayed_name};
use crate::pages::page_name;
use crate::plaintext::{press, unpack};
use crate::row::{ItemKey, Row};
use crate::rows_from::{RowPlace, row_of_entry, row_of_finished};
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::{Outgoing, Stage, place_body, place_of};
use crate::times::times_name;

/// The old document here does not let the successor be worked out.
const BROKEN: SessionError = SessionError::Stored { what: "successor" };

/// The setting that stands from when something was destroyed until the write-ahead log was emptied after it.
const SCRUB: &str = "scrub";

/// Notes, in the transaction that destroys something, that the write-ahead log is to be emptied after it.
pub(crate) fn owe_scrub(write: &mut Write<'_>) -> Result<(), WriteVaultError> {
    write.put(Table::Setting, SCRUB.as_bytes(), &[1])
}

/// What a successor begins with, judged.
struct Begun {
    base: Base,
    info: Info,
    document: Document,
    rest: Vec<Arrival>,
    pending: Pending,
}

/// Where a successor stands.
enum Standing {
    /// It is here and good.
    Here(Box<Begun>),
    /// Its first envelope is not here yet.
    Waits,
    /// It is not what a manager signed, or not what comes out of the document here.
    Refused,
}

impl Session {
    /// Carries out every replacement that is in force and has not been carried out here. Idempotent: what was, is not found again.
    pub(crate) fn begin_successors(&mut self) -> Result<(), SessionError> {
        if self.is_older_copy() || self.is_reading_again()? {
            return Ok(());
        }
        let mut due: Vec<(SpaceId, Replaced)> = Vec::new();
        for space in self.spaces.keys() {
            let Some(log) = self.follower.space_log(*space) else { continue };
            due.extend(
                log.replaced().iter().filter(|of| self.is_in_force(*space, of)).map(|of| (*space, *of)),
            );
        }
        // What cannot begin keeps nothing else from it.
        let mut failed = None;
        for (space, of) in due {
            let begun = self.begin_or_end(space, &of);
            failed = failed.or(begun.err());
        }
        self.scrub_if_owed()?;
        failed.map_or(Ok(()), Err)
    }

    fn begin_or_end(&mut self, space: SpaceId, of: &Replaced) -> Result<(), SessionError> {
        let pending = self.all_pending(of.by)?;
        if !pending.is_empty() {
            return self.begin(space, of, pending);
        }
        if self.documents.contains_key(&of.document) { self.end_without(space, of) } else { Ok(()) }
    }

    /// The server has countersigned it; or there is none, and this device orders its own log.
    fn is_in_force(&self, space: SpaceId, of: &Replaced) -> bool {
        self.follower.relay().is_none() || of.entry <= self.follower.ever_stored_space_entries(space)
    }

    fn begin(&mut self, space: SpaceId, of: &Replaced, said: Vec<Pending>) -> Result<(), SessionError> {
        let Some(reason) = self
            .spaces
            .get(&space)
            .map(|state| self.reason_of(&Stage::default(), state, of))
            .transpose()?
            .flatten()
        else {
            return Ok(());
        };
        let old = self.documents.get(&of.document).cloned();
        let mut late = None;
        // Whoever may write can say how it opens: only the word of the account counts that signed the end.
        let manager = self.kept_entry(&Stage::default(), space, of.entry)?.map(|entry| entry.account);
        let (said, others): (Vec<Pending>, Vec<Pending>) = said
            .into_iter()
            .partition(|pending| pending.space == space && manager.is_some_and(|by| pending.is_by(by)));
        let begun = match self.standing(of, &said, reason.digest)? {
            Standing::Waits if self.is_over(space, of.by) => {
                return self.never_began(space, of, said.iter().chain(&others));
            }
            Standing::Waits if said.is_empty() && old.is_some() => return self.end_without(space, of),
            Standing::Waits => return Ok(()),
            Standing::Refused => return self.refuse(of, &said),
            Standing::Here(begun) => begun,
        };
        if let Some(old) = &old {
            match self.late_in(old, of, &begun, kind_of(reason.kind))? {
                None => return self.refuse(of, &[begun.pending]),
                Some(found) => late = Some(found),
            }
        }
        let Begun { base, info, document, rest, pending } = *begun;
        let left_out: BTreeSet<ItemKey> = base.left_out.iter().copied().collect();
        let mut stage = Stage::default();
        let state = self.stage_begun_document(&mut stage, of.by, &pending, &info, &document)?;
        for name in self.vault.names(Table::Waiting)? {
            if name.starts_with(&waiting_prefix(of.by)) {
                stage.deletes.push((Table::Waiting, name));
            }
        }
        self.stage_pending_gone(&mut stage, of.by)?;
        self.stage_rows_of_base(&mut stage, &state, &info, &document, old.as_ref())?;
        let mut gone_words = 0;
        if let Some(old) = &old {
            self.stage_end_of(&mut stage, old, &left_out)?;
            gone_words =
                self.stage_late(&mut stage, of.by, late.unwrap_or_default(), kind_of(reason.kind))?;
        }
        self.stage_arrivals(&mut stage, rest)?;
        let kind = kind_of(reason.kind);
        self.stage_erased(&mut stage, space, of, &Erased::new(kind, &reason.words, &left_out, gone_words))?;
        self.finish(stage)
    }

    /// Whether a document's end is in force: what is still to come of it is not kept.
    fn is_over(&self, space: SpaceId, document: DocumentId) -> bool {
        let log = self.follower.space_log(space);
        let mut ends = log.into_iter().flat_map(SpaceLog::replaced).filter(|of| of.document == document);
        ends.any(|of| self.is_in_force(space, of))
    }

    /// A successor ended before it began here: nothing is waited for, and its key goes as the key of any document that ended.
    fn never_began<'a>(
        &mut self,
        space: SpaceId,
        of: &Replaced,
        mut said: impl Iterator<Item = &'a Pending>,
    ) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        self.stage_pending_gone(&mut stage, of.by)?;
        for name in self.vault.names(Table::Waiting)? {
            if name.starts_with(&waiting_prefix(of.by)) {
                stage.deletes.push((Table::Waiting, name));
            }
        }
        // Whoever's word it is: every opening of it goes.
        if let Some(pending) = said.next() {
            let state = DocumentState::new(of.by, space, pending.key(), pending.shard);
            self.stage_openings_gone(&mut stage, &state)?;
        }
        self.finish(stage)?;
        self.end_without(space, of)
    }

    /// The document is gone for everybody, and what took its place was not shown: another one took the place of that already, or it
    /// came in a snapshot.
    fn end_without(&mut self, space: SpaceId, of: &Replaced) -> Result<(), SessionError> {
        let Some(log) = self.follower.space_log(space) else { return Ok(()) };
        let last = last_of(log, of.by);
        let Some(old) = self.documents.get(&of.document).cloned() else { return Ok(()) };
        if !self.documents.contains_key(&last) {
            return Ok(());
        }
        let state = self.space_of_document(&old)?;
        let reason = self.reason_of(&Stage::default(), state, of)?;
        let kind = reason.as_ref().map_or(ErasureKind::Cleared, |reason| kind_of(reason.kind));
        let chains = self.chains_named(&Stage::default(), space, of)?;
        let mut late = self.late_by_chain(&old, chains.as_deref())?;
        let left_out = self.left_out_of(&old, last, &late.after)?;
        let goes = |edit: &Edit| left_out.contains(&key_of_edit(edit));
        (late.left_out, late.after) = late.after.into_iter().partition(goes);
        let mut stage = Stage::default();
        self.stage_end_of(&mut stage, &old, &left_out)?;
        let gone_words = self.stage_late(&mut stage, last, late, kind)?;
        let words = reason.map(|reason| reason.words).unwrap_or_default();
        self.stage_erased(&mut stage, space, of, &Erased::new(kind, &words, &left_out, gone_words))?;
        self.finish(stage)
    }

    /// What was in a document and is not in the one that took its place: of what was listed of it, of what was written in it late,
    /// and of what the sheet "Where your things are" names. The document itself may have been emptied for a snapshot by now.
    fn left_out_of(
        &mut self,
        old: &DocumentState,
        last: DocumentId,
        late: &[Edit],
    ) -> Result<BTreeSet<ItemKey>, SessionError> {
        let chart = self.space_of_document(old)?.chart;
        let mut keys: BTreeSet<ItemKey> = late.iter().map(key_of_edit).collect();
        for (_, body) in self.vault.list(Table::Outbox)? {
            let about = minicbor::decode::<Outgoing>(&body).ok().filter(|item| item.space == old.space);
            keys.extend(about.and_then(|item| item.key));
        }
        let rows = self.rows(chart)?;
        keys.extend(rows.of_document(old.document).map(|row| row.key));
        let beside: Vec<(ItemKey, Vec<DocumentId>)> =
            keys.into_iter().map(|key| (key, rows.holding(key))).collect();
        let in_space = |document: &DocumentId| {
            *document != old.document
                && self.documents.get(document).is_some_and(|state| state.space == old.space)
        };
        let gone = beside.into_iter().filter(|(_, holding)| !holding.iter().any(in_space));
        let mut gone: BTreeSet<ItemKey> = gone.map(|(key, _)| key).collect();
        // What is written late for the first time goes where it belongs now.
        for edit in late {
            if matches!(edit, Edit::Add { .. } | Edit::Keep { .. }) {
                gone.remove(&key_of_edit(edit));
            }
        }
        let there = self.open_document(last)?;
        gone.retain(|key| !holds_item(there, *key));
        Ok(gone)
    }

    fn finish(&mut self, mut stage: Stage) -> Result<(), SessionError> {
        stage.puts.push((Table::Setting, SCRUB.into(), vec![1]));
        stage.topics.push(Topic::Charts);
        self.commit(stage, Durability::Full)?;
        self.scrub_if_owed()
    }

    /// Empties the write-ahead log after something was destroyed: until then the log has it.
    /// While a check or a backup reads, it stays owed.
    pub(crate) fn scrub_if_owed(&mut self) -> Result<(), SessionError> {
        if self.setting(SCRUB)?.is_some() && self.commits_left != Some(0) && self.vault.scrub()? {
            self.vault.write(Durability::Normal, |w| w.delete(Table::Setting, SCRUB.as_bytes()).map(drop))?;
        }
        Ok(())
    }

    fn standing(
        &self,
        of: &Replaced,
        said: &[Pending],
        digest: mecum_seal::Hash32,
    ) -> Result<Standing, SessionError> {
        let right: Vec<&Pending> = said.iter().filter(|pending| pending.of == of.document).collect();
        if right.is_empty() && !said.is_empty() {
            return Ok(Standing::Refused);
        }
        for pending in right {
            if let Some(begun) = self.begun_by(of, pending, digest)? {
                return Ok(Standing::Here(Box::new(begun)));
            }
        }
        Ok(Standing::Waits)
    }

    /// What a successor begins with, where it opens as somebody said.
    fn begun_by(
        &self,
        of: &Replaced,
        pending: &Pending,
        digest: mecum_seal::Hash32,
    ) -> Result<Option<Begun>, SessionError> {
        let Some(space) = self.spaces.get(&pending.space) else { return Ok(None) };
        let mut found = None;
        let mut rest = Vec::new();
        for (_, bytes) in self.vault.list_prefix(Table::Waiting, &waiting_prefix(of.by))? {
            let Ok(envelope) = Envelope::parse(&bytes) else { continue };
            let opened = space.open(&pending.key(), &envelope).and_then(|plain| unpack(&plain).ok());
            match opened.and_then(|body| Base::decode(&body)) {
                Some(base) => {
                    // Of several only the one that a manager signed counts.
                    if let Some(begun) = self.judge(base, of, pending, digest) {
                        found = Some(begun);
                    }
                }
                None => rest.push(Arrival { envelope, bytes: bytes.to_vec(), kept: false }),
            }
        }
        Ok(found.map(|begun| Begun { rest, ..begun }))
    }

    fn judge(
        &self,
        base: Base,
        of: &Replaced,
        pending: &Pending,
        digest: mecum_seal::Hash32,
    ) -> Option<Begun> {
        let info = Info::decode(&base.info)?;
        let document = base.document(self.identity.actor())?;
        let signed = base_digest(&document.heads_of(&|_| true), &base.info) == digest;
        let pending = pending.clone();
        (signed && base.of == of.document).then_some(Begun {
            base,
            info,
            document,
            rest: Vec::new(),
            pending,
        })
    }

    /// What this device had written in the old document beyond what the successor was made from; `None` if something else comes out
    /// of the old document than was sent.
    fn late_in(
        &mut self,
        old: &DocumentState,
        of: &Replaced,
        begun: &Begun,
        kind: ErasureKind,
    ) -> Result<Option<Late>, SessionError> {
        let Begun { base, info, document: sent, .. } = begun;
        let current = self.open_document(old.document)?.clone();
        let Some(covered) = current.as_of(&base.covered()) else {
            // Something of the old document never came here: what is sent cannot be worked out, and is a manager's word.
            let chains = self.chains_named(&Stage::default(), old.space, of)?;
            return self.late_by_chain(old, chains.as_deref()).map(Some);
        };
        let replayed = self.replayed(&Stage::default(), old)?;
        let before = self.successor_info(&Stage::default(), old.document)?.unwrap_or_default();
        let author_of = |actor: Actor| before.author(replayed.author(actor));
        let left_out: BTreeSet<ItemKey> = base.left_out.iter().copied().collect();
        let keep = |item| !left_out.contains(&key_of_item(item));
        let made = covered
            .regenesis(of.by.as_bytes(), self.identity.actor(), &author_of, &keep)
            .map_err(|_| BROKEN)?;
        if made.document.heads() != sent.heads() {
            return Ok(None);
        }
        let here = WorkedOut {
            old,
            covered: &covered,
            replayed: &replayed,
            before: &before,
            made: &made,
            left_out: &left_out,
            kind,
        };
        if !self.is_as_here(&here, info)? {
            return Ok(None);
        }
        let own = self.own_actors(old.space);
        let late = current.late_edits(&covered, &made, &|actor| own.contains(&author_of(actor)), &keep);
        late.map(Some).map_err(|_| BROKEN)
    }

    /// Every actor under which this device may have written in a space.
    fn own_actors(&self, space: SpaceId) -> BTreeSet<Actor> {
        let log = self.follower.space_log(space);
        let own =
            all_actors(&self.follower).into_iter().filter(|((device, _), _)| *device == self.identity.device);
        own.flat_map(|(_, first)| log.map_or_else(|| vec![first], |log| actors_in(log, first))).collect()
    }

    fn refuse(&mut self, of: &Replaced, said: &[Pending]) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        self.stage_pending_gone(&mut stage, of.by)?;
        for pending in said {
            quarantine(&mut stage, "successor", of.by.as_bytes(), &pending.encode());
        }
        self.stage_replacement_refused(&mut stage);
        self.commit(stage, Durability::Full)
    }

    fn stage_begun_document(
        &self,
        stage: &mut Stage,
        by: DocumentId,
        pending: &Pending,
        info: &Info,
        document: &Document,
    ) -> Result<DocumentState, SessionError> {
        let mut state = DocumentState::new(by, pending.space, pending.key(), pending.shard);
        let chunk = press(&document.save());
        state.snapshot_bytes = chunk.len() as u64;
        state.operations = u32::try_from(document.operations()).unwrap_or(u32::MAX);
        state.own = Some(OwnChange::NONE);
        stage.puts.push((Table::Snapshot, by.as_bytes().to_vec(), chunk));
        stage.puts.push((Table::Snapshot, info_name(by), info.encode()));
        stage.open.insert(by, document.clone());
        stage.documents.insert(by, state.clone());
        stage.topics.push(Topic::Record { chart: self.staged_space(stage, pending.space)?.chart });
        Ok(state)
    }

    /// The rows of a successor as it begins: each by who wrote it last before.
    fn stage_rows_of_base(
        &mut self,
        stage: &mut Stage,
        state: &DocumentState,
        info: &Info,
        document: &Document,
        old: Option<&DocumentState>,
    ) -> Result<(), SessionError> {
        let chart = self.staged_space(stage, state.space)?.chart;
        self.load_chart(chart)?;
        let now = u64::try_from(self.now_ms()).unwrap_or(0);
        let held = |key: ItemKey| {
            let rows = self.charts.get(&chart).map(|loaded| &loaded.rows);
            rows.zip(old).and_then(|(rows, old)| rows.get_in(old.document, key))
        };
        let place = |key: ItemKey| {
            let touched = info.touched(key);
            let (at_ms, device) = touched.map_or((0, self.identity.device), |t| (t.at_ms, t.device));
            let same = held(key).filter(|row| (row.at_ms, row.device) == (at_ms, device));
            let (arrived, own_seq) = same.map_or((now, 0), |row| (row.arrived, row.own_seq));
            RowPlace { space: state.space, document: state.document, device, at_ms, own_seq, arrived }
        };
        let mut rows: Vec<Row> = Vec::new();
        for entry in document.entries() {
            rows.push(row_of_entry(&entry, &place(ItemKey::Entry(*entry.id.as_bytes()))));
        }
        for (key, bytes) in document.finished() {
            let place = place(ItemKey::Finished(*key.as_bytes()));
            rows.push(row_of_finished(FinishedKey::from_bytes(*key.as_bytes()), &bytes, &place));
        }
        self.stage_rows(stage, chart, rows)
    }

    /// Everything of a document that is here goes: its key, its envelopes and the opening that has the key, its snapshot, pages and
    /// times, and what was said of what was left out. What this device had not sent of it goes out as a link that says nothing.
    fn stage_end_of(
        &mut self,
        stage: &mut Stage,
        old: &DocumentState,
        left_out: &BTreeSet<ItemKey>,
    ) -> Result<(), SessionError> {
        let document = old.document;
        let chart = self.staged_space(stage, old.space)?.chart;
        self.load_chart(chart)?;
        let rows = self.charts.get(&chart).into_iter().flat_map(|loaded| loaded.rows.of_document(document));
        let gone: Vec<_> = rows.map(|row| (chart, document, row.key)).collect();
        stage.gone_rows.extend(gone);
        stage.rows.entry(chart).or_default().retain(|(of, _), _| *of != document);
        stage.ended.insert(document);
        stage.dropped.push(document);
        let mut delete = |table, name: Vec<u8>| stage.deletes.push((table, name));
        for name in
            [document.as_bytes().to_vec(), replayed_name(document), times_name(document), info_name(document)]
        {
            delete(Table::Snapshot, name);
        }
        delete(Table::Document, document.as_bytes().to_vec());
        (0..old.pages).for_each(|page| delete(Table::View, page_name(document, page)));
        for name in self.vault.names(Table::Waiting)? {
            if name.starts_with(&waiting_prefix(document)) {
                delete(Table::Waiting, name);
            }
        }
        for (table, prefix) in
            [(Table::Sync, b"resealed".as_slice()), (Table::Sync, b"void"), (Table::Quarantine, b"")]
        {
            for (name, bytes) in self.vault.list_prefix(table, prefix)? {
                if Envelope::parse(&bytes).is_ok_and(|envelope| envelope.place().document == document) {
                    delete(table, name);
                }
            }
        }
        for (name, body) in self.vault.list(Table::Outbox)? {
            let about = minicbor::decode::<Outgoing>(&body).ok().filter(|item| item.space == old.space);
            if about.and_then(|item| item.key).is_some_and(|key| left_out.contains(&key)) {
                delete(Table::Outbox, name);
            }
        }
        self.stage_resealed(stage)?;
        self.stage_openings_gone(stage, old)
    }

    /// The log of the control document without the openings of a document, for they have its key.
    fn stage_openings_gone(&self, stage: &mut Stage, old: &DocumentState) -> Result<(), SessionError> {
        let space = self.staged_space(stage, old.space)?;
        let log = space.control_log();
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        for (number, bytes) in self.envelopes(log, 0)? {
            let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
            let body = space.open_control(&envelope).and_then(|plain| unpack(&plain).ok());
            if body.and_then(|body| opened_document(&body)) == Some(old.document) {
                continue;
            }
            kept.push(bytes);
            places.insert(number, kept.len() as u64);
        }
        let prefix = [b"push".as_slice(), old.space.as_bytes()].concat();
        for (name, place) in self.vault.list_prefix(Table::Sync, &prefix)? {
            match place_of(&place) {
                Some((of, number)) if of == log => match places.get(&number) {
                    Some(kept) => stage.puts.push((Table::Sync, name, place_body(log, *kept))),
                    None => stage.deletes.push((Table::Sync, name)),
                },
                Some((of, _)) if of == old.document => stage.deletes.push((Table::Sync, name)),
                _ => {}
            }
        }
        if places.len() < usize::try_from(self.vault.envelope_count(log)).unwrap_or(usize::MAX) {
            stage.relogged.push((log, kept));
        }
        Ok(())
    }

    /// Rows of the item in documents other than where it was.
    pub(super) fn where_it_went(
        &mut self,
        space: SpaceId,
        key: ItemKey,
    ) -> Result<Option<DocumentId>, SessionError> {
        let Some(chart) = self.spaces.get(&space).map(|state| state.chart) else { return Ok(None) };
        let found = self.rows(chart)?.holding(key);
        let elsewhere =
            |document: &DocumentId| self.documents.get(document).is_some_and(|d| d.space != space);
        let found = found.into_iter().find(elsewhere);
        let Some(document) = found else { return Ok(None) };
        Ok(holds_item(self.open_document(document)?, key).then_some(document))
    }
}

fn holds_item(document: &Document, key: ItemKey) -> bool {
    match item_of_key(key) {
        mecum_documents::Item::Entry(entry) => document.entry(entry).is_some(),
        mecum_documents::Item::Finished(key) => document.finished_value(key).is_some(),
    }
}

/// The document that took a place last.
fn last_of(log: &SpaceLog, first: DocumentId) -> DocumentId {
    let mut last = first;
    for _ in log.replaced() {
        match log.replaced_by(last) {
            Some(next) => last = next,
            None => break,
        }
    }
    last
}
