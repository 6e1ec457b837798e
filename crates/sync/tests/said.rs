//! What a request leaves out comes out again as it was signed, or not at all.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::convert::Infallible;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DeviceId, Hash32, IncarnationId, SigningKey, SpaceId};
use mecum_sync::limits::MAX_REQUEST_BYTES;
use mecum_sync::said::{Moved, base_of};
use mecum_sync::testing::Actor;
use mecum_sync::{
    Countersign, FollowError, Item, Push, Received, SaidPush, SaidRequest, SaidSnapshot, ShortPush,
    ShortSnapshot, Signed, SpaceStanding, Statement, SyncRequest, SyncResponse, decode, encode,
};

/// A device and the others of its space, of which it holds something.
struct Scene {
    own: Actor,
    others: Vec<Actor>,
    space: SpaceId,
}

impl Scene {
    fn new(others: u64) -> Self {
        let mut own = Actor::new(1);
        let (space, genesis) = own.found_space(None);
        let other = |n| {
            let mut other = Actor::second(n, &own);
            other.join_space(space, genesis.hash());
            other.push(space, &["first"], vec![]);
            other
        };
        let others = (10..10 + others).map(other).collect();
        Self { own, others, space }
    }

    /// What the device holds now.
    fn received(&self) -> Vec<Received> {
        self.others.iter().map(|other| other.as_received(self.space)).collect()
    }

    fn push(&mut self, texts: &[&str]) -> Push {
        let received = self.received();
        self.own.push(self.space, texts, received)
    }

    /// What the relay has of the links.
    fn link(&self) -> impl Fn(DeviceId, IncarnationId, u64) -> Result<Option<Hash32>, Infallible> + use<> {
        let known = self.received();
        move |device, incarnation, seq| {
            let is_it =
                |r: &&Received| (r.device, r.incarnation, r.envelope_seq) == (device, incarnation, seq);
            Ok(known.iter().find(is_it).map(|r| r.last))
        }
    }

    fn comes_out(&self, push: &Push, base: &Push, what: &str) -> ShortPush {
        let base = base.statement.unverified();
        let short = ShortPush::of(push, base).unwrap_or_else(|| panic!("{what} can be said short"));
        let read: SaidPush = decode(&encode(&short), MAX_REQUEST_BYTES).unwrap();
        assert_eq!(read, SaidPush::Short(short.clone()), "{what} is read as what was said");
        let whole = short.whole(base, self.link()).unwrap();
        let whole = whole.unwrap_or_else(|| panic!("{what} comes out"));
        assert_eq!(encode(&whole), encode(push), "{what} comes out to the byte");
        assert!(
            whole.statement.verify(&self.own.signing.verifying_key()).is_ok(),
            "{what} is what was signed"
        );
        short
    }
}

#[test]
fn a_statement_over_its_base_comes_out_as_it_was_signed() {
    let mut scene = Scene::new(3);
    let base = scene.push(&["one"]);
    let next = scene.push(&["two", "three"]);
    scene.comes_out(&next, &base, "a push with nothing new of others");
    scene.others[1].push(scene.space, &["second"], vec![]);
    let next = scene.push(&[]);
    let ahead = scene.comes_out(&next, &scene.own_state_before(&base), "an acknowledgement alone");
    assert_eq!((ahead.moved.len(), ahead.space), (1, Some(scene.space)), "it says what moved, and where");
    let mut late = Actor::second(77, &scene.own);
    late.join_space(scene.space, Hash32::ZERO);
    late.push(scene.space, &["I am new"], vec![]);
    scene.others.push(late);
    scene.others[0].push(scene.space, &["second"], vec![]);
    let last = scene.push(&["four"]);
    let short = scene.comes_out(&last, &next, "a push with a chain that is new and one that moved");
    assert_eq!((short.moved.len(), short.begun.len()), (1, 1), "the others are not said again");
}

impl Scene {
    /// A statement of the chain as it stands that holds what `push` held.
    fn own_state_before(&self, push: &Push) -> Push {
        let received = push.statement.unverified().received.clone();
        Push { envelopes: vec![], statement: self.own.state(self.space, received) }
    }
}

