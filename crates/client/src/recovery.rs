//! The recovery kit: thirteen words on paper. They open this vault when its passphrase is forgotten, and restore the account on an
//! empty device when every device is gone.
//!
//! The words are here while they are shown or typed, and nowhere else: not in the vault, not in a log, not in an error.

mod asking;
pub(crate) mod keys;
mod restoring;

pub(crate) use asking::Asking;

use mecum_api::{
    CallError, Code, KitConfirmArgs, KitStatusView, KitView, PassphraseArgs, Topic, VaultRecoverArgs,
    VaultView,
};
use mecum_seal::{BadKitWords, Entropy, KIT_WORDS, RecoveryKey, RecoveryKit, RecoverySlot};
use mecum_sync::{AccountBody, encode};
use mecum_vault::{Durability, Table, VaultOptions, Write, WriteVaultError};
use zeroize::Zeroizing;

use crate::account_entries::account_entry_name;
use crate::app::{App, held};
use crate::erasing::owe_scrub;
use crate::error::{SessionError, unlock_error};
use crate::session::Session;

/// Words that are typed again from the paper before a kit counts.
const ASKED_WORDS: usize = 3;

/// The setting that says when a kit was made on this device, ms since the epoch.
const KIT_MADE: &str = "kit-made";

/// A kit that is shown, until it is confirmed or given up.
pub(crate) struct ShownKit {
    kit: RecoveryKit,
    /// Made while the passphrase was there; stored when the kit counts.
    slot: RecoverySlot,
    /// Places of the words to type again, from 0, ascending.
    asked: Vec<usize>,
}

impl App {
    /// Whether there is a kit.
    pub async fn kit_status(&self, (): ()) -> Result<KitStatusView, CallError> {
        self.with(|session| session.kit_status()).await
    }

    /// Makes a kit, after the passphrase was typed again. It counts once it is confirmed.
    pub async fn kit_make(&self, args: PassphraseArgs) -> Result<KitView, CallError> {
        let options = self.vault_options();
        let passphrase = Zeroizing::new(args.passphrase);
        let (shown, view) = self.with(move |session| session.make_kit(&passphrase, &options)).await?;
        *held(&self.inner.kit) = Some(shown);
        Ok(view)
    }

    /// The asked words were typed from the paper: from here on the kit counts, and an earlier one does not.
    pub async fn kit_confirm(&self, args: KitConfirmArgs) -> Result<KitStatusView, CallError> {
        let typed = Zeroizing::new(args.words);
        let shown = held(&self.inner.kit).take();
        let shown = shown.ok_or_else(|| CallError::new(Code::NotFound, "error-kit-gone"))?;
        if let Err(wrong) = shown.check(&typed) {
            *held(&self.inner.kit) = Some(shown);
            return Err(wrong);
        }
        let (shown, done) = self
            .with(move |session| {
                let done = session.set_kit(&shown.kit.key(), &shown.slot);
                Ok((shown, done))
            })
            .await?;
        if let Err(error) = done {
            // Nothing was saved: the same paper can still be confirmed.
            *held(&self.inner.kit) = Some(shown);
            return Err(error.into());
        }
        self.inner.poke.notify_one();
        self.kit_status(()).await
    }

    /// Forgets a kit that was not confirmed.
    #[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
    pub async fn kit_drop(&self, (): ()) -> Result<(), CallError> {
        *held(&self.inner.kit) = None;
        Ok(())
    }

    /// Opens the vault by the kit and gives it a new passphrase.
    pub async fn vault_recover(&self, args: VaultRecoverArgs) -> Result<VaultView, CallError> {
        let VaultRecoverArgs { words, passphrase } = args;
        let (words, passphrase) = (Zeroizing::new(words), Zeroizing::new(passphrase));
        // What is typed wrong is said before anything is tried.
        let kit = RecoveryKit::from_words(&words).map_err(|error| bad_words(&error))?;
        let judged = self.passphrase_check(PassphraseArgs { passphrase: passphrase.to_string() }).await?;
        if let Some(message_id) = judged.message_id {
            return Err(CallError::new(Code::WeakPassphrase, &message_id));
        }
        self.blocking(move |app| app.recover_vault(&kit.key(), &passphrase)).await
    }
}

impl ShownKit {
    /// Whether the asked words were typed as they stand on the paper. The error names the first that was not.
    fn check(&self, typed: &[String]) -> Result<(), CallError> {
        let words = self.kit.to_words();
        for (at, place) in self.asked.iter().enumerate() {
            let typed =
                Zeroizing::new(typed.get(at).map(|word| word.trim().to_lowercase()).unwrap_or_default());
            if words.get(*place) != Some(&typed.as_str()) {
                return Err(CallError::new(Code::BadKit, "error-kit-again").with("at", place + 1));
            }
        }
        Ok(())
    }
}

