//! Moving to *sensitive* and back: whoever may read it no longer has it, and what is written meanwhile moves along.

use mecum_api::{EntryArgs, EntryMoveArgs, ErasureKind};
use mecum_domain::Field;

use super::family::{Family, NEEDLE, dose, holds, list, names};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_moves_to_sensitive_is_read_by_its_owner_alone_and_comes_back() {
    let mut family = Family::new(81).await;
    let (chart, goes) = (family.chart, family.goes);
    let moves = |sensitive| EntryMoveArgs { chart, entry: goes.name(), sensitive, reason: String::new() };
    family.phone.session().entry_move(&moves(true)).expect("decided");
    family.settle().await;
    for who in [&mut family.phone, &mut family.laptop] {
        assert_eq!(names(who.session(), chart), ["Amlodipine", NEEDLE], "the owner reads it");
        let look = who.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
        assert!(look.sensitive && look.readers.is_empty(), "in sensitive, with nobody else");
        let entry = who.session().entry(chart, goes).expect("reads").expect("there");
        assert_eq!(entry.get(Field::Dose), Some("7"), "as it was");
    }
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "she does not");
    assert!(!holds(&family.ani.session().readable_for_tests(), NEEDLE.as_bytes()), "nor her vault");
    assert_eq!(list(family.phone.session(), chart)[0].kind, ErasureKind::ToSensitive, "said");
    family.same();
    // A late edit follows it.
    dose(family.laptop.session(), chart, goes, "8");
    family.phone.session().entry_move(&moves(false)).expect("decided");
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "back where she reads it");
    let entry = family.ani.session().entry(chart, goes).expect("reads").expect("there");
    assert_eq!(entry.get(Field::Dose), Some("8"), "with what was written on the way");
    family.same();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_an_entry_moves_moves_with_it() {
    for elsewhere in [true, false] {
        let mut family = Family::new(85 + u64::from(elsewhere)).await;
        let (chart, goes) = (family.chart, family.goes);
        let args = EntryMoveArgs { chart, entry: goes.name(), sensitive: true, reason: String::new() };
        family.phone.session().entry_move(&args).expect("decided");
        // It is copied, and the server does not hear of it yet.
        drop(family.phone.session().request().expect("a request"));
        if elsewhere {
            dose(family.laptop.session(), chart, goes, "9");
            family.laptop.exchange(&family.server).await;
        } else {
            dose(family.phone.session(), chart, goes, "9");
        }
        family.settle().await;
        family.settle().await;
        for who in [&mut family.phone, &mut family.laptop] {
            let look = who.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
            assert!(look.sensitive, "it moved");
            let entry = who.session().entry(chart, goes).expect("reads").expect("there");
            assert_eq!(entry.get(Field::Dose), Some("9"), "with the dose that was written meanwhile");
        }
        assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "and nobody else reads it");
        family.same();
    }
}
