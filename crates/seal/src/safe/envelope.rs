//! Envelopes: a batch of edits as it is stored and sent, byte for byte.
//!
//! An envelope says in clear where it belongs (random ids and numbers only) and seals everything else. It must not
//! know what is inside.
//!
//! Layout, CBOR in its one shortest form: `[header, commitment(32), ciphertext]` with `header = [version, space(16),
//! document(16), device(16), incarnation(16), envelope_seq, epoch, membership_head(32), previous(32), salt(32)]`.
//! `key(32) || commitment(32) = HKDF-SHA256[salt, "mecum/envelope/1" || header](document key)`; the ciphertext is
//! ChaCha20-Poly1305 of the padded plaintext with nonce 0 and the header's bytes as associated data.
//!
//! A salt is four random bytes and 28 that follow from what is sealed: `salt = seed(4) || HKDF-SHA256["mecum/envelope-salt/1" || header with
//! the seed alone in the salt's place || plaintext](document key, 28)` (ADR 0019). Whoever reads takes any 32 bytes: it is the writer who must
//! not use a key for two plaintexts, and a source of randomness that repeats itself, or was cloned with its machine, cannot make it do so.
//!
//! The content id is SHA-256 of the **whole** envelope. Were it of the ciphertext alone, a relay without the key
//! could not tell whether a header (and its `previous`) belongs to the id that a statement signs.

use minicbor::decode::Error as CborError;
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::padding;
use crate::entropy::Entropy;
use crate::hazmat::{aead, kdf};
use crate::ids::{DeviceId, DocumentId, Hash32, IncarnationId, SpaceId, sha256};
use crate::secret::Key32;

/// The layout above.
pub const ENVELOPE_VERSION: u64 = 1;
/// Largest envelope that is made or read: documents are split long before.
pub const MAX_ENVELOPE_BYTES: usize = 8 * 1024 * 1024;
/// Largest plaintext: with 12 % padding it stays within [`MAX_ENVELOPE_BYTES`].
pub const MAX_PLAINTEXT_BYTES: usize = 7 * 1024 * 1024;

const CONTEXT: &[u8] = b"mecum/envelope/1";
const HEADER_FIELDS: u64 = 10;
const SALT_CONTEXT: &[u8] = b"mecum/envelope-salt/1";
const SALT_BYTES: usize = 32;
const SEED_BYTES: usize = 4;
const COMMITMENT_BYTES: usize = 32;

/// Where an envelope belongs, and what its writer knew when sealing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The space it is ordered in.
    pub space: SpaceId,
    /// The document it edits; [`DocumentId::CONTROL`] for the space's own keys.
    pub document: DocumentId,
    /// Who wrote it.
    pub device: DeviceId,
    /// Which life of that device.
    pub incarnation: IncarnationId,
    /// Position along the chain of (device, incarnation, space), from 1.
    pub envelope_seq: u64,
    /// The epoch whose keys are in force.
    pub epoch: u32,
    /// Head of the membership log as the writer knew it.
    pub membership_head: Hash32,
    /// Content id of the envelope before it in the chain; zeros for the first.
    pub previous: Hash32,
}

/// An envelope just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEnvelope {
    /// To be stored and sent as they are.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub content_id: Hash32,
}

/// What is kept of a salt by who can make its envelope again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Salt {
    /// All of it.
    Whole([u8; SALT_BYTES]),
    /// Its random bytes: the rest follows from what was sealed.
    Seed([u8; SEED_BYTES]),
}

/// It cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealEnvelopeError {
    /// More than [`MAX_PLAINTEXT_BYTES`]: the writer must split its batch.
    #[error("too much for one envelope")]
    TooLarge,
}

/// The bytes are no envelope. Whoever sent them is at fault: nothing was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEnvelopeError {
    /// More than [`MAX_ENVELOPE_BYTES`].
    #[error("envelope is too large")]
    TooLarge,
    /// Not CBOR, cut short, or not of the expected types and lengths.
    #[error("envelope is malformed")]
    Malformed,
    /// A version this build does not know.
    #[error("envelope version {0} is unknown")]
    UnknownVersion(u64),
    /// Bytes after the end.
    #[error("envelope has trailing bytes")]
    Trailing,
    /// Another encoding of the same values: it would have another content id.
    #[error("envelope is not in canonical form")]
    NotCanonical,
    /// The ciphertext's length is none that padding produces.
    #[error("envelope has an impossible length")]
    BadLength,
    /// Chains count from 1.
    #[error("envelope has no position in its chain")]
    NoSequence,
}

/// The envelope does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenEnvelopeError {
    /// Sealed under another key, or its header was altered.
    #[error("envelope is not sealed under this key for this place")]
    NotThisKey,
    /// The key is right and the ciphertext was altered.
    #[error("envelope is damaged")]
    Damaged,
    /// Sealed by the right key with padding no honest writer makes.
    #[error("envelope is padded wrongly")]
    BadPadding,
}

