//! The rules of a membership log: each has a test that fails without it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::{DocumentId, Hash32};
use mecum_sync::limits::MAX_MEMBERS;
use mecum_sync::testing::Actor;
use mecum_sync::{
    Chain, Cut, NewEpoch, Role, Signed, SpaceBody, SpaceEntry, SpaceLog, SpaceLogError, Why, encode,
};

struct Scene {
    owner: Actor,
    writer: Actor,
    manager: Actor,
    reader: Actor,
    log: SpaceLog,
}

fn who(actor: &Actor) -> (mecum_seal::AccountId, Hash32) {
    (actor.account, actor.account_genesis().hash())
}

/// A space with one member of each role: entries 2, 3 and 4 let the writer, the manager and the reader in.
fn scene() -> Scene {
    let mut owner = Actor::new(1);
    let (_, genesis) = owner.found_space(None);
    let log = SpaceLog::found(&genesis, &owner.signing.verifying_key()).unwrap();
    let (writer, manager, reader) = (Actor::new(2), Actor::new(3), Actor::new(4));
    let mut scene = Scene { owner, writer, manager, reader, log };
    let let_in =
        [(&scene.writer, Role::Writer), (&scene.manager, Role::Manager), (&scene.reader, Role::Reader)];
    for (member, role) in let_in {
        let entry = scene.owner.grant(&scene.log, who(member), role);
        scene.log.append(&entry, &scene.owner.signing.verifying_key()).unwrap();
    }
    scene
}

impl Scene {
    fn take(&mut self, entry: &Signed<SpaceEntry>, by: fn(&Scene) -> &Actor) {
        let key = by(self).signing.verifying_key();
        self.log.append(entry, &key).unwrap();
    }

    fn refused(
        &mut self,
        entry: &Signed<SpaceEntry>,
        by: fn(&Scene) -> &Actor,
        error: SpaceLogError,
        why: &str,
    ) {
        let before = encode(&self.log);
        let key = by(self).signing.verifying_key();
        assert_eq!(self.log.append(entry, &key), Err(error), "{why}");
        assert_eq!(encode(&self.log), before, "{why}: and nothing is changed");
    }
}

const OWNER: fn(&Scene) -> &Actor = |scene| &scene.owner;
const WRITER: fn(&Scene) -> &Actor = |scene| &scene.writer;
const MANAGER: fn(&Scene) -> &Actor = |scene| &scene.manager;
const READER: fn(&Scene) -> &Actor = |scene| &scene.reader;

#[test]
fn only_a_manager_changes_the_membership() {
    let mut scene = scene();
    let stranger = Actor::new(9);
    for by in [WRITER, READER] {
        let grant = by(&scene).grant(&scene.log, who(&stranger), Role::Reader);
        scene.refused(&grant, by, SpaceLogError::NotManager, "letting somebody in");
        let remove = by(&scene).remove(&scene.log, scene.manager.account, vec![]);
        scene.refused(&remove, by, SpaceLogError::NotManager, "removing somebody");
        let replace = by(&scene).space_entry(&scene.log, replace(1, 2));
        scene.refused(&replace, by, SpaceLogError::NotManager, "replacing a document");
    }
    let own = stranger.grant(&scene.log, who(&stranger), Role::Manager);
    let key = stranger.signing.verifying_key();
    assert_eq!(scene.log.append(&own, &key), Err(SpaceLogError::NotManager), "a stranger lets nobody in");
    let forged = scene.writer.grant(&scene.log, who(&stranger), Role::Reader).unverified().clone();
    let forged = SpaceEntry { account: scene.manager.account, ..forged };
    let forged = Signed::sign(forged, &scene.writer.signing);
    scene.refused(&forged, MANAGER, SpaceLogError::BadSignature, "in a manager's name, under another key");
    let grant = scene.manager.grant(&scene.log, who(&stranger), Role::Manager);
    scene.take(&grant, MANAGER);
    assert_eq!(scene.log.role(stranger.account), Some(Role::Manager), "a manager does");
}

