//! The timeline: a chart's rows, newest first, by year and kind.

use std::collections::BTreeMap;

use mecum_api::{GroupCount, NameCount, TimelineArgs, TimelineView, YearCount};
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

/// Names offered as a filter. Source: the contract's `TimelineView::authors`.
const MAX_NAMES: usize = 40;

/// A part of a chart's timeline.
pub(crate) fn timeline(session: &mut Session, args: &TimelineArgs) -> Result<TimelineView, SessionError> {
    mecum_trip::here("view");
    let shown = Shown::of(session, args.chart)?;
    let limit = if args.limit == 0 { USUAL_ROWS } else { args.limit.min(MAX_ROWS) } as usize;
    let rows: Vec<&Row> =
        session.rows(args.chart)?.newest().into_iter().filter(|row| is_listed(row)).collect();
    let mut groups: BTreeMap<KindGroup, u32> = BTreeMap::new();
    for row in &rows {
        *groups.entry(row.kind().group()).or_default() += 1;
    }
    let chosen = |row: &Row| args.groups.is_empty() || args.groups.contains(&row.kind().group());
    let author = |row: &Row| {
        if row.editable() { Some(shown.author_of(row.device).to_owned()) } else { row.author.clone() }
    };
    let authors = names(rows.iter().filter_map(|row| author(row)));
    let places = names(rows.iter().filter_map(|row| row.organization.clone()));
    let by = |row: &Row| args.author.is_none() || author(row) == args.author;
    let at = |row: &Row| args.place.is_none() || row.organization == args.place;
    let in_groups: Vec<&Row> = rows.iter().copied().filter(|row| chosen(row) && by(row) && at(row)).collect();
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
        authors,
        places,
        years: years.into_iter().rev().map(|(year, count)| YearCount { year, count }).collect(),
        rows: page.iter().map(|row| shown.row(session, row)).collect(),
        more,
    })
}

/// How often each name stands, most first.
fn names(all: impl Iterator<Item = String>) -> Vec<NameCount> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for name in all.filter(|name| !name.trim().is_empty()) {
        *counts.entry(name).or_default() += 1;
    }
    let mut names: Vec<NameCount> =
        counts.into_iter().map(|(name, count)| NameCount { name, count }).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.count));
    names.truncate(MAX_NAMES);
    names
}
