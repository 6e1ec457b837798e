//! What only a dishonest writer sends about a document that takes another's place, and rows that cannot be read.

use mecum_domain::{ChartId, Section};
use mecum_seal::{DeviceId, DocumentId, DocumentKey};
use mecum_sync::SpaceLog;
use mecum_vault::{Durability, Table, WriteVaultError};

use crate::erasing::{OpenSuccessor, info_name};
use crate::members::earlier::cut_name;
use crate::plaintext::OpenDocument;
use crate::row::ItemKey;
use crate::session::Session;
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

impl Session {
    /// Opens once more the document that a section's last replacement names, as only a dishonest writer does.
    pub fn open_successor_for_tests(&mut self, chart: ChartId, section: Section, lie: LyingOpening) {
        let space = self.space_for_tests(chart, section).expect("a space");
        let log = self.follower.space_log(space);
        let of = log.and_then(|log: &SpaceLog| log.replaced().last().copied()).expect("a replacement");
        let key = DocumentKey::make(self.entropy());
        let body = match lie {
            LyingOpening::OtherKey => OpenSuccessor::new(of.by, &key, 0, of.document).encode(),
            LyingOpening::OtherPlace => {
                OpenSuccessor::new(of.by, &key, 0, DocumentId::random(self.entropy())).encode()
            }
            LyingOpening::Plain => OpenDocument::new(of.by, &key, 0).encode(),
        };
        let mut stage = Stage::default();
        let state = self.staged_space(&stage, space).expect("a space");
        self.stage_envelope(&mut stage, space, DocumentId::CONTROL, &state.key, &body)
            .expect("an opening is short enough to seal");
        self.commit(stage, Durability::Full).expect("the vault takes it");
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
}
