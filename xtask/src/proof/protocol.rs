//! `tests/protocol-changes.toml`: since when what is written and sent is as it is, for each package.
//!
//! What ran at a commit of before showed something of other bytes, so that it does not count towards a figure.

use crate::claims::strings;
use crate::process;
use crate::workspace::Workspace;

const FILE: &str = "tests/protocol-changes.toml";

/// One change.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    /// First twelve digits.
    commit: String,
    packages: Vec<String>,
}

/// All of them, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub(super) fn read(workspace: &Workspace) -> Result<Changes, String> {
        let path = workspace.path(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        parse(&text)
    }

    /// The commit of the last change that concerns a package; none if nothing of it changed since its first figure.
    pub(super) fn last(&self, package: &str) -> Option<&str> {
        self.of(package).next()
    }

    /// The last change that concerns a package and is part of a commit, as far as the history here goes.
    pub(super) fn last_in(&self, workspace: &Workspace, package: &str, commit: &str) -> Option<&str> {
        self.of(package).find(|change| {
            let mut git = process::command(workspace, "git");
            git.args(["merge-base", "--is-ancestor", change, commit]);
            git.output().is_ok_and(|output| output.status.success())
        })
    }

    /// The commits of the changes that concern a package, the last first.
    fn of(&self, package: &str) -> impl Iterator<Item = &str> {
        let concerns = move |change: &&Change| change.packages.iter().any(|name| name == package);
        self.0.iter().rev().filter(concerns).map(|change| change.commit.as_str())
    }
}

/// Reads the part of TOML that the file uses: `[[change]]`, and keys with strings or a list of strings on one line.
fn parse(text: &str) -> Result<Changes, String> {
    let mut changes: Vec<Change> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |what: &str| format!("{FILE}:{}: {what}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[change]]" {
            changes.push(Change::default());
            continue;
        }
        let change = changes.last_mut().ok_or_else(|| wrong("a line before the first [[change]]"))?;
        let (key, value) = line.split_once('=').ok_or_else(|| wrong("not `key = value`"))?;
        let mut values = strings(value);
        match key.trim() {
            "commit" => {
                let hex =
                    |commit: &String| commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
                change.commit =
                    values.pop().filter(hex).ok_or_else(|| wrong("not twelve digits of a commit"))?;
            }
            "packages" => change.packages = values,
            // For whoever reads the file.
            "date" | "what" => {}
            _ => return Err(wrong("an unknown key")),
        }
    }
    let whole = |change: &Change| !change.commit.is_empty() && !change.packages.is_empty();
    match changes.iter().position(|change| !whole(change)) {
        None => Ok(Changes(changes)),
        Some(at) => Err(format!("{FILE}: change {} has no commit or no packages", at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::rows::rows;

    #[test]
    fn the_last_change_of_a_package_is_the_last_that_names_it() {
        let text = "# why\n[[change]]\ncommit = \"aaaaaaaaaaaa\"\ndate = \"2026-01-01\"\nwhat = \"a\"\npackages = [\"v\", \"c\"]\n\n[[change]]\ncommit = \"bbbbbbbbbbbb\"\npackages = [\"c\"]\n";
        let changes = parse(text).expect("well formed");
        assert_eq!(changes.last("v"), Some("aaaaaaaaaaaa"), "the only one");
        assert_eq!(changes.last("c"), Some("bbbbbbbbbbbb"), "the later one");
        assert_eq!(changes.last("s"), None, "nothing of it changed");
        for broken in [
            "commit = \"aaaaaaaaaaaa\"",
            "[[change]]\ncommit = \"aa\"",
            "[[change]]\nfoo = \"b\"",
            "[[change]]\n",
        ] {
            assert!(parse(broken).is_err(), "{broken:?} is not passed over");
        }
    }

    #[test]
    fn every_change_names_packages_that_have_rows() {
        let changes = Changes::read(&Workspace::find().expect("the workspace")).expect("the file");
        for change in &changes.0 {
            for package in &change.packages {
                assert!(rows().any(|row| row.package == package), "{package} of {} has rows", change.commit);
            }
        }
    }
}
