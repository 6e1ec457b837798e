use mecum_domain::{Field, Kind};

use super::*;
use crate::arrivals::waiting_name;
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
