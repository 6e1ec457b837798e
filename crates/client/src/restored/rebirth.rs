//! A new incarnation of a vault that was put back from an older copy, or cloned: its unsent links are taken out of the documents
//! and written again in a new chain, and the chain that the server has is taken in like another device's. All of it is one step:
//! cut anywhere, it has not begun or it is done.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::Topic;
use mecum_documents::{Payload, Rewritten, TakenOut};
use mecum_domain::Batch;
use mecum_seal::{DocumentId, Envelope, Hash32, SpaceId};
use mecum_sync::{AccountBody, Chain, encode};
use mecum_vault::{Durability, Table};

use super::{GAP, OLDER_COPY};
use crate::account_entries::account_entry_name;
use crate::arrivals::Arrival;
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::heads::OwnChange;
use crate::identity::Identity;
use crate::members::keep_void;
use crate::plaintext::{press, unpack};
use crate::row::Row;
use crate::rows_from::RowPlace;
use crate::session::{Session, open_envelope};
use crate::space::{DocumentState, SpaceState};
use crate::stage::{Stage, place_of, push_name, rows_of, stage_outgoing};

/// Links of the own chain that only the server had, until the new incarnation begins: beside documents' ids, which are 16 bytes.
const LOST: &[u8] = b"lost";

pub(crate) fn lost_name(space: SpaceId, seq: u64) -> Vec<u8> {
    [LOST, space.as_bytes(), &seq.to_be_bytes()].concat()
}

/// An own link that the server does not have: it is written again.
struct Unsent {
    space: SpaceId,
    envelope: Envelope,
    bytes: Vec<u8>,
}

/// What is taken out of one document, to be written again.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) out: Vec<TakenOut>,
    pub(crate) envelopes: Vec<(Hash32, Vec<u8>)>,
}

impl Session {
    /// Whether a chain is the own one as it was before this vault was found to be an older copy.
    pub(crate) fn is_lost_chain(&self, chain: &Chain) -> bool {
        self.is_older_copy() && *chain == self.own_chain(chain.space)
    }

    /// Takes links of the own chain from the server: what is here is confirmed, what is not is kept for the new incarnation.
    pub(crate) fn take_lost(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        envelopes: Vec<(Envelope, Vec<u8>)>,
        void: &[bool],
    ) -> Result<(), SessionError> {
        let state = self.staged_space(stage, chain.space)?;
        for ((envelope, bytes), void) in envelopes.into_iter().zip(void) {
            let seq = envelope.place().envelope_seq;
            let own = if seq <= state.own_seq { self.own_link(&state, seq)? } else { None };
            if own == Some(envelope.content_id()) {
                stage.deletes.push((Table::Sync, push_name(chain.space, seq)));
            } else if *void {
                keep_void(stage, &envelope, &bytes);
                stage.puts.push((Table::Waiting, lost_name(chain.space, seq), Vec::new()));
            } else {
                stage.puts.push((Table::Waiting, lost_name(chain.space, seq), bytes));
            }
        }
        Ok(())
    }

    /// Begins the new incarnation, once the server has shown everything. False if it has shown nothing that this vault lacks: then
    /// nothing was lost, whatever it claimed, and the incarnation stays.
    pub(crate) fn begin_new_life(&mut self) -> Result<bool, SessionError> {
        let mut lost = Vec::new();
        let mut names = Vec::new();
        for (name, bytes) in self.vault.list_prefix(Table::Waiting, LOST)? {
            if bytes.is_empty() {
                // Void, and kept as such: it only tells that this vault is an older copy.
                names.push(name);
                continue;
            }
            let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
            lost.push((name, Arrival { envelope, bytes: bytes.to_vec(), kept: false }));
        }
        if lost.is_empty() && names.is_empty() {
            let mut follower = self.follower.clone();
            follower.begin_incarnation(self.identity.incarnation);
            self.commit(Stage { follower: Some(follower), ..Stage::default() }, Durability::Full)?;
            return Ok(false);
        }
        let reborn = self.identity.reborn(self.follower.incarnation())?;
        let before = std::mem::replace(&mut self.identity, reborn);
        // What is loaded writes as the actor from before.
        self.open.clear();
        let done = self.stage_new_life(lost, names).and_then(|stage| self.commit(stage, Durability::Full));
        if done.is_err() {
            self.identity = before;
            self.open.clear();
        }
        done.map(|()| true)
    }

