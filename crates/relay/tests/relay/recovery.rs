//! Coming back with the printed kit and nothing else; and mailboxes that wait for days.

use std::net::IpAddr;

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountLog, Challenge, Follower, PROTOCOL_VERSION, RecoverRequest, RecoverResponse,
    RecoveryProof, RefusalCode, Signed, encode,
};

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

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

#[tokio::test]
async fn an_invitation_waits_for_the_days_that_a_signed_in_device_asked_for() {
    let server = Server::start(roomy()).await;
    let laptop = Device::enrolled(&server, 1).await;
    let path = |n: u8, rest: &str| format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
    let token = Some(laptop.token.as_str());
    let put =
        async |path: String, token: Option<&str>| server.ask("PUT", &path, token, b"sealed").await.status;
    assert_eq!(
        put(path(1, "offer?days=7"), None).await,
        401,
        "nobody keeps one for days who is not signed in"
    );
    for wrong in ["days=0", "days=8", "days=", "days=7x", "hours=1", ""] {
        assert_eq!(put(path(1, &format!("offer?{wrong}")), token).await, 400, "{wrong}");
    }
    assert_eq!(put(path(1, "join?days=7"), token).await, 400, "only who opens it says how long");
    assert_eq!(put(path(1, "offer?days=7"), token).await, 204, "seven days");
    assert_eq!(put(path(2, "offer"), None).await, 204, "a pairing");
    server.advance(7 * DAY_MS - 1_000);
    let get = async |path: String| server.ask("GET", &path, None, &[]).await.status;
    assert_eq!(get(path(1, "offer")).await, 200, "it waits");
    assert_eq!(put(path(1, "join"), None).await, 204, "and is answered by who has no account");
    assert_eq!(get(path(2, "offer")).await, 404, "a pairing does not");
    server.advance(1_000);
    assert_eq!(get(path(1, "join")).await, 404, "and then it is gone");
}

#[tokio::test]
async fn no_account_fills_the_room_for_mailboxes_that_wait_for_days() {
    let few = Rate { burst: 3.0, per_second: 1.0 / 3_600.0 };
    let server = Server::start(Limits { long_mailboxes_per_account: few, ..roomy() }).await;
    let (greedy, other) = (Device::enrolled(&server, 1).await, Device::enrolled(&server, 2).await);
    let path = |n: u8, rest: &str| format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
    let put = async |n: u8, rest: &str, token: Option<&str>| {
        server.ask("PUT", &path(n, rest), token, b"sealed").await.status
    };
    let mut statuses = Vec::new();
    for n in 0..10 {
        statuses.push(put(n, "offer?days=7", Some(&greedy.token)).await);
    }
    assert_eq!(statuses[..3], [204; 3], "a few at once");
    assert_eq!(statuses[3..], [429; 7], "and then that account waits");
    assert_eq!(put(20, "offer?days=7", Some(&other.token)).await, 204, "another account does not");
    assert_eq!(put(21, "offer", None).await, 204, "nor does a pairing, from the same address");
    server.advance(3_600_000);
    assert_eq!(put(22, "offer?days=7", Some(&greedy.token)).await, 204, "and one comes back in time");
}

#[tokio::test]
async fn nobody_spends_what_another_at_the_same_address_may_open() {
    let few = Rate { burst: 3.0, per_second: 0.0 };
    let server = Server::start(Limits { mailboxes_per_source: few, ..roomy() }).await;
    let device = Device::enrolled(&server, 1).await;
    let put = async |n: u8, rest: &str, token: Option<&str>| {
        let path = format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
        server.ask("PUT", &path, token, b"sealed").await.status
    };
    let forged = "0".repeat(64);
    for token in [None, Some(forged.as_str())] {
        for n in 0..5 {
            assert_eq!(put(n, "offer?days=7", token).await, 401, "nothing for days without a sign-in");
        }
    }
    for n in 10..13 {
        assert_eq!(put(n, "offer", None).await, 204, "which has cost the address nothing");
    }
    assert_eq!(put(13, "offer", None).await, 429, "control: now the address waits");
    assert_eq!(put(14, "offer?days=7", Some(&device.token)).await, 204, "who is signed in does not");
    assert_eq!(put(15, "offer", Some(&device.token)).await, 204, "nor for a pairing");
    assert_eq!(put(16, "offer", Some(&forged)).await, 401, "a sign-in that is none is said");
}

/// The site that the database has for a mailbox.
fn site_of(server: &Server, n: u8) -> i64 {
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    c.query_row("SELECT site FROM mailbox WHERE mailbox = ?1", [[n; 16]], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn mailboxes_without_a_sign_in_are_counted_by_network_and_no_address_is_kept() {
    let few = Rate { burst: 2.0, per_second: 0.0 };
    let limits = Limits { short_mailboxes_per_account: few, ..roomy() };
    let mut server = Server::behind(limits, &[IpAddr::from([127, 0, 0, 1])]).await;
    let device = Device::enrolled(&server, 1).await;
    let open = async |server: &Server, n: u8, address: &str, rest: &str| {
        let path = format!("/v1/mailbox/{}/offer", format!("{n:02x}").repeat(16));
        let head = format!("PUT {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n");
        let rest = format!("x-forwarded-for: {address}\r\n{rest}content-length: 6\r\n\r\nsealed");
        Answer::parse(&server.raw(format!("{head}{rest}").as_bytes()).await).status
    };
    for (n, address) in
        (1..).zip(["192.0.2.1", "192.0.2.77", "192.0.3.1", "2001:db8:1::1", "2001:db8:1:9::1"])
    {
        assert_eq!(open(&server, n, address, "").await, 204, "{address}");
    }
    let sites = [1, 2, 3, 4, 5].map(|n| site_of(&server, n));
    let [first, alike, other, six, six_alike] = sites;
    assert_eq!((first, six), (alike, six_alike), "a /24 and a /48 are one site each");
    assert!(first != other && first != six && other != six, "others are others: {sites:?}");
    assert!(sites.iter().all(|site| *site > 0), "and none is a signed-in device's: {sites:?}");
    let signed_in = format!("authorization: Bearer {}\r\n", device.token);
    for n in 6..9 {
        assert_eq!(open(&server, n, "192.0.2.1", &signed_in).await, 204, "signed in");
    }
    assert_eq!(
        [6, 7, 8].map(|n| site_of(&server, n)),
        [0, 0, first],
        "for the account, and then for the site"
    );
    server.restart().await;
    assert_eq!(open(&server, 9, "192.0.2.1", "").await, 204, "after a restart");
    assert_ne!(
        site_of(&server, 9),
        first,
        "the name was of that process alone: it says nothing of the address"
    );
}
