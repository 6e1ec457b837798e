//! Families, a desk and the agent over a network that brings acts late and in any order: no slot comes to be two patients'.

use std::collections::BTreeMap;

use super::tests::{Dice, thread};
use super::*;
use crate::act::{Act, ActId, ActKey, Acts, Author, Role};
use crate::appointment::{Appointment, AppointmentAct as A, Wish};

const SEED: u64 = 0x6d65_6375_6d77_6f72;
const FAMILIES: usize = 3;
const SLOTS: u8 = 2;

/// Who writes in a conversation: a phone, a daughter's phone, the desk, and the agent.
const ROLES: [Role; 4] = [Role::Patient, Role::Relative, Role::Staff, Role::Agent];
const PHONE: usize = 0;
const DAUGHTER: usize = 1;
const DESK: usize = 2;
const AGENT: usize = 3;

fn slot(n: u8) -> Slot {
    Slot {
        id: SlotId::from_bytes([n; 16]),
        starts_ms: 1_000_000 + i64::from(n) * 1_800_000,
        minutes: 30,
        practitioner: "dr Sari".into(),
        location: "Clinic 3".into(),
    }
}

/// One conversation, as each of its four writers knows it.
#[derive(Default)]
struct Talk {
    all: Vec<Act<A>>,
    known: [Vec<usize>; 4],
}

impl Talk {
    fn acts(&self, of: usize) -> Acts<A> {
        Acts::new(self.known[of].iter().map(|at| self.all[*at].clone()))
    }

    fn write(&mut self, by: usize, what: A, ids: &mut u32) {
        *ids += 1;
        let mut id = [0; 16];
        // Ids settle ties: they are not to be in the order of writing.
        id[..4].copy_from_slice(&ids.wrapping_mul(0x9e37_79b9).to_be_bytes());
        let (lamport, after) = self.acts(by).next();
        let author = Author { name: "Somebody".into(), role: ROLES[by] };
        self.known[by].push(self.all.len());
        self.all.push(Act { id: ActId::from_bytes(id), author, lamport, after, at_ms: 0, what });
    }

    /// One of the acts that somebody does not know yet arrives there.
    fn deliver(&mut self, to: usize, dice: &mut Dice) -> bool {
        let missing: Vec<usize> = (0..self.all.len()).filter(|at| !self.known[to].contains(at)).collect();
        if missing.is_empty() {
            return false;
        }
        let next = missing[dice.below(missing.len())];
        // Nor do her acts get out soon.
        if self.all[next].author.role != Role::Relative || dice.below(4) == 0 {
            self.known[to].push(next);
        }
        true
    }
}

