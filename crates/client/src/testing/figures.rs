//! INSECURE: what the figures of members, snapshots and large documents need of a session besides what it does by itself.

use std::collections::BTreeSet;

use mecum_documents::{Document, Limits, MAX_SNAPSHOT_BYTES};
use mecum_domain::{ChartId, Edit, Section};
use mecum_seal::{DocumentId, Envelope, Hash32, Place, derive_key, seal_envelope};
use mecum_sync::{SyncRequest, SyncResponse};
use mecum_vault::{Durability, Table};

use crate::arrivals::{Arrival, open_arrivals};
use crate::error::SessionError;
use crate::exchange::{ExchangeError, by_document};
use crate::plaintext::{SnapshotPart, press};
use crate::row::ItemKey;
use crate::session::Session;
use crate::stage::Stage;

/// The year of a document that no command would choose.
const NO_YEAR: i16 = 9_999;

impl Session {
    /// Checks and opens the envelopes of an answer as [`Session::accept`] does before it judges and keeps them, and keeps nothing. Answers how many opened.
    pub fn check_and_open_for_tests(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<usize, ExchangeError> {
        let mut follower = self.follower.clone();
        follower.check_response(request, response)?;
        let (mut stage, mut arrivals) = (Stage::default(), Vec::new());
        for item in &response.items {
            let accepted = follower.accept(item)?;
            self.take(&mut stage, &follower, accepted, &mut arrivals)?;
        }
        let is_control = |arrival: &Arrival| arrival.envelope.place().document == DocumentId::CONTROL;
        let (control, content): (Vec<_>, Vec<_>) = arrivals.into_iter().partition(is_control);
        let mut opened = control.len();
        for arrival in control {
            self.stage_control(&mut stage, arrival)?;
        }
        for (document, arrivals) in by_document(content) {
            let state = self.staged_document(&stage, document)?;
            let space = self.staged_space(&stage, state.space)?;
            opened += open_arrivals(&mut stage, &space, &state, arrivals, &BTreeSet::new()).len();
        }
        Ok(opened)
    }

    /// One flush: edits of one document in one envelope and one commit.
    pub fn flush_for_tests(
        &mut self,
        chart: ChartId,
        key: ItemKey,
        edits: Vec<Edit>,
    ) -> Result<(), SessionError> {
        let document = self.document_of(chart, key)?.ok_or_else(SessionError::not_found)?;
        let mut stage = Stage::default();
        self.stage_edits(&mut stage, document, edits)?;
        self.commit(stage, Durability::Full)
    }

    /// Bytes of the last own change of the document that an entry is in, with its typed edits: unsealed, not deflated, not padded.
    pub fn last_body_for_tests(&mut self, chart: ChartId, key: ItemKey) -> Result<usize, SessionError> {
        let document = self.document_of(chart, key)?.ok_or_else(SessionError::not_found)?;
        let before = self.vault.envelope_count(document).saturating_sub(1);
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let last = self.envelopes(document, before)?;
        let (_, bytes) = last.last().ok_or_else(SessionError::not_found)?;
        Ok(crate::session::open_envelope(self.space_of_document(state)?, state, bytes)?.1.len())
    }

    /// Keeps a document that was made elsewhere as a local snapshot is kept, in a space of the chart.
    pub fn place_for_tests(&mut self, chart: ChartId, chunk: &[u8]) -> Result<DocumentId, SessionError> {
        let mut stage = Stage::default();
        let space = self.stage_space(&mut stage, chart, Section::Diary)?;
        let document = self.stage_document(&mut stage, space, NO_YEAR, 0)?;
        let pressed = press(chunk);
        stage.open.remove(&document);
        if let Some(state) = stage.documents.get_mut(&document) {
            state.snapshot_bytes = pressed.len() as u64;
        }
        stage.puts.push((Table::Snapshot, document.as_bytes().to_vec(), pressed));
        self.commit(stage, Durability::Full)?;
        Ok(document)
    }

    /// Loads a document anew from the vault, as opening an entry does.
    pub fn load_for_tests(&self, document: DocumentId) -> Result<Document, SessionError> {
        self.load_document(document)
    }

    /// A document as the part of a snapshot that travels: pressed, with the times of its changes, padded and sealed.
    pub fn seal_part_for_tests(
        &self,
        document: DocumentId,
        chunk: &[u8],
        times: Vec<u8>,
    ) -> Result<Vec<u8>, SessionError> {
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let space = self.space_of_document(state)?;
        let part =
            SnapshotPart { times, ids: Vec::new(), columns: SnapshotPart::press_columns(chunk), info: None };
        let place = Place {
            space: state.space,
            document,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            envelope_seq: 1,
            epoch: space.epoch,
            membership_head: space.membership,
            previous: Hash32::ZERO,
        };
        let key = mecum_seal::DocumentKey::from_bytes(*derive_key(&state.key, "mecum snapshot v1").expose());
        let sealed = seal_envelope(&key, &place, &part.encode(), self.entropy());
        Ok(sealed.map_err(|_| SessionError::Envelope)?.bytes)
    }

    /// Takes such a part: opened, checked, loaded, compared with what it saves as, and kept durably in the vault. Judging each change, which [`Document::load_compact`] does besides, knows entries
    /// only.
    pub fn take_part_for_tests(
        &mut self,
        document: DocumentId,
        part: &[u8],
        operations: usize,
    ) -> Result<Document, SessionError> {
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let key = mecum_seal::DocumentKey::from_bytes(*derive_key(&state.key, "mecum snapshot v1").expose());
        let envelope = Envelope::parse(part).map_err(|_| SessionError::Envelope)?;
        let plain = envelope.open(&key).map_err(|_| SessionError::Envelope)?;
        let part = SnapshotPart::decode(&plain).map_err(|_| SessionError::Envelope)?;
        let chunk = part.columns().map_err(|_| SessionError::Envelope)?;
        let limits = Limits { bytes: MAX_SNAPSHOT_BYTES, operations };
        let loaded = Document::load(&chunk, self.identity.actor(), limits)?;
        let saved = loaded.save();
        if saved != chunk {
            return Err(SessionError::Envelope);
        }
        let pressed = press(&saved);
        self.vault.write(Durability::Full, |w| w.put(Table::Snapshot, document.as_bytes(), &pressed))?;
        Ok(loaded)
    }
}
