//! Who this device is: its account, its own keys and the account's. Sealed in the vault, never in clear anywhere else.

use mecum_documents::Actor;
use mecum_seal::{
    AccountId, DeviceId, Entropy, IncarnationId, KemSecret, SecretKey32, SigningKey, VerifyingKey,
    derive_key, sha256_parts,
};
use mecum_sync::AccountLog;
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
    /// None, and so no bytes, for an account that never changed its key: what was stored before there was more reads back.
    #[cbor(n(6), with = "minicbor::bytes")]
    earlier: Option<Vec<u8>>,
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
    /// The account's keys before that, newest first: what was sealed to them stays readable.
    pub earlier: Vec<KemSecret>,
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
            earlier: Vec::new(),
        }
    }

    /// The Automerge actor of this installation.
    pub fn actor(&self) -> Actor {
        actor_of(&self.signing.verifying_key(), self.incarnation)
    }

    /// The key that seals what only the account's own devices read, such as their names.
    pub fn account_key(&self) -> SecretKey32 {
        account_key_of(&self.account_kem)
    }

    /// Every key that the account has had, newest first.
    pub fn account_keys(&self) -> impl Iterator<Item = &KemSecret> + Clone {
        std::iter::once(&self.account_kem).chain(&self.earlier)
    }

    /// Takes a new key of the account. Says whether it was not known.
    pub(crate) fn learn(&mut self, newest: KemSecret) -> bool {
        if self.account_keys().any(|known| known.expose() == newest.expose()) {
            return false;
        }
        let before = std::mem::replace(&mut self.account_kem, newest);
        self.earlier.insert(0, before);
        true
    }

    /// Puts the key that the account's log names before the others.
    pub(crate) fn prefer(&mut self, named: &mecum_seal::KemPublic) {
        if self.account_kem.public() == *named {
            return;
        }
        if let Some(at) = self.earlier.iter().position(|secret| secret.public() == *named) {
            let found = self.earlier.remove(at);
            let before = std::mem::replace(&mut self.account_kem, found);
            self.earlier.insert(0, before);
        }
    }

    /// The same device in another incarnation, with the same keys.
    pub(crate) fn reborn(&self, incarnation: IncarnationId) -> Result<Self, SessionError> {
        Ok(Self { incarnation, ..Self::decode(&self.encode())? })
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
            earlier: (!self.earlier.is_empty())
                .then(|| self.earlier.iter().flat_map(|secret| *secret.expose()).collect()),
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
            earlier: stored.earlier.as_deref().map(secrets_of).unwrap_or_default(),
        })
    }
}

/// The sealing key that goes with one of the account's HPKE secrets.
pub(crate) fn account_key_of(secret: &KemSecret) -> SecretKey32 {
    derive_key(&SecretKey32::from_bytes(*secret.expose()), "mecum account v1")
}

/// HPKE secrets one after the other, 32 bytes each.
pub(crate) fn secrets_of(bytes: &[u8]) -> Vec<KemSecret> {
    let (secrets, _) = bytes.as_chunks::<32>();
    secrets.iter().map(|secret| KemSecret::from_bytes(*secret)).collect()
}

/// The actors of an account's devices, also of those that were removed, in each of their incarnations.
pub(crate) fn actors_of(log: &AccountLog) -> Vec<((DeviceId, IncarnationId), Actor)> {
    let live = log.devices().iter().map(|card| card.device);
    let all = live.chain(log.removed().iter().map(|gone| gone.card.device));
    all.filter_map(|device| log.known(device).map(|known| (device, known.card.signing)))
        .flat_map(|(device, signing)| {
            let incarnations = log.incarnations(device).into_iter();
            incarnations.map(move |life| ((device, life), actor_of(&signing, life)))
        })
        .collect()
}

/// The Automerge actor of a device's installation: the first 16 bytes of H(device key, incarnation), so that a change
/// cannot claim another device (DESIGN 5, guards).
pub(crate) fn actor_of(signing: &VerifyingKey, incarnation: IncarnationId) -> Actor {
    let hash = sha256_parts(&[b"mecum actor v1", signing.as_bytes(), incarnation.as_bytes()]);
    let mut actor = [0; 16];
    actor.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Actor::from_bytes(actor)
}
