//! Which account a recovery key is of: who restores with the kit alone has no id to ask by.

use mecum_seal::{AccountId, VerifyingKey};
use mecum_sync::AccountLog;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::StoreError;

/// The account that has this recovery key now.
pub(super) fn account_of(c: &Connection, key: &VerifyingKey) -> Result<Option<AccountId>, StoreError> {
    let found: Option<Vec<u8>> = c
        .prepare_cached("SELECT account FROM recovery WHERE key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()?;
    found
        .map(|found| AccountId::from_slice(&found).ok_or(StoreError::Stored { what: "account id" }))
        .transpose()
}

/// Takes an account's recovery key for it, in the place of an earlier one. False if it is another account's: everybody who shares
/// a space with that one knows the public half, and must not lead its owner to another log by naming it too.
pub(super) fn claim(c: &Connection, account: AccountId, log: &AccountLog) -> Result<bool, StoreError> {
    let Some(key) = log.recovery() else { return Ok(true) };
    if let Some(owner) = account_of(c, key)? {
        return Ok(owner == account);
    }
    c.prepare_cached("DELETE FROM recovery WHERE account = ?1")?.execute([account.as_bytes()])?;
    c.prepare_cached("INSERT INTO recovery (key, account) VALUES (?1, ?2)")?
        .execute(params![key.as_bytes(), account.as_bytes()])?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;
    use mecum_seal::{DeviceId, Hash32, IncarnationId, KemSecret, SigningKey};
    use mecum_sync::{AccountBody, AccountEntry, DeviceCard, Signed};

    use super::*;

    /// The log of an account that names a recovery key from its first entry on.
    fn log_with(recovery: VerifyingKey, entropy: &SeededEntropy) -> AccountLog {
        let (signing, kem) = (SigningKey::make(entropy), KemSecret::make(entropy).public());
        let card = DeviceCard {
            device: DeviceId::random(entropy),
            signing: signing.verifying_key(),
            kem: kem.clone(),
            incarnation: IncarnationId::random(entropy),
            sealed_name: Vec::new(),
        };
        let entry = AccountEntry {
            account: AccountId::random(entropy),
            seq: 1,
            previous: Hash32::ZERO,
            signer: card.device,
            body: AccountBody::Genesis { device: card, account_kem: kem, recovery: Some(recovery) },
        };
        AccountLog::found(&Signed::sign(entry, &signing)).expect("a first entry")
    }

    #[test]
    fn a_recovery_key_leads_to_the_account_that_named_it_first_and_to_no_other() {
        let c = Connection::open_in_memory().expect("memory");
        c.execute_batch(include_str!("../../../migrations/0004_recovery.sql")).expect("a table");
        let entropy = SeededEntropy::new(81);
        let [first, second] = [1, 2].map(|_| SigningKey::make(&entropy).verifying_key());
        let owner = log_with(first, &entropy);
        assert_eq!(account_of(&c, &first).expect("reads"), None, "nobody yet");
        assert!(claim(&c, owner.account(), &owner).expect("writes"), "the first to name it");
        assert!(claim(&c, owner.account(), &owner).expect("writes"), "and the same again");
        let thief = log_with(first, &entropy);
        assert!(!claim(&c, thief.account(), &thief).expect("writes"), "another account that names it too");
        assert_eq!(account_of(&c, &first).expect("reads"), Some(owner.account()), "it leads where it led");
        let renewed = log_with(second, &entropy);
        assert!(claim(&c, owner.account(), &renewed).expect("writes"), "another kit of the same account");
        assert_eq!(account_of(&c, &first).expect("reads"), None, "the old one leads nowhere");
        assert_eq!(account_of(&c, &second).expect("reads"), Some(owner.account()), "the new one does");
    }
}
