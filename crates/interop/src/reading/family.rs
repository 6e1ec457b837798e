//! FamilyMemberHistory: a relative, what they had, and how old they were.

use super::facts::Facts;
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let relative = node.get("relationship").words().map(tidy);
    let conditions = node.get("condition").items();
    let names: Vec<_> = conditions.iter().filter_map(|one| one.get("code").words()).map(tidy).collect();
    let relative = relative.or_else(|| node.get("name").text().map(tidy)).unwrap_or_default();
    reading.title = match (relative.is_empty(), names.is_empty()) {
        (false, false) => tidy(&format!("{relative}: {}", names.join(", "))),
        (true, false) => tidy(&names.join(", ")),
        _ => relative,
    };
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::RELATIONSHIP, node.get("relationship"));
    facts.printed(label::NAME, node.get("name"));
    facts.status(label::GENDER, node.get("sex"));
    facts.moment(label::BIRTH_DATE, node.any(&["bornDate", "bornString"]));
    facts.moment(label::AGE, node.any(&["ageAge", "ageRange", "ageString"]));
    facts.moment(
        label::DECEASED,
        node.any(&["deceasedDate", "deceasedAge", "deceasedRange", "deceasedString"]),
    );
    let listed: Vec<_> = conditions.iter().filter_map(condition).map(DetailValue::Text).collect();
    facts.all(label::CONDITIONS, listed);
    let notes: Vec<_> = conditions
        .iter()
        .flat_map(|one| one.get("note").items())
        .filter_map(|note| note.get("text").text())
        .collect();
    facts.all(label::NOTE, notes.into_iter().map(|text| DetailValue::Text(text.to_owned())));
    facts.date(label::RECORDED, node.get("date"));
    facts.words(label::ABSENT_REASON, node.get("dataAbsentReason"));
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    facts.notes(label::NOTE, node.get("note"));
}

/// "Heart attack (74 yr)".
fn condition(condition: &Node<'_>) -> Option<String> {
    let name = tidy(condition.get("code").words()?);
    let onset = quantity::text(condition.get("onsetAge"))
        .or_else(|| Some(quantity::range_text(condition.get("onsetRange"))).filter(|text| !text.is_empty()))
        .or_else(|| condition.any(&["onsetString"]).text().map(str::to_owned))
        .or_else(|| condition.get("onsetPeriod").get("start").text().map(str::to_owned));
    Some(onset.map_or_else(|| name.clone(), |onset| format!("{name} ({onset})")))
}
