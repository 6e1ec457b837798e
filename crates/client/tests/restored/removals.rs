//! A server that is restored to before somebody was removed: the first who knows of the removal brings it back before anything else,
//! and whoever fetched what was lost hands it over, in whose name it was.

use std::collections::BTreeSet;

use mecum_api::MemberRemoveArgs;
use mecum_client::Session;
use mecum_client::testing::surroundings;
use mecum_domain::Section;
use mecum_sync::Role;
use mecum_sync::controls::take_out;
use mecum_testkit::Dice;
use mecum_vault::Location;

use super::family::{DAY_MS, Family, dose, medicine, names};
use super::parted::{cases, first_seed};

/// Histories of one run. Source: the programme's row 19.
const HISTORIES: u64 = 200;

/// Who writes before the removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Phone,
    Laptop,
    Tablet,
    Ani,
}

/// Ratna's phone, laptop and tablet, and Ani, who writes in her medicines.
pub(crate) struct Removal {
    pub(crate) family: Family,
    pub(crate) tablet: Session,
    dice: Dice,
    written: u32,
    /// Whether Ani, or the tablet, was removed.
    pub(crate) gone: (bool, bool),
    /// With an account here, and in nothing until the tablet lets him in.
    pub(crate) budi: Session,
    let_in: bool,
    /// Who manages the section, too, on a device that the backup knows; and whom they let in on another one.
    manager: Option<(Session, Session)>,
}

impl Removal {
    pub(crate) fn new(seed: u64) -> Self {
        let mut family = Family::new(seed);
        family.server.folds = seed.is_multiple_of(2).then(std::cell::Cell::default);
        let around = family.server.around(seed ^ 0x3333);
        let tablet = family.phone.pair_for_tests("tablet", &Location::Memory, around);
        let budi = family.server.account(seed ^ 0x4444);
        Self {
            family,
            tablet,
            dice: Dice::new(seed),
            written: 0,
            gone: (false, false),
            budi,
            let_in: false,
            manager: None,
        }
    }

    /// Somebody who manages the section, too.
    pub(crate) fn with_a_manager(&mut self, seed: u64) -> Result<(), String> {
        let mut manager = self.family.server.account(seed ^ 0x5555);
        let chart = self.family.chart;
        self.family.phone.let_in_for_tests(chart, Section::Medications, Role::Manager, &mut manager);
        self.exchange(Who::Phone)?;
        let uncle = self.family.server.account(seed ^ 0x6666);
        self.manager = Some((manager, uncle));
        self.manager_comes()
    }

    /// The manager exchanges, on the device that the backup knows.
    pub(crate) fn manager_comes(&mut self) -> Result<(), String> {
        let Some((manager, _)) = &mut self.manager else { return Ok(()) };
        self.family.server.exchange(manager).map_err(|error| format!("manager: {error}"))
    }

    /// A new device of the manager's lets somebody in: by an entry that a server which loses it takes from that device's account alone.
    pub(crate) fn manager_signs(&mut self, seed: u64) -> Result<(), String> {
        let Some((manager, uncle)) = &mut self.manager else { return Ok(()) };
        let server = &self.family.server;
        let around = server.around(seed ^ 0x7777);
        let mut new = manager.pair_for_tests("new", &Location::Memory, around);
        new.accept_as_for_tests(manager);
        for _ in 0..2 {
            for session in [&mut *manager, &mut new] {
                server.exchange(session).map_err(|error| format!("manager: {error}"))?;
            }
        }
        new.let_in_for_tests(self.family.chart, Section::Medications, Role::Reader, uncle);
        server.exchange(&mut new).map_err(|error| format!("manager: {error}"))
    }

    fn session(&mut self, who: Who) -> &mut Session {
        match who {
            Who::Phone => &mut self.family.phone,
            Who::Laptop => &mut self.family.laptop,
            Who::Tablet => &mut self.tablet,
            Who::Ani => &mut self.family.ani,
        }
    }

    pub(crate) fn exchange(&mut self, who: Who) -> Result<(), String> {
        let Self { family, tablet, .. } = self;
        let session = match who {
            Who::Phone => &mut family.phone,
            Who::Laptop => &mut family.laptop,
            Who::Tablet => tablet,
            Who::Ani => &mut family.ani,
        };
        family.server.exchange(session).map_err(|error| format!("{who:?}: {error}"))
    }

