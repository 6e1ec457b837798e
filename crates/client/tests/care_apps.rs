//! A patient and a hospital with an account each and one server: an appointment and a question, asked and answered by the commands of the
//! screens, over TCP, each of them at times without a network. What the hospital's own program alone may say is said by its session.

#[path = "support/world.rs"]
mod world;

use mecum_api::{CareActWords, CareThreadView, CareView, Code, ReceiptState, command};
use mecum_client::{After, App, CareAct};
use mecum_domain::{
    ActKey, AppointmentAct, CaseAct, CaseKind, CasePhase, ChartId, Phase, Role, Side, Slot, SlotId, Wish,
};
use mecum_seal::SpaceId;
use serde_json::{Value, json};
use tempfile::TempDir;

use world::{Server, call, connect, create, device, pair, until};

/// What nobody but the patient reads.
const PRIVATE: &str = "seroja yang tidak dibagikan";

struct Clinic {
    folder: TempDir,
    server: Server,
    phone: App,
    hospital: App,
    chart: ChartId,
    space: SpaceId,
}

impl Clinic {
    /// A patient with a record, and a hospital that was let into a space of its own.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start_unhurried(&folder.path().join("server")).await;
        let (phone, hospital) =
            (device(&folder.path().join("phone")), device(&folder.path().join("hospital")));
        let chart = create(&phone, "Ratna", "phone").await;
        let note = json!({ "chart": chart, "kind": "note", "fields": [["text", PRIVATE]] });
        call::<command::EntryAdd>(&phone, note).await;
        create(&hospital, "RS Tirta Asih", "agent").await;
        connect(&phone, &server).await;
        connect(&hospital, &server).await;
        let chart: ChartId = chart.parse().expect("an id");
        let card =
            hospital.with(|session| session.hospital_card("RS Tirta Asih")).await.expect("at a server");
        let offer = phone.with(move |session| session.connect_hospital(chart, &card)).await;
        let offer = offer.expect("at the same server");
        let space = offer.space;
        hospital.with(move |session| session.expect_care(&offer)).await.expect("it is expected");
        let clinic = Self { folder, server, phone, hospital, chart, space };
        until::<command::ChartList>(&clinic.hospital, Value::Null, "the conversation is there", |charts| {
            charts.as_array().is_some_and(|charts| charts.len() == 2)
        })
        .await;
        clinic
    }

    fn of_chart(&self) -> Value {
        json!({ "chart": self.chart })
    }

    /// The conversations as an app lists them.
    async fn list(&self, app: &App) -> CareView {
        read(call::<command::CareList>(app, self.of_chart()).await)
    }

    /// Asks again until the first conversation of an app is `good`, and opens it.
    async fn until(&self, app: &App, what: &str, good: impl Fn(&CareThreadView) -> bool) -> CareThreadView {
        let first = |list: &Value| read::<CareView>(list.clone()).threads.into_iter().next();
        let list = until::<command::CareList>(app, self.of_chart(), what, |list| {
            first(list).is_some_and(|thread| good(&thread))
        });
        let found = first(&list.await).expect("it was there");
        self.open(app, &found).await
    }

    async fn open(&self, app: &App, of: &CareThreadView) -> CareThreadView {
        let args = json!({ "chart": of.chart, "space": of.space, "thread": of.thread });
        read(call::<command::CareGet>(app, args).await)
    }

    fn args(&self, on: Option<&CareThreadView>, what: &CareActWords) -> Value {
        let shown = on.map(|thread| thread.shown.clone()).unwrap_or_default();
        let thread = on.map(|thread| thread.thread);
        json!({ "chart": self.chart, "space": self.space.to_string(), "thread": thread, "what": what, "shown": shown })
    }

    /// Says something on a screen.
    async fn say(&self, app: &App, on: Option<&CareThreadView>, what: CareActWords) -> CareThreadView {
        read(call::<command::CareActWrite>(app, self.args(on, &what)).await)
    }

    /// Says something as the hospital's program does.
    async fn as_agent(&self, on: &CareThreadView, what: CareAct) {
        let (space, thread) = (self.space, on.thread);
        let said = move |session: &mut mecum_client::Session| {
            session.care_act(space, Some(thread), what, After::Everything, "")
        };
        self.hospital.with(said).await.expect("the agent may");
    }
}

