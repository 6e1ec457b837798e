//! Who may depend on whom. Dependencies point strictly down; this is where the direction is written.
//!
//! Read from `cargo metadata`, so that a line in a manifest cannot pass unseen, whatever the code imports.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::process;
use crate::ring::Results;
use crate::workspace::Workspace;

/// A crate, and the crates of this workspace that its code (not its tests) may depend on. A crate that is missing here
/// fails the check: a new one has to say where it stands.
const LAYERS: &[(&str, &[&str])] = &[
    ("mecum-domain", &[]),
    ("mecum-seal", &[]),
    ("mecum-api", &["mecum-domain"]),
    // Nothing, but in test builds.
    ("mecum-trip", &[]),
    ("mecum-documents", &["mecum-domain", "mecum-trip"]),
    ("mecum-interop", &["mecum-domain"]),
    ("mecum-vault", &["mecum-seal"]),
    ("mecum-sync", &["mecum-seal"]),
    (
        "mecum-client",
        &[
            "mecum-api",
            "mecum-domain",
            "mecum-documents",
            "mecum-interop",
            "mecum-seal",
            "mecum-sync",
            "mecum-trip",
            "mecum-vault",
        ],
    ),
    ("mecum-hospital", &["mecum-api", "mecum-client", "mecum-domain"]),
    ("mecum-relay", &["mecum-seal", "mecum-sync"]),
    ("mecum-server", &["mecum-hospital", "mecum-relay"]),
    ("mecum-testkit", &["mecum-domain", "mecum-interop", "mecum-seal", "mecum-sync"]),
    ("mecum", &["mecum-api", "mecum-client"]),
    // The development shell is never shipped, so it may make the demo record from the seeded generator.
    ("mecum-bridge", &["mecum-api", "mecum-client", "mecum-testkit"]),
    ("mecum-ui", &["mecum-api", "mecum-domain"]),
    ("xtask", &[]),
];

/// Crates that measure or test the others from outside and are never shipped; they may depend on anything.
const OUTSIDE: &[&str] = &["mecum-bench", "mecum-faults", "mecum-fuzz"];

/// The packages that carry the design, and the crates whose job each one is. Any other crate must not depend on it;
/// each crate named must both depend on it and use it.
const PILLARS: &[(&str, &[&str])] = &[
    ("tauri", &["mecum"]),
    ("yew", &["mecum-ui"]),
    ("automerge", &["mecum-documents"]),
    ("rusqlite", &["mecum-vault", "mecum-relay"]),
    ("ring", &["mecum-seal", "mecum-client", "mecum-documents", "mecum-interop"]),
    (
        "tokio",
        &["mecum-client", "mecum-relay", "mecum-server", "mecum-hospital", "mecum-bridge", "mecum-testkit"],
    ),
];

/// serde is everywhere; these are the crates where it carries the contract.
const SERDE_CARRIERS: &[&str] = &["mecum-domain", "mecum-api"];

/// Runs the checks; each is one test.
pub(crate) fn check(workspace: &Workspace, results: &mut Results) {
    let read =
        process::read(&mut process::cargo(workspace, &["metadata", "--format-version", "1", "--no-deps"]));
    let packages = read.and_then(|text| packages(&text));
    let packages = match packages {
        Ok(packages) => packages,
        Err(error) => return results.check("checks::layers", Err(error)),
    };
    results.check("checks::layers", report(&direction(&packages)));
    results.check("checks::packages_carry_weight", report(&pillars(&packages)));
}

/// The package of each integration test, by the test's name.
pub(crate) fn test_packages(workspace: &Workspace) -> BTreeMap<String, String> {
    let read =
        process::read(&mut process::cargo(workspace, &["metadata", "--format-version", "1", "--no-deps"]));
    let metadata: Value = read.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
        for target in package.get("targets").and_then(Value::as_array).into_iter().flatten() {
            let is_test = target.pointer("/kind/0").and_then(Value::as_str) == Some("test");
            if let (true, Some(test)) = (is_test, target.get("name").and_then(Value::as_str)) {
                found.insert(test.to_owned(), name.to_owned());
            }
        }
    }
    found
}

/// One package of the workspace as the manifest says it.
struct Package {
    name: String,
    folder: String,
    /// Dependencies of the code and the build script.
    normal: Vec<String>,
    /// Dependencies of the tests.
    dev: Vec<String>,
}

fn packages(metadata: &str) -> Result<Vec<Package>, String> {
    let metadata: Value =
        serde_json::from_str(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let list =
        metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata names no packages")?;
    list.iter()
        .map(package)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "cargo metadata: a package without a name".to_owned())
}

