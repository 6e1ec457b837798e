//! Cuts: what counts is built again the same way everywhere, whatever came first, and nothing of what is void is read.

use std::collections::BTreeMap;
use std::time::Instant;

use mecum_documents::{Actor, Cut, Document, Limits, ReplayError};
use mecum_domain::{Edit, Kind};

use crate::forge::{actor, batch, entry};
use crate::world::{DOCUMENT, Device, World, fields_of};

pub(crate) fn cut_of(number: u8, void: &[(Actor, u64)]) -> Cut {
    Cut { cut: [number; 32], void: void.iter().copied().collect() }
}

/// A cut through everything that a person's device writes under, at a random place of its first actor.
fn random_cut(world: &mut World, number: u8, victim: usize) -> Cut {
    let device = &world.devices[victim];
    let wrote = |actor: Actor| {
        let of = world.sent.iter().filter(|sent| sent.payload.actor() == Some(actor));
        of.map(|sent| sent.payload.change_seq()).max().unwrap_or(0)
    };
    let mut void = BTreeMap::new();
    // What counts is a beginning of all that the device wrote: all of what comes before the actor of the cut, and none after.
    let actors = world.devices.iter().map(|device| device.state.actors_of(actor_of(world, victim)));
    let actors = actors.max_by_key(Vec::len).expect("there are devices");
    let at = world.dice.roll(actors.len());
    let base = device.base;
    for (place, actor) in actors.into_iter().enumerate() {
        let last = usize::try_from(wrote(actor)).expect("small");
        let counts = match place.cmp(&at) {
            std::cmp::Ordering::Less => last,
            std::cmp::Ordering::Equal => world.dice.roll(last + 1),
            std::cmp::Ordering::Greater => 0,
        };
        void.insert(actor, counts as u64);
    }
    assert!(void.contains_key(&base));
    Cut { cut: [number; 32], void }
}

fn actor_of(world: &World, at: usize) -> Actor {
    world.devices[at].base
}

fn busy(world: &mut World, rounds: usize) {
    for _ in 0..rounds {
        let at = world.dice.roll(world.devices.len());
        match world.dice.roll(8) {
            0..4 => world.edit(at),
            4..7 => {
                let chance = [25, 60, 100][world.dice.roll(3)];
                world.deliver(at, chance);
            }
            _ => world.devices[at].restart(),
        }
    }
}

/// The same, while devices learn of the cuts in their order.
fn learning(world: &mut World, rounds: usize) {
    for _ in 0..rounds {
        let at = world.dice.roll(world.devices.len());
        let known = world.devices[at].cuts();
        if world.dice.roll(6) == 0 && known < world.cuts.len() {
            let cut = world.cuts[known].clone();
            world.devices[at].learn(&cut);
            if world.dice.roll(2) == 0 {
                world.devices[at].restart();
            }
        }
        busy(world, 1);
    }
}

/// Everybody learns everything; then all must agree, and with what the definition says.
fn settle_and_compare(world: &mut World, what: &str) {
    for at in 0..world.devices.len() {
        while let Some(cut) = world.cuts.get(world.devices[at].cuts()).cloned() {
            world.devices[at].learn(&cut);
        }
        let mut numbers: Vec<usize> = (0..world.sent.len()).collect();
        world.dice.shuffle(&mut numbers);
        let told = world.devices[at].offer(&world.sent, &numbers);
        assert_eq!(told, (numbers.len(), 0, 0), "{what}: nothing waits and nothing is refused");
    }
    // Somebody who knew the cuts before anything came, in pieces.
    let mut late = Device::new(200);
    for cut in &world.cuts {
        late.learn(cut);
    }
    let mut numbers: Vec<usize> = (0..world.sent.len()).collect();
    world.dice.shuffle(&mut numbers);
    for piece in numbers.chunks(7) {
        late.offer(&world.sent, piece);
        late.restart();
    }
    late.offer(&world.sent, &numbers);
    world.devices.push(late);
    let first = &world.devices[0];
    for (at, device) in world.devices.iter().enumerate() {
        let what = format!("{what}, device {at}");
        world.check(device, &what);
        assert_eq!(device.document.heads(), first.document.heads(), "{what}: the same heads");
        assert!(bytes(&device.document) == bytes(&first.document), "{what}: the same bytes");
        assert!(device.document.entries().eq(first.document.entries()), "{what}: the same winners");
        assert!(device.document.steps().is_ok(), "{what}: every change passes the guards on snapshots");
    }
}

