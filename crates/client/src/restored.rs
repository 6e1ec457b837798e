//! When the server's history and this device's are not one any more: the server asks to begin again or was restored from an older
//! backup, or this vault was put back from an older copy of itself.
//!
//! Nothing that is held is ever given up for what a server says. What it shows again is compared with what is here; what it lost
//! is offered again; and a vault that used numbers twice begins a new incarnation, in which it writes again what only it held.

mod entries;
mod rebirth;

pub(crate) use rebirth::Taken;
pub(crate) use rebirth::lost_name;

use std::collections::BTreeSet;

use mecum_seal::{Envelope, Hash32, IncarnationId, SpaceId};
use mecum_sync::controls::holds;
use mecum_sync::limits::MAX_ACCOUNT_ENTRIES;
use mecum_sync::{
    Accepted, AccountEntry, AccountLog, Chain, ChainHead, FollowError, Item, Pruning, Role, Signed,
    SpaceEntry, SyncRequest, encode,
};
use mecum_vault::{Durability, Table};

use crate::account_entries::account_entry_name;
use crate::anew::folded_name;
use crate::error::SessionError;
use crate::exchange::ExchangeError;
use crate::handed::Handing;
use crate::session::Session;
use crate::snapshots::FROM_LATEST;
use crate::space::SpaceState;
use crate::stage::{Stage, place_body, push_name};

/// The setting that stands while the server's history is read again from its start.
pub(crate) const READING: &str = "reading-again";

/// The setting that says when this vault was found to be an older copy, ms since the epoch.
pub(crate) const OLDER_COPY: &str = "older-copy";

/// The settings that say that a new life begins for a gap in an own chain, and how far that of each space had been shown: others may
/// hold it so far, and have built on it. Nothing was lost, and nobody is told.
pub(crate) const GAP: &[u8] = b"gap-";

fn gap_name(space: SpaceId) -> Vec<u8> {
    [GAP, space.as_bytes()].concat()
}

/// How long the person is told of it.
const TOLD_FOR_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// Every link that the vault holds: (chain, `envelope_seq`, content id).
pub(crate) type KnownLinks = BTreeSet<(Chain, u64, Hash32)>;

/// The name under which the vault keeps an entry of a space's log, to be offered to a server that lost it.
pub(crate) fn space_entry_name(space: SpaceId, seq: u64) -> Vec<u8> {
    [b"log".as_slice(), space.as_bytes(), &seq.to_be_bytes()].concat()
}

impl Session {
    /// Whether the server's history is being read again from its start.
    pub(crate) fn is_reading_again(&self) -> Result<bool, SessionError> {
        Ok(self.setting(READING)?.is_some())
    }

    /// Begins to read the server's history again, after it refused the cursor. Every own link counts as unsent until it is shown
    /// again. False if reading had only just begun: then beginning once more is no way on.
    pub fn begin_again(&mut self) -> Result<bool, SessionError> {
        if !holds("begin-once", self.follower.cursor() != 0) {
            return Ok(false);
        }
        let mut follower = self.follower.clone();
        follower.start_over();
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        self.stage_reading_again(&mut stage)?;
        self.commit(stage, Durability::Full)?;
        self.tried.clear();
        *self.handing = Handing::default();
        Ok(true)
    }

    /// Stages what goes with a follower that starts over: nothing that was sent counts as sent until it is shown again.
    pub(crate) fn stage_reading_again(&mut self, stage: &mut Stage) -> Result<(), SessionError> {
        self.links = None;
        stage.puts.push((Table::Setting, READING.into(), vec![1]));
        self.stage_none_aside(stage)?;
        // Of an older copy's chain what the server has not shown is known already.
        let logs = if self.is_older_copy() { Vec::new() } else { self.vault.documents() };
        for log in logs {
            for (number, place) in self.places(log)? {
                let own = self.own_chain(place.space);
                if place.device == own.device && place.incarnation == own.incarnation {
                    let name = push_name(place.space, place.envelope_seq);
                    stage.puts.push((Table::Sync, name, place_body(log, number)));
                }
            }
        }
        for state in self.spaces.values() {
            let state = stage.spaces.remove(&state.space).unwrap_or_else(|| state.clone());
            if state.snapshot_seq > 0 {
                stage.puts.push((Table::Setting, folded_name(state.space), vec![1]));
            }
            stage.spaces.insert(state.space, SpaceState { snapshot_seq: 0, ..state });
        }
        Ok(())
    }

