//! What a recovery key is good for: opening a vault's recovery slot, and speaking for the account without a device.
//!
//! The purposes never share a key: each is derived by its own text. This module must not know where the key comes
//! from (the printed kit's words, or the parts that recovery helpers gave back), nor where a slot is kept.

use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::row;
use crate::entropy::Entropy;
use crate::hazmat::aead::same_bytes;
use crate::hazmat::hpke::KemSecret;
use crate::hazmat::kdf::{derive_key, hkdf_into};
use crate::hazmat::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::ids::{AccountId, Hash32};
use crate::safe::slot::DecodeSlotError;
use crate::secret::{RecoveryKey, SecretKey32, VaultKey};

const SIGN_PURPOSE: &str = "mecum/recovery/1/sign";
const KEM_PURPOSE: &str = "mecum/recovery/1/kem";
const SLOT_PURPOSE: &str = "mecum/recovery/1/slot";

const VOUCH_CONTEXT: &str = "mecum/kit-account/1";

const SLOT_VERSION: u64 = 1;
const SLOT_CONTEXT: &[u8] = b"mecum/recovery-slot/1";
/// An encoded slot has 152 bytes.
const MAX_SLOT_BYTES: usize = 256;

impl RecoveryKey {
    /// The Ed25519 key whose public half the account's log names as its recovery key: it outranks devices.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(*derive_key(self, SIGN_PURPOSE).expose())
    }

    /// The X-Wing secret to which devices seal what a restored device must have. Sealing to it takes the public half
    /// only, so every device can do so without the words.
    pub fn kem_secret(&self) -> KemSecret {
        KemSecret::from_bytes(*derive_key(self, KEM_PURPOSE).expose())
    }

    /// Says, with the words in hand, which account this key is for: its id and the hash of its log's first entry. Whoever
    /// restores with the words alone believes no other log, whatever a server shows.
    pub fn vouch_for(&self, account: AccountId, genesis: Hash32) -> Signature {
        self.signing_key().sign(VOUCH_CONTEXT, &vouched(account, genesis))
    }

    /// The key-encryption key of recovery slots.
    fn slot_key(&self) -> SecretKey32 {
        derive_key(self, SLOT_PURPOSE)
    }
}

/// Checks what [`RecoveryKey::vouch_for`] said, by the public half of the key's signing key.
///
/// # Errors
/// [`BadSignature`]: it was said of another account or log, or by another key.
pub fn check_vouch(
    recovery: &VerifyingKey,
    account: AccountId,
    genesis: Hash32,
    vouch: &Signature,
) -> Result<(), BadSignature> {
    recovery.verify(VOUCH_CONTEXT, &vouched(account, genesis), vouch)
}

fn vouched(account: AccountId, genesis: Hash32) -> Vec<u8> {
    [account.as_bytes().as_slice(), genesis.as_bytes()].concat()
}

/// The recovery key is not the one this slot was made with (or the slot was altered: the two cannot be told apart).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wrong recovery key")]
pub struct WrongRecoveryKey;

/// A vault's key slot for the recovery key. Layout, CBOR: `[version, salt(32), commitment(32), sealed(80)]`.
///
/// `key(32) || commitment(32) = HKDF-SHA256[salt, "mecum/recovery-slot/1" || version || salt](slot key)`; `sealed` is a
/// sealed row of the vault key under `key`, with `version || salt` (as encoded) as associated data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySlot {
    salt: [u8; 32],
    /// Binds the slot to one recovery key.
    commitment: [u8; 32],
    sealed: Vec<u8>,
}

impl RecoverySlot {
    /// Seals `vault_key` under `recovery`. Takes microseconds: there is nothing to stretch.
    pub fn make(recovery: &RecoveryKey, vault_key: &VaultKey, entropy: &dyn Entropy) -> RecoverySlot {
        let mut salt = [0u8; 32];
        entropy.fill(&mut salt);
        let header = encode_header(&salt);
        let (key, commitment) = derive(recovery, &salt, &header);
        let sealed = row::seal_row(&key, &header, vault_key.expose(), entropy);
        RecoverySlot { salt, commitment, sealed }
    }

    /// Opens the slot.
    pub fn open(&self, recovery: &RecoveryKey) -> Result<VaultKey, WrongRecoveryKey> {
        let header = encode_header(&self.salt);
        let (key, commitment) = derive(recovery, &self.salt, &header);
        if !same_bytes(&commitment, &self.commitment) {
            return Err(WrongRecoveryKey);
        }
        let opened = row::open_row(&key, &header, &self.sealed).map_err(|_| WrongRecoveryKey)?;
        VaultKey::from_slice(&opened).ok_or(WrongRecoveryKey)
    }

