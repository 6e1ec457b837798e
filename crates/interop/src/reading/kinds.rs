//! Which kind a resource is, and so which section it is kept in. Once kept it stays there: a change here moves nothing that exists.

use mecum_domain::Kind;

use crate::fhir::Node;

/// LOINC codes of FHIR's vital signs profile (R4 `observation-vitalsigns`), for files that leave the category out.
const VITAL_SIGNS: &[&str] = &[
    "85353-1", "9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
    "85354-9", "55284-4", "8480-6", "8462-4", "8478-0", "8289-1", "59576-9", "77606-2",
];

/// The kind of a resource.
pub(crate) fn kind_of(resource_type: &str, node: &Node<'_>) -> Kind {
    match resource_type {
        "Patient" => Kind::Patient,
        "Encounter" => Kind::Encounter,
        "Procedure" => Kind::Procedure,
        "DocumentReference" | "Composition" => Kind::Document,
        "DiagnosticReport" => Kind::DiagnosticReport,
        "Observation" => observation(node),
        "MedicationRequest" => Kind::MedicationRequest,
        "MedicationStatement" => Kind::MedicationStatement,
        "MedicationAdministration" => Kind::MedicationAdministration,
        "AllergyIntolerance" => Kind::AllergyIntolerance,
        "Condition" => Kind::Condition,
        "Immunization" => Kind::Immunization,
        "Goal" => Kind::Goal,
        "CarePlan" => Kind::CarePlan,
        "ImagingStudy" => Kind::ImagingStudy,
        "FamilyMemberHistory" => Kind::FamilyMemberHistory,
        _ => Kind::Other,
    }
}

fn observation(node: &Node<'_>) -> Kind {
    let category = node.get("category");
    if category.has_code(&["laboratory", "LAB"]) {
        Kind::LabResult
    } else if category.has_code(&["vital-signs"]) {
        Kind::VitalSign
    } else if category.is_some() {
        Kind::Observation
    } else if node.get("code").has_code(VITAL_SIGNS) {
        Kind::VitalSign
    } else if node.get("specimen").is_some() || node.get("referenceRange").is_some() {
        // Only a laboratory takes specimens and prints ranges.
        Kind::LabResult
    } else {
        Kind::Observation
    }
}
