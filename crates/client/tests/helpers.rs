//! Recovery helpers by the commands of the screens, over a relay on TCP whose clock the test moves: two of three helpers and the
//! server bring everything back on an empty device after seven days, and nothing less does.

#[path = "helpers/answers.rs"]
mod answers;
#[allow(dead_code, reason = "other tests lie in more ways")]
#[path = "byzantine/mitm.rs"]
mod mitm;
#[path = "helpers/pruned.rs"]
mod pruned;
#[path = "support/world.rs"]
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::{CallError, Code, Command, command};
use mecum_client::App;
use mecum_faults::Proof;
use serde_json::{Value, json};
use tempfile::TempDir;

use mitm::{Call, Liar, Mitm, Reply};
use world::{Server, WORDS, call, connect, create, device, pair, rows, until};

const NEW: &str = "jambu selokan wayang kompor terasi bambu";
/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const NAMES: [&str; 3] = ["Ani", "Budi", "Citra"];

/// Somebody with a record and three helpers, each with a vault of their own.
struct World {
    folder: TempDir,
    clock: Arc<AtomicI64>,
    server: Server,
    laras: App,
    helpers: Vec<App>,
    account: String,
    chart: String,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_at(&folder.path().join("server"), &clock).await;
        Self::at(folder, clock, server).await
    }

    /// Beside a server that asks for verification of every snapshot.
    async fn pruning() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_pruning(&folder.path().join("server"), &clock).await;
        Self::at(folder, clock, server).await
    }

    async fn at(folder: TempDir, clock: Arc<AtomicI64>, server: Server) -> Self {
        let laras = device(&folder.path().join("laras"));
        let chart = create(&laras, "Laras", "phone").await;
        connect(&laras, &server).await;
        let mut helpers = Vec::new();
        for name in NAMES {
            let app = device(&folder.path().join(name));
            create(&app, name, "phone").await;
            connect(&app, &server).await;
            helpers.push(app);
        }
        let view = call::<command::HelpersGet>(&laras, Value::Null).await;
        let account = view["account"].as_str().expect("an id").to_owned();
        Self { folder, clock, server, laras, helpers, account, chart }
    }

    async fn with_helpers() -> Self {
        let world = Self::new().await;
        world.choose().await;
        world.hand_all_over().await;
        world
    }

    async fn choose(&self) -> Value {
        let helpers: Vec<Value> = NAMES.iter().map(|name| json!({ "name": name })).collect();
        let args = json!({ "passphrase": WORDS, "helpers": helpers });
        call::<command::HelpersSet>(&self.laras, args).await
    }

    /// Each helper opens their code, answers, is recognised, and takes their part.
    async fn hand_all_over(&self) {
        for at in 0..3 {
            self.hand_over(at).await;
        }
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        assert_eq!((&view["stored"], &view["ready"]), (&json!(true), &json!(true)), "they help: {view}");
    }

    async fn hand_over(&self, at: usize) {
        let (number, helper) = (at + 1, &self.helpers[at]);
        let code = call::<command::HelpersCode>(&self.laras, json!({ "number": number })).await;
        let offer = call::<command::PartOpen>(helper, json!({ "code": code["qr"] })).await;
        assert_eq!(offer["from"], "Laras", "who asks: {offer}");
        call::<command::PartAnswer>(helper, json!({ "accept": true })).await;
        let view = sync_until(&self.laras, number, "asking").await;
        assert_eq!(view["answered_as"], NAMES[at], "who answered: {view}");
        call::<command::HelpersAnswer>(&self.laras, json!({ "number": number, "yes": true })).await;
        call::<command::SyncNow>(helper, Value::Null).await;
        let parts = call::<command::PartList>(helper, Value::Null).await;
        assert_eq!((&parts[0]["state"], &parts[0]["number"]), (&json!("kept"), &json!(number)), "{parts}");
        sync_until(&self.laras, number, "kept").await;
    }

    fn folder_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    async fn try_ask(&self, name: &str) -> (App, Result<Value, CallError>) {
        let asker = device(&self.folder_of(name));
        let args = json!({ "server": self.server.url, "account": self.account, "passphrase": NEW, "device_name": name });
        let asked = asker.call(command::RestoreAsk::NAME, args).await;
        (asker, asked)
    }

    async fn ask(&self, name: &str) -> App {
        let (asker, asked) = self.try_ask(name).await;
        let view = asked.expect("asked");
        assert_eq!(view["phase"], "waiting", "{view}");
        asker
    }

    /// A helper compares the words and gives their part.
    async fn give(&self, at: usize, asker: &App) {
        let before = call::<command::RestoreGet>(asker, Value::Null).await;
        let code = call::<command::RestoreCode>(asker, Value::Null).await;
        let args = json!({ "account": self.account, "code": code["qr"] });
        let asked = call::<command::PartAsked>(&self.helpers[at], args).await;
        assert_eq!(asked["words"], before["words"], "the same six words on both screens");
        assert_eq!(asked["words"].as_array().map(Vec::len), Some(6), "six of them");
        assert_eq!(asked["from"], "Laras", "and for whom");
        call::<command::PartGive>(&self.helpers[at], json!({ "account": self.account })).await;
        let after = call::<command::RestoreGet>(asker, Value::Null).await;
        let count = |view: &Value| view["parts"].as_array().map_or(0, Vec::len);
        assert_eq!(count(&after), count(&before) + 1, "it has come: {after}");
    }

    /// What home says of a request.
    async fn notice(&self, app: &App) -> Value {
        call::<command::SyncNow>(app, Value::Null).await;
        call::<command::Home>(app, Value::Null).await["helpers_notice"].clone()
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

/// Exchanges until a helper is so far.
async fn sync_until(app: &App, number: usize, state: &str) -> Value {
    until::<command::SyncNow>(app, Value::Null, "an exchange", |view| view["phase"] == "up-to-date").await;
    let view = call::<command::HelpersGet>(app, Value::Null).await;
    let helper = view["helpers"][number - 1].clone();
    assert_eq!(helper["state"], state, "helper {number}: {view}");
    helper
}

async fn finish(asker: &App, alone: bool) -> Result<(), CallError> {
    let args = json!({ "passphrase": NEW, "alone": alone });
    asker.call(command::RestoreFinish::NAME, args).await?;
    until::<command::PairStatus>(asker, Value::Null, "everything has come over", |view| {
        view["phase"] == "done"
    })
    .await;
    Ok(())
}

async fn note(app: &App, chart: &str, text: &str) {
    let fields = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
    call::<command::EntryAdd>(app, fields).await;
}

/// Everything that a device holds.
async fn everything(app: &App) -> String {
    app.with(|session| Ok(format!("{:?}", session.fingerprint()?))).await.expect("open")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_helpers_and_seven_days_bring_everything_back_with_a_restart_between_any_two_steps() {
    let mut world = World::with_helpers().await;
    for n in 0..5 {
        note(&world.laras, &world.chart, &format!("note {n}")).await;
    }
    call::<command::SyncNow>(&world.laras, Value::Null).await;
    let before = everything(&world.laras).await;
    // Helpers too are started again.
    let gone = world.helpers.remove(1);
    drop(gone);
    let budi = device(&world.folder_of("Budi"));
    call::<command::VaultUnlock>(&budi, json!({ "passphrase": WORDS })).await;
    let kept = call::<command::PartList>(&budi, Value::Null).await;
    assert_eq!((&kept[0]["state"], &kept[0]["from"]), (&json!("kept"), &json!("Laras")), "{kept}");
    world.helpers.insert(1, budi);
    let reopened = |asker: App| async {
        drop(asker);
        let asker = device(&world.folder_of("new"));
        let view = call::<command::RestoreGet>(&asker, Value::Null).await;
        assert_eq!(view["phase"], "locked", "it is known that something was asked, and not what: {view}");
        assert_eq!(view["account"], "", "{view}");
        let wrong = asker.call(command::RestoreOpen::NAME, json!({ "passphrase": WORDS })).await;
        assert_eq!(wrong.expect_err("another passphrase").code, Code::WrongPassphrase, "its own opens it");
        call::<command::RestoreOpen>(&asker, json!({ "passphrase": NEW })).await;
        asker
    };
    let asker = world.ask("new").await;
    let asker = reopened(asker).await;
    world.give(1, &asker).await;
    let asker = reopened(asker).await;
    world.pass(7 * DAY_MS - 1);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "waiting", "a millisecond before: {view}");
    world.pass(1);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "released", "seven days by the server's clock: {view}");
    let asker = reopened(asker).await;
    let refused = finish(&asker, false).await.expect_err("one part");
    assert_eq!(refused.message_id, "error-restore-parts", "the server and one helper are too few");
    world.give(2, &asker).await;
    let asker = reopened(asker).await;
    let wrong = asker.call(command::RestoreFinish::NAME, json!({ "passphrase": WORDS, "alone": true })).await;
    assert_eq!(wrong.expect_err("another passphrase").code, Code::WrongPassphrase, "as it was asked");
    finish(&asker, true).await.expect("two helpers and the server");
    assert_eq!(everything(&asker).await, before, "the same record byte for byte");
    assert!(!world.folder_of("new").join("restoring").exists(), "nothing of the request is left");
    note(&asker, &world.chart, "written after").await;
    let synced = call::<command::SyncNow>(&asker, Value::Null).await;
    assert_eq!(synced["phase"], "up-to-date", "a device like any other: {synced}");
    let devices = call::<command::DeviceList>(&asker, Value::Null).await;
    assert_eq!(devices.as_array().map(Vec::len), Some(1), "the lost phone is removed: {devices}");
    assert_eq!(world.notice(&asker).await, Value::Null, "and it is over");
    let helpers = call::<command::HelpersGet>(&asker, Value::Null).await;
    assert_eq!((&helpers["set"], &helpers["made_here"]), (&json!(true), &json!(false)), "{helpers}");
    assert!(rows(&asker, &world.chart).await.len() >= 6, "with what was written after");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_device_is_told_until_one_stops_it_and_then_nobody_asks_for_thirty_days() {
    let world = World::with_helpers().await;
    let tablet = device(&world.folder_of("tablet"));
    pair(&world.laras, &tablet, "tablet", WORDS).await;
    assert_eq!(world.notice(&tablet).await, Value::Null, "nobody has asked");
    let asker = world.ask("thief").await;
    let words = call::<command::RestoreGet>(&asker, Value::Null).await["words"].clone();
    for app in [&world.laras, &tablet] {
        let notice = world.notice(app).await;
        assert_eq!(notice["words"], words, "every device is told, with the words: {notice}");
        assert_eq!(notice["released_ms"], NOW_MS + 7 * DAY_MS, "and until when: {notice}");
    }
    world.give(0, &asker).await;
    world.give(1, &asker).await;
    world.pass(6 * DAY_MS);
    // Also where there is no network, after a restart.
    drop(tablet);
    let tablet = device(&world.folder_of("tablet"));
    call::<command::VaultUnlock>(&tablet, json!({ "passphrase": WORDS })).await;
    let home = call::<command::Home>(&tablet, Value::Null).await;
    assert_eq!(home["helpers_notice"]["words"], words, "it is the first thing there: {home}");
    let second = world.ask("second").await;
    for app in [&world.laras, &tablet] {
        let notice = world.notice(app).await;
        assert_eq!(notice["words"], words, "the first one is told first: {notice}");
        assert_eq!(notice["others"], 1, "and that there is another: {notice}");
    }
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["released_ms"], NOW_MS + 7 * DAY_MS, "which shortens nothing: {view}");
    let view = call::<command::RestoreGet>(&second, Value::Null).await;
    assert_eq!(view["released_ms"], NOW_MS + 13 * DAY_MS, "and waits for itself: {view}");
    call::<command::HelpersStop>(&tablet, Value::Null).await;
    assert_eq!(world.notice(&world.laras).await, Value::Null, "it is stopped on every device");
    world.pass(2 * DAY_MS);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "stopped", "a stop on day 6 ends it: {view}");
    assert_eq!(view["again_ms"], NOW_MS + 36 * DAY_MS, "for thirty days: {view}");
    let view = call::<command::RestoreGet>(&second, Value::Null).await;
    assert_eq!(view["phase"], "stopped", "and the other with it: {view}");
    let refused = finish(&asker, true).await.expect_err("stopped");
    assert_eq!(refused.message_id, "error-restore-waiting", "two helpers alone are nothing");
    let dropped = call::<command::RestoreDrop>(&asker, Value::Null).await;
    assert_eq!(dropped["phase"], "none", "{dropped}");
    let (_third, asked) = world.try_ask("third").await;
    assert_eq!(asked.expect_err("too soon").message_id, "error-restore-later", "nobody asks meanwhile");
    world.pass(28 * DAY_MS);
    world.ask("fourth").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_also_who_asked_where_this_device_has_not_heard_of_it() {
    let world = World::with_helpers().await;
    let first = world.ask("first").await;
    let notice = world.notice(&world.laras).await;
    assert_eq!(notice["others"], 0, "nobody else asks: {notice}");
    let second = world.ask("second").await;
    call::<command::HelpersStop>(&world.laras, Value::Null).await;
    assert_eq!(world.notice(&world.laras).await, Value::Null, "the server has heard of it");
    for asker in [&first, &second] {
        let view = call::<command::RestoreGet>(asker, Value::Null).await;
        assert_eq!(view["phase"], "stopped", "also the one that this device had not heard of: {view}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_ask_first_keep_nobody_from_coming_back() {
    let world = World::with_helpers().await;
    note(&world.laras, &world.chart, "what is to come back").await;
    call::<command::SyncNow>(&world.laras, Value::Null).await;
    let before = everything(&world.laras).await;
    let mut strangers = Vec::new();
    for name in ["stranger", "another stranger"] {
        strangers.push(world.ask(name).await);
    }
    world.pass(3 * DAY_MS);
    let asker = world.ask("new").await;
    let notice = world.notice(&world.laras).await;
    assert_eq!(
        (&notice["released_ms"], &notice["others"]),
        (&json!(NOW_MS + 7 * DAY_MS), &json!(2)),
        "{notice}"
    );
    for at in [0, 2] {
        world.give(at, &asker).await;
    }
    world.pass(4 * DAY_MS);
    let view = call::<command::RestoreGet>(&strangers[0], Value::Null).await;
    assert_eq!(view["phase"], "released", "a stranger's wait is over: {view}");
    assert_eq!(view["parts"], json!([]), "and nobody's part was given to them: {view}");
    let refused = finish(&strangers[0], true).await.expect_err("no parts");
    assert_eq!(refused.message_id, "error-restore-parts", "which is nothing without two helpers");
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "waiting", "another's wait is not this one's: {view}");
    world.pass(3 * DAY_MS);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "released", "seven days after it was asked: {view}");
    finish(&asker, true).await.expect("two helpers and the server");
    assert_eq!(everything(&asker).await, before, "the same record byte for byte");
    assert_eq!(world.notice(&asker).await, Value::Null, "who is back is told of nobody");
    let view = call::<command::RestoreGet>(&strangers[1], Value::Null).await;
    assert_eq!(view["phase"], "over", "and the strangers' requests are over: {view}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_earlier_helpers_is_named_and_a_withdrawn_one_is_gone() {
    let world = World::with_helpers().await;
    world.choose().await;
    for at in [1, 2] {
        world.hand_over(at).await;
    }
    // The server holds what the first code said; Ani never opened the second one.
    let asker = world.ask("new").await;
    world.give(0, &asker).await;
    world.give(1, &asker).await;
    world.pass(7 * DAY_MS);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    let wrong: Vec<&Value> =
        view["parts"].as_array().expect("parts").iter().map(|part| &part["wrong"]).collect();
    assert_eq!(wrong, [&json!(true), &json!(false)], "the older one is known as soon as the set is: {view}");
    let refused = finish(&asker, false).await.expect_err("one right part");
    assert_eq!(refused.message_id, "error-restore-part", "a part is of earlier helpers");
    assert_eq!(refused.args["number"], "1", "and it is named");
    let left = call::<command::PartWithdraw>(&world.helpers[1], json!({ "account": world.account })).await;
    assert_eq!(left, json!([]), "who helps no more keeps nothing");
    let code = call::<command::RestoreCode>(&asker, Value::Null).await;
    let args = json!({ "account": world.account, "code": code["qr"] });
    let gone = world.helpers[1].call(command::PartAsked::NAME, args).await;
    assert_eq!(gone.expect_err("destroyed").code, Code::NotFound, "and has nothing to give");
    world.give(2, &asker).await;
    finish(&asker, false).await.expect("two right parts beside a wrong one");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_says_no_and_a_stranger_with_the_code_gets_nothing() {
    let world = World::new().await;
    let few = json!({ "passphrase": WORDS, "helpers": [{ "name": "Ani" }] });
    let refused = world.laras.call(command::HelpersSet::NAME, few).await.expect_err("one helper");
    assert_eq!(refused.message_id, "error-helpers-three", "three are needed");
    let wrong = json!({ "passphrase": NEW, "helpers": [{ "name": "Ani" }] });
    let refused = world.laras.call(command::HelpersSet::NAME, wrong).await.expect_err("another passphrase");
    assert_eq!(refused.code, Code::WrongPassphrase, "the passphrase is asked");
    world.choose().await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    let same = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    assert_eq!(code["qr"], same["qr"], "the same code until it ends");
    call::<command::PartOpen>(&world.helpers[0], json!({ "code": code["qr"] })).await;
    call::<command::PartAnswer>(&world.helpers[0], json!({ "accept": false })).await;
    sync_until(&world.laras, 1, "declined").await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    // Somebody else opens it: the person sees who, and says no.
    call::<command::PartOpen>(&world.helpers[2], json!({ "code": code["qr"] })).await;
    call::<command::PartAnswer>(&world.helpers[2], json!({ "accept": true })).await;
    let helper = sync_until(&world.laras, 1, "asking").await;
    assert_eq!(helper["answered_as"], "Citra", "{helper}");
    let view = call::<command::HelpersAnswer>(&world.laras, json!({ "number": 1, "yes": false })).await;
    assert_eq!(view["helpers"][0]["state"], "chosen", "another code can be shown: {view}");
    call::<command::SyncNow>(&world.helpers[2], Value::Null).await;
    let parts = call::<command::PartList>(&world.helpers[2], Value::Null).await;
    assert_eq!(parts[0]["state"], "waiting", "and nothing came: {parts}");
    world.hand_over(0).await;
    let ended = call::<command::HelpersEnd>(&world.laras, json!({ "passphrase": WORDS })).await;
    assert_eq!((&ended["set"], &ended["helpers"]), (&json!(false), &json!([])), "{ended}");
    world.stop().await;
}

/// Lets Ani read one section of the record.
async fn share(world: &World) {
    let fields = json!({ "chart": world.chart, "kind": "medication-statement", "fields": [["name", "Metformin"], ["dose", "500"], ["dose-unit", "mg"]] });
    call::<command::EntryAdd>(&world.laras, fields).await;
    let args = json!({ "chart": world.chart, "sections": ["medications"], "role": "reader" });
    let shown = call::<command::MemberInvite>(&world.laras, args).await;
    call::<command::InvitationOpen>(&world.helpers[0], json!({ "code": shown["qr"] })).await;
    call::<command::InvitationAnswer>(&world.helpers[0], json!({ "accept": true, "name": "Ani" })).await;
    let asking = |view: &Value| view["phase"] == "asking";
    until::<command::MemberStatus>(&world.laras, Value::Null, "she answers", asking).await;
    call::<command::MemberApprove>(&world.laras, Value::Null).await;
    let done = |view: &Value| view["phase"] == "done";
    until::<command::MemberStatus>(&world.laras, Value::Null, "she is in", done).await;
    until::<command::InvitationStatus>(&world.helpers[0], Value::Null, "it is said", done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_record_is_chosen_by_account_and_nobody_else_takes_their_part() {
    let world = World::new().await;
    share(&world).await;
    let people = call::<command::HelpersGet>(&world.laras, Value::Null).await["people"].clone();
    assert_eq!(people.as_array().map(Vec::len), Some(1), "Ani shares something: {people}");
    assert_eq!(people[0]["name"], "Ani", "{people}");
    let helpers =
        json!([{ "account": people[0]["account"], "name": "Ani" }, { "name": "Budi" }, { "name": "Citra" }]);
    let args = json!({ "passphrase": WORDS, "helpers": helpers });
    call::<command::HelpersSet>(&world.laras, args.clone()).await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    call::<command::PartOpen>(&world.helpers[2], json!({ "code": code["qr"] })).await;
    call::<command::PartAnswer>(&world.helpers[2], json!({ "accept": true })).await;
    sync_until(&world.laras, 1, "chosen").await;
    let code = call::<command::HelpersCode>(&world.laras, json!({ "number": 1 })).await;
    call::<command::PartOpen>(&world.helpers[0], json!({ "code": code["qr"] })).await;
    call::<command::PartAnswer>(&world.helpers[0], json!({ "accept": true })).await;
    sync_until(&world.laras, 1, "handing").await;
    call::<command::SyncNow>(&world.helpers[0], Value::Null).await;
    sync_until(&world.laras, 1, "kept").await;
    call::<command::SyncNow>(&world.helpers[2], Value::Null).await;
    let parts = call::<command::PartList>(&world.helpers[2], Value::Null).await;
    assert_eq!(parts[0]["state"], "waiting", "who had the code has nothing: {parts}");
    call::<command::HelpersSet>(&world.laras, args).await;
    call::<command::SyncNow>(&world.helpers[0], Value::Null).await;
    let parts = call::<command::PartList>(&world.helpers[0], Value::Null).await;
    assert_eq!(parts[0]["state"], "old", "who sees the log knows that others were chosen: {parts}");
    world.stop().await;
}

/// One case of row 54: some of the helpers, and what became of the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Over,
    NotOver,
    Stopped,
}

/// Every subset of the helpers with every wait, in an order in which the first few are of every kind.
fn cases() -> Vec<(Vec<usize>, Wait)> {
    let subsets = [vec![0, 1], vec![2], vec![1, 2], vec![0], vec![0, 2], vec![1], vec![0, 1, 2], vec![]];
    let waits = [Wait::Over, Wait::NotOver, Wait::Stopped];
    let mut cases = Vec::new();
    for turn in 0..3 {
        for (at, subset) in subsets.iter().enumerate() {
            cases.push((subset.clone(), waits[(at + turn) % 3]));
        }
    }
    cases
}

/// Whether it comes out as it must: the account is back exactly if two helpers gave their parts and the wait is over.
async fn comes_out_right(world: &World, name: &str, helpers: &[usize], wait: Wait, waits: bool) -> bool {
    let before = everything(&world.laras).await;
    let asker = world.ask(name).await;
    for at in helpers {
        world.give(*at, &asker).await;
    }
    match wait {
        Wait::Over => world.pass(7 * DAY_MS),
        // With the wait taken away, it is over at once.
        Wait::NotOver => world.pass(if waits { 7 * DAY_MS - 1 } else { 7 * DAY_MS }),
        Wait::Stopped => {
            world.pass(6 * DAY_MS);
            assert_ne!(world.notice(&world.laras).await, Value::Null, "who is there is told");
            call::<command::HelpersStop>(&world.laras, Value::Null).await;
            world.pass(2 * DAY_MS);
        }
    }
    call::<command::RestoreGet>(&asker, Value::Null).await;
    let back = finish(&asker, false).await.is_ok();
    let whole = !back || everything(&asker).await == before;
    let wanted = helpers.len() >= 2 && wait == Wait::Over;
    // The next request is taken when this one is over or the thirty days are.
    world.pass(40 * DAY_MS);
    back == wanted && whole
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fewer_than_two_helpers_and_no_shorter_wait_bring_an_account_back() {
    let all = cases();
    let proof = Proof::new(54, "subsets of the helpers, with every end of the wait", all.len() as u64);
    let world = World::with_helpers().await;
    note(&world.laras, &world.chart, "what is to come back").await;
    call::<command::SyncNow>(&world.laras, Value::Null).await;
    let (mut looked, mut failures) = (0, 0);
    let wanted = proof.numbers().filter_map(|number| all.get(usize::try_from(number).ok()?));
    for (number, (helpers, wait)) in wanted.enumerate() {
        looked += 1;
        if !comes_out_right(&world, &format!("asker {number}"), helpers, *wait, true).await {
            println!("helpers {helpers:?}, wait {wait:?}: not as it must be");
            failures += 1;
        }
    }
    proof.end(looked, failures);
    assert_eq!(failures, 0, "every two of three, and nothing less");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_with_the_wait_taken_away_the_account_comes_back_at_once() {
    let world = World::with_helpers().await;
    let right = comes_out_right(&world, "asker", &[0, 1], Wait::NotOver, false).await;
    assert!(!right, "the harness sees that the wait was not kept");
    world.stop().await;
}

/// A server that takes a request and whose answer makes no sense.
struct Garbles;

impl Liar for Garbles {
    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        if call.path == "/v1/helpers/ask" {
            *reply = Reply::of(500, Vec::new());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_makes_no_sense_does_not_forget_the_keys_of_what_was_asked() {
    let world = World::with_helpers().await;
    let address = world.server.url.trim_start_matches("http://").parse().expect("an address");
    let mitm = Mitm::start(address).await;
    mitm.arm(Some(Arc::new(Garbles)));
    let asker = device(&world.folder_of("new"));
    let args =
        json!({ "server": mitm.url, "account": world.account, "passphrase": NEW, "device_name": "new" });
    let asked = asker.call(command::RestoreAsk::NAME, args).await;
    asked.expect("whether it was heard is not known: it is kept");
    assert!(world.notice(&world.laras).await.is_object(), "the server took it");
    mitm.arm(None);
    let view = call::<command::RestoreGet>(&asker, Value::Null).await;
    assert_eq!(view["phase"], "waiting", "the same request goes on: {view}");
    assert_eq!(view["released_ms"], NOW_MS + 7 * DAY_MS, "and its time is counted: {view}");
    world.stop().await;
}
