//! Single conversations, word by word.

use super::*;

/// Everybody hears of everything that was said in a conversation.
fn meet(world: &mut World, talk: usize) {
    (0..4).for_each(|who| while world.talks[talk].deliver(who, &mut world.dice) {});
}

/// Somebody asks for the first slot, the desk confirms it, and the agent answers.
fn asks_for_the_first_slot(world: &mut World, talk: usize) {
    let wish = Wish { slots: vec![slot(0)], words: String::new() };
    let ask = A::Ask { service: "internal".into(), wish, reason: String::new() };
    world.talks[talk].write(PHONE, ask, &mut world.ids);
    let answers = world.talks[talk].all[0].key();
    meet(world, talk);
    world.talks[talk].write(DESK, A::Confirm { answers, slot: slot(0) }, &mut world.ids);
    meet(world, talk);
    world.answer(talk, false);
    meet(world, talk);
}

#[test]
fn a_program_that_dies_between_table_and_words_leaves_no_slot_with_two() {
    let mut world = World::new(SEED);
    asks_for_the_first_slot(&mut world, 0);
    let offer = A::Offer { slots: vec![slot(1)], note: String::new(), until_ms: 1_000 };
    world.talks[0].write(DESK, offer, &mut world.ids);
    meet(&mut world, 0);
    let offer = world.talks[0].all.last().expect("the offer").key();
    world.talks[0].write(PHONE, A::Accept { offer, slot: slot(1).id }, &mut world.ids);
    let accept = world.talks[0].all.len() - 1;
    world.talks[0].known[AGENT].push(accept);
    world.answer(0, true);
    assert_eq!(world.table.given_to(thread(0)), Some(slot(1).id), "moved, and nobody has heard of it");
    // The desk, which has not seen the yes, takes the offer back; and the slot that was left goes to somebody else.
    world.talks[0].write(DESK, A::Withdraw { offer, reason: String::new() }, &mut world.ids);
    world.talks[0].known[AGENT].push(accept + 1);
    asks_for_the_first_slot(&mut world, 1);
    world.answer(0, false);
    assert_eq!(world.table.given_to(thread(1)), Some(slot(0).id), "theirs");
    let first = Appointment::of(&world.talks[0].acts(AGENT));
    assert_eq!(
        (first.booked, world.table.given_to(thread(0))),
        (None, None),
        "what cannot be kept is called off"
    );
    let asked = world.talks[0].all[0].key();
    assert_eq!(first.open_wish, Some(asked), "and what she asked for is open again");
    assert!(first.waits_for_hospital, "somebody has to find another time");
    world.check(AGENT, true);
}

#[test]
fn a_yes_after_the_time_of_its_offer_is_answered_by_the_hospital_and_by_no_other_clock() {
    let mut world = World::new(SEED);
    let ask = A::Ask { service: "internal".into(), wish: Wish::default(), reason: String::new() };
    world.talks[0].write(PHONE, ask, &mut world.ids);
    meet(&mut world, 0);
    let offer = A::Offer { slots: vec![slot(0), slot(1)], note: String::new(), until_ms: 5_000 };
    world.talks[0].write(DESK, offer, &mut world.ids);
    meet(&mut world, 0);
    let offer = world.talks[0].all[1].key();
    world.answer(0, false);
    let standing = vec![StandingOffer { offer, to: thread(0), until_ms: 5_000 }];
    assert_eq!(
        world.table.state(slot(0).id, 4_999),
        Some(SlotState::Offered(standing)),
        "until the time that was said"
    );
    world.now = 10_000;
    assert_eq!(world.table.state(slot(0).id, world.now), Some(SlotState::Free), "then others may be asked");
    asks_for_the_first_slot(&mut world, 1);
    for (n, answer) in [(0, "gone"), (1, "booked")] {
        world.talks[0].write(PHONE, A::Accept { offer, slot: slot(n).id }, &mut world.ids);
        let yes = world.talks[0].all.last().expect("the yes").key();
        let read = Appointment::of(&world.talks[0].acts(PHONE));
        assert_eq!(
            (read.accepted, read.waits_for_hospital),
            (Some(yes), true),
            "{answer}: late, and to be answered"
        );
        meet(&mut world, 0);
        world.answer(0, false);
        meet(&mut world, 0);
        let says = world.talks[0].all.last().map(|act| act.what.clone());
        let wanted = if n == 0 {
            A::SlotGone { answers: yes, slot: slot(0).id }
        } else {
            A::Book { answers: yes, slot: slot(1) }
        };
        assert_eq!(says, Some(wanted), "{answer}: by the hospital's table alone");
    }
    world.check(PHONE, true);
}

