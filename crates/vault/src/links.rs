//! A document's log as it is stored: envelopes as they were appended, and runs of them that were folded into a residue.
//!
//! A folded run keeps what its writer needs to make the same envelopes again, sealed, and the chain value after its last one. Nothing
//! here can make them: whoever can has to show that the chain is the same ([`Folded::are`]), and only then are they the envelopes that
//! were appended. The two are different variants, so that a residue is never read as an envelope.
//!
//! Stored: an envelope is a row `n, chain(32), envelope`; a run from `first` to `n` is one row `n, chain(32) || first(8), sealed residue`
//! whose seal names document, `first`, `n`, and the chain before and after. A file gets version 3 of the tables with the first run that is
//! written into it now (2 is one that has runs of before only): a program that knows none, or none like these, says that it is too new.

use mecum_seal::{DocumentId, Entropy, Hash32, RowKey, open_row, seal_row, sha256};
use rusqlite::{Connection, Row, params};
use zeroize::Zeroizing;

use crate::error::{Part, ReadVaultError};
use crate::head::{DocumentHead, chain_step};
use crate::keys::Keys;

const DAMAGED: ReadVaultError = ReadVaultError::Damaged { what: Part::Envelopes };
const CHAIN_BYTES: usize = 32;
const FIRST_BYTES: usize = 8;

/// A part of a document's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// One envelope, as it was appended.
    Whole {
        /// Its number.
        n: u64,
        /// Its bytes.
        envelope: Vec<u8>,
    },
    /// Envelopes of which a residue was kept.
    Folded(Folded),
}

impl Link {
    /// Number of its first envelope.
    pub fn first(&self) -> u64 {
        match self {
            Link::Whole { n, .. } => *n,
            Link::Folded(folded) => folded.first,
        }
    }

    /// Number of its last envelope.
    pub fn last(&self) -> u64 {
        match self {
            Link::Whole { n, .. } => *n,
            Link::Folded(folded) => folded.last,
        }
    }
}

/// Envelopes of which a residue was kept: what their writer needs to make the same ones again.
#[derive(Clone, PartialEq, Eq)]
pub struct Folded {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) before: Hash32,
    pub(crate) after: Hash32,
    residue: Zeroizing<Vec<u8>>,
}

impl Folded {
    /// What was handed to [`crate::Write::fold`].
    pub fn residue(&self) -> &[u8] {
        &self.residue
    }

    /// Number of its first envelope.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Number of its last envelope.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many envelopes it stands for.
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether these are the envelopes that were folded, byte for byte and in their order: the chain over them is the same.
    pub fn are(&self, envelopes: &[Vec<u8>]) -> bool {
        let chain = envelopes.iter().fold(self.before, |chain, bytes| chain_step(&chain, &sha256(bytes)));
        envelopes.len() as u64 == self.count() && chain == self.after
    }
}

impl std::fmt::Debug for Folded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folded").field("first", &self.first).field("last", &self.last).finish_non_exhaustive()
    }
}

/// A stored row of a log before it is judged.
pub(crate) struct Stored<'r> {
    pub(crate) n: u64,
    /// The chain value after it, as it stands beside it; a false one leads to no head.
    pub(crate) chain: Hash32,
    /// Where a run begins; none for an envelope.
    pub(crate) first: Option<u64>,
    pub(crate) body: &'r [u8],
}

