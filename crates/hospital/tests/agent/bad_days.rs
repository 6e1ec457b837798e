//! What it does after a kill, with a lost table, an older copy, a wrong clock, and a week without it.

use crate::house::{
    HOUR, Hospital, MONDAY_8, Patient, accept, counted, directory, is_book, is_gone, offer, slot, talk, words,
};
use crate::world::call;
use mecum_api::command;
use mecum_client::{OwnRow, TalkActs};
use mecum_domain::{ActKey, Appointment, CaseAct, CasePhase, MAX_TEXT_BYTES, ThreadId};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_between_any_two_commits_says_and_books_nothing_twice() {
    let mut whole = false;
    // What the exchange commits beside it counts as well.
    for commits in 0..24 {
        let mut hospital = Hospital::new(&[1]).await;
        let ratna = hospital.patient("Ratna").await;
        let (visit, case) = (ratna.ask().await, ratna.complain().await);
        hospital.round(&[&ratna]).await;
        let to_ratna = hospital.staff(&ratna, visit, offer(&[1], MONDAY_8 + 24 * HOUR)).await;
        hospital.round(&[&ratna]).await;
        ratna.say(Some(visit), accept(to_ratna, 1)).await;
        ratna.say(Some(case), words("is anybody there?")).await;
        for app in [&ratna.app, hospital.app(), &ratna.app, hospital.app()] {
            call::<command::SyncNow>(app, Value::Null).await;
        }
        let stop = move |session: &mut mecum_client::Session| {
            session.stop_after_commits_for_tests(commits);
            Ok(())
        };
        hospital.app().with(stop).await.expect("open");
        whole = hospital.agent().answer().await.is_ok();
        hospital.start_again().await;
        hospital.round(&[&ratna]).await;
        hospital.round(&[&ratna]).await;
        let (appointment, acts) = ratna.visit(visit).await;
        assert_eq!(appointment.booked, Some(slot(1)), "after {commits}");
        assert_eq!((counted(&acts, is_book), counted(&acts, is_gone)), (1, 0), "after {commits}");
        let (case, acts) = ratna.case(case).await;
        let received = counted(&acts, |what| matches!(what, CaseAct::Received { .. }));
        assert_eq!((received, case.waiting.len()), (2, 2), "each word once, after {commits}");
        if whole {
            break;
        }
    }
    assert!(whole, "at last nothing was cut off");
}

/// Everybody asked, and staff offered the one slot to each of them: the first is asked about apart.
struct OneSlot {
    hospital: Hospital,
    ratna: Patient,
    of_ratna: ThreadId,
    to_ratna: ActKey,
    others: Vec<Patient>,
    asked: Vec<ThreadId>,
    offered: Vec<ActKey>,
}

/// Many spaces, for their order is that of random ids: whoever is asked first must not be given what another one has.
const OTHERS: usize = 4;

