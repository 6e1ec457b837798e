//! Reading a relay's history again from its start: what is held is recognised by its chain, wherever the relay puts it now, and
//! nothing that a relay shows, or leaves out, makes a device forget.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{SigningKey, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, AccountEntry, AccountLog, Chain, Countersign, FollowError, Follower, Item, Push, Signed,
};

/// A laptop that is followed by a phone, and what the relay showed at the start.
struct Scene {
    laptop: Actor,
    space: SpaceId,
    add: Signed<AccountEntry>,
    start: Vec<Item>,
    phone: Follower,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let relay = SigningKey::make(&SeededEntropy::new(seed));
        let mut laptop = Actor::new(seed + 1);
        let phone = Actor::second(seed + 2, &laptop);
        let genesis = laptop.account_genesis();
        let add = laptop.add_device(&AccountLog::found(&genesis).unwrap(), &phone);
        let (space, entry) = laptop.found_space(Some(relay.verifying_key()));
        let place = Countersign { space, seq: 1, entry: entry.hash(), space_seq: 0, stored_at_ms: 1 };
        let mut follower = Follower::join(
            phone.account,
            phone.device,
            phone.incarnation,
            genesis.hash(),
            Some(relay.verifying_key()),
        );
        let start = vec![
            Item::AccountEntry(genesis),
            Item::AccountEntry(add.clone()),
            Item::SpaceEntry { entry, countersign: Signed::sign(place, &relay) },
        ];
        for item in &start {
            follower.accept(item).unwrap();
        }
        Self { laptop, space, add, start, phone: follower }
    }

    fn chain(&self) -> Chain {
        Chain { device: self.laptop.device, incarnation: self.laptop.incarnation, space: self.space }
    }

    fn begin_again(&mut self) {
        self.phone.start_over();
        // What is stored is what is known: a restart in the middle changes nothing.
        self.phone = Follower::from_bytes(&self.phone.to_bytes()).unwrap();
    }

    fn show_start(&mut self) {
        for item in self.start.clone() {
            assert!(matches!(self.phone.accept(&item), Ok(Accepted::Known)), "it is known");
        }
    }
}

fn batch(first_space_seq: u64, push: &Push) -> Item {
    Item::Batch { first_space_seq, push: push.clone() }
}

#[test]
fn what_is_shown_again_is_known_and_ends_where_it_was() {
    let mut scene = Scene::new(10);
    let pushes: Vec<Push> =
        (0..5).map(|n| scene.laptop.push(scene.space, &[&format!("{n}")], vec![])).collect();
    for (at, push) in pushes.iter().enumerate() {
        scene.phone.accept(&batch(at as u64 + 1, push)).unwrap();
    }
    let before = scene.phone.to_bytes();
    scene.begin_again();
    assert!(scene.phone.received(scene.space).is_empty(), "nothing is acknowledged that was not shown since");
    assert_eq!(scene.phone.stored_account_entries(), 0, "every entry is to be offered again");
    assert_eq!(scene.phone.account_log().unwrap().entries(), 2, "and none is forgotten");
    scene.show_start();
    for (at, push) in pushes.iter().enumerate() {
        assert!(scene.phone.holds_more(scene.space), "it holds more than was shown");
        let accepted = scene.phone.accept(&batch(at as u64 + 1, push));
        assert!(matches!(accepted, Ok(Accepted::Known)), "link {at} is known: {accepted:?}");
        assert_eq!(scene.phone.received(scene.space)[0].envelope_seq, at as u64 + 1, "acknowledged as shown");
    }
    assert_eq!(scene.phone.to_bytes(), before, "and the state is what it was");
}

