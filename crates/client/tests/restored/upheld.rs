//! What a device signed for a section's log before it was removed, lost with its removal: its account stands for it, and the section
//! goes on.

use mecum_domain::Relation;
use mecum_sync::{AccountBody, SyncRequest};
use mecum_vault::Location;

use super::family::{DAY_MS, medicine, names};
use super::removals::{Removal, Who};

/// For how many entries of removed devices an entry of an account's log stands.
fn stands_for(body: &AccountBody) -> usize {
    if let AccountBody::Uphold { entries } = body { entries.len() } else { 0 }
}

fn upholds(request: &SyncRequest) -> bool {
    request.account_entries.iter().any(|entry| stands_for(&entry.unverified().body) > 0)
}

#[test]
fn what_a_device_signed_before_it_was_removed_stands_again_behind_its_removal() {
    for removes_ani in [true, false] {
        let mut scene = Removal::new(53);
        scene.gone = (removes_ani, true);
        for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
            scene.exchange(who).expect("an honest server is followed");
        }
        let to = tempfile::tempdir().expect("a folder");
        let backup = scene.family.server.backup(&to.path().join("backup"));
        scene.tablet_signs().expect("an honest server is followed");
        scene.exchange(Who::Phone).expect("an honest server is followed");
        let (chart, tablet) = (scene.family.chart, scene.tablet.installation().0);
        scene.family.phone.remove_device_for_tests(tablet, None).expect("it is removed");
        medicine(&mut scene.family.phone, chart, "Secret by Phone", None);
        for who in [Who::Phone, Who::Laptop] {
            scene.exchange(who).expect("an honest server is followed");
        }
        scene.family.server.restore(&backup);
        scene.is_back(Who::Phone).expect("everything stands again");
        medicine(&mut scene.family.laptop, chart, "Goes on", None);
        for who in [Who::Laptop, Who::Phone] {
            scene.exchange(who).expect("the section goes on");
        }
        assert!(scene.titles(Who::Phone).contains("Goes on"), "and is written in by everybody");
    }
}

#[test]
fn what_a_removed_device_signed_behind_an_entry_of_somebody_who_is_away_stands_again_when_they_come() {
    for removes_ani in [true, false] {
        let mut scene = Removal::new(61);
        scene.gone = (removes_ani, true);
        for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
            scene.exchange(who).expect("an honest server is followed");
        }
        scene.with_a_manager(61).expect("an honest server is followed");
        for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
            scene.exchange(who).expect("an honest server is followed");
        }
        let to = tempfile::tempdir().expect("a folder");
        let backup = scene.family.server.backup(&to.path().join("backup"));
        scene.manager_signs(61).expect("an honest server is followed");
        scene.tablet_signs().expect("an honest server is followed");
        scene.exchange(Who::Phone).expect("an honest server is followed");
        let (chart, tablet) = (scene.family.chart, scene.tablet.installation().0);
        scene.family.phone.remove_device_for_tests(tablet, None).expect("it is removed");
        medicine(&mut scene.family.phone, chart, "Secret by Phone", None);
        for who in [Who::Phone, Who::Laptop] {
            scene.exchange(who).expect("an honest server is followed");
        }
        scene.manager_comes().expect("an honest server is followed");
        scene.family.server.restore(&backup);
        // The removal does not wait for the manager; the section does, and everything else goes on.
        let own = scene.family.phone.create_chart("Own", None, Relation::Other, None).expect("a chart");
        medicine(&mut scene.family.phone, own, "Elsewhere", None);
        for who in [Who::Phone, Who::Laptop, Who::Phone] {
            scene.exchange(who).expect("what waits for somebody else stops nobody");
        }
        assert!(scene.family.server.sign_in(&scene.tablet).is_err(), "the tablet is out");
        let around = scene.family.server.around(67);
        let mut fresh = scene.family.phone.pair_for_tests("new", &Location::Memory, around);
        for _ in 0..2 {
            scene.exchange(Who::Phone).expect("an exchange");
            scene.family.server.exchange(&mut fresh).expect("an exchange");
        }
        assert_eq!(names(&fresh, own), ["Elsewhere"], "all else is there");
        assert_eq!(names(&fresh, chart), ["Amlodipine"], "and of the section what stood before");
        scene.manager_comes().expect("the manager brings what is theirs");
        scene.is_back(Who::Phone).expect("everything stands again");
        medicine(&mut scene.family.laptop, chart, "Goes on", None);
        for who in [Who::Laptop, Who::Phone] {
            scene.exchange(who).expect("the section goes on");
        }
        assert!(scene.titles(Who::Phone).contains("Goes on"), "and is written in by everybody");
    }
}

