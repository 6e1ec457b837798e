//! Ibu Ratna, 68: type 2 diabetes and high blood pressure, seen every quarter for ten years.

use jiff::civil::Date;
use mecum_domain::{PersonColour, Relation};
use serde_json::json;

use super::course::{around, at_time, days, index, visits};
use super::labs;
use super::ward::{ATC, CVX, Doctor, LOINC, SNOMED, Visit, Ward};
use super::{GeneratedPerson, born_for_age, own};
use crate::Dice;

/// Quarters of the record.
const QUARTERS: i64 = 40;

/// The last seven HbA1c results, oldest first: a year of falling, then one up.
const LAST_HBA1C: [f64; 7] = [8.4, 8.1, 7.9, 7.6, 7.4, 7.3, 7.8];

/// HbA1c in % over the quarters before those.
const HBA1C: &[(f64, f64)] = &[(0.0, 9.2), (4.0, 7.9), (10.0, 7.2), (18.0, 7.0), (26.0, 7.7), (32.0, 8.6)];
const LDL: &[(f64, f64)] = &[(0.0, 158.0), (12.0, 149.0), (16.0, 112.0), (28.0, 98.0), (39.0, 118.0)];
const EGFR: &[(f64, f64)] = &[(0.0, 88.0), (20.0, 79.0), (39.0, 68.0)];
const ACR: &[(f64, f64)] = &[(0.0, 12.0), (24.0, 18.0), (34.0, 29.0), (39.0, 42.0)];
const SYSTOLIC: &[(f64, f64)] = &[(0.0, 156.0), (6.0, 142.0), (20.0, 134.0), (39.0, 138.0)];
const WEIGHT: &[(f64, f64)] = &[(0.0, 69.5), (12.0, 66.0), (30.0, 64.2), (39.0, 65.0)];

pub(super) fn person(seed: u64, today: Date) -> GeneratedPerson {
    let born = born_for_age(today, 68, 3, 14);
    let mut ward = Ward::new(Dice::new(seed ^ 0x5241_544e), "Ibu Ratna", born, "female", "TA-104417");
    let days = visits(today, 91, QUARTERS);
    let first = history(&mut ward, &days);
    for (quarter, date) in days.iter().copied().enumerate() {
        let visit =
            ward.visit(date, Doctor::Hendra, "Diabetes review", Some("Type 2 diabetes, high blood pressure"));
        review(&mut ward, &visit, quarter);
        prescriptions(&mut ward, &visit, quarter);
        if quarter % 4 == 1 {
            yearly(&mut ward, date, quarter);
        }
    }
    agreed(&mut ward, first, &days);
    GeneratedPerson {
        name: "Ibu Ratna".into(),
        born: born.to_string(),
        gender: "female",
        relation: Relation::Mother,
        colour: PersonColour::Manggis,
        own: own::ratna(&ward.dice, today),
        bundle: ward.bundle(),
    }
}

/// What was known when the record begins.
fn history(ward: &mut Ward, visits: &[Date]) -> Option<Visit> {
    let date = days(*visits.first()?, -30);
    let visit = ward.visit(date, Doctor::Hendra, "First visit", Some("Referred by the village clinic"));
    ward.condition(&visit, (SNOMED, "44054006", "Type 2 diabetes"), "2013-06", None);
    ward.condition(&visit, (SNOMED, "38341003", "High blood pressure"), "2011-02", None);
    ward.condition(&visit, (SNOMED, "55822004", "High cholesterol"), "2015", None);
    ward.add("AllergyIntolerance", json!({
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active" }] },
        "verificationStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "confirmed" }] },
        "type": "allergy",
        "category": ["medication"],
        "criticality": "high",
        "code": { "coding": [{ "system": SNOMED, "code": "764146007", "display": "Penicillin" }], "text": "Penicillin" },
        "onsetDateTime": "2011-05",
        "recordedDate": visit.date().to_string(),
        "recorder": { "reference": "Practitioner/hendra-wijaya" },
        "reaction": [{ "manifestation": [{ "coding": [{ "system": SNOMED, "code": "271807003", "display": "Rash" }], "text": "Rash" }], "severity": "moderate", "onset": "2011-05" }],
    }));
    // Taken back later: it must never read as an allergy.
    ward.add("AllergyIntolerance", json!({
        "verificationStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "refuted" }] },
        "code": { "text": "Metformin" },
        "recordedDate": visit.date().to_string(),
        "note": [{ "text": "Stomach upset after the first tablets, passed with food. Not an allergy." }],
    }));
    ward.relative(&visit, ("FTH", "Father"), &[("Stroke", 70), ("High blood pressure", 52)]);
    ward.relative(&visit, ("SIS", "Sister"), &[("Type 2 diabetes", 49)]);
    ward.document(&visit, "57133-1", "Referral note", "Referral from the village clinic");
    Some(visit)
}

