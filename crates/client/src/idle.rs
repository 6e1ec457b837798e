//! What is done when nobody waits. Nothing is lost where it fails: it is tried again, and what goes on failing is said to the person, as
//! trouble of the vault's file and without a word of what is in it.

use std::collections::BTreeMap;

use mecum_vault::WriteVaultError;

use crate::error::SessionError;
use crate::notices::Waits;
use crate::session::Session;

/// What fails again after so long is said, ms: one document that could not be folded is left alone for ten minutes.
const PERSISTS_MS: i64 = 10 * 60 * 1_000;
/// What has not failed for so long is over, ms: by then it was tried again.
const OVER_MS: i64 = 2 * PERSISTS_MS;

/// What is wrong with the vault's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// The device is full.
    Full,
    /// It cannot be written, for another reason.
    NotSaved,
    /// Something in it cannot be read.
    Damaged,
}

impl Trouble {
    /// `None` where the file is not at fault.
    fn of(error: &SessionError) -> Option<Self> {
        match error {
            SessionError::Write(WriteVaultError::NotSaved { full: true }) => Some(Trouble::Full),
            SessionError::Write(_) => Some(Trouble::NotSaved),
            SessionError::Read(_)
            | SessionError::Document(_)
            | SessionError::Stored { .. }
            | SessionError::Envelope
            | SessionError::Folded => Some(Trouble::Damaged),
            SessionError::Author(_)
            | SessionError::NotAllowed { .. }
            | SessionError::Remote(_)
            | SessionError::Call(_) => None,
        }
    }

    pub(crate) fn message_id(self) -> &'static str {
        match self {
            Trouble::Full => "notice-storage-full",
            Trouble::NotSaved => "notice-storage-not-saved",
            Trouble::Damaged => "notice-storage-damaged",
        }
    }
}

/// Since when something fails, and when it did last, ms since the epoch.
#[derive(Default)]
pub(crate) struct Failing(BTreeMap<Trouble, (i64, i64)>);

impl Failing {
    /// Takes in how an idle moment went. Answers what is to be said now.
    fn note(&mut self, found: Option<Trouble>, now: i64) -> Vec<Trouble> {
        self.0.retain(|_, (_, last)| (0..OVER_MS).contains(&now.saturating_sub(*last)));
        if let Some(found) = found {
            self.0.entry(found).or_insert((now, now)).1 = now;
        }
        let persists = |(first, last): &(i64, i64)| last.saturating_sub(*first) >= PERSISTS_MS;
        self.0.iter().filter(|(_, times)| persists(times)).map(|(trouble, _)| *trouble).collect()
    }
}

impl Session {
    /// What only runs when nobody waits: folding tails, forgetting old sent things, folding the write-ahead log in.
    ///
    /// # Errors
    /// What failed first. Everything is as it was but for what had been done before it.
    pub fn idle(&mut self) -> Result<(), SessionError> {
        let done = self.tidy();
        let now = self.now_ms();
        let said = self.failing.note(done.as_ref().err().and_then(Trouble::of), now);
        self.only_this_trouble(&said);
        done
    }

    fn tidy(&mut self) -> Result<(), SessionError> {
        mecum_trip::here("idle");
        self.note_calm();
        // What is destroyed leaves the log first: a tail that cannot be folded may not keep it.
        self.scrub_if_owed()?;
        // What cannot be carried out keeps nothing else from being done.
        let advanced = if self.follower.relay().is_none() { self.advance_erasures() } else { Ok(()) };
        let folded = [self.fold_tails(), self.fold_quiet(), self.fold_logs()].into_iter().collect();
        self.prune_outgoing()?;
        self.forget_old_statements()?;
        self.end_idle()?;
        advanced.and(folded)
    }

    /// Says what goes on failing, and nothing that is over.
    fn only_this_trouble(&mut self, said: &[Trouble]) {
        let over = |what: &Waits| matches!(what, Waits::Storage(of) if !said.contains(of));
        let over: Vec<Waits> = self.waits.keys().copied().filter(over).collect();
        for what in over {
            self.note_waits(what, &Ok::<(), SessionError>(()));
        }
        for trouble in said {
            self.note_waits(Waits::Storage(*trouble), &Err::<(), _>(SessionError::Folded));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mecum_domain::{Field, Kind, Relation};
    use mecum_vault::Location;

    use super::*;
    use crate::clock::FixedClock;
    use crate::session::Surroundings;
    use crate::testing::{NOW_MS, first_device, surroundings};

    const MINUTE_MS: i64 = 60 * 1_000;

    fn said(session: &Session) -> Vec<String> {
        session.sync_view().notices.into_iter().map(|notice| notice.message_id).collect()
    }

    #[test]
    fn a_document_that_can_never_be_folded_is_said_until_it_can_be() {
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let around = Surroundings { clock: clock.clone(), ..surroundings(1) };
        let mut session = first_device(&Location::Memory, around);
        let chart = session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
        for number in 0..300 {
            session.add(chart, Kind::Note, vec![(Field::Text, format!("note {number}"))]).expect("a note");
        }
        // What the sheet forgets is written too, and is no part of this.
        session.prune_outgoing().expect("forgets");
        session.stop_after_commits_for_tests(0);
        session.idle().expect_err("its snapshot cannot be kept");
        assert!(said(&session).is_empty(), "once is no trouble: it is tried again");
        clock.advance(5 * MINUTE_MS);
        session.idle().expect("it is left alone for a while");
        clock.advance(6 * MINUTE_MS);
        session.idle().expect_err("and fails again");
        assert_eq!(said(&session), ["notice-storage-damaged"], "that is said");
        session.stop_after_commits_for_tests(100);
        clock.advance(11 * MINUTE_MS);
        session.idle().expect("now it can be folded");
        clock.advance(10 * MINUTE_MS);
        session.idle().expect("nothing is left to do");
        assert!(said(&session).is_empty(), "and nothing to say");
    }

    #[test]
    fn what_fails_at_each_look_is_said_after_ten_minutes_and_one_trouble_hides_no_other() {
        let mut failing = Failing::default();
        let (full, damaged) = (Some(Trouble::Full), Some(Trouble::Damaged));
        assert!(failing.note(full, NOW_MS).is_empty(), "not at once");
        assert!(failing.note(full, NOW_MS + 9 * MINUTE_MS).is_empty(), "nor soon");
        assert_eq!(failing.note(full, NOW_MS + 10 * MINUTE_MS), [Trouble::Full], "it goes on");
        assert_eq!(failing.note(damaged, NOW_MS + 11 * MINUTE_MS), [Trouble::Full], "another began");
        assert_eq!(failing.note(damaged, NOW_MS + 21 * MINUTE_MS), [Trouble::Full, Trouble::Damaged], "both");
        assert_eq!(failing.note(None, NOW_MS + 30 * MINUTE_MS), [Trouble::Damaged], "the first is over");
        assert!(failing.note(None, NOW_MS).is_empty(), "a clock that goes back keeps nothing standing");
    }

    #[test]
    fn each_trouble_is_said_in_its_own_words_and_what_is_none_is_not() {
        let of = |error: &SessionError| Trouble::of(error).map(Trouble::message_id);
        let full = |full| SessionError::Write(WriteVaultError::NotSaved { full });
        assert_eq!(of(&full(true)), Some("notice-storage-full"), "the device is full");
        assert_eq!(of(&full(false)), Some("notice-storage-not-saved"), "it cannot be written");
        assert_eq!(of(&SessionError::Folded), Some("notice-storage-damaged"), "it cannot be read");
        assert_eq!(of(&SessionError::not_found()), None, "no trouble of the file");
    }
}
