//! What counts for nothing: acts beyond a cut. They stay in the log as evidence. Where one had been applied, or honest words were
//! built on one, the document is built again without it, the same way on every device (ADR 0013).

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::{Topic, Verb};
use mecum_documents::{Actor, Cut, Document, Incoming, Payload, Replayed};
use mecum_domain::{Edit, FinishedKey};
use mecum_seal::{DeviceId, DocumentId, Envelope, IncarnationId, Place, SpaceId};
use mecum_sync::controls::is_out;
use mecum_sync::{Chain, CutSet, Follower, SpaceLog};
use mecum_vault::Table;

use super::{all_actors, in_force};
use crate::arrivals::{Opened, waiting_name};
use crate::error::SessionError;
use crate::exchange::quarantine;
use crate::plaintext::press;
use crate::residue::Stands;
use crate::row::{ChartRows, ItemKey, Row};
use crate::rows_from::{RowPlace, row_of_entry, row_of_finished};
use crate::session::{Session, open_envelope};
use crate::space::DocumentState;
use crate::stage::Stage;
use crate::times::{Noted, Times};

const LOG: SessionError = SessionError::Stored { what: "space log" };

const REPLAYED: SessionError = SessionError::Stored { what: "replayed document" };

/// The name under which the vault keeps what was done to a document from which a cut took something.
pub(crate) fn replayed_name(document: DocumentId) -> Vec<u8> {
    [document.as_bytes().as_slice(), b"replayed"].concat()
}

/// Keeps a void envelope as evidence.
pub(crate) fn keep_void(stage: &mut Stage, envelope: &Envelope, bytes: &[u8]) {
    let name = [b"void".as_slice(), envelope.content_id().as_bytes()].concat();
    stage.puts.push((Table::Sync, name, bytes.to_vec()));
}

/// An envelope of a document's log, as far as cuts ask.
pub(crate) struct Logged {
    place: Place,
    actor: Actor,
    change_seq: u64,
    at_ms: i64,
    /// An own one that the server has not shown: where it will stand is not known yet, and nobody else has it.
    unsent: bool,
}

impl Logged {
    /// Whether it lies beyond the cuts of one entry.
    pub(super) fn is_beyond(&self, follower: &Follower, log: &SpaceLog, set: &CutSet) -> bool {
        !self.unsent && is_beyond(follower, log, set, &self.place)
    }
}

impl Session {
    /// Whether what was agreed with a member lets them write. The role alone is what the server sees; whoever signed the one with
    /// the other would give more than was said.
    pub(crate) fn may_write_by_terms(&self, stage: &Stage, follower: &Follower, chain: &Chain) -> bool {
        let Some(account) = follower.account_of(chain.device) else { return true };
        let stored = self.staged_member(stage, chain.space, account);
        stored.is_none_or(|stored| stored.terms.allows(Verb::Write))
    }

    /// Whether an envelope lies beyond a cut that is in force.
    pub(crate) fn is_void(follower: &Follower, place: &Place) -> bool {
        let log = follower.space_log(place.space);
        log.is_some_and(|log| in_force(follower, log).any(|set| is_beyond(follower, log, set, place)))
    }

    /// What cuts have done to a document so far.
    pub(crate) fn replayed(&self, stage: &Stage, state: &DocumentState) -> Result<Replayed, SessionError> {
        if let Some(replayed) = stage.replayed.get(&state.document) {
            return Ok(replayed.clone());
        }
        if state.cuts == 0 || stage.anew.contains(&state.document) {
            return Ok(Replayed::none(*state.document.as_bytes()));
        }
        let body = self.vault.get(Table::Snapshot, &replayed_name(state.document))?.ok_or(REPLAYED)?;
        Replayed::decode(&body).map_err(|_| REPLAYED)
    }

