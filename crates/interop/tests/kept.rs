//! A kept resource as bytes, frozen: what an import writes and what is shown of it, and the key that every device must work out.

use mecum_faults::Frozen;
use mecum_interop::{Kept, key_of, read_bundle};

/// A file that names its source, and one that names none; a resource with a version, one without an id, one that names others.
const FILES: [(&str, &str); 2] = [
    (
        "named",
        r#"{"resourceType":"Bundle","type":"collection","identifier":{"value":"rs-tirta-asih"},"entry":[
{"fullUrl":"https://rs.example/fhir/Condition/c","resource":{ "resourceType": "Condition", "id": "c", "meta": {"versionId": "3"}, "code": {"text": "Hypertension"}, "recorder": {"reference": "Practitioner/d"}, "onsetDateTime": "2020" }},
{"fullUrl":"urn:uuid:0e5f6a52-7b1c-4f2e-9d3a-1a2b3c4d5e6f","resource":{"resourceType":"Observation","status":"final","code":{"text":"HbA1c"},"valueQuantity":{"value":7.80,"unit":"%"}}},
{"fullUrl":"https://rs.example/fhir/Practitioner/d","resource":{"resourceType":"Practitioner","id":"d","name":[{"text":"dr. Maya Lestari"}]}}]}"#,
    ),
    (
        "a file",
        r#"{"resourceType":"Bundle","type":"collection","entry":[
{"resource":{"resourceType":"AllergyIntolerance","id":"a","meta":{"versionId":"3"},"code":{"text":"Penicillin"}}}]}"#,
    ),
];

#[test]
fn what_an_import_keeps_is_written_with_the_frozen_bytes_and_read_from_them() {
    let mut written = Vec::new();
    let mut all = Vec::new();
    for (file, text) in FILES {
        let bundle = read_bundle(text.as_bytes()).expect("a small bundle");
        for (at, kept) in bundle.resources.into_iter().enumerate() {
            written.push((format!("{file} {at} {}", kept.resource_type), kept.bytes.clone()));
            written.push((format!("{file} {at} key"), kept.key.as_bytes().to_vec()));
            all.push(kept);
        }
    }
    assert!(all.len() >= 4, "every resource is kept: {}", all.len());
    let named: Vec<_> = written.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "kept-v1.txt", &named);
    for (pair, kept) in written.chunks(2).zip(&all) {
        let (bytes, key) = (frozen.get(&pair[0].0), frozen.get(&pair[1].0));
        let read = Kept::decode(bytes).expect("an old container is still one");
        assert!(FILES.iter().any(|(_, file)| file.contains(read.verbatim)), "{}: byte for byte", pair[0].0);
        let known = key_of(bytes).expect("it says its key");
        assert_eq!((known.as_bytes().as_slice(), known), (key, kept.key), "{}", pair[1].0);
    }
    let condition = Kept::decode(frozen.get(&written[0].0)).expect("a container");
    assert_eq!(
        condition.display("Practitioner/d"),
        Some("dr. Maya Lestari"),
        "with the names of what it points to"
    );
}
