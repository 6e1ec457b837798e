//! Coming back with recovery helpers, on an empty device: asking the server, waiting while it tells every device of the account,
//! gathering two helpers' parts, and restoring.
//!
//! It takes days, so it is kept from its first moment in a small vault of its own beside the place of the real one, under the passphrase
//! that the real one will have. A device that is started again in between goes on where it was.

mod looking;
mod record;
mod view;

use mecum_api::{
    CallError, Code, PairOfferView, PairPhase, PairView, PassphraseArgs, RestoreAskArgs, RestoreFinishArgs,
    RestoreView, Topic, VaultPhase,
};
use mecum_seal::{AccountId, PairingSecret};
use mecum_sync::RefusalCode;
use mecum_sync::limits::MAILBOX_LIFE_MS;
use mecum_vault::{Location, Presence, Vault, presence};
use zeroize::Zeroizing;

use self::record::Record;
use self::view::recovery_of;
use super::keys::Holder;
use super::restoring::Key;
use crate::app::{App, held};
use crate::driver::Home;
use crate::error::{create_error, remote_error, unlock_error};
use crate::founding::Founding;
use crate::helpers::{PART_ASKED, PartAsked, Secret};
use crate::pairing::{MAX_NAME_BYTES, body, qr_text};
use crate::remote::{Remote, RemoteError};

/// The folder of the vault that keeps the request, inside the profile's.
const FOLDER: &str = "restoring";

/// What was asked on this device, open.
pub(crate) struct Asking {
    vault: Vault,
    record: Record,
    /// Why the server could not be asked last.
    message_id: Option<String>,
}

impl Asking {
    fn keep(&mut self, record: Record) -> Result<(), CallError> {
        record.put(&self.vault)?;
        self.record = record;
        Ok(())
    }
}

fn nothing() -> CallError {
    CallError::new(Code::NotFound, "error-not-found")
}

impl App {
    fn asking_location(&self) -> Location {
        Location::File(self.profile().join(FOLDER).join("vault.sqlite"))
    }

    /// What was asked is over, here at least: its keys are gone with it.
    fn forget_asking(&self) {
        *held(&self.inner.asking) = None;
        // Not there at all is as good.
        let _ = std::fs::remove_dir_all(self.profile().join(FOLDER));
    }

    /// Runs something on what was asked.
    fn on_asking<T>(&self, work: impl FnOnce(&mut Asking) -> Result<T, CallError>) -> Result<T, CallError> {
        // What is written is one small row: short enough for this thread.
        held(&self.inner.asking).as_mut().ok_or_else(nothing).and_then(work)
    }

    /// Runs something on one request, if it is still what is asked: in its place there may be another by now.
    fn on_asking_of<T>(
        &self,
        request: &Record,
        work: impl FnOnce(&mut Asking) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let request = request.request.hash();
        self.on_asking(
            |asking| {
                if asking.record.request.hash() == request { work(asking) } else { Err(nothing()) }
            },
        )
    }

    fn asked_record(&self) -> Result<Record, CallError> {
        self.on_asking(|asking| Ok(asking.record.clone()))
    }