impl<'r> Stored<'r> {
    /// Of the columns `n, chain, body`. `None` where one is of no shape that we write.
    pub(crate) fn of(row: &'r Row<'_>) -> Option<Stored<'r>> {
        let n = u64::try_from(row.get_ref(0).ok()?.as_i64().ok()?).ok()?;
        let (chain, first) = chain_and_first(row.get_ref(1).ok()?.as_blob().ok()?, n)?;
        Some(Stored { n, chain, first, body: row.get_ref(2).ok()?.as_blob().ok()? })
    }

    /// What it says, if it follows `before`: its own chain value is not looked at.
    pub(crate) fn open(
        &self,
        keys: &Keys,
        document: DocumentId,
        before: Hash32,
    ) -> Result<Link, ReadVaultError> {
        let Some(first) = self.first else {
            return Ok(Link::Whole { n: self.n, envelope: self.body.to_vec() });
        };
        let (last, after) = (self.n, self.chain);
        let aad = aad(document, first, last, &before, &after);
        let residue = open_row(&keys.folded, &aad, self.body).map_err(|_| DAMAGED)?;
        Ok(Link::Folded(Folded { first, last, before, after, residue }))
    }
}

impl Link {
    /// Whether it is a run that does not go on from this chain value.
    pub(crate) fn is_run_from_elsewhere(&self, chain: &Hash32) -> bool {
        matches!(self, Link::Folded(folded) if folded.before != *chain)
    }

    /// The chain after it.
    pub(crate) fn chain_after(&self, before: &Hash32) -> Hash32 {
        match self {
            Link::Whole { envelope, .. } => chain_step(before, &sha256(envelope)),
            Link::Folded(folded) => folded.after,
        }
    }
}

/// The chain column of a run: the chain after it and where it begins.
pub(crate) fn run_column(after: &Hash32, first: u64) -> Vec<u8> {
    [after.as_bytes().as_slice(), &first.to_be_bytes()].concat()
}

/// Seals the residue of a run.
pub(crate) fn seal_run(
    keys: &Keys,
    document: DocumentId,
    (first, last): (u64, u64),
    (before, after): (&Hash32, &Hash32),
    residue: &[u8],
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let key: &RowKey = &keys.folded;
    seal_row(key, &aad(document, first, last, before, after), residue, entropy)
}

fn aad(document: DocumentId, first: u64, last: u64, before: &Hash32, after: &Hash32) -> Vec<u8> {
    [
        b"mecum/vault/1/folded".as_slice(),
        document.as_bytes(),
        &first.to_be_bytes(),
        &last.to_be_bytes(),
        before.as_bytes(),
        after.as_bytes(),
    ]
    .concat()
}

pub(crate) fn chain_and_first(column: &[u8], n: u64) -> Option<(Hash32, Option<u64>)> {
    let (chain, rest) = column.split_at_checked(CHAIN_BYTES)?;
    let chain = Hash32::from_slice(chain)?;
    if rest.is_empty() {
        return Some((chain, None));
    }
    let first: [u8; FIRST_BYTES] = rest.try_into().ok()?;
    let first = u64::from_be_bytes(first);
    (1..=n).contains(&first).then_some((chain, Some(first)))
}

/// The log of a document from the link that holds envelope `after_n + 1`. The chain over it is verified up to the document's head: a
/// missing, changed or moved link is an error.
pub(crate) fn links(
    connection: &Connection,
    keys: &Keys,
    document: DocumentId,
    head: &DocumentHead,
    after_n: u64,
) -> Result<Vec<Link>, ReadVaultError> {
    if after_n >= head.count {
        return Ok(Vec::new());
    }
    let (mut reached, mut chain) = link_before(connection, document, after_n)?;
    let mut statement = connection
        .prepare_cached("SELECT n, chain, body FROM envelope WHERE document = ?1 AND n > ?2 ORDER BY n")?;
    let mut rows =
        statement.query(params![document.as_bytes(), i64::try_from(reached).map_err(|_| DAMAGED)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let link = Stored::of(row).ok_or(DAMAGED)?.open(keys, document, chain)?;
        if link.first() != reached + 1 || link.last() > head.count {
            return Err(DAMAGED);
        }
        chain = link.chain_after(&chain);
        reached = link.last();
        found.push(link);
    }
    if reached != head.count || chain != head.chain {
        return Err(DAMAGED);
    }
    Ok(found)
}

/// The one link that holds envelope `n`.
pub(crate) fn link(
    connection: &Connection,
    keys: &Keys,
    document: DocumentId,
    n: u64,
) -> Result<Option<Link>, ReadVaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, chain, body FROM envelope WHERE document = ?1 AND n >= ?2 ORDER BY n LIMIT 1",
    )?;
    let mut rows = statement.query(params![document.as_bytes(), i64::try_from(n).map_err(|_| DAMAGED)?])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let stored = Stored::of(row).ok_or(DAMAGED)?;
    let before = match stored.first {
        Some(first) => link_before(connection, document, first.saturating_sub(1))?.1,
        None => Hash32::ZERO,
    };
    let link = stored.open(keys, document, before)?;
    Ok((link.first()..=link.last()).contains(&n).then_some(link))
}

