//! One Automerge document in memory: made, loaded, saved, and asked how far it has got.
//!
//! It exists to hold what Automerge itself does not keep true: genesis first, a bounded size, and for every actor the last
//! change. It must not know where bytes come from or go to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use automerge::{Automerge, Change, ChangeHash, ReadDoc, SaveOptions};
use thiserror::Error;

use crate::actor::Actor;
use crate::admit::Refusal;
use crate::chunk::{ChunkError, check_document};
use crate::compact::WorkOut;
use crate::schema::{MAX_DOCUMENT_OPERATIONS, MAX_SNAPSHOT_BYTES, genesis};
use crate::steps::Step;

/// How much a snapshot may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, inflated.
    pub bytes: usize,
    /// Operations.
    pub operations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_SNAPSHOT_BYTES, operations: MAX_DOCUMENT_OPERATIONS }
    }
}

/// Why a document cannot be opened. Another copy, or the tail of envelopes, mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The chunk is refused before it is parsed.
    #[error("snapshot is refused unread")]
    Chunk(#[source] ChunkError),
    /// Automerge cannot read it.
    #[error("snapshot cannot be read")]
    Unreadable,
    /// It does not start with our genesis.
    #[error("snapshot has no genesis of ours")]
    Genesis,
    /// An actor in it is not 16 bytes.
    #[error("snapshot has a foreign actor")]
    Actor,
    /// A change in it does not pass the guards.
    #[error("snapshot holds a change that is refused: {0}")]
    Step(Refusal),
    /// A change of the tail does not fit.
    #[error("tail does not fit the snapshot")]
    Tail,
}

/// The last change of one actor in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Its `change_seq`.
    pub change_seq: u64,
    /// Its Automerge hash.
    pub change: [u8; 32],
}

/// One document and the actor that writes in this copy of it.
#[derive(Clone)]
pub struct Document {
    pub(crate) doc: Automerge,
    actor: Actor,
    /// The last change per actor, worked out when first asked for: reading never needs it.
    links: OnceLock<BTreeMap<Actor, Link>>,
}

impl fmt::Debug for Document {
    /// Sizes only: a document holds a person's record.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("actor", &self.actor)
            .field("operations", &self.operations())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// A new document: genesis and nothing else.
    pub fn new(actor: Actor) -> Self {
        let mut doc = Automerge::new().with_actor(actor.to_automerge());
        doc.apply_changes([genesis().clone()]).expect("the frozen genesis applies: a test holds it");
        Self { doc, actor, links: OnceLock::new() }
    }

    /// Opens a snapshot that [`Self::save`] wrote, after the guards on bytes from a peer. Whether its writers were
    /// allowed to write what is in it is for the caller, by [`Self::links`].
    pub fn load(snapshot: &[u8], actor: Actor, limits: Limits) -> Result<Self, LoadError> {
        check_document(snapshot, limits.bytes, limits.operations).map_err(LoadError::Chunk)?;
        Self::reopen(snapshot, std::iter::empty(), actor)
    }

