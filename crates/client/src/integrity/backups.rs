//! Backups: made beside everything else, read back before they count, listed, and put in the vault's place again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_api::{
    BackupRestoreArgs, BackupView, BackupsView, CallError, Code, PassphraseArgs, TaskPhase, Topic, VaultView,
};
use mecum_vault::{Copying, Guess, Location, UnlockVaultError, Vault, WriteVaultError, hold};
use zeroize::Zeroizing;

use super::{BREATH, BackupTask, place};
use crate::app::{App, Inner, held};
use crate::error::unlock_error;

/// Why there is no backup.
enum NotMade {
    Stopped,
    Write(WriteVaultError),
    /// The copy is not sound, because the vault is not.
    Damaged,
}

impl From<WriteVaultError> for NotMade {
    fn from(error: WriteVaultError) -> Self {
        NotMade::Write(error)
    }
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Begins a backup.
    pub async fn backup_make(&self, args: PassphraseArgs) -> Result<BackupsView, CallError> {
        if held(&self.inner.integrity).backup.phase == TaskPhase::Running {
            return self.backup_list(()).await;
        }
        let passphrase = Zeroizing::new(args.passphrase);
        let (options, folder) = (self.vault_options(), self.inner.options.backups.clone());
        let now_ms = self.inner.options.clock.now_ms();
        // The task holds no app: closing the last one ends it.
        let inner = self.inner.clone();
        self.with(move |session| {
            let right = session.vault.is_passphrase(&passphrase, &options);
            if !right.map_err(|error| unlock_error(&error))? {
                return Err(CallError::new(Code::WrongPassphrase, "error-passphrase-asked").into());
            }
            // Asked once more with the session held: another may have begun while the passphrase was tried, and would have this name.
            if held(&inner.integrity).backup.phase == TaskPhase::Running {
                return Ok(());
            }
            std::fs::create_dir_all(&folder).map_err(|error| not_saved(&error))?;
            let path = folder.join(place::free_name(&folder, "mecum", now_ms));
            let copying = session.vault.begin_copy(&path)?;
            held(&inner.integrity).backup = BackupTask { phase: TaskPhase::Running, ..BackupTask::default() };
            let left = inner.clone();
            tokio::spawn(async move {
                if tokio::task::spawn_blocking(move || run_backup(&inner, copying)).await.is_err() {
                    let backup = &mut held(&left.integrity).backup;
                    (backup.phase, backup.message_id) =
                        (TaskPhase::Failed, Some("error-internal".to_owned()));
                    left.news.tell(Topic::Integrity);
                }
            });
            Ok(())
        })
        .await?;
        self.backup_list(()).await
    }

    /// Stops the backup that is being made.
    pub async fn backup_stop(&self, (): ()) -> Result<BackupsView, CallError> {
        held(&self.inner.integrity).backup.stop = true;
        self.backup_list(()).await
    }

    /// The backups.
    pub async fn backup_list(&self, (): ()) -> Result<BackupsView, CallError> {
        self.blocking(|app| Ok(app.backups())).await
    }

    fn backups(&self) -> BackupsView {
        let folder = &self.inner.options.backups;
        let mut backups: Vec<BackupView> = self.stored().into_iter().map(|(_, backup)| backup).collect();
        backups.sort_by(|a, b| b.made_ms.cmp(&a.made_ms).then_with(|| a.backup.cmp(&b.backup)));
        let last_ms =
            backups.iter().filter(|backup| !backup.aside).map(|backup| backup.made_ms).max().unwrap_or(0);
        let integrity = held(&self.inner.integrity);
        BackupsView {
            folder: folder.to_string_lossy().into_owned(),
            backups,
            last_ms,
            phase: integrity.backup.phase,
            percent: integrity.backup.percent,
            message_id: integrity.backup.message_id.clone(),
        }
    }

