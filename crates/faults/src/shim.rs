//! The file system that SQLite is given: the system's own, with a watch before and after each call.
//!
//! It registers itself as the process's default, so that code under test opens its files as it always does and knows
//! nothing of being watched. It must only ever hand calls on: what a call means is `disk.rs`'s concern. The only unsafe
//! code of the workspace, because SQLite takes a file system as C functions and no other way.

#![allow(unsafe_code, reason = "SQLite's file system interface is made of C functions and raw pointers")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;

use rusqlite::ffi::{
    self, SQLITE_ACCESS_EXISTS, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR_ACCESS, SQLITE_IOERR_DELETE,
    SQLITE_IOERR_FSTAT, SQLITE_IOERR_FSYNC, SQLITE_IOERR_LOCK, SQLITE_IOERR_READ, SQLITE_IOERR_SHMMAP,
    SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK, SQLITE_OPEN_CREATE,
    SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_SUPER_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_int64,
    sqlite3_io_methods, sqlite3_vfs,
};

use crate::disk::{Call, Fault, Watch};

/// What lies before the system's own file structure in the memory that SQLite sets aside for an open file.
#[repr(C)]
struct Shim {
    methods: *const sqlite3_io_methods,
    /// A leaked box, null once closed.
    open: *mut Open,
}

/// What is known of an open file.
struct Open {
    watch: Option<Watch>,
    /// A journal or log that was made: its first sync makes the folder durable as well, as the system's own code does.
    folder_due: bool,
}

const SHIM_BYTES: usize = size_of::<Shim>();

/// Registers the shim as this process's default file system. Files of folders that nobody watches pass through.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a null name asks for the default; the structure it points to lives as long as the process.
        let system = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        assert!(!system.is_null(), "SQLite has a file system");
        // SAFETY: not null, and SQLite never changes it after start but for `pNext`, which registering sets anew.
        let mut shim = unsafe { *system };
        shim.szOsFile += c_int::try_from(SHIM_BYTES).expect("two pointers");
        shim.pNext = std::ptr::null_mut();
        shim.zName = c"mecum-faults".as_ptr();
        shim.pAppData = system.cast();
        shim.xOpen = Some(open);
        shim.xDelete = Some(delete);
        shim.xAccess = Some(access);
        // SAFETY: a valid structure that is never freed. The functions it keeps from the system's ignore the structure
        // that they are called with.
        let done = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1) };
        assert_eq!(done, SQLITE_OK, "SQLite takes the file system");
    });
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without the memory-mapped reads of version 3: every read is to be seen.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The system's file behind ours.
///
/// # Safety
/// `file` is one that [`open`] has filled.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` reserves the system's structure right behind ours.
    unsafe { file.byte_add(SHIM_BYTES) }
}

/// Calls a method of the system's file.
macro_rules! call {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls only with files that `open` has filled, so that the system's file is open and has its
        // methods; a method that we offer is one that the system's files of version 2 and above have.
        unsafe {
            let real = real($file);
            let method = (*(*real).pMethods).$method.expect("the system's files have this method");
            method(real $(, $argument)*)
        }
    }};
}

/// Asks the watch of an open file.
fn ask(file: *mut sqlite3_file, call: Call) -> Option<Fault> {
    watch(file)?.ask(call)
}

fn watch<'a>(file: *mut sqlite3_file) -> Option<&'a Watch> {
    known(file)?.watch.as_ref()
}

fn known<'a>(file: *mut sqlite3_file) -> Option<&'a mut Open> {
    // SAFETY: SQLite calls the methods of one file from one thread at a time, between open and close; `open` is null or
    // the box that was leaked there.
    unsafe { (*file.cast::<Shim>()).open.as_mut() }
}

/// # Safety
/// `path` is null or a C string.
unsafe fn watch_of(path: *const c_char) -> Option<Watch> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string by the caller's word.
    let bytes = unsafe { CStr::from_ptr(path) }.to_bytes();
    Watch::of(Path::new(OsStr::from_bytes(bytes)))
}

