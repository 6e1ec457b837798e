//! What membership entries seal, and what a vault keeps of members, as bytes, frozen.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{EpochKey, SpaceId, derive_key, seal_row};

use super::ending::{REASON_PURPOSE, open_reason};
use super::terms::{StoredMember, Terms};
use super::*;

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
