//! Plaintexts as bytes, frozen: what devices seal for each other, and what a vault keeps of snapshots.
//!
//! What is pressed or deflated is compared with its writer's bytes too. A library that presses otherwise writes nothing wrong, but folded
//! envelopes are made again of deflated bytes: then this file stays to be read, and what is written gets another.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Document, Limits, Link};
use mecum_domain::{Batch, Edit, EntryId, Field, Kind};
use mecum_faults::Frozen;

use super::*;
use crate::pages::{plain_view, stored_view};
use crate::times::{Noted, Times, decode_times, encode_times, store_times, stored_times};

fn actor(n: u8) -> Actor {
    Actor::from_bytes([n; 16])
}

/// A document of two changes by two writers, and when each was written.
fn document() -> (Document, Times) {
    let batch = |edits| Batch { at_ms: 1_788_854_400_000, edits };
    let entry = EntryId::from_bytes([4; 16]);
    let fields = vec![(Field::Name, "Metformin".to_owned()), (Field::Dose, "500".to_owned())];
    let first = Document::new(actor(1))
        .author(&batch(vec![Edit::Add { entry, kind: Kind::MedicationStatement, fields }]))
        .expect("an honest edit");
    let set = Edit::Set { entry, field: Field::Dose, value: Some("850".to_owned()) };
    let second = first.next.with_actor(actor(2)).author(&batch(vec![set])).expect("an honest edit");
    let noted = |at_ms| Noted { at_ms, own_seq: 0 };
    let times =
        Times::from([((actor(1), 1), noted(1_788_854_400_000)), ((actor(2), 1), noted(1_788_854_460_000))]);
    (second.next, times)
}

fn text() -> Vec<u8> {
    (0..400_u32).flat_map(|n| format!("{} mg; ", n * n % 977).into_bytes()).collect()
}

fn opening() -> OpenDocument {
    OpenDocument::new(DocumentId::from_bytes([1; 16]), &DocumentKey::from_bytes([2; 32]), 2026, None)
}

fn part(info: Option<&[u8]>) -> SnapshotPart {
    let (document, times) = document();
    let (columns, ids) = document.save_compact(&|_| None).expect("a document of our own");
    let times = encode_times(document.links().expect("read"), &times).expect("all are known");
    SnapshotPart {
        times,
        ids,
        columns: SnapshotPart::press_columns(&columns),
        info: info.map(<[u8]>::to_vec),
    }
}

#[test]
fn plaintexts_are_written_with_the_frozen_bytes_and_read_from_them() {
    let (document, times) = document();
    let links: BTreeMap<Actor, Link> = document.links().expect("read").clone();
    let label = SpaceLabel { chart: [3; 16], section: 4, care: None };
    let written = [
        ("form 0", pack(b"a short body")),
        ("form 1", pack(&text())),
        ("opening", opening().encode()),
        ("nothing", nothing()),
        ("label", minicbor::to_vec(&label).expect("encodes")),
        ("part with the openings", SnapshotPart::keys(vec![opening().encode(), nothing()]).to_vec()),
        ("part of a document", part(None).encode()),
        ("part of a successor", part(Some(b"info")).encode()),
        ("local snapshot", press(&text())),
        ("local snapshot made at leisure", press_at_leisure(&text())),
        ("local snapshot of an older version", deflate(&text())),
        ("times in a vault", store_times(&links, &part(None).times)),
        ("view", stored_view(&text())),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "plaintexts-v1.txt", &written);
    assert_eq!(unpack(frozen.get("form 0")).as_deref(), Ok(b"a short body".as_slice()), "as it is");
    assert_eq!(unpack(frozen.get("form 1")), Ok(text()), "deflated");
    assert_eq!(frozen.get("form 1")[0], DEFLATED, "which says so");
    let read = OpenDocument::decode(frozen.get("opening")).expect("an old opening");
    assert_eq!((read.document, read.key().expose(), read.shard), (opening().document, &[2; 32], 2026));
    assert!(is_nothing(frozen.get("nothing")), "nothing is said");
    let read: SpaceLabel = minicbor::decode(frozen.get("label")).expect("an old label");
    assert_eq!((read.chart, read.section), (label.chart, label.section), "whose and which");
    let openings = SnapshotPart::decode_keys(frozen.get("part with the openings")).expect("an old part");
    assert_eq!(openings.iter().map(|o| o.to_vec()).collect::<Vec<_>>(), [opening().encode(), nothing()]);
    for (name, info) in [("part of a document", None), ("part of a successor", Some(b"info".to_vec()))] {
        let read = SnapshotPart::decode(frozen.get(name)).expect("an old part");
        let columns = read.columns().expect("unpressed");
        let (taken, steps) =
            Document::load_compact(&columns, &read.ids, &|_| None, actor(9), Limits::default())
                .expect("an old document");
        assert_eq!((taken.heads(), steps.len()), (document.heads(), 2), "{name}: with every change");
        assert_eq!(decode_times(&read.times, &links), Ok(times.clone()), "{name}: and when each was written");
        assert_eq!(read.info, info, "{name}");
    }
    for name in ["local snapshot", "local snapshot made at leisure", "local snapshot of an older version"] {
        assert_eq!(unpress(frozen.get(name), 1 << 20), Ok(text()), "{name}");
    }
    assert_eq!(stored_times(frozen.get("times in a vault")).expect("old times"), times, "for its changes");
    assert_eq!(plain_view(frozen.get("view")).as_deref(), Ok(text().as_slice()), "an old view");
    assert_eq!(
        plain_view(&minicbor::to_vec([1, 2]).expect("encodes")).as_deref(),
        Ok([0x82, 1, 2].as_slice())
    );
}