fn review(ward: &mut Ward, visit: &Visit, quarter: usize) {
    let at = index(quarter);
    let last = quarter + 1 == usize::try_from(QUARTERS).unwrap_or(0);
    let known = quarter.checked_sub(33).and_then(|at| LAST_HBA1C.get(at)).copied();
    let hba1c = known.unwrap_or_else(|| around(&ward.dice, HBA1C, at, 0.12));
    let near = |ward: &Ward, exact: f64, points: &[(f64, f64)], spread: f64| {
        if last { exact } else { around(&ward.dice, points, at, spread) }
    };
    let glucose = if last { 142.0 } else { hba1c * 19.5 - 12.0 + ward.dice.around(8.0) };
    let sugar = [ward.lab(visit, &labs::HBA1C, hba1c), ward.lab(visit, &labs::GLUCOSE, glucose)];
    ward.report(visit, "24323-8", "Diabetes panel", &sugar, None);

    let egfr = near(ward, 68.0, EGFR, 2.0);
    let creatinine = 0.74 + (90.0 - egfr) * 0.006;
    let (acr, potassium) = (near(ward, 42.0, ACR, 1.5), near(ward, 4.4, &[(0.0, 4.3)], 0.18));
    let sodium = near(ward, 140.0, &[(0.0, 140.0)], 1.5);
    let egfr = if last {
        ward.corrected_lab(visit, &labs::EGFR, egfr, "Was 65: the birth year was typed 1951, not 1958.")
    } else {
        ward.lab(visit, &labs::EGFR, egfr)
    };
    let kidney = [
        egfr,
        ward.lab(visit, &labs::CREATININE, creatinine),
        ward.lab(visit, &labs::ACR, acr),
        ward.lab(visit, &labs::POTASSIUM, potassium),
        ward.lab(visit, &labs::SODIUM, sodium),
    ];
    ward.report(
        visit,
        "24362-6",
        "Kidney panel",
        &kidney,
        last.then_some("Urine ACR above the laboratory's range."),
    );

    let ldl = near(ward, 118.0, LDL, 5.0);
    let hdl = near(ward, 46.0, &[(0.0, 41.0), (39.0, 46.0)], 1.0);
    let triglycerides = near(ward, 164.0, &[(0.0, 196.0), (20.0, 150.0), (39.0, 160.0)], 9.0);
    let lipids = [
        ward.lab(visit, &labs::CHOLESTEROL, ldl + hdl + triglycerides / 5.0),
        ward.lab(visit, &labs::LDL, ldl),
        ward.lab(visit, &labs::HDL, hdl),
        ward.lab(visit, &labs::TRIGLYCERIDES, triglycerides),
    ];
    ward.report(visit, "57698-3", "Blood fats", &lipids, None);

    let systolic = around(&ward.dice, SYSTOLIC, at, 4.0);
    let (diastolic, pulse) = (systolic * 0.59 + ward.dice.around(2.5), 76.0 + ward.dice.around(4.0));
    ward.pressure(visit, systolic, diastolic);
    let weight = around(&ward.dice, WEIGHT, at, 0.4);
    ward.vital(visit, ("29463-7", "Body weight", "kg", "kg", 1), weight);
    ward.vital(visit, ("8867-4", "Heart rate", "/min", "/min", 0), pulse);
    ward.vital(visit, ("39156-5", "Body mass index", "kg/m²", "kg/m2", 1), weight / (1.54 * 1.54));
}

