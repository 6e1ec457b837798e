//! Wraps: keys and short messages sealed to a public key.
//!
//! A wrap says nothing about who made it: it counts only inside something signed. It must not know what a key opens.

use zeroize::{Zeroize, Zeroizing};

use crate::entropy::Entropy;
use crate::hazmat::aead::TAG_BYTES;
use crate::hazmat::hpke::{self, ENCAPSULATION_BYTES, KemPublic, KemSecret};

/// What sealing to a public key adds: an encapsulation of 1,120 bytes and a tag of 16.
pub const WRAP_OVERHEAD_BYTES: usize = ENCAPSULATION_BYTES + TAG_BYTES;
/// Bytes of a wrapped 32-byte key.
pub const WRAP_BYTES: usize = WRAP_OVERHEAD_BYTES + 32;

/// The recipient's key cannot be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot seal to this key")]
pub struct SealToError;

/// Not sealed to this key for this purpose and place, or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wrap does not open")]
pub struct UnwrapError;

/// Seals `plaintext` to `to`. `purpose` is a fixed text per kind of message, `aad` names the place.
pub fn seal_to(
    to: &KemPublic,
    purpose: &str,
    aad: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealToError> {
    hpke::seal(to, purpose.as_bytes(), aad, plaintext, entropy).map_err(|_| SealToError)
}

/// Opens what [`seal_to`] made for the same purpose and place.
pub fn open_from(
    secret: &KemSecret,
    purpose: &str,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
    hpke::open(secret, purpose.as_bytes(), aad, sealed).map_err(|_| UnwrapError)
}

/// Wraps a 32-byte key: [`WRAP_BYTES`] bytes, about 0.2 ms.
pub fn wrap_key(
    to: &KemPublic,
    purpose: &str,
    aad: &[u8],
    key: &[u8; 32],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealToError> {
    seal_to(to, purpose, aad, key, entropy)
}

/// Opens what [`wrap_key`] made.
pub fn unwrap_key(
    secret: &KemSecret,
    purpose: &str,
    aad: &[u8],
    wrap: &[u8],
) -> Result<Zeroizing<[u8; 32]>, UnwrapError> {
    let mut opened = open_from(secret, purpose, aad, wrap)?;
    let key = <[u8; 32]>::try_from(opened.as_slice()).map(Zeroizing::new).map_err(|_| UnwrapError);
    opened.zeroize();
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn a_wrap_opens_only_for_its_recipient_purpose_and_place() {
        let entropy = SeededEntropy::new(5);
        let (secret, other) = (KemSecret::make(&entropy), KemSecret::make(&entropy));
        let wrap = wrap_key(&secret.public(), "epoch", b"space", &[9; 32], &entropy).expect("a good key");
        assert_eq!(wrap.len(), WRAP_BYTES, "1,168 bytes");
        assert_eq!(unwrap_key(&secret, "epoch", b"space", &wrap).as_deref(), Ok(&[9; 32]), "opens");
        assert_eq!(unwrap_key(&other, "epoch", b"space", &wrap), Err(UnwrapError), "another recipient");
        assert_eq!(unwrap_key(&secret, "account", b"space", &wrap), Err(UnwrapError), "another purpose");
        assert_eq!(unwrap_key(&secret, "epoch", b"other", &wrap), Err(UnwrapError), "another place");
        for at in (0..wrap.len()).step_by(37) {
            let mut flipped = wrap.clone();
            flipped[at] ^= 0x10;
            assert_eq!(
                unwrap_key(&secret, "epoch", b"space", &flipped),
                Err(UnwrapError),
                "byte {at} flipped"
            );
            assert_eq!(unwrap_key(&secret, "epoch", b"space", &wrap[..at]), Err(UnwrapError), "cut to {at}");
        }
    }

    #[test]
    fn a_message_of_another_length_is_no_key() {
        let entropy = SeededEntropy::new(6);
        let secret = KemSecret::make(&entropy);
        let sealed = seal_to(&secret.public(), "p", b"", b"short", &entropy).expect("a good key");
        assert_eq!(unwrap_key(&secret, "p", b"", &sealed), Err(UnwrapError), "five bytes are no key");
    }

    /// A public key whose ML-KEM half is `t` (1,152 bytes) and a random seed, and whose X25519 half is `point`.
    fn public_of(vector: &[u8], point: [u8; 32]) -> Vec<u8> {
        [vector, &[7; 32], &point].concat()
    }

    #[test]
    fn a_public_key_with_a_half_that_seals_nothing_is_refused() {
        let honest = KemSecret::make(&SeededEntropy::new(7)).public();
        let (vector, x25519) = (&honest.as_bytes()[..1_152], &honest.as_bytes()[1_184..]);
        let x25519: [u8; 32] = x25519.try_into().expect("32 bytes");
        assert!(KemPublic::from_bytes(&public_of(vector, x25519)).is_ok(), "two honest halves");
        assert!(KemPublic::from_bytes(&public_of(&[0; 1_152], x25519)).is_err(), "an empty ML-KEM half");
        for top in [0, 0x80] {
            for point in crate::hazmat::low_order_x25519() {
                let mut point = point;
                point[31] |= top;
                assert!(
                    KemPublic::from_bytes(&public_of(vector, point)).is_err(),
                    "an X25519 half of low order"
                );
            }
        }
    }

    #[test]
    fn bytes_that_are_no_public_key_are_refused() {
        for bytes in [vec![], vec![0; 1_216], vec![0xff; 1_216], vec![1; 1_215]] {
            assert!(KemPublic::from_bytes(&bytes).is_err(), "{} bytes", bytes.len());
        }
    }
}
