//! Reads our Fluent texts: one line each, with arguments, and with a choice by number where a count needs one.
//!
//! The whole of Fluent (terms, attributes, functions, the plural rules of two hundred languages) was a twelfth of all that
//! the page has to load. A test of the module above holds that each of our texts reads as the reference implementation reads
//! it, so a text that uses more than stands here fails there and never on a page.

use std::borrow::Cow;
use std::collections::HashMap;

/// What stands for an argument of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number, which may choose between forms of the text.
    Number(i64),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(text.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Value::Text(text.into_owned())
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl From<$type> for Value {
            fn from(number: $type) -> Self {
                i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Number)
            }
        })*
    };
}

numbers! { i8 i16 i32 i64 u8 u16 u32 u64 usize }

/// Every text of a language by its id, as written.
pub(super) struct Texts {
    language: &'static str,
    written: HashMap<&'static str, &'static str>,
}

impl Texts {
    /// Finds where each text of the files stands. A text goes on over lines that are indented or close a choice.
    pub(super) fn of(language: &'static str, files: &[&'static str]) -> Self {
        let mut written = HashMap::new();
        for file in files {
            let mut rest = *file;
            while !rest.is_empty() {
                let mut end = line_end(rest, 0);
                while matches!(rest.as_bytes().get(end), Some(b' ' | b'}')) {
                    end = line_end(rest, end);
                }
                let (message, after) = rest.split_at(end);
                rest = after;
                if let Some((id, text)) = message.split_once(" =").filter(|_| !message.starts_with('#')) {
                    written.insert(id, text.trim());
                }
            }
        }
        Self { language, written }
    }

    /// The text of an id, with its arguments.
    pub(super) fn text(&self, id: &str, args: &[(&str, Value)]) -> Option<String> {
        let mut out = String::new();
        self.write(self.written.get(id)?, args, &mut out);
        Some(out)
    }

    fn write(&self, mut text: &str, args: &[(&str, Value)], out: &mut String) {
        while let Some((before, after)) = text.split_once('{') {
            out.push_str(before);
            let (inside, rest) = closed(after);
            text = rest;
            let (name, choices) = inside.split_once("->").map_or((inside, None), |(n, c)| (n, Some(c)));
            let name = name.trim().trim_start_matches('$');
            let value = args.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
            match (choices, value) {
                (Some(choices), value) => self.write(self.chosen(choices, value), args, out),
                (None, Some(Value::Text(value))) => out.push_str(value),
                (None, Some(Value::Number(value))) => out.push_str(&value.to_string()),
                (None, None) => out.push_str(name),
            }
        }
        out.push_str(text);
    }

    /// The form for a value: its own number before its plural form, and the marked one for everything else.
    fn chosen<'t>(&self, choices: &'t str, value: Option<&Value>) -> &'t str {
        let mut otherwise = "";
        for line in choices.lines() {
            let line = line.trim();
            let Some((key, text)) =
                line.trim_start_matches('*').strip_prefix('[').and_then(|l| l.split_once("] "))
            else {
                continue;
            };
            if self.fits(key, value) {
                return text;
            }
            if line.starts_with('*') {
                otherwise = text;
            }
        }
        otherwise
    }

    fn fits(&self, key: &str, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Number(1)) if key == "one" => self.language == "en",
            Some(Value::Number(number)) => key.parse() == Ok(*number),
            Some(Value::Text(text)) => key == text,
            None => false,
        }
    }
}

/// Where the line that holds `from` ends, its line break included.
fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| from + at + 1)
}

/// What stands before the bracket that closes, and what follows it.
fn closed(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        }
    }
    (text, "")
}