    /// Keeps a document from which a cut took something: its tail cannot be read back without what the cut did, so it is kept
    /// whole each time.
    pub(crate) fn stage_whole(stage: &mut Stage, state: &mut DocumentState, document: &Document) {
        let saved = press(&document.save());
        state.snapshot_at = state.count;
        state.snapshot_bytes = saved.len() as u64;
        state.tail_bytes = 0;
        state.operations = u32::try_from(document.operations()).unwrap_or(u32::MAX);
        stage.puts.push((Table::Snapshot, state.document.as_bytes().to_vec(), saved));
    }

    pub(super) fn logged(&self, stage: &Stage, state: &DocumentState) -> Result<Vec<Logged>, SessionError> {
        let space = self.staged_space(stage, state.space)?;
        let mut all = Vec::new();
        for Stands { place, actor, change_seq, at_ms } in self.stands(state, &space)? {
            all.push(self.logged_at(stage, place, (actor, change_seq, at_ms))?);
        }
        for (_, bytes) in stage.appended.iter().filter(|(log, _)| *log == state.document) {
            let (envelope, body) = open_envelope(&space, state, bytes)?;
            let glance = Payload::glance(&body).map_err(|_| SessionError::Envelope)?;
            let written = (glance.actor, glance.change_seq, glance.at_ms);
            all.push(self.logged_at(stage, envelope.place().clone(), written)?);
        }
        Ok(all)
    }

    /// An own link that was sealed again stands where it was sealed last: whoever comes back sends what was written meanwhile.
    fn logged_at(
        &self,
        stage: &Stage,
        mut place: Place,
        (actor, change_seq, at_ms): (Actor, u64, i64),
    ) -> Result<Logged, SessionError> {
        let own = self.own_chain(place.space);
        let mut unsent = false;
        if (place.device, place.incarnation) == (own.device, own.incarnation) {
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            unsent = place.envelope_seq > follower.ever_shown(place.space);
            let again = self.resealed(place.space, place.envelope_seq)?;
            if let Some(again) = again.and_then(|bytes| Envelope::parse(&bytes).ok()) {
                place.membership_head = again.place().membership_head;
            }
        }
        Ok(Logged { place, actor, change_seq, at_ms, unsent })
    }

