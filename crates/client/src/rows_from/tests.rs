use mecum_documents::{Actor, Document, Incoming};
use mecum_domain::{Batch, Edit, EntryId};
use mecum_interop::read_bundle;

use super::*;

fn place() -> RowPlace {
    RowPlace {
        space: SpaceId::from_bytes([1; 16]),
        document: DocumentId::from_bytes([2; 16]),
        device: DeviceId::from_bytes([3; 16]),
        at_ms: 1_788_854_400_000,
        own_seq: 1,
        arrived: 1_788_854_400_000,
        side: None,
    }
}

fn entry_of(kind: Kind, fields: &[(Field, &str)]) -> Entry {
    let entry = EntryId::from_bytes([7; 16]);
    let fields = fields.iter().map(|(field, text)| (*field, (*text).to_owned())).collect();
    let batch = Batch { at_ms: 0, edits: vec![Edit::Add { entry, kind, fields }] };
    let document = Document::new(Actor::from_bytes([1; 16]));
    document.author(&batch).expect("a plain entry").next.entry(entry).expect("it was just added")
}

fn finished(json: &str) -> Row {
    let bundle = read_bundle(json.as_bytes()).expect("a resource");
    let kept = bundle.resources.first().expect("one resource");
    row_of_finished(kept.key, &kept.bytes, &place())
}

#[test]
fn a_measurement_reads_as_it_is_said_and_joins_its_series() {
    let fields = [
        (Field::Code, "85354-9"),
        (Field::Value, "138"),
        (Field::Value2, "82"),
        (Field::Unit, "mm[Hg]"),
        (Field::Effective, "2026-09-08T08:05:00+07:00"),
    ];
    let row = row_of_entry(&entry_of(Kind::VitalSign, &fields), &place());
    assert_eq!(
        (row.title.as_str(), row.value.as_deref(), row.unit.as_deref()),
        ("Blood pressure", Some("138/82"), Some("mmHg")),
        "in words"
    );
    assert_eq!(row.numbers, ["138", "82"], "both numbers can be drawn");
    assert_eq!(row.trend.as_deref(), Some("loinc|85354-9"), "the series of its code");
    assert_eq!(row.year(), 2026, "the year as written");
}

#[test]
fn a_resource_and_a_home_reading_of_one_code_share_a_series() {
    let json = r#"{"resourceType":"Observation","id":"1","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}],"text":"Weight"},
        "effectiveDateTime":"2026-01-02","valueQuantity":{"value":61.5,"unit":"kg"}}"#;
    let read = finished(json);
    let fields = [
        (Field::Code, "29463-7"),
        (Field::Value, "62"),
        (Field::Unit, "kg"),
        (Field::Effective, "2026-02-01"),
    ];
    let written = row_of_entry(&entry_of(Kind::VitalSign, &fields), &place());
    assert_eq!(read.trend, written.trend, "one LOINC code, one series");
    assert_eq!(read.numbers, ["61.5"], "the number as printed");
}

#[test]
fn what_cannot_be_read_is_still_listed() {
    let row = row_of_finished(FinishedKey::from_bytes([9; 16]), b"not a container", &place());
    assert_eq!((row.kind(), row.title.is_empty()), (Kind::Other, false), "listed, never dropped");
}

#[test]
fn none_known_is_no_allergy() {
    let json = r#"{"resourceType":"AllergyIntolerance","id":"1","clinicalStatus":{"coding":[{"code":"active"}]},
        "code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003","display":"No known allergy"}]}}"#;
    let row = finished(json);
    assert!(!crate::summary::is_active(&row), "it says that there is none");
}

#[test]
fn a_dose_in_a_clash_is_in_no_row() {
    let entry = EntryId::from_bytes([7; 16]);
    let fields = vec![
        (Field::Name, "Amlodipine".to_owned()),
        (Field::Dose, "5".to_owned()),
        (Field::DoseUnit, "mg".to_owned()),
    ];
    let add = Batch { at_ms: 1, edits: vec![Edit::Add { entry, kind: Kind::MedicationStatement, fields }] };
    let ours = Document::new(Actor::from_bytes([1; 16])).author(&add).expect("a plain entry");
    let other = Actor::from_bytes([2; 16]);
    let change = ours.payload.expect("something changed");
    let admitted = Document::new(other).admit(&[Incoming {
        actor: Actor::from_bytes([1; 16]),
        payload: &change,
        tag: 1,
    }]);
    let set = |dose: &str| Batch {
        at_ms: 2,
        edits: vec![Edit::Set { entry, field: Field::Dose, value: Some(dose.into()) }],
    };
    let theirs = admitted.next.author(&set("10")).expect("an edit").payload.expect("something changed");
    let ours = ours.next.author(&set("7.5")).expect("an edit").next;
    let merged = ours.admit(&[Incoming { actor: other, payload: &theirs, tag: 1 }]).next;
    let row = row_of_entry(&merged.entry(entry).expect("it stands"), &place());
    assert_eq!(row.clashes, [Field::Dose.code()], "the dose is in a clash");
    assert_eq!((row.value.as_deref(), row.extra(Field::Dose)), (None, None), "and no list can show either");
    assert_eq!(row.extra(Field::DoseUnit), Some("mg"), "what is settled stays");
}
