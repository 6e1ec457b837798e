//! The new device: its keys, its waiting for the welcome, and its own vault.

use std::sync::Arc;

use mecum_api::{CallError, Code, PairPhase, SyncPhase};
use mecum_seal::{
    AccountId, DeviceId, Entropy, IncarnationId, KemSecret, PairingSecret, SigningKey, open_from,
};

use zeroize::Zeroizing;

use super::messages::{Join, Offer, WELCOME_PURPOSE, Welcome, bad_code};
use super::{AGAIN, CODE_MS, Found, look};
use crate::app::{App, held};
use crate::driver::Home;
use crate::error::remote_error;
use crate::founding::Founding;
use crate::identity::{Identity, secrets_of};
use crate::remote::Remote;

/// The keys of a device that is about to join.
pub(crate) struct FreshDevice {
    device: DeviceId,
    incarnation: IncarnationId,
    signing: SigningKey,
    kem: KemSecret,
}

impl FreshDevice {
    pub(super) fn make(entropy: &dyn Entropy) -> Self {
        Self {
            device: DeviceId::random(entropy),
            incarnation: IncarnationId::random(entropy),
            signing: SigningKey::make(entropy),
            kem: KemSecret::make(entropy),
        }
    }

    /// The same keys again, as they were kept.
    pub(crate) fn kept(
        device: DeviceId,
        incarnation: IncarnationId,
        signing: [u8; 32],
        kem: [u8; 32],
    ) -> Self {
        let (signing, kem) = (SigningKey::from_seed(signing), KemSecret::from_bytes(kem));
        Self { device, incarnation, signing, kem }
    }

    /// Whether a card is this device's.
    pub(crate) fn is(&self, card: &mecum_sync::DeviceCard) -> bool {
        card.device == self.device && card.signing == self.signing.verifying_key()
    }

    pub(super) fn join(&self, name: String) -> Join {
        Join {
            device: self.device,
            signing: self.signing.verifying_key(),
            kem: self.kem.public(),
            incarnation: self.incarnation,
            name,
        }
    }

    /// Whose device this is: the account's keys come newest first.
    pub(crate) fn identity(
        &self,
        account: AccountId,
        account_kem: KemSecret,
        earlier: Vec<KemSecret>,
    ) -> Identity {
        Identity {
            account,
            device: self.device,
            incarnation: self.incarnation,
            signing: self.signing.clone(),
            kem: KemSecret::from_bytes(*self.kem.expose()),
            account_kem,
            earlier,
        }
    }
}

/// What a joining device has while it waits.
pub(super) struct Joining {
    pub(super) secret: PairingSecret,
    pub(super) fresh: Arc<FreshDevice>,
    pub(super) offer: Offer,
    pub(super) home: Home,
    pub(super) passphrase: Zeroizing<String>,
}

impl App {
    /// Takes keys that were kept as those to join `account` with.
    pub(crate) fn take_device(&self, account: AccountId, fresh: FreshDevice) {
        held(&self.inner.pairing).fresh = Some((account, Arc::new(fresh)));
    }

    /// The keys to join `account` with: those of an earlier try that ended, so that a device which the account has already
    /// is the same device.
    pub(crate) fn fresh_device(&self, account: AccountId) -> Arc<FreshDevice> {
        let mut pairing = held(&self.inner.pairing);
        let earlier = pairing.fresh.take().filter(|(of, _)| *of == account).map(|(_, fresh)| fresh);
        let fresh =
            earlier.unwrap_or_else(|| Arc::new(FreshDevice::make(self.inner.options.entropy.as_ref())));
        pairing.fresh = Some((account, fresh.clone()));
        fresh
    }

    pub(super) async fn finish_joining(&self, joining: Joining) -> Result<(), CallError> {
        let sealed = self.wait_for_welcome(&joining).await?;
        self.say_pairing(PairPhase::Working, None, None);
        let app = self.clone();
        let made = tokio::task::spawn_blocking(move || -> Result<(), CallError> {
            let Joining { secret, fresh, offer, home, passphrase } = joining;
            let opened = open_from(&fresh.kem, WELCOME_PURPOSE, &secret.mailbox_id(), &sealed)
                .map_err(|_| bad_code())?;
            let welcome: Welcome = minicbor::decode(&opened).map_err(|_| bad_code())?;
            let newest = KemSecret::from_bytes(welcome.account_kem);
            let earlier = welcome.earlier.as_deref().map(secrets_of).unwrap_or_default();
            let identity = fresh.identity(offer.account, newest, earlier);
            app.make_vault(&passphrase, &Founding::joined(identity, offer.genesis, &home))
        });
        made.await.unwrap_or_else(|_| Err(CallError::new(Code::Internal, "error-internal")))?;
        self.bring_over().await
    }

    /// The account is here now. Until everything has come over, a cut only makes it take longer.
    pub(crate) async fn bring_over(&self) -> Result<(), CallError> {
        held(&self.inner.pairing).fresh = None;
        while self.sync_now(()).await?.phase != SyncPhase::UpToDate {
            self.say_pairing(PairPhase::Working, None, Some(AGAIN));
            tokio::time::sleep(self.inner.options.look * 2).await;
        }
        // What came over with the account is no news on this device.
        self.with(|session| {
            let now_ms = session.now_ms();
            session.charts().into_iter().try_for_each(|chart| session.set_seen(chart, now_ms))
        })
        .await
    }

    /// What the old device seals for this one, or that it says no.
    async fn wait_for_welcome(&self, joining: &Joining) -> Result<Vec<u8>, CallError> {
        let Joining { secret, home, .. } = joining;
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let ends_ms = self.inner.options.clock.now_ms() + CODE_MS;
        let mut said = None;
        let sealed = loop {
            if self.inner.options.clock.now_ms() >= ends_ms {
                return Err(CallError::new(Code::BadPairingCode, "pairing-time-over"));
            }
            match look(&remote, secret, "welcome", Some(AGAIN)).await {
                Found::Said(sealed) => break sealed,
                Found::Nothing(now) if now != said => {
                    said = now;
                    self.say_pairing(PairPhase::Waiting, None, said);
                }
                Found::Nothing(_) => {}
            }
            tokio::time::sleep(self.inner.options.look).await;
        };
        if *sealed == super::messages::NO {
            return Err(CallError::new(Code::Refused, "pairing-refused"));
        }
        Ok(sealed.to_vec())
    }
}
