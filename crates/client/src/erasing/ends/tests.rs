use mecum_api::ErasureKind;
use mecum_domain::{HospitalId, Section};
use mecum_sync::{SpaceBody, Wrap};
use mecum_vault::Durability;

use super::*;
use crate::care::new_document;
use crate::testing::person;

#[test]
fn an_end_counts_by_log_label_and_ids_alone() {
    let (mut phone, chart) = person(51);
    let hospital = Session::for_tests(52);
    let care = Care::of_agent(HospitalId::from_bytes([9; 16]), hospital.identity.account);
    let mut stage = Stage::default();
    let space = phone.stage_founded(&mut stage, chart, Section::Care, Some(care)).expect("an own chart");
    phone.commit(stage, Durability::Full).expect("kept");
    let of_hospital = phone.open_care_for_tests(space, Side::Hospital);
    let end = |phone: &mut Session, document| {
        phone.end_in_care_for_tests(document, [1; 16], ErasureKind::Erase, false);
        phone.ends(space).is_ended(document)
    };
    let said = |phone: &mut Session, n| phone.keep_in_care_for_tests(space, [n; 16], b"said").expect("kept");
    let named =
        |phone: &Session, side| new_document(space, Some(side), phone.identity.account, phone.entropy()).0;
    let replace = |phone: &mut Session, document, by| {
        let state = phone.spaces.get(&space).cloned().expect("its space");
        let chains = phone.folded_chains(&state);
        let body = SpaceBody::Replace { document, by, sealed_reason: Vec::new(), chains };
        let mut stage = Stage::default();
        phone.stage_space_entry(&mut stage, space, body).expect("the log takes it");
        phone.commit(stage, Durability::Full).expect("kept");
    };
    let first = said(&mut phone, 1);
    assert!(!end(&mut phone, of_hospital), "the patient's side ends no document of the hospital's");
    assert!(end(&mut phone, first), "but its own");
    let second = said(&mut phone, 2);
    assert_ne!(second, first, "what has ended takes no more words");
    for (ends, begins) in [(Side::Hospital, Side::Patient), (Side::Patient, Side::Hospital)] {
        let (document, by) = (named(&phone, ends), named(&phone, begins));
        replace(&mut phone, document, by);
        assert!(!phone.ends(space).is_ended(document), "nor does one of a side take the other's place");
    }
    let all = phone.follower.space_log(space).map(|log| log.replaced().len());
    assert_eq!((all, phone.ends(space).iter().count()), (Some(4), 1), "the log has all of them");
    let by = phone.ends(space).successor_of(first).expect("it has ended");
    assert!(phone.ends(space).begins(by) && phone.ends(space).last_of(first) == by, "by what took its place");
    assert!(!phone.ends(space).begins(second) && phone.ends(space).last_of(second) == second);
    let log = hospital.follower.account_log().expect("an account has a log");
    let (member, genesis) = (log.account(), log.genesis());
    // No program lets a hospital in as a manager; the log takes it all the same.
    let wraps = vec![Wrap { account: member, bytes: vec![8; 1_168] }];
    let grant = SpaceBody::Grant { member, genesis, role: Role::Manager, wraps, sealed_terms: Vec::new() };
    let mut stage = Stage::default();
    phone.stage_space_entry(&mut stage, space, grant).expect("the log takes it");
    phone.commit(stage, Durability::Full).expect("kept");
    let by = named(&phone, Side::Patient);
    replace(&mut phone, second, by);
    assert!(!phone.ends(space).is_ended(second), "while a hospital manages, which side signed is in no log");
    let next = phone.stage_care_document(&mut Stage::default(), space, 1).expect("there is room");
    assert_eq!(next, second, "and the document goes on");
    assert!(phone.ends(space).is_ended(first), "what ended before that has ended");
    let without = Ends::of(phone.follower.space_log(space), None);
    assert_eq!(without.iter().count(), 5, "where there are no sides every end counts");
}
