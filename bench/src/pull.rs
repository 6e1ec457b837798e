//! Row `pull`: a fresh device fetches ten thousand envelopes one by one, without snapshots; here is what checking and opening
//! them costs one core.

use std::path::Path;

use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Edit, Relation};
use mecum_testkit::generate_mixed;

use crate::Failed;
use crate::chart::{SEED, location};
use crate::cost::cpu_time;
use crate::line::{Server, exchange, sign_in};
use crate::report::{Numbers, Row};
use crate::rest::additions_first;

const ENVELOPES: usize = 10_000;
const TIMES: usize = 12;

const LEAST_PER_SECOND: f64 = 50_000.0;

pub(crate) async fn measure(work: &Path) -> Result<Row, Failed> {
    let folder = work.join("pull");
    let server = Server::start(&folder.join("relay")).await?;
    let mut first = first_device(&location(&folder.join("first")), surroundings(SEED));
    first.pin_for_tests(server.relay.key());
    let chart = first.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    let remote = server.remote()?;
    remote.enrol(&server.relay.make_enrolment_code()?, first.genesis_for_tests()?).await?;
    let mut additions = additions_first(generate_mixed(SEED, ENVELOPES));
    let is_change = |(_, edit): &(_, Edit)| matches!(edit, Edit::Set { .. });
    let changes = additions.split_off(additions.iter().position(is_change).unwrap_or(additions.len()));
    first.write_for_tests(chart, additions, false)?;
    first.write_for_tests(chart, changes, false)?;
    let mut fresh = first.pair_for_tests("laptop", &location(&folder.join("fresh")), surroundings(SEED + 1));
    let signed_in = sign_in(&first, &remote).await?;
    exchange(&mut first, &remote, &signed_in).await?;

    fresh.set_setting("no-snapshots", b"bench")?;
    let remote = server.remote()?;
    let signed_in = sign_in(&fresh, &remote).await?;
    let mut seconds = vec![0.0; TIMES];
    let (mut opened, mut bytes) = (0, 0);
    loop {
        let request = fresh.request()?;
        let response = remote.sync(&signed_in, &request).await?;
        let mut here = 0;
        for took in &mut seconds {
            let began = cpu_time();
            here = fresh.check_and_open_for_tests(&request, &response)?;
            *took += cpu_time().saturating_sub(began).as_secs_f64();
        }
        opened += here;
        bytes += mecum_sync::encode(&response).len();
        if !fresh.accept(&request, &response)?.more {
            break;
        }
    }
    server.stop().await;
    if opened < ENVELOPES || fresh.quarantined() > 0 || fresh.rows(chart)?.len() != first.rows(chart)?.len() {
        return Err(format!("{opened} envelopes opened, {} put aside", fresh.quarantined()).into());
    }
    let count = f64::from(u32::try_from(opened)?);
    let ours = Numbers(seconds.into_iter().map(|took| count / took).collect());
    let what = format!(
        "{opened} envelopes of a mixed entry each ({} KB in answers) from a relay, by a device that has nothing: statements and links verified, each envelope's hash, seal, padding and payload checked and decoded, by CPU time of one thread; what follows it, judging and committing, is not in it",
        bytes / 1_000
    );
    Ok(Row::of("pull", what, "≥ 50,000/s", "1/s", &ours, |rate| rate >= LEAST_PER_SECOND))
}
