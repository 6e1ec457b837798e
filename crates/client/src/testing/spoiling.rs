//! What only a dishonest writer sends about a document that takes another's place, and rows that cannot be read.

use std::collections::BTreeSet;

use mecum_api::ErasureKind;
use mecum_documents::{Actor, Document};
use mecum_domain::{Batch, ChartId, Edit, FinishedKey, Section, Side};
use mecum_seal::{DeviceId, DocumentId, DocumentKey, Hash32, SpaceId};
use mecum_sync::{SpaceLog, SpaceSnapshot};
use mecum_vault::{Durability, Table, WriteVaultError};

use crate::care::{OfSide, new_document};
use crate::erasing::{Info, OpenSuccessor, Reason, code_of, info_name};
use crate::members::all_actors;
use crate::members::earlier::cut_name;
use crate::plaintext::OpenDocument;
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

/// How an opening lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LyingOpening {
    /// The document takes the place that a manager said, under another key.
    OtherKey,
    /// It takes the place of another document.
    OtherPlace,
    /// It takes nobody's place.
    Plain,
}

/// As what a document is opened that is another account's to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenedAgain {
    /// Of the hospital's side.
    ForHospital,
    /// Of the patient's.
    ForPatient,
    /// As one that takes another's place.
    Successor,
}

/// How what is said beside a successor's changes lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LyingInfo {
    /// Somebody else wrote what stays.
    Authors,
    /// It was written at another time.
    Times,
    /// Nothing is said of when.
    NoTimes,
    /// Something that was not erased may not come back.
    Bars,
    /// Somebody had written something else in the section's other documents.
    Records,
    /// What somebody had written there is said twice.
    RecordTwice,
    /// Somebody is said to have written there of whom the section has nothing.
    RecordOfNobody,
}

impl Session {
    /// Opens once more the document that a section's last replacement names, as only a dishonest writer does.
    pub fn open_successor_for_tests(&mut self, chart: ChartId, section: Section, lie: LyingOpening) {
        let space = self.space_for_tests(chart, section).expect("a space");
        let log = self.follower.space_log(space);
        let of = log.and_then(|log: &SpaceLog| log.replaced().last().copied()).expect("a replacement");
        let key = DocumentKey::make(self.entropy());
        let body = match lie {
            LyingOpening::OtherKey => OpenSuccessor::new(of.by, &key, 0, of.document, None).encode(),
            LyingOpening::OtherPlace => {
                OpenSuccessor::new(of.by, &key, 0, DocumentId::random(self.entropy()), None).encode()
            }
            LyingOpening::Plain => OpenDocument::new(of.by, &key, 0, None).encode(),
        };
        let mut stage = Stage::default();
        let state = self.staged_space(&stage, space).expect("a space");
        self.stage_envelope(&mut stage, space, DocumentId::CONTROL, &state.key, &body)
            .expect("an opening is short enough to seal");
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }

    /// Opens a document of a conversation for a side, as only a dishonest writer does for the other one.
    pub fn open_care_for_tests(&mut self, space: SpaceId, side: Side) -> DocumentId {
        let (document, of_side) = new_document(space, Some(side), self.identity.account, self.entropy());
        let key = DocumentKey::make(self.entropy());
        let mut stage = Stage::default();
        let state = self.staged_space(&stage, space).expect("a space");
        let body = OpenDocument::new(document, &key, 0, of_side).encode();
        self.stage_envelope(&mut stage, space, DocumentId::CONTROL, &state.key, &body)
            .expect("an opening is short enough to seal");
        stage.documents.insert(document, DocumentState::new(document, space, key, 0, Some(side)));
        stage.open.insert(document, Document::new(self.identity.actor()));
        self.commit(stage, Durability::Full).expect("the vault takes it");
        document
    }

    /// Opens a document of a conversation that somebody else opens, under another key, as only a dishonest writer does who was told of it.
    pub fn open_again_for_tests(&mut self, space: SpaceId, document: DocumentId, again: OpenedAgain) {
        let key = DocumentKey::make(self.entropy());
        let side = if again == OpenedAgain::ForHospital { Side::Hospital } else { Side::Patient };
        let of_side = Some(OfSide { side, salt: Some([7; 16]) });
        let body = match again {
            OpenedAgain::Successor => {
                let of = new_document(space, Some(side), self.identity.account, self.entropy()).0;
                OpenSuccessor::new(document, &key, 0, of, of_side).encode()
            }
            OpenedAgain::ForHospital | OpenedAgain::ForPatient => {
                OpenDocument::new(document, &key, 0, of_side).encode()
            }
        };
        let mut stage = Stage::default();
        let state = self.staged_space(&stage, space).expect("a space");
        self.stage_envelope(&mut stage, space, DocumentId::CONTROL, &state.key, &body)
            .expect("an opening is short enough to seal");
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }

    /// The snapshot of a document's space in which it is said to be of another side, or of none.
    pub fn snapshot_of_side_for_tests(&mut self, document: DocumentId, side: Option<Side>) -> SpaceSnapshot {
        let open = self.open_document(document).expect("the document loads").clone();
        let say = |session: &mut Self, side| {
            let state = session.documents.get_mut(&document).expect("a loaded document has a state");
            std::mem::replace(&mut state.side, side)
        };
        let truth = say(self, side);
        let snapshot = self.snapshot_with(document, &open);
        say(self, truth);
        snapshot
    }

    /// Forgets the row of an act, as where a page was lost.
    pub fn forget_act_row_for_tests(&mut self, chart: ChartId, document: DocumentId, key: [u8; 16]) {
        self.rows(chart).expect("rows load");
        let rows = self.charts.get_mut(&chart).expect("they are loaded");
        rows.remove(document, ItemKey::Finished(key)).expect("it has a row");
    }

