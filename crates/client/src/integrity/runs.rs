//! Whether what was folded away can be made again, asked before anybody needs it: of the vault's check a run is good by its seal, and
//! only who makes its envelopes knows whether they come out (ADR 0016).

use std::ops::Bound;

use mecum_documents::Payloads;
use mecum_seal::DocumentId;
use mecum_vault::{Folded, Link, Problem, Salvage, Table};

use crate::identity::Identity;
use crate::logs::{ReadLog, saved_document};
use crate::session::Session;

/// Documents without a run that one step passes over.
const PASSED_AT_ONCE: usize = 64;

/// How far an open vault's runs were made again. It looks at each as it is by then: what is erased or unfolded meanwhile is not missed.
#[derive(Default)]
pub(super) struct Remaking {
    /// The document that is looked at, up to which envelope, and its changes.
    at: Option<(DocumentId, u64, Option<Payloads>)>,
    /// Documents that were looked at, and all of them.
    looked: (u64, u64),
    /// The runs that cannot be made again.
    pub(super) found: Vec<Problem>,
}

impl Remaking {
    /// Per cent looked at.
    pub(super) fn percent(&self) -> u8 {
        let (looked, all) = self.looked;
        u8::try_from((looked * 100).checked_div(all).unwrap_or(0)).unwrap_or(100).min(100)
    }
}

impl Session {
    /// Makes the next run again. True when there is none left.
    pub(super) fn step_remaking(&self, remaking: &mut Remaking) -> bool {
        remaking.looked.1 = self.documents.len() as u64;
        for _ in 0..PASSED_AT_ONCE {
            let (document, reached, mut payloads) = match remaking.at.take() {
                Some(at) => at,
                None => match self.documents.keys().next() {
                    Some(first) => (*first, 0, None),
                    None => return true,
                },
            };
            if let Some(run) = self.next_run(document, reached) {
                if !self.is_made_again(document, &run, &mut payloads) {
                    let (first, last) = (run.first(), run.last());
                    remaking.found.push(Problem::RunNotMade { document, first, last });
                }
                remaking.at = Some((document, run.last(), payloads));
                return false;
            }
            let mut after = self.documents.range((Bound::Excluded(document), Bound::Unbounded));
            let Some((next, _)) = after.next() else {
                // The next step says the same, and looks at nothing twice.
                remaking.at = Some((document, u64::MAX, None));
                remaking.looked.0 = remaking.looked.1;
                return true;
            };
            remaking.at = Some((*next, 0, None));
            remaking.looked.0 += 1;
        }
        false
    }

    /// The first run of a document's log that begins after an envelope. What of a log cannot be read at all, the vault's check names.
    fn next_run(&self, document: DocumentId, reached: u64) -> Option<Folded> {
        if !self.vault.has_folded(document).ok()? {
            return None;
        }
        let links = self.vault.links(document, reached).ok()?;
        links.into_iter().find_map(|link| match link {
            Link::Folded(run) if run.first() > reached => Some(run),
            _ => None,
        })
    }

    fn is_made_again(&self, document: DocumentId, run: &Folded, payloads: &mut Option<Payloads>) -> bool {
        let made = |payloads: &Payloads| self.made_again(document, run, payloads).is_ok();
        if payloads.as_ref().is_some_and(made) {
            return true;
        }
        // What was written since they were read may have been folded meanwhile.
        *payloads = self.load_document(document).ok().and_then(|loaded| loaded.payloads().ok());
        payloads.as_ref().is_some_and(made)
    }
}

/// The runs of a closed vault that cannot be made again, where nothing of their document is damaged otherwise: that is named already.
pub(crate) fn runs_not_made(salvage: &Salvage) -> Vec<Problem> {
    let identity = salvage.get(Table::Account, b"identity").and_then(|body| Identity::decode(body).ok());
    let Some(identity) = identity else { return Vec::new() };
    let mut found = Vec::new();
    for document in salvage.logs() {
        let Some((space, state)) = saved_document(salvage, document) else { continue };
        let log = ReadLog::of(salvage, document, &identity, Some((&space, &state)));
        found.extend(log.not_made.into_iter().map(|(first, last)| Problem::RunNotMade {
            document,
            first,
            last,
        }));
    }
    found
}
