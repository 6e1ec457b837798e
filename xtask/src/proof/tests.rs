//! What is read out of a harness, and what fails a run.

use serde_json::json;

use super::*;

fn read(lines: &[&str]) -> Ran {
    let mut ran =
        Ran { ok: true, passed: 0, failed: 0, line: None, skipped: None, controls: 0, last: Vec::new() };
    for line in lines {
        ran.read(line);
    }
    ran
}

fn entry(cases: u64, failures: u64, control_failed: bool) -> Value {
    json!({ "cases": cases, "failures": failures, "control_failed": control_failed })
}

#[test]
fn the_line_of_a_harness_is_found_behind_the_runners_own_words() {
    let ran = read(&[
        "running 1 test",
        "test cuts ... proof: {\"test\":3,\"cases\":7,\"failures\":0,\"seed\":1}",
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.1s",
    ]);
    assert_eq!(ran.line.and_then(|line| line["cases"].as_u64()), Some(7), "the figure");
    assert_eq!((ran.passed, ran.failed), (1, 0), "the runner's count");
}

#[test]
fn the_test_programs_are_found_in_what_cargo_says() {
    let said = |kind: &str, name: &str, test: bool| {
        json!({
            "reason": "compiler-artifact", "package_id": "path+file:///w/crates/vault#mecum-vault@0.1.0",
            "manifest_path": "/w/crates/vault/Cargo.toml", "target": { "kind": [kind], "name": name },
            "profile": { "test": test }, "executable": format!("/t/{name}"),
        })
        .to_string()
    };
    let found = program(&said("test", "kills", true));
    let expected =
        (("mecum-vault".to_owned(), "kills".to_owned()), ("/t/kills".into(), "/w/crates/vault".into()));
    assert_eq!(found, Some(expected), "an integration test, where it runs");
    let units = program(&said("lib", "mecum_vault", true)).expect("units are a program, too");
    assert_eq!(units.0, ("mecum-vault".to_owned(), String::new()), "without a name");
    assert_eq!(program(&said("bin", "mecum", false)), None, "a program is no test");
    assert_eq!(program("not json"), None, "nor is anything else");
}

#[test]
fn figures_said_in_parts_are_added_up() {
    let ran = read(&[
        "proof: {\"test\":14,\"cases\":3,\"failures\":0}",
        "x proof: {\"test\":14,\"cases\":4,\"failures\":1}",
    ]);
    let line = ran.line.expect("lines");
    assert_eq!((line["cases"].as_u64(), line["failures"].as_u64()), (Some(7), Some(1)), "both parts");
}

#[test]
fn a_harness_without_a_figure_or_with_a_control_that_passes_fails_the_run() {
    let row = rows().next().expect("there are rows");
    assert!(verdict(row, &entry(5, 0, true)).is_ok(), "as it should be");
    for (wrong, why) in [
        (entry(0, 0, true), "no case was looked at"),
        (entry(5, 1, true), "a case failed"),
        (entry(5, 0, false), "the control did not fail"),
        (
            json!({ "cases": 5, "failures": 0, "control_failed": true, "skipped": "no strace" }),
            "skipped is not passed",
        ),
    ] {
        assert!(verdict(row, &wrong).is_err(), "{why}");
    }
}

#[test]
fn a_control_within_a_harness_counts_where_the_harness_says_that_it_failed() {
    let ran = read(&[
        "test cuts ... proof-control: the same file, whole, is taken",
        "proof: {\"test\":9,\"cases\":7,\"failures\":0}",
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.1s",
    ]);
    assert_eq!(ran.controls, 1, "behind the runner's own words");
    let row = Row {
        names: &["a", "b"],
        control: Control::Inside("what is right is taken"),
        ..*rows().next().expect("a row")
    };
    let none = |_: &[&str]| Err("it has no tests of its own".to_owned());
    assert!(!control_failed(&row, &ran, none), "one of two tests said it");
    let twice = Ran { controls: 2, ..ran };
    assert!(control_failed(&row, &twice, none), "both did");
    assert!(!control_failed(&row, &Ran { ok: false, ..twice }, none), "and passed");
}

#[test]
fn every_row_has_a_control_and_a_figure_that_does_not_shrink_at_night() {
    for row in rows() {
        assert!(!row.control.said().is_empty(), "{} {} has a control", row.test, row.what);
        assert!(!row.names.is_empty(), "{} {} names its tests", row.test, row.what);
        let grows = row.per_change > 0 && row.per_change <= row.nightly;
        assert!(grows, "{} {}: a night looks at no less than a change", row.test, row.what);
    }
}

#[test]
fn the_shards_of_a_night_cover_it_once_and_what_is_not_cut_runs_with_the_first() {
    let asked = |shard| Asked {
        nightly: true,
        shard: Some((shard, 3)),
        seed: None,
        only: Vec::new(),
        scratch: Scratch::default(),
    };
    let cut = rows().find(|row| row.shards > 1).expect("some rows are cut");
    let shares: Vec<_> = (1..=3).map(|shard| asked(shard).share(cut)).collect();
    assert_eq!((shares[0].start, shares[2].end), (0, cut.nightly), "from the first case to the last");
    assert!(shares.windows(2).all(|two| two[0].end == two[1].start), "without a gap: {shares:?}");
    let whole = rows().find(|row| row.shards == 1).expect("some rows are not cut");
    assert_eq!([1, 2, 3].map(|shard| asked(shard).wants(whole)), [true, false, false], "once");
    assert!(shard_of("0/3").is_err() && shard_of("4/3").is_err() && shard_of("x").is_err(), "no such shard");
}

#[test]
fn each_commit_has_seeds_of_its_own() {
    let seed = seed_of_commit("c895ea9d3f01aa00");
    assert_eq!(seed, Some(0xc895_ea9d_3f01), "its first digits");
    assert_ne!(seed, seed_of_commit("bb284dc000000000"), "another commit, another seed");
}
