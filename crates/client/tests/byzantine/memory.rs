//! Answers that have no end, say absurd lengths, or are packed so that they are any size once unpacked: what they cost whoever reads them.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::{DeflateEncoder, GzEncoder};
use mecum_client::remote::{Remote, RemoteError};
use mecum_client::testing::Stopped;
use mecum_faults::Proof;
use mecum_sync::controls;

use crate::ALONE;
use crate::attack::{Digest, KEY, Lie, Verdict, on};
use crate::mitm::{Call, Liar, Mitm, Reply, Way};
use crate::world::{Victim, World};

/// What the liar sends at most, and how large a packed answer is.
const AT_MOST: u64 = 192 << 20;
/// How much more memory an answer may need at its peak: the longest one in a buffer that doubles, and what is on its way.
const MAX_GROWTH_BYTES: u64 = 64 << 20;

/// How an answer is made large.
type Flood = fn(&mut Reply);

const FLOODS: [(&str, Flood); 8] = [
    ("chunks without an end", |reply| reply.way = Way::Endless { at_most: AT_MOST }),
    ("an absurd length, and bytes without an end", |reply| {
        reply.way = Way::Announced { bytes: 1 << 62, at_most: AT_MOST };
    }),
    ("a length just above what may be", |reply| {
        let bytes = mecum_sync::limits::MAX_RESPONSE_BYTES as u64 + 1;
        reply.way = Way::Announced { bytes, at_most: AT_MOST };
    }),
    ("192 MiB, packed by gzip", |reply| packed(reply, "gzip", GZIP_BOMB.clone())),
    ("192 MiB, packed by deflate", |reply| packed(reply, "deflate", DEFLATE_BOMB.clone())),
    ("what is packed twice", |reply| packed(reply, "gzip, gzip", gzip_of(&GZIP_BOMB))),
    ("chunks without an end that are said to be packed", |reply| {
        packed(reply, "br", Vec::new());
        reply.way = Way::Endless { at_most: AT_MOST };
    }),
    ("ten thousand headers", |reply| {
        reply.headers.extend((0..10_000).map(|n| (format!("x-{n}"), "a".repeat(1_000))));
    }),
];

/// The requests whose answers are made large.
const PATHS: [&str; 4] = ["/v1/sync", "/v1/challenge", "/v1/session", "/v1/server"];

fn packed(reply: &mut Reply, coding: &str, body: Vec<u8>) {
    reply.headers.push(("content-encoding".to_owned(), coding.to_owned()));
    reply.body = body;
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut pack = GzEncoder::new(Vec::new(), Compression::fast());
    pack.write_all(bytes).expect("packed");
    pack.finish().expect("packed")
}

/// Nothing, packed so that it is small.
static GZIP_BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut pack = GzEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut pack);
    pack.finish().expect("packed")
});

static DEFLATE_BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut pack = DeflateEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut pack);
    pack.finish().expect("packed")
});

fn zeros(pack: &mut impl std::io::Write) {
    let zeros = vec![0; 1 << 20];
    for _ in 0..AT_MOST >> 20 {
        pack.write_all(&zeros).expect("packed");
    }
}

/// Answers one path so.
struct Flooding {
    path: &'static str,
    flood: Flood,
}

impl Liar for Flooding {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        if call.path.starts_with(self.path) {
            (self.flood)(reply);
        }
    }
}

fn status_bytes(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// The peak of what `work` needs beside what was there before it. Source: proc(5), `clear_refs` and `VmHWM`.
async fn peak_bytes<T>(work: impl Future<Output = T>) -> (T, u64) {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak begins anew");
    let before = status_bytes("VmRSS:");
    let done = work.await;
    (done, status_bytes("VmHWM:").saturating_sub(before))
}

/// How a flood at a path ended, what it cost, and the vault before and after.
struct Flooded {
    outcome: Result<(), Stopped>,
    bytes: u64,
    vault: (Digest, Digest),
    heals: bool,
}

async fn flooded(world: &World, number: usize, path: &'static str, flood: Flood) -> Flooded {
    let (server, _) = world.server(Victim::Tablet, number).await;
    let mitm = Mitm::start(server.address).await;
    let mut victim = world.victim(&on("", Lie::None, Verdict::PassedOver), number, &mitm.url);
    let before = victim.session.digest_for_tests(KEY).expect("reads");
    mitm.arm(Some(Arc::new(Flooding { path, flood })));
    let (outcome, bytes) = if path == "/v1/server" {
        let (asked, bytes) = peak_bytes(Remote::server_info(&mitm.url)).await;
        (asked.map(drop).map_err(Stopped::Remote), bytes)
    } else {
        peak_bytes(victim.exchange(|_, _| {})).await
    };
    let after = victim.session.digest_for_tests(KEY).expect("reads");
    mitm.arm(None);
    let heals = victim.exchange(|_, _| {}).await.is_ok();
    server.stop().await;
    Flooded { outcome, bytes, vault: (before, after), heals }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_an_end_or_packed_is_left_and_costs_no_memory() {
    let _alone = ALONE.lock().await;
    let proof = Proof::new(30, "answers without an end, of absurd lengths, or packed: their memory", 99_999);
    let world = Box::pin(World::new(proof.seed() % 10_000)).await;
    println!("bombs of {} and {} KiB", GZIP_BOMB.len() >> 10, DEFLATE_BOMB.len() >> 10);
    let (mut cases, mut failures) = (0, Vec::new());
    for path in PATHS {
        for (name, flood) in FLOODS {
            cases += 1;
            let seen = flooded(&world, 20_000 + cases, path, flood).await;
            println!("{path}: {name}: {:?}, {} KiB", seen.outcome, seen.bytes >> 10);
            // What HTTP itself has no room for is as good as no answer.
            let typed =
                matches!(seen.outcome, Err(Stopped::Remote(RemoteError::BadAnswer | RemoteError::Offline)));
            let same = seen.vault.0 == seen.vault.1;
            if !typed || !same || !seen.heals || seen.bytes > MAX_GROWTH_BYTES {
                failures.push(format!("{path}: {name}: {:?}, {}, {same}", seen.outcome, seen.bytes));
            }
        }
    }
    proof.end(cases as u64, failures.len() as u64);
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_client_that_reads_to_the_end_or_unpacks_is_found_out() {
    let _alone = ALONE.lock().await;
    let world = Box::pin(World::new(5)).await;
    let (_, endless) = FLOODS[0];
    let seen = {
        let _out = controls::take_out(&["answer-length", "answer-size"]);
        flooded(&world, 30_000, "/v1/sync", endless).await
    };
    assert!(seen.bytes > MAX_GROWTH_BYTES, "whoever reads to the end is seen: {}", seen.bytes);
    let bomb = GZIP_BOMB.as_slice();
    assert!(bomb.len() < 4 << 20, "a bomb is small: {}", bomb.len());
    let unpack = async {
        let mut all = Vec::new();
        GzDecoder::new(bomb).read_to_end(&mut all).map(|_| all.len())
    };
    let (unpacked, bytes) = peak_bytes(unpack).await;
    assert_eq!(unpacked.expect("it unpacks") as u64, AT_MOST, "it is what it says");
    assert!(bytes > MAX_GROWTH_BYTES, "and whoever unpacks: {bytes}");
}