    fn stage_new_life(
        &mut self,
        lost: Vec<(Vec<u8>, Arrival)>,
        names: Vec<Vec<u8>>,
    ) -> Result<Stage, SessionError> {
        let mut stage = Stage::default();
        self.stage_identity(&mut stage)?;
        for state in self.spaces.values() {
            let (own_seq, own_last, own_membership) = (0, Hash32::ZERO, state.membership);
            let state = SpaceState { own_seq, own_last, own_membership, ..state.clone() };
            stage.spaces.insert(state.space, state);
        }
        for state in self.documents.values() {
            let state = DocumentState { own: Some(OwnChange::NONE), ..state.clone() };
            stage.documents.insert(state.document, state);
        }
        self.stage_rows_of_before(&mut stage)?;
        let mut gone: BTreeSet<(Table, Vec<u8>)> = BTreeSet::new();
        gone.extend(self.vault.names(Table::Outbox)?.into_iter().map(|name| (Table::Outbox, name)));
        // What was sealed again was so in the chain from before.
        let again = self.vault.list_prefix(Table::Sync, b"resealed")?;
        gone.extend(again.into_iter().map(|(name, _)| (Table::Sync, name)));
        let mut taken: BTreeMap<DocumentId, Taken> = BTreeMap::new();
        let gaps = self.gaps()?;
        for (name, unsent) in self.unsent()? {
            gone.insert((Table::Sync, name));
            // What others may hold stays as it is: they may have built on it.
            if gaps.get(&unsent.space).is_none_or(|shown| unsent.envelope.place().envelope_seq > *shown) {
                self.stage_unsent(&mut stage, unsent, &mut taken)?;
            }
        }
        let mut arrivals = Vec::new();
        for (document, taken) in taken {
            self.stage_rewritten(&mut stage, document, &taken, &mut arrivals)?;
        }
        gone.extend(names.into_iter().map(|name| (Table::Waiting, name)));
        for (name, arrival) in lost {
            gone.insert((Table::Waiting, name));
            arrivals.push(arrival);
        }
        // The new chain counts from one again: a name that it uses already is not deleted.
        let put: BTreeSet<(Table, Vec<u8>)> =
            stage.puts.iter().map(|(table, name, _)| (*table, name.clone())).collect();
        stage.deletes.extend(gone.into_iter().filter(|gone| !put.contains(gone)));
        self.stage_arrivals(&mut stage, arrivals)?;
        let now = self.now_ms().to_be_bytes().to_vec();
        if gaps.is_empty() {
            stage.puts.push((Table::Setting, OLDER_COPY.into(), now));
        }
        let over = self.vault.list_prefix(Table::Setting, GAP)?.into_iter();
        stage.deletes.extend(over.map(|(name, _)| (Table::Setting, name)));
        stage.topics.extend([Topic::Charts, Topic::Devices, Topic::Sync]);
        Ok(stage)
    }

    /// The spaces for whose gap a new life begins, and how far the own chain of each had been shown.
    fn gaps(&self) -> Result<BTreeMap<SpaceId, u64>, SessionError> {
        let mut gaps = BTreeMap::new();
        for (name, body) in self.vault.list_prefix(Table::Setting, GAP)? {
            let space = name.strip_prefix(GAP).and_then(SpaceId::from_slice);
            let shown = body.as_slice().try_into().ok().map(u64::from_be_bytes);
            gaps.extend(space.zip(shown));
        }
        Ok(gaps)
    }

    /// Who this device is from here on, and the entry that tells the others.
    fn stage_identity(&self, stage: &mut Stage) -> Result<(), SessionError> {
        let Identity { device, incarnation, .. } = self.identity;
        let mut follower = self.follower.clone();
        let signed = self
            .sign_body(&mut follower, AccountBody::Reincarnate { device, incarnation })
            .map_err(|_| SessionError::Stored { what: "account log" })?;
        let name = account_entry_name(signed.unverified().seq);
        stage.puts.push((Table::Account, name, encode(&signed)));
        stage.puts.push((Table::Account, b"identity".to_vec(), self.identity.encode().to_vec()));
        stage.follower = Some(follower);
        Ok(())
    }

    /// Rows that name a link of the chain from before: their numbers mean something else from here on.
    fn stage_rows_of_before(&mut self, stage: &mut Stage) -> Result<(), SessionError> {
        for chart in self.charts() {
            let staged = stage.rows.entry(chart).or_default();
            for row in self.rows(chart)?.all().filter(|row| row.own_seq > 0) {
                staged.insert((row.document, row.key), Row { own_seq: 0, ..row.clone() });
            }
        }
        Ok(())
    }

    /// The own links that the server has not shown, each chain in order.
    fn unsent(&self) -> Result<Vec<(Vec<u8>, Unsent)>, SessionError> {
        let broken = || SessionError::Stored { what: "outbox" };
        let mut all = Vec::new();
        for (name, place) in self.vault.list_prefix(Table::Sync, b"push")? {
            let (log, number) = place_of(&place).ok_or_else(broken)?;
            let bytes = self.envelope(log, number)?.ok_or_else(broken)?;
            let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
            all.push((name, Unsent { space: envelope.place().space, envelope, bytes }));
        }
        Ok(all)
    }

