//! What this device wrote under one actor, taken out and written again under another: a vault that was put back from an older
//! copy used numbers twice, and the changes under them may never leave the device.
//!
//! Automerge cannot un-apply a change, so the document is put together anew from all others. Each batch is written again on
//! exactly what its first writing had seen: what was concurrent stays concurrent, and a clash stays a clash. It must not know
//! why, nor which changes those are.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Change, ChangeHash};
use mecum_domain::Batch;

use crate::actor::Actor;
use crate::author::Authored;
use crate::document::{Document, LoadError};
use crate::payload::Payload;
use crate::schema::genesis;

/// A change that is taken out, whether or not the document holds it: where a snapshot took the document's place, it may not.
#[derive(Clone, Debug)]
pub struct TakenOut {
    /// Its hash.
    pub change: [u8; 32],
    /// The changes that its writer had seen, as it names them itself.
    pub deps: Vec<[u8; 32]>,
    /// What it did.
    pub batch: Batch,
}

impl TakenOut {
    /// The change of a payload.
    pub fn of(payload: &Payload) -> Self {
        Self { change: payload.change_hash(), deps: payload.deps().collect(), batch: payload.batch().clone() }
    }
}

/// A document whose changes were taken out and written again.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// The document: everything that was not taken out, and what was written again. It writes as the new actor.
    pub next: Document,
    /// What to seal, in order, each with the place of its batch in the list. A batch that changed nothing has none; one of
    /// which only some edits could be written again has one for each of those.
    pub payloads: Vec<(usize, Payload)>,
    /// The places of batches of which something could not be written again: they are for a person to see.
    pub refused: Vec<usize>,
    /// Changes of others that build on what was taken out: they are not in the document any more, and wait.
    pub left_out: Vec<[u8; 32]>,
}

impl Document {
    /// Takes the changes of `out` out and writes their batches again as `actor`, in order, each on what its change had seen.
    ///
    /// # Errors
    /// [`LoadError`] where Automerge cannot put the document together again; this one is as it was.
    pub fn rewrite(&self, out: &[TakenOut], actor: Actor) -> Result<Rewritten, LoadError> {
        let all = catch_unwind(AssertUnwindSafe(|| self.doc.get_changes(&[])));
        let all = all.map_err(|_| LoadError::Unreadable)?;
        let (stays, left_out) = divide(all, out);
        let mut again = Again::new(stays, actor);
        let mut rewritten =
            Rewritten { next: again.view.clone(), payloads: Vec::new(), refused: Vec::new(), left_out };
        let mut written = Vec::new();
        for (place, TakenOut { deps, batch, .. }) in out.iter().enumerate() {
            again.show(deps)?;
            let (payloads, whole) = again.write(batch);
            written.extend(payloads.iter().map(|payload| payload.parsed().clone()));
            rewritten.payloads.extend(payloads.into_iter().map(|payload| (place, payload)));
            if !whole {
                rewritten.refused.push(place);
            }
        }
        let mut next = Document::new(actor);
        let changes = again.stays.into_iter().chain(written).collect();
        apply(&mut next, changes)?;
        if !next.survives() {
            return Err(LoadError::Unreadable);
        }
        rewritten.next = next;
        Ok(rewritten)
    }
}

/// The changes that stay, without genesis, each after those that it follows; and the others that build on what goes.
fn divide(all: Vec<Change>, out: &[TakenOut]) -> (Vec<Change>, Vec<[u8; 32]>) {
    let mut gone: BTreeSet<[u8; 32]> = out.iter().map(|out| out.change).collect();
    let (mut stays, mut left_out) = (Vec::with_capacity(all.len()), Vec::new());
    for change in all {
        let hash = change.hash().0;
        if gone.contains(&hash) || change.hash() == genesis().hash() {
            continue;
        }
        if change.deps().iter().any(|dep| gone.contains(&dep.0)) {
            gone.insert(hash);
            left_out.push(hash);
        } else {
            stays.push(change);
        }
    }
    (stays, left_out)
}

/// Writing again: what was seen so far, and what is still to be seen.
struct Again {
    view: Document,
    stays: Vec<Change>,
    place: BTreeMap<[u8; 32], usize>,
    seen: BTreeSet<usize>,
}

impl Again {
    fn new(stays: Vec<Change>, actor: Actor) -> Self {
        let place = stays.iter().enumerate().map(|(at, change)| (change.hash().0, at)).collect();
        Self { view: Document::new(actor), stays, place, seen: BTreeSet::new() }
    }

    /// Adds to the view what changes with these dependencies had seen. One writer's view only grows.
    fn show(&mut self, deps: &[[u8; 32]]) -> Result<(), LoadError> {
        let mut fresh = BTreeSet::new();
        let mut open: Vec<ChangeHash> = deps.iter().copied().map(ChangeHash).collect();
        while let Some(hash) = open.pop() {
            let Some(at) = self.place.get(&hash.0).copied() else { continue };
            if self.seen.contains(&at) || !fresh.insert(at) {
                continue;
            }
            open.extend(self.stays.get(at).into_iter().flat_map(|change| change.deps().iter().copied()));
        }
        // The order of all changes puts each after those that it follows.
        let changes = fresh.iter().filter_map(|at| self.stays.get(*at).cloned()).collect();
        apply(&mut self.view, changes)?;
        self.seen.append(&mut fresh);
        Ok(())
    }

    /// Writes a batch on the view; edit by edit if it cannot be written as a whole. False if something of it is missing.
    fn write(&mut self, batch: &Batch) -> (Vec<Payload>, bool) {
        if let Ok(Authored { next, payload }) = self.view.author(batch) {
            self.view = next;
            return (payload.into_iter().collect(), true);
        }
        let (mut payloads, mut whole) = (Vec::new(), true);
        for edit in &batch.edits {
            match self.view.author(&Batch { at_ms: batch.at_ms, edits: vec![edit.clone()] }) {
                Ok(Authored { next, payload }) => {
                    self.view = next;
                    payloads.extend(payload);
                }
                Err(_) => whole = false,
            }
        }
        (payloads, whole)
    }
}

fn apply(document: &mut Document, changes: Vec<Change>) -> Result<(), LoadError> {
    if changes.is_empty() {
        return Ok(());
    }
    document.append_changes(changes)
}
