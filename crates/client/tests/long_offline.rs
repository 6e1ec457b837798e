//! Five devices write for half a year, one of them without ever reaching the server, which prunes meanwhile. Then it comes back: over a
//! log that is there no longer, with everything that it wrote itself; and all five have the same.

#[path = "support/line.rs"]
mod line;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use line::{DAY_MS, Device, Line, exchange};
use mecum_client::remote::Remote;
use mecum_client::testing::{NOW_MS, surroundings};
use mecum_client::{FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind};
use mecum_faults::Proof;
use mecum_relay::Limits;
use mecum_testkit::Dice;
use mecum_vault::Location;

/// Logs stay as they are.
pub(crate) const FOLDS: bool = false;

/// Source: the programme's row 20.
const DAYS: i64 = 180;
const DEVICES: usize = 5;
/// Looks that the devices and the server take at each other in that time.
const LOOKS: u64 = 60;
/// Own entries of each device: nobody else writes in them, so that their last value is known.
const OWN: usize = 8;
/// The programme's bounds, for the whole figure.
const MOST: Duration = Duration::from_mins(1);
const MOST_MIB: u64 = 300;
/// Edits of the whole figure.
const WHOLE: u64 = 50_000;

/// A clock of its own for each device; all are set alike.
fn around(seed: u64, clock: &Arc<FixedClock>) -> Surroundings {
    Surroundings { clock: clock.clone(), ..surroundings(seed) }
}

/// One device's entries, with what was last said to be saved in each.
struct Written {
    entries: Vec<(ItemKey, String)>,
    /// What is written in by everybody.
    shared: ItemKey,
    dice: Dice,
    number: u64,
}

impl Written {
    fn edit(&mut self, session: &mut Session, chart: ChartId) {
        self.number += 1;
        let dose = self.number.to_string();
        let set = vec![(Field::Dose, Some(dose.clone()))];
        if self.dice.below(20) == 0 {
            session.set(chart, self.shared, set).expect("an entry takes a value");
            return;
        }
        let at = usize::try_from(self.dice.below(OWN as u64)).expect("small");
        let (key, value) = &mut self.entries[at];
        session.set(chart, *key, set).expect("an entry takes a value");
        *value = dose;
    }

    /// How many of the last values a session does not have.
    fn missing(&self, session: &mut Session, chart: ChartId) -> usize {
        let has = |(key, value): &&(ItemKey, String)| {
            let entry = session.entry(chart, *key).expect("documents load");
            entry.is_none_or(|entry| entry.get(Field::Dose) != Some(value.as_str()))
        };
        self.entries.iter().filter(has).count()
    }
}

struct HalfAYear {
    line: Line,
    clock: Arc<FixedClock>,
    present: Vec<Device>,
    written: Vec<Written>,
    chart: ChartId,
    folder: tempfile::TempDir,
    pruned: u64,
}

impl HalfAYear {
    /// Everybody has everything, and then one is cut off.
    async fn begin(seed: u64) -> (HalfAYear, Session) {
        // As the server ships: where it let less be pruned, a small snapshot would keep its 90 days, and the next one wait behind it.
        let line = Line::start_pruning(Limits::default().prune_envelopes).await;
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let (mut first, chart) = line.first_in(around(seed, &clock)).await;
        let folder = tempfile::tempdir().expect("a folder");
        let add = |session: &mut Session, name: String| {
            let fields = vec![(Field::Name, name), (Field::Dose, "0".to_owned())];
            session.add(chart, Kind::MedicationStatement, fields).expect("an entry is added")
        };
        let shared = add(&mut first.session, "Shared".to_owned());
        let mut written = Vec::new();
        for device in 0..DEVICES {
            let entries =
                (0..OWN).map(|n| (add(&mut first.session, format!("{device} {n}")), "0".to_owned()));
            let entries = entries.collect();
            written.push(Written { entries, shared, dice: Dice::new(seed + device as u64), number: 0 });
        }
        exchange(&mut first).await;
        let mut present = Vec::new();
        for device in 1..DEVICES {
            let name = format!("device {device}");
            let away = device == DEVICES - 1;
            let at = if away { Location::File(folder.path().join("away")) } else { Location::Memory };
            let session =
                first.session.pair_for_tests(&name, &at, around(seed + 100 + device as u64, &clock));
            exchange(&mut first).await;
            let mut device = line.device(session).await;
            exchange(&mut device).await;
            present.push(device);
        }
        present.insert(0, first);
        for _ in 0..2 {
            for device in &mut present {
                exchange(device).await;
            }
        }
        let away = present.pop().expect("five");
        (HalfAYear { line, clock, present, written, chart, folder, pruned: 0 }, away.session)
    }

    /// All the edits of half a year.
    async fn pass(&mut self, away: &mut Session, edits: u64) {
        for look in 0..LOOKS {
            let days = DAYS * i64::try_from(look + 1).expect("small") / 60
                - DAYS * i64::try_from(look).expect("small") / 60;
            self.line.later(days);
            self.clock.advance(days * DAY_MS);
            for _ in edits * look / LOOKS..edits * (look + 1) / LOOKS {
                for (device, written) in self.present.iter_mut().zip(&mut self.written) {
                    written.edit(&mut device.session, self.chart);
                }
                self.written[DEVICES - 1].edit(away, self.chart);
            }
            for device in &mut self.present {
                exchange(device).await;
                device.session.idle().expect("a quiet moment");
            }
            away.idle().expect("a quiet moment");
            self.pruned += self.line.relay.sweep().expect("a sweep").pruned_envelopes;
        }
    }

