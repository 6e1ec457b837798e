//! What a version could not read is kept, counted, and taken in by a later version that can, with what was built on it.

use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Field, Kind, Relation};
use mecum_sync::controls;
use mecum_testkit::FakeRelay;
use mecum_vault::Location;

fn settle(relay: &mut FakeRelay, session: &mut Session) {
    loop {
        let request = session.request().expect("a request");
        let response = relay.answer(session.installation(), &request, 50);
        if !session.accept(&request, &response).expect("an honest relay is followed").more {
            return;
        }
    }
}

fn shows(session: &mut Session, dose: &str) -> bool {
    session.fingerprint().expect("reads").values().any(|shown| shown.contains(&format!("\"{dose}\"")))
}

#[test]
fn what_an_older_version_put_aside_is_taken_in_after_an_update() {
    let mut relay = FakeRelay::new([9; 32]);
    let mut phone = first_device(&Location::Memory, surroundings(1));
    phone.pin_for_tests(relay.key());
    let chart = phone.create_chart("Ratna", None, Relation::Mother, None).expect("a chart");
    let mut tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(2));
    let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
    let medicine = phone.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
    for _ in 0..3 {
        settle(&mut relay, &mut phone);
        settle(&mut relay, &mut tablet);
    }
    let dose = |phone: &mut Session, relay: &mut FakeRelay, value: &str| {
        let set = vec![(Field::Dose, Some(value.to_owned()))];
        phone.set(chart, medicine, set).expect("a dose changes");
        settle(relay, phone);
    };
    dose(&mut phone, &mut relay, "7.5");
    {
        let _older = controls::take_out(&["reads"]);
        settle(&mut relay, &mut tablet);
    }
    assert_eq!(tablet.quarantined(), 1, "the older version puts it aside");
    dose(&mut phone, &mut relay, "10");
    settle(&mut relay, &mut tablet);
    assert_eq!(tablet.quarantined(), 1, "the same version does not try again with each exchange");
    assert!(!shows(&mut tablet, "10"), "what was built on it waits");
    tablet.update_for_tests();
    let mut tablet = tablet.restart().expect("its vault opens");
    settle(&mut relay, &mut tablet);
    assert_eq!(tablet.quarantined(), 0, "the newer version reads it");
    assert!(shows(&mut tablet, "10"), "and what had waited for it");
    let whole = phone.fingerprint().expect("reads");
    assert_eq!(tablet.fingerprint().expect("reads"), whole, "down to every row");
    // What no version reads goes back, and is counted once.
    phone.seal_for_tests(chart, medicine, b"\x00these are no edits").expect("sealed");
    settle(&mut relay, &mut phone);
    settle(&mut relay, &mut tablet);
    tablet.update_for_tests();
    settle(&mut relay, &mut tablet);
    assert_eq!(tablet.quarantined(), 1, "it stays aside");
}
