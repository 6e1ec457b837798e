//! `cargo xtask shots`: pictures of every screen in every size, theme and language.

use crate::process;
use crate::setup;
use crate::ui;
use crate::workspace::Workspace;

/// Takes the pictures into `target/shots`; with a name, only the screens whose name holds it.
pub(crate) fn shots(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    setup::everything(workspace)?;
    ui::build(workspace, ui::Kind::Quick)?;
    process::run(&mut process::cargo(
        workspace,
        &["build", "--package", "mecum-server", "--package", "mecum-bridge"],
    ))?;
    let folder = workspace.target.join("shots");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = process::command(workspace, "node");
    command
        .arg("tests/e2e/shots.mjs")
        .arg(&folder)
        .args(arguments)
        .env("MECUM_BIN", workspace.target.join("debug"));
    process::run(&mut command)
}
