//! Cuts: what a person decides to leave out is left out on every device alike, or is said not to be; and whoever decides is left
//! with a device that goes on. Whatever the server refuses, whoever is faster, and wherever it is stopped.

#[path = "cuts/again.rs"]
mod again;
#[path = "cuts/given_up.rs"]
mod given_up;
#[path = "cuts/owed.rs"]
mod owed;
#[path = "cuts/random.rs"]
mod random;
#[path = "cuts/waited.rs"]
mod waited;
#[path = "cuts/world.rs"]
mod world;

use mecum_client::testing::NOW_MS;
use mecum_domain::{Relation, Section};
use mecum_sync::{RefusalCode, Role};
use mecum_vault::Location;
use world::{DAY_MS, Family, dose, medicine, names};

#[test]
fn a_cut_that_the_server_refuses_is_made_where_it_can_be_and_everybody_reads_on() {
    let mut family = Family::new(1);
    let (chart, theirs) = (family.chart, family.medicine);
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut family.ani, chart, "Kept for good", None);
    family.settle().expect("exchanges");
    family.prune();
    dose(&mut family.ani, chart, theirs, "99");
    family.settle().expect("exchanges");
    // Nothing of hers after the first day: but what is pruned cannot be told apart any more.
    family.remove_ani(Some(NOW_MS + DAY_MS));
    medicine(&mut family.phone, chart, "Written at once", None);
    let _ = family.server.exchange(&mut family.phone);
    assert_eq!(family.phone.cut_notice_for_tests(), Some("error-cut-refused"), "it is said");
    family.settle().expect("exchanges");
    dose(&mut family.phone, chart, theirs, "2.5");
    medicine(&mut family.laptop, chart, "Afterwards", None);
    family.settle().expect("exchanges");
    family.same();
    let expected = ["Afterwards", "Amlodipine", "Kept for good", "Written at once"];
    assert_eq!(names(&family.phone, chart), expected, "every word that counts");
    assert_eq!(family.phone.guests_for_tests(chart, Section::Medications), 0, "she is removed all the same");
    family.server.exchange(&mut family.ani).expect("exchanges");
    assert!(!names(&family.ani, chart).contains(&"Afterwards".to_owned()), "and reads nothing more");
}

#[test]
fn a_chosen_cut_that_loses_a_race_is_made_once_and_words_written_meanwhile_arrive() {
    let mut family = Family::new(2);
    let (chart, theirs) = (family.chart, family.medicine);
    medicine(&mut family.ani, chart, "On Monday", None);
    family.settle().expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    let late = medicine(&mut family.ani, chart, "On Wednesday", None);
    dose(&mut family.ani, chart, theirs, "99");
    family.settle().expect("exchanges");
    dose(&mut family.laptop, chart, late, "3");
    medicine(&mut family.laptop, chart, "On top of it", None);
    family.settle().expect("exchanges");
    // Both change the membership; the laptop is faster.
    let mut budi = family.server.account(78);
    budi.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.laptop.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut budi);
    family.remove_ani(Some(NOW_MS + DAY_MS));
    medicine(&mut family.phone, chart, "Before it was heard", None);
    dose(&mut family.phone, chart, theirs, "4");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    family.settle().expect("exchanges");
    medicine(&mut family.phone, chart, "Afterwards", None);
    dose(&mut family.phone, chart, theirs, "5");
    family.settle().expect("exchanges");
    family.same();
    let all = names(&family.phone, chart);
    for name in ["Afterwards", "Amlodipine", "Before it was heard", "On Monday", "On top of it"] {
        assert!(all.contains(&name.to_owned()), "{name} is there: {all:?}");
    }
    let shown = family.laptop.fingerprint().expect("reads");
    assert!(!shown.values().any(|text| text.contains("On Wednesday")), "what came too late is gone");
    family.server.exchange(&mut budi).expect("exchanges");
    assert_eq!(names(&budi, chart), all, "and who came meanwhile reads the same");
}

/// A stolen tablet is removed with a chosen moment while the laptop changes the membership of the same section.
fn stolen(seed: u64, laptop_writes: bool) {
    let mut family = Family::new(seed);
    let chart = family.chart;
    let mut tablet =
        family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(seed ^ 0x7777));
    family.server.exchange(&mut family.phone).expect("exchanges");
    family.server.exchange(&mut tablet).expect("exchanges");
    medicine(&mut tablet, chart, "Before it was stolen", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut tablet, chart, "By the thief", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    let mut budi = family.server.account(79);
    budi.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.laptop.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut budi);
    family.phone.remove_device_for_tests(tablet.installation().0, Some(NOW_MS + DAY_MS)).expect("removed");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    if laptop_writes {
        // The phone's removal is taken, its epoch is not; the laptop begins one before the phone can.
        family.server.rounds(&mut family.phone, 1).expect("the server answers");
        family.server.rounds(&mut family.laptop, 1).expect("the server answers");
        medicine(&mut family.laptop, chart, "Written under the laptop's epoch", None);
        family.server.rounds(&mut family.laptop, 3).expect("the server answers");
    }
    family.settle().expect("exchanges");
    medicine(&mut family.phone, chart, "A secret", None);
    family.settle().expect("exchanges");
    family.same();
    let all = names(&family.phone, chart);
    assert!(!all.contains(&"By the thief".to_owned()), "the moment holds: {all:?}");
    assert!(all.contains(&"Before it was stolen".to_owned()), "and what was before it: {all:?}");
    let known = tablet.keys_for_tests();
    let space = family.phone.space_for_tests(chart, Section::Medications).expect("a space");
    let (_, key) = family.phone.epochs_for_tests()[&space];
    assert!(!known.contains(&key), "what is written now is under a key that the tablet does not have");
}

