//! What nightly shards have reached so far: one line for each, kept with the source, so that "20,000 kills" can be a sum
//! over nights and machines.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::process;
use crate::workspace::Workspace;

/// Below the source root; lines are only ever added.
const LEDGER: &str = "tests/proof-ledger.jsonl";

/// Adds the entry of one shard.
pub(super) fn append(workspace: &Workspace, entry: &Value, shard: &str) -> Result<(), String> {
    let mut line = entry.clone();
    line["commit"] = json!(commit(workspace));
    line["shard"] = json!(shard);
    let path = workspace.path(LEDGER);
    let mut text = std::fs::read_to_string(&path).unwrap_or_default();
    text.push_str(&line.to_string());
    text.push('\n');
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The commit that was run, with a plus where the files were not those of the commit.
fn commit(workspace: &Workspace) -> Option<String> {
    let commit = super::commit(workspace)?;
    let mut git = process::command(workspace, "git");
    let changed = process::read(git.args(["status", "--porcelain", "--untracked-files=no"])).ok()?;
    Some(format!("{}{}", commit.get(..12)?, if changed.is_empty() { "" } else { "+" }))
}

/// What was reached of one row: cases of shards without a failure and with a control that failed.
pub(super) fn reached(workspace: &Workspace, test: u8, what: &str) -> Result<u64, String> {
    let text = std::fs::read_to_string(workspace.path(LEDGER)).unwrap_or_default();
    sum(&text, test, what)
}

fn sum(text: &str, test: u8, what: &str) -> Result<u64, String> {
    let mut cases = 0;
    // The same shard of the same commit again looks at the same cases; with other files under it, it need not.
    let mut seen = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let entry: Value =
            serde_json::from_str(line).map_err(|error| format!("{LEDGER}:{}: {error}", number + 1))?;
        let of_row = entry["test"] == test && entry["what"] == what;
        if !of_row || entry["failures"] != 0 || entry["control_failed"] != true {
            continue;
        }
        let as_committed = entry["commit"].as_str().is_some_and(|commit| !commit.ends_with('+'));
        let run = [&entry["commit"], &entry["shard"], &entry["seed"]].map(Value::to_string);
        if !as_committed || seen.insert(run) {
            cases += entry["cases"].as_u64().unwrap_or(0);
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shards_without_failure_and_with_a_failing_control_count() {
        let text = r#"{"test":3,"what":"a","cases":10,"failures":0,"control_failed":true}
{"test":3,"what":"a","cases":10,"failures":1,"control_failed":true}
{"test":3,"what":"a","cases":10,"failures":0,"control_failed":false}
{"test":3,"what":"b","cases":10,"failures":0,"control_failed":true}
{"test":3,"what":"a","cases":5,"failures":0,"control_failed":true}"#;
        assert_eq!(sum(text, 3, "a"), Ok(15), "the first and the last");
        assert!(sum("{", 3, "a").is_err(), "a broken ledger is no zero");
        let run = r#"{"test":3,"what":"a","cases":5,"failures":0,"control_failed":true,"commit":"ab","shard":"1/2","seed":7}"#;
        let other = run.replace("1/2", "2/2");
        assert_eq!(sum(&[run, run, &other].join("\n"), 3, "a"), Ok(10), "one shard twice is one");
    }
}
