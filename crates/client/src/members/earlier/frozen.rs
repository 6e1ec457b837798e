//! When links came, as a vault keeps it, frozen.

use mecum_faults::Frozen;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn when_links_came_is_written_with_the_frozen_bytes_and_read_from_them() {
    let came = Came { first: 250, last: 300, hash: Hash32::from_bytes([1; 32]), at_ms: 1_788_854_400_000 };
    let folded = Came { first: 0, ..came };
    let written = [("came", kept(&came)), ("came before it was read whole", kept(&folded))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "came-v1.txt", &written);
    for (name, meant) in [("came", came), ("came before it was read whole", folded)] {
        assert!(is_kept::<Came>(frozen.get(name)), "{name} is read");
        assert!(minicbor::decode::<Came>(frozen.get(name)).is_ok_and(|read| read == meant), "{name}");
    }
}
