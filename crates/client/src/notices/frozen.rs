//! What is told for some days, as a vault keeps it, frozen.

use mecum_faults::Frozen;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn what_is_told_for_some_days_is_written_with_the_frozen_bytes_and_read_from_them() {
    let told = GivenUp {
        message_id: "notice-part-lost".to_owned(),
        who: "Laras".to_owned(),
        at_ms: 1_788_854_400_000,
    };
    let written = [("told", kept(&told))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "told-v1.txt", &written);
    assert!(is_kept::<GivenUp>(frozen.get("told")), "it is read");
    let read: GivenUp = minicbor::decode(frozen.get("told")).expect("an old row");
    assert_eq!((read.message_id, read.who, read.at_ms), (told.message_id, told.who, told.at_ms), "as it was");
}