    /// Opens a document again in the new chain, or notes what is to be written again.
    fn stage_unsent(
        &self,
        stage: &mut Stage,
        unsent: Unsent,
        taken: &mut BTreeMap<DocumentId, Taken>,
    ) -> Result<(), SessionError> {
        let Unsent { space, envelope, bytes } = unsent;
        let document = envelope.place().document;
        if document == DocumentId::CONTROL {
            let state = self.staged_space(stage, space)?;
            let opened = state.open_control(&envelope).and_then(|plain| unpack(&plain).ok());
            match opened.filter(|_| self.check_writable(stage, space).is_ok()) {
                Some(body) => {
                    self.stage_envelope(stage, space, document, &state.key, &body)?;
                }
                None => quarantine(stage, "again", envelope.content_id().as_bytes(), &bytes),
            }
            return Ok(());
        }
        let state = self.staged_document(stage, document)?;
        let (_, body) = open_envelope(&self.staged_space(stage, state.space)?, &state, &bytes)?;
        let payload = Payload::decode(&body).map_err(|_| SessionError::Envelope)?;
        let of = taken.entry(document).or_default();
        of.out.push(TakenOut::of(&payload));
        of.envelopes.push((envelope.content_id(), bytes));
        Ok(())
    }

    pub(crate) fn stage_rewritten(
        &mut self,
        stage: &mut Stage,
        document: DocumentId,
        taken: &Taken,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<(), SessionError> {
        let actor = self.identity.actor();
        let Rewritten { mut next, payloads, refused, left_out } =
            self.open_document(document)?.rewrite(&taken.out, actor)?;
        for place in refused {
            if let Some((id, bytes)) = taken.envelopes.get(place) {
                quarantine(stage, "again", id.as_bytes(), bytes);
            }
        }
        if !left_out.is_empty() {
            arrivals.extend(self.writers_of(document, &left_out)?);
        }
        let mut state = self.staged_document(stage, document)?;
        let chart = self.staged_space(stage, state.space)?.chart;
        let writable = self.check_writable(stage, state.space).is_ok();
        if !writable {
            // The stay in this space has ended: what was not sent before cannot be any more. It is kept and counted.
            let nothing: Vec<_> = taken
                .out
                .iter()
                .map(|out| TakenOut { batch: Batch { at_ms: 0, edits: Vec::new() }, ..out.clone() })
                .collect();
            next = self.open_document(document)?.rewrite(&nothing, actor)?.next;
            taken.envelopes.iter().for_each(|(id, bytes)| quarantine(stage, "again", id.as_bytes(), bytes));
        }
        for (_, payload) in payloads.into_iter().filter(|_| writable) {
            let key = self.key_to_write(stage, &state)?;
            let seq = self.stage_envelope(stage, state.space, document, &key, &payload.encode())?;
            state.count += 1;
            state.own = Some(OwnChange { seq: payload.change_seq(), hash: payload.change_hash() });
            let at_ms = payload.batch().at_ms;
            let place = RowPlace {
                space: state.space,
                document,
                device: self.identity.device,
                at_ms,
                own_seq: seq,
                arrived: u64::try_from(at_ms).unwrap_or(0),
                side: state.side,
            };
            let rows = rows_of(&next, payload.batch(), &place);
            stage_outgoing(stage, &rows, state.space, seq, at_ms);
            self.stage_rows(stage, chart, rows)?;
        }
        // The log keeps what was taken out; what is loaded from here on is this.
        let saved = press(&next.save());
        state.snapshot_at = state.count;
        state.snapshot_bytes = saved.len() as u64;
        state.tail_bytes = 0;
        state.operations = u32::try_from(next.operations()).unwrap_or(u32::MAX);
        stage.puts.push((Table::Snapshot, document.as_bytes().to_vec(), saved));
        stage.topics.push(Topic::Record { chart });
        stage.documents.insert(document, state);
        stage.open.insert(document, next);
        Ok(())
    }

    /// The envelopes of changes in a document's log: they are offered to it again, and wait for what they build on.
    fn writers_of(&self, document: DocumentId, changes: &[[u8; 32]]) -> Result<Vec<Arrival>, SessionError> {
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let space = self.space_of_document(state)?;
        let mut found = Vec::new();
        for (_, bytes) in self.envelopes(document, 0)? {
            let (envelope, body) = open_envelope(space, state, &bytes)?;
            let payload = Payload::decode(&body).map_err(|_| SessionError::Envelope)?;
            if changes.contains(&payload.change_hash()) {
                found.push(Arrival { envelope, bytes, kept: false });
            }
        }
        Ok(found)
    }
}