#[test]
fn a_stolen_device_is_cut_at_the_moment_chosen_though_a_grant_was_faster() {
    stolen(3, false);
}

#[test]
fn a_stolen_device_is_cut_at_the_moment_chosen_though_another_epoch_was_faster() {
    stolen(4, true);
}

#[test]
fn a_stolen_device_whose_cut_the_server_refuses_is_out_and_the_section_goes_on() {
    let mut family = Family::new(5);
    let chart = family.chart;
    let mut tablet = family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(55));
    family.server.exchange(&mut family.phone).expect("exchanges");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut tablet, chart, "Kept for good", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    family.prune();
    family.phone.remove_device_for_tests(tablet.installation().0, Some(NOW_MS + DAY_MS)).expect("removed");
    medicine(&mut family.phone, chart, "A secret", None);
    let _ = family.server.exchange(&mut family.phone);
    assert_eq!(family.phone.cut_notice_for_tests(), Some("error-cut-refused"), "it is said");
    family.settle().expect("exchanges");
    medicine(&mut family.phone, chart, "Another", None);
    family.settle().expect("the section goes out");
    family.same();
    assert_eq!(
        names(&family.laptop, chart),
        ["A secret", "Amlodipine", "Another", "Kept for good"],
        "all of it"
    );
    let space = family.phone.space_for_tests(chart, Section::Medications).expect("a space");
    let (_, key) = family.phone.epochs_for_tests()[&space];
    assert!(!tablet.keys_for_tests().contains(&key), "under a key that the tablet does not have");
}

#[test]
fn whoever_chose_a_moment_for_a_stolen_device_is_told_that_no_cut_was_taken() {
    let mut family = Family::new(11);
    let chart = family.chart;
    let mut tablet = family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(55));
    family.server.exchange(&mut family.phone).expect("exchanges");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut tablet, chart, "By the thief", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    family.phone.remove_device_for_tests(tablet.installation().0, Some(NOW_MS + DAY_MS)).expect("removed");
    medicine(&mut family.phone, chart, "A secret", None);
    let mut told = Vec::new();
    for _ in 0..6 {
        family.server.refuses(&mut family.phone, RefusalCode::BadCut);
        told.push(family.phone.cut_notice_for_tests());
    }
    assert!(told.contains(&Some("error-cut-refused")), "a milder one is tried, and said: {told:?}");
    assert_eq!(
        told.last(),
        Some(&Some("error-cut-stays")),
        "and where none is taken, that as well: {told:?}"
    );
}

#[test]
fn what_the_server_refuses_of_a_membership_is_said_as_what_it_is() {
    for (code, what) in
        [(RefusalCode::Quota, "-quota"), (RefusalCode::BadEntry, "-refused"), (RefusalCode::NotMember, "")]
    {
        for removes in [false, true] {
            let mut family = Family::new(12);
            let chart = family.chart;
            if removes {
                family.remove_ani(None);
            } else {
                let mut budi = family.server.account(79);
                budi.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
                family.phone.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut budi);
            }
            assert!(family.server.refuses(&mut family.phone, code) > 0, "it is said to the server");
            let said = family.phone.sync_view().notices.into_iter().map(|notice| notice.message_id);
            let id = if removes { "notice-not-removed" } else { "notice-not-let-in" };
            assert_eq!(said.collect::<Vec<_>>(), [format!("{id}{what}")], "{code:?}");
        }
    }
}

#[test]
fn removing_a_stolen_device_with_a_moment_is_one_step_wherever_it_is_stopped() {
    for stop in 0..3 {
        let mut family = Family::new(10 + u64::from(stop));
        let chart = family.chart;
        let mut tablet = family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(66));
        family.server.exchange(&mut family.phone).expect("exchanges");
        family.server.exchange(&mut tablet).expect("exchanges");
        family.server.clock.advance(2 * DAY_MS);
        medicine(&mut tablet, chart, "By the thief", None);
        family.server.exchange(&mut tablet).expect("exchanges");
        family.settle().expect("exchanges");
        let device = tablet.installation().0;
        family.phone.stop_after_commits_for_tests(stop);
        let first = family.phone.remove_device_for_tests(device, Some(NOW_MS + DAY_MS));
        family.phone = family.phone.restart().expect("reopens");
        if first.is_err() {
            let again = family.phone.remove_device_for_tests(device, Some(NOW_MS + DAY_MS));
            again.expect("stopped before the step, it is done again");
        }
        family.settle().expect("exchanges");
        medicine(&mut family.phone, chart, "A secret", None);
        family.settle().expect("exchanges");
        family.same();
        let names = names(&family.laptop, chart);
        assert_eq!(names, ["A secret", "Amlodipine"], "stopped after {stop}: the moment holds");
    }
}