    /// Asks the server, from this empty device.
    pub async fn restore_ask(&self, args: RestoreAskArgs) -> Result<RestoreView, CallError> {
        let RestoreAskArgs { server, account, passphrase, device_name } = args;
        let passphrase = Zeroizing::new(passphrase);
        let name = device_name.trim().to_owned();
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(CallError::new(Code::Invalid, "error-name-required"));
        }
        let account: AccountId =
            account.trim().parse().map_err(|_| CallError::new(Code::Invalid, "error-restore-account"))?;
        let judged = self.passphrase_check(PassphraseArgs { passphrase: passphrase.to_string() }).await?;
        if let Some(message_id) = judged.message_id {
            return Err(CallError::new(Code::WeakPassphrase, &message_id));
        }
        if self.vault_status(()).await?.phase != VaultPhase::Missing {
            return Err(CallError::new(Code::VaultExists, "error-vault-exists"));
        }
        if self.is_asked() {
            return Err(CallError::new(Code::Refused, "error-restore-asked"));
        }
        let url = server.trim().trim_end_matches('/').to_owned();
        let pin = Remote::server_info(&url).await.map_err(|error| remote_error(&error))?.key;
        // Kept before the server hears of it: with no way back to the keys the wait would be for nothing.
        let entropy = self.inner.options.entropy.clone();
        let record = Record::make(&Home { url, pin }, account, &name, &*entropy);
        let asked = record.clone();
        self.blocking(move |app| {
            let Location::File(path) = app.asking_location() else { return Err(nothing()) };
            let folder = path.parent().ok_or_else(nothing)?;
            std::fs::create_dir_all(folder).map_err(|_| CallError::new(Code::NotSaved, "error-not-saved"))?;
            let (now_ms, options) = (app.inner.options.clock.now_ms(), app.vault_options());
            let made = Vault::create_with(&app.asking_location(), &passphrase, now_ms, &options, |w| {
                record.write(w)
            });
            let vault = made.map_err(create_error)?;
            *held(&app.inner.asking) = Some(Asking { vault, record, message_id: None });
            Ok(())
        })
        .await?;
        match self.ask_server(&asked).await {
            Ok(()) | Err(RemoteError::Offline) => Ok(self.restore_view()),
            Err(error @ (RemoteError::Refused(_) | RemoteError::BadAddress | RemoteError::TooLarge)) => {
                if self.on_asking_of(&asked, |_| Ok(())).is_ok() {
                    self.forget_asking();
                }
                Err(said(&error))
            }
            // Whether it was heard is not known: forgotten, the request would stand and nobody could use it. The next look goes on.
            Err(error) => {
                let message_id = Some(said(&error).message_id);
                let _ = self.on_asking_of(&asked, |asking| {
                    asking.message_id = message_id;
                    Ok(())
                });
                Ok(self.restore_view())
            }
        }
    }

    /// How it stands.
    pub async fn restore_get(&self, (): ()) -> Result<RestoreView, CallError> {
        if self.is_asked() && self.vault_status(()).await?.phase != VaultPhase::Missing {
            // Interrupted just after the real vault was made, or one was made by other means: nothing is left to wait for.
            self.forget_asking();
        }
        let Ok(record) = self.asked_record() else { return Ok(self.restore_view()) };
        let looked = self.look(&record).await;
        let message_id = looked.err().map(|error| said(&error).message_id);
        // Dropped meanwhile: then there is nothing to say of it.
        let _ = self.on_asking_of(&record, |asking| {
            asking.message_id = message_id;
            Ok(())
        });
        Ok(self.restore_view())
    }

    /// Opens what was asked before this program was started.
    pub async fn restore_open(&self, args: PassphraseArgs) -> Result<RestoreView, CallError> {
        let passphrase = Zeroizing::new(args.passphrase);
        self.blocking(move |app| {
            if held(&app.inner.asking).is_some() {
                return Ok(());
            }
            if !app.is_asked() {
                return Err(nothing());
            }
            let now_ms = app.inner.options.clock.now_ms();
            let vault = Vault::unlock(&app.asking_location(), &passphrase, now_ms, &app.vault_options())
                .map_err(|error| unlock_error(&error))?;
            let record = Record::read(&vault)?;
            *held(&app.inner.asking) = Some(Asking { vault, record, message_id: None });
            Ok(())
        })
        .await?;
        self.restore_get(()).await
    }

    /// Shows the code by which one helper gives their part.
    pub async fn restore_code(&self, (): ()) -> Result<PairOfferView, CallError> {
        let record = self.asked_record()?;
        let home = record.home();
        let now_ms = self.inner.options.clock.now_ms();
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let secret = PairingSecret::make(self.inner.options.entropy.as_ref());
        let offer = PartAsked {
            kind: PART_ASKED.to_owned(),
            request: record.request.clone(),
            device_name: record.device_name.clone(),
        };
        let sealed = secret.seal("offer", &body(&offer), self.inner.options.entropy.as_ref());
        let put = remote.mailbox_put(&secret.mailbox_id(), "offer", &sealed).await;
        put.map_err(|error| remote_error(&error))?;
        let ends_ms = now_ms.saturating_add(MAILBOX_LIFE_MS);
        self.on_asking_of(&record, |asking| {
            let code = Some((Secret(*secret.expose()), ends_ms));
            asking.keep(Record { code, ..asking.record.clone() })
        })?;
        Ok(PairOfferView { words: secret.to_words(), qr: qr_text(&secret, &home), server: home.url, ends_ms })
    }

    /// Restores the account.
    pub async fn restore_finish(&self, args: RestoreFinishArgs) -> Result<PairView, CallError> {
        let RestoreFinishArgs { passphrase, alone } = args;
        let passphrase = Zeroizing::new(passphrase);
        if self.vault_status(()).await?.phase != VaultPhase::Missing {
            return Err(CallError::new(Code::VaultExists, "error-vault-exists"));
        }
        let options = self.vault_options();
        let asked = passphrase.clone();
        self.blocking(move |app| {
            app.on_asking(|asking| {
                let right =
                    asking.vault.is_passphrase(&asked, &options).map_err(|error| unlock_error(&error))?;
                if right {
                    return Ok(());
                }
                Err(CallError::new(Code::WrongPassphrase, "error-passphrase-asked"))
            })
        })
        .await?;
        let record = self.asked_record()?;
        let recovery = recovery_of(&record)?;
        let home = record.home();
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        self.end_pairing().await;
        self.take_device(record.account, record.fresh());
        let key = Key { recovery, holder: Holder::Helpers, account: Some(record.account) };
        let (identity, log) = self.come_back(&remote, &key, &record.device_name, alone).await?;
        let view = self.say_pairing(PairPhase::Working, None, None);
        let founding = Founding::joined(identity, log.genesis(), &home);
        let app = self.clone();
        let task = tokio::spawn(async move {
            let settled = app.settle_in(founding, passphrase, &key).await;
            if app.vault_status(()).await.is_ok_and(|vault| vault.phase != VaultPhase::Missing) {
                // The real vault has the keys now.
                app.forget_asking();
            }
            match settled {
                Ok(()) => app.say_pairing(PairPhase::Done, None, None),
                Err(error) => app.say_pairing(PairPhase::Ended, None, Some(&error.message_id)),
            };
        });
        held(&self.inner.pairing).runs(task.abort_handle());
        Ok(view)
    }

    /// Gives it up on this device.
    pub async fn restore_drop(&self, (): ()) -> Result<RestoreView, CallError> {
        self.blocking(|app| {
            app.forget_asking();
            app.inner.news.tell(Topic::Devices);
            Ok(app.restore_view())
        })
        .await
    }

    fn is_asked(&self) -> bool {
        let now_ms = self.inner.options.clock.now_ms();
        presence(&self.asking_location(), now_ms) != Presence::Missing
    }
}

fn said(error: &RemoteError) -> CallError {
    match error {
        RemoteError::Refused(refusal) if refusal.code == RefusalCode::RateLimited => {
            CallError::new(Code::Refused, "error-restore-later")
        }
        error => remote_error(error),
    }
}
