//! A hospital whose program runs when it is told to, its server, and patients who are connected with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use mecum_api::command;
use mecum_client::{After, App, AppOptions, CareAct, Clock, FixedClock, SpaceId, TalkActs};
use mecum_domain::{
    ActKey, Acts, Appointment, AppointmentAct, Case, CaseAct, CaseKind, ChartId, Directory, FreeSlot, Ladder,
    OpeningHours, Rung, Service, Slot, SlotId, Span, ThreadId, Wish, Words,
};
use mecum_hospital::{Agent, HospitalError, HospitalOptions, Start};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Server, call, connect, create, options};

/// Monday, 7 September 2026, 8:00 in Jakarta.
pub(crate) const MONDAY_8: i64 = 1_788_742_800_000;

pub(crate) const HOUR: i64 = 60 * 60 * 1_000;

pub(crate) fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: MONDAY_8 + (30 * 24 + i64::from(n)) * HOUR,
        minutes: 20,
        practitioner: "dr. Maya Anggraini".to_owned(),
        location: "Poli Gigi".to_owned(),
    }
}

pub(crate) fn directory(slots: &[u8]) -> Directory {
    let week = std::array::from_fn(|_| vec![Span { from: 480, to: 960 }]);
    let rung = |name: &str, outside: Option<&str>| Rung {
        name: name.to_owned(),
        answer_minutes: 60,
        outcome_minutes: 600,
        outside: outside.map(str::to_owned),
    };
    Directory {
        name: Words::new("id", "RS Tirta Asih"),
        hours: OpeningHours { zone: "WIB-7".to_owned(), week, closed: vec![] },
        services: vec![Service {
            code: "dental".to_owned(),
            name: Words::new("id", "Gigi"),
            about: Words::default(),
            price: None,
        }],
        slots: slots.iter().map(|n| FreeSlot { service: "dental".to_owned(), slot: slot(*n) }).collect(),
        ladders: vec![Ladder {
            kind: CaseKind::Complaint,
            rungs: vec![rung("Front desk", None), rung("Mediator", Some("0800 1"))],
        }],
        pledge: Words::new("id", "Tidak ada yang diperlakukan lebih buruk."),
        ..Directory::default()
    }
}

/// A hospital whose program runs when it is told to, and its server, by one clock.
pub(crate) struct Hospital {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) server_ms: Arc<AtomicI64>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    pub(crate) agent: Option<Agent>,
}

/// A patient who is connected with it.
pub(crate) struct Patient {
    pub(crate) app: App,
    pub(crate) space: SpaceId,
}

