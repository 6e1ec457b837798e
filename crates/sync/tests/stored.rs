//! What the first version stored reads back, byte for byte, and goes on.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_sync::{AccountEntry, AccountLog, Follower, Signed, SpaceEntry, SpaceLog, decode, encode};
use minicbor::{Decode, Encode};

/// `name hex` lines, written by the code from before there were members, removals and recovery.
const FIRST_VERSION: &str = include_str!("vectors/state-v1.txt");

fn stored(name: &str) -> Vec<u8> {
    let line = FIRST_VERSION.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let hex = line.unwrap_or_else(|| panic!("{name} is in the file"));
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(name: &str) -> T {
    let bytes = stored(name);
    let value: T = decode(&bytes, 1 << 20).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(encode(&value), bytes, "{name} is written as it was");
    value
}

#[test]
fn what_the_first_version_stored_reads_back_byte_for_byte() {
    let genesis: Signed<AccountEntry> = read("account genesis entry");
    let add: Signed<AccountEntry> = read("account add device entry");
    let space_genesis: Signed<SpaceEntry> = read("space genesis entry");
    let log: AccountLog = read("account log");
    let space: SpaceLog = read("space log");
    let mut again = AccountLog::found(&genesis).unwrap();
    again.append(&add).unwrap();
    assert_eq!(again, log, "its entries still amount to the same");
    let signer = log.devices()[0].signing;
    assert_eq!(SpaceLog::found(&space_genesis, &signer).unwrap(), space, "and those of the space");
    let bytes = stored("follower");
    let follower = Follower::from_bytes(&bytes).unwrap();
    assert_eq!(follower.to_bytes(), bytes, "the follower is written as it was");
    assert_eq!((follower.cursor(), follower.space_seq(space.space())), (4, 2), "and stands where it stood");
}
