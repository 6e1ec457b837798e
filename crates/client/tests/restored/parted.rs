//! Devices, a relay and a schedule from a seed, in which the server or a vault goes back in time.

use std::collections::{BTreeMap, BTreeSet};

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_sync::{FORMS_HANDED, RefusalCode};
use mecum_testkit::{Cheat, Dice, FakeRelay};
use mecum_vault::Location;

/// The most pushes that a restored server is behind. Source: the programme's row 19.
const MOST_BEHIND: usize = 500;

/// Cases of one run: `MECUM_PROOF_CASES`, or the `usual`.
pub(crate) fn cases(usual: u64) -> u64 {
    std::env::var("MECUM_PROOF_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Where the seeds begin.
pub(crate) fn first_seed() -> u64 {
    std::env::var("MECUM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_908)
}

/// What happened until a device came to rest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settled {
    /// How often it was asked to begin again.
    pub(crate) again: u32,
    /// How often its vault was found to be an older copy.
    pub(crate) warned: u32,
}

/// Exchanges until nothing is left, as the driver does.
pub(crate) fn settle(relay: &mut FakeRelay, session: &mut Session) -> Result<Settled, ExchangeError> {
    let mut settled = Settled::default();
    for _ in 0..400 {
        let request = session.request()?;
        let response = match relay.try_answer(session.installation(), session.said(&request, FORMS_HANDED), 7)
        {
            Ok(response) => response,
            Err(RefusalCode::Resync) => {
                settled.again += 1;
                assert!(session.begin_again()?, "a cursor of zero is never refused");
                continue;
            }
            Err(other) => panic!("refused: {other:?}"),
        };
        match session.accept(&request, &response) {
            Ok(exchanged) if exchanged.more => {}
            Ok(_) => {
                session.fold_by_half_for_tests()?;
                return Ok(settled);
            }
            Err(ExchangeError::RolledBack) => settled.warned += 1,
            Err(error) => return Err(error),
        }
    }
    // Not a panic: of a relay that cheats it is what gives it away.
    Err(ExchangeError::Refused(RefusalCode::Unavailable))
}

/// Every text and name in a chart.
pub(crate) fn marks(session: &mut Session, chart: ChartId) -> BTreeSet<String> {
    if !session.charts().contains(&chart) {
        return BTreeSet::new();
    }
    session.rows(chart).expect("rows load").newest().iter().map(|row| row.title.clone()).collect()
}

/// How a case ended.
pub(crate) struct Outcome {
    pub(crate) result: Result<(), String>,
    pub(crate) cheated: bool,
    pub(crate) warned: bool,
}

pub(crate) struct Parted {
    relay: FakeRelay,
    devices: Vec<Session>,
    chart: ChartId,
    medicine: ItemKey,
    dice: Dice,
    seed: u64,
    /// Every entry that was saved and may not be missing.
    written: BTreeSet<String>,
    folder: tempfile::TempDir,
}

impl Parted {
    /// Three devices of one account that show the same; the first has its vault in a file.
    pub(crate) fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut key = [3; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        let relay = FakeRelay::new(key);
        let at = Location::File(folder.path().join("phone.sqlite"));
        let mut phone = first_device(&at, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Ibu Ratna", None, Relation::Mother, None).expect("a chart");
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x2222));
        let mut parted = Self {
            relay,
            devices: vec![phone, laptop, tablet],
            chart,
            medicine,
            dice: Dice::new(seed),
            seed,
            written: BTreeSet::new(),
            folder,
        };
        parted.settle_all().expect("an honest relay is followed");
        parted
    }

    fn settle_all(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            for at in 0..self.devices.len() {
                self.settle(at)?;
            }
        }
        Ok(())
    }

    fn settle(&mut self, at: usize) -> Result<Settled, String> {
        settle(&mut self.relay, &mut self.devices[at]).map_err(|error| format!("device {at}: {error}"))
    }

    /// Only what others had fetched of a device that never comes back may be asked for.
    fn one_never_returns(&mut self) {
        let at = 1 + usize::try_from(self.dice.below(self.devices.len() as u64 - 1)).expect("an index");
        drop(self.devices.remove(at));
        let chart = self.chart;
        let held = self.devices.iter_mut().flat_map(|session| marks(session, chart));
        let held: BTreeSet<String> = held.collect();
        self.written.retain(|mark| held.contains(mark));
    }

    fn edit(&mut self, at: usize) {
        let session = &mut self.devices[at];
        if self.dice.once_in(3) {
            let dose = format!("{}", self.dice.below(9) + 1);
            let set = vec![(Field::Dose, Some(dose))];
            session.set(self.chart, self.medicine, set).expect("a dose changes");
            return;
        }
        self.add(at);
    }

    fn add(&mut self, at: usize) {
        let session = &mut self.devices[at];
        let mark = format!("entry {} of {at}", self.written.len());
        let kind = if self.dice.once_in(2) { Kind::AllergyIntolerance } else { Kind::MedicationStatement };
        let name = if kind == Kind::MedicationStatement { Field::Name } else { Field::Substance };
        session.add(self.chart, kind, vec![(name, mark.clone())]).expect("an entry is added");
        self.written.insert(mark);
    }

    /// Edits, whole exchanges, single exchanges whose answer is lost, restarts.
    fn steps(&mut self, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let at = usize::try_from(self.dice.below(self.devices.len() as u64)).expect("an index");
            match self.dice.below(10) {
                0..=4 => self.edit(at),
                5..=7 => drop(self.settle(at)?),
                8 => {
                    let session = &mut self.devices[at];
                    let request = session.request().map_err(|error| error.to_string())?;
                    // The answer never arrives.
                    let _ = self.relay.try_answer(
                        session.installation(),
                        session.said(&request, FORMS_HANDED),
                        5,
                    );
                }
                _ => {
                    let session = self.devices.remove(at);
                    self.devices.insert(at, session.restart().expect("a vault opens again"));
                }
            }
        }
        Ok(())
    }

    /// What is wrong after everybody has exchanged everything, also with a device that comes only now.
    fn healed(&mut self) -> Result<(), String> {
        self.settle_all()?;
        let around = surroundings(self.seed ^ 0x9999);
        let fresh = self.devices[1].pair_for_tests("new", &Location::Memory, around);
        self.devices.push(fresh);
        self.settle_all()?;
        let first: BTreeMap<_, _> = self.devices[0].fingerprint().map_err(|error| error.to_string())?;
        for at in 0..self.devices.len() {
            let session = &mut self.devices[at];
            if session.quarantined() > 0 {
                return Err(format!("device {at} put something aside"));
            }
            if session.has_something_to_say() {
                return Err(format!("device {at} is not done"));
            }
            let shown = marks(session, self.chart);
            if let Some(missing) = self.written.iter().find(|mark| !shown.contains(*mark)) {
                return Err(format!("device {at} lacks {missing}"));
            }
            if session.fingerprint().map_err(|error| error.to_string())? != first {
                return Err(format!("device {at} differs"));
            }
        }
        Ok(())
    }

    /// A server that is restored from a backup of any earlier time, and devices that come back in any order. In one of three
    /// histories one of them never does: then what it wrote comes back from whoever had fetched it. In one of twenty the backup is
    /// hundreds of pushes old.
    pub(crate) fn server_goes_back(mut self, cheat: Option<Cheat>) -> Outcome {
        let founded = self.relay.len();
        let run = |parted: &mut Self| {
            parted.steps(30)?;
            let most = if parted.dice.once_in(20) { MOST_BEHIND } else { 0 };
            while parted.relay.len() - founded < most {
                parted.steps(10)?;
            }
            let lost =
                parted.dice.below((parted.relay.len() - founded) as u64).min(MOST_BEHIND as u64 - 1) + 1;
            parted.relay.back_to(parted.relay.len() - usize::try_from(lost).expect("small"));
            if let Some(cheat) = cheat {
                parted.relay.cheat(cheat);
            }
            if parted.dice.once_in(3) {
                parted.one_never_returns();
            }
            parted.steps(15)?;
            parted.healed()
        };
        let result = run(&mut self);
        Outcome { result, cheated: self.relay.has_cheated(), warned: false }
    }

    /// A phone whose vault is put back from a copy, after it had gone on, and which writes before it asks.
    pub(crate) fn vault_goes_back(mut self, cheat: Option<Cheat>) -> Outcome {
        let mut warned = false;
        let mut run = |parted: &mut Self| {
            parted.steps(15)?;
            let copy = parted.folder.path().join("copy.sqlite");
            parted.devices[0].copy_for_tests(&copy);
            parted.steps(15)?;
            // Something of the lost life has reached the server, so that there is something to know it by: an entry, for a dose may
            // be what it was already, and then nothing is written.
            parted.add(0);
            parted.settle(0)?;
            // What was never sent is lost with the device that held it: that is no claim of ours.
            let lost = parted.devices.remove(0);
            drop(lost);
            let session = Session::of_copy_for_tests(&copy, surroundings(parted.seed ^ 0x7777));
            parted.devices.insert(0, session);
            for _ in 0..parted.dice.below(4) {
                parted.edit(0);
            }
            warned = parted.settle(0)?.warned > 0;
            if let Some(cheat) = cheat {
                parted.relay.cheat(cheat);
            }
            parted.steps(10)?;
            parted.healed()
        };
        let result = run(&mut self);
        Outcome { result, cheated: self.relay.has_cheated(), warned }
    }
}
