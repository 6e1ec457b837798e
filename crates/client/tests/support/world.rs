//! Apps with vault folders of their own and a relay over TCP: what tests of the whole product are played with. Everything
//! goes through the commands that the screens use.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mecum_api::{CallError, Command, command};
use mecum_client::{App, AppOptions};
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The passphrase of every vault here.
pub(crate) const WORDS: &str = "becak melati jembatan payung sirsak gitar";

/// Largest piece of a file in one call. Source: the contract's `import_chunk`.
const PIECE_BYTES: usize = 1 << 20;

/// A relay in this process, on a port of its own.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) relay: Relay,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(folder: &Path, address: &str) -> Server {
        Self::start_with(folder, address, RelayOptions::default()).await
    }

    /// Where nobody has to wait for having asked too often.
    pub(crate) async fn start_unhurried(folder: &Path) -> Server {
        let open = Rate { burst: 1e9, per_second: 1e9 };
        let limits = Limits {
            requests_per_source: open,
            failures_per_source: open,
            syncs_per_device: open,
            ..Limits::default()
        };
        Self::start_with(folder, "127.0.0.1:0", RelayOptions { limits, ..RelayOptions::default() }).await
    }

    /// With a clock that the test moves on.
    pub(crate) async fn start_at(folder: &Path, now_ms: &Arc<AtomicI64>) -> Server {
        Self::start_again_at(folder, "127.0.0.1:0", now_ms).await
    }

    /// The same, at an address where it was before.
    pub(crate) async fn start_again_at(folder: &Path, address: &str, now_ms: &Arc<AtomicI64>) -> Server {
        let now_ms = now_ms.clone();
        let clock = Arc::new(move || now_ms.load(Ordering::SeqCst));
        Self::start_with(folder, address, RelayOptions { clock, ..RelayOptions::default() }).await
    }

    /// With a clock that the test moves on, asking for verification of every snapshot, however few envelopes it would free.
    pub(crate) async fn start_pruning(folder: &Path, now_ms: &Arc<AtomicI64>) -> Server {
        let now_ms = now_ms.clone();
        let clock = Arc::new(move || now_ms.load(Ordering::SeqCst));
        let limits = Limits { prune_envelopes: 1, ..Limits::default() };
        let options = RelayOptions { clock, limits, ..RelayOptions::default() };
        Self::start_with(folder, "127.0.0.1:0", options).await
    }

    /// Has two devices of an account verify a snapshot of each of its sections, and prunes three months later. `folder` is the
    /// server's, as it was started.
    pub(crate) async fn prune(&self, folder: &Path, now_ms: &AtomicI64, devices: [&App; 2]) {
        let ready = || {
            let c = rusqlite::Connection::open(folder.join("relay.sqlite")).expect("a database");
            let count = |sql: &str| c.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counted");
            count("SELECT count(*) FROM fold") >= 3
        };
        for _ in 0..100 {
            if ready() {
                break;
            }
            for app in devices {
                call::<command::SyncNow>(app, Value::Null).await;
            }
        }
        assert!(ready(), "snapshots were verified by two devices and wait");
        for app in devices {
            call::<command::SyncNow>(app, Value::Null).await;
        }
        now_ms.fetch_add(91 * 24 * 60 * 60 * 1_000, Ordering::SeqCst);
        assert!(self.relay.sweep().expect("a sweep").pruned_envelopes > 0, "three months later it is pruned");
    }

    async fn start_with(folder: &Path, address: &str, options: RelayOptions) -> Server {
        let listener = bind(address).await;
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let relay = Relay::open(folder, options).expect("a folder takes a relay");
        let (stop, stopped) = oneshot::channel();
        let serving = relay.clone();
        let task = tokio::spawn(async move {
            let _ = serving.serve(listener, async { drop(stopped.await) }).await;
        });
        Server { url, relay, stop: Some(stop), task }
    }

    /// Stops it; answers its address, so that it can come back there.
    pub(crate) async fn stop(mut self) -> String {
        self.stop.take().map(|stop| stop.send(()));
        let _ = self.task.await;
        self.url.trim_start_matches("http://").to_owned()
    }
}

/// Listens. A port that a server had before may be taken by somebody else for a moment.
async fn bind(address: &str) -> TcpListener {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return listener;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    TcpListener::bind(address).await.expect("loopback has the port")
}

pub(crate) fn options(folder: &Path) -> AppOptions {
    // A test that sets its clock forward must not be locked out by a look at that clock, however slow the machine is.
    let tick = Duration::from_hours(1);
    AppOptions { kdf: fast_kdf(), tick, ..AppOptions::new(folder.to_owned()) }
}

pub(crate) fn device(folder: &Path) -> App {
    App::open(options(folder))
}

