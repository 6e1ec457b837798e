//! An appointment: what a patient asks for and a hospital answers, and what both come to.
//!
//! Its state is a function of the acts of both sides ([`Acts`]), the same on every device and in every order of arrival. Acts that cross
//! are settled by the table in [`crossing`]. What is asked for never shows as booked: only the hospital's agent books, because it alone
//! has the table of slots.

mod crossing;
mod reading;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::act::{ActKey, Acts, Role, Side};
use crate::entry::id16;

pub(crate) use reading::{Reading, slot_of, was_wanted};

pub use crossing::{Stands, stands};

id16! {
    /// A slot of a hospital's timetable. FHIR R4 Slot.
    SlotId
}

/// A time that can be booked. FHIR R4 Slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Its id in the hospital's timetable.
    pub id: SlotId,
    /// When it begins, ms since the epoch.
    pub starts_ms: i64,
    /// How long it is, minutes.
    pub minutes: u16,
    /// With whom, as the hospital writes it.
    pub practitioner: String,
    /// Where, as the hospital writes it.
    pub location: String,
}

/// What would suit the patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Slots that were free when the timetable was last read, the best first.
    pub slots: Vec<Slot>,
    /// In the person's own words: "mornings, not on Fridays".
    pub words: String,
}

/// What is done about an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentAct {
    /// The patient asks for one.
    Ask {
        /// Code of the service in the hospital's directory.
        service: String,
        /// What would suit.
        wish: Wish,
        /// What it is about, in the person's words.
        reason: String,
    },
    /// The patient takes a slot of an offer.
    Accept {
        /// The offer.
        offer: ActKey,
        /// Which of its slots.
        slot: SlotId,
    },
    /// Nothing of an offer suits.
    Refuse {
        /// The offer.
        offer: ActKey,
        /// Why, or what would suit.
        wish: Wish,
    },
    /// The patient wants another time. What is booked stays booked until the hospital has booked the other.
    Move {
        /// What would suit now.
        wish: Wish,
        /// Why.
        reason: String,
    },
    /// The patient does not want it any more.
    Cancel {
        /// Why; may be empty.
        reason: String,
    },
    /// The patient says that they are there.
    CheckIn,
    /// The agent: it arrived, and who answers it until when.
    Received {
        /// Named handler.
        handler: String,
        /// Until when, ms since the epoch.
        due_ms: i64,
    },
    /// Times that the hospital can give.
    Offer {
        /// They are held for nobody.
        slots: Vec<Slot>,
        /// Words with it.
        note: String,
        /// Until when it stands, ms since the epoch by the hospital's clock: then others may be asked. It is shown, and decides nothing
        /// on any device. A yes that comes later is a yes, and the hospital alone says whether the slot is still to be had.
        until_ms: i64,
    },
    /// An offer does not stand any more.
    Withdraw {
        /// The offer.
        offer: ActKey,
        /// Why.
        reason: String,
    },
    /// Staff wants a slot that the patient asked for to be booked: the agent does it, or says that it is gone.
    Confirm {
        /// The patient's ask, move or accept.
        answers: ActKey,
        /// The slot.
        slot: Slot,
    },
    /// The agent: the slot is the patient's.
    Book {
        /// The patient's ask, move or accept that wanted it.
        answers: ActKey,
        /// The slot.
        slot: Slot,
    },
    /// The agent: the slot cannot be had. Somebody else has it, or it is closed, or past, or not what it was. After a booking of it that was
    /// said and cannot be kept, what was asked for is open again.
    SlotGone {
        /// The patient's ask, move or accept that wanted it.
        answers: ActKey,
        /// The slot.
        slot: SlotId,
    },
    /// The hospital cannot do what was asked.
    Decline {
        /// Why.
        reason: String,
    },
    /// The hospital gives up what was booked.
    CallOff {
        /// Why.
        reason: String,
    },
    /// The patient was seen to be there.
    Arrived,
    /// It took place.
    Done,
    /// The patient did not come.
    Missed,
}

impl AppointmentAct {
    /// Who may do it. The agent may do what staff may.
    pub fn may(&self, role: Role) -> bool {
        match self {
            Self::Ask { .. }
            | Self::Accept { .. }
            | Self::Refuse { .. }
            | Self::Move { .. }
            | Self::Cancel { .. }
            | Self::CheckIn => role.side() == Side::Patient,
            Self::Received { .. } | Self::Book { .. } | Self::SlotGone { .. } => role == Role::Agent,
            Self::Offer { .. }
            | Self::Withdraw { .. }
            | Self::Confirm { .. }
            | Self::Decline { .. }
            | Self::CallOff { .. }
            | Self::Arrived
            | Self::Done
            | Self::Missed => role.side() == Side::Hospital,
        }
    }

