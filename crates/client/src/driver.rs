//! The task that keeps a profile in exchange with its server: after every edit, when the relay wakes it, and now and then.
//! Coming back, it opens the wake socket first: where that says that there is nothing new, and nothing waits here, no
//! exchange follows.

mod home;
mod listening;
mod words;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use mecum_api::{CallError, Code, ServerConnectArgs, SyncView};
use mecum_seal::IncarnationId;
use mecum_sync::controls::holds;
use mecum_sync::{FORMS, FollowError, RefusalCode};
use tokio::sync::{Notify, mpsc};
use tokio::task::block_in_place;

use crate::app::{App, Inner};
use crate::error::{SessionError, refused};
use crate::exchange::ExchangeError;
use crate::remote::{Heard, Remote, RemoteError, Session as SignedIn};
use crate::session::Session;

pub(crate) use home::{Home, SERVER_PIN, SERVER_URL};
pub(crate) use listening::Listening;
use listening::wait;
use words::say;
pub use words::words_for;

/// Between exchanges when nothing wakes the device.
const POLL: Duration = Duration::from_secs(30);

/// Edits that follow within this go together (DESIGN 6, "Batches, not keystrokes").
const GATHER: Duration = Duration::from_millis(250);

/// After a failure the first wait; it doubles up to [`POLL`].
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Wake sockets on their way to the task that listens: one, and one for a server that the account has just gone to.
const MAX_FRESH_SOCKETS: usize = 2;

/// Rounds of one exchange: a backlog larger than this goes on with the next wake.
const MAX_ROUNDS: usize = 10_000;

/// Rounds in a row in which the server shows nothing new, though it is told something: what it takes it does not keep.
const MAX_IDLE_ROUNDS: usize = 8;

/// Why an exchange stopped.
#[derive(Debug)]
pub enum Stopped {
    /// The vault is locked.
    Locked,
    /// The account has no server.
    NoServer,
    /// The server could not be asked, or did not answer as it should.
    Remote(RemoteError),
    /// Its answer was not taken.
    Exchange(ExchangeError),
    /// A panic: a defect here. The session was opened anew, and the next exchange goes on from what is stored.
    Broken,
}

impl From<RemoteError> for Stopped {
    fn from(error: RemoteError) -> Self {
        Stopped::Remote(error)
    }
}

/// Runs until the app is gone.
pub(crate) async fn run(app: Weak<Inner>, poke: Arc<Notify>, mut sockets: mpsc::Receiver<Listening>) {
    let mut retry = FIRST_RETRY;
    let mut listening = None;
    loop {
        let Some(inner) = app.upgrade() else { return };
        let outcome = exchange(&inner).await;
        // Nothing of the app is held while waiting.
        drop(inner);
        let pause = match &outcome {
            Ok(()) => {
                retry = FIRST_RETRY;
                POLL
            }
            Err(Stopped::Locked | Stopped::NoServer) => {
                listening = None;
                while sockets.try_recv().is_ok() {}
                POLL
            }
            Err(Stopped::Remote(_) | Stopped::Exchange(_) | Stopped::Broken) => {
                retry = (retry * 2).min(POLL);
                retry
            }
        };
        if !wait(&poke, &mut sockets, &mut listening, pause).await {
            return;
        }
    }
}

/// The connection of an app: one exchange at a time goes over it.
pub(crate) struct Line {
    open: Option<(Home, Remote, SignedIn)>,
    /// As which incarnation it is signed in.
    incarnation: Option<IncarnationId>,
    /// The server's history was read from its start, and no exchange has ended well since: not to be done for ever.
    began_again: bool,
    /// Where fresh wake sockets go: to the task that listens.
    sockets: mpsc::Sender<Listening>,
    /// The present wake socket, as long as it lives.
    listening: Weak<()>,
    /// When hospitals' notices were looked for.
    looked: crate::published::Looked,
}

/// One exchange, and what the screens hear of it.
async fn exchange(inner: &Inner) -> Result<(), Stopped> {
    let mut line = inner.line.lock().await;
    // Whoever drives it must not end with a panic: nothing would be exchanged until the app is started again.
    let exchanged = AssertUnwindSafe(line.exchange_or_begin_again(inner)).catch_unwind().await;
    let outcome = exchanged.unwrap_or_else(|_| {
        line.open = None;
        Err(Stopped::Broken)
    });
    line.began_again &= outcome.is_err();
    drop(line);
    say(inner, &outcome);
    outcome
}

