//! Row `idle`: a signed-in device comes back after its connection was cut, and there is nothing new.

use std::time::Duration;

use mecum_client::remote::Heard;

use crate::Failed;
use crate::chart::{Built, unlock};
use crate::line::{Proxy, Server, sign_in};
use crate::report::{Numbers, Row};

const TIMES: usize = 12;

const MOST_BYTES: f64 = 400.0;

/// After the answer, the closing of the connection is still to come.
const LAST_BYTES: Duration = Duration::from_millis(30);

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let server = Server::start(&built.relay("idle-relay")?).await?;
    let mut session = unlock(&built.device("idle")?)?;
    let proxy = Proxy::start(server.address).await?;
    let signed_in = sign_in(&session, &server.remote_by(proxy.address)?).await?;
    tokio::time::sleep(LAST_BYTES).await;
    let signing_in = proxy.bytes();
    let mut ours = Numbers::default();
    for _ in 0..TIMES {
        let before = proxy.bytes();
        // A fresh one has no open connection.
        let remote = server.remote_by(proxy.address)?;
        // As the app comes back: the wake socket, and an exchange only if that has news or something waits here.
        let (wake, heard) = remote.wake(&signed_in, session.request()?.cursor).await?;
        if heard != Heard::NothingNew || session.has_something_to_say() {
            return Err("there was something to exchange".into());
        }
        drop(wake);
        drop(remote);
        // The closing is counted with it.
        tokio::time::sleep(LAST_BYTES).await;
        ours.0.push(bytes(before, proxy.bytes()));
    }
    // The other side: an exchange must find the same, and nothing at all may have been kept back.
    let before = proxy.bytes();
    let request = session.request()?;
    let response = server.remote_by(proxy.address)?.sync(&signed_in, &request).await?;
    tokio::time::sleep(LAST_BYTES).await;
    let exchange = proxy.bytes() - before;
    if !response.items.is_empty() || response.more || session.accept(&request, &response)?.more {
        return Err("the wake socket said that there is nothing new, and there was".into());
    }
    server.stop().await;
    let what = format!(
        "all that the app of a signed-in device says and hears when it comes back: its wake socket, which answers for the whole account that there is nothing new, from opening to closing, with all HTTP headers; not in it: signing in once its pass has ended (12 h) or the vault was locked, {signing_in} B, and the exchange that follows every 30 s as long as it stays, {exchange} B; {}",
        built.said
    );
    Ok(Row::of("idle", what, "≤ 400 B", "B", &ours, |bytes| bytes <= MOST_BYTES))
}

/// Bytes between two counts. Exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a bench exchanges less than 2^53 bytes")]
pub(crate) fn bytes(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64
}
