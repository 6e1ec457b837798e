//! What a check found, in words for whoever keeps the vault. They name tables, documents by their random ids, and numbers; never what
//! is written.

use std::fmt;

use super::Problem;
use crate::state::Table;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Structure => f.write_str("the file's own structure is broken"),
            Problem::Head => f.write_str("the sealed head does not open: nothing can be compared with it"),
            Problem::HeadRolledBack => f.write_str("the sealed head is older than the rows"),
            Problem::CommitsLost { count } => {
                write!(
                    f,
                    "the last {count} saves are gone: the log beside the file is missing, or an older file was put in its place"
                )
            }
            Problem::RowsMissing { table, count } => {
                write!(f, "{count} rows of {} are missing", name(*table))
            }
            Problem::RowsAdded { table, count } => {
                write!(f, "{count} rows of {} are there that nobody wrote", name(*table))
            }
            Problem::RowRepeated { table } => write!(f, "a row of {} is there twice", name(*table)),
            Problem::RowDamaged { table } => write!(f, "a row of {} is damaged", name(*table)),
            Problem::RowRolledBack { table, .. } => {
                write!(f, "a row of {} was put back to an older state", name(*table))
            }
            Problem::Rows => f.write_str("the rows are not those that the head counts"),
            Problem::DocumentHeadMissing { document } => {
                write!(f, "document {document}: its head is missing")
            }
            Problem::EnvelopeMissing { document, n } => {
                write!(f, "document {document}: envelope {n} is missing")
            }
            Problem::EnvelopeAdded { document, n } => {
                write!(f, "document {document}: envelope {n} is there and was never counted")
            }
            Problem::EnvelopeRepeated { document, n } => {
                write!(f, "document {document}: at {n} stands another envelope a second time")
            }
            Problem::EnvelopesSwapped { document, a, b } => {
                write!(f, "document {document}: envelopes {a} and {b} have changed places")
            }
            Problem::EnvelopeDamaged { document, n } => {
                write!(f, "document {document}: envelope {n} is damaged")
            }
            Problem::RunNotMade { document, first, last } => {
                write!(
                    f,
                    "document {document}: envelopes {first} to {last} cannot be made again from what was kept of them"
                )
            }
        }
    }
}

fn name(table: Option<Table>) -> &'static str {
    match table {
        None => "the documents' heads",
        Some(Table::Account) => "the account",
        Some(Table::Keys) => "the keys",
        Some(Table::Space) => "the spaces",
        Some(Table::Document) => "the documents",
        Some(Table::Snapshot) => "the snapshots",
        Some(Table::View) => "the views",
        Some(Table::Outbox) => "the outbox",
        Some(Table::Sync) => "the exchange",
        Some(Table::Setting) => "the settings",
        Some(Table::Import) => "the imports",
        Some(Table::Waiting) => "what waits",
        Some(Table::Quarantine) => "what was put aside",
    }
}
