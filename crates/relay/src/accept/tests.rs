//! What no test over TCP can time: who comes while a sweep goes on.

use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::*;
use crate::store::Swept;
use crate::store::scripted::{Scripted, relay_over};

/// What a test waits at most: far more than anything here takes, so that a server that hangs fails and does not hang the test.
const PATIENCE: Duration = Duration::from_mins(1);

/// A sweep that says when it has begun and ends when it is told to.
fn held_sweep() -> (Scripted, oneshot::Receiver<()>, SyncSender<()>) {
    let (began, has_begun) = oneshot::channel();
    let (let_go, told) = sync_channel::<()>(1);
    let began = Mutex::new(Some((began, told)));
    let sweep = move || {
        let first = began.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((began, told)) = first {
            began.send(()).expect("the test waits");
            // An error is the test that has ended.
            let _ = told.recv();
        }
        Ok(Swept::default())
    };
    (Scripted { sweep: Box::new(sweep), ..Scripted::default() }, has_begun, let_go)
}

async fn health(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = b"GET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn the_server_accepts_while_what_is_over_is_being_forgotten_and_stops_as_well() {
    let (store, has_begun, let_go) = held_sweep();
    let (_folder, relay) = relay_over(Arc::new(store));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = relay.clone();
    let served = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serving.serve(listener, stopped).await
    });
    let in_time = tokio::time::timeout(PATIENCE, async {
        has_begun.await.expect("a server that starts forgets what is over");
        for _ in 0..3 {
            assert!(health(address).await.starts_with("HTTP/1.1 200"), "who comes meanwhile is answered");
        }
        stop.send(()).expect("it serves");
        served.await.expect("nothing panicked").expect("it served");
    });
    let ended = in_time.await;
    let_go.send(()).expect("the sweep waited until now, so all of that was beside it");
    ended.expect("neither who comes nor who stops it waits for the sweep");
}
