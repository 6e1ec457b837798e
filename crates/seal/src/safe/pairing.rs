//! The secret that two devices share for a few minutes while one admits the other.
//!
//! 136 bits, shown as a QR code or as twelve words, the last of which checks the others. The mailbox where the two
//! meet and every key between them follow from it. It must not know the messages.

use std::fmt;

use zeroize::Zeroizing;

use super::row;
use super::words::{self, WORD_COUNT};
use crate::entropy::Entropy;
use crate::hazmat::kdf::hkdf_into;
use crate::secret::SecretKey32;

/// Words that a pairing secret is written in: eleven that carry it and one that checks.
pub const PAIRING_WORDS: usize = 12;
const DATA_WORDS: usize = PAIRING_WORDS - 1;
const SECRET_BYTES: usize = 17;
const CONTEXT: &[u8] = b"mecum/pairing/1/";

/// The words are not a pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPairingWords {
    /// Not twelve.
    #[error("a pairing code has 12 words, not {got}")]
    WrongCount {
        /// How many there were.
        got: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not in the list")]
    UnknownWord {
        /// Which one, from 1.
        position: usize,
    },
    /// All are words of the list, and at least one is wrong.
    #[error("at least one word is wrong")]
    WrongCheck,
}

/// The message was not sealed with this pairing secret for this slot, or was altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pairing message does not open")]
pub struct OpenPairingError;

/// The shared secret of one pairing. Good for one use and a few minutes: the caller sees to both.
#[derive(Clone)]
pub struct PairingSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl PairingSecret {
    /// A fresh random secret.
    pub fn make(entropy: &dyn Entropy) -> PairingSecret {
        let mut bytes = Zeroizing::new([0u8; SECRET_BYTES]);
        entropy.fill(bytes.as_mut());
        PairingSecret(bytes)
    }

    /// From the bytes of a QR code.
    pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> PairingSecret {
        PairingSecret(Zeroizing::new(bytes))
    }

    /// The bytes for a QR code.
    pub fn expose(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// Twelve words: the secret as a number in base 7,776, highest digit first, and a check word.
    pub fn to_words(&self) -> Vec<String> {
        let mut rest = Zeroizing::new(*self.0);
        let mut digits = Zeroizing::new([0u16; DATA_WORDS]);
        for digit in digits.iter_mut().rev() {
            *digit = divide(rest.as_mut(), WORD_COUNT);
        }
        let check = check_digit(&*digits);
        digits.iter().chain([&check]).map(|digit| words::word(*digit).to_owned()).collect()
    }

    /// Reads twelve words back, separated by blanks or hyphen-free punctuation; case does not matter.
    pub fn from_words(text: &str) -> Result<PairingSecret, BadPairingWords> {
        let found =
            text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect::<Vec<_>>();
        let got = found.len();
        if got != PAIRING_WORDS {
            return Err(BadPairingWords::WrongCount { got });
        }
        let mut digits = Zeroizing::new([0u16; PAIRING_WORDS]);
        for (position, (digit, word)) in (1..).zip(digits.iter_mut().zip(found)) {
            *digit = words::index_of(word).ok_or(BadPairingWords::UnknownWord { position })?;
        }
        let [data @ .., check] = &*digits;
        if check_digit(data) != *check {
            return Err(BadPairingWords::WrongCheck);
        }
        let mut bytes = Zeroizing::new([0u8; SECRET_BYTES]);
        for digit in data {
            // Eleven words can spell numbers beyond 136 bits: no code has them.
            if multiply_add(bytes.as_mut(), WORD_COUNT, *digit) != 0 {
                return Err(BadPairingWords::WrongCheck);
            }
        }
        Ok(PairingSecret(bytes))
    }

    /// Name of the mailbox where the two devices meet. Tells nothing about the keys.
    pub fn mailbox_id(&self) -> [u8; 16] {
        let mut out = [0u8; 16];
        hkdf_into(self.0.as_ref(), &[], &[CONTEXT, b"mailbox"], &mut out);
        out
    }

    /// The key for one role or slot; different for each text.
    pub fn key(&self, role: &str) -> SecretKey32 {
        let mut out = Zeroizing::new([0u8; 32]);
        hkdf_into(self.0.as_ref(), &[], &[CONTEXT, b"key/", role.as_bytes()], out.as_mut());
        SecretKey32::from_bytes(*out)
    }

    /// Seals a message for the mailbox slot `slot`.
    pub fn seal(&self, slot: &str, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        row::seal_row(&self.key(slot), slot.as_bytes(), plaintext, entropy)
    }

    /// Opens a message of the mailbox slot `slot`.
    pub fn open(&self, slot: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenPairingError> {
        row::open_row(&self.key(slot), slot.as_bytes(), sealed).map_err(|_| OpenPairingError)
    }
}

impl fmt::Debug for PairingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingSecret(..)")
    }
}

