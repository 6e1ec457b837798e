//! What a person may write into an entry: the same checks in the form, the client and the tests.

use serde::{Deserialize, Serialize};

use crate::{Decimal, Field, Kind, PartialDate};

/// One field that cannot be saved as written, with the Fluent id that says how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// Fluent message id.
    pub message_id: String,
    /// Lower limit for messages that name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// Upper limit for messages that name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
}

/// The longest text of a field, in bytes.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;

/// Limits that catch a slip of the finger, not a diagnosis: (LOINC, first value low, high).
/// Source: widest values seen in living adults and children, rounded outward.
const MEASUREMENT_LIMITS: &[(&str, f64, f64)] = &[
    ("85354-9", 30.0, 300.0),    // blood pressure, mmHg
    ("8867-4", 20.0, 300.0),     // heart rate, /min
    ("29463-7", 0.3, 500.0),     // body weight, kg
    ("8302-2", 20.0, 260.0),     // body height, cm
    ("8310-5", 25.0, 45.0),      // body temperature, Cel
    ("2708-6", 40.0, 100.0),     // oxygen saturation, %
    ("2339-0", 10.0, 2000.0),    // glucose, mg/dL
    ("15074-8", 0.5, 120.0),     // glucose, mmol/L
    ("9279-1", 3.0, 120.0),      // respiratory rate, /min
    ("41950-7", 0.0, 200_000.0), // steps in a day
];

/// Checks the fields of a new or changed entry of `kind`. An empty answer means that it can be saved.
pub fn validate_draft(kind: Kind, fields: &[(Field, String)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let get = |field: Field| {
        fields.iter().find(|(f, _)| *f == field).map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
    };
    for field in required(kind) {
        if get(*field).is_none() {
            errors.push(error(*field, "error-field-required"));
        }
    }
    for (field, value) in fields {
        if value.len() > MAX_TEXT_BYTES {
            errors.push(error(*field, "error-field-too-long"));
        } else if matches!(field, Field::Effective | Field::Until | Field::BirthDate)
            && !value.is_empty()
            && PartialDate::parse(value).is_none()
        {
            errors.push(error(*field, "error-field-date"));
        } else if matches!(field, Field::Value | Field::Value2 | Field::Dose) && !value.is_empty() {
            check_number(*field, value, get(Field::Code), &mut errors);
        }
    }
    errors
}

fn required(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::VitalSign => &[Field::Code, Field::Value, Field::Effective],
        Kind::Note => &[Field::Text],
        Kind::AllergyIntolerance => &[Field::Substance],
        Kind::MedicationStatement | Kind::Patient => &[Field::Name],
        _ => &[],
    }
}

fn check_number(field: Field, value: &str, code: Option<&str>, errors: &mut Vec<FieldError>) {
    let Ok(number) = value.trim().parse::<Decimal>() else {
        errors.push(error(field, "error-field-number"));
        return;
    };
    let limits = MEASUREMENT_LIMITS.iter().find(|(loinc, ..)| Some(*loinc) == code && field != Field::Dose);
    if let Some((_, low, high)) = limits
        && !(*low..=*high).contains(&number.to_f64())
    {
        errors.push(FieldError {
            low: Some(low.to_string()),
            high: Some(high.to_string()),
            ..error(field, "error-field-range")
        });
    } else if field == Field::Dose && number.to_f64() <= 0.0 {
        errors.push(error(field, "error-field-positive"));
    }
}

fn error(field: Field, message_id: &str) -> FieldError {
    FieldError { field, message_id: message_id.into(), low: None, high: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_caught_with_its_limits() {
        let draft = [
            (Field::Code, "85354-9".into()),
            (Field::Value, "1380".into()),
            (Field::Effective, "2026-09-08".into()),
        ];
        let errors = validate_draft(Kind::VitalSign, &draft);
        assert_eq!(errors.len(), 1, "only the number is wrong");
        assert_eq!(
            errors.first().map(|e| (e.field, e.high.as_deref())),
            Some((Field::Value, Some("300"))),
            "the limit is named"
        );
    }

    #[test]
    fn a_medicine_needs_a_name_and_a_positive_dose() {
        let errors = validate_draft(Kind::MedicationStatement, &[(Field::Dose, "0".into())]);
        let ids: Vec<_> = errors.iter().map(|e| e.message_id.as_str()).collect();
        assert_eq!(ids, ["error-field-required", "error-field-positive"], "both are said at once");
    }
}
