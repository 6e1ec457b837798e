//! Nothing that a person wrote, typed or brought in, and no key, can be found in any file or log of the devices or the
//! server: a tour through every command runs in a process of its own, and after each part its files are searched byte by
//! byte. The control looks for the same in unsealed files of the same kinds, and must find it.

#[path = "canaries/actor.rs"]
mod actor;
#[path = "support/canary.rs"]
mod canary;
#[path = "canaries/people.rs"]
mod people;
#[path = "canaries/record.rs"]
mod record;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mecum_api::command::COMMAND_NAMES;
use serde_json::{Value, json};

use actor::{Actor, keep_keys, part_is_over};
use canary::{Planted, spellings};
use people::{help, integrity, recover, share};
use record::{bring_in_and_read, bundle, clash, pair, write};
use world::{Server, device};

/// Where the tour takes place; set by the test that searches.
const TOUR: &str = "MECUM_TOUR";

/// The parts of the tour after which its files are searched.
const PARTS: [&str; 6] = ["written", "brought-in", "paired", "clashing", "asked", "locked"];

/// The places that are searched.
const PLACES: [&str; 9] = [
    "vault.sqlite",
    "vault.sqlite-wal",
    "vault.sqlite-shm",
    "lock",
    "display.json",
    "relay.sqlite",
    "relay.sqlite-wal",
    "temporary",
    "log",
];

/// What kind of place a file is.
fn place_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
    match (folder.as_str(), name.as_str()) {
        ("temporary", _) => Some("temporary"),
        (_, "stdout" | "stderr") => Some("log"),
        (_, name) if path.extension().is_some_and(|end| end == "lock") && !name.is_empty() => Some("lock"),
        (_, name) => PLACES.into_iter().find(|place| *place == name),
    }
}

/// The tour. It runs only in the process that the search starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of the search below, which runs it in a process of its own"]
async fn the_tour() {
    let folder = PathBuf::from(std::env::var_os(TOUR).expect("the search says where"));
    let mut planted = Planted::default();
    let called = Mutex::new(BTreeSet::new());
    let actor = |name: &str| Actor { app: device(&folder.join(name)), called: &called };
    let (phone, laptop) = (actor("phone"), actor("laptop"));
    let (chart, medicine) = write(&phone, &mut planted).await;
    part_is_over(&folder, "written").await;
    bring_in_and_read(&phone, &mut planted, &chart).await;
    part_is_over(&folder, "brought-in").await;
    let server = Server::start(&folder.join("server"), "127.0.0.1:0").await;
    let code = server.relay.make_enrolment_code().expect("a code");
    phone.call("server_connect", json!({ "url": server.url, "code": code })).await;
    pair(&phone, &laptop, &mut planted).await;
    let medicines = json!({ "chart": chart });
    laptop.until("medicines", medicines.clone(), |view| view["current"][0]["dose"] == "5 mg").await;
    for name in ["sync_now", "sync_status", "whereabouts", "news"] {
        laptop.call(name, Value::Null).await;
    }
    part_is_over(&folder, "paired").await;
    let address = server.stop().await;
    clash(&phone, &laptop, &mut planted, &chart, &medicine).await;
    let server = Server::start(&folder.join("server"), &address).await;
    let view = laptop
        .until("medicines", medicines.clone(), |view| {
            view["clashes"].as_array().is_some_and(|all| all.len() >= 2)
        })
        .await;
    part_is_over(&folder, "clashing").await;
    let choice = view["clashes"][0]["values"][0]["choice"].clone();
    let settle =
        json!({ "chart": chart, "entry": medicine, "field": view["clashes"][0]["field"], "choice": choice });
    laptop.call("clash_settle", settle).await;
    phone
        .until("medicines", medicines, |view| view["clashes"].as_array().is_some_and(|all| all.len() < 2))
        .await;
    keep_keys(&mut planted, &[&phone, &laptop]).await;
    let (sister, borrowed) = (actor("sister"), actor("borrowed"));
    share(&phone, &sister, &mut planted, &server, &chart).await;
    help(&phone, &sister, &borrowed, &mut planted, &server).await;
    recover(&phone, &laptop, &actor("empty"), &mut planted, &server).await;
    keep_keys(&mut planted, &[&phone, &laptop]).await;
    integrity(&phone, &planted).await;
    phone.call("vault_lock", Value::Null).await;
    let wrong = planted.text("wrong passphrase", "kenanga-42 dermaga lampion rotan kelapa");
    assert!(phone.try_call("vault_unlock", json!({ "passphrase": wrong })).await.is_err(), "wrong");
    let Actor { app, .. } = phone;
    drop(app);
    let phone = actor("phone");
    let passphrase = planted.texts.get("passphrase after the kit").cloned().expect("planted");
    phone.call("vault_unlock", json!({ "passphrase": passphrase })).await;
    let read = phone.call("timeline", json!({ "chart": chart, "limit": 200 })).await.to_string();
    assert!(read.contains("Diabetes melitus tipe dua charlie"), "what is looked for is there to be read");
    phone.call("vault_lock", Value::Null).await;
    server.stop().await;
    part_is_over(&folder, "asked").await;
    borrowed.call("restore_drop", Value::Null).await;
    std::fs::write(folder.join("planted.json"), serde_json::to_vec(&planted).expect("encodes"))
        .expect("written");
    let called = called.lock().expect("nobody panics").clone();
    let missed: Vec<&&str> = COMMAND_NAMES.iter().filter(|name| !called.contains(**name)).collect();
    assert!(missed.is_empty(), "the tour goes through every command; not {missed:?}");
    part_is_over(&folder, "locked").await;
}

