//! One device as a process of its own, for tests that kill it: the real client over a vault folder, told what to do by lines
//! of JSON `{"call": COMMAND, "args": …}`, each answered by one line `{"ok": …}` or `{"error": …}`. `{"call": "fingerprint"}`
//! answers a hash of everything that must be equal on devices which have exchanged everything; `{"call": "fold"}` folds every document
//! into a snapshot.
//!
//! With `--early` it says that an entry is saved before it is: what a harness has to notice.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use mecum_client::{App, AppOptions};
use mecum_seal::sha256;
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};
use zeroizing_alloc::ZeroAlloc;

/// As in the app: what is freed is wiped.
#[global_allocator]
static MEMORY: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let profile = PathBuf::from(arguments.next().expect("a folder is named"));
    let early = arguments.next().as_deref() == Some("--early");
    let app = App::open(AppOptions { kdf: fast_kdf(), ..AppOptions::new(profile) });
    let (lines, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = asked.recv().await {
        let question: Value = serde_json::from_str(&line).expect("a line is JSON");
        let name = question["call"].as_str().unwrap_or_default().to_owned();
        let is_early = early && name == "entry_add";
        if is_early {
            say(&json!({ "ok": null }));
        }
        let answer = match name.as_str() {
            "fingerprint" => fingerprint(&app).await,
            "fold" => match app.with(mecum_client::Session::fold_for_tests).await {
                Ok(()) => json!({ "ok": null }),
                Err(error) => json!({ "error": format!("{error:?}") }),
            },
            _ => match app.call(&name, question["args"].clone()).await {
                Ok(answer) => json!({ "ok": answer }),
                Err(error) => json!({ "error": format!("{error:?}") }),
            },
        };
        if !is_early {
            say(&answer);
        }
    }
}

async fn fingerprint(app: &App) -> Value {
    match app.with(mecum_client::Session::fingerprint).await {
        Ok(all) => json!({ "ok": sha256(format!("{all:?}").as_bytes()).to_string() }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

/// One unbuffered write.
fn say(answer: &Value) {
    let mut out = std::io::stdout().lock();
    let line = format!("{answer}\n");
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("somebody listens");
}