#[test]
fn what_is_decided_and_written_behind_an_entry_that_waits_stops_nobody_and_goes_out_with_it() {
    let mut scene = Removal::new(83);
    scene.gone = (false, true);
    for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
        scene.exchange(who).expect("an honest server is followed");
    }
    scene.with_a_manager(83).expect("an honest server is followed");
    for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
        scene.exchange(who).expect("an honest server is followed");
    }
    let to = tempfile::tempdir().expect("a folder");
    let backup = scene.family.server.backup(&to.path().join("backup"));
    scene.manager_signs(83).expect("an honest server is followed");
    let (chart, tablet) = (scene.family.chart, scene.tablet.installation().0);
    medicine(&mut scene.tablet, chart, "By the tablet", None);
    for who in [Who::Tablet, Who::Phone, Who::Laptop] {
        scene.exchange(who).expect("an honest server is followed");
    }
    // No word is written after it: the epoch that it owes begins only on the restored server, behind what waits.
    scene.family.phone.remove_device_for_tests(tablet, None).expect("it is removed");
    for who in [Who::Phone, Who::Laptop] {
        scene.exchange(who).expect("an honest server is followed");
    }
    scene.manager_comes().expect("an honest server is followed");
    scene.family.server.restore(&backup);
    for who in [Who::Phone, Who::Laptop, Who::Phone] {
        scene.exchange(who).expect("what waits for somebody else stops nobody");
    }
    medicine(&mut scene.family.phone, chart, "While it waits", None);
    for who in [Who::Phone, Who::Laptop, Who::Phone] {
        scene.exchange(who).expect("nor does what is written meanwhile");
    }
    scene.manager_comes().expect("the manager brings what is theirs");
    scene.is_back(Who::Phone).expect("everything stands again");
    let titles = scene.titles(Who::Phone);
    assert!(titles.contains("While it waits") && titles.contains("By the tablet"), "and all of it is there");
}

#[test]
fn two_devices_that_stand_for_the_same_entries_at_once_do_so_once() {
    let mut scene = Removal::new(71);
    scene.gone = (false, true);
    for who in [Who::Phone, Who::Laptop, Who::Tablet, Who::Ani] {
        scene.exchange(who).expect("an honest server is followed");
    }
    let to = tempfile::tempdir().expect("a folder");
    let backup = scene.family.server.backup(&to.path().join("backup"));
    scene.tablet_signs().expect("an honest server is followed");
    let tablet = scene.tablet.installation().0;
    scene.exchange(Who::Phone).expect("an honest server is followed");
    scene.family.phone.remove_device_for_tests(tablet, None).expect("it is removed");
    for who in [Who::Phone, Who::Laptop] {
        scene.exchange(who).expect("an honest server is followed");
    }
    scene.family.server.clock.advance(DAY_MS);
    scene.family.server.restore(&backup);
    // Both read everything again, and know what is lost, before either says so.
    for session in [&mut scene.family.phone, &mut scene.family.laptop] {
        let rounds = scene.family.server.rounds_until(session, upholds);
        assert_eq!(rounds, Ok(true), "it stands for what was lost");
    }
    for who in [Who::Phone, Who::Laptop, Who::Phone] {
        scene.exchange(who).expect("whoever is second gives way");
    }
    for session in [&scene.family.phone, &scene.family.laptop] {
        assert!(!session.has_something_to_say(), "nothing is left to say");
    }
    scene.is_back(Who::Phone).expect("everything stands again");
    let all = scene.family.server.account_bodies();
    assert_eq!(all.iter().map(stands_for).sum::<usize>(), 1, "one entry was lost, and is upheld once");
}
