//! `docs/api.md`: the contract as a page, made from the contract itself.

use serde_json::{Value, json};

use crate::command::{CommandDoc, commands_doc};

const CHART: &str = "00112233445566778899aabbccddeeff";
const ENTRY: &str = "e00112233445566778899aabbccddeeff";

/// Arguments as a person's act would send them; commands that are not here take them in their plainest form.
fn example(doc: &CommandDoc) -> Value {
    match doc.name {
        "passphrase_check" | "vault_unlock" | "backup_make" | "vault_examine" | "vault_mend" => {
            json!({ "passphrase": "becak melati jembatan payung sirsak gitar" })
        }
        "vault_create" => json!({
            "passphrase": "becak melati jembatan payung sirsak gitar", "name": "Laras", "born": "1988-02-11",
            "device_name": "Laras's phone"
        }),
        "chart_create" => {
            json!({ "name": "Ibu Ratna", "born": "1958-03-04", "relation": "mother", "colour": "manggis" })
        }
        "timeline" => {
            json!({ "chart": CHART, "groups": ["results"], "year": 2026, "offset": 0, "limit": 50 })
        }
        "entry_get" | "entry_original" | "entry_restore" | "erasure_look" => {
            json!({ "chart": CHART, "entry": ENTRY })
        }
        "results" | "medicines" | "changes" | "changes_seen" | "erasure_list" | "care_list" => {
            json!({ "chart": CHART })
        }
        "trend" => json!({ "chart": CHART, "trend": "loinc|4548-4" }),
        "entry_add" => json!({
            "chart": CHART, "kind": "medication-statement",
            "fields": [["name", "Amlodipine"], ["dose", "5"], ["dose-unit", "mg"], ["frequency", "08:00"]]
        }),
        "entry_edit" => {
            json!({ "chart": CHART, "entry": ENTRY, "set": [["dose", "10"]], "seen": "0123456789abcdef" })
        }
        "entry_delete" => json!({ "chart": CHART, "entry": ENTRY, "reason": "typed by mistake" }),
        "entry_erase" => json!({ "chart": CHART, "entry": ENTRY, "reason": "about somebody else" }),
        "entry_move" => json!({ "chart": CHART, "entry": ENTRY, "sensitive": true, "reason": "" }),
        "erasure_stop" => json!({ "erasure": CHART }),
        "clash_settle" => {
            json!({ "chart": CHART, "entry": ENTRY, "field": "dose", "choice": "0123456789abcdef" })
        }
        "import_begin" => json!({ "name": "record.json", "bytes": 1_910_030 }),
        "import_chunk" => {
            json!({ "import": 1, "offset": 0, "base64": "eyJyZXNvdXJjZVR5cGUiOiJCdW5kbGUifQ==" })
        }
        "import_look" | "import_status" | "import_stop" => json!({ "import": 1 }),
        "import_run" => json!({ "import": 1, "into": "chart", "chart": CHART }),
        "server_connect" => json!({ "url": "https://mecum.example", "code": "one-time code" }),
        "pair_join" => json!({
            "code": "twelve words from the other screen", "server": "https://mecum.example",
            "passphrase": "becak melati jembatan payung sirsak gitar", "device_name": "Laras's laptop"
        }),
        "backup_restore" => json!({
            "backup": "mecum-20261122-114000.backup", "passphrase": "becak melati jembatan payung sirsak gitar"
        }),
        "care_get" => json!({ "chart": CHART, "space": CHART, "thread": CHART }),
        "care_act" => json!({
            "chart": CHART, "space": CHART, "thread": CHART, "by": "",
            "what": { "case": { "say": { "text": "The left knee, since Monday." } } },
            "shown": [{ "side": "hospital", "id": CHART }]
        }),
        "care_seen" => json!({
            "chart": CHART, "space": CHART, "thread": CHART, "shown": [{ "side": "hospital", "id": CHART }], "by": ""
        }),
        "news" => json!({ "after": 0 }),
        _ => doc.args.clone(),
    }
}

/// The page.
pub fn api_markdown() -> String {
    let mut page = String::from(
        "# Commands\n\nMade by `cargo xtask api-docs` from `crates/api`. The window calls them through Tauri, each by a permission of its \
         own; the bridge answers `POST /api/<command>` with the arguments as JSON and `Authorization: Bearer <token>`. A refusal is a \
         `CallError`: `{\"code\", \"message_id\", \"args\", \"fields\"}` with a Fluent id and no text. Answers below show the shape in its \
         plainest form.\n",
    );
    for doc in commands_doc() {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let (args, output) = (pretty(&example(&doc)), pretty(&doc.output));
        let text = doc.doc.trim();
        for part in [
            "\n## `",
            doc.name,
            "`\n",
            text,
            "\n\n```json\n",
            &args,
            "\n```\n\nanswers\n\n```json\n",
            &output,
            "\n```\n",
        ] {
            page.push_str(part);
        }
    }
    page
}
