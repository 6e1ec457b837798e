//! Whoever is gone, with their vault, all their keys and the server's whole database, reads nothing that came after; also where what
//! they had seen was folded and pruned.

use std::sync::atomic::Ordering;

use mecum_client::testing::surroundings;
use mecum_vault::Location;

use super::family::{Device, Family, dose, medicine};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_her_vault_her_keys_and_the_servers_database_she_reads_nothing_that_came_after() {
    let mut family = Family::new(9).await;
    let chart = family.chart;
    family.remove_ani();
    family.settle().await;
    let before = family.server.bytes().len();
    let theirs = family.medicine;
    dose(&mut family.phone.session, chart, theirs, "7.5");
    medicine(&mut family.phone.session, chart, "A secret of hers");
    family.settle().await;
    assert!(family.server.bytes().len() >= before, "the server has it");
    let after = family.server.envelopes_after_removal(&family.phone.session, chart);
    assert!(!after.is_empty(), "there is something to try");
    let keys = family.ani.session.document_keys_for_tests();
    assert!(!keys.is_empty(), "she holds keys");
    for envelope in &after {
        let opened = keys.iter().any(|key| envelope.open(key).is_ok());
        assert!(!opened, "none of her keys opens what was written after");
    }
    // The control: without the epoch's own key in it, her document keys would have.
    let own = family.phone.session.document_keys_for_tests();
    let opened = after.iter().filter(|envelope| own.iter().any(|key| envelope.open(key).is_ok())).count();
    assert_eq!(opened, after.len(), "whoever stayed opens all of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_below_what_came_in_a_snapshot_is_made_on_that_device_too_and_own_words_stay() {
    let mut family = Family::new(14).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "In time");
    family.settle().await;
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    // The laptop, which has seen it, folds it for a new device: that one holds no envelope of hers.
    let tablet = family.laptop.session.pair_for_tests("tablet", &Location::Memory, surroundings(98));
    let mut tablet = Device { session: tablet, signed_in: None };
    family.laptop.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(
        family.names(&tablet.session),
        ["Amlodipine", "In time", "Too late"],
        "it came in the snapshot"
    );
    medicine(&mut tablet.session, chart, "Own words, sent");
    tablet.exchange(&family.server).await;
    medicine(&mut tablet.session, chart, "Own words, not sent");
    // The phone has not seen it, and removes her.
    family.remove_ani();
    family.phone.exchange(&family.server).await;
    for _ in 0..2 {
        tablet.exchange(&family.server).await;
        family.settle().await;
    }
    let expected = ["Amlodipine", "In time", "Own words, not sent", "Own words, sent"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&tablet.session), expected, "on the device that had begun from the snapshot");
    let phone = family.phone.session.fingerprint().expect("reads");
    assert_eq!(tablet.session.fingerprint().expect("reads"), phone, "to the last row");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere");
    medicine(&mut tablet.session, chart, "Afterwards");
    tablet.exchange(&family.server).await;
    family.settle().await;
    let phone = family.phone.session.fingerprint().expect("reads");
    assert_eq!(family.laptop.session.fingerprint().expect("reads"), phone, "and it goes on");
    assert_eq!(tablet.session.quarantined(), 0, "nothing was put aside");
    let mut restarted = tablet.session.restart().expect("reopens");
    assert_eq!(restarted.fingerprint().expect("reads"), phone, "from its own vault");
}

/// A removal of somebody on whose void words others had built, in a space that was folded and pruned before, or not; and what
/// she can read with everything that anybody could have got hold of.
async fn gone_with_everything(seed: u64, pruned: bool) {
    let mut family = Family::new(seed).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "In time");
    family.settle().await;
    if pruned {
        let another = family.phone.session.pair_for_tests("another", &Location::Memory, surroundings(97));
        family.settle().await;
        drop(another);
        family.server.clock.fetch_add(91 * 24 * 60 * 60 * 1_000, Ordering::SeqCst);
        assert!(family.server.relay.sweep().expect("a sweep").pruned_envelopes > 0, "the server pruned");
        for device in [&mut family.phone, &mut family.laptop, &mut family.ani] {
            // Their passes have ended meanwhile.
            device.signed_in = None;
        }
    }
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    dose(&mut family.laptop.session, chart, theirs, "6");
    family.laptop.exchange(&family.server).await;
    family.remove_ani();
    family.settle().await;
    dose(&mut family.phone.session, chart, theirs, "7.5");
    medicine(&mut family.laptop.session, chart, "A secret of hers");
    let tablet = family.phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(96));
    family.settle().await;
    let mut tablet = Device { session: tablet, signed_in: None };
    tablet.exchange(&family.server).await;
    family.settle().await;

    let expected = ["A secret of hers", "Amlodipine", "Honest, on top of it", "In time"];
    let phone = family.phone.session.fingerprint().expect("reads");
    for (who, which) in [(&mut family.laptop, "laptop"), (&mut tablet, "tablet, which came later")] {
        assert_eq!(who.session.fingerprint().expect("reads"), phone, "the {which}");
    }
    assert_eq!(family.names(&family.phone.session), expected, "every honest word and no void one");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere");

    // Her vault with all that it ever held, and every sealed thing in the server's files.
    let sealed = family.server.sealed_after_removal(&family.phone.session, chart);
    assert!(sealed.len() >= 2, "there is something to try: {}", sealed.len());
    let hers = sealed.iter().filter(|envelope| family.ani.session.opens_for_tests(envelope)).count();
    assert_eq!(hers, 0, "she opens none of {}", sealed.len());
    let ours = sealed.iter().filter(|envelope| family.phone.session.opens_for_tests(envelope)).count();
    assert_eq!(ours, sealed.len(), "the control: whoever stayed opens each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_with_vault_keys_and_the_servers_database_where_nothing_was_folded() {
    Box::pin(gone_with_everything(15, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_with_vault_keys_and_the_servers_database_where_the_space_was_folded_and_pruned() {
    Box::pin(gone_with_everything(16, true)).await;
}
