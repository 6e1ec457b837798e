//! What only this device has, brought over into a vault that was fetched anew: edits that were never sent. They are put back into
//! their documents as they were and then written again in the new incarnation, each on exactly what it had seen, as after a
//! restore from an older copy: what was concurrent stays concurrent, and a clash stays a clash.

use std::collections::BTreeMap;

use mecum_documents::{Document, Incoming, Payload, TakenOut};
use mecum_seal::{DocumentId, Envelope, Hash32, SpaceId};
use mecum_sync::{Chain, Signed, SpaceEntry, decode};
use mecum_vault::{Durability, Salvage, Table};

use crate::erasing::decided;
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::identity::{Identity, actor_of};
use crate::logs::{ReadLog, saved_document};
use crate::members::actors_in;
use crate::plaintext::{OpenDocument, unpack};
use crate::restored::Taken;
use crate::session::{Session, open_envelope};
use crate::space::{DocumentState, SpaceState};
use crate::stage::{Stage, pushed_of};

/// The largest log entry that is read back.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// An own envelope of the incarnation from before that the server does not have.
struct Unsent {
    envelope: Envelope,
    bytes: Vec<u8>,
}

impl Session {
    /// Brings over what was decided to be erased or moved, and the list of what was: nobody else knows of a decision. Afterwards, so
    /// that nothing is carried out on what is not fetched yet.
    pub(super) fn bring_decisions(&mut self, salvage: &Salvage) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        for row in salvage.rows().iter().filter(|row| row.table == Table::Sync && !row.stale) {
            if let Some(body) = decided(&row.name, &row.body) {
                stage.puts.push((Table::Sync, row.name.clone(), body));
            }
        }
        self.commit(stage, Durability::Full)
    }

    /// Brings over what was not sent. Answers how many edits.
    pub(super) fn bring_over(&mut self, salvage: &Salvage) -> Result<u32, SessionError> {
        let Some(before) = salvage.get(Table::Account, b"identity") else { return Ok(0) };
        let before = Identity::decode(before)?;
        let (control, content): (Vec<_>, Vec<_>) = self
            .unsent_of(salvage, &before)
            .into_iter()
            .partition(|unsent| unsent.envelope.place().document == DocumentId::CONTROL);
        let mut stage = Stage::default();
        for unsent in control {
            self.bring_control(&mut stage, salvage, &unsent)?;
        }
        self.commit(stage, Durability::Full)?;
        let mut by_document: BTreeMap<DocumentId, Vec<Unsent>> = BTreeMap::new();
        for unsent in content {
            by_document.entry(unsent.envelope.place().document).or_default().push(unsent);
        }
        let mut brought = 0;
        for (document, unsent) in by_document {
            brought += self.bring_edits(document, unsent, &before)?;
        }
        Ok(brought)
    }

    /// Whether every own link that waits to be sent can be read. Rows of their own name them: where the words are lost together with the
    /// lists that showed them, nothing else tells that they are missing.
    pub(super) fn reads_all_unsent(&self, salvage: &Salvage) -> Result<bool, SessionError> {
        let Some(before) = salvage.get(Table::Account, b"identity") else { return Ok(true) };
        let before = Identity::decode(before)?;
        let read = self.unsent_of(salvage, &before);
        let is_read = |space: SpaceId, seq: u64| {
            let is_it = |unsent: &Unsent| {
                (unsent.envelope.place().space, unsent.envelope.place().envelope_seq) == (space, seq)
            };
            read.iter().any(is_it)
        };
        let waits = salvage.rows().iter().filter(|row| row.table == Table::Sync && !row.stale);
        Ok(waits.filter_map(|row| pushed_of(&row.name)).all(|(space, seq)| {
            let chain = Chain { device: before.device, incarnation: before.incarnation, space };
            seq <= self.follower.chain_head(&chain).envelope_seq || is_read(space, seq)
        }))
    }

    /// The own envelopes beyond what the server has, each chain in order.
    fn unsent_of(&self, salvage: &Salvage, before: &Identity) -> Vec<Unsent> {
        let mut all = Vec::new();
        for log in salvage.logs() {
            let known = saved_document(salvage, log);
            let known = known.as_ref().map(|(space, state)| (space, state));
            for (_, bytes) in ReadLog::of(salvage, log, before, known).envelopes {
                // What is damaged does not parse, or does not open later; then it is put aside.
                let Ok(envelope) = Envelope::parse(&bytes) else { continue };
                let place = envelope.place();
                let own = place.device == before.device && place.incarnation == before.incarnation;
                let chain =
                    Chain { device: place.device, incarnation: place.incarnation, space: place.space };
                if own && place.envelope_seq > self.follower.chain_head(&chain).envelope_seq {
                    all.push(Unsent { envelope, bytes });
                }
            }
        }
        all.sort_by_key(|unsent| (unsent.envelope.place().space, unsent.envelope.place().envelope_seq));
        all
    }

    /// Opens a document again that nobody else knows of, in a space that is made again if nobody knows that either.
    fn bring_control(
        &mut self,
        stage: &mut Stage,
        salvage: &Salvage,
        unsent: &Unsent,
    ) -> Result<(), SessionError> {
        let space = unsent.envelope.place().space;
        if self.staged_space(stage, space).is_err() && !self.bring_space(stage, salvage, space.as_bytes()) {
            quarantine(stage, "again", unsent.envelope.content_id().as_bytes(), &unsent.bytes);
            return Ok(());
        }
        let state = self.staged_space(stage, space)?;
        let opened = state.open_control(&unsent.envelope).and_then(|plain| unpack(&plain).ok());
        let Some(body) = opened.filter(|_| self.check_writable(stage, space).is_ok()) else {
            quarantine(stage, "again", unsent.envelope.content_id().as_bytes(), &unsent.bytes);
            return Ok(());
        };
        if let Ok(message) = OpenDocument::decode(&body)
            && self.staged_document(stage, message.document).is_err()
            && state.side_of(message.document) == message.side()
        {
            let (key, side) = (message.key(), message.side());
            let opened = DocumentState::new(message.document, space, key, message.shard, side);
            stage.open.insert(message.document, Document::new(self.identity.actor()));
            stage.documents.insert(message.document, opened);
        }
        self.stage_envelope(stage, space, DocumentId::CONTROL, &state.key, &body)?;
        Ok(())
    }

    /// Takes over a space that the server never had, with the entry that founds it.
    fn bring_space(&self, stage: &mut Stage, salvage: &Salvage, name: &[u8]) -> bool {
        let state = salvage.get(Table::Space, name).and_then(|body| SpaceState::decode(name, body).ok());
        let Some(state) = state else { return false };
        let Some(genesis) = state.unsent_genesis.clone() else { return false };
        let Ok(entry) = decode::<Signed<SpaceEntry>>(&genesis, MAX_ENTRY_BYTES) else { return false };
        let follower = stage.follower.get_or_insert_with(|| self.follower.clone());
        if follower.found_space(&entry).is_err() {
            return false;
        }
        let (own_seq, own_last, own_membership) = (0, Hash32::ZERO, state.membership);
        let state = SpaceState { own_seq, own_last, own_membership, snapshot_seq: 0, ..state };
        stage.spaces.insert(state.space, state);
        true
    }

    fn bring_edits(
        &mut self,
        document: DocumentId,
        unsent: Vec<Unsent>,
        before: &Identity,
    ) -> Result<u32, SessionError> {
        let mut stage = Stage::default();
        let aside = |stage: &mut Stage, unsent: &Unsent| {
            quarantine(stage, "again", unsent.envelope.content_id().as_bytes(), &unsent.bytes);
        };
        let known = self.documents.get(&document).cloned().filter(|state| state.cuts == 0);
        let Some(state) = known else {
            for unsent in &unsent {
                aside(&mut stage, unsent);
            }
            self.commit(stage, Durability::Full)?;
            return Ok(0);
        };
        let space = self.space_of_document(&state)?.clone();
        let mut payloads = Vec::new();
        for unsent in unsent {
            let opened = open_envelope(&space, &state, &unsent.bytes).ok();
            match opened.and_then(|(_, body)| Payload::decode(&body).ok()) {
                Some(payload) => payloads.push((unsent, payload)),
                None => aside(&mut stage, &unsent),
            }
        }
        let actor = actor_of(&before.signing.verifying_key(), before.incarnation);
        let log = self.follower.space_log(state.space);
        let allowed = log.map_or_else(|| vec![actor], |log| actors_in(log, actor));
        let incoming: Vec<Incoming<'_>> = payloads
            .iter()
            .enumerate()
            .filter_map(|(tag, (_, payload))| Incoming::among(&allowed, payload, tag as u64))
            .collect();
        let current = self.open_document(document)?.clone();
        let admission = current.admit(&incoming);
        let mut taken = Taken::default();
        for (tag, (unsent, payload)) in payloads.iter().enumerate() {
            if admission.accepted.contains(&(tag as u64)) {
                taken.out.push(TakenOut::of(payload));
                taken.envelopes.push((unsent.envelope.content_id(), unsent.bytes.clone()));
            } else {
                aside(&mut stage, unsent);
            }
        }
        let brought = u32::try_from(taken.out.len()).unwrap_or(u32::MAX);
        if brought > 0 {
            // Only in memory: what is kept is what is written again from it.
            self.keep_open(document, admission.next);
            let mut arrivals = Vec::new();
            let staged = self.stage_rewritten(&mut stage, document, &taken, &mut arrivals);
            if let Err(error) = staged {
                self.open.clear();
                return Err(error);
            }
        }
        let done = self.commit(stage, Durability::Full);
        if done.is_err() {
            self.open.clear();
        }
        done.map(|()| brought)
    }
}
