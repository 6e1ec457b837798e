//! A process's memory, read where it stands: the pages that it touched, in memory or swapped out, without those that are
//! only a program file's.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;

use super::{Dump, Stretch};

/// As x86 and most others have them.
pub(crate) const PAGE_BYTES: u64 = 4_096;
/// Of an entry in `/proc/PID/pagemap`. Source: the kernel's `Documentation/admin-guide/mm/pagemap.rst`.
const ENTRY_BYTES: u64 = 8;
const PRESENT: u64 = 1 << 63;
pub(crate) const SWAPPED: u64 = 1 << 62;
/// How many entries are read at once.
const ENTRIES: u64 = 1 << 16;

/// Something that is mapped.
pub(crate) struct Mapping {
    pub(crate) from: u64,
    pub(crate) to: u64,
    what: String,
}

/// What may hold something of the process's own. A program file's pages that nobody can write to do not.
pub(crate) fn mappings(process: u32) -> Result<Vec<Mapping>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mapping = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (from, to) = fields.first()?.split_once('-')?;
        let what = fields.get(5..).map(|words| words.join(" ")).unwrap_or_default();
        let file = *fields.get(4)? != "0" && !what.contains("(deleted)");
        let of_kernel = ["[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"].contains(&what.as_str());
        if of_kernel || file && !fields.get(1)?.contains('w') {
            return None;
        }
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let what = if what.is_empty() { "anonymous".to_owned() } else { what };
        Some(Mapping { from, to, what })
    };
    Ok(maps.lines().filter_map(mapping).collect())
}

/// Calls `each` with the address and the entry of every page of a mapping that was touched.
pub(crate) fn each_page(pagemap: &File, mapping: &Mapping, mut each: impl FnMut(u64, u64)) -> Result<()> {
    let (mut page, end) = (mapping.from / PAGE_BYTES, mapping.to / PAGE_BYTES);
    let entry_bytes = usize::try_from(ENTRY_BYTES).unwrap_or_default();
    while page < end {
        let count = ENTRIES.min(end - page);
        let mut bytes = vec![0; usize::try_from(count * ENTRY_BYTES).unwrap_or_default()];
        let read = pagemap.read_at(&mut bytes, page * ENTRY_BYTES)?;
        if read < entry_bytes {
            return Ok(());
        }
        for (n, entry) in bytes[..read].as_chunks::<8>().0.iter().enumerate() {
            let entry = u64::from_le_bytes(*entry);
            if entry & (PRESENT | SWAPPED) != 0 {
                each((page + n as u64) * PAGE_BYTES, entry);
            }
        }
        page += (read / entry_bytes) as u64;
    }
    Ok(())
}

impl Dump {
    /// Reads what a process has in its memory now. It is not stopped: what it writes meanwhile is there or not.
    ///
    /// # Errors
    /// If it is not there any more, or may not be read by this user.
    pub fn resident(process: u32) -> Result<Self> {
        let memory = File::open(format!("/proc/{process}/mem"))?;
        let pagemap = File::open(format!("/proc/{process}/pagemap"))?;
        let mut stretches = Vec::new();
        for mapping in mappings(process)? {
            // Pages that follow one another are one stretch: nothing is missed where they meet.
            let mut runs: Vec<(u64, u64)> = Vec::new();
            each_page(&pagemap, &mapping, |at, _| match runs.last_mut() {
                Some((_, end)) if *end == at => *end += PAGE_BYTES,
                _ => runs.push((at, at + PAGE_BYTES)),
            })?;
            for (at, end) in runs {
                let length = usize::try_from(end - at).map_err(|_| Error::from(ErrorKind::OutOfMemory))?;
                let mut bytes = vec![0; length];
                let mut read = 0;
                // What was given back since, or what a driver keeps to itself, ends the stretch.
                while let Ok(more) = memory.read_at(&mut bytes[read..], at + read as u64)
                    && more > 0
                {
                    read += more;
                }
                bytes.truncate(read);
                stretches.push(Stretch { at, bytes, what: mapping.what.clone() });
            }
        }
        Ok(Self::of(stretches))
    }
}
