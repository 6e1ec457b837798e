//! What a membership log says about the past: who was what and when, which epoch an entry stands in, and what is void.

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId};
use minicbor::{Decode, Encode};

use super::{Cut, Role, SpaceLog};
use crate::chain::Chain;
use crate::codec;
use crate::limits::MAX_CUTS;

/// One time of somebody in one role. A higher role ends one stay and begins the next; so does coming back after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Stay {
    /// Who.
    #[n(0)]
    pub account: AccountId,
    /// As which account: see [`super::Member::genesis`].
    #[n(1)]
    pub genesis: Option<Hash32>,
    /// What they might do.
    #[n(2)]
    pub role: Role,
    /// Number of the entry from which on.
    #[n(3)]
    pub since: u64,
    /// Number of the entry that ended it; none while it lasts.
    #[n(4)]
    pub until: Option<u64>,
}

/// The cuts of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CutSet {
    /// Number of the entry.
    #[n(0)]
    pub entry: u64,
    /// Whose chains they are.
    #[n(1)]
    pub account: AccountId,
    /// Whether the account's stay ended with it: then chains that are not named count nothing.
    #[n(2)]
    pub ended: bool,
    /// Ascending by device and incarnation.
    #[cbor(n(3), decode_with = "codec::list::<MAX_CUTS, _, _>")]
    pub cuts: Vec<Cut>,
}

/// What an entry makes void of one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Void {
    /// The chain.
    pub chain: Chain,
    /// The last `envelope_seq` that counts.
    pub after: u64,
    /// Only envelopes that name an entry of the membership log before this one: who came back writes on along the same chain.
    pub before_entry: u64,
}

impl CutSet {
    /// The last `envelope_seq` of a chain that counts by these cuts; none if they do not concern it.
    fn last(&self, device: DeviceId, incarnation: IncarnationId) -> Option<u64> {
        let named = self.cuts.iter().find(|cut| cut.device == device && cut.incarnation == incarnation);
        let concerned = self.ended || self.cuts.iter().any(|cut| cut.device == device);
        named.map(|cut| cut.envelope_seq).or(concerned.then_some(0))
    }

    /// Entries from which on envelopes are not concerned. A removed device never comes back.
    fn before_entry(&self) -> u64 {
        if self.ended { self.entry } else { u64::MAX }
    }
}

impl SpaceLog {
    /// What `account` might do as of entry `seq`. What it wrote then counts unless a cut says otherwise
    /// ([`SpaceLog::is_void`]).
    pub fn role_at(&self, account: AccountId, seq: u64) -> Option<Role> {
        let there = self.members.iter().find(|m| m.account == account && m.since <= seq).map(|m| m.role);
        there.or_else(|| {
            let in_it = |stay: &&Stay| {
                stay.account == account && stay.since <= seq && stay.until.is_none_or(|until| seq < until)
            };
            self.later.iter().flat_map(|later| &later.ended).find(in_it).map(|stay| stay.role)
        })
    }

