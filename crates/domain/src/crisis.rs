//! Words at which help lines are shown: somebody may be about to hurt themselves, is being hurt, or needs help this minute.
//!
//! What it is: a short list of words and phrases in English and Indonesian, looked for while somebody writes, on their device. Where
//! one is found, the [`crate::HelpLine`]s of the hospital stand beside the text. What it is not: it blocks nothing, changes nothing,
//! counts nothing and tells nobody, neither the hospital nor other people; it knows nothing of who writes. It does not understand what
//! it reads: "I do not want to die" finds the same lines, for lines shown once too often do no harm. What it does not find is no sign
//! that all is well, and no screen may say so.
//!
//! No native speaker has read the lists yet, and somebody who works with people in need has to as well, before a screen relies on them.
//!
//! The lists are by sense, not by count. A word that people with an illness write every day (*chest pain*, *sesak napas*) is in them
//! only where something beside it makes it urgent; a phrase that means something harmless as often (*cut myself*, *mati*) is not alone.
//! A family writes of others as well: *she wants to kill herself* is found as *I want to kill myself* is.

mod lists;
#[cfg(test)]
mod sentences;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::folding::{Word, folded, words};
use lists::{CLASSES, PHRASES};

/// Most other words between two parts of a phrase that may stand apart.
const MOST_BETWEEN: usize = 2;

/// What kind of help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crisis {
    /// Suicide, or hurting oneself.
    SelfHarm,
    /// Somebody hurts them.
    Abuse,
    /// A sign of something that does not wait.
    Emergency,
}

/// A phrase that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrisisWord {
    /// Its first byte in the text.
    pub from: usize,
    /// The byte after its last.
    pub to: usize,
    /// What kind of help.
    pub kind: Crisis,
}

/// The phrases of the lists in a text, in order. They are looked for as whole words, in any case, with or without diacritics.
pub fn crisis_words(text: &str) -> Vec<CrisisWord> {
    let text = said_twice(words(text));
    let mut found = Vec::new();
    for (at, first) in text.iter().enumerate() {
        for phrase in LISTS.get(&first.folded).into_iter().flatten() {
            let last = text.get(at + 1..).and_then(|rest| phrase.ends(rest));
            let last = last.and_then(|words| text.get(at + words));
            found.extend(last.map(|last| CrisisWord { from: first.from, to: last.to, kind: phrase.kind }));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A phrase of the lists as it is compared.
#[derive(Clone, Debug)]
struct Phrase {
    kind: Crisis,
    /// The places after the first.
    rest: Vec<Place>,
}

/// One place of a phrase.
#[derive(Clone, Debug)]
struct Place {
    one_of: Vec<String>,
    /// Others may stand before it.
    apart: bool,
    /// None of these may stand here.
    barred: bool,
}

/// The phrases by each word that they can begin with.
static LISTS: LazyLock<BTreeMap<String, Vec<Phrase>>> = LazyLock::new(|| {
    let mut lists: BTreeMap<String, Vec<Phrase>> = BTreeMap::new();
    for (kind, phrases) in PHRASES {
        for phrase in *phrases {
            let mut places = phrase.split(' ').map(Place::of);
            let Some(first) = places.next() else { continue };
            let phrase = Phrase { kind: *kind, rest: places.collect() };
            first.one_of.into_iter().for_each(|word| lists.entry(word).or_default().push(phrase.clone()));
        }
    }
    lists
});

impl Place {
    fn of(written: &str) -> Self {
        let barred = written.starts_with('!');
        let words = written.trim_start_matches(['!', '~']).split('|');
        let one_of = words.flat_map(|word| class(word).split('|')).map(|word| match word {
            "#" => word.to_owned(),
            word => folded(word),
        });
        Self { one_of: one_of.collect(), apart: written.starts_with('~'), barred }
    }

    fn is(&self, word: &Word) -> bool {
        let digits = word.folded.chars().all(|c| c.is_ascii_digit());
        self.one_of.iter().any(|one| *one == word.folded || (one == "#" && digits))
    }
}

impl Phrase {
    /// How many words after the first one the phrase ends, where it goes on in these.
    fn ends(&self, text: &[Word]) -> Option<usize> {
        fn goes_on(places: &[Place], text: &[Word], at: usize) -> Option<usize> {
            let [place, rest @ ..] = places else { return Some(at) };
            if place.barred {
                return if text.get(at).is_some_and(|word| place.is(word)) { None } else { Some(at) };
            }
            let most = if place.apart { MOST_BETWEEN } else { 0 };
            (at..=at + most)
                .filter(|next| text.get(*next).is_some_and(|word| place.is(word)))
                .find_map(|next| goes_on(rest, text, next + 1))
        }
        goes_on(&self.rest, text, 0)
    }
}

/// The words that a name in capitals stands for; any other word stands for itself.
fn class(word: &str) -> &str {
    CLASSES.iter().find(|(name, _)| *name == word).map_or(word, |(_, words)| words)
}

/// In Indonesian a 2 says that the word before it is said twice.
fn said_twice(words: Vec<Word>) -> Vec<Word> {
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        match word.folded.strip_suffix('2') {
            Some(once) if once.len() > 2 && once.chars().all(char::is_alphabetic) => {
                let once = Word { folded: once.to_owned(), ..word };
                out.extend([once.clone(), once]);
            }
            _ => out.push(word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn kinds(text: &str) -> Vec<Crisis> {
        let mut kinds: Vec<Crisis> = crisis_words(text).into_iter().map(|found| found.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn what_is_found_is_said_by_its_place() {
        let text = "Halo! Kadang ingin mati. I can’t breathe";
        let found = crisis_words(text);
        let places: Vec<_> = found.iter().map(|found| text.get(found.from..found.to)).collect();
        assert_eq!(places, [Some("ingin mati"), Some("can’t breathe")], "as it was written");
    }

    #[test]
    fn every_word_of_every_phrase_is_found_also_with_two_others_between_where_they_may_stand() {
        let alternatives = |place: &str| -> Vec<String> {
            let place = place.trim_start_matches('~');
            place.split('|').flat_map(|word| class(word).split('|')).map(str::to_owned).collect()
        };
        for (kind, phrases) in PHRASES {
            for phrase in *phrases {
                let places: Vec<&str> = phrase.split(' ').filter(|place| !place.starts_with('!')).collect();
                assert!((1..=5).contains(&places.len()), "short: {phrase}");
                for (varied, place) in places.iter().enumerate() {
                    for word in alternatives(place) {
                        let written = places.iter().enumerate().map(|(at, place)| {
                            let word =
                                if at == varied { word.clone() } else { alternatives(place).swap_remove(0) };
                            assert!(
                                word.chars().all(|c| c.is_ascii_lowercase()),
                                "no class has this name: {word}"
                            );
                            if place.starts_with('~') { format!("xx yy {word}") } else { word }
                        });
                        let text = written.collect::<Vec<_>>().join(" ");
                        assert!(kinds(&text).contains(kind), "{phrase}: {text}");
                    }
                }
            }
        }
    }
}
