//! Whether there is a vault, making one, opening and locking it.

use std::sync::atomic::Ordering;

use mecum_api::{
    CallError, Code, PassphraseArgs, PassphraseView, VaultCreateArgs, VaultPhase, VaultView, WordsView,
};
use mecum_domain::PartialDate;
use mecum_seal::{PassphraseVerdict, RecoveryKey, check_passphrase, suggest_passphrase};
use mecum_vault::{Presence, UnlockVaultError, Vault, presence};

use super::{App, held};
use crate::error::{create_error, unlock_error};
use crate::founding::Founding;
use crate::session::Session;
use crate::settings;

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Whether there is a vault and whether it is open.
    pub async fn vault_status(&self, (): ()) -> Result<VaultView, CallError> {
        self.blocking(|app| Ok(app.vault_view())).await
    }

    pub(crate) fn vault_view(&self) -> VaultView {
        let display = settings::read_display(self.profile());
        let view = VaultView { display, version: env!("CARGO_PKG_VERSION").into(), ..VaultView::default() };
        if self.inner.open_session().is_some() {
            return VaultView { phase: VaultPhase::Open, ..view };
        }
        let (now_ms, damaged) =
            (self.inner.options.clock.now_ms(), self.inner.damaged.load(Ordering::Relaxed));
        let Some(found) = self.inner.looks.look(|| presence(&self.location(), now_ms)) else {
            // One is being put there: in the place of one that was found damaged, or of one that was whole.
            let phase = if damaged { VaultPhase::Damaged } else { VaultPhase::Locked };
            return VaultView { phase, ..view };
        };
        match found {
            Presence::Missing => view,
            Presence::Present { .. } if damaged => VaultView { phase: VaultPhase::Damaged, ..view },
            Presence::Present { wait_ms, failed } => {
                let wait_s = u32::try_from(wait_ms.div_ceil(1000)).unwrap_or(u32::MAX);
                VaultView { phase: VaultPhase::Locked, wait_s, failed, ..view }
            }
            Presence::Unreadable => VaultView { phase: VaultPhase::Damaged, ..view },
        }
    }

    /// Six words made on this device.
    pub async fn passphrase_suggest(&self, (): ()) -> Result<WordsView, CallError> {
        Ok(WordsView { words: suggest_passphrase(self.inner.options.entropy.as_ref()) })
    }

    /// Judges a passphrase.
    pub async fn passphrase_check(&self, args: PassphraseArgs) -> Result<PassphraseView, CallError> {
        Ok(judge(&args.passphrase))
    }

    /// Makes a vault with the person's own chart and opens it.
    pub async fn vault_create(&self, args: VaultCreateArgs) -> Result<VaultView, CallError> {
        if args.name.trim().is_empty() || args.device_name.len() > crate::pairing::MAX_NAME_BYTES {
            return Err(CallError::new(Code::Invalid, "error-name-required"));
        }
        let born = args.born.as_deref().map(str::trim).filter(|born| !born.is_empty());
        if born.is_some_and(|born| PartialDate::parse(born).is_none()) {
            return Err(CallError::new(Code::Invalid, "error-field-date"));
        }
        self.blocking(move |app| {
            let founding = Founding::account(&args.device_name, app.inner.options.entropy.as_ref())?;
            let founding = founding.with_person(&args.name, args.born.as_deref());
            app.make_vault(&args.passphrase, &founding)?;
            Ok(app.vault_view())
        })
        .await
    }

    /// Makes a vault that holds from its first moment who this device is, and opens it.
    pub(crate) fn make_vault(&self, passphrase: &str, founding: &Founding) -> Result<(), CallError> {
        let judged = judge(passphrase);
        if !judged.ok {
            return Err(CallError::new(
                Code::WeakPassphrase,
                judged.message_id.as_deref().unwrap_or("passphrase-weak"),
            ));
        }
        let _turn = held(&self.inner.turn);
        self.finish_exchange()?;
        std::fs::create_dir_all(self.profile())
            .map_err(|_| CallError::new(Code::NotSaved, "error-not-saved"))?;
        let (now_ms, options) = (self.inner.options.clock.now_ms(), self.vault_options());
        let vault = Vault::create_with(&self.location(), passphrase, now_ms, &options, |w| founding.put(w))
            .map_err(create_error)?;
        self.open_session(vault)
    }

    /// Opens what an unlocked vault holds, with what an interruption left to be done.
    fn open_session(&self, vault: Vault) -> Result<(), CallError> {
        let mut session = Session::open(vault, self.surroundings())?;
        session.finish_founding()?;
        self.put_session(session);
        Ok(())
    }

    /// Opens the vault.
    pub async fn vault_unlock(&self, args: PassphraseArgs) -> Result<VaultView, CallError> {
        self.blocking(move |app| {
            let _turn = held(&app.inner.turn);
            if app.inner.open_session().is_some() {
                return Ok(app.vault_view());
            }
            app.finish_exchange()?;
            let now = app.inner.options.clock.now_ms();
            let vault = Vault::unlock(&app.location(), &args.passphrase, now, &app.vault_options())
                .inspect_err(|error| app.inner.note_damage(matches!(error, UnlockVaultError::Damaged { .. })))
                .map_err(|error| unlock_error(&error))?;
            let opened = app.open_session(vault);
            let damaged = opened.as_ref().is_err_and(|error| error.code == Code::Damaged);
            app.inner.note_damage(damaged);
            opened?;
            Ok(app.vault_view())
        })
        .await
    }

    /// Opens the vault by its recovery key and gives it a new passphrase.
    pub(crate) fn recover_vault(
        &self,
        recovery: &RecoveryKey,
        passphrase: &str,
    ) -> Result<VaultView, CallError> {
        let _turn = held(&self.inner.turn);
        if self.inner.open_session().is_some() {
            return Ok(self.vault_view());
        }
        self.finish_exchange()?;
        let now_ms = self.inner.options.clock.now_ms();
        let vault = Vault::recover(&self.location(), recovery, passphrase, now_ms, &self.vault_options())
            .map_err(|error| unlock_error(&error))?;
        self.open_session(vault)?;
        Ok(self.vault_view())
    }

    /// Locks the vault.
    pub async fn vault_lock(&self, (): ()) -> Result<VaultView, CallError> {
        self.blocking(|app| {
            app.inner.lock_now();
            Ok(app.vault_view())
        })
        .await
    }
}

fn judge(passphrase: &str) -> PassphraseView {
    let check = check_passphrase(passphrase);
    let message_id = match check.verdict {
        PassphraseVerdict::Ok => None,
        PassphraseVerdict::TooShort { .. } => Some("passphrase-too-short"),
        PassphraseVerdict::TooLong => Some("passphrase-too-long"),
        PassphraseVerdict::TooCommon => Some("passphrase-too-common"),
        PassphraseVerdict::TooRepetitive => Some("passphrase-too-repetitive"),
    };
    PassphraseView {
        strength: check.strength,
        ok: message_id.is_none(),
        message_id: message_id.map(str::to_owned),
    }
}
