//! A check of an open vault in small steps: the vault's lock is taken for each of them and free in between, so that nobody waits
//! for a large vault to be read. It looks at one moment: what is saved meanwhile is not seen, and not missed.

use std::collections::BTreeMap;

use mecum_seal::DocumentId;
use rusqlite::Connection;

use super::{CheckReport, Looked, Problem, chains, is_sound};
use crate::error::ReadVaultError;
use crate::head::{DocumentHead, Head};
use crate::keys::Keys;
use crate::location::Location;
use crate::schema;
use crate::state::Vault;
use crate::unlock::load_head;

/// Rows looked at in one step: some milliseconds.
const ROWS: i64 = 200;

/// Documents looked at in one step: each has at most a few hundred envelopes.
const DOCUMENTS: usize = 2;

/// Where a check is.
enum At {
    Head,
    Rows(Box<(Head, Looked)>),
    Envelopes(std::collections::btree_map::IntoIter<DocumentId, DocumentHead>),
    Done,
}

/// A check under way. It keeps a moment of the file for itself; dropping it ends it.
pub struct Checking {
    connection: Option<Connection>,
    at: At,
    report: CheckReport,
    /// Rows and envelopes in all.
    total: u64,
    /// Commits that were lost before the vault was opened.
    lost: u64,
}

impl Vault {
    /// Begins a check of everything, as [`Vault::check`] with `read_data`.
    ///
    /// # Errors
    /// [`ReadVaultError::Io`] if the file cannot be opened a second time.
    pub fn begin_check(&self) -> Result<Checking, ReadVaultError> {
        let path = self.inner().connection.path().filter(|path| !path.is_empty()).map(Into::into);
        let Some(path) = path else {
            // In memory there is one connection, and little to read.
            let report = self.check(true);
            return Ok(Checking { connection: None, at: At::Done, report, total: 0, lost: 0 });
        };
        let mut checking = Checking::of(schema::open(&Location::File(path))?)?;
        checking.lost = self.lost_commits();
        Ok(checking)
    }

    /// Looks at the next few things. True when all was looked at.
    pub fn step_check(&self, checking: &mut Checking) -> bool {
        checking.step(&self.keys)
    }
}

impl Checking {
    /// A check of what a connection sees now.
    pub(crate) fn of(connection: Connection) -> Result<Self, ReadVaultError> {
        connection.execute_batch("BEGIN")?;
        // The transaction begins with its first look.
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map_or(0, u64::from);
        let total = count("SELECT count(*) FROM row") + count("SELECT count(*) FROM envelope");
        Ok(Self {
            connection: Some(connection),
            at: At::Head,
            report: CheckReport::default(),
            total,
            lost: 0,
        })
    }

    /// Walks the file's own structure. It needs no key, so the vault need not be held meanwhile; to be called once, before the
    /// first step.
    pub fn walk_structure(&mut self) {
        if self.connection.as_ref().is_some_and(|connection| !is_sound(connection)) {
            self.report.problems.push(Problem::Structure);
        }
    }

    /// Per cent looked at.
    pub fn percent(&self) -> u8 {
        if matches!(self.at, At::Done) {
            return 100;
        }
        let looked = self.report.rows + self.report.envelopes;
        u8::try_from((looked * 99).checked_div(self.total).unwrap_or(0)).unwrap_or(99).min(99)
    }

    /// What was found so far; everything once a step has said that all was looked at.
    pub fn report(&self) -> &CheckReport {
        &self.report
    }

    pub(crate) fn step(&mut self, keys: &Keys) -> bool {
        let Some(connection) = &self.connection else { return true };
        let at = std::mem::replace(&mut self.at, At::Done);
        self.at = if let Ok(next) = look(connection, keys, at, &mut self.report) {
            next
        } else {
            self.report.problems.push(Problem::Structure);
            At::Done
        };
        if !matches!(self.at, At::Done) {
            return false;
        }
        if self.lost > 0 {
            self.report.problems.push(Problem::CommitsLost { count: self.lost });
        }
        self.connection = None;
        true
    }
}

/// One step; answers the next.
fn look(
    connection: &Connection,
    keys: &Keys,
    at: At,
    report: &mut CheckReport,
) -> Result<At, ReadVaultError> {
    match at {
        At::Head => Ok(if let Ok(head) = load_head(connection, keys) {
            let looked = Looked::new(&head);
            At::Rows(Box::new((head, looked)))
        } else {
            report.problems.push(Problem::Head);
            At::Done
        }),
        At::Rows(mut rows) => {
            if rows.1.look(connection, keys, true, ROWS, report)? == ROWS {
                return Ok(At::Rows(rows));
            }
            let (head, looked) = *rows;
            let documents: BTreeMap<DocumentId, DocumentHead> = looked.judge(keys, &head, report);
            chains::inspect_headless(connection, &documents, report)?;
            Ok(At::Envelopes(documents.into_iter()))
        }
        At::Envelopes(mut documents) => {
            for _ in 0..DOCUMENTS {
                let Some((document, head)) = documents.next() else { return Ok(At::Done) };
                chains::inspect_document(connection, keys, document, &head, report)?;
            }
            Ok(At::Envelopes(documents))
        }
        At::Done => Ok(At::Done),
    }
}
