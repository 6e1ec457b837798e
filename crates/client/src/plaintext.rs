//! What is inside an envelope: a document's payload, deflated when that pays, or the opening of a document.

#[cfg(test)]
mod frozen;
mod traces;

use std::cell::RefCell;
use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use mecum_domain::Side;
use mecum_seal::{DocumentId, DocumentKey};
use minicbor::{Decode, Encode};

use crate::care::{Care, OfSide, code_of_side, is_known_side, side_of_code};

/// Above this, deflating saves more than the padding hides (measured: notes, core facts section 4).
const DEFLATE_ABOVE_BYTES: usize = 1024;

/// A peer's plaintext may inflate to at most this: two changes of the largest size with their edits.
pub(crate) const MAX_INFLATED_BYTES: u64 = 40 << 20;

/// Room for what comes out, untouched until it is needed: most snapshots deflate to a tenth (measured).
const USUAL_RATIO: usize = 16;

const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// The plaintext cannot be read: its sender's device must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plaintext cannot be read")]
pub(crate) struct BadPlaintext;

/// Deflates `bytes` raw (RFC 1951), as hard as it goes.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    deflate_at(bytes, Compression::best())
}

/// Deflates what is written with every edit: within a hundredth as small, in half the time (measured on view pages). The room that it
/// works in is of the program's allocator, which wipes what it gets back; Zstandard's is not, so it is not for what every edit writes.
pub(crate) fn deflate_soon(bytes: &[u8]) -> Vec<u8> {
    deflate_at(bytes, Compression::new(5))
}

fn deflate_at(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 4 + 64), level);
    encoder.write_all(bytes).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

/// Inflates at most `limit` bytes; more is refused, not cut. In one step where the room is enough: in pieces, the decoder
/// copies its window for each.
pub(crate) fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, BadPlaintext> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX - 1);
    let mut out = Vec::new();
    let mut room = bytes.len().saturating_mul(USUAL_RATIO);
    let mut decoder = Decompress::new(false);
    loop {
        // One byte over the limit shows that there is more.
        out.reserve_exact(room.min(limit + 1 - out.len()));
        let read = usize::try_from(decoder.total_in())
            .ok()
            .and_then(|read| bytes.get(read..))
            .ok_or(BadPlaintext)?;
        let status =
            decoder.decompress_vec(read, &mut out, FlushDecompress::Finish).map_err(|_| BadPlaintext)?;
        if out.len() > limit {
            return Err(BadPlaintext);
        }
        match status {
            Status::StreamEnd => return Ok(out),
            // Room that was left is not why it stopped: the bytes are cut short.
            Status::Ok | Status::BufError if out.len() < out.capacity() => return Err(BadPlaintext),
            Status::Ok | Status::BufError => room = out.len().max(1024),
        }
    }
}

/// How hard a snapshot is pressed that stays here: as small as deflating at its hardest, read five times as fast (measured).
const HERE: i32 = 9;

/// The same in an idle moment: an eighth smaller, and read as fast.
const AT_LEISURE: i32 = 19;

/// So much is pressed in a fifth of a second even so. A larger one, which a file from others makes, is pressed as anywhere else.
const MOST_AT_LEISURE_BYTES: usize = 512 * 1024;

/// How hard one is pressed that travels: a sixth smaller than at level 9, and made once.
const TRAVELLING: i32 = 15;

thread_local! {
    /// Making one takes longer than unpressing a document with it.
    static UNPRESSING: RefCell<Option<traces::Unpressing>> = const { RefCell::new(None) };
}

/// What every Zstandard frame begins with (RFC 8878). No deflated bytes begin so: it would be a stored block whose two lengths contradict.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A snapshot as the vault keeps it, pressed (RFC 8878).
pub(crate) fn press(bytes: &[u8]) -> Vec<u8> {
    traces::press(bytes, HERE)
}