    /// The device comes back, in a process of its own; what it says of itself.
    fn comes_back(&self, seed: u64, vault: &str) -> Result<Back, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let done = Command::new(program)
            .args(["--exact", "the_device_that_was_away", "--ignored", "--nocapture"])
            .env("MECUM_AWAY", self.folder.path().join(vault))
            .env("MECUM_AWAY_URL", self.line.url())
            .env("MECUM_AWAY_SEED", seed.to_string())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        if !done.status.success() {
            return Err(format!("it does not come back: {said}{}", String::from_utf8_lossy(&done.stderr)));
        }
        let words: Vec<String> = said
            .lines()
            .find_map(|line| line.split("back: ").nth(1))
            .ok_or("it says nothing")?
            .split(' ')
            .map(str::to_owned)
            .collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).ok_or("it says nothing");
        Ok(Back {
            ms: number(0)?,
            kib: number(1)?,
            begun_again: number(2)?,
            snapshots: number(3)?,
            digest: words.get(4).cloned().unwrap_or_default(),
        })
    }

    /// What is wrong at the end.
    async fn judge(&mut self, back: &Back) -> Vec<String> {
        let mut wrong = Vec::new();
        for _ in 0..2 {
            for device in &mut self.present {
                exchange(device).await;
            }
        }
        for (number, device) in self.present.iter_mut().enumerate() {
            for (writer, written) in self.written.iter().enumerate() {
                let missing = written.missing(&mut device.session, self.chart);
                if missing > 0 {
                    wrong.push(format!(
                        "device {number} lacks the last of {missing} entries of device {writer}"
                    ));
                }
            }
            if digest(&mut device.session) != back.digest {
                wrong.push(format!("device {number} has something else than the one that was away"));
            }
        }
        wrong
    }
}

/// What the returning process said.
struct Back {
    ms: u64,
    kib: u64,
    begun_again: u64,
    snapshots: u64,
    digest: String,
}

fn digest(session: &mut Session) -> String {
    let all = session.fingerprint().expect("a session shows what it has");
    mecum_seal::sha256(format!("{all:?}").as_bytes()).to_string()
}

/// The most memory that this process ever had, in KiB.
fn most_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Not a test: the process of the device that was away.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that is started by another test"]
async fn the_device_that_was_away() {
    let named = |name: &str| std::env::var(name).expect("it is told where");
    let clock = Arc::new(FixedClock::new(NOW_MS + DAYS * DAY_MS));
    let seed: u64 = named("MECUM_AWAY_SEED").parse().expect("a number");
    let began = Instant::now();
    let session = Session::of_copy_for_tests(Path::new(&named("MECUM_AWAY")), around(seed ^ 0xbac, &clock));
    let url = named("MECUM_AWAY_URL");
    let key = Remote::server_info(&url).await.expect("a server").key;
    let remote = Remote::new(&url, key).expect("an address");
    let (signing, account, device, incarnation) = session.sign_in_for_tests();
    let signed_in = remote.sign_in(&signing, account, device, incarnation).await.expect("a known device");
    let mut device = Device { session, remote, signed_in };
    let brought = exchange(&mut device).await;
    exchange(&mut device).await;
    assert!(!device.session.has_something_to_say(), "everything of its own is at the server");
    let ms = began.elapsed().as_millis();
    let kib = most_kib();
    let digest = digest(&mut device.session);
    println!("back: {ms} {kib} {} {} {digest}", brought.begun_again, brought.snapshots);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_away_for_half_a_year_comes_back_and_all_have_the_same() {
    let proof = Proof::new(
        20,
        "edits of five devices in 180 days, one of them away, over a log that is pruned",
        WHOLE,
    );
    let mut failures = 0;
    let edits = proof.cases() / DEVICES as u64;
    let (mut half, mut away) = Box::pin(HalfAYear::begin(proof.seed())).await;
    half.pass(&mut away, edits).await;
    drop(away);
    let (bodies, all) = half.line.envelopes();
    println!("{} of {all} envelopes are pruned, {bodies} left", half.pruned);
    match half.comes_back(proof.seed(), "away") {
        Ok(back) => {
            println!(
                "back in {} ms with {} MiB at most, begun again {} times, {} snapshots",
                back.ms,
                back.kib / 1024,
                back.begun_again,
                back.snapshots
            );
            let mut wrong = half.judge(&back).await;
            if half.pruned == 0 || back.begun_again == 0 || back.snapshots == 0 {
                wrong.push(
                    "nothing that it needs was pruned: the scene is not the one it should be".to_owned(),
                );
            }
            if back.kib / 1024 > MOST_MIB {
                wrong.push(format!("{} MiB", back.kib / 1024));
            }
            let in_time = proof.is_alone() && proof.cases() >= WHOLE;
            if in_time && back.ms > u64::try_from(MOST.as_millis()).expect("small") {
                wrong.push(format!("{} ms", back.ms));
            }
            for why in &wrong {
                println!("{why}");
            }
            failures += wrong.len() as u64;
        }
        Err(why) => {
            println!("{why}");
            failures += 1;
        }
    }
    half.line.is_sound("after it came back");
    proof.end(edits * DEVICES as u64, failures);
    assert_eq!(failures, 0, "everything of everybody, everywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_device_that_lost_what_it_wrote_while_away_is_found_out() {
    let (mut half, mut away) = Box::pin(HalfAYear::begin(3)).await;
    away.copy_for_tests(&half.folder.path().join("before"));
    half.pass(&mut away, 30).await;
    drop(away);
    let back = half.comes_back(3, "before").expect("it comes back");
    let wrong = half.judge(&back).await;
    assert!(!wrong.is_empty(), "its words are on no device, and that is seen");
}
