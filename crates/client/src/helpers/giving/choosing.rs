//! Three people are chosen, or nobody is any more: the key, its parts, and the entry that says so.

use std::collections::BTreeSet;

use mecum_api::{HelperChoice, Topic};
use mecum_seal::{AccountId, HELPERS, RecoveryKey, SharedOut};
use mecum_sync::limits::HELPERS_WAIT_DAYS;
use mecum_sync::{AccountBody, Helpers, encode, helping};
use mecum_vault::{Durability, Table, WriteVaultError};

use super::super::{Secret, encoded};
use super::{ACCOUNT_LOG, Chosen, HELPERS_NAME, Helper};
use crate::account_entries::account_entry_name;
use crate::erasing::owe_scrub;
use crate::error::{SessionError, refused};
use crate::pairing::MAX_NAME_BYTES;
use crate::recovery::keys::seal_for_kit;
use crate::session::Session;

impl Session {
    /// Makes the helpers' key, cuts it into its parts, and names it in the account's log. The key itself is not kept.
    pub(in crate::helpers) fn set_helpers(&mut self, choices: &[HelperChoice]) -> Result<(), SessionError> {
        if self.home().is_none() {
            return Err(refused("error-no-server"));
        }
        if self.follower.is_removed() {
            return Err(refused("error-device-removed"));
        }
        let accounts = self.checked_choices(choices)?;
        let mut follower = self.follower.clone();
        let log = follower.account_log().ok_or(ACCOUNT_LOG)?;
        let recovery = RecoveryKey::make(self.entropy());
        let SharedOut { parts, server, set } = SharedOut::make(&recovery, self.entropy());
        let kem = recovery.kem_secret().public();
        let vouch = recovery.vouch_for(log.account(), log.genesis());
        let keys = self.identity.account_keys();
        let sealed = seal_for_kit(&kem, vouch, log.account(), keys, self.entropy()).ok_or(ACCOUNT_LOG)?;
        let signing = recovery.signing_key().verifying_key();
        let helpers = Helpers { signing, kem, sealed, set, wait_days: HELPERS_WAIT_DAYS };
        let body = AccountBody::SetHelpers { helpers: Some(helpers) };
        let entry = self.sign_body(&mut follower, body).map_err(|_| ACCOUNT_LOG)?;
        let now_ms = self.now_ms();
        let each = choices.iter().zip(accounts).zip(&parts);
        let chosen = Chosen {
            made_ms: now_ms,
            set: helping::set_hash(&set),
            server_part: Some(Secret(*server.expose())),
            helpers: each
                .map(|((choice, account), part)| Helper {
                    number: part.number(),
                    name: choice.name.trim().to_owned(),
                    account,
                    state: 0,
                    at_ms: now_ms,
                    secret: None,
                    opened: false,
                    ends_ms: 0,
                    part: Some(Secret(*part.value().expose())),
                    answered: None,
                    sealed: None,
                })
                .collect(),
        };
        let bytes = encoded(&chosen);
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.put(Table::Account, &account_entry_name(entry.unverified().seq), &encode(&entry))?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())?;
            owe_scrub(w)?;
            w.put(Table::Account, HELPERS_NAME, &bytes)
        })?;
        self.follower = follower;
        // Parts of an earlier key are not to be found in the log either.
        self.scrub_soon();
        self.tell(Topic::Settings);
        Ok(())
    }

    /// Three people with names, no two the same, each of whom is somebody else.
    fn checked_choices(&self, choices: &[HelperChoice]) -> Result<Vec<Option<AccountId>>, SessionError> {
        let (mut accounts, sharing) = (Vec::new(), self.sharing_now());
        for choice in choices {
            let name = choice.name.trim();
            if name.is_empty() || name.len() > MAX_NAME_BYTES {
                return Err(refused("error-name-required"));
            }
            let account = match &choice.account {
                None => None,
                Some(id) => {
                    let account: AccountId = id.parse().map_err(|_| SessionError::not_found())?;
                    if !sharing.contains(&account) {
                        return Err(SessionError::not_found());
                    }
                    Some(account)
                }
            };
            accounts.push(account);
        }
        let named: Vec<_> = accounts.iter().flatten().collect();
        let different = named.iter().collect::<BTreeSet<_>>().len() == named.len();
        if accounts.len() == HELPERS && different {
            Ok(accounts)
        } else {
            Err(refused("error-helpers-three"))
        }
    }

    /// Ends that there are helpers.
    pub(in crate::helpers) fn end_helpers(&mut self) -> Result<(), SessionError> {
        if self.helpers_set_hash().is_none() {
            return Err(SessionError::not_found());
        }
        let mut follower = self.follower.clone();
        let entry = self.sign_body(&mut follower, AccountBody::SetHelpers { helpers: None });
        let entry = entry.map_err(|_| ACCOUNT_LOG)?;
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.put(Table::Account, &account_entry_name(entry.unverified().seq), &encode(&entry))?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())?;
            owe_scrub(w)?;
            w.delete(Table::Account, HELPERS_NAME).map(|_| ())
        })?;
        self.follower = follower;
        self.scrub_soon();
        self.tell(Topic::Settings);
        Ok(())
    }
}
