//! Real-looking files by others, read whole. Skipped, and said so, where the folder with them is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mecum_domain::{Flag, Kind};
use mecum_interop::{DetailValue, Kept, LABELS, Reading, STATUSES, read, read_bundle};
use serde_json::value::RawValue;

/// Says that a test could not run; `cargo xtask test` counts it as skipped by this mark.
fn skipped(why: &str) {
    println!("mecum-skip: {why}");
}

/// Every bundle of the folder, or none with the reason printed.
fn files() -> Vec<(String, Vec<u8>)> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("MECUM_REAL_DATA").map_or_else(beside, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        skipped("no folder of real data (MECUM_REAL_DATA names one)");
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("readable"))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        skipped("no bundle in the folder of real data");
    }
    files
}

fn file(name: &str) -> Option<Vec<u8>> {
    let all = files();
    let found = all.into_iter().find(|(found, _)| found.starts_with(name)).map(|(_, bytes)| bytes);
    if found.is_none() {
        skipped(&format!("no {name} in the folder of real data"));
    }
    found
}

fn readings(bytes: &[u8]) -> Vec<Reading> {
    let bundle = read_bundle(bytes).expect("a good bundle");
    bundle.resources.iter().map(|kept| read(&kept.bytes).expect("reads")).collect()
}

#[derive(serde::Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(serde::Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: &'a RawValue,
}

#[test]
fn every_resource_of_every_file_is_kept_byte_for_byte_and_counted() {
    for (name, bytes) in files() {
        let text = std::str::from_utf8(&bytes).expect("utf-8");
        let expected: Bundle<'_> = serde_json::from_str(text).expect("a bundle");
        let bundle = read_bundle(&bytes).expect("a good bundle");
        let kept: Vec<_> = bundle
            .resources
            .iter()
            .map(|kept| Kept::decode(&kept.bytes).expect("a container").verbatim)
            .collect();
        let wanted: Vec<_> = expected.entry.iter().map(|entry| entry.resource.get()).collect();
        assert_eq!(kept, wanted, "{name}: verbatim, all of them, in order");
        assert_eq!(bundle.counts.values().sum::<usize>(), kept.len(), "{name}: every one is counted");
        assert_eq!(bundle.people, 1, "{name}: about one person");
        println!("{name}: {} resources", kept.len());
    }
}

#[test]
fn the_same_file_twice_makes_the_same_keys_and_bytes() {
    for (name, bytes) in files() {
        let (one, two) = (read_bundle(&bytes).expect("reads"), read_bundle(&bytes).expect("reads"));
        assert_eq!(one.resources, two.resources, "{name}: keys and bytes agree");
        let keys: BTreeSet<_> = one.resources.iter().map(|kept| kept.key).collect();
        assert_eq!(keys.len(), one.resources.len(), "{name}: every key is its own");
    }
}

#[test]
fn every_resource_reads_with_a_title_and_facts_of_its_own() {
    for (name, bytes) in files() {
        let bundle = read_bundle(&bytes).expect("a good bundle");
        for kept in &bundle.resources {
            let reading = read(&kept.bytes).expect("reads");
            assert!(!reading.title.trim().is_empty(), "{name}: a {} has a title", kept.resource_type);
            assert_eq!(
                (reading.kind, &reading.resource_type),
                (kept.kind, &kept.resource_type),
                "{name}: one kind"
            );
            assert_eq!(
                reading.date.as_ref().map_or(0, mecum_domain::PartialDate::year),
                kept.year,
                "{name}: one date"
            );
            if reading.kind != Kind::Other {
                assert!(reading.details.len() >= 2, "{name}: a {} has facts of its own", kept.resource_type);
            }
            for detail in &reading.details {
                assert!(LABELS.contains(&detail.label), "{name}: {} is listed", detail.label);
                check_value(&name, &detail.value);
            }
        }
    }
}

fn check_value(name: &str, value: &DetailValue) {
    match value {
        DetailValue::Status(code) => assert!(STATUSES.contains(&code.as_str()), "{name}: {code} is listed"),
        DetailValue::Text(text) | DetailValue::Reference(text) | DetailValue::Code { text, .. } => {
            assert!(!text.contains("</"), "{name}: no markup is shown");
            assert!(!text.starts_with("urn:uuid:"), "{name}: no bare reference is shown");
        }
        DetailValue::List(items) => {
            assert!(items.len() > 1, "{name}: a list has several");
            for item in items {
                check_value(name, item);
            }
        }
        DetailValue::Quantity { .. } | DetailValue::Date(_) => {}
    }
}