    /// Every file that can be restored from, with where it lies.
    fn stored(&self) -> Vec<(PathBuf, BackupView)> {
        let mut all = files_in(&self.inner.options.backups, false);
        all.extend(files_in(&place::aside_folder(self.profile()), true));
        all
    }

    /// Puts a backup in the vault's place and opens it.
    pub async fn backup_restore(&self, args: BackupRestoreArgs) -> Result<VaultView, CallError> {
        let BackupRestoreArgs { backup, passphrase } = args;
        let passphrase = Zeroizing::new(passphrase);
        let words = passphrase.clone();
        self.blocking(move |app| app.restore_from(&backup, &words)).await?;
        self.vault_unlock(PassphraseArgs { passphrase: passphrase.to_string() }).await
    }

    fn restore_from(&self, backup: &str, passphrase: &str) -> Result<(), CallError> {
        let _turn = held(&self.inner.turn);
        if self.inner.is_open() {
            return Err(CallError::new(Code::VaultExists, "error-restore-open"));
        }
        self.finish_exchange()?;
        // Only what the list names: a name from outside is never a path.
        let found = self.stored().into_iter().find(|(_, stored)| stored.backup == backup);
        let (from, _) = found.ok_or_else(|| CallError::new(Code::NotFound, "error-backup-gone"))?;
        let profile = self.profile();
        std::fs::create_dir_all(profile).map_err(|error| not_saved(&error))?;
        let Some(hold) = hold(&self.location()) else {
            return Err(CallError::new(Code::InUse, "error-in-use"));
        };
        place::clear_part(profile);
        let done = self.read_back(&from, passphrase).and_then(|()| {
            place::set_aside(profile, self.inner.options.clock.now_ms())
                .and_then(|_| place::exchange(profile, &hold, &self.inner.looks.none()))
                .map_err(|error| not_saved(&error))
        });
        place::clear_part(profile);
        drop(hold);
        done
    }

    /// Copies a backup here and reads all of it before anything is exchanged.
    fn read_back(&self, from: &Path, passphrase: &str) -> Result<(), CallError> {
        let part = place::part(self.profile());
        place::copy(from, &part).map_err(|error| not_saved(&error))?;
        let now_ms = self.inner.options.clock.now_ms();
        let guess = self.count_guess(from, now_ms).map_err(|error| unlock_error(&error))?;
        let at = Location::File(part);
        let report = Vault::examine(&at, passphrase, now_ms, true, &self.vault_options());
        let wrong = matches!(report, Err(UnlockVaultError::WrongPassphrase { .. }));
        let report = match guess {
            Some(guess) if wrong => Err(guess.was_wrong()),
            Some(guess) => {
                guess.was_right();
                report
            }
            None => report,
        };
        let report = report.map_err(|error| unlock_error(&error))?;
        if report.is_clean() { Ok(()) } else { Err(CallError::new(Code::Damaged, "error-backup-damaged")) }
    }

