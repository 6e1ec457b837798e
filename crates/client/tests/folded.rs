//! Envelopes that were folded away and are made again: byte for byte the same, whoever wrote them, in whatever order documents grew.

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_testkit::{Dice, FakeRelay};
use mecum_vault::Location;

struct World {
    relay: FakeRelay,
    devices: Vec<Option<Session>>,
    chart: ChartId,
    dice: Dice,
    runs: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut relay_seed = [0; 32];
        relay_seed[..8].copy_from_slice(&seed.to_be_bytes());
        let relay = FakeRelay::new(relay_seed);
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart =
            phone.create_chart("Ibu Ratna", Some("1958-03-04"), Relation::Mother, None).expect("a chart");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x2222));
        let devices = vec![Some(phone), Some(laptop), Some(tablet)];
        let mut world = Self { relay, devices, chart, dice: Dice::new(seed), runs: 0 };
        (0..3).for_each(|at| world.settle(at));
        world
    }

    fn device(&mut self, at: usize) -> &mut Session {
        self.devices[at].as_mut().expect("a device is only away within its restart")
    }

    fn settle(&mut self, at: usize) {
        for _ in 0..200 {
            let session = self.devices[at].as_mut().expect("a device is only away within its restart");
            let request = session.request().expect("an open session says what it has");
            let said = session.said(&request, mecum_sync::FORMS);
            let Ok(response) = self.relay.try_answer(session.installation(), said, 40) else {
                session.begin_again().expect("everything is read again");
                continue;
            };
            if !session.accept(&request, &response).expect("an honest relay is followed").more {
                return;
            }
        }
        panic!("device {at} never came to rest");
    }

    fn edit(&mut self, at: usize) {
        let (chart, pick, fresh) = (self.chart, self.dice.bits(), self.dice.once_in(3));
        let value = format!("{} mg, morning and evening, as said on the phone", self.dice.below(9_000));
        let session = self.device(at);
        let rows = session.rows(chart).expect("rows load").newest();
        let entries: Vec<ItemKey> = rows.iter().filter(|row| row.editable()).map(|row| row.key).collect();
        if fresh || entries.is_empty() {
            let fields = vec![(Field::Name, format!("entry {value}")), (Field::Dose, value)];
            session.add(chart, Kind::MedicationStatement, fields).expect("an entry is added");
            return;
        }
        let key = entries[usize::try_from(pick % entries.len() as u64).expect("an index")];
        let field =
            [Field::Dose, Field::Frequency, Field::Reason][usize::try_from(pick >> 33).expect("bits") % 3];
        let value = (!pick.is_multiple_of(7)).then_some(value);
        session.set(chart, key, vec![(field, value)]).expect("a field changes");
    }

    /// Folds what can be, and looks that every envelope is what it was; after a restart too.
    fn fold(&mut self, at: usize) {
        let session = self.device(at);
        let before = session.all_envelopes_for_tests().expect("read");
        let runs = session.fold_everything_for_tests().expect("folds");
        assert_eq!(session.all_envelopes_for_tests().expect("made again"), before, "byte for byte the same");
        self.runs += runs;
        let session = self.devices[at].take().expect("a device is only away within its restart");
        let session = session.restart().expect("a vault opens again");
        assert_eq!(
            session.all_envelopes_for_tests().expect("made again"),
            before,
            "from the vault alone too"
        );
        self.devices[at] = Some(session);
    }

    fn step(&mut self) {
        let at = usize::try_from(self.dice.below(3)).expect("an index");
        match self.dice.below(20) {
            0..=10 => self.edit(at),
            11..=16 => self.settle(at),
            17 => {
                self.device(at).begin_again().expect("everything is read again");
            }
            _ => self.fold(at),
        }
    }
}

#[test]
fn whatever_was_folded_is_made_again_byte_for_byte() {
    let mut runs = 0;
    for seed in 0..12 {
        println!("seed {seed}");
        let mut world = World::new(seed);
        for _ in 0..70 {
            world.step();
        }
        for _ in 0..2 {
            (0..3).for_each(|at| world.settle(at));
        }
        (0..3).for_each(|at| world.fold(at));
        let shown = world.device(0).fingerprint().expect("shown");
        for at in 1..3 {
            assert_eq!(world.device(at).fingerprint().expect("shown"), shown, "seed {seed}: the same record");
        }
        // A server that has lost half of it gets it from whoever wrote it, folded or not: a device that comes later has all of it.
        let kept = world.relay.len() / 2;
        world.relay.back_to(kept);
        for _ in 0..3 {
            (0..3).for_each(|at| world.settle(at));
        }
        let later = world.device(0).pair_for_tests("later", &Location::Memory, surroundings(seed ^ 0x3333));
        world.devices.push(Some(later));
        for at in [0, 3, 0, 3] {
            world.settle(at);
        }
        assert_eq!(
            world.device(3).fingerprint().expect("shown"),
            shown,
            "seed {seed}: all of it, from the server"
        );
        for at in 0..3 {
            assert_eq!(world.device(at).fingerprint().expect("shown"), shown, "seed {seed}: still the same");
            assert_eq!(world.device(at).quarantined(), 0, "seed {seed}: and nothing put aside");
        }
        runs += world.runs;
    }
    assert!(runs > 100, "there was something to fold: {runs}");
}

#[test]
fn what_the_server_lost_and_another_device_wrote_is_not_folded_until_the_server_has_it_again() {
    let mut world = World::new(90);
    for _ in 0..12 {
        world.edit(0);
    }
    (0..3).chain(0..3).for_each(|at| world.settle(at));
    world.device(1).fold_everything_for_tests().expect("folds what there is");
    let kept = world.relay.len();
    for _ in 0..30 {
        world.edit(0);
    }
    (0..3).chain(0..3).for_each(|at| world.settle(at));
    assert!(world.device(2).fold_everything_for_tests().expect("folds") > 0, "there is something to fold");
    // The phone that wrote it is gone for now: this is the only copy that anybody could hand out.
    world.relay.back_to(kept);
    for _ in 0..3 {
        world.settle(1);
    }
    assert_eq!(world.device(1).fold_everything_for_tests().expect("folds"), 0, "the server does not have it");
    (0..2).chain(0..2).for_each(|at| world.settle(at));
    assert!(world.device(1).fold_everything_for_tests().expect("folds") > 0, "now it has");
}
