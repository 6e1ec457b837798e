//! The old device after *Yes*: the account's log takes the new device, the mailbox its welcome, and that goes on through cuts
//! and locks until the new device is heard of or the mailbox is gone.

#[cfg(test)]
mod frozen;

use std::time::Duration;

use mecum_api::{CallError, Code, PairPhase, Topic};
use mecum_seal::{DeviceId, PairingSecret, VerifyingKey, seal_to};
use mecum_sync::{DeviceCard, RefusalCode};
use mecum_vault::{Durability, Table, WriteVaultError};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::AGAIN;
use super::messages::{Join, WELCOME_PURPOSE, Welcome, bad_code, body};
use crate::app::{App, held};
use crate::driver::Home;
use crate::error::{SessionError, remote_error};
use crate::remote::{Remote, RemoteError};
use crate::session::{Session, seal_device_name};

/// After a cut the first wait; it doubles up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(8);

/// The name under which the vault keeps an [`Admission`].
const ADMISSION: &[u8] = b"admission";

/// A device that the person said yes to, until it is in. Kept in the vault with the account entry that adds it.
#[derive(Clone, Encode, Decode)]
pub(super) struct Admission {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    pub(super) name: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    mailbox: [u8; 16],
    /// Sealed once, when the server knows the device and every key of the account is known here: the mailbox takes the same
    /// bytes again, but no others. Empty until then.
    #[cbor(n(3), with = "minicbor::bytes")]
    welcome: Vec<u8>,
    #[n(4)]
    url: String,
    #[n(5)]
    pin: VerifyingKey,
    /// When the mailbox is gone, ms since the epoch.
    #[n(6)]
    ends_ms: i64,
    /// The mailbox has the welcome.
    #[n(7)]
    sent: bool,
    /// What the code stands for, to seal the welcome under.
    #[n(8)]
    code: Option<CodeSecret>,
}

/// A pairing secret as the vault keeps it, for as long as its mailbox lives.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
struct CodeSecret(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

/// Why a welcome did not get through.
enum Cut {
    /// Trying again may help.
    Again,
    /// The mailbox is gone, or holds something else.
    Gone,
    /// The vault was locked: unlocking goes on.
    Locked,
}

impl From<CallError> for Cut {
    fn from(error: CallError) -> Self {
        if error.code == Code::Locked { Cut::Locked } else { Cut::Again }
    }
}

impl Session {
    /// Adds a device and keeps how to welcome it, durably and in one step. The same device again is accepted again.
    pub(super) fn admit(
        &mut self,
        secret: &PairingSecret,
        join: &Join,
        home: &Home,
        ends_ms: i64,
    ) -> Result<Admission, SessionError> {
        let mailbox = secret.mailbox_id();
        let card = DeviceCard {
            device: join.device,
            signing: join.signing,
            kem: join.kem.clone(),
            incarnation: join.incarnation,
            sealed_name: seal_device_name(&self.identity, join.device, &join.name, self.entropy()),
        };
        let admission = Admission {
            device: join.device,
            name: join.name.clone(),
            mailbox,
            welcome: Vec::new(),
            url: home.url.clone(),
            pin: home.pin,
            ends_ms,
            sent: false,
            code: Some(CodeSecret(secret.expose().to_vec())),
        };
        self.add_device(card, |w| w.put(Table::Sync, ADMISSION, &body(&admission)))?;
        Ok(admission)
    }

    /// The device that is being brought in, if any.
    fn admission(&self) -> Result<Option<Admission>, SessionError> {
        let stored = self.vault.get(Table::Sync, ADMISSION)?;
        Ok(stored.and_then(|body| minicbor::decode(&body).ok()))
    }

    /// An admission with its welcome: the account's keys as they are, sealed to the device that the log names. None if the log does
    /// not have the device any more.
    fn with_welcome(&mut self, mut admission: Admission) -> Result<Option<Admission>, SessionError> {
        if !admission.welcome.is_empty() {
            return Ok(Some(admission));
        }
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let code = admission.code.as_ref().and_then(|code| code.0.as_slice().try_into().ok());
        let Some((card, code)) = log.device(admission.device).zip(code) else { return Ok(None) };
        let secret = PairingSecret::from_bytes(code);
        let earlier = &self.identity.earlier;
        let welcome = Welcome {
            account_kem: *self.identity.account_kem.expose(),
            earlier: (!earlier.is_empty())
                .then(|| earlier.iter().flat_map(|secret| *secret.expose()).collect()),
        };
        let sealed =
            seal_to(&card.kem, WELCOME_PURPOSE, &secret.mailbox_id(), &welcome.encode(), self.entropy())
                .map_err(|_| bad_code())?;
        admission.welcome = secret.seal("welcome", &sealed, self.entropy());
        self.keep_admission(&admission)?;
        Ok(Some(admission))
    }

    fn keep_admission(&mut self, admission: &Admission) -> Result<(), SessionError> {
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.put(Table::Sync, ADMISSION, &body(admission))
        })?;
        Ok(())
    }

    fn forget_admission(&mut self) -> Result<(), SessionError> {
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.delete(Table::Sync, ADMISSION).map(drop)
        })?;
        Ok(())
    }

    /// Gives a device up that did not come in. Says whether the relay never knew of it, so that it is out of the list.
    fn give_up(&mut self, device: DeviceId) -> Result<bool, SessionError> {
        let withdrawn = self.withdraw_device(device)?;
        self.forget_admission()?;
        Ok(withdrawn)
    }
}

