//! What a removal leaves: whoever is removed has written beyond the cut, and others had seen it and built on it before they knew. Every
//! device ends with the same record, without the void words and with every honest one; and whoever is gone, with their vault, all
//! their keys and the server's whole database, reads nothing that came after.

#[path = "removal/at_once.rs"]
mod at_once;
#[path = "removal/chosen.rs"]
mod chosen;
#[path = "removal/family.rs"]
mod family;
#[path = "removal/gone.rs"]
mod gone;
#[path = "removal/refused.rs"]
mod refused;

use mecum_client::testing::surroundings;
use mecum_vault::Location;

use family::{Device, Family, dose, medicine};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_beyond_the_cut_go_and_honest_words_built_on_them_stay_on_every_device() {
    let mut family = Family::new(7).await;
    let chart = family.chart;
    // What she wrote in time.
    medicine(&mut family.ani.session, chart, "In time");
    family.ani.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    // What she writes after what the phone has seen: the laptop sees it and builds on it.
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    assert_eq!(
        family.names(&family.laptop.session),
        ["Amlodipine", "In time", "Too late"],
        "the laptop had seen it"
    );
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    // The phone removes her, and knows nothing of that.
    family.remove_ani();
    family.settle().await;

    let expected = ["Amlodipine", "Honest, on top of it", "In time"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop, which had shown more");
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "both show the same, down to the doses");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere: {phone:?}");

    // Both write on, on top of what was built again, and agree.
    let theirs = family.medicine;
    dose(&mut family.phone.session, chart, theirs, "2.5");
    medicine(&mut family.laptop.session, chart, "Afterwards");
    family.settle().await;
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "and after that");
    assert!(phone.values().any(|text| text.contains("\"2.5\"")), "the new dose: {phone:?}");

    // And the same after a restart.
    let restarted = family.laptop.session.restart().map(|mut session| session.fingerprint().expect("reads"));
    assert_eq!(restarted.expect("reopens"), laptop, "as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_later_and_reads_the_log_from_its_start_ends_with_the_same_record() {
    let mut family = Family::new(8).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "Too late");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    family.remove_ani();
    family.settle().await;
    let tablet = family.phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(99));
    let mut tablet = Device { session: tablet, signed_in: None };
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(family.names(&tablet.session), ["Amlodipine", "Honest, on top of it"], "from the log alone");
    let (phone, tablet) =
        (family.phone.session.fingerprint().expect("reads"), tablet.session.fingerprint().expect("reads"));
    assert_eq!(phone, tablet, "the same as who was there");
}
