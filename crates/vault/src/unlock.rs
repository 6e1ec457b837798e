//! From a passphrase to an unlocked vault, and back.

use std::collections::BTreeMap;
use std::sync::Mutex;

use mecum_seal::{
    DecodeSlotError, DocumentId, Hash32, MakeSlotError, PassphraseSlot, VaultKey, WrongPassphrase,
};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};

use crate::error::{CreateVaultError, Part, ReadVaultError, UnlockVaultError, WriteVaultError};
use crate::guard::Guard;
use crate::head::{DocumentHead, Head};
use crate::keys::{Keys, RowId};
use crate::location::{Location, VaultOptions};
use crate::lock::{Lock, LockError, give_room, was_saved};
use crate::read::open_at;
use crate::schema::{self, Found};
use crate::state::{DOCUMENT_HEADS, Inner, RowEntry, State, Vault};
use crate::write::Write;

pub(crate) const PASSPHRASE_SLOT: i64 = 1;
/// Of a log that is no longer than this an idle moment moves nothing while somebody goes on writing.
const IDLE_LOG_BYTES: u64 = 132 * 1024;
/// Nor before a large step.
const SHORT_LOG_BYTES: u64 = 88 * 1024;

impl Vault {
    /// Makes a vault where there is none, and leaves it unlocked. The passphrase's quality is the caller's concern.
    pub fn create(
        location: &Location,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
    ) -> Result<Vault, CreateVaultError> {
        Vault::create_with(location, passphrase, now_ms, options, |_| Ok(()))
    }

