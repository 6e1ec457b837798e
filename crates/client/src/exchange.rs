//! One exchange with the relay: what this device has to say, and what it takes from the answer.

mod refused;
mod saying;

use std::collections::BTreeMap;

use mecum_api::Topic;
use mecum_seal::{DocumentId, SpaceId};
use mecum_sync::controls::{holds, is_out};
use mecum_sync::{
    Accepted, FollowError, Follower, Item, RefusalCode, SnapshotBody, SyncRequest, SyncResponse,
};
use mecum_vault::{Durability, Table};

use crate::arrivals::Arrival;
use crate::error::SessionError;
use crate::members::{TakenEntry, keep_void};
use crate::notices::Waits;
use crate::session::Session;
use crate::stage::Stage;

/// The relay's answer cannot be taken: nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The relay shows another history, or one that cannot be checked.
    #[error("the relay's history cannot be followed: {0}")]
    Follow(#[from] FollowError),
    /// The relay refuses what this device has to say.
    #[error("the relay refuses: {0:?}")]
    Refused(RefusalCode),
    /// The relay has another version of this device's chain than the vault: the vault is an older copy. It is noted; what comes
    /// next is asked for by another incarnation, signed in anew.
    #[error("the vault is an older copy")]
    RolledBack,
    /// The vault could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What an exchange brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Envelopes of other devices.
    pub envelopes: usize,
    /// There is more to fetch or to send.
    pub more: bool,
}

