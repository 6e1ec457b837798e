use proptest::prelude::*;

use super::*;
use crate::{DecodeContainerError, read};

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"collection","identifier":{"system":"urn:x","value":"7"},"entry":[
 {"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","id":"a","name":[{"family":"Sari","given":["Ratna"]}],"birthDate":"1958-11-23","gender":"female","identifier":[{"system":"s","value":"v"}]}},
 {"fullUrl":"urn:uuid:b","resource":{ "resourceType" : "Observation", "id":"b","status":"final","subject":{"reference":"urn:uuid:a"},"code":{"text":"HbA1c (finding)"},"effectiveDateTime":"2024-05-02","valueQuantity":{"value":7.80,"unit":"%"}, "performer":[{"reference":"Organization/c"}] }},
 {"resource":{"resourceType":"Organization","id":"c","name":"RS Tirta Asih"}},
 {"resource":{"resourceType":"Organization","id":"c","name":"RS Tirta Asih"}},
 {"request":{"method":"DELETE","url":"Basic/1"}}
]}"#;

fn error(text: &str) -> ReadBundleError {
    read_bundle(text.as_bytes()).expect_err("must be refused")
}

fn in_entry(resource: &str) -> String {
    format!("{{\"resourceType\":\"Bundle\",\n\"entry\":[{{}},\n{{\"resource\":{resource}}}]}}")
}

#[test]
fn a_bundle_is_kept_whole_and_names_its_person() {
    let bundle = read_bundle(BUNDLE.as_bytes()).expect("a good bundle");
    assert_eq!(bundle.source, "urn:x|7", "the bundle's own identifier");
    assert_eq!(
        (bundle.resources.len(), bundle.repeated, bundle.without_resource),
        (3, 1, 1),
        "all is counted"
    );
    let subject = bundle.subject.expect("it names a patient");
    assert_eq!(subject.name.as_deref(), Some("Ratna Sari"), "given before family");
    assert_eq!(subject.identifiers, ["s|v"], "identifiers with their system");
    let observation = bundle.resources.get(1).expect("the observation");
    assert_eq!(observation.year, 2024, "year of its own date");
    let container = Kept::decode(&observation.bytes).expect("a container");
    assert!(container.verbatim.starts_with("{ \"resourceType\" : "), "blanks are kept");
    let reading = read(&observation.bytes).expect("reads");
    assert_eq!((reading.title.as_str(), reading.value.as_deref()), ("HbA1c", Some("7.80")), "as printed");
    assert_eq!(reading.organization.as_deref(), Some("RS Tirta Asih"), "named from the bundle");
}

#[test]
fn a_single_resource_is_a_bundle_of_one() {
    let bundle = read_bundle(br#" {"resourceType":"Patient","id":"1","name":[{"text":"Laras"}]} "#)
        .expect("a patient");
    assert_eq!(
        (bundle.source.as_str(), bundle.resources.len(), bundle.people),
        ("file", 1, 1),
        "one resource, from a file"
    );
}

#[test]
fn the_source_of_an_entry_is_the_base_of_its_full_url() {
    let entry = |url: &str| {
        format!(
            "{{\"fullUrl\":\"{url}\",\"resource\":{{\"resourceType\":\"Basic\",\"id\":\"1\",\"meta\":{{\"versionId\":\"1\"}}}}}}"
        )
    };
    let (one, two) = (entry("https://a.example/fhir/Basic/1"), entry("https://b.example/Basic/1"));
    let text = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{one},{two}]}}");
    let bundle = read_bundle(text.as_bytes()).expect("a good bundle");
    assert_eq!(bundle.source, "https://a.example/fhir", "the first base names the bundle");
    let keys: Vec<_> = bundle.resources.iter().map(|kept| kept.key).collect();
    assert_eq!(keys.len(), 2, "the same id of two servers is two resources");
    assert_ne!(keys.first(), keys.get(1), "under two keys");
}

