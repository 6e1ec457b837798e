//! Envelopes of other devices: opened, judged, kept. What cannot be judged yet waits outside Automerge; what cannot be
//! trusted is put aside by envelope, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::Topic;
use mecum_documents::{Actor, Document, Incoming, Payload};
use mecum_domain::ChartId;
use mecum_seal::{DeviceId, DocumentId, Envelope, IncarnationId, Place};
use mecum_sync::controls::{holds, is_out};
use mecum_vault::Table;

use crate::care::{may_open, may_stand};
use crate::erasing::{Base, OpenSuccessor, opened_document, pending_name};
use crate::error::SessionError;
use crate::exchange::{by_document, quarantine};
use crate::members::{actors_in, all_actors, keep_void};
use crate::plaintext::{OpenDocument, is_nothing, unpack};
use crate::rows_from::RowPlace;
use crate::session::Session;
use crate::showing::{Shown, admit_shown};
use crate::space::{DocumentState, SpaceState};
use crate::stage::{Stage, rows_of};

/// An envelope of another device, verified up to its seal.
pub(crate) struct Arrival {
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
    /// Whether it lies in the vault's log of its document already.
    pub(crate) kept: bool,
}

/// One that was opened.
pub(crate) struct Opened {
    pub(crate) arrival: Arrival,
    pub(crate) payload: Payload,
}

impl Opened {
    /// Where it stands in its chain, and what it wrote: actor, `change_seq` and time.
    pub(crate) fn logged(&self) -> Option<(Place, Actor, u64, i64)> {
        let actor = self.payload.actor()?;
        let at_ms = self.payload.batch().at_ms;
        Some((self.arrival.envelope.place().clone(), actor, self.payload.change_seq(), at_ms))
    }
}

pub(crate) fn waiting_prefix(document: DocumentId) -> Vec<u8> {
    document.as_bytes().to_vec()
}

pub(crate) fn waiting_name(arrival: &Arrival) -> Vec<u8> {
    [waiting_prefix(arrival.envelope.place().document).as_slice(), arrival.envelope.content_id().as_bytes()]
        .concat()
}

impl Session {
    /// Judges arrivals and stages what they bring.
    pub(crate) fn stage_arrivals(
        &mut self,
        stage: &mut Stage,
        arrivals: Vec<Arrival>,
    ) -> Result<(), SessionError> {
        let (control, content): (Vec<_>, Vec<_>) = arrivals
            .into_iter()
            .partition(|arrival| arrival.envelope.place().document == DocumentId::CONTROL);
        for arrival in control {
            self.stage_control(stage, arrival)?;
        }
        let mut groups = by_document(content);
        // A document that opened just now may have had envelopes waiting for it.
        for document in stage.documents.keys() {
            groups.entry(*document).or_default();
        }
        for (document, arrivals) in groups {
            self.stage_document_arrivals(stage, document, arrivals)?;
        }
        Ok(())
    }

