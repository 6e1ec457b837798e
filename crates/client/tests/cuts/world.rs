//! A family over the real relay without sockets: Ratna's phone and laptop, and Ani, who writes in her medicines. One clock for all.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_api::{EntryEraseArgs, MemberRemoveArgs};
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{Clock, ExchangeError, FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::simulated::Wire;
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Envelope, SpaceId};
use mecum_sync::{
    AccountBody, AccountEntry, Challenge, EnrolRequest, FollowError, Outcome, PROTOCOL_VERSION, RefusalCode,
    Role, SessionGrant, SignIn, Signed, SyncRequest, SyncResponse, decode, encode,
};
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

const LARGEST: usize = 1 << 24;

/// The relay, and the clock that it shares with every device.
pub(crate) struct Server {
    runtime: Runtime,
    wire: Wire,
    pub(crate) relay: Relay,
    pub(crate) clock: Arc<FixedClock>,
    /// Whether every device folds what it can after each round, and how many runs of logs that were.
    pub(crate) folds: Option<Cell<usize>>,
    /// Whether what devices hand over never arrives: for controls.
    pub(crate) drops_handed: bool,
    seed: u64,
    folder: TempDir,
}

fn relay_in(folder: &Path, seed: u64, clock: &Arc<FixedClock>) -> Relay {
    let now = Arc::clone(clock);
    let open = Rate { burst: 1e9, per_second: 1e9 };
    let limits = Limits {
        requests_per_source: open,
        failures_per_source: open,
        syncs_per_device: open,
        prune_envelopes: 1,
        ..Limits::default()
    };
    let options = RelayOptions {
        limits,
        entropy: Arc::new(SeededEntropy::new(seed ^ (7 << 50))),
        clock: Arc::new(move || now.now_ms()),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    Relay::open(folder, options).expect("a relay")
}

impl Server {
    pub(crate) fn new(seed: u64) -> Self {
        let in_memory = std::path::Path::new("/dev/shm");
        let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let relay = relay_in(folder.path(), seed, &clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let wire = relay.wire().expect("a wire");
        Self { runtime, wire, relay, clock, folds: None, drops_handed: false, seed, folder }
    }

    /// A backup of the server as it is now.
    pub(crate) fn backup(&self, to: &Path) -> PathBuf {
        mecum_relay::folder::backup(self.folder.path(), to, self.clock.now_ms()).expect("a backup").dir
    }

    /// The server goes on from a backup.
    pub(crate) fn restore(&mut self, backup: &Path) {
        // Nothing holds the folder while it is put back.
        let other = tempfile::tempdir().expect("a folder");
        self.relay = relay_in(other.path(), self.seed, &self.clock);
        self.wire = self.relay.wire().expect("a wire");
        let (folder, now_ms) = (self.folder.path(), self.clock.now_ms());
        mecum_relay::folder::restore(backup, folder, true, now_ms).expect("restored");
        self.relay = relay_in(folder, self.seed, &self.clock);
        self.wire = self.relay.wire().expect("a wire");
    }

    /// The server's own check of all that it has.
    pub(crate) fn is_sound(&self) -> bool {
        let to = tempfile::tempdir().expect("a folder");
        let backup = self.backup(&to.path().join("copy"));
        std::fs::remove_file(backup.join("backup.txt")).expect("a folder like any");
        mecum_relay::folder::check(&backup).expect("it is read").is_sound()
    }

    pub(crate) fn around(&self, seed: u64) -> Surroundings {
        Surroundings { clock: Arc::clone(&self.clock) as Arc<dyn Clock>, ..surroundings(seed) }
    }

    fn ask(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let (status, answer) = self.runtime.block_on(self.wire.ask("POST", path, token, body));
        if status == 200 { Ok(answer) } else { Err(format!("{path} is refused with {status}")) }
    }

    /// Every envelope of a space in the server's files.
    pub(crate) fn stored(&self, space: SpaceId) -> Vec<Envelope> {
        let database =
            rusqlite::Connection::open(self.folder.path().join("relay.sqlite")).expect("a database");
        let mut rows = database.prepare("SELECT body FROM envelope WHERE space = ?1").expect("a table");
        let bodies = rows.query_map([space.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        bodies.flatten().filter_map(|body| Envelope::parse(&body).ok()).collect()
    }

    /// What every entry of an account's log that the server has is to do.
    pub(crate) fn account_bodies(&self) -> Vec<AccountBody> {
        let database =
            rusqlite::Connection::open(self.folder.path().join("relay.sqlite")).expect("a database");
        let mut rows = database.prepare("SELECT body FROM account_entry").expect("a table");
        let bodies = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        let entry = |bytes: Vec<u8>| decode::<Signed<AccountEntry>>(&bytes, LARGEST).expect("an entry");
        bodies.flatten().map(|bytes| entry(bytes).unverified().body.clone()).collect()
    }

    /// An account of its own with its first device.
    pub(crate) fn account(&self, seed: u64) -> Session {
        self.account_at(self.around(seed))
    }

    fn account_at(&self, around: Surroundings) -> Session {
        let mut session = first_device(&Location::Memory, around);
        session.pin_for_tests(self.relay.key());
        let code = self.relay.make_enrolment_code().expect("a code");
        let genesis = session.genesis_for_tests().expect("an account");
        let enrol = encode(&EnrolRequest { version: PROTOCOL_VERSION, code, genesis });
        self.ask("/v1/enrol", None, enrol).expect("enrolled");
        session
    }

    /// Signs in; the pass.
    pub(crate) fn sign_in(&self, session: &Session) -> Result<String, String> {
        let challenge = self.ask("/v1/challenge", None, Vec::new())?;
        let challenge: Challenge = decode(&challenge, LARGEST).map_err(|error| error.to_string())?;
        let Challenge { nonce, server_time_ms, server } = challenge;
        let (key, account, ..) = session.sign_in_for_tests();
        let (device, incarnation) = session.installation();
        let claim = SignIn { server, nonce, server_time_ms, account, device, incarnation };
        let grant = self.ask("/v1/session", None, encode(&Signed::sign(claim, &key)))?;
        decode::<SessionGrant>(&grant, LARGEST)
            .map(|grant| grant.token.to_hex())
            .map_err(|error| error.to_string())
    }

    pub(crate) fn answer(&self, token: &str, request: &SyncRequest) -> Result<SyncResponse, String> {
        let dropped = SyncRequest { handed: None, ..request.clone() };
        let said = if self.drops_handed { &dropped } else { request };
        let answer = self.ask("/v1/sync", Some(token), encode(said))?;
        decode(&answer, LARGEST).map_err(|error| error.to_string())
    }

    /// Exchanges until nothing is left to say or to fetch; says what stopped it, if something did.
    pub(crate) fn exchange(&self, session: &mut Session) -> Result<(), String> {
        self.rounds(session, 100).and_then(|rest| if rest { Ok(()) } else { Err("no rest".to_owned()) })
    }

    /// One round in which the server takes nothing, and refuses what is said to a membership log: how much that was.
    pub(crate) fn refuses(&self, session: &mut Session, code: RefusalCode) -> usize {
        let token = self.sign_in(session).expect("signs in");
        let request = session.request().expect("a request");
        let heard = SyncRequest { space_entries: Vec::new(), pushes: Vec::new(), ..request.clone() };
        let mut response = self.answer(&token, &heard).expect("an answer");
        response.space_outcomes = vec![Outcome::Refused(code.into()); request.space_entries.len()];
        let behind = Outcome::Refused(RefusalCode::BadMembershipHead.into());
        response.push_outcomes = vec![behind; request.pushes.len()];
        // What it refuses stops an exchange, and is said.
        let _ = session.accept(&request, &response);
        request.space_entries.len()
    }

    fn fold(&self, session: &mut Session) -> Result<(), String> {
        if let Some(runs) = self.folds.as_ref().filter(|_| session.commits_left_for_tests().is_none()) {
            let folded = session.fold_everything_for_tests().map_err(|error| format!("{error:?}"))?;
            runs.set(runs.get() + folded);
        }
        Ok(())
    }

    /// Rounds until a device would say something, which is not sent then. False if it never would.
    pub(crate) fn rounds_until(
        &self,
        session: &mut Session,
        says: impl Fn(&SyncRequest) -> bool,
    ) -> Result<bool, String> {
        let token = self.sign_in(session)?;
        for _ in 0..100 {
            let request = session.request().map_err(|error| format!("{error:?}"))?;
            if says(&request) {
                return Ok(true);
            }
            match self.answer(&token, &request) {
                Err(refused) if refused.ends_with("410") => {
                    session.begin_again().map_err(|error| format!("{error:?}"))?;
                }
                answer => {
                    let exchanged =
                        session.accept(&request, &answer?).map_err(|error| format!("{error:?}"))?;
                    if !exchanged.more {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(false)
    }

    /// So many rounds at most. True if nothing is left.
    pub(crate) fn rounds(&self, session: &mut Session, most: usize) -> Result<bool, String> {
        let mut token = self.sign_in(session)?;
        let mut began_again = false;
        for _ in 0..most {
            let request = session.request().map_err(|error| format!("{error:?}"))?;
            let response = match self.answer(&token, &request) {
                Err(refused) if refused.ends_with("410") => {
                    let again = session.begin_again().map_err(|error| format!("{error:?}"))?;
                    if again {
                        continue;
                    }
                    return Err("it begins again for ever".to_owned());
                }
                answer => answer?,
            };
            let accepted = session.accept(&request, &response);
            self.fold(session)?;
            match accepted {
                Ok(exchanged) if exchanged.more => {}
                Ok(_) => return Ok(true),
                Err(ExchangeError::RolledBack) => token = self.sign_in(session)?,
                // As the driver does, once: who is let in again takes the snapshot from the start.
                Err(ExchangeError::Follow(FollowError::SnapshotBeyond)) if !began_again => {
                    began_again = session.begin_again().map_err(|error| format!("{error:?}"))?;
                    if !began_again {
                        return Err("it begins again for ever".to_owned());
                    }
                }
                Err(error) => return Err(format!("{error:?}")),
            }
        }
        Ok(false)
    }
}

/// Ratna's phone and laptop, and Ani.
pub(crate) struct Family {
    pub(crate) server: Server,
    pub(crate) phone: Session,
    pub(crate) laptop: Session,
    pub(crate) ani: Session,
    pub(crate) chart: ChartId,
    pub(crate) medicine: ItemKey,
}

impl Family {
    pub(crate) fn new(seed: u64) -> Self {
        let server = Server::new(seed);
        let around = server.around(seed);
        Self::with(seed, server, around, None)
    }

    /// Ani is let in until a civil date.
    pub(crate) fn until(seed: u64, last_day: &str) -> Self {
        let server = Server::new(seed);
        let around = server.around(seed);
        Self::with(seed, server, around, Some(last_day))
    }

    /// The same; the phone's own clock stands still from here on.
    pub(crate) fn until_by_a_slow_clock(seed: u64, last_day: &str) -> Self {
        Self::with(seed, Server::new(seed), surroundings(seed), Some(last_day))
    }

    fn with(seed: u64, server: Server, around: Surroundings, last_day: Option<&str>) -> Self {
        println!("seed {seed}");
        let mut phone = server.account_at(around);
        let chart = phone.create_chart("Ratna", Some("1958-03-04"), Relation::Own, None).expect("a chart");
        let medicine = medicine(&mut phone, chart, "Amlodipine", None);
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, server.around(seed ^ 0x1111));
        let mut ani = server.account(seed ^ 0x2222);
        ani.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        server.exchange(&mut phone).expect("an honest server is followed");
        let sections = vec![Section::Medications];
        phone.let_in_until_for_tests(chart, sections, (Role::Writer, last_day), &mut ani);
        let mut family = Self { server, phone, laptop, ani, chart, medicine };
        family.settle().expect("an honest server is followed");
        family
    }

    /// Everybody exchanges until all have heard of all. What stops somebody now and then is said to the person, and is no end.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        let mut last = Ok(());
        for _ in 0..5 {
            last = Ok(());
            for session in [&mut self.phone, &mut self.laptop, &mut self.ani] {
                last = last.and(self.server.exchange(session));
            }
        }
        last
    }

    /// Removes Ani on the phone, so that nothing counts that came after a moment.
    pub(crate) fn remove_ani(&mut self, nothing_after_ms: Option<i64>) {
        let account = self.ani.account_for_tests();
        let args = MemberRemoveArgs { chart: self.chart, account, nothing_after_ms, ..Default::default() };
        self.phone.member_remove(&args).expect("she is removed");
    }

    pub(crate) fn erase(&mut self, entry: ItemKey) {
        let args = EntryEraseArgs { chart: self.chart, entry: entry.name(), reason: "not hers".into() };
        self.phone.entry_erase(&args).expect("it is decided");
    }

    /// Phone and laptop show the same, and nothing was put aside on either.
    pub(crate) fn same(&mut self) {
        let phone = self.phone.fingerprint().expect("reads");
        assert_eq!(phone, self.laptop.fingerprint().expect("reads"), "phone and laptop show the same");
        for (session, which) in [(&self.phone, "phone"), (&self.laptop, "laptop")] {
            assert_eq!(session.quarantined(), 0, "nothing was put aside on the {which}");
        }
    }

    /// A device that has seen everything makes a snapshot, and the server prunes what it stands for.
    pub(crate) fn prune(&mut self) {
        // The first snapshot waits since Ani came; the second holds what was written since.
        for n in 0..2 {
            let another = self.phone.pair_for_tests("another", &Location::Memory, self.server.around(97 + n));
            let phone = std::mem::replace(&mut self.phone, Session::for_tests(0));
            self.phone = phone.restart().expect("reopens");
            self.settle().expect("a snapshot is made and looked at");
            drop(another);
            self.server.clock.advance(91 * DAY_MS);
            assert!(self.server.relay.sweep().expect("a sweep").pruned_envelopes > 0, "the server pruned");
            self.settle().expect("goes on");
        }
    }
}

/// A new medicine, of a year.
pub(crate) fn medicine(who: &mut Session, chart: ChartId, name: &str, year: Option<&str>) -> ItemKey {
    let mut fields = vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())];
    fields.extend(year.map(|year| (Field::Effective, year.to_owned())));
    who.add(chart, Kind::MedicationStatement, fields).expect("a medicine is written")
}

pub(crate) fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

pub(crate) fn names(who: &Session, chart: ChartId) -> Vec<String> {
    let mut names = who.titles_for_tests(chart).expect("reads");
    names.sort();
    names
}
