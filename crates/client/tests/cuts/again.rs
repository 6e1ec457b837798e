//! A section that is read from its start: what lies in the log here is offered to its documents again, and may wait for what it
//! followed.

use mecum_api::MemberRemoveArgs;
use mecum_client::testing::NOW_MS;
use mecum_vault::Location;

use super::world::{DAY_MS, Family, dose, medicine, names};

#[test]
fn an_own_word_under_an_epoch_that_gave_way_is_read_though_it_waited_while_its_section_was_built_anew() {
    let mut family = Family::new(70);
    let (chart, theirs) = (family.chart, family.medicine);
    family.server.clock.advance(2 * DAY_MS);
    dose(&mut family.ani, chart, theirs, "99");
    family.settle().expect("exchanges");
    // It begins from a snapshot: what the cut is to leave out is folded in it.
    let mut second = family.phone.pair_for_tests("second", &Location::Memory, family.server.around(71));
    family.settle().expect("exchanges");
    family.server.exchange(&mut second).expect("exchanges");
    family.settle().expect("exchanges");
    // Both remove her, each with an epoch of its own; the phone is faster.
    let account = family.ani.account_for_tests();
    let nothing_after_ms = Some(NOW_MS + DAY_MS);
    let args = MemberRemoveArgs { chart, account, ..Default::default() };
    second.member_remove(&args).expect("she is removed");
    medicine(&mut second, chart, "Under the epoch that gave way", None);
    family.remove_ani(nothing_after_ms);
    family.server.exchange(&mut family.phone).expect("exchanges");
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
