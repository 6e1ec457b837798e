//! Kits typed right, typed loosely and typed wrong.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::testing::SeededEntropy;

fn kit(seed: u64) -> RecoveryKit {
    RecoveryKit::make(&SeededEntropy::new(seed))
}

fn digits(kit: &RecoveryKit) -> [u16; KIT_WORDS] {
    let mut out = [check_digit(&*kit.data); KIT_WORDS];
    out[..DATA_WORDS].copy_from_slice(&*kit.data);
    out
}

fn read(words: &[&str]) -> Result<RecoveryKit, BadKitWords> {
    RecoveryKit::from_words(&words.join(" "))
}

#[test]
fn a_kit_reads_back_as_the_same_key() {
    let entropy = SeededEntropy::new(50);
    let mut keys = BTreeSet::new();
    for _ in 0..2_000 {
        let kit = RecoveryKit::make(&entropy);
        let words = kit.to_words();
        assert!(words.iter().all(|word| !word.contains('-')), "no kit has a word with a hyphen");
        let back = read(&words).expect("a printed kit is a kit");
        assert_eq!(back, kit, "the same words");
        assert_eq!(back.key(), kit.key(), "and the same key");
        keys.insert(*kit.key().expose());
    }
    assert_eq!(keys.len(), 2_000, "each kit has its own key");
}

#[test]
fn twelve_words_carry_more_than_128_bits() {
    let printable = (0..WORD_COUNT).filter(|digit| is_printable(*digit)).count();
    assert_eq!(printable, 7_772, "all words of the list but four");
    let bits = f64::from(u32::try_from(printable).expect("small")).log2() * 12.0;
    // Of the drawn twelve, those stay whose check is one of 7,772 out of 7,789 numbers.
    let bits = bits + (7_772f64 / 7_789.0).log2();
    println!("a kit carries {bits:.2} bits");
    assert!(bits > 155.0, "far beyond the 128 bits that nobody can guess: {bits}");
}

/// Every position, every word of the list.
#[test]
fn any_single_wrong_word_of_a_kit_is_caught() {
    let mut tried = 0;
    for seed in 0..4 {
        let words = kit(seed).to_words();
        for at in 0..KIT_WORDS {
            for other in (0..WORD_COUNT).map(words::word).filter(|other| *other != words[at]) {
                let mut wrong = words;
                wrong[at] = other;
                assert!(read(&wrong).is_err(), "word {} of the kit of seed {seed} replaced", at + 1);
                tried += 1;
            }
        }
    }
    println!("{tried} single wrong words");
    assert_eq!(tried, 4 * 13 * 7_775, "each word of the list in each place");
}

/// The reason why, for every kit there is: in a field, `weight × difference` is zero only if one of them is.
#[test]
fn the_check_catches_single_and_exchanged_words_by_arithmetic() {
    let prime = CHECK_PRIME;
    assert!((2..prime).take_while(|n| n * n <= prime).all(|n| !prime.is_multiple_of(n)), "7,789 is a prime");
    assert!(prime >= u32::from(WORD_COUNT), "so two different words are two different numbers");
    let weights: BTreeSet<u32> = (2..).take(DATA_WORDS).chain([prime - 1]).collect();
    assert_eq!(weights.len(), KIT_WORDS, "no two weights are alike: an exchange shows");
    assert!(
        weights.iter().all(|weight| !weight.is_multiple_of(prime)),
        "no weight is zero: a wrong word shows"
    );
    // What the code computes is that sum: each place moves it by exactly its weight.
    let base = [5u16; DATA_WORDS];
    for (at, weight) in (0..DATA_WORDS).zip(2u32..) {
        let mut one_more = base;
        one_more[at] += 1;
        let moved = u32::from(check_digit(&one_more)) + prime - u32::from(check_digit(&base));
        assert_eq!(moved % prime, weight, "place {at}");
    }
}

#[test]
fn any_two_exchanged_words_are_caught() {
    let entropy = SeededEntropy::new(51);
    let (mut adjacent, mut others) = (0, 0);
    for _ in 0..2_000 {
        let words = RecoveryKit::make(&entropy).to_words();
        for one in 0..KIT_WORDS {
            for two in one + 1..KIT_WORDS {
                if words[one] == words[two] {
                    continue;
                }
                let mut wrong = words;
                wrong.swap(one, two);
                let error = read(&wrong).err();
                assert_eq!(error, Some(BadKitWords::WrongCheck), "words {one} and {two} exchanged");
                if two == one + 1 { adjacent += 1 } else { others += 1 }
            }
        }
    }
    println!("{adjacent} exchanges of neighbours, {others} of others");
    assert!(adjacent > 23_000 && others > 120_000, "all of them were tried");
}

/// What the check cannot promise: two independent wrong words pass once in 7,789 times. Shown, so that no text says more.
#[test]
fn two_wrong_words_are_caught_almost_always() {
    let entropy = SeededEntropy::new(52);
    let words = kit(52).to_words();
    let mut passed = 0;
    for _ in 0..40_000 {
        let mut wrong = words;
        wrong[3] = words::word(words::draw(&entropy));
        wrong[8] = words::word(words::draw(&entropy));
        passed += u32::from(wrong != words && read(&wrong).is_ok());
    }
    println!("{passed} of 40,000 double errors passed");
    assert!(passed < 25, "about one in 7,789: {passed}");
}

