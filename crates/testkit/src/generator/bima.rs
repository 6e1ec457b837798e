//! Bima, 7: birth, growth, vaccines by the Indonesian schedule, and the illnesses of a child.

use jiff::ToSpan;
use jiff::civil::Date;
use mecum_domain::{PersonColour, Relation};
use serde_json::json;

use super::course::{around, days, level, on_a_weekday};
use super::labs;
use super::ward::{ATC, CVX, Doctor, SNOMED, Ward};
use super::{GeneratedPerson, born_for_age, own};
use crate::Dice;

/// Weight in kg, length or height in cm, head circumference in cm, by age in months. Shaped after the WHO medians for boys, rounded.
const WEIGHT: &[(f64, f64)] = &[
    (0.0, 3.3),
    (1.0, 4.4),
    (2.0, 5.5),
    (3.0, 6.3),
    (4.0, 6.9),
    (6.0, 7.8),
    (9.0, 8.8),
    (12.0, 9.5),
    (18.0, 10.8),
    (24.0, 12.0),
    (36.0, 14.1),
    (48.0, 16.1),
    (60.0, 18.0),
    (72.0, 20.2),
    (90.0, 23.4),
];
const HEIGHT: &[(f64, f64)] = &[
    (0.0, 49.8),
    (2.0, 58.2),
    (4.0, 63.6),
    (6.0, 67.3),
    (9.0, 71.6),
    (12.0, 75.3),
    (18.0, 81.9),
    (24.0, 87.2),
    (36.0, 95.6),
    (48.0, 102.8),
    (60.0, 109.4),
    (72.0, 115.4),
    (90.0, 123.6),
];
const HEAD: &[(f64, f64)] = &[(0.0, 34.4), (3.0, 40.4), (6.0, 43.1), (12.0, 45.9), (24.0, 48.1)];

/// Vaccines by age in months: CVX code, vaccine, what it is against, dose. After the schedule of the Ministry of Health and IDAI.
/// The measles and rubella dose of the first school year is still to come.
const VACCINES: &[(i32, &str, &str, &str, u32)] = &[
    (0, "08", "Hepatitis B", "Hepatitis B", 1),
    (1, "19", "BCG", "Tuberculosis", 1),
    (1, "02", "Oral polio", "Polio", 1),
    (2, "146", "DPT-HB-Hib", "Diphtheria, pertussis, tetanus, hepatitis B, Hib", 1),
    (2, "02", "Oral polio", "Polio", 2),
    (2, "133", "Pneumococcal (PCV13)", "Pneumococcal disease", 1),
    (2, "119", "Rotavirus", "Rotavirus", 1),
    (3, "146", "DPT-HB-Hib", "Diphtheria, pertussis, tetanus, hepatitis B, Hib", 2),
    (3, "02", "Oral polio", "Polio", 3),
    (3, "133", "Pneumococcal (PCV13)", "Pneumococcal disease", 2),
    (3, "119", "Rotavirus", "Rotavirus", 2),
    (4, "146", "DPT-HB-Hib", "Diphtheria, pertussis, tetanus, hepatitis B, Hib", 3),
    (4, "02", "Oral polio", "Polio", 4),
    (4, "10", "Inactivated polio", "Polio", 1),
    (4, "119", "Rotavirus", "Rotavirus", 3),
    (9, "04", "Measles and rubella", "Measles, rubella", 1),
    (9, "10", "Inactivated polio", "Polio", 2),
    (10, "39", "Japanese encephalitis", "Japanese encephalitis", 1),
    (12, "133", "Pneumococcal (PCV13)", "Pneumococcal disease", 3),
    (13, "140", "Influenza", "Influenza", 1),
    (18, "146", "DPT-HB-Hib", "Diphtheria, pertussis, tetanus, hepatitis B, Hib", 4),
    (18, "04", "Measles and rubella", "Measles, rubella", 2),
    (25, "140", "Influenza", "Influenza", 2),
    (37, "140", "Influenza", "Influenza", 3),
    (40, "21", "Chickenpox", "Chickenpox", 1),
    (49, "140", "Influenza", "Influenza", 4),
    (61, "140", "Influenza", "Influenza", 5),
    (73, "140", "Influenza", "Influenza", 6),
];

/// SNOMED CT code, words, ATC code, medicine, dose in mg per kg, days it lasted.
const ILLNESSES: [(&str, &str, &str, &str, f64, i64); 6] = [
    ("54150009", "Cough and cold", "N02BE01", "Paracetamol", 12.0, 5),
    ("65363002", "Ear infection", "J01CA04", "Amoxicillin", 25.0, 8),
    ("25374005", "Stomach flu", "A07CA", "Oral rehydration salts", 60.0, 4),
    ("386661006", "Fever", "N02BE01", "Paracetamol", 12.0, 3),
    ("43878008", "Sore throat", "N02BE01", "Paracetamol", 12.0, 5),
    ("24079001", "Eczema", "D07AA02", "Hydrocortisone cream 1 %", 1.0, 14),
];

