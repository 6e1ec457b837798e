//! A damaged vault taken apart: what is good of it as it is, which documents were hit, and those made again one by one, from what is
//! good here or from what the server has. Nothing else of the vault changes: not the incarnation, not the exchange, not what was
//! never sent.
//!
//! What comes from the server is believed as far as any device believes it that begins, and has to agree, link by link, with what this
//! vault had verified before it was damaged.

mod agreeing;
mod opening;

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{Actor, Document, Link, MAX_SNAPSHOT_BYTES, Payload};
use mecum_seal::{DocumentId, Envelope, SpaceId};
use mecum_sync::{Chain, Follower};
use mecum_vault::{Problem, Salvage, SavedRow, Table};
use zeroize::Zeroizing;

use super::rebuilding::rows_in;
use crate::erasing::{Ends, Info, info_name};
use crate::heads::OwnChange;
use crate::identity::Identity;
use crate::logs::ReadLog;
use crate::members::replayed_name;
use crate::plaintext::{press, unpress};
use crate::row::Row;
use crate::session::{Session, open_envelope};
use crate::snapshots::links_of_devices;
use crate::space::{DocumentState, SpaceState};
use crate::stage::{place_body, place_of, push_name};
use crate::times::{Noted, Times, encode_times, store_times, stored_times, times_name};

/// A document that was made again, or the log of a space's control document.
pub(super) struct Made {
    /// What is known of the document; none for a control log.
    pub(super) document: Option<MadeDocument>,
    /// Its log.
    pub(super) log: Vec<Vec<u8>>,
    /// Where an envelope lies now that lay elsewhere: number then, number now.
    pub(super) moved: BTreeMap<u64, u64>,
}

/// The rows of a document that was made again.
pub(super) struct MadeDocument {
    pub(super) state: DocumentState,
    pub(super) snapshot: Vec<u8>,
    pub(super) times: Vec<u8>,
    pub(super) info: Option<Vec<u8>>,
}

/// What is good in a damaged vault, read as a session would read it.
pub(super) struct Pieces<'a> {
    pub(super) salvage: &'a Salvage,
    identity: Identity,
    follower: Follower,
    spaces: BTreeMap<SpaceId, SpaceState>,
    states: BTreeMap<DocumentId, DocumentState>,
    logs: BTreeMap<DocumentId, ReadLog>,
}

/// The envelopes of a log, and for each number that one had where it lies now.
type Joined = (Vec<Vec<u8>>, BTreeMap<u64, u64>);

impl<'a> Pieces<'a> {
    /// Takes a vault apart. `None` if something is missing that no document holds.
    pub(super) fn read(salvage: &'a Salvage) -> Option<Self> {
        let identity = Identity::decode(salvage.get(Table::Account, b"identity")?).ok()?;
        let follower = Follower::from_bytes(salvage.get(Table::Sync, b"follower")?).ok()?;
        let of = |table: Table| salvage.rows().iter().filter(move |row| row.table == table && !row.stale);
        let spaces: BTreeMap<SpaceId, SpaceState> = of(Table::Space)
            .map(|row| SpaceState::decode(&row.name, &row.body).ok())
            .map(|state| state.map(|state| (state.space, state)))
            .collect::<Option<_>>()?;
        let states: BTreeMap<DocumentId, DocumentState> = of(Table::Document)
            .map(|row| DocumentState::decode(&row.name, &row.body).ok())
            .map(|state| state.map(|state| (state.document, state)))
            .collect::<Option<_>>()?;
        let mut pieces = Self { salvage, identity, follower, spaces, states, logs: BTreeMap::new() };
        // Control logs first, of which nothing is folded: where a document's own row is lost, its opening is there.
        let (control, others): (Vec<_>, Vec<_>) =
            salvage.logs().into_iter().partition(|log| pieces.control(*log).is_some());
        for log in control.into_iter().chain(others) {
            let known = pieces.states.get(&log).cloned().or_else(|| pieces.opening(log));
            let known = known.as_ref().and_then(|state| Some((pieces.spaces.get(&state.space)?, state)));
            let read = ReadLog::of(salvage, log, &pieces.identity, known);
            pieces.logs.insert(log, read);
        }
        Some(pieces)
    }

