//! The guards: each way in which a peer can lie has a test that it is refused, and refuses nothing else.

use std::num::NonZeroU64;
use std::time::Instant;

use automerge::legacy::{Key, OpId, OpType, SortedVec};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, Change, ExpandedChange, ObjType, ROOT, ScalarValue};
use mecum_documents::{Actor, ChunkError, DecodeError, Document, Incoming, Payload, Refusal};
use mecum_domain::{Edit, Field, Kind};

use crate::forge::{
    Dice, actor, add, batch, entry, expanded, forge, forge_from, keep, offer, quiet_automerge, set, take,
    write,
};

/// A document that has seen actor 1's first batch, and actor 1's second as it honestly is.
struct Scene {
    document: Document,
    edits: Vec<Edit>,
    honest: Payload,
    first: Payload,
}

fn scene() -> Scene {
    let mut a = Document::new(actor(1));
    let first = write(&mut a, vec![add(7), add(8)]);
    let edits = vec![set(7, Field::Dose, "850"), set(7, Field::Text, "after food")];
    let honest = write(&mut a, edits.clone());
    let mut document = Document::new(actor(2));
    take(&mut document, &[&first]);
    Scene { document, edits, honest, first }
}

impl Scene {
    /// What becomes of the honest change when it is altered like this.
    fn altered(&self, alter: impl FnOnce(&mut ExpandedChange)) -> Result<Option<Refusal>, DecodeError> {
        let mut change = expanded(&self.honest);
        alter(&mut change);
        self.offered(&forge_from(change, &self.edits))
    }

    /// What becomes of the honest change under other edits.
    fn told(&self, edits: &[Edit]) -> Result<Option<Refusal>, DecodeError> {
        self.offered(&forge(self.honest.change(), edits))
    }

    fn offered(&self, bytes: &[u8]) -> Result<Option<Refusal>, DecodeError> {
        let payload = Payload::decode(bytes)?;
        let admission = self.document.admit(&[Incoming { actor: actor(1), payload: &payload, tag: 5 }]);
        assert_eq!(admission.waiting, Vec::<u64>::new(), "nothing is missing");
        if let [(5, refusal)] = admission.refused[..] {
            assert_eq!(admission.next.heads(), self.document.heads(), "what is refused changes nothing");
            return Ok(Some(refusal));
        }
        assert_eq!(admission.accepted, [5], "accepted or refused");
        Ok(None)
    }
}

#[test]
fn the_honest_change_is_accepted() {
    let scene = scene();
    assert_eq!(scene.altered(|_| {}), Ok(None), "so that every refusal below is for its own reason");
}

#[test]
fn a_change_under_another_devices_envelope_is_refused() {
    let scene = scene();
    let payload = &scene.honest;
    let admission = scene.document.admit(&[Incoming { actor: actor(3), payload, tag: 0 }]);
    assert_eq!(
        admission.refused,
        [(0, Refusal::ForgedActor)],
        "the envelope's device is not the change's actor"
    );
    let long = scene.altered(|change| change.actor_id = ActorId::from(&[1_u8; 17][..]));
    assert_eq!(long, Ok(Some(Refusal::ForgedActor)), "an actor of another length is nobody's");
    let reserved = Actor::from_bytes(*b"mecum genesis v1");
    let mut change = expanded(&scene.honest);
    change.actor_id = ActorId::from(*reserved.as_bytes());
    let payload = Payload::decode(&forge_from(change, &scene.edits)).expect("its shape is right");
    let admission = scene.document.admit(&[Incoming { actor: reserved, payload: &payload, tag: 0 }]);
    assert_eq!(admission.refused, [(0, Refusal::ForgedActor)], "nobody writes as genesis");
    let own = Document::new(reserved).author(&batch(vec![add(9)]));
    assert!(own.is_err(), "not even here");
}

