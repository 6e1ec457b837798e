use mecum_domain::{
    ActId, ActKey, Author, FreeSlot, Ladder, OpeningHours, Role, Service, Slot, SlotId, SlotState, Span,
    Wish, Words,
};

use super::*;

/// Monday, 7 September 2026, 8:00 in Jakarta.
const MONDAY_8: i64 = 1_788_742_800_000;

const HOUR: i64 = 60 * MINUTE_MS;

fn directory() -> Directory {
    let week = std::array::from_fn(|_| vec![Span { from: 480, to: 960 }]);
    let rung = |name: &str, outside: bool| Rung {
        name: name.into(),
        answer_minutes: 60,
        outcome_minutes: 600,
        outside: outside.then(|| "0800 1".to_owned()),
    };
    let rungs = vec![rung("Front desk", false), rung("Head of nursing", false), rung("Mediator", true)];
    Directory {
        name: Words::new("id", "RS Melati").and("en", "Melati Hospital"),
        hours: OpeningHours { zone: "WIB-7".into(), week, closed: vec![] },
        services: vec![Service {
            code: "dental".into(),
            name: Words::new("en", "Dental care"),
            about: Words::default(),
            price: None,
        }],
        slots: vec![FreeSlot { service: "dental".into(), slot: slot(1) }],
        ladders: vec![Ladder { kind: CaseKind::Complaint, rungs }],
        pledge: Words::new("en", "Nobody is treated worse for asking."),
        ..Directory::default()
    }
}

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: MONDAY_8 + i64::from(n) * 24 * HOUR,
        minutes: 20,
        practitioner: "dr. Maya".into(),
        location: "3".into(),
    }
}

/// A conversation in which everybody knows everything, but where it is said otherwise.
struct Talk<T> {
    acts: Vec<Act<T>>,
    now_ms: i64,
}

impl<T: Clone> Talk<T> {
    fn new() -> Self {
        Self { acts: Vec::new(), now_ms: MONDAY_8 }
    }

    fn acts(&self) -> Acts<T> {
        Acts::new(self.acts.clone())
    }

    fn say(&mut self, role: Role, name: &str, what: T) -> ActKey {
        let known: Vec<ActKey> = self.acts.iter().map(Act::key).collect();
        self.say_knowing(role, name, what, &known)
    }

    fn say_knowing(&mut self, role: Role, name: &str, what: T, known: &[ActKey]) -> ActKey {
        let (lamport, after) = self.acts().next_after(known.iter().copied());
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(self.acts.len() as u64).to_be_bytes());
        let author = Author { name: name.into(), role };
        let act = Act { id: ActId::from_bytes(id), author, lamport, after, at_ms: self.now_ms, what };
        self.acts.push(act);
        self.acts.last().map(Act::key).expect("it was said")
    }

    fn patient(&mut self, what: T) -> ActKey {
        self.say(Role::Patient, "Ratna", what)
    }
}

fn case_answer(talk: &Talk<CaseAct>) -> CaseAnswer {
    let directory = directory();
    let hours = directory.check().expect("a directory");
    let house = House { directory: &directory, hours: &hours, language: "en" };
    let answer = to_case(&talk.acts(), &house, talk.now_ms);
    for first in 0..talk.acts.len().min(8) {
        let mut other: Vec<_> = talk.acts.iter().cycle().skip(first).take(talk.acts.len()).cloned().collect();
        other.reverse();
        let again = to_case(&Acts::new(other), &house, talk.now_ms);
        assert_eq!(again, answer, "another order of arrival");
    }
    answer
}

/// Says what the program says, and that there is nothing more to say then.
fn answered(talk: &mut Talk<CaseAct>) -> Vec<CaseAct> {
    let answer = case_answer(talk);
    for what in &answer.says {
        talk.say(Role::Agent, "RS Melati", what.clone());
    }
    let again = case_answer(talk);
    assert_eq!(again.says, [], "everything was said");
    answer.says
}

fn open(kind: CaseKind) -> CaseAct {
    let (about, happened, help) = (String::new(), "nobody came".into(), String::new());
    CaseAct::Open { kind, about, happened, help, ward_blind: false }
}

fn words(text: &str) -> CaseAct {
    CaseAct::Say { text: text.into() }
}

fn of(says: &[CaseAct]) -> Vec<ActKey> {
    let received = |act: &CaseAct| match act {
        CaseAct::Received { of, .. } => Some(*of),
        _ => None,
    };
    says.iter().filter_map(received).collect()
}

