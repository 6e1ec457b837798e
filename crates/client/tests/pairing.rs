//! Pairing through cuts, locks, refusals and lost time, by the commands of the two screens, over TCP: a device that the person
//! said yes to comes in, or is not there; never half.

#[allow(dead_code, reason = "other tests lie in more ways")]
#[path = "byzantine/mitm.rs"]
mod mitm;
#[path = "support/world.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mecum_api::{Code, command};
use mecum_client::{App, AppOptions, Clock, FixedClock};
use mecum_sync::{Refusal, RefusalCode, encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use mitm::{Call, Liar, Mitm, Reply};
use world::{Server, WORDS, call, connect, create, options, rows, until};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

const MINUTE_MS: i64 = 60_000;

/// An account on a phone, a server, and the folders of both.
struct Home {
    folder: TempDir,
    clock: Arc<FixedClock>,
    server: Server,
    phone: App,
    chart: String,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
        let phone = at(folder.path(), "phone", &clock);
        let chart = create(&phone, "Laras", "phone").await;
        let note = json!({ "chart": chart, "kind": "note", "fields": [["text", "for all devices"]] });
        call::<command::EntryAdd>(&phone, note).await;
        connect(&phone, &server).await;
        Self { folder, clock, server, phone, chart }
    }

    fn fresh(&self, name: &str) -> App {
        at(self.folder.path(), name, &self.clock)
    }

    /// The server is gone for a while; answers how it comes back.
    async fn cut(self) -> (Back, FixedHome) {
        let Self { folder, clock, server, phone, chart } = self;
        let back = Back { folder: folder.path().join("server"), address: server.stop().await };
        (back, FixedHome { folder, clock, phone, chart })
    }
}

struct FixedHome {
    folder: TempDir,
    clock: Arc<FixedClock>,
    phone: App,
    chart: String,
}

struct Back {
    folder: std::path::PathBuf,
    address: String,
}

impl Back {
    async fn start(self) -> Server {
        Server::start(&self.folder, &self.address).await
    }
}

fn at(folder: &Path, name: &str, clock: &Arc<FixedClock>) -> App {
    let clock: Arc<dyn Clock> = clock.clone();
    App::open(AppOptions { clock, ..options(&folder.join(name)) })
}

