//! Mending where a record has a conversation with a hospital: whose each document is comes back with it, whatever the other side has sent.

use mecum_api::command;
use mecum_client::testing::OpenedAgain;
use mecum_client::{App, CareOffer};
use mecum_documents::CareAct;
use mecum_domain::{ActKey, CaseAct, CaseKind, ChartId, Side, ThreadId};
use mecum_seal::{DocumentId, SpaceId};
use mecum_sync::controls;
use serde_json::Value;

use super::parts::{Scene, comes_back, damaged_and_mended};
use super::vault_of;
use super::world::{call, connect, create, device};

/// A hospital that the scene's chart is connected with, and the conversation's space.
async fn connected(scene: &Scene) -> (App, SpaceId) {
    let hospital = device(&scene.profile("hospital"));
    create(&hospital, "RS Tirta Asih", "agent").await;
    connect(&hospital, &scene.server).await;
    let card = hospital.with(|session| session.hospital_card("RS Tirta Asih")).await.expect("at a server");
    let chart: ChartId = scene.chart.parse().expect("a chart's id");
    let offer = scene.phone.with(move |session| session.connect_hospital(chart, &card)).await;
    let offer: CareOffer = offer.expect("a hospital at the same server");
    let space = offer.space;
    hospital.with(move |session| session.expect_care(&offer)).await.expect("it is expected");
    (hospital, space)
}

async fn settle(scene: &Scene, hospital: &App) {
    for _ in 0..3 {
        scene.settle().await;
        call::<command::SyncNow>(hospital, Value::Null).await;
    }
}

async fn act(app: &App, space: SpaceId, thread: Option<ThreadId>, what: CareAct) -> ActKey {
    app.with(move |session| session.act_for_tests(space, thread, what)).await.expect("an act of its own side")
}

fn say(text: &str) -> CareAct {
    CareAct::Case(CaseAct::Say { text: text.to_owned() })
}

/// What was said in the conversation, and by whom.
async fn said(app: &App, space: SpaceId) -> String {
    app.with(move |session| Ok(format!("{:?}", session.acts_for_tests(space)?))).await.expect("it is read")
}

async fn documents(app: &App, space: SpaceId) -> [Vec<DocumentId>; 2] {
    let of = move |side| app.with(move |session| Ok(session.documents_of_side_for_tests(space, side)));
    [of(Side::Patient).await.expect("open"), of(Side::Hospital).await.expect("open")]
}

fn version(profile: &std::path::Path) -> i64 {
    let file = rusqlite::Connection::open(vault_of(profile)).expect("a database");
    file.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_mended_with_each_document_on_its_side_whatever_the_other_side_has_opened() {
    let scene = Scene::new().await;
    let (hospital, space) = connected(&scene).await;
    let question = CaseAct::Open {
        kind: CaseKind::Question,
        about: String::new(),
        happened: "may I eat?".to_owned(),
        help: String::new(),
        ward_blind: false,
    };
    let asked = act(&scene.phone, space, None, CareAct::Case(question)).await;
    let thread = Some(ThreadId::from_bytes(*asked.id.as_bytes()));
    settle(&scene, &hospital).await;
    act(&hospital, space, thread, say("soup, at first")).await;
    settle(&scene, &hospital).await;
    let (before, of_sides) = (said(&scene.phone, space).await, documents(&scene.phone, space).await);
    assert!(of_sides.iter().all(|of| of.len() == 1), "each side has a document: {of_sides:?}");
    let rows_gone = "DELETE FROM row WHERE kind = 4";
    comes_back(&scene, "phone", rows_gone, "here").await;
    assert_eq!(said(&scene.phone, space).await, before, "all that was said is there, by whom it was said");
    assert_eq!(documents(&scene.phone, space).await, of_sides, "on the side where it was said");
    assert_eq!(version(&scene.profile("phone")), 4, "and the file says that it has a conversation");

    // The hospital opens the patient's document once more. A version that asked nobody kept that; mending does not believe it.
    let own = of_sides[0][0];
    let again = move |session: &mut mecum_client::Session| {
        session.open_again_for_tests(space, own, OpenedAgain::ForHospital);
        session.open_again_for_tests(space, own, OpenedAgain::ForPatient);
        Ok(())
    };
    hospital.with(again).await.expect("sent");
    {
        let _asks_nobody = controls::take_out(&["side-opening"]);
        settle(&scene, &hospital).await;
    }
    let view = damaged_and_mended(&scene.profile("phone"), &scene.phone, rows_gone).await;
    assert_eq!(view["by"], "here", "nothing has to be fetched for it: {view}");
    assert_eq!(said(&scene.phone, space).await, before, "all that was said is there");
    assert_eq!(documents(&scene.phone, space).await, of_sides, "on the side where it was said");
    act(&scene.phone, space, thread, say("and it goes on")).await;
    settle(&scene, &hospital).await;
    assert!(said(&hospital, space).await == said(&scene.phone, space).await, "with both sides");

    let _believes_anybody = controls::take_out(&["side-mended"]);
    let view = damaged_and_mended(&scene.profile("phone"), &scene.phone, rows_gone).await;
    assert_ne!(view["by"], "here", "the control: which opening is right is not beyond doubt: {view}");
}
