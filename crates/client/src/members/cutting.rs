//! When a cut is made in the documents here, and what becomes of one that the server will not have.
//!
//! A cut is made once the server has countersigned its entry. Until then another entry may be faster, or the server may refuse it, and
//! what was taken out of a document would be taken out here alone: this device would write on as somebody whom nobody else knows.

use std::collections::BTreeSet;

use mecum_seal::{AccountId, DeviceId, SpaceId};
use mecum_sync::{Chain, ChainHead, Cut, CutSet, Follower, SpaceBody, SpaceLog, Void};
use mecum_vault::Table;

use super::earlier::{NONE_CHOSEN, cut_name, cut_name_in, known};
use super::void::last_of;
use crate::erasing::Ends;
use crate::error::SessionError;
use crate::session::Session;
use crate::stage::Stage;

/// The setting that says that a cut could not be made as it was chosen: when that was, ms since the epoch, and the sentence.
const NOTICE: &[u8] = b"cut-notice";

/// How long the person is told of it.
const TOLD_FOR_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// What came to a server so long ago it may have pruned (ADR 0014).
const MAY_BE_PRUNED_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// What of a chosen cut could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmade {
    /// The server has pruned what it would leave out: it was made where it could be.
    Refused,
    /// An erasure kept words from after it, which cannot be told apart any more.
    Erased,
    /// The server has none of it.
    Nothing,
    /// The same of a device that is out: what it wrote stays.
    Stays,
    /// Whoever was to be cut was out before it.
    Late,
    /// When a part of it came is not known here: that part counts.
    Undated,
}

/// The cut sets of a log that are in force: the server has countersigned their entry, or there is none and this device orders its own
/// log.
pub(crate) fn in_force<'l>(follower: &Follower, log: &'l SpaceLog) -> impl Iterator<Item = &'l CutSet> {
    let shown = match follower.relay() {
        Some(_) => follower.ever_stored_space_entries(log.space()),
        None => u64::MAX,
    };
    log.cut_sets().iter().filter(move |set| set.entry <= shown)
}

/// What a cut leaves of the chains that are here.
fn voided(follower: &Follower, space: SpaceId, set: &CutSet) -> Vec<Void> {
    let of_account = |(chain, _): &(Chain, ChainHead)| follower.account_of(chain.device) == Some(set.account);
    let beyond = |(chain, head): (Chain, ChainHead)| {
        let after = last_of(set, chain.device, chain.incarnation)?;
        let before_entry = if set.ended { set.entry } else { u64::MAX };
        (head.envelope_seq > after).then_some(Void { chain, after, before_entry })
    };
    follower.furthest(space).into_iter().filter(of_account).filter_map(beyond).collect()
}

impl Session {
    /// Makes what an entry cuts, if it is in force: notes the documents in which something that was applied is void now, and where the
    /// cut reaches into what a snapshot had brought, that the space is to be built anew. An own entry that the server has not shown waits.
    pub(super) fn stage_cut(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        space: SpaceId,
        entry: u64,
    ) -> Result<(), SessionError> {
        let Some(log) = follower.space_log(space) else { return Ok(()) };
        let Some(set) = in_force(follower, log).find(|set| set.entry == entry) else { return Ok(()) };
        let void = voided(follower, space, set);
        if void.is_empty() {
            return Ok(());
        }
        let anew = self.cuts_into_snapshot(stage, space, &void)?;
        if anew {
            Self::note_cut_into_snapshot(stage, space);
        }
        let ends = Ends::of(Some(log), self.care_in(space));
        for state in self.documents.values().filter(|state| state.space == space) {
            // What took another document's place is not built anew with its space: nothing that was void then is in it.
            if anew && !ends.begins(state.document) {
                continue;
            }
            if self.logged(stage, state)?.iter().any(|logged| logged.is_beyond(follower, log, set)) {
                stage.to_replay.insert(state.document);
            }
        }
        Ok(())
    }