    /// So many edits by some, most of which go out at once.
    fn edits(&mut self, by: &[Who], count: u64, what: &str) -> Result<(), String> {
        for _ in 0..count {
            let who = *self.dice.choose(by).expect("somebody");
            self.written += 1;
            let (number, chart, theirs) = (self.written, self.family.chart, self.family.medicine);
            if self.dice.once_in(4) {
                dose(self.session(who), chart, theirs, &format!("{number}"));
            } else {
                medicine(self.session(who), chart, &format!("{what} {number} by {who:?}"), None);
            }
            if !self.dice.once_in(4) {
                self.exchange(who)?;
            }
        }
        Ok(())
    }

    /// Ani, the tablet, or both are removed, on the phone or on the laptop.
    fn remove(&mut self) -> Result<Who, String> {
        let by = if self.dice.once_in(2) { Who::Phone } else { Who::Laptop };
        self.exchange(by)?;
        let (ani, tablet) = (self.family.ani.account_for_tests(), self.tablet.installation().0);
        self.gone = *self.dice.choose(&[(true, false), (false, true), (true, true)]).expect("one");
        let (gone, chart) = (self.gone, self.family.chart);
        // In one of two the last that a removed tablet does is an entry of the section's log.
        let signs = gone.1 && self.dice.once_in(2);
        if signs {
            let seed = self.dice.below(1 << 40);
            self.manager_signs(seed)?;
            self.tablet_signs()?;
            self.exchange(by)?;
        }
        let session = self.session(by);
        if gone.0 && !signs {
            let args = MemberRemoveArgs { chart, account: ani, ..MemberRemoveArgs::default() };
            session.member_remove(&args).map_err(|error| format!("{error:?}"))?;
        }
        if gone.1 {
            session.remove_device_for_tests(tablet, None).map_err(|error| format!("{error:?}"))?;
        }
        // The next word begins the epoch that a removed device has no key of.
        self.written += 1;
        let (number, chart) = (self.written, self.family.chart);
        medicine(self.session(by), chart, &format!("Secret {number} by {by:?}"), None);
        self.exchange(by)?;
        Ok(by)
    }

