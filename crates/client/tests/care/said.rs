//! In whose name something is said, what its author knew, and what the other side has seen of it.

use mecum_client::{After, CareMark, CareSpace, OwnRow, SessionError, TalkActs};
use mecum_documents::{CareAct, MAX_BY_BYTES, MAX_SEEN, StoredAct};
use mecum_domain::{ActKey, Case, CaseAct, CaseKind, CasePhase, Role, Side, ThreadId};

use crate::acts::{open, receipts, say, thread_of};
use crate::line::Device;
use crate::world::Clinic;

fn said(device: &mut Device, clinic: mecum_seal::SpaceId, thread: ThreadId, what: CareAct) -> ActKey {
    device.session.act_for_tests(clinic, Some(thread), what).expect("an act of a thread that is here")
}

fn case(device: &mut Device, space: mecum_seal::SpaceId, thread: ThreadId) -> Case {
    device.session.case_for_tests(space, thread).expect("it is read")
}

fn refused<T>(done: Result<T, SessionError>, why: &str) -> bool {
    done.err().is_some_and(|error| error.to_string().contains(why))
}

fn received(of: ActKey) -> CareAct {
    CareAct::Case(CaseAct::Received {
        of,
        handler: "Front desk".to_owned(),
        rung: 0,
        answer_due_ms: 1,
        outcome_due_ms: Some(2),
        pledge: String::new(),
    })
}

