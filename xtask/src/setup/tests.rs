//! What setup asks a machine for, held against what is built.

use super::*;

/// Which Debian package brings the library behind a `-sys` crate; empty where it needs none on Linux: it belongs to another
/// system, is compiled along, or is only loaded if it is there.
const SYSTEM_LIBRARIES: &[(&str, &[&str])] = &[
    (
        "libgtk-3-dev",
        &[
            "atk-sys",
            "cairo-sys-rs",
            "gdk-pixbuf-sys",
            "gdk-sys",
            "gdkwayland-sys",
            "gdkx11-sys",
            "gio-sys",
            "glib-sys",
            "gobject-sys",
            "gtk-sys",
            "libdbus-sys",
            "pango-sys",
        ],
    ),
    ("libwebkit2gtk-4.1-dev", &["javascriptcore-rs-sys", "soup3-sys", "webkit2gtk-sys"]),
    (
        "",
        &[
            "core-foundation-sys",
            "dirs-sys",
            "jni-sys",
            "jni-sys-macros",
            "js-sys",
            "libappindicator-sys",
            "libsqlite3-sys",
            "zstd-sys",
            "linux-raw-sys",
            "ndk-sys",
            "security-framework-sys",
            "vswhom-sys",
            "web-sys",
            "webview2-com-sys",
            "windows-sys",
        ],
    ),
];

#[test]
fn a_package_in_another_version_than_the_locked_one_is_not_there() {
    let folder = std::env::temp_dir().join(format!("mecum-setup-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("node_modules/a")).expect("a temporary folder can be made");
    std::fs::write(folder.join("node_modules/a/package.json"), r#"{"version":"1.0.0"}"#)
        .expect("a file can be written");
    let same = serde_json::json!({"packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}});
    let newer = serde_json::json!({"packages": {"": {}, "node_modules/a": {"version": "1.0.1"}}});
    let absent = serde_json::json!({"packages": {"node_modules/b": {"version": "1.0.0"}}});
    assert!(is_as_locked(&folder, &same), "the locked version is there");
    assert!(!is_as_locked(&folder, &newer), "another version does not count");
    assert!(!is_as_locked(&folder, &absent), "a missing package does not count");
    std::fs::remove_dir_all(folder).expect("the temporary folder can be removed");
}

#[test]
fn the_one_command_by_hand_names_every_missing_package() {
    let all = || APP.iter().chain(TESTS);
    let command = by_hand(&missing(all(), |_| false));
    assert_eq!(command.lines().count(), 1, "it can be copied as one line");
    let words: Vec<&str> = command.split(' ').collect();
    for package in all() {
        assert!(words.contains(&package.name), "{} is named", package.name);
    }
    let command = by_hand(&missing(all(), |package| package.name != "chromium"));
    assert!(command.ends_with("-y --no-install-recommends chromium"), "what is there is left out: {command}");
}

#[test]
fn a_package_or_program_that_nobody_has_is_missing() {
    for package in [
        library("mecum-no-such-package"),
        program("mecum-no-such-package", "mecum-no-such-program", "--version"),
        on_path("mecum-no-such-package", "mecum-no-such-program"),
    ] {
        assert!(!is_there(&package), "{:?} is not there", package.program);
    }
    assert!(is_there(&program("sh", "sh", "-c :")) || is_there(&on_path("sh", "sh")), "a shell is there");
}

#[test]
fn a_machine_without_a_linker_is_told_the_same_packages_as_one_with() {
    let linker = include_str!("../../linker");
    let names: Vec<&str> = APP.iter().map(|package| package.name).collect();
    assert!(
        linker.contains(&format!("\n{}\"\n", names.join(" "))),
        "xtask/linker names {names:?}, in that order"
    );
    let config = include_str!("../../../.cargo/config.toml");
    assert!(config.contains("x86_64-unknown-linux-gnu.linker='xtask/linker'"), "cargo xtask is linked by it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("linker");
        let mode = std::fs::metadata(file).expect("the linker is there").permissions().mode();
        assert_ne!(mode & 0o111, 0, "it can be run");
    }
}

#[test]
fn every_system_library_that_is_linked_has_its_package() {
    let lock = include_str!("../../../Cargo.lock");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let mut seen = 0;
    for name in names.filter(|name| name.ends_with("-sys") || name.contains("-sys-")) {
        let package = SYSTEM_LIBRARIES.iter().find(|(_, crates)| crates.contains(&name));
        let (package, _) = package.unwrap_or_else(|| panic!("{name}: which Debian package does it need?"));
        seen += 1;
        let asked_for = APP.iter().any(|asked| asked.name == *package);
        assert!(package.is_empty() || asked_for, "{name} needs {package}, which setup does not install");
    }
    assert!(seen > 20, "the lock file was read: {seen} such crates");
}
