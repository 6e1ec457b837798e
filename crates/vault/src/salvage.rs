//! What is good in a damaged vault: every row and envelope that is still as it was sealed, read without trusting the rest.
//!
//! Nothing here writes to the damaged file but the count of wrong passphrases. What is taken out of it goes into a new file, under
//! the same key and the same key slots, so that the passphrase and the kit go on opening it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use mecum_seal::{DocumentId, Hash32, VaultKey};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use crate::check::{CheckReport, Problem, inspect};
use crate::error::{CreateVaultError, ReadVaultError, UnlockVaultError, WriteVaultError};
use crate::guard::Guard;
use crate::head::{DocumentHead, Head};
use crate::keys::{Keys, RowId};
use crate::links::{Link, Stored, chain_and_first};
use crate::location::{Location, VaultOptions};
use crate::lock::{Hold, Lock};
use crate::read::open_body;
use crate::schema;
use crate::state::{DOCUMENT_HEADS, Inner, State, Table, Vault};
use crate::unlock::{closed_at, empty_at, load_head, open_slot, place_of};
use crate::write::Write;

/// Places that are asked for one by one after the last that could be read.
const BEYOND: i64 = 4_096;

/// One good row.
pub struct SavedRow {
    /// Its table.
    pub table: Table,
    /// Its name.
    pub name: Vec<u8>,
    /// Its content.
    pub body: Zeroizing<Vec<u8>>,
    /// It is known to be of an older state than the vault was in.
    pub stale: bool,
}

/// What is left of a document's envelopes.
pub struct SavedLog {
    /// In their order. Of an envelope only that it could be read: its own seal says whether it is good. A folded run is as it was sealed.
    pub links: Vec<Link>,
    /// All of them are there, in their order and unchanged, by the document's head or, where that is lost, by the chain that
    /// stands beside them.
    pub whole: bool,
}

/// A damaged vault, read as far as it goes.
pub struct Salvage {
    connection: Connection,
    keys: Box<Keys>,
    vault_key: VaultKey,
    slots: Vec<(i64, Vec<u8>)>,
    report: CheckReport,
    rows: Vec<SavedRow>,
    heads: BTreeMap<DocumentId, DocumentHead>,
    counter: u64,
    lock: Option<Lock>,
}

/// The newest sound version of a row: its generation, name and body.
type Held = (u64, Vec<u8>, Zeroizing<Vec<u8>>);

impl Salvage {
    /// Opens what is at a location as far as it goes. Takes as long as unlocking, and then reads everything.
    ///
    /// # Errors
    /// As [`Vault::unlock`] as far as the key slot; a key slot or tables that are gone are [`UnlockVaultError::Damaged`]: nothing
    /// can be taken out then.
    pub fn open(
        location: &Location,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
    ) -> Result<Salvage, UnlockVaultError> {
        let (connection, lock) = closed_at(location)?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let vault_key = open_slot(&connection, passphrase, now_ms, options)?;
        let keys = Keys::derive(&vault_key);
        let mut report = inspect(&connection, &keys, true);
        let recorded = lock.as_ref().and_then(|lock| lock.counter(&keys)).unwrap_or(0);
        let head = load_head(&connection, &keys).map_or(0, |head| head.counter);
        if recorded > head && head > 0 {
            report.problems.push(Problem::CommitsLost { count: recorded - head });
        }
        let slots = slots(&connection)?;
        let mut salvage = Salvage {
            connection,
            keys,
            vault_key,
            slots,
            report,
            rows: Vec::new(),
            heads: BTreeMap::new(),
            counter: head.max(recorded),
            lock,
        };
        salvage.read_rows();
        Ok(salvage)
    }

    /// What a check says of it.
    pub fn report(&self) -> &CheckReport {
        &self.report
    }

    /// Adds what somebody found who knows what the logs mean.
    pub fn note(&mut self, found: Vec<Problem>) {
        self.report.problems.extend(found);
    }

    /// The good rows.
    pub fn rows(&self) -> &[SavedRow] {
        &self.rows
    }

    /// A good row that is not known to be stale.
    pub fn get(&self, table: Table, name: &[u8]) -> Option<&[u8]> {
        let found = self.rows.iter().find(|row| row.table == table && row.name == name && !row.stale);
        found.map(|row| row.body.as_slice())
    }

