//! Recovery helpers beside a server that has pruned: what comes back has nothing but snapshots, and is whole.

use mecum_api::command;
use serde_json::{Value, json};

use super::world::{WORDS, call, device, pair};
use super::{DAY_MS, World, everything, finish, note};

#[tokio::test(flavor = "multi_thread")]
async fn two_helpers_bring_everything_back_from_a_server_that_has_pruned() {
    let world = World::pruning().await;
    world.choose().await;
    world.hand_all_over().await;
    for n in 0..5 {
        note(&world.laras, &world.chart, &format!("note {n}")).await;
    }
    // A section more than the notes and the person.
    let medicine = json!({ "chart": world.chart, "kind": "medication-statement",
        "fields": [["name", "Metformin"], ["dose", "500"], ["dose-unit", "mg"]] });
    call::<command::EntryAdd>(&world.laras, medicine).await;
    let tablet = device(&world.folder_of("tablet"));
    pair(&world.laras, &tablet, "tablet", WORDS).await;
    world.server.prune(&world.folder_of("server"), &world.clock, [&world.laras, &tablet]).await;
    note(&world.laras, &world.chart, "after the pruning").await;
    for app in [&world.laras, &tablet, &world.laras] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    let before = everything(&world.laras).await;
    assert_eq!(everything(&tablet).await, before, "both have everything");
    let asker = world.ask("new").await;
    world.give(0, &asker).await;
    world.give(2, &asker).await;
    world.pass(7 * DAY_MS);
    call::<command::RestoreGet>(&asker, Value::Null).await;
    finish(&asker, true).await.expect("two helpers and the server");
    assert_eq!(everything(&asker).await, before, "the same record byte for byte");
    note(&asker, &world.chart, "written after").await;
    let synced = call::<command::SyncNow>(&asker, Value::Null).await;
    assert_eq!(synced["phase"], "up-to-date", "a device like any other: {synced}");
    assert_eq!(synced["quarantined"], 0, "and nothing was put aside: {synced}");
    world.stop().await;
}
