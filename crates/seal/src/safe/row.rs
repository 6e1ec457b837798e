//! Sealed rows: short bytes at rest that are overwritten often.
//!
//! Each sealing draws its own salt and derives its own key, so that a restored or copied file that goes on writing
//! never uses a key twice. It must not know tables; the caller binds the place through `aad`.

use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::hazmat::{aead, kdf};
use crate::secret::Key32;

const SALT_BYTES: usize = 32;
const CONTEXT: &[u8] = b"mecum/row/1";

/// What sealing adds to the plaintext: a salt of 32 bytes and a tag of 16.
pub const ROW_OVERHEAD_BYTES: usize = SALT_BYTES + aead::TAG_BYTES;

/// The row was altered, moved to another place, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed row does not open")]
pub struct OpenRowError;

/// Seals `plaintext` for the place that `aad` names.
///
/// Layout: `salt(32) || ciphertext || tag(16)`; key = `HKDF[salt, "mecum/row/1"](key, 32)`; ChaCha20-Poly1305, nonce 0.
pub fn seal_row(key: &impl Key32, aad: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let mut salt = [0u8; SALT_BYTES];
    entropy.fill(&mut salt);
    let mut row_key = Zeroizing::new([0u8; 32]);
    kdf::hkdf_into(key.expose(), &salt, &[CONTEXT], row_key.as_mut());
    let mut out = Vec::with_capacity(plaintext.len() + ROW_OVERHEAD_BYTES);
    out.extend_from_slice(&salt);
    out.extend_from_slice(plaintext);
    aead::seal_tail_once(&row_key, aad, &mut out, SALT_BYTES);
    out
}

/// Opens what [`seal_row`] made for the same place.
pub fn open_row(key: &impl Key32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenRowError> {
    let (salt, ciphertext) = sealed.split_at_checked(SALT_BYTES).ok_or(OpenRowError)?;
    let mut row_key = Zeroizing::new([0u8; 32]);
    kdf::hkdf_into(key.expose(), salt, &[CONTEXT], row_key.as_mut());
    let mut body = Zeroizing::new(ciphertext.to_vec());
    let len = aead::open_once(&row_key, aad, &mut body).map_err(|_| OpenRowError)?;
    body.truncate(len);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::RowKey;
    use crate::testing::SeededEntropy;

    #[test]
    fn a_row_opens_only_at_its_place_under_its_key() {
        let entropy = SeededEntropy::new(3);
        let (key, other) = (RowKey::make(&entropy), RowKey::make(&entropy));
        let sealed = seal_row(&key, b"place", b"body", &entropy);
        assert_eq!(sealed.len(), 4 + ROW_OVERHEAD_BYTES, "salt and tag are all it costs");
        assert_eq!(
            open_row(&key, b"place", &sealed).as_deref().map(Vec::as_slice),
            Ok(&b"body"[..]),
            "opens"
        );
        assert_eq!(open_row(&key, b"plaza", &sealed), Err(OpenRowError), "another place");
        assert_eq!(open_row(&other, b"place", &sealed), Err(OpenRowError), "another key");
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(open_row(&key, b"place", &flipped), Err(OpenRowError), "byte {at} flipped");
            assert_eq!(open_row(&key, b"place", &sealed[..at]), Err(OpenRowError), "cut to {at}");
        }
        assert_ne!(sealed, seal_row(&key, b"place", b"body", &entropy), "each sealing has its own salt");
    }
}