/// A complaint that the hospital has received; its outcome is written by who was shown what there was before the patient's last word,
/// and knows as much as `after` makes of it. What all four come to, and that word.
async fn closed_on_an_older_screen(seed: u64, after: fn(Vec<ActKey>) -> After) -> (Case, ActKey) {
    let mut clinic = Box::pin(Clinic::start(seed)).await;
    let space = clinic.space;
    let complaint = CareAct::Case(CaseAct::Open {
        kind: CaseKind::Complaint,
        about: String::new(),
        happened: "nobody came".to_owned(),
        help: "a word".to_owned(),
        ward_blind: false,
    });
    let opened = clinic.phone.session.act_for_tests(space, None, complaint);
    let opened = opened.expect("a complaint");
    let thread = thread_of(opened);
    clinic.settle().await;
    said(&mut clinic.hospital, space, thread, received(opened));
    clinic.settle().await;
    let shown = clinic.desk.session.acts_for_tests(space).expect("read").into_iter().map(|(key, ..)| key);
    let shown: Vec<ActKey> = shown.collect();
    let word = said(&mut clinic.phone, space, thread, say("and it happened again"));
    clinic.settle().await;
    assert!(clinic.desk.session.acts_for_tests(space).expect("read").iter().any(|(key, ..)| *key == word));
    let outcome = CaseAct::Outcome { text: "we were too few".to_owned(), changed: String::new() };
    let outcome = CareAct::Case(outcome);
    let done = clinic.desk.session.care_act(space, Some(thread), outcome, after(shown), "Sari Utami");
    done.expect("an outcome");
    clinic.settle().await;
    let read: Vec<Case> = clinic.devices().into_iter().map(|device| case(device, space, thread)).collect();
    assert!(read.iter().all(|one| *one == read[0]), "all four come to the same: {read:?}");
    (read[0].clone(), word)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_written_on_an_older_screen_closes_nothing_over_a_word_that_came_meanwhile() {
    let (case, word) = Box::pin(closed_on_an_older_screen(5_700, After::Shown)).await;
    assert_eq!(case.waiting, [word], "nobody had read it who wrote the outcome");
    assert_eq!(case.phase, CasePhase::Open, "so the hospital still owes a word");
    let (case, _) = Box::pin(closed_on_an_older_screen(5_720, |_| After::Everything)).await;
    assert_eq!(
        (case.phase, case.waiting.len()),
        (CasePhase::Outcome, 0),
        "the control: who has read it closes it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_spoke_for_a_hospital_is_the_same_on_both_sides_and_a_patients_app_names_nobody() {
    let mut clinic = Box::pin(Clinic::start(5_740)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?"));
    let asked = asked.expect("a question");
    let thread = thread_of(asked);
    clinic.settle().await;
    let session = &mut clinic.desk.session;
    let take = || CareAct::Case(CaseAct::Take);
    let longest = "n".repeat(MAX_BY_BYTES);
    let longer = session.care_act(space, Some(thread), take(), After::Everything, &format!("{longest}n"));
    assert!(refused(longer, "error-too-long"), "a name is short");
    let longest = session.care_act(space, Some(thread), say("soup"), After::Everything, &longest);
    longest.expect("as long as one may be");
    let unnamed = said(&mut clinic.hospital, space, thread, say("or rice"));
    let session = &mut clinic.desk.session;
    let taken =
        session.care_act(space, Some(thread), take(), After::Everything, "Sari Utami").expect("taken");
    let session = &mut clinic.phone.session;
    let named = session.care_act(space, Some(thread), say("thanks"), After::Everything, "RS Tirta Asih");
    assert!(refused(named, "error-act-not-yours"), "a patient speaks in no other name");
    // A changed app that asks nobody.
    let act = StoredAct {
        thread,
        lamport: 2,
        at_ms: 1,
        after: vec![asked],
        by: "RS Tirta Asih".to_owned(),
        what: say("eat what you like"),
    };
    let lie = session.keep_act_for_tests(space, &act).expect("kept");
    clinic.settle().await;
    for (number, device) in clinic.devices().into_iter().enumerate() {
        let acts = device.session.acts_for_tests(space).expect("read");
        let by = |key: ActKey| &acts.iter().find(|(one, ..)| *one == key).expect("it is read").2;
        assert_eq!(by(taken).name, "Sari Utami", "device {number}: as the desk said");
        assert_eq!(case(device, space, thread).handler, "Sari Utami", "device {number}: who answers");
        assert_eq!(
            (by(lie).role, lie.side),
            (Role::Patient, Side::Patient),
            "device {number}: the words stay"
        );
        assert_eq!(
            by(lie).name,
            by(asked).name,
            "device {number}: in the name of the account that said them"
        );
        if number < 2 {
            assert_eq!(by(unnamed).name, "RS Tirta Asih", "where nobody is named it is the hospital");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_is_said_to_be_seen_once_and_what_was_only_fetched_is_not() {
    let mut clinic = Box::pin(Clinic::start(5_760)).await;
    let space = clinic.space;
    let mut begun = Vec::new();
    for question in ["may I eat?", "may I drink?"] {
        let asked = clinic.phone.session.act_for_tests(space, None, open(question));
        begun.push(asked.expect("a question"));
    }
    let (asked, other) = (begun[0], begun[1]);
    let thread = thread_of(asked);
    clinic.settle().await;
    let answer = said(&mut clinic.desk, space, thread, say("soup"));
    clinic.settle().await;
    let before = case(&mut clinic.phone, space, thread);
    let count = clinic.phone.session.acts_for_tests(space).expect("read").len();
    for device in clinic.devices() {
        assert_eq!(
            device.session.seen_for_tests(space).expect("read"),
            [],
            "who fetched it has seen nothing"
        );
    }
    let see = |device: &mut Device, shown, by: &str| device.session.care_seen(space, thread, shown, by);
    assert!(see(&mut clinic.phone, After::Everything, "").expect("said").is_some(), "somebody opened it");
    assert!(see(&mut clinic.phone, After::Everything, "").expect("nothing").is_none(), "once is enough");
    assert_eq!(receipts(&clinic.phone.session).0, 0, "who reads has written nothing that waits");
    // A screen of the desk was drawn before this word came.
    let word = said(&mut clinic.phone, space, thread, say("with salt?"));
    clinic.settle().await;
    assert!(see(&mut clinic.laptop, After::Everything, "").expect("nothing").is_none(), "nor on each device");
    let shown = After::Shown(vec![answer]);
    assert!(see(&mut clinic.desk, shown, "Sari Utami").expect("said").is_some(), "what it showed");
    // Whoever says so of their own words, or of what another conversation has, has said nothing.
    let seen = |acts| StoredAct {
        thread,
        lamport: 0,
        at_ms: 0,
        after: vec![],
        by: String::new(),
        what: CareAct::Seen { acts },
    };
    clinic.phone.session.keep_act_for_tests(space, &seen(vec![word])).expect("kept");
    clinic.hospital.session.keep_act_for_tests(space, &seen(vec![other])).expect("kept");
    clinic.settle().await;
    for (number, device) in clinic.devices().into_iter().enumerate() {
        let seen = device.session.seen_for_tests(space).expect("read");
        let read: Vec<_> = seen.iter().map(|(key, by)| (*key, by.author.role)).collect();
        assert_eq!(
            read,
            [(asked, Role::Agent), (answer, Role::Patient)],
            "device {number}: each by the other"
        );
        assert_eq!(seen[0].1.author.name, "Sari Utami", "device {number}: and by whom");
        let acts = device.session.acts_for_tests(space).expect("read");
        assert_eq!(acts.len(), count + 1, "device {number}: one more word, and no act of who has seen");
        assert!(device.session.put_aside_for_tests().is_empty(), "device {number}: nothing stops for it");
    }
    let after = case(&mut clinic.phone, space, thread);
    assert_eq!(
        after,
        Case { waiting: vec![word], phase: after.phase, ..before },
        "nothing was answered by it"
    );
    assert!(
        see(&mut clinic.desk, After::Everything, "Sari Utami").expect("said").is_some(),
        "then the word too"
    );
    let nowhere = ThreadId::from_bytes([7; 16]);
    let session = &mut clinic.phone.session;
    assert!(
        refused(session.care_seen(space, nowhere, After::Everything, ""), "error-not-found"),
        "not there"
    );
    let named = session.care_seen(space, thread, After::Everything, "Sari Utami");
    assert!(refused(named, "error-act-not-yours"), "nor in another name");
    let in_general = session.act_for_tests(space, Some(thread), seen(vec![answer]).what);
    assert!(refused(in_general, "error-not-found"), "it is no word");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_than_one_act_can_name_the_newest_are_seen_first_and_the_others_next() {
    let mut clinic = Box::pin(Clinic::start(5_780)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?"));
    let thread = thread_of(asked.expect("a question"));
    let words: Vec<ActKey> =
        (0..MAX_SEEN).map(|n| said(&mut clinic.phone, space, thread, say(&format!("and {n}?")))).collect();
    clinic.settle().await;
    for expected in [MAX_SEEN, MAX_SEEN + 1] {
        let seen = clinic.hospital.session.care_seen(space, thread, After::Everything, "");
        assert!(seen.expect("said").is_some(), "there was something new");
        let seen = clinic.hospital.session.seen_for_tests(space).expect("read");
        assert_eq!(seen.len(), expected);
        assert!(
            words.iter().all(|word| seen.iter().any(|(key, _)| key == word)),
            "the newest are among them"
        );
    }
    let seen = clinic.hospital.session.care_seen(space, thread, After::Everything, "");
    assert!(seen.expect("nothing").is_none(), "then all are");
}

#[tokio::test]
async fn several_words_and_the_rows_beside_them_are_kept_in_one_step_or_not_at_all() {
    let mut clinic = Box::pin(Clinic::start(0x5a1d_0006)).await;
    let space = clinic.space;
    let opened = clinic.phone.session.act_for_tests(space, None, open("soup")).expect("a question");
    clinic.settle().await;
    let thread = thread_of(opened);
    let row = |n: u8| OwnRow { name: vec![b'a', b'g', b'e', b'n', b't', b'/', n], body: Some(vec![n; 3]) };
    let words = || vec![received(opened), CareAct::Case(CaseAct::Take), say("soup it is")];
    let session = &mut clinic.hospital.session;
    let before = session.acts_for_tests(space).expect("read");
    for says in [words(), Vec::new()] {
        session.stop_after_commits_for_tests(0);
        let stopped = session.care_say(space, Some(thread), says, After::Everything, "", vec![row(1)]);
        assert!(stopped.is_err(), "nothing is told as done that was not kept");
        session.stop_after_commits_for_tests(u32::MAX);
        assert_eq!(session.own_rows(b"agent/").expect("read"), [], "no row without its words");
        assert_eq!(session.acts_for_tests(space).expect("read"), before, "no word without its row");
    }
    let marked = session.care_marks();
    let said = session.care_say(space, Some(thread), words(), After::Everything, "", vec![row(2), row(1)]);
    let said = said.expect("all of it");
    assert_eq!(session.own_rows(b"agent/").expect("read"), [row(1), row(2)], "in the order of their names");
    let one_more = |mark: &CareMark| CareMark { own_seq: mark.own_seq + 2, ..*mark };
    let marks: Vec<CareMark> = marked.iter().map(one_more).collect();
    assert_eq!(session.care_marks(), marks, "an envelope that opens the document, and one for all the words");
    let gone = OwnRow { body: None, ..row(2) };
    session.keep_rows(vec![gone]).expect("taken away");
    assert_eq!(session.own_rows(b"agent/").expect("read"), [row(1)]);
    let foreign = OwnRow { name: b"auto-lock-min".to_vec(), body: None };
    assert!(session.keep_rows(vec![foreign.clone()]).is_err(), "no row of anybody else's");
    let mixed = session.care_say(space, Some(thread), words(), After::Everything, "", vec![foreign]);
    assert!(mixed.is_err() && session.own_rows(b"auto").is_err());
    clinic.settle().await;
    for device in clinic.devices() {
        let talks = device.session.care_talks(space).expect("read");
        let [talk] = talks.as_slice() else { panic!("one conversation: {talks:?}") };
        let TalkActs::Case(acts) = &talk.acts else { panic!("a case: {talk:?}") };
        assert_eq!((talk.space, talk.thread), (space, thread));
        let order: Vec<ActKey> = acts.iter().map(|(_, act)| act.key()).collect();
        let all = [vec![opened], said.clone()].concat();
        assert_eq!(order, all, "each of them after the one before, everywhere");
        assert!((1..4).all(|later| (0..later).all(|earlier| acts.knew(later, earlier))));
    }
}

#[tokio::test]
async fn a_space_of_conversations_is_told_to_both_sides_each_with_its_own() {
    let mut clinic = Box::pin(Clinic::start(0x5a1d_0007)).await;
    let space = clinic.space;
    let card = clinic.hospital.session.hospital_card("RS").expect("at a server");
    for (device, side) in [(&clinic.phone, Side::Patient), (&clinic.hospital, Side::Hospital)] {
        let chart = clinic.chart;
        let told = device.session.care_spaces();
        let told: Vec<CareSpace> = told.into_iter().filter(|one| one.space == space).collect();
        assert_eq!(told, [CareSpace { space, chart, hospital: card.hospital, side, open: true }]);
    }
    clinic.settle().await;
}
