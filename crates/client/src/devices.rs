//! The account's devices: another name for one, and removing one. Removing makes a new key of the account, wrapped to those who
//! stay: what is sealed from here on the removed device cannot open. What it has it keeps.

use mecum_api::{CallError, Code, DeviceArgs, DeviceRenameArgs, DeviceView, Topic};
use mecum_seal::{
    AccountId, DeviceId, Entropy, KemPublic, KemSecret, WRAP_OVERHEAD_BYTES, open_from, seal_to,
};
use mecum_sync::limits::MAX_WRAP_BYTES;
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, DeviceWrap, Follower, Helpers, Item, Rotation, Signed, encode,
};
use mecum_vault::{Durability, Table};
use zeroize::Zeroizing;

use crate::account_entries::account_entry_name;
use crate::app::App;
use crate::error::{SessionError, refused};
use crate::exchange::quarantine;
use crate::identity::{Identity, secrets_of};
use crate::pairing::MAX_NAME_BYTES;
use crate::recovery::keys::{seal_for_kit, vouch_in};
use crate::session::{Session, seal_device_name};
use crate::stage::Stage;

/// The purpose of the wrap of the account's HPKE secrets to one device.
pub(crate) const ACCOUNT_KEY_PURPOSE: &str = "mecum account key v1";

/// How many of the account's secrets one wrap takes, newest first: a device that missed some gets them with the next.
const WRAPPED_KEYS: usize = (MAX_WRAP_BYTES - WRAP_OVERHEAD_BYTES) / 32;

const ACCOUNT_LOG: SessionError = SessionError::Stored { what: "account log" };

impl App {
    /// Gives a device of the account another name.
    pub async fn device_rename(&self, args: DeviceRenameArgs) -> Result<Vec<DeviceView>, CallError> {
        let devices = self.with(move |session| session.rename_device(&args)).await?;
        self.inner.poke.notify_one();
        Ok(devices)
    }

    /// Removes another device from the account.
    pub async fn device_remove(&self, args: DeviceArgs) -> Result<Vec<DeviceView>, CallError> {
        let devices = self.with(move |session| session.remove_device(&args)).await?;
        self.inner.poke.notify_one();
        Ok(devices)
    }
}

