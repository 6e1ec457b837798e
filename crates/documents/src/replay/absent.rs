//! Changes that cannot stand beside the others, because another change of the same actor and number does: what a clone
//! wrote while this device saw the other one, and what honest people built on it.
//!
//! Automerge holds one change of a number, so these are known by name, and judged by what can be asked without their
//! contents: author, numbers, what they follow, and edits that fit their operations. Only edits go on from here, so a
//! wrong predecessor does no harm.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use mecum_domain::{Edit, EntryId, Kind};

use super::ReplayError;
use super::layers::{Engine, Original};
use crate::actor::Actor;
use crate::admit::{Incoming, Refusal};
use crate::schema::GENESIS_ACTOR;

/// What is kept of such a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Absent {
    pub(super) actor: Actor,
    pub(super) change_seq: u64,
    pub(super) max_op: u64,
    pub(super) deps: Vec<[u8; 32]>,
    /// Entries that it adds.
    pub(super) adds: Vec<(EntryId, Kind)>,
}

impl Absent {
    fn of(item: &Incoming<'_>) -> Self {
        let add = |edit: &Edit| match edit {
            Edit::Add { entry, kind, .. } => Some((*entry, *kind)),
            Edit::Set { .. } | Edit::Keep { .. } => None,
        };
        Self {
            actor: item.actor,
            change_seq: item.payload.change_seq(),
            max_op: item.payload.parsed().max_op(),
            deps: item.payload.deps().collect(),
            adds: item.payload.batch().edits.iter().filter_map(add).collect(),
        }
    }
}

impl Engine {
    /// Takes those of the batches that the guards could not judge which fit here; their tags.
    pub(super) fn take_absent(
        &mut self,
        offered: &[Incoming<'_>],
        waiting: &[u64],
        refused: &[(u64, Refusal)],
    ) -> Result<BTreeSet<u64>, ReplayError> {
        let second: BTreeSet<u64> =
            refused.iter().filter(|(_, why)| *why == Refusal::Equivocation).map(|(tag, _)| *tag).collect();
        let mut list: Vec<&Incoming<'_>> =
            offered.iter().filter(|item| waiting.contains(&item.tag) || second.contains(&item.tag)).collect();
        list.sort_by_key(|item| (item.payload.parsed().start_op(), item.payload.change_hash()));
        let mut taken = BTreeSet::new();
        for item in list {
            let hash = item.payload.change_hash();
            let known = self.state.absent.get(&hash).is_some_and(|absent| absent.actor == item.actor);
            if !known {
                if !self.fits(item, second.contains(&item.tag)) {
                    continue;
                }
                self.state.absent.insert(hash, Absent::of(item));
                self.through(0, Original::of(item, false))?;
            }
            taken.insert(item.tag);
        }
        Ok(taken)
    }

    fn fits(&self, item: &Incoming<'_>, second: bool) -> bool {
        let change = item.payload.parsed();
        let (actor, seq) = (item.actor, change.seq());
        let bare = change.message().is_none() && change.timestamp() == 0 && change.extra_bytes().is_empty();
        if !bare || Actor::of(change.actor_id()) != Some(actor) || *actor.as_bytes() == GENESIS_ACTOR {
            return false;
        }
        let deps: Vec<[u8; 32]> = item.payload.deps().collect();
        if !second && !deps.iter().any(|dep| self.state.absent.contains_key(dep)) {
            // It waits for something that may still come, or was just made: the guards judge it then.
            return false;
        }
        let (mut max_op, mut follows_own) = (0, seq == 1);
        for dep in &deps {
            let Some((of, dep_seq, dep_max)) = self.numbers(dep) else { return false };
            max_op = max_op.max(dep_max);
            follows_own |= of == actor && dep_seq + 1 == seq;
        }
        if max_op == 0 || change.start_op().get() != max_op + 1 || !follows_own || seq == 0 {
            return false;
        }
        let void = self.state.is_void(actor, seq);
        if !void && (second || self.is_taken(actor, seq)) {
            return false;
        }
        self.leaves_no_gap((actor, seq), &deps)
    }

    /// Actor, `change_seq` and last operation of a change that is known here.
    fn numbers(&self, hash: &[u8; 32]) -> Option<(Actor, u64, u64)> {
        if let Some(absent) = self.state.absent.get(hash) {
            return Some((absent.actor, absent.change_seq, absent.max_op));
        }
        let meta = self.all.doc.get_change_meta_by_hash(&ChangeHash(*hash))?;
        Some((Actor::of(&meta.actor)?, meta.seq, meta.max_op))
    }

    fn is_taken(&self, actor: Actor, seq: u64) -> bool {
        let stands = self.all.links().ok().and_then(|links| links.get(&actor));
        stands.is_some_and(|link| link.change_seq >= seq)
            || self.state.absent.values().any(|absent| (absent.actor, absent.change_seq) == (actor, seq))
    }

    /// Whether the first layer that touches such a change takes all that is absent out of it: what was written again by an
    /// earlier cut would else follow something that is nowhere.
    fn leaves_no_gap(&self, origin: (Actor, u64), deps: &[[u8; 32]]) -> bool {
        for layer in &self.state.layers {
            if deps.iter().any(|dep| layer.became.contains_key(dep)) || layer.is_void(origin) {
                let mut absent = deps.iter().filter(|dep| self.state.absent.contains_key(*dep));
                let void_here = !self.state.is_void(origin.0, origin.1) || layer.is_void(origin);
                return void_here && absent.all(|dep| layer.became.contains_key(dep));
            }
        }
        false
    }

    /// The kind that an absent change gave to an entry, as a change with these deps saw it.
    pub(super) fn absent_kind(&self, entry: EntryId, deps: &[[u8; 32]]) -> Option<Kind> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<[u8; 32]> = deps.to_vec();
        while let Some(hash) = next.pop() {
            let Some(absent) = self.state.absent.get(&hash).filter(|_| seen.insert(hash)) else { continue };
            if let Some((_, kind)) = absent.adds.iter().find(|(added, _)| *added == entry) {
                return Some(*kind);
            }
            next.extend(&absent.deps);
        }
        None
    }
}
