//! Condition: what somebody has or had, and how sure that is.

use super::facts::Facts;
use super::{Reading, Resource, label, quantity};
use crate::title::tidy;

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("code").words().map(tidy).unwrap_or_default();
    reading.code = quantity::series(node.get("code"));
    if super::common::says_none(node.get("code")) {
        reading.title = none_title(node.get("code"));
    }
    facts.status(label::CLINICAL_STATUS, node.get("clinicalStatus"));
    facts.status(label::VERIFICATION, node.get("verificationStatus"));
    facts.words(label::CODE, node.get("code"));
    facts.words(label::SEVERITY, node.get("severity"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.words(label::ANATOMY, node.get("bodySite"));
    let onset = node.any(&["onsetDateTime", "onsetAge", "onsetRange", "onsetString"]);
    facts.moment(label::ONSET, onset);
    facts.period(label::START, label::END, node.get("onsetPeriod"));
    let abatement = node.any(&["abatementDateTime", "abatementAge", "abatementRange", "abatementString"]);
    facts.moment(label::END, abatement);
    facts.date(label::END, node.get("abatementPeriod").get("end"));
    facts.date(label::RECORDED, node.get("recordedDate"));
    facts.references(label::RECORDER, node.any(&["recorder", "asserter"]));
    facts.visit(node.get("encounter"));
    let stage: Vec<_> = node
        .get("stage")
        .items()
        .iter()
        .filter_map(|stage| super::facts::coded(stage.get("summary")))
        .collect();
    facts.all(label::SERIES, stage);
    facts.notes(label::NOTE, node.get("note"));
}

/// Codes of "none known" come without a display in real files: the code itself is then words ("no-known-food-allergies").
pub(super) fn none_title(concept: &crate::fhir::Node<'_>) -> String {
    let worded =
        concept.get("text").text().or_else(|| concept.codings().iter().find_map(|(_, _, display)| *display));
    if let Some(words) = worded {
        tidy(words)
    } else {
        let code = concept.code().unwrap_or_default().replace('-', " ");
        let mut letters = code.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}