#[test]
fn numbers_that_do_not_follow_are_refused() {
    let scene = scene();
    assert_eq!(
        scene.altered(|change| change.seq = 3),
        Ok(Some(Refusal::SequenceGap)),
        "a gap makes Automerge panic"
    );
    assert_eq!(scene.altered(|change| change.seq = 1), Ok(Some(Refusal::Equivocation)), "number 1 is taken");
    assert_eq!(scene.altered(|change| change.seq = 0), Ok(Some(Refusal::Equivocation)), "numbers start at 1");
    for start in [1, 2, 200, u64::from(u32::MAX) - 1] {
        let refused = scene.altered(|change| change.start_op = NonZeroU64::new(start).expect("not 0"));
        assert_eq!(refused, Ok(Some(Refusal::StartOp)), "operation numbers follow the dependencies: {start}");
    }
    let genesis = automerge::ChangeHash(mecum_documents::genesis_hash());
    let refused = scene.altered(|change| {
        change.deps = vec![genesis];
        change.start_op = NonZeroU64::new(3).expect("not 0");
    });
    assert_eq!(refused, Ok(Some(Refusal::OwnChangeMissing)), "an actor sees its own last change");
    assert_eq!(
        scene.altered(|change| change.deps = vec![]),
        Ok(Some(Refusal::StartOp)),
        "everything follows genesis"
    );
}

#[test]
fn a_clone_of_a_device_is_seen() {
    let scene = scene();
    let mut clone = Document::new(actor(1));
    take(&mut clone, &[&scene.first]);
    let other = write(&mut clone, vec![set(7, Field::Dose, "1")]);
    let mut document = scene.document.clone();
    take(&mut document, &[&scene.honest]);
    assert_eq!(
        offer(&document, &[&other]).refused,
        [(0, Refusal::Equivocation)],
        "one actor, one second change"
    );
    let own = Document::new(actor(1));
    let both = offer(&own, &[&scene.first, &scene.honest, &other]);
    assert_eq!((both.accepted.len(), both.refused.len()), (2, 1), "of two offered together one is refused");
}

#[test]
fn wrong_predecessors_are_refused() {
    let scene = scene();
    let none = scene.altered(|change| change.operations[0].pred = SortedVec::new());
    assert_eq!(none, Ok(Some(Refusal::Predecessors)), "it would make a clash out of nothing");
    let unknown = OpId::new(77, &ActorId::from([1_u8; 16]));
    let refused = scene.altered(|change| change.operations[0].pred = vec![unknown.clone()].into());
    assert_eq!(refused, Ok(Some(Refusal::Predecessors)), "the document would save and never load again");
    let refused = scene.altered(|change| change.operations[1].pred = vec![unknown].into());
    assert_eq!(refused, Ok(Some(Refusal::Predecessors)), "there was nothing to overwrite");

    // A value that the liar's change has not seen: overwriting it would take it from everybody.
    let mut document = scene.document.clone();
    let unseen = write(&mut document, vec![set(7, Field::Dose, "1000")]);
    let victim = expanded(&unseen);
    let mut change = expanded(&scene.honest);
    change.operations[0].pred = vec![OpId::new(victim.start_op.get(), &victim.actor_id)].into();
    let payload = Payload::decode(&forge_from(change, &scene.edits)).expect("its shape is right");
    assert_eq!(
        offer(&document, &[&payload]).refused,
        [(0, Refusal::Predecessors)],
        "a dose nobody saw stays"
    );
    take(&mut document, &[&scene.honest]);
    let clash = document.entry(entry(7)).expect("there");
    assert_eq!(clash.safety_clashes().count(), 1, "and the honest change shows the clash");
}

