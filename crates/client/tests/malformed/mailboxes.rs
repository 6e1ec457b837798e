//! Messages in mailboxes that somebody waits for, changed on their way: in pairing, in an invitation, between somebody and a recovery
//! helper, and when a helper gives their part. Whoever waits is a living app that asks again and again; it takes none of them, holds
//! what it held, goes on waiting, and takes the honest message after them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecum_api::command;
use mecum_client::{App, AppOptions};
use mecum_faults::Proof;
use mecum_sync::limits::MAX_MAILBOX_BYTES;
use mecum_sync::{Refusal, RefusalCode, controls, encode};
use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mitm::{Call, Liar, Mitm, Reply};
use crate::replayed::NEW;
use crate::routes::{digest_of, is_empty};
use crate::world::{Server, WORDS, call, create, options, until};
use crate::{Digest, MAX_GROWTH_BYTES, resident_bytes};

/// Messages that somebody waits for: two in pairing and in an invitation, three between somebody and their helper, and a part.
const MESSAGES: u64 = 8;

/// So many looks of the test in a row without a question: whoever waited does not.
const SILENCE: u32 = 10_000;

/// What is done to the messages of a slot.
#[derive(Default)]
struct Plan {
    slot: &'static str,
    /// So many changed ones are still to be told.
    left: u64,
    /// After them there is nothing in the slot, until it is let through.
    holds: bool,
    told: u64,
    /// No exchange gets through.
    cut: bool,
    seed: u64,
    /// What was said honestly, by its path.
    seen: BTreeMap<String, Vec<u8>>,
}

/// Stands between the apps and the relay.
#[derive(Default)]
struct Between(Mutex<Plan>);

impl Liar for Between {
    fn alone(&self, call: &Call) -> Option<Reply> {
        let cut = call.path == "/v1/sync" && self.0.lock().unwrap().cut;
        cut.then(|| Reply::of(503, Vec::new()))
    }

    fn ask(&self, _: &mut Call) {}

    fn answer(&self, call: &Call, reply: &mut Reply) {
        let mut plan = self.0.lock().unwrap();
        if reply.status != 200 || !call.path.starts_with("/v1/mailbox/") {
            return;
        }
        plan.seen.insert(call.path.clone(), reply.body.clone());
        if plan.slot.is_empty() || !call.path.ends_with(plan.slot) {
            return;
        }
        if plan.left > 0 {
            plan.left -= 1;
            plan.told += 1;
            *reply = changed(&plan, &call.path, &reply.body);
        } else if plan.holds {
            *reply = Reply::of(404, encode(&Refusal::from(RefusalCode::NotFound)));
        }
    }
}

/// The message with a field changed, another that was said elsewhere, or an answer that is none.
fn changed(plan: &Plan, path: &str, honest: &[u8]) -> Reply {
    let dice = Dice::new(plan.seed ^ (plan.told << 20));
    let body = match dice.below(16) {
        0 => Vec::new(),
        1 => vec![0x41; MAX_MAILBOX_BYTES + 1],
        2 => return Reply::of(500, honest.to_vec()),
        3 => return Reply::of(302, honest.to_vec()),
        4 => honest[..honest.len() - 1 - usize::try_from(dice.below(16)).unwrap()].to_vec(),
        5 | 6 => {
            let others: Vec<_> = plan.seen.iter().filter(|(other, _)| *other != path).collect();
            others
                .get(usize::try_from(dice.below(64)).unwrap() % others.len().max(1))
                .map_or_else(Vec::new, |(_, body)| (*body).clone())
        }
        7..=10 => {
            let mut body = honest.to_vec();
            let at = usize::try_from(dice.below(1 << 20)).unwrap() % body.len();
            body[at] ^= 1 << dice.below(8);
            body
        }
        _ => std::iter::repeat_with(|| mutated(honest, &dice)).find(|body| body != honest).unwrap(),
    };
    assert_ne!(body, honest, "it is changed");
    Reply::of(200, body)
}

fn at(folder: &Path, name: &str) -> App {
    // As often as one address may ask.
    App::open(AppOptions { look: Duration::from_millis(25), ..options(&folder.join(name)) })
}

