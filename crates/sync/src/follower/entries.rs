//! Entries of membership logs: those that the relay shows, and own ones that it does not have yet.

use std::collections::BTreeMap;

use mecum_seal::{AccountId, DeviceId, IncarnationId, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use super::{Accepted, FollowError, Followed, Follower};
use crate::account_log::{AccountLog, KnownDevice};
use crate::chain::{Chain, ChainHead};
use crate::controls::{holds, is_out};
use crate::frames::Push;
use crate::limits::MAX_UNSTORED_ENTRIES;
use crate::receipt::Countersign;
use crate::signed::Signed;
use crate::space_log::{SpaceEntry, SpaceLog, SpaceLogError, Void};
use crate::statement::Statement;

/// Where a device's part in a space ended when it was removed from its account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Closed {
    /// Entries of the membership log by then.
    #[n(0)]
    entries: u64,
    /// The last `envelope_seq` of each of its chains by then.
    #[n(1)]
    chains: BTreeMap<IncarnationId, u64>,
    /// Everything is read again: the relay may have lost the removal, and links of the device may come before it. None, and so no
    /// bytes, elsewhere.
    #[n(2)]
    again: Option<bool>,
}

/// What a space is followed with once its log has more than its genesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Later {
    /// The `space_seq` before the last entry, as the relay placed it: so much is to be shown.
    #[n(0)]
    owed: u64,
    /// Devices that were removed while this space was followed. The relay shows what they do after that to nobody.
    #[n(1)]
    closed: BTreeMap<DeviceId, Closed>,
    /// The log as it was before each own entry that the relay has not shown.
    #[n(2)]
    before: Vec<SpaceLog>,
}

impl Follower {
    /// Takes in an own entry of a space's membership log before the relay has it: the log must be at its `previous`. Answers
    /// what it makes void of what is here. The relay may take another entry first (`stale_head`, or the answer shows another
    /// entry in its place): then [`Follower::take_back_space_entry`], and sign again.
    pub fn add_own_space_entry(&mut self, entry: &Signed<SpaceEntry>) -> Result<Vec<Void>, FollowError> {
        let unverified = entry.unverified();
        if unverified.account != self.account || unverified.device != self.device {
            return Err(FollowError::UnknownDevice);
        }
        let (next, void) = self.next_log(entry)?;
        let followed = self.spaces.get_mut(&unverified.space).ok_or(FollowError::UnknownSpace)?;
        let before = std::mem::replace(&mut followed.log, next);
        let undo = &mut followed.later.get_or_insert_default().before;
        if undo.len() >= MAX_UNSTORED_ENTRIES {
            followed.log = before;
            return Err(FollowError::SpaceLog(SpaceLogError::Full));
        }
        undo.push(before);
        Ok(void)
    }

    /// Takes back a log's last entry, an own one that the relay has not shown: to be signed again on another head, or given up.
    /// On an error nothing is changed.
    pub fn take_back_space_entry(&mut self, entry: &Signed<SpaceEntry>) -> Result<(), FollowError> {
        let space = entry.unverified().space;
        let followed = self.spaces.get_mut(&space).ok_or(FollowError::UnknownSpace)?;
        if followed.log.entries() <= followed.ever_confirmed() || followed.log.head() != entry.hash() {
            return Err(FollowError::Fork);
        }
        let before = followed.later.as_mut().and_then(|later| later.before.pop());
        followed.log = before.ok_or(FollowError::Fork)?;
        Ok(())
    }

    /// Whether an envelope counts for nothing: it lies beyond a cut of its space's log. `membership_seq` is the number of the
    /// entry that it was written under.
    pub fn is_void(&self, chain: &Chain, envelope_seq: u64, membership_seq: u64) -> bool {
        let Some((log, account)) = self.space_log(chain.space).zip(self.account_of(chain.device)) else {
            return false;
        };
        !is_out("void")
            && log.is_void(account, (chain.device, chain.incarnation), envelope_seq, membership_seq)
    }

    /// Spaces of which the relay has placed a membership entry behind envelopes that it has not shown. After a whole pull (no
    /// `more`) there are none, unless something is withheld. A space in which this account's stay ended is not named: what
    /// came before the end is no longer shown; nor is one that is passed over ([`Follower::set_aside`]): nothing of it is asked for.
    pub fn missing(&self) -> Vec<SpaceId> {
        let owes = |followed: &Followed| {
            followed.later.as_ref().is_some_and(|later| later.owed >= followed.next_space_seq)
                && followed.log.role(self.account).is_some()
                && (followed.aside.is_none() || is_out("aside-owes"))
        };
        self.spaces.iter().filter(|(_, followed)| owes(followed)).map(|(space, _)| *space).collect()
    }