impl Session {
    fn kit_status(&self) -> Result<KitStatusView, SessionError> {
        let log = self.follower.account_log();
        let made = log.is_some_and(|log| log.recovery_kem().is_some());
        let opens_this = self.vault.has_recovery_slot().map_err(|error| unlock_error(&error))?;
        let made_ms = self.setting(KIT_MADE)?.and_then(|at| at.try_into().ok()).map_or(0, i64::from_be_bytes);
        let home = self.home();
        let stored = made && home.is_some() && self.is_account_log_stored();
        Ok(KitStatusView { made, opens_this, made_ms, stored, server: home.map(|home| home.url) })
    }

    fn make_kit(
        &mut self,
        passphrase: &str,
        options: &VaultOptions,
    ) -> Result<(ShownKit, KitView), SessionError> {
        let kit = RecoveryKit::make(self.entropy());
        let slot = self.vault.make_recovery_slot(passphrase, &kit.key(), options);
        let slot = slot.map_err(|error| unlock_error(&error))?;
        let slot = slot.ok_or_else(|| CallError::new(Code::WrongPassphrase, "error-passphrase-asked"))?;
        let asked = ask(self.entropy());
        let home = self.home();
        let view = KitView {
            words: kit.to_words().map(str::to_owned).to_vec(),
            server: home.as_ref().map(|home| home.url.clone()),
            pin: home.map(|home| home.pin.to_string()),
            account: self.identity.account.to_string(),
            asked: asked.iter().filter_map(|place| u8::try_from(place + 1).ok()).collect(),
        };
        Ok((ShownKit { kit, slot, asked }, view))
    }

    /// From here on this key recovers the account and opens this vault; an earlier kit does neither.
    fn set_kit(&mut self, recovery: &RecoveryKey, slot: &RecoverySlot) -> Result<(), SessionError> {
        let broken = || SessionError::Stored { what: "account log" };
        let mut follower = self.follower.clone();
        let log = follower.account_log().ok_or_else(broken)?;
        let vouch = recovery.vouch_for(log.account(), log.genesis());
        let kem = recovery.kem_secret().public();
        let keys = self.identity.account_keys();
        let sealed =
            keys::seal_for_kit(&kem, vouch, log.account(), keys, self.entropy()).ok_or_else(broken)?;
        let signing = recovery.signing_key().verifying_key();
        let entry = self.sign_body(&mut follower, AccountBody::SetRecovery { signing, kem, sealed });
        let entry = entry.map_err(|_| broken())?;
        let now = self.now_ms().to_be_bytes();
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.put(Table::Account, &account_entry_name(entry.unverified().seq), &encode(&entry))?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())?;
            w.put(Table::Setting, KIT_MADE.as_bytes(), &now)?;
            owe_scrub(w)?;
            w.put_recovery_slot(slot)
        })?;
        self.follower = follower;
        // The slot of an earlier kit is not to be found in the log either.
        self.scrub_if_owed()?;
        self.tell(Topic::Settings);
        Ok(())
    }

    /// The kit that restored this account opens its new vault too.
    fn keep_kit(
        &mut self,
        passphrase: &str,
        recovery: &RecoveryKey,
        options: &VaultOptions,
    ) -> Result<(), SessionError> {
        let slot = self.vault.make_recovery_slot(passphrase, recovery, options);
        let Some(slot) = slot.map_err(|error| unlock_error(&error))? else { return Ok(()) };
        let put = |w: &mut Write<'_>| w.put_recovery_slot(&slot);
        Ok(self.vault.write(Durability::Full, put)?)
    }
}

/// Which words are to be typed again: places from 0, ascending, no two alike.
fn ask(entropy: &dyn Entropy) -> Vec<usize> {
    let mut asked = std::collections::BTreeSet::new();
    while asked.len() < ASKED_WORDS {
        let mut drawn = [0; 1];
        entropy.fill(&mut drawn);
        let [drawn] = drawn.map(usize::from);
        // Of 256 the last nine would come a little more often.
        if drawn < 256 / KIT_WORDS * KIT_WORDS {
            asked.insert(drawn % KIT_WORDS);
        }
    }
    asked.into_iter().collect()
}

/// Which word it is, where that can be known.
fn bad_words(error: &BadKitWords) -> CallError {
    let say = |id: &str| CallError::new(Code::BadKit, id);
    match error {
        BadKitWords::UnknownWord { position } => say("error-kit-word").with("at", position),
        BadKitWords::WrongCount { got } => say("error-kit-count").with("got", got),
        _ => say("error-kit-words"),
    }
}
