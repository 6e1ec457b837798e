//! What nightly shards have reached so far: one line for each, kept with the source, so that "20,000 kills" can be a sum
//! over nights and machines.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::protocol::Changes;
use super::rows::{ALL, Row, rows};
use crate::process;
use crate::workspace::Workspace;

/// Below the source root; lines are added and none is taken away.
const LEDGER: &str = "tests/proof-ledger.jsonl";

/// What a nightly run itself writes: no part of what is run.
const OWN: [&str; 2] = [":!tests/proof-ledger.jsonl", ":!docs/proof.md"];

/// The commit that is about to be run, with a plus where the files are not those of the commit.
pub(super) fn commit(workspace: &Workspace) -> Option<String> {
    let commit = super::commit(workspace)?;
    let mut git = process::command(workspace, "git");
    git.args(["status", "--porcelain", "--untracked-files=no", "--", "."]).args(OWN);
    let changed = process::read(&mut git).ok()?;
    Some(format!("{}{}", commit.get(..12)?, if changed.is_empty() { "" } else { "+" }))
}

/// Adds the entry of one shard, run at a commit as [`commit`] says it.
pub(super) fn append(
    workspace: &Workspace,
    row: &Row,
    entry: &Value,
    shard: &str,
    commit: Option<&str>,
) -> Result<(), String> {
    let mut line = entry.clone();
    line["commit"] = json!(commit);
    line["shard"] = json!(shard);
    line["since"] = json!(Changes::read(workspace)?.last(row.package));
    let mut text = read(workspace);
    text.push_str(&line.to_string());
    text.push('\n');
    write(workspace, &text)
}

/// Says of each line that does not the last change of the protocol before it. Lines that this version writes do.
pub(super) fn complete(workspace: &Workspace) -> Result<(), String> {
    let changes = Changes::read(workspace)?;
    let before = read(workspace);
    let mut text = String::new();
    for mut entry in entries(&before)? {
        if entry.get("since").is_none()
            && let Some(row) = rows().find(|row| is_of(&entry, row))
            && let Some(commit) = entry["commit"].as_str()
        {
            entry["since"] = json!(changes.last_in(workspace, row.package, commit.trim_end_matches('+')));
        }
        text.push_str(&entry.to_string());
        text.push('\n');
    }
    if text == before { Ok(()) } else { write(workspace, &text) }
}

fn read(workspace: &Workspace) -> String {
    std::fs::read_to_string(workspace.path(LEDGER)).unwrap_or_default()
}

fn write(workspace: &Workspace, text: &str) -> Result<(), String> {
    let path = workspace.path(LEDGER);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn entries(text: &str) -> Result<Vec<Value>, String> {
    let lines = text.lines().enumerate();
    let entry = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("{LEDGER}:{}: {error}", number + 1))
    };
    lines.map(entry).collect()
}

fn is_of(entry: &Value, row: &Row) -> bool {
    entry["test"] == row.test && entry["what"] == row.what
}

/// Cases of shards without a failure and with a control that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Since the last change of the protocol that concerns the row.
    pub(super) now: u64,
    /// Before it.
    pub(super) before: u64,
}

/// What was reached of one row, whose package changed last with the commit `since`.
pub(super) fn reached(workspace: &Workspace, row: &Row, since: Option<&str>) -> Result<Reached, String> {
    sum(&read(workspace), row, since)
}

fn sum(text: &str, row: &Row, since: Option<&str>) -> Result<Reached, String> {
    let mut reached = Reached::default();
    let mut seen = BTreeSet::new();
    for entry in entries(text)? {
        if !is_of(&entry, row) || entry["failures"] != 0 || entry["control_failed"] != true {
            continue;
        }
        // The same shard of the same commit again looks at the same cases. The plus does not set two runs apart: lines of
        // before it was asked for in time have it for their own ledger.
        let commit = entry["commit"].as_str().unwrap_or_default().trim_end_matches('+').to_owned();
        if !seen.insert(
            [json!(commit), entry["shard"].clone(), entry["seed"].clone()].map(|part| part.to_string()),
        ) {
            continue;
        }
        let counted = if entry["since"].as_str() == since { &mut reached.now } else { &mut reached.before };
        let cases = entry["cases"].as_u64().unwrap_or(0);
        // Of a table or a sweep each run looks at all that there is: more runs are not more cases.
        *counted = if row.nightly == ALL { cases } else { *counted + cases };
    }
    Ok(reached)
}

#[cfg(test)]
mod tests;
