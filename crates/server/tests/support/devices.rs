//! A server and five devices of one account as processes, each device behind a way of its own and, where asked for, under a clock of
//! its own; and what was said to be saved.

#![allow(dead_code, reason = "each test file uses a part of it")]

#[path = "server.rs"]
mod server;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use mecum_testkit::{Chaos, Dice};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use server::{Running, SERVER, enrolment_code_by};

pub(crate) const WORDS: &str = "becak melati jembatan payung sirsak gitar";
pub(crate) const DEVICES: usize = 5;
/// A round is as many parts, and after each of them somebody is killed.
pub(crate) const PARTS: u64 = 10;
/// Between two looks at whether they do.
const PAUSE: Duration = Duration::from_millis(400);
/// How long five devices may take to show the same once their ways are good.
const SETTLE: Duration = Duration::from_mins(1);

/// A clock that a process takes for the system's: a file that says how far it is off, read anew each time, so that it can jump.
#[derive(Clone)]
pub(crate) struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    /// Where libfaketime is, or why it is not.
    pub(crate) fn library() -> Result<PathBuf, &'static str> {
        let asked = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
        let said = asked.map_err(|_| "faketime is not installed")?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        // The loader knows what `$LIB` in it stands for.
        match said.trim() {
            "" => Err("faketime has no library here"),
            library => Ok(PathBuf::from(library)),
        }
    }

    /// A clock that is off by `offset`, as faketime says it: `-10y`, `+600s`.
    pub(crate) fn off(file: PathBuf, library: &Path, offset: &str) -> Self {
        let clock = Self { file, library: library.to_owned() };
        clock.jump(offset);
        clock
    }

    /// Is off by so much from now on. Whoever reads it meanwhile reads one or the other.
    pub(crate) fn jump(&self, offset: &str) {
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{offset}\n")).unwrap();
        std::fs::rename(next, &self.file).unwrap();
    }
}

/// A program under a clock. What measures how much time passes is left alone: nobody sets that.
pub(crate) fn under(clock: Option<&Clock>, mut program: Command) -> Command {
    if let Some(clock) = clock {
        program
            .env("LD_PRELOAD", &clock.library)
            .env("FAKETIME_TIMESTAMP_FILE", &clock.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    program
}

/// The example beside this test's own binary; built when a single test was asked for and it is not there.
fn client_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("chaos_client");
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "mecum-server", "--example", "chaos_client", "--target-dir"])
            .arg(profile.parent().unwrap())
            .status()
            .unwrap();
        assert!(built.success() && program.exists(), "the client is built");
    }
    program
}

pub(crate) struct Server {
    running: Running,
    pub(crate) address: SocketAddr,
    clock: Option<Clock>,
}

impl Server {
    pub(crate) fn start(data: &Path, clock: Option<&Clock>) -> Self {
        let running = Running::start_by(under(clock, Command::new(SERVER)), data);
        let address = running.address.parse().unwrap();
        Self { running, address, clock: clock.cloned() }
    }

    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }
}

pub(crate) struct Device {
    child: Child,
    asks: ChildStdin,
    answers: std::io::Lines<BufReader<ChildStdout>>,
    profile: PathBuf,
    early: bool,
    pub(crate) chaos: Chaos,
    clock: Option<Clock>,
}

