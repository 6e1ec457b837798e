//! Bombs from a member's device (PROOF 25): sealed and signed as they must be, small on the way, and vast or deep inside. Through
//! the same way as everything else that is received, each is put aside in less than a second and 200 MB, and other documents
//! go on as if nothing had come. Each runs in a process of its own whose memory is limited, should a guard fail.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::{Read, Write};
use std::process::Command;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_documents::{ChunkError, DecodeError, Payload};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_testkit::FakeRelay;
use mecum_vault::Location;

const MAX_CPU_MS: u64 = 1_000;
const MAX_BYTES: u64 = 200 << 20;
/// Of the child's whole address space, threads and libraries included.
const LIMIT_BYTES: u64 = 2 << 30;
/// Which bomb a child is to take.
const CHILD: &str = "MECUM_BOMB";
/// As the client has it.
const MAX_INFLATED_BYTES: u64 = 40 << 20;
/// The form byte of a body that is deflated.
const DEFLATED: u8 = 1;

type Make = fn() -> Vec<u8>;

/// `times` blocks of the same bytes, deflated: the block is deflated once.
fn deflated(block: &[u8], times: usize) -> Vec<u8> {
    let mut one = DeflateEncoder::new(Vec::new(), Compression::new(9));
    one.write_all(block).unwrap();
    // A full block that ends at a byte, and does not end the stream.
    one.flush().unwrap();
    let flushed = one.get_ref().clone();
    let mut out = vec![DEFLATED];
    for _ in 0..times {
        out.extend(&flushed);
    }
    // An empty last block (RFC 1951, section 3.2.4).
    out.extend([0x01, 0x00, 0x00, 0xff, 0xff]);
    out
}

fn pressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(vec![DEFLATED], Compression::new(6));
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn mib(times: usize) -> Vec<u8> {
    deflated(&vec![0; 1 << 20], times)
}

fn uleb(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        out.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// A change chunk around a body, with its true checksum. Source: the Automerge binary format, "Chunks".
fn chunk(body: &[u8]) -> Vec<u8> {
    let mut rest = vec![1];
    uleb(body.len() as u64, &mut rest);
    rest.extend(body);
    let sum = mecum_seal::sha256(&rest);
    [&[0x85, 0x6f, 0x4a, 0x83], &sum.as_bytes()[..4], &rest].concat()
}

/// A payload in its layout, about a change.
fn payload(change: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut e = minicbor::Encoder::new(&mut bytes);
    e.array(5).unwrap().u8(1).unwrap().bytes(change).unwrap().i64(1_788_854_400_000).unwrap();
    e.array(1).unwrap().bytes(&[7; 16]).unwrap();
    e.array(1).unwrap().array(3).unwrap().u8(2).unwrap().u64(0).unwrap().u8(3).unwrap();
    pressed(&bytes)
}

/// Puts of null to one key at the root, as many as `run` says: each column is one run.
fn operations() -> Vec<u8> {
    let mut run = Vec::new();
    // Ten million, as a signed number.
    let mut count = 10_000_000_u64;
    while count >= 0x40 {
        run.push(u8::try_from(count & 0x7f).unwrap() | 0x80);
        count >>= 7;
    }
    run.push(u8::try_from(count).unwrap());
    let mut body = vec![0, 16];
    body.extend([1; 16]);
    body.extend([1, 1, 0, 0, 0]);
    let columns = [
        (0x15, [&run[..], &[1, b'k']].concat()),
        (0x34, run.clone()),
        (0x42, [&run[..], &[1]].concat()),
        (0x56, [&run[..], &[0]].concat()),
    ];
    body.push(4);
    for (spec, data) in &columns {
        body.extend([*spec, u8::try_from(data.len()).unwrap()]);
    }
    for (_, data) in &columns {
        body.extend(data);
    }
    payload(&chunk(&body))
}

fn dependencies() -> Vec<u8> {
    let mut body = Vec::new();
    uleb(1_000_000, &mut body);
    body.extend(vec![5; 32 * 1_000_000]);
    body.push(16);
    body.extend([1; 16]);
    body.extend([1, 1, 0, 0, 0, 0]);
    payload(&chunk(&body))
}

fn actors() -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend([1; 16]);
    body.extend([1, 1, 0, 0]);
    uleb(1_000_000, &mut body);
    for n in 0..1_000_000_u32 {
        body.push(16);
        body.extend([n.to_be_bytes(), [0; 4], [0; 4], [0; 4]].concat());
    }
    body.push(0);
    payload(&chunk(&body))
}

/// A column that says that it is deflated.
fn deflated_column() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(&vec![0; 16 << 20]).unwrap();
    let data = encoder.finish().unwrap();
    let mut body = vec![0, 16];
    body.extend([1; 16]);
    body.extend([1, 1, 0, 0, 0]);
    body.extend([1, 0x34 | 8]);
    uleb(data.len() as u64, &mut body);
    body.extend(data);
    payload(&chunk(&body))
}

