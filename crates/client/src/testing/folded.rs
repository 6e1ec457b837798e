//! Logs that are folded at once, and runs that are not what they were.

use std::collections::BTreeMap;

use mecum_seal::DocumentId;
use mecum_vault::{Durability, Link, WriteVaultError};

use crate::error::SessionError;
use crate::session::Session;

impl Session {
    /// Folds every document, and of every log what the server has, however little it is. Answers how many runs of logs that were.
    pub fn fold_everything_for_tests(&mut self) -> Result<usize, SessionError> {
        self.fold_for_tests()?;
        let mut runs = 0;
        if self.is_older_copy() || self.is_reading_again()? {
            return Ok(runs);
        }
        for document in self.documents.keys().copied().collect::<Vec<_>>() {
            while self.fold_log(document, 1)? {
                runs += 1;
            }
        }
        Ok(runs)
    }

    /// The same on about half of all devices, by their ids: a world in which folded logs meet whole ones.
    pub fn fold_by_half_for_tests(&mut self) -> Result<usize, SessionError> {
        let [first, ..] = *self.identity.device.as_bytes();
        if first % 2 == 0 { self.fold_everything_for_tests() } else { Ok(0) }
    }

    /// Every envelope in the vault, by log and number.
    pub fn all_envelopes_for_tests(&self) -> Result<BTreeMap<(DocumentId, u64), Vec<u8>>, SessionError> {
        let mut all = BTreeMap::new();
        for log in self.vault.documents() {
            all.extend(self.envelopes(log, 0)?.into_iter().map(|(n, bytes)| ((log, n), bytes)));
        }
        Ok(all)
    }

    /// Whether a document's log has envelopes of which only a residue is kept.
    pub fn is_folded_for_tests(&self, document: DocumentId) -> bool {
        self.vault.has_folded(document).expect("its log is read")
    }

    /// Folds every document into its local snapshot, as idle time and locking do with long tails.
    pub fn fold_for_tests(&mut self) -> Result<(), SessionError> {
        self.fold(self.documents.keys().copied().collect())
    }

    /// Seals another residue in the place of each run's, one from which its envelopes are not made: the vault sees nothing of it. Answers
    /// how many runs that were.
    pub fn spoil_runs_for_tests(&mut self) -> Result<usize, SessionError> {
        let mut spoilt = 0;
        for document in self.documents.keys().copied().collect::<Vec<_>>() {
            let runs: BTreeMap<u64, _> = self.unfolded(document)?.into_iter().collect();
            for link in self.vault.links(document, 0)? {
                let Link::Folded(run) = link else { continue };
                let made = runs.get(&run.first()).ok_or(SessionError::Folded)?;
                let mut residue = run.residue().to_vec();
                // Of the last envelope's content id, or its predecessor's.
                if let Some(last) = residue.last_mut() {
                    *last ^= 1;
                }
                self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
                    w.unfold(document, run.first(), made)?;
                    w.fold(document, (run.first(), run.last()), &residue)
                })?;
                spoilt += 1;
            }
        }
        self.last_made.clear();
        Ok(spoilt)
    }
}
