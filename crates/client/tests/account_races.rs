//! Devices of one account that add devices at the same time: they write the same place of the account's log, the relay takes
//! one, and every device goes on. Real documents, seal and vault; only clock, randomness and link are fake.

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_testkit::{Dice, FakeRelay};
use mecum_vault::Location;

/// Items in one answer, where a test does not say otherwise.
const MANY: usize = 1_000;

/// Rounds until everything has met.
const ROUNDS: usize = 40;

struct World {
    relay: FakeRelay,
    devices: Vec<Session>,
    chart: ChartId,
    seed: u64,
}

impl World {
    /// A phone and a laptop of one account, that have exchanged everything.
    fn new(seed: u64) -> Self {
        let relay = FakeRelay::new([7; 32]);
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Laras", Some("1988-02-11"), Relation::Own, None).expect("a chart");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let mut world = Self { relay, devices: vec![phone, laptop], chart, seed };
        world.settle(MANY);
        world
    }

    /// Device `by` adds a further one, which waits at the end of the list.
    fn add(&mut self, by: usize, name: &str) {
        self.seed += 1;
        let fresh = self.devices[by].pair_for_tests(name, &Location::Memory, surroundings(self.seed << 8));
        self.devices.push(fresh);
    }

    /// One exchange of device `at`; `heard` says whether the answer arrives. Answers whether there is more.
    fn exchange(&mut self, at: usize, items: usize, heard: bool) -> Result<bool, ExchangeError> {
        let session = &mut self.devices[at];
        let request = session.request()?;
        let response = self.relay.answer(session.installation(), &request, items);
        if !heard {
            return Ok(true);
        }
        Ok(session.accept(&request, &response)?.more)
    }

    fn settle(&mut self, items: usize) {
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            for at in 0..self.devices.len() {
                let seed = self.seed;
                while self.exchange(at, items, true).unwrap_or_else(|error| {
                    panic!("seed {seed}: device {at} stopped: {error}");
                }) {}
            }
            // Who came first in the last round has not heard what the others said in it.
            let silent = self.devices.iter().all(|device| !device.has_something_to_say());
            quiet = if silent { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
        }
        panic!("seed {}: there is always something more to say", self.seed);
    }

    fn names(&self, at: usize) -> Vec<String> {
        let mut names: Vec<String> =
            self.devices[at].devices().into_iter().map(|device| device.name).collect();
        names.sort();
        names
    }

    /// Every device lists the same devices, and what one writes reaches all.
    fn check(&mut self, expected: &[&str]) {
        for at in 0..self.devices.len() {
            assert_eq!(self.names(at), expected, "seed {}: device {at} lists every device", self.seed);
        }
        let chart = self.chart;
        for at in 0..self.devices.len() {
            let fields = vec![(Field::Text, format!("written on {at}"))];
            self.devices[at].add(chart, Kind::Note, fields).expect("a note is added");
        }
        self.settle(MANY);
        let count = self.devices.len();
        for (at, device) in self.devices.iter_mut().enumerate() {
            let rows = device.rows(chart).expect("rows load");
            let notes = rows.newest().iter().filter(|row| row.kind() == Kind::Note).count();
            assert_eq!(notes, count, "seed {}: device {at} has what each device wrote", self.seed);
        }
    }
}

#[test]
fn two_devices_that_each_add_a_device_at_the_same_time_both_go_on() {
    let mut world = World::new(1);
    world.add(0, "tablet");
    world.add(1, "watch");
    assert!(world.exchange(0, MANY, true).is_ok(), "the faster one");
    assert!(world.exchange(1, MANY, true).expect("the slower one goes on"), "and has its entry to say again");
    world.settle(MANY);
    world.check(&["laptop", "phone", "tablet", "watch"]);
}

#[test]
fn an_entry_that_was_signed_again_survives_a_restart_and_a_lost_answer() {
    let mut world = World::new(2);
    world.add(0, "tablet");
    world.add(1, "watch");
    world.exchange(0, MANY, true).expect("the faster one");
    world.exchange(1, MANY, true).expect("the slower one");
    let slower = world.devices.remove(1).restart().expect("the vault opens");
    world.devices.insert(1, slower);
    world.exchange(1, MANY, false).expect("the answer is lost");
    let slower = world.devices.remove(1).restart().expect("the vault opens");
    world.devices.insert(1, slower);
    world.settle(MANY);
    world.check(&["laptop", "phone", "tablet", "watch"]);
}

#[test]
fn several_entries_give_way_together_also_when_answers_are_short() {
    for items in [1, 2, MANY] {
        let mut world = World::new(3);
        world.add(1, "watch");
        world.add(1, "reader");
        for name in ["tablet", "desk", "old phone"] {
            world.add(0, name);
            world.exchange(0, MANY, true).expect("the faster one");
        }
        world.settle(items);
        world.check(&["desk", "laptop", "old phone", "phone", "reader", "tablet", "watch"]);
    }
}

#[test]
fn whatever_the_order_every_device_is_added_once() {
    let seeds = std::env::var("MECUM_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(30_u64);
    println!("seeds 100 to {}", 100 + seeds - 1);
    for seed in 100..100 + seeds {
        let mut world = World::new(seed);
        let dice = Dice::new(seed);
        let mut expected = vec!["laptop".to_owned(), "phone".to_owned()];
        for step in 0..24 {
            let at = usize::try_from(dice.below(2)).expect("small");
            match dice.below(6) {
                0 if expected.len() < 8 => {
                    let name = format!("device {step}");
                    world.add(at, &name);
                    expected.push(name);
                }
                1 => {
                    let restarted = world.devices.remove(at).restart().expect("the vault opens");
                    world.devices.insert(at, restarted);
                }
                _ => {
                    let items = usize::try_from(dice.below(3)).expect("small") + 1;
                    let heard = !dice.once_in(3);
                    let done = world.exchange(at, items, heard);
                    assert!(done.is_ok(), "seed {seed}: device {at} stopped: {:?}", done.err());
                }
            }
        }
        world.settle(2);
        expected.sort();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        world.check(&expected);
    }
}
