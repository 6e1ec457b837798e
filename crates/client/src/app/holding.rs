//! The open session: who works on it, what a panic leaves of it, and how it is locked.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use mecum_api::{SyncView, Topic};
use mecum_seal::with_wiped_stack;
use mecum_sync::controls::is_out;

use super::{App, Inner, held};
use crate::broken::contained;
use crate::error::SessionError;
use crate::imports::Imports;
use crate::pairing::Pairing;
use crate::session::Session;

impl Inner {
    pub(crate) fn lock_now(&self) {
        with_wiped_stack(|| self.lock_session());
    }

    fn lock_session(&self) {
        self.keep_gathered();
        held(&self.integrity).stop_all();
        let _turn = held(&self.turn);
        let Some(session) = self.open_session().take() else { return };
        *held(&self.imports) = Imports::default();
        *held(&self.kit) = None;
        {
            let mut pairing = held(&self.pairing);
            pairing.take_back(&self.options.entropy);
            *pairing = Pairing::default();
        }
        *held(&self.invitations) = crate::members::Invitations::default();
        *held(&self.desks) = crate::members::Desks::default();
        *held(&self.parts) = crate::helpers::OpenParts::default();
        {
            let mut link = held(&self.link);
            *link = SyncView { server: link.server.clone(), ..SyncView::default() };
        }
        // A tail that cannot be folded stays as envelopes; locking must not fail for it.
        if session.lock().is_err() {
            crate::broken::say("mecum: a tail was not folded at lock; its envelopes stay");
        }
        self.count_lock();
        // The driver closes what is signed in.
        self.poke.notify_one();
        self.news.tell(Topic::Vault);
    }

    fn count_lock(&self) {
        self.locks.send_modify(|locks| *locks += 1);
    }

    /// Runs something on the open session from a task; nothing if it is locked.
    pub(crate) fn session<T>(&self, work: impl FnOnce(&mut Session) -> T) -> Option<T> {
        with_wiped_stack(|| self.open_session().as_mut().map(work))
    }

    /// Whether the vault is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open_session().is_some()
    }

    /// Notes whether what is there is damaged: a locked vault does not tell it by itself.
    pub(crate) fn note_damage(&self, damaged: bool) {
        if self.damaged.swap(damaged, Ordering::Relaxed) != damaged {
            self.news.tell(Topic::Vault);
        }
    }

    /// The open session. One that a panic left is opened anew from its vault: half a step may be in its memory, but never in its
    /// vault. Where that does not go either, the vault is locked.
    pub(crate) fn open_session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(|left| {
            let mut session = left.into_inner();
            if !is_out("reopens") {
                self.session.clear_poison();
            }
            self.open_anew(&mut session);
            session
        })
    }

    /// Opens a session that a panic left anew from its vault, or locks it.
    pub(crate) fn open_anew(&self, session: &mut Option<Session>) {
        if is_out("reopens") {
            return;
        }
        let was_open = session.is_some();
        *session = session.take().and_then(opened_anew);
        if was_open && session.is_none() {
            self.count_lock();
        }
        self.news.tell(Topic::Vault);
    }
}

impl App {
    /// Waits until the vault has been locked more often than `seen` times since this profile was opened, by whoever it came. Answers how
    /// often. A lock that is followed by an unlock at once is heard all the same: news say only that something changed.
    pub async fn locked_after(&self, seen: u64) -> u64 {
        let mut locks = self.inner.locks.subscribe();
        // What tells them is as old as the app, which waits here.
        locks.wait_for(|locks| *locks > seen).await.map_or(seen, |locks| *locks)
    }
}

/// A session as its vault has it.
fn opened_anew(left: Session) -> Option<Session> {
    let open = || -> Result<Session, SessionError> {
        let mut session = left.reopen()?;
        session.finish_founding()?;
        Ok(session)
    };
    contained(open)?.ok()
}
