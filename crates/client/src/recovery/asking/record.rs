//! What an empty device keeps while it waits: its keys, its request, and the parts that have come.

#[cfg(test)]
mod frozen;

use mecum_api::{CallError, Code};
use mecum_seal::{
    AccountId, DeviceId, Entropy, HelperPart, HelperSet, IncarnationId, KemSecret, SecretKey32, SigningKey,
    VerifyingKey,
};
use mecum_sync::{DeviceCard, HelpersRequest, HelpersStage, Signed};
use mecum_vault::{Durability, Table, Vault, Write, WriteVaultError};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::driver::Home;
use crate::error::SessionError;
use crate::helpers::Secret;
use crate::pairing::FreshDevice;

const NAME: &[u8] = b"restoring";

/// The server has not answered yet.
pub(super) const UNASKED: u8 = 0;
/// The server knows of no such request any more.
pub(super) const OVER: u8 = 9;

/// How a stage is kept.
pub(super) fn code_of(stage: HelpersStage) -> u8 {
    match stage {
        HelpersStage::Waiting => 1,
        HelpersStage::Released => 2,
        HelpersStage::Stopped => 3,
    }
}

/// One helper's part.
#[derive(Clone, Encode, Decode)]
pub(super) struct Part {
    #[n(0)]
    pub(super) number: u8,
    #[n(1)]
    pub(super) value: Secret<32>,
    /// Who gave it.
    #[n(2)]
    pub(super) from: String,
}

impl Part {
    pub(super) fn whole(&self) -> Option<HelperPart> {
        HelperPart::from_bytes(self.number, SecretKey32::from_bytes(self.value.0))
    }
}

/// All of it.
#[derive(Clone, Encode, Decode)]
pub(super) struct Record {
    #[n(0)]
    pub(super) url: String,
    #[n(1)]
    pub(super) pin: VerifyingKey,
    #[n(2)]
    pub(super) account: AccountId,
    #[n(3)]
    pub(super) device_name: String,
    #[n(4)]
    pub(super) signing: Secret<32>,
    #[n(5)]
    pub(super) kem: Secret<32>,
    /// It names the device and its incarnation.
    #[n(6)]
    pub(super) request: Signed<HelpersRequest>,
    #[n(7)]
    pub(super) stage: u8,
    #[n(8)]
    pub(super) asked_ms: i64,
    #[n(9)]
    pub(super) released_ms: i64,
    #[n(10)]
    pub(super) again_ms: i64,
    #[n(11)]
    pub(super) parts: Vec<Part>,
    /// The code that a helper is shown, and when it ends.
    #[n(12)]
    pub(super) code: Option<(Secret<17>, i64)>,
    #[n(13)]
    pub(super) server_part: Option<Secret<32>>,
    #[n(14)]
    pub(super) set: Option<HelperSet>,
    /// The helpers' key, as the account's log names it.
    #[n(15)]
    pub(super) helpers_key: Option<VerifyingKey>,
}

impl Record {
    /// A fresh device, and its request.
    pub(super) fn make(home: &Home, account: AccountId, device_name: &str, entropy: &dyn Entropy) -> Self {
        let (signing, kem) = (SigningKey::make(entropy), KemSecret::make(entropy));
        let device = DeviceCard {
            device: DeviceId::random(entropy),
            signing: signing.verifying_key(),
            kem: kem.public(),
            incarnation: IncarnationId::random(entropy),
            sealed_name: Vec::new(),
        };
        let request = Signed::sign(HelpersRequest { server: home.pin, account, device }, &signing);
        Self {
            url: home.url.clone(),
            pin: home.pin,
            account,
            device_name: device_name.to_owned(),
            signing: Secret(*signing.seed()),
            kem: Secret(*kem.expose()),
            request,
            stage: UNASKED,
            asked_ms: 0,
            released_ms: 0,
            again_ms: 0,
            parts: Vec::new(),
            code: None,
            server_part: None,
            set: None,
            helpers_key: None,
        }
    }

    /// The server that was asked.
    pub(super) fn home(&self) -> Home {
        Home { url: self.url.clone(), pin: self.pin }
    }

    /// How it stands, as far as the server has said.
    pub(super) fn stage(&self) -> Option<HelpersStage> {
        let all = [HelpersStage::Waiting, HelpersStage::Released, HelpersStage::Stopped];
        all.into_iter().find(|stage| code_of(*stage) == self.stage)
    }

    pub(super) fn signing(&self) -> SigningKey {
        SigningKey::from_seed(self.signing.0)
    }

    pub(super) fn kem(&self) -> KemSecret {
        KemSecret::from_bytes(self.kem.0)
    }

    /// The device that asks.
    pub(super) fn fresh(&self) -> FreshDevice {
        let card = &self.request.unverified().device;
        FreshDevice::kept(card.device, card.incarnation, self.signing.0, self.kem.0)
    }

    /// Writes it.
    pub(super) fn write(&self, w: &mut Write<'_>) -> Result<(), WriteVaultError> {
        let bytes = Zeroizing::new(minicbor::to_vec(self).expect("plain fields encode"));
        w.put(Table::Account, NAME, &bytes)
    }

    /// Writes it, durably.
    pub(super) fn put(&self, vault: &Vault) -> Result<(), CallError> {
        let written = vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> { self.write(w) });
        written.map_err(|error| SessionError::from(error).into())
    }

    /// Reads it back.
    pub(super) fn read(vault: &Vault) -> Result<Self, CallError> {
        let damaged = || CallError::new(Code::Damaged, "error-damaged");
        let body = vault.get(Table::Account, NAME).map_err(|_| damaged())?.ok_or_else(damaged)?;
        minicbor::decode(&body).map_err(|_| damaged())
    }
}
