//! What an answer may do, and whose: a request that is over stays over, junk of the server is nobody's word, and whoever has a code is
//! not thereby whom it was meant for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mecum_api::{Command, command};
use mecum_client::App;
use serde_json::{Value, json};

use super::mitm::{Call, Liar, Mitm, Reply};
use super::world::{Server, call, create, device};
use super::{DAY_MS, NEW, World, share, sync_until};

/// Counts the requests to restore that come through.
#[derive(Default)]
struct Counts(AtomicU32);

impl Liar for Counts {
    fn ask(&self, call: &mut Call) {
        if call.path == "/v1/helpers/ask" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn answer(&self, _: &Call, _: &mut Reply) {}
}

async fn between(world: &World, liar: Arc<dyn Liar>) -> Mitm {
    let address = world.server.url.trim_start_matches("http://").parse().expect("an address");
    let mitm = Mitm::start(address).await;
    mitm.arm(Some(liar));
    mitm
}

async fn connect_at(app: &App, server: &Server, url: &str) {
    let code = server.relay.make_enrolment_code().expect("the relay makes a code");
    let sync = call::<command::ServerConnect>(app, json!({ "url": url, "code": code })).await;
    assert_eq!(sync["phase"], "up-to-date", "connected and exchanged: {sync}");
}

/// The words of a code: they lead to whatever server who types them has.
fn words(code: &Value) -> String {
    let words = code["words"].as_array().expect("words");
    words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_over_is_not_made_again_by_looking_at_it() {
    let world = World::with_helpers().await;
    let counts = Arc::new(Counts::default());
    let mitm = between(&world, counts.clone()).await;
    let asker = device(&world.folder_of("new"));
    let args =
        json!({ "server": mitm.url, "account": world.account, "passphrase": NEW, "device_name": "new" });
    call::<command::RestoreAsk>(&asker, args).await;
    world.notice(&world.laras).await;
    call::<command::HelpersStop>(&world.laras, Value::Null).await;
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "stopped", "{view}");
    // The server keeps what was stopped for so long.
    world.pass(40 * DAY_MS);
    world.server.relay.sweep().expect("a sweep");
    for look in 0..3 {
        let view = call::<command::RestoreGet>(&asker, Value::Null).await;
        assert_eq!(view["phase"], "over", "look {look}: the server knows of it no more: {view}");
    }
    assert_eq!(counts.0.load(Ordering::SeqCst), 1, "nobody asked again");
    assert_eq!(world.notice(&world.laras).await, Value::Null, "and nobody is told of anything");
    world.stop().await;
}

/// Answers junk from one slot of every mailbox.
struct Junk(&'static str);

impl Liar for Junk {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        if call.path.ends_with(self.0) && call.path.contains("mailbox") {
            *reply = Reply::of(200, vec![7; 80]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_makes_up_is_neither_a_helpers_no_nor_the_end_of_a_part() {
    let mut world = World::new().await;
    let ani = device(&world.folder_of("junk"));
    create(&ani, "Ani", "phone").await;
    let mitm = between(&world, Arc::new(Junk("/join"))).await;
    mitm.arm(None);
    connect_at(&ani, &world.server, &mitm.url).await;
    let laras = device(&world.folder_of("laras behind"));
    let chart = create(&laras, "Laras", "phone").await;
    connect_at(&laras, &world.server, &mitm.url).await;
    (world.laras, world.chart) = (laras, chart);
    world.choose().await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    mitm.arm(Some(Arc::new(Junk("/join"))));
    sync_until(&world.laras, 1, "waiting").await;
    mitm.arm(None);
    call::<command::PartOpen>(&ani, json!({ "code": code["qr"] })).await;
    mitm.arm(Some(Arc::new(Junk("/welcome"))));
    call::<command::PartAnswer>(&ani, json!({ "accept": true })).await;
    let parts = call::<command::PartList>(&ani, Value::Null).await;
    assert_eq!(parts[0]["state"], "waiting", "what does not open is nobody's word: {parts}");
    mitm.arm(None);
    sync_until(&world.laras, 1, "asking").await;
    call::<command::HelpersAnswer>(&world.laras, json!({ "number": 1, "yes": true })).await;
    call::<command::SyncNow>(&ani, Value::Null).await;
    let parts = call::<command::PartList>(&ani, Value::Null).await;
    assert_eq!(parts[0]["state"], "kept", "and the true one is taken: {parts}");
    sync_until(&world.laras, 1, "kept").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_who_was_chosen_by_account_and_shares_no_more_the_person_is_asked() {
    let world = World::new().await;
    share(&world).await;
    let people = call::<command::HelpersGet>(&world.laras, Value::Null).await["people"].clone();
    let account = people[0]["account"].clone();
    let helpers = json!([{ "account": account, "name": "Ani" }, { "name": "Budi" }, { "name": "Citra" }]);
    let args = json!({ "passphrase": super::world::WORDS, "helpers": helpers });
    call::<command::HelpersSet>(&world.laras, args).await;
    let end = json!({ "chart": world.chart, "account": account });
    call::<command::MemberRemove>(&world.laras, end).await;
    call::<command::SyncNow>(&world.laras, Value::Null).await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    call::<command::PartOpen>(&world.helpers[0], json!({ "code": code["qr"] })).await;
    call::<command::PartAnswer>(&world.helpers[0], json!({ "accept": true })).await;
    let helper = sync_until(&world.laras, 1, "asking").await;
    assert_eq!(helper["answered_as"], "Ani", "their log is not followed any more: {helper}");
    call::<command::HelpersAnswer>(&world.laras, json!({ "number": 1, "yes": true })).await;
    call::<command::SyncNow>(&world.helpers[0], Value::Null).await;
    sync_until(&world.laras, 1, "kept").await;
    world.stop().await;
}

/// Holds back the first answer from a mailbox's slot until it is told to go on.
struct Holds {
    held: std::sync::mpsc::SyncSender<()>,
    go_on: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
    first: AtomicU32,
}

impl Liar for Holds {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, _: &mut Reply) {
        let is_it = call.path.ends_with("/join") && call.path.contains("mailbox");
        if is_it && self.first.fetch_add(1, Ordering::SeqCst) == 0 {
            self.held.send(()).expect("the test listens");
            let wait = std::time::Duration::from_mins(1);
            let _ =
                tokio::task::block_in_place(|| self.go_on.lock().expect("nobody panics").recv_timeout(wait));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_look_that_takes_long_forgets_no_code_that_was_shown_meanwhile() {
    let world = World::with_helpers().await;
    let (held, is_held) = std::sync::mpsc::sync_channel(1);
    let (go, go_on) = std::sync::mpsc::sync_channel(1);
    let holds = Holds { held, go_on: std::sync::Mutex::new(go_on), first: AtomicU32::new(0) };
    let mitm = between(&world, Arc::new(holds)).await;
    let asker = device(&world.folder_of("new"));
    let args =
        json!({ "server": mitm.url, "account": world.account, "passphrase": NEW, "device_name": "new" });
    call::<command::RestoreAsk>(&asker, args).await;
    let first = call::<command::RestoreCode>(&asker, Value::Null).await;
    let args = json!({ "account": world.account, "code": words(&first) });
    call::<command::PartAsked>(&world.helpers[0], args).await;
    call::<command::PartGive>(&world.helpers[0], json!({ "account": world.account })).await;
    let looking = {
        let asker = asker.clone();
        tokio::spawn(async move { asker.call(command::RestoreGet::NAME, Value::Null).await })
    };
    tokio::task::block_in_place(|| is_held.recv()).expect("it looks");
    let second = call::<command::RestoreCode>(&asker, Value::Null).await;
    go.send(()).expect("held");
    let view = looking.await.expect("no panic").expect("looked");
    assert_eq!(view["parts"].as_array().map(Vec::len), Some(1), "the first part came: {view}");
    let args = json!({ "account": world.account, "code": words(&second) });
    call::<command::PartAsked>(&world.helpers[1], args).await;
    call::<command::PartGive>(&world.helpers[1], json!({ "account": world.account })).await;
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["parts"].as_array().map(Vec::len), Some(2), "and the second by the second code: {view}");
    world.stop().await;
}
