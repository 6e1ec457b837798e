//! An open vault: the account, its charts, spaces and documents. Every command that reads or writes goes through here.

mod charts;
mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use mecum_api::Topic;
use mecum_documents::{Actor, Document, Entry};
use mecum_domain::{ChartId, EntryId, FinishedKey, Kind};
use mecum_seal::{DeviceId, DocumentId, Entropy, Envelope, SpaceId, derive_key, open_row, seal_row};
use mecum_sync::{Chain, Follower};
use mecum_vault::{Durability, Table, Vault};

use crate::broken::contained;
use crate::clock::Clock;
use crate::error::SessionError;
use crate::identity::{Identity, account_key_of};
use crate::members::{actors_in, all_actors};
use crate::news::News;
use crate::pages::LoadedChart;
use crate::plaintext::unpack;
use crate::row::ItemKey;
use crate::space::{DocumentState, SpaceState};

pub use history::Past;

/// How many documents stay loaded.
const OPEN_DOCUMENTS: usize = 24;

/// What a session takes from outside.
#[derive(Clone)]
pub struct Surroundings {
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where changes are told.
    pub news: Arc<News>,
}

/// An open vault.
pub struct Session {
    pub(crate) vault: Vault,
    pub(crate) identity: Identity,
    pub(crate) follower: Follower,
    pub(crate) spaces: BTreeMap<SpaceId, SpaceState>,
    pub(crate) documents: BTreeMap<DocumentId, DocumentState>,
    pub(crate) charts: BTreeMap<ChartId, LoadedChart>,
    pub(crate) open: BTreeMap<DocumentId, (u64, Document)>,
    used: u64,
    pub(crate) surroundings: Surroundings,
    pub(crate) link: mecum_api::SyncView,
    pub(crate) authored: u64,
    /// What the server's clock said last, in ms since the epoch; nothing before the first answer.
    pub(crate) server_ms: Option<i64>,
    /// How far it was ahead of the own clock then.
    pub(crate) server_ahead_ms: Option<i64>,
    /// Spaces of which a snapshot was tried, and at which `space_seq`.
    pub(crate) tried: BTreeMap<SpaceId, u64>,
    /// Every link in the vault, while the server's history is read again.
    pub(crate) links: Option<crate::restored::KnownLinks>,
    pub(crate) syncs: crate::gather::Syncs,
    /// Spaces whose next statement is said in full: the server did not know the last one.
    pub(crate) in_full: BTreeSet<SpaceId>,
    /// What was tried to hand over.
    pub(crate) handing: Box<crate::handed::Handing>,
    /// Snapshots at the server that are being verified.
    pub(crate) verifying: crate::snapshots::Verifying,
    /// Everything that the server has was fetched in this session.
    pub(crate) caught_up: bool,
    /// Something that was decided may go on now.
    pub(crate) erasures_due: bool,
    pub(crate) exchanging: Exchanging,
    /// What could not be done with the last exchange and is tried again, and since when, ms since the epoch.
    pub(crate) waits: BTreeMap<crate::notices::Waits, i64>,
    /// Who is let in until a date, as it was read since the last commit.
    pub(crate) ends_by_date: OnceLock<Vec<crate::members::EndByDate>>,
    /// Commits until one fails, for tests of what is cut between two of them.
    pub(crate) commits_left: Option<u32>,
    /// What idle moments know of documents.
    pub(crate) seen: crate::folding::Seen,
    /// What fails in idle moments.
    pub(crate) failing: crate::idle::Failing,
    /// Envelopes that were made again last.
    pub(crate) last_made: crate::logs::LastMade,
    /// What hospitals publish, as far as it was read.
    pub(crate) published: crate::published::Published,
    /// The queue of a hospital's desk, as far as it was made.
    pub(crate) queue: crate::care::queue::Queue,
}

/// How far the exchange that goes on, or the last one, has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exchanging {
    /// The server has just answered, and the exchange goes on.
    pub(crate) answered: bool,
    /// Everything that the server has was seen since it began. Of what is decided by what was seen nothing goes out before.
    pub(crate) heard: bool,
    /// The day of the last question, for ends by date.
    pub(crate) asked_on: Option<jiff::civil::Date>,
}

/// The name of a chart's summary among the views.
pub(crate) fn summary_name(chart: ChartId) -> Vec<u8> {
    [b"summary".as_slice(), chart.as_bytes()].concat()
}

