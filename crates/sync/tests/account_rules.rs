//! The rules of an account's log: each has a test that fails without it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DeviceId, Entropy, Hash32, IncarnationId, SigningKey};
use mecum_sync::limits::{MAX_DEVICES, MAX_INCARNATIONS, MAX_UPHELD, MAX_UPHELD_AT_ONCE};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, AccountLogError, Follower, HELPERS_SIGNER, Helpers,
    RECOVERY_SIGNER, Signed, encode,
};

struct Scene {
    laptop: Actor,
    phone: Actor,
    tablet: Actor,
    recovery: SigningKey,
    log: AccountLog,
}

/// An account of three devices.
fn scene() -> Scene {
    let laptop = Actor::new(1);
    let (phone, tablet) = (Actor::second(2, &laptop), Actor::second(3, &laptop));
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    for other in [&phone, &tablet] {
        log.append(&laptop.add_device(&log, other)).unwrap();
    }
    Scene { laptop, phone, tablet, recovery: SigningKey::make(&SeededEntropy::new(77)), log }
}

impl Scene {
    fn refused(&mut self, entry: &Signed<AccountEntry>, error: AccountLogError, why: &str) {
        let before = encode(&self.log);
        assert_eq!(self.log.append(entry), Err(error), "{why}");
        assert_eq!(encode(&self.log), before, "{why}: and nothing is changed");
    }

    fn set_recovery(&mut self) {
        let entry = self.laptop.account_entry(&self.log, self.recovery_body());
        self.log.append(&entry).unwrap();
    }

    /// Sets helpers; answers their key.
    fn set_helpers(&mut self, seed: u64) -> SigningKey {
        let (key, helpers, _) = self.laptop.helpers(seed);
        let body = AccountBody::SetHelpers { helpers: Some(helpers) };
        self.log.append(&self.laptop.account_entry(&self.log, body)).unwrap();
        key
    }

    fn recovery_body(&self) -> AccountBody {
        AccountBody::SetRecovery {
            signing: self.recovery.verifying_key(),
            kem: self.laptop.kem.public(),
            sealed: vec![1; 1_300],
        }
    }
}

#[test]
fn a_removed_device_may_do_nothing_and_is_still_known() {
    let mut scene = scene();
    let old = scene.log.account_kem().clone();
    let entry = scene.laptop.remove_device(&scene.log, scene.phone.device);
    scene.log.append(&entry).unwrap();
    assert!(scene.log.device(scene.phone.device).is_none(), "it is not live");
    let known = scene.log.known(scene.phone.device).unwrap();
    assert_eq!((known.removed, known.card.device), (Some(4), scene.phone.device), "and known with its end");
    assert_ne!(*scene.log.account_kem(), old, "the account has a new key");
    let again = scene.phone.add_device(&scene.log, &Actor::second(9, &scene.laptop));
    scene.refused(&again, AccountLogError::UnknownDevice, "a removed device signs nothing");
    let back = scene.laptop.add_device(&scene.log, &scene.phone);
    scene.refused(&back, AccountLogError::DeviceTaken, "and never comes back under its name");
    let twice = scene.laptop.remove_device(&scene.log, scene.phone.device);
    scene.refused(&twice, AccountLogError::NotThere, "nobody is removed twice");
}

