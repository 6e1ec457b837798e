//! Every text that keeps one use of a key or a hash from being taken for another, by how it is used, and whether these lists
//! are the ones of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Purposes of wraps: `seal_to`, `wrap_key` and their opposites.
pub(crate) const WRAPS: [&str; 7] = [
    "mecum account keys v1",
    "mecum account key v1",
    "mecum pairing welcome v1",
    "mecum epoch key v1",
    "mecum helper part v1",
    "mecum helper part given v1",
    "mecum helpers server part v1",
];

/// Contexts of signatures.
pub(crate) const SIGNATURES: [&str; 15] = [
    "mecum/account-entry/1",
    "mecum/space-entry/1",
    "mecum/statement/1",
    "mecum/receipts/1",
    "mecum/countersign/1",
    "mecum/snapshot/1",
    "mecum/verified/1",
    "mecum/server-info/1",
    "mecum/sign-in/1",
    "mecum/recovery/1",
    "mecum/kit-account/1",
    "mecum/helpers-request/1",
    "mecum/helpers-fetch/1",
    "mecum/helpers-stop/1",
    "mecum/notice/1",
];

/// Purposes of keys that are derived from another.
pub(crate) const DERIVED: [&str; 18] = [
    "mecum account v1",
    "mecum device name v1",
    "mecum erased v1",
    "mecum grant terms v1",
    "mecum heads v2",
    "mecum previous epoch v1",
    "mecum removal reason v1",
    "mecum replacement v1",
    "mecum snapshot v1",
    "mecum space label v1",
    "mecum/recovery/1/sign",
    "mecum/recovery/1/kem",
    "mecum/recovery/1/slot",
    "mecum/vault/1/row",
    "mecum/vault/1/head",
    "mecum/vault/1/folded",
    "mecum/vault/1/name",
    "mecum/vault/1/tag",
];

/// Bound within one function each, to what it seals or hashes: nobody can ask for another.
const WITHIN: [&str; 30] = [
    "mecum act v1",
    "mecum actor v1",
    "mecum after cut v1",
    "mecum care document v1",
    "mecum clash v1",
    "mecum desk v1",
    "mecum expected spaces v1",
    "mecum genesis v1",
    "mecum helper asked v1",
    "mecum helper part taken v1",
    "mecum invitation v1",
    "mecum notice page v1",
    "mecum record v1",
    "mecum regenesis v1",
    "mecum replay v1",
    "mecum revive v1",
    "mecum successor v1",
    "mecum/challenge/1",
    "mecum/document-in-epoch/1",
    "mecum/enrolment-code/1",
    "mecum/envelope-salt/1",
    "mecum/envelope/1",
    "mecum/helper-part/1",
    "mecum/helpers-check/1",
    "mecum/pairing/1/",
    "mecum/recovery-kit/1",
    "mecum/recovery-slot/1",
    "mecum/row/1",
    "mecum/site/1",
    "mecum/slot/1",
];

/// The sources of every crate, without comments and unit tests, by path below the root.
fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = BTreeMap::new();
    let crates =
        fs::read_dir(root.join("crates")).expect("the crates").map(|entry| entry.expect("a crate").path());
    for folder in crates.chain([root.join("src-tauri")]) {
        read_below(&folder.join("src"), &mut found);
    }
    found
}

fn read_below(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.insert(path, code(&text));
        }
    }
}

fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The texts of a source that have the form of a purpose: `mecum` first, and a version.
fn texts(source: &str) -> BTreeSet<String> {
    let quoted = source.split('"').filter(|text| text.starts_with("mecum ") || text.starts_with("mecum/"));
    let versioned = |text: &&str| {
        let digit =
            |mark: &str| text.split(mark).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        digit(" v") || digit("/")
    };
    let bare = |text: &str| text.split(['\\', '{']).next().unwrap_or_default().to_owned();
    quoted.filter(versioned).map(bare).collect()
}

/// The second argument of each call of `function` in a source.
fn second_arguments<'a>(source: &'a str, function: &str) -> Vec<&'a str> {
    let opened = format!("{function}(");
    let calls = source.match_indices(&opened).filter(|(at, _)| {
        let before = &source[..*at];
        !before.ends_with("fn ") && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    });
    calls.filter_map(|(at, _)| argument(&source[at + opened.len()..], 1)).collect()
}