#[test]
fn a_grant_only_ever_gives_more() {
    let mut scene = scene();
    for role in [Role::Reader, Role::Writer] {
        let entry = scene.owner.grant(&scene.log, who(&scene.writer), role);
        scene.refused(&entry, OWNER, SpaceLogError::NothingMore, "no more than they have");
    }
    let owner = scene.manager.grant(&scene.log, who(&scene.owner), Role::Manager);
    scene.refused(&owner, MANAGER, SpaceLogError::NothingMore, "the owner is granted nothing");
    let more = scene.owner.grant(&scene.log, who(&scene.writer), Role::Manager);
    scene.take(&more, OWNER);
    assert_eq!(scene.log.role(scene.writer.account), Some(Role::Manager), "more is given");
    assert_eq!(scene.log.role_at(scene.writer.account, 4), Some(Role::Writer), "from its place on");
    assert_eq!(scene.log.members().len(), 4, "and there is nobody new");
}

#[test]
fn an_account_comes_back_as_the_one_it_was() {
    let mut scene = scene();
    let entry = scene.owner.remove(&scene.log, scene.writer.account, vec![]);
    scene.take(&entry, OWNER);
    let other = (scene.writer.account, Hash32::from_bytes([7; 32]));
    let other = scene.owner.grant(&scene.log, other, Role::Reader);
    scene.refused(&other, OWNER, SpaceLogError::OtherGenesis, "another beginning of the account");
    let entry = scene.owner.grant(&scene.log, who(&scene.writer), Role::Reader);
    scene.take(&entry, OWNER);
    let roles: Vec<_> = (1..=6).map(|seq| scene.log.role_at(scene.writer.account, seq)).collect();
    let writer = Some(Role::Writer);
    assert_eq!(roles, [None, writer, writer, writer, None, Some(Role::Reader)], "each stay has its place");
    assert_eq!(scene.log.ended(scene.writer.account), None, "who is there has not ended");
}

#[test]
fn the_owner_stays_and_nobody_removes_himself() {
    let mut scene = scene();
    let entry = scene.manager.remove(&scene.log, scene.owner.account, vec![]);
    scene.refused(&entry, MANAGER, SpaceLogError::OwnerStays, "removing the owner");
    let entry = scene.owner.remove(&scene.log, scene.owner.account, vec![]);
    scene.refused(&entry, OWNER, SpaceLogError::OwnerStays, "the owner removing himself");
    let entry = scene.owner.space_entry(&scene.log, SpaceBody::Leave { cuts: vec![] });
    scene.refused(&entry, OWNER, SpaceLogError::OwnerStays, "the owner leaving");
    let entry = scene.manager.remove(&scene.log, scene.manager.account, vec![]);
    scene.refused(&entry, MANAGER, SpaceLogError::BadEntry, "who goes would know the next key");
    let entry = scene.owner.remove(&scene.log, Actor::new(9).account, vec![]);
    scene.refused(&entry, OWNER, SpaceLogError::NotThere, "removing who is not there");
    let entry = Actor::new(9).space_entry(&scene.log, SpaceBody::Leave { cuts: vec![] });
    scene.refused(&entry, OWNER, SpaceLogError::NotWriter, "leaving where one is not");
}

