//! Files come in through the commands that the screens use: every resource is kept byte for byte and can be read, the same
//! file never doubles anything, and what cannot be kept leaves the vault as it was.

#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use mecum_api::{CallError, Code, command};
use mecum_client::App;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use world::{
    Server, base64, bring_in, call, connect, create, device, keep, look, pair, real_files, rows, send, until,
};

/// The types of FHIR R4 that the first rows of the feature list (the record, results and measurements) name.
const NAMED: [&str; 15] = [
    "Patient",
    "Encounter",
    "Procedure",
    "Composition",
    "DocumentReference",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "AllergyIntolerance",
    "Condition",
    "Immunization",
    "Goal",
    "CarePlan",
    "Observation",
    "DiagnosticReport",
];

#[derive(serde::Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    entry: Vec<BundleEntry<'a>>,
}

#[derive(serde::Deserialize)]
struct BundleEntry<'a> {
    #[serde(borrow)]
    resource: &'a RawValue,
}

/// The resources of a file as slices of it; the very same one twice counts once.
fn slices(bytes: &[u8]) -> BTreeSet<String> {
    let bundle: Bundle<'_> = serde_json::from_slice(bytes).expect("a bundle");
    bundle.entry.iter().map(|entry| entry.resource.get().to_owned()).collect()
}

/// Everything that a vault holds of the record: documents, entries, rows.
async fn content(app: &App) -> BTreeMap<String, String> {
    app.with(mecum_client::Session::fingerprint).await.expect("the vault reads")
}

/// The bytes of every file of a profile, once nothing is left to be folded in.
async fn files(app: &App) -> Vec<(String, Vec<u8>)> {
    // A moment just after a save leaves the log as it is; the next one folds it in.
    for _ in 0..2 {
        app.with(mecum_client::Session::idle).await.expect("the log is folded in");
    }
    let entries = std::fs::read_dir(app.profile()).expect("a profile").flatten();
    let read = |path: &Path| std::fs::read(path).expect("readable");
    let mut all: Vec<_> = entries
        // SQLite's index of its log is scratch memory that readers write too.
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with("-shm"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path())))
        .collect();
    all.sort();
    all
}

/// The texts in a fact, however deep.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(members) => {
            members.iter().filter(|(name, _)| *name != "type").for_each(|(_, value)| texts(value, out));
        }
        _ => {}
    }
}

/// Checks one row, its detail and its original; answers the original.
async fn check_row(app: &App, chart: &str, file: &str, row: &Value) -> String {
    let args = json!({ "chart": chart, "entry": row["entry"] });
    let resource_type = row["resource_type"].as_str().expect("a type");
    let original = call::<command::EntryOriginal>(app, args.clone()).await;
    let original = original["text"].as_str().expect("a text").to_owned();
    let entry = call::<command::EntryGet>(app, args).await;
    assert_eq!(entry["original"], true, "{file}: the original of a {resource_type} can be shown");
    assert!(
        row["title"].as_str().is_some_and(|title| !title.is_empty()),
        "{file}: a {resource_type} has a title"
    );
    let details = entry["details"].as_array().cloned().unwrap_or_default();
    if NAMED.contains(&resource_type) {
        assert_ne!(row["kind"], "other", "{file}: a {resource_type} has a row of its own kind");
        assert!(details.len() >= 2, "{file}: a {resource_type} reads its own fields: {details:?}");
        let labelled =
            |detail: &Value| detail["label"].as_str().is_some_and(|label| label.starts_with("detail-"));
        assert!(
            details.iter().all(labelled),
            "{file}: labels are words of the app, no keys of the file: {details:?}"
        );
        let mut said = Vec::new();
        for detail in details {
            texts(&detail["value"], &mut said);
        }
        let own = said.iter().any(|text| text.len() > 2 && original.contains(text.as_str()));
        assert!(own, "{file}: the facts of a {resource_type} are those of the file: {said:?}");
    }
    original
}

