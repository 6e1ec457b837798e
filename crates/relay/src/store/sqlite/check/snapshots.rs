//! Snapshots: each is signed, made of whole parts, and ends where the space and its chains once stood.

use std::collections::HashMap;

use mecum_seal::{AccountId, SpaceId};
use mecum_sync::snapshot::{verify_snapshot, verify_statements};
use mecum_sync::{Chain, FoldedChain, Signed, SpaceLog, SpaceSnapshot, Statement, Verified};
use rusqlite::Connection;

use super::Checked;
use super::accounts::Accounts;
use super::pushes::content_id;
use super::spaces::Spaces;
use crate::store::StoreError;
use crate::store::sqlite::{int, stored};

pub(super) fn check(
    c: &Connection,
    accounts: &Accounts,
    spaces: &Spaces,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    for table in ["snapshot", "fold"] {
        check_table(c, table, accounts, spaces, checked)?;
    }
    check_verified(c, accounts, spaces, checked)
}

/// What each space was pruned up to, with where every chain stood there.
pub(super) fn bases(c: &Connection) -> Result<HashMap<SpaceId, (i64, Vec<FoldedChain>)>, StoreError> {
    let mut bases = HashMap::new();
    let mut query = c.prepare("SELECT space, space_seq, body FROM fold WHERE pruned_at_ms > 0")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (space, space_seq, body): (Vec<u8>, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // One that cannot be read is a finding of its own.
        let snapshot = stored::<SpaceSnapshot>(&body, "snapshot").ok();
        let chains = snapshot.map_or_else(Vec::new, |snapshot| snapshot.signed.unverified().chains.clone());
        if let Some(space) = SpaceId::from_slice(&space) {
            bases.insert(space, (space_seq, chains));
        }
    }
    Ok(bases)
}

/// Each is signed by a device of its account.
fn check_verified(
    c: &Connection,
    accounts: &Accounts,
    spaces: &Spaces,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let mut query =
        c.prepare("SELECT space, device, body FROM verified ORDER BY space, space_seq, device")?;
    let mut rows = query.query([])?;
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let (space, device, body): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let signed = stored::<Signed<Verified>>(&body, "verification").ok();
        let holds = signed.is_some_and(|signed| {
            let body = signed.unverified();
            let signers = accounts.signers(body.device);
            body.space.as_bytes().as_slice() == space
                && body.device.as_bytes().as_slice() == device
                && spaces.by_id.contains_key(&body.space)
                && signers.iter().any(|(_, key)| signed.verify(key).is_ok())
        });
        if !holds {
            checked.add("verified", format!("row {number}"), "is not what its device signed");
        }
    }
    Ok(())
}

fn check_table(
    c: &Connection,
    table: &'static str,
    accounts: &Accounts,
    spaces: &Spaces,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let mut query = c.prepare(&format!(
        "SELECT space, space_seq, account, body, statements FROM {table} ORDER BY space, space_seq"
    ))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (space, account): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(2)?);
        let (body, statements): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let space_seq: i64 = row.get(1)?;
        let ids = SpaceId::from_slice(&space).zip(AccountId::from_slice(&account));
        let Some((space, id, account)) =
            ids.and_then(|(id, account)| spaces.by_id.get(&id).map(|space| (space, id, account)))
        else {
            checked.add(table, "all", "there is one of a space that is not there");
            continue;
        };
        let place = format!("space {}", space.number);
        let snapshot = stored::<SpaceSnapshot>(&body, "snapshot");
        let statements = stored::<Vec<Signed<Statement>>>(&statements, "statements");
        let (Ok(snapshot), Ok(statements)) = (snapshot, statements) else {
            checked.add(table, place, "cannot be read");
            continue;
        };
        let covered = snapshot.signed.unverified().space_seq;
        if snapshot.space() != id || int(covered) != space_seq || space_seq > space.last_seq {
            checked.add(table, place.as_str(), "is of another place than its row says");
        }
        let Some(log) = &space.log else { continue };
        if !holds(accounts, log, account, &snapshot, &statements) {
            checked.add(table, place.as_str(), "a signature or a part of it does not hold");
        }
        for folded in &snapshot.signed.unverified().chains {
            let chain = Chain { device: folded.device, incarnation: folded.incarnation, space: id };
            let stands = content_id(c, &chain, int(folded.head.envelope_seq))?;
            if stands.as_deref() != Some(folded.head.hash.as_bytes().as_slice()) {
                checked.add(table, place.as_str(), "ends a chain where it never stood");
            }
        }
    }
    Ok(())
}

fn holds(
    accounts: &Accounts,
    log: &SpaceLog,
    account: AccountId,
    snapshot: &SpaceSnapshot,
    statements: &[Signed<Statement>],
) -> bool {
    let body = snapshot.signed.unverified();
    let maker = accounts.signers(body.device).iter().find(|(owner, _)| *owner == account);
    let Some((_, maker)) = maker else { return false };
    // A device id that two accounts use: the key that verifies is the one.
    let key = |statement: &Signed<Statement>| {
        let signers = accounts.signers(statement.unverified().device);
        signers.iter().find(|(_, key)| statement.verify(key).is_ok()).map(|(_, key)| *key)
    };
    verify_snapshot(log, account, maker, snapshot).is_ok()
        && verify_statements(body, statements, |device| {
            statements.iter().find(|s| s.unverified().device == device).and_then(key)
        })
        .is_ok()
}
