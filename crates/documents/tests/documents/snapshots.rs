//! Snapshots: what is saved comes back, and nothing else is loaded. And how long the usual things take.

use std::time::Instant;

use automerge::{ActorId, Automerge};
use mecum_documents::{ChunkError, Document, Limits, Link, LoadError, Payload};
use mecum_domain::{Edit, EntryId, Field, Kind};

use crate::forge::{Dice, actor, add, entry, keep, quiet_automerge, set, take, write};

fn grown() -> (Document, Vec<Payload>) {
    let mut document = Document::new(actor(1));
    let mut payloads = vec![write(&mut document, (0..40).map(add).collect())];
    for n in 0..40 {
        payloads
            .push(write(&mut document, vec![set(n, Field::Text, &format!("note {n}")), keep(n, &[n; 90])]));
    }
    (document, payloads)
}

fn load(bytes: &[u8]) -> Result<Document, LoadError> {
    Document::load(bytes, actor(2), Limits::default())
}

#[test]
fn a_saved_document_comes_back_and_goes_on() {
    let (document, payloads) = grown();
    let mut again = load(&document.save()).expect("our own snapshot loads");
    assert_eq!(again.save(), document.save(), "equal documents save equal bytes");
    assert!(again.entries().eq(document.entries()), "and read the same");
    let last = payloads.last().expect("some").change_hash();
    let links = again.links().expect("known actors").clone();
    assert_eq!(
        links.into_iter().collect::<Vec<_>>(),
        [(actor(1), Link { change_seq: 41, change: last })],
        "who wrote"
    );
    let next = write(&mut again, vec![set(0, Field::Dose, "9")]);
    assert_eq!((next.actor(), next.change_seq()), (Some(actor(2)), 1), "under the actor of this device");
    let mut first = document.clone();
    take(&mut first, &[&next]);
    assert_eq!(first.heads(), again.heads(), "the first device takes it in");
}

#[test]
fn a_snapshot_and_its_tail_are_the_whole() {
    let (document, payloads) = grown();
    let base = Document::new(actor(1)).save();
    let encoded: Vec<_> = payloads.iter().map(Payload::encode).collect();
    let raw = || encoded.iter().map(|bytes| Payload::raw_change(bytes).expect("our own payload"));
    let again = Document::reopen(&base, raw(), actor(1)).expect("base and tail fit");
    assert_eq!(again.save(), document.save(), "byte for byte");
    let gap = Document::reopen(&base, raw().skip(1), actor(1));
    assert_eq!(gap.err(), Some(LoadError::Tail), "a tail with a hole is not opened");
}

#[test]
fn other_bytes_are_not_loaded() {
    let (document, payloads) = grown();
    let bytes = document.save();
    let compressed = Automerge::load(&bytes).expect("loads").save();
    assert_eq!(
        load(&compressed).err(),
        Some(LoadError::Chunk(ChunkError::Compressed)),
        "columns inflate unbounded"
    );
    let trailing = [&bytes[..], payloads[0].change()].concat();
    assert_eq!(
        load(&trailing).err(),
        Some(LoadError::Chunk(ChunkError::Trailing)),
        "Automerge would load it too"
    );
    assert_eq!(
        load(payloads[0].change()).err(),
        Some(LoadError::Chunk(ChunkError::Type)),
        "a change is no snapshot"
    );
    let few = Limits { operations: 20, ..Limits::default() };
    let refused = Document::load(&bytes, actor(2), few).err();
    assert_eq!(refused, Some(LoadError::Chunk(ChunkError::TooManyOperations)), "the bound on operations");
    let small = Limits { bytes: 1_000, ..Limits::default() };
    let refused = Document::load(&bytes, actor(2), small).err();
    assert_eq!(refused, Some(LoadError::Chunk(ChunkError::TooLarge)), "the bound on bytes");
    let foreign = Automerge::new().with_actor(ActorId::from([1_u8; 16])).save_nocompress();
    assert_eq!(load(&foreign).err(), Some(LoadError::Genesis), "a document without our genesis");
    for length in 0..bytes.len() {
        assert!(load(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn a_mutated_snapshot_is_refused() {
    let seed = 0x6d65_6375_6d03;
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let bytes = grown().0.save();
    quiet_automerge();
    for _ in 0..2_000 {
        let mut other = bytes.clone();
        let at = dice.roll(other.len());
        other[at] ^= 1 << dice.roll(8);
        assert!(load(&other).is_err(), "one bit at {at} is seen by the checksum or the heads");
    }
}

/// The size at which the client splits: 800 entries of 5 fields.
fn full() -> Document {
    let mut document = Document::new(actor(1));
    for batch in 0..80_u128 {
        let new = |n: u128| {
            let fields = [Field::Name, Field::Dose, Field::DoseUnit, Field::Frequency];
            let fields = fields.into_iter().map(|field| (field, format!("{field:?} {n}"))).collect();
            Edit::Add { entry: EntryId::from_bytes((n << 64 | n).to_be_bytes()), kind: Kind::Note, fields }
        };
        write(&mut document, (0..10).map(|n| new(batch * 10 + n)).collect());
    }
    document
}

#[test]
fn the_usual_things_are_quick_at_full_size() {
    let document = full();
    println!("{} operations", document.operations());
    let mut writer = load(&document.save()).expect("loads");
    let some = |n: u128| EntryId::from_bytes((n << 64 | n).to_be_bytes());
    let begun = Instant::now();
    let payloads: Vec<_> = (0..200_u128)
        .map(|n| {
            let edit = Edit::Set { entry: some(n * 3), field: Field::Dose, value: Some(n.to_string()) };
            write(&mut writer, vec![edit])
        })
        .collect();
    let author = begun.elapsed() / 200;
    let encoded: Vec<_> = payloads.iter().map(Payload::encode).collect();
    let begun = Instant::now();
    let decoded: Vec<_> = encoded.iter().map(|bytes| Payload::decode(bytes).expect("honest")).collect();
    let decode = begun.elapsed();
    let mut reader = document.clone();
    let begun = Instant::now();
    take(&mut reader, &decoded.iter().collect::<Vec<_>>());
    let admit = begun.elapsed();
    let begun = Instant::now();
    let count = reader.entries().count();
    let read = begun.elapsed();
    let bytes = reader.save();
    let begun = Instant::now();
    let again = load(&bytes).expect("loads");
    let load = begun.elapsed();
    println!(
        "author {author:?} each, decode 200 {decode:?}, admit 200 {admit:?}, read {count} {read:?}, load {load:?}"
    );
    println!("edit {} B, {} B encoded", payloads[0].change().len(), encoded[0].len());
    assert_eq!(again.heads(), writer.heads(), "and right");
    assert!(
        author.as_millis() < 20 && admit.as_millis() < 1_000,
        "no work in proportion to history per edit"
    );
    assert!(again.entry(entry(200)).is_none(), "an id that nobody used is nothing");
}
