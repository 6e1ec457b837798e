//! Dates as health records give them: a year, a month, a day or an instant.

use std::cmp::Ordering;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A FHIR `date` or `dateTime`, kept as its text ("2011", "2011-05", "2011-05-03", "2011-05-03T08:05:00+07:00").
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartialDate(String);

impl PartialDate {
    /// The date of a text whose year, and as far as given month and day, are real; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let date = Self(text.trim().to_owned());
        let digits = date.0.get(..4)?.bytes().all(|b| b.is_ascii_digit());
        let month_ok = date.0.len() == 4
            || (date.0.as_bytes().get(4) == Some(&b'-') && (1..=12).contains(&date.month()?));
        let day_ok = date.0.len() <= 7 || (date.0.as_bytes().get(7) == Some(&b'-') && date.day().is_some());
        (digits && month_ok && day_ok && date.0.len() <= 40).then_some(date)
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The year.
    pub fn year(&self) -> i16 {
        self.0.get(..4).and_then(|y| y.parse().ok()).unwrap_or(0)
    }

    /// The month, 1 to 12, where given.
    pub fn month(&self) -> Option<i8> {
        self.0.get(5..7).and_then(|m| m.parse().ok())
    }

    /// The civil day as written, where given.
    pub fn day(&self) -> Option<Date> {
        // By hand, as the rest of a date: what parses every form of ISO 8601 is a lot to load for ten letters.
        let number = |from: usize, to: usize| {
            let digits = self.0.get(from..to).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse::<i16>().ok()
        };
        let dash = |at: usize| self.0.as_bytes().get(at) == Some(&b'-');
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
        date.filter(|_| dash(4) && dash(7))
    }

    /// The time of day as written ("08:05"), where given.
    pub fn time(&self) -> Option<&str> {
        self.0.as_bytes().get(10).filter(|b| **b == b'T')?;
        self.0.get(11..16)
    }
}

impl PartialOrd for PartialDate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PartialDate {
    /// By the written civil time: good enough to list a life, and total.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// Completed years from `born` to `today`; `None` if born later than today or not known to the day.
pub fn age_on(born: &PartialDate, today: Date) -> Option<i16> {
    let born = born.day()?;
    let mut years = today.year() - born.year();
    if (today.month(), today.day()) < (born.month(), born.day()) {
        years -= 1;
    }
    (years >= 0).then_some(years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_keep_what_is_known() {
        let month = PartialDate::parse("2011-05").expect("a month");
        assert_eq!((month.year(), month.month(), month.day()), (2011, Some(5), None), "no day is made up");
        let instant = PartialDate::parse("2011-05-03T08:05:00+07:00").expect("an instant");
        assert_eq!(instant.time(), Some("08:05"), "the time as written");
        assert!(PartialDate::parse("2011-13").is_none(), "month 13 is refused");
        assert!(PartialDate::parse("2011-02-30").is_none(), "30 February is refused");
        for wrong in ["2011-02-3", "2011--2-03", "2011-2-003", "201-12-003", "2011-02 03", "2011-02-03x"] {
            let day = PartialDate::parse(wrong).and_then(|date| date.day());
            assert_eq!(
                day.is_some(),
                wrong.ends_with('x'),
                "only a year, a month and a day in their places: {wrong}"
            );
        }
        assert!(PartialDate::parse("May").is_none(), "words are refused");
    }

    #[test]
    fn age_counts_completed_years() {
        let born = PartialDate::parse("1958-11-23").expect("a day");
        assert_eq!(age_on(&born, jiff::civil::date(2026, 11, 22)), Some(67), "the day before the birthday");
        assert_eq!(age_on(&born, jiff::civil::date(2026, 11, 23)), Some(68), "on the birthday");
    }
}
