//! Random orders of everything that a cut can meet: writing, removing with and without a moment, leaving, ends by date, letting in
//! again, erasing, pruning, lost answers, half exchanges and restarts. At the end all who may read show the same.

use std::cell::Cell;
use std::collections::BTreeSet;

use mecum_api::{ChartArgs, EntryEraseArgs, MemberRemoveArgs};
use mecum_client::testing::NOW_MS;
use mecum_client::{Clock, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_sync::Role;
use mecum_testkit::Dice;
use mecum_vault::Location;

use crate::world::{DAY_MS, Server};

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Ratna's three devices; the last may be stolen. Then Ani's.
const PHONE: usize = 0;
const LAPTOP: usize = 1;
const TABLET: usize = 2;
const ANI: usize = 3;

const YEARS: [&str; 3] = ["2026-05-01", "2019-05-01", "2020-05-01"];

pub(crate) struct Play {
    server: Server,
    dice: Dice,
    devices: Vec<Option<Session>>,
    chart: ChartId,
    /// Names that the phone or the laptop wrote.
    honest: BTreeSet<String>,
    /// Names of entries that were to be erased.
    erased: BTreeSet<String>,
    stolen: bool,
    written: u32,
    acts: Vec<String>,
}

/// Plays a seed; what is wrong at its end, if anything, with what was done.
pub(crate) fn play(seed: u64, acts: u32) -> Result<(), String> {
    play_at(Server::new(seed), seed, acts).map(drop)
}

/// The same where everybody folds what they can after each round. Answers how many runs of logs that were.
pub(crate) fn play_folding(seed: u64, acts: u32) -> Result<usize, String> {
    let mut server = Server::new(seed);
    server.folds = Some(Cell::default());
    play_at(server, seed, acts).map(|server| server.folds.map_or(0, Cell::into_inner))
}

fn play_at(server: Server, seed: u64, acts: u32) -> Result<Server, String> {
    let mut play = Play::new(server, seed);
    for _ in 0..acts {
        play.act();
    }
    play.end().map_err(|why| format!("seed {seed}: {why}\n{}", play.acts.join("\n")))?;
    Ok(play.server)
}

impl Play {
    fn new(server: Server, seed: u64) -> Self {
        let dice = Dice::new(seed);
        let mut phone = server.account(seed);
        let chart = phone.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
        let fields = vec![(Field::Name, "first".to_owned()), (Field::Dose, "1".to_owned())];
        phone.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, server.around(seed ^ (1 << 40)));
        let tablet = phone.pair_for_tests("tablet", &Location::Memory, server.around(seed ^ (2 << 40)));
        let mut ani = server.account(seed ^ (3 << 40));
        ani.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        server.exchange(&mut phone).expect("exchanges");
        let role = if dice.once_in(3) { Role::Manager } else { Role::Writer };
        phone.let_in_for_tests(chart, Section::Medications, role, &mut ani);
        let devices = [phone, laptop, tablet, ani].into_iter().map(Some).collect();
        let mut play = Self {
            server,
            dice,
            devices,
            chart,
            honest: BTreeSet::from(["first".to_owned()]),
            erased: BTreeSet::new(),
            stolen: false,
            written: 0,
            acts: Vec::new(),
        };
        for _ in 0..3 {
            for device in 0..play.devices.len() {
                play.exchange(device).expect("exchanges");
            }
        }
        play
    }

    fn device(&mut self, device: usize) -> &mut Session {
        self.devices[device].as_mut().expect("it is only away within its restart")
    }

    fn exchange(&mut self, device: usize) -> Result<(), String> {
        let session = self.devices[device].as_mut().expect("it is only away within its restart");
        self.server.exchange(session)
    }

    fn note(&mut self, device: usize, what: &str) {
        let hour = (self.server.clock.now_ms() - NOW_MS) / HOUR_MS;
        self.acts.push(format!("hour {hour}: device {device} {what}"));
    }

    fn below(&self, n: usize) -> usize {
        usize::try_from(self.dice.below(n as u64)).expect("an index")
    }

    fn act(&mut self) {
        let device = self.below(4);
        if device == TABLET && self.stolen && self.dice.once_in(2) {
            // Whoever has it does not always get through.
            return;
        }
        match self.dice.below(100) {
            0..=29 => self.write(device),
            30..=41 => self.change(device),
            42..=71 => self.talk(device),
            72..=75 => self.lose(device),
            76..=81 => {
                let hours = i64::try_from(self.dice.below(40)).expect("hours");
                self.server.clock.advance(hours * HOUR_MS);
            }
            82..=84 => self.restart(device),
            85..=88 => self.remove_ani(device),
            89..=92 => self.let_in(device),
            93 => self.leave(),
            94..=95 => self.steal(device),
            96..=98 => self.erase(device),
            _ => self.prune(),
        }
    }

    fn write(&mut self, device: usize) {
        self.written += 1;
        let (chart, name) = (self.chart, format!("word {} of {device}", self.written));
        let year = YEARS[self.below(YEARS.len())];
        let fields = vec![
            (Field::Name, name.clone()),
            (Field::Dose, "1".to_owned()),
            (Field::Effective, year.to_owned()),
        ];
        let wrote = self.device(device).add(chart, Kind::MedicationStatement, fields);
        self.note(device, &format!("writes {name} of {year}: {}", wrote.is_ok()));
        if wrote.is_ok() && device < TABLET {
            self.honest.insert(name);
        }
    }

    fn rows(&mut self, device: usize) -> Vec<(ItemKey, String)> {
        let chart = self.chart;
        let Ok(rows) = self.device(device).rows(chart) else { return Vec::new() };
        let medicine = |row: &&mecum_client::Row| row.kind() == Kind::MedicationStatement;
        let mut all: Vec<_> =
            rows.newest().into_iter().filter(medicine).map(|row| (row.key, row.title.clone())).collect();
        all.sort();
        all
    }

    fn change(&mut self, device: usize) {
        let rows = self.rows(device);
        if rows.is_empty() {
            return;
        }
        let (key, title) = rows[self.below(rows.len())].clone();
        let (chart, dose) = (self.chart, format!("{}", self.dice.below(9)));
        let set = self.device(device).set(chart, key, vec![(Field::Dose, Some(dose.clone()))]);
        self.note(device, &format!("sets {title} to {dose}: {}", set.is_ok()));
    }

    /// Exchanges, wholly or in part.
    fn talk(&mut self, device: usize) {
        let rounds = if self.dice.once_in(3) { 1 + self.below(2) } else { 100 };
        let session = self.devices[device].as_mut().expect("it is here");
        let how = self.server.rounds(session, rounds);
        self.note(device, &format!("exchanges in {rounds}: {how:?}"));
    }

    /// The server hears it, and its answer is lost.
    fn lose(&mut self, device: usize) {
        let session = self.devices[device].as_mut().expect("it is here");
        if let Ok(token) = self.server.sign_in(session) {
            let request = session.request().expect("a request");
            let heard = self.server.answer(&token, &request).is_ok();
            self.note(device, &format!("is heard ({heard}), and hears nothing"));
        }
    }

    fn restart(&mut self, device: usize) {
        let session = self.devices[device].take().expect("it is here");
        self.devices[device] = Some(session.restart().expect("a vault opens again"));
        self.note(device, "starts anew");
    }

    fn moment(&mut self) -> Option<i64> {
        let back = i64::try_from(self.dice.below(72)).expect("hours");
        self.dice.once_in(2).then(|| self.server.clock.now_ms() - back * HOUR_MS)
    }

    fn remove_ani(&mut self, device: usize) {
        if device > LAPTOP {
            return;
        }
        let (chart, moment) = (self.chart, self.moment());
        let account = self.device(ANI).account_for_tests();
        let args = MemberRemoveArgs { chart, account, nothing_after_ms: moment, ..Default::default() };
        let done = self.device(device).member_remove(&args).is_ok();
        let ago = moment.map(|at| (self.server.clock.now_ms() - at) / HOUR_MS);
        self.note(device, &format!("removes Ani, nothing of the last {ago:?} hours: {done}"));
    }

    fn let_in(&mut self, device: usize) {
        if device > LAPTOP {
            return;
        }
        let chart = self.chart;
        if self.device(device).guests_for_tests(chart, Section::Medications) > 0 {
            return;
        }
        let today = self.server.clock.today();
        let until = self.dice.once_in(2).then(|| today.to_string());
        let role = if self.dice.once_in(3) { Role::Manager } else { Role::Writer };
        let mut ani = self.devices[ANI].take().expect("she is here");
        let sections = vec![Section::Medications];
        self.device(device).let_in_until_for_tests(chart, sections, (role, until.as_deref()), &mut ani);
        self.devices[ANI] = Some(ani);
        self.note(device, &format!("lets Ani in as {role:?} until {until:?}"));
    }

    fn leave(&mut self) {
        let chart = self.chart;
        let done = self.device(ANI).chart_leave(&ChartArgs { chart }).is_ok();
        self.note(ANI, &format!("leaves: {done}"));
    }

    fn steal(&mut self, device: usize) {
        if device > LAPTOP || self.stolen {
            return;
        }
        let (moment, tablet) = (self.moment(), self.device(TABLET).installation().0);
        self.stolen = self.device(device).remove_device_for_tests(tablet, moment).is_ok();
        let ago = moment.map(|at| (self.server.clock.now_ms() - at) / HOUR_MS);
        let done = self.stolen;
        self.note(device, &format!("removes the tablet, nothing of the last {ago:?} hours: {done}"));
    }

    fn erase(&mut self, device: usize) {
        if device > LAPTOP {
            return;
        }
        let rows = self.rows(device);
        if rows.is_empty() {
            return;
        }
        let (key, title) = rows[self.below(rows.len())].clone();
        let args = EntryEraseArgs { chart: self.chart, entry: key.name(), reason: "not hers".into() };
        let done = self.device(device).entry_erase(&args).is_ok();
        if done {
            self.erased.insert(title.clone());
        }
        self.note(device, &format!("erases {title}: {done}"));
    }

    fn prune(&mut self) {
        self.server.clock.advance(91 * DAY_MS);
        let pruned = self.server.relay.sweep().expect("a sweep").pruned_envelopes;
        self.note(9, &format!("the server prunes {pruned}"));
    }

    /// Everybody exchanges until nothing moves, and then all who may read show the same.
    fn end(&mut self) -> Result<(), String> {
        let mut stopped: Vec<(usize, String)> = Vec::new();
        for _ in 0..8 {
            stopped.clear();
            for device in [PHONE, LAPTOP, TABLET, ANI] {
                if let Err(why) = self.exchange(device) {
                    stopped.push((device, why));
                }
            }
        }
        if let Some((device, why)) = stopped.iter().find(|(device, _)| *device != TABLET || !self.stolen) {
            return Err(format!("device {device} does not come to rest: {why}"));
        }
        let around = self.server.around(self.dice.bits());
        let later = self.device(PHONE).pair_for_tests("later", &Location::Memory, around);
        self.devices.push(Some(later));
        let later = self.devices.len() - 1;
        for device in [PHONE, later, LAPTOP, later] {
            self.exchange(device).map_err(|why| format!("device {device} at last: {why}"))?;
        }
        let phone = self.device(PHONE).fingerprint().expect("reads");
        for device in [LAPTOP, later] {
            let other = self.device(device).fingerprint().expect("reads");
            let keys: BTreeSet<&String> = phone.keys().chain(other.keys()).collect();
            if let Some(key) = keys.into_iter().find(|key| phone.get(*key) != other.get(*key)) {
                let (here, there) = (phone.get(key), other.get(key));
                return Err(format!("device {device} differs at {key}: phone {here:?}, it {there:?}"));
            }
        }
        let mut all: Vec<String> = self.rows(PHONE).into_iter().map(|(_, title)| title).collect();
        all.sort();
        if let Some(lost) =
            self.honest.iter().find(|name| !self.erased.contains(*name) && !all.contains(*name))
        {
            return Err(format!("the honest word {lost} is not seen; seen is {all:?}"));
        }
        for device in [PHONE, LAPTOP, later] {
            let aside = self.device(device).quarantined();
            if aside > 0 {
                return Err(format!("device {device} put {aside} aside"));
            }
        }
        let chart = self.chart;
        if self.device(PHONE).guests_for_tests(chart, Section::Medications) > 0 {
            let mut hers: Vec<String> = self.rows(ANI).into_iter().map(|(_, title)| title).collect();
            hers.sort();
            if hers != all {
                return Err(format!("Ani reads {hers:?}, the others {all:?}"));
            }
        }
        // Everybody writes once more, and it arrives.
        for device in [PHONE, LAPTOP] {
            self.write(device);
        }
        for device in [PHONE, LAPTOP, PHONE] {
            self.exchange(device).map_err(|why| format!("device {device} afterwards: {why}"))?;
        }
        if self.device(PHONE).fingerprint().expect("reads")
            != self.device(LAPTOP).fingerprint().expect("reads")
        {
            return Err("what is written afterwards does not arrive".to_owned());
        }
        for device in [PHONE, LAPTOP] {
            let session = self.devices[device].take().expect("it is here");
            let mut session = session.restart().expect("a vault opens again");
            let again = session.fingerprint().expect("reads");
            let before = self.devices[1 - device].as_mut().map(|other| other.fingerprint().expect("reads"));
            self.devices[device] = Some(session);
            if before.is_some_and(|before| before != again) {
                return Err(format!("device {device} shows something else after a restart"));
            }
        }
        Ok(())
    }
}
