//! Honest replicas, and the tools of a dishonest one: an encoder of payloads that checks nothing, and changes taken apart
//! and put together differently.

use automerge::{Change, ExpandedChange};
use mecum_documents::{Actor, Admission, Document, Incoming, Payload};
use mecum_domain::{Batch, Edit, EntryId, Field, FinishedKey, Kind};

pub(crate) fn actor(n: u8) -> Actor {
    Actor::from_bytes([n; 16])
}

pub(crate) fn entry(n: u8) -> EntryId {
    EntryId::from_bytes([n; 16])
}

pub(crate) fn key(n: u8) -> FinishedKey {
    FinishedKey::from_bytes([n; 16])
}

pub(crate) fn batch(edits: Vec<Edit>) -> Batch {
    Batch { at_ms: 1_700_000_000_000, edits }
}

pub(crate) fn add(n: u8) -> Edit {
    let fields =
        vec![(Field::Name, "Metformin".into()), (Field::Dose, "500".into()), (Field::DoseUnit, "mg".into())];
    Edit::Add { entry: entry(n), kind: Kind::MedicationStatement, fields }
}

pub(crate) fn set(n: u8, field: Field, value: &str) -> Edit {
    Edit::Set { entry: entry(n), field, value: Some(value.into()) }
}

pub(crate) fn keep(n: u8, bytes: &[u8]) -> Edit {
    Edit::Keep { key: key(n), bytes: bytes.to_vec() }
}

/// Writes and swaps; the payload of an edit that must change something.
pub(crate) fn write(document: &mut Document, edits: Vec<Edit>) -> Payload {
    let authored = document.author(&batch(edits)).expect("honest edits are written");
    *document = authored.next;
    authored.payload.expect("the edits change something")
}

/// Offers payloads, each under the actor that it names.
pub(crate) fn offer(document: &Document, payloads: &[&Payload]) -> Admission {
    let incoming: Vec<_> = payloads
        .iter()
        .zip(0..)
        .map(|(payload, tag)| Incoming { actor: payload.actor().expect("16 bytes"), payload, tag })
        .collect();
    document.admit(&incoming)
}

/// Takes in payloads that must all be good.
pub(crate) fn take(document: &mut Document, payloads: &[&Payload]) {
    let admission = offer(document, payloads);
    assert_eq!(admission.accepted.len(), payloads.len(), "honest payloads are accepted: {admission:?}");
    *document = admission.next;
}

/// The change of a payload, taken apart.
pub(crate) fn expanded(payload: &Payload) -> ExpandedChange {
    Change::from_bytes(payload.change().to_vec()).expect("an honest change parses").decode()
}

/// A payload around any change and any edits, in the documented layout.
pub(crate) fn forge(change: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut entries: Vec<EntryId> = Vec::new();
    for edit in edits {
        if let Edit::Add { entry, .. } | Edit::Set { entry, .. } = edit
            && !entries.contains(entry)
        {
            entries.push(*entry);
        }
    }
    let index = |entry: &EntryId| entries.iter().position(|other| other == entry).expect("listed") as u64;
    let mut bytes = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    let result: Result<(), minicbor::encode::Error<_>> = (|| {
        encoder.array(5)?.u8(1)?.bytes(change)?.i64(1_700_000_000_000)?.array(entries.len() as u64)?;
        for entry in &entries {
            encoder.bytes(entry.as_bytes())?;
        }
        encoder.array(edits.len() as u64)?;
        for edit in edits {
            match edit {
                Edit::Add { entry, kind, fields } => {
                    encoder.array(3 + fields.len() as u64)?.u8(1)?.u64(index(entry))?.u8(kind.code())?;
                    for (field, _) in fields {
                        encoder.u8(field.code())?;
                    }
                }
                Edit::Set { entry, field, .. } => {
                    encoder.array(3)?.u8(2)?.u64(index(entry))?.u8(field.code())?;
                }
                Edit::Keep { key, .. } => {
                    encoder.array(2)?.u8(3)?.bytes(key.as_bytes())?;
                }
            }
        }
        Ok(())
    })();
    result.expect("memory takes everything");
    bytes
}

/// [`forge`] around a change put together from parts.
pub(crate) fn forge_from(change: ExpandedChange, edits: &[Edit]) -> Vec<u8> {
    forge(Change::from(change).raw_bytes(), edits)
}

/// Small random numbers from a printed seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).expect("below a usize")
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.roll(at + 1));
        }
    }
}

/// Silences the panics inside Automerge that the guards contain, whose backtraces would take longer than the tests.
pub(crate) fn quiet_automerge() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map_or("", |location| location.file());
            if file.contains("mecum") || file.contains("documents") {
                shown(panic);
            }
        }));
    });
}

/// Compares with a frozen file, which is written once and never over; returns it.
pub(crate) fn frozen(name: &str, text: &str) -> String {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    if !std::path::Path::new(&path).exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
        std::fs::write(&path, text).expect("writable");
    }
    let frozen = std::fs::read_to_string(&path).expect("the vector file is there");
    assert!(text == frozen, "{name}: other bytes would part the devices of different versions");
    frozen
}
