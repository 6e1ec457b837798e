//! A second device: both meet in a mailbox at the server, named by a secret that only the two screens know.
//!
//! Offer (old device): which account, which server. Join (new device): its keys and name. The person says yes on the old
//! device; the account's log takes the new device. Welcome (old device): the account's key, sealed to the new device.

use std::time::Duration;

use mecum_api::{
    CallError, Code, PairJoinArgs, PairOfferView, PairPhase, PairView, PassphraseArgs, Topic, VaultPhase,
};
use mecum_seal::{
    AccountId, DeviceId, Entropy, Hash32, IncarnationId, KemPublic, KemSecret, PairingSecret, SigningKey,
    VerifyingKey, open_from, seal_to,
};
use mecum_sync::{DeviceCard, Follower};
use minicbor::{Decode, Encode};
use tokio::task::AbortHandle;

use crate::app::{App, held};
use crate::driver::Home;
use crate::error::{SessionError, refused, remote_error};
use crate::identity::Identity;
use crate::remote::Remote;
use crate::session::{Session, seal_device_name};

/// A code is good for this long.
const CODE_MS: i64 = 10 * 60 * 1000;

/// How often a mailbox is looked into.
const LOOK: Duration = Duration::from_millis(500);

const WELCOME_PURPOSE: &str = "mecum pairing welcome v1";

/// The longest device name, in bytes.
pub(crate) const MAX_NAME_BYTES: usize = 120;

/// Which account and server: from the old device.
#[derive(Encode, Decode)]
struct Offer {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    genesis: Hash32,
    #[n(2)]
    relay: VerifyingKey,
}

/// Keys and name: from the new device.
#[derive(Clone, Encode, Decode)]
struct Join {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    signing: VerifyingKey,
    #[n(2)]
    kem: KemPublic,
    #[n(3)]
    incarnation: IncarnationId,
    #[n(4)]
    name: String,
}

/// The account's key: from the old device, sealed to the new one.
#[derive(Encode, Decode, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
struct Welcome {
    #[cbor(n(0), with = "minicbor::bytes")]
    account_kem: [u8; 32],
}

/// Pairing on this device, if any.
#[derive(Default)]
pub(crate) struct Pairing {
    view: PairView,
    asked: Option<(PairingSecret, Join, Home)>,
    task: Option<AbortHandle>,
}

impl Drop for Pairing {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

fn body<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).expect("plain fields encode")
}

fn message<T: for<'b> Decode<'b, ()>>(
    secret: &PairingSecret,
    slot: &str,
    sealed: &[u8],
) -> Result<T, CallError> {
    let bad = || CallError::new(Code::BadPairingCode, "error-pairing-code");
    let opened = secret.open(slot, sealed).map_err(|_| bad())?;
    minicbor::decode(&opened).map_err(|_| bad())
}

/// The text of the QR code.
fn qr_text(secret: &PairingSecret, home: &Home) -> String {
    let hex = secret.expose().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("mecum:pair?s={hex}&k={}&u={}", home.pin, home.url)
}

