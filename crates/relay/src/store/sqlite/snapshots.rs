//! Snapshots of spaces: one for each, accepted only if it ends exactly where the space and each of its chains end now.

use std::borrow::Cow;

use mecum_seal::{SpaceId, VerifyingKey};
use mecum_sync::limits::MAX_CHAINS;
use mecum_sync::snapshot::{FoldedChain, SnapshotError, verify_snapshot};
use mecum_sync::{
    ChainHead, Refusal, RefusalCode, SaidSnapshot, Signed, SpaceStanding, Statement, StoredSnapshot, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{accounts, hash32, inbox, int, pruning, spaces, stored, uint};
use crate::store::{Author, StoreError, StoredItem, Wanted};

/// Checks and stores a snapshot by the signed-in device. One that covers no more than what is stored changes nothing.
pub(super) fn keep(
    c: &Connection,
    wanted: &Wanted,
    signer: &VerifyingKey,
    said: &SaidSnapshot,
    news_for: &mut Vec<mecum_seal::AccountId>,
) -> Result<Result<(), Refusal>, StoreError> {
    let Author { account, device, incarnation } = wanted.author;
    let (id, by) = match said {
        SaidSnapshot::Whole(snapshot) => (snapshot.space(), snapshot.signed.unverified().device),
        SaidSnapshot::Short(short) => (short.space, device),
    };
    if by != device {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let space = spaces::load(c, id)?.filter(|space| space.log.role(account).is_some());
    let Some(space) = space else { return Ok(Err(RefusalCode::UnknownSpace.into())) };
    let snapshot = match said {
        SaidSnapshot::Whole(snapshot) => Cow::Borrowed(snapshot),
        SaidSnapshot::Short(short) => {
            if covered(c, id)?.is_some_and(|space_seq| space_seq >= short.space_seq) {
                return Ok(Ok(()));
            }
            let (membership_head, epoch) = (space.log.head(), space.log.epoch());
            let standing = SpaceStanding { membership_head, epoch, chains: chains(c, id)?.0 };
            Cow::Owned(short.whole((device, incarnation), standing))
        }
    };
    let body = snapshot.signed.unverified();
    if let Err(error) = verify_snapshot(&space.log, account, signer, &snapshot) {
        let code = match (said, refusal(error)) {
            // Its maker signed for something else than what is here now.
            (SaidSnapshot::Short(_), RefusalCode::BadSignature) => RefusalCode::StaleHead,
            (_, code) => code,
        };
        return Ok(Err(code.into()));
    }
    if covered(c, body.space)?.is_some_and(|space_seq| space_seq >= body.space_seq) {
        return Ok(Ok(()));
    }
    // The next envelope may have come meanwhile: the maker folds again, or leaves it.
    let current = body.space_seq == space.space_seq
        && body.membership_head == space.log.head()
        && body.epoch == space.log.epoch();
    let (chains, statements) = chains(c, body.space)?;
    if !current || body.chains != chains {
        return Ok(Err(RefusalCode::StaleHead.into()));
    }
    let (bytes, statements) = (encode(snapshot.as_ref()), encode(&statements));
    let size = (bytes.len() + statements.len()) as u64;
    give_back(c, body.space)?;
    if let Err(refusal) = accounts::charge(c, account, size, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    c.prepare_cached(
        "INSERT OR REPLACE INTO snapshot (space, space_seq, account, body, statements, stored_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        body.space.as_bytes(),
        int(body.space_seq),
        account.as_bytes(),
        bytes,
        statements,
        wanted.now_ms
    ])?;
    for account in inbox::readers(&space.log) {
        inbox::deliver(c, account, inbox::Kind::Snapshot, body.space.as_bytes(), body.space_seq)?;
        news_for.push(account);
    }
    Ok(Ok(()))
}

/// Drops the snapshot of a space: something in it does not count any more.
pub(super) fn drop_of(c: &Connection, space: SpaceId) -> Result<(), StoreError> {
    give_back(c, space)?;
    c.prepare_cached("DELETE FROM snapshot WHERE space = ?1")?.execute([space.as_bytes()])?;
    Ok(())
}

/// Takes the bytes of the snapshot before off the quota of whoever made it.
fn give_back(c: &Connection, space: SpaceId) -> Result<(), StoreError> {
    c.prepare_cached(
        "UPDATE account SET stored_bytes = stored_bytes
             - (SELECT length(body) + length(statements) FROM snapshot WHERE space = ?1)
         WHERE account = (SELECT account FROM snapshot WHERE space = ?1)",
    )?
    .execute([space.as_bytes()])?;
    Ok(())
}

/// The `space_seq` that the stored snapshot of a space covers.
fn covered(c: &Connection, space: SpaceId) -> Result<Option<u64>, StoreError> {
    let seq: Option<i64> = c
        .prepare_cached("SELECT space_seq FROM snapshot WHERE space = ?1")?
        .query_row([space.as_bytes()], |row| row.get(0))
        .optional()?;
    seq.map(uint).transpose()
}

/// Every chain of a space that has envelopes, in order, and the last statements of all of them.
fn chains(c: &Connection, space: SpaceId) -> Result<(Vec<FoldedChain>, Vec<Signed<Statement>>), StoreError> {
    let mut query = c.prepare_cached(
        "SELECT envelope_seq, last, membership_seq, statement FROM chain WHERE space = ?1
         ORDER BY device, incarnation LIMIT ?2",
    )?;
    let mut rows = query.query(params![space.as_bytes(), int(MAX_CHAINS as u64 + 1)])?;
    let (mut chains, mut statements) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (envelope_seq, last): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let (membership_seq, signed): (i64, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let statement: Signed<Statement> = stored(&signed, "statement")?;
        let head = ChainHead {
            envelope_seq: uint(envelope_seq)?,
            hash: hash32(&last)?,
            membership_seq: uint(membership_seq)?,
        };
        if head.envelope_seq > 0 {
            let Statement { device, incarnation, .. } = *statement.unverified();
            chains.push(FoldedChain { device, incarnation, head });
        }
        statements.push(statement);
    }
    Ok((chains, statements))
}

/// The snapshot at a place of an inbox. Whole for who begins from snapshots, else only that there is one; nothing if a later one
/// took its place.
pub(super) fn load(
    c: &Connection,
    space: &[u8],
    space_seq: i64,
    whole: bool,
) -> Result<Option<(StoredItem, u64)>, StoreError> {
    let space = SpaceId::from_slice(space).ok_or(StoreError::Stored { what: "space id" })?;
    let space_seq = uint(space_seq)?;
    if whole {
        let stored = pruning::stored_at(c, space, space_seq)?;
        return Ok(stored.map(|(StoredSnapshot { snapshot, statements }, size)| {
            (StoredItem::Snapshot { snapshot, statements }, size)
        }));
    }
    if covered(c, space)? != Some(space_seq) {
        return Ok(None);
    }
    Ok(Some((StoredItem::SnapshotStored { space, space_seq }, 32)))
}

fn refusal(error: SnapshotError) -> RefusalCode {
    match error {
        SnapshotError::BadSignature => RefusalCode::BadSignature,
        SnapshotError::NotMember => RefusalCode::NotMember,
        SnapshotError::BadMembershipHead => RefusalCode::BadMembershipHead,
        SnapshotError::BadStatement => RefusalCode::BadStatement,
        _ => RefusalCode::Malformed,
    }
}