/// Whether reading the server's history from its start is the way on: it refuses the cursor, or what it holds does not go on
/// from what it showed before, as after it was restored from a backup. What is held here stays, and is compared.
pub fn asks_to_begin_again(outcome: &Result<(), Stopped>) -> bool {
    match outcome {
        Err(Stopped::Remote(RemoteError::Refused(refusal))) => refusal.code == RefusalCode::Resync,
        Err(Stopped::Exchange(ExchangeError::Refused(code))) => {
            matches!(code, RefusalCode::ChainGap | RefusalCode::BadAcknowledgement)
        }
        Err(Stopped::Exchange(ExchangeError::Follow(error))) => {
            matches!(error, FollowError::Gap | FollowError::Fork | FollowError::SnapshotBeyond)
        }
        _ => false,
    }
}

impl Line {
    /// A line that is not open yet, and where its wake sockets come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Listening>) {
        let (sockets, fresh) = mpsc::channel(MAX_FRESH_SOCKETS);
        let line = Self {
            open: None,
            incarnation: None,
            began_again: false,
            sockets,
            listening: Weak::new(),
            looked: crate::published::Looked::default(),
        };
        (line, fresh)
    }

    /// One exchange, and what follows where it cannot go on from where it stood.
    async fn exchange_or_begin_again(&mut self, inner: &Inner) -> Result<(), Stopped> {
        let mut outcome = self.exchange(inner).await;
        if matches!(outcome, Err(Stopped::Remote(RemoteError::Unauthorised))) {
            // The pass ended, or the server started anew: signing in again is all it takes.
            outcome = self.exchange(inner).await;
        }
        if asks_to_begin_again(&outcome) && !self.began_again {
            self.began_again = true;
            match block_in_place(|| inner.session(Session::begin_again)) {
                Some(Ok(true)) => outcome = self.exchange(inner).await,
                Some(Ok(false)) | None => {}
                Some(Err(error)) => outcome = Err(Stopped::Exchange(error.into())),
            }
        }
        if matches!(outcome, Err(Stopped::Exchange(ExchangeError::RolledBack))) {
            // It is noted; the next question is asked by another incarnation, which is handed what this vault lacks.
            outcome = self.exchange(inner).await;
        }
        outcome
    }

    async fn exchange(&mut self, inner: &Inner) -> Result<(), Stopped> {
        let outcome = self.converse(inner).await;
        let keep = match &outcome {
            // A cut line alone ends no pass: signing in costs more than coming back does.
            Ok(()) | Err(Stopped::Exchange(_) | Stopped::Remote(RemoteError::Offline)) => true,
            // The pass may have ended or the server started anew: sign in next time. Nobody stays signed in for a locked
            // vault.
            Err(Stopped::Remote(_) | Stopped::Locked | Stopped::NoServer | Stopped::Broken) => false,
        };
        if !keep {
            self.open = None;
        }
        outcome
    }

    async fn converse(&mut self, inner: &Inner) -> Result<(), Stopped> {
        mecum_trip::here("exchange");
        let home = inner.session(|session| session.home_as_kept()).ok_or(Stopped::Locked)?;
        let home = home.map_err(|error| Stopped::Exchange(error.into()))?.ok_or(Stopped::NoServer)?;
        let life = inner.session(|session| session.follower.incarnation()).ok_or(Stopped::Locked)?;
        if self.open.as_ref().is_none_or(|(at, ..)| *at != home) || self.incarnation != Some(life) {
            let remote = Remote::new(&home.url, home.pin)?;
            let signed_in = sign_in(inner, &remote).await?;
            let kept = inner.session(Session::keep_pin).ok_or(Stopped::Locked)?;
            kept.map_err(|error| Stopped::Exchange(error.into()))?;
            self.open = Some((home, remote, signed_in));
            self.incarnation = Some(life);
            self.listening = Weak::new();
        }
        let Some((home, remote, signed_in)) = &self.open else { return Err(Stopped::NoServer) };
        if self.listening.strong_count() == 0 {
            let cursor = inner.session(|session| session.follower.cursor()).ok_or(Stopped::Locked)?;
            // Before the exchange, so that nothing falls between the two. Without a socket the app polls.
            if let Ok((wake, heard)) = remote.wake(signed_in, cursor).await {
                let alive = Arc::new(());
                self.listening = Arc::downgrade(&alive);
                // If nobody takes it, it is gone with its token, and the next exchange opens another.
                let _ = self.sockets.try_send(Listening { wake, _alive: alive });
                // That a request by helpers is over is news of which no item tells.
                let waits = |session: &mut Session| {
                    session.has_something_to_say()
                        || session.helpers_notice().is_ok_and(|told| told.is_some())
                };
                let waits = inner.session(waits).ok_or(Stopped::Locked)?;
                if heard == Heard::NothingNew && !waits {
                    crate::helpers::errands(inner, remote, signed_in).await;
                    crate::published::refresh(inner, remote, &home.url, &mut self.looked).await;
                    return Ok(());
                }
            }
        }
        rounds(inner, remote, signed_in).await?;
        crate::helpers::errands(inner, remote, signed_in).await;
        crate::published::refresh(inner, remote, &home.url, &mut self.looked).await;
        Ok(())
    }
}