/// The last link that ends at `n` or before: where it ends and the chain beside it. It need not be trusted: from a false one no head is
/// reached and no run opens.
fn link_before(
    connection: &Connection,
    document: DocumentId,
    n: u64,
) -> Result<(u64, Hash32), ReadVaultError> {
    if n == 0 {
        return Ok((0, Hash32::ZERO));
    }
    let mut statement = connection.prepare_cached(
        "SELECT n, chain FROM envelope WHERE document = ?1 AND n <= ?2 ORDER BY n DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![document.as_bytes(), i64::try_from(n).map_err(|_| DAMAGED)?])?;
    let Some(row) = rows.next()? else { return Ok((0, Hash32::ZERO)) };
    let n = row.get_ref(0)?.as_i64().ok().and_then(|n| u64::try_from(n).ok()).ok_or(DAMAGED)?;
    let column = row.get_ref(1)?.as_blob().map_err(|_| DAMAGED)?;
    Ok((n, chain_and_first(column, n).ok_or(DAMAGED)?.0))
}

/// The chain after envelope `n`, which must be the last of a link.
pub(crate) fn chain_at(
    connection: &Connection,
    document: DocumentId,
    n: u64,
) -> Result<Hash32, ReadVaultError> {
    let (reached, chain) = link_before(connection, document, n)?;
    if reached == n { Ok(chain) } else { Err(DAMAGED) }
}

/// How many envelopes the rows of a document stand for.
pub(crate) fn covered(connection: &Connection, document: DocumentId) -> Result<u64, ReadVaultError> {
    let mut statement = connection.prepare_cached("SELECT n, chain FROM envelope WHERE document = ?1")?;
    let mut rows = statement.query(params![document.as_bytes()])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let n = row.get_ref(0)?.as_i64().ok().and_then(|n| u64::try_from(n).ok()).ok_or(DAMAGED)?;
        let (_, first) =
            row.get_ref(1)?.as_blob().ok().and_then(|at| chain_and_first(at, n)).ok_or(DAMAGED)?;
        let stands_for = first.map_or(Some(1), |first| n.checked_sub(first)?.checked_add(1));
        count = stands_for.and_then(|many| many.checked_add(count)).ok_or(DAMAGED)?;
    }
    Ok(count)
}

/// Whether a run of a document's log is folded.
pub(crate) fn has_folded(connection: &Connection, document: DocumentId) -> Result<bool, ReadVaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM envelope WHERE document = ?1 AND length(chain) > 32)";
    Ok(connection.prepare_cached(sql)?.query_row(params![document.as_bytes()], |row| row.get(0))?)
}

/// Bytes of the whole envelopes of a document up to a number.
pub(crate) fn whole_bytes(
    connection: &Connection,
    document: DocumentId,
    last: u64,
) -> Result<u64, ReadVaultError> {
    let sql = "SELECT COALESCE(SUM(LENGTH(body)), 0) FROM envelope
               WHERE document = ?1 AND n <= ?2 AND length(chain) = 32";
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    let sum: i64 =
        connection.prepare_cached(sql)?.query_row(params![document.as_bytes(), last], |row| row.get(0))?;
    u64::try_from(sum).map_err(|_| DAMAGED)
}
