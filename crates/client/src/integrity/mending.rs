//! Mending a vault: what is good of it goes into a new file, what is made from the record is made again, and what only the server
//! has is fetched by a session that begins anew in that file and verifies everything. Only a file that was read back, and in which
//! nothing readable is missing, takes the vault's place; the damaged one is set aside.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use mecum_api::{
    CallError, CheckView, Code, Finding, FindingKind, MendBy, MendView, PassphraseArgs, TaskPhase, Topic,
};
use mecum_vault::{CheckReport, Location, Problem, Salvage, Table, UnlockVaultError};
use zeroize::Zeroizing;

use super::backups::not_saved;
use super::findings::findings_of;
use super::place;
use crate::app::{App, held};
use crate::broken::internal;
use crate::driver::SERVER_URL;
use crate::error::unlock_error;
use crate::session::Session;

/// A vault that was put together anew.
pub(super) struct Mended {
    pub(super) session: Session,
    /// Unsent edits that are kept.
    pub(super) unsent: u32,
}

/// What became of a mending.
struct Outcome {
    found: Vec<Finding>,
    left: Vec<Finding>,
    entries: u32,
    unsent: u32,
    aside: Option<String>,
    message_id: Option<String>,
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
            // The vault opens as it is now, mended or not; where it does not, the person is asked again.
            let opened = app.vault_unlock(PassphraseArgs { passphrase: passphrase.to_string() }).await;
            let failed = outcome.message_id.is_some() || opened.is_err() && outcome.left.is_empty();
            let phase = if failed { TaskPhase::Failed } else { TaskPhase::Done };
            let Outcome { found, left, entries, unsent, aside, message_id } = outcome;
            held(&app.inner.integrity).mend =
                MendView { phase, found, left, entries, unsent, aside, message_id, ..MendView::default() };
            app.inner.news.tell(Topic::Integrity);
        });
        self.mend_status(()).await
    }

    /// Locks what is open and reads what is good. `None` where not even the key can be read.
    fn begin_mending(&self, passphrase: &str) -> Result<Option<Salvage>, CallError> {
        let options = self.vault_options();
        let right = self.inner.session(|session| session.vault.is_passphrase(passphrase, &options));
        if let Some(Ok(false)) = right {
            return Err(CallError::new(Code::WrongPassphrase, "error-passphrase-asked"));
        }
        self.inner.lock_now();
        let _turn = held(&self.inner.turn);
        match self.salvage(passphrase) {
            Ok(salvage) => Ok(Some(salvage)),
            Err(UnlockVaultError::Damaged { .. }) => Ok(None),
            Err(error) => Err(unlock_error(&error)),
        }
    }

    fn salvage(&self, passphrase: &str) -> Result<Salvage, UnlockVaultError> {
        let now_ms = self.inner.options.clock.now_ms();
        Salvage::open(&self.location(), passphrase, now_ms, &self.vault_options())
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

    /// The new vault, from here where that can be vouched for, else from the server. The error says what is missing, or nothing
    /// where only a backup would help.
    async fn put_together(&self, salvage: &mut Salvage, server: bool) -> Result<Mended, Option<String>> {
        let at = Location::File(place::part(self.profile()));
        let (options, around) = (self.vault_options(), self.surroundings());
        // An account that was never anywhere else has nobody who could have seen what is lost here: what there is is all there is.
        if is_derived_only(salvage) || !server {
            let local =
                tokio::task::block_in_place(|| Session::rebuild_here(salvage, &at, &options, around.clone()));
            if let Ok(session) = local {
                return Ok(Mended { session, unsent: 0 });
            }
            place::clear_part(self.profile());
        }
        if !server {
            return Err(None);
        }
        Session::rebuild_from_server(salvage, &at, &options, around)
            .await
            .map_err(|error| Some(error.message_id))
    }

    /// Reads the new vault back and puts it in the old one's place.
    fn take_over(&self, salvage: Salvage, mended: Mended, found: Vec<Finding>) -> Result<Outcome, CallError> {
        let Mended { mut session, unsent } = mended;
        let lost = || CallError::new(Code::Damaged, "error-mend-loses");
        let entries = session.verify_against(&salvage).ok_or_else(lost)?;
        session.lock()?;
        let _hold = salvage.into_hold();
        let now_ms = self.inner.options.clock.now_ms();
        let aside = place::set_aside(self.profile(), now_ms).map_err(|error| not_saved(&error))?;
        place::exchange(self.profile()).map_err(|error| not_saved(&error))?;
        // What nothing can bring back is said, although there is nothing to do about it.
        let left = found.iter().copied().filter(|finding| finding.mend == MendBy::Nothing).collect();
        Ok(Outcome { found, left, entries, unsent, aside, message_id: None })
    }
}

impl Outcome {
    fn none() -> Self {
        Outcome { found: Vec::new(), left: Vec::new(), entries: 0, unsent: 0, aside: None, message_id: None }
    }

    fn beyond_reading() -> Self {
        Outcome { found: beyond_reading(), left: beyond_reading(), ..Outcome::none() }
    }
}

/// The file cannot be read as a vault at all.
fn beyond_reading() -> Vec<Finding> {
    vec![Finding { kind: FindingKind::File, count: 1, mend: MendBy::Backup }]
}

fn has_server(salvage: &Salvage) -> bool {
    salvage.get(Table::Setting, SERVER_URL).is_some()
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

/// Whether everything that is damaged is made from something that is good here.
fn is_derived_only(salvage: &Salvage) -> bool {
    let report: &CheckReport = salvage.report();
    let derived = |table: &Option<Table>| {
        matches!(
            table,
            None | Some(Table::View | Table::Outbox | Table::Setting | Table::Import | Table::Quarantine)
        )
    };
    let by_rows = report.problems.iter().all(|problem| match problem {
        Problem::RowsMissing { table, .. }
        | Problem::RowsAdded { table, .. }
        | Problem::RowRepeated { table }
        | Problem::RowDamaged { table }
        | Problem::RowRolledBack { table, .. } => derived(table),
        // What of these matters is looked at below: whether the envelopes are all there.
        Problem::DocumentHeadMissing { .. }
        | Problem::EnvelopeMissing { .. }
        | Problem::EnvelopeAdded { .. }
        | Problem::EnvelopeRepeated { .. }
        | Problem::EnvelopesSwapped { .. }
        | Problem::EnvelopeDamaged { .. } => true,
        _ => false,
    });
    by_rows && salvage.logs().into_iter().all(|document| salvage.envelopes(document).whole)
}