/// An argument of a call by its number from 0, of the text after the opening parenthesis.
fn argument(call: &str, number: usize) -> Option<&str> {
    let (mut depth, mut begin, mut passed) = (0_i32, 0, 0);
    for (at, sign) in call.char_indices() {
        let ends = depth == 0 && matches!(sign, ',' | ')');
        if ends && passed == number {
            return Some(call[begin..at].trim());
        }
        if ends {
            passed += 1;
            begin = at + 1;
        }
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    None
}

/// What a constant of this name holds: in the same file, or in the only other that has one.
fn value(sources: &BTreeMap<PathBuf, String>, file: &Path, name: &str) -> Option<String> {
    let declared = format!("const {name}: &str = \"");
    let held = |source: &String| Some(source.split_once(&declared)?.1.split('"').next()?.to_owned());
    held(&sources[file]).or_else(|| {
        let mut others = sources.values().filter_map(held);
        others.next().filter(|_| others.next().is_none())
    })
}

/// What the arguments of these functions are, of the whole code; what is no constant or text is handed on by another function
/// that is looked at, too.
fn asked_for(sources: &BTreeMap<PathBuf, String>, functions: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, source) in sources {
        for argument in functions.iter().flat_map(|function| second_arguments(source, function)) {
            if let Some(text) = argument.strip_prefix('"') {
                found.insert(text.trim_end_matches('"').to_owned());
                continue;
            }
            let name = argument.rsplit("::").next().unwrap_or_default();
            if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                let held = value(sources, file, name);
                found.insert(held.unwrap_or_else(|| panic!("{name} of {} has a value", file.display())));
            } else {
                assert_eq!(name, "purpose", "{}: a purpose is a constant or is handed on", file.display());
            }
        }
    }
    found
}

fn listed(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn every_purpose_in_the_sources_is_listed_by_its_use_and_tried_against_the_others() {
    let sources = sources();
    assert!(sources.len() > 100, "the sources are there: {}", sources.len());
    let all: BTreeSet<String> = sources.values().flat_map(|source| texts(source)).collect();
    let lists = [listed(&WRAPS), listed(&SIGNATURES), listed(&DERIVED), listed(&WITHIN)];
    let count: usize = lists.iter().map(BTreeSet::len).sum();
    let rows: BTreeSet<String> = lists.into_iter().flatten().collect();
    assert_eq!(rows.len(), count, "no text has two uses");
    let apart: Vec<&String> = all.symmetric_difference(&rows).collect();
    assert!(
        apart.is_empty(),
        "each text that sets one use apart has its row, and no row is left over: {apart:?}"
    );

    let wraps = asked_for(&sources, &["seal_to", "open_from", "wrap_key", "unwrap_key"]);
    assert_eq!(wraps, listed(&WRAPS), "what is wrapped for");
    let derived = asked_for(&sources, &["derive_key"]);
    let in_vault = |text: &String| text.starts_with("mecum/vault/1/");
    let elsewhere =
        |list: BTreeSet<String>| list.into_iter().filter(|text| !in_vault(text)).collect::<BTreeSet<_>>();
    assert_eq!(elsewhere(derived), elsewhere(listed(&DERIVED)), "what is derived; the vault's by a closure");
    let context = "const CONTEXT: &'static str = \"";
    let signed = sources.values().flat_map(|source| source.split(context).skip(1));
    let mut signed: BTreeSet<String> =
        signed.filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect();
    let vouched = |(file, _): &(&PathBuf, &String)| file.ends_with("seal/src/safe/recovery.rs");
    let (file, _) = sources.iter().find(vouched).expect("what a kit signs");
    signed.extend(value(&sources, file, "VOUCH_CONTEXT"));
    assert_eq!(signed, listed(&SIGNATURES), "what is signed");
}

#[test]
fn a_purpose_that_has_no_row_is_seen_in_a_source() {
    let source = "fn a() { seal_to(&kem, super::NEW, b\"\", &f(x, [1, 2]), e); }\nconst NEW: &str = \"mecum new thing v1\";\n";
    assert_eq!(texts(source), listed(&["mecum new thing v1"]), "as a text");
    let sources = BTreeMap::from([(PathBuf::from("new.rs"), source.to_owned())]);
    assert_eq!(asked_for(&sources, &["seal_to"]), listed(&["mecum new thing v1"]), "as what a wrap is for");
    assert_eq!(
        code("/// \"mecum old v1\"\nlet a;\n#[cfg(test)]\nmod tests {\n\"mecum b v1\""),
        "let a;\n",
        "of the code alone"
    );
    assert_eq!(
        texts("\"mecum is with me\" \"mecum/site/1\\0\" \"other/1\""),
        listed(&["mecum/site/1"]),
        "no other"
    );
}
