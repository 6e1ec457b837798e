//! What an envelope carries inside: one raw Automerge change, and the typed edits that made it.
//!
//! The edits exist because Automerge cannot un-apply a change: a document is rebuilt from them when some turn out void.
//! The bytes say each text once: the edits name places, the change holds the values. It knows no keys and no document.
//!
//! Layout (CBOR, RFC 8949 core deterministic encoding, definite lengths):
//! `[1, change bytes, at_ms, [entry id bytes(16), …], [edit, …]]` with edit =
//! `[1, entry index, kind, field, …]` add, `[2, entry index, field]` set, `[3, key bytes(16)]` keep. An entry index counts
//! into the list of entry ids, which is in the order of first use.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Op, OpType};
use automerge::{Change, ScalarValue};
use mecum_domain::{Batch, Edit, EntryId, Field, FinishedKey, Kind};
use minicbor::{Decoder, Encoder};
use thiserror::Error;

use crate::actor::Actor;
use crate::chunk::{ChunkError, change_name, check_change};
use crate::schema::{MAX_CHANGE_BYTES, MAX_CHANGE_OPERATIONS};
use crate::writes::{NotText, is_canonical, stored_text, writes};

/// Version of the layout.
const VERSION: u8 = 1;
const ADD: u8 = 1;
const SET: u8 = 2;
const KEEP: u8 = 3;

/// Why bytes are not a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not the one encoding of a payload. The sender's device must mend it.
    #[error("payload is malformed")]
    Malformed,
    /// Written by a newer version: a version, kind or field that this one does not know. Updating the app mends it.
    #[error("payload is of a newer version")]
    Newer,
    /// The chunk is refused before it is parsed.
    #[error("change is refused unread")]
    Chunk(#[source] ChunkError),
    /// Automerge cannot read the change, or would write it with other bytes.
    #[error("change is malformed")]
    Change,
    /// The change does not do what the edits say.
    #[error("edits and change disagree")]
    EditsDisagree,
}

/// One batch: the change and the edits that made it, known to agree in shape and values.
///
/// Whether the objects and predecessors that the change names are the edits' is seen only against a document, by
/// [`crate::Document::admit`].
#[derive(Clone)]
pub struct Payload {
    change: Change,
    operations: Vec<Op>,
    batch: Batch,
}

impl Payload {
    /// The payload of a change that Automerge just made from `batch`.
    pub(crate) fn of(change: Change, batch: Batch) -> Self {
        let operations = change.decode().operations;
        Self { change, operations, batch }
    }

    /// The edits.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The raw change: one uncompressed chunk of type 1.
    pub fn change(&self) -> &[u8] {
        self.change.raw_bytes()
    }

    /// The change's Automerge hash, as in [`crate::Written::change`].
    pub fn change_hash(&self) -> [u8; 32] {
        self.change.hash().0
    }

    /// The change's `change_seq`: Automerge's count along its actor, from 1.
    pub fn change_seq(&self) -> u64 {
        self.change.seq()
    }

    /// The actor that the change names; `None` if it is not 16 bytes. Proves nothing about who sent it.
    pub fn actor(&self) -> Option<Actor> {
        Actor::of(self.change.actor_id())
    }

    /// The hashes of the changes that this one has seen.
    pub fn deps(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.change.deps().iter().map(|hash| hash.0)
    }

    pub(crate) fn parsed(&self) -> &Change {
        &self.change
    }

    pub(crate) fn operations(&self) -> &[Op] {
        &self.operations
    }

    /// The bytes of this payload, in the layout at the head of this module. The same payload, the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.change().len() + 32 * self.batch.edits.len() + 32);
        encode_into(&mut bytes, self.change(), &self.batch).expect("writing to memory does not fail");
        bytes
    }

    /// Reads a payload, strictly: what does not encode to the same bytes again is refused. Automerge sees the change only
    /// after its chunk passed the pre-parser, and its panics are contained.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        // All of it: what panics here panics whenever it is offered, and would stop every exchange.
        catch_unwind(|| Self::judge(bytes)).unwrap_or(Err(DecodeError::Change))
    }

    fn judge(bytes: &[u8]) -> Result<Self, DecodeError> {
        mecum_trip::here("decode");
        let (raw, at_ms, outlines) = read(bytes)?;
        check_change(raw, MAX_CHANGE_BYTES, MAX_CHANGE_OPERATIONS).map_err(DecodeError::Chunk)?;
        let (change, operations) = parse_change(raw).ok_or(DecodeError::Change)?;
        let edits = fill(outlines, &operations).ok_or(DecodeError::EditsDisagree)?;
        let batch = Batch { at_ms, edits };
        let list = writes(&batch.edits);
        let agree = list.len() == operations.len()
            && is_canonical(&batch, &list)
            && list.iter().zip(&operations).all(|(write, op)| write.content.is(&op.action));
        if !agree {
            return Err(DecodeError::EditsDisagree);
        }
        let payload = Self { change, operations, batch };
        if payload.encode() == bytes { Ok(payload) } else { Err(DecodeError::Malformed) }
    }

    /// The raw change inside the bytes of a payload that was admitted before, for [`crate::Document::reopen`]. Checks
    /// nothing but where it lies.
    pub fn raw_change(bytes: &[u8]) -> Result<&[u8], DecodeError> {
        let mut decoder = Decoder::new(bytes);
        expect_array(&mut decoder, 5)?;
        if decoder.u8().map_err(malformed)? != VERSION {
            return Err(DecodeError::Newer);
        }
        decoder.bytes().map_err(malformed)
    }
}

