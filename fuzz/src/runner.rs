//! Runs a target for a time: changes what it knows, hands it over, and judges what became of it.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mecum_testkit::Dice;
use mecum_testkit::mutate::{mutated, mutated_json};

use crate::{Shape, Target};

/// Most inputs that are gone on from.
const MAX_KNOWN: usize = 400;
/// Larger inputs are not gone on from: they only make everything slower.
const MAX_INPUT_BYTES: usize = 64 * 1024;
/// Inputs that are changed several times over before they are handed over: one in so many.
const DEEP: u64 = 3;

/// What an input may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Longest time for one input. Source: the programme's row 23.
    pub time: Duration,
    /// The most that the process may have resident while a target runs, in KiB. Other tests beside it count too.
    pub peak_kib: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_secs(5), peak_kib: 512 * 1024 }
    }
}

/// What became of a run.
#[derive(Debug)]
pub enum Verdict {
    /// So many inputs, and nothing wrong.
    Fine {
        /// How many were handed over.
        inputs: u64,
        /// How many of them were taken.
        taken: u64,
    },
    /// The target panicked on this.
    Panicked(Vec<u8>),
    /// This took too long.
    Slow(Vec<u8>),
    /// The process grew beyond its bound on this, or shortly before.
    Large(Vec<u8>),
}

/// Ends the process if one input takes more than twice as long as it may: a parser that never returns cannot be judged otherwise.
struct Watchdog {
    began_ms: Arc<AtomicU64>,
    input: Arc<Mutex<Vec<u8>>>,
    over: Arc<AtomicBool>,
    started: Instant,
}

impl Watchdog {
    fn start(name: &'static str, bounds: Bounds) -> Self {
        let (began_ms, over) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicBool::new(false)));
        let input = Arc::new(Mutex::new(Vec::new()));
        let started = Instant::now();
        let (began, ended, current) = (Arc::clone(&began_ms), Arc::clone(&over), Arc::clone(&input));
        std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(100));
                let passed = millis(started.elapsed()).saturating_sub(began.load(Ordering::SeqCst));
                if u128::from(passed) > 2 * bounds.time.as_millis() + 1_000 {
                    let bytes = current.lock().unwrap_or_else(PoisonError::into_inner);
                    println!("{name} does not return from {}", hex(&bytes));
                    std::process::exit(101);
                }
            }
        });
        Self { began_ms, input, over, started }
    }

    fn begin(&self, bytes: &[u8]) {
        bytes.clone_into(&mut self.input.lock().unwrap_or_else(PoisonError::into_inner));
        self.began_ms.store(millis(self.started.elapsed()), Ordering::SeqCst);
    }

    fn end(&self) {
        self.began_ms.store(u64::MAX, Ordering::SeqCst);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(4_096).fold(String::new(), |mut hex, byte| {
        // A string takes anything.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Begins to measure the peak anew. Source: proc(5), `clear_refs`.
fn forget_peak() {
    // Where nobody measures, nothing is forgotten either.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most that this process had resident since, in KiB; 0 where nobody says.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Runs a target for `time` from a seed, over its corpus and what was `kept`. The same seed gives the same inputs in the same
/// order; how far it comes is a matter of time.
pub fn run(target: &Target, kept: &[Vec<u8>], (seed, time): (u64, Duration), bounds: Bounds) -> Verdict {
    forget_peak();
    let dice = Dice::new(seed);
    let watchdog = Watchdog::start(target.name, bounds);
    let mut known = (target.corpus)();
    known.extend(kept.iter().cloned());
    known.push(Vec::new());
    let (began, first) = (Instant::now(), known.len());
    let (mut inputs, mut taken) = (0_u64, 0);
    while inputs < first as u64 || began.elapsed() < time {
        let at = usize::try_from(inputs).unwrap_or(usize::MAX);
        // What is known goes first, as it is.
        let input = match known.get(at).filter(|_| at < first) {
            Some(known) => known.clone(),
            None => changed(target.shape, &known, &dice),
        };
        inputs += 1;
        watchdog.begin(&input);
        let one = Instant::now();
        let Ok(was_taken) = catch_unwind(AssertUnwindSafe(|| (target.read)(&input))) else {
            return Verdict::Panicked(input);
        };
        watchdog.end();
        if one.elapsed() > bounds.time {
            return Verdict::Slow(input);
        }
        // What takes memory takes time.
        let look = inputs.is_multiple_of(64) || one.elapsed() > Duration::from_millis(10);
        if look && peak_kib() > bounds.peak_kib {
            return Verdict::Large(input);
        }
        if was_taken {
            taken += 1;
            if at >= first && input.len() <= MAX_INPUT_BYTES && dice.once_in(4) {
                let place = usize::try_from(dice.below(MAX_KNOWN as u64)).unwrap_or(0);
                if known.len() < MAX_KNOWN {
                    known.push(input);
                } else if let Some(other) = known.get_mut(place).filter(|_| place >= first) {
                    *other = input;
                }
            }
        }
    }
    Verdict::Fine { inputs, taken }
}

fn changed(shape: Shape, known: &[Vec<u8>], dice: &Dice) -> Vec<u8> {
    let mut input = dice.choose(known).cloned().unwrap_or_default();
    if dice.once_in(12) {
        // The beginning of one and the end of another.
        let other = dice.choose(known).cloned().unwrap_or_default();
        let cut = |bytes: &Vec<u8>| usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap_or(0);
        let (head, tail) = (cut(&input), cut(&other));
        input.truncate(head);
        input.extend_from_slice(other.get(tail..).unwrap_or_default());
    }
    let times = if dice.once_in(DEEP) { dice.below(6) + 2 } else { 1 };
    for _ in 0..times {
        input = match shape {
            Shape::Json if !dice.once_in(4) => mutated_json(&input, dice),
            _ => mutated(&input, dice),
        };
    }
    input
}
