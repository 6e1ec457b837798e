//! The examples that tests start as processes of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The example beside this test's own binary; built when a single test was asked for and it is not there.
pub(crate) fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running test has a path");
    let profile = own.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let program = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "mecum-vault", "--example", name, "--target-dir"])
            .arg(profile.parent().expect("target/<profile>"))
            .status()
            .expect("cargo runs");
        assert!(built.success() && program.exists(), "{name} is built");
    }
    program
}
