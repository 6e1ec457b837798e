//! Taking a snapshot: what a device that begins checks before anything of it is kept.

use std::collections::BTreeMap;

use mecum_api::Topic;
use mecum_documents::{Actor, Document, Limits, Link, LoadError, Step};
use mecum_domain::{Edit, FinishedKey};
use mecum_seal::{DeviceId, DocumentId, Envelope};
use mecum_sync::controls::holds;
use mecum_sync::{Chain, Follower, SnapshotBody};
use mecum_vault::Table;

use super::{check_writers, links_of_devices, part_key, stated, work_out};
use crate::broken::contained;
use crate::erasing::{Ends, InSnapshot, Info, info_name};
use crate::error::SessionError;
use crate::heads::OwnChange;
use crate::plaintext::{OpenDocument, SnapshotPart, press};
use crate::row::{ItemKey, Row};
use crate::rows_from::{RowPlace, row_of_entry, row_of_finished};
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};
use crate::stage::Stage;
use crate::times::{Times, decode_times, store_times, times_name};

/// Why a snapshot is not taken. Its space is then fetched by its envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedSnapshot {
    /// A part does not open, or is not what its place says.
    #[error("a part cannot be read")]
    Part,
    /// A document is named twice, or has no part, or a part has no document.
    #[error("parts and documents do not fit")]
    Parts,
    /// A document in it cannot be opened, or holds a change that no device of ours writes.
    #[error("a document is refused")]
    Document(LoadError),
    /// A change by somebody who has no chain in the space.
    #[error("it holds changes of an unknown writer")]
    Writer,
    /// A writer's statement is about other changes than are in it.
    #[error("it holds other changes than a writer stated")]
    Heads,
    /// A change in a document of the other side of a conversation than its writer's, or a document of another side than its id.
    #[error("it holds changes of a writer of the other side")]
    Side,
    /// Reading it panics.
    #[error("a step of this program breaks on it")]
    Broken,
}