#[test]
fn edits_that_lie_are_refused() {
    let scene = scene();
    let told = |edits: &[Edit]| scene.told(edits);
    let (dose, text) = (set(7, Field::Dose, "850"), set(7, Field::Text, "after food"));
    let lie = Ok(Some(Refusal::EditsDisagree));
    assert_eq!(told(&[set(7, Field::Unit, "850"), text.clone()]), lie, "another field");
    assert_eq!(told(&[set(8, Field::Dose, "850"), text.clone()]), lie, "another entry");
    assert_eq!(told(&[set(9, Field::Dose, "850"), text.clone()]), lie, "an entry that is not there");
    assert_eq!(told(&[text.clone(), dose.clone()]), lie, "another order");
    let short = Err(DecodeError::EditsDisagree);
    assert_eq!(told(std::slice::from_ref(&dose)), short, "less than the change does");
    assert_eq!(told(&[dose.clone(), text.clone(), set(7, Field::Name, "x")]), short, "more than it does");
    assert_eq!(told(&[dose.clone(), dose.clone()]), short, "one place twice");
    assert_eq!(told(&[dose, keep(1, b"after food")]), short, "a finished value where a field was written");

    let first = |edits: &[Edit]| {
        let payload = Payload::decode(&forge(scene.first.change(), edits))?;
        Ok::<_, DecodeError>(offer(&Document::new(actor(2)), &[&payload]).refused)
    };
    let Edit::Add { fields, .. } = add(7) else { unreachable!("add makes an add") };
    let note = Edit::Add { entry: entry(7), kind: Kind::Note, fields: fields.clone() };
    assert_eq!(first(&[note, add(8)]), Err(DecodeError::EditsDisagree), "another kind");
    assert_eq!(
        first(&[add(8), add(7)]),
        Ok(vec![(0, Refusal::EditsDisagree)]),
        "each entry under the other's id"
    );
    assert_eq!(first(&[add(7), add(8)]), Ok(vec![]), "the truth is accepted");
}

#[test]
fn a_change_carries_nothing_but_operations() {
    let scene = scene();
    let extras = Ok(Some(Refusal::Extras));
    assert_eq!(scene.altered(|change| change.time = 1), extras, "a time of its own");
    assert_eq!(scene.altered(|change| change.message = Some("hello".into())), extras, "a message");
    assert_eq!(scene.altered(|change| change.extra_bytes = vec![1, 2, 3]), extras, "bytes of its own");
}

#[test]
fn operations_that_our_documents_do_not_have_are_refused() {
    let scene = scene();
    let lie = Err(DecodeError::EditsDisagree);
    let actions = [
        OpType::Make(ObjType::List),
        OpType::Make(ObjType::Text),
        OpType::Make(ObjType::Map),
        OpType::Delete,
        OpType::Increment(1),
        OpType::MarkEnd(false),
        OpType::Put(ScalarValue::counter(1)),
        OpType::Put(ScalarValue::Boolean(true)),
        OpType::Put(ScalarValue::Int(850)),
        OpType::Put(ScalarValue::Bytes(b"850".to_vec())),
    ];
    for action in actions {
        let told = format!("{action:?}");
        assert_eq!(scene.altered(|change| change.operations[0].action = action), lie, "{told}");
    }
    let inserted = scene.altered(|change| change.operations[0].insert = true);
    assert_eq!(inserted, Ok(Some(Refusal::EditsDisagree)), "an insertion into a map");
    let listed = scene.altered(|change| change.operations[0].key = Key::head());
    assert!(
        matches!(listed, Ok(Some(Refusal::EditsDisagree)) | Err(DecodeError::Change)),
        "a list position: {listed:?}"
    );
    let elsewhere = scene.altered(|change| change.operations[0].obj = automerge::legacy::ObjectId::Root);
    assert_eq!(elsewhere, Ok(Some(Refusal::EditsDisagree)), "a write at the root");
    let missing = OpId::new(99, &ActorId::from([1_u8; 16]));
    let nowhere = scene.altered(|change| change.operations[0].obj = automerge::legacy::ObjectId::Id(missing));
    assert_eq!(nowhere, Ok(Some(Refusal::EditsDisagree)), "a write into an object that is not there");
}

#[test]
fn finished_values_are_never_overwritten() {
    let mut a = Document::new(actor(1));
    let first = write(&mut a, vec![keep(1, b"as received")]);
    let again = write(&mut a, vec![keep(2, b"forged")]);
    let mut change = expanded(&again);
    let made = expanded(&first);
    change.operations[0].key = made.operations[0].key.clone();
    change.operations[0].pred = vec![OpId::new(made.start_op.get(), &made.actor_id)].into();
    let payload = Payload::decode(&forge_from(change, &[keep(1, b"forged")])).expect("its shape is right");
    let mut document = Document::new(actor(2));
    take(&mut document, &[&first]);
    assert_eq!(
        offer(&document, &[&payload]).refused,
        [(0, Refusal::Predecessors)],
        "a finished value is written once"
    );
}