    /// The tablet removes Ani where she is to go, or else lets somebody in.
    pub(crate) fn tablet_signs(&mut self) -> Result<(), String> {
        self.exchange(Who::Tablet)?;
        let (chart, ani) = (self.family.chart, self.family.ani.account_for_tests());
        if self.gone.0 {
            let args = MemberRemoveArgs { chart, account: ani, ..MemberRemoveArgs::default() };
            self.tablet.member_remove(&args).map_err(|error| format!("{error:?}"))?;
        } else {
            self.tablet.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut self.budi);
            self.let_in = true;
        }
        self.exchange(Who::Tablet)
    }

    pub(crate) fn titles(&mut self, who: Who) -> BTreeSet<String> {
        let chart = self.family.chart;
        names(self.session(who), chart).into_iter().collect()
    }

    /// What is wrong with what a removed one is served, or may say.
    fn is_shut_out(&mut self, when: &str) -> Result<(), String> {
        if self.gone.1 && self.family.server.sign_in(&self.tablet).is_ok() {
            return Err(format!("{when}: the removed tablet signs in"));
        }
        if !self.gone.0 {
            return Ok(());
        }
        // Whatever stops her exchange is hers to see.
        let _ = self.exchange(Who::Ani);
        match self.titles(Who::Ani).iter().find(|title| title.starts_with("Secret")) {
            Some(title) => Err(format!("{when}: Ani reads {title}")),
            None => Ok(()),
        }
    }

    /// What is wrong in the end.
    fn history(&mut self) -> Result<(), String> {
        let all = [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani];
        for _ in 0..2 {
            for who in all {
                self.exchange(who)?;
            }
        }
        if self.dice.once_in(3) {
            let seed = self.dice.below(1 << 40);
            self.with_a_manager(seed)?;
            for who in all {
                self.exchange(who)?;
            }
        }
        let count = self.dice.below(6);
        self.edits(&all, count, "Before")?;
        let to = tempfile::tempdir().map_err(|error| error.to_string())?;
        let backup = self.family.server.backup(&to.path().join("backup"));
        // In one of twenty hundreds of pushes are lost.
        let many = if self.dice.once_in(20) { 120 } else { 0 };
        let count = many + self.dice.below(12);
        self.edits(&all, count, "Lost")?;
        for who in all {
            if self.dice.once_in(2) {
                self.exchange(who)?;
            }
        }
        self.family.server.clock.advance(DAY_MS / 24);
        let by = self.remove()?;
        let count = many + 1 + self.dice.below(8);
        let mut knows = vec![by];
        if self.dice.once_in(3) {
            // The other one hears of nothing before the server is put back.
            self.edits(&[by], count, "Secret")?;
        } else {
            // Who has not heard of every change of the membership and is the first to come back may make another in its place: that
            // is a fork to whoever had seen the first.
            for who in [Who::Phone, Who::Laptop, Who::Phone, Who::Laptop] {
                self.exchange(who)?;
            }
            knows = vec![Who::Phone, Who::Laptop];
            self.edits(&knows, count, "Secret")?;
        }
        for who in [Who::Phone, Who::Laptop] {
            if knows.contains(&who) && self.dice.once_in(2) {
                self.exchange(who)?;
            }
        }
        // As above: whoever comes back first has to have heard of every change.
        self.manager_comes()?;
        self.family.server.restore(&backup);
        self.is_back(by)
    }

    /// The server was put back. `by` knows of the removal.
    pub(crate) fn is_back(&mut self, by: Who) -> Result<(), String> {
        if self.dice.once_in(2) {
            // By that server's log they are still there; and there is nothing from after.
            let _ = self.exchange(Who::Ani);
            if let Some(title) = self.titles(Who::Ani).iter().find(|title| title.starts_with("Secret")) {
                return Err(format!("Ani reads {title} on a server that lost it"));
            }
        }
        let other = if by == Who::Phone { Who::Laptop } else { Who::Phone };
        let both = self.dice.once_in(2);
        let order = match (both, self.dice.once_in(2)) {
            (false, _) => vec![by],
            (true, false) => vec![by, other],
            (true, true) => vec![other, by],
        };
        let mut held = BTreeSet::new();
        for who in &order {
            held.extend(self.titles(*who));
        }
        let first_of_all = self.dice.once_in(2);
        if first_of_all {
            self.manager_comes()?;
        }
        for who in order.iter().chain(&order).chain(&order) {
            self.exchange(*who)?;
            if order.first().is_some_and(|first| {
                matches!((first, by), (Who::Phone, Who::Phone) | (Who::Laptop, Who::Laptop))
            }) {
                self.is_shut_out("after the first who knows")?;
            }
        }
        // Until the manager has come, nothing goes on behind what a device of theirs signed.
        for _ in 0..2 {
            self.manager_comes()?;
            for who in &order {
                self.exchange(*who)?;
            }
        }
        self.is_shut_out("in the end")?;
        let around = surroundings(self.dice.below(1 << 40));
        let mut fresh = self.session(by).pair_for_tests("new", &Location::Memory, around);
        self.exchange(by)?;
        self.family.server.exchange(&mut fresh).map_err(|error| format!("fresh: {error}"))?;
        for who in &order {
            self.exchange(*who)?;
        }
        self.family.server.exchange(&mut fresh).map_err(|error| format!("fresh: {error}"))?;
        let shown: BTreeSet<String> = names(&fresh, self.family.chart).into_iter().collect();
        if let Some(missing) = held.iter().find(|title| !shown.contains(*title)) {
            return Err(format!("who comes later lacks {missing}"));
        }
        if self.let_in {
            self.family.server.exchange(&mut self.budi).map_err(|error| format!("let in: {error}"))?;
            let titles = names(&self.budi, self.family.chart);
            if let Some(missing) = titles.iter().find(|title| !shown.contains(*title)) {
                return Err(format!("who comes later lacks {missing}, which another reads"));
            }
            if titles.len() != shown.len() {
                return Err("who was let in reads something else".to_owned());
            }
        }
        let whole = fresh.fingerprint().map_err(|error| error.to_string())?;
        for who in &order {
            let session = self.session(*who);
            if session.quarantined() > 0 || session.has_something_to_say() {
                return Err(format!("{who:?} put something aside, or is not done"));
            }
            if session.fingerprint().map_err(|error| error.to_string())? != whole {
                return Err(format!("{who:?} has something else than who comes later"));
            }
        }
        if !self.family.server.is_sound() {
            return Err("the server is not sound".to_owned());
        }
        Ok(())
    }
}