    /// An entry beyond the end of a log that is followed.
    pub(super) fn append_space_entry(
        &mut self,
        entry: &Signed<SpaceEntry>,
        placed: &Countersign,
    ) -> Result<Accepted, FollowError> {
        let unverified = entry.unverified();
        let (next, void) = self.next_log(entry)?;
        let followed = self.followed_mut(unverified.space)?;
        if followed.confirmed_entries.saturating_add(1) != unverified.seq {
            return Err(FollowError::Gap);
        }
        followed.log = next;
        followed.placed(unverified.seq, placed.space_seq);
        let entry = Box::new(unverified.clone());
        self.note_end(unverified.space);
        Ok(Accepted::Space { space: unverified.space, own: false, entry, void })
    }

    /// Should this account's stay have ended: from here on what is shown of the space is not what happened in it. Who is let in
    /// again reads what was missed, also from devices that were removed meanwhile.
    pub(super) fn note_end(&mut self, space: SpaceId) {
        if self.role(space).is_some() {
            return;
        }
        if let Some(others) = &mut self.others {
            others.settled.remove(&space);
        }
        if let Some(later) = self.spaces.get_mut(&space).and_then(|followed| followed.later.as_mut()) {
            later.closed.clear();
        }
    }

    /// The log with `entry` behind it, every rule checked, and what it makes void of the chains that are here.
    fn next_log(&self, entry: &Signed<SpaceEntry>) -> Result<(SpaceLog, Vec<Void>), FollowError> {
        let unverified = entry.unverified();
        let followed = self.spaces.get(&unverified.space).ok_or(FollowError::UnknownSpace)?;
        let signer = self.key_of(unverified.account, unverified.device)?;
        // What its account stands for counts whenever it comes.
        let log = self.log_of(unverified.account);
        let upheld = log.is_some_and(|log| log.signs(unverified.device, &entry.hash()).is_some());
        followed.check_open(unverified.device, |closed| upheld || unverified.seq <= closed.entries)?;
        let mut next = followed.log.clone();
        next.append(entry, &signer).map_err(FollowError::SpaceLog)?;
        let owner = |device: DeviceId| {
            self.known_device(device).map(|(account, known)| (account, known.removed.is_some()))
        };
        SpaceLog::check_cuts(unverified, owner).map_err(FollowError::SpaceLog)?;
        self.check_grant(&unverified.body)?;
        let void = self.voided(&next, unverified.space, followed)?;
        Ok((next, void))
    }

    /// Whether the relay had shown, before its history is read again, that a device of the own account was removed. Whatever it had signed
    /// by then was shown before that, in its order.
    pub(super) fn was_removed_before(&self, entry: &SpaceEntry) -> bool {
        let known = self.account_log().filter(|log| log.account() == entry.account);
        let removed = known.and_then(|log| log.known(entry.device)).and_then(|known| known.removed);
        removed.is_some_and(|removed| removed <= self.ever_stored_account_entries())
    }

    /// What the last entry of `log` makes void of the chains that are here. A cut at the end of a chain must name its last link.
    fn voided(&self, log: &SpaceLog, space: SpaceId, followed: &Followed) -> Result<Vec<Void>, FollowError> {
        let mut void = Vec::new();
        let furthest = followed.furthest();
        for ((device, incarnation), head) in &furthest {
            let chain = Chain { device: *device, incarnation: *incarnation, space };
            let Some(account) = self.account_of(*device) else { continue };
            let voided = log.voided_by_last(account, &chain, head.envelope_seq);
            void.extend(voided.into_iter().filter(|_| !is_out("void")));
        }
        let last = log.cut_sets().last().filter(|set| set.entry == log.entries());
        for cut in last.iter().flat_map(|set| &set.cuts) {
            let head = furthest.get(&(cut.device, cut.incarnation));
            if head.is_some_and(|head| head.envelope_seq == cut.envelope_seq && head.hash != cut.hash) {
                return Err(FollowError::SpaceLog(SpaceLogError::BadCuts));
            }
        }
        Ok(void)
    }