impl Session {
    fn rename_device(&mut self, args: &DeviceRenameArgs) -> Result<Vec<DeviceView>, SessionError> {
        let name = args.name.trim();
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(CallError::new(Code::Invalid, "error-name-required").into());
        }
        let device = self.live_device(&args.device)?;
        if self.device_name(device).as_deref() == Some(name) {
            return Ok(self.devices());
        }
        let sealed_name = seal_device_name(&self.identity, device, name, self.entropy());
        self.append_to_account(AccountBody::Rename { device, sealed_name }, None)?;
        Ok(self.devices())
    }

    pub(crate) fn remove_device(&mut self, args: &DeviceArgs) -> Result<Vec<DeviceView>, SessionError> {
        let device = self.live_device(&args.device)?;
        if device == self.identity.device {
            return Err(refused("error-device-this"));
        }
        if let Some(at_ms) = args.nothing_after_ms {
            self.check_cut_of_device(device, at_ms)?;
        }
        let mut identity = Identity::decode(&self.identity.encode())?;
        identity.learn(KemSecret::make(self.entropy()));
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        let rotation = rotation_without(log, Some(device), &identity, self.entropy()).ok_or(ACCOUNT_LOG)?;
        let body = AccountBody::RemoveDevice { device, rotation: Some(rotation) };
        // One step: a device that is out and not cut could never be cut any more.
        let mut stage = self.stage_account_entry(body, Some(&identity))?;
        if let Some(at_ms) = args.nothing_after_ms {
            self.stage_cut_of_device(&mut stage, device, at_ms)?;
        }
        self.commit(stage, Durability::Full)?;
        self.identity = identity;
        Ok(self.devices())
    }

    fn live_device(&self, device: &str) -> Result<DeviceId, SessionError> {
        let device: DeviceId = device.parse().map_err(|_| SessionError::not_found())?;
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        if self.follower.is_removed() {
            return Err(refused("error-device-removed"));
        }
        log.device(device).map(|card| card.device).ok_or_else(SessionError::not_found)
    }

    /// Writes an own entry of the account's log, with the account's new key if it makes one, durably and in one step.
    pub(crate) fn append_to_account(
        &mut self,
        body: AccountBody,
        identity: Option<Identity>,
    ) -> Result<(), SessionError> {
        let stage = self.stage_account_entry(body, identity.as_ref())?;
        self.commit(stage, Durability::Full)?;
        if let Some(identity) = identity {
            self.identity = identity;
        }
        Ok(())
    }

    /// A step that begins with an own entry of the account's log, and with the account's new key if it makes one.
    fn stage_account_entry(
        &self,
        body: AccountBody,
        identity: Option<&Identity>,
    ) -> Result<Stage, SessionError> {
        let mut follower = self.follower.clone();
        let entry: Signed<AccountEntry> = self.sign_body(&mut follower, body).map_err(|_| ACCOUNT_LOG)?;
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        let name = account_entry_name(entry.unverified().seq);
        stage.puts.push((Table::Account, name, encode(&entry)));
        if let Some(identity) = identity {
            stage.puts.push((Table::Account, b"identity".to_vec(), identity.encode().to_vec()));
        }
        stage.topics.push(Topic::Devices);
        Ok(stage)
    }

    /// Takes the account's new key out of an entry of another device, where it makes one and wraps it to this device.
    pub(crate) fn take_account_key(&mut self, stage: &mut Stage, follower: &Follower, item: &Item) {
        let Item::AccountEntry(entry) = item else { return };
        let AccountEntry { account, body, .. } = entry.unverified();
        let (AccountBody::RemoveDevice { rotation: Some(rotation), .. }
        | AccountBody::Recover { alone: Some(rotation), .. }
        | AccountBody::Rotate { rotation }) = body
        else {
            return;
        };
        let Identity { device, account: own, .. } = self.identity;
        let wrap = rotation.wraps.iter().find(|wrap| wrap.device == device && *account == own);
        let Some(wrap) = wrap else { return };
        let opened =
            open_from(&self.identity.kem, ACCOUNT_KEY_PURPOSE, &wrap_place(own, device), &wrap.bytes);
        let secrets = opened.map(|keys| secrets_of(&keys)).unwrap_or_default();
        if secrets.first().is_none_or(|newest| newest.public() != rotation.account_kem) {
            quarantine(stage, "account-key", entry.hash().as_bytes(), &encode(entry));
            return;
        }
        // If the step is not kept, the keys only come again with it.
        let before = self.identity.account_keys().count();
        for secret in secrets.into_iter().rev() {
            self.identity.learn(secret);
        }
        if let Some(log) = follower.account_log() {
            self.identity.prefer(log.account_kem());
        }
        if self.identity.account_keys().count() != before {
            let body = self.identity.encode().to_vec();
            stage.puts.push((Table::Account, b"identity".to_vec(), body));
        }
    }

    /// Changes the account's key where that is owed: a device left of itself, and must not know the next one.
    pub(crate) fn rotate_if_owed(&mut self) -> Result<(), SessionError> {
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        if !log.rotation_due()
            || self.is_older_copy()
            || self.is_reading_again()?
            || self.follower.is_removed()
        {
            return Ok(());
        }
        let mut identity = Identity::decode(&self.identity.encode())?;
        identity.learn(KemSecret::make(self.entropy()));
        let rotation = rotation_without(log, None, &identity, self.entropy()).ok_or(ACCOUNT_LOG)?;
        self.append_to_account(AccountBody::Rotate { rotation }, Some(identity))
    }

    /// What an own entry that gave way is to say on the log as it is now: a new account key is wrapped to the devices that there
    /// are, and the kit gets every key that there is. None if nothing is left to say.
    pub(crate) fn renewed(&self, follower: &Follower, body: AccountBody) -> Option<AccountBody> {
        let log = follower.account_log()?;
        match body {
            AccountBody::RemoveDevice { device, rotation: Some(rotation) } => {
                log.device(device)?;
                let mut identity = Identity::decode(&self.identity.encode()).ok()?;
                identity.prefer(&rotation.account_kem);
                let rotation = rotation_without(log, Some(device), &identity, self.entropy())?;
                Some(AccountBody::RemoveDevice { device, rotation: Some(rotation) })
            }
            AccountBody::Rotate { rotation } => {
                let mut identity = Identity::decode(&self.identity.encode()).ok()?;
                identity.prefer(&rotation.account_kem);
                let rotation = rotation_without(log, None, &identity, self.entropy())?;
                Some(AccountBody::Rotate { rotation })
            }
            AccountBody::SetRecovery { signing, kem, sealed } => {
                let mut identity = Identity::decode(&self.identity.encode()).ok()?;
                identity.prefer(log.account_kem());
                let vouch = vouch_in(&sealed)?;
                let keys = identity.account_keys();
                let sealed = seal_for_kit(&kem, vouch, log.account(), keys, self.entropy())?;
                Some(AccountBody::SetRecovery { signing, kem, sealed })
            }
            AccountBody::SetHelpers { helpers: Some(helpers) } => {
                let mut identity = Identity::decode(&self.identity.encode()).ok()?;
                identity.prefer(log.account_kem());
                let vouch = vouch_in(&helpers.sealed)?;
                let keys = identity.account_keys();
                let sealed = seal_for_kit(&helpers.kem, vouch, log.account(), keys, self.entropy())?;
                Some(AccountBody::SetHelpers { helpers: Some(Helpers { sealed, ..helpers }) })
            }
            // What is still to be upheld is found anew.
            AccountBody::Uphold { .. } => None,
            other => Some(other),
        }
    }
}