    /// What is asked while reading again, or while this vault is known to be an older copy: only for more, and with every log entry
    /// that the server has not shown since, so that a removal which it lost stands there again before anything else.
    pub(crate) fn reading_request(
        &mut self,
        request: &SyncRequest,
    ) -> Result<Option<SyncRequest>, SessionError> {
        let older = self.is_older_copy();
        if !older && !self.is_reading_again()? {
            return Ok(None);
        }
        let mut request = request.clone();
        if self.is_reading_again()? {
            // Where envelopes were pruned, a snapshot stands for them.
            request.pruning = Some(Pruning { over_pruned: true, ..Pruning::default() });
            request.from_snapshots = self.setting("from-latest")?.is_some();
        }
        if !older {
            request.account_entries = self.account_entries_to_push()?;
            request.space_entries = self.space_entries_to_push()?;
        }
        Ok(Some(request))
    }

    /// The entries of the account's log that the server has not shown (since it began again).
    pub(crate) fn account_entries_to_push(&self) -> Result<Vec<Signed<AccountEntry>>, SessionError> {
        let last = self.follower.account_log().map_or(0, AccountLog::entries);
        let mut entries = Vec::new();
        for seq in self.follower.stored_account_entries() + 1..=last {
            // An older version kept only its own entries: what is not here, another device offers.
            let there = self.vault.get(Table::Account, &account_entry_name(seq))?.is_some();
            if !there || entries.len() >= MAX_ACCOUNT_ENTRIES {
                break;
            }
            entries.push(self.own_account_entry(seq)?);
        }
        Ok(entries)
    }

    /// Keeps a log entry that was accepted: a server that loses it gets it back from whoever has it.
    pub(crate) fn keep_entry(
        &self,
        stage: &mut Stage,
        item: &Item,
        accepted: &Accepted,
    ) -> Result<(), SessionError> {
        if matches!(accepted, Accepted::Unexpected) {
            return Ok(());
        }
        let (table, name, body) = match item {
            Item::AccountEntry(entry) if entry.unverified().account == self.identity.account => {
                (Table::Account, account_entry_name(entry.unverified().seq), encode(entry))
            }
            Item::SpaceEntry { entry, .. } => {
                let SpaceEntry { space, seq, .. } = *entry.unverified();
                (Table::Sync, space_entry_name(space, seq), encode(entry))
            }
            _ => return Ok(()),
        };
        let fresh = matches!(accepted, Accepted::Account | Accepted::Space { .. });
        if fresh || self.vault.get(table, &name)?.is_none() {
            stage.puts.push((table, name, body));
        }
        Ok(())
    }

