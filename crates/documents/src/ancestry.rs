//! Which change has seen which: for every change of a document, how far along every actor it has seen.
//!
//! It exists because Automerge answers this only by walking the history. It knows hashes and numbers, nothing of contents.

use std::collections::{BTreeMap, BTreeSet};

use crate::actor::Actor;
use crate::document::Document;

/// Of every actor, up to which `change_seq`; the change itself included.
type Clock = BTreeMap<Actor, u64>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ancestry {
    changes: BTreeMap<[u8; 32], ((Actor, u64), Clock)>,
}

impl Ancestry {
    /// Of every change in a document; `None` if an actor is not 16 bytes.
    pub(crate) fn of(document: &Document) -> Option<Self> {
        let mut ancestry = Self::default();
        for meta in document.doc.get_changes_meta(&[]) {
            let deps: Vec<[u8; 32]> = meta.deps.iter().map(|dep| dep.0).collect();
            ancestry.add(meta.hash.0, (Actor::of(&meta.actor)?, meta.seq), &deps);
        }
        Some(ancestry)
    }

    /// Adds a change whose deps were added before.
    pub(crate) fn add(&mut self, change: [u8; 32], name: (Actor, u64), deps: &[[u8; 32]]) {
        let mut clock = Clock::new();
        for (_, seen) in deps.iter().filter_map(|dep| self.changes.get(dep)) {
            for (actor, seq) in seen {
                let known = clock.entry(*actor).or_default();
                *known = (*known).max(*seq);
            }
        }
        clock.insert(name.0, name.1);
        self.changes.insert(change, (name, clock));
    }

    /// Whether `later` is `earlier` or follows it.
    pub(crate) fn saw(&self, later: &[u8; 32], earlier: &[u8; 32]) -> bool {
        let (Some((_, clock)), Some(((actor, seq), _))) =
            (self.changes.get(later), self.changes.get(earlier))
        else {
            return false;
        };
        clock.get(actor).is_some_and(|seen| seen >= seq)
    }

    /// Those of `changes` that none of the others follows, in the order of hashes.
    pub(crate) fn newest(&self, changes: &BTreeSet<[u8; 32]>) -> Vec<[u8; 32]> {
        let followed =
            |change: &[u8; 32]| changes.iter().any(|other| other != change && self.saw(other, change));
        changes.iter().filter(|change| !followed(change)).copied().collect()
    }
}
