//! Entries of a space's membership log as the server shows them: who came, who went, and the keys that come with it.

use mecum_api::Topic;
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, EpochKey, Hash32, SpaceId, derive_key, open_row};
use mecum_sync::{Follower, NewEpoch, SpaceBody, SpaceEntry, SpaceLog, Why, Wrap};

use super::shared_chart_name;
use super::terms::Terms;
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::plaintext::SpaceLabel;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// An entry that the follower has verified and taken in.
pub(crate) struct TakenEntry<'a> {
    pub(crate) space: SpaceId,
    /// This device had made it.
    pub(crate) own: bool,
    pub(crate) entry: &'a SpaceEntry,
}

impl Session {
    /// Takes in what an entry says.
    pub(crate) fn take_space_entry(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        taken: &TakenEntry<'_>,
    ) -> Result<(), SessionError> {
        let TakenEntry { space, own, entry } = *taken;
        stage.topics.push(Topic::Charts);
        if own {
            let mut state = self.staged_space(stage, space)?;
            state.unsent_genesis = None;
            stage.spaces.insert(space, state);
            // From here on it is in force.
            return self.stage_cut(stage, follower, space, entry.seq);
        }
        let me = self.identity.account;
        match &entry.body {
            SpaceBody::Genesis { .. } => {
                self.take_genesis(stage, follower, entry);
                return Ok(());
            }
            SpaceBody::Grant { member, wraps, .. } if *member == me => {
                return self.take_own_grant(stage, follower, entry, wraps);
            }
            _ => {}
        }
        // Of a space that this account holds no key of, there is nothing to keep beside the entry itself.
        let Ok(mut state) = self.staged_space(stage, space) else { return Ok(()) };
        state.membership = follower.space_log(space).map_or(Hash32::ZERO, SpaceLog::head);
        stage.spaces.insert(space, state.clone());
        match &entry.body {
            SpaceBody::Remove { member, .. } => self.stage_member_ended(stage, space, *member),
            SpaceBody::Leave { .. } => self.stage_member_ended(stage, space, entry.account),
            _ => {}
        }
        match &entry.body {
            SpaceBody::Grant { member, sealed_terms, .. } => {
                if let Some(terms) = Terms::open(&state.key, space, *member, sealed_terms) {
                    self.stage_member(stage, space, *member, terms);
                }
            }
            SpaceBody::Remove { member, why, .. } if *member == me => {
                state.ended = Some(*why);
                stage.spaces.insert(space, state);
            }
            SpaceBody::Leave { .. } if entry.account == me => {
                state.ended = Some(Why::Left);
                stage.spaces.insert(space, state);
            }
            SpaceBody::Remove { next, .. } | SpaceBody::Epoch { next, .. } => {
                self.take_epoch(stage, follower, entry, next)?;
            }
            SpaceBody::Genesis { .. } | SpaceBody::Leave { .. } | SpaceBody::Replace { .. } => {}
        }
        self.stage_cut(stage, follower, space, entry.seq)
    }

    fn take_epoch(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        entry: &SpaceEntry,
        next: &NewEpoch,
    ) -> Result<(), SessionError> {
        let space = entry.space;
        let Some(key) = self.unwrap_epoch(space, next.epoch, &next.wraps) else {
            quarantine(stage, "epoch", space.as_bytes(), &[]);
            return Ok(());
        };
        self.stage_begun(stage, space, next.epoch, key)?;
        // An epoch of this account cuts the devices that it had removed. One that was removed meanwhile may hold what the epoch was
        // wrapped to: only the newest key shuts it out.
        let cuts = entry.account == self.identity.account && matches!(entry.body, SpaceBody::Epoch { .. });
        let newest = follower.account_log().filter(|log| cuts && !log.rotation_due());
        if let Some(log) = newest.filter(|log| self.is_wrapped_to(log.account_kem(), space, next)) {
            let mut state = self.staged_space(stage, space)?;
            state.removed_devices = log.removed().len() as u64;
            stage.spaces.insert(space, state);
        }
        Ok(())
    }

    /// How many devices this account has removed.
    pub(crate) fn removed_devices(&self) -> u64 {
        self.follower.account_log().map_or(0, |log| log.removed().len() as u64)
    }

