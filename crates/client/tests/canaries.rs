//! Nothing that a person wrote, typed or brought in, and no key, can be found in any file or log of the devices or the
//! server: a tour through every command runs in a process of its own, and after each part its files are searched byte by
//! byte. The control looks for the same in unsealed files of the same kinds, and must find it.

#[path = "support/canary.rs"]
mod canary;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mecum_api::command::COMMAND_NAMES;
use mecum_client::App;
use serde_json::{Value, json};

use canary::{Planted, spellings};
use world::{Server, base64, device, send};

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

/// One actor of the tour: calls commands and remembers which.
struct Actor<'a> {
    app: App,
    called: &'a Mutex<BTreeSet<String>>,
}

impl Actor<'_> {
    async fn call(&self, name: &str, args: Value) -> Value {
        self.try_call(name, args).await.unwrap_or_else(|error| panic!("{name} refused: {error:?}"))
    }

    async fn try_call(&self, name: &str, args: Value) -> Result<Value, mecum_api::CallError> {
        self.called.lock().expect("nobody panics").insert(name.to_owned());
        self.app.call(name, args).await
    }

    async fn until(&self, name: &str, args: Value, good: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let answer = self.call(name, args.clone()).await;
            if good(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{name} never answered as it should");
    }

    async fn add(&self, chart: &str, kind: &str, fields: Value) -> String {
        let added = self.call("entry_add", json!({ "chart": chart, "kind": kind, "fields": fields })).await;
        added["entry"].as_str().expect("an entry").to_owned()
    }
}

