//! What other resources call a resource: a practitioner's name, a medicine's, a result with its value. Kept with what points to it.

use super::quantity;
use crate::fhir::Node;
use crate::title::{best_words, human_name, tidy};

/// A name or where it is found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// The words.
    Words(String),
    /// The name of what this reference points to.
    At(String),
}

/// The name of a resource under the empty suffix, and its parts under theirs (`organization`, `clinician`).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Name {
    pub(crate) parts: Vec<(&'static str, Part)>,
}

impl Name {
    /// The words, where they need no other resource.
    pub(crate) fn words(&self) -> Option<String> {
        self.parts.iter().find_map(|(suffix, part)| match part {
            Part::Words(words) if suffix.is_empty() => Some(words.clone()),
            _ => None,
        })
    }

    fn push(&mut self, suffix: &'static str, words: Option<String>) {
        self.parts.extend(words.filter(|words| !words.is_empty()).map(|words| (suffix, Part::Words(words))));
    }

    fn point(&mut self, suffix: &'static str, reference: &Node<'_>) {
        self.push(suffix, reference.get("display").text().map(tidy));
        let at = reference.get("reference").text().map(|at| (suffix, Part::At(at.to_owned())));
        self.parts.extend(at);
    }
}

/// What other resources call a resource.
pub(crate) fn name_of(resource_type: &str, node: &Node<'_>) -> Name {
    let mut name = Name::default();
    match resource_type {
        "Practitioner" | "RelatedPerson" | "Person" | "Patient" => {
            name.push("", human_name(node.get("name")));
        }
        "PractitionerRole" => {
            name.point("", node.get("practitioner"));
            name.push("", node.any(&["code", "specialty"]).words().map(tidy));
            name.point("organization", node.get("organization"));
        }
        "Organization" | "Location" => {
            let words = node.get("name").text().map(tidy).or_else(|| best_words(node));
            if resource_type == "Organization" {
                name.push("organization", words.clone());
            }
            name.push("", words);
        }
        "Encounter" => {
            name.push("", node.any(&["type", "class"]).words().map(tidy));
            name.point("organization", node.get("serviceProvider"));
            name.point("clinician", node.get("participant").get("individual"));
        }
        "Observation" => name.push("", observation(node)),
        "Medication" => {
            let coded = node.get("code").words().map(tidy);
            let ingredient = || node.get("ingredient").get("itemCodeableConcept").words().map(tidy);
            name.push("", coded.or_else(ingredient));
        }
        "MedicationRequest" | "MedicationStatement" | "MedicationAdministration" => {
            name.push("", node.get("medicationCodeableConcept").words().map(tidy));
            name.point("", node.get("medicationReference"));
        }
        "DeviceUseStatement" => {
            name.point("", node.get("device"));
        }
        "Immunization" => name.push("", node.get("vaccineCode").words().map(tidy)),
        _ => name.push("", best_words(node)),
    }
    name
}

/// "HbA1c: 7.8 %".
fn observation(node: &Node<'_>) -> Option<String> {
    let title = node.get("code").words().map(tidy)?;
    let value = quantity::text(node.get("valueQuantity"))
        .or_else(|| node.get("valueCodeableConcept").words().map(tidy))
        .or_else(|| pressure(node))
        .or_else(|| {
            node.any(&["valueString", "valueInteger", "valueBoolean"]).printed().map(|text| tidy(&text))
        });
    Some(value.map_or_else(|| title.clone(), |value| format!("{title}: {value}")))
}

/// "138/82 mmHg" of a panel with both parts.
fn pressure(node: &Node<'_>) -> Option<String> {
    let part = |code: &str| {
        let mut parts = node.get("component").items().iter();
        parts.find(|part| part.get("code").has_code(&[code])).map(|part| part.get("valueQuantity"))
    };
    let ((systolic, unit), (diastolic, _)) =
        (quantity::printed(part("8480-6")?)?, quantity::printed(part("8462-4")?)?);
    Some(
        unit.map_or_else(
            || format!("{systolic}/{diastolic}"),
            |unit| format!("{systolic}/{diastolic} {unit}"),
        ),
    )
}
