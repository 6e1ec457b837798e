//! The living server process is sent recorded sessions with one field changed, over and over: it goes on, its database stays
//! what it was, and its memory does not grow.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/asked.rs"]
mod asked;
#[path = "malformed/recorded.rs"]
mod recorded;
#[path = "support/server.rs"]
mod server;
#[path = "malformed/socket.rs"]
mod socket;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use mecum_faults::Proof;
use mecum_relay::routes;
use mecum_seal::{Hash32, sha256};
use mecum_sync::testing::Actor;
use mecum_sync::{SyncRequest, encode};
use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;

use asked::{Server, raw};
use recorded::{Frame, Recorded, record};

const PER_CHANGE: u64 = 100_000;
/// Each device may sync 50 times a second: with so many, few frames have to wait for being one too many.
const ACCOUNTS: u64 = 16;
/// How often a frame is sent again that was told to wait, and how long it waits each time. Together more than the limit that gives back
/// most slowly takes for one: 10 a minute.
const PATIENCE: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);
/// Frames before memory is measured first: what is made once is made by then.
const WARM_UP: u64 = 300;
/// The most that the server's memory may grow by. Source: the programme's row 24.
const MAX_GROWTH_KIB: i64 = 20 * 1024;
/// How often the database is looked at.
const LOOK_EVERY: u64 = 500;

/// Whether an answer to a request that is good HTTP is none that may be given: a handler that panics closes the connection, and what is
/// told to wait after every wait is not judged.
fn is_wrong(status: u16) -> bool {
    status == 0 || status == 429 || status >= 500
}

/// Everything in every table.
fn digest(server: &Server) -> Hash32 {
    let database = server.data.path().join("relay.sqlite");
    let c =
        rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut names = c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() >= 10, "the tables are there to be compared");
    let mut all = String::new();
    for name in names {
        let mut rows = c.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let mut line = String::new();
            for at in 0..columns {
                write!(line, "{:?}", row.get_ref(at).unwrap()).unwrap();
            }
            lines.push(line);
        }
        lines.sort();
        writeln!(all, "{name}:{}", lines.join("\n")).unwrap();
    }
    sha256(all.as_bytes())
}

