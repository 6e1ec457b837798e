//! Successors: the same record without its history, the same bytes from every device, and late words lose nothing.

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{Actor, Cut, Document, Entry, Item, Late, Limits, Regenesis, Replayed};
use mecum_domain::{Edit, EntryId, Field};

use crate::forge::{actor, add, batch, entry, frozen, keep, key, set, take, write};
use crate::world::{World, fields_of};

const SUCCESSOR: [u8; 16] = *b"another document";

fn all(_: Item) -> bool {
    true
}

fn itself(actor: Actor) -> Actor {
    actor
}

fn successor(document: &Document) -> Regenesis {
    document.regenesis(&SUCCESSOR, actor(99), &itself, &all).expect("an honest document has a successor")
}

/// Devices that wrote and exchanged, not all of it.
fn grown(seed: u64) -> World {
    let mut world = World::new(seed, 4);
    for _ in 0..50 {
        let at = world.dice.roll(4);
        if world.dice.roll(2) == 0 {
            world.edit(at);
        } else {
            let chance = [30, 100][world.dice.roll(2)];
            world.deliver(at, chance);
        }
    }
    world
}

/// A field, and its values with who wrote each.
type Read = (Field, Vec<(Option<String>, Option<Actor>)>);

/// What can be read of an entry.
fn read(entry: &Entry, author: &dyn Fn(Actor) -> Option<Actor>) -> Vec<Read> {
    let values = |state: &mecum_documents::FieldState| {
        state.values.iter().map(|written| (written.value.clone(), author(written.actor))).collect()
    };
    entry.fields.iter().map(|state| (state.field, values(state))).collect()
}

#[test]
fn a_successor_reads_the_same_and_every_device_makes_the_same_bytes() {
    let mut clashes = 0;
    for seed in 0..25_u64 {
        println!("seed {seed}");
        let mut world = grown(seed);
        for at in 0..4 {
            world.deliver(at, 100);
            world.deliver(at, 100);
        }
        let old = &world.devices[0].document;
        assert_eq!(old.heads(), world.devices[3].document.heads(), "seed {seed}: both have everything");
        let Regenesis { document: new, authors, .. } = successor(old);
        let other = successor(&world.devices[3].document).document;
        assert!(new.save() == other.save(), "seed {seed}: the same bytes from another device");
        let mut pairs = old.entries().zip(new.entries());
        assert_eq!(old.entries().count(), new.entries().count(), "seed {seed}: every entry");
        assert!(
            pairs.all(|(was, is)| {
                clashes += was.fields.iter().filter(|state| state.clash()).count();
                (was.id, was.kind) == (is.id, is.kind)
                    && read(&was, &|actor| Some(actor)) == read(&is, &|actor| authors.get(&actor).copied())
            }),
            "seed {seed}: every value, every clash with its winner, and who wrote each"
        );
        assert!(old.finished().eq(new.finished()), "seed {seed}: every finished entry");
        assert!(new.steps().is_ok(), "seed {seed}: every change passes the guards on snapshots");
        assert!(Document::load(&new.save(), actor(1), Limits::default()).is_ok(), "seed {seed}: it loads");
        let again = new.regenesis(&SUCCESSOR, actor(1), &|actor| authors[&actor], &all).expect("again");
        assert!(again.document.save() == new.save(), "seed {seed}: what has no history changes no more");
    }
    assert!(clashes > 20, "there were clashes to keep: {clashes}");
}

#[test]
fn what_is_erased_is_in_no_byte_of_the_successor() {
    let mut old = Document::new(actor(1));
    write(&mut old, vec![add(1), add(2), keep(3, b"a result to erase"), keep(4, b"a result to keep")]);
    write(&mut old, vec![set(1, Field::Text, "a word to erase"), set(2, Field::Text, "an older word")]);
    write(&mut old, vec![set(2, Field::Text, "a word to keep"), set(2, Field::Deleted, "a mistake")]);
    let kept = |item: Item| item == Item::Entry(entry(2)) || item == Item::Finished(key(4));
    let new = old.regenesis(&SUCCESSOR, actor(1), &itself, &kept).expect("made").document;
    let bytes = String::from_utf8_lossy(&new.save()).into_owned();
    for gone in ["a word to erase", "a result to erase", "an older word"] {
        assert!(!bytes.contains(gone), "{gone}");
    }
    for here in ["a word to keep", "a result to keep", "a mistake"] {
        assert!(bytes.contains(here), "{here}");
    }
    assert!(new.entry(entry(1)).is_none() && new.finished_value(key(3)).is_none(), "nor is it read");
    assert_eq!(new.entry(entry(2)).expect("kept").deleted(), Some("a mistake"), "a deletion stays one");
}

