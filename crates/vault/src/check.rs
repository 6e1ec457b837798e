//! `vault check`: reads everything and names what is not as it was written.
//!
//! It judges the file alone, by the sealed head, so that it says the same of a vault that is open and of one that no
//! longer unlocks. Names are given as far as they can be read; the text of a problem holds none.

mod chains;
mod digests;
mod steps;
mod words;

pub use steps::Checking;

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::DocumentId;
use rusqlite::Connection;

use crate::error::{ReadVaultError, UnlockVaultError};
use crate::head::{DocumentHead, Head};
use crate::keys::{Keys, RowId};
use crate::location::{Location, VaultOptions};
use crate::read::open_body;
use crate::schema;
use crate::state::{DOCUMENT_HEADS, Table, Vault};
use crate::unlock::{load_head, lock_at, open_slot, place_of};

/// Steps spent on finding out which rows were put back to an older state, and which envelopes changed places.
const MAX_GUESSES: u64 = 2_000_000;

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// SQLite finds its own structure broken.
    Structure,
    /// The sealed head does not open.
    Head,
    /// The sealed head is older than the rows.
    HeadRolledBack,
    /// Commits are gone: the write-ahead log is missing, or an older file was put in place.
    CommitsLost {
        /// How many durable ones, by the count kept beside the vault.
        count: u64,
    },
    /// Rows of a table are missing. `None`: heads of documents.
    RowsMissing {
        /// Which table.
        table: Option<Table>,
        /// How many.
        count: u32,
    },
    /// Rows of a table are there that nobody wrote.
    RowsAdded {
        /// Which table.
        table: Option<Table>,
        /// How many.
        count: u32,
    },
    /// One row is there twice.
    RowRepeated {
        /// Which table.
        table: Option<Table>,
    },
    /// A row's content was changed, or belongs to another row.
    RowDamaged {
        /// Which table.
        table: Option<Table>,
    },
    /// A row was put back to an older state.
    RowRolledBack {
        /// Which table.
        table: Option<Table>,
        /// The row's name.
        name: Vec<u8>,
    },
    /// The rows do not fit the head in a way that could not be narrowed down.
    Rows,
    /// A document has envelopes and its head is missing.
    DocumentHeadMissing {
        /// Which document.
        document: DocumentId,
    },
    /// An envelope is missing.
    EnvelopeMissing {
        /// Of which document.
        document: DocumentId,
        /// Its number.
        n: u64,
    },
    /// An envelope is there that the document's head does not count.
    EnvelopeAdded {
        /// Of which document.
        document: DocumentId,
        /// Its number.
        n: u64,
    },
    /// An envelope stands in place of another one as well.
    EnvelopeRepeated {
        /// Of which document.
        document: DocumentId,
        /// The number where it does not belong, or the second of the two.
        n: u64,
    },
    /// Two envelopes have changed places.
    EnvelopesSwapped {
        /// Of which document.
        document: DocumentId,
        /// The lower number.
        a: u64,
        /// The higher number.
        b: u64,
    },
    /// An envelope's bytes, or the chain value beside it, were changed.
    EnvelopeDamaged {
        /// Of which document.
        document: DocumentId,
        /// Its number.
        n: u64,
    },
    /// A run of envelopes lies there as it was sealed and cannot be made again from what was kept of it. Nothing here can tell: whoever
    /// makes envelopes says so.
    RunNotMade {
        /// Of which document.
        document: DocumentId,
        /// The number of its first envelope.
        first: u64,
        /// The number of its last.
        last: u64,
    },
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Empty when all is as it was written.
    pub problems: Vec<Problem>,
    /// Rows looked at.
    pub rows: u64,
    /// Envelopes looked at.
    pub envelopes: u64,
}

impl CheckReport {
    /// Whether all is as it was written.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Vault {
    /// Checks the whole file against its head. With `read_data` every row is opened and SQLite's own structure walked
    /// too; without, rows are checked for being there and current, and envelopes in full.
    pub fn check(&self, read_data: bool) -> CheckReport {
        let inner = self.inner();
        let mut report = inspect(&inner.connection, &self.keys, read_data);
        if let Ok(head) = load_head(&inner.connection, &self.keys)
            && head.counter < inner.state.head.counter
        {
            report.problems.push(Problem::HeadRolledBack);
        }
        if self.lost_commits > 0 {
            report.problems.push(Problem::CommitsLost { count: self.lost_commits });
        }
        report
    }

    /// Checks a vault that need not unlock any more; only its key slot must still open. `read_data` as in [`Vault::check`].
    ///
    /// # Errors
    /// As [`Vault::unlock`] as far as the passphrase; whatever is found later is in the report.
    pub fn examine(
        location: &Location,
        passphrase: &str,
        now_ms: i64,
        read_data: bool,
        options: &VaultOptions,
    ) -> Result<CheckReport, UnlockVaultError> {
        match location {
            Location::File(path) if path.exists() => {}
            _ => return Err(UnlockVaultError::Missing),
        }
        let lock = lock_at(location, false).map_err(|_| UnlockVaultError::InUse)?;
        let connection = schema::open(location)?;
        let keys = Keys::derive(&open_slot(&connection, passphrase, now_ms, options)?);
        let mut report = inspect(&connection, &keys, read_data);
        let recorded = lock.and_then(|lock| lock.counter(&keys)).unwrap_or(0);
        let count = load_head(&connection, &keys).map_or(0, |head| recorded.saturating_sub(head.counter));
        if count > 0 {
            report.problems.push(Problem::CommitsLost { count });
        }
        Ok(report)
    }
}