    /// [`Vault::create`] with what a vault must not be without: tables, key slot and what `first` writes are one
    /// transaction, so that an interruption leaves either nothing or all of it.
    pub fn create_with(
        location: &Location,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
        first: impl FnOnce(&mut Write<'_>) -> Result<(), WriteVaultError>,
    ) -> Result<Vault, CreateVaultError> {
        let _ = now_ms;
        let lock = lock_at(location, true).map_err(|error| match error {
            LockError::InUse => CreateVaultError::InUse,
            LockError::Io(_) => CreateVaultError::NotSaved { full: false },
        })?;
        let connection = empty_at(location)?;
        let vault_key = VaultKey::make(&*options.entropy);
        let slot = PassphraseSlot::make(passphrase, &vault_key, &options.kdf, &*options.entropy).map_err(
            |error| match error {
                MakeSlotError::TooLong => CreateVaultError::PassphraseTooLong,
                _ => CreateVaultError::NotSaved { full: false },
            },
        )?;
        let keys = Keys::derive(&vault_key);
        let state = State { head: Head::EMPTY, rows: BTreeMap::new(), documents: BTreeMap::new() };
        let mut inner = Inner::new(connection, state, false);
        let mut write = Write::begin(&mut inner, &keys, &*options.entropy)?;
        write.fill(&slot)?;
        first(&mut write)?;
        write.commit()?;
        if let Some(lock) = &lock {
            lock.record(&keys, inner.state.head.counter);
            lock.keep_room();
        }
        Ok(Vault { inner: Mutex::new(inner), keys, entropy: options.entropy.clone(), lock, lost_commits: 0 })
    }

    /// Opens a vault with its passphrase. Takes as long as the key slot's Argon2id, and then about a microsecond per
    /// row, to verify that no row is missing, added or older than the head says.
    pub fn unlock(
        location: &Location,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
    ) -> Result<Vault, UnlockVaultError> {
        on_a_full_disk_too(location, || {
            let (connection, lock) = closed_at(location)?;
            unlock_connection(connection, lock, passphrase, now_ms, options)
        })
    }

    /// Locks and unlocks again without letting go of the connection: what a restart is to a vault in memory.
    pub fn reopen(
        self,
        passphrase: &str,
        now_ms: i64,
        options: &VaultOptions,
    ) -> Result<Vault, UnlockVaultError> {
        let Vault { inner, lock, .. } = self;
        let inner = inner.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        unlock_connection(inner.connection, lock, passphrase, now_ms, options)
    }

    /// Whether this is the vault's passphrase: asked again before an export or a share. Not slowed down, since only
    /// an unlocked vault answers.
    pub fn is_passphrase(&self, passphrase: &str, options: &VaultOptions) -> Result<bool, UnlockVaultError> {
        let slot = load_slot(&self.inner().connection, options)?;
        Ok(slot.open(passphrase).is_ok())
    }

    /// Replaces the passphrase. `Ok(false)` if the old one is wrong; then nothing changes. The old slot is gone from
    /// the file and its log when this returns.
    pub fn change_passphrase(
        &self,
        old: &str,
        new: &str,
        options: &VaultOptions,
    ) -> Result<bool, UnlockVaultError> {
        let slot = load_slot(&self.inner().connection, options)?;
        let Ok(vault_key) = slot.open(old) else { return Ok(false) };
        let Ok(slot) = PassphraseSlot::make(new, &vault_key, &options.kdf, &*options.entropy) else {
            return Ok(false);
        };
        let inner = &mut *self.inner();
        let replaced = inner.settle_doubt().and_then(|()| {
            let sql = "UPDATE slot SET body = ?1 WHERE kind = ?2";
            let done = inner.connection.execute(sql, params![slot.encode(), PASSPHRASE_SLOT]);
            done.map(drop).map_err(WriteVaultError::from).inspect_err(|error| inner.doubt_after(*error))
        });
        // Blocked, the log has the earlier slot until it is emptied the next time, at the latest at the next lock.
        let _emptied = replaced.and_then(|()| inner.checkpoint("TRUNCATE"))?;
        Ok(true)
    }

    /// Moves the write-ahead log into the file, as far as that needs no waiting, and gives back some of the pages that nothing uses any
    /// more. To be called when nothing is going on, so that no save has to.
    pub fn idle(&self) -> Result<(), WriteVaultError> {
        let given = {
            let inner = &mut *self.inner();
            // Before room is given back: what cannot be given back must not keep the log long.
            inner.checkpoint("PASSIVE")?;
            inner.give_back()?
        };
        // Written anew, everything lies in the log once more.
        if given { self.empty_log().map(drop) } else { Ok(()) }
    }

    /// The same for a moment between two saves: the log is left to grow a little first. Most pages that are saved are written over by the
    /// next save, and are moved once then.
    pub fn idle_between_saves(&self) -> Result<(), WriteVaultError> {
        let long = self.inner().has_log_of(IDLE_LOG_BYTES)?;
        if long { self.idle() } else { Ok(()) }
    }

    /// Moves the write-ahead log into the file where there is something of it to move. For before a large step that is done while nobody
    /// waits: the log keeps on the disk what it once grew to.
    pub fn shorten_log(&self) -> Result<(), WriteVaultError> {
        let inner = &mut *self.inner();
        if inner.has_log_of(SHORT_LOG_BYTES)? { inner.checkpoint("PASSIVE").map(drop) } else { Ok(()) }
    }

    /// Empties the write-ahead log: what was overwritten or deleted before is then gone from the disk's files. To be
    /// called after a key was destroyed, and again while the answer is false: then something was being read (a check or a backup is
    /// under way), and the log is as it was. It does not wait for that to end.
    pub fn scrub(&self) -> Result<bool, WriteVaultError> {
        if !self.without_waiting(Inner::write_anew)? {
            return Ok(false);
        }
        self.empty_log()
    }

    fn empty_log(&self) -> Result<bool, WriteVaultError> {
        self.without_waiting(|inner| inner.checkpoint("TRUNCATE"))
    }

    /// Does it without waiting for who reads.
    fn without_waiting(
        &self,
        f: impl FnOnce(&mut Inner) -> Result<bool, WriteVaultError>,
    ) -> Result<bool, WriteVaultError> {
        let mut inner = self.inner();
        inner.connection.busy_timeout(std::time::Duration::ZERO)?;
        let done = f(&mut inner);
        inner.connection.busy_timeout(schema::BUSY)?;
        done
    }

    /// Locks: gives back the pages that nothing uses, empties the write-ahead log, wipes the keys, lets go of the file. Locked it is in
    /// any case; an error says that the log could not be emptied.
    pub fn lock(self) -> Result<(), WriteVaultError> {
        // What cannot be given back only leaves the file longer.
        let _ = self.without_waiting(Inner::give_back_free);
        self.inner().checkpoint("TRUNCATE").map(drop)
    }

    fn unlocked(
        connection: Connection,
        keys: Box<Keys>,
        state: State,
        lock: Option<Lock>,
        options: &VaultOptions,
        (lost_commits, in_doubt): (u64, bool),
    ) -> Vault {
        let inner = Mutex::new(Inner::new(connection, state, in_doubt));
        Vault { inner, keys, entropy: options.entropy.clone(), lock, lost_commits }
    }
}

pub(crate) fn lock_at(location: &Location, make_folder: bool) -> Result<Option<Lock>, LockError> {
    let Location::File(path) = location else { return Ok(None) };
    if make_folder && let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| LockError::Io(error.raw_os_error().unwrap_or(0)))?;
    }
    Lock::take(path).map(Some)
}

