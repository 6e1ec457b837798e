//! INSECURE: what the bench reaches into a session for. Whole histories at once, and the plain bytes of documents, as a
//! program without sealing would have them on its disk.

use std::collections::BTreeMap;

use mecum_documents::Document;
use mecum_domain::{ChartId, Edit, Field, FinishedKey, Kind, PartialDate, Section};
use mecum_seal::{AccountId, DeviceId, DocumentId, IncarnationId, SigningKey};
use mecum_sync::{AccountEntry, Signed};
use mecum_vault::{Durability, Table};

use crate::error::SessionError;
use crate::plaintext::unpress;
use crate::row::ItemKey;
use crate::rows_from::{RowPlace, row_of_finished};
use crate::session::Session;
use crate::stage::Stage;

/// Edits of one envelope, when many are written together: as an import does.
const TOGETHER: usize = 800;

/// A document as Automerge alone would keep it.
#[derive(Clone, Debug)]
pub struct PlainDocument {
    /// The snapshot: one uncompressed chunk.
    pub snapshot: Vec<u8>,
    /// The raw changes after it, in order.
    pub tail: Vec<Vec<u8>>,
}

/// Where edits go: a section and year, or the document that an entry is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Shard(Section, i16),
    Document(DocumentId),
}

impl Session {
    /// Writes edits into the documents that the commands would choose. `together` is one envelope per document, as an import
    /// or a flush makes it; else every edit is an envelope of its own, as a person saves it.
    pub fn write_for_tests(
        &mut self,
        chart: ChartId,
        edits: Vec<(Kind, Edit)>,
        together: bool,
    ) -> Result<(), SessionError> {
        self.load_chart(chart)?;
        let mut goals: BTreeMap<Goal, Vec<Edit>> = BTreeMap::new();
        for (kind, edit) in edits {
            goals.entry(self.goal(chart, kind, &edit)?).or_default().push(edit);
        }
        let at_once = if together { TOGETHER } else { 1 };
        let mut stage = Stage::default();
        for (goal, edits) in goals {
            for part in edits.chunks(at_once) {
                let document = match goal {
                    Goal::Document(document) => document,
                    Goal::Shard(section, year) => {
                        let space = self.stage_space(&mut stage, chart, section)?;
                        self.stage_document(&mut stage, space, year, operations(part))?
                    }
                };
                self.stage_edits(&mut stage, document, part.to_vec())?;
                if !together {
                    self.commit(std::mem::take(&mut stage), Durability::Normal)?;
                }
            }
        }
        self.commit(stage, Durability::Full)
    }

    fn goal(&mut self, chart: ChartId, kind: Kind, edit: &Edit) -> Result<Goal, SessionError> {
        let date = match edit {
            Edit::Set { entry, .. } => {
                let document = self.document_of(chart, ItemKey::Entry(*entry.as_bytes()))?;
                return document.map(Goal::Document).ok_or_else(SessionError::not_found);
            }
            Edit::Add { fields, .. } => {
                fields.iter().find(|(field, _)| *field == Field::Effective).map(|(_, date)| date.clone())
            }
            Edit::Keep { key, bytes } => {
                let place = RowPlace {
                    space: mecum_seal::SpaceId::from_bytes([0; 16]),
                    document: DocumentId::CONTROL,
                    device: self.identity.device,
                    at_ms: 0,
                    own_seq: 0,
                    arrived: 0,
                    side: None,
                };
                row_of_finished(FinishedKey::from_bytes(*key.as_bytes()), bytes, &place).date
            }
        };
        let year = date.as_deref().and_then(PartialDate::parse).map_or(0, |date| date.year());
        Ok(Goal::Shard(kind.section(), year))
    }

    /// Folds every tail into its local snapshot, however short.
    pub fn fold_all_for_tests(&mut self) -> Result<(), SessionError> {
        self.fold(self.documents.keys().copied().collect())
    }

    /// Loads every document anew from the vault.
    pub fn load_all_for_tests(&self) -> Result<Vec<Document>, SessionError> {
        self.documents.keys().map(|document| self.load_document(*document)).collect()
    }

    /// How many documents are loaded.
    pub fn loaded_for_tests(&self) -> usize {
        self.open.len()
    }

    /// The same bytes as [`Self::load_all_for_tests`] loads, in its order, unsealed.
    pub fn plain_for_tests(&self) -> Result<Vec<PlainDocument>, SessionError> {
        let mut all = Vec::with_capacity(self.documents.len());
        for (document, state) in &self.documents {
            let snapshot = match self.vault.get(Table::Snapshot, document.as_bytes())? {
                Some(packed) => unpress(&packed, mecum_documents::MAX_SNAPSHOT_BYTES as u64)
                    .map_err(|_| SessionError::Envelope)?,
                None => Document::new(self.identity.actor()).save(),
            };
            let mut tail = Vec::new();
            for (_, bytes) in self.envelopes(*document, state.snapshot_at)? {
                let body = crate::session::open_envelope(self.space_of_document(state)?, state, &bytes)?.1;
                let raw = mecum_documents::Payload::raw_change(&body).map_err(|_| SessionError::Envelope)?;
                tail.push(raw.to_vec());
            }
            all.push(PlainDocument { snapshot, tail });
        }
        Ok(all)
    }

    /// Bytes of the last envelope of the document that an entry is in.
    pub fn last_envelope_for_tests(&mut self, chart: ChartId, key: ItemKey) -> Result<usize, SessionError> {
        let document = self.document_of(chart, key)?.ok_or_else(SessionError::not_found)?;
        let before = self.vault.envelope_count(document).saturating_sub(1);
        Ok(self.envelopes(document, before)?.last().map_or(0, |(_, bytes)| bytes.len()))
    }

    /// What this installation signs in with.
    pub fn sign_in_for_tests(&self) -> (SigningKey, AccountId, DeviceId, IncarnationId) {
        let identity = &self.identity;
        (identity.signing.clone(), identity.account, identity.device, identity.incarnation)
    }

    /// The account's first entry, to enrol with.
    pub fn genesis_for_tests(&self) -> Result<Signed<AccountEntry>, SessionError> {
        self.account_genesis()
    }
}

fn operations(edits: &[Edit]) -> u32 {
    let of = |edit: &Edit| match edit {
        Edit::Add { fields, .. } => fields.len() + 2,
        Edit::Set { .. } | Edit::Keep { .. } => 1,
    };
    u32::try_from(edits.iter().map(of).sum::<usize>()).unwrap_or(u32::MAX)
}
