//! What the agent says in a conversation about an appointment, and decides about slots by it.
//!
//! The agent hears of a cancel before it can know whether another phone of the family kept the appointment, unknowing of it: then the
//! cancel does not count ([`crate::stands`]), and what was booked is booked. So it frees no slot by a cancel alone. It says *called
//! off* after it, and nothing that comes later brings that booking back. What was missed stays given: its time is over, and a check-in
//! that comes late makes it theirs after all.

use super::{SlotDecision, SlotRefusal, SlotTable};
use crate::act::{ActKey, Acts, ThreadId};
use crate::appointment::{Appointment, AppointmentAct, Reading, Slot, SlotId, slot_of, was_wanted};

/// What follows from the acts of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotAnswer {
    /// What was decided about slots, in order. The table has taken it, and nothing else was changed in it.
    pub decisions: Vec<SlotDecision>,
    /// What the agent writes in the conversation, in order.
    pub says: Vec<AppointmentAct>,
}

impl SlotTable {
    /// Decides what follows from these acts at `at_ms`, ms since the epoch. Once the words are among the acts there is nothing more to
    /// say. Decisions and words are to be kept together, the decisions with this time. Where the program died between the two, every
    /// conversation is answered before anything else is done: the words follow then, or what was booked is called off.
    ///
    /// It puts no offers into the table: of staff's [`AppointmentAct::Offer`] the decision is [`SlotDecision::of_offer`], to be taken when
    /// it is heard of. A yes is answered whether or not the table has its offer, and whatever the time of that is.
    /// A slot that has begun is said to be gone, and that is not taken back: an agent whose clock is hours away from its server's asks
    /// for nothing here until somebody has put it right.
    pub fn answer(&mut self, thread: ThreadId, acts: &Acts<AppointmentAct>, at_ms: i64) -> SlotAnswer {
        let reading = Reading::new(acts);
        let talk = Talk { acts, appointment: reading.appointment(), reading };
        let mut ledger = Ledger { table: self, thread, at_ms, decisions: Vec::new() };
        for offer in talk.offers_over() {
            ledger.withdraw(offer);
        }
        let cancelled = talk.is_cancelled();
        let wanted = if cancelled { Vec::new() } else { talk.wanted() };
        let mut says = Vec::new();
        let call_off = if cancelled {
            ledger.release();
            talk.last_booking().is_some_and(|booking| !talk.is_called_off(booking))
        } else {
            !ledger.agree(&talk, &wanted)
        };
        if call_off {
            ledger.release();
            says.push(AppointmentAct::CallOff { reason: String::new() });
            // A booking that cannot be kept: it is said why, and somebody has to find another time.
            if let Some((answers, slot)) = talk.booked().filter(|_| !cancelled) {
                says.push(AppointmentAct::SlotGone { answers, slot });
            }
        }
        for (answers, slot) in wanted {
            if ledger.give(&slot).is_ok() {
                // Where it was given before the program died, what was offered since is settled by these words too.
                talk.appointment.offers.iter().for_each(|offer| ledger.withdraw(*offer));
                says.push(AppointmentAct::Book { answers, slot });
                break;
            }
            says.push(AppointmentAct::SlotGone { answers, slot: slot.id });
        }
        SlotAnswer { decisions: ledger.decisions, says }
    }
}

/// The table with what is decided in it: every change goes through [`SlotTable::apply`], and what changes nothing is no decision.
struct Ledger<'a> {
    table: &'a mut SlotTable,
    thread: ThreadId,
    at_ms: i64,
    decisions: Vec<SlotDecision>,
}

impl Ledger<'_> {
    fn take(&mut self, decision: SlotDecision) -> Result<(), SlotRefusal> {
        self.table.apply(&decision, self.at_ms)?;
        self.decisions.push(decision);
        Ok(())
    }

    fn withdraw(&mut self, offer: ActKey) {
        if self.table.offers.contains_key(&offer) {
            // Neither this nor a release is ever refused.
            let _ = self.take(SlotDecision::Withdraw { offer });
        }
    }

    fn release(&mut self) {
        if self.table.has_any(self.thread) {
            let _ = self.take(SlotDecision::Release { of: self.thread });
        }
    }

    fn has(&self, slot: &Slot) -> bool {
        self.table.given_to(self.thread) == Some(slot.id) && self.is_published(slot)
    }

    /// A time that was published anew under the same id is not the one that was meant.
    fn is_published(&self, slot: &Slot) -> bool {
        self.table.slot(slot.id).is_some_and(|(_, published)| published == slot)
    }

    fn give(&mut self, slot: &Slot) -> Result<(), SlotRefusal> {
        if !self.is_published(slot) {
            return Err(SlotRefusal::Unknown(slot.id));
        }
        if self.has(slot) {
            return Ok(());
        }
        self.take(SlotDecision::Give { to: self.thread, slot: slot.id })
    }

    /// Makes the table agree with what was said: `false` where it cannot, and what stands as booked has to be called off.
    fn agree(&mut self, talk: &Talk<'_>, wanted: &[(ActKey, Slot)]) -> bool {
        let given = self.table.given_to(self.thread);
        match (given, talk.appointment.booked.clone()) {
            (Some(_), Some(booked)) if self.has(&booked) => true,
            // It was given, and the program died before the words were written: they follow now.
            (Some(slot), _) if wanted.iter().any(|(_, wanted)| wanted.id == slot) => true,
            (Some(slot), None) => {
                let given = self.table.slot(slot).map(|(_, slot)| slot.clone());
                let booking = given.and_then(|given| talk.booking_of(&given));
                if booking.is_none_or(|booking| talk.is_called_off(booking)) {
                    self.release();
                }
                true
            }
            (_, Some(booked)) => {
                // What was said to be somebody's is more than what is only kept for somebody else.
                if let Some(other) = self.table.held_for(booked.id).filter(|_| self.is_published(&booked))
                    && other != self.thread
                {
                    let _ = self.take(SlotDecision::EndHold { of: other });
                }
                !matches!(self.give(&booked), Err(SlotRefusal::Taken(_) | SlotRefusal::Closed(_)))
            }
            (None, None) => true,
        }
    }
}

