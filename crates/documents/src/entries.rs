//! Reading a document: entries with every field's values, who wrote each, and where two disagree.
//!
//! It chooses nothing for a person: the last value is Automerge's winner, and what to do about the rest is above.

use std::collections::BTreeMap;

use automerge::{ObjId, ObjType, ReadDoc, ScalarValueRef, Value, ValueRef};
use mecum_domain::{EntryId, Field, FinishedKey, Kind};

use crate::actor::Actor;
use crate::document::Document;
use crate::schema::{entries, finished, from_key, to_key};
use crate::writes::{NotText, stored_text};

/// One value of a field, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text; `None` if the field was cleared.
    pub value: Option<String>,
    /// Who wrote it.
    pub actor: Actor,
    /// The hash of the change that wrote it ([`crate::Payload::change_hash`]).
    pub change: [u8; 32],
}

/// One field of an entry with every value that no other write has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldState {
    /// The field.
    pub field: Field,
    /// Its different values, at least one; the last is Automerge's winner. Equal values are one, that of the later write.
    pub values: Vec<Written>,
}

/// One entry that a person may edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What it is.
    pub kind: Kind,
    /// Its fields in the order of [`Field`], without [`Field::Kind`].
    pub fields: Vec<FieldState>,
}

impl FieldState {
    /// Whether people wrote different values without seeing each other's.
    pub fn clash(&self) -> bool {
        self.values.len() > 1
    }

    /// The value that Automerge chose, the same on every device.
    pub fn winner(&self) -> Option<&Written> {
        self.values.last()
    }
}

impl Entry {
    /// A field with all its values; `None` if nobody ever wrote it.
    pub fn field(&self, field: Field) -> Option<&FieldState> {
        self.fields.iter().find(|state| state.field == field)
    }

    /// The winning text of a field; `None` if it is absent or cleared.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.field(field)?.winner()?.value.as_deref()
    }

    /// The reason for which it was deleted; `None` if it stands.
    pub fn deleted(&self) -> Option<&str> {
        self.get(Field::Deleted).filter(|reason| !reason.is_empty())
    }

    /// The fields in which a wrong choice can hurt and people disagree: shown with both values, never settled for them.
    pub fn safety_clashes(&self) -> impl Iterator<Item = &FieldState> {
        self.fields.iter().filter(|state| state.field.is_safety() && state.clash())
    }
}

impl Document {
    /// Every entry, in the order of ids.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.doc.map_range(entries(), ..).filter_map(|item| {
            let id = EntryId::from_bytes(from_key(&item.key)?);
            let object = matches!(item.value, ValueRef::Object(ObjType::Map)).then(|| item.id());
            if item.conflict { self.entry(id) } else { self.read(id, &[object?]) }
        })
    }

    /// One entry.
    pub fn entry(&self, id: EntryId) -> Option<Entry> {
        let objects: Vec<ObjId> = self.entry_objects(id);
        self.read(id, &objects)
    }

    /// The maps of an entry, the winner last. One, unless somebody reused an id: then all are read, so that nobody can
    /// hide a value by making its entry again.
    pub(crate) fn entry_objects(&self, id: EntryId) -> Vec<ObjId> {
        let all = self.doc.get_all(entries(), to_key(id.as_bytes())).unwrap_or_default();
        let maps = all.into_iter().filter(|(value, _)| matches!(value, Value::Object(ObjType::Map)));
        maps.map(|(_, object)| object).collect()
    }

    fn read(&self, id: EntryId, objects: &[ObjId]) -> Option<Entry> {
        let mut kind = None;
        let mut fields: BTreeMap<Field, Vec<Written>> = BTreeMap::new();
        for object in objects {
            for item in self.doc.map_range(object, ..) {
                let Some(field) = Field::from_key(&item.key) else { continue };
                let ValueRef::Scalar(scalar) = &item.value else { continue };
                if field == Field::Kind {
                    kind = code(scalar).or(kind);
                } else if item.conflict {
                    let all = self.doc.get_all(object, field.key()).unwrap_or_default();
                    let texts = all
                        .iter()
                        .filter_map(|(value, op)| self.written(stored_text(value.as_scalar()?).ok()?, op));
                    fields.entry(field).or_default().extend(texts);
                } else if let Ok(value) = text(scalar) {
                    fields.entry(field).or_default().extend(self.written(value, &item.id()));
                }
            }
        }
        let fields = fields
            .into_iter()
            .map(|(field, values)| FieldState { field, values: different(values) })
            .filter(|state| !state.values.is_empty())
            .collect();
        (!objects.is_empty()).then(|| Entry { id, kind: kind.unwrap_or_default(), fields })
    }

    fn written(&self, value: Option<String>, op: &ObjId) -> Option<Written> {
        let ObjId::Id(_, actor, _) = op else { return None };
        Some(Written { value, actor: Actor::of(actor)?, change: self.doc.hash_for_opid(op)?.0 })
    }

    /// Every write to a field that no other has seen, equal values too.
    pub(crate) fn field_writes(&self, id: EntryId, field: Field) -> Vec<Written> {
        let mut all = Vec::new();
        for object in self.entry_objects(id) {
            let values = self.doc.get_all(&object, field.key()).unwrap_or_default();
            let texts = values
                .iter()
                .filter_map(|(value, op)| self.written(stored_text(value.as_scalar()?).ok()?, op));
            all.extend(texts);
        }
        all
    }

    /// Every finished entry with its bytes, in the order of keys.
    pub fn finished(&self) -> impl Iterator<Item = (FinishedKey, Vec<u8>)> + '_ {
        self.doc.map_range(finished(), ..).filter_map(|item| {
            let key = FinishedKey::from_bytes(from_key(&item.key)?);
            match item.value {
                ValueRef::Scalar(ScalarValueRef::Bytes(bytes)) => Some((key, bytes.into_owned())),
                _ => None,
            }
        })
    }

    /// The number of finished entries.
    pub fn finished_len(&self) -> usize {
        self.doc.length(finished())
    }

    /// The bytes of one finished entry.
    pub fn finished_value(&self, key: FinishedKey) -> Option<Vec<u8>> {
        match self.doc.get(finished(), to_key(key.as_bytes())).ok()?? {
            (Value::Scalar(scalar), _) => scalar.as_bytes().map(<[u8]>::to_vec),
            (Value::Object(_), _) => None,
        }
    }
}

fn code(scalar: &ScalarValueRef<'_>) -> Option<Kind> {
    match scalar {
        ScalarValueRef::Int(code) => Some(u8::try_from(*code).map_or(Kind::Other, Kind::from_code)),
        _ => None,
    }
}

/// [`stored_text`] of a borrowed value.
fn text(scalar: &ScalarValueRef<'_>) -> Result<Option<String>, NotText> {
    match scalar {
        ScalarValueRef::Str(text) => Ok(Some(text.to_string())),
        ScalarValueRef::Null => Ok(None),
        _ => Err(NotText),
    }
}

/// Each value once, where it stands last.
fn different(values: Vec<Written>) -> Vec<Written> {
    let mut kept: Vec<Written> = Vec::with_capacity(values.len());
    for written in values {
        kept.retain(|earlier| earlier.value != written.value);
        kept.push(written);
    }
    kept
}
