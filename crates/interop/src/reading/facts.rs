//! The list of labelled facts while it is being read: every call adds one fact or, where the resource says nothing, none.

use mecum_domain::Flag;

use super::quantity;
use super::{Detail, DetailValue, Resource, STATUSES, label};
use crate::fhir::Node;
use crate::narrative::plain_text;
use crate::title::{tidy, without_tag};

/// Longest text of one fact, in characters: a longer one is cut with an ellipsis, the original has it all.
const MAX_FACT_CHARS: usize = 4_000;

/// Most facts of one label.
const MAX_LIST: usize = 300;

pub(super) struct Facts<'n> {
    resource: &'n Resource<'n>,
    details: Vec<Detail>,
}

impl<'n> Facts<'n> {
    pub(super) fn new(resource: &'n Resource<'n>) -> Self {
        Self { resource, details: Vec::new() }
    }

    pub(super) fn finish(self) -> Vec<Detail> {
        self.details
    }

    /// Adds several values as one fact: none, one alone, or a list.
    pub(super) fn all(&mut self, label: &'static str, values: impl IntoIterator<Item = DetailValue>) {
        let mut values: Vec<DetailValue> = values.into_iter().take(MAX_LIST).collect();
        let value = match values.len() {
            0 => return,
            1 => values.swap_remove(0),
            _ => DetailValue::List(values),
        };
        self.details.push(Detail { label, value });
    }

    pub(super) fn text(&mut self, label: &'static str, text: impl Into<String>) {
        let text = text.into();
        if !text.trim().is_empty() {
            self.all(label, [DetailValue::Text(cut(text))]);
        }
    }

    /// Texts, numbers and truth values as printed.
    pub(super) fn printed(&mut self, label: &'static str, node: &Node<'_>) {
        let texts: Vec<_> =
            node.items().iter().filter_map(Node::printed).map(|t| DetailValue::Text(cut(t))).collect();
        self.all(label, texts);
    }

    /// Coded words, several as a list.
    pub(super) fn words(&mut self, label: &'static str, node: &Node<'_>) {
        let codes: Vec<_> = concepts(node).iter().filter_map(coded).collect();
        self.all(label, codes);
    }

    /// A status code that has words; any other code as it is.
    pub(super) fn status(&mut self, label: &'static str, node: &Node<'_>) {
        let codes: Vec<_> = concepts(node).iter().filter_map(status_value).collect();
        self.all(label, codes);
    }

    pub(super) fn date(&mut self, label: &'static str, node: &Node<'_>) {
        match node.date() {
            Some(date) => self.all(label, [DetailValue::Date(date)]),
            None => self.text(label, node.text().unwrap_or_default()),
        }
    }

    /// When something began or ended: a date, an age, a range or words.
    pub(super) fn moment(&mut self, label: &'static str, node: &Node<'_>) {
        if node.get("value").is_some() {
            self.quantity(label, node);
        } else if node.get("low").is_some() || node.get("high").is_some() {
            self.text(label, quantity::range_text(node));
        } else {
            self.date(label, node);
        }
    }

    /// The start and the end of a period.
    pub(super) fn period(&mut self, start: &'static str, end: &'static str, node: &Node<'_>) {
        self.date(start, node.get("start"));
        self.date(end, node.get("end"));
    }

    pub(super) fn quantity(&mut self, label: &'static str, node: &Node<'_>) {
        if let Some((value, unit)) = quantity::printed(node) {
            let unit = unit.unwrap_or_default();
            self.all(label, [DetailValue::Quantity { value, unit, flag: Flag::None }]);
        }
    }

    /// The names of what these references point to. What has no name in the file is left out: an id says nothing to a person.
    pub(super) fn references(&mut self, label: &'static str, node: &Node<'_>) {
        let names: Vec<_> = node
            .items()
            .iter()
            .filter_map(|one| self.resource.reference(one))
            .map(DetailValue::Reference)
            .collect();
        self.all(label, names);
    }

    /// The visit that it belongs to, and who was seen there.
    pub(super) fn visit(&mut self, encounter: &Node<'_>) {
        self.references(label::ENCOUNTER, encounter);
        if let Some(name) = self.resource.part(encounter, "clinician") {
            self.all(label::CLINICIAN, [DetailValue::Reference(name)]);
        }
    }

    /// Coded words and names of references, together.
    pub(super) fn reasons(&mut self, label: &'static str, coded_words: &Node<'_>, references: &Node<'_>) {
        let names = references
            .items()
            .iter()
            .filter_map(|one| self.resource.reference(one))
            .map(DetailValue::Reference);
        let words = concepts(coded_words).iter().filter_map(coded);
        let values: Vec<_> = words.chain(names).collect();
        self.all(label, values);
    }

    /// Notes as written.
    pub(super) fn notes(&mut self, label: &'static str, node: &Node<'_>) {
        let texts: Vec<_> = node
            .items()
            .iter()
            .filter_map(|note| note.text().or_else(|| note.get("text").text()))
            .map(|text| DetailValue::Text(cut(text.to_owned())))
            .collect();
        self.all(label, texts);
    }

    /// The narrative as plain text, for types that say there what they say nowhere else.
    pub(super) fn narrative(&mut self, label: &'static str, node: &Node<'_>) {
        if let Some(markup) = node.get("div").text() {
            let text = plain_text(markup);
            let own = text.lines().filter(|line| !line.starts_with("Generated Narrative"));
            self.text(label, own.collect::<Vec<_>>().join("\n"));
        }
    }
}

impl Resource<'_> {
    /// What a reference points to, as named: in the bundle, in the reference itself, in the resource's own `contained`.
    pub(super) fn reference(&self, node: &Node<'_>) -> Option<String> {
        let reference = node.get("reference").text();
        let kept = reference.and_then(|reference| self.container.display(reference));
        if let Some(name) = kept.or_else(|| node.get("display").text()) {
            return Some(tidy(name));
        }
        let within = reference.and_then(|reference| reference.strip_prefix('#'));
        within.and_then(|id| self.contained(id)).and_then(|inner| {
            let resource_type = inner.get("resourceType").text().unwrap_or_default();
            super::name_of(resource_type, inner).words()
        })
    }

    /// A resource that this one contains.
    pub(super) fn contained(&self, id: &str) -> Option<&Node<'_>> {
        self.node.get("contained").items().iter().find(|inner| inner.get("id").text() == Some(id))
    }

    /// A part of what a reference points to: the organization of a role or visit.
    pub(super) fn part(&self, node: &Node<'_>, part: &str) -> Option<String> {
        let reference = node.get("reference").text()?;
        self.container.display(&format!("{reference}#{part}")).map(tidy)
    }
}

/// The concepts of a list, or the one that stands alone: a concept with several codings is one concept.
fn concepts<'x, 'a>(node: &'x Node<'a>) -> &'x [Node<'a>] {
    node.items()
}

/// A concept as a coded word.
pub(super) fn coded(concept: &Node<'_>) -> Option<DetailValue> {
    let text = without_tag(concept.words()?).to_owned();
    Some(match concept.codings().first() {
        Some((system, code, _)) => DetailValue::Code {
            text,
            code: (*code).to_owned(),
            system: quantity::system_name(system).to_owned(),
        },
        None => DetailValue::Text(cut(text)),
    })
}

fn status_value(concept: &Node<'_>) -> Option<DetailValue> {
    match concept.code() {
        Some(code) if STATUSES.contains(&code) => Some(DetailValue::Status(code.to_owned())),
        _ => coded(concept),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_FACT_CHARS) {
        None => text,
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + "…",
    }
}