#[test]
fn a_new_account_key_goes_to_exactly_those_who_stay() {
    let mut scene = scene();
    let phone = scene.phone.device;
    let good = scene.laptop.rotation(&scene.log, Some(phone));
    let mut bad = Vec::new();
    let mut with = good.clone();
    with.wraps = scene.laptop.rotation(&scene.log, None).wraps;
    bad.push(("also to the removed one", Some(with)));
    let mut fewer = good.clone();
    fewer.wraps.pop();
    bad.push(("not to all", Some(fewer)));
    let mut other_order = good.clone();
    other_order.wraps.reverse();
    bad.push(("in another order", Some(other_order)));
    let mut empty = good.clone();
    empty.wraps[0].bytes.clear();
    bad.push(("an empty wrap", Some(empty)));
    let mut same = good.clone();
    same.account_kem = scene.log.account_kem().clone();
    bad.push(("the old key", Some(same)));
    let mut sealed = good.clone();
    sealed.recovery_sealed = vec![1];
    bad.push(("sealed to a recovery key that is not there", Some(sealed)));
    bad.push(("no new key", None));
    for (why, rotation) in bad {
        let body = AccountBody::RemoveDevice { device: phone, rotation };
        let entry = scene.laptop.account_entry(&scene.log, body);
        scene.refused(&entry, AccountLogError::BadRotation, why);
    }
    scene.set_recovery();
    let body = AccountBody::RemoveDevice { device: phone, rotation: Some(good) };
    let entry = scene.laptop.account_entry(&scene.log, body);
    scene.refused(&entry, AccountLogError::BadRotation, "the recovery key is left out");
    let entry = scene.laptop.remove_device(&scene.log, phone);
    scene.log.append(&entry).unwrap();
    assert_eq!(scene.log.recovery_sealed(), vec![5; 1_300], "the kit opens the new key");
}

#[test]
fn who_leaves_never_makes_the_next_key() {
    let mut scene = scene();
    let phone = scene.phone.device;
    let rotation = Some(scene.phone.rotation(&scene.log, Some(phone)));
    let own = scene.phone.account_entry(&scene.log, AccountBody::RemoveDevice { device: phone, rotation });
    scene.refused(&own, AccountLogError::BadRotation, "a leaving device would know the key of the others");
    let body = AccountBody::RemoveDevice { device: phone, rotation: None };
    scene.log.append(&scene.phone.account_entry(&scene.log, body)).unwrap();
    assert!(scene.log.rotation_due(), "somebody who stays owes a new key");
    let late = scene.phone.rotation(&scene.log, None);
    let late = scene.phone.account_entry(&scene.log, AccountBody::Rotate { rotation: late });
    scene.refused(&late, AccountLogError::UnknownDevice, "not the one who left");
    let rotation = scene.tablet.rotation(&scene.log, None);
    let mut short = rotation.clone();
    short.wraps.pop();
    let short = scene.tablet.account_entry(&scene.log, AccountBody::Rotate { rotation: short });
    scene.refused(&short, AccountLogError::BadRotation, "to every live device");
    scene.log.append(&scene.tablet.account_entry(&scene.log, AccountBody::Rotate { rotation })).unwrap();
    assert!(!scene.log.rotation_due(), "and it is done");
}

#[test]
fn the_last_device_stays() {
    let laptop = Actor::new(1);
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let body = AccountBody::RemoveDevice { device: laptop.device, rotation: None };
    let entry = laptop.account_entry(&log, body);
    assert_eq!(log.append(&entry), Err(AccountLogError::LastDevice), "nobody could add another");
}

#[test]
fn the_recovery_key_signs_recovery_and_removal_and_nothing_else() {
    let mut scene = scene();
    let new = Actor::second(4, &scene.laptop);
    let card = new.card(b"name");
    let recover = AccountBody::Recover { device: card.clone(), alone: None };
    let none = Actor::recovery_entry(&scene.recovery, &scene.log, recover.clone());
    scene.refused(&none, AccountLogError::UnknownDevice, "there is no recovery key yet");
    scene.set_recovery();
    let other = SigningKey::make(&SeededEntropy::new(5));
    let forged = Actor::recovery_entry(&other, &scene.log, recover.clone());
    scene.refused(&forged, AccountLogError::BadSignature, "another key");
    let by_device = scene.laptop.account_entry(&scene.log, recover.clone());
    scene.refused(&by_device, AccountLogError::NotAllowed, "a device adds devices by adding them");
    let bodies = [
        AccountBody::AddDevice { device: card },
        scene.recovery_body(),
        AccountBody::Rename { device: scene.phone.device, sealed_name: vec![1] },
        AccountBody::Uphold { entries: vec![Hash32::ZERO] },
        AccountBody::Reincarnate {
            device: RECOVERY_SIGNER,
            incarnation: IncarnationId::random(&scene.laptop.entropy),
        },
    ];
    for body in bodies {
        let entry = Actor::recovery_entry(&scene.recovery, &scene.log, body);
        scene.refused(&entry, AccountLogError::NotAllowed, "what only a device may");
    }
    let rotation = Some(scene.laptop.rotation(&scene.log, Some(scene.phone.device)));
    let body = AccountBody::RemoveDevice { device: scene.phone.device, rotation };
    scene.log.append(&Actor::recovery_entry(&scene.recovery, &scene.log, body)).unwrap();
    scene.log.append(&Actor::recovery_entry(&scene.recovery, &scene.log, recover)).unwrap();
    assert!(scene.log.device(new.device).is_some(), "the new device is in, with no live device's help");
    assert_eq!(scene.log.devices().len(), 3, "and the others stay");
}

