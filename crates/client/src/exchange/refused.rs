//! What an answer refuses: what this device has an answer to itself, and what the person is told.

use mecum_seal::SpaceId;
use mecum_sync::controls::holds;
use mecum_sync::{Outcome, RefusalCode, SyncRequest, SyncResponse};

use crate::session::Session;

impl Session {
    /// Notes which statements the server could not take in their short form: they are said in full at once. Answers whether there are
    /// any. What it does not know in full either is refused, so that this ends.
    pub(super) fn note_unknown_bases(&mut self, request: &SyncRequest, response: &SyncResponse) -> bool {
        let mut any = false;
        for (push, outcome) in request.pushes.iter().zip(&response.push_outcomes) {
            match outcome.refusal().map(|refusal| refusal.code) {
                None => drop(self.in_full.remove(&push.space())),
                Some(RefusalCode::UnknownBase) => {
                    let first = self.in_full.insert(push.space());
                    any |= holds("in-full-once", first);
                }
                Some(_) => {}
            }
        }
        any
    }

    /// The first refusal of an entry that nothing here has an answer to. Where another device was faster, what was refused is signed
    /// again and goes out with the next request; what was lost and waits for somebody else is noted.
    pub(super) fn refused_entries(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
        rebasing: bool,
    ) -> Option<RefusalCode> {
        self.note_stuck(request, response);
        let outcomes = request.space_entries.iter().zip(&response.space_outcomes);
        let waits = outcomes.map(|(entry, outcome)| self.waits_for_others(entry, outcome));
        let refused = response.space_outcomes.iter().zip(waits).filter(|(_, waits)| !waits);
        let outcomes = response.account_outcomes.iter().chain(refused.map(|(outcome, _)| outcome));
        let mut codes = outcomes.filter_map(Outcome::refusal).map(|refusal| refusal.code);
        codes.find(|code| !(rebasing && matches!(code, RefusalCode::StaleHead | RefusalCode::BadCut)))
    }

    /// The first refusal of a push that nothing here has an answer to. Where an epoch was over, what was refused is sealed again and goes
    /// out with the next request; so does, `in_full`, a statement whose short form was not taken.
    pub(super) fn refused_push(
        &self,
        request: &SyncRequest,
        response: &SyncResponse,
        resealed: bool,
        in_full: bool,
    ) -> Option<RefusalCode> {
        // An older copy acknowledges less than it did before; with what just came, or is still to come, it says it anew.
        let went_on = response.more || !response.items.is_empty();
        let answered = |space: SpaceId, code: RefusalCode| match code {
            RefusalCode::EpochStale => resealed,
            RefusalCode::BadMembershipHead => resealed || self.is_stuck(space),
            RefusalCode::UnknownSpace => self.is_stuck(space),
            RefusalCode::BadStatement => went_on,
            RefusalCode::UnknownBase => in_full,
            _ => false,
        };
        let pushes = request.pushes.iter().zip(&response.push_outcomes);
        let mut refused = pushes.filter_map(|(push, outcome)| Some((push.space(), outcome.refusal()?.code)));
        refused.find(|(space, code)| !answered(*space, *code)).map(|(_, code)| code)
    }
}