    /// The documents of which there are envelopes, or a head that counts some.
    pub fn logs(&self) -> BTreeSet<DocumentId> {
        let mut logs: BTreeSet<DocumentId> = self.heads.keys().copied().collect();
        let Ok(mut statement) = self.connection.prepare("SELECT document FROM envelope") else { return logs };
        let Ok(mut cursor) = statement.query([]) else { return logs };
        while let Ok(Some(row)) = cursor.next() {
            logs.extend(row.get_ref(0).ok().and_then(|id| DocumentId::from_slice(id.as_blob().ok()?)));
        }
        logs
    }

    /// The log of a document, as far as it can be read.
    pub fn log(&self, document: DocumentId) -> SavedLog {
        let head = self.heads.get(&document);
        let mut rows: BTreeMap<u64, Read> = BTreeMap::new();
        if read_rows(&self.connection, document, &mut rows).is_err() {
            // A page of it is broken: what is on the others is asked for one by one.
            let last = rows.keys().next_back().copied().unwrap_or(0).max(head.map_or(0, |head| head.count));
            for n in 1..=last.saturating_add(BEYOND.unsigned_abs()) {
                if !rows.contains_key(&n)
                    && let Some(row) = read_row(&self.connection, document, n)
                {
                    rows.insert(n, row);
                }
            }
        }
        // What the head does not count was never written here.
        rows.retain(|n, _| head.is_none_or(|head| *n <= head.count));
        let (mut links, mut whole) = (Vec::new(), true);
        let (mut reached, mut chain) = (0, Hash32::ZERO);
        // The chain beside the link before: a run is sealed for the true one.
        let mut beside = Some(Hash32::ZERO);
        let mut last_beside = None;
        for (n, Read { column, body }) in rows {
            let stored = column.as_ref().map(|(beside, first)| Stored {
                n,
                chain: *beside,
                first: *first,
                body: &body,
            });
            let link = match &stored {
                Some(stored) if stored.first.is_some() => [Some(chain), beside]
                    .into_iter()
                    .flatten()
                    .find_map(|before| stored.open(&self.keys, document, before).ok()),
                _ => Some(Link::Whole { n, envelope: body.clone() }),
            };
            beside = stored.map(|stored| stored.chain);
            last_beside = beside;
            let Some(link) = link.filter(|link| link.first() > reached) else {
                whole = false;
                continue;
            };
            whole &= link.first() == reached + 1 && !link.is_run_from_elsewhere(&chain);
            chain = link.chain_after(&chain);
            reached = link.last();
            links.push(link);
        }
        whole &= match head {
            Some(head) => reached == head.count && chain == head.chain,
            None => links.is_empty() || last_beside == Some(chain),
        };
        SavedLog { links, whole }
    }

    /// A new vault under the same key and slots, with what `first` writes and nothing else. It goes on counting where this one
    /// stopped, and no earlier version of the program opens it than opened this one.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn begin_vault(
        &self,
        location: &Location,
        options: &VaultOptions,
        first: impl FnOnce(&mut Write<'_>) -> Result<(), WriteVaultError>,
    ) -> Result<Vault, CreateVaultError> {
        let connection = empty_at(location)?;
        let keys = Keys::derive(&self.vault_key);
        let head = Head { counter: self.counter, ..Head::EMPTY };
        let state = State { head: head.clone(), rows: BTreeMap::new(), documents: BTreeMap::new() };
        let mut inner = Inner::new(connection, state, false);
        let mut write = Write::begin(&mut inner, &keys, &*options.entropy)?;
        schema::create(write.connection).map_err(WriteVaultError::from)?;
        schema::note_as_in(write.connection, &self.connection).map_err(WriteVaultError::from)?;
        for (kind, body) in &self.slots {
            let sql = "INSERT INTO slot (kind, body) VALUES (?1, ?2)";
            write.connection.execute(sql, params![kind, body]).map_err(WriteVaultError::from)?;
        }
        let sealed = head.seal(&keys, &*options.entropy);
        let sql = "INSERT INTO head (one, body) VALUES (1, ?1)";
        write.connection.execute(sql, params![sealed]).map_err(WriteVaultError::from)?;
        Guard::OPEN.store(write.connection).map_err(WriteVaultError::from)?;
        first(&mut write)?;
        write.commit()?;
        Ok(Vault {
            inner: Mutex::new(inner),
            keys,
            entropy: options.entropy.clone(),
            lock: None,
            lost_commits: 0,
        })
    }

    /// Lets go of the file and keeps its place, until it has been exchanged.
    pub fn into_hold(self) -> Option<Hold> {
        self.lock.map(Hold::of)
    }

