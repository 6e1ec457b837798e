//! Accounts of others: their logs, as far as a space is shared with them, and the spaces of others that this person accepted.
//!
//! Somebody else's log counts only if its first entry is the one that a grant pinned, or that the invitation to a space
//! named. What nobody here asked for is passed over: a stranger's grant can neither add a space nor stop an exchange.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{AccountId, DeviceId, Hash32, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use super::{Accepted, FollowError, Follower};
use crate::account_log::{AccountBody, AccountEntry, AccountLog, AccountLogError, KnownDevice};
use crate::controls::holds;
use crate::frames::Item;
use crate::limits::MAX_UNSTORED_ENTRIES;
use crate::signed::Signed;
use crate::space_log::{Role, SpaceBody};

/// Most accounts or spaces that are remembered as passed over.
const MAX_PASSED_OVER: usize = 65_536;

/// Who founded a space that this person accepted, as the invitation said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Expected {
    /// The account that founded it.
    #[n(0)]
    pub owner: AccountId,
    /// Hash of the first entry of that account's log.
    #[n(1)]
    pub genesis: Hash32,
}

/// What is known of others, and own entries that may be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Others {
    #[n(0)]
    logs: BTreeMap<AccountId, AccountLog>,
    #[n(1)]
    expected: BTreeMap<SpaceId, Expected>,
    /// Spaces and accounts that came and were not expected.
    #[n(2)]
    passed_spaces: BTreeSet<SpaceId>,
    #[n(3)]
    passed_accounts: BTreeSet<AccountId>,
    /// The own account's log as it was before each own entry that the relay has not shown, where the entry alone does not say.
    #[n(4)]
    before: Vec<AccountLog>,
    /// Spaces that were here, all of them, when a whole pull had last come to its end. What comes of others' accounts after
    /// that comes in its order; before, somebody who is let in reads their whole logs first.
    #[n(5)]
    pub(super) settled: BTreeSet<SpaceId>,
    /// Whether the last page was the end of a pull.
    #[n(6)]
    caught_up: bool,
}

impl Follower {
    /// Expects a space of somebody else's: the person accepted the invitation to it, which names its owner and the hash of the
    /// owner's first account entry. Says whether the relay had shown it before; then its history is read again from the
    /// start ([`Follower::start_over`]).
    ///
    /// # Errors
    /// The space or the owner is known here by another beginning.
    pub fn expect_space(
        &mut self,
        space: SpaceId,
        owner: AccountId,
        genesis: Hash32,
    ) -> Result<bool, FollowError> {
        let expected = Expected { owner, genesis };
        let known = match self.other_log(owner) {
            Some(log) => Some(log.genesis()),
            None if owner == self.account => Some(self.genesis),
            None => self.granted_genesis(owner),
        };
        let founded = self.spaces.get(&space).map(|followed| followed.log.owner());
        if known.is_some_and(|known| known != genesis) || founded.is_some_and(|founder| founder != owner) {
            return Err(FollowError::OtherGenesis);
        }
        let others = self.others_mut();
        others.expected.insert(space, expected);
        let space_passed = others.passed_spaces.remove(&space);
        let passed = others.passed_accounts.remove(&owner) || space_passed;
        if passed {
            self.start_over();
        }
        Ok(passed)
    }

    /// Expects a space no longer: the person changed their mind before it came. What is followed already goes on being followed.
    pub fn forget_expected(&mut self, space: SpaceId) {
        if let Some(others) = &mut self.others {
            others.expected.remove(&space);
        }
    }

