//! Every pair of acts that can cross, in both orders of their numbers and every order of arrival.

use super::*;
use crate::act::{Act, ActId, Author};
use AppointmentAct as A;

/// Somebody who writes acts, and knows what has reached them.
struct Writer {
    role: Role,
    knows: Vec<Act<A>>,
}

struct Story {
    /// Phone, daughter, desk, agent.
    writers: [Writer; 4],
    ids: u8,
}

const PHONE: usize = 0;
const DAUGHTER: usize = 1;
const DESK: usize = 2;
const AGENT: usize = 3;

impl Story {
    fn new() -> Self {
        let roles = [Role::Patient, Role::Relative, Role::Staff, Role::Agent];
        Self { writers: roles.map(|role| Writer { role, knows: Vec::new() }), ids: 0 }
    }

    /// Writes an act on what this writer knows, after as many others of theirs that do nothing and give it a higher number.
    fn act_late(&mut self, by: usize, what: A, late: u8) -> ActKey {
        let nothing = if self.writers[by].role.side() == Side::Patient { A::Missed } else { A::CheckIn };
        for n in 0..late {
            self.write(by, ActId::from_bytes([0xf0 + n; 16]), nothing.clone());
        }
        self.ids += 1;
        self.write(by, ActId::from_bytes([self.ids; 16]), what)
    }

    fn write(&mut self, by: usize, id: ActId, what: A) -> ActKey {
        let writer = &mut self.writers[by];
        let (lamport, after) = Acts::new(writer.knows.clone()).next();
        let author = Author { name: "Somebody".into(), role: writer.role };
        let act = Act { id, author, lamport, after, at_ms: 0, what };
        writer.knows.push(act.clone());
        act.key()
    }

    fn act(&mut self, by: usize, what: A) -> ActKey {
        self.act_late(by, what, 0)
    }

    /// Everybody hears of everything.
    fn meet(&mut self) {
        let all = self.all();
        self.writers.iter_mut().for_each(|writer| writer.knows.clone_from(&all));
    }

    fn all(&self) -> Vec<Act<A>> {
        let mut all: Vec<Act<A>> =
            self.writers.iter().flat_map(|writer| writer.knows.iter().cloned()).collect();
        all.sort_by_key(Act::key);
        all.dedup();
        all
    }

    /// What it comes to, which is the same in every order of arrival.
    fn comes_to(&self) -> Appointment {
        let all = self.all();
        let answer = Appointment::of(&Acts::new(all.clone()));
        for first in 0..all.len() {
            let mut other: Vec<_> = all.iter().cycle().skip(first).take(all.len()).cloned().collect();
            assert_eq!(Appointment::of(&Acts::new(other.clone())), answer, "another order of arrival");
            other.reverse();
            assert_eq!(Appointment::of(&Acts::new(other)), answer, "and the other way round");
        }
        answer
    }
}

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: i64::from(n) * 3_600_000,
        minutes: 15,
        practitioner: "dr Sari".into(),
        location: "Clinic 3".into(),
    }
}

fn wish(n: u8) -> Wish {
    Wish { slots: vec![slot(n)], words: "mornings".into() }
}

fn ask() -> A {
    A::Ask { service: "internal".into(), wish: wish(1), reason: "cough".into() }
}

/// An appointment that was asked for, and offered; and where `booked`, taken and booked. All know of it.
fn begun(booked: bool) -> (Story, ActKey) {
    let mut story = Story::new();
    let asked = story.act(PHONE, ask());
    story.meet();
    story.act(AGENT, A::Received { handler: "Budi".into(), due_ms: 9 });
    let offer = story.act(DESK, A::Offer { slots: vec![slot(2), slot(3)], note: String::new(), until_ms: 9 });
    story.meet();
    if booked {
        story.act(AGENT, A::Book { answers: asked, slot: slot(1) });
        story.meet();
    }
    (story, offer)
}

fn reason() -> String {
    "because".into()
}

