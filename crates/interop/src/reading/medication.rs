//! Medicines: MedicationRequest, MedicationStatement, MedicationAdministration. Doses are shown as written; nothing is converted or added up.

use super::facts::{Facts, coded};
use super::{DetailValue, Dosage, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

pub(super) fn read_request(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    medicine(resource, reading, facts);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::STATUS_REASON, node.get("statusReason"));
    dosages(node.get("dosageInstruction"), reading, facts);
    reasons(resource, reading, facts);
    facts.status(label::INTENT, node.get("intent"));
    facts.status(label::PRIORITY, node.get("priority"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.date(label::AUTHORED, node.get("authoredOn"));
    facts.references(label::REQUESTER, node.get("requester"));
    let dispense = node.get("dispenseRequest");
    let supply = [dispense.get("quantity"), dispense.get("expectedSupplyDuration")];
    let repeats = dispense.get("numberOfRepeatsAllowed").printed().map(|number| format!("× {number}"));
    let supply: Vec<_> =
        supply.iter().filter_map(|node| quantity::text(node)).chain(repeats).map(DetailValue::Text).collect();
    facts.all(label::DISPENSE, supply);
    facts.period(label::START, label::END, dispense.get("validityPeriod"));
    facts.visit(node.get("encounter"));
    facts.notes(label::NOTE, node.get("note"));
}

pub(super) fn read_statement(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    medicine(resource, reading, facts);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::STATUS_REASON, node.get("statusReason"));
    dosages(node.get("dosage"), reading, facts);
    reasons(resource, reading, facts);
    facts.date(label::START, node.get("effectiveDateTime"));
    facts.period(label::START, label::END, node.get("effectivePeriod"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.references(label::RECORDER, node.get("informationSource"));
    facts.date(label::RECORDED, node.get("dateAsserted"));
    facts.references(label::BASED_ON, node.get("basedOn"));
    facts.visit(node.get("context"));
    facts.notes(label::NOTE, node.get("note"));
}

pub(super) fn read_administration(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    medicine(resource, reading, facts);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::STATUS_REASON, node.get("statusReason"));
    facts.date(label::DATE, node.get("effectiveDateTime"));
    facts.period(label::START, label::END, node.get("effectivePeriod"));
    let dosage = node.get("dosage");
    facts.text(label::INSTRUCTION, dosage.get("text").text().unwrap_or_default());
    facts.quantity(label::DOSE, dosage.get("dose"));
    facts.words(label::ROUTE, dosage.get("route"));
    facts.words(label::SITE, dosage.get("site"));
    facts.words(label::METHOD, dosage.get("method"));
    reading.dosage = Some(Dosage { dose: quantity::text(dosage.get("dose")), frequency: None, reason: None });
    reasons(resource, reading, facts);
    super::encounter::performers(resource, facts);
    facts.references(label::BASED_ON, node.get("request"));
    facts.visit(node.get("context"));
    facts.notes(label::NOTE, node.get("note"));
}

/// The medicine itself: coded, named in the bundle, or contained.
fn medicine(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let concept = node.get("medicationCodeableConcept");
    let reference = node.get("medicationReference");
    if concept.is_some() {
        let unknown = super::common::says_none(concept);
        reading.title = if unknown {
            super::condition::none_title(concept)
        } else {
            concept.words().map(tidy).unwrap_or_default()
        };
        reading.code = quantity::series(concept);
        facts.words(label::MEDICINE, concept);
        return;
    }
    let inner = reference
        .get("reference")
        .text()
        .and_then(|at| at.strip_prefix('#'))
        .and_then(|id| resource.contained(id));
    reading.title = resource.reference(reference).unwrap_or_default();
    let Some(inner) = inner else {
        facts.references(label::MEDICINE, reference);
        return;
    };
    reading.code = quantity::series(inner.get("code"));
    facts.words(label::MEDICINE, inner.get("code"));
    facts.words(label::FORM, inner.get("form"));
    let ingredients: Vec<_> = inner
        .get("ingredient")
        .items()
        .iter()
        .filter_map(|one| coded(one.get("itemCodeableConcept")))
        .collect();
    facts.all(label::INGREDIENTS, ingredients);
    facts.printed(label::LOT, inner.get("batch").get("lotNumber"));
    facts.date(label::EXPIRY, inner.get("batch").get("expirationDate"));
}

fn dosages(list: &Node<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let each = |of: &dyn Fn(&Node<'_>) -> Option<String>| -> Vec<String> {
        list.items().iter().filter_map(of).collect()
    };
    let texts = each(&|one| one.any(&["text", "patientInstruction"]).text().map(str::to_owned));
    let doses = each(&dose);
    let times = each(&|one| timing(one.get("timing")));
    facts.all(label::INSTRUCTION, texts.iter().cloned().map(DetailValue::Text));
    facts.all(label::DOSE, doses.iter().cloned().map(DetailValue::Text));
    facts.all(label::FREQUENCY, times.iter().cloned().map(DetailValue::Text));
    for one in list.items() {
        facts.words(label::ROUTE, one.get("route"));
        facts.words(label::METHOD, one.get("method"));
        facts.words(label::SITE, one.get("site"));
        facts.words(label::AS_NEEDED, one.get("asNeededCodeableConcept"));
        if one.get("asNeededBoolean").truth() == Some(true) {
            facts.printed(label::AS_NEEDED, one.get("asNeededBoolean"));
        }
        facts.words(label::NOTE, one.get("additionalInstruction"));
    }
    // Several instructions (a rising dose) are no one dose: they are then shown as written, together.
    let one = |mut parts: Vec<String>| if parts.len() == 1 { parts.pop() } else { None };
    let several = list.items().len() > 1;
    let words = Some(texts.join("; ")).filter(|text| !text.is_empty());
    let dosage = if several {
        Dosage { dose: None, frequency: words, reason: None }
    } else {
        Dosage { dose: one(doses), frequency: one(times).or(words), reason: None }
    };
    reading.dosage = Some(dosage);
}

/// "500 mg", "1–2 tablet".
fn dose(dosage: &Node<'_>) -> Option<String> {
    let rate = dosage.get("doseAndRate");
    let quantity = rate.get("doseQuantity");
    let quantity = if quantity.is_some() { quantity } else { dosage.get("doseQuantity") };
    quantity::text(quantity)
        .or_else(|| Some(quantity::range_text(rate.get("doseRange"))).filter(|text| !text.is_empty()))
}

/// A Timing in words, from its code's text or its own numbers: "2 × / 1 d, 08:00, 20:00". Marks, not English, so that it reads in every language.
fn timing(timing: &Node<'_>) -> Option<String> {
    if let Some(text) = timing.get("code").get("text").text() {
        return Some(text.to_owned());
    }
    let repeat = timing.get("repeat");
    let number = |key: &str| repeat.get(key).printed();
    let mut parts = Vec::new();
    if let (Some(frequency), Some(period), Some(unit)) =
        (number("frequency"), number("period"), repeat.get("periodUnit").text())
    {
        let most = number("frequencyMax").map(|most| format!("–{most}")).unwrap_or_default();
        parts.push(format!("{frequency}{most} × / {period} {unit}"));
    }
    let listed = |key: &str| {
        repeat.get(key).items().iter().filter_map(Node::text).map(str::to_owned).collect::<Vec<_>>()
    };
    parts
        .extend(listed("timeOfDay").into_iter().map(|time| time.get(..5).map(str::to_owned).unwrap_or(time)));
    parts.extend(listed("dayOfWeek"));
    parts.extend(listed("when"));
    if parts.is_empty() {
        return timing.get("code").words().map(str::to_owned);
    }
    Some(parts.join(", "))
}

fn reasons(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let (codes, references) = (resource.node.get("reasonCode"), resource.node.get("reasonReference"));
    facts.reasons(label::REASON, codes, references);
    let reason =
        codes.words().map(tidy).or_else(|| references.items().iter().find_map(|one| resource.reference(one)));
    if let Some(reason) = reason {
        reading.dosage.get_or_insert_default().reason = Some(reason);
    }
}
