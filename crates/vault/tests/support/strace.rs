//! Runs one vault operation in a process of its own under strace, which meddles with a given call of it.

use std::path::Path;
use std::process::{Command, Stdio};

/// By what the program says that it is done.
const SAID: &[u8] = b"done\n";

/// How the process ended.
pub(crate) enum Ended {
    /// Killed.
    Killed,
    /// By itself, all well.
    Done,
    /// By itself, with an error that it said.
    Refused(String),
    /// Before it began: what loads the program was refused.
    Unborn,
    /// In no way that it should: a panic, say.
    Failed(String),
}

/// What became of the operation.
pub(crate) struct Ran {
    pub(crate) ended: Ended,
    /// It had said that it was done.
    pub(crate) acknowledged: bool,
    /// strace did meddle: there was such a call.
    pub(crate) struck: bool,
}

/// Why strace cannot be used here, if so.
pub(crate) fn is_missing() -> Option<&'static str> {
    let traced = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", "trace=none", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match traced {
        Ok(status) if status.success() => None,
        Ok(_) => Some("strace may not trace here"),
        Err(_) => Some("strace is not installed"),
    }
}

/// Runs `operation`, whose commit would have the number `n`, with `call` meddled with as strace's `inject=` says it.
#[allow(dead_code, reason = "not every harness kills a vault's operations")]
pub(crate) fn inject(
    program: &Path,
    (operation, n, early): (&str, u64, bool),
    vault: &Path,
    (call, how): (&str, &str),
) -> Ran {
    let mut command = Command::new(program);
    command.args([operation.as_ref(), vault.as_os_str()]).arg(n.to_string());
    if early {
        command.arg("--acknowledge-early");
    }
    meddle(&command, &vault.with_extension("strace"), (call, how))
}

/// Runs a program, with its arguments and variables, in the same way. What strace saw is written to `log`.
pub(crate) fn meddle(program: &Command, log: &Path, (call, how): (&str, &str)) -> Ran {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}"), "-o"])
        .arg(log)
        .arg(program.get_program())
        .args(program.get_args())
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.stdin(Stdio::null()).output().expect("strace runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let ended = match output.status.code() {
        Some(0) => Ended::Done,
        Some(1) => Ended::Refused(said),
        Some(127) => Ended::Unborn,
        // strace ends by the signal that ended what it traced.
        None | Some(137) => Ended::Killed,
        Some(code) => Ended::Failed(format!("exit code {code}: {said}")),
    };
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let struck = log.contains("(INJECTED)") || log.contains("killed by SIGKILL");
    // A test that is its own program says other things too.
    let acknowledged = output.stdout.windows(SAID.len()).any(|window| window == SAID);
    Ran { ended, acknowledged, struck }
}