#[test]
fn a_cancel_that_does_not_count_after_all_brings_no_booking_back() {
    let mut world = World::new(SEED);
    asks_for_the_first_slot(&mut world, 0);
    assert_eq!(world.table.given_to(thread(0)), Some(slot(0).id), "booked");
    // The phone cancels; the daughter, who does not know it, says that they are there.
    world.talks[0].write(PHONE, A::Cancel { reason: String::new() }, &mut world.ids);
    world.talks[0].write(DAUGHTER, A::CheckIn, &mut world.ids);
    let cancel = world.talks[0].all.len() - 2;
    world.talks[0].known[AGENT].push(cancel);
    world.answer(0, false);
    asks_for_the_first_slot(&mut world, 1);
    assert_eq!(world.table.given_to(thread(1)), Some(slot(0).id), "free for the next");
    meet(&mut world, 0);
    world.answer(0, false);
    let first = Appointment::of(&world.talks[0].acts(0));
    assert!(first.contested.is_some(), "the family is asked which it is");
    assert_eq!(first.booked, None, "but the slot is not theirs any more");
    world.check(AGENT, true);
}

#[test]
fn of_two_confirms_that_cross_one_is_booked_and_the_patient_is_not_moved_unasked() {
    let mut world = World::new(SEED);
    let wish = Wish { slots: vec![slot(0), slot(1)], words: String::new() };
    world.talks[0].write(
        PHONE,
        A::Ask { service: "internal".into(), wish, reason: String::new() },
        &mut world.ids,
    );
    let answers = world.talks[0].all[0].key();
    meet(&mut world, 0);
    // Two of staff, neither knowing of the other's word.
    world.talks[0].write(DESK, A::Confirm { answers, slot: slot(0) }, &mut world.ids);
    world.talks[0].known[DESK].pop();
    world.talks[0].write(DESK, A::Confirm { answers, slot: slot(1) }, &mut world.ids);
    world.talks[0].known[AGENT].push(1);
    world.answer(0, false);
    assert_eq!(world.table.given_to(thread(0)), Some(slot(0).id), "the first that was heard of");
    meet(&mut world, 0);
    world.answer(0, false);
    meet(&mut world, 0);
    let booked = Appointment::of(&world.talks[0].acts(PHONE)).booked;
    assert_eq!(booked, Some(slot(0)), "she was told so, and has asked for nothing else");
    // Staff who knows of the booking may move it: it is the same wish.
    world.talks[0].write(DESK, A::Confirm { answers, slot: slot(1) }, &mut world.ids);
    meet(&mut world, 0);
    world.answer(0, false);
    assert_eq!(world.table.given_to(thread(0)), Some(slot(1).id), "this one was meant");
}

#[test]
fn a_booking_that_was_said_is_more_than_what_is_only_kept_for_somebody() {
    let mut world = World::new(SEED);
    asks_for_the_first_slot(&mut world, 0);
    // A table that was lost with its decisions: only the slots are there, and the desk keeps one of them for somebody.
    world.table = World::new(SEED).table;
    world.log.truncate(usize::from(SLOTS));
    let hold = SlotDecision::Hold { to: thread(1), slot: slot(0).id, until_ms: world.now + 1_000 };
    assert!(world.decide(hold), "it looks free");
    world.answer(0, false);
    assert_eq!(world.table.given_to(thread(0)), Some(slot(0).id), "hers, as she was told");
    world.begin_again();
    // A time that was published anew under the same id is another one.
    world.table = SlotTable::default();
    world.log.clear();
    let other = Slot { starts_ms: 9_000_000, ..slot(0) };
    assert!(world.decide(SlotDecision::Publish { service: "internal".into(), slot: other }), "it is free");
    world.answer(0, false);
    assert_eq!(world.table.given_to(thread(0)), None, "it was not hers");
}

#[test]
fn an_app_that_lies_about_its_number_makes_the_agent_say_nothing_twice() {
    let mut world = World::new(SEED);
    let wish = Wish { slots: vec![slot(0)], words: String::new() };
    let ask = A::Ask { service: "internal".into(), wish, reason: String::new() };
    world.talks[0].write_numbered(PHONE, ask, &mut world.ids, |_| u64::MAX);
    let answers = world.talks[0].all[0].key();
    meet(&mut world, 0);
    world.talks[0].write(DESK, A::Confirm { answers, slot: slot(0) }, &mut world.ids);
    meet(&mut world, 0);
    world.answer(0, false);
    assert_eq!((world.booked, world.talks[0].all.len()), (1, 3), "booked once");
    meet(&mut world, 0);
    world.talks[0].write(PHONE, A::Cancel { reason: String::new() }, &mut world.ids);
    meet(&mut world, 0);
    (0..3).for_each(|_| world.answer(0, false));
    assert_eq!((world.called_off, world.talks[0].all.len()), (1, 5), "and called off once");
}
