//! Where references within a bundle lead, and what the things that they lead to are called there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mecum_domain::Kind;

use super::{Looked, LookedAt};
use crate::reading;

/// Most names of other resources kept with one. An International Patient Summary of every section points to about 60.
const MAX_DISPLAYS: usize = 512;

/// Where references lead: by fullUrl, and by `Type/id`. The first of a name wins.
pub(super) fn index(looked: &[LookedAt<'_, '_>]) -> HashMap<String, usize> {
    let mut index = HashMap::with_capacity(looked.len() * 2);
    for (at, (entry, seen)) in looked.iter().enumerate() {
        if !entry.full_url.is_empty() {
            index.entry(entry.full_url.clone()).or_insert(at);
        }
        if !seen.id.is_empty() {
            index.entry(format!("{}/{}", seen.resource_type, seen.id)).or_insert(at);
        }
    }
    index
}

fn follow<'l>(
    reference: &str,
    index: &HashMap<String, usize>,
    looked: &'l [LookedAt<'_, '_>],
) -> Option<&'l Looked> {
    let plain = reference.split_once("/_history/").map_or(reference, |(plain, _)| plain);
    looked.get(*index.get(plain)?).map(|(_, seen)| seen)
}

/// The names of what a resource points to, within the same bundle. `reference#part` names a part of the thing pointed to.
pub(super) fn displays(
    references: &BTreeSet<String>,
    index: &HashMap<String, usize>,
    looked: &[LookedAt<'_, '_>],
) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for reference in references {
        let Some(target) = follow(reference, index, looked) else { continue };
        if target.kind == Kind::Patient || out.len() >= MAX_DISPLAYS {
            continue;
        }
        for (suffix, part) in &target.name.parts {
            let name = if suffix.is_empty() { reference.clone() } else { format!("{reference}#{suffix}") };
            if let Some(words) = words_of(part, index, looked, 0) {
                out.entry(name).or_insert(words);
            }
        }
    }
    out
}

/// The words of a part, where needed from the thing that it points to: a role is called by its practitioner.
fn words_of(
    part: &reading::Part,
    index: &HashMap<String, usize>,
    looked: &[LookedAt<'_, '_>],
    depth: usize,
) -> Option<String> {
    const MAX_HOPS: usize = 3;
    match part {
        reading::Part::Words(words) => Some(words.clone()),
        reading::Part::At(_) if depth >= MAX_HOPS => None,
        reading::Part::At(reference) => {
            let parts = &follow(reference, index, looked)?.name.parts;
            let own = parts.iter().filter(|(suffix, _)| suffix.is_empty());
            own.into_iter().find_map(|(_, part)| words_of(part, index, looked, depth + 1))
        }
    }
}
