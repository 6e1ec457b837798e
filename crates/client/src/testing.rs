//! INSECURE stand-ins for tests: sessions over vaults in memory, with repeatable randomness and a clock that stands still.

mod accepting;
mod care;
mod digest;
mod figures;
mod folded;
mod helping;
mod measuring;
pub mod parsing;
mod spoiling;

use std::collections::BTreeMap;
use std::sync::Arc;

use mecum_documents::Document;
use mecum_domain::{ChartId, Kind, Relation, Section};
use mecum_seal::testing::{SeededEntropy, fast_kdf};
use mecum_seal::{
    DeviceId, DocumentKey, Entropy, IncarnationId, KemSecret, SigningKey, SpaceId, VerifyingKey,
};
use mecum_sync::{Follower, Role, Signed, SpaceSnapshot, StoredSnapshot, Verified};
use mecum_vault::{Durability, Location, Table, Vault, VaultOptions};

use crate::clock::{Clock, FixedClock};
use crate::error::SessionError;
use crate::founding::{device_card, found_account};
use crate::identity::Identity;
use crate::members::{AcceptedChart, Invited, Offered};
use crate::news::News;
use crate::row::{ItemKey, Row};
use crate::session::{Session, Surroundings};
use crate::snapshots::Folded;
use crate::space::SpaceState;
use crate::stage::Stage;
use crate::times::Noted;

pub use crate::driver::{Patience, Stopped, asks_to_begin_again, words_for};
pub use care::Held;
pub use measuring::PlainDocument;
pub use spoiling::{LyingInfo, LyingOpening, OpenedAgain};

/// The passphrase of every vault here.
pub const PASSPHRASE: &str = "five invented words and one";

/// 2026-09-08 08:00 UTC.
pub const NOW_MS: i64 = 1_788_854_400_000;

/// Randomness of a seed and a clock that stands still.
pub fn surroundings(seed: u64) -> Surroundings {
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::new(NOW_MS));
    Surroundings { entropy: Arc::new(SeededEntropy::new(seed)), clock, news: Arc::new(News::default()) }
}

/// A fresh vault at a place.
pub fn vault(location: &Location, around: &Surroundings) -> Vault {
    let options = VaultOptions { kdf: fast_kdf(), ..VaultOptions::new(around.entropy.clone()) };
    Vault::create(location, PASSPHRASE, around.clock.now_ms(), &options).expect("a fresh place takes a vault")
}

/// A new account on its first device, without a chart.
pub fn first_device(location: &Location, around: Surroundings) -> Session {
    found_account(vault(location, &around), "phone", around).expect("a fresh vault takes an account")
}

/// A new account with the chart of its person, in memory.
pub fn person(seed: u64) -> (Session, ChartId) {
    let mut session = first_device(&Location::Memory, surroundings(seed));
    let chart = session
        .create_chart("Laras", Some("1988-02-11"), Relation::Own, None)
        .expect("a fresh account takes a chart");
    (session, chart)
}

impl Session {
    /// An account in memory, for tests.
    pub fn for_tests(seed: u64) -> Session {
        first_device(&Location::Memory, surroundings(seed))
    }

    /// Pins a relay, for tests.
    pub fn pin_for_tests(&mut self, relay: VerifyingKey) {
        self.pin_relay(relay).expect("a fresh account takes a relay");
    }

    /// Adds a second device as pairing does, but without a network.
    #[must_use]
    pub fn pair_for_tests(&mut self, name: &str, location: &Location, around: Surroundings) -> Session {
        let entropy: &dyn Entropy = around.entropy.as_ref();
        let identity = Identity {
            account: self.identity.account,
            device: DeviceId::random(entropy),
            incarnation: IncarnationId::random(entropy),
            signing: SigningKey::make(entropy),
            kem: KemSecret::make(entropy),
            account_kem: KemSecret::from_bytes(*self.identity.account_kem.expose()),
            earlier: self.identity.earlier.clone(),
        };
        self.add_device(device_card(&identity, name, entropy), |_| Ok(()))
            .expect("an account takes a device");
        let genesis = self.follower.account_log().expect("an account has a log").genesis();
        let relay = self.follower.relay().copied();
        let follower =
            Follower::join(identity.account, identity.device, identity.incarnation, genesis, relay);
        Session::found(vault(location, &around), &identity, &follower, around)
            .expect("a fresh vault takes a device")
    }

