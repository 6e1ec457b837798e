//! `cargo xtask dev`: serves the interface through the bridge and rebuilds it when a file changes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::demo;
use crate::process::{self, Background};
use crate::run;
use crate::setup;
use crate::ui;
use crate::workspace::Workspace;

/// The address that `devUrl` in tauri.conf.json names.
const PORT: &str = "7461";

/// How often the files are looked at. A watcher crate would save this second and cost a dependency.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs until interrupted.
pub(crate) fn dev(workspace: &Workspace) -> Result<(), String> {
    setup::for_app(workspace)?;
    ui::build(workspace, ui::Kind::Quick)?;
    process::run(&mut process::cargo(
        workspace,
        &["build", "--package", "mecum-server", "--package", "mecum-bridge"],
    ))?;
    let data = Workspace::data()?;
    demo::make_private(&data)?;
    let server = demo::start_server(workspace, &data)?;
    let profile = data.join("dev");
    demo::make_private(&profile)?;
    let mut command = process::bound(workspace, workspace.debug_binary("mecum-bridge"));
    command.arg("--profile").arg(&profile).args(["--port", PORT, "--server", &server.url]);
    let bridge = Background::start(&mut command, &data.join("bridge.log"))?;
    println!("dev: {}", run::page(&bridge.first_line)?);
    let mut seen = newest(workspace);
    loop {
        thread::sleep(LOOK_EVERY);
        let now = newest(workspace);
        if now > seen {
            seen = now;
            if let Err(error) = ui::build(workspace, ui::Kind::Quick) {
                eprintln!("{error}");
            }
        }
    }
}

/// When a source of the interface was last changed.
fn newest(workspace: &Workspace) -> Option<SystemTime> {
    let parts = ["ui/src", "ui/styles", "ui/locales", "ui/index.html", "crates/api/src", "crates/domain/src"];
    parts.iter().filter_map(|part| newest_in(&workspace.path(part))).max()
}

fn newest_in(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    if metadata.is_file() {
        return metadata.modified().ok();
    }
    fs::read_dir(path).ok()?.flatten().filter_map(|entry| newest_in(&entry.path())).max()
}
