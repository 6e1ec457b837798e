//! The payload codec: frozen bytes, every payload comes back, nothing else is read.

use mecum_documents::{DecodeError, Document, Payload};
use mecum_domain::{Batch, Edit, EntryId, Field, FinishedKey, Kind};
use proptest::prelude::*;

use crate::forge::{Dice, actor, add, batch, entry, forge, keep, set, take, write};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn payload_bytes_are_frozen() {
    let mut document = Document::new(actor(1));
    let clear = Edit::Set { entry: entry(7), field: Field::Dose, value: None };
    let payloads = [
        write(&mut document, vec![add(7), keep(9, b"{\"resourceType\":\"Condition\"}")]),
        write(&mut document, vec![set(7, Field::Dose, "850"), set(7, Field::Frequency, "07:00 19:00")]),
        write(&mut document, vec![clear]),
    ];
    let lines: String = payloads.iter().map(|payload| hex(&payload.encode()) + "\n").collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/payload-v1.hex");
    if !std::path::Path::new(path).exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
        std::fs::write(path, &lines).expect("writable");
    }
    let frozen = std::fs::read_to_string(path).expect("the vector file is there");
    assert_eq!(lines, frozen, "stored envelopes of version 1 must be written and read for ever");
    for (line, payload) in frozen.lines().zip(&payloads) {
        let bytes: Vec<u8> = (0..line.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&line[at..at + 2], 16).expect("hex"))
            .collect();
        assert_eq!(Payload::decode(&bytes).as_ref(), Ok(payload), "the frozen bytes say what they said");
        assert_eq!(Payload::raw_change(&bytes), Ok(payload.change()), "the raw change lies where it lay");
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9 ]{0,12}", Just(String::new()), Just("ثلاث مرات يوميا".to_owned()), "\\PC{0,40}"]
}

fn fields() -> impl Strategy<Value = Field> {
    prop::sample::select(&Field::ALL[1..])
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let id = 0_u8..6;
    let new = (id.clone(), prop::sample::select(Kind::ALL), prop::collection::vec((fields(), texts()), 0..6))
        .prop_map(|(n, kind, fields)| Edit::Add { entry: EntryId::from_bytes([n; 16]), kind, fields });
    let change = (id.clone(), fields(), prop::option::of(texts())).prop_map(|(n, field, value)| Edit::Set {
        entry: EntryId::from_bytes([n; 16]),
        field,
        value,
    });
    let finished = (id, prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(n, bytes)| Edit::Keep { key: FinishedKey::from_bytes([n; 16]), bytes });
    prop::collection::vec(prop_oneof![new, change, finished], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_payload_comes_back_and_is_admitted(edits in edits(), at_ms: i64) {
        let mut known = vec![];
        let mut document = Document::new(actor(1));
        for edit in edits {
            // Edits that a caller must not make are errors, and leave the rest as it is.
            if let Ok(authored) = document.author(&Batch { at_ms, edits: vec![edit] }) {
                document = authored.next;
                known.extend(authored.payload);
            }
        }
        let mut other = Document::new(actor(2));
        for payload in &known {
            let bytes = payload.encode();
            let again = Payload::decode(&bytes);
            prop_assert_eq!(again.as_ref(), Ok(payload), "a payload comes back as it was");
            take(&mut other, &[&again.expect("just compared")]);
        }
        prop_assert_eq!(other.heads(), document.heads(), "what was sent is what was written");
        prop_assert!(other.entries().eq(document.entries()), "and reads the same");
        prop_assert!(other.finished().eq(document.finished()), "finished values too");
    }

    #[test]
    fn one_batch_of_many_edits_comes_back(edits in edits()) {
        let mut base = Document::new(actor(1));
        write(&mut base, (0..6).map(|n| Edit::Add { entry: entry(n), kind: Kind::Note, fields: vec![] }).collect());
        let edits: Vec<_> = edits.into_iter().filter(|edit| !matches!(edit, Edit::Add { .. })).collect();
        let authored = base.author(&batch(edits)).expect("fields of known entries are written");
        if let Some(payload) = authored.payload {
            let again = Payload::decode(&payload.encode());
            prop_assert_eq!(again.as_ref(), Ok(&payload), "a batch of many edits comes back as it was");
            let mut other = base.clone();
            take(&mut other, &[&payload]);
            prop_assert_eq!(other.heads(), authored.next.heads(), "and makes the same document");
        }
    }
}

#[test]
fn mutated_payloads_are_refused_or_mean_themselves() {
    let seed = 0x6d65_6375_6d01;
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let mut document = Document::new(actor(1));
    let bases = [
        write(&mut document, vec![add(7), keep(9, b"finished")]).encode(),
        write(&mut document, vec![set(7, Field::Dose, "850"), set(7, Field::Frequency, "daily")]).encode(),
    ];
    let mut refused = 0;
    for _ in 0..6_000 {
        let mut bytes = bases[dice.roll(bases.len())].clone();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            match dice.roll(4) {
                0 => bytes[at] = u8::try_from(dice.roll(256)).expect("a byte"),
                1 => bytes[at] ^= 1 << dice.roll(8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, u8::try_from(dice.roll(256)).expect("a byte")),
            }
        }
        match Payload::decode(&bytes) {
            Ok(payload) => assert_eq!(payload.encode(), bytes, "what is read has one spelling"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 3_000, "most mutations break the checksum: {refused}");
}

#[test]
fn other_spellings_of_a_payload_are_refused() {
    let payload = write(&mut Document::new(actor(1)), vec![add(7)]);
    let bytes = payload.encode();
    let mut trailing = bytes.clone();
    trailing.push(0);
    assert_eq!(Payload::decode(&trailing), Err(DecodeError::Malformed), "bytes after the end");
    let mut indefinite = bytes.clone();
    indefinite[0] = 0x9f;
    indefinite.push(0xff);
    assert_eq!(Payload::decode(&indefinite), Err(DecodeError::Malformed), "an array without a length");
    let mut long = vec![0x98, 5];
    long.extend(&bytes[1..]);
    assert_eq!(Payload::decode(&long), Err(DecodeError::Malformed), "a length in more bytes than needed");
    let mut newer = bytes.clone();
    newer[1] = 2;
    assert_eq!(Payload::decode(&newer), Err(DecodeError::Newer), "a newer version is named as such");
    let mut huge = vec![0x85, 1, 0x40, 0, 0x9b];
    huge.extend([0x7f; 8]);
    assert_eq!(Payload::decode(&huge), Err(DecodeError::Malformed), "a claimed length reserves nothing");
    assert_eq!(
        Payload::decode(&forge(payload.change(), &[add(7)])),
        Ok(payload),
        "the forge itself is honest"
    );
}

#[test]
fn debug_texts_hold_nothing_of_the_record() {
    let payload = write(&mut Document::new(actor(1)), vec![add(7)]);
    let text = format!("{payload:?} {:?}", Document::new(actor(1)));
    assert!(!text.contains("Metformin"), "a log line may hold this: {text}");
}