#[test]
fn synthea_events_have_dates_sources_and_tidy_titles() {
    let dated = [
        Kind::Encounter,
        Kind::Procedure,
        Kind::DiagnosticReport,
        Kind::LabResult,
        Kind::VitalSign,
        Kind::Observation,
        Kind::MedicationRequest,
        Kind::AllergyIntolerance,
        Kind::Condition,
        Kind::Immunization,
        Kind::CarePlan,
    ];
    let mut seen: BTreeMap<Kind, usize> = BTreeMap::new();
    for (name, bytes) in files().into_iter().filter(|(name, _)| name.starts_with("synthea")) {
        for reading in readings(&bytes) {
            *seen.entry(reading.kind).or_default() += 1;
            if dated.contains(&reading.kind) {
                assert!(reading.date.is_some(), "{name}: a {:?} has a date", reading.kind);
                let outpatient = reading.kind != Kind::AllergyIntolerance;
                assert!(
                    !outpatient || reading.organization.is_some(),
                    "{name}: a {:?} has a source",
                    reading.kind
                );
            }
            assert!(!reading.title.ends_with("(disorder)"), "{name}: titles are tidy");
            if let Some(value) = &reading.value {
                let decimals = value.rsplit_once('.').map_or(0, |(_, decimals)| decimals.len());
                assert!(decimals <= 5, "{name}: {value} is printed without noise");
            }
            assert!(
                !matches!(reading.flag, Flag::High | Flag::Low),
                "{name}: no range is given, so none is applied"
            );
        }
    }
    assert!(
        seen.is_empty() || dated.iter().all(|kind| seen.contains_key(kind)),
        "every kind was met: {seen:?}"
    );
}

#[test]
fn a_report_lists_its_results_with_their_values() {
    let Some(bytes) = file("synthea-r4-ervin") else { return };
    let reports: Vec<_> =
        readings(&bytes).into_iter().filter(|reading| reading.kind == Kind::DiagnosticReport).collect();
    assert_eq!(reports.len(), 38, "all reports");
    for report in reports {
        let results = report.details.iter().find(|detail| detail.label == "detail-results").expect("results");
        let DetailValue::List(items) = &results.value else { panic!("several results") };
        let valued = |item: &DetailValue| matches!(item, DetailValue::Reference(text) if text.contains(": "));
        assert!(items.iter().all(valued), "each with its value: {items:?}");
    }
}

#[test]
fn an_ips_medicine_given_by_reference_has_its_name() {
    let Some(bytes) = file("ips-ig-bundle-01") else { return };
    let titles: Vec<_> = readings(&bytes)
        .into_iter()
        .filter(|reading| reading.kind == Kind::MedicationStatement)
        .map(|reading| reading.title)
        .collect();
    assert_eq!(
        titles,
        ["Product containing anastrozole", "Black Cohosh Extract herbal supplement"],
        "resolved"
    );
}

#[test]
fn an_ips_composition_lists_its_sections_and_says_what_is_not_known() {
    let Some(bytes) = file("ips-no-info") else { return };
    let all = readings(&bytes);
    let composition = all.iter().find(|reading| reading.kind == Kind::Document).expect("a composition");
    let shown = format!("{:?}", composition.details);
    assert!(shown.contains("Allergies and Intolerances"), "sections by title");
    let Some(full) = file("ips-ig-bundle-01") else { return };
    let none = readings(&full).into_iter().find(|reading| reading.absent).expect("a coded none-known entry");
    assert_eq!(none.title, "No known food allergies", "none known reads as such");
}

#[test]
fn official_examples_of_the_other_types_read_their_own_fields() {
    let Some(bytes) = file("hl7-r4b") else { return };
    let all = readings(&bytes);
    let shown = |title: &str| {
        let reading =
            all.iter().find(|reading| reading.title == title).unwrap_or_else(|| panic!("{title} is there"));
        format!("{:?}", reading.details)
    };
    assert!(shown("father: Heart Attack").contains("Heart Attack (74 yr)"), "age at onset");
    assert!(shown("CT Surview 180").contains("detail-series"), "series of a study");
    assert!(shown("Alemtuzumab 10mg/ml (Lemtrada)").contains("detail-status-reason"), "why it was held back");
    assert!(shown("Hepatitis B").contains("AAJN11K"), "the lot of a vaccine");
    assert!(shown("Physical").contains("Gerald Smitty"), "a contained author");
    let glucose =
        all.iter().find(|reading| reading.code.as_deref() == Some("loinc|15074-8")).expect("glucose");
    assert_eq!(glucose.flag, Flag::High, "the laboratory's own range and word");
}

#[test]
fn a_real_file_cut_or_damaged_anywhere_ends_in_a_typed_answer() {
    let Some(bytes) = file("ips-ig-bundle-01") else { return };
    for at in (0..bytes.len()).step_by(997) {
        let cut = bytes.get(..at).expect("within");
        assert!(read_bundle(cut).is_err(), "cut at {at}");
        let mut damaged = bytes.clone();
        *damaged.get_mut(at).expect("within") ^= 0x15;
        if let Ok(bundle) = read_bundle(&damaged) {
            bundle
                .resources
                .iter()
                .for_each(|kept| assert!(read(&kept.bytes).is_ok(), "damaged at {at} still reads"));
        }
    }
}
