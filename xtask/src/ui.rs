//! Builds the web part: cargo for wasm32, wasm-bindgen as a library, then the files beside it.
//!
//! wasm-bindgen's version is tied to the lock file that way, and nothing is downloaded. A file of `ui/dist` is written
//! only if its bytes changed, so that the shell, which embeds the folder, is not rebuilt for nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::workspace::Workspace;

/// Which of the two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The development profile: quick to make, slow to load.
    Quick,
    /// The `wasm` profile and, where npm's `binaryen` is there, wasm-opt: what is measured and shipped.
    Small,
    /// The development profile with the pages' own made-up answers instead of a client. Never in the app or a test.
    Fake,
}

impl Kind {
    /// As the arguments of `cargo xtask ui` say.
    pub(crate) fn of(arguments: &[String]) -> Self {
        match arguments.first().map(String::as_str) {
            Some("--release") => Self::Small,
            Some("--fake") => Self::Fake,
            _ => Self::Quick,
        }
    }
}

const TARGET: &str = "wasm32-unknown-unknown";

/// An external script, because the content security policy allows no inline one.
const BOOT: &str = "import init from \"./mecum_ui.js\";\n\ninit({ module_or_path: new URL(\"./mecum_ui_bg.wasm\", import.meta.url) });\n";

/// Builds into `ui/dist`.
pub(crate) fn build(workspace: &Workspace, kind: Kind) -> Result<(), String> {
    let profile = match kind {
        Kind::Quick | Kind::Fake => "dev",
        Kind::Small => "wasm",
    };
    let features = if kind == Kind::Fake { "fake" } else { "" };
    let target = workspace.wasm_target();
    process::run(
        process::cargo(
            workspace,
            &[
                "build",
                "--quiet",
                "--package",
                "mecum-ui",
                "--target",
                TARGET,
                "--profile",
                profile,
                "--features",
                features,
            ],
        )
        .env("CARGO_TARGET_DIR", &target),
    )?;
    let folder = if kind == Kind::Small { "wasm" } else { "debug" };
    let module = target.join(TARGET).join(folder).join("mecum-ui.wasm");
    let bound = bound(workspace, &module, kind)?;
    let staged = target.join("dist");
    if staged.exists() {
        fs::remove_dir_all(&staged).map_err(|error| at(&staged, &error))?;
    }
    copy(&bound, &staged)?;
    fs::write(staged.join("boot.js"), BOOT).map_err(|error| at(&staged, &error))?;
    for part in ["index.html", "styles", "fonts", "favicon.svg"] {
        copy(&workspace.path("ui").join(part), &staged.join(part))?;
    }
    let dist = workspace.path("ui/dist");
    let changed = swap(&staged, &dist)?;
    let bytes = fs::metadata(dist.join("mecum_ui_bg.wasm")).map_or(0, |metadata| metadata.len());
    println!("ui: {} KB of WebAssembly, {changed} files changed", bytes / 1000);
    Ok(())
}

/// The folder with the module made ready for a browser. Made anew only if the compiler wrote another one: it takes longer
/// than all the rest of a second run.
fn bound(workspace: &Workspace, module: &Path, kind: Kind) -> Result<PathBuf, String> {
    let folder = workspace.wasm_target().join("bound").join(format!("{kind:?}").to_lowercase());
    let stamp = folder.with_extension("stamp");
    let made_from = fs::metadata(module)
        .and_then(|metadata| Ok(format!("{} bytes of {:?}", metadata.len(), metadata.modified()?)))
        .map_err(|error| at(module, &error))?;
    let optimised = kind == Kind::Small && wasm_opt(workspace).exists();
    let made_from = format!("{made_from}, optimised: {optimised}");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == made_from) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_file(&stamp).or_else(ignore_missing).map_err(|error| at(&stamp, &error))?;
        fs::remove_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    }
    fs::create_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    bind(module, &folder, kind)?;
    if kind == Kind::Small {
        optimise(workspace, &folder.join("mecum_ui_bg.wasm"))?;
    }
    fs::write(&stamp, made_from).map_err(|error| at(&stamp, &error))?;
    Ok(folder)
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn bind(module: &Path, staged: &Path, kind: Kind) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("mecum_ui").typescript(false).omit_default_module_path(true);
    // Names of functions are a third of the development module and help only in a debugger.
    bindgen.remove_name_section(kind == Kind::Small).remove_producers_section(true);
    bindgen
        .web(true)
        .and_then(|bindgen| bindgen.generate(staged))
        .map_err(|error| format!("wasm-bindgen: {error:#}"))
}

fn wasm_opt(workspace: &Workspace) -> PathBuf {
    workspace.path("tests/e2e/node_modules/.bin/wasm-opt")
}

/// Runs wasm-opt if npm's `binaryen` was installed beside the browser tests; Debian's is too old for today's modules.
/// `-Oz` gives a smaller module than `-Os` and a larger one once brotli has pressed it, which is what travels.
fn optimise(workspace: &Workspace, module: &Path) -> Result<(), String> {
    let tool = wasm_opt(workspace);
    if !tool.exists() {
        println!(
            "ui: no wasm-opt (npm package binaryen) in tests/e2e, so the module stays as the compiler made it"
        );
        return Ok(());
    }
    process::run(
        process::command(workspace, tool).arg("-Os").arg("--all-features").arg("-o").arg(module).arg(module),
    )
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if from.is_dir() {
        fs::create_dir_all(to).map_err(|error| at(to, &error))?;
        for entry in fs::read_dir(from).map_err(|error| at(from, &error))? {
            let name = entry.map_err(|error| at(from, &error))?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
    } else if from.is_file() {
        fs::copy(from, to).map_err(|error| at(from, &error))?;
    }
    Ok(())
}

/// Makes `dist` equal to `staged`, touching only what differs; gives how many files did.
fn swap(staged: &Path, dist: &Path) -> Result<usize, String> {
    let mut changed = 0;
    let wanted = files(staged)?;
    for name in &wanted {
        let bytes = fs::read(staged.join(name)).map_err(|error| at(name, &error))?;
        let to = dist.join(name);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
        }
        fs::write(&to, bytes).map_err(|error| at(&to, &error))?;
        changed += 1;
    }
    for name in files(dist)?.difference(&wanted) {
        fs::remove_file(dist.join(name)).map_err(|error| at(name, &error))?;
        changed += 1;
    }
    Ok(changed)
}

/// Every file below `folder`, by its place in it.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let here = folder.join(&below);
        if here.is_dir() {
            for entry in fs::read_dir(&here).map_err(|error| at(&here, &error))? {
                waiting.push(below.join(entry.map_err(|error| at(&here, &error))?.file_name()));
            }
        } else if here.is_file() {
            found.insert(below);
        }
    }
    Ok(found)
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
