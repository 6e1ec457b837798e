//! Moving an entry to *sensitive* or back: it is written where it goes before it leaves where it was, with whatever is written there
//! in between.

use std::collections::BTreeSet;

use mecum_api::ErasureKind;
use mecum_documents::Document;
use mecum_domain::{Edit, EntryId, Field, Section};
use mecum_seal::{DocumentId, Hash32};

use super::intents::Intent;
use super::signing::item_of_key;
use crate::error::{SessionError, refused};
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

impl Session {
    /// Writes a moved entry where it goes, before it leaves where it was: cut between, it stands in both.
    pub(super) fn stage_moved(
        &mut self,
        stage: &mut Stage,
        intent: &mut Intent,
        old: &DocumentState,
        key: ItemKey,
    ) -> Result<(), SessionError> {
        let chart = intent.chart();
        let kind =
            self.rows(chart)?.get(key).map(crate::row::Row::kind).ok_or_else(SessionError::not_found)?;
        let section = match intent.kind() {
            ErasureKind::ToSensitive => Section::Sensitive,
            _ => kind.section(),
        };
        let extracted = self.open_document(old.document)?.extract(&|item| item == item_of_key(key));
        if !extracted.unsettled.is_empty() {
            return Err(refused("error-settle-first"));
        }
        let space = self.stage_space(stage, chart, section)?;
        let document = self.stage_document(stage, space, old.shard, 64)?;
        self.stage_edits(stage, document, extracted.edits)?;
        self.note_copied(stage, intent, old)
    }

    fn note_copied(
        &mut self,
        stage: &mut Stage,
        intent: &mut Intent,
        old: &DocumentState,
    ) -> Result<(), SessionError> {
        let heads = self.open_document(old.document)?.heads();
        intent.copied = Some(heads.into_iter().map(Hash32::from_bytes).collect());
        intent.put(stage);
        Ok(())
    }

    /// Writes into the copy of a moving entry what was written where it was since it was copied. True if there was something. What was
    /// written at both ends is refused; should the person decide it again, what was written last stands.
    pub(super) fn stage_written_since(
        &mut self,
        stage: &mut Stage,
        intent: &mut Intent,
        old: &DocumentState,
        copy: DocumentId,
    ) -> Result<bool, SessionError> {
        let Some(key @ ItemKey::Entry(id)) = intent.key else { return Ok(false) };
        let (entry, item) = (EntryId::from_bytes(id), item_of_key(key));
        let rows = self.rows(intent.chart())?;
        let at_ms = |document| rows.get_in(document, key).map_or(0, |row| row.at_ms);
        let later_here = at_ms(old.document) > at_ms(copy);
        let here = self.open_document(old.document)?.clone();
        let heads: Option<Vec<[u8; 32]>> =
            intent.copied.as_ref().map(|heads| heads.iter().map(|head| *head.as_bytes()).collect());
        let was = heads.and_then(|heads| here.as_of(&heads));
        let has = self.open_document(copy)?.clone();
        if !here.extract(&|of| of == item).unsettled.is_empty() {
            return Err(refused("error-settle-first"));
        }
        let value = |document: &Document, field: Field| {
            document.entry(entry).and_then(|entry| entry.get(field).map(str::to_owned))
        };
        let fields = |document: &Document| -> BTreeSet<Field> {
            document
                .entry(entry)
                .into_iter()
                .flat_map(|entry| entry.fields)
                .map(|state| state.field)
                .collect()
        };
        let mut edits = Vec::new();
        for field in &fields(&here) | &fields(&has) {
            let (is, there) = (value(&here, field), value(&has, field));
            if is == there {
                continue;
            }
            let taken = match &was {
                Some(was) => {
                    let before = value(was, field);
                    if is != before && there != before {
                        return Err(refused("error-settle-first"));
                    }
                    is != before
                }
                None => later_here,
            };
            if taken {
                edits.push(Edit::Set { entry, field, value: is });
            }
        }
        if edits.is_empty() {
            return Ok(false);
        }
        self.stage_edits(stage, copy, edits)?;
        self.note_copied(stage, intent, old)?;
        Ok(true)
    }
}
