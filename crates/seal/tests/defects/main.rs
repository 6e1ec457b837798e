//! Envelopes with exactly one thing wrong: frozen bytes, and the refusal that each must get for ever.
//!
//! `tests/vectors/envelope-defects.json` holds them; with `MECUM_WRITE_VECTORS=1` a missing file is written anew by
//! the generator here, and an existing one never is. The generator writes CBOR, HKDF and ChaCha20-Poly1305 by itself,
//! so that it can seal what the product would not; the product only reads.

use std::path::PathBuf;

use mecum_seal::{DocumentKey, Envelope, EpochKey, OpenEnvelopeError, ParseEnvelopeError};
use serde_json::Value;

mod good;
mod make;

use make::make_defects;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn field<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} is a text"))
}

fn frozen() -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/envelope-defects.json");
    if !path.exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&make_defects()).expect("plain JSON");
        std::fs::write(&path, text + "\n").expect("writes");
    }
    let text = std::fs::read_to_string(&path).expect("the vectors are in the repository");
    serde_json::from_str(&text).expect("a list")
}

/// What the product says of it, as the vectors write it.
fn verdict(bytes: &[u8], key: [u8; 32]) -> String {
    let envelope = match Envelope::parse(bytes) {
        Ok(envelope) => envelope,
        Err(error) => return format!("parse: {error:?}"),
    };
    let opened = envelope.open(&DocumentKey::from_bytes(key));
    assert_eq!(opened, envelope.open(&EpochKey::from_bytes(key)), "whatever the key is called");
    match opened {
        Ok(plaintext) => format!("opens: {}", hex(&plaintext)),
        Err(error) => format!("open: {error:?}"),
    }
}

#[test]
fn each_frozen_one_defect_envelope_is_refused_for_its_defect() {
    let vectors = frozen();
    let (good, defects) = vectors.split_first().expect("at least the good one");
    let judge = |v: &Value| {
        let key = unhex(field(v, "key")).try_into().expect("32 bytes");
        verdict(&unhex(field(v, "envelope")), key)
    };
    let opened = judge(good);
    assert_eq!(opened, field(good, "refusal"), "control: without a defect it opens");
    println!("proof-control: without a defect it opens");
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for v in defects {
        let name = field(v, "name");
        let said = judge(v);
        assert_eq!(said, field(v, "refusal"), "{name}");
        assert_ne!(said, opened, "{name}: a defect is never overlooked");
        let kind = said.split('(').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    println!("{} one-defect envelopes: {kinds:?}", defects.len());
    println!("proof: {{\"test\":14,\"cases\":{},\"failures\":0}}", defects.len());
    assert!(defects.len() >= 150, "none was taken out: {}", defects.len());
    for kind in [
        format!("parse: {:?}", ParseEnvelopeError::Malformed),
        format!("parse: {:?}", ParseEnvelopeError::NotCanonical),
        format!("parse: {:?}", ParseEnvelopeError::Trailing),
        format!("parse: {:?}", ParseEnvelopeError::BadLength),
        format!("parse: {:?}", ParseEnvelopeError::NoSequence),
        "parse: UnknownVersion".to_owned(),
        format!("open: {:?}", OpenEnvelopeError::NotThisKey),
        format!("open: {:?}", OpenEnvelopeError::Damaged),
        format!("open: {:?}", OpenEnvelopeError::BadPadding),
    ] {
        assert!(kinds.contains_key(&kind), "{kind} is among the refusals");
    }
}

#[test]
fn the_frozen_defects_are_different_and_each_differs_from_the_good_envelope() {
    let vectors = frozen();
    let distinct =
        |of: fn(&Value) -> String| vectors.iter().map(of).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(distinct(|v| field(v, "name").to_owned()), vectors.len(), "each has its own name");
    let both = distinct(|v| field(v, "envelope").to_owned() + field(v, "key"));
    assert_eq!(both, vectors.len(), "and is its own case");
}

#[test]
fn the_generator_still_makes_the_frozen_defects() {
    let made = make_defects();
    for frozen in frozen() {
        let name = field(&frozen, "name");
        let again = made.iter().find(|v| field(v, "name") == name);
        assert_eq!(again, Some(&frozen), "{name}: made the same today");
    }
}
