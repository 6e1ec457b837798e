//! The passphrase's key slot: the vault key, sealed under what Argon2id makes of a passphrase.
//!
//! Its parameters are stored beside it and authenticated, and parameters below the floor are refused, so that an
//! altered file cannot make guessing cheap. It must not know where a slot is kept.

use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::row;
use crate::entropy::Entropy;
use crate::hazmat::aead::same_bytes;
use crate::hazmat::argon::{KdfFloor, KdfParams, KdfParamsError, stretch};
use crate::hazmat::kdf::hkdf_into;
use crate::safe::passphrase::MAX_PASSPHRASE_BYTES;
use crate::secret::{SecretKey32, VaultKey};

const SLOT_VERSION: u64 = 1;
const CONTEXT: &[u8] = b"mecum/slot/1";
/// An encoded slot is about 160 bytes.
const MAX_SLOT_BYTES: usize = 512;

/// The passphrase is not the one this slot was made with (or the slot was altered: the two cannot be told apart).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wrong passphrase")]
pub struct WrongPassphrase;

/// The slot cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MakeSlotError {
    /// Longer than [`MAX_PASSPHRASE_BYTES`].
    #[error("passphrase is too long")]
    TooLong,
}

/// The stored slot cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeSlotError {
    /// Not a slot in its one canonical form.
    #[error("key slot is malformed")]
    Malformed,
    /// Made by a newer version.
    #[error("key slot version {0} is unknown")]
    UnknownVersion(u64),
    /// Its parameters are refused.
    #[error("key slot is refused")]
    Params(#[source] KdfParamsError),
}

/// One key slot. Layout, CBOR: `[version, m_kib, t, p, salt(32), commitment(32), sealed(80)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassphraseSlot {
    params: KdfParams,
    salt: [u8; 32],
    /// Binds the slot to one passphrase: without it a crafted slot could open under several.
    commitment: [u8; 32],
    sealed: Vec<u8>,
}

impl PassphraseSlot {
    /// Seals `vault_key` under `passphrase`. Takes as long as Argon2id with `params` does (0.1 s by default).
    pub fn make(
        passphrase: &str,
        vault_key: &VaultKey,
        params: &KdfParams,
        entropy: &dyn Entropy,
    ) -> Result<PassphraseSlot, MakeSlotError> {
        if passphrase.len() > MAX_PASSPHRASE_BYTES {
            return Err(MakeSlotError::TooLong);
        }
        let mut salt = [0u8; 32];
        entropy.fill(&mut salt);
        let header = encode_header(params, &salt);
        let (key, commitment) = derive(passphrase, params, &salt, &header);
        let sealed = row::seal_row(&key, &header, vault_key.expose(), entropy);
        Ok(PassphraseSlot { params: *params, salt, commitment, sealed })
    }

    /// Opens the slot. Takes as long whether the passphrase is right or wrong.
    pub fn open(&self, passphrase: &str) -> Result<VaultKey, WrongPassphrase> {
        if passphrase.len() > MAX_PASSPHRASE_BYTES {
            return Err(WrongPassphrase);
        }
        let header = encode_header(&self.params, &self.salt);
        let (key, commitment) = derive(passphrase, &self.params, &self.salt, &header);
        if !same_bytes(&commitment, &self.commitment) {
            return Err(WrongPassphrase);
        }
        let opened = row::open_row(&key, &header, &self.sealed).map_err(|_| WrongPassphrase)?;
        VaultKey::from_slice(&opened).ok_or(WrongPassphrase)
    }

    /// The parameters it was made with.
    pub fn params(&self) -> &KdfParams {
        &self.params
    }

