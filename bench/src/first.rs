//! Row `first`: a new device of the account fetches the chart from a real relay over loopback, into a vault of its own.

use std::time::Instant;

use mecum_client::testing::surroundings;

use crate::Failed;
use crate::chart::{Built, SEED, location, unlock};
use crate::idle::bytes;
use crate::line::{Proxy, Server, exchange, sign_in};
use crate::report::{Numbers, Row};

const TIMES: u64 = 10;

const MOST_MS: f64 = 800.0;
/// 351 KB, as measured on the best peer.
const MOST_BYTES: f64 = 351_000.0;

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let (mut time, mut size) = (Numbers::default(), Numbers::default());
    for number in 0..TIMES {
        let (took, sent) = once(built, number).await?;
        eprintln!("bench: first sync {number}: {} ms, {sent} B", took.as_millis());
        time.time(took);
        size.0.push(sent);
    }
    let what = format!(
        "sign-in, wake socket, and exchange until nothing is left: pulled, verified, opened, judged, committed with its views, and acknowledged; the pairing before it is not counted; {}",
        built.said
    );
    let time_row = Row::of("first", "time", "≤ 0.8 s", "ms", &time, |ms| ms <= MOST_MS);
    let size_row = Row::of("first", "bytes both ways with all headers", "≤ 351 KB", "B", &size, |bytes| {
        bytes <= MOST_BYTES
    });
    Ok(Row::joined("first", what, "≤ 0.8 s; ≤ 351 KB", vec![time_row, size_row]))
}

/// One new device, from copies of the relay and of an old device's vault: so every one finds the same.
async fn once(built: &Built, number: u64) -> Result<(std::time::Duration, f64), Failed> {
    let (relay, old) = (format!("first-relay-{number}"), format!("first-old-{number}"));
    let server = Server::start(&built.relay(&relay)?).await?;
    let mut old_device = unlock(&built.device(&old)?)?;
    let new = built.folder.join(format!("first-new-{number}"));
    let mut device = old_device.pair_for_tests("laptop", &location(&new), surroundings(SEED + 100 + number));
    let direct = server.remote()?;
    let signed_in = sign_in(&old_device, &direct).await?;
    exchange(&mut old_device, &direct, &signed_in).await?;

    let proxy = Proxy::start(server.address).await?;
    let began = Instant::now();
    let remote = server.remote_by(proxy.address)?;
    let signed_in = sign_in(&device, &remote).await?;
    let (wake, _) = remote.wake(&signed_in, device.request()?.cursor).await?;
    exchange(&mut device, &remote, &signed_in).await?;
    let took = began.elapsed();
    let sent = bytes(0, proxy.bytes());

    drop(wake);
    let (there, here) = (old_device.rows(built.chart)?.len(), device.rows(built.chart)?.len());
    if there != here || device.quarantined() > 0 {
        return Err(format!("{here} of {there} rows arrived, {} put aside", device.quarantined()).into());
    }
    server.stop().await;
    drop((old_device, device));
    for folder in [built.folder.join(relay), built.folder.join(old), new] {
        std::fs::remove_dir_all(folder)?;
    }
    Ok((took, sent))
}
