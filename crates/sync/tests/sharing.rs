//! Two people and one space: what each device believes of the other's account, of removals, and of a relay that lies.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey, SpaceId};
use mecum_sync::push::PushError;
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, AccountBody, AccountEntry, AccountLog, AccountLogError, Countersign, FollowError, Follower,
    Item, Push, Role, Signed, SpaceBody, SpaceEntry, SpaceLog, SpaceLogError, SyncRequest, SyncResponse,
};

/// A mother's space, into which her daughter is let as a writer, as an honest relay orders it.
struct Scene {
    relay: SigningKey,
    mother: Actor,
    daughter: Actor,
    mothers: Vec<Signed<AccountEntry>>,
    daughters: Vec<Signed<AccountEntry>>,
    space: SpaceId,
    log: SpaceLog,
    entries: Vec<Signed<SpaceEntry>>,
}

fn scene(seed: u64) -> Scene {
    let relay = SigningKey::make(&SeededEntropy::new(seed));
    let (mut mother, mut daughter) = (Actor::new(seed + 1), Actor::new(seed + 2));
    let (space, genesis) = mother.found_space(Some(relay.verifying_key()));
    let mut log = SpaceLog::found(&genesis, &mother.signing.verifying_key()).unwrap();
    let (mothers, daughters) = (vec![mother.account_genesis()], vec![daughter.account_genesis()]);
    let grant = mother.grant(&log, (daughter.account, daughters[0].hash()), Role::Writer);
    log.append(&grant, &mother.signing.verifying_key()).unwrap();
    mother.follow(&log);
    daughter.follow(&log);
    Scene { relay, mother, daughter, mothers, daughters, space, log, entries: vec![genesis, grant] }
}

impl Scene {
    fn follower(&self, actor: &Actor, genesis: &Signed<AccountEntry>) -> Follower {
        Follower::found(genesis, actor.incarnation, Some(self.relay.verifying_key())).unwrap()
    }

    fn placed(&self, entry: &Signed<SpaceEntry>, space_seq: u64) -> Item {
        let SpaceEntry { space, seq, .. } = *entry.unverified();
        let placed = Countersign { space, seq, entry: entry.hash(), space_seq, stored_at_ms: 1 };
        Item::SpaceEntry { entry: entry.clone(), countersign: Signed::sign(placed, &self.relay) }
    }

    /// What the daughter's inbox holds after she was let in.
    fn for_daughter(&self) -> Vec<Item> {
        let own = self.daughters.iter().cloned().map(Item::AccountEntry);
        let mothers = self.mothers.iter().cloned().map(Item::AccountEntry);
        own.chain(mothers).chain(self.entries.iter().map(|entry| self.placed(entry, 0))).collect()
    }

    /// What the mother's holds.
    fn for_mother(&self) -> Vec<Item> {
        let own = self.mothers.iter().cloned().map(Item::AccountEntry);
        let space = self.entries.iter().map(|entry| self.placed(entry, 0));
        own.chain(space).chain(self.daughters.iter().cloned().map(Item::AccountEntry)).collect()
    }

    fn ready_mother(&self) -> Follower {
        let mut follower = self.follower(&self.mother, &self.mothers[0]);
        for item in self.for_mother() {
            follower.accept(&item).unwrap();
        }
        follower
    }

    fn ready_daughter(&self) -> Follower {
        let mut follower = self.follower(&self.daughter, &self.daughters[0]);
        follower.expect_space(self.space, self.mother.account, self.mothers[0].hash()).unwrap();
        for item in self.for_daughter() {
            follower.accept(&item).unwrap();
        }
        follower
    }

    /// The mother's next entry.
    fn append(&mut self, entry: Signed<SpaceEntry>, by: fn(&Scene) -> &Actor) -> Signed<SpaceEntry> {
        let key = by(self).signing.verifying_key();
        self.log.append(&entry, &key).unwrap();
        self.mother.follow(&self.log);
        self.entries.push(entry.clone());
        entry
    }
}

const MOTHER: fn(&Scene) -> &Actor = |scene| &scene.mother;
const DAUGHTER: fn(&Scene) -> &Actor = |scene| &scene.daughter;

