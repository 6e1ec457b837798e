//! Requests without an end, and packed ones, to the living server process: each is refused by a status of its own soon after it is
//! more than the server takes, and none costs it memory. Source: the programme's row 47.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/server.rs"]
mod server;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use mecum_faults::Proof;
use mecum_sync::limits::MAX_REQUEST_BYTES;

use asked::{Server, enrolled, head, kib};

/// Requests, every flood as often as the others.
const PER_CHANGE: u64 = 280;
/// How soon a refusal comes once there is more than is taken. Source: the programme's row 47.
const SOON: Duration = Duration::from_millis(100);
/// The most that the server's memory may grow by. Source: the programme's row 47.
const MAX_GROWTH_KIB: i64 = 20 * 1024;
/// How long a flood goes on at the most.
const PATIENCE: Duration = Duration::from_secs(5);
const HEADERS: usize = 1_000_000;
/// What is packed: a mebibyte of it for a stranger (about 1 KiB packed), a gibibyte for who is signed in (about 1 MiB).
const MIB: usize = 1 << 20;
/// Refusals of what is too large, malformed, or more than a head may be. Not "too often" (429): that would be another limit.
const REFUSALS: [u16; 5] = [400, 411, 413, 414, 431];

/// What is sent after the head, piece by piece.
type Body = Box<dyn Iterator<Item = Vec<u8>>>;

struct Flood {
    name: &'static str,
    /// Whether a token is sent with it: then more is taken before it is too much.
    signed_in: bool,
    /// From how many bytes of body on it is more than the server takes.
    too_much: usize,
    begin: fn(head: String) -> String,
    body: fn() -> Body,
}

fn endless(piece: Vec<u8>) -> Body {
    Box::new(std::iter::repeat(piece))
}

fn chunked(head: String) -> String {
    head + "transfer-encoding: chunked\r\n\r\n"
}

fn packed(head: String) -> String {
    head + "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// So many MiB of nothing, packed.
fn bomb(mebibytes: usize) -> Vec<u8> {
    static ONE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut one = GzEncoder::new(Vec::new(), Compression::best());
        one.write_all(&vec![0; MIB]).unwrap();
        one.finish().unwrap()
    });
    // Several packed files after each other are one. Source: RFC 1952 section 2.2.
    ONE.repeat(mebibytes)
}

fn bomb_body(mebibytes: usize) -> Body {
    Box::new([chunk(&bomb(mebibytes)), b"0\r\n\r\n".to_vec()].into_iter())
}

fn floods() -> Vec<Flood> {
    let stranger = |name, begin, body| Flood { name, signed_in: false, too_much: 0, begin, body };
    let of_kind = |name, begin, body| Flood { signed_in: true, ..stranger(name, begin, body) };
    vec![
        stranger(
            "a claimed size",
            |head| head + "content-length: 99999999999\r\n\r\n",
            || endless(vec![0; 1 << 14]),
        ),
        stranger("chunks for ever", chunked, || endless(chunk(&[0; 1 << 14]))),
        stranger(
            "one chunk for ever",
            |head| chunked(head) + "fffffffffffffff\r\n",
            || endless(vec![0; 1 << 14]),
        ),
        stranger(
            "a chunk's extension for ever",
            |head| chunked(head) + "1;",
            || endless(vec![b'a'; 1 << 14]),
        ),
        stranger("trailers for ever", |head| chunked(head) + "0\r\n", || endless(b"x: a\r\n".repeat(1_000))),
        stranger(
            "a million headers",
            |head| head,
            || {
                Box::new(
                    (0..HEADERS / 100)
                        .map(|n| (0..100).flat_map(|m| format!("x-{n}-{m}: a\r\n").into_bytes()).collect()),
                )
            },
        ),
        stranger("a header for ever", |head| head + "x: ", || endless(vec![b'a'; 1 << 14])),
        stranger("a path for ever", |_| "POST /".to_owned(), || endless(vec![b'a'; 1 << 14])),
        stranger("a mebibyte, packed", packed, || bomb_body(1)),
        stranger("a gibibyte, packed", packed, || bomb_body(1 << 10)),
        stranger(
            "a transfer that is packed",
            |head| head + "transfer-encoding: gzip, chunked\r\n\r\n",
            || bomb_body(1),
        ),
        of_kind(
            "a claimed size, signed in",
            |head| head + "content-length: 99999999999\r\n\r\n",
            || endless(vec![0; 1 << 14]),
        ),
        Flood {
            too_much: MAX_REQUEST_BYTES,
            ..of_kind("chunks for ever, signed in", chunked, || endless(chunk(&[0; 1 << 16])))
        },
        of_kind("a gibibyte, packed, signed in", packed, || bomb_body(1 << 10)),
    ]
}

/// What became of one.
struct Met {
    /// 0 if there was no answer.
    status: u16,
    sent: usize,
    /// From when it was too much until the answer.
    after: Duration,
}