#[test]
fn recovering_alone_removes_everybody_else() {
    let mut scene = scene();
    scene.set_recovery();
    let new = Actor::second(4, &scene.laptop);
    let mut rotation = scene.laptop.rotation(&scene.log, None);
    let to_all = AccountBody::Recover { device: new.card(b"n"), alone: Some(rotation.clone()) };
    let to_all = Actor::recovery_entry(&scene.recovery, &scene.log, to_all);
    scene.refused(&to_all, AccountLogError::BadRotation, "the new key is for the new device alone");
    rotation.wraps.truncate(1);
    rotation.wraps[0].device = new.device;
    let body = AccountBody::Recover { device: new.card(b"n"), alone: Some(rotation) };
    scene.log.append(&Actor::recovery_entry(&scene.recovery, &scene.log, body)).unwrap();
    let live: Vec<_> = scene.log.devices().iter().map(|card| card.device).collect();
    assert_eq!(live, [new.device], "the new device is the only one");
    assert_eq!(scene.log.removed().len(), 3, "the others are known, and removed");
}

#[test]
fn a_later_recovery_key_takes_the_place_of_the_earlier() {
    let mut scene = scene();
    scene.set_recovery();
    let second = SigningKey::make(&SeededEntropy::new(78));
    let body = |signing: &SigningKey, sealed: Vec<u8>| AccountBody::SetRecovery {
        signing: signing.verifying_key(),
        kem: scene.phone.kem.public(),
        sealed,
    };
    let (empty, taken) = (body(&second, vec![]), body(&scene.laptop.signing, vec![1]));
    let good = body(&second, vec![2; 40]);
    let empty = scene.phone.account_entry(&scene.log, empty);
    scene.refused(&empty, AccountLogError::BadEntry, "with nothing for the kit to open");
    let taken = scene.phone.account_entry(&scene.log, taken);
    scene.refused(&taken, AccountLogError::BadEntry, "a device's key is not the recovery key");
    scene.log.append(&scene.phone.account_entry(&scene.log, good)).unwrap();
    let new = Actor::second(4, &scene.laptop);
    let recover = AccountBody::Recover { device: new.card(b"n"), alone: None };
    let old = Actor::recovery_entry(&scene.recovery, &scene.log, recover.clone());
    scene.refused(&old, AccountLogError::BadSignature, "the old kit is paper");
    scene.log.append(&Actor::recovery_entry(&second, &scene.log, recover)).unwrap();
    assert_eq!(scene.log.recovery_sealed(), [2; 40], "what the kit opens is in the log");
}

