//! What a device believes of what a relay tells it, and what a lying relay cannot do.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey, SpaceId};
use mecum_sync::push::PushError;
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, AccountEntry, AccountLog, ChainError, Countersign, FollowError, Follower, Item, Level, Outcome,
    Push, Receipt, Receipts, Signed, SpaceEntry, SyncRequest, SyncResponse,
};

struct Scene {
    relay: SigningKey,
    laptop: Actor,
    phone: Actor,
    genesis: Signed<AccountEntry>,
    add: Signed<AccountEntry>,
    space: SpaceId,
    space_genesis: Signed<SpaceEntry>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let relay = SigningKey::make(&SeededEntropy::new(seed));
        let mut laptop = Actor::new(seed + 1);
        let mut phone = Actor::second(seed + 2, &laptop);
        let genesis = laptop.account_genesis();
        let add = laptop.add_device(&AccountLog::found(&genesis).unwrap(), &phone);
        let (space, space_genesis) = laptop.found_space(Some(relay.verifying_key()));
        phone.join_space(space, space_genesis.hash());
        Self { relay, laptop, phone, genesis, add, space, space_genesis }
    }

    /// The phone's follower, knowing what pairing told it.
    fn phone_follower(&self) -> Follower {
        Follower::join(
            self.phone.account,
            self.phone.device,
            self.phone.incarnation,
            self.genesis.hash(),
            Some(self.relay.verifying_key()),
        )
    }

    fn space_item(&self) -> Item {
        let place = Countersign {
            space: self.space,
            seq: 1,
            entry: self.space_genesis.hash(),
            space_seq: 0,
            stored_at_ms: 1,
        };
        Item::SpaceEntry { entry: self.space_genesis.clone(), countersign: Signed::sign(place, &self.relay) }
    }

    fn start(&self) -> Vec<Item> {
        vec![
            Item::AccountEntry(self.genesis.clone()),
            Item::AccountEntry(self.add.clone()),
            self.space_item(),
        ]
    }

    /// A phone that has followed up to the space's log.
    fn ready_phone(&self) -> Follower {
        let mut follower = self.phone_follower();
        for item in self.start() {
            follower.accept(&item).unwrap();
        }
        follower
    }
}

fn batch(first_space_seq: u64, push: &Push) -> Item {
    Item::Batch { first_space_seq, push: push.clone() }
}

/// The error, having checked that the state is as before.
fn refused(follower: &mut Follower, item: &Item) -> FollowError {
    let before = follower.to_bytes();
    let error = follower.accept(item).expect_err("the item must be refused");
    assert_eq!(follower.to_bytes(), before, "a refused item changes nothing: {error}");
    error
}

#[test]
fn an_honest_history_is_followed_and_survives_storing() {
    let mut scene = Scene::new(10);
    let mut phone = scene.ready_phone();
    let first = scene.laptop.push(scene.space, &["one", "two"], vec![]);
    let second = scene.laptop.push(scene.space, &["three"], vec![]);
    let Accepted::Envelopes { envelopes, first_space_seq, chain, .. } =
        phone.accept(&batch(1, &first)).unwrap()
    else {
        panic!("envelopes were expected")
    };
    assert_eq!((envelopes.len(), first_space_seq), (2, 1), "both envelopes at their place");
    let text = envelopes[1].0.open(&scene.laptop.document_key).unwrap();
    assert_eq!(text, b"two", "the exact bytes open");
    let mut phone = Follower::from_bytes(&phone.to_bytes()).unwrap();
    phone.accept(&batch(3, &second)).unwrap();
    assert_eq!(phone.chain_head(&chain).envelope_seq, 3, "the chain went on after a restart");
    assert!(phone.owes_acknowledgement(scene.space), "the phone has not said yet that it holds this");
    assert_eq!(
        phone.received(scene.space),
        vec![scene.laptop.as_received(scene.space)],
        "and this is what it will say"
    );
}

