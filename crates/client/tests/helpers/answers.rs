//! What an answer may do, and whose: junk of the server is nobody's word, and whoever has a code is not thereby whom it was meant for.

use std::sync::Arc;

use mecum_api::command;
use mecum_client::App;
use serde_json::{Value, json};

use super::mitm::{Call, Liar, Mitm, Reply};
use super::world::{Server, call, create, device};
use super::{World, share, sync_until};

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