/// Unlocks, and once more with the room that was kept for it if the disk has none.
fn on_a_full_disk_too(
    location: &Location,
    unlock: impl Fn() -> Result<Vault, UnlockVaultError>,
) -> Result<Vault, UnlockVaultError> {
    match (unlock(), location) {
        (Err(UnlockVaultError::Io { code }), Location::File(path)) if is_full(code) && give_room(path) => {
            unlock()
        }
        (outcome, _) => outcome,
    }
}

/// Whether SQLite's code means that a disk is full. Of its index it says so in other words.
pub(crate) fn is_full(code: i32) -> bool {
    [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_SHMSIZE].contains(&code)
}

/// A connection to a file that may be a vault, and the lock that keeps others away from it.
pub(crate) fn closed_at(location: &Location) -> Result<(Connection, Option<Lock>), UnlockVaultError> {
    let path = match location {
        Location::File(path) if path.exists() => path,
        _ => return Err(UnlockVaultError::Missing),
    };
    let lock = lock_at(location, false).map_err(|error| match error {
        LockError::InUse => UnlockVaultError::InUse,
        LockError::Io(code) => UnlockVaultError::Io { code },
    })?;
    let connection = schema::open(location)?;
    if was_saved(path) && schema::find(&connection)? == Found::Nothing {
        return Err(UnlockVaultError::Damaged { what: Part::Structure });
    }
    Ok((connection, lock))
}

/// A connection to a place where there is no vault, and never was one.
pub(crate) fn empty_at(location: &Location) -> Result<Connection, CreateVaultError> {
    // Something is there that is no database, or cannot be read as one: it may be a damaged vault, and is left alone.
    let there = matches!(location, Location::File(path) if path.exists());
    let connection = schema::open(location).map_err(|error| {
        if there { CreateVaultError::Exists } else { WriteVaultError::from(error).into() }
    })?;
    let was_saved = matches!(location, Location::File(path) if was_saved(path));
    if was_saved || !matches!(schema::find(&connection), Ok(Found::Nothing)) {
        return Err(CreateVaultError::Exists);
    }
    Ok(connection)
}

impl Write<'_> {
    /// Makes the tables of a new vault, with its key slot and the head over nothing.
    fn fill(&mut self, slot: &PassphraseSlot) -> Result<(), WriteVaultError> {
        let head = Head::EMPTY.seal(self.keys, self.entropy);
        schema::create(self.connection)?;
        self.connection.execute(
            "INSERT INTO slot (kind, body) VALUES (?1, ?2)",
            params![PASSPHRASE_SLOT, slot.encode()],
        )?;
        self.connection.execute("INSERT INTO head (one, body) VALUES (1, ?1)", params![head])?;
        Ok(Guard::OPEN.store(self.connection)?)
    }
}

fn unlock_connection(
    connection: Connection,
    lock: Option<Lock>,
    passphrase: &str,
    now_ms: i64,
    options: &VaultOptions,
) -> Result<Vault, UnlockVaultError> {
    // Given up half-way, nothing is moved out of a log that nobody has vouched for.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let vault_key = open_slot(&connection, passphrase, now_ms, options)?;
    with_key(connection, lock, &vault_key, options)
}

/// The unlocked vault, once it is verified that its rows are those of its head.
pub(crate) fn with_key(
    connection: Connection,
    lock: Option<Lock>,
    vault_key: &VaultKey,
    options: &VaultOptions,
) -> Result<Vault, UnlockVaultError> {
    let keys = Keys::derive(vault_key);
    let state = load(&connection, &keys)?;
    let recorded = lock.as_ref().and_then(|lock| lock.counter(&keys)).unwrap_or(0);
    let lost_commits = recorded.saturating_sub(state.head.counter);
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What a run before this one left in its log, a disk that failed it may have forgotten: see `distrust`.
    let in_doubt = lock.as_ref().is_some_and(Lock::is_beside_log);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, in_doubt)?;
    Ok(Vault::unlocked(connection, keys, state, lock, options, (lost_commits, in_doubt)))
}

/// Checks the tables, waits out the guard, and opens the passphrase's slot.
pub(crate) fn open_slot(
    connection: &Connection,
    passphrase: &str,
    now_ms: i64,
    options: &VaultOptions,
) -> Result<VaultKey, UnlockVaultError> {
    let guard = waited_out(connection, now_ms)?;
    let slot = load_slot(connection, options)?;
    // Counted as failed before it is tried: ending the process during the try must not make it free.
    let failed = guard.after_failure(now_ms);
    failed.store(connection)?;
    match slot.open(passphrase) {
        Ok(vault_key) => {
            Guard::OPEN.store(connection)?;
            Ok(vault_key)
        }
        Err(WrongPassphrase) => {
            Err(UnlockVaultError::WrongPassphrase { failed: failed.failed, wait_ms: failed.wait_ms(now_ms) })
        }
    }
}