pub(crate) fn wrap_place(account: AccountId, device: DeviceId) -> Vec<u8> {
    [account.as_bytes().as_slice(), device.as_bytes()].concat()
}

/// The account's newest key, wrapped to every live device but one.
fn rotation_without(
    log: &AccountLog,
    gone: Option<DeviceId>,
    identity: &Identity,
    entropy: &dyn Entropy,
) -> Option<Rotation> {
    let stay = log.devices().iter().filter(|card| Some(card.device) != gone);
    let stay: Vec<_> = stay.map(|card| (card.device, card.kem.clone())).collect();
    rotation_to(log, &stay, identity.account_keys(), entropy)
}

/// The first of `keys`, which come newest first, as the account's key: wrapped to `stay`, and all of them for the kit and the helpers. None if
/// something cannot be sealed to.
pub(crate) fn rotation_to<'a>(
    log: &AccountLog,
    stay: &[(DeviceId, KemPublic)],
    keys: impl Iterator<Item = &'a KemSecret> + Clone,
    entropy: &dyn Entropy,
) -> Option<Rotation> {
    let newest = keys.clone().next()?;
    let account = log.account();
    let wrapped = keys.clone().take(WRAPPED_KEYS).flat_map(|key| *key.expose());
    let wrapped: Zeroizing<Vec<u8>> = Zeroizing::new(wrapped.collect());
    let wraps: Option<Vec<DeviceWrap>> = stay
        .iter()
        .map(|(device, kem)| {
            let place = wrap_place(account, *device);
            let bytes = seal_to(kem, ACCOUNT_KEY_PURPOSE, &place, &wrapped, entropy).ok()?;
            Some(DeviceWrap { device: *device, bytes })
        })
        .collect();
    let recovery_sealed = match log.recovery_kem() {
        Some(kem) => seal_for_kit(kem, vouch_in(log.recovery_sealed())?, account, keys.clone(), entropy)?,
        None => Vec::new(),
    };
    let helpers_sealed = match log.helpers() {
        Some(helpers) => seal_for_kit(&helpers.kem, vouch_in(&helpers.sealed)?, account, keys, entropy)?,
        None => Vec::new(),
    };
    Some(Rotation { account_kem: newest.public(), wraps: wraps?, recovery_sealed, helpers_sealed })
}
