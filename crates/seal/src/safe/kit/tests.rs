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

/// How what was typed is read: as the product does it, or without its check.
type Read = fn(&str) -> Result<RecoveryKit, BadKitWords>;

/// Wrong kits that were tried, and how many of them a reading took for a kit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Swept {
    tried: usize,
    taken: usize,
}

impl Swept {
    fn try_on(&mut self, read: Read, wrong: &str) {
        self.tried += 1;
        self.taken += usize::from(read(wrong).is_ok());
    }
}

/// Every position, every word of the list.
fn single_wrong_words(read: Read, seeds: std::ops::Range<u64>) -> Swept {
    let mut swept = Swept::default();
    for seed in seeds {
        let words = kit(seed).to_words();
        for at in 0..KIT_WORDS {
            for other in (0..WORD_COUNT).map(words::word).filter(|other| *other != words[at]) {
                let mut wrong = words;
                wrong[at] = other;
                swept.try_on(read, &wrong.join(" "));
            }
        }
    }
    swept
}

#[test]
fn any_single_wrong_word_of_a_kit_is_caught() {
    let swept = single_wrong_words(RecoveryKit::from_words, 0..4);
    println!("{swept:?} single wrong words");
    assert_eq!(swept.tried, 4 * 13 * 7_775, "each word of the list in each place");
    assert_eq!(swept.taken, 0, "none is taken for a kit");
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

/// Each two words of a kit in each other's place: neighbours, and others.
fn exchanged_words(read: Read, kits: usize) -> (Swept, Swept) {
    let entropy = SeededEntropy::new(51);
    let (mut adjacent, mut others) = (Swept::default(), Swept::default());
    for _ in 0..kits {
        let words = RecoveryKit::make(&entropy).to_words();
        for one in 0..KIT_WORDS {
            for two in one + 1..KIT_WORDS {
                if words[one] == words[two] {
                    continue;
                }
                let mut wrong = words;
                wrong.swap(one, two);
                let swept = if two == one + 1 { &mut adjacent } else { &mut others };
                swept.try_on(read, &wrong.join(" "));
            }
        }
    }
    (adjacent, others)
}

#[test]
fn any_two_exchanged_words_are_caught() {
    let (adjacent, others) = exchanged_words(RecoveryKit::from_words, 2_000);
    println!("exchanges of neighbours: {adjacent:?}, of others: {others:?}");
    assert!(adjacent.tried > 23_000 && others.tried > 120_000, "all of them were tried");
    assert_eq!((adjacent.taken, others.taken), (0, 0), "none is taken for a kit");
    let mut wrong = kit(51).to_words();
    wrong.swap(2, 9);
    assert_eq!(read(&wrong).err(), Some(BadKitWords::WrongCheck), "and it is said what is wrong");
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
fn typed_wrong(read: Read) -> Swept {
    let mut swept = Swept::default();
    for seed in [53, 54] {
        let kit = kit(seed);
        let text = kit.to_words().join(" ");
        for wrong in typos(&text) {
            // A separator may be typed as another one: the words are the same then.
            if as_words(&wrong) == as_words(&text) {
                assert_eq!(read(&wrong).as_ref(), Ok(&kit), "only spaced differently");
                continue;
            }
            swept.try_on(read, &wrong);
        }
    }
    swept
}

fn as_words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn any_single_typed_character_that_is_wrong_is_caught() {
    let swept = typed_wrong(RecoveryKit::from_words);
    println!("{swept:?} typos");
    assert!(swept.tried > 8_000, "at each place, each letter: {}", swept.tried);
    assert_eq!(swept.taken, 0, "none is taken for a kit");
}

/// Thirteen words of the list are a kit, whatever the last one says.
fn without_the_check(text: &str) -> Result<RecoveryKit, BadKitWords> {
    let typed = as_words(text);
    let places = typed
        .iter()
        .enumerate()
        .map(|(at, word)| place_of(word).ok_or(BadKitWords::UnknownWord { position: at + 1 }));
    let places: Vec<u16> = places.collect::<Result<_, _>>()?;
    let Ok([data @ .., _]) = <[u16; KIT_WORDS]>::try_from(places) else {
        return Err(BadKitWords::WrongCount { got: typed.len() });
    };
    Ok(RecoveryKit { data: Zeroizing::new(data) })
}

#[test]
fn control_a_kit_without_its_check_lets_wrong_words_through_and_each_sweep_notices() {
    for seed in 0..4 {
        let kit = kit(seed);
        let words = kit.to_words().join(" ");
        assert_eq!(without_the_check(&words).as_ref(), Ok(&kit), "a printed kit is the same kit without it");
    }
    let single = single_wrong_words(without_the_check, 0..1);
    // All but the four words with a hyphen, which no kit has.
    assert_eq!(single.taken, 13 * 7_771, "each wrong word opens another kit: {single:?}");
    let (adjacent, others) = exchanged_words(without_the_check, 20);
    assert_eq!((adjacent.taken, others.taken), (adjacent.tried, others.tried), "and each exchange");
    let typed = typed_wrong(without_the_check);
    println!("without the check {typed:?} typos");
    assert!(typed.taken > 0, "a typo that makes another word of the list goes through");
    assert!(typed.taken < typed.tried / 2, "most typos make no word: {typed:?}");
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
