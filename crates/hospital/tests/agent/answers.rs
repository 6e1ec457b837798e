//! What the program answers, books and calls gone.

use crate::house::{HOUR, Hospital, MONDAY_8, accept, counted, directory, is_book, is_gone, offer, slot};
use mecum_api::command;
use mecum_client::CareAct;
use mecum_domain::{AppointmentAct, CasePhase, Phase};
use serde_json::{Value, json};

use crate::world::call;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_patient_says_is_received_with_a_handler_and_a_time_in_working_hours() {
    let mut hospital = Hospital::new(&[1]).await;
    let ratna = hospital.patient("Ratna").await;
    let (visit, case) = (ratna.ask().await, ratna.complain().await);
    hospital.round(&[&ratna]).await;
    let (appointment, acts) = ratna.visit(visit).await;
    let received = appointment.received.and_then(|key| acts.get(acts.place(key)?)).expect("it arrived");
    let due_ms = MONDAY_8 + 8 * HOUR;
    let handler = "RS Tirta Asih".to_owned();
    assert_eq!(received.what, AppointmentAct::Received { handler, due_ms }, "by the end of the day");
    assert_eq!((appointment.phase, appointment.booked), (Phase::Asked, None), "nobody has booked it");
    let (case, _) = ratna.case(case).await;
    assert_eq!((case.phase, case.handler.as_str()), (CasePhase::Open, "Front desk"));
    assert_eq!(
        case.clock.next.map(|due| due.at_ms),
        Some(MONDAY_8 + HOUR),
        "the first answer within an hour"
    );
    assert_eq!(hospital.agent().answer().await.expect("asked again"), 0, "there is nothing more to say");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_patients_who_take_one_slot_get_one_booking_and_one_word_that_it_is_gone() {
    let mut hospital = Hospital::new(&[1, 2]).await;
    let (ratna, budi) = (hospital.patient("Ratna").await, hospital.patient("Budi").await);
    let (of_ratna, of_budi) = (ratna.ask().await, budi.ask().await);
    hospital.round(&[&ratna, &budi]).await;
    let until_ms = MONDAY_8 + 24 * HOUR;
    let to_ratna = hospital.staff(&ratna, of_ratna, offer(&[1, 2], until_ms)).await;
    let to_budi = hospital.staff(&budi, of_budi, offer(&[1, 2], until_ms)).await;
    hospital.round(&[&ratna, &budi]).await;
    // Both say yes without hearing of each other; whose reaches the hospital first is nobody's to say.
    ratna.say(Some(of_ratna), accept(to_ratna, 1)).await;
    budi.say(Some(of_budi), accept(to_budi, 1)).await;
    hospital.round(&[&budi]).await;
    hospital.round(&[&ratna, &budi]).await;
    let mut both = [(&ratna, of_ratna, to_ratna), (&budi, of_budi, to_budi)];
    if ratna.visit(of_ratna).await.0.booked.is_none() {
        both.reverse();
    }
    let [(has, of_has, _), (has_not, of_not, to_not)] = both;
    let (appointment, acts) = has.visit(of_has).await;
    assert_eq!((appointment.phase, appointment.booked), (Phase::Confirmed, Some(slot(1))));
    assert_eq!((counted(&acts, is_book), counted(&acts, is_gone)), (1, 0));
    let (appointment, acts) = has_not.visit(of_not).await;
    assert_eq!((appointment.booked, counted(&acts, is_book)), (None, 0), "one slot is nobody else's");
    assert_eq!(counted(&acts, is_gone), 1, "and that is said");
    has_not.say(Some(of_not), accept(to_not, 2)).await;
    hospital.round(&[has_not]).await;
    let booked = has_not.visit(of_not).await.0.booked;
    assert_eq!(booked, Some(slot(2)), "the other of the offer is still to be had");
    // What is given up is free for who is asked next.
    let cancel = AppointmentAct::Cancel { reason: String::new() };
    has.say(Some(of_has), CareAct::Appointment(cancel)).await;
    hospital.round(&[has]).await;
    let again = hospital.staff(has_not, of_not, offer(&[1], until_ms)).await;
    hospital.round(&[has_not]).await;
    let (appointment, _) = has_not.visit(of_not).await;
    assert!(appointment.offers.contains(&again), "it is not withdrawn: {appointment:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_changes_with_its_file_and_a_wrong_one_changes_nothing() {
    let mut hospital = Hospital::new(&[1]).await;
    let ratna = hospital.patient("Ratna").await;
    let visit = ratna.ask().await;
    hospital.round(&[&ratna]).await;
    std::fs::write(hospital.path("directory.json"), b"{").expect("a file");
    hospital.round(&[&ratna]).await;
    hospital.round(&[&ratna]).await;
    let log = hospital.log.lock().expect("nobody panics").clone();
    let said = log.iter().filter(|line| line.contains("directory.json")).count();
    assert_eq!(said, 1, "it is said once: {log:?}");
    let until_ms = MONDAY_8 + 24 * HOUR;
    let first = hospital.staff(&ratna, visit, offer(&[1], until_ms)).await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(visit).await.0.offers, [first], "what was published stays in force");
    let early = hospital.staff(&ratna, visit, offer(&[2], until_ms)).await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(visit).await.0.offers, [first], "what nobody published is withdrawn");
    hospital.publish(&directory(&[2]));
    let late = hospital.staff(&ratna, visit, offer(&[2], until_ms)).await;
    hospital.round(&[&ratna]).await;
    let offers = ratna.visit(visit).await.0.offers;
    assert_eq!(offers, [late], "{early:?} and {first:?} are over: what left the file is offered to nobody");
    ratna.say(Some(visit), accept(late, 2)).await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(visit).await.0.booked, Some(slot(2)));
    hospital.publish(&directory(&[1]));
    hospital.round(&[&ratna]).await;
    assert_eq!(
        ratna.visit(visit).await.0.booked,
        Some(slot(2)),
        "what is somebody's is not closed by a file"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_read_without_a_network_and_a_booked_time_is_free_no_more() {
    let mut hospital = Hospital::new(&[1, 2]).await;
    assert!(hospital.agent().publish_notice().await.expect("published"), "the first");
    assert!(!hospital.agent().publish_notice().await.expect("asked"), "and nothing new to say");
    let ratna = hospital.patient("Ratna").await;
    call::<command::SyncNow>(&ratna.app, Value::Null).await;
    let list = call::<command::HospitalList>(&ratna.app, Value::Null).await;
    assert_eq!(list[0]["name"], "RS Tirta Asih", "it came by itself: {list}");
    assert_eq!(list[0]["trust"], "connected", "its account vouches for it");
    let of = json!({ "hospital": list[0]["hospital"] });
    let free = async |app: &mecum_client::App| {
        let view = call::<command::HospitalGet>(app, of.clone()).await;
        view["slots"].as_array().expect("slots").len()
    };
    assert_eq!(free(&ratna.app).await, 2, "both are free");
    let visit = ratna.ask().await;
    hospital.round(&[&ratna]).await;
    let answers = ratna.visit(visit).await.0.open_wish.expect("it waits");
    hospital
        .staff(&ratna, visit, CareAct::Appointment(AppointmentAct::Confirm { answers, slot: slot(1) }))
        .await;
    hospital.round(&[&ratna]).await;
    assert_eq!(ratna.visit(visit).await.0.booked, Some(slot(1)), "booked");
    hospital.advance(1_000);
    assert!(hospital.agent().publish_notice().await.expect("published"), "one time less");
    // Somebody without an account at this server, by the link that the hospital prints.
    let stranger = hospital.stranger("Budi").await;
    let link = json!({ "link": list[0]["link"] });
    let found = call::<command::HospitalFind>(&stranger, link.clone()).await;
    assert_eq!(found["slots"].as_array().map(Vec::len), Some(1), "what is booked is offered to nobody");
    assert_eq!(found["trust"], "first-sight", "nobody vouches for it there");
    hospital.server.stop().await;
    assert_eq!(free(&stranger).await, 1, "read offline");
    assert_eq!(free(&ratna.app).await, 2, "as it was when it was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_server_does_not_know_as_a_hospital_publishes_nothing() {
    let hospital = Hospital::new(&[1]).await;
    let ratna = hospital.patient("Ratna").await;
    let refused = ratna.app.publish_notice(directory(&[1])).await.expect_err("it is a patient's account");
    assert_eq!(refused.message_id, "error-not-a-host");
}
