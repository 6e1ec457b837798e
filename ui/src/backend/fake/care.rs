//! Conversations with an invented hospital: visits in each phase, a complaint whose clock runs, one that is late, a question that was
//! answered; and the desk of that hospital.

use mecum_api::domain::{
    ActId, ActKey, Appointment, AppointmentAct, Case, CaseAct, CaseClock, CaseKind, CasePhase, Due,
    HospitalId, Owed, Phase, Role, Rung, Side, Slot, SlotId, ThreadId, Wish,
};
use mecum_api::{
    CareActView, CareActWords, CareSeenView, CareSpaceView, CareThreadView, CareVerb, CareView, ClockState,
    ClockView, DeskCodeView, DeskItemView, DeskKind, DeskQueueView, DeskView, FreeSlotView, HelpLineView,
    HospitalOfferView, HospitalView, LadderView, MemberState, NoticeTrust, PairOfferView, PairPhase,
    PractitionerView, PriceView, ReceiptState, ServiceView,
};

use super::{Fake, NOW_MS, chart};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The space of every conversation here.
pub const SPACE: &str = "55010101010101010101010101010101";

fn hospital() -> HospitalId {
    HospitalId::from_bytes([1; 16])
}

/// The thread of a fixture: `a…` for visits, `b…` for cases.
fn thread(first: u8, n: u8) -> ThreadId {
    let mut bytes = [n; 16];
    bytes[0] = first;
    ThreadId::from_bytes(bytes)
}

fn key(side: Side, n: u8) -> ActKey {
    ActKey { side, id: ActId::from_bytes([n; 16]) }
}

fn slot(n: u8, days: i64, hours: i64, who: &str, place: &str) -> Slot {
    // From 8:12: whole hours of that day and after.
    let starts_ms = NOW_MS - 12 * 60_000 + days * DAY_MS + (hours - 8) * HOUR_MS;
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms,
        minutes: 20,
        practitioner: who.into(),
        location: place.into(),
    }
}

fn patient(n: u8, before_ms: i64, receipt: ReceiptState, what: CareActWords) -> CareActView {
    let seen = (receipt == ReceiptState::Received && n % 2 == 1).then(|| CareSeenView {
        by: "Sari Utami".into(),
        role: Role::Staff,
        at_ms: NOW_MS - before_ms + HOUR_MS,
    });
    CareActView {
        key: key(Side::Patient, n),
        by: "Laras".into(),
        role: Role::Relative,
        at_ms: NOW_MS - before_ms,
        receipt,
        seen,
        what,
    }
}

fn staff(n: u8, before_ms: i64, by: &str, what: CareActWords) -> CareActView {
    let role = if by == "RS Tirta Asih" { Role::Agent } else { Role::Staff };
    let (key, at_ms) = (key(Side::Hospital, n), NOW_MS - before_ms);
    CareActView { key, by: by.into(), role, at_ms, receipt: ReceiptState::Received, seen: None, what }
}

fn of(thread: ThreadId, title: &str, acts: Vec<CareActView>) -> CareThreadView {
    CareThreadView {
        chart: chart(2),
        space: SPACE.into(),
        hospital: hospital(),
        name: "RS Tirta Asih".into(),
        thread,
        title: title.into(),
        begun_ms: acts.first().map_or(0, |act| act.at_ms),
        last_ms: acts.last().map_or(0, |act| act.at_ms),
        unsent: u32::from(acts.iter().any(|act| act.receipt == ReceiptState::Device)),
        shown: acts.last().map(|act| act.key).into_iter().collect(),
        acts,
        ..CareThreadView::default()
    }
}

fn about(what: AppointmentAct) -> CareActWords {
    CareActWords::Appointment(what)
}

fn said(what: CaseAct) -> CareActWords {
    CareActWords::Case(what)
}

