//! The acts of an appointment read as one, with what was overtaken taken out.

use std::collections::BTreeMap;

use super::{Appointment, AppointmentAct, Overtaken, Phase, crossing};
use crate::act::{Act, ActKey, Acts, Side};

/// The acts with what was overtaken taken out.
pub(super) struct Reading<'a> {
    acts: &'a Acts<AppointmentAct>,
    void: BTreeMap<usize, usize>,
    foreign: Vec<usize>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(acts: &'a Acts<AppointmentAct>) -> Self {
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

    pub(super) fn appointment(&self) -> Appointment {
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

/// Whether a booking is of a slot that the patient asked for or took. Of anything else nobody is booked: that is an offer.
pub(crate) fn was_wanted(acts: &Acts<AppointmentAct>, what: &AppointmentAct) -> bool {
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
