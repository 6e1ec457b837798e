//! Row `home`: from the passphrase to the home view, by the commands that the screen uses. The passphrase's key costs
//! nothing here: its cost is chosen, not reached.

use std::time::Instant;

use mecum_api::Command;
use mecum_api::command::{Home, VaultLock, VaultUnlock};
use mecum_client::testing::PASSPHRASE;
use mecum_client::{App, AppOptions};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

use crate::Failed;
use crate::chart::Built;
use crate::report::{Numbers, Row};

const TIMES: usize = 20;

const MOST_MS: f64 = 50.0;

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("home")?;
    let (mut ours, mut loaded, mut shown) = (Numbers::default(), 0, 0);
    for time in 0..=TIMES {
        let app = App::open(AppOptions { kdf: fast_kdf(), ..AppOptions::new(profile.clone()) });
        let began = Instant::now();
        call::<VaultUnlock>(&app, json!({ "passphrase": PASSPHRASE })).await?;
        let home = call::<Home>(&app, Value::Null).await?;
        let took = began.elapsed();
        if time > 0 {
            ours.time(took);
        }
        shown = home.pointer("/charts/0/entries").and_then(Value::as_u64).unwrap_or(0);
        let now = app.with(|session| Ok(session.loaded_for_tests())).await;
        loaded = now.map_err(|error| refused(&error))?.max(loaded);
        call::<VaultLock>(&app, Value::Null).await?;
    }
    if shown == 0 {
        return Err("home shows no entries".into());
    }
    let what = format!(
        "vault_unlock and home, from call to JSON answer, without the cost of the passphrase's key; {loaded} CRDT documents loaded; {}",
        built.said
    );
    Ok(Row::of("home", what, "≤ 50 ms, no CRDT loaded", "ms", &ours, |ms| ms <= MOST_MS && loaded == 0))
}

/// Runs a command; a refusal is an error.
pub(crate) async fn call<C: Command>(app: &App, args: Value) -> Result<Value, Failed> {
    app.call(C::NAME, args).await.map_err(|error| refused(&error))
}

pub(crate) fn refused(error: &mecum_api::CallError) -> Failed {
    format!("refused: {}", error.message_id).into()
}