fn read<T: serde::de::DeserializeOwned>(view: Value) -> T {
    serde_json::from_value(view).expect("a view")
}

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: 1_789_000_000_000,
        minutes: 20,
        practitioner: "dr. Maya Anggraini".to_owned(),
        location: "Poli Dalam".to_owned(),
    }
}

fn ask() -> CareActWords {
    let wish = Wish { slots: vec![slot(1)], words: "mornings".to_owned() };
    let reason = "a tooth hurts".to_owned();
    CareActWords::Appointment(AppointmentAct::Ask { service: "dental".to_owned(), wish, reason })
}

fn question(happened: &str) -> CareActWords {
    CareActWords::Case(CaseAct::Open {
        kind: CaseKind::Complaint,
        about: String::new(),
        happened: happened.to_owned(),
        help: String::new(),
        ward_blind: false,
    })
}

fn words(text: &str) -> CareActWords {
    CareActWords::Case(CaseAct::Say { text: text.to_owned() })
}

fn received(of: ActKey) -> CareAct {
    CareAct::Case(CaseAct::Received {
        of,
        handler: "Front desk".to_owned(),
        rung: 0,
        answer_due_ms: i64::MAX,
        outcome_due_ms: Some(i64::MAX),
        pledge: "Nobody is treated worse for asking.".to_owned(),
    })
}

fn phase(thread: &CareThreadView) -> Option<Phase> {
    thread.appointment.as_ref().map(|appointment| appointment.phase)
}