    /// Says so where cuts lie before the end of what an erasure kept: that is one with the document it made.
    pub(super) fn note_if_erased(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        cuts: &[Cut],
        of: impl Fn(DeviceId) -> bool,
    ) -> Result<(), SessionError> {
        let Some(log) = self.staged_log(stage, space) else { return Ok(()) };
        let entries: Vec<u64> = self.staged_ends(stage, space).iter().map(|of| of.entry).collect();
        for entry in entries {
            let Some(SpaceBody::Replace { chains, .. }) =
                self.kept_entry(stage, space, entry)?.map(|entry| entry.body)
            else {
                continue;
            };
            let below = chains.iter().filter(|chain| of(chain.device)).any(|chain| {
                let (device, incarnation) = (chain.device, chain.incarnation);
                let is_it = |cut: &&Cut| (cut.device, cut.incarnation) == (device, incarnation);
                let last = cuts.iter().find(is_it).map_or(0, |cut| cut.envelope_seq);
                // What was void already when the entry was signed, it did not keep.
                let mut earlier = log.cut_sets().iter().filter(|set| set.entry < entry);
                last < chain.head.envelope_seq
                    && !earlier.any(|set| last_of(set, device, incarnation).is_some_and(|was| was <= last))
            });
            if below {
                self.note_unmade(stage, Unmade::Erased);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The cuts to sign in place of some that the server refused: of what it cannot have pruned yet as much as was chosen, or else what
    /// stands now. None if these are no others.
    pub(super) fn milder_cuts(
        &self,
        follower: &Follower,
        space: SpaceId,
        account: AccountId,
        refused: &[Cut],
    ) -> Result<Option<Vec<Cut>>, SessionError> {
        let of_account = |device| follower.account_of(device) == Some(account);
        let is_milder = |cuts: &Vec<Cut>| {
            cuts != refused
                && refused.iter().all(|cut| {
                    let is_it = |of: &&Cut| (of.device, of.incarnation) == (cut.device, cut.incarnation);
                    cuts.iter().find(is_it).is_some_and(|of| of.envelope_seq >= cut.envelope_seq)
                })
        };
        let kept = known(self.cuts_before(follower, space, self.now_ms() - MAY_BE_PRUNED_MS, of_account))?;
        let now = super::ending::cuts_of(follower, space, account);
        Ok(kept.into_iter().chain([now]).find(is_milder))
    }

    /// Gives up, in one space, the moment that was chosen for the devices that refused cuts name: what the server cannot have pruned
    /// yet is left out all the same, and if that was refused, what stands now counts. False if no moment had been chosen.
    pub(super) fn stage_later_moment(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        refused: &[Cut],
    ) -> Result<bool, SessionError> {
        let earliest = self.now_ms() - MAY_BE_PRUNED_MS;
        let devices: BTreeSet<DeviceId> = refused.iter().map(|cut| cut.device).collect();
        let mut any = false;
        for device in devices {
            let Some(chosen) = self.chosen_cut(stage, space, device)? else { continue };
            let name = cut_name_in(device, space);
            let first = self.vault.get(Table::Setting, &name)?.is_none();
            let later = if first && chosen < earliest { earliest } else { NONE_CHOSEN };
            stage.puts.push((Table::Setting, name, later.to_be_bytes().to_vec()));
            any = true;
        }
        Ok(any)
    }

    /// Whether a moment was chosen on this device for one that cuts are about.
    pub(super) fn chose_moment(&self, cuts: &[Cut]) -> Result<bool, SessionError> {
        for cut in cuts {
            if self.vault.get(Table::Setting, &cut_name(cut.device))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes that a cut could not be made as it was chosen: it is told for some days.
    pub(super) fn note_unmade(&self, stage: &mut Stage, what: Unmade) {
        let code = match what {
            Unmade::Refused => 1,
            Unmade::Erased => 2,
            Unmade::Nothing => 3,
            Unmade::Late => 4,
            Unmade::Undated => 5,
            Unmade::Stays => 6,
        };
        let body = [self.now_ms().to_be_bytes().as_slice(), &[code]].concat();
        stage.puts.push((Table::Setting, NOTICE.to_vec(), body));
    }

    /// What is told of it: the id of a sentence.
    pub(crate) fn cut_notice(&self) -> Option<&'static str> {
        let body = self.vault.get(Table::Setting, NOTICE).ok().flatten()?;
        let (at_ms, code) = body.split_at_checked(8)?;
        let at_ms = i64::from_be_bytes(at_ms.try_into().ok()?);
        if self.now_ms().saturating_sub(at_ms) >= TOLD_FOR_MS {
            return None;
        }
        match code {
            [1] => Some("error-cut-refused"),
            [2] => Some("error-cut-erased"),
            [3] => Some("error-cut-too-early"),
            [4] => Some("error-cut-late"),
            [5] => Some("error-cut-undated"),
            [6] => Some("error-cut-stays"),
            _ => None,
        }
    }
}

/// Whether a log leaves out, of the chains that some cuts name, as much as they do.
pub(super) fn is_cut_as_far(log: &SpaceLog, account: AccountId, cuts: &[Cut]) -> bool {
    cuts.iter().all(|cut| {
        log.cut_sets()
            .iter()
            .filter(|set| set.account == account)
            .any(|set| last_of(set, cut.device, cut.incarnation).is_some_and(|last| last <= cut.envelope_seq))
    })
}
