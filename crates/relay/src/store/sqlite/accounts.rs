//! Accounts: enrolment codes, the accounts' logs, and what counts against a quota.

use mecum_seal::{AccountId, DeviceId, Hash32};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::{
    AccountEntry, AccountLog, AccountLogError, DeviceCard, Refusal, RefusalCode, Signed, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{inbox, int, stored, uint};
use crate::store::{StoreError, Wanted};

pub(super) fn add_code(c: &Connection, code: Hash32, expires_at_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached("INSERT INTO enrolment_code (code, expires_at_ms) VALUES (?1, ?2)")?
        .execute(params![code.as_bytes(), expires_at_ms])?;
    Ok(())
}

pub(super) fn sweep_codes(c: &Connection, now_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached("DELETE FROM enrolment_code WHERE expires_at_ms <= ?1")?.execute([now_ms])?;
    Ok(())
}

/// The folded log of an account.
pub(super) fn log(c: &Connection, account: AccountId) -> Result<Option<AccountLog>, StoreError> {
    let state: Option<Vec<u8>> = c
        .prepare_cached("SELECT state FROM account WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))
        .optional()?;
    state.map(|bytes| stored(&bytes, "account log")).transpose()
}

/// A live device of an account. Who asks for an account that is not there waits as long as for one that is: the log of its
/// neighbour is read in its place, and thrown away.
pub(super) fn device(
    c: &Connection,
    account: AccountId,
    device: DeviceId,
) -> Result<Option<DeviceCard>, StoreError> {
    if let Some(log) = log(c, account)? {
        return Ok(log.device(device).cloned());
    }
    let neighbour: Option<Vec<u8>> = c
        .prepare_cached(
            "SELECT account FROM account WHERE account > ?1
             UNION ALL SELECT min(account) FROM account LIMIT 1",
        )?
        .query_row([account.as_bytes()], |row| row.get(0))
        .optional()?
        .flatten();
    if let Some(neighbour) = neighbour.as_deref().and_then(AccountId::from_slice) {
        let log = log(c, neighbour)?;
        // Looked through like the real one.
        let _ = log.and_then(|log| log.device(device).cloned());
    }
    Ok(None)
}

pub(super) fn enrol(
    c: &Connection,
    code: Hash32,
    genesis: &Signed<AccountEntry>,
    now_ms: i64,
) -> Result<Result<(), Refusal>, StoreError> {
    let row: Option<(i64, Option<Vec<u8>>)> = c
        .prepare_cached("SELECT expires_at_ms, used_by FROM enrolment_code WHERE code = ?1")?
        .query_row([code.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let hash = genesis.hash();
    match row {
        // A retry after a lost answer.
        Some((_, Some(used_by))) if used_by == hash.as_bytes() => return Ok(Ok(())),
        Some((expires_at_ms, None)) if expires_at_ms > now_ms => {}
        _ => return Ok(Err(RefusalCode::BadCode.into())),
    }
    let log = match AccountLog::found(genesis) {
        Ok(log) => log,
        Err(error) => return Ok(Err(refusal(error, None))),
    };
    let account = log.account();
    if self::log(c, account)?.is_some() {
        return Ok(Err(RefusalCode::AlreadyExists.into()));
    }
    c.prepare_cached("UPDATE enrolment_code SET used_by = ?2 WHERE code = ?1")?
        .execute(params![code.as_bytes(), hash.as_bytes()])?;
    c.prepare_cached("INSERT INTO account (account, state, enrolled_at_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![account.as_bytes(), encode(&log), now_ms])?;
    keep_entry(c, genesis, now_ms)?;
    Ok(Ok(()))
}

/// Appends an entry to the account's log.
pub(super) fn append(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<AccountEntry>,
    news_for: &mut Vec<AccountId>,
) -> Result<Result<(), Refusal>, StoreError> {
    let account = wanted.author.account;
    let Some(mut log) = log(c, account)? else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    if let Err(error) = log.append(entry) {
        if error == AccountLogError::StaleHead && is_stored(c, entry)? {
            return Ok(Ok(()));
        }
        return Ok(Err(refusal(error, Some(&log))));
    }
    if let Err(refusal) = charge(c, account, encode(entry).len() as u64, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    c.prepare_cached("UPDATE account SET state = ?2 WHERE account = ?1")?
        .execute(params![account.as_bytes(), encode(&log)])?;
    keep_entry(c, entry, wanted.now_ms)?;
    news_for.push(account);
    Ok(Ok(()))
}

/// Counts `bytes` against the account's quota.
pub(super) fn charge(
    c: &Connection,
    account: AccountId,
    bytes: u64,
    quota_bytes: u64,
) -> Result<Result<(), Refusal>, StoreError> {
    let stored_bytes: i64 = c
        .prepare_cached(
            "UPDATE account SET stored_bytes = stored_bytes + ?2 WHERE account = ?1 RETURNING stored_bytes",
        )?
        .query_row(params![account.as_bytes(), int(bytes)], |row| row.get(0))?;
    if uint(stored_bytes)? > quota_bytes { Ok(Err(RefusalCode::Quota.into())) } else { Ok(Ok(())) }
}

fn keep_entry(c: &Connection, entry: &Signed<AccountEntry>, now_ms: i64) -> Result<(), StoreError> {
    let AccountEntry { account, seq, .. } = entry.unverified();
    c.prepare_cached(
        "INSERT INTO account_entry (account, seq, hash, body, stored_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![account.as_bytes(), int(*seq), entry.hash().as_bytes(), encode(entry), now_ms])?;
    inbox::deliver(c, *account, inbox::Kind::AccountEntry, account.as_bytes(), *seq)
}

fn is_stored(c: &Connection, entry: &Signed<AccountEntry>) -> Result<bool, StoreError> {
    let AccountEntry { account, seq, .. } = entry.unverified();
    let hash: Option<Vec<u8>> = c
        .prepare_cached("SELECT hash FROM account_entry WHERE account = ?1 AND seq = ?2")?
        .query_row(params![account.as_bytes(), int(*seq)], |row| row.get(0))
        .optional()?;
    Ok(hash.is_some_and(|hash| hash == entry.hash().as_bytes()))
}

fn refusal(error: AccountLogError, log: Option<&AccountLog>) -> Refusal {
    let code = match error {
        AccountLogError::StaleHead => {
            let last = log.map(|log| LastAccepted { seq: log.entries(), hash: log.head() });
            return Refusal { code: RefusalCode::StaleHead, last };
        }
        AccountLogError::OtherAccount => RefusalCode::NotYours,
        AccountLogError::UnknownDevice => RefusalCode::UnknownDevice,
        AccountLogError::BadSignature => RefusalCode::BadSignature,
        AccountLogError::DeviceTaken => RefusalCode::AlreadyExists,
        _ => RefusalCode::BadEntry,
    };
    code.into()
}
