//! A relay in this process, and a plain HTTP client that can also misbehave.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, VerifyingKey, sha256};
use mecum_sync::{Refusal, decode};
use minicbor::{Decode, Encode};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The clock of a test server, in ms since the epoch.
pub(crate) const START_MS: i64 = 1_790_000_000_000;

/// A running relay over a folder of its own.
pub(crate) struct Server {
    pub(crate) dir: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) relay: Relay,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
    limits: Limits,
    proxies: Vec<IpAddr>,
}

/// Limits that no test meets by accident.
pub(crate) fn roomy() -> Limits {
    let open = Rate { burst: 1e9, per_second: 1e9 };
    Limits {
        requests_per_source: open,
        failures_per_source: open,
        mailboxes_per_source: open,
        short_mailboxes_per_account: open,
        long_mailboxes_per_account: open,
        helper_asks_per_source: open,
        pages_per_account: open,
        syncs_per_device: open,
        ..Limits::default()
    }
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::behind(limits, &[]).await
    }

    /// Starts behind these proxies.
    pub(crate) async fn behind(limits: Limits, proxies: &[IpAddr]) -> Self {
        let proxies = proxies.to_vec();
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START_MS));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (relay, address, stop, task) =
            run(dir.path(), &clock, &lines, (limits, proxies.clone()), 1).await;
        Self { dir, address, relay, clock, lines, stop: Some(stop), task: Some(task), limits, proxies }
    }

    /// Stops, and starts again over the same folder.
    pub(crate) async fn restart(&mut self) {
        self.restart_after(|_| {}).await;
    }

    /// Stops, and starts again over the same folder in which something was changed.
    pub(crate) async fn restart_after(&mut self, change: impl FnOnce(&Path)) {
        self.stop().await;
        change(self.dir.path());
        let (relay, address, stop, task) =
            run(self.dir.path(), &self.clock, &self.lines, (self.limits, self.proxies.clone()), 2).await;
        (self.relay, self.address, self.stop, self.task) = (relay, address, Some(stop), Some(task));
    }

    /// Stops, and starts again over a backup that took the place of what was there.
    pub(crate) async fn restored_from(&mut self, backup: &Path) {
        self.stop().await;
        mecum_relay::folder::restore(backup, self.dir.path(), true, START_MS).unwrap();
        let (relay, address, stop, task) =
            run(self.dir.path(), &self.clock, &self.lines, (self.limits, self.proxies.clone()), 3).await;
        (self.relay, self.address, self.stop, self.task) = (relay, address, Some(stop), Some(task));
    }

    /// Stops; returns how long that took.
    pub(crate) async fn stop(&mut self) -> Duration {
        let began = std::time::Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        self.task.take().unwrap().await.unwrap();
        began.elapsed()
    }

    pub(crate) fn pin(&self) -> VerifyingKey {
        self.relay.key()
    }

    /// A hash of everything in every table but the named ones.
    pub(crate) fn digest(&self, without: &[&str]) -> Hash32 {
        let c = rusqlite::Connection::open(self.dir.path().join("relay.sqlite")).unwrap();
        let mut tables =
            c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(tables.len() >= 10, "the tables are there to be compared");
        let mut all = Vec::new();
        for table in tables.iter().filter(|table| !without.contains(&table.as_str())) {
            let mut rows = c.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            let mut lines = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                let line: Vec<String> =
                    (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
                lines.push(line.join("|"));
            }
            lines.sort();
            all.push(format!("{table}:{}", lines.join("\n")));
        }
        sha256(all.join("\n\n").as_bytes())
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        if let Some(token) = token {
            write!(head, "authorization: Bearer {token}\r\n").unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        Answer::parse(&self.raw(&bytes).await)
    }

    /// Sends bytes as they are and reads until the relay closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let mut answer = Vec::new();
        let sending = async {
            // The relay may close before everything is sent: that is its right.
            let _ = writer.write_all(bytes).await;
        };
        let reading = async {
            let _ = reader.read_to_end(&mut answer).await;
        };
        tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(sending, reading) })
            .await
            .expect("the relay answers and closes in time");
        answer
    }
}

async fn run(
    dir: &Path,
    clock: &Arc<AtomicI64>,
    lines: &Arc<Mutex<Vec<String>>>,
    (limits, proxies): (Limits, Vec<IpAddr>),
    seed: u64,
) -> (Relay, SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let (time, log) = (Arc::clone(clock), Arc::clone(lines));
    let options = RelayOptions {
        limits,
        proxies,
        entropy: Arc::new(SeededEntropy::new(seed)),
        clock: Arc::new(move || time.load(Ordering::SeqCst)),
        log: Arc::new(move |line| log.lock().unwrap().push(line.to_owned())),
        ..RelayOptions::default()
    };
    let relay = Relay::open(dir, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = relay.clone();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serving.serve(listener, stopped).await.unwrap();
    });
    (relay, address, stop, task)
}

/// One connection that stays open, for many requests one after the other.
pub(crate) struct Line {
    stream: TcpStream,
}

impl Line {
    pub(crate) async fn open(server: &Server) -> Self {
        Self { stream: TcpStream::connect(server.address).await.unwrap() }
    }

    /// Posts a body; answers the status and the body.
    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: t\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let mut part = [0u8; 4_096];
        loop {
            let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head = std::str::from_utf8(&answer[..end]).unwrap().to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                let length: usize = length.parse().unwrap();
                if answer.len() >= end + 4 + length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return (status, answer.split_off(end + 4));
                }
            }
            let read = self.stream.read(&mut part).await.unwrap();
            assert!(read > 0, "the relay keeps the connection");
            answer.extend_from_slice(&part[..read]);
        }
    }
}

/// An HTTP answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn frame<T: Encode<()> + for<'b> Decode<'b, ()>>(&self) -> T {
        assert_eq!(self.status, 200, "the relay accepted it, not {:?}", decode::<Refusal>(&self.body, 100));
        decode(&self.body, 1 << 24).expect("the relay answers in frames")
    }

    pub(crate) fn refusal(&self) -> Refusal {
        assert!(self.status >= 400, "a refusal was expected, not {}", self.status);
        decode(&self.body, 1_000).expect("a refusal is a frame")
    }
}
