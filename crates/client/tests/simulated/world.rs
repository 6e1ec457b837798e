//! The simulation: one queue of events in virtual time, handled one by one.

mod healing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{Clock, FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_relay::simulated::Wire;
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, sha256};
use mecum_sync::{
    Challenge, EnrolRequest, Item, PROTOCOL_VERSION, SessionGrant, SignIn, Signed, SyncRequest, SyncResponse,
    decode, encode,
};
use mecum_testkit::Dice;
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const DEVICES: usize = 3;
/// How many times a device does something, all together, before the network heals.
const ACTS: u32 = 45;
/// An answer that has not come by then is not waited for, in virtual ms.
const PATIENCE_MS: u64 = 5_000;
/// The longest delay of a message, and the longest pause of a device.
const MAX_DELAY_MS: u64 = 3_000;
const LARGEST: usize = 1 << 24;

/// What the network does beside what every network does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    Honest,
    /// Leaves an item out of an answer, once.
    LeavesOut,
    /// Heals, and then brings the first device no answer for so many rounds, in which another one has written.
    Late(u32),
}

/// What the devices' clocks say.
pub(crate) enum Clocks<'c> {
    Right,
    /// Each is off by one of these, and by another one now and then.
    Wrong(&'c [i64]),
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) outcome: Result<(), String>,
    /// A hash of everything that was sent and heard, and when.
    pub(crate) trace: Hash32,
    pub(crate) cheated: bool,
}

/// What a device waits for.
enum Talk {
    Nothing,
    Challenge,
    Grant,
    Answer(Box<SyncRequest>),
}

struct Device {
    session: Option<Session>,
    clock: Arc<FixedClock>,
    token: Option<String>,
    forms: u32,
    talk: Talk,
    /// Number of the message that it waits for an answer to.
    waits_for: u64,
    cut_off_until: u64,
    deaf_until: u64,
}

enum Event {
    Act(usize),
    ToRelay { device: usize, number: u64, path: &'static str, token: Option<String>, body: Vec<u8> },
    ToDevice { device: usize, number: u64, status: u16, body: Vec<u8> },
    GiveUp { device: usize, number: u64 },
    RelayBack,
}

struct World<'c> {
    runtime: Runtime,
    folder: TempDir,
    relay_clock: Arc<AtomicI64>,
    starts: u64,
    wire: Option<Wire>,
    devices: Vec<Device>,
    chart: ChartId,
    clocks: &'c Clocks<'c>,
    noise: Noise,
    cheated: bool,
    /// Rounds in which the first device gets no answer.
    late: u32,
    /// Exchanges that a device did not wait for any longer.
    given_up: u64,
    dice: Dice,
    seed: u64,
    /// Of a hundred messages, so many are lost.
    loss: u64,
    now: u64,
    numbers: u64,
    queue: BTreeMap<(u64, u64), Event>,
    acts_left: u32,
    written: BTreeSet<String>,
    trace: Vec<u8>,
}

/// Randomness of a seed and a clock of its own.
pub(crate) fn surroundings_at(seed: u64, now_ms: i64) -> (Surroundings, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(now_ms));
    let shared: Arc<dyn Clock> = clock.clone();
    (Surroundings { clock: shared, ..surroundings(seed) }, clock)
}