/// Laras with a phone, Ani who helps her, and a server that somebody stands before.
struct Stage {
    folder: TempDir,
    between: Arc<Between>,
    url: String,
    laras: App,
    ani: App,
    chart: String,
    proof_seed: u64,
    /// How many are told of each message.
    each: Vec<u64>,
    told: u64,
    wrong: Vec<String>,
    _server: Server,
    _mitm: Mitm,
}

fn of_helper(view: &Value) -> &Value {
    &view["helpers"][0]["state"]
}

impl Stage {
    async fn new(seed: u64, cases: u64) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_unhurried(&folder.path().join("server")).await;
        let mitm = Mitm::start(server.url.trim_start_matches("http://").parse().unwrap()).await;
        let between = Arc::new(Between::default());
        mitm.arm(Some(between.clone()));
        let (laras, ani) = (at(folder.path(), "laras"), at(folder.path(), "ani"));
        let chart = create(&laras, "Laras", "phone").await;
        create(&ani, "Ani", "phone").await;
        for app in [&laras, &ani] {
            let args = json!({ "url": mitm.url, "code": server.relay.make_enrolment_code().unwrap() });
            let sync = call::<command::ServerConnect>(app, args).await;
            assert_eq!(sync["phase"], "up-to-date", "connected: {sync}");
        }
        let each = (0..MESSAGES).map(|n| cases / MESSAGES + u64::from(n < cases % MESSAGES)).collect();
        Stage {
            folder,
            between,
            url: mitm.url.clone(),
            laras,
            ani,
            chart,
            proof_seed: seed,
            each,
            told: 0,
            wrong: Vec::new(),
            _server: server,
            _mitm: mitm,
        }
    }

    /// From now on so many changed messages of this slot are told, and then it is held.
    fn tell(&mut self, slot: &'static str) {
        let left = self.each.pop().expect("a message that was counted");
        let mut plan = self.between.0.lock().unwrap();
        (plan.slot, plan.left, plan.holds, plan.told) = (slot, left, true, 0);
        plan.seed = self.proof_seed ^ (self.each.len() as u64) << 48;
        self.told += left;
    }

    fn left(&self) -> (u64, u64) {
        let plan = self.between.0.lock().unwrap();
        (plan.left, plan.told)
    }

    fn cut(&self, cut: bool) {
        self.between.0.lock().unwrap().cut = cut;
    }

    /// The honest message is let through.
    fn let_through(&self) {
        let mut plan = self.between.0.lock().unwrap();
        (plan.slot, plan.holds, plan.cut) = ("", false, false);
    }

    fn check(&mut self, what: &str, holds: bool, seen: &dyn std::fmt::Debug) {
        if !holds {
            self.wrong.push(format!("{what}: {seen:?}"));
        }
    }

    /// Waits until the first is told, so that nothing honest is under way any more.
    async fn begun(&self) {
        self.asks_until(|(_, told)| told > 0).await;
    }

    async fn asks_until(&self, told: impl Fn((u64, u64)) -> bool) {
        let (mut last, mut silent) = (self.left(), 0);
        while !told(last) {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let now = self.left();
            silent = if now == last { silent + 1 } else { 0 };
            assert!(silent < SILENCE, "nobody asks any more, and {} were not told", now.0);
            last = now;
        }
    }

    async fn all_told(&self) {
        self.asks_until(|(left, _)| left == 0).await;
        // And taken in: the next look meets nothing.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// What an app holds while no exchange gets through.
    async fn held(&self, app: &App) -> Digest {
        self.cut(true);
        call::<command::SyncNow>(app, Value::Null).await;
        digest_of(app).await
    }

    async fn pairing(&mut self) {
        let offer = call::<command::PairOffer>(&self.laras, Value::Null).await;
        let words: Vec<&str> = offer["words"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let laptop = at(self.folder.path(), "laptop");
        self.tell("/join");
        let before = self.held(&self.laras).await;
        let args = json!({ "code": words.join(" "), "server": self.url, "passphrase": NEW, "device_name": "laptop" });
        call::<command::PairJoin>(&laptop, args).await;
        self.all_told().await;
        let view = call::<command::PairStatus>(&self.laras, Value::Null).await;
        let same = digest_of(&self.laras).await == before;
        self.check("who shows a pairing code waits", view["phase"] == "waiting" && same, &view);
        self.let_through();
        let asking = |view: &Value| view["phase"] == "asking";
        until::<command::PairStatus>(&self.laras, Value::Null, "the laptop asks", asking).await;
        self.tell("/welcome");
        call::<command::PairApprove>(&self.laras, Value::Null).await;
        self.begun().await;
        self.all_told().await;
        let view = call::<command::PairStatus>(&laptop, Value::Null).await;
        let empty = is_empty(laptop.profile());
        self.check("who joins waits", view["phase"] == "waiting" && empty, &view);
        self.let_through();
        let done = |view: &Value| view["phase"] == "done";
        until::<command::PairStatus>(&laptop, Value::Null, "the laptop is in", done).await;
    }

    async fn invitation(&mut self) {
        let args = json!({ "chart": self.chart, "sections": ["diary"], "role": "reader" });
        let shown = call::<command::MemberInvite>(&self.laras, args).await;
        call::<command::InvitationOpen>(&self.ani, json!({ "code": shown["qr"] })).await;
        self.tell("/join");
        let before = self.held(&self.laras).await;
        call::<command::InvitationAnswer>(&self.ani, json!({ "accept": true, "name": "Ani" })).await;
        self.all_told().await;
        let view = call::<command::MemberStatus>(&self.laras, Value::Null).await;
        let same = digest_of(&self.laras).await == before;
        self.check("who invites waits", view["phase"] == "waiting" && same, &view);
        self.let_through();
        let asking = |view: &Value| view["phase"] == "asking";
        until::<command::MemberStatus>(&self.laras, Value::Null, "Ani answers", asking).await;
        self.tell("/welcome");
        call::<command::MemberApprove>(&self.laras, Value::Null).await;
        self.begun().await;
        let before = self.held(&self.ani).await;
        self.all_told().await;
        let view = call::<command::InvitationStatus>(&self.ani, Value::Null).await;
        let same = digest_of(&self.ani).await == before;
        self.check("who is invited waits", view["phase"] == "waiting" && same, &view);
        self.let_through();
        let done = |view: &Value| view["phase"] == "done";
        until::<command::InvitationStatus>(&self.ani, Value::Null, "Ani is in", done).await;
    }

    /// Exchanges until every changed message was told: each exchange looks once.
    async fn look_until_told(&self, app: &App) -> (Digest, Digest) {
        call::<command::SyncNow>(app, Value::Null).await;
        let before = digest_of(app).await;
        while self.left().0 > 0 {
            call::<command::SyncNow>(app, Value::Null).await;
        }
        call::<command::SyncNow>(app, Value::Null).await;
        (before, digest_of(app).await)
    }

    async fn helper(&mut self) {
        let helpers: Vec<Value> =
            ["Ani", "Budi", "Citra"].iter().map(|name| json!({ "name": name })).collect();
        call::<command::HelpersSet>(&self.laras, json!({ "passphrase": WORDS, "helpers": helpers })).await;
        let code = call::<command::HelpersCode>(&self.laras, json!({ "number": 1 })).await;
        call::<command::PartOpen>(&self.ani, json!({ "code": code["qr"] })).await;
        self.tell("/join");
        call::<command::PartAnswer>(&self.ani, json!({ "accept": true })).await;
        call::<command::SyncNow>(&self.ani, Value::Null).await;
        let (before, after) = self.look_until_told(&self.laras).await;
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        self.check("who chose a helper waits", *of_helper(&view) == "waiting" && before == after, &view);
        self.let_through();
        call::<command::SyncNow>(&self.laras, Value::Null).await;
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        self.check("the honest answer is taken", *of_helper(&view) == "asking", &view);
        self.tell("/welcome");
        call::<command::HelpersAnswer>(&self.laras, json!({ "number": 1, "yes": true })).await;
        let (before, after) = self.look_until_told(&self.ani).await;
        let parts = call::<command::PartList>(&self.ani, Value::Null).await;
        self.check("a helper waits for the part", parts[0]["state"] == "waiting" && before == after, &parts);
        self.let_through();
        call::<command::SyncNow>(&self.ani, Value::Null).await;
        let parts = call::<command::PartList>(&self.ani, Value::Null).await;
        self.check("the honest part is taken", parts[0]["state"] == "kept", &parts);
        self.tell("/offer");
        let (before, after) = self.look_until_told(&self.laras).await;
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        self.check("who hands over waits", *of_helper(&view) == "handing" && before == after, &view);
        self.let_through();
        call::<command::SyncNow>(&self.laras, Value::Null).await;
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        self.check("that it is there is taken", *of_helper(&view) == "kept", &view);
    }

    /// A helper gives their part to an empty device that asks for the account.
    async fn given(&mut self) {
        let asker = at(self.folder.path(), "asker");
        let view = call::<command::HelpersGet>(&self.laras, Value::Null).await;
        let account = view["account"].clone();
        let args = json!({ "server": self.url, "account": account, "passphrase": NEW, "device_name": "new" });
        call::<command::RestoreAsk>(&asker, args).await;
        let code = call::<command::RestoreCode>(&asker, Value::Null).await;
        let args = json!({ "account": account, "code": code["qr"] });
        call::<command::PartAsked>(&self.ani, args).await;
        self.tell("/join");
        call::<command::PartGive>(&self.ani, json!({ "account": account })).await;
        let mut view = Value::Null;
        while self.left().0 > 0 {
            view = call::<command::RestoreGet>(&asker, Value::Null).await;
        }
        let none = view["parts"].as_array().is_some_and(Vec::is_empty);
        self.check("who asks a helper waits", none && view["phase"] == "waiting", &view);
        self.let_through();
        let view = call::<command::RestoreGet>(&asker, Value::Null).await;
        let one = view["parts"].as_array().is_some_and(|parts| parts.len() == 1);
        self.check("the honest part is taken", one, &view);
    }

    async fn all(&mut self) {
        self.pairing().await;
        self.invitation().await;
        self.helper().await;
        self.given().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_waited_for_is_taken_after_any_number_of_changed_ones() {
    let proof =
        Proof::new(24, "messages in mailboxes changed on their way, to whoever waits for them", 1_000);
    // What a first round of everything takes is not counted as growth.
    Stage::new(1, 2 * MESSAGES).await.all().await;
    let before = resident_bytes();
    let mut stage = Stage::new(proof.seed(), proof.share()).await;
    stage.all().await;
    let grown = resident_bytes().saturating_sub(before);
    println!("{} told; {} KiB more", stage.told, grown >> 10);
    proof.end(stage.told, stage.wrong.len() as u64 + u64::from(grown > MAX_GROWTH_BYTES));
    assert!(stage.wrong.is_empty(), "{:#?}", stage.wrong);
    assert!(grown < MAX_GROWTH_BYTES, "and no more memory is needed: {grown} bytes");
    assert_eq!(stage.told, proof.share(), "each case was told");
}

/// Checks are taken out of a whole process: the control has one of its own.
const ALONE: &str = "MECUM_WITHOUT_CHECKS_OF_A_CODE";

#[tokio::test(flavor = "multi_thread")]
async fn control_whoever_takes_what_lies_in_a_mailbox_for_said_does_not_go_on_waiting() {
    if std::env::var_os(ALONE).is_some() {
        let mut stage = Stage::new(3, MESSAGES).await;
        let _out = controls::take_out(&["code-opens"]);
        let offer = call::<command::PairOffer>(&stage.laras, Value::Null).await;
        let words: Vec<&str> = offer["words"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let laptop = at(stage.folder.path(), "laptop");
        stage.tell("/join");
        let args = json!({ "code": words.join(" "), "server": stage.url, "passphrase": NEW, "device_name": "laptop" });
        call::<command::PairJoin>(&laptop, args).await;
        stage.all_told().await;
        let view = call::<command::PairStatus>(&stage.laras, Value::Null).await;
        assert_eq!(view["phase"], "ended", "a changed message ends it: {view}");
        return;
    }
    let name = "mailboxes::control_whoever_takes_what_lies_in_a_mailbox_for_said_does_not_go_on_waiting";
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
