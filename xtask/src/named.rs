//! Whether the tests that are named in words are there: by the rows of the test programme, and by `docs/security.md`.
//!
//! `claims.rs` holds promises against what ran; a row runs only with `cargo xtask proof`, and a page never. A test that is renamed or
//! removed would go unseen by both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::proof;
use crate::workspace::Workspace;

const PAGE: &str = "docs/security.md";
/// The page says with this how its names are made.
const EXAMPLE: &str = "crate::test";
/// What stands for a package where a test is a script at the real window.
const WINDOW: &str = "window";

/// One name, and who says it.
pub(crate) struct Named {
    pub(crate) by: String,
    pub(crate) package: String,
    /// With its modules, or without.
    pub(crate) test: String,
    /// Whether it is a part of names alone, as a test program takes it.
    pub(crate) part: bool,
    /// The integration test whose program is asked for it by its whole name: empty where that is not known.
    pub(crate) binary: String,
}

/// What one package has.
#[derive(Debug, Default)]
struct Tests {
    /// Each with the files that have one of that name, by their names without the end, or by their folder's.
    names: BTreeMap<String, BTreeSet<String>>,
    /// Files, by their names without the end.
    modules: BTreeSet<String>,
}

/// Finds each named test in the sources.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let page = std::fs::read_to_string(workspace.path(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let on_page = named_on(&page);
    if on_page.is_empty() {
        return Err(format!("{PAGE} names no test"));
    }
    let tests = tests(workspace)?;
    let named = proof::named().chain(on_page);
    let missing: Vec<String> =
        named.filter(|named| !is_there(named, &tests)).map(|named| said(&named)).collect();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

fn said(named: &Named) -> String {
    format!("{} names {}::{}, which is no test", named.by, named.package, named.test)
}

fn is_there(named: &Named, tests: &BTreeMap<String, Tests>) -> bool {
    let Some(tests) = tests.get(&named.package) else { return false };
    let (module, test) = named.test.rsplit_once("::").unwrap_or(("", &named.test));
    if !named.part {
        // A program finds it under its module alone, which here is a file.
        let module = module.rsplit("::").next().unwrap_or_default();
        let file = if module.is_empty() { &named.binary } else { module };
        let found = tests.names.get(test);
        return found.is_some_and(|files| named.binary.is_empty() || files.contains(file));
    }
    let in_module =
        tests.modules.iter().any(|name| name == module || !test.is_empty() && name.contains(test));
    in_module || (!test.is_empty() && tests.names.keys().any(|name| name.contains(test)))
}

/// The names on a page: `crate::test` between backquotes.
fn named_on(page: &str) -> Vec<Named> {
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let named = quoted.filter(|text| *text != EXAMPLE).filter_map(|text| {
        let (package, test) = text.split_once("::")?;
        let plain = |text: &str, others: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || others.contains(c))
        };
        (plain(package, "-") && plain(test, "_0123456789:")).then(|| Named {
            by: PAGE.to_owned(),
            package: package.to_owned(),
            test: test.to_owned(),
            part: false,
            binary: String::new(),
        })
    });
    named.collect()
}

/// The tests of each package, and of the scripts.
fn tests(workspace: &Workspace) -> Result<BTreeMap<String, Tests>, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        ["ui", "xtask", "bench", "fuzz"].map(|name| workspace.path(name)).to_vec();
    let crates = workspace.path("crates");
    let entries = std::fs::read_dir(&crates).map_err(|error| format!("{}: {error}", crates.display()))?;
    folders.extend(entries.flatten().map(|entry| entry.path()));
    for folder in folders {
        let Some(package) = package_of(&folder) else { continue };
        found.insert(package, tests_below(&[folder])?);
    }
    let shell = package_of(&workspace.root).ok_or("Cargo.toml has no package")?;
    found.insert(shell, tests_below(&[workspace.path("src-tauri"), workspace.path("tests")])?);
    let mut scripts = Tests::default();
    each_file(&workspace.path("tests/desktop"), "mjs", &mut |_, text| {
        scripts.names.extend(script_names(text).into_iter().map(|name| (name, BTreeSet::new())));
    })?;
    found.insert(WINDOW.to_owned(), scripts);
    Ok(found)
}

/// The name in a folder's manifest.
fn package_of(folder: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let (_, package) = manifest.split_once("[package]")?;
    let name = package.lines().find_map(|line| line.strip_prefix("name = \""))?;
    Some(name.trim_end_matches('"').to_owned())
}

