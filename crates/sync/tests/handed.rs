//! Handing over has bytes of its own in a request and in its answer, frozen here, and none where nothing is handed over.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_sync::testing::Actor;
use mecum_sync::{
    Handed, HandedAnswer, Outcome, RefusalCode, SaidRequest, SyncRequest, SyncResponse, decode, encode,
};

/// A request that hands over one push and its answer, as they were first sent; a name and hexadecimal digits on each line.
const FROZEN: &str = include_str!("vectors/handed-v1.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn frozen(name: &str) -> Vec<u8> {
    let line = FROZEN.lines().find_map(|line| line.strip_prefix(name)).expect("a line of this name");
    let digits = line.trim();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn request() -> SyncRequest {
    let mut phone = Actor::new(61);
    let (space, _) = phone.found_space(None);
    let handed = Some(Handed { pushes: vec![phone.push(space, &["lost"], vec![])] });
    SyncRequest { handed, ..SyncRequest::pull(9, 1_000) }
}

fn answer() -> SyncResponse {
    let outcomes = vec![Outcome::Stored, Outcome::Refused(RefusalCode::UnknownDevice.into())];
    SyncResponse {
        server_time_ms: 1,
        account_outcomes: Vec::new(),
        space_outcomes: Vec::new(),
        push_outcomes: Vec::new(),
        receipts: None,
        items: Vec::new(),
        cursor: 9,
        more: false,
        snapshot_outcomes: Vec::new(),
        pruned: None,
        helpers_notice: None,
        handed: Some(HandedAnswer { outcomes }),
    }
}

#[test]
fn what_is_handed_over_is_written_and_read_as_its_frozen_bytes() {
    let said = SaidRequest::from(&request());
    assert_eq!(hex(&encode(&said)), hex(&frozen("request ")), "the request");
    assert_eq!(hex(&encode(&request())), hex(&frozen("request ")), "said in full it is the same bytes");
    assert_eq!(hex(&encode(&answer())), hex(&frozen("answer ")), "the answer");
    let read: SaidRequest = decode(&frozen("request "), 1 << 20).unwrap();
    assert_eq!(read, said, "what is read is what was written");
    let read: SyncResponse = decode(&frozen("answer "), 1 << 20).unwrap();
    assert_eq!(read.handed_outcomes().len(), 2, "one outcome for each");
    assert_eq!(read, answer());
}

#[test]
fn a_request_that_hands_nothing_over_is_the_bytes_that_it_always_was() {
    let nothing = SyncRequest { handed: None, ..request() };
    let bytes = encode(&nothing);
    assert_eq!(bytes.first(), Some(&0x88), "eight fields, and none for what is left out: {}", hex(&bytes));
    assert!(bytes.len() < encode(&request()).len());
}
