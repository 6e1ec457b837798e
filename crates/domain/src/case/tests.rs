//! Cases by the acts of a phone, a daughter's phone, two desks and the agent.

use super::*;
use crate::act::{ActId, Author};
use crate::{Hours, OpeningHours, Span};
use CaseAct as A;

const PHONE: usize = 0;
const DAUGHTER: usize = 1;
const SARI: usize = 2;
const BUDI: usize = 3;
const AGENT: usize = 4;
const HOUR: i64 = 3_600_000;
/// Monday 2026-11-23, eight in the morning in Jakarta.
const MONDAY_8: i64 = 1_795_395_600_000;

#[derive(Clone)]
struct Story {
    writers: [(&'static str, Role, Vec<Act<A>>); 5],
    ids: u8,
    now_ms: i64,
}

impl Story {
    fn new() -> Self {
        let writer = |name, role| (name, role, Vec::new());
        let writers = [
            writer("Ratna", Role::Patient),
            writer("Ani", Role::Relative),
            writer("Sari", Role::Staff),
            writer("Budi", Role::Staff),
            writer("Agent", Role::Agent),
        ];
        Self { writers, ids: 0, now_ms: MONDAY_8 }
    }

    fn act(&mut self, by: usize, what: A) -> ActKey {
        self.act_on_screen(by, what, usize::MAX)
    }

    /// By who was shown so many of the acts that are there, and knows what they wrote themselves.
    fn act_on_screen(&mut self, by: usize, what: A, shown: usize) -> ActKey {
        self.ids += 1;
        let (name, role, knows) = &mut self.writers[by];
        let own = knows.iter().filter(|act| act.author.name == *name);
        let shown: Vec<ActKey> = knows.iter().take(shown).chain(own).map(Act::key).collect();
        let (lamport, after) = Acts::new(knows.clone()).next_after(shown);
        let author = Author { name: (*name).into(), role: *role };
        let id = ActId::from_bytes([self.ids; 16]);
        let act = Act { id, author, lamport, after, at_ms: self.now_ms, what };
        knows.push(act.clone());
        act.key()
    }

    fn all(&self) -> Vec<Act<A>> {
        let mut all: Vec<Act<A>> =
            self.writers.iter().flat_map(|(_, _, knows)| knows.iter().cloned()).collect();
        all.sort_by_key(Act::key);
        all.dedup();
        all
    }

    /// Everybody hears of everything, and the agent answers for what has arrived: an hour for an answer, ten for an outcome.
    fn meet(&mut self) {
        let all = self.all();
        self.writers.iter_mut().for_each(|(_, _, knows)| knows.clone_from(&all));
        let received = |key| all.iter().any(|act| matches!(act.what, A::Received { of, .. } if of == key));
        let rung = all
            .iter()
            .filter_map(|act| if let A::StepUp { rung, .. } = act.what { Some(rung) } else { None })
            .max();
        for word in all.iter().filter(|act| is_word(act) && !received(act.key())) {
            let due = |minutes| hours().due(self.now_ms, minutes).expect("open");
            let what = A::Received {
                of: word.key(),
                handler: "Front desk".into(),
                rung: rung.unwrap_or_default(),
                answer_due_ms: due(60),
                outcome_due_ms: Some(due(600)),
                pledge: "No one is treated worse.".into(),
            };
            self.act(AGENT, what);
        }
        let all = self.all();
        self.writers.iter_mut().for_each(|(_, _, knows)| knows.clone_from(&all));
    }

    fn case(&self) -> Case {
        let all = self.all();
        let answer = Case::of(&Acts::new(all.clone()), Some(&hours()));
        for first in 0..all.len() {
            let mut other: Vec<_> = all.iter().cycle().skip(first).take(all.len()).cloned().collect();
            other.reverse();
            assert_eq!(Case::of(&Acts::new(other), Some(&hours())), answer, "another order of arrival");
        }
        answer
    }
}

/// Every day from eight to four in Jakarta.
fn hours() -> Hours {
    let week = std::array::from_fn(|_| vec![Span { from: 480, to: 960 }]);
    Hours::new(&OpeningHours { zone: "WIB-7".into(), week, closed: vec![] }).expect("hours")
}

fn say(text: &str) -> A {
    A::Say { text: text.into() }
}

fn open(kind: CaseKind) -> A {
    A::Open {
        kind,
        about: String::new(),
        happened: "Nobody came.".into(),
        help: "A word.".into(),
        ward_blind: false,
    }
}

fn outcome() -> A {
    A::Outcome { text: "We were too few.".into(), changed: "Two more nurses at night.".into() }
}

fn why() -> String {
    "because".into()
}

fn begun(kind: CaseKind) -> Story {
    let mut story = Story::new();
    story.act(PHONE, open(kind));
    story.meet();
    story
}

#[test]
fn no_clock_runs_before_the_hospital_has_it_and_then_it_counts_open_hours() {
    let mut story = Story::new();
    let word = story.act(PHONE, open(CaseKind::Complaint));
    let sent = story.case();
    assert_eq!((sent.phase, sent.clock.next), (CasePhase::Sent, None), "not delivered is not late");
    assert_eq!(sent.waiting, [word], "and not forgotten");
    story.now_ms = MONDAY_8 + 7 * HOUR + HOUR / 2;
    story.meet();
    let case = story.case();
    let due = Due { owed: Owed::Answer, at_ms: MONDAY_8 + 24 * HOUR + HOUR / 2 };
    assert_eq!(
        (case.phase, case.clock.next),
        (CasePhase::Open, Some(due)),
        "half an hour today, half tomorrow"
    );
    assert_eq!(case.handler, "Front desk", "somebody by name");
    assert!(!case.clock.is_late(due.at_ms) && case.clock.is_late(due.at_ms + 1), "late from then on");
}

#[test]
fn an_answer_stops_the_answers_clock_and_leaves_the_outcomes() {
    let mut story = begun(CaseKind::Complaint);
    story.act(SARI, say("I look into it."));
    let case = story.case();
    assert_eq!(
        case.clock.next,
        Some(Due { owed: Owed::Outcome, at_ms: MONDAY_8 + 26 * HOUR }),
        "ten open hours"
    );
    assert_eq!((case.phase, case.waiting.len()), (CasePhase::Open, 0), "answered, not settled");
    story.meet();
    story.act(SARI, outcome());
    story.meet();
    let case = story.case();
    assert_eq!((case.phase, case.clock.next), (CasePhase::Outcome, None), "nothing is owed");
    story.act(PHONE, A::Settle);
    assert_eq!(story.case().phase, CasePhase::Settled, "the patient's word ends it");
    let mut question = begun(CaseKind::Question);
    question.act(SARI, say("Twice a day."));
    assert_eq!(question.case().phase, CasePhase::Answered, "a question needs no outcome");
}

#[test]
fn a_word_that_crosses_with_an_answer_or_an_outcome_still_waits() {
    for hospital in [say("It is in the post."), outcome()] {
        let mut story = begun(CaseKind::Complaint);
        let word = story.act(PHONE, say("And it happened again."));
        story.act(SARI, hospital);
        let case = story.case();
        assert_eq!(case.waiting, [word], "its author had not seen it");
        assert_eq!(case.phase, CasePhase::Open, "so the hospital still owes a word");
        story.meet();
        assert_eq!(story.case().clock.next.map(|due| due.owed), Some(Owed::Answer), "by a clock of its own");
    }
}

#[test]
fn an_outcome_on_an_older_screen_leaves_a_word_waiting_that_came_meanwhile() {
    for (shown, waits) in [(1, true), (usize::MAX, false)] {
        let mut story = begun(CaseKind::Complaint);
        let word = story.act(PHONE, say("And it happened again."));
        story.meet();
        story.act_on_screen(SARI, outcome(), shown);
        let case = story.case();
        assert_eq!(case.waiting.contains(&word), waits, "shown were {shown}");
        let phase = if waits { CasePhase::Open } else { CasePhase::Outcome };
        assert_eq!(case.phase, phase, "it is closed over what was read, and over nothing else");
    }
}

#[test]
fn what_was_closed_is_open_again_by_a_reopening_that_crosses_with_anything() {
    for closing in [outcome(), say("Closed.")] {
        let mut story = begun(CaseKind::Complaint);
        story.act(SARI, outcome());
        story.meet();
        story.act(DAUGHTER, A::Settle);
        let reopened = story.act(PHONE, A::Reopen { reason: why() });
        story.act(BUDI, closing);
        let case = story.case();
        assert_eq!((case.phase, case.waiting), (CasePhase::Open, vec![reopened]), "somebody is not content");
        assert_eq!(case.outcome, None, "the outcome does not stand");
    }
}

#[test]
fn a_pause_moves_what_is_due_by_its_open_minutes_and_says_why() {
    let mut story = begun(CaseKind::Complaint);
    story.act(SARI, say("Which ward was it?"));
    let pause = story.act(SARI, A::Pause { waits_for: PauseFor::Patient, reason: why() });
    story.meet();
    let case = story.case();
    assert_eq!((case.phase, case.clock.paused), (CasePhase::Paused, Some(pause)), "with its reason");
    assert!(!case.clock.is_late(i64::MAX), "a clock that stands is not late");
    // Answered the next morning at nine: nine open hours of pause.
    story.act(PHONE, say("Melati."));
    story.now_ms += 25 * HOUR;
    story.meet();
    story.act(SARI, say("Thank you."));
    let case = story.case();
    let due = hours().due(MONDAY_8, 600 + 9 * 60).expect("open");
    assert_eq!(
        case.clock.next,
        Some(Due { owed: Owed::Outcome, at_ms: due }),
        "ten open hours after the pause"
    );
    assert_eq!(case.phase, CasePhase::Open, "it goes on");
}

#[test]
fn stepping_up_is_offered_when_it_is_late_and_ends_at_the_last_rung() {
    let rung = |name: &str, outside: Option<&str>| Rung {
        name: name.into(),
        answer_minutes: 60,
        outcome_minutes: 600,
        outside: outside.map(str::to_owned),
    };
    let ladder = [rung("Front desk", None), rung("Head of nursing", None), rung("Mediator", Some("0800 1"))];
    let mut story = begun(CaseKind::Complaint);
    assert_eq!(story.case().step_up(&ladder, MONDAY_8 + HOUR), None, "not yet");
    assert_eq!(story.case().step_up(&ladder, MONDAY_8 + 2 * HOUR), Some(1), "the hour is over");
    story.now_ms = MONDAY_8 + 2 * HOUR;
    story.act(PHONE, A::StepUp { rung: 1, reason: why() });
    story.meet();
    let case = story.case();
    assert_eq!(case.rung, 1, "the hospital has taken it there");
    assert_eq!(case.step_up(&ladder, i64::MAX), Some(2), "late again: the last one");
    story.act(PHONE, A::StepUp { rung: 2, reason: why() });
    story.meet();
    assert_eq!(story.case().step_up(&ladder, i64::MAX), None, "there is none above it");
    assert_eq!(begun(CaseKind::Message).case().step_up(&ladder, i64::MAX), None, "a message has no ladder");
}

#[test]
fn of_two_who_take_a_case_at_once_one_has_it_on_every_device_and_the_other_is_told() {
    let mut story = begun(CaseKind::Question);
    let mut takes = [story.act(BUDI, A::Take), story.act(SARI, A::Take)];
    takes.sort_unstable();
    let case = story.case();
    assert_eq!(case.taken_too_late, [takes[1]], "the second in order");
    assert_eq!(case.handler, "Budi", "the first in order");
    story.meet();
    story.act(BUDI, A::HandOver { to: "Sari".into(), reason: why() });
    story.meet();
    assert_eq!(story.case().handler, "Sari", "handed over");
    story.act(BUDI, A::Take);
    let case = story.case();
    assert_eq!((case.handler.as_str(), case.taken_too_late.len()), ("Budi", 1), "taken back, knowing of it");
}

#[test]
fn acts_of_the_other_side_do_nothing() {
    let mut story = begun(CaseKind::Complaint);
    let before = story.case();
    let foreign = [
        story.act(SARI, A::Settle),
        story.act(SARI, A::Withdraw { reason: why() }),
        story.act(PHONE, outcome()),
        story.act(PHONE, A::Resume),
        story.act(
            BUDI,
            A::Received {
                of: before.waiting[0],
                handler: "Nobody".into(),
                rung: 2,
                answer_due_ms: 0,
                outcome_due_ms: None,
                pledge: String::new(),
            },
        ),
    ];
    let after = story.case();
    assert_eq!(after.foreign.len(), foreign.len(), "each is named");
    assert_eq!(Case { foreign: vec![], ..after }, before, "and nothing has changed");
}

#[test]
fn nothing_is_over_while_a_word_waits_whatever_happens() {
    // Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
    let mut state = 4_u64;
    let mut below = |n: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    };
    let (mut over, mut waited) = (0, 0);
    for _ in 0..300 {
        let mut story = begun(if below(2) == 0 { CaseKind::Complaint } else { CaseKind::Question });
        for _ in 0..8 {
            let patients =
                [say("a word"), A::Settle, A::Withdraw { reason: why() }, A::Reopen { reason: why() }];
            let hospitals = [
                say("an answer"),
                outcome(),
                A::Take,
                A::Pause { waits_for: PauseFor::Other, reason: why() },
                A::Resume,
            ];
            let writer = usize::try_from(below(4)).expect("small");
            let pick = |acts: &[A], at: u64| acts[usize::try_from(at).expect("small") % acts.len()].clone();
            let what = if writer < SARI { pick(&patients, below(60)) } else { pick(&hospitals, below(60)) };
            // Now and then a form was open while something came.
            let shown = if below(3) == 0 { usize::try_from(below(8)).expect("small") } else { usize::MAX };
            story.act_on_screen(writer, what, shown);
            story.now_ms += HOUR;
            if below(2) == 0 {
                story.meet();
            }
        }
        let case = story.case();
        let closed = matches!(case.phase, CasePhase::Answered | CasePhase::Outcome | CasePhase::Settled);
        assert!(!closed || case.waiting.is_empty(), "closed over a word that nobody answered: {case:?}");
        over += u32::from(closed);
        waited += u32::from(!case.waiting.is_empty());
    }
    assert!(over > 30 && waited > 30, "both were tried: {over} over, {waited} waiting");
}

#[test]
fn somebody_waits_for_whoever_owes_a_word_and_for_nobody_once_it_is_over() {
    let waits = |story: &Story| story.case().waits_for(&Acts::new(story.all()));
    let mut story = begun(CaseKind::Complaint);
    assert_eq!(waits(&story), Some(Side::Hospital), "for an answer");
    story.act(SARI, A::Pause { waits_for: PauseFor::Other, reason: why() });
    assert_eq!(waits(&story), Some(Side::Hospital), "which waits for somebody else, and owes it still");
    story.act(SARI, A::Pause { waits_for: PauseFor::Patient, reason: why() });
    assert_eq!(waits(&story), Some(Side::Patient), "for what was asked back");
    story.act(SARI, A::Resume);
    story.act(SARI, outcome());
    story.meet();
    assert_eq!(waits(&story), Some(Side::Patient), "for whether that settles it");
    story.act(PHONE, A::Settle);
    assert_eq!(waits(&story), None, "it is over");
    let mut question = begun(CaseKind::Question);
    question.act(SARI, say("Twice a day."));
    assert_eq!(waits(&question), None, "it was answered");
}