/// Somebody new who gets all there is in one and builds the document from it.
fn from_a_snapshot(world: &World, from: &Device, what: &str) {
    let whole = from.document.whole(&from.state).expect("the state fits").save();
    let whole = Document::load(&whole, actor(201), Limits::default()).expect("it loads");
    let actors: Vec<Actor> =
        world.devices.iter().flat_map(|device| from.state.actors_of(device.base)).collect();
    let writers = |actor: Actor| actors.contains(&actor);
    let (document, state) =
        Document::replay_whole(&whole, DOCUMENT, world.cuts.clone(), &writers, actor(201)).expect("replayed");
    assert_eq!(document.heads(), from.document.heads(), "{what}: the same document from a snapshot");
    assert!(state == from.state, "{what}: and the same state");
    assert_eq!(document.actor(), state.actor_for(actor(201)), "{what}: to be written after the cuts");
    let other = Cut { cut: [77; 32], void: BTreeMap::from([(actor(1), 0)]) };
    let told = Document::replay_whole(&whole, DOCUMENT, vec![other], &writers, actor(201)).err();
    assert_eq!(told, Some(ReplayError::State), "{what}: what does not come out anew is not believed");
}

fn bytes(document: &Document) -> Vec<u8> {
    document.in_order().expect("changes that were judged apply again").save()
}

#[test]
fn one_cut_leaves_the_same_document_everywhere() {
    let begun = Instant::now();
    let (mut again, mut clashes, mut revived) = (0, 0, 0);
    for seed in 0..18_u64 {
        println!("seed {seed}");
        let mut world = World::new(seed, 3 + u8::try_from(seed % 3).expect("small"));
        busy(&mut world, 50);
        let victim = world.dice.roll(world.devices.len());
        let cut = random_cut(&mut world, 1, victim);
        world.cuts.push(cut);
        learning(&mut world, 40);
        settle_and_compare(&mut world, &format!("seed {seed}"));
        let device = &world.devices[0];
        from_a_snapshot(&world, device, &format!("seed {seed}"));
        assert!(
            world.devices.iter().all(|other| other.state == device.state),
            "seed {seed}: the same state beside it"
        );
        let steps = device.document.steps().expect("read");
        again += steps.iter().filter(|step| device.state.author(step.actor) != step.actor).count();
        clashes += fields_of(&device.document).values().filter(|values| values.len() > 1).count();
        revived += device.state.revived(&device.document).len();
    }
    println!("{again} written again, {clashes} clashes, {revived} made again, {:?}", begun.elapsed());
    assert!(
        again > 80 && clashes > 30 && revived > 2,
        "there was something to lose: {again} {clashes} {revived}"
    );
}

#[test]
fn two_cuts_one_after_the_other_leave_the_same_document_everywhere() {
    for seed in 0..12_u64 {
        println!("seed {seed}");
        let mut world = World::new(1_000 + seed, 4);
        busy(&mut world, 40);
        let victim = world.dice.roll(4);
        let cut = random_cut(&mut world, 1, victim);
        world.cuts.push(cut);
        learning(&mut world, 30);
        let second = world.dice.roll(4);
        let cut = random_cut(&mut world, 2, second);
        world.cuts.push(cut);
        learning(&mut world, 30);
        settle_and_compare(&mut world, &format!("seed {seed}"));
        from_a_snapshot(&world, &world.devices[1], &format!("seed {seed}"));
    }
}

