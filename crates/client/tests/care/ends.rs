//! What ends: a hospital is left, a device is cut, a document is to be taken away, and a vault goes back to an older copy.

use std::sync::Arc;

use mecum_api::{ErasureKind, MemberRemoveArgs, MemberState};
use mecum_client::testing::{Held, NOW_MS, surroundings};
use mecum_client::{FixedClock, Session, Surroundings};
use mecum_documents::CareAct;
use mecum_domain::{AppointmentAct, Phase, Section, Side, ThreadId};
use mecum_seal::Envelope;
use mecum_sync::controls;
use mecum_vault::Location;

use crate::acts::{ask, open, say, thread_of};
use crate::line::{Brought, DAY_MS, Device, Line, exchange};
use crate::world::{Clinic, settle};

fn says(held: &Held, words: &str) -> bool {
    held.iter().any(|(_, _, bytes)| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
}

fn held(device: &mut Device, space: mecum_seal::SpaceId) -> Held {
    device.session.held_in_care_for_tests(space).expect("it loads")
}

/// The patient's phone takes the hospital out of the conversation.
fn leave(clinic: &mut Clinic) {
    let account = clinic.hospital.session.account_for_tests();
    let sections = vec!["care".to_owned()];
    let args = MemberRemoveArgs { chart: clinic.chart, account, sections, ..MemberRemoveArgs::default() };
    clinic.phone.session.member_remove(&args).expect("it is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_a_hospital_keeps_what_was_said_and_the_hospital_reads_nothing_more() {
    let mut clinic = Box::pin(Clinic::start(6_100)).await;
    let (space, chart) = (clinic.space, clinic.chart);
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    clinic.settle().await;
    clinic
        .desk
        .session
        .act_for_tests(space, Some(thread_of(asked)), say("soup, at first"))
        .expect("answered");
    clinic.settle().await;
    leave(&mut clinic);
    clinic.settle().await;
    let laptop = &mut clinic.laptop.session;
    let to_nobody = laptop.act_for_tests(space, Some(thread_of(asked)), say("is anybody there?"));
    assert!(
        to_nobody.is_err_and(|why| why.to_string().contains("error-hospital-left")),
        "nobody would read it"
    );
    // As a program that does not ask.
    laptop.keep_in_care_for_tests(space, [1; 16], b"for myself alone").expect("kept");
    clinic.settle().await;
    for device in [&mut clinic.phone, &mut clinic.laptop] {
        let held = held(device, space);
        assert!(says(&held, "soup, at first") && says(&held, "for myself alone"), "all of it");
    }
    let all = clinic.laptop.session.all_envelopes_for_tests().expect("every envelope is there");
    let last = all.values().filter_map(|bytes| Envelope::parse(bytes).ok());
    let last = last.filter(|envelope| envelope.place().space == space && envelope.place().epoch > 1);
    let later: Vec<Envelope> = last.collect();
    assert!(!later.is_empty(), "it was written in another epoch");
    for device in [&mut clinic.hospital, &mut clinic.desk] {
        let held = held(device, space);
        assert!(says(&held, "soup, at first"), "what was said stays with it");
        assert!(!says(&held, "for myself alone"), "and nothing is added");
        assert!(!later.iter().any(|envelope| device.session.opens_for_tests(envelope)), "it has no key");
        let refused = device.session.act_for_tests(space, Some(thread_of(asked)), say("wait"));
        assert!(refused.is_err_and(|why| why.to_string().contains("error-share-ended")), "nor writes on");
    }
    let members = clinic.phone.session.members(chart).expect("an own chart");
    let hospital = members.members.iter().find(|member| !member.own).expect("it was a member");
    let states: Vec<MemberState> = hospital.sections.iter().map(|view| view.state).collect();
    assert_eq!(states, [MemberState::Removed], "and the list says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removal_made_void_on_the_hospitals_side_is_read_by_nobody_and_it_writes_on_there_when_let_in_again()
 {
    let mut clinic = Box::pin(Clinic::start(6_200)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    let thread = Some(thread_of(asked));
    clinic.settle().await;
    clinic.hospital.session.act_for_tests(space, thread, say("in time")).expect("answered");
    exchange(&mut clinic.hospital).await;
    exchange(&mut clinic.phone).await;
    clinic.hospital.session.act_for_tests(space, thread, say("too late")).expect("answered");
    exchange(&mut clinic.hospital).await;
    // The laptop has it when the phone, which does not, ends what counts.
    exchange(&mut clinic.laptop).await;
    let before = clinic.laptop.session.documents_of_side_for_tests(space, Side::Hospital);
    leave(&mut clinic);
    for _ in 0..3 {
        settle(&mut [&mut clinic.phone, &mut clinic.laptop]).await;
    }
    for device in [&mut clinic.phone, &mut clinic.laptop] {
        let held = held(device, space);
        assert!(says(&held, "may I eat?") && says(&held, "in time"), "what counts stays");
        assert!(!says(&held, "too late"), "what does not is read by nobody");
        let aside = device.session.put_aside_for_tests();
        assert!(aside.is_empty(), "and nothing is put aside: {aside:?}");
    }
    let after = clinic.laptop.session.documents_of_side_for_tests(space, Side::Hospital);
    assert_eq!(
        after, before,
        "no other document takes the place of the hospital's: it is not the patient's to end"
    );
    let card = clinic.hospital.session.hospital_card("RS Tirta Asih").expect("it is at a server");
    let offer = clinic.phone.session.connect_hospital(clinic.chart, &card).expect("let in again");
    assert_eq!(offer.space, space, "the conversation goes on");
    clinic.hospital.session.expect_care(&offer).expect("it is expected");
    for _ in 0..2 {
        clinic.settle().await;
    }
    clinic.hospital.session.act_for_tests(space, thread, say("let in again")).expect("it writes on");
    clinic.phone.session.act_for_tests(space, thread, say("welcome back")).expect("and so does the patient");
    for _ in 0..2 {
        clinic.settle().await;
    }
    let all = clinic.held();
    for (number, held) in all.iter().enumerate() {
        for words in ["may I eat?", "in time", "let in again", "welcome back"] {
            assert!(says(held, words), "device {number} has {words:?}");
        }
        assert!(!says(held, "too late"), "device {number}");
        assert_eq!(held, &all[0], "device {number} has what all have");
    }
    assert_eq!(
        clinic.phone.session.documents_of_side_for_tests(space, Side::Hospital).len(),
        1,
        "in one document"
    );
}

/// A conversation in which a patient's device has ended the hospital's document, to be without what the hospital answered; what is to take
/// its place was `sent`, or is only named.
async fn ended_by_the_patient(seed: u64, kind: ErasureKind, sent: bool) -> (Clinic, Option<ThreadId>) {
    let mut clinic = Box::pin(Clinic::start(seed)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    let thread = Some(thread_of(asked));
    clinic.settle().await;
    let told =
        clinic.hospital.session.act_for_tests(space, thread, say("no, by no means")).expect("answered");
    clinic.settle().await;
    let document = clinic.phone.session.documents_of_side_for_tests(space, Side::Hospital)[0];
    clinic.phone.session.end_in_care_for_tests(document, *told.id.as_bytes(), kind, sent);
    for _ in 0..2 {
        clinic.settle().await;
    }
    (clinic, thread)
}

/// A device that is paired now, and takes no snapshots where it is to read `all` of it.
async fn paired(line: &Line, first: &mut Device, name: &str, seed: u64, all: bool) -> (Device, Brought) {
    let later = first.session.pair_for_tests(name, &Location::Memory, surroundings(seed));
    exchange(first).await;
    let mut later = line.device(later).await;
    if all {
        later.session.set_setting("no-snapshots", b"envelopes").expect("a setting");
    }
    let brought = exchange(&mut later).await;
    exchange(&mut later).await;
    (later, brought)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_device_may_not_erase_the_hospitals_side() {
    let ways = [(ErasureKind::Erase, true), (ErasureKind::Cleared, true), (ErasureKind::Erase, false)];
    for (seed, (kind, sent)) in (6_300..).step_by(100).zip(ways) {
        let (mut clinic, thread) = Box::pin(ended_by_the_patient(seed, kind, sent)).await;
        let (space, what) = (clinic.space, format!("{kind:?}, sent: {sent}"));
        for (number, device) in clinic.devices().into_iter().enumerate() {
            assert!(says(&held(device, space), "no, by no means"), "{what}: device {number} reads it on");
            let aside = device.session.put_aside_for_tests();
            // Whoever signed it does not judge what it sent.
            let expected: &[&str] = if sent && number > 0 { &["side"] } else { &[] };
            assert_eq!(aside, expected, "{what}: device {number}");
        }
        // Whoever comes later reads all of it by its envelopes, the end too, and comes to the same.
        let Clinic { line, phone, hospital, .. } = &mut clinic;
        let (mut tablet, _) = Box::pin(paired(line, phone, "tablet", seed + 50, true)).await;
        let (mut second, _) = Box::pin(paired(line, hospital, "second desk", seed + 60, true)).await;
        clinic.desk.session.act_for_tests(space, thread, say("as was said")).expect("the hospital writes on");
        for _ in 0..2 {
            clinic.settle().await;
            settle(&mut [&mut tablet, &mut second]).await;
        }
        second
            .session
            .act_for_tests(space, thread, say("by the second desk"))
            .expect("and so does a later one");
        exchange(&mut second).await;
        for _ in 0..2 {
            clinic.settle().await;
            settle(&mut [&mut tablet, &mut second]).await;
        }
        // Whoever begins from a snapshot of it has both sides too: the space is folded as ever.
        let Clinic { line, laptop, .. } = &mut clinic;
        let (mut watch, brought) = Box::pin(paired(line, laptop, "watch", seed + 70, false)).await;
        assert!(brought.snapshots > 0 && brought.refused.is_empty(), "{what}: {brought:?}");
        assert!(watch.session.began_from_snapshots_for_tests(clinic.chart, Section::Care), "{what}");
        let whole = held(&mut clinic.phone, space);
        for words in ["may I eat?", "no, by no means", "as was said", "by the second desk"] {
            assert!(says(&whole, words), "{what}: {words:?} is there");
        }
        let later = [&mut tablet, &mut second, &mut watch];
        for (number, device) in clinic.devices().into_iter().chain(later).enumerate() {
            assert_eq!(held(device, space), whole, "{what}: device {number} has what all have");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_a_patients_device_erases_the_hospitals_side() {
    let _out = controls::take_out(&["side-end", "side-successor"]);
    let (mut clinic, _) = Box::pin(ended_by_the_patient(6_390, ErasureKind::Cleared, true)).await;
    let space = clinic.space;
    for (number, device) in clinic.devices().into_iter().enumerate() {
        assert!(!says(&held(device, space), "no, by no means"), "device {number} has lost it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_manager_ends_the_patients_own_document_and_every_device_comes_to_the_same() {
    let mut clinic = Box::pin(Clinic::start(6_600)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    let thread = Some(thread_of(asked));
    let regretted = clinic.phone.session.act_for_tests(space, thread, say("said too much")).expect("said");
    clinic.settle().await;
    let document = clinic.phone.session.documents_of_side_for_tests(space, Side::Patient)[0];
    let id = *regretted.id.as_bytes();
    clinic.phone.session.end_in_care_for_tests(document, id, ErasureKind::Erase, true);
    for _ in 0..2 {
        clinic.settle().await;
    }
    let Clinic { line, phone, .. } = &mut clinic;
    let (mut tablet, _) = Box::pin(paired(line, phone, "tablet", 6_650, true)).await;
    clinic.laptop.session.act_for_tests(space, thread, say("it goes on")).expect("said");
    for _ in 0..2 {
        clinic.settle().await;
        exchange(&mut tablet).await;
    }
    let whole = held(&mut clinic.phone, space);
    assert!(says(&whole, "may I eat?") && says(&whole, "it goes on"), "what stays is there");
    assert!(!says(&whole, "said too much"), "and what was to go is gone");
    for device in clinic.devices().into_iter().chain([&mut tablet]) {
        assert_eq!(held(device, space), whole, "on every device");
        assert!(device.session.put_aside_for_tests().is_empty(), "and nothing is put aside");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_phone_that_is_cut_takes_no_act_of_the_hospital_with_it() {
    let mut clinic = Box::pin(Clinic::start(6_400)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, ask("a tooth hurts")).expect("asked");
    let thread = thread_of(asked);
    clinic.settle().await;
    let stolen = clinic.phone.session.installation().0;
    // When words came is told by the clock of whoever removes.
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let around = Surroundings { clock: Arc::<FixedClock>::clone(&clock), ..surroundings(6_450) };
    let tablet = clinic.phone.session.pair_for_tests("tablet", &Location::Memory, around);
    exchange(&mut clinic.phone).await;
    let mut tablet = clinic.line.device(tablet).await;
    exchange(&mut tablet).await;
    clinic.settle().await;
    exchange(&mut tablet).await;
    clock.advance(2 * DAY_MS);
    // Whoever has the phone cancels; the hospital answers before anybody hears that it was stolen.
    let cancel = CareAct::Appointment(AppointmentAct::Cancel { reason: "the thief's".to_owned() });
    clinic.phone.session.act_for_tests(space, Some(thread), cancel).expect("cancelled");
    exchange(&mut clinic.phone).await;
    exchange(&mut clinic.hospital).await;
    let answer = CareAct::Appointment(AppointmentAct::Offer {
        slots: vec![],
        note: "another day?".to_owned(),
        until_ms: 1,
    });
    clinic.hospital.session.act_for_tests(space, Some(thread), answer).expect("answered");
    exchange(&mut clinic.hospital).await;
    exchange(&mut tablet).await;
    let before = Some(NOW_MS + DAY_MS);
    tablet.session.remove_device_for_tests(stolen, before).expect("it is removed");
    for _ in 0..3 {
        settle(&mut [&mut tablet, &mut clinic.laptop, &mut clinic.hospital, &mut clinic.desk]).await;
    }
    let whole = held(&mut clinic.laptop, space);
    assert!(says(&whole, "a tooth hurts") && says(&whole, "another day?"), "honest words of both sides");
    assert!(!says(&whole, "the thief's"), "and not those of whoever had the phone");
    for device in [&mut tablet, &mut clinic.hospital, &mut clinic.desk] {
        assert_eq!(held(device, space), whole, "on both sides");
        let read = device.session.appointment_for_tests(space, thread).expect("read");
        assert_ne!(read.phase, Phase::Cancelled, "the patient cancelled nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_was_put_back_writes_its_own_acts_again_on_its_own_side() {
    let mut clinic = Box::pin(Clinic::start(6_500)).await;
    let space = clinic.space;
    let asked = clinic.phone.session.act_for_tests(space, None, open("may I eat?")).expect("asked");
    let thread = Some(thread_of(asked));
    clinic.settle().await;
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy.sqlite");
    clinic.desk.session.act_for_tests(space, thread, say("written, never sent")).expect("said");
    clinic.desk.session.copy_for_tests(&copy);
    // The desk goes on from where the copy was made: it says something else, and that is sent.
    clinic.desk.session.act_for_tests(space, thread, say("after the copy")).expect("said");
    clinic.settle().await;
    let back = Session::of_copy_for_tests(&copy, surroundings(6_550));
    let mut desk = clinic.line.device(back).await;
    desk.session.act_for_tests(space, thread, say("by the copy")).expect("said");
    let mut rolled_back = 0;
    for _ in 0..4 {
        rolled_back += exchange(&mut desk).await.rolled_back;
        desk = clinic.line.again(desk).await;
        settle(&mut [&mut clinic.phone, &mut clinic.laptop, &mut clinic.hospital]).await;
    }
    assert!(rolled_back > 0, "it is found out to be an older copy");
    let whole = held(&mut clinic.phone, space);
    for words in ["written, never sent", "after the copy", "by the copy"] {
        assert!(says(&whole, words), "the patient has {words:?}");
    }
    for device in [&mut clinic.laptop, &mut clinic.hospital, &mut desk] {
        assert_eq!(held(device, space), whole, "as all have");
        let aside = device.session.put_aside_for_tests();
        assert!(!aside.iter().any(|why| why == "side"), "nothing of it is foreign: {aside:?}");
    }
}