    /// Whether it begins a conversation.
    pub fn begins(&self) -> bool {
        matches!(self, Self::Ask { .. })
    }

    /// Every text in it: words first, then what slots and services are called.
    pub fn texts(&self) -> Vec<&str> {
        fn of<'a>(words: &[&'a str], slots: &'a [Slot]) -> Vec<&'a str> {
            let called = slots.iter().flat_map(|slot| [slot.practitioner.as_str(), slot.location.as_str()]);
            words.iter().copied().chain(called).collect()
        }
        match self {
            Self::Ask { service, wish, reason } => {
                let mut all = of(&[reason, &wish.words], &wish.slots);
                all.push(service);
                all
            }
            Self::Move { wish, reason } => of(&[reason, &wish.words], &wish.slots),
            Self::Refuse { wish, .. } => of(&[&wish.words], &wish.slots),
            Self::Offer { slots, note, .. } => of(&[note], slots),
            Self::Confirm { slot, .. } | Self::Book { slot, .. } => of(&[], std::slice::from_ref(slot)),
            Self::Received { handler, .. } => vec![handler],
            Self::Cancel { reason }
            | Self::Withdraw { reason, .. }
            | Self::Decline { reason }
            | Self::CallOff { reason } => vec![reason],
            Self::Accept { .. }
            | Self::CheckIn
            | Self::SlotGone { .. }
            | Self::Arrived
            | Self::Done
            | Self::Missed => Vec::new(),
        }
    }
}

/// Where an appointment has got to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Asked for, not answered. FHIR R4 `proposed`.
    #[default]
    Asked,
    /// The hospital has offered times, and perhaps one was taken. FHIR R4 `pending`.
    Offered,
    /// A slot is the patient's. FHIR R4 `booked`.
    Confirmed,
    /// A slot is the patient's, and they asked for another. FHIR R4 `booked`.
    Changed,
    /// The hospital cannot do it. FHIR R4 `cancelled`.
    Declined,
    /// One side gave it up. FHIR R4 `cancelled`.
    Cancelled,
    /// The patient is there. FHIR R4 `arrived`, or `checked-in` where only the patient said so.
    Arrived,
    /// It took place. FHIR R4 `fulfilled`.
    Done,
    /// The patient did not come. FHIR R4 `noshow`.
    Missed,
}

/// An act that another one overtook: it is kept, told to both sides, and does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overtaken {
    /// The act.
    pub act: ActKey,
    /// What stands in its place.
    pub by: ActKey,
}

/// What the acts come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Where it has got to.
    pub phase: Phase,
    /// The slot that is the patient's.
    pub booked: Option<Slot>,
    /// The patient's ask or move that the hospital has yet to answer.
    pub open_wish: Option<ActKey>,
    /// Offers that nothing has settled or taken back. Whether the time of one has passed no device asks: see
    /// [`AppointmentAct::Offer`].
    pub offers: Vec<ActKey>,
    /// The patient's yes that the agent has yet to book.
    pub accepted: Option<ActKey>,
    /// The newest word of who answers until when.
    pub received: Option<ActKey>,
    /// What ended it: a decline, or a cancel of either side.
    pub ended_by: Option<ActKey>,
    /// Whether the hospital has to do something next.
    pub waits_for_hospital: bool,
    /// Two devices of the patient's side said both, neither knowing of the other: a cancel, and what keeps the appointment. It is kept
    /// until somebody says which.
    pub contested: Option<Overtaken>,
    /// Acts that were overtaken, in order.
    pub overtaken: Vec<Overtaken>,
    /// Acts of who may not do them, and bookings that nobody asked for, in order. They do nothing.
    pub foreign: Vec<ActKey>,
}

impl Appointment {
    /// What these acts come to.
    pub fn of(acts: &Acts<AppointmentAct>) -> Self {
        Reading::new(acts).appointment()
    }

    /// Who has to do something next: the patient before the hospital where both could.
    pub fn waits_for(&self) -> Option<Side> {
        match (self.waits_for_patient(), self.waits_for_hospital) {
            (true, _) => Some(Side::Patient),
            (false, true) => Some(Side::Hospital),
            (false, false) => None,
        }
    }

    /// Whether the patient has to say something.
    pub fn waits_for_patient(&self) -> bool {
        self.contested.is_some() || (self.phase == Phase::Offered && self.accepted.is_none())
    }
}
