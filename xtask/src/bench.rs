//! `cargo xtask bench`: measures in release and writes `target/bench/report.json`.
//!
//! The measuring itself is in the `mecum-bench` package; here is only how to start it, and the size of the web part.

use crate::process;
use crate::ui;
use crate::workspace::Workspace;

/// Builds the web part small, then runs every measurement.
pub(crate) fn bench(workspace: &Workspace) -> Result<(), String> {
    ui::build(workspace, ui::Kind::Small)?;
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command =
        process::cargo(workspace, &["run", "--quiet", "--release", "--package", "mecum-bench", "--"]);
    command.arg("--report").arg(folder.join("report.json"));
    command.arg("--wasm").arg(workspace.path("ui/dist/mecum_ui_bg.wasm"));
    process::run(&mut command)
}
