//! A family at a real relay, made once; every attack gets copies of the victim's vault and of the server's folder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mecum_api::MemberRemoveArgs;
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{NOW_MS, Patience, Stopped, asks_to_begin_again, first_device, surroundings};
use mecum_client::{ExchangeError, FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::{AccountId, DeviceId, SigningKey, SpaceId, VerifyingKey};
use mecum_sync::testing::Actor;
use mecum_sync::{AccountLog, Push, Role, Signed, SpaceLog, SpaceSnapshot, Statement};
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::attack::Attack;
use crate::before::{choose_helpers, copy_files, erased, push_in, sealed_again};
use crate::transport::IMPATIENCE;

/// The folder of the server that knows of helpers.
pub(crate) const HELPED: &str = "server-of-helpers";
/// The last day of what is shared until a date: the one after everybody's.
const LAST_DAY: &str = "2026-09-09";
/// How long until it is over everywhere.
const UNTIL_IT_IS_OVER_MS: i64 = 3 * 24 * 60 * 60 * 1_000;
/// Rounds after which an exchange counts as one that never ends.
const ROUNDS: usize = 24;

pub(crate) struct Server {
    pub(crate) relay: Relay,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(folder: &Path) -> Server {
        // The day of the devices, whatever day it is.
        let began = Instant::now();
        let now_ms = move || NOW_MS + i64::try_from(began.elapsed().as_millis()).expect("not that long");
        let options =
            RelayOptions { log: Arc::new(|_| {}), clock: Arc::new(now_ms), ..RelayOptions::default() };
        let relay = Relay::open(folder, options).expect("a folder takes a relay");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let serving = relay.clone();
        let task = tokio::spawn(async move {
            let _ = serving.serve(listener, async { drop(stopped.await) }).await;
        });
        Server { relay, address, stop: Some(stop), task }
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().map(|stop| stop.send(()));
        let _ = self.task.await;
    }
}

/// A device and its way to a server.
pub(crate) struct Device {
    pub(crate) session: Session,
    pub(crate) url: String,
    pin: VerifyingKey,
    signed_in: Option<(Remote, SignedIn)>,
    /// It takes the short forms that the server says it knows: else everything is said in full, and a liar can read it.
    pub(crate) short: bool,
    /// A victim's.
    clock: Option<Arc<FixedClock>>,
    /// It waits so long for an answer, where that is not as long as others do.
    pub(crate) waits: Option<Duration>,
    /// It gave up after so many rounds: the exchange had no end.
    pub(crate) restless: bool,
}

impl Device {
    pub(crate) fn new(session: Session, url: &str, pin: VerifyingKey) -> Device {
        Device {
            session,
            url: url.to_owned(),
            pin,
            signed_in: None,
            short: false,
            clock: None,
            waits: None,
            restless: false,
        }
    }

    /// Lives on to when what was shared until a date is over.
    pub(crate) fn lives_on(&self) {
        if let Some(clock) = &self.clock {
            clock.advance(UNTIL_IT_IS_OVER_MS);
        }
    }

    /// Signs in at another server from now on.
    pub(crate) fn move_to(&mut self, server: &Server) {
        self.url = format!("http://{}", server.address);
        self.signed_in = None;
    }

    /// What the app's driver does in one exchange.
    async fn converse(&mut self) -> Result<(), Stopped> {
        if self.signed_in.is_none() {
            let mut remote = Remote::new(&self.url, self.pin).map_err(Stopped::Remote)?;
            if let Some(waits) = self.waits {
                remote = remote.waiting_for_tests(waits);
            }
            let (key, account, device, _) = self.session.sign_in_for_tests();
            let life = self.session.installation().1;
            let signed_in = remote.sign_in(&key, account, device, life).await.map_err(Stopped::Remote)?;
            self.signed_in = Some((remote, signed_in));
        }
        let Some((remote, signed_in)) = self.signed_in.clone() else { return Err(Stopped::NoServer) };
        let mut patience = Patience::default();
        self.session.begin_exchange_for_tests();
        for _ in 0..ROUNDS {
            let request = self.session.request().map_err(|error| Stopped::Exchange(error.into()))?;
            let forms = if self.short { signed_in.forms } else { 0 };
            let said = self.session.said(&request, forms);
            let response = remote.sync_as_said(&signed_in, &said).await.map_err(Stopped::Remote)?;
            let exchanged = self.session.accept(&request, &response).map_err(Stopped::Exchange)?;
            self.session.hear_of_requests(&response)?;
            if !exchanged.more {
                return Ok(());
            }
            patience.after(self.session.shown_so_far()).map_err(Stopped::Exchange)?;
        }
        self.restless = true;
        Ok(())
    }

    /// One exchange, with what the driver does about what it meets. `met` is called with the first thing that stopped it.
    pub(crate) async fn exchange(&mut self, met: impl FnOnce(&Session, &Stopped)) -> Result<(), Stopped> {
        let mut outcome = self.converse().await;
        if let Err(stopped) = &outcome {
            met(&self.session, stopped);
        }
        for _ in 0..2 {
            if self.restless || !asks_to_begin_again(&outcome) {
                break;
            }
            match self.session.begin_again() {
                Ok(true) => outcome = self.converse().await,
                Ok(false) => break,
                Err(error) => return Err(Stopped::Exchange(error.into())),
            }
            if !mecum_sync::controls::is_out("begin-once") {
                break;
            }
            self.restless = asks_to_begin_again(&outcome);
        }
        if matches!(outcome, Err(Stopped::Exchange(ExchangeError::RolledBack))) {
            self.signed_in = None;
            outcome = self.converse().await;
        }
        outcome
    }

    /// An exchange with somebody honest.
    pub(crate) async fn settle(&mut self) {
        self.exchange(|_, _| {}).await.expect("an honest server is followed");
    }
}

/// Who is lied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Victim {
    /// A tablet of the account that has not heard the latest.
    Tablet,
    /// A device that was just paired and holds nothing.
    Fresh,
    /// A tablet of the account that has heard everything, and that the account has helpers.
    Helped,
}

