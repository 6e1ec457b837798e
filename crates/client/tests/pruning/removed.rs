//! A member is removed from a section that the server has pruned, with a cut above that: what was pruned stands, void words go, and a
//! device that comes later has the same record.

use mecum_api::MemberRemoveArgs;
use mecum_client::testing::surroundings;
use mecum_domain::{ChartId, Section};
use mecum_sync::Role;
use mecum_vault::Location;

use super::erased::{dose, doses, holds, medicine};
use super::line::{Device, Line, exchange, fold, same};

/// A guest of another account, who writes in the medicines; with her own chart.
async fn guest(line: &Line, phone: &mut Device, chart: ChartId, seed: u64) -> (Device, ChartId) {
    let (mut ani, own) = line.first(seed).await;
    exchange(phone).await;
    phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut ani.session);
    for _ in 0..2 {
        exchange(phone).await;
        exchange(&mut ani).await;
    }
    (ani, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_removed_with_a_cut_above_what_was_pruned_and_a_device_comes_later() {
    for (seed, pruned_again) in [(261, false), (271, true)] {
        let what = format!("seed {seed}, pruned again after: {pruned_again}");
        println!("{what}");
        let line = Line::start().await;
        let (mut phone, mut laptop, chart) = *Box::pin(line.two(seed, 16)).await;
        let theirs = medicine(&mut phone.session, chart, "Amlodipine");
        let (mut ani, _) = Box::pin(guest(&line, &mut phone, chart, seed + 2)).await;
        medicine(&mut ani.session, chart, "In time, pruned");
        for _ in 0..2 {
            exchange(&mut ani).await;
            exchange(&mut phone).await;
            exchange(&mut laptop).await;
        }
        drop(fold(&line, &mut phone, &mut laptop, seed + 3).await);
        line.prune(&what);
        // Counts: the phone sees it. Void: only the laptop does, and builds on it.
        medicine(&mut ani.session, chart, "In time, after the pruning");
        exchange(&mut ani).await;
        exchange(&mut phone).await;
        medicine(&mut ani.session, chart, "Too late");
        dose(&mut ani.session, chart, theirs, "99");
        exchange(&mut ani).await;
        exchange(&mut laptop).await;
        dose(&mut laptop.session, chart, theirs, "6");
        medicine(&mut laptop.session, chart, "Honest, on top of it");
        exchange(&mut laptop).await;
        let account = ani.session.account_for_tests();
        let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
        phone.session.member_remove(&args).expect("she is removed");
        for _ in 0..4 {
            exchange(&mut phone).await;
            exchange(&mut laptop).await;
        }
        if pruned_again {
            // After a restart a section that could not be folded before is tried at once.
            phone = line.device(phone.session.restart().expect("reopens")).await;
            laptop = line.device(laptop.session.restart().expect("reopens")).await;
            drop(fold(&line, &mut phone, &mut laptop, seed + 4).await);
            line.prune(&what);
        }
        let later = phone.session.pair_for_tests("later", &Location::Memory, surroundings(seed + 5));
        exchange(&mut phone).await;
        let mut later = line.device(later).await;
        for _ in 0..2 {
            exchange(&mut later).await;
            exchange(&mut laptop).await;
            exchange(&mut phone).await;
        }
        same(&mut [&mut phone, &mut laptop, &mut later], &what);
        let names: Vec<String> = doses(&mut later.session, chart).into_iter().map(|(name, _)| name).collect();
        for name in ["Amlodipine", "Honest, on top of it", "In time, after the pruning", "In time, pruned"] {
            assert!(names.iter().any(|has| has == name), "{what}: {name} stands: {names:?}");
        }
        assert!(!names.iter().any(|name| name == "Too late"), "{what}: nothing beyond the cut");
        for device in [&mut phone, &mut laptop, &mut later] {
            assert!(!holds(&device.session.readable_for_tests(), b"Too late"), "{what}: in no vault");
            assert!(device.session.is_sound_for_tests(), "{what}: sound");
        }
        medicine(&mut later.session, chart, "Afterwards");
        for _ in 0..2 {
            for device in [&mut later, &mut phone, &mut laptop] {
                exchange(device).await;
            }
        }
        same(&mut [&mut phone, &mut laptop, &mut later], &format!("{what}: afterwards"));
        line.is_sound(&what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_of_another_person_is_folded_beside_it() {
    // The guest's own chart goes on being hers, whatever becomes of the section that she was let into.
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(281, 12)).await;
    let (mut ani, own) = Box::pin(guest(&line, &mut phone, chart, 283)).await;
    medicine(&mut ani.session, own, "Hers");
    for _ in 0..2 {
        exchange(&mut ani).await;
        exchange(&mut phone).await;
        exchange(&mut laptop).await;
    }
    drop(fold(&line, &mut phone, &mut laptop, 284).await);
    line.prune("with a guest");
    let second = ani.session.pair_for_tests("second", &Location::Memory, surroundings(285));
    exchange(&mut ani).await;
    let mut second = line.device(second).await;
    for _ in 0..2 {
        exchange(&mut second).await;
        exchange(&mut ani).await;
    }
    same(&mut [&mut ani, &mut second], "the guest's second device, from what is pruned");
    assert!(holds(&second.session.readable_for_tests(), b"Hers"), "with her own");
}
