//! Every kind of act comes back from its bytes, and no other bytes are one.

use super::*;
use mecum_domain::{CaseKind, PauseFor, Role, Side, Slot, SlotId, Wish};

fn key(n: u8) -> ActKey {
    ActKey {
        side: if n.is_multiple_of(2) { Side::Patient } else { Side::Hospital },
        id: ActId::from_bytes([n; 16]),
    }
}

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: 1_795_395_600_000 + i64::from(n),
        minutes: 15,
        practitioner: "dr Sari".into(),
        location: "Poli 3".into(),
    }
}

fn every() -> Vec<CareAct> {
    use AppointmentAct as A;
    use CaseAct as C;
    let (reason, wish) =
        (|| "besok pagi".to_owned(), || Wish { slots: vec![slot(1), slot(2)], words: "pagi".into() });
    let appointments = [
        A::Ask { service: "internal".into(), wish: wish(), reason: reason() },
        A::Accept { offer: key(1), slot: slot(1).id },
        A::Refuse { offer: key(1), wish: Wish::default() },
        A::Move { wish: wish(), reason: reason() },
        A::Cancel { reason: String::new() },
        A::CheckIn,
        A::Received { handler: "Budi".into(), due_ms: -1 },
        A::Offer { slots: vec![slot(3)], note: reason(), until_ms: 1_795_482_000_000 },
        A::Withdraw { offer: key(3), reason: reason() },
        A::Confirm { answers: key(2), slot: slot(4) },
        A::Book { answers: key(2), slot: slot(4) },
        A::SlotGone { answers: key(2), slot: slot(4).id },
        A::Decline { reason: reason() },
        A::CallOff { reason: reason() },
        A::Arrived,
        A::Done,
        A::Missed,
    ];
    let received = |outcome_due_ms| C::Received {
        of: key(4),
        handler: "Sari".into(),
        rung: 2,
        answer_due_ms: 1,
        outcome_due_ms,
        pledge: reason(),
    };
    let kinds =
        [CaseKind::Question, CaseKind::Request, CaseKind::Complaint, CaseKind::Correction, CaseKind::Message];
    let opened = kinds.map(|kind| C::Open {
        kind,
        about: "f00".into(),
        happened: reason(),
        help: reason(),
        ward_blind: kind == CaseKind::Complaint,
    });
    let cases = [
        C::Say { text: "Selamat pagi".into() },
        C::StepUp { rung: 1, reason: reason() },
        C::Settle,
        C::Withdraw { reason: reason() },
        C::Reopen { reason: reason() },
        received(None),
        received(Some(2)),
        C::Take,
        C::HandOver { to: "Ani".into(), reason: reason() },
        C::Pause { waits_for: PauseFor::Patient, reason: reason() },
        C::Pause { waits_for: PauseFor::Other, reason: reason() },
        C::Resume,
        C::Outcome { text: reason(), changed: reason() },
    ];
    let cases = opened.into_iter().chain(cases).map(CareAct::Case);
    let seen = [vec![key(1)], vec![key(2), key(4)]].map(|acts| CareAct::Seen { acts });
    appointments.into_iter().map(CareAct::Appointment).chain(cases).chain(seen).collect()
}

fn stored(what: CareAct) -> StoredAct {
    let thread = ThreadId::from_bytes([9; 16]);
    let (lamport, after) = match what {
        CareAct::Seen { .. } => (0, vec![]),
        _ => (3, vec![key(1), key(2)]),
    };
    StoredAct { thread, lamport, at_ms: 1_795_395_600_000, after, by: "Sari Utami".into(), what }
}

