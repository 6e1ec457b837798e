//! Secret keys of 32 bytes, one type per purpose, wiped when dropped and never printed.
//!
//! Each lies in a box of its own: what is moved from place to place is the box, and no place that it was moved from keeps the
//! bytes. What computing with keys leaves on a stack is for [`with_wiped_stack`].
//!
//! It must not know what a key opens; the types only keep one purpose from being used for another.

use std::fmt;

use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// How deep computing with keys goes: this much of the stack below it is overwritten.
const WIPED_BYTES: usize = 256 * 1024;

/// Does something that has keys or plaintext in its hands, and then overwrites the stack that it used: what a function leaves
/// there stays until something else happens to use the place, and a thread may be idle for as long as a program runs.
pub fn with_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let _wiped = Wiped;
    below(work)
}

/// Wipes at the end, that of a panic too.
struct Wiped;

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe();
    }
}

/// A call of its own, so that what `work` uses lies below its caller.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "it is the stack that is to be written")]
fn wipe() {
    let mut place = [0u8; WIPED_BYTES];
    // Somebody may look at it, and change it: so it has to be there, and written.
    std::hint::black_box(&mut place);
}

/// Something that is a 32-byte secret key.
pub trait Key32 {
    /// The key's bytes. Copy them only into something that wipes itself.
    fn expose(&self) -> &[u8; 32];
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Box<Zeroizing<[u8; 32]>>);

        impl $name {
            /// A fresh random key.
            pub fn make(entropy: &dyn Entropy) -> Self {
                let mut bytes = Box::new(Zeroizing::new([0u8; 32]));
                entropy.fill(bytes.as_mut().as_mut());
                Self(bytes)
            }

            /// From its bytes; the caller wipes their own copy.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Box::new(Zeroizing::new(bytes)))
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
                crate::hazmat::aead::same_bytes(self.expose(), other.expose())
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
