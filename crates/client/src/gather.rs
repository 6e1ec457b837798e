//! Edits that come close together share one sync of the disk (DESIGN 6, "Batches, not keystrokes").
//!
//! An edit that comes alone is committed at once. Those that follow closely wait for each other; then each is a transaction and an
//! envelope of its own, and one sync makes all of them durable. Nobody is told "saved" before it, and nobody looks at the session
//! between the edits and the sync. This module must not know what an edit does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecum_api::{CallError, Code};
use mecum_vault::{Durability, Table};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::app::{App, Inner, held};
use crate::broken::{contained, internal};
use crate::error::SessionError;
use crate::session::Session;

/// An edit that follows the last ones within this may be part of a burst.
const CLOSELY: Duration = Duration::from_millis(250);

/// For so long an edit waits for a second one; who writes one after the other loses no more.
const ALONE: Duration = Duration::from_millis(40);

/// So much quiet ends a burst.
const QUIET: Duration = Duration::from_millis(250);

/// And so much time ends it in any case.
const LONGEST: Duration = Duration::from_secs(1);

/// Says what became of an edit, once it is known whether it is durable.
type Tell = Box<dyn FnOnce(Result<(), CallError>) + Send>;

/// An edit that waits for its turn. Without a session it is refused.
type Edit = Box<dyn FnOnce(Option<&mut Session>) -> Tell + Send>;

/// The edits that wait.
#[derive(Default)]
pub(crate) struct Gathering {
    queue: Mutex<Queue>,
    came: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Edit>,
    /// Somebody sees to those that wait.
    is_seen_to: bool,
    /// When the last ones were committed.
    last: Option<Instant>,
}

impl Gathering {
    /// Whether whoever brings this edit has to see to those that wait.
    fn take_in(&self, edit: Edit) -> bool {
        let mut queue = held(&self.queue);
        queue.waiting.push(edit);
        self.came.notify_one();
        !std::mem::replace(&mut queue.is_seen_to, true)
    }

    /// Waits as long as more may come.
    async fn gather(&self) {
        let began = Instant::now();
        let closely = held(&self.queue).last.is_some_and(|last| began < last + CLOSELY);
        if !closely {
            return;
        }
        loop {
            let several = held(&self.queue).waiting.len() > 1;
            let ends = (Instant::now() + if several { QUIET } else { ALONE }).min(began + LONGEST);
            if tokio::time::timeout_at(ends, self.came.notified()).await.is_err() {
                return;
            }
        }
    }

    /// Whether anything is left for whoever sees to it.
    fn goes_on(&self) -> bool {
        let mut queue = held(&self.queue);
        queue.is_seen_to = !queue.waiting.is_empty();
        queue.is_seen_to
    }
}

impl Inner {
    /// Runs the edits that wait, makes them durable, and tells each what became of it. To be called where it may block.
    ///
    /// One that panics is answered as what it is, and takes nothing from the others: those before it are made durable, and those after
    /// it go on with the session as its vault has it.
    pub(crate) fn keep_gathered(&self) {
        let mut waiting: VecDeque<Edit> = std::mem::take(&mut held(&self.gathering.queue).waiting).into();
        if waiting.is_empty() {
            return;
        }
        let mut session = self.open_session();
        while !waiting.is_empty() {
            let Some(open) = session.as_mut() else {
                waiting.drain(..).for_each(|edit| edit(None)(Ok(())));
                return;
            };
            let before = open.authored();
            let burst = open.together(&mut waiting);
            if open.authored() != before || burst.broke {
                self.poke.notify_one();
            }
            if burst.broke {
                self.open_anew(&mut session);
            }
            let durable = match session.as_mut() {
                Some(open) if burst.owed => open.make_durable().map_err(CallError::from),
                None if burst.owed => Err(CallError::new(Code::NotSaved, "error-not-saved")),
                _ => Ok(()),
            };
            held(&self.gathering.queue).last = Some(Instant::now());
            for tell in burst.told {
                tell(durable.clone());
            }
        }
    }
}

/// Edits that were run one after the other.
struct Burst {
    told: Vec<Tell>,
    /// Something was committed that no sync has made durable yet.
    owed: bool,
    /// A panic in an edit ended it: that edit is answered by itself, and those after it still wait.
    broke: bool,
}

impl Session {
    /// One edit is one durable commit. Of several, what each changes is committed for itself, and one commit more makes all durable.
    fn together(&mut self, edits: &mut VecDeque<Edit>) -> Burst {
        self.syncs = if edits.len() > 1 { Syncs::Later } else { Syncs::Each };
        let mut told = Vec::with_capacity(edits.len());
        let mut broke = false;
        while let Some(edit) = edits.pop_front() {
            let Some(tell) = contained(|| edit(Some(&mut *self))) else {
                broke = true;
                break;
            };
            told.push(tell);
        }
        let owed = std::mem::replace(&mut self.syncs, Syncs::Each) == Syncs::Owed;
        Burst { told, owed, broke }
    }

    /// A commit with a sync: the log on the disk is one file, so what was committed before is durable with it.
    fn make_durable(&self) -> Result<(), SessionError> {
        Ok(self.vault.write(Durability::Full, |w| w.put(Table::Setting, b"gathered", &[]))?)
    }

    /// How durable a commit is now that wants to be `asked`.
    pub(crate) fn durability(&self, asked: Durability) -> Durability {
        if self.syncs == Syncs::Each { asked } else { Durability::Normal }
    }

    /// Notes that a commit was made.
    pub(crate) fn is_committed(&mut self) {
        if self.syncs == Syncs::Later {
            self.syncs = Syncs::Owed;
        }
    }
}

/// When commits are synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Syncs {
    /// With each.
    #[default]
    Each,
    /// After several edits.
    Later,
    /// The same, and something was committed.
    Owed,
}

/// Sees to what waits until nothing does.
async fn see_to(inner: Arc<Inner>) {
    loop {
        inner.gathering.gather().await;
        let keeping = inner.clone();
        // A panic beside the edits leaves those that it took along without an answer, which is one.
        let _ = tokio::task::spawn_blocking(move || keeping.keep_gathered()).await;
        if !inner.gathering.goes_on() {
            return;
        }
    }
}

impl App {
    /// Runs an edit on the open session; answers once it is durable. Edits that come closely go together, in their order.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, SessionError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let edit = move |session: Option<&mut Session>| -> Tell {
            let done = match session {
                Some(session) => work(session).map_err(CallError::from),
                None => Err(CallError::new(Code::Locked, "error-locked")),
            };
            // Whoever asked may be gone.
            Box::new(move |durable| drop(answer.send(done.and_then(|done| durable.map(|()| done)))))
        };
        if self.inner.gathering.take_in(Box::new(edit)) {
            tokio::spawn(see_to(self.inner.clone()));
        }
        answered.await.unwrap_or_else(|_| Err(internal()))
    }
}

#[cfg(test)]
mod tests;
