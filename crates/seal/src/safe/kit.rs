//! The printed recovery kit: thirteen words on paper that restore everything when every device is gone.
//!
//! Twelve words are drawn evenly and the last one checks them, so that one wrong word, or two in each other's place,
//! is noticed before anything is tried. It must not know what the key opens, nor where the paper is.
//!
//! The check: number the words of the list from 0. With `d1 … d12` the drawn words and `p = 7,789`, the smallest prime
//! above the list's 7,776 words, the last is `(2·d1 + 3·d2 + … + 13·d12 + 1) mod p`. If that is no word, or a word
//! has a hyphen, all twelve are drawn again. Over a prime every weight has an inverse, so any single wrong word
//! changes the sum; and no two weights are alike (the check's own is −1), so any two words exchanged change it too. A
//! weighted sum modulo 7,776, which is not prime, would let some exchanged words pass.
//!
//! The list has four words with a hyphen, and "yo-yo" beside "yoyo": without them a hyphen can be read as a blank.
//!
//! Twelve words carry 155 bits. So the key is one HKDF of them and not Argon2: nobody guesses 155 bits, however fast a
//! guess is, and there are no parameters that an altered file could weaken.

use std::fmt;

use zeroize::Zeroizing;

use super::words::{self, WORD_COUNT};
use crate::entropy::Entropy;
use crate::hazmat::aead::same_bytes;
use crate::hazmat::kdf::hkdf_into;
use crate::secret::RecoveryKey;

/// Words on the paper: twelve that carry the secret and one that checks them.
pub const KIT_WORDS: usize = 13;

const DATA_WORDS: usize = KIT_WORDS - 1;
const SECRET_BYTES: usize = DATA_WORDS * 2;
const CHECK_PRIME: u32 = 7_789;
const CONTEXT: &[u8] = b"mecum/recovery-kit/1";

/// The words are no recovery kit. Whoever typed them looks at the paper again. Tells no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadKitWords {
    /// A word that is not in the list, or one of its four with a hyphen, which no kit has.
    #[error("word {position} is not in the list")]
    UnknownWord {
        /// Which one, from 1.
        position: usize,
    },
    /// All are words of the list, but they are not thirteen.
    #[error("a recovery kit has 13 words, not {got}")]
    WrongCount {
        /// How many there were.
        got: usize,
    },
    /// Thirteen words of the list, and at least one is wrong or in the wrong place.
    #[error("at least one word is wrong or in the wrong place")]
    WrongCheck,
}

/// The secret of one printed kit. Kept only while it is shown or typed; what lasts is what its key sealed.
#[derive(Clone)]
pub struct RecoveryKit {
    /// Places of the twelve words in the list, in order.
    data: Zeroizing<[u16; DATA_WORDS]>,
}

impl RecoveryKit {
    /// Twelve words drawn evenly, again and again until they and their check word can be printed (once in a hundred
    /// kits they cannot: that costs less than 0.02 of the 155 bits).
    pub fn make(entropy: &dyn Entropy) -> RecoveryKit {
        loop {
            let mut data = Zeroizing::new([0u16; DATA_WORDS]);
            data.iter_mut().for_each(|digit| *digit = words::draw(entropy));
            let check = check_digit(&*data);
            if data.iter().chain([&check]).all(|digit| is_printable(*digit)) {
                return RecoveryKit { data };
            }
        }
    }

    /// The thirteen words in the order in which they are printed and typed. They are the secret: show, never store.
    pub fn to_words(&self) -> [&'static str; KIT_WORDS] {
        let mut out = [""; KIT_WORDS];
        let digits = self.data.iter().copied().chain([check_digit(&*self.data)]);
        out.iter_mut().zip(digits).for_each(|(word, digit)| *word = words::word(digit));
        out
    }

    /// Reads what a person typed. Case does not matter, and whatever is no letter (blanks, line ends, commas,
    /// hyphens, the numbers before the words) only separates.
    ///
    /// # Errors
    /// The first word that is not in the list comes before a wrong count, since two words run together are both.
    pub fn from_words(text: &str) -> Result<RecoveryKit, BadKitWords> {
        let mut digits = Zeroizing::new([0u16; KIT_WORDS]);
        let mut got = 0;
        for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
            let digit = place_of(word).ok_or(BadKitWords::UnknownWord { position: got + 1 })?;
            if let Some(to) = digits.get_mut(got) {
                *to = digit;
            }
            got += 1;
        }
        if got != KIT_WORDS {
            return Err(BadKitWords::WrongCount { got });
        }
        let [data @ .., check] = &*digits;
        if check_digit(data) != *check {
            return Err(BadKitWords::WrongCheck);
        }
        Ok(RecoveryKit { data: Zeroizing::new(*data) })
    }

    /// The key these words stand for: `HKDF-SHA256[no salt, "mecum/recovery-kit/1"](d1 … d12, 32)`, each place as two
    /// bytes, high one first.
    pub fn key(&self) -> RecoveryKey {
        let mut key = Zeroizing::new([0u8; 32]);
        hkdf_into(self.secret().as_ref(), &[], &[CONTEXT], key.as_mut());
        RecoveryKey::from_bytes(*key)
    }

    fn secret(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        let mut out = Zeroizing::new([0u8; SECRET_BYTES]);
        for (to, digit) in out.chunks_exact_mut(2).zip(self.data.iter()) {
            to.copy_from_slice(&digit.to_be_bytes());
        }
        out
    }
}

impl fmt::Debug for RecoveryKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKit(..)")
    }
}

/// Whether what was typed again is what was printed.
impl PartialEq for RecoveryKit {
    fn eq(&self, other: &RecoveryKit) -> bool {
        same_bytes(self.secret().as_ref(), other.secret().as_ref())
    }
}

impl Eq for RecoveryKit {}

/// The sum that the last word states. It may be 7,776 to 7,788: then there is no such word.
fn check_digit(data: &[u16]) -> u16 {
    let sum: u32 = data.iter().zip(2..).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    u16::try_from((sum + 1) % CHECK_PRIME).expect("a remainder is smaller than its divisor")
}

fn is_printable(digit: u16) -> bool {
    digit < WORD_COUNT && !words::word(digit).contains('-')
}

/// The place of a typed word, of which no folded copy is left behind.
fn place_of(word: &str) -> Option<u16> {
    let folded = Zeroizing::new(word.to_lowercase());
    words::place_of(&folded).filter(|digit| is_printable(*digit))
}

#[cfg(test)]
mod tests;
