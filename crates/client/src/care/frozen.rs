//! What is stored and sent of a conversation's sides as bytes, frozen. What is of no side lies in the files of before, as it always was.

use mecum_domain::{ChartId, Section};
use mecum_faults::Frozen;
use mecum_seal::{DocumentId, DocumentKey, EpochKey, Hash32, SpaceId};

use super::documents::document_id;
use super::*;
use crate::erasing::{OpenSuccessor, Pending};
use crate::plaintext::{OpenDocument, SpaceLabel};
use crate::space::{DocumentState, SpaceState};

/// Its last bit says the hospital.
const DOCUMENT: DocumentId = DocumentId::from_bytes([1; 16]);
const OF_PATIENT: DocumentId = DocumentId::from_bytes([2; 16]);
const SALT: [u8; 16] = [13; 16];
const OLD: DocumentId = DocumentId::from_bytes([3; 16]);
const SPACE: SpaceId = SpaceId::from_bytes([4; 16]);

fn key() -> DocumentKey {
    DocumentKey::from_bytes([2; 32])
}

fn care() -> Care {
    let member = |n: u8, part| CareMember { account: AccountId::from_bytes([n; 16]), part };
    Care { hospital: [5; 16], members: vec![member(6, PART_STAFF), member(7, PART_AGENT)] }
}

fn space() -> SpaceState {
    SpaceState {
        space: SPACE,
        chart: ChartId::from_bytes([8; 16]),
        section: Section::Care,
        key: EpochKey::from_bytes([9; 32]),
        epoch: 1,
        earlier: Vec::new(),
        ended: None,
        removed_devices: 0,
        membership: Hash32::from_bytes([10; 32]),
        unsent_genesis: None,
        own_seq: 3,
        own_last: Hash32::from_bytes([11; 32]),
        own_membership: Hash32::from_bytes([10; 32]),
        snapshot_seq: 0,
        care: Some(care()),
    }
}

fn named(side: Option<Side>) -> DocumentId {
    if side == Some(Side::Patient) { OF_PATIENT } else { DOCUMENT }
}

fn of(side: Option<Side>, salt: Option<[u8; 16]>) -> Option<OfSide> {
    side.map(|side| OfSide { side, salt })
}

fn opening(side: Option<Side>) -> OpenDocument {
    OpenDocument::new(named(side), &key(), 0, of(side, Some(SALT)))
}

fn successor(side: Option<Side>) -> OpenSuccessor {
    OpenSuccessor::new(named(side), &key(), 0, OLD, of(side, Some(SALT)))
}

fn document(side: Option<Side>) -> DocumentState {
    DocumentState::new(named(side), SPACE, key(), 0, side)
}

/// The same bytes but for one, so many before the end.
fn but(mut bytes: Vec<u8>, before_end: usize, byte: u8) -> Vec<u8> {
    let at = bytes.len() - before_end;
    bytes[at] = byte;
    bytes
}

#[test]
fn an_opening_is_the_bytes_that_it_always_was_and_one_of_a_side_says_which() {
    let from = AccountId::from_bytes([12; 16]);
    let label = SpaceLabel { chart: [8; 16], section: Section::Care.code(), care: Some(care()) };
    let (patient, hospital) = (Some(Side::Patient), Some(Side::Hospital));
    let written = [
        ("opening of the patient's side", opening(patient).encode()),
        ("opening of the hospital's side", opening(hospital).encode()),
        (
            "opening in a snapshot of the hospital's side",
            OpenDocument::new(DOCUMENT, &key(), 0, of(hospital, None)).encode(),
        ),
        ("opening of a successor of the patient's side", successor(patient).encode()),
        ("opening of a successor of the hospital's side", successor(hospital).encode()),
        (
            "successor of the hospital's side that has not begun",
            successor(hospital).pending(SPACE, from).encode(),
        ),
        (
            "id of a document of the patient's side",
            document_id(SPACE, Side::Patient, from, &SALT).as_bytes().to_vec(),
        ),
        (
            "id of a document of the hospital's side",
            document_id(SPACE, Side::Hospital, from, &SALT).as_bytes().to_vec(),
        ),
        ("label", minicbor::to_vec(&label).expect("plain fields encode")),
        ("space", space().encode()),
        ("document of the patient's side", document(patient).encode()),
        ("document of the hospital's side", document(hospital).encode()),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "care-v1.txt", &written);
    for (whose, side) in [("patient", Side::Patient), ("hospital", Side::Hospital)] {
        let (name, whole) = (named(Some(side)), of(Some(side), Some(SALT)));
        let get = |what: &str| frozen.get(&format!("{what} of the {whose}'s side"));
        let read = OpenDocument::decode(get("opening")).expect("an old opening");
        assert_eq!((read.document, read.of_side()), (name, whole), "which it opens, and whose it is");
        let read = OpenSuccessor::decode(get("opening of a successor")).expect("an old opening");
        assert_eq!((read.document, read.of, read.of_side()), (name, OLD, whole), "a successor's");
        let read = DocumentState::decode(name.as_bytes(), get("document")).expect("an old document");
        assert_eq!((read.side, read.encode().as_slice()), (Some(side), get("document")), "and what is kept");
    }
    let read = OpenDocument::decode(frozen.get("opening in a snapshot of the hospital's side"));
    assert_eq!(read.expect("an old one").of_side(), of(hospital, None), "of a snapshot, without the salt");
    let read = frozen.get("successor of the hospital's side that has not begun");
    let read = Pending::decode(read).expect("an old row");
    assert_eq!((read.of, read.side(), read.is_by(from)), (OLD, Some(Side::Hospital), true));
    let read: SpaceLabel = minicbor::decode(frozen.get("label")).expect("an old label");
    assert_eq!((read.section, read.care), (10, Some(care())), "whose conversation");
    let read = SpaceState::decode(SPACE.as_bytes(), frozen.get("space")).expect("an old space");
    assert_eq!((read.section, read.care), (Section::Care, Some(care())), "and what is kept of it");
}

