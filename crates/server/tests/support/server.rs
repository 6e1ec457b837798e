//! The server as a process, on a port of its own.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_mecum-server");

/// A server that runs, and what it said of itself. It ends with this.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Host and port.
    pub(crate) address: String,
    /// Its key, in hexadecimal.
    pub(crate) pin: String,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_by(Command::new(SERVER), data)
    }

    /// The same by a command for the program, with what else it is told.
    pub(crate) fn start_by(mut program: Command, data: &Path) -> Self {
        let mut child = program
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().expect("the server says where it listens, and its pin").unwrap();
            line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line:?} begins with {prefix:?}")).to_owned()
        };
        let address = line("listening on http://");
        // Who closes the pipe before the server has said all of it ends the server.
        let pin = line("pin ");
        Self { child, address, pin }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    // A test that fails leaves none behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A code to enrol with, made beside a server that runs.
pub(crate) fn enrolment_code(data: &Path) -> String {
    enrolment_code_by(Command::new(SERVER), data)
}

/// The same by a command for the program.
pub(crate) fn enrolment_code_by(mut program: Command, data: &Path) -> String {
    let made = program.args(["enrol", "--data"]).arg(data).output().unwrap();
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}
