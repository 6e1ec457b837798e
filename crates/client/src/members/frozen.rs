//! What membership entries seal, and what a vault keeps of members, as bytes, frozen.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    DeviceId, EpochKey, KemSecret, SpaceId, derive_key, open_from, open_row, seal_row, seal_to, unwrap_key,
    wrap_key,
};

use super::ending::{REASON_PURPOSE, open_reason};
use super::epochs::PREVIOUS_PURPOSE;
use super::terms::{StoredMember, Terms};
use super::*;
use crate::devices::{ACCOUNT_KEY_PURPOSE, wrap_place};
use crate::founding::{EPOCH_PURPOSE, epoch_aad};
use crate::identity::secrets_of;

#[test]
fn what_membership_entries_seal_is_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(87);
    let key = EpochKey::from_bytes([1; 32]);
    let (space, member) = (SpaceId::from_bytes([2; 16]), AccountId::from_bytes([3; 16]));
    let until = Some("2026-12-31".to_owned());
    let bounded = Terms::new(Role::Writer, until, Some("doses".to_owned()), "Ani", "Ratna");
    let open = Terms::new(Role::Manager, None, None, "Ani", "Ratna");
    let reason = |words: &str| {
        seal_row(&derive_key(&key, REASON_PURPOSE), space.as_bytes(), words.as_bytes(), &entropy)
    };
    let stored = |ended_ms| StoredMember { terms: bounded.clone(), at_ms: 1_788_854_400_000, ended_ms };
    let encode = |member: &StoredMember| minicbor::to_vec(member).expect("encodes");
    let shared = SharedChart {
        owner: AccountId::from_bytes([4; 16]),
        by: "Ratna".to_owned(),
        name: "Laras".to_owned(),
    };
    let written = [
        ("terms until a date, inside", minicbor::to_vec(&bounded).expect("encodes")),
        ("terms until a date", bounded.seal(&key, space, member, &entropy)),
        ("terms without an end, inside", minicbor::to_vec(&open).expect("encodes")),
        ("terms without an end", open.seal(&key, space, member, &entropy)),
        ("reason of a removal", reason("moved away")),
        ("no reason", reason("")),
        ("member", encode(&stored(None))),
        ("member who left", encode(&stored(Some(1_788_854_500_000)))),
        ("shared chart", minicbor::to_vec(&shared).expect("encodes")),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "members-v1.txt", &written);
    for (name, terms) in [("terms until a date", &bounded), ("terms without an end", &open)] {
        let read = Terms::open(&key, space, member, frozen.get(name));
        assert_eq!(read.as_ref(), Some(terms), "{name}: as they were agreed");
    }
    let read = open_reason(&key, space, frozen.get("reason of a removal"));
    assert_eq!(read.as_deref().map(String::as_str), Some("moved away"), "old words");
    assert!(open_reason(&key, space, frozen.get("no reason")).is_none(), "or none");
    for (name, ended_ms) in [("member", None), ("member who left", Some(1_788_854_500_000))] {
        let read: StoredMember = minicbor::decode(frozen.get(name)).expect("an old row");
        assert_eq!(
            (&read.terms, read.at_ms, read.ended_ms),
            (&bounded, 1_788_854_400_000, ended_ms),
            "{name}"
        );
    }
    let read: SharedChart = minicbor::decode(frozen.get("shared chart")).expect("an old row");
    assert_eq!((read.owner, &read.by, &read.name), (shared.owner, &shared.by, &shared.name));
}

#[test]
fn the_keys_of_epochs_and_of_an_account_are_wrapped_as_the_frozen_bytes_and_opened_from_them() {
    let entropy = SeededEntropy::new(92);
    let (secret, space) = (KemSecret::make(&entropy), SpaceId::from_bytes([1; 16]));
    let (before, next) = (EpochKey::from_bytes([2; 32]), EpochKey::from_bytes([3; 32]));
    let place = epoch_aad(space, 300);
    let wrap =
        wrap_key(&secret.public(), EPOCH_PURPOSE, &place, next.expose(), &entropy).expect("a good key");
    let previous = seal_row(&derive_key(&next, PREVIOUS_PURPOSE), &place, before.expose(), &entropy);
    let of_device = wrap_place(AccountId::from_bytes([4; 16]), DeviceId::from_bytes([5; 16]));
    let keys = [[6; 32], [7; 32]].concat();
    let rotated =
        seal_to(&secret.public(), ACCOUNT_KEY_PURPOSE, &of_device, &keys, &entropy).expect("a good key");
    let written = [
        ("place of an epoch", place.clone()),
        ("key of an epoch", wrap),
        ("key of the epoch before", previous),
        ("place of a device", of_device.clone()),
        ("account keys for a device", rotated),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "keys-v1.txt", &written);
    let read =
        unwrap_key(&secret, EPOCH_PURPOSE, &place, frozen.get("key of an epoch")).expect("an old wrap");
    assert_eq!(read.as_ref(), next.expose(), "the epoch's key");
    let row = frozen.get("key of the epoch before");
    let read = open_row(&derive_key(&next, PREVIOUS_PURPOSE), &place, row).expect("an old row");
    assert_eq!(read.as_slice(), before.expose(), "and the one before it");
    let wrap = frozen.get("account keys for a device");
    let read = open_from(&secret, ACCOUNT_KEY_PURPOSE, &of_device, wrap).expect("an old wrap");
    let read: Vec<[u8; 32]> = secrets_of(&read).iter().map(|key| *key.expose()).collect();
    assert_eq!(read, [[6; 32], [7; 32]], "the account's keys, newest first");
}
