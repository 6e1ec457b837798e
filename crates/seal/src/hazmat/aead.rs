//! ChaCha20-Poly1305 with nonce zero, for keys that are used exactly once.
//!
//! Every caller derives its key from a fresh 32-byte salt, so the nonce never has to tell two messages apart.
//! Source: RFC 8439.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// Bytes of the authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// The bytes were altered, or sealed under another key or other associated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tampered;

fn single_use(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a ChaCha20 key has 32 bytes"))
}

/// The only nonce there is: keys differ instead.
const NONCE: [u8; 12] = [0; 12];

/// Seals `bytes` in place and appends the tag. `key` must never be used again.
pub(crate) fn seal_once(key: &[u8; 32], aad: &[u8], bytes: &mut Vec<u8>) {
    seal_tail_once(key, aad, bytes, 0);
}

/// As [`seal_once`], leaving the first `clear` bytes as they are (and unauthenticated).
pub(crate) fn seal_tail_once(key: &[u8; 32], aad: &[u8], bytes: &mut Vec<u8>, clear: usize) {
    seal_at(key, NONCE, aad, bytes, clear);
}

/// Opens `bytes` (ciphertext and tag) in place and returns the length of the plaintext at its start.
pub(crate) fn open_once(key: &[u8; 32], aad: &[u8], bytes: &mut [u8]) -> Result<usize, Tampered> {
    open_at(key, NONCE, aad, bytes)
}

/// [`seal_tail_once`] with the nonce given: published test vectors have others than zero.
pub(super) fn seal_at(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], bytes: &mut Vec<u8>, clear: usize) {
    let tail = bytes.get_mut(clear..).expect("callers put the clear bytes there themselves");
    let tag = single_use(key)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), tail)
        .expect("the plaintext is far below the cipher's limit of 256 GiB");
    bytes.extend_from_slice(tag.as_ref());
}

/// [`open_once`] with the nonce given.
pub(super) fn open_at(
    key: &[u8; 32],
    nonce: [u8; 12],
    aad: &[u8],
    bytes: &mut [u8],
) -> Result<usize, Tampered> {
    single_use(key)
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes)
        .map(|plain| plain.len())
        .map_err(|_| Tampered)
}

/// Compares in time that depends on the lengths only.
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    #[expect(
        deprecated,
        reason = "ring deprecates the path without offering another constant-time comparison"
    )]
    ring::constant_time::verify_slices_are_equal(a, b).is_ok()
}
