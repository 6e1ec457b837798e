//! What an entry of an account's log says. The numbers are on the wire; further kinds take further numbers.

use mecum_seal::{DeviceId, Hash32, HelperSet, IncarnationId, KemPublic, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::limits::{
    MAX_DEVICES, MAX_RECOVERY_SEALED_BYTES, MAX_SEALED_NAME_BYTES, MAX_UPHELD_AT_ONCE, MAX_WRAP_BYTES,
};

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

/// The account's secret HPKE key, wrapped to one device's own.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DeviceWrap {
    /// Who can open it.
    #[n(0)]
    pub device: DeviceId,
    /// The wrap's bytes.
    #[cbor(n(1), encode_with = "minicbor::bytes::encode", decode_with = "codec::blob::<MAX_WRAP_BYTES, _>")]
    pub bytes: Vec<u8>,
}

/// A new HPKE key of the account, so that a device which is gone cannot open what is wrapped from here on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Rotation {
    /// Wraps what every device of the account may open, from here on.
    #[n(0)]
    pub account_kem: KemPublic,
    /// Its secret, once for each device that stays, in the order of the log's devices.
    #[cbor(n(1), decode_with = "codec::list::<MAX_DEVICES, _, _>")]
    pub wraps: Vec<DeviceWrap>,
    /// What a recovered device must have, sealed to the recovery key's `kem`. Empty where no such key is set, and only there.
    #[cbor(
        n(2),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_RECOVERY_SEALED_BYTES, _>"
    )]
    pub recovery_sealed: Vec<u8>,
    /// Likewise for the helpers' recovery key. Empty, and so no bytes, where no helpers are set, and only there.
    #[cbor(
        n(3),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_RECOVERY_SEALED_BYTES, _>",
        nil = "codec::no_bytes",
        is_nil = "Vec::is_empty"
    )]
    pub helpers_sealed: Vec<u8>,
}

/// A recovery key that is kept in parts: two of three helpers and the server bring it back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Helpers {
    /// Verifies what it signs.
    #[n(0)]
    pub signing: VerifyingKey,
    /// Seals what it opens.
    #[n(1)]
    pub kem: KemPublic,
    /// What a recovered device must have, sealed to `kem`, as of the last entry that brought it.
    #[cbor(
        n(2),
        encode_with = "minicbor::bytes::encode",
        decode_with = "codec::blob::<MAX_RECOVERY_SEALED_BYTES, _>"
    )]
    pub sealed: Vec<u8>,
    /// Tells a right part from a wrong one.
    #[n(3)]
    pub set: HelperSet,
    /// Days that the server waits before it gives out its part.
    #[n(4)]
    pub wait_days: u32,
}

/// What an entry does.
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
        /// The recovery key, if the person made one. It outranks devices.
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
    /// Removes a device. Signed by another live device or by the recovery key, with a new account key; or by the device itself,
    /// without one: whoever leaves must not know the next key, so a device that stays owes it ([`AccountBody::Rotate`]).
    #[n(3)]
    RemoveDevice {
        /// Who is gone.
        #[n(0)]
        device: DeviceId,
        /// The new account key; none if the device leaves of itself, and only then.
        #[n(1)]
        rotation: Option<Rotation>,
    },
    /// Sets the recovery key, in the place of an earlier one. Signed by a live device.
    #[n(4)]
    SetRecovery {
        /// Verifies what the holder of the kit signs.
        #[n(0)]
        signing: VerifyingKey,
        /// Seals what the holder of the kit may open.
        #[n(1)]
        kem: KemPublic,
        /// What a recovered device must have, sealed to `kem`: the log is where the kit finds it.
        #[cbor(
            n(2),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_RECOVERY_SEALED_BYTES, _>"
        )]
        sealed: Vec<u8>,
    },
    /// Adds a device with no live device's help. Signed by the recovery key, or by the helpers'.
    #[n(5)]
    Recover {
        /// The new device.
        #[n(0)]
        device: DeviceCard,
        /// If set, every other device is removed, and this is the new account key, wrapped to the new device alone.
        #[n(1)]
        alone: Option<Rotation>,
    },
    /// From here on the device's chains may be of this incarnation too: its vault was restored or cloned. Signed by it.
    #[n(6)]
    Reincarnate {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// Its new incarnation.
        #[n(1)]
        incarnation: IncarnationId,
    },
    /// Gives a live device another name. Signed by a live device.
    #[n(7)]
    Rename {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// What its owner calls it, sealed under the account's key.
        #[cbor(
            n(1),
            encode_with = "minicbor::bytes::encode",
            decode_with = "codec::blob::<MAX_SEALED_NAME_BYTES, _>"
        )]
        sealed_name: Vec<u8>,
    },
    /// A new account key, with nobody removed: owed after a device left of itself. Signed by a live device or the recovery key.
    #[n(8)]
    Rotate {
        /// The new key, wrapped to every live device.
        #[n(0)]
        rotation: Rotation,
    },
    /// Sets the helpers' recovery key, in the place of an earlier one; or ends that there is one. Signed by a live device.
    #[n(9)]
    SetHelpers {
        /// The key and its parts; none to have no helpers any more.
        #[n(0)]
        helpers: Option<Helpers>,
    },
    /// Stands for entries of spaces' logs that devices of the account signed, and that were removed since: a relay that was restored may
    /// have lost both. It counts for devices that were removed before this entry. Signed by a live device, which could sign the like
    /// itself.
    #[n(10)]
    Uphold {
        /// The hash of each signed entry, ascending; at least one.
        #[cbor(n(0), decode_with = "codec::list::<MAX_UPHELD_AT_ONCE, _, _>")]
        entries: Vec<Hash32>,
    },
}
