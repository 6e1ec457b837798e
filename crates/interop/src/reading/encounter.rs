//! Visits: Encounter, Procedure and ImagingStudy.

use super::facts::Facts;
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

pub(super) fn read_encounter(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let titles = [node.get("type"), node.get("serviceType"), node.get("reasonCode"), node.get("class")];
    reading.title = titles.iter().find_map(|node| node.words()).map(tidy).unwrap_or_default();
    reading.code = Some(node.get("type")).filter(|kind| kind.is_some()).and_then(quantity::series);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::VISIT_CLASS, node.get("class"));
    facts.words(label::TYPE, node.get("type"));
    facts.period(label::START, label::END, node.get("period"));
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    let of_each = |list: &Node<'_>, key: &str| -> Vec<DetailValue> {
        let names = list.items().iter().filter_map(|one| resource.reference(one.get(key)));
        names.map(DetailValue::Reference).collect()
    };
    facts.all(label::DIAGNOSIS, of_each(node.get("diagnosis"), "condition"));
    facts.all(label::PARTICIPANTS, of_each(node.get("participant"), "individual"));
    facts.references(label::ORGANIZATION, node.get("serviceProvider"));
    facts.all(label::LOCATION, of_each(node.get("location"), "location"));
    facts.words(label::DISCHARGE, node.get("hospitalization").get("dischargeDisposition"));
    facts.words(label::PRIORITY, node.get("priority"));
}

pub(super) fn read_procedure(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("code").words().map(tidy).unwrap_or_default();
    reading.code = quantity::series(node.get("code"));
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::STATUS_REASON, node.get("statusReason"));
    facts.words(label::CODE, node.get("code"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.date(label::DATE, node.get("performedDateTime"));
    facts.period(label::START, label::END, node.get("performedPeriod"));
    facts.text(label::DATE, node.get("performedString").text().unwrap_or_default());
    facts.moment(label::AGE, node.any(&["performedAge", "performedRange"]));
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    facts.words(label::ANATOMY, node.get("bodySite"));
    performers(resource, facts);
    facts.references(label::LOCATION, node.get("location"));
    facts.words(label::OUTCOME, node.get("outcome"));
    facts.words(label::FOLLOW_UP, node.get("followUp"));
    facts.references(label::RESULTS, node.get("report"));
    facts.visit(node.get("encounter"));
    facts.notes(label::NOTE, node.get("note"));
}

/// Everybody who did it.
pub(super) fn performers(resource: &Resource<'_>, facts: &mut Facts<'_>) {
    let names: Vec<_> = resource
        .node
        .get("performer")
        .items()
        .iter()
        .filter_map(|one| resource.reference(if one.get("actor").is_some() { one.get("actor") } else { one }))
        .map(DetailValue::Reference)
        .collect();
    facts.all(label::PERFORMER, names);
}

pub(super) fn read_imaging(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let series = node.get("series").items();
    let described = || series.iter().find_map(|one| one.get("description").text());
    let modality =
        || node.get("modality").words().or_else(|| series.iter().find_map(|one| one.get("modality").words()));
    let words = node.get("procedureCode").words().or_else(|| node.get("description").text());
    reading.title = words.or_else(described).or_else(modality).map(tidy).unwrap_or_default();
    facts.status(label::STATUS, node.get("status"));
    facts.date(label::DATE, node.get("started"));
    if node.get("modality").is_some() {
        facts.words(label::MODALITY, node.get("modality"));
    } else {
        facts.all(label::MODALITY, modality().map(|words| DetailValue::Text(words.to_owned())));
    }
    facts.words(label::PROCEDURE, node.get("procedureCode"));
    facts.references(label::PROCEDURE, node.get("procedureReference"));
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    let listed: Vec<_> = series.iter().filter_map(one_series).map(DetailValue::Text).collect();
    facts.all(label::SERIES, listed);
    facts.printed(label::IMAGES, node.get("numberOfInstances"));
    facts.references(label::PERFORMER, node.get("interpreter"));
    facts.references(label::REQUESTER, node.get("referrer"));
    facts.references(label::LOCATION, node.get("location"));
    facts.visit(node.get("encounter"));
    facts.text(label::DESCRIPTION, node.get("description").text().unwrap_or_default());
    facts.notes(label::NOTE, node.get("note"));
}

/// "CT, Upper trunk, CT Surview 180".
fn one_series(series: &Node<'_>) -> Option<String> {
    let parts =
        [series.get("modality").words(), series.get("bodySite").words(), series.get("description").text()];
    let parts: Vec<_> = parts.into_iter().flatten().map(tidy).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
