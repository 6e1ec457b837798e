//! The timeline: a chart's rows, newest first, by year and kind.

use std::collections::BTreeMap;

use mecum_api::{GroupCount, TimelineArgs, TimelineView, YearCount};
use mecum_domain::KindGroup;

use super::{Shown, count};
use crate::error::SessionError;
use crate::row::Row;
use crate::session::Session;
use crate::summary::is_listed;

/// Rows in one answer. Source: the contract's `TimelineArgs::limit`.
const MAX_ROWS: u32 = 200;

/// Rows when the asker names no number: two screens of a laptop.
const USUAL_ROWS: u32 = 50;

/// A part of a chart's timeline.
pub(crate) fn timeline(session: &mut Session, args: &TimelineArgs) -> Result<TimelineView, SessionError> {
    let shown = Shown::of(session, args.chart)?;
    let limit = if args.limit == 0 { USUAL_ROWS } else { args.limit.min(MAX_ROWS) } as usize;
    let rows: Vec<&Row> =
        session.rows(args.chart)?.newest().into_iter().filter(|row| is_listed(row)).collect();
    let mut groups: BTreeMap<KindGroup, u32> = BTreeMap::new();
    for row in &rows {
        *groups.entry(row.kind().group()).or_default() += 1;
    }
    let chosen = |row: &Row| args.groups.is_empty() || args.groups.contains(&row.kind().group());
    let in_groups: Vec<&Row> = rows.iter().copied().filter(|row| chosen(row)).collect();
    let mut years: BTreeMap<i16, u32> = BTreeMap::new();
    for row in &in_groups {
        *years.entry(row.year()).or_default() += 1;
    }
    let fit: Vec<&Row> =
        in_groups.into_iter().filter(|row| args.year.is_none_or(|year| row.year() == year)).collect();
    let (all, total) = (count(rows.len()), count(fit.len()));
    let page: Vec<Row> = fit.into_iter().skip(args.offset as usize).take(limit).cloned().collect();
    let more = args.offset.saturating_add(count(page.len())) < total;
    let group =
        |group: &KindGroup| GroupCount { group: *group, count: groups.get(group).copied().unwrap_or(0) };
    Ok(TimelineView {
        all,
        total,
        groups: KindGroup::ALL.iter().map(group).collect(),
        years: years.into_iter().rev().map(|(year, count)| YearCount { year, count }).collect(),
        rows: page.iter().map(|row| shown.row(session, row)).collect(),
        more,
    })
}
