//! Papers: DiagnosticReport with its results, DocumentReference with its attachments, Composition with its sections.

use super::facts::{Facts, coded};
use super::{DetailValue, Reading, Resource, label, quantity};
use crate::fhir::Node;
use crate::narrative::plain_text;
use crate::title::tidy;

/// Deepest sections of a Composition that are read.
const MAX_SECTION_DEPTH: usize = 4;

pub(super) fn read_report(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    reading.title = node.get("code").words().map(tidy).unwrap_or_default();
    reading.code = quantity::series(node.get("code"));
    facts.status(label::STATUS, node.get("status"));
    facts.text(label::CONCLUSION, node.get("conclusion").text().unwrap_or_default());
    facts.words(label::CONCLUSION, node.get("conclusionCode"));
    facts.references(label::RESULTS, node.get("result"));
    facts.words(label::CODE, node.get("code"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.date(label::DATE, node.get("effectiveDateTime"));
    facts.period(label::START, label::END, node.get("effectivePeriod"));
    facts.date(label::ISSUED, node.get("issued"));
    facts.references(label::PERFORMER, node.any(&["resultsInterpreter", "performer"]));
    facts.references(label::SPECIMEN, node.get("specimen"));
    facts.references(label::IMAGES, node.get("imagingStudy"));
    facts.references(label::BASED_ON, node.get("basedOn"));
    let forms: Vec<_> =
        node.get("presentedForm").items().iter().filter_map(attachment).map(DetailValue::Text).collect();
    facts.all(label::ATTACHMENT, forms);
    facts.visit(node.get("encounter"));
    if !node.get("result").is_some() && !node.get("conclusion").is_some() {
        facts.narrative(label::NARRATIVE, node.get("text"));
    }
}

pub(super) fn read_document(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let attached = node.get("content").items().iter().map(|content| content.get("attachment"));
    let title = attached.clone().find_map(|one| one.get("title").text());
    let titles =
        title.or_else(|| node.get("description").text()).or_else(|| node.any(&["type", "category"]).words());
    reading.title = titles.map(tidy).unwrap_or_default();
    facts.status(label::STATUS, node.get("status"));
    facts.status(label::STATUS, node.get("docStatus"));
    facts.words(label::DOCUMENT_TYPE, node.get("type"));
    facts.words(label::CATEGORY, node.get("category"));
    facts.text(label::DESCRIPTION, node.get("description").text().unwrap_or_default());
    facts.date(label::DATE, node.get("date"));
    facts.period(label::START, label::END, node.get("context").get("period"));
    facts.references(label::AUTHOR, node.get("author"));
    facts.references(label::CUSTODIAN, node.get("custodian"));
    let attached: Vec<_> = attached.filter_map(attachment).map(DetailValue::Text).collect();
    facts.all(label::ATTACHMENT, attached);
    facts.visit(node.get("context").get("encounter"));
    facts.narrative(label::NARRATIVE, node.get("text"));
}

/// "Advance directive, application/pdf, 120 kB". The bytes stay in the original.
fn attachment(attachment: &Node<'_>) -> Option<String> {
    let size = attachment.get("size").printed().map(|bytes| format!("{bytes} B"));
    let named =
        ["title", "contentType", "language", "url"].iter().filter_map(|key| attachment.get(key).text());
    let named: Vec<_> = named.map(tidy).chain(size).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

pub(super) fn read_composition(resource: &Resource<'_>, reading: &mut Reading, facts: &mut Facts<'_>) {
    let node = resource.node;
    let title = node.get("title").text().or_else(|| node.get("type").words());
    reading.title = title.map(tidy).unwrap_or_default();
    facts.status(label::STATUS, node.get("status"));
    facts.words(label::DOCUMENT_TYPE, node.get("type"));
    facts.date(label::DATE, node.get("date"));
    facts.references(label::AUTHOR, node.get("author"));
    facts.references(label::CUSTODIAN, node.get("custodian"));
    facts.words(label::CATEGORY, node.get("category"));
    let mut sections = Vec::new();
    list_sections(resource, node.get("section"), 0, &mut sections);
    facts.all(label::SECTIONS, sections);
    facts.visit(node.get("encounter"));
}

/// Each section: its title, and in a list what stands in it.
fn list_sections(resource: &Resource<'_>, sections: &Node<'_>, depth: usize, out: &mut Vec<DetailValue>) {
    for section in sections.items() {
        let title = section.get("title").text().or_else(|| section.get("code").words());
        let mut parts: Vec<DetailValue> =
            title.map(|title| DetailValue::Text(tidy(title))).into_iter().collect();
        let entries = section.get("entry").items().iter().filter_map(|entry| resource.reference(entry));
        parts.extend(entries.map(DetailValue::Reference));
        parts.extend(coded(section.get("emptyReason")));
        if !section.get("entry").is_some() {
            let words =
                section.get("text").get("div").text().map(plain_text).filter(|words| !words.is_empty());
            parts.extend(words.map(DetailValue::Text));
        }
        out.push(if parts.len() == 1 { parts.swap_remove(0) } else { DetailValue::List(parts) });
        if depth < MAX_SECTION_DEPTH {
            list_sections(resource, section.get("section"), depth + 1, out);
        }
    }
}
