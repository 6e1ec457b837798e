//! What travels of a successor, and what binds it, as bytes, frozen.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Document, Link};
use mecum_domain::{Batch, Edit, EntryId, Field, Kind};
use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DeviceId, DocumentId, DocumentKey, EpochKey, Hash32, IncarnationId, SpaceId, derive_key,
    open_row, seal_row,
};

use super::base::{Base, Info, OpenSuccessor, Pending, Reason, Record, Touched, base_digest};
use super::records::record_hash;
use super::signing::{REPLACEMENT_PURPOSE, mark, reason_aad};
use crate::heads::heads_hash;
use crate::row::ItemKey;

const OLD: DocumentId = DocumentId::from_bytes([1; 16]);
const NEW: DocumentId = DocumentId::from_bytes([2; 16]);
const ENTRY: ItemKey = ItemKey::Entry([4; 16]);
const FINISHED: ItemKey = ItemKey::Finished([5; 16]);

fn actor(n: u8) -> Actor {
    Actor::from_bytes([n; 16])
}

fn successor() -> Document {
    let fields = vec![(Field::Text, "what stays".to_owned())];
    let add = Edit::Add { entry: EntryId::from_bytes([4; 16]), kind: Kind::Note, fields };
    let batch = Batch { at_ms: 1_788_854_400_000, edits: vec![add] };
    Document::new(actor(6)).author(&batch).expect("an honest edit").next
}

fn info() -> Info {
    let (device, incarnation) = (DeviceId::from_bytes([7; 16]), IncarnationId::from_bytes([8; 16]));
    let items = vec![
        Touched { key: ENTRY, at_ms: 1_788_854_400_000, device },
        Touched { key: FINISHED, at_ms: -1, device },
    ];
    let record = Record { device, incarnation, hash: Hash32::from_bytes([9; 32]) };
    Info::new([(actor(6), actor(10))], items, vec![Hash32::from_bytes([11; 32])], vec![record])
}

#[test]
fn what_travels_of_a_successor_is_written_with_the_frozen_bytes_and_read_from_them() {
    let (space, key) = (SpaceId::from_bytes([12; 16]), DocumentKey::from_bytes([3; 32]));
    let epoch = EpochKey::from_bytes([13; 32]);
    let opening = OpenSuccessor::new(NEW, &key, 2026, OLD, None);
    let from = AccountId::from_bytes([14; 16]);
    let heads = successor().heads();
    let digest = base_digest(&heads, &info().encode());
    let reason = Reason::new(1, "the wrong person", digest);
    let aad = reason_aad(space, OLD, NEW);
    let sealed =
        seal_row(&derive_key(&epoch, REPLACEMENT_PURPOSE), &aad, &reason.encode(), &SeededEntropy::new(81));
    let links = BTreeMap::from([
        (OLD, Link { change_seq: 3, change: [15; 32] }),
        (NEW, Link { change_seq: 300, change: [16; 32] }),
    ]);
    let base = Base::new(OLD, &[[17; 32], [18; 32]], vec![ENTRY, FINISHED], &info(), &successor());
    let hash = |hash: Hash32| hash.as_bytes().to_vec();
    let written = [
        ("opening of a successor", opening.encode()),
        ("successor that has not begun", opening.pending(space, from).encode()),
        ("info", info().encode()),
        ("info of nothing", Info::new([], vec![], vec![], vec![]).encode()),
        ("first envelope", base.encode()),
        ("what it began with", hash(digest)),
        ("reason", reason.encode()),
        ("reason, sealed", sealed),
        ("record of a chain", hash(record_hash(&links))),
        ("heads of a statement", hash(heads_hash(&epoch, &links))),
        ("mark of what was erased", hash(mark(&epoch, FINISHED).expect("it is finished"))),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "successors-v1.txt", &written);
    let read = OpenSuccessor::decode(frozen.get("opening of a successor")).expect("an old opening");
    assert_eq!((read.document, read.of, read.shard), (NEW, OLD, 2026), "what takes whose place");
    assert_eq!(read.key().expose(), key.expose(), "under its key");
    let read = Pending::decode(frozen.get("successor that has not begun")).expect("an old row");
    assert!(read.is_by(from) && !read.is_by(AccountId::from_bytes([0; 16])), "by whom");
    assert_eq!((read.space, read.of, read.key().expose()), (space, OLD, key.expose()), "of what");
    assert_eq!(Info::decode(frozen.get("info")), Some(info()), "what its changes do not say");
    let read = Base::decode(frozen.get("first envelope")).expect("an old first envelope");
    assert_eq!((read.of, read.covered()), (OLD, vec![[17; 32], [18; 32]]), "made of what");
    assert_eq!((&read.left_out, read.info.as_slice()), (&vec![ENTRY, FINISHED], frozen.get("info")));
    let document = read.document(actor(19)).expect("it passes the guards");
    assert!(document.save() == successor().save(), "what it begins with");
    let opened = open_row(&derive_key(&epoch, REPLACEMENT_PURPOSE), &aad, frozen.get("reason, sealed"))
        .expect("it opens");
    assert_eq!(*opened, frozen.get("reason"), "to the words");
    let read = Reason::decode(&opened).expect("an old reason");
    assert_eq!((read.kind, read.words.as_str(), read.digest), (1, "the wrong person", digest));
}
