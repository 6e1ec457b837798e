//! A hospital's desk shows a code and a patient connects by it: by the commands of the screens, over TCP.

#[path = "support/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::{CareThreadView, CareView, DeskCodeView, HospitalOfferView, MemberState, PairPhase, command};
use mecum_client::{App, AppOptions, Clock, FixedClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use world::{Server, call, connect, create, options, until};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

const MINUTE_MS: i64 = 60_000;

struct Town {
    folder: TempDir,
    server: Server,
    clock: Arc<FixedClock>,
    server_ms: Arc<AtomicI64>,
    desk: App,
}

/// Somebody with a record of their own.
struct Person {
    app: App,
    chart: String,
}

impl Town {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let server_ms = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_at(&folder.path().join("server"), &server_ms).await;
        let at: Arc<dyn Clock> = clock.clone();
        let desk = App::open(AppOptions { clock: at, ..options(&folder.path().join("desk")) });
        create(&desk, "RS Tirta Asih", "desk").await;
        connect(&desk, &server).await;
        Self { folder, server, clock, server_ms, desk }
    }

    async fn person(&self, name: &str) -> Person {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let app = App::open(AppOptions { clock, ..options(&self.folder.path().join(name)) });
        let chart = create(&app, name, "phone").await;
        connect(&app, &self.server).await;
        Person { app, chart }
    }

    fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        self.server_ms.fetch_add(ms, Ordering::SeqCst);
    }

    async fn code(&self, letter: bool) -> DeskCodeView {
        read(call::<command::DeskCode>(&self.desk, json!({ "letter": letter })).await)
    }

    /// Asks again until a code is where it should be.
    async fn until(&self, code: &DeskCodeView, phase: PairPhase) -> DeskCodeView {
        let found = |list: &Value| {
            let all: Vec<DeskCodeView> = read(list.clone());
            all.into_iter().find(|one| one.code == code.code && one.phase == phase)
        };
        let list = until::<command::DeskList>(&self.desk, Value::Null, "the code is there", |list| {
            found(list).is_some()
        });
        found(&list.await).expect("it was there")
    }

    async fn answer(&self, code: &DeskCodeView, yes: bool) {
        call::<command::DeskAnswer>(&self.desk, json!({ "code": code.code, "yes": yes })).await;
    }
}

impl Person {
    async fn open(&self, code: &str) -> HospitalOfferView {
        read(call::<command::HospitalOpen>(&self.app, json!({ "code": code })).await)
    }

    async fn connect(&self) {
        call::<command::HospitalConnect>(&self.app, self.of_chart()).await;
    }

    async fn until(&self, phase: &str) -> Value {
        until::<command::HospitalStatus>(&self.app, Value::Null, phase, |view| view["phase"] == phase).await
    }

    fn of_chart(&self) -> Value {
        json!({ "chart": self.chart })
    }

    async fn care(&self) -> CareView {
        read(call::<command::CareList>(&self.app, self.of_chart()).await)
    }

    async fn ask(&self, happened: &str) -> Result<CareThreadView, String> {
        let space = self.care().await.spaces[0].space.clone();
        let open =
            json!({ "kind": "question", "about": "", "happened": happened, "help": "", "ward_blind": false });
        let args = json!({ "chart": self.chart, "space": space, "what": { "case": { "open": open } } });
        self.app.call("care_act", args).await.map(read).map_err(|error| error.message_id)
    }

    /// Until the desk has so many of this person's conversations.
    async fn heard_at(&self, desk: &App, conversations: usize) -> CareView {
        let all = |list: &Value| list["threads"].as_array().is_some_and(|all| all.len() == conversations);
        until::<command::ChartList>(desk, Value::Null, "the chart is there", |charts| {
            charts.as_array().is_some_and(|charts| charts.iter().any(|chart| chart["chart"] == self.chart))
        })
        .await;
        read(until::<command::CareList>(desk, self.of_chart(), "they have come", all).await)
    }
}

fn read<T: serde::de::DeserializeOwned>(view: Value) -> T {
    serde_json::from_value(view).expect("a view")
}