/// Seals `plaintext` for `place`. The key is a [`crate::DocumentKey`], or a [`crate::EpochKey`] for the control
/// document.
///
/// # Errors
/// [`SealEnvelopeError::TooLarge`] above [`MAX_PLAINTEXT_BYTES`]. Never fails on content.
pub fn seal_envelope(
    key: &impl Key32,
    place: &Place,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<SealedEnvelope, SealEnvelopeError> {
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(SealEnvelopeError::TooLarge);
    }
    let mut salt = [0u8; SALT_BYTES];
    entropy.fill(&mut salt);
    Ok(seal_with(key, place, &salt, plaintext))
}

/// The same with a salt that follows from what is sealed but for its seed: what a device writes.
///
/// # Errors
/// As [`seal_envelope`].
pub fn seal_envelope_seeded(
    key: &impl Key32,
    place: &Place,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<SealedEnvelope, SealEnvelopeError> {
    let mut seed = [0u8; SEED_BYTES];
    entropy.fill(&mut seed);
    seal_envelope_again(key, place, &Salt::Seed(seed), plaintext)
}

/// Makes an envelope again that was sealed before with this salt. The caller must hold the hash of what was sealed, compare, and
/// throw anything else away unseen: two plaintexts under one salt and place would be read by whoever has both.
///
/// # Errors
/// As [`seal_envelope`].
pub fn seal_envelope_again(
    key: &impl Key32,
    place: &Place,
    salt: &Salt,
    plaintext: &[u8],
) -> Result<SealedEnvelope, SealEnvelopeError> {
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(SealEnvelopeError::TooLarge);
    }
    let salt = match salt {
        Salt::Whole(salt) => *salt,
        Salt::Seed(seed) => salt_of(key, place, *seed, plaintext),
    };
    Ok(seal_with(key, place, &salt, plaintext))
}

/// The salt of a plaintext at its place. Two plaintexts never share one at the same place, whatever the seed.
fn salt_of(key: &impl Key32, place: &Place, seed: [u8; SEED_BYTES], plaintext: &[u8]) -> [u8; SALT_BYTES] {
    let mut salt = [0u8; SALT_BYTES];
    let (front, _) = salt.split_at_mut(SEED_BYTES);
    front.copy_from_slice(&seed);
    let header = encode_header(place, &salt);
    let (_, rest) = salt.split_at_mut(SEED_BYTES);
    kdf::hkdf_into(key.expose(), &[], &[SALT_CONTEXT, &header, plaintext], rest);
    salt
}

fn seal_with(key: &impl Key32, place: &Place, salt: &[u8; SALT_BYTES], plaintext: &[u8]) -> SealedEnvelope {
    let header = encode_header(place, salt);
    let (envelope_key, commitment) = derive(key, salt, &header);
    let mut ciphertext = padding::pad(plaintext);
    aead::seal_once(&envelope_key, &header, &mut ciphertext);
    let bytes = encode(&header, &commitment, &ciphertext);
    let content_id = sha256(&bytes);
    SealedEnvelope { bytes, content_id }
}

/// An envelope that was read and is well formed; whether it is genuine only opening tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    place: Place,
    salt: [u8; SALT_BYTES],
    commitment: [u8; COMMITMENT_BYTES],
    ciphertext: Vec<u8>,
    content_id: Hash32,
}

impl Envelope {
    /// Reads an envelope, accepting exactly the bytes that [`seal_envelope`] could have made.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, ParseEnvelopeError> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(ParseEnvelopeError::TooLarge);
        }
        let mut d = Decoder::new(bytes);
        expect_array(&mut d, 3)?;
        let (place, salt) = decode_header(&mut d)?;
        let commitment = fixed::<COMMITMENT_BYTES>(&mut d)?;
        let ciphertext = d.bytes().map_err(malformed)?.to_vec();
        if d.position() != bytes.len() {
            return Err(ParseEnvelopeError::Trailing);
        }
        if encode(&encode_header(&place, &salt), &commitment, &ciphertext) != bytes {
            return Err(ParseEnvelopeError::NotCanonical);
        }
        let padded = ciphertext.len().checked_sub(aead::TAG_BYTES).ok_or(ParseEnvelopeError::BadLength)?;
        if padding::padded_len(padded) != padded {
            return Err(ParseEnvelopeError::BadLength);
        }
        if place.envelope_seq == 0 {
            return Err(ParseEnvelopeError::NoSequence);
        }
        Ok(Envelope { place, salt, commitment, ciphertext, content_id: sha256(bytes) })
    }

    /// Where it says it belongs.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What has to be kept of its salt for [`seal_envelope_again`]: the seed, where the rest follows from this plaintext.
    pub fn salt(&self, key: &impl Key32, plaintext: &[u8]) -> Salt {
        let [a, b, c, d, ..] = self.salt;
        let seed = [a, b, c, d];
        let follows = salt_of(key, &self.place, seed, plaintext) == self.salt;
        if follows { Salt::Seed(seed) } else { Salt::Whole(self.salt) }
    }

    /// SHA-256 of the whole envelope: what `previous`, statements and receipts name.
    pub fn content_id(&self) -> Hash32 {
        self.content_id
    }

    /// Opens it: proves that a holder of `key` sealed exactly this for exactly this place.
    pub fn open(&self, key: &impl Key32) -> Result<Vec<u8>, OpenEnvelopeError> {
        let header = encode_header(&self.place, &self.salt);
        let (envelope_key, commitment) = derive(key, &self.salt, &header);
        if !aead::same_bytes(&commitment, &self.commitment) {
            return Err(OpenEnvelopeError::NotThisKey);
        }
        let mut padded = Zeroizing::new(self.ciphertext.clone());
        let len =
            aead::open_once(&envelope_key, &header, &mut padded).map_err(|_| OpenEnvelopeError::Damaged)?;
        let padded = padded.get(..len).ok_or(OpenEnvelopeError::Damaged)?;
        padding::unpad(padded).map(<[u8]>::to_vec).ok_or(OpenEnvelopeError::BadPadding)
    }
}

