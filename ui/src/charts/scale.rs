//! The arithmetic of a trend chart: axes, bands and which labels fit. Knows pixels and numbers, no words and no page.

use mecum_api::PointView;
use mecum_domain::{Decimal, PartialDate};

use crate::format;

/// A range whose limits would squeeze the values into less than this part of the height is not fully drawn.
const LEAST_SHARE_OF_VALUES: f64 = 0.16;

/// A point in drawing coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Index in the view's points.
    pub at: usize,
    /// Horizontal pixel.
    pub x: f64,
    /// Vertical pixel.
    pub y: f64,
    /// Vertical pixel of the second value.
    pub y2: Option<f64>,
}

/// A stretch of points under one laboratory's one range.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// First pixel.
    pub x: f64,
    /// Width in pixels.
    pub width: f64,
    /// Upper edge; the top of the drawing when there is no upper limit.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// There is an upper limit within the drawing: it gets a line.
    pub top_line: bool,
    /// There is a lower limit within the drawing: it gets a line.
    pub bottom_line: bool,
    /// Index of a point whose range this is.
    pub of: usize,
}

/// Where the drawing goes, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// First pixel of the plot.
    pub left: f64,
    /// Last pixel of the plot.
    pub right: f64,
    /// Upper pixel of the plot.
    pub top: f64,
    /// Lower pixel of the plot.
    pub bottom: f64,
}

/// A drawn trend.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// The points in order.
    pub points: Vec<Placed>,
    /// Reference bands.
    pub bands: Vec<Band>,
    /// Horizontal lines with their number's text.
    pub grid: Vec<(f64, String)>,
    /// Vertical pixels of a goal's limits.
    pub goals: Vec<f64>,
}

/// Days since 1970 with the part of the day, of a date as written; `None` when it is no date.
#[expect(clippy::cast_precision_loss, reason = "days of a life are few")]
pub fn day_number(date: &str) -> Option<f64> {
    let known = PartialDate::parse(date)?;
    let month = known.month().unwrap_or(7);
    let day = known.day().or_else(|| {
        jiff::civil::Date::new(known.year(), month, if known.month().is_some() { 15 } else { 1 }).ok()
    })?;
    let days = format::days_of(day);
    let minutes = known.time().and_then(|t| {
        let (h, m) = t.split_once(':')?;
        Some(h.parse::<i64>().ok()? * 60 + m.parse::<i64>().ok()?)
    });
    Some(days as f64 + minutes.unwrap_or(0) as f64 / 1440.0)
}

/// Low and high limits of a point's range, as numbers.
fn limits(point: &PointView) -> (Option<f64>, Option<f64>) {
    let number = |d: &Option<Decimal>| d.as_ref().map(Decimal::to_f64).filter(|n| n.is_finite());
    point.range.as_ref().map_or((None, None), |r| (number(&r.low), number(&r.high)))
}

/// The axis: from, to, step. Rounded outward to steps of 1, 2 or 5, so that nothing is cut to flatter.
pub fn axis(low: f64, high: f64) -> (f64, f64, f64) {
    let span = if high > low { high - low } else { low.abs().max(1.0) * 0.2 };
    let (low, high) = if high > low { (low, high) } else { (low - span / 2.0, high + span / 2.0) };
    let rough = span / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(power * 10.0);
    let from = (low / step).floor() * step;
    let mut to = (high / step).ceil() * step;
    // A value on the edge needs room for its mark and label.
    if high > to - step * 0.25 {
        to += step;
    }
    (from, to, step)
}

