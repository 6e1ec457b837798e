//! Whether what is kept is as it was written, and what can be done where it is not: the check, backups, restoring, mending.
//!
//! One rule holds for all of it: good data is never removed. What takes a vault's place was read back before, and what was in its
//! place is set aside in a file that stays.

mod backups;
mod bringing;
mod findings;
mod mending;
mod outcome;
mod pieces;
pub(crate) mod place;
mod rebuilding;
mod runs;

use std::sync::Arc;
use std::time::Duration;

use mecum_api::{CallError, CheckView, MendView, TaskPhase, Topic};
use mecum_vault::Checking;

use crate::app::{App, Inner, held};
use crate::error::SessionError;
use crate::session::Session;
use findings::findings_of;
use runs::Remaking;
pub(crate) use runs::runs_not_made;

/// Between two steps the vault is free this long: whoever waits for it gets it.
const BREATH: Duration = Duration::from_millis(1);

/// What is under way, and what came of the last.
#[derive(Default)]
pub(crate) struct Integrity {
    check: CheckView,
    stop_check: bool,
    backup: BackupTask,
    mend: MendView,
    /// A lock was asked for since the mending began.
    locked: bool,
}

/// The backup that is being made, or was made last.
#[derive(Default)]
struct BackupTask {
    phase: TaskPhase,
    percent: u8,
    message_id: Option<String>,
    stop: bool,
}

impl Integrity {
    /// The vault is being locked: what reads it ends, and what mends it does not open it.
    pub(crate) fn stop_all(&mut self) {
        self.stop_check = true;
        self.backup.stop = true;
        self.locked = true;
    }
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Begins to check the open vault.
    pub async fn check_begin(&self, (): ()) -> Result<CheckView, CallError> {
        if held(&self.inner.integrity).check.phase == TaskPhase::Running {
            return self.check_status(()).await;
        }
        let checking = self.with(|session| session.vault.begin_check().map_err(SessionError::from)).await?;
        {
            let mut integrity = held(&self.inner.integrity);
            integrity.stop_check = false;
            integrity.check = CheckView { phase: TaskPhase::Running, ..CheckView::default() };
        }
        // The task holds no app: closing the last one ends it.
        let (inner, left) = (self.inner.clone(), self.inner.clone());
        tokio::spawn(async move {
            if tokio::task::spawn_blocking(move || run_check(&inner, checking)).await.is_err() {
                let check = &mut held(&left.integrity).check;
                (check.phase, check.message_id) = (TaskPhase::Failed, Some("error-internal".to_owned()));
                left.news.tell(Topic::Integrity);
            }
        });
        self.check_status(()).await
    }

    /// How far the check is.
    pub async fn check_status(&self, (): ()) -> Result<CheckView, CallError> {
        Ok(held(&self.inner.integrity).check.clone())
    }

    /// Stops the check.
    pub async fn check_stop(&self, (): ()) -> Result<CheckView, CallError> {
        held(&self.inner.integrity).stop_check = true;
        self.check_status(()).await
    }

    /// How far the mending is.
    pub async fn mend_status(&self, (): ()) -> Result<MendView, CallError> {
        // In this order: a mending that has ended opened the vault before it said so.
        let mend = held(&self.inner.integrity).mend.clone();
        let vault = self.vault_status(()).await?;
        Ok(MendView { vault, ..mend })
    }
}

/// Checks to the end, or until it is stopped or the vault is locked.
fn run_check(inner: &Arc<Inner>, mut checking: Checking) {
    checking.walk_structure();
    let mut remaking = Remaking::default();
    let mut told = 0;
    let phase = loop {
        if held(&inner.integrity).stop_check {
            break TaskPhase::Stopped;
        }
        mecum_trip::here("check");
        let step = |session: &mut Session| {
            session.vault.step_check(&mut checking) && session.step_remaking(&mut remaking)
        };
        match inner.session(step) {
            None => break TaskPhase::Stopped,
            Some(true) => break TaskPhase::Done,
            Some(false) => {}
        }
        // Most of a vault is rows and envelopes as they are.
        let percent = checking.percent() / 10 * 9 + remaking.percent() / 10;
        let looked = checking.report().rows + checking.report().envelopes;
        let check = &mut held(&inner.integrity).check;
        (check.percent, check.looked) = (percent, looked);
        if percent != told {
            told = percent;
            inner.news.tell(Topic::Integrity);
        }
        std::thread::sleep(BREATH);
    };
    let mut report = checking.report().clone();
    report.problems.append(&mut remaking.found);
    drop((checking, remaking));
    let server = inner.session(|session| session.home().is_some()).unwrap_or(false);
    let mut integrity = held(&inner.integrity);
    integrity.check = CheckView {
        phase,
        percent: if phase == TaskPhase::Done { 100 } else { integrity.check.percent },
        looked: report.rows + report.envelopes,
        findings: findings_of(&report, server),
        ended_ms: inner.options.clock.now_ms(),
        message_id: None,
    };
    drop(integrity);
    inner.news.tell(Topic::Integrity);
}
