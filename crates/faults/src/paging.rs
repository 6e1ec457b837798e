//! Memory on the disk: a swap file of a harness's own, a process whose pages are pushed out to it, and what stands there then.
//!
//! Pages are pushed out by the kernel at a process's own address, not by want of memory: nothing else on the machine has to
//! suffer, and it is done when the call comes back.

#![allow(unsafe_code, reason = "the kernel offers process_madvise as a system call and no other way")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::memory::pages::{PAGE_BYTES, SWAPPED, each_page, mappings};
use crate::memory::{Dump, Stretch};

/// Of a swapped page's entry in `/proc/PID/pagemap`: which swap file, and which page of it. Source: the kernel's
/// `Documentation/admin-guide/mm/pagemap.rst`.
const FILE_BITS: u32 = 5;
const PLACE_MASK: u64 = (1 << 50) - 1;

/// A swap file that is in use until this value goes away.
pub struct SwapFile {
    path: PathBuf,
}

impl SwapFile {
    /// Makes one of so many MiB in a folder and gives it to the system, which then takes it before any other.
    ///
    /// # Errors
    /// The reason in words, where this user, system or file system does not allow it.
    pub fn new(folder: &Path, mebibytes: u32) -> std::result::Result<Self, String> {
        let path = folder.join("swap");
        let place = path.to_str().ok_or("the folder's name is no text")?;
        // Past the page cache: what is read later is what the system wrote there.
        run(
            "dd",
            &["if=/dev/zero", &format!("of={place}"), "bs=1M", &format!("count={mebibytes}"), "oflag=direct"],
        )?;
        let made = run("chmod", &["600", place]).and_then(|()| run("mkswap", &[place]));
        let used = made.and_then(|()| run("swapon", &["--priority", "32767", place]));
        if let Err(why) = used {
            let _ = std::fs::remove_file(&path);
            return Err(why);
        }
        Ok(Self { path })
    }

    /// What a process has in it, and nobody else.
    ///
    /// # Errors
    /// If the process is gone, or it or the file may not be read.
    pub fn holds(&self, process: u32) -> Result<Dump> {
        let places = swapped(process)?;
        let copy = self.path.with_extension("copy");
        let (from, to) = (format!("if={}", self.path.display()), format!("of={}", copy.display()));
        run("dd", &[&from, &to, "bs=1M", "iflag=direct"]).map_err(Error::other)?;
        let mut file = File::open(&copy)?;
        std::fs::remove_file(&copy)?;
        let mut stretches: Vec<Stretch> = Vec::new();
        for (at, place) in places {
            let mut page = vec![0; usize::try_from(PAGE_BYTES).map_err(|_| ErrorKind::OutOfMemory)?];
            file.seek(SeekFrom::Start(place * PAGE_BYTES))?;
            file.read_exact(&mut page)?;
            match stretches.last_mut() {
                Some(last) if last.at + last.bytes.len() as u64 == at => last.bytes.extend(page),
                _ => stretches.push(Stretch { at, bytes: page, what: "swapped out".to_owned() }),
            }
        }
        Ok(Dump::of(stretches))
    }
}

impl Drop for SwapFile {
    fn drop(&mut self) {
        // A file that is in use is not taken away.
        match self.path.to_str().map_or(Err("no text".to_owned()), |place| run("swapoff", &[place])) {
            Ok(()) => drop(std::fs::remove_file(&self.path)),
            Err(why) => eprintln!("a swap file is still in use: {}: {why}", self.path.display()),
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> std::result::Result<(), String> {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}

/// Pushes out everything that a process has touched and shares with nobody.
///
/// # Errors
/// If the process is gone, or this user may not do it (it takes what a debugger may, and `CAP_SYS_NICE`).
pub fn push_out(process: u32) -> Result<()> {
    let number = libc::pid_t::try_from(process).map_err(|_| ErrorKind::InvalidInput)?;
    // SAFETY: the call takes two numbers and gives a new descriptor or -1.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) };
    let descriptor = i32::try_from(descriptor).map_err(|_| ErrorKind::InvalidData)?;
    if descriptor < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for this call, and nobody else knows it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    let mut refused = None;
    let mut done = 0_usize;
    for mapping in mappings(process)? {
        let (Ok(from), Ok(length)) =
            (usize::try_from(mapping.from), usize::try_from(mapping.to - mapping.from))
        else {
            continue;
        };
        let stretch = libc::iovec { iov_base: std::ptr::without_provenance_mut(from), iov_len: length };
        // SAFETY: the address is one of the other process and only looked at by the kernel; the list of one lives on the
        // stack until the call is over.
        let advised = unsafe {
            let list = &raw const stretch;
            libc::syscall(libc::SYS_process_madvise, descriptor.as_raw_fd(), list, 1, libc::MADV_PAGEOUT, 0)
        };
        // What is locked in memory or a driver's is refused by itself.
        if advised < 0 {
            refused = Some(Error::last_os_error());
        } else {
            done += 1;
        }
    }
    match refused {
        Some(error) if done == 0 => Err(error),
        _ => Ok(()),
    }
}

/// Where a process's pages are in the swap file that has most of them: address and number of the page there.
fn swapped(process: u32) -> Result<Vec<(u64, u64)>> {
    let pagemap = File::open(format!("/proc/{process}/pagemap"))?;
    let mut files: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for mapping in mappings(process)? {
        each_page(&pagemap, &mapping, |at, entry| {
            if entry & SWAPPED != 0 {
                let (file, place) = (entry & ((1 << FILE_BITS) - 1), (entry >> FILE_BITS) & PLACE_MASK);
                files.entry(file).or_default().push((at, place));
            }
        })?;
    }
    Ok(files.into_values().max_by_key(Vec::len).unwrap_or_default())
}
