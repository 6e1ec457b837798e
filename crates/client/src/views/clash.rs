//! Clashes and history of one entry: who wrote which value, on which device and when.
//!
//! Nothing is chosen: values stand in the order of time, and each has a name by which a person can settle for it.

use std::fmt::Write as _;

use mecum_api::{ClashView, HistoryView, WrittenView};
use mecum_documents::{Entry, FieldState, Written};
use mecum_domain::{ChartId, Edit, Field};

use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::{Past, Session};
use crate::summary::with_unit;

/// The bytes of a change's hash that name a value among those of one clash. 64 bits: nobody gains by making two alike.
const CHOICE_BYTES: usize = 8;

/// The name of a value when a clash is settled.
pub(crate) fn choice(change: &[u8; 32]) -> String {
    let mut name = String::with_capacity(2 * CHOICE_BYTES);
    for byte in change.iter().take(CHOICE_BYTES) {
        write!(name, "{byte:02x}").expect("writing to a text does not fail");
    }
    name
}

/// The clashes of an entry on fields of safety.
pub(crate) fn clashes(
    session: &mut Session,
    chart: ChartId,
    key: ItemKey,
) -> Result<Vec<ClashView>, SessionError> {
    let Some(entry) = session.entry(chart, key)? else { return Ok(Vec::new()) };
    let title = session.rows(chart)?.get(key).map(|row| row.title.clone()).unwrap_or_default();
    let history = session.history(chart, key)?;
    let told = Told { session, history: &history };
    Ok(told.clashes(&entry, &key.name(), &title))
}

/// What is needed to say who wrote something.
pub(crate) struct Told<'s> {
    pub(crate) session: &'s Session,
    /// What was written to the entry, oldest first.
    pub(crate) history: &'s [Past],
}

impl Told<'_> {
    /// The clashes of an entry, in the order of fields.
    pub(crate) fn clashes(&self, entry: &Entry, name: &str, title: &str) -> Vec<ClashView> {
        let states = entry.safety_clashes().filter(|state| !goes_with_dose(entry, state));
        states
            .map(|state| ClashView {
                entry: name.to_owned(),
                title: title.to_owned(),
                field: state.field,
                values: self.values(entry, state),
                agreed: self.agreed(entry, state),
            })
            .collect()
    }

    /// The values of a field with their writers, oldest first.
    pub(crate) fn values(&self, entry: &Entry, state: &FieldState) -> Vec<WrittenView> {
        let mut values: Vec<WrittenView> =
            state.values.iter().map(|written| self.written(entry, state.field, written)).collect();
        // Two devices may say the same time: the name decides then, so that every device shows one order.
        values.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.choice.cmp(&b.choice)));
        values
    }

    fn written(&self, entry: &Entry, field: Field, written: &Written) -> WrittenView {
        let value = shown_value(entry, field, written.value.as_deref(), &written.change);
        if let Some(past) = self.find(&written.change) {
            return self.past(past, value);
        }
        // The envelope was folded away: the actor still names the device.
        let device = self.session.actor_device(&written.actor);
        WrittenView {
            value,
            words: None,
            author: device.map_or_else(String::new, |device| self.session.author_of(device)),
            device: device.and_then(|device| self.session.device_name(device)).unwrap_or_default(),
            own: device == Some(self.session.this_device()),
            at_ms: 0,
            choice: choice(&written.change),
            receipt: mecum_api::ReceiptState::Received,
        }
    }

    /// A value that one past envelope wrote.
    pub(crate) fn past(&self, past: &Past, value: Option<String>) -> WrittenView {
        WrittenView {
            value,
            words: words(past),
            author: self.session.author_of(past.device),
            device: self.session.device_name(past.device).unwrap_or_default(),
            own: past.device == self.session.this_device(),
            at_ms: past.at_ms,
            choice: choice(&past.change),
            receipt: self.session.receipt_by(past.device, past.space, past.own_seq),
        }
    }

    /// The last value that every side of a clash had seen before they parted.
    fn agreed(&self, entry: &Entry, state: &FieldState) -> Option<WrittenView> {
        let sides: Vec<&Past> =
            state.values.iter().filter_map(|written| self.find(&written.change)).collect();
        if sides.len() != state.values.len() {
            return None;
        }
        let common = |past: &&Past| sides.iter().all(|side| side.sees.contains(&past.change));
        let last =
            self.history.iter().rev().filter(common).find_map(|past| Some((past, wrote(past, state.field)?)));
        let (past, value) = last?;
        Some(self.past(past, shown_value(entry, state.field, value, &past.change)))
    }

    fn find(&self, change: &[u8; 32]) -> Option<&Past> {
        self.history.iter().find(|past| past.change == *change)
    }

    /// What was written to the entry, newest first: first values together, then each field on its own.
    pub(crate) fn history(&self, entry: Option<&Entry>) -> Vec<HistoryView> {
        let mut views = Vec::new();
        for past in self.history {
            for edit in &past.edits {
                match edit {
                    Edit::Add { .. } | Edit::Keep { .. } => {
                        views.push(HistoryView {
                            field: None,
                            written: self.past(past, None),
                            before: None,
                            lost: false,
                        });
                    }
                    Edit::Set { field, value, .. } => views.push(HistoryView {
                        field: Some(*field),
                        written: self.past(past, value.clone()),
                        before: self.before(past, *field),
                        lost: entry.is_some_and(|entry| is_outranked(entry, *field, &past.change)),
                    }),
                }
            }
        }
        // A first value can be outranked too, where somebody else changed it without having seen a later one.
        views.reverse();
        views
    }

    /// The value that a writer saw when they wrote.
    pub(crate) fn before(&self, past: &Past, field: Field) -> Option<String> {
        let seen = self.history.iter().rev().filter(|earlier| past.sees.contains(&earlier.change));
        seen.map(|earlier| wrote(earlier, field)).find(Option::is_some).flatten().flatten().map(str::to_owned)
    }
}

