//! `cargo xtask bench`: measures in release and writes `target/bench/report.json`.
//!
//! The measuring itself is in the `mecum-bench` package; here is only how to start it, and the web part whose size it takes.

use crate::process;
use crate::ui;
use crate::workspace::Workspace;

/// The npm package of wasm-opt: only this chore needs it, and it is large, so setup leaves it out.
const BINARYEN: &str = "binaryen@132.0.0";

/// Builds the web part small, then runs every measurement. A target that is missed is no failure of measuring: the report
/// says it.
pub(crate) fn bench(workspace: &Workspace) -> Result<(), String> {
    wasm_opt(workspace);
    ui::build(workspace, ui::Kind::Small)?;
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command =
        process::cargo(workspace, &["run", "--quiet", "--release", "--package", "mecum-bench", "--"]);
    command.arg("--report").arg(folder.join("report.json"));
    command.arg("--ui").arg(workspace.path("ui/dist"));
    command.arg("--data").arg(workspace.path("../shared/data"));
    process::run(&mut command)
}

/// Fetches wasm-opt beside the browser tests where it is missing, leaving their lock as it is. Without it the module is
/// measured as the compiler made it.
fn wasm_opt(workspace: &Workspace) {
    let folder = workspace.path("tests/e2e");
    if folder.join("node_modules/.bin/wasm-opt").exists() {
        return;
    }
    println!("bench: fetching wasm-opt (npm package {BINARYEN}, about 100 MB)");
    let mut npm = process::command(workspace, "npm");
    npm.current_dir(&folder).args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        BINARYEN,
    ]);
    if let Err(reason) = process::run(&mut npm) {
        println!("bench: no wasm-opt: {reason}");
    }
}
