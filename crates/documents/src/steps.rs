//! A document's history read back: every change with the edits that made it, judged anew as if each had just arrived.
//!
//! A snapshot brings changes without their envelopes. What each one did is in the change itself, so the edits need not
//! travel; and what the guards on arrival ask ([`crate::Document::admit`]) is asked again here, of all changes in one pass. It
//! must not know who was allowed to write: that is for the caller, by [`Step::actor`].

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{Change, ObjId, ObjType, ScalarValue};
use mecum_domain::{Edit, EntryId, Field, FinishedKey, Kind};

use crate::actor::Actor;
use crate::admit::Refusal;
use crate::document::Document;
use crate::schema::{GENESIS_ACTOR, entries, finished, from_key, genesis};
use crate::writes::{stored_text, writes};

/// One change of a document's history.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// Who wrote it.
    pub actor: Actor,
    /// Its number along the actor, from 1.
    pub change_seq: u64,
    /// Its Automerge hash.
    pub change: [u8; 32],
    /// The hashes of the changes that it follows.
    pub deps: Vec<[u8; 32]>,
    /// What it did.
    pub edits: Vec<Edit>,
}

impl std::fmt::Debug for Step {
    /// Sizes only: a step holds a person's record.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step")
            .field("actor", &self.actor)
            .field("change_seq", &self.change_seq)
            .field("edits", &self.edits.len())
            .finish_non_exhaustive()
    }
}

/// What a change has seen: of every actor, up to which `change_seq`.
type Clock = BTreeMap<Actor, u64>;

/// The name of an operation: its counter and its actor.
type Name = (u64, Actor);

/// One value that was written to a place.
struct Put {
    by: (Actor, u64),
    name: Name,
    /// The changes that overwrote it.
    overwritten: Vec<(Actor, u64)>,
}

/// The history as far as it was read.
#[derive(Default)]
struct Read {
    clocks: BTreeMap<[u8; 32], (Clock, u64)>,
    last: BTreeMap<Actor, (u64, [u8; 32])>,
    maps: BTreeMap<Name, EntryId>,
    puts: BTreeMap<(Name, String), Vec<Put>>,
}

impl Document {
    /// Every change but genesis, each after those that it follows, with its edits. An error names the first guard that a
    /// change does not pass: such a document was not made by us, and none of it should be believed.
    pub fn steps(&self) -> Result<Vec<Step>, Refusal> {
        let read = || {
            let changes: Vec<Change> = self.doc.get_changes(&[]);
            let mut read = Read::default();
            let mut steps = Vec::with_capacity(changes.len());
            for change in &changes {
                if change.hash() == genesis().hash() {
                    read.clocks.insert(change.hash().0, (Clock::new(), change.max_op()));
                } else {
                    steps.push(read.step(change)?);
                }
            }
            Ok(steps)
        };
        catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Refusal::Unloadable))
    }
}

impl Read {
    fn step(&mut self, change: &Change) -> Result<Step, Refusal> {
        let actor = Actor::of(change.actor_id()).ok_or(Refusal::ForgedActor)?;
        if *actor.as_bytes() == GENESIS_ACTOR {
            return Err(Refusal::ForgedActor);
        }
        if change.message().is_some() || change.timestamp() != 0 || !change.extra_bytes().is_empty() {
            return Err(Refusal::Extras);
        }
        let (hash, seq) = (change.hash().0, change.seq());
        let mut clock = Clock::new();
        let mut max_op = 0;
        for dep in change.deps() {
            let (seen, dep_max) = self.clocks.get(&dep.0).ok_or(Refusal::SequenceGap)?;
            max_op = max_op.max(*dep_max);
            for (actor, seq) in seen {
                let known = clock.entry(*actor).or_default();
                *known = (*known).max(*seq);
            }
        }
        if max_op == 0 || change.start_op().get() != max_op + 1 {
            return Err(Refusal::StartOp);
        }
        let (last_seq, last) = self.last.get(&actor).copied().unwrap_or_default();
        if seq != last_seq + 1 {
            return Err(Refusal::SequenceGap);
        }
        if last_seq > 0 && !change.deps().iter().any(|dep| dep.0 == last) {
            return Err(Refusal::OwnChangeMissing);
        }
        let operations = change.decode().operations;
        let edits = self.edits(&operations, change.start_op().get(), (actor, seq), &clock)?;
        clock.insert(actor, seq);
        self.clocks.insert(hash, (clock, change.max_op()));
        self.last.insert(actor, (seq, hash));
        let deps = change.deps().iter().map(|dep| dep.0).collect();
        Ok(Step { actor, change_seq: seq, change: hash, deps, edits })
    }

