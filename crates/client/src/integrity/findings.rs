//! What a check found, in the person's terms: which kind of thing, how many, and who can put it right. It names nothing.

use std::collections::BTreeMap;

use mecum_api::{Finding, FindingKind, MendBy};
use mecum_vault::{CheckReport, Problem, Table};

/// How far damage reaches, and with it what has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Only what is made from the record.
    Derived,
    /// Single documents: what is known of one, how it was folded, its envelopes.
    Documents,
    /// What holds the vault together: its head, its keys, its sections, the state of the exchange.
    Whole,
}

/// How far the damage of a report reaches.
pub(super) fn reach_of(report: &CheckReport) -> Reach {
    report.problems.iter().map(reach_of_problem).max().unwrap_or(Reach::Derived)
}

fn reach_of_problem(problem: &Problem) -> Reach {
    match problem {
        Problem::RowsMissing { table, .. }
        | Problem::RowsAdded { table, .. }
        | Problem::RowRepeated { table }
        | Problem::RowDamaged { table }
        | Problem::RowRolledBack { table, .. } => match table {
            Some(Table::View | Table::Outbox | Table::Setting | Table::Import | Table::Quarantine) => {
                Reach::Derived
            }
            // `None`: heads of documents, which the chains beside the envelopes can stand in for.
            None | Some(Table::Document | Table::Snapshot) => Reach::Documents,
            Some(Table::Account | Table::Keys | Table::Space | Table::Sync | Table::Waiting) => Reach::Whole,
        },
        Problem::DocumentHeadMissing { .. }
        | Problem::EnvelopeMissing { .. }
        | Problem::EnvelopeAdded { .. }
        | Problem::EnvelopeRepeated { .. }
        | Problem::EnvelopesSwapped { .. }
        | Problem::EnvelopeDamaged { .. }
        | Problem::RunNotMade { .. } => Reach::Documents,
        _ => Reach::Whole,
    }
}

/// Whether nothing is wrong but runs of envelopes that cannot be made again: then every word of the record is here.
pub(super) fn are_runs_alone(report: &CheckReport) -> bool {
    report.problems.iter().all(|problem| matches!(problem, Problem::RunNotMade { .. }))
}

/// The findings of a report. `server`: the account has one.
pub(super) fn findings_of(report: &CheckReport, server: bool) -> Vec<Finding> {
    let reach = reach_of(report);
    let mut all: BTreeMap<FindingKind, (u32, MendBy)> = BTreeMap::new();
    for problem in &report.problems {
        let (kind, count) = kind_of(problem);
        let found = all.entry(kind).or_insert((0, mend_of(kind, server, reach)));
        found.0 = found.0.saturating_add(count);
    }
    all.into_iter().map(|(kind, (count, mend))| Finding { kind, count, mend }).collect()
}

/// Who can put a kind of damage right.
fn mend_of(kind: FindingKind, server: bool, reach: Reach) -> MendBy {
    match kind {
        // Where more is hit, everything is fetched anew.
        FindingKind::Record if server && reach == Reach::Documents => MendBy::Part,
        FindingKind::Lists | FindingKind::Unsent => MendBy::Here,
        FindingKind::Settings | FindingKind::PutAside => MendBy::Nothing,
        FindingKind::Identity => MendBy::Backup,
        FindingKind::File | FindingKind::OlderFile | FindingKind::Bookkeeping | FindingKind::Record => {
            if server {
                MendBy::Server
            } else {
                MendBy::Backup
            }
        }
    }
}

fn kind_of(problem: &Problem) -> (FindingKind, u32) {
    match problem {
        Problem::CommitsLost { count } => (FindingKind::OlderFile, u32::try_from(*count).unwrap_or(u32::MAX)),
        Problem::RowsMissing { table, count } | Problem::RowsAdded { table, count } => {
            (kind_of_table(*table), *count)
        }
        Problem::RowRepeated { table }
        | Problem::RowDamaged { table }
        | Problem::RowRolledBack { table, .. } => (kind_of_table(*table), 1),
        Problem::DocumentHeadMissing { .. }
        | Problem::EnvelopeMissing { .. }
        | Problem::EnvelopeAdded { .. }
        | Problem::EnvelopeRepeated { .. }
        | Problem::EnvelopesSwapped { .. }
        | Problem::EnvelopeDamaged { .. }
        | Problem::RunNotMade { .. } => (FindingKind::Record, 1),
        _ => (FindingKind::File, 1),
    }
}

fn kind_of_table(table: Option<Table>) -> FindingKind {
    match table {
        None | Some(Table::Document | Table::Snapshot | Table::Waiting) => FindingKind::Record,
        Some(Table::Account) => FindingKind::Identity,
        Some(Table::Keys | Table::Space | Table::Sync) => FindingKind::Bookkeeping,
        Some(Table::View) => FindingKind::Lists,
        Some(Table::Outbox) => FindingKind::Unsent,
        Some(Table::Setting | Table::Import) => FindingKind::Settings,
        Some(Table::Quarantine) => FindingKind::PutAside,
    }
}
