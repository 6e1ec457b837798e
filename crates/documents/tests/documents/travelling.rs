//! Snapshots as they travel: what comes out is what went in, byte for byte, and every change in it is judged.

use mecum_documents::{ChunkError, Document, Limits, LoadError, Refusal};
use mecum_domain::{Edit, Field};

use crate::forge::{Dice, actor, add, frozen, keep, set, take, write};

/// The key of a finished entry here: its first 16 bytes.
fn work_out(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.get(..16)?.try_into().ok()
}

fn load(body: &[u8], ids: &[u8]) -> Result<(Document, Vec<mecum_documents::Step>), LoadError> {
    Document::load_compact(body, ids, &work_out, actor(9), Limits::default())
}

/// Three authors who write at once, exchange now and then, and clash.
fn merged(seed: u64) -> (Document, Vec<Vec<Edit>>) {
    let mut dice = Dice(seed);
    let mut documents: Vec<Document> = (1..=3).map(|n| Document::new(actor(n))).collect();
    let first = write(&mut documents[0], (0..12).map(add).collect());
    let mut edits = vec![first.batch().edits.clone()];
    let mut sent = vec![first];
    for document in &mut documents[1..] {
        take(document, &[&sent[0]]);
    }
    for round in 0..40_u8 {
        let at = dice.roll(3);
        let n = u8::try_from(dice.roll(12)).expect("small");
        let list = match dice.roll(4) {
            0 => vec![add(100 + round), keep(round, &[round; 40])],
            1 => vec![keep(round, &[round; 16]), keep(60 + round, &[1; 30])],
            2 => vec![set(n, Field::Dose, &round.to_string()), set(n, Field::Text, "seen")],
            _ => vec![set(n, Field::Dose, &round.to_string())],
        };
        let payload = write(&mut documents[at], list);
        edits.push(payload.batch().edits.clone());
        sent.push(payload);
        if dice.roll(3) == 0 {
            let to = dice.roll(3);
            take(&mut documents[to], &sent.iter().collect::<Vec<_>>());
        }
    }
    take(&mut documents[0], &sent.iter().collect::<Vec<_>>());
    (documents.swap_remove(0), edits)
}

#[test]
fn a_travelling_snapshot_comes_back_byte_for_byte_with_the_edits_of_every_change() {
    for seed in 1..=40 {
        let (document, mut edits) = merged(seed);
        let (body, ids) = document.save_compact(&work_out).expect("our own snapshot is compacted");
        let (again, steps) = load(&body, &ids).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(again.save(), document.save(), "seed {seed}: the same chunk");
        let mut read: Vec<Vec<Edit>> = steps.iter().map(|step| step.edits.clone()).collect();
        let order = |edits: &Vec<Edit>| format!("{edits:?}");
        read.sort_by_key(order);
        edits.sort_by_key(order);
        assert_eq!(read, edits, "seed {seed}: every change says what was written");
        assert_eq!(
            document.steps().map(|steps| steps.len()),
            Ok(steps.len()),
            "seed {seed}: read in place too"
        );
    }
}

#[test]
fn ids_that_can_be_worked_out_do_not_travel() {
    let mut document = Document::new(actor(1));
    let with_own_id: Vec<Edit> = (0..50).map(|n| keep(n, &[&[n; 16][..], b"a result"].concat())).collect();
    write(&mut document, with_own_id);
    let (_, ids) = document.save_compact(&work_out).expect("compacted");
    assert!(ids.is_empty(), "the forge's keys are sixteen times their number: {} bytes of ids", ids.len());
    write(&mut document, (0..7).map(add).collect());
    let (_, ids) = document.save_compact(&work_out).expect("compacted");
    assert_eq!(ids.len(), 7 * 16, "ids of entries are random and travel as they are");
    let (_, all) = document.save_compact(&|_| None).expect("compacted");
    assert_eq!(all.len(), 57 * 16, "nothing can be worked out by somebody who does not know how");
}

