//! Documents out of the vault: the local snapshot and the envelopes after it, read, unsealed and loaded.

use mecum_documents::{Document, MAX_SNAPSHOT_BYTES, Payload};
use mecum_seal::DocumentId;
use mecum_vault::{Link, ReadVaultError, Table};

use crate::error::SessionError;
use crate::plaintext::unpress;
use crate::session::{Session, open_envelope};
use crate::stage::Stage;

impl Session {
    /// A document as the vault has it. On one thread: reading ahead on another was tried and is slower, for what one thread
    /// allocates and another frees costs more than the sealing.
    pub(crate) fn load_document(&self, document: DocumentId) -> Result<Document, SessionError> {
        mecum_trip::here("read");
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let space = self.space_of_document(state)?;
        let actor = self.identity.actor();
        let (pressed, links) = self.vault.read(|vault| -> Result<_, ReadVaultError> {
            let pressed = vault.get(Table::Snapshot, document.as_bytes())?;
            Ok((pressed, vault.links(document, state.snapshot_at)?))
        })?;
        let actor =
            if state.cuts > 0 { self.replayed(&Stage::default(), state)?.actor_for(actor) } else { actor };
        let snapshot = match pressed {
            Some(pressed) => {
                unpress(&pressed, MAX_SNAPSHOT_BYTES as u64).map_err(|_| SessionError::Envelope)?
            }
            None => Document::new(actor).save(),
        };
        let mut tail = Vec::new();
        for link in links {
            // What was folded lies below the snapshot.
            let Link::Whole { envelope, .. } = link else { return Err(SessionError::Folded) };
            tail.push(open_envelope(space, state, &envelope)?.1);
        }
        let raw: Result<Vec<&[u8]>, _> = tail.iter().map(|body| Payload::raw_change(body)).collect();
        Ok(Document::reopen(&snapshot, raw.map_err(|_| SessionError::Envelope)?, actor)?)
    }
}
