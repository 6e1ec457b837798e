//! Mending a vault: what is good of it goes into a new file as it is, and what is made from the record is made again. Where documents
//! are hit, they alone are made again, from here or from what the server has; where more is, a session begins anew in that file,
//! fetches everything and verifies it. Only a file that was read back, and in which nothing readable is missing, takes the vault's
//! place; the damaged one is set aside.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use mecum_api::{
    CallError, CheckView, Code, Finding, FindingKind, MendBy, MendView, PassphraseArgs, TaskPhase, Topic,
};
use mecum_seal::VerifyingKey;
use mecum_sync::Follower;
use mecum_vault::{Location, Salvage, Table, UnlockVaultError};
use zeroize::Zeroizing;

use super::backups::not_saved;
use super::findings::{Reach, are_runs_alone, findings_of, reach_of};
use super::outcome::{Outcome, beyond_reading};
use super::place;
use super::runs::runs_not_made;
use crate::app::{App, held};
use crate::broken::internal;
use crate::driver::{SERVER_PIN, SERVER_URL};
use crate::error::unlock_error;
use crate::session::Session;

/// A vault that was put together anew.
pub(super) struct Mended {
    pub(super) session: Session,
    /// Unsent edits that are kept.
    pub(super) unsent: u32,
    /// How.
    pub(super) by: MendBy,
    /// Rows that are lost and that nothing here, nor a server, has.
    pub(super) beyond: u32,
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// What is damaged in a vault that is not open.
    pub async fn vault_examine(&self, args: PassphraseArgs) -> Result<CheckView, CallError> {
        let passphrase = Zeroizing::new(args.passphrase);
        self.blocking(move |app| {
            let _turn = held(&app.inner.turn);
            if app.inner.is_open() {
                return Err(CallError::new(Code::VaultExists, "error-restore-open"));
            }
            app.finish_exchange()?;
            let ended_ms = app.inner.options.clock.now_ms();
            let view = CheckView { phase: TaskPhase::Done, percent: 100, ended_ms, ..CheckView::default() };
            match app.salvage(&passphrase) {
                Ok(salvage) => {
                    let (report, server) = (salvage.report(), has_server(&salvage));
                    Ok(CheckView {
                        looked: report.rows + report.envelopes,
                        findings: findings(&salvage, server),
                        ..view
                    })
                }
                Err(UnlockVaultError::Damaged { .. }) => Ok(CheckView { findings: beyond_reading(), ..view }),
                Err(error) => Err(unlock_error(&error)),
            }
        })
        .await
    }

    /// Mends the vault.
    pub async fn vault_mend(&self, args: PassphraseArgs) -> Result<MendView, CallError> {
        if held(&self.inner.integrity).mend.phase == TaskPhase::Running {
            return self.mend_status(()).await;
        }
        let passphrase = Zeroizing::new(args.passphrase);
        let words = passphrase.clone();
        let salvage = self.blocking(move |app| app.begin_mending(&words)).await?;
        held(&self.inner.integrity).mend = MendView { phase: TaskPhase::Running, ..MendView::default() };
        let app = self.clone();
        tokio::spawn(async move {
            let outcome = match salvage {
                Some(salvage) => {
                    let mending = AssertUnwindSafe(app.mend(salvage)).catch_unwind();
                    mending.await.unwrap_or_else(|_| Err(internal()))
                }
                None => Ok(Outcome::beyond_reading()),
            };
            let outcome = outcome
                .unwrap_or_else(|error| Outcome { message_id: Some(error.message_id), ..Outcome::none() });
            app.end_mending(outcome, &passphrase).await;
        });
        self.mend_status(()).await
    }