#[test]
fn every_word_of_a_patient_has_one_receipt_with_a_name_and_a_time_in_working_hours() {
    let mut talk = Talk::new();
    let opened = talk.patient(open(CaseKind::Complaint));
    let crossing = talk.say_knowing(Role::Relative, "Ani", words("I was there too"), &[opened]);
    let other = talk.say_knowing(Role::Patient, "Ratna", words("and twice"), &[opened]);
    talk.now_ms = MONDAY_8 + 7 * HOUR + 30 * MINUTE_MS;
    let says = answered(&mut talk);
    let mut named = of(&says);
    assert_eq!(named[0], opened, "in their order");
    named.sort_unstable();
    let mut all = vec![opened, crossing, other];
    all.sort_unstable();
    assert_eq!(named, all, "each, and once");
    let CaseAct::Received { handler, rung, answer_due_ms, outcome_due_ms, pledge, .. } = &says[0] else {
        panic!("a receipt: {says:?}")
    };
    assert_eq!((handler.as_str(), *rung), ("Front desk", 0), "somebody by name");
    let tomorrow = MONDAY_8 + 24 * HOUR;
    assert_eq!(*answer_due_ms, tomorrow + HOUR / 2, "half an hour before it closes, half after it opens");
    assert!(outcome_due_ms.is_some_and(|due| due > tomorrow), "a complaint ends with an outcome");
    assert_eq!(pledge, "Nobody is treated worse for asking.", "as in force");
    talk.say(Role::Staff, "Sari", words("I look into it"));
    assert_eq!(case_answer(&talk).says, [], "of staff nothing is received");
}

#[test]
fn a_word_more_puts_off_no_outcome_and_a_reopening_begins_its_time_anew() {
    let mut talk = Talk::new();
    talk.patient(open(CaseKind::Complaint));
    answered(&mut talk);
    let due = |talk: &Talk<CaseAct>| Case::of(&talk.acts(), None).clock.next.map(|due| due.at_ms);
    talk.say(Role::Staff, "Sari", words("I look into it"));
    let first = due(&talk).expect("an outcome is owed");
    talk.now_ms += 3 * HOUR;
    talk.patient(words("is there anything?"));
    let says = answered(&mut talk);
    assert!(matches!(says[..], [CaseAct::Received { outcome_due_ms: None, .. }]), "{says:?}");
    talk.say(Role::Staff, "Sari", words("not yet"));
    assert_eq!(due(&talk), Some(first), "as it was");
    let closed = CaseAct::Outcome { text: "we were too few".into(), changed: String::new() };
    talk.say(Role::Staff, "Sari", closed);
    talk.patient(CaseAct::Reopen { reason: "again".into() });
    answered(&mut talk);
    talk.say(Role::Staff, "Sari", words("I am sorry"));
    assert_eq!(due(&talk), Some(first + 3 * HOUR), "from then on");
}

#[test]
fn a_step_up_is_taken_where_its_clock_has_passed_and_nowhere_else() {
    for (waited, rung, handler) in [(HOUR, 0, "Front desk"), (HOUR + 1, 1, "Head of nursing")] {
        let mut talk = Talk::new();
        talk.patient(open(CaseKind::Complaint));
        answered(&mut talk);
        talk.now_ms += waited;
        talk.patient(CaseAct::StepUp { rung: 1, reason: "nobody answers".into() });
        answered(&mut talk);
        let case = Case::of(&talk.acts(), None);
        assert_eq!((case.rung, case.handler.as_str()), (rung, handler), "after {waited} ms");
    }
    let mut talk = Talk::new();
    talk.patient(open(CaseKind::Complaint));
    answered(&mut talk);
    talk.now_ms += 2 * HOUR;
    talk.patient(CaseAct::StepUp { rung: 2, reason: "to the top".into() });
    answered(&mut talk);
    assert_eq!(Case::of(&talk.acts(), None).rung, 0, "one step at a time");
}

#[test]
fn whoever_took_a_case_on_answers_it_until_it_goes_to_somebody_above_them() {
    let mut talk = Talk::new();
    talk.patient(open(CaseKind::Complaint));
    answered(&mut talk);
    talk.say(Role::Staff, "Sari Utami", CaseAct::Take);
    talk.patient(words("is there anything?"));
    answered(&mut talk);
    assert_eq!(Case::of(&talk.acts(), None).handler, "Sari Utami");
    talk.now_ms += 2 * HOUR;
    talk.patient(CaseAct::StepUp { rung: 1, reason: "nobody answers".into() });
    answered(&mut talk);
    assert_eq!(Case::of(&talk.acts(), None).handler, "Head of nursing");
}

#[test]
fn a_flood_is_received_so_often_a_minute_and_what_lies_between_with_the_newest() {
    let mut talk = Talk::new();
    talk.patient(open(CaseKind::Question));
    let mut last = None;
    for n in 0..200 {
        last = Some(talk.patient(words(&format!("{n}"))));
    }
    let says = answered(&mut talk);
    assert_eq!(says.len(), RECEIPTS_A_MINUTE);
    assert_eq!(of(&says).last().copied(), last, "the newest is among them");
    let next = talk.patient(words("and one more"));
    assert_eq!(case_answer(&talk), CaseAnswer { says: Vec::new(), later: true }, "not in the same minute");
    talk.now_ms += MINUTE_MS;
    let says = answered(&mut talk);
    assert_eq!(of(&says), [next], "then it is received");
    assert!(!case_answer(&talk).later, "and nothing is left");
}

