//! What this device has to say to the server, and whether there is anything.

use mecum_seal::{Envelope, Hash32, SpaceId};
use mecum_sync::controls::holds;
use mecum_sync::limits::{MAX_ENVELOPES_PER_PUSH, MAX_PUSHES, MAX_SPACE_ENTRIES};
use mecum_sync::{FORMS, FORMS_HANDED, Push, Role, SaidRequest, Signed, Statement, SyncRequest};
use mecum_vault::Table;

use crate::error::SessionError;
use crate::notices::Waits;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::{place_of, push_name};

/// Bytes of envelopes in one request: small enough to go again after a cut, large enough for one round of an import.
const REQUEST_BYTES: usize = 4 << 20;

/// Bytes of items wanted in one answer.
const ANSWER_BYTES: u64 = 4 << 20;

impl Session {
    /// What this device has to say now.
    pub fn request(&mut self) -> Result<SyncRequest, SessionError> {
        mecum_trip::here("request");
        let mut request = SyncRequest::pull(self.follower.cursor(), ANSWER_BYTES);
        if !self.exchanging.answered {
            // Another exchange: whoever had to come first may have come.
            self.handing.stuck.clear();
        }
        if let Some(request) = self.reading_request(&request)? {
            return Ok(request);
        }
        // What was decided and cannot be done now is done later: it may never keep anything from going out.
        let tries = self.exchanging.answered;
        let advanced = self.clear_void().and_then(|()| self.advance_if_answered());
        self.note_waits(if tries { Waits::Erasure } else { Waits::Beginning }, &advanced);
        if advanced.is_ok() {
            // A whole try begins with what was there to begin with. What is not wanted any more does not wait.
            self.note_waits(Waits::Beginning, &advanced);
            if !self.has_decided_erasure() {
                self.note_waits(Waits::Erasure, &advanced);
            }
        }
        self.exchanging.asked_on = Some(self.today_for_ends());
        let held_back = self.held_back()?;
        request.from_snapshots = self.begins_from_snapshots()?;
        // The genesis is stored by enrolment itself; saying it again is harmless.
        request.account_entries = self.account_entries_to_push()?;
        request.space_entries = self.space_entries_to_push()?;
        let full = request.space_entries.len() >= MAX_SPACE_ENTRIES;
        request.space_entries.retain(|entry| !held_back.contains(&entry.unverified().space));
        let mut room = REQUEST_BYTES;
        for state in self.spaces.values() {
            if full && !self.follower.is_stored_space(state.space) {
                continue;
            }
            if room == 0 || request.pushes.len() >= MAX_PUSHES || held_back.contains(&state.space) {
                continue;
            }
            // What was written after the end stays here: the server would refuse it. So it would on a log that it does not have.
            if self.follower.role(state.space).is_none() || self.is_stuck(state.space) {
                continue;
            }
            if let Some(push) = self.push_of(state, &mut room)? {
                request.pushes.push(push);
            }
        }
        request.handed = self.handed_now(&mut room);
        let says_else = !request.account_entries.is_empty()
            || !request.space_entries.is_empty()
            || !request.pushes.is_empty()
            || request.handed.is_some()
            || !held_back.is_empty();
        if !says_else && !request.from_snapshots {
            request.snapshots = self.make_snapshots()?;
            self.ask_to_verify(&mut request);
        }
        Ok(request)
    }

    /// How a request goes over the line to a server that takes these short forms ([`crate::remote::Session::forms`]).
    pub fn said(&self, request: &SyncRequest, forms: u32) -> SaidRequest {
        if forms < FORMS {
            return SaidRequest { handed: None, ..SaidRequest::from(request) };
        }
        let mut said = SaidRequest::short(request, |push| {
            let statement = push.statement.unverified();
            let base = self.follower.last_statement(&statement.chain());
            base.filter(|_| holds("said-in-full", !self.in_full.contains(&statement.space)))
        });
        said.handed = said.handed.filter(|_| forms >= FORMS_HANDED);
        if self.counts_helpers_requests() { said.counting() } else { said }
    }

    /// Whether this device has more to say in a space than the first `sent`. Who may only read now says nothing of what they wrote
    /// when they might write: the server would refuse it.
    fn may_say(&self, state: &SpaceState, sent: u64) -> bool {
        sent < state.own_seq && self.follower.role(state.space).is_some_and(Role::may_write)
    }

    fn push_of(&self, state: &SpaceState, room: &mut usize) -> Result<Option<Push>, SessionError> {
        if self.own_is_handed(state)? {
            return Ok(None);
        }
        let head = self.follower.chain_head(&self.own_chain(state.space));
        let mut envelopes = Vec::new();
        let (mut seq, mut last) = (head.envelope_seq, head.hash);
        while self.may_say(state, seq) && envelopes.len() < MAX_ENVELOPES_PER_PUSH {
            // What was erased cannot be offered to a server that lost it.
            let Some(bytes) = self.own_envelope_kept(state.space, seq + 1)? else { break };
            if bytes.len() > *room && !envelopes.is_empty() {
                break;
            }
            *room = room.saturating_sub(bytes.len());
            last = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?.content_id();
            envelopes.push(bytes);
            seq += 1;
        }
        if envelopes.is_empty() && !self.follower.owes_acknowledgement(state.space) {
            return Ok(None);
        }
        let statement = Statement {
            space: state.space,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            envelope_seq: seq,
            last,
            // Of a part of the chain there is no record: nobody folds a space at such a place.
            heads: if seq == state.own_seq { self.own_heads(state)? } else { Hash32::ZERO },
            received: self.follower.received(state.space),
        };
        Ok(Some(Push { envelopes, statement: Signed::sign(statement, &self.identity.signing) }))
    }

    /// An own envelope, unless it went with its document.
    pub(crate) fn own_envelope_kept(
        &self,
        space: SpaceId,
        seq: u64,
    ) -> Result<Option<Vec<u8>>, SessionError> {
        if let Some(resealed) = self.resealed(space, seq)? {
            return Ok(Some(resealed));
        }
        let Some(place) = self.vault.get(Table::Sync, &push_name(space, seq))? else { return Ok(None) };
        let Some((log, number)) = place_of(&place) else { return Ok(None) };
        self.envelope(log, number)
    }

    pub(crate) fn own_envelope(&self, space: SpaceId, seq: u64) -> Result<Vec<u8>, SessionError> {
        let missing = || SessionError::Stored { what: "outbox" };
        if let Some(resealed) = self.resealed(space, seq)? {
            return Ok(resealed);
        }
        let place = self.vault.get(Table::Sync, &push_name(space, seq))?.ok_or_else(missing)?;
        let (log, number) = place_of(&place).ok_or_else(missing)?;
        self.envelope(log, number)?.ok_or_else(missing)
    }

    /// Whether anything waits to be sent.
    pub fn has_something_to_say(&self) -> bool {
        let entries = self.account_entries_to_push().is_ok_and(|entries| !entries.is_empty())
            || self.space_entries_to_push().is_ok_and(|entries| !entries.is_empty());
        entries
            || self.has_to_hand_over()
            || self.spaces.values().filter(|state| self.follower.role(state.space).is_some()).any(|state| {
                if self.own_is_handed(state).unwrap_or(false) || self.is_stuck(state.space) {
                    return false;
                }
                self.may_say(state, self.follower.chain_head(&self.own_chain(state.space)).envelope_seq)
                    || self.follower.owes_acknowledgement(state.space)
            })
            || self.has_snapshot_to_make()
            || self.has_to_verify()
            || self.has_erasure_to_carry_out()
            || self.has_end_to_sign()
    }
}