#[test]
fn over_another_base_nothing_comes_out_that_was_signed() {
    let mut scene = Scene::new(3);
    let older = scene.push(&["one"]);
    scene.others[0].push(scene.space, &["second"], vec![]);
    let base = scene.push(&["two"]);
    let next = scene.push(&["three"]);
    let (older, base) = (older.statement.unverified().clone(), base.statement.unverified().clone());
    let short = ShortPush::of(&next, &base).unwrap();
    assert_eq!(short.whole(&older, scene.link()).unwrap(), None, "an older statement is not its base");
    // Whoever names another base than the device did gets something that the device did not sign.
    let own = scene.own.signing.verifying_key();
    let forged = |change: &dyn Fn(&mut ShortPush)| {
        let mut forged = short.clone();
        change(&mut forged);
        let whole = forged.whole(&older, |_, _, _| Ok::<_, Infallible>(Some(Hash32::ZERO))).unwrap();
        whole.is_some_and(|push| push.statement.verify(&own).is_ok())
    };
    assert!(!forged(&|short| short.base = base_of(&older)), "the older one, named");
    let moved = Moved { place: 0, envelope_seq: 2 };
    let renamed = |short: &mut ShortPush| {
        short.base = base_of(&older);
        short.moved = vec![moved];
    };
    assert!(!forged(&renamed), "nor with a link that is not the one that was held");
    let nowhere = ShortPush { moved: vec![Moved { place: 9, ..moved }], ..short.clone() };
    assert_eq!(nowhere.whole(&base, scene.link()).unwrap(), None, "a place that the base does not have");
    let nothing = short.whole(&base, |_, _, _| Ok::<_, Infallible>(None)).unwrap();
    assert!(nothing.is_some(), "what did not move need not be looked up");
    let unknown = ShortPush { moved: vec![moved], ..short };
    let unknown = unknown.whole(&base, |_, _, _| Ok::<_, Infallible>(None)).unwrap();
    assert_eq!(unknown, None, "a link that is not there");
}

#[test]
fn what_a_base_cannot_tell_is_said_in_full() {
    let mut scene = Scene::new(2);
    let base = scene.push(&["one"]);
    let base = base.statement.unverified();
    let received = scene.received();
    let less = scene.own.push(scene.space, &["two"], received[..1].to_vec());
    assert_eq!(ShortPush::of(&less, base), None, "a chain that is not held any more");
    let mut other = received.clone();
    other[0].last = Hash32::from_bytes([9; 32]);
    let other = scene.own.push(scene.space, &["three"], other);
    assert_eq!(ShortPush::of(&other, base), None, "another link under the same number");
    let mut elsewhere = scene.push(&["four"]);
    elsewhere.envelopes = vec![b"no envelope".to_vec()];
    assert_eq!(ShortPush::of(&elsewhere, base), None, "what does not say where it ends");
    let (own, space) = (&scene.own, scene.space);
    let behind = Push { envelopes: vec![], statement: own.state(space, received) };
    assert_eq!(ShortPush::of(&behind, base), None, "an acknowledgement whose base ends elsewhere");
    let stranger = Statement { device: DeviceId::from_bytes([1; 16]), ..base.clone() };
    let next = scene.push(&["five"]);
    assert_eq!(ShortPush::of(&next, &stranger), None, "over another chain's statement");
}

#[test]
fn an_edit_beside_ten_devices_costs_as_much_as_beside_none() {
    let costs = [0, 2, 9].map(|others| {
        let mut scene = Scene::new(others);
        let base = scene.push(&["one"]);
        for other in &mut scene.others {
            other.push(scene.space, &["second"], vec![]);
        }
        let unchanged = scene.own.push(scene.space, &["two"], base.statement.unverified().received.clone());
        let short = ShortPush::of(&unchanged, base.statement.unverified()).unwrap();
        let beside = encode(&short).len() - short.envelopes[0].len();
        let all_moved = scene.push(&["three"]);
        let all_moved = ShortPush::of(&all_moved, unchanged.statement.unverified()).unwrap();
        (beside, encode(&all_moved).len() - all_moved.envelopes[0].len() - beside)
    });
    assert_eq!(costs[0].0, costs[2].0, "what others hold is not said again");
    assert!(costs[2].0 <= 120, "beside the envelope: {} B", costs[2].0);
    assert!(costs[2].1 <= 4 * 9, "and each chain that moved costs a few bytes: {costs:?}");
}