#[test]
fn levels_say_no_more_than_is_signed() {
    let mut scene = Scene::new(20);
    let mut laptop =
        Follower::found(&scene.genesis, scene.laptop.incarnation, Some(scene.relay.verifying_key())).unwrap();
    laptop.add_own_account_entry(&scene.add).unwrap();
    laptop.found_space(&scene.space_genesis).unwrap();
    for item in scene.start() {
        laptop.accept(&item).unwrap();
    }
    let push = scene.laptop.push(scene.space, &["one"], vec![]);
    let chain = push.statement.unverified().chain();
    assert_eq!(laptop.receipt_level(&chain, 1), Level::OnDevice, "nothing is known yet");

    let request = SyncRequest { pushes: vec![push.clone()], ..SyncRequest::pull(0, 1_000) };
    let receipt = Receipt {
        chain,
        envelope_seq: 1,
        last: push.statement.unverified().last,
        space_seq: 1,
        stored_at_ms: 77,
    };
    let own = Item::Own { first_space_seq: 1, count: 1, statement: push.statement.clone() };
    let mut response = SyncResponse {
        server_time_ms: 80,
        account_outcomes: vec![],
        space_outcomes: vec![],
        push_outcomes: vec![Outcome::Stored],
        receipts: Some(Signed::sign(Receipts { receipts: vec![receipt] }, &scene.laptop.signing)),
        items: vec![own.clone()],
        cursor: 4,
        more: false,
        snapshot_outcomes: vec![],
        pruned: None,
        helpers_notice: None,
        handed: None,
    };
    let forged = laptop.check_response(&request, &response).unwrap_err();
    assert_eq!(forged, FollowError::BadRelaySignature, "a receipt by another key is none");
    assert_eq!(laptop.receipt_level(&chain, 1), Level::OnDevice, "and changes nothing");

    response.receipts = Some(Signed::sign(Receipts { receipts: vec![receipt] }, &scene.relay));
    laptop.check_response(&request, &response).unwrap();
    assert_eq!(laptop.receipt_level(&chain, 1), Level::Stored { at_ms: Some(77) }, "the relay signed");
    assert_eq!(laptop.receipt_level(&chain, 2), Level::OnDevice, "for one envelope, not for the next");
    laptop.accept(&own).unwrap();
    laptop.advance(response.cursor);
    assert_eq!(laptop.cursor(), 4, "the next request goes on from here");

    let ack = scene.phone.push(scene.space, &[], vec![scene.laptop.as_received(scene.space)]);
    assert!(matches!(laptop.accept(&batch(2, &ack)).unwrap(), Accepted::Acknowledged { .. }));
    let level = laptop.receipt_level(&chain, 1);
    assert_eq!(level, Level::Received { by: scene.phone.device }, "the phone signed that it holds it");
    let phone = |device| device == scene.phone.device;
    assert!(laptop.is_held_by(&chain, 1, phone), "asked about the phone, it is held");
    assert!(!laptop.is_held_by(&chain, 1, |device| !phone(device)), "asked about anybody else, it is not");
    assert!(!laptop.is_held_by(&chain, 2, phone), "nor the next one");
    let again = laptop.check_response(&request, &response).unwrap_err();
    assert_eq!(again, FollowError::BadAnswer, "an old answer does not fit the next request");
}

#[test]
fn a_relay_that_withholds_reorders_or_repeats_is_seen() {
    let mut scene = Scene::new(30);
    let pushes: Vec<Push> =
        ["a", "b", "c"].iter().map(|text| scene.laptop.push(scene.space, &[text], vec![])).collect();
    let mut phone = scene.ready_phone();
    phone.accept(&batch(1, &pushes[0])).unwrap();
    assert_eq!(refused(&mut phone, &batch(3, &pushes[2])), FollowError::Gap, "one is withheld");
    assert_eq!(
        refused(&mut phone, &batch(2, &pushes[2])),
        FollowError::Push(PushError::Chain(ChainError::Gap)),
        "one is withheld and the order rewritten"
    );
    assert_eq!(
        refused(&mut phone, &batch(2, &pushes[0])),
        FollowError::Push(PushError::Chain(ChainError::Behind)),
        "one is shown again as if it were new"
    );
    assert!(matches!(phone.accept(&batch(1, &pushes[0])), Ok(Accepted::Known)), "a repetition is known");
    assert_eq!(
        refused(&mut phone, &batch(1, &pushes[1])),
        FollowError::Fork,
        "a new one is passed off as one that is known, and would never be seen"
    );
    phone.accept(&batch(2, &pushes[1])).unwrap();
    phone.accept(&batch(3, &pushes[2])).unwrap();
}