/// Copies every file of the tour's places aside.
fn copy(folder: &Path, part: &str) {
    for actor in ["phone", "laptop", "sister", "empty", "borrowed/restoring", "server", "temporary", "output"]
    {
        let to = folder.join("copies").join(part).join(actor);
        std::fs::create_dir_all(&to).expect("made");
        let Ok(entries) = std::fs::read_dir(folder.join(actor)) else { continue };
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            // A file may go while the folder is read: then there is nothing to search.
            let _ = std::fs::copy(entry.path(), to.join(entry.file_name()));
        }
    }
    std::fs::write(folder.join(format!("{part}.copied")), b"").expect("written");
}

fn run_tour(folder: &Path) {
    for name in ["temporary", "output"] {
        std::fs::create_dir_all(folder.join(name)).expect("made");
    }
    let output =
        |name: &str| Stdio::from(std::fs::File::create(folder.join("output").join(name)).expect("made"));
    let mut tour = Command::new(std::env::current_exe().expect("this program"));
    tour.args(["--exact", "the_tour", "--ignored", "--nocapture"])
        .env(TOUR, folder)
        .env("TMPDIR", folder.join("temporary"));
    let mut tour = tour.stdout(output("stdout")).stderr(output("stderr")).spawn().expect("it starts");
    let since = Instant::now();
    for part in PARTS {
        while !folder.join(format!("{part}.over")).exists() {
            let ended = tour.try_wait().expect("it can be asked");
            let said = || std::fs::read_to_string(folder.join("output/stderr")).unwrap_or_default();
            assert!(ended.is_none(), "the tour ended before {part}: {}", said());
            if since.elapsed() > Duration::from_secs(150) {
                let _ = tour.kill();
                panic!("the tour never came to {part}: {}", said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        copy(folder, part);
    }
    assert!(tour.wait().expect("it ends").success(), "the tour came to its end");
    copy(folder, "ended");
}

fn files_under(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() { files_under(&entry.path(), out) } else { out.push(entry.path()) }
    }
}

#[test]
fn nothing_planted_is_found_in_any_file_or_log_after_any_command() {
    let folder = tempfile::tempdir().expect("a folder");
    run_tour(folder.path());
    let planted = std::fs::read(folder.path().join("planted.json")).expect("the tour wrote what it planted");
    let planted: Planted = serde_json::from_slice(&planted).expect("a list");
    assert!(planted.texts.len() >= 40, "{} texts are planted", planted.texts.len());
    assert!(planted.keys.len() >= 20, "{} keys are looked for", planted.keys.len());
    let search = planted.search();
    let mut files = Vec::new();
    files_under(&folder.path().join("copies"), &mut files);
    let mut searched: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for file in &files {
        let bytes = std::fs::read(file).expect("readable");
        let found = search.find(&bytes);
        let shown = file.strip_prefix(folder.path()).expect("inside");
        assert!(found.is_empty(), "{} holds {found:?}", shown.display());
        let place = searched.entry(place_of(file).unwrap_or("another file")).or_default();
        *place = (place.0 + 1, place.1 + bytes.len());
    }
    println!(
        "{} texts and {} keys in {} spellings; files and bytes searched: {searched:?}",
        planted.texts.len(),
        planted.keys.len(),
        search.len()
    );
    for place in PLACES.iter().filter(|place| **place != "temporary") {
        assert!(searched.get(place).is_some_and(|(files, _)| *files > 0), "{place} was searched");
    }
    for place in ["vault.sqlite", "vault.sqlite-wal", "relay.sqlite-wal", "log"] {
        assert!(searched.get(place).is_some_and(|(_, bytes)| *bytes > 0), "{place} held something");
    }
}

/// Writes every spelling into a plain database: the first half into the file, the second into its log.
fn plain_database(path: &Path, spelt: &[Vec<u8>]) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).expect("opens");
    database
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE kept (body BLOB) STRICT")
        .expect("a table");
    for round in 0..2 {
        for body in spelt {
            database.execute("INSERT INTO kept VALUES (?1)", [body]).expect("a row");
        }
        if round == 0 {
            database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("folded in");
        }
    }
    database
}

