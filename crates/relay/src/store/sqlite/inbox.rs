//! Inboxes: one gap-free row of positions for each account, taken in the transaction that stores what they point to, so
//! that no reader can skip anything.

use std::collections::BTreeMap;

use mecum_seal::{AccountId, SpaceId};
use mecum_sync::limits::{MAX_ITEMS, MAX_PAGE_BYTES};
use mecum_sync::{Push, Refusal, RefusalCode, Signed, SpaceEntry, SpaceLog, Statement};
use rusqlite::{Connection, OptionalExtension, params};

use super::{accounts, backup, int, pruning, snapshots, spaces, stored, uint};
use crate::store::{Asked, Author, Page, PlacedEntry, StoreError, StoredItem};

/// What a position is to point to: its kind, the account or space, and the number in it.
pub(super) type Row = (Kind, Vec<u8>, u64);

/// What a position points to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    AccountEntry = 1,
    SpaceEntry = 2,
    Push = 3,
    Snapshot = 4,
    /// The snapshot that stood for what was pruned when the account was let in.
    Base = 5,
}

/// The accounts that get what is new in a space, in a fixed order: locks are always taken in it.
pub(super) fn readers(log: &SpaceLog) -> Vec<AccountId> {
    let mut accounts: Vec<_> = log.members().iter().map(|member| member.account).collect();
    accounts.sort_unstable();
    accounts
}

