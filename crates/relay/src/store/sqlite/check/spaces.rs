//! Spaces: each membership log from its first entry, folded anew and compared with what is kept folded.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{AccountId, SpaceId, VerifyingKey};
use mecum_sync::{Signed, SpaceEntry, SpaceLog};
use rusqlite::Connection;

use super::Checked;
use super::accounts::Accounts;
use crate::store::StoreError;
use crate::store::sqlite::stored;

/// One space, as its log says.
pub(super) struct Space {
    /// The number that it is named by.
    pub(super) number: usize,
    /// Its log; none if it does not hold.
    pub(super) log: Option<SpaceLog>,
    /// The last number of its order, as the space's row says.
    pub(super) last_seq: i64,
}

/// All spaces.
#[derive(Default)]
pub(super) struct Spaces {
    pub(super) by_id: BTreeMap<SpaceId, Space>,
}

pub(super) fn check(
    c: &Connection,
    accounts: &Accounts,
    relay: Option<&VerifyingKey>,
    checked: &mut Checked,
) -> Result<Spaces, StoreError> {
    let mut spaces = Spaces::default();
    let mut query = c.prepare("SELECT space, state, space_seq FROM space ORDER BY space")?;
    let mut rows = query.query([])?;
    let mut entries_read = 0;
    while let Some(row) = rows.next()? {
        let number = spaces.by_id.len() + 1;
        let place = format!("space {number}");
        let (id, state, space_seq): (Vec<u8>, Vec<u8>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(id) = SpaceId::from_slice(&id) else {
            checked.add("space", place, "its id has a wrong length");
            continue;
        };
        let mut reading = Reading { number, space: id, accounts, space_seq, checked };
        let log = reading.fold(c, &mut entries_read)?;
        match (&log, stored::<SpaceLog>(&state, "space log")) {
            (_, Err(_)) => checked.add("space", place.as_str(), "its folded log cannot be read"),
            (Some(log), Ok(kept)) if *log != kept => {
                checked.add("space", place.as_str(), "its folded log is not what its entries amount to");
            }
            _ => {}
        }
        let home = log.as_ref().and_then(SpaceLog::relay);
        if let (Some(home), Some(relay)) = (home, relay)
            && home != relay
        {
            checked.add("space", place.as_str(), "its home is a server with another key");
        }
        spaces.by_id.insert(id, Space { number, log, last_seq: space_seq });
    }
    checked.held.spaces = spaces.by_id.len() as u64;
    let all: i64 = c.query_row("SELECT count(*) FROM space_entry", [], |row| row.get(0))?;
    if all != entries_read {
        checked.add("space_entry", "all", "there are entries of spaces that are not there");
    }
    founded(accounts, &spaces, checked);
    members(c, &spaces, checked)?;
    Ok(spaces)
}

/// The table of members says what the logs say.
fn members(c: &Connection, spaces: &Spaces, checked: &mut Checked) -> Result<(), StoreError> {
    let mut there: BTreeMap<SpaceId, BTreeSet<AccountId>> = BTreeMap::new();
    let mut query = c.prepare("SELECT account, space FROM member")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (account, space): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let named = AccountId::from_slice(&account).zip(SpaceId::from_slice(&space));
        match named.filter(|(_, space)| spaces.by_id.contains_key(space)) {
            Some((account, space)) => drop(there.entry(space).or_default().insert(account)),
            None => checked.add("member", "all", "somebody is a member of a space that is not there"),
        }
    }
    for (id, space) in &spaces.by_id {
        let Some(log) = &space.log else { continue };
        let of_log: BTreeSet<_> = log.members().iter().map(|member| member.account).collect();
        if there.remove(id).unwrap_or_default() != of_log {
            checked.add("member", format!("space {}", space.number), "are not those of its log");
        }
    }
    Ok(())
}

/// The counts of founded spaces that quotas go by.
fn founded(accounts: &Accounts, spaces: &Spaces, checked: &mut Checked) {
    let mut counts: BTreeMap<AccountId, i64> = BTreeMap::new();
    for log in spaces.by_id.values().filter_map(|space| space.log.as_ref()) {
        *counts.entry(log.owner()).or_default() += 1;
    }
    if spaces.by_id.values().any(|space| space.log.is_none()) {
        // Whose the unreadable ones are is not known.
        return;
    }
    for (id, account) in &accounts.by_id {
        if counts.get(id).copied().unwrap_or(0) != account.spaces {
            let place = format!("account {}", account.number);
            checked.add("account", place, "the number of its spaces is not what it founded");
        }
    }
}

struct Reading<'a> {
    number: usize,
    space: SpaceId,
    accounts: &'a Accounts,
    space_seq: i64,
    checked: &'a mut Checked,
}

impl Reading<'_> {
    /// The log from its entries, as far as they hold.
    fn fold(&mut self, c: &Connection, entries_read: &mut i64) -> Result<Option<SpaceLog>, StoreError> {
        let mut query = c.prepare_cached(
            "SELECT seq, hash, body, space_seq FROM space_entry WHERE space = ?1 ORDER BY seq",
        )?;
        let mut rows = query.query([self.space.as_bytes()])?;
        let mut log: Option<SpaceLog> = None;
        let (mut broken, mut last_space_seq) = (false, 0);
        while let Some(row) = rows.next()? {
            *entries_read += 1;
            let (seq, hash, body): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let space_seq: i64 = row.get(3)?;
            if broken {
                continue;
            }
            let what = match stored::<Signed<SpaceEntry>>(&body, "space entry") {
                Err(_) => Some("cannot be read"),
                Ok(entry) => self.next(&mut log, seq, &hash, &entry),
            };
            let what = what.or_else(|| {
                let in_order = (last_space_seq..=self.space_seq).contains(&space_seq);
                (!in_order).then_some("its place in the space's order goes back or beyond the end")
            });
            last_space_seq = space_seq;
            if let Some(what) = what {
                self.checked.add("space_entry", format!("space {}, entry {seq}", self.number), what);
                broken = true;
            }
        }
        if log.is_none() && !broken {
            self.checked.add("space_entry", format!("space {}", self.number), "its log has no entry");
        }
        Ok(log.filter(|_| !broken))
    }

    fn next(
        &self,
        log: &mut Option<SpaceLog>,
        seq: i64,
        hash: &[u8],
        entry: &Signed<SpaceEntry>,
    ) -> Option<&'static str> {
        let unverified = entry.unverified();
        if unverified.space != self.space || u64::try_from(seq) != Ok(unverified.seq) {
            return Some("stands at another place than it says");
        }
        if hash != entry.hash().as_bytes() {
            return Some("its hash is not that of its bytes");
        }
        let signers = self.accounts.signers(unverified.device);
        let Some((_, signer)) = signers.iter().find(|(account, _)| *account == unverified.account) else {
            return Some("is signed by a device that is not there");
        };
        let appended = match log {
            Some(log) => log.append(entry, signer).is_ok(),
            None => SpaceLog::found(entry, signer).map(|founded| *log = Some(founded)).is_ok(),
        };
        if appended {
            None
        } else {
            Some("does not follow the entry before it, or its signature does not verify")
        }
    }
}
