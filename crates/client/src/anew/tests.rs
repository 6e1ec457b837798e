use mecum_domain::{Field, Kind};

use super::*;
use crate::arrivals::waiting_name;
use crate::aside::TRIED_BY;
use crate::testing::person;

#[test]
fn nothing_is_written_in_a_document_that_waits_for_own_words_and_why_is_said() {
    let (mut phone, chart) = person(31);
    let text = |words: &str| vec![(Field::Text, words.to_owned())];
    let key = phone.add(chart, Kind::Note, text("before")).expect("written");
    let bytes = phone.envelopes_of_entry_for_tests(chart, key).pop().expect("it was sealed");
    let envelope = Envelope::parse(&bytes).expect("an own envelope");
    let arrival = Arrival { envelope, bytes: bytes.clone(), kept: false };
    let mut stage = Stage::default();
    phone.stage_reading_again(&mut stage).expect("staged");
    stage.puts.push((Table::Waiting, waiting_name(&arrival), bytes));
    phone.commit(stage, Durability::Full).expect("as while a section is built anew");
    let edit = vec![(Field::Text, Some("after".to_owned()))];
    let refused = phone.set(chart, key, edit.clone()).expect_err("its number is taken");
    assert!(
        refused.to_string().contains("error-entry-anew"),
        "the person is told what it waits for: {refused}"
    );
    let mut stage = Stage::default();
    stage.deletes.push((Table::Waiting, waiting_name(&arrival)));
    phone.commit(stage, Durability::Full).expect("it stands again");
    phone.set(chart, key, edit).expect("and takes words");
}

#[test]
fn what_lies_in_the_log_and_waited_or_was_put_aside_is_read_again_once_and_after_a_restart() {
    for aside in [false, true] {
        let (mut phone, chart) = person(37);
        let name = vec![(Field::Name, "Amlodipine".to_owned())];
        let key = phone.add(chart, Kind::MedicationStatement, name).expect("written");
        let bytes = phone.envelopes_of_entry_for_tests(chart, key).pop().expect("it was sealed");
        let envelope = Envelope::parse(&bytes).expect("an own envelope");
        let Place { space, document, .. } = *envelope.place();
        let logged = phone.places(document).expect("reads").len();
        // As while the section is built anew: its document is empty, and the word lies elsewhere until what it followed has come.
        let mut stage = Stage::default();
        phone.stage_reading_again(&mut stage).expect("staged");
        phone.stage_anew(&mut stage, space, &[]).expect("staged");
        stage.again.clear();
        if aside {
            let id = envelope.content_id();
            crate::exchange::quarantine(&mut stage, "envelope", id.as_bytes(), &bytes);
            stage.puts.push((Table::Setting, TRIED_BY.into(), b"an earlier one".to_vec()));
        } else {
            let arrival = Arrival { envelope, bytes: bytes.clone(), kept: false };
            stage.puts.push((Table::Waiting, waiting_name(&arrival), bytes));
        }
        phone.commit(stage, Durability::Full).expect("kept");
        assert!(phone.titles_for_tests(chart).expect("reads").is_empty(), "it is not read meanwhile");
        let mut stage = Stage::default();
        let follower = phone.follower.clone();
        let again = phone.aside_again(&mut stage, &follower).expect("looked at again");
        assert_eq!(again.len(), usize::from(aside), "what was put aside is looked at again");
        phone.stage_waiting(&mut stage).expect("what waits is judged once more");
        phone.stage_arrivals(&mut stage, again).expect("taken in");
        phone.commit(stage, Durability::Full).expect("kept");
        assert_eq!(phone.titles_for_tests(chart).expect("reads"), ["Amlodipine"], "aside: {aside}");
        let places = phone.places(document).expect("reads").len();
        assert_eq!(places, logged, "it lies in the log once, as before: aside: {aside}");
        let phone = phone.restart().expect("its vault opens again");
        assert_eq!(phone.titles_for_tests(chart).expect("reads"), ["Amlodipine"], "and after a restart");
    }
}
