//! Enrolment codes: 80 random bits in four groups of four, easy to read out. Only their hash is kept.

use mecum_seal::{Entropy, Hash32, sha256};

/// Crockford's base 32: no I, L, O or U, so that nothing is misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters in a code.
const CHARACTERS: usize = 16;
/// How long a code is good for, in milliseconds: a week.
pub(crate) const CODE_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// A fresh code, as it is printed.
pub(crate) fn make(entropy: &dyn Entropy) -> String {
    let mut bytes = [0u8; CHARACTERS];
    entropy.fill(&mut bytes);
    let mut code = String::with_capacity(CHARACTERS + 3);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        // 256 is a multiple of 32: every character is equally likely.
        code.push(char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0')));
    }
    code
}

/// The hash of a code as somebody typed it: case, spaces and hyphens do not matter, and I, L and O are read as digits.
pub(crate) fn hash(typed: &str) -> Hash32 {
    let plain: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        })
        .collect();
    sha256(format!("mecum/enrolment-code/1\0{plain}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mecum_seal::testing::SeededEntropy;

    #[test]
    fn a_code_reads_the_same_however_it_is_typed() {
        let code = make(&SeededEntropy::new(3));
        assert_eq!(code.len(), 19, "four groups of four");
        assert_eq!(
            hash(&code),
            hash(&code.to_lowercase().replace('-', " ")),
            "case and hyphens do not matter"
        );
        assert_eq!(hash("10OL"), hash("1001"), "what looks the same is the same");
        assert_ne!(hash(&code), hash(&make(&SeededEntropy::new(4))), "codes differ");
    }
}
