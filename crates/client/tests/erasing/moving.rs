//! Moving to *sensitive* and back: whoever may read it no longer has it, and what is written meanwhile moves along.

use mecum_api::{EntryArgs, EntryMoveArgs, ErasureArgs, ErasureKind, ErasurePhase};
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
        family.phone.hear(&family.server).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_written_where_it_goes_is_not_stopped_half_way() {
    let mut family = Family::new(101).await;
    let (chart, goes) = (family.chart, family.goes);
    let args = EntryMoveArgs { chart, entry: goes.name(), sensitive: true, reason: String::new() };
    let decided = family.phone.session().entry_move(&args).expect("decided");
    assert_eq!(decided.phase, ErasurePhase::Waits, "until it is copied it can be stopped");
    family.phone.hear(&family.server).await;
    let phone = family.phone.session();
    assert_eq!(list(phone, chart)[0].phase, ErasurePhase::Sending, "it stands in both places");
    let look = phone.erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
    assert!(!look.sensitive, "who shares the section still reads it");
    let stopped = phone.erasure_stop(&ErasureArgs { erasure: decided.erasure });
    let Err(mecum_client::SessionError::Call(refused)) = stopped else { panic!("refused: {stopped:?}") };
    assert_eq!(refused.message_id, "error-moving-already", "and does not stay so");
    family.settle().await;
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "it goes on to its end");
    let look = family.phone.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
    assert!(look.sensitive, "which is said");
    family.same();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_was_refused_half_way_can_be_decided_again() {
    // Which of the two places is shown is chance.
    for seed in 103..107 {
        let mut family = Family::new(seed).await;
        let (chart, goes) = (family.chart, family.goes);
        let args = EntryMoveArgs { chart, entry: goes.name(), sensitive: true, reason: String::new() };
        family.phone.session().entry_move(&args).expect("decided");
        family.phone.hear(&family.server).await;
        dose(family.laptop.session(), chart, goes, "9");
        family.laptop.exchange(&family.server).await;
        dose(family.phone.session(), chart, goes, "5");
        family.settle().await;
        let view = list(family.phone.session(), chart).remove(0);
        let why = view.message_id.as_deref();
        assert_eq!((view.phase, why), (ErasurePhase::Refused, Some("error-settle-first")), "two doses");
        let stop = ErasureArgs { erasure: view.erasure };
        assert!(family.phone.session().erasure_stop(&stop).is_err(), "it does not stay in both places");
        // The person says which, and decides once more.
        dose(family.phone.session(), chart, goes, "6");
        family.settle().await;
        family.phone.session().entry_move(&args).expect("decided again");
        family.settle().await;
        family.settle().await;
        assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "now it is gone from the section");
        for who in [&mut family.phone, &mut family.laptop] {
            let look = who.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
            assert!(look.sensitive, "and in sensitive alone");
        }
        family.same();
    }
}
