//! A family at a real relay, made once; every attack gets copies of the victim's vault and of the server's folder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_api::{EntryEraseArgs, MemberRemoveArgs};
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{Patience, Stopped, asks_to_begin_again, first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DeviceId, Envelope, Hash32, Place, SigningKey, SpaceId, VerifyingKey, seal_envelope,
};
use mecum_sync::testing::Actor;
use mecum_sync::{AccountLog, Push, Role, Signed, SpaceLog, SpaceSnapshot, Statement, SyncRequest};
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

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
        let options = RelayOptions { log: Arc::new(|_| {}), ..RelayOptions::default() };
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
    url: String,
    pin: VerifyingKey,
    signed_in: Option<(Remote, SignedIn)>,
    /// It takes the short forms that the server says it knows: else everything is said in full, and a liar can read it.
    pub(crate) short: bool,
    /// It gave up after so many rounds: the exchange had no end.
    pub(crate) restless: bool,
}

impl Device {
    pub(crate) fn new(session: Session, url: &str, pin: VerifyingKey) -> Device {
        Device { session, url: url.to_owned(), pin, signed_in: None, short: false, restless: false }
    }

    /// What the app's driver does in one exchange.
    async fn converse(&mut self) -> Result<(), Stopped> {
        if self.signed_in.is_none() {
            let remote = Remote::new(&self.url, self.pin).map_err(Stopped::Remote)?;
            let (key, account, device, _) = self.session.sign_in_for_tests();
            let life = self.session.installation().1;
            let signed_in = remote.sign_in(&key, account, device, life).await.map_err(Stopped::Remote)?;
            self.signed_in = Some((remote, signed_in));
        }
        let Some((remote, signed_in)) = self.signed_in.clone() else { return Err(Stopped::NoServer) };
        let mut patience = Patience::default();
        for _ in 0..ROUNDS {
            let request = self.session.request().map_err(|error| Stopped::Exchange(error.into()))?;
            let forms = if self.short { signed_in.forms } else { 0 };
            let said = self.session.said(&request, forms);
            let response = remote.sync_as_said(&signed_in, &said).await.map_err(Stopped::Remote)?;
            if !self.session.accept(&request, &response).map_err(Stopped::Exchange)?.more {
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

async fn enrolled(server: &Server, seed: u64) -> Device {
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
        for _ in 0..2 {
            for device in [&mut phone, &mut tablet, &mut bima] {
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
        World { folder, facts: Arc::new(facts), chart, truth }
    }

    /// The server's folder, copied, and the server on it.
    pub(crate) async fn server(&self, number: usize) -> (Server, PathBuf) {
        let (from, to) =
            (self.folder.path().join("server"), self.folder.path().join(format!("server-{number}")));
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(from).expect("a folder").flatten() {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
            }
        }
        (Server::start(&to).await, to)
    }

    /// The victim's vault, copied, and open.
    pub(crate) fn victim(&self, victim: Victim, number: usize, url: &str) -> Device {
        let name = format!("{victim:?}").to_lowercase();
        let to = self.folder.path().join(format!("{name}-{number}"));
        std::fs::copy(self.folder.path().join(name), &to).expect("copied");
        let session = Session::of_copy_for_tests(&to, surroundings(9_000));
        Device::new(session, url, self.facts.server.verifying_key())
    }
}

/// A section of two years, from one of which something was erased: what stays there, in a document in which nobody wrote since.
async fn erased(phone: &mut Device, tablet: &mut Device, chart: ChartId) -> ItemKey {
    let mut add = |value: &str, day: Option<&str>| {
        let mut fields = vec![(Field::Value, value.to_owned())];
        fields.extend(day.map(|day| (Field::Effective, day.to_owned())));
        phone.session.add(chart, Kind::VitalSign, fields).expect("a measurement is written")
    };
    add("61", Some("2016-05-04"));
    let (stays, goes) = (add("62", None), add("63", None));
    phone.settle().await;
    let args = EntryEraseArgs { chart, entry: goes.name(), reason: String::new() };
    phone.session.entry_erase(&args).expect("it is decided");
    for _ in 0..3 {
        phone.settle().await;
        tablet.settle().await;
    }
    stays
}

fn push_in(request: &SyncRequest, space: SpaceId) -> Push {
    let there = |push: &&Push| push.space() == space && !push.envelopes.is_empty();
    request.pushes.iter().find(there).expect("something was written there").clone()
}

/// The same words, sealed again by their writer under another head of the membership log, with the keys that he has.
fn sealed_again(writer: &Session, push: &Push, head: Hash32) -> Push {
    let [bytes] = push.envelopes.as_slice() else { panic!("one envelope") };
    let envelope = Envelope::parse(bytes).expect("his own envelope");
    let keys = writer.document_keys_for_tests();
    let (key, plain) =
        keys.iter().find_map(|key| Some((key, envelope.open(key).ok()?))).expect("his own key");
    let place = Place { membership_head: head, ..envelope.place().clone() };
    let sealed = seal_envelope(key, &place, &plain, &SeededEntropy::new(5)).expect("short");
    let statement = Statement { last: sealed.content_id, ..push.statement.unverified().clone() };
    let (signing, ..) = writer.sign_in_for_tests();
    Push { envelopes: vec![sealed.bytes], statement: Signed::sign(statement, &signing) }
}

/// Somebody whom nobody let in, with keys of their own.
pub(crate) fn ghost() -> Actor {
    Actor::new(666)
}
