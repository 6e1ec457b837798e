//! An actor of the tour, and the ends of its parts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use mecum_client::App;
use serde_json::{Value, json};

use super::canary::Planted;

/// One actor of the tour: calls commands and remembers which.
pub(crate) struct Actor<'a> {
    pub(crate) app: App,
    pub(crate) called: &'a Mutex<BTreeSet<String>>,
}

impl Actor<'_> {
    pub(crate) async fn call(&self, name: &str, args: Value) -> Value {
        self.try_call(name, args).await.unwrap_or_else(|error| panic!("{name} refused: {error:?}"))
    }

    pub(crate) async fn try_call(&self, name: &str, args: Value) -> Result<Value, mecum_api::CallError> {
        self.called.lock().expect("nobody panics").insert(name.to_owned());
        self.app.call(name, args).await
    }

    pub(crate) async fn until(&self, name: &str, args: Value, good: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let answer = self.call(name, args.clone()).await;
            if good(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{name} never answered as it should");
    }

    pub(crate) async fn add(&self, chart: &str, kind: &str, fields: Value) -> String {
        let added = self.call("entry_add", json!({ "chart": chart, "kind": kind, "fields": fields })).await;
        added["entry"].as_str().expect("an entry").to_owned()
    }
}

/// Says that a part is over and waits until its files were copied: by another process, because closing a file that SQLite
/// has open would let go of its locks.
pub(crate) async fn part_is_over(folder: &Path, part: &str) {
    std::fs::write(folder.join(format!("{part}.over")), b"").expect("written");
    let copied = folder.join(format!("{part}.copied"));
    while !copied.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn keep_keys(planted: &mut Planted, actors: &[&Actor<'_>]) {
    for actor in actors {
        let keys = actor.app.with(|session| Ok(session.keys_for_tests())).await.expect("open");
        planted.keys.extend(keys);
    }
}
