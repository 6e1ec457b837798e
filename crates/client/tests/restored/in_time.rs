//! What a device signed for a section's log before it was removed, lost with its removal: it stands again before the removal does, and
//! the section goes on.

use mecum_client::Session;
use mecum_domain::{Relation, Section};
use mecum_sync::limits::MAX_SPACE_ENTRIES;
use mecum_sync::{AccountBody, Role, SyncRequest};

use super::family::{Server, medicine, names};
use super::removals::{Removal, Who};

#[test]
fn what_a_device_signed_before_it_was_removed_stands_again_before_its_removal() {
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

/// Exchanges until nothing is left: so many sections take more rounds than a record of one person.
fn at_rest(server: &Server, session: &mut Session) {
    assert_eq!(server.rounds(session, 2_000), Ok(true), "an honest server is followed");
}

#[test]
fn a_removal_waits_for_what_its_device_signed_where_one_request_does_not_hold_it_all() {
    let mut scene = Removal::new(59);
    let (mut chart, mut last) = (scene.family.chart, None);
    for n in 0..MAX_SPACE_ENTRIES / 2 {
        let phone = &mut scene.family.phone;
        let made = phone.create_chart(&format!("Chart {n}"), None, Relation::Other, None).expect("a chart");
        // Two sections: what the person is, and this.
        medicine(phone, made, "Amlodipine", None);
        let space = phone.space_for_tests(made, Section::Medications);
        // The one that is offered last.
        if last < space {
            (chart, last) = (made, space);
        }
    }
    at_rest(&scene.family.server, &mut scene.family.phone);
    at_rest(&scene.family.server, &mut scene.tablet);
    let to = tempfile::tempdir().expect("a folder");
    let backup = scene.family.server.backup(&to.path().join("backup"));
    scene.tablet.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut scene.budi);
    at_rest(&scene.family.server, &mut scene.tablet);
    at_rest(&scene.family.server, &mut scene.family.phone);
    let tablet = scene.tablet.installation().0;
    scene.family.phone.remove_device_for_tests(tablet, None).expect("it is removed");
    medicine(&mut scene.family.phone, chart, "For Budi", None);
    at_rest(&scene.family.server, &mut scene.family.phone);
    scene.family.server.restore(&backup);
    scene.family.phone.begin_again().expect("it begins again");
    let request = scene.family.phone.request().expect("a request");
    assert_eq!(request.space_entries.len(), MAX_SPACE_ENTRIES, "there are more than one request holds");
    let removes = |body: &AccountBody| matches!(body, AccountBody::RemoveDevice { .. });
    let is_in =
        |request: &SyncRequest| request.account_entries.iter().any(|entry| removes(&entry.unverified().body));
    assert!(!is_in(&request), "the removal is not in the first");
    // Whatever a server makes of these: it does not wait for ever.
    let waited = (1..64).find(|_| is_in(&scene.family.phone.request().expect("a request")));
    assert_eq!(waited, Some(16), "requests from which it was left out");
    scene.family.phone = scene.family.phone.restart().expect("its vault opens again");
    at_rest(&scene.family.server, &mut scene.family.phone);
    assert!(scene.family.server.sign_in(&scene.tablet).is_err(), "the tablet is out");
    scene.family.server.exchange(&mut scene.budi).expect("an honest server is followed");
    assert_eq!(names(&scene.budi, chart), ["Amlodipine", "For Budi"], "and whom it let in reads on");
}