fn deep() -> Vec<u8> {
    pressed(&[vec![0x81; 10_000], vec![0]].concat())
}

fn wide() -> Vec<u8> {
    pressed(&[0x9a, 0xff, 0xff, 0xff, 0xff])
}

/// What stops a bomb.
#[derive(Debug, PartialEq, Eq)]
enum Guard {
    /// It is inflated so far and no further.
    Inflating,
    /// It is no payload, or not one that is read on.
    Payload(DecodeError),
}

const MALFORMED: Guard = Guard::Payload(DecodeError::Malformed);

const fn chunk_guard(error: ChunkError) -> Guard {
    Guard::Payload(DecodeError::Chunk(error))
}

const BOMBS: &[(&str, Make, Guard)] = &[
    ("1 MiB of nothing", || mib(1), MALFORMED),
    ("16 MiB of nothing", || mib(16), MALFORMED),
    ("64 MiB of nothing", || mib(64), Guard::Inflating),
    ("256 MiB of nothing", || mib(256), Guard::Inflating),
    ("1 GiB of nothing", || mib(1_024), Guard::Inflating),
    ("a text of 100 MB", || deflated("aku ".repeat(1 << 18).as_bytes(), 100), Guard::Inflating),
    ("a change of 10,000,000 operations", operations, chunk_guard(ChunkError::TooManyOperations)),
    ("a change with 1,000,000 dependencies", dependencies, chunk_guard(ChunkError::TooLarge)),
    ("a change of 1,000,000 actors", actors, chunk_guard(ChunkError::TooLarge)),
    ("a deflated column", deflated_column, chunk_guard(ChunkError::Compressed)),
    ("lists within lists, 10,000 deep", deep, MALFORMED),
    ("a list that says it has four thousand million items", wide, MALFORMED),
];

/// What stops these bytes, by the same rules and limits as in the client; none if nothing does.
fn stopped_by(plaintext: &[u8]) -> Option<Guard> {
    let mut body = Vec::new();
    let mut read = flate2::read::DeflateDecoder::new(&plaintext[1..]).take(MAX_INFLATED_BYTES + 1);
    let inflated = read.read_to_end(&mut body);
    if inflated.is_err() || body.len() as u64 > MAX_INFLATED_BYTES {
        return Some(Guard::Inflating);
    }
    Payload::decode(&body).err().map(Guard::Payload)
}

struct Scene {
    relay: FakeRelay,
    phone: Session,
    laptop: Session,
    tablet: Session,
    chart: ChartId,
    medicine: ItemKey,
}

fn settle(relay: &mut FakeRelay, session: &mut Session) {
    loop {
        let request = session.request().unwrap();
        let response = relay.answer(session.installation(), &request, 50);
        if !session.accept(&request, &response).unwrap().more {
            return;
        }
    }
}

impl Scene {
    fn new() -> Scene {
        let mut relay = FakeRelay::new([9; 32]);
        let mut phone = first_device(&Location::Memory, surroundings(1));
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Ratna", None, Relation::Mother, None).unwrap();
        let mut laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(2));
        let mut tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(3));
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.add(chart, Kind::MedicationStatement, fields).unwrap();
        for _ in 0..3 {
            for session in [&mut phone, &mut laptop, &mut tablet] {
                settle(&mut relay, session);
            }
        }
        Scene { relay, phone, laptop, tablet, chart, medicine }
    }
}

/// A number of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) << 10
}

/// Time that this thread had the processor, so that a busy machine does not count.
fn cpu_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0) / 1_000_000
}