/// Shows a code on `old`; what the new device is to give.
async fn offer(old: &App, name: &str) -> Value {
    let offer = call::<command::PairOffer>(old, Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    json!({ "code": words.join(" "), "server": offer["server"], "passphrase": WORDS, "device_name": name })
}

async fn phase(app: &App, what: &str, wanted: &'static str) -> Value {
    until::<command::PairStatus>(app, Value::Null, what, |view| view["phase"] == wanted).await
}

/// Brings it to the question whether the new device is the person's.
async fn ask(old: &App, new: &App, name: &str) {
    let join = offer(old, name).await;
    call::<command::PairJoin>(new, join).await;
    phase(old, "the new device asks", "asking").await;
}

async fn device_names(app: &App) -> Vec<String> {
    let list = call::<command::DeviceList>(app, Value::Null).await;
    let mut names: Vec<String> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|device| device["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_yes_only_makes_pairing_take_longer() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    ask(&home.phone, &laptop, "laptop").await;
    let (back, home) = home.cut().await;
    let answer = call::<command::PairApprove>(&home.phone, Value::Null).await;
    assert_eq!(answer["phase"], "working", "yes counts without the server: {answer}");
    until::<command::PairStatus>(&home.phone, Value::Null, "the cut is said", |view| {
        view["phase"] == "working" && view["message_id"] == "pairing-again"
    })
    .await;
    let again = call::<command::PairApprove>(&home.phone, Value::Null).await;
    assert_eq!(again["phase"], "working", "yes once more is no second device");
    let _server = back.start().await;
    phase(&laptop, "the laptop is in", "done").await;
    phase(&home.phone, "the phone has heard of it", "done").await;
    assert_eq!(device_names(&home.phone).await, ["laptop", "phone"], "once");
    assert_eq!(
        rows(&laptop, &home.chart).await.len(),
        rows(&home.phone, &home.chart).await.len(),
        "the record"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_let_in_before_a_lock_or_an_end_comes_in_after_it() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    ask(&home.phone, &laptop, "laptop").await;
    let (back, home) = home.cut().await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    call::<command::VaultLock>(&home.phone, Value::Null).await;
    let FixedHome { folder, clock, phone, chart } = home;
    drop(phone);
    let _server = back.start().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let phone = at(folder.path(), "phone", &clock);
    let unlock = until_unlocked(&phone).await;
    assert_eq!(unlock["phase"], "open", "the phone opens: {unlock}");
    phase(&laptop, "the laptop is in", "done").await;
    phase(&phone, "the phone has heard of it", "done").await;
    assert_eq!(device_names(&laptop).await, ["laptop", "phone"], "both list both");
    assert!(!rows(&laptop, &chart).await.is_empty(), "with the record");
}

/// The app that ended a moment ago may still be letting go of the file.
async fn until_unlocked(app: &App) -> Value {
    for _ in 0..100 {
        match app.call("vault_unlock", json!({ "passphrase": WORDS })).await {
            Ok(view) => return view,
            Err(refused) => assert_eq!(refused.code, Code::InUse, "nothing else stands in the way"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the vault is never let go of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_and_a_code_that_was_taken_back_are_heard_at_the_other_end() {
    let home = Home::new().await;
    let stranger = home.fresh("stranger");
    ask(&home.phone, &stranger, "stranger").await;
    call::<command::PairStop>(&home.phone, Value::Null).await;
    let ended = phase(&stranger, "the stranger hears no", "ended").await;
    assert_eq!(ended["message_id"], "pairing-refused", "and that it was a no");
    assert_eq!(
        call::<command::VaultStatus>(&stranger, Value::Null).await["phase"],
        "missing",
        "nothing was made"
    );
    assert_eq!(device_names(&home.phone).await, ["phone"], "and nothing was added");
    let late = offer(&home.phone, "stranger").await;
    offer(&home.phone, "another").await;
    let joined = stranger.call("pair_join", late).await;
    assert!(joined.is_ok(), "the mailbox is still there: {joined:?}");
    phase(&stranger, "a code that was replaced leads nowhere", "ended").await;
    ask(&home.phone, &stranger, "stranger").await;
    call::<command::VaultLock>(&home.phone, Value::Null).await;
    phase(&stranger, "a lock takes the code back", "ended").await;
    call::<command::VaultUnlock>(&home.phone, json!({ "passphrase": WORDS })).await;
    let refused = home.phone.call("pair_approve", Value::Null).await.expect_err("nobody asks");
    assert_eq!(refused.code, Code::NotFound, "so nobody can be let in");
    let join = offer(&home.phone, "laptop").await;
    call::<command::PairJoin>(&stranger, join).await;
    phase(&home.phone, "a fresh code works", "asking").await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    phase(&stranger, "and brings it in", "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_whose_time_is_over_ends_on_both_devices() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    let join = offer(&home.phone, "laptop").await;
    home.clock.advance(10 * MINUTE_MS + 1);
    let ended = phase(&home.phone, "the code ends", "ended").await;
    assert_eq!(ended["message_id"], "pairing-time-over", "and says why");
    if laptop.call("pair_join", join).await.is_ok() {
        phase(&laptop, "the laptop hears that it ended", "ended").await;
    }
    ask(&home.phone, &laptop, "laptop").await;
    home.clock.advance(10 * MINUTE_MS + 1);
    let ended = phase(&laptop, "nobody answers in time", "ended").await;
    assert_eq!(ended["message_id"], "pairing-time-over", "and says why");
    assert_eq!(device_names(&home.phone).await, ["phone"], "nothing was added");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_never_reached_the_server_is_not_left_in_the_list() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    ask(&home.phone, &laptop, "laptop").await;
    let (back, home) = home.cut().await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    assert_eq!(device_names(&home.phone).await, ["laptop", "phone"], "let in");
    home.clock.advance(20 * MINUTE_MS);
    let ended = phase(&home.phone, "its time is over", "ended").await;
    assert_eq!(ended["message_id"], "pairing-cut", "and says what became of it");
    assert_eq!(device_names(&home.phone).await, ["phone"], "and the list is as it was");
    let _server = back.start().await;
    phase(&laptop, "nor does the laptop wait for ever", "ended").await;
    ask(&home.phone, &laptop, "laptop").await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    phase(&laptop, "the next try works", "done").await;
    assert_eq!(device_names(&laptop).await, ["laptop", "phone"], "with one laptop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_in_the_list_but_never_came_in_is_the_same_device_the_second_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let gate = Gate::before(&server.url).await;
    let phone = at(folder.path(), "phone", &clock);
    create(&phone, "Laras", "phone").await;
    let code = server.relay.make_enrolment_code().expect("the relay makes a code");
    call::<command::ServerConnect>(&phone, json!({ "url": gate.url, "code": code })).await;
    let laptop = at(folder.path(), "laptop", &clock);
    ask(&phone, &laptop, "laptop").await;
    gate.shut.store(true, Ordering::SeqCst);
    call::<command::PairApprove>(&phone, Value::Null).await;
    for _ in 0..100 {
        if server_knows(&phone).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    clock.advance(20 * MINUTE_MS);
    let ended = phase(&phone, "its time is over", "ended").await;
    assert_eq!(ended["message_id"], "pairing-left", "the server has the device, and this is said");
    assert_eq!(device_names(&phone).await, ["laptop", "phone"], "as the list does");
    phase(&laptop, "the laptop has given up", "ended").await;
    gate.shut.store(false, Ordering::SeqCst);
    ask(&phone, &laptop, "laptop").await;
    call::<command::PairApprove>(&phone, Value::Null).await;
    phase(&laptop, "the same device comes in", "done").await;
    phase(&phone, "and is heard of", "done").await;
    assert_eq!(device_names(&phone).await, ["laptop", "phone"], "and there is no second one of it");
}

async fn server_knows(phone: &App) -> bool {
    phone.call("sync_now", Value::Null).await.is_ok_and(|view| view["phase"] == "up-to-date")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_devices_add_one_at_the_same_time_and_all_four_exchange() {
    let home = Home::new().await;
    let (laptop, tablet, watch) = (home.fresh("laptop"), home.fresh("tablet"), home.fresh("watch"));
    world::pair(&home.phone, &laptop, "laptop", WORDS).await;
    phase(&home.phone, "the phone has heard of it", "done").await;
    ask(&home.phone, &tablet, "tablet").await;
    ask(&laptop, &watch, "watch").await;
    let (back, home) = home.cut().await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    call::<command::PairApprove>(&laptop, Value::Null).await;
    assert_eq!(device_names(&laptop).await, ["laptop", "phone", "watch"], "each knows of its own");
    let _server = back.start().await;
    phase(&tablet, "the tablet is in", "done").await;
    phase(&watch, "the watch is in", "done").await;
    for app in [&home.phone, &laptop, &tablet, &watch] {
        let list = until::<command::DeviceList>(app, Value::Null, "every device lists four", |list| {
            list.as_array().is_some_and(|list| list.len() == 4)
        })
        .await;
        assert!(list.is_array(), "a list");
        let sync = call::<command::SyncNow>(app, Value::Null).await;
        assert_eq!(sync["phase"], "up-to-date", "and exchanges: {sync}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_code_is_not_spent_on_an_account_that_lives_elsewhere() {
    let home = Home::new().await;
    let other = Server::start(&home.folder.path().join("other"), "127.0.0.1:0").await;
    let code = other.relay.make_enrolment_code().expect("the relay makes a code");
    let args = json!({ "url": other.url, "code": code });
    let refused = home.phone.call("server_connect", args.clone()).await.expect_err("it lives elsewhere");
    assert_eq!(refused.message_id, "error-other-server", "and says so");
    let neighbour = home.fresh("neighbour");
    create(&neighbour, "Sari", "phone").await;
    let sync = call::<command::ServerConnect>(&neighbour, args).await;
    assert_eq!(sync["phase"], "up-to-date", "the code still works for somebody else");
}

/// A way to the server that can be shut for welcomes alone.
struct Gate {
    url: String,
    shut: Arc<AtomicBool>,
}

impl Gate {
    async fn before(server: &str) -> Self {
        let to = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let shut = Arc::new(AtomicBool::new(false));
        let gate = shut.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&to).await else { continue };
                tokio::spawn(pass(near, far, gate.clone()));
            }
        });
        Self { url, shut }
    }
}

async fn pass(near: TcpStream, far: TcpStream, shut: Arc<AtomicBool>) {
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    let back = tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = near_in.read(&mut buffer).await {
        let said = &buffer[..read];
        let welcome = said.windows(8).any(|part| part == b"/welcome");
        if welcome && shut.load(Ordering::SeqCst) || far_out.write_all(said).await.is_err() {
            break;
        }
    }
    back.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_came_in_while_the_first_was_locked_is_not_said_to_be_left_out() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    ask(&home.phone, &laptop, "laptop").await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    phase(&laptop, "the laptop is in", "done").await;
    call::<command::VaultLock>(&home.phone, Value::Null).await;
    home.clock.advance(30 * MINUTE_MS);
    call::<command::VaultUnlock>(&home.phone, json!({ "passphrase": WORDS })).await;
    let view = until::<command::PairStatus>(&home.phone, Value::Null, "it is clear", |view| {
        view["phase"] != "working"
    })
    .await;
    assert!(view["phase"] == "done" || view["phase"] == "none", "in, or heard of before the lock: {view}");
    assert_eq!(view["message_id"], Value::Null, "and nothing is missing");
    assert_eq!(device_names(&home.phone).await, ["laptop", "phone"], "both are there");
}

/// What the new device is to give when it reads the code instead of the words: the server stands in it.
async fn scanned(old: &App, name: &str) -> (String, Value) {
    let offer = call::<command::PairOffer>(old, Value::Null).await;
    let code = offer["qr"].as_str().expect("a code").to_owned();
    let join = json!({ "code": code, "server": null, "passphrase": WORDS, "device_name": name });
    (code, join)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_alone_pairs_a_device_and_brings_the_record() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    let (_, join) = scanned(&home.phone, "laptop").await;
    call::<command::PairJoin>(&laptop, join).await;
    phase(&home.phone, "the laptop asks", "asking").await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    phase(&laptop, "the laptop is in", "done").await;
    assert_eq!(device_names(&laptop).await, ["laptop", "phone"], "both are listed");
    let mut titles = Vec::new();
    for app in [&laptop, &home.phone] {
        let rows = rows(app, &home.chart).await;
        titles.push(rows.into_iter().map(|row| row["title"].clone()).collect::<Vec<_>>());
    }
    assert!(!titles[0].is_empty(), "there is a record");
    assert_eq!(titles[0], titles[1], "and the laptop has the whole of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_with_the_key_of_another_server_pairs_nothing() {
    let home = Home::new().await;
    let other = Server::start(&home.folder.path().join("other"), "127.0.0.1:0").await;
    let (code, mut join) = scanned(&home.phone, "laptop").await;
    let (pin, foreign) = (home.server.relay.key().to_string(), other.relay.key().to_string());
    assert!(code.contains(&pin), "the code names the server's key");
    join["code"] = json!(code.replace(&pin, &foreign));
    let laptop = home.fresh("laptop");
    let refused = laptop.call("pair_join", join).await.expect_err("this server has another key");
    assert_eq!(refused.message_id, "error-other-server", "and it is said");
    assert_eq!(
        call::<command::VaultStatus>(&laptop, Value::Null).await["phase"],
        "missing",
        "nothing was made"
    );
    assert_eq!(device_names(&home.phone).await, ["phone"], "and nothing was added");
    let (code, mut join) = scanned(&home.phone, "laptop").await;
    join["code"] = json!(code.replace(&pin, "no key"));
    let refused = laptop.call("pair_join", join).await.expect_err("that is no key");
    assert_eq!(refused.code, Code::BadPairingCode, "a code that is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_has_a_place_at_the_server_that_no_stranger_takes() {
    let home = Home::new().await;
    call::<command::PairOffer>(&home.phone, Value::Null).await;
    let c = rusqlite::Connection::open(home.folder.path().join("server/relay.sqlite")).expect("a database");
    let places = c.prepare("SELECT site FROM mailbox").and_then(|mut all| {
        let sites = all.query_map([], |row| row.get(0))?;
        sites.collect::<Result<Vec<i64>, _>>()
    });
    assert_eq!(places.expect("a table"), [0], "of a signed-in device");
}

/// Lets nobody have a welcome.
#[derive(Default)]
struct NoWelcome(AtomicU64);

impl Liar for NoWelcome {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        if call.path.ends_with("/welcome") {
            self.0.fetch_add(1, Ordering::SeqCst);
            *reply = Reply::of(404, encode(&Refusal::from(RefusalCode::NotFound)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_device_whose_welcome_is_dropped_is_seen_not_to_come_in() {
    let home = Home::new().await;
    let laptop = home.fresh("laptop");
    let mitm = Mitm::start(home.server.url.trim_start_matches("http://").parse().expect("an address")).await;
    let dropping = Arc::new(NoWelcome::default());
    mitm.arm(Some(dropping.clone()));
    let mut join = offer(&home.phone, "laptop").await;
    join["server"] = json!(mitm.url);
    call::<command::PairJoin>(&laptop, join).await;
    phase(&home.phone, "the laptop asks", "asking").await;
    call::<command::PairApprove>(&home.phone, Value::Null).await;
    until::<command::DeviceList>(&home.phone, Value::Null, "it is in the list", |list| {
        list.as_array().is_some_and(|list| list.len() == 2)
    })
    .await;
    let asked = dropping.0.load(Ordering::SeqCst);
    for _ in 0..400 {
        if dropping.0.load(Ordering::SeqCst) >= asked + 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(dropping.0.load(Ordering::SeqCst) >= asked + 3, "it looks for its welcome");
    let status = call::<command::PairStatus>(&laptop, Value::Null).await;
    assert_ne!(status["phase"], "done", "without it the laptop is not in: {status}");
    assert_eq!(
        call::<command::VaultStatus>(&laptop, Value::Null).await["phase"],
        "missing",
        "it has nothing"
    );
    mitm.arm(None);
    phase(&laptop, "and with it it is", "done").await;
    assert_eq!(
        rows(&laptop, &home.chart).await.len(),
        rows(&home.phone, &home.chart).await.len(),
        "the record"
    );
}
