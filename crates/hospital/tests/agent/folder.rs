//! Its folder: who has it, what opens it, and how an account comes into it.

use crate::house::{Hospital, Patient, talk};
use crate::world::{call, connect, create, options, until};
use mecum_api::command;
use mecum_client::{App, AppOptions, Clock, TalkActs};
use mecum_hospital::{Agent, HospitalError, Start, has_account};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn one_program_answers_from_a_folder_and_only_its_key_file_opens_it() {
    let mut hospital = Hospital::new(&[1]).await;
    let data = hospital.path("hospital");
    let second = Agent::open(hospital.options(&data), Start::Again).await.err();
    assert!(matches!(second, Some(HospitalError::InUse { .. })), "{second:?}");
    let key = data.join("hospital.key");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600, "for its user alone");
    hospital.agent = None;
    let words = std::fs::read(&key).expect("a file");
    std::fs::remove_file(&key).expect("removed");
    let missing = hospital.start(Start::Again).await;
    assert!(matches!(missing, Err(HospitalError::Key { .. })), "{missing:?}");
    std::fs::write(&key, b"other words than these").expect("a file");
    let wrong = hospital.start(Start::Again).await;
    assert!(matches!(wrong, Err(HospitalError::Refused(_))), "{wrong:?}");
    std::fs::write(&key, words).expect("a file");
    hospital.start_again().await;
    let nobody = Agent::open(hospital.options(&hospital.path("empty")), Start::Again).await.err();
    assert!(matches!(nobody, Some(HospitalError::NoAccount)), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_connects_at_a_desk_is_answered_by_the_program_that_joined_its_account() {
    let mut hospital = Hospital::new(&[1]).await;
    hospital.agent = None;
    let clock: Arc<dyn Clock> = hospital.clock.clone();
    let desk = App::open(AppOptions { clock, ..options(&hospital.path("desk")) });
    create(&desk, "RS Tirta Asih", "desk").await;
    connect(&desk, &hospital.server).await;
    let shown = call::<command::PairOffer>(&desk, Value::Null).await;
    let code = shown["qr"].as_str().expect("a code").to_owned();
    let options = hospital.options(&hospital.path("joined"));
    let joining = tokio::spawn(Agent::open(options, Start::Join { code, server: None }));
    until::<command::PairStatus>(&desk, Value::Null, "it asks", |view| view["phase"] == "asking").await;
    call::<command::PairApprove>(&desk, Value::Null).await;
    let agent = joining.await.expect("no panic").expect("it is in");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(agent.run(async { drop(stopped.await) }));
    let (ratna, chart) = connected_at(&desk, &hospital, "Ratna").await;
    let case = ratna.complain().await;
    let args = json!({ "chart": chart, "space": ratna.space.to_string(), "thread": case });
    let open = |view: &Value| view["case"]["phase"] == "open";
    until::<command::CareGet>(&ratna.app, args, "it is answered", open).await;
    drop(stop);
    running.await.expect("no panic").expect("it locks its vault");
    until::<command::SyncNow>(&desk, Value::Null, "the desk has it", |view| view["phase"] == "up-to-date")
        .await;
    let at_desk = talk(&desk, ratna.space, case).await;
    assert!(matches!(at_desk, TalkActs::Case(acts) if acts.iter().count() == 2), "the desk reads the same");
}

/// Somebody who connects by the code that a desk shows, while the program runs beside it.
async fn connected_at(desk: &App, hospital: &Hospital, name: &str) -> (Patient, String) {
    let clock: Arc<dyn Clock> = hospital.clock.clone();
    let app = App::open(AppOptions { clock, ..options(&hospital.path(name)) });
    let chart = create(&app, name, "phone").await;
    connect(&app, &hospital.server).await;
    let code = call::<command::DeskCode>(desk, json!({ "letter": false })).await;
    call::<command::HospitalOpen>(&app, json!({ "code": code["offer"]["qr"] })).await;
    call::<command::HospitalConnect>(&app, json!({ "chart": chart })).await;
    until::<command::DeskList>(desk, Value::Null, "somebody asks", |list| list[0]["phase"] == "asking").await;
    call::<command::DeskAnswer>(desk, json!({ "code": code["code"], "yes": true })).await;
    until::<command::HospitalStatus>(&app, Value::Null, "connected", |view| view["phase"] == "done").await;
    let spaces = app.with(|session| Ok(session.care_spaces())).await.expect("open");
    let space = spaces.first().expect("connected").space;
    (Patient { app, space }, chart)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_founding_that_was_cut_short_is_finished_by_the_next_start() {
    let hospital = Hospital::new(&[1]).await;
    let data = hospital.path("cut");
    let found = |server: &str, code: &str| Start::Found {
        name: "RS Tirta Asih".to_owned(),
        server: server.to_owned(),
        code: code.to_owned(),
    };
    let cut = Agent::open(hospital.options(&data), found("http://127.0.0.1:1", "no code")).await.err();
    assert!(matches!(cut, Some(HospitalError::Refused(_))), "nobody is there: {cut:?}");
    assert!(!has_account(&data), "a code is still asked for");
    let again = Agent::open(hospital.options(&data), Start::Again).await.err();
    assert!(
        matches!(again, Some(HospitalError::NotConnected)),
        "it is said, and not waited for ever: {again:?}"
    );
    let code = hospital.server.relay.make_enrolment_code().expect("a code");
    let agent = Agent::open(hospital.options(&data), found(&hospital.server.url, &code)).await;
    let status = agent.expect("it is founded").sync_status().await.expect("open");
    assert_eq!(status.server.as_deref(), Some(hospital.server.url.as_str()), "and at its server");
    assert!(has_account(&data), "from now on nobody has to say whose it is");
    Agent::open(hospital.options(&data), Start::Again).await.expect("as it is");
}
