//! A server that says again what a real one said once, and one of its answers otherwise; and the devices that it said it to, each as it
//! was before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mecum_api::command;
use mecum_client::remote::Remote;
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{App, Session};
use mecum_domain::{Field, Kind, Relation};
use mecum_seal::VerifyingKey;
use mecum_sync::SyncRequest;
use mecum_vault::Location;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mitm::{Call, Liar, Mitm, Reply};
use crate::world::{Server, WORDS, call, create, device};

pub(crate) const NEW: &str = "jambu selokan wayang kompor terasi bambu";
/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was answered, by path: the longest of each, which has the most in it.
type Answers = BTreeMap<String, Vec<u8>>;

fn path_of(call: &Call) -> &str {
    call.path.split('?').next().unwrap_or_default()
}

/// Writes down what the real one says.
#[derive(Default)]
struct Recorder(Mutex<Answers>);

impl Liar for Recorder {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        let mut answers = self.0.lock().unwrap();
        let known = answers.get(path_of(call)).map_or(0, Vec::len);
        if reply.status == 200 && reply.body.len() > known {
            answers.insert(path_of(call).to_owned(), reply.body.clone());
        }
    }
}

impl Recorder {
    /// Where offers were read.
    fn read_offers(&self) -> Vec<String> {
        let answers = self.0.lock().unwrap();
        answers.keys().filter(|path| path.ends_with("/offer")).cloned().collect()
    }
}

/// Says it again.
#[derive(Default)]
pub(crate) struct Replayed {
    answers: Answers,
    changed: Mutex<Option<(String, Vec<u8>)>>,
    /// How often the changed one was said.
    pub(crate) told: AtomicU64,
}

impl Liar for Replayed {
    fn alone(&self, call: &Call) -> Option<Reply> {
        let path = path_of(call);
        let mut reply = match (&*self.changed.lock().unwrap(), self.answers.get(path)) {
            (Some((of, body)), _) if of == path => {
                self.told.fetch_add(1, Ordering::SeqCst);
                Reply::of(200, body.clone())
            }
            // A message that is put into a mailbox is put.
            _ if path.ends_with("/join") => Reply::of(204, Vec::new()),
            (_, Some(body)) => Reply::of(200, body.clone()),
            _ => Reply::of(503, Vec::new()),
        };
        // Every step makes connections of its own: none waits for another request that does not come.
        reply.headers.push(("connection".to_owned(), "close".to_owned()));
        Some(reply)
    }

    fn ask(&self, _: &mut Call) {}

    fn answer(&self, _: &Call, _: &mut Reply) {}
}

/// The server, and everybody who asks it something.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) replayed: Arc<Replayed>,
    pub(crate) url: String,
    pub(crate) pin: VerifyingKey,
    /// What the device with a note that is not sent yet asks in its exchange.
    pub(crate) request: SyncRequest,
    pub(crate) account: String,
    /// The words of the account's recovery kit.
    pub(crate) kit: String,
    /// The words of a pairing, and where its offer is.
    pub(crate) pairing: (String, String),
    /// The code for a helper, and where its offer is.
    pub(crate) part: (String, String),
    /// The one whom that code is for.
    pub(crate) helper: App,
    copies: AtomicU64,
    _mitm: Mitm,
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

async fn connect_at(app: &App, server: &Server, url: &str) {
    let code = server.relay.make_enrolment_code().expect("the relay makes a code");
    let sync = call::<command::ServerConnect>(app, json!({ "url": url, "code": code })).await;
    assert_eq!(sync["phase"], "up-to-date", "connected and exchanged: {sync}");
}

async fn make_kit(app: &App) -> String {
    let kit = call::<command::KitMake>(app, json!({ "passphrase": WORDS })).await;
    let words = strings(&kit["words"]);
    let at = |number: &Value| usize::try_from(number.as_u64().unwrap()).unwrap() - 1;
    let asked: Vec<&String> = kit["asked"].as_array().unwrap().iter().map(|n| &words[at(n)]).collect();
    call::<command::KitConfirm>(app, json!({ "words": asked })).await;
    words.join(" ")
}

