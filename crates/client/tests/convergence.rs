//! Three devices of one account edit offline for as long as they like, exchange over a link that drops, repeats and cuts,
//! restart in between, and then show the same. Real documents, seal and vault; only clock, randomness and link are fake.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_faults::Proof;
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

struct World {
    relay: FakeRelay,
    devices: Vec<Option<Session>>,
    chart: ChartId,
    dice: Dice,
    written: u64,
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
}

impl World {
    fn new(seed: u64, relay: FakeRelay) -> Self {
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart =
            phone.create_chart("Ibu Ratna", Some("1958-03-04"), Relation::Mother, None).expect("a chart");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x2222));
        let devices = vec![Some(phone), Some(laptop), Some(tablet)];
        let mut world = Self { relay, devices, chart, dice: Dice::new(seed), written: 0 };
        for device in [0, 1, 2] {
            world.settle_one(device);
        }
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
        let at = usize::try_from(self.dice.below(3)).expect("an index");
        match self.dice.below(20) {
            0..=9 => self.edit(at),
            10..=17 => {
                let link = match self.dice.below(6) {
                    0 => Link::LostRequest,
                    1 => Link::LostAnswer,
                    2 => Link::Twice,
                    _ => Link::Good,
                };
                let items = usize::try_from(self.dice.below(6)).expect("small") + 1;
                self.exchange(at, link, items)?;
            }
            _ => self.restart(at),
        }
        Ok(())
    }

    /// Heals the link and says what is wrong afterwards, if anything.
    fn heal(&mut self) -> Result<(), String> {
        for _ in 0..4 {
            for at in [0, 1, 2] {
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
        for at in [0, 1, 2] {
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

/// Runs one schedule; says what went wrong.
fn run(seed: u64, cheat: Option<Cheat>) -> (Result<(), String>, bool) {
    let mut world = World::new(seed, FakeRelay::new(relay_seed(seed)));
    if let Some(cheat) = cheat {
        world.relay.cheat(cheat);
    }
    for _ in 0..30 {
        if let Err(error) = world.step() {
            return (Err(error.to_string()), world.relay.has_cheated());
        }
    }
    let outcome = world.heal();
    (outcome, world.relay.has_cheated())
}

fn relay_seed(seed: u64) -> [u8; 32] {
    let mut out = [7; 32];
    out[..8].copy_from_slice(&seed.to_be_bytes());
    out
}

#[test]
fn three_devices_show_the_same_after_any_schedule() {
    let proof =
        Proof::new(15, "schedules of three devices: edit, exchange, drop, repeat, cut, restart", schedules());
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
                    let (outcome, _) = run(seed, None);
                    if let Err(why) = outcome {
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

/// The harness counts only if its control fails: a relay that cheats once must be caught within 200 schedules.
fn caught_within_200(cheat: Cheat) {
    let (mut cheated, mut caught) = (0, 0);
    for seed in 0..200 {
        let (outcome, did) = run(seed, Some(cheat));
        cheated += u32::from(did);
        caught += u32::from(did && outcome.is_err());
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