/// What rebuilding without the mapping of deps would make: the edits of what counts, one after the other.
fn in_a_row(world: &World) -> Document {
    let mut document = Document::new(actor(250));
    for at in (0..world.sent.len()).filter(|at| !world.is_void(*at)) {
        for edit in &world.sent[at].payload.batch().edits {
            if let Ok(authored) = document.author(&batch(vec![edit.clone()])) {
                document = authored.next;
            }
        }
    }
    document
}

#[test]
fn edits_in_a_row_would_settle_clashes_and_the_definition_notices() {
    let mut noticed = 0;
    for seed in 0..10_u64 {
        println!("seed {seed}");
        let mut world = World::new(seed, 4);
        busy(&mut world, 60);
        let victim = world.dice.roll(4);
        let cut = random_cut(&mut world, 1, victim);
        world.cuts.push(cut);
        noticed += usize::from(fields_of(&in_a_row(&world)) != world.expected().0);
    }
    assert!(noticed > 5, "a rebuild that forgets who had seen what is not taken for a good one: {noticed}");
}

#[test]
fn a_clone_is_cut_and_everybody_meets_again() {
    let (mut split, mut again) = (0, 0);
    for seed in 0..12_u64 {
        println!("seed {seed}");
        let mut world = World::new(3_000 + seed, 5);
        busy(&mut world, 25);
        // The second device's vault is put back elsewhere and both go on: one number, two changes.
        let (document, state) = (world.devices[1].document.clone(), world.devices[1].state.clone());
        let has = world.devices[1].has.clone();
        let forked = document.links().expect("known").get(&actor(2)).map_or(0, |link| link.change_seq);
        world.devices.push(Device { base: actor(2), document, state, has, copy: true });
        for at in [1, 5] {
            let list = vec![Edit::Add { entry: entry(230 + at), kind: Kind::Note, fields: vec![] }];
            world.write(usize::from(at), list).expect("it is new");
        }
        busy(&mut world, 50);
        world.cuts.push(cut_of(5, &[(actor(2), forked)]));
        learning(&mut world, 20);
        let met: Vec<bool> =
            world.devices[..5].iter().map(|device| device.document.entry(entry(231)).is_some()).collect();
        split += usize::from(met.contains(&true) && met.contains(&false));
        settle_and_compare(&mut world, &format!("seed {seed}"));
        let device = &world.devices[0];
        let steps = device.document.steps().expect("read");
        again += steps.iter().filter(|step| device.state.author(step.actor) != step.actor).count();
    }
    println!("{split} split, {again} written again");
    assert!(split > 4 && again > 50, "the clone had divided people: {split} {again}");
}

#[test]
fn a_cut_through_a_large_document_is_quick() {
    let mut world = World::new(77, 3);
    for round in 0..300 {
        let at = round % 3;
        if world.dice.roll(3) == 0 {
            world.deliver(at, 100);
        }
        world.edit(at);
    }
    for at in 0..3 {
        world.deliver(at, 100);
    }
    let cut = cut_of(1, &[(actor(2), 50)]);
    world.cuts.push(cut.clone());
    let begun = Instant::now();
    world.devices[0].learn(&cut);
    let replay = begun.elapsed();
    let state = world.devices[0].state.encode();
    world.edit(0);
    world.devices[2].learn(&cut);
    let last = world.sent.len() - 1;
    let begun = Instant::now();
    let (sent, devices) = (&world.sent, &mut world.devices);
    assert_eq!(devices[2].offer(sent, &[last]), (1, 0, 0), "it fits");
    let document = &world.devices[0].document;
    println!(
        "{} changes, {} operations: replay {replay:?}, one more {:?}, state {} B, document {} B",
        world.sent.len(),
        document.operations(),
        begun.elapsed(),
        state.len(),
        document.save().len()
    );
    world.check(&world.devices[2], "large");
    assert!(replay.as_secs() < 5, "no work in proportion to the square of the history: {replay:?}");
}
