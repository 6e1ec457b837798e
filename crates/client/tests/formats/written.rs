//! How the fixtures were written. Never run again over what is kept.

use std::io::Write as _;
use std::path::Path;

use mecum_api::command;
use mecum_client::{App, AppOptions};
use serde_json::{Value, json};

use super::recorded::{Exchange, Recorder, write};
use super::world::{Server, WORDS, bring_in, call, create, pair, until};
use super::{fixtures, heads, record, shipped};

/// 2026-11-22 12:00 UTC.
pub(crate) const NOW_MS: i64 = 1_795_348_800_000;

/// Resources of every kind that people get from a hospital.
pub(crate) fn bundle() -> Vec<u8> {
    let concept = |code: &str, text: &str| json!({ "coding": [{ "system": "http://loinc.org", "code": code }], "text": text });
    let category = |code: &str| json!([{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code }] }]);
    let subject = json!({ "reference": "Patient/p" });
    let resources = [
        json!({ "resourceType": "Patient", "id": "p", "name": [{ "text": "Laras" }], "birthDate": "1988-02-11" }),
        json!({ "resourceType": "Encounter", "id": "e", "status": "finished", "class": { "code": "AMB" }, "subject": subject, "period": { "start": "2026-03-01" } }),
        json!({ "resourceType": "Procedure", "id": "pr", "status": "completed", "subject": subject, "code": { "text": "Suture" }, "performedDateTime": "2026-03-01" }),
        json!({ "resourceType": "DocumentReference", "id": "d", "status": "current", "subject": subject, "description": "Letter", "date": "2026-03-02T08:00:00Z", "content": [{ "attachment": { "contentType": "text/plain", "data": "c3VyYXQ=" } }] }),
        json!({ "resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": subject, "code": { "text": "Panel" }, "effectiveDateTime": "2026-03-02" }),
        json!({ "resourceType": "Observation", "id": "l", "status": "final", "category": category("laboratory"), "subject": subject, "code": concept("4548-4", "HbA1c"), "effectiveDateTime": "2026-03-02", "valueQuantity": { "value": 7.8, "unit": "%" } }),
        json!({ "resourceType": "Observation", "id": "v", "status": "final", "category": category("vital-signs"), "subject": subject, "code": concept("29463-7", "Weight"), "effectiveDateTime": "2026-03-02", "valueQuantity": { "value": 61.5, "unit": "kg" } }),
        json!({ "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": subject, "medicationCodeableConcept": { "text": "Amlodipine 5 mg" }, "authoredOn": "2026-03-02" }),
        json!({ "resourceType": "Condition", "id": "c", "subject": subject, "code": { "text": "Hypertension" }, "onsetDateTime": "2020" }),
        json!({ "resourceType": "AllergyIntolerance", "id": "a", "patient": subject, "code": { "text": "Penicillin" } }),
        json!({ "resourceType": "Immunization", "id": "i", "status": "completed", "patient": subject, "vaccineCode": { "text": "Influenza" }, "occurrenceDateTime": "2025-10-01" }),
    ];
    let entries: Vec<Value> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

pub(crate) async fn add(app: &App, chart: &str, kind: &str, fields: Value) {
    call::<command::EntryAdd>(app, json!({ "chart": chart, "kind": kind, "fields": fields })).await;
}

pub(crate) async fn connect(app: &App, server: &Server, url: &str) {
    let code = server.relay.make_enrolment_code().expect("a code");
    call::<command::ServerConnect>(app, json!({ "url": url, "code": code })).await;
}