/// Puts one position at the end of an account's inbox.
pub(super) fn deliver(
    c: &Connection,
    account: AccountId,
    kind: Kind,
    log: &[u8],
    number: u64,
) -> Result<(), StoreError> {
    // A member without an account here has no inbox: nothing to put.
    let position: Option<i64> = c
        .prepare_cached(
            "UPDATE account SET inbox_head = inbox_head + 1 WHERE account = ?1 RETURNING inbox_head",
        )?
        .query_row([account.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(position) = position else { return Ok(()) };
    c.prepare_cached("INSERT INTO inbox (account, position, kind, log, number) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![account.as_bytes(), position, kind as i64, log, int(number)])?;
    Ok(())
}

/// Puts many positions at the end of an account's inbox, in order.
pub(super) fn deliver_all(c: &Connection, account: AccountId, rows: &[Row]) -> Result<(), StoreError> {
    let head: Option<i64> = c
        .prepare_cached(
            "UPDATE account SET inbox_head = inbox_head + ?2 WHERE account = ?1 RETURNING inbox_head",
        )?
        .query_row(params![account.as_bytes(), int(rows.len() as u64)], |row| row.get(0))
        .optional()?;
    let Some(head) = head else { return Ok(()) };
    let mut insert = c.prepare_cached(
        "INSERT INTO inbox (account, position, kind, log, number) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (back, (kind, log, number)) in (0..rows.len() as u64).rev().zip(rows) {
        let position = head.saturating_sub(int(back));
        insert.execute(params![account.as_bytes(), position, *kind as i64, log, int(*number)])?;
    }
    Ok(())
}

/// The last position of an account's inbox.
pub(super) fn head(c: &Connection, account: AccountId) -> Result<u64, StoreError> {
    let head = c
        .prepare_cached("SELECT inbox_head FROM account WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    uint(head)
}

/// The page after `cursor`.
pub(super) fn page(
    c: &Connection,
    author: &Author,
    asked: Asked,
) -> Result<Result<Page, Refusal>, StoreError> {
    let cursor = asked.cursor;
    if accounts::log(c, author.account)?.is_none_or(|log| log.device(author.device).is_none()) {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    }
    let head = head(c, author.account)?;
    if !backup::is_cursor(c, author.account, cursor)? {
        return Ok(Err(RefusalCode::Resync.into()));
    }
    let mut page = Page { items: Vec::new(), cursor, more: false, shown: None, to_verify: Vec::new() };
    if let Some(space) = asked.show {
        page.shown = pruning::show(c, author, space)?;
    }
    if cursor == head {
        page.to_verify = pruning::to_verify(c, author, asked.prune_envelopes)?;
        return Ok(Ok(page));
    }
    let max_bytes = asked.max_bytes.min(MAX_PAGE_BYTES);
    let folded = folded(c, author.account, asked)?;
    let mut bytes = 0u64;
    let mut readable = BTreeMap::new();
    // Where the page stood before the entry that the logs behind it belong to: its items and its cursor.
    let mut before_entry: Option<(usize, u64)> = None;
    let mut query = c.prepare_cached(
        "SELECT position, kind, log, number FROM inbox WHERE account = ?1 AND position > ?2 ORDER BY position",
    )?;
    let mut rows = query.query(params![author.account.as_bytes(), int(cursor)])?;
    while let Some(row) = rows.next()? {
        let (position, kind): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (log, number): (Vec<u8>, i64) = (row.get(2)?, row.get(3)?);
        let in_snapshot = kind == Kind::Push as i64 && folded.get(&log).is_some_and(|at| position < *at);
        if in_snapshot {
            page.cursor = uint(position)?;
            continue;
        }
        if kind == Kind::Push as i64 && is_pruned(c, author, &log, number)? {
            return Ok(Err(RefusalCode::Resync.into()));
        }
        // Who is let in and their log come on one page: of a member without a log a reader knows no key.
        let belongs = kind == Kind::AccountEntry as i64 && log != author.account.as_bytes();
        if !belongs {
            let is_entry = kind == Kind::SpaceEntry as i64;
            before_entry = is_entry.then_some((page.items.len(), page.cursor));
        }
        let whole = folded.get(&log) == Some(&position);
        if let Some((item, size)) = load(c, author, &mut readable, (kind, whole), &log, number)? {
            let bytes_then = bytes.saturating_add(size);
            let goes_along = belongs && before_entry.is_some_and(|(items, _)| items == 0);
            let most = if goes_along { MAX_PAGE_BYTES } else { max_bytes };
            let full = bytes_then > most || page.items.len() >= MAX_ITEMS;
            if full && !page.items.is_empty() {
                if let Some((items, cursor)) = before_entry.filter(|(items, _)| belongs && *items > 0) {
                    page.items.truncate(items);
                    page.cursor = cursor;
                }
                break;
            }
            bytes = bytes.saturating_add(size);
            page.items.push(item);
        }
        page.cursor = uint(position)?;
    }
    page.more = page.cursor < head;
    if !page.more {
        page.to_verify = pruning::to_verify(c, author, asked.prune_envelopes)?;
    }
    Ok(Ok(page))
}

/// Where the snapshot that is to be shown of each space stands in an inbox: by space, the position. Every push before it is in it.
///
/// Who begins from snapshots gets the latest; who reads from the start, the one that stands for what was pruned; anybody else that
/// one too, where it was put into the inbox for whom it let in.
fn folded(c: &Connection, account: AccountId, asked: Asked) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
    let mut query = c.prepare_cached(
        "SELECT i.log, max(i.position) FROM inbox i
         WHERE i.account = ?1 AND i.position > ?4 AND i.kind >= ?2 AND i.kind <= 5 AND EXISTS (
             SELECT 1 FROM fold f WHERE f.space = i.log AND f.space_seq = i.number AND f.pruned_at_ms > 0
             UNION ALL
             SELECT 1 FROM snapshot s WHERE ?3 AND s.space = i.log AND s.space_seq = i.number)
         GROUP BY i.log",
    )?;
    let over = asked.from_snapshots || asked.over_pruned;
    let kind = if over { Kind::Snapshot } else { Kind::Base };
    let params = params![account.as_bytes(), kind as i64, asked.from_snapshots, int(asked.cursor)];
    let rows = query.query_map(params, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<Result<_, _>>().map_err(StoreError::from)
}

/// Whether a push cannot be handed to somebody any more: its envelopes were pruned, and it is not their own.
fn is_pruned(c: &Connection, author: &Author, space: &[u8], push: i64) -> Result<bool, StoreError> {
    let pruned: bool = c
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM push p JOIN fold f ON f.space = p.space AND f.pruned_at_ms > 0
             WHERE p.push = ?1 AND p.space = ?2 AND p.envelopes > 0 AND p.first_space_seq <= f.space_seq
               AND NOT (p.device = ?3 AND p.incarnation = ?4))",
        )?
        .query_row(params![push, space, author.device.as_bytes(), author.incarnation.as_bytes()], |row| {
            row.get(0)
        })?;
    if !pruned {
        return Ok(false);
    }
    // To whom is in it no more nothing of it is handed on anyway.
    Ok(reach(c, author.account, space)? == Reach::All)
}

/// How far an account may read in a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It is a member.
    All,
    /// Its stay ended with this entry of the membership log: it may read entries up to there, so that its device can tell
    /// why, and nothing else.
    EntriesTo(u64),
    /// It never was a member.
    Nothing,
}

fn reach(c: &Connection, account: AccountId, space: &[u8]) -> Result<Reach, StoreError> {
    let space = SpaceId::from_slice(space).ok_or(StoreError::Stored { what: "space id" })?;
    let Some(space) = spaces::load(c, space)? else { return Ok(Reach::Nothing) };
    if space.log.role(account).is_some() {
        return Ok(Reach::All);
    }
    Ok(space.log.ended(account).map_or(Reach::Nothing, Reach::EntriesTo))
}

/// One item with its size in bytes; none if the account may no longer read it.
fn load(
    c: &Connection,
    author: &Author,
    readable: &mut BTreeMap<Vec<u8>, Reach>,
    (kind, whole): (i64, bool),
    log: &[u8],
    number: i64,
) -> Result<Option<(StoredItem, u64)>, StoreError> {
    if kind == Kind::AccountEntry as i64 {
        let body: Vec<u8> = c
            .prepare_cached("SELECT body FROM account_entry WHERE account = ?1 AND seq = ?2")?
            .query_row(params![log, number], |row| row.get(0))?;
        return Ok(Some((StoredItem::AccountEntry(stored(&body, "account entry")?), body.len() as u64)));
    }
    let reach = match readable.get(log) {
        Some(known) => *known,
        None => reach(c, author.account, log)?,
    };
    readable.insert(log.to_vec(), reach);
    let is_entry = kind == Kind::SpaceEntry as i64;
    let may_read = match reach {
        Reach::All => true,
        Reach::EntriesTo(last) => is_entry && uint(number)? <= last,
        Reach::Nothing => false,
    };
    if !may_read {
        return Ok(None);
    }
    if is_entry {
        return load_space_entry(c, log, number).map(Some);
    }
    if kind == Kind::Base as i64 && !whole {
        return Ok(None);
    }
    if kind == Kind::Snapshot as i64 || kind == Kind::Base as i64 {
        return snapshots::load(c, log, number, whole);
    }
    load_push(c, author, number).map(Some)
}

fn load_space_entry(c: &Connection, space: &[u8], seq: i64) -> Result<(StoredItem, u64), StoreError> {
    let (body, space_seq, stored_at_ms): (Vec<u8>, i64, i64) = c
        .prepare_cached(
            "SELECT body, space_seq, stored_at_ms FROM space_entry WHERE space = ?1 AND seq = ?2",
        )?
        .query_row(params![space, seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let entry: Signed<SpaceEntry> = stored(&body, "space entry")?;
    let placed = PlacedEntry { entry, space_seq: uint(space_seq)?, stored_at_ms };
    Ok((StoredItem::SpaceEntry(placed), body.len() as u64 + 192))
}

fn load_push(c: &Connection, author: &Author, push: i64) -> Result<(StoredItem, u64), StoreError> {
    let (device, incarnation, first_space_seq, count, signed): (Vec<u8>, Vec<u8>, i64, i64, Vec<u8>) = c
        .prepare_cached(
            "SELECT device, incarnation, first_space_seq, envelopes, statement FROM push WHERE push = ?1",
        )?
        .query_row([push], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    let statement: Signed<Statement> = stored(&signed, "statement")?;
    let first_space_seq = uint(first_space_seq)?;
    let mut size = signed.len() as u64 + 16;
    if device == author.device.as_bytes() && incarnation == author.incarnation.as_bytes() {
        let count = uint(count)?;
        return Ok((StoredItem::Own { first_space_seq, count, statement }, size));
    }
    let space = statement.unverified().space;
    let envelopes = c
        .prepare_cached(
            "SELECT body FROM envelope WHERE space = ?1 AND space_seq >= ?2 AND space_seq < ?3 ORDER BY space_seq",
        )?
        .query_map(
            params![space.as_bytes(), int(first_space_seq), int(first_space_seq).saturating_add(count)],
            |row| row.get::<_, Vec<u8>>(0),
        )?
        .collect::<Result<Vec<_>, _>>()?;
    size += envelopes.iter().map(|body| body.len() as u64 + 5).sum::<u64>();
    Ok((StoredItem::Batch { first_space_seq, push: Push { envelopes, statement } }, size))
}
