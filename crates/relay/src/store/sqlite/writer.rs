//! The one writer: a thread with the only writing connection. What waits together is committed together, each request in
//! its own savepoint, and is answered only after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::store::StoreError;

/// Most requests that share one commit.
const MAX_GROUP: usize = 64;
/// Most requests that wait for the writer; beyond, the caller blocks.
const MAX_WAITING: usize = 256;

type Answer = Box<dyn FnOnce(bool) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;

/// The way to the writer thread. Dropping it ends the thread after what waits is done.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::spawn(move || run(&connection, &waiting));
        Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) }
    }

    /// Runs `f` in the writer's transaction; returns when it is committed, or has been undone.
    pub(super) fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = sync_channel(1);
        let job: Job = Box::new(move |connection| {
            let result = in_savepoint(connection, f);
            Box::new(move |committed| {
                let result = if committed { result } else { Err(StoreError::NotCommitted) };
                // Nobody may be waiting any more: the commit stands all the same.
                let _ = answer.send(result);
            })
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or(StoreError::NotCommitted)?.send(job).map_err(|_| StoreError::NotCommitted)?;
        answered.recv().map_err(|_| StoreError::NotCommitted)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic in the thread was already answered with NotCommitted.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            // Dropping the job answers it: not committed.
            continue;
        }
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            // A panic must not end the writer. Its savepoint is rolled back by the outer rollback below.
            if let Ok(answer) = catch_unwind(AssertUnwindSafe(|| job(connection))) {
                answers.push(answer);
            } else {
                let _ = connection.execute_batch("ROLLBACK");
                for answer in answers.drain(..) {
                    answer(false);
                }
                break;
            }
            if answers.len() < MAX_GROUP {
                next = waiting.try_recv().ok();
            }
        }
        if answers.is_empty() {
            continue;
        }
        let committed = connection.execute_batch("COMMIT").is_ok();
        if !committed {
            let _ = connection.execute_batch("ROLLBACK");
        }
        for answer in answers {
            answer(committed);
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    f: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = f(connection);
    if result.is_err() {
        connection.execute_batch("ROLLBACK TO job")?;
    }
    connection.execute_batch("RELEASE job")?;
    result
}
