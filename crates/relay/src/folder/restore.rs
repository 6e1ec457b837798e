//! Restoring a backup into a data folder: everything is verified on a copy first, then put in place; what was there is put
//! aside, never removed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{Manifest, hash};
use super::{FolderError, LOCK, UNFINISHED, during, lock, make_private, make_private_dir, stamp, sync};
use crate::store::sqlite::backup::{make_servable, upgrade};
use crate::store::sqlite::check::{self, Checked};
use crate::{DATABASE, key};

/// Where the copy is verified, in the data folder: the same file system, so that putting in place is renaming.
const PART: &str = "restore.part";
/// What a server keeps in its folder; the database may have a write-ahead log beside it.
const FILES: [&str; 5] =
    ["relay.key", "relay.sqlite", "relay.sqlite-wal", "relay.sqlite-shm", "relay.sqlite-journal"];

/// A backup that was restored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restored {
    /// What the backup said of itself.
    pub manifest: Manifest,
    /// What was read and verified.
    pub checked: Checked,
    /// How many unused enrolment codes were dropped: some may have been used since.
    pub dropped_codes: u64,
    /// Where what was there before lies now.
    pub put_aside: Option<PathBuf>,
}

/// Restores the backup in `from` into the folder `data`, which is made if it is not there.
///
/// # Errors
/// Nothing in `data` is changed if the backup is not whole or not sound, if a server runs there, or if there is something
/// and `replace` is not said.
pub fn restore(from: &Path, data: &Path, replace: bool, now_ms: i64) -> Result<Restored, FolderError> {
    let manifest = Manifest::read(from)?;
    manifest.verify(from)?;
    std::fs::create_dir_all(data).map_err(during("cannot make the data folder"))?;
    let _lock = lock(data)?;
    if !replace && !is_empty(data).map_err(during("cannot read the data folder"))? {
        return Err(FolderError::NotEmpty);
    }
    let part = data.join(PART);
    if part.exists() {
        // The copy of a restore that was interrupted; what it was made from is elsewhere.
        std::fs::remove_dir_all(&part).map_err(during("cannot remove an interrupted restore"))?;
    }
    make_private_dir(&part).map_err(during("cannot write to the data folder"))?;
    let prepared = prepare(from, &part, &manifest);
    let (checked, dropped_codes) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // Only the copy goes.
            let _ = std::fs::remove_dir_all(&part);
            return Err(error);
        }
    };
    let put_aside = put_in_place(data, &part, now_ms).map_err(during("cannot put the backup in place"))?;
    Ok(Restored { manifest, checked, dropped_codes, put_aside })
}

/// Copies the backup, verifies all of the copy, and makes it ready to be served from.
fn prepare(from: &Path, part: &Path, manifest: &Manifest) -> Result<(Checked, u64), FolderError> {
    let writing = "cannot write to the data folder";
    let database = part.join(DATABASE);
    let mut copy = make_private(&database).map_err(during(writing))?;
    let mut original = File::open(from.join(DATABASE)).map_err(during("cannot read the backup"))?;
    let found = hash(&mut original, |block| copy.write_all(block)).map_err(during(writing))?;
    // The bytes that were copied are the ones that count, whatever was verified before.
    manifest.expect(found)?;
    drop(copy);
    let key = key::read(&from.join(key::FILE)).map_err(during("cannot read the backup"))?;
    let mut key_file = make_private(&part.join(key::FILE)).map_err(during(writing))?;
    key_file.write_all(key.seed()).and_then(|()| key_file.sync_all()).map_err(during(writing))?;
    upgrade(&database)?;
    let checked = check::check(&database, Some(&manifest.pin))?;
    if !checked.is_sound() {
        return Err(FolderError::Unsound(Box::new(checked)));
    }
    let dropped_codes = make_servable(&database)?;
    sync(&database).and_then(|()| sync(part)).map_err(during(writing))?;
    Ok((checked, dropped_codes))
}

/// From here to the end the folder says that it is unfinished, and no server starts on it.
fn put_in_place(data: &Path, part: &Path, now_ms: i64) -> std::io::Result<Option<PathBuf>> {
    let unfinished = data.join(UNFINISHED);
    File::create(&unfinished)?.sync_all()?;
    sync(data)?;
    let there: Vec<_> = FILES.iter().filter(|name| data.join(name).exists()).collect();
    let mut put_aside = None;
    if !there.is_empty() {
        let aside = free_name(data, now_ms);
        make_private_dir(&aside)?;
        for name in there {
            std::fs::rename(data.join(name), aside.join(name))?;
        }
        sync(&aside)?;
        put_aside = Some(aside);
    }
    for name in [key::FILE, DATABASE] {
        std::fs::rename(part.join(name), data.join(name))?;
    }
    sync(data)?;
    std::fs::remove_dir(part)?;
    std::fs::remove_file(&unfinished)?;
    sync(data)?;
    Ok(put_aside)
}

fn free_name(data: &Path, now_ms: i64) -> PathBuf {
    let name = format!("before-restore-{}", stamp(now_ms));
    let mut aside = data.join(&name);
    let mut number = 2;
    while aside.exists() {
        aside = data.join(format!("{name}-{number}"));
        number += 1;
    }
    aside
}

/// Whether there is nothing in the folder but what this program puts there by itself.
fn is_empty(data: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(data)? {
        let name = entry?.file_name();
        if name != LOCK && name != PART {
            return Ok(false);
        }
    }
    Ok(true)
}
