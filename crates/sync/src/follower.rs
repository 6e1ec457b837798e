//! What one device has verified of its account: the account's log, each space's log, every chain, and who has stated to
//! hold what. It refuses everything that goes back, leaves a gap, or contradicts what was seen before.
//!
//! Its state is bytes ([`Follower::to_bytes`]) that the client stores in the same transaction as what was accepted. It
//! must not know keys or contents: whether an envelope opens is checked elsewhere.

mod accept;
mod again;
mod aside;
mod entries;
mod level;
mod others;

use std::collections::BTreeMap;

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::account_log::{AccountEntry, AccountLog, AccountLogError, DeviceCard};
use crate::chain::{Chain, ChainHead};
use crate::codec;
use crate::push::PushError;
use crate::signed::Signed;
use crate::snapshot::SnapshotError;
use crate::space_log::{SpaceEntry, SpaceLog, SpaceLogError};
use crate::statement::{Received, Statement};

pub use accept::Accepted;
pub use level::Level;
pub use others::Expected;

/// Largest encoded state of a follower, in bytes: a limit against a damaged row, far above real use.
const MAX_STATE_BYTES: usize = 64 * 1024 * 1024;

/// Why something that the relay sent is not believed. Each means a faulty or dishonest relay or device: the driver stops,
/// keeps what it had, and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The account's log does not continue.
    #[error("account log: {0}")]
    AccountLog(AccountLogError),
    /// The account's log begins with another entry than the one that pairing named.
    #[error("account log begins with another entry")]
    OtherGenesis,
    /// A space's log does not continue.
    #[error("space log: {0}")]
    SpaceLog(SpaceLogError),
    /// A signing device is not a live device of the account.
    #[error("signed by an unknown device")]
    UnknownDevice,
    /// A device acts in a space after its account removed it.
    #[error("signed by a device that was removed before")]
    RemovedDevice,
    /// A space whose log was not sent.
    #[error("space is unknown")]
    UnknownSpace,
    /// The relay's signature under a membership entry or receipt does not verify, or is about something else.
    #[error("relay signature does not verify")]
    BadRelaySignature,
    /// A space whose home is another relay.
    #[error("space has another home")]
    WrongRelay,
    /// A push breaks a rule.
    #[error("push: {0}")]
    Push(#[from] PushError),
    /// A snapshot breaks a rule, or does not begin where this device stands. The envelopes themselves can be asked for.
    #[error("snapshot: {0}")]
    Snapshot(#[from] SnapshotError),
    /// A snapshot of a space of which something is here already, and less than it covers.
    #[error("snapshot covers more than is here, and not from the start")]
    SnapshotBeyond,
    /// `space_seq` leaves a gap: something is withheld.
    #[error("something before this is withheld")]
    Gap,
    /// Another thing at a place that was taken: a fork of what was seen before.
    #[error("another history than the one seen before")]
    Fork,
    /// The cursor goes back, or there are fewer or more answers than questions.
    #[error("answer does not fit the request")]
    BadAnswer,
    /// A statement takes back what an earlier one of the same chain said.
    #[error("statement contradicts an earlier one")]
    StatementRegression,
    /// A device acknowledges something that was not shown here: something is withheld, or it saw another history.
    #[error("a device holds what was not shown here")]
    Withheld,
}

/// What is followed in one space.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Followed {
    #[n(0)]
    pub(crate) log: SpaceLog,
    /// How many entries of the log the relay has shown; 0 for a space founded here and not stored there yet.
    #[n(1)]
    pub(crate) confirmed_entries: u64,
    #[n(2)]
    pub(crate) next_space_seq: u64,
    #[n(3)]
    pub(crate) heads: BTreeMap<(DeviceId, IncarnationId), ChainHead>,
    /// The latest statement of each chain.
    #[n(4)]
    pub(crate) statements: BTreeMap<(DeviceId, IncarnationId), Statement>,
    /// Of own chains: (`envelope_seq`, time) of the relay's receipts, ascending.
    #[n(5)]
    pub(crate) stored: BTreeMap<(DeviceId, IncarnationId), Vec<(u64, i64)>>,
    /// None, and so no bytes, while the log is its genesis alone.
    #[n(6)]
    pub(crate) later: Option<entries::Later>,
    /// What was shown before the relay's history is read again, as far as it was not shown since.
    #[n(12)]
    pub(crate) held: Option<again::Held>,
    /// Whether its envelopes are passed over: see [`Follower::set_aside`].
    #[n(13)]
    pub(crate) aside: Option<bool>,
}

