//! A process's memory as `gcore` writes it, stacks included.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Dump, Stretch};

impl Dump {
    /// Dumps a process by `gcore`, of the gdb package, through a file in `folder` that is removed again.
    ///
    /// # Panics
    /// If there is no gcore, or it cannot dump the process.
    pub fn core(process: u32, folder: &Path) -> Self {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("the process is there");
        let prefix = folder.join("dump");
        let done = Command::new("gcore")
            .arg("-o")
            .arg(&prefix)
            .arg(process.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("gcore is installed (cargo xtask setup)");
        assert!(done.success(), "gcore dumps the process");
        let file = folder.join(format!("dump.{process}"));
        let bytes = std::fs::read(&file).expect("gcore wrote its file");
        std::fs::remove_file(&file).expect("it is removed again");
        let stretch = |(at, from, length): (u64, usize, usize)| Stretch {
            at,
            bytes: bytes[from..from + length].to_vec(),
            what: named(&maps, at),
        };
        Self::of(loaded(&bytes).into_iter().map(stretch).collect())
    }
}

/// The loadable segments of an ELF file of 64 bits: address, offset and length. Source: System V ABI, "Program Header".
fn loaded(file: &[u8]) -> Vec<(u64, usize, usize)> {
    let number = |at: usize, wide: usize| {
        file[at..at + wide].iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte))
    };
    assert_eq!(&file[..5], b"\x7fELF\x02", "a core of 64 bits");
    let size = |n: u64| usize::try_from(n).expect("a file's place fits");
    let (table, each, count) = (size(number(32, 8)), size(number(54, 2)), size(number(56, 2)));
    (0..count)
        .map(|n| table + n * each)
        .filter(|at| number(*at, 4) == 1)
        .map(|at| (number(at + 16, 8), size(number(at + 8, 8)), size(number(at + 32, 8))))
        .collect()
}

fn named(maps: &str, at: u64) -> String {
    let of = |line: &&str| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let in_it = u64::from_str_radix(from, 16).ok()? <= at && at < u64::from_str_radix(to, 16).ok()?;
        in_it.then(|| line.split_whitespace().nth(5).unwrap_or("anonymous").to_owned())
    };
    maps.lines().find_map(|line| of(&line)).unwrap_or_else(|| "later".to_owned())
}
