//! The program as a process with children, as the system shows them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SERVER: &str = env!("CARGO_BIN_EXE_mecum-server");

/// How long something may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(2);

const LOOK: Duration = Duration::from_millis(100);

/// Asks again until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if is_so() {
            return;
        }
        std::thread::sleep(LOOK);
    }
    panic!("never: {what}");
}

/// A process of the program. It ends with this.
pub(crate) struct Running {
    process: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[String]) -> Self {
        let mut process = Command::new(SERVER)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let (tell, lines) = channel();
        // Read to its end, so that nobody waits for a full pipe.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self { process, lines }
    }

    /// What follows after this in the next line that begins so.
    pub(crate) fn until(&mut self, prefix: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no line that begins with {prefix:?}: {error}"));
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.to_owned();
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The process that it runs as this, once it is there.
    pub(crate) fn child(&self, what: &str) -> u32 {
        until(what, || child_of(self.id(), what).is_some());
        child_of(self.id(), what).expect("it was there")
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().expect("it ends")
    }

    pub(crate) fn end_by(&mut self, signal: &str) -> ExitStatus {
        kill(self.id(), signal);
        self.wait()
    }

    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.end_by("TERM")
    }
}

impl Drop for Running {
    // A test that fails leaves none behind: its children end with it.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn kill(pid: u32, signal: &str) {
    let sent = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
    assert!(sent.expect("kill is there").success(), "{pid} is told {signal}");
}

/// Whether a process runs: one that ended and was not waited for does not.
pub(crate) fn is_there(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// The state and the parent of a process.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn child_of(parent: u32, what: &str) -> Option<u32> {
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let (state, of) = stat(pid)?;
        (of == parent && state != "Z" && arguments_of(pid).get(1)? == what).then_some(pid)
    })
}

/// The command line of a process, as anybody on the machine reads it.
pub(crate) fn arguments_of(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = line.split(|byte| *byte == 0).map(|one| String::from_utf8_lossy(one).into_owned());
    arguments.collect()
}

/// Every file that a process has open.
pub(crate) fn files_of(pid: u32) -> Vec<PathBuf> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}
