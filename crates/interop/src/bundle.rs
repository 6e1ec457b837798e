//! A FHIR R4 bundle as bytes becomes entries to keep: each resource byte for byte, under a key that every device computes the same.
//!
//! Accepts any Bundle type, and a single resource. All or nothing: an error names the place and nothing is kept. Must not know charts or storage.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mecum_domain::{FinishedKey, Kind, PartialDate};
use serde_json::value::RawValue;

use crate::fhir::{Elements, Members, Node};
use crate::kept::{self, FILE_SOURCE, Kept};
use crate::reading;
use crate::title::human_name;

mod error;
mod names;
mod types;

pub use error::{ReadBundleError, ResourceProblem};
use names::{displays, index};

/// Largest file in bytes. A ten-year Synthea record is 2 MB; the largest real export seen with attachments inline stays below 50 MB.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024 * 1024;

/// Largest single resource in bytes: it travels in one envelope of at most 8 MiB, with its edits.
pub const MAX_RESOURCE_BYTES: usize = 6 * 1024 * 1024;

/// Most entries in one bundle.
pub const MAX_ENTRIES: usize = 200_000;

/// The person that a bundle is about.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Name as written.
    pub name: Option<String>,
    /// Birth date.
    pub born: Option<PartialDate>,
    /// FHIR administrative gender.
    pub gender: Option<String>,
    /// Identifiers as `system|value`.
    pub identifiers: Vec<String>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// A bundle, read and ready to be kept.
#[derive(Clone, Debug)]
pub struct ReadBundle {
    /// Where it comes from: Bundle.identifier as `system|value`, else the base of the first fullUrl that has one, else [`FILE_SOURCE`].
    pub source: String,
    /// Who it is about; `None` when it names no patient.
    pub subject: Option<Subject>,
    /// How many patients it names. Above 1 somebody must look before it is kept in one chart.
    pub people: usize,
    /// Every resource, once, in the order of the file.
    pub resources: Vec<Kept>,
    /// How many of each FHIR resource type.
    pub counts: BTreeMap<String, usize>,
    /// Entries that were the same resource again, byte for byte.
    pub repeated: usize,
    /// Entries that carry no resource (a search outcome, a deletion).
    pub without_resource: usize,
}

/// Reads a bundle, or a single resource as a bundle of one.
///
/// # Errors
/// [`ReadBundleError`]; never panics, whatever the bytes.
pub fn read_bundle(bytes: &[u8]) -> Result<ReadBundle, ReadBundleError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(ReadBundleError::TooLarge { limit: MAX_BUNDLE_BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| ReadBundleError::NotUtf8 { byte: e.valid_up_to() })?;
    // A byte order mark is no part of JSON, and Windows tools write one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(ReadBundleError::Empty);
    }
    let file = File { text };
    let root = file.root()?;
    let entries = file.entries(&root)?;
    let identifier = root.get("identifier").and_then(|raw| Node::parse(raw.get()).ok());
    let identifier = identifier.as_ref().and_then(identifier_text).filter(|_| is_bundle(&root));
    file.keep(&entries, identifier.as_deref())
}

struct File<'a> {
    text: &'a str,
}

struct Entry<'a> {
    place: String,
    full_url: String,
    resource: &'a RawValue,
}

