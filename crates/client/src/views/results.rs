//! Results and measurements as series: the newest of each, and one series in full.
//!
//! Numbers of different units are never drawn together, and a range is only ever the laboratory's own.

use std::collections::BTreeMap;

use mecum_api::{ChartArgs, PointView, ResultsView, SeriesView, TrendArgs, TrendView};
use mecum_domain::{Flag, Kind, KindGroup};

use super::{Shown, count};
use crate::error::SessionError;
use crate::row::{ChartRows, Row};
use crate::session::Session;
use crate::summary::is_active;

/// Values of the small line beside a series. Source: the contract's `SeriesView::line`.
const LINE: usize = 12;

/// All numeric series of a chart, those with the newest value first.
pub(crate) fn results(session: &mut Session, args: &ChartArgs) -> Result<ResultsView, SessionError> {
    let rows = session.rows(args.chart)?;
    let mut series: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.newest().into_iter().filter(|row| is_point(row)) {
        series.entry(row.trend.as_deref().unwrap_or_default()).or_default().push(row);
    }
    let mut all: Vec<&Vec<&Row>> = series.values().collect();
    all.sort_by(|a, b| a.first().map(|row| row.order()).cmp(&b.first().map(|row| row.order())));
    let (results, measurements): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|newest_first| newest_first.iter().any(|row| row.kind().group() == KindGroup::Results));
    let views = |series: Vec<&Vec<&Row>>| series.into_iter().filter_map(|rows| series_view(rows)).collect();
    Ok(ResultsView { results: views(results), measurements: views(measurements) })
}

/// A row that has a number and was not taken back.
fn is_point(row: &Row) -> bool {
    row.trend.is_some() && number(row, 0).is_some() && row.flag() != Flag::EnteredInError
}

fn number(row: &Row, at: usize) -> Option<f64> {
    row.numbers.get(at).and_then(|text| text.parse().ok())
}

/// Units that are printed differently and mean the same count as one.
fn unit_key(row: &Row) -> String {
    let unit = row.unit.as_deref().unwrap_or_default().trim();
    match unit {
        "mm[Hg]" | "mm Hg" | "mmHg" => "mmHg".into(),
        "Cel" | "°C" | "C" | "degC" => "°C".into(),
        "/min" | "{beats}/min" | "beats/min" | "bpm" | "{Beats}/min" | "beats/minute" => "/min".into(),
        "kg/m2" | "kg/m²" => "kg/m2".into(),
        _ => unit.to_lowercase(),
    }
}

fn series_view(newest_first: &[&Row]) -> Option<SeriesView> {
    let newest = newest_first.first()?;
    let same_unit = newest_first.iter().filter(|row| unit_key(row) == unit_key(newest));
    let mut line: Vec<f64> = same_unit.take(LINE).filter_map(|row| number(row, 0)).collect();
    line.reverse();
    Some(SeriesView {
        trend: newest.trend.clone()?,
        title: newest.title.clone(),
        loinc: loinc(newest.trend.as_deref()?),
        value: newest.value.clone().unwrap_or_default(),
        unit: newest.unit.clone().unwrap_or_default(),
        flag: newest.flag(),
        date: newest.date.clone().unwrap_or_default(),
        entry: newest.key.name(),
        line,
        count: count(newest_first.len()),
    })
}

fn loinc(trend: &str) -> Option<String> {
    trend.strip_prefix("loinc|").map(str::to_owned)
}

/// One series, oldest first.
pub(crate) fn trend(session: &mut Session, args: &TrendArgs) -> Result<TrendView, SessionError> {
    let shown = Shown::of(session, args.chart)?;
    let rows = session.rows(args.chart)?;
    let of_series = |row: &&Row| row.trend.as_deref() == Some(args.trend.as_str()) && is_point(row);
    let newest_first: Vec<&Row> = rows.newest().into_iter().filter(of_series).collect();
    let newest = *newest_first.first().ok_or_else(SessionError::not_found)?;
    let (same, other): (Vec<&Row>, Vec<&Row>) =
        newest_first.iter().rev().partition(|row| unit_key(row) == unit_key(newest));
    let points = |rows: Vec<&Row>| rows.into_iter().filter_map(|row| point(row, &shown)).collect();
    Ok(TrendView {
        trend: args.trend.clone(),
        title: newest.title.clone(),
        loinc: loinc(&args.trend),
        unit: newest.unit.clone().unwrap_or_default(),
        points: points(same),
        other_units: points(other),
        goal: goal(rows, &newest.title),
    })
}

fn point(row: &Row, shown: &Shown) -> Option<PointView> {
    let (first, second) = (row.numbers.first(), row.numbers.get(1));
    // A single value keeps what the laboratory printed around it ("<0.5"); of two each stands alone.
    let value = if second.is_some() { first.cloned() } else { row.value.clone().or_else(|| first.cloned()) };
    let source = row.organization.clone().or_else(|| row.author.clone());
    Some(PointView {
        entry: row.key.name(),
        date: row.date.clone().unwrap_or_default(),
        value: value?,
        number: number(row, 0)?,
        value2: second.cloned(),
        number2: number(row, 1),
        unit: row.unit.clone().unwrap_or_default(),
        flag: row.flag(),
        range: row.range(),
        source: source.or_else(|| row.editable().then(|| shown.author().to_owned())),
    })
}

/// The newest goal that names the measure in its own words. Nothing is read into a goal that words it otherwise.
fn goal(rows: &ChartRows, title: &str) -> Option<String> {
    let title = title.to_lowercase();
    let goals = rows.newest().into_iter().filter(|row| row.kind() == Kind::Goal && is_active(row));
    let names = |row: &&Row| !title.is_empty() && row.title.to_lowercase().contains(&title);
    goals.into_iter().find(names).map(|row| row.title.clone())
}
