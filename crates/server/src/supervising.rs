//! Processes of this program that are kept running: one that ends is started again after a pause, and all of them end with this one.
//!
//! Each has a pipe as its standard input and ends when it is closed. So a stop is the closing of that pipe, and a kill of this process
//! closes it as well. What they print is passed on.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After the first end; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How often it is asked whether a process has ended.
const LOOK: Duration = Duration::from_millis(50);

/// How long a process may take to stop before it is killed: the relay gives open connections five seconds.
const GRACE: Duration = Duration::from_secs(8);

/// With what a process is started.
pub(crate) struct Start {
    pub(crate) arguments: Vec<String>,
    /// What it reads first: a secret, which is in no command line.
    pub(crate) first_line: Option<String>,
}

/// What is heard of a process.
pub(crate) enum Heard<'a> {
    /// A line that it printed.
    Line(&'a str),
    /// It ended, or was not started.
    Ended,
}

/// The processes.
pub(crate) struct Children {
    program: PathBuf,
    stopping: Arc<Stopping>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Stopping {
    is_asked: Mutex<bool>,
    heard: Condvar,
}

impl Stopping {
    fn ask(&self) {
        *self.is_asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Waits so long, or until a stop is asked for. Answers whether it is.
    fn wait(&self, at_most: Duration) -> bool {
        let is_asked = self.is_asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(is_asked, at_most, |is_asked| !*is_asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Children {
    /// None yet, of this program.
    pub(crate) fn of_this_program() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        Ok(Self { program, stopping: Arc::default(), threads: Vec::new() })
    }

    /// Keeps one running: `start` is asked before each start, and `hear` is told what it does.
    pub(crate) fn keep(
        &mut self,
        name: &'static str,
        mut start: impl FnMut() -> Result<Start, String> + Send + 'static,
        hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) {
        let (program, stopping) = (self.program.clone(), self.stopping.clone());
        let hear = Arc::new(hear);
        let thread = std::thread::spawn(move || {
            let mut pause = FIRST_PAUSE;
            loop {
                let began = Instant::now();
                let ended = start().and_then(|start| {
                    run(&program, start, &stopping, &hear).map_err(|error| error.to_string())
                });
                hear(Heard::Ended);
                if stopping.wait(Duration::ZERO) {
                    return;
                }
                pause = next_pause(pause, began.elapsed());
                let why = ended.map_or_else(|error| error, |status| status.to_string());
                eprintln!("{name} ended ({why}): it is started again in {} s", pause.as_secs());
                if stopping.wait(pause) {
                    return;
                }
                pause = pause.saturating_mul(2);
            }
        });
        self.threads.push(thread);
    }

    /// Ends all of them, and waits for it.
    pub(crate) fn stop(self) {
        self.stopping.ask();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// The pause before the next start of what ran so long: one that ran well begins with the first again.
fn next_pause(pause: Duration, ran: Duration) -> Duration {
    if ran > LONGEST_PAUSE { FIRST_PAUSE } else { pause.min(LONGEST_PAUSE) }
}

/// Runs a process until it ends, or a stop is asked for.
fn run(
    program: &PathBuf,
    start: Start,
    stopping: &Stopping,
    hear: &Arc<impl Fn(Heard<'_>) + Send + Sync + 'static>,
) -> io::Result<ExitStatus> {
    let mut command = Command::new(program);
    command.args(start.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut input = child.stdin.take();
    let printed = child.stdout.take().map(|output| {
        let hear = hear.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                hear(Heard::Line(&line));
                // Nobody may read it any more, and that stops nothing.
                let _ = writeln!(io::stdout(), "{line}");
            }
        })
    });
    if let (Some(input), Some(line)) = (&mut input, start.first_line) {
        // One that has ended already reads nothing: that is found below.
        let _ = writeln!(input, "{line}");
    }
    let ended = wait(&mut child, stopping, || drop(input.take()));
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = printed.map(JoinHandle::join);
    ended
}

fn wait(child: &mut Child, stopping: &Stopping, ask: impl FnOnce()) -> io::Result<ExitStatus> {
    while !stopping.wait(LOOK) {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
    }
    ask();
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(LOOK);
    }
    child.kill()?;
    child.wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_ending_is_started_after_longer_pauses_and_what_ran_well_after_a_short_one() {
        let mut pause = FIRST_PAUSE;
        let mut seconds = Vec::new();
        for _ in 0..9 {
            pause = next_pause(pause, Duration::ZERO);
            seconds.push(pause.as_secs());
            pause *= 2;
        }
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60], "doubled, to a minute");
        assert_eq!(next_pause(pause, Duration::from_secs(61)), FIRST_PAUSE, "it ran for more than a minute");
    }
}
