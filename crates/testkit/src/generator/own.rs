//! What the family writes itself: home readings, notes, medicines from the pharmacy, an allergy that no hospital knows.

use jiff::civil::Date;
use mecum_domain::{Field, Kind};

use super::OwnEntry;
use super::course::{around, at_time, days, index};
use crate::Dice;

fn entry(kind: Kind, fields: &[(Field, &str)]) -> OwnEntry {
    OwnEntry { kind, fields: fields.iter().map(|(field, value)| (*field, (*value).to_owned())).collect() }
}

fn pressure(dice: &Dice, date: Date, systolic: f64) -> OwnEntry {
    let diastolic = systolic * 0.59 + dice.around(2.5);
    let (hour, minute) = (dice.between(6, 8), dice.between(0, 59));
    measured(
        "85354-9",
        &format!("{systolic:.0}"),
        Some(&format!("{diastolic:.0}")),
        "mm[Hg]",
        &at_time(date, hour, minute),
    )
}

fn measured(code: &str, value: &str, value2: Option<&str>, unit: &str, at: &str) -> OwnEntry {
    let mut fields =
        vec![(Field::Code, code), (Field::Value, value), (Field::Unit, unit), (Field::Effective, at)];
    fields.extend(value2.map(|value| (Field::Value2, value)));
    entry(Kind::VitalSign, &fields)
}

fn note(date: Date, title: &str, text: &str) -> OwnEntry {
    let at = at_time(date, 20, 30);
    entry(Kind::Note, &[(Field::Name, title), (Field::Text, text), (Field::Effective, &at)])
}

struct Medicine<'m> {
    name: &'m str,
    dose: (&'m str, &'m str),
    frequency: &'m str,
    reason: &'m str,
    since: Date,
    prescriber: Option<&'m str>,
    until: Option<Date>,
}

fn medicine(of: &Medicine<'_>) -> OwnEntry {
    let (since, until) = (of.since.to_string(), of.until.map(|date| date.to_string()));
    let status = if of.until.is_some() { "stopped" } else { "active" };
    let mut fields = vec![
        (Field::Name, of.name),
        (Field::Dose, of.dose.0),
        (Field::DoseUnit, of.dose.1),
        (Field::Frequency, of.frequency),
        (Field::Reason, of.reason),
        (Field::Effective, since.as_str()),
        (Field::Status, status),
    ];
    fields.extend(of.prescriber.map(|name| (Field::Prescriber, name)));
    fields.extend(until.as_deref().map(|until| (Field::Until, until)));
    entry(Kind::MedicationStatement, &fields)
}

/// Ibu Ratna: blood pressure every week for a year and a half, weight every month, two medicines, what she felt.
pub(super) fn ratna(dice: &Dice, today: Date) -> Vec<OwnEntry> {
    let mut own = vec![
        medicine(&Medicine {
            name: "Amlodipine",
            dose: ("5", "mg"),
            frequency: "08:00",
            reason: "High blood pressure",
            since: days(today, -1_620),
            prescriber: Some("dr. Hendra Wijaya, Sp.PD"),
            until: None,
        }),
        medicine(&Medicine {
            name: "Vitamin B12",
            dose: ("50", "mcg"),
            frequency: "08:00",
            reason: "Low vitamin B12",
            since: days(today, -540),
            prescriber: None,
            until: None,
        }),
    ];
    for week in (1..=78).rev() {
        let at = index(78 - usize::try_from(week).unwrap_or(0));
        let systolic = around(dice, &[(0.0, 141.0), (40.0, 133.0), (77.0, 138.0)], at, 4.5);
        own.push(pressure(dice, days(today, -7 * week), systolic));
    }
    for month in (1..=18).rev() {
        let weight = 64.6 + dice.around(0.5);
        own.push(measured(
            "29463-7",
            &format!("{weight:.1}"),
            None,
            "kg",
            &at_time(days(today, -30 * month), 6, 40),
        ));
    }
    own.push(pressure(dice, days(today, -1), 138.0));
    own.extend([
        note(days(today, -400), "Feet", "A small blister from the new sandals. Gone after a week."),
        note(days(today, -290), "Slept badly", "Up three times at night. Told dr. Hendra at the next visit."),
        note(
            days(today, -210),
            "Fasting",
            "Fasted for nine days, stopped when the sugar was 68 in the afternoon.",
        ),
        note(
            days(today, -110),
            "Dizzy when standing",
            "Three mornings, better after sitting for a while. Pressure was 118/70.",
        ),
        note(days(today, -61), "Walking", "Half an hour after dinner, five days this week."),
        note(
            days(today, -12),
            "Question for dr. Hendra",
            "Is the evening metformin still needed on days with a light dinner?",
        ),
    ]);
    own
}

