use std::collections::BTreeMap;

use jiff::civil::date;
use mecum_domain::{Edit, Flag, PartialDate, age_on, validate_draft};
use mecum_interop::{Reading, read, read_bundle};
use serde_json::Value;

use super::*;

const SEED: u64 = 2_026;

fn family() -> Vec<GeneratedPerson> {
    println!("seed {SEED}");
    generate_family(SEED, date(2026, 11, 22))
}

fn resources(person: &GeneratedPerson) -> Vec<Value> {
    let bundle: Value = serde_json::from_str(&person.bundle).expect("valid json");
    let entries = bundle["entry"].as_array().expect("entries").clone();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

fn numbers(person: &GeneratedPerson, loinc: &str) -> Vec<f64> {
    let of = |resource: &Value| {
        let fits = resource["code"]["coding"][0]["code"] == loinc;
        fits.then(|| resource["valueQuantity"]["value"].as_f64()).flatten()
    };
    resources(person).iter().filter_map(of).collect()
}

#[test]
fn a_seed_and_a_day_make_the_same_family_and_another_seed_makes_another() {
    assert_eq!(family(), family(), "the same bytes");
    let other = generate_family(SEED + 1, date(2026, 11, 22));
    assert_ne!(
        family().first().map(|p| p.bundle.clone()),
        other.first().map(|p| p.bundle.clone()),
        "another seed"
    );
}

#[test]
fn the_family_is_who_it_should_be_on_any_day() {
    for today in
        [date(2026, 11, 22), date(2024, 2, 29), date(2027, 1, 1), date(2026, 3, 13), date(2026, 3, 14)]
    {
        let ages: Vec<_> = generate_family(SEED, today)
            .iter()
            .map(|person| {
                (person.name.clone(), age_on(&PartialDate::parse(&person.born).expect("a date"), today))
            })
            .collect();
        let wanted = [
            ("Laras".to_owned(), Some(38)),
            ("Ibu Ratna".to_owned(), Some(68)),
            ("Bima".to_owned(), Some(7)),
        ];
        assert_eq!(ages, wanted, "ages on {today}");
    }
}

#[test]
fn there_is_enough_of_everything_and_nothing_lies_in_the_future() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut own = 0;
    for person in family() {
        own += person.own.len();
        for resource in resources(&person) {
            let kind = resource["resourceType"].as_str().expect("a type").to_owned();
            *counts.entry(kind).or_default() += 1;
            for key in [
                "effectiveDateTime",
                "occurrenceDateTime",
                "recordedDate",
                "authoredOn",
                "issued",
                "abatementDateTime",
            ] {
                let when = resource[key].as_str().unwrap_or_default();
                assert!(
                    when.get(..10).unwrap_or_default() <= "2026-11-22",
                    "{}: {key} {when} lies in the future",
                    person.name
                );
            }
        }
    }
    println!("{counts:?}, own {own}");
    let total: usize = counts.values().sum();
    assert!((1_500..=2_500).contains(&total), "{total} resources");
    assert!((130..=190).contains(&own), "{own} own entries");
    for kind in [
        "Patient",
        "Encounter",
        "Condition",
        "AllergyIntolerance",
        "Observation",
        "DiagnosticReport",
        "MedicationRequest",
        "Immunization",
        "Procedure",
        "DocumentReference",
        "Goal",
        "CarePlan",
        "ImagingStudy",
        "FamilyMemberHistory",
        "Organization",
        "Practitioner",
    ] {
        assert!(counts.contains_key(kind), "{kind} is there");
    }
}

#[test]
fn ids_are_unique_and_every_reference_leads_somewhere() {
    for person in family() {
        let all = resources(&person);
        let name = |resource: &Value| {
            format!(
                "{}/{}",
                resource["resourceType"].as_str().expect("a type"),
                resource["id"].as_str().expect("an id")
            )
        };
        let mut names: Vec<_> = all.iter().map(name).collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before, "{}: ids are unique", person.name);
        for piece in person.bundle.split("\"reference\":\"").skip(1) {
            let reference = piece.split('"').next().unwrap_or_default().to_owned();
            assert!(names.binary_search(&reference).is_ok(), "{}: {reference} leads somewhere", person.name);
        }
    }
}

#[test]
fn ratnas_hba1c_falls_for_a_year_and_then_rises() {
    let all = family();
    let ratna = all.iter().find(|person| person.name == "Ibu Ratna").expect("she is there");
    let hba1c = numbers(ratna, "4548-4");
    assert_eq!(hba1c.len(), 40, "every quarter of ten years");
    assert_eq!(hba1c.get(33..), Some(&[8.4, 8.1, 7.9, 7.6, 7.4, 7.3, 7.8][..]), "the last seven");
    assert!(hba1c.iter().all(|value| (5.5..11.0).contains(value)), "believable: {hba1c:?}");
    assert_eq!(numbers(ratna, "98979-8").last(), Some(&68.0), "the corrected eGFR");
    let corrected = resources(ratna).iter().filter(|resource| resource["status"] == "corrected").count();
    assert_eq!(corrected, 1, "one corrected result");
}