/// Lays the points out in `area`. Points without a readable date are left to the table.
/// `goals` are the limits of a goal, in the unit of the points.
pub fn draw(points: &[PointView], goals: &[f64], area: Area) -> Drawing {
    let dated: Vec<(usize, f64, &PointView)> = points
        .iter()
        .enumerate()
        .filter(|(_, p)| p.number.is_finite())
        .filter_map(|(at, p)| Some((at, day_number(&p.date)?, p)))
        .collect();
    let numbers =
        dated.iter().flat_map(|(_, _, p)| [Some(p.number), p.number2.filter(|n| n.is_finite())]).flatten();
    let (low, high) = numbers.fold((f64::MAX, f64::MIN), |(l, h), n| (l.min(n), h.max(n)));
    let (Some(first), Some(last)) = (dated.first(), dated.last()) else { return Drawing::default() };
    // A goal is what the person looks for: it is always within the drawing.
    let (low, high) = goals.iter().fold((low, high), |(l, h), goal| (l.min(*goal), h.max(*goal)));
    let (low, high) = with_ranges(low, high, points);
    let (from, to, step) = axis(low, high);
    let scale_y = |n: f64| area.bottom - (n - from) / (to - from) * (area.bottom - area.top);
    let days = last.1 - first.1;
    let scale_x = |d: f64| {
        if days > 0.0 {
            area.left + (d - first.1) / days * (area.right - area.left)
        } else {
            f64::midpoint(area.left, area.right)
        }
    };
    let placed: Vec<Placed> = dated
        .iter()
        .map(|(at, day, p)| Placed {
            at: *at,
            x: scale_x(*day),
            y: scale_y(p.number),
            y2: p.number2.map(scale_y),
        })
        .collect();
    let bands = bands(points, &placed, area, scale_y);
    let mut grid = Vec::new();
    let decimals = usize::from(step < 1.0) + usize::from(step < 0.1) + usize::from(step < 0.01);
    let mut at = from;
    while at <= to + step / 1000.0 && grid.len() < 12 {
        grid.push((scale_y(at), format!("{at:.decimals$}")));
        at += step;
    }
    let goals = goals.iter().map(|goal| scale_y(*goal)).collect();
    Drawing { points: placed, bands, grid, goals }
}

/// Widens the values' span by the ranges' limits, as long as the values keep a fair share of the height.
fn with_ranges(low: f64, high: f64, points: &[PointView]) -> (f64, f64) {
    let mut wide = (low, high);
    for point in points {
        let (l, h) = limits(point);
        for n in [l, h].into_iter().flatten() {
            wide = (wide.0.min(n), wide.1.max(n));
        }
    }
    let share = if wide.1 > wide.0 { (high - low) / (wide.1 - wide.0) } else { 1.0 };
    if share >= LEAST_SHARE_OF_VALUES || points.len() < 3 {
        return wide;
    }
    // Only the nearer side of the range is drawn in full then.
    let room = (high - low).max(high.abs() * 0.05) / LEAST_SHARE_OF_VALUES / 2.0;
    (wide.0.max(low - room), wide.1.min(high + room))
}

fn bands(points: &[PointView], placed: &[Placed], area: Area, y: impl Fn(f64) -> f64) -> Vec<Band> {
    let key = |p: &Placed| points.get(p.at).map(|p| (limits(p), p.source.clone()));
    let mut out: Vec<Band> = Vec::new();
    let mut start = 0;
    for at in 1..=placed.len() {
        let (Some(head), here) = (placed.get(start), placed.get(at)) else { continue };
        if here.is_some_and(|p| key(p) == key(head)) {
            continue;
        }
        let before = start.checked_sub(1).and_then(|b| placed.get(b));
        let tail = placed.get(at - 1).unwrap_or(head);
        let x = before.map_or(area.left - 8.0, |b| f64::midpoint(b.x, head.x) + 2.0);
        let end = here.map_or(area.right + 8.0, |h| f64::midpoint(tail.x, h.x) - 2.0);
        start = at;
        let (low, high) = points.get(head.at).map_or((None, None), limits);
        if low.is_none() && high.is_none() {
            continue;
        }
        let top = high.map_or(area.top, &y).clamp(area.top, area.bottom);
        let bottom = low.map_or(area.bottom, &y).clamp(area.top, area.bottom);
        if bottom - top < 1.0 {
            continue;
        }
        out.push(Band {
            x,
            width: (end - x).max(4.0),
            top,
            bottom,
            top_line: top > area.top,
            bottom_line: bottom < area.bottom,
            of: head.at,
        });
    }
    out
}

