//! What a manager says of a successor beside its changes, held against what is here: who wrote what, when, what may not come back, and
//! what was written elsewhere. The changes themselves come out alike on every device; of these words a signature is all there is, and whoever has the old
//! document knows better.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::ErasureKind;
use mecum_documents::{Actor, Document, Regenesis, Replayed};
use mecum_seal::{DeviceId, Hash32, SpaceId};
use mecum_sync::Replaced;

use super::base::{Info, Touched};
use super::late::key_of;
use crate::error::SessionError;
use crate::members::{actors_in, all_actors};
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;

/// When and on which device an item was written last; `None` if that is not known here of everything that was written in it.
type Last = BTreeMap<ItemKey, Option<(i64, DeviceId)>>;

/// The old document as its successor was made from it, and what came out of it here.
pub(super) struct WorkedOut<'a> {
    pub(super) of: &'a Replaced,
    pub(super) old: &'a DocumentState,
    pub(super) covered: &'a Document,
    pub(super) replayed: &'a Replayed,
    pub(super) before: &'a Info,
    pub(super) made: &'a Regenesis,
    pub(super) left_out: &'a BTreeSet<ItemKey>,
    pub(super) kind: ErasureKind,
}

impl Session {
    /// Whether what is said of a successor is so, as far as this device can tell.
    pub(super) fn is_as_here(&self, here: &WorkedOut<'_>, said: &Info) -> Result<bool, SessionError> {
        Ok(said.authors_are(&here.made.authors)
            && self.bars_what_was_left_out(here, said)
            && are_times_of(&here.made.document, &self.last_in_items(here)?, &said.items)
            && self.are_records_as_here(here, &said.records)?)
    }

    /// Nothing is barred from coming back but what was before, and what is erased now.
    fn bars_what_was_left_out(&self, here: &WorkedOut<'_>, said: &Info) -> bool {
        let said: BTreeSet<Hash32> = said.erased.iter().copied().collect();
        let before: BTreeSet<Hash32> = here.before.erased.iter().copied().collect();
        let goes = |key: &ItemKey| self.marks_of(here.old.space, *key);
        let erased: BTreeSet<Hash32> = match here.kind {
            ErasureKind::Erase => here.left_out.iter().flat_map(goes).collect(),
            ErasureKind::ToSensitive | ErasureKind::FromSensitive | ErasureKind::Cleared => BTreeSet::new(),
        };
        before.is_subset(&said) && said.iter().all(|mark| before.contains(mark) || erased.contains(mark))
    }

    /// The marks of an item, under whichever key of the section's first epoch.
    fn marks_of(&self, space: SpaceId, key: ItemKey) -> Vec<Hash32> {
        let state = self.spaces.get(&space);
        let keys = state.into_iter().flat_map(|state| state.epoch_keys(1));
        keys.filter_map(|first| super::signing::mark(first, key)).collect()
    }

    /// When each item of the old document was written last, as its rows have it everywhere.
    fn last_in_items(&self, here: &WorkedOut<'_>) -> Result<Last, SessionError> {
        let log = self.follower.space_log(here.old.space);
        let mut devices: BTreeMap<Actor, DeviceId> = BTreeMap::new();
        for ((device, _), first) in all_actors(&self.follower) {
            let actors = log.map_or_else(|| vec![first], |log| actors_in(log, first));
            devices.extend(actors.into_iter().map(|actor| (actor, device)));
        }
        let times = self.times(here.old.document)?;
        let mut last = Last::new();
        for step in here.covered.steps().map_err(|_| SessionError::Envelope)? {
            let (actor, seq) = here.replayed.origin(step.actor, step.change_seq);
            if here.before.is_reserved(actor) {
                // Its info says when that was.
                continue;
            }
            let noted = devices.get(&actor).zip(times.get(&(actor, seq)));
            let by = noted.map(|(device, noted)| (noted.at_ms, *device));
            for edit in &step.edits {
                let held = last.entry(key_of(edit)).or_insert(by);
                *held = held.zip(by).map(|(held, by)| held.max(by));
            }
        }
        for touched in &here.before.items {
            let by = (touched.at_ms, touched.device);
            let held = last.entry(touched.key).or_insert(Some(by));
            *held = held.map(|held| held.max(by));
        }
        Ok(last)
    }
}

/// Whether the times are those of each item that the document has, once.
fn are_times_of(document: &Document, last: &Last, said: &[Touched]) -> bool {
    let by_key: BTreeMap<ItemKey, (i64, DeviceId)> =
        said.iter().map(|touched| (touched.key, (touched.at_ms, touched.device))).collect();
    let entries = document.entries().map(|entry| ItemKey::Entry(*entry.id.as_bytes()));
    let finished = document.finished().map(|(key, _)| ItemKey::Finished(*key.as_bytes()));
    by_key.len() == said.len()
        && entries.chain(finished).all(|key| match last.get(&key) {
            Some(Some(known)) => by_key.get(&key) == Some(known),
            // Not all of it is known here: it cannot be told.
            Some(None) | None => true,
        })
}
