//! Where things are: the source root, the target folder, the person's data folder.
//!
//! The only module that reads the environment for paths.

use std::env;
use std::path::{Path, PathBuf};

/// The folders that every chore needs.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// `CARGO_TARGET_DIR`, else `target` in the root.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the workspace from the place of this crate's manifest.
    pub(crate) fn find() -> Result<Self, String> {
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here.parent().ok_or("xtask has no parent folder")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// A file or folder below the root.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A binary of a development build.
    pub(crate) fn debug_binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The web part's own target folder: shared with the native build, the two would wait for each other's lock.
    pub(crate) fn wasm_target(&self) -> PathBuf {
        self.target.join("wasm")
    }

    /// Where the server and the demo profile live. Not in the target folder: a clean build must not lose a record.
    pub(crate) fn data() -> Result<PathBuf, String> {
        if let Some(folder) = env::var_os("MECUM_DEMO_DATA") {
            return Ok(PathBuf::from(folder));
        }
        if let Some(folder) = env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty()) {
            return Ok(PathBuf::from(folder).join("mecum-demo"));
        }
        let home = env::var_os("HOME").ok_or("HOME is not set, so there is no place for the demo's data")?;
        Ok(PathBuf::from(home).join(".local/share/mecum-demo"))
    }
}