/// A chunk of type 1 around a body. The checksum is left at zero: the bomb goes off before it is looked at.
fn chunk(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
    bytes.push(u8::try_from(body.len()).expect("short"));
    bytes.extend(body);
    bytes
}

#[test]
fn a_run_length_bomb_is_refused_before_automerge_sees_it() {
    // 3,000,000 puts of null to the key "k" at the root, in 69 bytes: each column is one run.
    let run = [0xc0, 0x8d, 0xb7, 0x01];
    let mut body = vec![0, 16];
    body.extend([1; 16]);
    body.extend([1, 1, 0, 0, 0]);
    let columns: [(u8, Vec<u8>); 4] = [
        (0x15, [&run[..], &[1, b'k']].concat()),
        (0x34, run.to_vec()),
        (0x42, [&run[..], &[1]].concat()),
        (0x56, [&run[..], &[0]].concat()),
    ];
    body.push(4);
    for (spec, data) in &columns {
        body.extend([*spec, u8::try_from(data.len()).expect("short")]);
    }
    for (_, data) in &columns {
        body.extend(data);
    }
    let bytes = chunk(&body);
    assert!(bytes.len() < 70, "a small thing: {} bytes", bytes.len());
    let begun = Instant::now();
    let refused = Payload::decode(&forge(&bytes, &[]));
    assert_eq!(
        refused,
        Err(DecodeError::Chunk(ChunkError::TooManyOperations)),
        "run lengths are summed first"
    );
    // To walk the claimed operations would take minutes; another program on this core does not.
    assert!(begun.elapsed().as_secs() < 2, "and at once: {:?}", begun.elapsed());
    let groups = chunk(&[&[0, 1, 1, 1, 1, 0, 0, 0, 1, 0x70, 4, 1, 0xff, 0xff, 0x7f][..]].concat());
    let refused = Payload::decode(&forge(&groups, &[]));
    assert_eq!(refused, Err(DecodeError::Chunk(ChunkError::TooManyOperations)), "so are the sizes of groups");
}

#[test]
fn other_chunks_are_refused_unread() {
    let scene = scene();
    let long = "x".repeat(4_000);
    let mut document = scene.document.clone();
    let payload = write(&mut document, vec![set(8, Field::Text, &long)]);
    let mut change = Change::from_bytes(payload.change().to_vec()).expect("honest");
    let deflated = change.bytes().into_owned();
    assert_eq!(deflated[8], 2, "Automerge deflates a long change");
    let edits = [set(8, Field::Text, &long)];
    let unread = |bytes: &[u8]| Payload::decode(&forge(bytes, &edits)).expect_err("refused");
    assert_eq!(unread(&deflated), DecodeError::Chunk(ChunkError::Type), "48 KB can inflate to 50 MB");
    assert_eq!(unread(&document.save()), DecodeError::Chunk(ChunkError::Type), "a snapshot is no change");
    let twice = [payload.change(), payload.change()].concat();
    assert_eq!(unread(&twice), DecodeError::Chunk(ChunkError::Trailing), "one chunk");
    let cut = &payload.change()[..payload.change().len() - 1];
    assert_eq!(unread(cut), DecodeError::Chunk(ChunkError::Malformed), "a whole chunk");
    let mut checksum = payload.change().to_vec();
    checksum[4] ^= 1;
    assert_eq!(
        unread(&checksum),
        DecodeError::Change,
        "Automerge itself does not look at the checksum of a change"
    );
}

