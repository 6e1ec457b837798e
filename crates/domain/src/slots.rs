//! The hospital's table of slots: which time is free, offered to whom until when, kept for somebody, or given away.
//!
//! It has one writer, the hospital's agent, and is a ledger: what it holds follows from the decisions that it took and their times
//! alone, so that the same decisions make the same table again. The decisions are what is kept; one that was refused is none, and is
//! not kept. A slot is in one [`SlotState`], and one conversation at most has it.
//!
//! | | offer | hold | give | close |
//! |---|---|---|---|---|
//! | free, or offered | offered to one more | held | given | closed: its offers fall |
//! | held for the same | it stays held, and is among what was offered | held, until the new time | given | refused |
//! | held for somebody else | refused | refused | refused | refused |
//! | given to the same | refused | refused | given: nothing changes | refused |
//! | given to somebody else | refused | refused | refused | refused |
//! | closed | refused | refused | refused | refused |
//!
//! An offer keeps nothing: whoever says yes first has the slot, as [`crate::AppointmentAct::Offer`] says. A hold keeps it, for while
//! a person or another program has to agree. Both end by their time, and nobody has to say so: the next decision that is taken finds
//! them ended, and a clock that is put back afterwards brings them not back. Nothing else outlasts the time of its decision: a clock
//! that ran ahead once closes nothing. *A yes that comes after the time of
//! its offer is still a yes* where the slot is free: to refuse it would help nobody. Where it is not, the yes is answered with *slot gone*.
//! Where an offer was withdrawn it is none, as the table of crossing acts has it. The time of an offer is the one that its act says
//! ([`SlotDecision::of_offer`]), and this table's clock alone asks for it.
//!
//! What a conversation comes to is not read here but in [`crate::Appointment`]; `answering` puts the two together.

mod answering;
mod decision;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::act::{ActKey, ThreadId};
use crate::appointment::{Slot, SlotId};
use crate::directory::{FreeSlot, MAX_LISTED};
use crate::folding::words;

pub use answering::SlotAnswer;
pub use decision::{SlotDecision, SlotRefusal};

/// Most slots of a table: a year of fifty practitioners with fifteen a day are 250,000; a table is for some weeks.
pub const MAX_SLOTS: usize = 65_536;

/// Most slots of one offer: more than a person reads.
pub const MAX_OFFERED: usize = 16;

const MINUTE_MS: i64 = 60_000;

/// In what state a slot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotState {
    /// Anybody may have it. FHIR R4 `free`.
    Free,
    /// Anybody may have it, and these were asked whether they want it. FHIR R4 `free`.
    Offered(Vec<StandingOffer>),
    /// It is kept for one. FHIR R4 `busy-tentative`.
    Held {
        /// For whom.
        to: ThreadId,
        /// Until when, ms since the epoch: from then on it is free.
        until_ms: i64,
    },
    /// It is somebody's. FHIR R4 `busy`.
    Given {
        /// Whose.
        to: ThreadId,
    },
    /// Nobody gets it. FHIR R4 `busy-unavailable`.
    Closed,
}