    /// The ends of a space's documents that count.
    fn ends(&self, space: SpaceId) -> Ends<'_> {
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        Ends::of(self.follower.space_log(space), care)
    }

    /// The logs as they are.
    pub(super) fn logs(&self) -> &BTreeMap<DocumentId, ReadLog> {
        &self.logs
    }

    /// The documents, and control logs, of which something is damaged. `None` if more is lost than can be laid to their charge, or
    /// something that only this vault has.
    pub(super) fn hit(&self) -> Option<BTreeSet<DocumentId>> {
        let mut hit: BTreeSet<DocumentId> = BTreeSet::new();
        let named = self.salvage.rows().iter().filter(|row| row.table == Table::Snapshot);
        hit.extend(named.filter_map(|row| DocumentId::from_slice(row.name.get(..16)?)));
        hit.extend(self.logs.keys().filter(|log| self.control(**log).is_none()));
        // An older list may name a document that another took the place of.
        let replaced = |row: &&Row| self.ends(row.space).is_ended(row.document);
        let rows = rows_in(self.salvage);
        hit.extend(rows.values().filter(|row| !replaced(row)).map(|row| row.document));
        hit.retain(|document| !self.states.contains_key(document));
        // A document without a trace is nobody's to find.
        if lost_of(self.salvage, Table::Document) > hit.len() {
            return None;
        }
        let has = |name: Vec<u8>| self.salvage.get(Table::Snapshot, &name).is_some();
        let mut snapshots = hit.iter().filter(|document| !has(document.as_bytes().to_vec())).count();
        for state in self.states.values() {
            let log = self.logs.get(&state.document);
            let counted = log.map_or(0, |log| log.envelopes.len() as u64) == state.count;
            let folded = state.snapshot_bytes == 0 || has(state.document.as_bytes().to_vec());
            if state.cuts > 0 && !has(replayed_name(state.document)) {
                return None;
            }
            snapshots += usize::from(!folded);
            if !folded || !counted {
                hit.insert(state.document);
            }
        }
        hit.extend(self.logs.iter().filter(|(_, log)| !log.whole).map(|(log, _)| *log));
        if lost_of(self.salvage, Table::Snapshot) > snapshots {
            // Times, or what a successor began with: of which document, nothing says.
            hit.extend(self.states.keys());
        }
        Some(hit)
    }

    /// A good row as it goes into the new vault: pages are counted anew, and what waits to be sent may lie elsewhere. Counts edits that
    /// wait.
    pub(super) fn taken_over(
        &self,
        made: &BTreeMap<DocumentId, Made>,
        row: &SavedRow,
        unsent: &mut u32,
    ) -> Zeroizing<Vec<u8>> {
        match row.table {
            Table::Document => match DocumentState::decode(&row.name, &row.body) {
                Ok(state) => Zeroizing::new(DocumentState { pages: 0, ..state }.encode()),
                Err(_) => row.body.clone(),
            },
            Table::Sync if row.name.starts_with(b"push") => {
                let Some((log, number)) = place_of(&row.body) else { return row.body.clone() };
                *unsent += u32::from(self.control(log).is_none());
                let now = made.get(&log).and_then(|made| made.moved.get(&number).copied());
                Zeroizing::new(place_body(log, now.unwrap_or(number)))
            }
            _ => row.body.clone(),
        }
    }

    /// Where own envelopes lie that the server has not shown, of which the rows that say so are lost: without them nothing of a section
    /// would ever be sent beyond the first. `made` is what lies elsewhere now.
    pub(super) fn lost_pushes(&self, made: &BTreeMap<DocumentId, Made>) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut lost = BTreeMap::new();
        if lost_of(self.salvage, Table::Sync) == 0 {
            return lost;
        }
        let kept = self.logs.iter().filter(|(log, _)| !made.contains_key(log)).flat_map(|(log, kept)| {
            kept.envelopes.iter().zip(1..).map(move |((_, bytes), number)| (*log, number, bytes))
        });
        let anew = made.iter().flat_map(|(log, made)| {
            made.log.iter().zip(1..).map(move |(bytes, number)| (*log, number, bytes))
        });
        for (log, number, bytes) in kept.chain(anew) {
            let Ok(envelope) = Envelope::parse(bytes) else { continue };
            let place = envelope.place();
            let Identity { device, incarnation, .. } = self.identity;
            let chain = Chain { device, incarnation, space: place.space };
            let own = place.device == device && place.incarnation == incarnation;
            let name = push_name(place.space, place.envelope_seq);
            let sent = place.envelope_seq <= self.follower.chain_head(&chain).envelope_seq;
            if own && !sent && self.salvage.get(Table::Sync, &name).is_none() {
                lost.insert(name, place_body(log, number));
            }
        }
        lost
    }

    /// How much is lost of what holds the vault together, `found` of it apart: nothing here can say what it was.
    pub(super) fn beyond_finding(&self, found: usize) -> u32 {
        let tables = [Table::Sync, Table::Account, Table::Keys, Table::Space, Table::Waiting];
        let lost: usize = tables.into_iter().map(|table| lost_of(self.salvage, table)).sum();
        u32::try_from(lost.saturating_sub(found)).unwrap_or(u32::MAX)
    }

    /// The space whose control log this is.
    fn control(&self, log: DocumentId) -> Option<&SpaceState> {
        self.spaces.values().find(|space| space.control_log() == log)
    }

    /// What was hit, made again: from what is here, or where that is not enough, with what `fetched` has from the server. `None` if
    /// that would not be the whole of something.
    pub(super) fn make(&self, fetched: Option<&Session>) -> Option<BTreeMap<DocumentId, Made>> {
        let hit = self.hit()?;
        let spaces: BTreeSet<_> =
            hit.iter().filter_map(|log| Some(self.space_of(*log, fetched)?.space)).collect();
        if let Some(fetched) = fetched
            && !spaces.iter().all(|space| self.agrees(fetched, *space))
        {
            return None;
        }
        hit.into_iter().map(|log| Some((log, self.made(log, fetched)?))).collect()
    }

    fn made(&self, log: DocumentId, fetched: Option<&Session>) -> Option<Made> {
        match self.control(log) {
            Some(space) => self.made_control(space, fetched),
            None => self.made_document(log, fetched),
        }
    }

    fn made_control(&self, space: &SpaceState, fetched: Option<&Session>) -> Option<Made> {
        let log = space.control_log();
        // What was never sent of it is good, or the chain would not agree; the server has the rest.
        let fetched = Some(fetched?);
        let fits = |bytes: &[u8]| {
            let envelope = Envelope::parse(bytes).ok()?;
            let good = envelope.place().space == space.space && space.open_control(&envelope).is_some();
            good.then(|| envelope.content_id())
        };
        let (log, moved) = self.joined(log, fetched, &fits)?;
        Some(Made { document: None, log, moved })
    }

    /// The good envelopes of a log and those that the server has besides, each once; and where the former lie now.
    fn joined(
        &self,
        log: DocumentId,
        fetched: Option<&Session>,
        fits: &dyn Fn(&[u8]) -> Option<mecum_seal::Hash32>,
    ) -> Option<Joined> {
        let mut seen = BTreeSet::new();
        let (mut all, mut moved) = (Vec::new(), BTreeMap::new());
        for (number, bytes) in self.logs.get(&log).into_iter().flat_map(|log| &log.envelopes) {
            if fits(bytes).is_some_and(|id| seen.insert(id)) {
                all.push(bytes.clone());
                moved.insert(*number, all.len() as u64);
            }
        }
        if let Some(fetched) = fetched {
            for (_, bytes) in fetched.envelopes(log, 0).ok()? {
                if fits(&bytes).is_some_and(|id| seen.insert(id)) {
                    all.push(bytes);
                }
            }
        }
        Some((all, moved))
    }

    fn made_document(&self, document: DocumentId, fetched: Option<&Session>) -> Option<Made> {
        let there = fetched.and_then(|fetched| fetched.documents.get(&document));
        let here = self.states.get(&document);
        let state = here.or(there).cloned().or_else(|| self.opening(document))?;
        let space = self.spaces.get(&state.space)?;
        let other = |one: &DocumentState| one.space != state.space || one.key.expose() != state.key.expose();
        let cut = state.cuts > 0 || there.is_some_and(|there| there.cuts > 0);
        let replayed = self.salvage.get(Table::Snapshot, &replayed_name(document)).is_some();
        if there.is_some_and(other) || cut || replayed {
            return None;
        }
        // Of a document that the server does not know all there is lies here.
        let fetched = fetched.filter(|_| there.is_some());
        let whole = self.logs.get(&document).is_none_or(|log| log.whole);
        if fetched.is_none() && !whole {
            return None;
        }
        let fits = |bytes: &[u8]| {
            open_envelope(space, &state, bytes).ok().map(|(envelope, _)| envelope.content_id())
        };
        let (log, moved) = self.joined(document, fetched, &fits)?;
        // Under another key than its own, which somebody may have said, nothing of it opens.
        let had = self.logs.get(&document).map_or(0, |log| log.envelopes.len());
        if fetched.is_none() && log.len() != had {
            return None;
        }
        let loaded = self.loaded(space, &state, &log, fetched)?;
        if here.is_some_and(|here| !holds_what_it_held(&loaded, here)) {
            return None;
        }
        let info = self.salvage.get(Table::Snapshot, &info_name(document)).map(<[u8]>::to_vec);
        let info = info.or_else(|| {
            let kept = fetched?.vault.get(Table::Snapshot, &info_name(document)).ok()??;
            Some(kept.to_vec())
        });
        let links = loaded.links().ok()?;
        let own = links.get(&self.identity.actor());
        let own = own.map_or(OwnChange::NONE, |link| OwnChange { seq: link.change_seq, hash: link.change });
        let of_devices = links_of_devices(links, info.as_deref().and_then(Info::decode).as_ref());
        let times = self.times(space, &state, &log, fetched, &of_devices)?;
        let snapshot = press(&loaded.save());
        let state = DocumentState {
            count: log.len() as u64,
            snapshot_at: log.len() as u64,
            snapshot_bytes: snapshot.len() as u64,
            tail_bytes: 0,
            pages: 0,
            operations: u32::try_from(loaded.operations()).unwrap_or(u32::MAX),
            own: Some(own),
            ..state
        };
        Some(Made { document: Some(MadeDocument { state, snapshot, times, info }), log, moved })
    }

    /// The document: as the server has it, else as it was folded here, with every good envelope; and nothing that was folded here is
    /// missing in it.
    fn loaded(
        &self,
        space: &SpaceState,
        state: &DocumentState,
        log: &[Vec<u8>],
        fetched: Option<&Session>,
    ) -> Option<Document> {
        let actor = self.identity.actor();
        let opened: Vec<Vec<u8>> = log
            .iter()
            .map(|bytes| Some(open_envelope(space, state, bytes).ok()?.1))
            .collect::<Option<_>>()?;
        let tail: Vec<&[u8]> =
            opened.iter().map(|body| Payload::raw_change(body).ok()).collect::<Option<_>>()?;
        let folded = self.salvage.get(Table::Snapshot, state.document.as_bytes());
        let folded = folded.and_then(|pressed| unpress(pressed, MAX_SNAPSHOT_BYTES as u64).ok());
        let begin = match (fetched, &folded) {
            (Some(fetched), _) => fetched.load_document(state.document).ok()?.save(),
            (None, Some(folded)) => folded.clone(),
            (None, None) => Document::new(actor).save(),
        };
        let loaded = Document::reopen(&begin, tail, actor).ok()?;
        if let Some(folded) = folded.filter(|_| fetched.is_some()) {
            let before = Document::reopen(&folded, std::iter::empty(), actor).ok()?;
            if !before.links().ok()?.values().all(|link| loaded.has_change(&link.change)) {
                return None;
            }
        }
        Some(loaded)
    }

    /// When each change was written: as its envelope says, or what was kept here, or what the server's snapshot said.
    fn times(
        &self,
        space: &SpaceState,
        state: &DocumentState,
        log: &[Vec<u8>],
        fetched: Option<&Session>,
        links: &BTreeMap<Actor, Link>,
    ) -> Option<Vec<u8>> {
        let mut times = Times::new();
        if let Some(fetched) = fetched {
            times.extend(fetched.times(state.document).ok()?);
        }
        if let Some(kept) = self.salvage.get(Table::Snapshot, &times_name(state.document)) {
            times.extend(stored_times(kept).ok()?);
        }
        for bytes in log {
            let (_, body) = open_envelope(space, state, bytes).ok()?;
            let glance = Payload::glance(&body).ok()?;
            times.insert((glance.actor, glance.change_seq), Noted { at_ms: glance.at_ms, own_seq: 0 });
        }
        Some(store_times(links, &encode_times(links, &times)?))
    }
}

/// Whether a document that was made again has at least what it had.
fn holds_what_it_held(loaded: &Document, state: &DocumentState) -> bool {
    let own = state.own.is_none_or(|own| own.seq == 0 || loaded.has_change(&own.hash));
    own && loaded.operations() >= usize::try_from(state.operations).unwrap_or(usize::MAX)
}

/// How many rows of a table are lost, by the check's count.
fn lost_of(salvage: &Salvage, of: Table) -> usize {
    let count = |problem: &Problem| match problem {
        Problem::RowsMissing { table, count } if *table == Some(of) => {
            usize::try_from(*count).unwrap_or(usize::MAX)
        }
        Problem::RowDamaged { table } | Problem::RowRolledBack { table, .. } if *table == Some(of) => 1,
        _ => 0,
    };
    salvage.report().problems.iter().map(count).sum()
}