impl Session {
    /// Stages a space that begins from a snapshot which the follower verified. On an error nothing of it may be kept.
    pub(crate) fn stage_snapshot(
        &mut self,
        stage: &mut Stage,
        follower: &Follower,
        body: &SnapshotBody,
        parts: &[Envelope],
    ) -> Result<Result<(), RefusedSnapshot>, SessionError> {
        let Ok(mut state) = self.staged_space(stage, body.space) else {
            return Ok(Err(RefusedSnapshot::Part));
        };
        // What panics on it panics each time that it is shown, and would stop every exchange.
        let judged = contained(|| self.judge_snapshot(stage, follower, &state, body, parts));
        let Judged { parts, notes } = match judged.unwrap_or(Ok(Err(RefusedSnapshot::Broken)))? {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused)),
        };
        let documents: Vec<DocumentId> = parts.iter().map(|judged| judged.part.state.document).collect();
        if follower.account_of(body.device) == Some(self.identity.account) {
            stage.notes.extend(notes);
        }
        for chain in &body.chains {
            let name = Chain { device: chain.device, incarnation: chain.incarnation, space: body.space };
            if name != self.own_chain(body.space) {
                self.note_came_folded(stage, &name, chain.head)?;
            }
            if self.is_lost_chain(&name) {
                let opened = parts.iter().map(|judged| &judged.part);
                let documents = opened.map(|part| (part.state.document, &part.document)).collect();
                self.confirm_lost(stage, &name, chain.head, &documents)?;
            }
        }
        // What is here of the space is built anew over it; what it does not hold is offered again.
        self.stage_anew(stage, body.space, &documents)?;
        let care = state.care.clone();
        let ends = Ends::of(follower.space_log(body.space), care.as_ref());
        for JudgedPart { part, rows, chunk } in parts {
            let OpenedPart { mut state, document, links, encoded_times, info, .. } = part;
            let known = self.staged_document(stage, state.document);
            if known.is_err() && self.ended_here(ends, state.document) {
                // It was folded before it ended: what took its place stands here already.
                continue;
            }
            if let Ok(known) = known {
                if known.space != state.space || known.key.expose() != state.key.expose() {
                    return Ok(Err(RefusedSnapshot::Parts));
                }
                state = known;
            }
            let links = links_of_devices(&links, info.as_ref());
            if let Some(info) = &info {
                stage.puts.push((Table::Snapshot, info_name(state.document), info.encode()));
            }
            state.snapshot_bytes = chunk.len() as u64;
            state.operations = u32::try_from(document.operations()).unwrap_or(u32::MAX);
            let name = state.document.as_bytes().to_vec();
            stage.puts.push((Table::Snapshot, name, chunk));
            let times = store_times(&links, &encoded_times);
            stage.deletes.retain(|(_, name)| *name != times_name(state.document));
            stage.puts.push((Table::Snapshot, times_name(state.document), times));
            let chart = self.staged_space(stage, state.space)?.chart;
            stage.open.insert(state.document, document);
            stage.documents.insert(state.document, state);
            self.stage_rows(stage, chart, rows)?;
            stage.topics.push(Topic::Record { chart });
        }
        state.snapshot_seq = body.space_seq;
        stage.spaces.insert(body.space, state);
        Ok(Ok(()))
    }

    /// Opens a snapshot, checks it against what its writers stated, and makes what is to be kept of it. It changes nothing.
    fn judge_snapshot(
        &self,
        stage: &Stage,
        follower: &Follower,
        state: &SpaceState,
        body: &SnapshotBody,
        parts: &[Envelope],
    ) -> Result<Result<Judged, RefusedSnapshot>, SessionError> {
        mecum_trip::here("take-snapshot");
        let (opened, notes) = match open_parts(state, parts, self.identity.actor()) {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut links = BTreeMap::new();
        for part in &opened {
            links.insert(part.state.document, part.links.clone());
        }
        let documents: Vec<DocumentId> = links.keys().copied().collect();
        let inside = in_snapshot(body, &documents, &opened);
        let Some(signed) = self.signed_successors(stage, follower, state, inside)? else {
            return Ok(Err(RefusedSnapshot::Heads));
        };
        let stated = |chain: &Chain| stated(follower, chain);
        let writers = check_writers(follower, state, &body.chains, &links, &signed, stated);
        let writers = match writers {
            Ok(writers) => writers,
            Err(refused) => return Ok(Err(refused)),
        };
        let arrived = u64::try_from(self.now_ms()).unwrap_or(0);
        let judged = |part: OpenedPart| {
            let rows = rows_of_steps(&part, &writers, arrived);
            let chunk = press(&part.document.save());
            JudgedPart { part, rows, chunk }
        };
        Ok(Ok(Judged { parts: opened.into_iter().map(judged).collect(), notes }))
    }

    /// Whether a document ended, and one that came after it is held here.
    fn ended_here(&self, ends: Ends<'_>, document: DocumentId) -> bool {
        let mut at = document;
        // No longer than the log: what took a place never stood in one before.
        ends.iter().any(|_| {
            let next = ends.successor_of(at);
            at = next.unwrap_or(at);
            next.is_some_and(|next| self.documents.contains_key(&next))
        })
    }
}

/// A snapshot that is what its writers stated.
struct Judged {
    parts: Vec<JudgedPart>,
    notes: Vec<Vec<u8>>,
}

/// A document of one, its rows, and its bytes as they are kept.
struct JudgedPart {
    part: OpenedPart,
    rows: Vec<Row>,
    chunk: Vec<u8>,
}

/// A document out of a snapshot.
pub(super) struct OpenedPart {
    pub(super) state: DocumentState,
    pub(super) document: Document,
    steps: Vec<Step>,
    pub(super) links: BTreeMap<Actor, Link>,
    times: Times,
    encoded_times: Vec<u8>,
    pub(super) info: Option<Info>,
}

/// What the successors in a snapshot are judged by.
pub(super) fn in_snapshot<'a>(
    body: &SnapshotBody,
    documents: &'a [DocumentId],
    opened: &[OpenedPart],
) -> InSnapshot<'a> {
    let begun = opened
        .iter()
        .filter_map(|part| Some((part.state.document, part.document.clone(), part.info.clone()?)));
    InSnapshot { membership: body.membership_head, documents, begun: begun.collect() }
}

