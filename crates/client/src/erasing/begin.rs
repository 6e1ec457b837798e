//! A successor begins: it takes the place of its document in one step, and everything of the old one goes with it, key first.
//!
//! Whoever has the old document works the successor out and compares, who wrote what and when as well: what the manager sent is believed
//! only by who begins after it.

mod ending;
mod standing;

use std::collections::BTreeSet;

use mecum_api::Topic;
use mecum_documents::Document;
use mecum_domain::FinishedKey;
use mecum_seal::{DeviceId, DocumentId, SpaceId};
use mecum_sync::Replaced;
use mecum_vault::{Durability, Table, Write, WriteVaultError};

use super::base::{Info, Pending};
use super::intents::Erased;
use super::signing::item_of_key;
use super::{info_name, kind_of};
use crate::arrivals::waiting_prefix;
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::heads::OwnChange;
use crate::plaintext::press;
use crate::row::{ItemKey, Row};
use crate::rows_from::{RowPlace, row_of_entry, row_of_finished};
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

use standing::{Begun, Standing};

/// The device of an act of which nothing says who wrote it.
const NOBODY: DeviceId = DeviceId::from_bytes([0; 16]);

/// The setting that stands from when something was destroyed until the write-ahead log was emptied after it.
const SCRUB: &str = "scrub";

/// Notes, in the transaction that destroys something, that the write-ahead log is to be emptied after it.
pub(crate) fn owe_scrub(write: &mut Write<'_>) -> Result<(), WriteVaultError> {
    write.put(Table::Setting, SCRUB.as_bytes(), &[1])
}

impl Session {
    /// Carries out every replacement that is in force and has not been carried out here. Idempotent: what was, is not found again.
    pub(crate) fn begin_successors(&mut self) -> Result<(), SessionError> {
        if self.is_older_copy() || self.is_reading_again()? {
            return Ok(());
        }
        let mut due: Vec<(SpaceId, Replaced)> = Vec::new();
        for space in self.spaces.keys() {
            let in_force = self.ends(*space).iter().filter(|of| self.is_in_force(*space, of));
            due.extend(in_force.map(|of| (*space, *of)));
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
        let mut ends = self.ends(space).iter().filter(|of| of.document == document);
        ends.any(|of| self.is_in_force(space, of))
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
        let mut state = DocumentState::new(by, pending.space, pending.key(), pending.shard, pending.side());
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
        // Of an act nobody is said to have written it who is not named, or each device would say that it was itself.
        let unnamed = state.side.map_or(self.identity.device, |_| NOBODY);
        let place = |key: ItemKey| {
            let touched = info.touched(key);
            let (at_ms, device) = touched.map_or((0, unnamed), |t| (t.at_ms, t.device));
            let same = held(key).filter(|row| (row.at_ms, row.device) == (at_ms, device));
            let (arrived, own_seq) = same.map_or((now, 0), |row| (row.arrived, row.own_seq));
            let DocumentState { space, document, side, .. } = *state;
            RowPlace { space, document, device, at_ms, own_seq, arrived, side }
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
