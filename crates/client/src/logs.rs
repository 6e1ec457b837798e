//! The vault's logs as everybody here reads them: envelopes, byte for byte, whether they lie there or are made again from the residue
//! that was kept of them (ADR 0016). The one place that does so; the vault hands out nothing else that could be taken for them.
//!
//! What an envelope is asked for most often, whose it is and when it was written, stands in its residue: that needs no document.

use std::sync::{Arc, Mutex, PoisonError};

use mecum_documents::{Document, MAX_SNAPSHOT_BYTES, Payload, Payloads};
use mecum_seal::{DocumentId, Envelope, Place};
use mecum_vault::{Folded, Link, Salvage, Table};

use crate::error::SessionError;
use crate::identity::Identity;
use crate::plaintext::unpress;
use crate::residue::{Kept, Residue, Stands};
use crate::session::{Session, open_envelope};
use crate::space::{DocumentState, SpaceState};

/// Envelopes and their numbers in a log.
pub(crate) type Numbered = Vec<(u64, Vec<u8>)>;

/// The envelopes of a run that was made again.
pub(crate) type Made = Arc<Vec<Vec<u8>>>;

/// The run that was made again last, its document and the number of its first one: whoever asks for one envelope of it asks for the next one too.
#[derive(Default)]
pub(crate) struct LastMade(Mutex<Option<(DocumentId, u64, Made)>>);

impl LastMade {
    fn get(&self, document: DocumentId, run: &Folded) -> Option<Made> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, first, made) = last.as_ref()?;
        (*of == document && *first == run.first() && run.are(made)).then(|| Arc::clone(made))
    }

    fn set(&self, made: Option<(DocumentId, u64, Made)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = made;
    }

    /// Lets go of it.
    pub(crate) fn clear(&self) {
        self.set(None);
    }
}

impl Session {
    /// The envelopes of a log after the first `after`, in their local order.
    pub(crate) fn envelopes(&self, log: DocumentId, after: u64) -> Result<Numbered, SessionError> {
        let mut payloads = None;
        let mut all = Vec::new();
        for link in self.vault.links(log, after)? {
            match link {
                Link::Whole { n, envelope } => all.push((n, envelope)),
                Link::Folded(run) => {
                    let made = self.made_again_once(log, &run, &mut payloads)?;
                    let numbered = (run.first()..).zip(made.iter().cloned());
                    all.extend(numbered.filter(|(n, _)| *n > after));
                }
            }
        }
        Ok(all)
    }

    /// One envelope of a log.
    pub(crate) fn envelope(&self, log: DocumentId, n: u64) -> Result<Option<Vec<u8>>, SessionError> {
        match self.vault.link(log, n)? {
            None => Ok(None),
            Some(Link::Whole { envelope, .. }) => Ok(Some(envelope)),
            Some(Link::Folded(run)) => {
                let made = self.made_again_once(log, &run, &mut None)?;
                let at = n.checked_sub(run.first()).and_then(|at| usize::try_from(at).ok());
                Ok(at.and_then(|at| made.get(at).cloned()))
            }
        }
    }

