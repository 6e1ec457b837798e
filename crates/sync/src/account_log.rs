//! An account's log: which devices may act for a person. Signed, hash-chained, linear, and appended by compare-and-swap:
//! an entry's `previous` is the head that its writer expects.
//!
//! It must not know what the devices do.

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, KemPublic, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{MAX_DEVICES, MAX_SEALED_NAME_BYTES};
use crate::signed::{Signed, SignedBody};

/// One installation, as its account's log describes it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DeviceCard {
    /// The device's name in every chain and statement.
    #[n(0)]
    pub device: DeviceId,
    /// Verifies what it signs.
    #[n(1)]
    pub signing: VerifyingKey,
    /// Wraps what only it may open.
    #[n(2)]
    pub kem: KemPublic,
    /// The incarnation it began with.
    #[n(3)]
    pub incarnation: IncarnationId,
    /// What its owner calls it, sealed under the account's key.
    #[cbor(
        n(4),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_SEALED_NAME_BYTES, _>"
    )]
    pub sealed_name: Vec<u8>,
}

/// What an entry does. The numbers are on the wire; further kinds take further numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub enum AccountBody {
    /// Founds the account with its first device. Signed by that device.
    #[n(1)]
    Genesis {
        /// The first device.
        #[n(0)]
        device: DeviceCard,
        /// Wraps what every device of the account may open.
        #[n(1)]
        account_kem: KemPublic,
        /// The recovery key, if the person made one. It will outrank devices.
        #[n(2)]
        recovery: Option<VerifyingKey>,
    },
    /// Adds a device. Signed by a live device.
    #[n(2)]
    AddDevice {
        /// The new device.
        #[n(0)]
        device: DeviceCard,
    },
}

/// One entry of an account's log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AccountEntry {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// Number of the entry, from 1.
    #[n(1)]
    pub seq: u64,
    /// Hash of the signed entry before; zeros for the first.
    #[n(2)]
    pub previous: Hash32,
    /// The device that signs.
    #[n(3)]
    pub signer: DeviceId,
    /// What it does.
    #[n(4)]
    pub body: AccountBody,
}

impl SignedBody for AccountEntry {
    const CONTEXT: &'static str = "mecum/account-entry/1";
}

/// Why an entry does not belong at the end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountLogError {
    /// The entry is of another account.
    #[error("entry belongs to another account")]
    OtherAccount,
    /// The entry expects another head: somebody was faster, or entries are missing.
    #[error("entry does not follow the head of the log")]
    StaleHead,
    /// The signing device is not a live device of the account.
    #[error("entry is signed by an unknown device")]
    UnknownDevice,
    /// The signature does not verify.
    #[error("entry signature does not verify")]
    BadSignature,
    /// The device to add has a name or key that is taken, or there are too many.
    #[error("device is there already, or there are too many")]
    DeviceTaken,
    /// The entry breaks another rule of the log.
    #[error("entry breaks a rule of the log")]
    BadEntry,
}

/// What a verified account log amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AccountLog {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    entries: u64,
    #[n(2)]
    head: Hash32,
    #[n(3)]
    genesis: Hash32,
    #[n(4)]
    account_kem: KemPublic,
    #[n(5)]
    recovery: Option<VerifyingKey>,
    #[cbor(n(6), decode_with = "codec::list::<MAX_DEVICES, _, _>")]
    devices: Vec<DeviceCard>,
}

impl AccountLog {
    /// Verifies the first entry of a log and begins with it.
    pub fn found(entry: &Signed<AccountEntry>) -> Result<Self, AccountLogError> {
        let AccountEntry { account, seq, previous, signer, body } = entry.unverified();
        let AccountBody::Genesis { device, account_kem, recovery } = body else {
            return Err(AccountLogError::BadEntry);
        };
        if *seq != 1 || *previous != Hash32::ZERO || *signer != device.device {
            return Err(AccountLogError::BadEntry);
        }
        entry.verify(&device.signing).map_err(|_| AccountLogError::BadSignature)?;
        let head = entry.hash();
        Ok(Self {
            account: *account,
            entries: 1,
            head,
            genesis: head,
            account_kem: account_kem.clone(),
            recovery: *recovery,
            devices: vec![device.clone()],
        })
    }

    /// Verifies `entry` and takes it in. On an error nothing is changed.
    pub fn append(&mut self, entry: &Signed<AccountEntry>) -> Result<(), AccountLogError> {
        let unverified = entry.unverified();
        if unverified.account != self.account {
            return Err(AccountLogError::OtherAccount);
        }
        if unverified.seq != self.entries.saturating_add(1) || unverified.previous != self.head {
            return Err(AccountLogError::StaleHead);
        }
        let signer = self.device(unverified.signer).ok_or(AccountLogError::UnknownDevice)?;
        let verified = entry.verify(&signer.signing).map_err(|_| AccountLogError::BadSignature)?;
        match &verified.body {
            AccountBody::Genesis { .. } => return Err(AccountLogError::BadEntry),
            AccountBody::AddDevice { device } => self.add_device(device)?,
        }
        self.entries = verified.seq;
        self.head = entry.hash();
        Ok(())
    }

    fn add_device(&mut self, card: &DeviceCard) -> Result<(), AccountLogError> {
        let taken = self.devices.iter().any(|d| {
            d.device == card.device || d.signing == card.signing || d.incarnation == card.incarnation
        });
        if taken || self.devices.len() >= MAX_DEVICES {
            return Err(AccountLogError::DeviceTaken);
        }
        self.devices.push(card.clone());
        Ok(())
    }

    /// Takes the last entry back if it is `entry` and adds a device; answers the device's card. It is for an own entry that
    /// the relay does not have: to be signed again on another head, or given up. On an error nothing is changed.
    pub fn take_back(&mut self, entry: &Signed<AccountEntry>) -> Result<DeviceCard, AccountLogError> {
        let AccountEntry { seq, previous, body, .. } = entry.unverified();
        let AccountBody::AddDevice { device } = body else { return Err(AccountLogError::BadEntry) };
        if entry.hash() != self.head || *seq != self.entries || self.devices.last() != Some(device) {
            return Err(AccountLogError::StaleHead);
        }
        self.devices.pop();
        self.entries = seq.saturating_sub(1);
        self.head = *previous;
        Ok(device.clone())
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Number of entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Hash of the last entry: what the next one names as `previous`.
    pub fn head(&self) -> Hash32 {
        self.head
    }

    /// Hash of the first entry: the account's fingerprint, which pairing carries.
    pub fn genesis(&self) -> Hash32 {
        self.genesis
    }

    /// Wraps what every device of the account may open.
    pub fn account_kem(&self) -> &KemPublic {
        &self.account_kem
    }

    /// The recovery key, if there is one.
    pub fn recovery(&self) -> Option<&VerifyingKey> {
        self.recovery.as_ref()
    }

    /// The live devices, in the order they were added.
    pub fn devices(&self) -> &[DeviceCard] {
        &self.devices
    }

    /// A live device by its id.
    pub fn device(&self, device: DeviceId) -> Option<&DeviceCard> {
        self.devices.iter().find(|d| d.device == device)
    }
}
