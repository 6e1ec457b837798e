//! The table against a model that keeps no index, and the rules of its doc one by one.

mod time;

use super::*;
use crate::act::{ActId, Side};

const HOUR_MS: i64 = 60 * MINUTE_MS;
const SEED: u64 = 0x6d65_6375_6d73_6c6f;

/// Numbers from a seed (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % u64::try_from(most).expect("a number")).expect("below it")
    }
}

pub(super) fn thread(n: u8) -> ThreadId {
    ThreadId::from_bytes([n; 16])
}

fn offer(n: u16) -> ActKey {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    ActKey { side: Side::Hospital, id: ActId::from_bytes(id) }
}

/// Half hours from ten o'clock on, in turn with one of two practitioners; of each four the fourth lies over the second.
fn slot(n: u8) -> Slot {
    let at = if n % 4 == 3 { n - 2 } else { n };
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: 10 * HOUR_MS + i64::from(at) * 30 * MINUTE_MS,
        minutes: 30,
        practitioner: if n.is_multiple_of(2) { "dr Sari" } else { "dr Budi" }.into(),
        location: "Clinic 3".into(),
    }
}

fn publish(n: u8) -> SlotDecision {
    SlotDecision::Publish { service: "internal".into(), slot: slot(n) }
}

fn table(slots: u8) -> SlotTable {
    let mut table = SlotTable::default();
    for n in (0..slots).filter(|n| n % 4 != 3) {
        table.apply(&publish(n), 0).expect("it fits");
    }
    table
}

/// What a clerk with a sheet of paper would do: a line for each slot, and looking at every line.
#[derive(Default)]
struct Sheet {
    lines: Vec<Line>,
    offers: Vec<(ActKey, ThreadId, Vec<SlotId>, i64)>,
}

struct Line {
    slot: Slot,
    closed: bool,
    /// Who has it, and until when where it is only kept.
    with: Option<(ThreadId, Option<i64>)>,
}