fn package(value: &Value) -> Option<Package> {
    let manifest = value.get("manifest_path")?.as_str()?;
    let mut package = Package {
        name: value.get("name")?.as_str()?.to_owned(),
        folder: Path::new(manifest).parent()?.to_str()?.to_owned(),
        normal: Vec::new(),
        dev: Vec::new(),
    };
    for dependency in value.get("dependencies")?.as_array()? {
        let name = dependency.get("name")?.as_str()?.to_owned();
        if dependency.get("kind").and_then(Value::as_str) == Some("dev") {
            package.dev.push(name);
        } else {
            package.normal.push(name);
        }
    }
    Some(package)
}

fn direction(packages: &[Package]) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|package| !OUTSIDE.contains(&package.name.as_str())) {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{} has no place in the layers", package.name));
            continue;
        };
        for dependency in package.normal.iter().filter(|name| ours(name)) {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{} must not depend on {dependency}", package.name));
            }
        }
        // The interface must not reach past the contract even in its tests: what it cannot see, it cannot leak.
        for dependency in package.dev.iter().filter(|name| ours(name)) {
            if package.name == "mecum-ui" && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{} must not depend on {dependency}, even in tests", package.name));
            }
        }
    }
    wrong
}

fn pillars(packages: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (pillar, carriers) in PILLARS {
        for package in packages.iter().filter(|package| !OUTSIDE.contains(&package.name.as_str())) {
            let depends = package.normal.iter().any(|name| name == pillar);
            let may = carriers.contains(&package.name.as_str());
            if depends && !may {
                wrong.push(format!("{} must not depend on {pillar}", package.name));
            }
        }
        for carrier in *carriers {
            wrong.extend(unused(packages, carrier, pillar));
        }
    }
    for carrier in SERDE_CARRIERS {
        wrong.extend(unused(packages, carrier, "serde"));
    }
    wrong
}

/// Says so if `carrier` does not depend on `pillar`, or depends on it and never names it in its code.
fn unused(packages: &[Package], carrier: &str, pillar: &str) -> Option<String> {
    let package = packages.iter().find(|package| package.name == carrier)?;
    if !package.normal.iter().any(|name| name == pillar) {
        return Some(format!("{carrier} does not depend on {pillar}"));
    }
    let source = if carrier == "mecum" { "src-tauri/src" } else { "src" };
    let path = format!("{pillar}::");
    if names(&Path::new(&package.folder).join(source), &path) {
        None
    } else {
        Some(format!("{carrier} depends on {pillar} and never uses it"))
    }
}

/// Whether any Rust file below `folder` holds `text` outside a comment line.
fn names(folder: &Path, text: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return names(&path, text);
        }
        path.extension().is_some_and(|end| end == "rs")
            && fs::read_to_string(&path).is_ok_and(|code| {
                code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(text))
            })
    })
}

fn report(wrong: &[String]) -> Result<(), String> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, normal: &[&str]) -> Package {
        let normal = normal.iter().map(|&name| name.to_owned()).collect();
        Package { name: name.to_owned(), folder: String::new(), normal, dev: Vec::new() }
    }

    #[test]
    fn a_dependency_that_points_up_is_named() {
        let packages = [
            package("mecum-vault", &["mecum-seal", "mecum-client"]),
            package("mecum-client", &[]),
            package("mecum-seal", &[]),
        ];
        assert_eq!(
            direction(&packages),
            ["mecum-vault must not depend on mecum-client"],
            "only the one that points up is wrong"
        );
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        assert_eq!(
            direction(&[package("mecum-new", &[])]),
            ["mecum-new has no place in the layers"],
            "a new crate has to say where it stands"
        );
    }

    #[test]
    fn a_pillar_in_the_wrong_crate_is_named() {
        let wrong = pillars(&[package("mecum-domain", &["serde", "tokio"])]);
        assert!(
            wrong.contains(&"mecum-domain must not depend on tokio".to_owned()),
            "pure types have no runtime: {wrong:?}"
        );
    }

    #[test]
    fn the_layers_have_no_cycle() {
        let at = |name: &str| LAYERS.iter().position(|(layer, _)| *layer == name);
        for (name, below) in LAYERS {
            for lower in *below {
                let known = at(lower).is_some();
                assert!(known, "{lower} is in the table");
                assert!(!reaches(lower, name), "{lower} is below {name} and must not reach it");
            }
        }
    }

    fn reaches(from: &str, to: &str) -> bool {
        LAYERS
            .iter()
            .find(|(name, _)| *name == from)
            .is_some_and(|(_, below)| below.iter().any(|next| *next == to || reaches(next, to)))
    }
}
