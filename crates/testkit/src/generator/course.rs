//! Days and values over the years: when visits fall, and how a value goes from one known point to the next.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::Dice;

/// `date` moved by days, or `date` itself at the ends of the calendar.
pub(super) fn days(date: Date, by: i64) -> Date {
    date.checked_add(by.days()).unwrap_or(date)
}

/// The same day, or the Monday after it: clinics are closed at weekends.
pub(super) fn on_a_weekday(date: Date) -> Date {
    match date.weekday() {
        Weekday::Saturday => days(date, 2),
        Weekday::Sunday => days(date, 1),
        _ => date,
    }
}

/// `count` visits, one each `every` days, the last about a week before `today`; oldest first.
pub(super) fn visits(today: Date, every: i64, count: i64) -> Vec<Date> {
    // 11 days: moving to a Monday must not pass today.
    (0..count).rev().map(|back| on_a_weekday(days(today, -11 - back * every))).collect()
}

/// A value at `at` between known points, straight from one to the next, level beyond the ends.
pub(super) fn level(points: &[(f64, f64)], at: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for (x, y) in points.iter().copied() {
        if at <= x {
            return match before {
                Some((x0, y0)) if x > x0 => y0 + (y - y0) * (at - x0) / (x - x0),
                _ => y,
            };
        }
        before = Some((x, y));
    }
    before.map_or(0.0, |(_, y)| y)
}

/// [`level`] with a scatter of about `spread`.
pub(super) fn around(dice: &Dice, points: &[(f64, f64)], at: f64, spread: f64) -> f64 {
    level(points, at) + dice.around(spread)
}

/// An index as the number that curves are drawn over.
pub(super) fn index(at: usize) -> f64 {
    u32::try_from(at).map_or(0.0, f64::from)
}

/// RFC 3339 of a day and a time in western Indonesia.
pub(super) fn at_time(date: Date, hour: i64, minute: i64) -> String {
    format!("{date}T{hour:02}:{minute:02}:00+07:00")
}
