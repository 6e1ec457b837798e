//! AllergyIntolerance: the substance, what happens, how bad, and whether it still stands.

use super::facts::{Facts, coded};
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let code = node.get("code");
    let substance =
        || node.get("reaction").items().iter().find_map(|reaction| reaction.get("substance").words());
    reading.title = code.words().or_else(substance).map(tidy).unwrap_or_default();
    reading.code = quantity::series(code);
    if super::common::says_none(code) {
        reading.title = super::condition::none_title(code);
    }
    facts.status(label::CLINICAL_STATUS, node.get("clinicalStatus"));
    facts.status(label::VERIFICATION, node.get("verificationStatus"));
    facts.words(label::SUBSTANCE, code);
    facts.status(label::CRITICALITY, node.get("criticality"));
    facts.words(label::ALLERGY_TYPE, node.get("type"));
    facts.words(label::CATEGORY, node.get("category"));
    let reactions: Vec<_> =
        node.get("reaction").items().iter().filter_map(reaction).map(DetailValue::Text).collect();
    facts.all(label::REACTIONS, reactions);
    let severities: Vec<_> =
        node.get("reaction").items().iter().filter_map(|one| one.get("severity").text()).collect();
    if let Some(worst) = ["severe", "moderate", "mild"].iter().find(|severity| severities.contains(severity))
    {
        facts.all(label::SEVERITY, [DetailValue::Status((*worst).to_owned())]);
    }
    let substances: Vec<_> =
        node.get("reaction").items().iter().filter_map(|one| coded(one.get("substance"))).collect();
    facts.all(label::INGREDIENTS, substances);
    facts.moment(label::ONSET, node.any(&["onsetDateTime", "onsetAge", "onsetRange", "onsetString"]));
    facts.period(label::START, label::END, node.get("onsetPeriod"));
    facts.date(label::LAST_OCCURRENCE, node.get("lastOccurrence"));
    facts.date(label::RECORDED, node.get("recordedDate"));
    facts.references(label::RECORDER, node.any(&["recorder", "asserter"]));
    facts.visit(node.get("encounter"));
    facts.notes(label::NOTE, node.get("note"));
}

/// "Rash, hives (moderate, 2011-05)".
fn reaction(reaction: &Node<'_>) -> Option<String> {
    let shown = reaction
        .get("manifestation")
        .items()
        .iter()
        .filter_map(Node::words)
        .map(tidy)
        .collect::<Vec<_>>()
        .join(", ");
    let words = if shown.is_empty() { reaction.get("description").text()?.to_owned() } else { shown };
    let about: Vec<_> =
        [reaction.get("severity").text(), reaction.get("onset").text()].into_iter().flatten().collect();
    Some(if about.is_empty() { words } else { format!("{words} ({})", about.join(", ")) })
}
