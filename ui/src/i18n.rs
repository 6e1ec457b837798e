//! Words: Fluent messages in English and Indonesian, chosen by the display settings.
//!
//! Both languages are compiled in; tests hold that every id stands in both, with the same arguments, and that every text
//! reads as the reference implementation of Fluent reads it.

mod fluent;

use std::rc::Rc;

use mecum_api::CallError;
use yew::prelude::*;

use self::fluent::Texts;
pub use self::fluent::Value;

/// The languages in the order in which they are offered: BCP 47 tag and own name.
pub const LANGUAGES: &[(&str, &str)] = &[("id", "Bahasa Indonesia"), ("en", "English")];

macro_rules! locale {
    ($language:literal) => {
        &[
            include_str!(concat!("../locales/", $language, "/app.ftl")),
            include_str!(concat!("../locales/", $language, "/vault.ftl")),
            include_str!(concat!("../locales/", $language, "/home.ftl")),
            include_str!(concat!("../locales/", $language, "/settings.ftl")),
            include_str!(concat!("../locales/", $language, "/devices.ftl")),
            include_str!(concat!("../locales/", $language, "/record.ftl")),
            include_str!(concat!("../locales/", $language, "/entry.ftl")),
            include_str!(concat!("../locales/", $language, "/medicines.ftl")),
            include_str!(concat!("../locales/", $language, "/import.ftl")),
            include_str!(concat!("../locales/", $language, "/members.ftl")),
            include_str!(concat!("../locales/", $language, "/recovery.ftl")),
            include_str!(concat!("../locales/", $language, "/data.ftl")),
            include_str!(concat!("../locales/", $language, "/helpers.ftl")),
            include_str!(concat!("../locales/", $language, "/care.ftl")),
            include_str!(concat!("../locales/", $language, "/visits.ftl")),
            include_str!(concat!("../locales/", $language, "/messages.ftl")),
            include_str!(concat!("../locales/", $language, "/hospitals.ftl")),
            include_str!(concat!("../locales/", $language, "/desk.ftl")),
            include_str!(concat!("../locales/", $language, "/glossary.ftl")),
        ]
    };
}

const EN: &[&str] = locale!("en");
const ID: &[&str] = locale!("id");

/// The words of one language.
#[derive(Clone)]
pub struct I18n {
    language: &'static str,
    texts: Rc<Texts>,
}

impl PartialEq for I18n {
    fn eq(&self, other: &Self) -> bool {
        self.language == other.language
    }
}

impl I18n {
    /// The words of a BCP 47 language; English for one that we do not have.
    pub fn new(language: &str) -> Self {
        let (language, files) = if language.starts_with("id") { ("id", ID) } else { ("en", EN) };
        Self { language, texts: Rc::new(Texts::of(language, files)) }
    }

    /// "en" or "id".
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// The text of an id without arguments; the id itself when there is none.
    pub fn text(&self, id: &str) -> String {
        self.format(id, &[])
    }

    /// The text of an id without arguments, where there is one.
    pub fn try_text(&self, id: &str) -> Option<String> {
        self.texts.text(id, &[])
    }

    /// The text of an id with arguments; the id itself when there is none.
    pub fn format(&self, id: &str, args: &[(&str, Value)]) -> String {
        self.texts.text(id, args).unwrap_or_else(|| id.to_owned())
    }

    /// What happened, and what to do, of a refused call.
    pub fn error(&self, error: &CallError) -> (String, Option<String>) {
        let number = |value: &String| value.parse().map_or_else(|_| value.into(), Value::Number);
        let args: Vec<_> = error.args.iter().map(|(name, value)| (name.as_str(), number(value))).collect();
        let what = self.texts.text(&error.message_id, &args);
        let to_do = self.texts.text(&format!("{}-do", error.message_id), &args);
        (what.unwrap_or_else(|| self.text("error-internal")), to_do)
    }
}

