//! `cargo xtask proof`: runs the harnesses of the test programme at their figures and writes `target/proof/report.json`.
//!
//! The measuring is in the harnesses, which are ordinary tests and run at their figure for each change with `cargo xtask
//! test`, too. Here is which there are (`rows.rs`), with what figures they run, and what was reached over time (`ledger.rs`,
//! `table.rs`). A harness that says no figure, or whose control passes unnoticed, fails the run.

mod ledger;
mod protocol;
mod rows;
mod table;
pub(crate) mod window;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use crate::named::Named;
use crate::process;
use crate::scratch::Scratch;
use crate::test::BUILD;
use crate::workspace::Workspace;
use rows::{Cases, Control, Row, rows};

/// What was asked for on the command line.
struct Asked {
    nightly: bool,
    /// Which one, from 1, of how many.
    shard: Option<(u64, u64)>,
    seed: Option<u64>,
    only: Vec<u8>,
    scratch: Scratch,
}

/// Runs the rows and writes the report; a nightly run also writes the ledger and the table in `docs/proof.md`.
pub(crate) fn proof(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "--table") {
        ledger::complete(workspace)?;
        return table::write(workspace);
    }
    let asked = Asked::read(workspace, arguments)?;
    let rows: Vec<&Row> = rows().filter(|row| asked.wants(row)).collect();
    // Before the first line is written: that line is no change of what is run.
    let commit = ledger::commit(workspace);
    let programs = build(workspace, &rows)?;
    let folder = workspace.target.join("proof");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let report_path = folder.join("report.json");
    let (mut report, mut wrong) = (Vec::new(), Vec::new());
    for row in rows {
        let entry = run(workspace, &programs, row, &asked);
        let verdict = verdict(row, &entry);
        println!("{:>3} {}: {}", row.test, row.what, said(&entry, verdict.as_ref().err()));
        wrong.extend(verdict.err().map(|why| format!("{} {}: {why}", row.test, row.what)));
        if asked.nightly {
            let (shard, shards) = asked.shard.unwrap_or((1, 1));
            ledger::append(workspace, row, &entry, &format!("{shard}/{shards}"), commit.as_deref())?;
        }
        report.push(entry);
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        std::fs::write(&report_path, text + "\n")
            .map_err(|error| format!("{}: {error}", report_path.display()))?;
    }
    if asked.nightly {
        table::write(workspace)?;
    }
    println!("report: {}", report_path.display());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Whether the table in `docs/proof.md` is the one that rows and ledger make.
pub(crate) fn table_is_current(workspace: &Workspace) -> Result<(), String> {
    table::is_current(workspace)
}

/// The tests that the rows name.
pub(crate) fn named() -> impl Iterator<Item = Named> {
    rows().flat_map(|row| {
        let controls = match row.control {
            Control::Tests(names) => names,
            Control::Inside(_) => &[],
        };
        row.names.iter().chain(controls).map(|test| Named {
            by: format!("row {}", row.test),
            package: row.package.to_owned(),
            test: (*test).to_owned(),
            part: !row.exact,
            binary: if row.package == rows::WINDOW { String::new() } else { row.binary.to_owned() },
        })
    })
}

impl Asked {
    fn read(workspace: &Workspace, arguments: &[String]) -> Result<Asked, String> {
        let nightly = arguments.iter().any(|argument| argument == "--nightly");
        let shard = crate::flag_value(arguments, "--shard").map(shard_of).transpose()?;
        if shard.is_some() && !nightly {
            return Err("--shard goes with --nightly: the figure for each change is run whole".to_owned());
        }
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| format!("--seed takes a number, not {text:?}"));
        let mut seed = crate::flag_value(arguments, "--seed").map(number).transpose()?;
        if nightly && seed.is_none() {
            seed = commit(workspace).as_deref().and_then(seed_of_commit);
        }
        let only = crate::flag_value(arguments, "--only").unwrap_or_default();
        let only: Result<Vec<u8>, String> = only
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| format!("--only takes numbers of tests, not {part:?}")))
            .collect();
        Ok(Asked { nightly, shard, seed, only: only?, scratch: Scratch::new(workspace) })
    }

    fn cases(&self, row: &Row) -> u64 {
        if self.nightly { row.nightly } else { row.per_change }
    }

    /// The stretch of a row's cases that is this run's.
    fn share(&self, row: &Row) -> std::ops::Range<u64> {
        let cases = self.cases(row);
        match self.shard {
            Some((shard, shards)) if row.shards > 1 => cases * (shard - 1) / shards..cases * shard / shards,
            _ => 0..cases,
        }
    }

    /// Whether a row is this run's: one that is not cut runs with the first shard.
    fn wants(&self, row: &Row) -> bool {
        let first = self.shard.is_none_or(|(shard, _)| shard == 1);
        (self.only.is_empty() || self.only.contains(&row.test)) && (row.shards > 1 || first)
    }
}