impl Sheet {
    fn line(&mut self, id: SlotId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.slot.id == id)
    }

    fn state(&self, id: SlotId, now: i64) -> Option<SlotState> {
        let line = self.lines.iter().find(|line| line.slot.id == id)?;
        let mut offers: Vec<StandingOffer> = self
            .offers
            .iter()
            .filter(|(.., slots, until)| *until > now && slots.contains(&id))
            .map(|(offer, to, _, until_ms)| StandingOffer { offer: *offer, to: *to, until_ms: *until_ms })
            .collect();
        offers.sort();
        Some(match line.with {
            _ if line.closed => SlotState::Closed,
            Some((to, None)) => SlotState::Given { to },
            Some((to, Some(until_ms))) if until_ms > now => SlotState::Held { to, until_ms },
            _ if offers.is_empty() => SlotState::Free,
            _ => SlotState::Offered(offers),
        })
    }

    fn may_have(&self, id: SlotId, who: ThreadId, now: i64) -> bool {
        let begun = self.lines.iter().any(|line| line.slot.id == id && line.slot.starts_ms <= now);
        match self.state(id, now) {
            Some(SlotState::Free | SlotState::Offered(_)) => !begun,
            Some(SlotState::Held { to, .. }) => to == who && !begun,
            _ => false,
        }
    }

    fn meets(&self, new: &Slot) -> bool {
        let minutes = |slot: &Slot| slot.starts_ms..slot.starts_ms + i64::from(slot.minutes) * MINUTE_MS;
        let both =
            |a: &Slot, b: &Slot| minutes(a).contains(&b.starts_ms) || minutes(b).contains(&a.starts_ms);
        self.lines
            .iter()
            .any(|line| !line.closed && line.slot.practitioner == new.practitioner && both(&line.slot, new))
    }

    /// Whether it was taken; then what is over by its time is struck out.
    fn apply(&mut self, decision: &SlotDecision, now: i64) -> bool {
        let taken = self.decide(decision, now);
        if taken {
            for line in &mut self.lines {
                line.with = line.with.filter(|(_, until)| until.is_none_or(|until| until > now));
            }
            self.offers.retain(|(.., slots, until)| !slots.is_empty() && *until > now);
        }
        taken
    }

    fn decide(&mut self, decision: &SlotDecision, now: i64) -> bool {
        let free = |who: ThreadId, line: &mut Line| {
            if line.with.is_some_and(|(with, _)| with == who) {
                line.with = None;
            }
        };
        match decision {
            SlotDecision::Publish { slot, .. } => {
                let fits = self.lines.iter().all(|line| line.slot.id != slot.id) && !self.meets(slot);
                if fits {
                    self.lines.push(Line { slot: slot.clone(), closed: false, with: None });
                }
                fits
            }
            SlotDecision::Close { slot } => {
                let open = matches!(self.state(*slot, now), Some(SlotState::Free | SlotState::Offered(_)));
                if let Some(line) = self.line(*slot).filter(|_| open) {
                    (line.closed, line.with) = (true, None);
                    self.offers.iter_mut().for_each(|(.., slots, _)| slots.retain(|one| one != slot));
                }
                open
            }
            SlotDecision::Reopen { slot } => {
                let of = self.lines.iter().find(|line| line.slot.id == *slot && line.closed);
                let fits = of.is_some_and(|line| !self.meets(&line.slot));
                if let Some(line) = self.line(*slot).filter(|_| fits) {
                    line.closed = false;
                }
                fits
            }
            SlotDecision::Offer { offer, to, slots, until_ms } => {
                let new = self.offers.iter().all(|(other, .., until)| other != offer || *until <= now);
                let fits = new
                    && !slots.is_empty()
                    && *until_ms > now
                    && slots.iter().all(|slot| self.may_have(*slot, *to, now));
                if fits {
                    self.offers.push((*offer, *to, slots.clone(), *until_ms));
                }
                fits
            }
            SlotDecision::Withdraw { offer } => {
                self.offers.retain(|(other, ..)| other != offer);
                true
            }
            SlotDecision::Hold { to, slot, until_ms } => {
                let fits = *until_ms > now && self.may_have(*slot, *to, now);
                if fits {
                    let kept = |line: &&mut Line| matches!(line.with, Some((_, Some(_))));
                    self.lines.iter_mut().filter(kept).for_each(|line| free(*to, line));
                    self.line(*slot).expect("it is there").with = Some((*to, Some(*until_ms)));
                }
                fits
            }
            SlotDecision::EndHold { of } => {
                let kept = |line: &&mut Line| matches!(line.with, Some((_, Some(_))));
                self.lines.iter_mut().filter(kept).for_each(|line| free(*of, line));
                true
            }
            SlotDecision::Give { to, slot } => {
                if self.state(*slot, now) == Some(SlotState::Given { to: *to }) {
                    return true;
                }
                let fits = self.may_have(*slot, *to, now);
                if fits {
                    self.lines.iter_mut().for_each(|line| free(*to, line));
                    self.offers.retain(|(_, other, ..)| other != to);
                    self.line(*slot).expect("it is there").with = Some((*to, None));
                }
                fits
            }
            SlotDecision::Release { of } => {
                self.lines.iter_mut().for_each(|line| free(*of, line));
                self.offers.retain(|(_, other, ..)| other != of);
                true
            }
            SlotDecision::Forget { before_ms } => {
                let before = (*before_ms).min(now);
                let ended = |slot: &Slot| slot.starts_ms + i64::from(slot.minutes) * MINUTE_MS < before;
                let gone: Vec<SlotId> =
                    self.lines.iter().filter(|line| ended(&line.slot)).map(|line| line.slot.id).collect();
                self.lines.retain(|line| !gone.contains(&line.slot.id));
                self.offers.iter_mut().for_each(|(.., slots, _)| slots.retain(|slot| !gone.contains(slot)));
                true
            }
        }
    }
}

