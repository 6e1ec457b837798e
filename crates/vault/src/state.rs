//! An unlocked vault: its connection, its keys, and what it knows of its rows without reading them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mecum_seal::{DocumentId, Entropy};
use rusqlite::Connection;

use crate::head::{DocumentHead, Head};
use crate::keys::{Keys, RowId};
use crate::lock::Lock;
use crate::write::Durability;

/// The vault's tables of named rows. The codes are stored: never change or reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// The account, this device, its incarnation.
    Account = 1,
    /// Secret keys.
    Keys = 2,
    /// Spaces: their logs and heads.
    Space = 3,
    /// What is known of documents besides their envelopes.
    Document = 4,
    /// Snapshots of documents.
    Snapshot = 5,
    /// Pages of views.
    View = 6,
    /// What waits to be sent.
    Outbox = 7,
    /// Cursors and verified state of syncing.
    Sync = 8,
    /// Preferences.
    Setting = 9,
    /// Imports and their counts.
    Import = 10,
    /// Envelopes that came before what they build on.
    Waiting = 11,
    /// What was put aside because it could not be checked or read.
    Quarantine = 12,
}

/// Rows of this kind are the heads of documents, kept by the vault itself.
pub(crate) const DOCUMENT_HEADS: u8 = 0;

impl Table {
    /// All of them.
    pub const ALL: [Table; 12] = [
        Table::Account,
        Table::Keys,
        Table::Space,
        Table::Document,
        Table::Snapshot,
        Table::View,
        Table::Outbox,
        Table::Sync,
        Table::Setting,
        Table::Import,
        Table::Waiting,
        Table::Quarantine,
    ];

    /// The stored code.
    pub fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.code() == code)
    }
}

/// Where a row is and which commit wrote it, as verified when the vault was unlocked and kept up since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowEntry {
    pub(crate) at: i64,
    pub(crate) generation: u64,
    /// Known once the row was written or opened.
    pub(crate) name: Option<Arc<[u8]>>,
}

/// What the vault knows of its own content. Ordered maps, so that every run of a seed does the same.
pub(crate) struct State {
    pub(crate) head: Head,
    pub(crate) rows: BTreeMap<(u8, RowId), RowEntry>,
    pub(crate) documents: BTreeMap<DocumentId, DocumentHead>,
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) state: State,
    /// What `PRAGMA synchronous` stands at.
    pub(crate) durability: Durability,
    /// Roughly how much the write-ahead log has grown since the last checkpoint.
    pub(crate) wal_bytes: usize,
    /// The disk failed since the log was last known to be on it; see `distrust.rs`.
    pub(crate) in_doubt: bool,
    /// An older file was to be written anew, to give back room, and could not be.
    pub(crate) gave_up: bool,
}

impl Inner {
    /// Of a connection as [`crate::schema::open`] sets it up.
    pub(crate) fn new(connection: Connection, state: State, in_doubt: bool) -> Inner {
        let durability = Durability::Full;
        Inner { connection, state, durability, wal_bytes: 0, in_doubt, gave_up: false }
    }
}

/// An unlocked vault. Dropping it locks it too (SQLite empties its log when the last connection closes);
/// [`Vault::lock`] also says whether that went well.
pub struct Vault {
    pub(crate) inner: Mutex<Inner>,
    /// In a box: no place that the vault was moved from keeps them.
    pub(crate) keys: Box<Keys>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) lock: Option<Lock>,
    pub(crate) lost_commits: u64,
}

impl Vault {
    /// A writer that panicked has rolled back while unwinding, so the state behind a poisoned lock is whole.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits so far. Grows by one with every write that changed something.
    pub fn commits(&self) -> u64 {
        self.inner().state.head.counter
    }

    /// How many durable commits this file has lost, by what is recorded beside it: more than zero when its
    /// write-ahead log went missing or an older copy was put in its place. The device must take a new incarnation
    /// before it writes.
    pub fn lost_commits(&self) -> u64 {
        self.lost_commits
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}
