//! The acts of an appointment read as one, with what was overtaken taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Appointment, AppointmentAct, Overtaken, Phase, Slot, SlotId, crossing};
use crate::act::{Act, ActKey, Acts, Places, Side};

/// The acts with what was overtaken taken out.
pub(crate) struct Reading<'a> {
    acts: &'a Acts<AppointmentAct>,
    void: BTreeMap<usize, usize>,
    foreign: Places,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(acts: &'a Acts<AppointmentAct>) -> Self {
        let mine = |act: &Act<AppointmentAct>| act.what.may(act.author.role) && was_wanted(acts, &act.what);
        let foreign: Places = acts.iter().filter(|(_, act)| !mine(act)).map(|(place, _)| place).collect();
        let void = crossing::overtaken(acts, &foreign);
        Self { acts, void, foreign }
    }

    /// Acts that count, in their order.
    pub(crate) fn standing(&self) -> impl DoubleEndedIterator<Item = (usize, &'a AppointmentAct)> {
        self.said().filter(|(place, _)| !self.void.contains_key(place))
    }

    /// Acts of who may do them, in their order: those that were overtaken too.
    pub(crate) fn said(&self) -> impl DoubleEndedIterator<Item = (usize, &'a AppointmentAct)> {
        let said = |place: &usize| !self.foreign.contains(*place);
        self.acts.iter().filter(move |(place, _)| said(place)).map(|(place, act)| (place, &act.what))
    }

    fn last(&self, of: impl Fn(&AppointmentAct) -> bool) -> Option<usize> {
        self.standing().rev().find(|(_, what)| of(what)).map(|(place, _)| place)
    }

    /// What somebody knew of who wrote an act that counts and is of this kind.
    pub(crate) fn followed(&self, by: impl Fn(&AppointmentAct) -> bool) -> Places {
        self.acts.known_to(self.standing().filter(|(_, what)| by(what)).map(|(place, _)| place))
    }

    pub(crate) fn key(&self, place: usize) -> Option<ActKey> {
        self.acts.get(place).map(Act::key)
    }

    pub(crate) fn appointment(&self) -> Appointment {
        use AppointmentAct as A;
        let cancelled = self.last(|what| matches!(what, A::Cancel { .. }));
        let over = self.followed(|what| matches!(what, A::CallOff { .. } | A::Missed));
        let booked = self
            .last(|what| matches!(what, A::Book { .. }))
            .filter(|place| cancelled.is_none() && !over.contains(*place));
        let (wish, accepted, offers) = match cancelled {
            Some(_) => (None, None, Vec::new()),
            None => (self.open_wish(), self.yeses().pop(), self.open_offers()),
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
            foreign: self
                .acts
                .iter()
                .filter(|(place, _)| self.foreign.contains(*place))
                .map(|(_, act)| act.key())
                .collect(),
        }
    }

    /// Where it has got to by what somebody saw happen, or by a cancel. What was seen before another booking is of that one, and past.
    fn happened(&self, cancelled: bool, booked: bool, open: bool) -> Option<Phase> {
        use AppointmentAct as A;
        let before = self.followed(|what| matches!(what, A::Book { .. }));
        let seen = |of: fn(&A) -> bool| self.last(of).is_some_and(|place| !before.contains(place));
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
    /// booked answers no wish, and a booking that the agent has found that it cannot keep answers none either.
    fn open_wish(&self) -> Option<usize> {
        use AppointmentAct as A;
        let given_up = |booking: usize, what: &A| {
            let A::Book { answers, slot } = what else { return false };
            self.standing().any(|(later, what)| {
                matches!(what, A::SlotGone { answers: of, slot: gone } if of == answers && *gone == slot.id)
                    && self.acts.knew(later, booking)
            })
        };
        let answers = |(place, what): &(usize, &A)| match what {
            A::Decline { .. } => true,
            A::Book { .. } => !given_up(*place, what),
            _ => false,
        };
        let answered = self.acts.known_to(self.standing().filter(answers).map(|(place, _)| place));
        let wishes = |what: &A| matches!(what, A::Ask { .. } | A::Move { .. } | A::Refuse { .. });
        self.standing()
            .rev()
            .find(|(place, what)| wishes(what) && !answered.contains(*place))
            .map(|(place, _)| place)
    }

    /// The yeses that stand and nobody has booked or found gone, in their order. A yes is to an offer of the hospital's, of one of its
    /// slots, that was not over as far as its author knew.
    pub(crate) fn yeses(&self) -> Vec<usize> {
        use AppointmentAct as A;
        let over = self.followed(|what| {
            matches!(
                what,
                A::Book { .. } | A::Decline { .. } | A::CallOff { .. } | A::Move { .. } | A::Refuse { .. }
            )
        });
        let ends: Vec<usize> = self
            .standing()
            .filter(|(_, what)| matches!(what, A::Decline { .. } | A::CallOff { .. }))
            .map(|(place, _)| place)
            .collect();
        let gone: BTreeSet<ActKey> = self
            .standing()
            .filter_map(|(_, what)| match what {
                A::SlotGone { answers, .. } => Some(*answers),
                _ => None,
            })
            .collect();
        let withdrawn = self.withdrawn();
        let stands = |place: usize, what: &A| match what {
            A::Accept { offer, slot } => {
                let offered = slot_of(self.acts, *offer, *slot).and(self.acts.place(*offer));
                let was_over = |offered: usize| {
                    ends.iter().any(|end| self.acts.knew(*end, offered) && self.acts.knew(place, *end))
                };
                offered.is_some_and(|offered| !was_over(offered))
                    && !withdrawn.contains(offer)
                    && !over.contains(place)
                    && self.key(place).is_some_and(|key| !gone.contains(&key))
            }
            _ => false,
        };
        self.standing().filter(|(place, what)| stands(*place, what)).map(|(place, _)| place).collect()
    }

    fn withdrawn(&self) -> BTreeSet<ActKey> {
        let offer = |what: &AppointmentAct| match what {
            AppointmentAct::Withdraw { offer, .. } => Some(*offer),
            _ => None,
        };
        self.standing().filter_map(|(_, what)| offer(what)).collect()
    }

    /// Offers that were neither withdrawn nor refused, and that nothing later has settled.
    fn open_offers(&self) -> Vec<usize> {
        use AppointmentAct as A;
        let refused = self.standing().filter_map(|(_, what)| match what {
            A::Refuse { offer, .. } => Some(*offer),
            _ => None,
        });
        let over: BTreeSet<ActKey> = refused.chain(self.withdrawn()).collect();
        let settled =
            self.followed(|what| matches!(what, A::Book { .. } | A::Decline { .. } | A::CallOff { .. }));
        let open = |place: &usize| {
            !settled.contains(*place) && self.key(*place).is_some_and(|key| !over.contains(&key))
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

/// A slot of an offer of the hospital's. What a patient writes as an offer is none.
pub(crate) fn slot_of(acts: &Acts<AppointmentAct>, offer: ActKey, slot: SlotId) -> Option<&Slot> {
    let place = acts.place(offer).filter(|_| offer.side == Side::Hospital)?;
    let AppointmentAct::Offer { slots, .. } = &acts.get(place)?.what else { return None };
    slots.iter().find(|offered| offered.id == slot)
}

/// Whether a booking is of a slot that the patient asked for or took. Of anything else nobody is booked: that is an offer. Each side is
/// asked only what it has said itself: neither a wish that the hospital writes counts, nor an offer that the patient does.
pub(crate) fn was_wanted(acts: &Acts<AppointmentAct>, what: &AppointmentAct) -> bool {
    use AppointmentAct as A;
    let A::Book { answers, slot } = what else { return true };
    let place = acts.place(*answers).filter(|_| answers.side == Side::Patient);
    match place.and_then(|place| acts.get(place)).map(|act| &act.what) {
        Some(A::Ask { wish, .. } | A::Move { wish, .. } | A::Refuse { wish, .. }) => {
            wish.slots.contains(slot)
        }
        Some(A::Accept { offer, slot: taken }) => {
            *taken == slot.id && slot_of(acts, *offer, *taken) == Some(slot)
        }
        _ => false,
    }
}
