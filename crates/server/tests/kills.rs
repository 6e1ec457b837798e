//! What the server acknowledged is there after any kill, and a retry of what it did not acknowledge is harmless.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mecum_faults::Proof;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Entropy, VerifyingKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    Challenge, EnrolRequest, Follower, Item, Push, SessionGrant, SignIn, Signed, SyncRequest, SyncResponse,
    decode, encode,
};

use server::{Running, enrolment_code};

const SEED: u64 = 7;
const KILLS: u64 = 2_000;

/// One request; none if the server was killed meanwhile.
fn ask(address: &str, path: &str, token: Option<&str>, body: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{token}content-length: {length}\r\n\r\n"
    )
    .ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path} is accepted: {}",
        String::from_utf8_lossy(&answer[..end])
    );
    Some(answer.split_off(end + 4))
}

fn sign_in(address: &str, actor: &Actor) -> String {
    let challenge = ask(address, "/v1/challenge", None, &[]).unwrap();
    let Challenge { nonce, server_time_ms, server } = decode(&challenge, 1_000).unwrap();
    let Actor { account, device, incarnation, .. } = *actor;
    let reply = SignIn { server, nonce, server_time_ms, account, device, incarnation };
    let grant = ask(address, "/v1/session", None, &encode(&Signed::sign(reply, &actor.signing))).unwrap();
    decode::<SessionGrant>(&grant, 1_000).unwrap().token.to_hex()
}

/// Acknowledged pushes, and how many the server still has, after `kills` kills. With `put_back` the server's files are
/// replaced by those from before the first kill at the end.
fn kill_repeatedly(seed: u64, kills: u64, put_back: bool) -> (u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let entropy = SeededEntropy::new(seed);
    let mut actor = Actor::new(seed);
    let mut server = Running::start(dir.path());
    let pin: VerifyingKey = server.pin.parse().unwrap();
    let code = enrolment_code(dir.path());
    let genesis = actor.account_genesis();
    let enrolment = EnrolRequest { version: 1, code, genesis: genesis.clone() };
    ask(&server.address, "/v1/enrol", None, &encode(&enrolment)).unwrap();
    let token = sign_in(&server.address, &actor);
    let (space, entry) = actor.found_space(Some(pin));
    let mut request = SyncRequest::pull(0, 1 << 20);
    request.space_entries.push(entry);
    ask(&server.address, "/v1/sync", Some(&token), &encode(&request)).unwrap();

    let kept = put_back.then(|| stopped_copy(&mut server, dir.path()));
    if put_back {
        server = Running::start(dir.path());
    }
    let mut acknowledged = 0u64;
    let mut waiting: Option<Push> = None;
    for _ in 0..kills {
        let token = sign_in(&server.address, &actor);
        let mut dice = [0u8; 1];
        entropy.fill(&mut dice);
        let pid = server.child.id().to_string();
        let after = Duration::from_millis(u64::from(dice[0]) / 2);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(after);
            assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success(), "killed");
        });
        loop {
            let push = waiting.take().unwrap_or_else(|| actor.push(space, &["edit"], vec![]));
            let mut request = SyncRequest::pull(0, 1);
            request.pushes.push(push.clone());
            let Some(answer) = ask(&server.address, "/v1/sync", Some(&token), &encode(&request)) else {
                waiting = Some(push);
                break;
            };
            let response: SyncResponse = decode(&answer, 1 << 24).unwrap();
            assert_eq!(response.push_outcomes[0].refusal(), None, "a push or its retry is accepted");
            acknowledged = push.statement.unverified().envelope_seq;
        }
        killer.join().unwrap();
        server.child.wait().unwrap();
        server = Running::start(dir.path());
    }
    if let Some(kept) = kept {
        server.kill();
        restore(kept.path(), dir.path());
        server = Running::start(dir.path());
    }
    let token = sign_in(&server.address, &actor);
    let mut follower = Follower::found(&genesis, actor.incarnation, Some(pin)).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut stored = 0;
    loop {
        assert!(Instant::now() < deadline, "pulling ends");
        let request = SyncRequest::pull(follower.cursor(), 1 << 22);
        let answer = ask(&server.address, "/v1/sync", Some(&token), &encode(&request)).unwrap();
        let response: SyncResponse = decode(&answer, 1 << 24).unwrap();
        for item in &response.items {
            follower.accept(item).expect("the order has no gap after any kill");
            stored += if let Item::Own { count, .. } = item { *count } else { 0 };
        }
        follower.advance(response.cursor);
        if !response.more {
            break;
        }
    }
    server.kill();
    println!("{acknowledged} acknowledged, {stored} stored");
    (acknowledged, stored)
}

/// A copy of a server's files, taken while it is stopped.
fn stopped_copy(server: &mut Running, dir: &Path) -> tempfile::TempDir {
    server.kill();
    let copy = tempfile::tempdir().unwrap();
    restore(dir, copy.path());
    copy
}

/// Replaces the files of one folder by those of another.
fn restore(from: &Path, to: &Path) {
    for old in std::fs::read_dir(to).unwrap() {
        std::fs::remove_file(old.unwrap().path()).unwrap();
    }
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn no_acknowledged_push_is_lost_by_a_kill() {
    let proof = Proof::new(7, "SIGKILL of the server while it takes pushes (SQLite)", KILLS);
    let kills = proof.share();
    let (acknowledged, stored) = kill_repeatedly(SEED ^ proof.begins(), kills, false);
    proof.end(kills, acknowledged.saturating_sub(stored));
    assert!(acknowledged >= kills, "the kills came in the middle of work");
    assert!(stored >= acknowledged, "{acknowledged} were acknowledged, {stored} are there");
    assert!(stored <= acknowledged + 1, "and at most the one that was under way besides");
}

#[test]
fn control_a_server_put_back_to_an_older_state_is_seen_to_lose() {
    let (acknowledged, stored) = kill_repeatedly(SEED, 3, true);
    println!("{acknowledged} acknowledged, {stored} there after the older files were put back");
    assert!(stored < acknowledged, "the harness sees what is lost");
}
