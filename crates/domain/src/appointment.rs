//! An appointment: what a patient asks for and a hospital answers, and what both come to.
//!
//! Its state is a function of the acts of both sides ([`Acts`]), the same on every device and in every order of arrival. Acts that cross
//! are settled by the table in [`crossing`]. What is asked for never shows as booked: only the hospital's agent books, because it alone
//! has the table of slots.

mod crossing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::act::{Act, ActKey, Acts, Role, Side};
use crate::entry::id16;
use crate::entry::{ParseIdError, parse_hex16};

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
    /// The agent: somebody else has it.
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
    /// Offers that stand.
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

    /// Whether the patient has to say something.
    pub fn waits_for_patient(&self) -> bool {
        self.contested.is_some() || (self.phase == Phase::Offered && self.accepted.is_none())
    }
}

/// Whether a booking is of a slot that the patient asked for or took. Of anything else nobody is booked: that is an offer.
fn was_wanted(acts: &Acts<AppointmentAct>, what: &AppointmentAct) -> bool {
    use AppointmentAct as A;
    let A::Book { answers, slot } = what else { return true };
    let at = |key: &ActKey| acts.place(*key).and_then(|place| acts.get(place)).map(|act| &act.what);
    match at(answers) {
        Some(A::Ask { wish, .. } | A::Move { wish, .. } | A::Refuse { wish, .. }) => {
            wish.slots.contains(slot)
        }
        Some(A::Accept { offer, slot: taken }) => {
            *taken == slot.id && matches!(at(offer), Some(A::Offer { slots, .. }) if slots.contains(slot))
        }
        _ => false,
    }
}

/// The acts with what was overtaken taken out.
struct Reading<'a> {
    acts: &'a Acts<AppointmentAct>,
    void: BTreeMap<usize, usize>,
    foreign: Vec<usize>,
}

impl<'a> Reading<'a> {
    fn new(acts: &'a Acts<AppointmentAct>) -> Self {
        let mine = |act: &Act<AppointmentAct>| act.what.may(act.author.role) && was_wanted(acts, &act.what);
        let foreign: Vec<usize> = acts.iter().filter(|(_, act)| !mine(act)).map(|(place, _)| place).collect();
        let void = crossing::overtaken(acts, &foreign);
        Self { acts, void, foreign }
    }

    /// Acts that count, in their order.
    fn standing(&self) -> impl DoubleEndedIterator<Item = (usize, &'a AppointmentAct)> {
        let stands = |place: &usize| !self.void.contains_key(place) && !self.foreign.contains(place);
        self.acts.iter().filter(move |(place, _)| stands(place)).map(|(place, act)| (place, &act.what))
    }

    fn last(&self, of: impl Fn(&AppointmentAct) -> bool) -> Option<usize> {
        self.standing().rev().find(|(_, what)| of(what)).map(|(place, _)| place)
    }

    /// Whether an act that counts, and is of this kind, was written by somebody who knew of `place`.
    fn followed(&self, place: usize, by: impl Fn(&AppointmentAct) -> bool) -> bool {
        self.standing().any(|(later, what)| by(what) && self.acts.knew(later, place))
    }

    fn key(&self, place: usize) -> Option<ActKey> {
        self.acts.get(place).map(Act::key)
    }

    fn appointment(&self) -> Appointment {
        use AppointmentAct as A;
        let cancelled = self.last(|what| matches!(what, A::Cancel { .. }));
        let over =
            |place: &usize| self.followed(*place, |what| matches!(what, A::CallOff { .. } | A::Missed));
        let booked = self
            .last(|what| matches!(what, A::Book { .. }))
            .filter(|place| cancelled.is_none() && !over(place));
        let (wish, accepted, offers) = match cancelled {
            Some(_) => (None, None, Vec::new()),
            None => (self.open_wish(), self.accepted(), self.open_offers()),
        };
        let offered = accepted.is_some() || !offers.is_empty();
        let ended = cancelled
            .or_else(|| self.last(|what| matches!(what, A::Decline { .. } | A::CallOff { .. })))
            .filter(|_| booked.is_none() && wish.is_none() && !offered);
        let unanswered = wish.is_some_and(|wish| !offers.iter().any(|offer| self.acts.knew(*offer, wish)));
        let key = |place: Option<usize>| place.and_then(|place| self.key(place));
        let overtaken =
            |(act, by): (&usize, &usize)| Some(Overtaken { act: self.key(*act)?, by: self.key(*by)? });
        let slot = |place| match self.acts.get(place).map(|act| &act.what) {
            Some(A::Book { slot, .. }) => Some(slot.clone()),
            _ => None,
        };
        let phase = self.happened(cancelled.is_some(), booked.is_some(), wish.is_some() || offered);
        Appointment {
            phase: phase.unwrap_or_else(|| self.agreed(booked.is_some(), wish.is_some(), offered, ended)),
            booked: booked.and_then(slot),
            open_wish: key(wish),
            offers: offers.into_iter().filter_map(|place| self.key(place)).collect(),
            accepted: key(accepted),
            received: key(self.last(|what| matches!(what, A::Received { .. }))),
            ended_by: key(ended),
            waits_for_hospital: accepted.is_some() || unanswered,
            contested: self.contested(),
            overtaken: self.void.iter().filter_map(overtaken).collect(),
            foreign: self.foreign.iter().filter_map(|place| self.key(*place)).collect(),
        }
    }

