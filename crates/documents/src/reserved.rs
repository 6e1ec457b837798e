//! The names under which no device writes: actors that are worked out from what they stand for, so that every device that
//! rebuilds a document writes the same bytes.
//!
//! All are the first 16 bytes of a SHA-256 over a label, which ends in a zero byte, and parts of fixed length. A device's
//! own actor is a hash of its key, so none of them can be claimed: the guards bind every change to its envelope's device.

use mecum_domain::{EntryId, FinishedKey, Kind};
use ring::digest::{Context, SHA256};

use crate::actor::Actor;

fn reserved(label: &str, parts: &[&[u8]]) -> Actor {
    let mut context = Context::new(&SHA256);
    context.update(label.as_bytes());
    context.update(&[0]);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *hashed;
    }
    Actor::from_bytes(bytes)
}

/// Who writes again what `author` wrote, in a document from which a cut took something: H("mecum replay v1", document, cut,
/// author).
pub fn replay_actor(document: &[u8; 16], cut: &[u8; 32], author: Actor) -> Actor {
    reserved("mecum replay v1", &[document, cut, author.as_bytes()])
}

/// Under which actor a device goes on writing after a cut: H("mecum after cut v1", author, cut), where `author` is the
/// device's first actor, whatever cuts came before. Its first actor's numbers may be taken by changes that were written
/// again.
pub fn actor_after(author: Actor, cut: &[u8; 32]) -> Actor {
    reserved("mecum after cut v1", &[author.as_bytes(), cut])
}

/// Who makes an entry again that only a void change had added: the same for every cut and every writer, so that all write
/// into one map.
pub(crate) fn revival_actor(document: &[u8; 16], entry: EntryId, kind: Kind) -> Actor {
    reserved("mecum revive v1", &[document, entry.as_bytes(), &[kind.code()]])
}

/// Who writes into the successor of a document what `author` wrote into the document.
pub(crate) fn regenesis_actor(successor: &[u8; 16], author: Actor) -> Actor {
    reserved("mecum regenesis v1", &[successor, author.as_bytes()])
}

/// Where one value of a clash lies.
pub(crate) enum ClashAt {
    Field(EntryId, u8),
    Finished(FinishedKey),
}

/// Who writes one value of a clash into a successor. The first byte is the value's rank, because among concurrent writes
/// of one number Automerge lets the greater actor win: so the winner stays.
pub(crate) fn clash_actor(successor: &[u8; 16], author: Actor, rank: usize, at: &ClashAt) -> Actor {
    let (id, field) = match at {
        ClashAt::Field(entry, field) => (entry.as_bytes(), *field),
        ClashAt::Finished(key) => (key.as_bytes(), 0),
    };
    let number = u32::try_from(rank).unwrap_or(u32::MAX).to_be_bytes();
    let parts: [&[u8]; 5] = [successor, author.as_bytes(), id, &[field], &number];
    let mut bytes = *reserved("mecum clash v1", &parts).as_bytes();
    // Past 255 values of one field they all stand, and any of the last may win.
    bytes[0] = u8::try_from(rank).unwrap_or(u8::MAX);
    Actor::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a document 01…, a cut 02…, an author 03…, an entry 04…, a finished key 05… and a successor 06….
    #[test]
    fn the_reserved_actors_are_frozen() {
        let (document, cut, author) = ([1; 16], [2; 32], Actor::from_bytes([3; 16]));
        let (entry, key) = (EntryId::from_bytes([4; 16]), FinishedKey::from_bytes([5; 16]));
        let successor = [6; 16];
        let made = [
            ("replay", replay_actor(&document, &cut, author)),
            ("after cut", actor_after(author, &cut)),
            ("revive", revival_actor(&document, entry, Kind::MedicationStatement)),
            ("regenesis", regenesis_actor(&successor, author)),
            ("clash of a field", clash_actor(&successor, author, 1, &ClashAt::Field(entry, 10))),
            ("clash of a finished entry", clash_actor(&successor, author, 300, &ClashAt::Finished(key))),
        ];
        let hex = |actor: &Actor| actor.as_bytes().iter().fold(String::new(), |t, b| t + &format!("{b:02x}"));
        let lines = made.iter().map(|(name, actor)| format!("{name} {}\n", hex(actor)));
        assert_eq!(
            lines.collect::<String>(),
            include_str!("../tests/vectors/actors-v1.txt"),
            "documents hold them, and every device must make the same"
        );
    }
}
