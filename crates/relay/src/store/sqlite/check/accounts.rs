//! Accounts: each log from its first entry, folded anew and compared with what is kept folded; codes.

use std::collections::{BTreeMap, HashMap};

use mecum_seal::{AccountId, DeviceId, Hash32, VerifyingKey};
use mecum_sync::{AccountEntry, AccountLog, Signed};
use rusqlite::Connection;

use super::Checked;
use crate::store::StoreError;
use crate::store::sqlite::stored;

/// One account, as its log says.
pub(super) struct Account {
    /// The number that it is named by.
    pub(super) number: usize,
    /// How many entries its log has.
    pub(super) entries: u64,
    /// Its recovery key.
    recovery: Option<VerifyingKey>,
    /// How many spaces it is said to have founded.
    pub(super) spaces: i64,
    /// The last position of its inbox, as the account's row says.
    pub(super) inbox_head: i64,
}

/// All accounts, and every device that ever was in one.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) by_id: BTreeMap<AccountId, Account>,
    signers: HashMap<DeviceId, Vec<(AccountId, VerifyingKey)>>,
}

impl Accounts {
    /// The keys that a device of this id may sign with, each with its account. Two accounts may use the same device id.
    pub(super) fn signers(&self, device: DeviceId) -> &[(AccountId, VerifyingKey)] {
        self.signers.get(&device).map_or(&[], Vec::as_slice)
    }
}

pub(super) fn check(c: &Connection, checked: &mut Checked) -> Result<Accounts, StoreError> {
    let mut accounts = Accounts::default();
    let mut query =
        c.prepare("SELECT account, state, inbox_head, stored_bytes, spaces FROM account ORDER BY account")?;
    let mut rows = query.query([])?;
    let mut entries_read = 0;
    while let Some(row) = rows.next()? {
        let number = accounts.by_id.len() + 1;
        let place = format!("account {number}");
        let (id, state): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let (inbox_head, stored_bytes, spaces): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let Some(id) = AccountId::from_slice(&id) else {
            checked.add("account", place, "its id has a wrong length");
            continue;
        };
        if inbox_head < 0 || stored_bytes < 0 || spaces < 0 {
            checked.add("account", place.as_str(), "a count is negative");
        }
        let log = fold(c, id, number, &mut accounts.signers, &mut entries_read, checked)?;
        match (&log, stored::<AccountLog>(&state, "account log")) {
            (_, Err(_)) => checked.add("account", place.as_str(), "its folded log cannot be read"),
            (Some(log), Ok(kept)) if *log != kept => {
                checked.add("account", place.as_str(), "its folded log is not what its entries amount to");
            }
            _ => {}
        }
        let entries = log.as_ref().map_or(0, AccountLog::entries);
        checked.held.devices += log.as_ref().map_or(0, |log| log.devices().len() as u64);
        let recovery = log.as_ref().and_then(|log| log.recovery().copied());
        accounts.by_id.insert(id, Account { number, entries, recovery, spaces, inbox_head });
    }
    checked.held.accounts = accounts.by_id.len() as u64;
    let all: i64 = c.query_row("SELECT count(*) FROM account_entry", [], |row| row.get(0))?;
    if all != entries_read {
        checked.add("account_entry", "all", "there are entries of accounts that are not there");
    }
    codes(c, checked)?;
    devices(c, &accounts, checked)?;
    recovery_keys(c, &accounts, checked)?;
    Ok(accounts)
}