    /// Where every envelope of a document stands, with the change in it. Nothing is made again for it. `space` may have keys that are
    /// not committed yet.
    pub(crate) fn stands(
        &self,
        state: &DocumentState,
        space: &SpaceState,
    ) -> Result<Vec<Stands>, SessionError> {
        let mut all = Vec::new();
        for link in self.vault.links(state.document, 0)? {
            match link {
                Link::Whole { envelope, .. } => all.push(standing_of(space, state, &envelope)?),
                Link::Folded(run) => {
                    for kept in residue_of(&run)?.kept {
                        all.push(match kept {
                            Kept::Verbatim(bytes) => standing_of(space, state, &bytes)?,
                            Kept::Made(parts) => parts.stands(state),
                        });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The number and place of every envelope of a log, a control log's too. What each follows is not among it.
    pub(crate) fn places(&self, log: DocumentId) -> Result<Vec<(u64, Place)>, SessionError> {
        let parsed = |bytes: &[u8]| {
            Envelope::parse(bytes)
                .map(|envelope| envelope.place().clone())
                .map_err(|_| SessionError::Envelope)
        };
        let mut all = Vec::new();
        for link in self.vault.links(log, 0)? {
            match link {
                Link::Whole { n, envelope } => all.push((n, parsed(&envelope)?)),
                Link::Folded(run) => {
                    let state = self.documents.get(&log).ok_or(SessionError::Folded)?;
                    for (n, kept) in (run.first()..).zip(residue_of(&run)?.kept) {
                        let place = match kept {
                            Kept::Verbatim(bytes) => parsed(&bytes)?,
                            Kept::Made(parts) => parts.stands(state).place,
                        };
                        all.push((n, place));
                    }
                }
            }
        }
        Ok(all)
    }

    /// Every run of a document made again: what has to lie there before the document loses a change.
    pub(crate) fn unfolded(&self, document: DocumentId) -> Result<Vec<(u64, Made)>, SessionError> {
        let mut payloads = None;
        let mut all = Vec::new();
        if !self.vault.has_folded(document)? {
            return Ok(all);
        }
        for link in self.vault.links(document, 0)? {
            if let Link::Folded(run) = link {
                all.push((run.first(), self.made_again_once(document, &run, &mut payloads)?));
            }
        }
        Ok(all)
    }

    fn made_again_once(
        &self,
        document: DocumentId,
        run: &Folded,
        payloads: &mut Option<Payloads>,
    ) -> Result<Made, SessionError> {
        if let Some(made) = self.last_made.get(document, run) {
            return Ok(made);
        }
        let payloads = if let Some(payloads) = payloads {
            payloads
        } else {
            let loaded = self.load_document(document)?;
            payloads.insert(loaded.payloads().map_err(|_| SessionError::Folded)?)
        };
        let made = self.made_again(document, run, payloads)?;
        self.last_made.set(Some((document, run.first(), Arc::clone(&made))));
        Ok(made)
    }

    /// The envelopes of a run of a document that has these changes.
    pub(crate) fn made_again(
        &self,
        document: DocumentId,
        run: &Folded,
        payloads: &Payloads,
    ) -> Result<Made, SessionError> {
        let state = self.documents.get(&document).ok_or(SessionError::Folded)?;
        Ok(Arc::new(make_run(run, self.space_of_document(state)?, state, payloads)?))
    }
}

/// The envelopes of a run: made again, and by the vault's chain the ones that were folded.
fn make_run(
    run: &Folded,
    space: &SpaceState,
    state: &DocumentState,
    payloads: &Payloads,
) -> Result<Vec<Vec<u8>>, SessionError> {
    let made = residue_of(run)?.envelopes(space, state, payloads).ok_or(SessionError::Folded)?;
    if run.are(&made) { Ok(made) } else { Err(SessionError::Folded) }
}

fn residue_of(run: &Folded) -> Result<Residue, SessionError> {
    let residue = Residue::decode(run.residue()).map_err(|_| SessionError::Folded)?;
    if residue.kept.len() as u64 == run.count() { Ok(residue) } else { Err(SessionError::Folded) }
}

fn standing_of(space: &SpaceState, state: &DocumentState, bytes: &[u8]) -> Result<Stands, SessionError> {
    let (envelope, body) = open_envelope(space, state, bytes)?;
    let glance = Payload::glance(&body).map_err(|_| SessionError::Envelope)?;
    let place = envelope.place().clone();
    Ok(Stands { place, actor: glance.actor, change_seq: glance.change_seq, at_ms: glance.at_ms })
}

/// A log of a damaged vault, as far as it could be read and made again.
pub(crate) struct ReadLog {
    /// Number and bytes, ascending.
    pub(crate) envelopes: Numbered,
    /// All of them are there and as they were.
    pub(crate) whole: bool,
    /// First and last number of the runs that cannot be made again although their document and its snapshot are good.
    pub(crate) not_made: Vec<(u64, u64)>,
}

impl ReadLog {
    /// Reads a log of a damaged vault. What was folded is made again from the document's snapshot, if that is good; if not, the server
    /// has it: nothing else was folded.
    pub(crate) fn of(
        salvage: &Salvage,
        log: DocumentId,
        identity: &Identity,
        known: Option<(&SpaceState, &DocumentState)>,
    ) -> Self {
        let saved = salvage.log(log);
        let (mut envelopes, mut whole, mut not_made) = (Vec::new(), saved.whole, Vec::new());
        let good = known.is_some() && salvage.get(Table::Snapshot, log.as_bytes()).is_some();
        let mut payloads = None;
        for link in saved.links {
            match link {
                Link::Whole { n, envelope } => envelopes.push((n, envelope)),
                Link::Folded(run) => {
                    let payloads = payloads.get_or_insert_with(|| salvaged_payloads(salvage, log, identity));
                    let made = known
                        .zip(payloads.as_ref())
                        .and_then(|((space, state), payloads)| make_run(&run, space, state, payloads).ok());
                    whole &= made.is_some();
                    if made.is_none() && good {
                        not_made.push((run.first(), run.last()));
                    }
                    envelopes.extend((run.first()..).zip(made.unwrap_or_default()));
                }
            }
        }
        Self { envelopes, whole, not_made }
    }
}

/// What is known of a document in a damaged vault, where that is good.
pub(crate) fn saved_document(salvage: &Salvage, document: DocumentId) -> Option<(SpaceState, DocumentState)> {
    let name = document.as_bytes();
    let state = DocumentState::decode(name, salvage.get(Table::Document, name)?).ok()?;
    let space = state.space.as_bytes();
    Some((SpaceState::decode(space, salvage.get(Table::Space, space)?).ok()?, state))
}

/// The changes of a document's local snapshot. What was folded lies in it whole.
fn salvaged_payloads(salvage: &Salvage, document: DocumentId, identity: &Identity) -> Option<Payloads> {
    let pressed = salvage.get(Table::Snapshot, document.as_bytes())?;
    let snapshot = unpress(pressed, MAX_SNAPSHOT_BYTES as u64).ok()?;
    let loaded = Document::reopen(&snapshot, std::iter::empty(), identity.actor()).ok()?;
    loaded.payloads().ok()
}
