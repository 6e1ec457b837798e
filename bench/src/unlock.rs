//! Row `unlock`: from the passphrase to an open vault with the cost that is shipped, and by the other key slot that a vault has.

use std::path::Path;
use std::time::Instant;

use mecum_api::command::{VaultLock, VaultUnlock};
use mecum_client::testing::{NOW_MS, PASSPHRASE, surroundings};
use mecum_client::{App, AppOptions, Session};
use mecum_seal::RecoveryKit;
use mecum_seal::testing::fast_kdf;
use mecum_vault::{Durability, Vault, VaultOptions, WriteVaultError};
use serde_json::{Value, json};

use crate::Failed;
use crate::chart::{Built, SEED, location};
use crate::home::call;
use crate::report::{Numbers, Row};

const TIMES: usize = 20;

const MOST_DEFAULT_MS: f64 = 1_000.0;
const MOST_OTHER_MS: f64 = 50.0;

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("unlock")?;
    let kit = prepare(&profile)?;
    let mut default = Numbers::default();
    for time in 0..=TIMES {
        let app = App::open(AppOptions::new(profile.clone()));
        let began = Instant::now();
        call::<VaultUnlock>(&app, json!({ "passphrase": PASSPHRASE })).await?;
        if time > 0 {
            default.time(began.elapsed());
        }
        call::<VaultLock>(&app, Value::Null).await?;
    }
    let mut other = Numbers::default();
    for time in 0..=TIMES {
        let around = surroundings(SEED + time as u64);
        let options = VaultOptions { kdf: fast_kdf(), ..VaultOptions::new(around.entropy.clone()) };
        let began = Instant::now();
        let vault = Vault::recover(&location(&profile), &kit.key(), PASSPHRASE, NOW_MS, &options)?;
        let session = Session::open(vault, around)?;
        if time > 0 {
            other.time(began.elapsed());
        }
        session.lock()?;
    }
    let default_row = Row::of(
        "unlock",
        "vault_unlock, from call to answer, with the default cost of the passphrase's key",
        "≤ 1 s",
        "ms",
        &default,
        |ms| ms <= MOST_DEFAULT_MS,
    );
    let other_row = Row::of(
        "unlock",
        "by the recovery key's slot, until the session is open. Using it sets a new passphrase, which is counted without the cost of its key: that is chosen, and paid for the passphrase. A slot in the system's keychain does not exist yet",
        "≤ 50 ms",
        "ms",
        &other,
        |ms| ms <= MOST_OTHER_MS,
    );
    let what = format!("an open session of the chart's vault; {}", built.said);
    Ok(Row::joined("unlock", what, "≤ 1 s; by another slot ≤ 50 ms", vec![default_row, other_row]))
}

/// Gives the vault a slot of a recovery kit, and by it a passphrase's slot of the default cost.
fn prepare(profile: &Path) -> Result<RecoveryKit, Failed> {
    let around = surroundings(SEED);
    let shipped = VaultOptions::new(around.entropy.clone());
    let cheap = VaultOptions { kdf: fast_kdf(), ..shipped.clone() };
    let vault = Vault::unlock(&location(profile), PASSPHRASE, NOW_MS, &cheap)?;
    let kit = RecoveryKit::make(&*around.entropy);
    let slot = vault.make_recovery_slot(PASSPHRASE, &kit.key(), &cheap)?.ok_or("the passphrase is right")?;
    vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> { w.put_recovery_slot(&slot) })?;
    vault.lock()?;
    Vault::recover(&location(profile), &kit.key(), PASSPHRASE, NOW_MS, &shipped)?.lock()?;
    Ok(kit)
}
