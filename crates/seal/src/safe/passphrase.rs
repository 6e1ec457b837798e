//! Is a passphrase good enough, and what would a good one be?
//!
//! Length is what counts (NIST SP 800-63B, section 3.1.1: at least 15 characters, no composition rules, a blocklist).
//! The check runs on the device; nothing about a passphrase may leave it or be logged.

use zeroize::Zeroizing;

use super::words;
use crate::entropy::Entropy;

/// Fewest characters of a passphrase.
pub const MIN_PASSPHRASE_CHARS: usize = 15;
/// Longest passphrase in bytes: far beyond anything typed, it bounds the work of a pasted file.
pub const MAX_PASSPHRASE_BYTES: usize = 1_024;
/// Words of a generated passphrase: 6 × 12.9 = 77 bits.
const SUGGESTED_WORDS: usize = 6;

/// Beginnings of what everybody tries first, letters only and lower-case; compared with the passphrase likewise.
const COMMON: &[&str] = &[
    "password",
    "passphrase",
    "passwort",
    "katasandi",
    "rahasia",
    "letmein",
    "iloveyou",
    "welcome",
    "administrator",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "correcthorsebatterystaple",
    "mecum",
    "changeme",
    "trustno",
    "sunshine",
    "princess",
    "football",
    "monkey",
    "dragon",
    "indonesia",
    "bismillah",
    "sayang",
    "hospital",
    "patient",
    "secret",
    "default",
    "testing",
];

/// Whether a passphrase is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassphraseVerdict {
    /// Accepted.
    Ok,
    /// Fewer than `min` characters.
    TooShort {
        /// Characters needed.
        min: usize,
        /// Characters given.
        got: usize,
    },
    /// More than [`MAX_PASSPHRASE_BYTES`].
    TooLong,
    /// Little more than something everybody tries.
    TooCommon,
    /// The same few characters over and over, or a run along the alphabet or keyboard row.
    TooRepetitive,
}

/// A verdict and how hard guessing would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCheck {
    /// Accepted, or why not.
    pub verdict: PassphraseVerdict,
    /// From 0 (refused or trivial) to 4 (six random words and better).
    pub strength: u8,
}

impl PassphraseCheck {
    /// Whether it is accepted.
    pub fn is_ok(&self) -> bool {
        self.verdict == PassphraseVerdict::Ok
    }
}

/// Judges a passphrase. Takes microseconds; safe to call on every key press.
pub fn check_passphrase(passphrase: &str) -> PassphraseCheck {
    let verdict = judge(passphrase);
    let strength = match verdict {
        PassphraseVerdict::Ok => strength_of(passphrase),
        _ => 0,
    };
    PassphraseCheck { verdict, strength }
}

/// Six words drawn evenly from 7,776: joined by spaces they are a passphrase of 77 bits.
pub fn suggest_passphrase(entropy: &dyn Entropy) -> Vec<String> {
    (0..SUGGESTED_WORDS).map(|_| words::word(words::draw(entropy)).to_owned()).collect()
}

fn judge(passphrase: &str) -> PassphraseVerdict {
    if passphrase.len() > MAX_PASSPHRASE_BYTES {
        return PassphraseVerdict::TooLong;
    }
    let chars = Zeroizing::new(passphrase.trim().to_lowercase());
    let got = passphrase.trim().chars().count();
    if got < MIN_PASSPHRASE_CHARS {
        return PassphraseVerdict::TooShort { min: MIN_PASSPHRASE_CHARS, got };
    }
    if is_repetitive(&chars) {
        return PassphraseVerdict::TooRepetitive;
    }
    if is_common(&chars) { PassphraseVerdict::TooCommon } else { PassphraseVerdict::Ok }
}

fn is_repetitive(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().map(u32::from).collect::<Vec<_>>());
    let distinct = chars.iter().collect::<std::collections::BTreeSet<_>>().len();
    let periodic =
        (1..=chars.len() / 3).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b));
    let steps = chars.iter().zip(chars.iter().skip(1)).filter(|(a, b)| a.abs_diff(**b) <= 1).count();
    distinct < 5 || periodic || steps * 4 >= chars.len() * 3
}

/// What is left when the commonest words are taken out must be worth something by itself.
fn is_common(text: &str) -> bool {
    let mut left = Zeroizing::new(text.chars().filter(|c| c.is_alphabetic()).collect::<String>());
    let letters = left.chars().count();
    for common in COMMON {
        if left.contains(common) {
            *left = left.replace(common, "");
        }
    }
    let rest = left.chars().count();
    rest < letters && rest < 8
}

/// A rough estimate in bits, cut into five steps. It advises; only the verdict decides.
fn strength_of(passphrase: &str) -> u8 {
    let text = Zeroizing::new(passphrase.to_lowercase());
    let parts = text.split_whitespace().collect::<std::collections::BTreeSet<_>>();
    let listed = parts.iter().filter(|part| words::index_of(part).is_some()).count();
    let bits = if listed == parts.len() {
        listed * 129 / 10
    } else {
        // Written language carries about 1.5 bits a character; mixed-in digits and signs somewhat more.
        let signs = text.chars().filter(|c| !c.is_alphabetic() && !c.is_whitespace()).count();
        (text.chars().count() - signs) * 15 / 10 + signs * 3
    };
    match bits {
        0..25 => 1,
        25..45 => 2,
        45..70 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn a_suggested_passphrase_is_accepted_as_strong() {
        let entropy = SeededEntropy::new(21);
        for _ in 0..200 {
            let words = suggest_passphrase(&entropy);
            assert_eq!(words.len(), 6, "six words");
            let check = check_passphrase(&words.join(" "));
            assert!(check.is_ok(), "a generated passphrase is good enough");
            assert!(check.strength >= 3, "and known to be strong, got {}", check.strength);
        }
    }

    #[test]
    fn weak_passphrases_are_refused_with_the_reason() {
        use PassphraseVerdict::{Ok, TooCommon, TooLong, TooRepetitive, TooShort};
        let long = "ab cd ef gh ".repeat(100);
        let cases = [
            ("", TooShort { min: 15, got: 0 }),
            ("fourteen chars", TooShort { min: 15, got: 14 }),
            ("                    x", TooShort { min: 15, got: 1 }),
            ("aaaaaaaaaaaaaaaaaaaa", TooRepetitive),
            ("abcabcabcabcabcabc", TooRepetitive),
            ("abcdefghijklmnopqrst", TooRepetitive),
            ("12345678901234567890", TooRepetitive),
            ("password12345!!!", TooCommon),
            ("MyPassword2026!!", TooCommon),
            ("correct horse battery staple", TooCommon),
            (&long, TooLong),
            ("blue kettles sing on monday", Ok),
            ("ибо так говорит бабушка", Ok),
        ];
        for (text, verdict) in cases {
            assert_eq!(check_passphrase(text).verdict, verdict, "{text:?}");
        }
    }
}
