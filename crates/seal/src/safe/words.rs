//! The 7,776 words of the EFF's large list: short, distinct and easy to read aloud.
//!
//! Source: EFF, "Deep Dive: EFF's New Wordlists for Random Passphrases" (2016). The list must never change: pairing
//! words and printed kits are read back with it.

use std::collections::HashMap;
use std::sync::LazyLock;

use diceware_wordlists::EFF_LONG_WORDLIST;

use crate::entropy::Entropy;

/// How many words there are: 6^5.
pub(crate) const WORD_COUNT: u16 = 7_776;

static INDEX: LazyLock<HashMap<&'static str, u16>> =
    LazyLock::new(|| (0..).zip(EFF_LONG_WORDLIST).map(|(i, w)| (w, i)).collect());

/// The word at `index`, which is taken modulo the count.
pub(crate) fn word(index: u16) -> &'static str {
    EFF_LONG_WORDLIST.get(usize::from(index % WORD_COUNT)).copied().unwrap_or_default()
}

/// The place of a word, whatever its case.
pub(crate) fn index_of(word: &str) -> Option<u16> {
    place_of(word.to_lowercase().as_str())
}

/// The place of a word that is in lower case already.
pub(crate) fn place_of(word: &str) -> Option<u16> {
    INDEX.get(word).copied()
}

/// A place drawn evenly: numbers beyond the last whole multiple of the count are drawn again.
pub(crate) fn draw(entropy: &dyn Entropy) -> u16 {
    const LIMIT: u16 = (u16::MAX / WORD_COUNT) * WORD_COUNT;
    loop {
        let mut bytes = [0u8; 2];
        entropy.fill(&mut bytes);
        let number = u16::from_be_bytes(bytes);
        if number < LIMIT {
            return number % WORD_COUNT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn words_are_drawn_evenly() {
        let entropy = SeededEntropy::new(22);
        let mut upper_half = 0;
        for _ in 0..20_000 {
            upper_half += u32::from(draw(&entropy) >= WORD_COUNT / 2);
        }
        assert!(
            (9_600..10_400).contains(&upper_half),
            "half of the draws are in the upper half: {upper_half}"
        );
    }

    #[test]
    fn the_list_is_the_one_that_was_printed() {
        assert_eq!(INDEX.len(), usize::from(WORD_COUNT), "7,776 different words");
        let joined = EFF_LONG_WORDLIST.join("\n");
        assert_eq!(
            crate::sha256(joined.as_bytes()).to_string(),
            "abae49761b88f3f1ba31ef944bea1f61b795a3cd7e1cfb7d276ed45bf77967ba",
            "a changed list would misread every kit and pairing code"
        );
        assert!((0..WORD_COUNT).all(|i| index_of(word(i)) == Some(i)), "each word is found where it stands");
        assert_eq!((word(0), word(WORD_COUNT - 1)), ("abacus", "zoom"), "the EFF's first and last word");
        assert_eq!(index_of("ABACUS"), Some(0), "case does not matter");
        assert_eq!(index_of("notaword"), None, "nothing else is a word");
    }
}