/// What an envelope wrote to a field: `Some(None)` if it cleared it.
#[expect(clippy::option_option, reason = "not written and cleared are two answers")]
fn wrote(past: &Past, field: Field) -> Option<Option<&str>> {
    past.edits.iter().rev().find_map(|edit| match edit {
        Edit::Add { fields, .. } => {
            fields.iter().find(|(written, _)| *written == field).map(|(_, value)| Some(value.as_str()))
        }
        Edit::Set { field: written, value, .. } if *written == field => Some(value.as_deref()),
        _ => None,
    })
}

/// What the same envelope says in words: why, or a note.
fn words(past: &Past) -> Option<String> {
    let mut said = [Field::Reason, Field::Text].into_iter().filter_map(|field| wrote(past, field).flatten());
    said.find(|text| !text.trim().is_empty()).map(|text| text.trim().to_owned())
}

/// A value of a field that is no safety field, which a concurrent one outranked.
fn is_outranked(entry: &Entry, field: Field, change: &[u8; 32]) -> bool {
    let Some(state) = entry.field(field).filter(|state| !field.is_safety() && state.clash()) else {
        return false;
    };
    let others = state.values.split_last().map(|(_, others)| others).unwrap_or_default();
    others.iter().any(|written| written.change == *change)
}

/// A value as a person reads it: a dose with the unit that was written with it, else with the one that stands.
fn shown_value(entry: &Entry, field: Field, value: Option<&str>, change: &[u8; 32]) -> Option<String> {
    let value = value.map(str::trim).filter(|value| !value.is_empty())?;
    if field != Field::Dose {
        return Some(value.to_owned());
    }
    let units = entry.field(Field::DoseUnit);
    let same = units.and_then(|state| state.values.iter().find(|written| written.change == *change));
    // With two units in a clash, a dose that was not written with either shows none: a guess could hurt.
    let standing = units.filter(|state| !state.clash()).and_then(FieldState::winner);
    let unit = same.or(standing).and_then(|written| written.value.as_deref());
    Some(with_unit(value, unit))
}

/// A clash of units that is settled together with the dose: each unit was written with one of the doses.
pub(crate) fn goes_with_dose(entry: &Entry, state: &FieldState) -> bool {
    let Some(doses) = entry.field(Field::Dose).filter(|doses| doses.clash()) else { return false };
    state.field == Field::DoseUnit
        && state.values.iter().all(|unit| doses.values.iter().any(|dose| dose.change == unit.change))
}
