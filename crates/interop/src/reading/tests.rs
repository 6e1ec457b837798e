use mecum_domain::{Flag, Kind};

use super::{DetailValue, LABELS, Reading, STATUSES, read};
use crate::read_bundle;

fn reads(resource: &str) -> Reading {
    let bundle = read_bundle(resource.as_bytes()).expect("a good resource");
    let reading = read(&bundle.resources.first().expect("one resource").bytes).expect("reads");
    check_ids(&reading);
    reading
}

fn check_ids(reading: &Reading) {
    for detail in &reading.details {
        assert!(LABELS.contains(&detail.label), "{} is a known label", detail.label);
        if let DetailValue::Status(code) = &detail.value {
            assert!(STATUSES.contains(&code.as_str()), "{code} is a known status");
        }
    }
}

fn texts(reading: &Reading, label: &str) -> String {
    let shown = reading.details.iter().filter(|detail| detail.label == label);
    shown.map(|detail| format!("{:?}", detail.value)).collect::<Vec<_>>().join(" ")
}

fn lab(rest: &str) -> Reading {
    reads(&format!(
        r#"{{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"code":"laboratory"}}]}}],
        "code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}}]}},{rest}}}"#
    ))
}

#[test]
fn a_flag_comes_from_the_laboratorys_own_range_alone() {
    let value =
        |range: &str| lab(&format!(r#""valueQuantity":{{"value":7.80,"unit":"%","code":"%"}}{range}"#)).flag;
    assert_eq!(value(""), Flag::NoRange, "no range is said, none is invented");
    assert_eq!(
        value(r#","referenceRange":[{"low":{"value":4.0},"high":{"value":5.6}}]"#),
        Flag::High,
        "its limits"
    );
    assert_eq!(value(r#","referenceRange":[{"text":"4.0 - 8.0 %"}]"#), Flag::InRange, "its words");
    assert_eq!(value(r#","referenceRange":[{"text":"NA"}]"#), Flag::NoRange, "words without limits");
    assert_eq!(
        value(r#","referenceRange":[{"high":{"value":42,"unit":"mmol/mol","code":"mmol/mol"}}]"#),
        Flag::NoRange,
        "limits in another unit are not compared"
    );
    let two = r#","referenceRange":[{"high":{"value":5.6},"text":"adults"},{"high":{"value":8},"text":"diabetes"}]"#;
    assert_eq!(value(two), Flag::NoRange, "which of two applies is not ours to choose");
    let said = r#","interpretation":[{"coding":[{"code":"L"}]}]"#;
    assert_eq!(value(said), Flag::Low, "what the laboratory says itself");
}

#[test]
fn a_value_below_the_detection_limit_is_no_point_of_a_trend() {
    let reading = lab(
        r#""valueQuantity":{"value":0.5,"comparator":"<","unit":"mg/L"},"referenceRange":[{"high":{"value":5}}]"#,
    );
    assert_eq!(reading.value.as_deref(), Some("<0.5"), "printed with its sign");
    assert_eq!((reading.numeric, reading.flag), (None, Flag::InRange), "not drawn, and surely within");
}

#[test]
fn a_corrected_result_says_so_unless_it_is_out_of_range() {
    let with = |status: &str, high: &str| {
        let text = format!(
            r#"{{"resourceType":"Observation","status":"{status}","category":[{{"coding":[{{"code":"laboratory"}}]}}],"code":{{"text":"K"}},
            "valueQuantity":{{"value":4.4}},"referenceRange":[{{"high":{{"value":{high}}}}}]}}"#
        );
        let reading = reads(&text);
        (reading.flag, reading.corrected)
    };
    assert_eq!(with("final", "5"), (Flag::InRange, false), "a final result");
    assert_eq!(with("corrected", "5"), (Flag::Corrected, true), "changed after its release");
    assert_eq!(with("amended", "4"), (Flag::High, true), "the value outranks the news");
    assert_eq!(with("entered-in-error", "4"), (Flag::EnteredInError, false), "an error outranks all");
}

#[test]
fn a_blood_pressure_is_one_value_of_one_series() {
    let part = |code: &str, value: &str| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"p"}}]}},"valueQuantity":{{"value":{value},"unit":"mm[Hg]"}}}}"#
        )
    };
    let text = format!(
        r#"{{"resourceType":"Observation","code":{{"coding":[{{"system":"http://loinc.org","code":"55284-4","display":"Blood Pressure"}}]}},"component":[{},{}]}}"#,
        part("8462-4", "82"),
        part("8480-6", "138")
    );
    let reading = reads(&text);
    assert_eq!(reading.kind, Kind::VitalSign, "known by its code where the category is missing");
    assert_eq!(
        (reading.value.as_deref(), reading.unit.as_deref()),
        (Some("138/82"), Some("mm[Hg]")),
        "as people say it"
    );
    assert_eq!(reading.code.as_deref(), Some("loinc|85354-9"), "one series for both panel codes");
    let codes: Vec<_> = reading.numeric.into_iter().flatten().map(|(code, _)| code).collect();
    assert_eq!(codes, ["loinc|8480-6", "loinc|8462-4"], "systolic first");
}

