//! A real relay on loopback, a proxy that counts what goes over it, and the exchange of a session as the app's driver
//! does it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mecum_client::Session;
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_relay::{Rate, Relay, RelayOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failed;

/// A relay over a data folder, answering on a port of its own.
pub(crate) struct Server {
    pub(crate) relay: Relay,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failed> {
        // The bench asks faster than people do; everything else is as shipped.
        let mut options = RelayOptions { log: Arc::new(|_| {}), ..RelayOptions::default() };
        let often = Rate { burst: 1e6, per_second: 1e6 };
        options.limits.requests_per_source = often;
        options.limits.syncs_per_device = often;
        let relay = Relay::open(folder, options)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = relay.clone();
        let task = tokio::spawn(async move {
            let _ = serving.serve(listener, async { drop(stopped.await) }).await;
        });
        Ok(Self { relay, address, stop: Some(stop), task })
    }

    /// A way to it that nobody counts.
    pub(crate) fn remote(&self) -> Result<Remote, Failed> {
        self.remote_by(self.address)
    }

    /// A way to it through a proxy.
    pub(crate) fn remote_by(&self, address: SocketAddr) -> Result<Remote, Failed> {
        Ok(Remote::new(&format!("http://{address}"), self.relay.key())?)
    }

    pub(crate) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = (&mut self.task).await;
    }
}

/// Hands connections on and counts the bytes of both directions, headers and all.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    counted: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let counted = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&counted);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(to).await else { continue };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_read, far_write, Arc::clone(&counts)));
                tokio::spawn(pass(far_read, near_write, Arc::clone(&counts)));
            }
        });
        Ok(Self { address, counted, task })
    }

    /// Bytes so far, both ways.
    pub(crate) fn bytes(&self) -> u64 {
        self.counted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counts: Arc<AtomicU64>) {
    let mut buffer = vec![0_u8; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // Counted before it is handed on: whoever has the answer finds it counted.
        counts.fetch_add(read as u64, Ordering::SeqCst);
        let Some(part) = buffer.get(..read) else { return };
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}

/// Opens a session of this installation at the server.
pub(crate) async fn sign_in(session: &Session, remote: &Remote) -> Result<SignedIn, Failed> {
    let (signing, account, device, incarnation) = session.sign_in_for_tests();
    Ok(remote.sign_in(&signing, account, device, incarnation).await?)
}

/// Exchanges until nothing is left to say or to fetch. Answers how many envelopes came.
pub(crate) async fn exchange(
    session: &mut Session,
    remote: &Remote,
    signed_in: &SignedIn,
) -> Result<usize, Failed> {
    let mut envelopes = 0;
    loop {
        let request = session.request()?;
        let said = session.said(&request, signed_in.forms);
        let response = remote.sync_as_said(signed_in, &said).await?;
        let exchanged = session.accept(&request, &response)?;
        envelopes += exchanged.envelopes;
        if !exchanged.more {
            return Ok(envelopes);
        }
    }
}
