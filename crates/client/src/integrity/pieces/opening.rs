//! What a document's opening says of it, where its own row is lost: the control log, of which nothing is folded, has key and year.

use mecum_seal::{DocumentId, Envelope};

use super::Pieces;
use crate::erasing::OpenSuccessor;
use crate::plaintext::{OpenDocument, unpack};
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};

impl Pieces<'_> {
    pub(super) fn space_of(&self, log: DocumentId, fetched: Option<&Session>) -> Option<&SpaceState> {
        let state = self.states.get(&log).or_else(|| fetched?.documents.get(&log));
        match state {
            Some(state) => self.spaces.get(&state.space),
            None => self.control(log).or_else(|| self.spaces.get(&self.opening(log)?.space)),
        }
    }

    /// A document as its opening has it, among the good envelopes of control logs.
    pub(super) fn opening(&self, document: DocumentId) -> Option<DocumentState> {
        for space in self.spaces.values() {
            let Some(log) = self.logs.get(&space.control_log()) else { continue };
            for (_, bytes) in &log.envelopes {
                let Ok(envelope) = Envelope::parse(bytes) else { continue };
                let Some(body) = space.open_control(&envelope).and_then(|plain| unpack(&plain).ok()) else {
                    continue;
                };
                let plain = OpenDocument::decode(&body).ok();
                let plain = plain.map(|message| {
                    let (key, side) = (message.key(), message.side());
                    DocumentState::new(message.document, space.space, key, message.shard, side)
                });
                let successor = || {
                    let message = OpenSuccessor::decode(&body)?;
                    let (key, side) = (message.key(), message.side());
                    Some(DocumentState::new(message.document, space.space, key, message.shard, side))
                };
                if let Some(opened) = plain.or_else(successor).filter(|opened| opened.document == document) {
                    return Some(opened);
                }
            }
        }
        None
    }
}
