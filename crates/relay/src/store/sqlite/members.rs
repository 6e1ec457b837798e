//! Who is a member where, which account a device is of, and what somebody who is let into a space gets.

use std::collections::BTreeSet;

use mecum_seal::{AccountId, DeviceId, SpaceId};
use mecum_sync::{AccountLog, SpaceLog};
use rusqlite::{Connection, OptionalExtension, params};

use super::inbox::{self, Kind};
use super::{accounts, pruning, recovery, stored, uint};
use crate::store::StoreError;

/// The account itself and everybody who shares a space with it now, in a fixed order.
pub(super) fn sharing_with(c: &Connection, account: AccountId) -> Result<Vec<AccountId>, StoreError> {
    let mut query = c.prepare_cached(
        "SELECT ?1 UNION SELECT other.account FROM member own JOIN member other ON other.space = own.space
         WHERE own.account = ?1 ORDER BY 1",
    )?;
    let rows = query.query_map([account.as_bytes()], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|id| AccountId::from_slice(&id?).ok_or(StoreError::Stored { what: "account id" })).collect()
}

/// How many spaces an account is a member of.
pub(super) fn count_of(c: &Connection, account: AccountId) -> Result<u64, StoreError> {
    let count: i64 = c
        .prepare_cached("SELECT count(*) FROM member WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    uint(count)
}

/// Notes who is a member of a space now.
pub(super) fn note(c: &Connection, log: &SpaceLog) -> Result<(), StoreError> {
    let space = log.space();
    c.prepare_cached("DELETE FROM member WHERE space = ?1")?.execute([space.as_bytes()])?;
    let mut insert = c.prepare_cached("INSERT INTO member (account, space) VALUES (?1, ?2)")?;
    for member in log.members() {
        insert.execute(params![member.account.as_bytes(), space.as_bytes()])?;
    }
    Ok(())
}

/// Takes the ids of an account's devices for it. False if one is another account's: then the caller undoes what it began.
pub(super) fn claim_devices(
    c: &Connection,
    account: AccountId,
    log: &AccountLog,
) -> Result<bool, StoreError> {
    for card in log.devices() {
        let owner: Option<Vec<u8>> = c
            .prepare_cached("SELECT account FROM device WHERE device = ?1")?
            .query_row([card.device.as_bytes()], |row| row.get(0))
            .optional()?;
        match owner {
            Some(owner) if owner == account.as_bytes() => {}
            Some(_) => return Ok(false),
            None => {
                c.prepare_cached("INSERT INTO device (device, account) VALUES (?1, ?2)")?
                    .execute(params![card.device.as_bytes(), account.as_bytes()])?;
            }
        }
    }
    Ok(true)
}

/// Takes every device's id and every recovery key for its account, in a database from before these were taken. Should two
/// accounts use one, the first has it.
pub(super) fn claim_all(c: &Connection) -> Result<(), StoreError> {
    let mut query = c.prepare("SELECT account, state FROM account ORDER BY enrolled_at_ms, account")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (account, state): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        // One that cannot be read is for the check to name; it does not keep the server from starting.
        let Ok(log) = stored::<AccountLog>(&state, "account log") else { continue };
        for card in log.devices() {
            c.prepare_cached("INSERT OR IGNORE INTO device (device, account) VALUES (?1, ?2)")?
                .execute(params![card.device.as_bytes(), account])?;
        }
        recovery::claim(c, log.account(), &log)?;
    }
    Ok(())
}

/// The account of a device, and whether it was removed from it.
pub(super) fn owner(c: &Connection, device: DeviceId) -> Result<Option<(AccountId, bool)>, StoreError> {
    let account: Option<Vec<u8>> = c
        .prepare_cached("SELECT account FROM device WHERE device = ?1")?
        .query_row([device.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(account) = account.as_deref().and_then(AccountId::from_slice) else { return Ok(None) };
    let log = accounts::log(c, account)?;
    let known = log.as_ref().and_then(|log| log.known(device));
    Ok(known.map(|known| (account, known.removed.is_some())))
}

/// Every entry of an account's log, for an inbox.
pub(super) fn log_rows(c: &Connection, account: AccountId) -> Result<Vec<inbox::Row>, StoreError> {
    let entries = accounts::log(c, account)?.map_or(0, |log| log.entries());
    Ok((1..=entries).map(|seq| (Kind::AccountEntry, account.as_bytes().to_vec(), seq)).collect())
}

/// Everything of a space for the inbox of `newcomer`, in an order in which each thing can be verified by what came before it:
/// the owner's log, then entries and pushes as they were ordered; behind each grant the log of whom it let in; the snapshot behind
/// what it covers.
pub(super) fn rows_for(
    c: &Connection,
    log: &SpaceLog,
    newcomer: AccountId,
) -> Result<Vec<inbox::Row>, StoreError> {
    let space = log.space();
    let mut introduced = BTreeSet::from([newcomer, log.owner()]);
    let mut rows = if log.owner() == newcomer { Vec::new() } else { log_rows(c, log.owner())? };
    let mut pushes = pushes(c, space)?.into_iter().peekable();
    let mut snapshots = pruning::covering(c, space)?.into_iter().peekable();
    let snapshot_row = |(covers, base): (u64, bool)| {
        let kind = if base { Kind::Base } else { Kind::Snapshot };
        (kind, space.as_bytes().to_vec(), covers)
    };
    let mut push_up_to = |rows: &mut Vec<inbox::Row>, limit: u64| {
        while let Some((push, first)) = pushes.next_if(|(_, first)| *first <= limit) {
            while let Some(snapshot) = snapshots.next_if(|(covers, _)| first > *covers) {
                rows.push(snapshot_row(snapshot));
            }
            rows.push((Kind::Push, space.as_bytes().to_vec(), push));
        }
        if limit == u64::MAX {
            rows.extend(snapshots.by_ref().map(snapshot_row));
        }
    };
    for (seq, before) in places(c, space)? {
        push_up_to(&mut rows, before);
        rows.push((Kind::SpaceEntry, space.as_bytes().to_vec(), seq));
        for stay in log.stays().filter(|stay| stay.since == seq) {
            if introduced.insert(stay.account) {
                rows.extend(log_rows(c, stay.account)?);
            }
        }
    }
    push_up_to(&mut rows, u64::MAX);
    Ok(rows)
}

/// The pushes of a space in order: number and first `space_seq`.
fn pushes(c: &Connection, space: SpaceId) -> Result<Vec<(u64, u64)>, StoreError> {
    pairs(c, "SELECT push, first_space_seq FROM push WHERE space = ?1 ORDER BY push", space)
}

/// The entries of a space's log: number, and the last `space_seq` before each.
fn places(c: &Connection, space: SpaceId) -> Result<Vec<(u64, u64)>, StoreError> {
    pairs(c, "SELECT seq, space_seq FROM space_entry WHERE space = ?1 ORDER BY seq", space)
}

fn pairs(c: &Connection, sql: &str, space: SpaceId) -> Result<Vec<(u64, u64)>, StoreError> {
    let mut query = c.prepare_cached(sql)?;
    let rows = query
        .query_map([space.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(|(a, b)| Ok((uint(a)?, uint(b)?))).collect()
}