struct FoundRow {
    kind: u8,
    id: RowId,
    generation: u64,
    name: Vec<u8>,
}

pub(crate) fn inspect(connection: &Connection, keys: &Keys, read_data: bool) -> CheckReport {
    let mut report = CheckReport::default();
    if read_data && !is_sound(connection) {
        report.problems.push(Problem::Structure);
    }
    let Ok(head) = load_head(connection, keys) else {
        report.problems.push(Problem::Head);
        return report;
    };
    let Ok(documents) = inspect_rows(connection, keys, &head, read_data, &mut report) else {
        report.problems.push(Problem::Structure);
        return report;
    };
    if chains::inspect_envelopes(connection, keys, &documents, &mut report).is_err() {
        report.problems.push(Problem::Structure);
    }
    report
}

fn is_sound(connection: &Connection) -> bool {
    connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
        .is_ok_and(|answer| answer == "ok")
}

/// What was seen of the rows so far.
pub(crate) struct Looked {
    sums: Head,
    rows: Vec<FoundRow>,
    seen: BTreeSet<(u8, RowId)>,
    /// Rows that are missing, too many, or not where they say: each explains that one bucket's sum is wrong.
    named: u32,
    documents: BTreeMap<DocumentId, DocumentHead>,
    last_at: i64,
}

impl Looked {
    fn new(head: &Head) -> Self {
        Self {
            sums: head.without_rows(),
            rows: Vec::new(),
            seen: BTreeSet::new(),
            named: 0,
            documents: BTreeMap::new(),
            last_at: i64::MIN,
        }
    }

    /// Looks at the next rows, at most so many. How many there were.
    fn look(
        &mut self,
        connection: &Connection,
        keys: &Keys,
        read_data: bool,
        most: i64,
        report: &mut CheckReport,
    ) -> Result<i64, ReadVaultError> {
        let sql = "SELECT at, kind, id, gen, body FROM row WHERE at > ?1 ORDER BY at LIMIT ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let mut cursor = statement.query([self.last_at, most])?;
        let mut looked = 0;
        while let Some(row) = cursor.next()? {
            looked += 1;
            self.last_at = row.get(0)?;
            self.look_at(row, keys, read_data, report)?;
        }
        Ok(looked)
    }

    fn look_at(
        &mut self,
        row: &rusqlite::Row<'_>,
        keys: &Keys,
        read_data: bool,
        report: &mut CheckReport,
    ) -> Result<(), ReadVaultError> {
        report.rows += 1;
        let Ok((kind, id, generation)) = place_of(row) else {
            report.problems.push(Problem::RowDamaged { table: None });
            self.named += 1;
            return Ok(());
        };
        self.sums.add(keys, kind, &id, generation);
        let mut name = Vec::new();
        if read_data || kind == DOCUMENT_HEADS {
            let opened =
                row.get_ref(4)?.as_blob().ok().and_then(|body| open_body(keys, kind, &id, generation, body));
            match opened {
                Some((found, _)) if keys.id(kind, &found) != id => {
                    report.problems.push(Problem::RowDamaged { table: Table::from_code(kind) });
                }
                Some((found, body)) => {
                    if let (DOCUMENT_HEADS, Some(document), Some(head)) =
                        (kind, DocumentId::from_slice(&found), DocumentHead::decode(&body))
                    {
                        self.documents.insert(document, head);
                    }
                    name = found;
                }
                None => report.problems.push(Problem::RowDamaged { table: Table::from_code(kind) }),
            }
        }
        if !self.seen.insert((kind, id)) {
            report.problems.push(Problem::RowRepeated { table: Table::from_code(kind) });
            self.named += 1;
        }
        self.rows.push(FoundRow { kind, id, generation, name });
        Ok(())
    }

    /// Compares everything with the head; answers the documents' heads.
    fn judge(
        mut self,
        keys: &Keys,
        head: &Head,
        report: &mut CheckReport,
    ) -> BTreeMap<DocumentId, DocumentHead> {
        self.named = self.named.saturating_add(compare_counts(head, &self.sums, report));
        if self.sums.digests != head.digests {
            digests::explain_digests(keys, head, &self.sums, &self.rows, self.named, report);
        }
        self.documents
    }
}

/// Checks the rows and returns the heads of documents among them.
fn inspect_rows(
    connection: &Connection,
    keys: &Keys,
    head: &Head,
    read_data: bool,
    report: &mut CheckReport,
) -> Result<BTreeMap<DocumentId, DocumentHead>, ReadVaultError> {
    let mut looked = Looked::new(head);
    looked.look(connection, keys, read_data, i64::MAX, report)?;
    Ok(looked.judge(keys, head, report))
}

/// Names the tables with too few or too many rows. Says how many rows that are.
fn compare_counts(head: &Head, sums: &Head, report: &mut CheckReport) -> u32 {
    let mut rows = 0u32;
    for (kind, (expected, found)) in (0u8..).zip(head.counts.iter().zip(&sums.counts)) {
        let table = Table::from_code(kind);
        if let Some(count) = expected.checked_sub(*found).filter(|count| *count > 0) {
            rows = rows.saturating_add(count);
            report.problems.push(Problem::RowsMissing { table, count });
        }
        if let Some(count) = found.checked_sub(*expected).filter(|count| *count > 0) {
            rows = rows.saturating_add(count);
            report.problems.push(Problem::RowsAdded { table, count });
        }
    }
    rows
}
