//! A way to the server that writes down what goes over it: requests and answers, each with its path. Wake sockets pass unrecorded.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use minicbor::{Decode, Encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request and its answer.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Exchange {
    #[n(0)]
    pub(crate) method: String,
    #[n(1)]
    pub(crate) path: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) asked: Vec<u8>,
    #[n(3)]
    pub(crate) status: u16,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) answered: Vec<u8>,
}

type Bytes = Arc<Mutex<Vec<u8>>>;

/// The recorder in front of one server.
pub(crate) struct Recorder {
    pub(crate) url: String,
    connections: Arc<Mutex<Vec<(Bytes, Bytes)>>>,
}

impl Recorder {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let connections: Arc<Mutex<Vec<(Bytes, Bytes)>>> = Arc::default();
        let all = connections.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (asked, answered) = (Bytes::default(), Bytes::default());
                all.lock().expect("nobody panics").push((asked.clone(), answered.clone()));
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(to).await else { return };
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::join!(hand_on(near_in, far_out, asked), hand_on(far_in, near_out, answered));
                });
            }
        });
        Self { url, connections }
    }

    /// What has been said since the last time, connection by connection.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        let mut all = Vec::new();
        for (asked, answered) in self.connections.lock().expect("nobody panics").iter() {
            let asked = std::mem::take(&mut *asked.lock().expect("nobody panics"));
            let answered = std::mem::take(&mut *answered.lock().expect("nobody panics"));
            all.extend(exchanges(&asked, &answered));
        }
        all
    }
}

async fn hand_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    heard: Bytes,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer).await {
            Ok(read) if read > 0 => {
                heard.lock().expect("nobody panics").extend_from_slice(&buffer[..read]);
                if to.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
            _ => return drop(to.shutdown().await),
        }
    }
}

/// Takes one message: its first line's words and its body. `None` at the end, or where it is no plain message.
fn message(rest: &mut &[u8]) -> Option<(Vec<String>, Vec<u8>)> {
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&rest[..end]).into_owned();
    let mut lines = head.lines();
    let words = lines.next()?.split(' ').map(str::to_owned).collect();
    let fields: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_lowercase()))
        .collect();
    if fields.iter().any(|(name, _)| name == "upgrade") {
        return None;
    }
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let body = rest.get(end + 4..end + 4 + length)?.to_vec();
    *rest = &rest[end + 4 + length..];
    Some((words, body))
}

fn exchanges(mut asked: &[u8], mut answered: &[u8]) -> Vec<Exchange> {
    let mut all = Vec::new();
    while let (Some((request, body)), Some((status, answer))) = (message(&mut asked), message(&mut answered))
    {
        let path = request.get(1).map(|path| path.split('?').next().unwrap_or_default().to_owned());
        all.push(Exchange {
            method: request.first().cloned().unwrap_or_default(),
            path: path.unwrap_or_default(),
            asked: body,
            status: status.get(1).and_then(|status| status.parse().ok()).unwrap_or(0),
            answered: answer,
        });
    }
    all
}

pub(crate) fn read(file: &Path) -> Vec<Exchange> {
    minicbor::decode(&super::unpacked(file)).expect("a list of exchanges")
}

pub(crate) fn write(file: &Path, exchanges: &[Exchange]) {
    std::fs::write(file, minicbor::to_vec(exchanges).expect("encodes")).expect("written");
}