/// Sends until there is an answer, or the server closes, or for as long as the patience is.
fn meet(address: &str, begun: &str, flood: &Flood) -> Met {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let (mut reading, answered) = (stream.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
    reading.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = Arc::clone(&answered);
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let mut part = [0; 1_024];
        while let Ok(read @ 1..) = reading.read(&mut part) {
            answer.extend_from_slice(&part[..read]);
            if answer.windows(4).any(|four| four == b"\r\n\r\n") {
                break;
            }
        }
        let at = Instant::now();
        told.store(true, Ordering::SeqCst);
        let status = String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|text| text.parse().ok());
        (status.unwrap_or(0), at)
    });
    let body = (flood.body)();
    let (began, mut sent) = (Instant::now(), 0);
    let mut too_much = began;
    let _ = stream.write_all(begun.as_bytes());
    'sending: for piece in body {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            if answered.load(Ordering::SeqCst) || began.elapsed() > PATIENCE {
                break 'sending;
            }
            match stream.write(rest) {
                Ok(written) => {
                    if sent <= flood.too_much {
                        too_much = Instant::now();
                    }
                    sent += written;
                    rest = &rest[written..];
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break 'sending,
            }
        }
    }
    let (status, at) = reader.join().unwrap();
    // A small one is sent at once: then it is all there is, and the answer may come while it is still being sent.
    let since = if flood.too_much == 0 { began } else { too_much };
    Met { status, sent, after: at.saturating_duration_since(since) }
}

/// What is wrong with how it was met. In time only where it runs alone: beside other tests nothing is as quick.
fn wrong(met: &Met, in_time: bool) -> Option<String> {
    if !REFUSALS.contains(&met.status) {
        return Some(format!("answered {}", met.status));
    }
    (in_time && met.after > SOON).then(|| format!("refused after {:?}", met.after))
}

#[test]
fn whatever_has_no_end_or_is_packed_is_refused_soon_and_costs_no_memory() {
    let what = "requests without an end, and packed ones, to the living server";
    let proof = Proof::new(47, what, PER_CHANGE);
    let in_time = proof.is_alone() && proof.cases() >= PER_CHANGE;
    let server = Server::start();
    let (_, token) = enrolled(&server, 1);
    let (mut cases, mut failures, mut number) = (0, 0, 0);
    let (mut resident, mut most) = (0, 0);
    for round in 0..=proof.cases().div_ceil(floods().len() as u64) {
        for flood in floods() {
            number += 1;
            let path = if flood.signed_in { "/v1/sync" } else { "/v1/session" };
            let head = head(number, path, flood.signed_in.then_some(token.as_str()));
            let met = meet(&server.running.address, &(flood.begin)(head), &flood);
            // In the first round everything is made that is made once.
            if round == 0 {
                println!("{}: {} after {:?}, {} bytes sent", flood.name, met.status, met.after, met.sent);
            } else {
                cases += 1;
            }
            if let Some(why) = wrong(&met, in_time && round > 0) {
                println!("round {round}: {}: {why}", flood.name);
                failures += 1;
            }
            // From a source of its own, as every flood: one that asks so often would be told to wait.
            let health = server.ask_by("GET", number, "/v1/health", None, &[]).0;
            if health != 200 {
                println!("round {round}: {}: another is answered {health}", flood.name);
                failures += 1;
            }
        }
        if round == 0 {
            (resident, most) = (server.kib("VmRSS"), server.kib("VmHWM"));
        }
    }
    let (grown, peak) = (server.kib("VmRSS") - resident, server.kib("VmHWM") - most);
    println!("memory grew by {grown} KiB, at its most by {peak} KiB, from {resident} KiB");
    failures += u64::from(grown > MAX_GROWTH_KIB);
    proof.end(cases, failures);
    assert_eq!(failures, 0, "each is refused, the others are served, and memory stays");
}

/// Bytes that the server without a limit keeps of one request at the most: this machine's memory has one.
const KEPT: usize = 64 * MIB;

/// A server without a limit: it reads what comes, unpacks it and keeps it.
fn keep_everything(stream: &TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) && line != b"\r\n" {
        lines.push(std::mem::take(&mut line));
    }
    let mut body = Vec::new();
    let mut size = String::new();
    while matches!(reader.read_line(&mut size), Ok(1..)) {
        let length = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        size.clear();
        let from = body.len();
        let _ = (&mut reader).take(length as u64).read_to_end(&mut body);
        if length == 0 || body.len() < from + length || body.len() > KEPT {
            break;
        }
        let _ = reader.read_line(&mut size);
        size.clear();
    }
    let mut unpacked = Vec::new();
    // The first part of several is enough to see it.
    let _ = GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked);
    kept.lock().unwrap().extend([lines.concat(), body, unpacked]);
    let mut stream = stream;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

#[test]
fn control_a_server_that_keeps_whatever_comes_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&kept);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            keep_everything(&stream, &keeping);
        }
    });
    let before = kib(std::process::id(), "VmRSS");
    for flood in
        floods().iter().filter(|flood| ["chunks for ever", "a mebibyte, packed"].contains(&flood.name))
    {
        let met = meet(&address, &(flood.begin)(head(1, "/v1/session", None)), flood);
        println!("{}: {} after {:?}, {} bytes sent", flood.name, met.status, met.after, met.sent);
        assert!(wrong(&met, false).is_some(), "{}: it is not refused", flood.name);
    }
    let grown = kib(std::process::id(), "VmRSS") - before;
    println!("memory grew by {grown} KiB");
    assert!(grown > MAX_GROWTH_KIB, "what it keeps is seen: {grown} KiB");
    let late = Met { status: 413, sent: 0, after: SOON * 2 };
    assert!(
        wrong(&late, true).is_some() && wrong(&late, false).is_none(),
        "a late refusal is one where time is judged"
    );
}