pub(crate) async fn call<C: Command>(app: &App, args: Value) -> Value {
    let answer = app.call(C::NAME, args).await;
    answer.unwrap_or_else(|error| panic!("{} refused: {error:?}", C::NAME))
}

/// Asks again until `good`, at most 40 s.
pub(crate) async fn until<C: Command>(
    app: &App,
    args: Value,
    what: &str,
    good: impl Fn(&Value) -> bool,
) -> Value {
    for _ in 0..400 {
        let answer = call::<C>(app, args.clone()).await;
        if good(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}; last {}", call::<C>(app, args).await);
}

/// Makes a vault for `name`; answers the own chart.
pub(crate) async fn create(app: &App, name: &str, device_name: &str) -> String {
    let args = json!({ "passphrase": WORDS, "name": name, "born": "1988-02-11", "device_name": device_name });
    call::<command::VaultCreate>(app, args).await;
    let charts = call::<command::ChartList>(app, Value::Null).await;
    charts[0]["chart"].as_str().expect("the own chart").to_owned()
}

pub(crate) async fn connect(app: &App, server: &Server) {
    let code = server.relay.make_enrolment_code().expect("the relay makes a code");
    let sync = call::<command::ServerConnect>(app, json!({ "url": server.url, "code": code })).await;
    assert_eq!(sync["phase"], "up-to-date", "connected and exchanged: {sync}");
}

/// Pairs by the words, as a person with two screens would.
pub(crate) async fn pair(old: &App, new: &App, device_name: &str, passphrase: &str) {
    let offer = call::<command::PairOffer>(old, Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let join = json!({ "code": words.join(" "), "server": offer["server"], "passphrase": passphrase, "device_name": device_name });
    call::<command::PairJoin>(new, join).await;
    until::<command::PairStatus>(old, Value::Null, "the new device asks", |view| view["phase"] == "asking")
        .await;
    call::<command::PairApprove>(old, Value::Null).await;
    until::<command::PairStatus>(new, Value::Null, "the new device is in", |view| view["phase"] == "done")
        .await;
}

/// Sends a file in pieces; answers the number of the import.
pub(crate) async fn send(app: &App, bytes: &[u8]) -> Result<u64, CallError> {
    let begun = app.call("import_begin", json!({ "name": "file.json", "bytes": bytes.len() })).await?;
    let import = begun["import"].as_u64().expect("a number");
    for (at, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
        let args = json!({ "import": import, "offset": at * PIECE_BYTES, "base64": base64(piece) });
        app.call("import_chunk", args).await?;
    }
    Ok(import)
}

/// Sends a file and looks at it.
pub(crate) async fn look(app: &App, bytes: &[u8]) -> Result<Value, CallError> {
    let import = send(app, bytes).await?;
    app.call("import_look", json!({ "import": import })).await
}

/// Keeps what was looked at in a chart, or in a new one; answers how it ended.
pub(crate) async fn keep(app: &App, import: &Value, chart: Option<&str>) -> Value {
    let args = match chart {
        Some(chart) => json!({ "import": import, "into": "chart", "chart": chart }),
        None => json!({ "import": import, "into": "new-chart" }),
    };
    call::<command::ImportRun>(app, args).await;
    until::<command::ImportStatus>(app, json!({ "import": import }), "the import ends", |view| {
        view["phase"] != "keeping"
    })
    .await
}

/// Brings a file in from beginning to end.
pub(crate) async fn bring_in(app: &App, bytes: &[u8], chart: Option<&str>) -> Value {
    let preview = look(app, bytes).await.expect("a good file");
    let view = keep(app, &preview["import"], chart).await;
    assert_eq!(view["phase"], "done", "kept: {view}");
    view
}

/// Every row of a chart.
pub(crate) async fn rows(app: &App, chart: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page =
            call::<command::Timeline>(app, json!({ "chart": chart, "offset": all.len(), "limit": 200 }))
                .await;
        all.extend(page["rows"].as_array().cloned().unwrap_or_default());
        if page["more"] != true {
            assert_eq!(page["all"].as_u64(), Some(all.len() as u64), "every row is listed");
            return all;
        }
    }
}

/// Base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | group.get(at).copied().map_or(0, u32::from));
        for place in 0..4 {
            let symbol = char::from(SYMBOLS[(bits >> (18 - 6 * place) & 63) as usize]);
            out.push(if place <= group.len() { symbol } else { '=' });
        }
    }
    out
}

/// The bundles by others, or none with the reason printed.
pub(crate) fn real_files() -> Vec<(String, Vec<u8>)> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("MECUM_REAL_DATA").map_or_else(beside, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("mecum-skip: no folder of real data (MECUM_REAL_DATA names one)");
        return Vec::new();
    };
    let is_bundle = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| is_bundle(&entry.path()))
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("readable"))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        println!("mecum-skip: no bundle in the folder of real data");
    }
    files
}