/// The same where nobody waits for it.
pub(crate) fn press_at_leisure(bytes: &[u8]) -> Vec<u8> {
    traces::press(bytes, if bytes.len() > MOST_AT_LEISURE_BYTES { HERE } else { AT_LEISURE })
}

/// The snapshot of bytes that [`press`] made, or an older version by deflating. At most `limit` bytes come out; more is refused, not cut.
pub(crate) fn unpress(bytes: &[u8], limit: u64) -> Result<Vec<u8>, BadPlaintext> {
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return inflate(bytes, limit);
    }
    // The frame says how long it is; it may lie, but never gets more room than this.
    let claimed = zstd::zstd_safe::get_frame_content_size(bytes).map_err(|_| BadPlaintext)?;
    let room = claimed.filter(|claimed| *claimed <= limit).ok_or(BadPlaintext)?;
    let room = usize::try_from(room).map_err(|_| BadPlaintext)?;
    let out = UNPRESSING.with_borrow_mut(|unpressing| {
        let unpressing = match unpressing {
            Some(made) => made,
            None => unpressing.insert(traces::Unpressing::new().map_err(|_| BadPlaintext)?),
        };
        unpressing.unpress(bytes, room).map_err(|_| BadPlaintext)
    })?;
    if out.len() == room { Ok(out) } else { Err(BadPlaintext) }
}

/// Layout: `form(1) || body`; form 0 is the body as it is, 1 deflated raw.
pub(crate) fn pack(body: &[u8]) -> Vec<u8> {
    if body.len() > DEFLATE_ABOVE_BYTES {
        let small = deflate(body);
        if small.len() < body.len() {
            return [&[DEFLATED], small.as_slice()].concat();
        }
    }
    [&[PLAIN], body].concat()
}

/// The body of a plaintext.
pub(crate) fn unpack(plaintext: &[u8]) -> Result<Vec<u8>, BadPlaintext> {
    match plaintext.split_first() {
        Some((&PLAIN, body)) => Ok(body.to_vec()),
        Some((&DEFLATED, body)) => inflate(body, MAX_INFLATED_BYTES),
        _ => Err(BadPlaintext),
    }
}

/// What the control document of a space says: a document opens, with this key.
#[derive(Encode, Decode)]
pub(crate) struct OpenDocument {
    /// Version of this message.
    #[n(0)]
    version: u8,
    /// The document.
    #[n(1)]
    pub document: DocumentId,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
    /// The year that it holds; 0 for what has none.
    #[n(3)]
    pub shard: i16,
    /// Whose side of a conversation; left out elsewhere.
    #[n(4)]
    side: Option<u8>,
    /// What the document's id is made from there; left out in a snapshot.
    #[cbor(n(5), with = "minicbor::bytes")]
    salt: Option<[u8; 16]>,
}

impl OpenDocument {
    /// The message that opens `document`.
    pub(crate) fn new(document: DocumentId, key: &DocumentKey, shard: i16, of: Option<OfSide>) -> Self {
        let (side, salt) = (of.map(|of| code_of_side(of.side)), of.and_then(|of| of.salt));
        Self { version: 1, document, key: *key.expose(), shard, side, salt }
    }

    /// What it says of the document's side.
    pub(crate) fn of_side(&self) -> Option<OfSide> {
        self.side().map(|side| OfSide { side, salt: self.salt })
    }

    /// Whose side of a conversation the document is, if of any.
    pub(crate) fn side(&self) -> Option<Side> {
        self.side.and_then(side_of_code)
    }

    /// The document's key.
    pub(crate) fn key(&self) -> DocumentKey {
        DocumentKey::from_bytes(self.key)
    }

    /// Its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    /// The message of these bytes; of a newer version it is refused.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadPlaintext> {
        let message: Self = minicbor::decode(bytes).map_err(|_| BadPlaintext)?;
        let sided = is_known_side(message.side) && (message.side.is_some() || message.salt.is_none());
        let known = message.version == 1 && sided;
        if known && message.encode() == bytes { Ok(message) } else { Err(BadPlaintext) }
    }
}