fn open_relay(folder: &TempDir, clock: &Arc<AtomicI64>, seed: u64) -> Relay {
    let time = Arc::clone(clock);
    let open = Rate { burst: 1e9, per_second: 1e9 };
    let limits = Limits {
        requests_per_source: open,
        failures_per_source: open,
        syncs_per_device: open,
        ..Limits::default()
    };
    let options = RelayOptions {
        limits,
        entropy: Arc::new(SeededEntropy::new(seed)),
        clock: Arc::new(move || time.load(Ordering::SeqCst)),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    Relay::open(folder.path(), options).expect("a folder takes a relay")
}

/// A folder in memory where the system has such: the simulation is not about disks.
fn folder() -> TempDir {
    let in_memory = std::path::Path::new("/dev/shm");
    let made = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// One run of a seed.
pub(crate) fn run(seed: u64, noise: Noise, clocks: &Clocks<'_>) -> Run {
    let mut world = World::new(seed, noise, clocks);
    let mut outcome = world.live();
    if outcome.is_ok() {
        outcome = world.heal();
    }
    Run { outcome, trace: sha256(&world.trace), cheated: world.cheated }
}

impl<'c> World<'c> {
    fn new(seed: u64, noise: Noise, clocks: &'c Clocks<'c>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (folder, relay_clock) = (folder(), Arc::new(AtomicI64::new(NOW_MS)));
        let relay = open_relay(&folder, &relay_clock, seed);
        let dice = Dice::new(seed);
        let clock_of = |dice: &Dice| match clocks {
            Clocks::Right => NOW_MS,
            Clocks::Wrong(by) => NOW_MS + dice.choose(by).copied().unwrap_or(0),
        };
        let (around, clock) = surroundings_at(seed, clock_of(&dice));
        let mut phone = first_device(&Location::Memory, around);
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Ibu Ratna", None, Relation::Mother, None).expect("a chart");
        let mut sessions = vec![(phone, clock)];
        for (n, name) in ["laptop", "tablet"].into_iter().enumerate() {
            let (around, clock) = surroundings_at(seed ^ ((n as u64 + 1) << 40), clock_of(&dice));
            let other = sessions[0].0.pair_for_tests(name, &Location::Memory, around);
            sessions.push((other, clock));
        }
        let code = relay.make_enrolment_code().expect("a code");
        let genesis = sessions[0].0.genesis_for_tests().expect("an account has a first entry");
        let wire = relay.wire().expect("a wire");
        let enrol = encode(&EnrolRequest { version: PROTOCOL_VERSION, code, genesis });
        let (status, _) = runtime.block_on(wire.ask("POST", "/v1/enrol", None, enrol));
        assert_eq!(status, 200, "the account is admitted");
        let device = |(session, clock)| Device {
            session: Some(session),
            clock,
            token: None,
            forms: 0,
            talk: Talk::Nothing,
            waits_for: 0,
            cut_off_until: 0,
            deaf_until: 0,
        };
        let loss = dice.below(31);
        Self {
            runtime,
            folder,
            relay_clock,
            starts: 1,
            wire: Some(wire),
            devices: sessions.into_iter().map(device).collect(),
            chart,
            clocks,
            noise,
            cheated: false,
            late: 0,
            given_up: 0,
            dice,
            seed,
            loss,
            now: 0,
            numbers: 0,
            queue: BTreeMap::new(),
            acts_left: ACTS,
            written: BTreeSet::new(),
            trace: Vec::new(),
        }
    }

    fn at(&mut self, after_ms: u64, event: Event) -> u64 {
        self.numbers += 1;
        self.queue.insert((self.now + after_ms, self.numbers), event);
        self.numbers
    }

    fn note(&mut self, what: &str, bytes: &[u8]) {
        self.trace.extend_from_slice(format!("{} {what} {};", self.now, sha256(bytes)).as_bytes());
    }

    fn device(&mut self, at: usize) -> &mut Session {
        self.devices[at].session.as_mut().expect("a device is only away within its restart")
    }

    /// Until nobody has anything left to do.
    fn live(&mut self) -> Result<(), String> {
        for device in 0..DEVICES {
            let after = self.dice.below(MAX_DELAY_MS);
            self.at(after, Event::Act(device));
        }
        while let Some(((now, _), event)) = self.queue.pop_first() {
            let passed = i64::try_from(now - self.now).expect("a short run");
            self.now = now;
            self.relay_clock.fetch_add(passed, Ordering::SeqCst);
            for device in &self.devices {
                device.clock.advance(passed);
            }
            self.handle(event)?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Act(device) => self.act(device),
            Event::ToRelay { device, number, path, token, body } => {
                let Some(wire) = &self.wire else { return Ok(()) };
                let (status, answer) = self.runtime.block_on(wire.ask("POST", path, token.as_deref(), body));
                self.note(path, &answer);
                let doubled = 1 + u64::from(self.dice.once_in(20));
                for _ in 0..doubled {
                    self.send(device, |_| Event::ToDevice { device, number, status, body: answer.clone() });
                }
                Ok(())
            }
            Event::ToDevice { device, number, status, body } => {
                let late = self.late > 0 && device == 0;
                let deaf = self.devices[device].deaf_until > self.now;
                if self.devices[device].waits_for != number || deaf || late {
                    return Ok(());
                }
                self.hear(device, status, &body)
            }
            Event::GiveUp { device, number } => {
                if self.devices[device].waits_for == number {
                    self.given_up += 1;
                    self.rest(device);
                }
                Ok(())
            }
            Event::RelayBack => {
                self.start_relay();
                Ok(())
            }
        }
    }

    fn start_relay(&mut self) {
        self.starts += 1;
        let relay = open_relay(&self.folder, &self.relay_clock, self.seed ^ (self.starts << 48));
        self.wire = relay.wire();
    }

    /// Puts a message on its way, if it is not lost on it.
    fn send(&mut self, device: usize, event: impl FnOnce(u64) -> Event) {
        let (lost, delay) = (self.dice.below(100) < self.loss, self.dice.below(MAX_DELAY_MS));
        let cut_off = self.devices[device].cut_off_until > self.now;
        if lost || cut_off {
            return;
        }
        let number = self.devices[device].waits_for;
        let event = event(number);
        self.at(delay, event);
    }

    fn rest(&mut self, device: usize) {
        self.devices[device].talk = Talk::Nothing;
        self.devices[device].waits_for = 0;
    }

    /// What a device does of itself.
    fn act(&mut self, device: usize) -> Result<(), String> {
        if self.acts_left == 0 {
            return Ok(());
        }
        self.acts_left -= 1;
        let pause = self.dice.below(MAX_DELAY_MS);
        self.at(pause, Event::Act(device));
        match self.dice.below(24) {
            0..=9 => self.edit(device),
            10..=18 => self.ask(device)?,
            19 => self.devices[device].cut_off_until = self.now + self.dice.below(10_000),
            20 => self.devices[device].deaf_until = self.now + self.dice.below(10_000),
            21 => {
                if let Clocks::Wrong(by) = self.clocks {
                    let step = self.dice.choose(by).copied().unwrap_or(0);
                    self.devices[device].clock.advance(step);
                }
            }
            22 => {
                let session = self.devices[device].session.take().expect("it is here");
                self.devices[device].session = Some(session.restart().expect("a vault opens again"));
                self.devices[device].token = None;
                self.rest(device);
            }
            _ => {
                if self.wire.take().is_some() {
                    let away = self.dice.below(4_000);
                    self.at(away, Event::RelayBack);
                }
            }
        }
        Ok(())
    }

    /// Adds an entry, or changes the dose of one.
    fn edit(&mut self, device: usize) {
        let (chart, fresh, pick) = (self.chart, self.dice.once_in(2), self.dice.bits());
        let name = format!("medicine {} of device {device}", self.written.len());
        let session = self.device(device);
        if !session.charts().contains(&chart) {
            return;
        }
        let rows: Vec<ItemKey> =
            session.rows(chart).expect("rows load").newest().iter().map(|row| row.key).collect();
        if fresh || rows.is_empty() {
            let fields = vec![(Field::Name, name.clone()), (Field::Dose, "1".to_owned())];
            session.add(chart, Kind::MedicationStatement, fields).expect("an entry is added");
            self.written.insert(name);
            return;
        }
        let key = rows[usize::try_from(pick % rows.len() as u64).expect("an index")];
        session.set(chart, key, vec![(Field::Dose, Some(format!("{}", pick % 7)))]).expect("a field changes");
    }

    /// Begins to exchange, unless it does already.
    fn ask(&mut self, device: usize) -> Result<(), String> {
        if self.devices[device].waits_for != 0 {
            return Ok(());
        }
        if self.devices[device].token.is_none() {
            self.say(device, "/v1/challenge", &[], Talk::Challenge);
            return Ok(());
        }
        let request = self.device(device).request().map_err(|error| error.to_string())?;
        let forms = self.devices[device].forms;
        let body = encode(&self.device(device).said(&request, forms));
        self.say(device, "/v1/sync", &body, Talk::Answer(Box::new(request)));
        Ok(())
    }

    fn say(&mut self, device: usize, path: &'static str, body: &[u8], talk: Talk) {
        self.note(path, body);
        let number = self.numbers + 1;
        let given_up = self.at(PATIENCE_MS, Event::GiveUp { device, number });
        debug_assert_eq!(given_up, number, "numbers go up one by one");
        self.devices[device].talk = talk;
        self.devices[device].waits_for = number;
        let doubled = 1 + u64::from(self.dice.once_in(20));
        for _ in 0..doubled {
            let (token, body) = (self.devices[device].token.clone(), body.to_vec());
            self.send(device, |number| Event::ToRelay { device, number, path, token, body });
        }
    }

    /// Takes an answer in.
    fn hear(&mut self, device: usize, status: u16, body: &[u8]) -> Result<(), String> {
        self.note("heard", body);
        let talk = std::mem::replace(&mut self.devices[device].talk, Talk::Nothing);
        self.rest(device);
        if status == 401 {
            self.devices[device].token = None;
            return Ok(());
        }
        if status != 200 {
            return Err(format!("device {device} was refused with {status}"));
        }
        match talk {
            Talk::Nothing => Ok(()),
            Talk::Challenge => {
                let challenge: Challenge = decode(body, LARGEST).map_err(|error| error.to_string())?;
                let Challenge { nonce, server_time_ms, server } = challenge;
                let (key, account, device_id, incarnation) = self.device(device).sign_in_for_tests();
                let claim = SignIn { server, nonce, server_time_ms, account, device: device_id, incarnation };
                let signed = encode(&Signed::sign(claim, &key));
                self.say(device, "/v1/session?forms=1", &signed, Talk::Grant);
                Ok(())
            }
            Talk::Grant => {
                let grant: SessionGrant = decode(body, LARGEST).map_err(|error| error.to_string())?;
                self.devices[device].token = Some(grant.token.to_hex());
                self.devices[device].forms = grant.forms.ok_or("the relay knows no short forms")?;
                self.ask(device)
            }
            Talk::Answer(request) => {
                let mut response: SyncResponse = decode(body, LARGEST).map_err(|error| error.to_string())?;
                self.leave_out(&mut response);
                let taken = self.device(device).accept(&request, &response);
                if taken.map_err(|error| format!("device {device}: {error}"))?.more {
                    self.ask(device)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// The control's network.
    fn leave_out(&mut self, response: &mut SyncResponse) {
        if self.noise != Noise::LeavesOut || self.cheated {
            return;
        }
        let brings = |item: &Item| matches!(item, Item::Batch { push, .. } if !push.envelopes.is_empty());
        if let Some(at) = response.items.iter().position(brings) {
            response.items.remove(at);
            self.cheated = true;
        }
    }
}
