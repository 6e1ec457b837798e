//! A way to the server that counts what goes over it and can be cut, closed and muted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Default)]
struct State {
    bytes: AtomicU64,
    open: AtomicUsize,
    closed: AtomicBool,
    mute: AtomicBool,
    without_question: AtomicBool,
    /// Requests for anything else are cut off.
    only: Mutex<&'static str>,
    refused: AtomicUsize,
    /// Answers to requests for it wait.
    hold: Mutex<Option<&'static str>>,
    held: AtomicUsize,
}

/// A proxy in front of one server.
pub(crate) struct Proxy {
    pub(crate) url: String,
    state: Arc<State>,
    cuts: watch::Sender<u64>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let cuts = watch::Sender::new(0);
        let (shared, cut) = (Arc::clone(&state), cuts.subscribe());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if !shared.closed.load(Ordering::SeqCst) {
                    tokio::spawn(connection(near, to, Arc::clone(&shared), cut.clone()));
                }
            }
        });
        Proxy { url, state, cuts }
    }

    /// Bytes so far, both ways.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::SeqCst)
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Cuts every connection; new ones are handed on.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts every connection and lets none through, until it is said otherwise.
    pub(crate) fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::SeqCst);
        self.cut();
    }

    /// Answers of the server get lost from now on.
    pub(crate) fn mute(&self) {
        self.state.mute.store(true, Ordering::SeqCst);
    }

    /// Lets through only what is asked of paths that begin so.
    pub(crate) fn let_through_only(&self, path: &'static str) {
        *self.state.only.lock().unwrap() = path;
    }

    /// Requests that were cut off.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    /// Keeps answers back to what is asked of paths that begin so; none lets them go.
    pub(crate) fn hold(&self, path: Option<&'static str>) {
        *self.state.hold.lock().unwrap() = path;
    }

    /// Requests whose answers were kept back.
    pub(crate) fn held(&self) -> usize {
        self.state.held.load(Ordering::SeqCst)
    }

    /// Takes the question off every wake socket from now on, as if the server knew none.
    pub(crate) fn take_questions_off(&self) {
        self.state.without_question.store(true, Ordering::SeqCst);
    }

    /// Waits until `good`, at most ten seconds.
    pub(crate) async fn until(&self, what: &str, good: impl Fn(&Proxy) -> bool) {
        for _ in 0..200 {
            if good(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never: {what}; {} connections, {} bytes", self.open(), self.bytes());
    }

    /// Waits until nothing was said for a second.
    pub(crate) async fn quiet(&self) {
        let mut before = u64::MAX;
        while before != self.bytes() {
            before = self.bytes();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn connection(near: TcpStream, to: SocketAddr, state: Arc<State>, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    let Ok(far) = TcpStream::connect(to).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    state.open.fetch_add(1, Ordering::SeqCst);
    let held = AtomicBool::new(false);
    tokio::select! {
        () = pass(near_read, far_write, &state, &held, true) => {}
        () = pass(far_read, near_write, &state, &held, false) => {}
        _ = cut.changed() => {}
    }
    state.open.fetch_sub(1, Ordering::SeqCst);
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, held: &AtomicBool, ours: bool) {
    let mut buffer = vec![0u8; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // Counted before it is handed on: whoever has the answer finds it counted.
        state.bytes.fetch_add(read as u64, Ordering::SeqCst);
        let mut said = buffer[..read].to_vec();
        if ours && state.without_question.load(Ordering::SeqCst) && said.starts_with(b"GET /v1/wake?") {
            let end = said[4..].iter().position(|byte| *byte == b' ').unwrap() + 4;
            said.drain(b"GET /v1/wake".len()..end);
        }
        if ours && let Some(path) = path_in(&said) {
            if !path.starts_with(*state.only.lock().unwrap()) {
                state.refused.fetch_add(1, Ordering::SeqCst);
                return;
            }
            let holds = state.hold.lock().unwrap().is_some_and(|of| path.starts_with(of));
            held.store(holds, Ordering::SeqCst);
            state.held.fetch_add(usize::from(holds), Ordering::SeqCst);
        }
        while !ours && held.load(Ordering::SeqCst) && state.hold.lock().unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if !ours && state.mute.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&said).await.is_err() {
            return;
        }
    }
}

/// The path of a request that begins here.
fn path_in(said: &[u8]) -> Option<&str> {
    let line = said.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|method| ["GET", "POST", "PUT"].contains(method))?;
    words.next()
}