    fn edits(
        &mut self,
        operations: &[Op],
        start: u64,
        by: (Actor, u64),
        clock: &Clock,
    ) -> Result<Vec<Edit>, Refusal> {
        let mut edits: Vec<Edit> = Vec::new();
        // The entry that is being added: its map, and whether its kind was read.
        let mut adding: Option<(Name, bool)> = None;
        for (counter, op) in (start..).zip(operations) {
            let (Key::Map(key), ObjectId::Id(object)) = (&op.key, &op.obj) else {
                return Err(Refusal::EditsDisagree);
            };
            if op.insert {
                return Err(Refusal::EditsDisagree);
            }
            let (object, name) = (name_of(object)?, (counter, by.0));
            self.put(object, key, op, name, by, clock)?;
            let id = || from_key(key).ok_or(Refusal::EditsDisagree);
            if is(&entries(), object) {
                if op.action != OpType::Make(ObjType::Map) || adding.is_some_and(|(_, kind)| !kind) {
                    return Err(Refusal::EditsDisagree);
                }
                let entry = EntryId::from_bytes(id()?);
                self.maps.insert(name, entry);
                adding = Some((name, false));
                edits.push(Edit::Add { entry, kind: Kind::default(), fields: Vec::new() });
            } else if is(&finished(), object) {
                let OpType::Put(ScalarValue::Bytes(bytes)) = &op.action else {
                    return Err(Refusal::EditsDisagree);
                };
                edits.push(Edit::Keep { key: FinishedKey::from_bytes(id()?), bytes: bytes.clone() });
            } else {
                let entry = *self.maps.get(&object).ok_or(Refusal::EditsDisagree)?;
                let field = Field::from_key(key).ok_or(Refusal::EditsDisagree)?;
                let new = adding.as_mut().filter(|(map, _)| *map == object);
                field_edit(&mut edits, new.map(|(_, kind)| kind), entry, field, &op.action)?;
            }
        }
        if adding.is_some_and(|(_, kind)| !kind) {
            return Err(Refusal::EditsDisagree);
        }
        let list = writes(&edits);
        let mut places = BTreeSet::new();
        if list.len() != operations.len() || !list.iter().all(|write| places.insert(write.target)) {
            return Err(Refusal::EditsDisagree);
        }
        Ok(edits)
    }

    /// Notes a write to a place; it must overwrite exactly what its change had seen there.
    fn put(
        &mut self,
        object: Name,
        key: &str,
        op: &Op,
        name: Name,
        by: (Actor, u64),
        clock: &Clock,
    ) -> Result<(), Refusal> {
        let saw = |(actor, seq): &(Actor, u64)| clock.get(actor).is_some_and(|seen| seen >= seq);
        let puts = self.puts.entry((object, key.to_owned())).or_default();
        let preds = op.pred.iter().map(name_of).collect::<Result<BTreeSet<Name>, _>>()?;
        let mut seen = BTreeSet::new();
        for put in puts.iter_mut().filter(|put| saw(&put.by) && !put.overwritten.iter().any(saw)) {
            seen.insert(put.name);
            put.overwritten.push(by);
        }
        puts.push(Put { by, name, overwritten: Vec::new() });
        if seen == preds { Ok(()) } else { Err(Refusal::Predecessors) }
    }
}

/// A write to a field: part of the entry that is being added, or an edit of its own. `new` says that the entry is being added,
/// and whether its kind was read.
fn field_edit(
    edits: &mut Vec<Edit>,
    new: Option<&mut bool>,
    entry: EntryId,
    field: Field,
    action: &OpType,
) -> Result<(), Refusal> {
    let OpType::Put(value) = action else { return Err(Refusal::EditsDisagree) };
    match (new, edits.last_mut()) {
        (Some(read), Some(Edit::Add { entry: added, kind, fields })) if *added == entry => {
            match (&*read, field, value) {
                (false, Field::Kind, ScalarValue::Int(code)) => {
                    *kind = u8::try_from(*code).map(Kind::from_code).map_err(|_| Refusal::EditsDisagree)?;
                    if i64::from(kind.code()) != *code {
                        return Err(Refusal::EditsDisagree);
                    }
                    *read = true;
                }
                (true, field, ScalarValue::Str(text)) if field != Field::Kind => {
                    fields.push((field, text.to_string()));
                }
                _ => return Err(Refusal::EditsDisagree),
            }
        }
        (None, _) if field != Field::Kind => {
            let value = stored_text(value).map_err(|_| Refusal::EditsDisagree)?;
            edits.push(Edit::Set { entry, field, value });
        }
        _ => return Err(Refusal::EditsDisagree),
    }
    Ok(())
}

fn name_of(op: &OpId) -> Result<Name, Refusal> {
    Ok((op.counter(), Actor::of(op.actor()).ok_or(Refusal::ForgedActor)?))
}

fn is(container: &ObjId, object: Name) -> bool {
    matches!(container, ObjId::Id(counter, actor, _) if *counter == object.0 && Actor::of(actor) == Some(object.1))
}
