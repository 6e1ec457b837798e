//! What the agent says in a conversation about an appointment, and does in the table by it.
//!
//! The agent hears of a cancel before it can know whether another phone of the family kept the appointment, unknowing of it: then the
//! cancel does not count ([`crate::stands`]), and what was booked is booked. So it frees no slot by a cancel alone. It says *called
//! off* after it, and nothing that comes later brings that booking back. What was missed stays given: its time is over, and a check-in
//! that comes late makes it theirs after all.

use super::{SlotDecision, SlotRefusal, SlotTable};
use crate::act::{ActKey, Acts, ThreadId};
use crate::appointment::{Appointment, AppointmentAct, Slot, SlotId, was_wanted};

impl SlotTable {
    /// Does in the table what follows from these acts, and gives what the agent writes in the conversation, in order. Once that is
    /// among the acts there is nothing more to say. Table and words are to be kept together. Where the program died between the two,
    /// every conversation is answered before anything else is done: the words follow then, or what was booked is called off.
    pub fn answer(
        &mut self,
        thread: ThreadId,
        acts: &Acts<AppointmentAct>,
        at_ms: i64,
    ) -> Vec<AppointmentAct> {
        let reading = Standing { acts, appointment: Appointment::of(acts) };
        self.pass(at_ms);
        for offer in reading.offers_over() {
            self.withdraw(offer);
        }
        let cancelled = reading.is_cancelled();
        let wanted = if cancelled { Vec::new() } else { reading.wanted() };
        let mut said = Vec::new();
        let call_off = if cancelled {
            self.release(thread);
            reading.last_booking().is_some_and(|booking| !reading.is_called_off(booking))
        } else {
            !self.agree(thread, &reading, &wanted)
        };
        if call_off {
            self.release(thread);
            said.push(AppointmentAct::CallOff { reason: String::new() });
        }
        for (answers, slot) in wanted {
            // A time that was published anew under the same id is not the one that was wanted.
            let same = self.slot(slot.id).is_some_and(|(_, published)| *published == slot);
            if same && self.apply(&SlotDecision::Give { to: thread, slot: slot.id }, at_ms).is_ok() {
                said.push(AppointmentAct::Book { answers, slot });
                break;
            }
            said.push(AppointmentAct::SlotGone { answers, slot: slot.id });
        }
        said
    }

    /// Makes the table agree with what was said: `false` where it cannot, and what stands as booked has to be called off.
    fn agree(&mut self, thread: ThreadId, reading: &Standing<'_>, wanted: &[(ActKey, Slot)]) -> bool {
        let given = self.given_to(thread);
        let booked = reading.appointment.booked.as_ref().map(|slot| slot.id);
        let unsaid = |slot: SlotId| reading.booking_of(slot).is_none();
        match (given, booked) {
            // It was given, and the program died before the words were written: they follow now.
            (Some(slot), _) if booked != given && wanted.iter().any(|(_, wanted)| wanted.id == slot) => true,
            (Some(slot), None) => {
                let over = reading.booking_of(slot).is_some_and(|booking| reading.is_called_off(booking));
                if over || unsaid(slot) {
                    self.release(thread);
                }
                true
            }
            (_, Some(slot)) if given != booked => {
                !matches!(self.give(thread, slot), Err(SlotRefusal::Taken(_) | SlotRefusal::Closed(_)))
            }
            _ => true,
        }
    }
}

/// The acts of one conversation, with what they come to.
struct Standing<'a> {
    acts: &'a Acts<AppointmentAct>,
    appointment: Appointment,
}

impl Standing<'_> {
    /// The acts that count, in their order.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, ActKey, &AppointmentAct)> {
        let counts = |key: &ActKey| {
            !self.appointment.foreign.contains(key)
                && !self.appointment.overtaken.iter().any(|overtaken| overtaken.act == *key)
        };
        self.acts
            .iter()
            .map(|(place, act)| (place, act.key(), &act.what))
            .filter(move |(_, key, _)| counts(key))
    }

    fn any_after(&self, place: usize, of: impl Fn(&AppointmentAct) -> bool) -> bool {
        self.iter().any(|(later, _, what)| of(what) && self.acts.knew(later, place))
    }

    fn is_cancelled(&self) -> bool {
        self.iter().any(|(_, _, what)| matches!(what, AppointmentAct::Cancel { .. }))
    }

    fn is_called_off(&self, booking: usize) -> bool {
        self.any_after(booking, |what| matches!(what, AppointmentAct::CallOff { .. }))
    }

    /// The places of all bookings that were said, the newest first: one that a cancel has overtaken is said too.
    fn bookings(&self) -> impl Iterator<Item = (usize, &Slot)> {
        let ours = |key: ActKey| !self.appointment.foreign.contains(&key);
        self.acts.iter().rev().filter_map(move |(place, act)| match &act.what {
            AppointmentAct::Book { slot, .. } if ours(act.key()) => Some((place, slot)),
            _ => None,
        })
    }

    fn last_booking(&self) -> Option<usize> {
        self.bookings().next().map(|(place, _)| place)
    }

    fn booking_of(&self, slot: SlotId) -> Option<usize> {
        self.bookings().find(|(_, booked)| booked.id == slot).map(|(place, _)| place)
    }

    /// Offers that nobody can say yes to any more.
    fn offers_over(&self) -> Vec<ActKey> {
        let offers = self.acts.iter().filter(|(_, act)| matches!(act.what, AppointmentAct::Offer { .. }));
        offers.map(|(_, act)| act.key()).filter(|key| !self.appointment.offers.contains(key)).collect()
    }

    /// What the agent has to book or to call gone: the patient's yes first, then what staff confirmed, the newest first.
    fn wanted(&self) -> Vec<(ActKey, Slot)> {
        let yes = self.appointment.accepted.and_then(|yes| Some((yes, self.accepted_slot(yes)?)));
        let confirmed = self.iter().rev().filter_map(|(place, _, what)| match what {
            AppointmentAct::Confirm { answers, slot } if !self.is_settled(place, *answers, slot) => {
                Some((*answers, slot.clone()))
            }
            _ => None,
        });
        let mut wanted: Vec<(ActKey, Slot)> = Vec::new();
        for (answers, slot) in yes.into_iter().chain(confirmed) {
            let book = AppointmentAct::Book { answers, slot: slot.clone() };
            let wants = (answers, slot);
            if was_wanted(self.acts, &book) && !wanted.contains(&wants) {
                wanted.push(wants);
            }
        }
        wanted
    }

    fn accepted_slot(&self, yes: ActKey) -> Option<Slot> {
        let at = |key| self.acts.place(key).and_then(|place| self.acts.get(place)).map(|act| &act.what);
        let AppointmentAct::Accept { offer, slot: taken } = at(yes)? else { return None };
        let AppointmentAct::Offer { slots, .. } = at(*offer)? else { return None };
        slots.iter().find(|slot| slot.id == *taken).cloned()
    }

    /// Whether what staff confirmed is answered: by a booking, by a word that this slot is gone, or by giving it up. A move that was
    /// said in knowledge of it asks for something else.
    fn is_settled(&self, confirm: usize, answers: ActKey, slot: &Slot) -> bool {
        use AppointmentAct as A;
        self.any_after(confirm, |what| match what {
            A::Book { .. } | A::Decline { .. } | A::CallOff { .. } | A::Move { .. } => true,
            A::SlotGone { answers: gone_for, slot: gone } => *gone_for == answers && *gone == slot.id,
            _ => false,
        })
    }
}