/// What a link of a chain says in the place of one that was not sent before its document ended: nothing.
const NOTHING: &[u8] = b"\x82\x01\x67nothing";

/// The body of such a link.
pub(crate) fn nothing() -> Vec<u8> {
    NOTHING.to_vec()
}

/// Whether a control message is such a link's.
pub(crate) fn is_nothing(body: &[u8]) -> bool {
    body == NOTHING
}

/// One part of a snapshot of a space: a document, or the keys of all of them.
///
/// Layout, CBOR: `[1, times, ids, columns]`, each a byte string: when each change was written, and the two halves of the document as
/// it travels, of which the columns are one Zstandard frame (RFC 8878). Of a successor a fifth follows: what its own changes do not
/// say ([`crate::erasing::Info`]). The first part is `[1, [opening, …]]` instead, the documents' openings.
pub(crate) struct SnapshotPart {
    /// See [`crate::times`].
    pub times: Vec<u8>,
    /// Ids that cannot be worked out.
    pub ids: Vec<u8>,
    /// Everything else, pressed.
    pub columns: Vec<u8>,
    /// Of a successor, what its changes do not say.
    pub info: Option<Vec<u8>>,
}

impl SnapshotPart {
    const VERSION: u8 = 1;

    /// The bytes of a document's part.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.times.len() + self.ids.len() + self.columns.len() + 32);
        minicbor::Encoder::new(&mut out)
            .array(if self.info.is_some() { 5 } else { 4 })
            .and_then(|e| e.u8(Self::VERSION))
            .and_then(|e| e.bytes(&self.times))
            .and_then(|e| e.bytes(&self.ids))
            .and_then(|e| e.bytes(&self.columns))
            .and_then(|e| match &self.info {
                Some(info) => e.bytes(info),
                None => Ok(e),
            })
            .expect("a vector takes every byte");
        out
    }

    /// The part of these bytes, strictly.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadPlaintext> {
        let mut d = minicbor::Decoder::new(bytes);
        let mut read = || -> Result<Self, minicbor::decode::Error> {
            let (length, version) = (d.array()?, d.u8()?);
            if !matches!(length, Some(4 | 5)) || version != Self::VERSION {
                return Err(minicbor::decode::Error::message("not a part"));
            }
            let (times, ids, columns) = (d.bytes()?.to_vec(), d.bytes()?.to_vec(), d.bytes()?.to_vec());
            let info = if length == Some(5) { Some(d.bytes()?.to_vec()) } else { None };
            Ok(Self { times, ids, columns, info })
        };
        let part = read().map_err(|_| BadPlaintext)?;
        if part.encode() == bytes { Ok(part) } else { Err(BadPlaintext) }
    }

    /// Columns as they travel.
    pub(crate) fn press_columns(columns: &[u8]) -> Vec<u8> {
        traces::press(columns, TRAVELLING)
    }

    /// The columns as they were. Only one way of pressing is read: a part has no older version.
    pub(crate) fn columns(&self) -> Result<Vec<u8>, BadPlaintext> {
        if !self.columns.starts_with(&ZSTD_MAGIC) {
            return Err(BadPlaintext);
        }
        unpress(&self.columns, mecum_documents::MAX_SNAPSHOT_BYTES as u64)
    }

    /// The bytes of the part with the documents' openings.
    pub(crate) fn keys(openings: Vec<Vec<u8>>) -> zeroize::Zeroizing<Vec<u8>> {
        let mut out = zeroize::Zeroizing::new(Vec::with_capacity(openings.len() * 64 + 16));
        let mut encoder = minicbor::Encoder::new(&mut *out);
        encoder
            .array(2)
            .and_then(|e| e.u8(Self::VERSION))
            .and_then(|e| e.array(openings.len() as u64))
            .expect("a vector takes every byte");
        for mut opening in openings {
            encoder.bytes(&opening).expect("a vector takes every byte");
            zeroize::Zeroize::zeroize(&mut opening);
        }
        out
    }

    /// The openings of these bytes, strictly.
    pub(crate) fn decode_keys(bytes: &[u8]) -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>, BadPlaintext> {
        let mut d = minicbor::Decoder::new(bytes);
        let mut read = || -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>, minicbor::decode::Error> {
            let (length, version) = (d.array()?, d.u8()?);
            let count = d.array()?.unwrap_or(u64::MAX);
            if length != Some(2) || version != Self::VERSION || count > bytes.len() as u64 {
                return Err(minicbor::decode::Error::message("not a part"));
            }
            (0..count).map(|_| Ok(zeroize::Zeroizing::new(d.bytes()?.to_vec()))).collect()
        };
        let openings = read().map_err(|_| BadPlaintext)?;
        let again = Self::keys(openings.iter().map(|opening| opening.to_vec()).collect());
        if *again == bytes { Ok(openings) } else { Err(BadPlaintext) }
    }
}