fn derive(
    key: &impl Key32,
    salt: &[u8; SALT_BYTES],
    header: &[u8],
) -> (Zeroizing<[u8; 32]>, [u8; COMMITMENT_BYTES]) {
    let mut both = Zeroizing::new([0u8; 32 + COMMITMENT_BYTES]);
    kdf::hkdf_into(key.expose(), salt, &[CONTEXT, header], both.as_mut());
    let (mut envelope_key, mut commitment) = (Zeroizing::new([0u8; 32]), [0u8; COMMITMENT_BYTES]);
    let (first, second) = both.split_at(32);
    envelope_key.copy_from_slice(first);
    commitment.copy_from_slice(second);
    (envelope_key, commitment)
}

fn encode_header(place: &Place, salt: &[u8; SALT_BYTES]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::with_capacity(224));
    write_header(&mut e, place, salt).expect("writing to memory does not fail");
    e.into_writer()
}

fn write_header(
    e: &mut Encoder<Vec<u8>>,
    place: &Place,
    salt: &[u8; SALT_BYTES],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    e.array(HEADER_FIELDS)?
        .u64(ENVELOPE_VERSION)?
        .bytes(place.space.as_bytes())?
        .bytes(place.document.as_bytes())?
        .bytes(place.device.as_bytes())?
        .bytes(place.incarnation.as_bytes())?
        .u64(place.envelope_seq)?
        .u32(place.epoch)?
        .bytes(place.membership_head.as_bytes())?
        .bytes(place.previous.as_bytes())?
        .bytes(salt)?
        .ok()
}

fn encode(header: &[u8], commitment: &[u8; COMMITMENT_BYTES], ciphertext: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len() + COMMITMENT_BYTES + ciphertext.len() + 12);
    out.push(0x83); // a CBOR array of three
    out.extend_from_slice(header);
    let mut e = Encoder::new(out);
    e.bytes(commitment).and_then(|e| e.bytes(ciphertext)).expect("writing to memory does not fail");
    e.into_writer()
}

fn decode_header(d: &mut Decoder<'_>) -> Result<(Place, [u8; SALT_BYTES]), ParseEnvelopeError> {
    let fields = d.array().map_err(malformed)?;
    // The version comes before the count: a later version may have more fields.
    let version = d.u64().map_err(malformed)?;
    if version != ENVELOPE_VERSION {
        return Err(ParseEnvelopeError::UnknownVersion(version));
    }
    if fields != Some(HEADER_FIELDS) {
        return Err(ParseEnvelopeError::Malformed);
    }
    let place = Place {
        space: SpaceId::from_bytes(fixed(d)?),
        document: DocumentId::from_bytes(fixed(d)?),
        device: DeviceId::from_bytes(fixed(d)?),
        incarnation: IncarnationId::from_bytes(fixed(d)?),
        envelope_seq: d.u64().map_err(malformed)?,
        epoch: d.u32().map_err(malformed)?,
        membership_head: Hash32::from_bytes(fixed(d)?),
        previous: Hash32::from_bytes(fixed(d)?),
    };
    Ok((place, fixed(d)?))
}

fn expect_array(d: &mut Decoder<'_>, len: u64) -> Result<(), ParseEnvelopeError> {
    match d.array() {
        Ok(Some(found)) if found == len => Ok(()),
        _ => Err(ParseEnvelopeError::Malformed),
    }
}

fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], ParseEnvelopeError> {
    d.bytes().ok().and_then(|bytes| bytes.try_into().ok()).ok_or(ParseEnvelopeError::Malformed)
}

fn malformed(_: CborError) -> ParseEnvelopeError {
    ParseEnvelopeError::Malformed
}

#[cfg(test)]
mod tests;
