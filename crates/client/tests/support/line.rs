//! Sessions of one account at a real relay over TCP whose clock stands still until a test moves it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_client::remote::{Remote, RemoteError, Session as SignedIn};
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Edit, Field, Kind, Relation};
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_sync::{Item, RefusalCode};
use mecum_testkit::generate_mixed;
use mecum_vault::Location;
use tokio::sync::oneshot;

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Connections that may end in one exchange.
const MOST_CUTS: usize = 5;

/// An installation at a relay.
pub(crate) struct Device {
    pub(crate) session: Session,
    pub(crate) remote: Remote,
    pub(crate) signed_in: SignedIn,
}

/// What a whole exchange brought, by kind of item, and how often reading began again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    pub(crate) batches: usize,
    pub(crate) snapshots: usize,
    pub(crate) begun_again: usize,
    /// How often the vault was found to be an older copy of itself.
    pub(crate) rolled_back: usize,
    /// Why a snapshot was last refused.
    pub(crate) refused: String,
}

pub(crate) struct Line {
    pub(crate) relay: Relay,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<AtomicI64>,
    prune_envelopes: u64,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

fn options(clock: &Arc<AtomicI64>, prune_envelopes: u64) -> RelayOptions {
    let open = Rate { burst: 1e9, per_second: 1e9 };
    let limits = Limits {
        prune_envelopes,
        requests_per_source: open,
        failures_per_source: open,
        syncs_per_device: open,
        ..Limits::default()
    };
    let clock = Arc::clone(clock);
    RelayOptions {
        log: Arc::new(|_| {}),
        limits,
        clock: Arc::new(move || clock.load(Ordering::SeqCst)),
        ..RelayOptions::default()
    }
}

impl Line {
    pub(crate) async fn start() -> Line {
        Self::start_pruning(1).await
    }

    /// With a server that asks for devices' word where so many envelopes could be pruned.
    pub(crate) async fn start_pruning(prune_envelopes: u64) -> Line {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let relay =
            Relay::open(folder.path(), options(&clock, prune_envelopes)).expect("a folder takes a relay");
        let mut line =
            Line { relay, folder, clock, prune_envelopes, url: String::new(), stop: None, task: None };
        line.serve().await;
        line
    }

    async fn serve(&mut self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.url = format!("http://{}", listener.local_addr().expect("bound"));
        let serving = self.relay.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        self.stop = Some(stop);
        self.task = Some(tokio::spawn(async move {
            let _ = serving.serve(listener, async { drop(stopped.await) }).await;
        }));
    }

    /// A backup of the server as it is now.
    pub(crate) fn backup(&self, to: &Path) -> PathBuf {
        mecum_relay::folder::backup(self.folder.path(), to, NOW_MS).expect("a backup").dir
    }