/// A device that is at the server and has something to say, and what it asks: its answer is recorded too.
async fn with_a_note(server: &Server, url: &str, to: &Path) -> SyncRequest {
    let mut session = first_device(&Location::Memory, surroundings(5));
    session.pin_for_tests(server.relay.key());
    let remote = Remote::new(url, server.relay.key()).unwrap();
    let code = server.relay.make_enrolment_code().unwrap();
    remote.enrol(&code, session.genesis_for_tests().unwrap()).await.unwrap();
    let chart = session.create_chart("Ratna", Some("1958-03-04"), Relation::Mother, None).unwrap();
    session.add(chart, Kind::Note, vec![(Field::Text, "slept badly".to_owned())]).unwrap();
    let request = session.request().unwrap();
    session.copy_for_tests(to);
    let (key, account, device, life) = session.sign_in_for_tests();
    let signed_in = remote.sign_in(&key, account, device, life).await.unwrap();
    remote.sync(&signed_in, &request).await.unwrap();
    request
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_at(&folder.path().join("server"), &clock).await;
        let address = server.url.trim_start_matches("http://").parse().unwrap();
        let mitm = Mitm::start(address).await;
        let (url, recorder) = (mitm.url.clone(), Arc::new(Recorder::default()));
        mitm.arm(Some(recorder.clone()));
        let request = with_a_note(&server, &url, &folder.path().join("note")).await;
        let exchanged = recorder.0.lock().unwrap().remove("/v1/sync").unwrap();
        let alone = device(&folder.path().join("alone"));
        create(&alone, "Dewi", "phone").await;
        drop(alone);
        let (laras, helper) = (device(&folder.path().join("laras")), device(&folder.path().join("ani")));
        create(&laras, "Laras", "phone").await;
        create(&helper, "Ani", "phone").await;
        connect_at(&laras, &server, &url).await;
        connect_at(&helper, &server, &url).await;
        let kit = make_kit(&laras).await;
        let helpers: Vec<Value> =
            ["Ani", "Budi", "Citra"].iter().map(|name| json!({ "name": name })).collect();
        call::<command::HelpersSet>(&laras, json!({ "passphrase": WORDS, "helpers": helpers })).await;
        let view = call::<command::HelpersGet>(&laras, Value::Null).await;
        let account = view["account"].as_str().unwrap().to_owned();
        for _ in 0..3 {
            call::<command::SyncNow>(&laras, Value::Null).await;
        }
        // A device that asks for the account, and is given the server's part after the wait.
        let asker = device(&folder.path().join("asker"));
        let args = json!({ "server": url, "account": account, "passphrase": NEW, "device_name": "new" });
        call::<command::RestoreAsk>(&asker, args).await;
        copy(&folder.path().join("asker"), &folder.path().join("asked"));
        clock.fetch_add(8 * DAY_MS, Ordering::SeqCst);
        let view = call::<command::RestoreGet>(&asker, Value::Null).await;
        assert_eq!(view["phase"], "released", "what the server gives is recorded: {view}");
        // The account's log, by its kit.
        let empty = device(&folder.path().join("kit"));
        let args =
            json!({ "server": url, "words": kit, "passphrase": NEW, "device_name": "new", "alone": false });
        call::<command::AccountRestore>(&empty, args).await;
        // A pairing's offer, and that of somebody who asks for help.
        let offer = call::<command::PairOffer>(&laras, Value::Null).await;
        let words = strings(&offer["words"]).join(" ");
        let joins = device(&folder.path().join("joins"));
        let args = json!({ "code": words, "server": url, "passphrase": NEW, "device_name": "new" });
        call::<command::PairJoin>(&joins, args).await;
        let pairing = recorder.read_offers().pop().expect("the offer was read");
        let code = call::<command::HelpersCode>(&laras, json!({ "number": 1 })).await;
        call::<command::PartOpen>(&helper, json!({ "code": code["qr"] })).await;
        let part = recorder.read_offers().into_iter().find(|path| *path != pairing).expect("the other one");
        let mut answers = recorder.0.lock().unwrap().clone();
        answers.insert("/v1/sync".to_owned(), exchanged);
        let replayed = Arc::new(Replayed { answers, ..Replayed::default() });
        mitm.arm(Some(replayed.clone()));
        let (code, pin) = (code["qr"].as_str().unwrap().to_owned(), server.relay.key());
        server.stop().await;
        Self {
            folder,
            replayed,
            url,
            pin,
            request,
            account,
            kit,
            pairing: (words, pairing),
            part: (code, part),
            helper,
            copies: AtomicU64::new(0),
            _mitm: mitm,
        }
    }
    /// A folder as it was when it was recorded.
    pub(crate) fn folder(&self, of: &str) -> PathBuf {
        let to = self.empty_folder();
        copy(&self.folder.path().join(of), &to);
        to
    }

    pub(crate) fn empty_folder(&self) -> PathBuf {
        let number = self.copies.fetch_add(1, Ordering::SeqCst);
        self.folder.path().join(format!("copy-{number}"))
    }

    /// The device with a note that is not sent yet.
    pub(crate) fn with_a_note(&self) -> Session {
        let to = self.empty_folder();
        std::fs::copy(self.folder.path().join("note"), &to).unwrap();
        Session::of_copy_for_tests(&to, surroundings(6))
    }

    pub(crate) fn honest(&self, path: &str) -> &[u8] {
        self.replayed.answers.get(path).unwrap_or_else(|| panic!("{path} was answered"))
    }

    /// From now on this is answered otherwise; or everything as it was.
    pub(crate) fn change(&self, to: Option<(&str, Vec<u8>)>) {
        *self.replayed.changed.lock().unwrap() = to.map(|(path, body)| (path.to_owned(), body));
    }
}
