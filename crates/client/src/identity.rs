//! Who this device is: its account, its own keys and the account's. Sealed in the vault, never in clear anywhere else.

use mecum_documents::Actor;
use mecum_seal::{
    AccountId, DeviceId, Entropy, IncarnationId, KemSecret, SecretKey32, SigningKey, VerifyingKey,
    derive_key, sha256_parts,
};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::SessionError;

/// What the vault stores of it.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
struct Stored {
    #[n(0)]
    #[zeroize(skip)]
    account: AccountId,
    #[n(1)]
    #[zeroize(skip)]
    device: DeviceId,
    #[n(2)]
    #[zeroize(skip)]
    incarnation: IncarnationId,
    #[cbor(n(3), with = "minicbor::bytes")]
    signing: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    kem: [u8; 32],
    #[cbor(n(5), with = "minicbor::bytes")]
    account_kem: [u8; 32],
}

/// This device within its account.
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// This device.
    pub device: DeviceId,
    /// This installation of it: another one after a restore or a clone.
    pub incarnation: IncarnationId,
    /// Signs statements, log entries and sign-in.
    pub signing: SigningKey,
    /// Opens what is sealed to this device.
    pub kem: KemSecret,
    /// Opens what is sealed to the account: every device of it holds this key.
    pub account_kem: KemSecret,
}

impl Identity {
    /// The first device of a new account.
    pub fn make(entropy: &dyn Entropy) -> Self {
        Self {
            account: AccountId::random(entropy),
            device: DeviceId::random(entropy),
            incarnation: IncarnationId::random(entropy),
            signing: SigningKey::make(entropy),
            kem: KemSecret::make(entropy),
            account_kem: KemSecret::make(entropy),
        }
    }

    /// The Automerge actor of this installation.
    pub fn actor(&self) -> Actor {
        actor_of(&self.signing.verifying_key(), self.incarnation)
    }

    /// The key that seals what only the account's own devices read, such as their names.
    pub fn account_key(&self) -> SecretKey32 {
        derive_key(&SecretKey32::from_bytes(*self.account_kem.expose()), "mecum account v1")
    }

    /// The bytes that the vault seals.
    pub fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let stored = Stored {
            account: self.account,
            device: self.device,
            incarnation: self.incarnation,
            signing: *self.signing.seed(),
            kem: *self.kem.expose(),
            account_kem: *self.account_kem.expose(),
        };
        zeroize::Zeroizing::new(minicbor::to_vec(&stored).expect("a struct of fixed bytes encodes"))
    }

    /// The identity of stored bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, SessionError> {
        let stored: Stored =
            minicbor::decode(bytes).map_err(|_| SessionError::Stored { what: "identity" })?;
        Ok(Self {
            account: stored.account,
            device: stored.device,
            incarnation: stored.incarnation,
            signing: SigningKey::from_seed(stored.signing),
            kem: KemSecret::from_bytes(stored.kem),
            account_kem: KemSecret::from_bytes(stored.account_kem),
        })
    }
}

/// The Automerge actor of a device's installation: the first 16 bytes of H(device key, incarnation), so that a change
/// cannot claim another device (DESIGN 5, guards).
pub(crate) fn actor_of(signing: &VerifyingKey, incarnation: IncarnationId) -> Actor {
    let hash = sha256_parts(&[b"mecum actor v1", signing.as_bytes(), incarnation.as_bytes()]);
    let mut actor = [0; 16];
    actor.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Actor::from_bytes(actor)
}
