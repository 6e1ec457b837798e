//! What the time does to a table, and what it does not.

use super::*;
use crate::directory::Directory;
use crate::directory::tests::directory;

#[test]
fn a_clock_that_ran_ahead_once_closes_nothing() {
    let [ani, budi] = [thread(1), thread(2)];
    let mut table = table(8);
    let year = 365 * 24 * HOUR_MS;
    let give = |to, n| SlotDecision::Give { to, slot: slot(n).id };
    let hold = |to, n, until_ms| SlotDecision::Hold { to, slot: slot(n).id, until_ms };
    table.apply(&hold(budi, 4, 3 * HOUR_MS), HOUR_MS).expect("free");
    assert_eq!(table.apply(&give(ani, 0), year), Err(SlotRefusal::Begun(slot(0).id)), "by that clock it has");
    assert_eq!(table.free(year), [], "and so have all");
    table.apply(&publish(1), year).expect_err("it is there");
    table.apply(&SlotDecision::Release { of: ani }, year).expect("this one is taken");
    assert_eq!(table.apply(&give(ani, 0), HOUR_MS), Ok(()), "the clock is right again, and so is the table");
    assert_eq!(table.free(HOUR_MS).len(), 5, "the others are free");
    assert_eq!(table.state(slot(4).id, HOUR_MS), Some(SlotState::Free), "what was kept was over once");
    assert_eq!(table.apply(&hold(budi, 4, 3 * HOUR_MS), HOUR_MS), Ok(()), "it can be kept again");
}

#[test]
fn a_table_knows_by_itself_what_has_begun_and_what_has_ended() {
    let mut table = table(4);
    let hold = SlotDecision::Hold { to: thread(1), slot: slot(1).id, until_ms: 2 * HOUR_MS };
    table.apply(&hold, HOUR_MS).expect("free");
    let starts = slot(0).starts_ms;
    assert_eq!(table.free(HOUR_MS).len(), 2, "one is kept");
    assert_eq!(table.free(2 * HOUR_MS).len(), 3, "it is kept no more, and nobody had to say so");
    assert_eq!(table.free(starts).len(), 2, "and the first has begun after a quiet night");
}

#[test]
fn a_directory_takes_all_the_free_slots_that_a_table_gives() {
    let mut table = SlotTable::default();
    let count = u32::try_from(MAX_LISTED).expect("small") + 100;
    for n in (0..count).rev() {
        let mut id = [0; 16];
        id[12..].copy_from_slice(&n.to_be_bytes());
        let starts_ms = HOUR_MS + i64::from(n) * 30 * MINUTE_MS;
        let slot = Slot { id: SlotId::from_bytes(id), starts_ms, ..slot(0) };
        table.apply(&SlotDecision::Publish { service: "internal".into(), slot }, 0).expect("it fits");
    }
    let free = table.free(0);
    assert_eq!(free.len(), MAX_LISTED, "as many as a directory lists");
    assert_eq!(free.first().map(|free| free.slot.starts_ms), Some(HOUR_MS), "the earliest");
    assert!(free.is_sorted_by_key(|free| free.slot.starts_ms), "in their order");
    let directory = Directory { slots: free, ..directory() };
    assert!(directory.check().is_ok(), "the notice is not refused");
}
