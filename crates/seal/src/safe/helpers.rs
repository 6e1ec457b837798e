//! Recovery helpers: a recovery key in three parts, of which any two bring it back, together with a part that the server holds.
//!
//! `recovery key = helpers' secret XOR server's part`. The helpers' secret is shared by Shamir's scheme over GF(256) with two of
//! three, byte by byte; one part says nothing, whatever computer looks at it. A set of hashes of the parts, which the account's
//! own log can keep, names a part that is wrong. This module must not know who the helpers are, nor when a part may be given out.
//!
//! Source: A. Shamir, "How to share a secret" (1979); the field is that of AES, x^8 + x^4 + x^3 + x + 1.

use std::fmt;

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::hazmat::aead::same_bytes;
use crate::ids::{Hash32, sha256_parts};
use crate::safe::words::word;
use crate::secret::{RecoveryKey, SecretKey32};

/// Parts that are given out.
pub const HELPERS: usize = 3;
/// Parts that bring the secret back.
pub const HELPERS_NEEDED: usize = 2;

const PART_CONTEXT: &[u8] = b"mecum/helper-part/1";

/// Words that two people compare by voice: 77 bits.
pub const CHECK_WORDS: usize = 6;
const CHECK_CONTEXT: &[u8] = b"mecum/helpers-check/1";

/// One helper's part. Kept by the helper alone.
#[derive(Clone)]
pub struct HelperPart {
    /// Which of the three, from 1.
    number: u8,
    value: SecretKey32,
}

/// What tells a right part from a wrong one, and gives away none of them. Public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HelperSet {
    /// Hash of each part, in order.
    #[n(0)]
    parts: [Hash32; HELPERS],
}

/// A recovery key in its parts.
pub struct SharedOut {
    /// One for each helper.
    pub parts: [HelperPart; HELPERS],
    /// For the server, which gives it out only after its notice.
    pub server: SecretKey32,
    /// For the account's log.
    pub set: HelperSet,
}

/// The parts do not bring the key back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// This part is not one of the set: it was altered, or is of an earlier set.
    #[error("part {number} is not one of this set")]
    WrongPart {
        /// Which, from 1, as it says of itself.
        number: u8,
    },
    /// Fewer than two different parts.
    #[error("two different parts are needed")]
    TooFew,
}

impl HelperPart {
    /// From its number and value, as the helper's vault keeps them. None for a number that no part has.
    pub fn from_bytes(number: u8, value: SecretKey32) -> Option<HelperPart> {
        (1..=HELPERS).contains(&usize::from(number)).then_some(HelperPart { number, value })
    }

    /// Which of the three, from 1.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Its value, for storing under another key.
    pub fn value(&self) -> &SecretKey32 {
        &self.value
    }

    fn hash(&self) -> Hash32 {
        sha256_parts(&[PART_CONTEXT, &[self.number], self.value.expose()])
    }
}

impl fmt::Debug for HelperPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HelperPart(..)")
    }
}

impl fmt::Debug for SharedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedOut(..)")
    }
}

impl SharedOut {
    /// Cuts a recovery key into the helpers' parts and the server's.
    pub fn make(recovery: &RecoveryKey, entropy: &dyn Entropy) -> SharedOut {
        let server = SecretKey32::make(entropy);
        let slope = SecretKey32::make(entropy);
        let helpers = xor(recovery.expose(), server.expose());
        let part = |number: u8| {
            let mut value = Zeroizing::new([0u8; 32]);
            for ((to, constant), slope) in value.iter_mut().zip(helpers.iter()).zip(slope.expose()) {
                *to = constant ^ times(*slope, number);
            }
            HelperPart { number, value: SecretKey32::from_bytes(*value) }
        };
        let parts = [part(1), part(2), part(3)];
        let set = HelperSet { parts: parts.each_ref().map(HelperPart::hash) };
        SharedOut { parts, server, set }
    }
}

impl HelperSet {
    /// Brings the recovery key back from parts and the server's part.
    ///
    /// # Errors
    /// The first part that is not of this set is named, also if enough others would do: its holder should hear of it.
    pub fn combine(&self, parts: &[HelperPart], server: &SecretKey32) -> Result<RecoveryKey, CombineError> {
        if let Some(wrong) = parts.iter().find(|part| !self.is_part(part)) {
            return Err(CombineError::WrongPart { number: wrong.number });
        }
        let first = parts.first().ok_or(CombineError::TooFew)?;
        let second = parts.iter().find(|part| part.number != first.number).ok_or(CombineError::TooFew)?;
        // The line through two points, where it meets zero: y1·x2/(x1+x2) + y2·x1/(x1+x2).
        let (x1, x2) = (first.number, second.number);
        let over = inverse(x1 ^ x2);
        let (of_first, of_second) = (times(x2, over), times(x1, over));
        let mut helpers = Zeroizing::new([0u8; 32]);
        let values = first.value.expose().iter().zip(second.value.expose());
        for (to, (y1, y2)) in helpers.iter_mut().zip(values) {
            *to = times(*y1, of_first) ^ times(*y2, of_second);
        }
        Ok(RecoveryKey::from_bytes(*xor(&helpers, server.expose())))
    }