fn prescriptions(ward: &mut Ward, visit: &Visit, quarter: usize) {
    let last = quarter + 1 == usize::try_from(QUARTERS).unwrap_or(0);
    let status = if last { "active" } else { "completed" };
    let metformin = if quarter < 6 { 500.0 } else { 850.0 };
    ward.prescribe(
        visit,
        (ATC, "A10BA02", "Metformin"),
        (metformin, "mg"),
        &["07:00", "19:00"],
        "Type 2 diabetes",
        status,
    );
    ward.prescribe(
        visit,
        (ATC, "C09CA01", "Losartan"),
        (50.0, "mg"),
        &["07:00"],
        "High blood pressure",
        status,
    );
    if quarter >= 14 {
        let dose = if quarter < 20 { 10.0 } else { 20.0 };
        ward.prescribe(
            visit,
            (ATC, "C10AA05", "Atorvastatin"),
            (dose, "mg"),
            &["21:00"],
            "High cholesterol",
            status,
        );
    }
    // The family keeps amlodipine in its own list since the last tablets: the hospital's orders for it have run out.
    if quarter >= 22 {
        ward.prescribe(
            visit,
            (ATC, "C08CA01", "Amlodipine"),
            (5.0, "mg"),
            &["08:00"],
            "High blood pressure",
            "completed",
        );
    }
    // A cough came with it, so losartan took its place.
    if quarter == 0 {
        ward.prescribe(
            visit,
            (ATC, "C09AA03", "Lisinopril"),
            (10.0, "mg"),
            &["07:00"],
            "High blood pressure",
            "stopped",
        );
    }
}

/// Once a year: blood count, liver, thyroid, vitamin B12, eyes, feet, heart, influenza.
fn yearly(ward: &mut Ward, date: Date, quarter: usize) {
    let at = index(quarter);
    let visit = ward.visit(days(date, 14), Doctor::Hendra, "Yearly check", Some("Diabetes, yearly check"));
    let blood = [
        (&labs::HAEMOGLOBIN, around(&ward.dice, &[(0.0, 13.1), (39.0, 12.3)], at, 0.2)),
        (&labs::LEUKOCYTES, 7.1 + ward.dice.around(0.7)),
        (&labs::PLATELETS, 262.0 + ward.dice.around(18.0)),
    ];
    let blood: Vec<_> = blood.iter().map(|(lab, value)| ward.lab(&visit, lab, *value)).collect();
    ward.report(&visit, "58410-2", "Full blood count", &blood, None);
    let liver = [(&labs::ALT, 27.0 + ward.dice.around(5.0)), (&labs::AST, 24.0 + ward.dice.around(4.0))];
    let liver: Vec<_> = liver.iter().map(|(lab, value)| ward.lab(&visit, lab, *value)).collect();
    ward.report(&visit, "24325-3", "Liver panel", &liver, None);
    let single = [
        (&labs::TSH, 2.1 + ward.dice.around(0.4)),
        (&labs::VITAMIN_B12, around(&ward.dice, &[(0.0, 420.0), (33.0, 188.0), (39.0, 240.0)], at, 15.0)),
        (&labs::URIC_ACID, around(&ward.dice, &[(0.0, 5.2), (39.0, 5.9)], at, 0.2)),
    ];
    for (lab, value) in single {
        ward.lab(&visit, lab, value);
    }
    ward.procedure(
        &visit,
        (SNOMED, "401191002", "Diabetic foot examination"),
        Some("Both feet"),
        Some("No loss of feeling"),
    );
    ward.procedure(&visit, (SNOMED, "29303009", "Electrocardiogram"), None, Some("Normal rhythm"));
    ward.vaccinate(&visit, (CVX, "140", "Influenza"), "Influenza", 1, "Left upper arm");
    let eyes = ward.visit(days(date, 21), Doctor::Rini, "Eye clinic", Some("Diabetes, yearly eye photo"));
    ward.procedure(&eyes, (SNOMED, "314972008", "Retina photo"), Some("Both eyes"), Some("No damage seen"));
    ward.add("ImagingStudy", json!({
        "status": "available",
        "modality": [{ "system": "http://dicom.nema.org/resources/ontology/DCM", "code": "OP", "display": "Ophthalmic photography" }],
        "encounter": { "reference": eyes.reference() },
        "started": at_time(eyes.date(), 9, 40),
        "referrer": { "reference": "Practitioner/hendra-wijaya" },
        "interpreter": [{ "reference": "Practitioner/rini-puspita" }],
        "numberOfSeries": 1,
        "numberOfInstances": 2,
        "description": "Retina photo, both eyes",
    }));
    ward.document(&eyes, "11488-4", "Consultation note", "Eye clinic letter");
}