/// The state described above.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Follower {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    device: DeviceId,
    #[n(2)]
    incarnation: IncarnationId,
    #[n(3)]
    genesis: Hash32,
    #[n(4)]
    relay: Option<VerifyingKey>,
    #[n(5)]
    cursor: u64,
    #[n(6)]
    account_log: Option<AccountLog>,
    /// How many entries of the account's log the relay has shown.
    #[n(7)]
    confirmed_account_entries: u64,
    #[n(8)]
    spaces: BTreeMap<SpaceId, Followed>,
    /// None, and so no bytes, while nothing is shared with anybody.
    #[n(9)]
    others: Option<others::Others>,
    /// How many entries of the account's log the relay had shown before its history is read again, until it has again.
    #[n(16)]
    held_account_entries: Option<u64>,
}

impl Follower {
    /// Follows an account that was founded on this device. `relay` is the pin, once there is one.
    pub fn found(
        genesis: &Signed<AccountEntry>,
        incarnation: IncarnationId,
        relay: Option<VerifyingKey>,
    ) -> Result<Self, FollowError> {
        let log = AccountLog::found(genesis).map_err(FollowError::AccountLog)?;
        let mut follower =
            Self::join(log.account(), genesis.unverified().signer, incarnation, log.genesis(), relay);
        follower.account_log = Some(log);
        Ok(follower)
    }

    /// Follows an account that pairing named: its id and the hash of its first entry are trusted, all else is verified.
    pub fn join(
        account: AccountId,
        device: DeviceId,
        incarnation: IncarnationId,
        genesis: Hash32,
        relay: Option<VerifyingKey>,
    ) -> Self {
        Self {
            account,
            device,
            incarnation,
            genesis,
            relay,
            cursor: 0,
            account_log: None,
            confirmed_account_entries: 0,
            spaces: BTreeMap::new(),
            others: None,
            held_account_entries: None,
        }
    }

    /// Takes in an own account entry before the relay has it (the account's log must be at its `previous`).
    pub fn add_own_account_entry(&mut self, entry: &Signed<AccountEntry>) -> Result<(), FollowError> {
        let log = self.account_log.as_ref().ok_or(FollowError::OtherGenesis)?;
        let mut next = log.clone();
        next.append(entry).map_err(FollowError::AccountLog)?;
        self.keep_before(entry)?;
        self.account_log = Some(next);
        Ok(())
    }

    /// Takes back the log's last entry, an own one that the relay has not shown; answers the card of its device.
    pub fn take_back_account_entry(
        &mut self,
        entry: &Signed<AccountEntry>,
    ) -> Result<DeviceCard, FollowError> {
        let log = self.account_log.as_mut().ok_or(FollowError::OtherGenesis)?;
        if log.entries() <= self.confirmed_account_entries.max(self.held_account_entries.unwrap_or(0)) {
            return Err(FollowError::Fork);
        }
        log.take_back(entry).map_err(FollowError::AccountLog)
    }

    /// Takes in a space that was founded on this device, before the relay has it.
    pub fn found_space(&mut self, genesis: &Signed<SpaceEntry>) -> Result<(), FollowError> {
        if genesis.unverified().account != self.account {
            return Err(FollowError::UnknownDevice);
        }
        let log = self.check_space_genesis(genesis)?;
        match self.spaces.get(&log.space()) {
            None => {
                self.spaces.insert(log.space(), Followed::new(log));
                Ok(())
            }
            Some(known) if known.log.head_at(1) == log.head_at(1) => Ok(()),
            Some(_) => Err(FollowError::Fork),
        }
    }