#[test]
fn a_relay_that_forges_is_refused() {
    let mut scene = Scene::new(40);
    let push = scene.laptop.push(scene.space, &["a", "b"], vec![]);
    let mut stranger = Actor::new(999);
    stranger.account = scene.laptop.account;
    stranger.join_space(scene.space, scene.space_genesis.hash());
    let ghost = stranger.push(scene.space, &["I was here"], vec![]);

    let mut unpaired = scene.phone_follower();
    let other = Item::AccountEntry(stranger.account_genesis());
    assert_eq!(refused(&mut unpaired, &other), FollowError::OtherGenesis, "another account");
    let early = scene.space_item();
    assert_eq!(
        refused(&mut unpaired, &early),
        FollowError::UnknownDevice,
        "nothing before the account's log"
    );

    let mut phone = scene.ready_phone();
    assert_eq!(refused(&mut phone, &batch(1, &ghost)), FollowError::UnknownDevice, "a ghost device");
    let mut dressed = ghost.clone();
    dressed.statement = push.statement.clone();
    assert!(matches!(refused(&mut phone, &batch(1, &dressed)), FollowError::Push(_)), "foreign envelopes");
    let mut short = push.clone();
    short.envelopes.pop();
    let error = refused(&mut phone, &batch(1, &short));
    assert_eq!(error, FollowError::Push(PushError::BadStatement), "the last envelope is cut off");
    let mut swapped = push.clone();
    swapped.envelopes.swap(0, 1);
    assert!(matches!(refused(&mut phone, &batch(1, &swapped)), FollowError::Push(_)), "swapped envelopes");
    for at in [0, 40, 100, push.envelopes[0].len() - 1] {
        let mut flipped = push.clone();
        flipped.envelopes[0][at] ^= 1;
        assert!(
            matches!(refused(&mut phone, &batch(1, &flipped)), FollowError::Push(_)),
            "a flipped bit at {at}"
        );
    }
    let place =
        Countersign { space: scene.space, seq: 1, entry: Hash32::ZERO, space_seq: 0, stored_at_ms: 1 };
    let forged = Item::SpaceEntry {
        entry: scene.space_genesis.clone(),
        countersign: Signed::sign(place, &scene.relay),
    };
    assert_eq!(refused(&mut phone, &forged), FollowError::BadRelaySignature, "signed for another entry");
    phone.accept(&batch(1, &push)).unwrap();
}

#[test]
fn a_second_history_of_a_space_or_account_is_refused() {
    let mut scene = Scene::new(50);
    let mut phone = scene.ready_phone();
    let SpaceEntry { mut body, .. } = scene.space_genesis.unverified().clone();
    let mecum_sync::SpaceBody::Genesis { sealed_label, .. } = &mut body else { panic!("a genesis") };
    sealed_label.push(1);
    let entry = SpaceEntry { body, ..scene.space_genesis.unverified().clone() };
    let entry = Signed::sign(entry, &scene.laptop.signing);
    let place =
        Countersign { space: scene.space, seq: 1, entry: entry.hash(), space_seq: 0, stored_at_ms: 1 };
    let fork = Item::SpaceEntry { entry, countersign: Signed::sign(place, &scene.relay) };
    assert_eq!(refused(&mut phone, &fork), FollowError::Fork, "another beginning of the same space");

    let other_relay = SigningKey::make(&SeededEntropy::new(5));
    let (space, elsewhere) = scene.laptop.found_space(Some(other_relay.verifying_key()));
    let place = Countersign { space, seq: 1, entry: elsewhere.hash(), space_seq: 0, stored_at_ms: 1 };
    let moved = Item::SpaceEntry { entry: elsewhere, countersign: Signed::sign(place, &scene.relay) };
    assert_eq!(refused(&mut phone, &moved), FollowError::WrongRelay, "a space with another home");
}

