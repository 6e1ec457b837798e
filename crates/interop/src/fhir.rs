//! A FHIR resource as a lenient tree: every accessor answers something for every shape, because real files bend the rules.
//!
//! Numbers stay the text that the sender printed, which `serde_json::Value` would lose ("7.80" would become 7.8). Syntax is `serde_json`'s business.
//! Knows JSON and the common FHIR data types; must not know which resource it stands in.

use std::borrow::Cow;
use std::fmt;

use mecum_domain::{Decimal, PartialDate};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting of objects and lists in one resource. FHIR's own deepest paths (Questionnaire items, nested extensions) stay below 20.
pub const MAX_DEPTH: usize = 64;

/// A resource is valid JSON that is still not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadNodeError {
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested too deep")]
    TooDeep,
    /// A key is there twice, so that two readers could see two different resources.
    #[error("a key is there twice")]
    DuplicateKey,
    /// Not JSON, or a text with half a surrogate pair.
    #[error("not valid json")]
    Json,
}

/// One value of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

static NULL: Node<'static> = Node::Null;

struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// One level of an object: keys in their order, values not looked into yet.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Level)
    }
}

impl<'a> Members<'a> {
    /// A key that is there twice.
    pub(crate) fn has_duplicate(&self) -> bool {
        if self.0.len() <= 16 {
            let mut rest = self.0.as_slice();
            while let Some(((key, _), tail)) = rest.split_first() {
                if tail.iter().any(|(other, _)| other == key) {
                    return true;
                }
                rest = tail;
            }
            return false;
        }
        let mut keys: Vec<&str> = self.0.iter().map(|(key, _)| key.as_ref()).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair.first() == pair.last())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }
}

/// One level of a list.
pub(crate) struct Elements<'a>(pub(crate) Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Elements<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element::<&'de RawValue>()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(Level)
    }
}

