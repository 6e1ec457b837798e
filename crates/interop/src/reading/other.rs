//! A type without a reader of its own: listed with its best words and what it has in common with all others. Never dropped.

use super::facts::Facts;
use super::{Reading, Resource, label};
use crate::title::{best_words, human_name, tidy, type_in_words};

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let kind_in_words = type_in_words(&reading.resource_type);
    let named = match reading.resource_type.as_str() {
        "Practitioner" | "RelatedPerson" | "Person" => human_name(node.get("name")),
        "PractitionerRole" => resource.reference(node.get("practitioner")),
        // Bills are told apart by what they are for, not by their code of a form.
        "Claim" | "ExplanationOfBenefit" => node.get("item").get("productOrService").display().map(tidy),
        "Consent" => node.get("category").display().map(tidy),
        "DeviceUseStatement" => resource.reference(node.get("device")),
        _ => None,
    };
    reading.title = named.or_else(|| best_words(node)).unwrap_or(kind_in_words);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::CODE, node.get("code"));
    facts.words(label::TYPE, node.get("type"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.text(label::DESCRIPTION, node.get("description").text().unwrap_or_default());
    facts.date(
        label::START,
        node.any(&["start", "created", "authored", "authoredOn", "sent", "recorded", "dateTime", "date"]),
    );
    facts.period(label::START, label::END, node.any(&["period", "billablePeriod"]));
    facts.references(
        label::AUTHOR,
        node.any(&["author", "performer", "sender", "requester", "provider", "source"]),
    );
    facts.references(
        label::ORGANIZATION,
        node.any(&["organization", "managingOrganization", "insurer", "payor"]),
    );
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    facts.visit(node.any(&["encounter", "context"]));
    facts.notes(label::NOTE, node.get("note"));
    facts.narrative(label::NARRATIVE, node.get("text"));
}