    fn read_rows(&mut self) {
        let mut best: BTreeMap<(u8, RowId), Held> = BTreeMap::new();
        let mut take = |keys: &Keys, row: &rusqlite::Row<'_>| {
            let Ok((kind, id, generation)) = place_of(row) else { return };
            let sealed = row.get_ref(4).ok().and_then(|body| body.as_blob().ok());
            let opened = sealed.and_then(|sealed| open_body(keys, kind, &id, generation, sealed));
            let Some((name, body)) = opened.filter(|(name, _)| keys.id(kind, name) == id) else { return };
            if best.get(&(kind, id)).is_none_or(|(held, ..)| *held < generation) {
                best.insert((kind, id), (generation, name, body));
            }
        };
        let last = scan(&self.connection, &self.keys, &mut take);
        if let Some(last) = last {
            for at in 1..=last.saturating_add(BEYOND) {
                let sql = "SELECT at, kind, id, gen, body FROM row WHERE at = ?1";
                let Ok(mut statement) = self.connection.prepare_cached(sql) else { break };
                let Ok(mut cursor) = statement.query([at]) else { continue };
                if let Ok(Some(row)) = cursor.next() {
                    take(&self.keys, row);
                }
            }
        }
        let stale: BTreeSet<(Table, &[u8])> = self
            .report
            .problems
            .iter()
            .filter_map(|problem| match problem {
                Problem::RowRolledBack { table: Some(table), name } => Some((*table, name.as_slice())),
                _ => None,
            })
            .collect();
        for ((kind, _), (generation, name, body)) in best {
            self.counter = self.counter.max(generation);
            match Table::from_code(kind) {
                Some(table) => {
                    let stale = stale.contains(&(table, name.as_slice()));
                    self.rows.push(SavedRow { table, name, body, stale });
                }
                None if kind == DOCUMENT_HEADS => {
                    let head = DocumentId::from_slice(&name).zip(DocumentHead::decode(&body));
                    self.heads.extend(head);
                }
                None => {}
            }
        }
    }
}

/// Reads every row in order. `Some` with the last place where that broke off before the end.
fn scan(
    connection: &Connection,
    keys: &Keys,
    take: &mut dyn FnMut(&Keys, &rusqlite::Row<'_>),
) -> Option<i64> {
    let mut last = 0;
    let Ok(mut statement) = connection.prepare("SELECT at, kind, id, gen, body FROM row ORDER BY at") else {
        return Some(last);
    };
    let Ok(mut cursor) = statement.query([]) else { return Some(last) };
    loop {
        match cursor.next() {
            Ok(Some(row)) => {
                last = row.get(0).unwrap_or(last);
                take(keys, row);
            }
            Ok(None) => return None,
            Err(_) => return Some(last),
        }
    }
}

fn slots(connection: &Connection) -> Result<Vec<(i64, Vec<u8>)>, ReadVaultError> {
    let mut statement = connection.prepare("SELECT kind, body FROM slot")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A row of a log as it could be read: what its chain column says, if that has a shape, and its body.
struct Read {
    column: Option<(Hash32, Option<u64>)>,
    body: Vec<u8>,
}

fn row_of(row: &rusqlite::Row<'_>) -> Option<(u64, Read)> {
    let n = u64::try_from(row.get_ref(0).ok()?.as_i64().ok()?).ok()?;
    let column = row.get_ref(1).ok().and_then(|column| chain_and_first(column.as_blob().ok()?, n));
    Some((n, Read { column, body: row.get_ref(2).ok()?.as_blob().ok()?.to_vec() }))
}

fn read_rows(
    connection: &Connection,
    document: DocumentId,
    rows: &mut BTreeMap<u64, Read>,
) -> Result<(), ReadVaultError> {
    let sql = "SELECT n, chain, body FROM envelope WHERE document = ?1 ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut cursor = statement.query(params![document.as_bytes()])?;
    while let Some(row) = cursor.next()? {
        rows.extend(row_of(row));
    }
    Ok(())
}

fn read_row(connection: &Connection, document: DocumentId, n: u64) -> Option<Read> {
    let sql = "SELECT n, chain, body FROM envelope WHERE document = ?1 AND n = ?2";
    let mut statement = connection.prepare_cached(sql).ok()?;
    let mut cursor = statement.query(params![document.as_bytes(), i64::try_from(n).ok()?]).ok()?;
    row_of(cursor.next().ok()??).map(|(_, row)| row)
}
