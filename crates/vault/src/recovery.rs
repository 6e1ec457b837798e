//! The recovery slot: the vault key, sealed a second time, so that the recovery kit opens a vault whose passphrase is forgotten.
//!
//! It is slot kind 2, beside the passphrase's. It must not know where a recovery key comes from.

use mecum_seal::{DecodeSlotError, MakeSlotError, PassphraseSlot, RecoveryKey, RecoverySlot};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Part, UnlockVaultError, WriteVaultError};
use crate::guard::Guard;
use crate::location::{Location, VaultOptions};
use crate::state::Vault;
use crate::unlock::{PASSPHRASE_SLOT, closed_at, load_slot, waited_out, with_key};
use crate::write::Write;

const RECOVERY_SLOT: i64 = 2;

impl Vault {
    /// The recovery slot of this vault under `recovery`, not stored yet ([`Write::put_recovery_slot`]). None if the passphrase
    /// is wrong: only who has it may add another way in.
    pub fn make_recovery_slot(
        &self,
        passphrase: &str,
        recovery: &RecoveryKey,
        options: &VaultOptions,
    ) -> Result<Option<RecoverySlot>, UnlockVaultError> {
        let slot = load_slot(&self.inner().connection, options)?;
        let key = slot.open(passphrase).ok();
        Ok(key.map(|vault_key| RecoverySlot::make(recovery, &vault_key, &*options.entropy)))
    }

    /// Whether a recovery key opens this vault.
    pub fn has_recovery_slot(&self) -> Result<bool, UnlockVaultError> {
        Ok(stored(&self.inner().connection)?.is_some())
    }

    /// Opens a vault by its recovery key and gives it a new passphrase. A wrong key counts, and slows down, as a wrong passphrase
    /// does. The old passphrase opens it no more; its slot is gone from the file and its log when this returns.
    pub fn recover(
        location: &Location,
        recovery: &RecoveryKey,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
    ) -> Result<Vault, UnlockVaultError> {
        let (connection, lock) = closed_at(location)?;
        let guard = waited_out(&connection, now_ms)?;
        let slot = stored(&connection)?.ok_or(UnlockVaultError::NoRecovery)?;
        let failed = guard.after_failure(now_ms);
        failed.store(&connection)?;
        let Ok(vault_key) = slot.open(recovery) else {
            let wait_ms = failed.wait_ms(now_ms);
            return Err(UnlockVaultError::WrongRecoveryKey { failed: failed.failed, wait_ms });
        };
        Guard::OPEN.store(&connection)?;
        // A vault that does not open keeps its passphrase: the head is verified before anything is changed.
        let vault = with_key(connection, lock, &vault_key, options)?;
        let slot = PassphraseSlot::make(passphrase, &vault_key, &options.kdf, &*options.entropy);
        let slot = slot.map_err(|error| match error {
            MakeSlotError::TooLong => UnlockVaultError::PassphraseTooLong,
            _ => UnlockVaultError::Damaged { what: Part::KeySlot },
        })?;
        {
            let inner = &mut *vault.inner();
            let sql = "INSERT OR REPLACE INTO slot (kind, body) VALUES (?1, ?2)";
            inner.connection.execute(sql, params![PASSPHRASE_SLOT, slot.encode()])?;
            inner.checkpoint("TRUNCATE")?;
        }
        Ok(vault)
    }
}

impl Write<'_> {
    /// Stores a recovery slot in the place of an earlier one, with everything else of this transaction. [`Vault::scrub`] after it
    /// takes what is left of the earlier one from the log.
    pub fn put_recovery_slot(&mut self, slot: &RecoverySlot) -> Result<(), WriteVaultError> {
        self.attempt(|write| {
            let sql = "INSERT OR REPLACE INTO slot (kind, body) VALUES (?1, ?2)";
            write.connection.execute(sql, params![RECOVERY_SLOT, slot.encode()])?;
            Ok(())
        })
    }
}

fn stored(connection: &Connection) -> Result<Option<RecoverySlot>, UnlockVaultError> {
    let sql = "SELECT body FROM slot WHERE kind = ?1";
    let body: Option<Vec<u8>> =
        connection.query_row(sql, params![RECOVERY_SLOT], |row| row.get(0)).optional()?;
    let slot = body.map(|body| RecoverySlot::decode(&body)).transpose();
    slot.map_err(|error| match error {
        DecodeSlotError::UnknownVersion(_) => UnlockVaultError::TooNew,
        _ => UnlockVaultError::Damaged { what: Part::KeySlot },
    })
}
