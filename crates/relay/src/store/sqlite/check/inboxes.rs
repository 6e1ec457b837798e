//! Inboxes: positions without a gap, each pointing to something that is there, and nothing left out of the account's own or of a
//! space that it is a member of.

use std::collections::{HashMap, HashSet};

use mecum_seal::{AccountId, SpaceId};
use mecum_sync::SpaceLog;
use rusqlite::{Connection, OptionalExtension};

use super::Checked;
use super::accounts::{Account, Accounts};
use super::pushes::Pushed;
use super::spaces::{Space, Spaces};
use crate::store::StoreError;
use crate::store::sqlite::backup::RESTORE_STRIDE;
use crate::store::sqlite::inbox::Kind;
use crate::store::sqlite::uint;

struct Reading<'a> {
    c: &'a Connection,
    accounts: &'a Accounts,
    spaces: &'a Spaces,
    member_of: HashMap<AccountId, Vec<(SpaceId, &'a Space)>>,
    pushed: Option<&'a Pushed>,
    checked: &'a mut Checked,
}

pub(super) fn check(
    c: &Connection,
    accounts: &Accounts,
    spaces: &Spaces,
    pushed: Option<&Pushed>,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let mut member_of: HashMap<_, Vec<_>> = HashMap::new();
    for (id, space) in &spaces.by_id {
        for member in space.log.iter().flat_map(SpaceLog::members) {
            member_of.entry(member.account).or_default().push((*id, space));
        }
    }
    let mut reading = Reading { c, accounts, spaces, member_of, pushed, checked };
    let mut read = 0;
    for (id, account) in &accounts.by_id {
        read += reading.inbox(*id, account)?;
    }
    let all: i64 = c.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0))?;
    if all != read {
        checked.add("inbox", "all", "there are inboxes of accounts that are not there");
    }
    Ok(())
}

impl Reading<'_> {
    fn inbox(&mut self, id: AccountId, account: &Account) -> Result<i64, StoreError> {
        let c = self.c;
        let mut query = c.prepare_cached(
            "SELECT position, kind, log, number FROM inbox WHERE account = ?1 ORDER BY position",
        )?;
        let mut rows = query.query([id.as_bytes()])?;
        let (mut count, mut last) = (0, 0);
        // What was delivered, each once: how many of each log.
        let mut seen = HashSet::new();
        let mut delivered: HashMap<(i64, Vec<u8>), u64> = HashMap::new();
        while let Some(row) = rows.next()? {
            count += 1;
            let (position, kind, number): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(3)?);
            let log: Vec<u8> = row.get(2)?;
            let place = format!("account {}, position {position}", account.number);
            let step = position.saturating_sub(last);
            if step != 1 && step != RESTORE_STRIDE {
                self.checked.add("inbox", place.as_str(), "there is a gap before it");
            }
            last = position;
            if !self.points_to_something(kind, &log, number)? {
                self.checked.add("inbox", place, "points to nothing of this account");
            } else if seen.insert((kind, log.clone(), number)) {
                *delivered.entry((kind, log)).or_default() += 1;
            }
        }
        let place = format!("account {}", account.number);
        if last != account.inbox_head {
            self.checked.add("account", place.as_str(), "its last position is not that of its inbox");
        }
        self.completeness(id, account, &delivered);
        Ok(count)
    }

    fn points_to_something(&self, kind: i64, log: &[u8], number: i64) -> Result<bool, StoreError> {
        let number_in = |entries: u64| uint(number).is_ok_and(|number| (1..=entries).contains(&number));
        if kind == Kind::AccountEntry as i64 {
            // The own log, or that of somebody who shares or shared a space.
            let whose = AccountId::from_slice(log).and_then(|id| self.accounts.by_id.get(&id));
            return Ok(whose.is_some_and(|account| number_in(account.entries)));
        }
        let space = SpaceId::from_slice(log).and_then(|id| self.spaces.by_id.get(&id));
        let Some(space) = space else { return Ok(false) };
        if kind == Kind::SpaceEntry as i64 {
            // Without the log, which is a finding of its own, nothing is said about what points to it.
            return Ok(space.log.as_ref().is_none_or(|log| number_in(log.entries())));
        }
        if kind == Kind::Snapshot as i64 || kind == Kind::Base as i64 {
            // A later snapshot may have taken its place: the position stays.
            return Ok((1..=space.last_seq).contains(&number));
        }
        if kind == Kind::Push as i64 {
            let of: Option<Vec<u8>> = self
                .c
                .prepare_cached("SELECT space FROM push WHERE push = ?1")?
                .query_row([number], |row| row.get(0))
                .optional()?;
            return Ok(of.as_deref() == Some(log));
        }
        Ok(false)
    }

    /// Everything of the account itself, and of the spaces that it is a member of, was delivered to it.
    fn completeness(&mut self, id: AccountId, account: &Account, delivered: &HashMap<(i64, Vec<u8>), u64>) {
        let place = format!("account {}", account.number);
        let count =
            |kind: Kind, log: &[u8]| delivered.get(&(kind as i64, log.to_vec())).copied().unwrap_or(0);
        if count(Kind::AccountEntry, id.as_bytes()) != account.entries {
            self.checked.add("inbox", place.as_str(), "an entry of the account's log was not delivered");
        }
        for (space_id, space) in self.member_of.get(&id).map_or(&[][..], Vec::as_slice) {
            let Some(log) = &space.log else { continue };
            let place = format!("{place}, space {}", space.number);
            if count(Kind::SpaceEntry, space_id.as_bytes()) != log.entries() {
                self.checked.add("inbox", place.as_str(), "an entry of the space's log was not delivered");
            }
            let Some(pushed) = self.pushed else { continue };
            let pushes = pushed.by_space.get(space_id).copied().unwrap_or(0);
            if count(Kind::Push, space_id.as_bytes()) != pushes {
                self.checked.add("inbox", place, "a push was not delivered");
            }
        }
    }
}
