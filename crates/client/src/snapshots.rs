//! Snapshots of whole spaces: made for devices that come later, and taken by a device that begins.
//!
//! Who takes one believes nothing that its maker says: every change in it passes the guards on changes, every writer in it has a
//! chain, and for every chain the writer's own signed statement carries the hash of exactly the changes that are in it.

mod taking;
mod verifying;

use std::collections::BTreeMap;

use mecum_documents::{Actor, Document, Link};
use mecum_seal::{
    DeviceId, DocumentId, DocumentKey, Hash32, Key32, Place, SpaceId, derive_key, seal_envelope_seeded,
};
use mecum_sync::controls::holds;
use mecum_sync::limits::{MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_PARTS, MAX_SNAPSHOTS};
use mecum_sync::{
    Chain, FoldedChain, Follower, Signed, SnapshotBody, SpaceSnapshot, SyncRequest, SyncResponse,
};
use mecum_vault::{Durability, Table};

use crate::broken::contained;
use crate::care::{OfSide, may_stand};
use crate::erasing::{InSnapshot, Info, SignedSuccessors};
use crate::error::SessionError;
use crate::exchange::Exchanged;
use crate::heads::{heads_hash, record_of};
use crate::identity::actor_of;
use crate::members::{actors_in, all_actors};
use crate::plaintext::{OpenDocument, SnapshotPart};
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};
use crate::stage::Stage;
use crate::times::{Times, encode_times};

use taking::RefusedSnapshot;
pub(crate) use verifying::Verifying;

/// Envelopes after the last snapshot of a space, above which another one is made (DESIGN 5, "Bounded").
const ENVELOPES_BETWEEN: u64 = 300;

/// Envelopes after one that could not be made, or was refused, until another is tried.
const ENVELOPES_UNTIL_AGAIN: u64 = 30;

/// The setting that stands while everything is read again from the latest snapshots: there is one now of a space that is passed over.
pub(crate) const FROM_LATEST: &[u8] = b"from-latest";

/// Of so many bytes of snapshots at most is one request.
const REQUEST_BYTES: usize = 9 << 20;

/// A document's key turned to its part of a snapshot: a part is then never an envelope of the log, nor the other way.
pub(crate) fn part_key(key: &impl Key32) -> DocumentKey {
    DocumentKey::from_bytes(*derive_key(key, "mecum snapshot v1").expose())
}

impl Session {
    /// Whether this device begins, and takes spaces by their snapshots.
    pub(crate) fn begins_from_snapshots(&self) -> Result<bool, SessionError> {
        let refused = self.setting("no-snapshots")?.is_some();
        Ok(!refused && (self.follower.cursor() == 0 || self.setting("catching-up")?.is_some()))
    }

    /// The spaces that want a snapshot now: everything of them is stored, and enough is new.
    fn wants_snapshot(&self, state: &SpaceState, shared: bool) -> bool {
        let at = self.follower.space_seq(state.space);
        let new = at.saturating_sub(state.snapshot_seq);
        let enough = if shared { new > 0 } else { new >= ENVELOPES_BETWEEN };
        let stored = self.follower.chain_head(&self.own_chain(state.space)).envelope_seq == state.own_seq;
        let tried_lately =
            self.tried.get(&state.space).is_some_and(|tried| at < tried + ENVELOPES_UNTIL_AGAIN);
        enough && stored && !tried_lately
    }

    /// Whether a snapshot waits to be made.
    pub(crate) fn has_snapshot_to_make(&self) -> bool {
        let shared = self.setting("share-snapshots").ok().flatten().is_some();
        self.spaces.values().any(|state| self.wants_snapshot(state, shared))
    }

    /// The snapshots for a request. One that cannot be made now is left out: nothing depends on it.
    pub(crate) fn make_snapshots(&mut self) -> Result<Vec<SpaceSnapshot>, SessionError> {
        let shared = self.setting("share-snapshots")?.is_some();
        let mut room = REQUEST_BYTES;
        let mut made = Vec::new();
        let wanting: Vec<SpaceState> =
            self.spaces.values().filter(|state| self.wants_snapshot(state, shared)).cloned().collect();
        for state in wanting {
            if made.len() >= MAX_SNAPSHOTS {
                break;
            }
            // A snapshot is a favour to devices that come later: a space that cannot be folded, be it for a damaged document or a
            // panic, may never keep what was written here from going out, nor anything from coming.
            let folded = contained(|| {
                mecum_trip::here("make-snapshot");
                self.snapshot_of(&state)
            });
            let snapshot = folded.and_then(Result::ok).flatten();
            if snapshot.as_ref().is_some_and(|snapshot| snapshot.bytes() > room) {
                break;
            }
            // Once for each state of a space: what cannot be made, or is refused, is left until there is more.
            self.tried.insert(state.space, self.follower.space_seq(state.space));
            room = room.saturating_sub(snapshot.as_ref().map_or(0, SpaceSnapshot::bytes));
            made.extend(snapshot);
        }
        Ok(made)
    }