fn ask(service: &str, words: &str, slots: Vec<Slot>, reason: &str) -> CareActWords {
    let wish = Wish { slots, words: words.into() };
    about(AppointmentAct::Ask { service: service.into(), wish, reason: reason.into() })
}

fn received(due_ms: i64) -> CareActWords {
    about(AppointmentAct::Received { handler: "Sari Utami".into(), due_ms })
}

fn clock(state: ClockState, minutes: u32) -> ClockView {
    let due_ms = match state {
        ClockState::Late => NOW_MS - i64::from(minutes) * 60_000,
        _ => NOW_MS + i64::from(minutes) * 60_000,
    };
    let received_ms = NOW_MS - 20 * HOUR_MS;
    ClockView { state, outcome: false, received_ms, due_ms, minutes, of_minutes: 480, paused_for: None }
}

#[expect(clippy::too_many_lines, reason = "a list of fixtures")]
fn visits() -> Vec<CareThreadView> {
    use CareVerb as V;
    let booked = slot(1, 14, 9, "dr. Hendra Wijaya", "Room 204");
    let ask_mine = patient(
        1,
        9 * DAY_MS,
        ReceiptState::Received,
        ask("internal", "", vec![booked.clone()], "Sugar control"),
    );
    let booking = about(AppointmentAct::Book { answers: ask_mine.key, slot: booked.clone() });
    let confirmed = CareThreadView {
        appointment: Some(Appointment {
            phase: Phase::Confirmed,
            booked: Some(booked),
            ..Appointment::default()
        }),
        may: vec![V::Move, V::Cancel],
        ..of(
            thread(0xa1, 1),
            "internal",
            vec![
                ask_mine,
                staff(2, 9 * DAY_MS - HOUR_MS, "RS Tirta Asih", received(NOW_MS)),
                staff(3, 8 * DAY_MS, "RS Tirta Asih", booking),
            ],
        )
    };
    let offer = staff(
        12,
        DAY_MS,
        "Sari Utami",
        about(AppointmentAct::Offer {
            slots: vec![
                slot(2, 9, 10, "Ns. Dewi Anggraini", "Nurse clinic"),
                slot(3, 10, 8, "Ns. Dewi Anggraini", "Nurse clinic"),
            ],
            note: "Both are with the same nurse.".into(),
            until_ms: NOW_MS + DAY_MS + 8 * HOUR_MS,
        }),
    );
    let offered = CareThreadView {
        appointment: Some(Appointment {
            phase: Phase::Offered,
            offers: vec![offer.key],
            ..Appointment::default()
        }),
        waits_for: Some(Side::Patient),
        may: vec![V::Accept, V::Refuse, V::Cancel],
        unseen: 1,
        ..of(
            thread(0xa1, 2),
            "foot",
            vec![
                patient(
                    11,
                    3 * DAY_MS,
                    ReceiptState::Received,
                    ask("foot", "Mornings", vec![], "Yearly foot check"),
                ),
                offer,
            ],
        )
    };
    let asked_act = patient(
        21,
        20 * 60_000,
        ReceiptState::Device,
        ask(
            "eye",
            "Morning of Mon 14 or Tue 15 Sep",
            vec![],
            "Uses a walking stick. Laras comes along and drives.",
        ),
    );
    let asked = CareThreadView {
        appointment: Some(Appointment {
            open_wish: Some(asked_act.key),
            waits_for_hospital: true,
            ..Appointment::default()
        }),
        waits_for: Some(Side::Hospital),
        may: vec![V::Cancel],
        ..of(thread(0xa1, 3), "eye", vec![asked_act])
    };
    let past_slot = slot(4, -40, 9, "dr. Hendra Wijaya", "Room 204");
    let done = CareThreadView {
        appointment: Some(Appointment {
            phase: Phase::Done,
            booked: Some(past_slot.clone()),
            ..Appointment::default()
        }),
        ..of(
            thread(0xa1, 4),
            "internal",
            vec![
                patient(
                    31,
                    50 * DAY_MS,
                    ReceiptState::Received,
                    ask("internal", "", vec![past_slot], "Check-up"),
                ),
                staff(32, 40 * DAY_MS, "Sari Utami", about(AppointmentAct::Done)),
            ],
        )
    };
    let declined = CareThreadView {
        appointment: Some(Appointment { phase: Phase::Declined, ..Appointment::default() }),
        ..of(
            thread(0xa1, 5),
            "eye",
            vec![
                patient(
                    41,
                    80 * DAY_MS,
                    ReceiptState::Received,
                    ask("eye", "", vec![], "Photo of the retina"),
                ),
                staff(
                    42,
                    79 * DAY_MS,
                    "Sari Utami",
                    about(AppointmentAct::Decline {
                        reason: "The camera is away for repair until October.".into(),
                    }),
                ),
            ],
        )
    };
    vec![offered, confirmed, asked, done, declined]
}

