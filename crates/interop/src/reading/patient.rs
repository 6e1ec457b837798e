//! Patient: personal data, as the sender has it.

use super::facts::Facts;
use super::{DetailValue, Reading, Resource, label};
use crate::fhir::Node;
use crate::title::human_name;

pub(super) fn read(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let name = human_name(node.get("name"));
    facts.text(label::NAME, name.clone().unwrap_or_default());
    reading.title = name.unwrap_or_default();
    facts.date(label::BIRTH_DATE, node.get("birthDate"));
    facts.status(label::GENDER, node.get("gender"));
    facts.date(label::DECEASED, node.get("deceasedDateTime"));
    facts.words(label::MARITAL_STATUS, node.get("maritalStatus"));
    let telecom: Vec<_> =
        node.get("telecom").items().iter().filter_map(telecom).map(DetailValue::Text).collect();
    facts.all(label::TELECOM, telecom);
    let addresses: Vec<_> =
        node.get("address").items().iter().filter_map(address).map(DetailValue::Text).collect();
    facts.all(label::ADDRESS, addresses);
    let languages: Vec<_> = node
        .get("communication")
        .items()
        .iter()
        .filter_map(|one| super::facts::coded(one.get("language")))
        .collect();
    facts.all(label::LANGUAGE, languages);
    let contacts: Vec<_> =
        node.get("contact").items().iter().filter_map(contact).map(DetailValue::Text).collect();
    facts.all(label::CONTACT, contacts);
    facts.references(label::CLINICIAN, node.get("generalPractitioner"));
    facts.references(label::ORGANIZATION, node.get("managingOrganization"));
    let identifiers: Vec<_> =
        node.get("identifier").items().iter().filter_map(identifier).map(DetailValue::Text).collect();
    facts.all(label::IDENTIFIERS, identifiers);
}

fn telecom(one: &Node<'_>) -> Option<String> {
    let value = one.get("value").text()?;
    Some(one.get("use").text().map_or_else(|| value.to_owned(), |place| format!("{value} ({place})")))
}

/// An address on one line.
pub(super) fn address(one: &Node<'_>) -> Option<String> {
    if let Some(text) = one.get("text").text() {
        return Some(text.to_owned());
    }
    let lines = one.get("line").items().iter().filter_map(Node::text);
    let rest =
        ["city", "district", "state", "postalCode", "country"].iter().filter_map(|key| one.get(key).text());
    let parts: Vec<_> = lines.chain(rest).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn contact(one: &Node<'_>) -> Option<String> {
    let name = human_name(one.get("name"));
    let relationship = one.get("relationship").words().map(str::to_owned);
    let telecom: Vec<_> = one.get("telecom").items().iter().filter_map(telecom).collect();
    let parts: Vec<_> = name.into_iter().chain(relationship).chain(telecom).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn identifier(one: &Node<'_>) -> Option<String> {
    let value = one.get("value").text()?;
    let kind = one.get("type").words().or_else(|| one.get("assigner").get("display").text());
    Some(kind.map_or_else(|| value.to_owned(), |kind| format!("{kind}: {value}")))
}