#[test]
fn a_relay_that_lost_something_orders_anew_and_a_link_is_known_by_its_chain() {
    let mut scene = Scene::new(20);
    let kept = scene.laptop.push(scene.space, &["kept"], vec![]);
    let lost = scene.laptop.push(scene.space, &["lost one", "lost two"], vec![]);
    scene.phone.accept(&batch(1, &kept)).unwrap();
    scene.phone.accept(&batch(2, &lost)).unwrap();
    scene.begin_again();
    scene.show_start();
    scene.phone.accept(&batch(1, &kept)).unwrap();
    // Brought again in other pieces, with something new behind it.
    let next = scene.laptop.push(scene.space, &["new"], vec![]);
    let together = Push {
        envelopes: [lost.envelopes.clone(), next.envelopes.clone()].concat(),
        statement: next.statement.clone(),
    };
    let Accepted::Envelopes { envelopes, first_space_seq, .. } =
        scene.phone.accept(&batch(2, &together)).unwrap()
    else {
        panic!("the new one was expected")
    };
    assert_eq!((envelopes.len(), first_space_seq), (1, 4), "the new one alone, at its own place");
    assert_eq!(scene.phone.chain_head(&scene.chain()).envelope_seq, 4, "the chain goes on");
    assert!(!scene.phone.holds_more(scene.space), "nothing is left that was not shown again");
}

#[test]
fn another_link_under_a_held_number_is_a_fork_and_a_gap_stays_one() {
    for (behind, at) in [(0, "at the end"), (2, "below the end, once the end is reached")] {
        let mut scene = Scene::new(30);
        let kept = scene.laptop.push(scene.space, &["kept"], vec![]);
        // The same keys and the same chain so far: a vault that was copied.
        let mut twin = Scene::new(30).laptop;
        assert_eq!(twin.push(scene.space, &["kept"], vec![]), kept, "both have one history");
        let lost = scene.laptop.push(scene.space, &["held"], vec![]);
        scene.phone.accept(&batch(1, &kept)).unwrap();
        scene.phone.accept(&batch(2, &lost)).unwrap();
        for n in 0..behind {
            let more = scene.laptop.push(scene.space, &[&format!("more {n}")], vec![]);
            scene.phone.accept(&batch(3 + n, &more)).unwrap();
        }
        scene.begin_again();
        scene.show_start();
        scene.phone.accept(&batch(1, &kept)).unwrap();
        let mut refused = None;
        for n in 0..=behind {
            let other = twin.push(scene.space, &[&format!("another {n}")], vec![]);
            let before = scene.phone.to_bytes();
            match scene.phone.accept(&batch(2 + n, &other)) {
                Ok(accepted) => assert!(matches!(accepted, Accepted::Known), "nothing of it is taken in"),
                Err(error) => {
                    assert_eq!(scene.phone.to_bytes(), before, "a refused item changes nothing");
                    refused = Some(error);
                }
            }
        }
        assert_eq!(refused, Some(FollowError::Fork), "{at}");
        let skipped = scene.laptop.push(scene.space, &["further"], vec![]);
        assert!(scene.phone.accept(&batch(2 + behind, &skipped)).is_err(), "and nothing may be left out");
    }
}

#[test]
fn entries_that_were_shown_once_are_never_taken_back() {
    let mut scene = Scene::new(40);
    scene.begin_again();
    assert_eq!(scene.phone.ever_stored_account_entries(), 2, "it knows that they were shown");
    let add = scene.add.clone();
    assert_eq!(
        scene.phone.take_back_own_account_entry(&add).err(),
        Some(FollowError::Fork),
        "a relay that shows less cannot make a device give an entry up"
    );
    scene.phone.accept(&scene.start[0].clone()).unwrap();
    let other = Actor::second(99, &scene.laptop);
    let Item::AccountEntry(genesis) = scene.start[0].clone() else { panic!("the genesis comes first") };
    let instead = scene.laptop.add_device(&AccountLog::found(&genesis).unwrap(), &other);
    let before = scene.phone.to_bytes();
    assert_eq!(
        scene.phone.accept(&Item::AccountEntry(instead)).err(),
        Some(FollowError::Fork),
        "nor put another in its place"
    );
    assert_eq!(scene.phone.to_bytes(), before, "and nothing is changed");
    assert_eq!(scene.phone.account_log().unwrap().devices().len(), 2, "the device is still known");
}
