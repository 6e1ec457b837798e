//! Recovery helpers: the server's part, and who asks for it. A request is kept for any account, also for one that is not here, so
//! that nothing that is answered before the wait is over tells which. Requests for one account stand beside each other.

use mecum_seal::{AccountId, Hash32, SecretKey32};
use mecum_sync::limits::{
    HELPERS_STOPPED_MS, HELPERS_USE_MS, HELPERS_WAIT_DAYS, MAX_ITEMS, MAX_OTHER_REQUESTS, MAX_PAGE_BYTES,
};
use mecum_sync::{
    AccountBody, AccountEntry, HELPERS_SIGNER, HelpersNotice, HelpersRequest, HelpersStage, Refusal,
    RefusalCode, Signed, encode, helping,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{accounts, hash32, int, stored};
use crate::store::{Asking, Given, StoreError};

const WAIT_MS: i64 = HELPERS_WAIT_DAYS as i64 * 24 * 60 * 60 * 1_000;

/// Takes a request beside whatever else is open, unless a device stopped what was asked lately. There is no number of places that
/// somebody could fill: nothing tells who asks rightly from who does not, so no request ever gives way to another.
pub(super) fn ask(
    c: &Connection,
    request: &Signed<HelpersRequest>,
    now_ms: i64,
) -> Result<Result<Asking, Refusal>, StoreError> {
    let (account, named) = (request.unverified().account, request.hash());
    if let Some(known) = asking(c, account, named, now_ms)? {
        return Ok(Ok(known));
    }
    let stopped_at_ms: Option<i64> = c
        .prepare_cached("SELECT max(stopped_at_ms) FROM helper_request WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    let stopped_at_ms = stopped_at_ms.filter(|at_ms| *at_ms != 0);
    if stopped_at_ms.is_some_and(|at_ms| now_ms < at_ms.saturating_add(HELPERS_STOPPED_MS)) {
        return Ok(Err(RefusalCode::RateLimited.into()));
    }
    c.prepare_cached(
        "INSERT OR REPLACE INTO helper_request (account, request, body, asked_at_ms, released_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        account.as_bytes(),
        named.as_bytes(),
        encode(request),
        now_ms,
        now_ms.saturating_add(WAIT_MS)
    ])?;
    asking(c, account, named, now_ms).map(|asking| asking.ok_or(RefusalCode::Unavailable.into()))
}

/// A request for an account, until it is over.
pub(super) fn asking(
    c: &Connection,
    account: AccountId,
    named: Hash32,
    now_ms: i64,
) -> Result<Option<Asking>, StoreError> {
    let row: Option<(Vec<u8>, i64, i64, i64)> = c
        .prepare_cached(
            "SELECT body, asked_at_ms, released_at_ms, stopped_at_ms FROM helper_request
             WHERE account = ?1 AND request = ?2",
        )?
        .query_row(params![account.as_bytes(), named.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((body, asked_at_ms, released_at_ms, stopped_at_ms)) = row else { return Ok(None) };
    let over_at_ms = if stopped_at_ms == 0 {
        released_at_ms.saturating_add(HELPERS_USE_MS)
    } else {
        stopped_at_ms.saturating_add(HELPERS_STOPPED_MS)
    };
    if now_ms >= over_at_ms {
        return Ok(None);
    }
    let (stage, again_at_ms) = match stopped_at_ms {
        0 if now_ms < released_at_ms => (HelpersStage::Waiting, asked_at_ms),
        0 => (HelpersStage::Released, asked_at_ms),
        _ => (HelpersStage::Stopped, over_at_ms),
    };
    let request = stored(&body, "request by helpers")?;
    Ok(Some(Asking { request, stage, asked_at_ms, released_at_ms, again_at_ms }))
}

/// The server's part and the log of an account whose request is released.
pub(super) fn given(
    c: &Connection,
    account: AccountId,
    after: u64,
) -> Result<Result<Given, Refusal>, StoreError> {
    let log = accounts::log(c, account)?;
    let set = log.as_ref().and_then(|log| log.helpers()).map(|helpers| helping::set_hash(&helpers.set));
    let kept: Option<(Vec<u8>, Vec<u8>)> = c
        .prepare_cached("SELECT set_hash, part FROM helper_part WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let part = kept.filter(|(of, _)| set.is_some_and(|set| of == set.as_bytes())).map(|(_, part)| part);
    // No such account, none with helpers, or its part never came: one answer.
    let Some(part) = part else { return Ok(Err(RefusalCode::NotFound.into())) };
    let part: [u8; 32] = part.try_into().map_err(|_| StoreError::Stored { what: "part" })?;
    let mut given = Given { part: SecretKey32::from_bytes(part), entries: Vec::new(), more: false };
    (given.entries, given.more) = log_page(c, account, after)?;
    Ok(Ok(given))
}

/// The entries of an account's log after one, as many as fit into an answer; and whether there are more.
pub(super) fn log_page(
    c: &Connection,
    account: AccountId,
    after: u64,
) -> Result<(Vec<Signed<AccountEntry>>, bool), StoreError> {
    let mut query =
        c.prepare_cached("SELECT body FROM account_entry WHERE account = ?1 AND seq > ?2 ORDER BY seq")?;
    let mut rows = query.query(params![account.as_bytes(), int(after)])?;
    let (mut entries, mut bytes) = (Vec::new(), 0u64);
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        bytes = bytes.saturating_add(body.len() as u64);
        let full = bytes > MAX_PAGE_BYTES || entries.len() >= MAX_ITEMS;
        if full && !entries.is_empty() {
            return Ok((entries, true));
        }
        entries.push(stored(&body, "account entry")?);
    }
    Ok((entries, false))
}

/// Keeps the server's part, if it is of the set that the account's log names now.
pub(super) fn put_part(
    c: &Connection,
    account: AccountId,
    set: Hash32,
    part: &SecretKey32,
) -> Result<Result<(), Refusal>, StoreError> {
    let log = accounts::log(c, account)?;
    let named = log.as_ref().and_then(|log| log.helpers()).map(|helpers| helping::set_hash(&helpers.set));
    if named != Some(set) {
        return Ok(Err(RefusalCode::BadEntry.into()));
    }
    c.prepare_cached("INSERT OR REPLACE INTO helper_part (account, set_hash, part) VALUES (?1, ?2, ?3)")?
        .execute(params![account.as_bytes(), set.as_bytes(), part.expose()])?;
    Ok(Ok(()))
}

/// Stops every request that is open: if the named one is among them, or whichever they are. So a stop that is said again, after its
/// answer was lost, ends nothing that was asked since.
pub(super) fn stop(
    c: &Connection,
    account: AccountId,
    named: Option<Hash32>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let used_up_ms = now_ms.saturating_sub(HELPERS_USE_MS);
    if let Some(named) = named {
        let is_open: bool = c
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM helper_request
                 WHERE account = ?1 AND request = ?2 AND stopped_at_ms = 0 AND released_at_ms > ?3)",
            )?
            .query_row(params![account.as_bytes(), named.as_bytes(), used_up_ms], |row| row.get(0))?;
        if !is_open {
            return Ok(());
        }
    }
    c.prepare_cached(
        "UPDATE helper_request SET stopped_at_ms = ?2
         WHERE account = ?1 AND stopped_at_ms = 0 AND released_at_ms > ?3",
    )?
    .execute(params![account.as_bytes(), now_ms, used_up_ms])?;
    Ok(())
}

/// What an entry of the account's log means for what is asked: other helpers make the old part and requests good for nothing; who came
/// back by the helpers has what was asked for; who came back by the kit is there to be told.
pub(super) fn on_entry(c: &Connection, entry: &Signed<AccountEntry>, now_ms: i64) -> Result<(), StoreError> {
    let AccountEntry { account, signer, body, .. } = entry.unverified();
    match body {
        AccountBody::SetHelpers { .. } => {
            c.prepare_cached("DELETE FROM helper_part WHERE account = ?1")?.execute([account.as_bytes()])?;
            stop(c, *account, None, now_ms)
        }
        AccountBody::Recover { .. } if *signer == HELPERS_SIGNER => {
            c.prepare_cached("DELETE FROM helper_request WHERE account = ?1")?
                .execute([account.as_bytes()])?;
            Ok(())
        }
        AccountBody::Recover { .. } => stop(c, *account, None, now_ms),
        _ => Ok(()),
    }
}

/// What the devices of an account with helpers are told, as long as requests are open: the one that is released first, and how many
/// more there are.
pub(super) fn notice(
    c: &Connection,
    account: AccountId,
    now_ms: i64,
) -> Result<Option<HelpersNotice>, StoreError> {
    let used_up_ms = now_ms.saturating_sub(HELPERS_USE_MS);
    let first: Option<(Vec<u8>, i64, i64)> = c
        .prepare_cached(
            "SELECT request, asked_at_ms, released_at_ms FROM helper_request
             WHERE account = ?1 AND stopped_at_ms = 0 AND released_at_ms > ?2
             ORDER BY released_at_ms, request LIMIT 1",
        )?
        .query_row(params![account.as_bytes(), used_up_ms], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((request, asked_at_ms, released_at_ms)) = first else { return Ok(None) };
    if accounts::log(c, account)?.is_none_or(|log| log.helpers().is_none()) {
        return Ok(None);
    }
    // However many there are, no more are looked at than are said.
    let open: u32 = c
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM helper_request
             WHERE account = ?1 AND stopped_at_ms = 0 AND released_at_ms > ?2 LIMIT ?3)",
        )?
        .query_row(params![account.as_bytes(), used_up_ms, MAX_OTHER_REQUESTS + 1], |row| row.get(0))?;
    let others = open.checked_sub(1).filter(|others| *others > 0);
    Ok(Some(HelpersNotice { request: hash32(&request)?, asked_at_ms, released_at_ms, others }))
}

/// Forgets requests that are over.
pub(super) fn sweep(c: &Connection, now_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached(
        "DELETE FROM helper_request WHERE ?1 >= CASE stopped_at_ms
         WHEN 0 THEN released_at_ms + ?2 ELSE stopped_at_ms + ?3 END",
    )?
    .execute([now_ms, HELPERS_USE_MS, HELPERS_STOPPED_MS])?;
    Ok(())
}
