//! The date under which a resource is listed: when it happened, else when it began, else when it was written. Never made up.

use mecum_domain::PartialDate;

use crate::fhir::Node;

/// Paths by type, the best first.
fn paths(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        // A person is not an event.
        "Patient" => &[],
        "Encounter" => &["period.start", "period.end"],
        "Procedure" => &["performedDateTime", "performedPeriod.start", "performedPeriod.end"],
        "Condition" => &["onsetDateTime", "onsetPeriod.start", "recordedDate", "dateRecorded"],
        "AllergyIntolerance" => &["onsetDateTime", "onsetPeriod.start", "recordedDate", "lastOccurrence"],
        "Immunization" => &["occurrenceDateTime", "recorded", "date"],
        "Goal" => &["startDate", "statusDate", "target.dueDate"],
        "CarePlan" => &["period.start", "created", "period.end"],
        "MedicationRequest" => &[
            "authoredOn",
            "dosageInstruction.timing.repeat.boundsPeriod.start",
            "dispenseRequest.validityPeriod.start",
        ],
        "MedicationStatement" => {
            &["effectiveDateTime", "effectivePeriod.start", "dateAsserted", "effectivePeriod.end"]
        }
        "MedicationAdministration" => &["effectiveDateTime", "effectivePeriod.start"],
        "Observation" => &[
            "effectiveDateTime",
            "effectiveInstant",
            "effectivePeriod.start",
            "effectiveTiming.event",
            "effectivePeriod.end",
            "issued",
        ],
        "DiagnosticReport" => &["effectiveDateTime", "effectivePeriod.start", "issued"],
        "DocumentReference" => &["date", "content.attachment.creation", "context.period.start", "indexed"],
        "ImagingStudy" => &["started"],
        "Composition" | "FamilyMemberHistory" => &["date"],
        _ => &[
            "occurrenceDateTime",
            "occurrencePeriod.start",
            "effectiveDateTime",
            "effectivePeriod.start",
            "performedDateTime",
            "servicedDate",
            "servicedPeriod.start",
            "billablePeriod.start",
            "start",
            "period.start",
            "timingDateTime",
            "timingPeriod.start",
            "dateTime",
            "date",
            "authoredOn",
            "authored",
            "sent",
            "received",
            "recorded",
            "recordedOn",
            "issued",
            "created",
            "timestamp",
            "whenHandedOver",
            "whenPrepared",
            "planningHorizon.start",
            "requestedPeriod.start",
            "receivedTime",
        ],
    }
}

fn end_paths(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "Patient" => &[],
        "Procedure" => &["performedPeriod.end"],
        "Condition" => &["abatementDateTime", "abatementPeriod.end"],
        "Goal" => &["target.dueDate"],
        "MedicationRequest" => &["dosageInstruction.timing.repeat.boundsPeriod.end"],
        "MedicationStatement" | "MedicationAdministration" | "Observation" | "DiagnosticReport" => {
            &["effectivePeriod.end"]
        }
        _ => &["period.end", "billablePeriod.end", "end"],
    }
}

fn first(node: &Node<'_>, paths: &[&str]) -> Option<PartialDate> {
    paths.iter().find_map(|path| path.split('.').fold(node, |node, key| node.get(key)).date())
}

/// The date of a resource.
pub(crate) fn date_of(resource_type: &str, node: &Node<'_>) -> Option<PartialDate> {
    first(node, paths(resource_type))
}

/// When it ended.
pub(super) fn end_of(resource_type: &str, node: &Node<'_>) -> Option<PartialDate> {
    first(node, end_paths(resource_type))
}