#[test]
fn other_bytes_under_one_id_and_version_are_both_kept() {
    let entry = |text: &str| {
        format!(
            "{{\"resource\":{{\"resourceType\":\"Basic\",\"id\":\"1\",\"meta\":{{\"versionId\":\"1\"}},\"x\":\"{text}\"}}}}"
        )
    };
    let text = format!(
        "{{\"resourceType\":\"Bundle\",\"identifier\":{{\"value\":\"b\"}},\"entry\":[{},{},{}]}}",
        entry("one"),
        entry("two"),
        entry("two")
    );
    let bundle = read_bundle(text.as_bytes()).expect("a good bundle");
    assert_eq!(
        (bundle.resources.len(), bundle.repeated),
        (2, 1),
        "nothing is dropped because a sender reused a version"
    );
}

#[test]
fn the_version_is_the_senders_and_a_files_version_is_its_bytes() {
    let key = |identifier: &str, blank: &str| {
        let text = format!(
            "{{\"resourceType\":\"Bundle\",{identifier}\"entry\":[{{\"resource\":{{\"resourceType\":\"Basic\",{blank}\"id\":\"1\",\"meta\":{{\"versionId\":\"3\"}}}}}}]}}"
        );
        read_bundle(text.as_bytes()).expect("a good bundle").resources.first().map(|kept| kept.key)
    };
    let named = "\"identifier\":{\"system\":\"s\",\"value\":\"b\"},";
    assert_eq!(key(named, ""), key(named, " "), "a named source vouches for its versions");
    assert_ne!(key("", ""), key("", " "), "a file vouches for nothing but its bytes");
}

