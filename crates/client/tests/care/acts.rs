//! Acts: written once, read by both sides, and what they come to is the same on every device.

use mecum_client::testing::surroundings;
use mecum_client::{ItemKey, Session};
use mecum_documents::{CareAct, StoredAct};
use mecum_domain::{
    ActKey, Appointment, AppointmentAct, CaseAct, CaseKind, Phase, Role, Side, Slot, SlotId, ThreadId, Wish,
};
use mecum_seal::DocumentId;
use mecum_vault::Location;

use crate::line::{Device, exchange};
use crate::world::{Clinic, settle};

/// Asks for one of four slots.
pub(crate) fn ask(reason: &str) -> CareAct {
    let wish = Wish { slots: (1..=4).map(slot).collect(), words: String::new() };
    let service = "dental".to_owned();
    CareAct::Appointment(AppointmentAct::Ask { service, wish, reason: reason.to_owned() })
}

pub(crate) fn open(happened: &str) -> CareAct {
    CareAct::Case(CaseAct::Open {
        kind: CaseKind::Question,
        about: String::new(),
        happened: happened.to_owned(),
        help: String::new(),
        ward_blind: false,
    })
}

pub(crate) fn say(text: &str) -> CareAct {
    CareAct::Case(CaseAct::Say { text: text.to_owned() })
}

pub(crate) fn thread_of(first: ActKey) -> ThreadId {
    ThreadId::from_bytes(*first.id.as_bytes())
}

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: 1_789_000_000_000 + i64::from(n) * 3_600_000,
        minutes: 30,
        practitioner: "drg. Sari".to_owned(),
        location: "Poli gigi".to_owned(),
    }
}

fn on(device: &mut Device, clinic: mecum_seal::SpaceId, thread: ThreadId, what: AppointmentAct) -> ActKey {
    let what = CareAct::Appointment(what);
    device.session.act_for_tests(clinic, Some(thread), what).expect("an act of a thread that is here")
}

fn appointment(device: &mut Device, space: mecum_seal::SpaceId, thread: ThreadId) -> Appointment {
    device.session.appointment_for_tests(space, thread).expect("it is read")
}