/// A whole pull comes to its end, and another begins.
fn pulled(follower: &mut Follower) {
    let request = SyncRequest::pull(follower.cursor(), 1_000);
    let response = SyncResponse {
        server_time_ms: 1,
        account_outcomes: vec![],
        space_outcomes: vec![],
        push_outcomes: vec![],
        receipts: None,
        items: vec![],
        cursor: follower.cursor(),
        more: false,
        snapshot_outcomes: vec![],
        pruned: None,
        helpers_notice: None,
        handed: None,
    };
    follower.check_response(&request, &response).unwrap();
    follower.check_response(&request, &response).unwrap();
}

fn batch(first_space_seq: u64, push: &Push) -> Item {
    Item::Batch { first_space_seq, push: push.clone() }
}

fn refused(follower: &mut Follower, item: &Item) -> FollowError {
    let before = follower.to_bytes();
    let error = follower.accept(item).expect_err("the item must be refused");
    assert_eq!(follower.to_bytes(), before, "a refused item changes nothing: {error}");
    error
}

#[test]
fn two_people_follow_one_space_and_each_other() {
    let mut scene = scene(100);
    let (mut mother, mut daughter) = (scene.ready_mother(), scene.ready_daughter());
    assert_eq!(daughter.role(scene.space), Some(Role::Writer), "the daughter is in");
    assert_eq!(mother.account_of(scene.daughter.device), Some(scene.daughter.account), "and known");
    let first = scene.mother.push(scene.space, &["one"], vec![]);
    let second = scene.daughter.push(scene.space, &["two"], vec![scene.mother.as_received(scene.space)]);
    for (at, push) in [(1, &first), (2, &second)] {
        for follower in [&mut mother, &mut daughter] {
            let Accepted::Envelopes { void, .. } = follower.accept(&batch(at, push)).unwrap() else {
                panic!("envelopes were expected")
            };
            assert_eq!(void, [false], "both count");
        }
    }
    let mut phone = Actor::second(9, &scene.daughter);
    let log = AccountLog::found(&scene.daughters[0]).unwrap();
    let add = Item::AccountEntry(scene.daughter.add_device(&log, &phone));
    let accepted = mother.accept(&add).unwrap();
    assert!(matches!(accepted, Accepted::OtherAccount { account } if account == scene.daughter.account));
    phone.follow(&scene.log);
    let third = phone.push(scene.space, &["three"], vec![]);
    mother.accept(&batch(3, &third)).unwrap();
    let mother = Follower::from_bytes(&mother.to_bytes()).unwrap();
    assert_eq!(mother.chains(scene.space).len(), 3, "her new device writes, and all of it is kept");
    assert!(mother.missing().is_empty(), "nothing is withheld");
}

#[test]
fn what_nobody_asked_for_is_passed_over_and_read_again_once_it_is_accepted() {
    let mut scene = scene(200);
    let push = scene.mother.push(scene.space, &["one"], vec![]);
    let mut daughter = scene.follower(&scene.daughter, &scene.daughters[0]);
    let mut items = scene.for_daughter();
    items.push(batch(1, &push));
    items.push(Item::SnapshotStored { space: scene.space, space_seq: 1 });
    daughter.accept(&items[0]).unwrap();
    for item in &items[1..] {
        assert!(matches!(daughter.accept(item).unwrap(), Accepted::Unexpected), "a stranger's space");
    }
    assert_eq!(daughter.spaces().count(), 0, "nothing of it is here");
    daughter.advance(9);
    let owner = (scene.mother.account, scene.mothers[0].hash());
    assert!(daughter.expect_space(scene.space, owner.0, owner.1).unwrap(), "it had come, and comes again");
    assert_eq!(daughter.cursor(), 0, "from the start");
    let mut daughter = Follower::from_bytes(&daughter.to_bytes()).unwrap();
    for item in &items {
        daughter.accept(item).unwrap();
    }
    assert_eq!(daughter.role(scene.space), Some(Role::Writer), "now it is here");
    let expected: Vec<_> = daughter.expected().map(|(space, of)| (space, of.owner, of.genesis)).collect();
    assert_eq!(expected, [(scene.space, owner.0, owner.1)], "and another device can be told");
}

