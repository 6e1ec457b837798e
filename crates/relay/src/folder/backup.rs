//! A backup: one folder with a consistent copy of the database, the server's key, and a manifest. It gets its name only when
//! every byte of it is durable.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{self, Manifest, hash};
use super::{FolderError, during, is_data, is_unfinished, make_private, make_private_dir, stamp, sync};
use crate::store::sqlite::backup::copy;
use crate::{DATABASE, key};

/// A backup that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackupMade {
    /// Its folder.
    pub dir: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// Backs the folder `data` up while a server may write to it. If `to` is a folder, the backup is made in it under a
/// name with the time; otherwise it is made as `to`.
///
/// The server's key goes with it: without the key a restored server would be another one to every client. Whoever has
/// the backup can pass for the server, though not read what is sealed.
///
/// # Errors
/// Nothing is left at `to` on any error.
pub fn backup(data: &Path, to: &Path, now_ms: i64) -> Result<BackupMade, FolderError> {
    if !is_data(data) {
        return Err(FolderError::NoData);
    }
    if is_unfinished(data) {
        return Err(FolderError::Unfinished);
    }
    let dir = if to.is_dir() { to.join(format!("mecum-relay-{}", stamp(now_ms))) } else { to.to_owned() };
    let (Some(name), Some(parent)) = (dir.file_name(), dir.parent()) else { return Err(FolderError::Taken) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    if dir.exists() || lies_in(parent, data).map_err(during("cannot find the backup's folder"))? {
        return Err(FolderError::Taken);
    }
    let part = parent.join(format!(".{}.part", name.to_string_lossy()));
    if part.exists() {
        // Of a backup under this very name that was interrupted.
        std::fs::remove_dir_all(&part).map_err(during("cannot remove an interrupted backup"))?;
    }
    make_private_dir(&part).map_err(during("cannot make the backup's folder"))?;
    match fill(&data.join(DATABASE), &data.join(key::FILE), &part, now_ms) {
        Ok(manifest) => {
            std::fs::rename(&part, &dir).map_err(during("cannot name the backup"))?;
            sync(parent).map_err(during("cannot make the backup durable"))?;
            Ok(BackupMade { dir, manifest })
        }
        Err(error) => {
            // What is left has a name that nobody takes for a backup; the error is what matters.
            let _ = std::fs::remove_dir_all(&part);
            Err(error)
        }
    }
}

fn fill(database: &Path, key_file: &Path, part: &Path, now_ms: i64) -> Result<Manifest, FolderError> {
    let writing = "cannot write the backup";
    let key = key::read(key_file).map_err(during("cannot read the server's key"))?;
    let copied_to = part.join(DATABASE);
    make_private(&copied_to).map_err(during(writing))?;
    let copied = copy(database, &copied_to)?;
    sync(&copied_to).map_err(during(writing))?;
    let mut file = std::fs::File::open(&copied_to).map_err(during(writing))?;
    let (database_bytes, database_hash) = hash(&mut file, |_| Ok(())).map_err(during(writing))?;
    write(&part.join(key::FILE), key.seed()).map_err(during(writing))?;
    let manifest = Manifest {
        made_at_ms: now_ms,
        schema: copied.schema as u64,
        pin: key.verifying_key(),
        accounts: copied.held.accounts,
        spaces: copied.held.spaces,
        envelopes: copied.held.envelopes,
        last_stored_at_ms: copied.held.last_stored_at_ms,
        database_bytes,
        database_hash,
    };
    write(&part.join(manifest::FILE), manifest.to_text().as_bytes()).map_err(during(writing))?;
    sync(part).map_err(during(writing))?;
    Ok(manifest)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = make_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn lies_in(dir: &Path, data: &Path) -> std::io::Result<bool> {
    Ok(dir.canonicalize()?.starts_with(data.canonicalize()?))
}
