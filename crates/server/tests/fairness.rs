//! Two classes of load on the living server process: accounts that write now and then, and one device that asks ten times as often
//! as it may. The others' edits are acknowledged as soon as without it. Source: the programme's row 48.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mecum_faults::Proof;
use mecum_seal::SpaceId;
use mecum_sync::testing::Actor;
use mecum_sync::{SyncRequest, SyncResponse, decode, encode};

use asked::{Line, Server, enrolled, head};

/// Edits of the others that are measured, half of them beside the flood.
const PER_CHANGE: u64 = 4_000;
/// How often an edit may take as long as without the flood. Source: the programme's row 48.
const MOST: f64 = 2.0;
/// Accounts that write now and then.
const OTHERS: u64 = 8;
/// Between two edits of theirs: fewer than 50 a second for each, which each device may have.
const PACE: Duration = Duration::from_millis(5);
/// Edits in a row with the flood, and without it: what else the machine does meets both alike.
const STRETCH: u64 = 50;
/// Connections of the device that floods, and between two requests on one: together ten times what a device may.
const FLOODERS: u64 = 8;
const FLOOD_PACE: Duration = Duration::from_millis(16);
/// What the control's server does for each request: much beside what else keeps it waiting.
const WORK: Duration = Duration::from_millis(25);

/// An account that writes, on a connection of its own.
struct Writer {
    actor: Actor,
    space: SpaceId,
    line: Line,
    head: String,
}

impl Writer {
    fn new(server: &Server, seed: u64) -> Self {
        let (mut actor, token) = enrolled(server, seed);
        let (space, entry) = actor.found_space(Some(server.pin));
        let mut request = SyncRequest::pull(0, 1 << 16);
        request.space_entries.push(entry);
        let founded: SyncResponse = server.frame("/v1/sync", Some(&token), &encode(&request));
        assert!(founded.space_outcomes[0].refusal().is_none(), "the space is stored");
        let line = Line::open(&server.running.address);
        Self { actor, space, line, head: head(seed, "/v1/sync", Some(&token)) }
    }

    /// Writes one edit; how long until it is acknowledged. `None` if it is not.
    fn write(&mut self) -> Option<Duration> {
        let mut request = SyncRequest::pull(0, 1 << 16);
        request.pushes.push(self.actor.push(self.space, &["an edit"], vec![]));
        let request = encode(&request);
        let began = Instant::now();
        let (status, body) = self.line.post(&self.head, &request);
        let took = began.elapsed();
        let response: Option<SyncResponse> = (status == 200).then(|| decode(&body, 1 << 24).ok()).flatten();
        response?.push_outcomes.first()?.refusal().is_none().then_some(took)
    }
}

/// A flood that can be let go and held, and what it was answered.
struct Flood {
    on: AtomicBool,
    over: AtomicBool,
    asked: AtomicU64,
    waiting: AtomicU64,
}

/// Asks on so many connections at once while the flood is on.
fn flood<R>(address: &str, head: &str, body: &[u8], work: impl FnOnce(&Flood) -> R) -> R {
    let new = || AtomicU64::new(0);
    let flood =
        Flood { on: AtomicBool::new(false), over: AtomicBool::new(false), asked: new(), waiting: new() };
    std::thread::scope(|scope| {
        for _ in 0..FLOODERS {
            scope.spawn(|| {
                let mut line = Line::open(address);
                while !flood.over.load(Ordering::SeqCst) {
                    std::thread::sleep(FLOOD_PACE);
                    if flood.on.load(Ordering::SeqCst) {
                        let (status, _) = line.post(head, body);
                        flood.asked.fetch_add(1, Ordering::SeqCst);
                        flood.waiting.fetch_add(u64::from(status == 429), Ordering::SeqCst);
                    }
                }
            });
        }
        let done = work(&flood);
        flood.over.store(true, Ordering::SeqCst);
        done
    })
}

