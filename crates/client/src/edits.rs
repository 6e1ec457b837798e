//! What a person writes, checked as the forms check it before anything is kept.
//!
//! Deleting is a field, so that it can be undone; a clash is settled by writing the value that a person named.

use mecum_api::{
    CallError, ChartCreateArgs, ChartEditArgs, ChartView, ClashSettleArgs, Code, EntryAddArgs, EntryArgs,
    EntryDeleteArgs, EntryEditArgs, EntryRef, Topic,
};
use mecum_documents::Entry;
use mecum_domain::{ChartId, Field, FieldError, Kind, PartialDate, Relation, validate_draft};

use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::Session;
use crate::views::clash::{choice, goes_with_dose};
use crate::views::home::chart_view;
use crate::views::key_of;

/// Written as the reason when a person gives none: an empty one would mean that the entry stands.
const NO_REASON: &str = "-";

/// A new chart with its person.
pub(crate) fn chart_create(session: &mut Session, args: &ChartCreateArgs) -> Result<ChartView, SessionError> {
    let name = args.name.trim();
    let born = args.born.as_deref().map(str::trim).filter(|born| !born.is_empty());
    let mut draft = vec![(Field::Name, name.to_owned())];
    draft.extend(born.map(|born| (Field::BirthDate, born.to_owned())));
    valid(validate_draft(Kind::Patient, &draft))?;
    let chart = session.create_chart(name, born, args.relation, args.colour)?;
    Ok(chart_view(session, chart))
}

/// Changes who a chart is about, or its colour; only what differs is written.
pub(crate) fn chart_edit(session: &mut Session, args: &ChartEditArgs) -> Result<ChartView, SessionError> {
    let person = crate::summary::person(session.rows(args.chart)?).ok_or_else(SessionError::not_found)?;
    let key = person.key;
    let had = |field: Field| person.extra(field).map(str::to_owned);
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let own = had(Field::Relation).as_deref() == Some(Relation::Own.word());
    let relation = if own || args.relation == Relation::Own { None } else { text(args.relation.word()) };
    let mut set = vec![
        (Field::Name, text(&args.name)),
        (Field::BirthDate, args.born.as_deref().and_then(text)),
        (Field::Colour, text(args.colour.word())),
    ];
    set.extend(relation.map(|relation| (Field::Relation, Some(relation))));
    let draft: Vec<(Field, String)> =
        set.iter().filter_map(|(field, value)| Some((*field, value.clone()?))).collect();
    set.retain(|(field, value)| *value != had(*field));
    valid(validate_draft(Kind::Patient, &draft))?;
    if !set.is_empty() {
        session.set(args.chart, key, set)?;
        session.tell(Topic::Charts);
    }
    Ok(chart_view(session, args.chart))
}

/// Adds a vital sign, a note, an allergy or a medicine.
pub(crate) fn entry_add(session: &mut Session, args: EntryAddArgs) -> Result<EntryRef, SessionError> {
    let may = [Kind::VitalSign, Kind::Note, Kind::AllergyIntolerance, Kind::MedicationStatement];
    if !may.contains(&args.kind) {
        return Err(CallError::new(Code::BadCall, "error-edit").into());
    }
    let mut fields: Vec<(Field, String)> = Vec::with_capacity(args.fields.len());
    for (field, value) in args.fields {
        let value = value.trim().to_owned();
        if steers(field) || fields.iter().any(|(taken, _)| *taken == field) {
            return Err(CallError::new(Code::BadCall, "error-edit").into());
        }
        if !value.is_empty() {
            fields.push((field, value));
        }
    }
    valid(validate_draft(args.kind, &fields))?;
    let key = session.add(args.chart, args.kind, fields)?;
    Ok(EntryRef { entry: key.name() })
}

/// Changes fields of an entry that the family wrote.
pub(crate) fn entry_edit(session: &mut Session, args: EntryEditArgs) -> Result<EntryRef, SessionError> {
    let (key, entry) = editable(session, args.chart, &args.entry)?;
    if args.set.iter().any(|(field, _)| field.is_safety()) {
        as_seen(&entry, args.seen.as_deref())?;
    }
    let mut set: Vec<(Field, Option<String>)> = Vec::with_capacity(args.set.len());
    for (field, value) in args.set {
        if steers(field) || set.iter().any(|(taken, _)| *taken == field) {
            return Err(CallError::new(Code::BadCall, "error-edit").into());
        }
        set.push((field, value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())));
    }
    // The whole entry is checked as it will stand; an error in what nobody touched now is not this edit's.
    let errors = validate_draft(entry.kind, &draft(&entry, &set));
    let mine = |error: &FieldError| set.iter().any(|(field, _)| *field == error.field);
    valid(errors.into_iter().filter(mine).collect())?;
    session.set(args.chart, key, set)?;
    Ok(EntryRef { entry: args.entry })
}

