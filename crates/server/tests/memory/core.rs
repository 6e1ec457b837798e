//! A process's memory as `gcore` writes it, and a search in it that says where something is.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// A needle's first bytes decide whether a place is looked at: there must be as many.
const FIRST: usize = 2;

/// An empty page.
static PAGE: [u8; 4_096] = [0; 4_096];

/// What is looked for.
pub(crate) struct Needle {
    name: String,
    bytes: Vec<u8>,
}

impl Needle {
    pub(crate) fn key(name: &str, key: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), bytes: key.to_vec() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn piece(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec() }
    }

    /// A text in UTF-8 and in UTF-16.
    pub(crate) fn text(name: &str, text: &str) -> [Self; 2] {
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name = format!("{name} ({text:?})");
        [
            Self { name: name.clone(), bytes: text.as_bytes().to_vec() },
            Self { name: format!("{name}, wide"), bytes: wide },
        ]
    }
}

/// One stretch of memory, and what it is.
struct Stretch {
    at: u64,
    bytes: Vec<u8>,
    what: String,
}

/// A process's memory at one moment.
pub(crate) struct Dump {
    stretches: Vec<Stretch>,
    pub(crate) bytes: u64,
}

/// What was found, in words.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) places: Vec<String>,
    kinds: BTreeSet<String>,
}

impl Found {
    /// The different things that were found.
    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.kinds
    }
}

/// Dumps a process by `gcore`, of the gdb package.
pub(crate) fn dump(process: u32, folder: &Path) -> Dump {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
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
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let stretches: Vec<Stretch> = loaded(&bytes)
        .into_iter()
        .map(|(at, from, length)| Stretch {
            at,
            bytes: bytes[from..from + length].to_vec(),
            what: named(&maps, at),
        })
        .collect();
    let bytes = stretches.iter().map(|stretch| stretch.bytes.len() as u64).sum();
    Dump { stretches, bytes }
}

/// The loadable segments of an ELF file of 64 bits: address, offset and length. Source: System V ABI, "Program Header".
fn loaded(file: &[u8]) -> Vec<(u64, usize, usize)> {
    let number = |at: usize, wide: usize| {
        file[at..at + wide].iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte))
    };
    assert_eq!(&file[..5], b"\x7fELF\x02", "a core of 64 bits");
    let size = |n: u64| usize::try_from(n).unwrap();
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

/// Where any of these is.
pub(crate) fn search(dump: &Dump, needles: &[Needle]) -> Found {
    let mut by_first = vec![Vec::new(); 1 << 16];
    for needle in needles {
        by_first[usize::from(u16::from_be_bytes([needle.bytes[0], needle.bytes[1]]))].push(needle);
    }
    let mut found = Found::default();
    for stretch in &dump.stretches {
        // Pages that nobody wrote to are the most of it.
        let pages = stretch.bytes.chunks(PAGE.len()).enumerate().filter(|(_, page)| !PAGE.starts_with(page));
        let places = pages.flat_map(|(page, bytes)| page * PAGE.len()..page * PAGE.len() + bytes.len());
        for at in places {
            let Some(&[first, second]) = stretch.bytes.get(at..at + FIRST) else { continue };
            let candidates = &by_first[usize::from(u16::from_be_bytes([first, second]))];
            for needle in candidates.iter().filter(|needle| stretch.bytes[at..].starts_with(&needle.bytes)) {
                let place = stretch.at + at as u64;
                found
                    .places
                    .push(format!("{} at {place:x}, {} from {:x}", needle.name, stretch.what, stretch.at));
                found.kinds.insert(needle.name.clone());
            }
        }
    }
    found
}
