//! One entry: its facts, its clashes, its history, and the original as it came.

use mecum_api::{DetailValue, DetailView, EntryArgs, EntryView, OriginalView};
use mecum_documents::Entry;
use mecum_domain::{Field, Kind};
use mecum_interop::Kept;

use super::clash::Told;
use super::{Shown, key_of};
use crate::error::SessionError;
use crate::row::{ItemKey, Row};
use crate::session::Session;

/// One entry with all that is known of it. A deleted one is shown too: it can be brought back.
pub(crate) fn entry_get(session: &mut Session, args: &EntryArgs) -> Result<EntryView, SessionError> {
    let key = key_of(&args.entry)?;
    let row = session.rows(args.chart)?.get(key).cloned().ok_or_else(SessionError::not_found)?;
    let shown = Shown::of(session, args.chart)?;
    let view = EntryView {
        row: shown.row(session, &row),
        // Of a goal, what it aims at is no laboratory's range.
        range: row.range().filter(|_| row.kind() != Kind::Goal),
        deleted: row.deleted.clone(),
        ..EntryView::default()
    };
    match key {
        ItemKey::Entry(_) => written_here(session, args, key, &row, view),
        ItemKey::Finished(_) => as_received(session, args, key, view),
    }
}

fn written_here(
    session: &mut Session,
    args: &EntryArgs,
    key: ItemKey,
    row: &Row,
    view: EntryView,
) -> Result<EntryView, SessionError> {
    let entry = session.entry(args.chart, key)?.ok_or_else(SessionError::not_found)?;
    let history = session.history(args.chart, key)?;
    let told = Told { session, history: &history };
    let fields = fields(&entry);
    Ok(EntryView {
        details: fields
            .iter()
            .filter(|(field, _)| is_fact(*field))
            .map(|(field, text)| detail(*field, text))
            .collect(),
        clashes: told.clashes(&entry, &args.entry, &row.title),
        history: told.history(Some(&entry)),
        version: crate::edits::version(&entry),
        fields,
        ..view
    })
}

fn as_received(
    session: &mut Session,
    args: &EntryArgs,
    key: ItemKey,
    view: EntryView,
) -> Result<EntryView, SessionError> {
    let container = session.finished(args.chart, key)?.ok_or_else(SessionError::not_found)?;
    let reading = mecum_interop::read(&container).map_err(|_| SessionError::Stored { what: "resource" })?;
    let history = session.history(args.chart, key)?;
    let told = Told { session, history: &history };
    let details = reading.details.into_iter();
    Ok(EntryView {
        details: details
            .map(|fact| DetailView { label: fact.label.to_owned(), value: value(fact.value) })
            .collect(),
        history: told.history(None),
        original: true,
        ..view
    })
}

/// The original of an entry, byte for byte as received.
pub(crate) fn entry_original(session: &mut Session, args: &EntryArgs) -> Result<OriginalView, SessionError> {
    let key = key_of(&args.entry)?;
    let bytes = session.finished(args.chart, key)?.ok_or_else(SessionError::not_found)?;
    let container = Kept::decode(&bytes).map_err(|_| SessionError::Stored { what: "resource" })?;
    Ok(OriginalView { text: container.verbatim.to_owned(), source: container.source.to_owned() })
}

/// The fields as they stand; one of safety in a clash has no standing value and is left out.
fn fields(entry: &Entry) -> Vec<(Field, String)> {
    let standing = entry.fields.iter().filter(|state| state.field != Field::Deleted);
    let settled = standing.filter(|state| !(state.field.is_safety() && state.clash()));
    settled
        .filter_map(|state| {
            Some((state.field, state.winner()?.value.clone().filter(|text| !text.is_empty())?))
        })
        .collect()
}

/// Fields that a person reads; the others steer lists.
fn is_fact(field: Field) -> bool {
    !matches!(field, Field::Kind | Field::Deleted | Field::Colour | Field::Relation | Field::DeviceKind)
}

/// A field as a fact: the label's Fluent id is `field-` and the field's name.
fn detail(field: Field, text: &str) -> DetailView {
    let name = serde_json::to_value(field)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    let text = text.to_owned();
    let value = match field {
        Field::Effective | Field::Until | Field::BirthDate => DetailValue::Date { date: text },
        Field::Status | Field::Severity | Field::Gender => DetailValue::Status { code: text },
        Field::Code => DetailValue::Code { code: text.clone(), text, system: "loinc".into() },
        _ => DetailValue::Text { text },
    };
    DetailView { label: format!("field-{name}"), value }
}

fn value(value: mecum_interop::DetailValue) -> DetailValue {
    use mecum_interop::DetailValue as Read;
    match value {
        Read::Text(text) | Read::Reference(text) => DetailValue::Text { text },
        Read::Code { text, code, system } => DetailValue::Code { text, code, system },
        Read::Quantity { value, unit, flag } => DetailValue::Quantity { value, unit, flag },
        Read::Date(date) => DetailValue::Date { date: date.as_str().to_owned() },
        Read::Status(code) => DetailValue::Status { code },
        Read::List(items) => DetailValue::List { items: items.into_iter().map(self::value).collect() },
    }
}