/// Says that a part is over and waits until its files were copied: by another process, because closing a file that SQLite
/// has open would let go of its locks.
async fn part_is_over(folder: &Path, part: &str) {
    std::fs::write(folder.join(format!("{part}.over")), b"").expect("written");
    let copied = folder.join(format!("{part}.copied"));
    while !copied.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn keep_keys(planted: &mut Planted, actors: &[&Actor<'_>]) {
    for actor in actors {
        let keys = actor.app.with(|session| Ok(session.keys_for_tests())).await.expect("open");
        planted.keys.extend(keys);
    }
}

/// First run, and what a person writes.
async fn write(phone: &Actor<'_>, planted: &mut Planted) -> (String, String) {
    assert_eq!(phone.call("vault_status", Value::Null).await["phase"], "missing", "first run");
    let six = phone.call("passphrase_suggest", Value::Null).await;
    let six: Vec<&str> = six["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    planted.text("suggested passphrase", &six.join(" "));
    let passphrase = planted.text("passphrase", "kenanga-41 dermaga lampion rotan kelapa");
    phone.call("passphrase_check", json!({ "passphrase": passphrase })).await;
    let weak = planted.text("weak passphrase", "rahasia123");
    phone.call("passphrase_check", json!({ "passphrase": weak })).await;
    let (name, device) =
        (planted.text("own name", "Laras Kirana Dewi"), planted.text("device name", "Ponsel merah Laras"));
    phone
        .call(
            "vault_create",
            json!({ "passphrase": passphrase, "name": name, "born": "1988-02-11", "device_name": device }),
        )
        .await;
    let mut settings = phone.call("settings_get", Value::Null).await;
    settings["display"]["language"] = "id".into();
    settings["auto_lock_min"] = 0.into();
    phone.call("settings_set", settings).await;
    phone.call("vault_touch", Value::Null).await;
    for (what, name) in [("mother", "Ratna Wulandari Suharto"), ("son", "Bima Pratama Yudha")] {
        let name = planted.text(what, name);
        phone
            .call(
                "chart_create",
                json!({ "name": name, "born": "1958-03-04", "relation": "mother", "colour": null }),
            )
            .await;
    }
    let charts = phone.call("chart_list", Value::Null).await;
    let chart = charts[0]["chart"].as_str().expect("the own chart").to_owned();
    let renamed = planted.text("a name that was changed", "Kirana Pertiwi Suharto");
    let colour = &charts[1]["colour"];
    phone
        .call(
            "chart_edit",
            json!({ "chart": charts[1]["chart"], "name": renamed, "born": null, "relation": "mother", "colour": colour }),
        )
        .await;
    let medicine = planted.text("medicine", "Amlodipina besilat cap Merpati");
    let frequency = planted.text("frequency", "pukul delapan sesudah mandi");
    let reason = planted.text("why taken", "tekanan darah sesudah gempa");
    let fields = json!([
        ["name", medicine],
        ["dose", "5"],
        ["dose-unit", "mg"],
        ["frequency", frequency],
        ["reason", reason]
    ]);
    let medicine = phone.add(&chart, "medication-statement", fields).await;
    let note = planted.text("note", "Tidak bisa tidur sejak Selasa, jantung berdebar");
    let title = planted.text("title of a note", "Catatan rahasia nomor tujuh");
    let note = phone.add(&chart, "note", json!([["name", title], ["text", note]])).await;
    let substance = planted.text("substance", "Penisilin V kalium sirup");
    let reaction = planted.text("reaction", "bengkak di bibir dan kelopak mata");
    phone
        .add(
            &chart,
            "allergy-intolerance",
            json!([["substance", substance], ["reaction", reaction], ["severity", "severe"]]),
        )
        .await;
    let remark = planted.text("remark on a measurement", "diukur di teras rumah Bu Sari");
    let vital = json!([
        ["code", "85354-9"],
        ["value", "138"],
        ["value2", "82"],
        ["unit", "mm[Hg]"],
        ["effective", "2026-03-04"],
        ["text", remark]
    ]);
    phone.add(&chart, "vital-sign", vital).await;
    let changed = planted.text("note as changed", "Sudah bisa tidur berkat teh serai");
    phone.call("entry_edit", json!({ "chart": chart, "entry": note, "set": [["text", changed]] })).await;
    let gone = planted.text("why deleted", "salah ketik waktu mengantuk");
    phone.call("entry_delete", json!({ "chart": chart, "entry": note, "reason": gone })).await;
    phone.call("entry_restore", json!({ "chart": chart, "entry": note })).await;
    erase(phone, planted, &chart).await;
    let typed = planted.text("typed where it does not belong", "Jalan Cendrawasih 14 Semarang");
    let refused = phone.try_call("entry_get", json!({ "chart": chart, "entry": typed })).await;
    assert!(refused.is_err(), "no such entry");
    (chart, medicine)
}

/// A bundle whose every text is planted.
fn bundle(planted: &mut Planted, number: &str) -> Vec<u8> {
    let mut plant =
        |what: &str, text: &str| planted.text(&format!("{what} {number}"), &format!("{text} {number}"));
    let attached = plant("attached", "Surat rujukan kepada dokter Hartono");
    json!({
        "resourceType": "Bundle", "type": "collection", "identifier": { "system": "urn:test", "value": plant("source", "rumah-sakit-merapi") },
        "entry": [
            { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": plant("patient", "Nyonya Kartika Anggraini") }], "birthDate": "1971-05-06",
                "address": [{ "text": plant("address", "Gang Kamboja Lima belas") }], "telecom": [{ "system": "phone", "value": plant("telephone", "+62 812 5550 123") }],
                "identifier": [{ "system": "urn:nik", "value": plant("identity number", "3374-0502-7788") }] } },
            { "resource": { "resourceType": "Condition", "id": "c", "subject": { "reference": "Patient/p" }, "clinicalStatus": { "coding": [{ "code": "active" }] },
                "code": { "text": plant("diagnosis", "Diabetes melitus tipe dua") }, "onsetDateTime": "2011-03-04", "note": [{ "text": plant("note of a diagnosis", "keluarga belum diberi tahu") }] } },
            { "resource": { "resourceType": "Observation", "id": "o", "status": "final", "subject": { "reference": "Patient/p" }, "category": [{ "coding": [{ "code": "laboratory" }] }],
                "code": { "coding": [{ "system": "http://loinc.org", "code": "4548-4" }], "text": plant("result", "Hemoglobin terglikasi puasa") },
                "effectiveDateTime": "2025-01-02", "valueQuantity": { "value": 7.8, "unit": "%" }, "performer": [{ "display": plant("laboratory", "Laboratorium Sumber Sehat") }] } },
            { "resource": { "resourceType": "DocumentReference", "id": "d", "status": "current", "subject": { "reference": "Patient/p" }, "date": "2025-02-03T04:05:06Z",
                "description": plant("description", "Hasil biopsi payudara kiri"), "content": [{ "attachment": { "contentType": "text/plain", "data": base64(attached.as_bytes()) } }] } },
            { "resource": { "resourceType": "Practitioner", "id": "dr", "name": [{ "text": plant("practitioner", "dr. Hartono Wibisono Sp.PD") }] } },
            { "resource": { "resourceType": "Basic", "id": "b", "code": { "text": plant("something else", "Perihal yang tidak dikenal") } } }
        ]
    })
    .to_string()
    .into_bytes()
}

/// Files: one kept, one stopped, one broken. And every screen that reads.
async fn bring_in_and_read(phone: &Actor<'_>, planted: &mut Planted, chart: &str) {
    phone
        .call(
            "import_begin",
            json!({ "name": planted.text("name of a file", "biopsi-kartika-2025.json"), "bytes": 10 }),
        )
        .await;
    let stopped = send(&phone.app, &bundle(planted, "alpha")).await.expect("taken");
    phone.call("import_look", json!({ "import": stopped })).await;
    phone.call("import_stop", json!({ "import": stopped })).await;
    let mut broken = bundle(planted, "bravo");
    broken.truncate(broken.len() - 9);
    let broken = send(&phone.app, &broken).await.expect("taken");
    assert!(phone.try_call("import_look", json!({ "import": broken })).await.is_err(), "refused");
    let bytes = bundle(planted, "charlie");
    let begun = phone.call("import_begin", json!({ "name": "f", "bytes": bytes.len() })).await;
    let import = begun["import"].clone();
    phone.call("import_chunk", json!({ "import": import, "offset": 0, "base64": base64(&bytes) })).await;
    phone.call("import_look", json!({ "import": import })).await;
    phone.call("import_run", json!({ "import": import, "into": "chart", "chart": chart })).await;
    phone.until("import_status", json!({ "import": import }), |view| view["phase"] == "done").await;
    phone.call("home", Value::Null).await;
    let timeline = phone.call("timeline", json!({ "chart": chart, "limit": 200 })).await;
    let rows = timeline["rows"].as_array().expect("rows").clone();
    assert!(rows.len() >= 10, "there is something to read: {}", rows.len());
    for row in &rows {
        phone.call("entry_get", json!({ "chart": chart, "entry": row["entry"] })).await;
        if row["source"]["origin"] == "import" {
            phone.call("entry_original", json!({ "chart": chart, "entry": row["entry"] })).await;
        }
        if row["trend"].is_string() {
            phone.call("trend", json!({ "chart": chart, "trend": row["trend"] })).await;
        }
    }
    for name in ["results", "medicines", "changes", "changes_seen"] {
        phone.call(name, json!({ "chart": chart })).await;
    }
}

async fn pair(phone: &Actor<'_>, laptop: &Actor<'_>, planted: &mut Planted) {
    phone.call("pair_offer", Value::Null).await;
    phone.call("pair_stop", Value::Null).await;
    let offer = phone.call("pair_offer", Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let code = planted.text("pairing words", &words.join(" "));
    let passphrase = planted.text("passphrase of the other", "jambu-77 selokan wayang kompor terasi");
    let name = planted.text("name of the other device", "Laptop biru di kamar");
    let args =
        json!({ "code": code, "server": offer["server"], "passphrase": passphrase, "device_name": name });
    laptop.call("pair_join", args).await;
    phone.until("pair_status", Value::Null, |view| view["phase"] == "asking").await;
    phone.call("pair_approve", Value::Null).await;
    laptop.until("pair_status", Value::Null, |view| view["phase"] == "done").await;
    phone.call("device_list", Value::Null).await;
}

/// Both change the dose and the reason while the server is away.
async fn clash(phone: &Actor<'_>, laptop: &Actor<'_>, planted: &mut Planted, chart: &str, medicine: &str) {
    let both = [(phone, "2.5", "kata tetangga sebelah"), (laptop, "10", "kata dokter jaga malam")];
    for (n, (actor, dose, reason)) in both.into_iter().enumerate() {
        let reason = planted.text(&format!("reason in a clash {n}"), reason);
        let frequency = planted.text(
            &format!("frequency in a clash {n}"),
            ["tiga kali sehari sebelum makan", "sekali saja waktu subuh"][n],
        );
        let set = json!([["dose", dose], ["reason", reason], ["frequency", frequency]]);
        actor.call("entry_edit", json!({ "chart": chart, "entry": medicine, "set": set })).await;
    }
}

/// A kit is made and given up, another counts; it opens a vault whose passphrase is forgotten, and restores on an empty device. One
/// device gets another name, and one is removed.
async fn recover(
    phone: &Actor<'_>,
    laptop: &Actor<'_>,
    empty: &Actor<'_>,
    planted: &mut Planted,
    server: &Server,
) {
    let passphrase = planted.texts.get("passphrase").cloned().expect("planted");
    let mut kits = Vec::new();
    for which in ["first", "second"] {
        let kit = phone.call("kit_make", json!({ "passphrase": passphrase })).await;
        let words: Vec<&str> =
            kit["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
        kits.push(planted.text(&format!("words of the {which} kit"), &words.join(" ")));
        if which == "first" {
            phone.call("kit_drop", Value::Null).await;
            continue;
        }
        let places = kit["asked"].as_array().expect("numbers").iter().filter_map(Value::as_u64);
        let asked: Vec<&str> = places.map(|at| words[usize::try_from(at).expect("small") - 1]).collect();
        phone.call("kit_confirm", json!({ "words": asked })).await;
    }
    phone.until("kit_status", Value::Null, |kit| kit["stored"] == true).await;
    phone.call("sync_now", Value::Null).await;
    let new = planted.text("passphrase after the kit", "mangga-93 kelereng sawah lentera pasir");
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_recover", json!({ "words": kits[1], "passphrase": new })).await;
    let args = json!({ "server": server.url, "words": kits[1], "passphrase": new, "device_name": planted.text("name of a restored device", "Tablet pinjaman Bu Sari"), "alone": false });
    empty.call("account_restore", args).await;
    empty.until("pair_status", Value::Null, |view| view["phase"] == "done").await;
    phone.call("sync_now", Value::Null).await;
    let devices = phone.call("device_list", Value::Null).await;
    let of = |name: &str| {
        let found = devices.as_array().into_iter().flatten().find(|device| device["name"] == name);
        found.map_or_else(|| panic!("no {name} in {devices}"), |device| device["device"].clone())
    };
    let name = planted.text("another name of a device", "Laptop hijau di dapur");
    let laptops = of("Laptop biru di kamar");
    phone.call("device_rename", json!({ "device": laptops, "name": name })).await;
    phone.call("device_remove", json!({ "device": of("Tablet pinjaman Bu Sari") })).await;
    phone.call("sync_now", Value::Null).await;
    laptop.call("sync_now", Value::Null).await;
    empty.call("vault_lock", Value::Null).await;
}

/// An entry moves to *sensitive*, and is erased from there; another erasure is stopped.
async fn erase(phone: &Actor<'_>, planted: &mut Planted, chart: &str) {
    let text = planted.text("note that is erased", "kata yang tidak boleh tinggal di sini");
    let note = phone.add(chart, "note", json!([["text", text]])).await;
    phone.call("erasure_look", json!({ "chart": chart, "entry": note })).await;
    let why = planted.text("why moved", "tidak untuk dibaca sepupu");
    phone
        .call("entry_move", json!({ "chart": chart, "entry": note, "sensitive": true, "reason": why }))
        .await;
    let why = planted.text("why erased", "catatan ini tentang orang lain");
    phone.call("entry_erase", json!({ "chart": chart, "entry": note, "reason": why })).await;
    let list = phone.call("erasure_list", json!({ "chart": chart })).await;
    let done = list[0]["erasure"].clone();
    let stopped = phone.try_call("erasure_stop", json!({ "erasure": done })).await;
    assert!(stopped.is_err(), "what is done cannot be stopped: {list}");
}

/// Somebody with an account of their own is let into a section, removed, let in again, and leaves.
async fn share(phone: &Actor<'_>, sister: &Actor<'_>, planted: &mut Planted, server: &Server, chart: &str) {
    let passphrase = planted.text("passphrase of the sister", "cemara-51 gerobak senja lumpia pagar");
    let name = planted.text("name of the sister", "Endang Wulandari Kusuma");
    let args = json!({ "passphrase": passphrase, "name": name, "born": "1990-01-01", "device_name": "Sabak Endang" });
    sister.call("vault_create", args).await;
    let code = server.relay.make_enrolment_code().expect("a code");
    sister.call("server_connect", json!({ "url": server.url, "code": code })).await;
    let reason = planted.text("reason of a share", "supaya dosis ibu selalu benar");
    let invite = json!({ "chart": chart, "sections": ["medications"], "role": "writer", "until": null, "reason": reason });
    phone.call("member_invite", invite.clone()).await;
    phone.call("member_stop", Value::Null).await;
    for last in [false, true] {
        let shown = phone.call("member_invite", invite.clone()).await;
        sister.call("invitation_open", json!({ "code": shown["qr"] })).await;
        sister.call("invitation_answer", json!({ "accept": true, "name": name })).await;
        phone.until("member_status", Value::Null, |view| view["phase"] == "asking").await;
        phone.call("member_approve", Value::Null).await;
        phone.until("member_status", Value::Null, |view| view["phase"] == "done").await;
        sister.until("invitation_status", Value::Null, |view| view["phase"] == "done").await;
        sister.call("sync_now", Value::Null).await;
        sister.call("timeline", json!({ "chart": chart, "limit": 9 })).await;
        if last {
            sister.call("chart_leave", json!({ "chart": chart })).await;
            continue;
        }
        let members = phone.call("member_list", json!({ "chart": chart })).await;
        let account = members["members"][1]["account"].clone();
        let why = planted.text("reason of a removal", "kunci pinjaman sudah kembali");
        phone.call("member_remove", json!({ "chart": chart, "account": account, "reason": why })).await;
        sister.call("sync_now", Value::Null).await;
    }
    sister.call("vault_lock", Value::Null).await;
}

/// Checks, backs up, mends what is sound, and puts a vault aside and back.
async fn integrity(phone: &Actor<'_>, planted: &Planted) {
    let passphrase = json!({ "passphrase": planted.texts.get("passphrase after the kit").expect("planted") });
    for name in ["check_begin", "check_status", "check_stop"] {
        phone.call(name, Value::Null).await;
    }
    phone.call("backup_make", passphrase.clone()).await;
    phone.until("backup_list", Value::Null, |view| view["phase"] != "running").await;
    phone.call("backup_stop", Value::Null).await;
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_examine", passphrase.clone()).await;
    phone.call("vault_mend", passphrase.clone()).await;
    phone.until("mend_status", Value::Null, |view| view["phase"] != "running").await;
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_set_aside", Value::Null).await;
    let list = phone.call("backup_list", Value::Null).await;
    let aside = list["backups"].as_array().expect("a list").iter().find(|one| one["aside"] == true);
    let backup = aside.expect("it is kept")["backup"].clone();
    phone.call("backup_restore", json!({ "backup": backup, "passphrase": passphrase["passphrase"] })).await;
}

/// Helpers are chosen, one takes a part and gives it to who asks, who is stopped; then the part is destroyed and the helpers end.
async fn help(
    phone: &Actor<'_>,
    sister: &Actor<'_>,
    borrowed: &Actor<'_>,
    planted: &mut Planted,
    server: &Server,
) {
    let of = |planted: &Planted, what: &str| planted.texts.get(what).cloned().expect("planted");
    sister.call("vault_unlock", json!({ "passphrase": of(planted, "passphrase of the sister") })).await;
    let mut helpers = Vec::new();
    for name in ["Endang adik bungsu", "Pak Wiryo tetangga depan", "Bu Lestari teman arisan"] {
        helpers.push(json!({ "name": planted.text(&format!("a helper, {name}"), name) }));
    }
    let passphrase = of(planted, "passphrase");
    let chosen = phone.call("helpers_set", json!({ "passphrase": passphrase, "helpers": helpers })).await;
    let account = chosen["account"].clone();
    let code = phone.call("helpers_code", json!({ "number": 1 })).await;
    sister.call("part_open", json!({ "code": code["qr"] })).await;
    sister.call("part_answer", json!({ "accept": true })).await;
    phone.call("sync_now", Value::Null).await;
    phone.call("helpers_answer", json!({ "number": 1, "yes": true })).await;
    sister.call("sync_now", Value::Null).await;
    let parts = sister.call("part_list", Value::Null).await;
    assert_eq!(parts[0]["state"], "kept", "the part is there: {parts}");
    phone.call("sync_now", Value::Null).await;
    phone.call("helpers_get", Value::Null).await;
    let new = planted.text("passphrase of a borrowed device", "rambutan-17 gapura kecapi lontar sumur");
    let name = planted.text("name of a borrowed device", "Gawai pinjaman dari Wiryo");
    let args = json!({ "server": server.url, "account": account, "passphrase": new, "device_name": name });
    borrowed.call("restore_ask", args).await;
    borrowed.call("restore_open", json!({ "passphrase": new })).await;
    let code = borrowed.call("restore_code", Value::Null).await;
    sister.call("part_asked", json!({ "account": account, "code": code["qr"] })).await;
    sister.call("part_give", json!({ "account": account })).await;
    let view = borrowed.call("restore_get", Value::Null).await;
    assert_eq!(view["parts"][0]["number"], 1, "the part has come: {view}");
    let finish = json!({ "passphrase": new, "alone": false });
    assert!(borrowed.try_call("restore_finish", finish).await.is_err(), "it is too early");
    phone.call("sync_now", Value::Null).await;
    let home = phone.call("home", Value::Null).await;
    assert_eq!(home["helpers_notice"]["words"], view["words"], "who is there is told");
    phone.call("helpers_stop", Value::Null).await;
    sister.call("part_withdraw", json!({ "account": account })).await;
    phone.call("helpers_end", json!({ "passphrase": passphrase })).await;
    sister.call("vault_lock", Value::Null).await;
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