impl Device {
    fn spawn(
        profile: &Path,
        early: bool,
        clock: Option<&Clock>,
    ) -> (Child, ChildStdin, std::io::Lines<BufReader<ChildStdout>>) {
        let mut child = under(clock, Command::new(client_program()))
            .arg(profile)
            .args(early.then_some("--early"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        (child, asks, BufReader::new(answers).lines())
    }

    pub(crate) fn ask(&mut self, name: &str, args: &Value) {
        writeln!(self.asks, "{}", json!({ "call": name, "args": args })).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Value {
        serde_json::from_str(&self.answers.next().expect("the device answers").unwrap()).unwrap()
    }

    pub(crate) fn call(&mut self, name: &str, args: &Value) -> Value {
        self.ask(name, args);
        let answer = self.answer();
        assert!(answer.get("ok").is_some(), "{name}: {answer}");
        answer["ok"].clone()
    }

    /// Asks again until it is so, at most 40 s.
    pub(crate) fn until(&mut self, name: &str, good: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let answer = self.call(name, &Value::Null);
            if good(&answer) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} never says so");
    }

    /// Kills the process, and starts it again over the same folder.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.asks, self.answers) = Self::spawn(&self.profile, self.early, self.clock.as_ref());
        self.call("vault_unlock", &json!({ "passphrase": WORDS }));
    }

    fn own_chart(&mut self) -> String {
        self.call("chart_list", &Value::Null)[0]["chart"].as_str().unwrap().to_owned()
    }

    fn titles(&mut self) -> BTreeSet<String> {
        let chart = self.own_chart();
        let mut titles = BTreeSet::new();
        let mut offset = 0;
        loop {
            let page = self.call("timeline", &json!({ "chart": chart, "offset": offset, "limit": 200 }));
            let rows = page["rows"].as_array().unwrap();
            offset += rows.len();
            titles.extend(rows.iter().filter_map(|row| row["title"].as_str()).map(str::to_owned));
            if page["more"] != true {
                return titles;
            }
        }
    }
}

/// A server, five devices of one account, and what was said to be saved.
pub(crate) struct World {
    folder: tempfile::TempDir,
    // Before the runtime that its proxies live in.
    pub(crate) devices: Vec<Device>,
    server: Server,
    _runtime: Runtime,
    dice: Dice,
    pub(crate) saved: BTreeSet<String>,
    written: u64,
}

impl World {
    pub(crate) fn new(seed: u64, early: bool) -> Self {
        Self::under(seed, early, &|_| None)
    }

    /// The same with clocks: of the devices by their numbers, of the server by [`DEVICES`].
    pub(crate) fn under(seed: u64, early: bool, clock: &dyn Fn(usize) -> Option<Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let of_server = clock(DEVICES);
        let server = Server::start(&data, of_server.as_ref());
        let runtime = Runtime::new().unwrap();
        let mut devices: Vec<Device> = (0..DEVICES)
            .map(|n| {
                let profile = folder.path().join(format!("device-{n}"));
                let chaos =
                    runtime.block_on(Chaos::start(server.address, seed ^ ((n as u64) << 32))).unwrap();
                let clock = clock(n);
                let (child, asks, answers) = Device::spawn(&profile, early, clock.as_ref());
                Device { child, asks, answers, profile, early, chaos, clock }
            })
            .collect();
        let code = enrolment_code_by(under(of_server.as_ref(), Command::new(SERVER)), &data);
        let (first, others) = devices.split_first_mut().unwrap();
        let person = json!({ "passphrase": WORDS, "name": "Laras", "born": null, "device_name": "device 0" });
        first.call("vault_create", &person);
        first.call("server_connect", &json!({ "url": first.chaos.url(), "code": code }));
        for (n, other) in others.iter_mut().enumerate() {
            let offer = first.call("pair_offer", &Value::Null);
            let words: Vec<_> = offer["words"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let name = format!("device {}", n + 1);
            let join = json!({
                "code": words.join(" "), "server": other.chaos.url(), "passphrase": WORDS, "device_name": name
            });
            other.call("pair_join", &join);
            first.until("pair_status", |view| view["phase"] == "asking");
            first.call("pair_approve", &Value::Null);
            other.until("pair_status", |view| view["phase"] == "done");
        }
        let dice = Dice::new(seed);
        let mut world =
            Self { folder, devices, server, _runtime: runtime, dice, saved: BTreeSet::new(), written: 0 };
        world.settle().expect("before anything goes wrong all is well");
        world
    }

    pub(crate) fn foul(&self, foul: bool) {
        for device in &self.devices {
            device.chaos.foul(foul);
        }
    }

    /// A part of the work: every device writes, and some exchange, over whatever way they have.
    pub(crate) fn work(&mut self) {
        for at in 0..DEVICES {
            self.write(at);
        }
        let exchanging: Vec<usize> = (0..DEVICES).filter(|_| self.dice.once_in(2)).collect();
        for &at in &exchanging {
            self.devices[at].ask("sync_now", &Value::Null);
        }
        for at in exchanging {
            self.devices[at].answer();
        }
    }

    pub(crate) fn write(&mut self, at: usize) {
        self.written += 1;
        let text = format!("entry {} of device {at}", self.written);
        let device = &mut self.devices[at];
        let chart = device.own_chart();
        device.call("entry_add", &json!({ "chart": chart, "kind": "note", "fields": [["text", text]] }));
        self.saved.insert(text);
    }

    /// Somebody dies in the middle of an exchange, and comes back.
    pub(crate) fn kill_somebody(&mut self) {
        let whom = usize::try_from(self.dice.below(DEVICES as u64 + 1)).unwrap();
        let busy =
            if whom < DEVICES { whom } else { usize::try_from(self.dice.below(DEVICES as u64)).unwrap() };
        self.write(busy);
        self.devices[busy].ask("sync_now", &Value::Null);
        std::thread::sleep(Duration::from_millis(self.dice.below(40)));
        if whom < DEVICES {
            self.devices[whom].kill();
            return;
        }
        self.server.kill();
        let clock = self.server.clock.clone();
        self.server = Server::start(&self.folder.path().join("server"), clock.as_ref());
        for device in &self.devices {
            device.chaos.lead_to(self.server.address);
        }
        self.devices[busy].answer();
    }

    /// Exchanges over good ways until all show the same; says what is wrong if they do not.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        let ends = Instant::now() + SETTLE;
        loop {
            let wrong = self.compare();
            if wrong.is_ok() || Instant::now() > ends {
                return wrong;
            }
            // The server slows down whoever asks without a pause, and all of them come from one address.
            std::thread::sleep(PAUSE);
        }
    }