fn open(kind: CaseKind, happened: &str, help: &str) -> CareActWords {
    said(CaseAct::Open {
        kind,
        about: String::new(),
        happened: happened.into(),
        help: help.into(),
        ward_blind: false,
    })
}

fn case_received(of: ActKey, rung: u8, due_ms: i64) -> CareActWords {
    let pledge = "Nobody is treated worse for complaining. Tell us at once if it happens.".to_owned();
    let (handler, outcome_due_ms) = ("Sari Utami".to_owned(), Some(due_ms + 5 * DAY_MS));
    said(CaseAct::Received { of, handler, rung, answer_due_ms: due_ms, outcome_due_ms, pledge })
}

fn words(text: &str) -> CareActWords {
    said(CaseAct::Say { text: text.into() })
}

#[expect(clippy::unnecessary_wraps, reason = "as a view has it")]
fn case(kind: CaseKind, phase: CasePhase, due_ms: Option<i64>) -> Option<Case> {
    let next = due_ms.map(|at_ms| Due { owed: Owed::Answer, at_ms });
    let handler = if phase == CasePhase::Sent { String::new() } else { "Sari Utami".into() };
    Some(Case { kind, phase, handler, clock: CaseClock { next, paused: None }, ..Case::default() })
}

#[expect(clippy::too_many_lines, reason = "a list of fixtures")]
fn cases() -> Vec<CareThreadView> {
    use CareVerb as V;
    let wrote = patient(
        51,
        21 * HOUR_MS,
        ReceiptState::Received,
        open(
            CaseKind::Complaint,
            "Late lab result\nPromised for Thu 3 Sep, came Mon 7 Sep. Sent away twice at the counter.",
            "Say when results come, and keep to it.",
        ),
    );
    let running = CareThreadView {
        case: case(CaseKind::Complaint, CasePhase::Open, Some(NOW_MS + 200 * 60_000)),
        waits_for: Some(Side::Hospital),
        clock: Some(clock(ClockState::Running, 200)),
        may: vec![V::Say, V::Withdraw],
        ..of(
            thread(0xb1, 1),
            "Late lab result",
            vec![
                wrote.clone(),
                staff(52, 20 * HOUR_MS, "RS Tirta Asih", case_received(wrote.key, 0, NOW_MS + 200 * 60_000)),
                staff(53, 19 * HOUR_MS, "Sari Utami", said(CaseAct::Take)),
            ],
        )
    };
    let bed = patient(
        61,
        2 * DAY_MS,
        ReceiptState::Received,
        open(CaseKind::Complaint, "Bed moved without telling family", ""),
    );
    let late = CareThreadView {
        case: case(CaseKind::Complaint, CasePhase::Open, Some(NOW_MS - 70 * 60_000)),
        waits_for: Some(Side::Hospital),
        clock: Some(clock(ClockState::Late, 70)),
        may: vec![V::Say, V::StepUp, V::Withdraw],
        ..of(
            thread(0xb1, 2),
            "Bed moved without telling family",
            vec![
                bed.clone(),
                staff(
                    62,
                    2 * DAY_MS - HOUR_MS,
                    "RS Tirta Asih",
                    case_received(bed.key, 0, NOW_MS - 70 * 60_000),
                ),
            ],
        )
    };
    let answered = CareThreadView {
        case: case(CaseKind::Question, CasePhase::Answered, None),
        may: vec![V::Say],
        unseen: 1,
        ..of(
            thread(0xb1, 3),
            "About the HbA1c result",
            vec![
                patient(
                    71,
                    26 * HOUR_MS,
                    ReceiptState::Received,
                    open(
                        CaseKind::Question,
                        "About the HbA1c result\nIt rose from 7.4 to 7.8. Is that much?",
                        "",
                    ),
                ),
                staff(
                    72,
                    21 * HOUR_MS,
                    "Ns. Dewi Anggraini",
                    words(
                        "Good question. Before we look at food, can you tell me whether any doses were missed?",
                    ),
                ),
            ],
        )
    };
    let settled_words = said(CaseAct::Outcome {
        text: "The porter's rota had a gap at noon. We are sorry that you waited.".into(),
        changed: "Two porters at noon from 1 September.".into(),
    });
    let outcome = CareThreadView {
        case: case(CaseKind::Complaint, CasePhase::Outcome, None),
        waits_for: Some(Side::Patient),
        may: vec![V::Say, V::Settle, V::Reopen],
        ..of(
            thread(0xb1, 4),
            "An hour without a wheelchair",
            vec![
                patient(
                    81,
                    12 * DAY_MS,
                    ReceiptState::Received,
                    open(CaseKind::Complaint, "An hour without a wheelchair", ""),
                ),
                staff(82, 5 * DAY_MS, "Sari Utami", settled_words),
            ],
        )
    };
    let message = CareThreadView {
        case: case(CaseKind::Message, CasePhase::Sent, None),
        waits_for: Some(Side::Hospital),
        may: vec![V::Say],
        ..of(
            thread(0xb1, 5),
            "May Ibu take her tea before the blood test?",
            vec![patient(
                91,
                HOUR_MS,
                ReceiptState::Sent,
                open(CaseKind::Message, "May Ibu take her tea before the blood test?", ""),
            )],
        )
    };
    vec![late, outcome, running, answered, message]
}