#[test]
fn what_came_too_late_into_a_document_that_took_anothers_place_is_left_out_too() {
    let mut family = Family::new(20);
    let chart = family.chart;
    let goes = medicine(&mut family.phone, chart, "Erased", None);
    medicine(&mut family.ani, chart, "On Monday", None);
    family.settle().expect("exchanges");
    // There is a snapshot, so the phone reads what a cut may reach into.
    let another = family.phone.pair_for_tests("another", &Location::Memory, family.server.around(97));
    family.settle().expect("exchanges");
    drop(another);
    family.server.clock.advance(DAY_MS);
    family.erase(goes);
    family.settle().expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut family.ani, chart, "On Thursday", None);
    family.settle().expect("exchanges");
    medicine(&mut family.laptop, chart, "On top of it", None);
    family.settle().expect("exchanges");
    // After the erasure, before Thursday.
    family.remove_ani(Some(NOW_MS + 2 * DAY_MS));
    family.settle().expect("exchanges");
    family.same();
    assert_eq!(
        names(&family.phone, chart),
        ["Amlodipine", "On Monday", "On top of it"],
        "nothing of Thursday"
    );
    assert_eq!(family.phone.cut_notice_for_tests(), None, "all of it could be left out");
}

#[test]
fn a_cut_from_before_an_erasure_says_that_it_does_not_reach_what_the_erasure_kept() {
    let mut family = Family::new(21);
    let chart = family.chart;
    let goes = medicine(&mut family.phone, chart, "Erased", None);
    medicine(&mut family.ani, chart, "On Monday", None);
    family.settle().expect("exchanges");
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut family.ani, chart, "On Wednesday", None);
    family.settle().expect("exchanges");
    family.server.clock.advance(DAY_MS);
    family.erase(goes);
    family.settle().expect("exchanges");
    medicine(&mut family.ani, chart, "On Thursday", None);
    family.settle().expect("exchanges");
    family.remove_ani(Some(NOW_MS + DAY_MS));
    assert_eq!(family.phone.cut_notice_for_tests(), Some("error-cut-erased"), "it is said at once");
    family.settle().expect("exchanges");
    family.same();
    let kept = ["Amlodipine", "On Monday", "On Wednesday"];
    assert_eq!(
        names(&family.laptop, chart),
        kept,
        "what was kept by the erasure stays, what came later goes"
    );
}

#[test]
fn honest_words_in_a_document_that_somebody_opened_too_late_are_read_on_every_device() {
    let mut family = Family::new(30);
    let chart = family.chart;
    // Beyond what the phone has seen she opens the document of another year, and the laptop writes into it.
    medicine(&mut family.ani, chart, "Too late", Some("2019-05-01"));
    family.server.exchange(&mut family.ani).expect("exchanges");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    medicine(&mut family.laptop, chart, "Honest, of that year", Some("2019-06-01"));
    family.server.exchange(&mut family.laptop).expect("exchanges");
    family.remove_ani(None);
    family.settle().expect("exchanges");
    family.same();
    assert_eq!(names(&family.phone, chart), ["Amlodipine", "Honest, of that year"], "on the phone");
}

/// Seeds that once went wrong: own words under an epoch that gave way were not read again (20, 40, 57, 61), an entry by a device that
/// was removed since was refused again (57), a successor was written over by a snapshot (8), what was written while a section was built
/// anew took the number of an own word that waited (407, 1983), the play did not begin again where the app's
/// driver does (1209), an own word under an epoch that gave way was put aside where it had waited while a section was built anew (224, 385,
/// 580), no snapshot was made for who was let in while words came (1987).
const KNOWN: [u64; 12] = [8, 20, 40, 57, 61, 224, 385, 407, 580, 1209, 1983, 1987];

#[test]
fn in_orders_played_at_random_of_cuts_races_erasures_and_pruning_all_show_the_same() {
    let from = std::env::var("MECUM_CUTS_FROM").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let count = std::env::var("MECUM_CUTS_COUNT").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let mut failures = 0;
    for seed in KNOWN.into_iter().chain(from..from + count) {
        if let Err(why) = random::play(seed, 90) {
            println!("{why}");
            failures += 1;
        }
    }
    assert_eq!(failures, 0, "of seeds {from} to {}", from + count - 1);
}

#[test]
fn where_everybody_folds_what_they_can_after_each_round_all_show_the_same() {
    let (mut failures, mut runs) = (0, 0);
    for seed in [8, 20, 40, 1, 2, 3] {
        match random::play_folding(seed, 90) {
            Ok(folded) => runs += folded,
            Err(why) => {
                println!("{why}");
                failures += 1;
            }
        }
    }
    assert_eq!(failures, 0, "logs that were folded are logs");
    assert!(runs > 60, "there was something to fold: {runs}");
}
