//! Rows of lists, summaries and what goes out, as a vault keeps them, frozen.

use mecum_faults::Frozen;
use mecum_seal::{DeviceId, DocumentId, SpaceId};

use super::*;
use crate::frozen::{is_kept, kept};
use crate::stage::Outgoing;

fn full() -> Row {
    let text = |text: &str| Some(text.to_owned());
    Row {
        key: ItemKey::Finished([1; 16]),
        kind: Kind::LabResult.code(),
        resource_type: "Observation".to_owned(),
        title: "HbA1c".to_owned(),
        value: text("7.80"),
        unit: text("%"),
        flag: flag_code(Flag::High),
        date: text("2026-03-02"),
        status: text("final"),
        trend: text("4548-4"),
        numbers: vec!["7.80".to_owned()],
        range: Some((text("4.0"), None, text("under 6"))),
        author: text("dr. Maya Lestari"),
        organization: text("RS Tirta Asih"),
        device: DeviceId::from_bytes([2; 16]),
        at_ms: 1_788_854_400_000,
        own_seq: 300,
        space: SpaceId::from_bytes([3; 16]),
        document: DocumentId::from_bytes([4; 16]),
        deleted: text("a mistake"),
        clashes: vec![Field::Dose.code(), Field::Text.code()],
        extra: vec![(Field::Dose.code(), "500".to_owned())],
        arrived: 77,
        side: None,
    }
}

fn bare() -> Row {
    Row {
        key: ItemKey::Entry([5; 16]),
        kind: Kind::Note.code(),
        value: None,
        unit: None,
        flag: 0,
        date: None,
        status: None,
        trend: None,
        numbers: vec![],
        range: None,
        author: None,
        organization: None,
        own_seq: 0,
        deleted: None,
        clashes: vec![],
        extra: vec![],
        ..full()
    }
}

#[test]
fn rows_summaries_and_what_goes_out_are_written_with_the_frozen_bytes_and_read_from_them() {
    let need = |kind, value: Option<&str>| StoredNeed {
        kind,
        key: ItemKey::Entry([6; 16]),
        title: "Metformin".to_owned(),
        value: value.map(str::to_owned),
        flag: flag_code(Flag::Clash),
        date: value.map(|_| "2026".to_owned()),
    };
    let summary = ChartSummary {
        name: "Laras".to_owned(),
        born: Some("1988-02-11".to_owned()),
        relation: "own".to_owned(),
        colour: "teal".to_owned(),
        entries: 300,
        conditions: vec!["Hypertension".to_owned()],
        allergies: vec!["Penicillin".to_owned()],
        allergy_clash: true,
        needs: vec![need(0, None), need(1, Some("7.80 %"))],
        latest: vec![full(), bare()],
    };
    let outgoing = Outgoing {
        space: SpaceId::from_bytes([3; 16]),
        seq: 300,
        key: Some(ItemKey::Entry([5; 16])),
        title: "HbA1c".to_owned(),
        things: 2,
        at_ms: 1_788_854_400_000,
    };
    let nothing = Outgoing { key: None, ..outgoing.clone() };
    let written = [
        ("row", kept(&full())),
        ("row of few fields", kept(&bare())),
        ("summary", kept(&summary)),
        ("summary as it is stored", summary.stored()),
        ("summary of nobody", kept(&ChartSummary::default())),
        ("goes out", kept(&outgoing)),
        ("goes out and is about no entry", kept(&nothing)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "views-v1.txt", &written);
    assert_eq!(minicbor::decode::<Row>(frozen.get("row")).ok(), Some(full()), "every field");
    assert_eq!(minicbor::decode::<Row>(frozen.get("row of few fields")).ok(), Some(bare()), "or few");
    assert_eq!(minicbor::decode::<ChartSummary>(frozen.get("summary")).ok().as_ref(), Some(&summary));
    let stored = ChartSummary::of_stored(frozen.get("summary as it is stored"));
    assert_eq!(stored.ok(), Some(summary), "also deflated");
    assert!(is_kept::<ChartSummary>(frozen.get("summary of nobody")), "and of nobody");
    for name in ["goes out", "goes out and is about no entry"] {
        assert!(is_kept::<Outgoing>(frozen.get(name)), "{name} is read");
    }
}
