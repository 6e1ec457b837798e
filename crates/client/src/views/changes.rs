//! What changed in a chart since the person last looked on this device.

use mecum_api::{ChangeView, ChangesView, ChartArgs, SeenArgs, WrittenView};
use mecum_domain::Edit;

use super::clash::Told;
use super::{Shown, count};
use crate::error::SessionError;
use crate::row::Row;
use crate::session::Session;
use crate::summary::is_listed;

/// Changes in one answer. Source: the contract's `ChangesView::changes`.
const MAX_CHANGES: usize = 50;

/// What changed since the last look, the newest first.
pub(crate) fn changes(session: &mut Session, args: &ChartArgs) -> Result<ChangesView, SessionError> {
    let shown = Shown::of(session, args.chart)?;
    let rows: Vec<Row> =
        session.rows(args.chart)?.newest().into_iter().filter(|row| is_listed(row)).cloned().collect();
    let mut new: Vec<Row> = rows.into_iter().filter(|row| shown.is_new(session, row)).collect();
    // The sort keeps the order of dates among what came at once.
    new.sort_by_key(|row| std::cmp::Reverse(row.arrived));
    let mut changes = Vec::new();
    for row in new.iter().take(MAX_CHANGES) {
        changes.extend(of_row(session, args, row, &shown)?);
    }
    changes.truncate(MAX_CHANGES);
    let total = count(new.len()).max(count(changes.len()));
    Ok(ChangesView { since_ms: shown.seen_ms(), changes, total })
}

fn of_row(
    session: &mut Session,
    args: &ChartArgs,
    row: &Row,
    shown: &Shown,
) -> Result<Vec<ChangeView>, SessionError> {
    let added = |by: WrittenView, session: &Session| ChangeView {
        row: shown.row(session, row),
        field: None,
        before: None,
        after: row.value.clone(),
        by,
    };
    if !row.editable() {
        let by = WrittenView {
            author: row.author.clone().or_else(|| row.organization.clone()).unwrap_or_default(),
            device: session.device_name(row.device).unwrap_or_default(),
            own: row.device == session.this_device(),
            at_ms: row.at_ms,
            receipt: session.receipt_by(row.device, row.space, row.own_seq),
            ..WrittenView::default()
        };
        return Ok(vec![added(by, session)]);
    }
    let history = session.history(args.chart, row.key)?;
    let this = session.this_device();
    let told = Told { session, history: &history };
    let last = history.iter().rposition(|past| past.device != this);
    let mut views = Vec::new();
    for (at, past) in history.iter().enumerate().rev() {
        // What was written offline long ago and came today is news too: at least the last foreign edit is shown.
        let news = past.device != this && (past.at_ms > shown.seen_ms() || Some(at) == last);
        if !news {
            continue;
        }
        for edit in past.edits.iter().rev() {
            views.push(match edit {
                Edit::Set { field, value, .. } => ChangeView {
                    row: shown.row(session, row),
                    field: Some(*field),
                    before: told.before(past, *field),
                    after: value.clone(),
                    by: told.past(past, value.clone()),
                },
                Edit::Add { .. } | Edit::Keep { .. } => added(told.past(past, row.value.clone()), session),
            });
        }
    }
    Ok(views)
}

/// The person has seen what there is now.
pub(crate) fn changes_seen(session: &mut Session, args: &SeenArgs) -> Result<(), SessionError> {
    let now = session.now_ms();
    session.set_seen(args.chart, now)
}
