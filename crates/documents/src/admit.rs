//! The guards between what a peer sent and a document: each batch is judged alone, the good ones are applied to a clone,
//! and the clone must survive saving and loading before anyone swaps it in.
//!
//! Automerge checks no authorship, panics on some malformed changes, and accepts others that leave a document which does
//! not load again. It must not know keys: the caller binds each batch to the device whose envelope it came in.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId};
use automerge::{Change, ChangeHash, ObjId, ReadDoc};
use mecum_domain::{Edit, EntryId, Field};
use thiserror::Error;

use crate::actor::Actor;
use crate::document::{Document, Link};
use crate::payload::Payload;
use crate::schema::{MAX_DOCUMENT_OPERATIONS, entries, finished};
use crate::writes::{Target, Write, is_canonical, writes};

/// A batch from a peer and the actor that the caller worked out from the envelope's device and incarnation.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The actor bound to the envelope.
    pub actor: Actor,
    /// What the envelope held.
    pub payload: &'a Payload,
    /// The caller's own number for it.
    pub tag: u64,
}

impl<'a> Incoming<'a> {
    /// A batch in an envelope of a device that may write under several actors ([`crate::Replayed::actors_of`]): bound to that
    /// one of them which the change names. One that names another is refused as any forged one.
    pub fn among(actors: &[Actor], payload: &'a Payload, tag: u64) -> Option<Self> {
        let named = payload.actor().filter(|actor| actors.contains(actor));
        Some(Self { actor: named.or_else(|| actors.first().copied())?, payload, tag })
    }
}

/// Why a batch is refused. Only the device that wrote it can mend it; its envelope goes into quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The change names another actor than the device that sealed it.
    #[error("change is by another actor than its envelope")]
    ForgedActor,
    /// Another change of that actor has this `change_seq`: the device was cloned, or lies.
    #[error("actor wrote two changes of one number")]
    Equivocation,
    /// `change_seq` is not one more than the actor's last.
    #[error("numbers of the actor's changes have a gap")]
    SequenceGap,
    /// The change does not say that it follows the actor's last.
    #[error("change does not follow the actor's own last")]
    OwnChangeMissing,
    /// Operations do not start right after those of what the change has seen.
    #[error("operation numbers do not follow")]
    StartOp,
    /// It carries a message, a time or bytes of its own, which nobody signs off.
    #[error("change carries more than operations")]
    Extras,
    /// An operation that our documents do not have, or not where the edits say.
    #[error("edits and change disagree")]
    EditsDisagree,
    /// An operation overwrites other values than those that the change had seen.
    #[error("operation names wrong predecessors")]
    Predecessors,
    /// The document would grow over its bound.
    #[error("document is full")]
    DocumentFull,
    /// Automerge refused it, panicked on it, or would not load the document again.
    #[error("document does not survive the change")]
    Unloadable,
}

/// What became of each incoming batch. Every tag is in exactly one list; each list is sorted.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The document with the accepted ones. The original is untouched.
    pub next: Document,
    /// Applied, or here already.
    pub accepted: Vec<u64>,
    /// A change that it follows is not here: held by the caller, and offered again when more comes.
    pub waiting: Vec<u64>,
    /// Refused, and why.
    pub refused: Vec<(u64, Refusal)>,
}

#[derive(Default)]
struct Outcome {
    accepted: Vec<u64>,
    waiting: Vec<u64>,
    refused: Vec<(u64, Refusal)>,
}

