//! The layers at work: one change goes through, and what it became is added to all that there is.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Change, ChangeHash};
use mecum_domain::{Edit, EntryId, Kind};

use super::{Cut, Layer, ReplayError, Replayed};
use crate::actor::Actor;
use crate::admit::Incoming;
use crate::ancestry::Ancestry;
use crate::document::Document;
use crate::reserved::{replay_actor, revival_actor};
use crate::schema::genesis;

/// A change on its way.
pub(super) struct Original {
    pub(super) hash: [u8; 32],
    pub(super) deps: Vec<[u8; 32]>,
    /// Under which actor and number a device wrote it.
    pub(super) origin: (Actor, u64),
    pub(super) edits: Vec<Edit>,
    /// `None` if it cannot stand beside the others.
    pub(super) change: Option<Change>,
}

impl Original {
    pub(super) fn of(item: &Incoming<'_>, stands: bool) -> Self {
        let payload = item.payload;
        Self {
            hash: payload.change_hash(),
            deps: payload.deps().collect(),
            origin: (item.actor, payload.change_seq()),
            edits: payload.batch().edits.clone(),
            change: stands.then(|| payload.parsed().clone()),
        }
    }
}

/// A document, all that lies beside it, and what is being made of both.
pub(super) struct Engine {
    /// Every change that was ever judged or written again, void ones too: what late ones are judged against.
    pub(super) all: Document,
    ancestry: Ancestry,
    pub(super) state: Replayed,
    /// What came out of the last layer.
    live: Vec<Change>,
    /// What went in or was made on the way.
    pub(super) processed: Vec<Change>,
}

enum Passed {
    Kept,
    Void,
    Again(Box<Change>),
}

impl Engine {
    pub(super) fn open(document: &Document, state: &Replayed) -> Result<Self, ReplayError> {
        let parse = || {
            let parsed = state.beside.values().map(|raw| Change::from_bytes(raw.clone()).ok());
            parsed.collect::<Option<Vec<Change>>>()
        };
        let mut beside =
            catch_unwind(AssertUnwindSafe(parse)).ok().flatten().ok_or(ReplayError::Malformed)?;
        in_order(&mut beside);
        let all = document.with_changes(beside).ok_or(ReplayError::State)?;
        let ancestry = Ancestry::of(&all).ok_or(ReplayError::State)?;
        Ok(Self { all, ancestry, state: state.clone(), live: Vec::new(), processed: Vec::new() })
    }

    /// The number of the new layer.
    pub(super) fn add_layer(&mut self, cut: Cut) -> usize {
        self.state.layers.push(Layer { cut, became: BTreeMap::new() });
        self.state.layers.len() - 1
    }

    pub(super) fn change(&self, hash: &[u8; 32]) -> Result<Change, ReplayError> {
        self.all.change(hash).ok_or(ReplayError::State)
    }

    /// Notes a change that was just judged and is in `all`.
    pub(super) fn take(&mut self, change: &Change) -> Result<(), ReplayError> {
        let deps: Vec<[u8; 32]> = change.deps().iter().map(|dep| dep.0).collect();
        let actor = Actor::of(change.actor_id()).ok_or(ReplayError::State)?;
        self.ancestry.add(change.hash().0, (actor, change.seq()), &deps);
        Ok(())
    }

    /// Takes a change through the layers from `first` on.
    pub(super) fn through(&mut self, first: usize, mut original: Original) -> Result<(), ReplayError> {
        self.processed.extend(original.change.clone());
        for layer in first..self.state.layers.len() {
            match self.pass(layer, &original)? {
                Passed::Kept => {}
                Passed::Void => return Ok(()),
                Passed::Again(change) => {
                    let change = *change;
                    self.processed.push(change.clone());
                    original.hash = change.hash().0;
                    original.deps = change.deps().iter().map(|dep| dep.0).collect();
                    original.change = Some(change);
                }
            }
        }
        self.live.push(original.change.ok_or(ReplayError::State)?);
        Ok(())
    }

