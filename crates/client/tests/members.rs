//! Two people with an account each and one server: a daughter is let into her mother's medicines, reads and writes them, sees
//! nothing else, and is gone when she is removed, leaves, or her time is over. By the commands of the screens, over TCP.

#[path = "support/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::{Code, command};
use mecum_client::{App, AppOptions, Clock, FixedClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use world::{Server, WORDS, call, connect, create, options, rows, until};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

struct Family {
    folder: TempDir,
    clock: Arc<FixedClock>,
    /// The server's: what holds until a date goes by the later of the two.
    server_ms: Arc<AtomicI64>,
    server: Server,
    ratna: App,
    ani: App,
    /// The mother's chart.
    chart: String,
    /// Her medicine.
    medicine: String,
}

impl Family {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::new(NOW_MS));
        let server_ms = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_at(&folder.path().join("server"), &server_ms).await;
        let at = |name: &str| {
            let clock: Arc<dyn Clock> = clock.clone();
            App::open(AppOptions { clock, ..options(&folder.path().join(name)) })
        };
        let (ratna, ani) = (at("ratna"), at("ani"));
        let chart = create(&ratna, "Ratna", "phone").await;
        create(&ani, "Ani", "laptop").await;
        let medicine = add(&ratna, &chart, "medication-statement", "Metformin").await;
        let note = json!({ "chart": chart, "kind": "note", "fields": [["text", "for myself alone"]] });
        call::<command::EntryAdd>(&ratna, note).await;
        connect(&ratna, &server).await;
        connect(&ani, &server).await;
        Self { folder, clock, server_ms, server, ratna, ani, chart, medicine }
    }

    fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        self.server_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Lets Ani into the medicines.
    async fn let_in(&self, role: &str, until_date: Option<&str>) {
        self.ask(role, until_date).await;
        call::<command::MemberApprove>(&self.ratna, Value::Null).await;
        until::<command::MemberStatus>(&self.ratna, Value::Null, "she is in", |view| view["phase"] == "done")
            .await;
        until::<command::InvitationStatus>(&self.ani, Value::Null, "it is said", |view| {
            view["phase"] == "done"
        })
        .await;
        sync(&self.ani).await;
    }

    /// Up to the question whether it is really her.
    async fn ask(&self, role: &str, until_date: Option<&str>) {
        let args = json!({
            "chart": self.chart, "sections": ["medications"], "role": role,
            "until": until_date, "reason": "so that doses are right"
        });
        let shown = call::<command::MemberInvite>(&self.ratna, args).await;
        let offer = call::<command::InvitationOpen>(&self.ani, json!({ "code": shown["qr"] })).await;
        assert_eq!(offer["from"], "Ratna", "who invites: {offer}");
        assert_eq!(offer["sections"], json!(["medications"]), "into what: {offer}");
        assert_eq!(offer["role"], role, "as what: {offer}");
        assert_eq!(offer["reason"], "so that doses are right", "and why: {offer}");
        call::<command::InvitationAnswer>(&self.ani, json!({ "accept": true, "name": "Ani" })).await;
        let asked = until::<command::MemberStatus>(&self.ratna, Value::Null, "she answers", |view| {
            view["phase"] == "asking"
        })
        .await;
        assert_eq!(asked["other"], "Ani", "and says who she is");
    }

    async fn set_dose(&self, who: &App, dose: &str) -> Result<Value, mecum_api::CallError> {
        let args = json!({ "chart": self.chart, "entry": self.medicine, "set": [["dose", dose]] });
        who.call("entry_edit", args).await
    }

    async fn dose(&self, who: &App) -> String {
        let entry =
            call::<command::EntryGet>(who, json!({ "chart": self.chart, "entry": self.medicine })).await;
        entry.to_string()
    }

    async fn members(&self, who: &App) -> Value {
        call::<command::MemberList>(who, json!({ "chart": self.chart })).await
    }
}

async fn add(app: &App, chart: &str, kind: &str, name: &str) -> String {
    let fields = json!([["name", name], ["dose", "500"], ["dose-unit", "mg"]]);
    let args = json!({ "chart": chart, "kind": kind, "fields": fields });
    let added = call::<command::EntryAdd>(app, args).await;
    added["entry"].as_str().expect("an entry").to_owned()
}

