//! What this version stores and sends is kept in `fixtures/v1` from here on: a vault, a backup, a server's backup and a recorded
//! exchange. Every later version must read them, by the same path as a person's own files.
//!
//! They were written once by `the_fixtures_are_written`, which does nothing unless `MECUM_WRITE_FIXTURES` is set. A later format
//! gets a folder of its own beside them, `fixtures/v3` for a vault with folded runs, and for an exchange in short forms; these are never
//! written again.

#[path = "support/world.rs"]
mod world;

#[path = "formats/exchanged.rs"]
mod exchanged;
#[path = "formats/folded.rs"]
mod folded;
#[path = "formats/recorded.rs"]
mod recorded;
#[path = "formats/written.rs"]
mod written;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_api::command;
use mecum_client::{App, AppOptions, FixedClock, News, Session, Surroundings};
use mecum_faults::Proof;
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::SystemEntropy;
use mecum_seal::testing::SeededEntropy;
use mecum_sync::{
    Challenge, EnrolRequest, EnrolResponse, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch,
    HelpersPart, HelpersStopping, RecoverRequest, RecoverResponse, Refusal, SaidRequest, ServerInfo,
    SessionGrant, SignIn, Signed, SyncRequest, SyncResponse, decode, encode,
};
use mecum_vault::{Location, Vault, VaultOptions};
use serde_json::{Value, json};

use recorded::Exchange;
use world::{WORDS, call, rows};

/// The largest recorded frame.
const MAX_FRAME: usize = 64 << 20;

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/v1"))
}

/// What fixtures must turn out to hold.
fn expected_of(fixtures: &Path) -> Value {
    let text = std::fs::read(fixtures.join("expected.json")).expect("the fixtures are in the tree");
    serde_json::from_slice(&text).expect("a list")
}

fn expected() -> Value {
    expected_of(&fixtures())
}

/// The shipped app on a profile of its own.
fn shipped(profile: &Path) -> App {
    App::open(AppOptions::new(profile.to_owned()))
}

/// The charts with their rows, as far as an entry has them and no device or moment of looking.
pub(crate) async fn record(app: &App) -> Value {
    let mut all = serde_json::Map::new();
    let charts = call::<command::ChartList>(app, Value::Null).await;
    for chart in charts.as_array().expect("charts") {
        let id = chart["chart"].as_str().expect("an id");
        let mut entries = serde_json::Map::new();
        for row in rows(app, id).await {
            let entry = row["entry"].as_str().expect("an id").to_owned();
            let shown = json!({ "kind": row["kind"], "title": row["title"], "value": row["value"], "unit": row["unit"], "date": row["date"] });
            entries.insert(entry, shown);
        }
        all.insert(chart["name"].as_str().unwrap_or_default().to_owned(), Value::Object(entries));
    }
    Value::Object(all)
}

