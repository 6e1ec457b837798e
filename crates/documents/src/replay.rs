//! Documents from which changes turned out void: what a removed member or a clone wrote past its cut.
//!
//! Automerge cannot un-apply a change, so the document is built again, in the same way on every device whatever came first.
//! Cuts are **layers** in the order of the space's log. A layer takes each change that the layer before lets through, and
//!
//! - a *void* one goes; who follows it follows what it followed;
//! - one that has seen nothing of that kind is kept, byte for byte;
//! - any other is written again, edit by edit, as one change under an actor that is reserved for its author and the cut
//!   ([`crate::replay_actor`]), after what its deps became. So what was concurrent stays so, and clashes survive.
//!
//! An edit of an entry that only a void change had added is not lost: the entry is made again, of the same kind and with no
//! fields, by a fixed change that follows genesis, and carries the fields that were written into it since
//! ([`Replayed::revived`] names such entries: nobody who is still heard says what they were).
//!
//! What is not in the document any more is kept beside it in [`Replayed`], because changes that arrive late are judged
//! against it. It must not know why something is void, nor who stands behind an actor.

mod absent;
mod codec;
mod layers;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use mecum_domain::EntryId;
use thiserror::Error;

use crate::actor::Actor;
use crate::admit::{Incoming, Refusal};
use crate::document::Document;
use crate::reserved::actor_after;
use crate::schema::genesis;
use absent::Absent;
use layers::{Engine, Original};

/// One cut and what it takes from a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The hash of the space's log entry that says it.
    pub cut: [u8; 32],
    /// Of each actor that devices write under (never a reserved one), the last `change_seq` that counts: what it wrote
    /// past that is void. Actors that are not named are not touched.
    pub void: BTreeMap<Actor, u64>,
}

/// Why a document cannot be built again. The state and the document are of different moments, or there is a defect here;
/// both can be made anew from the envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The bytes are not those of a state.
    #[error("replay state is malformed")]
    Malformed,
    /// The state is another document's, or of another moment.
    #[error("replay state does not fit the document")]
    State,
    /// A change in the document does not pass the guards.
    #[error("document holds a change that is refused: {0}")]
    Step(Refusal),
    /// Automerge did not take what was written again.
    #[error("document cannot be written again")]
    Write,
}

/// A layer: a cut, and what the changes that did not pass it as they were became.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    cut: Cut,
    /// By hash. Changes that are not named map to themselves.
    became: BTreeMap<[u8; 32], Vec<[u8; 32]>>,
}

/// What cuts did to a document: kept beside it, and needed for everything that arrives later. It belongs to the document of
/// the same moment: whoever stores both opens them again with [`Document::reopen`] and an empty tail, and gives envelopes
/// that came since to [`Document::admit_replayed`]. It holds void words: sealed as the document is.
#[derive(Clone, PartialEq, Eq)]
pub struct Replayed {
    document: [u8; 16],
    layers: Vec<Layer>,
    /// Of each reserved actor, whose changes it writes again, and by how much their numbers differ.
    origins: BTreeMap<Actor, (Actor, u64)>,
    /// The changes that make an entry again.
    revived: BTreeMap<[u8; 32], EntryId>,
    /// Raw changes that were judged and are not in the document, by hash.
    beside: BTreeMap<[u8; 32], Vec<u8>>,
    /// Changes that cannot stand beside those (another of the same number is there), by hash.
    absent: BTreeMap<[u8; 32], Absent>,
}

impl std::fmt::Debug for Replayed {
    /// Sizes only: what lies beside is a person's record.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayed")
            .field("cuts", &self.layers.len())
            .field("beside", &self.beside.len())
            .finish_non_exhaustive()
    }
}

/// What became of batches that were offered to a document with cuts. Lists as in [`crate::Admission`].
#[derive(Clone, Debug)]
pub struct Readmission {
    /// The document with what they became.
    pub next: Document,
    /// The state that belongs to it.
    pub state: Replayed,
    /// Judged and taken in, though perhaps written again or void; or here already.
    pub accepted: Vec<u64>,
    /// A change that it follows is not here.
    pub waiting: Vec<u64>,
    /// Refused, and why.
    pub refused: Vec<(u64, Refusal)>,
}

impl Replayed {
    /// The state of a document without cuts. `document` is its id.
    pub fn none(document: [u8; 16]) -> Self {
        Self {
            document,
            layers: Vec::new(),
            origins: BTreeMap::new(),
            revived: BTreeMap::new(),
            beside: BTreeMap::new(),
            absent: BTreeMap::new(),
        }
    }

