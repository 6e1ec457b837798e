//! The demo: a server on loopback with its own folder, and a profile that is signed in to it.
//!
//! All of it lives in one data folder, so that a second run finds everything as it was, and deleting that folder is all
//! that it takes to begin anew.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{self, Background};
use crate::workspace::Workspace;

/// The first port tried; kept in the data folder once chosen, because the profile remembers the server by it.
const PORT: u16 = 7463;

/// How long the server of a run that was just ended may take to give its port back: it answers what is under way first.
const PORT_WAIT: Duration = Duration::from_secs(8);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// In a profile folder while it is being made. With it the folder holds half a profile whose passphrase nobody was told.
const UNFINISHED: &str = "unfinished";

/// The server of the demo.
pub(crate) struct Server {
    /// None if it belongs to another run.
    _process: Option<Background>,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    folder: PathBuf,
}

/// Starts `mecum-server` on loopback over the folder `server` of the data folder, or finds the one of a run that is open.
pub(crate) fn start_server(workspace: &Workspace, data: &Path) -> Result<Server, String> {
    let folder = data.join("server");
    make_private(&folder)?;
    let pid_file = data.join("server.pid");
    let place = place(data, PORT_WAIT, || is_server_of(&pid_file, &folder))?;
    let process = match place {
        Place::Free(port) => {
            let mut command = process::bound(workspace, workspace.debug_binary("mecum-server"));
            command.arg("--data").arg(&folder).arg("--listen").arg(format!("127.0.0.1:{port}"));
            let process = Background::start(&mut command, &data.join("server.log"))?;
            fs::write(&pid_file, process.id().to_string()).map_err(|error| at(&pid_file, &error))?;
            Some(process)
        }
        Place::Ours(_) => {
            println!("run: another run is open; its server is used, and ends with it");
            None
        }
    };
    let (Place::Free(port) | Place::Ours(port)) = place;
    Ok(Server { _process: process, url: format!("http://127.0.0.1:{port}"), folder })
}

/// Where the server is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nobody listens there.
    Free(u16),
    /// The demo's own server does, started by another run.
    Ours(u16),
}

/// The port of the last run, else the first free one from [`PORT`] on. Waits as long as `wait` for one that is taken.
fn place(data: &Path, wait: Duration, is_ours: impl Fn() -> bool) -> Result<Place, String> {
    let file = data.join("port");
    let kept = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u16>().ok());
    let Some(port) = kept else {
        let port = (PORT..PORT + 100).find(|port| is_free(*port)).ok_or("no free port on loopback")?;
        fs::write(&file, port.to_string()).map_err(|error| at(&file, &error))?;
        return Ok(Place::Free(port));
    };
    let begun = Instant::now();
    loop {
        if is_free(port) {
            return Ok(Place::Free(port));
        }
        if is_ours() && is_healthy(port) {
            return Ok(Place::Ours(port));
        }
        if begun.elapsed() > wait {
            return Err(format!(
                "another program listens on port {port}, where this demo's profile expects its server. End that program; or \
                 delete {} to begin anew on another port",
                data.display()
            ));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Whether the process that `pid_file` names is a server over `folder`. False where there is no /proc.
fn is_server_of(pid_file: &Path, folder: &Path) -> bool {
    let line = fs::read_to_string(pid_file).and_then(|pid| fs::read(format!("/proc/{}/cmdline", pid.trim())));
    line.is_ok_and(|line| {
        line.split(|byte| *byte == 0).any(|word| word == folder.as_os_str().as_encoded_bytes())
    })
}

/// Whether a server answers there that it is well. One that is stopping takes no connection any more.
fn is_healthy(port: u16) -> bool {
    let status = || -> std::io::Result<[u8; 13]> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        // In one piece: an answer may come, and the connection end, before a second one is written.
        let request =
            format!("GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut status = [0; 13];
        stream.read_exact(&mut status)?;
        Ok(status)
    };
    status().is_ok_and(|status| status == *b"HTTP/1.1 200 ")
}

/// Makes the demo profile if it is not there, enrolled at `server`; gives its passphrase the one time it is known.
pub(crate) fn make_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
) -> Result<Option<String>, String> {
    if is_whole(profile) {
        return Ok(None);
    }
    println!("run: making the demo profile (three charts, ten years of record)");
    make(workspace, profile, server, &["--make-demo".as_ref()]).map(Some)
}

/// Makes a new profile out of a FHIR bundle; gives its passphrase.
pub(crate) fn import_profile(
    workspace: &Workspace,
    profile: &Path,
    server: &Server,
    file: &Path,
) -> Result<String, String> {
    if is_whole(profile) {
        return Err(format!("{} is in use: an import goes into a new profile", profile.display()));
    }
    println!("run: bringing {} into a new profile", file.display());
    make(workspace, profile, server, &["--import".as_ref(), file.as_os_str()])
}

/// Whether the folder holds a profile, or anything else that is not ours to remove.
pub(crate) fn is_whole(profile: &Path) -> bool {
    let in_use = fs::read_dir(profile).is_ok_and(|mut entries| entries.next().is_some());
    in_use && !profile.join(UNFINISHED).exists()
}

/// Makes a profile from the start, whatever an interrupted attempt left; a failed one leaves nothing.
fn make(workspace: &Workspace, profile: &Path, server: &Server, what: &[&OsStr]) -> Result<String, String> {
    make_private(profile)?;
    empty(profile)?;
    let mark = profile.join(UNFINISHED);
    fs::write(&mark, "").map_err(|error| at(&mark, &error))?;
    let passphrase =
        bridge_command(workspace, profile, server).and_then(|mut bridge| made(bridge.args(what)));
    if passphrase.is_err() {
        empty(profile)?;
    }
    fs::remove_file(&mark).map_err(|error| at(&mark, &error))?;
    passphrase
}

/// Removes everything but the mark, so that a removal that is cut short is still known to be half of something.
fn empty(profile: &Path) -> Result<(), String> {
    for entry in fs::read_dir(profile).map_err(|error| at(profile, &error))? {
        let path = entry.map_err(|error| at(profile, &error))?.path();
        if path.ends_with(UNFINISHED) {
            continue;
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| at(&path, &error))?;
    }
    Ok(())
}

/// `mecum-bridge --profile DIR --server URL --code CODE`, with a fresh one-time code of the server's.
fn bridge_command(workspace: &Workspace, profile: &Path, server: &Server) -> Result<Command, String> {
    let mut enrol = process::command(workspace, workspace.debug_binary("mecum-server"));
    let code = process::read(enrol.arg("enrol").arg("--data").arg(&server.folder))?;
    let mut command = process::bound(workspace, workspace.debug_binary("mecum-bridge"));
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
    builder.create(folder).map_err(|error| at(folder, &error))
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests;
