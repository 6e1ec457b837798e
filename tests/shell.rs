//! The shell against a mock window: every command of the contract is registered, permitted by name, and nothing else is.

use std::collections::BTreeSet;

use mecum_api::COMMAND_NAMES;
use mecum_client::AppOptions;
use serde_json::{Value, json};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, Manager, WebviewWindow, WebviewWindowBuilder};

struct Shell {
    app: App<MockRuntime>,
    _profile: Profile,
}

/// A profile folder of its own for each test, removed at the end.
struct Profile(std::path::PathBuf);

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn shell(name: &str) -> Shell {
    let folder = std::env::temp_dir().join(format!("mecum-shell-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let client = mecum_lib::open(AppOptions::new(folder.clone()));
    let mut context = mecum_lib::context();
    // The tests open windows of their own under the labels that they need.
    context.config_mut().app.windows.clear();
    let app = mecum_lib::with_commands(mock_builder()).build(context).expect("the shell builds");
    app.manage(client);
    Shell { app, _profile: Profile(folder) }
}

fn window(shell: &Shell, label: &str) -> WebviewWindow<MockRuntime> {
    WebviewWindowBuilder::new(&shell.app, label, tauri::WebviewUrl::default())
        .build()
        .expect("a mock window opens")
}

/// Calls a command from a page at `url`; an answer or the refusal.
fn call_from(
    window: &WebviewWindow<MockRuntime>,
    url: &str,
    command: &str,
    args: &Value,
) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: tauri::ipc::CallbackFn(0),
        error: tauri::ipc::CallbackFn(1),
        url: url.parse().expect("the address is well formed"),
        body: json!({ "args": args }).into(),
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().expect("an answer is JSON"))
}

fn call(window: &WebviewWindow<MockRuntime>, command: &str, args: &Value) -> Result<Value, Value> {
    call_from(window, "tauri://localhost", command, args)
}

/// Whether the refusal is the shell's own (not registered, or not permitted), not the command's.
fn is_refused_by_shell(refusal: &Value) -> bool {
    let text = refusal.as_str().unwrap_or_default();
    text.contains("not allowed") || text.contains("not found")
}

#[test]
fn vault_status_answers_through_the_shell() {
    let shell = shell("status");
    let answer = call(&window(&shell, "main"), "vault_status", &Value::Null).expect("the command answers");
    assert_eq!(answer.get("phase"), Some(&json!("missing")), "an empty profile has no vault yet: {answer}");
}

#[test]
fn every_command_of_the_contract_is_registered_and_permitted() {
    let shell = shell("every");
    let window = window(&shell, "main");
    for name in COMMAND_NAMES {
        // Arguments that fit no command: what is asked here is only whether the call reaches it.
        if let Err(refusal) = call(&window, name, &json!("x")) {
            assert!(!is_refused_by_shell(&refusal), "{name} reaches its command: {refusal}");
        }
    }
}

#[test]
fn a_command_that_is_not_in_the_contract_is_refused() {
    let shell = shell("unlisted");
    let window = window(&shell, "main");
    for name in ["vault_export_keys", "plugin:fs|read_file", "plugin:event|listen", ""] {
        let refusal = call(&window, name, &Value::Null).expect_err("an unlisted command is refused");
        assert!(is_refused_by_shell(&refusal), "{name:?} is refused by the shell: {refusal}");
    }
}

#[test]
fn a_window_without_the_capability_is_refused_every_command() {
    let shell = shell("other");
    let other = window(&shell, "other");
    for name in COMMAND_NAMES {
        let refusal = call(&other, name, &Value::Null).expect_err("the window has no capability");
        assert!(is_refused_by_shell(&refusal), "{name} is refused: {refusal}");
    }
}

#[test]
fn a_page_from_elsewhere_is_refused() {
    let shell = shell("elsewhere");
    let window = window(&shell, "main");
    let refusal = call_from(&window, "https://example.org", "vault_status", &Value::Null)
        .expect_err("a remote page has no capability");
    assert!(is_refused_by_shell(&refusal), "the page is refused: {refusal}");
}

#[test]
fn the_capability_lists_each_command_and_nothing_else() {
    let text = std::fs::read_to_string("capabilities/main.json").expect("the capability is there");
    let capability: Value = serde_json::from_str(&text).expect("the capability is JSON");
    let listed: BTreeSet<String> = capability
        .get("permissions")
        .and_then(Value::as_array)
        .expect("the capability has permissions")
        .iter()
        .map(|permission| permission.as_str().expect("a permission is a name").to_owned())
        .collect();
    let wanted: BTreeSet<String> =
        COMMAND_NAMES.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    let missing: Vec<_> = wanted.difference(&listed).collect();
    let surplus: Vec<_> = listed.difference(&wanted).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, surplus {surplus:?}");
}

#[test]
fn the_window_takes_scripts_and_styles_from_the_app_alone() {
    let text = std::fs::read_to_string("tauri.conf.json").expect("the configuration is there");
    let configuration: Value = serde_json::from_str(&text).expect("the configuration is JSON");
    let security = configuration.pointer("/app/security").expect("security is configured");
    let policy = security.get("csp").and_then(Value::as_str).expect("there is a policy");
    for part in [
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|given| given == part), "the policy has {part}");
    }
    assert!(!policy.contains("unsafe-inline"), "no inline script or style");
    assert_eq!(security.get("freezePrototype"), Some(&json!(true)), "prototypes are frozen");
    assert_eq!(
        configuration.pointer("/app/withGlobalTauri"),
        Some(&json!(false)),
        "the bridge to the shell is no global"
    );
}