impl<'a> File<'a> {
    /// The members of the outermost object; with this call all of the text is known to be JSON.
    fn root(&self) -> Result<Members<'a>, ReadBundleError> {
        let whole: &RawValue = serde_json::from_str(self.text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            // A number cut after its point is a syntax error to the parser and a cut file to a person.
            let at_end = self.text.lines().count() == line && self.text.ends_with(['.', '-', '+', 'e', 'E']);
            let last = self.text.lines().last().map_or(0, str::len);
            if error.is_eof() || (at_end && column >= last) {
                ReadBundleError::Truncated { line, column }
            } else {
                ReadBundleError::Syntax { line, column }
            }
        })?;
        let found = match whole.get().as_bytes().first() {
            Some(b'{') => None,
            Some(b'[') => Some("a list"),
            Some(b'"') => Some("a text"),
            Some(b't' | b'f') => Some("true or false"),
            Some(b'n') => Some("null"),
            _ => Some("a number"),
        };
        if let Some(found) = found {
            return Err(ReadBundleError::NotABundle { found });
        }
        let root: Members<'a> = serde_json::from_str(whole.get())
            .map_err(|_| self.wrong("bundle", whole, ResourceProblem::BrokenText))?;
        if root.has_duplicate() {
            return Err(self.wrong("bundle", whole, ResourceProblem::DuplicateKey));
        }
        match type_name(&root) {
            // In a bundle such a thing is kept as it is, under "other"; alone it is no health record at all.
            Some(name) if !types::is_known(&name) => {
                Err(ReadBundleError::NotABundle { found: "an object of no type that FHIR has" })
            }
            Some(_) => Ok(root),
            None => Err(ReadBundleError::NotABundle { found: "an object without a resource type" }),
        }
    }

    fn wrong(&self, place: &str, at: &RawValue, problem: ResourceProblem) -> ReadBundleError {
        // The part is a slice of the text, so its place is the distance between the two.
        let offset = (at.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + before.split(|byte| *byte == b'\n').skip(1).count();
        ReadBundleError::WrongResource { place: place.to_owned(), line, problem }
    }

    fn entries(&self, root: &Members<'a>) -> Result<Vec<Option<Entry<'a>>>, ReadBundleError> {
        if !is_bundle(root) {
            let resource: &'a RawValue = serde_json::from_str(self.text)
                .map_err(|_| ReadBundleError::NotABundle { found: "nothing" })?;
            return Ok(vec![Some(Entry { place: "resource".into(), full_url: String::new(), resource })]);
        }
        let Some(list) = root.get("entry").filter(|raw| raw.get() != "null") else { return Ok(Vec::new()) };
        let elements: Elements<'a> = serde_json::from_str(list.get())
            .map_err(|_| self.wrong("entry", list, ResourceProblem::NotAList))?;
        if elements.0.len() > MAX_ENTRIES {
            return Err(ReadBundleError::TooManyEntries { limit: MAX_ENTRIES });
        }
        elements.0.iter().enumerate().map(|(at, raw)| self.entry(at, raw)).collect()
    }

    fn entry(&self, at: usize, raw: &'a RawValue) -> Result<Option<Entry<'a>>, ReadBundleError> {
        let place = format!("entry[{at}]");
        let members: Members<'a> = serde_json::from_str(raw.get())
            .map_err(|_| self.wrong(&place, raw, ResourceProblem::NotAnObject))?;
        if members.has_duplicate() {
            return Err(self.wrong(&place, raw, ResourceProblem::DuplicateKey));
        }
        let Some(resource) = members.get("resource").filter(|raw| raw.get() != "null") else {
            return Ok(None);
        };
        let full_url = members.get("fullUrl").and_then(|raw| Node::parse(raw.get()).ok());
        let full_url = full_url.as_ref().and_then(Node::text).unwrap_or_default().to_owned();
        Ok(Some(Entry { place: place + ".resource", full_url, resource }))
    }

    fn keep(
        &self,
        entries: &[Option<Entry<'a>>],
        identifier: Option<&str>,
    ) -> Result<ReadBundle, ReadBundleError> {
        let mut looked = Vec::with_capacity(entries.len());
        for entry in entries.iter().flatten() {
            let seen = look(entry).map_err(|problem| self.wrong(&entry.place, entry.resource, problem))?;
            looked.push((entry, seen));
        }
        let index = index(&looked);
        let first_base =
            looked.iter().find_map(|(entry, seen)| base_of(&entry.full_url, &seen.resource_type));
        let (subject, people) = subject(&looked, &index);
        let mut bundle = ReadBundle {
            source: identifier.or(first_base).unwrap_or(FILE_SOURCE).to_owned(),
            subject,
            people,
            resources: Vec::with_capacity(looked.len()),
            counts: BTreeMap::new(),
            repeated: 0,
            without_resource: entries.iter().filter(|entry| entry.is_none()).count(),
        };
        let mut keys: HashMap<FinishedKey, &str> = HashMap::with_capacity(looked.len());
        for (entry, seen) in &looked {
            let verbatim = entry.resource.get();
            let source = identifier.or_else(|| base_of(&entry.full_url, &seen.resource_type));
            let source = source.unwrap_or(FILE_SOURCE);
            let Some(key) = free_key(&keys, source, seen, entry) else {
                bundle.repeated += 1;
                continue;
            };
            keys.insert(key, verbatim);
            let displays = displays(&seen.references, &index, &looked);
            let displays: Vec<_> =
                displays.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
            let bytes = kept::encode(source, &entry.full_url, verbatim, &displays);
            *bundle.counts.entry(seen.resource_type.clone()).or_default() += 1;
            let (kind, year, resource_type) = (seen.kind, seen.year, seen.resource_type.clone());
            bundle.resources.push(Kept { key, kind, resource_type, year, bytes });
        }
        Ok(bundle)
    }
}

fn is_bundle(root: &Members<'_>) -> bool {
    type_name(root).as_deref() == Some("Bundle")
}

fn type_name(members: &Members<'_>) -> Option<String> {
    let name = Node::parse(members.get("resourceType")?.get()).ok()?;
    name.text().filter(|name| is_type_name(name)).map(str::to_owned)
}

/// FHIR type names are letters only; the longest of R4 has 33.
fn is_type_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn identifier_text(identifier: &Node<'_>) -> Option<String> {
    let value = identifier.get("value").text()?;
    Some(
        identifier
            .get("system")
            .text()
            .map_or_else(|| value.to_owned(), |system| format!("{system}|{value}")),
    )
}

/// The base of an http fullUrl: what stands before `/Type/id`.
fn base_of<'u>(full_url: &'u str, resource_type: &str) -> Option<&'u str> {
    let web = full_url.starts_with("http://") || full_url.starts_with("https://");
    let (base, _) = full_url.rsplit_once(&format!("/{resource_type}/")).filter(|_| web)?;
    Some(base.trim_end_matches('/')).filter(|base| base.len() > "https://".len())
}

/// What one look at a resource tells.
struct Looked {
    resource_type: String,
    id: String,
    version: Option<String>,
    kind: Kind,
    year: i16,
    references: BTreeSet<String>,
    about: Option<String>,
    name: reading::Name,
    person: Option<Subject>,
}

fn look(entry: &Entry<'_>) -> Result<Looked, ResourceProblem> {
    let json = entry.resource.get();
    if json.len() > MAX_RESOURCE_BYTES {
        return Err(ResourceProblem::TooLarge);
    }
    let node = Node::parse(json)?;
    if !matches!(node, Node::Map(_)) {
        return Err(ResourceProblem::NotAnObject);
    }
    let resource_type =
        node.get("resourceType").text().filter(|name| is_type_name(name)).ok_or(ResourceProblem::NoType)?;
    let kind = reading::kind_of(resource_type, &node);
    let mut references = Vec::new();
    node.references(&mut references);
    // What the resource itself contains needs no name from outside.
    let references =
        references.into_iter().filter(|name| !name.starts_with('#')).map(str::to_owned).collect();
    let about = node.any(&["subject", "patient", "beneficiary"]).get("reference").text().map(str::to_owned);
    Ok(Looked {
        id: node.get("id").text().unwrap_or_default().to_owned(),
        version: node.get("meta").get("versionId").printed(),
        kind,
        year: reading::date_of(resource_type, &node).map_or(0, |date| date.year()),
        references,
        about,
        name: reading::name_of(resource_type, &node),
        person: (kind == Kind::Patient).then(|| person(&node)),
        resource_type: resource_type.to_owned(),
    })
}

fn person(patient: &Node<'_>) -> Subject {
    Subject {
        name: human_name(patient.get("name")),
        born: patient.get("birthDate").date(),
        gender: patient.get("gender").text().map(str::to_owned),
        identifiers: patient.get("identifier").items().iter().filter_map(identifier_text).collect(),
    }
}

type LookedAt<'l, 'a> = (&'l Entry<'a>, Looked);

/// The patient whom most resources are about, and how many patients there are.
fn subject(looked: &[LookedAt<'_, '_>], index: &HashMap<String, usize>) -> (Option<Subject>, usize) {
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, (_, seen)) in looked.iter().enumerate() {
        if seen.person.is_some() {
            votes.entry(at).or_default();
        } else if let Some(at) = seen.about.as_ref().and_then(|reference| index.get(reference)) {
            *votes.entry(*at).or_default() += 1;
        }
    }
    votes.retain(|at, _| looked.get(*at).is_some_and(|(_, seen)| seen.person.is_some()));
    // Of equals the first in the file: `max_by_key` takes the last of equals, so it walks backwards.
    let chosen = votes.iter().rev().max_by_key(|(_, count)| **count).map(|(at, _)| *at);
    let person = chosen.and_then(|at| looked.get(at)).and_then(|(_, seen)| seen.person.clone());
    (person, votes.len())
}

/// The key of a resource that is not kept yet; `None` if the very same one is. Other bytes under a taken key get a key by their bytes.
fn free_key(
    keys: &HashMap<FinishedKey, &str>,
    source: &str,
    seen: &Looked,
    entry: &Entry<'_>,
) -> Option<FinishedKey> {
    let verbatim = entry.resource.get();
    let hash = kept::hash(verbatim);
    let id = if seen.id.is_empty() { &entry.full_url } else { &seen.id };
    // Ids and versions of a file without a named source ("Observation/1", version 1) are not unique in the world, so its bytes are its version.
    let version = seen.version.as_deref().filter(|_| source != FILE_SOURCE);
    let named = kept::key(source, &seen.resource_type, id, version.map_or(hash.as_ref(), str::as_bytes));
    match keys.get(&named) {
        None => Some(named),
        Some(kept) if *kept == verbatim => None,
        Some(_) => Some(kept::key(source, &seen.resource_type, id, hash.as_ref()))
            .filter(|key| !keys.contains_key(key)),
    }
}

#[cfg(test)]
mod tests;