    /// Judges what arrives for a document that has, or needs, cuts: builds it again where something that was applied is void, then
    /// takes in what arrived, honest words that were built on void ones too.
    pub(crate) fn stage_replayed(
        &mut self,
        stage: &mut Stage,
        mut state: DocumentState,
        opened: Vec<Opened>,
    ) -> Result<(), SessionError> {
        stage.to_replay.remove(&state.document);
        let follower = stage.follower.clone().unwrap_or_else(|| self.follower.clone());
        let log = follower.space_log(state.space).ok_or(LOG)?.clone();
        let actors = all_actors(&follower);
        let mut logged = self.logged(stage, &state)?;
        for (place, actor, change_seq, at_ms) in opened.iter().filter_map(Opened::logged) {
            logged.push(self.logged_at(stage, place, (actor, change_seq, at_ms))?);
        }
        let mut current = match stage.open.get(&state.document) {
            Some(open) => open.clone(),
            None => self.open_document(state.document)?.clone(),
        };
        let mut replayed = self.replayed(stage, &state)?;
        let own = self.identity.actor();
        for set in in_force(&follower, &log) {
            let Some(hash) = log.head_at(set.entry) else { continue };
            let done = replayed.cuts().any(|cut| cut.cut == *hash.as_bytes());
            let concerned = logged.iter().any(|logged| logged.is_beyond(&follower, &log, set));
            if done || !concerned {
                continue;
            }
            if !is_all_shown(&follower, state.space, set) {
                // Which words still count is known when everything up to the cut is here.
                for opened in opened {
                    let name = waiting_name(&opened.arrival);
                    stage.deletes.retain(|(table, gone)| *table != Table::Waiting || *gone != name);
                    stage.puts.push((Table::Waiting, name, opened.arrival.bytes));
                }
                return Ok(());
            }
            let void = void_of(&follower, &log, set, &logged, &actors, &replayed);
            let cut = Cut { cut: *hash.as_bytes(), void };
            (current, replayed) = current.replay(&replayed, cut, own).map_err(|_| REPLAYED)?;
        }
        let incoming: Vec<Incoming<'_>> = opened
            .iter()
            .enumerate()
            .filter_map(|(tag, opened)| {
                let place = opened.arrival.envelope.place();
                let first = *actors.get(&(place.device, place.incarnation))?;
                let allowed = actors_in(&log, first);
                Incoming::among(&allowed, &opened.payload, tag as u64)
            })
            .collect();
        let admission = current.admit_replayed(&replayed, &incoming).map_err(|_| REPLAYED)?;
        let (accepted, waiting) = (admission.accepted, admission.waiting);
        let refused: BTreeMap<u64, String> =
            admission.refused.iter().map(|(tag, refusal)| (*tag, format!("{refusal:?}"))).collect();
        let mut whole = stage.anew.contains(&state.document);
        for (tag, opened) in opened.into_iter().enumerate() {
            let tag = tag as u64;
            let arrival = opened.arrival;
            if accepted.contains(&tag) && arrival.kept {
                // It lies in the log already, below what is read after the local snapshot.
                whole = true;
            } else if accepted.contains(&tag) {
                state.count += 1;
                stage.appended.push((state.document, arrival.bytes));
            } else if waiting.contains(&tag) {
                let name = waiting_name(&arrival);
                stage.deletes.retain(|(table, deleted)| *table != Table::Waiting || *deleted != name);
                stage.puts.push((Table::Waiting, name, arrival.bytes));
            } else {
                let reason = refused.get(&tag).map_or("writer", String::as_str);
                quarantine(stage, reason, arrival.envelope.content_id().as_bytes(), &arrival.bytes);
            }
        }
        state.cuts = u32::try_from(admission.state.cuts().count()).unwrap_or(u32::MAX);
        if state.cuts == 0 {
            return self.stage_uncut(stage, state, (admission.next, whole), &logged);
        }
        Self::stage_whole(stage, &mut state, &admission.next);
        let name = replayed_name(state.document);
        stage.deletes.retain(|(table, gone)| *table != Table::Snapshot || *gone != name);
        stage.puts.push((Table::Snapshot, name, admission.state.encode()));
        self.stage_rows_again(stage, &state, &admission.next, &admission.state, &logged)?;
        stage.replayed.insert(state.document, admission.state);
        stage.open.insert(state.document, admission.next);
        stage.documents.insert(state.document, state);
        Ok(())
    }

    /// Nothing of it was touched by any cut after all. It may have to be kept whole.
    fn stage_uncut(
        &mut self,
        stage: &mut Stage,
        mut state: DocumentState,
        (next, whole): (Document, bool),
        logged: &[Logged],
    ) -> Result<(), SessionError> {
        let none = Replayed::none(*state.document.as_bytes());
        state.operations = u32::try_from(next.operations()).unwrap_or(u32::MAX);
        if whole {
            Self::stage_whole(stage, &mut state, &next);
        }
        self.stage_rows_again(stage, &state, &next, &none, logged)?;
        stage.open.insert(state.document, next);
        stage.documents.insert(state.document, state);
        Ok(())
    }

