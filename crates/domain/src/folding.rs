//! Words as they are compared: without case, diacritics and letters held down.
//!
//! For looking words up in what somebody writes, in languages with Latin letters. Nothing here is shown or stored.

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is compared.
    pub(crate) folded: String,
    /// Its first byte.
    pub(crate) from: usize,
    /// The byte after its last.
    pub(crate) to: usize,
    /// Whether it begins with a capital.
    pub(crate) capital: bool,
}

/// The words of a text in order. Letters and digits make one, and apostrophes within: "can't" is "cant".
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    for (at, c) in text.char_indices() {
        let letter = fold(c);
        match &mut word {
            Some(word) if letter.is_some() || is_silent(c) => {
                if let Some(letter) = letter {
                    // "matiii" and "mati" are one word, and so are "kill" and "kil": a list is folded as the text is.
                    if !word.folded.ends_with(letter) || letter.is_ascii_digit() {
                        word.folded.push(letter);
                    }
                    word.to = at + c.len_utf8();
                }
            }
            None if letter.is_some() => {
                let to = at + c.len_utf8();
                word = Some(Word {
                    folded: letter.into_iter().collect(),
                    from: at,
                    to,
                    capital: c.is_uppercase(),
                });
            }
            _ => words.extend(word.take()),
        }
    }
    words.extend(word);
    words
}

/// A word of a list as it is compared.
pub(crate) fn folded(word: &str) -> String {
    words(word).into_iter().map(|word| word.folded).collect()
}

/// Whether a text is of Latin letters and digits alone, and of marks on them; and not empty.
pub(crate) fn is_latin(text: &str) -> bool {
    let mark = |c: char| matches!(c, '\u{300}'..='\u{36f}');
    let letter = |c: char| fold(c).is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.chars().next().is_some_and(letter) && text.chars().all(|c| letter(c) || mark(c))
}

/// What stands within a word and is no letter of it: apostrophes, combining marks, and what is not seen at all.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// A letter without its marks, lower case; `None` for what is no letter and no digit.
fn fold(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase());
    }
    // Letters as wide as ideographs.
    if matches!(c, 'Ａ'..='Ｚ' | 'ａ'..='ｚ') {
        return char::from_u32(u32::from(c) - 0xfee0).map(|narrow| narrow.to_ascii_lowercase());
    }
    let lower = c.to_lowercase().next().unwrap_or(c);
    Some(match lower {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | '\u{1ea0}'..='\u{1eb7}' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ð' | 'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | '\u{1eb8}'..='\u{1ec7}' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' | 'ħ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | '\u{1ec8}'..='\u{1ecb}' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | '\u{1ecc}'..='\u{1ee3}' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | '\u{1ee4}'..='\u{1ef1}' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' | '\u{1ef2}'..='\u{1ef9}' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other if other.is_alphanumeric() => other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_whatever_case_marks_and_held_keys_they_are_written_with() {
        let all = |text: &str| words(text).into_iter().map(|word| word.folded).collect::<Vec<_>>();
        assert_eq!(all("I can't, I CAN’T"), ["i", "cant", "i", "cant"], "apostrophes");
        assert_eq!(all("Málaga nai\u{308}ve ｓｏｓ"), ["malaga", "naive", "sos"], "marks, apart too");
        assert_eq!(all("matiii kill"), ["mati", "kil"], "held keys");
        assert_eq!(
            all("bu\u{200b}nuh-diri 118"),
            ["bunuh", "diri", "118"],
            "what is not seen, hyphens, digits"
        );
        assert_eq!(folded("Kejang"), "kejang", "of a list");
        let text = "Ke dr. Šari!";
        let spans = words(text).iter().map(|word| text.get(word.from..word.to)).collect::<Vec<_>>();
        assert_eq!(spans, [Some("Ke"), Some("dr"), Some("Šari")], "where they stand");
        assert!(words(text)[2].capital, "as written");
    }

    #[test]
    fn every_word_of_any_text_lies_in_it_after_the_one_before() {
        let odd: Vec<char> = "aZ9 .,'’-\n\u{301}\u{200b}\u{fffd}é’ßİＡ字🙂dr".chars().collect();
        let mut dice = 0x6d65_6375_6d77_7264_u64;
        println!("seed {dice:#x}");
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..24 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(odd[usize::try_from(dice >> 33).expect("31 bits") % odd.len()]);
            }
            let mut end = 0;
            for word in words(&text) {
                assert!(end <= word.from && word.from < word.to, "after the one before: {text:?}");
                assert!(text.get(word.from..word.to).is_some(), "between letters: {text:?}");
                assert!(!word.folded.is_empty(), "a word has letters: {text:?}");
                end = word.to;
            }
            let found = crate::mentions(&text, ["dr. Aa Za"]).into_iter().map(|found| (found.from, found.to));
            let crises = crate::crisis_words(&text).into_iter().map(|found| (found.from, found.to));
            let places = found.chain(crises).all(|(from, to)| text.get(from..to).is_some());
            assert!(places, "what is found can be shown: {text:?}");
        }
    }
}
