//! What this crate reads of bytes from elsewhere, as plain functions that say whether they took them, and what each takes: made by what
//! writes it.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Document, Limits, Link};
use mecum_domain::{Field, Kind};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DocumentId, DocumentKey, Envelope, PairingSecret, SigningKey, SpaceId};

use super::person;
use crate::driver::Home;
use crate::erasing::{Base, Info, OpenSuccessor, Pending, opened_document};
use crate::pairing::{qr_text, read_code};
use crate::plaintext::{
    OpenDocument, SnapshotPart, SpaceLabel, deflate, is_nothing, nothing, pack, press, unpack, unpress,
};
use crate::residue::Residue;
use crate::session::Session;
use crate::times::{Noted, Times, decode_times, encode_times, store_times, stored_times};

const READER: Actor = Actor::from_bytes([1; 16]);
/// As a vault reads its own snapshots.
const MOST_BYTES: u64 = mecum_documents::MAX_SNAPSHOT_BYTES as u64;

/// The code of a pairing, in either spelling.
pub fn code(bytes: &[u8]) -> bool {
    read_code(&String::from_utf8_lossy(bytes), Some("http://127.0.0.1:7400")).is_ok()
}

/// Codes as they are shown.
pub fn codes() -> Vec<Vec<u8>> {
    let entropy = SeededEntropy::new(1);
    let secret = PairingSecret::make(&entropy);
    let pin = SigningKey::make(&entropy).verifying_key();
    let at = |url: &str| qr_text(&secret, &Home { url: url.to_owned(), pin }).into_bytes();
    vec![at("http://127.0.0.1:7400"), at("https://mecum.example"), secret.to_words().join(" ").into_bytes()]
}

/// A message of a mailbox, under its seal.
pub fn message(bytes: &[u8]) -> bool {
    crate::pairing::parsing::read(bytes)
        | crate::members::invitation_parsing::read(bytes)
        | crate::members::desk_parsing::read(bytes)
        | crate::helpers::parsing::read(bytes)
}

/// Every kind of message.
pub fn messages() -> Vec<Vec<u8>> {
    [
        crate::pairing::parsing::said(),
        crate::members::invitation_parsing::said(),
        crate::members::desk_parsing::said(),
        crate::helpers::parsing::said(),
    ]
    .concat()
}

/// A section with a log that was folded, and one of its documents.
fn written() -> (Session, Vec<DocumentId>) {
    let (mut session, chart) = person(1);
    for number in 0..12 {
        let fields = vec![(Field::Name, format!("medicine {number}")), (Field::Dose, "5".to_owned())];
        let key = session.add(chart, Kind::MedicationStatement, fields).expect("an entry is written");
        session.set(chart, key, vec![(Field::Dose, Some("7.5".to_owned()))]).expect("and changed");
    }
    let documents = session.documents.keys().copied().collect();
    (session, documents)
}

/// Each document, and when its changes were written.
fn documents() -> Vec<(Document, Vec<u8>)> {
    let (session, documents) = written();
    let of = |document: &DocumentId| {
        let times = session.times(*document).ok()?;
        let loaded = session.load_for_tests(*document).ok()?;
        let encoded = encode_times(loaded.links().ok()?, &times)?;
        Some((loaded, encoded))
    };
    documents.iter().filter_map(of).collect()
}

fn info() -> Vec<u8> {
    Info::new([(READER, Actor::from_bytes([2; 16]))], Vec::new(), Vec::new(), Vec::new()).encode()
}

/// A part of a snapshot: the documents' openings, or a document. Where its columns are not pressed, they are first: what lies behind is
/// to be reached.
pub fn part(bytes: &[u8]) -> bool {
    if let Ok(openings) = SnapshotPart::decode_keys(bytes) {
        return openings.iter().any(|opening| opened_document(opening).is_some());
    }
    let Ok(mut part) = SnapshotPart::decode(bytes) else { return false };
    if part.columns().is_err() {
        part.columns = SnapshotPart::press_columns(&part.columns);
    }
    let Ok(columns) = part.columns() else { return false };
    let info = part.info.as_deref().is_none_or(|info| Info::decode(info).is_some());
    let loaded = Document::load_compact(&columns, &part.ids, &|_| None, READER, Limits::default());
    let Ok((document, _)) = loaded else { return false };
    let times = document.links().is_ok_and(|links| decode_times(&part.times, links).is_ok());
    info && times
}

/// Parts as they travel, and the same with their columns as they were.
pub fn parts() -> Vec<Vec<u8>> {
    let mut all = vec![SnapshotPart::keys(vec![opening().encode(), nothing()]).to_vec()];
    for (document, times) in documents() {
        let Ok((columns, ids)) = document.save_compact(&|_| None) else { continue };
        for (columns, info) in
            [(SnapshotPart::press_columns(&columns), None), (columns.clone(), None), (columns, Some(info()))]
        {
            all.push(SnapshotPart { times: times.clone(), ids: ids.clone(), columns, info }.encode());
        }
    }
    all
}

