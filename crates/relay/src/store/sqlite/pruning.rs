//! Pruning: what devices signed about a stored snapshot, the snapshot that waits for its 90 days, and the one that stands for
//! envelopes whose bodies are gone.
//!
//! The relay cannot judge a snapshot. It goes by two different devices of members, one of them the owner's, and by time: a
//! mistake or a theft that is noticed within it can still be cut out of the envelopes.

use mecum_seal::{AccountId, DeviceId, SpaceId, VerifyingKey};
use mecum_sync::snapshot::FoldedChain;
use mecum_sync::{
    Chain, Refusal, RefusalCode, Signed, SpaceLog, SpaceSnapshot, StoredSnapshot, Verified, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{accounts, int, members, spaces, stored, uint};
use crate::store::{Author, StoreError, Wanted};

/// How long a snapshot that two devices verified waits before what it covers is pruned (DESIGN section 6).
pub(crate) const PRUNE_AFTER_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// How many different devices must have verified a snapshot (DESIGN section 6).
const DEVICES: usize = 2;

/// Most spaces that one answer names as waiting to be verified: a device fetches one at a time.
const MAX_TO_VERIFY: i64 = 8;

/// Takes what the signed-in device says of the stored snapshot of a space. True if it is said for the first time.
pub(super) fn keep(
    c: &Connection,
    wanted: &Wanted,
    signer: &VerifyingKey,
    signed: &Signed<Verified>,
) -> Result<Result<bool, Refusal>, StoreError> {
    let author = &wanted.author;
    let body = signed.unverified();
    if body.device != author.device || body.incarnation != author.incarnation {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let space = spaces::load(c, body.space)?.filter(|space| space.log.role(author.account).is_some());
    let Some(space) = space else { return Ok(Err(RefusalCode::UnknownSpace.into())) };
    if signed.verify(signer).is_err() {
        return Ok(Err(RefusalCode::BadSignature.into()));
    }
    if space.log.seq_of(body.membership_head).is_none() {
        return Ok(Err(RefusalCode::BadMembershipHead.into()));
    }
    let Some(latest) = Row::latest(c, body.space)? else {
        return Ok(Err(RefusalCode::StaleHead.into()));
    };
    // Another snapshot may have taken its place meanwhile: then it is that one's turn.
    if latest.snapshot()?.signed.hash() != body.snapshot {
        return Ok(Err(RefusalCode::StaleHead.into()));
    }
    let fresh = c
        .prepare_cached(
            "INSERT OR IGNORE INTO verified (space, space_seq, device, account, body, seen_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            body.space.as_bytes(),
            int(latest.space_seq),
            author.device.as_bytes(),
            author.account.as_bytes(),
            encode(signed),
            wanted.now_ms
        ])?;
    if enough(c, &space.log, latest.space_seq)? && waiting(c, body.space)?.is_none() {
        latest.wait(c, body.space, wanted)?;
    }
    Ok(Ok(fresh > 0))
}

/// Whether two different devices that are live now verified a snapshot, one of them of the space's owner: a guest's devices alone
/// cannot take an owner's envelopes away.
fn enough(c: &Connection, log: &SpaceLog, space_seq: u64) -> Result<bool, StoreError> {
    let mut query = c.prepare_cached("SELECT device FROM verified WHERE space = ?1 AND space_seq = ?2")?;
    let devices = query
        .query_map(params![log.space().as_bytes(), int(space_seq)], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let (mut count, mut owners) = (0, false);
    for device in devices {
        let Some(device) = DeviceId::from_slice(&device) else { continue };
        let Some((account, false)) = members::owner(c, device)? else { continue };
        if log.role(account).is_some() {
            count += 1;
            owners |= account == log.owner();
        }
    }
    Ok(count >= DEVICES && owners)
}

/// A stored snapshot, still encoded.
struct Row {
    space_seq: u64,
    account: Vec<u8>,
    body: Vec<u8>,
    statements: Vec<u8>,
}

impl Row {
    fn latest(c: &Connection, space: SpaceId) -> Result<Option<Row>, StoreError> {
        Self::read(c, "SELECT space_seq, account, body, statements FROM snapshot WHERE space = ?1", space)
    }

    fn base(c: &Connection, space: SpaceId) -> Result<Option<Row>, StoreError> {
        const SQL: &str =
            "SELECT space_seq, account, body, statements FROM fold WHERE space = ?1 AND pruned_at_ms > 0";
        Self::read(c, SQL, space)
    }

    fn waiting(c: &Connection, space: SpaceId) -> Result<Option<Row>, StoreError> {
        const SQL: &str =
            "SELECT space_seq, account, body, statements FROM fold WHERE space = ?1 AND pruned_at_ms = 0";
        Self::read(c, SQL, space)
    }

    fn read(c: &Connection, sql: &str, space: SpaceId) -> Result<Option<Row>, StoreError> {
        let mut found = c.prepare_cached(sql)?;
        let mut found = found.query([space.as_bytes()])?;
        let Some(row) = found.next()? else { return Ok(None) };
        Ok(Some(Row {
            space_seq: uint(row.get(0)?)?,
            account: row.get(1)?,
            body: row.get(2)?,
            statements: row.get(3)?,
        }))
    }

    fn snapshot(&self) -> Result<SpaceSnapshot, StoreError> {
        stored(&self.body, "snapshot")
    }

    fn whole(&self) -> Result<StoredSnapshot, StoreError> {
        Ok(StoredSnapshot { snapshot: self.snapshot()?, statements: stored(&self.statements, "statements")? })
    }

    fn chains(&self) -> Result<Vec<FoldedChain>, StoreError> {
        Ok(self.snapshot()?.signed.unverified().chains.clone())
    }

    fn size(&self) -> u64 {
        (self.body.len() + self.statements.len()) as u64
    }

    /// Keeps it beside the snapshots that come after it, until its time has passed. Not where its maker has no room for it.
    fn wait(&self, c: &Connection, space: SpaceId, wanted: &Wanted) -> Result<(), StoreError> {
        let account =
            AccountId::from_slice(&self.account).ok_or(StoreError::Stored { what: "account id" })?;
        if accounts::charge(c, account, self.size(), wanted.quota.bytes)?.is_err() {
            return give_back(c, &self.account, self.size());
        }
        c.prepare_cached(
            "INSERT OR IGNORE INTO fold (space, space_seq, account, body, statements, verified_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            space.as_bytes(),
            int(self.space_seq),
            self.account,
            self.body,
            self.statements,
            wanted.now_ms
        ])?;
        Ok(())
    }

    fn forget(&self, c: &Connection, space: SpaceId) -> Result<(), StoreError> {
        c.prepare_cached("DELETE FROM fold WHERE space = ?1 AND space_seq = ?2")?
            .execute(params![space.as_bytes(), int(self.space_seq)])?;
        give_back(c, &self.account, self.size())
    }
}

fn give_back(c: &Connection, account: &[u8], bytes: u64) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE account SET stored_bytes = max(0, stored_bytes - ?2) WHERE account = ?1")?
        .execute(params![account, int(bytes)])?;
    Ok(())
}

