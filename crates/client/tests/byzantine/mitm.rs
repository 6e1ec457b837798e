//! A server that lies: it stands in front of a real relay and may answer instead of it, or change what it says.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request, as it came.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// How an answer goes over the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it is, with its length.
    #[default]
    Whole,
    /// With another length than it has: of so many bytes. As many of zero follow as the reader takes, but no more than `at_most`.
    Announced { bytes: u64, at_most: u64 },
    /// In chunks of zeros behind it that have no end, but for `at_most` bytes.
    Endless { at_most: u64 },
    /// In so many chunks, each after a pause.
    Dribbling { chunks: usize, pause: Duration },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) way: Way,
}

impl Reply {
    pub(crate) fn of(status: u16, body: Vec<u8>) -> Reply {
        Reply { status, headers: Vec::new(), body, way: Way::Whole }
    }
}

/// What the liar does with a question, and with its answer.
pub(crate) trait Liar: Send + Sync {
    /// What it says without asking the relay, if it does.
    fn alone(&self, _: &Call) -> Option<Reply> {
        None
    }

    fn ask(&self, call: &mut Call);
    fn answer(&self, call: &Call, reply: &mut Reply);
}

#[derive(Default)]
pub(crate) struct State {
    liar: Mutex<Option<Arc<dyn Liar>>>,
    /// Answers that were not what the relay says.
    pub(crate) lies: AtomicU64,
    /// Answers larger than any may be that were read to their end.
    pub(crate) whole: AtomicU64,
}

/// The liar's address.
pub(crate) struct Mitm {
    pub(crate) url: String,
    pub(crate) state: Arc<State>,
}

impl Mitm {
    pub(crate) async fn start(relay: SocketAddr) -> Mitm {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connection(near, relay, shared.clone()));
            }
        });
        Mitm { url, state }
    }

    pub(crate) fn arm(&self, liar: Option<Arc<dyn Liar>>) {
        *self.state.liar.lock().expect("nobody panics") = liar;
    }
}

async fn connection(mut near: TcpStream, relay: SocketAddr, state: Arc<State>) {
    let _ = near.set_nodelay(true);
    while let Some((head, body)) = message(&mut near).await {
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut words = text.split(' ');
        let path = words.nth(1).unwrap_or_default().to_owned();
        let mut call = Call { path, head, body };
        let liar = state.liar.lock().expect("nobody panics").clone();
        let asked = call.clone();
        if let Some(liar) = &liar {
            liar.ask(&mut call);
        }
        let alone = liar.as_ref().and_then(|liar| liar.alone(&asked));
        let reply = if alone.is_some() { alone } else { honest(relay, &call).await };
        let Some(mut reply) = reply else { return };
        let before = reply.clone();
        if let Some(liar) = liar {
            liar.answer(&asked, &mut reply);
        }
        state.lies.fetch_add(u64::from(reply != before), Ordering::SeqCst);
        let written = write(&mut near, &reply).await;
        let large =
            written.as_ref().is_ok_and(|bytes| *bytes > mecum_sync::limits::MAX_RESPONSE_BYTES as u64);
        state.whole.fetch_add(u64::from(large), Ordering::SeqCst);
        // After a length that was not its own there is no next answer.
        if written.is_err() || matches!(reply.way, Way::Announced { .. }) {
            return;
        }
    }
}

/// What an answer without an end goes on with.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Writes an answer; how many bytes its body had.
async fn write(near: &mut TcpStream, reply: &Reply) -> std::io::Result<u64> {
    let mut head = format!("HTTP/1.1 {} said\r\n", reply.status);
    let length = match reply.way {
        Way::Whole => format!("content-length: {}", reply.body.len()),
        Way::Announced { bytes, .. } => format!("content-length: {bytes}"),
        Way::Endless { .. } | Way::Dribbling { .. } => "transfer-encoding: chunked".to_owned(),
    };
    for (name, value) in &reply.headers {
        write!(head, "{name}: {value}\r\n").expect("a string takes anything");
    }
    write!(head, "{length}\r\n\r\n").expect("a string takes anything");
    near.write_all(head.as_bytes()).await?;
    let mut written = reply.body.len() as u64;
    match reply.way {
        Way::Whole => near.write_all(&reply.body).await?,
        Way::Announced { at_most, .. } => {
            near.write_all(&reply.body).await?;
            while written < at_most {
                near.write_all(&ZEROS).await?;
                written += ZEROS.len() as u64;
            }
        }
        Way::Endless { at_most } => {
            chunk(near, &reply.body).await?;
            while written < at_most {
                chunk(near, &ZEROS).await?;
                written += ZEROS.len() as u64;
            }
            near.write_all(b"0\r\n\r\n").await?;
        }
        Way::Dribbling { chunks, pause } => {
            for piece in reply.body.chunks(reply.body.len().div_ceil(chunks).max(1)) {
                tokio::time::sleep(pause).await;
                chunk(near, piece).await?;
            }
            near.write_all(b"0\r\n\r\n").await?;
        }
    }
    Ok(written)
}

async fn chunk(near: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    near.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    near.write_all(bytes).await?;
    near.write_all(b"\r\n").await
}

/// Asks the relay over a connection of its own.
async fn honest(relay: SocketAddr, call: &Call) -> Option<Reply> {
    let mut far = TcpStream::connect(relay).await.ok()?;
    let head = String::from_utf8_lossy(&call.head);
    for line in head.lines().take_while(|line| !line.is_empty()) {
        let line = if line.to_ascii_lowercase().starts_with("content-length:") {
            format!("content-length: {}", call.body.len())
        } else {
            line.to_owned()
        };
        far.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    }
    far.write_all(b"\r\n").await.ok()?;
    far.write_all(&call.body).await.ok()?;
    let (head, body) = message(&mut far).await?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some(Reply::of(status, body))
}

/// A head, with its empty line, and a body of the length that it says.
async fn message(stream: &mut TcpStream) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    };
    let mut body = bytes.split_off(end);
    let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    while body.len() < length.unwrap_or(0) {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&buffer[..read]);
    }
    Some((bytes, body))
}
