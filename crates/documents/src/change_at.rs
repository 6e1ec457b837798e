//! A change made of typed edits at any point of a document's history, under any actor.
//!
//! [`crate::Document::author`] writes at the end and as this device. Building a document again needs the same for others
//! and for the past. The change overwrites exactly what is visible at its deps, as the guards ask. It must not know why.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{Change, ChangeHash, ExpandedChange, ObjId, ObjType, ReadDoc, Value};
use mecum_domain::{Edit, EntryId, Field, Kind};

use crate::actor::Actor;
use crate::document::{Document, Link};
use crate::schema::{entries, finished, to_key};
use crate::writes::{Target, writes};

impl Document {
    /// The change by which `actor` writes `edits` after exactly `deps` and its own last change here. `None` if a dep or an
    /// entry is not here, or Automerge fails.
    pub(crate) fn change_at(&self, actor: Actor, deps: &[[u8; 32]], edits: &[Edit]) -> Option<Change> {
        let build = || self.build_at(actor, deps, edits);
        catch_unwind(AssertUnwindSafe(build)).ok().flatten()
    }

    /// Put together here and not by an Automerge transaction: where the winner of a clash is written again, a transaction
    /// deletes the losers instead, and a concurrent delete leaves no trace.
    fn build_at(&self, actor: Actor, deps: &[[u8; 32]], edits: &[Edit]) -> Option<Change> {
        mecum_trip::here("author");
        let own = self.links().ok()?.get(&actor).copied();
        let mut deps: Vec<ChangeHash> = deps.iter().copied().map(ChangeHash).collect();
        deps.sort_unstable();
        let heads = self.doc.get_heads();
        let at_the_end = deps == heads;
        deps.extend(own.map(|link| ChangeHash(link.change)));
        deps.sort_unstable();
        deps.dedup();
        // All heads have seen everything; with the own last beside them Automerge would look it up as something past.
        let seen = if at_the_end { heads } else { deps.clone() };
        let mut max_op = 0;
        for dep in &deps {
            max_op = max_op.max(self.doc.get_change_meta_by_hash(dep)?.max_op);
        }
        let name = actor.to_automerge();
        let mut objects: BTreeMap<EntryId, (ObjectId, Option<ObjId>)> = BTreeMap::new();
        let list = writes(edits);
        let mut operations = Vec::with_capacity(list.len());
        for (counter, write) in (max_op + 1..).zip(&list) {
            let key = write.target.key();
            let (obj, pred) = match write.target {
                Target::Entry(entry) => {
                    objects.insert(entry, (ObjectId::Id(OpId::new(counter, &name)), None));
                    (named(&entries())?, self.visible_at(&entries(), &key, &seen))
                }
                Target::Finished(_) => (named(&finished())?, self.visible_at(&finished(), &key, &seen)),
                Target::Field(entry, _) => {
                    if let std::collections::btree_map::Entry::Vacant(slot) = objects.entry(entry) {
                        let object = self.entry_object_at(entry, &seen)?;
                        slot.insert((named(&object)?, Some(object)));
                    }
                    let (id, there) = objects.get(&entry)?;
                    let visible = |object: &ObjId| self.visible_at(object, &key, &seen);
                    (id.clone(), there.as_ref().map_or_else(Vec::new, visible))
                }
            };
            let action = write.content.scalar().map_or(OpType::Make(ObjType::Map), OpType::Put);
            operations.push(Op { action, obj, key: Key::Map(key.into()), pred: pred.into(), insert: false });
        }
        Some(Change::from(ExpandedChange {
            operations,
            actor_id: name,
            author: None,
            hash: None,
            seq: own.map_or(0, |link| link.change_seq) + 1,
            start_op: NonZeroU64::new(max_op + 1)?,
            time: 0,
            message: None,
            deps,
            extra_bytes: Vec::new(),
        }))
    }

    /// Adds a change that was made here, or judged; `None` if Automerge does not take it, and this document is spoilt then.
    pub(crate) fn append_change(&mut self, change: &Change) -> Option<()> {
        self.links().ok()?;
        let apply = || {
            mecum_trip::here("apply-own");
            self.doc.apply_changes([change.clone()]).is_ok()
        };
        let applied = catch_unwind(AssertUnwindSafe(apply));
        if !applied.unwrap_or(false) || !self.has_change(&change.hash().0) {
            return None;
        }
        let link = Link { change_seq: change.seq(), change: change.hash().0 };
        self.linked(Actor::of(change.actor_id())?, link);
        Some(())
    }

    /// A change that is here.
    pub(crate) fn change(&self, hash: &[u8; 32]) -> Option<Change> {
        self.doc.get_change_by_hash(&ChangeHash(*hash))
    }

    /// The map that takes new values of an entry, as a change with these deps sees it.
    pub(crate) fn entry_object_at(&self, entry: EntryId, deps: &[ChangeHash]) -> Option<ObjId> {
        match self.doc.get_at(entries(), to_key(entry.as_bytes()), deps).ok()?? {
            (Value::Object(ObjType::Map), object) => Some(object),
            _ => None,
        }
    }

    /// What an entry is, as a change with these deps sees it.
    pub(crate) fn kind_at(&self, entry: EntryId, deps: &[ChangeHash]) -> Option<Kind> {
        let object = self.entry_object_at(entry, deps)?;
        let (value, _) = self.doc.get_at(&object, Field::Kind.key(), deps).ok()??;
        let code = value.as_scalar()?.as_i64()?;
        Some(u8::try_from(code).map_or(Kind::Other, Kind::from_code))
    }

    /// The values that a write after these deps replaces.
    fn visible_at(&self, object: &ObjId, key: &str, deps: &[ChangeHash]) -> Vec<OpId> {
        // Nothing is ever deleted, so what is empty now was always so; asking about the past is the dear part.
        if self.doc.get(object, key).is_ok_and(|now| now.is_none()) {
            return Vec::new();
        }
        let all = self.doc.get_all_at(object, key, deps).unwrap_or_default();
        all.into_iter().filter_map(|(_, id)| op_id(&id)).collect()
    }
}

fn op_id(object: &ObjId) -> Option<OpId> {
    match object {
        ObjId::Id(counter, actor, _) => Some(OpId::new(*counter, actor)),
        ObjId::Root => None,
    }
}

fn named(object: &ObjId) -> Option<ObjectId> {
    op_id(object).map(ObjectId::Id)
}