#[test]
fn a_request_in_full_is_the_same_bytes_as_ever() {
    let mut scene = Scene::new(2);
    let push = scene.push(&["one"]);
    let snapshot = scene.own.snapshot(scene.space, 1, vec![scene.own.folded(scene.space)], &["keys"]);
    let request =
        SyncRequest { pushes: vec![push], snapshots: vec![snapshot], ..SyncRequest::pull(7, 1 << 20) };
    let said = SaidRequest::from(&request);
    assert_eq!(encode(&said), encode(&request), "nothing is added to what is said in full");
    let read: SaidRequest = decode(&encode(&request), MAX_REQUEST_BYTES).unwrap();
    assert_eq!(read, said, "and it is read as that");
    let short = encode(&SaidRequest::short(&request, |_| None));
    assert!(
        decode::<SyncRequest>(&short, MAX_REQUEST_BYTES).is_err(),
        "an older relay takes no short form for another"
    );
}

#[test]
fn a_snapshot_comes_out_where_its_maker_saw_the_space_as_it_stands() {
    let mut scene = Scene::new(0);
    let (_, genesis) = (scene.space, scene.push(&["one", "two"]));
    let chains = vec![scene.own.folded(scene.space)];
    let snapshot = scene.own.snapshot(scene.space, 2, chains.clone(), &["keys", "document", "another"]);
    let short = ShortSnapshot::of(&snapshot);
    let read: SaidSnapshot = decode(&encode(&short), MAX_REQUEST_BYTES).unwrap();
    assert_eq!(read, SaidSnapshot::Short(short.clone()), "it is read as what was said");
    let body = snapshot.signed.unverified();
    let standing = SpaceStanding { membership_head: body.membership_head, epoch: body.epoch, chains };
    let by = (scene.own.device, scene.own.incarnation);
    let whole = short.whole(by, standing.clone());
    assert_eq!(encode(&whole), encode(&snapshot), "to the byte");
    let key = scene.own.signing.verifying_key();
    let holds = |short: &ShortSnapshot, by, standing| short.whole(by, standing).signed.verify(&key).is_ok();
    assert!(holds(&short, by, standing.clone()), "as it was signed");
    let later = SpaceStanding { chains: vec![], ..standing.clone() };
    assert!(!holds(&short, by, later), "not where a chain stands elsewhere");
    let epoch = SpaceStanding { epoch: 2, ..standing.clone() };
    assert!(!holds(&short, by, epoch), "nor under another epoch");
    let head = SpaceStanding { membership_head: genesis.statement.hash(), ..standing.clone() };
    assert!(!holds(&short, by, head), "nor under another head");
    assert!(
        !holds(&short, (by.0, IncarnationId::from_bytes([1; 16])), standing.clone()),
        "nor of another life"
    );
    let mut parts = short.clone();
    parts.parts[1][9] ^= 1;
    assert!(!holds(&parts, by, standing), "nor with another part");
}

#[test]
fn a_confirmation_stands_for_an_entry_of_the_request_and_for_no_other() {
    let relay = SigningKey::make(&SeededEntropy::new(99));
    let mut own = Actor::new(1);
    let (space, genesis) = own.found_space(None);
    let (other_space, other) = own.found_space(None);
    let confirm = |space, entry| {
        let place = Countersign { space, seq: 1, entry, space_seq: 0, stored_at_ms: 5 };
        Item::Confirmed(Signed::sign(place, &relay))
    };
    let answer = |item| SyncResponse {
        server_time_ms: 0,
        account_outcomes: vec![],
        space_outcomes: vec![],
        push_outcomes: vec![],
        receipts: None,
        items: vec![item],
        cursor: 1,
        more: false,
        snapshot_outcomes: vec![],
        pruned: None,
        helpers_notice: None,
        handed: None,
    };
    let request = SyncRequest { space_entries: vec![genesis.clone()], ..SyncRequest::pull(0, 1) };
    let honest = answer(confirm(space, genesis.hash()));
    let whole = honest.whole(&request).unwrap();
    let Item::SpaceEntry { entry, .. } = &whole.items[0] else { panic!("it stands for the entry") };
    assert_eq!(entry, &genesis, "that very entry");
    for (what, item) in [
        ("an entry that was not brought", confirm(other_space, other.hash())),
        ("another entry in its place", confirm(space, other.hash())),
        ("the entry in another space", confirm(other_space, genesis.hash())),
    ] {
        assert_eq!(answer(item).whole(&request).unwrap_err(), FollowError::BadAnswer, "{what}");
    }
    let nothing = SyncRequest::pull(0, 1);
    assert_eq!(honest.whole(&nothing).unwrap_err(), FollowError::BadAnswer, "to who brought nothing");
}
