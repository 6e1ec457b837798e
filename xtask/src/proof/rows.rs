//! The rows of the test programme that there are: which test carries each, with what figures, and by what control.
//!
//! A row of the programme may stand here more than once, for its parts. What is not here does not exist yet;
//! `docs/proof.md` says so.

mod hostile;
mod service;
mod storage;
mod together;

/// One harness.
pub(super) struct Row {
    /// The number in the test programme.
    pub(super) test: u8,
    /// What is counted.
    pub(super) what: &'static str,
    pub(super) package: &'static str,
    /// The integration test; empty for the crate's own unit tests.
    pub(super) binary: &'static str,
    /// The tests that carry it, by full name, or by a part of it where `exact` is false.
    pub(super) names: &'static [&'static str],
    pub(super) exact: bool,
    pub(super) cases: Cases,
    pub(super) control: Control,
    /// The programme's figure for each change: what `cargo xtask test` and `cargo xtask proof` run.
    pub(super) per_change: u64,
    /// The programme's figure for a night: `cargo xtask proof --nightly`.
    pub(super) nightly: u64,
    /// Into how many shards a night is best cut, each well under an hour on two cores. A row of one shard is not cut: it
    /// runs whole, with the first.
    pub(super) shards: u64,
    /// The variable by which its number of cases is asked for.
    pub(super) asked_by: &'static str,
}

/// Where the figure comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cases {
    /// The harness prints it on its line.
    Said,
    /// The tests are the cases: a table of them.
    Tests,
    /// As many as it was asked for, from `MECUM_SEED` on: it stops at the first that fails.
    Asked,
}

/// What must fail, or the harness shows nothing.
#[derive(Clone, Copy)]
pub(super) enum Control {
    /// Tests of their own, which pass when the control fails as it must.
    Tests(&'static [&'static str]),
    /// Part of the harness itself, which passes only if it does.
    Inside(&'static str),
}

impl Control {
    /// Its names or words.
    pub(super) fn said(self) -> String {
        match self {
            Control::Tests(names) => names.join(", "),
            Control::Inside(words) => words.to_owned(),
        }
    }
}

const VAULT: &str = "mecum-vault";
const SEAL: &str = "mecum-seal";
const RELAY: &str = "mecum-relay";
const SYNC: &str = "mecum-sync";
const CLIENT: &str = "mecum-client";
const SERVER: &str = "mecum-server";
/// No package: the row's `binary` is a script under `tests/desktop`, which looks at the real window.
pub(super) const WINDOW: &str = "window";

/// A figure of tables and sweeps: all that there are. More than any has.
pub(super) const ALL: u64 = 99_999;

/// A row with the most common shape: one exact test that says its figure.
pub(super) const fn row(test: u8, what: &'static str, package: &'static str, binary: &'static str) -> Row {
    Row {
        test,
        what,
        package,
        binary,
        names: &[],
        exact: true,
        cases: Cases::Said,
        control: Control::Tests(&[]),
        per_change: 0,
        nightly: 0,
        shards: 1,
        asked_by: "MECUM_PROOF_CASES",
    }
}

/// All of them, by number.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    [storage::ROWS, together::ROWS, hostile::ROWS, service::ROWS].into_iter().flatten()
}