    /// Its stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(vec![0x84]); // a CBOR array of four
        e.writer_mut().extend_from_slice(&encode_header(&self.salt));
        e.bytes(&self.commitment)
            .and_then(|e| e.bytes(&self.sealed))
            .expect("writing to memory does not fail");
        e.into_writer()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`DecodeSlotError::Malformed`] and [`DecodeSlotError::UnknownVersion`]; there are no parameters to refuse.
    pub fn decode(bytes: &[u8]) -> Result<RecoverySlot, DecodeSlotError> {
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
        if fields != Some(4) {
            return Err(DecodeSlotError::Malformed);
        }
        let salt = fixed(&mut d)?;
        let commitment = fixed(&mut d)?;
        let slot = RecoverySlot { salt, commitment, sealed: d.bytes().map_err(malformed)?.to_vec() };
        if d.position() != bytes.len() || slot.encode() != bytes {
            return Err(DecodeSlotError::Malformed);
        }
        Ok(slot)
    }
}

fn fixed(d: &mut Decoder<'_>) -> Result<[u8; 32], DecodeSlotError> {
    d.bytes().ok().and_then(|bytes| bytes.try_into().ok()).ok_or(DecodeSlotError::Malformed)
}

/// Version and salt as they stand in the slot.
fn encode_header(salt: &[u8; 32]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::with_capacity(35));
    e.u64(SLOT_VERSION).and_then(|e| e.bytes(salt)).expect("writing to memory does not fail");
    e.into_writer()
}

fn derive(recovery: &RecoveryKey, salt: &[u8; 32], header: &[u8]) -> (SecretKey32, [u8; 32]) {
    let mut both = Zeroizing::new([0u8; 64]);
    hkdf_into(recovery.slot_key().expose(), salt, &[SLOT_CONTEXT, header], both.as_mut());
    let (mut key, mut commitment) = (Zeroizing::new([0u8; 32]), [0u8; 32]);
    let (first, second) = both.split_at(32);
    key.copy_from_slice(first);
    commitment.copy_from_slice(second);
    (SecretKey32::from_bytes(*key), commitment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn only_its_recovery_key_opens_a_slot() {
        let entropy = SeededEntropy::new(60);
        let (recovery, other) = (RecoveryKey::make(&entropy), RecoveryKey::make(&entropy));
        let vault_key = VaultKey::make(&entropy);
        let slot = RecoverySlot::make(&recovery, &vault_key, &entropy);
        assert_eq!(slot.open(&recovery), Ok(vault_key), "the one it was made with");
        assert_eq!(slot.open(&other), Err(WrongRecoveryKey), "another kit's");
    }

    #[test]
    fn a_recovery_slot_survives_storage_and_every_altered_byte_is_noticed() {
        let entropy = SeededEntropy::new(61);
        let (recovery, vault_key) = (RecoveryKey::make(&entropy), VaultKey::make(&entropy));
        let bytes = RecoverySlot::make(&recovery, &vault_key, &entropy).encode();
        assert_eq!(bytes.len(), 152, "as small as its description says");
        let read = RecoverySlot::decode(&bytes).map(|slot| slot.open(&recovery));
        assert_eq!(read, Ok(Ok(vault_key.clone())), "reads back");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let opened = RecoverySlot::decode(&flipped).ok().map(|slot| slot.open(&recovery));
                assert!(!matches!(opened, Some(Ok(_))), "bit {bit} of byte {at} flipped");
            }
            assert_eq!(
                RecoverySlot::decode(&bytes[..at]).err(),
                Some(DecodeSlotError::Malformed),
                "cut to {at} bytes"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(RecoverySlot::decode(&longer).err(), Some(DecodeSlotError::Malformed), "a byte too many");
        let mut later = bytes;
        later[1] = 2;
        assert_eq!(RecoverySlot::decode(&later).err(), Some(DecodeSlotError::UnknownVersion(2)), "newer");
    }

    #[test]
    fn a_vouch_is_for_one_account_and_one_log_only() {
        let entropy = SeededEntropy::new(63);
        let (recovery, other) = (RecoveryKey::make(&entropy), RecoveryKey::make(&entropy));
        let account = AccountId::random(&entropy);
        let genesis = crate::ids::sha256(b"first entry");
        let vouch = recovery.vouch_for(account, genesis);
        let key = recovery.signing_key().verifying_key();
        assert_eq!(check_vouch(&key, account, genesis, &vouch), Ok(()), "as it was said");
        let elsewhere = AccountId::random(&entropy);
        assert!(check_vouch(&key, elsewhere, genesis, &vouch).is_err(), "another account");
        let forged = crate::ids::sha256(b"another first entry");
        assert!(check_vouch(&key, account, forged, &vouch).is_err(), "another log");
        let key = other.signing_key().verifying_key();
        assert!(check_vouch(&key, account, genesis, &vouch).is_err(), "another kit");
    }

    #[test]
    fn each_purpose_of_a_recovery_key_has_its_own_key() {
        let recovery = RecoveryKey::make(&SeededEntropy::new(62));
        let keys = [
            *recovery.expose(),
            *recovery.signing_key().seed(),
            *recovery.kem_secret().expose(),
            *recovery.slot_key().expose(),
        ];
        let different = keys.iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(different.len(), keys.len(), "no purpose gives away another's key");
    }
}
