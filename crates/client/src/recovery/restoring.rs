//! Restoring on an empty device by a recovery key, the kit's or the helpers', and nothing else: the server hands the account's log to who holds its recovery key, the log is
//! verified and holds the account's keys for it, and the recovery key adds this device. Then it signs in as any other.

use mecum_api::{AccountRestoreArgs, CallError, Code, PairPhase, PairView, PassphraseArgs, VaultPhase};
use mecum_seal::{AccountId, KemSecret, RecoveryKey, RecoveryKit, SigningKey};
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, DeviceCard, HELPERS_SIGNER, RECOVERY_SIGNER, RefusalCode,
    Rotation, Signed,
};
use zeroize::Zeroizing;

use super::keys::Holder;
use super::{bad_words, keys};
use crate::app::{App, held};
use crate::devices::rotation_to;
use crate::driver::Home;
use crate::error::remote_error;
use crate::founding::{Founding, device_card};
use crate::identity::Identity;
use crate::pairing::MAX_NAME_BYTES;
use crate::remote::{Remote, RemoteError};

/// How often the entry is signed again because the log has grown meanwhile.
const TRIES: u32 = 5;

/// What brings an account back.
pub(super) struct Key {
    pub(super) recovery: RecoveryKey,
    pub(super) holder: Holder,
    /// The account, where it is known; a kit's finds its own.
    pub(super) account: Option<AccountId>,
}

/// The account as its kit or its helpers found it.
struct Found {
    log: AccountLog,
    /// Newest first, and at least one.
    keys: Vec<KemSecret>,
}

impl App {
    /// Restores an account on this empty device. Answers when the account has this device; the rest goes on by itself, and
    /// `pair_status` says how far it is.
    pub async fn account_restore(&self, args: AccountRestoreArgs) -> Result<PairView, CallError> {
        let AccountRestoreArgs { server, words, passphrase, device_name, alone } = args;
        let (words, passphrase) = (Zeroizing::new(words), Zeroizing::new(passphrase));
        let name = device_name.trim().to_owned();
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(CallError::new(Code::Invalid, "error-name-required"));
        }
        // What is wrong here is said before anything is sent.
        let kit = RecoveryKit::from_words(&words).map_err(|error| bad_words(&error))?;
        let judged = self.passphrase_check(PassphraseArgs { passphrase: passphrase.to_string() }).await?;
        if let Some(message_id) = judged.message_id {
            return Err(CallError::new(Code::WeakPassphrase, &message_id));
        }
        if self.vault_status(()).await?.phase != VaultPhase::Missing {
            return Err(CallError::new(Code::VaultExists, "error-vault-exists"));
        }
        self.end_pairing().await;
        let url = server.trim().trim_end_matches('/').to_owned();
        let pin = Remote::server_info(&url).await.map_err(|error| remote_error(&error))?.key;
        let remote = Remote::new(&url, pin).map_err(|error| remote_error(&error))?;
        let key = Key { recovery: kit.key(), holder: Holder::Kit, account: None };
        let (identity, log) = self.come_back(&remote, &key, &name, alone).await?;
        let view = self.say_pairing(PairPhase::Working, None, None);
        let founding = Founding::joined(identity, log.genesis(), &Home { url, pin });
        let app = self.clone();
        let task = tokio::spawn(async move {
            match app.settle_in(founding, passphrase, &key).await {
                Ok(()) => app.say_pairing(PairPhase::Done, None, None),
                Err(error) => app.say_pairing(PairPhase::Ended, None, Some(&error.message_id)),
            };
        });
        held(&self.inner.pairing).runs(task.abort_handle());
        Ok(view)
    }

    /// Adds this device to the account by the recovery key; answers who it is. The same device again, after an answer that was
    /// lost, is found to be in already.
    pub(super) async fn come_back(
        &self,
        remote: &Remote,
        key: &Key,
        name: &str,
        alone: bool,
    ) -> Result<(Identity, AccountLog), CallError> {
        let signing = key.recovery.signing_key();
        let entropy = self.inner.options.entropy.clone();
        for _ in 0..TRIES {
            let Found { mut log, mut keys } = find(remote, key, &signing).await?;
            let fresh = self.fresh_device(log.account());
            if !log.devices().iter().any(|card| fresh.is(card)) {
                let first = keys.first().cloned().ok_or_else(other_account)?;
                let before = fresh.identity(log.account(), first, Vec::new());
                let card = device_card(&before, name, &*entropy);
                let alone = if alone {
                    let newest = KemSecret::make(&*entropy);
                    keys.insert(0, newest);
                    Some(alone_rotation(&log, &card, &keys, &*entropy)?)
                } else {
                    None
                };
                // The name goes under the key that the account has from here on.
                let newest = keys.first().cloned().ok_or_else(other_account)?;
                let named = fresh.identity(log.account(), newest, Vec::new());
                let card = device_card(&named, name, &*entropy);
                let entry = entry_for(&log, card, alone, key.holder, &signing);
                log.append(&entry).map_err(|_| other_account())?;
                match remote.recover(&signing, key.account, log.entries(), Some(entry)).await {
                    Ok(_) => {}
                    Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::StaleHead => continue,
                    Err(error) => return Err(refused(&error)),
                }
            }
            let mut keys = keys.into_iter();
            let newest = keys.next().ok_or_else(other_account)?;
            return Ok((fresh.identity(log.account(), newest, keys.collect()), log));
        }
        Err(CallError::new(Code::Offline, "error-offline"))
    }

    /// This device's own vault, which a kit opens as well; then everything comes from the server.
    pub(super) async fn settle_in(
        &self,
        founding: Founding,
        passphrase: Zeroizing<String>,
        key: &Key,
    ) -> Result<(), CallError> {
        let kit = (key.holder == Holder::Kit).then(|| key.recovery.clone());
        self.blocking(move |app| {
            app.make_vault(&passphrase, &founding)?;
            let Some(recovery) = kit else { return Ok(()) };
            let options = app.vault_options();
            let kept = app.inner.session(|session| session.keep_kit(&passphrase, &recovery, &options));
            // Locked in this moment: the vault is made, and the kit restores without a slot in it.
            kept.transpose()?;
            Ok(())
        })
        .await?;
        self.bring_over().await
    }
}