/// Where a payload stands, read without judging it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Who wrote it.
    pub actor: Actor,
    /// Its number along the actor.
    pub change_seq: u64,
    /// When it was written, in ms since the epoch.
    pub at_ms: i64,
}

impl Payload {
    /// Where a payload that was admitted before stands.
    pub fn glance(bytes: &[u8]) -> Result<Glance, DecodeError> {
        let raw = Self::raw_change(bytes)?;
        let (actor, change_seq) = change_name(raw).map_err(DecodeError::Chunk)?;
        let mut decoder = Decoder::new(bytes);
        expect_array(&mut decoder, 5)?;
        decoder.u8().map_err(malformed)?;
        decoder.bytes().map_err(malformed)?;
        let at_ms = decoder.i64().map_err(malformed)?;
        let actor = actor.try_into().map(Actor::from_bytes).map_err(|_| DecodeError::Change)?;
        Ok(Glance { actor, change_seq, at_ms })
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.change() == other.change() && self.batch == other.batch
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    /// Sizes only: a payload holds a person's record.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("change_bytes", &self.change().len())
            .field("edits", &self.batch.edits.len())
            .finish_non_exhaustive()
    }
}

type EncodeResult = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn encode_into(bytes: &mut Vec<u8>, change: &[u8], batch: &Batch) -> EncodeResult {
    let mut entries: Vec<EntryId> = Vec::new();
    let mut index_of = std::collections::BTreeMap::new();
    for edit in &batch.edits {
        if let Edit::Add { entry, .. } | Edit::Set { entry, .. } = edit {
            index_of.entry(*entry).or_insert_with(|| {
                entries.push(*entry);
                entries.len() as u64 - 1
            });
        }
    }
    let mut encoder = Encoder::new(bytes);
    encoder.array(5)?.u8(VERSION)?.bytes(change)?.i64(batch.at_ms)?.array(entries.len() as u64)?;
    for entry in &entries {
        encoder.bytes(entry.as_bytes())?;
    }
    encoder.array(batch.edits.len() as u64)?;
    for edit in &batch.edits {
        match edit {
            Edit::Add { entry, kind, fields } => {
                encoder.array(3 + fields.len() as u64)?.u8(ADD)?;
                encoder.u64(index_of.get(entry).copied().unwrap_or(0))?.u8(kind.code())?;
                for (field, _) in fields {
                    encoder.u8(field.code())?;
                }
            }
            Edit::Set { entry, field, .. } => {
                encoder.array(3)?.u8(SET)?;
                encoder.u64(index_of.get(entry).copied().unwrap_or(0))?.u8(field.code())?;
            }
            Edit::Keep { key, .. } => {
                encoder.array(2)?.u8(KEEP)?.bytes(key.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// An edit without its values.
enum Outline {
    Add(EntryId, Kind, Vec<Field>),
    Set(EntryId, Field),
    Keep(FinishedKey),
}

fn malformed(_: minicbor::decode::Error) -> DecodeError {
    DecodeError::Malformed
}

/// The length of a definite array that can fit in what is left.
fn array(decoder: &mut Decoder<'_>) -> Result<usize, DecodeError> {
    let left = decoder.input().len().saturating_sub(decoder.position());
    let length = decoder.array().map_err(malformed)?.ok_or(DecodeError::Malformed)?;
    usize::try_from(length).ok().filter(|length| *length <= left).ok_or(DecodeError::Malformed)
}

fn expect_array(decoder: &mut Decoder<'_>, length: usize) -> Result<(), DecodeError> {
    if array(decoder)? == length { Ok(()) } else { Err(DecodeError::Malformed) }
}

fn id(decoder: &mut Decoder<'_>) -> Result<[u8; 16], DecodeError> {
    decoder.bytes().map_err(malformed)?.try_into().map_err(|_| DecodeError::Malformed)
}

fn field(decoder: &mut Decoder<'_>) -> Result<Field, DecodeError> {
    Field::from_code(decoder.u8().map_err(malformed)?).ok_or(DecodeError::Newer)
}

fn read(bytes: &[u8]) -> Result<(&[u8], i64, Vec<Outline>), DecodeError> {
    let raw = Payload::raw_change(bytes)?;
    let mut decoder = Decoder::new(bytes);
    expect_array(&mut decoder, 5)?;
    decoder.u8().map_err(malformed)?;
    decoder.bytes().map_err(malformed)?;
    let at_ms = decoder.i64().map_err(malformed)?;
    let mut entries = Vec::new();
    for _ in 0..array(&mut decoder)? {
        entries.push(EntryId::from_bytes(id(&mut decoder)?));
    }
    let mut outlines = Vec::new();
    for _ in 0..array(&mut decoder)? {
        outlines.push(outline(&mut decoder, &entries)?);
    }
    if decoder.position() == bytes.len() { Ok((raw, at_ms, outlines)) } else { Err(DecodeError::Malformed) }
}

fn outline(decoder: &mut Decoder<'_>, entries: &[EntryId]) -> Result<Outline, DecodeError> {
    let length = array(decoder)?;
    let tag = decoder.u8().map_err(malformed)?;
    let entry = |decoder: &mut Decoder<'_>| {
        let index = usize::try_from(decoder.u64().map_err(malformed)?).map_err(|_| DecodeError::Malformed)?;
        entries.get(index).copied().ok_or(DecodeError::Malformed)
    };
    match (tag, length) {
        (ADD, 3..) => {
            let entry = entry(decoder)?;
            let code = decoder.u8().map_err(malformed)?;
            let kind = Kind::from_code(code);
            if kind.code() != code {
                return Err(DecodeError::Newer);
            }
            let fields = (3..length).map(|_| field(decoder)).collect::<Result<_, _>>()?;
            Ok(Outline::Add(entry, kind, fields))
        }
        (SET, 3) => Ok(Outline::Set(entry(decoder)?, field(decoder)?)),
        (KEEP, 2) => Ok(Outline::Keep(FinishedKey::from_bytes(id(decoder)?))),
        (ADD | SET | KEEP, _) => Err(DecodeError::Malformed),
        _ => Err(DecodeError::Newer),
    }
}

/// The edits of outlines with the values that the operations hold; `None` where one does not fit the other.
fn fill(outlines: Vec<Outline>, operations: &[Op]) -> Option<Vec<Edit>> {
    let mut operations = operations.iter().map(|op| &op.action);
    let mut edits = Vec::with_capacity(outlines.len());
    for outline in outlines {
        edits.push(match outline {
            Outline::Add(entry, kind, fields) => {
                operations.next()?; // the map
                operations.next()?; // the kind
                let fields = fields
                    .into_iter()
                    .map(|field| Some((field, text(operations.next()?).ok()??)))
                    .collect::<Option<_>>()?;
                Edit::Add { entry, kind, fields }
            }
            Outline::Set(entry, field) => Edit::Set { entry, field, value: text(operations.next()?).ok()? },
            Outline::Keep(key) => match operations.next()? {
                OpType::Put(ScalarValue::Bytes(bytes)) => Edit::Keep { key, bytes: bytes.clone() },
                _ => return None,
            },
        });
    }
    Some(edits)
}

/// The text of a put, `None` for cleared.
fn text(action: &OpType) -> Result<Option<String>, NotText> {
    match action {
        OpType::Put(value) => stored_text(value),
        _ => Err(NotText),
    }
}

/// Parses a change whose chunk was checked. `None` if Automerge refuses it, panics on it (it does on unknown actions), or
/// would write the same change with other bytes: such a one applies, and leaves a document that does not load.
fn parse_change(raw: &[u8]) -> Option<(Change, Vec<Op>)> {
    catch_unwind(AssertUnwindSafe(|| {
        let change = Change::from_bytes(raw.to_vec()).ok()?;
        let expanded = change.decode();
        let operations = expanded.operations.clone();
        (Change::from(expanded).raw_bytes() == raw).then_some((change, operations))
    }))
    .ok()
    .flatten()
}