    /// A snapshot that this device saved itself and kept sealed, and then the raw changes of a tail that was admitted before
    /// ([`crate::Payload::raw_change`]), in order, without judging them again. Never for what a peer just sent: that is
    /// [`Self::load`] and [`Self::admit`].
    pub fn reopen<'a>(
        snapshot: &[u8],
        tail: impl IntoIterator<Item = &'a [u8]>,
        actor: Actor,
    ) -> Result<Self, LoadError> {
        let mut doc = catch_unwind(AssertUnwindSafe(|| {
            mecum_trip::here("load");
            Automerge::load(snapshot).ok()
        }))
        .ok()
        .flatten()
        .ok_or(LoadError::Unreadable)?;
        doc.set_actor(actor.to_automerge());
        if doc.get_change_meta_by_hash(&genesis().hash()).is_none() {
            return Err(LoadError::Genesis);
        }
        let mut document = Self { doc, actor, links: OnceLock::new() };
        document.append(tail)?;
        Ok(document)
    }

    fn append<'a>(&mut self, tail: impl IntoIterator<Item = &'a [u8]>) -> Result<(), LoadError> {
        let parsed =
            || tail.into_iter().map(|raw| Change::from_bytes(raw.to_vec()).ok()).collect::<Option<Vec<_>>>();
        let changes = catch_unwind(AssertUnwindSafe(parsed)).ok().flatten().ok_or(LoadError::Tail)?;
        if changes.is_empty() {
            return Ok(());
        }
        self.append_changes(changes)
    }

    /// Applies changes that were judged before, each after those that it follows.
    pub(crate) fn append_changes(&mut self, changes: Vec<Change>) -> Result<(), LoadError> {
        let apply = || {
            mecum_trip::here("apply");
            self.doc.apply_changes(changes).is_ok()
        };
        let applied = catch_unwind(AssertUnwindSafe(apply)).unwrap_or(false);
        self.links = OnceLock::new();
        if applied && self.doc.get_missing_deps(&[]).is_empty() { Ok(()) } else { Err(LoadError::Tail) }
    }

    /// The whole document, history included, as one uncompressed chunk; the caller deflates. Equal documents with equal
    /// histories save equal bytes.
    pub fn save(&self) -> Vec<u8> {
        mecum_trip::here("save");
        self.doc.save_with_options(SaveOptions { deflate: false, retain_orphans: false })
    }

    /// What [`Self::save`] saves, as it travels: what deflates, and the ids, which do not. `work_out` names the finished
    /// entries whose ids can be left out.
    pub fn save_compact(&self, work_out: WorkOut<'_>) -> Result<(Vec<u8>, Vec<u8>), LoadError> {
        crate::compact::compact(&self.save(), work_out).map_err(LoadError::Chunk)
    }

    /// Opens the travelling form of a snapshot from a peer, after every guard on bytes and changes, and says what was done in it,
    /// step by step. Whether its writers were allowed to is for the caller.
    pub fn load_compact(
        body: &[u8],
        ids: &[u8],
        work_out: WorkOut<'_>,
        actor: Actor,
        limits: Limits,
    ) -> Result<(Self, Vec<Step>), LoadError> {
        let chunk = crate::compact::expand(body, ids, work_out, limits.bytes, limits.operations)
            .map_err(LoadError::Chunk)?;
        let document = Self::load(&chunk, actor, limits)?;
        if !catch_unwind(AssertUnwindSafe(|| document.doc.get_missing_deps(&[]).is_empty())).unwrap_or(false)
        {
            return Err(LoadError::Unreadable);
        }
        let steps = document.steps().map_err(LoadError::Step)?;
        if document.save() != chunk {
            return Err(LoadError::Unreadable);
        }
        Ok((document, steps))
    }

    /// The hashes of the changes that no other change has seen, sorted.
    pub fn heads(&self) -> Vec<[u8; 32]> {
        self.doc.get_heads().into_iter().map(|hash| hash.0).collect()
    }

    /// The number of operations in it, genesis included. The client starts another document at about 5,000.
    pub fn operations(&self) -> usize {
        usize::try_from(self.doc.stats().num_ops).unwrap_or(usize::MAX)
    }

    /// The actor that writes in this copy.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// This document as it was when these changes were its heads; `None` if one of them is not in it.
    pub fn as_of(&self, heads: &[[u8; 32]]) -> Option<Self> {
        let heads: Vec<ChangeHash> = heads.iter().map(|head| ChangeHash(*head)).collect();
        if !heads.iter().all(|head| self.has_change(&head.0)) {
            return None;
        }
        let mut doc = catch_unwind(AssertUnwindSafe(|| self.doc.fork_at(&heads).ok())).ok().flatten()?;
        doc.set_actor(self.actor.to_automerge());
        Some(Self { doc, actor: self.actor, links: OnceLock::new() })
    }

    /// Of the changes of some actors, those that no other of these changes follows directly, sorted; genesis is none of them.
    pub fn heads_of(&self, of: &dyn Fn(Actor) -> bool) -> Vec<[u8; 32]> {
        let (mut heads, mut followed) = (BTreeSet::new(), BTreeSet::new());
        for meta in self.doc.get_changes_meta(&[]) {
            if meta.hash != genesis().hash() && Actor::of(&meta.actor).is_some_and(of) {
                heads.insert(meta.hash.0);
                followed.extend(meta.deps.iter().map(|dep| dep.0));
            }
        }
        heads.into_iter().filter(|head| !followed.contains(head)).collect()
    }

    /// Whether a change is in it.
    pub fn has_change(&self, change: &[u8; 32]) -> bool {
        self.doc.get_change_meta_by_hash(&ChangeHash(*change)).is_some()
    }

    /// The hash of the change that an actor made as its `change_seq`-th, counted from 1; `None` if it is not in it.
    pub fn hash_of_change(&self, actor: Actor, change_seq: u64) -> Option<[u8; 32]> {
        let is_it = |meta: &automerge::ChangeMetadata<'_>| {
            meta.seq == change_seq && Actor::of(&meta.actor) == Some(actor)
        };
        self.doc.get_changes_meta(&[]).into_iter().find(is_it).map(|meta| meta.hash.0)
    }

    /// The last change of every actor in it but genesis's, for the check of a snapshot against the last statements.
    pub fn links(&self) -> Result<&BTreeMap<Actor, Link>, LoadError> {
        if let Some(links) = self.links.get() {
            return Ok(links);
        }
        let mut links = BTreeMap::new();
        for meta in self.doc.get_changes_meta(&[]) {
            if meta.hash == genesis().hash() {
                continue;
            }
            let actor = Actor::of(&meta.actor).ok_or(LoadError::Actor)?;
            let link = Link { change_seq: meta.seq, change: meta.hash.0 };
            links.entry(actor).and_modify(|last: &mut Link| *last = link.max(*last)).or_insert(link);
        }
        Ok(self.links.get_or_init(|| links))
    }

    /// This document, written from now on by another actor.
    #[must_use]
    pub fn with_actor(mut self, actor: Actor) -> Self {
        self.doc.set_actor(actor.to_automerge());
        self.actor = actor;
        self
    }

    /// This document and changes that were judged before, each after those that it follows; `None` if they do not fit.
    pub(crate) fn with_changes(&self, changes: Vec<Change>) -> Option<Self> {
        let mut next = self.clone();
        if !changes.is_empty() {
            next.append_changes(changes).ok()?;
        }
        Some(next)
    }

    /// Notes a change that was just applied.
    pub(crate) fn linked(&mut self, actor: Actor, link: Link) {
        if let Some(links) = self.links.get_mut() {
            links.insert(actor, link);
        }
    }

    /// Whether this document survives being saved and loaded: some changes apply and leave one that does not.
    pub(crate) fn survives(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| {
            self.doc.get_missing_deps(&[]).is_empty()
                && Automerge::load(&self.save()).is_ok_and(|again| again.get_heads() == self.doc.get_heads())
        }))
        .unwrap_or(false)
    }
}
