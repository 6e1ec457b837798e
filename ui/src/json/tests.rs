//! Both readers read the same, and a damaged answer is refused.

use std::collections::BTreeMap;
use std::fmt::Debug;

use mecum_api::command::{self, Command};
use mecum_api::{ImportInto, Topic};
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Everything {
    yes: bool,
    small: i16,
    big: u64,
    least: i64,
    real: f64,
    text: String,
    maybe: Option<String>,
    list: Vec<Vec<u8>>,
    pair: (u32, [String; 1]),
    map: BTreeMap<String, Option<bool>>,
    topics: Vec<Topic>,
    into: Vec<ImportInto>,
    nothing: (),
}

fn everything() -> Everything {
    Everything {
        yes: true,
        small: -7,
        big: u64::MAX,
        least: i64::MIN,
        real: -0.25e-3,
        text: "Ibu \"Ratna\" \\ 7,8 °C\n\u{1}\t/ \u{1F600}".into(),
        maybe: Some(String::new()),
        list: vec![vec![1, 2, 3], vec![]],
        pair: (4, ["}],".to_owned()]),
        map: [("a".to_owned(), None), ("\u{e9}".to_owned(), Some(false))].into(),
        topics: vec![Topic::Vault, Topic::Record { chart: mecum_domain::ChartId::default() }],
        into: vec![ImportInto::NewChart, ImportInto::Chart { chart: mecum_domain::ChartId::default() }],
        nothing: (),
    }
}

/// Read by both readers: the same value, or refused by both.
fn both<T: DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let ours = read::<T>(text).ok();
    assert_eq!(ours, serde_json::from_str(text).ok(), "both read the same: {text}");
    ours
}

#[test]
fn what_the_general_writer_writes_is_read_back() {
    let value = everything();
    for text in [
        serde_json::to_string(&value).expect("it is written"),
        serde_json::to_string_pretty(&value).expect("it is written with white space"),
    ] {
        assert_eq!(both::<Everything>(&text), Some(value.clone()), "every kind of value comes back");
    }
    assert_eq!(both::<Everything>("{}"), Some(Everything::default()), "what is missing has its default");
    let escaped = "{\"text\":\"\\ud83d\\ude00\\u00e9\\/\\b\\f\"}";
    assert_eq!(both::<Everything>(escaped).map(|e| e.text).as_deref(), Some("\u{1F600}é/\u{8}\u{c}"));
}

#[test]
fn a_field_of_a_newer_client_is_passed_over() {
    let text = r#" { "new" : [ {"deep":[[],{}],"s":"]}\""}, null, -1.5e3, true ] , "small" : 3 } "#;
    assert_eq!(both::<Everything>(text).map(|e| e.small), Some(3), "the rest is read");
}

#[test]
fn a_damaged_answer_is_refused_and_never_a_panic() {
    let text = serde_json::to_string(&everything()).expect("it is written");
    let mut cut = 0;
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let (head, tail) = text.split_at(at);
        assert!(read::<Everything>(head).is_err(), "an answer that ends at {at} is refused");
        for put in ["\"", "}", "[", ",", ":", "\\", "0", "null", "\\ud800"] {
            let _ = read::<Everything>(&format!("{head}{put}{tail}"));
            let mut without = tail.chars();
            without.next();
            let _ = read::<Everything>(&format!("{head}{put}{}", without.as_str()));
        }
        cut += 1;
    }
    assert!(cut > 300, "the whole text was cut: {cut}");
    for wrong in
        ["", "nul", "{} x", "{\"small\":1,,}", "{\"small\":\"1\"}", "{\"small\":1.5}", "{\"small\":99999}"]
    {
        assert_eq!(both::<Everything>(wrong), None, "refused: {wrong}");
    }
}

#[test]
fn every_answer_of_the_contract_is_read_as_the_general_reader_reads_it() {
    fn check<C: Command>() -> usize {
        let text = serde_json::to_string(&C::Output::default()).expect("an answer is written");
        let ours: C::Output = read(&text).unwrap_or_else(|_| panic!("{} is read", C::NAME));
        let again = serde_json::to_string(&ours).expect("an answer is written");
        assert_eq!(again, text, "{} says the same", C::NAME);
        1
    }
    let mut read = 0;
    macro_rules! each {
        ($($name:ident $type:ident,)*) => { $(read += check::<command::$type>();)* };
    }
    mecum_api::for_each_command!(each);
    assert_eq!(read, command::COMMAND_NAMES.len(), "each command once");
}