    /// The server goes on from a backup, at another port.
    pub(crate) async fn restore(&mut self, backup: &Path) {
        self.stop.take().map(|stop| stop.send(()));
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
        let empty = tempfile::tempdir().expect("a folder");
        let other = Relay::open(empty.path(), options(&self.clock, self.prune_envelopes))
            .expect("a folder takes a relay");
        self.relay = other;
        mecum_relay::folder::restore(backup, self.folder.path(), true, NOW_MS).expect("restored");
        self.relay = Relay::open(self.folder.path(), options(&self.clock, self.prune_envelopes))
            .expect("the folder opens");
        self.serve().await;
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Three months later the server prunes what was folded.
    pub(crate) fn prune(&self, what: &str) {
        self.later(91);
        assert!(self.relay.sweep().expect("a sweep").pruned_envelopes > 0, "it is pruned: {what}");
    }

    pub(crate) fn later(&self, days: i64) {
        self.clock.fetch_add(days * DAY_MS, Ordering::SeqCst);
    }

    /// Envelopes whose bodies are there, and how many there are at all.
    pub(crate) fn envelopes(&self) -> (i64, i64) {
        let c = rusqlite::Connection::open(self.folder.path().join("relay.sqlite")).expect("a database");
        let count = "SELECT count(*) FILTER (WHERE length(body) > 0), count(*) FROM envelope";
        c.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counted")
    }

    /// The server's own check of all that it has.
    pub(crate) fn is_sound(&self, when: &str) {
        let to = tempfile::tempdir().expect("a folder");
        let backup = self.backup(&to.path().join("copy"));
        std::fs::remove_file(backup.join("backup.txt")).expect("a folder like any");
        let checked = mecum_relay::folder::check(&backup).expect("it is read");
        assert!(checked.is_sound(), "{when}: {:?}", checked.findings);
    }

    pub(crate) async fn device(&self, session: Session) -> Device {
        let remote = Remote::new(&self.url, self.relay.key()).expect("an address");
        let signed_in = signed_in(&remote, &session).await;
        Device { session, remote, signed_in }
    }

    /// The same installation at the server as it is now.
    pub(crate) async fn again(&self, device: Device) -> Device {
        self.device(device.session).await
    }

    /// The first device of an account with a chart.
    pub(crate) async fn first(&self, seed: u64) -> (Device, ChartId) {
        self.first_in(surroundings(seed)).await
    }

    /// The same with surroundings of the test's own.
    pub(crate) async fn first_in(&self, around: Surroundings) -> (Device, ChartId) {
        self.founded(first_device(&Location::Memory, around)).await
    }

    /// The same with the vault at a place.
    pub(crate) async fn first_at(&self, seed: u64, at: &Location) -> (Device, ChartId) {
        self.founded(first_device(at, surroundings(seed))).await
    }

    async fn founded(&self, mut phone: Session) -> (Device, ChartId) {
        phone.pin_for_tests(self.relay.key());
        let chart = phone
            .create_chart("Laras", Some("1988-02-11"), Relation::Own, None)
            .expect("a fresh account takes a chart");
        let code = self.relay.make_enrolment_code().expect("a relay makes codes");
        let remote = Remote::new(&self.url, self.relay.key()).expect("an address");
        remote.enrol(&code, phone.genesis_for_tests().expect("a genesis")).await.expect("a fresh code");
        (self.device(phone).await, chart)
    }

    /// Two devices of one account that both wrote and know everything of each other, and the chart.
    pub(crate) async fn two(&self, seed: u64, entries: usize) -> Box<(Device, Device, ChartId)> {
        Box::pin(self.two_at(seed, entries, &Location::Memory)).await
    }

    /// The same with the first device's vault at a place.
    pub(crate) async fn two_at(
        &self,
        seed: u64,
        entries: usize,
        at: &Location,
    ) -> Box<(Device, Device, ChartId)> {
        let (mut phone, chart) = self.first_at(seed, at).await;
        let laptop = phone.session.pair_for_tests("laptop", &Location::Memory, surroundings(seed + 1));
        exchange(&mut phone).await;
        let mut laptop = self.device(laptop).await;
        exchange(&mut laptop).await;
        write(&mut [&mut phone, &mut laptop], chart, seed, entries).await;
        Box::new((phone, laptop, chart))
    }
}

/// Both write and know of each other in the end.
pub(crate) async fn write(devices: &mut [&mut Device; 2], chart: ChartId, seed: u64, entries: usize) {
    for (number, entry) in generate_mixed(seed, entries).into_iter().enumerate() {
        if !matches!(entry.edit, Edit::Set { .. }) {
            let session = &mut devices[usize::from(entry.author != 0)].session;
            let edit = vec![(entry.kind, entry.edit)];
            session.write_for_tests(chart, edit, false).expect("an honest edit");
        }
        if number % 40 == 0 {
            for device in devices.iter_mut() {
                exchange(device).await;
            }
        }
    }
    for _ in 0..3 {
        for device in devices.iter_mut() {
            exchange(device).await;
        }
    }
}

/// Signs in as the installation that the session is now: an older copy of a vault asks as another.
async fn signed_in(remote: &Remote, session: &Session) -> SignedIn {
    let (signing, account, ..) = session.sign_in_for_tests();
    let (device, incarnation) = session.installation();
    remote.sign_in(&signing, account, device, incarnation).await.expect("a known device")
}

/// One request and its answer. Answers what the server refused, if anything that nothing here has an answer to.
pub(crate) async fn exchange_once(device: &mut Device) -> Option<RefusalCode> {
    let request = device.session.request().expect("an open session says what it has");
    let said = device.session.said(&request, device.signed_in.forms);
    let response = device.remote.sync_as_said(&device.signed_in, &said).await.expect("a relay answers");
    match device.session.accept(&request, &response) {
        Ok(_) => None,
        Err(ExchangeError::Refused(code)) => Some(code),
        Err(error) => panic!("an honest relay is followed: {error:?}"),
    }
}

/// Exchanges until nothing is left to say or fetch, as the app does it: it begins again where the server asks for it.
pub(crate) async fn exchange(device: &mut Device) -> Brought {
    let mut brought = Brought::default();
    let mut cut = 0;
    for _ in 0..400 {
        let request = device.session.request().expect("an open session says what it has");
        let said = device.session.said(&request, device.signed_in.forms);
        let response = match device.remote.sync_as_said(&device.signed_in, &said).await {
            Ok(response) => response,
            Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::Resync => {
                brought.begun_again += 1;
                assert!(brought.begun_again < 4, "beginning again leads somewhere: {brought:?}");
                assert!(device.session.begin_again().expect("a vault takes it"), "it is a way on");
                continue;
            }
            Err(RemoteError::Unauthorised) => {
                // The pass ended.
                let (signing, account, ..) = device.session.sign_in_for_tests();
                let (name, incarnation) = device.session.installation();
                match device.remote.sign_in(&signing, account, name, incarnation).await {
                    Err(RemoteError::Offline) if cut < MOST_CUTS => cut += 1,
                    again => device.signed_in = again.expect("a known device"),
                }
                continue;
            }
            // A busy machine may let a connection end that waited for long.
            Err(RemoteError::Offline) if cut < MOST_CUTS => {
                cut += 1;
                continue;
            }
            Err(error) => panic!("a relay answers: {error:?}"),
        };
        for item in &response.items {
            match item {
                Item::Batch { push, .. } => brought.batches += usize::from(!push.envelopes.is_empty()),
                Item::Snapshot { .. } => brought.snapshots += 1,
                _ => {}
            }
        }
        match device.session.accept(&request, &response) {
            Ok(exchanged) if !exchanged.more => {
                if crate::FOLDS {
                    device.session.fold_everything_for_tests().expect("what the server has can be folded");
                }
                return brought;
            }
            Ok(_) => {}
            Err(ExchangeError::RolledBack) => {
                brought.rolled_back += 1;
                device.signed_in = signed_in(&device.remote, &device.session).await;
            }
            Err(error) => panic!("an honest relay is followed: {error:?}"),
        }
        if let Ok(Some(why)) = device.session.setting("no-snapshots") {
            brought.refused = String::from_utf8_lossy(&why).into_owned();
        }
    }
    let why = device.session.setting("no-snapshots").expect("a vault reads");
    let why = why.map(|why| String::from_utf8_lossy(&why).into_owned());
    panic!("the exchange comes to no end: {brought:?}, {why:?}")
}

/// A fold of every space at the server, verified by both devices.
pub(crate) async fn fold(line: &Line, phone: &mut Device, laptop: &mut Device, seed: u64) -> Session {
    let later = phone.session.pair_for_tests("another", &Location::Memory, surroundings(seed));
    for _ in 0..3 {
        exchange(phone).await;
        exchange(laptop).await;
    }
    let c = rusqlite::Connection::open(line.folder.path().join("relay.sqlite")).expect("a database");
    let waiting: i64 = c.query_row("SELECT count(*) FROM fold", [], |row| row.get(0)).expect("counted");
    assert!(waiting > 2, "a snapshot of each space was verified by two devices and waits: {waiting}");
    later
}

pub(crate) fn an_entry(session: &mut Session, chart: ChartId) -> ItemKey {
    let rows = session.rows(chart).expect("rows load");
    let row =
        rows.newest().into_iter().find(|row| row.kind == Kind::VitalSign.code()).expect("somebody measured");
    row.key
}

pub(crate) fn set(device: &mut Device, chart: ChartId, key: ItemKey, value: &str) {
    device.session.set(chart, key, vec![(Field::Value, Some(value.into()))]).expect("an entry takes a value");
}

/// That devices hold the same, to the last row.
pub(crate) fn same(devices: &mut [&mut Device], what: &str) {
    let whole = devices[0].session.fingerprint().expect("a session shows what it has");
    for (number, device) in devices.iter_mut().enumerate() {
        let has = device.session.fingerprint().expect("a session shows what it has");
        assert_eq!(has, whole, "{what}: device {number} has what device 0 has");
        let aside = device.session.put_aside_for_tests();
        assert!(aside.is_empty(), "{what}: and nothing was put aside on device {number}: {aside:?}");
    }
}
