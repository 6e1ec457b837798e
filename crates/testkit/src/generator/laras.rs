//! Laras, 38: the account's person. Yearly checks, hay fever, the pregnancy and birth of Bima.

use jiff::civil::Date;
use mecum_domain::{PersonColour, Relation};
use serde_json::json;

use super::course::{around, days, index, visits};
use super::labs;
use super::ward::{ATC, CVX, Doctor, LOINC, SNOMED, Ward};
use super::{GeneratedPerson, bima, born_for_age, own};
use crate::Dice;

/// SNOMED CT code, words, ATC code, medicine, dose in mg, times of day, days it lasted.
type Passing = (&'static str, &'static str, &'static str, &'static str, f64, &'static [&'static str], i64);

/// What she came for now and then.
const PASSING: [Passing; 7] = [
    ("54150009", "Cough and cold", "N02BE01", "Paracetamol", 500.0, &["08:00", "14:00", "20:00"], 6),
    ("25374005", "Stomach flu", "A07CA", "Oral rehydration salts", 200.0, &["08:00", "12:00", "16:00"], 4),
    ("37796009", "Migraine", "M01AE01", "Ibuprofen", 400.0, &["08:00"], 2),
    ("162607003", "Cough for two weeks", "R05CB06", "Ambroxol", 30.0, &["08:00", "20:00"], 10),
    ("161891005", "Back pain", "M01AE01", "Ibuprofen", 400.0, &["08:00", "20:00"], 14),
    ("235595009", "Acid reflux", "A02BC01", "Omeprazole", 20.0, &["07:00"], 28),
    ("82272006", "Common cold", "N02BE01", "Paracetamol", 500.0, &["08:00", "20:00"], 5),
];

pub(super) fn person(seed: u64, today: Date) -> GeneratedPerson {
    let born = born_for_age(today, 38, 9, 2);
    let mut ward = Ward::new(Dice::new(seed ^ 0x4c41_5241), "Laras", born, "female", "TA-118903");
    yearly_checks(&mut ward, today);
    hay_fever(&mut ward, today);
    pregnancy(&mut ward, bima::born(today));
    for (at, date) in visits(today, 176, 20).into_iter().enumerate() {
        let Some((code, words, atc, medicine, dose, times, length)) =
            PASSING.get(at % PASSING.len()).copied()
        else {
            continue;
        };
        let date = days(date, -3);
        let visit = ward.visit(date, Doctor::Hendra, "Clinic visit", Some(words));
        ward.condition(
            &visit,
            (SNOMED, code, words),
            &days(date, -2).to_string(),
            Some(&days(date, length.min(8)).to_string()),
        );
        ward.prescribe(&visit, (ATC, atc, medicine), (dose, "mg"), times, words, "completed");
        let temperature = 37.0 + ward.dice.around(0.5);
        ward.vital(&visit, ("8310-5", "Body temperature", "°C", "Cel", 1), temperature);
        let (systolic, diastolic) = (114.0 + ward.dice.around(5.0), 73.0 + ward.dice.around(4.0));
        ward.pressure(&visit, systolic, diastolic);
    }
    GeneratedPerson {
        name: "Laras".into(),
        born: born.to_string(),
        gender: "female",
        relation: Relation::Own,
        colour: PersonColour::Nila,
        own: own::laras(&ward.dice, today),
        bundle: ward.bundle(),
    }
}

fn yearly_checks(ward: &mut Ward, today: Date) {
    for (at, date) in visits(days(today, -40), 364, 10).into_iter().enumerate() {
        let year = index(at);
        let visit = ward.visit(date, Doctor::Hendra, "Yearly check at work", None);
        // Low iron in the years after the birth, mended by tablets.
        let ferritin = around(&ward.dice, &[(0.0, 42.0), (3.0, 11.0), (5.0, 18.0), (9.0, 39.0)], year, 2.0);
        let values = [
            (
                &labs::HAEMOGLOBIN,
                around(&ward.dice, &[(0.0, 13.2), (3.0, 11.1), (5.0, 12.4), (9.0, 13.0)], year, 0.15),
            ),
            (&labs::LEUKOCYTES, 6.4 + ward.dice.around(0.8)),
            (&labs::PLATELETS, 254.0 + ward.dice.around(20.0)),
            (&labs::FERRITIN, ferritin),
        ];
        let blood: Vec<_> = values.iter().map(|(lab, value)| ward.lab(&visit, lab, *value)).collect();
        ward.report(&visit, "58410-2", "Full blood count", &blood, None);
        let (hdl, ldl) =
            (57.0 + ward.dice.around(3.0), around(&ward.dice, &[(0.0, 92.0), (9.0, 104.0)], year, 4.0));
        let triglycerides = 96.0 + ward.dice.around(12.0);
        let values = [
            (&labs::CHOLESTEROL, hdl + ldl + triglycerides / 5.0),
            (&labs::LDL, ldl),
            (&labs::HDL, hdl),
            (&labs::TRIGLYCERIDES, triglycerides),
        ];
        let lipids: Vec<_> = values.iter().map(|(lab, value)| ward.lab(&visit, lab, *value)).collect();
        ward.report(&visit, "57698-3", "Blood fats", &lipids, None);
        let values = [
            (&labs::GLUCOSE, 88.0 + year * 0.6 + ward.dice.around(2.0)),
            (&labs::HBA1C, 5.1 + year * 0.03 + ward.dice.around(0.06)),
            (&labs::TSH, 1.8 + ward.dice.around(0.3)),
            (&labs::CREATININE, 0.71 + ward.dice.around(0.03)),
        ];
        for (lab, value) in values {
            ward.lab(&visit, lab, value);
        }
        let weight = around(&ward.dice, &[(0.0, 54.5), (3.0, 58.0), (9.0, 56.8)], year, 0.4);
        ward.vital(&visit, ("29463-7", "Body weight", "kg", "kg", 1), weight);
        ward.vital(&visit, ("8302-2", "Body height", "cm", "cm", 0), 158.0);
        let (systolic, diastolic) = (112.0 + ward.dice.around(4.0), 72.0 + ward.dice.around(3.0));
        ward.pressure(&visit, systolic, diastolic);
        if at > 1 {
            ward.vaccinate(&visit, (CVX, "140", "Influenza"), "Influenza", 1, "Left upper arm");
        }
        if at % 3 == 0 {
            ward.procedure(&visit, (SNOMED, "171149006", "Cervical screening"), None, Some("Nothing found"));
            ward.document(&visit, "11502-2", "Laboratory report", "Cervical screening result");
        }
        if at == 0 {
            ward.relative(&visit, ("MTH", "Mother"), &[("Type 2 diabetes", 54), ("High blood pressure", 53)]);
            ward.relative(&visit, ("GRFTH", "Grandfather"), &[("Stroke", 70)]);
            ward.goal(
                &visit,
                "Body weight below 58 kg",
                (LOINC, "29463-7", "Body weight"),
                (58.0, 0, "kg", "kg"),
                "achieved",
            );
        }
    }
}

