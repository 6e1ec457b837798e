//! `cargo xtask api-docs`: writes `docs/api.md` from the contract itself, each command with an example.

use crate::process;
use crate::workspace::Workspace;

/// Writes the file.
pub(crate) fn write(workspace: &Workspace) -> Result<(), String> {
    let text = text(workspace)?;
    let path = workspace.path("docs/api.md");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What the file must hold.
fn text(workspace: &Workspace) -> Result<String, String> {
    process::read(&mut process::cargo(
        workspace,
        &["run", "--quiet", "--package", "mecum-api", "--example", "api-docs"],
    ))
}