#[test]
fn a_server_that_lost_a_removal_gets_it_back_first_and_with_it_everything_that_anybody_holds() {
    let (first, count) = (first_seed(), cases(HISTORIES));
    println!("seeds {first}..{}", first + count);
    let mut failed = Vec::new();
    for seed in first..first + count {
        if let Err(why) = Removal::new(seed).history() {
            failed.push(format!("seed {seed}: {why}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count}: {failed:#?}", failed.len());
}

#[test]
fn what_nobody_hands_over_to_a_restored_server_is_missed() {
    let mut missed = 0;
    for seed in 0..6 {
        let mut removal = Removal::new(seed);
        removal.family.server.drops_handed = true;
        missed += u32::from(removal.history().is_err_and(|why| why.starts_with("who comes later lacks")));
    }
    assert!(missed > 2, "the control fails: {missed} of 6");
}

#[test]
fn what_a_removed_device_had_signed_and_no_account_stands_for_keeps_a_section_from_going_on() {
    let _out = take_out(&["uphold"]);
    let mut missed = 0;
    for seed in 0..30 {
        missed += u32::from(Removal::new(seed).history().is_err());
    }
    assert!(missed > 2, "the control fails: {missed} of 30");
}

#[test]
fn a_removal_that_is_decided_on_a_restored_server_cuts_alike_where_more_had_been_seen() {
    for folds in [false, true] {
        let mut family = Family::new(41);
        family.server.folds = folds.then(std::cell::Cell::default);
        let chart = family.chart;
        medicine(&mut family.ani, chart, "Before", None);
        family.settle().expect("an honest server is followed");
        let to = tempfile::tempdir().expect("a folder");
        let backup = family.server.backup(&to.path().join("backup"));
        for name in ["Seen by the laptop", "And this"] {
            medicine(&mut family.ani, chart, name, None);
            family.server.exchange(&mut family.ani).expect("an exchange");
        }
        family.server.exchange(&mut family.laptop).expect("an exchange");
        let key = medicine(&mut family.laptop, chart, "On top of it", None);
        family.server.exchange(&mut family.laptop).expect("an exchange");
        family.server.restore(&backup);
        // The phone had seen nothing of that, and decides.
        family.remove_ani(None);
        for _ in 0..2 {
            family.server.exchange(&mut family.phone).expect("an exchange");
        }
        for _ in 0..3 {
            family.server.exchange(&mut family.laptop).expect("an exchange");
            family.server.exchange(&mut family.phone).expect("an exchange");
        }
        dose(&mut family.laptop, chart, key, "3");
        for _ in 0..2 {
            family.server.exchange(&mut family.laptop).expect("an exchange");
            family.server.exchange(&mut family.phone).expect("an exchange");
        }
        family.same();
        let around = family.server.around(47);
        let mut fresh = family.phone.pair_for_tests("new", &Location::Memory, around);
        family.server.exchange(&mut family.phone).expect("an exchange");
        family.server.exchange(&mut fresh).expect("an exchange");
        for (who, session) in [("phone", &family.phone), ("laptop", &family.laptop), ("new", &fresh)] {
            let has = names(session, chart);
            assert_eq!(has, ["Amlodipine", "Before", "On top of it"], "{who}: what came later is void");
        }
        assert!(family.server.is_sound(), "and the server is sound");
    }
}

#[test]
fn a_cut_between_what_a_restored_server_has_and_what_is_held_is_made_alike_everywhere() {
    for folds in [false, true] {
        let mut family = Family::new(43);
        family.server.folds = folds.then(std::cell::Cell::default);
        let chart = family.chart;
        let to = tempfile::tempdir().expect("a folder");
        let backup = family.server.backup(&to.path().join("backup"));
        for name in ["On Monday", "On Wednesday", "On Friday"] {
            medicine(&mut family.ani, chart, name, None);
            family.settle().expect("an honest server is followed");
            family.server.clock.advance(2 * DAY_MS);
        }
        let key = medicine(&mut family.laptop, chart, "On top of it", None);
        family.settle().expect("an honest server is followed");
        family.server.restore(&backup);
        family.remove_ani(Some(mecum_client::testing::NOW_MS + DAY_MS));
        for _ in 0..3 {
            family.server.exchange(&mut family.phone).expect("an exchange");
            family.server.exchange(&mut family.laptop).expect("an exchange");
        }
        dose(&mut family.laptop, chart, key, "3");
        for _ in 0..2 {
            family.server.exchange(&mut family.laptop).expect("an exchange");
            family.server.exchange(&mut family.phone).expect("an exchange");
        }
        family.same();
        let around = family.server.around(49);
        let mut fresh = family.phone.pair_for_tests("new", &Location::Memory, around);
        family.server.exchange(&mut family.phone).expect("an exchange");
        family.server.exchange(&mut fresh).expect("an exchange");
        for (who, session) in [("phone", &family.phone), ("laptop", &family.laptop), ("new", &fresh)] {
            let has = names(session, chart);
            assert_eq!(
                has,
                ["Amlodipine", "On Monday", "On top of it"],
                "{who}: what came in time, and no more"
            );
        }
        assert!(family.server.is_sound(), "and the server is sound");
    }
}