/// An offer whose time has not passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StandingOffer {
    /// The hospital's act that made it.
    pub offer: ActKey,
    /// Who was asked.
    pub to: ThreadId,
    /// Until when, ms since the epoch.
    pub until_ms: i64,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotTable {
    rows: BTreeMap<SlotId, TableRow>,
    /// Slots that are not closed, by practitioner and beginning: no two of one practitioner lie over each other. Names are compared
    /// without case, marks and stops. What is nobody's, a laboratory's, is not here: it may have more than one room.
    times: BTreeMap<String, BTreeMap<i64, SlotId>>,
    /// What each conversation has.
    given: BTreeMap<ThreadId, SlotId>,
    /// What is kept for each.
    held: BTreeMap<ThreadId, SlotId>,
    offers: BTreeMap<ActKey, Offered>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TableRow {
    service: String,
    slot: Slot,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Open,
    Held { to: ThreadId, until_ms: i64 },
    Given { to: ThreadId },
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Offered {
    to: ThreadId,
    slots: BTreeSet<SlotId>,
    until_ms: i64,
}

impl SlotTable {
    /// In what state a slot is at a time, ms since the epoch; `None` where it is not in the table.
    pub fn state(&self, slot: SlotId, at_ms: i64) -> Option<SlotState> {
        Some(match self.place(slot, at_ms)? {
            Place::Held { to, until_ms } => SlotState::Held { to, until_ms },
            Place::Given { to } => SlotState::Given { to },
            Place::Closed => SlotState::Closed,
            Place::Open => {
                let offers: Vec<StandingOffer> = self.offers_of(slot, at_ms).collect();
                if offers.is_empty() { SlotState::Free } else { SlotState::Offered(offers) }
            }
        })
    }

    /// A slot as it was published, with the code of its service.
    pub fn slot(&self, slot: SlotId) -> Option<(&str, &Slot)> {
        self.rows.get(&slot).map(|row| (row.service.as_str(), &row.slot))
    }

    /// Every slot, as it was published, in the order of their ids.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.rows.values().map(|row| &row.slot)
    }

    /// What a conversation has.
    pub fn given_to(&self, thread: ThreadId) -> Option<SlotId> {
        self.given.get(&thread).copied()
    }

    /// Slots that are free, offered to nobody and not begun at a time, the earliest first, and no more of them than a directory lists.
    pub fn free(&self, at_ms: i64) -> Vec<FreeSlot> {
        let standing = self.offers.values().filter(|offer| offer.until_ms > at_ms);
        let offered: BTreeSet<SlotId> = standing.flat_map(|offer| offer.slots.iter().copied()).collect();
        let free = |id: &SlotId, row: &TableRow| {
            self.place(*id, at_ms) == Some(Place::Open) && row.slot.starts_ms > at_ms && !offered.contains(id)
        };
        let mut rows: Vec<&TableRow> =
            self.rows.iter().filter(|(id, row)| free(id, row)).map(|(_, row)| row).collect();
        rows.sort_by_key(|row| (row.slot.starts_ms, row.slot.id));
        let listed = rows.into_iter().take(MAX_LISTED);
        listed.map(|row| FreeSlot { service: row.service.clone(), slot: row.slot.clone() }).collect()
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes one decision, made at `at_ms`, ms since the epoch. A table that refuses is what it was before.
    ///
    /// # Errors
    /// [`SlotRefusal`]: what stands against it.
    pub fn apply(&mut self, decision: &SlotDecision, at_ms: i64) -> Result<(), SlotRefusal> {
        match decision {
            SlotDecision::Publish { service, slot } => self.publish(service, slot)?,
            SlotDecision::Close { slot } => self.close(*slot, at_ms)?,
            SlotDecision::Reopen { slot } => self.reopen(*slot)?,
            SlotDecision::Offer { offer, to, slots, until_ms } => {
                self.offer(
                    *offer,
                    Offered { to: *to, slots: slots.iter().copied().collect(), until_ms: *until_ms },
                    at_ms,
                )?;
            }
            SlotDecision::Withdraw { offer } => {
                self.offers.remove(offer);
            }
            SlotDecision::Hold { to, slot, until_ms } => self.hold(*to, *slot, *until_ms, at_ms)?,
            SlotDecision::EndHold { of } => self.let_go(*of),
            SlotDecision::Give { to, slot } => self.give(*to, *slot, at_ms)?,
            SlotDecision::Release { of } => self.release(*of),
            SlotDecision::Forget { before_ms } => self.forget((*before_ms).min(at_ms)),
        }
        self.end(at_ms);
        Ok(())
    }

    /// Holds and offers whose time has passed are none from now on.
    fn end(&mut self, at_ms: i64) {
        let over: Vec<ThreadId> = self
            .held
            .iter()
            .filter(|(_, slot)| self.place(**slot, at_ms) == Some(Place::Open))
            .map(|(of, _)| *of)
            .collect();
        for of in over {
            self.let_go(of);
        }
        self.offers.retain(|_, offered| offered.until_ms > at_ms && !offered.slots.is_empty());
    }

    /// Where a slot is, with a hold whose time has passed read as none.
    fn place(&self, slot: SlotId, at_ms: i64) -> Option<Place> {
        self.rows.get(&slot).map(|row| match row.place {
            Place::Held { until_ms, .. } if until_ms <= at_ms => Place::Open,
            place => place,
        })
    }

    /// Who it is kept for.
    fn held_for(&self, slot: SlotId) -> Option<ThreadId> {
        match self.rows.get(&slot)?.place {
            Place::Held { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Whether a conversation has anything, or is kept for or offered to it.
    fn has_any(&self, of: ThreadId) -> bool {
        self.given.contains_key(&of)
            || self.held.contains_key(&of)
            || self.offers.values().any(|offered| offered.to == of)
    }

    fn offers_of(&self, slot: SlotId, at_ms: i64) -> impl Iterator<Item = StandingOffer> {
        self.offers
            .iter()
            .filter(move |(_, offered)| offered.until_ms > at_ms && offered.slots.contains(&slot))
            .map(|(offer, offered)| StandingOffer {
                offer: *offer,
                to: offered.to,
                until_ms: offered.until_ms,
            })
    }

    fn put(&mut self, slot: SlotId, place: Place) {
        if let Some(row) = self.rows.get_mut(&slot) {
            row.place = place;
        }
    }

    fn publish(&mut self, service: &str, slot: &Slot) -> Result<(), SlotRefusal> {
        if self.rows.contains_key(&slot.id) {
            return Err(SlotRefusal::Twice);
        }
        if slot.minutes == 0 {
            return Err(SlotRefusal::NoTime);
        }
        if self.rows.len() >= MAX_SLOTS {
            return Err(SlotRefusal::Full);
        }
        self.take_time(slot)?;
        let row = TableRow { service: service.to_owned(), slot: slot.clone(), place: Place::Open };
        self.rows.insert(slot.id, row);
        Ok(())
    }

    /// Enters a slot among its practitioner's times.
    fn take_time(&mut self, slot: &Slot) -> Result<(), SlotRefusal> {
        let ends = |slot: &Slot| slot.starts_ms.saturating_add(i64::from(slot.minutes) * MINUTE_MS);
        let Some(practitioner) = practitioner(slot) else { return Ok(()) };
        if let Some(times) = self.times.get(&practitioner) {
            let before = times.range(..=slot.starts_ms).next_back();
            let after = times.range(slot.starts_ms..).next();
            let over = |other: &SlotId| {
                self.rows
                    .get(other)
                    .is_some_and(|row| row.slot.starts_ms < ends(slot) && slot.starts_ms < ends(&row.slot))
            };
            if let Some((_, other)) = before.into_iter().chain(after).find(|(_, other)| over(other)) {
                return Err(SlotRefusal::Overlaps(*other));
            }
        }
        self.times.entry(practitioner).or_default().insert(slot.starts_ms, slot.id);
        Ok(())
    }

    fn leave_time(&mut self, slot: SlotId) {
        let Some(row) = self.rows.get(&slot) else { return };
        let Some(practitioner) = practitioner(&row.slot) else { return };
        if let Some(times) = self.times.get_mut(&practitioner) {
            if times.get(&row.slot.starts_ms) == Some(&slot) {
                times.remove(&row.slot.starts_ms);
            }
            if times.is_empty() {
                self.times.remove(&practitioner);
            }
        }
    }

    fn close(&mut self, slot: SlotId, at_ms: i64) -> Result<(), SlotRefusal> {
        match self.place(slot, at_ms).ok_or(SlotRefusal::Unknown(slot))? {
            Place::Held { .. } | Place::Given { .. } => return Err(SlotRefusal::Taken(slot)),
            Place::Closed => return Err(SlotRefusal::Closed(slot)),
            Place::Open => {}
        }
        self.held.retain(|_, held| *held != slot);
        self.offers.values_mut().for_each(|offered| {
            offered.slots.remove(&slot);
        });
        self.leave_time(slot);
        self.put(slot, Place::Closed);
        Ok(())
    }

    fn reopen(&mut self, slot: SlotId) -> Result<(), SlotRefusal> {
        let row = self.rows.get(&slot).ok_or(SlotRefusal::Unknown(slot))?;
        if row.place != Place::Closed {
            return Err(SlotRefusal::Twice);
        }
        let times = row.slot.clone();
        self.take_time(&times)?;
        self.put(slot, Place::Open);
        Ok(())
    }

    /// Whether `to` could have a slot at a time.
    fn is_open_to(&self, slot: SlotId, to: ThreadId, at_ms: i64) -> Result<(), SlotRefusal> {
        let begins = self.rows.get(&slot).ok_or(SlotRefusal::Unknown(slot))?.slot.starts_ms;
        match self.place(slot, at_ms).ok_or(SlotRefusal::Unknown(slot))? {
            Place::Closed => Err(SlotRefusal::Closed(slot)),
            Place::Given { .. } => Err(SlotRefusal::Taken(slot)),
            Place::Held { to: other, .. } if other != to => Err(SlotRefusal::Taken(slot)),
            _ if begins <= at_ms => Err(SlotRefusal::Begun(slot)),
            _ => Ok(()),
        }
    }

    fn offer(&mut self, offer: ActKey, offered: Offered, at_ms: i64) -> Result<(), SlotRefusal> {
        if self.offers.get(&offer).is_some_and(|other| other.until_ms > at_ms) {
            return Err(SlotRefusal::Twice);
        }
        if offered.slots.is_empty() || offered.slots.len() > MAX_OFFERED {
            return Err(SlotRefusal::Count);
        }
        if offered.until_ms <= at_ms {
            return Err(SlotRefusal::Past);
        }
        offered.slots.iter().try_for_each(|slot| self.is_open_to(*slot, offered.to, at_ms))?;
        self.offers.insert(offer, offered);
        Ok(())
    }

    fn hold(&mut self, to: ThreadId, slot: SlotId, until_ms: i64, at_ms: i64) -> Result<(), SlotRefusal> {
        if until_ms <= at_ms {
            return Err(SlotRefusal::Past);
        }
        self.is_open_to(slot, to, at_ms)?;
        self.let_go(to);
        self.held.retain(|_, held| *held != slot);
        self.held.insert(to, slot);
        self.put(slot, Place::Held { to, until_ms });
        Ok(())
    }

    /// Nothing is kept for a conversation any more.
    fn let_go(&mut self, of: ThreadId) {
        if let Some(slot) = self.held.remove(&of)
            && matches!(self.rows.get(&slot).map(|row| row.place), Some(Place::Held { to, .. }) if to == of)
        {
            self.put(slot, Place::Open);
        }
    }

    /// What a conversation had before is free with the same decision: it has one slot at every moment, or none.
    fn give(&mut self, to: ThreadId, slot: SlotId, at_ms: i64) -> Result<(), SlotRefusal> {
        if self.place(slot, at_ms) == Some(Place::Given { to }) {
            return Ok(());
        }
        self.is_open_to(slot, to, at_ms)?;
        self.release(to);
        self.held.retain(|_, held| *held != slot);
        self.given.insert(to, slot);
        self.put(slot, Place::Given { to });
        Ok(())
    }

    /// Whatever a conversation has, or is kept for or offered to it, is not any more.
    fn release(&mut self, of: ThreadId) {
        self.let_go(of);
        self.offers.retain(|_, offered| offered.to != of);
        if let Some(slot) = self.given.remove(&of) {
            self.put(slot, Place::Open);
        }
    }

    /// Slots that ended before this time leave the table, and with them who had them.
    fn forget(&mut self, before_ms: i64) {
        let over = |row: &TableRow| {
            row.slot.starts_ms.saturating_add(i64::from(row.slot.minutes) * MINUTE_MS) < before_ms
        };
        let gone: Vec<SlotId> =
            self.rows.iter().filter(|(_, row)| over(row)).map(|(slot, _)| *slot).collect();
        for slot in &gone {
            self.leave_time(*slot);
            self.rows.remove(slot);
        }
        let there = |slot: &SlotId| gone.binary_search(slot).is_err();
        self.given.retain(|_, slot| there(slot));
        self.held.retain(|_, slot| there(slot));
        self.offers.values_mut().for_each(|offered| offered.slots.retain(there));
    }
}

/// By what a practitioner's times are told from another's; `None` for nobody's.
fn practitioner(slot: &Slot) -> Option<String> {
    let words: Vec<String> = words(&slot.practitioner).into_iter().map(|word| word.folded).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