#[test]
fn a_removal_begins_the_next_epoch_for_exactly_those_who_stay() {
    let mut scene = scene();
    let member = scene.writer.account;
    let good = Actor::next_epoch(&scene.log, Some(member));
    let mut bad: Vec<(&str, NewEpoch, SpaceLogError)> = Vec::new();
    let with = Actor::next_epoch(&scene.log, None);
    bad.push(("also for the removed one", with, SpaceLogError::BadWraps));
    let mut fewer = good.clone();
    fewer.wraps.pop();
    bad.push(("not for all", fewer, SpaceLogError::BadWraps));
    let mut twice = good.clone();
    twice.wraps[1] = twice.wraps[0].clone();
    bad.push(("twice for one", twice, SpaceLogError::BadWraps));
    let mut empty = good.clone();
    empty.wraps[0].bytes.clear();
    bad.push(("an empty wrap", empty, SpaceLogError::BadWraps));
    bad.push(("the same epoch", NewEpoch { epoch: 1, ..good.clone() }, SpaceLogError::BadEpoch));
    bad.push(("an epoch left out", NewEpoch { epoch: 3, ..good.clone() }, SpaceLogError::BadEpoch));
    let lost = NewEpoch { sealed_previous: vec![], ..good.clone() };
    bad.push(("what was before is lost", lost, SpaceLogError::BadEpoch));
    for (why, next, error) in bad {
        let body = SpaceBody::Remove {
            member,
            why: Why::Removed,
            cuts: vec![],
            next: next.clone(),
            sealed_reason: vec![],
        };
        let entry = scene.owner.space_entry(&scene.log, body);
        scene.refused(&entry, OWNER, error, why);
    }
    let entry = scene.owner.remove(&scene.log, member, vec![]);
    scene.take(&entry, OWNER);
    assert_eq!((scene.log.epoch(), scene.log.epoch_since()), (2, 5), "a new epoch from here on");
    assert_eq!((scene.log.epoch_at(4), scene.log.epoch_at(5)), (1, 2), "and not before");
    assert_eq!((scene.log.role(member), scene.log.ended(member)), (None, Some(5)), "they are out");
}

#[test]
fn who_leaves_stops_all_writing_until_a_writer_begins_an_epoch() {
    let mut scene = scene();
    let entry = scene.reader.space_entry(&scene.log, SpaceBody::Leave { cuts: vec![] });
    scene.take(&entry, READER);
    assert!(scene.log.is_stale() && !scene.log.is_stale_at(4), "the leaver still has the key");
    let grant = scene.owner.grant(&scene.log, who(&scene.reader), Role::Reader);
    scene.take(&grant, OWNER);
    assert!(scene.log.is_stale(), "a grant does not change that");
    let next = |log: &SpaceLog| SpaceBody::Epoch { next: Actor::next_epoch(log, None), cuts: vec![] };
    let by_reader = scene.reader.space_entry(&scene.log, next(&scene.log));
    scene.refused(&by_reader, READER, SpaceLogError::NotWriter, "a reader begins no epoch");
    let mut short = Actor::next_epoch(&scene.log, None);
    short.wraps.pop();
    let short = scene.writer.space_entry(&scene.log, SpaceBody::Epoch { next: short, cuts: vec![] });
    scene.refused(&short, WRITER, SpaceLogError::BadWraps, "somebody is left out");
    let entry = scene.writer.space_entry(&scene.log, next(&scene.log));
    scene.take(&entry, WRITER);
    assert!(!scene.log.is_stale() && scene.log.is_stale_at(6), "now they write again");
}

#[test]
fn a_cut_makes_void_what_lies_beyond_and_nothing_after_coming_back() {
    let mut scene = scene();
    let (device, incarnation) = (scene.writer.device, scene.writer.incarnation);
    let cut = Cut { device, incarnation, envelope_seq: 3, hash: Hash32::from_bytes([3; 32]) };
    let entry = scene.owner.remove(&scene.log, scene.writer.account, vec![cut]);
    scene.take(&entry, OWNER);
    let other = Actor::new(50).incarnation;
    let void = |log: &SpaceLog, seq, at| log.is_void(scene.writer.account, (device, incarnation), seq, at);
    assert!(!void(&scene.log, 3, 2) && void(&scene.log, 4, 2) && void(&scene.log, 4, 4), "beyond the cut");
    assert!(
        scene.log.is_void(scene.writer.account, (device, other), 1, 2),
        "of a chain that is not named nothing counts"
    );
    assert!(
        !scene.log.is_void(scene.owner.account, (device, incarnation), 9, 2),
        "of this account's chains only"
    );
    let chain = Chain { device, incarnation, space: scene.log.space() };
    let member = scene.writer.account;
    let by_last = |log: &SpaceLog, seq| log.voided_by_last(member, &chain, seq);
    let beyond = by_last(&scene.log, 5).unwrap();
    assert_eq!((beyond.after, beyond.before_entry), (3, 5), "the entry says what it voids");
    assert_eq!(by_last(&scene.log, 3), None, "a chain that ends at its cut loses nothing");
    let back = scene.owner.grant(&scene.log, who(&scene.writer), Role::Writer);
    scene.take(&back, OWNER);
    let void = |log: &SpaceLog, seq, at| log.is_void(scene.writer.account, (device, incarnation), seq, at);
    assert!(void(&scene.log, 4, 2), "what was void stays so");
    assert!(!void(&scene.log, 4, 6), "what is written after coming back counts");
    assert_eq!(by_last(&scene.log, 5), None, "a grant voids nothing");
}

