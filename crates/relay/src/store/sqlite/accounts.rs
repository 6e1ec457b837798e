//! Accounts: enrolment codes, the accounts' logs, and what counts against a quota.

use mecum_seal::{AccountId, DeviceId, Hash32};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, AccountLogError, DeviceCard, Refusal, RefusalCode, Signed, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{helping, inbox, int, members, recovery, stored, uint};
use crate::store::{Author, Kept, Recovered, Recovering, RecoveryKeys, StoreError, Wanted};

pub(super) fn add_code(
    c: &Connection,
    code: Hash32,
    expires_at_ms: i64,
    host: bool,
) -> Result<(), StoreError> {
    c.prepare_cached("INSERT INTO enrolment_code (code, expires_at_ms, host) VALUES (?1, ?2, ?3)")?
        .execute(params![code.as_bytes(), expires_at_ms, host])?;
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

/// A live device of an account.
pub(super) fn device(
    c: &Connection,
    account: AccountId,
    device: DeviceId,
) -> Result<Option<DeviceCard>, StoreError> {
    as_slow_as_any(c, account, |log| log.device(device).cloned())
}

/// The card of the asking device, while it is live.
pub(super) fn live(c: &Connection, author: &Author) -> Result<Option<DeviceCard>, StoreError> {
    Ok(log(c, author.account)?.and_then(|log| log.device(author.device).cloned()))
}

/// The recovery keys of an account.
pub(super) fn recovery_keys(c: &Connection, account: AccountId) -> Result<RecoveryKeys, StoreError> {
    let look = |log: &AccountLog| {
        let helpers = log.helpers().map(|helpers| helpers.signing);
        Some(RecoveryKeys { kit: log.recovery().copied(), helpers })
    };
    Ok(as_slow_as_any(c, account, look)?.unwrap_or_default())
}

/// Looks something up in the log of an account. Who asks for an account that is not there waits as long as for one that is: the
/// log of its neighbour is read in its place, and thrown away.
fn as_slow_as_any<T>(
    c: &Connection,
    account: AccountId,
    look: impl Fn(&AccountLog) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    if let Some(log) = log(c, account)? {
        return Ok(look(&log));
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
        let _ = log.and_then(|log| look(&log));
    }
    Ok(None)
}

pub(super) fn enrol(
    c: &Connection,
    code: Hash32,
    genesis: &Signed<AccountEntry>,
    now_ms: i64,
) -> Result<Result<(), Refusal>, StoreError> {
    let row: Option<(i64, Option<Vec<u8>>, bool)> = c
        .prepare_cached("SELECT expires_at_ms, used_by, host FROM enrolment_code WHERE code = ?1")?
        .query_row([code.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let hash = genesis.hash();
    let host = match row {
        // A retry after a lost answer.
        Some((_, Some(used_by), _)) if used_by == hash.as_bytes() => return Ok(Ok(())),
        Some((expires_at_ms, None, host)) if expires_at_ms > now_ms => host,
        _ => return Ok(Err(RefusalCode::BadCode.into())),
    };
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
    c.prepare_cached("INSERT INTO account (account, state, enrolled_at_ms, host) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![account.as_bytes(), encode(&log), now_ms, host])?;
    if !members::claim_devices(c, account, &log)? || !recovery::claim(c, account, &log)? {
        return Ok(Err(RefusalCode::AlreadyExists.into()));
    }
    keep_entry(c, genesis, now_ms, &mut Vec::new())?;
    Ok(Ok(()))
}

/// Appends an entry to the account's log.
pub(super) fn append(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<AccountEntry>,
    kept: &mut Kept,
) -> Result<Result<(), Refusal>, StoreError> {
    let appended = append_to(c, wanted.author.account, entry, wanted.quota.bytes, wanted.now_ms)?;
    Ok(appended.map(|appended| {
        kept.news_for.extend(appended.news_for);
        kept.ended.extend(appended.ended);
    }))
}

/// What else an appended entry brought about.
#[derive(Default)]
struct Appended {
    news_for: Vec<AccountId>,
    ended: Vec<(AccountId, DeviceId)>,
}

fn append_to(
    c: &Connection,
    account: AccountId,
    entry: &Signed<AccountEntry>,
    quota_bytes: u64,
    now_ms: i64,
) -> Result<Result<Appended, Refusal>, StoreError> {
    let Some(mut log) = log(c, account)? else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    if let Err(error) = log.append(entry) {
        if error == AccountLogError::StaleHead && is_stored(c, entry)? {
            return Ok(Ok(Appended::default()));
        }
        return Ok(Err(refusal(error, Some(&log))));
    }
    if !members::claim_devices(c, account, &log)? || !recovery::claim(c, account, &log)? {
        return Ok(Err(RefusalCode::AlreadyExists.into()));
    }
    if let Err(refusal) = charge(c, account, encode(entry).len() as u64, quota_bytes)? {
        return Ok(Err(refusal));
    }
    c.prepare_cached("UPDATE account SET state = ?2 WHERE account = ?1")?
        .execute(params![account.as_bytes(), encode(&log)])?;
    helping::on_entry(c, entry, now_ms)?;
    let mut appended = Appended::default();
    keep_entry(c, entry, now_ms, &mut appended.news_for)?;
    let gone = log.removed().iter().filter(|gone| gone.removed == entry.unverified().seq);
    appended.ended = gone.map(|gone| (account, gone.card.device)).collect();
    Ok(Ok(appended))
}

/// Answers who proved that they hold the recovery key, and stores the entry that they bring.
pub(super) fn recover(
    c: &Connection,
    recovering: &Recovering,
) -> Result<Result<Recovered, Refusal>, StoreError> {
    let account = recovering.account;
    if recovery_keys(c, account)?.which(&recovering.key).is_none() {
        return Ok(Err(RefusalCode::Unauthorised.into()));
    }
    let mut recovered = Recovered::default();
    if let Some(entry) = &recovering.entry {
        if !matches!(entry.unverified().body, AccountBody::Recover { .. }) {
            return Ok(Err(RefusalCode::BadEntry.into()));
        }
        match append_to(c, account, entry, recovering.quota.bytes, recovering.now_ms)? {
            Ok(Appended { news_for, ended }) => (recovered.news_for, recovered.ended) = (news_for, ended),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    (recovered.entries, recovered.more) = helping::log_page(c, account, recovering.after)?;
    Ok(Ok(recovered))
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

/// Stores an entry and puts it into the account's inbox, and into that of everybody who shares a space with it.
fn keep_entry(
    c: &Connection,
    entry: &Signed<AccountEntry>,
    now_ms: i64,
    news_for: &mut Vec<AccountId>,
) -> Result<(), StoreError> {
    let AccountEntry { account, seq, .. } = entry.unverified();
    c.prepare_cached(
        "INSERT INTO account_entry (account, seq, hash, body, stored_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![account.as_bytes(), int(*seq), entry.hash().as_bytes(), encode(entry), now_ms])?;
    for reader in members::sharing_with(c, *account)? {
        inbox::deliver(c, reader, inbox::Kind::AccountEntry, account.as_bytes(), *seq)?;
        news_for.push(reader);
    }
    Ok(())
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
