//! Opening hours: which minutes count while somebody waits for a hospital's answer.
//!
//! The hospital publishes them with everything else that it promises, and every device computes the same from them. So the zone is a
//! POSIX TZ string, which needs no table of zones: "WIB-7", or "CET-1CEST,M3.5.0,M10.5.0/3".

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// No due time is looked for further ahead: hours that are closed for so long are a mistake.
const MOST_DAYS: i32 = 2 * 366;

const MINUTE_MS: i64 = 60_000;

/// Hours cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoursError {
    /// The zone is no POSIX TZ string.
    Zone,
    /// A span is not within a day, ends before it begins, or lies over another of its day.
    Span,
    /// No minute of a week is open.
    NeverOpen,
}

impl std::fmt::Display for HoursError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            HoursError::Zone => "the time zone is not a POSIX TZ string",
            HoursError::Span => "a span of hours does not fit into its day",
            HoursError::NeverOpen => "no minute of a week is open",
        })
    }
}

impl std::error::Error for HoursError {}

/// A stretch of a day, in minutes from its midnight by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First minute.
    pub from: u16,
    /// The minute after the last; 1,440 is midnight.
    pub to: u16,
}

/// As it is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningHours {
    /// POSIX TZ string.
    pub zone: String,
    /// Monday to Sunday.
    pub week: [Vec<Span>; 7],
    /// Days on which nothing is open.
    pub closed: Vec<Date>,
}

/// Hours that can be computed with.
#[derive(Clone, Debug)]
pub struct Hours {
    zone: TimeZone,
    week: [Vec<Span>; 7],
    closed: Vec<Date>,
}

impl Hours {
    /// Checks what was published.
    pub fn new(published: &OpeningHours) -> Result<Self, HoursError> {
        let zone = TimeZone::posix(&published.zone).map_err(|_| HoursError::Zone)?;
        let mut week = published.week.clone();
        for day in &mut week {
            day.sort_unstable();
            let each = day.iter().all(|span| span.from < span.to && span.to <= 24 * 60);
            let apart = day.windows(2).all(|pair| matches!(pair, [one, next] if one.to <= next.from));
            if !each || !apart {
                return Err(HoursError::Span);
            }
        }
        if week.iter().all(Vec::is_empty) {
            return Err(HoursError::NeverOpen);
        }
        let mut closed = published.closed.clone();
        closed.sort_unstable();
        Ok(Self { zone, week, closed })
    }

    /// Whether it is open at an instant, in ms since the epoch.
    pub fn is_open(&self, at_ms: i64) -> bool {
        self.day_of(at_ms).is_some_and(|day| self.spans(day).any(|(from, to)| (from..to).contains(&at_ms)))
    }

