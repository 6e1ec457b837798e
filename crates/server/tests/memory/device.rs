//! One device as a process (`examples/chaos_client.rs`), told what to do.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(crate) const WORDS: &str = "becak melati jembatan payung sirsak gitar";
/// Longer than any question, and than what a program reads at once.
const PAD_BYTES: usize = 64 * 1024;

pub(crate) struct Device {
    pub(crate) child: Child,
    pub(crate) profile: PathBuf,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// The example beside this test's own binary; built when a single test was asked for and it is not there.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("chaos_client");
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "mecum-server", "--example", "chaos_client", "--target-dir"])
            .arg(profile.parent().unwrap())
            .status()
            .unwrap();
        assert!(built.success() && program.exists(), "the client is built");
    }
    program
}

impl Device {
    pub(crate) fn start(profile: &Path) -> Self {
        let mut child = Command::new(program())
            .arg(profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, profile: profile.to_owned(), asks, answers: BufReader::new(answers).lines() }
    }

    pub(crate) fn call(&mut self, name: &str, args: &Value) -> Value {
        self.say(&json!({ "call": name, "args": args }));
        let answer: Value = serde_json::from_str(&self.answers.next().expect("it answers").unwrap()).unwrap();
        assert!(answer.get("ok").is_some(), "{name}: {answer}");
        answer["ok"].clone()
    }

    /// Asks something that fills the buffer of its input, and has an answer that fills that of its output.
    pub(crate) fn pad(&mut self) {
        self.say(&json!({ "pad": "x".repeat(PAD_BYTES), "call": "none" }));
        self.answers.next().expect("it answers").unwrap();
    }

    fn say(&mut self, question: &Value) {
        // At once: in pieces, each would take the place of the last in the buffer of the program's input.
        self.asks.write_all(format!("{question}\n").as_bytes()).unwrap();
    }

    pub(crate) fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
