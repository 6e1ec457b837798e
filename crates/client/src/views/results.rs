//! Results and measurements as series: the newest of each, and one series in full.
//!
//! Numbers of different units are never drawn together, and a range is only ever the laboratory's own.

use std::collections::BTreeMap;

use mecum_api::{ChartArgs, GoalView, PointView, ResultsView, SeriesView, TrendArgs, TrendView};
use mecum_domain::{Decimal, Flag, Kind, KindGroup, ReferenceRange};

use super::units::{self, Conversion, unit_key};
use super::{Shown, count};
use crate::error::SessionError;
use crate::row::{ChartRows, Row};
use crate::session::Session;
use crate::summary::is_active;

/// Values of the small line beside a series. Source: the contract's `SeriesView::line`.
const LINE: usize = 12;

/// All numeric series of a chart, those with the newest value first.
pub(crate) fn results(session: &mut Session, args: &ChartArgs) -> Result<ResultsView, SessionError> {
    session.load_chart(args.chart)?;
    let session: &Session = session;
    let rows = &session.charts.get(&args.chart).ok_or_else(SessionError::not_found)?.rows;
    let mut series: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.newest().into_iter().filter(|row| is_point(row)) {
        series.entry(row.trend.as_deref().unwrap_or_default()).or_default().push(row);
    }
    let mut all: Vec<&Vec<&Row>> = series.values().collect();
    all.sort_by(|a, b| a.first().map(|row| row.order()).cmp(&b.first().map(|row| row.order())));
    let (results, measurements): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|newest_first| newest_first.iter().any(|row| row.kind().group() == KindGroup::Results));
    let views =
        |series: Vec<&Vec<&Row>>| series.into_iter().filter_map(|rows| series_view(session, rows)).collect();
    Ok(ResultsView { results: views(results), measurements: views(measurements) })
}

/// A row that has a number and was not taken back.
fn is_point(row: &Row) -> bool {
    row.trend.is_some() && number(row, 0).is_some() && row.flag() != Flag::EnteredInError
}

fn number(row: &Row, at: usize) -> Option<f64> {
    row.numbers.get(at).and_then(|text| text.parse().ok())
}

fn key(row: &Row) -> String {
    unit_key(row.unit.as_deref().unwrap_or_default())
}

fn series_view(session: &Session, newest_first: &[&Row]) -> Option<SeriesView> {
    let newest = newest_first.first()?;
    let same_unit = newest_first.iter().filter(|row| key(row) == key(newest));
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
        receipt: session.receipt_by(newest.device, newest.space, newest.own_seq),
        line,
        count: count(newest_first.len()),
    })
}

fn loinc(trend: &str) -> Option<String> {
    trend.strip_prefix("loinc|").map(str::to_owned)
}

/// One series, oldest first. Converted only when the person asks for another unit than the printed one.
pub(crate) fn trend(session: &mut Session, args: &TrendArgs) -> Result<TrendView, SessionError> {
    let shown = Shown::of(session, args.chart)?;
    let rows = session.rows(args.chart)?;
    let of_series = |row: &&Row| row.trend.as_deref() == Some(args.trend.as_str()) && is_point(row);
    let newest_first: Vec<&Row> = rows.newest().into_iter().filter(of_series).collect();
    let newest = *newest_first.first().ok_or_else(SessionError::not_found)?;
    let loinc = loinc(&args.trend);
    let printed = newest.unit.clone().unwrap_or_default();
    let units = units::units(loinc.as_deref(), &printed);
    let asked = args.unit.as_ref().filter(|unit| units.contains(unit) && **unit != printed);
    let unit = asked.cloned().unwrap_or(printed);
    let (mut points, mut other_units) = (Vec::new(), Vec::new());
    for row in newest_first.into_iter().rev() {
        let Some(point) = point(row, &shown) else { continue };
        if key(row) == unit_key(&unit) {
            points.push(point);
            continue;
        }
        let way = asked.and_then(|unit| Conversion::between(loinc.as_deref(), &point.unit, unit));
        match way.and_then(|way| converted(&point, way)) {
            Some(converted) => points.push(converted),
            None => other_units.push(point),
        }
    }
    let goal = goal(rows, &args.trend, &newest.title);
    Ok(TrendView {
        trend: args.trend.clone(),
        title: newest.title.clone(),
        goal: goal.map(|goal| goal.title.clone()),
        limits: goal.and_then(|goal| limits(goal, &args.trend, loinc.as_deref(), &unit)),
        loinc,
        unit,
        points,
        other_units,
        units,
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
        source: source.or_else(|| row.editable().then(|| shown.author_of(row.device).to_owned())),
        converted: false,
    })
}

/// A point in another unit, with its range; what the laboratory printed around the number stays.
fn converted(point: &PointView, way: Conversion) -> Option<PointView> {
    let digits = |c: char| c.is_ascii_digit() || c == '-';
    let (around, number) = point.value.split_at_checked(point.value.find(digits)?)?;
    let number = way.of(&number.parse().ok()?)?;
    let limit = |limit: Option<&Decimal>| limit.and_then(|limit| way.of(limit));
    let range = point.range.as_ref().map(|range| ReferenceRange {
        low: limit(range.low.as_ref()),
        high: limit(range.high.as_ref()),
        text: None,
    });
    Some(PointView {
        value: format!("{around}{number}"),
        number: number.to_f64(),
        unit: way.unit().to_owned(),
        range: range.filter(|range| range.low.is_some() || range.high.is_some()),
        converted: true,
        ..point.clone()
    })
}

/// The newest goal about the series, or else the newest that names the measure in its own words. Nothing is read into a
/// goal that words it otherwise.
fn goal<'r>(rows: &'r ChartRows, trend: &str, title: &str) -> Option<&'r Row> {
    let title = title.to_lowercase();
    let goals: Vec<&Row> =
        rows.newest().into_iter().filter(|row| row.kind() == Kind::Goal && is_active(row)).collect();
    let named = |row: &&&Row| !title.is_empty() && row.title.to_lowercase().contains(&title);
    let about = goals.iter().find(|row| row.trend.as_deref() == Some(trend));
    about.or_else(|| goals.iter().find(named)).copied()
}

/// The limits of a goal about this very series, in the unit that is drawn.
fn limits(goal: &Row, trend: &str, loinc: Option<&str>, unit: &str) -> Option<GoalView> {
    let range = goal.range().filter(|_| goal.trend.as_deref() == Some(trend))?;
    // A limit without a unit says nothing about one.
    let printed = goal.unit.as_deref()?;
    let way = Conversion::between(loinc, printed, unit);
    if way.is_none() && unit_key(printed) != unit_key(unit) {
        return None;
    }
    let limit = |limit: Option<Decimal>| match way {
        Some(way) => limit.and_then(|limit| way.of(&limit)),
        None => limit,
    };
    let (low, high) = (limit(range.low), limit(range.high));
    (low.is_some() || high.is_some()).then(|| GoalView {
        low: low.map(|low| low.to_string()),
        high: high.map(|high| high.to_string()),
        beyond: matches!(range.text.as_deref(), Some("<" | ">")),
        entry: goal.key.name(),
        converted: way.is_some(),
    })
}
