//! Words at which help lines are shown: somebody may be about to hurt themselves, is being hurt, or needs help this minute.
//!
//! What it is: a short list of words and phrases in English and Indonesian, looked for while somebody writes, on their device. Where
//! one is found, the [`crate::HelpLine`]s of the hospital stand beside the text. What it is not: it blocks nothing, changes nothing,
//! counts nothing and tells nobody, neither the hospital nor other people; it knows nothing of who writes. It does not understand what
//! it reads: "I do not want to die" finds the same lines, for lines shown once too often do no harm. What it does not find is no sign
//! that all is well, and no screen may say so.
//!
//! The lists are by sense, not by count. A word that people with an illness write every day (*chest pain*, *sesak napas*) is in them
//! only where something beside it makes it urgent; a phrase that means something harmless as often (*cut myself*, *mati*) is not alone.

mod lists;

use serde::{Deserialize, Serialize};

use crate::folding::{Word, folded, words};
use lists::PHRASES;

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
    let text = words(text);
    let mut found = Vec::new();
    for (kind, phrases) in PHRASES {
        for phrase in *phrases {
            let phrase: Vec<Vec<String>> =
                phrase.split(' ').map(|word| word.split('|').map(folded).collect()).collect();
            let stands =
                |at: &[Word]| at.iter().zip(&phrase).all(|(word, one_of)| one_of.contains(&word.folded));
            for at in text.windows(phrase.len()).filter(|at| stands(at)) {
                if let [first, .., last] | [first @ last] = at {
                    found.push(CrisisWord { from: first.from, to: last.to, kind: *kind });
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Crisis> {
        let mut kinds: Vec<Crisis> = crisis_words(text).into_iter().map(|found| found.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn who_writes_of_ending_their_life_is_shown_where_help_is() {
        for text in [
            "Saya ingin bunuh diri",
            "mau mati saja rasanya",
            "capek, pengen matiii aja",
            "Lebih baik aku mati daripada begini terus",
            "aku gak mau hidup lagi",
            "Ga ingin hidup lagi.",
            "kadang saya menyakiti diri sendiri",
            "BUNUH-DIRI",
            "sudah tidak ada gunanya hidup",
            "sering kepikiran mengakhiri hidupku",
            "I want to die",
            "I keep thinking about suicide.",
            "everyone would be better off without me",
            "I don’t want to live any more",
            "i wanna kill   myself",
            "Sometimes I am hurting myself",
            "súicidal thoughts",
            "There's no reason to live",
        ] {
            assert_eq!(kinds(text), [Crisis::SelfHarm], "{text}");
        }
    }

    #[test]
    fn who_is_hurt_or_needs_help_this_minute_is_shown_where_it_is() {
        for text in [
            "saya korban KDRT",
            "sering dipukul suami kalau gula darah saya naik",
            "my husband beats me up",
            "he hits me when I test my sugar",
            "I am afraid of my partner",
            "dia mengancam membunuh saya",
        ] {
            assert_eq!(kinds(text), [Crisis::Abuse], "{text}");
        }
        for text in [
            "tiba-tiba nyeri dada hebat",
            "bapak saya tidak sadarkan diri",
            "gak bisa napas",
            "tolong panggil ambulans",
            "dia kejang-kejang",
            "I can't breathe",
            "she won't wake up",
            "crushing chest pain since this morning",
            "I took too much insulin",
            "he is vomiting blood",
        ] {
            assert_eq!(kinds(text), [Crisis::Emergency], "{text}");
        }
    }

    #[test]
    fn what_is_said_every_day_shows_nothing() {
        for text in [
            "",
            "mati lampu sejak tadi pagi",
            "lampunya mati",
            "killing time in the waiting room",
            "HP mati, baru bisa balas",
            "I cut myself while cooking and it healed slowly",
            "I would die for a piece of cake",
            "dying to see you all",
            "my battery died",
            "sesak napas saya sudah berkurang",
            "I had chest pain two years ago",
            "saya tidak sadar bahwa gula darah naik",
            "percaya diri dan jaga diri",
            "dia tidak mau hidup sendiri",
            "this news hit me hard",
            "dont know, beats me",
            "membunuh waktu di ruang tunggu",
            "deadline besok",
            "the pharmacy is 5 kms away",
            "hidup sehat dengan diabetes",
            "Suci dan Diri",
        ] {
            assert_eq!(crisis_words(text), [], "{text}");
        }
    }

    #[test]
    fn what_is_found_is_said_by_its_place() {
        let text = "Halo! Kadang ingin mati. I can’t breathe";
        let found = crisis_words(text);
        let places: Vec<_> = found.iter().map(|found| text.get(found.from..found.to)).collect();
        assert_eq!(places, [Some("ingin mati"), Some("can’t breathe")], "as it was written");
    }

    #[test]
    fn every_phrase_of_the_lists_is_found_and_is_short() {
        for (kind, phrases) in PHRASES {
            for phrase in *phrases {
                let first: Vec<&str> = phrase.split(' ').filter_map(|word| word.split('|').next()).collect();
                assert!((1..=5).contains(&first.len()), "short: {phrase}");
                assert!(kinds(&first.join(" ")).contains(kind), "found: {phrase}");
                assert!(phrase.chars().all(|c| c.is_ascii_lowercase() || " |".contains(c)), "{phrase}");
            }
        }
    }
}
