//! The facade that every shell calls: one vault, its session, and the tasks that keep it in exchange with the server.

mod holding;
mod opening;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use mecum_api::{CallError, Code, NewsArgs, NewsView, SyncPhase, SyncView, Topic};
use mecum_seal::{Entropy, KdfParams, SystemEntropy, with_wiped_stack};
use mecum_vault::{Location, VaultOptions};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::believed::Touched;
use crate::broken::internal;
use crate::clock::{Clock, SystemClock};
use crate::error::SessionError;
use crate::gather::Gathering;
use crate::imports::Imports;
use crate::integrity::place::{self, Looks};
use crate::news::News;
use crate::pairing::Pairing;
use crate::recovery::ShownKit;
use crate::session::{Session, Surroundings};
use crate::settings;

/// Minutes after which the vault locks itself, until the person says otherwise.
const AUTO_LOCK_MIN: u16 = 10;

/// How often auto-lock and idle work are looked at.
const TICK: Duration = Duration::from_secs(5);

/// How often a mailbox is looked into.
const LOOK: Duration = Duration::from_millis(500);

/// What a shell decides.
#[derive(Clone)]
pub struct AppOptions {
    /// The folder of this profile: the vault and the display settings.
    pub profile: PathBuf,
    /// The address that the connect screen offers first.
    pub server: Option<String>,
    /// The folder where backups are made and looked for. Screens name a file in it and never a path.
    pub backups: PathBuf,
    /// Cost of the passphrase's key.
    pub kdf: KdfParams,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How often auto-lock and idle work are looked at.
    pub tick: Duration,
    /// How often a mailbox is looked into, where somebody is waited for.
    pub look: Duration,
}

impl AppOptions {
    /// What a shipped program uses.
    pub fn new(profile: PathBuf) -> Self {
        Self {
            backups: profile.join("backups"),
            profile,
            server: None,
            kdf: KdfParams::default(),
            entropy: Arc::new(SystemEntropy::new()),
            clock: Arc::new(SystemClock),
            tick: TICK,
            look: LOOK,
        }
    }
}

pub(crate) struct Inner {
    pub(crate) options: AppOptions,
    pub(crate) news: Arc<News>,
    session: Mutex<Option<Session>>,
    /// Edits that wait for each other.
    pub(crate) gathering: Gathering,
    /// Held while the vault is made, opened or locked: who comes second finds it done.
    pub(crate) turn: Mutex<()>,
    /// Taken after the turn, where both are.
    pub(crate) looks: Looks,
    /// What was there when it was last opened was damaged.
    damaged: AtomicBool,
    pub(crate) integrity: Mutex<crate::integrity::Integrity>,
    pub(crate) imports: Mutex<Imports>,
    pub(crate) pairing: Mutex<Pairing>,
    /// A recovery kit that is shown and not confirmed yet.
    pub(crate) kit: Mutex<Option<ShownKit>>,
    pub(crate) invitations: Mutex<crate::members::Invitations>,
    /// Codes of a hospital that are shown or open here.
    pub(crate) desks: Mutex<crate::members::Desks>,
    /// Codes of recovery helpers that are open here.
    pub(crate) parts: Mutex<crate::helpers::OpenParts>,
    /// What was asked of an account's helpers on this empty device.
    pub(crate) asking: Mutex<Option<crate::recovery::Asking>>,
    /// A device that is being brought in is to be tried for at once.
    pub(crate) pair_again: Notify,
    pub(crate) link: Mutex<SyncView>,
    pub(crate) line: tokio::sync::Mutex<crate::driver::Line>,
    /// Something to send, or somebody asked.
    pub(crate) poke: Arc<Notify>,
    touched: Mutex<Touched>,
    /// How often the vault was locked.
    locks: watch::Sender<u64>,
}

/// One profile of Mecum.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
    _open: Arc<Open>,
}

/// Held by every [`App`] of a profile and by no task: when the last one goes, the vault is closed, whatever an exchange
/// is still waiting for.
struct Open(Arc<Inner>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.keep_gathered();
        drop(self.0.open_session().take());
        self.0.poke.notify_one();
    }
}