/// What the label of a space says, sealed under its first epoch key: whose chart and which section.
#[derive(Encode, Decode)]
pub(crate) struct SpaceLabel {
    /// The chart.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub chart: [u8; 16],
    /// `Section::code`.
    #[n(1)]
    pub section: u8,
    /// With which hospital, of a conversation; left out elsewhere.
    #[n(2)]
    pub care: Option<Care>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pressed_snapshot_comes_back_an_older_one_too_and_a_bomb_does_not() {
        for length in [0_u32, 1, 1_000, 2_000_000] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
            let limit = u64::from(length);
            assert_eq!(unpress(&press(&body), limit).as_ref(), Ok(&body), "exactly the limit is allowed");
            assert_eq!(unpress(&deflate(&body), limit).as_ref(), Ok(&body), "as an older version kept it");
            let under = limit.checked_sub(1).map(|limit| unpress(&press(&body), limit));
            assert!(under.is_none_or(|under| under.is_err()), "one byte more is refused");
            let small = press(&body);
            for at in 0..small.len().min(400) {
                assert!(unpress(&small[..at], limit).is_err() || at == 0, "cut at {at}");
            }
        }
        let mut lying = press(&vec![0; 1 << 20]);
        assert!(lying.len() < 200, "small");
        // The frame's own word about its length: one byte less than it has.
        let at = lying.iter().rposition(|byte| *byte == 0x10).expect("2^20 has this byte");
        lying[at] = 0x0f;
        assert!(unpress(&lying, 1 << 30).is_err(), "a frame that is longer than it says");
    }

    #[test]
    fn a_plaintext_comes_back_and_a_bomb_does_not() {
        for body in [vec![7_u8; 10], vec![7_u8; 100_000]] {
            assert_eq!(unpack(&pack(&body)), Ok(body), "what went in comes out");
        }
        let bomb = [
            &[DEFLATED],
            deflate(&vec![0; usize::try_from(MAX_INFLATED_BYTES).expect("a limit in memory") + 1]).as_slice(),
        ]
        .concat();
        assert!(bomb.len() < 100_000, "small on the wire");
        assert_eq!(unpack(&bomb), Err(BadPlaintext), "refused above the limit");
        for length in [0, 1, 1023, 1024, 5_000_000] {
            let body: Vec<u8> = (0..length).map(|at: u32| u8::try_from(at % 7).expect("a digit")).collect();
            let small = deflate(&body);
            assert_eq!(
                inflate(&small, u64::from(length)).as_ref(),
                Ok(&body),
                "exactly the limit is allowed"
            );
            let under = u64::from(length).checked_sub(1).map(|limit| inflate(&small, limit));
            assert!(under.is_none_or(|under| under.is_err()), "one byte more is refused");
            assert!(small.split_last().is_some_and(|(_, cut)| inflate(cut, 1 << 30).is_err()), "cut short");
        }
    }
}