/// His birthday: seven years and a little ago.
pub(super) fn born(today: Date) -> Date {
    born_for_age(today, 7, 5, 19)
}

pub(super) fn person(seed: u64, today: Date) -> GeneratedPerson {
    let born = born(today);
    let mut ward = Ward::new(Dice::new(seed ^ 0x4249_4d41), "Bima", born, "male", "TA-121577");
    let month_of = |months: i32| on_a_weekday(born.checked_add(months.months()).unwrap_or(born));
    let stay = ward.stay(born, Doctor::Maya, "Birth", "Born at 39 weeks", 2);
    ward.document(&stay, "18842-5", "Discharge summary", "Discharge after birth");
    // Monthly to the second birthday, then every half year.
    let ages = (0..=24).chain((30..=90).step_by(6));
    for months in ages.filter(|months| month_of(*months) < days(today, -8)) {
        check_up(&mut ward, months, if months == 0 { born } else { month_of(months) });
    }
    let ages = VACCINES.iter().map(|(months, ..)| *months).filter(|months| month_of(*months) < today);
    let mut done = Vec::new();
    for months in ages {
        if done.last() == Some(&months) {
            continue;
        }
        done.push(months);
        let visit =
            ward.visit(if months == 0 { born } else { month_of(months) }, Doctor::Maya, "Vaccination", None);
        for (_, code, vaccine, target, dose) in VACCINES.iter().filter(|(at, ..)| *at == months) {
            let site = if months < 12 { "Left thigh" } else { "Left upper arm" };
            ward.vaccinate(&visit, (CVX, code, vaccine), target, *dose, site);
        }
    }
    illnesses(&mut ward, born, today);
    GeneratedPerson {
        name: "Bima".into(),
        born: born.to_string(),
        gender: "male",
        relation: Relation::Child,
        colour: PersonColour::Kunyit,
        own: own::bima(&ward.dice, today),
        bundle: ward.bundle(),
    }
}

fn check_up(ward: &mut Ward, months: i32, date: Date) {
    let at = f64::from(months);
    let visit = ward.visit(date, Doctor::Maya, "Growth check", None);
    let weight = around(&ward.dice, WEIGHT, at, 0.06);
    ward.vital(&visit, ("29463-7", "Body weight", "kg", "kg", 1), weight);
    let height = around(&ward.dice, HEIGHT, at, 0.3);
    ward.vital(&visit, ("8302-2", "Body height", "cm", "cm", 1), height);
    if months <= 24 {
        let head = around(&ward.dice, HEAD, at, 0.1);
        ward.vital(&visit, ("9843-4", "Head circumference", "cm", "cm", 1), head);
    } else {
        ward.vital(
            &visit,
            ("39156-5", "Body mass index", "kg/m²", "kg/m2", 1),
            weight / (height / 100.0).powi(2),
        );
    }
    if months == 24 {
        ward.relative(
            &visit,
            ("MGRMTH", "Mother's mother"),
            &[("Type 2 diabetes", 54), ("High blood pressure", 53)],
        );
        let blood = [ward.lab(&visit, &labs::LEUKOCYTES, 8.9), ward.lab(&visit, &labs::PLATELETS, 312.0)];
        ward.report(&visit, "58410-2", "Full blood count", &blood, None);
    }
}

fn illnesses(ward: &mut Ward, born: Date, today: Date) {
    let mut date = days(born, 170);
    let mut at = 0;
    while days(date, 20) < today {
        let Some((code, words, atc, medicine, per_kg, length)) = ILLNESSES.get(at % ILLNESSES.len()).copied()
        else {
            return;
        };
        let day = on_a_weekday(date);
        let visit = ward.visit(day, Doctor::Maya, "Children's clinic", Some(words));
        ward.condition(
            &visit,
            (SNOMED, code, words),
            &days(day, -1).to_string(),
            Some(&days(day, length).to_string()),
        );
        let months = f64::from((day - born).get_days()) / 30.4;
        let weight = level(WEIGHT, months);
        ward.prescribe(
            &visit,
            (ATC, atc, medicine),
            ((per_kg * weight / 5.0).round() * 5.0, "mg"),
            &["08:00", "14:00", "20:00"],
            words,
            "completed",
        );
        let temperature = 37.6 + ward.dice.around(0.6);
        ward.vital(&visit, ("8310-5", "Body temperature", "°C", "Cel", 1), temperature);
        if at == 4 {
            let egg = json!({
                "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "resolved" }] },
                "verificationStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "confirmed" }] },
                "category": ["food"],
                "code": { "text": "Egg" },
                "onsetDateTime": day.to_string(),
                "recorder": { "reference": "Practitioner/maya-lestari" },
                "reaction": [{ "manifestation": [{ "text": "Hives" }], "severity": "mild" }],
                "note": [{ "text": "Outgrown: eats egg since the fourth birthday." }],
            });
            ward.add("AllergyIntolerance", egg);
        }
        at += 1;
        date = days(date, 80 + ward.dice.between(0, 40));
    }
}
