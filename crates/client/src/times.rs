//! When each change of a document was written, by its writer's clock: a change itself holds no time.
//!
//! Of changes that came in envelopes, the envelopes say it; of those that came in a snapshot, the snapshot does, and the vault
//! keeps that as it is. Layout: for each actor of the document in ascending order, for each of its changes up to where the snapshot
//! ends, the difference to the one before in ms (the first to 0), as a zigzag LEB128 number.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Link, leb128};
use mecum_seal::{DocumentId, Envelope, Place};
use mecum_vault::Table;

use crate::error::SessionError;
use crate::plaintext::BadPlaintext;
use crate::session::Session;

/// What is known of a change beside what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// When it was written, in ms since the epoch.
    pub(crate) at_ms: i64,
    /// `envelope_seq` if this installation wrote it, else 0.
    pub(crate) own_seq: u64,
}

/// By actor and `change_seq`.
pub(crate) type Times = BTreeMap<(Actor, u64), Noted>;

/// The name under which the vault keeps the times of a snapshot.
pub(crate) fn times_name(document: DocumentId) -> Vec<u8> {
    [document.as_bytes().as_slice(), b"times"].concat()
}

/// The times of every change up to `links`; `None` if one is not known.
pub(crate) fn encode_times(links: &BTreeMap<Actor, Link>, times: &Times) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (actor, link) in links {
        let mut before = 0_i64;
        for seq in 1..=link.change_seq {
            let at_ms = times.get(&(*actor, seq))?.at_ms;
            put(&mut out, at_ms.wrapping_sub(before));
            before = at_ms;
        }
    }
    Some(out)
}

/// The times that bytes hold for exactly the changes up to `links`.
pub(crate) fn decode_times(bytes: &[u8], links: &BTreeMap<Actor, Link>) -> Result<Times, BadPlaintext> {
    let mut rest = bytes;
    let mut times = Times::new();
    for (actor, link) in links {
        let mut at_ms = 0_i64;
        for seq in 1..=link.change_seq {
            at_ms = at_ms.wrapping_add(take(&mut rest)?);
            times.insert((*actor, seq), Noted { at_ms, own_seq: 0 });
        }
    }
    if rest.is_empty() { Ok(times) } else { Err(BadPlaintext) }
}

/// Writes a number, zigzag LEB128.
pub(crate) fn put(out: &mut Vec<u8>, value: i64) {
    leb128::put(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// Reads one back.
pub(crate) fn take(rest: &mut &[u8]) -> Result<i64, BadPlaintext> {
    let value = leb128::take(rest).ok_or(BadPlaintext)?;
    Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

impl Session {
    /// When every change of a document was written.
    pub(crate) fn times(&self, document: DocumentId) -> Result<Times, SessionError> {
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let mut times = match self.vault.get(Table::Snapshot, &times_name(document))? {
            Some(body) => stored_times(&body)?,
            None => Times::new(),
        };
        for stands in self.stands(state, self.space_of_document(state)?)? {
            let own_seq = self.own_seq_at(&stands.place);
            times.insert((stands.actor, stands.change_seq), Noted { at_ms: stands.at_ms, own_seq });
        }
        Ok(times)
    }

    /// `envelope_seq` of an envelope of this installation, else 0.
    pub(crate) fn own_seq_of(&self, envelope: &Envelope) -> u64 {
        self.own_seq_at(envelope.place())
    }

    /// The same of a place.
    pub(crate) fn own_seq_at(&self, place: &Place) -> u64 {
        let own = place.device == self.identity.device && place.incarnation == self.identity.incarnation;
        if own { place.envelope_seq } else { 0 }
    }
}

/// What the vault keeps of a snapshot's times: (actor, changes) of each actor, then the times.
pub(crate) fn store_times(links: &BTreeMap<Actor, Link>, encoded: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(links.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    for (actor, link) in links {
        out.extend_from_slice(actor.as_bytes());
        out.extend_from_slice(&link.change_seq.to_be_bytes());
    }
    out.extend_from_slice(encoded);
    out
}

pub(crate) fn stored_times(body: &[u8]) -> Result<Times, SessionError> {
    let broken = || SessionError::Stored { what: "times" };
    let (count, mut rest) = body.split_first_chunk::<4>().ok_or_else(broken)?;
    let mut links = BTreeMap::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (actor, after) = rest.split_first_chunk::<16>().ok_or_else(broken)?;
        let (seq, after) = after.split_first_chunk::<8>().ok_or_else(broken)?;
        let link = Link { change_seq: u64::from_be_bytes(*seq), change: [0; 32] };
        links.insert(Actor::from_bytes(*actor), link);
        rest = after;
    }
    decode_times(rest, &links).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_for_exactly_the_changes_that_there_are() {
        let (a, b) = (Actor::from_bytes([1; 16]), Actor::from_bytes([2; 16]));
        let link = |change_seq| Link { change_seq, change: [0; 32] };
        let links = BTreeMap::from([(a, link(3)), (b, link(1))]);
        let noted = |at_ms| Noted { at_ms, own_seq: 0 };
        let times = Times::from([
            ((a, 1), noted(1_788_854_400_000)),
            ((a, 2), noted(i64::MIN)),
            ((a, 3), noted(i64::MAX)),
            ((b, 1), noted(-5)),
        ]);
        let bytes = encode_times(&links, &times).expect("all are known");
        assert_eq!(decode_times(&bytes, &links), Ok(times.clone()), "what went in comes out");
        assert_eq!(
            stored_times(&store_times(&links, &bytes)).expect("stored whole"),
            times,
            "from the vault too"
        );
        for at in 0..bytes.len() {
            assert_eq!(decode_times(&bytes[..at], &links), Err(BadPlaintext), "cut at {at}");
        }
        assert_eq!(decode_times(&[bytes, vec![0]].concat(), &links), Err(BadPlaintext), "one too many");
        let more = BTreeMap::from([(a, link(4)), (b, link(1))]);
        assert_eq!(encode_times(&more, &times), None, "a change whose time nobody noted");
    }
}
