//! A device that begins from a snapshot: what it takes, and every defect that it refuses without changing anything.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey, SpaceId};
use mecum_sync::snapshot::SnapshotError;
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, Countersign, FollowError, Follower, Item, Level, Push, Signed, SpaceSnapshot, Statement,
};

struct Scene {
    relay: SigningKey,
    laptop: Actor,
    phone: Actor,
    space: SpaceId,
    genesis: Item,
    follower: Follower,
    pushes: Vec<Push>,
}

/// A laptop and a phone that wrote, and a third device that knows their account and the space, and none of the envelopes.
fn scene() -> Scene {
    let relay = SigningKey::make(&SeededEntropy::new(99));
    let mut laptop = Actor::new(1);
    let mut phone = Actor::second(2, &laptop);
    let tablet = Actor::second(3, &laptop);
    let genesis = laptop.account_genesis();
    let mut log = mecum_sync::AccountLog::found(&genesis).unwrap();
    let mut entries = vec![genesis];
    for other in [&phone, &tablet] {
        let entry = laptop.add_device(&log, other);
        log.append(&entry).unwrap();
        entries.push(entry);
    }
    let (space, space_genesis) = laptop.found_space(Some(relay.verifying_key()));
    phone.join_space(space, space_genesis.hash());
    let countersign =
        Countersign { space, seq: 1, entry: space_genesis.hash(), space_seq: 0, stored_at_ms: 5 };
    let genesis = Item::SpaceEntry { entry: space_genesis, countersign: Signed::sign(countersign, &relay) };
    let first = laptop.push(space, &["one", "two"], vec![]);
    let second = phone.push(space, &["three"], vec![laptop.as_received(space)]);
    let mut follower = Follower::join(
        laptop.account,
        tablet.device,
        tablet.incarnation,
        log.genesis(),
        Some(relay.verifying_key()),
    );
    for entry in entries {
        follower.accept(&Item::AccountEntry(entry)).unwrap();
    }
    follower.accept(&genesis).unwrap();
    Scene { relay, laptop, phone, space, genesis, follower, pushes: vec![first, second] }
}

impl Scene {
    fn chains(&self) -> Vec<mecum_sync::FoldedChain> {
        let mut chains = vec![self.laptop.folded(self.space), self.phone.folded(self.space)];
        chains.sort_by_key(|chain| (chain.device, chain.incarnation));
        chains
    }

    fn statements(&self) -> Vec<Signed<Statement>> {
        self.pushes.iter().map(|push| push.statement.clone()).collect()
    }

    fn snapshot(&self) -> SpaceSnapshot {
        self.laptop.snapshot(self.space, 3, self.chains(), &["keys", "a document"])
    }

    fn offer(&mut self, snapshot: SpaceSnapshot, statements: Vec<Signed<Statement>>) -> FollowError {
        let before = self.follower.to_bytes();
        let error = self.follower.accept(&Item::Snapshot { snapshot, statements }).unwrap_err();
        assert_eq!(self.follower.to_bytes(), before, "what is refused changes nothing");
        error
    }
}

#[test]
fn a_device_begins_from_a_snapshot_and_goes_on_where_it_ends() {
    let mut scene = scene();
    let snapshot = scene.snapshot();
    let statements = scene.statements();
    let item = Item::Snapshot { snapshot, statements };
    let Accepted::Snapshot { body, parts } = scene.follower.accept(&item).unwrap() else {
        panic!("a snapshot is accepted as one")
    };
    assert_eq!((body.space_seq, parts.len()), (3, 2), "with its parts");
    assert_eq!(scene.follower.space_seq(scene.space), 3);
    let chain = scene.laptop.state(scene.space, vec![]).unverified().chain();
    assert_eq!(
        scene.follower.receipt_level(&chain, 2),
        Level::Received { by: scene.phone.device },
        "what the statements acknowledge is known"
    );
    assert!(matches!(scene.follower.accept(&item).unwrap(), Accepted::Known), "a second time it is known");
    let next = scene.laptop.push(scene.space, &["four"], vec![scene.phone.as_received(scene.space)]);
    let batch = Item::Batch { first_space_seq: 4, push: next };
    let accepted = scene.follower.accept(&batch).unwrap();
    assert!(matches!(accepted, Accepted::Envelopes { .. }), "the next link follows the folded chain");
}