#[test]
fn an_account_is_the_one_that_was_pinned() {
    let scene = scene(300);
    let mut impostor = Actor::new(999);
    impostor.account = scene.daughter.account;
    let mut mother = scene.follower(&scene.mother, &scene.mothers[0]);
    for item in scene.for_mother().iter().take(3) {
        mother.accept(item).unwrap();
    }
    let forged = Item::AccountEntry(impostor.account_genesis());
    assert_eq!(refused(&mut mother, &forged), FollowError::OtherGenesis, "the grant names another beginning");
    mother.accept(&Item::AccountEntry(scene.daughters[0].clone())).unwrap();
    assert_eq!(refused(&mut mother, &forged), FollowError::Fork, "and a second beginning is a fork");

    let mut daughter = scene.follower(&scene.daughter, &scene.daughters[0]);
    daughter.expect_space(scene.space, scene.mother.account, Hash32::from_bytes([1; 32])).unwrap();
    let mothers = Item::AccountEntry(scene.mothers[0].clone());
    let accepted = daughter.accept(&mothers).unwrap();
    assert!(
        matches!(accepted, Accepted::Unexpected),
        "an invitation that lies brings nobody in, and stops nothing"
    );

    let accepted = daughter.accept(&scene.placed(&scene.entries[0], 0)).unwrap();
    assert!(matches!(accepted, Accepted::Unexpected), "nor does the space of whoever really sent it");
    assert_eq!(daughter.spaces().count(), 0, "and nothing of it is here");

    let mut daughter = scene.ready_daughter();
    let wrong = daughter.expect_space(scene.space, scene.mother.account, Hash32::ZERO).unwrap_err();
    assert_eq!(wrong, FollowError::OtherGenesis, "who is known has one beginning");
    let mut log = scene.log.clone();
    let stranger = Actor::new(77);
    let entry = scene.mother.grant(&log, (stranger.account, stranger.account_genesis().hash()), Role::Reader);
    log.append(&entry, &scene.mother.signing.verifying_key()).unwrap();
    daughter.accept(&scene.placed(&entry, 0)).unwrap();
    daughter.accept(&Item::AccountEntry(stranger.account_genesis())).unwrap();
    let mut thief = Actor::second(78, &stranger);
    thief.device = scene.mother.device;
    let claims = stranger.add_device(&AccountLog::found(&stranger.account_genesis()).unwrap(), &thief);
    assert_eq!(
        refused(&mut daughter, &Item::AccountEntry(claims)),
        FollowError::AccountLog(AccountLogError::DeviceTaken),
        "nobody takes another's device for theirs"
    );
}

#[test]
fn what_a_removed_member_wrote_beyond_the_cut_is_void_in_whatever_order_it_is_shown() {
    let mut scene = scene(400);
    let counts = scene.daughter.push(scene.space, &["counts"], vec![]);
    let cut = scene.daughter.cut(scene.space);
    let beyond = scene.daughter.push(scene.space, &["beyond", "further"], vec![]);
    let (mut first, mut second) = (scene.ready_mother(), scene.ready_mother());
    let removal = scene.mother.remove(&scene.log, scene.daughter.account, vec![cut]);
    let removal = scene.append(removal, MOTHER);
    for follower in [&mut first, &mut second] {
        follower.accept(&batch(1, &counts)).unwrap();
    }
    first.accept(&batch(2, &beyond)).unwrap();
    let Accepted::Space { void, .. } = first.accept(&scene.placed(&removal, 3)).unwrap() else {
        panic!("the removal was expected")
    };
    assert_eq!((void.len(), void[0].after), (1, 1), "the first replica takes out what it had taken in");
    second.accept(&scene.placed(&removal, 1)).unwrap();
    let Accepted::Envelopes { void, .. } = second.accept(&batch(2, &beyond)).unwrap() else {
        panic!("the links go on")
    };
    assert_eq!(void, [true, true], "the second never takes it in");
    assert_eq!(first.chains(scene.space), second.chains(scene.space), "both hold the same links");
    let chain = counts.statement.unverified().chain();
    for follower in [&first, &second] {
        let void: Vec<_> = (1..=3).map(|seq| follower.is_void(&chain, seq, 2)).collect();
        assert_eq!(void, [false, true, true], "and call the same void");
    }
    scene.daughter.follow(&scene.log.clone());
    let after = scene.daughter.push(scene.space, &["after"], vec![]);
    assert_eq!(
        refused(&mut first, &batch(4, &after)),
        FollowError::Push(PushError::NotMember),
        "under the new head they may not write at all"
    );
}

