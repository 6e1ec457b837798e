//! Who may write and is no manager, and rows that cannot be read: neither keeps what was erased anywhere but where it cannot be done.

use mecum_api::{ChartArgs, EntryEraseArgs, ErasurePhase, MemberRemoveArgs};
use mecum_client::testing::{LyingInfo, LyingOpening, first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_sync::Role;
use mecum_vault::Location;

use super::family::{Family, NEEDLE, dose, holds, list, medicine, names};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_write_keeps_no_erased_entry_on_a_device_that_was_away() {
    for (seed, lie) in
        [(23, LyingOpening::OtherKey), (24, LyingOpening::OtherPlace), (25, LyingOpening::Plain)]
    {
        let mut family = Family::new(seed).await;
        let (chart, goes) = (family.chart, family.goes);
        let key = family.phone.session().key_of_entry_for_tests(chart, goes);
        family.erase();
        family.phone.exchange(&family.server).await;
        family.phone.exchange(&family.server).await;
        assert_eq!(names(family.phone.session(), chart), ["Amlodipine"], "done without the laptop");
        // Ani reads the manager's opening, and sends one of her own after it.
        family.ani.exchange(&family.server).await;
        family.ani.session().open_successor_for_tests(chart, Section::Medications, lie);
        family.ani.exchange(&family.server).await;
        family.settle().await;
        for (who, which) in [(&mut family.phone, "phone"), (&mut family.laptop, "laptop")] {
            assert_eq!(names(who.session(), chart), ["Amlodipine"], "{lie:?}: gone on {which}");
            let all = who.session().readable_for_tests();
            assert!(!holds(&all, NEEDLE.as_bytes()), "{lie:?}: no words of it on {which}");
            assert!(!holds(&all, &key), "{lie:?}: nor the key of its document on {which}");
            assert!(who.session().is_sound_for_tests(), "{lie:?}: sound on {which}");
        }
        medicine(family.laptop.session(), chart, "Afterwards");
        family.settle().await;
        family.same();
        for who in [&mut family.phone, &mut family.ani] {
            let all = names(who.session(), chart);
            assert_eq!(all, ["Afterwards", "Amlodipine"], "{lie:?}: everybody reads what the laptop writes");
        }
    }
}

fn note(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    who.add(chart, Kind::Note, vec![(Field::Text, name.to_owned())]).expect("a note is written")
}

/// A medicine in the document of another year.
fn medicine_in(who: &mut Session, chart: ChartId, name: &str, year: &str) -> ItemKey {
    let fields = vec![
        (Field::Name, name.to_owned()),
        (Field::Dose, "1".to_owned()),
        (Field::Effective, year.to_owned()),
    ];
    who.add(chart, Kind::MedicationStatement, fields).expect("a medicine is written")
}

fn notes(who: &mut Session, chart: ChartId) -> usize {
    let rows = who.rows(chart).expect("rows").newest();
    rows.iter().filter(|row| row.kind() == Kind::Note).count()
}

fn erase(who: &mut Session, chart: ChartId, key: ItemKey) -> bool {
    who.entry_erase(&EntryEraseArgs { chart, entry: key.name(), reason: String::new() }).is_ok()
}

#[test]
fn what_cannot_be_erased_keeps_nothing_else_from_being_erased() {
    // Which of two decisions is looked at first is chance.
    for seed in 201..207 {
        println!("seed {seed}");
        let mut session = first_device(&Location::Memory, surroundings(seed));
        let chart = session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
        let broken = medicine(&mut session, chart, "Amlodipine");
        let goes = note(&mut session, chart, NEEDLE);
        session.spoil_document_for_tests(chart, broken);
        assert!(!erase(&mut session, chart, broken), "it cannot be done, and that is said");
        assert!(erase(&mut session, chart, goes), "the other can");
        assert_eq!(notes(&mut session, chart), 0, "and is done");
        let views = session.erasure_list(&ChartArgs { chart }).expect("a list");
        let phases: Vec<_> = views.iter().map(|view| view.phase).collect();
        assert_eq!(phases.iter().filter(|phase| **phase == ErasurePhase::Done).count(), 1, "{phases:?}");
        assert_eq!(phases.len(), 2, "and the first still stands: {phases:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_begun_with_keeps_nothing_else_from_it() {
    for medicine_is_broken in [true, false] {
        let mut family = Family::new(211).await;
        let chart = family.chart;
        let said = note(family.phone.session(), chart, "Slept badly");
        family.settle().await;
        let broken = if medicine_is_broken { family.goes } else { said };
        family.laptop.session().spoil_document_for_tests(chart, broken);
        family.erase();
        erase(family.phone.session(), chart, said);
        family.phone.exchange(&family.server).await;
        family.settle().await;
        let (phone, laptop) = (family.phone.session(), family.laptop.session());
        assert_eq!((names(phone, chart).len(), notes(phone, chart)), (1, 0), "both are done");
        let expected = if medicine_is_broken { (2, 0) } else { (1, 1) };
        let here = (names(laptop, chart).len(), notes(laptop, chart));
        assert_eq!(here, expected, "what can begin does, whatever cannot");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_words_of_who_may_not_write_any_more_are_counted() {
    let mut family = Family::new(221).await;
    let (chart, stays, goes) = (family.chart, family.stays, family.goes);
    // Ani is offline.
    dose(family.ani.session(), chart, stays, "12");
    dose(family.ani.session(), chart, goes, "99");
    family.erase();
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    let account = family.ani.session().account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    // And let in again, to read alone.
    let (phone, ani) = (family.phone.session(), family.ani.session());
    phone.let_in_for_tests(chart, Section::Medications, Role::Reader, ani);
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "she reads what stands");
    let entry = family.ani.session().entry(chart, stays).expect("reads").expect("there");
    assert_eq!(entry.get(Field::Dose), Some("1"), "and may not write");
    assert_eq!(list(family.ani.session(), chart)[0].late, 2, "she is told what went with it");
    assert!(!family.ani.session().has_something_to_say(), "and what she may not say keeps nothing going");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_write_again_after_their_late_words_went_is_read_by_everybody() {
    for restarts in [false, true] {
        let mut family = Family::new(223).await;
        let (chart, stays, goes) = (family.chart, family.stays, family.goes);
        // Ani is offline.
        dose(family.ani.session(), chart, stays, "12");
        dose(family.ani.session(), chart, goes, "99");
        family.erase();
        family.phone.exchange(&family.server).await;
        family.phone.exchange(&family.server).await;
        let account = family.ani.session().account_for_tests();
        let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
        family.phone.session().member_remove(&args).expect("she is removed");
        let (phone, ani) = (family.phone.session(), family.ani.session());
        phone.let_in_for_tests(chart, Section::Medications, Role::Reader, ani);
        family.settle().await;
        assert_eq!(list(family.ani.session(), chart)[0].late, 2, "what went were links of her chain");
        if restarts {
            family.ani.restart();
            family.ani.signed_in = None;
        }
        let (phone, ani) = (family.phone.session(), family.ani.session());
        phone.let_in_for_tests(chart, Section::Medications, Role::Writer, ani);
        family.settle().await;
        medicine(family.ani.session(), chart, "Afterwards");
        family.settle().await;
        for (who, which) in
            [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "ani")]
        {
            assert_eq!(names(who.session(), chart), ["Afterwards", "Amlodipine"], "read on {which}");
            let all = who.session().readable_for_tests();
            assert!(!holds(&all, NEEDLE.as_bytes()), "no words of what was erased on {which}");
            assert!(who.session().is_sound_for_tests(), "sound on {which}");
        }
        assert!(!family.ani.session().has_something_to_say(), "and nothing stays behind");
        family.same();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_is_not_believed_about_who_wrote_what_and_when_by_whoever_has_it() {
    let lies = [
        LyingInfo::Authors,
        LyingInfo::Times,
        LyingInfo::NoTimes,
        LyingInfo::Bars,
        LyingInfo::Records,
        LyingInfo::RecordTwice,
        LyingInfo::RecordOfNobody,
    ];
    for lie in lies.into_iter().map(Some).chain([None]) {
        let mut family = Family::new(231).await;
        let (chart, stays, goes) = (family.chart, family.stays, family.goes);
        dose(family.ani.session(), chart, stays, "12");
        let before = medicine_in(family.ani.session(), chart, "Before", "2025");
        family.settle().await;
        // Written without knowing of it: of what each had written elsewhere, this is not a part.
        dose(family.ani.session(), chart, before, "3");
        dose(family.laptop.session(), chart, before, "4");
        family.phone.session().lying_replacement_for_tests(chart, goes, lie);
        for _ in 0..2 {
            family.phone.exchange(&family.server).await;
        }
        family.settle().await;
        for (who, which) in [(&mut family.laptop, "laptop"), (&mut family.ani, "Ani's")] {
            let session = who.session();
            let notices: Vec<_> =
                session.sync_view().notices.into_iter().map(|notice| notice.message_id).collect();
            if lie.is_none() {
                assert_eq!(
                    names(session, chart),
                    ["Amlodipine", "Before"],
                    "control: the truth is carried out, {which}"
                );
                assert!(notices.is_empty(), "control: and nothing is to be said, {which}: {notices:?}");
            } else {
                assert_eq!(names(session, chart).len(), 3, "{lie:?}: everything stands as it was, {which}");
                assert_eq!(notices, ["notice-erasure-differs"], "{lie:?}: and that is said, {which}");
            }
        }
    }
}