impl<'a> Node<'a> {
    /// Reads one JSON value.
    pub(crate) fn parse(json: &'a str) -> Result<Node<'a>, ReadNodeError> {
        Self::parse_at(json, 0)
    }

    fn parse_at(json: &'a str, depth: usize) -> Result<Node<'a>, ReadNodeError> {
        let json = json.trim_ascii();
        let number = |b: &u8| b.is_ascii_digit() || *b == b'-';
        match json.as_bytes().first() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(ReadNodeError::TooDeep),
            Some(b'{') => {
                let members: Members<'a> = serde_json::from_str(json).map_err(|_| ReadNodeError::Json)?;
                if members.has_duplicate() {
                    return Err(ReadNodeError::DuplicateKey);
                }
                let parsed = members
                    .0
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::parse_at(value.get(), depth + 1)?)));
                parsed.collect::<Result<_, _>>().map(Node::Map)
            }
            Some(b'[') => {
                let elements: Elements<'a> = serde_json::from_str(json).map_err(|_| ReadNodeError::Json)?;
                let parsed = elements.0.into_iter().map(|value| Self::parse_at(value.get(), depth + 1));
                parsed.collect::<Result<_, _>>().map(Node::List)
            }
            Some(b'"') => {
                let Key(text) = serde_json::from_str(json).map_err(|_| ReadNodeError::Json)?;
                Ok(Node::Text(text))
            }
            Some(b't') => Ok(Node::Bool(true)),
            Some(b'f') => Ok(Node::Bool(false)),
            Some(b'n') => Ok(Node::Null),
            Some(first) if number(first) => Ok(Node::Number(json)),
            _ => Err(ReadNodeError::Json),
        }
    }

    /// The member of an object; of a list, that of its first element; null otherwise.
    pub(crate) fn get(&self, key: &str) -> &Node<'a> {
        match self {
            Node::Map(members) => {
                members.iter().find(|(name, _)| name == key).map_or(&NULL, |(_, value)| value)
            }
            Node::List(elements) => elements.first().map_or(&NULL, |first| first.get(key)),
            _ => &NULL,
        }
    }

    /// The first of these members that is there.
    pub(crate) fn any(&self, keys: &[&str]) -> &Node<'a> {
        keys.iter().map(|key| self.get(key)).find(|node| node.is_some()).unwrap_or(&NULL)
    }

    /// The elements of a list; a lone value counts as a list of one.
    pub(crate) fn items(&self) -> &[Node<'a>] {
        match self {
            Node::Null => &[],
            Node::List(elements) => elements,
            one => std::slice::from_ref(one),
        }
    }

    pub(crate) fn is_some(&self) -> bool {
        !matches!(self, Node::Null)
    }

    /// The text, or that of the first element; blank text counts as none.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Node::List(elements) => elements.first().and_then(Node::text),
            _ => None,
        }
    }

    /// The text, number or truth value as printed.
    pub(crate) fn printed(&self) -> Option<String> {
        match self {
            Node::Number(number) => Some((*number).to_owned()),
            Node::Bool(truth) => Some(truth.to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Node::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A decimal number; one that was wrongly sent as text counts too.
    pub(crate) fn decimal(&self) -> Option<Decimal> {
        match self {
            Node::Number(number) => number.parse().ok(),
            _ => self.text()?.parse().ok(),
        }
    }

    /// A FHIR date, dateTime or instant.
    pub(crate) fn date(&self) -> Option<PartialDate> {
        PartialDate::parse(self.text()?)
    }

    /// The codes of a CodeableConcept, a Coding, or a bare code: (system, code, display).
    pub(crate) fn codings(&self) -> Vec<(&str, &str, Option<&str>)> {
        let list = self.get("coding");
        let codings = if list.is_some() { list.items() } else { self.items() };
        codings
            .iter()
            .filter(|coding| coding.get("code").text().is_some())
            .map(|coding| {
                let text = |key: &str| coding.get(key).text();
                (text("system").unwrap_or_default(), text("code").unwrap_or_default(), text("display"))
            })
            .collect()
    }

    /// The first code.
    pub(crate) fn code(&self) -> Option<&str> {
        self.text().or_else(|| self.codings().first().map(|(_, code, _)| *code))
    }

    /// Has one of these codes, whatever its system.
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.items().iter().any(|concept| {
            concept.text().is_some_and(|code| codes.contains(&code))
                || concept.codings().iter().any(|(_, code, _)| codes.contains(code))
        })
    }

    /// A CodeableConcept, Coding, code or text as its author worded it: text, else the chosen or first display, else the first code.
    pub(crate) fn words(&self) -> Option<&str> {
        if let Some(text) = self.text().or_else(|| self.get("text").text()) {
            return Some(text);
        }
        let list = self.get("coding");
        let codings = if list.is_some() { list.items() } else { self.items() };
        let chosen = codings.iter().filter(|coding| coding.get("userSelected").truth() == Some(true));
        chosen
            .chain(codings.iter())
            .find_map(|coding| coding.get("display").text())
            .or_else(|| codings.iter().find_map(|coding| coding.get("code").text()))
    }

    /// Like [`Node::words`], but never a bare code, which says nothing to a person.
    pub(crate) fn display(&self) -> Option<&str> {
        let bare = self.codings().iter().all(|(_, _, display)| display.is_none());
        let coded = !self.codings().is_empty() && bare && self.get("text").text().is_none();
        if coded { None } else { self.words() }
    }

    /// Every reference in the tree, in order.
    pub(crate) fn references<'n>(&'n self, out: &mut Vec<&'n str>) {
        match self {
            Node::List(elements) => elements.iter().for_each(|element| element.references(out)),
            Node::Map(members) => {
                for (key, value) in members {
                    match value {
                        Node::Text(text) if key == "reference" => out.push(text),
                        _ => value.references(out),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_as_printed() {
        let node =
            Node::parse(r#"{"value": 7.80, "huge": 1e999, "list": [{"a": "x"}]}"#).expect("valid json");
        assert_eq!(node.get("value").printed().as_deref(), Some("7.80"), "the trailing zero is kept");
        assert_eq!(node.get("huge").decimal(), None, "a number beyond all measure is no value");
        assert_eq!(node.get("list").get("a").text(), Some("x"), "a list answers for its first element");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert_eq!(Node::parse(r#"{"a": 1, "a": 2}"#), Err(ReadNodeError::DuplicateKey), "a key twice");
        let many: String = (0..40).map(|i| format!("\"k{i}\": 1")).collect::<Vec<_>>().join(",");
        let twice = format!("{{{many}, \"k7\": 2}}");
        assert_eq!(Node::parse(&twice), Err(ReadNodeError::DuplicateKey), "a key twice among many");
        let deep = "[".repeat(5_000) + &"]".repeat(5_000);
        assert_eq!(Node::parse(&deep), Err(ReadNodeError::TooDeep), "nesting is bounded");
        assert_eq!(Node::parse(r#""\ud800""#), Err(ReadNodeError::Json), "half a surrogate pair is no text");
    }
}