#[test]
fn a_cut_is_of_the_chain_as_it_was_shown() {
    let mut scene = scene(450);
    let push = scene.daughter.push(scene.space, &["one"], vec![]);
    let mut mother = scene.ready_mother();
    mother.accept(&batch(1, &push)).unwrap();
    let mut cut = scene.daughter.cut(scene.space);
    cut.hash = Hash32::from_bytes([9; 32]);
    let removal = scene.mother.remove(&scene.log, scene.daughter.account, vec![cut]);
    let bad = FollowError::SpaceLog(SpaceLogError::BadCuts);
    assert_eq!(refused(&mut mother, &scene.placed(&removal, 1)), bad, "another link than the one here");
    let others = scene.mother.cut(scene.space);
    let removal = scene.mother.remove(&scene.log, scene.daughter.account, vec![others]);
    assert_eq!(refused(&mut mother, &scene.placed(&removal, 1)), bad, "a chain of somebody else");
}

#[test]
fn a_removed_member_is_told_so_and_is_owed_nothing() {
    let mut scene = scene(500);
    let mut daughter = scene.ready_daughter();
    let mut mother = scene.ready_mother();
    let hidden = scene.mother.push(scene.space, &["not for her"], vec![]);
    let removal = scene.mother.remove(&scene.log, scene.daughter.account, vec![]);
    let removal = scene.append(removal, MOTHER);
    let Accepted::Space { entry, own, .. } = daughter.accept(&scene.placed(&removal, 1)).unwrap() else {
        panic!("the removal was expected")
    };
    assert!(matches!(entry.body, SpaceBody::Remove { .. }) && !own, "the entry says why");
    assert_eq!(daughter.role(scene.space), None, "she is out");
    assert!(daughter.missing().is_empty(), "what came before the end is not shown to her");
    mother.accept(&scene.placed(&removal, 1)).unwrap();
    assert_eq!(mother.missing(), [scene.space], "who stays sees that something is withheld");
    let back =
        scene.mother.grant(&scene.log, (scene.daughter.account, scene.daughters[0].hash()), Role::Reader);
    let back = scene.append(back, MOTHER);
    daughter.accept(&scene.placed(&back, 1)).unwrap();
    assert_eq!(daughter.missing(), [scene.space], "who comes back is owed all of it");
    daughter.accept(&batch(1, &hidden)).unwrap();
    assert!(daughter.missing().is_empty(), "and gets it");
}

#[test]
fn what_a_removed_device_wrote_counts_as_far_as_a_cut_says_whenever_it_comes() {
    let mut scene = scene(620);
    let mut phone = Actor::second(10, &scene.mother);
    let mut own_log = AccountLog::found(&scene.mothers[0]).unwrap();
    let add = scene.mother.add_device(&own_log, &phone);
    own_log.append(&add).unwrap();
    scene.mothers.push(add);
    phone.follow(&scene.log);
    let before = phone.push(scene.space, &["before"], vec![]);
    let mut twin = Actor { writing: phone.writing.clone(), ..Actor::second(10, &scene.mother) };
    let lost = phone.push(scene.space, &["lost by the relay"], vec![]);
    let cut = phone.cut(scene.space);
    let late = phone.push(scene.space, &["by the thief"], vec![]);
    let removal = Item::AccountEntry(scene.mother.remove_device(&own_log, phone.device));
    let epoch = SpaceBody::Epoch { next: Actor::next_epoch(&scene.log, None), cuts: vec![cut] };
    let epoch = scene.mother.space_entry(&scene.log, epoch);
    let epoch = scene.append(epoch, MOTHER);
    let other = twin.push(scene.space, &["another in its place"], vec![]);
    scene.entries.pop();
    for mut follower in [scene.ready_mother(), scene.ready_daughter()] {
        follower.accept(&batch(1, &before)).unwrap();
        pulled(&mut follower);
        follower.accept(&removal).unwrap();
        assert_eq!(refused(&mut follower, &batch(2, &lost)), FollowError::RemovedDevice, "no cut yet");
        follower.accept(&scene.placed(&epoch, 1)).unwrap();
        let fork = FollowError::Push(PushError::Chain(mecum_sync::ChainError::Fork));
        assert_eq!(refused(&mut follower, &batch(2, &other)), fork, "the cut names another link");
        let Accepted::Envelopes { void, .. } = follower.accept(&batch(2, &lost)).unwrap() else {
            panic!("it is handed over by somebody else");
        };
        assert_eq!(void, [false], "and counts: the cut is behind it");
        assert_eq!(refused(&mut follower, &batch(3, &late)), FollowError::RemovedDevice, "nothing beyond it");
    }
}

