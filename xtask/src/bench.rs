//! `cargo xtask bench`: measures in release and writes `target/bench/report.json`.
//!
//! The measuring itself is in the `mecum-bench` package; here is only how to start it, and the web part whose size it takes.

use crate::process;
use crate::ui;
use crate::workspace::Workspace;

/// Builds the web part small, then runs every measurement. A target that is missed is no failure of measuring: the report
/// says it.
pub(crate) fn bench(workspace: &Workspace) -> Result<(), String> {
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