async fn kit_of(app: &App) -> String {
    let kit = call::<command::KitMake>(app, json!({ "passphrase": WORDS })).await;
    let words: Vec<&str> = kit["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let places = kit["asked"].as_array().expect("numbers").iter().filter_map(Value::as_u64);
    let asked: Vec<&str> = places.map(|at| words[usize::try_from(at).expect("small") - 1]).collect();
    call::<command::KitConfirm>(app, json!({ "words": asked })).await;
    until::<command::KitStatus>(app, Value::Null, "the server knows of the kit", |kit| kit["stored"] == true)
        .await;
    words.join(" ")
}

/// Lets a sister in and out again.
async fn share(phone: &App, sister: &App, chart: &str) {
    let invite = json!({ "chart": chart, "sections": ["medications"], "role": "writer", "until": null, "reason": "helps" });
    let shown = call::<command::MemberInvite>(phone, invite).await;
    call::<command::InvitationOpen>(sister, json!({ "code": shown["qr"] })).await;
    call::<command::InvitationAnswer>(sister, json!({ "accept": true, "name": "Sari" })).await;
    until::<command::MemberStatus>(phone, Value::Null, "she asks", |view| view["phase"] == "asking").await;
    call::<command::MemberApprove>(phone, Value::Null).await;
    until::<command::InvitationStatus>(sister, Value::Null, "she is in", |view| view["phase"] == "done")
        .await;
    call::<command::SyncNow>(sister, Value::Null).await;
    let members = call::<command::MemberList>(phone, json!({ "chart": chart })).await;
    let account = members["members"][1]["account"].clone();
    call::<command::MemberRemove>(phone, json!({ "chart": chart, "account": account, "reason": "done" }))
        .await;
    call::<command::SyncNow>(sister, Value::Null).await;
}

pub(crate) async fn sync(app: &App) {
    call::<command::SyncNow>(app, Value::Null).await;
}

/// Only what says something new: an app asks again and again.
fn without_repetition(exchanges: Vec<Exchange>) -> Vec<Exchange> {
    let mut kept: Vec<Exchange> = Vec::new();
    for exchange in exchanges {
        let empty = exchange.path == "/v1/sync" && exchange.answered.len() < 120 && exchange.asked.len() < 60;
        let seen =
            kept.iter().filter(|held| held.path == exchange.path && held.status == exchange.status).count();
        // A second device that begins says nothing that the first did not.
        let again = exchange.answered.len() > 36_000;
        if !(empty
            || again
            || exchange.status != 200 && seen > 1
            || exchange.path == "/v1/challenge" && seen > 1)
        {
            kept.push(exchange);
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixtures_are_written() {
    if std::env::var_os("MECUM_WRITE_FIXTURES").is_none() {
        return;
    }
    let to = fixtures();
    assert!(!to.join("expected.json").exists(), "what is kept is never written again");
    std::fs::create_dir_all(&to).expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let server = Server::start(&path("server"), "127.0.0.1:0").await;
    let address = server.url.trim_start_matches("http://").parse().expect("an address");
    let recorder = Recorder::start(address).await;
    let device = |name: &str| App::open(AppOptions::new(path(name)));
    let (phone, tablet, sister) = (device("phone"), device("tablet"), device("sister"));
    let chart = create(&phone, "Laras", "phone").await;
    bring_in(&phone, &bundle(), Some(&chart)).await;
    add(&phone, &chart, "note", json!([["text", "slept badly"]])).await;
    add(&phone, &chart, "allergy-intolerance", json!([["substance", "Peanut"]])).await;
    add(
        &phone,
        &chart,
        "medication-statement",
        json!([["name", "Metformin"], ["dose", "500"], ["dose-unit", "mg"], ["frequency", "08:00"]]),
    )
    .await;
    connect(&phone, &server, &recorder.url).await;
    let kit = kit_of(&phone).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    create(&sister, "Sari", "Sari's phone").await;
    connect(&sister, &server, &recorder.url).await;
    share(&phone, &sister, &chart).await;
    let empty = device("empty");
    let restore = json!({ "server": recorder.url, "words": kit, "passphrase": WORDS, "device_name": "restored", "alone": false });
    call::<command::AccountRestore>(&empty, restore).await;
    until::<command::PairStatus>(&empty, Value::Null, "restored", |view| view["phase"] == "done").await;
    for app in [&phone, &tablet, &phone, &tablet] {
        sync(app).await;
    }
    drop((empty, sister));
    call::<command::VaultLock>(&tablet, Value::Null).await;
    drop(tablet);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    std::fs::copy(path("tablet").join("vault.sqlite"), to.join("away.sqlite"))
        .expect("the device that is away");
    for n in 0..2 {
        add(&phone, &chart, "note", json!([["text", format!("while it is away {n}")]])).await;
    }
    sync(&phone).await;
    write(&to.join("exchange.cbor"), &without_repetition(recorder.take()));
    let tablet = shipped(&path("tablet"));
    call::<command::VaultUnlock>(&tablet, json!({ "passphrase": WORDS })).await;
    let first = Recorded::of(&tablet, &recorder, &chart).await;
    write(&to.join("away.cbor"), &first.exchanges);
    for app in [&phone, &tablet, &phone] {
        sync(app).await;
    }
    finish(&phone, &to, &path("phone"), json!({ "away": first.heads })).await;
    mecum_relay::folder::backup(&path("server"), &to.join("server"), NOW_MS).expect("a backup");
    for name in PACKED {
        pack(&to.join(name));
    }
    drop(server);
}

/// The large files. Half of each is room that SQLite keeps.
const PACKED: [&str; 5] =
    ["vault.sqlite", "backup.backup", "away.sqlite", "exchange.cbor", "server/relay.sqlite"];

pub(crate) fn pack(file: &Path) {
    let bytes = std::fs::read(file).expect("written before");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&bytes).expect("into memory");
    let packed = packed.finish().expect("into memory");
    std::fs::write(
        file.with_file_name(format!("{}.gz", file.file_name().expect("a name").to_string_lossy())),
        packed,
    )
    .expect("written");
    std::fs::remove_file(file).expect("packed");
}

/// What the device that was away fetched, and what it held then.
struct Recorded {
    exchanges: Vec<Exchange>,
    heads: Value,
}

impl Recorded {
    async fn of(tablet: &App, recorder: &Recorder, chart: &str) -> Self {
        for _ in 0..50 {
            sync(tablet).await;
            let rows = super::rows(tablet, chart).await;
            if rows.iter().any(|row| row["title"] == "while it is away 1") {
                break;
            }
        }
        let heads = tablet.with(|session| Ok(heads(session))).await.expect("open");
        let mut exchanges = recorder.take();
        exchanges.retain(|exchange| exchange.path == "/v1/sync" && exchange.status == 200);
        // The phone goes on meanwhile over a connection that is older: what it asks is another device's.
        let fetched = exchanges.iter().position(|exchange| exchange.answered.len() > 500).unwrap_or(0);
        exchanges.drain(..fetched);
        Self { exchanges, heads }
    }
}

/// Keeps a vault, a backup of it and what both must turn out to hold, with what is said of them besides.
pub(crate) async fn finish(phone: &App, to: &Path, profile: &Path, mut expected: Value) {
    call::<command::BackupMake>(phone, json!({ "passphrase": WORDS })).await;
    let list = until::<command::BackupList>(phone, Value::Null, "the backup is made", |view| {
        view["phase"] == "done"
    })
    .await;
    let backup = list["backups"][0]["backup"].as_str().expect("a name").to_owned();
    std::fs::copy(profile.join("backups").join(backup), to.join("backup.backup")).expect("copied");
    expected["record"] = record(phone).await;
    expected["heads"] = phone.with(|session| Ok(heads(session))).await.expect("open");
    call::<command::VaultLock>(phone, Value::Null).await;
    std::fs::copy(profile.join("vault.sqlite"), to.join("vault.sqlite")).expect("copied");
    std::fs::write(to.join("expected.json"), serde_json::to_vec_pretty(&expected).expect("text"))
        .expect("written");
}
