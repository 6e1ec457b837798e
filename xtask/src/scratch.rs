//! Where tests put what they write: in memory, where the machine has room for it.
//!
//! Most of what a harness waits for on a disk is `fsync`, and none of them learns anything from it: kills leave the system's
//! cache as it is, and power cuts and failing disks are played by a file system of the tests' own. Tests that need a real
//! disk (swap, full disks) say so themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;
use crate::workspace::Workspace;

/// The system's file system in memory. Source: Filesystem Hierarchy Standard of Debian, `shm_overview(7)`.
const IN_MEMORY: &str = "/dev/shm";
/// So much must be free there, and of the machine's memory: several times what all tests hold at once.
const ROOM_BYTES: u64 = 8 << 30;
const NAME: &str = "mecum-tests-";

/// A folder of this run, removed with it; by default none, and the system's own does.
#[derive(Default)]
pub(crate) struct Scratch(Option<PathBuf>);

impl Scratch {
    /// A folder in memory, or none where there is no room: the system's own folder then does.
    pub(crate) fn new(workspace: &Workspace) -> Scratch {
        clear_left_ones();
        let room = free_bytes(workspace).min(available_memory_bytes());
        let folder = Path::new(IN_MEMORY).join(format!("{NAME}{}", std::process::id()));
        let made = room >= ROOM_BYTES && std::fs::create_dir(&folder).is_ok();
        Scratch(made.then_some(folder))
    }

    /// Lets a program and what it starts put its temporary files there.
    pub(crate) fn lend(&self, command: &mut Command) {
        if let Some(folder) = &self.0 {
            command.env("TMPDIR", folder);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(folder) = &self.0
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            println!("{} is left behind: {error}", folder.display());
        }
    }
}

/// Folders of runs that were killed.
fn clear_left_ones() {
    for entry in std::fs::read_dir(IN_MEMORY).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(of) = name.to_str().and_then(|name| name.strip_prefix(NAME)) else { continue };
        if !Path::new("/proc").join(of).exists() {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn free_bytes(workspace: &Workspace) -> u64 {
    let mut df = process::command(workspace, "df");
    let said = process::read(df.args(["--output=avail", "--block-size=1", IN_MEMORY])).unwrap_or_default();
    said.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

fn available_memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) << 10
}
