//! Harnesses that look at the real window: scripts under `tests/desktop`, each on a screen of its own.

use std::process::Command;

use super::rows::{Row, WINDOW};
use crate::process;
use crate::ui;
use crate::workspace::Workspace;

/// What these scripts start, built as `cargo xtask test` builds it.
const PROGRAMS: &[&str] = &[
    "build",
    "--quiet",
    "--package",
    "mecum",
    "--bin",
    "mecum",
    "--package",
    "mecum-server",
    "--example",
    "memory_eye",
    "--features",
    "mecum/custom-protocol",
];

/// Whether a row is a script and no test program.
pub(super) fn is_script(row: &Row) -> bool {
    row.package == WINDOW
}

/// Builds what the scripts start, where there is one among the rows.
pub(super) fn build(workspace: &Workspace, rows: &[&Row]) -> Result<(), String> {
    if !rows.iter().any(|row| is_script(row)) {
        return Ok(());
    }
    ui::build(workspace, ui::Kind::Quick)?;
    process::run(&mut process::cargo(workspace, PROGRAMS))
}

/// A row's script on a screen that nobody sees.
pub(crate) fn on_a_screen(workspace: &Workspace, script: &str) -> Command {
    let mut screen = process::command(workspace, "xvfb-run");
    screen
        .args(["--auto-servernum", "--server-args=-screen 0 1280x900x24", "node"])
        .arg(format!("tests/desktop/{script}.mjs"))
        .env("MECUM_BIN", workspace.target.join("debug"));
    screen
}

/// What one line of a script counts as: passed and failed.
pub(super) fn counted(line: &str) -> (u64, u64) {
    (u64::from(line.starts_with("ok ")), u64::from(line.starts_with("not ok ")))
}
