//! A section that is read from its start: what lies in the log here is offered to its documents again, and may wait for what it
//! followed.

use mecum_api::{CallError, MemberRemoveArgs};
use mecum_client::Session;
use mecum_client::testing::NOW_MS;
use mecum_domain::Field;
use mecum_vault::Location;

use super::world::{DAY_MS, Family, dose, medicine, names};

/// A second device of the phone's account that began from a snapshot, wrote under its own epoch, and is to hear that the phone's came
/// first, with a cut into that snapshot.
fn gives_way(seed: u64) -> (Family, Session) {
    let mut family = Family::new(seed);
    let (chart, theirs) = (family.chart, family.medicine);
    family.server.clock.advance(2 * DAY_MS);
    dose(&mut family.ani, chart, theirs, "99");
    family.settle().expect("exchanges");
    // It begins from a snapshot: what the cut is to leave out is folded in it.
    let mut second = family.phone.pair_for_tests("second", &Location::Memory, family.server.around(seed + 1));
    family.settle().expect("exchanges");
    family.server.exchange(&mut second).expect("exchanges");
    family.settle().expect("exchanges");
    // Both remove her, each with an epoch of its own; the phone is faster.
    let account = family.ani.account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..Default::default() };
    second.member_remove(&args).expect("she is removed");
    medicine(&mut second, chart, "Under the epoch that gave way", None);
    family.remove_ani(Some(NOW_MS + DAY_MS));
    family.server.exchange(&mut family.phone).expect("exchanges");
    (family, second)
}

#[test]
fn an_own_word_under_an_epoch_that_gave_way_is_read_though_it_waited_while_its_section_was_built_anew() {
    let (mut family, mut second) = gives_way(70);
    let chart = family.chart;
    family.server.exchange(&mut second).expect("exchanges");
    let all = ["Amlodipine", "Under the epoch that gave way"];
    assert_eq!(names(&second, chart), all, "it is read here");
    second = second.restart().expect("reopens");
    assert_eq!(names(&second, chart), all, "and after a restart");
    family.settle().expect("exchanges");
    family.server.exchange(&mut second).expect("exchanges");
    family.same();
    assert_eq!(names(&family.phone, chart), all, "and by the others");
    let (phone, here) = (family.phone.fingerprint(), second.fingerprint());
    assert_eq!(phone.expect("reads"), here.expect("reads"), "who all show the same");
    assert_eq!(second.quarantined(), 0, "nothing was put aside");
}

#[test]
fn while_an_own_word_waits_its_document_is_not_written_in_and_what_is_new_goes_into_another() {
    let (mut family, mut second) = gives_way(72);
    let (chart, theirs) = (family.chart, family.medicine);
    let begins_again = |session: &mut Session| {
        let request = session.request().expect("a request");
        request.pruning.is_some_and(|pruning| pruning.over_pruned)
    };
    let rounds = (0..20).find(|_| {
        family.server.rounds(&mut second, 1).expect("exchanges");
        begins_again(&mut second)
    });
    assert!(rounds.is_some(), "its section is built anew");
    let edit = vec![(Field::Dose, Some("5".to_owned()))];
    let refused =
        second.set(chart, theirs, edit).expect_err("the next change would take a number that waits");
    assert_eq!(CallError::from(refused).message_id, "error-entry-anew", "and that is said");
    medicine(&mut second, chart, "New meanwhile", None);
    second = second.restart().expect("reopens");
    family.server.exchange(&mut second).expect("exchanges");
    dose(&mut second, chart, theirs, "5");
    family.server.exchange(&mut second).expect("exchanges");
    family.settle().expect("exchanges");
    family.same();
    let all = ["Amlodipine", "New meanwhile", "Under the epoch that gave way"];
    assert_eq!(names(&family.phone, chart), all, "everybody has all of it");
    let entry = family.phone.entry(chart, theirs).expect("reads").expect("it is there");
    assert_eq!(entry.get(Field::Dose), Some("5"), "and what was written when nothing waited any more");
    let (phone, here) = (family.phone.fingerprint(), second.fingerprint());
    assert_eq!(phone.expect("reads"), here.expect("reads"), "which is the same here");
    assert_eq!(second.quarantined(), 0, "nothing was put aside");
}
