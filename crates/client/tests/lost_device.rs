//! A device is lost: it is removed, and what is written from then on in 200 documents is under keys that it does not have. It
//! takes less than ten seconds, and goes on from wherever it was interrupted.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_relay::simulated::Wire;
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::DeviceId;
use mecum_sync::{
    Challenge, EnrolRequest, PROTOCOL_VERSION, SessionGrant, SignIn, Signed, SyncResponse, decode, encode,
};
use mecum_vault::Location;

/// Source: the programme's row 35.
const DOCUMENTS: usize = 200;
/// Of the processor, so that a busy machine does not count.
const MOST_MS: u64 = 10_000;
/// One of each: a document in each of five sections, with the chart's own.
const KINDS: [(Kind, Field); 4] = [
    (Kind::Note, Field::Text),
    (Kind::AllergyIntolerance, Field::Substance),
    (Kind::MedicationStatement, Field::Name),
    (Kind::VitalSign, Field::Value),
];

struct Account {
    /// Away only within a step.
    phone: Option<Session>,
    lost: Session,
    lost_id: DeviceId,
    server: Server,
    charts: Vec<ChartId>,
}

/// The real relay, without a socket.
struct Server {
    runtime: tokio::runtime::Runtime,
    wire: Wire,
    relay: Relay,
    _folder: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = Rate { burst: 1e9, per_second: 1e9 };
        let limits = Limits { requests_per_source: open, syncs_per_device: open, ..Limits::default() };
        let options = RelayOptions { limits, log: Arc::new(|_| {}), ..RelayOptions::default() };
        let relay = Relay::open(folder.path(), options).expect("a relay");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { runtime, wire: relay.wire().expect("a wire"), relay, _folder: folder }
    }

    fn ask(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> Vec<u8> {
        let (status, answer) = self.runtime.block_on(self.wire.ask("POST", path, token, body));
        assert_eq!(status, 200, "{path} is answered");
        answer
    }

    fn exchange(&self, session: &mut Session) {
        let challenge = decode(&self.ask("/v1/challenge", None, Vec::new()), 1 << 20).expect("a challenge");
        let Challenge { nonce, server_time_ms, server } = challenge;
        let (key, account, device, incarnation) = session.sign_in_for_tests();
        let claim = SignIn { server, nonce, server_time_ms, account, device, incarnation };
        let grant = self.ask("/v1/session", None, encode(&Signed::sign(claim, &key)));
        let token = decode::<SessionGrant>(&grant, 1 << 20).expect("a session").token.to_hex();
        for _ in 0..200 {
            let request = session.request().expect("a request");
            let answer = self.ask("/v1/sync", Some(&token), encode(&request));
            let response: SyncResponse = decode(&answer, 1 << 24).expect("an answer");
            if !session.accept(&request, &response).expect("an honest relay is followed").more {
                return;
            }
        }
        panic!("never came to rest");
    }
}

fn write(session: &mut Session, chart: ChartId, kind: Kind, field: Field) {
    session.add(chart, kind, vec![(field, "12".to_owned())]).expect("an entry is added");
}

