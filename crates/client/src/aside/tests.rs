use mecum_api::EntryEraseArgs;
use mecum_domain::{Field, Kind};
use mecum_vault::Durability;

use super::*;
use crate::arrivals::waiting_name;
use crate::testing::person;

#[test]
fn what_waits_for_a_document_that_has_ended_goes_once_its_space_is_known() {
    let (mut phone, chart) = person(41);
    let key = phone.add(chart, Kind::Note, vec![(Field::Text, "to be erased".to_owned())]).expect("written");
    let bytes = phone.envelopes_of_entry_for_tests(chart, key).pop().expect("it was sealed");
    let envelope = Envelope::parse(&bytes).expect("an own envelope");
    let space = envelope.place().space;
    let waits = Arrival { envelope, bytes: bytes.clone(), kept: false };
    let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
    phone.entry_erase(&args).expect("erased");
    let state = phone.spaces.get(&space).cloned().expect("its space");
    let document = waits.envelope.place().document;
    assert!(phone.ends(space).is_ended(document), "its document has ended");
    // As where it came before anything was known of the space.
    let mut stage = Stage::default();
    stage.puts.push((Table::Waiting, waiting_name(&waits), bytes));
    phone.commit(stage, Durability::Full).expect("it waits");
    phone.spaces.remove(&space);
    let follower = phone.follower.clone();
    let gone = |stage: &Stage| stage.deletes.contains(&(Table::Waiting, waiting_name(&waits)));
    let mut stage = Stage::default();
    phone.aside_again(&mut stage, &follower).expect("looked at");
    assert!(!gone(&stage), "while its space is not known it waits on");
    stage.spaces.insert(space, state);
    phone.aside_again(&mut stage, &follower).expect("looked at");
    assert!(gone(&stage), "then it goes");
}
