//! Two devices changed the membership of a space at once: the server takes one entry, and the other device signs its own again on
//! the new head, as far as it still means something.

use std::collections::BTreeSet;

use mecum_seal::SpaceId;
use mecum_sync::{
    Cut, Follower, Item, RefusalCode, Signed, SpaceBody, SpaceEntry, SyncRequest, SyncResponse, Why, decode,
};
use mecum_vault::Table;
use zeroize::Zeroizing;

use super::cutting::{Unmade, is_cut_as_far};
use super::ending::{CutAt, Ending, chosen_name, open_reason};
use super::terms::Terms;
use crate::error::SessionError;
use crate::notices::Cause;
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
    /// The words that a removal was given.
    reason: Option<Zeroizing<String>>,
    /// What it cuts somebody chose.
    chosen: bool,
    /// The server will not have what it cuts.
    refused: bool,
    /// Why it is given up, should it be.
    cause: Cause,
}

impl Session {
    /// Takes own entries back from the places where an answer shows others, and those that the server will not have. Answers what is
    /// to be signed again, oldest first: everything that came after, and what only came too late.
    pub(crate) fn give_way_in_spaces(
        &self,
        stage: &mut Stage,
        follower: &mut Follower,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<Vec<GaveWay>, SessionError> {
        let mut all = Vec::new();
        for item in &response.items {
            let Item::SpaceEntry { entry, .. } = item else { continue };
            let SpaceEntry { space, seq, .. } = *entry.unverified();
            let Some(log) = follower.space_log(space) else { continue };
            let taken = log.head_at(seq).is_some_and(|head| head != entry.hash());
            if taken && seq > follower.ever_stored_space_entries(space) {
                all.extend(self.take_back_from(stage, follower, (space, seq), Cause::Overtaken)?);
            }
        }
        all.extend(self.give_way_to_unseen(stage, follower, request, response)?);
        let outcomes = || request.space_entries.iter().zip(&response.space_outcomes);
        let waits = outcomes().filter(|(entry, outcome)| self.waits_for_others(entry, outcome));
        let lost: BTreeSet<SpaceId> = waits.map(|(entry, _)| entry.unverified().space).collect();
        for (entry, outcome) in outcomes() {
            let SpaceEntry { space, seq, .. } = *entry.unverified();
            let code = outcome.refusal().map(|refusal| refusal.code);
            let Some(refused) = code.filter(|code| *code != RefusalCode::StaleHead) else { continue };
            // Behind what waits for somebody else it is refused for that alone.
            if lost.contains(&space) {
                continue;
            }
            let still_here = follower.space_log(space).and_then(|log| log.head_at(seq)) == Some(entry.hash());
            if still_here && seq > follower.ever_stored_space_entries(space).max(1) {
                // The entry itself would be refused again, and everything that builds on it with it. Only a cut can be another.
                let cause = Cause::from(refused);
                let mut gave_way = self.take_back_from(stage, follower, (space, seq), cause)?;
                let is_cut =
                    |body: &SpaceBody| matches!(body, SpaceBody::Remove { .. } | SpaceBody::Epoch { .. });
                match gave_way.first_mut() {
                    Some(first) if refused == RefusalCode::BadCut && is_cut(&first.body) => {
                        first.refused = true;
                    }
                    _ => {
                        for GaveWay { body, terms, cause, .. } in gave_way.drain(..gave_way.len().min(1)) {
                            self.stage_given_up(stage, &body, terms.map(|terms| terms.member), cause);
                        }
                    }
                }
                all.extend(gave_way);
                stage.topics.push(mecum_api::Topic::Charts);
            }
        }
        Ok(all)
    }

    /// Takes back what cuts by what had been seen, where an answer shows more of that space. What goes out with this very request is
    /// signed on everything; what the server ordered before it then is the last that it could not know.
    fn give_way_to_unseen(
        &self,
        stage: &mut Stage,
        follower: &mut Follower,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<Vec<GaveWay>, SessionError> {
        let batch = |item: &Item| match item {
            Item::Batch { push, .. } => Some(push.space()),
            _ => None,
        };
        let spaces: BTreeSet<SpaceId> = response.items.iter().filter_map(batch).collect();
        let mut all = Vec::new();
        for space in spaces {
            let Some((seq, hash)) = self.first_cut_on_its_way(follower, space)? else { continue };
            if !request.space_entries.iter().any(|entry| entry.hash() == hash) {
                all.extend(self.take_back_from(stage, follower, (space, seq), Cause::Overtaken)?);
            }
        }
        Ok(all)
    }

    /// Takes back an own entry and those after it, oldest first.
    fn take_back_from(
        &self,
        stage: &mut Stage,
        follower: &mut Follower,
        (space, first): (SpaceId, u64),
        cause: Cause,
    ) -> Result<Vec<GaveWay>, SessionError> {
        let mut gave_way = Vec::new();
        let last = follower.space_log(space).map_or(0, mecum_sync::SpaceLog::entries);
        for seq in (first..=last).rev() {
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
            let reason = match &body {
                SpaceBody::Remove { sealed_reason, .. } => open_reason(&state.key, space, sealed_reason),
                _ => None,
            };
            if matches!(body, SpaceBody::Remove { .. } | SpaceBody::Epoch { .. }) {
                state.take_epoch_back();
                // The key that is current again may be one that a removed device has.
                state.removed_devices = 0;
            }
            if let SpaceBody::Remove { member, .. } = &body {
                self.stage_member_stays(stage, space, *member);
            }
            if let SpaceBody::Replace { by, .. } = &body {
                self.stage_successor_given_up(stage, *by)?;
            }
            if matches!(body, SpaceBody::Leave { .. }) {
                state.ended = None;
            }
            state.membership = follower.space_log(space).ok_or(LOG)?.head();
            stage.spaces.insert(space, state);
            stage.deletes.push((Table::Sync, space_entry_name(space, seq)));
            let chosen = self.vault.get(Table::Sync, &chosen_name(space, seq))?.is_some();
            stage.deletes.push((Table::Sync, chosen_name(space, seq)));
            gave_way.push(GaveWay { space, body, terms, reason, chosen, refused: false, cause });
        }
        gave_way.reverse();
        Ok(gave_way)
    }

    fn signed_entry(&self, space: SpaceId, seq: u64) -> Result<Signed<SpaceEntry>, SessionError> {
        let bytes = self.vault.get(Table::Sync, &space_entry_name(space, seq))?.ok_or(LOG)?;
        decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| LOG)
    }

    /// Signs what gave way again, under the keys and on the head as they are now. What the log has meanwhile, or does not allow any
    /// more, is left out; of the latter the person is told.
    pub(crate) fn sign_space_entries_again(
        &self,
        stage: &mut Stage,
        gave_way: Vec<GaveWay>,
    ) -> Result<(), SessionError> {
        for GaveWay { space, body, terms, reason, chosen, refused, cause } in gave_way {
            let reason = reason.as_ref().map(|reason| reason.as_str());
            let kept = stage.puts.len();
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            let signed = match body.clone() {
                SpaceBody::Grant { member, genesis, role, .. } => {
                    let log = follower.space_log(space).ok_or(LOG)?;
                    if log.role(member).is_some_and(|there| there >= role) {
                        // Another device let them in: it is as it was to be.
                        continue;
                    }
                    match (&terms, self.kem_of_invited(stage, member)) {
                        (Some(terms), Some(kem)) => {
                            let name = terms.member.clone();
                            let invited = super::granting::Invited { account: member, genesis, kem, name };
                            self.stage_grant(stage, space, role, &invited, terms)
                        }
                        _ => Err(SessionError::NotAllowed { what: "whom to let in" }),
                    }
                }
                SpaceBody::Remove { member, why, cuts, .. } if refused => {
                    // Who is removed is removed; of what they wrote stays what cannot be left out any more.
                    let Some(cuts) = self.milder_cuts(follower, space, member, &cuts)? else {
                        if why == Why::Removed {
                            self.note_unmade(stage, Unmade::Nothing);
                        }
                        continue;
                    };
                    let ending = Ending { why, reason, cut: CutAt::Here(cuts) };
                    self.stage_ending(stage, space, member, ending)
                        .map(|()| self.note_unmade(stage, Unmade::Refused))
                }
                SpaceBody::Remove { member, cuts, .. }
                    if follower.space_log(space).is_some_and(|log| log.role(member).is_none()) =>
                {
                    // They left, or another device was faster. Of whom is out already nothing more can be cut.
                    let log = follower.space_log(space).ok_or(LOG)?;
                    if chosen && !is_cut_as_far(log, member, &cuts) {
                        self.note_unmade(stage, Unmade::Late);
                    }
                    Ok(())
                }
                // An end by date is signed anew once everything was seen.
                SpaceBody::Remove { why: Why::Expired, .. }
                | SpaceBody::Replace { .. }
                | SpaceBody::Genesis { .. } => Ok(()),
                SpaceBody::Remove { member, why, cuts, .. } => {
                    // A moment that somebody chose stays. Where none was, what the server has by now counts.
                    let cut = if chosen { CutAt::Here(cuts) } else { CutAt::Now };
                    let ending = Ending { why, reason, cut };
                    self.stage_ending(stage, space, member, ending)
                }
                SpaceBody::Epoch { cuts, .. } => {
                    if refused && !self.stage_later_moment(stage, space, &cuts)? {
                        // None is left that is milder: whoever chose a moment is told. The next edit begins an epoch again.
                        if self.chose_moment(&cuts)? {
                            self.note_unmade(stage, Unmade::Stays);
                        }
                        continue;
                    }
                    if refused {
                        self.note_unmade(stage, Unmade::Refused);
                    }
                    self.stage_epoch_again(stage, space, &cuts)
                }
                SpaceBody::Leave { .. } => self.stage_leave(stage, space),
            };
            match signed {
                Ok(()) => {}
                // It means nothing any more, or is not allowed: nothing of it was signed.
                Err(SessionError::Call(_) | SessionError::NotAllowed { .. }) => {
                    stage.puts.truncate(kept);
                    self.stage_given_up(stage, &body, terms.map(|terms| terms.member), cause);
                }
                // The vault cannot be read: nothing is given up for that. The answer is not taken, and comes again.
                Err(error) => return Err(error),
            }
        }
        keep_used(stage);
        Ok(())
    }

    /// Begins an epoch in place of one that gave way, where whoever was faster began none that shuts a removed device out, or cuts
    /// less of it.
    fn stage_epoch_again(&self, stage: &mut Stage, space: SpaceId, cuts: &[Cut]) -> Result<(), SessionError> {
        if self.check_writable(stage, space).is_err() {
            return Ok(());
        }
        let Some(log) = self.staged_log(stage, space) else { return Ok(()) };
        let mut chosen = Vec::new();
        for cut in cuts {
            if self.chosen_cut(stage, space, cut.device)?.is_some() {
                chosen.push(*cut);
            }
        }
        if self.owes_epoch(stage, space)? || !is_cut_as_far(log, self.identity.account, &chosen) {
            self.stage_epoch(stage, space)?;
        }
        Ok(())
    }
}

/// A name that is used again is not deleted.
pub(super) fn keep_used(stage: &mut Stage) {
    let of_sync = stage.puts.iter().filter(|(table, ..)| *table == Table::Sync);
    let used: BTreeSet<Vec<u8>> = of_sync.map(|(_, name, _)| name.clone()).collect();
    stage.deletes.retain(|(table, deleted)| *table != Table::Sync || !used.contains(deleted));
}
