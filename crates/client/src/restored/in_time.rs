//! What a device signed before it was removed goes to a server that lost both before its removal does, or with it: after that the server
//! takes nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{DeviceId, SpaceId};
use mecum_sync::{AccountBody, Signed, SpaceEntry, SpaceLog, SyncRequest, decode};
use mecum_vault::Table;

use super::{MAX_ENTRY_BYTES, space_entry_name};
use crate::error::SessionError;
use crate::session::Session;

/// Requests for which a removal waits at most, one after the other: what a server goes on refusing, or who makes up entries without
/// end, keeps nobody in.
const MOST_WAITS: u32 = 16;

impl Session {
    /// Leaves a removal for the next request where an entry that the device signed for a space is neither shown again nor in this one:
    /// there are more than one request holds.
    pub(crate) fn keep_removals_behind(&mut self, request: &mut SyncRequest) -> Result<(), SessionError> {
        let bodies = request.account_entries.iter().map(|entry| &entry.unverified().body);
        if !bodies.clone().any(is_removal) {
            self.handing.waited = 0;
            return Ok(());
        }
        if self.handing.waited >= MOST_WAITS {
            return Ok(());
        }
        let signers = self.signers_left_out(request)?;
        let waits = |body: &AccountBody| match body {
            AccountBody::RemoveDevice { device, .. } => signers.contains(device),
            AccountBody::Recover { device, alone: Some(_) } => signers.iter().any(|of| *of != device.device),
            _ => false,
        };
        if let Some(first) = bodies.clone().position(waits) {
            request.account_entries.truncate(first);
            self.handing.waited += 1;
        }
        Ok(())
    }

    /// Who of this account signed the entries that a request does not hold and the server has not shown.
    fn signers_left_out(&self, request: &SyncRequest) -> Result<BTreeSet<DeviceId>, SessionError> {
        let mut held: BTreeMap<SpaceId, u64> = BTreeMap::new();
        for entry in request.space_entries.iter().map(Signed::unverified) {
            held.insert(entry.space, entry.seq);
        }
        let mut signers = BTreeSet::new();
        for space in self.spaces.keys() {
            // Of a space that this account has no part in nothing is offered.
            if self.follower.role(*space).is_none() {
                continue;
            }
            let from = held.get(space).copied().unwrap_or_default();
            let from = from.max(self.follower.stored_space_entries(*space));
            for seq in from + 1..=self.follower.space_log(*space).map_or(0, SpaceLog::entries) {
                let Some(kept) = self.vault.get(Table::Sync, &space_entry_name(*space, seq))? else { break };
                let entry: Signed<SpaceEntry> = decode(&kept, MAX_ENTRY_BYTES)
                    .map_err(|_| SessionError::Stored { what: "space entry" })?;
                let entry = entry.unverified();
                if entry.account == self.identity.account {
                    signers.insert(entry.device);
                }
            }
        }
        Ok(signers)
    }
}

fn is_removal(body: &AccountBody) -> bool {
    matches!(body, AccountBody::RemoveDevice { .. } | AccountBody::Recover { alone: Some(_), .. })
}