    /// Counts a try at a backup's passphrase in the vault, or where there is none that counts, in the backup: what is counted in the
    /// copy that is read goes with it. `None` where neither can be written; then nothing of it opens either.
    fn count_guess(&self, from: &Path, now_ms: i64) -> Result<Option<Guess>, UnlockVaultError> {
        for at in [self.location(), Location::File(from.to_owned())] {
            match Guess::count(&at, now_ms) {
                Ok(guess) => return Ok(Some(guess)),
                Err(waiting @ UnlockVaultError::Waiting { .. }) => return Err(waiting),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Finishes an exchange of vaults that failed half-way. Asked before anything is done with the vault, with the turn held: what was
    /// written to the vault from before would be gone when the exchange is finished afterwards.
    pub(crate) fn finish_exchange(&self) -> Result<(), CallError> {
        if !place::is_under_way(self.profile()) {
            return Ok(());
        }
        place::finish(self.profile(), &self.inner.looks.none()).map_err(|error| match error.kind() {
            std::io::ErrorKind::ResourceBusy => CallError::new(Code::InUse, "error-in-use"),
            _ => not_saved(&error),
        })
    }

    /// Sets a vault aside, to begin anew.
    pub async fn vault_set_aside(&self, (): ()) -> Result<VaultView, CallError> {
        self.blocking(|app| {
            let _turn = held(&app.inner.turn);
            if app.inner.is_open() {
                return Err(CallError::new(Code::VaultExists, "error-restore-open"));
            }
            app.finish_exchange()?;
            let now_ms = app.inner.options.clock.now_ms();
            let Some(hold) = hold(&app.location()) else {
                return Err(CallError::new(Code::InUse, "error-in-use"));
            };
            place::set_aside(app.profile(), now_ms)
                .and_then(|_| place::clear_vault(app.profile(), &app.inner.looks.none()))
                .map_err(|error| not_saved(&error))?;
            drop(hold);
            app.inner.note_damage(false);
            Ok(app.vault_view())
        })
        .await
    }
}

/// Makes a backup to the end.
fn run_backup(inner: &Arc<Inner>, copying: Copying) {
    let outcome = make_backup(inner, copying);
    let task = match outcome {
        Ok(()) => BackupTask { phase: TaskPhase::Done, percent: 100, ..BackupTask::default() },
        Err(NotMade::Stopped) => BackupTask { phase: TaskPhase::Stopped, ..BackupTask::default() },
        Err(error) => {
            let message_id = match error {
                NotMade::Write(WriteVaultError::NotSaved { full: true }) => "error-not-saved-full",
                NotMade::Write(WriteVaultError::Damaged { .. }) | NotMade::Damaged => {
                    "error-backup-of-damaged"
                }
                _ => "error-not-saved",
            };
            BackupTask {
                phase: TaskPhase::Failed,
                message_id: Some(message_id.into()),
                ..BackupTask::default()
            }
        }
    };
    held(&inner.integrity).backup = task;
    inner.news.tell(Topic::Integrity);
}

fn make_backup(inner: &Arc<Inner>, mut copying: Copying) -> Result<(), NotMade> {
    // The first half is writing it, the second reading it back.
    let go_on = |percent: u8| {
        let mut integrity = held(&inner.integrity);
        integrity.backup.percent = percent;
        !integrity.backup.stop
    };
    if !copying.write(|written| go_on(written / 2))? {
        return Err(NotMade::Stopped);
    }
    let checking = inner.session(|session| session.vault.begin_reading_back(&copying));
    let mut checking = checking.ok_or(NotMade::Stopped)??;
    checking.walk_structure();
    while !inner.session(|session| session.vault.step_check(&mut checking)).ok_or(NotMade::Stopped)? {
        if !go_on(50 + checking.percent() / 2) {
            return Err(NotMade::Stopped);
        }
        std::thread::sleep(BREATH);
    }
    if !checking.report().is_clean() {
        return Err(NotMade::Damaged);
    }
    drop(checking);
    Ok(copying.finish()?)
}

fn files_in(folder: &Path, aside: bool) -> Vec<(PathBuf, BackupView)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let (Some(name), Ok(meta)) = (path.file_name().and_then(|name| name.to_str()), entry.metadata())
        else {
            continue;
        };
        if !meta.is_file() || path.extension().is_none_or(|ending| ending != place::ENDING) {
            continue;
        }
        let written = meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let written = written.and_then(|at| i64::try_from(at.as_millis()).ok()).unwrap_or(0);
        let made_ms = place::moment_of(name).unwrap_or(written);
        let backup = BackupView { backup: name.to_owned(), made_ms, bytes: meta.len(), aside };
        all.push((path, backup));
    }
    all
}

/// How a screen says that a file could not be written.
pub(super) fn not_saved(error: &std::io::Error) -> CallError {
    let full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    CallError::new(Code::NotSaved, if full { "error-not-saved-full" } else { "error-not-saved" })
}
