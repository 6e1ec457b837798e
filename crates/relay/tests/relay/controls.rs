//! What must fail so that the tests beside it show something: the same floods without the limit, the same clock with a
//! difference that is there.

use std::time::{Duration, Instant};

use mecum_relay::Limits;
use mecum_seal::SigningKey;
use mecum_seal::testing::SeededEntropy;
use mecum_sync::{Challenge, decode, encode};

use crate::device::Device;
use crate::server::{Line, Server, roomy};

async fn challenge(line: &mut Line) -> Challenge {
    let (status, body) = line.post("/v1/challenge", "", &[]).await;
    assert_eq!(status, 200, "a challenge is always given");
    decode(&body, 1_000).unwrap()
}

#[tokio::test]
async fn control_without_the_limit_a_flood_of_wrong_sign_ins_never_has_to_wait() {
    let server = Server::start(roomy()).await;
    let victim = Device::enrolled(&server, 1).await;
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let mut line = Line::open(&server).await;
    let mut refused = 0;
    for _ in 0..200 {
        let fresh = challenge(&mut line).await;
        let (status, _) = line.post("/v1/session", "", &encode(&victim.sign(&fresh, &thief))).await;
        refused += u32::from(status == 401);
    }
    assert_eq!(refused, 200, "it is the limit that makes it wait");
}

/// Half of the samples are below it.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

#[tokio::test]
async fn control_a_difference_in_work_is_seen_in_the_medians() {
    let server = Server::start(roomy()).await;
    let device = Device::enrolled(&server, 1).await;
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let mut line = Line::open(&server).await;
    let fresh = challenge(&mut line).await;
    // One is checked against a key, the other is given up before: an answer that told them apart would do so in time.
    let bodies = [encode(&device.sign(&fresh, &thief)), b"no frame at all".to_vec()];
    // As the test beside it judges: what stays in every round is the program's.
    let mut least = f64::INFINITY;
    for _ in 0..4 {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..500 {
            for (body, times) in bodies.iter().zip(&mut times) {
                let began = Instant::now();
                line.post("/v1/session", "", body).await;
                times.push(began.elapsed());
            }
        }
        let [checked, given_up] = times.map(median);
        println!("medians {:.0} us and {:.0} us", checked * 1e6, given_up * 1e6);
        least = f64::min(least, checked / given_up - 1.0);
    }
    assert!(least > 0.05, "the clock is fine enough to see one signature: {:.1} %", least * 100.0);
}

#[tokio::test]
async fn control_with_a_larger_quota_the_same_push_is_stored() {
    let server = Server::start(Limits { quota_bytes: 4_000_000, ..roomy() }).await;
    let mut device = Device::enrolled(&server, 1).await;
    let space = device.space(&server).await;
    device.write(&server, space, &[&"x".repeat(50_000)]).await;
}