#[test]
fn the_helpers_key_signs_recovery_and_removal_and_nothing_else() {
    let mut scene = scene();
    let new = Actor::second(4, &scene.laptop);
    let recover = AccountBody::Recover { device: new.card(b"name"), alone: None };
    let (key, helpers, _) = scene.laptop.helpers(31);
    let none = Actor::helpers_entry(&key, &scene.log, recover.clone());
    scene.refused(&none, AccountLogError::UnknownDevice, "there are no helpers yet");
    scene.set_recovery();
    scene.set_helpers(31);
    let by_kit = Actor::helpers_entry(&scene.recovery, &scene.log, recover.clone());
    scene.refused(&by_kit, AccountLogError::BadSignature, "the kit does not sign for the helpers");
    let for_kit = Actor::recovery_entry(&key, &scene.log, recover.clone());
    scene.refused(&for_kit, AccountLogError::BadSignature, "nor they for the kit");
    let bodies = [
        AccountBody::AddDevice { device: new.card(b"name") },
        scene.recovery_body(),
        AccountBody::Rename { device: scene.phone.device, sealed_name: vec![1] },
        AccountBody::Uphold { entries: vec![Hash32::ZERO] },
        AccountBody::SetHelpers { helpers: None },
        AccountBody::SetHelpers { helpers: Some(helpers) },
    ];
    for body in bodies {
        let entry = Actor::helpers_entry(&key, &scene.log, body);
        scene.refused(&entry, AccountLogError::NotAllowed, "what only a device may");
    }
    let rotation = Some(scene.laptop.rotation(&scene.log, Some(scene.phone.device)));
    let body = AccountBody::RemoveDevice { device: scene.phone.device, rotation };
    scene.log.append(&Actor::helpers_entry(&key, &scene.log, body)).unwrap();
    let rotation = scene.laptop.rotation(&scene.log, None);
    scene.log.append(&Actor::helpers_entry(&key, &scene.log, AccountBody::Rotate { rotation })).unwrap();
    scene.log.append(&Actor::helpers_entry(&key, &scene.log, recover)).unwrap();
    assert!(scene.log.device(new.device).is_some(), "the new device is in, with no live device's help");
    assert!(scene.log.recovery().is_some() && scene.log.helpers().is_some(), "kit and helpers both stay");
}

#[test]
fn a_new_account_key_is_sealed_to_the_helpers_too() {
    let mut scene = scene();
    let rotate =
        |scene: &Scene, rotation| scene.laptop.account_entry(&scene.log, AccountBody::Rotate { rotation });
    let mut early = scene.laptop.rotation(&scene.log, None);
    early.helpers_sealed = vec![1];
    let early = rotate(&scene, early);
    scene.refused(&early, AccountLogError::BadRotation, "sealed to helpers that are not there");
    scene.set_helpers(31);
    assert_eq!(scene.log.helpers().unwrap().sealed, b"sealed to the helpers' key", "as it was set");
    let mut without = scene.laptop.rotation(&scene.log, None);
    without.helpers_sealed.clear();
    let without = rotate(&scene, without);
    scene.refused(&without, AccountLogError::BadRotation, "the helpers are left out");
    let good = rotate(&scene, scene.laptop.rotation(&scene.log, None));
    scene.log.append(&good).unwrap();
    assert_eq!(scene.log.helpers().unwrap().sealed, vec![6; 1_300], "they open the new key");
    assert!(scene.log.recovery_sealed().is_empty(), "there is no kit");
}