#[test]
fn an_entry_of_a_removed_device_counts_where_its_account_upholds_it_and_no_other() {
    let mut scene = scene(640);
    let phone = Actor::second(9, &scene.mother);
    let mut own_log = AccountLog::found(&scene.mothers[0]).unwrap();
    let add = scene.mother.add_device(&own_log, &phone);
    own_log.append(&add).unwrap();
    scene.mothers.push(add);
    let (one, other) = ((Actor::new(5).account, Hash32::ZERO), (Actor::new(6).account, Hash32::ZERO));
    let lost = phone.grant(&scene.log, one, Role::Reader);
    let backdated = phone.grant(&scene.log, other, Role::Manager);
    // As a thief would who has the device: it stands for what it shows later.
    let early = AccountBody::Uphold { entries: vec![backdated.hash()] };
    let early = phone.account_entry(&own_log, early);
    own_log.append(&early).unwrap();
    let early = Item::AccountEntry(early);
    let removal = scene.mother.remove_device(&own_log, phone.device);
    own_log.append(&removal).unwrap();
    let upheld = AccountBody::Uphold { entries: vec![lost.hash()] };
    let upheld = Item::AccountEntry(scene.mother.account_entry(&own_log, upheld));
    let removal = Item::AccountEntry(removal);
    for mut follower in [scene.ready_mother(), scene.ready_daughter()] {
        pulled(&mut follower);
        follower.accept(&early).unwrap();
        follower.accept(&removal).unwrap();
        let before = refused(&mut follower, &scene.placed(&lost, 0));
        assert_eq!(before, FollowError::RemovedDevice, "nobody stands for it yet");
        follower.accept(&upheld).unwrap();
        let late = refused(&mut follower, &scene.placed(&backdated, 0));
        assert_eq!(late, FollowError::RemovedDevice, "what it signs else counts nothing");
        follower.accept(&scene.placed(&lost, 0)).expect("it counts, behind the removal");
        let log = follower.space_log(scene.space).unwrap();
        assert_eq!(log.role(one.0), Some(Role::Reader), "as it was signed");
    }
}

#[test]
fn a_device_that_reads_again_takes_nothing_new_of_an_own_device_that_was_removed() {
    let mut scene = scene(660);
    let mut phone = Actor::second(9, &scene.mother);
    let mut own_log = AccountLog::found(&scene.mothers[0]).unwrap();
    let add = scene.mother.add_device(&own_log, &phone);
    own_log.append(&add).unwrap();
    scene.mothers.push(add);
    let stolen = phone.grant(&scene.log, (Actor::new(6).account, Hash32::ZERO), Role::Manager);
    let (founded, genesis) = phone.found_space(Some(scene.relay.verifying_key()));
    let removal = Item::AccountEntry(scene.mother.remove_device(&own_log, phone.device));
    let mut mother = scene.ready_mother();
    pulled(&mut mother);
    mother.accept(&removal).unwrap();
    mother.start_over();
    // A relay that lost the removal, and to which the thief came first; or that means harm, in the one order or the other.
    let mut early = mother.clone();
    for item in scene.for_mother() {
        early.accept(&item).unwrap();
    }
    assert_eq!(
        refused(&mut early, &scene.placed(&stolen, 0)),
        FollowError::RemovedDevice,
        "before its removal"
    );
    early.accept(&removal).unwrap();
    assert_eq!(refused(&mut early, &scene.placed(&stolen, 0)), FollowError::RemovedDevice, "and after it");
    let mut late = mother.clone();
    let (entries, spaces): (Vec<_>, Vec<_>) =
        scene.for_mother().into_iter().partition(|item| matches!(item, Item::AccountEntry(_)));
    for item in entries.iter().chain([&removal]).chain(&spaces) {
        late.accept(item).unwrap();
    }
    assert_eq!(
        refused(&mut late, &scene.placed(&stolen, 0)),
        FollowError::RemovedDevice,
        "its log came first"
    );
    for mut follower in [early, late] {
        let taken = follower.accept(&scene.placed(&genesis, 0)).unwrap();
        assert!(matches!(taken, Accepted::Unexpected), "a section that it founds is passed over: {taken:?}");
        assert!(follower.space_log(founded).is_none(), "and is none of this account's");
    }
}

