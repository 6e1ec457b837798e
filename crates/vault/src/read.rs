//! Reading rows and envelopes, each verified against what was sealed before it is handed out.

use mecum_seal::{DocumentId, open_row};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use crate::error::{Part, ReadVaultError};
use crate::keys::{Keys, RowId};
use crate::links::{self, Link};
use crate::state::{RowEntry, State, Table, Vault};

/// A row's name and its content.
pub(crate) type NamedBody = (Vec<u8>, Zeroizing<Vec<u8>>);

/// Bytes of the name's length at the end of a row's plaintext.
const NAME_LENGTH_BYTES: usize = 2;

impl Vault {
    /// The content of a row, or `None` if there is no row of that name.
    pub fn get(&self, table: Table, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ReadVaultError> {
        let inner = self.inner();
        get(&inner.connection, &self.keys, &inner.state, table, name)
    }

    /// All rows of a table, by name in byte order.
    pub fn list(&self, table: Table) -> Result<Vec<NamedBody>, ReadVaultError> {
        self.list_prefix(table, &[])
    }

    /// The rows of a table whose names begin with `prefix`, by name in byte order. The first call per table opens
    /// every row of it, later ones only those that match.
    pub fn list_prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<NamedBody>, ReadVaultError> {
        let inner = &mut *self.inner();
        list_prefix(&inner.connection, &self.keys, &mut inner.state, table, prefix)
    }

    /// The names of all rows of a table, in byte order.
    pub fn names(&self, table: Table) -> Result<Vec<Vec<u8>>, ReadVaultError> {
        let inner = &mut *self.inner();
        learn_names(&inner.connection, &self.keys, &mut inner.state, table)?;
        let mut names: Vec<_> = inner
            .state
            .table(table)
            .filter_map(|(_, entry)| entry.name.as_deref().map(<[u8]>::to_vec))
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The log of a document from the link that holds envelope `after_n + 1`, in its local order. The chain over it is verified up to
    /// the document's head: a missing, changed or moved link is an error.
    pub fn links(&self, document: DocumentId, after_n: u64) -> Result<Vec<Link>, ReadVaultError> {
        let inner = self.inner();
        match inner.state.documents.get(&document) {
            Some(head) => links::links(&inner.connection, &self.keys, document, head, after_n),
            None => Ok(Vec::new()),
        }
    }

    /// The link that holds one envelope of a document. An envelope's bytes are checked against the chain when the document is read as
    /// a whole; alone they are what an envelope is anywhere: bytes under their own seal.
    pub fn link(&self, document: DocumentId, n: u64) -> Result<Option<Link>, ReadVaultError> {
        links::link(&self.inner().connection, &self.keys, document, n)
    }

    /// Whether a run of a document's log is folded.
    pub fn has_folded(&self, document: DocumentId) -> Result<bool, ReadVaultError> {
        links::has_folded(&self.inner().connection, document)
    }

    /// Bytes of the whole envelopes of a document up to number `last`.
    pub fn whole_bytes(&self, document: DocumentId, last: u64) -> Result<u64, ReadVaultError> {
        links::whole_bytes(&self.inner().connection, document, last)
    }

    /// All documents that have envelopes, by id.
    pub fn documents(&self) -> Vec<DocumentId> {
        self.inner().state.documents.keys().copied().collect()
    }

    /// How many envelopes a document has: also the number of the last one.
    pub fn envelope_count(&self, document: DocumentId) -> u64 {
        self.inner().state.documents.get(&document).map_or(0, |head| head.count)
    }
}

/// Several reads that see the vault at one moment, and pay SQLite's locks once.
pub struct Reading<'v> {
    connection: &'v Connection,
    keys: &'v Keys,
    state: &'v State,
}

impl Vault {
    /// Reads several things together. Nothing is written meanwhile; `f` must not call the vault itself.
    pub fn read<T, E: From<ReadVaultError>>(
        &self,
        f: impl FnOnce(&Reading<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let inner = self.inner();
        // Ends when it is dropped: there is nothing to roll back.
        let _open = inner.connection.unchecked_transaction().map_err(ReadVaultError::from)?;
        f(&Reading { connection: &inner.connection, keys: &self.keys, state: &inner.state })
    }
}

impl Reading<'_> {
    /// As [`Vault::get`].
    pub fn get(&self, table: Table, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ReadVaultError> {
        get(self.connection, self.keys, self.state, table, name)
    }

    /// As [`Vault::links`].
    pub fn links(&self, document: DocumentId, after_n: u64) -> Result<Vec<Link>, ReadVaultError> {
        let head = self.state.documents.get(&document);
        head.map_or_else(
            || Ok(Vec::new()),
            |head| links::links(self.connection, self.keys, document, head, after_n),
        )
    }
}

impl State {
    pub(crate) fn table(&self, table: Table) -> impl Iterator<Item = (&(u8, RowId), &RowEntry)> {
        let code = table.code();
        self.rows.range((code, [0; 16])..=(code, [0xff; 16]))
    }
}

pub(crate) fn get(
    connection: &Connection,
    keys: &Keys,
    state: &State,
    table: Table,
    name: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, ReadVaultError> {
    let id = keys.id(table.code(), name);
    let Some(entry) = state.rows.get(&(table.code(), id)) else { return Ok(None) };
    let (found, body) = open_at(connection, keys, table.code(), &id, entry)?;
    if found != name {
        return Err(ReadVaultError::Damaged { what: Part::Row(table) });
    }
    Ok(Some(body))
}

pub(crate) fn list_prefix(
    connection: &Connection,
    keys: &Keys,
    state: &mut State,
    table: Table,
    prefix: &[u8],
) -> Result<Vec<NamedBody>, ReadVaultError> {
    let code = table.code();
    let mut found = Vec::new();
    for ((_, id), entry) in state.rows.range_mut((code, [0; 16])..=(code, [0xff; 16])) {
        if entry.name.as_deref().is_some_and(|name| !name.starts_with(prefix)) {
            continue;
        }
        let (name, body) = open_at(connection, keys, code, id, entry)?;
        if entry.name.is_none() {
            entry.name = Some(name.as_slice().into());
        }
        if name.starts_with(prefix) {
            found.push((name, body));
        }
    }
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

fn learn_names(
    connection: &Connection,
    keys: &Keys,
    state: &mut State,
    table: Table,
) -> Result<(), ReadVaultError> {
    let code = table.code();
    for ((_, id), entry) in state.rows.range_mut((code, [0; 16])..=(code, [0xff; 16])) {
        if entry.name.is_none() {
            let (name, _) = open_at(connection, keys, code, id, entry)?;
            entry.name = Some(name.into());
        }
    }
    Ok(())
}

/// Reads and opens the row that `entry` vouches for.
pub(crate) fn open_at(
    connection: &Connection,
    keys: &Keys,
    kind: u8,
    id: &RowId,
    entry: &RowEntry,
) -> Result<NamedBody, ReadVaultError> {
    let mut statement = connection.prepare_cached("SELECT kind, id, gen, body FROM row WHERE at = ?1")?;
    let mut rows = statement.query(params![entry.at])?;
    let damaged = ReadVaultError::Damaged { what: part_of(kind) };
    let Some(row) = rows.next()? else { return Err(ReadVaultError::Damaged { what: Part::Rows }) };
    let in_place = row.get_ref(0)?.as_i64().ok() == Some(i64::from(kind))
        && row.get_ref(1)?.as_blob().ok() == Some(id.as_slice())
        && row.get_ref(2)?.as_i64().ok() == i64::try_from(entry.generation).ok();
    if !in_place {
        return Err(ReadVaultError::Damaged { what: Part::Rows });
    }
    let sealed = row.get_ref(3)?.as_blob().map_err(|_| damaged)?;
    open_body(keys, kind, id, entry.generation, sealed).ok_or(damaged)
}

/// Associated data of a row's seal: its kind, id and generation.
pub(crate) fn row_aad(kind: u8, id: &RowId, generation: u64) -> Vec<u8> {
    [b"mecum/vault/1/row".as_slice(), &[kind], id, &generation.to_be_bytes()].concat()
}

/// `content || name || length of name(2)`: the name last, so that the content needs no copy.
pub(crate) fn frame(name: &[u8], body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let name_length = u16::try_from(name.len()).ok()?;
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len() + name.len() + NAME_LENGTH_BYTES));
    plain.extend_from_slice(body);
    plain.extend_from_slice(name);
    plain.extend_from_slice(&name_length.to_be_bytes());
    Some(plain)
}

pub(crate) fn open_body(
    keys: &Keys,
    kind: u8,
    id: &RowId,
    generation: u64,
    sealed: &[u8],
) -> Option<NamedBody> {
    let mut plain = open_row(&keys.row, &row_aad(kind, id, generation), sealed).ok()?;
    let (rest, name_length) = plain.split_last_chunk::<NAME_LENGTH_BYTES>()?;
    let body_length = rest.len().checked_sub(usize::from(u16::from_be_bytes(*name_length)))?;
    let name = rest.get(body_length..)?.to_vec();
    plain.truncate(body_length);
    Some((name, plain))
}

pub(crate) fn part_of(kind: u8) -> Part {
    Table::from_code(kind).map_or(Part::DocumentHead, Part::Row)
}
