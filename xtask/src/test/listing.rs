//! Reads test results out of what test runners print: nextest, cargo test, and the project's own browser scripts.

use std::collections::BTreeMap;

use crate::ring::Outcome;

/// A test that passed says in its output, on a line that begins with this, that it could not run, and why.
const SKIP_MARK: &str = "mecum-skip: ";

/// One test as found in the output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// `crate::module::name`.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What it printed, where the runner shows it right after the result.
    pub(crate) output: String,
}

/// Which runner's format is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Nextest,
    Libtest,
    Doctest,
}

/// Takes a runner's output line by line.
pub(crate) struct Reader {
    format: Format,
    found: Vec<Found>,
    /// The crate whose tests are running (cargo test says it once before them).
    target: String,
    /// The test whose output is being shown.
    shown: Option<usize>,
    /// The package of each integration test, which cargo test does not say.
    packages: BTreeMap<String, String>,
}

/// How much of a test's output is kept for the report.
const OUTPUT_BYTES_MAX: usize = 8_000;

impl Reader {
    /// For `cargo nextest run` with immediate output.
    pub(crate) fn nextest() -> Self {
        Self {
            format: Format::Nextest,
            found: Vec::new(),
            target: String::new(),
            shown: None,
            packages: BTreeMap::new(),
        }
    }

    /// For `cargo test -- --show-output`; `packages` tells the package of each integration test by its name.
    pub(crate) fn libtest(packages: BTreeMap<String, String>) -> Self {
        Self { format: Format::Libtest, packages, ..Self::nextest() }
    }

    /// For `cargo test --doc`.
    pub(crate) fn doctest() -> Self {
        Self { format: Format::Doctest, ..Self::nextest() }
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> &[Found] {
        &self.found
    }

    /// What was found.
    pub(crate) fn into_found(self) -> Vec<Found> {
        self.found
    }

    /// Takes the next line.
    pub(crate) fn read(&mut self, line: &str) {
        let result = match self.format {
            Format::Nextest => nextest_line(line),
            Format::Libtest | Format::Doctest => self.libtest_line(line),
        };
        if let Some((name, outcome)) = result {
            // The last word counts: nextest reports a slow test twice.
            self.found.retain(|found| found.name != name);
            self.found.push(Found { name, outcome, output: String::new() });
            self.shown = (self.format == Format::Nextest).then(|| self.found.len() - 1);
            return;
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            let name = self.full_name(name);
            self.shown = self.found.iter().position(|found| found.name == name);
            return;
        }
        let Some(found) = self.shown.and_then(|at| self.found.get_mut(at)) else { return };
        if let Some(reason) = line.trim_start().strip_prefix(SKIP_MARK) {
            found.outcome = Outcome::Skipped(reason.to_owned());
        }
        if found.output.len() + line.len() < OUTPUT_BYTES_MAX {
            found.output.push('\n');
            found.output.push_str(line);
        }
    }

    fn libtest_line(&mut self, line: &str) -> Option<(String, Outcome)> {
        let trimmed = line.trim_start();
        if trimmed.starts_with("Running ") {
            let target = running_target(trimmed);
            self.target = match self.packages.get(&target) {
                Some(package) => format!("{package}::{target}"),
                None => target.replace('_', "-"),
            };
            return None;
        }
        if let Some(target) = trimmed.strip_prefix("Doc-tests ") {
            self.target = target.replace('_', "-");
            return None;
        }
        let rest = line.strip_prefix("test ")?;
        let (name, outcome) = rest.rsplit_once(" ... ")?;
        let outcome = match outcome.split_whitespace().next()? {
            "ok" => Outcome::Passed,
            "FAILED" => Outcome::Failed,
            // `#[ignore]` is how a long test is kept out; it has not run, so it counts nowhere.
            _ => return None,
        };
        let name = if self.format == Format::Doctest {
            format!("doc {name}")
        } else {
            name.trim_end_matches(" - should panic").to_owned()
        };
        Some((self.full_name(&name), outcome))
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}::{name}", self.target)
    }
}

/// `Running unittests src/lib.rs (target/debug/deps/mecum_seal-0f1e)` tells the crate by the file's name.
fn running_target(line: &str) -> String {
    let file = line.rsplit(['/', '(']).next().unwrap_or_default().trim_end_matches(')');
    file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned()
}

