//! The files of a profile, and how one vault takes the place of another: what is there is copied aside and made durable first, then
//! the new file gets the name that says "this is the next one". From there on the change is only finished, however often it is cut.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard, TryLockError};

use mecum_vault::{Hold, Location, hold};

/// What SQLite keeps beside a vault's file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The ending of a file that a vault can be restored from.
pub(crate) const ENDING: &str = "backup";

/// Who looks at the vault's files without taking them, and who exchanges them: never both at a time. SQLite opens its log and its index
/// by their names. A look that begun at the vault from before would make an index of the old log that the new vault then reads by; and
/// SQLite's own locks do not keep two connections of one process apart where the files are not the same.
#[derive(Debug, Default)]
pub(crate) struct Looks(RwLock<()>);

/// Held while files are exchanged or taken away: nobody looks.
pub(crate) struct NoLooks<'a>(#[allow(dead_code, reason = "it is held")] RwLockWriteGuard<'a, ()>);

impl Looks {
    /// Looks. `None` while the files are exchanged, or somebody waits to do so.
    pub(crate) fn look<T>(&self, look: impl FnOnce() -> T) -> Option<T> {
        let _looking = match self.0.try_read() {
            Ok(looking) => looking,
            Err(TryLockError::Poisoned(left)) => left.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(look())
    }

    /// Waits for who looks, some milliseconds, and keeps everybody else from it.
    pub(crate) fn none(&self) -> NoLooks<'_> {
        NoLooks(self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The vault of a profile.
pub(crate) fn vault(profile: &Path) -> PathBuf {
    profile.join("vault.sqlite")
}

/// Where the next vault is put together. Whatever is there was not finished.
pub(crate) fn part(profile: &Path) -> PathBuf {
    profile.join("vault.sqlite.next-part")
}

/// The next vault, whole and read back.
fn next(profile: &Path) -> PathBuf {
    profile.join("vault.sqlite.next")
}

/// Vaults that were set aside.
pub(crate) fn aside_folder(profile: &Path) -> PathBuf {
    profile.join("aside")
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

/// Removes what an attempt has left.
pub(crate) fn clear_part(profile: &Path) {
    let part = part(profile);
    for end in ["", "-journal", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(beside(&part, end));
    }
}

/// Copies a file with the log beside it, and makes both durable.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for end in ["", "-wal"] {
        let (from, to) = (beside(from, end), beside(to, end));
        match std::fs::copy(&from, &to) {
            Ok(_) => File::open(&to)?.sync_all()?,
            Err(error) if error.kind() == ErrorKind::NotFound && !end.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies the vault aside, as it is. Answers the name of the copy; none if there is no vault.
pub(crate) fn set_aside(profile: &Path, now_ms: i64) -> Result<Option<String>, Error> {
    let vault = vault(profile);
    if !vault.exists() {
        return Ok(None);
    }
    let folder = aside_folder(profile);
    std::fs::create_dir_all(&folder)?;
    let name = free_name(&folder, "mecum-aside", now_ms);
    let to = folder.join(&name);
    copy(&vault, &to).inspect_err(|_| {
        // Half a copy would look like a vault that can be put back.
        let _ = std::fs::remove_file(&to);
        let _ = std::fs::remove_file(beside(&to, "-wal"));
    })?;
    sync_folder(&folder)?;
    sync_folder(profile)?;
    Ok(Some(name))
}

/// Puts the finished [`part`] in the vault's place, which is held. What was there must have been set aside.
pub(crate) fn exchange(profile: &Path, hold: &Hold, no_looks: &NoLooks<'_>) -> Result<(), Error> {
    let part = part(profile);
    // Closing folds the log in, and says nothing where it could not: without its log the file would lack what was read back.
    if std::fs::metadata(beside(&part, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(Error::other("the log was not folded in"));
    }
    File::open(&part)?.sync_all()?;
    std::fs::rename(&part, next(profile))?;
    sync_folder(profile)?;
    finish_held(profile, hold, no_looks)
}

/// Whether an exchange was begun and is not finished.
pub(crate) fn is_under_way(profile: &Path) -> bool {
    next(profile).exists()
}

/// Finishes an exchange that was cut. Nothing happens where there is none. While it cannot be finished, the vault must not be opened:
/// what would be written to it goes aside with it when the exchange is finished later.
pub(crate) fn finish(profile: &Path, no_looks: &NoLooks<'_>) -> Result<(), Error> {
    if !next(profile).exists() {
        return Ok(());
    }
    match hold(&Location::File(vault(profile))) {
        Some(hold) => finish_held(profile, &hold, no_looks),
        None => Err(ErrorKind::ResourceBusy.into()),
    }
}

fn finish_held(profile: &Path, hold: &Hold, _no_looks: &NoLooks<'_>) -> Result<(), Error> {
    let (next, vault) = (next(profile), vault(profile));
    if !next.exists() {
        return Ok(());
    }
    // While the change can still be finished: afterwards nobody would know that the older vault is the one that was meant.
    hold.forget()?;
    // The log of the vault from before would be read into the new one; it lies aside with it.
    for end in BESIDE {
        remove(&beside(&vault, end))?;
    }
    std::fs::rename(&next, &vault)?;
    sync_folder(profile)
}

/// Takes the vault's files away, once they were set aside.
pub(crate) fn clear_vault(profile: &Path, _no_looks: &NoLooks<'_>) -> Result<(), Error> {
    let vault = vault(profile);
    // First what says that a vault was saved here: left without its vault it would stand in the way of a new one for ever.
    remove(&beside(&vault, ".lock"))?;
    sync_folder(profile)?;
    remove(&vault)?;
    for end in BESIDE {
        remove(&beside(&vault, end))?;
    }
    sync_folder(profile)
}

/// A name in a folder that nothing has, with the moment in it: `mecum-20261122-114000.backup`, UTC.
pub(crate) fn free_name(folder: &Path, what: &str, now_ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let moment = moment.strftime("%Y%m%d-%H%M%S").to_string();
    let plain = format!("{what}-{moment}.{ENDING}");
    if !folder.join(&plain).exists() {
        return plain;
    }
    (2..u32::MAX)
        .map(|number| format!("{what}-{moment}-{number}.{ENDING}"))
        .find(|name| !folder.join(name).exists())
        .unwrap_or(plain)
}

/// The moment in a name of [`free_name`].
pub(crate) fn moment_of(name: &str) -> Option<i64> {
    let moment = name.split_once("-2").map(|(_, rest)| format!("2{rest}"))?;
    let moment = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", moment.get(..15)?).ok()?;
    let zoned = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Where folders cannot be synced (Windows), renaming is all there is.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_that_is_cut_anywhere_leaves_the_old_vault_or_the_new_one_and_the_old_one_aside() {
        for cut in 0..3 {
            let folder = tempfile::tempdir().expect("a folder");
            let profile = folder.path();
            std::fs::write(vault(profile), b"old").expect("writes");
            std::fs::write(beside(&vault(profile), "-wal"), b"old log").expect("writes");
            std::fs::write(part(profile), b"new").expect("writes");
            let aside = set_aside(profile, 1_788_854_400_000).expect("room").expect("there is a vault");
            if cut > 0 {
                std::fs::rename(part(profile), next(profile)).expect("renames");
            }
            if cut > 1 {
                remove(&beside(&vault(profile), "-wal")).expect("removes");
            }
            finish(profile, &Looks::default().none()).expect("is finished at the next start");
            let now = std::fs::read(vault(profile)).expect("there is a vault");
            assert_eq!(now, if cut == 0 { b"old" } else { b"new" }, "cut {cut}");
            assert_eq!(
                beside(&vault(profile), "-wal").exists(),
                cut == 0,
                "no log lies beside a vault that it is not of: cut {cut}"
            );
            let kept = aside_folder(profile).join(&aside);
            assert_eq!(std::fs::read(&kept).expect("kept"), b"old", "set aside as it was");
            assert_eq!(std::fs::read(beside(&kept, "-wal")).expect("kept"), b"old log", "with its log");
            assert_eq!(moment_of(&aside), Some(1_788_854_400_000), "{aside} says when");
        }
    }

    #[test]
    fn nothing_takes_the_vaults_place_while_commits_of_it_lie_in_a_log_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path();
        std::fs::write(vault(profile), b"old").expect("writes");
        std::fs::write(part(profile), b"new").expect("writes");
        std::fs::write(beside(&part(profile), "-wal"), b"more").expect("writes");
        let held = hold(&Location::File(vault(profile))).expect("nobody has it");
        exchange(profile, &held, &Looks::default().none())
            .expect_err("the file alone is not what was read back");
        assert_eq!(std::fs::read(vault(profile)).expect("there is a vault"), b"old", "nothing was exchanged");
        std::fs::write(beside(&part(profile), "-wal"), b"").expect("writes");
        exchange(profile, &held, &Looks::default().none()).expect("with the log folded in it is");
        assert_eq!(std::fs::read(vault(profile)).expect("there is a vault"), b"new", "it is exchanged");
    }

    #[test]
    fn an_exchange_that_cannot_be_finished_yet_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path();
        std::fs::write(vault(profile), b"old").expect("writes");
        std::fs::write(next(profile), b"new").expect("writes");
        let held = hold(&Location::File(vault(profile))).expect("nobody has it");
        finish(profile, &Looks::default().none()).expect_err("somebody else is at it: it is not finished");
        drop(held);
        finish(profile, &Looks::default().none()).expect("now it is");
        assert_eq!(std::fs::read(vault(profile)).expect("there is a vault"), b"new", "it is exchanged");
    }

    #[test]
    fn a_name_that_is_taken_is_not_given_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = free_name(folder.path(), "mecum", 1_788_854_400_000);
        std::fs::write(folder.path().join(&first), b"").expect("writes");
        let second = free_name(folder.path(), "mecum", 1_788_854_400_000);
        assert_ne!(first, second, "nothing is written over");
        assert_eq!(moment_of(&second), moment_of(&first), "and both say when");
    }
}