/// Damage to the head of a request, and to what is said on an open wake socket.
fn below_http(server: &Server, recorded: &Recorded, number: u64, dice: &Dice) {
    let is_head = dice.once_in(2);
    let read = ["/v1/server", "/v1/health", "/v1/metrics", recorded.mailbox.as_str()];
    let path = if is_head && dice.once_in(2) { dice.choose(&read).unwrap() } else { "/v1/wake?1" };
    let opening = format!(
        "GET {path} HTTP/1.1\r\nhost: t\r\nx-forwarded-for: 10.200.0.{}\r\nauthorization: Bearer {}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        number % 250,
        recorded.token
    );
    let mut stream = TcpStream::connect(&server.running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    // What nobody reads is not waited for.
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    if is_head {
        let _ = stream.write_all(&mutated(opening.as_bytes(), dice));
    } else {
        let _ = stream.write_all(opening.as_bytes());
        let _ = stream.write_all(&socket::said(dice));
    }
    let _ = stream.read(&mut [0; 512]);
}

/// One frame, and the same again for as long as the answer is only that it comes too soon: each is judged for what it is. The last
/// answer, and how often it waited.
fn judged(server: &Server, number: u64, token: Option<&str>, frame: &Frame) -> (u16, u32) {
    for waited in 0..PATIENCE {
        let status = frame.say(server, number, token);
        if status != 429 {
            return (status, waited);
        }
        std::thread::sleep(PAUSE);
    }
    (429, PATIENCE)
}

#[test]
fn malformed_frames_end_nothing_change_nothing_and_cost_no_memory() {
    let proof = Proof::new(24, "recorded sessions with a field changed, to the living server", PER_CHANGE);
    let mut server = Server::start();
    let accounts: Vec<_> = (0..ACCOUNTS).map(|seed| record(&server, seed + 1)).collect();
    let before = digest(&server);
    let (mut failures, mut refused, mut waiting, mut warm) = (0, 0, 0, None);
    for (done, number) in proof.numbers().enumerate() {
        let dice = Dice::new(proof.seed() ^ (number << 20));
        // By dice: a shard has every n-th number, and by these it would have a part of the accounts alone.
        let recorded = dice.choose(&accounts).unwrap();
        if dice.once_in(10) {
            below_http(&server, recorded, number, &dice);
        } else {
            let changed = dice.choose(&recorded.frames).unwrap().changed(&dice);
            let (status, waited) = judged(&server, number + 1, Some(&recorded.token), &changed);
            refused += u64::from(status >= 400);
            waiting += u64::from(waited > 0);
            if is_wrong(status) {
                println!("case {number}: {} is answered {status}", changed.path);
                failures += 1;
            }
        }
        let done = done as u64;
        if done == WARM_UP.min(proof.share() / 2) {
            warm = Some(server.kib("VmRSS"));
        }
        if done % LOOK_EVERY == LOOK_EVERY - 1 && digest(&server) != before {
            println!("up to case {number}: the database is another");
            failures += 1;
            break;
        }
        if server.running.child.try_wait().unwrap().is_some() {
            println!("case {number}: the server ended");
            failures += 1;
            break;
        }
    }
    let (health, grown) = (server.raw(HEALTH).0, server.kib("VmRSS") - warm.unwrap_or(0));
    println!("{refused} refused, {waiting} judged after a wait; memory grew by {grown} KiB");
    failures +=
        u64::from(digest(&server) != before) + u64::from(health != 200) + u64::from(grown > MAX_GROWTH_KIB);
    proof.end(proof.share(), failures);
    assert!(refused > proof.share() / 3, "many are refused outright: {refused}");
    assert_eq!(failures, 0, "no exit, no change, no growth");
}

#[test]
fn control_a_frame_that_the_limits_keep_waiting_is_sent_again_until_it_is_judged() {
    let server = Server::start();
    let recorded = record(&server, 1);
    let wrong = recorded.frames.iter().find(|frame| frame.path == "/v1/session").unwrap();
    // A sign-in that was used, over and over from one address.
    let first_told_to_wait = (0..100).find(|_| wrong.say(&server, 1, None) == 429);
    assert!(first_told_to_wait.is_some(), "the limits of the server hold: {first_told_to_wait:?}");
    let (status, waited) = judged(&server, 1, None, wrong);
    assert_eq!(status, 401, "the frame is judged for what it is");
    assert!(waited > 0, "once its turn came");
    assert!(is_wrong(429), "and one that nobody judged is none that was refused");
}

#[test]
fn every_route_that_takes_a_body_has_a_frame_that_is_changed() {
    let server = Server::start();
    let recorded = record(&server, 1);
    for route in routes() {
        for method in route.methods.iter().filter(|method| **method != "GET") {
            let before_names = route.path.split('{').next().unwrap();
            let is_of = |frame: &Frame| frame.method == *method && frame.path.starts_with(before_names);
            assert!(recorded.frames.iter().any(is_of), "{method} {} is recorded", route.path);
        }
    }
}

const HEALTH: &[u8] = b"GET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";

#[test]
fn control_a_frame_that_is_stored_and_a_server_that_ended_are_noticed() {
    let mut server = Server::start();
    let recorded = record(&server, 1);
    let mut before = digest(&server);
    for frame in &recorded.frames {
        frame.say(&server, 1, Some(&recorded.token));
    }
    assert_eq!(digest(&server), before, "what was recorded may be said again");
    for frame in &recorded.orders {
        assert!(matches!(frame.say(&server, 1, Some(&recorded.token)), 200 | 204), "{} is taken", frame.path);
        assert_ne!(digest(&server), before, "and {} is seen", frame.path);
        before = digest(&server);
    }
    let mut other = Actor::new(1);
    let mut request = SyncRequest::pull(0, 1 << 20);
    request.space_entries.push(other.found_space(Some(server.pin)).1);
    request.space_entries.push({
        other = Actor::new(1);
        let _ = other.found_space(None);
        other.found_space(Some(server.pin)).1
    });
    server.ask(2, "/v1/sync", Some(&recorded.token), &encode(&request));
    assert_ne!(digest(&server), before, "a frame that is stored is seen");
    server.running.child.kill().unwrap();
    server.running.child.wait().unwrap();
    assert!(server.running.child.try_wait().unwrap().is_some(), "and a server that ended");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let closing = std::thread::spawn(move || {
        let (mut asked, _) = silent.accept().unwrap();
        asked.read(&mut [0; 512]).unwrap()
    });
    assert!(is_wrong(raw(&address, HEALTH).0), "and one that closes without an answer");
    assert!(closing.join().unwrap() > 0, "to what it was asked");
}