/// What is wrong, the file, the message, and the arguments that name the place.
type Case<'a> = (&'a str, &'a [u8], &'a str, &'a [(&'a str, Option<String>)]);

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_of_real_files_is_kept_verbatim_counted_and_readable() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for (name, bytes) in real_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = device(folder.path());
        create(&app, "Laras", "phone").await;
        let wanted = slices(&bytes);
        let preview = look(&app, &bytes).await.expect("a good file");
        let counted: u64 =
            preview["types"].as_array().expect("types").iter().filter_map(|t| t["count"].as_u64()).sum();
        assert_eq!(counted, wanted.len() as u64, "{name}: every resource is counted by its type");
        let view = keep(&app, &preview["import"], None).await;
        assert_eq!(
            (&view["phase"], view["added"].as_u64()),
            (&json!("done"), Some(wanted.len() as u64)),
            "{name}: all kept"
        );
        let chart = view["chart"].as_str().expect("a chart").to_owned();
        let rows: Vec<Value> =
            rows(&app, &chart).await.into_iter().filter(|row| row["source"]["origin"] == "import").collect();
        let mut kept = BTreeSet::new();
        let mut types: BTreeMap<String, u64> = BTreeMap::new();
        for row in &rows {
            kept.insert(check_row(&app, &chart, &name, row).await);
            *types.entry(row["resource_type"].as_str().expect("a type").to_owned()).or_default() += 1;
        }
        assert_eq!(rows.len(), wanted.len(), "{name}: each resource is listed once");
        assert!(kept == wanted, "{name}: byte for byte");
        for counted in preview["types"].as_array().expect("types") {
            let found = types.get(counted["resource_type"].as_str().expect("a type")).copied();
            assert_eq!(found, counted["count"].as_u64(), "{name}: as many rows as were counted of {counted}");
        }
        let other =
            call::<command::Timeline>(&app, json!({ "chart": chart, "groups": ["other"], "limit": 200 }))
                .await;
        let unnamed = rows.iter().filter(|row| row["kind"] == "other").count() as u64;
        assert!(
            other["total"].as_u64() >= Some(unnamed),
            "{name}: what has no kind of its own is listed under other"
        );
        for resource_type in types.into_keys() {
            *met.entry(resource_type).or_default() += 1;
        }
        println!("{name}: {} resources kept", wanted.len());
    }
    println!("types and the files they were met in: {met:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_real_file_twice_changes_nothing() {
    let Some((name, bytes)) = real_files().into_iter().find(|(name, _)| name.contains("402k")) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    create(&app, "Laras", "phone").await;
    let first = bring_in(&app, &bytes, None).await;
    let chart = first["chart"].as_str().expect("a chart");
    let before = content(&app).await;
    let counts = call::<command::Whereabouts>(&app, Value::Null).await["counts"].clone();
    let again = look(&app, &bytes).await.expect("a good file");
    assert_eq!(again["fits"], chart, "{name}: it is known whose it is");
    let view = keep(&app, &again["import"], Some(chart)).await;
    assert_eq!(
        (view["added"].as_u64(), &view["already"]),
        (Some(0), &first["added"]),
        "{name}: all of it was there"
    );
    assert!(content(&app).await == before, "{name}: nothing changed");
    assert_eq!(
        call::<command::Whereabouts>(&app, Value::Null).await["counts"],
        counts,
        "{name}: and nothing is to be sent"
    );
}