/// The acts of one conversation, with what they come to.
struct Talk<'a> {
    acts: &'a Acts<AppointmentAct>,
    reading: Reading<'a>,
    appointment: Appointment,
}

impl Talk<'_> {
    fn is_cancelled(&self) -> bool {
        self.reading.standing().any(|(_, what)| matches!(what, AppointmentAct::Cancel { .. }))
    }

    fn is_called_off(&self, booking: usize) -> bool {
        self.reading.followed(|what| matches!(what, AppointmentAct::CallOff { .. })).contains(booking)
    }

    /// The places of all bookings that were said, the newest first: one that a cancel has overtaken is said too.
    fn bookings(&self) -> impl Iterator<Item = (usize, &Slot)> {
        self.reading.said().rev().filter_map(|(place, what)| match what {
            AppointmentAct::Book { slot, .. } => Some((place, slot)),
            _ => None,
        })
    }

    /// The booking that counts, and what it answers.
    fn booked(&self) -> Option<(ActKey, SlotId)> {
        self.reading.standing().rev().find_map(|(_, what)| match what {
            AppointmentAct::Book { answers, slot } => Some((*answers, slot.id)),
            _ => None,
        })
    }

    fn last_booking(&self) -> Option<usize> {
        self.bookings().next().map(|(place, _)| place)
    }

    fn booking_of(&self, slot: &Slot) -> Option<usize> {
        self.bookings().find(|(_, booked)| *booked == slot).map(|(place, _)| place)
    }

    /// Offers that nobody can say yes to any more.
    fn offers_over(&self) -> Vec<ActKey> {
        let offers = self.acts.iter().filter(|(_, act)| matches!(act.what, AppointmentAct::Offer { .. }));
        offers.map(|(_, act)| act.key()).filter(|key| !self.appointment.offers.contains(key)).collect()
    }

    /// What the agent has to book or to call gone: the patient's yeses first, then what staff confirmed, the newest first.
    fn wanted(&self) -> Vec<(ActKey, Slot)> {
        let yes = self.reading.yeses().into_iter().rev();
        let yes = yes.filter_map(|place| Some((self.reading.key(place)?, self.accepted_slot(place)?)));
        let mut wanted: Vec<(ActKey, Slot)> = Vec::new();
        for (answers, slot) in yes.chain(self.confirmed()) {
            let book = AppointmentAct::Book { answers, slot: slot.clone() };
            let wants = (answers, slot);
            if was_wanted(self.acts, &book) && !wanted.contains(&wants) {
                wanted.push(wants);
            }
        }
        wanted
    }

    fn accepted_slot(&self, yes: usize) -> Option<Slot> {
        let AppointmentAct::Accept { offer, slot } = self.acts.get(yes)?.what else { return None };
        slot_of(self.acts, offer, slot).cloned()
    }

    /// What staff confirmed and nothing has answered: no booking, no word that this slot is gone, no giving up. A move that was said in
    /// knowledge of it asks for something else. A booking of the same wish answers it too, unless staff knew of that booking: of two
    /// confirms that cross one is booked.
    fn confirmed(&self) -> Vec<(ActKey, Slot)> {
        use AppointmentAct as A;
        let over = self.reading.followed(|what| {
            matches!(what, A::Book { .. } | A::Decline { .. } | A::CallOff { .. } | A::Move { .. })
        });
        let standing = || self.reading.standing();
        let is_gone = |place: usize, of: &ActKey, slot: &Slot| {
            standing().any(|(later, what)| {
                matches!(what, A::SlotGone { answers, slot: gone } if answers == of && *gone == slot.id)
                    && self.acts.knew(later, place)
            })
        };
        let is_booked = |place: usize, of: &ActKey| {
            standing().any(|(booking, what)| {
                matches!(what, A::Book { answers, .. } if answers == of) && !self.acts.knew(place, booking)
            })
        };
        let open = standing().rev().filter_map(|(place, what)| match what {
            A::Confirm { answers, slot } if !over.contains(place) => Some((place, answers, slot)),
            _ => None,
        });
        let open = open.filter(|(place, of, slot)| !is_gone(*place, of, slot) && !is_booked(*place, of));
        open.map(|(_, answers, slot)| (*answers, slot.clone())).collect()
    }
}
