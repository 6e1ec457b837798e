//! An earlier cut: of a stolen phone, or of somebody who is removed, nothing counts that came after the moment that is chosen.

use std::sync::Arc;

use mecum_api::MemberRemoveArgs;
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{FixedClock, Surroundings};
use mecum_domain::{Relation, Section};
use mecum_sync::Role;
use mecum_vault::Location;

use super::family::{Device, Server, medicine};

/// Surroundings whose clock a test moves on.
fn moving(seed: u64) -> (Surroundings, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let around = surroundings(seed);
    (Surroundings { clock: Arc::clone(&clock) as Arc<dyn mecum_client::Clock>, ..around }, clock)
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_stolen_phone_nothing_counts_that_came_after_the_day_that_is_chosen() {
    let server = Server::start().await;
    let (around, clock) = moving(17);
    let mut session = first_device(&Location::Memory, around);
    session.pin_for_tests(server.relay.key());
    let code = server.relay.make_enrolment_code().expect("a code");
    server.remote.enrol(&code, session.genesis_for_tests().expect("an account")).await.expect("enrolled");
    let mut laptop = Device { session, signed_in: None };
    let chart = laptop.session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    medicine(&mut laptop.session, chart, "Amlodipine");
    laptop.exchange(&server).await;
    let phone = laptop.session.pair_for_tests("phone", &Location::Memory, surroundings(18));
    let mut phone = Device { session: phone, signed_in: None };
    laptop.exchange(&server).await;
    phone.exchange(&server).await;
    medicine(&mut phone.session, chart, "Before it was stolen");
    phone.exchange(&server).await;
    laptop.exchange(&server).await;
    clock.advance(3 * DAY_MS);
    // Whoever has it writes with the phone's own clock, which says what they want: here, three days before.
    medicine(&mut phone.session, chart, "By the thief");
    phone.exchange(&server).await;
    laptop.exchange(&server).await;
    medicine(&mut laptop.session, chart, "Honest, on top of it");
    laptop.exchange(&server).await;
    clock.advance(DAY_MS);
    let (device, _) = phone.session.installation();
    let early = laptop.session.remove_device_for_tests(device, Some(NOW_MS - DAY_MS));
    assert!(early.is_ok(), "before it ever wrote: everything that it wrote goes");
    drop(early);
    laptop.exchange(&server).await;
    let names = |device: &Device| {
        let mut names = device.session.titles_for_tests(chart).expect("reads");
        names.sort();
        names
    };
    assert_eq!(names(&laptop), ["Amlodipine", "Honest, on top of it"], "nothing of the phone is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_somebody_who_is_removed_nothing_counts_after_the_moment_that_is_chosen_and_unknown_moments_are_refused()
 {
    let server = Server::start().await;
    let (around, clock) = moving(19);
    let mut session = first_device(&Location::Memory, around);
    session.pin_for_tests(server.relay.key());
    let code = server.relay.make_enrolment_code().expect("a code");
    server.remote.enrol(&code, session.genesis_for_tests().expect("an account")).await.expect("enrolled");
    let mut phone = Device { session, signed_in: None };
    let chart = phone.session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    medicine(&mut phone.session, chart, "Amlodipine");
    let mut ani = server.account(20).await;
    ani.session.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
    phone.exchange(&server).await;
    phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut ani.session);
    phone.exchange(&server).await;
    ani.exchange(&server).await;
    medicine(&mut ani.session, chart, "On Monday");
    ani.exchange(&server).await;
    phone.exchange(&server).await;
    clock.advance(2 * DAY_MS);
    medicine(&mut ani.session, chart, "On Wednesday");
    ani.exchange(&server).await;
    phone.exchange(&server).await;
    // A device that begins now does not know what was there on Tuesday.
    let around =
        Surroundings { clock: Arc::clone(&clock) as Arc<dyn mecum_client::Clock>, ..surroundings(21) };
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, around);
    phone.exchange(&server).await;
    let mut tablet = Device { session: tablet, signed_in: None };
    tablet.exchange(&server).await;
    let tuesday = Some(NOW_MS + DAY_MS);
    let args = MemberRemoveArgs {
        chart,
        account: ani.session.account_for_tests(),
        nothing_after_ms: tuesday,
        ..MemberRemoveArgs::default()
    };
    let refused = tablet.session.member_remove(&args);
    assert!(refused.is_err_and(|error| format!("{error:?}").contains("error-cut-unknown")), "it says so");
    phone.session.member_remove(&args).expect("she is removed");
    for _ in 0..2 {
        phone.exchange(&server).await;
        tablet.exchange(&server).await;
    }
    let names = |device: &Device| {
        let mut names = device.session.titles_for_tests(chart).expect("reads");
        names.sort();
        names
    };
    assert_eq!(names(&phone), ["Amlodipine", "On Monday"], "on the phone");
    assert_eq!(names(&tablet), ["Amlodipine", "On Monday"], "and where Wednesday had come in a snapshot");
    let whole = phone.session.fingerprint().expect("reads");
    assert_eq!(tablet.session.fingerprint().expect("reads"), whole, "to the last row");
}
