//! Ed25519 signatures with a context in front of every message, so that one kind of thing is never read as another.
//!
//! Signed bytes: `context || 0x00 || message`; contexts are fixed texts without a zero byte. Source: RFC 8032.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::low_order;
use crate::entropy::Entropy;
use crate::ids::byte_newtype;

/// The signature is not of this message, under this context, by this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not match")]
pub struct BadSignature;

byte_newtype!(
    /// An Ed25519 public key.
    VerifyingKey,
    32
);
byte_newtype!(
    /// An Ed25519 signature.
    Signature,
    64
);

/// An Ed25519 private key, kept as its seed.
#[derive(Clone)]
pub struct SigningKey {
    /// In a box: no place that the key was moved from keeps it.
    seed: Box<Zeroizing<[u8; 32]>>,
    public: VerifyingKey,
}

impl SigningKey {
    /// A fresh random key.
    pub fn make(entropy: &dyn Entropy) -> SigningKey {
        let mut seed = Zeroizing::new([0u8; 32]);
        entropy.fill(seed.as_mut());
        SigningKey::from_seed(*seed)
    }

    /// The key of a 32-byte seed (RFC 8032, section 5.1.5).
    pub fn from_seed(seed: [u8; 32]) -> SigningKey {
        let seed = Box::new(Zeroizing::new(seed));
        let mut public = [0u8; 32];
        public.copy_from_slice(pair(&seed).public_key().as_ref());
        SigningKey { seed, public: VerifyingKey::from_bytes(public) }
    }

    /// The seed, for storing under another key.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    /// Signs `message` as a thing of kind `context`.
    pub fn sign(&self, context: &'static str, message: &[u8]) -> Signature {
        // The pair is rebuilt each time (12 us): ring's own copy of the key is not wiped, so it must not live long.
        let mut out = [0u8; 64];
        out.copy_from_slice(pair(&self.seed).sign(&framed(context, message)).as_ref());
        Signature::from_bytes(out)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl VerifyingKey {
    /// Checks that this key signed `message` as a thing of kind `context`.
    ///
    /// A key of small order is refused: under it one signature fits many messages, so that whoever names it as theirs
    /// could deny, or let anybody write, whatever it seems to have signed.
    pub fn verify(
        &self,
        context: &'static str,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        verify_framed(self, &framed(context, message), signature)
    }
}

/// Checks a signature over bytes that have their context already.
pub(super) fn verify_framed(
    key: &VerifyingKey,
    framed: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    if low_order::is_small_order_ed25519(key.as_bytes()) {
        return Err(BadSignature);
    }
    UnparsedPublicKey::new(&ED25519, key.as_bytes())
        .verify(framed, signature.as_bytes())
        .map_err(|_| BadSignature)
}

fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are an Ed25519 seed")
}

fn framed(context: &'static str, message: &[u8]) -> Vec<u8> {
    debug_assert!(!context.contains('\0'), "a context ends at the first zero byte");
    [context.as_bytes(), &[0], message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn a_signature_holds_only_for_its_key_context_and_message() {
        let entropy = SeededEntropy::new(7);
        let (key, other) = (SigningKey::make(&entropy), SigningKey::make(&entropy));
        let signature = key.sign("a", b"message");
        assert_eq!(key.verifying_key().verify("a", b"message", &signature), Ok(()), "its own");
        assert_eq!(
            key.verifying_key().verify("b", b"message", &signature),
            Err(BadSignature),
            "another context"
        );
        assert_eq!(
            key.verifying_key().verify("a", b"massage", &signature),
            Err(BadSignature),
            "another message"
        );
        assert_eq!(
            other.verifying_key().verify("a", b"message", &signature),
            Err(BadSignature),
            "another key"
        );
        assert_eq!(
            SigningKey::from_seed(*key.seed()).sign("a", b"message"),
            signature,
            "the seed is the key"
        );
    }

    #[test]
    fn a_context_cannot_be_moved_into_the_message() {
        let key = SigningKey::make(&SeededEntropy::new(8));
        let signature = key.sign("ab", b"c");
        assert_eq!(
            key.verifying_key().verify("a", b"bc", &signature),
            Err(BadSignature),
            "the zero byte divides them"
        );
    }

    /// With the neutral element as key and as `R`, and `S = 0`, the equation holds for every message there is.
    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let mut signature = [0u8; 64];
        signature[0] = 1;
        for point in low_order::ed25519_encodings() {
            let key = VerifyingKey::from_bytes(point);
            for message in 0..64u8 {
                assert_eq!(
                    key.verify("a", &[message], &Signature::from_bytes(signature)),
                    Err(BadSignature),
                    "a signature that would fit any message"
                );
            }
        }
        let mut neutral = [0u8; 32];
        neutral[0] = 1;
        assert!(
            UnparsedPublicKey::new(&ED25519, neutral).verify(b"anything", &signature).is_ok(),
            "control: without the check the library takes it"
        );
    }

    #[test]
    fn the_private_key_is_not_printed() {
        assert_eq!(
            format!("{:?}", SigningKey::from_seed([7; 32])),
            "SigningKey(..)",
            "no key bytes in debug output"
        );
    }
}
