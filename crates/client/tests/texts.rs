//! What the client says by id, the screens have words for, in both languages: an id alone says nothing to a person.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How ids of messages begin that the client makes itself.
const FAMILIES: [&str; 3] = ["error-", "pairing-", "passphrase-"];

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every file below a folder that ends so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the source").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

fn is_id(text: &str) -> bool {
    FAMILIES.iter().any(|family| text.starts_with(family))
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.ends_with('-')
}

/// The ids that stand between quotes in the client's source.
fn said() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for file in files(&root().join("crates/client/src"), ".rs") {
        let source = std::fs::read_to_string(&file).expect("readable");
        ids.extend(source.split('"').filter(|part| is_id(part)).map(str::to_owned));
    }
    ids
}

#[test]
fn every_message_of_the_client_has_words_in_both_languages() {
    let said = said();
    assert!(said.len() > 30, "the source was read: {}", said.len());
    for language in ["en", "id"] {
        let mut there = BTreeSet::new();
        for file in files(&root().join("ui/locales").join(language), ".ftl") {
            let text = std::fs::read_to_string(&file).expect("readable");
            there.extend(text.lines().filter_map(|line| Some(line.split_once(" =")?.0.to_owned())));
        }
        let missing: Vec<&String> = said.iter().filter(|id| !there.contains(*id)).collect();
        assert!(missing.is_empty(), "without words in {language}: {missing:?}");
    }
}