/// Signs this device in.
pub(crate) async fn sign_in(inner: &Inner, remote: &Remote) -> Result<SignedIn, Stopped> {
    let keys = inner.session(|session| {
        let identity = &session.identity;
        (identity.signing.clone(), identity.account, identity.device, session.follower.incarnation())
    });
    let (signing, account, device, incarnation) = keys.ok_or(Stopped::Locked)?;
    Ok(remote.sign_in(&signing, account, device, incarnation).await?)
}

/// How long an exchange goes on in which the server shows nothing new of what it takes: it may say that it stored something and
/// never show it, and would be told it again for ever.
#[derive(Debug, Default)]
pub struct Patience {
    at: Option<(u64, u64)>,
    idle: usize,
}

impl Patience {
    /// After a round that is not the last; `at` is [`Session::shown_so_far`].
    pub fn after(&mut self, at: (u64, u64)) -> Result<(), ExchangeError> {
        self.idle = if self.at == Some(at) { self.idle + 1 } else { 0 };
        self.at = Some(at);
        if holds("patience", self.idle < MAX_IDLE_ROUNDS) {
            return Ok(());
        }
        Err(FollowError::Withheld.into())
    }
}

/// Exchanges until nothing is left to say or to fetch.
pub(crate) async fn rounds(inner: &Inner, remote: &Remote, signed_in: &SignedIn) -> Result<(), Stopped> {
    let mut patience = Patience::default();
    inner.session(Session::begin_exchange).ok_or(Stopped::Locked)?;
    for _ in 0..MAX_ROUNDS {
        // Opening, judging and storing may take long: the thread says so to the others.
        let say = |session: &mut Session| {
            let request = session.request()?;
            let said = session.said(&request, signed_in.forms);
            Ok((request, said))
        };
        let asked = block_in_place(|| inner.session(say)).ok_or(Stopped::Locked)?;
        let (request, said) = asked.map_err(|error: SessionError| Stopped::Exchange(error.into()))?;
        let response = remote.sync_as_said(signed_in, &said).await?;
        let accepted = block_in_place(|| inner.session(|session| session.accept(&request, &response)));
        let accepted = accepted.ok_or(Stopped::Locked)?;
        let exchanged = accepted.map_err(Stopped::Exchange)?;
        let noted = block_in_place(|| inner.session(|session| session.hear_of_requests(&response)));
        let newly_told = noted.ok_or(Stopped::Locked)??;
        // Who is told for the first time asks at once how many there are.
        let uncounted = newly_told && signed_in.forms >= FORMS;
        if !(exchanged.more || uncounted) {
            return Ok(());
        }
        let at = inner.session(|session| session.shown_so_far()).ok_or(Stopped::Locked)?;
        patience.after(at).map_err(Stopped::Exchange)?;
    }
    Ok(())
}

impl App {
    /// Connects the account to a server.
    pub async fn server_connect(&self, args: ServerConnectArgs) -> Result<SyncView, CallError> {
        let url = args.url.trim().trim_end_matches('/').to_owned();
        let info = Remote::server_info(&url).await.map_err(|error| crate::error::remote_error(&error))?;
        let key = info.key;
        // Refused here, or never: the code works once.
        let check =
            move |session: &mut Session| session.check_relay(&key).and_then(|()| session.account_genesis());
        let genesis = self.with(check).await?;
        let remote = Remote::new(&url, info.key).map_err(|error| crate::error::remote_error(&error))?;
        let home = Home { url, pin: info.key };
        // Only the address was lost: the server knows this device and takes no code from it a second time.
        let pinned = self.with(|session| Ok(session.follower.relay().is_some())).await?;
        if pinned && sign_in(&self.inner, &remote).await.is_ok() {
            self.with(move |session| session.set_home(&home)).await?;
            return self.sync_now(()).await;
        }
        remote.enrol(args.code.trim(), genesis).await.map_err(|error| match error {
            RemoteError::Offline => CallError::new(Code::Offline, "error-offline"),
            _ => CallError::new(Code::Refused, "error-enrolment-code"),
        })?;
        self.with(move |session| session.set_home(&home)).await?;
        self.sync_now(()).await
    }

    /// Exchanges now, and waits for it.
    pub async fn sync_now(&self, (): ()) -> Result<SyncView, CallError> {
        // How it went is in the status: an exchange that cannot be is no failure of asking for it.
        let _ = exchange(&self.inner).await;
        self.sync_status(()).await
    }

    /// The server that pairing goes through.
    pub(crate) async fn home(&self) -> Result<Home, CallError> {
        self.with(|session| session.home().ok_or_else(|| refused("error-no-server"))).await
    }
}