    /// Whether a part is of this set.
    pub fn is_part(&self, part: &HelperPart) -> bool {
        let wanted = usize::from(part.number).checked_sub(1).and_then(|at| self.parts.get(at));
        wanted.is_some_and(|wanted| same_bytes(wanted.as_bytes(), part.hash().as_bytes()))
    }
}

/// The words by which two people know that they speak of the same request: of its hash, and of nothing else.
pub fn check_words(request: &Hash32) -> Vec<String> {
    let hash = sha256_parts(&[CHECK_CONTEXT, request.as_bytes()]);
    let (pairs, _) = hash.as_bytes().as_chunks::<2>();
    pairs.iter().take(CHECK_WORDS).map(|pair| word(u16::from_be_bytes(*pair)).to_owned()).collect()
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0u8; 32]);
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(to, (a, b))| *to = a ^ b);
    out
}

/// The product in the field of AES (FIPS 197, section 4.2), in a time that does not depend on its factors: no table, no branch.
fn times(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= a & 0u8.wrapping_sub(b >> bit & 1);
        a = (a << 1) ^ (0x1b & 0u8.wrapping_sub(a >> 7));
    }
    product
}

/// `a^254`: the inverse of all but zero, whose power is zero.
fn inverse(a: u8) -> u8 {
    let mut power = a;
    for _ in 0..6 {
        power = times(times(power, power), a);
    }
    times(power, power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(times(0x57, 0x83), 0xc1, "FIPS 197, section 4.2");
        assert_eq!(times(0x57, 0x13), 0xfe, "FIPS 197, section 4.2.1");
        for a in 1..=255u8 {
            assert_eq!(times(a, inverse(a)), 1, "{a:#x} times its inverse");
        }
    }

    #[test]
    fn check_words_are_six_and_of_one_request() {
        let words = check_words(&crate::ids::sha256(b"request"));
        assert_eq!(words.len(), CHECK_WORDS, "six words: {words:?}");
        assert_eq!(words, check_words(&crate::ids::sha256(b"request")), "the same on both screens");
        assert_ne!(words, check_words(&crate::ids::sha256(b"another")), "and others for another request");
    }

    /// Every secret that one part could stand for: for each value of a byte there is a slope that leads to it.
    fn secrets_of_one_byte(number: u8, value: u8) -> usize {
        let reached = (0..=255u8).map(|slope| value ^ times(slope, number));
        reached.collect::<std::collections::BTreeSet<_>>().len()
    }

    proptest! {
        #[test]
        fn every_two_of_three_parts_bring_the_key_back_and_every_one_fails(seed in any::<u64>()) {
            let entropy = SeededEntropy::new(seed);
            let recovery = RecoveryKey::make(&entropy);
            let SharedOut { parts, server, set } = SharedOut::make(&recovery, &entropy);
            for a in 0..HELPERS {
                for b in 0..HELPERS {
                    let combined = set.combine(&[parts[a].clone(), parts[b].clone()], &server);
                    let expected = if a == b { Err(CombineError::TooFew) } else { Ok(recovery.clone()) };
                    prop_assert_eq!(combined, expected, "seed {}: parts {} and {}", seed, a + 1, b + 1);
                }
                let alone = set.combine(&parts[a..=a], &server);
                prop_assert_eq!(alone, Err(CombineError::TooFew), "seed {}: part {} alone", seed, a + 1);
                for value in parts[a].value.expose() {
                    prop_assert_eq!(secrets_of_one_byte(parts[a].number, *value), 256, "and says nothing");
                }
            }
            prop_assert_eq!(set.combine(&parts, &server), Ok(recovery.clone()), "all three");
            let without = set.combine(&parts, &SecretKey32::make(&entropy));
            prop_assert_ne!(without, Ok(recovery), "nor do the helpers without the server's part");
        }

        #[test]
        fn a_wrong_part_is_named(seed in any::<u64>(), which in 0usize..HELPERS, at in 0usize..32, flip in 1u8..) {
            let entropy = SeededEntropy::new(seed);
            let recovery = RecoveryKey::make(&entropy);
            let SharedOut { mut parts, server, set } = SharedOut::make(&recovery, &entropy);
            let mut altered = *parts[which].value.expose();
            altered[at] ^= flip;
            parts[which].value = SecretKey32::from_bytes(altered);
            let number = parts[which].number;
            let named = Err(CombineError::WrongPart { number });
            prop_assert_eq!(set.combine(&parts, &server), named.clone(), "seed {}", seed);
            let older = SharedOut::make(&recovery, &entropy).parts[which].clone();
            let other = (which + 1) % HELPERS;
            prop_assert_eq!(set.combine(&[parts[other].clone(), older], &server), named, "of another set");
        }
    }
}
