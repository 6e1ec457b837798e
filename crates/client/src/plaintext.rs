//! What is inside an envelope: a document's payload, deflated when that pays, or the opening of a document.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;
use mecum_seal::{DocumentId, DocumentKey};
use minicbor::{Decode, Encode};

/// Above this, deflating saves more than the padding hides (measured: notes, core facts section 4).
const DEFLATE_ABOVE_BYTES: usize = 1024;

/// A peer's plaintext may inflate to at most this: two changes of the largest size with their edits.
pub(crate) const MAX_INFLATED_BYTES: u64 = 40 << 20;

/// How much smaller deflated snapshots are, rounded up (measured: 4.3 MB to 0.43 MB).
const USUAL_RATIO: usize = 12;

const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// The plaintext cannot be read: its sender's device must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plaintext cannot be read")]
pub(crate) struct BadPlaintext;

/// Deflates `bytes` raw (RFC 1951).
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 4 + 64), Compression::new(6));
    encoder.write_all(bytes).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

/// Inflates at most `limit` bytes; more is refused, not cut.
pub(crate) fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, BadPlaintext> {
    // What is ours deflates to a tenth: room for that at once, untouched until it is needed, and never over the limit.
    let room = usize::try_from(limit).unwrap_or(usize::MAX).min(bytes.len().saturating_mul(USUAL_RATIO));
    let mut out = Vec::with_capacity(room);
    let read = DeflateDecoder::new(bytes).take(limit + 1).read_to_end(&mut out).map_err(|_| BadPlaintext)?;
    if read as u64 > limit { Err(BadPlaintext) } else { Ok(out) }
}

/// Layout: `form(1) || body`; form 0 is the body as it is, 1 deflated raw.
pub(crate) fn pack(body: &[u8]) -> Vec<u8> {
    if body.len() > DEFLATE_ABOVE_BYTES {
        let small = deflate(body);
        if small.len() < body.len() {
            return [&[DEFLATED], small.as_slice()].concat();
        }
    }
    [&[PLAIN], body].concat()
}

/// The body of a plaintext.
pub(crate) fn unpack(plaintext: &[u8]) -> Result<Vec<u8>, BadPlaintext> {
    match plaintext.split_first() {
        Some((&PLAIN, body)) => Ok(body.to_vec()),
        Some((&DEFLATED, body)) => inflate(body, MAX_INFLATED_BYTES),
        _ => Err(BadPlaintext),
    }
}

/// What the control document of a space says: a document opens, with this key.
#[derive(Encode, Decode)]
pub(crate) struct OpenDocument {
    /// Version of this message.
    #[n(0)]
    version: u8,
    /// The document.
    #[n(1)]
    pub document: DocumentId,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
    /// The year that it holds; 0 for what has none.
    #[n(3)]
    pub shard: i16,
}

impl OpenDocument {
    /// The message that opens `document`.
    pub(crate) fn new(document: DocumentId, key: &DocumentKey, shard: i16) -> Self {
        Self { version: 1, document, key: *key.expose(), shard }
    }

    /// The document's key.
    pub(crate) fn key(&self) -> DocumentKey {
        DocumentKey::from_bytes(self.key)
    }

    /// Its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    /// The message of these bytes; of a newer version it is refused.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadPlaintext> {
        let message: Self = minicbor::decode(bytes).map_err(|_| BadPlaintext)?;
        if message.version == 1 && message.encode() == bytes { Ok(message) } else { Err(BadPlaintext) }
    }
}

/// What the label of a space says, sealed under its first epoch key: whose chart and which section.
#[derive(Encode, Decode)]
pub(crate) struct SpaceLabel {
    /// The chart.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub chart: [u8; 16],
    /// `Section::code`.
    #[n(1)]
    pub section: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plaintext_comes_back_and_a_bomb_does_not() {
        for body in [vec![7_u8; 10], vec![7_u8; 100_000]] {
            assert_eq!(unpack(&pack(&body)), Ok(body), "what went in comes out");
        }
        let bomb = [
            &[DEFLATED],
            deflate(&vec![0; usize::try_from(MAX_INFLATED_BYTES).expect("a limit in memory") + 1]).as_slice(),
        ]
        .concat();
        assert!(bomb.len() < 100_000, "small on the wire");
        assert_eq!(unpack(&bomb), Err(BadPlaintext), "refused above the limit");
    }
}
