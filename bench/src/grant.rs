//! Row `grant`: somebody is let into six sections of the chart.

use std::time::Duration;

use mecum_client::testing::{first_device, surroundings};
use mecum_domain::Section;
use mecum_sync::{Role, SpaceSnapshot};
use mecum_vault::Location;

use crate::Failed;
use crate::chart::{Built, SEED, unlock};
use crate::cost::cpu_time;
use crate::line::{Server, sign_in};
use crate::report::{Numbers, Row};

const TIMES: u64 = 10;

const MOST_CPU_MS: f64 = 300.0;
const MOST_BYTES: f64 = 16_000.0;

const SPACES: usize = 6;

pub(crate) async fn measure(built: &Built) -> Result<Row, Failed> {
    let (mut cpu, mut bytes, mut heard) = (Numbers::default(), Numbers::default(), Numbers::default());
    let mut snapshots = 0;
    for number in 0..TIMES {
        let cost = once(built, number).await?;
        cpu.time(cost.cpu);
        bytes.0.push(f64::from(u32::try_from(cost.said + cost.heard)?));
        heard.0.push(f64::from(u32::try_from(cost.heard)?));
        snapshots = cost.snapshots;
    }
    let what = format!(
        "one grant of six sections to another account, until the server has countersigned it and has fresh snapshots of everything ({snapshots} B, which are not counted); the answering of the invitation before it is not in it; {}",
        built.said
    );
    let cpu_row = Row::of(
        "grant",
        "CPU time of the granting device: granting, what it says and takes, and folding, pressing and sealing the snapshots",
        "≤ 300 ms",
        "ms",
        &cpu,
        |ms| ms <= MOST_CPU_MS,
    );
    let bytes_row = Row::of(
        "grant",
        format!(
            "bodies of the exchange both ways, without the parts of the snapshots and HTTP headers; {} B of it are what the server says, which repeats each entry under its own signature",
            heard.median().unwrap_or_default()
        ),
        "≤ 16 KB",
        "B",
        &bytes,
        |bytes| bytes <= MOST_BYTES,
    );
    Ok(Row::joined("grant", what, "CPU ≤ 300 ms; ≤ 16 KB beside snapshots", vec![cpu_row, bytes_row]))
}

struct Cost {
    cpu: Duration,
    said: usize,
    heard: usize,
    snapshots: usize,
}

async fn once(built: &Built, number: u64) -> Result<Cost, Failed> {
    let (relay, device) = (format!("grant-relay-{number}"), format!("grant-{number}"));
    let server = Server::start(&built.relay(&relay)?).await?;
    let remote = server.remote()?;
    let mut owner = unlock(&built.device(&device)?)?;
    let mut other = first_device(&Location::Memory, surroundings(SEED + 500 + number));
    other.pin_for_tests(server.relay.key());
    remote.enrol(&server.relay.make_enrolment_code()?, other.genesis_for_tests()?).await?;
    let signed_in = sign_in(&owner, &remote).await?;
    crate::line::exchange(&mut owner, &remote, &signed_in).await?;

    let mut cost = Cost { cpu: Duration::ZERO, said: 0, heard: 0, snapshots: 0 };
    let there = |section: &Section| owner.space_for_tests(built.chart, *section).is_some();
    // Where the chart has fewer sections in use, the grant begins the others, as an invitation does.
    let (used, unused): (Vec<Section>, Vec<Section>) = Section::RECORD.iter().copied().partition(there);
    let sections: Vec<Section> = used.into_iter().chain(unused).take(SPACES).collect();
    let began = cpu_time();
    owner.let_into_for_tests(built.chart, sections, Role::Reader, &mut other);
    cost.cpu += cpu_time().saturating_sub(began);
    loop {
        let began = cpu_time();
        let request = owner.request()?;
        let said = owner.said(&request, signed_in.forms);
        cost.cpu += cpu_time().saturating_sub(began);
        let response = remote.sync_as_said(&signed_in, &said).await?;
        let began = cpu_time();
        let more = owner.accept(&request, &response)?.more;
        cost.cpu += cpu_time().saturating_sub(began);
        let snapshots: usize = request.snapshots.iter().map(SpaceSnapshot::bytes).sum();
        cost.snapshots += snapshots;
        let (said, heard) =
            (mecum_sync::encode(&said).len() - snapshots, mecum_sync::encode(&response).len());
        if number == 0 {
            eprintln!(
                "bench: grant says {said} B: {} entries, {} pushes, {} snapshots of {snapshots} B; hears {heard} B: {} items",
                request.space_entries.len(),
                request.pushes.len(),
                request.snapshots.len(),
                response.items.len()
            );
        }
        cost.said += said;
        cost.heard += heard;
        if !more {
            break;
        }
    }
    if cost.snapshots == 0 || owner.has_something_to_say() {
        return Err("the server has no snapshots of what was granted".into());
    }
    server.stop().await;
    drop(owner);
    for folder in [relay, device] {
        std::fs::remove_dir_all(built.folder.join(folder))?;
    }
    Ok(cost)
}