impl App {
    /// Goes on with a device that was let in before the vault was locked, or before the app ended.
    pub(crate) fn resume_pairing(&self) {
        let stored = self.inner.session(|session| session.admission().ok().flatten()).flatten();
        if let Some(admission) = stored {
            self.bring_in_later(admission);
        }
    }

    /// Brings a device in by a task of its own.
    pub(super) fn bring_in_later(&self, admission: Admission) {
        self.say_pairing(PairPhase::Working, Some(admission.name.clone()), None);
        let app = self.clone();
        let mut pairing = held(&self.inner.pairing);
        pairing.admitting = Some(admission.clone());
        let task = tokio::spawn(async move { app.bring_in(admission).await });
        pairing.task = Some(task.abort_handle());
    }

    async fn bring_in(self, mut admission: Admission) {
        let name = Some(admission.name.clone());
        let mut retry = FIRST_RETRY;
        while !admission.sent {
            if self.is_over(&admission) {
                return self.say_given_up(&admission).await;
            }
            match self.send_welcome(&mut admission).await {
                Ok(()) => {
                    admission.sent = true;
                    let sent = admission.clone();
                    // If that cannot be kept, the same welcome is sent again after an unlock.
                    let _ = self.with(move |session| session.keep_admission(&sent)).await;
                    break;
                }
                Err(Cut::Locked) => return,
                Err(Cut::Gone) => return self.say_given_up(&admission).await,
                Err(Cut::Again) => {}
            }
            self.say_pairing(PairPhase::Working, name.clone(), Some(AGAIN));
            tokio::select! {
                () = self.inner.pair_again.notified() => {}
                () = tokio::time::sleep(retry) => {}
            }
            retry = (retry * 2).min(LAST_RETRY);
        }
        self.say_pairing(PairPhase::Working, name.clone(), None);
        let device = admission.device;
        // After an unlock: what the device has said meanwhile comes first.
        let _ = self.sync_now(()).await;
        let heard = loop {
            match self.with(move |session| Ok(session.last_heard_ms(device) > 0)).await {
                Ok(true) => break true,
                Ok(false) if self.is_over(&admission) => break false,
                Ok(false) => tokio::time::sleep(self.inner.options.look).await,
                Err(_) => return,
            }
        };
        if self.with(Session::forget_admission).await.is_ok() {
            self.say_pairing(PairPhase::Done, name, (!heard).then_some("pairing-not-heard"));
        }
    }

    fn is_over(&self, admission: &Admission) -> bool {
        self.inner.options.clock.now_ms() >= admission.ends_ms
    }

    /// The account's log first: the relay must know the device before it is told that it may come.
    async fn send_welcome(&self, admission: &mut Admission) -> Result<(), Cut> {
        self.sync_now(()).await?;
        if !self.with(|session| Ok(session.is_account_log_stored())).await? {
            return Err(Cut::Again);
        }
        let asked = admission.clone();
        *admission = self.with(move |session| session.with_welcome(asked)).await?.ok_or(Cut::Gone)?;
        let remote = Remote::new(&admission.url, admission.pin).map_err(|error| remote_error(&error))?;
        match remote.mailbox_put(&admission.mailbox, "welcome", &admission.welcome).await {
            Ok(()) => Ok(()),
            Err(RemoteError::Refused(refusal))
                if matches!(refusal.code, RefusalCode::NotFound | RefusalCode::AlreadyExists) =>
            {
                Err(Cut::Gone)
            }
            Err(_) => Err(Cut::Again),
        }
    }

    async fn say_given_up(&self, admission: &Admission) {
        let device = admission.device;
        if let Ok(withdrawn) = self.with(move |session| session.give_up(device)).await {
            let why = if withdrawn { "pairing-cut" } else { "pairing-left" };
            self.say_pairing(PairPhase::Ended, Some(admission.name.clone()), Some(why));
        }
    }

    /// The person gives a device up that is not in yet.
    pub(super) async fn withdraw(&self, admission: &Admission) {
        let device = admission.device;
        // A locked vault has nothing to give up now, and the next unlock goes on with it.
        let _ = self.with(move |session| session.give_up(device)).await;
        self.inner.news.tell(Topic::Devices);
    }
}