    /// The cuts, in the order in which they were made.
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        self.layers.iter().map(|layer| &layer.cut)
    }

    /// The actor under which a device, whose first actor is `author`, writes in this document from now on.
    pub fn actor_for(&self, author: Actor) -> Actor {
        self.layers.last().map_or(author, |layer| actor_after(author, &layer.cut.cut))
    }

    /// Every actor under which a device, whose first actor is `author`, may have written, for [`Incoming::among`].
    pub fn actors_of(&self, author: Actor) -> Vec<Actor> {
        let later = self.layers.iter().map(|layer| actor_after(author, &layer.cut.cut));
        std::iter::once(author).chain(later).collect()
    }

    /// Whose change this is, and which number it had: of a change that was written again, the original's.
    pub fn origin(&self, actor: Actor, change_seq: u64) -> (Actor, u64) {
        match self.origins.get(&actor) {
            Some((author, offset)) => (*author, change_seq.saturating_add(*offset)),
            None => (actor, change_seq),
        }
    }

    /// Who wrote what stands under `actor` ([`crate::Written::actor`]).
    pub fn author(&self, actor: Actor) -> Actor {
        self.origin(actor, 0).0
    }

    /// Whether a cut takes the change of this number.
    pub fn is_void(&self, actor: Actor, change_seq: u64) -> bool {
        self.layers.iter().any(|layer| layer.is_void((actor, change_seq)))
    }

    /// The changes in the document that stand for `change`: itself, the one that it was written again as, or, if it is
    /// void, what it followed.
    pub fn stands_for(&self, change: [u8; 32]) -> Vec<[u8; 32]> {
        let mut now = BTreeSet::from([change]);
        for layer in &self.layers {
            now = now
                .iter()
                .flat_map(|hash| layer.became.get(hash).cloned().unwrap_or_else(|| vec![*hash]))
                .collect();
        }
        now.into_iter().collect()
    }

    /// Entries in `document` that only void changes had added, and that are there for what others wrote into them.
    pub fn revived(&self, document: &Document) -> BTreeSet<EntryId> {
        let here = self.revived.iter().filter(|(change, _)| document.has_change(change));
        here.map(|(_, entry)| *entry).collect()
    }
}

impl Document {
    /// This document after one more cut, and the state that belongs to it; written from now on by `actor`
    /// ([`Replayed::actor_for`] of the state that comes back). A cut that was made before changes nothing.
    ///
    /// The result depends on the changes and on the order of the cuts, not on what came first.
    pub fn replay(&self, state: &Replayed, cut: Cut, author: Actor) -> Result<(Self, Replayed), ReplayError> {
        if state.cuts().any(|made| made.cut == cut.cut) {
            return Ok((self.clone().with_actor(state.actor_for(author)), state.clone()));
        }
        mecum_trip::here("replay");
        let steps = self.steps().map_err(ReplayError::Step)?;
        let mut engine = Engine::open(self, state)?;
        let layer = engine.add_layer(cut);
        for step in steps {
            let change = engine.change(&step.change)?;
            if engine.state.revived.contains_key(&step.change) {
                engine.processed.push(change);
                continue;
            }
            let origin = engine.state.origin(step.actor, step.change_seq);
            let original = Original {
                hash: step.change,
                deps: step.deps,
                origin,
                edits: step.edits,
                change: Some(change),
            };
            engine.through(layer, original)?;
        }
        let actor = engine.state.actor_for(author);
        engine.finish(&Document::new(actor))
    }

    /// Judges batches that arrive after cuts, as [`Self::admit`] does and against what its writers had before them, and puts
    /// what is left of them by the cuts into a clone of this document.
    pub fn admit_replayed(
        &self,
        state: &Replayed,
        incoming: &[Incoming<'_>],
    ) -> Result<Readmission, ReplayError> {
        let mut engine = Engine::open(self, state)?;
        let mut accepted = Vec::new();
        let mut refused = Vec::new();
        let mut left: Vec<Incoming<'_>> = incoming.to_vec();
        loop {
            let admission = engine.all.admit(&left);
            let is = |tags: &[u64], item: &Incoming<'_>| tags.binary_search(&item.tag).is_ok();
            let mut good: Vec<_> = left.iter().filter(|item| is(&admission.accepted, item)).collect();
            good.retain(|item| !engine.all.has_change(&item.payload.change_hash()));
            good.sort_by_key(|item| (item.payload.parsed().start_op(), item.payload.change_hash()));
            good.dedup_by_key(|item| item.payload.change_hash());
            engine.all = admission.next;
            for item in &good {
                engine.take(item.payload.parsed())?;
                engine.through(0, Original::of(item, true))?;
            }
            let mut judged = admission.accepted.clone();
            let by_name = engine.take_absent(&left, &admission.waiting, &admission.refused)?;
            refused.extend(admission.refused.iter().filter(|(tag, _)| !by_name.contains(tag)));
            judged.extend(by_name);
            judged.sort_unstable();
            let stuck = judged.is_empty();
            left.retain(|item| is(&admission.waiting, item) && !is(&judged, item));
            accepted.append(&mut judged);
            if stuck || left.is_empty() {
                break;
            }
        }
        accepted.sort_unstable();
        refused.sort_unstable_by_key(|(tag, _)| *tag);
        let mut waiting: Vec<u64> = left.iter().map(|item| item.tag).collect();
        waiting.sort_unstable();
        let (next, state) = engine.finish(self)?;
        Ok(Readmission { next, state, accepted, waiting, refused })
    }
}

impl Document {
    /// This document put together in the one order that depends on its changes alone: then equal changes save equal bytes,
    /// whatever the order in which they came. `None` if Automerge fails.
    pub fn in_order(&self) -> Option<Self> {
        let mut changes = catch_unwind(AssertUnwindSafe(|| self.doc.get_changes(&[]))).ok()?;
        changes.retain(|change| change.hash() != genesis().hash());
        layers::in_order(&mut changes);
        Self::new(self.actor()).with_changes(changes)
    }
}

impl Layer {
    fn is_void(&self, origin: (Actor, u64)) -> bool {
        self.cut.void.get(&origin.0).is_some_and(|last| origin.1 > *last)
    }
}