#[test]
fn helpers_are_chosen_anew_or_ended_and_the_earlier_key_is_good_for_nothing() {
    let mut scene = scene();
    let none = AccountBody::SetHelpers { helpers: None };
    let none_yet = scene.phone.account_entry(&scene.log, none.clone());
    scene.refused(&none_yet, AccountLogError::BadEntry, "nothing to end");
    let first = scene.set_helpers(31);
    let (_, good, _) = scene.laptop.helpers(32);
    let mut bad = vec![
        ("the same key again", scene.laptop.helpers(31).1),
        ("a device's key", Helpers { signing: scene.phone.signing.verifying_key(), ..good.clone() }),
        ("nothing to open", Helpers { sealed: vec![], ..good.clone() }),
        ("a shorter wait", Helpers { wait_days: 6, ..good.clone() }),
        ("a longer wait", Helpers { wait_days: 8, ..good.clone() }),
    ];
    scene.set_recovery();
    bad.push(("the kit's key", Helpers { signing: scene.recovery.verifying_key(), ..good.clone() }));
    for (why, helpers) in bad {
        let body = AccountBody::SetHelpers { helpers: Some(helpers) };
        let entry = scene.phone.account_entry(&scene.log, body);
        scene.refused(&entry, AccountLogError::BadEntry, why);
    }
    let kit = AccountBody::SetRecovery {
        signing: first.verifying_key(),
        kem: scene.laptop.kem.public(),
        sealed: vec![1],
    };
    let kit = scene.laptop.account_entry(&scene.log, kit);
    scene.refused(&kit, AccountLogError::BadEntry, "a kit with the helpers' key");
    let mut card = Actor::second(4, &scene.laptop).card(b"n");
    card.signing = first.verifying_key();
    let device = scene.laptop.account_entry(&scene.log, AccountBody::AddDevice { device: card.clone() });
    scene.refused(&device, AccountLogError::DeviceTaken, "a device with the helpers' key");
    card.device = HELPERS_SIGNER;
    let device = scene.laptop.account_entry(&scene.log, AccountBody::AddDevice { device: card });
    scene.refused(&device, AccountLogError::DeviceTaken, "their name is no device's");
    let second = scene.set_helpers(32);
    let new = Actor::second(5, &scene.laptop);
    let recover = AccountBody::Recover { device: new.card(b"n"), alone: None };
    let old = Actor::helpers_entry(&first, &scene.log, recover.clone());
    scene.refused(&old, AccountLogError::BadSignature, "the earlier helpers help no more");
    scene.log.append(&Actor::helpers_entry(&second, &scene.log, recover)).unwrap();
    scene.log.append(&scene.phone.account_entry(&scene.log, none)).unwrap();
    assert!(scene.log.helpers().is_none(), "and they are ended");
    let other = Actor::second(6, &scene.laptop);
    let late = AccountBody::Recover { device: other.card(b"n"), alone: None };
    let late = Actor::helpers_entry(&second, &scene.log, late);
    scene.refused(&late, AccountLogError::UnknownDevice, "nobody signs for them");
}

#[test]
fn an_incarnation_is_of_one_device_and_for_ever() {
    let mut scene = scene();
    let fresh = IncarnationId::random(&SeededEntropy::new(5));
    let entry = |scene: &Scene, by: &Actor, device: DeviceId, incarnation| {
        by.account_entry(&scene.log, AccountBody::Reincarnate { device, incarnation })
    };
    let other = entry(&scene, &scene.laptop, scene.phone.device, fresh);
    scene.refused(&other, AccountLogError::NotAllowed, "nobody begins another's incarnation");
    let taken = entry(&scene, &scene.phone, scene.phone.device, scene.laptop.incarnation);
    scene.refused(&taken, AccountLogError::IncarnationTaken, "another device's");
    let good = entry(&scene, &scene.phone, scene.phone.device, fresh);
    scene.log.append(&good).unwrap();
    let incarnations = scene.log.incarnations(scene.phone.device);
    assert_eq!(incarnations, [scene.phone.incarnation, fresh], "its first and its second");
    let again = entry(&scene, &scene.phone, scene.phone.device, fresh);
    scene.refused(&again, AccountLogError::IncarnationTaken, "its own again");
    let mut new = Actor::second(6, &scene.laptop);
    new.incarnation = fresh;
    let add = scene.laptop.add_device(&scene.log, &new);
    scene.refused(&add, AccountLogError::DeviceTaken, "a new device with an incarnation that is taken");
    let entropy = SeededEntropy::new(8);
    for _ in 2..MAX_INCARNATIONS {
        let next = entry(&scene, &scene.phone, scene.phone.device, IncarnationId::random(&entropy));
        scene.log.append(&next).unwrap();
    }
    let beyond = entry(&scene, &scene.phone, scene.phone.device, IncarnationId::random(&entropy));
    scene.refused(&beyond, AccountLogError::IncarnationTaken, "not without end");
    scene.log.append(&scene.laptop.remove_device(&scene.log, scene.phone.device)).unwrap();
    assert_eq!(scene.log.incarnations(scene.phone.device).len(), MAX_INCARNATIONS, "known after it is gone");
}

