//! Which fields each kind asks for, in which order and with which control. Pure: the form draws what stands here.

use mecum_domain::{Field, Kind};

use crate::format;

/// The measurements that a person can write down: LOINC code and UCUM unit.
/// Source: the codes that `mecum_domain::validate_draft` knows limits for.
pub const MEASUREMENTS: &[(&str, &str)] = &[
    ("85354-9", "mm[Hg]"),
    ("8867-4", "/min"),
    ("29463-7", "kg"),
    ("8302-2", "cm"),
    ("8310-5", "Cel"),
    ("2708-6", "%"),
    ("2339-0", "mg/dL"),
    ("15074-8", "mmol/L"),
    ("9279-1", "/min"),
];

/// LOINC code of blood pressure: the one measurement with two numbers.
const BLOOD_PRESSURE: &str = "85354-9";

const DOSE_UNITS: &[&str] = &["mg", "mcg", "g", "ml", "units", "tablet", "puff", "drop"];

/// The fields of a form as they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft(pub Vec<(Field, String)>);

impl Draft {
    /// The text of a field; empty when it is not there.
    pub fn get(&self, field: Field) -> &str {
        self.0.iter().find(|(f, _)| *f == field).map_or("", |(_, value)| value)
    }

    /// Writes a field.
    pub fn set(&mut self, field: Field, value: String) {
        match self.0.iter_mut().find(|(f, _)| *f == field) {
            Some((_, old)) => *old = value,
            None => self.0.push((field, value)),
        }
    }
}

/// How a field is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A number, with its unit in the box.
    Number,
    /// A date and a time of day.
    DateTime,
    /// A date as far as it is known.
    PartialDate,
    /// One of these: stored word and Fluent id.
    Choice(Vec<(String, String)>),
}

/// One question of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The field.
    pub field: Field,
    /// Fluent id of its label.
    pub label: &'static str,
    /// Fluent id of its hint.
    pub hint: Option<&'static str>,
    /// It may stay empty.
    pub optional: bool,
    /// How it is asked for.
    pub control: Control,
}

/// The id of a field's control in the page.
pub fn control_id(field: Field) -> String {
    format!("field-{}", field.key())
}

/// Fluent id of a field's label in a form.
pub fn label(field: Field, draft: &Draft) -> &'static str {
    match field {
        Field::Code => "form-measurement",
        Field::Value if draft.get(Field::Code) == BLOOD_PRESSURE => "form-upper",
        Field::Value => "form-value",
        Field::Value2 => "form-lower",
        Field::Effective if !draft.get(Field::Code).is_empty() => "form-measured-at",
        Field::Effective => "field-effective",
        Field::Text => "form-text",
        Field::Name => "field-name",
        Field::Substance => "form-substance",
        Field::Reaction => "form-reaction",
        Field::Severity => "form-severity",
        Field::Dose => "form-dose",
        Field::DoseUnit => "form-dose-unit",
        Field::Frequency => "form-frequency",
        Field::Reason => "form-reason",
        Field::Prescriber => "form-prescriber",
        _ => "form-status",
    }
}

/// The UCUM unit of a measurement.
pub fn unit_of(code: &str) -> &'static str {
    MEASUREMENTS.iter().find(|(c, _)| *c == code).map_or("", |(_, unit)| unit)
}

/// A new form of a kind: the date is now, a measurement is blood pressure.
pub fn blank(kind: Kind) -> Draft {
    let mut draft = Draft::default();
    match kind {
        Kind::VitalSign => {
            draft.set(Field::Code, BLOOD_PRESSURE.into());
            draft.set(Field::Unit, unit_of(BLOOD_PRESSURE).into());
            draft.set(Field::Effective, format::now_local());
        }
        Kind::Note => draft.set(Field::Effective, format::now_local()),
        Kind::MedicationStatement => {
            draft.set(Field::DoseUnit, "mg".into());
            draft.set(Field::Status, "active".into());
        }
        Kind::AllergyIntolerance => draft.set(Field::Status, "active".into()),
        _ => {}
    }
    draft
}