    /// Lets another account's session into a section, as an invitation does, but without a mailbox.
    pub fn let_in_for_tests(&mut self, chart: ChartId, section: Section, role: Role, other: &mut Session) {
        self.let_into_for_tests(chart, vec![section], role, other);
    }

    /// The same for several sections: one act, as an invitation is.
    pub fn let_into_for_tests(
        &mut self,
        chart: ChartId,
        sections: Vec<Section>,
        role: Role,
        other: &mut Session,
    ) {
        self.let_in_until_for_tests(chart, sections, (role, None), other);
    }

    /// The same, until a civil date.
    pub fn let_in_until_for_tests(
        &mut self,
        chart: ChartId,
        sections: Vec<Section>,
        (role, until): (Role, Option<&str>),
        other: &mut Session,
    ) {
        let until = until.map(str::to_owned);
        let offered = Offered { chart, sections, role, until, reason: None };
        let spaces = self.offered_spaces(&offered).expect("a section to offer");
        let log = other.follower.account_log().expect("an account has a log");
        let (account, genesis, kem) = (log.account(), log.genesis(), log.account_kem().clone());
        let (owner, first) = self.owner_of(chart).expect("a chart has an owner");
        let mut follower = other.follower.clone();
        for (space, _) in spaces {
            follower.expect_space(space, owner, first).expect("a space to expect");
        }
        let shared = AcceptedChart {
            chart: *chart.as_bytes(),
            owner,
            genesis: first,
            spaces: Vec::new(),
            by: self.author_name(),
            name: String::new(),
        };
        let mut stage = Stage::default();
        other.stage_accepted(&mut stage, &mut follower, &shared).expect("a chart to accept");
        stage.follower = Some(follower);
        other.commit(stage, Durability::Full).expect("kept");
        let name = other.author_name();
        self.grant(&offered, &Invited { account, genesis, kem, name }).expect("somebody is let in");
    }

    /// Begins an exchange as the app does.
    pub fn begin_exchange_for_tests(&mut self) {
        self.begin_exchange();
    }

    /// Damages the row of an entry by which a document took another's place. Answers its name and how it was.
    pub fn spoil_replacement_for_tests(&mut self, space: SpaceId) -> (Vec<u8>, Vec<u8>) {
        let entries = self.follower.space_log(space).map_or(0, mecum_sync::SpaceLog::entries);
        let is_it = |seq: &u64| {
            let entry = self.kept_entry(&Stage::default(), space, *seq).expect("rows");
            entry.is_some_and(|entry| matches!(entry.body, mecum_sync::SpaceBody::Replace { .. }))
        };
        let seq = (1..=entries).find(is_it).expect("a document took another's place");
        let name = crate::restored::space_entry_name(space, seq);
        let was = self.vault.get(Table::Sync, &name).expect("rows").expect("its row").to_vec();
        self.mend_row_for_tests((name.clone(), vec![0xff]));
        (name, was)
    }

    /// Puts such a row back.
    pub fn mend_row_for_tests(&mut self, (name, body): (Vec<u8>, Vec<u8>)) {
        let stage = Stage { puts: vec![(Table::Sync, name, body)], ..Stage::default() };
        self.commit(stage, Durability::Full).expect("kept");
    }

    /// The epoch and its key of every space.
    pub fn epochs_for_tests(&self) -> BTreeMap<SpaceId, (u32, [u8; 32])> {
        self.spaces.values().map(|state| (state.space, (state.epoch, *state.key.expose()))).collect()
    }

