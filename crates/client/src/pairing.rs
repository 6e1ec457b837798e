//! A second device: both meet in a mailbox at the server, named by a secret that only the two screens know.
//!
//! Offer (old device): which account, which server. Join (new device): its keys and name. The person says yes on the old
//! device; the account's log takes the new device. Welcome (old device): the account's key, sealed to the new device; or
//! nothing, which says no.

mod admission;
#[cfg(test)]
mod frozen;
mod joining;
mod mailbox;
mod messages;
#[doc(hidden)]
pub(crate) mod parsing;

use std::sync::Arc;
use std::time::Duration;

use mecum_api::{
    CallError, Code, PairJoinArgs, PairOfferView, PairPhase, PairView, PassphraseArgs, Topic, VaultPhase,
};
use mecum_seal::{AccountId, Entropy, PairingSecret};
use mecum_sync::limits::MAILBOX_LIFE_MS;
use tokio::task::AbortHandle;

use self::admission::Admission;
pub(crate) use self::joining::FreshDevice;
use self::joining::Joining;
pub(crate) use self::mailbox::{Found, look};
use self::messages::{Join, NO, Offer};
pub(crate) use self::messages::{bad_code, body, message, qr_text, read_code};
use crate::app::{App, held};
use crate::driver::{Home, sign_in};
use crate::error::{SessionError, refused, remote_error};
use crate::remote::Remote;

/// A code is good for this long.
const CODE_MS: i64 = 10 * 60 * 1000;

/// How often a *no* is tried to be said, and how long each waits for the next: without it the other device waits until its time is over.
const NO_TRIES: u32 = 5;
const NO_AGAIN: Duration = Duration::from_secs(2);

/// Fluent id: there is no signal, and it goes on by itself.
const AGAIN: &str = "pairing-again";

/// The longest device name, in bytes.
pub(crate) const MAX_NAME_BYTES: usize = 120;

/// A code that this device shows or has shown.
#[derive(Clone)]
struct Offered {
    secret: PairingSecret,
    home: Home,
    ends_ms: i64,
}

/// Pairing on this device, if any.
#[derive(Default)]
pub(crate) struct Pairing {
    view: PairView,
    /// The old device's code, until the person has said yes.
    offered: Option<Offered>,
    /// Who gave it, until the person has answered.
    asked: Option<Join>,
    /// Who is let in, until it is in.
    admitting: Option<Admission>,
    /// The new device's keys, until it has a vault to keep them in.
    fresh: Option<(AccountId, Arc<FreshDevice>)>,
    task: Option<AbortHandle>,
}

impl Pairing {
    /// Tells whoever waits for an answer to this device's code that there will be none.
    pub(crate) fn take_back(&mut self, entropy: &Arc<dyn Entropy>) {
        if let Some(offered) = self.offered.take() {
            tokio::spawn(say_no(offered, entropy.clone()));
        }
    }
}

impl Pairing {
    /// Something that goes on by itself, until it ends or the vault is locked.
    pub(crate) fn runs(&mut self, task: AbortHandle) {
        self.task = Some(task);
    }
}

/// Says in a code's mailbox that it leads nowhere.
async fn say_no(offered: Offered, entropy: Arc<dyn Entropy>) {
    let Ok(remote) = Remote::new(&offered.home.url, offered.home.pin) else { return };
    let sealed = offered.secret.seal("welcome", NO, entropy.as_ref());
    for _ in 0..NO_TRIES {
        if remote.mailbox_put(&offered.secret.mailbox_id(), "welcome", &sealed).await.is_ok() {
            return;
        }
        tokio::time::sleep(NO_AGAIN).await;
    }
}

