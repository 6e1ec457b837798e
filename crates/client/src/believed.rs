//! What time it is for what must end by itself, where a clock may be wrong: a device's own, by accident or on purpose, or the
//! server's, which may lie. Nothing here orders edits: their order comes from chains.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mecum_sync::controls::{holds, is_out};
use tokio::time::Instant;

use crate::session::Session;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// How far the server's clock may be ahead of the own and still be believed: a server that lies about the year ends nobody's
/// share.
const MAX_AHEAD_MS: i64 = 366 * 24 * HOUR_MS;

/// 2026-01-01: before this program was written no device can run it. A clock that says less is wrong, whatever a server says.
const WRITTEN_MS: i64 = 1_767_225_600_000;

/// A civil date is over everywhere this long after it is over in UTC.
const LAST_ZONE_MS: i64 = 12 * HOUR_MS;

/// Today, for what holds until a date: the later of the device's own date and of the server's, as far as that is believed. So a
/// device whose clock is behind ends what is over; one that is ahead ends it too early rather than never.
fn today_for_ends(own: Date, own_ms: i64, server_ms: Option<i64>) -> Date {
    let believed = server_ms.filter(|server_ms| {
        let ahead_ms = server_ms.saturating_sub(own_ms);
        holds("server-clock", ahead_ms > 0 && (ahead_ms <= MAX_AHEAD_MS || own_ms < WRITTEN_MS))
    });
    let Some(at) = believed.and_then(|ms| Timestamp::from_millisecond(ms - LAST_ZONE_MS).ok()) else {
        return own;
    };
    let theirs = at.to_zoned(TimeZone::UTC).date();
    // Taken out: the server's word is believed, whatever it is.
    if is_out("server-clock") { theirs } else { own.max(theirs) }
}

impl Session {
    /// Notes what the server's clock says.
    pub(crate) fn note_server_time(&mut self, server_ms: i64) {
        self.server_ms = Some(server_ms);
        self.server_ahead_ms = Some(server_ms.saturating_sub(self.now_ms()));
    }

    /// How far the server's clock was ahead of the own when it answered last, in ms; nothing before the first answer. Between the two
    /// lies the way of that answer.
    pub fn server_ahead_ms(&self) -> Option<i64> {
        self.server_ahead_ms
    }

    /// Today, for what holds until a date.
    pub(crate) fn today_for_ends(&self) -> Date {
        today_for_ends(self.today(), self.now_ms(), self.server_ms)
    }
}

/// When somebody last was there, by two clocks: the wall's goes on while a device sleeps, the other cannot be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touched {
    wall_ms: i64,
    at: Instant,
}

impl Touched {
    /// Now.
    pub(crate) fn new(wall_ms: i64, at: Instant) -> Self {
        Self { wall_ms, at }
    }

    /// How long nobody was there, in ms: what the clock says that says more. A wall clock that is set back must not keep a
    /// vault open.
    pub(crate) fn quiet_ms(&self, wall_ms: i64, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.at).as_millis();
        wall_ms.saturating_sub(self.wall_ms).max(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY_MS: i64 = 24 * HOUR_MS;
    /// 2026-09-08 08:00 UTC.
    const NOW_MS: i64 = 1_788_854_400_000;

    fn date(ms: i64) -> Date {
        Timestamp::from_millisecond(ms).expect("in range").to_zoned(TimeZone::UTC).date()
    }

    #[test]
    fn a_clock_that_is_behind_is_made_up_for_by_the_servers_and_a_lie_is_not_believed() {
        let today = |own_ms, server_ms| today_for_ends(date(own_ms), own_ms, server_ms);
        assert_eq!(today(NOW_MS, None), date(NOW_MS), "without a server the own clock counts");
        for behind_ms in [10 * 60_000, DAY_MS, 300 * DAY_MS, 3_653 * DAY_MS] {
            let believed = today(NOW_MS - behind_ms, Some(NOW_MS));
            assert!(date(NOW_MS - DAY_MS) <= believed && believed <= date(NOW_MS), "{behind_ms} ms behind");
        }
        let ahead = today(NOW_MS + 18_262 * DAY_MS, Some(NOW_MS));
        assert_eq!(ahead, date(NOW_MS + 18_262 * DAY_MS), "a clock that is ahead ends too early, not never");
        for lie_ms in [3_653 * DAY_MS, -3_653 * DAY_MS] {
            assert_eq!(today(NOW_MS, Some(NOW_MS + lie_ms)), date(NOW_MS), "a server's lie of {lie_ms} ms");
        }
        assert_eq!(today(NOW_MS, Some(i64::MAX)), date(NOW_MS), "nor one without bounds");
    }

    #[test]
    fn a_wall_clock_that_is_set_back_keeps_nothing_open() {
        let began = Instant::now();
        let touched = Touched::new(NOW_MS, began);
        let later = began + Duration::from_mins(6);
        assert_eq!(touched.quiet_ms(NOW_MS - 3_653 * DAY_MS, later), 6 * 60_000, "set back ten years");
        assert_eq!(touched.quiet_ms(NOW_MS + DAY_MS, began), DAY_MS, "asleep for a day");
        assert_eq!(touched.quiet_ms(NOW_MS, began), 0, "just now");
    }
}
