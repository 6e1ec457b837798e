//! Running other programs: with inherited output for a person, or with every line handed to a reader.
//!
//! Cargo sets variables about *this* crate for the programs it runs. Build scripts that watch them (ring's does) would
//! then rebuild at each change between `cargo build` and `cargo xtask`, so they are taken away here.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::workspace::Workspace;

/// A command in the workspace root, without the variables that cargo set for xtask itself.
pub(crate) fn command(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&workspace.root).env("CARGO_TARGET_DIR", &workspace.target);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let about_this_crate = text.starts_with("CARGO_PKG_")
            || matches!(
                text,
                "CARGO"
                    | "CARGO_MANIFEST_DIR"
                    | "CARGO_MANIFEST_PATH"
                    | "CARGO_BIN_NAME"
                    | "CARGO_CRATE_NAME"
                    | "CARGO_PRIMARY_PACKAGE"
            );
        if about_this_crate {
            command.env_remove(&name);
        }
    }
    command
}

/// What stands before rustc for the crates of this project. A shell script: where there is none, everything is built as cargo would.
const RUSTC: &str = "xtask/rustc";

/// `cargo` with the given arguments.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = command(workspace, "cargo");
    cargo.args(arguments);
    if cfg!(unix) {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", workspace.path(RUSTC));
    }
    cargo
}

/// What goes before a program that is to end with xtask.
const BIND: [&str; 4] = ["setpriv", "--pdeathsig", "TERM", "--"];

/// A command that does not outlive xtask, however that ends: the kernel sends it SIGTERM then. Start it from the main thread,
/// because the kernel watches the thread that started it.
///
/// By util-linux's `setpriv`, because asking the kernel oneself takes unsafe code. Where that is missing (not on Linux), only
/// an orderly end takes the program along.
pub(crate) fn bound(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    if !answers("setpriv", "--version") {
        return command(workspace, program);
    }
    let [launcher, options @ ..] = BIND;
    let mut bound = command(workspace, launcher);
    bound.args(options).arg(program);
    bound
}

/// Runs to the end with output for the person; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{}: {error}", name_of(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", line_of(command))) }
}

/// Runs to the end and gives what was written to standard output; an exit code other than 0 is an error.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", name_of(command)))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", line_of(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end, handing each line of both outputs to `each`; gives whether it ended well.
pub(crate) fn each_line(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", name_of(command)))?;
    let (sender, lines) = mpsc::channel();
    forward(child.stdout.take(), sender.clone());
    forward(child.stderr.take(), sender);
    for line in lines {
        each(&line);
    }
    let status = child.wait().map_err(|error| format!("{}: {error}", name_of(command)))?;
    Ok(status.success())
}

fn forward(pipe: Option<impl std::io::Read + Send + 'static>, sender: mpsc::Sender<String>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(read) if read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(line).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

/// Whether the program starts at all (`PROGRAM --version` or the like ends well).
pub(crate) fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A program that is ended when this value goes away.
pub(crate) struct Background {
    child: Child,
    /// The first line that it wrote to standard output.
    pub(crate) first_line: String,
}

impl Background {
    /// Starts a program and waits for its first line; the rest of its output goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let file = std::fs::File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{}: {error}", name_of(command)))?;
        let mut reader = BufReader::new(child.stdout.take().ok_or("the program has no output")?);
        let mut first_line = String::new();
        let read = reader.read_line(&mut first_line);
        if !matches!(read, Ok(count) if count > 0) {
            let status = child.wait().map_err(|error| error.to_string())?;
            let said = std::fs::read_to_string(log).unwrap_or_default();
            return Err(format!("{} ended with {status} before it was ready\n{said}", line_of(command)));
        }
        // Keeps the pipe empty, so that the program never waits for a reader.
        thread::spawn(move || for _ in reader.lines() {});
        Ok(Self { child, first_line: first_line.trim_end().to_owned() })
    }

    /// The process, as the system numbers it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program ends by itself.
    pub(crate) fn wait(&mut self) -> Result<(), String> {
        self.child.wait().map(|_| ()).map_err(|error| error.to_string())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Asked politely first: the server closes its database on SIGTERM.
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .is_ok_and(|status| status.success());
        if asked {
            for _ in 0..50 {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(std::time::Duration::from_millis(100));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn name_of(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command as a person would write it, without what binds it to xtask and without a one-time code.
fn line_of(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let mut words: Vec<String> = std::iter::once(name_of(command)).chain(arguments).collect();
    if words.starts_with(&BIND.map(str::to_owned)) {
        words.drain(..BIND.len());
    }
    if let Some(code) = words.iter().position(|word| word == "--code").and_then(|at| words.get_mut(at + 1)) {
        "CODE".clone_into(code);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;