#[test]
fn bima_grows_and_is_vaccinated_by_the_schedule() {
    let all = family();
    let bima = all.iter().find(|person| person.name == "Bima").expect("he is there");
    let heights = numbers(bima, "8302-2");
    assert!(heights.windows(2).all(|pair| pair[1] > pair[0] - 1.0), "he does not shrink: {heights:?}");
    let vaccines =
        resources(bima).iter().filter(|resource| resource["resourceType"] == "Immunization").count();
    assert_eq!(vaccines, 28, "every vaccine up to his age");
}

#[test]
fn own_entries_can_be_saved_as_they_are() {
    for person in family() {
        for entry in &person.own {
            assert_eq!(
                validate_draft(entry.kind, &entry.fields),
                [],
                "{}: a form would accept {entry:?}",
                person.name
            );
        }
    }
}

#[test]
fn mixed_entries_keep_their_proportions() {
    let entries = generate_mixed(SEED, 2_000);
    assert_eq!(entries, generate_mixed(SEED, 2_000), "the same seed");
    let finished: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.edit {
            Edit::Keep { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect();
    assert!((1_300..=1_500).contains(&finished.len()), "about 70 % finished: {}", finished.len());
    let (least, most) =
        finished.iter().fold((usize::MAX, 0), |(least, most), b| (least.min(b.len()), most.max(b.len())));
    println!("{least} to {most} bytes");
    assert!(least >= 400 && most <= 900, "400 to 900 bytes each: {least} to {most}");
    assert!(
        finished.iter().all(|bytes| read(bytes).is_ok_and(|reading| reading.numeric.is_some())),
        "each reads as a result"
    );
    assert!(
        (0..3).all(|author| entries.iter().filter(|entry| entry.author == author).count() > 500),
        "three authors"
    );
}

fn readings(person: &GeneratedPerson) -> Vec<Reading> {
    let bundle = read_bundle(person.bundle.as_bytes()).expect("a good bundle");
    assert_eq!(bundle.people, 1, "{}: about one person", person.name);
    let subject = bundle.subject.expect("a patient");
    let known = (subject.name.as_deref(), subject.born.as_ref().map(mecum_domain::PartialDate::as_str));
    assert_eq!(known, (Some(person.name.as_str()), Some(person.born.as_str())), "the chart's own person");
    bundle.resources.iter().map(|kept| read(&kept.bytes).expect("reads")).collect()
}

#[test]
fn the_import_reads_the_family_as_it_is_meant() {
    let all = family();
    for person in &all {
        for reading in readings(person) {
            assert!(!reading.title.is_empty(), "{}: a {} has a title", person.name, reading.resource_type);
            let event = !matches!(reading.kind, Kind::Other | Kind::Patient);
            assert!(!event || reading.date.is_some(), "{}: {} has a date", person.name, reading.title);
            let signed = reading.author.is_some()
                || reading.organization.is_some()
                || reading.kind == Kind::FamilyMemberHistory;
            assert!(
                !event || signed || reading.kind == Kind::AllergyIntolerance,
                "{}: {} has a source",
                person.name,
                reading.title
            );
        }
    }
    let ratna = readings(all.iter().find(|person| person.name == "Ibu Ratna").expect("she is there"));
    let newest = |title: &str| {
        ratna.iter().rev().find(|reading| reading.title == title).unwrap_or_else(|| panic!("{title}"))
    };
    assert_eq!(newest("HbA1c").flag, Flag::High, "above that laboratory's range");
    assert_eq!(newest("HDL cholesterol").flag, Flag::Low, "below it");
    assert_eq!(newest("Potassium").flag, Flag::InRange, "within it");
    assert_eq!(
        (newest("eGFR").flag, newest("eGFR").corrected),
        (Flag::Corrected, true),
        "no range, and corrected"
    );
    let allergies = ratna.iter().filter(|reading| reading.kind == Kind::AllergyIntolerance);
    let allergies: Vec<_> = allergies.map(|reading| (reading.title.as_str(), reading.flag)).collect();
    assert_eq!(
        allergies,
        [("Penicillin", Flag::None), ("Metformin", Flag::EnteredInError)],
        "one stands, one was refuted"
    );
    let pressure = newest("Blood pressure");
    assert!(pressure.value.as_deref().is_some_and(|value| value.contains('/')), "two numbers, one value");
    let active =
        ratna.iter().filter(|reading| reading.kind == Kind::MedicationRequest && reading.flag == Flag::None);
    let active: Vec<_> = active.map(|reading| reading.title.as_str()).collect();
    assert_eq!(active, ["Metformin", "Losartan", "Atorvastatin"], "what the hospital prescribes now");
}