impl Session {
    /// Takes an answer in one durable step. On an error nothing is changed.
    pub fn accept(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<Exchanged, ExchangeError> {
        mecum_trip::here("accept");
        let mut follower = self.follower.clone();
        let whole = response.whole(request)?;
        let response = whole.as_ref();
        follower.check_response(request, response)?;
        self.note_server_time(response.server_time_ms);
        let mut stage = Stage::default();
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut began = false;
        self.check_shown_again(&response.items)?;
        let gave_way = self.give_way(&mut follower, &response.items)?;
        let gave_way_in_spaces = self.give_way_in_spaces(&mut stage, &mut follower, request, response)?;
        // Where another device was faster, the answer shows its entry, or will: then a stale one is no refusal.
        let rebasing = response.more || !gave_way.is_empty() || !gave_way_in_spaces.is_empty();
        let aside = self.aside()?;
        for item in &response.items {
            for space in &aside {
                follower.set_aside(*space);
            }
            match follower.accept(item) {
                Ok(Accepted::Snapshot { body, parts }) => {
                    if self.is_elsewhere(&mut stage, &body)? {
                        return Err(self.is_rolled_back()?);
                    }
                    if let Err(refused) = self.stage_snapshot(&mut stage, &follower, &body, &parts)? {
                        return Ok(self.refuse_snapshot(request, body.space, &refused.to_string())?);
                    }
                    began = true;
                }
                Ok(accepted) => {
                    self.keep_entry(&mut stage, item, &accepted)?;
                    self.keep_statement(&mut stage, item, &accepted)?;
                    self.take_account_key(&mut stage, &follower, item);
                    match self.take(&mut stage, &follower, accepted, &mut arrivals) {
                        Err(ExchangeError::RolledBack) => return Err(self.is_rolled_back()?),
                        taken => taken?,
                    }
                }
                Err(refused) => match item {
                    // Somebody who was here before is let in again: from the start, the snapshot can be taken.
                    Item::Snapshot { .. }
                        if refused == FollowError::SnapshotBeyond && !request.over_pruned() =>
                    {
                        return Err(refused.into());
                    }
                    Item::Snapshot { snapshot, .. } => {
                        let space = snapshot.space();
                        return Ok(self.refuse_snapshot(request, space, &refused.to_string())?);
                    }
                    _ => return Err(refused.into()),
                },
            }
        }
        self.sign_again(&mut stage, &mut follower, gave_way);
        follower.advance(response.cursor);
        let all_shown = response.more
            || self.is_older_copy()
            || self.is_reading_again()?
            || follower.missing().is_empty();
        if !holds("missing", all_shown) {
            // A membership entry stands behind envelopes that were not shown, and nothing more is to come.
            return Err(FollowError::Withheld.into());
        }
        let envelopes = arrivals.len();
        let again = self.aside_again(&mut stage, &follower)?;
        self.note_snapshots(&mut stage, &follower, request, response)?;
        self.note_whole(&mut stage, &follower, response)?;
        self.note_read_again(&mut stage, response.more)?;
        let changed = !response.items.is_empty()
            || response.receipts.is_some()
            || !stage.spaces.is_empty()
            || !stage.deletes.is_empty()
            || !again.is_empty();
        arrivals.extend(again);
        stage.follower = Some(follower);
        self.sign_space_entries_again(&mut stage, gave_way_in_spaces)?;
        for note in std::mem::take(&mut stage.notes) {
            self.take_account_note(&mut stage, &note);
        }
        arrivals.append(&mut stage.again);
        if !response.more && self.is_reading_again()? {
            self.stage_waiting(&mut stage)?;
        }
        self.stage_arrivals(&mut stage, arrivals)?;
        let resealed = self.stage_resealed(&mut stage)? || response.more;
        if changed {
            let now = self.now_ms().to_be_bytes().to_vec();
            stage.puts.push((Table::Setting, b"last-exchange".to_vec(), now));
            // The next statement signs for these envelopes: before it does, they must outlast losing power.
            let durability = if envelopes > 0 || began { Durability::Full } else { Durability::Normal };
            self.commit(stage, durability)?;
        }
        self.note_handed(request, response);
        let refused_entries = self.refused_entries(request, response, rebasing);
        let in_full = self.note_unknown_bases(request, response);
        let refused = refused_entries.or_else(|| self.refused_push(request, response, resealed, in_full));
        let mut exchanged = self.go_on(request, response, envelopes, changed, refused);
        if let Ok(went) = &mut exchanged {
            went.more |= in_full;
        }
        // A refusal is an answer, and the next exchange goes on from it.
        self.exchanging.answered = exchanged.as_ref().map_or(true, |exchanged| exchanged.more);
        exchanged
    }

    /// What follows an answer that was taken, and that `changed` something here or did not.
    fn go_on(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
        envelopes: usize,
        changed: bool,
        refused: Option<RefusalCode>,
    ) -> Result<Exchanged, ExchangeError> {
        self.caught_up = !response.more;
        self.exchanging.heard |= !response.more;
        // What cannot begin now is tried again with the next answer: it may never keep one from being taken.
        let begun = self.begin_successors();
        self.note_waits(Waits::Beginning, &begun);
        if changed && !response.more {
            self.erasures_due = true;
        }
        if !response.more {
            self.rotate_if_owed()?;
            // An end that cannot be signed now is signed later: it may never keep an answer from being taken.
            let ended = self.exchanging.asked_on.map_or(Ok(()), |asked_on| self.end_expired(asked_on));
            self.note_waits(Waits::End, &ended);
            if !self.is_older_copy() && !self.is_reading_again()? && !self.follower.is_removed() {
                self.make_owed_cuts()?;
                // One that cannot be signed is tried again with the next answer: it may never keep one from being taken.
                let upheld = self.uphold_lost();
                self.note_unhanded(&upheld);
                let cut = self.cut_to_hand_over();
                self.note_unhanded(&cut);
                if refused.is_none() && self.leave_a_gap()? {
                    return Err(ExchangeError::RolledBack);
                }
            }
            if self.begin_anew()? || self.begin_from_latest()? {
                return Ok(Exchanged { envelopes, more: true });
            }
        }
        self.take_to_verify(request, response)?;
        if self.is_older_copy() && !response.more {
            return self.end_older_copy(envelopes);
        }
        if let Some(code) = refused.filter(|_| !is_out("refusal-said")) {
            // Another envelope stands there under a number of this device's chain: it shows itself, or it was a lie.
            if code == RefusalCode::ChainFork && !self.is_older_copy() {
                return Err(self.is_rolled_back()?);
            }
            return Err(ExchangeError::Refused(code));
        }
        let more = response.more || self.has_something_to_say();
        Ok(Exchanged { envelopes, more })
    }

    pub(crate) fn take(
        &mut self,
        stage: &mut Stage,
        follower: &Follower,
        accepted: Accepted,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<(), ExchangeError> {
        match accepted {
            Accepted::Known
            | Accepted::Snapshot { .. }
            | Accepted::Unexpected
            | Accepted::OtherAccount { .. } => {}
            Accepted::SnapshotStored { space, space_seq } => {
                if follower.aside().any(|aside| aside == space) {
                    self.note_another(stage, space, space_seq)?;
                }
                self.note_snapshot(stage, space, space_seq);
            }
            Accepted::Account => stage.topics.push(Topic::Devices),
            Accepted::Space { space, own, entry, .. } => {
                self.take_space_entry(stage, follower, &TakenEntry { space, own, entry: &entry })?;
            }
            Accepted::Envelopes { chain, envelopes, void, .. } if self.is_lost_chain(&chain) => {
                self.take_lost(stage, &chain, envelopes, &void)?;
            }
            Accepted::Envelopes { chain, .. } if chain == self.own_chain(chain.space) => {
                // To this incarnation its own links are stated only: whatever comes, it is judged as that.
                self.take_own(stage, &chain, follower.chain_head(&chain))?;
            }
            Accepted::Envelopes { chain, envelopes, .. } => {
                let now = self.now_ms().to_be_bytes().to_vec();
                stage.puts.push((Table::Setting, format!("heard-{}", chain.device).into_bytes(), now));
                self.note_came(stage, &chain, envelopes.iter().map(|(envelope, _)| envelope))?;
                let outside = !self.may_write_by_terms(stage, follower, &chain);
                for (envelope, bytes) in envelopes {
                    if outside {
                        keep_void(stage, &envelope, &bytes);
                    } else {
                        arrivals.push(Arrival { envelope, bytes, kept: false });
                    }
                }
            }
            Accepted::Acknowledged { by, .. } => {
                let now = self.now_ms().to_be_bytes().to_vec();
                stage.puts.push((Table::Setting, format!("heard-{by}").into_bytes(), now));
            }
            Accepted::Own { chain, head } => self.take_own(stage, &chain, head)?,
        }
        Ok(())
    }

    /// Whether a snapshot ends the own chain elsewhere than this vault does; if not, what it covers of the chain is confirmed.
    fn is_elsewhere(&self, stage: &mut Stage, body: &SnapshotBody) -> Result<bool, ExchangeError> {
        let own = self.own_chain(body.space);
        let name = (own.device, own.incarnation);
        let folded = body.chains.iter().find(|chain| (chain.device, chain.incarnation) == name);
        let Some(folded) = folded.filter(|_| !self.is_older_copy()) else { return Ok(false) };
        match self.take_own(stage, &own, folded.head) {
            Err(ExchangeError::RolledBack) => Ok(true),
            taken => taken.map(|()| false),
        }
    }

    /// A snapshot is not believed. Where it only saved the way, its envelopes are fetched instead; where it stands for envelopes that
    /// are gone, its space is passed over.
    fn refuse_snapshot(
        &mut self,
        request: &SyncRequest,
        space: SpaceId,
        reason: &str,
    ) -> Result<Exchanged, SessionError> {
        if request.from_snapshots {
            return self.go_without_snapshots(reason);
        }
        self.set_aside(space, reason)?;
        Ok(Exchanged { envelopes: 0, more: true })
    }

    /// Reads everything again from the latest snapshots, if there is a new one of a space that is passed over.
    fn begin_from_latest(&mut self) -> Result<bool, SessionError> {
        if self.setting("from-latest")?.is_none() || self.is_reading_again()? {
            return Ok(false);
        }
        self.begin_again()
    }

    /// Notes that the server has another version of an own chain.
    fn is_rolled_back(&mut self) -> Result<ExchangeError, SessionError> {
        self.note_older_copy()?;
        Ok(ExchangeError::RolledBack)
    }

    /// Begins the new incarnation of an older copy, now that everything was shown.
    fn end_older_copy(&mut self, envelopes: usize) -> Result<Exchanged, ExchangeError> {
        if self.begin_new_life()? {
            return Ok(Exchanged { envelopes, more: true });
        }
        Err(ExchangeError::Refused(RefusalCode::ChainFork))
    }

    /// How far the server has shown what it holds: its cursor, and the links of this device that it has shown, with the entries of
    /// logs.
    pub fn shown_so_far(&self) -> (u64, u64) {
        let entries = self.follower.stored_account_entries();
        let own = self.spaces.values().map(|state| {
            let links = self.follower.chain_head(&self.own_chain(state.space)).envelope_seq;
            links + self.follower.stored_space_entries(state.space)
        });
        (self.follower.cursor(), entries + own.sum::<u64>())
    }

    /// How many things were put aside.
    pub fn quarantined(&self) -> u32 {
        let aside = self.vault.names(Table::Quarantine).map_or(0, |names| names.len());
        u32::try_from(aside).unwrap_or(u32::MAX)
    }

    /// When an exchange last brought or took something, ms since the epoch; 0 never.
    pub(crate) fn last_exchange_ms(&self) -> i64 {
        let stored = self.setting("last-exchange").ok().flatten();
        stored.and_then(|body| Some(i64::from_be_bytes(body.try_into().ok()?))).unwrap_or(0)
    }

    /// An exchange begins: what the server has may be other than what was seen with the last one.
    pub(crate) fn begin_exchange(&mut self) {
        (self.exchanging.heard, self.exchanging.answered) = (false, false);
    }
}

/// Puts something aside that could not be checked or read: it is kept, counted and said, and stops nothing else.
pub(crate) fn quarantine(stage: &mut Stage, reason: &str, id: &[u8], bytes: &[u8]) {
    let name = [reason.as_bytes(), b"/", id].concat();
    // It may just have been looked at again.
    stage.deletes.retain(|(table, gone)| *table != Table::Quarantine || *gone != name);
    stage.puts.push((Table::Quarantine, name, bytes.to_vec()));
    stage.topics.push(Topic::Sync);
}

/// Groups arrivals by document, in order.
pub(crate) fn by_document(arrivals: Vec<Arrival>) -> BTreeMap<DocumentId, Vec<Arrival>> {
    let mut groups: BTreeMap<DocumentId, Vec<Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        groups.entry(arrival.envelope.place().document).or_default().push(arrival);
    }
    groups
}