impl Drop for Pairing {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    pub(crate) fn say_pairing(
        &self,
        phase: PairPhase,
        other: Option<String>,
        message_id: Option<&str>,
    ) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.pairing).view = view.clone();
        self.inner.news.tell(Topic::Devices);
        view
    }

    /// Ends what there is of pairing, but for a new device's keys. Whoever waits at the other end is told.
    pub(crate) async fn end_pairing(&self) {
        let ended = {
            let mut pairing = held(&self.inner.pairing);
            pairing.take_back(&self.inner.options.entropy);
            let kept = pairing.fresh.take();
            let ended = std::mem::take(&mut *pairing);
            pairing.fresh = kept;
            ended
        };
        if let Some(admission) = &ended.admitting {
            self.withdraw(admission).await;
        }
    }

    /// Shows a pairing code for a new device.
    pub async fn pair_offer(&self, (): ()) -> Result<PairOfferView, CallError> {
        // An earlier code is no longer good once another is shown.
        self.end_pairing().await;
        let home = self.home().await?;
        // The account must be at the server before another device can find it there.
        self.sync_now(()).await?;
        let secret = PairingSecret::make(self.inner.options.entropy.as_ref());
        let offer = self
            .with(|session| {
                let log =
                    session.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
                let relay = session.follower.relay().copied().ok_or_else(|| refused("error-no-server"))?;
                Ok(Offer { account: session.identity.account, genesis: log.genesis(), relay })
            })
            .await?;
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let sealed = secret.seal("offer", &body(&offer), self.inner.options.entropy.as_ref());
        // A server that does not let it sign in now takes the code all the same, among those of strangers.
        let signed_in = sign_in(&self.inner, &remote).await.ok();
        remote
            .mailbox_offer(signed_in.as_ref(), &secret.mailbox_id(), &sealed)
            .await
            .map_err(|error| remote_error(&error))?;
        let ends_ms = self.inner.options.clock.now_ms() + CODE_MS;
        let view = PairOfferView {
            words: secret.to_words(),
            qr: qr_text(&secret, &home),
            server: home.url.clone(),
            ends_ms,
        };
        self.say_pairing(PairPhase::Waiting, None, None);
        let offered = Offered { secret, home, ends_ms };
        let app = self.clone();
        let mut pairing = held(&self.inner.pairing);
        pairing.offered = Some(offered.clone());
        pairing.task = Some(tokio::spawn(app.wait_for_join(offered)).abort_handle());
        Ok(view)
    }

    async fn wait_for_join(self, offered: Offered) {
        let Ok(remote) = Remote::new(&offered.home.url, offered.home.pin) else { return };
        let Offered { secret, ends_ms, .. } = &offered;
        let mut said = None;
        while self.inner.options.clock.now_ms() < *ends_ms {
            match look(&remote, secret, "join", None).await {
                Found::Said(opened) => match minicbor::decode::<Join>(&opened) {
                    // A longer one would make an account log that this device could not read back.
                    Ok(join) if join.name.len() <= MAX_NAME_BYTES => {
                        let name = join.name.clone();
                        held(&self.inner.pairing).asked = Some(join);
                        self.say_pairing(PairPhase::Asking, Some(name), None);
                        return;
                    }
                    _ => {
                        self.say_pairing(PairPhase::Ended, None, Some("error-pairing-code"));
                        return;
                    }
                },
                Found::Nothing(now) if now != said => {
                    said = now;
                    self.say_pairing(PairPhase::Waiting, None, said);
                }
                Found::Nothing(_) => {}
            }
            tokio::time::sleep(self.inner.options.look).await;
        }
        self.say_pairing(PairPhase::Ended, None, Some("pairing-time-over"));
        say_no(offered, self.inner.options.entropy.clone()).await;
    }

    /// The state of pairing.
    pub async fn pair_status(&self, (): ()) -> Result<PairView, CallError> {
        Ok(held(&self.inner.pairing).view.clone())
    }

    /// The device that answered is the person's: adds it. Answers once that is durable here; bringing it in goes on by
    /// itself, also after a cut or a lock. Asked again meanwhile, it tries at once.
    pub async fn pair_approve(&self, (): ()) -> Result<PairView, CallError> {
        let (offered, join) = {
            let mut pairing = held(&self.inner.pairing);
            match (pairing.offered.clone(), pairing.asked.take()) {
                (Some(offered), Some(join)) => (offered, join),
                _ if matches!(pairing.view.phase, PairPhase::Working | PairPhase::Done) => {
                    self.inner.pair_again.notify_one();
                    return Ok(pairing.view.clone());
                }
                _ => return Err(CallError::new(Code::NotFound, "error-not-found")),
            }
        };
        self.say_pairing(PairPhase::Working, Some(join.name.clone()), None);
        // The mailbox outlives the code, so that who is let in at the last moment still finds its welcome.
        let ends_ms = offered.ends_ms - CODE_MS + MAILBOX_LIFE_MS;
        let asked = join.clone();
        let admitted =
            self.with(move |session| session.admit(&offered.secret, &join, &offered.home, ends_ms)).await;
        match admitted {
            Ok(admission) => {
                held(&self.inner.pairing).offered = None;
                self.bring_in_later(admission);
                self.pair_status(()).await
            }
            Err(error) => {
                // Nothing was written: the question stands.
                self.say_pairing(PairPhase::Asking, Some(asked.name.clone()), None);
                held(&self.inner.pairing).asked = Some(asked);
                Err(error)
            }
        }
    }

    /// Ends pairing: the answer to a device that is not the person's, too.
    pub async fn pair_stop(&self, (): ()) -> Result<PairView, CallError> {
        self.end_pairing().await;
        self.inner.news.tell(Topic::Devices);
        Ok(PairView::default())
    }

    /// Joins an account from this new device. Answers when the other device was found; the rest goes on by itself.
    pub async fn pair_join(&self, args: PairJoinArgs) -> Result<PairView, CallError> {
        let name = args.device_name.trim().to_owned();
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(CallError::new(Code::Invalid, "error-name-required"));
        }
        // What would fail here at the end must fail before the other device is asked.
        let judged = self.passphrase_check(PassphraseArgs { passphrase: args.passphrase.clone() }).await?;
        if let Some(message_id) = judged.message_id {
            return Err(CallError::new(Code::WeakPassphrase, &message_id));
        }
        if self.vault_status(()).await?.phase != VaultPhase::Missing {
            return Err(CallError::new(Code::VaultExists, "error-vault-exists"));
        }
        self.end_pairing().await;
        let (secret, url, pin) = read_code(&args.code, args.server.as_deref())?;
        let pin = match pin {
            Some(pin) => pin,
            None => Remote::server_info(&url).await.map_err(|error| remote_error(&error))?.key,
        };
        let remote = Remote::new(&url, pin).map_err(|error| remote_error(&error))?;
        let offer =
            remote.mailbox_get(&secret.mailbox_id(), "offer").await.map_err(|error| remote_error(&error))?;
        let offer: Offer = message(&secret, "offer", &offer.ok_or_else(bad_code)?)?;
        if offer.relay != pin {
            // The words come from the old device's screen: what it says of the server outranks what the server says.
            return Err(CallError::new(Code::Refused, "error-other-server"));
        }
        let fresh = self.fresh_device(offer.account);
        let sealed = secret.seal("join", &body(&fresh.join(name)), self.inner.options.entropy.as_ref());
        remote
            .mailbox_put(&secret.mailbox_id(), "join", &sealed)
            .await
            .map_err(|error| remote_error(&error))?;
        let view = self.say_pairing(PairPhase::Waiting, None, None);
        let passphrase = zeroize::Zeroizing::new(args.passphrase);
        let joining = Joining { secret, fresh, offer, home: Home { url, pin }, passphrase };
        let app = self.clone();
        let mut pairing = held(&self.inner.pairing);
        let task = tokio::spawn(async move {
            match app.finish_joining(joining).await {
                Ok(()) => app.say_pairing(PairPhase::Done, None, None),
                Err(error) => app.say_pairing(PairPhase::Ended, None, Some(&error.message_id)),
            };
        });
        pairing.task = Some(task.abort_handle());
        Ok(view)
    }
}
