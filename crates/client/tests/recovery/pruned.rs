//! A device that begins from a server that has pruned: by the kit, with every other device gone, and by a second device. Both have
//! nothing but snapshots, and the whole record.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use mecum_api::command;
use serde_json::Value;

use super::world::{Server, WORDS, bring_in, call, connect, create, device, pair, rows, until};
use super::{Home, bundle, everything, make_kit, note, restored};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_and_a_second_device_bring_everything_back_from_a_server_that_has_pruned() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(AtomicI64::new(NOW_MS));
    let data = folder.path().join("server");
    let server = Server::start_pruning(&data, &clock).await;
    let (phone, tablet) = (device(&folder.path().join("phone")), device(&folder.path().join("tablet")));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    let kit = make_kit(&phone).await;
    until::<command::KitStatus>(&phone, Value::Null, "the server knows of the kit", |kit| {
        kit["stored"] == true
    })
    .await;
    bring_in(&phone, &bundle(), Some(&chart)).await;
    for n in 0..5 {
        note(&phone, &chart, &format!("note {n}")).await;
    }
    pair(&phone, &tablet, "tablet", WORDS).await;
    note(&tablet, &chart, "by the tablet").await;
    call::<command::SyncNow>(&tablet, Value::Null).await;
    server.prune(&data, &clock, [&phone, &tablet]).await;
    note(&phone, &chart, "after the pruning").await;
    for app in [&phone, &tablet] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    let before = everything(&phone).await;
    assert_eq!(everything(&tablet).await, before, "both have everything");

    let laptop = device(&folder.path().join("laptop"));
    pair(&tablet, &laptop, "laptop", WORDS).await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    assert_eq!(
        everything(&laptop).await,
        before,
        "a second device lets it in: the same record byte for byte"
    );

    drop((tablet, laptop));
    let home = Home { folder, server, phone, chart, kit };
    let empty = home.empty("restored");
    restored(&empty, home.restore("restored", true)).await;
    assert_eq!(everything(&empty).await, before, "by the kit: the same record byte for byte");
    note(&empty, &home.chart, "written after").await;
    let synced = call::<command::SyncNow>(&empty, Value::Null).await;
    assert_eq!(synced["phase"], "up-to-date", "a device like any other: {synced}");
    assert_eq!(synced["quarantined"], 0, "and nothing was put aside: {synced}");
    assert!(rows(&empty, &home.chart).await.len() >= 47, "with what was written after");
    home.server.stop().await;
}