#[test]
fn cuts_are_ordered_and_of_the_chains_that_they_are_about() {
    let mut scene = scene();
    let member = scene.writer.account;
    let at = |device: u8, incarnation: u8, envelope_seq, hash: u8| Cut {
        device: mecum_seal::DeviceId::from_bytes([device; 16]),
        incarnation: mecum_seal::IncarnationId::from_bytes([incarnation; 16]),
        envelope_seq,
        hash: Hash32::from_bytes([hash; 32]),
    };
    let bad = [
        ("out of order", vec![at(2, 1, 1, 1), at(1, 1, 1, 1)]),
        ("twice", vec![at(1, 1, 1, 1), at(1, 1, 2, 1)]),
        ("a link without a hash", vec![at(1, 1, 1, 0)]),
        ("a hash of no link", vec![at(1, 1, 0, 1)]),
    ];
    for (why, cuts) in bad {
        let remove = scene.owner.remove(&scene.log, member, cuts.clone());
        scene.refused(&remove, OWNER, SpaceLogError::BadCuts, why);
        let leave = scene.writer.space_entry(&scene.log, SpaceBody::Leave { cuts: cuts.clone() });
        scene.refused(&leave, WRITER, SpaceLogError::BadCuts, why);
        let next = Actor::next_epoch(&scene.log, None);
        let epoch = scene.writer.space_entry(&scene.log, SpaceBody::Epoch { next, cuts });
        scene.refused(&epoch, WRITER, SpaceLogError::BadCuts, why);
    }
    let cuts = vec![at(1, 1, 4, 4)];
    let (owner, writer) = (scene.owner.account, member);
    let check = |entry: &Signed<SpaceEntry>, of| SpaceLog::check_cuts(entry.unverified(), |_| of);
    let remove = scene.owner.remove(&scene.log, member, cuts.clone());
    assert_eq!(check(&remove, Some((writer, false))), Ok(()), "the removed account's");
    assert_eq!(check(&remove, Some((owner, false))), Err(SpaceLogError::BadCuts), "another account's");
    assert_eq!(check(&remove, None), Err(SpaceLogError::BadCuts), "nobody's");
    let next = Actor::next_epoch(&scene.log, None);
    let epoch = scene.writer.space_entry(&scene.log, SpaceBody::Epoch { next, cuts });
    assert_eq!(check(&epoch, Some((writer, true))), Ok(()), "an own device that was removed");
    assert_eq!(check(&epoch, Some((writer, false))), Err(SpaceLogError::BadCuts), "an own one that is live");
    assert_eq!(check(&epoch, Some((owner, true))), Err(SpaceLogError::BadCuts), "another's that was removed");
    scene.take(&epoch, WRITER);
    let of = |n: u8| at(n, 1, 0, 0).device;
    let (one, two) = (at(1, 1, 0, 0).incarnation, at(1, 2, 0, 0).incarnation);
    let void = |device, incarnation, seq| scene.log.is_void(writer, (device, incarnation), seq, 9);
    assert!(!void(of(1), one, 4) && void(of(1), one, 5), "the removed device is cut off, for ever");
    assert!(void(of(1), two, 1), "whatever chain it begins");
    assert!(!void(of(2), one, 9), "and no other device");
}