fn tests_below(folders: &[PathBuf]) -> Result<Tests, String> {
    let mut tests = Tests::default();
    for folder in folders {
        each_file(folder, "rs", &mut |path, text| {
            let named_by = if path.ends_with("main.rs") { path.parent() } else { Some(path) };
            let file = named_by.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
            let file = file.unwrap_or_default();
            for name in tests_in(text) {
                tests.names.entry(name).or_default().insert(file.clone());
            }
            tests.modules.insert(file);
        })?;
    }
    Ok(tests)
}

fn each_file(folder: &Path, extension: &str, each: &mut dyn FnMut(&Path, &str)) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            each_file(&path, extension, each)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            each(&path, &text);
        }
    }
    Ok(())
}

/// The functions of a Rust source that have an attribute by which they are tests.
fn tests_in(source: &str) -> Vec<String> {
    let (mut found, mut is_test) = (Vec::new(), false);
    for line in source.lines().map(str::trim_start) {
        let of_kind =
            |kind: &str| line.starts_with(&format!("#[{kind}]")) || line.starts_with(&format!("#[{kind}("));
        if of_kind("test") || of_kind("tokio::test") || of_kind("wasm_bindgen_test") {
            is_test = true;
        }
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let (true, Some(function)) = (is_test, function) {
            found.push(function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            is_test = false;
        }
    }
    found
}

/// What a script may report as a name: its texts, and those that end in another of its texts.
fn script_names(script: &str) -> BTreeSet<String> {
    let texts: Vec<&str> =
        script.lines().flat_map(|line| line.split(['"', '`']).skip(1).step_by(2)).collect();
    let begun =
        texts.iter().filter_map(|text| Some(text.split_once("${")?.0)).filter(|begun| begun.ends_with('_'));
    let mut names: BTreeSet<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    names.extend(begun.flat_map(|begun| texts.iter().map(move |end| format!("{begun}{end}"))));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(package: &str, test: &str, part: bool) -> Named {
        Named {
            by: "a row".to_owned(),
            package: package.to_owned(),
            test: test.to_owned(),
            part,
            binary: String::new(),
        }
    }

    #[test]
    fn a_name_that_no_test_has_is_missed() {
        let source = "mod a;\n#[test]\nfn it_holds() {}\n\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn it_holds_later() {}\nfn no_test() {}\n#[test]\n#[cfg(unix)]\nfn control_it_breaks() {}\n";
        let in_file = |name| (name, BTreeSet::from(["tampering".to_owned()]));
        let names: BTreeMap<String, BTreeSet<String>> = tests_in(source).into_iter().map(in_file).collect();
        assert_eq!(names.len(), 3, "a function without the attribute is none: {names:?}");
        let modules = BTreeSet::from(["tampering".to_owned()]);
        let tests = BTreeMap::from([("mecum-vault".to_owned(), Tests { names, modules })]);
        let there = |test: &str, part| is_there(&named("mecum-vault", test, part), &tests);
        assert!(there("it_holds", false) && there("unit::it_holds_later", false), "with modules and without");
        assert!(there("control_it_breaks", false), "another attribute may stand between");
        assert!(!there("it_hold", false) && !there("no_test", false), "the whole name of a test");
        assert!(there("it_hold", true) && there("tampering::", true), "a part, and a module");
        assert!(!there("it_falls", true) && !there("gone::", true), "that somebody has");
        assert!(!is_there(&named("mecum-seal", "it_holds", false), &tests), "another crate's shows nothing");
        let asked = |binary: &str, test| {
            is_there(&Named { binary: binary.to_owned(), ..named("mecum-vault", test, false) }, &tests)
        };
        assert!(
            asked("tampering", "it_holds") && asked("vault", "tampering::it_holds"),
            "as its program has it"
        );
        assert!(!asked("vault", "it_holds"), "without its module its program has no such test");
    }

    #[test]
    fn names_are_read_off_a_page_and_out_of_a_script() {
        let page = "named `crate::test`; see `mecum-vault::it_holds`, `crates/seal`, `Option::None` and\n`window::it_is_gone_by_itself`";
        let found: Vec<String> = named_on(page).iter().map(said).collect();
        let expected = ["mecum-vault::it_holds", "window::it_is_gone_by_itself"];
        assert_eq!(found, expected.map(|name| format!("{PAGE} names {name}, which is no test")), "these two");
        let script = "const WAYS = [{ name: \"by_itself\" }];\nreport(`it_is_gone_${way.name}`);\nreport(\"it_opens\");";
        let names = script_names(script);
        assert!(names.contains("it_is_gone_by_itself") && names.contains("it_opens"), "both: {names:?}");
    }

    #[test]
    fn every_test_that_a_row_or_the_page_of_promises_names_is_there() {
        assert_eq!(check(&Workspace::find().expect("the workspace")), Ok(()), "each is");
    }
}