/// Laras: an allergy of her own telling, hay fever tablets, steps and weight, short notes.
pub(super) fn laras(dice: &Dice, today: Date) -> Vec<OwnEntry> {
    let mut own = vec![
        entry(
            Kind::AllergyIntolerance,
            &[
                (Field::Substance, "Shrimp"),
                (Field::Reaction, "Itching mouth, hives"),
                (Field::Severity, "moderate"),
                (Field::Effective, "2009"),
                (Field::Status, "active"),
            ],
        ),
        medicine(&Medicine {
            name: "Cetirizine",
            dose: ("10", "mg"),
            frequency: "07:30",
            reason: "Hay fever",
            since: days(today, -700),
            prescriber: None,
            until: None,
        }),
        medicine(&Medicine {
            name: "Iron tablets",
            dose: ("60", "mg"),
            frequency: "20:00",
            reason: "Low iron",
            since: days(today, -2_300),
            prescriber: Some("Bidan Sri Handayani"),
            until: Some(days(today, -2_050)),
        }),
    ];
    for week in (1..=16).rev() {
        let date = days(today, -7 * week);
        own.push(measured(
            "41950-7",
            &dice.between(3_200, 11_500).to_string(),
            None,
            "{steps}/d",
            &at_time(date, 21, 0),
        ));
    }
    for month in (1..=8).rev() {
        let weight = 56.8 + dice.around(0.4);
        own.push(measured(
            "29463-7",
            &format!("{weight:.1}"),
            None,
            "kg",
            &at_time(days(today, -30 * month), 6, 15),
        ));
    }
    own.extend([
        note(days(today, -220), "Headache", "Two days, after a week of late work. Ibuprofen helped."),
        note(days(today, -45), "Hay fever", "Worse since the neighbour's grass was cut."),
        note(
            days(today, -9),
            "Ask at the yearly check",
            "Mother had diabetes at 54: how often should I be tested?",
        ),
    ]);
    own
}

/// Bima: what a parent writes down at home.
pub(super) fn bima(dice: &Dice, today: Date) -> Vec<OwnEntry> {
    let mut own = vec![medicine(&Medicine {
        name: "Vitamin D drops",
        dose: ("400", "units"),
        frequency: "08:00",
        reason: "First year",
        since: days(today, -2_700),
        prescriber: Some("dr. Maya Lestari"),
        until: Some(days(today, -2_350)),
    })];
    for month in (1..=10).rev() {
        let at = index(10 - usize::try_from(month).unwrap_or(0));
        let height = around(dice, &[(0.0, 119.4), (9.0, 123.0)], at, 0.1);
        own.push(measured(
            "8302-2",
            &format!("{height:.1}"),
            None,
            "cm",
            &at_time(days(today, -30 * month), 18, 0),
        ));
    }
    for evening in (0..6).rev() {
        let temperature = 37.2 + f64::from(i32::try_from(evening).unwrap_or(0)) * 0.28 + dice.around(0.1);
        let at = at_time(days(today, -40 - evening), 19, 10);
        own.push(measured("8310-5", &format!("{temperature:.1}"), None, "Cel", &at));
    }
    own.extend([
        note(days(today, -44), "Cough", "Since Monday, worse at night. No fever in the mornings."),
        note(days(today, -20), "School", "The school asks for the vaccination book in September."),
        note(days(today, -3), "Question for dr. Maya", "Is the cough a reason to wait with the vaccine?"),
    ]);
    own
}
