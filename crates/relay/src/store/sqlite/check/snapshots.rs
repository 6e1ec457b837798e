//! Snapshots: each is signed, made of whole parts, and ends where the space and its chains once stood.

use mecum_seal::{AccountId, SpaceId};
use mecum_sync::snapshot::{verify_snapshot, verify_statements};
use mecum_sync::{Chain, Signed, SpaceLog, SpaceSnapshot, Statement};
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
    let mut query =
        c.prepare("SELECT space, space_seq, account, body, statements FROM snapshot ORDER BY space")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (space, account): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(2)?);
        let (body, statements): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let space_seq: i64 = row.get(1)?;
        let ids = SpaceId::from_slice(&space).zip(AccountId::from_slice(&account));
        let Some((space, id, account)) =
            ids.and_then(|(id, account)| spaces.by_id.get(&id).map(|space| (space, id, account)))
        else {
            checked.add("snapshot", "all", "there is one of a space that is not there");
            continue;
        };
        let place = format!("space {}", space.number);
        let snapshot = stored::<SpaceSnapshot>(&body, "snapshot");
        let statements = stored::<Vec<Signed<Statement>>>(&statements, "statements");
        let (Ok(snapshot), Ok(statements)) = (snapshot, statements) else {
            checked.add("snapshot", place, "cannot be read");
            continue;
        };
        let covered = snapshot.signed.unverified().space_seq;
        if snapshot.space() != id || int(covered) != space_seq || space_seq > space.last_seq {
            checked.add("snapshot", place.as_str(), "is of another place than its row says");
        }
        let Some(log) = &space.log else { continue };
        if !holds(accounts, log, account, &snapshot, &statements) {
            checked.add("snapshot", place.as_str(), "a signature or a part of it does not hold");
        }
        for folded in &snapshot.signed.unverified().chains {
            let chain = Chain { device: folded.device, incarnation: folded.incarnation, space: id };
            let stands = content_id(c, &chain, int(folded.head.envelope_seq))?;
            if stands.as_deref() != Some(folded.head.hash.as_bytes().as_slice()) {
                checked.add("snapshot", place.as_str(), "ends a chain where it never stood");
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
