//! Mailboxes of pairings and invitations: three sealed messages, each put once, gone after a quarter of an hour, or after the
//! days that an invitation asked for.

use mecum_sync::limits::{MAILBOX_LIFE_MS, MAX_MAILBOX_BYTES};
use mecum_sync::{Refusal, RefusalCode};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{Slot, StoreError};

/// Most mailboxes at a time.
const MAX_MAILBOXES: i64 = 10_000;
/// Most of these that live for days: pairing always has room.
const MAX_LONG_MAILBOXES: i64 = 5_000;

pub(super) fn put(
    c: &Connection,
    mailbox: [u8; 16],
    slot: Slot,
    body: &[u8],
    now_ms: i64,
    life_ms: i64,
) -> Result<Result<(), Refusal>, StoreError> {
    if body.is_empty() || body.len() > MAX_MAILBOX_BYTES {
        return Ok(Err(RefusalCode::TooLarge.into()));
    }
    sweep(c, now_ms)?;
    let there = c
        .prepare_cached("SELECT 1 FROM mailbox WHERE mailbox = ?1")?
        .query_row([mailbox], |_| Ok(()))
        .optional()?
        .is_some();
    if !there {
        if slot != Slot::Offer {
            return Ok(Err(RefusalCode::NotFound.into()));
        }
        let soon = now_ms.saturating_add(MAILBOX_LIFE_MS);
        let (count, long): (i64, i64) = c
            .prepare_cached("SELECT count(*), coalesce(sum(expires_at_ms > ?1), 0) FROM mailbox")?
            .query_row([soon], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if count >= MAX_MAILBOXES || life_ms > MAILBOX_LIFE_MS && long >= MAX_LONG_MAILBOXES {
            return Ok(Err(RefusalCode::Unavailable.into()));
        }
        c.prepare_cached("INSERT INTO mailbox (mailbox, expires_at_ms) VALUES (?1, ?2)")?
            .execute(params![mailbox, now_ms.saturating_add(life_ms)])?;
    }
    if let Some(there) = get(c, mailbox, slot, now_ms)? {
        let same = there == body;
        return Ok(if same { Ok(()) } else { Err(RefusalCode::AlreadyExists.into()) });
    }
    let sql = match slot {
        Slot::Offer => "UPDATE mailbox SET offer = ?2 WHERE mailbox = ?1",
        Slot::Join => "UPDATE mailbox SET joining = ?2 WHERE mailbox = ?1",
        Slot::Welcome => "UPDATE mailbox SET welcome = ?2 WHERE mailbox = ?1",
    };
    c.prepare_cached(sql)?.execute(params![mailbox, body])?;
    Ok(Ok(()))
}

pub(super) fn get(
    c: &Connection,
    mailbox: [u8; 16],
    slot: Slot,
    now_ms: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = match slot {
        Slot::Offer => "SELECT offer FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
        Slot::Join => "SELECT joining FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
        Slot::Welcome => "SELECT welcome FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
    };
    let body: Option<Option<Vec<u8>>> =
        c.prepare_cached(sql)?.query_row(params![mailbox, now_ms], |row| row.get(0)).optional()?;
    Ok(body.flatten())
}

pub(super) fn sweep(c: &Connection, now_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached("DELETE FROM mailbox WHERE expires_at_ms <= ?1")?.execute([now_ms])?;
    Ok(())
}