fn replace(document: u8, by: u8) -> SpaceBody {
    SpaceBody::Replace {
        document: DocumentId::from_bytes([document; 16]),
        by: DocumentId::from_bytes([by; 16]),
        sealed_reason: vec![],
        chains: vec![],
    }
}

#[test]
fn a_document_is_replaced_once_and_by_a_new_one() {
    let mut scene = scene();
    let entry = scene.owner.space_entry(&scene.log, replace(1, 2));
    scene.take(&entry, OWNER);
    for (document, by, why) in [
        (1, 3, "a second time"),
        (3, 3, "by itself"),
        (3, 1, "by one that ended"),
        (3, 2, "by one that took another's place"),
    ] {
        let entry = scene.manager.space_entry(&scene.log, replace(document, by));
        scene.refused(&entry, MANAGER, SpaceLogError::BadReplacement, why);
    }
    let mut body = replace(2, 3);
    if let SpaceBody::Replace { chains, .. } = &mut body {
        let space = scene.owner.writing.keys().copied().next().unwrap();
        *chains = vec![scene.owner.folded(space), scene.owner.folded(space)];
    }
    let entry = scene.manager.space_entry(&scene.log, body);
    scene.refused(&entry, MANAGER, SpaceLogError::BadReplacement, "with a chain twice");
    let entry = scene.manager.space_entry(&scene.log, replace(2, 3));
    scene.take(&entry, MANAGER);
    let by = |n: u8| scene.log.replaced_by(DocumentId::from_bytes([n; 16]));
    assert_eq!(by(1), Some(DocumentId::from_bytes([2; 16])), "the first was replaced");
    assert_eq!(by(2), Some(DocumentId::from_bytes([3; 16])), "and what replaced it, too");
    assert_eq!(by(3), None, "the last one stands");
}

#[test]
fn entries_follow_the_head_and_a_space_has_an_end() {
    let mut scene = scene();
    let stranger = Actor::new(9);
    let good = scene.owner.grant(&scene.log, who(&stranger), Role::Reader);
    let other = |change: &dyn Fn(&mut SpaceEntry)| {
        let mut entry = good.unverified().clone();
        change(&mut entry);
        Signed::sign(entry, &scene.owner.signing)
    };
    let old = other(&|entry| entry.previous = Hash32::ZERO);
    let skipped = other(&|entry| entry.seq += 1);
    let elsewhere = other(&|entry| entry.space = mecum_seal::SpaceId::from_bytes([1; 16]));
    scene.refused(&old, OWNER, SpaceLogError::StaleHead, "on another head");
    scene.refused(&skipped, OWNER, SpaceLogError::StaleHead, "with a number left out");
    scene.refused(&elsewhere, OWNER, SpaceLogError::OtherSpace, "of another space");
    scene.take(&good, OWNER);
    scene.refused(&good, OWNER, SpaceLogError::StaleHead, "a second time");
    let mut wrong = scene.owner.grant(&scene.log, who(&Actor::new(10)), Role::Reader).unverified().clone();
    if let SpaceBody::Grant { wraps, .. } = &mut wrong.body {
        wraps[0].account = stranger.account;
    }
    let wrong = Signed::sign(wrong, &scene.owner.signing);
    scene.refused(&wrong, OWNER, SpaceLogError::BadWraps, "the key is wrapped to somebody else");
    let mut n = 0u8;
    while scene.log.members().len() < MAX_MEMBERS {
        n = n.wrapping_add(1);
        let member = mecum_seal::AccountId::from_bytes([n; 16]);
        let entry = scene.owner.grant(&scene.log, (member, Hash32::from_bytes([n; 32])), Role::Reader);
        scene.take(&entry, OWNER);
    }
    let entry = scene.owner.grant(&scene.log, who(&Actor::new(11)), Role::Reader);
    scene.refused(&entry, OWNER, SpaceLogError::Full, "not without end");
}