    /// The spaces of others that this person accepted: another device of theirs must expect them too.
    pub fn expected(&self) -> impl Iterator<Item = (SpaceId, Expected)> + '_ {
        self.others.iter().flat_map(|others| &others.expected).map(|(space, expected)| (*space, *expected))
    }

    /// The log of another account that shares a space with this one.
    pub fn other_log(&self, account: AccountId) -> Option<&AccountLog> {
        self.others.as_ref()?.logs.get(&account)
    }

    /// The log of any account that is known here, the own one included.
    pub fn log_of(&self, account: AccountId) -> Option<&AccountLog> {
        if account == self.account { self.account_log() } else { self.other_log(account) }
    }

    /// The account that a device is of, live or removed.
    pub fn account_of(&self, device: DeviceId) -> Option<AccountId> {
        self.known_device(device).map(|(account, _)| account)
    }

    /// What this account may do in a space.
    pub fn role(&self, space: SpaceId) -> Option<Role> {
        self.space_log(space)?.role(self.account)
    }

    /// Whether this device is known, and not a live one of its account any more.
    pub fn is_removed(&self) -> bool {
        self.account_log().and_then(|log| log.known(self.device)).is_some_and(|known| known.removed.is_some())
    }

    /// Takes back the log's last entry, an own one of any kind that the relay has not shown; answers what it was to do, to be
    /// signed again on another head or given up. On an error nothing is changed.
    pub fn take_back_own_account_entry(
        &mut self,
        entry: &Signed<AccountEntry>,
    ) -> Result<AccountBody, FollowError> {
        let shown = self.ever_stored_account_entries();
        let log = self.account_log.as_ref().ok_or(FollowError::OtherGenesis)?;
        if log.entries() <= shown || entry.hash() != log.head() {
            return Err(FollowError::Fork);
        }
        let body = entry.unverified().body.clone();
        let before = self.others.as_ref().and_then(|others| others.before.last());
        if before.is_some_and(|before| before.entries().saturating_add(1) == log.entries()) {
            self.account_log = self.others_mut().before.pop();
            self.others.take_if(|others| *others == Others::default());
        } else {
            self.take_back_account_entry(entry)?;
        }
        Ok(body)
    }

    /// Remembers the own log as it is, before an own entry of a kind that cannot be undone from its bytes alone.
    pub(super) fn keep_before(&mut self, entry: &Signed<AccountEntry>) -> Result<(), FollowError> {
        if matches!(entry.unverified().body, AccountBody::AddDevice { .. }) {
            return Ok(());
        }
        let Some(log) = self.account_log.clone() else { return Ok(()) };
        let before = &mut self.others_mut().before;
        if before.len() >= MAX_UNSTORED_ENTRIES {
            return Err(FollowError::AccountLog(AccountLogError::Full));
        }
        before.push(log);
        Ok(())
    }

    /// A page comes, the last one of its pull or not.
    pub(super) fn turn_page(&mut self, more: bool) {
        let Some(others) = &mut self.others else { return };
        if others.caught_up {
            let here = self.spaces.iter().filter(|(_, followed)| followed.log.role(self.account).is_some());
            others.settled = here.map(|(space, _)| *space).collect();
        }
        others.caught_up = !more;
    }

    /// Everything is asked for again: nothing is settled.
    pub(super) fn unsettle(&mut self) {
        if let Some(others) = &mut self.others {
            others.settled.clear();
            others.caught_up = false;
        }
    }

    /// Forgets what can no longer be taken back: the relay has shown the own log so far.
    pub(super) fn shown_up_to(&mut self, seq: u64) {
        if let Some(others) = &mut self.others {
            others.before.retain(|log| log.entries() >= seq);
        }
    }

    /// Whether an item is of a space that was passed over.
    pub(super) fn is_passed_over(&self, item: &Item) -> bool {
        let space = match item {
            Item::AccountEntry(_) => return false,
            Item::SpaceEntry { entry, .. } => entry.unverified().space,
            Item::Batch { push, .. } => push.space(),
            Item::Own { statement, .. } => statement.unverified().space,
            Item::Snapshot { snapshot, .. } => snapshot.space(),
            Item::SnapshotStored { space, .. } => *space,
            Item::Confirmed(countersign) => countersign.unverified().space,
        };
        self.others.as_ref().is_some_and(|others| others.passed_spaces.contains(&space))
    }

    /// Whether a space's first entry is of somebody else's and was not expected, or of an account that is not the one which the
    /// invitation named; then it is remembered as passed over.
    pub(super) fn pass_over(&mut self, space: SpaceId, founder: AccountId) -> bool {
        let expected = self.others.as_ref().is_some_and(|others| {
            others.expected.get(&space).is_some_and(|expected| expected.owner == founder)
                && !others.passed_accounts.contains(&founder)
        });
        let wanted = holds("space-expected", founder == self.account || expected);
        if !wanted {
            self.pass_space(space);
        }
        !wanted
    }

    /// Remembers a space as passed over.
    pub(super) fn pass_space(&mut self, space: SpaceId) {
        let passed = &mut self.others_mut().passed_spaces;
        if passed.len() < MAX_PASSED_OVER {
            passed.insert(space);
        }
    }

    /// An entry of another account's log.
    pub(super) fn accept_other_account_entry(
        &mut self,
        entry: &Signed<AccountEntry>,
    ) -> Result<Accepted, FollowError> {
        let AccountEntry { account, seq, .. } = *entry.unverified();
        let next = match self.other_log(account) {
            Some(log) if seq <= log.entries() => {
                let other_end = seq == log.entries() && entry.hash() != log.head();
                let other_start = seq == 1 && entry.hash() != log.genesis();
                return if other_end || other_start { Err(FollowError::Fork) } else { Ok(Accepted::Known) };
            }
            Some(log) => {
                let mut next = log.clone();
                next.append(entry).map_err(FollowError::AccountLog)?;
                next
            }
            None => match self.found_other(account, entry)? {
                Some(next) => next,
                None => return Ok(Accepted::Unexpected),
            },
        };
        let taken = |device: DeviceId| self.account_of(device).is_some_and(|owner| owner != account);
        if next.devices().iter().any(|card| taken(card.device)) {
            return Err(FollowError::AccountLog(AccountLogError::DeviceTaken));
        }
        self.close_removed(&next, seq);
        self.others_mut().logs.insert(account, next);
        Ok(Accepted::OtherAccount { account })
    }

    /// Begins another account's log, if it is the one that was pinned. None if nobody here knows the account.
    fn found_other(
        &mut self,
        account: AccountId,
        entry: &Signed<AccountEntry>,
    ) -> Result<Option<AccountLog>, FollowError> {
        let granted = self.granted_genesis(account);
        let other = granted.is_some_and(|granted| entry.unverified().seq == 1 && granted != entry.hash());
        if !holds("other-genesis", !other) {
            return Err(FollowError::OtherGenesis);
        }
        let invited = self.expected().any(|(_, expected)| {
            expected.owner == account && (expected.genesis == entry.hash() || entry.unverified().seq > 1)
        });
        if !holds("other-expected", granted.is_some() || invited) {
            // Whoever the invitation really came from: it is not this account.
            let passed = &mut self.others_mut().passed_accounts;
            if passed.len() < MAX_PASSED_OVER {
                passed.insert(account);
            }
            return Ok(None);
        }
        if entry.unverified().seq != 1 {
            let passed = self.others.as_ref().is_some_and(|others| others.passed_accounts.contains(&account));
            return if passed { Ok(None) } else { Err(FollowError::Gap) };
        }
        AccountLog::found(entry).map(Some).map_err(FollowError::AccountLog)
    }

    /// The genesis that a grant in any followed space pins for an account.
    pub(super) fn granted_genesis(&self, account: AccountId) -> Option<Hash32> {
        self.spaces.values().find_map(|followed| followed.log.genesis_of(account))
    }

    /// A device of any known account, live or removed, with its account.
    pub(super) fn known_device(&self, device: DeviceId) -> Option<(AccountId, KnownDevice<'_>)> {
        let own = self.account_log().and_then(|log| log.known(device)).map(|known| (self.account, known));
        own.or_else(|| {
            let mut logs = self.others.iter().flat_map(|others| &others.logs);
            logs.find_map(|(account, log)| log.known(device).map(|known| (*account, known)))
        })
    }

    /// The key of a device of `account`, live or removed.
    pub(super) fn key_of(&self, account: AccountId, device: DeviceId) -> Result<VerifyingKey, FollowError> {
        let known = self.log_of(account).and_then(|log| log.known(device));
        known.map(|known| known.card.signing).ok_or(FollowError::UnknownDevice)
    }

    /// Whether a grant's member is pinned otherwise than they are known here.
    pub(super) fn check_grant(&self, body: &SpaceBody) -> Result<(), FollowError> {
        let SpaceBody::Grant { member, genesis, .. } = body else { return Ok(()) };
        let known = if *member == self.account {
            Some(self.genesis)
        } else {
            self.other_log(*member).map(AccountLog::genesis).or_else(|| self.granted_genesis(*member))
        };
        if known.is_some_and(|known| known != *genesis) { Err(FollowError::OtherGenesis) } else { Ok(()) }
    }

    pub(super) fn others_mut(&mut self) -> &mut Others {
        self.others.get_or_insert_default()
    }
}
