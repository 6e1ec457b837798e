//! Enrolment and sign-in: codes are good once, challenges are good once, and every failure looks the same.

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{Challenge, EnrolResponse, RefusalCode, ServerInfo, SignIn, Signed, encode};

use crate::device::{Device, enrol};
use crate::server::{Answer, Line, Server, roomy};

/// PROOF test 39.
const REPLAYS: usize = 10_000;

async fn challenge(server: &Server) -> Challenge {
    server.ask("POST", "/v1/challenge", None, &[]).await.frame()
}

async fn session(server: &Server, signed: &Signed<SignIn>) -> Answer {
    server.ask("POST", "/v1/session", None, &encode(signed)).await
}

#[tokio::test]
async fn a_code_admits_one_account_once() {
    let server = Server::start(roomy()).await;
    let (one, two) = (Actor::new(1).account_genesis(), Actor::new(2).account_genesis());
    let code = server.relay.make_enrolment_code().unwrap();
    let wrong = enrol(&server, "0000-0000-0000-0000", &one).await;
    assert_eq!((wrong.status, wrong.refusal().code), (403, RefusalCode::BadCode), "a guessed code");
    let _: EnrolResponse = enrol(&server, &code.to_lowercase(), &one).await.frame();
    let before = server.digest(&["enrolment_code"]);
    let _: EnrolResponse = enrol(&server, &code, &one).await.frame();
    assert_eq!(enrol(&server, &code, &two).await.refusal().code, RefusalCode::BadCode, "a used code");
    let second = server.relay.make_enrolment_code().unwrap();
    let again = enrol(&server, &second, &one).await.refusal().code;
    assert_eq!(again, RefusalCode::AlreadyExists, "an account is enrolled once");
    assert_eq!(server.digest(&["enrolment_code"]), before, "a retry and two refusals change nothing");
    server.advance(8 * 24 * 60 * 60 * 1_000);
    assert_eq!(enrol(&server, &second, &two).await.refusal().code, RefusalCode::BadCode, "an old code");
}

#[tokio::test]
async fn a_wrong_sign_in_is_refused_and_always_in_the_same_words() {
    let mut server = Server::start(roomy()).await;
    let device = Device::enrolled(&server, 1).await;
    let stranger = SigningKey::make(&SeededEntropy::new(77));
    let mut answers = Vec::new();

    let used = device.sign(&challenge(&server).await, &device.actor.signing);
    assert_eq!(session(&server, &used).await.status, 200, "the honest one opens a session");
    answers.push(("replayed", session(&server, &used).await));

    let fresh = challenge(&server).await;
    answers.push(("another key", session(&server, &device.sign(&fresh, &stranger)).await));
    answers.push(("after a failure", session(&server, &device.sign(&fresh, &device.actor.signing)).await));

    let mut elsewhere = challenge(&server).await;
    elsewhere.server = stranger.verifying_key();
    answers.push(("another server", session(&server, &device.sign(&elsewhere, &device.actor.signing)).await));

    let mut invented = challenge(&server).await;
    invented.nonce = Hash32::ZERO;
    answers.push(("no challenge", session(&server, &device.sign(&invented, &device.actor.signing)).await));

    let mut dated = challenge(&server).await;
    dated.server_time_ms += 1;
    answers.push(("another time", session(&server, &device.sign(&dated, &device.actor.signing)).await));

    let late = challenge(&server).await;
    server.advance(60_001);
    answers.push(("too late", session(&server, &device.sign(&late, &device.actor.signing)).await));

    let mut ghost = Device::enrolled(&server, 2).await;
    ghost.actor.device = device.actor.device;
    let crossed = challenge(&server).await;
    answers.push(("another's device", session(&server, &ghost.sign(&crossed, &ghost.actor.signing)).await));
    ghost.actor.account = Actor::new(500).account;
    let unknown = challenge(&server).await;
    answers.push(("no such account", session(&server, &ghost.sign(&unknown, &ghost.actor.signing)).await));

    let kept = challenge(&server).await;
    server.restart().await;
    answers
        .push(("from before a restart", session(&server, &device.sign(&kept, &device.actor.signing)).await));

    let first = answers[0].1.body.clone();
    for (name, answer) in &answers {
        assert_eq!(answer.status, 401, "{name} is refused");
        assert_eq!(answer.body, first, "{name} is refused in the same words");
    }
}

#[tokio::test]
async fn a_replayed_sign_in_opens_no_session() {
    let mut server = Server::start(roomy()).await;
    let device = Device::enrolled(&server, 1).await;
    let signed = device.sign(&challenge(&server).await, &device.actor.signing);
    assert_eq!(session(&server, &signed).await.status, 200, "the first time");
    let (mut line, body) = (Line::open(&server).await, encode(&signed));
    for n in 0..REPLAYS {
        // Some of them later, up to beyond the challenge's life.
        server.advance(if n % 10 == 0 { 70 } else { 0 });
        assert_eq!(line.post("/v1/session", "", &body).await.0, 401, "replay {n} is refused");
    }
    server.restart().await;
    let mut line = Line::open(&server).await;
    let fresh = device.sign(&challenge(&server).await, &device.actor.signing);
    assert_eq!(session(&server, &fresh).await.status, 200, "the restarted relay lets the device in");
    mecum_faults::control_failed("the same sign-in is taken once, and a fresh one after the restart");
    for n in 0..REPLAYS / 10 {
        assert_eq!(line.post("/v1/session", "", &body).await.0, 401, "replay {n} after a restart is refused");
    }
    println!("proof: {{\"test\":39,\"cases\":{},\"failures\":0}}", REPLAYS + REPLAYS / 10);
}

#[tokio::test]
async fn failures_run_out_for_their_source_and_come_back() {
    let failures = Rate { burst: 5.0, per_second: 0.1 };
    let server = Server::start(Limits { failures_per_source: failures, ..roomy() }).await;
    let genesis = Actor::new(9).account_genesis();
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(enrol(&server, "WRONG", &genesis).await.refusal().code);
    }
    assert_eq!(codes[..5], [RefusalCode::BadCode; 5], "the first failures are answered");
    assert_eq!(codes[5..], [RefusalCode::RateLimited; 3], "then the source has to wait");
    server.advance(10_000);
    assert_eq!(enrol(&server, "WRONG", &genesis).await.refusal().code, RefusalCode::BadCode, "one came back");
}

#[tokio::test]
async fn the_server_proves_the_key_that_it_names() {
    let server = Server::start(roomy()).await;
    let signed: Signed<ServerInfo> = server.ask("GET", "/v1/server", None, &[]).await.frame();
    let info = signed.verify(&server.pin()).expect("signed with its own key");
    assert_eq!(info.key, server.pin(), "the pin");
    assert_eq!(server.ask("GET", "/v1/health", None, &[]).await.body, b"ok\n", "health answers");
    let metrics = server.ask("GET", "/v1/metrics", None, &[]).await.body;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(
        metrics.contains("mecum_requests_total{route=\"server\",status=\"200\"} 1"),
        "counters count: {metrics}"
    );
}