    /// Who pushes in a space, by their device, and the key that their statements are under.
    pub(super) fn writer(
        &self,
        followed: &Followed,
        statement: &Statement,
    ) -> Result<(AccountId, VerifyingKey), FollowError> {
        let somebody = || {
            let card = self.account_log()?.devices().first().filter(|_| is_out("writer-known"))?;
            Some((self.account, KnownDevice { card, removed: None }))
        };
        let known = self.known_device(statement.device).or_else(somebody);
        let (account, known) = known.ok_or(FollowError::UnknownDevice)?;
        if !holds("writer-member", followed.log.ever(account)) {
            return Err(FollowError::UnknownDevice);
        }
        Ok((account, known.card.signing))
    }

    /// What a device says of a chain after it was removed counts nothing, but for links on the way to a cut that names the chain: then
    /// it may be somebody else who hands them to a relay that had lost them.
    pub(super) fn check_push_open(
        followed: &Followed,
        account: AccountId,
        push: &Push,
        head: ChainHead,
    ) -> Result<(), FollowError> {
        let statement = push.statement.unverified();
        let open = followed.check_open(statement.device, |closed| {
            let last = closed.chains.get(&statement.incarnation).copied().unwrap_or(0);
            closed.again.is_some() || statement.envelope_seq <= last
        });
        open.or_else(|error| {
            let name = (statement.device, statement.incarnation);
            let on_the_way = head.envelope_seq < followed.log.furthest_cut(account, name)
                || statement.envelope_seq <= head.envelope_seq;
            if on_the_way && !push.envelopes.is_empty() { Ok(()) } else { Err(error) }
        })
    }

    /// Devices that entry `seq` of an account's log removed have nothing more to say in the spaces that are followed here. What
    /// they said before goes on counting, unless a cut says otherwise. Of another account only where the order in which things
    /// come is that in which they happened; elsewhere a cut closes the device's chains.
    pub(super) fn close_removed(&mut self, log: &AccountLog, seq: u64) {
        let gone = log.removed().iter().filter(|gone| gone.removed == seq);
        let gone: Vec<_> = gone.map(|gone| gone.card.device).collect();
        let settled = self.others.as_ref().map(|others| &others.settled);
        let own = log.account() == self.account;
        for (space, followed) in &mut self.spaces {
            // Who is let in again reads only then what was missed.
            let there = followed.log.role(self.account).is_some();
            let in_order = there && (own || settled.is_some_and(|settled| settled.contains(space)));
            // Also where the space has not been shown again yet: beyond what is held of it the device says nothing.
            let shown = followed.confirmed_entries > 0 || followed.held.is_some();
            if !in_order || !shown || !followed.log.ever(log.account()) {
                continue;
            }
            for device in &gone {
                followed.close(*device);
            }
        }
    }
}

impl Followed {
    /// Everything is read again: links of the own account's removed devices may come before their removal. Of entries nothing new is taken
    /// from them: each that was in order is held here.
    pub(super) fn reopen(&mut self, own: impl Fn(DeviceId) -> bool) {
        let closed = self.later.iter_mut().flat_map(|later| &mut later.closed);
        for (_, closed) in closed.filter(|(device, _)| own(**device)) {
            closed.again = Some(true);
        }
    }

    /// Notes that the relay has shown entry `seq`, behind `space_seq`.
    pub(super) fn placed(&mut self, seq: u64, space_seq: u64) {
        self.confirmed_entries = seq;
        if space_seq > 0 || self.later.is_some() {
            self.later.get_or_insert_default().owed = space_seq;
        }
        if let Some(later) = &mut self.later {
            // What the relay has shown cannot be taken back.
            later.before.retain(|log| log.entries() >= seq);
        }
    }

    fn check_open(&self, device: DeviceId, is_before: impl Fn(&Closed) -> bool) -> Result<(), FollowError> {
        let closed = self.later.as_ref().and_then(|later| later.closed.get(&device));
        if holds("removed-device", closed.is_none_or(is_before)) {
            Ok(())
        } else {
            Err(FollowError::RemovedDevice)
        }
    }

    fn close(&mut self, device: DeviceId) {
        let mut chains: BTreeMap<IncarnationId, u64> = BTreeMap::new();
        let held = self.held.iter().flat_map(|held| &held.heads);
        for ((of, incarnation), head) in self.heads.iter().chain(held) {
            if *of == device {
                let last = chains.entry(*incarnation).or_default();
                *last = head.envelope_seq.max(*last);
            }
        }
        let entries = self.log.entries();
        let closed = &mut self.later.get_or_insert_default().closed;
        let known =
            closed.entry(device).or_insert(Closed { entries, chains: BTreeMap::new(), again: Some(true) });
        if known.again.take().is_some() {
            known.chains = chains;
        }
    }
}
