//! Typed edits: what a person did, beside the Automerge change that did it.

use crate::{EntryId, Field, FinishedKey, Kind};

/// One thing that a person did to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A new editable entry with its first fields.
    Add {
        /// Its random id.
        entry: EntryId,
        /// What it is.
        kind: Kind,
        /// Its first fields, each at most once, without [`Field::Kind`].
        fields: Vec<(Field, String)>,
    },
    /// One field takes a new value; `None` clears it. Deleting is setting [`Field::Deleted`] to a reason, undoing is clearing it.
    Set {
        /// The entry.
        entry: EntryId,
        /// The field.
        field: Field,
        /// The new value.
        value: Option<String>,
    },
    /// A finished entry, kept byte for byte.
    Keep {
        /// Its key.
        key: FinishedKey,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// The edits of one flush by one device: one Automerge change, one envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// When it was written, by the writing device's clock, in ms since the epoch. For display; order is the chain's.
    pub at_ms: i64,
    /// The edits in order.
    pub edits: Vec<Edit>,
}