    pub(crate) fn compare(&mut self) -> Result<(), String> {
        self.exchange(self.devices.len())?;
        self.alike()
    }

    /// The first so many devices exchange.
    pub(crate) fn exchange(&mut self, count: usize) -> Result<(), String> {
        for device in &mut self.devices[..count] {
            device.ask("sync_now", &Value::Null);
        }
        let answers: Vec<Value> = self.devices[..count].iter_mut().map(Device::answer).collect();
        for (at, answer) in answers.iter().enumerate() {
            let said = &answer["ok"];
            if said["phase"] != "up-to-date" || said["quarantined"] != 0 {
                return Err(format!("device {at} says {answer}"));
            }
        }
        Ok(())
    }

    /// How often the ways did harm so far.
    pub(crate) fn harmed(&self) -> u64 {
        self.devices.iter().map(|device| device.chaos.harmed()).sum()
    }

    /// Whether all show the same, nothing waits, and nothing is missing.
    pub(crate) fn alike(&mut self) -> Result<(), String> {
        for device in &mut self.devices {
            device.ask("fingerprint", &Value::Null);
        }
        let answers: Vec<Value> = self.devices.iter_mut().map(Device::answer).collect();
        for (at, answer) in answers.iter().enumerate() {
            let said = &answer["ok"];
            if said.is_null() || *said != answers[0]["ok"] {
                return Err(format!("device {at} has other contents than device 0"));
            }
        }
        for (at, device) in self.devices.iter_mut().enumerate() {
            let counts = device.call("whereabouts", &Value::Null)["counts"].clone();
            if counts["device"] != 0 || counts["sent"] != 0 {
                return Err(format!("device {at} has what no other has: {counts}"));
            }
        }
        let shown = self.devices[0].titles();
        match self.saved.difference(&shown).next() {
            Some(lost) => Err(format!("lost: {lost}")),
            None => Ok(()),
        }
    }

    pub(crate) fn round(&mut self) -> Result<(), String> {
        self.foul(true);
        for _ in 0..PARTS {
            self.work();
            self.kill_somebody();
        }
        self.foul(false);
        self.settle()
    }

    /// Ends everything; what the server's own check says.
    pub(crate) fn end(mut self) -> Result<(), String> {
        for device in &mut self.devices {
            let _ = device.child.kill();
            let _ = device.child.wait();
        }
        self.server.kill();
        let data = self.folder.path().join("server");
        let checked = Command::new(SERVER).args(["check", "--data"]).arg(data).output().unwrap();
        let said = || String::from_utf8_lossy(&checked.stdout).into_owned();
        if checked.status.success() { Ok(()) } else { Err(said()) }
    }

    /// As [`World::settle`], and ends as soon as all show the same and something is lost: that does not come back.
    pub(crate) fn settle_or_lose(&mut self) -> Result<(), String> {
        let ends = Instant::now() + SETTLE;
        loop {
            let wrong = self.compare();
            let is_lost = wrong.as_ref().is_err_and(|why| why.starts_with("lost"));
            if wrong.is_ok() || is_lost || Instant::now() > ends {
                return wrong;
            }
            // The server slows down whoever asks without a pause, and all of them come from one address.
            std::thread::sleep(PAUSE);
        }
    }
}