#[test]
fn a_hospital_that_published_no_ladder_answers_in_its_own_name_within_a_day() {
    let mut talk = Talk::new();
    talk.patient(open(CaseKind::Question));
    let says = answered(&mut talk);
    let [CaseAct::Received { handler, answer_due_ms, outcome_due_ms, .. }] = says.as_slice() else {
        panic!("one receipt: {says:?}")
    };
    assert_eq!((handler.as_str(), *outcome_due_ms), ("Melati Hospital", None), "a question has no outcome");
    assert_eq!(*answer_due_ms, MONDAY_8 + 8 * HOUR, "by the end of the day");
}

/// The thread of every appointment here.
const THREAD: ThreadId = ThreadId::from_bytes([7; 16]);

fn published(slots: &[u8]) -> SlotTable {
    let mut table = SlotTable::default();
    for n in slots {
        let publish = SlotDecision::Publish { service: "dental".into(), slot: slot(*n) };
        table.apply(&publish, MONDAY_8).expect("it is free");
    }
    table
}

fn visit(talk: &mut Talk<AppointmentAct>, table: &mut SlotTable) -> VisitAnswer {
    let directory = directory();
    let hours = directory.check().expect("a directory");
    let house = House { directory: &directory, hours: &hours, language: "en" };
    let answer = to_visit(THREAD, &talk.acts(), table, &house, talk.now_ms);
    for what in &answer.says {
        talk.say(Role::Agent, "RS Melati", what.clone());
    }
    let again = to_visit(THREAD, &talk.acts(), table, &house, talk.now_ms);
    assert_eq!(again, VisitAnswer::default(), "everything was said and decided");
    answer
}

fn ask() -> AppointmentAct {
    let wish = Wish { slots: vec![slot(1)], words: String::new() };
    AppointmentAct::Ask { service: "dental".into(), wish, reason: "a tooth".into() }
}

fn offer(slots: &[u8], until_ms: i64) -> AppointmentAct {
    AppointmentAct::Offer { slots: slots.iter().map(|n| slot(*n)).collect(), note: String::new(), until_ms }
}

#[test]
fn a_free_slot_that_was_asked_for_is_received_and_booked_by_nobody_but_staff() {
    let (mut talk, mut table) = (Talk::new(), published(&[1]));
    let asked = talk.patient(ask());
    let answer = visit(&mut talk, &mut table);
    let due_ms = MONDAY_8 + 8 * HOUR;
    let handler = "Melati Hospital".to_owned();
    assert_eq!(answer.says, [AppointmentAct::Received { handler, due_ms }], "and no more");
    assert_eq!(answer.decisions, []);
    talk.say(Role::Staff, "Sari", AppointmentAct::Confirm { answers: asked, slot: slot(1) });
    let answer = visit(&mut talk, &mut table);
    assert_eq!(answer.says, [AppointmentAct::Book { answers: asked, slot: slot(1) }], "once staff says so");
    assert_eq!(table.given_to(THREAD), Some(slot(1).id));
    talk.patient(AppointmentAct::Move { wish: Wish::default(), reason: "work".into() });
    let answer = visit(&mut talk, &mut table);
    assert!(matches!(answer.says[..], [AppointmentAct::Received { .. }]), "another wish: {answer:?}");
}

#[test]
fn an_offer_is_in_the_table_until_its_time_and_one_of_a_taken_slot_is_withdrawn() {
    let (mut talk, mut table) = (Talk::new(), published(&[1, 2]));
    talk.patient(ask());
    visit(&mut talk, &mut table);
    let until_ms = talk.now_ms + HOUR;
    let offered = talk.say(Role::Staff, "Sari", offer(&[1, 2], until_ms));
    visit(&mut talk, &mut table);
    let state = table.state(slot(1).id, talk.now_ms);
    assert!(matches!(state, Some(SlotState::Offered(standing)) if standing[0].offer == offered), "it stands");
    talk.now_ms = until_ms + 1;
    let answer = visit(&mut talk, &mut table);
    assert_eq!(answer.says, [], "what is over is not withdrawn: a yes that comes late is a yes");
    let yes = talk.patient(AppointmentAct::Accept { offer: offered, slot: slot(2).id });
    let answer = visit(&mut talk, &mut table);
    assert_eq!(answer.says, [AppointmentAct::Book { answers: yes, slot: slot(2) }]);

    let other = ThreadId::from_bytes([8; 16]);
    let mut table = published(&[1]);
    table.apply(&SlotDecision::Give { to: other, slot: slot(1).id }, MONDAY_8).expect("it is free");
    for slots in [&[1][..], &[9][..]] {
        let mut talk = Talk::new();
        talk.patient(ask());
        visit(&mut talk, &mut table);
        let offered = talk.say(Role::Staff, "Sari", offer(slots, MONDAY_8 + HOUR));
        let answer = visit(&mut talk, &mut table);
        let reason = String::new();
        let withdraw = AppointmentAct::Withdraw { offer: offered, reason };
        assert_eq!(answer.says, [withdraw], "of what cannot be had: {slots:?}");
    }
}