impl Hospital {
    pub(crate) async fn new(slots: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server_ms = Arc::new(AtomicI64::new(MONDAY_8));
        let server = Server::start_at(&folder.path().join("server"), &server_ms).await;
        let clock = Arc::new(FixedClock::new(MONDAY_8));
        let mut hospital = Self { folder, server, clock, server_ms, log: Arc::default(), agent: None };
        hospital.publish(&directory(slots));
        let code = hospital.server.relay.make_host_code().expect("a code");
        let (name, server) = ("RS Tirta Asih".to_owned(), hospital.server.url.clone());
        hospital.start(Start::Found { name, server, code }).await.expect("it starts");
        hospital
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn publish(&self, directory: &Directory) {
        let body = serde_json::to_vec(directory).expect("plain fields encode");
        std::fs::write(self.path("directory.json"), body).expect("a file");
    }

    pub(crate) fn options(&self, data: &Path) -> HospitalOptions {
        let log = self.log.clone();
        let log = Arc::new(move |what: &str| log.lock().expect("nobody panics").push(what.to_owned()));
        let clock: Arc<dyn Clock> = self.clock.clone();
        HospitalOptions {
            language: "id".to_owned(),
            app: AppOptions { clock, ..options(&data.join("vault")) },
            ..HospitalOptions::new(data.to_owned(), self.path("directory.json"), log)
        }
    }

    pub(crate) async fn start(&mut self, start: Start) -> Result<(), HospitalError> {
        self.agent = None;
        self.agent = Some(Agent::open(self.options(&self.path("hospital")), start).await?);
        Ok(())
    }

    /// As after a crash.
    pub(crate) async fn start_again(&mut self) {
        self.start(Start::Again).await.expect("it starts again");
    }

    pub(crate) fn agent(&mut self) -> &mut Agent {
        self.agent.as_mut().expect("it runs")
    }

    pub(crate) fn app(&self) -> &App {
        self.agent.as_ref().expect("it runs").app()
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        self.server_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody with a vault of their own and no account at the server.
    pub(crate) async fn stranger(&self, name: &str) -> App {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let app = App::open(AppOptions { clock, ..options(&self.path(name)) });
        create(&app, name, "phone").await;
        app
    }

    pub(crate) async fn patient(&self, name: &str) -> Patient {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let app = App::open(AppOptions { clock, ..options(&self.path(name)) });
        let chart: ChartId = create(&app, name, "phone").await.parse().expect("an id");
        connect(&app, &self.server).await;
        let card = self.app().with(|session| session.hospital_card("RS Tirta Asih")).await.expect("a card");
        let of = card.clone();
        let offer = app.with(move |session| session.begin_care_space(chart, &of)).await.expect("begun");
        let space = offer.space;
        self.app().with(move |session| session.expect_care(&offer)).await.expect("expected");
        app.with(move |session| session.let_hospital_in(space, &card)).await.expect("let in");
        Patient { app, space }
    }

    /// The patient's words reach the hospital, it answers, and the patient hears.
    pub(crate) async fn round(&mut self, patients: &[&Patient]) {
        for _ in 0..2 {
            for patient in patients {
                call::<command::SyncNow>(&patient.app, Value::Null).await;
            }
            call::<command::SyncNow>(self.app(), Value::Null).await;
        }
        self.agent().answer().await.expect("answered");
        call::<command::SyncNow>(self.app(), Value::Null).await;
        for patient in patients {
            call::<command::SyncNow>(&patient.app, Value::Null).await;
        }
    }

    /// What staff says in a conversation.
    pub(crate) async fn staff(&self, patient: &Patient, thread: ThreadId, what: CareAct) -> ActKey {
        said(self.app(), patient.space, Some(thread), what, "Sari Utami").await
    }
}

pub(crate) async fn said(
    app: &App,
    space: SpaceId,
    thread: Option<ThreadId>,
    what: CareAct,
    by: &str,
) -> ActKey {
    let by = by.to_owned();
    let say = move |session: &mut mecum_client::Session| {
        session.care_act(space, thread, what, After::Everything, &by)
    };
    app.with(say).await.expect("said")
}

impl Patient {
    pub(crate) async fn say(&self, thread: Option<ThreadId>, what: CareAct) -> ActKey {
        said(&self.app, self.space, thread, what, "").await
    }

    pub(crate) async fn ask(&self) -> ThreadId {
        let wish = Wish { slots: vec![slot(1)], words: String::new() };
        let (service, reason) = ("dental".to_owned(), "a tooth hurts".to_owned());
        let asked = self.say(None, CareAct::Appointment(AppointmentAct::Ask { service, wish, reason })).await;
        ThreadId::from_bytes(*asked.id.as_bytes())
    }

    pub(crate) async fn complain(&self) -> ThreadId {
        let opened = self.say(None, CareAct::Case(complaint())).await;
        ThreadId::from_bytes(*opened.id.as_bytes())
    }

    pub(crate) async fn visit(&self, thread: ThreadId) -> (Appointment, Acts<AppointmentAct>) {
        match talk(&self.app, self.space, thread).await {
            TalkActs::Appointment(acts) => (Appointment::of(&acts), acts),
            TalkActs::Case(_) => panic!("a case"),
        }
    }

    pub(crate) async fn case(&self, thread: ThreadId) -> (Case, Acts<CaseAct>) {
        match talk(&self.app, self.space, thread).await {
            TalkActs::Case(acts) => (Case::of(&acts, None), acts),
            TalkActs::Appointment(_) => panic!("an appointment"),
        }
    }
}

pub(crate) fn complaint() -> CaseAct {
    let (about, happened, help) = (String::new(), "nobody came".to_owned(), String::new());
    CaseAct::Open { kind: CaseKind::Complaint, about, happened, help, ward_blind: false }
}

pub(crate) fn words(text: &str) -> CareAct {
    CareAct::Case(CaseAct::Say { text: text.to_owned() })
}

pub(crate) fn offer(slots: &[u8], until_ms: i64) -> CareAct {
    let slots = slots.iter().map(|n| slot(*n)).collect();
    CareAct::Appointment(AppointmentAct::Offer { slots, note: String::new(), until_ms })
}

pub(crate) fn accept(offer: ActKey, n: u8) -> CareAct {
    CareAct::Appointment(AppointmentAct::Accept { offer, slot: slot(n).id })
}

pub(crate) async fn talk(app: &App, space: SpaceId, thread: ThreadId) -> TalkActs {
    let talks = app.with(move |session| session.care_talks(space)).await.expect("read");
    talks.into_iter().find(|talk| talk.thread == thread).expect("it is there").acts
}

pub(crate) fn counted<T>(acts: &Acts<T>, of: impl Fn(&T) -> bool) -> usize {
    acts.iter().filter(|(_, act)| of(&act.what)).count()
}

pub(crate) fn is_book(what: &AppointmentAct) -> bool {
    matches!(what, AppointmentAct::Book { .. })
}

pub(crate) fn is_gone(what: &AppointmentAct) -> bool {
    matches!(what, AppointmentAct::SlotGone { .. })
}
