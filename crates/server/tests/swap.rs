//! What the system writes to its swap file of a locked device: no passphrase, no key and nothing of the record. Of one that is
//! open it writes them all, which is the control, and what docs/security.md says about swapping.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "memory/device.rs"]
mod device;
#[path = "memory/keys.rs"]
mod keys;

use std::path::Path;

use device::{Device, WORDS};
use keys::{keys, pieces};
use mecum_client::testing::NOW_MS;
use mecum_faults::Proof;
use mecum_faults::memory::{Dump, Found, Needle};
use mecum_faults::paging::{SwapFile, push_out};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

const NOTE: &str = "canary-rambutan note";
const NAME: &str = "Canary Larasati-Wening";
const LONG_LETTERS: usize = 8_000;
const SWAP_MEBIBYTES: u32 = 96;
/// A page that was just used may be held back for a moment.
const PUSHES: u32 = 3;

fn long_note() -> String {
    let dice = mecum_testkit::Dice::new(29);
    let letter = || char::from(b'a' + u8::try_from(dice.below(26)).unwrap());
    std::iter::repeat_with(letter).take(LONG_LETTERS).collect()
}

/// A device with a record, open.
fn open_device(profile: &Path) -> Device {
    let mut device = Device::start(profile);
    let person = json!({ "passphrase": WORDS, "name": NAME, "born": "1990-01-02", "device_name": "phone" });
    device.call("vault_create", &person);
    let chart = device.call("chart_list", &Value::Null)[0]["chart"].clone();
    for text in [NOTE, &long_note()] {
        let note = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
        device.call("entry_add", &note);
    }
    device.call("timeline", &json!({ "chart": chart, "offset": 0, "limit": 200 }));
    device
}

/// What is found of a device in a swap file of its own, and how much was looked at.
fn swapped(folder: &Path, device: &Device) -> Result<Dump, String> {
    let file = SwapFile::new(folder, SWAP_MEBIBYTES)?;
    for _ in 0..PUSHES {
        push_out(device.child.id()).map_err(|error| format!("process_madvise: {error}"))?;
    }
    file.holds(device.child.id()).map_err(|error| format!("the swap file: {error}"))
}

fn search(dump: &Dump, device: &Device) -> (Found, usize) {
    let mut needles = keys(&device.profile, WORDS, fast_kdf(), NOW_MS);
    needles.extend(
        [("the passphrase", WORDS), ("something written", NOTE), ("something written", NAME)]
            .into_iter()
            .flat_map(|(name, text)| Needle::text(name, text)),
    );
    needles.extend(pieces(&long_note()));
    (dump.search(&needles), needles.len())
}

#[test]
fn nothing_of_a_locked_device_is_written_to_the_systems_swap_file() {
    let proof = Proof::new(28, "secrets in what the system swaps out of a locked device", 0);
    // On a disk: the system swaps to no file in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut open = open_device(&folder.path().join("open"));
    let of_open = swapped(folder.path(), &open);
    open.end();
    let of_open = match of_open {
        Ok(dump) => dump,
        Err(why) => {
            println!("mecum-skip: nothing can be swapped out here: {why}");
            return;
        }
    };
    let mut locked = open_device(&folder.path().join("locked"));
    locked.call("vault_lock", &Value::Null);
    locked.pad();
    let of_locked = swapped(folder.path(), &locked).unwrap();
    locked.end();

    let (before, _) = search(&of_open, &open);
    let (after, needles) = search(&of_locked, &locked);
    println!("{} KiB of an open device, with {:?}", of_open.len() >> 10, before.names());
    println!("{} KiB of a locked one", of_locked.len() >> 10);
    for place in &after.places {
        println!("{place}");
    }
    proof.end(needles as u64, after.places.len() as u64);
    assert!(of_locked.len() > 1 << 20, "its memory was written out: {} bytes", of_locked.len());
    let found = |part: &str| before.names().iter().any(|name| name.contains(part));
    assert!(found("key of document") && found("something written"), "control: of an open one they are there");
    mecum_faults::control_failed("of an open device they are in the swap file");
    assert_eq!(after.places.len(), 0, "nothing is left");
}
