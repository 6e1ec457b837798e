//! What was put aside is looked at again when there is a reason to: this is another version of the program than the one that
//! could not read it, or its space has a key now that it had not.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{Envelope, Place, SpaceId};
use mecum_sync::Follower;
use mecum_vault::Table;

use crate::arrivals::Arrival;
use crate::care::Care;
use crate::erasing::Ends;
use crate::error::SessionError;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// The setting that holds the version which has looked at everything that is put aside.
pub(crate) const TRIED_BY: &str = "tried-by";

/// Own words of a lost life are put aside for another reason than that they cannot be read.
const OWN: &[u8] = b"again/";

impl Session {
    /// The envelopes that are to be judged once more, taken out of what is put aside: what still cannot be read goes back.
    ///
    /// Those of one chain come in its order: which of two openings is heard of first may tell. What waited of a space that was not
    /// known here, and is of a document that has ended, goes.
    pub(crate) fn aside_again(
        &self,
        stage: &mut Stage,
        follower: &Follower,
    ) -> Result<Vec<Arrival>, SessionError> {
        let version = env!("CARGO_PKG_VERSION").as_bytes();
        let updated = self.setting(TRIED_BY)?.is_none_or(|tried| tried.as_slice() != version);
        let has_new_key = |state: &&SpaceState| {
            let known = self.spaces.get(&state.space);
            known.is_none_or(|known| known.epoch < state.epoch || known.earlier.len() < state.earlier.len())
        };
        let opened: BTreeSet<SpaceId> =
            stage.spaces.values().filter(has_new_key).map(|state| state.space).collect();
        if !updated && opened.is_empty() {
            return Ok(Vec::new());
        }
        let mut again = Vec::new();
        for (name, bytes) in self.vault.list(Table::Quarantine)? {
            let Ok(envelope) = Envelope::parse(&bytes) else { continue };
            let asked = updated || opened.contains(&envelope.place().space);
            if asked && !name.starts_with(OWN) {
                stage.deletes.push((Table::Quarantine, name));
                let kept = self.is_logged(&self.places(envelope.place().document)?, &envelope)?;
                again.push(Arrival { envelope, bytes: bytes.to_vec(), kept });
            }
        }
        again.sort_by_cached_key(|arrival: &Arrival| {
            let Place { space, device, incarnation, envelope_seq, .. } = *arrival.envelope.place();
            (space, device, incarnation, envelope_seq)
        });
        self.stage_ended_gone(stage, follower)?;
        if updated {
            stage.puts.push((Table::Setting, TRIED_BY.into(), version.to_vec()));
        }
        Ok(again)
    }

    /// Of spaces that begin here: the envelopes that wait for documents which have ended.
    fn stage_ended_gone(&self, stage: &mut Stage, follower: &Follower) -> Result<(), SessionError> {
        let begin = stage.spaces.values().filter(|state| !self.spaces.contains_key(&state.space));
        let begin: BTreeMap<SpaceId, Option<Care>> =
            begin.map(|state| (state.space, state.care.clone())).collect();
        if begin.is_empty() {
            return Ok(());
        }
        for (name, bytes) in self.vault.list(Table::Waiting)? {
            let Ok(envelope) = Envelope::parse(&bytes) else { continue };
            let place = envelope.place();
            let care = begin.get(&place.space);
            let ends = care.map(|care| Ends::of(follower.space_log(place.space), care.as_ref()));
            if ends.is_some_and(|ends| ends.is_ended(place.document)) {
                stage.deletes.push((Table::Waiting, name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