    /// Who is in a section's space, besides its owner.
    pub fn guests_for_tests(&self, chart: ChartId, section: Section) -> usize {
        let of = |state: &&SpaceState| state.chart == chart && state.section == section;
        let space = self.spaces.values().find(of).map(|state| state.space);
        let log = space.and_then(|space| self.follower.space_log(space));
        log.map_or(0, |log| log.members().len().saturating_sub(1))
    }

    /// The titles of a chart's standing rows.
    pub fn titles_for_tests(&self, chart: ChartId) -> Result<Vec<String>, SessionError> {
        let mut titles = Vec::new();
        for state in self.documents_of(chart) {
            for page in 0..state.pages {
                let name = crate::pages::page_name(state.document, page);
                let body = self.vault.get(Table::View, &name)?.ok_or_else(SessionError::not_found)?;
                let rows = crate::pages::decode_page(&body)?;
                let medicine = |row: &crate::row::Row| row.kind() == Kind::MedicationStatement;
                titles.extend(rows.into_iter().filter(medicine).map(|row| row.title));
            }
        }
        Ok(titles)
    }

    /// A section's space.
    pub fn space_for_tests(&self, chart: ChartId, section: Section) -> Option<SpaceId> {
        self.spaces
            .values()
            .find(|state| state.chart == chart && state.section == section)
            .map(|state| state.space)
    }

    /// Every key that this session could open a document's envelope with, in any epoch that it knows.
    pub fn document_keys_for_tests(&self) -> Vec<DocumentKey> {
        let mut keys = Vec::new();
        for document in self.documents.values() {
            keys.push(document.key.clone());
            for space in self.spaces.values() {
                keys.extend(
                    (1..=space.epoch + 3).filter_map(|epoch| space.document_key(&document.key, epoch)),
                );
            }
        }
        keys
    }

    /// Whether a section could be offered to somebody.
    pub fn offered_sections_for_tests(
        &mut self,
        chart: ChartId,
        section: Section,
    ) -> Result<(), SessionError> {
        let offered =
            Offered { chart, sections: vec![section], role: Role::Reader, until: None, reason: None };
        self.offered_spaces(&offered).map(drop)
    }

    /// Whether anything that this session holds opens an envelope or a part of a snapshot, in any epoch.
    pub fn opens_for_tests(&self, envelope: &mecum_seal::Envelope) -> bool {
        let part = |bytes: &[u8; 32]| {
            let key = DocumentKey::from_bytes(*bytes);
            [crate::snapshots::part_key(&key), key]
        };
        let mut keys = Vec::new();
        for space in self.spaces.values() {
            keys.extend(space.keys().flat_map(|key| part(key.expose())));
        }
        keys.extend(self.document_keys_for_tests().iter().flat_map(|key| part(key.expose())));
        keys.iter().any(|key| envelope.open(key).is_ok())
    }

    /// Removes a device of this account, as the command does.
    pub fn remove_device_for_tests(
        &mut self,
        device: DeviceId,
        nothing_after_ms: Option<i64>,
    ) -> Result<(), SessionError> {
        let args = mecum_api::DeviceArgs { device: device.to_string(), nothing_after_ms };
        self.remove_device(&args).map(drop)
    }

    /// The account, as commands name it.
    pub fn account_for_tests(&self) -> String {
        self.identity.account.to_string()
    }

    /// A copy of the vault as it is now, as somebody who copies files makes it.
    pub fn copy_for_tests(&self, to: &std::path::Path) {
        self.vault.backup_to(to).expect("a vault is copied while it is open");
    }

    /// The session of a copied vault.
    pub fn of_copy_for_tests(at: &std::path::Path, around: Surroundings) -> Session {
        let options = VaultOptions { kdf: fast_kdf(), ..VaultOptions::new(around.entropy.clone()) };
        let location = Location::File(at.to_owned());
        let vault = Vault::unlock(&location, PASSPHRASE, around.clock.now_ms(), &options);
        Session::open(vault.expect("a copy opens"), around).expect("and holds what was there")
    }

