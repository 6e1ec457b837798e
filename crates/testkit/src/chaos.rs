//! A bad way to a server: a proxy that delays, throttles, cuts, goes silent and spoils bytes, each connection by a fate of its
//! own. It knows bytes and nothing of what they mean.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Dice;

/// How long a connection stays open of which one way has gone silent.
const HALF_OPEN: Duration = Duration::from_millis(300);
/// Bytes that a throttled connection hands on at a time, and the pause after them.
const THROTTLE: (usize, Duration) = (1_024, Duration::from_millis(2));
/// Longest delay of a piece of a delayed connection, in ms.
const MAX_DELAY_MS: u64 = 40;
/// Up to here something happens to a connection, in bytes of one way: exchanges of a few edits are about as long.
const REACH_BYTES: u64 = 6_000;
/// How many bytes are spoilt.
const SPOILT_BYTES: usize = 4;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Good,
    /// Each piece comes later, by as many ms.
    Delayed(u64),
    Throttled,
    /// Ends after so many bytes of one way.
    Cut {
        up: bool,
        after: u64,
    },
    /// One way goes silent after so many bytes, while both ends believe the connection to be open.
    HalfOpen {
        up: bool,
        after: u64,
    },
    /// Bytes of one way are not what was sent.
    Garbage {
        up: bool,
        after: u64,
    },
}

impl Fate {
    fn drawn(dice: &mut Dice) -> Self {
        let (up, after) = (dice.once_in(2), dice.below(REACH_BYTES));
        match dice.below(8) {
            0 => Fate::Delayed(dice.below(MAX_DELAY_MS) + 1),
            1 => Fate::Throttled,
            2 | 3 => Fate::Cut { up, after },
            4 => Fate::HalfOpen { up, after },
            5 => Fate::Garbage { up, after },
            _ => Fate::Good,
        }
    }
}

struct State {
    to: Mutex<SocketAddr>,
    foul: AtomicBool,
    closed: AtomicBool,
    dice: Mutex<Dice>,
    harmed: AtomicU64,
}

/// A proxy in front of one server. It begins calm.
pub struct Chaos {
    address: SocketAddr,
    state: Arc<State>,
    cuts: watch::Sender<u64>,
}

impl Chaos {
    /// Listens on a port of its own. `seed` decides the fates, in the order of the connections.
    ///
    /// # Errors
    /// If loopback has no free port.
    pub async fn start(to: SocketAddr, seed: u64) -> std::io::Result<Chaos> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            to: Mutex::new(to),
            foul: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            dice: Mutex::new(Dice::new(seed)),
            harmed: AtomicU64::new(0),
        });
        let cuts = watch::Sender::new(0);
        let (shared, cut) = (Arc::clone(&state), cuts.subscribe());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if !shared.closed.load(Ordering::SeqCst) {
                    tokio::spawn(connection(near, Arc::clone(&shared), cut.clone()));
                }
            }
        });
        Ok(Chaos { address, state, cuts })
    }

    /// The address that clients use instead of the server's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server is somewhere else now. Open connections end.
    pub fn lead_to(&self, to: SocketAddr) {
        *self.state.to.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.cut();
    }

    /// From now on every new connection gets a fate, or none does. Open ones end.
    pub fn foul(&self, foul: bool) {
        self.state.foul.store(foul, Ordering::SeqCst);
        self.cut();
    }

    /// From now on no connection is handed on, or all are. Open ones end.
    pub fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::SeqCst);
        self.cut();
    }

    /// How often something was cut, kept back or spoilt so far; delays are not counted.
    pub fn harmed(&self) -> u64 {
        self.state.harmed.load(Ordering::SeqCst)
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn connection(near: TcpStream, state: Arc<State>, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    let to = *state.to.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(far) = TcpStream::connect(to).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let fate = if state.foul.load(Ordering::SeqCst) {
        Fate::drawn(&mut state.dice.lock().unwrap_or_else(PoisonError::into_inner))
    } else {
        Fate::Good
    };
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_read, far_write, fate, true, &state.harmed) => {}
        () = pass(far_read, near_write, fate, false, &state.harmed) => {}
        _ = cut.changed() => {}
    }
}

/// Hands one way on until it ends, by itself or by its fate, and counts where that does harm.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fate: Fate, is_up: bool, harmed: &AtomicU64) {
    let mut buffer = vec![0u8; 16 * 1024];
    let mut passed = 0u64;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let Some(piece) = buffer.get_mut(..read) else { return };
        let reaches = |up: bool, after: u64| up == is_up && passed + read as u64 > after;
        // Where in this piece it happens.
        let at = |after: u64| usize::try_from(after.saturating_sub(passed)).unwrap_or(0);
        let written = match fate {
            Fate::Delayed(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                to.write_all(piece).await
            }
            Fate::Throttled => throttled(&mut to, piece).await,
            Fate::Cut { up, after } if reaches(up, after) => {
                harmed.fetch_add(1, Ordering::SeqCst);
                let _ = to.write_all(piece.get(..at(after)).unwrap_or_default()).await;
                return;
            }
            Fate::HalfOpen { up, after } if reaches(up, after) => {
                harmed.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(HALF_OPEN).await;
                return;
            }
            Fate::Garbage { up, after } if reaches(up, after) => {
                harmed.fetch_add(1, Ordering::SeqCst);
                for byte in piece.iter_mut().skip(at(after)).take(SPOILT_BYTES) {
                    *byte = byte.wrapping_mul(31).wrapping_add(17);
                }
                to.write_all(piece).await
            }
            _ => to.write_all(piece).await,
        };
        if written.is_err() {
            return;
        }
        passed += read as u64;
    }
}

async fn throttled(to: &mut OwnedWriteHalf, piece: &[u8]) -> std::io::Result<()> {
    let (bytes, pause) = THROTTLE;
    for part in piece.chunks(bytes) {
        to.write_all(part).await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