#[test]
fn a_device_is_renamed_while_it_is_there() {
    let mut scene = scene();
    let rename = |scene: &Scene, device| {
        scene.phone.account_entry(&scene.log, AccountBody::Rename { device, sealed_name: b"new".to_vec() })
    };
    let entry = rename(&scene, scene.laptop.device);
    scene.log.append(&entry).unwrap();
    assert_eq!(scene.log.device(scene.laptop.device).unwrap().sealed_name, b"new", "the name is new");
    let nobody = rename(&scene, RECOVERY_SIGNER);
    scene.refused(&nobody, AccountLogError::NotThere, "a device that is not there");
}

#[test]
fn devices_are_counted_with_the_removed_ones() {
    let laptop = Actor::new(1);
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let entropy = SeededEntropy::new(9);
    for n in 1..MAX_DEVICES {
        let other = laptop_like(&laptop, &entropy);
        log.append(&laptop.add_device(&log, &other)).unwrap_or_else(|e| panic!("device {n}: {e}"));
        if n % 2 == 0 {
            log.append(&laptop.remove_device(&log, other.device)).unwrap();
        }
    }
    let beyond = laptop_like(&laptop, &entropy);
    let beyond = laptop.add_device(&log, &beyond);
    assert_eq!(log.append(&beyond), Err(AccountLogError::DeviceTaken), "no more than {MAX_DEVICES}");
    let mut nobody = Actor::second(3, &laptop);
    nobody.device = RECOVERY_SIGNER;
    let nobody = laptop.add_device(&AccountLog::found(&laptop.account_genesis()).unwrap(), &nobody);
    let mut fresh = AccountLog::found(&laptop.account_genesis()).unwrap();
    assert_eq!(
        fresh.append(&nobody),
        Err(AccountLogError::DeviceTaken),
        "the recovery key's name is no device's"
    );
}

fn laptop_like(laptop: &Actor, entropy: &SeededEntropy) -> Actor {
    let mut seed = [0; 8];
    entropy.fill(&mut seed);
    let mut actor = Actor::second(u64::from_be_bytes(seed), laptop);
    actor.kem = laptop.kem.clone();
    actor
}

#[test]
fn every_kind_of_own_entry_is_taken_back_as_if_it_had_never_been() {
    let scene = scene();
    let (laptop, phone) = (&scene.laptop, &scene.phone);
    let genesis = laptop.account_genesis();
    let mut follower = Follower::found(&genesis, laptop.incarnation, None).unwrap();
    let founded = follower.clone();
    let mut states = Vec::new();
    let mut entries = Vec::new();
    let kinds: [&dyn Fn(&AccountLog) -> AccountBody; 8] = [
        &|_| AccountBody::AddDevice { device: phone.card(b"phone") },
        &|_| scene.recovery_body(),
        &|_| AccountBody::SetHelpers { helpers: Some(laptop.helpers(31).1) },
        &|_| AccountBody::Rename { device: phone.device, sealed_name: vec![1] },
        &|log| AccountBody::Rotate { rotation: laptop.rotation(log, None) },
        &|_| AccountBody::Uphold { entries: vec![Hash32::ZERO] },
        &|_| AccountBody::Reincarnate {
            device: laptop.device,
            incarnation: IncarnationId::random(&SeededEntropy::new(6)),
        },
        &|log| AccountBody::RemoveDevice {
            device: phone.device,
            rotation: Some(laptop.rotation(log, Some(phone.device))),
        },
    ];
    for kind in kinds {
        let log = follower.account_log().unwrap();
        let entry = laptop.account_entry(log, kind(log));
        follower.add_own_account_entry(&entry).unwrap();
        entries.push(entry);
        states.push(follower.clone());
    }
    let mut follower = Follower::from_bytes(&follower.to_bytes()).unwrap();
    assert!(follower.take_back_own_account_entry(&entries[2]).is_err(), "only the last one");
    while let (Some(entry), Some(after)) = (entries.pop(), states.pop()) {
        assert_eq!(follower, after, "as it was after it");
        let body = follower.take_back_own_account_entry(&entry).unwrap();
        assert_eq!(body, entry.unverified().body, "what it was to do comes back, to be signed again");
    }
    assert_eq!(follower, founded, "and all is as it was before");
    assert!(follower.take_back_own_account_entry(&genesis).is_err(), "the genesis stays");
}

