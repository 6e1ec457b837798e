//! Changes of a membership beside each other and beside words written offline: everything that was meant counts, once.

use mecum_api::ChartArgs;
use mecum_domain::{Relation, Section};
use mecum_sync::Role;

use super::family::{Family, dose, medicine};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_offline_under_the_key_before_is_sealed_again_and_arrives_once() {
    let mut family = Family::new(10).await;
    let chart = family.chart;
    let theirs = family.medicine;
    // The laptop is offline while the phone begins a new epoch by removing her.
    medicine(&mut family.laptop.session, chart, "Offline one");
    dose(&mut family.laptop.session, chart, theirs, "7");
    medicine(&mut family.laptop.session, chart, "Offline two");
    family.remove_ani();
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    let expected = ["Amlodipine", "Offline one", "Offline two"];
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop, as it was written");
    assert_eq!(family.names(&family.phone.session), expected, "on the phone, each once");
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "both the same");
    let after = family.server.envelopes_after_removal(&family.phone.session, chart);
    assert_eq!(after.len(), 3, "three edits, sealed under the epoch that she cannot read");
    let keys = family.ani.session.document_keys_for_tests();
    assert!(
        after.iter().all(|envelope| keys.iter().all(|key| envelope.open(key).is_err())),
        "she opens none"
    );
    // And goes on in the same chain.
    medicine(&mut family.laptop.session, chart, "Later");
    family.settle().await;
    assert_eq!(family.names(&family.phone.session).len(), 4, "the chain goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_that_change_the_membership_at_once_both_count() {
    let mut family = Family::new(11).await;
    let chart = family.chart;
    let mut budi = family.server.account(77).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    // Neither knows of the other.
    family.remove_ani();
    family.laptop.session.let_in_for_tests(chart, Section::Medications, Role::Reader, &mut budi.session);
    medicine(&mut family.laptop.session, chart, "Written meanwhile");
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    budi.exchange(&family.server).await;
    family.settle().await;
    for (who, which) in [(&family.phone.session, "phone"), (&family.laptop.session, "laptop")] {
        let members = who.members(chart).expect("a list").members;
        let states: Vec<String> = members
            .iter()
            .flat_map(|member| {
                member.sections.iter().map(|section| format!("{} {:?}", member.name, section.state))
            })
            .filter(|line| !line.starts_with("Ratna"))
            .collect();
        assert_eq!(states, ["Ani Removed", "Budi Member"], "on the {which}");
    }
    assert_eq!(
        family.names(&budi.session),
        ["Amlodipine", "Written meanwhile"],
        "he reads what was there and what came"
    );
    medicine(&mut family.phone.session, chart, "Afterwards");
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session).len(), 3, "and what comes");
    assert_eq!(family.names(&family.ani.session), ["Amlodipine"], "she does not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_that_begin_an_epoch_at_once_lose_no_words_and_open_after_a_restart() {
    let mut family = Family::new(12).await;
    let chart = family.chart;
    // What the laptop wrote before it hears that she left goes out all the same.
    medicine(&mut family.laptop.session, chart, "Before it was heard");
    family.ani.session.chart_leave(&ChartArgs { chart }).expect("she leaves");
    family.ani.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    assert_eq!(family.names(&family.phone.session), ["Amlodipine", "Before it was heard"], "it arrived");

    // Somebody else comes and leaves: now both write before either is heard, each under an epoch of its own.
    let mut budi = family.server.account(78).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut budi.session);
    family.settle().await;
    budi.exchange(&family.server).await;
    budi.session.chart_leave(&ChartArgs { chart }).expect("he leaves");
    budi.exchange(&family.server).await;
    family.settle().await;
    medicine(&mut family.phone.session, chart, "By the phone");
    medicine(&mut family.laptop.session, chart, "By the laptop");
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    let expected = ["Amlodipine", "Before it was heard", "By the laptop", "By the phone"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop");
    let laptop = family.laptop.session.fingerprint().expect("reads");
    assert_eq!(family.phone.session.fingerprint().expect("reads"), laptop, "the same on both");
    let mut restarted = family.laptop.session.restart().expect("reopens");
    assert_eq!(
        restarted.fingerprint().expect("reads"),
        laptop,
        "also what was written under the key that gave way"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_who_is_not_the_owner_lets_somebody_in_who_sees_the_owners_section() {
    let mut family = Family::new(13).await;
    let chart = family.chart;
    family.phone.session.let_in_for_tests(
        chart,
        Section::Medications,
        Role::Manager,
        &mut family.ani.session,
    );
    family.settle().await;
    let mut budi = family.server.account(79).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.ani.session.let_in_for_tests(chart, Section::Medications, Role::Reader, &mut budi.session);
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session), ["Amlodipine"], "he reads what the owner wrote");
    medicine(&mut family.phone.session, chart, "From the owner");
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session).len(), 2, "and what she writes later");
    // She shares what she was given, and no other section of it.
    let refused = family.ani.session.offered_sections_for_tests(chart, Section::Diary);
    assert!(refused.is_err(), "a section that she was never given");
}
