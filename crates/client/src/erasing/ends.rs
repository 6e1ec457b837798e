//! Which ends of documents count. A log has every end that a manager signed; in a conversation a document is ended by its own side alone.
//!
//! What counts follows from the log, the space's label and the documents' ids, and from nothing that a device saw or did not see: an end
//! that counts here counts on every device, whenever it began.

use mecum_domain::Side;
use mecum_seal::{DocumentId, SpaceId};
use mecum_sync::controls::holds;
use mecum_sync::{Replaced, Role, SpaceLog};

use crate::care::{Care, side_of_document};
use crate::session::Session;
use crate::stage::Stage;

/// The ends in a space's log that count.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    log: Option<&'a SpaceLog>,
    care: Option<&'a Care>,
}

impl<'a> Ends<'a> {
    /// Of a log, and the hospital that its space is shared with.
    pub(crate) fn of(log: Option<&'a SpaceLog>, care: Option<&'a Care>) -> Self {
        Self { log, care }
    }

    /// In the order of the log.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a Replaced> {
        let Self { log, care } = self;
        let counted = move |log: &'a SpaceLog| log.replaced().iter().filter(move |of| counts(log, care, of));
        log.into_iter().flat_map(counted)
    }

    /// Which document took the place of this one, if one did.
    pub(crate) fn successor_of(self, document: DocumentId) -> Option<DocumentId> {
        self.iter().find(|of| of.document == document).map(|of| of.by)
    }

    /// Whether a document's place was taken by another one.
    pub(crate) fn is_ended(self, document: DocumentId) -> bool {
        self.successor_of(document).is_some()
    }

    /// Whether a document took another one's place.
    pub(crate) fn begins(self, document: DocumentId) -> bool {
        self.iter().any(|of| of.by == document)
    }

    /// The document that took a place last.
    pub(crate) fn last_of(self, first: DocumentId) -> DocumentId {
        let mut last = first;
        // No longer than the log: what took a place never stood in one before.
        for _ in self.iter() {
            match self.successor_of(last) {
                Some(next) => last = next,
                None => break,
            }
        }
        last
    }
}

/// Whether an end counts. Of a conversation only the patient's documents end, for only managers sign an end, and a hospital is none: while
/// an account of it is one, nobody can tell by the log which side signed, and nothing ends.
fn counts(log: &SpaceLog, care: Option<&Care>, of: &Replaced) -> bool {
    let Some(care) = care else { return true };
    let is_patients = |document| side_of_document(document) == Side::Patient;
    let manages = |account| log.role_at(account, of.entry) == Some(Role::Manager);
    let by_patient = !care.members.iter().any(|member| manages(member.account));
    holds("side-end", by_patient && is_patients(of.document) && is_patients(of.by))
}

impl Session {
    /// The ends of a space's documents that count.
    pub(crate) fn ends(&self, space: SpaceId) -> Ends<'_> {
        Ends::of(self.follower.space_log(space), self.care_in(space))
    }

    /// The same as they will be after the stage.
    pub(crate) fn staged_ends<'a>(&'a self, stage: &'a Stage, space: SpaceId) -> Ends<'a> {
        let staged = stage.spaces.get(&space).and_then(|state| state.care.as_ref());
        Ends::of(self.staged_log(stage, space), staged.or_else(|| self.care_in(space)))
    }

    /// The hospital that a space is shared with, by its label.
    pub(crate) fn care_in(&self, space: SpaceId) -> Option<&Care> {
        self.spaces.get(&space)?.care.as_ref()
    }
}

#[cfg(test)]
mod tests;
