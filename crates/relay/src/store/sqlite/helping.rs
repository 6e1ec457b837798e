//! Recovery helpers: the server's part, and who asks for it. A request is kept for any account, also for one that is not here, so
//! that nothing that is answered before the wait is over tells which.

use mecum_seal::{AccountId, Hash32, SecretKey32};
use mecum_sync::limits::{
    HELPERS_ASK_EVERY_MS, HELPERS_STOPPED_MS, HELPERS_USE_MS, HELPERS_WAIT_DAYS, MAX_ITEMS, MAX_PAGE_BYTES,
};
use mecum_sync::{
    AccountBody, AccountEntry, HELPERS_SIGNER, HelpersNotice, HelpersRequest, HelpersStage, Refusal,
    RefusalCode, Signed, encode, helping,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{accounts, int, stored};
use crate::store::{Asking, Given, StoreError};

const WAIT_MS: i64 = HELPERS_WAIT_DAYS as i64 * 24 * 60 * 60 * 1_000;

/// Takes a request, unless one is open, was stopped lately, or was taken within a day.
pub(super) fn ask(
    c: &Connection,
    request: &Signed<HelpersRequest>,
    now_ms: i64,
) -> Result<Result<Asking, Refusal>, StoreError> {
    let account = request.unverified().account;
    if let Some(last) = asking(c, account, now_ms)? {
        if last.request.hash() == request.hash() {
            return Ok(Ok(last));
        }
        if now_ms < last.again_at_ms {
            return Ok(Err(RefusalCode::RateLimited.into()));
        }
    }
    c.prepare_cached(
        "INSERT OR REPLACE INTO helper_request (account, request, body, asked_at_ms, released_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        account.as_bytes(),
        request.hash().as_bytes(),
        encode(request),
        now_ms,
        now_ms.saturating_add(WAIT_MS)
    ])?;
    asking(c, account, now_ms).map(|asking| asking.ok_or(RefusalCode::Unavailable.into()))
}

/// The last request for an account, until it is over and another may be made.
pub(super) fn asking(c: &Connection, account: AccountId, now_ms: i64) -> Result<Option<Asking>, StoreError> {
    let row: Option<(Vec<u8>, i64, i64, i64)> = c
        .prepare_cached(
            "SELECT body, asked_at_ms, released_at_ms, stopped_at_ms FROM helper_request WHERE account = ?1",
        )?
        .query_row([account.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((body, asked_at_ms, released_at_ms, stopped_at_ms)) = row else { return Ok(None) };
    let over_at_ms = if stopped_at_ms == 0 {
        released_at_ms.saturating_add(HELPERS_USE_MS)
    } else {
        stopped_at_ms.saturating_add(HELPERS_STOPPED_MS)
    };
    let again_at_ms = over_at_ms.max(asked_at_ms.saturating_add(HELPERS_ASK_EVERY_MS));
    if now_ms >= again_at_ms {
        return Ok(None);
    }
    let stage = match stopped_at_ms {
        0 if now_ms < released_at_ms => HelpersStage::Waiting,
        0 => HelpersStage::Released,
        _ => HelpersStage::Stopped,
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

/// Stops the open request: the named one, or whichever it is.
pub(super) fn stop(
    c: &Connection,
    account: AccountId,
    request: Option<Hash32>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let request = request.as_ref().map(Hash32::as_bytes);
    c.prepare_cached(
        "UPDATE helper_request SET stopped_at_ms = ?3
         WHERE account = ?1 AND (?2 IS NULL OR request = ?2) AND stopped_at_ms = 0 AND released_at_ms + ?4 > ?3",
    )?
    .execute(params![account.as_bytes(), request, now_ms, HELPERS_USE_MS])?;
    Ok(())
}

/// What an entry of the account's log means for what is asked: other helpers make the old part and request good for nothing; who came
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

/// What the devices of an account with helpers are told, as long as a request is open.
pub(super) fn notice(
    c: &Connection,
    account: AccountId,
    now_ms: i64,
) -> Result<Option<HelpersNotice>, StoreError> {
    let Some(asking) = asking(c, account, now_ms)? else { return Ok(None) };
    let has_helpers = accounts::log(c, account)?.is_some_and(|log| log.helpers().is_some());
    if asking.stage == HelpersStage::Stopped || !has_helpers {
        return Ok(None);
    }
    let Asking { request, asked_at_ms, released_at_ms, .. } = asking;
    Ok(Some(HelpersNotice { request: request.hash(), asked_at_ms, released_at_ms }))
}

/// Forgets requests that are over.
pub(super) fn sweep(c: &Connection, now_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached(
        "DELETE FROM helper_request WHERE ?1 >= asked_at_ms + ?2 AND ?1 >= CASE stopped_at_ms
         WHEN 0 THEN released_at_ms + ?3 ELSE stopped_at_ms + ?4 END",
    )?
    .execute([now_ms, HELPERS_ASK_EVERY_MS, HELPERS_USE_MS, HELPERS_STOPPED_MS])?;
    Ok(())
}