/// Kinds of acts by the names that the table uses.
fn patients(offer: ActKey) -> [(&'static str, A); 5] {
    [
        ("accept", A::Accept { offer, slot: slot(2).id }),
        ("refuse", A::Refuse { offer, wish: wish(4) }),
        ("move", A::Move { wish: wish(5), reason: reason() }),
        ("cancel", A::Cancel { reason: reason() }),
        ("check in", A::CheckIn),
    ]
}

fn hospitals(story: &Story, offer: ActKey) -> [(&'static str, usize, A); 9] {
    let asked =
        story.all().into_iter().find(|act| matches!(act.what, A::Ask { .. })).expect("it began so").key();
    [
        ("offer", DESK, A::Offer { slots: vec![slot(6)], note: String::new(), until_ms: 9 }),
        ("withdraw", DESK, A::Withdraw { offer, reason: reason() }),
        ("confirm", DESK, A::Confirm { answers: asked, slot: slot(1) }),
        ("book", AGENT, A::Book { answers: asked, slot: slot(1) }),
        ("decline", DESK, A::Decline { reason: reason() }),
        ("call off", DESK, A::CallOff { reason: reason() }),
        ("arrived", DESK, A::Arrived),
        ("done", DESK, A::Done),
        ("missed", DESK, A::Missed),
    ]
}

use Phase::{Arrived, Asked, Cancelled, Changed, Confirmed, Declined, Done, Missed, Offered};

/// What each pair comes to: where nothing was booked before, and where a slot was. By the order of [`hospitals`].
const TABLE: [(&str, [Phase; 9], [Phase; 9]); 5] = [
    (
        "accept",
        [Offered, Asked, Offered, Confirmed, Declined, Asked, Arrived, Done, Offered],
        [Confirmed, Confirmed, Confirmed, Confirmed, Confirmed, Cancelled, Arrived, Done, Offered],
    ),
    (
        "refuse",
        [Offered, Asked, Asked, Changed, Declined, Asked, Arrived, Done, Asked],
        [Changed, Changed, Changed, Changed, Confirmed, Cancelled, Arrived, Done, Asked],
    ),
    (
        "move",
        [Offered, Asked, Offered, Changed, Offered, Asked, Arrived, Done, Offered],
        [Changed, Changed, Changed, Changed, Changed, Asked, Arrived, Done, Asked],
    ),
    (
        "cancel",
        [Cancelled, Cancelled, Cancelled, Cancelled, Cancelled, Cancelled, Arrived, Done, Cancelled],
        [Cancelled, Cancelled, Cancelled, Cancelled, Cancelled, Cancelled, Arrived, Done, Cancelled],
    ),
    (
        "check in",
        [Offered, Asked, Offered, Arrived, Declined, Asked, Arrived, Done, Offered],
        [Arrived, Arrived, Arrived, Arrived, Arrived, Cancelled, Arrived, Done, Arrived],
    ),
];

#[test]
fn every_pair_that_crosses_comes_to_what_the_table_says_in_both_orders() {
    for booked in [false, true] {
        for (row, (name, open, held)) in TABLE.iter().enumerate() {
            for (column, expected) in (if booked { held } else { open }).iter().enumerate() {
                let mut seen = Vec::new();
                for (early, late) in [(0, 3), (3, 0), (0, 0)] {
                    let (mut story, offer) = begun(booked);
                    let (patient, by_patient) = patients(offer)[row].clone();
                    let (hospital, by, by_hospital) = hospitals(&story, offer)[column].clone();
                    assert_eq!(patient, *name, "rows in their order");
                    story.act_late(PHONE, by_patient, early);
                    story.act_late(by, by_hospital, late);
                    let mut answer = story.comes_to();
                    answer.foreign.clear();
                    assert_eq!(answer.phase, *expected, "{patient} × {hospital}, booked before: {booked}");
                    seen.push(answer);
                }
                assert!(seen.iter().all(|one| *one == seen[0]), "{name} × {column}: numbers settle nothing");
            }
        }
    }
}

#[test]
fn an_act_that_is_overtaken_is_told_with_what_overtook_it() {
    let (mut story, offer) = begun(true);
    let cancel = story.act(PHONE, A::Cancel { reason: reason() });
    let missed = story.act(DESK, A::Missed);
    let answer = story.comes_to();
    assert_eq!(
        answer.overtaken,
        [Overtaken { act: missed, by: cancel }],
        "who cancelled in time has missed nothing"
    );
    assert_eq!(answer.booked, None, "the slot is free again");
    let (mut story, _) = begun(false);
    let accept = story.act(PHONE, A::Accept { offer, slot: slot(2).id });
    let withdraw = story.act(DESK, A::Withdraw { offer, reason: reason() });
    let answer = story.comes_to();
    assert_eq!(
        answer.overtaken,
        [Overtaken { act: accept, by: withdraw }],
        "the time was gone before the yes arrived"
    );
    assert!(answer.waits_for_hospital, "what was asked for is still to be answered");
}

#[test]
fn only_the_agent_books_and_only_what_was_wanted() {
    let (mut story, offer) = begun(false);
    let yes = story.act(PHONE, A::Accept { offer, slot: slot(2).id });
    story.meet();
    let asked = story.comes_to();
    assert_eq!(
        (asked.phase, asked.accepted, asked.booked),
        (Offered, Some(yes), None),
        "a yes is no booking"
    );
    let by_staff = story.act(DESK, A::Book { answers: yes, slot: slot(2) });
    let not_wanted = story.act(AGENT, A::Book { answers: yes, slot: slot(9) });
    let other_time = Slot { starts_ms: 77, ..slot(2) };
    let changed = story.act(AGENT, A::Book { answers: yes, slot: other_time });
    let by_patient = story.act(PHONE, A::Arrived);
    let answer = story.comes_to();
    assert_eq!(answer.booked, None, "none of these is a booking");
    let mut foreign = answer.foreign.clone();
    foreign.sort_unstable();
    let mut expected = vec![by_staff, not_wanted, changed, by_patient];
    expected.sort_unstable();
    assert_eq!(foreign, expected, "each is named");
    story.meet();
    story.act(AGENT, A::Book { answers: yes, slot: slot(2) });
    let answer = story.comes_to();
    assert_eq!((answer.phase, answer.booked), (Confirmed, Some(slot(2))), "this one is");
    assert!(!answer.waits_for_hospital, "nobody waits");
}

#[test]
fn a_moved_appointment_keeps_its_slot_until_the_other_is_booked() {
    let (mut story, _) = begun(true);
    let moved = story.act(PHONE, A::Move { wish: wish(5), reason: reason() });
    story.meet();
    let answer = story.comes_to();
    assert_eq!((answer.phase, answer.booked), (Changed, Some(slot(1))), "not lost meanwhile");
    assert!(answer.waits_for_hospital, "the wish is the hospital's to answer");
    story.act(AGENT, A::SlotGone { answers: moved, slot: slot(5).id });
    let other = story.act(DESK, A::Offer { slots: vec![slot(7)], note: String::new(), until_ms: 9 });
    story.meet();
    assert!(!story.comes_to().waits_for_hospital, "now it is the patient's turn");
    let yes = story.act(DAUGHTER, A::Accept { offer: other, slot: slot(7).id });
    story.meet();
    story.act(AGENT, A::Book { answers: yes, slot: slot(7) });
    story.meet();
    let answer = story.comes_to();
    assert_eq!((answer.phase, answer.booked), (Confirmed, Some(slot(7))), "the new one in place of the old");
    assert_eq!((answer.open_wish, answer.offers), (None, vec![]), "everything is answered");
}

#[test]
fn two_phones_that_say_both_are_asked_which_it_is() {
    let (mut story, _) = begun(true);
    let cancel = story.act(PHONE, A::Cancel { reason: reason() });
    let moved = story.act(DAUGHTER, A::Move { wish: wish(5), reason: reason() });
    let answer = story.comes_to();
    assert_eq!(answer.booked, Some(slot(1)), "the appointment is kept");
    assert_eq!(answer.contested, Some(Overtaken { act: cancel, by: moved }), "and a person is asked");
    story.meet();
    story.act(PHONE, A::Cancel { reason: reason() });
    let answer = story.comes_to();
    assert_eq!((answer.phase, answer.contested), (Cancelled, None), "said by one who knew of both");
}

#[test]
fn what_was_missed_or_called_off_can_be_booked_again() {
    for ended in [A::Missed, A::CallOff { reason: reason() }] {
        let (mut story, _) = begun(true);
        story.act(DESK, ended.clone());
        story.meet();
        let answer = story.comes_to();
        let phase = if ended == A::Missed { Missed } else { Cancelled };
        assert_eq!((answer.phase, answer.booked), (phase, None), "over");
        let again = story.act(PHONE, A::Move { wish: wish(8), reason: reason() });
        story.meet();
        assert_eq!(story.comes_to().phase, Asked, "asked again");
        story.act(AGENT, A::Book { answers: again, slot: slot(8) });
        story.meet();
        assert_eq!(story.comes_to().phase, Confirmed, "the earlier time is past");
    }
}

#[test]
fn acts_that_arrive_before_what_they_answer_book_nothing() {
    let (mut story, offer) = begun(false);
    let yes = story.act(PHONE, A::Accept { offer, slot: slot(2).id });
    story.meet();
    story.act(AGENT, A::Book { answers: yes, slot: slot(2) });
    let all = story.all();
    for missing in &all {
        let acts = Acts::new(all.iter().filter(|act| act.key() != missing.key()).cloned());
        let answer = Appointment::of(&acts);
        let needed = missing.key() == yes || missing.key() == offer || matches!(missing.what, A::Book { .. });
        assert_eq!(answer.booked.is_none(), needed, "what a booking rests on has to be there");
    }
}

#[test]
fn nobody_is_booked_by_what_one_side_writes_in_the_name_of_the_other() {
    // A patient's app writes the offer itself, of a free slot out of the directory, and takes it.
    let (mut story, _) = begun(false);
    let forged = story.act(PHONE, A::Offer { slots: vec![slot(9)], note: String::new(), until_ms: 9 });
    let yes = story.act(PHONE, A::Accept { offer: forged, slot: slot(9).id });
    story.meet();
    assert_eq!(story.comes_to().accepted, None, "a yes to an own offer is none");
    let booking = story.act(AGENT, A::Book { answers: yes, slot: slot(9) });
    let answer = story.comes_to();
    assert_eq!((answer.booked, answer.foreign), (None, vec![forged, booking]), "nobody has offered it");
    // The desk writes the wish itself, and confirms it.
    let (mut story, _) = begun(false);
    let wish = story.act(DESK, A::Ask { service: "internal".into(), wish: wish(9), reason: reason() });
    story.meet();
    let booking = story.act(AGENT, A::Book { answers: wish, slot: slot(9) });
    let answer = story.comes_to();
    assert_eq!((answer.booked, answer.foreign), (None, vec![wish, booking]), "nobody has asked for it");
}

#[test]
fn a_yes_to_an_offer_that_its_author_knew_to_be_over_is_none() {
    for ended in [A::Decline { reason: reason() }, A::CallOff { reason: reason() }] {
        let (mut story, offer) = begun(false);
        story.act(DESK, ended);
        story.meet();
        story.act(PHONE, A::Accept { offer, slot: slot(2).id });
        assert_eq!(story.comes_to().accepted, None, "no more than one that crosses it");
    }
    let (mut story, offer) = begun(false);
    story.act(PHONE, A::Accept { offer, slot: slot(8).id });
    assert_eq!(story.comes_to().accepted, None, "nor a yes to what was not in the offer");
}

#[test]
fn of_two_yeses_one_that_is_gone_does_not_answer_the_other() {
    let (mut story, offer) = begun(false);
    let first = story.act(PHONE, A::Accept { offer, slot: slot(2).id });
    let other = story.act_late(DAUGHTER, A::Accept { offer, slot: slot(3).id }, 1);
    story.meet();
    assert_eq!(story.comes_to().accepted, Some(other), "the newest");
    story.act(AGENT, A::SlotGone { answers: other, slot: slot(3).id });
    assert_eq!(story.comes_to().accepted, Some(first), "then the other is still to be answered");
}

#[test]
fn somebody_waits_for_whoever_has_to_answer_and_for_nobody_once_it_is_booked() {
    let (mut story, offer) = begun(false);
    assert_eq!(story.comes_to().waits_for(), Some(Side::Patient), "what was offered waits for a yes");
    let yes = story.act(PHONE, A::Accept { offer, slot: slot(2).id });
    story.meet();
    assert_eq!(story.comes_to().waits_for(), Some(Side::Hospital), "a yes waits for its booking");
    story.act(AGENT, A::Book { answers: yes, slot: slot(2) });
    story.meet();
    assert_eq!(story.comes_to().waits_for(), None, "booked");
    story.act(PHONE, A::Move { wish: Wish::default(), reason: reason() });
    assert_eq!(story.comes_to().waits_for(), Some(Side::Hospital), "another time was asked for");
}