/// Which of `places` (pixel, width, weight) can carry a label without touching another: heavier ones first.
pub fn labels_that_fit(places: &[(f64, f64, u8)], gap: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(places.get(*at).map_or(0, |p| p.2)));
    let mut taken: Vec<(f64, f64)> = Vec::new();
    let mut fits = vec![false; places.len()];
    for at in order {
        let Some((x, width, _)) = places.get(at) else { continue };
        let (from, to) = (x - width / 2.0 - gap, x + width / 2.0 + gap);
        if taken.iter().all(|(l, r)| to <= *l || from >= *r) {
            taken.push((x - width / 2.0, x + width / 2.0));
            if let Some(fit) = fits.get_mut(at) {
                *fit = true;
            }
        }
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use mecum_domain::ReferenceRange;

    const AREA: Area = Area { left: 40.0, right: 340.0, top: 20.0, bottom: 220.0 };

    fn point(date: &str, number: f64, range: Option<(&str, &str)>, source: &str) -> PointView {
        PointView {
            date: date.into(),
            number,
            value: number.to_string(),
            source: Some(source.into()),
            range: range.map(|(low, high)| ReferenceRange {
                low: low.parse().ok(),
                high: high.parse().ok(),
                text: None,
            }),
            ..PointView::default()
        }
    }

    #[test]
    fn every_value_lies_inside_the_axis() {
        for (low, high) in [(7.3, 8.4), (0.0, 0.0), (138.0, 138.0), (0.01, 0.02), (3.0, 1_200.0), (-2.0, 4.0)]
        {
            let (from, to, step) = axis(low, high);
            assert!(from <= low && to >= high, "{low} to {high} lies in {from} to {to}");
            assert!((to - from) / step < 12.0, "{low} to {high} needs few lines");
        }
    }

    #[test]
    fn later_is_to_the_end_and_more_is_up() {
        let points = [
            point("2026-01-01", 5.0, None, "A"),
            point("2026-03-01", 7.0, None, "A"),
            point("2026-09-01", 6.0, None, "A"),
        ];
        let drawing = draw(&points, &[], AREA);
        let [a, b, c] = drawing.points.as_slice() else { panic!("three points are drawn") };
        assert!(a.x < b.x && b.x < c.x, "time runs one way");
        assert!(b.x - a.x < c.x - b.x, "distances follow the time between");
        assert!(b.y < c.y && c.y < a.y, "a higher value is drawn higher");
    }

    #[test]
    fn a_goal_lies_within_the_drawing_however_far_it_is() {
        let points = [point("2026-01-01", 7.8, None, "A"), point("2026-03-01", 7.9, None, "A")];
        let drawing = draw(&points, &[5.0], AREA);
        let [goal] = drawing.goals.as_slice() else { panic!("one limit, one line") };
        assert!((AREA.top..=AREA.bottom).contains(goal), "the line is drawn at {goal}");
        assert!(drawing.points.iter().all(|p| p.y < *goal), "every value lies above it");
    }

    #[test]
    fn a_change_of_laboratory_breaks_the_band() {
        let range = Some(("4.0", "5.6"));
        let one = [point("2026-01-01", 5.0, range, "A"), point("2026-02-01", 5.1, range, "A")];
        assert_eq!(draw(&one, &[], AREA).bands.len(), 1, "one laboratory, one band");
        let two = [point("2026-01-01", 5.0, range, "A"), point("2026-02-01", 5.1, range, "B")];
        let bands = draw(&two, &[], AREA).bands;
        assert_eq!(bands.len(), 2, "another laboratory, another band");
        let none = [point("2026-01-01", 5.0, None, "A"), point("2026-02-01", 5.1, None, "A")];
        assert!(draw(&none, &[], AREA).bands.is_empty(), "no range, no band");
    }

    #[test]
    fn labels_never_touch_and_the_last_one_stays() {
        let places: Vec<(f64, f64, u8)> =
            (0..40).map(|n| (f64::from(n) * 8.0, 24.0, u8::from(n == 39))).collect();
        let fits = labels_that_fit(&places, 4.0);
        assert!(fits.last().copied().unwrap_or(false), "the newest value is always printed");
        let shown: Vec<f64> = places.iter().zip(&fits).filter(|(_, f)| **f).map(|(p, _)| p.0).collect();
        assert!(shown.windows(2).all(|w| w[1] - w[0] >= 28.0), "labels keep their distance");
    }

    #[test]
    fn a_partial_date_is_placed_in_its_month() {
        let may = day_number("2011-05").expect("a month is enough to draw");
        let june = day_number("2011-06-01").expect("a day");
        assert!(may < june, "May lies before June");
        assert!(day_number("soon").is_none(), "no date, no place");
    }
}