#[test]
fn the_envelopes_that_a_snapshot_covers_are_known_when_they_come_too() {
    let mut scene = scene();
    let (snapshot, statements) = (scene.snapshot(), scene.statements());
    scene.follower.accept(&Item::Snapshot { snapshot, statements }).unwrap();
    for (first_space_seq, push) in [1, 3].into_iter().zip(scene.pushes.clone()) {
        let accepted = scene.follower.accept(&Item::Batch { first_space_seq, push }).unwrap();
        assert!(matches!(accepted, Accepted::Known), "as after asking for everything again");
    }
}

#[test]
fn a_forged_partial_padded_or_reordered_snapshot_is_refused_with_its_reason() {
    let mut scene = scene();
    let statements = scene.statements();
    let good = scene.snapshot();

    let stranger = Actor::new(77);
    let mut forged = good.clone();
    forged.signed = Signed::sign(good.signed.unverified().clone(), &stranger.signing);
    let error = scene.offer(forged, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadSignature), "signed by another key");

    let mut swapped = good.clone();
    swapped.parts.reverse();
    let error = scene.offer(swapped, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadPart), "parts in another order");

    let mut fewer = good.clone();
    fewer.parts.pop();
    let error = scene.offer(fewer, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadPart), "a part is missing");

    let elsewhere = scene.laptop.snapshot(scene.space, 2, scene.chains(), &["keys", "a document"]);
    let mut other_part = good.clone();
    other_part.parts[1] = elsewhere.parts[1].clone();
    let error = scene.offer(other_part, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadPart), "a part of another snapshot");

    let own = vec![scene.laptop.folded(scene.space)];
    let partial = scene.laptop.snapshot(scene.space, 3, own, &["keys"]);
    let error = scene.offer(partial, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadStatement), "a writer is left out");

    let error = scene.offer(good.clone(), statements[..1].to_vec());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadStatement), "a writer's own word is withheld");

    let mut padded = scene.chains();
    padded[0].head.envelope_seq += 1;
    padded[0].head.hash = Hash32::from_bytes([7; 32]);
    let padded = scene.laptop.snapshot(scene.space, 4, padded, &["keys", "a document"]);
    let error = scene.offer(padded, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::BadStatement), "more than the writer stated");

    let mut reordered = scene.chains();
    reordered.reverse();
    let reordered = scene.laptop.snapshot(scene.space, 3, reordered, &["keys", "a document"]);
    let error = scene.offer(reordered, statements.clone());
    assert_eq!(error, FollowError::Snapshot(SnapshotError::Malformed), "chains in another order");

    let forged_word = vec![statements[0].clone(), {
        let body = statements[1].unverified().clone();
        Signed::sign(body, &scene.laptop.signing)
    }];
    let error = scene.offer(good.clone(), forged_word);
    assert_eq!(
        error,
        FollowError::Snapshot(SnapshotError::BadSignature),
        "another's word under one's own key"
    );

    scene
        .follower
        .accept(&Item::Snapshot { snapshot: good, statements })
        .expect("the honest one is taken after all");
}

#[test]
fn a_snapshot_never_takes_the_place_of_what_is_here_already() {
    let mut scene = scene();
    let first = Item::Batch { first_space_seq: 1, push: scene.pushes[0].clone() };
    scene.follower.accept(&first).unwrap();
    let (snapshot, statements) = (scene.snapshot(), scene.statements());
    assert_eq!(scene.offer(snapshot, statements), FollowError::SnapshotBeyond, "the envelopes are asked for");
    assert!(matches!(scene.follower.accept(&scene.genesis.clone()).unwrap(), Accepted::Known));
    let _ = &scene.relay;
}
