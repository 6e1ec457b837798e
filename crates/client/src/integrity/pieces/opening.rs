//! What a document's opening says of it, where its own row is lost: the control log, of which nothing is folded, has key and year.

use mecum_seal::{DocumentId, Envelope};
use mecum_sync::controls::holds;

use super::Pieces;
use crate::care::may_open;
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

    /// A document as its opening has it, among the good envelopes of control logs. None of a conversation where that is not beyond doubt:
    /// where who may open it has done so twice, under another key.
    pub(super) fn opening(&self, document: DocumentId) -> Option<DocumentState> {
        for space in self.spaces.values() {
            let Some(log) = self.logs.get(&space.control_log()) else { continue };
            let envelopes = log.envelopes.iter().filter_map(|(_, bytes)| Envelope::parse(bytes).ok());
            let mut openings = envelopes.filter_map(|envelope| self.opening_in(space, &envelope, document));
            let Some(first) = openings.next() else { continue };
            let disputed =
                space.care.is_some() && openings.any(|other| other.key.expose() != first.key.expose());
            return (!disputed).then_some(first);
        }
        None
    }

    /// What an envelope of a control log says of how a document opens. In a conversation by whom the id is bound to, and by nobody else.
    fn opening_in(
        &self,
        space: &SpaceState,
        envelope: &Envelope,
        document: DocumentId,
    ) -> Option<DocumentState> {
        let body = unpack(&space.open_control(envelope)?).ok()?;
        let (key, shard, said) = match OpenDocument::decode(&body) {
            Ok(message) if message.document == document => (message.key(), message.shard, message.of_side()),
            Ok(_) => return None,
            Err(_) => {
                let message = OpenSuccessor::decode(&body).filter(|message| message.document == document)?;
                (message.key(), message.shard, message.of_side())
            }
        };
        let may = may_open(&self.follower, space, document, said, envelope.place().device);
        let side = said.map(|said| said.side);
        holds("side-mended", may).then(|| DocumentState::new(document, space.space, key, shard, side))
    }
}