fn service(code: &str, name: &str, about: &str, price: Option<u64>) -> ServiceView {
    let price = price.map(|amount| PriceView {
        amount,
        currency: "IDR".into(),
        note: "BPJS pays it with a referral.".into(),
    });
    ServiceView { code: code.into(), name: name.into(), about: about.into(), price }
}

fn published() -> HospitalView {
    let rung = |name: &str, outside: Option<&str>| Rung {
        name: name.into(),
        answer_minutes: 480,
        outcome_minutes: 2_400,
        outside: outside.map(str::to_owned),
    };
    let free = |n, days, hours| FreeSlotView {
        service: "internal".into(),
        slot: slot(n, days, hours, "dr. Hendra Wijaya", "Room 204"),
    };
    let day = vec![("08:00".to_owned(), "16:00".to_owned())];
    HospitalView {
        hospital: hospital(),
        name: "RS Tirta Asih".into(),
        address: "Jl. Merpati 4, Yogyakarta. Entrance B, wheelchairs by the ramp.".into(),
        published_ms: NOW_MS - 2 * HOUR_MS,
        fetched_ms: NOW_MS - 14 * 60_000,
        old: false,
        trust: NoticeTrust::Connected,
        open: true,
        week: (0..7).map(|n| if n < 5 { day.clone() } else { Vec::new() }).collect(),
        services: vec![
            service(
                "internal",
                "Internal medicine",
                "Fast from 23:00 the night before. Bring home readings.",
                Some(173_000),
            ),
            service(
                "eye",
                "Eye clinic, yearly retina photo",
                "You cannot drive for four hours afterwards.",
                Some(250_000),
            ),
            service("foot", "Foot check, nurse clinic", "", None),
        ],
        practitioners: vec![PractitionerView {
            name: "dr. Hendra Wijaya".into(),
            services: vec!["internal".into()],
            languages: vec!["id".into(), "en".into()],
        }],
        slots: vec![free(101, 6, 9), free(102, 6, 10), free(103, 7, 9), free(104, 8, 14)],
        ladders: vec![
            LadderView {
                kind: CaseKind::Complaint,
                rungs: vec![
                    rung("Patient relations", None),
                    rung("Bambang Setiadi, head of service", None),
                    rung("Ombudsman of Yogyakarta", Some("0274 1234")),
                ],
            },
            LadderView { kind: CaseKind::Question, rungs: vec![rung("Nurse on duty", None)] },
        ],
        pledge: "Nobody is treated worse for complaining. Tell us at once if it happens.".into(),
        terms: "What you share is read by those who answer you, and by nobody else.".into(),
        help_lines: vec![HelpLineView {
            name: "Nurse line".into(),
            reach: "0274 5678".into(),
            when: "Every day, 06:00 to 22:00".into(),
        }],
        link: "mecum:hospital?s=https://mecum.example&n=01010101010101010101010101010101".into(),
    }
}

