//! What every type has under one name or another: status, author, organization, and which of its flags comes first.

use mecum_domain::{Flag, Kind};

use super::{Reading, Resource};
use crate::fhir::Node;

/// Code systems that say "none known" and "not known". Source: IPS 2.0.1 `absent-unknown-uv-ips`.
const ABSENT_SYSTEM: &str = "absent-unknown-uv-ips";

/// SNOMED CT codes for "none known". Source: IPS 2.0.1 value sets for allergies, problems and medications.
const NONE_KNOWN: &[&str] = &[
    "716186003",
    "409137002",
    "428607008",
    "429625007",
    "160244002",
    "160245001",
    "787481004",
    "787480003",
    "787482006",
];

/// Status values that say that something did not happen.
const NOT_SO: &[&str] = &["not-done", "not-taken", "cancelled", "noshow", "health-unknown"];

/// Reads what is common. The readers of the types run after this and may know better.
pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading) {
    let node = resource.node;
    let status = match reading.kind {
        Kind::Condition | Kind::AllergyIntolerance => node.get("clinicalStatus"),
        Kind::Goal => node.get("lifecycleStatus"),
        _ => node.get("status"),
    };
    reading.status = status.code().map(str::to_owned);
    let coded = node.any(&["code", "vaccineCode", "medicationCodeableConcept"]);
    reading.absent =
        says_none(coded) || reading.status.as_deref().is_some_and(|status| NOT_SO.contains(&status));
    reading.corrected = matches!(reading.status.as_deref(), Some("amended" | "corrected"));
    let people = people(resource);
    let named = |organization: bool| {
        let mut fit = people.iter().filter(move |one| one.organization == organization);
        fit.find_map(|one| one.name.clone())
    };
    reading.author = named(false);
    let organizations = ["serviceProvider", "custodian", "managingOrganization", "performerOrganization"];
    reading.organization = organizations
        .iter()
        .find_map(|key| resource.reference(node.get(key)))
        .or_else(|| people.iter().find_map(|one| one.of.clone()))
        .or_else(|| named(true))
        .or_else(|| resource.part(node.any(&["encounter", "context"]), "organization"));
}

struct Named {
    name: Option<String>,
    organization: bool,
    of: Option<String>,
}

/// Who is named as having made the resource, the most direct first.
fn people(resource: &Resource<'_>) -> Vec<Named> {
    let node = resource.node;
    let nodes: Vec<&Node<'_>> = match node.get("resourceType").text().unwrap_or_default() {
        "DiagnosticReport" => vec![node.get("resultsInterpreter"), node.get("performer")],
        "Procedure" => vec![node.get("performer"), node.get("recorder"), node.get("asserter")],
        "Observation" | "Immunization" | "MedicationAdministration" => vec![node.get("performer")],
        "Condition" | "AllergyIntolerance" => vec![node.get("recorder"), node.get("asserter")],
        "MedicationRequest" => vec![node.get("requester"), node.get("recorder")],
        "MedicationStatement" => vec![node.get("informationSource")],
        "Encounter" => vec![node.get("participant")],
        "ImagingStudy" => vec![node.get("interpreter"), node.get("referrer")],
        "Goal" => vec![node.get("expressedBy")],
        "Patient" | "FamilyMemberHistory" => vec![],
        _ => vec![
            node.get("author"),
            node.get("contributor"),
            node.get("performer"),
            node.get("provider"),
            node.get("recorder"),
            node.get("sender"),
            node.get("requester"),
            node.get("source"),
        ],
    };
    let references = nodes.iter().flat_map(|node| node.items());
    references
        .map(|one| {
            Some(one.any(&["actor", "individual", "who"])).filter(|inner| inner.is_some()).unwrap_or(one)
        })
        .map(|one| {
            let name = resource.reference(one);
            let of = resource.part(one, "organization");
            let by_path = one.get("reference").text().is_some_and(|at| at.contains("Organization/"));
            Named { organization: by_path || (of.is_some() && of == name), name, of }
        })
        .filter(|one| one.name.is_some() || one.of.is_some())
        .collect()
}

/// A code that says "none known" or "not known".
pub(super) fn says_none(concept: &Node<'_>) -> bool {
    concept
        .codings()
        .iter()
        .any(|(system, code, _)| system.ends_with(ABSENT_SYSTEM) || NONE_KNOWN.contains(code))
}

/// The flag that comes first: an error outranks a value, a value outranks the news that it was corrected.
pub(super) fn foremost(resource: &Resource<'_>, reading: &Reading) -> Flag {
    let node = resource.node;
    let wrong = ["entered-in-error", "refuted"];
    if node.get("status").has_code(&wrong) || node.get("verificationStatus").has_code(&wrong) {
        return Flag::EnteredInError;
    }
    if matches!(reading.flag, Flag::High | Flag::Low) {
        return reading.flag;
    }
    if reading.corrected {
        return Flag::Corrected;
    }
    if ended(reading) { Flag::Ended } else { reading.flag }
}

fn ended(reading: &Reading) -> bool {
    let status = reading.status.as_deref().unwrap_or_default();
    match reading.kind {
        // Without a clinical status, a written end is the only sign.
        Kind::Condition if status.is_empty() => reading.end.is_some(),
        Kind::Condition | Kind::AllergyIntolerance => matches!(status, "inactive" | "remission" | "resolved"),
        Kind::MedicationRequest => matches!(status, "stopped" | "completed" | "cancelled"),
        Kind::MedicationStatement => matches!(status, "stopped" | "completed" | "not-taken"),
        Kind::CarePlan => matches!(status, "completed" | "revoked"),
        Kind::Goal => matches!(status, "completed" | "cancelled" | "rejected"),
        _ => false,
    }
}
