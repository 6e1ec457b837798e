//! Waiting for a reason to exchange: an edit, the relay, or time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::GATHER;
use crate::remote::Wake;

/// An open wake socket. While it is anywhere, no other is opened.
pub(crate) struct Listening {
    pub(super) wake: Wake,
    pub(super) _alive: Arc<()>,
}

/// Waits for a reason to exchange, at most for `pause`. False if the app is gone.
pub(super) async fn wait(
    poke: &Notify,
    sockets: &mut mpsc::Receiver<Listening>,
    listening: &mut Option<Listening>,
    pause: Duration,
) -> bool {
    let ends = Instant::now() + pause;
    loop {
        tokio::select! {
            // A fresh socket before what is left of the one that it replaces.
            biased;
            fresh = sockets.recv() => match fresh {
                Some(fresh) => *listening = Some(fresh),
                None => return false,
            },
            () = poke.notified() => {
                tokio::time::sleep(GATHER).await;
                return true;
            }
            () = woken(listening) => return true,
            () = tokio::time::sleep_until(ends) => return true,
        }
    }
}

/// Resolves when the relay has news, or when the socket is cut; never, where there is none.
async fn woken(listening: &mut Option<Listening>) {
    let Some(line) = listening else { return std::future::pending().await };
    if line.wake.next().await.is_err() {
        // The next exchange says how things stand, and opens another socket with the pass that there is.
        *listening = None;
        tokio::time::sleep(GATHER).await;
    }
}
