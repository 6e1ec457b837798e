//! A note of an account as bytes, frozen: inside and under its seal.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;

use super::*;

#[test]
fn a_note_of_an_account_is_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(86);
    let mut identity = Identity::make(&entropy);
    let accepted = AcceptedChart {
        chart: [1; 16],
        owner: AccountId::from_bytes([2; 16]),
        genesis: Hash32::from_bytes([3; 32]),
        spaces: vec![SpaceId::from_bytes([4; 16]), SpaceId::from_bytes([5; 16])],
        by: "Ratna".to_owned(),
        name: "Laras".to_owned(),
    };
    let (_, _, row) = accepted.row();
    let list = minicbor::to_vec(std::slice::from_ref(&accepted)).expect("encodes");
    let note = AccountNote::seal(&identity, std::slice::from_ref(&accepted), &entropy);
    let written = [("accepted chart", row), ("accepted charts", list), ("note", note)];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "notes-v1.txt", &written);
    // A key that came later does not keep the account from what it said before.
    identity.learn(mecum_seal::KemSecret::make(&entropy));
    let note: AccountNote = minicbor::decode(frozen.get("note")).expect("an old note");
    assert_eq!((note.version, note.account), (VERSION, identity.account), "of which account");
    let read = note.open(&identity).expect("it opens");
    let [read] = read.as_slice() else { panic!("one chart") };
    let encoded = minicbor::to_vec(read).expect("encodes");
    assert_eq!(encoded, frozen.get("accepted chart"), "what it says");
    assert_eq!((read.chart, read.owner, read.genesis), (accepted.chart, accepted.owner, accepted.genesis));
    assert_eq!((&read.spaces, &read.by, &read.name), (&accepted.spaces, &accepted.by, &accepted.name));
    assert!(note.open(&Identity::make(&entropy)).is_none(), "to the account alone");
}