/// What a snapshot that waits covers.
pub(super) fn waiting(c: &Connection, space: SpaceId) -> Result<Option<u64>, StoreError> {
    covers(c, "SELECT space_seq FROM fold WHERE space = ?1 AND pruned_at_ms = 0", space)
}

fn covers(c: &Connection, sql: &str, space: SpaceId) -> Result<Option<u64>, StoreError> {
    let row: Option<i64> =
        c.prepare_cached(sql)?.query_row([space.as_bytes()], |row| row.get(0)).optional()?;
    row.map(uint).transpose()
}

/// The snapshot of a space that covers up to `space_seq`: the latest, or the one that stands for what was pruned.
pub(super) fn stored_at(
    c: &Connection,
    space: SpaceId,
    space_seq: u64,
) -> Result<Option<(StoredSnapshot, u64)>, StoreError> {
    for row in [Row::latest(c, space)?, Row::base(c, space)?].into_iter().flatten() {
        if row.space_seq == space_seq {
            return Ok(Some((row.whole()?, row.size())));
        }
    }
    Ok(None)
}

/// The stored snapshot of a space, for a member who wants to verify it.
pub(super) fn show(
    c: &Connection,
    author: &Author,
    space: SpaceId,
) -> Result<Option<StoredSnapshot>, StoreError> {
    let member = spaces::load(c, space)?.is_some_and(|space| space.log.role(author.account).is_some());
    if !member {
        return Ok(None);
    }
    Row::latest(c, space)?.map(|row| row.whole()).transpose()
}