/// The questions of a kind, given what stands in the form.
pub fn asked(kind: Kind, draft: &Draft) -> Vec<Ask> {
    let ask = |field: Field, optional: bool, control: Control| Ask {
        field,
        label: label(field, draft),
        hint: None,
        optional,
        control,
    };
    let hinted = |field: Field, optional: bool, control: Control, hint: &'static str| Ask {
        hint: Some(hint),
        ..ask(field, optional, control)
    };
    match kind {
        Kind::VitalSign => {
            let mut asks =
                vec![ask(Field::Code, false, measurements(draft)), ask(Field::Value, false, Control::Number)];
            if draft.get(Field::Code) == BLOOD_PRESSURE {
                asks.push(ask(Field::Value2, true, Control::Number));
            }
            asks.push(ask(Field::Effective, false, Control::DateTime));
            asks
        }
        Kind::Note => vec![
            ask(Field::Text, false, Control::Lines),
            Ask { label: "form-title", ..hinted(Field::Name, true, Control::Line, "form-title-hint") },
            Ask { label: "form-noted-at", ..ask(Field::Effective, true, Control::DateTime) },
        ],
        Kind::AllergyIntolerance => vec![
            hinted(Field::Substance, false, Control::Line, "form-substance-hint"),
            hinted(Field::Reaction, true, Control::Line, "form-reaction-hint"),
            ask(Field::Severity, true, severities()),
            Ask {
                label: "form-noticed",
                ..hinted(Field::Effective, true, Control::PartialDate, "form-noticed-hint")
            },
            ask(Field::Status, false, choices(&["active", "resolved"], "form-status-allergy")),
        ],
        Kind::MedicationStatement => vec![
            Ask { label: "form-medicine", ..hinted(Field::Name, false, Control::Line, "form-medicine-hint") },
            hinted(Field::Dose, true, Control::Number, "form-dose-hint"),
            ask(Field::DoseUnit, true, dose_units(draft.get(Field::DoseUnit))),
            hinted(Field::Frequency, true, Control::Line, "form-frequency-hint"),
            ask(Field::Reason, true, Control::Line),
            ask(Field::Prescriber, true, Control::Line),
            Ask {
                label: "form-started",
                ..hinted(Field::Effective, true, Control::PartialDate, "form-noticed-hint")
            },
            ask(Field::Status, false, choices(&["active", "stopped", "on-hold"], "form-status")),
        ],
        _ => Vec::new(),
    }
}

fn choices(words: &[&str], prefix: &str) -> Control {
    Control::Choice(words.iter().map(|w| ((*w).to_owned(), format!("{prefix}-{w}"))).collect())
}

fn severities() -> Control {
    let Control::Choice(mut words) = choices(&["mild", "moderate", "severe"], "status") else {
        return Control::Line;
    };
    words.insert(0, (String::new(), "form-severity-none".into()));
    Control::Choice(words)
}

fn measurements(draft: &Draft) -> Control {
    let mut codes: Vec<(String, String)> = MEASUREMENTS
        .iter()
        .map(|(code, _)| ((*code).to_owned(), format!("form-measurement-{code}")))
        .collect();
    let code = draft.get(Field::Code);
    if !code.is_empty() && !MEASUREMENTS.iter().any(|(c, _)| *c == code) {
        codes.push((code.to_owned(), code.to_owned()));
    }
    Control::Choice(codes)
}

fn dose_units(current: &str) -> Control {
    let mut units: Vec<(String, String)> = DOSE_UNITS
        .iter()
        .map(|unit| (stored_dose_unit(unit).to_owned(), format!("form-dose-unit-{unit}")))
        .collect();
    if !current.is_empty() && !units.iter().any(|(stored, _)| stored == current) {
        units.push((current.to_owned(), current.to_owned()));
    }
    Control::Choice(units)
}

fn stored_dose_unit(unit: &str) -> &str {
    if unit == "ml" { "mL" } else { unit }
}

/// What is saved: trimmed, decimal points, instants with this device's offset. Empty fields are left out, and a dose unit without a dose.
pub fn finished(kind: Kind, draft: &Draft) -> Draft {
    let mut out = Draft::default();
    for ask in asked(kind, draft) {
        let text = draft.get(ask.field).trim();
        let text = match ask.control {
            Control::Number => format::typed_number(text),
            Control::DateTime => format::with_offset(text),
            _ => text.to_owned(),
        };
        if !text.is_empty() {
            out.set(ask.field, text);
        }
    }
    if kind == Kind::VitalSign {
        out.set(Field::Unit, draft.get(Field::Unit).to_owned());
    }
    if out.get(Field::Dose).is_empty() {
        out.0.retain(|(field, _)| *field != Field::DoseUnit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_comma_and_a_local_time_are_saved_as_the_standard_wants_them() {
        let mut draft = blank(Kind::VitalSign);
        draft.set(Field::Code, "29463-7".into());
        draft.set(Field::Unit, unit_of("29463-7").into());
        draft.set(Field::Value, " 63,4 ".into());
        draft.set(Field::Effective, "2026-09-08T08:05".into());
        let done = finished(Kind::VitalSign, &draft);
        assert_eq!(done.get(Field::Value), "63.4", "a point");
        assert_eq!(done.get(Field::Effective), "2026-09-08T08:05:00+00:00", "with an offset");
        assert_eq!(done.get(Field::Unit), "kg", "with the unit of the measurement");
        assert!(mecum_domain::validate_draft(Kind::VitalSign, &done.0).is_empty(), "and it can be saved");
    }

    #[test]
    fn a_unit_without_a_dose_is_not_saved() {
        let mut draft = blank(Kind::MedicationStatement);
        draft.set(Field::Name, "Metformin".into());
        assert_eq!(
            finished(Kind::MedicationStatement, &draft).get(Field::DoseUnit),
            "",
            "mg of nothing is nothing"
        );
    }

    #[test]
    fn a_code_that_the_form_does_not_know_stays_as_it_is() {
        let mut draft = Draft::default();
        draft.set(Field::Code, "72514-3".into());
        let Control::Choice(codes) = measurements(&draft) else { panic!("a choice") };
        assert!(codes.iter().any(|(code, _)| code == "72514-3"), "editing never loses what was there");
    }
}