fn system(shim: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: SQLite calls with the structure that `install` registered.
    unsafe { (*shim).pAppData.cast() }
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let system = system(vfs);
    // SAFETY: the path is SQLite's, null for a temporary file.
    let watch = unsafe { watch_of(path) };
    let shim = file.cast::<Shim>();
    // SAFETY: SQLite has set aside `szOsFile` bytes at `file`.
    unsafe { shim.write(Shim { methods: std::ptr::null(), open: std::ptr::null_mut() }) };
    if watch.as_ref().is_some_and(|watch| watch.ask(Call::Open).is_some()) {
        return SQLITE_CANTOPEN;
    }
    let mut there = 1;
    if watch.is_some() {
        // SAFETY: the system's own function with its own structure.
        unsafe {
            (*system).xAccess.expect("SQLite's file system has it")(
                system,
                path,
                SQLITE_ACCESS_EXISTS,
                &raw mut there,
            )
        };
    }
    // SAFETY: as above; the system's file lies right behind ours.
    let done = unsafe {
        (*system).xOpen.expect("SQLite's file system has it")(system, path, real(file), flags, out)
    };
    if done != SQLITE_OK {
        return done;
    }
    let journal = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    let creates = flags & SQLITE_OPEN_CREATE != 0;
    if let Some(watch) = watch.as_ref().filter(|_| there == 0) {
        watch.made();
    }
    let open = Box::into_raw(Box::new(Open { watch, folder_due: creates && flags & journal != 0 }));
    // SAFETY: as above.
    unsafe { shim.write(Shim { methods: &raw const METHODS, open }) };
    SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: the path is SQLite's.
    let watch = unsafe { watch_of(path) };
    if watch.as_ref().is_some_and(|watch| watch.ask(Call::Delete).is_some()) {
        return SQLITE_IOERR_DELETE;
    }
    let system = system(vfs);
    // SAFETY: the system's own function with its own structure.
    let done = unsafe { (*system).xDelete.expect("SQLite's file system has it")(system, path, sync_folder) };
    if let (SQLITE_OK, Some(watch)) = (done, watch) {
        watch.deleted();
        if sync_folder != 0 {
            watch.folder_synced();
        }
    }
    done
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the path is SQLite's.
    let watch = unsafe { watch_of(path) };
    if watch.is_some_and(|watch| watch.ask(Call::Access).is_some()) {
        return SQLITE_IOERR_ACCESS;
    }
    let system = system(vfs);
    // SAFETY: the system's own function with its own structure.
    unsafe { (*system).xAccess.expect("SQLite's file system has it")(system, path, flags, out) }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let done = call!(file, xClose);
    // SAFETY: SQLite closes a file once; the box was leaked by `open`.
    unsafe {
        let shim = file.cast::<Shim>();
        if !(*shim).open.is_null() {
            drop(Box::from_raw((*shim).open));
        }
        shim.write(Shim { methods: std::ptr::null(), open: std::ptr::null_mut() });
    }
    done
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    into: *mut c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    match ask(file, Call::Read) {
        None => call!(file, xRead, into, count, at),
        Some(Fault::Short) => {
            call!(file, xRead, into, count / 2, at);
            SQLITE_IOERR_READ
        }
        Some(_) => SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    let (written, answer) = match ask(file, Call::Write) {
        None => (count, None),
        Some(Fault::Short) => (count / 2, Some(SQLITE_FULL)),
        Some(Fault::Full) => (0, Some(SQLITE_FULL)),
        Some(_) => (0, Some(SQLITE_IOERR_WRITE)),
    };
    if written == 0 && answer.is_some() {
        return answer.unwrap_or(SQLITE_OK);
    }
    let done = call!(file, xWrite, from, written, at);
    if let (SQLITE_OK, Some(watch), Ok(length), Ok(at)) =
        (done, watch(file), usize::try_from(written), u64::try_from(at))
    {
        // SAFETY: SQLite hands over `count` readable bytes, and `written` is no more.
        watch.wrote(at, unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) });
    }
    answer.unwrap_or(done)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    if ask(file, Call::Truncate).is_some() {
        return SQLITE_IOERR_TRUNCATE;
    }
    let done = call!(file, xTruncate, length);
    if let (SQLITE_OK, Some(watch), Ok(length)) = (done, watch(file), u64::try_from(length)) {
        watch.truncated(length);
    }
    done
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    match ask(file, Call::Sync) {
        None => {}
        Some(fault) => {
            if let (Fault::SyncLoses, Some(watch)) = (fault, watch(file)) {
                watch.sync_lost();
            }
            return SQLITE_IOERR_FSYNC;
        }
    }
    let done = call!(file, xSync, flags);
    if let (SQLITE_OK, Some(open)) = (done, known(file)) {
        let folder_due = std::mem::take(&mut open.folder_due);
        if let Some(watch) = &open.watch {
            watch.synced();
            if folder_due {
                watch.folder_synced();
            }
        }
    }
    done
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    if ask(file, Call::Size).is_some() {
        return SQLITE_IOERR_FSTAT;
    }
    call!(file, xFileSize, out)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    if ask(file, Call::Lock).is_some() {
        return SQLITE_IOERR_LOCK;
    }
    call!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    call!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    call!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    call!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    call!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    call!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    match ask(file, Call::Map) {
        None => call!(file, xShmMap, region, size, extend, out),
        Some(Fault::Full | Fault::Quota) => SQLITE_IOERR_SHMSIZE,
        Some(_) => SQLITE_IOERR_SHMMAP,
    }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    call!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    call!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    call!(file, xShmUnmap, delete)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::Connection;

    use crate::{Call, Dice, Disk, Event, Fault, Image, Loss, Plan};

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn write_some(path: PathBuf, synchronous: &str) -> rusqlite::Result<()> {
        let connection = Connection::open(path)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(5000));"
        ))
    }

    #[test]
    fn the_log_replayed_in_full_is_what_is_on_the_disk() {
        let folder = folder();
        let disk = Disk::watch(folder.path());
        write_some(folder.path().join("a.sqlite"), "FULL").expect("SQLite works through the shim");
        let events = disk.events();
        let image = Image::after_cut(&Image::default(), &events, events.len(), Loss::None, &mut Dice::new(1));
        let found = std::fs::read(folder.path().join("a.sqlite")).expect("the file is there");
        assert_eq!(image.files.get("a.sqlite"), Some(&found), "byte for byte");
        assert_eq!(image.files.len(), 1, "journal and log came and went: {:?}", image.files.keys());
        assert!(events.contains(&Event::SyncFolder), "a new log makes its folder durable");
    }

    #[test]
    fn without_synchronous_nothing_is_synced() {
        let folder = folder();
        let disk = Disk::watch(folder.path());
        write_some(folder.path().join("a.sqlite"), "OFF").expect("SQLite works through the shim");
        let late = disk.events();
        let from = late.iter().rposition(|event| matches!(event, Event::Sync { .. }));
        let written = late.iter().rposition(|event| matches!(event, Event::Write { .. }));
        assert!(from < written, "the last writes were never synced");
    }

    #[test]
    fn a_planned_fault_strikes_once_or_for_ever_and_another_folder_never() {
        let (watched, free) = (folder(), folder());
        let disk = Disk::watch(watched.path());
        for for_ever in [false, true] {
            disk.plan(Some(Plan { fault: Fault::Error, at: 3, for_ever }));
            let path = watched.path().join(format!("{for_ever}.sqlite"));
            assert!(write_some(path, "FULL").is_err(), "SQLite says so");
            assert!(disk.has_struck() && disk.calls().contains(&Call::Open), "the fault struck");
            write_some(free.path().join(format!("{for_ever}.sqlite")), "FULL").expect("untouched");
        }
    }
}
