//! Saying of a stored snapshot that it is right: what lets a server prune the envelopes that it covers.
//!
//! A device says so only of what the server really holds: it fetches the snapshot, also its own, judges it as if it began from it,
//! and finds every change of it in its own documents.

use std::collections::BTreeMap;

use mecum_documents::Document;
use mecum_seal::{DocumentId, SpaceId};
use mecum_sync::{
    Chain, Pruning, PruningAnswer, Signed, StoredSnapshot, SyncRequest, SyncResponse, Verified,
};

use super::taking::{in_snapshot, open_parts};
use super::{Stated, check_writers};
use crate::broken::contained;
use crate::error::SessionError;
use crate::session::Session;

/// What is being verified. It is not kept: a server that still wants it asks again.
#[derive(Debug, Default)]
pub(crate) struct Verifying {
    /// The space whose stored snapshot is asked for next.
    looking: Option<SpaceId>,
    /// What was looked at, and up to which `space_seq` a snapshot was known then.
    looked: BTreeMap<SpaceId, u64>,
    /// What was found right and not said yet.
    found: Vec<Signed<Verified>>,
}

impl Session {
    /// Whether something is to be asked or said about snapshots.
    pub(crate) fn has_to_verify(&self) -> bool {
        self.verifying.looking.is_some() || !self.verifying.found.is_empty()
    }

    /// What a request says about snapshots.
    pub(crate) fn ask_to_verify(&self, request: &mut SyncRequest) {
        if self.has_to_verify() {
            request.pruning = Some(Pruning {
                over_pruned: false,
                show: self.verifying.looking,
                verified: self.verifying.found.clone(),
            });
        }
    }

    /// Takes what an answer says about snapshots, once it was committed.
    pub(crate) fn take_to_verify(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<(), SessionError> {
        // Said is said: what was refused meanwhile is of another snapshot, and the server asks about that one.
        self.verifying.found.retain(|found| !request.verified().contains(found));
        let asked = request.pruning.as_ref().and_then(|pruning| pruning.show);
        if let Some(space) = asked {
            self.verifying.looking = None;
            let known = self.spaces.get(&space).map_or(0, |state| state.snapshot_seq);
            self.verifying.looked.insert(space, known);
        }
        let Some(PruningAnswer { shown, to_verify, .. }) = &response.pruned else { return Ok(()) };
        if let Some(shown) = shown.as_ref().filter(|shown| asked == Some(shown.snapshot.space()))
            // What cannot be looked at to its end is not said to be right.
            && contained(|| self.is_right(shown)).unwrap_or(Ok(false))?
        {
            self.verifying.found.push(self.sign_verified(shown));
        }
        if self.verifying.looking.is_none() && !self.is_reading_again()? && !self.is_older_copy() {
            let next = to_verify.iter().copied().find(|space| self.is_worth_looking(*space));
            self.verifying.looking = next;
        }
        Ok(())
    }

    fn is_worth_looking(&self, space: SpaceId) -> bool {
        let Some(state) = self.spaces.get(&space) else { return false };
        let Some(log) = self.follower.space_log(space) else { return false };
        let devices = log.members().iter().filter_map(|member| self.follower.log_of(member.account));
        // Alone, this device cannot let anything be pruned.
        let several = devices.map(|log| log.devices().len()).sum::<usize>() > 1;
        let looked = self.verifying.looked.get(&space);
        several && looked.is_none_or(|known| *known < state.snapshot_seq)
    }

    pub(crate) fn sign_verified(&self, stored: &StoredSnapshot) -> Signed<Verified> {
        let space = stored.snapshot.space();
        let body = Verified {
            space,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            snapshot: stored.snapshot.signed.hash(),
            membership_head: self
                .spaces
                .get(&space)
                .map_or(mecum_seal::Hash32::ZERO, |state| state.membership),
        };
        Signed::sign(body, &self.identity.signing)
    }

    /// Whether a stored snapshot is right by the rules of taking one, and holds what the documents here hold.
    pub(crate) fn is_right(&self, stored: &StoredSnapshot) -> Result<bool, SessionError> {
        mecum_trip::here("verify-snapshot");
        let body = stored.snapshot.signed.unverified();
        let Some(state) = self.spaces.get(&body.space) else { return Ok(false) };
        let Ok((parts, statements)) = self.follower.verify_stored(stored) else { return Ok(false) };
        let Ok((opened, notes)) = open_parts(state, &parts, self.identity.actor()) else { return Ok(false) };
        let links = opened.iter().map(|part| (part.state.document, part.links.clone())).collect();
        let said = |chain: &Chain| {
            let of = |s: &&&mecum_sync::Statement| s.chain() == *chain;
            statements.iter().find(of).map(|statement| Stated {
                envelope_seq: statement.envelope_seq,
                last: statement.last,
                heads: statement.heads,
            })
        };
        let documents: Vec<DocumentId> = opened.iter().map(|part| part.state.document).collect();
        let inside = in_snapshot(body, &documents, &opened);
        let stage = crate::stage::Stage::default();
        let Some(signed) = self.signed_successors(&stage, &self.follower, state, inside)? else {
            return Ok(false);
        };
        if check_writers(&self.follower, state, &body.chains, &links, &signed, said).is_err() {
            return Ok(false);
        }
        // Notes of this account are in a snapshot of its own devices only: no other may take their envelopes' place.
        let own = self.follower.account_of(body.device) == Some(self.identity.account);
        if self.account_note_for(body.space).is_some() && (notes.is_empty() || !own) {
            return Ok(false);
        }
        for part in &opened {
            let document = part.state.document;
            let known = self.documents.get(&document).filter(|known| known.space == body.space);
            let Some(known) = known.filter(|known| known.cuts == 0) else {
                return Ok(false);
            };
            if known.key.expose() != part.state.key.expose() {
                return Ok(false);
            }
            let loaded: Document = match self.open.get(&document) {
                Some((_, open)) => open.clone(),
                None => self.load_document(document)?,
            };
            if !part.links.values().all(|link| loaded.has_change(&link.change)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