fn some_decision(dice: &mut Dice, now: i64, offers: &mut u16) -> SlotDecision {
    let any = |dice: &mut Dice| SlotId::from_bytes([u8::try_from(dice.below(9)).expect("small"); 16]);
    let who = |dice: &mut Dice| thread(u8::try_from(dice.below(4)).expect("small"));
    let later = |dice: &mut Dice| now + i64::try_from(dice.below(5)).expect("small") * 20 * MINUTE_MS;
    match dice.below(26) {
        0..=4 => publish(u8::try_from(dice.below(8)).expect("small")),
        5..=6 => SlotDecision::Close { slot: any(dice) },
        7..=8 => SlotDecision::Reopen { slot: any(dice) },
        9..=11 => {
            *offers += u16::from(dice.below(8) > 0);
            let slots = (0..dice.below(4)).map(|_| any(dice)).collect();
            SlotDecision::Offer { offer: offer(*offers), to: who(dice), slots, until_ms: later(dice) }
        }
        12 => SlotDecision::Withdraw { offer: offer(u16::try_from(dice.below(8)).expect("small")) },
        13..=15 => SlotDecision::Hold { to: who(dice), slot: any(dice), until_ms: later(dice) },
        16..=20 => SlotDecision::Give { to: who(dice), slot: any(dice) },
        21..=22 => SlotDecision::Release { of: who(dice) },
        23..=24 => SlotDecision::EndHold { of: who(dice) },
        _ => SlotDecision::Forget { before_ms: later(dice) },
    }
}

#[test]
fn a_slot_is_in_one_state_and_never_two_peoples_over_ten_thousand_histories() {
    println!("seed {SEED:#x}");
    let mut dice = Dice::new(SEED);
    let (mut taken, mut refused) = (0, 0);
    for history in 0..10_000 {
        let (mut table, mut sheet) = (SlotTable::default(), Sheet::default());
        let (mut log, mut now, mut offers) = (Vec::new(), 8 * HOUR_MS, 0);
        for _ in 0..32 {
            // Now and then the clock is put back, and seldom it runs hours ahead for one decision.
            now += i64::try_from(dice.below(24)).expect("small") * MINUTE_MS - 4 * MINUTE_MS;
            let at = if dice.below(32) == 0 { now + 6 * HOUR_MS } else { now };
            let decision = some_decision(&mut dice, now, &mut offers);
            let before = table.clone();
            let answer = table.apply(&decision, at);
            assert_eq!(answer.is_ok(), sheet.apply(&decision, at), "{history}: {decision:?} {answer:?}");
            if answer.is_err() {
                refused += 1;
                assert_eq!(before, table, "a refusal changes nothing");
            } else {
                taken += 1;
                log.push((decision, at));
            }
            let mut holders = BTreeMap::new();
            for n in 0..9 {
                let id = SlotId::from_bytes([n; 16]);
                let state = table.state(id, now);
                assert_eq!(state, sheet.state(id, now), "{history}: both say the same of slot {n}");
                if let Some(SlotState::Given { to }) = state {
                    assert_eq!(holders.insert(to, id), None, "{history}: one slot for each");
                    assert_eq!(table.given_to(to), Some(id), "{history}: by the slot and by its holder");
                }
            }
            assert_eq!(holders.len(), table.given.len(), "{history}: nobody has what is not there");
            assert_eq!(table.len(), sheet.lines.len(), "{history}: none is lost and none is made");
        }
        let mut again = SlotTable::default();
        for (decision, at) in &log {
            assert_eq!(again.apply(decision, *at), Ok(()), "{history}: what was taken is taken again");
        }
        assert_eq!(again, table, "{history}: the decisions that were taken make the same table");
    }
    assert!(taken > 50_000 && refused > 50_000, "both happen often: {taken} taken, {refused} refused");
}

#[test]
fn a_yes_after_the_time_of_its_offer_has_the_slot_unless_somebody_else_does() {
    let [ani, budi] = [thread(1), thread(2)];
    let offer = SlotDecision::Offer {
        offer: offer(1),
        to: ani,
        slots: vec![slot(0).id, slot(1).id],
        until_ms: 2 * HOUR_MS,
    };
    let mut table = table(4);
    table.apply(&offer, HOUR_MS).expect("it is free");
    assert!(
        matches!(table.state(slot(0).id, HOUR_MS), Some(SlotState::Offered(to)) if to.len() == 1),
        "asked"
    );
    assert_eq!(table.free(HOUR_MS).len(), 1, "what somebody is being asked about is not offered to all");
    table.apply(&SlotDecision::Give { to: budi, slot: slot(0).id }, HOUR_MS).expect("kept for nobody");
    assert_eq!(
        table.state(slot(1).id, 3 * HOUR_MS),
        Some(SlotState::Free),
        "the offer has ended by its time alone"
    );
    let give = |slot: &Slot| SlotDecision::Give { to: ani, slot: slot.id };
    assert_eq!(
        table.apply(&give(&slot(0)), 3 * HOUR_MS),
        Err(SlotRefusal::Taken(slot(0).id)),
        "somebody was first"
    );
    assert_eq!(table.apply(&give(&slot(1)), 3 * HOUR_MS), Ok(()), "late, and free");
}

