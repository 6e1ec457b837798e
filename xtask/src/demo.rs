//! The demo: a server on loopback with its own folder, and a profile that is signed in to it.
//!
//! All of it lives in one data folder, so that a second run finds everything as it was, and deleting that folder is all
//! that it takes to begin anew.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

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

/// Makes the demo profile if it is not there, signed in to `server`; gives its passphrase the one time it is known.
pub(crate) fn make_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
) -> Result<Option<String>, String> {
    if profile.join("vault.mecum").exists() {
        return Ok(None);
    }
    println!("run: making the demo profile (three charts, ten years of record)");
    let made = bridge_command(workspace, profile, server).arg("--make-demo").output();
    profile_passphrase(made.map_err(|error| format!("mecum-bridge: {error}"))?).map(Some)
}

/// Makes a new profile out of a FHIR bundle; gives its passphrase.
pub(crate) fn import_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
    file: &Path,
) -> Result<String, String> {
    let made = bridge_command(workspace, profile, server).arg("--make-from").arg(file).output();
    profile_passphrase(made.map_err(|error| format!("mecum-bridge: {error}"))?)
}

/// `mecum-bridge --profile DIR --server URL --server-data DIR`; the last is where it takes an enrolment code from.
fn bridge_command(workspace: &Workspace, profile: &Path, server: &Server) -> std::process::Command {
    let mut command = process::command(workspace, workspace.debug_binary("mecum-bridge"));
    command
        .arg("--profile")
        .arg(profile)
        .arg("--server")
        .arg(&server.url)
        .arg("--server-data")
        .arg(&server.folder);
    command
}

/// The bridge's one JSON line, `{"passphrase": "six words"}`.
fn profile_passphrase(output: std::process::Output) -> Result<String, String> {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let line: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("mecum-bridge: {error}"))?;
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
