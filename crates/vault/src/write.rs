//! Writing: one transaction that saves rows, envelopes and the head over them together, or nothing.

mod folding;

use std::collections::BTreeSet;

use mecum_seal::{DocumentId, Entropy, seal_row, sha256};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use crate::error::{Part, WriteVaultError};
use crate::head::{DocumentHead, Head, chain_step};
use crate::keys::{Keys, RowId};
use crate::links;
use crate::read::{self, NamedBody, frame, row_aad};
use crate::schema;
use crate::state::{DOCUMENT_HEADS, Inner, RowEntry, State, Table, Vault};

/// Longest name of a row.
const MAX_NAME_BYTES: usize = 1_024;
/// Largest content of a row or envelope: views are 16 KiB, snapshots at most a few MiB.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Growth of the write-ahead log after which a write moves it into the file itself, if no idle moment did: what it has grown it keeps
/// of the disk until the vault locks. More than two bursts of a hundred edits take, so that hardly one of those waits for it.
const WAL_LIMIT_BYTES: usize = 12 * 1024 * 1024;
/// What a changed row costs in the log besides its body: the page it lies on, and pages above it. In an older file it is one page.
const PAGE_BYTES: usize = 4_096;
/// What a new one costs besides its body after the first few of a write: they lie side by side.
const BESIDE_BYTES: usize = 128;
/// So many new ones count as changed ones do.
const APART: usize = 4;

const DAMAGED_LOG: WriteVaultError = WriteVaultError::Damaged { what: Part::Envelopes };

/// What a commit promises once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives losing power: for what a person saved.
    Full,
    /// Survives a crash of the program; losing power may lose the last commits. For what can be pulled again.
    Normal,
}

/// An open transaction.
pub struct Write<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) keys: &'a Keys,
    pub(crate) entropy: &'a dyn Entropy,
    state: &'a mut State,
    generation: u64,
    before: Box<Head>,
    undo: Vec<Undo>,
    changed_documents: BTreeSet<DocumentId>,
    /// About how much the write-ahead log grows by it.
    bytes: usize,
    /// New rows and envelopes so far.
    added: usize,
    /// A log was folded or unfolded: no head changes by it, and yet there is something to commit.
    refolded: bool,
    /// A statement failed: SQLite may have rolled back by itself, so nothing more may be written.
    broken: bool,
    committed: bool,
}

/// What takes one change of the state back.
enum Undo {
    Row((u8, RowId), Option<RowEntry>),
    Document(DocumentId, Option<DocumentHead>),
}

impl Vault {
    /// Runs `work` in one transaction and commits it. If `work` or the commit fails, nothing of it remains, in the
    /// file or in memory. `work` must not call the vault itself: what it needs is on [`Write`].
    pub fn write<T, E>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<WriteVaultError>,
    {
        let inner = &mut *self.inner();
        inner.settle_doubt()?;
        inner.set_durability(durability)?;
        let mut write = Write::begin(inner, &self.keys, &*self.entropy)?;
        let done = work(&mut write)?;
        let (bytes, changed) = match write.commit() {
            Ok(committed) => committed,
            Err(error) => {
                inner.doubt_after(error);
                return Err(error.into());
            }
        };
        if changed
            && durability == Durability::Full
            && let Some(lock) = &self.lock
        {
            lock.record(&self.keys, inner.state.head.counter);
        }
        inner.wal_bytes = inner.wal_bytes.saturating_add(bytes);
        if inner.wal_bytes > WAL_LIMIT_BYTES {
            // Failing only leaves the log longer.
            let _ = inner.checkpoint("PASSIVE");
        }
        Ok(done)
    }
}

impl Inner {
    pub(crate) fn set_durability(&mut self, durability: Durability) -> Result<(), WriteVaultError> {
        if self.durability != durability {
            let level = match durability {
                Durability::Full => "FULL",
                Durability::Normal => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durability = durability;
        }
        Ok(())
    }

    /// Bytes of the write-ahead log that are not in the file yet.
    fn log_bytes(&self) -> Result<u64, WriteVaultError> {
        // Moves nothing: how many frames there are, and how many of them were moved.
        let frames = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (all, moved) = self.connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], frames)?;
        let page: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok(u64::try_from((all - moved).max(0).saturating_mul(page)).unwrap_or(0))
    }

    /// Whether so much of the log, or more, waits to be moved into the file.
    pub(crate) fn has_log_of(&self, bytes: u64) -> Result<bool, WriteVaultError> {
        Ok(self.log_bytes()? >= bytes)
    }

    /// True if nothing was in its way: SQLite says so in the first column, and in no error.
    pub(crate) fn checkpoint(&mut self, mode: &str) -> Result<bool, WriteVaultError> {
        let sql = match mode {
            "TRUNCATE" => "PRAGMA wal_checkpoint(TRUNCATE)",
            _ => "PRAGMA wal_checkpoint(PASSIVE)",
        };
        self.settle_doubt()?;
        match self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)) {
            Ok(0) => {
                self.wal_bytes = 0;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => {
                let error = error.into();
                self.doubt_after(error);
                Err(error)
            }
        }
    }
}

