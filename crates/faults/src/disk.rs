//! One watched folder: the log of what SQLite did there, and the plan of what is to fail.
//!
//! Everything here is safe code and knows no pointers; `shim.rs` asks it before each call and tells it after.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What SQLite asked the disk for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Open a file, making it where it may.
    Open,
    /// Read bytes.
    Read,
    /// Write bytes.
    Write,
    /// Cut a file to a length.
    Truncate,
    /// Make what was written durable.
    Sync,
    /// Remove a file.
    Delete,
    /// Ask whether a file is there.
    Access,
    /// Ask how long a file is.
    Size,
    /// Take a lock on the database.
    Lock,
    /// Map shared memory.
    Map,
}

/// What a disk does instead of what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EIO.
    Error,
    /// ENOSPC: nothing more fits.
    Full,
    /// EDQUOT: nothing more of this user's fits. SQLite takes it for an I/O error, not for a full disk.
    Quota,
    /// A read or write ends in the middle.
    Short,
    /// fsync fails, and as Linux does it the pages count as clean from then on: the next fsync says yes and does nothing
    /// about them.
    SyncLoses,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 5] = [Fault::Error, Fault::Full, Fault::Quota, Fault::Short, Fault::SyncLoses];

    /// Whether a call can fail in this way.
    pub fn strikes(self, call: Call) -> bool {
        match self {
            Fault::Error => true,
            Fault::Full | Fault::Quota => matches!(call, Call::Write | Call::Open | Call::Map),
            Fault::Short => matches!(call, Call::Read | Call::Write),
            Fault::SyncLoses => call == Call::Sync,
        }
    }
}

/// What is to fail, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// In which way.
    pub fault: Fault,
    /// The number of the first call that fails, from 0.
    pub at: usize,
    /// Whether every later call that can fail so does, too.
    pub for_ever: bool,
}

/// One thing that happened to the files, in order. Files go by their names in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A file was made: it is durable after the folder was synced.
    Made {
        /// Which.
        file: String,
    },
    /// Bytes were written.
    Write {
        /// To which file.
        file: String,
        /// From where.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut or extended.
    Truncate {
        /// Which.
        file: String,
        /// To how many bytes.
        length: u64,
    },
    /// What was written to a file is durable.
    Sync {
        /// Which.
        file: String,
    },
    /// A sync failed and lost what it was to save; see [`Fault::SyncLoses`].
    SyncLost {
        /// Of which file.
        file: String,
    },
    /// The folder's own list of files is durable.
    SyncFolder,
    /// A file was removed.
    Delete {
        /// Which.
        file: String,
    },
    /// The test's own mark.
    Mark {
        /// What it means is the test's concern.
        kind: u8,
        /// As is this.
        value: u64,
        /// Something to be kept with it.
        kept: Vec<u8>,
    },
}

#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    events: Vec<Event>,
    plan: Option<Plan>,
    struck: bool,
}

/// A folder under watch, as long as this value lives.
pub struct Disk {
    folder: PathBuf,
    record: Arc<Mutex<Record>>,
}

impl Disk {
    /// Watches the files in a folder that is there. From the first watch on, every database that this process opens goes
    /// through the shim; those in other folders are passed on untouched.
    pub fn watch(folder: &Path) -> Disk {
        crate::shim::install();
        let folder = folder.canonicalize().expect("the folder is there");
        let record = Arc::new(Mutex::new(Record::default()));
        watched().push((folder.clone(), record.clone()));
        Disk { folder, record }
    }

    /// From now on `plan` holds; the calls are counted from here.
    pub fn plan(&self, plan: Option<Plan>) {
        let mut record = lock(&self.record);
        record.plan = plan;
        record.struck = false;
        record.calls.clear();
    }

    /// The calls since the last [`Disk::plan`].
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.record).calls.clone()
    }

    /// Whether the plan has struck.
    pub fn has_struck(&self) -> bool {
        lock(&self.record).struck
    }

    /// Writes a mark into the log.
    pub fn mark(&self, kind: u8, value: u64, kept: Vec<u8>) {
        lock(&self.record).events.push(Event::Mark { kind, value, kept });
    }

    /// Adds what the test knows of and the shim cannot see: bytes that went to the disk without SQLite.
    pub fn add(&self, event: Event) {
        lock(&self.record).events.push(event);
    }

    /// The log so far.
    pub fn events(&self) -> Vec<Event> {
        lock(&self.record).events.clone()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        watched().retain(|(_, record)| !Arc::ptr_eq(record, &self.record));
        debug_assert!(self.folder.is_absolute(), "a folder is watched by its full path");
    }
}

type Watched = Vec<(PathBuf, Arc<Mutex<Record>>)>;

fn watched() -> MutexGuard<'static, Watched> {
    static WATCHED: Mutex<Watched> = Mutex::new(Vec::new());
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One file in a watched folder, as the shim holds it.
pub(crate) struct Watch {
    record: Arc<Mutex<Record>>,
    file: String,
}

impl Watch {
    /// The watch over this file, if its folder is watched.
    pub(crate) fn of(path: &Path) -> Option<Watch> {
        let folder = path.parent()?;
        let file = path.file_name()?.to_str()?.to_owned();
        let watched = watched();
        let (_, record) = watched.iter().find(|(watched, _)| watched == folder)?;
        Some(Watch { record: record.clone(), file })
    }

    /// Counts a call; the fault that strikes it, if one does.
    pub(crate) fn ask(&self, call: Call) -> Option<Fault> {
        let mut record = lock(&self.record);
        let number = record.calls.len();
        record.calls.push(call);
        let plan = record.plan?;
        let due = number == plan.at || (plan.for_ever && number > plan.at);
        if !due || !plan.fault.strikes(call) {
            return None;
        }
        record.struck = true;
        Some(plan.fault)
    }

    pub(crate) fn made(&self) {
        self.tell(Event::Made { file: self.file.clone() });
    }

    pub(crate) fn wrote(&self, at: u64, bytes: &[u8]) {
        self.tell(Event::Write { file: self.file.clone(), at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncated(&self, length: u64) {
        self.tell(Event::Truncate { file: self.file.clone(), length });
    }

    pub(crate) fn synced(&self) {
        self.tell(Event::Sync { file: self.file.clone() });
    }

    pub(crate) fn sync_lost(&self) {
        self.tell(Event::SyncLost { file: self.file.clone() });
    }

    pub(crate) fn folder_synced(&self) {
        self.tell(Event::SyncFolder);
    }

    pub(crate) fn deleted(&self) {
        self.tell(Event::Delete { file: self.file.clone() });
    }

    fn tell(&self, event: Event) {
        lock(&self.record).events.push(event);
    }
}