#[test]
fn what_is_of_no_side_says_nothing_of_one() {
    // An array of four and of five, as before there were sides; the last byte is of the year or of the document that ends.
    assert_eq!(opening(None).encode().first(), Some(&0x84), "an opening");
    assert_eq!(successor(None).encode().first(), Some(&0x85), "a successor's");
    assert_eq!(document(None).encode().first(), Some(&0x8b), "and a document without cuts");
}

#[test]
fn what_an_older_version_kept_of_a_space_and_a_document_is_read_as_nobodys_side() {
    let plain = SpaceState { section: Section::Diary, care: None, ..space() };
    assert_eq!(plain.encode().first(), Some(&0x8d), "thirteen fields, as before");
    let read = SpaceState::decode(SPACE.as_bytes(), &plain.encode()).expect("a space of before");
    assert_eq!((read.section, read.care), (Section::Diary, None));
    let read = DocumentState::decode(DOCUMENT.as_bytes(), &document(None).encode()).expect("of before");
    assert_eq!(read.side, None);
    let read = Pending::decode(&successor(None).pending(SPACE, AccountId::from_bytes([12; 16])).encode());
    assert_eq!(read.expect("a row of before").side(), None);
}

#[test]
fn a_side_that_is_none_is_refused_and_so_is_a_space_whose_section_says_otherwise() {
    let side = Some(Side::Patient);
    // After the side come the salt's 16 bytes and what says how long it is.
    let said = 1 + SALT.len() + 1;
    assert!(OpenDocument::decode(&but(opening(side).encode(), said, 1)).is_ok(), "the place of the side");
    assert!(OpenDocument::decode(&but(opening(side).encode(), said, 3)).is_err(), "an opening");
    assert!(OpenSuccessor::decode(&but(successor(side).encode(), said, 1)).is_some(), "the same place");
    assert!(OpenSuccessor::decode(&but(successor(side).encode(), said, 3)).is_none(), "a successor's");
    let unbound = OpenSuccessor::new(OF_PATIENT, &key(), 0, OLD, of(side, None)).encode();
    assert!(OpenSuccessor::decode(&unbound).is_none(), "one that is bound to nobody");
    let waits = successor(side).pending(SPACE, AccountId::from_bytes([12; 16])).encode();
    assert!(
        Pending::decode(&waits).is_some() && Pending::decode(&but(waits, 1, 3)).is_none(),
        "one that waits"
    );
    let kept = but(document(side).encode(), 1, 3);
    assert!(DocumentState::decode(OF_PATIENT.as_bytes(), &kept).is_err(), "a document");
    let kept = document(side).encode();
    assert!(
        DocumentState::decode(DOCUMENT.as_bytes(), &kept).is_err(),
        "a document of another side than its id"
    );
    for wrong in [SpaceState { care: None, ..space() }, SpaceState { section: Section::Diary, ..space() }] {
        assert!(SpaceState::decode(SPACE.as_bytes(), &wrong.encode()).is_err(), "{:?}", wrong.section);
    }
}