/// The log of one account from its entries, as far as they hold.
fn fold(
    c: &Connection,
    account: AccountId,
    number: usize,
    signers: &mut HashMap<DeviceId, Vec<(AccountId, VerifyingKey)>>,
    entries_read: &mut i64,
    checked: &mut Checked,
) -> Result<Option<AccountLog>, StoreError> {
    let mut query =
        c.prepare_cached("SELECT seq, hash, body FROM account_entry WHERE account = ?1 ORDER BY seq")?;
    let mut rows = query.query([account.as_bytes()])?;
    let mut log: Option<AccountLog> = None;
    let mut broken = false;
    while let Some(row) = rows.next()? {
        *entries_read += 1;
        let (seq, hash, body): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if broken {
            // What follows a break cannot be judged.
            continue;
        }
        let what = match stored::<Signed<AccountEntry>>(&body, "account entry") {
            Err(_) => Some("cannot be read"),
            Ok(entry) => next(&mut log, account, seq, &hash, &entry),
        };
        if let Some(what) = what {
            checked.add("account_entry", format!("account {number}, entry {seq}"), what);
            broken = true;
            continue;
        }
        for card in log.iter().flat_map(AccountLog::devices) {
            let keys = signers.entry(card.device).or_default();
            if !keys.contains(&(account, card.signing)) {
                keys.push((account, card.signing));
            }
        }
    }
    if log.is_none() && !broken {
        checked.add("account_entry", format!("account {number}"), "its log has no entry");
    }
    Ok(log.filter(|_| !broken))
}

fn next(
    log: &mut Option<AccountLog>,
    account: AccountId,
    seq: i64,
    hash: &[u8],
    entry: &Signed<AccountEntry>,
) -> Option<&'static str> {
    let unverified = entry.unverified();
    if unverified.account != account || u64::try_from(seq) != Ok(unverified.seq) {
        return Some("stands at another place than it says");
    }
    if hash != entry.hash().as_bytes() {
        return Some("its hash is not that of its bytes");
    }
    let appended = match log {
        Some(log) => log.append(entry).is_ok(),
        None => AccountLog::found(entry).map(|founded| *log = Some(founded)).is_ok(),
    };
    if appended {
        None
    } else {
        Some("does not follow the entry before it, or its signature does not verify")
    }
}

/// The table of devices says what the logs say.
fn devices(c: &Connection, accounts: &Accounts, checked: &mut Checked) -> Result<(), StoreError> {
    let mut query = c.prepare("SELECT device, account FROM device ORDER BY device")?;
    let mut rows = query.query([])?;
    let (mut number, mut known) = (0, 0);
    while let Some(row) = rows.next()? {
        number += 1;
        let (device, account): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let named = DeviceId::from_slice(&device).zip(AccountId::from_slice(&account));
        let signers = named.map_or(&[][..], |(device, _)| accounts.signers(device));
        if signers.iter().any(|(owner, _)| named.is_some_and(|(_, account)| *owner == account)) {
            known += 1;
        } else {
            checked.add("device", format!("device {number}"), "is not one of its account");
        }
    }
    if known != accounts.signers.len() {
        checked.add("device", "all", "a device of an account is not there");
    }
    Ok(())
}

/// The table of recovery keys says what the logs say.
fn recovery_keys(c: &Connection, accounts: &Accounts, checked: &mut Checked) -> Result<(), StoreError> {
    let mut query = c.prepare("SELECT key, account FROM recovery ORDER BY key")?;
    let mut rows = query.query([])?;
    let (mut number, mut known) = (0, 0);
    while let Some(row) = rows.next()? {
        number += 1;
        let (key, account): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let account = AccountId::from_slice(&account).and_then(|id| accounts.by_id.get(&id));
        let named = account.and_then(|account| account.recovery);
        if named.is_some_and(|named| named.as_bytes().as_slice() == key) {
            known += 1;
        } else {
            checked.add("recovery", format!("key {number}"), "is not that of its account");
        }
    }
    if known != accounts.by_id.values().filter(|account| account.recovery.is_some()).count() {
        checked.add("recovery", "all", "the key of an account is not there");
    }
    Ok(())
}

fn codes(c: &Connection, checked: &mut Checked) -> Result<(), StoreError> {
    let mut query = c.prepare("SELECT code, used_by FROM enrolment_code ORDER BY code")?;
    let mut rows = query.query([])?;
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let (code, used_by): (Vec<u8>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
        let hashes = std::iter::once(&code).chain(&used_by);
        if hashes.into_iter().any(|hash| Hash32::from_slice(hash).is_none()) {
            checked.add("enrolment_code", format!("code {number}"), "a hash has a wrong length");
        }
    }
    Ok(())
}
