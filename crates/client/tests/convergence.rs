//! Three to eight devices of one account edit offline for as long as they like, exchange over a link that drops, repeats, delays and
//! cuts, restart in between, and then show the same. Their clocks are wrong and jump; some are out of reach for a while, together.
//! Real documents, seal and vault; only clocks, randomness and link are fake.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{Clock as _, ExchangeError, FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_seal::{DeviceId, IncarnationId};
use mecum_sync::SaidRequest;
use mecum_testkit::{Cheat, Dice, FakeRelay};
use mecum_vault::Location;

/// Schedules of one run by hand; `cargo xtask proof` says it by `MECUM_PROOF_CASES`.
fn schedules() -> u64 {
    std::env::var("MECUM_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// With the seed of a proof, every commit sees schedules of its own.
fn first_seed(proof: &Proof) -> u64 {
    let own = std::env::var("MECUM_PROOF_SEED").is_ok().then(|| proof.seed());
    own.or_else(|| std::env::var("MECUM_SEED").ok()?.parse().ok()).unwrap_or(20_260_908)
}

/// How wrong clocks are, ms. Source: the programme's row 18.
const WRONG_MS: [i64; 6] = [0, -10 * YEAR_MS, -DAY_MS, -10 * 60_000, 10 * 60_000, 50 * YEAR_MS];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const YEAR_MS: i64 = 365 * DAY_MS;
/// Steps for each device.
const STEPS: usize = 10;
/// So many steps a partition lasts at most.
const PARTED: u64 = 20;

struct World {
    relay: FakeRelay,
    devices: Vec<Option<Session>>,
    clocks: Vec<Arc<FixedClock>>,
    chart: ChartId,
    dice: Dice,
    written: u64,
    /// Requests whose device has given up on them, and which the relay has not got yet.
    late: Vec<((DeviceId, IncarnationId), SaidRequest)>,
    /// Who is out of reach, and for how many steps.
    parted: (BTreeSet<usize>, u64),
    happened: Happened,
}

/// What a schedule had in it.
#[derive(Clone, Copy, Default)]
struct Happened {
    devices: usize,
    late: u32,
    parted: u32,
    jumps: u32,
}

/// What a clock that is wrong, or right, says.
fn some_time(dice: &Dice) -> i64 {
    let at = usize::try_from(dice.below(WRONG_MS.len() as u64)).expect("an index");
    NOW_MS + WRONG_MS[at]
}

/// How one exchange ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Good,
    /// The request never arrives.
    LostRequest,
    /// The answer never arrives: the relay has everything, the device does not know.
    LostAnswer,
    /// The request arrives twice; the second answer is the one that is heard.
    Twice,
    /// The request arrives some time later, after others that were made later, and its answer is heard by nobody.
    Late,
}

impl World {
    fn new(seed: u64, relay: FakeRelay) -> Self {
        let dice = Dice::new(seed);
        let count = match dice.below(12) {
            0..=8 => 3,
            some @ 9..=10 => some - 5,
            _ => 6 + dice.below(3),
        };
        let clocks: Vec<Arc<FixedClock>> =
            (0..count).map(|_| Arc::new(FixedClock::new(some_time(&dice)))).collect();
        let around = |at: usize| {
            let clock = Arc::<FixedClock>::clone(&clocks[at]);
            Surroundings { clock, ..surroundings(seed ^ (0x1111 * at as u64)) }
        };
        let mut phone = first_device(&Location::Memory, around(0));
        phone.pin_for_tests(relay.key());
        let chart =
            phone.create_chart("Ibu Ratna", Some("1958-03-04"), Relation::Mother, None).expect("a chart");
        let others: Vec<Session> = (1..clocks.len())
            .map(|at| phone.pair_for_tests(&format!("device {at}"), &Location::Memory, around(at)))
            .collect();
        let devices: Vec<Option<Session>> = std::iter::once(phone).chain(others).map(Some).collect();
        let happened = Happened { devices: devices.len(), ..Happened::default() };
        let (late, parted) = (Vec::new(), (BTreeSet::new(), 0));
        let mut world = Self { relay, devices, clocks, chart, dice, written: 0, late, parted, happened };
        (0..world.devices.len()).for_each(|device| world.settle_one(device));
        world
    }

    fn device(&mut self, at: usize) -> &mut Session {
        self.devices[at].as_mut().expect("a device is only away within its restart")
    }

    /// Adds an entry, or changes a field of one, safety fields more often than not.
    fn edit(&mut self, at: usize) {
        let (chart, fresh) = (self.chart, self.dice.once_in(3));
        let pick = self.dice.bits();
        self.written += 1;
        let value = format!("{}", self.dice.below(4) + 1);
        let session = self.device(at);
        if !session.charts().contains(&chart) {
            return;
        }
        let entries: Vec<ItemKey> = session
            .rows(chart)
            .expect("rows load")
            .newest()
            .iter()
            .filter(|row| row.editable())
            .map(|row| row.key)
            .collect();
        if fresh || entries.len() < 2 {
            let kind =
                if pick.is_multiple_of(2) { Kind::MedicationStatement } else { Kind::AllergyIntolerance };
            let name = if kind == Kind::MedicationStatement { Field::Name } else { Field::Substance };
            session
                .add(chart, kind, vec![(name, format!("entry {value}")), (Field::Dose, value)])
                .expect("an entry is added");
            return;
        }
        let key = entries[usize::try_from(pick % entries.len() as u64).expect("an index")];
        let field = [Field::Dose, Field::Dose, Field::Frequency, Field::Reason, Field::Deleted]
            [usize::try_from(pick >> 32).expect("bits") % 5];
        let value = if field == Field::Deleted && pick.is_multiple_of(3) { None } else { Some(value) };
        session.set(chart, key, vec![(field, value)]).expect("a field changes");
    }

    fn exchange(&mut self, at: usize, link: Link, items: usize) -> Result<bool, ExchangeError> {
        let session = self.devices[at].as_mut().expect("a device is only away within its restart");
        let request = session.request()?;
        if link == Link::LostRequest {
            return Ok(true);
        }
        let from = session.installation();
        let said = session.said(&request, mecum_sync::FORMS);
        if link == Link::Late {
            self.late.push((from, said));
            self.happened.late += 1;
            return Ok(true);
        }
        let mut response = self.relay.answer(from, said.clone(), items);
        if link == Link::LostAnswer {
            return Ok(true);
        }
        if link == Link::Twice {
            response = self.relay.answer(from, said, items);
        }
        Ok(session.accept(&request, &response)?.more)
    }

    fn settle_one(&mut self, at: usize) {
        for _ in 0..200 {
            if !self.exchange(at, Link::Good, 50).expect("an honest relay is followed") {
                return;
            }
        }
        panic!("device {at} never came to rest");
    }

    fn restart(&mut self, at: usize) {
        let session = self.devices[at].take().expect("a device is only away within its restart");
        self.devices[at] = Some(session.restart().expect("a vault opens again"));
    }

    fn step(&mut self) -> Result<(), ExchangeError> {
        let at = self.any();
        self.parted.1 = self.parted.1.saturating_sub(1);
        match self.dice.below(22) {
            0..=9 => self.edit(at),
            10..=17 => {
                let link = match self.dice.below(7) {
                    _ if self.parted.1 > 0 && self.parted.0.contains(&at) => Link::LostRequest,
                    0 => Link::LostRequest,
                    1 => Link::LostAnswer,
                    2 => Link::Twice,
                    3 => Link::Late,
                    _ => Link::Good,
                };
                let items = usize::try_from(self.dice.below(6)).expect("small") + 1;
                self.exchange(at, link, items)?;
            }
            18 => {
                let away = (0..self.devices.len()).filter(|_| self.dice.once_in(2)).collect();
                self.parted = (away, self.dice.below(PARTED) + 2);
                self.happened.parted += 1;
            }
            19 => {
                let clock = &self.clocks[at];
                clock.advance(some_time(&self.dice) - clock.now_ms());
                self.happened.jumps += 1;
            }
            _ => self.restart(at),
        }
        self.arrive(3);
        Ok(())
    }

    fn any(&self) -> usize {
        usize::try_from(self.dice.below(self.devices.len() as u64)).expect("an index")
    }

    /// Of the requests that are under way any may arrive now, in any order: each with a chance of one in so many.
    fn arrive(&mut self, one_in: u64) {
        for at in (0..self.late.len()).rev() {
            if self.dice.once_in(one_in) {
                let (from, said) = self.late.remove(at);
                let _nobody_hears = self.relay.answer(from, said, 50);
            }
        }
    }

    /// Heals the link and says what is wrong afterwards, if anything.
    fn heal(&mut self) -> Result<(), String> {
        self.arrive(1);
        for _ in 0..4 {
            for at in 0..self.devices.len() {
                let mut rounds = 0;
                while self.exchange(at, Link::Good, 50).map_err(|error| error.to_string())? {
                    rounds += 1;
                    if rounds > 200 {
                        return Err("a device never comes to rest".into());
                    }
                }
            }
        }
        let first = self.device(0).fingerprint().map_err(|error| error.to_string())?;
        for at in 0..self.devices.len() {
            let session = self.device(at);
            let aside = session.quarantined();
            if aside > 0 {
                return Err(format!("device {at} put {aside} envelopes aside"));
            }
            let counts = session.honesty().map_err(|error| error.to_string())?;
            if session.has_something_to_say() || counts.device > 0 || counts.sent > 0 {
                return Err(format!("device {at} still has unsent or unreceived things: {counts:?}"));
            }
            let own = session.fingerprint().map_err(|error| error.to_string())?;
            let differs = own.keys().chain(first.keys()).find(|key| own.get(*key) != first.get(*key));
            if let Some(key) = differs {
                return Err(format!(
                    "device {at} differs at {key}: {:?} against {:?}",
                    own.get(key),
                    first.get(key)
                ));
            }
        }
        Ok(())
    }
}

/// How a schedule went: what was wrong, if anything.
struct Ran {
    outcome: Result<(), String>,
    cheated: bool,
    happened: Happened,
}

fn run(seed: u64, cheat: Option<Cheat>) -> Ran {
    let mut world = World::new(seed, FakeRelay::new(relay_seed(seed)));
    if let Some(cheat) = cheat {
        world.relay.cheat(cheat);
    }
    let steps = (0..STEPS * world.devices.len()).try_for_each(|_| world.step());
    let outcome = steps.map_err(|error| error.to_string()).and_then(|()| world.heal());
    Ran { outcome, cheated: world.relay.has_cheated(), happened: world.happened }
}

fn relay_seed(seed: u64) -> [u8; 32] {
    let mut out = [7; 32];
    out[..8].copy_from_slice(&seed.to_be_bytes());
    out
}

#[test]
fn devices_show_the_same_after_any_schedule() {
    let what = "schedules of three to eight devices: edit, exchange, drop, repeat, delay, part, restart, wrong clocks";
    let proof = Proof::new(15, what, schedules());
    let (first, numbers) = (first_seed(&proof), proof.numbers().collect::<Vec<_>>());
    let count = numbers.len();
    println!("{count} seeds from {first}");
    let (next, failures) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(number) = numbers.get(at) else { return };
                    let seed = first + number;
                    if let Err(why) = run(seed, None).outcome {
                        println!("seed {seed}: {why}");
                        failures.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner();
    proof.end(count as u64, failures);
    assert_eq!(failures, 0, "every schedule converges");
    println!("{count} schedules converged");
}

#[test]
fn schedules_have_every_number_of_devices_and_everything_that_may_happen() {
    let seen: Vec<Happened> = (0..100).map(|seed| run(seed, None).happened).collect();
    for devices in 3..=8 {
        assert!(seen.iter().any(|happened| happened.devices == devices), "{devices} devices");
    }
    let often = |of: fn(&Happened) -> u32| seen.iter().filter(|happened| of(happened) > 0).count() > 30;
    assert!(often(|h| h.late) && often(|h| h.parted) && often(|h| h.jumps), "in a third of them");
}

/// The harness counts only if its control fails: a relay that cheats once must be caught within 200 schedules.
fn caught_within_200(cheat: Cheat) {
    let (mut cheated, mut caught) = (0, 0);
    for seed in 0..200 {
        let ran = run(seed, Some(cheat));
        cheated += u32::from(ran.cheated);
        caught += u32::from(ran.cheated && ran.outcome.is_err());
    }
    println!("{cheat:?}: cheated in {cheated} of 200 schedules, caught in {caught}");
    assert!(cheated > 0, "the relay found an occasion to cheat");
    assert_eq!(caught, cheated, "every cheat is caught");
}

#[test]
fn a_dropped_push_is_caught() {
    caught_within_200(Cheat::DropPush);
}

#[test]
fn a_dropped_envelope_is_caught() {
    caught_within_200(Cheat::DropEnvelope);
}

#[test]
fn swapped_writers_are_caught() {
    caught_within_200(Cheat::SwapWriters);
}
