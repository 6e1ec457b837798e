//! A mother with two devices and a daughter who writes in her medicines, at a relay over TCP whose clock a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::MemberRemoveArgs;
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Limits, Relay, RelayOptions};
use mecum_sync::Role;
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) struct Device {
    pub(crate) session: Session,
    pub(crate) signed_in: Option<SignedIn>,
}

impl Device {
    /// Exchanges until nothing is left to say or to fetch.
    pub(crate) async fn exchange(&mut self, server: &Server) {
        let signed_in = if let Some(signed_in) = self.signed_in.take() {
            signed_in
        } else {
            let (key, account, device, incarnation) = self.session.sign_in_for_tests();
            server.remote.sign_in(&key, account, device, incarnation).await.expect("signs in")
        };
        for _ in 0..100 {
            let request = self.session.request().expect("a request");
            let said = self.session.said(&request, signed_in.forms);
            let response = server.remote.sync_as_said(&signed_in, &said).await.expect("an answer");
            if !self.session.accept(&request, &response).expect("an honest server is followed").more {
                self.signed_in = Some(signed_in);
                return;
            }
        }
        panic!("never came to rest");
    }
}

pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) relay: Relay,
    pub(crate) remote: Remote,
    pub(crate) clock: Arc<AtomicI64>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let now = Arc::clone(&clock);
        let options = RelayOptions {
            log: Arc::new(|_| {}),
            limits: Limits { prune_envelopes: 1, ..Limits::default() },
            clock: Arc::new(move || now.load(Ordering::SeqCst)),
            ..RelayOptions::default()
        };
        let relay = Relay::open(folder.path(), options).expect("a relay");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let remote = Remote::new(&url, relay.key()).expect("an address");
        Server { folder, relay, remote, clock }
    }

    pub(crate) async fn account(&self, seed: u64) -> Device {
        let mut session = first_device(&Location::Memory, surroundings(seed));
        session.pin_for_tests(self.relay.key());
        let code = self.relay.make_enrolment_code().expect("a code");
        let genesis = session.genesis_for_tests().expect("an account");
        self.remote.enrol(&code, genesis).await.expect("enrolled");
        Device { session, signed_in: None }
    }

    /// Every byte that the server keeps.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder").flatten();
        files
            .filter(|file| file.path().is_file())
            .flat_map(|file| std::fs::read(file.path()).expect("reads"))
            .collect()
    }
}

pub(crate) struct Family {
    pub(crate) server: Server,
    pub(crate) phone: Device,
    pub(crate) laptop: Device,
    pub(crate) ani: Device,
    pub(crate) chart: ChartId,
    pub(crate) medicine: ItemKey,
}

impl Family {
    pub(crate) async fn new(seed: u64) -> Family {
        println!("seed {seed}");
        let server = Server::start().await;
        let mut phone = server.account(seed).await;
        let chart =
            phone.session.create_chart("Ratna", Some("1958-03-04"), Relation::Own, None).expect("a chart");
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.session.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let laptop = phone.session.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let mut laptop = Device { session: laptop, signed_in: None };
        let mut ani = server.account(seed ^ 0x2222).await;
        ani.session.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        phone.exchange(&server).await;
        phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut ani.session);
        phone.exchange(&server).await;
        laptop.exchange(&server).await;
        ani.exchange(&server).await;
        phone.exchange(&server).await;
        Family { server, phone, laptop, ani, chart, medicine }
    }

    pub(crate) fn names(&self, who: &Session) -> Vec<String> {
        let mut names: Vec<String> = who.titles_for_tests(self.chart).expect("reads");
        names.sort();
        names
    }

    pub(crate) async fn settle(&mut self) {
        for _ in 0..3 {
            self.phone.exchange(&self.server).await;
            self.laptop.exchange(&self.server).await;
            self.ani.exchange(&self.server).await;
        }
    }

    pub(crate) fn remove_ani(&mut self) {
        let account = self.ani.session.account_for_tests();
        let args = MemberRemoveArgs { chart: self.chart, account, ..MemberRemoveArgs::default() };
        self.phone.session.member_remove(&args).expect("she is removed");
    }
}

pub(crate) fn medicine(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    who.add(
        chart,
        Kind::MedicationStatement,
        vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())],
    )
    .expect("a medicine is written")
}

pub(crate) fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

impl Server {
    /// Everything sealed under a later epoch than the first in the server's files: envelopes, and parts of snapshots.
    pub(crate) fn sealed_after_removal(&self, phone: &Session, chart: ChartId) -> Vec<mecum_seal::Envelope> {
        let mut all = self.envelopes_after_removal(phone, chart);
        let database =
            rusqlite::Connection::open(self.folder.path().join("relay.sqlite")).expect("a database");
        for table in ["snapshot", "fold"] {
            let mut rows = database.prepare(&format!("SELECT body FROM {table}")).expect("a table");
            let bodies = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
            for body in bodies.flatten() {
                let snapshot: mecum_sync::SpaceSnapshot =
                    mecum_sync::decode(&body, 64 << 20).expect("a snapshot");
                let parts = snapshot.parts.iter().filter_map(|part| mecum_seal::Envelope::parse(part).ok());
                all.extend(parts.filter(|part| part.place().epoch > 1));
            }
        }
        all
    }

    /// The envelopes of the chart's medicines that were stored under a later epoch than the first, from the server's own files.
    pub(crate) fn envelopes_after_removal(
        &self,
        phone: &Session,
        chart: ChartId,
    ) -> Vec<mecum_seal::Envelope> {
        let space = phone.space_for_tests(chart, Section::Medications).expect("a space");
        let path = self.folder.path().join("relay.sqlite");
        let copy = self.folder.path().join("copy.sqlite");
        let database = rusqlite::Connection::open(&path).expect("the server's database");
        let _ = std::fs::remove_file(&copy);
        database.execute("VACUUM INTO ?1", [copy.to_str().expect("a path")]).expect("a copy");
        let copy = rusqlite::Connection::open(copy).expect("the copy");
        let mut rows = copy.prepare("SELECT body FROM envelope WHERE space = ?1").expect("a table");
        let bodies = rows.query_map([space.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        bodies
            .flatten()
            .filter_map(|body| mecum_seal::Envelope::parse(&body).ok())
            .filter(|envelope| {
                envelope.place().epoch > 1 && !envelope.place().document.eq(&mecum_seal::DocumentId::CONTROL)
            })
            .collect()
    }
}