fn case_phase(thread: &CareThreadView) -> Option<CasePhase> {
    thread.case.as_ref().map(|case| case.phase)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_asks_without_a_network_and_reads_the_hospitals_answer_without_one() {
    let mut clinic = Clinic::new().await;
    let folder = clinic.folder.path().join("server");
    let address = std::mem::replace(
        &mut clinic.server,
        Server::start_unhurried(&clinic.folder.path().join("other")).await,
    );
    let address = address.stop().await;
    let asked = clinic.say(&clinic.phone, None, ask()).await;
    assert_eq!(phase(&asked), Some(Phase::Asked), "asked for, and nothing else");
    assert_eq!((asked.unsent, asked.waits_for), (1, Some(Side::Hospital)), "on this device");
    assert_eq!(asked.acts[0].receipt, ReceiptState::Device);
    clinic.server = Server::start(&folder, &address).await;
    call::<command::SyncNow>(&clinic.phone, Value::Null).await;
    let at_desk = clinic.until(&clinic.hospital, "the hospital has it", |_| true).await;
    assert_eq!((at_desk.title.as_str(), at_desk.unseen), ("dental", 1), "nobody has opened it yet");
    let note = String::new();
    let offer = AppointmentAct::Offer { slots: vec![slot(2), slot(3)], note, until_ms: 1_788_900_000_000 };
    let by = json!("Sari Utami");
    let mut args = clinic.args(Some(&at_desk), &CareActWords::Appointment(offer));
    args["by"] = by;
    let offered: CareThreadView = read(call::<command::CareActWrite>(&clinic.hospital, args).await);
    assert_eq!(offered.waits_for, Some(Side::Patient), "what was offered waits for the patient");
    let shown =
        clinic.until(&clinic.phone, "the offer is here", |one| phase(one) == Some(Phase::Offered)).await;
    let address = std::mem::replace(
        &mut clinic.server,
        Server::start_unhurried(&clinic.folder.path().join("third")).await,
    );
    let address = address.stop().await;
    let again = clinic.open(&clinic.phone, &shown).await;
    assert_eq!(again, shown, "and is read without a network");
    let offer = &again.acts[1];
    assert_eq!((offer.by.as_str(), offer.role), ("Sari Utami", Role::Staff), "by whoever spoke");
    assert_eq!(again.acts[0].receipt, ReceiptState::Received, "the hospital answered: it has what was asked");
    let yes = AppointmentAct::Accept { offer: offer.key, slot: slot(3).id };
    let accepted = clinic.say(&clinic.phone, Some(&again), CareActWords::Appointment(yes)).await;
    assert_eq!(phase(&accepted), Some(Phase::Offered), "a yes is no booking");
    assert_eq!(accepted.appointment.as_ref().and_then(|one| one.booked.clone()), None);
    clinic.server = Server::start(&folder, &address).await;
    call::<command::SyncNow>(&clinic.phone, Value::Null).await;
    let taken = clinic
        .until(&clinic.hospital, "the yes has come", |one| {
            one.appointment.as_ref().is_some_and(|one| one.accepted.is_some())
        })
        .await;
    let answers = taken.appointment.as_ref().and_then(|one| one.accepted).expect("a yes");
    clinic.as_agent(&taken, CareAct::Appointment(AppointmentAct::Book { answers, slot: slot(3) })).await;
    let booked =
        clinic.until(&clinic.phone, "it is booked", |one| phase(one) == Some(Phase::Confirmed)).await;
    let desk = clinic.open(&clinic.hospital, &booked).await;
    assert_eq!(booked.appointment, desk.appointment, "both read the same");
    assert_eq!(booked.appointment.and_then(|one| one.booked), Some(slot(3)), "the one that was chosen");
    assert_eq!(booked.waits_for, None, "nobody owes anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_received_answered_and_reopened_and_both_sides_count_alike() {
    let clinic = Clinic::new().await;
    let opened = clinic.say(&clinic.phone, None, question("nobody came\nfor an hour")).await;
    assert_eq!((opened.title.as_str(), case_phase(&opened)), ("nobody came", Some(CasePhase::Sent)));
    let at_desk = clinic.until(&clinic.hospital, "it has come", |_| true).await;
    clinic.as_agent(&at_desk, received(at_desk.acts[0].key)).await;
    let open =
        clinic.until(&clinic.phone, "it is received", |one| case_phase(one) == Some(CasePhase::Open)).await;
    let (handler, next) = open.case.map(|case| (case.handler, case.clock.next)).expect("a case");
    assert!(handler == "Front desk" && next.is_some(), "with a name and a time");
    let at_desk = clinic.open(&clinic.hospital, &at_desk).await;
    let outcome =
        CaseAct::Outcome { text: "We were too few.".to_owned(), changed: "One more at night.".to_owned() };
    clinic.say(&clinic.hospital, Some(&at_desk), CareActWords::Case(outcome)).await;
    let closed =
        clinic.until(&clinic.phone, "an outcome", |one| case_phase(one) == Some(CasePhase::Outcome)).await;
    assert_eq!(closed.waits_for, Some(Side::Patient), "who says whether that settles it");
    let reason = "It happened again.".to_owned();
    clinic.say(&clinic.phone, Some(&closed), CareActWords::Case(CaseAct::Reopen { reason })).await;
    let reopened = |one: &CareThreadView| {
        case_phase(one) == Some(CasePhase::Open) && one.waits_for == Some(Side::Hospital)
    };
    let at_desk = clinic.until(&clinic.hospital, "it is open again", reopened).await;
    let on_phone = clinic.open(&clinic.phone, &at_desk).await;
    assert_eq!((&on_phone.case, on_phone.waits_for), (&at_desk.case, at_desk.waits_for), "both count alike");
    let keys = |thread: &CareThreadView| thread.acts.iter().map(|one| one.key).collect::<Vec<_>>();
    assert_eq!(keys(&on_phone), keys(&clinic.open(&clinic.hospital, &on_phone).await), "in one order");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hospital_has_is_received_and_what_somebody_opened_there_is_seen() {
    let clinic = Clinic::new().await;
    let laptop = device(&clinic.folder.path().join("laptop"));
    pair(&clinic.phone, &laptop, "laptop", world::WORDS).await;
    call::<command::VaultLock>(&clinic.hospital, Value::Null).await;
    clinic.say(&clinic.phone, None, question("a question of mine")).await;
    clinic.until(&laptop, "the own laptop has it", |_| true).await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    call::<command::SyncNow>(&clinic.phone, Value::Null).await;
    let first = |thread: &CareThreadView| (thread.acts[0].receipt, thread.acts[0].seen.clone());
    let sent = clinic.until(&clinic.phone, "it is sent", |one| one.unsent == 0).await;
    assert_eq!(first(&sent), (ReceiptState::Sent, None), "the own laptop is not the hospital");
    call::<command::VaultUnlock>(&clinic.hospital, json!({ "passphrase": world::WORDS })).await;
    let at_desk = clinic.until(&clinic.hospital, "the hospital has it", |one| one.unseen == 1).await;
    call::<command::SyncNow>(&clinic.hospital, Value::Null).await;
    call::<command::SyncNow>(&clinic.phone, Value::Null).await;
    let fetched = clinic.open(&clinic.phone, &sent).await;
    assert_eq!(first(&fetched), (ReceiptState::Received, None), "what a program fetched nobody has seen");
    let seen = json!({ "chart": clinic.chart, "space": at_desk.space, "thread": at_desk.thread, "shown": at_desk.shown, "by": "Sari Utami" });
    for _ in 0..2 {
        call::<command::CareSeen>(&clinic.hospital, seen.clone()).await;
    }
    assert_eq!(clinic.open(&clinic.hospital, &at_desk).await.unseen, 0, "it was opened");
    let args = json!({ "chart": sent.chart, "space": sent.space, "thread": sent.thread });
    let told = |view: &Value| first(&read(view.clone())).1.is_some();
    let told = until::<command::CareGet>(&clinic.phone, args, "it is told", told).await;
    let by = first(&read(told)).1;
    let by = by.expect("it is told");
    assert_eq!((by.by.as_str(), by.role), ("Sari Utami", Role::Staff), "by whoever opened it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_reader_stands_first_and_then_the_newest() {
    let clinic = Clinic::new().await;
    let older = clinic.say(&clinic.phone, None, question("the older one")).await;
    let newer = clinic.say(&clinic.phone, None, question("the newer one")).await;
    let both = |list: &CareView| list.threads.iter().map(|thread| thread.thread).collect::<Vec<_>>();
    assert_eq!(both(&clinic.list(&clinic.phone).await), [newer.thread, older.thread], "the newest first");
    let has_both = |list: &Value| list["threads"].as_array().is_some_and(|threads| threads.len() == 2);
    until::<command::CareList>(&clinic.hospital, clinic.of_chart(), "both have come", has_both).await;
    let at_desk = clinic.open(&clinic.hospital, &older).await;
    clinic.as_agent(&at_desk, received(at_desk.acts[0].key)).await;
    let at_desk = clinic.open(&clinic.hospital, &older).await;
    let outcome = CaseAct::Outcome { text: "We were too few.".to_owned(), changed: String::new() };
    clinic.say(&clinic.hospital, Some(&at_desk), CareActWords::Case(outcome)).await;
    clinic.until(&clinic.phone, "the older has an outcome", |one| one.thread == older.thread).await;
    let list = clinic.list(&clinic.phone).await;
    clinic.say(&clinic.phone, Some(&newer), words("and one thing more")).await;
    assert_eq!(both(&list), [older.thread, newer.thread], "it waits for the patient");
    assert_eq!(
        both(&clinic.list(&clinic.phone).await),
        [older.thread, newer.thread],
        "however new the other"
    );
    let there = clinic.list(&clinic.hospital).await;
    assert_eq!(both(&there), [newer.thread, older.thread], "at the hospital it is the other that waits");
    assert!(list.threads.iter().all(|thread| thread.acts.is_empty()), "a list carries no words but titles");
    let [here, there] =
        [&list.spaces, &there.spaces].map(|spaces| (spaces[0].name.clone(), spaces[0].side, spaces[0].open));
    assert_eq!(here, ("RS Tirta Asih".to_owned(), Side::Patient, true));
    assert_eq!(there, ("Ratna".to_owned(), Side::Hospital, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_can_say_nothing_of_the_other_side_and_nothing_that_books() {
    let clinic = Clinic::new().await;
    let asked = clinic.say(&clinic.phone, None, ask()).await;
    let at_desk = clinic.until(&clinic.hospital, "it has come", |_| true).await;
    let of = asked.acts[0].key;
    let appointment = CareActWords::Appointment;
    let book = || appointment(AppointmentAct::Book { answers: of, slot: slot(1) });
    let gone = || appointment(AppointmentAct::SlotGone { answers: of, slot: slot(1).id });
    let answered = || appointment(AppointmentAct::Received { handler: "I".to_owned(), due_ms: 1 });
    for what in [book(), gone(), answered()] {
        for (app, on) in [(&clinic.hospital, &at_desk), (&clinic.phone, &asked)] {
            let error = app.call("care_act", clinic.args(Some(on), &what)).await.expect_err("refused");
            assert_eq!(error.message_id, "error-act-not-yours", "{what:?}");
        }
    }
    let refused = |app: &App, args: Value| {
        let app = app.clone();
        async move { app.call("care_act", args).await.map_err(|error| error.message_id) }
    };
    let cancel = appointment(AppointmentAct::Cancel { reason: String::new() });
    let theirs = refused(&clinic.hospital, clinic.args(Some(&at_desk), &cancel)).await;
    assert_eq!(theirs, Err("error-act-not-yours".to_owned()), "the patient's");
    let mut named = clinic.args(Some(&asked), &cancel);
    named["by"] = json!("dr. Maya");
    assert_eq!(
        refused(&clinic.phone, named).await,
        Err("error-act-not-yours".to_owned()),
        "in no other name"
    );
    let mut nothing = clinic.args(Some(&asked), &cancel);
    nothing["what"] = Value::Null;
    assert_eq!(refused(&clinic.phone, nothing).await, Err("error-arguments".to_owned()), "nothing at all");
    for (key, wrong) in [("space", json!("00")), ("space", json!("")), ("chart", json!("ff".repeat(16)))] {
        let mut elsewhere = clinic.args(Some(&asked), &cancel);
        elsewhere[key] = wrong;
        assert_eq!(refused(&clinic.phone, elsewhere).await, Err("error-not-found".to_owned()), "{key}");
    }
    let still = clinic.open(&clinic.phone, &asked).await;
    assert_eq!((phase(&still), still.acts.len()), (Some(Phase::Asked), 1), "and nothing was said");
    call::<command::VaultLock>(&clinic.phone, Value::Null).await;
    let locked = clinic.phone.call("care_list", clinic.of_chart()).await.expect_err("refused");
    assert_eq!(locked.code, Code::Locked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_shared_with_the_hospital_is_in_nothing_that_its_screens_can_ask_for() {
    let clinic = Clinic::new().await;
    let said = clinic.say(&clinic.phone, None, question("may I eat before it?")).await;
    let there = clinic.until(&clinic.hospital, "it has come", |_| true).await;
    assert_eq!(there.acts[0].what, said.acts[0].what, "what was said is there");
    let of_chart = clinic.of_chart();
    let timeline = json!({ "chart": clinic.chart, "limit": 200 });
    let asked = [
        ("timeline", timeline),
        ("results", of_chart.clone()),
        ("medicines", of_chart.clone()),
        ("changes", of_chart.clone()),
        ("member_list", of_chart.clone()),
        ("care_list", of_chart),
        ("home", Value::Null),
        ("whereabouts", Value::Null),
        ("chart_list", Value::Null),
    ];
    for (name, args) in asked {
        let own = clinic.phone.call(name, args.clone()).await.expect("an own record").to_string();
        let theirs = clinic.hospital.call(name, args).await.expect("a part of it").to_string();
        assert!(!theirs.contains(PRIVATE), "{name}: {theirs}");
        assert!(name != "timeline" || own.contains(PRIVATE), "the patient has it: {own}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_of_a_desk_shows_what_waits_by_its_clock_and_reads_only_what_changed() {
    let clinic = Clinic::new().await;
    let queue = async |part: &str| {
        let view = call::<command::DeskQueue>(&clinic.hospital, json!({ "part": part })).await;
        read::<mecum_api::DeskQueueView>(view)
    };
    let desk: mecum_api::DeskView = read(call::<command::DeskGet>(&clinic.hospital, Value::Null).await);
    assert_eq!((desk.serves, desk.name), (true, None), "nobody has signed in");
    let at_patient: mecum_api::DeskView = read(call::<command::DeskGet>(&clinic.phone, Value::Null).await);
    assert!(!at_patient.serves, "a patient's account is no hospital's");
    let signed = call::<command::DeskSignIn>(&clinic.hospital, json!({ "name": " Sari Utami " })).await;
    assert_eq!(signed["name"], "Sari Utami");
    for wrong in [json!({ "name": "  " }), json!({ "name": "x".repeat(200) })] {
        let refused = clinic.hospital.call("desk_sign_in", wrong).await.expect_err("no name");
        assert!(
            matches!(refused.message_id.as_str(), "error-name-required" | "error-too-long"),
            "{refused:?}"
        );
    }
    let complaint =
        clinic.say(&clinic.phone, None, question("Two hours in the corridor\nand no chair")).await;
    let visit = clinic.say(&clinic.phone, None, ask()).await;
    clinic.until(&clinic.hospital, "both are there", |_| true).await;
    until::<command::CareList>(&clinic.hospital, clinic.of_chart(), "both are there", |list| {
        list["threads"].as_array().is_some_and(|threads| threads.len() == 2)
    })
    .await;
    let on = clinic.open(&clinic.hospital, &complaint).await;
    clinic.as_agent(&on, received(on.shown[0])).await;
    let waiting = queue("waiting").await;
    assert_eq!((waiting.total, waiting.waiting, waiting.late), (2, 2, 0));
    let titles: Vec<&str> = waiting.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Two hours in the corridor", "dental"], "what has a due time comes first");
    let [first, second] = waiting.items.as_slice() else { panic!("two") };
    assert_eq!((first.handler.as_str(), first.unseen, first.unsent), ("Front desk", 1, first.unsent));
    assert_eq!((first.whose.as_str(), second.clock.as_ref()), ("Ratna", None), "not received yet");
    assert_eq!(queue("visits").await.total, 1, "one request");
    assert_eq!(queue("mine").await.total, 0, "nobody has taken anything");
    let take = json!({ "chart": clinic.chart, "space": clinic.space.to_string(), "thread": complaint.thread,
        "what": { "case": "take" }, "shown": on.shown, "by": "Sari Utami" });
    call::<command::CareActWrite>(&clinic.hospital, take).await;
    assert_eq!(queue("mine").await.items[0].thread, complaint.thread, "taken");
    let on = clinic.open(&clinic.hospital, &complaint).await;
    assert!(on.may.contains(&mecum_api::CareVerb::Outcome), "staff may close it: {:?}", on.may);
    let outcome = CaseAct::Outcome { text: "There are chairs now.".into(), changed: String::new() };
    clinic.say(&clinic.hospital, Some(&on), CareActWords::Case(outcome)).await;
    assert_eq!((queue("waiting").await.total, queue("rest").await.total), (1, 1), "it waits for the patient");
    assert_eq!(queue("waiting").await.items[0].thread, visit.thread);
    let read_so_far = clinic.hospital.with(|session| Ok(session.queue_read_for_tests())).await.expect("open");
    for _ in 0..5 {
        queue("rest").await;
    }
    let read_then = clinic.hospital.with(|session| Ok(session.queue_read_for_tests())).await.expect("open");
    assert_eq!(read_so_far, read_then, "where nothing has changed nothing is read again");
}
