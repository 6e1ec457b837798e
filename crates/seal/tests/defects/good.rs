//! The envelope without a defect, written and sealed by hand.
//!
//! It must not use the product's own sealing: half of the defects the product would never make.

use mecum_seal::sha256;
use minicbor::Encoder;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;

type Writer = Encoder<Vec<u8>>;

/// One part of the envelope as CBOR. A defect replaces one of them, before or after sealing.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) outer: Vec<u8>,
    pub(crate) count: Vec<u8>,
    /// Version, space, document, device, incarnation, envelope_seq, epoch, membership head, previous, salt.
    pub(crate) fields: [Vec<u8>; 10],
    pub(crate) commitment: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

pub(crate) const FIELDS: [&str; 10] = [
    "version",
    "space",
    "document",
    "device",
    "incarnation",
    "position",
    "epoch",
    "membership head",
    "previous hash",
    "salt",
];
pub(crate) const LENGTHS: [Option<usize>; 10] =
    [None, Some(16), Some(16), Some(16), Some(16), None, None, Some(32), Some(32), Some(32)];
pub(crate) const PLAINTEXT: &[u8] = b"two edits";

fn cbor(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    write(&mut e);
    e.into_writer()
}

pub(crate) fn byte_string(bytes: &[u8]) -> Vec<u8> {
    cbor(|e| {
        e.bytes(bytes).expect("memory");
    })
}

/// The byte string with its length written in `width` bytes, which are more than it needs.
pub(crate) fn wide_byte_string(bytes: &[u8], width: u8) -> Vec<u8> {
    let len = u64::try_from(bytes.len()).expect("short").to_be_bytes();
    let (info, taken) = match width {
        1 => (0x58, &len[7..]),
        2 => (0x59, &len[6..]),
        4 => (0x5a, &len[4..]),
        _ => (0x5b, &len[..]),
    };
    [&[info], taken, bytes].concat()
}

pub(crate) fn value(seed: &str, len: usize) -> Vec<u8> {
    sha256(seed.as_bytes()).as_bytes()[..len].to_vec()
}

pub(crate) fn key_bytes() -> [u8; 32] {
    *sha256(b"the document's key").as_bytes()
}

/// `length || content || zeros`, unless a defect says otherwise.
pub(crate) fn padded() -> Vec<u8> {
    let mut out = u32::try_from(PLAINTEXT.len()).expect("short").to_be_bytes().to_vec();
    out.extend_from_slice(PLAINTEXT);
    out.resize(256, 0);
    out
}

impl Parts {
    /// The envelope without a defect.
    pub(crate) fn good() -> Parts {
        Parts::sealing(&padded(), |_| {})
    }

    /// Seals `padded` under the right key, for a header that `change` may have made wrong.
    pub(crate) fn sealing(padded: &[u8], change: impl FnOnce(&mut Parts)) -> Parts {
        let mut fields: [Vec<u8>; 10] = Default::default();
        for (at, (name, len)) in FIELDS.iter().zip(LENGTHS).enumerate() {
            fields[at] = match len {
                Some(len) => byte_string(&value(name, len)),
                None => vec![[1, 0, 0, 0, 0, 7, 3, 0, 0, 0][at]],
            };
        }
        let mut parts = Parts {
            outer: vec![0x83],
            count: vec![0x8a],
            fields,
            commitment: vec![],
            ciphertext: vec![],
            after: vec![],
        };
        change(&mut parts);
        let header = parts.header();
        let salt = value("salt", 32);
        let both = derived(&key_bytes(), &salt, &header);
        parts.commitment = byte_string(&both[32..]);
        parts.ciphertext = byte_string(&encrypted(&both[..32], &header, padded));
        parts
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        [self.count.clone(), self.fields.concat()].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [
            self.outer.clone(),
            self.header(),
            self.commitment.clone(),
            self.ciphertext.clone(),
            self.after.clone(),
        ]
        .concat()
    }

    /// Where each part begins, and its name; the last is the end.
    pub(crate) fn places(&self) -> Vec<(usize, String)> {
        let mut at = 0;
        let mut out = Vec::new();
        let named = [("outer array", &self.outer), ("header array", &self.count)]
            .into_iter()
            .chain(FIELDS.into_iter().zip(&self.fields))
            .chain([("commitment", &self.commitment), ("ciphertext", &self.ciphertext)]);
        for (name, bytes) in named {
            out.push((at, name.to_owned()));
            at += bytes.len();
        }
        out.push((at, "end".to_owned()));
        out
    }
}

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

pub(crate) fn derived(key: &[u8], salt: &[u8], header: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 64];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key)
        .expand(&[b"mecum/envelope/1", header], Len(64))
        .and_then(|okm| okm.fill(&mut out))
        .expect("64 bytes");
    out
}

pub(crate) fn encrypted(key: &[u8], aad: &[u8], padded: &[u8]) -> Vec<u8> {
    let mut out = padded.to_vec();
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("32 bytes"))
        .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::from(aad), &mut out)
        .expect("short");
    out
}
