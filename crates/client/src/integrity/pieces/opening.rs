//! What a document's opening says of it, where its own row is lost: the control log, of which nothing is folded, has key and year.

use mecum_seal::{AccountId, DocumentId, Envelope};
use mecum_sync::{Signed, SpaceEntry, decode};
use mecum_vault::Table;

use super::Pieces;
use crate::erasing::OpenSuccessor;
use crate::plaintext::{OpenDocument, unpack};
use crate::restored::space_entry_name;
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};

/// The largest log entry that is read back.
const MAX_ENTRY_BYTES: usize = 1 << 20;

impl Pieces<'_> {
    pub(super) fn space_of(&self, log: DocumentId, fetched: Option<&Session>) -> Option<&SpaceState> {
        let state = self.states.get(&log).or_else(|| fetched?.documents.get(&log));
        match state {
            Some(state) => self.spaces.get(&state.space),
            None => self.control(log).or_else(|| self.spaces.get(&self.opening(log)?.space)),
        }
    }

    /// A document as its opening has it, among the good envelopes of control logs. None of a conversation where that is not beyond doubt:
    /// whoever writes there may have opened it once more, for another side.
    pub(super) fn opening(&self, document: DocumentId) -> Option<DocumentState> {
        for space in self.spaces.values() {
            let Some(log) = self.logs.get(&space.control_log()) else { continue };
            let envelopes = log.envelopes.iter().filter_map(|(_, bytes)| Envelope::parse(bytes).ok());
            let mut openings =
                envelopes.filter_map(|envelope| self.opening_in(space, &envelope, document)).peekable();
            if openings.peek().is_none() {
                continue;
            }
            let first = openings.next()?;
            let disputed = space.care.is_some() && openings.any(|other| other.side != first.side);
            return (!disputed).then_some(first);
        }
        None
    }

    /// What an envelope of a control log says of how a document opens.
    fn opening_in(
        &self,
        space: &SpaceState,
        envelope: &Envelope,
        document: DocumentId,
    ) -> Option<DocumentState> {
        let body = unpack(&space.open_control(envelope)?).ok()?;
        if let Ok(message) = OpenDocument::decode(&body) {
            let (key, side) = (message.key(), message.side());
            let opened = DocumentState::new(message.document, space.space, key, message.shard, side);
            return (opened.document == document).then_some(opened);
        }
        let message = OpenSuccessor::decode(&body).filter(|message| message.document == document)?;
        let by = self.follower.account_of(envelope.place().device);
        if space.care.is_some() && (by.is_none() || by != self.signer_of_end(space, &message)) {
            return None;
        }
        Some(DocumentState::new(document, space.space, message.key(), message.shard, message.side()))
    }

    /// Who signed that a document ends, and that this one takes its place; nobody where the one that ends is here and of another side.
    fn signer_of_end(&self, space: &SpaceState, message: &OpenSuccessor) -> Option<AccountId> {
        let mut ends = self.follower.space_log(space.space)?.replaced().iter();
        let of = ends.find(|of| of.by == message.document && of.document == message.of)?;
        if self.states.get(&of.document).is_some_and(|old| old.side != message.side()) {
            return None;
        }
        let entry = self.salvage.get(Table::Sync, &space_entry_name(space.space, of.entry))?;
        let entry: Signed<SpaceEntry> = decode(entry, MAX_ENTRY_BYTES).ok()?;
        Some(entry.unverified().account)
    }
}