#[test]
fn an_own_account_entry_is_taken_back_only_while_the_relay_has_not_shown_it() {
    let scene = Scene::new(1);
    let mut follower = Follower::found(&scene.genesis, scene.laptop.incarnation, None).unwrap();
    let before = follower.clone();
    follower.add_own_account_entry(&scene.add).unwrap();
    let wrong = follower.take_back_account_entry(&scene.genesis).unwrap_err();
    assert!(matches!(wrong, FollowError::AccountLog(_)), "only the last entry, and no genesis: {wrong}");
    let card = follower.take_back_account_entry(&scene.add).unwrap();
    assert_eq!(card.device, scene.phone.device, "the card comes back, to be signed again");
    assert_eq!(follower, before, "and the log is as it was");
    follower.add_own_account_entry(&scene.add).unwrap();
    follower.accept(&Item::AccountEntry(scene.genesis.clone())).unwrap();
    follower.accept(&Item::AccountEntry(scene.add.clone())).unwrap();
    let shown = follower.take_back_account_entry(&scene.add).unwrap_err();
    assert_eq!(shown, FollowError::Fork, "what the relay has shown stays");
}

#[test]
fn a_device_that_saw_another_history_is_noticed() {
    let mut scene = Scene::new(60);
    let mut laptop =
        Follower::found(&scene.genesis, scene.laptop.incarnation, Some(scene.relay.verifying_key())).unwrap();
    for item in scene.start() {
        laptop.accept(&item).unwrap();
    }
    let push = scene.laptop.push(scene.space, &["one"], vec![]);
    let own = Item::Own { first_space_seq: 1, count: 1, statement: push.statement.clone() };
    laptop.accept(&own).unwrap();
    let mut other = scene.laptop.as_received(scene.space);
    other.last = Hash32::from_bytes([1; 32]);
    let forked = scene.phone.push(scene.space, &[], vec![other]);
    assert_eq!(refused(&mut laptop, &batch(2, &forked)), FollowError::Withheld, "it holds other bytes");
    let mut ahead = scene.laptop.as_received(scene.space);
    ahead.envelope_seq = 2;
    let ahead = scene.phone.push(scene.space, &[], vec![ahead]);
    assert_eq!(
        refused(&mut laptop, &batch(2, &ahead)),
        FollowError::Withheld,
        "it holds more than was shown"
    );

    let honest = scene.phone.push(scene.space, &["mine"], vec![scene.laptop.as_received(scene.space)]);
    laptop.accept(&batch(2, &honest)).unwrap();
    let less = scene.phone.push(scene.space, &["again"], vec![]);
    assert_eq!(
        refused(&mut laptop, &batch(3, &less)),
        FollowError::StatementRegression,
        "a device does not lose what it had"
    );
}

#[test]
fn a_rolled_back_device_learns_where_its_chain_stands() {
    let mut scene = Scene::new(70);
    let mut laptop =
        Follower::found(&scene.genesis, scene.laptop.incarnation, Some(scene.relay.verifying_key())).unwrap();
    for item in scene.start() {
        laptop.accept(&item).unwrap();
    }
    let old = laptop.to_bytes();
    let push = scene.laptop.push(scene.space, &["one", "two"], vec![]);
    let own = Item::Own { first_space_seq: 1, count: 2, statement: push.statement.clone() };
    let mut restored = Follower::from_bytes(&old).unwrap();
    let Accepted::Own { head, .. } = restored.accept(&own).unwrap() else { panic!("own was expected") };
    assert_eq!(head.envelope_seq, 2, "the restored vault had nothing: it must begin anew");
    let mut fresh = Follower::from_bytes(&old).unwrap();
    fresh.begin_incarnation(mecum_seal::IncarnationId::random(&SeededEntropy::new(71)));
    let accepted = fresh.accept(&batch(1, &push)).unwrap();
    assert!(matches!(accepted, Accepted::Envelopes { .. }), "its earlier life comes back whole");
}
