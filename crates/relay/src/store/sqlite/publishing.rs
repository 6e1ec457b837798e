//! Pages that hosts publish. The relay keeps one of each name, of whoever came first with it, and does not read it.

use mecum_seal::AccountId;
use mecum_sync::limits::MAX_PUBLISHED_PAGES;
use mecum_sync::{PageName, Refusal, RefusalCode};
use rusqlite::{Connection, OptionalExtension, params};

use super::{int, uint};
use crate::store::{PublicPage, StoreError};

/// Whether an account may publish.
fn is_host(c: &Connection, account: AccountId) -> Result<bool, StoreError> {
    let host: Option<bool> = c
        .prepare_cached("SELECT host FROM account WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(host == Some(true))
}

/// The page of a name.
pub(super) fn page(c: &Connection, name: PageName) -> Result<Option<PublicPage>, StoreError> {
    let found: Option<(i64, Vec<u8>)> = c
        .prepare_cached("SELECT number, body FROM public_page WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(number, body)| Ok(PublicPage { number: uint(number)?, body })).transpose()
}

/// Keeps a page of a host. The same again is accepted again; anything else under a number that is not higher is refused.
pub(super) fn put(
    c: &Connection,
    account: AccountId,
    name: PageName,
    page: &PublicPage,
    now_ms: i64,
) -> Result<Result<(), Refusal>, StoreError> {
    if !is_host(c, account)? {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let there: Option<(Vec<u8>, i64, Vec<u8>)> = c
        .prepare_cached("SELECT account, number, body FROM public_page WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match there {
        Some((owner, ..)) if owner != account.as_bytes() => return Ok(Err(RefusalCode::NotYours.into())),
        Some((_, number, body)) if uint(number)? >= page.number => {
            let same = uint(number)? == page.number && body == page.body;
            return Ok(if same { Ok(()) } else { Err(RefusalCode::AlreadyExists.into()) });
        }
        Some(_) => {}
        None => {
            let pages: i64 = c
                .prepare_cached("SELECT count(*) FROM public_page WHERE account = ?1")?
                .query_row([account.as_bytes()], |row| row.get(0))?;
            if uint(pages)? >= MAX_PUBLISHED_PAGES {
                return Ok(Err(RefusalCode::Quota.into()));
            }
        }
    }
    c.prepare_cached(
        "INSERT INTO public_page (name, account, number, body, stored_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET number = ?3, body = ?4, stored_at_ms = ?5",
    )?
    .execute(params![name, account.as_bytes(), int(page.number), page.body, now_ms])?;
    Ok(Ok(()))
}