/// `        PASS [   0.004s] (1/9) mecum-seal envelope::tests::opens`, and its like.
fn nextest_line(line: &str) -> Option<(String, Outcome)> {
    let line = line.trim_start();
    let (word, rest) = line.split_once(" [")?;
    let outcome = match word.trim_end() {
        "PASS" | "LEAK" => Outcome::Passed,
        "FAIL" | "TIMEOUT" | "ABORT" | "LEAK-FAIL" | "FAIL + LEAK" | "XFAIL" => Outcome::Failed,
        signal
            if signal.starts_with("SIG") && signal.chars().all(|letter| letter.is_ascii_alphanumeric()) =>
        {
            Outcome::Failed
        }
        _ => return None,
    };
    let (_, rest) = rest.split_once(']')?;
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, rest)) => rest.trim_start(),
        None => rest,
    };
    let (binary, name) = rest.split_once(' ')?;
    // The tests of a program go by its package, as those of a library do.
    let binary = binary.split_once("::bin/").map_or(binary, |(package, _)| package);
    Some((format!("{binary}::{}", name.trim()), outcome))
}

/// What a line of a browser or window script means.
pub(crate) enum Line {
    /// A result: the name, how it ended, and why if it did not pass.
    Test(String, Outcome, String),
    /// The closing line: how many results there were.
    Closing(usize),
    /// Something for the person, such as how many nodes were checked.
    Note(String),
    /// Anything else.
    Other,
}

/// Reads one line of a browser or window script.
pub(crate) fn script_line(line: &str) -> Line {
    let split = |rest: &str| match rest.split_once(": ") {
        Some((name, why)) => (name.trim().to_owned(), why.to_owned()),
        None => (rest.trim().to_owned(), String::new()),
    };
    if let Some(name) = line.strip_prefix("ok ") {
        return Line::Test(name.trim().to_owned(), Outcome::Passed, String::new());
    }
    if let Some(rest) = line.strip_prefix("not ok ") {
        let (name, why) = split(rest);
        return Line::Test(name, Outcome::Failed, why);
    }
    if let Some(rest) = line.strip_prefix("skip ") {
        let (name, why) = split(rest);
        return Line::Test(name, Outcome::Skipped(why), String::new());
    }
    if let Some(count) = line.strip_prefix("1..").and_then(|count| count.parse().ok()) {
        return Line::Closing(count);
    }
    line.strip_prefix("# ").map_or(Line::Other, |note| Line::Note(note.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(reader: &Reader) -> Vec<(&str, Outcome)> {
        reader.found().iter().map(|found| (found.name.as_str(), found.outcome.clone())).collect()
    }

    #[test]
    fn nextest_results_are_read_with_and_without_a_counter() {
        let mut reader = Reader::nextest();
        for line in [
            "    Starting 3 tests across 2 binaries",
            "        PASS [   0.004s] mecum-seal envelope::tests::opens",
            "        FAIL [   0.020s] (2/3) mecum-client::journeys two_phones_agree",
            "     SIGABRT [   1.004s] (3/3) mecum-vault kill::tests::survives",
            "     Summary [   1.100s] 3 tests run: 1 passed, 2 failed, 0 skipped",
        ] {
            reader.read(line);
        }
        let expected = [
            ("mecum-seal::envelope::tests::opens", Outcome::Passed),
            ("mecum-client::journeys::two_phones_agree", Outcome::Failed),
            ("mecum-vault::kill::tests::survives", Outcome::Failed),
        ];
        assert_eq!(names(&reader), expected, "each status line is one result");
    }

    #[test]
    fn a_test_that_says_it_could_not_run_is_skipped_not_passed() {
        let mut reader = Reader::nextest();
        reader.read("        PASS [   0.004s] mecum-interop reads_every_bundle");
        reader.read("  stdout ───");
        reader.read("    mecum-skip: no bundles here");
        assert_eq!(
            names(&reader),
            [("mecum-interop::reads_every_bundle", Outcome::Skipped("no bundles here".to_owned()))],
            "a skip is no pass"
        );
    }

    #[test]
    fn cargo_test_results_carry_the_crate_that_was_running() {
        let mut reader = Reader::libtest([("two_phones".to_owned(), "mecum-client".to_owned())].into());
        for line in [
            "     Running unittests src/lib.rs (target/debug/deps/mecum_seal-0f1e2d3c)",
            "test envelope::tests::opens ... ok",
            "test envelope::tests::refuses ... FAILED",
            "test envelope::tests::long ... ignored",
            "     Running tests/two_phones.rs (target/debug/deps/two_phones-0f1e2d3c)",
            "test agree ... ok",
        ] {
            reader.read(line);
        }
        let expected = [
            ("mecum-seal::envelope::tests::opens", Outcome::Passed),
            ("mecum-seal::envelope::tests::refuses", Outcome::Failed),
            ("mecum-client::two_phones::agree", Outcome::Passed),
        ];
        assert_eq!(names(&reader), expected, "an ignored test has not run");
    }

    #[test]
    fn a_slow_test_is_counted_once() {
        let mut reader = Reader::nextest();
        reader.read("        SLOW [> 60.000s] mecum-client converges");
        reader.read("        PASS [  61.000s] mecum-client converges");
        assert_eq!(
            names(&reader),
            [("mecum-client::converges", Outcome::Passed)],
            "the warning is no result"
        );
    }
}