#[test]
fn errors_name_the_place() {
    use ReadBundleError as E;
    use ResourceProblem as P;
    assert_eq!(error(""), E::Empty, "no bytes");
    assert_eq!(error("\u{feff} \n"), E::Empty, "blanks only");
    assert_eq!(
        read_bundle(b"{\"a\":\xff}").expect_err("refused"),
        E::NotUtf8 { byte: 5 },
        "the byte is named"
    );
    assert_eq!(
        error("{\n \"resourceType\" \"Bundle\"}"),
        E::Syntax { line: 2, column: 17 },
        "line and column"
    );
    assert_eq!(
        error("{\"resourceType\":\"Bundle\",\n\"entry\":["),
        E::Truncated { line: 2, column: 9 },
        "cut off"
    );
    assert_eq!(error("{} x"), E::Syntax { line: 1, column: 4 }, "something follows");
    assert_eq!(error("[1]"), E::NotABundle { found: "a list" }, "a list");
    assert_eq!(error("{}"), E::NotABundle { found: "an object without a resource type" }, "any object");
    let alone = r#"{"resourceType":"Spaceship","id":"1"}"#;
    assert_eq!(error(alone), E::NotABundle { found: "an object of no type that FHIR has" }, "no resource");
    let beside = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{alone}}}]}}");
    assert_eq!(
        read_bundle(beside.as_bytes()).expect("a bundle").resources.len(),
        1,
        "in a bundle it is kept"
    );
    assert_eq!(error("PK\u{3}\u{4}"), E::Syntax { line: 1, column: 1 }, "an archive");
    let wrong = |place: &str, line, problem| E::WrongResource { place: place.into(), line, problem };
    assert_eq!(
        error(r#"{"resourceType":"Bundle","entry":{}}"#),
        wrong("entry", 1, P::NotAList),
        "entry is a list"
    );
    assert_eq!(
        error(r#"{"resourceType":"Bundle","entry":[7]}"#),
        wrong("entry[0]", 1, P::NotAnObject),
        "of objects"
    );
    let place = "entry[1].resource";
    assert_eq!(error(&in_entry("[]")), wrong(place, 3, P::NotAnObject), "a resource is an object");
    assert_eq!(error(&in_entry("{\"id\":\"1\"}")), wrong(place, 3, P::NoType), "with a type");
    assert_eq!(error(&in_entry(r#"{"resourceType":"<b>"}"#)), wrong(place, 3, P::NoType), "that is a name");
    assert_eq!(
        error(&in_entry(r#"{"resourceType":"Basic","a":1,"a":2}"#)),
        wrong(place, 3, P::DuplicateKey),
        "once"
    );
    let deep = "[".repeat(100) + &"]".repeat(100);
    let deep = format!("{{\"resourceType\":\"Basic\",\"a\":{deep}}}");
    assert_eq!(error(&in_entry(&deep)), wrong(place, 3, P::TooDeep), "not too deep");
    assert_eq!(
        error(&in_entry(r#"{"resourceType":"Basic","a":"\ud800"}"#)),
        wrong(place, 3, P::BrokenText),
        "a text"
    );
    let bytes = vec![b' '; MAX_BUNDLE_BYTES + 1];
    assert_eq!(read_bundle(&bytes).expect_err("refused"), E::TooLarge { limit: MAX_BUNDLE_BYTES }, "bounded");
    let large = format!("{{\"resourceType\":\"Binary\",\"data\":\"{}\"}}", "A".repeat(MAX_RESOURCE_BYTES));
    assert_eq!(error(&in_entry(&large)), wrong(place, 3, P::TooLarge), "one resource is bounded too");
    assert!(
        !error(&in_entry(r#"{"name":"Ratna"}"#)).to_string().contains("Ratna"),
        "no error repeats the record"
    );
}

#[test]
fn deep_nesting_and_huge_numbers_end_in_an_answer() {
    let deep = "[".repeat(1_000_000);
    assert!(matches!(error(&deep), ReadBundleError::Truncated { .. }), "nesting does not exhaust the stack");
    let closed = "[".repeat(500_000) + &"]".repeat(500_000);
    assert_eq!(error(&closed), ReadBundleError::NotABundle { found: "a list" }, "nor does closed nesting");
    let huge = format!(
        r#"{{"resourceType":"Observation","valueQuantity":{{"value":1{},"unit":"x"}}}}"#,
        "0".repeat(5_000)
    );
    let bundle = read_bundle(huge.as_bytes()).expect("huge numbers are JSON");
    let reading = read(&bundle.resources.first().expect("kept").bytes).expect("reads");
    assert_eq!(reading.numeric, None, "a number beyond measure is no point of a trend");
}

#[test]
fn of_several_people_the_one_it_is_about_is_chosen_and_all_are_counted() {
    let text = r#"{"resourceType":"Bundle","entry":[
      {"resource":{"resourceType":"Patient","id":"1","name":[{"text":"Other"}]}},
      {"resource":{"resourceType":"Patient","id":"2","name":[{"text":"Bima"}]}},
      {"resource":{"resourceType":"Condition","id":"3","subject":{"reference":"Patient/2"}}}]}"#;
    let bundle = read_bundle(text.as_bytes()).expect("a good bundle");
    assert_eq!(bundle.people, 2, "both are counted");
    assert_eq!(
        bundle.subject.and_then(|subject| subject.name).as_deref(),
        Some("Bima"),
        "whom the record is about"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_cut_bundle_is_refused_wherever_it_is_cut(at in 0..BUNDLE.len()) {
        let result = read_bundle(BUNDLE.as_bytes().get(..at).expect("within"));
        let told = matches!(result, Err(ReadBundleError::Truncated { .. } | ReadBundleError::Empty));
        prop_assert!(told, "cut at {at} answers {result:?}");
    }

    #[test]
    fn changed_bytes_never_panic_and_what_is_read_can_be_kept(changes in prop::collection::vec((0..BUNDLE.len(), any::<u8>()), 1..8)) {
        let mut bytes = BUNDLE.as_bytes().to_vec();
        for (at, byte) in changes {
            *bytes.get_mut(at).expect("within") = byte;
        }
        if let Ok(bundle) = read_bundle(&bytes) {
            for kept in &bundle.resources {
                prop_assert!(Kept::decode(&kept.bytes).is_ok(), "kept bytes decode");
                prop_assert!(!read(&kept.bytes).expect("kept bytes read").title.is_empty(), "every entry has a title");
            }
        }
    }

    #[test]
    fn changed_containers_never_panic(at in 0..400usize, byte in any::<u8>()) {
        let bundle = read_bundle(BUNDLE.as_bytes()).expect("a good bundle");
        let mut bytes = bundle.resources.get(1).expect("kept").bytes.clone();
        let before = bytes.clone();
        let at = at % bytes.len();
        *bytes.get_mut(at).expect("within") = byte;
        match Kept::decode(&bytes) {
            Ok(_) => prop_assert!(read(&bytes).is_ok(), "what decodes also reads"),
            Err(DecodeContainerError::Malformed | DecodeContainerError::TooNew) => prop_assert_ne!(before, bytes),
        }
    }
}
