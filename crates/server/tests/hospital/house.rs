//! The folders of a small hospital, and a patient who is connected with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mecum_api::command;
use mecum_client::{After, App, CareAct, Clock, Session, SpaceId, SystemClock, TalkActs};
use mecum_domain::{
    ActKey, Appointment, AppointmentAct, CaseAct, CaseKind, ChartId, Directory, FreeSlot, Ladder,
    OpeningHours, Rung, Service, Slot, SlotId, Span, ThreadId, Wish, Words,
};
use mecum_hospital::{Agent, HospitalOptions, Start};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Server, call, connect, create, device};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

const NAME: &str = "RS Tirta Asih";

/// Folders, and where the relay listens.
pub(crate) struct House {
    folder: TempDir,
    pub(crate) address: String,
    slot: Slot,
}

/// Asked for a visit, was offered a time, and has yet to say yes.
pub(crate) struct Patient {
    app: App,
    space: SpaceId,
    visit: ThreadId,
    offer: ActKey,
    slot: Slot,
}

impl House {
    /// Of a hospital that has published, and nothing else.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let slot = Slot {
            id: SlotId::from_bytes([1; 16]),
            starts_ms: SystemClock.now_ms() + 30 * DAY_MS,
            minutes: 20,
            practitioner: "dr. Maya Anggraini".to_owned(),
            location: "Poli Gigi".to_owned(),
        };
        let body = serde_json::to_vec(&directory(&slot)).expect("plain fields encode");
        std::fs::write(folder.path().join("directory.json"), body).expect("a file");
        Self { folder, address: "127.0.0.1:0".to_owned(), slot }
    }

    /// With an account, and a patient who is connected with it.
    pub(crate) async fn founded() -> (Self, Patient) {
        let mut house = Self::empty();
        let server = Server::start(&house.relay_data(), "127.0.0.1:0").await;
        let code = server.relay.make_enrolment_code().expect("a code");
        let start = Start::Found { name: NAME.to_owned(), server: server.url.clone(), code };
        let patient = house.connect_by(&server, start).await;
        house.address = server.stop().await;
        (house, patient)
    }

    /// A patient comes to the desk of a hospital that has an account.
    pub(crate) async fn connect(&self) -> Patient {
        let server = Server::start(&self.relay_data(), &self.address).await;
        let patient = self.connect_by(&server, Start::Again).await;
        server.stop().await;
        patient
    }

    async fn connect_by(&self, server: &Server, start: Start) -> Patient {
        let data = self.hospital_data();
        let log = Arc::new(|line: &str| println!("hospital: {line}"));
        // With a passphrase's key of full cost: the program opens no vault whose key is cheaper.
        let hospital = HospitalOptions::new(data, self.path("directory.json"), log);
        let agent = Agent::open(hospital, start).await.expect("it opens");
        let desk = agent.app();
        let app = device(&self.path("phone"));
        let chart: ChartId = create(&app, "Ratna", "phone").await.parse().expect("an id");
        connect(&app, server).await;
        let card = desk.with(|session| session.hospital_card(NAME)).await.expect("a card");
        let of = card.clone();
        let offer = app.with(move |session| session.begin_care_space(chart, &of)).await.expect("begun");
        let space = offer.space;
        desk.with(move |session| session.expect_care(&offer)).await.expect("expected");
        app.with(move |session| session.let_hospital_in(space, &card)).await.expect("let in");
        let wish = Wish { slots: vec![self.slot.clone()], words: String::new() };
        let (service, reason) = ("dental".to_owned(), "a tooth hurts".to_owned());
        let asked = said(&app, space, None, AppointmentAct::Ask { service, wish, reason }.into_act()).await;
        let visit = ThreadId::from_bytes(*asked.id.as_bytes());
        for app in [&app, desk, &app, desk] {
            call::<command::SyncNow>(app, Value::Null).await;
        }
        let (slots, until_ms) = (vec![self.slot.clone()], SystemClock.now_ms() + DAY_MS);
        let offer = AppointmentAct::Offer { slots, note: String::new(), until_ms };
        let offer = said(desk, space, Some(visit), offer.into_act()).await;
        for app in [desk, &app] {
            call::<command::SyncNow>(app, Value::Null).await;
        }
        Patient { app, space, visit, offer, slot: self.slot.clone() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn relay_data(&self) -> PathBuf {
        self.path("relay")
    }

    pub(crate) fn hospital_data(&self) -> PathBuf {
        self.path("hospital")
    }

    /// The command that runs both.
    pub(crate) fn together(&self) -> Vec<String> {
        let (relay, hospital, directory) =
            (self.relay_data(), self.hospital_data(), self.path("directory.json"));
        let mut command = vec!["--listen".to_owned(), self.address.clone()];
        for (name, path) in [("--data", relay), ("--hospital", hospital), ("--directory", directory)] {
            command.extend([name.to_owned(), text(&path)]);
        }
        command
    }

    pub(crate) fn relay_alone(&self) -> Vec<String> {
        let data = text(&self.relay_data());
        ["relay", "--listen", &self.address, "--data", &data].map(str::to_owned).to_vec()
    }

    pub(crate) fn hospital_alone(&self) -> Vec<String> {
        let (data, directory) = (text(&self.hospital_data()), text(&self.path("directory.json")));
        ["hospital", "--data", &data, "--directory", &directory].map(str::to_owned).to_vec()
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// Open at any time.
fn directory(slot: &Slot) -> Directory {
    let rung = |name: &str, outside: Option<&str>| Rung {
        name: name.to_owned(),
        answer_minutes: 60,
        outcome_minutes: 600,
        outside: outside.map(str::to_owned),
    };
    let rungs = vec![rung("Front desk", None), rung("Mediator", Some("0800 1"))];
    let week = std::array::from_fn(|_| vec![Span { from: 0, to: 1_440 }]);
    let (code, name, about) = ("dental".to_owned(), Words::new("id", "Gigi"), Words::default());
    Directory {
        name: Words::new("id", NAME),
        hours: OpeningHours { zone: "WIB-7".to_owned(), week, closed: vec![] },
        services: vec![Service { code: code.clone(), name, about, price: None }],
        slots: vec![FreeSlot { service: code, slot: slot.clone() }],
        ladders: vec![Ladder { kind: CaseKind::Complaint, rungs }],
        ..Directory::default()
    }
}

/// What is said, whatever it is about.
trait IntoAct {
    fn into_act(self) -> CareAct;
}

impl IntoAct for AppointmentAct {
    fn into_act(self) -> CareAct {
        CareAct::Appointment(self)
    }
}

impl IntoAct for CaseAct {
    fn into_act(self) -> CareAct {
        CareAct::Case(self)
    }
}

async fn said(app: &App, space: SpaceId, thread: Option<ThreadId>, what: CareAct) -> ActKey {
    let say = move |session: &mut Session| session.care_act(space, thread, what, After::Everything, "");
    app.with(say).await.expect("said")
}

impl Patient {
    pub(crate) async fn accept(&self) {
        let yes = AppointmentAct::Accept { offer: self.offer, slot: self.slot.id };
        said(&self.app, self.space, Some(self.visit), yes.into_act()).await;
    }

    pub(crate) async fn complain(&self) -> ActKey {
        let (about, happened, help) = (String::new(), "Nobody came.".to_owned(), String::new());
        let open = CaseAct::Open { kind: CaseKind::Complaint, about, happened, help, ward_blind: false };
        said(&self.app, self.space, None, open.into_act()).await
    }

    /// Says more in the conversation that the complaint began.
    pub(crate) async fn say(&self, words: &str) -> ActKey {
        let case = self.cases().await.first().expect("one was begun").0;
        said(&self.app, self.space, Some(case), CaseAct::Say { text: words.to_owned() }.into_act()).await
    }

    async fn cases(&self) -> Vec<(ThreadId, Vec<(ActKey, CaseAct)>)> {
        let space = self.space;
        let talks = self.app.with(move |session| session.care_talks(space)).await.expect("read");
        let cases = talks.into_iter().filter_map(|talk| match talk.acts {
            TalkActs::Case(acts) => {
                let acts = acts.iter().map(|(_, act)| (act.key(), act.what.clone()));
                Some((talk.thread, acts.collect()))
            }
            TalkActs::Appointment(_) => None,
        });
        cases.collect()
    }

    /// What the visit has come to, and how often it was booked.
    async fn visit(&self) -> (Appointment, usize) {
        let (space, visit) = (self.space, self.visit);
        let talks = self.app.with(move |session| session.care_talks(space)).await.expect("read");
        let found = talks.into_iter().find(|talk| talk.thread == visit).expect("it was asked for");
        match found.acts {
            TalkActs::Appointment(acts) => {
                let booked = acts.iter().filter(|(_, act)| matches!(act.what, AppointmentAct::Book { .. }));
                (Appointment::of(&acts), booked.count())
            }
            TalkActs::Case(_) => panic!("a case"),
        }
    }

    /// Asks the server again until a word has its receipt.
    pub(crate) async fn until_received(&self, word: ActKey) {
        for _ in 0..LOOKS {
            call::<command::SyncNow>(&self.app, Value::Null).await;
            let cases = self.cases().await;
            let mut acts = cases.iter().flat_map(|(_, acts)| acts);
            if acts.any(|(_, what)| matches!(what, CaseAct::Received { of, .. } if *of == word)) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("never: the word is received; {:?}", self.cases().await);
    }

    pub(crate) async fn until_booked(&self) {
        for _ in 0..LOOKS {
            call::<command::SyncNow>(&self.app, Value::Null).await;
            if self.visit().await.0.booked.as_ref() == Some(&self.slot) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("never: the yes is booked; {:?}", self.visit().await);
    }

    /// Receipts, words, and bookings.
    pub(crate) async fn counted(&self) -> (usize, usize, usize) {
        let cases = self.cases().await;
        let count = |of: fn(&CaseAct) -> bool| {
            cases.iter().flat_map(|(_, acts)| acts).filter(|(_, act)| of(act)).count()
        };
        let receipts = count(|act| matches!(act, CaseAct::Received { .. }));
        let words = count(|act| matches!(act, CaseAct::Open { .. } | CaseAct::Say { .. }));
        (receipts, words, self.visit().await.1)
    }
}

const LOOK: Duration = Duration::from_millis(250);

/// Two minutes of looks: a process that was killed is back after some seconds, on a machine that has much else to do.
const LOOKS: usize = 480;
