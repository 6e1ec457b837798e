//! What every document looks like inside, and the bounds on it.
//!
//! Root map: `entries` (entry id -> map of field key -> text) and `finished` (key -> bytes). Both containers come from one
//! genesis change with the same bytes everywhere, because two devices that make a container each hide one of the two.

use std::sync::OnceLock;

use automerge::{ActorId, Change, ObjId};

/// The reserved actor of the genesis change. No device has it: a device's actor is a hash.
pub(crate) const GENESIS_ACTOR: [u8; 16] = *b"mecum genesis v1";
/// The genesis change, frozen: made once by [`GENESIS_ACTOR`], and checked against a fresh one by a test.
pub(crate) const GENESIS: &[u8] = include_bytes!("../tests/vectors/genesis-v1.bin");

/// Operations in one change. A document is split at about 5,000, so no honest flush has more.
pub const MAX_CHANGE_OPERATIONS: usize = 5_000;
/// Bytes of one change: an import flush of finished resources, with one attachment inside a resource.
pub const MAX_CHANGE_BYTES: usize = 16 << 20;
/// Operations in one document, thirteen times the size at which the client splits it. At this size a load takes 50 ms
/// and a trial 51 ms (measured at 60,000); above it a peer could make every start slow.
pub const MAX_DOCUMENT_OPERATIONS: usize = 65_536;
/// Bytes of an inflated snapshot: the finished bytes of a full document (10,000 entries are 1.2 MB) with room for
/// attachments inside resources.
pub const MAX_SNAPSHOT_BYTES: usize = 64 << 20;

/// The genesis change, parsed once.
pub(crate) fn genesis() -> &'static Change {
    static PARSED: OnceLock<Change> = OnceLock::new();
    PARSED.get_or_init(|| {
        Change::from_bytes(GENESIS.to_vec()).expect("the frozen genesis parses: a test holds it")
    })
}

/// The Automerge hash of the genesis change, with which every document starts.
pub fn genesis_hash() -> [u8; 32] {
    genesis().hash().0
}

/// The object of `entries`: the first operation of genesis.
pub(crate) fn entries() -> ObjId {
    ObjId::Id(1, ActorId::from(GENESIS_ACTOR), 0)
}

/// The object of `finished`: the second operation of genesis.
pub(crate) fn finished() -> ObjId {
    ObjId::Id(2, ActorId::from(GENESIS_ACTOR), 0)
}

/// 64 characters in the order of their bytes, so that the order of texts is the order of ids.
const ALPHABET: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// An id of 16 bytes as a map key of 22 characters (hexadecimal would be 32, in every change that adds an entry).
pub(crate) fn to_key(id: &[u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(*id);
    let mut out = [0_u8; 22];
    for (at, slot) in out.iter_mut().enumerate().rev() {
        // 128 bits are 21 characters of 6 and one of 2: the last carries them in its high end to keep the order.
        let (sextet, width) = if at == 21 { ((bits & 0b11) << 4, 2) } else { (bits & 0b11_1111, 6) };
        *slot = ALPHABET.get(usize::try_from(sextet).unwrap_or(0)).copied().unwrap_or(b'-');
        bits >>= width;
    }
    out.iter().map(|byte| char::from(*byte)).collect()
}

/// The id of a map key; `None` unless it is exactly what [`to_key`] writes.
pub(crate) fn from_key(key: &str) -> Option<[u8; 16]> {
    if key.len() != 22 {
        return None;
    }
    let mut bits: u128 = 0;
    for (at, byte) in key.bytes().enumerate() {
        let sextet = ALPHABET.binary_search(&byte).ok()? as u128;
        bits = if at == 21 { (bits << 2) | (sextet >> 4) } else { (bits << 6) | sextet };
    }
    let id = bits.to_be_bytes();
    (to_key(&id) == key).then_some(id)
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable;
    use automerge::{Automerge, ObjType, ROOT, ReadDoc};
    use proptest::prelude::*;

    use super::*;

    const ENTRIES: &str = "entries";
    const FINISHED: &str = "finished";

    fn made_anew() -> Vec<u8> {
        let mut doc = Automerge::new().with_actor(ActorId::from(GENESIS_ACTOR));
        let mut tx = doc.transaction();
        tx.put_object(ROOT, ENTRIES, ObjType::Map).expect("a new root takes a key");
        tx.put_object(ROOT, FINISHED, ObjType::Map).expect("a new root takes a key");
        tx.commit();
        doc.get_last_local_change().expect("it was just made").raw_bytes().to_vec()
    }

    #[test]
    fn genesis_is_the_same_bytes_for_ever() {
        let anew = made_anew();
        if std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/genesis-v1.bin"), &anew)
                .expect("writable");
        }
        assert_eq!(GENESIS, anew, "a genesis with other bytes would split every document of every device");
        let mut doc = Automerge::new();
        doc.apply_changes([genesis().clone()]).expect("the frozen change applies");
        for (key, object) in [(ENTRIES, entries()), (FINISHED, finished())] {
            let found = doc.get(ROOT, key).expect("readable").expect("the container is there");
            assert_eq!(found.1, object, "the object id built by hand is the container's");
        }
    }

    proptest! {
        #[test]
        fn keys_are_read_back_and_keep_the_order(a: [u8; 16], b: [u8; 16]) {
            prop_assert_eq!(from_key(&to_key(&a)), Some(a), "every id comes back");
            prop_assert_eq!(to_key(&a).cmp(&to_key(&b)), a.cmp(&b), "lists are in the order of ids");
        }
    }

    #[test]
    fn only_the_one_spelling_of_a_key_is_read() {
        let key = to_key(&[0; 16]);
        assert_eq!(key, "-".repeat(22), "zero is the first character throughout");
        assert_eq!(from_key(&format!("{}0", &key[..21])), None, "spare bits must be zero");
        assert_eq!(from_key("short"), None, "a foreign key is no id");
    }
}