/// What is behind a mutex, also after a panic: for what is replaced whole and never half changed.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Opens a profile and starts its tasks. The vault stays as it is: missing or locked.
    pub fn open(options: AppOptions) -> Self {
        // An exchange of vaults that was cut. Where it cannot be finished, it is tried again, and said, before anything is opened.
        let looks = Looks::default();
        let _ = place::finish(&options.profile, &looks.none());
        let link = SyncView { server: options.server.clone(), ..SyncView::default() };
        let poke = Arc::new(Notify::new());
        let (line, sockets) = crate::driver::Line::new();
        let inner = Arc::new(Inner {
            news: Arc::new(News::default()),
            session: Mutex::new(None),
            gathering: Gathering::default(),
            turn: Mutex::default(),
            looks,
            damaged: AtomicBool::new(false),
            integrity: Mutex::default(),
            imports: Mutex::default(),
            pairing: Mutex::default(),
            kit: Mutex::default(),
            invitations: Mutex::default(),
            desks: Mutex::default(),
            parts: Mutex::default(),
            asking: Mutex::default(),
            pair_again: Notify::new(),
            link: Mutex::new(link),
            line: tokio::sync::Mutex::new(line),
            poke: poke.clone(),
            touched: Mutex::new(Touched::new(options.clock.now_ms(), Instant::now())),
            locks: watch::Sender::new(0),
            options,
        });
        let app = Self { _open: Arc::new(Open(inner.clone())), inner };
        tokio::spawn(crate::driver::run(Arc::downgrade(&app.inner), poke, sockets));
        tokio::spawn(look(Arc::downgrade(&app.inner), app.inner.options.tick));
        app
    }

    /// Calls a command by name.
    pub async fn call(&self, name: &str, args: serde_json::Value) -> Result<serde_json::Value, CallError> {
        let called = AssertUnwindSafe(crate::commands::dispatch(self, name, args)).catch_unwind();
        called.await.unwrap_or_else(|_| Err(internal()))
    }

    /// The folder of this profile.
    pub fn profile(&self) -> &Path {
        &self.inner.options.profile
    }

    /// What changed.
    pub fn news_feed(&self) -> &News {
        &self.inner.news
    }

    pub(crate) fn location(&self) -> Location {
        Location::File(place::vault(self.profile()))
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let options = &self.inner.options;
        Surroundings {
            entropy: options.entropy.clone(),
            clock: options.clock.clone(),
            news: self.inner.news.clone(),
        }
    }

    pub(crate) fn vault_options(&self) -> VaultOptions {
        VaultOptions { kdf: self.inner.options.kdf, ..VaultOptions::new(self.inner.options.entropy.clone()) }
    }

    /// Runs something on the open session, on a thread that may block.
    pub async fn with<T, F>(&self, work: F) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, SessionError> + Send + 'static,
    {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || {
            with_wiped_stack(|| {
                let mut session = inner.open_session();
                let session = session.as_mut().ok_or_else(|| CallError::new(Code::Locked, "error-locked"))?;
                let before = session.authored();
                let answer = work(session).map_err(CallError::from);
                // Only what was written now wakes the driver: asking must not cut short its waiting after a failure.
                if session.authored() != before {
                    inner.poke.notify_one();
                }
                answer
            })
        });
        done.await.unwrap_or_else(|_| Err(internal()))
    }

    pub(crate) async fn blocking<T, F>(&self, work: F) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: FnOnce(&App) -> Result<T, CallError> + Send + 'static,
    {
        let app = self.clone();
        let done = tokio::task::spawn_blocking(move || with_wiped_stack(|| work(&app)));
        done.await.unwrap_or_else(|_| Err(internal()))
    }

    fn put_session(&self, mut session: Session) {
        self.touch();
        if let Some(home) = session.home() {
            // Until the first exchange has said how things stand.
            let last_ms = session.last_exchange_ms();
            let server = Some(home.url);
            session.link = SyncView { phase: SyncPhase::Working, server, last_ms, ..SyncView::default() };
            *held(&self.inner.link) = session.link.clone();
        }
        *self.inner.open_session() = Some(session);
        self.resume_pairing();
        self.inner.news.tell(Topic::Vault);
        self.inner.poke.notify_one();
    }

    /// The person is there: puts off auto-lock.
    pub fn touch(&self) {
        *held(&self.inner.touched) = Touched::new(self.inner.options.clock.now_ms(), Instant::now());
    }

    /// The person is there.
    pub async fn vault_touch(&self, (): ()) -> Result<(), CallError> {
        self.touch();
        Ok(())
    }

    /// Waits for news.
    pub async fn news(&self, args: NewsArgs) -> Result<NewsView, CallError> {
        Ok(self.inner.news.wait(args.after).await)
    }

    /// The exchange with the server.
    pub async fn sync_status(&self, (): ()) -> Result<SyncView, CallError> {
        self.with(|session| Ok((session.quarantined(), session.notices()))).await.map(
            |(quarantined, notices)| {
                let link = held(&self.inner.link).clone();
                SyncView { quarantined, notices, ..link }
            },
        )
    }
}

/// Auto-lock, and work that waits for a quiet moment.
async fn look(app: std::sync::Weak<Inner>, tick: Duration) {
    loop {
        tokio::time::sleep(tick).await;
        let Some(inner) = app.upgrade() else { return };
        let done = tokio::task::spawn_blocking(move || {
            let minutes = inner.session(|session| settings::auto_lock_min(session).unwrap_or(AUTO_LOCK_MIN));
            // Only now: the session may have been waited for, and whoever has just opened it was there.
            let quiet_ms = held(&inner.touched).quiet_ms(inner.options.clock.now_ms(), Instant::now());
            match minutes {
                Some(minutes) if minutes > 0 && quiet_ms > i64::from(minutes) * 60_000 => inner.lock_now(),
                Some(_) => {
                    // What fails is tried again, and said by the session once it goes on failing.
                    let _ = inner.session(Session::idle).transpose();
                }
                None => {}
            }
        });
        let _ = done.await;
    }
}
