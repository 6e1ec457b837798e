use std::sync::Arc;

use mecum_api::COMMAND_NAMES;
use mecum_seal::testing::{SeededEntropy, fast_kdf};
use serde_json::json;

use super::*;
use crate::app::AppOptions;

/// An app on an empty folder, with a passphrase key that costs nothing.
pub(crate) fn app(folder: &std::path::Path) -> App {
    let entropy = Arc::new(SeededEntropy::new(1));
    App::open(AppOptions { kdf: fast_kdf(), entropy, ..AppOptions::new(folder.to_owned()) })
}

/// The same with an open vault.
pub(crate) async fn open_app(folder: &std::path::Path) -> App {
    let app = app(folder);
    let args = json!({"passphrase": "six invented words that nobody says", "name": "Laras", "born": "1988-02-11", "device_name": "phone"});
    dispatch(&app, "vault_create", args).await.expect("an empty folder takes a vault");
    app
}

#[tokio::test]
async fn every_command_of_the_contract_is_answered_and_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = app(folder.path());
    for name in COMMAND_NAMES.iter().filter(|name| **name != "news") {
        let answer = dispatch(&app, name, Value::Null).await;
        let unknown = answer.as_ref().is_err_and(|error| error.message_id == "error-command");
        assert!(!unknown, "{name} is known");
    }
    let error = dispatch(&app, "vault_open_for_all", Value::Null).await.expect_err("no such command");
    assert_eq!(error.code, Code::BadCall, "an unlisted name is refused");
}

#[tokio::test]
async fn nothing_of_the_record_is_answered_while_it_is_locked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let charts = dispatch(&app, "chart_list", Value::Null).await.expect("open");
    assert_eq!(charts.as_array().map(Vec::len), Some(1), "the person's own chart");
    dispatch(&app, "vault_lock", Value::Null).await.expect("it locks");
    for name in ["chart_list", "home", "timeline", "medicines", "whereabouts", "device_list", "import_begin"]
    {
        let error = dispatch(&app, name, Value::Null).await.expect_err("locked");
        assert_eq!(error.code, Code::Locked, "{name} waits for the passphrase");
    }
    let display = json!({"display": {"language": "id", "look": "dark", "text_percent": 150, "contrast": false, "less_movement": false},
        "auto_lock_min": 0, "device_name": ""});
    dispatch(&app, "settings_set", display).await.expect("how it looks can be changed while it is locked");
    let status = dispatch(&app, "vault_status", Value::Null).await.expect("the state is no secret");
    assert_eq!(status["display"]["language"], "id", "the lock screen has it");
    assert!(!status.to_string().contains("Laras"), "and tells no name");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_without_repeating_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open_app(folder.path()).await;
    let error = dispatch(&app, "timeline", json!({"chart": "penicillin"})).await.expect_err("no id");
    assert_eq!(error.code, Code::BadCall, "a wrong call");
    assert!(
        !serde_json::to_string(&error).expect("an error is text").contains("penicillin"),
        "what was sent is not repeated"
    );
    assert!(dispatch(&app, "chart_list", json!({})).await.is_ok(), "an empty object is no arguments");
}
