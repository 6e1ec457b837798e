//! A part that is kept for somebody, as a vault keeps it, frozen.

use mecum_faults::Frozen;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn kept_parts_are_written_with_the_frozen_bytes_and_read_from_them() {
    let to_come = Keeping {
        account: AccountId::from_bytes([1; 16]),
        from: "Laras".to_owned(),
        set: Hash32::from_bytes([2; 32]),
        at_ms: 1_788_854_400_000,
        ended: false,
        number: 0,
        value: None,
        secret: Some(Secret([3; 17])),
        joined: true,
        ends_ms: 1_788_854_500_000,
        name: "Ani".to_owned(),
        server: "https://mecum.example".to_owned(),
    };
    let here = Keeping { number: 2, value: Some(Secret([4; 32])), secret: None, ..to_come.clone() };
    let ended = Keeping { ended: true, value: None, ..here.clone() };
    let written = [("to come", kept(&to_come)), ("here", kept(&here)), ("ended", kept(&ended))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "kept-parts-v1.txt", &written);
    for (name, meant) in [("to come", &to_come), ("here", &here), ("ended", &ended)] {
        assert!(is_kept::<Keeping>(frozen.get(name)), "{name} is read");
        let read: Keeping = minicbor::decode(frozen.get(name)).expect("an old row");
        assert_eq!((read.account, &read.from, read.set), (meant.account, &meant.from, meant.set), "{name}");
        assert_eq!((read.is_here(), read.has_ended()), (meant.is_here(), meant.has_ended()), "{name}");
        let (read, meant) = (read.code(), meant.code());
        assert_eq!(read.map(|code| *code.expose()), meant.map(|code| *code.expose()), "{name}");
    }
}
