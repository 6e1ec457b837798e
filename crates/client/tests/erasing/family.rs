//! A mother with two devices and a daughter at a relay over TCP, and what is planted in the entry that is erased.

use std::sync::Arc;

use mecum_api::{ChartArgs, EntryEraseArgs, ErasureView};
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Relay, RelayOptions};
use mecum_sync::{RefusalCode, Role};
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// What is planted in the entry that is erased.
pub(crate) const NEEDLE: &str = "Zuclopenthixolneedle";

pub(crate) struct Device {
    pub(crate) session: Option<Session>,
    pub(crate) signed_in: Option<SignedIn>,
}

impl Device {
    pub(crate) fn of(session: Session) -> Device {
        Device { session: Some(session), signed_in: None }
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("open")
    }

    pub(crate) fn restart(&mut self) {
        self.session = self.session.take().map(|session| session.restart().expect("reopens"));
    }

    async fn sign_in(&mut self, server: &Server) -> SignedIn {
        if let Some(signed_in) = self.signed_in.take() {
            signed_in
        } else {
            let (key, account, device, incarnation) = self.session().sign_in_for_tests();
            server.remote.sign_in(&key, account, device, incarnation).await.expect("signs in")
        }
    }

    /// Asks once and hears the answer: what is done upon it the server does not hear of.
    pub(crate) async fn hear(&mut self, server: &Server) {
        let signed_in = self.sign_in(server).await;
        let request = self.session().request().expect("a request");
        let said = self.session().said(&request, signed_in.forms);
        let response = server.remote.sync_as_said(&signed_in, &said).await.expect("an answer");
        self.session().accept(&request, &response).expect("taken");
        self.signed_in = Some(signed_in);
        drop(self.session().request().expect("a request"));
    }

    /// Exchanges until nothing is left to say or to fetch; false if it was stopped on the way.
    pub(crate) async fn exchange(&mut self, server: &Server) -> bool {
        let signed_in = self.sign_in(server).await;
        for _ in 0..100 {
            let request = self.session().request().expect("a request");
            let said = self.session().said(&request, signed_in.forms);
            let response = server.remote.sync_as_said(&signed_in, &said).await.expect("an answer");
            match self.session().accept(&request, &response) {
                Ok(exchanged) if exchanged.more => {}
                Err(ExchangeError::Session(_)) => return false,
                // Who was removed hears so, and asks again later.
                Ok(_) | Err(ExchangeError::Refused(RefusalCode::NotMember | RefusalCode::UnknownSpace)) => {
                    self.signed_in = Some(signed_in);
                    if self.session().commits_left_for_tests().is_none() {
                        self.session().fold_by_half_for_tests().expect("what the server has can be folded");
                    }
                    return true;
                }
                Err(error) => panic!("an honest server is followed: {error:?}"),
            }
        }
        panic!("never came to rest");
    }
}

pub(crate) struct Server {
    pub(crate) _folder: TempDir,
    pub(crate) relay: Relay,
    pub(crate) remote: Remote,
}

impl Server {
    pub(crate) async fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let options = RelayOptions { log: Arc::new(|_| {}), ..RelayOptions::default() };
        let relay = Relay::open(folder.path(), options).expect("a relay");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let remote = Remote::new(&url, relay.key()).expect("an address");
        Server { _folder: folder, relay, remote }
    }

    pub(crate) async fn account(&self, seed: u64) -> Device {
        let mut session = first_device(&Location::Memory, surroundings(seed));
        session.pin_for_tests(self.relay.key());
        let code = self.relay.make_enrolment_code().expect("a code");
        let genesis = session.genesis_for_tests().expect("an account");
        self.remote.enrol(&code, genesis).await.expect("enrolled");
        Device::of(session)
    }
}

/// Ratna's phone and laptop, and Ani, who writes in her medicines.
pub(crate) struct Family {
    pub(crate) server: Server,
    pub(crate) phone: Device,
    pub(crate) laptop: Device,
    pub(crate) ani: Device,
    pub(crate) chart: ChartId,
    pub(crate) stays: ItemKey,
    pub(crate) goes: ItemKey,
}

impl Family {
    /// On the heap: what it takes to get there is large, and each test would hold it.
    pub(crate) async fn new(seed: u64) -> Family {
        Box::pin(Family::begin(seed)).await
    }

    pub(crate) async fn begin(seed: u64) -> Family {
        println!("seed {seed}");
        let server = Server::start().await;
        let mut phone = server.account(seed).await;
        let ratna = phone.session();
        let chart = ratna.create_chart("Ratna", Some("1958-03-04"), Relation::Own, None).expect("a chart");
        let stays = medicine(ratna, chart, "Amlodipine");
        let goes = medicine(ratna, chart, NEEDLE);
        dose(ratna, chart, goes, "7");
        let laptop = ratna.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let mut ani = server.account(seed ^ 0x2222).await;
        ani.session().create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        phone.exchange(&server).await;
        phone.session().let_in_for_tests(chart, Section::Medications, Role::Writer, ani.session());
        let mut family = Family { server, phone, laptop: Device::of(laptop), ani, chart, stays, goes };
        family.settle().await;
        assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "she reads both");
        family
    }

    pub(crate) async fn settle(&mut self) {
        for _ in 0..4 {
            self.phone.exchange(&self.server).await;
            self.laptop.exchange(&self.server).await;
            self.ani.exchange(&self.server).await;
        }
    }

    pub(crate) fn erase(&mut self) -> ErasureView {
        let args = EntryEraseArgs { chart: self.chart, entry: self.goes.name(), reason: "not hers".into() };
        self.phone.session().entry_erase(&args).expect("it is decided")
    }

    /// Phone and laptop show the same.
    pub(crate) fn same(&mut self) {
        let phone = self.phone.session().fingerprint().expect("reads");
        assert_eq!(phone, self.laptop.session().fingerprint().expect("reads"), "both show the same");
    }
}

pub(crate) fn names(who: &mut Session, chart: ChartId) -> Vec<String> {
    let rows = who.rows(chart).expect("rows").newest();
    let mut names: Vec<String> = rows
        .iter()
        .filter(|row| row.kind() == Kind::MedicationStatement)
        .map(|row| row.title.clone())
        .collect();
    names.sort();
    names
}

pub(crate) fn medicine(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    let fields = vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())];
    who.add(chart, Kind::MedicationStatement, fields).expect("a medicine is written")
}

pub(crate) fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

pub(crate) fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

pub(crate) fn list(who: &mut Session, chart: ChartId) -> Vec<ErasureView> {
    who.erasure_list(&ChartArgs { chart }).expect("a list")
}