struct World {
    dice: Dice,
    talks: Vec<Talk>,
    table: SlotTable,
    ids: u32,
    now: i64,
    booked: usize,
    gone: usize,
    called_off: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut table = SlotTable::default();
        for n in 0..SLOTS {
            let publish = SlotDecision::Publish { service: "internal".into(), slot: slot(n) };
            table.apply(&publish, 0).expect("it is free");
        }
        let talks = (0..FAMILIES).map(|_| Talk::default()).collect();
        Self { dice: Dice::new(seed), talks, table, ids: 0, now: 0, booked: 0, gone: 0, called_off: 0 }
    }

    fn wish(&mut self) -> Wish {
        let slots = (0..=self.dice.below(2)).map(|_| self.some_slot()).collect();
        Wish { slots, words: String::new() }
    }

    fn some_slot(&mut self) -> Slot {
        slot(u8::try_from(self.dice.below(usize::from(SLOTS))).expect("small"))
    }

    /// Somebody says something that fits what they know, or something that does not.
    fn say(&mut self, talk: usize, by: usize) {
        let known = self.talks[talk].acts(by);
        let keys = |of: fn(&A) -> bool| -> Vec<(ActKey, A)> {
            let found = known.iter().filter(|(_, act)| of(&act.what));
            found.map(|(_, act)| (act.key(), act.what.clone())).collect()
        };
        let offers = keys(|what| matches!(what, A::Offer { .. }));
        let wishes =
            keys(|what| matches!(what, A::Ask { .. } | A::Move { .. } | A::Refuse { .. } | A::Accept { .. }));
        let reason = String::new();
        let (some_offer, some_wish) = (self.pick(&offers), self.pick(&wishes));
        let what = if ROLES[by].side() == crate::Side::Patient {
            match (self.dice.below(8), some_offer) {
                _ if known.iter().next().is_none() => {
                    A::Ask { service: "internal".into(), wish: self.wish(), reason }
                }
                (0..=3, Some((offer, A::Offer { slots, .. }))) => {
                    A::Accept { offer, slot: slots[self.dice.below(slots.len())].id }
                }
                (4, Some((offer, _))) => A::Refuse { offer, wish: self.wish() },
                (5, _) => A::CheckIn,
                (6, _) => A::Move { wish: self.wish(), reason },
                (7, _) => A::Cancel { reason },
                _ => return,
            }
        } else {
            match (self.dice.below(12), some_offer, some_wish) {
                (0..=3, ..) => A::Offer { slots: self.wish().slots, note: reason },
                (4..=7, _, Some((answers, A::Ask { wish, .. } | A::Move { wish, .. }))) => {
                    A::Confirm { answers, slot: wish.slots[0].clone() }
                }
                (4..=7, _, Some((answers, A::Accept { slot: taken, .. }))) => {
                    A::Confirm { answers, slot: slot(taken.as_bytes()[0]) }
                }
                (8, Some((offer, _)), _) => A::Withdraw { offer, reason },
                (9, ..) => A::CallOff { reason },
                (10, ..) => A::Missed,
                (11, ..) => A::Decline { reason },
                _ => return,
            }
        };
        self.talks[talk].write(by, what, &mut self.ids);
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.dice.below(of.len())].clone())
    }

    /// The agent looks at a conversation. `dies` is between the table and the words.
    fn answer(&mut self, talk: usize, dies: bool) {
        let acts = self.talks[talk].acts(AGENT);
        let said = self.table.answer(thread_of(talk), &acts, self.now);
        if dies {
            return;
        }
        for what in said {
            self.booked += usize::from(matches!(what, A::Book { .. }));
            self.gone += usize::from(matches!(what, A::SlotGone { .. }));
            self.called_off += usize::from(matches!(what, A::CallOff { .. }));
            self.talks[talk].write(AGENT, what, &mut self.ids);
        }
        let acts = self.talks[talk].acts(AGENT);
        let before = self.table.clone();
        assert_eq!(self.table.answer(thread_of(talk), &acts, self.now), [], "nothing more to say");
        assert_eq!(self.table, before, "and nothing more to do");
    }

    /// No slot is two patients', as somebody sees it who knows what `of` know in each conversation.
    fn check(&self, of: usize, exact: bool) {
        let mut holders = BTreeMap::new();
        for (talk, acts) in self.talks.iter().map(|talk| talk.acts(of)).enumerate() {
            let booked = Appointment::of(&acts).booked.map(|slot| slot.id);
            if let Some(slot) = booked {
                assert_eq!(holders.insert(slot, talk), None, "one patient for each slot");
                assert_eq!(self.table.given_to(thread_of(talk)), Some(slot), "and the table says so");
            }
            if exact && booked.is_none() {
                let given = self.table.given_to(thread_of(talk));
                let missed = acts.iter().any(|(_, act)| act.what == A::Missed);
                assert!(given.is_none() || missed, "what nobody has is free, unless it was missed");
            }
        }
    }

    fn run(&mut self) {
        for _ in 0..200 {
            self.now += 1_000;
            let (talk, who) = (self.dice.below(FAMILIES), self.dice.below(4));
            match self.dice.below(4) {
                0 if who != AGENT => self.say(talk, who),
                // The daughter's phone is seldom in the net.
                _ if who == DAUGHTER && self.dice.below(4) > 0 => {}
                _ => {
                    self.talks[talk].deliver(who, &mut self.dice);
                }
            }
            if who == AGENT {
                // Before it has answered as well: nothing that arrives brings a booking back whose slot is somebody else's.
                self.check(AGENT, false);
                if self.dice.below(8) == 0 {
                    self.answer(talk, true);
                    let other = self.dice.below(FAMILIES);
                    self.talks[other].deliver(AGENT, &mut self.dice);
                    (0..FAMILIES).for_each(|talk| self.answer(talk, false));
                }
                self.answer(talk, false);
                self.check(AGENT, false);
            }
        }
        // Everything arrives, the agent says its last, and that arrives as well.
        loop {
            let mut any = false;
            for talk in 0..FAMILIES {
                while self.talks[talk].deliver(AGENT, &mut self.dice) {
                    any = true;
                }
                self.answer(talk, false);
            }
            for talk in 0..FAMILIES {
                for who in 0..AGENT {
                    while self.talks[talk].deliver(who, &mut self.dice) {
                        any = true;
                    }
                }
            }
            if !any {
                break;
            }
        }
        (0..4).for_each(|who| self.check(who, true));
    }
}

fn thread_of(talk: usize) -> ThreadId {
    thread(u8::try_from(talk).expect("small"))
}

#[test]
fn two_patients_never_have_one_slot_in_whatever_order_acts_arrive() {
    println!("seed {SEED:#x}");
    let (mut booked, mut gone, mut called_off) = (0, 0, 0);
    for story in 0..2_000 {
        let mut world = World::new(SEED + story);
        world.run();
        booked += world.booked;
        gone += world.gone;
        called_off += world.called_off;
    }
    println!("{booked} booked, {gone} gone, {called_off} called off");
    assert!(booked > 1_000 && gone > 500 && called_off > 500, "each happens often");
}

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
    world.talks[0].write(DESK, A::Offer { slots: vec![slot(1)], note: String::new() }, &mut world.ids);
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
    world.check(AGENT, true);
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
