//! The blind relay: it admits accounts, orders sealed envelopes, and hands them on to the members of their space. It holds
//! no key that opens any of them, and must not learn what is in them.
//!
//! [`Relay::open`] on a data folder, then [`Relay::serve`] on a listener.

mod accept;
mod bucket;
mod code;
pub mod folder;
mod http;
mod key;
mod options;
mod record;
mod session;
pub mod simulated;
pub mod store;
mod wake;

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mecum_seal::{SigningKey, VerifyingKey};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use bucket::Rate;
pub use http::policy::{Access, Route, routes};
pub use options::{Limits, RelayOptions};
use store::sqlite::SqliteStore;
use store::{LogStore, StoreError, Swept};

/// Name of the database in the data folder.
const DATABASE: &str = "relay.sqlite";
/// Most database calls at a time; further ones wait.
const MAX_BLOCKING_CALLS: usize = 32;

/// The relay could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenRelayError {
    /// The data folder or the key file: whoever runs the server can fix it.
    #[error("data folder: {0}")]
    Io(#[from] io::Error),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Something in the folder is missing or half done.
    #[error("{0}")]
    Folder(#[from] folder::FolderError),
}

/// A relay over one data folder. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    options: RelayOptions,
    key: SigningKey,
    store: Arc<dyn LogStore>,
    sessions: session::Sessions,
    wakes: wake::Wakes,
    counters: record::Counters,
    by_source: bucket::Buckets<std::net::IpAddr>,
    failures_by_source: bucket::Buckets<std::net::IpAddr>,
    mailboxes_by_source: bucket::SiteBuckets,
    short_mailboxes_by_account: bucket::Buckets<mecum_seal::AccountId>,
    long_mailboxes_by_account: bucket::Buckets<mecum_seal::AccountId>,
    pages_by_account: bucket::Buckets<mecum_seal::AccountId>,
    sites: bucket::SiteNames,
    helper_asks_by_source: bucket::SiteBuckets,
    by_device: bucket::Buckets<(mecum_seal::AccountId, mecum_seal::DeviceId)>,
    blocking: Semaphore,
}

impl Relay {
    /// Opens or makes the data folder: the key in `relay.key`, the database in `relay.sqlite`.
    pub fn open(data_dir: &Path, options: RelayOptions) -> Result<Self, OpenRelayError> {
        std::fs::create_dir_all(data_dir)?;
        folder::admit(data_dir)?;
        let key = key::load_or_make(data_dir, &*options.entropy)?;
        let store = Arc::new(SqliteStore::open(&data_dir.join(DATABASE))?);
        let shared = Shared {
            key,
            store,
            sessions: session::Sessions::new(&*options.entropy),
            wakes: wake::Wakes::default(),
            counters: record::Counters::default(),
            by_source: bucket::Buckets::new(options.limits.requests_per_source),
            failures_by_source: bucket::Buckets::new(options.limits.failures_per_source),
            mailboxes_by_source: bucket::SiteBuckets::new(options.limits.mailboxes_per_source),
            short_mailboxes_by_account: bucket::Buckets::new(options.limits.short_mailboxes_per_account),
            long_mailboxes_by_account: bucket::Buckets::new(options.limits.long_mailboxes_per_account),
            helper_asks_by_source: bucket::SiteBuckets::new(options.limits.helper_asks_per_source),
            by_device: bucket::Buckets::new(options.limits.syncs_per_device),
            pages_by_account: bucket::Buckets::new(options.limits.pages_per_account),
            sites: bucket::SiteNames::new(&*options.entropy),
            blocking: Semaphore::new(MAX_BLOCKING_CALLS),
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The relay's public key: the pin that clients hold.
    pub fn key(&self) -> VerifyingKey {
        self.shared.key.verifying_key()
    }

    /// Makes a one-time enrolment code, good for a week. Works beside a running server on the same folder.
    pub fn make_enrolment_code(&self) -> Result<String, StoreError> {
        self.make_code(false)
    }

    /// Makes one for a hospital: whoever comes by it may publish pages besides.
    pub fn make_host_code(&self) -> Result<String, StoreError> {
        self.make_code(true)
    }

    fn make_code(&self, host: bool) -> Result<String, StoreError> {
        let code = code::make(&*self.shared.options.entropy);
        let expires_at_ms = self.shared.now_ms().saturating_add(code::CODE_LIFE_MS);
        self.shared.store.add_code(code::hash(&code), expires_at_ms, host)?;
        Ok(code)
    }

    /// Forgets what has expired and prunes what may be pruned by now. A running server does it every few minutes.
    pub fn sweep(&self) -> Result<Swept, StoreError> {
        let swept = self.shared.store.sweep(self.shared.now_ms())?;
        self.shared.note_swept(swept);
        Ok(swept)
    }

    /// Answers on `listener` until `shutdown` is done, then lets open requests finish for a few seconds.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        accept::run(Arc::clone(&self.shared), listener, shutdown).await
    }
}

impl Shared {
    fn now_ms(&self) -> i64 {
        (self.options.clock)()
    }

    fn log(&self, line: &str) {
        (self.options.log)(line);
    }

    fn note_swept(&self, swept: Swept) {
        if swept.pruned_envelopes > 0 {
            self.counters.add("mecum_pruned_envelopes_total", swept.pruned_envelopes);
            self.log("event=pruned");
        }
    }

    /// Runs a database call off the event loop.
    async fn blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&dyn LogStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.blocking.acquire().await.map_err(|_| StoreError::NotCommitted)?;
        let store = Arc::clone(&self.store);
        let result = tokio::task::spawn_blocking(move || f(&*store)).await;
        let result = result.unwrap_or(Err(StoreError::NotCommitted));
        if let Err(error) = &result {
            self.note_failure(error);
        }
        result
    }

    /// Says in the log and in a counter what the database said: whoever asked is only told that the server cannot now.
    fn note_failure(&self, error: &StoreError) {
        let code = match error {
            StoreError::Sqlite(error) => {
                error.sqlite_error_code().map_or_else(|| "other".to_owned(), |code| format!("{code:?}"))
            }
            StoreError::Stored { .. } => "Damaged".to_owned(),
            StoreError::NotCommitted => "NotCommitted".to_owned(),
            StoreError::TooNew => "TooNew".to_owned(),
        };
        self.counters.add(&format!("mecum_database_errors_total{{code=\"{code}\"}}"), 1);
        self.log(&format!("event=database_error code={code}"));
    }
}
