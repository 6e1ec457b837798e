//! An account's log: which devices may act for a person. Signed, hash-chained, linear, and appended by compare-and-swap:
//! an entry's `previous` is the head that its writer expects.
//!
//! It must not know what the devices do.

mod body;
mod rules;

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, KemPublic, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{MAX_DEVICES, MAX_INCARNATIONS, MAX_RECOVERY_SEALED_BYTES, MAX_UPHELD};
use crate::signed::SignedBody;

pub use body::{AccountBody, DeviceCard, DeviceWrap, Helpers, Rotation};

/// The `signer` of an entry that the recovery key signs: the id of no device.
pub const RECOVERY_SIGNER: DeviceId = DeviceId::from_bytes([0; 16]);

/// The `signer` of an entry that the helpers' recovery key signs: the id of no device either.
pub const HELPERS_SIGNER: DeviceId = DeviceId::from_bytes([0xff; 16]);

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
    /// The device that signs; [`RECOVERY_SIGNER`] for the recovery key, [`HELPERS_SIGNER`] for the helpers'.
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
    /// The recovery key signs what only a device may, or a device what only the recovery key or another device may.
    #[error("entry is of a kind that its signer may not write")]
    NotAllowed,
    /// The device that the entry is about is not a live device of the account.
    #[error("entry is about a device that is not there")]
    NotThere,
    /// The only device cannot be removed: nobody could add another.
    #[error("the last device cannot be removed")]
    LastDevice,
    /// The new account key is missing, is the old one, or is not wrapped to exactly the devices that stay and to the
    /// recovery key.
    #[error("new account key is not wrapped to exactly those who stay")]
    BadRotation,
    /// The incarnation is taken in this account, or the device has too many.
    #[error("incarnation is taken, or there are too many")]
    IncarnationTaken,
    /// The log has as many entries as it may.
    #[error("log is full")]
    Full,
    /// The entry breaks another rule of the log.
    #[error("entry breaks a rule of the log")]
    BadEntry,
}

/// A device that was removed: it may not act any more, and what it wrote before still verifies.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RemovedDevice {
    /// As it was.
    #[n(0)]
    pub card: DeviceCard,
    /// Number of the entry that removed it.
    #[n(1)]
    pub removed: u64,
}

/// A device that the log names, live or removed.
#[derive(Clone, Copy, Debug)]
pub struct KnownDevice<'a> {
    /// As the log describes it.
    pub card: &'a DeviceCard,
    /// Number of the entry that removed it; none while it is live.
    pub removed: Option<u64>,
}

/// Further incarnations of one device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Reincarnated {
    #[n(0)]
    device: DeviceId,
    #[cbor(n(1), decode_with = "codec::list::<MAX_INCARNATIONS, _, _>")]
    incarnations: Vec<IncarnationId>,
}

/// What only kinds of entries beyond the first two bring about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Later {
    #[cbor(n(0), decode_with = "codec::list::<MAX_DEVICES, _, _>")]
    removed: Vec<RemovedDevice>,
    #[cbor(n(1), decode_with = "codec::list::<MAX_DEVICES, _, _>")]
    reincarnated: Vec<Reincarnated>,
    #[n(2)]
    recovery_kem: Option<KemPublic>,
    #[cbor(
        n(3),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_RECOVERY_SEALED_BYTES, _>"
    )]
    recovery_sealed: Vec<u8>,
    #[n(4)]
    rotation_due: bool,
    /// None, and so no bytes, for an account that has no helpers.
    #[n(5)]
    helpers: Option<Helpers>,
    /// Ascending by the entry. Empty, and so no bytes, where nothing of a removed device was lost.
    #[cbor(
        n(6),
        encode_with = "minicbor::Encode::encode",
        decode_with = "codec::list::<MAX_UPHELD, _, _>",
        nil = "codec::no_list",
        is_nil = "Vec::is_empty"
    )]
    upheld: Vec<Upheld>,
}

/// An entry of a space's log that the account stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Upheld {
    /// Hash of the signed entry.
    #[n(0)]
    entry: Hash32,
    /// Number of the account's entry that said so last.
    #[n(1)]
    at: u64,
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
    /// None, and so no bytes, for a log of the first two kinds of entries: what was stored before there were more reads back.
    #[n(7)]
    later: Option<Later>,
}

impl AccountLog {
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

    /// The removed devices, in the order they were removed.
    pub fn removed(&self) -> &[RemovedDevice] {
        self.later.as_ref().map_or(&[], |later| &later.removed)
    }

    /// A device by its id, live or removed: for verifying what it wrote in its time.
    pub fn known(&self, device: DeviceId) -> Option<KnownDevice<'_>> {
        let live = self.device(device).map(|card| KnownDevice { card, removed: None });
        live.or_else(|| {
            let gone = self.removed().iter().find(|gone| gone.card.device == device)?;
            Some(KnownDevice { card: &gone.card, removed: Some(gone.removed) })
        })
    }

    /// The key under which a device signs an entry of a space's log, named by the hash of the signed entry: that of a live device, or of
    /// a removed one where the account said after the removal that it stands for this very entry. What is said before counts nothing:
    /// whoever has a device that is to be removed could say it of entries that nobody has seen.
    pub fn signs(&self, device: DeviceId, entry: &Hash32) -> Option<VerifyingKey> {
        let known = self.known(device)?;
        let counts = known.removed.is_none_or(|removed| self.upheld_at(entry).is_some_and(|at| at > removed));
        counts.then_some(known.card.signing)
    }

    /// Number of the last entry that says that the account stands for an entry of a space's log.
    fn upheld_at(&self, entry: &Hash32) -> Option<u64> {
        let upheld = &self.later.as_ref()?.upheld;
        let at = upheld.binary_search_by(|upheld| upheld.entry.cmp(entry)).ok()?;
        upheld.get(at).map(|upheld| upheld.at)
    }

    /// Every incarnation of a device, live or removed, in the order they began. Empty for a device that is not in the log.
    pub fn incarnations(&self, device: DeviceId) -> Vec<IncarnationId> {
        let Some(known) = self.known(device) else { return Vec::new() };
        let further = self.later.iter().flat_map(|later| &later.reincarnated);
        let further = further.filter(|r| r.device == device).flat_map(|r| &r.incarnations);
        std::iter::once(&known.card.incarnation).chain(further).copied().collect()
    }

    /// Seals what the holder of the recovery kit may open, once a recovery key with one is set.
    pub fn recovery_kem(&self) -> Option<&KemPublic> {
        self.later.as_ref()?.recovery_kem.as_ref()
    }

    /// What a recovered device must have, sealed to [`AccountLog::recovery_kem`], as of the last entry that brought it. Empty
    /// without one.
    pub fn recovery_sealed(&self) -> &[u8] {
        self.later.as_ref().map_or(&[], |later| &later.recovery_sealed)
    }

    /// The helpers' recovery key, if there is one. Its `sealed` is as of the last entry that brought it.
    pub fn helpers(&self) -> Option<&Helpers> {
        self.later.as_ref()?.helpers.as_ref()
    }

    /// Whether a device left of itself and the account's key was not changed since: a device that stays owes
    /// [`AccountBody::Rotate`].
    pub fn rotation_due(&self) -> bool {
        self.later.as_ref().is_some_and(|later| later.rotation_due)
    }
}