fn refused(answer: Result<Value, mecum_api::CallError>) -> Option<String> {
    answer.err().map(|error| error.message_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_connects_by_a_desks_code_and_what_was_asked_before_the_yes_arrives_after_it() {
    let town = Town::new().await;
    let ratna = town.person("Ratna").await;
    let code = town.code(false).await;
    assert_eq!((code.phase, code.offer.ends_ms), (PairPhase::Waiting, NOW_MS + 15 * MINUTE_MS));
    let by_picture = ratna.open(&code.offer.qr).await;
    let by_words = ratna.open(&code.offer.words.join(" ")).await;
    assert_eq!(by_picture, by_words, "the words and the picture say the same");
    assert_eq!((by_words.name.as_str(), by_words.connected.len()), ("RS Tirta Asih", 0), "whose it is");
    ratna.connect().await;
    let asks = town.until(&code, PairPhase::Asking).await;
    assert_eq!((asks.from.as_deref(), asks.whose.as_deref()), (Some("Ratna"), Some("Ratna")), "who answered");
    let asked = ratna.ask("may I eat before it?").await.expect("it can be written already");
    assert_eq!(asked.acts.len(), 1);
    for app in [&ratna.app, &town.desk] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    let spaces = town.desk.with(|session| Ok(session.care_spaces().len())).await.expect("open");
    assert_eq!(spaces, 0, "nobody is expected before the desk said that it is them");
    assert_eq!(ratna.care().await.spaces[0].state, MemberState::Joining, "and nobody is let in");
    town.answer(&code, true).await;
    ratna.until("done").await;
    town.until(&code, PairPhase::Done).await;
    let there = ratna.heard_at(&town.desk, 1).await;
    assert_eq!(
        (there.spaces[0].name.as_str(), there.threads[0].title.as_str()),
        ("Ratna", "may I eat before it?")
    );
    let again = town.code(false).await;
    let known = ratna.open(&again.offer.qr).await;
    assert_eq!(known.connected.len(), 1, "who is connected already is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_who_comes_second_is_told_and_founds_nothing() {
    let town = Town::new().await;
    let (ratna, budi) = (town.person("Ratna").await, town.person("Budi").await);
    let code = town.code(false).await;
    ratna.open(&code.offer.qr).await;
    budi.open(&code.offer.qr).await;
    ratna.connect().await;
    let second = budi.app.call("hospital_connect", budi.of_chart()).await;
    assert_eq!(refused(second).as_deref(), Some("error-code-used"));
    assert!(budi.care().await.spaces.is_empty(), "nothing was begun");
    let asks = town.until(&code, PairPhase::Asking).await;
    assert_eq!(asks.from.as_deref(), Some("Ratna"), "whoever was first");
    // Who was first may say it again: the answer may have been lost, or the program ended.
    call::<command::VaultLock>(&ratna.app, Value::Null).await;
    call::<command::VaultUnlock>(&ratna.app, json!({ "passphrase": world::WORDS })).await;
    ratna.open(&code.offer.qr).await;
    ratna.connect().await;
    town.answer(&code, true).await;
    ratna.until("done").await;
    assert_eq!(ratna.care().await.spaces.len(), 1, "one conversation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_says_no_expects_nobody_and_lets_nothing_in() {
    let town = Town::new().await;
    let ratna = town.person("Ratna").await;
    let code = town.code(false).await;
    ratna.open(&code.offer.qr).await;
    ratna.connect().await;
    town.until(&code, PairPhase::Asking).await;
    town.answer(&code, false).await;
    let ended = ratna.until("ended").await;
    assert_eq!(ended["message_id"], "hospital-said-no");
    assert_eq!(ratna.care().await.spaces[0].state, MemberState::Joining, "it was let into nothing");
    let again = ratna.app.call("hospital_open", json!({ "code": code.offer.qr })).await;
    assert_eq!(refused(again).as_deref(), Some("hospital-said-no"), "the code leads nowhere");
    let late = town.desk.call("desk_answer", json!({ "code": code.code, "yes": true })).await;
    assert_eq!(refused(late).as_deref(), Some("error-not-found"), "and nobody says yes to it");
    let other = town.code(false).await;
    ratna.open(&other.offer.qr).await;
    ratna.connect().await;
    town.until(&other, PairPhase::Asking).await;
    town.answer(&other, true).await;
    ratna.until("done").await;
    assert_eq!(ratna.care().await.spaces.len(), 1, "the space that was begun is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_ends_with_its_time_and_one_in_a_letter_lasts_two_days() {
    let town = Town::new().await;
    let ratna = town.person("Ratna").await;
    let (counter, letter) = (town.code(false).await, town.code(true).await);
    assert_eq!(letter.offer.ends_ms, NOW_MS + 2 * 24 * 60 * MINUTE_MS);
    town.advance(16 * MINUTE_MS);
    let ended = town.until(&counter, PairPhase::Ended).await;
    assert_eq!(ended.message_id.as_deref(), Some("pairing-time-over"));
    let gone = ratna.app.call("hospital_open", json!({ "code": counter.offer.qr })).await;
    assert_eq!(refused(gone).as_deref(), Some("error-pairing-code"));
    ratna.open(&letter.offer.qr).await;
    ratna.connect().await;
    town.until(&letter, PairPhase::Asking).await;
    town.answer(&letter, true).await;
    ratna.until("done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_other_kinds_and_of_oneself_connect_nobody() {
    let town = Town::new().await;
    let ratna = town.person("Ratna").await;
    let own = town.code(false).await;
    let to_self = town.desk.call("hospital_open", json!({ "code": own.offer.qr })).await;
    assert_eq!(refused(to_self).as_deref(), Some("error-invitation-own"));
    let invite = json!({ "chart": ratna.chart, "sections": ["profile"], "role": "reader" });
    let invitation = call::<command::MemberInvite>(&ratna.app, invite).await;
    let of_invitation = town.desk.call("hospital_open", json!({ "code": invitation["qr"] })).await;
    assert_eq!(
        refused(of_invitation).as_deref(),
        Some("error-pairing-code"),
        "an invitation is no hospital's"
    );
    let of_desk = ratna.app.call("invitation_open", json!({ "code": own.offer.qr })).await;
    assert_eq!(refused(of_desk).as_deref(), Some("error-pairing-code"), "nor is this an invitation");
    let nothing = ratna.app.call("hospital_connect", ratna.of_chart()).await;
    assert_eq!(refused(nothing).as_deref(), Some("error-not-found"), "no code is open");
    let wrong = ratna.app.call("hospital_open", json!({ "code": "not a code" })).await;
    assert!(refused(wrong).is_some_and(|id| id.starts_with("error-pairing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_hospital_keeps_what_was_said_says_no_more_and_may_come_back() {
    let town = Town::new().await;
    let ratna = town.person("Ratna").await;
    for round in 1..=2 {
        let code = town.code(false).await;
        ratna.open(&code.offer.qr).await;
        ratna.connect().await;
        town.until(&code, PairPhase::Asking).await;
        town.answer(&code, true).await;
        ratna.until("done").await;
        ratna.ask(&format!("question {round}")).await.expect("asked");
        ratna.heard_at(&town.desk, round).await;
        let space = ratna.care().await.spaces[0].space.clone();
        let leave = json!({ "chart": ratna.chart, "space": space, "reason": "moved away" });
        let left: CareView = read(call::<command::HospitalLeave>(&ratna.app, leave.clone()).await);
        assert_eq!((left.spaces.len(), left.threads.len()), (1, round), "what was said stays");
        assert_eq!((left.spaces[0].state, left.spaces[0].open), (MemberState::Removed, false));
        let again = ratna.app.call("hospital_leave", leave).await;
        assert_eq!(refused(again).as_deref(), Some("error-not-found"), "it is out");
        assert_eq!(ratna.ask("is anybody there?").await.err().as_deref(), Some("error-hospital-left"));
        let ended = |list: &Value| list["spaces"][0]["open"] == false;
        let there = until::<command::CareList>(&town.desk, ratna.of_chart(), "it hears", ended).await;
        let there: CareView = read(there);
        assert_eq!(there.threads.len(), round, "the hospital keeps what it was told");
    }
}