    /// Sends something finished in a document of a conversation, whoever's side it is, as the next link of this device's chain. It is not
    /// kept in the document here.
    pub fn act_in_care_for_tests(&mut self, document: DocumentId, key: [u8; 16], bytes: &[u8]) {
        let edit = Edit::Keep { key: FinishedKey::from_bytes(key), bytes: bytes.to_vec() };
        let batch = Batch { at_ms: self.now_ms(), edits: vec![edit] };
        let authored = self.open_document(document).expect("it loads").author(&batch).expect("an edit");
        let body = authored.payload.expect("it changes something").encode();
        let mut stage = Stage::default();
        let state = self.documents.get(&document).cloned().expect("a loaded document has a state");
        let space = self.staged_space(&stage, state.space).expect("its space");
        let sealing = space.document_key(&state.key, space.epoch).expect("the current epoch's");
        self.stage_envelope(&mut stage, state.space, document, &sealing, &body)
            .expect("short enough to seal");
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }

    /// The snapshot of a document's space that a dishonest installation makes, as [`Session::lying_snapshot_for_tests`] of an entry's.
    pub fn lying_snapshot_of_for_tests(
        &mut self,
        document: DocumentId,
        lie: impl FnOnce(&Document) -> Document,
    ) -> SpaceSnapshot {
        let lied = lie(self.open_document(document).expect("the document loads"));
        self.snapshot_with(document, &lied)
    }

    /// The documents of a side of a conversation, the one that takes new words first.
    pub fn documents_of_side_for_tests(&self, space: SpaceId, side: Side) -> Vec<DocumentId> {
        let of = self.documents.values().filter(|state| state.space == space && state.side == Some(side));
        of.map(|state| state.document).collect()
    }

    /// Makes what is kept beside the document of an entry unreadable: its end can be neither signed nor carried out here.
    pub fn spoil_document_for_tests(&mut self, chart: ChartId, key: ItemKey) {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let spoilt = self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            w.put(Table::Snapshot, &info_name(document), b"no info").map(drop)
        });
        spoilt.expect("the vault takes it");
    }

    /// Writes something else in the place of the moment that was chosen for a removed device; answers what was there.
    pub fn moment_for_tests(&mut self, device: DeviceId, body: &[u8]) -> Vec<u8> {
        let name = cut_name(device);
        let was = self.vault.get(Table::Setting, &name).expect("rows").expect("a moment was chosen").to_vec();
        let stage = Stage { puts: vec![(Table::Setting, name, body.to_vec())], ..Stage::default() };
        self.commit(stage, Durability::Full).expect("the vault takes it");
        was
    }

    /// Ends a document of a conversation without something that was said in it, as only a dishonest manager does on the other side; what is
    /// to take its place is sent, or only named.
    pub fn end_in_care_for_tests(
        &mut self,
        document: DocumentId,
        key: [u8; 16],
        kind: ErasureKind,
        sent: bool,
    ) {
        let old = self.documents.get(&document).cloned().expect("a document that is here");
        let mut stage = Stage::default();
        if sent {
            let left_out = BTreeSet::from([ItemKey::Finished(key)]);
            self.stage_successor_saying(&mut stage, &old, &left_out, (kind, ""), |info| info)
                .expect("it is made");
        } else {
            let by = new_document(old.space, old.side, self.identity.account, self.entropy()).0;
            let reason = Reason::new(code_of(kind), "", Hash32::from_bytes([7; 32]));
            self.stage_replacement(&mut stage, old.space, document, by, &reason).expect("it is signed");
        }
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }

    /// Ends the document of an entry without it, as only a dishonest manager does: what is said beside its changes is a lie.
    pub fn lying_replacement_for_tests(&mut self, chart: ChartId, key: ItemKey, lie: Option<LyingInfo>) {
        let document = self.document_of(chart, key).expect("rows load").expect("the entry is there");
        let old = self.documents.get(&document).cloned().expect("its document");
        let actors: Vec<Actor> = all_actors(&self.follower).into_values().collect();
        let other = |author: Actor| actors.iter().copied().find(|actor| *actor != author).unwrap_or(author);
        let mut stage = Stage::default();
        let left_out = BTreeSet::from([key]);
        let say = |info: Info| {
            let authors: Vec<(Actor, Actor)> = info.authors().collect();
            let Info { mut items, mut erased, mut records, .. } = info;
            let authors = authors.into_iter().map(|(name, author)| match lie {
                Some(LyingInfo::Authors) => (name, other(author)),
                _ => (name, author),
            });
            match lie {
                Some(LyingInfo::Times) => items.iter_mut().for_each(|touched| touched.at_ms -= 1),
                Some(LyingInfo::NoTimes) => items.clear(),
                Some(LyingInfo::Bars) => erased.push(Hash32::from_bytes([7; 32])),
                Some(LyingInfo::Records) => {
                    for record in &mut records {
                        record.hash = Hash32::from_bytes([7; 32]);
                    }
                }
                Some(LyingInfo::RecordOfNobody) => {
                    if let Some(mut nobody) = records.last().copied() {
                        nobody.device = DeviceId::from_bytes([7; 16]);
                        records.push(nobody);
                    }
                }
                Some(LyingInfo::RecordTwice) => records.extend(records.last().copied()),
                Some(LyingInfo::Authors) | None => {}
            }
            Info::new(authors.collect::<Vec<_>>(), items, erased, records)
        };
        let kind = (ErasureKind::Erase, "");
        self.stage_successor_saying(&mut stage, &old, &left_out, kind, say).expect("it is made");
        self.commit(stage, Durability::Full).expect("the vault takes it");
    }
}
