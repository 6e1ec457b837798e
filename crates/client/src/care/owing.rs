//! What a hospital owes in a conversation, and since when: of the acts alone, and then at a moment.

use mecum_api::{ClockState, ClockView};
use mecum_domain::{Act, Acts, Appointment, AppointmentAct, Case, CaseAct, Hours, Owed};

const MINUTE_MS: i64 = 60_000;

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owing {
    /// Whether it is the outcome.
    pub(crate) outcome: bool,
    pub(crate) received_ms: i64,
    pub(crate) due_ms: i64,
    /// Why the clock stands.
    pub(crate) paused_for: Option<String>,
}

fn newest<'a, T: Clone, R>(acts: &'a Acts<T>, of: impl Fn(&'a Act<T>) -> Option<R>) -> Option<R> {
    acts.iter().filter_map(|(_, act)| of(act)).last()
}

impl Owing {
    /// In a case.
    pub(crate) fn of_case(case: &Case, acts: &Acts<CaseAct>) -> Option<Self> {
        let due = case.clock.next?;
        let received = newest(acts, |act| match act.what {
            CaseAct::Received { answer_due_ms, outcome_due_ms, .. } if act.what.may(act.author.role) => {
                let begins = match due.owed {
                    Owed::Answer => Some(answer_due_ms),
                    Owed::Outcome => outcome_due_ms,
                };
                // What a pause moved is due later than was said.
                begins.filter(|begins| *begins <= due.at_ms).map(|_| act.at_ms)
            }
            _ => None,
        });
        let paused = case.clock.paused.and_then(|key| acts.get(acts.place(key)?));
        let reason = paused.and_then(|act| match &act.what {
            CaseAct::Pause { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        Some(Self {
            outcome: due.owed == Owed::Outcome,
            received_ms: received.unwrap_or(due.at_ms),
            due_ms: due.at_ms,
            paused_for: reason,
        })
    }

    /// About an appointment: while the hospital has to answer.
    pub(crate) fn of_appointment(appointment: &Appointment, acts: &Acts<AppointmentAct>) -> Option<Self> {
        let received = acts.get(acts.place(appointment.received?)?)?;
        let AppointmentAct::Received { due_ms, .. } = received.what else { return None };
        let (received_ms, paused_for) = (received.at_ms, None);
        appointment.waits_for_hospital.then_some(Self { outcome: false, received_ms, due_ms, paused_for })
    }

    /// At a moment, by the hospital's hours where they are known; by every minute where they are not.
    pub(crate) fn view(&self, hours: Option<&Hours>, now_ms: i64) -> ClockView {
        let Self { outcome, received_ms, due_ms, paused_for } = self.clone();
        let between = |from_ms: i64, to_ms: i64| match hours {
            Some(hours) => hours.minutes_between(from_ms, to_ms),
            None => u32::try_from((to_ms - from_ms).max(0) / MINUTE_MS).unwrap_or(u32::MAX),
        };
        let of_minutes = between(received_ms, due_ms);
        let late = now_ms > due_ms;
        let minutes = if late { between(due_ms, now_ms) } else { between(now_ms, due_ms) };
        let state = match () {
            () if paused_for.is_some() => ClockState::Paused,
            () if late => ClockState::Late,
            () if u64::from(minutes) * 3 < u64::from(of_minutes) => ClockState::Soon,
            () => ClockState::Running,
        };
        ClockView { state, outcome, received_ms, due_ms, minutes, of_minutes, paused_for }
    }
}

#[cfg(test)]
mod tests {
    use mecum_domain::{OpeningHours, Span};

    use super::*;

    /// Monday, 7 September 2026, 8:00 in Jakarta.
    const MONDAY_8: i64 = 1_788_742_800_000;
    const HOUR: i64 = 60 * MINUTE_MS;

    fn hours() -> Hours {
        let week = std::array::from_fn(|_| vec![Span { from: 480, to: 960 }]);
        Hours::new(&OpeningHours { zone: "WIB-7".to_owned(), week, closed: Vec::new() }).expect("hours")
    }

    fn owing() -> Owing {
        Owing { outcome: false, received_ms: MONDAY_8, due_ms: MONDAY_8 + 25 * HOUR, paused_for: None }
    }

    #[test]
    fn minutes_count_only_while_the_hospital_is_open() {
        let view = owing().view(Some(&hours()), MONDAY_8 + 7 * HOUR);
        assert_eq!(
            (view.state, view.minutes, view.of_minutes),
            (ClockState::Soon, 120, 540),
            "the night is none"
        );
        let view = owing().view(Some(&hours()), MONDAY_8);
        assert_eq!((view.state, view.minutes), (ClockState::Running, 540));
        let late = owing().view(Some(&hours()), MONDAY_8 + 27 * HOUR);
        assert_eq!((late.state, late.minutes), (ClockState::Late, 120), "since when, in open minutes");
    }

    #[test]
    fn without_hours_every_minute_counts_and_a_clock_that_stands_is_not_late() {
        let view = owing().view(None, MONDAY_8 + 23 * HOUR);
        assert_eq!((view.state, view.minutes), (ClockState::Soon, 120));
        let paused = Owing { paused_for: Some("a letter".to_owned()), ..owing() };
        let view = paused.view(None, MONDAY_8 + 99 * HOUR);
        assert_eq!(view.state, ClockState::Paused, "however long it stands");
    }
}