    /// Its stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(vec![0x87]); // a CBOR array of seven
        e.writer_mut().extend_from_slice(&encode_header(&self.params, &self.salt));
        e.bytes(&self.commitment)
            .and_then(|e| e.bytes(&self.sealed))
            .expect("writing to memory does not fail");
        e.into_writer()
    }

    /// Reads the stored form, refusing parameters below `floor`.
    pub fn decode(bytes: &[u8], floor: KdfFloor) -> Result<PassphraseSlot, DecodeSlotError> {
        if bytes.len() > MAX_SLOT_BYTES {
            return Err(DecodeSlotError::Malformed);
        }
        let malformed = |_| DecodeSlotError::Malformed;
        let mut d = Decoder::new(bytes);
        let fields = d.array().map_err(malformed)?;
        let version = d.u64().map_err(malformed)?;
        if version != SLOT_VERSION {
            return Err(DecodeSlotError::UnknownVersion(version));
        }
        if fields != Some(7) {
            return Err(DecodeSlotError::Malformed);
        }
        let (m_kib, t, p) =
            (d.u32().map_err(malformed)?, d.u32().map_err(malformed)?, d.u32().map_err(malformed)?);
        let salt = d.bytes().map_err(malformed)?.try_into().map_err(|_| DecodeSlotError::Malformed)?;
        let commitment = d.bytes().map_err(malformed)?.try_into().map_err(|_| DecodeSlotError::Malformed)?;
        let sealed = d.bytes().map_err(malformed)?.to_vec();
        let params = KdfParams::new(m_kib, t, p, floor).map_err(DecodeSlotError::Params)?;
        let slot = PassphraseSlot { params, salt, commitment, sealed };
        if slot.encode() == bytes { Ok(slot) } else { Err(DecodeSlotError::Malformed) }
    }
}

fn encode_header(params: &KdfParams, salt: &[u8; 32]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::with_capacity(64));
    e.u64(SLOT_VERSION)
        .and_then(|e| e.u32(params.m_kib()))
        .and_then(|e| e.u32(params.t()))
        .and_then(|e| e.u32(params.p()))
        .and_then(|e| e.bytes(salt))
        .expect("writing to memory does not fail");
    e.into_writer()
}

fn derive(passphrase: &str, params: &KdfParams, salt: &[u8; 32], header: &[u8]) -> (SecretKey32, [u8; 32]) {
    let stretched = stretch(passphrase, salt, params);
    let mut key = Zeroizing::new([0u8; 32]);
    let mut commitment = [0u8; 32];
    hkdf_into(stretched.as_ref(), salt, &[CONTEXT, b"/key", header], key.as_mut());
    hkdf_into(stretched.as_ref(), salt, &[CONTEXT, b"/commitment", header], &mut commitment);
    (SecretKey32::from_bytes(*key), commitment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SeededEntropy, fast_kdf, no_floor};

    fn slot() -> (PassphraseSlot, VaultKey) {
        let entropy = SeededEntropy::new(11);
        let key = VaultKey::make(&entropy);
        (PassphraseSlot::make("six quiet words", &key, &fast_kdf(), &entropy).expect("short enough"), key)
    }

    #[test]
    fn only_the_right_passphrase_opens_a_slot() {
        let (slot, key) = slot();
        assert_eq!(slot.open("six quiet words"), Ok(key), "the one it was made with");
        for wrong in ["", "six quiet word", "Six quiet words", "six quiet words ", &"x".repeat(5_000)] {
            assert_eq!(slot.open(wrong), Err(WrongPassphrase), "another passphrase");
        }
    }

    #[test]
    fn a_slot_survives_storage_and_every_altered_byte_is_noticed() {
        let (slot, key) = slot();
        let bytes = slot.encode();
        assert_eq!(PassphraseSlot::decode(&bytes, no_floor()), Ok(slot), "reads back");
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let opened = PassphraseSlot::decode(&flipped, no_floor()).ok().map(|s| s.open("six quiet words"));
            assert_ne!(opened, Some(Ok(key.clone())), "byte {at} flipped");
            assert!(PassphraseSlot::decode(&bytes[..at], no_floor()).is_err(), "cut to {at} bytes");
        }
    }

    #[test]
    fn a_slot_below_the_floor_is_refused_by_a_shipped_program() {
        let (slot, _) = slot();
        assert_eq!(
            PassphraseSlot::decode(&slot.encode(), KdfFloor::default()),
            Err(DecodeSlotError::Params(KdfParamsError::BelowFloor)),
            "one pass over 64 KiB is no protection"
        );
        let opened = PassphraseSlot::decode(&slot.encode(), no_floor());
        assert!(opened.is_ok(), "control: where a test sets no floor, it is taken");
        println!("proof-control: without a floor the same slot is taken");
    }
}