    /// Opens what is there now, which finishes what could not be put in place, and says what became of the mending.
    async fn end_mending(&self, mut outcome: Outcome, passphrase: &str) {
        let opened = self.open_after_mending(passphrase).await;
        outcome.look_again(place::is_under_way(self.profile()));
        if outcome.left.is_empty()
            && let Err(error) = opened
        {
            // Mended, and not open: why is said where nothing else is.
            outcome.message_id.get_or_insert(error.message_id);
        }
        let phase = if outcome.message_id.is_some() { TaskPhase::Failed } else { TaskPhase::Done };
        let Outcome { found, left, entries, unsent, aside, by, message_id } = outcome;
        let vault = mecum_api::VaultView::default();
        held(&self.inner.integrity).mend =
            MendView { phase, found, left, entries, unsent, aside, by, message_id, vault };
        self.inner.news.tell(Topic::Integrity);
    }

    /// Opens the vault as it is now, mended or not; where it does not open, the person is asked again. Whoever has locked meanwhile has
    /// left: then it stays locked.
    async fn open_after_mending(&self, passphrase: &str) -> Result<(), CallError> {
        let was_locked = || held(&self.inner.integrity).locked;
        if was_locked() {
            return Ok(());
        }
        self.vault_unlock(PassphraseArgs { passphrase: passphrase.to_owned() }).await?;
        // Between looking and opening: that lock found nothing to lock.
        if was_locked() {
            self.blocking(|app| {
                app.inner.lock_now();
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Locks what is open and reads what is good. `None` where not even the key can be read.
    fn begin_mending(&self, passphrase: &str) -> Result<Option<Salvage>, CallError> {
        let options = self.vault_options();
        let right = self.inner.session(|session| session.vault.is_passphrase(passphrase, &options));
        if let Some(Ok(false)) = right {
            return Err(CallError::new(Code::WrongPassphrase, "error-passphrase-asked"));
        }
        self.inner.lock_now();
        held(&self.inner.integrity).locked = false;
        let _turn = held(&self.inner.turn);
        self.finish_exchange()?;
        match self.salvage(passphrase) {
            Ok(salvage) => Ok(Some(salvage)),
            Err(UnlockVaultError::Damaged { .. }) => Ok(None),
            Err(error) => Err(unlock_error(&error)),
        }
    }

    fn salvage(&self, passphrase: &str) -> Result<Salvage, UnlockVaultError> {
        let now_ms = self.inner.options.clock.now_ms();
        let mut salvage = Salvage::open(&self.location(), passphrase, now_ms, &self.vault_options())?;
        salvage.note(runs_not_made(&salvage));
        Ok(salvage)
    }

    async fn mend(&self, mut salvage: Salvage) -> Result<Outcome, CallError> {
        let server = has_server(&salvage);
        let found = findings(&salvage, server);
        if found.is_empty() {
            return Ok(Outcome::none());
        }
        place::clear_part(self.profile());
        let made = self.put_together(&mut salvage, server).await;
        let replaced = tokio::task::block_in_place(|| {
            made.and_then(|mended| {
                let taken = self.take_over(salvage, mended, found.clone());
                taken.map_err(|error| Some(error.message_id))
            })
        });
        let outcome = replaced.unwrap_or_else(|message_id| {
            let left = found.clone();
            Outcome { found, left, message_id, ..Outcome::none() }
        });
        place::clear_part(self.profile());
        Ok(outcome)
    }

    /// The new vault, with as little made anew as can be vouched for. The error says what is missing, or nothing where only a backup
    /// would help.
    async fn put_together(&self, salvage: &mut Salvage, server: bool) -> Result<Mended, Option<String>> {
        let at = Location::File(place::part(self.profile()));
        let (options, around) = (self.vault_options(), self.surroundings());
        let reach = reach_of(salvage.report());
        // An account that was never anywhere else has nobody who could have seen what is lost here: what there is is all there is.
        if reach < Reach::Whole || !server {
            let local = tokio::task::block_in_place(|| {
                Session::rebuild_pieces(salvage, None, &at, &options, around.clone())
            });
            match local {
                Ok(mended) => return Ok(mended),
                Err(_) => place::clear_part(self.profile()),
            }
        }
        if !server {
            return Err(None);
        }
        if reach < Reach::Whole {
            // What is fetched for it lies in memory, and goes when its documents were taken over.
            let fetched = Session::fetch_all(salvage, &Location::Memory, &options, around.clone()).await;
            let fetched = fetched.map_err(|error| Some(error.message_id))?;
            let by_part = tokio::task::block_in_place(|| {
                Session::rebuild_pieces(salvage, Some(&fetched), &at, &options, around.clone())
            });
            match by_part {
                Ok(mended) => return Ok(mended),
                Err(_) => place::clear_part(self.profile()),
            }
        }
        if are_runs_alone(salvage.report()) {
            // The server has lost them, too. Every word of the record is here: it is not given for what the server has.
            return Err(Some("error-mend-loses".to_owned()));
        }
        Session::rebuild_from_server(salvage, &at, &options, around)
            .await
            .map_err(|error| Some(error.message_id))
    }

    /// Reads the new vault back and puts it in the old one's place.
    fn take_over(&self, salvage: Salvage, mended: Mended, found: Vec<Finding>) -> Result<Outcome, CallError> {
        let Mended { mut session, unsent, by, beyond } = mended;
        let lost = || CallError::new(Code::Damaged, "error-mend-loses");
        let entries = session.verify_against(&salvage).ok_or_else(lost)?;
        session.lock()?;
        let hold = salvage.into_hold().ok_or_else(|| CallError::new(Code::InUse, "error-in-use"))?;
        let now_ms = self.inner.options.clock.now_ms();
        let aside = place::set_aside(self.profile(), now_ms).map_err(|error| not_saved(&error))?;
        let exchanged = place::exchange(self.profile(), &hold, &self.inner.looks.none())
            .map_err(|error| not_saved(&error));
        // Stopped in its middle it is finished before the vault opens again; whether it could be is looked at then.
        let message_id = match exchanged {
            Err(error) if place::is_under_way(self.profile()) => Some(error.message_id),
            done => done.map(|()| None)?,
        };
        // What nothing can bring back is said, although there is nothing to do about it.
        let mut left: Vec<Finding> =
            found.iter().copied().filter(|finding| finding.mend == MendBy::Nothing).collect();
        if beyond > 0 {
            left.push(Finding { kind: FindingKind::Bookkeeping, count: beyond, mend: MendBy::Nothing });
        }
        Ok(Outcome { found, left, entries, unsent, aside, by: Some(by), message_id })
    }
}

/// Whether there is a server that can be told from any other: without its key nobody who answers is believed.
fn has_server(salvage: &Salvage) -> bool {
    server_url(salvage).is_some() && server_pin(salvage).is_some()
}

/// The server's address, also an older one: who answers there must have the key that is pinned.
pub(super) fn server_url(salvage: &Salvage) -> Option<&[u8]> {
    setting(salvage, SERVER_URL)
}

/// The server's pinned key: what the device followed it by, or where that is lost, as it is kept a second time.
pub(super) fn server_pin(salvage: &Salvage) -> Option<VerifyingKey> {
    let follower = salvage.get(Table::Sync, b"follower").and_then(|body| Follower::from_bytes(body).ok());
    let followed = follower.as_ref().and_then(|follower| follower.relay().copied());
    followed.or_else(|| std::str::from_utf8(setting(salvage, SERVER_PIN)?).ok()?.parse().ok())
}

fn setting<'s>(salvage: &'s Salvage, name: &[u8]) -> Option<&'s [u8]> {
    let found = salvage.rows().iter().find(|row| row.table == Table::Setting && row.name == name);
    found.map(|row| row.body.as_slice())
}

/// The findings; without the device's own keys nothing can be fetched in its name.
fn findings(salvage: &Salvage, server: bool) -> Vec<Finding> {
    let knows_itself = salvage.get(Table::Account, b"identity").is_some();
    let mut all = findings_of(salvage.report(), server && knows_itself);
    for finding in &mut all {
        if finding.kind == FindingKind::Identity && knows_itself {
            // Entries of the account's log, which the server shows again.
            finding.kind = FindingKind::Bookkeeping;
            finding.mend = if server { MendBy::Server } else { MendBy::Here };
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use mecum_api::{VaultCreateArgs, VaultPhase};
    use mecum_domain::{ChartId, Field, Kind};
    use mecum_seal::testing::{SeededEntropy, fast_kdf};

    use super::*;
    use crate::app::AppOptions;
    use crate::testing::PASSPHRASE;

    /// A locked vault with four notes, of which the rows that say where the last ones lie are gone.
    async fn damaged(folder: &Path) -> (App, ChartId) {
        let entropy = Arc::new(SeededEntropy::new(7));
        let app = App::open(AppOptions { kdf: fast_kdf(), entropy, ..AppOptions::new(folder.to_owned()) });
        let args = VaultCreateArgs {
            passphrase: PASSPHRASE.to_owned(),
            name: "Laras".to_owned(),
            born: None,
            device_name: "phone".to_owned(),
        };
        app.vault_create(args).await.expect("a vault");
        let write = |session: &mut Session| {
            let chart = session.charts().first().copied().expect("a chart");
            for n in 0..4 {
                session.add(chart, Kind::Note, vec![(Field::Text, format!("note {n}"))])?;
            }
            Ok(chart)
        };
        let chart = app.with(write).await.expect("written");
        app.vault_lock(()).await.expect("locks");
        let file = rusqlite::Connection::open(place::vault(folder)).expect("a database");
        let last = "SELECT at FROM row WHERE kind = 8 ORDER BY at DESC LIMIT 2";
        let gone = file.execute(&format!("DELETE FROM row WHERE at IN ({last})"), []).expect("plain SQL");
        assert_eq!(gone, 2, "rows are gone");
        (app, chart)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_mended_and_could_not_be_put_in_place_is_put_there_by_the_unlock() {
        let folder = tempfile::tempdir().expect("a folder");
        let (app, chart) = damaged(folder.path()).await;
        let salvage = app.begin_mending(PASSPHRASE).expect("it can be read").expect("with its key");
        // What lies beside the vault cannot be removed for a while.
        let in_the_way = folder.path().join("vault.sqlite-shm");
        std::fs::remove_file(&in_the_way).expect("it is read");
        std::fs::create_dir(&in_the_way).expect("made");
        let outcome = app.mend(salvage).await.expect("it is put together");
        assert!(place::is_under_way(app.profile()), "its last step stopped in its middle");
        assert_eq!(outcome.message_id.as_deref(), Some("error-not-saved"), "which it says");
        std::fs::remove_dir(&in_the_way).expect("removed");
        app.end_mending(outcome, PASSPHRASE).await;
        assert!(!place::is_under_way(app.profile()), "the unlock finished it");
        let view = app.mend_status(()).await.expect("a status");
        assert_eq!(
            (view.phase, view.by, view.message_id),
            (TaskPhase::Done, Some(MendBy::Here), None),
            "told"
        );
        let rows = app.with(move |session| Ok(session.rows(chart)?.newest().len())).await.expect("open");
        assert_eq!((rows, u32::try_from(rows)), (5, Ok(view.entries)), "with the person and every note");
        assert!(app.with(|session| Ok(session.is_sound_for_tests())).await.expect("open"), "and sound");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_looks_at_a_vaults_files_while_they_are_exchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let (app, _) = damaged(folder.path()).await;
        let no_looks = app.inner.looks.none();
        // As half an exchange.
        std::fs::write(place::vault(folder.path()), b"neither the old one nor the new one").expect("writes");
        assert_eq!(app.vault_view().phase, VaultPhase::Locked, "one is being put there");
        app.inner.note_damage(true);
        let phase = app.vault_view().phase;
        assert_eq!(
            phase,
            VaultPhase::Damaged,
            "in the place of one that is damaged: nobody is asked to unlock"
        );
        app.inner.note_damage(false);
        drop(no_looks);
        assert_eq!(app.vault_view().phase, VaultPhase::Damaged, "now it is looked at");
        let view = app.inner.looks.look(|| app.inner.looks.look(|| ()));
        assert_eq!(view, Some(Some(())), "who looks keeps nobody else from it");
    }
}
