//! Two devices changed the membership of a space at once: the server takes one entry, and the other device signs its own again on
//! the new head, as far as it still means something.

use mecum_seal::SpaceId;
use mecum_sync::{Follower, Item, Signed, SpaceBody, SpaceEntry, decode};
use mecum_vault::Table;

use super::terms::Terms;
use crate::error::SessionError;
use crate::restored::space_entry_name;
use crate::session::Session;
use crate::stage::Stage;

const LOG: SessionError = SessionError::Stored { what: "space log" };

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// An own entry that gave way.
pub(crate) struct GaveWay {
    space: SpaceId,
    body: SpaceBody,
    terms: Option<Terms>,
}

impl Session {
    /// Takes own entries back from the places where an answer shows others. Answers what they were to do, oldest first.
    pub(crate) fn give_way_in_spaces(
        &self,
        stage: &mut Stage,
        follower: &mut Follower,
        items: &[Item],
    ) -> Result<Vec<GaveWay>, SessionError> {
        let mut all = Vec::new();
        for item in items {
            let Item::SpaceEntry { entry, .. } = item else { continue };
            let SpaceEntry { space, seq, .. } = *entry.unverified();
            let Some(log) = follower.space_log(space) else { continue };
            let taken = log.head_at(seq).is_some_and(|head| head != entry.hash());
            if !taken || seq <= follower.stored_space_entries(space) {
                continue;
            }
            let mut gave_way = Vec::new();
            for seq in (seq..=log.entries()).rev() {
                let own = self.signed_entry(space, seq)?;
                if follower.take_back_space_entry(&own).is_err() {
                    break;
                }
                let body = own.unverified().body.clone();
                let mut state = self.staged_space(stage, space)?;
                let terms = match &body {
                    SpaceBody::Grant { member, sealed_terms, .. } => {
                        Terms::open(&state.key, space, *member, sealed_terms)
                    }
                    _ => None,
                };
                if matches!(body, SpaceBody::Remove { .. } | SpaceBody::Epoch { .. }) {
                    state.take_epoch_back();
                }
                if matches!(body, SpaceBody::Leave { .. }) {
                    state.ended = None;
                }
                state.membership = follower.space_log(space).ok_or(LOG)?.head();
                stage.spaces.insert(space, state);
                stage.deletes.push((Table::Sync, space_entry_name(space, seq)));
                gave_way.push(GaveWay { space, body, terms });
            }
            gave_way.reverse();
            all.extend(gave_way);
        }
        Ok(all)
    }

    fn signed_entry(&self, space: SpaceId, seq: u64) -> Result<Signed<SpaceEntry>, SessionError> {
        let bytes = self.vault.get(Table::Sync, &space_entry_name(space, seq))?.ok_or(LOG)?;
        decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| LOG)
    }

    /// Signs what gave way again, under the keys and on the head as they are now. What the log has meanwhile, or does not allow any
    /// more, is left out.
    pub(crate) fn sign_space_entries_again(
        &self,
        stage: &mut Stage,
        gave_way: Vec<GaveWay>,
    ) -> Result<(), SessionError> {
        for GaveWay { space, body, terms } in gave_way {
            // A name that is used again is not deleted.
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            let next = follower.space_log(space).ok_or(LOG)?.entries() + 1;
            let name = space_entry_name(space, next);
            stage.deletes.retain(|(table, deleted)| *table != Table::Sync || *deleted != name);
            match body {
                SpaceBody::Grant { member, genesis, role, .. } => {
                    let log = follower.space_log(space).ok_or(LOG)?;
                    let Some(terms) = terms.filter(|_| log.role(member).is_none_or(|there| there < role))
                    else {
                        continue;
                    };
                    // The key is wrapped anew by what is known of the member's log; before it came, the old wrap cannot be used.
                    let Some(kem) = follower.log_of(member).map(|log| log.account_kem().clone()) else {
                        continue;
                    };
                    let invited = super::granting::Invited {
                        account: member,
                        genesis,
                        kem,
                        name: terms.member.clone(),
                    };
                    self.stage_grant(stage, space, role, &invited, &terms)?;
                }
                SpaceBody::Remove { member, why, .. } => {
                    self.stage_removal(stage, space, member, why, None)?;
                }
                SpaceBody::Leave { .. } => self.stage_leave(stage, space)?,
                // Whoever was faster began one; if not, the next edit does.
                SpaceBody::Epoch { .. } | SpaceBody::Replace { .. } | SpaceBody::Genesis { .. } => {}
            }
        }
        Ok(())
    }
}
