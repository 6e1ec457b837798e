//! Row `burst`: a hundred edits within a second, by the command that the form uses, none waiting for the one before.

use std::time::{Duration, Instant};

use mecum_api::command::{EntryEdit, Home, VaultLock, VaultUnlock};
use mecum_client::testing::PASSPHRASE;
use mecum_client::{App, AppOptions};
use mecum_faults::{Call, Disk};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

use crate::Failed;
use crate::chart::Built;
use crate::home::call;
use crate::report::{Numbers, Row};

const TIMES: u32 = 10;
const EDITS: u32 = 100;

const MOST_SYNCS: f64 = 2.0;

/// Between bursts: what comes later is another one.
const BETWEEN: Duration = Duration::from_millis(600);

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("burst")?;
    let disk = Disk::watch(&profile);
    let app = App::open(AppOptions { kdf: fast_kdf(), ..AppOptions::new(profile) });
    call::<VaultUnlock>(&app, json!({ "passphrase": PASSPHRASE })).await?;
    call::<Home>(&app, Value::Null).await?;
    let (mut syncs, mut saved) = (Numbers::default(), Numbers::default());
    for time in 0..=TIMES {
        tokio::time::sleep(BETWEEN).await;
        disk.plan(None);
        let mut waits = Vec::new();
        let mut next = tokio::time::interval(Duration::from_secs(1) / EDITS);
        for number in 0..EDITS {
            next.tick().await;
            let edit = json!({
                "chart": built.chart, "entry": built.entry.name(),
                "set": [["value", (40 + (time * EDITS + number) % 200).to_string()]]
            });
            let app = app.clone();
            waits.push(tokio::spawn(async move {
                let began = Instant::now();
                call::<EntryEdit>(&app, edit).await.map(|_| began.elapsed())
            }));
        }
        for wait in waits {
            let took = wait.await??;
            if time > 0 {
                saved.time(took);
            }
        }
        let count = disk.calls().into_iter().filter(|call| *call == Call::Sync).count();
        // The first one loads the document.
        if time > 0 {
            syncs.0.push(f64::from(u32::try_from(count)?));
        }
    }
    call::<VaultLock>(&app, Value::Null).await?;
    let what = format!(
        "{EDITS} calls of entry_edit, one every 10 ms: calls of fsync by SQLite until each has answered. Each edit is a change and an envelope of its own; it answers after the commit that makes it durable, after {:.0} ms in the middle and {:.0} at most; {}",
        saved.median().unwrap_or_default(),
        saved.max().unwrap_or_default(),
        built.said
    );
    Ok(Row::of("burst", what, "≤ 2 commits with fsync", "fsyncs", &syncs, |syncs| syncs <= MOST_SYNCS))
}
