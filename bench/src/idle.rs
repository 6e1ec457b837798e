//! Row `idle`: a signed-in device comes back after its connection was cut, and there is nothing new.

use std::time::Duration;

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
    let (mut ours, mut waking) = (Numbers::default(), 0);
    for _ in 0..TIMES {
        let before = proxy.bytes();
        // A fresh one has no open connection.
        let remote = server.remote_by(proxy.address)?;
        // As the app comes back: its wake socket first, then the exchange.
        let wake = remote.wake(&signed_in).await?;
        tokio::time::sleep(LAST_BYTES).await;
        waking = proxy.bytes() - before;
        let request = session.request()?;
        let response = remote.sync(&signed_in, &request).await?;
        let nothing_new = response.items.is_empty() && response.receipts.is_none();
        let exchanged = session.accept(&request, &response)?;
        drop(remote);
        tokio::time::sleep(LAST_BYTES).await;
        let after = proxy.bytes();
        drop(wake);
        tokio::time::sleep(LAST_BYTES).await;
        if exchanged.more || !nothing_new {
            return Err("there was something to exchange".into());
        }
        ours.0.push(bytes(before, after));
    }
    server.stop().await;
    let what = format!(
        "all that the app of a signed-in device says and hears when it comes back: its wake socket ({waking} B of it) and one exchange of the whole account, with all HTTP headers; not in it: signing in once its pass has ended (12 h), {signing_in} B; {}",
        built.said
    );
    Ok(Row::of("idle", what, "≤ 400 B", "B", &ours, |bytes| bytes <= MOST_BYTES))
}

/// Bytes between two counts. Exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a bench exchanges less than 2^53 bytes")]
pub(crate) fn bytes(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64
}
