//! A new document from what an old one holds now, without its history: for true erasure, and for moving entries elsewhere.
//!
//! The same state gives the same bytes on every device, so each works the successor out and nobody need be believed. It
//! must not know keys, nor why something is left out.
//!
//! **What stays**: entries with their ids and kinds, every field with all its values, clashes as clashes with the same
//! winner, deletions with their reasons, cleared fields, finished entries byte for byte, and who wrote each of these
//! ([`Regenesis::authors`]). **What goes**: earlier values, who else had written them, when each change was made, which
//! change and envelope a value came in, and what was written without seeing what, but for the clashes that stand.
//!
//! Shape: genesis; then for each author one change that adds their entries, without fields, and keeps their finished ones;
//! then, after all of those, for each author one change with their fields; and beside these, for each value of a clash, one
//! change of its own. A large one is several in a row. Fields stand apart from the entries so that late words can be
//! written after the entry and beside the field.

mod late;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{ObjId, ReadDoc};
use mecum_domain::{Edit, EntryId, Field, FinishedKey};
use thiserror::Error;

use crate::actor::Actor;
use crate::admit::Refusal;
use crate::document::Document;
use crate::entries::FieldState;
use crate::reserved::{ClashAt, clash_actor, regenesis_actor};
use crate::schema::{MAX_CHANGE_OPERATIONS, finished, genesis_hash, to_key};
use crate::writes::writes;
pub use late::Late;

/// What a person can leave out or move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// An entry that a person may edit.
    Entry(EntryId),
    /// A finished entry.
    Finished(FinishedKey),
}

/// Why there is no successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegenesisError {
    /// Automerge did not take what was written: a defect here.
    #[error("successor cannot be written")]
    Write,
    /// The old document holds a change that does not pass the guards.
    #[error("document holds a change that is refused: {0}")]
    Step(Refusal),
}

/// A successor.
#[derive(Clone, Debug)]
pub struct Regenesis {
    /// It, written from now on by the actor that was asked for.
    pub document: Document,
    /// Its changes that add entries: what late words are written after at least.
    base: Vec<[u8; 32]>,
    /// The change of each value of a clash.
    clashes: BTreeMap<(EntryId, Field, Option<String>), [u8; 32]>,
    /// Whose words stand under each reserved actor in it.
    pub authors: BTreeMap<Actor, Actor>,
}

/// Entries as edits, for another document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// What adds them there. Who writes these is their author there. Of a finished entry with two contents, the one that is
    /// read.
    pub edits: Vec<Edit>,
    /// Clashes, of which `edits` has the winner alone: edits in a row cannot say that two people disagree. A person settles
    /// them first, or the entries move as a successor of their own ([`Document::regenesis`] with what is moved kept).
    pub unsettled: Vec<(EntryId, FieldState)>,
}

/// What is to be written, by author.
#[derive(Default)]
struct Plan {
    adds: BTreeMap<Actor, Vec<Edit>>,
    sets: BTreeMap<Actor, Vec<Edit>>,
    clashes: Vec<(Actor, Actor, Edit)>,
}

impl Document {
    /// The successor, of the id `successor`, of this document as it is now; written from now on by `actor`. `author_of` says
    /// who stands behind an actor (of a document with cuts [`crate::Replayed::author`], else the actor itself); `keep`, what
    /// goes with it.
    pub fn regenesis(
        &self,
        successor: &[u8; 16],
        actor: Actor,
        author_of: &dyn Fn(Actor) -> Actor,
        keep: &dyn Fn(Item) -> bool,
    ) -> Result<Regenesis, RegenesisError> {
        let begin = || self.begin_anew(successor, actor, author_of, keep);
        catch_unwind(AssertUnwindSafe(begin)).unwrap_or(Err(RegenesisError::Write))
    }

    fn begin_anew(
        &self,
        successor: &[u8; 16],
        actor: Actor,
        author_of: &dyn Fn(Actor) -> Actor,
        keep: &dyn Fn(Item) -> bool,
    ) -> Result<Regenesis, RegenesisError> {
        mecum_trip::here("regenesis");
        let plan = self.plan(successor, author_of, keep);
        let mut next = Self::new(actor);
        let mut authors = BTreeMap::new();
        for (author, edits) in &plan.adds {
            let name = regenesis_actor(successor, *author);
            authors.insert(name, *author);
            next.write_all(name, &[genesis_hash()], edits)?;
        }
        let base = next.heads();
        for (author, edits) in &plan.sets {
            let name = regenesis_actor(successor, *author);
            authors.insert(name, *author);
            next.write_all(name, &base, edits)?;
        }
        let mut clashes = BTreeMap::new();
        for (name, author, edit) in plan.clashes {
            authors.insert(name, author);
            let change = next.write_all(name, &base, std::slice::from_ref(&edit))?;
            if let Edit::Set { entry, field, value } = edit {
                clashes.insert((entry, field, value), change);
            }
        }
        if !next.survives() {
            return Err(RegenesisError::Write);
        }
        Ok(Regenesis { document: next, base, clashes, authors })
    }

