//! The words under which a resource is listed, without the noise that code systems put into them.

use crate::fhir::Node;
use crate::narrative::plain_text;

/// Longest title in characters; the full words stand in the details.
const MAX_TITLE_CHARS: usize = 200;

/// Semantic tags that SNOMED CT ends its fully specified names with. Source: SNOMED CT Editorial Guide, "Semantic Tag"; those met in health records.
const SEMANTIC_TAGS: &[&str] = &[
    "assessment scale",
    "attribute",
    "biological function",
    "body structure",
    "cell",
    "cell structure",
    "clinical drug",
    "context-dependent category",
    "disorder",
    "dose form",
    "environment",
    "ethnic group",
    "event",
    "finding",
    "medicinal product",
    "medicinal product form",
    "morphologic abnormality",
    "navigational concept",
    "observable entity",
    "occupation",
    "organism",
    "person",
    "physical force",
    "physical object",
    "procedure",
    "product",
    "qualifier value",
    "racial group",
    "record artifact",
    "regime/therapy",
    "religion/philosophy",
    "situation",
    "social concept",
    "specimen",
    "staging scale",
    "substance",
    "tumor staging",
];

/// Takes the semantic tag off: "Acute bronchitis (disorder)" reads "Acute bronchitis".
pub(crate) fn without_tag(words: &str) -> &str {
    let words = words.trim();
    let cut = words.strip_suffix(')').and_then(|open| open.rsplit_once('('));
    match cut {
        Some((name, tag)) if SEMANTIC_TAGS.contains(&tag) && !name.trim().is_empty() => name.trim_end(),
        _ => words,
    }
}

/// A title: without the tag, on one line, at most [`MAX_TITLE_CHARS`].
pub(crate) fn tidy(words: &str) -> String {
    let words = without_tag(words);
    let plain = words.chars().count() <= MAX_TITLE_CHARS && !words.contains(['\n', '\r', '\t']);
    if plain {
        return words.to_owned();
    }
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_TITLE_CHARS {
        line
    } else {
        line.chars().take(MAX_TITLE_CHARS - 1).chain(['…']).collect()
    }
}

/// The name of a person: text, else prefix, given and family names.
pub(crate) fn human_name(names: &Node<'_>) -> Option<String> {
    let rank = |name: &&Node<'_>| match name.get("use").text() {
        Some("official") => 0,
        Some("usual") | None => 1,
        Some("old" | "maiden" | "anonymous") => 3,
        Some(_) => 2,
    };
    let name = names.items().iter().min_by_key(rank)?;
    if let Some(text) = name.text().or_else(|| name.get("text").text()) {
        return Some(tidy(text));
    }
    let parts = ["prefix", "given", "family", "suffix"].iter().flat_map(|key| name.get(key).items());
    let name = parts.filter_map(Node::text).collect::<Vec<_>>().join(" ");
    Some(name).filter(|name| !name.is_empty()).map(|name| tidy(&name))
}

/// "CarePlan" reads "Care plan".
pub(crate) fn type_in_words(resource_type: &str) -> String {
    let mut out = String::with_capacity(resource_type.len() + 4);
    for (at, c) in resource_type.chars().enumerate() {
        if at > 0 && c.is_uppercase() {
            out.push(' ');
        }
        if at == 0 { out.push(c) } else { out.extend(c.to_lowercase()) }
    }
    out
}

/// The best words for a resource of a type without its own reader: its coded name, title or description, never an id.
pub(crate) fn best_words(resource: &Node<'_>) -> Option<String> {
    const KEYS: &[&str] = &[
        "title",
        "code",
        "name",
        "vaccineCode",
        "type",
        "serviceType",
        "category",
        "description",
        "topic",
        "relationship",
        "deviceName",
        "scope",
        "class",
        "comment",
        "purpose",
    ];
    // Of these a lone text is a code of FHIR itself ("dna"), not words.
    const CODED: &[&str] = &["type", "class", "category", "code"];
    let words = KEYS.iter().find_map(|key| {
        let node = resource.get(key);
        match *key {
            "name" => human_name(node),
            "deviceName" => node.get("name").text().map(tidy),
            _ if CODED.contains(key) && node.text().is_some() => None,
            _ => node.display().map(tidy),
        }
    });
    words.or_else(|| {
        let text = plain_text(resource.get("text").get("div").text()?);
        // Publishing tools head a narrative with the id of the resource.
        let line = text.lines().find(|line| !line.is_empty() && !line.starts_with("Generated Narrative"))?;
        Some(tidy(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_tags_are_noise_and_other_brackets_are_not() {
        assert_eq!(tidy("Acute bronchitis (disorder)"), "Acute bronchitis", "the tag goes");
        assert_eq!(tidy("Vitamin D (25-OH)"), "Vitamin D (25-OH)", "words in brackets stay");
        assert_eq!(tidy("(finding)"), "(finding)", "a title is never emptied");
        assert_eq!(tidy("a\n  b"), "a b", "one line");
        assert_eq!(tidy(&"x".repeat(500)).chars().count(), MAX_TITLE_CHARS, "bounded");
    }

    #[test]
    fn names_read_in_order() {
        let json = r#"[{"use":"maiden","family":"Windsor"},{"use":"official","family":"Towne","given":["Ignacio"],"prefix":["Dr."]}]"#;
        let node = Node::parse(json).expect("valid json");
        assert_eq!(human_name(&node).as_deref(), Some("Dr. Ignacio Towne"), "the official name");
        assert_eq!(type_in_words("ExplanationOfBenefit"), "Explanation of benefit", "types read as words");
    }
}
