//! Immunization: which vaccine, when, from which lot, and whether it was given at all.

use super::facts::{Facts, coded};
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::title::tidy;

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("vaccineCode").words().map(tidy).unwrap_or_default();
    reading.code = quantity::series(node.get("vaccineCode"));
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::STATUS_REASON, node.get("statusReason"));
    facts.words(label::VACCINE, node.get("vaccineCode"));
    facts.date(label::DATE, node.get("occurrenceDateTime"));
    facts.text(label::DATE, node.get("occurrenceString").text().unwrap_or_default());
    let protocols = node.get("protocolApplied").items();
    let doses = protocols.iter().filter_map(|one| {
        let number = one.any(&["doseNumberPositiveInt", "doseNumberString"]).printed()?;
        let of = one.any(&["seriesDosesPositiveInt", "seriesDosesString"]).printed();
        Some(of.map_or_else(|| number.clone(), |of| format!("{number}/{of}")))
    });
    let doses: Vec<_> = doses.map(DetailValue::Text).collect();
    facts.all(label::DOSE_NUMBER, doses);
    let series: Vec<_> = protocols
        .iter()
        .filter_map(|one| one.get("series").text())
        .map(|text| DetailValue::Text(text.to_owned()))
        .collect();
    facts.all(label::SERIES, series);
    let targets: Vec<_> =
        protocols.iter().flat_map(|one| one.get("targetDisease").items()).filter_map(coded).collect();
    facts.all(label::TARGET_DISEASE, targets);
    facts.quantity(label::DOSE, node.get("doseQuantity"));
    facts.printed(label::LOT, node.get("lotNumber"));
    facts.date(label::EXPIRY, node.get("expirationDate"));
    facts.references(label::MANUFACTURER, node.get("manufacturer"));
    facts.words(label::SITE, node.get("site"));
    facts.words(label::ROUTE, node.get("route"));
    super::encounter::performers(resource, facts);
    facts.references(label::LOCATION, node.get("location"));
    facts.reasons(label::REASON, node.get("reasonCode"), node.get("reasonReference"));
    facts.visit(node.get("encounter"));
    facts.notes(label::NOTE, node.get("note"));
}