fn hay_fever(ward: &mut Ward, today: Date) {
    let date = days(today, -2_400);
    let visit = ward.visit(date, Doctor::Hendra, "Clinic visit", Some("Sneezing and itching eyes"));
    ward.condition(&visit, (SNOMED, "61582004", "Hay fever"), "2018", None);
    ward.prescribe(
        &visit,
        (ATC, "R06AE07", "Cetirizine"),
        (10.0, "mg"),
        &["07:30"],
        "Hay fever",
        "completed",
    );
    ward.add("AllergyIntolerance", json!({
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active" }] },
        "verificationStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "confirmed" }] },
        "category": ["environment"],
        "criticality": "low",
        "code": { "coding": [{ "system": SNOMED, "code": "260147004", "display": "House dust mite" }], "text": "House dust mite" },
        "onsetDateTime": "2018",
        "recordedDate": date.to_string(),
        "recorder": { "reference": "Practitioner/hendra-wijaya" },
        "reaction": [{ "manifestation": [{ "text": "Sneezing" }, { "text": "Itching eyes" }], "severity": "mild" }],
    }));
    for (after, dose) in [(330, 1), (358, 2), (640, 3)] {
        let visit = ward.visit(days(date, after), Doctor::Hendra, "Vaccination", None);
        ward.vaccinate(&visit, (CVX, "510", "COVID-19, inactivated"), "COVID-19", dose, "Left upper arm");
    }
}

/// From the first visit to the birth.
fn pregnancy(ward: &mut Ward, birth: Date) {
    for week in [8, 12, 16, 20, 24, 28, 32, 34, 36, 38] {
        let date = days(birth, (week - 39) * 7);
        let visit = ward.visit(date, Doctor::Sri, "Antenatal visit", Some("Pregnancy"));
        let at = f64::from(i32::try_from(week).unwrap_or(0));
        let weight = around(&ward.dice, &[(8.0, 54.8), (20.0, 58.5), (38.0, 66.2)], at, 0.3);
        ward.vital(&visit, ("29463-7", "Body weight", "kg", "kg", 1), weight);
        let (systolic, diastolic) = (109.0 + ward.dice.around(4.0), 69.0 + ward.dice.around(3.0));
        ward.pressure(&visit, systolic, diastolic);
        if week % 12 == 0 || week == 28 {
            let value = around(&ward.dice, &[(8.0, 12.4), (28.0, 10.9), (38.0, 11.3)], at, 0.1);
            ward.lab(&visit, &labs::HAEMOGLOBIN, value);
        }
        if week == 8 {
            ward.condition(
                &visit,
                (SNOMED, "77386006", "Pregnancy"),
                &date.to_string(),
                Some(&birth.to_string()),
            );
        }
        if week == 20 || week == 24 {
            ward.vaccinate(
                &visit,
                (CVX, "113", "Tetanus and diphtheria"),
                "Tetanus",
                if week == 20 { 1 } else { 2 },
                "Left upper arm",
            );
            ward.procedure(
                &visit,
                (SNOMED, "169228004", "Ultrasound in pregnancy"),
                None,
                Some("Growing well"),
            );
            ward.prescribe(
                &visit,
                (ATC, "B03AD03", "Iron and folic acid"),
                (60.0, "mg"),
                &["20:00"],
                "Pregnancy",
                "completed",
            );
        }
    }
    let stay = ward.stay(birth, Doctor::Sri, "Birth", "Labour", 2);
    ward.procedure(&stay, (SNOMED, "177184002", "Normal delivery"), None, Some("A healthy boy"));
    ward.document(&stay, "18842-5", "Discharge summary", "Discharge after birth");
    let after = ward.visit(days(birth, 42), Doctor::Sri, "Visit after birth", None);
    ward.pressure(&after, 111.0, 70.0);
}
