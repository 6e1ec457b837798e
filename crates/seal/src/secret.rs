//! Secret keys of 32 bytes, one type per purpose, wiped when dropped and never printed.
//!
//! It must not know what a key opens; the types only keep one purpose from being used for another.

use std::fmt;

use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Something that is a 32-byte secret key.
pub trait Key32 {
    /// The key's bytes. Copy them only into something that wipes itself.
    fn expose(&self) -> &[u8; 32];
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// A fresh random key.
            pub fn make(entropy: &dyn Entropy) -> Self {
                let mut bytes = Zeroizing::new([0u8; 32]);
                entropy.fill(bytes.as_mut());
                Self(bytes)
            }

            /// From its bytes; the caller wipes their own copy.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Zeroizing::new(bytes))
            }

            /// From a slice, if it has 32 bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; 32]>::try_from(bytes).ok().map(Self::from_bytes)
            }

            /// The key's bytes. Copy them only into something that wipes itself.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl Key32 for $name {
            fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                crate::hazmat::aead::same_bytes(self.0.as_ref(), other.0.as_ref())
            }
        }

        impl Eq for $name {}
    };
}

secret_key!(
    /// A key whose purpose the caller names by a derivation or a purpose text.
    SecretKey32
);
secret_key!(
    /// Seals the envelopes of one document.
    DocumentKey
);
secret_key!(
    /// Seals a space's control document during one epoch.
    EpochKey
);
secret_key!(
    /// The vault's key-encryption key: what a key slot opens, and what every row key is derived from.
    VaultKey
);
secret_key!(
    /// An account's own key, shared by its devices.
    AccountKey
);
secret_key!(
    /// What the printed kit's words stand for: opens the vault's recovery slot, and speaks for the account.
    RecoveryKey
);
secret_key!(
    /// Seals mutable rows of a vault.
    RowKey
);