impl Session {
    /// Opens what an unlocked vault holds.
    pub fn open(vault: Vault, surroundings: Surroundings) -> Result<Self, SessionError> {
        let missing = |what| SessionError::Stored { what };
        let identity = vault.get(Table::Account, b"identity")?.ok_or(missing("identity"))?;
        let follower = vault.get(Table::Sync, b"follower")?.ok_or(missing("follower"))?;
        let follower = Follower::from_bytes(&follower).map_err(|_| missing("follower"))?;
        let mut spaces = BTreeMap::new();
        for (name, body) in vault.list(Table::Space)? {
            let state = SpaceState::decode(&name, &body)?;
            spaces.insert(state.space, state);
        }
        let mut documents = BTreeMap::new();
        for (name, body) in vault.list(Table::Document)? {
            let state = DocumentState::decode(&name, &body)?;
            documents.insert(state.document, state);
        }
        Ok(Self {
            identity: Identity::decode(&identity)?,
            vault,
            follower,
            spaces,
            documents,
            charts: BTreeMap::new(),
            open: BTreeMap::new(),
            used: 0,
            surroundings,
            link: mecum_api::SyncView::default(),
            authored: 0,
            server_ms: None,
            server_ahead_ms: None,
            tried: BTreeMap::new(),
            links: None,
            syncs: crate::gather::Syncs::default(),
            handing: Box::default(),
            in_full: BTreeSet::new(),
            verifying: crate::snapshots::Verifying::default(),
            caught_up: false,
            erasures_due: false,
            exchanging: Exchanging { heard: true, ..Exchanging::default() },
            waits: BTreeMap::new(),
            ends_by_date: OnceLock::new(),
            commits_left: None,
            seen: crate::folding::Seen::default(),
            failing: crate::idle::Failing::default(),
            last_made: crate::logs::LastMade::default(),
            published: crate::published::Published::default(),
            queue: crate::care::queue::Queue::default(),
        })
    }

