//! Own entries of the account's log: durable here first, at the relay with the next exchange. Two devices may write the same
//! place at once; the relay takes one, and the other device signs its entry again on the new head.
//!
//! It must not know how a device that is added proves itself: pairing does.

use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, DeviceCard, FollowError, Follower, Item, Signed, decode, encode,
};
use mecum_vault::{Durability, Table, Write, WriteVaultError};

use crate::error::SessionError;
use crate::session::Session;
use crate::stage::Stage;

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 64 * 1024;

const ACCOUNT_LOG: SessionError = SessionError::Stored { what: "account log" };

/// The name under which the vault keeps an entry of the own account's log: its own ones, and every other that the relay has shown.
pub(crate) fn account_entry_name(seq: u64) -> Vec<u8> {
    [b"entry".as_slice(), &seq.to_be_bytes()].concat()
}

impl Session {
    /// The account's genesis, to enrol with.
    pub(crate) fn account_genesis(&self) -> Result<Signed<AccountEntry>, SessionError> {
        self.own_account_entry(1)
    }

    /// An own entry of the account log.
    pub(crate) fn own_account_entry(&self, seq: u64) -> Result<Signed<AccountEntry>, SessionError> {
        let bytes =
            self.vault.get(Table::Account, &account_entry_name(seq))?.ok_or_else(SessionError::not_found)?;
        decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| SessionError::Stored { what: "account entry" })
    }

    /// Adds a device to the account and writes what `also` writes, in one transaction. A device that is there already, with
    /// the same keys, is accepted again: then only `also` is written.
    pub(crate) fn add_device(
        &mut self,
        card: DeviceCard,
        also: impl FnOnce(&mut Write<'_>) -> Result<(), WriteVaultError>,
    ) -> Result<(), SessionError> {
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        let mut follower = self.follower.clone();
        let entry = match log.device(card.device) {
            Some(there) if is_same_device(there, &card) => None,
            Some(_) => return Err(ACCOUNT_LOG),
            None => Some(self.sign_card(&mut follower, card).map_err(|_| ACCOUNT_LOG)?),
        };
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            if let Some(entry) = &entry {
                w.put(Table::Account, &account_entry_name(entry.unverified().seq), &encode(entry))?;
                w.put(Table::Sync, b"follower", &follower.to_bytes())?;
            }
            // Whoever is let in should begin from what the record is, not from all that was ever written.
            w.put(Table::Setting, b"share-snapshots", &[1])?;
            also(w)
        })?;
        self.follower = follower;
        self.tell(mecum_api::Topic::Devices);
        Ok(())
    }

    /// Gives an added device up, if the relay has not shown that it knows it. Should the relay have it all the same, its
    /// answer brings the entry back. Says whether it was given up.
    pub(crate) fn withdraw_device(&mut self, device: mecum_seal::DeviceId) -> Result<bool, SessionError> {
        let last = self.follower.account_log().map_or(0, AccountLog::entries);
        if last <= self.follower.ever_stored_account_entries().max(1) {
            return Ok(false);
        }
        let own = self.own_account_entry(last)?;
        if !matches!(&own.unverified().body, AccountBody::AddDevice { device: card } if card.device == device)
        {
            return Ok(false);
        }
        let mut follower = self.follower.clone();
        follower.take_back_account_entry(&own).map_err(|_| ACCOUNT_LOG)?;
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.delete(Table::Account, &account_entry_name(last))?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())
        })?;
        self.follower = follower;
        self.tell(mecum_api::Topic::Devices);
        Ok(true)
    }

    /// Whether the relay has shown every entry of the account's log that this device knows.
    pub(crate) fn is_account_log_stored(&self) -> bool {
        self.follower.account_log().map_or(0, AccountLog::entries) <= self.follower.stored_account_entries()
    }

    /// Takes own entries back from the places where an answer shows others. Answers what they were to do, oldest first: they are
    /// to be signed again once the answer was taken in.
    pub(crate) fn give_way(
        &self,
        follower: &mut Follower,
        items: &[Item],
    ) -> Result<Vec<AccountBody>, SessionError> {
        let last = follower.account_log().map_or(0, AccountLog::entries);
        // What the relay has ever shown gives way to nothing, also while its history is read again.
        let free = follower.ever_stored_account_entries().max(1) + 1..=last;
        let mut taken = Vec::new();
        for item in items {
            let Item::AccountEntry(entry) = item else { continue };
            let AccountEntry { account, seq, .. } = *entry.unverified();
            if account != self.identity.account {
                continue;
            }
            if free.contains(&seq) && entry.hash() != self.own_account_entry(seq)?.hash() {
                taken.push(seq);
            }
        }
        let Some(first) = taken.into_iter().min() else { return Ok(Vec::new()) };
        let mut bodies = Vec::new();
        for seq in (first..=last).rev() {
            let own = self.own_account_entry(seq)?;
            bodies.push(follower.take_back_own_account_entry(&own).map_err(|_| ACCOUNT_LOG)?);
        }
        bodies.reverse();
        Ok(bodies)
    }

    /// Signs entries that gave way on the head as it is now. What the log has meanwhile, or does not allow any more, is left out; of the
    /// latter the person is told.
    pub(crate) fn sign_again(&self, stage: &mut Stage, follower: &mut Follower, bodies: Vec<AccountBody>) {
        for body in bodies {
            let Some(body) = self.renewed(follower, body) else { continue };
            match self.sign_body(follower, body) {
                Ok(entry) => {
                    let name = account_entry_name(entry.unverified().seq);
                    stage.puts.push((Table::Account, name, encode(&entry)));
                }
                Err(_) => self.stage_account_entry_given_up(stage),
            }
        }
    }

    /// The next entry of the log, which adds a device; the follower has taken it in.
    fn sign_card(
        &self,
        follower: &mut Follower,
        card: DeviceCard,
    ) -> Result<Signed<AccountEntry>, FollowError> {
        self.sign_body(follower, AccountBody::AddDevice { device: card })
    }

    /// The next entry of the log; the follower has taken it in.
    pub(crate) fn sign_body(
        &self,
        follower: &mut Follower,
        body: AccountBody,
    ) -> Result<Signed<AccountEntry>, FollowError> {
        let log = follower.account_log().ok_or(FollowError::OtherGenesis)?;
        let entry = AccountEntry {
            account: self.identity.account,
            seq: log.entries() + 1,
            previous: log.head(),
            signer: self.identity.device,
            body,
        };
        let signed = Signed::sign(entry, &self.identity.signing);
        follower.add_own_account_entry(&signed)?;
        Ok(signed)
    }
}

/// Whether two cards are of one device: its name may be sealed anew.
fn is_same_device(a: &DeviceCard, b: &DeviceCard) -> bool {
    a.device == b.device && a.signing == b.signing && a.kem == b.kem && a.incarnation == b.incarnation
}