fn shard_of(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((i, n)) if i >= 1 && i <= n => Ok((i, n)),
        _ => Err(format!("--shard takes i/n with i from 1 to n, not {text:?}")),
    }
}

/// Each commit is looked at with seeds of its own, so that nights add up.
fn seed_of_commit(commit: &str) -> Option<u64> {
    u64::from_str_radix(commit.get(..12)?, 16).ok()
}

fn commit(workspace: &Workspace) -> Option<String> {
    let mut git = process::command(workspace, "git");
    process::read(git.args(["rev-parse", "HEAD"])).ok().map(|text| text.trim().to_owned())
}

/// The test programs by package and name (no name: the units), each with the folder in which it is to run.
type Programs = BTreeMap<(String, String), (PathBuf, PathBuf)>;

/// Builds the tests of all rows at once, as `cargo xtask test` builds them: what either has built, the other does not build again.
fn build(workspace: &Workspace, rows: &[&Row]) -> Result<Programs, String> {
    window::build(workspace, rows)?;
    if rows.iter().all(|row| window::is_script(row)) {
        return Ok(Programs::new());
    }
    let arguments = [&["test", "--no-run", "--quiet", "--message-format=json"], BUILD].concat();
    let messages = process::read(&mut process::cargo(workspace, &arguments))?;
    Ok(messages.lines().filter_map(program).collect())
}

/// The test program that one of cargo's messages speaks of, if it does.
fn program(message: &str) -> Option<((String, String), (PathBuf, PathBuf))> {
    let message: Value = serde_json::from_str(message).ok()?;
    let text = |place: &str| message.pointer(place).and_then(Value::as_str);
    let is_test = message.pointer("/profile/test").and_then(Value::as_bool) == Some(true);
    let executable = text("/executable").filter(|_| is_test)?;
    let (kind, name) = (text("/target/kind/0")?, text("/target/name")?);
    let (package, target) = match kind {
        "test" => (text("/package_id")?.rsplit_once('#')?.1.split('@').next()?.to_owned(), name.to_owned()),
        "lib" => (name.replace('_', "-"), String::new()),
        _ => return None,
    };
    let folder = Path::new(text("/manifest_path")?).parent()?.to_owned();
    Some(((package, target), (PathBuf::from(executable), folder)))
}

/// What a test program said.
struct Ran {
    ok: bool,
    passed: u64,
    failed: u64,
    line: Option<Value>,
    skipped: Option<String>,
    /// Controls within the harness that it saw fail as they must.
    controls: u64,
    last: Vec<String>,
}

/// How many lines of a failed harness are shown.
const SHOWN_LINES: usize = 30;

/// Runs tests of a row's program and reads what they say.
fn run_tests(
    workspace: &Workspace,
    programs: &Programs,
    row: &Row,
    names: &[&str],
    asked: &Asked,
) -> Result<Ran, String> {
    let mut command = if window::is_script(row) {
        window::on_a_screen(workspace, row.binary)
    } else {
        let key = (row.package.to_owned(), row.binary.to_owned());
        let (program, folder) = programs
            .get(&key)
            .ok_or_else(|| format!("{} has no test program {:?}", row.package, row.binary))?;
        let mut command = process::command(workspace, program);
        command.current_dir(folder).arg("--nocapture");
        if row.exact {
            command.arg("--exact");
        }
        command.args(names).env("NO_COLOR", "1");
        command
    };
    asked.scratch.lend(&mut command);
    let share = asked.share(row);
    if row.cases == Cases::Asked {
        command.env(row.asked_by, (share.end - share.start).to_string());
        // Seeds that follow one another; every shard has its own stretch of them.
        if let Some(seed) = asked.seed.or((share.start > 0).then_some(0)) {
            command.env("MECUM_SEED", (seed + share.start).to_string());
        }
    } else {
        command.env(row.asked_by, asked.cases(row).to_string());
        if let (true, Some((shard, shards))) = (row.shards > 1, asked.shard) {
            command.env("MECUM_PROOF_SHARD", format!("{shard}/{shards}"));
        }
        if let Some(seed) = asked.seed {
            command.env("MECUM_PROOF_SEED", seed.to_string());
        }
    }
    let mut ran =
        Ran { ok: false, passed: 0, failed: 0, line: None, skipped: None, controls: 0, last: Vec::new() };
    ran.ok = process::each_line(&mut command, |line| {
        ran.read(line);
        if window::is_script(row) {
            let (passed, failed) = window::counted(line);
            ran.passed += passed;
            ran.failed += failed;
        }
    })?;
    Ok(ran)
}