impl<'a> Write<'a> {
    pub(crate) fn begin(
        inner: &'a mut Inner,
        keys: &'a Keys,
        entropy: &'a dyn Entropy,
    ) -> Result<Write<'a>, WriteVaultError> {
        let Inner { connection, state, .. } = inner;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Write {
            connection,
            keys,
            entropy,
            generation: state.head.counter + 1,
            before: Box::new(state.head.clone()),
            state,
            undo: Vec::new(),
            changed_documents: BTreeSet::new(),
            bytes: 0,
            added: 0,
            refolded: false,
            broken: false,
            committed: false,
        })
    }

    /// Saves `body` under `name`, replacing what was there.
    pub fn put(&mut self, table: Table, name: &[u8], body: &[u8]) -> Result<(), WriteVaultError> {
        self.attempt(|write| write.put_row(table.code(), name, body))
    }

    /// Deletes a row. Says whether there was one.
    pub fn delete(&mut self, table: Table, name: &[u8]) -> Result<bool, WriteVaultError> {
        self.attempt(|write| write.delete_row(table.code(), name))
    }

    /// Appends an envelope to a document and returns its number: 1 for the first, without gaps.
    pub fn append(&mut self, document: DocumentId, envelope: &[u8]) -> Result<u64, WriteVaultError> {
        self.attempt(|write| write.append_envelope(document, envelope))
    }

    /// Drops every envelope of a document, and that there were any: for what is erased. Says how many there were. The pages
    /// are overwritten (`secure_delete`); the write-ahead log has them until the next checkpoint.
    pub fn drop_log(&mut self, document: DocumentId) -> Result<u64, WriteVaultError> {
        self.attempt(|write| write.drop_envelopes(document))
    }

    /// Notes in the file that it holds a conversation with a hospital, so that a program of before says that it is too new for it and not
    /// that it is damaged. What the rows mean, the caller knows.
    pub fn note_care(&mut self) -> Result<(), WriteVaultError> {
        self.attempt(|write| Ok(schema::note_care(write.connection)?))
    }

    /// The content of a row as this transaction sees it.
    pub fn get(&self, table: Table, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, WriteVaultError> {
        Ok(read::get(self.connection, self.keys, self.state, table, name)?)
    }

    /// The rows whose names begin with `prefix` as this transaction sees them; see [`Vault::list_prefix`].
    pub fn list_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<Vec<NamedBody>, WriteVaultError> {
        Ok(read::list_prefix(self.connection, self.keys, self.state, table, prefix)?)
    }

    /// How many envelopes a document has as this transaction sees it.
    pub fn envelope_count(&self, document: DocumentId) -> u64 {
        self.state.documents.get(&document).map_or(0, |head| head.count)
    }

    /// Runs one step. A caller may swallow a step's error; the transaction must still never commit half of it.
    pub(crate) fn attempt<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, WriteVaultError>,
    ) -> Result<T, WriteVaultError> {
        if self.broken {
            return Err(WriteVaultError::NotSaved { full: false });
        }
        let done = step(self);
        self.broken = done.is_err();
        done
    }

    /// Counts what a new row of this size adds to the write-ahead log.
    fn grows(&mut self, bytes: usize) {
        self.added += 1;
        self.bytes += bytes + if self.added <= APART { PAGE_BYTES } else { BESIDE_BYTES };
    }

    fn append_envelope(&mut self, document: DocumentId, envelope: &[u8]) -> Result<u64, WriteVaultError> {
        if envelope.len() > MAX_BODY_BYTES {
            return Err(WriteVaultError::TooLarge);
        }
        let before = self.state.documents.get(&document).copied();
        let DocumentHead { count, chain } = before.unwrap_or(DocumentHead::EMPTY);
        let head = DocumentHead { count: count + 1, chain: chain_step(&chain, &sha256(envelope)) };
        let n = i64::try_from(head.count).map_err(|_| WriteVaultError::TooLarge)?;
        self.connection
            .prepare_cached("INSERT INTO envelope (document, n, chain, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![document.as_bytes(), n, head.chain.as_bytes(), envelope])?;
        self.grows(envelope.len());
        self.undo.push(Undo::Document(document, before));
        self.state.documents.insert(document, head);
        self.changed_documents.insert(document);
        Ok(head.count)
    }

    fn drop_envelopes(&mut self, document: DocumentId) -> Result<u64, WriteVaultError> {
        let Some(before) = self.state.documents.get(&document).copied() else { return Ok(0) };
        if links::covered(self.connection, document)? != before.count {
            return Err(DAMAGED_LOG);
        }
        self.connection
            .prepare_cached("DELETE FROM envelope WHERE document = ?1")?
            .execute(params![document.as_bytes()])?;
        self.bytes += PAGE_BYTES;
        self.undo.push(Undo::Document(document, Some(before)));
        self.state.documents.remove(&document);
        self.changed_documents.remove(&document);
        self.delete_row(DOCUMENT_HEADS, document.as_bytes())?;
        Ok(before.count)
    }

    fn delete_row(&mut self, kind: u8, name: &[u8]) -> Result<bool, WriteVaultError> {
        let key = (kind, self.keys.id(kind, name));
        let Some(entry) = self.state.rows.get(&key).cloned() else { return Ok(false) };
        let deleted =
            self.connection.prepare_cached("DELETE FROM row WHERE at = ?1")?.execute(params![entry.at])?;
        exactly_one(deleted)?;
        self.bytes += PAGE_BYTES;
        self.state.rows.remove(&key);
        self.state.head.subtract(self.keys, kind, &key.1, entry.generation);
        self.undo.push(Undo::Row(key, Some(entry)));
        Ok(true)
    }

    fn put_row(&mut self, kind: u8, name: &[u8], body: &[u8]) -> Result<(), WriteVaultError> {
        if name.len() > MAX_NAME_BYTES || body.len() > MAX_BODY_BYTES {
            return Err(WriteVaultError::TooLarge);
        }
        let plain = frame(name, body).ok_or(WriteVaultError::TooLarge)?;
        let id = self.keys.id(kind, name);
        let sealed = seal_row(&self.keys.row, &row_aad(kind, &id, self.generation), &plain, self.entropy);
        let generation = i64::try_from(self.generation).map_err(|_| WriteVaultError::TooLarge)?;
        let before = self.state.rows.get(&(kind, id)).cloned();
        let at = if let Some(entry) = &before {
            let changed = self
                .connection
                .prepare_cached("UPDATE row SET gen = ?2, body = ?3 WHERE at = ?1")?
                .execute(params![entry.at, generation, sealed])?;
            exactly_one(changed)?;
            self.state.head.subtract(self.keys, kind, &id, entry.generation);
            entry.at
        } else {
            self.connection
                .prepare_cached("INSERT INTO row (kind, id, gen, body) VALUES (?1, ?2, ?3, ?4)")?
                .insert(params![kind, id, generation, sealed])?
        };
        self.state.head.add(self.keys, kind, &id, self.generation);
        let entry = RowEntry { at, generation: self.generation, name: Some(name.into()) };
        self.state.rows.insert((kind, id), entry);
        match &before {
            Some(_) => self.bytes += sealed.len() + PAGE_BYTES,
            None => self.grows(sealed.len()),
        }
        self.undo.push(Undo::Row((kind, id), before));
        Ok(())
    }

    /// Writes the heads and commits. Returns about how much was written, and whether anything changed.
    pub(crate) fn commit(mut self) -> Result<(usize, bool), WriteVaultError> {
        if self.broken {
            return Err(WriteVaultError::NotSaved { full: false });
        }
        let changed = self.refolded || !self.undo.is_empty();
        if changed {
            for document in std::mem::take(&mut self.changed_documents) {
                let head = self.state.documents.get(&document).copied().unwrap_or(DocumentHead::EMPTY);
                self.put_row(DOCUMENT_HEADS, document.as_bytes(), &head.encode())?;
            }
            self.state.head.counter = self.generation;
            let sealed = self.state.head.seal(self.keys, self.entropy);
            let replaced = self
                .connection
                .prepare_cached("UPDATE head SET body = ?1 WHERE one = 1")?
                .execute(params![sealed])?;
            exactly_one(replaced)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.committed = true;
        Ok((self.bytes, changed))
    }
}

impl Drop for Write<'_> {
    /// Takes everything back that was not committed: also when the caller's work failed or panicked.
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        // A step that panicked may have left it off.
        let _ = self.connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()));
        // After some errors SQLite has rolled back by itself; then there is nothing to do.
        let _ = self.connection.execute_batch("ROLLBACK");
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Row(key, Some(entry)) => drop(self.state.rows.insert(key, entry)),
                Undo::Row(key, None) => drop(self.state.rows.remove(&key)),
                Undo::Document(document, Some(head)) => drop(self.state.documents.insert(document, head)),
                Undo::Document(document, None) => drop(self.state.documents.remove(&document)),
            }
        }
        self.state.head = (*self.before).clone();
    }
}

fn exactly_one(changed: usize) -> Result<(), WriteVaultError> {
    if changed == 1 { Ok(()) } else { Err(WriteVaultError::Damaged { what: Part::Rows }) }
}
