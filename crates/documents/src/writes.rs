//! A batch of typed edits as the exact list of writes that its Automerge change makes: one write, one operation.
//!
//! Authoring performs this list and a guard compares against it, so that what an envelope says and what it does are one
//! thing. It knows the schema, not documents.

use std::collections::BTreeSet;

use automerge::ScalarValue;
use automerge::legacy::OpType;
use mecum_domain::{Batch, Edit, EntryId, Field, FinishedKey, Kind};

use crate::schema::to_key;

/// Where a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The map of an entry under `entries`.
    Entry(EntryId),
    /// A field of an entry.
    Field(EntryId, Field),
    /// A value under `finished`.
    Finished(FinishedKey),
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Map,
    Kind(Kind),
    Text(&'a str),
    Cleared,
    Bytes(&'a [u8]),
}

/// One write, one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write<'a> {
    pub(crate) target: Target,
    pub(crate) content: Content<'a>,
}

impl Target {
    /// The key in its map.
    pub(crate) fn key(self) -> String {
        match self {
            Target::Entry(entry) => to_key(entry.as_bytes()),
            Target::Field(_, field) => field.key().to_owned(),
            Target::Finished(key) => to_key(key.as_bytes()),
        }
    }
}

impl Content<'_> {
    /// The value of a put; `None` for a map.
    pub(crate) fn scalar(self) -> Option<ScalarValue> {
        match self {
            Content::Map => None,
            Content::Kind(kind) => Some(ScalarValue::Int(kind.code().into())),
            Content::Text(text) => Some(ScalarValue::Str(text.into())),
            Content::Cleared => Some(ScalarValue::Null),
            Content::Bytes(bytes) => Some(ScalarValue::Bytes(bytes.to_vec())),
        }
    }

    /// Whether an operation of a change writes exactly this.
    pub(crate) fn is(self, action: &OpType) -> bool {
        match (self, action) {
            (Content::Map, OpType::Make(automerge::ObjType::Map))
            | (Content::Cleared, OpType::Put(ScalarValue::Null)) => true,
            (Content::Kind(kind), OpType::Put(ScalarValue::Int(code))) => i64::from(kind.code()) == *code,
            (Content::Text(text), OpType::Put(ScalarValue::Str(put))) => text == put.as_str(),
            (Content::Bytes(bytes), OpType::Put(ScalarValue::Bytes(put))) => bytes == put.as_slice(),
            _ => false,
        }
    }
}

/// A value that no version of ours writes into a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotText;

/// The text of a stored value, `None` for a cleared field.
pub(crate) fn stored_text(value: &ScalarValue) -> Result<Option<String>, NotText> {
    match value {
        ScalarValue::Str(text) => Ok(Some(text.to_string())),
        ScalarValue::Null => Ok(None),
        _ => Err(NotText),
    }
}

/// The writes of `edits` in order.
pub(crate) fn writes(edits: &[Edit]) -> Vec<Write<'_>> {
    let mut list = Vec::new();
    for edit in edits {
        match edit {
            Edit::Add { entry, kind, fields } => {
                list.push(Write { target: Target::Entry(*entry), content: Content::Map });
                list.push(Write {
                    target: Target::Field(*entry, Field::Kind),
                    content: Content::Kind(*kind),
                });
                list.extend(fields.iter().map(|(field, text)| Write {
                    target: Target::Field(*entry, *field),
                    content: Content::Text(text),
                }));
            }
            Edit::Set { entry, field, value } => list.push(Write {
                target: Target::Field(*entry, *field),
                content: value.as_deref().map_or(Content::Cleared, Content::Text),
            }),
            Edit::Keep { key, bytes } => {
                list.push(Write { target: Target::Finished(*key), content: Content::Bytes(bytes) });
            }
        }
    }
    list
}

/// Whether each place is written at most once and no kind is changed: the form in which batches are authored.
pub(crate) fn is_canonical(batch: &Batch, writes: &[Write<'_>]) -> bool {
    let mut seen = BTreeSet::new();
    let sets_kind = batch.edits.iter().any(|edit| matches!(edit, Edit::Set { field: Field::Kind, .. }));
    !sets_kind && writes.iter().all(|write| seen.insert(write.target))
}
