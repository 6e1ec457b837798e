//! What a device signed before it was removed, where this relay was restored and lost both: it stands in the logs before the removal
//! does, as it did (ADR 0022). A removed device signs nothing more, neither here nor for any reader, so the other order would shut it
//! out for ever, and every later entry of that log with it.

use std::collections::BTreeMap;

use mecum_seal::{DeviceId, SpaceId};
use mecum_sync::{AccountBody, AccountEntry, Signed, SpaceEntry};
use rusqlite::Connection;

use super::spaces::{self, Told};
use super::{accounts, attempt, backup};
use crate::store::{StoreError, Wanted};

/// Before an account's entry that removes devices: takes the entries of spaces' logs in the same request which these signed, each
/// behind those that come before it. Nothing is answered for them yet: what was taken stands when its turn comes, and what was refused
/// is tried again then.
pub(super) fn take(
    c: &Connection,
    wanted: &Wanted,
    removal: &Signed<AccountEntry>,
    told: &mut Told,
) -> Result<(), StoreError> {
    let AccountEntry { account, body, .. } = removal.unverified();
    // Of who goes of itself nothing else of the request is taken.
    if *account != wanted.author.account || removes(body, wanted.author.device) {
        return Ok(());
    }
    let by_them = |entry: &SpaceEntry| entry.account == *account && removes(body, entry.device);
    let mut up_to: BTreeMap<SpaceId, u64> = BTreeMap::new();
    for entry in wanted.space_entries.iter().map(Signed::unverified).filter(|entry| by_them(entry)) {
        let last = up_to.entry(entry.space).or_default();
        *last = entry.seq.max(*last);
    }
    if up_to.is_empty() || !backup::was_restored(c)? {
        return Ok(());
    }
    // One that is not taken, or is there already, has nothing before it: whoever makes up removals makes no work by them.
    if accounts::log(c, *account)?.is_none_or(|mut log| log.append(removal).is_err()) {
        return Ok(());
    }
    for entry in &wanted.space_entries {
        let SpaceEntry { space, seq, .. } = *entry.unverified();
        if up_to.get(&space).is_none_or(|last| seq > *last) {
            continue;
        }
        if attempt(c, |c| spaces::append(c, wanted, entry, told))?.is_err() {
            up_to.remove(&space);
        }
    }
    Ok(())
}

/// Whether an entry of an account's log takes this device of it out.
fn removes(body: &AccountBody, device: DeviceId) -> bool {
    match body {
        AccountBody::RemoveDevice { device: gone, .. } => *gone == device,
        AccountBody::Recover { device: card, alone: Some(_) } => card.device != device,
        _ => false,
    }
}