async fn one_slot_offered_to_all() -> OneSlot {
    let mut hospital = Hospital::new(&[1]).await;
    let ratna = hospital.patient("Ratna").await;
    let mut others = Vec::new();
    for n in 0..OTHERS {
        others.push(hospital.patient(&format!("Budi {n}")).await);
    }
    let of_ratna = ratna.ask().await;
    let mut asked = Vec::new();
    for other in &others {
        asked.push(other.ask().await);
    }
    let all: Vec<&Patient> = others.iter().chain([&ratna]).collect();
    hospital.round(&all).await;
    let until_ms = MONDAY_8 + 24 * HOUR;
    let to_ratna = hospital.staff(&ratna, of_ratna, offer(&[1], until_ms)).await;
    let mut offered = Vec::new();
    for (other, thread) in others.iter().zip(&asked) {
        offered.push(hospital.staff(other, *thread, offer(&[1], until_ms)).await);
    }
    hospital.round(&all).await;
    OneSlot { hospital, ratna, of_ratna, to_ratna, others, asked, offered }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_table_was_lost_keeps_every_booking() {
    let OneSlot { mut hospital, ratna, of_ratna, to_ratna, others, asked, offered } =
        one_slot_offered_to_all().await;
    let all: Vec<&Patient> = others.iter().chain([&ratna]).collect();
    ratna.say(Some(of_ratna), accept(to_ratna, 1)).await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(of_ratna).await.0.booked, Some(slot(1)));
    let forget = |session: &mut mecum_client::Session| {
        let rows = session.own_rows(b"agent/slot/")?;
        assert!(!rows.is_empty(), "there was a table");
        session.keep_rows(rows.into_iter().map(|row| OwnRow { body: None, ..row }).collect())
    };
    hospital.app().with(forget).await.expect("forgotten");
    for ((other, thread), offer) in others.iter().zip(&asked).zip(&offered) {
        other.say(Some(*thread), accept(*offer, 1)).await;
    }
    hospital.start_again().await;
    hospital.round(&all).await;
    let (appointment, acts) = ratna.visit(of_ratna).await;
    assert_eq!((appointment.booked, counted(&acts, is_book)), (Some(slot(1)), 1), "as it was said");
    for (other, thread) in others.iter().zip(&asked) {
        let (appointment, acts) = other.visit(*thread).await;
        assert_eq!((appointment.booked, counted(&acts, is_gone)), (None, 1), "and nobody else has it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_conversation_that_cannot_be_answered_keeps_nobody_else_waiting() {
    let mut hospital = Hospital::new(&[1]).await;
    let mut patients = Vec::new();
    for n in 0..OTHERS {
        patients.push(hospital.patient(&format!("Budi {n}")).await);
    }
    // Who answers complaints has a name that no act holds: every receipt of one is refused.
    let mut published = directory(&[1]);
    published.ladders[0].rungs[0].name = "x".repeat(MAX_TEXT_BYTES + 1);
    hospital.publish(&published);
    let (mut asked, mut complained) = (Vec::new(), Vec::new());
    for patient in &patients {
        complained.push(patient.complain().await);
        asked.push(patient.ask().await);
        call::<command::SyncNow>(&patient.app, Value::Null).await;
    }
    call::<command::SyncNow>(hospital.app(), Value::Null).await;
    let refused = hospital.agent().answer().await.expect_err("it says so").to_string();
    assert_eq!(refused, "error-too-long");
    hospital.publish(&directory(&[1]));
    for (patient, visit) in patients.iter().zip(&asked) {
        let TalkActs::Appointment(acts) = talk(hospital.app(), patient.space, *visit).await else {
            panic!("an appointment")
        };
        let received = Appointment::of(&acts).received;
        assert!(received.is_some(), "each other one was answered");
    }
    hospital.round(&patients.iter().collect::<Vec<_>>()).await;
    for (patient, case) in patients.iter().zip(&complained) {
        let (case, _) = patient.case(*case).await;
        assert_eq!(case.handler, "Front desk", "and these as soon as it can");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_was_put_back_from_a_copy_gives_nothing_away_again() {
    let OneSlot { mut hospital, ratna, of_ratna, to_ratna, others, asked, offered } =
        one_slot_offered_to_all().await;
    let all: Vec<&Patient> = others.iter().chain([&ratna]).collect();
    hospital.agent = None;
    let (data, copy) = (hospital.path("hospital"), hospital.path("copy"));
    copy_folder(&data, &copy);
    hospital.start_again().await;
    ratna.say(Some(of_ratna), accept(to_ratna, 1)).await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(of_ratna).await.0.booked, Some(slot(1)));
    hospital.agent = None;
    std::fs::remove_dir_all(&data).expect("gone");
    copy_folder(&copy, &data);
    for ((other, thread), offer) in others.iter().zip(&asked).zip(&offered) {
        other.say(Some(*thread), accept(*offer, 1)).await;
        call::<command::SyncNow>(&other.app, Value::Null).await;
    }
    hospital.start_again().await;
    for _ in 0..4 {
        hospital.round(&all).await;
    }
    let (appointment, acts) = ratna.visit(of_ratna).await;
    assert_eq!((appointment.booked, counted(&acts, is_book)), (Some(slot(1)), 1), "as it was said");
    for (other, thread) in others.iter().zip(&asked) {
        let (appointment, acts) = other.visit(*thread).await;
        assert_eq!((appointment.booked, counted(&acts, is_book), counted(&acts, is_gone)), (None, 0, 1));
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_clock_is_away_answers_nothing_and_says_so() {
    for apart in [2 * HOUR, -2 * HOUR] {
        let mut hospital = Hospital::new(&[1]).await;
        let ratna = hospital.patient("Ratna").await;
        let case = ratna.complain().await;
        hospital.server_ms.fetch_add(apart, Ordering::SeqCst);
        hospital.round(&[&ratna]).await;
        hospital.round(&[&ratna]).await;
        assert_eq!(ratna.case(case).await.0.phase, CasePhase::Sent, "no time is promised by a wrong clock");
        let log = hospital.log.lock().expect("nobody panics").clone();
        let said = log.iter().filter(|line| line.contains("120 minutes apart")).count();
        assert_eq!(said, 1, "once: {log:?}");
        hospital.clock.advance(apart);
        hospital.round(&[&ratna]).await;
        assert_eq!(ratna.case(case).await.0.phase, CasePhase::Open, "once it is right, it is answered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_that_was_down_for_a_week_answers_what_waited_by_times_from_its_arrival() {
    let mut hospital = Hospital::new(&[1]).await;
    let ratna = hospital.patient("Ratna").await;
    hospital.round(&[&ratna]).await;
    hospital.agent = None;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(ratna.complain().await);
        call::<command::SyncNow>(&ratna.app, Value::Null).await;
        hospital.advance(24 * HOUR);
    }
    hospital.advance(4 * 24 * HOUR);
    assert_eq!(ratna.case(cases[0]).await.0.phase, CasePhase::Sent, "nothing was promised");
    hospital.start_again().await;
    hospital.round(&[&ratna]).await;
    for case in cases {
        let (case, _) = ratna.case(case).await;
        let due = MONDAY_8 + 7 * 24 * HOUR + HOUR;
        assert_eq!(case.clock.next.map(|due| due.at_ms), Some(due), "an hour from when it arrived");
    }
}