impl Document {
    /// Judges batches from peers, in any order and with repetitions, and applies the good ones to a clone.
    ///
    /// The result depends on what was offered and what is here, not on the order of offering: a batch follows its
    /// dependencies, among equals by hash. One bad batch keeps no other out but those that build on it, which wait.
    pub fn admit(&self, incoming: &[Incoming<'_>]) -> Admission {
        let mut outcome = Outcome::default();
        let (ordered, early) = in_order(self, incoming);
        outcome.waiting.extend(early);
        let (next, culprits) = divide(self, &ordered, &mut |document: &Document, group: &[&Incoming<'_>]| {
            let mut tried = Outcome::default();
            let next = document.try_group(group, &mut tried)?;
            outcome.accepted.append(&mut tried.accepted);
            outcome.waiting.append(&mut tried.waiting);
            outcome.refused.append(&mut tried.refused);
            Some(next)
        });
        outcome.refused.extend(culprits.iter().map(|item| (item.tag, Refusal::Unloadable)));
        outcome.accepted.sort_unstable();
        outcome.waiting.sort_unstable();
        outcome.refused.sort_unstable_by_key(|(tag, _)| *tag);
        Admission { next, accepted: outcome.accepted, waiting: outcome.waiting, refused: outcome.refused }
    }

    /// The document with the good ones of a group; `None` if Automerge failed somewhere and the clone is spoilt.
    fn try_group(&self, group: &[&Incoming<'_>], outcome: &mut Outcome) -> Option<Document> {
        let mut next = self.clone();
        let mut grew = false;
        for item in group {
            match catch_unwind(AssertUnwindSafe(|| next.judge(item))).ok()? {
                Verdict::Apply(link) => {
                    let change = item.payload.parsed().clone();
                    let apply = || {
                        mecum_trip::here("apply-theirs");
                        next.doc.apply_changes([change]).is_ok()
                    };
                    let applied = catch_unwind(AssertUnwindSafe(apply));
                    if !applied.unwrap_or(false) || !next.has_change(&link.change) {
                        return None;
                    }
                    next.linked(item.actor, link);
                    grew = true;
                    outcome.accepted.push(item.tag);
                }
                Verdict::Here => outcome.accepted.push(item.tag),
                Verdict::Wait => outcome.waiting.push(item.tag),
                Verdict::Refuse(refusal) => outcome.refused.push((item.tag, refusal)),
            }
        }
        (!grew || next.survives()).then_some(next)
    }

    fn judge(&self, item: &Incoming<'_>) -> Verdict {
        mecum_trip::here("judge");
        let change = item.payload.parsed();
        match self.place(item.actor, change) {
            Ok(Place::Wait) => Verdict::Wait,
            Ok(place) => match self.compare(item.payload) {
                Ok(()) if matches!(place, Place::Here) => Verdict::Here,
                Ok(()) => Verdict::Apply(Link { change_seq: change.seq(), change: change.hash().0 }),
                Err(refusal) => Verdict::Refuse(refusal),
            },
            Err(refusal) => Verdict::Refuse(refusal),
        }
    }

    /// The guards on where a change stands: its author, its number, what it follows.
    fn place(&self, actor: Actor, change: &Change) -> Result<Place, Refusal> {
        if Actor::of(change.actor_id()) != Some(actor) || *actor.as_bytes() == crate::schema::GENESIS_ACTOR {
            return Err(Refusal::ForgedActor);
        }
        if change.message().is_some() || change.timestamp() != 0 || !change.extra_bytes().is_empty() {
            return Err(Refusal::Extras);
        }
        let mut max_op = 0;
        for dep in change.deps() {
            let Some(meta) = self.doc.get_change_meta_by_hash(dep) else { return Ok(Place::Wait) };
            max_op = max_op.max(meta.max_op);
        }
        if max_op == 0 || change.start_op().get() != max_op + 1 {
            return Err(Refusal::StartOp);
        }
        if self.has_change(&change.hash().0) {
            return Ok(Place::Here);
        }
        let last = self.links().map_err(|_| Refusal::Unloadable)?.get(&actor).copied();
        let last_seq = last.map_or(0, |link| link.change_seq);
        if change.seq() <= last_seq {
            return Err(Refusal::Equivocation);
        }
        if last.is_some_and(|link| !change.deps().contains(&ChangeHash(link.change))) {
            return Err(Refusal::OwnChangeMissing);
        }
        if change.seq() != last_seq + 1 {
            return Err(Refusal::SequenceGap);
        }
        if self.operations().saturating_add(change.len()) > MAX_DOCUMENT_OPERATIONS {
            return Err(Refusal::DocumentFull);
        }
        Ok(Place::New)
    }

    /// The guard that the change does what the edits say, operation by operation, and nothing else.
    fn compare(&self, payload: &Payload) -> Result<(), Refusal> {
        let change = payload.parsed();
        let list = writes(&payload.batch().edits);
        if list.len() != payload.operations().len() || !is_canonical(payload.batch(), &list) {
            return Err(Refusal::EditsDisagree);
        }
        let mut seen = Seen { document: self, change, made: BTreeMap::new(), objects: BTreeMap::new() };
        for (count, (write, op)) in (change.start_op().get()..).zip(list.iter().zip(payload.operations())) {
            seen.compare(write, op, count)?;
        }
        // Only new entries carry the kind, and only as their first write.
        let adds = payload.batch().edits.iter().filter(|edit| matches!(edit, Edit::Add { .. })).count();
        if seen.made.len() == adds { Ok(()) } else { Err(Refusal::EditsDisagree) }
    }
}

enum Verdict {
    Apply(Link),
    Here,
    Wait,
    Refuse(Refusal),
}

enum Place {
    New,
    Here,
    Wait,
}

/// The document as one change saw it.
struct Seen<'a> {
    document: &'a Document,
    change: &'a Change,
    /// Entries that this change adds, with the operation that makes the map.
    made: BTreeMap<EntryId, OpId>,
    /// Maps of entries that were there.
    objects: BTreeMap<EntryId, Vec<ObjId>>,
}

impl Seen<'_> {
    fn compare(&mut self, write: &Write<'_>, op: &Op, count: u64) -> Result<(), Refusal> {
        let key = write.target.key();
        let in_place = matches!(&op.key, Key::Map(name) if name.as_str() == key) && !op.insert;
        if !in_place || !write.content.is(&op.action) {
            return Err(Refusal::EditsDisagree);
        }
        let ObjectId::Id(object) = &op.obj else { return Err(Refusal::EditsDisagree) };
        let container = match write.target {
            Target::Entry(entry) => {
                self.made.insert(entry, OpId::new(count, self.change.actor_id()));
                entries()
            }
            Target::Finished(_) => finished(),
            Target::Field(entry, field) => match self.made.get(&entry) {
                Some(made) if made == object && op.pred.is_empty() => return Ok(()),
                Some(_) => return Err(Refusal::EditsDisagree),
                None if field == Field::Kind => return Err(Refusal::EditsDisagree),
                None => self.existing(entry, object).ok_or(Refusal::EditsDisagree)?,
            },
        };
        if !names(&container, object) {
            return Err(Refusal::EditsDisagree);
        }
        self.compare_predecessors(write.target, &container, &key, op)
    }

