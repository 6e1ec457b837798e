//! How an account and a space begin: the first entries of their logs.

use mecum_seal::{DeviceId, Entropy, EpochKey, Hash32, SpaceId, VerifyingKey, unwrap_key, wrap_key};
use mecum_sync::{
    AccountBody, AccountEntry, DeviceCard, Follower, Signed, SpaceBody, SpaceEntry, Wrap, decode, encode,
};
use mecum_vault::{Table, Vault};

use crate::error::SessionError;
use crate::identity::Identity;
use crate::session::{Session, Surroundings, seal_device_name};

/// The purpose of the wrap of a space's epoch key to an account.
const EPOCH_PURPOSE: &str = "mecum epoch key v1";

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 64 * 1024;

/// The name under which the vault keeps an own entry of the account log until the relay has it.
pub(crate) fn account_entry_name(seq: u64) -> Vec<u8> {
    [b"entry".as_slice(), &seq.to_be_bytes()].concat()
}

/// This device's card in its account's log.
pub(crate) fn device_card(identity: &Identity, device_name: &str, entropy: &dyn Entropy) -> DeviceCard {
    DeviceCard {
        device: identity.device,
        signing: identity.signing.verifying_key(),
        kem: identity.kem.public(),
        incarnation: identity.incarnation,
        sealed_name: seal_device_name(identity, identity.device, device_name, entropy),
    }
}

/// The session of a new vault, with a new account whose first device this is.
pub fn found_account(
    vault: Vault,
    device_name: &str,
    surroundings: Surroundings,
) -> Result<Session, SessionError> {
    let entropy = surroundings.entropy.clone();
    let identity = Identity::make(entropy.as_ref());
    let entry = AccountEntry {
        account: identity.account,
        seq: 1,
        previous: Hash32::ZERO,
        signer: identity.device,
        body: AccountBody::Genesis {
            device: device_card(&identity, device_name, entropy.as_ref()),
            account_kem: identity.account_kem.public(),
            recovery: None,
        },
    };
    let genesis = Signed::sign(entry, &identity.signing);
    let follower = Follower::found(&genesis, identity.incarnation, None)
        .map_err(|_| SessionError::Stored { what: "account log" })?;
    vault.write(mecum_vault::Durability::Normal, |w| {
        w.put(Table::Account, &account_entry_name(1), &encode(&genesis))
    })?;
    Session::found(vault, &identity, &follower, surroundings)
}

impl Session {
    /// The genesis entry of a new space.
    pub(crate) fn space_genesis(
        &self,
        space: SpaceId,
        key: &EpochKey,
        sealed_label: Vec<u8>,
    ) -> Result<Signed<SpaceEntry>, SessionError> {
        let owner = self.identity.account;
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let wrap =
            wrap_key(log.account_kem(), EPOCH_PURPOSE, &epoch_aad(space, 1), key.expose(), self.entropy())
                .map_err(|_| SessionError::Stored { what: "account key" })?;
        let entry = SpaceEntry {
            space,
            seq: 1,
            previous: Hash32::ZERO,
            account: owner,
            device: self.identity.device,
            body: SpaceBody::Genesis {
                owner,
                // The home relay is named once there is one; before the first, the device orders its own log.
                relay: self.follower.relay().copied(),
                epoch: 1,
                wraps: vec![Wrap { account: owner, bytes: wrap }],
                sealed_label,
            },
        };
        Ok(Signed::sign(entry, &self.identity.signing))
    }

    /// The epoch key that a space's genesis wraps to this account.
    pub(crate) fn unwrap_epoch(&self, space: SpaceId, epoch: u32, wraps: &[Wrap]) -> Option<EpochKey> {
        let wrap = wraps.iter().find(|wrap| wrap.account == self.identity.account)?;
        let key =
            unwrap_key(&self.identity.account_kem, EPOCH_PURPOSE, &epoch_aad(space, epoch), &wrap.bytes)
                .ok()?;
        Some(EpochKey::from_bytes(*key))
    }

    /// The account's genesis, to enrol with.
    pub(crate) fn account_genesis(&self) -> Result<Signed<AccountEntry>, SessionError> {
        self.own_account_entry(1)
    }

    /// An own entry of the account log.
    pub(crate) fn own_account_entry(&self, seq: u64) -> Result<Signed<AccountEntry>, SessionError> {
        let bytes =
            self.vault.get(Table::Account, &account_entry_name(seq))?.ok_or_else(SessionError::not_found)?;
        decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| SessionError::Stored { what: "account entry" })
    }

    /// Adds a device to the account: durable here first, at the relay with the next exchange.
    pub(crate) fn add_device(&mut self, card: DeviceCard) -> Result<(), SessionError> {
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let entry = AccountEntry {
            account: self.identity.account,
            seq: log.entries() + 1,
            previous: log.head(),
            signer: self.identity.device,
            body: AccountBody::AddDevice { device: card },
        };
        let seq = entry.seq;
        let signed = Signed::sign(entry, &self.identity.signing);
        let mut follower = self.follower.clone();
        follower.add_own_account_entry(&signed).map_err(|_| SessionError::Stored { what: "account log" })?;
        self.vault.write(mecum_vault::Durability::Full, |w| -> Result<(), mecum_vault::WriteVaultError> {
            w.put(Table::Account, &account_entry_name(seq), &encode(&signed))?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())
        })?;
        self.follower = follower;
        self.tell(mecum_api::Topic::Devices);
        Ok(())
    }

    /// Pins the relay that this account lives at.
    pub(crate) fn pin_relay(&mut self, relay: VerifyingKey) -> Result<(), SessionError> {
        let mut follower = self.follower.clone();
        follower.set_relay(relay).map_err(|_| crate::error::refused("error-other-server"))?;
        self.vault.write(mecum_vault::Durability::Full, |w| {
            w.put(Table::Sync, b"follower", &follower.to_bytes())
        })?;
        self.follower = follower;
        Ok(())
    }

    /// The account's devices.
    pub fn devices(&self) -> Vec<mecum_api::DeviceView> {
        let Some(log) = self.follower.account_log() else { return Vec::new() };
        let view = |card: &DeviceCard| mecum_api::DeviceView {
            device: card.device.to_string(),
            name: self.device_name(card.device).unwrap_or_default(),
            this: card.device == self.identity.device,
            last_ms: if card.device == self.identity.device {
                self.link.last_ms
            } else {
                self.last_heard_ms(card.device)
            },
        };
        log.devices().iter().map(view).collect()
    }

    fn last_heard_ms(&self, device: DeviceId) -> i64 {
        let heard = self.setting(&format!("heard-{device}")).ok().flatten();
        heard.and_then(|body| Some(i64::from_be_bytes(body.try_into().ok()?))).unwrap_or(0)
    }
}

fn epoch_aad(space: SpaceId, epoch: u32) -> Vec<u8> {
    [space.as_bytes().as_slice(), &epoch.to_be_bytes()].concat()
}