/// A bundle of an invented person with `count` results over the years from 1960.
fn bundle(name: &str, born: &str, source: &str, count: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"resourceType":"Bundle","type":"collection","identifier":{{"system":"urn:test","value":"{source}"}},"entry":[
{{"resource":{{"resourceType":"Patient","id":"p","name":[{{"text":"{name}"}}],"birthDate":"{born}"}}}}"#
    );
    for n in 0..count {
        let (year, day) = (1960 + n % 60, 1 + n % 28);
        write!(
            text,
            r#",
{{"resource":{{"resourceType":"Observation","id":"o{n}","status":"final","subject":{{"reference":"Patient/p"}},
  "category":[{{"coding":[{{"code":"laboratory"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4"}}],"text":"HbA1c"}},
  "effectiveDateTime":"{year}-03-{day:02}","valueQuantity":{{"value":6.{n},"unit":"%"}}}}}}"#
        )
        .expect("memory takes everything");
    }
    text.push_str("]}");
    text.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_that_bring_in_the_same_file_offline_show_it_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let (phone, laptop) = (device(&folder.path().join("phone")), device(&folder.path().join("laptop")));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &laptop, "laptop", world::WORDS).await;
    until::<command::ChartList>(&laptop, Value::Null, "the laptop has the chart", |charts| {
        charts[0]["name"] == "Laras"
    })
    .await;
    let address = server.stop().await;
    let file = bundle("Laras", "1988-02-11", "two phones", 120);
    for app in [&phone, &laptop] {
        let view = bring_in(app, &file, Some(&chart)).await;
        assert_eq!(view["added"], 121, "each brings it in by itself");
    }
    let server = Server::start(&folder.path().join("server"), &address).await;
    let quiet = |view: &Value| view["counts"]["device"] == 0 && view["counts"]["sent"] == 0;
    for app in [&phone, &laptop, &phone, &laptop] {
        call::<command::SyncNow>(app, Value::Null).await;
        until::<command::Whereabouts>(app, Value::Null, "everything is with the other", quiet).await;
    }
    for app in [&phone, &laptop] {
        let listed = rows(app, &chart).await;
        let imported: BTreeSet<String> = listed
            .iter()
            .filter(|row| row["source"]["origin"] == "import")
            .map(|row| row["entry"].as_str().expect("a name").to_owned())
            .collect();
        let all = listed.iter().filter(|row| row["source"]["origin"] == "import").count();
        assert_eq!((imported.len(), all), (121, 121), "nothing doubles");
        let trend = listed.iter().find_map(|row| row["trend"].as_str()).expect("a series");
        let trend = call::<command::Trend>(app, json!({ "chart": chart, "trend": trend })).await;
        assert_eq!(trend["points"].as_array().map(Vec::len), Some(120), "not in the chart of results either");
    }
    let (on_phone, on_laptop) = (content(&phone).await, content(&laptop).await);
    let differs =
        on_phone.keys().chain(on_laptop.keys()).find(|key| on_phone.get(*key) != on_laptop.get(*key));
    let both = differs.map(|key| (key, on_phone.get(key), on_laptop.get(key)));
    assert_eq!(both, None, "both hold the same");
    let sync = call::<command::SyncStatus>(&phone, Value::Null).await;
    assert_eq!(sync["quarantined"], 0, "nothing was put aside");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_about_somebody_else_is_merged_into_nobodys_chart_until_a_person_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    let own = create(&app, "Laras", "phone").await;
    let before = content(&app).await;
    let file = bundle("Ratna", "1958-03-04", "somebody else", 10);
    let preview = look(&app, &file).await.expect("a good file");
    assert_eq!(preview["fits"], Value::Null, "no chart fits: the app asks");
    assert_eq!(preview["subject"]["name"], "Ratna", "and says who it is about");
    assert!(content(&app).await == before, "nothing was merged by looking");
    // The same name with another birth date, and the same birth date with another name, are somebody else too.
    for (name, born) in [("Laras", "1988-02-12"), ("Larasati", "1988-02-11")] {
        let preview = look(&app, &bundle(name, born, "nearly", 2)).await.expect("a good file");
        assert_eq!(preview["fits"], Value::Null, "{name}, {born}: the app asks");
    }
    let preview = look(&app, &file).await.expect("a good file");
    let view = keep(&app, &preview["import"], None).await;
    let chart = view["chart"].as_str().expect("a chart");
    assert_ne!(chart, own, "a chart of its own");
    let imported = rows(&app, &own).await.iter().filter(|row| row["source"]["origin"] == "import").count();
    assert_eq!(imported, 0, "nothing of it in the other chart");
    assert!(
        before.iter().all(|(key, value)| !key.starts_with("row") || key.contains(&own) && !value.is_empty()),
        "control"
    );
    let now = content(&app).await;
    assert!(before.iter().all(|(key, value)| now.get(key) == Some(value)), "what was there is as it was");
}

async fn refusal(app: &App, bytes: &[u8]) -> CallError {
    look(app, bytes).await.expect_err("a broken file")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_refused_by_name_and_place_and_the_vault_is_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    let own = create(&app, "Laras", "phone").await;
    bring_in(&app, &bundle("Laras", "1988-02-11", "before", 5), Some(&own)).await;
    let (before, stored) = (content(&app).await, files(&app).await);
    let good = String::from_utf8(bundle("Laras", "1988-02-11", "broken", 40)).expect("text");
    let syntax = good.replacen("\"id\":\"o7\"", "\"id\":\"o7\",,", 1);
    let typeless = good.replacen("{\"resourceType\":\"Observation\",\"id\":\"o9\"", "{\"id\":\"o9\"", 1);
    let number = good.replacen(
        "\"resourceType\":\"Observation\",\"id\":\"o9\"",
        "\"resourceType\":9,\"id\":\"o9\"",
        1,
    );
    let cut = &good[..good.len() * 2 / 3];
    let mut binary = good.clone().into_bytes();
    binary[600] = 0xff;
    let line =
        |needle: &str| (good[..good.find(needle).expect("there")].matches('\n').count() + 1).to_string();
    let cases: [Case<'_>; 9] = [
        (
            "a comma too many",
            syntax.as_bytes(),
            "error-file-json",
            &[("line", Some(line("\"id\":\"o7\""))), ("column", None)],
        ),
        ("cut short", cut.as_bytes(), "error-file-truncated", &[("line", None), ("column", None)]),
        (
            "no type",
            typeless.as_bytes(),
            "error-file-resource",
            &[("path", Some("entry[10].resource".into())), ("line", None)],
        ),
        (
            "a wrong type",
            number.as_bytes(),
            "error-file-resource",
            &[("path", Some("entry[10].resource".into())), ("line", None)],
        ),
        ("not text", &binary, "error-file-text", &[("byte", Some("600".into()))]),
        ("a list", b"[1, 2, 3]", "error-file-not-fhir", &[("found", None)]),
        ("an object of another kind", b"{\"hello\": 1}", "error-file-not-fhir", &[("found", None)]),
        (
            "a resource that FHIR has not",
            b"{\"resourceType\":\"Spaceship\"}",
            "error-file-not-fhir",
            &[("found", None)],
        ),
        ("blanks", b"  \n ", "error-file-empty", &[]),
    ];
    for (what, bytes, id, places) in cases {
        let error = refusal(&app, bytes).await;
        assert_eq!(
            (error.code, error.message_id.as_str()),
            (Code::BadFile, id),
            "{what}: says what is wrong"
        );
        for (name, value) in places {
            let said =
                error.args.get(*name).unwrap_or_else(|| panic!("{what}: names the {name}: {:?}", error.args));
            assert!(
                value.as_ref().is_none_or(|value| value == said),
                "{what}: {name} is {said}, not {value:?}"
            );
        }
        let run = app.call("import_run", json!({ "import": 1, "into": "new-chart" })).await;
        assert!(run.is_err(), "{what}: and cannot be kept");
    }
    assert!(content(&app).await == before, "the record is as it was");
    assert!(files(&app).await == stored, "not a byte of the vault's files changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_500_mb_is_refused_however_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    create(&app, "Laras", "phone").await;
    let (before, stored) = (content(&app).await, files(&app).await);
    let sparse = folder.path().join("sparse.json");
    let file = std::fs::File::create(&sparse).expect("a file");
    file.set_len(500_000_000).expect("a sparse file takes no room");
    let bytes = file.metadata().expect("a file").len();
    std::fs::remove_file(&sparse).expect("removed");
    let refused = app
        .call("import_begin", json!({ "name": "sparse.json", "bytes": bytes }))
        .await
        .expect_err("too large");
    assert_eq!(
        (refused.code, refused.message_id.as_str()),
        (Code::BadFile, "error-file-large"),
        "before a byte is read"
    );
    assert!(refused.args.contains_key("limit"), "with the limit");
    // One that says it is small and goes on: the piece above what it said is refused, and so is every other.
    let begun = app
        .call("import_begin", json!({ "name": "small.json", "bytes": 1_048_600 }))
        .await
        .expect("it begins");
    let piece = base64(&vec![0; 1 << 20]);
    let args = |offset: usize| json!({ "import": begun["import"], "offset": offset, "base64": piece });
    app.call("import_chunk", args(0)).await.expect("as much as it said");
    for _ in 0..3 {
        let refused = app.call("import_chunk", args(1 << 20)).await.expect_err("more than it said");
        assert_eq!(refused.code, Code::BadCall, "refused");
    }
    let begun =
        app.call("import_begin", json!({ "name": "piece.json", "bytes": 4 << 20 })).await.expect("it begins");
    let large = json!({ "import": begun["import"], "offset": 0, "base64": base64(&vec![0; (1 << 20) + 1]) });
    assert_eq!(
        app.call("import_chunk", large).await.expect_err("too large a piece").code,
        Code::BadCall,
        "refused"
    );
    assert!(content(&app).await == before, "the record is as it was");
    assert!(files(&app).await == stored, "not a byte of the vault's files changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_moves_on_and_stopped_in_the_middle_leaves_the_record_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    let own = create(&app, "Laras", "phone").await;
    let file = bundle("Laras", "1988-02-11", "long", 6_000);
    let before = content(&app).await;
    let import = send(&app, &file).await.expect("it is taken");
    let args = json!({ "import": import });
    app.call("import_look", args.clone()).await.expect("a good file");
    let stored = files(&app).await;
    // The record is busy with something else, so that the stop is there before the first resource.
    let (busy, held) = std::sync::mpsc::channel::<()>();
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let holder = app.clone();
    let holding = tokio::spawn(async move {
        holder
            .with(move |_| {
                taken.send(()).ok();
                held.recv().ok();
                Ok(())
            })
            .await
    });
    is_taken.await.expect("the record is held");
    call::<command::ImportRun>(&app, json!({ "import": import, "into": "chart", "chart": own })).await;
    call::<command::ImportStop>(&app, args.clone()).await;
    busy.send(()).expect("the record is let go");
    holding.await.expect("it ends").expect("it was open");
    let view =
        until::<command::ImportStatus>(&app, args, "it stops", |view| view["phase"] != "keeping").await;
    assert_eq!(view["phase"], "stopped", "and it says so: {view}");
    assert!(content(&app).await == before, "the record is as it was");
    assert!(files(&app).await == stored, "not a byte of the vault's files changed");

    // In the very middle: the person says stop when half of it is prepared.
    let resources = mecum_interop::read_bundle(&file).expect("a good file").resources;
    let chart = own.parse().expect("a chart's id");
    let (outcome, heard) = app
        .with(move |session| {
            let mut heard = Vec::new();
            let outcome = session.keep(chart, resources, &mut |done| {
                heard.push(done);
                done < 3_000
            })?;
            Ok((outcome, heard))
        })
        .await
        .expect("stopping is no failure");
    assert!(outcome.stopped && outcome.added == 0, "stopped, and nothing counts as kept: {outcome:?}");
    assert!(heard.len() >= 4 && heard.is_sorted(), "progress moves on, and only on: {heard:?}");
    assert!(content(&app).await == before, "the record is as it was");
    assert!(files(&app).await == stored, "not a byte of the vault's files changed");

    let preview = look(&app, &file).await.expect("a good file");
    let args = json!({ "import": preview["import"] });
    call::<command::ImportRun>(&app, json!({ "import": preview["import"], "into": "chart", "chart": own }))
        .await;
    let view = until::<command::ImportStatus>(&app, args, "it ends", |view| view["phase"] != "keeping").await;
    assert_eq!((&view["phase"], view["added"].as_u64()), (&json!("done"), Some(6_001)), "whole this time");
    let listed =
        call::<command::Timeline>(&app, json!({ "chart": own, "groups": ["results"], "limit": 1 })).await;
    assert_eq!(listed["total"], 6_000, "all of it is there");
}