#[test]
fn control_the_same_search_finds_everything_in_unsealed_files_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut planted = Planted::default();
    bundle(&mut planted, "control");
    planted.keys.insert(std::array::from_fn(|at| u8::try_from((at * at * 37 + 11) % 251).expect("small")));
    planted.keys.insert(std::array::from_fn(|at| u8::try_from(at * 7 % 251).expect("small")));
    let search = planted.search();
    let mut all: Vec<_> =
        planted.texts.values().flat_map(|text| spellings(text.as_bytes(), Some(text))).collect();
    all.extend(planted.keys.iter().flat_map(|key| spellings(key, None)));
    let spelt: Vec<Vec<u8>> = all.into_iter().map(|spelling| spelling.written).collect();
    std::fs::create_dir_all(folder.path().join("temporary")).expect("made");
    let held = [
        plain_database(&folder.path().join("vault.sqlite"), &spelt),
        plain_database(&folder.path().join("relay.sqlite"), &spelt),
    ];
    for name in ["vault.sqlite.lock", "display.json", "temporary/etilqs_1", "stderr"] {
        std::fs::write(folder.path().join(name), spelt.join(&b"\n"[..])).expect("written");
    }
    // The index of a log holds page numbers alone; here it stands for any program that would put text there.
    std::fs::write(folder.path().join("copy-of-shm"), spelt.join(&b"\n"[..])).expect("written");
    let mut files = Vec::new();
    files_under(folder.path(), &mut files);
    let mut places = BTreeSet::new();
    for file in
        files.iter().filter(|file| !file.to_string_lossy().ends_with("-shm") || file.ends_with("copy-of-shm"))
    {
        let found = search.find(&std::fs::read(file).expect("readable"));
        assert_eq!(found.len(), search.len(), "every spelling of everything is found in {}", file.display());
        places.insert(if file.ends_with("copy-of-shm") {
            "vault.sqlite-shm"
        } else {
            place_of(file).expect("a place")
        });
    }
    assert_eq!(places, PLACES.into_iter().collect(), "a control for each kind of place");
    drop(held);
}