/// Divides a big-endian number in place and returns the remainder.
fn divide(number: &mut [u8], by: u16) -> u16 {
    let mut rest = 0u32;
    for byte in number {
        let value = rest << 8 | u32::from(*byte);
        *byte = low_byte(value / u32::from(by));
        rest = value % u32::from(by);
    }
    u16::try_from(rest).expect("a remainder is smaller than its divisor")
}

/// `number * by + add` in place; returns what did not fit.
fn multiply_add(number: &mut [u8], by: u16, add: u16) -> u32 {
    let mut carry = u32::from(add);
    for byte in number.iter_mut().rev() {
        let value = u32::from(*byte) * u32::from(by) + carry;
        *byte = low_byte(value);
        carry = value >> 8;
    }
    carry
}

fn low_byte(value: u32) -> u8 {
    let [.., low] = value.to_be_bytes();
    low
}

/// A weighted sum modulo 7,776. The weights share no factor with 7,776 = 2^5 × 3^5, so any single wrong word changes
/// it; being all different, they catch most swapped words too.
fn check_digit(digits: &[u16]) -> u16 {
    const WEIGHTS: [u32; DATA_WORDS] = [1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    u16::try_from((sum + 1) % u32::from(WORD_COUNT)).expect("a remainder is smaller than its divisor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn words_read_back_as_the_same_secret() {
        let entropy = SeededEntropy::new(31);
        let mut secrets = vec![PairingSecret::from_bytes([0; 17]), PairingSecret::from_bytes([255; 17])];
        secrets.extend((0..500).map(|_| PairingSecret::make(&entropy)));
        for secret in secrets {
            let words = secret.to_words();
            assert_eq!(words.len(), PAIRING_WORDS, "twelve words");
            let back = PairingSecret::from_words(&format!("  {} ", words.join("\n ").to_uppercase()));
            assert_eq!(back.map(|b| *b.expose()), Ok(*secret.expose()), "the words are the secret");
        }
    }

    #[test]
    fn any_single_wrong_word_is_caught() {
        let words = PairingSecret::make(&SeededEntropy::new(32)).to_words();
        for at in 0..PAIRING_WORDS {
            for other in (0..WORD_COUNT).map(words::word).filter(|w| *w != words[at]) {
                let mut wrong = words.clone();
                other.clone_into(&mut wrong[at]);
                let read = PairingSecret::from_words(&wrong.join(" "));
                assert_eq!(read.err(), Some(BadPairingWords::WrongCheck), "word {at} replaced by {other}");
            }
        }
    }

    #[test]
    fn words_that_are_no_code_are_refused_with_the_place() {
        let words = PairingSecret::make(&SeededEntropy::new(33)).to_words();
        let short = PairingSecret::from_words(&words[1..].join(" ")).err();
        assert_eq!(short, Some(BadPairingWords::WrongCount { got: 11 }), "a word is missing");
        let mut strange = words;
        "xyzzy".clone_into(&mut strange[4]);
        let read = PairingSecret::from_words(&strange.join(" ")).err();
        assert_eq!(read, Some(BadPairingWords::UnknownWord { position: 5 }), "the fifth is no word");
        let last = vec![words::word(WORD_COUNT - 1).to_owned(); DATA_WORDS];
        let check = words::word(check_digit(&[WORD_COUNT - 1; DATA_WORDS]));
        let read = PairingSecret::from_words(&format!("{} {check}", last.join(" "))).err();
        assert_eq!(read, Some(BadPairingWords::WrongCheck), "a number beyond 136 bits");
    }

    #[test]
    fn a_message_opens_only_in_its_slot() {
        let entropy = SeededEntropy::new(34);
        let (secret, other) = (PairingSecret::make(&entropy), PairingSecret::make(&entropy));
        let sealed = secret.seal("offer", b"hello", &entropy);
        assert_eq!(secret.open("offer", &sealed).as_deref().map(Vec::as_slice), Ok(&b"hello"[..]), "opens");
        assert_eq!(secret.open("join", &sealed), Err(OpenPairingError), "another slot");
        assert_eq!(other.open("offer", &sealed), Err(OpenPairingError), "another secret");
        assert_ne!(secret.mailbox_id(), other.mailbox_id(), "each pairing has its own mailbox");
    }
}
