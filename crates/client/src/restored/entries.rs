//! Entries of spaces' logs that the server does not have: own ones that it has not seen, and what it lost and anybody holds.
//!
//! What a device signed before it was removed is taken from nobody once the removal stands, for nobody could tell it from what was signed
//! after. A device that is there stands for it in the account's log, by its hash (ADR 0022).

use mecum_seal::{Hash32, SpaceId};
use mecum_sync::controls::is_out;
use mecum_sync::limits::{MAX_SPACE_ENTRIES, MAX_UPHELD_AT_ONCE};
use mecum_sync::{
    AccountBody, AccountLog, Outcome, RefusalCode, Signed, SpaceEntry, SpaceLog, SyncRequest, SyncResponse,
    decode,
};
use mecum_vault::Table;

use super::{MAX_ENTRY_BYTES, space_entry_name};
use crate::error::SessionError;
use crate::session::Session;
use crate::space::SpaceState;

impl Session {
    /// The entries of spaces' logs that the server has not shown (since it began again).
    pub(crate) fn space_entries_to_push(&self) -> Result<Vec<Signed<SpaceEntry>>, SessionError> {
        let mut entries = Vec::new();
        for state in self.spaces.values().filter(|state| !self.handing.stuck.contains(&state.space)) {
            let last = self.follower.space_log(state.space).map_or(0, SpaceLog::entries);
            // After the end of this account's stay nothing of the space is shown again: only what ends it may still be on its way.
            let stored = match self.follower.role(state.space) {
                Some(_) => self.follower.stored_space_entries(state.space),
                None => self.follower.ever_stored_space_entries(state.space),
            };
            for seq in stored + 1..=last {
                let entry = self.entry_to_push(state, seq)?.filter(|_| entries.len() < MAX_SPACE_ENTRIES);
                let Some(entry) = entry.filter(|entry| !self.is_to_be_upheld(entry)) else { break };
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn entry_to_push(
        &self,
        state: &SpaceState,
        seq: u64,
    ) -> Result<Option<Signed<SpaceEntry>>, SessionError> {
        let kept = match &state.unsent_genesis {
            Some(genesis) if seq == 1 => Some(genesis.clone()),
            _ => self.vault.get(Table::Sync, &space_entry_name(state.space, seq))?.map(|body| body.to_vec()),
        };
        let entry = kept.map(|kept| decode(&kept, MAX_ENTRY_BYTES)).transpose();
        entry.map_err(|_| SessionError::Stored { what: "space entry" })
    }

    /// Whether a device of this account signed an entry and was removed since, and nobody stands for the entry yet.
    fn is_to_be_upheld(&self, entry: &Signed<SpaceEntry>) -> bool {
        let SpaceEntry { account, device, .. } = *entry.unverified();
        let gone =
            |log: &AccountLog| log.known(device).is_some() && log.signs(device, &entry.hash()).is_none();
        account == self.identity.account && self.follower.account_log().is_some_and(gone)
    }

    /// Stands for what the server has lost, of what devices of this account signed before they were removed. Only once all of its history
    /// was read. Also in spaces that this account has no part in any more, for somebody else may bring it there.
    pub(crate) fn uphold_lost(&mut self) -> Result<(), SessionError> {
        let mut entries: Vec<Hash32> = Vec::new();
        for state in self.spaces.values() {
            let last = self.follower.space_log(state.space).map_or(0, SpaceLog::entries);
            for seq in self.follower.stored_space_entries(state.space) + 1..=last {
                let Some(entry) = self.entry_to_push(state, seq)? else { break };
                if self.is_to_be_upheld(&entry) && entries.len() < MAX_UPHELD_AT_ONCE {
                    entries.push(entry.hash());
                }
            }
        }
        if entries.is_empty() || is_out("uphold") {
            return Ok(());
        }
        entries.sort_unstable();
        self.append_to_account(AccountBody::Uphold { entries }, None)
    }

    /// Notes of which spaces an entry that was lost was refused because somebody else has to come first: whoever it is about or
    /// signed it, who let these in, or who removes the device that it cuts. It goes out again with the next exchange, or when the server shows something new.
    pub(crate) fn note_stuck(&mut self, request: &SyncRequest, response: &SyncResponse) {
        if !response.items.is_empty() {
            self.handing.stuck.clear();
        }
        for (entry, outcome) in request.space_entries.iter().zip(&response.space_outcomes) {
            if self.waits_for_others(entry, outcome) {
                self.handing.stuck.insert(entry.unverified().space);
            }
        }
    }

    /// Whether a refusal only says that somebody else has to come first.
    pub(crate) fn waits_for_others(&self, entry: &Signed<SpaceEntry>, outcome: &Outcome) -> bool {
        let SpaceEntry { space, seq, .. } = *entry.unverified();
        let Some(refusal) = outcome.refusal() else { return false };
        let by_others = matches!(
            refusal.code,
            RefusalCode::UnknownDevice
                | RefusalCode::UnknownAccount
                | RefusalCode::UnknownSpace
                | RefusalCode::NotYours
                | RefusalCode::BadCut
        );
        let was_shown = seq <= self.follower.ever_stored_space_entries(space);
        // What comes behind one that waits waits with it, also what was never sent.
        was_shown && by_others || refusal.code == RefusalCode::StaleHead && self.is_stuck(space)
    }

    /// Whether the log of a space waits for somebody else, and with it everything that is written there.
    pub(crate) fn is_stuck(&self, space: SpaceId) -> bool {
        self.handing.stuck.contains(&space)
    }
}
