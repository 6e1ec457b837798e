//! Spaces: their membership logs, appended by compare-and-swap.

use mecum_seal::{AccountId, SpaceId};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::{Refusal, RefusalCode, Signed, SpaceEntry, SpaceLog, SpaceLogError, encode};
use rusqlite::{Connection, OptionalExtension, params};

use super::{accounts, inbox, int, stored, uint};
use crate::store::{StoreError, Wanted};

/// A space as it stands.
pub(super) struct Space {
    pub(super) log: SpaceLog,
    pub(super) space_seq: u64,
}

pub(super) fn load(c: &Connection, space: SpaceId) -> Result<Option<Space>, StoreError> {
    let row: Option<(Vec<u8>, i64)> = c
        .prepare_cached("SELECT state, space_seq FROM space WHERE space = ?1")?
        .query_row([space.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, space_seq)) = row else { return Ok(None) };
    Ok(Some(Space { log: stored(&state, "space log")?, space_seq: uint(space_seq)? }))
}

/// Appends an entry to a space's log, or founds the space.
pub(super) fn append(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<SpaceEntry>,
    news_for: &mut Vec<AccountId>,
) -> Result<Result<(), Refusal>, StoreError> {
    let account = wanted.author.account;
    let SpaceEntry { space, seq, account: actor, device, .. } = *entry.unverified();
    if actor != account {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let Some(signer) = accounts::log(c, account)?.and_then(|log| log.device(device).map(|d| d.signing))
    else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    let Some(mut known) = load(c, space)? else {
        return found(c, wanted, entry, &signer, news_for);
    };
    if known.log.role(account).is_none() {
        // Somebody else's space: the id is all that this says, and the asker had it.
        return Ok(Err(RefusalCode::UnknownSpace.into()));
    }
    if known.log.head_at(seq).is_some_and(|hash| hash == entry.hash()) {
        return Ok(Ok(()));
    }
    if let Err(error) = known.log.append(entry, &signer) {
        return Ok(Err(refusal(error, &known.log)));
    }
    if let Err(refusal) = accounts::charge(c, account, encode(entry).len() as u64, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    c.prepare_cached("UPDATE space SET state = ?2 WHERE space = ?1")?
        .execute(params![space.as_bytes(), encode(&known.log)])?;
    keep_entry(c, &known, entry, wanted.now_ms, news_for)?;
    Ok(Ok(()))
}

fn found(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<SpaceEntry>,
    signer: &mecum_seal::VerifyingKey,
    news_for: &mut Vec<AccountId>,
) -> Result<Result<(), Refusal>, StoreError> {
    let account = wanted.author.account;
    if entry.unverified().seq != 1 {
        return Ok(Err(RefusalCode::UnknownSpace.into()));
    }
    let log = match SpaceLog::found(entry, signer) {
        Ok(log) => log,
        Err(SpaceLogError::BadSignature) => return Ok(Err(RefusalCode::BadSignature.into())),
        Err(_) => return Ok(Err(RefusalCode::BadEntry.into())),
    };
    if log.relay().is_some_and(|home| *home != wanted.relay) {
        return Ok(Err(RefusalCode::WrongRelay.into()));
    }
    if let Err(refusal) = accounts::charge(c, account, encode(entry).len() as u64, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    let spaces: i64 = c
        .prepare_cached("UPDATE account SET spaces = spaces + 1 WHERE account = ?1 RETURNING spaces")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    if uint(spaces)? > wanted.quota.spaces {
        return Ok(Err(RefusalCode::Quota.into()));
    }
    let space = Space { log, space_seq: 0 };
    c.prepare_cached("INSERT INTO space (space, state) VALUES (?1, ?2)")?
        .execute(params![space.log.space().as_bytes(), encode(&space.log)])?;
    keep_entry(c, &space, entry, wanted.now_ms, news_for)?;
    Ok(Ok(()))
}

fn keep_entry(
    c: &Connection,
    space: &Space,
    entry: &Signed<SpaceEntry>,
    now_ms: i64,
    news_for: &mut Vec<AccountId>,
) -> Result<(), StoreError> {
    let seq = entry.unverified().seq;
    let id = space.log.space();
    c.prepare_cached(
        "INSERT INTO space_entry (space, seq, hash, body, space_seq, stored_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        id.as_bytes(),
        int(seq),
        entry.hash().as_bytes(),
        encode(entry),
        int(space.space_seq),
        now_ms
    ])?;
    for account in inbox::readers(&space.log) {
        inbox::deliver(c, account, inbox::Kind::SpaceEntry, id.as_bytes(), seq)?;
        news_for.push(account);
    }
    Ok(())
}

fn refusal(error: SpaceLogError, log: &SpaceLog) -> Refusal {
    let code = match error {
        SpaceLogError::StaleHead => {
            let last = Some(LastAccepted { seq: log.entries(), hash: log.head() });
            return Refusal { code: RefusalCode::StaleHead, last };
        }
        SpaceLogError::BadSignature => RefusalCode::BadSignature,
        SpaceLogError::NotManager => RefusalCode::NotMember,
        _ => RefusalCode::BadEntry,
    };
    code.into()
}
