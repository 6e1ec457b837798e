//! What was put aside is looked at again when there is a reason to: this is another version of the program than the one that
//! could not read it, or its space has a key now that it had not.

use std::collections::BTreeSet;

use mecum_seal::{Envelope, SpaceId};
use mecum_vault::Table;

use crate::arrivals::Arrival;
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
    pub(crate) fn aside_again(&self, stage: &mut Stage) -> Result<Vec<Arrival>, SessionError> {
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
        if updated {
            stage.puts.push((Table::Setting, TRIED_BY.into(), version.to_vec()));
        }
        Ok(again)
    }
}