#[test]
fn a_removed_device_is_heard_no_more_and_what_it_wrote_counts() {
    let mut scene = scene(600);
    let mut phone = Actor::second(9, &scene.mother);
    let mut own_log = AccountLog::found(&scene.mothers[0]).unwrap();
    let add = scene.mother.add_device(&own_log, &phone);
    own_log.append(&add).unwrap();
    scene.mothers.push(add);
    phone.follow(&scene.log);
    let before = phone.push(scene.space, &["before"], vec![]);
    let after = phone.push(scene.space, &["after"], vec![]);
    let removal = Item::AccountEntry(scene.mother.remove_device(&own_log, phone.device));
    for mut follower in [scene.ready_mother(), scene.ready_daughter()] {
        follower.accept(&batch(1, &before)).unwrap();
        pulled(&mut follower);
        follower.accept(&removal).unwrap();
        let error = refused(&mut follower, &batch(2, &after));
        assert_eq!(
            error,
            FollowError::RemovedDevice,
            "a relay that goes on showing what it writes is caught"
        );
        let entry = phone.grant(&scene.log, (Actor::new(5).account, Hash32::ZERO), Role::Reader);
        let entry = scene.placed(&entry, 1);
        let own = follower.device() == scene.mother.device;
        assert_eq!(refused(&mut follower, &entry), FollowError::RemovedDevice, "own: {own}");
        let items = if own { scene.for_mother() } else { scene.for_daughter() };
        follower.start_over();
        for item in items.iter().chain([&batch(1, &before), &removal]) {
            let accepted = follower.accept(item).unwrap();
            assert!(
                matches!(accepted, Accepted::Known),
                "what it wrote before is recognised, not {accepted:?}"
            );
        }
        assert_eq!(refused(&mut follower, &batch(2, &after)), FollowError::RemovedDevice, "and nothing more");
    }
    // Who is let in, and follows the space already when the log comes, as behind a grant.
    let mut behind = scene.follower(&scene.daughter, &scene.daughters[0]);
    behind.expect_space(scene.space, scene.mother.account, scene.mothers[0].hash()).unwrap();
    for item in scene.for_daughter().iter().chain([&removal, &batch(1, &before)]) {
        behind.accept(item).expect("in a first reading the order of logs says nothing");
    }
    // Somebody who is let in later reads the whole log first: what the device wrote in its time counts for them.
    let mut late = scene.follower(&scene.daughter, &scene.daughters[0]);
    late.expect_space(scene.space, scene.mother.account, scene.mothers[0].hash()).unwrap();
    for entry in &scene.mothers {
        late.accept(&Item::AccountEntry(entry.clone())).unwrap();
    }
    late.accept(&removal).unwrap();
    for entry in &scene.entries {
        late.accept(&scene.placed(entry, 0)).unwrap();
    }
    assert!(matches!(late.accept(&batch(1, &before)).unwrap(), Accepted::Envelopes { .. }), "in its time");
}