#[test]
fn what_is_moved_is_written_elsewhere_and_a_clash_is_handed_back() {
    let (mut a, mut b) = (Document::new(actor(1)), Document::new(actor(2)));
    let first = write(&mut a, vec![add(1), add(2), keep(3, b"result")]);
    take(&mut b, &[&first]);
    write(&mut a, vec![set(1, Field::Dose, "850"), set(1, Field::Deleted, "a mistake")]);
    let other = write(&mut b, vec![set(1, Field::Dose, "1000")]);
    take(&mut a, &[&other]);
    let moved = |item: Item| item == Item::Entry(entry(1)) || item == Item::Finished(key(3));
    let extracted = a.extract(&moved);
    let mut there = Document::new(actor(1));
    there = there.author(&batch(extracted.edits)).expect("written elsewhere").next;
    let (was, is) = (a.entry(entry(1)).expect("there"), there.entry(entry(1)).expect("moved"));
    for field in [Field::Name, Field::Dose, Field::DoseUnit, Field::Deleted] {
        assert_eq!(was.get(field), is.get(field), "{field:?} is what was read");
    }
    assert_eq!((was.kind, there.entries().count()), (is.kind, 1), "and nothing else moves");
    assert_eq!(there.finished_value(key(3)).as_deref(), Some(&b"result"[..]), "finished entries too");
    let [(id, state)] = &extracted.unsettled[..] else { panic!("one clash is handed back") };
    assert_eq!((*id, state.field, state.values.len()), (entry(1), Field::Dose, 2), "for a person to settle");
    let whole = a.regenesis(&SUCCESSOR, actor(1), &itself, &moved).expect("made").document;
    assert_eq!(whole.entry(entry(1)).expect("moved").safety_clashes().count(), 1, "or it moves whole");
}

#[test]
fn late_words_stand_beside_what_their_writer_had_not_seen() {
    let (mut beside, mut plain) = (0, 0);
    for seed in 0..40_u64 {
        println!("seed {seed}");
        let mut world = grown(500 + seed);
        // Device 0 makes the successor of what it has; device 1 writes on in the old document, and hears of some of it.
        world.deliver(0, 100);
        world.deliver(0, 100);
        let covered = world.devices[0].document.clone();
        let known = world.devices[0].has.clone();
        for _ in 0..6 {
            world.edit(1);
        }
        // Of others it knows only what the successor covers, and in the end all of that.
        let own = world.devices[1].base;
        let mut old = covered.clone();
        for sent in world.sent.iter().filter(|sent| sent.base == own) {
            let admission = crate::forge::offer(&old, &[&sent.payload]);
            old = admission.next;
        }
        let foreign =
            world.devices[1].has.iter().any(|at| !known.contains(at) && world.sent[*at].base != own);
        if foreign {
            continue;
        }
        let made = successor(&covered);
        let late = old.late_edits(&covered, &made, &|actor| actor == own, &all).expect("read");
        beside += late.beside.len();
        plain += late.after.len();
        let mut new = made.document.with_actor(actor(77));
        new = new.author_beside(&late.seen, &batch(late.beside)).expect("written beside").next;
        new = new.author(&batch(late.after)).expect("written after").next;
        assert_eq!(late.left_out, [], "seed {seed}: nothing is left out");
        // A field that was set and cleared again in one go is no field: both read as nothing.
        let said = |document: &Document| {
            let mut fields = fields_of(document);
            fields.retain(|_, values| *values != BTreeSet::from([None]));
            fields
        };
        let (is, was) = (said(&new), said(&old));
        let other: Vec<_> = was.iter().filter(|(place, values)| is.get(place) != Some(values)).collect();
        let made_up: Vec<_> = is.iter().filter(|(place, values)| was.get(place) != Some(values)).collect();
        assert_eq!(made_up, other, "seed {seed}: as if it had been there in time");
        assert!(old.finished().eq(new.finished()), "seed {seed}: finished entries too");
        assert!(new.steps().is_ok(), "seed {seed}: what is written beside passes the guards");
    }
    println!("{beside} beside, {plain} after");
    assert!(beside > 10 && plain > 30, "both happened: {beside} {plain}");
}