/// The fields as they would stand. A clash counts with Automerge's winner, only to see that something is there.
fn draft(entry: &Entry, set: &[(Field, Option<String>)]) -> Vec<(Field, String)> {
    let untouched = entry.fields.iter().filter(|state| !set.iter().any(|(field, _)| *field == state.field));
    let standing = untouched.filter_map(|state| Some((state.field, state.winner()?.value.clone()?)));
    let changed = set.iter().filter_map(|(field, value)| Some((*field, value.clone()?)));
    standing.chain(changed).filter(|(field, _)| !steers(*field)).collect()
}

/// Deletes an entry that the family wrote; it can be brought back.
pub(crate) fn entry_delete(session: &mut Session, args: EntryDeleteArgs) -> Result<EntryRef, SessionError> {
    let (key, entry) = editable(session, args.chart, &args.entry)?;
    if entry.kind == Kind::Patient {
        return Err(CallError::new(Code::BadCall, "error-not-editable").into());
    }
    let reason = args.reason.trim();
    let reason = if reason.is_empty() { NO_REASON } else { reason };
    valid(validate_draft(Kind::Other, &[(Field::Deleted, reason.to_owned())]))?;
    session.set(args.chart, key, vec![(Field::Deleted, Some(reason.to_owned()))])?;
    Ok(EntryRef { entry: args.entry })
}

/// Brings a deleted entry back.
pub(crate) fn entry_restore(session: &mut Session, args: EntryArgs) -> Result<EntryRef, SessionError> {
    let (key, _) = editable(session, args.chart, &args.entry)?;
    session.set(args.chart, key, vec![(Field::Deleted, None)])?;
    Ok(EntryRef { entry: args.entry })
}

/// Settles a clash by the value that a person named.
pub(crate) fn clash_settle(session: &mut Session, args: ClashSettleArgs) -> Result<EntryRef, SessionError> {
    let (key, entry) = editable(session, args.chart, &args.entry)?;
    as_seen(&entry, args.seen.as_deref())?;
    let gone = || SessionError::from(CallError::new(Code::NotFound, "error-choice"));
    let mut open = entry.safety_clashes().filter(|state| args.field.is_none_or(|field| field == state.field));
    let state = open.next().ok_or_else(gone)?;
    let right =
        state.values.iter().find(|written| choice(&written.change) == args.choice).ok_or_else(gone)?;
    let mut set = vec![(state.field, right.value.clone())];
    // A unit that was written with one of the doses goes with it: 5 mg against 5 mcg is one question, not two.
    if let Some(units) =
        entry.field(Field::DoseUnit).filter(|units| state.field == Field::Dose && units.clash())
        && goes_with_dose(&entry, units)
        && let Some(unit) = units.values.iter().find(|unit| unit.change == right.change)
    {
        set.push((Field::DoseUnit, unit.value.clone()));
    }
    session.set(args.chart, key, set)?;
    Ok(EntryRef { entry: args.entry })
}

/// Names what stands in the safety fields of an entry: the changes that wrote the values there are.
pub(crate) fn version(entry: &Entry) -> String {
    let safety = entry.fields.iter().filter(|state| state.field.is_safety());
    let mut parts: Vec<&[u8]> =
        safety.flat_map(|state| &state.values).map(|written| written.change.as_slice()).collect();
    parts.sort_unstable();
    let hash = mecum_seal::sha256_parts(&parts).to_string();
    hash.get(..16).unwrap_or_default().to_owned()
}

/// A dose that arrived while the form was open must not be written over unseen.
fn as_seen(entry: &Entry, seen: Option<&str>) -> Result<(), SessionError> {
    match seen {
        Some(seen) if seen != version(entry) => {
            Err(CallError::new(Code::Invalid, "error-entry-changed").into())
        }
        _ => Ok(()),
    }
}

fn editable(session: &mut Session, chart: ChartId, entry: &str) -> Result<(ItemKey, Entry), SessionError> {
    let key = key_of(entry)?;
    if matches!(key, ItemKey::Finished(_)) {
        return Err(CallError::new(Code::BadCall, "error-not-editable").into());
    }
    let entry = session.entry(chart, key)?.ok_or_else(SessionError::not_found)?;
    Ok((key, entry))
}

/// Fields that a form never sets by name.
fn steers(field: Field) -> bool {
    matches!(field, Field::Kind | Field::Deleted)
}

fn valid(fields: Vec<FieldError>) -> Result<(), SessionError> {
    if fields.is_empty() {
        return Ok(());
    }
    Err(CallError { fields, ..CallError::new(Code::Invalid, "error-invalid") }.into())
}

/// A birth date as a chart takes it: a real date, or none.
pub(crate) fn birth_date(text: Option<&str>) -> Option<String> {
    PartialDate::parse(text?).map(|date| date.as_str().to_owned())
}

#[cfg(test)]
mod tests;