#[test]
fn what_is_kept_for_one_is_given_to_nobody_else_until_its_time() {
    let [ani, budi] = [thread(1), thread(2)];
    let id = slot(0).id;
    let mut table = table(2);
    let hold = |to, until_ms| SlotDecision::Hold { to, slot: id, until_ms };
    table.apply(&hold(ani, 2 * HOUR_MS), HOUR_MS).expect("it is free");
    let give = SlotDecision::Give { to: budi, slot: id };
    assert_eq!(table.apply(&give, 2 * HOUR_MS - 1), Err(SlotRefusal::Taken(id)), "the last moment");
    assert_eq!(
        table.apply(&SlotDecision::Close { slot: id }, HOUR_MS),
        Err(SlotRefusal::Taken(id)),
        "nobody closes it under her"
    );
    assert_eq!(table.apply(&give, 2 * HOUR_MS), Ok(()), "then it was free");
    assert_eq!(table.apply(&hold(ani, 9 * HOUR_MS), HOUR_MS), Err(SlotRefusal::Taken(id)), "given is given");
    assert_eq!(table.state(id, HOUR_MS), Some(SlotState::Given { to: budi }), "by a clock put back too");
}

#[test]
fn who_is_given_another_slot_leaves_the_first_one_in_the_same_moment() {
    let [ani, budi] = [thread(1), thread(2)];
    let mut table = table(4);
    let give = |to, slot: &Slot| SlotDecision::Give { to, slot: slot.id };
    table.apply(&give(ani, &slot(0)), 0).expect("free");
    table.apply(&give(budi, &slot(1)), 0).expect("free");
    let before = table.clone();
    assert_eq!(
        table.apply(&give(ani, &slot(1)), 0),
        Err(SlotRefusal::Taken(slot(1).id)),
        "it is not free to move to"
    );
    assert_eq!(table, before, "and she keeps what she had");
    table.apply(&give(ani, &slot(2)), 0).expect("free");
    assert_eq!(table.state(slot(0).id, 0), Some(SlotState::Free), "the first is free");
    assert_eq!(table.given_to(ani), Some(slot(2).id), "the other is hers");
}

#[test]
fn a_practitioner_is_not_in_two_places() {
    let mut table = table(4);
    assert_eq!(table.apply(&publish(3), 0), Err(SlotRefusal::Overlaps(slot(1).id)), "three lies over one");
    table.apply(&SlotDecision::Close { slot: slot(1).id }, 0).expect("free");
    table.apply(&publish(3), 0).expect("one is closed");
    assert_eq!(
        table.apply(&SlotDecision::Reopen { slot: slot(1).id }, 0),
        Err(SlotRefusal::Overlaps(slot(3).id)),
        "now the other way round"
    );
    let same = Slot { id: SlotId::from_bytes([78; 16]), practitioner: "Dr. Sari".into(), ..slot(0) };
    let publish = |slot: &Slot| SlotDecision::Publish { service: "internal".into(), slot: slot.clone() };
    assert_eq!(
        table.apply(&publish(&same), 0),
        Err(SlotRefusal::Overlaps(slot(0).id)),
        "she is one, however she is written"
    );
    for n in [79, 80] {
        let laboratory = Slot { id: SlotId::from_bytes([n; 16]), practitioner: String::new(), ..slot(0) };
        assert_eq!(table.apply(&publish(&laboratory), 0), Ok(()), "nobody is in no two places");
        assert_eq!(table.apply(&SlotDecision::Close { slot: laboratory.id }, 0), Ok(()), "and leaves none");
        assert_eq!(table.apply(&SlotDecision::Reopen { slot: laboratory.id }, 0), Ok(()), "nor takes one");
    }
    let long = Slot { id: SlotId::from_bytes([77; 16]), starts_ms: 0, minutes: 24 * 60, ..slot(0) };
    let publish = SlotDecision::Publish { service: "internal".into(), slot: long };
    assert_eq!(
        table.apply(&publish, 0),
        Err(SlotRefusal::Overlaps(slot(0).id)),
        "one that began long before is seen"
    );
}
