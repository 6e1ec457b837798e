use mecum_domain::EntryId;
use mecum_seal::{DeviceId, DocumentId, SpaceId};

use super::*;

fn row(number: u8, kind: Kind, title: &str, date: &str) -> Row {
    Row {
        key: ItemKey::Entry(*EntryId::from_bytes([number; 16]).as_bytes()),
        kind: kind.code(),
        resource_type: String::new(),
        title: title.into(),
        value: Some("7.8".into()),
        unit: Some("%".into()),
        flag: 0,
        date: Some(date.into()),
        status: None,
        trend: None,
        numbers: Vec::new(),
        range: None,
        author: None,
        organization: None,
        device: DeviceId::from_bytes([3; 16]),
        at_ms: 0,
        own_seq: 0,
        space: SpaceId::from_bytes([1; 16]),
        document: DocumentId::from_bytes([2; 16]),
        deleted: None,
        clashes: Vec::new(),
        extra: Vec::new(),
        arrived: 100,
        side: None,
    }
}

fn result(number: u8, title: &str, date: &str, flag: Flag) -> Row {
    let trend = Some(format!("text|{title}"));
    Row {
        flag: flag_code(flag),
        trend,
        key: ItemKey::Finished([number; 16]),
        ..row(number, Kind::LabResult, title, date)
    }
}

fn chart(rows: Vec<Row>) -> ChartRows {
    let mut chart = ChartRows::default();
    for row in rows {
        chart.put(row);
    }
    chart
}

#[test]
fn a_clash_comes_before_news() {
    let dose = Row {
        clashes: vec![Field::Dose.code()],
        ..row(1, Kind::MedicationStatement, "Amlodipine", "2020-01-01")
    };
    let rows = chart(vec![dose, result(2, "HbA1c", "2026-09-08", Flag::High)]);
    let kinds: Vec<_> = summarise(&rows, 0).needs.iter().map(StoredNeed::kind).collect();
    assert_eq!(kinds, [NeedKind::Clash, NeedKind::Result], "safety first");
}

#[test]
fn only_the_newest_of_a_series_in_the_last_panel_is_news() {
    let rows = chart(vec![
        result(1, "HbA1c", "2016-09-08", Flag::High),
        result(2, "HbA1c", "2026-09-08", Flag::High),
        result(3, "LDL", "2026-09-01", Flag::InRange),
        result(4, "Potassium", "2019-01-01", Flag::Low),
        Row { arrived: 10, ..result(5, "TSH", "2026-09-08", Flag::Low) },
    ]);
    let summary = summarise(&rows, 50);
    let titles: Vec<_> =
        summary.needs.iter().map(|need| (need.title.as_str(), need.value.as_deref())).collect();
    assert_eq!(titles, [("HbA1c", Some("7.8 %"))], "old, in range or seen results are no news");
}

#[test]
fn allergies_are_said_once_with_reaction_and_year() {
    let rash = vec![(Field::Reaction.code(), "Rash (moderate, 2011-05)".to_owned())];
    let rows = chart(vec![
        Row { extra: rash.clone(), ..row(1, Kind::AllergyIntolerance, "Penicillin", "2011") },
        Row { extra: rash, ..row(2, Kind::AllergyIntolerance, "penicillin", "2011-05") },
        Row { flag: flag_code(Flag::EnteredInError), ..row(3, Kind::AllergyIntolerance, "Nuts", "2011") },
        Row { status: Some("resolved".into()), ..row(4, Kind::AllergyIntolerance, "Milk", "2011") },
    ]);
    assert_eq!(summarise(&rows, 0).allergies.len(), 1, "said twice is one, refuted and resolved are none");
    assert!(
        summarise(&rows, 0).allergies.iter().all(|text| text.to_lowercase() == "penicillin, rash 2011"),
        "in words"
    );
}

#[test]
fn the_person_heads_the_chart_and_is_in_no_list() {
    let extra =
        vec![(Field::Name.code(), "Ibu Ratna".to_owned()), (Field::Relation.code(), "mother".to_owned())];
    let rows = chart(vec![
        Row { extra, ..row(1, Kind::Patient, "Ibu Ratna", "2026-01-01") },
        row(2, Kind::Note, "Slept well", "2026-01-02"),
        Row { deleted: Some("twice".into()), ..row(3, Kind::Note, "Slept well", "2026-01-02") },
    ]);
    let summary = summarise(&rows, 0);
    assert_eq!((summary.name.as_str(), summary.relation.as_str()), ("Ibu Ratna", "mother"), "who it is");
    assert_eq!((summary.entries, summary.latest.len()), (1, 1), "one note stands");
    let bytes = minicbor::to_vec(&summary).expect("plain fields encode");
    assert_eq!(minicbor::decode::<ChartSummary>(&bytes).ok(), Some(summary), "as it is stored");
}