/// The secret, and the address and pin where the text holds them.
fn read_code(
    code: &str,
    server: Option<&str>,
) -> Result<(PairingSecret, String, Option<VerifyingKey>), CallError> {
    let bad = || CallError::new(Code::BadPairingCode, "error-pairing-code");
    if let Some(query) = code.trim().strip_prefix("mecum:pair?") {
        let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        let hex = part("s=").ok_or_else(bad)?;
        let bytes: Result<Vec<u8>, _> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or("x"), 16))
            .collect();
        let bytes = bytes.map_err(|_| bad())?.try_into().map_err(|_| bad())?;
        let pin: VerifyingKey = part("k=").and_then(|pin| pin.parse().ok()).ok_or_else(bad)?;
        let url = query.split_once("u=").map(|(_, url)| url.to_owned()).ok_or_else(bad)?;
        return Ok((PairingSecret::from_bytes(bytes), url, Some(pin)));
    }
    let secret = PairingSecret::from_words(code)
        .map_err(|_| CallError::new(Code::BadPairingCode, "error-pairing-words"))?;
    let server = server.map(str::trim).filter(|server| !server.is_empty());
    let url = server.ok_or_else(|| CallError::new(Code::BadPairingCode, "error-pairing-server"))?;
    Ok((secret, url.trim_end_matches('/').to_owned(), None))
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    fn say_pairing(&self, phase: PairPhase, other: Option<String>, message_id: Option<&str>) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.pairing).view = view.clone();
        self.inner.news.tell(Topic::Devices);
        view
    }

    /// Shows a pairing code for a new device.
    pub async fn pair_offer(&self, (): ()) -> Result<PairOfferView, CallError> {
        // An earlier code is no longer good once another is shown.
        *held(&self.inner.pairing) = Pairing::default();
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
        remote
            .mailbox_put(&secret.mailbox_id(), "offer", &sealed)
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
        let app = self.clone();
        let task = tokio::spawn(async move { app.wait_for_join(secret, home, ends_ms).await });
        held(&self.inner.pairing).task = Some(task.abort_handle());
        Ok(view)
    }

    async fn wait_for_join(self, secret: PairingSecret, home: Home, ends_ms: i64) {
        let Ok(remote) = Remote::new(&home.url, home.pin) else { return };
        while self.inner.options.clock.now_ms() < ends_ms {
            if let Ok(Some(sealed)) = remote.mailbox_get(&secret.mailbox_id(), "join").await {
                match message::<Join>(&secret, "join", &sealed) {
                    // A longer one would make an account log that this device could not read back.
                    Ok(join) if join.name.len() <= MAX_NAME_BYTES => {
                        let name = join.name.clone();
                        held(&self.inner.pairing).asked = Some((secret, join, home));
                        self.say_pairing(PairPhase::Asking, Some(name), None);
                    }
                    _ => {
                        self.say_pairing(PairPhase::Ended, None, Some("error-pairing-code"));
                    }
                }
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.say_pairing(PairPhase::Ended, None, Some("pairing-time-over"));
    }

    /// The state of pairing.
    pub async fn pair_status(&self, (): ()) -> Result<PairView, CallError> {
        Ok(held(&self.inner.pairing).view.clone())
    }

    /// The device that answered is the person's: adds it.
    pub async fn pair_approve(&self, (): ()) -> Result<PairView, CallError> {
        let asked = held(&self.inner.pairing).asked.take();
        let (secret, join, home) = asked.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        let name = join.name.clone();
        self.say_pairing(PairPhase::Working, Some(name.clone()), None);
        let outcome = self.welcome(secret, join, home).await;
        match outcome {
            Ok(()) => Ok(self.say_pairing(PairPhase::Done, Some(name), None)),
            Err(error) => {
                self.say_pairing(PairPhase::Ended, Some(name), Some(&error.message_id));
                Err(error)
            }
        }
    }

    async fn welcome(&self, secret: PairingSecret, join: Join, home: Home) -> Result<(), CallError> {
        let entropy = self.inner.options.entropy.clone();
        let to = join.kem.clone();
        let account_kem = self
            .with(move |session| {
                let sealed_name =
                    seal_device_name(&session.identity, join.device, &join.name, session.entropy());
                let card = DeviceCard {
                    device: join.device,
                    signing: join.signing,
                    kem: join.kem,
                    incarnation: join.incarnation,
                    sealed_name,
                };
                session.add_device(card)?;
                Ok(*session.identity.account_kem.expose())
            })
            .await?;
        // The relay must know the device before it is told that it may come.
        let sync = self.sync_now(()).await?;
        if sync.phase != mecum_api::SyncPhase::UpToDate {
            return Err(CallError::new(Code::Offline, "error-offline"));
        }
        let welcome = zeroize::Zeroizing::new(body(&Welcome { account_kem }));
        let sealed = seal_to(&to, WELCOME_PURPOSE, &secret.mailbox_id(), &welcome, entropy.as_ref())
            .map_err(|_| CallError::new(Code::BadPairingCode, "error-pairing-code"))?;
        let sealed = secret.seal("welcome", &sealed, entropy.as_ref());
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        remote
            .mailbox_put(&secret.mailbox_id(), "welcome", &sealed)
            .await
            .map_err(|error| remote_error(&error))
    }

    /// Ends pairing.
    pub async fn pair_stop(&self, (): ()) -> Result<PairView, CallError> {
        *held(&self.inner.pairing) = Pairing::default();
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
        *held(&self.inner.pairing) = Pairing::default();
        let (secret, url, pin) = read_code(&args.code, args.server.as_deref())?;
        let pin = match pin {
            Some(pin) => pin,
            None => Remote::server_info(&url).await.map_err(|error| remote_error(&error))?.key,
        };
        let remote = Remote::new(&url, pin).map_err(|error| remote_error(&error))?;
        let offer =
            remote.mailbox_get(&secret.mailbox_id(), "offer").await.map_err(|error| remote_error(&error))?;
        let offer = offer.ok_or_else(|| CallError::new(Code::BadPairingCode, "error-pairing-code"))?;
        let offer: Offer = message(&secret, "offer", &offer)?;
        if offer.relay != pin {
            // The words come from the old device's screen: what it says of the server outranks what the server says.
            return Err(CallError::new(Code::Refused, "error-other-server"));
        }
        let fresh = FreshDevice::make(self.inner.options.entropy.as_ref());
        let join = fresh.join(name.clone());
        let sealed = secret.seal("join", &body(&join), self.inner.options.entropy.as_ref());
        remote
            .mailbox_put(&secret.mailbox_id(), "join", &sealed)
            .await
            .map_err(|error| remote_error(&error))?;
        let view = self.say_pairing(PairPhase::Waiting, None, None);
        let app = self.clone();
        let home = Home { url, pin };
        let task = tokio::spawn(async move {
            let outcome = app.wait_for_welcome(secret, fresh, offer, home, args.passphrase).await;
            match outcome {
                Ok(()) => app.say_pairing(PairPhase::Done, None, None),
                Err(error) => app.say_pairing(PairPhase::Ended, None, Some(&error.message_id)),
            };
        });
        held(&self.inner.pairing).task = Some(task.abort_handle());
        Ok(view)
    }

    async fn wait_for_welcome(
        &self,
        secret: PairingSecret,
        fresh: FreshDevice,
        offer: Offer,
        home: Home,
        passphrase: String,
    ) -> Result<(), CallError> {
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let ends_ms = self.inner.options.clock.now_ms() + CODE_MS;
        let sealed = loop {
            if self.inner.options.clock.now_ms() >= ends_ms {
                return Err(CallError::new(Code::BadPairingCode, "pairing-time-over"));
            }
            match remote.mailbox_get(&secret.mailbox_id(), "welcome").await {
                Ok(Some(sealed)) => break sealed,
                _ => tokio::time::sleep(LOOK).await,
            }
        };
        self.say_pairing(PairPhase::Working, None, None);
        let bad = || CallError::new(Code::BadPairingCode, "error-pairing-code");
        let sealed = secret.open("welcome", &sealed).map_err(|_| bad())?;
        let opened =
            open_from(&fresh.kem, WELCOME_PURPOSE, &secret.mailbox_id(), &sealed).map_err(|_| bad())?;
        let welcome: Welcome = minicbor::decode(&opened).map_err(|_| bad())?;
        let app = self.clone();
        let made = tokio::task::spawn_blocking(move || -> Result<(), CallError> {
            let identity = fresh.identity(offer.account, &welcome);
            let follower = Follower::join(
                identity.account,
                identity.device,
                identity.incarnation,
                offer.genesis,
                Some(home.pin),
            );
            let vault = app.make_vault(&passphrase)?;
            let mut session = Session::found(vault, &identity, &follower, app.surroundings())?;
            session.set_home(&home)?;
            app.put_session(session);
            Ok(())
        });
        made.await.unwrap_or_else(|_| Err(CallError::new(Code::Internal, "error-internal")))?;
        let sync = self.sync_now(()).await?;
        if sync.phase != mecum_api::SyncPhase::UpToDate {
            return Err(CallError::new(Code::Offline, "error-offline"));
        }
        // What came over with the account is no news on this device.
        self.with(|session| {
            let now_ms = session.now_ms();
            session.charts().into_iter().try_for_each(|chart| session.set_seen(chart, now_ms))
        })
        .await
    }
}

/// The keys of a device that is about to join.
struct FreshDevice {
    device: DeviceId,
    incarnation: IncarnationId,
    signing: SigningKey,
    kem: KemSecret,
}

impl FreshDevice {
    fn make(entropy: &dyn Entropy) -> Self {
        Self {
            device: DeviceId::random(entropy),
            incarnation: IncarnationId::random(entropy),
            signing: SigningKey::make(entropy),
            kem: KemSecret::make(entropy),
        }
    }

    fn join(&self, name: String) -> Join {
        Join {
            device: self.device,
            signing: self.signing.verifying_key(),
            kem: self.kem.public(),
            incarnation: self.incarnation,
            name,
        }
    }

    fn identity(self, account: AccountId, welcome: &Welcome) -> Identity {
        Identity {
            account,
            device: self.device,
            incarnation: self.incarnation,
            signing: self.signing,
            kem: self.kem,
            account_kem: KemSecret::from_bytes(welcome.account_kem),
        }
    }
}
