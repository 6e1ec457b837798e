//! Brings a machine to where it can build, run and test: system packages, the wasm target, the browser tests' packages.
//!
//! Every need is probed each time: a stamp file would go on saying "done" after somebody removed a package. The probes
//! take well under a second together.

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process;
use crate::workspace::Workspace;

/// A Debian package and, where another origin of the same tool is as good, the program that proves it.
struct Package {
    name: &'static str,
    program: Option<(&'static str, &'static str)>,
}

const fn library(name: &'static str) -> Package {
    Package { name, program: None }
}

const fn program(name: &'static str, program: &'static str, argument: &'static str) -> Package {
    Package { name, program: Some((program, argument)) }
}

/// For a program that has no argument with which it would just say that it is there.
const fn on_path(name: &'static str, program: &'static str) -> Package {
    Package { name, program: Some((program, "")) }
}

/// What building and opening the app needs.
const APP: &[Package] = &[
    program("build-essential", "cc", "--version"),
    program("pkg-config", "pkg-config", "--version"),
    library("libwebkit2gtk-4.1-dev"),
    library("libgtk-3-dev"),
    library("librsvg2-dev"),
    library("libxdo-dev"),
];

/// What the tests in a browser and in a window need on top.
const TESTS: &[Package] = &[
    program("chromium", "/usr/bin/chromium", "--version"),
    on_path("webkit2gtk-driver", "WebKitWebDriver"),
    on_path("xvfb", "xvfb-run"),
    library("xauth"),
    on_path("xdotool", "xdotool"),
    program("strace", "strace", "--version"),
    program("gdb", "gdb", "--version"),
    program("faketime", "faketime", "--version"),
    program("nodejs", "node", "--version"),
    program("npm", "npm", "--version"),
];

/// Everything: what `run` needs and what `test` needs.
pub(crate) fn everything(workspace: &Workspace) -> Result<(), String> {
    system_packages(APP.iter().chain(TESTS))?;
    wasm_target(workspace)?;
    browser_test_packages(workspace)?;
    println!("setup: everything is there");
    Ok(())
}

/// Only what building and opening the app needs.
pub(crate) fn for_app(workspace: &Workspace) -> Result<(), String> {
    system_packages(APP.iter())?;
    wasm_target(workspace)
}

fn system_packages<'a>(wanted: impl Iterator<Item = &'a Package>) -> Result<(), String> {
    let missing = missing(wanted, is_there);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    println!("setup: this machine lacks {} system packages: {list}", missing.len());
    if !process::answers("apt-get", "--version") {
        return Err(format!(
            "setup: no apt-get here. Install the counterparts of these Debian packages: {list}"
        ));
    }
    let by_hand = by_hand(&missing);
    let prefix: &[&str] = if is_root() {
        &[]
    } else if can_sudo() {
        &["sudo"]
    } else {
        return Err(format!(
            "setup: not root, and sudo is not to be had. Run this as root, then try again:\n\n    {by_hand}\n"
        ));
    };
    println!("setup: installing them with apt-get");
    apt(prefix, &["update", "-qq"])?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    apt(prefix, &install).map_err(|error| format!("setup: {error}\nBy hand, as root:\n\n    {by_hand}\n"))
}

/// The one command that installs all of `missing`.
fn by_hand(missing: &[&str]) -> String {
    format!("apt-get update && apt-get install -y --no-install-recommends {}", missing.join(" "))
}

/// The names of the packages that are not there.
fn missing<'a>(
    wanted: impl Iterator<Item = &'a Package>,
    is_there: impl Fn(&Package) -> bool,
) -> Vec<&'static str> {
    wanted.filter(|package| !is_there(package)).map(|package| package.name).collect()
}

fn is_there(package: &Package) -> bool {
    match package.program {
        Some((program, "")) => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        }
        Some((program, argument)) => process::answers(program, argument),
        None => is_installed(package.name),
    }
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f", "${Status}", package])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"install ok installed"))
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Result<(), String> {
    let line: Vec<&str> =
        prefix.iter().copied().chain(["apt-get"]).chain(arguments.iter().copied()).collect();
    let (program, rest) = line.split_first().ok_or("nothing to run")?;
    process::run(Command::new(program).args(rest).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn can_sudo() -> bool {
    let without_asking = Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    without_asking || (std::io::stdin().is_terminal() && process::answers("sudo", "--version"))
}

fn wasm_target(workspace: &Workspace) -> Result<(), String> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let folder = process::read(process::command(workspace, "rustc").args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]))?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    println!("setup: adding the {TARGET} target");
    process::run(process::command(workspace, "rustup").args(["target", "add", TARGET]))
}

fn browser_test_packages(workspace: &Workspace) -> Result<(), String> {
    let folder = workspace.path("tests/e2e");
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .map_err(|error| format!("tests/e2e/package-lock.json: {error}"))?;
    let lock: serde_json::Value =
        serde_json::from_str(&lock).map_err(|error| format!("tests/e2e/package-lock.json: {error}"))?;
    if is_as_locked(&folder, &lock) {
        return Ok(());
    }
    println!("setup: installing the packages of the browser tests (npm ci in tests/e2e)");
    process::run(process::command(workspace, "npm").current_dir(&folder).args([
        "ci",
        "--no-audit",
        "--no-fund",
    ]))?;
    if is_as_locked(&folder, &lock) {
        Ok(())
    } else {
        Err("setup: npm ci ended well, but the packages are not the locked ones".to_owned())
    }
}

/// Whether every package of the lock file is there in its version.
fn is_as_locked(folder: &Path, lock: &serde_json::Value) -> bool {
    let Some(packages) = lock.get("packages").and_then(serde_json::Value::as_object) else { return false };
    packages.iter().filter(|(place, _)| !place.is_empty()).all(|(place, locked)| {
        let optional = locked.get("optional").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let Ok(text) = std::fs::read_to_string(folder.join(place).join("package.json")) else {
            return optional;
        };
        let installed: Result<serde_json::Value, _> = serde_json::from_str(&text);
        installed.is_ok_and(|installed| installed.get("version") == locked.get("version"))
    })
}

#[cfg(test)]
mod tests;