    /// The instant, in ms since the epoch, at which so many open minutes have passed since `from_ms`; `None` where there are not so many
    /// within two years. No minutes are over at once, even while it is closed.
    pub fn due(&self, from_ms: i64, minutes: u32) -> Option<i64> {
        let mut left = i64::from(minutes) * MINUTE_MS;
        if left == 0 {
            return Some(from_ms);
        }
        let mut day = self.day_of(from_ms)?;
        for _ in 0..MOST_DAYS {
            for (from, to) in self.spans(day) {
                let from = from.max(from_ms);
                if from >= to {
                    continue;
                }
                if to - from >= left {
                    return Some(from + left);
                }
                left -= to - from;
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Open minutes between two instants, rounded down; 0 where the second is not later.
    pub fn minutes_between(&self, from_ms: i64, to_ms: i64) -> u32 {
        let Some(mut day) = self.day_of(from_ms).filter(|_| from_ms < to_ms) else { return 0 };
        let mut open = 0;
        for _ in 0..MOST_DAYS {
            for (from, to) in self.spans(day) {
                open += (to.min(to_ms) - from.max(from_ms)).max(0);
            }
            let Some(next) =
                day.tomorrow().ok().filter(|next| self.instant(*next, 0).is_some_and(|at| at < to_ms))
            else {
                break;
            };
            day = next;
        }
        u32::try_from(open / MINUTE_MS).unwrap_or(u32::MAX)
    }

    fn day_of(&self, at_ms: i64) -> Option<Date> {
        Some(Timestamp::from_millisecond(at_ms).ok()?.to_zoned(self.zone.clone()).date())
    }

    /// The open stretches of a day as instants. A span that a change of the clocks takes away is empty.
    fn spans(&self, day: Date) -> impl Iterator<Item = (i64, i64)> {
        let of_week = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let closed = self.closed.binary_search(&day).is_ok();
        let spans = self.week.get(of_week).filter(|_| !closed).map_or(&[][..], Vec::as_slice);
        spans.iter().filter_map(move |span| {
            let (from, to) = (self.instant(day, span.from)?, self.instant(day, span.to)?);
            (from < to).then_some((from, to))
        })
    }

    /// The instant of a minute of a day. One that the clocks skip is the first after the gap; one that comes twice is the first.
    fn instant(&self, day: Date, minute: u16) -> Option<i64> {
        let (day, minute) = if minute == 24 * 60 { (day.tomorrow().ok()?, 0) } else { (day, minute) };
        let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
        let at = self.zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()?;
        Some(at.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_millisecond()
    }

    /// Monday to Friday eight to noon and one to four, Saturday eight to noon.
    fn published(zone: &str) -> OpeningHours {
        let (morning, afternoon) = (Span { from: 480, to: 720 }, Span { from: 780, to: 960 });
        let full = vec![afternoon, morning];
        let week = [full.clone(), full.clone(), full.clone(), full.clone(), full, vec![morning], vec![]];
        OpeningHours { zone: zone.into(), week, closed: vec![jiff::civil::date(2026, 12, 25)] }
    }

    #[test]
    fn minutes_count_only_while_it_is_open() {
        let hours = Hours::new(&published("WIB-7")).expect("hours");
        let due = |from: &str, minutes| hours.due(at(from), minutes).expect("within two years");
        let monday = "2026-11-23T08:00:00+07:00";
        assert_eq!(due(monday, 0), at(monday), "nothing to wait for");
        assert_eq!(due(monday, 240), at("2026-11-23T12:00:00+07:00"), "a morning");
        assert_eq!(due(monday, 241), at("2026-11-23T13:01:00+07:00"), "over lunch");
        assert_eq!(due("2026-11-21T11:30:00+07:00", 60), at("2026-11-23T08:30:00+07:00"), "over Sunday");
        assert_eq!(due("2026-11-22T03:00:00+07:00", 30), at("2026-11-23T08:30:00+07:00"), "asked at night");
        assert_eq!(due("2026-12-24T15:30:00+07:00", 60), at("2026-12-26T08:30:00+07:00"), "over a holiday");
        assert!(hours.is_open(at("2026-11-23T11:59:59+07:00")), "just before noon");
        assert!(!hours.is_open(at("2026-11-23T12:00:00+07:00")), "at noon");
        assert!(!hours.is_open(at("2026-12-25T09:00:00+07:00")), "a holiday");
    }

    #[test]
    fn what_is_due_is_so_many_minutes_away_in_any_zone() {
        for zone in ["WIB-7", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<+0545>-5:45"] {
            let hours = Hours::new(&published(zone)).expect("hours");
            let mut from = at("2026-03-01T00:00:00Z");
            for minutes in [1, 59, 420, 421, 2_340, 12_000, 77_777] {
                let due = hours.due(from, minutes).expect("within two years");
                assert_eq!(hours.minutes_between(from, due), minutes, "{zone} from {from}");
                assert_eq!(hours.minutes_between(from, due - MINUTE_MS), minutes - 1, "a minute earlier");
                from = due + 7 * 60 * MINUTE_MS;
            }
        }
    }

    #[test]
    fn a_night_that_the_clocks_change_is_neither_longer_nor_shorter_than_it_was() {
        let mut round = published("CET-1CEST,M3.5.0,M10.5.0/3");
        round.week = std::array::from_fn(|_| vec![Span { from: 0, to: 1440 }]);
        let hours = Hours::new(&round).expect("hours");
        let day = |text: &str| hours.minutes_between(at(text), at(text) + 24 * 60 * MINUTE_MS);
        assert_eq!(day("2026-03-28T23:00:00Z"), 1_440, "always open: minutes are minutes");
        assert_eq!(
            hours.due(at("2026-03-28T23:00:00Z"), 1_380),
            Some(at("2026-03-29T22:00:00Z")),
            "a day of 23 hours"
        );
    }

    #[test]
    fn hours_that_nobody_can_keep_are_refused() {
        let wrong = |change: &dyn Fn(&mut OpeningHours)| {
            let mut hours = published("WIB-7");
            change(&mut hours);
            Hours::new(&hours).err()
        };
        assert_eq!(
            wrong(&|hours| hours.zone = "Asia/Jakarta".into()),
            Some(HoursError::Zone),
            "a name needs a table"
        );
        assert_eq!(
            wrong(&|hours| hours.week = Default::default()),
            Some(HoursError::NeverOpen),
            "never open"
        );
        let span = |from, to| {
            wrong(&move |hours| hours.week[6] = vec![Span { from: 600, to: 700 }, Span { from, to }])
        };
        assert_eq!(span(690, 800), Some(HoursError::Span), "over each other");
        assert_eq!(span(800, 800), Some(HoursError::Span), "empty");
        assert_eq!(span(800, 1441), Some(HoursError::Span), "into the next day");
        assert_eq!(span(700, 1440), None, "up to midnight");
        let never = OpeningHours {
            closed: (0..900).map(|n| jiff::civil::date(2026, 1, 1) + jiff::Span::new().days(n)).collect(),
            ..published("WIB-7")
        };
        assert_eq!(
            Hours::new(&never).expect("hours").due(at("2026-01-01T00:00:00Z"), 1),
            None,
            "closed for two years"
        );
    }
}