    /// Closes the session and opens it again from its vault, as a restart does.
    pub fn restart(self) -> Result<Session, SessionError> {
        let Session { vault, surroundings, .. } = self;
        Session::open(vault, surroundings)
    }

    /// Sends what only a dishonest installation would: the body that `lie` makes of an entry's document, under the true key,
    /// as the next link of this device's chain.
    pub fn lie_for_tests(&mut self, chart: ChartId, key: ItemKey, lie: impl FnOnce(&Document) -> Vec<u8>) {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let body = lie(self.open_document(document).expect("the document loads"));
        let state = self.documents.get(&document).cloned().expect("a loaded document has a state");
        let mut stage = Stage::default();
        self.stage_envelope(&mut stage, state.space, document, &state.key, &body)
            .expect("a lie is short enough to seal");
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }

    /// Sends a plaintext that no honest installation would seal, in an entry's document, as the next link of this device's chain.
    pub fn seal_for_tests(
        &mut self,
        chart: ChartId,
        key: ItemKey,
        plaintext: &[u8],
    ) -> Result<(), SessionError> {
        let document = self.document_of(chart, key)?.ok_or_else(SessionError::not_found)?;
        let state = self.documents.get(&document).cloned().ok_or_else(SessionError::not_found)?;
        let mut stage = Stage::default();
        self.stage_plaintext(&mut stage, state.space, document, &state.key, plaintext)?;
        self.commit(stage, Durability::Full)
    }

    /// The snapshot of the space of an entry that a dishonest installation makes: `lie` says what the entry's document is. Nothing of
    /// it is checked, and everything is signed.
    pub fn lying_snapshot_for_tests(
        &mut self,
        chart: ChartId,
        key: ItemKey,
        lie: impl FnOnce(&Document) -> Document,
    ) -> SpaceSnapshot {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let lied = lie(self.open_document(document).expect("the document loads"));
        self.snapshot_with(document, &lied)
    }

    pub(crate) fn snapshot_with(&self, document: mecum_seal::DocumentId, lied: &Document) -> SpaceSnapshot {
        let space = self.documents.get(&document).expect("a loaded document has a state").space;
        let state = self.spaces.get(&space).cloned().expect("its space is known");
        let mut documents = BTreeMap::new();
        for other in self.documents.values().filter(|other| other.space == space) {
            let open = if other.document == document {
                lied.clone()
            } else {
                self.load_document(other.document).expect("a document loads")
            };
            let links = open.links().expect("known actors").clone();
            let mut times = self.times(other.document).expect("times are kept");
            for (actor, link) in &links {
                for seq in 1..=link.change_seq {
                    times.entry((*actor, seq)).or_insert(Noted { at_ms: 0, own_seq: 0 });
                }
            }
            documents.insert(other.document, Folded { open, links, times, info: None });
        }
        let sealed = self.seal_snapshot(&state, self.folded_chains(&state), &documents);
        sealed.expect("a lie is sealed like any other").expect("and small")
    }

    /// The snapshot of the space of an entry that a dishonest installation makes: the entry's document is left out, and everything else
    /// is as it is.
    pub fn snapshot_without_for_tests(&mut self, chart: ChartId, key: ItemKey) -> SpaceSnapshot {
        let without = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let space = self.documents.get(&without).expect("a loaded document has a state").space;
        let state = self.spaces.get(&space).cloned().expect("its space is known");
        let mut documents = BTreeMap::new();
        for id in self.documents_of_space_for_tests(space).into_iter().filter(|id| *id != without) {
            let open = self.load_document(id).expect("a document loads");
            let info = self.successor_info(&Stage::default(), id).expect("it is kept");
            let (links, times) = (open.links().expect("actors").clone(), self.times(id).expect("kept"));
            documents.insert(id, Folded { open, links, times, info });
        }
        assert!(!documents.is_empty(), "the space has other documents");
        let sealed = self.seal_snapshot(&state, self.folded_chains(&state), &documents);
        sealed.expect("a lie is sealed like any other").expect("and small")
    }