#[test]
fn a_travelling_snapshot_that_was_changed_is_refused_and_never_another_document() {
    let (document, _) = merged(7);
    let (body, ids) = document.save_compact(&work_out).expect("compacted");
    let mut dice = Dice(11);
    let (mut refused, mut same) = (0, 0);
    for _ in 0..3_000 {
        let (mut body, mut ids) = (body.clone(), ids.clone());
        match dice.roll(4) {
            0 => {
                let at = dice.roll(ids.len());
                ids[at] ^= 1 << dice.roll(8);
            }
            1 => body.truncate(dice.roll(body.len())),
            _ => {
                let at = dice.roll(body.len());
                body[at] ^= 1 << dice.roll(8);
            }
        }
        match load(&body, &ids) {
            Ok((again, _)) => {
                assert_eq!(again.heads(), document.heads(), "accepted only as the same document");
                same += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 2_900, "{refused} refused, {same} the same");
    assert_eq!(
        load(&body, &[ids.clone(), vec![0; 16]].concat()).err(),
        Some(LoadError::Chunk(ChunkError::Malformed))
    );
    assert_eq!(load(&body, &ids[16..]).err(), Some(LoadError::Chunk(ChunkError::Malformed)), "an id too few");
}

#[test]
fn a_snapshot_with_a_change_that_no_device_of_ours_writes_is_refused() {
    use automerge::transaction::Transactable;
    use automerge::{ActorId, Automerge, ROOT, ReadDoc};
    type Forgery = (&'static str, fn(&mut Automerge), Refusal);
    let (document, _) = merged(3);
    let entries = |doc: &Automerge| doc.get(ROOT, "entries").expect("readable").expect("there").1;
    let forgeries: [Forgery; 4] = [
        ("a key in the root", |doc| drop(doc.transact(|tx| tx.put(ROOT, "x", 1))), Refusal::EditsDisagree),
        (
            "a text among the entries",
            |doc| {
                let entries = doc.get(ROOT, "entries").expect("readable").expect("there").1;
                drop(doc.transact(|tx| tx.put(&entries, "x", "y")));
            },
            Refusal::EditsDisagree,
        ),
        (
            "an entry without a kind",
            |doc| {
                let entries = doc.get(ROOT, "entries").expect("readable").expect("there").1;
                drop(doc.transact(|tx| {
                    tx.put_object(&entries, "-".repeat(22), automerge::ObjType::Map).map(|_| ())
                }));
            },
            Refusal::EditsDisagree,
        ),
        (
            "a deletion",
            |doc| {
                let entries = doc.get(ROOT, "entries").expect("readable").expect("there").1;
                let key = doc.keys(&entries).next().expect("one");
                drop(doc.transact(|tx| tx.delete(&entries, key)));
            },
            Refusal::EditsDisagree,
        ),
    ];
    for (what, forge, refusal) in forgeries {
        let mut doc = Automerge::load(&document.save()).expect("loads").with_actor(ActorId::from([7; 16]));
        assert!(doc.length(entries(&doc)) > 0);
        forge(&mut doc);
        let options = automerge::SaveOptions { deflate: false, retain_orphans: false };
        let chunk = doc.save_with_options(options);
        let forged = Document::load(&chunk, actor(9), Limits::default()).expect("Automerge loads it");
        let (body, ids) = forged.save_compact(&work_out).expect("compacted");
        let error = load(&body, &ids).err();
        assert!(
            matches!(error, Some(LoadError::Step(found)) if found == refusal || found == Refusal::Predecessors),
            "{what}: {error:?}"
        );
    }
}

/// The columns, the ids beside them, and the document chunk that both amount to.
#[test]
fn the_travelling_form_is_frozen() {
    let (document, _) = merged(7);
    let (body, ids) = document.save_compact(&work_out).expect("compacted");
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let lines = [&body, &ids, &document.save()].map(|bytes| hex(bytes) + "\n");
    let held = frozen("travelling-v1.hex", &lines.concat());
    let bytes = |line: &str| -> Vec<u8> {
        let (pairs, _) = line.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("digits");
        pairs.iter().map(byte).collect()
    };
    let held: Vec<Vec<u8>> = held.lines().map(bytes).collect();
    let [body, ids, chunk] = held.as_slice() else { panic!("three lines") };
    let (again, steps) = load(body, ids).expect("the frozen columns are read");
    assert!(&again.save() == chunk && !steps.is_empty(), "as the frozen document");
    for mark in [0, 1] {
        let without = if mark == 0 { Vec::new() } else { ids.clone() };
        let other = if mark == 0 { &work_out as &dyn Fn(&[u8]) -> _ } else { &|_: &[u8]| None };
        let read = Document::load_compact(body, &without, other, actor(9), Limits::default());
        assert!(read.is_err(), "both kinds of mark for an id are in it: {mark}");
    }
}