fn at_desk() -> Vec<DeskItemView> {
    let items = cases().into_iter().chain(visits()).filter(|one| one.waits_for == Some(Side::Hospital));
    items
        .map(|one| DeskItemView {
            chart: one.chart,
            space: one.space,
            thread: one.thread,
            whose: "Ibu Ratna".into(),
            kind: one.case.as_ref().map_or(DeskKind::Visit, |case| DeskKind::Case(case.kind)),
            title: one.title,
            handler: one.case.map(|case| case.handler).unwrap_or_default(),
            last_ms: one.last_ms,
            clock: one.clock,
            rung: 0,
            unseen: 1,
            unsent: 0,
        })
        .collect()
}

/// Puts them into the fixtures.
pub fn put(fake: &Fake) {
    let threads: Vec<CareThreadView> = visits().into_iter().chain(cases()).collect();
    let bare = |one: &CareThreadView| CareThreadView { acts: Vec::new(), ..one.clone() };
    let space = CareSpaceView {
        space: SPACE.into(),
        hospital: hospital(),
        name: "RS Tirta Asih".into(),
        side: Side::Patient,
        state: MemberState::Member,
        open: true,
    };
    fake.put("care_list", CareView { spaces: vec![space], threads: threads.iter().map(bare).collect() });
    fake.put("care_talks", threads);
    fake.put("hospital_get", published());
    fake.put("hospital_find", published());
    fake.put("hospital_list", vec![published()]);
    let offer = PairOfferView {
        words: "abacus lantern maple orbit quiet saddle velvet window yellow zebra anchor basket"
            .split(' ')
            .map(str::to_owned)
            .collect(),
        qr: "mecum:pair?s=https://mecum.example&k=not-a-key".into(),
        server: "https://mecum.example".into(),
        ends_ms: NOW_MS + 900_000,
    };
    fake.put(
        "hospital_open",
        HospitalOfferView {
            hospital: hospital(),
            name: "RS Tirta Asih".into(),
            ends_ms: NOW_MS + 900_000,
            connected: Vec::new(),
        },
    );
    fake.put("desk_get", DeskView { serves: true, name: Some("Sari Utami".into()) });
    fake.put("desk_queue", DeskQueueView { total: 4, waiting: 4, late: 1, items: at_desk() });
    let code = DeskCodeView {
        code: "0c0c".into(),
        offer,
        phase: PairPhase::Asking,
        from: Some("Laras".into()),
        whose: Some("Ibu Ratna".into()),
        message_id: None,
    };
    fake.put("desk_list", vec![code.clone()]);
    fake.put("desk_code", code);
}