fn opening() -> OpenDocument {
    OpenDocument::new(DocumentId::from_bytes([1; 16]), &DocumentKey::from_bytes([2; 32]), 2026, None)
}

/// What an envelope holds, unpacked, and what a vault keeps of a snapshot, unpressed.
pub fn plaintext(bytes: &[u8]) -> bool {
    let body = unpack(bytes).ok();
    let says = body.as_deref().map(control);
    says.is_some() | unpress(bytes, MOST_BYTES).is_ok()
}

/// The plaintexts of a vault's envelopes, and its snapshots.
pub fn plaintexts() -> Vec<Vec<u8>> {
    let (session, _) = written();
    let keys = session.document_keys_for_tests();
    let open = |bytes: &Vec<u8>| {
        let envelope = Envelope::parse(bytes).ok()?;
        keys.iter().find_map(|key| Some(envelope.open(key).ok()?.clone()))
    };
    let envelopes = session.all_envelopes_for_tests().expect("they are read");
    let mut all: Vec<Vec<u8>> = envelopes.values().filter_map(open).collect();
    assert!(!all.is_empty(), "they open");
    for (document, _) in documents() {
        let saved = document.save();
        all.extend([press(&saved), deflate(&saved), pack(&saved)]);
    }
    all
}

/// What a control document says, as far as it is understood; the first envelope of a successor; the label of a space; what is kept of
/// any of them.
pub fn control(bytes: &[u8]) -> bool {
    let base = Base::decode(bytes);
    let begins = base.as_ref().is_some_and(|base| base.document(READER).is_some());
    let label = minicbor::decode::<SpaceLabel>(bytes).is_ok();
    opened_document(bytes).is_some()
        | is_nothing(bytes)
        | Pending::decode(bytes).is_some()
        | Info::decode(bytes).is_some()
        | base.is_some_and(|base| Info::decode(&base.info).is_some())
        | begins
        | label
}

/// One of each.
pub fn controls() -> Vec<Vec<u8>> {
    let (document, of) = (DocumentId::from_bytes([1; 16]), DocumentId::from_bytes([3; 16]));
    let successor = OpenSuccessor::new(document, &DocumentKey::from_bytes([2; 32]), 0, of, None);
    let pending = successor.pending(SpaceId::from_bytes([4; 16]), AccountId::from_bytes([5; 16]));
    let label = SpaceLabel { chart: [6; 16], section: 3, care: None };
    let mut all = vec![
        opening().encode(),
        successor.encode(),
        pending.encode(),
        nothing(),
        info(),
        minicbor::to_vec(label).expect("plain fields encode"),
    ];
    let info = Info::decode(&info()).expect("it was just made");
    for (document, _) in documents() {
        all.push(Base::new(of, &document.heads(), Vec::new(), &info, &document).encode());
    }
    all
}

/// The residue of a folded log.
pub fn residue(bytes: &[u8]) -> bool {
    Residue::decode(bytes).is_ok()
}

/// Folds what a device has that is at a server; the residues of it.
pub fn residues(session: &mut Session) -> Vec<Vec<u8>> {
    session.fold_everything_for_tests().expect("it folds");
    let mut all = Vec::new();
    for document in session.documents.keys() {
        for link in session.vault.links(*document, 0).expect("it is read") {
            if let mecum_vault::Link::Folded(run) = link {
                all.push(run.residue().to_vec());
            }
        }
    }
    all
}

/// How many changes the document has whose times are read beside those of a vault.
const CHANGES: u64 = 8;

fn links() -> BTreeMap<Actor, Link> {
    BTreeMap::from([(READER, Link { change_seq: CHANGES, change: [0; 32] })])
}

/// When changes were written: of a document of eight changes, and as a vault keeps it.
pub fn times(bytes: &[u8]) -> bool {
    decode_times(bytes, &links()).is_ok() | stored_times(bytes).is_ok()
}

/// Times of such a document, and of real ones.
pub fn all_times() -> Vec<Vec<u8>> {
    let noted = |seq: u64| Noted { at_ms: super::NOW_MS + 60_000 * seq.cast_signed(), own_seq: 0 };
    let times: Times = (1..=CHANGES).map(|seq| ((READER, seq), noted(seq))).collect();
    let stored = |(document, times): (Document, Vec<u8>)| Some(store_times(document.links().ok()?, &times));
    let eight = encode_times(&links(), &times);
    eight.into_iter().chain(documents().into_iter().filter_map(stored)).collect()
}
