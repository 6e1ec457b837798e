//! The demo: a server on loopback with its own folder, and a profile that is signed in to it.
//!
//! All of it lives in one data folder, so that a second run finds everything as it was, and deleting that folder is all
//! that it takes to begin anew.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{self, Background};
use crate::workspace::Workspace;

/// The first port tried; kept in the data folder once chosen, because the profile remembers the server by it.
const PORT: u16 = 7463;

/// The server of the demo.
pub(crate) struct Server {
    _process: Background,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    folder: PathBuf,
}

/// Starts `mecum-server` on loopback over the folder `server` of the data folder.
pub(crate) fn start_server(workspace: &Workspace, data: &Path) -> Result<Server, String> {
    let folder = data.join("server");
    make_private(&folder)?;
    let port = port(data)?;
    let mut command = process::command(workspace, workspace.debug_binary("mecum-server"));
    command.arg("--data").arg(&folder).arg("--listen").arg(format!("127.0.0.1:{port}"));
    let process = Background::start(&mut command, &data.join("server.log"))?;
    Ok(Server { _process: process, url: format!("http://127.0.0.1:{port}"), folder })
}

/// The port of the last run if it is free, else the first free one from [`PORT`] on.
fn port(data: &Path) -> Result<u16, String> {
    let file = data.join("port");
    let kept = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u16>().ok());
    if let Some(port) = kept {
        return TcpListener::bind(("127.0.0.1", port)).map(|_| port).map_err(|_| {
            format!("port {port} is taken: is the demo running already? (if not, see {})", file.display())
        });
    }
    let port = (PORT..PORT + 100)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or("no free port on loopback")?;
    fs::write(&file, port.to_string()).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(port)
}

/// Makes the demo profile if it is not there, enrolled at `server`; gives its passphrase the one time it is known.
pub(crate) fn make_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
) -> Result<Option<String>, String> {
    let in_use = fs::read_dir(profile).is_ok_and(|mut entries| entries.next().is_some());
    if in_use {
        return Ok(None);
    }
    println!("run: making the demo profile (three charts, ten years of record)");
    let passphrase = made(bridge_command(workspace, profile, server)?.arg("--make-demo"));
    if passphrase.is_err() {
        // Half a demo would pass for a whole one at the next run, and nobody would know its passphrase.
        fs::remove_dir_all(profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    }
    passphrase.map(Some)
}

/// Makes a new profile out of a FHIR bundle; gives its passphrase.
pub(crate) fn import_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
    file: &Path,
) -> Result<String, String> {
    println!("run: bringing {} into a new profile", file.display());
    made(bridge_command(workspace, profile, server)?.arg("--import").arg(file))
}

/// `mecum-bridge --profile DIR --server URL --code CODE`, with a fresh one-time code of the server's.
fn bridge_command(workspace: &Workspace, profile: &Path, server: &Server) -> Result<Command, String> {
    let mut enrol = process::command(workspace, workspace.debug_binary("mecum-server"));
    let code = process::read(enrol.arg("enrol").arg("--data").arg(&server.folder))?;
    let mut command = process::command(workspace, workspace.debug_binary("mecum-bridge"));
    command.arg("--profile").arg(profile).args(["--server", &server.url, "--code", code.trim()]);
    Ok(command)
}

/// Runs the bridge to its end; its one JSON line is `{"passphrase": "six words"}`.
fn made(command: &mut Command) -> Result<String, String> {
    let text = process::read(command)?;
    let line: Value = serde_json::from_str(text.trim()).map_err(|error| format!("mecum-bridge: {error}"))?;
    line.get("passphrase")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| "mecum-bridge told no passphrase".to_owned())
}

/// Makes a folder that only its owner can enter.
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