    fn existing(&mut self, entry: EntryId, object: &OpId) -> Option<ObjId> {
        let document = self.document;
        let maps = self.objects.entry(entry).or_insert_with(|| document.entry_objects(entry));
        maps.iter().find(|map| names(map, object)).cloned()
    }

    /// An operation overwrites exactly what its author had seen: anything less makes a clash out of nothing, anything
    /// more takes away a value that its author never saw. Entries and finished values are never overwritten.
    fn compare_predecessors(
        &self,
        target: Target,
        container: &ObjId,
        key: &str,
        op: &Op,
    ) -> Result<(), Refusal> {
        if !matches!(target, Target::Field(..)) && !op.pred.is_empty() {
            return Err(Refusal::Predecessors);
        }
        let doc = &self.document.doc;
        if op.pred.is_empty() && doc.get(container, key).is_ok_and(|now| now.is_none()) {
            return Ok(());
        }
        let seen = doc.get_all_at(container, key, self.change.deps()).map_err(|_| Refusal::Predecessors)?;
        let all_named = seen.iter().all(|(_, id)| op.pred.iter().any(|pred| names(id, pred)));
        if seen.len() == op.pred.len() && all_named { Ok(()) } else { Err(Refusal::Predecessors) }
    }
}

/// Whether an object id of a document is an operation of a change.
fn names(object: &ObjId, op: &OpId) -> bool {
    matches!(object, ObjId::Id(counter, actor, _) if *counter == op.counter() && actor == op.actor())
}