pub(super) fn open_parts(
    state: &SpaceState,
    parts: &[Envelope],
    actor: Actor,
) -> Result<(Vec<OpenedPart>, Vec<Vec<u8>>), RefusedSnapshot> {
    let (keys, parts) = parts.split_first().ok_or(RefusedSnapshot::Parts)?;
    if keys.place().document != DocumentId::CONTROL {
        return Err(RefusedSnapshot::Parts);
    }
    let epoch = keys.place().epoch;
    let epoch_key = state.epoch_key(epoch).ok_or(RefusedSnapshot::Part)?;
    let plain = keys.open(&part_key(epoch_key)).map_err(|_| RefusedSnapshot::Part)?;
    let openings = SnapshotPart::decode_keys(&plain).map_err(|_| RefusedSnapshot::Part)?;
    let (mut documents, mut notes) = (BTreeMap::new(), Vec::new());
    for opening in openings {
        if Session::is_account_note(&opening) {
            notes.push(opening.to_vec());
            continue;
        }
        let message = OpenDocument::decode(&opening).map_err(|_| RefusedSnapshot::Part)?;
        // Whoever wrote in it is asked by the side; one in which nobody wrote yet is asked here.
        let side = message.side();
        if !holds("side-parts", state.side_of(message.document) == side) {
            return Err(RefusedSnapshot::Side);
        }
        let opened = DocumentState::new(message.document, state.space, message.key(), message.shard, side);
        if documents.insert(message.document, opened).is_some() {
            return Err(RefusedSnapshot::Parts);
        }
    }
    let mut opened = Vec::with_capacity(parts.len());
    for envelope in parts {
        let of_space = state;
        let state = documents.remove(&envelope.place().document).ok_or(RefusedSnapshot::Parts)?;
        let key = of_space.document_key(&state.key, epoch).ok_or(RefusedSnapshot::Part)?;
        let plain = envelope.open(&part_key(&key)).map_err(|_| RefusedSnapshot::Part)?;
        let part = SnapshotPart::decode(&plain).map_err(|_| RefusedSnapshot::Part)?;
        let columns = part.columns().map_err(|_| RefusedSnapshot::Part)?;
        let (document, steps) =
            Document::load_compact(&columns, &part.ids, &work_out, actor, Limits::default())
                .map_err(RefusedSnapshot::Document)?;
        let links = document.links().map_err(RefusedSnapshot::Document)?.clone();
        let info =
            part.info.as_deref().map(|info| Info::decode(info).ok_or(RefusedSnapshot::Part)).transpose()?;
        let of_devices = links_of_devices(&links, info.as_ref());
        let times = decode_times(&part.times, &of_devices).map_err(|_| RefusedSnapshot::Part)?;
        let state = DocumentState { own: Some(OwnChange::NONE), ..state };
        opened.push(OpenedPart { state, document, steps, links, times, encoded_times: part.times, info });
    }
    if documents.is_empty() { Ok((opened, notes)) } else { Err(RefusedSnapshot::Parts) }
}

/// The rows of a document as its whole history leaves them: each by who touched it last.
fn rows_of_steps(part: &OpenedPart, writers: &BTreeMap<Actor, DeviceId>, arrived: u64) -> Vec<Row> {
    let mut last: BTreeMap<ItemKey, (i64, DeviceId)> = BTreeMap::new();
    for step in &part.steps {
        let Some(device) = writers.get(&step.actor) else { continue };
        let at_ms = part.times.get(&(step.actor, step.change_seq)).map_or(0, |noted| noted.at_ms);
        for edit in &step.edits {
            let key = match edit {
                Edit::Add { entry, .. } | Edit::Set { entry, .. } => ItemKey::Entry(*entry.as_bytes()),
                Edit::Keep { key, .. } => ItemKey::Finished(*key.as_bytes()),
            };
            let by = last.entry(key).or_insert((at_ms, *device));
            *by = (*by).max((at_ms, *device));
        }
    }
    for touched in part.info.iter().flat_map(|info| &info.items) {
        let by = last.entry(touched.key).or_insert((touched.at_ms, touched.device));
        *by = (*by).max((touched.at_ms, touched.device));
    }
    let place = |key: ItemKey| {
        last.get(&key).map(|(at_ms, device)| RowPlace {
            space: part.state.space,
            document: part.state.document,
            device: *device,
            at_ms: *at_ms,
            own_seq: 0,
            arrived,
            side: part.state.side,
        })
    };
    let entries = part.document.entries().filter_map(|entry| {
        let place = place(ItemKey::Entry(*entry.id.as_bytes()))?;
        Some(row_of_entry(&entry, &place))
    });
    let finished = part.document.finished().filter_map(|(key, bytes)| {
        let key = FinishedKey::from_bytes(*key.as_bytes());
        let place = place(ItemKey::Finished(*key.as_bytes()))?;
        Some(row_of_finished(key, &bytes, &place))
    });
    entries.chain(finished).collect()
}