/// Measures without the flood and with it, by turns.
fn by_turns(flood: &Flood, count: u64, mut measure: impl FnMut(u64) -> Duration) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..count {
        let with = (number / STRETCH) % 2;
        flood.on.store(with == 1, Ordering::SeqCst);
        if number % STRETCH == 0 {
            // What the flood had asked is answered, or what it asks is under way.
            std::thread::sleep(10 * FLOOD_PACE);
        }
        std::thread::sleep(PACE);
        times[usize::try_from(with).unwrap()].push(measure(number));
    }
    times
}

/// All but one of a hundred are below it, in ms.
fn p99(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

#[test]
fn others_are_answered_as_soon_as_ever_beside_a_device_that_floods() {
    let what = "edits of other accounts, half of them beside a device that floods; 99th percentiles";
    let proof = Proof::new(48, what, PER_CHANGE);
    let server = Server::start();
    let mut others: Vec<_> = (1..=OTHERS).map(|seed| Writer::new(&server, seed)).collect();
    let flooding = Writer::new(&server, 100);
    let Writer { head, mut actor, space, .. } = flooding;
    // It pushes, and the same again each time: stored once, looked at as often as it is let in.
    let mut request = SyncRequest::pull(0, 1 << 16);
    request.pushes.push(actor.push(space, &[&"x".repeat(30_000)], vec![]));
    let (mut refused, address) = (0, server.running.address.clone());
    let (mut times, asked, waiting) = flood(&address, &head, &encode(&request), |flood| {
        // What it may ask at once it has asked: from here on it is told to wait.
        flood.on.store(true, Ordering::SeqCst);
        while flood.waiting.load(Ordering::SeqCst) == 0 {
            std::thread::sleep(FLOOD_PACE);
        }
        let times = by_turns(flood, proof.share(), |number| {
            let other = &mut others[usize::try_from(number % OTHERS).unwrap()];
            other.write().unwrap_or_else(|| {
                refused += 1;
                Duration::ZERO
            })
        });
        (times, flood.asked.load(Ordering::SeqCst), flood.waiting.load(Ordering::SeqCst))
    });
    let [without, with] = times.each_mut().map(|times| p99(times));
    println!("the flood asked {asked} times and was told {waiting} times to wait");
    println!(
        "99 of a hundred edits: {without:.2} ms without it, {with:.2} ms with it, {:.2} times",
        with / without
    );
    // Beside other tests nothing is as quick.
    let slow = proof.is_alone() && proof.cases() >= PER_CHANGE && with > without * MOST;
    proof.end(proof.share(), refused + u64::from(slow));
    assert!(waiting * 4 > asked, "it is a flood: {waiting} of {asked}");
    assert_eq!(refused, 0, "no edit of the others is refused");
    assert!(!slow, "nor waits for the flood: {without:.2} ms and {with:.2} ms");
}

#[test]
fn control_others_who_wait_behind_a_flood_are_seen_in_the_percentiles() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // A server without a limit, which does one thing at a time, and some work for each.
    let one = Arc::new(Mutex::new(()));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let one = Arc::clone(&one);
            std::thread::spawn(move || {
                let mut part = [0; 4_096];
                while matches!(stream.read(&mut part), Ok(1..)) {
                    let work = one.lock().unwrap();
                    std::thread::sleep(WORK);
                    drop(work);
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut line = Line::open(&address);
    let head = head(1, "/v1/sync", None);
    let mut times = flood(&address, &head, b"", |flood| {
        by_turns(flood, 2 * STRETCH, |_| {
            let began = Instant::now();
            line.post(&head, b"");
            began.elapsed()
        })
    });
    let [without, with] = times.each_mut().map(|times| p99(times));
    println!("99 of a hundred: {without:.2} ms without it, {with:.2} ms with it");
    assert!(with > without * MOST, "it is seen: {without:.2} ms and {with:.2} ms");
}
