//! What is in memory: of a device's process after it was locked, no passphrase, no key and nothing of the record; of the
//! server's, at any time, nothing that people wrote and no key of a document. Whole core dumps are searched, stacks and freed
//! memory included.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "memory/device.rs"]
mod device;
#[path = "memory/keys.rs"]
mod keys;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use device::{Device, WORDS};
use keys::{keys, pieces};
use mecum_client::testing::NOW_MS;
use mecum_faults::Proof;
use mecum_faults::memory::{Dump, Needle};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

const SERVER: &str = env!("CARGO_BIN_EXE_mecum-server");
/// What nobody else would write: in a note, a name, a medicine and a reason.
const CANARIES: [&str; 4] =
    ["canary-kelapa-muda note", "Canary Wulandari-Sukma", "canaryformin 850", "two canary drops at night"];

/// Notes of letters that do not repeat: pressed, they pass through all of the rooms of the library that presses.
const LONG_NOTES: usize = 20;
const LONG_LETTERS: usize = 8_000;
/// What is not kept while a vault is open, or never written in that form by this process.
const NOT_KEPT: [&str; 2] = ["the vault key", ", wide"];

fn long_notes() -> impl Iterator<Item = String> {
    let dice = mecum_testkit::Dice::new(28);
    let letter = move || char::from(b'a' + u8::try_from(dice.below(26)).unwrap());
    std::iter::repeat_with(move || (0..LONG_LETTERS).map(|_| letter()).collect()).take(LONG_NOTES)
}

fn texts() -> Vec<Needle> {
    let mut needles: Vec<_> =
        CANARIES.iter().flat_map(|text| Needle::text("something written", text)).collect();
    needles.extend(Needle::text("the passphrase", WORDS));
    needles.extend(long_notes().flat_map(|note| pieces(&note).collect::<Vec<_>>()));
    needles
}

/// Everything that a person does with a record, so that it passes through all of the program.
fn use_it(device: &mut Device, url: &str, code: &str) {
    let person =
        json!({ "passphrase": WORDS, "name": CANARIES[1], "born": "1990-01-02", "device_name": "phone" });
    device.call("vault_create", &person);
    device.call("server_connect", &json!({ "url": url, "code": code }));
    let chart = device.call("chart_list", &Value::Null)[0]["chart"].clone();
    let add = |kind: &str, fields: Value| json!({ "chart": chart, "kind": kind, "fields": fields });
    device.call("entry_add", &add("note", json!([["text", CANARIES[0]]])));
    for (n, long) in long_notes().enumerate() {
        device.call("entry_add", &add("note", json!([["text", format!("{long} {} {n}", CANARIES[0])]])));
    }
    let made =
        device.call("entry_add", &add("medication-statement", json!([["name", CANARIES[2]], ["dose", "1"]])));
    let entry = json!({ "chart": chart, "entry": made["entry"], "set": [["reason", CANARIES[3]]] });
    device.call("entry_edit", &entry);
    for (question, args) in [
        ("sync_now", Value::Null),
        ("home", Value::Null),
        ("timeline", json!({ "chart": chart, "offset": 0, "limit": 200 })),
        ("medicines", json!({ "chart": chart })),
        ("whereabouts", Value::Null),
    ] {
        device.call(question, &args);
    }
    // Snapshots are pressed by a library with an allocator of its own.
    device.call("fold", &Value::Null);
    // And as on every other day: locked and opened again.
    device.call("vault_lock", &Value::Null);
    device.call("vault_unlock", &json!({ "passphrase": WORDS }));
    device.call("timeline", &json!({ "chart": chart, "offset": 0, "limit": 200 }));
    device.call("entry_get", &json!({ "chart": chart, "entry": made["entry"] }));
    device.call("sync_now", &Value::Null);
}

#[test]
fn after_locking_no_key_and_no_word_is_in_memory_and_never_in_the_servers() {
    let proof = Proof::new(28, "secrets in the memory of a locked device, and of the server at any time", 0);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let mut server = Command::new(SERVER)
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap().replace("listening on ", "");
    // Who closes the pipe before the server has said all of it ends the server.
    lines.next().unwrap().unwrap();
    let code = Command::new(SERVER).args(["enrol", "--data"]).arg(&data).output().unwrap();
    let code = String::from_utf8(code.stdout).unwrap().trim().to_owned();
    let mut device = Device::start(&folder.path().join("phone"));
    use_it(&mut device, &url, &code);
    // What was asked last stands in the buffer of its input: as good a place as any to find a passphrase in.
    device.call("passphrase_check", &json!({ "passphrase": WORDS }));
    let open = Dump::core(device.child.id(), folder.path());
    device.call("vault_lock", &Value::Null);
    // What the harness itself asked stands in the buffer of the program's input until something longer is asked.
    device.pad();
    // An exchange that was under way ends, and the threads that it used.
    std::thread::sleep(Duration::from_secs(1));
    let locked = Dump::core(device.child.id(), folder.path());
    let of_server = Dump::core(server.id(), folder.path());
    device.end();
    server.kill().unwrap();
    server.wait().unwrap();

    let mut needles = keys(&device.profile, WORDS, fast_kdf(), NOW_MS);
    needles.extend(texts());
    let [before, after, at_server] = [&open, &locked, &of_server].map(|dump| dump.search(&needles));
    println!("open: {} places", before.places.len());
    for place in after.places.iter().chain(&at_server.places) {
        println!("{place}");
    }
    let failures = after.places.len() + at_server.places.len();
    // The control: what was not there while it was open says nothing by not being there afterwards.
    let found = before.names();
    let kept = |name: &&str| !NOT_KEPT.iter().any(|end| name.ends_with(end));
    let unseen: Vec<&str> =
        needles.iter().map(Needle::name).filter(kept).filter(|name| !found.contains(*name)).collect();
    println!("found while it is open: {found:?}, and not: {unseen:?}");
    proof.end(2 * found.len() as u64, failures as u64);
    assert_eq!(unseen, [""; 0], "while it is open, each kind of key and word is found");
    mecum_faults::control_failed("while it is open, each kind of key and word is found");
    assert!(of_server.len() > 1 << 20, "and the server's memory was there to be searched");
    assert_eq!(failures, 0, "nothing is left");
}