    pub(crate) fn stage_control(&mut self, stage: &mut Stage, arrival: Arrival) -> Result<(), SessionError> {
        let place = arrival.envelope.place().clone();
        let Ok(space) = self.staged_space(stage, place.space) else {
            quarantine(stage, "space", arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            return Ok(());
        };
        let key = space.epoch_key(place.epoch);
        let opened =
            key.and_then(|key| arrival.envelope.open(key).ok()).and_then(|plain| unpack(&plain).ok());
        // A note is by a device of this account, in a space of its own; of anybody else's there is nothing to do.
        if let Some(body) = opened.as_ref().filter(|body| Self::is_account_note(body)) {
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            if Self::is_void(follower, &place) {
                keep_void(stage, &arrival.envelope, &arrival.bytes);
                return Ok(());
            }
            if follower.account_of(place.device) == Some(self.identity.account) {
                self.take_account_note(stage, body);
            }
            stage.appended.push((space.control_log(), arrival.bytes));
            return Ok(());
        }
        let opens = opened.as_ref().and_then(|body| opened_document(body));
        if opens.is_some_and(|document| self.staged_ends(stage, place.space).is_ended(document)) {
            // It has the key of a document that is gone: it is not kept.
            return Ok(());
        }
        if let Some(message) = opened.as_ref().and_then(|body| OpenSuccessor::decode(body)) {
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            // Whoever may write can say that a document takes another's place: in a conversation only one of their own side, of its side.
            let may = may_open(follower, &space, message.document, message.of_side(), place.device);
            if !holds("side-successor", may && space.side_of(message.of) == message.side()) {
                quarantine(stage, "side", arrival.envelope.content_id().as_bytes(), &arrival.bytes);
                return Ok(());
            }
            let from = follower.account_of(place.device);
            if let Some(from) = from.filter(|_| self.staged_document(stage, message.document).is_err()) {
                let body = message.pending(place.space, from).encode();
                stage.puts.push((Table::Sync, pending_name(message.document, from), body));
            }
            stage.appended.push((space.control_log(), arrival.bytes));
            return Ok(());
        }
        if opened.as_ref().is_some_and(|body| is_nothing(body)) {
            stage.appended.push((space.control_log(), arrival.bytes));
            return Ok(());
        }
        let Some(message) = opened.and_then(|body| OpenDocument::decode(&body).ok()) else {
            quarantine(stage, "control", arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            return Ok(());
        };
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        // Nobody opens a document for the other side of a conversation: its words would be theirs. Nor opens anybody another's again.
        let may = may_open(follower, &space, message.document, message.of_side(), place.device);
        if !holds("side-opening", may) {
            quarantine(stage, "side", arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            return Ok(());
        }
        // What takes another's place opens as a manager said, not as anybody who may write says.
        let begins = self.staged_document(stage, message.document).is_err()
            && !self.is_successor(stage, place.space, message.document)?;
        if begins {
            let (key, side) = (message.key(), message.side());
            let state = DocumentState::new(message.document, place.space, key, message.shard, side);
            stage.open.insert(message.document, Document::new(self.identity.actor()));
            stage.documents.insert(message.document, state);
        }
        stage.appended.push((space.control_log(), arrival.bytes));
        Ok(())
    }

    fn stage_document_arrivals(
        &mut self,
        stage: &mut Stage,
        document: DocumentId,
        mut arrivals: Vec<Arrival>,
    ) -> Result<(), SessionError> {
        let Ok(state) = self.staged_document(stage, document) else {
            for arrival in arrivals {
                // Of a document that is gone only its place in the chain is known. Of a space that is not known here nobody can tell yet.
                let space = arrival.envelope.place().space;
                let known = self.staged_space(stage, space).is_ok();
                if known && self.staged_ends(stage, space).is_ended(document) {
                    continue;
                }
                stage.puts.push((Table::Waiting, waiting_name(&arrival), arrival.bytes));
            }
            return Ok(());
        };
        let waiting = self.vault.list_prefix(Table::Waiting, &waiting_prefix(document))?;
        let logged = if waiting.is_empty() { Vec::new() } else { self.places(document)? };
        for (name, bytes) in waiting {
            if stage.deletes.contains(&(Table::Waiting, name.clone())) {
                continue;
            }
            if let Ok(envelope) = Envelope::parse(&bytes) {
                // What was offered again from the log may have waited for what it followed.
                let kept = self.is_logged(&logged, &envelope)?;
                arrivals.push(Arrival { envelope, bytes: bytes.to_vec(), kept });
            }
            stage.deletes.push((Table::Waiting, name));
        }
        let space = self.staged_space(stage, state.space)?;
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let devices = arrivals.iter().map(|arrival| arrival.envelope.place().device);
        let foreign: BTreeSet<DeviceId> =
            devices.filter(|device| !may_stand(follower, &space, state.side, *device)).collect();
        let mut opened = open_arrivals(stage, &space, &state, arrivals, &foreign);
        // Asked of all that is shown: what is here already may be void only now.
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let void = opened.iter().any(|opened| Self::is_void(follower, opened.arrival.envelope.place()));
        if stage.anew.contains(&document) || self.is_reading_again()? {
            self.leave_out_what_is_here(stage, document, &mut opened)?;
        }
        if opened.is_empty() && !void {
            return Ok(());
        }
        if void || state.cuts > 0 || stage.to_replay.contains(&document) {
            return self.stage_replayed(stage, state, opened);
        }
        let current = match stage.open.get(&document) {
            Some(open) => open.clone(),
            None => self.open_document(document)?.clone(),
        };
        let actors = self.actors(stage);
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let incoming: Vec<Incoming<'_>> = opened
            .iter()
            .enumerate()
            .filter_map(|(tag, opened)| {
                let place = opened.arrival.envelope.place();
                let actor = *actors.get(&(place.device, place.incarnation))?;
                // A device that knows of a cut writes under another actor than before it.
                let log = follower.space_log(place.space);
                let allowed = log.map_or_else(|| vec![actor], |log| actors_in(log, actor));
                Incoming::among(&allowed, &opened.payload, tag as u64)
            })
            .collect();
        let chart = self.staged_space(stage, state.space)?.chart;
        let arrived = u64::try_from(self.now_ms()).unwrap_or(0);
        let rows = |next: &Document, tag: u64| {
            let of = usize::try_from(tag).ok().and_then(|tag| opened.get(tag));
            of.map_or_else(Vec::new, |Opened { arrival, payload }| {
                let place = RowPlace {
                    space: state.space,
                    document,
                    device: arrival.envelope.place().device,
                    at_ms: payload.batch().at_ms,
                    own_seq: self.own_seq_of(&arrival.envelope),
                    arrived,
                    side: state.side,
                };
                rows_of(next, payload.batch(), &place)
            })
        };
        let shown = admit_shown(&current, &incoming, &rows);
        self.stage_admitted(stage, state, chart, opened, shown)
    }

    /// Whether an envelope is one of those that lie at these places of the vault's log of its document.
    pub(crate) fn is_logged(
        &self,
        places: &[(u64, Place)],
        envelope: &Envelope,
    ) -> Result<bool, SessionError> {
        let sought = envelope.place();
        let link = |place: &Place| (place.device, place.incarnation, place.envelope_seq);
        for (number, _) in places.iter().filter(|(_, place)| link(place) == link(sought)) {
            let there = self.envelope(sought.document, *number)?;
            let there = there.and_then(|bytes| Envelope::parse(&bytes).ok());
            if there.is_some_and(|there| there.content_id() == envelope.content_id()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is offered again, and comes again: each once, and nothing that the document holds already, as a snapshot had it.
    fn leave_out_what_is_here(
        &mut self,
        stage: &Stage,
        document: DocumentId,
        opened: &mut Vec<Opened>,
    ) -> Result<(), SessionError> {
        let mut seen = BTreeSet::new();
        opened.sort_by_key(|opened| !opened.arrival.kept);
        opened.retain(|opened| seen.insert(opened.arrival.envelope.content_id()));
        let here = match stage.open.get(&document) {
            Some(open) => open,
            None => self.open_document(document)?,
        };
        opened.retain(|opened| !here.has_change(&opened.payload.change_hash()));
        Ok(())
    }

    /// Stages every document for which something waits, so that it is judged once more: everything was shown again.
    pub(crate) fn stage_waiting(&self, stage: &mut Stage) -> Result<(), SessionError> {
        for name in self.vault.names(Table::Waiting)? {
            let document = name.split_at_checked(16).and_then(|(id, _)| DocumentId::from_slice(id));
            if let Some(state) = document.and_then(|document| self.staged_document(stage, document).ok()) {
                stage.documents.insert(state.document, state);
            }
        }
        Ok(())
    }

    fn stage_admitted(
        &mut self,
        stage: &mut Stage,
        mut state: DocumentState,
        chart: ChartId,
        opened: Vec<Opened>,
        shown: Shown,
    ) -> Result<(), SessionError> {
        let Shown { admission, mut rows, unshown } = shown;
        let next = admission.next;
        let mut order: BTreeMap<u64, Opened> =
            opened.into_iter().enumerate().map(|(tag, opened)| (tag as u64, opened)).collect();
        // Its log holds what it was before as well: it is kept whole.
        let mut whole = stage.anew.contains(&state.document);
        for tag in &admission.accepted {
            let Some(Opened { arrival, .. }) = order.remove(tag) else { continue };
            self.stage_rows(stage, chart, rows.remove(tag).unwrap_or_default())?;
            if arrival.kept {
                // It lies below what is read after the local snapshot.
                whole = true;
                continue;
            }
            state.count += 1;
            state.tail_bytes += arrival.bytes.len() as u64;
            stage.appended.push((state.document, arrival.bytes));
        }
        let refused: BTreeMap<u64, String> =
            admission.refused.iter().map(|(tag, refusal)| (*tag, format!("{refusal:?}"))).collect();
        for (tag, Opened { arrival, .. }) in order {
            if admission.waiting.contains(&tag) {
                let name = waiting_name(&arrival);
                stage.deletes.retain(|(table, deleted)| *table != Table::Waiting || *deleted != name);
                stage.puts.push((Table::Waiting, name, arrival.bytes));
            } else {
                let otherwise = if unshown.contains(&tag) { "unshown" } else { "writer" };
                let reason = refused.get(&tag).map_or(otherwise, String::as_str);
                quarantine(stage, reason, arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            }
        }
        state.operations = u32::try_from(next.operations()).unwrap_or(u32::MAX);
        if whole {
            Self::stage_whole(stage, &mut state, &next);
        }
        stage.open.insert(state.document, next);
        stage.documents.insert(state.document, state);
        stage.topics.push(Topic::Record { chart });
        Ok(())
    }

    /// The Automerge actor that each device of each member writes as, in each of its incarnations.
    fn actors(&self, stage: &Stage) -> BTreeMap<(DeviceId, IncarnationId), mecum_documents::Actor> {
        all_actors(stage.follower.as_ref().unwrap_or(&self.follower))
    }
}

/// Opens arrivals; what does not open is put aside, and so are the words of devices that are `foreign` to the document: those of the other
/// side of a conversation. What a document begins with is no word of whoever sent it.
pub(crate) fn open_arrivals(
    stage: &mut Stage,
    space: &SpaceState,
    state: &DocumentState,
    arrivals: Vec<Arrival>,
    foreign: &BTreeSet<DeviceId>,
) -> Vec<Opened> {
    let mut all = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let fits = arrival.envelope.place().space == state.space;
        let plain = if arrival.kept {
            // It was written here, perhaps under the key of an epoch that gave way to another device's.
            space.open(&state.key, &arrival.envelope)
        } else {
            let key = space.document_key(&state.key, arrival.envelope.place().epoch);
            key.and_then(|key| arrival.envelope.open(&key).ok())
        };
        let plain = plain.filter(|_| fits);
        let body = plain.and_then(|plain| unpack(&plain).ok());
        let payload = body.as_ref().and_then(|body| Payload::decode(body).ok());
        // Taken out: a version that cannot read it.
        match payload.filter(|_| !is_out("reads")) {
            Some(_) if foreign.contains(&arrival.envelope.place().device) && !is_out("side-arrival") => {
                quarantine(stage, "side", arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            }
            Some(payload) => all.push(Opened { arrival, payload }),
            // What the document began with comes again where the whole log is read again; it is here already.
            None if body.is_some_and(|body| Base::decode(&body).is_some()) => {}
            None => quarantine(stage, "envelope", arrival.envelope.content_id().as_bytes(), &arrival.bytes),
        }
    }
    all
}
