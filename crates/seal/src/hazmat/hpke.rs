//! HPKE in base mode with X-Wing (ML-KEM-768 and X25519), HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! Hybrid, so that what is recorded today stays sealed if either half falls. Base mode says nothing about the sender:
//! whoever needs that signs the result. Source: RFC 9180; draft-ietf-hpke-pq.

use std::convert::Infallible;
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, XWing};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use zeroize::Zeroizing;

use super::low_order;
use crate::entropy::Entropy;

/// Bytes of an X-Wing public key.
pub const KEM_PUBLIC_BYTES: usize = 1_216;
/// Bytes of an X-Wing secret: a seed.
pub const KEM_SECRET_BYTES: usize = 32;
/// Bytes of an encapsulation.
pub(crate) const ENCAPSULATION_BYTES: usize = 1_120;

/// Bytes of ML-KEM-768's vector `t`, with which its public key begins.
const ML_KEM_VECTOR_BYTES: usize = 1_152;

/// The bytes are no public key of this kind, or one under which half of the sealing would seal nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid key for sealing to")]
pub struct BadKemKey;

/// The recipient's secret does not open it, or it was altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotForThisKey;

/// A public key to seal to: 1,216 bytes, checked when made. Trust it only out of something signed.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(Vec<u8>);

impl KemPublic {
    /// Checks and takes the bytes.
    ///
    /// # Errors
    /// [`BadKemKey`] for another length, for numbers beyond ML-KEM's modulus, and for a half that anybody could open:
    /// an all-zero ML-KEM vector, an X25519 point of low order. X-Wing itself leaves these to the other half.
    pub fn from_bytes(bytes: &[u8]) -> Result<KemPublic, BadKemKey> {
        if bytes.len() != KEM_PUBLIC_BYTES || bytes.iter().take(ML_KEM_VECTOR_BYTES).all(|b| *b == 0) {
            return Err(BadKemKey);
        }
        if bytes.last_chunk().is_none_or(low_order::is_low_order_x25519) {
            return Err(BadKemKey);
        }
        <XWing as Kem>::PublicKey::from_bytes(bytes).map_err(|_| BadKemKey)?;
        Ok(KemPublic(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KemPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemPublic({:?})", crate::ids::sha256(&self.0))
    }
}

impl<C> minicbor::Encode<C> for KemPublic {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for KemPublic {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        KemPublic::from_bytes(d.bytes()?).map_err(|_| minicbor::decode::Error::message("not a public key"))
    }
}

/// The secret to a [`KemPublic`], kept as its 32-byte seed.
#[derive(Clone)]
pub struct KemSecret(Box<Zeroizing<[u8; KEM_SECRET_BYTES]>>);

impl KemSecret {
    /// A fresh random secret.
    pub fn make(entropy: &dyn Entropy) -> KemSecret {
        let mut seed = Box::new(Zeroizing::new([0u8; KEM_SECRET_BYTES]));
        entropy.fill(seed.as_mut().as_mut());
        KemSecret(seed)
    }

    /// The secret of a seed.
    pub fn from_bytes(seed: [u8; KEM_SECRET_BYTES]) -> KemSecret {
        KemSecret(Box::new(Zeroizing::new(seed)))
    }

    /// The seed, for storing under another key.
    pub fn expose(&self) -> &[u8; KEM_SECRET_BYTES] {
        &self.0
    }

    /// The public half. Takes about 0.1 ms.
    pub fn public(&self) -> KemPublic {
        KemPublic(XWing::sk_to_pk(&self.parsed()).to_bytes().to_vec())
    }

    fn parsed(&self) -> <XWing as Kem>::PrivateKey {
        <XWing as Kem>::PrivateKey::from_bytes(self.expose()).expect("any 32 bytes are an X-Wing seed")
    }
}

impl fmt::Debug for KemSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KemSecret(..)")
    }
}

/// `encapsulation(1120) || ciphertext || tag(16)`.
pub(crate) fn seal(
    to: &KemPublic,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, BadKemKey> {
    let public = <XWing as Kem>::PublicKey::from_bytes(&to.0).map_err(|_| BadKemKey)?;
    let (encapsulation, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        &mut Drawn(entropy),
    )
    .map_err(|_| BadKemKey)?;
    let mut out = encapsulation.to_bytes().to_vec();
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

/// Opens what [`seal`] made.
pub(crate) fn open(
    secret: &KemSecret,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotForThisKey> {
    let (encapsulation, ciphertext) = sealed.split_at_checked(ENCAPSULATION_BYTES).ok_or(NotForThisKey)?;
    // No honest sender's half is of low order. X-Wing opens it all the same; RFC 7748, section 6.1, allows to refuse.
    if encapsulation.last_chunk().is_none_or(low_order::is_low_order_x25519) {
        return Err(NotForThisKey);
    }
    let encapsulation = <XWing as Kem>::EncappedKey::from_bytes(encapsulation).map_err(|_| NotForThisKey)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &secret.parsed(),
        &encapsulation,
        info,
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|_| NotForThisKey)
}

/// Lets hpke draw from our entropy and from nowhere else.
struct Drawn<'a>(&'a dyn Entropy);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0u8; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0u8; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}