    /// A space that another device of the account founded; or one of another account, whose grant comes after.
    fn take_genesis(&self, stage: &mut Stage, follower: &Follower, entry: &SpaceEntry) {
        if entry.account != self.identity.account {
            return;
        }
        let SpaceBody::Genesis { epoch, wraps, .. } = &entry.body else { return };
        let opened = self
            .unwrap_epoch(entry.space, *epoch, wraps)
            .and_then(|key| state_of_space(entry, follower, vec![(*epoch, key)]));
        match opened {
            Some(state) => {
                stage.spaces.insert(entry.space, state);
            }
            None => quarantine(stage, "space", entry.space.as_bytes(), &[]),
        }
    }

    /// This account was let in, or its role was raised.
    fn take_own_grant(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        entry: &SpaceEntry,
        wraps: &[Wrap],
    ) -> Result<(), SessionError> {
        let space = entry.space;
        let log = follower.space_log(space).ok_or(SessionError::Stored { what: "space log" })?;
        let epoch = log.epoch_at(entry.seq);
        let genesis = self.kept_entry(stage, space, 1)?;
        let keys = match self.unwrap_epoch(space, epoch, wraps) {
            Some(key) => self.keys_back_from(stage, space, entry.seq, (epoch, key))?,
            None => Vec::new(),
        };
        let Some((_, current)) = keys.first() else {
            quarantine(stage, "space", space.as_bytes(), &[]);
            return Ok(());
        };
        let SpaceBody::Grant { sealed_terms, member, .. } = &entry.body else { return Ok(()) };
        let terms = Terms::open(current, space, *member, sealed_terms);
        let known = self.staged_space(stage, space).ok();
        let Some(mut state) = genesis.and_then(|genesis| state_of_space(&genesis, follower, keys)) else {
            quarantine(stage, "space", space.as_bytes(), &[]);
            return Ok(());
        };
        if let Some(known) = known {
            // Back after an end: the own chain goes on where it was.
            state = SpaceState {
                own_seq: known.own_seq,
                own_last: known.own_last,
                own_membership: known.own_membership,
                ..state
            };
        }
        let owner = log.owner();
        if let Some(terms) = terms {
            Self::stage_person_name(stage, entry.account, &terms.by);
            self.stage_member(stage, space, *member, terms);
        }
        self.stage_shared_chart(stage, state.chart, owner);
        stage.spaces.insert(space, state);
        Ok(())
    }

    /// Whose chart it is, as the invitation named it.
    fn stage_shared_chart(&self, stage: &mut Stage, chart: ChartId, owner: AccountId) {
        if owner == self.identity.account || self.shared_chart(chart).is_some() {
            return;
        }
        let shared = super::SharedChart {
            owner,
            by: self.person_name(owner).unwrap_or_default(),
            name: String::new(),
        };
        let body = minicbor::to_vec(&shared).expect("plain fields encode");
        stage.puts.push((mecum_vault::Table::Account, shared_chart_name(chart), body));
    }
}

/// What a device begins to keep of a space, with the keys that it has: the current one first.
fn state_of_space(
    genesis: &SpaceEntry,
    follower: &Follower,
    keys: Vec<(u32, EpochKey)>,
) -> Option<SpaceState> {
    let SpaceBody::Genesis { owner, sealed_label, .. } = &genesis.body else { return None };
    let mut earlier = keys;
    let (epoch, key) = earlier.remove(0);
    let first = if epoch == 1 { &key } else { &earlier.iter().find(|(epoch, _)| *epoch == 1)?.1 };
    let label =
        open_row(&derive_key(first, "mecum space label v1"), genesis.space.as_bytes(), sealed_label).ok()?;
    let label: SpaceLabel = minicbor::decode(&label).ok()?;
    let section = Section::from_code(label.section)?;
    let sound = label.care.as_ref().is_none_or(|care| care.is_sound(*owner));
    if !sound || (section == Section::Care) != label.care.is_some() {
        return None;
    }
    let membership = follower.space_log(genesis.space).map_or(Hash32::ZERO, SpaceLog::head);
    Some(SpaceState {
        space: genesis.space,
        chart: ChartId::from_bytes(label.chart),
        section,
        key,
        epoch,
        earlier,
        ended: None,
        removed_devices: follower.account_log().map_or(0, |log| log.removed().len() as u64),
        membership,
        unsent_genesis: None,
        own_seq: 0,
        own_last: Hash32::ZERO,
        own_membership: membership,
        snapshot_seq: 0,
        care: label.care,
    })
}
