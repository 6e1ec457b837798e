//! A document ends: everything of it that is here goes, key first, whether or not what took its place was shown.

use std::collections::BTreeSet;

use mecum_api::ErasureKind;
use mecum_domain::Edit;
use mecum_seal::{DocumentId, Envelope, SpaceId};
use mecum_sync::Replaced;
use mecum_vault::Table;

use super::super::base::{Pending, opened_document};
use super::super::intents::Erased;
use super::super::late::key_of as key_of_edit;
use super::super::{info_name, kind_of};
use super::holds_item;
use crate::arrivals::waiting_prefix;
use crate::error::SessionError;
use crate::members::replayed_name;
use crate::pages::page_name;
use crate::plaintext::unpack;
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::{Outgoing, Stage, place_body, place_of};
use crate::times::times_name;

impl Session {
    /// A successor ended before it began here: nothing is waited for, and its key goes as the key of any document that ended.
    pub(super) fn never_began<'a>(
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
            let (key, side) = (pending.key(), pending.side());
            let state = DocumentState::new(of.by, space, key, pending.shard, side);
            self.stage_openings_gone(&mut stage, &state)?;
        }
        self.finish(stage)?;
        self.end_without(space, of)
    }

    /// The document is gone for everybody, and what took its place was not shown: another one took the place of that already, or it
    /// came in a snapshot.
    pub(super) fn end_without(&mut self, space: SpaceId, of: &Replaced) -> Result<(), SessionError> {
        let last = self.ends(space).last_of(of.by);
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

    /// Everything of a document that is here goes: its key, its envelopes and the opening that has the key, its snapshot, pages and
    /// times, and what was said of what was left out. What this device had not sent of it goes out as a link that says nothing.
    pub(super) fn stage_end_of(
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
}