/// Every letter replaced, left out, doubled by another, or exchanged with the next one.
#[test]
fn any_single_typed_character_that_is_wrong_is_caught() {
    let mut tried = 0;
    for seed in [53, 54] {
        let kit = kit(seed);
        let text = kit.to_words().join(" ");
        for wrong in typos(&text) {
            // A separator may be typed as another one: the words are the same then.
            let as_words = |text: &str| {
                text.split(|c: char| !c.is_alphabetic())
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            if as_words(&wrong) == as_words(&text) {
                assert_eq!(RecoveryKit::from_words(&wrong).as_ref(), Ok(&kit), "only spaced differently");
                continue;
            }
            assert!(RecoveryKit::from_words(&wrong).is_err(), "a typo in the kit of seed {seed}");
            tried += 1;
        }
    }
    println!("{tried} typos");
    assert!(tried > 8_000, "at each place, each letter: {tried}");
}

fn typos(text: &str) -> Vec<String> {
    let letters = || ('a'..='z').chain([' ', '-']);
    let mut out = Vec::new();
    for at in 0..text.len() {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let here = &text[at..=at];
        out.push(format!("{before}{after}"));
        for c in letters() {
            out.push(format!("{before}{c}{here}{after}"));
            if !here.starts_with(c) {
                out.push(format!("{before}{c}{after}"));
            }
        }
        if let Some(next) = after.get(..1)
            && next != here
        {
            out.push(format!("{before}{next}{here}{}", &after[1..]));
        }
    }
    out
}

#[test]
fn words_are_read_however_they_are_set() {
    let kit = kit(55);
    let words = kit.to_words();
    let numbered = (1..).zip(words).map(|(n, word)| format!("{n}. {word}")).collect::<Vec<_>>().join("\r\n");
    for text in [
        words.join(" "),
        words.join("-"),
        words.join(", "),
        words.join("\u{a0}\u{2013} "),
        format!("  {}\n", words.join("\n\t").to_uppercase()),
        numbered,
    ] {
        assert_eq!(RecoveryKit::from_words(&text).as_ref(), Ok(&kit), "the same words");
    }
}

#[test]
fn what_is_no_kit_is_refused_with_the_reason() {
    let words = kit(56).to_words();
    assert_eq!(read(&[]).err(), Some(BadKitWords::WrongCount { got: 0 }), "nothing typed yet");
    assert_eq!(read(&words[..12]).err(), Some(BadKitWords::WrongCount { got: 12 }), "the check is missing");
    let twice = [words, words].concat();
    assert_eq!(read(&twice).err(), Some(BadKitWords::WrongCount { got: 26 }), "the paper twice");
    let mut strange = words;
    strange[4] = "xyzzy";
    assert_eq!(read(&strange).err(), Some(BadKitWords::UnknownWord { position: 5 }), "the fifth is no word");
    let run_together = words.join(" ").replacen(' ', "", 1);
    assert_eq!(
        RecoveryKit::from_words(&run_together).err(),
        Some(BadKitWords::UnknownWord { position: 1 }),
        "two words without a blank are no word, and that is said before the count"
    );
    let mut hyphened = words;
    hyphened[6] = "t-shirt";
    assert_eq!(
        read(&hyphened).err(),
        Some(BadKitWords::UnknownWord { position: 7 }),
        "no kit has a word with a hyphen"
    );
    let mut wrong = words;
    wrong[0] = if words[0] == "abacus" { "zoom" } else { "abacus" };
    assert_eq!(read(&wrong).err(), Some(BadKitWords::WrongCheck), "a word of the list, but not this one");
    let long = "abacus ".repeat(100_000);
    assert_eq!(
        RecoveryKit::from_words(&long).err(),
        Some(BadKitWords::WrongCount { got: 100_000 }),
        "a pasted book is only counted"
    );
}

#[test]
fn no_error_and_no_debug_output_tells_a_word() {
    let kit = kit(57);
    let words = kit.to_words();
    let mut strange = words;
    strange[2] = "secretword";
    let mut wrong = words;
    wrong.swap(0, 1);
    for error in [read(&strange), read(&wrong), read(&words[1..])].map(|r| r.expect_err("no kit")) {
        let said = format!("{error} {error:?}");
        assert!(words.iter().chain(&["secretword"]).all(|w| !said.split(' ').any(|s| s == *w)), "{said}");
    }
    assert_eq!(format!("{kit:?} {:?}", kit.key()), "RecoveryKit(..) RecoveryKey(..)", "no words, no key");
}

/// Says what it was given.
struct Script(std::sync::Mutex<Vec<u8>>);

impl Entropy for Script {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().expect("one thread");
        out.copy_from_slice(&left.drain(..out.len()).collect::<Vec<_>>());
    }
}

#[test]
fn a_check_that_is_no_word_is_drawn_again() {
    // Entropy that first says twelve words whose check would be 7,776 or more, and then others.
    let mut data = [0u16; DATA_WORDS];
    data[0] = 3_894; // 2 · 3,894 + 1 = 7,789: check 0
    assert_eq!(check_digit(&data), 0, "the sum wraps at the prime");
    data[0] -= 1;
    assert_eq!(check_digit(&data), 7_787, "a number beyond the list");
    let script = [data, [7; DATA_WORDS]].concat().iter().flat_map(|d| d.to_be_bytes()).collect::<Vec<_>>();
    let kit = RecoveryKit::make(&Script(std::sync::Mutex::new(script)));
    assert_eq!(*kit.data, [7; DATA_WORDS], "the first twelve were put away whole");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_kit_with_any_one_word_replaced_is_caught(
        seed in any::<u64>(),
        at in 0..KIT_WORDS,
        by in 1..WORD_COUNT,
    ) {
        let kit = kit(seed);
        let mut wrong = kit.to_words();
        wrong[at] = words::word((digits(&kit)[at] + by) % WORD_COUNT);
        prop_assert!(read(&wrong).is_err(), "seed {} word {}", seed, at);
        prop_assert_eq!(read(&kit.to_words()), Ok(kit));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,300}") {
        prop_assert!(RecoveryKit::from_words(&text).is_err());
    }
}