    /// Every stay of every account, the ended ones first.
    pub fn stays(&self) -> impl Iterator<Item = Stay> + '_ {
        let present = self.members.iter().map(|m| Stay {
            account: m.account,
            genesis: m.genesis,
            role: m.role,
            since: m.since,
            until: None,
        });
        self.later.iter().flat_map(|later| &later.ended).copied().chain(present)
    }

    /// Every account that was ever a member, each once, in the order of their ids.
    pub fn ever_members(&self) -> Vec<AccountId> {
        let mut accounts: Vec<_> = self.stays().map(|stay| stay.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Whether `account` was ever a member.
    pub fn ever(&self, account: AccountId) -> bool {
        self.stays().any(|stay| stay.account == account)
    }

    /// Hash of the first entry of an account's log, as a grant pinned it. None for the owner, and for who was never granted
    /// anything.
    pub fn genesis_of(&self, account: AccountId) -> Option<Hash32> {
        self.stays().find(|stay| stay.account == account).and_then(|stay| stay.genesis)
    }

    /// Number of the entry that ended the last stay of an account; none if it never was a member, or is one.
    pub fn ended(&self, account: AccountId) -> Option<u64> {
        if self.role(account).is_some() {
            return None;
        }
        let ended = self.later.iter().flat_map(|later| &later.ended);
        ended.filter(|stay| stay.account == account).filter_map(|stay| stay.until).max()
    }

    /// The epoch that was current after entry `seq`.
    pub fn epoch_at(&self, seq: u64) -> u32 {
        let begun = self.later.as_ref().map_or(0, |later| later.epochs.partition_point(|at| *at <= seq));
        u32::try_from(begun).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Number of the entry that began the current epoch.
    pub fn epoch_since(&self) -> u64 {
        self.later.as_ref().and_then(|later| later.epochs.last().copied()).unwrap_or(1)
    }

    /// Whether somebody left in the current epoch: nobody writes until there is a new one.
    pub fn is_stale(&self) -> bool {
        self.is_stale_at(self.entries())
    }

    /// Whether, as of entry `seq`, somebody had left in the epoch that was current then.
    pub fn is_stale_at(&self, seq: u64) -> bool {
        let Some(later) = &self.later else { return false };
        let begun = later.epochs.partition_point(|at| *at <= seq);
        let since = begun.checked_sub(1).and_then(|last| later.epochs.get(last)).copied().unwrap_or(1);
        later.leaves.iter().any(|left| (since..=seq).contains(left))
    }

    /// Whether an envelope of `account` counts for nothing: it lies beyond a cut. `membership_seq` is the number of the entry
    /// that it was written under.
    pub fn is_void(
        &self,
        account: AccountId,
        (device, incarnation): (DeviceId, IncarnationId),
        envelope_seq: u64,
        membership_seq: u64,
    ) -> bool {
        self.cut_sets().iter().any(|set| {
            set.account == account
                && membership_seq < set.before_entry()
                && set.last(device, incarnation).is_some_and(|last| envelope_seq > last)
        })
    }

    /// Whether a cut decides of an envelope of `account`: what counts of its chain is settled then, whenever it comes.
    pub fn is_judged(
        &self,
        account: AccountId,
        (device, incarnation): (DeviceId, IncarnationId),
        membership_seq: u64,
    ) -> bool {
        self.cut_sets().iter().any(|set| {
            set.account == account
                && membership_seq < set.before_entry()
                && set.last(device, incarnation).is_some()
        })
    }

    /// The furthest link of a chain of `account` that a cut names; 0 if none does.
    pub fn furthest_cut(&self, account: AccountId, name: (DeviceId, IncarnationId)) -> u64 {
        self.cuts_of(account, name).map(|(_, cut)| cut.envelope_seq).max().unwrap_or(0)
    }

    /// The cuts that name a chain of `account`, each with the entry from which on envelopes are not concerned.
    pub(crate) fn cuts_of(
        &self,
        account: AccountId,
        (device, incarnation): (DeviceId, IncarnationId),
    ) -> impl Iterator<Item = (u64, &Cut)> {
        let sets = self.cut_sets().iter().filter(move |set| set.account == account);
        let of_chain = move |cut: &&Cut| (cut.device, cut.incarnation) == (device, incarnation);
        sets.flat_map(move |set| set.cuts.iter().filter(of_chain).map(|cut| (set.before_entry(), cut)))
    }

    /// What the last entry makes void of a chain of `account` that stands at `envelope_seq`; none if nothing.
    pub fn voided_by_last(&self, account: AccountId, chain: &Chain, envelope_seq: u64) -> Option<Void> {
        let set = self.cut_sets().last()?;
        if set.entry != self.entries() || set.account != account {
            return None;
        }
        let after = set.last(chain.device, chain.incarnation)?;
        (envelope_seq > after).then_some(Void { chain: *chain, after, before_entry: set.before_entry() })
    }

    /// Every cut of the log, by entry.
    pub fn cut_sets(&self) -> &[CutSet] {
        self.later.as_ref().map_or(&[], |later| &later.cuts)
    }
}