#[test]
fn what_a_removed_device_signed_counts_only_where_a_live_one_upholds_it_after_the_removal() {
    let mut scene = scene();
    let hash = |n: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        Hash32::from_bytes(bytes)
    };
    let uphold = |by: &Actor, log: &AccountLog, entries: Vec<Hash32>| {
        by.account_entry(log, AccountBody::Uphold { entries })
    };
    let (phone, laptop) = (scene.phone.device, scene.laptop.device);
    let early = uphold(&scene.phone, &scene.log, vec![hash(1), hash(4)]);
    scene.log.append(&early).unwrap();
    scene.log.append(&scene.laptop.remove_device(&scene.log, phone)).unwrap();
    assert_eq!(scene.log.signs(phone, &hash(1)), None, "what it upheld itself before it was removed");
    assert_eq!(scene.log.signs(phone, &hash(2)), None, "what nobody upholds");
    let key = scene.laptop.signing.verifying_key();
    assert_eq!(scene.log.signs(laptop, &hash(2)), Some(key), "a live one signs anything");
    for (entries, why) in [
        (vec![], "nothing"),
        (vec![hash(3), hash(2)], "out of order"),
        (vec![hash(2), hash(2)], "the same twice"),
    ] {
        let entry = uphold(&scene.tablet, &scene.log, entries);
        scene.refused(&entry, AccountLogError::BadEntry, why);
    }
    let gone = uphold(&scene.phone, &scene.log, vec![hash(2)]);
    scene.refused(&gone, AccountLogError::UnknownDevice, "by the removed device itself");
    let good = uphold(&scene.tablet, &scene.log, vec![hash(2), hash(5)]);
    scene.log.append(&good).unwrap();
    let between = uphold(&scene.laptop, &scene.log, vec![hash(3), hash(4)]);
    scene.log.append(&between).unwrap();
    let key = scene.phone.signing.verifying_key();
    for n in [2, 3, 4, 5] {
        assert_eq!(scene.log.signs(phone, &hash(n)), Some(key), "these count as it signed them");
    }
    assert_eq!(scene.log.signs(phone, &hash(1)), None, "and no other");
    assert_eq!(scene.log.signs(DeviceId::from_bytes([9; 16]), &hash(2)), None, "nobody else's key");
    scene.log.append(&scene.laptop.remove_device(&scene.log, scene.tablet.device)).unwrap();
    assert_eq!(scene.log.signs(phone, &hash(5)), Some(key), "also once who said so is removed");
    assert_eq!(scene.log.signs(scene.tablet.device, &hash(5)), None, "which is nothing to that one");
    let mut next = 10;
    let most = MAX_UPHELD + 5;
    while next + MAX_UPHELD_AT_ONCE <= most {
        let entry = uphold(&scene.laptop, &scene.log, (next..next + MAX_UPHELD_AT_ONCE).map(hash).collect());
        scene.log.append(&entry).unwrap();
        next += MAX_UPHELD_AT_ONCE;
    }
    let over = uphold(&scene.laptop, &scene.log, (next..=most).map(hash).collect());
    scene.refused(&over, AccountLogError::Full, "one more than the log holds");
    let last = uphold(&scene.laptop, &scene.log, (next..most).map(hash).collect());
    scene.log.append(&last).unwrap();
    let again = uphold(&scene.laptop, &scene.log, vec![hash(2)]);
    scene.log.append(&again).expect("what is there already takes no room");
    let stored: AccountLog = mecum_sync::decode(&encode(&scene.log), 1 << 20).unwrap();
    assert_eq!(stored, scene.log, "a full one is read back");
}
