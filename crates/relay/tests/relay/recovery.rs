//! Coming back with the printed kit and nothing else.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountLog, Challenge, Follower, PROTOCOL_VERSION, RecoverRequest, RecoverResponse,
    RecoveryProof, RefusalCode, Signed, encode,
};

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

async fn proof(server: &Server, account: AccountId, key: &SigningKey) -> Signed<RecoveryProof> {
    let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let Challenge { nonce, server_time_ms, server } = challenge;
    Signed::sign(RecoveryProof { server, nonce, server_time_ms, account, key: key.verifying_key() }, key)
}

async fn ask(
    server: &Server,
    proof: Signed<RecoveryProof>,
    entry: Option<Signed<mecum_sync::AccountEntry>>,
) -> Answer {
    let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry };
    server.ask("POST", "/v1/recover", None, &encode(&request)).await
}

/// A laptop whose account has a recovery key.
async fn with_kit(server: &Server) -> (Device, SigningKey) {
    let mut laptop = Device::enrolled(server, 1).await;
    laptop.catch_up(server).await;
    let kit = SigningKey::make(&SeededEntropy::new(77));
    let body = AccountBody::SetRecovery {
        signing: kit.verifying_key(),
        kem: laptop.actor.kem.public(),
        sealed: b"sealed to the kit".to_vec(),
    };
    let entry = laptop.actor.account_entry(laptop.follower.account_log().unwrap(), body);
    laptop.bring_account(server, &entry).await.unwrap();
    (laptop, kit)
}

fn fold(response: &RecoverResponse) -> AccountLog {
    let (first, rest) = response.entries.split_first().expect("a log has a first entry");
    let mut log = AccountLog::found(first).unwrap();
    for entry in rest {
        log.append(entry).unwrap();
    }
    log
}

#[tokio::test]
async fn the_kit_alone_brings_an_account_back() {
    let server = Server::start(roomy()).await;
    let (mut laptop, kit) = with_kit(&server).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["one"]).await;
    let account = laptop.actor.account;
    // Who has the words alone knows no account's id.
    let nobody = AccountId::from_bytes([0; 16]);
    let response: RecoverResponse = ask(&server, proof(&server, nobody, &kit).await, None).await.frame();
    let log = fold(&response);
    assert_eq!(log.account(), account, "the key finds its account");
    assert_eq!(log.recovery_sealed(), b"sealed to the kit", "the kit finds what it opens");
    let actor = Actor::second(9, &laptop.actor);
    let mut rotation = actor.rotation(&log, None);
    rotation.wraps.truncate(1);
    rotation.wraps[0].device = actor.device;
    let body = AccountBody::Recover { device: actor.card(b"new"), alone: Some(rotation) };
    let entry = Actor::recovery_entry(&kit, &log, body);
    let answer = ask(&server, proof(&server, account, &kit).await, Some(entry.clone())).await;
    let log = fold(&answer.frame());
    assert_eq!(log.devices().len(), 1, "the new device is alone");
    let again: RecoverResponse = ask(&server, proof(&server, account, &kit).await, Some(entry)).await.frame();
    assert_eq!(again.entries.len(), 3, "a retry after a lost answer is answered the same");
    let lost = server.ask("POST", "/v1/sync", Some(&laptop.token), &encode(&laptop.request())).await;
    assert_eq!(lost.refusal().code, RefusalCode::Unauthorised, "the lost laptop's session is over");
    let follower =
        Follower::join(account, actor.device, actor.incarnation, log.genesis(), Some(server.pin()));
    let mut device = Device { actor, follower, token: String::new() };
    device.sign_in(&server).await;
    assert_eq!(device.catch_up(&server).await.len(), 1, "and everything is there");
    device.actor.follow(&device.space_log(space));
    device.write(&server, space, &["two"]).await;
}

#[tokio::test]
async fn a_proof_that_does_not_hold_tells_nothing() {
    let server = Server::start(roomy()).await;
    let (laptop, kit) = with_kit(&server).await;
    let keyless = Device::enrolled(&server, 2).await;
    let account = laptop.actor.account;
    let other = SigningKey::make(&SeededEntropy::new(5));
    let mut elsewhere = *proof(&server, account, &kit).await.unverified();
    elsewhere.server = other.verifying_key();
    let used = proof(&server, account, &kit).await;
    ask(&server, used.clone(), None).await.frame::<RecoverResponse>();
    let wrong = [
        ("another key", proof(&server, account, &other).await),
        ("a device's key", proof(&server, account, &laptop.actor.signing).await),
        ("an account without a kit", proof(&server, keyless.actor.account, &keyless.actor.signing).await),
        ("no account", proof(&server, AccountId::from_bytes([8; 16]), &kit).await),
        ("a key of nobody's", proof(&server, AccountId::from_bytes([0; 16]), &other).await),
        ("another server", Signed::sign(elsewhere, &kit)),
        ("a second time", used),
    ];
    let before = server.digest(&[]);
    let mut answers = Vec::new();
    for (why, proof) in wrong {
        let answer = ask(&server, proof, None).await;
        assert_eq!(answer.refusal().code, RefusalCode::Unauthorised, "{why}");
        answers.push((answer.status, answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all of them");
    let log = laptop.follower.account_log().unwrap();
    let new = Actor::second(9, &laptop.actor);
    let rotation = laptop.actor.rotation(log, None);
    let entry = Actor::recovery_entry(&kit, log, AccountBody::Rotate { rotation });
    let answer = ask(&server, proof(&server, account, &kit).await, Some(entry)).await;
    assert_eq!(
        answer.refusal().code,
        RefusalCode::BadEntry,
        "this way brings devices in and does nothing else"
    );
    let body = AccountBody::Recover { device: new.card(b"n"), alone: None };
    let forged = Actor::recovery_entry(&other, log, body);
    let answer = ask(&server, proof(&server, account, &kit).await, Some(forged)).await;
    assert_eq!(answer.refusal().code, RefusalCode::BadSignature, "an entry under another key");
    assert_eq!(server.digest(&[]), before, "and nothing of it was stored");
}

#[tokio::test]
async fn guesses_at_a_recovery_key_wait_and_its_holder_does_not() {
    let limits = mecum_relay::Limits {
        failures_per_source: mecum_relay::Rate { burst: 3.0, per_second: 0.001 },
        ..roomy()
    };
    let server = Server::start(limits).await;
    let (laptop, kit) = with_kit(&server).await;
    let account = laptop.actor.account;
    let other = SigningKey::make(&SeededEntropy::new(5));
    let mut codes = Vec::new();
    for _ in 0..6 {
        let wrong = proof(&server, account, &other).await;
        codes.push(ask(&server, wrong, None).await.refusal().code);
    }
    let (told, waiting) = codes.split_at(3);
    assert!(told.iter().all(|code| *code == RefusalCode::Unauthorised), "{codes:?}");
    assert!(waiting.iter().all(|code| *code == RefusalCode::RateLimited), "{codes:?}");
    let right = proof(&server, account, &kit).await;
    assert_eq!(ask(&server, right, None).await.status, 200, "a right proof is never told to wait");
}