/// Every document with its heads.
pub(crate) fn heads(session: &mut Session) -> Value {
    let print = session.fingerprint().expect("every document loads");
    let documents = print.iter().filter(|(name, _)| name.starts_with("document"));
    documents
        .map(|(name, text)| {
            let heads = text.split_once("]]").map_or(text.as_str(), |(heads, _)| heads);
            (name.clone(), Value::String(mecum_seal::sha256(heads.as_bytes()).to_string()))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A fixture's bytes, whether it is stored packed or not.
pub(crate) fn unpacked(file: &Path) -> Vec<u8> {
    if let Ok(bytes) = std::fs::read(file) {
        return bytes;
    }
    let packed = std::fs::File::open(format!("{}.gz", file.display())).expect("the fixture is in the tree");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("packed whole");
    bytes
}

/// The server's backup, as it was made.
fn server_backup(fixtures: &Path, folder: &Path) -> PathBuf {
    let to = folder.join("backup");
    std::fs::create_dir_all(&to).expect("made");
    for name in ["backup.txt", "relay.key", "relay.sqlite"] {
        std::fs::write(to.join(name), unpacked(&fixtures.join("server").join(name))).expect("written");
    }
    to
}

fn copied(name: &str, folder: &Path) -> PathBuf {
    copied_from(&fixtures(), name, folder)
}

fn copied_from(fixtures: &Path, name: &str, folder: &Path) -> PathBuf {
    let to = folder.join("vault.sqlite");
    std::fs::write(&to, unpacked(&fixtures.join(name))).expect("written");
    to
}

async fn unlocked(profile: &Path) -> App {
    let app = shipped(profile);
    let view = call::<command::VaultUnlock>(&app, json!({ "passphrase": WORDS })).await;
    assert_eq!(view["phase"], "open", "{view}");
    app
}

/// The stored vault and the stored backup, each by the path of a person's own.
async fn vaults_that_do_not_read_back(fixtures: &Path) -> Vec<String> {
    let expected = expected_of(fixtures);
    let mut wrong = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    copied_from(fixtures, "vault.sqlite", folder.path());
    let app = unlocked(folder.path()).await;
    if record(&app).await != expected["record"] {
        wrong.push("the vault's entries".to_owned());
    }
    let found = app.with(|session| Ok(heads(session))).await.expect("open");
    if found != expected["heads"] {
        wrong.push("the vault's heads".to_owned());
    }
    call::<command::CheckBegin>(&app, Value::Null).await;
    let check =
        world::until::<command::CheckStatus>(&app, Value::Null, "checked", |view| view["phase"] == "done");
    if check.await["findings"] != json!([]) {
        wrong.push("the vault's check".to_owned());
    }

    let other = tempfile::tempdir().expect("a folder");
    let backups = other.path().join("backups");
    std::fs::create_dir_all(&backups).expect("made");
    std::fs::write(backups.join("mine.backup"), unpacked(&fixtures.join("backup.backup"))).expect("written");
    let app = shipped(other.path());
    call::<command::BackupRestore>(&app, json!({ "backup": "mine.backup", "passphrase": WORDS })).await;
    if record(&app).await != expected["record"] {
        wrong.push("the backup's entries".to_owned());
    }
    wrong
}

/// Why a stored server's backup is not restored, or no server starts on it.
fn server_that_does_not_read_back(fixtures: &Path) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let (backup, data) = (server_backup(fixtures, folder.path()), folder.path().join("data"));
    match mecum_relay::folder::restore(&backup, &data, false, written::NOW_MS) {
        Ok(restored) if restored.checked.is_sound() => {
            let started = Relay::open(&data, RelayOptions::default());
            started.err().map(|error| format!("the server's data: {error}"))
        }
        other => Some(format!("the server's backup: {other:?}")),
    }
}

/// Whether a frame reads back as `T` and is written again byte for byte.
fn is_same<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> bool {
    decode::<T>(bytes, MAX_FRAME).is_ok_and(|frame| encode(&frame) == bytes)
}

/// The recorded frames that are not the same after reading and writing; how many were looked at.
fn frames_that_changed(exchanges: &[Exchange]) -> (u64, Vec<String>) {
    let (mut looked, mut wrong) = (0, Vec::new());
    for (number, exchange) in exchanges.iter().enumerate() {
        let good = exchange.status == 200;
        let (asked, answered) = match exchange.path.as_str() {
            "/v1/sync" => {
                let whole = is_same::<SyncRequest>(&exchange.asked);
                (
                    whole || is_same::<SaidRequest>(&exchange.asked),
                    is_same::<SyncResponse>(&exchange.answered),
                )
            }
            "/v1/helpers/part" => {
                (is_same::<HelpersPart>(&exchange.asked), is_same::<HelpersDone>(&exchange.answered))
            }
            "/v1/helpers/ask" => {
                (is_same::<HelpersAsk>(&exchange.asked), is_same::<HelpersAnswer>(&exchange.answered))
            }
            "/v1/helpers/fetch" => {
                (is_same::<HelpersFetch>(&exchange.asked), is_same::<HelpersAnswer>(&exchange.answered))
            }
            "/v1/helpers/stop" => {
                (is_same::<HelpersStopping>(&exchange.asked), is_same::<HelpersDone>(&exchange.answered))
            }
            "/v1/enrol" => {
                (is_same::<EnrolRequest>(&exchange.asked), is_same::<EnrolResponse>(&exchange.answered))
            }
            "/v1/challenge" => (true, is_same::<Challenge>(&exchange.answered)),
            "/v1/session" => {
                (is_same::<Signed<SignIn>>(&exchange.asked), is_same::<SessionGrant>(&exchange.answered))
            }
            "/v1/recover" => {
                (is_same::<RecoverRequest>(&exchange.asked), is_same::<RecoverResponse>(&exchange.answered))
            }
            "/v1/server" => (true, is_same::<Signed<ServerInfo>>(&exchange.answered)),
            // Mailboxes carry sealed bytes as they are.
            _ => continue,
        };
        looked += 2;
        let refused = !good && !is_same::<Refusal>(&exchange.answered);
        if !asked || good && !answered || refused {
            wrong.push(format!("frame {number} of {}: request {asked}, answer {answered}", exchange.path));
        }
    }
    (looked, wrong)
}

/// The device that was away takes the recorded answers in, and holds what it held then.
fn replayed(tamper: impl Fn(&mut Vec<u8>)) -> Result<Value, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let at = Location::File(copied("away.sqlite", folder.path()));
    let options = VaultOptions::new(Arc::new(SystemEntropy::new()));
    let vault = Vault::unlock(&at, WORDS, written::NOW_MS, &options).map_err(|error| error.to_string())?;
    let around = Surroundings {
        entropy: Arc::new(SeededEntropy::new(1)),
        clock: Arc::new(FixedClock::new(written::NOW_MS)),
        news: Arc::new(News::default()),
    };
    let mut session = Session::open(vault, around).map_err(|error| error.to_string())?;
    for exchange in recorded::read(&fixtures().join("away.cbor")) {
        let mut answered = exchange.answered;
        tamper(&mut answered);
        let request: SyncRequest = decode(&exchange.asked, MAX_FRAME).map_err(|error| error.to_string())?;
        let response: SyncResponse = decode(&answered, MAX_FRAME).map_err(|error| error.to_string())?;
        session.accept(&request, &response).map_err(|error| error.to_string())?;
    }
    Ok(heads(&mut session))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_version_1_stored_or_sent_is_read_by_this_version() {
    let proof = Proof::new(
        8,
        "fixtures of every version's vault, backup, server and frames read by the live path",
        99_999,
    );
    let mut wrong = vaults_that_do_not_read_back(&fixtures()).await;
    let exchanges = recorded::read(&fixtures().join("exchange.cbor"));
    let (looked, changed) = frames_that_changed(&exchanges);
    wrong.extend(changed);
    for path in ["/v1/sync", "/v1/enrol", "/v1/challenge", "/v1/recover"] {
        assert!(exchanges.iter().any(|exchange| exchange.path == path), "{path} was recorded");
    }
    assert!(exchanges.iter().any(|exchange| exchange.path.starts_with("/v1/mailbox")), "and pairing");
    match replayed(|_| {}) {
        Ok(found) if found == expected()["away"] => {}
        other => wrong.push(format!("the replayed exchange: {other:?}")),
    }
    wrong.extend(server_that_does_not_read_back(&fixtures()));
    for what in &wrong {
        println!("not read back: {what}");
    }
    proof.end(looked + 6, wrong.len() as u64);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn control_a_changed_byte_in_a_recorded_answer_or_frame_is_noticed() {
    let flipped = replayed(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    assert!(
        flipped.is_err() || flipped.is_ok_and(|found| found != expected()["away"]),
        "the replay is no formality"
    );
    let mut exchanges = recorded::read(&fixtures().join("exchange.cbor"));
    let sync = exchanges.iter_mut().find(|exchange| exchange.path == "/v1/sync").expect("recorded");
    sync.asked.push(0);
    assert_eq!(frames_that_changed(&exchanges).1.len(), 1, "a byte too many is noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_app_refuses_a_newer_vault_politely_and_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = copied("vault.sqlite", folder.path());
    rusqlite::Connection::open(&file)
        .and_then(|newer| newer.pragma_update(None, "user_version", 99))
        .expect("a later version");
    let before = std::fs::read(&file).expect("readable");
    let app = shipped(folder.path());
    for name in ["vault_unlock", "vault_examine", "vault_mend"] {
        let refused = app.call(name, json!({ "passphrase": WORDS })).await.expect_err("it is too new");
        assert_eq!(refused.message_id, "error-too-new", "{name} says what it is");
    }
    drop(app);
    assert_eq!(std::fs::read(&file).expect("readable"), before, "not a byte was changed");
    assert!(!folder.path().join("aside").exists(), "and nothing was moved");
}