#[test]
fn late_words_about_what_was_left_out_are_handed_back() {
    let (mut a, mut b) = (Document::new(actor(1)), Document::new(actor(2)));
    let first = write(&mut a, vec![add(1), add(2)]);
    take(&mut b, &[&first]);
    let covered = a.clone();
    let late = write(&mut b, vec![set(1, Field::Dose, "850"), set(2, Field::Dose, "850")]);
    let stays = |item: Item| item != Item::Entry(entry(1));
    let made = covered.regenesis(&SUCCESSOR, actor(1), &itself, &stays).expect("made");
    let edits =
        b.late_edits(&covered, &made, &|actor| actor == Actor::from_bytes([2; 16]), &stays).expect("read");
    let expected = Late {
        beside: vec![],
        seen: edits.seen.clone(),
        after: vec![set(2, Field::Dose, "850")],
        left_out: vec![set(1, Field::Dose, "850")],
    };
    assert_eq!(edits, expected, "the caller says where they go: {}", late.change_seq());
    let others = b.late_edits(&covered, &made, &|_| false, &all).expect("read");
    assert_eq!(
        (others.beside, others.after, others.left_out),
        (vec![], vec![], vec![]),
        "another device's late words are that device's to write"
    );
}

#[test]
fn a_large_record_is_written_in_several_changes() {
    let mut old = Document::new(actor(1));
    let new_entry = |n: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let fields = vec![(Field::Name, format!("{n}"))];
        Edit::Add { entry: EntryId::from_bytes(id), kind: mecum_domain::Kind::Note, fields }
    };
    for piece in 0..3 {
        write(&mut old, (0..900).map(|n| new_entry(piece * 1_000 + n)).collect());
    }
    let new = successor(&old).document;
    let counts: BTreeMap<Actor, u64> =
        new.links().expect("known").iter().map(|(a, l)| (*a, l.change_seq)).collect();
    assert_eq!(
        counts.values().copied().collect::<Vec<_>>(),
        [3],
        "5,400 operations of entries are two, those of fields a third"
    );
    assert!(new.entries().map(|entry| entry.id).eq(old.entries().map(|entry| entry.id)), "with every entry");
}

#[test]
fn two_contents_of_one_finished_entry_both_stay_and_the_same_one_is_read() {
    let (mut a, mut b) = (Document::new(actor(1)), Document::new(actor(2)));
    write(&mut a, vec![keep(3, b"one content")]);
    let other = write(&mut b, vec![keep(3, b"another content")]);
    take(&mut a, &[&other]);
    let new = successor(&a).document;
    assert_eq!(new.finished_value(key(3)), a.finished_value(key(3)), "what was read is read");
    let bytes = String::from_utf8_lossy(&new.save()).into_owned();
    assert!(bytes.contains("one content") && bytes.contains("another content"), "and nothing is lost");
}

#[test]
fn a_document_with_a_cut_is_succeeded_under_the_names_of_its_writers() {
    let (mut a, mut b) = (Document::new(actor(1)), Document::new(actor(2)));
    let first = write(&mut a, vec![add(1)]);
    take(&mut b, &[&first]);
    let void = write(&mut b, vec![set(1, Field::Dose, "5000")]);
    take(&mut a, &[&void]);
    write(&mut a, vec![set(1, Field::Text, "with food")]);
    let cut = Cut { cut: [1; 32], void: BTreeMap::from([(actor(2), 0)]) };
    let (a, state) = a.replay(&Replayed::none([7; 16]), cut, actor(1)).expect("replayed");
    let made = a.regenesis(&SUCCESSOR, actor(1), &|actor| state.author(actor), &all).expect("made");
    assert_eq!(made.authors.values().collect::<BTreeSet<_>>(), BTreeSet::from([&actor(1)]), "one writer");
    assert_eq!(made.document.entry(entry(1)).expect("there").get(Field::Text), Some("with food"));
    assert!(!String::from_utf8_lossy(&made.document.save()).contains("5000"), "void words end here");
}

#[test]
fn regenesis_is_frozen() {
    let (mut a, mut b) = (Document::new(actor(1)), Document::new(actor(2)));
    let first = write(&mut a, vec![add(1), add(2), keep(3, b"result")]);
    take(&mut b, &[&first]);
    write(&mut a, vec![set(1, Field::Dose, "850"), set(2, Field::Deleted, "a mistake")]);
    let cleared = Edit::Set { entry: entry(2), field: Field::Dose, value: None };
    let other = write(&mut b, vec![set(1, Field::Dose, "1000"), cleared]);
    take(&mut a, &[&other]);
    let bytes = successor(&a).document.save();
    let text = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    frozen("regenesis-v1.hex", &(text + "\n"));
}