/// The spaces of an account whose snapshot would let `at_least` envelopes or more be pruned, none waits, and the asking device has
/// not said that it is right.
pub(super) fn to_verify(c: &Connection, author: &Author, at_least: u64) -> Result<Vec<SpaceId>, StoreError> {
    let mut query = c.prepare_cached(
        "SELECT s.space FROM member m JOIN snapshot s ON s.space = m.space
         WHERE m.account = ?1
           AND s.space_seq >= ?3 + coalesce(
               (SELECT f.space_seq FROM fold f WHERE f.space = s.space AND f.pruned_at_ms > 0), 0)
           AND NOT EXISTS (SELECT 1 FROM fold f WHERE f.space = s.space AND f.pruned_at_ms = 0)
           AND NOT EXISTS (SELECT 1 FROM verified v
               WHERE v.space = s.space AND v.space_seq = s.space_seq AND v.device = ?2)
         ORDER BY s.space LIMIT ?4",
    )?;
    let rows = query.query_map(
        params![author.account.as_bytes(), author.device.as_bytes(), int(at_least), MAX_TO_VERIFY],
        |row| row.get::<_, Vec<u8>>(0),
    )?;
    rows.map(|id| SpaceId::from_slice(&id?).ok_or(StoreError::Stored { what: "space id" })).collect()
}

/// Whether the last entry's cuts leave out something of these chains.
pub(super) fn cuts_any(c: &Connection, log: &SpaceLog, chains: &[FoldedChain]) -> Result<bool, StoreError> {
    for folded in chains {
        let chain = Chain { device: folded.device, incarnation: folded.incarnation, space: log.space() };
        let Some((account, _)) = members::owner(c, folded.device)? else { continue };
        if log.voided_by_last(account, &chain, folded.head.envelope_seq).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the last entry's cuts leave out something whose envelopes were pruned: nobody could build a document without it.
pub(super) fn cuts_pruned(c: &Connection, log: &SpaceLog) -> Result<bool, StoreError> {
    match Row::base(c, log.space())? {
        Some(base) => cuts_any(c, log, &base.chains()?),
        None => Ok(false),
    }
}

/// Drops the snapshot that waits, if the last entry's cuts leave out something of it.
pub(super) fn drop_waiting(c: &Connection, log: &SpaceLog) -> Result<(), StoreError> {
    let Some(waiting) = Row::waiting(c, log.space())? else { return Ok(()) };
    if cuts_any(c, log, &waiting.chains()?)? { waiting.forget(c, log.space()) } else { Ok(()) }
}

/// Prunes what snapshots cover whose time has passed. Answers how many envelopes.
pub(super) fn sweep(c: &Connection, now_ms: i64) -> Result<u64, StoreError> {
    let due = c
        .prepare_cached(
            "SELECT space FROM fold WHERE pruned_at_ms = 0 AND verified_at_ms <= ?1 ORDER BY space",
        )?
        .query_map([now_ms.saturating_sub(PRUNE_AFTER_MS)], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut pruned = 0;
    for space in due {
        let space = SpaceId::from_slice(&space).ok_or(StoreError::Stored { what: "space id" })?;
        pruned += prune(c, space, now_ms)?;
    }
    Ok(pruned)
}

fn prune(c: &Connection, space: SpaceId, now_ms: i64) -> Result<u64, StoreError> {
    let Some(waiting) = waiting(c, space)? else { return Ok(0) };
    let place = params![space.as_bytes(), int(waiting)];
    let freed = c
        .prepare_cached(
            "SELECT d.account, sum(length(e.body)) FROM envelope e JOIN device d ON d.device = e.device
             WHERE e.space = ?1 AND e.space_seq <= ?2 GROUP BY d.account",
        )?
        .query_map(place, |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    for (account, bytes) in freed {
        give_back(c, &account, uint(bytes)?)?;
    }
    let pruned = c
        .prepare_cached(
            "UPDATE envelope SET body = x'' WHERE space = ?1 AND space_seq <= ?2 AND length(body) > 0",
        )?
        .execute(place)?;
    if let Some(before) = Row::base(c, space)? {
        before.forget(c, space)?;
    }
    c.prepare_cached("UPDATE fold SET pruned_at_ms = max(?3, 1) WHERE space = ?1 AND space_seq = ?2")?
        .execute(params![space.as_bytes(), int(waiting), now_ms])?;
    c.prepare_cached("DELETE FROM verified WHERE space = ?1 AND space_seq < ?2")?.execute(place)?;
    Ok(pruned as u64)
}

/// What each snapshot that can be had covers, ascending, with whether it stands for what was pruned.
pub(super) fn covering(c: &Connection, space: SpaceId) -> Result<Vec<(u64, bool)>, StoreError> {
    let mut all = std::collections::BTreeMap::new();
    let mut query = c.prepare_cached(
        "SELECT space_seq, 0 FROM snapshot WHERE space = ?1
         UNION ALL SELECT space_seq, pruned_at_ms > 0 FROM fold WHERE space = ?1",
    )?;
    let rows = query
        .query_map([space.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    for (space_seq, base) in rows {
        *all.entry(uint(space_seq)?).or_insert(false) |= base;
    }
    Ok(all.into_iter().collect())
}