/// The text of a Fluent id: `t!(i18n, "id")` or `t!(i18n, "id", name = value)`.
macro_rules! t {
    ($i18n:expr, $id:expr $(,)?) => { $i18n.text($id) };
    ($i18n:expr, $id:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $i18n.format($id, &[$((stringify!($name), $crate::i18n::Value::from($value))),+])
    };
}
pub(crate) use t;

/// The words of this page.
#[hook]
pub fn use_i18n() -> I18n {
    use_context::<I18n>().expect("the app provides its words to every page")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

    use super::*;

    /// Every id of a language with the arguments of its text.
    fn ids(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        let mut open = String::new();
        for line in files.iter().flat_map(|file| file.lines()) {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                open = line.split(" =").next().unwrap_or_default().to_owned();
                assert!(all.insert(open.clone(), BTreeSet::new()).is_none(), "{open} is written twice");
            }
            let args = line
                .split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect::<String>())
                .filter(|arg| arg != "count");
            if let Some(found) = all.get_mut(&open) {
                found.extend(args);
            }
        }
        all
    }

    #[test]
    fn every_text_is_in_both_languages_with_the_same_arguments() {
        let (en, id) = (ids(EN), ids(ID));
        let lonely: Vec<_> = en
            .keys()
            .filter(|k| !id.contains_key(*k))
            .chain(id.keys().filter(|k| !en.contains_key(*k)))
            .collect();
        assert!(lonely.is_empty(), "in one language only: {lonely:?}");
        for (key, args) in &en {
            assert_eq!(Some(args), id.get(key), "{key} takes the same arguments in both");
        }
        assert!(en.len() > 300, "the texts were read: {}", en.len());
    }

    #[test]
    fn every_file_is_well_formed() {
        for file in EN.iter().chain(ID) {
            if let Err((_, errors)) = FluentResource::try_new((*file).to_owned()) {
                panic!("not well formed: {errors:?}");
            }
        }
    }

    /// Every text with every count, read by the reference implementation as well.
    #[test]
    fn every_text_reads_as_the_reference_implementation_of_fluent_reads_it() {
        let mut compared = 0;
        for (language, files) in [("en", EN), ("id", ID)] {
            let mut bundle = FluentBundle::new(vec![language.parse().expect("a language tag")]);
            bundle.set_use_isolating(false);
            for file in files {
                let resource = FluentResource::try_new((*file).to_owned()).expect("well formed");
                bundle.add_resource(resource).expect("no id twice");
            }
            let ours = I18n::new(language);
            for (id, mut names) in ids(files) {
                names.extend(["count".to_owned(), "tries".to_owned(), "seconds".to_owned()]);
                for count in [0_i64, 1, 2, 3, 4, 11, 21, 1204] {
                    let (mut theirs, mut mine) = (FluentArgs::new(), Vec::new());
                    for name in &names {
                        if ["count", "tries", "seconds"].contains(&name.as_str()) {
                            theirs.set(name.clone(), count);
                            mine.push((name.as_str(), Value::Number(count)));
                        } else {
                            let text = format!("<{name}>");
                            theirs.set(name.clone(), text.clone());
                            mine.push((name.as_str(), Value::Text(text)));
                        }
                    }
                    let pattern = bundle.get_message(&id).and_then(|m| m.value()).expect("a text");
                    let mut errors = Vec::new();
                    let reference = bundle.format_pattern(pattern, Some(&theirs), &mut errors);
                    assert!(errors.is_empty(), "{language} {id}: {errors:?}");
                    assert_eq!(ours.format(&id, &mine), reference, "{language} {id} with {count}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 8 * 600, "every text was compared: {compared}");
    }

    #[test]
    fn a_count_has_its_plural() {
        let en = I18n::new("en");
        assert_eq!(
            t!(en, "home-needs-count", shown = 3_u32, total = 5_u32),
            "3 of 5",
            "numbers stand in the text"
        );
        let id = I18n::new("id-ID");
        assert_eq!(id.language(), "id", "a regional tag finds its language");
    }
}