    /// Names the relay, for an account that was founded before there was one. Refused if another is named already.
    pub fn set_relay(&mut self, relay: VerifyingKey) -> Result<(), FollowError> {
        match self.relay {
            Some(pinned) if pinned != relay => Err(FollowError::WrongRelay),
            _ => {
                self.relay = Some(relay);
                Ok(())
            }
        }
    }

    /// Begins a new incarnation of this device: after a restored or cloned vault, before anything is written.
    pub fn begin_incarnation(&mut self, incarnation: IncarnationId) {
        self.incarnation = incarnation;
    }

    /// Asks for everything again, after the relay refused the cursor (`resync`). What is held stays and will be recognised;
    /// only what the relay shows from here on counts as stored there, and is acknowledged.
    pub fn start_over(&mut self) {
        self.cursor = 0;
        self.unsettle();
        let held = self.ever_stored_account_entries();
        self.held_account_entries = Some(held).filter(|held| *held > 0);
        self.confirmed_account_entries = 0;
        let own = (self.device, self.incarnation);
        let log = self.account_log.as_ref();
        for followed in self.spaces.values_mut() {
            followed.begin_again(own);
            followed.reopen(|device| log.is_some_and(|log| log.known(device).is_some()));
        }
    }

    /// The state, for the vault.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The state from the vault.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, codec::DecodeError> {
        codec::decode(bytes, MAX_STATE_BYTES)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The device that follows.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Its incarnation.
    pub fn incarnation(&self) -> IncarnationId {
        self.incarnation
    }

    /// The pinned relay.
    pub fn relay(&self) -> Option<&VerifyingKey> {
        self.relay.as_ref()
    }

    /// What to send as the cursor of the next request.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The account's log, once its first entry is known.
    pub fn account_log(&self) -> Option<&AccountLog> {
        self.account_log.as_ref()
    }

    /// A space's membership log.
    pub fn space_log(&self, space: SpaceId) -> Option<&SpaceLog> {
        self.spaces.get(&space).map(|s| &s.log)
    }