    fn pass(&mut self, at: usize, original: &Original) -> Result<Passed, ReplayError> {
        let layer = self.state.layers.get(at).ok_or(ReplayError::State)?;
        let void = layer.is_void(original.origin);
        if !void && !original.deps.iter().any(|dep| layer.became.contains_key(dep)) {
            return Ok(Passed::Kept);
        }
        let mut deps = BTreeSet::new();
        // An entry that was made again is followed only by those who need it, or it would outlive them all.
        for dep in original.deps.iter().filter(|dep| !self.state.revived.contains_key(*dep)) {
            match layer.became.get(dep) {
                Some(became) => deps.extend(became.iter().copied()),
                None => _ = deps.insert(*dep),
            }
        }
        if deps.is_empty() {
            deps.insert(genesis().hash().0);
        }
        let mut deps = self.ancestry.newest(&deps);
        let passed = if void {
            Passed::Void
        } else {
            let author = original.origin.0;
            let actor = replay_actor(&self.state.document, &layer.cut.cut, author);
            self.revive(original, &mut deps)?;
            let change = self.all.change_at(actor, &deps, &original.edits).ok_or(ReplayError::Write)?;
            self.append(&change)?;
            self.state.origins.entry(actor).or_insert((author, original.origin.1.saturating_sub(1)));
            deps = vec![change.hash().0];
            Passed::Again(Box::new(change))
        };
        let layer = self.state.layers.get_mut(at).ok_or(ReplayError::State)?;
        layer.became.insert(original.hash, deps);
        Ok(passed)
    }

    pub(super) fn append(&mut self, change: &Change) -> Result<(), ReplayError> {
        self.all.append_change(change).ok_or(ReplayError::Write)?;
        self.take(change)
    }

    /// Adds to `deps` the changes that make those entries again which a change writes into and nobody else has added.
    fn revive(&mut self, original: &Original, deps: &mut Vec<[u8; 32]>) -> Result<(), ReplayError> {
        let seen: Vec<ChangeHash> = deps.iter().copied().map(ChangeHash).collect();
        let mut added = BTreeSet::new();
        for edit in &original.edits {
            match edit {
                Edit::Add { entry, .. } => _ = added.insert(*entry),
                Edit::Set { entry, .. } if !added.contains(entry) => {
                    if self.all.entry_object_at(*entry, &seen).is_some() {
                        continue;
                    }
                    let kind = self.kind_seen(*entry, &original.deps).ok_or(ReplayError::Write)?;
                    let change = self.revival(*entry, kind)?;
                    if !deps.contains(&change) {
                        deps.push(change);
                    }
                }
                Edit::Set { .. } | Edit::Keep { .. } => {}
            }
        }
        Ok(())
    }

    /// What an entry was to somebody who had seen `deps`.
    fn kind_seen(&self, entry: EntryId, deps: &[[u8; 32]]) -> Option<Kind> {
        let here: Vec<ChangeHash> =
            deps.iter().filter(|dep| self.all.has_change(dep)).copied().map(ChangeHash).collect();
        self.all.kind_at(entry, &here).or_else(|| self.absent_kind(entry, deps))
    }

    /// The change that makes an entry again, in `all`.
    fn revival(&mut self, entry: EntryId, kind: Kind) -> Result<[u8; 32], ReplayError> {
        let actor = revival_actor(&self.state.document, entry, kind);
        if let Some(link) = self.all.links().map_err(|_| ReplayError::State)?.get(&actor) {
            return Ok(link.change);
        }
        let edit = Edit::Add { entry, kind, fields: Vec::new() };
        let change = self.all.change_at(actor, &[genesis().hash().0], &[edit]).ok_or(ReplayError::Write)?;
        self.append(&change)?;
        self.state.revived.insert(change.hash().0, entry);
        self.processed.push(change.clone());
        Ok(change.hash().0)
    }

    /// `base` with what came out; everything else that was met lies beside it.
    pub(super) fn finish(mut self, base: &Document) -> Result<(Document, Replayed), ReplayError> {
        let mut out: BTreeMap<[u8; 32], Change> = BTreeMap::new();
        for change in std::mem::take(&mut self.live) {
            for dep in change.deps().iter().map(|dep| dep.0) {
                if self.state.revived.contains_key(&dep) && !base.has_change(&dep) {
                    out.insert(dep, self.change(&dep)?);
                }
            }
            out.insert(change.hash().0, change);
        }
        out.retain(|hash, _| !base.has_change(hash));
        let mut changes: Vec<Change> = out.into_values().collect();
        in_order(&mut changes);
        let grew = !changes.is_empty();
        let next = base.with_changes(changes).ok_or(ReplayError::Write)?;
        if grew && !next.survives() {
            return Err(ReplayError::Write);
        }
        let mut state = self.state;
        for change in self.processed.into_iter().filter(|change| !next.has_change(&change.hash().0)) {
            state.beside.insert(change.hash().0, change.raw_bytes().to_vec());
        }
        state.beside.retain(|hash, _| !next.has_change(hash));
        Ok((next, state))
    }
}

/// In an order in which each comes after those that it follows, whose operations have lower numbers; the same for the same
/// changes.
pub(super) fn in_order(changes: &mut [Change]) {
    changes.sort_by_key(|change| (change.start_op(), change.hash()));
}
