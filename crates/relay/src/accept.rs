//! The accept loop: connection caps, a deadline for request heads, for bodies and for unread answers, and a stop that lets
//! open requests finish.

#[cfg(test)]
mod tests;
mod timed;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::Shared;
use crate::bucket::source_of;
use crate::http;

/// Most header lines of a request.
const MAX_HEADERS: usize = 32;
/// Most bytes of a request's head, and the read buffer.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Pause after accepting failed (too many open files): accepting again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often expired mailboxes and codes are forgotten.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// Where a request came from, and its connection's place: whoever keeps this keeps the place taken.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) source: IpAddr,
    _place: Arc<(OwnedSemaphorePermit, Seat)>,
}

impl Peer {
    /// Somebody on this machine who takes no connection's place: of a simulation.
    pub(crate) fn simulated() -> Option<Self> {
        let source = IpAddr::from([127, 0, 0, 1]);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().ok()?;
        let seat = Arc::new(Sources::default()).enter(source, 1)?;
        Some(Self { source, _place: Arc::new((place, seat)) })
    }
}

/// Waits for the stop.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the accept loop is gone: stopped as well.
    let _ = stopping.wait_for(|stop| *stop).await;
}

pub(crate) async fn run(
    shared: Arc<Shared>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(shared.options.limits.connections));
    let sources = Arc::new(Sources::default());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let router = http::router(Arc::clone(&shared), stopping.clone());
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let mut sweeps = JoinSet::new();
    shared.log("event=start");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
            _ = sweep.tick() => {
                // Beside the loop, for it may take long, and one at a time.
                if sweeps.is_empty() {
                    sweeps.spawn(sweep_once(Arc::clone(&shared)));
                }
                continue;
            }
            Some(_) = sweeps.join_next() => continue,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, address)) = accepted else {
            shared.log("event=accept_failed");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let source = address.ip();
        // A proxy brings the connections of many, and limits them itself.
        let is_proxy = shared.options.proxies.contains(&source.to_canonical());
        let limits = shared.options.limits;
        let most = if is_proxy { limits.connections } else { limits.connections_per_source };
        let (Ok(place), Some(seat)) =
            (Arc::clone(&places).try_acquire_owned(), sources.enter(source_of(source), most))
        else {
            // Closing at once is the cheapest answer to a flood.
            shared.counters.add("mecum_connections_refused_total", 1);
            continue;
        };
        shared.counters.add("mecum_connections_total", 1);
        let peer = Peer { source, _place: Arc::new((place, seat)) };
        connections.spawn(connection(Arc::clone(&shared), router.clone(), stream, peer, stopping.clone()));
    }
    drop(listener);
    // Nobody listening means that every connection is gone already.
    let _ = stop.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(shared.options.limits.stop_timeout, finished).await.is_err() {
        connections.abort_all();
    }
    shared.log("event=stop");
    Ok(())
}

/// Forgets what is over.
async fn sweep_once(shared: Arc<Shared>) {
    let now_ms = shared.now_ms();
    match shared.blocking(move |store| store.sweep(now_ms)).await {
        Ok(swept) => shared.note_swept(swept),
        Err(_) => shared.log("event=sweep_failed"),
    }
}

async fn connection(
    shared: Arc<Shared>,
    router: Router,
    stream: TcpStream,
    peer: Peer,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are written whole: waiting to fill a packet only adds delay.
    let _ = stream.set_nodelay(true);
    let limits = shared.options.limits;
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.call(request)
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The router dates what must be dated: in the answer that opens a wake socket the line would be a tenth of all bytes.
        .auto_date_header(false)
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    let io = TokioIo::new(timed::Timed::new(stream, limits.write_timeout));
    let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if ended.is_err() {
        shared.counters.add("mecum_connections_broken_total", 1);
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Sources {
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place among those of its address.
struct Seat {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Sources {
    fn enter(self: &Arc<Self>, source: IpAddr, most: usize) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(source).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat { sources: Arc::clone(self), source })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.sources.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}
