//! Erasing for good, and moving to *sensitive*: what is gone is in no vault of anybody who follows, what stays is the same for
//! everybody, and a device that is stopped between any two steps goes on to the same end.

#[path = "erasing/alone.rs"]
mod alone;
#[path = "erasing/family.rs"]
mod family;
#[path = "erasing/moving.rs"]
mod moving;
#[path = "erasing/openings.rs"]
mod openings;

use family::{Device, Family, NEEDLE, Server, dose, holds, list, medicine, names};
use mecum_api::{EntryArgs, EntryEraseArgs, ErasureKind, ErasurePhase, MemberRemoveArgs};
use mecum_client::testing::surroundings;
use mecum_domain::{Field, Section};
use mecum_sync::{Signed, Statement};
use mecum_vault::Location;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_is_in_no_vault_of_anybody_who_follows() {
    let mut family = Family::new(21).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
        let all = who.session().readable_for_tests();
        assert!(holds(&all, NEEDLE.as_bytes()) && holds(&all, &key), "the search finds what is there");
    }
    let look = family.phone.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
    assert!(look.may && look.waits, "the owner may, with the server");
    assert_eq!(
        look.readers.iter().map(|reader| reader.name.as_str()).collect::<Vec<_>>(),
        ["Ani"],
        "who read"
    );
    let view = family.erase();
    assert_eq!(view.phase, ErasurePhase::Waits, "nothing is done before the server has it");
    assert_eq!(names(family.phone.session(), chart).len(), 2, "until then it stands");
    family.settle().await;
    for (who, which) in
        [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "ani")]
    {
        assert_eq!(names(who.session(), chart), ["Amlodipine"], "gone on {which}");
        let all = who.session().readable_for_tests();
        assert!(!holds(&all, NEEDLE.as_bytes()), "no words of it on {which}");
        assert!(!holds(&all, &key), "nor the key of its document on {which}");
        assert!(who.session().is_sound_for_tests(), "the vault is sound on {which}");
        let view = list(who.session(), chart).remove(0);
        assert_eq!((view.phase, view.reason.as_str()), (ErasurePhase::Done, "not hers"), "said on {which}");
        who.restart();
        assert_eq!(names(who.session(), chart), ["Amlodipine"], "after a restart on {which}");
    }
    family.same();
    // They go on writing.
    let stays = family.stays;
    dose(family.ani.session(), chart, stays, "2.5");
    medicine(family.laptop.session(), chart, "Afterwards");
    family.settle().await;
    family.same();
    assert_eq!(names(family.ani.session(), chart), ["Afterwards", "Amlodipine"], "and read each other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_between_any_two_steps_it_goes_on_to_the_same_end() {
    let mut left = Some(0);
    for stop in 0..12 {
        let mut family = Family::new(31).await;
        let chart = family.chart;
        let key = family.phone.session().key_of_entry_for_tests(chart, family.goes);
        family.erase();
        family.phone.session().stop_after_commits_for_tests(stop);
        family.phone.exchange(&family.server).await;
        family.phone.exchange(&family.server).await;
        left = family.phone.session().commits_left_for_tests();
        family.phone.restart();
        family.phone.signed_in = None;
        family.settle().await;
        family.settle().await;
        for (who, which) in
            [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "ani")]
        {
            assert_eq!(names(who.session(), chart), ["Amlodipine"], "stopped after {stop}: {which}");
            let all = who.session().readable_for_tests();
            assert!(!holds(&all, NEEDLE.as_bytes()) && !holds(&all, &key), "stopped after {stop}: {which}");
            assert!(who.session().is_sound_for_tests(), "stopped after {stop}: sound on {which}");
        }
        family.same();
        if left != Some(0) {
            assert!(stop > 3, "it has several steps: {stop}");
            break;
        }
    }
    assert_ne!(left, Some(0), "the last one was not stopped: every step was cut once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_words_are_written_again_by_their_own_device_and_those_in_the_entry_are_counted() {
    let mut family = Family::new(41).await;
    let (chart, stays, goes) = (family.chart, family.stays, family.goes);
    // The laptop and Ani are offline.
    dose(family.laptop.session(), chart, stays, "12");
    dose(family.laptop.session(), chart, goes, "99");
    medicine(family.ani.session(), chart, "Written offline");
    family.erase();
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    assert_eq!(names(family.phone.session(), chart), ["Amlodipine"], "done without them");
    family.settle().await;
    for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
        assert_eq!(names(who.session(), chart), ["Amlodipine", "Written offline"], "what was written stays");
        let entry = who.session().entry(chart, stays).expect("reads").expect("there");
        assert_eq!(entry.get(Field::Dose), Some("12"), "the late dose");
        assert!(!holds(&who.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of the entry");
    }
    family.same();
    assert_eq!(list(family.laptop.session(), chart)[0].late, 1, "the laptop says what went with it");
    assert_eq!(list(family.ani.session(), chart)[0].late, 0, "Ani lost nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_devices_that_erase_at_once_both_get_what_they_decided() {
    for same_entry in [false, true] {
        let mut family = Family::new(51).await;
        let (chart, stays, goes) = (family.chart, family.stays, family.goes);
        family.erase();
        let entry = if same_entry { goes.name() } else { stays.name() };
        let args = EntryEraseArgs { chart, entry, reason: String::new() };
        family.laptop.session().entry_erase(&args).expect("decided");
        // Both have signed before either is heard.
        let (phone, laptop) = (family.phone.session(), family.laptop.session());
        assert!(phone.has_something_to_say() && laptop.has_something_to_say(), "both want to");
        for device in [&mut family.laptop, &mut family.phone] {
            device.exchange(&family.server).await;
        }
        family.settle().await;
        family.settle().await;
        let expected: &[&str] = if same_entry { &["Amlodipine"] } else { &[] };
        for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
            assert_eq!(names(who.session(), chart), expected, "both are gone, once");
            assert!(!holds(&who.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of it");
        }
        family.same();
        let phases: Vec<_> = list(family.phone.session(), chart).iter().map(|view| view.phase).collect();
        assert!(phases.iter().all(|phase| *phase == ErasurePhase::Done), "nothing waits: {phases:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_later_never_keeps_it_and_whoever_was_removed_before_keeps_what_they_read() {
    let mut family = Family::new(61).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    let account = family.ani.session().account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.erase();
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "she keeps what she read");
    let view = list(family.phone.session(), chart).remove(0);
    assert_eq!(view.readers[0].state, mecum_api::MemberState::Removed, "and the screen can say so");
    let tablet = family.phone.session().pair_for_tests("tablet", &Location::Memory, surroundings(99));
    let mut tablet = Device::of(tablet);
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(names(tablet.session(), chart), ["Amlodipine"], "the tablet never shows it");
    let all = tablet.session().readable_for_tests();
    assert!(!holds(&all, NEEDLE.as_bytes()) && !holds(&all, &key), "and does not keep it");
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "the same record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_removal_made_void_is_left_behind_and_the_section_folds_again() {
    let mut family = Family::new(91).await;
    let chart = family.chart;
    medicine(family.ani.session(), chart, "Too late");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(family.laptop.session(), chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    let account = family.ani.session().account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.settle().await;
    let expected = ["Amlodipine", "Honest, on top of it", NEEDLE];
    for who in [&mut family.phone, &mut family.laptop] {
        assert_eq!(names(who.session(), chart), expected, "honest words stay");
        assert!(!holds(&who.session().readable_for_tests(), b"Too late"), "void ones are left behind");
    }
    family.same();
    assert_eq!(list(family.laptop.session(), chart)[0].kind, ErasureKind::Cleared, "and it is said");
    let (folds, all) = family.phone.session().folds_for_tests();
    assert_eq!(folds, all, "every section folds into a snapshot again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_begins_from_a_snapshot_after_an_erasure_has_the_same_record() {
    let mut family = Family::new(65).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    // Somebody whose last statement is about the document that ends, and who never makes another.
    let account = family.ani.session().account_for_tests();
    dose(family.ani.session(), chart, family.stays, "3");
    family.settle().await;
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.erase();
    family.settle().await;
    let (folds, all) = family.phone.session().folds_for_tests();
    assert_eq!(folds, all, "every section folds");
    // After a restart it tries again at once.
    family.phone.restart();
    family.phone.signed_in = None;
    family.phone.session().set_setting("share-snapshots", &[1]).expect("kept");
    family.settle().await;
    let tablet = family.phone.session().pair_for_tests("tablet", &Location::Memory, surroundings(98));
    let mut tablet = Device::of(tablet);
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert!(tablet.session().began_from_snapshots_for_tests(chart, Section::Medications), "from a snapshot");
    assert!(!holds(&tablet.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of the entry");
    assert!(!holds(&tablet.session().readable_for_tests(), &key), "nor the key");
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "the same record");
    // It writes on, and everybody reads it.
    dose(tablet.session(), chart, family.stays, "4");
    tablet.exchange(&family.server).await;
    family.settle().await;
    tablet.exchange(&family.server).await;
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "also afterwards");
}

/// Sends what a device has to say, but of every push the first envelope only.
async fn send_first_of_each(device: &mut Device, server: &Server) {
    let (key, account, id, incarnation) = device.session().sign_in_for_tests();
    let signed_in = server.remote.sign_in(&key, account, id, incarnation).await.expect("signs in");
    let mut request = device.session().request().expect("a request");
    // What was decided is signed only once the server was just heard.
    for _ in 0..4 {
        if request.pushes.iter().any(|push| push.envelopes.len() > 1) {
            break;
        }
        let response = server.remote.sync(&signed_in, &request).await.expect("an answer");
        device.session().accept(&request, &response).expect("taken");
        request = device.session().request().expect("a request");
    }
    let mut cut = 0;
    for push in &mut request.pushes {
        let more = push.envelopes.len().saturating_sub(1);
        push.envelopes.truncate(1);
        let Some(first) = push.envelopes.first() else { continue };
        let last = mecum_seal::Envelope::parse(first).expect("its own").content_id();
        let said = push.statement.unverified().clone();
        let (envelope_seq, heads) = (said.envelope_seq - more as u64, mecum_seal::Hash32::ZERO);
        if more > 0 {
            push.statement = Signed::sign(Statement { envelope_seq, last, heads, ..said }, &key);
        }
        cut += more;
    }
    assert!(cut > 0, "something was cut off");
    let response = server.remote.sync(&signed_in, &request).await.expect("an answer");
    device.session().accept(&request, &response).expect("taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_before_it_began_here_leaves_nothing_behind() {
    let mut family = Family::new(67).await;
    let (chart, stays, goes) = (family.chart, family.stays, family.goes);
    medicine(family.phone.session(), chart, "Metformin");
    family.settle().await;
    let first = family.phone.session().key_of_entry_for_tests(chart, goes);
    family.erase();
    // The successor's opening is there, what it begins with is not.
    send_first_of_each(&mut family.phone, &family.server).await;
    family.laptop.exchange(&family.server).await;
    assert_eq!(names(family.laptop.session(), chart).len(), 3, "until it is here, the old one stands");
    family.phone.exchange(&family.server).await;
    let second = family.phone.session().key_of_entry_for_tests(chart, stays);
    assert_ne!(first, second, "a successor");
    let args = EntryEraseArgs { chart, entry: stays.name(), reason: String::new() };
    family.phone.session().entry_erase(&args).expect("it is decided");
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    assert_eq!(names(family.phone.session(), chart), ["Metformin"], "and it ended too");
    family.settle().await;
    for (who, which) in [(&mut family.laptop, "laptop"), (&mut family.ani, "ani")] {
        assert_eq!(names(who.session(), chart), ["Metformin"], "on {which}");
        let all = who.session().readable_for_tests();
        assert!(!holds(&all, NEEDLE.as_bytes()), "no words of what was erased on {which}");
        assert!(!holds(&all, &first), "no key of the first document on {which}");
        assert!(!holds(&all, &second), "nor of the one that never began on {which}");
        assert!(who.session().is_sound_for_tests(), "sound on {which}");
    }
    family.same();
}
