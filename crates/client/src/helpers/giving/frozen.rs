//! The own helpers as a vault keeps them, frozen.

use mecum_faults::Frozen;
use mecum_seal::KemSecret;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn the_own_helpers_are_written_with_the_frozen_bytes_and_read_from_them() {
    let new = Helper {
        number: 1,
        name: "Ani".to_owned(),
        account: None,
        state: 0,
        at_ms: 1_788_854_400_000,
        secret: None,
        opened: false,
        ends_ms: 0,
        part: Some(Secret([1; 32])),
        answered: None,
        sealed: None,
    };
    let account = AccountId::from_bytes([2; 16]);
    let answered = PartAnswer {
        account,
        genesis: Hash32::from_bytes([3; 32]),
        kem: KemSecret::from_bytes([4; 32]).public(),
        name: "Budi".to_owned(),
    };
    let mut handing = Helper {
        number: 2,
        account: Some(account),
        secret: Some(Secret([5; 17])),
        opened: true,
        ends_ms: 1_788_854_400_000 + CODE_MS,
        answered: Some(answered),
        sealed: Some(b"sealed to them".to_vec()),
        ..new.clone()
    };
    handing.enter(HelperState::Handing, 1_788_854_400_001);
    let mut here = Helper { number: 3, part: None, ..new.clone() };
    here.enter(HelperState::Kept, 1_788_854_400_002);
    let (made_ms, set) = (1_788_854_400_000, Hash32::from_bytes([6; 32]));
    let chosen =
        Chosen { made_ms, set, server_part: Some(Secret([7; 32])), helpers: vec![new, handing, here] };
    let stored = Chosen { server_part: None, helpers: vec![], ..chosen.clone() };
    let written = [("chosen", kept(&chosen)), ("stored at the server", kept(&stored))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "own-helpers-v1.txt", &written);
    assert!(written.iter().all(|(name, _)| is_kept::<Chosen>(frozen.get(name))), "both are read");
    let read: Chosen = minicbor::decode(frozen.get("chosen")).expect("an old row");
    let states: Vec<_> = read.helpers.iter().map(Helper::state).collect();
    assert_eq!(states, [HelperState::Chosen, HelperState::Handing, HelperState::Kept], "who is how far");
    assert_eq!(read.helpers[1].code().map(|code| *code.expose()), Some([5; 17]), "by which code");
    assert_eq!(read.helpers[1].handed(), Some(b"sealed to them".as_slice()), "with which part");
}