async fn sync(app: &App) {
    call::<command::SyncNow>(app, Value::Null).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daughter_reads_and_writes_her_mothers_medicines_and_sees_nothing_else() {
    let family = Family::new().await;
    family.let_in("writer", None).await;
    let there = rows(&family.ani, &family.chart).await;
    assert_eq!(there.len(), 1, "the medicine, and nothing of the other sections: {there:?}");
    assert_eq!(there[0]["title"], "Metformin", "as it was written");
    let charts = call::<command::ChartList>(&family.ani, Value::Null).await;
    let shared =
        charts.as_array().and_then(|all| all.iter().find(|view| view["chart"] == family.chart.as_str()));
    let shared = shared.expect("the chart is in her list");
    assert_eq!(shared["name"], "Ratna", "under her mother's name");
    assert_eq!(shared["shared_by"], "Ratna", "and said to be shared");
    assert_eq!(shared["writes"], json!(["medications"]), "with what she may write");

    family.set_dose(&family.ani, "850").await.expect("a writer writes");
    sync(&family.ani).await;
    sync(&family.ratna).await;
    let seen = family.dose(&family.ratna).await;
    assert!(seen.contains("850"), "her mother sees the dose: {seen}");
    assert!(seen.contains("\"Ani\""), "and who wrote it: {seen}");
    sync(&family.ani).await;
    let states = rows(&family.ani, &family.chart).await;
    assert_eq!(states[0]["receipt"], "received", "and she sees that it was received: {states:?}");

    let note = json!({ "chart": family.chart, "kind": "note", "fields": [["text", "elsewhere"]] });
    let refused = family.ani.call("entry_add", note).await.expect_err("no section that was not shared");
    assert_eq!(
        (refused.code, refused.message_id.as_str()),
        (Code::Refused, "error-not-your-record"),
        "said so"
    );
    let members = family.members(&family.ratna).await;
    assert_eq!(members["members"][1]["name"], "Ani", "her mother sees who is in: {members}");
    assert_eq!(members["members"][1]["sections"][0]["state"], "member", "and that it is in force: {members}");
    drop(family.folder);
    drop(family.server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_removed_gets_nothing_new_and_is_told_and_the_others_go_on() {
    let family = Family::new().await;
    family.let_in("writer", None).await;
    family.set_dose(&family.ani, "850").await.expect("a writer writes");
    sync(&family.ani).await;
    sync(&family.ratna).await;
    let ani = family.members(&family.ratna).await["members"][1]["account"].clone();
    let left =
        call::<command::MemberRemove>(&family.ratna, json!({ "chart": family.chart, "account": ani })).await;
    assert_eq!(left["members"][1]["sections"][0]["state"], "removed", "in force: {left}");
    family.set_dose(&family.ratna, "1000").await.expect("the owner goes on under a new key");
    sync(&family.ratna).await;
    sync(&family.ani).await;
    let kept = family.dose(&family.ani).await;
    assert!(
        kept.contains("850") && !kept.contains("1000"),
        "she keeps what she read, and gets no more: {kept}"
    );
    let refused = family.set_dose(&family.ani, "250").await.expect_err("it is over");
    assert_eq!(refused.message_id, "error-share-ended", "and she is told so");
    let charts = call::<command::ChartList>(&family.ani, Value::Null).await;
    assert!(charts.to_string().contains("\"ended\":\"removed\""), "in her list too: {charts}");
    let now = family.dose(&family.ratna).await;
    assert!(now.contains("1000"), "her mother has the new dose: {now}");

    // Let in again, she reads what was written while she was away, and writes on.
    family.let_in("writer", None).await;
    let back = family.dose(&family.ani).await;
    assert!(back.contains("1000"), "what was written meanwhile: {back}");
    family.set_dose(&family.ani, "2000").await.expect("she writes again");
    sync(&family.ani).await;
    sync(&family.ratna).await;
    assert!(family.dose(&family.ratna).await.contains("2000"), "and it arrives");

    // Let into another section, and removed from the first alone; then she leaves the other: that end is the one that is said.
    let invite = json!({ "chart": family.chart, "sections": ["measurements"], "role": "reader" });
    let shown = call::<command::MemberInvite>(&family.ratna, invite).await;
    call::<command::InvitationOpen>(&family.ani, json!({ "code": shown["qr"] })).await;
    call::<command::InvitationAnswer>(&family.ani, json!({ "accept": true })).await;
    until::<command::MemberStatus>(&family.ratna, Value::Null, "she answers", |view| {
        view["phase"] == "asking"
    })
    .await;
    call::<command::MemberApprove>(&family.ratna, Value::Null).await;
    until::<command::InvitationStatus>(&family.ani, Value::Null, "she is in", |view| view["phase"] == "done")
        .await;
    let part = json!({ "chart": family.chart, "account": ani, "sections": ["medications"] });
    call::<command::MemberRemove>(&family.ratna, part).await;
    sync(&family.ani).await;
    let charts = call::<command::ChartList>(&family.ani, Value::Null).await.to_string();
    assert!(!charts.contains("\"ended\":\"removed\""), "one part goes on: {charts}");
    family.advance(DAY_MS);
    call::<command::ChartLeave>(&family.ani, json!({ "chart": family.chart })).await;
    let charts = call::<command::ChartList>(&family.ani, Value::Null).await.to_string();
    assert!(charts.contains("\"ended\":\"left\""), "she left last: {charts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_writes_nothing_and_leaves_when_she_wants() {
    let family = Family::new().await;
    family.let_in("reader", None).await;
    let refused = family.set_dose(&family.ani, "850").await.expect_err("a reader reads");
    assert_eq!(refused.message_id, "error-read-only", "said in words");
    call::<command::ChartLeave>(&family.ani, json!({ "chart": family.chart })).await;
    sync(&family.ratna).await;
    let members = family.members(&family.ratna).await;
    assert_eq!(
        members["members"][1]["sections"][0]["state"], "left",
        "her mother sees that she left: {members}"
    );
    family.set_dose(&family.ratna, "1000").await.expect("the next edit begins a new epoch");
    sync(&family.ratna).await;
    sync(&family.ani).await;
    assert!(!family.dose(&family.ani).await.contains("1000"), "of which she reads nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_ends_with_its_last_day() {
    let family = Family::new().await;
    family.let_in("writer", Some("2026-09-10")).await;
    family.advance(2 * DAY_MS);
    sync(&family.ratna).await;
    sync(&family.ani).await;
    family.set_dose(&family.ani, "850").await.expect("the last day counts");
    sync(&family.ani).await;
    family.advance(DAY_MS);
    sync(&family.ratna).await;
    sync(&family.ani).await;
    let refused = family.set_dose(&family.ani, "900").await.expect_err("it is over");
    assert_eq!(refused.message_id, "error-share-ended", "and said so");
    let members = family.members(&family.ratna).await;
    assert_eq!(members["members"][1]["sections"][0]["state"], "expired", "ended, not removed: {members}");
    assert!(family.dose(&family.ratna).await.contains("850"), "what was written in time stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_in_time_stays_also_where_the_one_who_ends_it_was_away() {
    let family = Family::new().await;
    family.let_in("writer", Some("2026-09-10")).await;
    // Her mother's phone is put away: it hears of nothing until the last day is over.
    call::<command::VaultLock>(&family.ratna, Value::Null).await;
    family.advance(2 * DAY_MS);
    sync(&family.ani).await;
    family.set_dose(&family.ani, "850").await.expect("the last day counts");
    sync(&family.ani).await;
    family.advance(DAY_MS);
    call::<command::VaultUnlock>(&family.ratna, json!({ "passphrase": WORDS })).await;
    sync(&family.ratna).await;
    sync(&family.ani).await;
    assert!(family.dose(&family.ratna).await.contains("850"), "what was written in time stays");
    let refused = family.set_dose(&family.ani, "900").await.expect_err("and it is over");
    assert_eq!(refused.message_id, "error-share-ended", "and said so");
}

/// Ani writes while her mother's phone is put away; then nobody reaches the server and the phone is taken out.
async fn written_behind_her_back(family: Family) -> (Family, String) {
    call::<command::VaultLock>(&family.ratna, Value::Null).await;
    family.set_dose(&family.ani, "850").await.expect("a writer writes");
    sync(&family.ani).await;
    let Family { folder, clock, server_ms, server, ratna, ani, chart, medicine } = family;
    let address = server.stop().await;
    call::<command::VaultUnlock>(&ratna, json!({ "passphrase": WORDS })).await;
    // Nothing listens there any more; the test starts another one.
    let server = Server::start_at(&folder.path().join("elsewhere"), &server_ms).await;
    (Family { folder, clock, server_ms, server, ratna, ani, chart, medicine }, address)
}

impl Family {
    async fn server_again(&mut self, address: &str) {
        let folder = self.folder.path().join("server");
        self.server = Server::start_again_at(&folder, address, &self.server_ms).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_removed_without_a_network_keeps_what_the_server_had_by_then() {
    let family = Family::new().await;
    family.let_in("writer", None).await;
    let (mut family, address) = written_behind_her_back(family).await;
    let account = family.members(&family.ratna).await["members"][1]["account"].clone();
    let args = json!({ "chart": family.chart, "account": account, "sections": [] });
    call::<command::MemberRemove>(&family.ratna, args).await;
    family.server_again(&address).await;
    sync(&family.ratna).await;
    sync(&family.ani).await;
    assert!(family.dose(&family.ratna).await.contains("850"), "it was there before anybody was removed");
    let members = family.members(&family.ratna).await;
    assert_eq!(members["members"][1]["sections"][0]["state"], "removed", "and she is out: {members}");
    let refused = family.set_dose(&family.ani, "900").await.expect_err("she is out");
    assert_eq!(refused.message_id, "error-share-ended", "and was told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_leaves_before_what_they_wrote_is_sent() {
    let family = Family::new().await;
    family.let_in("writer", None).await;
    let Family { folder, clock, server_ms, server, ratna, ani, chart, medicine } = family;
    let address = server.stop().await;
    let server = Server::start_at(&folder.path().join("elsewhere"), &server_ms).await;
    let mut family = Family { folder, clock, server_ms, server, ratna, ani, chart, medicine };
    family.set_dose(&family.ani, "850").await.expect("a writer writes");
    let leave = json!({ "chart": family.chart });
    let refused = family.ani.call("chart_leave", leave.clone()).await.expect_err("it would be lost");
    assert_eq!(refused.message_id, "error-leave-unsent", "and that is said");
    family.server_again(&address).await;
    sync(&family.ani).await;
    call::<command::ChartLeave>(&family.ani, leave).await;
    sync(&family.ratna).await;
    assert!(family.dose(&family.ratna).await.contains("850"), "her mother has what she wrote");
    let members = family.members(&family.ratna).await;
    assert_eq!(members["members"][1]["sections"][0]["state"], "left", "and she left: {members}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_declined_taken_back_or_for_oneself_and_nobody_is_let_in() {
    let family = Family::new().await;
    let args = json!({ "chart": family.chart, "sections": ["medications"], "role": "reader" });
    let shown = call::<command::MemberInvite>(&family.ratna, args.clone()).await;
    let own = family.ratna.call("invitation_open", json!({ "code": shown["qr"] })).await;
    assert_eq!(own.expect_err("one's own").message_id, "error-invitation-own", "said so");
    call::<command::InvitationOpen>(&family.ani, json!({ "code": shown["qr"] })).await;
    call::<command::InvitationAnswer>(&family.ani, json!({ "accept": false })).await;
    let ended = until::<command::MemberStatus>(&family.ratna, Value::Null, "no is heard", |view| {
        view["phase"] == "ended"
    })
    .await;
    assert_eq!(ended["message_id"], "invitation-declined", "and said");

    family.ask("reader", None).await;
    call::<command::MemberStop>(&family.ratna, Value::Null).await;
    let taken = until::<command::InvitationStatus>(&family.ani, Value::Null, "it is taken back", |view| {
        view["phase"] == "ended"
    })
    .await;
    assert_eq!(taken["message_id"], "invitation-taken-back", "and said");
    sync(&family.ratna).await;
    sync(&family.ani).await;
    let members = family.members(&family.ratna).await;
    assert_eq!(members["members"].as_array().map(Vec::len), Some(1), "nobody but the owner: {members}");
    let charts = call::<command::ChartList>(&family.ani, Value::Null).await;
    assert!(!charts.to_string().contains(&family.chart), "and no chart in her list: {charts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_on_one_device_is_there_on_the_others_also_on_one_that_comes_later() {
    let family = Family::new().await;
    let laptop = App::open(options(&family.folder.path().join("ani-laptop")));
    world::pair(&family.ani, &laptop, "laptop", world::WORDS).await;
    family.let_in("writer", None).await;
    let later = App::open(options(&family.folder.path().join("ani-tablet")));
    world::pair(&family.ani, &later, "tablet", world::WORDS).await;
    for (app, which) in [(&laptop, "there before"), (&later, "paired after")] {
        let name = until::<command::ChartList>(app, Value::Null, "the chart comes", |charts| {
            charts.to_string().contains(&family.chart)
        })
        .await;
        assert!(name.to_string().contains("\"Ratna\""), "{which}: under its name: {name}");
        let there = until::<command::Timeline>(
            app,
            json!({ "chart": family.chart, "limit": 9 }),
            "rows come",
            |view| view["all"] == 1,
        )
        .await;
        assert_eq!(there["rows"][0]["title"], "Metformin", "{which}: with what was shared");
    }
    family.set_dose(&laptop, "850").await.expect("any of her devices writes");
    sync(&laptop).await;
    sync(&family.ratna).await;
    assert!(family.dose(&family.ratna).await.contains("850"), "and it arrives");
}