/// In the child: takes one bomb. Prints what it cost.
fn take(bomb: &str) {
    let (_, make, guard) = BOMBS.iter().find(|(name, ..)| *name == bomb).expect("a bomb");
    let mut scene = Scene::new();
    let plaintext = make();
    scene.laptop.seal_for_tests(scene.chart, scene.medicine, &plaintext).expect("small enough to seal");
    assert_eq!(stopped_by(&plaintext).as_ref(), Some(guard), "it gets as far as it is meant to");
    drop(plaintext);
    settle(&mut scene.relay, &mut scene.laptop);
    let before = scene.tablet.fingerprint().unwrap();
    let request = scene.tablet.request().unwrap();
    let response = scene.relay.answer(scene.tablet.installation(), &request, 100);
    // The highest mark is set back to what is in use now (proc(5), clear_refs).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (resident, began) = (status("VmRSS"), cpu_ms());
    scene.tablet.accept(&request, &response).expect("a bomb stops no exchange");
    let (took, grown) = (cpu_ms() - began, status("VmHWM").saturating_sub(resident));
    assert_eq!(scene.tablet.quarantined(), 1, "it is put aside, and counted");
    let rows = scene.tablet.digest_for_tests(&[1; 32]).unwrap();
    assert!(
        rows.keys().any(|row| row.starts_with("Quarantine envelope/")),
        "as an envelope that cannot be read"
    );
    assert_eq!(scene.tablet.fingerprint().unwrap(), before, "and nothing of it is shown");
    let words = vec![(Field::Text, "slept well".to_owned())];
    let note = scene.phone.add(scene.chart, Kind::Note, words).unwrap();
    scene.phone.set(scene.chart, scene.medicine, vec![(Field::Dose, Some("2.5".to_owned()))]).unwrap();
    settle(&mut scene.relay, &mut scene.phone);
    settle(&mut scene.relay, &mut scene.tablet);
    assert!(scene.tablet.entry(scene.chart, note).unwrap().is_some(), "other documents go on");
    let shown = scene.tablet.fingerprint().unwrap();
    assert!(shown.values().any(|text| text.contains("\"2.5\"")), "and so does its own");
    println!("bomb: {took} {grown}");
}

/// Runs the child of the test `name` with this bomb. What it cost, or why that is not known or too much.
fn child(name: &str, bomb: &str) -> Result<(u64, u64), String> {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new("prlimit");
    child.arg(format!("--as={LIMIT_BYTES}")).arg(program);
    let run = child.args(["--exact", name, "--nocapture"]).env(CHILD, bomb).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let cost: Vec<u64> = said
        .lines()
        .find_map(|line| line.split_once("bomb: "))
        .map(|(_, cost)| cost.split(' ').filter_map(|n| n.parse().ok()).collect())
        .unwrap_or_default();
    match *cost.as_slice() {
        [took, _] if run.status.success() && took > MAX_CPU_MS => Err(format!("{bomb}: {took} ms")),
        [_, grown] if run.status.success() && grown > MAX_BYTES => Err(format!("{bomb}: {grown} bytes")),
        [took, grown] if run.status.success() => Ok((took, grown)),
        _ => Err(format!("{bomb}: ended; {said} {}", String::from_utf8_lossy(&run.stderr))),
    }
}

const NAME: &str = "a_bomb_is_put_aside_at_once_and_touches_nothing_else";

#[test]
fn a_bomb_is_put_aside_at_once_and_touches_nothing_else() {
    if let Ok(bomb) = std::env::var(CHILD) {
        return take(&bomb);
    }
    let proof = Proof::new(25, "bombs from a member's device, in a process of limited memory", 99_999);
    let mut failures = Vec::new();
    for (bomb, ..) in BOMBS {
        match child(NAME, bomb) {
            Ok((took, grown)) => println!("{bomb}: {took} ms, {} KiB", grown >> 10),
            Err(why) => failures.push(why),
        }
    }
    proof.end(BOMBS.len() as u64, failures.len() as u64);
    assert!(failures.is_empty(), "{failures:#?}");
}

/// In the control's child: what a client without one of its guards would do with the same bytes.
fn take_without(guard: &str) {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (resident, began) = (status("VmRSS"), cpu_ms());
    let mut held = Vec::new();
    let inflate = |times, into: &mut dyn Write| {
        let bomb = mib(times);
        std::io::copy(&mut flate2::read::DeflateDecoder::new(&bomb[1..]), into).unwrap()
    };
    match guard {
        "memory" => drop(inflate(256, &mut held)),
        "limit" => drop(inflate(4_096, &mut held)),
        "time" => {
            while cpu_ms() - began <= MAX_CPU_MS {
                inflate(1_024, &mut std::io::sink());
            }
        }
        _ => drop(inflate(16, &mut held)),
    }
    let (took, grown) = (cpu_ms() - began, status("VmHWM").saturating_sub(resident));
    println!("bomb: {took} {grown}");
}

const CONTROL: &str = "control_a_guard_that_is_missing_or_slow_is_noticed";

#[test]
fn control_a_guard_that_is_missing_or_slow_is_noticed() {
    if let Ok(guard) = std::env::var(CHILD) {
        return take_without(&guard);
    }
    child(CONTROL, "none").expect("16 MiB may be inflated");
    let wrong = ["memory", "limit", "time"].map(|guard| child(CONTROL, guard).expect_err("it is noticed"));
    println!("{wrong:?}");
    assert!(wrong[0].ends_with(" bytes"), "inflated without a limit, it takes too much memory: {}", wrong[0]);
    assert!(wrong[1].starts_with("limit: ended"), "or ends the process: {}", wrong[1]);
    assert!(wrong[2].ends_with(" ms"), "or too much time: {}", wrong[2]);
}
