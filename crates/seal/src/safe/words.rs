//! The 7,776 words of the EFF's large list: short, distinct and easy to read aloud.
//!
//! Source: EFF, "Deep Dive: EFF's New Wordlists for Random Passphrases" (2016). The list must never change: pairing
//! words and printed kits are read back with it.

use std::collections::HashMap;
use std::sync::LazyLock;

use diceware_wordlists::EFF_LONG_WORDLIST;

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
    INDEX.get(word.to_lowercase().as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

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
