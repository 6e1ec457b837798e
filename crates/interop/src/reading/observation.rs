//! Observation: a result or a measurement with its parts, against that laboratory's own range and no other.

use mecum_domain::{Decimal, Flag, Kind};

use super::facts::Facts;
use super::{Component, DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::title::tidy;

/// Systolic and diastolic pressure. Source: LOINC 8480-6, 8462-4.
const SYSTOLIC: &str = "loinc|8480-6";
const DIASTOLIC: &str = "loinc|8462-4";

/// A blood pressure with both parts: one series, whichever of its panel codes (85354-9, the older 55284-4) the sender used.
const BLOOD_PRESSURE: &str = "loinc|85354-9";

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("code").words().map(tidy).unwrap_or_default();
    reading.code = quantity::series(node.get("code"));
    let measured = node.get("valueQuantity");
    reading.range = quantity::range_of(node.get("referenceRange"), measured);
    reading.flag = quantity::flag_of(node, measured, reading.range.as_ref());
    value(node, reading);
    components(node, reading);
    if reading.flag == Flag::NoRange && reading.kind != Kind::LabResult {
        // Only a laboratory owes a range: a weight without one lacks nothing.
        reading.flag = Flag::None;
    }
    describe(resource, reading, facts);
}

/// The value as printed, and its number where it has one.
fn value(node: &Node<'_>, reading: &mut Reading) {
    let measured = node.get("valueQuantity");
    if let Some((value, unit)) = quantity::printed(measured) {
        (reading.value, reading.unit) = (Some(value), unit);
        reading.ucum = quantity::ucum(measured);
        // "<0.5" is no point on a line.
        let number = measured.get("value").decimal().filter(|_| !measured.get("comparator").is_some());
        reading.numeric =
            number.zip(reading.code.clone()).map(|(number, code)| vec![(code, rounded(&number))]);
        return;
    }
    if let Some(number) = node.get("valueInteger").decimal() {
        reading.value = Some(number.to_string());
        reading.numeric = reading.code.clone().map(|code| vec![(code, number)]);
        return;
    }
    reading.value = worded_value(node);
}

/// Every other kind of value in words.
fn worded_value(node: &Node<'_>) -> Option<String> {
    let ratio = node.get("valueRatio");
    let ratio = || match (quantity::text(ratio.get("numerator")), quantity::text(ratio.get("denominator"))) {
        (Some(above), Some(below)) => Some(format!("{above} / {below}")),
        _ => None,
    };
    let period = node.get("valuePeriod");
    let period = || match (period.get("start").text(), period.get("end").text()) {
        (Some(start), Some(end)) => Some(format!("{start} – {end}")),
        (start, end) => start.or(end).map(str::to_owned),
    };
    let plain = node.any(&["valueString", "valueBoolean", "valueDateTime", "valueTime"]);
    node.get("valueCodeableConcept")
        .words()
        .map(tidy)
        .or_else(|| plain.printed().map(|text| tidy(&text)))
        .or_else(|| Some(quantity::range_text(node.get("valueRange"))).filter(|text| !text.is_empty()))
        .or_else(ratio)
        .or_else(period)
}

fn components(node: &Node<'_>, reading: &mut Reading) {
    let mut numbers = Vec::new();
    for part in node.get("component").items() {
        let measured = part.get("valueQuantity");
        let code = quantity::series(part.get("code"));
        let number = measured.get("value").decimal().or_else(|| part.get("valueInteger").decimal());
        let printed = quantity::printed(measured)
            .or_else(|| part.get("valueInteger").printed().map(|number| (number, None)))
            .or_else(|| worded_value(part).map(|words| (words, None)));
        let Some((value, unit)) = printed else { continue };
        if let (Some(code), Some(number)) = (&code, &number) {
            numbers.push((code.clone(), rounded(number)));
        }
        let range = quantity::range_of(part.get("referenceRange"), measured);
        let flag = quantity::flag_of(part, measured, range.as_ref());
        let title = part.get("code").words().map(tidy).unwrap_or_default();
        reading.components.push(Component { code, title, value, unit, flag });
    }
    let part = |code: &str| reading.components.iter().find(|part| part.code.as_deref() == Some(code));
    if let (Some(systolic), Some(diastolic)) = (part(SYSTOLIC), part(DIASTOLIC)) {
        let flag =
            [systolic.flag, diastolic.flag].into_iter().find(|flag| matches!(flag, Flag::High | Flag::Low));
        let (value, unit) = (format!("{}/{}", systolic.value, diastolic.value), systolic.unit.clone());
        let judged =
            flag.unwrap_or(if systolic.flag == diastolic.flag { systolic.flag } else { Flag::NoRange });
        (reading.value, reading.unit, reading.flag) = (Some(value), unit, judged);
        reading.code = Some(BLOOD_PRESSURE.into());
        let measured = |part: &&Node<'_>| part.get("code").has_code(&["8480-6"]);
        let systolic = node.get("component").items().iter().find(measured);
        reading.ucum = systolic.and_then(|part| quantity::ucum(part.get("valueQuantity")));
        let wanted = [SYSTOLIC, DIASTOLIC];
        numbers.retain(|(code, _)| wanted.contains(&code.as_str()));
        numbers.sort_by_key(|(code, _)| code != SYSTOLIC);
    }
    if reading.numeric.is_none() && !numbers.is_empty() {
        reading.numeric = Some(numbers);
    }
}

/// The number that the screen prints, so that a line and its table agree.
fn rounded(number: &Decimal) -> Decimal {
    quantity::shown(number).parse().unwrap_or_else(|_| number.clone())
}

fn describe(resource: &Resource<'_>, reading: &Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    if let Some(value) = reading.value.clone() {
        let unit = reading.unit.clone().unwrap_or_default();
        if node.get("valueCodeableConcept").is_some() {
            facts.words(label::VALUE, node.get("valueCodeableConcept"));
        } else {
            facts.all(label::VALUE, [DetailValue::Quantity { value, unit, flag: reading.flag }]);
        }
    }
    facts.words(label::ABSENT_REASON, node.get("dataAbsentReason"));
    let parts = reading.components.iter().map(|part| {
        let unit = part.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        DetailValue::Text(format!("{}: {}{unit}", part.title, part.value))
    });
    facts.all(label::COMPONENTS, parts);
    facts.words(label::INTERPRETATION, node.get("interpretation"));
    let ranges = node.get("referenceRange").items().iter().filter_map(|range| {
        let worded = range.get("text").text().map(str::to_owned);
        worded.or_else(|| Some(quantity::range_text(range)).filter(|text| !text.is_empty()))
    });
    let ranges: Vec<_> = ranges.map(DetailValue::Text).collect();
    facts.all(label::REFERENCE_RANGE, ranges);
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::CODE, node.get("code"));
    facts.date(label::DATE, node.any(&["effectiveDateTime", "effectiveInstant"]));
    facts.period(label::START, label::END, node.get("effectivePeriod"));
    facts.date(label::ISSUED, node.get("issued"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.words(label::METHOD, node.get("method"));
    facts.words(label::ANATOMY, node.get("bodySite"));
    facts.references(label::SPECIMEN, node.get("specimen"));
    facts.references(label::DEVICE, node.get("device"));
    facts.references(label::PERFORMER, node.get("performer"));
    facts.references(label::MEMBERS, node.get("hasMember"));
    facts.references(label::BASED_ON, node.get("derivedFrom"));
    facts.visit(node.get("encounter"));
    facts.notes(label::NOTE, node.get("note"));
}