    /// Folds a space as it is here. `None` where it cannot be shown to be what the writers stated: something of theirs waits or is
    /// put aside here, or their statement is by an older version.
    pub(crate) fn snapshot_of(&self, state: &SpaceState) -> Result<Option<SpaceSnapshot>, SessionError> {
        let mut documents = BTreeMap::new();
        let of_space = self.documents.values().filter(|document| document.space == state.space);
        let (here, there): (Vec<DocumentId>, Vec<DocumentId>) =
            of_space.map(|document| document.document).partition(|document| self.open.contains_key(document));
        let mut open: Vec<(DocumentId, Document)> =
            here.iter().filter_map(|id| Some((*id, self.open.get(id)?.1.clone()))).collect();
        for document in there {
            open.push((document, self.load_document(document)?));
        }
        for (document, open) in open {
            let info = self.successor_info(&Stage::default(), document)?;
            let folded = Folded { links: open.links()?.clone(), open, times: self.times(document)?, info };
            documents.insert(document, folded);
        }
        if documents.is_empty() || documents.len() >= MAX_SNAPSHOT_PARTS {
            return Ok(None);
        }
        let links = documents.iter().map(|(document, folded)| (*document, folded.links.clone())).collect();
        let chains = self.folded_chains(state);
        let begun = documents
            .iter()
            .filter_map(|(id, folded)| Some((*id, folded.open.clone(), folded.info.clone()?)));
        let ids: Vec<DocumentId> = documents.keys().copied().collect();
        let inside = InSnapshot { membership: state.membership, documents: &ids, begun: begun.collect() };
        let stage = Stage::default();
        let Some(signed) = self.signed_successors(&stage, &self.follower, state, inside)? else {
            return Ok(None);
        };
        let stated = |chain: &Chain| stated(&self.follower, chain);
        if check_writers(&self.follower, state, &chains, &links, &signed, stated).is_err() {
            return Ok(None);
        }
        self.seal_snapshot(state, chains, &documents)
    }

    pub(crate) fn folded_chains(&self, state: &SpaceState) -> Vec<FoldedChain> {
        let chains = self.follower.chains(state.space).into_iter();
        chains
            .filter(|(_, head)| head.envelope_seq > 0)
            .map(|(chain, mut head)| {
                if chain == self.own_chain(state.space) {
                    // The follower checks no own envelope, so it does not know under which head it was written.
                    let log = self.follower.space_log(state.space);
                    head.membership_seq = log.and_then(|log| log.seq_of(state.own_membership)).unwrap_or(0);
                }
                FoldedChain { device: chain.device, incarnation: chain.incarnation, head }
            })
            .collect()
    }

    /// Seals and signs. `None` if it is too large to be one.
    pub(crate) fn seal_snapshot(
        &self,
        state: &SpaceState,
        chains: Vec<FoldedChain>,
        documents: &BTreeMap<DocumentId, Folded>,
    ) -> Result<Option<SpaceSnapshot>, SessionError> {
        let mut sealing = Sealing { session: self, state, parts: Vec::new(), ids: Vec::new(), bytes: 0 };
        let states = || documents.keys().filter_map(|document| self.documents.get(document));
        let opening = |state: &DocumentState| {
            let of_side = state.side.map(|side| OfSide { side, salt: None });
            OpenDocument::new(state.document, &state.key, state.shard, of_side).encode()
        };
        let openings = states().map(opening);
        let openings = openings.chain(self.account_note_for(state.space));
        let keys = SnapshotPart::keys(openings.collect());
        if sealing.seal(DocumentId::CONTROL, &part_key(&state.key), &keys).is_none() {
            return Ok(None);
        }
        for document in states() {
            let Some(folded) = documents.get(&document.document) else { continue };
            let links = links_of_devices(&folded.links, folded.info.as_ref());
            let Some(times) = encode_times(&links, &folded.times) else { return Ok(None) };
            let info = folded.info.as_ref().map(Info::encode);
            let (columns, ids) = folded.open.save_compact(&work_out)?;
            let plain =
                SnapshotPart { times, ids, columns: SnapshotPart::press_columns(&columns), info }.encode();
            let key = state.document_key(&document.key, state.epoch).ok_or(SessionError::Envelope)?;
            let sealed = sealing.seal(document.document, &part_key(&key), &plain);
            if sealed.is_none() || sealing.bytes > MAX_SNAPSHOT_BYTES {
                return Ok(None);
            }
        }
        let body = SnapshotBody {
            space: state.space,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            space_seq: self.follower.space_seq(state.space),
            membership_head: state.membership,
            epoch: state.epoch,
            chains,
            parts: sealing.ids,
        };
        let signed = Signed::sign(body, &self.identity.signing);
        Ok(Some(SpaceSnapshot { signed, parts: sealing.parts }))
    }

