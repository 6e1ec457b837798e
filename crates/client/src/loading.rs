//! Documents out of the vault: the local snapshot and the envelopes after it, read, unsealed and loaded.

use std::sync::mpsc::sync_channel;
use std::thread;

use mecum_documents::{Actor, Document, MAX_SNAPSHOT_BYTES, Payload};
use mecum_seal::DocumentId;
use mecum_vault::Table;
use zeroize::Zeroizing;

use crate::error::SessionError;
use crate::plaintext::unpress;
use crate::session::{Session, open_envelope};

/// How many documents are read ahead of the one that is being loaded: enough to never wait, little to hold.
const AHEAD: usize = 4;

/// A document as the vault has it, unsealed.
struct ReadDocument {
    /// Pressed; none for a document without one.
    snapshot: Option<Zeroizing<Vec<u8>>>,
    /// Bodies of the envelopes after it, in order.
    tail: Vec<Vec<u8>>,
}

impl ReadDocument {
    fn load(&self, actor: Actor) -> Result<Document, SessionError> {
        let snapshot = match &self.snapshot {
            Some(pressed) => {
                unpress(pressed, MAX_SNAPSHOT_BYTES as u64).map_err(|_| SessionError::Envelope)?
            }
            None => Document::new(actor).save(),
        };
        let raw: Result<Vec<&[u8]>, _> = self.tail.iter().map(|body| Payload::raw_change(body)).collect();
        Ok(Document::reopen(&snapshot, raw.map_err(|_| SessionError::Envelope)?, actor)?)
    }
}

impl Session {
    /// A document as the vault has it.
    pub(crate) fn load_document(&self, document: DocumentId) -> Result<Document, SessionError> {
        self.read_document(document)?.load(self.identity.actor())
    }

    /// Several documents, in the order asked. One thread reads and unseals while another loads: the sealing then costs next to
    /// nothing beside Automerge.
    pub(crate) fn load_documents(&self, documents: &[DocumentId]) -> Result<Vec<Document>, SessionError> {
        let actor = self.identity.actor();
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<ReadDocument>(AHEAD);
            let loader = scope.spawn(move || receiver.iter().map(|read| read.load(actor)).collect());
            for document in documents {
                // Nobody listens any more once a document did not load: its error is the answer.
                if sender.send(self.read_document(*document)?).is_err() {
                    break;
                }
            }
            drop(sender);
            loader.join().unwrap_or(Err(SessionError::Envelope))
        })
    }

    fn read_document(&self, document: DocumentId) -> Result<ReadDocument, SessionError> {
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let snapshot = self.vault.get(Table::Snapshot, document.as_bytes())?;
        let mut tail = Vec::new();
        for (_, bytes) in self.vault.envelopes(document, state.snapshot_at)? {
            tail.push(open_envelope(state, &bytes)?.1);
        }
        Ok(ReadDocument { snapshot, tail })
    }
}