    /// The edits that add the entries which `moved` names to another document.
    pub fn extract(&self, moved: &dyn Fn(Item) -> bool) -> Extracted {
        let mut extracted = Extracted::default();
        for entry in self.entries().filter(|entry| moved(Item::Entry(entry.id))) {
            let mut fields = Vec::with_capacity(entry.fields.len());
            for state in &entry.fields {
                fields.extend(entry.get(state.field).map(|text| (state.field, text.to_owned())));
            }
            extracted.edits.push(Edit::Add { entry: entry.id, kind: entry.kind, fields });
            let clashes = entry.fields.into_iter().filter(FieldState::clash);
            extracted.unsettled.extend(clashes.map(|state| (entry.id, state)));
        }
        let kept = self.finished().filter(|(key, _)| moved(Item::Finished(*key)));
        extracted.edits.extend(kept.map(|(key, bytes)| Edit::Keep { key, bytes }));
        extracted
    }

    fn plan(
        &self,
        successor: &[u8; 16],
        author_of: &dyn Fn(Actor) -> Actor,
        keep: &dyn Fn(Item) -> bool,
    ) -> Plan {
        let mut plan = Plan::default();
        for entry in self.entries().filter(|entry| keep(Item::Entry(entry.id))) {
            let adder = self.entry_objects(entry.id).last().and_then(writer).map(author_of);
            let Some(adder) = adder else { continue };
            for state in entry.fields {
                let field = state.field;
                let clash = state.clash();
                for (rank, written) in state.values.into_iter().enumerate() {
                    let author = author_of(written.actor);
                    let edit = Edit::Set { entry: entry.id, field, value: written.value };
                    if clash {
                        let at = ClashAt::Field(entry.id, field.code());
                        plan.clashes.push((clash_actor(successor, author, rank, &at), author, edit));
                    } else {
                        plan.sets.entry(author).or_default().push(edit);
                    }
                }
            }
            let add = Edit::Add { entry: entry.id, kind: entry.kind, fields: Vec::new() };
            plan.adds.entry(adder).or_default().push(add);
        }
        for (key, _) in self.finished().filter(|(key, _)| keep(Item::Finished(*key))) {
            let values = self.finished_values(key);
            let clash = values.len() > 1;
            for (rank, (actor, bytes)) in values.into_iter().enumerate() {
                let (author, edit) = (author_of(actor), Edit::Keep { key, bytes });
                if clash {
                    let name = clash_actor(successor, author, rank, &ClashAt::Finished(key));
                    plan.clashes.push((name, author, edit));
                } else {
                    plan.adds.entry(author).or_default().push(edit);
                }
            }
        }
        plan
    }

    /// Every different value under a key, the winner last, and who wrote it.
    fn finished_values(&self, key: FinishedKey) -> Vec<(Actor, Vec<u8>)> {
        let mut values: Vec<(Actor, Vec<u8>)> = Vec::new();
        for (value, op) in self.doc.get_all(finished(), to_key(key.as_bytes())).unwrap_or_default() {
            let bytes = value.as_scalar().and_then(|scalar| scalar.as_bytes()).map(<[u8]>::to_vec);
            if let (Some(bytes), Some(actor)) = (bytes, writer(&op)) {
                values.retain(|(_, earlier)| *earlier != bytes);
                values.push((actor, bytes));
            }
        }
        values
    }

    /// Writes edits under a reserved actor after `deps`, in as many changes as their number asks for; the last one.
    fn write_all(
        &mut self,
        actor: Actor,
        deps: &[[u8; 32]],
        edits: &[Edit],
    ) -> Result<[u8; 32], RegenesisError> {
        let mut rest = edits;
        let mut last = [0; 32];
        while !rest.is_empty() {
            let mut operations = 0;
            let fitting = rest.iter().take_while(|edit| {
                operations += writes(std::slice::from_ref(edit)).len();
                operations <= MAX_CHANGE_OPERATIONS
            });
            let (now, later) = rest.split_at(fitting.count().max(1));
            let change = self.change_at(actor, deps, now).ok_or(RegenesisError::Write)?;
            self.append_change(&change).ok_or(RegenesisError::Write)?;
            last = change.hash().0;
            rest = later;
        }
        Ok(last)
    }
}

fn writer(object: &ObjId) -> Option<Actor> {
    match object {
        ObjId::Id(_, actor, _) => Actor::of(actor),
        ObjId::Root => None,
    }
}
