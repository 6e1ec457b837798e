//! A device that reads a pruned history again after an erasure: what took the erased document's place is built anew over the snapshot
//! with everything that is here, and what ended before does not come back with a snapshot from then.

use mecum_api::EntryEraseArgs;
use mecum_client::testing::surroundings;
use mecum_client::{ItemKey, Session};
use mecum_domain::ChartId;
use mecum_vault::Location;

use super::erased::{NEEDLE, dose, doses, holds, medicine};
use super::line::{Device, Line, exchange, fold, same};
use super::together;

fn erase(who: &mut Session, chart: ChartId, key: ItemKey) {
    let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
    who.entry_erase(&args).expect("it is decided");
}

/// The dose of a standing medicine.
fn dose_of(device: &mut Device, chart: ChartId, name: &str) -> String {
    let all = doses(&mut device.session, chart);
    all.into_iter().find(|(title, _)| title == name).map(|(_, dose)| dose).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_again_keeps_what_came_and_was_written_in_a_successor_since_the_snapshot() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(301, 16)).await;
    let theirs = medicine(&mut phone.session, chart, "Amlodipine");
    let own = medicine(&mut laptop.session, chart, "Metformin");
    let gone = medicine(&mut phone.session, chart, NEEDLE);
    together(&mut phone, &mut laptop).await;
    erase(&mut phone.session, chart, gone);
    together(&mut phone, &mut laptop).await;
    dose(&mut laptop.session, chart, own, "2");
    together(&mut phone, &mut laptop).await;
    drop(fold(&line, &mut phone, &mut laptop, 303).await);
    line.prune("with a successor");
    // Since the snapshot: another's words and own ones that the server has, and own ones that it never saw.
    dose(&mut phone.session, chart, theirs, "7");
    dose(&mut laptop.session, chart, own, "3");
    together(&mut phone, &mut laptop).await;
    dose(&mut laptop.session, chart, own, "4");
    medicine(&mut laptop.session, chart, "Only here");

    assert!(laptop.session.begin_again().expect("a vault takes it"), "it reads again");
    let brought = exchange(&mut laptop).await;
    assert!(brought.snapshots > 0, "over a snapshot: {brought:?}");
    assert_eq!(dose_of(&mut laptop, chart, "Amlodipine"), "7", "another's words since then stand");
    assert_eq!(dose_of(&mut laptop, chart, "Metformin"), "4", "and own ones that were never sent");
    assert_eq!(dose_of(&mut laptop, chart, "Only here"), "1", "all of them");
    dose(&mut laptop.session, chart, own, "5");
    together(&mut phone, &mut laptop).await;
    same(&mut [&mut phone, &mut laptop], "after reading again");
    assert_eq!(dose_of(&mut phone, chart, "Metformin"), "5", "and what is written then is taken elsewhere");
    laptop = line.device(laptop.session.restart().expect("reopens")).await;
    same(&mut [&mut phone, &mut laptop], "from its own vault");
    let later = phone.session.pair_for_tests("later", &Location::Memory, surroundings(305));
    exchange(&mut phone).await;
    let mut later = line.device(later).await;
    exchange(&mut later).await;
    together(&mut phone, &mut laptop).await;
    same(&mut [&mut phone, &mut laptop, &mut later], "with one that comes later");
    line.is_sound("after reading again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_from_before_an_erasure_brings_nothing_back_to_who_has_carried_it_out() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(311, 16)).await;
    let stays = medicine(&mut phone.session, chart, "Amlodipine");
    let gone = medicine(&mut phone.session, chart, NEEDLE);
    together(&mut phone, &mut laptop).await;
    let secret = phone.session.key_of_entry_for_tests(chart, gone);
    drop(fold(&line, &mut phone, &mut laptop, 313).await);
    line.prune("before the erasure");
    assert!(
        holds(&laptop.session.readable_for_tests(), &secret),
        "the control: its key is found where it is"
    );
    erase(&mut phone.session, chart, gone);
    together(&mut phone, &mut laptop).await;
    dose(&mut laptop.session, chart, stays, "3");

    assert!(laptop.session.begin_again().expect("a vault takes it"), "it reads again");
    let mut snapshots = 0;
    for page in 0..400 {
        let mut request = laptop.session.request().expect("a request");
        // A page for each item: between them the vault is as it is while it reads.
        request.max_bytes = 1;
        let response = laptop.remote.sync(&laptop.signed_in, &request).await.expect("a relay answers");
        let snapshot = |item: &&mecum_sync::Item| matches!(item, mecum_sync::Item::Snapshot { .. });
        snapshots += response.items.iter().filter(snapshot).count();
        laptop.session.accept(&request, &response).expect("an honest relay is followed");
        let has = laptop.session.readable_for_tests();
        assert!(!holds(&has, NEEDLE.as_bytes()), "page {page}: what was erased is not back");
        assert!(!holds(&has, &secret), "page {page}: nor its key");
        if !response.more {
            break;
        }
    }
    assert!(snapshots > 1, "it came by snapshots");
    together(&mut phone, &mut laptop).await;
    same(&mut [&mut phone, &mut laptop], "after reading again");
    assert_eq!(dose_of(&mut phone, chart, "Amlodipine"), "3", "what was written meanwhile is there");
    let restarted = laptop.session.restart().expect("reopens");
    laptop = line.device(restarted).await;
    same(&mut [&mut phone, &mut laptop], "from its own vault");
}