/// What the liar knows: everything that the server has, and whatever a member who was removed can give it.
pub(crate) struct Facts {
    pub(crate) server: SigningKey,
    pub(crate) account: AccountId,
    pub(crate) phone: DeviceId,
    pub(crate) medicines: SpaceId,
    pub(crate) notes: SpaceId,
    pub(crate) account_log: AccountLog,
    pub(crate) medicines_log: SpaceLog,
    pub(crate) bima: AccountId,
    pub(crate) bima_device: DeviceId,
    pub(crate) bima_key: SigningKey,
    /// What he wrote without knowing that he was removed.
    pub(crate) late: Push,
    /// The same words under the membership that removed him.
    pub(crate) as_member: Push,
    /// Where the tablet stood in its inbox.
    pub(crate) tablet_cursor: u64,
    /// An earlier statement of the phone about its notes.
    pub(crate) earlier: Signed<Statement>,
    /// What a member folds and signs of a section from which something was erased, without the document that took its place.
    pub(crate) lacking: SpaceSnapshot,
}

pub(crate) struct World {
    folder: TempDir,
    pub(crate) facts: Arc<Facts>,
    pub(crate) chart: ChartId,
    /// The record as the phone has it.
    pub(crate) truth: BTreeMap<String, String>,
}

fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

fn note(who: &mut Session, chart: ChartId, text: &str) {
    who.add(chart, Kind::Note, vec![(Field::Text, text.to_owned())]).expect("a note is written");
}

pub(crate) async fn enrolled(server: &Server, seed: u64) -> Device {
    let mut session = first_device(&Location::Memory, surroundings(seed));
    session.pin_for_tests(server.relay.key());
    let url = format!("http://{}", server.address);
    let remote = Remote::new(&url, server.relay.key()).expect("an address");
    let code = server.relay.make_enrolment_code().expect("a code");
    remote.enrol(&code, session.genesis_for_tests().expect("a genesis")).await.expect("enrolled");
    Device::new(session, &url, server.relay.key())
}