impl Account {
    fn new(seed: u64, location: &Location) -> Self {
        let mut phone = first_device(location, surroundings(seed));
        let server = Server::new();
        phone.pin_for_tests(server.relay.key());
        let code = server.relay.make_enrolment_code().expect("a code");
        let genesis = phone.genesis_for_tests().expect("an account");
        server.ask("/v1/enrol", None, encode(&EnrolRequest { version: PROTOCOL_VERSION, code, genesis }));
        let charts: Vec<ChartId> = (0..DOCUMENTS.div_ceil(KINDS.len() + 1))
            .map(|n| {
                phone.create_chart(&format!("person {n}"), None, Relation::Child, None).expect("a chart")
            })
            .collect();
        for chart in &charts {
            for (kind, field) in KINDS {
                write(&mut phone, *chart, kind, field);
            }
        }
        let lost = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x1111));
        let lost_id = lost.installation().0;
        let mut account = Self { phone: None, lost, lost_id, server, charts };
        account.server.exchange(&mut phone);
        account.phone = Some(phone);
        account.server.exchange(&mut account.lost);
        account
    }

    /// What there is to do: to remove a device, and to write in each document. `after` comes after every step.
    fn rotate(&mut self, device: DeviceId, mut after: impl FnMut(Session) -> Session) {
        step(&mut self.phone, |mut phone| {
            phone.remove_device_for_tests(device, None).expect("the device is removed");
            after(phone)
        });
        for chart in self.charts.clone() {
            for (kind, field) in KINDS {
                step(&mut self.phone, |mut phone| {
                    write(&mut phone, chart, kind, field);
                    after(phone)
                });
            }
            step(&mut self.phone, |mut phone| {
                let rows = phone.rows(chart).expect("rows");
                let key = rows.newest().iter().find(|row| row.kind() == Kind::Patient).map(|row| row.key);
                let key = key.expect("a chart has its person");
                phone.set(chart, key, vec![(Field::Colour, Some("12".to_owned()))]).expect("it changes");
                after(phone)
            });
        }
    }

    /// What is wrong afterwards, if anything.
    fn judge(&mut self) -> Result<usize, String> {
        let known: BTreeSet<[u8; 32]> = self.lost.keys_for_tests().into_iter().collect();
        let phone = self.phone.as_mut().expect("it is here");
        let epochs = phone.epochs_for_tests();
        let written = epochs.values().filter(|(epoch, _)| *epoch > 1).count();
        if written < DOCUMENTS {
            return Err(format!("{written} of {} spaces have a new key", epochs.len()));
        }
        if let Some((space, _)) = epochs.iter().find(|(_, (epoch, key))| *epoch > 1 && known.contains(key)) {
            return Err(format!("the lost device has the new key of {space:?}"));
        }
        self.server.exchange(phone);
        if phone.has_something_to_say() {
            return Err("something was not sent".to_owned());
        }
        Ok(written)
    }
}

fn step(phone: &mut Option<Session>, work: impl FnOnce(Session) -> Session) {
    *phone = phone.take().map(work);
}

/// Time that this thread had the processor.
fn cpu_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).expect("in ns") / 1_000_000
}

#[test]
fn removing_a_lost_device_and_rotating_200_documents_takes_seconds_and_goes_on_after_any_stop() {
    let proof = Proof::new(35, "a lost device is removed and 200 documents go on under new keys", 0);
    let mut failures = 0;
    let folder = tempfile::tempdir().expect("a folder");
    let mut account = Account::new(proof.seed(), &Location::File(folder.path().join("vault.sqlite")));
    let began = cpu_ms();
    account.rotate(account.lost_id, |phone| phone);
    let took = cpu_ms() - began;
    println!("{took} ms of the processor for {DOCUMENTS} documents");
    assert!(took > 0, "time is measured");
    failures += u64::from(took > MOST_MS);
    if let Err(why) = account.judge() {
        println!("{why}");
        failures += 1;
    }
    // The same, and after every step the device starts anew with what its vault has.
    let mut stopped = Account::new(proof.seed() + 1, &Location::Memory);
    let mut stops = 0;
    stopped.rotate(stopped.lost_id, |phone| {
        stops += 1;
        phone.restart().expect("a vault opens again")
    });
    if let Err(why) = stopped.judge() {
        println!("after {stops} stops: {why}");
        failures += 1;
    }
    proof.end(stops + 1, failures);
    assert_eq!(failures, 0, "in time, whole, and not for the lost device");
}

#[test]
fn control_without_the_removal_the_lost_device_has_every_key() {
    let mut account = Account::new(3, &Location::Memory);
    let phone = account.phone.as_mut().expect("it is here");
    let spare = phone.pair_for_tests("spare", &Location::Memory, surroundings(0x4444));
    account.server.exchange(phone);
    let wrong = account.judge().expect_err("nothing has a new key yet");
    assert!(wrong.ends_with("spaces have a new key"), "and that is seen: {wrong}");
    // Everything gets a new key, but for another device: the one that should be out is still in.
    account.rotate(spare.installation().0, |phone| phone);
    account.server.exchange(account.phone.as_mut().expect("it is here"));
    account.server.exchange(&mut account.lost);
    let wrong = account.judge().expect_err("the lost device has every key");
    assert!(wrong.starts_with("the lost device has the new key"), "and that is seen: {wrong}");
}