impl Ran {
    fn read(&mut self, line: &str) {
        // The runner writes a test's name before what the test itself prints.
        if let Some((_, json)) = line.split_once("proof: {")
            && let Ok(value) = serde_json::from_str::<Value>(&format!("{{{json}"))
        {
            self.add(value);
        }
        if let Some((_, why)) = line.split_once("mecum-skip: ") {
            self.skipped = Some(why.to_owned());
        }
        self.controls += u64::from(line.contains("proof-control: "));
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += count_before(rest, " passed");
            self.failed += count_before(rest, " failed");
        }
        if self.last.len() == SHOWN_LINES {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
    }
}

impl Ran {
    /// A harness may say its figures in parts.
    fn add(&mut self, value: Value) {
        let Some(line) = &mut self.line else {
            self.line = Some(value);
            return;
        };
        for field in ["cases", "failures"] {
            let sum =
                [&*line, &value].iter().filter_map(|v| v.get(field)).filter_map(Value::as_u64).sum::<u64>();
            line[field] = json!(sum);
        }
    }
}

fn count_before(text: &str, word: &str) -> u64 {
    let Some((before, _)) = text.split_once(word) else { return 0 };
    before.rsplit([' ', '.']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Runs one harness and its controls; an entry of the report.
fn run(workspace: &Workspace, programs: &Programs, row: &Row, asked: &Asked) -> Value {
    let started = Instant::now();
    let mut entry =
        json!({ "test": row.test, "what": row.what, "cases": 0, "failures": 1, "control_failed": false });
    let ran = match run_tests(workspace, programs, row, row.names, asked) {
        Ok(ran) => ran,
        Err(error) => {
            println!("{error}");
            return entry;
        }
    };
    let number = |field: &str| ran.line.as_ref().and_then(|line| line.get(field)).and_then(Value::as_u64);
    let (cases, failures) = match row.cases {
        Cases::Said => (number("cases").unwrap_or(0), number("failures").unwrap_or(1)),
        Cases::Tests => (ran.passed + ran.failed, ran.failed),
        Cases::Asked if ran.ok && ran.passed > 0 => {
            let share = asked.share(row);
            (share.end - share.start, 0)
        }
        Cases::Asked => (0, 1),
    };
    // A harness that stopped before its line is a failure, whatever it had counted; so is a test that is there no longer.
    let all = ran.passed + ran.failed >= row.names.len() as u64;
    let failures = if ran.ok && all { failures } else { failures.max(1) };
    if let Some(why) = &ran.skipped {
        println!("    skipped: {why}");
        entry["skipped"] = json!(why);
    } else if failures > 0 {
        ran.last.iter().for_each(|line| println!("    {line}"));
    }
    let control_failed = control_failed(row, &ran, |names| run_tests(workspace, programs, row, names, asked));
    entry["cases"] = json!(cases);
    entry["failures"] = json!(failures);
    entry["control_failed"] = json!(control_failed);
    entry["seconds"] = json!((started.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    entry["seed"] = json!(number("seed").or(asked.seed));
    entry
}

/// Whether a row's control failed as it must: seen by tests of its own, which `run` runs, or within the harness. That a harness
/// passed shows nothing of that: each of its tests says itself that it saw it.
fn control_failed(row: &Row, ran: &Ran, run: impl FnOnce(&[&str]) -> Result<Ran, String>) -> bool {
    match row.control {
        Control::Inside(_) => ran.ok && ran.controls >= row.names.len() as u64,
        Control::Tests(names) => run(names).is_ok_and(|controls| {
            controls.ok && controls.skipped.is_none() && controls.passed >= names.len().max(1) as u64
        }),
    }
}

/// Whether an entry is what the row asks for.
fn verdict(row: &Row, entry: &Value) -> Result<(), String> {
    let number = |field: &str| entry.get(field).and_then(Value::as_u64).unwrap_or(0);
    if let Some(why) = entry.get("skipped").and_then(Value::as_str) {
        return Err(format!("it could not run here: {why}"));
    }
    if number("failures") > 0 {
        return Err(format!("{} of {} cases failed", number("failures"), number("cases")));
    }
    if number("cases") == 0 {
        return Err("it says no figure".to_owned());
    }
    if entry.get("control_failed").and_then(Value::as_bool) != Some(true) {
        return Err(format!("its control did not fail as it must ({})", row.control.said()));
    }
    Ok(())
}

fn said(entry: &Value, wrong: Option<&String>) -> String {
    let text = |field: &str| entry.get(field).map(ToString::to_string).unwrap_or_default();
    let figures = format!("{} cases, {} failures, {} s", text("cases"), text("failures"), text("seconds"));
    match wrong {
        None => format!("{figures}, control failed as it must"),
        Some(why) => format!("{figures}\n    FAILED: {why}"),
    }
}

#[cfg(test)]
mod tests;