#[test]
fn every_kind_of_act_comes_back_from_its_bytes_and_from_no_others() {
    for what in every() {
        let act = stored(what);
        let bytes = act.encode();
        assert_eq!(StoredAct::decode(&bytes), Ok(act.clone()), "what went in comes out");
        for at in 0..bytes.len() {
            assert!(StoredAct::decode(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                if let Ok(read) = StoredAct::decode(&other) {
                    assert_ne!(read, act, "two ways of writing one act: {at}");
                }
            }
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(StoredAct::decode(&longer).is_err(), "something after it");
    }
}

#[test]
fn an_act_that_names_too_much_or_is_too_long_is_refused() {
    let after = vec![key(1); MAX_AFTER + 1];
    let many = StoredAct { after, ..stored(CareAct::Case(CaseAct::Take)) };
    assert_eq!(StoredAct::decode(&many.encode()), Err(BadAct), "more newest acts than there are devices");
    let named = |bytes| StoredAct { by: "n".repeat(bytes), ..stored(CareAct::Case(CaseAct::Take)) };
    assert!(StoredAct::decode(&named(MAX_BY_BYTES).encode()).is_ok(), "the longest name");
    assert_eq!(StoredAct::decode(&named(MAX_BY_BYTES + 1).encode()), Err(BadAct), "a longer one");
    let long = stored(CareAct::Case(CaseAct::Say { text: "x".repeat(MAX_ACT_BYTES) }));
    assert_eq!(StoredAct::decode(&long.encode()), Err(BadAct), "longer than an act is");
    // A list that claims 2^63 items, in nine bytes.
    let mut bomb = stored(CareAct::Case(CaseAct::Take)).encode();
    let at = bomb.iter().position(|byte| *byte == 0x82).expect("the list of the newest acts");
    bomb.splice(at..=at, [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(StoredAct::decode(&bomb), Err(BadAct), "a list that is not there takes no room");
}

#[test]
fn what_was_seen_is_said_once_of_each_act_of_one_side_and_has_no_place_among_the_acts() {
    let most: Vec<ActKey> = (0..u8::try_from(MAX_SEEN).expect("small")).map(|n| key(2 * n)).collect();
    let seen = |acts: &[ActKey]| stored(CareAct::Seen { acts: acts.to_vec() });
    let read = |act: StoredAct| StoredAct::decode(&act.encode()) == Ok(act);
    assert!(read(seen(&most[..1])) && read(seen(&most)), "one, and as many as there may be");
    let more = [most.as_slice(), &[key(200)]].concat();
    for (acts, why) in [
        (more.as_slice(), "one more"),
        (&[], "none"),
        (&[key(2), key(2)], "one of them twice"),
        (&[key(4), key(2)], "in another order"),
        (&[key(2), key(3)], "of both sides"),
    ] {
        assert!(!read(seen(acts)), "{why}");
    }
    let one = || seen(&most[..1]);
    assert!(!read(StoredAct { lamport: 1, ..one() }), "it has no number");
    assert!(!read(StoredAct { after: vec![key(2)], ..one() }), "and is after nothing");
    assert!(
        !read(StoredAct { thread: ThreadId::from_bytes([0; 16]), ..one() }),
        "nor does it begin anything"
    );
    let (key, author) = (FinishedKey::from_bytes([7; 16]), read_author());
    assert_eq!(one().appointment(key, author.clone()), None, "it is no act of an appointment");
    assert_eq!(one().case(key, author), None, "and none of a case");
}

#[test]
fn an_act_lies_in_the_bytes_that_were_frozen() {
    let act = stored(CareAct::Appointment(AppointmentAct::Accept { offer: key(1), slot: slot(1).id }));
    let hex =
        |act: &StoredAct| act.encode().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(
        hex(&act),
        concat!(
            "8801",
            "5009090909090909090909090909090909",
            "03",
            "1b000001a205eabe80",
            "8282025001010101010101010101010101010101",
            "82015002020202020202020202020202020202",
            "6a53617269205574616d69",
            "01",
            "8302820250010101010101010101010101010101015001010101010101010101010101010101",
        ),
        "its layout is stored and never changes"
    );
    let begins = concat!("8801", "5009090909090909090909090909090909");
    let offer = AppointmentAct::Offer { slots: vec![], note: "pagi".into(), until_ms: 1_795_395_600_000 };
    let offer = StoredAct { after: vec![], by: String::new(), ..stored(CareAct::Appointment(offer)) };
    assert_eq!(
        hex(&offer),
        [
            begins,
            "03",
            "1b000001a205eabe80",
            "80",
            "60",
            "01",
            "841821",
            "80",
            "6470616769",
            "1b000001a205eabe80"
        ]
        .concat(),
        "an offer with its time, of whom nobody names"
    );
    let seen = stored(CareAct::Seen { acts: vec![key(2), key(4)] });
    assert_eq!(
        hex(&seen),
        [
            begins,
            "00",
            "1b000001a205eabe80",
            "80",
            "6a53617269205574616d69",
            "03",
            "8282015002020202020202020202020202020202",
            "82015004040404040404040404040404040404"
        ]
        .concat(),
        "what was seen"
    );
    let author = Author { name: "Ratna".into(), role: Role::Patient };
    let read = act.appointment(FinishedKey::from_bytes([7; 16]), author.clone()).expect("of an appointment");
    assert_eq!(
        (read.id, read.lamport, read.author),
        (ActId::from_bytes([7; 16]), 3, author),
        "as its place names it"
    );
    assert_eq!(act.case(FinishedKey::from_bytes([7; 16]), read_author()), None, "not of a case");
}

fn read_author() -> Author {
    Author { name: "Ratna".into(), role: Role::Patient }
}
