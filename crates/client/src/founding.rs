//! How an account and a space begin: the first entries of their logs.

#[cfg(test)]
mod frozen;

use mecum_domain::Relation;
use mecum_seal::{
    DeviceId, Entropy, EpochKey, Hash32, KemPublic, SpaceId, VerifyingKey, unwrap_key, wrap_key,
};
use mecum_sync::{
    AccountBody, AccountEntry, DeviceCard, Follower, NewEpoch, Signed, SpaceBody, SpaceEntry, Wrap, encode,
};
use mecum_vault::{Durability, Table, Vault, Write, WriteVaultError};
use minicbor::{Decode, Encode};

use crate::account_entries::account_entry_name;
use crate::driver::{Home, SERVER_PIN, SERVER_URL};
use crate::error::SessionError;
use crate::identity::Identity;
use crate::session::{Session, Surroundings, seal_device_name};
use crate::stage::Stage;

/// The purpose of the wrap of a space's epoch key to an account.
pub(crate) const EPOCH_PURPOSE: &str = "mecum epoch key v1";

/// The name under which the vault keeps a [`FirstPerson`].
const FIRST_PERSON: &[u8] = b"first-person";

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

/// What a device writes into its new vault before anything else: who it is and what it follows. It goes into the
/// transaction that makes the vault, so that no interruption leaves a vault without it.
pub(crate) struct Founding {
    identity: Identity,
    follower: Follower,
    rows: Vec<(Table, Vec<u8>, Vec<u8>)>,
}

/// The person of the own chart, kept from the vault's first moment until the chart is there.
#[derive(Encode, Decode)]
struct FirstPerson {
    #[n(0)]
    name: String,
    #[n(1)]
    born: Option<String>,
}

impl Founding {
    /// A new account, whose first device this is.
    pub(crate) fn account(device_name: &str, entropy: &dyn Entropy) -> Result<Self, SessionError> {
        let identity = Identity::make(entropy);
        let entry = AccountEntry {
            account: identity.account,
            seq: 1,
            previous: Hash32::ZERO,
            signer: identity.device,
            body: AccountBody::Genesis {
                device: device_card(&identity, device_name, entropy),
                account_kem: identity.account_kem.public(),
                recovery: None,
            },
        };
        let genesis = Signed::sign(entry, &identity.signing);
        let follower = Follower::found(&genesis, identity.incarnation, None)
            .map_err(|_| SessionError::Stored { what: "account log" })?;
        let rows = vec![(Table::Account, account_entry_name(1), encode(&genesis))];
        Ok(Self { identity, follower, rows })
    }

    /// A further device of an account that lives at `home`.
    pub(crate) fn joined(identity: Identity, genesis: Hash32, home: &Home) -> Self {
        let (account, device, incarnation) = (identity.account, identity.device, identity.incarnation);
        let follower = Follower::join(account, device, incarnation, genesis, Some(home.pin));
        let rows = vec![
            (Table::Setting, SERVER_PIN.to_vec(), home.pin.to_string().into_bytes()),
            (Table::Setting, SERVER_URL.to_vec(), home.url.clone().into_bytes()),
        ];
        Self { identity, follower, rows }
    }

    /// With the person whose own chart comes next.
    #[must_use]
    pub(crate) fn with_person(mut self, name: &str, born: Option<&str>) -> Self {
        let person = FirstPerson { name: name.to_owned(), born: born.map(str::to_owned) };
        let body = minicbor::to_vec(&person).expect("plain fields encode");
        self.rows.push((Table::Account, FIRST_PERSON.to_vec(), body));
        self
    }

    /// Writes it.
    pub(crate) fn put(&self, w: &mut Write<'_>) -> Result<(), WriteVaultError> {
        w.put(Table::Account, b"identity", &self.identity.encode())?;
        w.put(Table::Sync, b"follower", &self.follower.to_bytes())?;
        self.rows.iter().try_for_each(|(table, name, body)| w.put(*table, name, body))
    }
}

/// The session of a new vault, with a new account whose first device this is.
pub fn found_account(
    vault: Vault,
    device_name: &str,
    surroundings: Surroundings,
) -> Result<Session, SessionError> {
    let founding = Founding::account(device_name, surroundings.entropy.as_ref())?;
    vault.write(Durability::Full, |w| founding.put(w))?;
    Session::open(vault, surroundings)
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
        let place = epoch_aad(space, epoch);
        let open = |secret| unwrap_key(secret, EPOCH_PURPOSE, &place, &wrap.bytes).ok();
        Some(EpochKey::from_bytes(*self.identity.account_keys().find_map(open)?))
    }

    /// Whether an epoch's key is wrapped to this account under one of its keys.
    pub(crate) fn is_wrapped_to(&self, kem: &KemPublic, space: SpaceId, next: &NewEpoch) -> bool {
        let place = epoch_aad(space, next.epoch);
        let wrap = next.wraps.iter().find(|wrap| wrap.account == self.identity.account);
        let secret = self.identity.account_keys().find(|secret| secret.public() == *kem);
        let opened =
            wrap.zip(secret).map(|(wrap, secret)| unwrap_key(secret, EPOCH_PURPOSE, &place, &wrap.bytes));
        opened.is_some_and(|opened| opened.is_ok())
    }

    /// Makes the own chart of a new account, if an interruption has kept it from being made.
    pub(crate) fn finish_founding(&mut self) -> Result<(), SessionError> {
        let Some(body) = self.vault.get(Table::Account, FIRST_PERSON)? else { return Ok(()) };
        let person: FirstPerson =
            minicbor::decode(&body).map_err(|_| SessionError::Stored { what: "first person" })?;
        let mut stage = Stage::default();
        self.stage_chart(&mut stage, &person.name, person.born.as_deref(), Relation::Own, None)?;
        stage.deletes.push((Table::Account, FIRST_PERSON.to_vec()));
        self.commit(stage, Durability::Full)
    }

    /// Refuses a relay that is not the pinned one, before anything is asked of it.
    pub(crate) fn check_relay(&self, relay: &VerifyingKey) -> Result<(), SessionError> {
        match self.follower.relay() {
            Some(pinned) if pinned != relay => Err(crate::error::refused("error-other-server")),
            _ => Ok(()),
        }
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

    /// When an envelope or statement of a device last came, by this device's clock, ms since the epoch; 0 never.
    pub(crate) fn last_heard_ms(&self, device: DeviceId) -> i64 {
        let heard = self.setting(&format!("heard-{device}")).ok().flatten();
        heard.and_then(|body| Some(i64::from_be_bytes(body.try_into().ok()?))).unwrap_or(0)
    }
}

pub(crate) fn epoch_aad(space: SpaceId, epoch: u32) -> Vec<u8> {
    [space.as_bytes().as_slice(), &epoch.to_be_bytes()].concat()
}