    fn documents_of_space_for_tests(&self, space: SpaceId) -> Vec<mecum_seal::DocumentId> {
        self.documents.values().filter(|state| state.space == space).map(|state| state.document).collect()
    }

    /// What a device signs that says that a snapshot is right, whether it is or not.
    pub fn verified_for_tests(&self, stored: &StoredSnapshot) -> Signed<Verified> {
        self.sign_verified(stored)
    }

    /// Whether this device finds a stored snapshot right.
    pub fn finds_right_for_tests(&self, stored: &StoredSnapshot) -> bool {
        self.is_right(stored).expect("documents load")
    }

    /// The snapshot of a section that an honest device makes now, with what it is judged by.
    pub fn snapshot_for_tests(&self, space: SpaceId) -> SpaceSnapshot {
        let state = self.spaces.get(&space).expect("a space of this device");
        self.snapshot_of(state).expect("documents load").expect("it folds")
    }

    /// The space of an entry.
    pub fn space_of_for_tests(&mut self, chart: ChartId, key: ItemKey) -> SpaceId {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        self.documents.get(&document).expect("a loaded document has a state").space
    }

    /// Why each thing was put aside.
    pub fn put_aside_for_tests(&self) -> Vec<String> {
        let names = self.vault.names(Table::Quarantine).expect("rows");
        let reason = |name: &Vec<u8>| {
            String::from_utf8_lossy(name.split(|b| *b == b'/').next().unwrap_or(&[])).into_owned()
        };
        names.iter().map(reason).collect()
    }

    /// How many spaces are passed over, and the sentence that says so.
    pub fn aside_for_tests(&self) -> (usize, Option<&'static str>) {
        (self.follower.aside().count(), self.aside_notice())
    }