impl World {
    pub(crate) async fn new(seed: u64) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("server");
        let server = Server::start(&data).await;
        let url = format!("http://{}", server.address);
        let mut phone = enrolled(&server, seed).await;
        let chart = phone
            .session
            .create_chart("Laras", Some("1988-02-11"), Relation::Own, None)
            .expect("a fresh account takes a chart");
        let name = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.session.add(chart, Kind::MedicationStatement, name).expect("a medicine");
        note(&mut phone.session, chart, "slept badly");
        let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(seed + 1));
        let mut tablet = Device::new(tablet, &url, server.relay.key());
        let mut bima = enrolled(&server, seed + 2).await;
        phone.settle().await;
        phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut bima.session);
        let mut citra = enrolled(&server, seed + 5).await;
        let until = (Role::Reader, Some(LAST_DAY));
        phone.session.let_in_until_for_tests(chart, vec![Section::Family], until, &mut citra.session);
        for _ in 0..2 {
            for device in [&mut phone, &mut tablet, &mut bima, &mut citra] {
                device.settle().await;
            }
        }
        let measured = erased(&mut phone, &mut tablet, chart).await;
        let tablet_cursor = tablet.session.shown_so_far().0;
        tablet.session.copy_for_tests(&folder.path().join("tablet"));
        // What the tablet has not heard.
        dose(&mut bima.session, chart, medicine, "6");
        bima.settle().await;
        phone.settle().await;
        dose(&mut phone.session, chart, medicine, "2.5");
        dose(&mut phone.session, chart, medicine, "7.5");
        note(&mut phone.session, chart, "slept well");
        let notes = phone.session.space_for_tests(chart, Kind::Note.section()).expect("a space");
        let earlier = push_in(&phone.session.request().expect("a request"), notes).statement;
        phone.settle().await;
        dose(&mut phone.session, chart, medicine, "10");
        note(&mut phone.session, chart, "walked");
        phone.settle().await;
        for n in 0..2 {
            drop(phone.session.pair_for_tests("spare", &Location::Memory, surroundings(seed + 10 + n)));
            phone.settle().await;
        }
        // What he writes without knowing that he is out.
        dose(&mut bima.session, chart, medicine, "66");
        let medicines = phone.session.space_for_tests(chart, Section::Medications).expect("a space");
        let late = push_in(&bima.session.request().expect("a request"), medicines);
        let account = bima.session.account_for_tests();
        let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
        phone.session.member_remove(&args).expect("he is removed");
        phone.settle().await;
        dose(&mut phone.session, chart, medicine, "12");
        phone.settle().await;
        // A stranger with an account of their own at the same server.
        let mut stranger = enrolled(&server, seed + 3).await;
        let own = stranger.session.create_chart("Dewi", None, Relation::Own, None).expect("a chart");
        note(&mut stranger.session, own, "mine alone");
        stranger.settle().await;
        let fresh = phone.session.pair_for_tests("fresh", &Location::Memory, surroundings(seed + 4));
        for _ in 0..2 {
            phone.settle().await;
        }
        fresh.copy_for_tests(&folder.path().join("fresh"));
        let truth = phone.session.fingerprint().expect("reads");
        let follower = phone.session.follower_for_tests();
        let medicines_log = follower.space_log(medicines).expect("a log").clone();
        let (bima_key, bima_account, bima_device, _) = bima.session.sign_in_for_tests();
        let key: [u8; 32] = std::fs::read(data.join("relay.key")).expect("a key").try_into().expect("a seed");
        let as_member = sealed_again(&bima.session, &late, medicines_log.head());
        let facts = Facts {
            server: SigningKey::from_seed(key),
            account: phone.session.sign_in_for_tests().1,
            phone: phone.session.installation().0,
            medicines,
            notes,
            account_log: follower.account_log().expect("a log").clone(),
            medicines_log,
            bima: bima_account,
            bima_device,
            bima_key,
            late,
            as_member,
            tablet_cursor,
            earlier,
            lacking: phone.session.snapshot_without_for_tests(chart, measured),
        };
        server.stop().await;
        choose_helpers(folder.path(), phone, tablet).await;
        World { folder, facts: Arc::new(facts), chart, truth }
    }

    /// The server's folder, copied, and the server on it.
    pub(crate) async fn server(&self, victim: Victim, number: usize) -> (Server, PathBuf) {
        let from = if victim == Victim::Helped { HELPED } else { "server" };
        let to = self.folder.path().join(format!("server-{number}"));
        copy_files(&self.folder.path().join(from), &to);
        (Server::start(&to).await, to)
    }

    /// The victim's vault, copied, and open.
    pub(crate) fn victim(&self, attack: &Attack, number: usize, url: &str) -> Device {
        let name = format!("{:?}", attack.victim).to_lowercase();
        let to = self.folder.path().join(format!("{name}-{number}"));
        std::fs::copy(self.folder.path().join(name), &to).expect("copied");
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let around = Surroundings { clock: clock.clone(), ..surroundings(9_000) };
        let session = Session::of_copy_for_tests(&to, around);
        let mut device = Device::new(session, url, self.facts.server.verifying_key());
        device.clock = Some(clock);
        device.waits = attack.impatient.then_some(IMPATIENCE);
        device
    }
}

/// Somebody whom nobody let in, with keys of their own.
pub(crate) fn ghost() -> Actor {
    Actor::new(666)
}