#[test]
fn a_document_of_another_schema_gets_nothing_in() {
    let mut doc = Automerge::new().with_actor(ActorId::from([1_u8; 16]));
    let mut tx = doc.transaction();
    tx.put_object(ROOT, "entries", ObjType::Map).expect("written");
    tx.commit_with(CommitOptions::default());
    let change = doc.get_last_local_change().expect("made");
    let refused = Payload::decode(&forge(change.raw_bytes(), &[]));
    assert_eq!(refused, Err(DecodeError::EditsDisagree), "a second container would hide the first");
}

#[test]
fn a_bad_batch_keeps_no_good_one_out() {
    let scene = scene();
    let mut liar = Document::new(actor(4));
    take(&mut liar, &[&scene.first]);
    let honest = write(&mut liar, vec![set(8, Field::Dose, "1")]);
    let after = write(&mut liar, vec![set(8, Field::Dose, "2")]);
    let mut change = expanded(&honest);
    change.time = 1;
    let bad = Payload::decode(&forge_from(change, &[set(8, Field::Dose, "1")])).expect("its shape is right");
    let mut third = Document::new(actor(5));
    take(&mut third, &[&scene.first]);
    let good = write(&mut third, vec![set(8, Field::Frequency, "daily")]);
    let admission = offer(&scene.document, &[&after, &bad, &good, &scene.honest]);
    assert_eq!(admission.accepted, [2, 3], "the good ones are in");
    assert_eq!(admission.refused, [(1, Refusal::Extras)], "the bad one is named");
    assert_eq!(admission.waiting, [0], "what followed the honest form waits for it");
    assert_eq!(
        admission.next.entry(entry(8)).expect("there").get(Field::Frequency),
        Some("daily"),
        "and is read"
    );
}

#[test]
fn an_id_used_twice_hides_nothing() {
    let mut a = Document::new(actor(1));
    let mut b = Document::new(actor(2));
    let mut pills = add(7);
    if let Edit::Add { fields, .. } = &mut pills {
        fields[1].1 = "850".into();
    }
    let from_a = write(&mut a, vec![add(7)]);
    let from_b = write(&mut b, vec![pills]);
    take(&mut a, &[&from_b]);
    take(&mut b, &[&from_a]);
    let entry = a.entry(entry(7)).expect("there");
    assert_eq!(entry.safety_clashes().count(), 1, "both doses are shown");
    assert_eq!(a.entries().collect::<Vec<_>>(), b.entries().collect::<Vec<_>>(), "on both phones");
}

#[test]
fn mutated_changes_are_refused_or_leave_a_document_that_lives() {
    let seed = 0x6d65_6375_6d02;
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let scene = scene();
    quiet_automerge();
    let (mut unread, mut refused, mut accepted) = (0, 0, 0);
    for _ in 0..6_000 {
        let mut bytes = scene.honest.change().to_vec();
        for _ in 0..=dice.roll(2) {
            let at = 9 + dice.roll(bytes.len() - 9);
            bytes[at] =
                if dice.roll(2) == 0 { bytes[at] ^ (1 << dice.roll(8)) } else { bytes[at].wrapping_add(1) };
        }
        // With the checksum repaired, as a peer would.
        let parsed =
            std::panic::catch_unwind(|| Change::from_bytes(bytes.clone()).map(|change| change.hash().0));
        if let Ok(Ok(hash)) = parsed {
            bytes[4..8].copy_from_slice(&hash[..4]);
        }
        let Ok(payload) = Payload::decode(&forge(&bytes, &scene.edits)) else {
            unread += 1;
            continue;
        };
        let admission = scene.document.admit(&[Incoming { actor: actor(1), payload: &payload, tag: 0 }]);
        if admission.accepted.is_empty() {
            refused += 1;
            continue;
        }
        accepted += 1;
        let mut next = admission.next;
        write(&mut next, vec![set(7, Field::Dose, "1")]);
        let again = Document::load(&next.save(), actor(2), mecum_documents::Limits::default());
        assert_eq!(
            again.expect("what was accepted loads again").heads(),
            next.heads(),
            "with the same heads"
        );
    }
    println!("{unread} unread, {refused} refused, {accepted} accepted");
    assert!(unread > 1_000 && refused > 100, "both lines of defence were tried: {unread}, {refused}");
}
