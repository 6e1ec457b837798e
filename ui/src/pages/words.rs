//! The names of what the contract carries as ids: kinds, groups, fields, statuses and facts. A code without a word of ours is shown as it came.

use mecum_api::{DetailView, Origin, RowView};
use mecum_domain::{Field, Kind, KindGroup};
use serde::Serialize;

use crate::components::IconName;
use crate::format;
use crate::i18n::{I18n, t};
use crate::json;

/// The kebab-case word that stands for a value on the wire.
pub fn wire_word<T: Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap_or_default().trim_matches('"').to_owned()
}

/// The value that a kebab-case word stands for.
pub fn from_wire_word<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    json::read(&format!("\"{word}\"")).ok()
}

/// The name of a kind. A measurement that the family wrote is a home measurement.
pub fn kind_name(i18n: &I18n, row: &RowView) -> String {
    if row.kind == Kind::VitalSign && row.source.origin == Origin::Family {
        return t!(i18n, "record-home-measurement");
    }
    if row.kind == Kind::Other && !row.resource_type.is_empty() {
        return spaced(&row.resource_type);
    }
    i18n.text(&format!("kind-{}", wire_word(row.kind)))
}

/// The name of a filter.
pub fn group_name(i18n: &I18n, group: KindGroup) -> String {
    i18n.text(&format!("group-{}", wire_word(group)))
}

/// The name of a field.
pub fn field_name(i18n: &I18n, field: Field) -> String {
    i18n.text(&format!("field-{}", wire_word(field)))
}

/// The word for a status code; the code itself where we have none.
pub fn status_name(i18n: &I18n, code: &str) -> String {
    i18n.try_text(&format!("status-{}", code.to_ascii_lowercase())).unwrap_or_else(|| code.to_owned())
}

/// The label of a fact.
pub fn detail_name(i18n: &I18n, detail: &DetailView) -> String {
    i18n.try_text(&detail.label).unwrap_or_else(|| spaced(detail.label.trim_start_matches("detail-")))
}

/// Names of the standard are ASCII. "ExplanationOfBenefit" reads "Explanation of benefit", "visit-class" reads "Visit class".
pub fn spaced(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if at == 0 {
            out.push(c.to_ascii_uppercase());
        } else if c == '-' || c == '_' {
            out.push(' ');
        } else if c.is_ascii_uppercase() && !out.ends_with(' ') {
            out.push(' ');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// The sign of a kind.
pub fn kind_icon(kind: Kind) -> IconName {
    match kind {
        Kind::LabResult | Kind::DiagnosticReport => IconName::TestTube,
        Kind::VitalSign | Kind::Observation => IconName::HeartPulse,
        Kind::MedicationRequest | Kind::MedicationStatement | Kind::MedicationAdministration => {
            IconName::Pill
        }
        Kind::Encounter => IconName::Stethoscope,
        Kind::Procedure => IconName::Scissors,
        Kind::ImagingStudy => IconName::Eye,
        Kind::AllergyIntolerance => IconName::Alert,
        Kind::Condition => IconName::Clipboard,
        Kind::Immunization => IconName::Syringe,
        Kind::Goal | Kind::CarePlan => IconName::Target,
        Kind::Note => IconName::Pen,
        Kind::Patient | Kind::FamilyMemberHistory => IconName::User,
        Kind::Document | Kind::Other => IconName::File,
    }
}

/// Title and value as one phrase: "Blood pressure 138/82 mmHg". A value that is long text is left to the detail.
pub fn row_phrase(i18n: &I18n, row: &RowView) -> (String, Option<String>) {
    let value = row
        .value
        .as_deref()
        .filter(|v| !v.is_empty())
        .map(|v| format::value(i18n.language(), v, row.unit.as_deref().unwrap_or_default()));
    (row_title(i18n, row), value)
}

/// The title of a row: in the reader's language where its LOINC code is in the glossary, as in the results; otherwise as the record words it.
/// How it was printed is said in its detail.
pub fn row_title(i18n: &I18n, row: &RowView) -> String {
    let loinc = row.trend.as_deref().and_then(|trend| trend.strip_prefix("loinc|"));
    let word = loinc.and_then(crate::glossary::word);
    word.map_or_else(|| row.title.clone(), |word| i18n.text(&word.name_id()))
}

/// The source line: who or which organization, where, and when.
pub fn source_line(i18n: &I18n, row: &RowView) -> String {
    let source = &row.source;
    let mut parts: Vec<String> = Vec::new();
    match source.origin {
        Origin::Family => {
            parts.extend(source.author.clone());
            if source.this_device {
                parts.push(t!(i18n, "source-this-device"));
            } else {
                parts.extend(source.device.clone());
            }
            if source.at_ms > 0 {
                parts.push(format::clock(source.at_ms));
            }
        }
        Origin::Import => {
            parts.extend(source.author.clone());
            parts.extend(source.organization.clone());
            if parts.is_empty() {
                parts.push(t!(i18n, "record-by-file"));
            }
        }
    }
    parts.retain(|p| !p.is_empty());
    parts.dedup();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_words_are_the_ids_of_texts() {
        assert_eq!(wire_word(Kind::LabResult), "lab-result", "kinds");
        assert_eq!(wire_word(Field::DoseUnit), "dose-unit", "fields");
        assert_eq!(from_wire_word::<Field>("dose"), Some(Field::Dose), "and back");
        assert_eq!(from_wire_word::<Kind>("nothing"), None, "an unknown word is none");
    }

    #[test]
    fn every_kind_group_and_field_has_a_name_in_both_languages() {
        for text in [include_str!("../../locales/en/record.ftl"), include_str!("../../locales/id/record.ftl")]
        {
            let has = |id: String| text.lines().any(|line| line.starts_with(&format!("{id} = ")));
            for kind in Kind::ALL {
                assert!(has(format!("kind-{}", wire_word(kind))), "{kind:?} has a name");
            }
            for group in KindGroup::ALL {
                assert!(has(format!("group-{}", wire_word(group))), "{group:?} has a name");
            }
            for field in Field::ALL {
                assert!(has(format!("field-{}", wire_word(field))), "{field:?} has a name");
            }
        }
    }

    #[test]
    fn a_type_without_a_name_is_spaced_into_words() {
        assert_eq!(spaced("ExplanationOfBenefit"), "Explanation of benefit", "a resource type");
        assert_eq!(spaced("visit-class"), "Visit class", "a label");
    }
}