/// Checks that this is a vault whose wait after failures is over.
pub(crate) fn waited_out(connection: &Connection, now_ms: i64) -> Result<Guard, UnlockVaultError> {
    match schema::find(connection)? {
        Found::Vault => {}
        Found::Nothing => return Err(UnlockVaultError::Missing),
        Found::Newer => return Err(UnlockVaultError::TooNew),
        Found::Other => return Err(UnlockVaultError::Damaged { what: Part::Schema }),
    }
    let guard = Guard::load(connection)?;
    let wait_ms = guard.wait_ms(now_ms);
    if wait_ms > 0 {
        return Err(UnlockVaultError::Waiting { wait_ms });
    }
    Ok(guard)
}

pub(crate) fn load_slot(
    connection: &Connection,
    options: &VaultOptions,
) -> Result<PassphraseSlot, UnlockVaultError> {
    let damaged = UnlockVaultError::Damaged { what: Part::KeySlot };
    let encoded: Vec<u8> = connection
        .query_row("SELECT body FROM slot WHERE kind = ?1", params![PASSPHRASE_SLOT], |row| row.get(0))
        .map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => damaged,
            other => other.into(),
        })?;
    PassphraseSlot::decode(&encoded, options.kdf.floor()).map_err(|error| match error {
        DecodeSlotError::UnknownVersion(_) => UnlockVaultError::TooNew,
        _ => damaged,
    })
}

/// Opens the head, and verifies that it fits the rows.
fn load(connection: &Connection, keys: &Keys) -> Result<State, ReadVaultError> {
    let head = load_head(connection, keys)?;
    let mut rows = BTreeMap::new();
    let mut found = head.without_rows();
    let mut statement = connection.prepare("SELECT at, kind, id, gen FROM row")?;
    let mut cursor = statement.query([])?;
    while let Some(row) = cursor.next()? {
        let (kind, id, generation) = place_of(row)?;
        found.add(keys, kind, &id, generation);
        let entry = RowEntry { at: row.get(0)?, generation, name: None };
        if rows.insert((kind, id), entry).is_some() {
            return Err(ReadVaultError::Damaged { what: Part::Rows });
        }
    }
    if found != head {
        return Err(ReadVaultError::Damaged { what: Part::Rows });
    }
    let documents = load_documents(connection, keys, &rows)?;
    Ok(State { head, rows, documents })
}

pub(crate) fn load_head(connection: &Connection, keys: &Keys) -> Result<Head, ReadVaultError> {
    let damaged = ReadVaultError::Damaged { what: Part::Head };
    let sealed: Vec<u8> = connection
        .query_row("SELECT body FROM head WHERE one = 1", [], |row| row.get(0))
        .map_err(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => damaged,
        other => other.into(),
    })?;
    Head::open(keys, &sealed).ok_or(damaged)
}

/// Kind, id and generation of a row whose columns 1 to 3 they are.
pub(crate) fn place_of(row: &rusqlite::Row<'_>) -> Result<(u8, RowId, u64), ReadVaultError> {
    let damaged = ReadVaultError::Damaged { what: Part::Rows };
    let kind = row.get_ref(1)?.as_i64().ok().and_then(|kind| u8::try_from(kind).ok()).ok_or(damaged)?;
    let id = row.get_ref(2)?.as_blob().ok().and_then(|id| id.try_into().ok()).ok_or(damaged)?;
    let generation =
        row.get_ref(3)?.as_i64().ok().and_then(|gen_| u64::try_from(gen_).ok()).ok_or(damaged)?;
    Ok((kind, id, generation))
}

fn load_documents(
    connection: &Connection,
    keys: &Keys,
    rows: &BTreeMap<(u8, RowId), RowEntry>,
) -> Result<BTreeMap<DocumentId, DocumentHead>, ReadVaultError> {
    let damaged = ReadVaultError::Damaged { what: Part::DocumentHead };
    let mut documents = BTreeMap::new();
    for ((kind, id), entry) in rows.range((DOCUMENT_HEADS, [0; 16])..=(DOCUMENT_HEADS, [0xff; 16])) {
        let (name, body) = open_at(connection, keys, *kind, id, entry)?;
        let document = DocumentId::from_slice(&name).ok_or(damaged)?;
        let head = DocumentHead::decode(&body).filter(|head| head.chain != Hash32::ZERO).ok_or(damaged)?;
        documents.insert(document, head);
    }
    Ok(documents)
}