/// How many things that were written here are on this device only, at the server, and with another device.
pub(crate) fn receipts(session: &Session) -> (u32, u32, u32) {
    let view = session.honesty().expect("counts");
    (view.device, view.sent, view.received)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_offline_is_on_this_device_then_sent_then_received_and_never_shows_as_booked() {
    let mut clinic = Box::pin(Clinic::start(5_100)).await;
    let space = clinic.space;
    let (device, sent, received) = receipts(&clinic.phone.session);
    assert_eq!((device, sent), (0, 0), "all of before has been received");
    let asked =
        clinic.phone.session.act_for_tests(space, None, ask("a tooth hurts")).expect("without a network");
    let thread = thread_of(asked);
    assert_eq!(receipts(&clinic.phone.session), (1, 0, received), "on this device");
    assert_eq!(appointment(&mut clinic.phone, space, thread).phase, Phase::Asked);
    exchange(&mut clinic.phone).await;
    assert_eq!(receipts(&clinic.phone.session), (0, 1, received), "then at the server");
    exchange(&mut clinic.hospital).await;
    exchange(&mut clinic.phone).await;
    assert_eq!(receipts(&clinic.phone.session), (0, 0, received + 1), "then with the hospital");
    for device in [&mut clinic.phone, &mut clinic.hospital] {
        let read = appointment(device, space, thread);
        assert_eq!((read.phase, read.booked), (Phase::Asked, None), "asked for, and nothing else");
    }
    on(&mut clinic.hospital, space, thread, AppointmentAct::Book { answers: asked, slot: slot(1) });
    assert_eq!(appointment(&mut clinic.phone, space, thread).phase, Phase::Asked, "not before it is heard");
    clinic.settle().await;
    for device in clinic.devices() {
        let read = appointment(device, space, thread);
        assert_eq!((read.phase, read.booked), (Phase::Confirmed, Some(slot(1))), "then it is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_does_what_is_its_own_and_in_a_thread_that_is_there() {
    let mut clinic = Box::pin(Clinic::start(5_150)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, ask("a tooth hurts")).expect("it begins one");
    let question = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("another");
    clinic.settle().await;
    let refused = |done: Result<ActKey, mecum_client::SessionError>| done.map_err(|error| error.to_string());
    let book = CareAct::Appointment(AppointmentAct::Book { answers: asked, slot: slot(1) });
    let thread = Some(thread_of(asked));
    let why = refused(clinic.phone.session.act_for_tests(space, thread, book.clone()));
    assert!(why.is_err_and(|why| why.contains("error-act-not-yours")), "a patient books nothing");
    let why = refused(clinic.hospital.session.act_for_tests(space, None, ask("a tooth hurts")));
    assert!(why.is_err_and(|why| why.contains("error-act-not-yours")), "a hospital asks for nothing");
    let not_found = |why: Result<ActKey, String>| why.is_err_and(|why| why.contains("error-not-found"));
    assert!(not_found(refused(clinic.phone.session.act_for_tests(space, None, say("hello")))), "no thread");
    assert!(
        not_found(refused(clinic.phone.session.act_for_tests(space, thread, say("hello")))),
        "another form"
    );
    assert!(
        not_found(refused(clinic.phone.session.act_for_tests(space, thread, ask("again")))),
        "begun already"
    );
    let nowhere = Some(ThreadId::from_bytes([7; 16]));
    assert!(
        not_found(refused(clinic.phone.session.act_for_tests(space, nowhere, say("hello")))),
        "not there"
    );
    let long = say(&"a".repeat(mecum_domain::MAX_TEXT_BYTES + 1));
    let why = refused(clinic.phone.session.act_for_tests(space, Some(thread_of(question)), long));
    assert!(why.is_err_and(|why| why.contains("error-too-long")), "longer than a text may be");
    let most = say(&"a".repeat(mecum_domain::MAX_TEXT_BYTES));
    clinic
        .phone
        .session
        .act_for_tests(space, Some(thread_of(question)), most)
        .expect("as long as one may be");
    clinic.desk.session.act_for_tests(space, thread, book).expect("the agent books");
    clinic.settle().await;
    for device in clinic.devices() {
        let acts = device.session.acts_for_tests(space).expect("read");
        let by = |side| acts.iter().filter(move |(key, ..)| key.side == side).map(|(.., author)| author.role);
        assert_eq!(by(Side::Patient).collect::<Vec<_>>(), [Role::Patient; 3], "the owner is the patient");
        assert_eq!(
            by(Side::Hospital).collect::<Vec<_>>(),
            [Role::Agent],
            "all of the hospital's are its agent"
        );
    }
}

/// Every order of four.
fn orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for first in 0..4 {
        for second in (0..4).filter(|n| *n != first) {
            for third in (0..4).filter(|n| *n != first && *n != second) {
                all.push([first, second, third, 6 - first - second - third]);
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_that_cross_come_to_the_same_on_all_four_devices_in_every_order_of_exchange() {
    let mut clinic = Box::pin(Clinic::start(5_200)).await;
    let space = clinic.space;
    let mut all = Vec::new();
    let orders = orders();
    assert_eq!(orders.len(), 24);
    for (round, order) in orders.into_iter().enumerate() {
        let mut asked = Vec::new();
        for what in ["cancelled and booked", "accepted and withdrawn", "moved and confirmed"] {
            let what = ask(&format!("{what}, {round}"));
            asked.push(clinic.phone.session.act_for_tests(space, None, what).expect("asked"));
        }
        exchange(&mut clinic.phone).await;
        exchange(&mut clinic.hospital).await;
        let threads: Vec<ThreadId> = asked.iter().map(|first| thread_of(*first)).collect();
        let offer = AppointmentAct::Offer { slots: vec![slot(1), slot(2)], note: String::new(), until_ms: 1 };
        let offer = on(&mut clinic.hospital, space, threads[1], offer);
        for device in [&mut clinic.hospital, &mut clinic.phone, &mut clinic.laptop, &mut clinic.desk] {
            exchange(device).await;
        }
        // Each without knowing of the other's.
        let reason = String::new;
        on(&mut clinic.phone, space, threads[0], AppointmentAct::Cancel { reason: reason() });
        on(
            &mut clinic.hospital,
            space,
            threads[0],
            AppointmentAct::Book { answers: asked[0], slot: slot(3) },
        );
        on(&mut clinic.laptop, space, threads[1], AppointmentAct::Accept { offer, slot: slot(1).id });
        on(&mut clinic.desk, space, threads[1], AppointmentAct::Withdraw { offer, reason: reason() });
        let wish = Wish { slots: Vec::new(), words: "mornings".to_owned() };
        on(&mut clinic.phone, space, threads[2], AppointmentAct::Move { wish, reason: reason() });
        on(&mut clinic.desk, space, threads[2], AppointmentAct::Confirm { answers: asked[2], slot: slot(4) });
        let mut devices = clinic.devices();
        for at in order {
            exchange(devices[at]).await;
        }
        settle(&mut devices).await;
        let read = |device: &mut Device| {
            threads.iter().map(|thread| appointment(device, space, *thread)).collect::<Vec<_>>()
        };
        let [first, rest @ ..] = devices;
        let whole = read(first);
        for (number, device) in rest.into_iter().enumerate() {
            assert_eq!(read(device), whole, "order {order:?}: device {}", number + 1);
        }
        all.push(whole.iter().map(|one| (one.phase, one.booked.is_some())).collect::<Vec<_>>());
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]), "and to the same in every order: {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_under_another_id_than_its_bytes_is_kept_and_read_by_nobody() {
    let mut clinic = Box::pin(Clinic::start(5_300)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, ask("a tooth hurts")).expect("asked");
    clinic.settle().await;
    let thread = thread_of(asked);
    let what = CareAct::Appointment(AppointmentAct::Book { answers: asked, slot: slot(1) });
    let act = StoredAct { thread, lamport: 2, at_ms: 1, after: vec![asked], by: String::new(), what };
    // Under an id of its own choice; and the patient's very bytes, which are of another side.
    let other = StoredAct { thread: ThreadId::from_bytes([0; 16]), lamport: 1, after: vec![], ..act.clone() };
    let session = &mut clinic.hospital.session;
    session.keep_in_care_for_tests(space, [7; 16], &act.encode()).expect("kept");
    session.keep_in_care_for_tests(space, *asked.id.as_bytes(), &other.encode()).expect("kept");
    session.keep_in_care_for_tests(space, [8; 16], b"no act at all").expect("kept");
    clinic.settle().await;
    for held in clinic.held() {
        assert_eq!(held.len(), 4, "everybody keeps what was sent");
    }
    for device in clinic.devices() {
        let acts = device.session.acts_for_tests(space).expect("read");
        let keys: Vec<ActKey> = acts.into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, [asked], "and reads the one that is where it belongs");
        assert_eq!(appointment(device, space, thread).phase, Phase::Asked, "nothing was booked by it");
        assert!(device.session.put_aside_for_tests().is_empty(), "nothing stops for it");
    }
}

const RESULT: &str = r#"{"resourceType":"Observation","id":"hba1c","status":"final",
    "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
    "code":{"text":"HbA1c"},"effectiveDateTime":"2026-03-02",
    "valueQuantity":{"value":7.8,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_in_no_list_of_the_record_and_hides_nothing_of_it() {
    let mut clinic = Box::pin(Clinic::start(5_400)).await;
    let (space, chart) = (clinic.space, clinic.chart);
    let kept = mecum_interop::read_bundle(RESULT.as_bytes()).expect("a resource").resources;
    let key = ItemKey::Finished(*kept.first().expect("one resource").key.as_bytes());
    clinic.phone.session.keep(chart, kept, &mut |_| true).expect("a result is brought in");
    clinic.settle().await;
    let result = clinic.phone.session.rows(chart).expect("rows").get(key).expect("it is listed").clone();
    let before = clinic.phone.session.rows(chart).expect("rows").newest().len();
    let ItemKey::Finished(id) = key else { panic!("a result is finished") };
    // The hospital wrote the result itself: it can work its key out. In a document of a lower id its row would stand.
    let mut document = clinic.hospital.session.open_care_for_tests(space, Side::Hospital);
    for _ in 0..64 {
        if document < result.document {
            break;
        }
        document = clinic.hospital.session.open_care_for_tests(space, Side::Hospital);
    }
    assert!(document < result.document, "an id is a matter of trying");
    let session = &mut clinic.hospital.session;
    session.keep_in_document_for_tests(document, id, &lie()).expect("kept");
    clinic.hospital.session.act_for_tests(space, None, open("?")).expect_err("a hospital begins nothing");
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("a question");
    clinic.settle().await;
    for device in [&mut clinic.phone, &mut clinic.laptop] {
        let rows = device.session.rows(chart).expect("rows");
        assert_eq!(rows.newest().len(), before, "no list of the record has more in it");
        let row = rows.get(key).expect("the result is listed");
        assert_eq!((row.document, &row.title), (result.document, &result.title), "as itself");
        let own = ItemKey::Finished(*asked.id.as_bytes());
        assert!(rows.get(own).is_none(), "nor is what was said an entry");
        assert!(device.session.acts_for_tests(space).expect("read").iter().any(|(key, ..)| *key == asked));
    }
    let args = mecum_api::EntryEraseArgs { chart, entry: key.name(), reason: "not mine".to_owned() };
    clinic.phone.session.entry_erase(&args).expect("the result can be erased");
    for _ in 0..3 {
        clinic.settle().await;
    }
    for device in [&mut clinic.phone, &mut clinic.laptop] {
        assert!(device.session.rows(chart).expect("rows").get(key).is_none(), "and is gone");
        assert!(device.session.put_aside_for_tests().is_empty(), "nothing was put aside");
    }
    for held in clinic.held() {
        assert!(
            held.iter().any(|(_, held, _)| *held == id),
            "what lies in the conversation is another thing"
        );
    }
}

/// An act as a dishonest hospital would put it under any key.
fn lie() -> Vec<u8> {
    let what = say("this is no result");
    let (thread, by) = (ThreadId::from_bytes([1; 16]), String::new());
    StoredAct { thread, lamport: 1, at_ms: 1, after: vec![], by, what }.encode()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_read_on_after_a_lock_a_restart_and_a_fold_and_folded_acts_are_the_same_bytes() {
    let mut clinic = Box::pin(Clinic::start(5_500)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    let thread = Some(thread_of(asked));
    for round in 0..4 {
        clinic.phone.session.act_for_tests(space, thread, say(&format!("and {round}?"))).expect("said");
        clinic.settle().await;
        clinic.desk.session.act_for_tests(space, thread, say(&format!("yes, {round}"))).expect("answered");
        clinic.settle().await;
    }
    clinic.phone.session.act_for_tests(space, thread, say("not sent yet")).expect("said");
    let written = clinic.phone.session.all_envelopes_for_tests().expect("every envelope");
    clinic.settle().await;
    let documents: Vec<DocumentId> = [Side::Patient, Side::Hospital]
        .into_iter()
        .flat_map(|side| clinic.phone.session.documents_of_side_for_tests(space, side))
        .collect();
    assert!(documents.iter().all(|id| clinic.phone.session.is_folded_for_tests(*id)), "each is folded");
    let folded = clinic.phone.session.all_envelopes_for_tests().expect("made again");
    assert!(written.iter().all(|(place, bytes)| folded.get(place) == Some(bytes)), "to the same bytes");
    let whole = clinic.phone.session.acts_for_tests(space).expect("read");
    assert_eq!(whole.len(), 10, "one question, and nine words");
    let Clinic { phone, desk, .. } = clinic;
    for (name, device) in [("phone", phone), ("desk", desk)] {
        let keys = |acts: Vec<(ActKey, ThreadId, mecum_domain::Author)>| {
            acts.into_iter().map(|(key, thread, author)| (key, thread, author.role)).collect::<Vec<_>>()
        };
        let mut session = device.session.restart().expect("its vault opens");
        let read = session.acts_for_tests(space).expect("read");
        assert_eq!(keys(read), keys(whole.clone()), "{name}: after a restart");
        let rows = session.case_for_tests(space, thread_of(asked)).expect("read");
        assert_eq!(rows.kind, CaseKind::Question, "{name}: and what they come to");
        session.act_for_tests(space, thread, say(&format!("{name} goes on"))).expect("it writes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_comes_later_begins_from_a_snapshot_with_both_sides() {
    let mut clinic = Box::pin(Clinic::start(5_600)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, ask("a tooth hurts")).expect("asked");
    clinic.settle().await;
    on(&mut clinic.hospital, space, thread_of(asked), AppointmentAct::Book { answers: asked, slot: slot(1) });
    clinic.settle().await;
    for (name, seed) in [("tablet", 5_650), ("second desk", 5_660)] {
        let first = if name == "tablet" { &mut clinic.phone } else { &mut clinic.hospital };
        let later = first.session.pair_for_tests(name, &Location::Memory, surroundings(seed));
        settle(&mut clinic.devices()).await;
        let mut later = clinic.line.device(later).await;
        let brought = exchange(&mut later).await;
        exchange(&mut later).await;
        assert!(brought.snapshots > 0 && brought.refused.is_empty(), "{name}: {brought:?}");
        let read = appointment(&mut later, space, thread_of(asked));
        assert_eq!((read.phase, read.booked), (Phase::Confirmed, Some(slot(1))), "{name}: both sides");
        assert_eq!(later.session.held_in_care_for_tests(space).expect("held"), clinic.held()[0], "{name}");
        let why = CareAct::Appointment(AppointmentAct::Cancel { reason: name.to_owned() });
        let cancel = later.session.act_for_tests(space, Some(thread_of(asked)), why);
        assert_eq!(cancel.is_ok(), name == "tablet", "{name} knows its side");
    }
}