    /// Every space known, in order of its id.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> + '_ {
        self.spaces.keys().copied()
    }

    /// Whether the relay has shown this space's log: before, its genesis must be pushed.
    pub fn is_stored_space(&self, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|s| s.confirmed_entries > 0)
    }

    /// How many entries of the account's log the relay has shown.
    pub fn stored_account_entries(&self) -> u64 {
        self.confirmed_account_entries
    }

    /// How many entries of the account's log the relay has ever shown: what is later may still give way to another device's.
    pub fn ever_stored_account_entries(&self) -> u64 {
        self.confirmed_account_entries.max(self.held_account_entries.unwrap_or(0))
    }

    /// How many entries of a space's log the relay has shown; the rest is to be pushed.
    pub fn stored_space_entries(&self, space: SpaceId) -> u64 {
        self.spaces.get(&space).map_or(0, |followed| followed.confirmed_entries)
    }

    /// How many entries of a space's log the relay has ever shown.
    pub fn ever_stored_space_entries(&self, space: SpaceId) -> u64 {
        self.spaces.get(&space).map_or(0, Followed::ever_confirmed)
    }

    /// How far the relay has ever shown the own chain in a space: others may hold these links as they are.
    pub fn ever_shown(&self, space: SpaceId) -> u64 {
        let own = (self.device, self.incarnation);
        let Some(followed) = self.spaces.get(&space) else { return 0 };
        let held = followed.held.as_ref().and_then(|held| held.own);
        let held = held.filter(|(device, life, _)| (*device, *life) == own).map_or(0, |(_, _, last)| last);
        followed.heads.get(&own).map_or(0, |head| head.envelope_seq).max(held)
    }

    /// Whether this device holds links of others in a space that the relay has shown before and, reading again, not since.
    pub fn holds_more(&self, space: SpaceId) -> bool {
        let held = self.spaces.get(&space).and_then(|followed| followed.held.as_ref());
        held.is_some_and(|held| !held.heads.is_empty())
    }

    /// The chains of a space that were shown further before the relay's history was read again, each with where it stood: also the
    /// own one, of which only the number is known.
    pub fn held_further(&self, space: SpaceId) -> Vec<(Chain, u64, Option<Hash32>)> {
        let Some(followed) = self.spaces.get(&space) else { return Vec::new() };
        let Some(held) = &followed.held else { return Vec::new() };
        let own = held.own.map(|(device, incarnation, last)| ((device, incarnation), last, None));
        let others = held.heads.iter().map(|(name, head)| (*name, head.envelope_seq, Some(head.hash)));
        let stored =
            |name: &(DeviceId, IncarnationId)| followed.heads.get(name).map_or(0, |head| head.envelope_seq);
        let further = others.chain(own).filter(|(name, last, _)| stored(name) < *last);
        let chain = |(device, incarnation)| Chain { device, incarnation, space };
        further.map(|(name, last, hash)| (chain(name), last, hash)).collect()
    }

    /// Where a chain stands, as far as the relay has shown it; of the own chain: as far as it is stored there.
    pub fn chain_head(&self, chain: &Chain) -> ChainHead {
        self.spaces
            .get(&chain.space)
            .and_then(|s| s.heads.get(&(chain.device, chain.incarnation)))
            .copied()
            .unwrap_or(ChainHead::EMPTY)
    }

    /// The chains of a space with their heads.
    pub fn chains(&self, space: SpaceId) -> Vec<(Chain, ChainHead)> {
        let Some(followed) = self.spaces.get(&space) else { return Vec::new() };
        followed
            .heads
            .iter()
            .map(|((device, incarnation), head)| {
                (Chain { device: *device, incarnation: *incarnation, space }, *head)
            })
            .collect()
    }

    /// The same, each as far as it is held here: also what a relay that was restored has not shown again.
    pub fn furthest(&self, space: SpaceId) -> Vec<(Chain, ChainHead)> {
        let Some(followed) = self.spaces.get(&space) else { return Vec::new() };
        let chain = |(device, incarnation): (DeviceId, IncarnationId)| Chain { device, incarnation, space };
        followed.furthest().into_iter().map(|(name, head)| (chain(name), head)).collect()
    }

    /// What this device holds of the other chains of a space: the `received` of its next statement.
    pub fn received(&self, space: SpaceId) -> Vec<Received> {
        let own = (self.device, self.incarnation);
        let Some(followed) = self.spaces.get(&space) else { return Vec::new() };
        followed
            .heads
            .iter()
            .filter(|(chain, head)| **chain != own && head.envelope_seq > 0)
            .map(|((device, incarnation), head)| Received {
                device: *device,
                incarnation: *incarnation,
                envelope_seq: head.envelope_seq,
                last: head.hash,
            })
            .collect()
    }

    /// Whether this device holds something of others in this space that its last stored statement does not say.
    pub fn owes_acknowledgement(&self, space: SpaceId) -> bool {
        let Some(followed) = self.spaces.get(&space) else { return false };
        let received = self.received(space);
        match followed.statements.get(&(self.device, self.incarnation)) {
            Some(statement) => statement.received != received,
            None => !received.is_empty(),
        }
    }

    /// The last `space_seq` of a space that was taken in; 0 before the first.
    pub fn space_seq(&self, space: SpaceId) -> u64 {
        self.spaces.get(&space).map_or(0, |followed| followed.next_space_seq.saturating_sub(1))
    }

    /// The last statement of a chain that the relay has shown.
    pub fn last_statement(&self, chain: &Chain) -> Option<&Statement> {
        self.spaces.get(&chain.space)?.statements.get(&(chain.device, chain.incarnation))
    }
}

impl Followed {
    pub(crate) fn new(log: SpaceLog) -> Self {
        Self {
            log,
            confirmed_entries: 0,
            next_space_seq: 1,
            heads: BTreeMap::new(),
            statements: BTreeMap::new(),
            stored: BTreeMap::new(),
            later: None,
            held: None,
            aside: None,
        }
    }
}