#[test]
fn an_own_entry_that_lost_is_taken_back_and_signed_again() {
    let mut scene = scene(700);
    let mut mother = scene.ready_mother();
    let before = mother.clone();
    let stranger = Actor::new(5);
    let own =
        scene.mother.grant(&scene.log, (stranger.account, stranger.account_genesis().hash()), Role::Reader);
    mother.add_own_space_entry(&own).unwrap();
    assert_eq!(mother.space_log(scene.space).unwrap().entries(), 3, "it is here at once");
    assert_eq!(mother.stored_space_entries(scene.space), 2, "and not yet there");
    let foreign = scene.daughter.space_entry(
        &scene.log,
        SpaceBody::Epoch { next: Actor::next_epoch(&scene.log, None), cuts: vec![] },
    );
    let foreign = scene.append(foreign, DAUGHTER);
    let shown = scene.placed(&foreign, 0);
    assert_eq!(refused(&mut mother, &shown), FollowError::Fork, "the relay took another");
    let mut mother = Follower::from_bytes(&mother.to_bytes()).unwrap();
    assert!(mother.take_back_space_entry(&foreign).is_err(), "only the own one");
    mother.take_back_space_entry(&own).unwrap();
    assert_eq!(mother.space_log(scene.space), before.space_log(scene.space), "as if it had never been");
    assert!(mother.take_back_space_entry(&scene.entries[1]).is_err(), "what was shown stays");
    mother.accept(&shown).unwrap();
    let own = own.unverified().body.clone();
    let again = scene.mother.space_entry(mother.space_log(scene.space).unwrap(), own);
    mother.add_own_space_entry(&again).unwrap();
    let accepted = mother.accept(&scene.placed(&again, 0)).unwrap();
    assert!(matches!(accepted, Accepted::Space { own: true, .. }), "and now it is stored");
    assert!(mother.take_back_space_entry(&again).is_err(), "for good");
    let wrong = scene.daughter.space_entry(&scene.log, SpaceBody::Leave { cuts: vec![] });
    assert_eq!(mother.add_own_space_entry(&wrong), Err(FollowError::UnknownDevice), "nobody else's entry");
}

#[test]
fn an_envelope_is_of_the_epoch_of_its_membership_entry() {
    let mut scene = scene(800);
    let mut mother = scene.ready_mother();
    let mut other = scene.ready_mother();
    let old = scene.daughter.push(scene.space, &["in time"], vec![]);
    let next = SpaceBody::Epoch { next: Actor::next_epoch(&scene.log, None), cuts: vec![] };
    let entry = scene.mother.space_entry(&scene.log, next);
    let entry = scene.append(entry, MOTHER);
    mother.accept(&batch(1, &old)).unwrap();
    mother.accept(&scene.placed(&entry, 1)).unwrap();
    let kept = scene.daughter.writing[&scene.space].clone();
    let mut write = |epoch, head| {
        let mut writing = kept.clone();
        (writing.epoch, writing.membership_head) = (epoch, head);
        scene.daughter.writing.insert(scene.space, writing);
        batch(2, &scene.daughter.push(scene.space, &["x"], vec![]))
    };
    let (before, after) = (scene.log.head_at(2).unwrap(), scene.log.head());
    let stale = FollowError::Push(PushError::EpochStale);
    assert_eq!(refused(&mut mother, &write(1, after)), stale, "an old key under the new head");
    assert_eq!(refused(&mut mother, &write(2, before)), stale, "a new key under the old head");
    assert_eq!(refused(&mut mother, &write(3, after)), stale, "an epoch that has not begun");
    let late = write(1, before);
    let good = write(2, after);
    mother.clone().accept(&late).expect("what the relay took in its time is read whenever it comes");
    mother.accept(&good).unwrap();
    scene.daughter.follow(&scene.log.clone());
    let leave = scene.daughter.space_entry(&scene.log, SpaceBody::Leave { cuts: vec![] });
    let leave = scene.append(leave, DAUGHTER);
    mother.accept(&scene.placed(&leave, 2)).unwrap();
    let own = scene.mother.push(scene.space, &["after somebody left"], vec![]);
    for item in [batch(1, &old), scene.placed(&entry, 1), good, scene.placed(&leave, 2)] {
        other.accept(&item).unwrap();
    }
    assert_eq!(refused(&mut other, &batch(3, &own)), stale, "who left still has this key");
}