/// Attempts a group at once; if that fails, each half by itself, the second upon the first, down to the culprits, which
/// are left out.
fn divide<D: Clone, T: Copy>(
    base: &D,
    group: &[T],
    attempt: &mut impl FnMut(&D, &[T]) -> Option<D>,
) -> (D, Vec<T>) {
    if let Some(next) = attempt(base, group) {
        return (next, Vec::new());
    }
    if group.len() < 2 {
        return (base.clone(), group.to_vec());
    }
    let (first, second) = group.split_at(group.len() / 2);
    let (half, mut culprits) = divide(base, first, attempt);
    let (whole, more) = divide(&half, second, attempt);
    culprits.extend(more);
    (whole, culprits)
}

/// The batches in an order in which each comes after those it follows, by hash among equals; and the tags of those that
/// follow something that is nowhere.
fn in_order<'a, 'b>(document: &Document, incoming: &'b [Incoming<'a>]) -> (Vec<&'b Incoming<'a>>, Vec<u64>) {
    let mut by_hash: BTreeMap<[u8; 32], Vec<&Incoming<'_>>> = BTreeMap::new();
    for item in incoming {
        by_hash.entry(item.payload.change_hash()).or_default().push(item);
    }
    let mut lacks: BTreeMap<[u8; 32], BTreeSet<[u8; 32]>> = BTreeMap::new();
    let mut followers: BTreeMap<[u8; 32], Vec<[u8; 32]>> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for (hash, items) in &by_hash {
        let deps = items.iter().flat_map(|item| item.payload.deps());
        let missing: BTreeSet<_> = deps.filter(|dep| !document.has_change(dep)).collect();
        for dep in &missing {
            followers.entry(*dep).or_default().push(*hash);
        }
        if missing.is_empty() {
            ready.insert(*hash);
        } else {
            lacks.insert(*hash, missing);
        }
    }
    let mut ordered = Vec::with_capacity(incoming.len());
    while let Some(hash) = ready.pop_first() {
        ordered.extend(by_hash.remove(&hash).unwrap_or_default());
        for follower in followers.remove(&hash).unwrap_or_default() {
            if let Some(missing) = lacks.get_mut(&follower) {
                missing.remove(&hash);
                if missing.is_empty() {
                    lacks.remove(&follower);
                    ready.insert(follower);
                }
            }
        }
    }
    let early = by_hash.into_values().flatten().map(|item| item.tag).collect();
    (ordered, early)
}

#[cfg(test)]
mod tests {
    use super::divide;

    #[test]
    fn a_group_that_fails_is_divided_down_to_its_culprits() {
        let mut attempts = 0;
        let group: Vec<u32> = (0..200).collect();
        let (done, culprits) = divide(&Vec::new(), &group, &mut |base: &Vec<u32>, group| {
            attempts += 1;
            let bad = group.iter().any(|item| [17, 18, 160].contains(item));
            (!bad).then(|| base.iter().chain(group).copied().collect())
        });
        assert_eq!(culprits, [17, 18, 160], "each culprit alone is named");
        let good: Vec<u32> = group.iter().copied().filter(|item| !culprits.contains(item)).collect();
        assert_eq!(done, good, "all others are in, in their order");
        assert!(attempts < 50, "by halves, not one by one: {attempts}");
    }
}