    /// Compares what is shown again with what is here, link by link and entry by entry. Another one under a number that is held
    /// here is a fork, whichever of the two a server would have this device forget.
    pub(crate) fn check_shown_again(&mut self, items: &[Item]) -> Result<(), ExchangeError> {
        if !self.is_reading_again()? {
            return Ok(());
        }
        for item in items {
            match item {
                Item::Batch { push, .. } => {
                    for bytes in &push.envelopes {
                        // What is no envelope the follower refuses by name.
                        let Ok(envelope) = Envelope::parse(bytes) else { continue };
                        self.check_link(&envelope)?;
                    }
                }
                Item::AccountEntry(entry) if entry.unverified().account == self.identity.account => {
                    let seq = entry.unverified().seq;
                    let shown = seq <= self.follower.ever_stored_account_entries();
                    let kept = self
                        .vault
                        .get(Table::Account, &account_entry_name(seq))
                        .map_err(SessionError::from)?;
                    let other = shown && kept.is_some_and(|kept| *kept != encode(entry));
                    if !holds("shown-again", !other) {
                        return Err(FollowError::Fork.into());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_link(&mut self, envelope: &Envelope) -> Result<(), ExchangeError> {
        let place = envelope.place();
        let chain = Chain { device: place.device, incarnation: place.incarnation, space: place.space };
        // What this vault wrote under a number that it used twice is no witness.
        if place.device == self.identity.device {
            return Ok(());
        }
        if self.links.is_none() {
            self.links = Some(self.known_links()?);
        }
        let Some(links) = &self.links else { return Ok(()) };
        let (first, last) = (Hash32::ZERO, Hash32::from_bytes([0xff; 32]));
        let held = (chain, place.envelope_seq, first)..=(chain, place.envelope_seq, last);
        let mut held = links.range(held).peekable();
        let same = held.peek().is_none() || held.any(|(_, _, id)| *id == envelope.content_id());
        if !holds("shown-again", same) {
            return Err(FollowError::Fork.into());
        }
        Ok(())
    }

    /// Every link that lies in the vault, also what waits or was put aside.
    fn known_links(&self) -> Result<KnownLinks, SessionError> {
        let mut links = KnownLinks::new();
        let mut note = |bytes: &[u8]| {
            let Ok(envelope) = Envelope::parse(bytes) else { return };
            let place = envelope.place();
            let chain = Chain { device: place.device, incarnation: place.incarnation, space: place.space };
            links.insert((chain, place.envelope_seq, envelope.content_id()));
        };
        for log in self.vault.documents() {
            self.envelopes(log, 0)?.iter().for_each(|(_, bytes)| note(bytes));
        }
        for table in [Table::Waiting, Table::Quarantine] {
            self.vault.list(table)?.iter().for_each(|(_, bytes)| note(bytes));
        }
        Ok(links)
    }

    /// Notes that everything was shown again.
    pub(crate) fn note_read_again(&mut self, stage: &mut Stage, more: bool) -> Result<(), SessionError> {
        if !more && self.is_reading_again()? {
            stage.deletes.push((Table::Setting, READING.into()));
            if self.setting("from-latest")?.is_some() {
                stage.deletes.push((Table::Setting, FROM_LATEST.to_vec()));
                stage.deletes.push((Table::Setting, b"no-snapshots".to_vec()));
            }
            self.links = None;
        }
        Ok(())
    }

    /// Takes what the server has of the own chain. `RolledBack` if it is not what this vault wrote.
    pub(crate) fn take_own(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        head: ChainHead,
    ) -> Result<(), ExchangeError> {
        let known = self.staged_space(stage, chain.space)?;
        let other = self.own_link(&known, head.envelope_seq)?.is_some_and(|id| id != head.hash);
        if !holds("own-rolled-back", head.envelope_seq <= known.own_seq && !other) {
            return Err(ExchangeError::RolledBack);
        }
        let before = self.follower.chain_head(chain).envelope_seq;
        for seq in before + 1..=head.envelope_seq {
            stage.deletes.push((Table::Sync, push_name(chain.space, seq)));
        }
        Ok(())
    }

    /// The content id of an own link that the server has not shown yet, or of the last.
    pub(crate) fn own_link(&self, state: &SpaceState, seq: u64) -> Result<Option<Hash32>, SessionError> {
        if seq == state.own_seq {
            return Ok(Some(state.own_last));
        }
        if self.vault.get(Table::Sync, &push_name(state.space, seq))?.is_none() {
            return Ok(None);
        }
        let bytes = self.own_envelope(state.space, seq)?;
        Ok(Some(Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?.content_id()))
    }

    /// Whether this vault was found to be an older copy of itself, and the server's version of its chains is being fetched. What is
    /// written meanwhile stays here and is written again.
    pub(crate) fn is_older_copy(&self) -> bool {
        self.follower.incarnation() != self.identity.incarnation
    }

    /// Notes that the server has another version of an own chain: from here on it is asked as another incarnation, to which it
    /// hands the chain itself.
    pub(crate) fn note_older_copy(&mut self) -> Result<(), SessionError> {
        if self.is_older_copy() {
            return Ok(());
        }
        let mut follower = self.follower.clone();
        follower.begin_incarnation(IncarnationId::random(self.entropy()));
        self.commit(Stage { follower: Some(follower), ..Stage::default() }, Durability::Full)
    }

    /// Begins a new life where the own chain cannot go on: the server lost links of it that others may hold, and here they went with a
    /// document that was erased. Not before everything else that it lost of this life stands there again. True if it begins.
    pub(crate) fn leave_a_gap(&mut self) -> Result<bool, SessionError> {
        let mut gaps = Vec::new();
        for state in self.spaces.values() {
            let stored = self.follower.chain_head(&self.own_chain(state.space)).envelope_seq;
            let may_write = self.follower.role(state.space).is_some_and(Role::may_write);
            if stored >= self.follower.ever_shown(state.space) || !may_write || self.is_stuck(state.space) {
                continue;
            }
            if self.own_envelope_kept(state.space, stored + 1)?.is_some() {
                return Ok(false);
            }
            gaps.push((state.space, stored));
        }
        if gaps.is_empty() {
            return Ok(false);
        }
        let mut follower = self.follower.clone();
        follower.begin_incarnation(IncarnationId::random(self.entropy()));
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        // Nothing that was ever shown is written again, in whatever section: also where the stay has ended meanwhile.
        for space in self.spaces.keys() {
            let shown = self.follower.ever_shown(*space).to_be_bytes();
            stage.puts.push((Table::Setting, gap_name(*space), shown.to_vec()));
        }
        for (space, stored) in gaps {
            stage.puts.push((Table::Waiting, lost_name(space, stored + 1), Vec::new()));
        }
        self.commit(stage, Durability::Full)?;
        Ok(true)
    }

    /// What is told of it for some days: the id of a sentence.
    pub(crate) fn older_copy_notice(&self) -> Option<&'static str> {
        let at = self.setting(OLDER_COPY).ok().flatten()?;
        let at_ms = i64::from_be_bytes(at.try_into().ok()?);
        (self.now_ms().saturating_sub(at_ms) < TOLD_FOR_MS).then_some("error-older-copy-done")
    }
}
