//! Writing in a document: typed edits in, one Automerge change out, the original untouched until the caller swaps.
//!
//! It must not know when or why: the time is in the batch.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ObjId, ObjType, ReadDoc};
use mecum_domain::{Batch, Edit, EntryId, Field};
use thiserror::Error;

use crate::document::Document;
use crate::payload::Payload;
use crate::schema::{MAX_CHANGE_BYTES, MAX_CHANGE_OPERATIONS, MAX_DOCUMENT_OPERATIONS, entries, to_key};
use crate::writes::{Content, writes};

/// Why edits cannot be written. Each is a mistake of the caller, but for the two about size, which another document or a
/// smaller batch mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// A field of an entry that is not in the document.
    #[error("entry is not in this document")]
    UnknownEntry,
    /// A new entry under an id that is taken.
    #[error("entry is already in this document")]
    EntryExists,
    /// The kind of an entry is fixed when it is added.
    #[error("kind of an entry cannot be changed")]
    KindIsFixed,
    /// More than one change may hold.
    #[error("too many edits in one batch")]
    BatchTooLarge,
    /// More than one document may hold.
    #[error("document is full")]
    DocumentFull,
    /// Automerge refused the write: a defect here.
    #[error("document cannot be written")]
    Write,
}

/// What writing made.
#[derive(Clone, Debug)]
pub struct Authored {
    /// The document after it.
    pub next: Document,
    /// What to seal; `None` if the edits changed nothing.
    pub payload: Option<Payload>,
}

impl Document {
    /// Writes `batch` as one change in a clone of this document. Edits that change nothing are dropped, and several to one
    /// place become the last of them; the payload carries what is left, in which every edit stands for its operations.
    pub fn author(&self, batch: &Batch) -> Result<Authored, AuthorError> {
        self.author_after(&self.heads(), batch)
    }

    /// As [`Self::author`], but as if of this document only the changes `base`, what they follow and this actor's own were
    /// known: values that stand beyond `base` are not overwritten, and where they differ both stand. For late words, whose
    /// writer had not seen what was written since. An entry must be in `base`.
    pub fn author_beside(&self, base: &[[u8; 32]], batch: &Batch) -> Result<Authored, AuthorError> {
        self.author_after(base, batch)
    }

    fn author_after(&self, deps: &[[u8; 32]], batch: &Batch) -> Result<Authored, AuthorError> {
        let edits = self.settle(&batch.edits)?;
        // Worked out before the clone, so that the clone has it too: else every edit reads all changes again.
        self.links().map_err(|_| AuthorError::Write)?;
        let mut next = self.clone();
        if edits.is_empty() {
            return Ok(Authored { next, payload: None });
        }
        let list = writes(&edits);
        if list.len() > MAX_CHANGE_OPERATIONS {
            return Err(AuthorError::BatchTooLarge);
        }
        if self.operations() + list.len() > MAX_DOCUMENT_OPERATIONS {
            return Err(AuthorError::DocumentFull);
        }
        let change = self.change_at(self.actor(), deps, &edits).ok_or(AuthorError::Write)?;
        if change.raw_bytes().len() > MAX_CHANGE_BYTES {
            return Err(AuthorError::BatchTooLarge);
        }
        next.append_change(&change).ok_or(AuthorError::Write)?;
        let payload = Payload::of(change, Batch { at_ms: batch.at_ms, edits });
        Ok(Authored { next, payload: Some(payload) })
    }

    /// The map that takes new values of an entry.
    pub(crate) fn entry_object(&self, entry: EntryId) -> Option<ObjId> {
        match self.doc.get(entries(), to_key(entry.as_bytes())).ok()?? {
            (automerge::Value::Object(ObjType::Map), object) => Some(object),
            _ => None,
        }
    }

    /// The edits that change something, each place once, in the order in which places were first written.
    fn settle(&self, edits: &[Edit]) -> Result<Vec<Edit>, AuthorError> {
        let mut objects = BTreeMap::new();
        let mut changed = Vec::with_capacity(edits.len());
        for edit in self.fold(edits)? {
            if let Edit::Set { entry, field, value } = &edit {
                let object = objects.entry(*entry).or_insert_with(|| self.entry_object(*entry));
                let object = object.as_ref().ok_or(AuthorError::UnknownEntry)?;
                let content = value.as_deref().map_or(Content::Cleared, Content::Text);
                if !self.changes(object, *field, content) {
                    continue;
                }
            }
            changed.push(edit);
        }
        Ok(changed)
    }

    /// The edits with several to one place made one, and fields of a new entry made part of it.
    fn fold(&self, edits: &[Edit]) -> Result<Vec<Edit>, AuthorError> {
        let mut list: Vec<Edit> = Vec::new();
        let mut added = BTreeMap::new();
        let mut set = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for edit in edits {
            match edit {
                Edit::Add { entry, kind, fields } => {
                    if added.insert(*entry, list.len()).is_some() || self.entry_object(*entry).is_some() {
                        return Err(AuthorError::EntryExists);
                    }
                    let mut once = Vec::with_capacity(fields.len());
                    for (field, text) in fields {
                        replace(&mut once, *field, Some(text))?;
                    }
                    list.push(Edit::Add { entry: *entry, kind: *kind, fields: once });
                }
                Edit::Set { entry, field, value } => {
                    let at = added.get(entry).and_then(|at| list.get_mut(*at));
                    if let Some(Edit::Add { fields, .. }) = at {
                        replace(fields, *field, value.as_deref())?;
                    } else if *field == Field::Kind {
                        return Err(AuthorError::KindIsFixed);
                    } else if let Some(Edit::Set { value: last, .. }) =
                        set.get(&(*entry, *field)).and_then(|at: &usize| list.get_mut(*at))
                    {
                        last.clone_from(value);
                    } else {
                        set.insert((*entry, *field), list.len());
                        list.push(edit.clone());
                    }
                }
                Edit::Keep { key, .. } => {
                    if kept.insert(*key) && self.finished_value(*key).is_none() {
                        list.push(edit.clone());
                    }
                }
            }
        }
        Ok(list)
    }

    /// Whether writing `content` says something new: another value, or the end of a clash.
    fn changes(&self, object: &ObjId, field: Field, content: Content<'_>) -> bool {
        let visible = self.doc.get_all(object, field.key()).unwrap_or_default();
        let scalar = content.scalar();
        if visible.is_empty() {
            return content != Content::Cleared;
        }
        visible.iter().any(|(value, _)| value.as_scalar() != scalar.as_ref())
    }
}

fn replace(fields: &mut Vec<(Field, String)>, field: Field, value: Option<&str>) -> Result<(), AuthorError> {
    if field == Field::Kind {
        return Err(AuthorError::KindIsFixed);
    }
    match (fields.iter().position(|(taken, _)| *taken == field), value) {
        (Some(at), Some(text)) => {
            if let Some((_, last)) = fields.get_mut(at) {
                text.clone_into(last);
            }
        }
        (Some(at), None) => {
            fields.remove(at);
        }
        (None, Some(text)) => fields.push((field, text.to_owned())),
        (None, None) => {}
    }
    Ok(())
}
