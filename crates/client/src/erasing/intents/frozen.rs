//! Decisions and what was done, as a vault keeps them, frozen.

use mecum_faults::Frozen;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn decisions_and_what_was_done_are_written_with_the_frozen_bytes_and_read_from_them() {
    let document = |byte| DocumentId::from_bytes([byte; 16]);
    let decided = Intent {
        id: [1; 16],
        chart: [2; 16],
        kind: code_of(ErasureKind::Erase),
        key: Some(ItemKey::Entry([3; 16])),
        document: None,
        reason: "the wrong person".to_owned(),
        at_ms: 1_788_854_400_000,
        by: None,
        refused: None,
        section: Section::Results.code(),
        copied: None,
    };
    let begun = Intent {
        kind: code_of(ErasureKind::ToSensitive),
        key: Some(ItemKey::Finished([4; 16])),
        by: Some(document(5)),
        refused: Some("error-document".to_owned()),
        copied: Some(vec![Hash32::from_bytes([6; 32])]),
        ..decided.clone()
    };
    let behind = Intent { key: None, document: Some(document(7)), ..decided.clone() };
    let moved = BTreeSet::from([ItemKey::Entry([3; 16])]);
    let done = Erased::new(ErasureKind::FromSensitive, "is no secret", &moved, 2);
    let own = Erased {
        at_ms: 1_788_854_400_000,
        space: Some(SpaceId::from_bytes([8; 16])),
        account: Some(AccountId::from_bytes([9; 16])),
        id: vec![1; 16],
        ..done.clone()
    };
    let written = [
        ("decision", kept(&decided)),
        ("decision that has begun", kept(&begun)),
        ("void words to be left behind", kept(&behind)),
        ("done elsewhere", kept(&done)),
        ("done here", kept(&own)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "decisions-v1.txt", &written);
    for (name, _) in &written[..3] {
        assert!(is_kept::<Intent>(frozen.get(name)), "{name} is read");
    }
    for (name, _) in &written[3..] {
        assert!(is_kept::<Erased>(frozen.get(name)), "{name} is read");
    }
    let read: Intent = minicbor::decode(frozen.get("decision that has begun")).expect("an old decision");
    assert_eq!((read.kind(), read.chart(), read.key), (ErasureKind::ToSensitive, begun.chart(), begun.key));
    assert_eq!((read.by, read.at_ms, &read.reason), (begun.by, begun.at_ms, &begun.reason));
}
