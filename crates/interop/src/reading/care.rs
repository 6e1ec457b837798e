//! Goal and CarePlan: what was agreed, by when, and what is done for it.

use mecum_domain::ReferenceRange;

use super::facts::{Facts, coded};
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

pub(super) fn read_goal(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("description").words().map(tidy).unwrap_or_default();
    let target = node.get("target");
    // The series that the goal is about, so that its trend can show it.
    reading.code = Some(target.get("measure")).filter(|measure| measure.is_some()).and_then(quantity::series);
    (reading.range, reading.unit) = limits(target);
    facts.status(label::STATUS, node.get("lifecycleStatus"));
    facts.status(label::ACHIEVEMENT, node.get("achievementStatus"));
    facts.words(label::DESCRIPTION, node.get("description"));
    let targets: Vec<_> = target.items().iter().filter_map(one_target).map(DetailValue::Text).collect();
    facts.all(label::TARGET, targets);
    facts.date(label::START, node.get("startDate"));
    facts.date(label::DUE, target.get("dueDate"));
    facts.quantity(label::DUE, target.get("dueDuration"));
    facts.words(label::PRIORITY, node.get("priority"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.references(label::ADDRESSES, node.get("addresses"));
    facts.references(label::AUTHOR, node.get("expressedBy"));
    facts.date(label::RECORDED, node.get("statusDate"));
    facts.printed(label::STATUS_REASON, node.get("statusReason"));
    facts.reasons(label::OUTCOME, node.get("outcomeCode"), node.get("outcomeReference"));
    facts.notes(label::NOTE, node.get("note"));
}

/// The limits of a goal with one numeric target, to draw; a plain number is a value to reach, not a limit. The text of the
/// range is the comparator of the file, if it has one.
fn limits(target: &Node<'_>) -> (Option<ReferenceRange>, Option<String>) {
    let [target] = target.items() else { return (None, None) };
    let (range, one) = (target.get("detailRange"), target.get("detailQuantity"));
    let number = |node: &Node<'_>| node.get("value").decimal();
    let comparator = one.get("comparator").text();
    let (low, high) = match comparator {
        Some("<" | "<=") => (None, number(one)),
        Some(">" | ">=") => (number(one), None),
        _ => (number(range.get("low")), number(range.get("high"))),
    };
    if low.is_none() && high.is_none() {
        return (None, None);
    }
    let unit = [one, range.get("high"), range.get("low")].into_iter().find_map(quantity::unit);
    (Some(ReferenceRange { low, high, text: comparator.map(str::to_owned) }), unit)
}

/// "HbA1c: ≤ 7.5 %".
fn one_target(target: &Node<'_>) -> Option<String> {
    let measure = target.get("measure").words().map(tidy);
    let detail = quantity::text(target.get("detailQuantity"))
        .or_else(|| Some(quantity::range_text(target.get("detailRange"))).filter(|text| !text.is_empty()))
        .or_else(|| target.get("detailCodeableConcept").words().map(tidy))
        .or_else(|| target.any(&["detailString", "detailInteger", "detailBoolean"]).printed());
    match (measure, detail) {
        (Some(measure), Some(detail)) => Some(format!("{measure}: {detail}")),
        (measure, detail) => measure.or(detail),
    }
}

pub(super) fn read_plan(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let titles = [node.get("title"), node.get("category"), node.get("description")];
    reading.title = titles.iter().find_map(|node| node.words()).map(tidy).unwrap_or_default();
    facts.status(label::STATUS, node.get("status"));
    facts.status(label::INTENT, node.get("intent"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.text(label::DESCRIPTION, node.get("description").text().unwrap_or_default());
    facts.period(label::START, label::END, node.get("period"));
    facts.references(label::ADDRESSES, node.get("addresses"));
    let activities: Vec<_> =
        node.get("activity").items().iter().filter_map(|one| activity(resource, one)).collect();
    facts.all(label::ACTIVITIES, activities);
    facts.references(label::GOALS, node.get("goal"));
    facts.references(label::AUTHOR, node.get("author"));
    facts.references(label::PARTICIPANTS, node.get("careTeam"));
    facts.visit(node.get("encounter"));
    facts.date(label::RECORDED, node.get("created"));
    facts.notes(label::NOTE, node.get("note"));
    facts.narrative(label::NARRATIVE, node.get("text"));
}

fn activity(resource: &Resource<'_>, activity: &Node<'_>) -> Option<DetailValue> {
    let detail = activity.get("detail");
    coded(detail.get("code"))
        .or_else(|| detail.get("description").text().map(|text| DetailValue::Text(tidy(text))))
        .or_else(|| resource.reference(activity.get("reference")).map(DetailValue::Reference))
}
