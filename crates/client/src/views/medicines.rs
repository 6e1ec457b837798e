//! The medicines of a chart: what is taken, what was, and where people wrote different doses.

use std::collections::BTreeSet;

use mecum_api::{ChartArgs, ClashView, MedicineView, MedicinesView};
use mecum_domain::{Field, Kind, PartialDate};

use super::{Shown, clash};
use crate::error::SessionError;
use crate::row::Row;
use crate::rows_from::dose;
use crate::session::Session;
use crate::summary::{allergies, is_active};

/// Fields that say how much and how often: while one is in a clash the medicine is on hold.
const ON_HOLD: &[Field] = &[Field::Dose, Field::DoseUnit, Field::Frequency];

/// The medicines of a chart, with clashes.
pub(crate) fn medicines(session: &mut Session, args: &ChartArgs) -> Result<MedicinesView, SessionError> {
    let shown = Shown::of(session, args.chart)?;
    let today = session.today().to_string();
    let rows = session.rows(args.chart)?;
    let newest = rows.newest();
    let allergies = allergies(newest.iter().copied());
    let listed = newest.into_iter().filter(|row| is_medicine(row));
    let (current, past): (Vec<Row>, Vec<Row>) = listed.cloned().partition(|row| is_taken(row, &today));
    let mut clashes: Vec<ClashView> = Vec::new();
    let open: Vec<_> =
        current.iter().chain(&past).filter(|row| !row.clashes.is_empty()).map(|row| row.key).collect();
    for key in open {
        clashes.extend(clash::clashes(session, args.chart, key)?);
    }
    let oldest = |clash: &ClashView| clash.values.first().map_or(0, |value| value.at_ms);
    clashes.sort_by_key(oldest);
    let mut named = BTreeSet::new();
    let mut current = once_per_prescription(current, &mut named);
    current.sort_by_key(|row| row.title.to_lowercase());
    let past = once_per_prescription(past, &mut named);
    let view = |rows: Vec<Row>| rows.iter().map(|row| medicine(session, &shown, row)).collect();
    Ok(MedicinesView { clashes, current: view(current), past: view(past), allergies })
}

/// A medicine that is or was taken; a single administration is an event of the timeline.
fn is_medicine(row: &Row) -> bool {
    matches!(row.kind(), Kind::MedicationRequest | Kind::MedicationStatement)
}

fn is_taken(row: &Row, today: &str) -> bool {
    let until = row.extra(Field::Until).and_then(PartialDate::parse);
    // A partial date has passed when the day that it is compared with at its own length has.
    let over = until.is_some_and(|until| {
        today.get(..until.as_str().len().min(10)).is_some_and(|now| until.as_str() < now)
    });
    is_active(row) && !over
}

/// A prescription that was renewed stands once, by its newest; what the family wrote stands as often as it was written.
fn once_per_prescription(rows: Vec<Row>, named: &mut BTreeSet<String>) -> Vec<Row> {
    let mut newest_first = rows;
    newest_first.sort_by(|a, b| a.order().cmp(&b.order()));
    newest_first.retain(|row| row.editable() || named.insert(row.title.to_lowercase()));
    newest_first
}

fn medicine(session: &Session, shown: &Shown, row: &Row) -> MedicineView {
    let text = |field: Field| row.extra(field).map(str::to_owned);
    MedicineView {
        row: shown.row(session, row),
        dose: dose(row),
        frequency: text(Field::Frequency),
        reason: text(Field::Reason),
        prescriber: text(Field::Prescriber).or_else(|| row.author.clone()),
        on_hold: ON_HOLD.iter().any(|field| row.clashes.contains(&field.code())),
    }
}
