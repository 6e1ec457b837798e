//! `cargo xtask test`: every test of the project, and one closing line.
//!
//! The steps go on after a failure, so that one run shows everything that is wrong.

mod listing;

use crate::checks;
use crate::claims;
use crate::layers;
use crate::process;
use crate::proof::window::on_a_screen;
use crate::ring::{Outcome, Results};
use crate::scratch::Scratch;
use crate::setup;
use crate::ui;
use crate::workspace::Workspace;

use listing::{Line, Reader};

/// What the native crates are built with for tests. The shell opens its own files instead of a development address, and
/// the flags are the same everywhere, so that cargo builds each dependency once.
pub(crate) const BUILD: &[&str] = &["--workspace", "--all-targets", "--features", "mecum/custom-protocol"];

/// Places for tests on each core: `.config/nextest.toml` says who takes how many.
const PLACES_OF_A_CORE: usize = 2;

/// Runs everything, or the part that `--only` names.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let only = crate::flag_value(arguments, "--only");
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut results = Results::new(workspace)?;
    setup::everything(workspace)?;
    let scratch = Scratch::new(workspace);

    if wanted("checks") {
        results.begin_ring("checks", "format, lints, layers");
        checks::run(workspace, &mut results);
    }
    if wanted("core") || wanted("browser") || wanted("window") {
        results.begin_ring("build", "the web part, then every native crate");
        results.check("build::web_part", ui::build(workspace, ui::Kind::Quick));
        let built = logged(workspace, &results, "build", &[&["build"], BUILD].concat());
        results.check("build::native_crates", built);
    }
    if wanted("core") {
        results.begin_ring("core", "units, properties, pages as text, client and server");
        core(workspace, &mut results, &scratch);
    }
    if wanted("browser") {
        results.begin_ring("browser", "the real interface in Chromium, on the bridge");
        let mut node = process::command(workspace, "node");
        scratch.lend(&mut node);
        script(&mut results, node, "browser", &["tests/e2e/run.mjs"], workspace);
    }
    if wanted("window") {
        results.begin_ring("window", "the real window, through WebKitWebDriver");
        let mut screen = on_a_screen(workspace, "run");
        scratch.lend(&mut screen);
        script(&mut results, screen, "window", &[], workspace);
    }
    results.end_ring();
    if only.is_none() {
        results.begin_ring("claims", "every promise has a test that ran");
        claims::check(workspace, &mut results);
    }
    if results.close() { Ok(()) } else { Err(String::new()) }
}

/// Runs one cargo step into a log; the end of it is the reason where it fails.
pub(crate) fn logged(
    workspace: &Workspace,
    results: &Results,
    step: &str,
    arguments: &[&str],
) -> Result<(), String> {
    let mut log = results.log(step)?;
    let mut command = process::cargo(workspace, arguments);
    command.env("CARGO_TERM_COLOR", "never");
    let ok = process::each_line(&mut command, |line| log.line(line))?;
    if ok { Ok(()) } else { Err(log.tail()) }
}

/// Rings 1 to 3: everything that cargo itself runs.
fn core(workspace: &Workspace, results: &mut Results, scratch: &Scratch) {
    if process::answers("cargo-nextest", "--version") {
        let mut arguments = vec!["nextest", "run"];
        arguments.extend(BUILD);
        arguments.extend([
            "--no-fail-fast",
            "--color=never",
            "--status-level=all",
            "--final-status-level=none",
        ]);
        arguments.extend(["--success-output=immediate", "--failure-output=immediate"]);
        let places = PLACES_OF_A_CORE * std::thread::available_parallelism().map_or(1, usize::from);
        let places = format!("--test-threads={places}");
        arguments.extend(["--profile=places", &places]);
        cargo_tests(workspace, results, "nextest", &arguments, Reader::nextest(), scratch);
    } else {
        let mut arguments = vec!["test", "--no-fail-fast"];
        arguments.extend(BUILD);
        arguments.extend(["--", "--show-output", "--color=never"]);
        cargo_tests(
            workspace,
            results,
            "cargo-test",
            &arguments,
            Reader::libtest(layers::test_packages(workspace)),
            scratch,
        );
    }
    // Building for documentation tests builds every dependency once more: only where there is an example to run.
    if !has_doc_examples(&workspace.path("crates")) {
        return;
    }
    let arguments = [
        "test",
        "--doc",
        "--no-fail-fast",
        "--workspace",
        "--features",
        "mecum/custom-protocol",
        "--",
        "--color=never",
    ];
    cargo_tests(workspace, results, "doc-tests", &arguments, Reader::doctest(), scratch);
}

/// Whether a Rust source below `folder` has an example in its documentation.
fn has_doc_examples(folder: &std::path::Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return has_doc_examples(&path);
        }
        let source = path.extension().is_some_and(|extension| extension == "rs");
        let example =
            |line: &str| line.trim_start().starts_with("/// ```") || line.trim_start().starts_with("//! ```");
        source && std::fs::read_to_string(&path).is_ok_and(|text| text.lines().any(example))
    })
}

fn cargo_tests(
    workspace: &Workspace,
    results: &mut Results,
    step: &str,
    arguments: &[&str],
    mut reader: Reader,
    scratch: &Scratch,
) {
    let mut log = match results.log(step) {
        Ok(log) => log,
        Err(error) => return results.add(&format!("core::{step}"), Outcome::Failed, &error),
    };
    let mut command = process::cargo(workspace, arguments);
    command.env("CARGO_TERM_COLOR", "never").env("NEXTEST_HIDE_PROGRESS_BAR", "1");
    scratch.lend(&mut command);
    let ended = process::each_line(&mut command, |line| {
        log.line(line);
        reader.read(line);
    });
    let failed_before = reader.found().iter().any(|found| found.outcome == Outcome::Failed);
    for found in reader.into_found() {
        results.add(&found.name, found.outcome, &found.output);
    }
    match ended {
        Ok(true) => {}
        // The failing tests are in the list already; a failure without one (it did not build, say) must show too.
        Ok(false) if failed_before => {}
        Ok(false) => results.add(&format!("core::{step}"), Outcome::Failed, &log.tail()),
        Err(error) => results.add(&format!("core::{step}"), Outcome::Failed, &error),
    }
}

/// Rings 4 and 5: a script that writes `ok NAME`, `not ok NAME: WHY` or `skip NAME: WHY` lines and a closing count.
fn script(
    results: &mut Results,
    mut command: std::process::Command,
    ring: &'static str,
    arguments: &[&str],
    workspace: &Workspace,
) {
    let mut log = match results.log(ring) {
        Ok(log) => log,
        Err(error) => return results.add(&format!("{ring}::started"), Outcome::Failed, &error),
    };
    command.args(arguments).env("MECUM_BIN", workspace.target.join("debug"));
    let mut closing = None;
    let mut counted = 0;
    let ended = process::each_line(&mut command, |line| {
        log.line(line);
        match listing::script_line(line) {
            Line::Test(name, outcome, why) => {
                counted += 1;
                results.add(&format!("{ring}::{name}"), outcome, &why);
            }
            Line::Closing(count) => closing = Some(count),
            Line::Note(note) => println!("        {note}"),
            Line::Other => {}
        }
    });
    let complete = match ended {
        Ok(_) if counted == 0 => Err(format!("it ran nothing\n{}", log.tail())),
        Ok(_) if closing == Some(counted) => Ok(()),
        Ok(_) => Err(format!("{counted} results, but the closing line says {closing:?}\n{}", log.tail())),
        Err(error) => Err(error),
    };
    results.check(&format!("{ring}::ran_to_its_end"), complete);
}