    /// What is told of a cut that could not be made as it was chosen.
    pub fn cut_notice_for_tests(&self) -> Option<&'static str> {
        self.cut_notice()
    }

    /// From the `n`-th commit on every one fails, as if the process had been killed before it.
    pub fn stop_after_commits_for_tests(&mut self, n: u32) {
        self.commits_left = Some(n);
    }

    /// The envelopes of the document that holds an entry, as they lie in the vault.
    pub fn envelopes_of_entry_for_tests(&mut self, chart: ChartId, key: ItemKey) -> Vec<Vec<u8>> {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let all = self.envelopes(document, 0).expect("a sound log");
        all.into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// Whether a section's space here began from a snapshot.
    pub fn began_from_snapshots_for_tests(&self, chart: ChartId, section: Section) -> bool {
        let space = self.space_for_tests(chart, section);
        self.spaces.values().any(|state| Some(state.space) == space && state.snapshot_seq > 0)
    }

    /// How many commits are left before one fails.
    pub fn commits_left_for_tests(&self) -> Option<u32> {
        self.commits_left
    }

    /// Everything that is in the vault and can be read with what is in it: every row, and every envelope that any key here opens.
    pub fn readable_for_tests(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for table in Table::ALL {
            for (name, body) in self.vault.list(table).expect("rows") {
                all.extend_from_slice(&name);
                all.extend_from_slice(&body);
                self.read_envelope_for_tests(&body, &mut all);
                if let Ok(chunk) = crate::plaintext::unpress(&body, 1 << 28) {
                    all.extend_from_slice(&chunk);
                }
            }
        }
        for log in self.vault.documents() {
            for (_, bytes) in self.envelopes(log, 0).expect("envelopes") {
                self.read_envelope_for_tests(&bytes, &mut all);
            }
        }
        all
    }

    fn read_envelope_for_tests(&self, bytes: &[u8], all: &mut Vec<u8>) {
        let Ok(envelope) = mecum_seal::Envelope::parse(bytes) else { return };
        let pending: Vec<DocumentKey> = self
            .vault
            .list_prefix(Table::Sync, b"successor")
            .expect("rows")
            .iter()
            .filter_map(|(_, body)| crate::erasing::Pending::decode(body).map(|pending| pending.key()))
            .collect();
        let keys: Vec<DocumentKey> =
            self.documents.values().map(|state| state.key.clone()).chain(pending).collect();
        let Some(space) = self.spaces.get(&envelope.place().space) else { return };
        let opened = keys.iter().filter_map(|key| space.open(key, &envelope));
        for plain in opened.chain(space.open_control(&envelope)) {
            all.extend(crate::plaintext::unpack(&plain).unwrap_or_default());
        }
    }

    /// The key of the document that holds an entry.
    pub fn key_of_entry_for_tests(&mut self, chart: ChartId, key: ItemKey) -> [u8; 32] {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        *self.documents.get(&document).expect("a state").key.expose()
    }

    /// A check of the vault that has begun: as long as it is there, it reads.
    pub fn reading_for_tests(&self) -> impl Sized + use<> {
        self.vault.begin_check().expect("a check begins")
    }

    /// Whether everything in the vault is as it was written.
    pub fn is_sound_for_tests(&self) -> bool {
        self.vault.check(true).problems.is_empty()
    }

    /// Whether this vault was found to be an older copy and its new incarnation has not begun.
    pub fn is_fetching_for_tests(&self) -> bool {
        self.is_older_copy()
    }

    /// As after an update: another version was the last to look at what is put aside.
    pub fn update_for_tests(&mut self) {
        self.set_setting(crate::aside::TRIED_BY, b"an older version").expect("a setting is kept");
    }

    /// How many spaces fold into a snapshot now, and how many there are.
    pub fn folds_for_tests(&self) -> (usize, usize) {
        let folds = |state: &&SpaceState| matches!(self.snapshot_of(state), Ok(Some(_)));
        (self.spaces.values().filter(folds).count(), self.spaces.len())
    }

    /// Every key that this session holds, to look for in places where none may be.
    pub fn keys_for_tests(&self) -> Vec<[u8; 32]> {
        let own =
            [*self.identity.signing.seed(), *self.identity.kem.expose(), *self.identity.account_kem.expose()];
        let spaces = self.spaces.values().map(|space| *space.key.expose());
        own.into_iter()
            .chain(spaces)
            .chain(self.documents.values().map(|document| *document.key.expose()))
            .collect()
    }

    /// The actor of this installation.
    pub fn actor_for_tests(&self) -> mecum_documents::Actor {
        self.identity.actor()
    }

    /// This installation, as the relay sees it.
    pub fn installation(&self) -> (DeviceId, IncarnationId) {
        (self.identity.device, self.follower.incarnation())
    }

    /// Everything that must be equal on devices that have exchanged everything: heads and entries of every document,
    /// clashes included, and what the lists show.
    pub fn fingerprint(&mut self) -> Result<BTreeMap<String, String>, SessionError> {
        let mut all = BTreeMap::new();
        for document in self.documents.keys().copied().collect::<Vec<_>>() {
            let open = self.open_document(document)?;
            let entries: Vec<_> = open.entries().collect();
            let finished: Vec<_> =
                open.finished().map(|(key, bytes)| (key, mecum_seal::sha256(&bytes))).collect();
            all.insert(
                format!("document {document}"),
                format!("{:?} {entries:?} {finished:?}", open.heads()),
            );
        }
        for chart in self.charts() {
            for row in self.rows(chart)?.newest() {
                let shown = Row { own_seq: 0, arrived: 0, ..row.clone() };
                all.insert(format!("row {chart} {}", row.key.name()), format!("{shown:?}"));
            }
        }
        Ok(all)
    }
}
