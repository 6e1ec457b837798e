use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::commands::dispatch;
use crate::commands::tests::open_app;

const FILE: &str = r#"{"resourceType": "Bundle", "type": "collection", "identifier": {"system": "s", "value": "1"}, "entry": [
  {"resource": {"resourceType": "Patient", "id": "p", "name": [{"given": ["Laras"]}], "birthDate": "1988-02-11"}},
  {"resource": {"resourceType": "Condition", "id": "c", "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Asthma"}, "onsetDateTime": "2011-03-04"}},
  {"resource": {"resourceType": "Basic", "id": "b", "code": {"text": "Something"}}}]}"#;

/// Base64 of a short text, as a screen sends it.
fn base64(text: &str) -> String {
    const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | group.get(at).copied().map_or(0, u32::from));
        for place in 0..4 {
            let symbol = char::from(SYMBOLS[(bits >> (18 - 6 * place) & 63) as usize]);
            out.push(if place <= group.len() { symbol } else { '=' });
        }
    }
    out
}

async fn send(app: &App, text: &str) -> Result<(u32, Value), CallError> {
    let begun = dispatch(app, "import_begin", json!({"name": "f", "bytes": text.len()})).await?;
    let import = begun["import"].as_u64().and_then(|import| u32::try_from(import).ok()).expect("a number");
    let piece = json!({"import": import, "offset": 0, "base64": base64(text)});
    dispatch(app, "import_chunk", piece).await?;
    Ok((import, dispatch(app, "import_look", json!({"import": import})).await?))
}

async fn done(app: &App, import: u32) -> Value {
    for _ in 0..500 {
        let view = dispatch(app, "import_status", json!({"import": import})).await.expect("it is there");
        if view["phase"] != "keeping" {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the import never ended");
}

#[tokio::test]
async fn a_file_of_the_same_person_fits_and_the_second_time_adds_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let own = dispatch(&app, "chart_list", Value::Null).await.expect("open")[0]["chart"].clone();
    for (added, already) in [(3, 0), (0, 3)] {
        let (import, preview) = send(&app, FILE).await.expect("a good file");
        assert_eq!(preview["fits"], own, "the same name and birth date");
        assert_eq!(preview["total"], 3, "every resource is counted");
        dispatch(&app, "import_run", json!({"import": import, "into": "chart", "chart": own}))
            .await
            .expect("it starts");
        let view = done(&app, import).await;
        assert_eq!(
            (view["phase"].as_str(), view["added"].as_u64(), view["already"].as_u64()),
            (Some("done"), Some(added), Some(already)),
            "the second time changes nothing"
        );
    }
    let timeline = dispatch(&app, "timeline", json!({"chart": own})).await.expect("a timeline");
    assert_eq!(timeline["all"], 3, "each has a row, what is not understood too");
}

#[tokio::test]
async fn somebody_else_gets_a_chart_of_their_own_only_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let other = FILE.replace("1988-02-11", "1958-03-04").replace("Laras", "Ratna");
    let (import, preview) = send(&app, &other).await.expect("a good file");
    assert_eq!(preview["fits"], Value::Null, "nobody here: the person is asked");
    dispatch(&app, "import_run", json!({"import": import, "into": "new-chart"})).await.expect("it starts");
    let view = done(&app, import).await;
    assert_eq!(view["phase"], "done", "kept");
    let charts = dispatch(&app, "chart_list", Value::Null).await.expect("open");
    assert_eq!(charts.as_array().map(Vec::len), Some(2), "in a chart of its own");
    let (_, again) = send(&app, &other).await.expect("a good file");
    assert_eq!(again["fits"], view["chart"], "and the next file of that source goes there");
}

#[tokio::test]
async fn a_broken_file_names_the_place_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let cut = &FILE[..FILE.len() - 20];
    let wrong = FILE.replace(r#""resourceType": "Basic""#, r#""resourceType": 5"#);
    let cases = [
        ("{\"resourceType\": \"Bundle\",,}", "error-file-json", "line"),
        (cut, "error-file-truncated", "line"),
        ("[1, 2]", "error-file-not-fhir", "found"),
        (wrong.as_str(), "error-file-resource", "path"),
        ("   ", "error-file-empty", ""),
    ];
    for (text, id, arg) in cases {
        let error = send(&app, text).await.expect_err("a broken file");
        assert_eq!((error.code, error.message_id.as_str()), (Code::BadFile, id), "says what is wrong");
        assert!(arg.is_empty() || error.args.contains_key(arg), "{id} names the place: {:?}", error.args);
    }
    let large = dispatch(&app, "import_begin", json!({"name": "f", "bytes": 500_000_000}))
        .await
        .expect_err("too large");
    assert_eq!(
        (large.code, large.message_id.as_str()),
        (Code::BadFile, "error-file-large"),
        "before a byte is read"
    );
    let home = dispatch(&app, "home", Value::Null).await.expect("home");
    assert_eq!(home["charts"][0]["entries"], 0, "the record is as it was");
}

#[tokio::test]
async fn pieces_come_in_order_and_a_stop_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let begun =
        dispatch(&app, "import_begin", json!({"name": "f", "bytes": FILE.len()})).await.expect("it begins");
    for (offset, text) in [(1, "{"), (0, "%%%%")] {
        let text = if text == "{" { base64(text) } else { text.to_owned() };
        let piece = json!({"import": begun["import"], "offset": offset, "base64": text});
        let error = dispatch(&app, "import_chunk", piece).await.expect_err("not the next piece");
        assert_eq!(error.code, Code::BadCall, "refused");
    }
    let (import, _) = send(&app, FILE).await.expect("a good file");
    dispatch(&app, "import_stop", json!({"import": import})).await.expect("it stops");
    let run = dispatch(&app, "import_run", json!({"import": import, "into": "new-chart"})).await;
    assert_eq!(run.map_err(|error| error.code), Err(Code::BadCall), "what was stopped is not kept");
    let charts = dispatch(&app, "chart_list", Value::Null).await.expect("open");
    assert_eq!(charts.as_array().map(Vec::len), Some(1), "no chart was made");
}
