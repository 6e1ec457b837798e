//! The results of one test run, ring by ring, each under a name that a claim can point to.
//!
//! A ring is one kind of test (core, browser, window). A ring that ran nothing has failed: silence proves nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use crate::workspace::Workspace;

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran and held.
    Passed,
    /// It did not hold, or did not come to an end.
    Failed,
    /// It did not run, for the reason given.
    Skipped(String),
}

/// One test that ran, or should have.
#[derive(Debug)]
pub(crate) struct TestResult {
    /// `crate::module::name`, `browser::name`, `window::name` or `checks::name`.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// Collects results and says what happened.
pub(crate) struct Results {
    found: Vec<TestResult>,
    logs: PathBuf,
    /// Whether the data that some tests read is there; if so, none may skip.
    data_is_there: bool,
    ring: Option<(&'static str, usize, Instant)>,
}

impl Results {
    /// An empty collection; raw output goes to `test-logs` in the target folder.
    pub(crate) fn new(workspace: &Workspace) -> Result<Self, String> {
        let logs = workspace.target.join("test-logs");
        std::fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
        let data_is_there = workspace.path("../shared/data").is_dir();
        Ok(Self { found: Vec::new(), logs, data_is_there, ring: None })
    }

    /// A log file for the raw output of one step.
    pub(crate) fn log(&self, step: &str) -> Result<Log, String> {
        let path = self.logs.join(format!("{step}.log"));
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Log { file, path, last: Vec::new() })
    }

    /// Begins a ring, which ends at the next one or at [`Results::end_ring`].
    pub(crate) fn begin_ring(&mut self, name: &'static str, what: &str) {
        self.end_ring();
        println!("\n== {name}: {what}");
        self.ring = Some((name, self.found.len(), Instant::now()));
    }

    /// Ends the ring: prints its figures, and fails it if it ran nothing.
    pub(crate) fn end_ring(&mut self) {
        let Some((name, from, since)) = self.ring.take() else { return };
        let ran = |results: &[TestResult]| {
            results.iter().skip(from).filter(|result| !matches!(result.outcome, Outcome::Skipped(_))).count()
        };
        if ran(&self.found) == 0 {
            self.add(&format!("{name}::ran_something"), Outcome::Failed, "the ring ran no test");
        }
        let (passed, failed, skipped) = count(self.found.get(from..).unwrap_or_default());
        println!(
            "== {name}: {passed} passed, {failed} failed, {skipped} skipped in {:.1} s",
            since.elapsed().as_secs_f64()
        );
    }

    /// Adds one result; `why` is printed where it did not pass.
    pub(crate) fn add(&mut self, name: &str, outcome: Outcome, why: &str) {
        let outcome = match outcome {
            Outcome::Skipped(reason) if self.data_is_there => {
                println!("FAILED  {name}: skipped ({reason}), but the data is there");
                Outcome::Failed
            }
            Outcome::Skipped(reason) => {
                println!("skipped {name}: {reason}");
                Outcome::Skipped(reason)
            }
            Outcome::Failed => {
                println!("FAILED  {name}: {why}");
                Outcome::Failed
            }
            Outcome::Passed => Outcome::Passed,
        };
        self.found.push(TestResult { name: name.to_owned(), outcome });
    }

    /// Adds a check of xtask's own as one test.
    pub(crate) fn check(&mut self, name: &str, check: Result<(), String>) {
        match check {
            Ok(()) => {
                println!("ok      {name}");
                self.add(name, Outcome::Passed, "");
            }
            Err(why) => self.add(name, Outcome::Failed, &why),
        }
    }

    /// Every result so far.
    pub(crate) fn all(&self) -> &[TestResult] {
        &self.found
    }

    /// Prints the failures once more and the closing line; whether all is well.
    pub(crate) fn close(mut self) -> bool {
        self.end_ring();
        let failures: BTreeSet<&str> = self
            .found
            .iter()
            .filter(|result| result.outcome == Outcome::Failed)
            .map(|result| result.name.as_str())
            .collect();
        if !failures.is_empty() {
            println!("\nfailed (raw output in {}):", self.logs.display());
            for name in failures {
                println!("  {name}");
            }
        }
        let (passed, failed, skipped) = count(&self.found);
        println!();
        if skipped == 0 {
            println!("{passed} passed, {failed} failed");
        } else {
            println!("{passed} passed, {failed} failed, {skipped} skipped");
        }
        failed == 0 && passed > 0
    }
}

/// How many passed, failed and were skipped.
fn count(results: &[TestResult]) -> (usize, usize, usize) {
    results.iter().fold((0, 0, 0), |(passed, failed, skipped), result| match result.outcome {
        Outcome::Passed => (passed + 1, failed, skipped),
        Outcome::Failed => (passed, failed + 1, skipped),
        Outcome::Skipped(_) => (passed, failed, skipped + 1),
    })
}

/// The raw output of one step: all of it in a file, the end of it in memory for a failure.
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    last: Vec<String>,
}

/// How many lines of a failed step are shown.
const SHOWN_LINES: usize = 120;

impl Log {
    /// Keeps one line.
    pub(crate) fn line(&mut self, line: &str) {
        // A full disk must not stop the tests; the closing line does not depend on the log.
        let _ = writeln!(self.file, "{line}");
        if self.last.len() == SHOWN_LINES {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
    }

    /// The end of the output, for a failure.
    pub(crate) fn tail(&self) -> String {
        format!("the end of {}:\n{}", self.path.display(), self.last.join("\n"))
    }
}
