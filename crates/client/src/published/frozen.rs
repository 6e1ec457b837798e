//! A kept notice as bytes, frozen.

use mecum_faults::Frozen;

use super::*;

#[test]
fn a_kept_notice_is_written_with_the_frozen_bytes_and_read_from_them() {
    let row =
        Row { fetched_ms: 1_788_742_800_000, server: "https://mecum.example".into(), notice: vec![1, 2, 3] };
    let written = [("row", minicbor::to_vec(&row).expect("encodes"))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "published-v1.txt", &written);
    let read: Row = minicbor::decode(frozen.get("row")).expect("an old row");
    assert_eq!((read.fetched_ms, read.notice), (row.fetched_ms, row.notice), "what it says");
    assert_eq!(read.server, row.server, "from where");
    assert_eq!(row_name(AccountId::from_bytes([7; 16])), [b"notice/".as_slice(), &[7; 16]].concat());
}
