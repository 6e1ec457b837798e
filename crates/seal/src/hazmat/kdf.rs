//! HKDF-SHA256 and truncated HMAC-SHA256: how one key becomes many.
//!
//! Source: RFC 5869, RFC 2104 (truncation to 128 bits: NIST SP 800-107, section 5.3.3).

use std::fmt;

use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::secret::{Key32, SecretKey32};

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// More than 255 × 32 bytes were asked for (RFC 5869, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuchOutput;

/// `HKDF[salt, info](key)` into `out`, at most 255 × 32 bytes.
pub(crate) fn hkdf_into(key: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) {
    try_hkdf_into(key, salt, info, out).expect("no caller asks for more than 8,160 bytes");
}

/// As [`hkdf_into`], for lengths that are not known to be small enough.
pub(super) fn try_hkdf_into(
    key: &[u8],
    salt: &[u8],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<(), TooMuchOutput> {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key)
        .expand(info, Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| TooMuchOutput)
}

/// A key for `purpose` out of `key`: `HKDF[no salt, purpose](key, 32)`. Each purpose is a different, fixed text.
pub fn derive_key(key: &impl Key32, purpose: &str) -> SecretKey32 {
    let mut out = Zeroizing::new([0u8; 32]);
    hkdf_into(key.expose(), &[], &[purpose.as_bytes()], out.as_mut());
    SecretKey32::from_bytes(*out)
}

/// HMAC-SHA256 under one key, cut to 16 bytes, over parts whose lengths are bound: the names and tags of vault rows.
pub struct RowTagger(hmac::Key);

impl RowTagger {
    /// Prepares the key once: a tag then costs two compressions.
    pub fn new(key: &impl Key32) -> RowTagger {
        RowTagger::with_key(key.expose())
    }

    /// Under a key of any length, as published test vectors have.
    pub(super) fn with_key(key: &[u8]) -> RowTagger {
        RowTagger(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The tag of `parts`. Each part's length goes in before it, so that no two lists of parts share an input.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 16] {
        self.cut(|context| {
            for part in parts {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
        })
    }

    /// The first `N` bytes of the MAC over what `feed` puts in.
    pub(super) fn cut<const N: usize>(&self, feed: impl FnOnce(&mut hmac::Context)) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.0);
        feed(&mut context);
        let full = context.sign();
        let mut out = [0u8; N];
        out.iter_mut().zip(full.as_ref()).for_each(|(to, from)| *to = *from);
        out
    }
}

impl fmt::Debug for RowTagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowTagger(..)")
    }
}

/// One tag under `key` without keeping it prepared; see [`RowTagger::tag`].
pub fn hmac16(key: &impl Key32, parts: &[&[u8]]) -> [u8; 16] {
    RowTagger::new(key).tag(parts)
}
