//! Folding: a residue in place of a run of envelopes, and back.

use mecum_seal::{DocumentId, sha256};
use rusqlite::params;

use super::{BESIDE_BYTES, DAMAGED_LOG, MAX_BODY_BYTES, PAGE_BYTES, Write, exactly_one};
use crate::error::WriteVaultError;
use crate::head::chain_step;
use crate::links::{self, Link};
use crate::schema;
use crate::state::Table;

impl Write<'_> {
    /// Keeps a residue in place of the envelopes from `first` to `last`: whole ones, and runs that were folded before and lie between these
    /// two as a whole. The chain over the log is verified first and stays as it is. `residue` is sealed; whether the envelopes can be
    /// made again from it is for the caller to have tried.
    pub fn fold(
        &mut self,
        document: DocumentId,
        (first, last): (u64, u64),
        residue: &[u8],
    ) -> Result<(), WriteVaultError> {
        self.attempt(|write| write.fold_envelopes(document, first, last, residue))
    }

    /// Puts envelopes back in the place of the run that begins at `first`; refuses others than were folded.
    pub fn unfold(
        &mut self,
        document: DocumentId,
        first: u64,
        envelopes: &[Vec<u8>],
    ) -> Result<(), WriteVaultError> {
        self.attempt(|write| write.unfold_envelopes(document, first, envelopes))
    }

    fn fold_envelopes(
        &mut self,
        document: DocumentId,
        first: u64,
        last: u64,
        residue: &[u8],
    ) -> Result<(), WriteVaultError> {
        if residue.len() > MAX_BODY_BYTES {
            return Err(WriteVaultError::TooLarge);
        }
        let head = self.state.documents.get(&document).copied().ok_or(DAMAGED_LOG)?;
        let Some(links) = first
            .checked_sub(1)
            .filter(|_| first <= last && last <= head.count)
            .map(|after| links::links(self.connection, self.keys, document, &head, after))
        else {
            return Err(DAMAGED_LOG);
        };
        let links = links?;
        let run: Vec<&Link> = links.iter().take_while(|link| link.last() <= last).collect();
        // Runs alone have nothing to be folded.
        let any = run.iter().any(|link| matches!(link, Link::Whole { .. }));
        let bounds = (run.first().map(|link| link.first()), run.last().map(|link| link.last()));
        if !any || bounds != (Some(first), Some(last)) {
            return Err(DAMAGED_LOG);
        }
        let before = links::chain_at(self.connection, document, first - 1)?;
        let after = run.iter().fold(before, |chain, link| link.chain_after(&chain));
        let sealed =
            links::seal_run(self.keys, document, (first, last), (&before, &after), residue, self.entropy);
        schema::note_folded(self.connection)?;
        self.state.head.narrow();
        let at = |n: u64| i64::try_from(n).map_err(|_| WriteVaultError::TooLarge);
        let range = params![document.as_bytes(), at(first)?, at(last)?];
        let deleted = self.without_wiping(|write| {
            let sql = "DELETE FROM envelope WHERE document = ?1 AND n BETWEEN ?2 AND ?3";
            Ok(write.connection.prepare_cached(sql)?.execute(range)?)
        })?;
        self.connection
            .prepare_cached("INSERT INTO envelope (document, n, chain, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![document.as_bytes(), at(last)?, links::run_column(&after, first), sealed])?;
        self.bytes += sealed.len() + PAGE_BYTES + deleted * BESIDE_BYTES;
        self.refolded = true;
        Ok(())
    }

    /// Saves `body` in place of what was there, which goes first: its pages are then there for what comes, and the file grows by none.
    pub fn put_over(&mut self, table: Table, name: &[u8], body: &[u8]) -> Result<(), WriteVaultError> {
        self.delete(table, name)?;
        self.put(table, name, body)
    }

    /// For envelopes, whose keys stay: they are wiped where their page is written anyway, and no page is written for that alone. Where
    /// something is erased, the file is written anew ([`crate::Vault::scrub`]).
    fn without_wiping<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, WriteVaultError>,
    ) -> Result<T, WriteVaultError> {
        self.connection.query_row("PRAGMA secure_delete = FAST", [], |_| Ok(()))?;
        let done = work(self);
        self.connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
        done
    }

    fn unfold_envelopes(
        &mut self,
        document: DocumentId,
        first: u64,
        envelopes: &[Vec<u8>],
    ) -> Result<(), WriteVaultError> {
        let Some(Link::Folded(run)) = links::link(self.connection, self.keys, document, first)? else {
            return Err(DAMAGED_LOG);
        };
        if run.first != first || !run.are(envelopes) {
            return Err(DAMAGED_LOG);
        }
        let at = |n: u64| i64::try_from(n).map_err(|_| WriteVaultError::TooLarge);
        let deleted = self
            .connection
            .prepare_cached("DELETE FROM envelope WHERE document = ?1 AND n = ?2")?
            .execute(params![document.as_bytes(), at(run.last)?])?;
        exactly_one(deleted)?;
        let mut chain = run.before;
        for (n, envelope) in (first..).zip(envelopes) {
            chain = chain_step(&chain, &sha256(envelope));
            self.connection
                .prepare_cached("INSERT INTO envelope (document, n, chain, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![document.as_bytes(), at(n)?, chain.as_bytes(), envelope])?;
            self.grows(envelope.len());
        }
        self.refolded = true;
        Ok(())
    }
}