    /// Stores who this device is and opens the session of a new vault.
    pub fn found(
        vault: Vault,
        identity: &Identity,
        follower: &Follower,
        surroundings: Surroundings,
    ) -> Result<Self, SessionError> {
        vault.write(Durability::Full, |w| -> Result<(), mecum_vault::WriteVaultError> {
            w.put(Table::Account, b"identity", &identity.encode())?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())
        })?;
        Self::open(vault, surroundings)
    }

    /// Locks the vault: keys leave memory.
    pub fn lock(mut self) -> Result<(), SessionError> {
        // What cannot be folded, be it for a panic, must not keep a vault open.
        let folded = contained(|| self.fold_tails());
        self.vault.lock()?;
        folded.unwrap_or(Err(SessionError::Stored { what: "tail" }))
    }

    /// The session of the same vault as it is stored, without anything that was in memory.
    pub(crate) fn reopen(self) -> Result<Session, SessionError> {
        let Session { vault, surroundings, link, server_ms, server_ahead_ms, .. } = self;
        Ok(Session { link, server_ms, server_ahead_ms, ..Session::open(vault, surroundings)? })
    }

    /// How many steps this session wrote: grows with every edit.
    pub(crate) fn authored(&self) -> u64 {
        self.authored
    }

    /// Randomness.
    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.surroundings.entropy.as_ref()
    }

    /// Now, in ms since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.surroundings.clock.now_ms()
    }

    /// Today.
    pub fn today(&self) -> Date {
        self.surroundings.clock.today()
    }

    /// How the exchange with the server stands.
    pub fn sync_view(&self) -> mecum_api::SyncView {
        let (quarantined, notices) = (self.quarantined(), self.notices());
        mecum_api::SyncView { quarantined, notices, ..self.link.clone() }
    }

    /// Tells the screens.
    pub fn tell(&self, topic: Topic) {
        self.surroundings.news.tell(topic);
    }

    /// This device.
    pub fn this_device(&self) -> DeviceId {
        self.identity.device
    }

    /// This installation's chain in a space.
    pub(crate) fn own_chain(&self, space: SpaceId) -> Chain {
        Chain { device: self.identity.device, incarnation: self.identity.incarnation, space }
    }

    /// The space that a document is in.
    pub(crate) fn space_of_document(&self, state: &DocumentState) -> Result<&SpaceState, SessionError> {
        self.spaces.get(&state.space).ok_or_else(SessionError::not_found)
    }

    /// The documents of a chart.
    pub(crate) fn documents_of(&self, chart: ChartId) -> Vec<DocumentState> {
        let in_chart =
            |state: &&DocumentState| self.spaces.get(&state.space).is_some_and(|space| space.chart == chart);
        self.documents.values().filter(in_chart).cloned().collect()
    }

    /// A document, loaded from its local snapshot and the envelopes after it.
    pub(crate) fn open_document(&mut self, document: DocumentId) -> Result<&Document, SessionError> {
        if !self.open.contains_key(&document) {
            let loaded = self.load_document(document)?;
            self.keep_open(document, loaded);
        }
        self.used += 1;
        let used = self.used;
        let slot = self.open.get_mut(&document).ok_or_else(SessionError::not_found)?;
        slot.0 = used;
        Ok(&slot.1)
    }

    /// Keeps a document loaded; the least used one goes when there are many.
    pub(crate) fn keep_open(&mut self, document: DocumentId, loaded: Document) {
        self.used += 1;
        self.open.insert(document, (self.used, loaded));
        if self.open.len() > OPEN_DOCUMENTS {
            let oldest = self.open.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            oldest.and_then(|id| self.open.remove(&id));
        }
    }

    /// An editable entry as its document has it, clashes included.
    pub fn entry(&mut self, chart: ChartId, key: ItemKey) -> Result<Option<Entry>, SessionError> {
        let (Some(document), ItemKey::Entry(id)) = (self.document_of(chart, key)?, key) else {
            return Ok(None);
        };
        Ok(self.open_document(document)?.entry(EntryId::from_bytes(id)))
    }

    /// The bytes of a finished entry.
    pub fn finished(&mut self, chart: ChartId, key: ItemKey) -> Result<Option<Vec<u8>>, SessionError> {
        let (Some(document), ItemKey::Finished(id)) = (self.document_of(chart, key)?, key) else {
            return Ok(None);
        };
        Ok(self.open_document(document)?.finished_value(FinishedKey::from_bytes(id)))
    }

    /// The document that holds an entry.
    pub(crate) fn document_of(
        &mut self,
        chart: ChartId,
        key: ItemKey,
    ) -> Result<Option<DocumentId>, SessionError> {
        Ok(self.rows(chart)?.get(key).map(|row| row.document))
    }

    /// The device whose installation writes as this actor.
    pub fn actor_device(&self, actor: &Actor) -> Option<DeviceId> {
        let all = all_actors(&self.follower);
        if let Some(((device, _), _)) = all.iter().find(|(_, of)| *of == actor) {
            return Some(*device);
        }
        // After a cut a device goes on under another one.
        let logs: Vec<_> =
            self.follower.spaces().filter_map(|space| self.follower.space_log(space)).collect();
        let wrote = |first: &Actor| logs.iter().any(|log| actors_in(log, *first).contains(actor));
        all.iter().find(|(_, first)| wrote(first)).map(|((device, _), _)| *device)
    }

    /// What the account calls a device.
    pub fn device_name(&self, device: DeviceId) -> Option<String> {
        let known = self.follower.account_log()?.known(device)?;
        open_device_name(&self.identity, device, &known.card.sealed_name)
    }

    /// A setting inside the vault.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, SessionError> {
        Ok(self.vault.get(Table::Setting, name.as_bytes())?.map(|body| body.to_vec()))
    }

    /// Changes a setting inside the vault.
    pub fn set_setting(&mut self, name: &str, body: &[u8]) -> Result<(), SessionError> {
        self.vault.write(Durability::Full, |w| w.put(Table::Setting, name.as_bytes(), body))?;
        self.tell(Topic::Settings);
        Ok(())
    }

    /// What kinds of entry a person may write.
    pub fn may_write(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::VitalSign
                | Kind::Note
                | Kind::AllergyIntolerance
                | Kind::MedicationStatement
                | Kind::Patient
        )
    }
}

/// The parsed envelope and its body.
pub(crate) fn open_envelope(
    space: &SpaceState,
    state: &DocumentState,
    bytes: &[u8],
) -> Result<(Envelope, Vec<u8>), SessionError> {
    let envelope = Envelope::parse(bytes).map_err(|_| SessionError::Envelope)?;
    let plain = space.open(&state.key, &envelope).ok_or(SessionError::Envelope)?;
    let body = unpack(&plain).map_err(|_| SessionError::Envelope)?;
    Ok((envelope, body))
}

/// Seals a device's name for the account's devices.
pub(crate) fn seal_device_name(
    identity: &Identity,
    device: DeviceId,
    name: &str,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    seal_row(
        &derive_key(&identity.account_key(), "mecum device name v1"),
        device.as_bytes(),
        name.as_bytes(),
        entropy,
    )
}

fn open_device_name(identity: &Identity, device: DeviceId, sealed: &[u8]) -> Option<String> {
    // A name stays under the key that the account had when it was given.
    let opened = identity.account_keys().find_map(|secret| {
        let key = derive_key(&account_key_of(secret), "mecum device name v1");
        open_row(&key, device.as_bytes(), sealed).ok()
    })?;
    String::from_utf8(opened.to_vec()).ok()
}