    /// Notes that the relay has a snapshot of a space.
    pub(crate) fn note_snapshot(&self, stage: &mut Stage, space: SpaceId, space_seq: u64) {
        // Of a space that this account is not in yet, or no longer, there is nothing to note.
        let Ok(mut state) = self.staged_space(stage, space) else { return };
        if space_seq > state.snapshot_seq {
            state.snapshot_seq = space_seq;
            stage.spaces.insert(space, state);
        }
    }

    /// Notes what became of the snapshots of a request, and how far beginning from snapshots has got. `follower` is as the answer
    /// leaves it: what it brought is in no snapshot that went out before.
    pub(crate) fn note_snapshots(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<(), SessionError> {
        for (snapshot, outcome) in request.snapshots.iter().zip(&response.snapshot_outcomes) {
            if outcome.refusal().is_none() {
                let body = snapshot.signed.unverified();
                self.note_snapshot(stage, body.space, body.space_seq);
            }
        }
        let catching_up = self.setting("catching-up")?.is_some();
        if request.from_snapshots && response.more && !catching_up {
            stage.puts.push((Table::Setting, b"catching-up".to_vec(), vec![1]));
        }
        let mut done = |name: &[u8]| stage.deletes.push((Table::Setting, name.to_vec()));
        if catching_up && !response.more {
            done(b"catching-up");
        }
        if !response.more && !request.from_snapshots && self.setting("no-snapshots")?.is_some() {
            done(b"no-snapshots");
        }
        let shared = self.setting("share-snapshots")?.is_some() && !response.more;
        let folded = |state: &SpaceState| {
            let noted = stage.spaces.get(&state.space).unwrap_or(state);
            noted.snapshot_seq >= follower.space_seq(state.space) && state.unsent_genesis.is_none()
        };
        if shared && self.is_account_log_stored() && self.spaces.values().all(folded) {
            stage.deletes.push((Table::Setting, b"share-snapshots".to_vec()));
        }
        Ok(())
    }

    /// Asks for everything anew, by its envelopes: a snapshot could not be believed. What was taken in before stays and will be
    /// recognised.
    pub(crate) fn go_without_snapshots(&mut self, reason: &str) -> Result<Exchanged, SessionError> {
        let mut follower = self.follower.clone();
        follower.start_over();
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        stage.puts.push((Table::Setting, b"no-snapshots".to_vec(), reason.as_bytes().to_vec()));
        stage.deletes.push((Table::Setting, FROM_LATEST.to_vec()));
        self.stage_reading_again(&mut stage)?;
        self.commit(stage, Durability::Full)?;
        Ok(Exchanged { envelopes: 0, more: true })
    }
}

/// A document that goes into a snapshot.
pub(crate) struct Folded {
    pub(crate) open: Document,
    pub(crate) links: BTreeMap<Actor, Link>,
    pub(crate) times: Times,
    pub(crate) info: Option<Info>,
}

/// The links of devices in a document: without those of the actors that a successor began with.
pub(crate) fn links_of_devices(links: &BTreeMap<Actor, Link>, info: Option<&Info>) -> BTreeMap<Actor, Link> {
    let of_device = |actor: &Actor| info.is_none_or(|info| !info.is_reserved(*actor));
    links.iter().filter(|(actor, _)| of_device(actor)).map(|(actor, link)| (*actor, *link)).collect()
}

/// The parts of one snapshot as they are sealed.
struct Sealing<'a> {
    session: &'a Session,
    state: &'a SpaceState,
    parts: Vec<Vec<u8>>,
    ids: Vec<Hash32>,
    bytes: usize,
}