#[test]
fn a_refuted_allergy_is_never_an_active_one() {
    let with = |clinical: &str, verification: &str| {
        reads(&format!(
            r#"{{"resourceType":"AllergyIntolerance","clinicalStatus":{{"coding":[{{"code":"{clinical}"}}]}},"verificationStatus":{{"coding":[{{"code":"{verification}"}}]}},
            "code":{{"text":"Penicillin"}},"criticality":"high","reaction":[{{"manifestation":[{{"text":"Rash"}},{{"text":"Hives"}}],"severity":"moderate"}}]}}"#
        ))
    };
    let active = with("active", "confirmed");
    assert_eq!(active.flag, Flag::None, "it stands");
    assert!(
        texts(&active, "detail-reactions").contains("Rash, Hives (moderate)"),
        "what happens and how bad"
    );
    assert!(texts(&active, "detail-criticality").contains("high"), "how dangerous");
    assert_eq!(with("active", "refuted").flag, Flag::EnteredInError, "refuted");
    assert_eq!(with("active", "entered-in-error").flag, Flag::EnteredInError, "a mistake");
    assert_eq!(with("resolved", "confirmed").flag, Flag::Ended, "over");
}

#[test]
fn none_known_reads_as_none_known() {
    let with = |coding: &str| {
        reads(&format!(r#"{{"resourceType":"AllergyIntolerance","code":{{"coding":[{coding}]}}}}"#))
    };
    let bare = with(
        r#"{"system":"http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips","code":"no-known-food-allergies"}"#,
    );
    assert_eq!((bare.title.as_str(), bare.absent), ("No known food allergies", true), "a code in words");
    let snomed = with(
        r#"{"system":"http://snomed.info/sct","code":"716186003","display":"No known allergy (situation)"}"#,
    );
    assert_eq!(
        (snomed.title.as_str(), snomed.absent),
        ("No known allergy", true),
        "a display without its tag"
    );
    assert!(!with(r#"{"code":"1","display":"Peanut"}"#).absent, "a real allergy is one");
}

#[test]
fn a_vaccine_not_given_and_a_medicine_not_taken_say_so() {
    let vaccine =
        reads(r#"{"resourceType":"Immunization","status":"not-done","vaccineCode":{"text":"DTP"}}"#);
    assert!(vaccine.absent && vaccine.status.as_deref() == Some("not-done"), "not given");
    let medicine = reads(
        r#"{"resourceType":"MedicationStatement","status":"not-taken","medicationCodeableConcept":{"text":"Aspirin"}}"#,
    );
    assert!(medicine.absent && medicine.flag == Flag::Ended, "not taken");
}

#[test]
fn a_prescription_reads_its_dose_as_written() {
    let dosage = r#"{"text":"one tablet twice a day with food","timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d","timeOfDay":["08:00:00","20:00:00"]}},"doseAndRate":[{"doseQuantity":{"value":500,"unit":"mg"}}]}"#;
    let text = |dosages: &str| {
        format!(
            r##"{{"resourceType":"MedicationRequest","status":"active","intent":"order","contained":[{{"resourceType":"Medication","id":"m","code":{{"text":"Metformin 500 mg"}}}}],
            "medicationReference":{{"reference":"#m"}},"authoredOn":"2020-03-01","reasonCode":[{{"text":"Diabetes"}}],"dosageInstruction":[{dosages}]}}"##
        )
    };
    let one = reads(&text(dosage));
    assert_eq!(one.title, "Metformin 500 mg", "the contained medicine");
    let how = one.dosage.expect("a dosage");
    assert_eq!(how.dose.as_deref(), Some("500 mg"), "dose with unit");
    assert_eq!(how.frequency.as_deref(), Some("2 × / 1 d, 08:00, 20:00"), "how often");
    assert_eq!(how.reason.as_deref(), Some("Diabetes"), "why");
    let several =
        reads(&text(&format!("{dosage},{{\"text\":\"then two tablets\"}}"))).dosage.expect("a dosage");
    assert_eq!(several.dose, None, "a rising dose is no one dose");
    assert_eq!(
        several.frequency.as_deref(),
        Some("one tablet twice a day with food; then two tablets"),
        "as written"
    );
}

#[test]
fn what_has_no_reader_is_listed_with_its_best_words() {
    let flag =
        reads(r#"{"resourceType":"Flag","code":{"text":"Shellfish free diet"},"period":{"start":"2020"}}"#);
    assert_eq!((flag.kind, flag.title.as_str()), (Kind::Other, "Shellfish free diet"), "its words");
    assert_eq!(flag.date.map(|date| date.year()), Some(2020), "its date");
    let unknown = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"BodyStructureOfTheFuture","type":"x1"}}]}"#;
    let unknown = reads(unknown);
    assert_eq!(unknown.title, "Body structure of the future", "the type in words, never a bare code");
}

#[test]
fn a_narrative_is_read_as_plain_text() {
    let plan = reads(
        r#"{"resourceType":"CarePlan","category":[{"text":"Diet"}],"text":{"div":"<div><script>alert(1)</script><b>Eat</b> less salt</div>"}}"#,
    );
    assert!(texts(&plan, "detail-narrative").contains("\"Eat less salt\""), "words without markup");
}

#[test]
fn labels_and_statuses_are_said_once() {
    for list in [LABELS, STATUSES] {
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), list.len(), "no id is there twice");
    }
}