    /// The rows of a document anew, each by who touched it last; what is no longer in it goes.
    pub(crate) fn stage_rows_again(
        &mut self,
        stage: &mut Stage,
        state: &DocumentState,
        document: &Document,
        replayed: &Replayed,
        logged: &[Logged],
    ) -> Result<(), SessionError> {
        let chart = self.staged_space(stage, state.space)?.chart;
        let follower = stage.follower.clone().unwrap_or_else(|| self.follower.clone());
        let log = follower.space_log(state.space).ok_or(LOG)?.clone();
        let mut devices: BTreeMap<Actor, DeviceId> = BTreeMap::new();
        for ((device, _), first) in all_actors(&follower) {
            devices.extend(actors_in(&log, first).into_iter().map(|actor| (actor, device)));
        }
        let known = self.documents.contains_key(&state.document);
        let mut times = if known { self.times(state.document)? } else { Times::new() };
        let name = crate::times::times_name(state.document);
        if let Some((_, _, body)) = stage.puts.iter().rev().find(|(_, put, _)| *put == name) {
            // A snapshot that came in the same step.
            times.extend(crate::times::stored_times(body)?);
        }
        for logged in logged {
            let noted = Noted { at_ms: logged.at_ms, own_seq: 0 };
            times.entry((logged.actor, logged.change_seq)).or_insert(noted);
        }
        let mut last: BTreeMap<ItemKey, (i64, DeviceId, u64)> = BTreeMap::new();
        for step in document.steps().map_err(|_| SessionError::Envelope)? {
            let (actor, seq) = replayed.origin(step.actor, step.change_seq);
            let Some(device) = devices.get(&actor) else { continue };
            let noted = times.get(&(actor, seq));
            let at_ms = noted.map_or(0, |noted| noted.at_ms);
            for edit in &step.edits {
                let key = match edit {
                    Edit::Add { entry, .. } | Edit::Set { entry, .. } => ItemKey::Entry(*entry.as_bytes()),
                    Edit::Keep { key, .. } => ItemKey::Finished(*key.as_bytes()),
                };
                let own_seq = noted.map_or(0, |noted| noted.own_seq);
                let by = last.entry(key).or_insert((at_ms, *device, own_seq));
                let seq = by.2.max(own_seq);
                *by =
                    if (at_ms, *device) >= (by.0, by.1) { (at_ms, *device, seq) } else { (by.0, by.1, seq) };
            }
        }
        for touched in self.successor_info(stage, state.document)?.iter().flat_map(|info| &info.items) {
            let by = last.entry(touched.key).or_insert((touched.at_ms, touched.device, 0));
            (by.0, by.1) = (by.0, by.1).max((touched.at_ms, touched.device));
        }
        let arrived = u64::try_from(self.now_ms()).unwrap_or(0);
        let held: BTreeMap<ItemKey, (i64, DeviceId, u64)> = self
            .charts
            .get(&chart)
            .into_iter()
            .flat_map(|loaded| loaded.rows.of_document(state.document))
            .map(|row| (row.key, (row.at_ms, row.device, row.arrived)))
            .collect();
        let place = |key: ItemKey| {
            let (at_ms, device, own_seq) = last.get(&key).copied().unwrap_or((0, self.identity.device, 0));
            // What stands as it stood is no news.
            let before = held.get(&key).filter(|(at, by, _)| (*at, *by) == (at_ms, device));
            let arrived = before.map_or(arrived, |(_, _, arrived)| *arrived);
            let DocumentState { space, document, side, .. } = *state;
            RowPlace { space, document, device, at_ms, own_seq, arrived, side }
        };
        let entries = document.entries().map(|entry| {
            let place = place(ItemKey::Entry(*entry.id.as_bytes()));
            row_of_entry(&entry, &place)
        });
        let finished = document.finished().map(|(key, bytes)| {
            let place = place(ItemKey::Finished(*key.as_bytes()));
            row_of_finished(FinishedKey::from_bytes(*key.as_bytes()), &bytes, &place)
        });
        let rows: Vec<Row> = entries.chain(finished).collect();
        let there: BTreeSet<ItemKey> = rows.iter().map(|row| row.key).collect();
        if self.spaces_of(chart).next().is_some() {
            self.load_chart(chart)?;
        }
        let known = self.charts.get(&chart).map(|loaded| &loaded.rows);
        let gone: Vec<ItemKey> = known
            .into_iter()
            .flat_map(|rows: &ChartRows| rows.of_document(state.document))
            .filter(|row| !there.contains(&row.key))
            .map(|row| row.key)
            .collect();
        let staged = stage.rows.entry(chart).or_default();
        staged.retain(|(document, key), _| *document != state.document || there.contains(key));
        staged.extend(rows.into_iter().map(|row| ((state.document, row.key), row)));
        stage.gone_rows.extend(gone.into_iter().map(|key| (chart, state.document, key)));
        stage.topics.push(Topic::Record { chart });
        Ok(())
    }
}