impl Sealing<'_> {
    /// `None` if it is too large for a part.
    fn seal(&mut self, document: DocumentId, key: &DocumentKey, plain: &[u8]) -> Option<()> {
        let place = Place {
            space: self.state.space,
            document,
            device: self.session.identity.device,
            incarnation: self.session.identity.incarnation,
            envelope_seq: self.session.follower.space_seq(self.state.space),
            epoch: self.state.epoch,
            membership_head: self.state.membership,
            previous: Hash32::ZERO,
        };
        let sealed = seal_envelope_seeded(key, &place, plain, self.session.entropy()).ok()?;
        self.bytes += sealed.bytes.len();
        self.ids.push(sealed.content_id);
        self.parts.push(sealed.bytes);
        Some(())
    }
}

/// The id of a finished entry, worked out from its bytes.
fn work_out(bytes: &[u8]) -> Option<[u8; 16]> {
    mecum_interop::key_of(bytes).map(|key| *key.as_bytes())
}

/// What a chain's last statement says of it.
struct Stated {
    envelope_seq: u64,
    last: Hash32,
    heads: Hash32,
}

/// The last statement of a chain that the relay has shown.
fn stated(follower: &Follower, chain: &Chain) -> Option<Stated> {
    let statement = follower.last_statement(chain)?;
    Some(Stated { envelope_seq: statement.envelope_seq, last: statement.last, heads: statement.heads })
}

/// The device of every actor in the documents: each has a chain whose last statement is about exactly its changes here, and each stands on
/// the side of every document that it wrote in, as do those whose words a successor began with.
fn check_writers(
    follower: &Follower,
    state: &SpaceState,
    chains: &[FoldedChain],
    links: &BTreeMap<DocumentId, BTreeMap<Actor, Link>>,
    signed: &SignedSuccessors,
    stated: impl Fn(&Chain) -> Option<Stated>,
) -> Result<BTreeMap<Actor, DeviceId>, RefusedSnapshot> {
    let mut writers = BTreeMap::new();
    for chain in chains {
        let account = follower.account_of(chain.device).ok_or(RefusedSnapshot::Writer)?;
        let known = follower.log_of(account).and_then(|log| log.known(chain.device));
        let actor = actor_of(&known.ok_or(RefusedSnapshot::Writer)?.card.signing, chain.incarnation);
        let name = Chain { device: chain.device, incarnation: chain.incarnation, space: state.space };
        let statement = stated(&name).ok_or(RefusedSnapshot::Heads)?;
        let ends_here =
            statement.envelope_seq == chain.head.envelope_seq && statement.last == chain.head.hash;
        let record = record_of(actor, links);
        // Under the key of the epoch that it was made in; which one it was, it does not say.
        let as_stated = state.keys().any(|key| statement.heads == heads_hash(key, &record));
        // Its last statement may be about a document that has ended since: then a manager's entry says what it had written elsewhere.
        if !holds("snapshot-heads", ends_here && (as_stated || signed.vouches(chain, &record))) {
            return Err(RefusedSnapshot::Heads);
        }
        writers.insert(actor, chain.device);
    }
    let known = |(document, links): (&DocumentId, &BTreeMap<Actor, Link>)| {
        let links = links_of_devices(links, signed.infos.get(document));
        links.keys().all(|actor| writers.contains_key(actor))
    };
    if !holds("snapshot-writers", links.iter().all(known)) {
        return Err(RefusedSnapshot::Writer);
    }
    let stand = |(document, links): (&DocumentId, &BTreeMap<Actor, Link>)| {
        let links = links_of_devices(links, signed.infos.get(document));
        let mut devices = links.keys().filter_map(|actor| writers.get(actor));
        devices.all(|device| may_stand(follower, state, state.side_of(*document), *device))
    };
    if !holds("side-snapshot", links.iter().all(stand)) {
        return Err(RefusedSnapshot::Side);
    }
    let authors = |(document, info): (&DocumentId, &Info)| authors_stand(follower, state, *document, info);
    if holds("side-authors", signed.infos.iter().all(authors)) {
        Ok(writers)
    } else {
        Err(RefusedSnapshot::Side)
    }
}

/// Whether everybody whose words a successor began with, by what is said beside its changes, stands on the side of the document.
pub(crate) fn authors_stand(
    follower: &Follower,
    space: &SpaceState,
    document: DocumentId,
    info: &Info,
) -> bool {
    if space.care.is_none() {
        return true;
    }
    let log = follower.space_log(space.space);
    let mut devices: BTreeMap<Actor, DeviceId> = BTreeMap::new();
    for ((device, _), first) in all_actors(follower) {
        let actors = log.map_or_else(|| vec![first], |log| actors_in(log, first));
        devices.extend(actors.into_iter().map(|actor| (actor, device)));
    }
    let side = space.side_of(document);
    info.authors().all(|(_, author)| {
        devices.get(&author).is_some_and(|device| may_stand(follower, space, side, *device))
    })
}
