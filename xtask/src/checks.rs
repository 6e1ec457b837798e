//! What can be checked without running the product: format, lints, and who depends on whom.

use crate::layers;
use crate::named;
use crate::process;
use crate::proof;
use crate::ring::Results;
use crate::schema;
use crate::test::logged;
use crate::workspace::Workspace;

/// Runs every check; each is one test.
pub(crate) fn run(workspace: &Workspace, results: &mut Results) {
    let fmt = logged(workspace, results, "fmt", &["fmt", "--all", "--", "--check", "-l", "--color=never"]);
    results.check("checks::format", fmt);
    let native = [
        "clippy",
        "--workspace",
        "--keep-going",
        "--all-targets",
        "--features",
        "mecum/custom-protocol",
        "--",
        "-D",
        "warnings",
    ];
    let native = logged(workspace, results, "clippy", &native);
    results.check("checks::lints_native", native);
    results.check("checks::lints_web", web_lints(workspace, results));
    layers::check(workspace, results);
    results.check("checks::lock_files_name_no_host", lock_names_no_host(workspace));
    results.check("checks::no_build_takes_checks_out", no_build_takes_checks_out(workspace));
    results.check("checks::schema_is_current", schema::current(workspace));
    results.check("checks::proof_table_is_current", proof::table_is_current(workspace));
    results.check("checks::every_named_test_is_there", named::check(workspace));
}

/// The interface as it is really compiled; in its own target folder, beside its build.
fn web_lints(workspace: &Workspace, results: &Results) -> Result<(), String> {
    let mut log = results.log("clippy-web")?;
    let mut command = process::cargo(
        workspace,
        &["clippy", "--package", "mecum-ui", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"],
    );
    command.env("CARGO_TARGET_DIR", workspace.wasm_target()).env("CARGO_TERM_COLOR", "never");
    let ok = process::each_line(&mut command, |line| log.line(line))?;
    if ok { Ok(()) } else { Err(log.tail()) }
}

/// The feature by which proof harnesses take single checks out is for tests: no program, and no library as others depend on it,
/// is built with it.
fn no_build_takes_checks_out(workspace: &Workspace) -> Result<(), String> {
    let tree = ["tree", "--workspace", "--edges", "normal,build,features", "--prefix", "none", "--offline"];
    let output = process::cargo(workspace, &tree).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !text.contains("mecum-sync") {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    match text.lines().find(|line| line.contains("hostile-controls") || line.contains("\"armed\"")) {
        None => Ok(()),
        Some(line) => Err(format!("a build takes checks out or trips: {line}")),
    }
}

/// A lock file with download addresses would tie every clone to one registry's host.
fn lock_names_no_host(workspace: &Workspace) -> Result<(), String> {
    let path = workspace.path("tests/e2e/package-lock.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if text.contains("\"resolved\"") {
        Err("tests/e2e/package-lock.json holds download addresses".to_owned())
    } else {
        Ok(())
    }
}