/// Fetches the account's log and verifies all of it.
async fn find(remote: &Remote, key: &Key, signing: &SigningKey) -> Result<Found, CallError> {
    let mut log: Option<AccountLog> = None;
    loop {
        let after = log.as_ref().map_or(0, AccountLog::entries);
        let answer =
            remote.recover(signing, key.account, after, None).await.map_err(|error| refused(&error))?;
        for entry in &answer.entries {
            match &mut log {
                None => log = Some(AccountLog::found(entry).map_err(|_| other_account())?),
                Some(log) => log.append(entry).map_err(|_| other_account())?,
            }
        }
        if !answer.more || answer.entries.is_empty() {
            break;
        }
    }
    let log = log.ok_or_else(other_account)?;
    let keys = keys::open_with(&key.recovery, &log, key.holder).map_err(|_| other_account())?;
    Ok(Found { log, keys })
}

/// A new key of the account that no other device gets.
fn alone_rotation(
    log: &AccountLog,
    card: &DeviceCard,
    keys: &[KemSecret],
    entropy: &dyn mecum_seal::Entropy,
) -> Result<Rotation, CallError> {
    let stays = [(card.device, card.kem.clone())];
    rotation_to(log, &stays, keys.iter(), entropy).ok_or_else(other_account)
}

fn entry_for(
    log: &AccountLog,
    device: DeviceCard,
    alone: Option<Rotation>,
    holder: Holder,
    signing: &SigningKey,
) -> Signed<AccountEntry> {
    let entry = AccountEntry {
        account: log.account(),
        seq: log.entries() + 1,
        previous: log.head(),
        signer: match holder {
            Holder::Kit => RECOVERY_SIGNER,
            Holder::Helpers => HELPERS_SIGNER,
        },
        body: AccountBody::Recover { device, alone },
    };
    Signed::sign(entry, signing)
}

/// The server shows another account than the one that the kit is for.
pub(super) fn other_account() -> CallError {
    CallError::new(Code::Refused, "error-restore-history")
}

fn refused(error: &RemoteError) -> CallError {
    match error {
        // One answer for whatever is wrong: no such kit here, or another one was made since.
        RemoteError::Unauthorised => CallError::new(Code::BadKit, "error-restore-unknown"),
        RemoteError::OtherServer => CallError::new(Code::Refused, "error-other-server"),
        error => remote_error(error),
    }
}