    /// Where it has got to by what somebody saw happen, or by a cancel. What was seen before another booking is of that one, and past.
    fn happened(&self, cancelled: bool, booked: bool, open: bool) -> Option<Phase> {
        use AppointmentAct as A;
        let seen = |of: fn(&A) -> bool| {
            self.last(of).is_some_and(|place| !self.followed(place, |what| matches!(what, A::Book { .. })))
        };
        if seen(|what| matches!(what, A::Done)) {
            Some(Phase::Done)
        } else if seen(|what| matches!(what, A::Arrived)) {
            Some(Phase::Arrived)
        } else if cancelled {
            Some(Phase::Cancelled)
        } else if seen(|what| matches!(what, A::Missed)) && !open && !booked {
            Some(Phase::Missed)
        } else if seen(|what| matches!(what, A::CheckIn)) && booked {
            Some(Phase::Arrived)
        } else {
            None
        }
    }

    /// Where it has got to by what both have said.
    fn agreed(&self, booked: bool, wish: bool, offered: bool, ended: Option<usize>) -> Phase {
        if booked {
            return if wish { Phase::Changed } else { Phase::Confirmed };
        }
        match ended.and_then(|place| self.acts.get(place)).map(|act| &act.what) {
            _ if offered => Phase::Offered,
            Some(AppointmentAct::Decline { .. }) => Phase::Declined,
            Some(_) => Phase::Cancelled,
            None => Phase::Asked,
        }
    }

    /// The newest wish that no booking and no refusal of the hospital answers: one answers what its author knew of. Calling off what is
    /// booked answers no wish.
    fn open_wish(&self) -> Option<usize> {
        use AppointmentAct as A;
        let answered =
            |place| self.followed(place, |what| matches!(what, A::Book { .. } | A::Decline { .. }));
        let wishes = |what: &A| matches!(what, A::Ask { .. } | A::Move { .. } | A::Refuse { .. });
        self.standing().rev().find(|(place, what)| wishes(what) && !answered(*place)).map(|(place, _)| place)
    }

    /// The newest yes that stands and nobody has booked or found gone.
    fn accepted(&self) -> Option<usize> {
        use AppointmentAct as A;
        let over = |place| {
            self.followed(place, |what| {
                matches!(
                    what,
                    A::Book { .. }
                        | A::SlotGone { .. }
                        | A::Decline { .. }
                        | A::CallOff { .. }
                        | A::Move { .. }
                        | A::Refuse { .. }
                )
            })
        };
        let stands = |place: usize, what: &A| match what {
            A::Accept { offer, .. } => {
                self.acts.place(*offer).is_some() && !self.withdrawn(*offer) && !over(place)
            }
            _ => false,
        };
        self.standing().rev().find(|(place, what)| stands(*place, what)).map(|(place, _)| place)
    }

    fn withdrawn(&self, of: ActKey) -> bool {
        self.standing()
            .any(|(_, what)| matches!(what, AppointmentAct::Withdraw { offer, .. } if *offer == of))
    }

    /// Offers that were neither withdrawn nor refused, and that nothing later has settled.
    fn open_offers(&self) -> Vec<usize> {
        use AppointmentAct as A;
        let refused = |of: ActKey| {
            self.standing().any(|(_, what)| matches!(what, A::Refuse { offer, .. } if *offer == of))
        };
        let open = |place: &usize| {
            let settled = self.followed(*place, |what| {
                matches!(what, A::Book { .. } | A::Decline { .. } | A::CallOff { .. })
            });
            let key = self.key(*place);
            !settled && key.is_some_and(|key| !self.withdrawn(key) && !refused(key))
        };
        let offers =
            self.standing().filter(|(_, what)| matches!(what, A::Offer { .. })).map(|(place, _)| place);
        offers.filter(open).collect()
    }

    /// The newest cancel that another device of the same side contradicts, unless somebody who knew of both said more since.
    fn contested(&self) -> Option<Overtaken> {
        let (cancel, keeps) = self.void.iter().rev().find(|(cancel, by)| {
            let side = |place: usize| self.acts.get(place).map(|act| act.author.role.side());
            side(**cancel) == Some(Side::Patient) && side(**by) == Some(Side::Patient)
        })?;
        let said = self.acts.iter().any(|(later, act)| {
            act.author.role.side() == Side::Patient
                && self.acts.knew(later, *cancel)
                && self.acts.knew(later, *keeps)
        });
        if said { None } else { Some(Overtaken { act: self.key(*cancel)?, by: self.key(*keeps)? }) }
    }
}