/// Every actor under which a device may have written in a space, whatever cuts its copy of a document knew of.
pub(crate) fn actors_in(log: &SpaceLog, first: Actor) -> Vec<Actor> {
    let cuts = log.cut_sets().iter().filter_map(|set| log.head_at(set.entry));
    std::iter::once(first)
        .chain(cuts.map(|hash| mecum_documents::actor_after(first, hash.as_bytes())))
        .collect()
}

/// Whether an envelope lies beyond the cuts of one entry.
fn is_beyond(follower: &Follower, log: &SpaceLog, set: &CutSet, place: &Place) -> bool {
    let Some(last) = last_of(set, place.device, place.incarnation) else { return false };
    let before = if set.ended { set.entry } else { u64::MAX };
    !is_out("void")
        && follower.account_of(place.device) == Some(set.account)
        && log.seq_of(place.membership_head).is_some_and(|seq| seq < before)
        && place.envelope_seq > last
}

/// The last link of a chain that counts by these cuts; none if they do not concern it.
pub(super) fn last_of(set: &CutSet, device: DeviceId, incarnation: IncarnationId) -> Option<u64> {
    let named = set.cuts.iter().find(|cut| cut.device == device && cut.incarnation == incarnation);
    let concerned = set.ended || set.cuts.iter().any(|cut| cut.device == device);
    named.map(|cut| cut.envelope_seq).or(concerned.then_some(0))
}

/// Whether every chain is held up to where it was cut, whether or not a restored server has shown it again.
fn is_all_shown(follower: &Follower, space: SpaceId, set: &CutSet) -> bool {
    let held: BTreeMap<Chain, u64> =
        follower.furthest(space).into_iter().map(|(chain, head)| (chain, head.envelope_seq)).collect();
    set.cuts.iter().all(|cut| {
        let chain = Chain { device: cut.device, incarnation: cut.incarnation, space };
        held.get(&chain).copied().unwrap_or(0) >= cut.envelope_seq
    })
}

/// Of each actor of the chains that an entry cuts, the last change in this document that counts.
fn void_of(
    follower: &Follower,
    log: &SpaceLog,
    set: &CutSet,
    logged: &[Logged],
    actors: &BTreeMap<(DeviceId, IncarnationId), Actor>,
    replayed: &Replayed,
) -> BTreeMap<Actor, u64> {
    let mut void = BTreeMap::new();
    for ((device, incarnation), first) in actors {
        let concerned = follower.account_of(*device) == Some(set.account)
            && last_of(set, *device, *incarnation).is_some();
        if !concerned {
            continue;
        }
        for actor in replayed.actors_of(*first) {
            let of_actor = logged.iter().filter(|logged| logged.actor == actor);
            // What came folded into a snapshot, and not by an envelope, stands: its writer had stated it before the cut.
            let beyond = of_actor
                .filter(|logged| logged.is_beyond(follower, log, set))
                .map(|logged| logged.change_seq)
                .min();
            if let Some(first_void) = beyond {
                void.insert(actor, first_void.saturating_sub(1));
            } else {
                let last = logged.iter().filter(|logged| logged.actor == actor);
                if let Some(last) = last.map(|logged| logged.change_seq).max() {
                    void.insert(actor, last);
                }
            }
        }
    }
    void
}
