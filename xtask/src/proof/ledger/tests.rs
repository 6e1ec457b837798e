//! What of the ledger counts, and what its lines say of the commit.

use std::process::Command;

use super::*;

const SINCE: &str = "aaaaaaaaaaaa";

fn a_row(nightly: u64) -> Row {
    Row { nightly, ..super::super::rows::row(3, "a", "mecum-vault", "power_loss") }
}

/// A line of the row above, with some fields otherwise.
fn line(otherwise: &Value) -> String {
    let mut line = json!({
        "test": 3, "what": "a", "cases": 10, "failures": 0, "control_failed": true,
        "commit": "ab", "shard": "1/2", "seed": 7, "since": SINCE,
    });
    for (key, value) in otherwise.as_object().expect("fields") {
        line[key] = value.clone();
    }
    line.to_string()
}

fn summed(row: &Row, lines: &[Value]) -> Reached {
    let text: Vec<String> = lines.iter().map(line).collect();
    sum(&text.join("\n"), row, Some(SINCE)).expect("a ledger")
}

#[test]
fn only_shards_without_failure_and_with_a_failing_control_count() {
    let reached = summed(
        &a_row(100),
        &[
            json!({}),
            json!({ "commit": "b", "failures": 1 }),
            json!({ "commit": "c", "control_failed": false }),
            json!({ "commit": "d", "what": "b" }),
            json!({ "commit": "e", "cases": 5 }),
        ],
    );
    assert_eq!(reached, Reached { now: 15, before: 0 }, "the first and the last");
    assert!(sum("{", &a_row(100), None).is_err(), "a broken ledger is no zero");
}

#[test]
fn one_shard_of_one_commit_counts_once_however_often_it_ran() {
    let again = [json!({}), json!({}), json!({ "commit": "ab+" }), json!({ "commit": "ab+" })];
    assert_eq!(summed(&a_row(100), &again).now, 10, "the same cases");
    let others = [json!({}), json!({ "shard": "2/2" }), json!({ "seed": 8 }), json!({ "commit": "ac" })];
    assert_eq!(summed(&a_row(100), &others).now, 40, "another shard, seed or commit is more");
}

#[test]
fn what_ran_before_the_protocol_changed_is_said_apart() {
    let lines = [
        json!({ "since": "bbbbbbbbbbbb" }),
        json!({ "commit": "c", "since": null }),
        json!({ "commit": "d" }),
    ];
    assert_eq!(summed(&a_row(100), &lines), Reached { now: 10, before: 20 }, "another change, and none");
}

#[test]
fn of_a_table_the_last_run_counts_and_not_the_sum() {
    let lines = [json!({}), json!({ "commit": "c", "cases": 12 })];
    assert_eq!(summed(&a_row(ALL), &lines).now, 12, "all that there are");
}

/// A repository of one commit, with the files that a nightly run reads and writes.
fn repository(name: &str) -> Workspace {
    let root = std::env::temp_dir().join(format!("mecum-xtask-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    for folder in ["tests", "docs"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for file in ["tests/proof-ledger.jsonl", "docs/proof.md", "source.rs"] {
        std::fs::write(root.join(file), "").expect("a file");
    }
    let workspace = Workspace { target: root.join("target"), root };
    git(&workspace, &["init", "--quiet"]);
    git(&workspace, &["add", "."]);
    committed(&workspace);
    workspace
}

fn git(workspace: &Workspace, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
    assert!(git.output().expect("git").status.success(), "git {arguments:?}");
}

fn committed(workspace: &Workspace) {
    git(workspace, &["commit", "--quiet", "--all", "--allow-empty", "--message", "a"]);
}

#[test]
fn only_a_changed_source_gives_a_commit_its_plus() {
    let workspace = repository("plus");
    let clean = commit(&workspace).expect("a commit");
    assert_eq!(clean.len(), 12, "as it was committed: {clean}");
    for own in ["tests/proof-ledger.jsonl", "docs/proof.md"] {
        std::fs::write(workspace.path(own), "a line\n").expect("written");
    }
    assert_eq!(commit(&workspace), Some(clean.clone()), "what the run itself writes is none of it");
    std::fs::write(workspace.path("source.rs"), "fn changed() {}\n").expect("written");
    assert_eq!(commit(&workspace), Some(format!("{clean}+")), "the source is");
    std::fs::remove_dir_all(&workspace.root).expect("removed");
}

#[test]
fn a_line_says_the_last_change_that_it_ran_after() {
    let workspace = repository("since");
    let before = commit(&workspace).expect("a commit");
    committed(&workspace);
    let change = commit(&workspace).expect("a commit");
    committed(&workspace);
    let after = commit(&workspace).expect("a commit");
    let changes = format!("[[change]]\ncommit = \"{change}\"\npackages = [\"mecum-vault\"]\n");
    std::fs::write(workspace.path("tests/protocol-changes.toml"), changes).expect("written");
    let row =
        rows().find(|row| row.package == "mecum-vault" && row.nightly != ALL).expect("one of the vault");
    let entry =
        json!({ "test": row.test, "what": row.what, "cases": 2, "failures": 0, "control_failed": true });
    let mut older = entry.clone();
    for (commit, cases) in [(&before, 3), (&format!("{after}+"), 5), (&"0123456789ab".to_owned(), 7)] {
        older["commit"] = json!(commit);
        older["cases"] = json!(cases);
        std::fs::write(workspace.path(LEDGER), read(&workspace) + &older.to_string() + "\n")
            .expect("written");
    }
    append(&workspace, row, &entry, "1/2", Some(&change)).expect("appended");
    complete(&workspace).expect("the history is here");
    let said: Vec<Value> =
        entries(&read(&workspace)).expect("lines").iter().map(|line| line["since"].clone()).collect();
    assert_eq!(
        said,
        [json!(null), json!(change), json!(null), json!(change)],
        "before, after, unknown, and by the run"
    );
    let reached = reached(&workspace, row, Some(&change)).expect("a ledger");
    assert_eq!(reached, Reached { now: 7, before: 10 }, "what is not known to be after is before");
    std::fs::remove_dir_all(&workspace.root).expect("removed");
}