/// Goals, the plan, passing illness, and what happened once.
fn agreed(ward: &mut Ward, first: Option<Visit>, visits: &[Date]) {
    let Some(first) = first else { return };
    let at = |quarter: usize| visits.get(quarter).copied().unwrap_or(first.date());
    let recent = ward.visit(days(at(33), 9), Doctor::Hendra, "Goals talked over", None);
    ward.goal(&recent, "HbA1c below 7.5 %", (LOINC, "4548-4", "HbA1c"), (7.5, 1, "%", "%"), "improving");
    ward.goal(
        &recent,
        "LDL cholesterol below 100 mg/dL",
        (LOINC, "13457-7", "LDL cholesterol"),
        (100.0, 0, "mg/dL", "mg/dL"),
        "in-progress",
    );
    ward.goal(
        &recent,
        "Blood pressure below 140/90",
        (LOINC, "8480-6", "Systolic blood pressure"),
        (140.0, 0, "mmHg", "mm[Hg]"),
        "achieved",
    );
    ward.add(
        "CarePlan",
        json!({
            "status": "active",
            "intent": "plan",
            "title": "Diabetes plan",
            "description": "Walk after dinner, count rice by the cup, check feet every evening.",
            "period": { "start": recent.date().to_string() },
            "created": recent.date().to_string(),
            "author": { "reference": "Practitioner/hendra-wijaya" },
            "activity": [
                { "detail": { "status": "in-progress", "description": "Walk 20 minutes after dinner" } },
                { "detail": { "status": "in-progress", "description": "One cup of rice at a meal" } },
                { "detail": { "status": "in-progress", "description": "Check feet every evening" } },
            ],
        }),
    );
    ward.document(&recent, "18776-5", "Plan of care", "Diabetes plan");
    let passing: [(usize, &str, &str, i64); 5] = [
        (3, "54150009", "Cough and cold", 9),
        (9, "68566005", "Urinary tract infection", 7),
        (17, "35489007", "Low mood", 120),
        (24, "840539006", "COVID-19", 12),
        (30, "239873007", "Knee pain", 40),
    ];
    for (quarter, code, words, length) in passing {
        let date = days(at(quarter), 33);
        let visit = ward.visit(date, Doctor::Hendra, "Clinic visit", Some(words));
        let (onset, end) = (days(date, -3).to_string(), days(date, length).to_string());
        ward.condition(&visit, (SNOMED, code, words), &onset, Some(&end));
    }
    let stay = ward.stay(days(at(27), 40), Doctor::Hendra, "Hospital stay", "Dizzy, low sodium", 3);
    ward.condition(
        &stay,
        (SNOMED, "89627008", "Low sodium"),
        &stay.date().to_string(),
        Some(&days(stay.date(), 5).to_string()),
    );
    ward.lab(&stay, &labs::SODIUM, 128.0);
    ward.document(&stay, "18842-5", "Discharge summary", "Discharge summary");
    for (quarter, dose) in [(19, 1), (20, 2), (23, 3)] {
        let visit = ward.visit(days(at(quarter), 5), Doctor::Hendra, "Vaccination", None);
        ward.vaccinate(&visit, (CVX, "510", "COVID-19, inactivated"), "COVID-19", dose, "Left upper arm");
    }
}
