//! `cargo xtask run`: from a fresh clone to the open app.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::demo;
use crate::process::{self, Background};
use crate::setup;
use crate::ui;
use crate::workspace::Workspace;

/// Installs what is missing, builds, starts the server and opens the app on a profile.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let import = crate::flag_value(arguments, "--import").map(readable).transpose()?;
    setup::for_app(workspace)?;
    let window = env::var_os("DISPLAY").is_some() || env::var_os("WAYLAND_DISPLAY").is_some();
    build(workspace, window)?;

    let data = Workspace::data()?;
    demo::make_private(&data)?;
    let server = demo::start_server(workspace, &data)?;
    println!("run: server on {}, its data in {}", server.url, data.join("server").display());
    let profile = match crate::flag_value(arguments, "--profile") {
        Some(folder) => absolute(folder)?,
        None if import.is_some() => fresh(&data),
        None => data.join("profile"),
    };
    demo::make_private(&profile)?;
    let passphrase = match &import {
        Some(file) => Some(demo::import_profile(workspace, &profile, &server, file)?),
        None => demo::make_profile(workspace, &profile, &server)?,
    };
    match passphrase {
        Some(words) => println!("\nrun: the passphrase of this profile, shown this once:\n\n    {words}\n"),
        None => {
            println!("run: the profile is as it was; it opens with the passphrase that its first run showed");
        }
    }
    println!("run: the profile is in {} (delete {} to begin anew)", profile.display(), data.display());
    if window {
        open_window(workspace, &profile, &server.url)
    } else {
        serve(workspace, &data, &profile, &server.url)
    }
}

fn build(workspace: &Workspace, window: bool) -> Result<(), String> {
    println!("run: building the web part");
    ui::build(workspace, ui::Kind::Quick)?;
    println!("run: building the server and the app (some minutes the first time, seconds after that)");
    let mut packages = vec!["build", "--package", "mecum-server", "--package", "mecum-bridge"];
    if window {
        packages.extend(["--package", "mecum", "--features", "mecum/custom-protocol"]);
    }
    process::run(&mut process::cargo(workspace, &packages))
}

fn open_window(workspace: &Workspace, profile: &Path, server: &str) -> Result<(), String> {
    println!("run: opening the window; close it to end");
    let mut command = process::bound(workspace, workspace.debug_binary("mecum"));
    process::run(command.arg("--profile").arg(profile).arg("--server").arg(server))
}

/// Without a display: the same interface in a browser, on this machine's loopback.
fn serve(workspace: &Workspace, data: &Path, profile: &Path, server: &str) -> Result<(), String> {
    let mut command = process::bound(workspace, workspace.debug_binary("mecum-bridge"));
    command.arg("--profile").arg(profile).args(["--port", "0", "--server", server]);
    let mut bridge = Background::start(&mut command, &data.join("bridge.log"))?;
    println!(
        "run: no display here, so the interface is served on loopback:\n\n    {}\n\nrun: Ctrl-C to end",
        page(&bridge.first_line)?
    );
    bridge.wait()
}

/// The address to open: the bridge puts its token into the fragment, which no browser sends and no server logs.
pub(crate) fn page(line: &str) -> Result<String, String> {
    let line: Value = serde_json::from_str(line).map_err(|error| format!("mecum-bridge: {error}"))?;
    line.get("url")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| "mecum-bridge told no url".to_owned())
}

/// A profile folder with nothing in it: an import goes into a new vault, never into one that is in use.
fn fresh(data: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let folder = data.join(format!("import-{number}"));
        if !demo::is_whole(&folder) {
            return folder;
        }
        number += 1;
    }
}

fn readable(file: &str) -> Result<PathBuf, String> {
    let path = absolute(file)?;
    std::fs::File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{path}: {error}"))
}
