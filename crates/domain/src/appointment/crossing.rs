//! What crosses: two acts of an appointment whose authors did not know of each other.
//!
//! | patient's act | offer | withdraw (that offer) | confirm | book | decline | call off | arrived, done | missed |
//! |---|---|---|---|---|---|---|---|---|
//! | accept | both: the yes goes to the agent | **withdrawn** | both | both | **declined** | **called off** | **it took place** | both |
//! | refuse | both | both | both | both: what is booked stays, with a wish | **declined** | **called off** | **it took place** | both |
//! | move | both | both | **the wish**: staff looks again | both: booked, with a wish | **the wish**: it is a new question | both: no slot, with a wish | **it took place** | both: a wish is open |
//! | cancel | **cancelled** | both | **cancelled** | **cancelled**: the slot is free again | both | both | **it took place** | **cancelled**: they had said so |
//! | check in | both | both | both | both | both | both: called off | both | **they were there** |
//!
//! *Asked* crosses with nothing: it is what the others answer. `received` and `slot gone` are answers of the agent about what it knew of,
//! and go with everything. *Both* means that both count, and come to the same in either order: `tests` goes through every pair.
//!
//! The *time of an offer* settles nothing here. Clocks differ, and both sides come to the same at any hour. A yes that comes after it is a
//! yes like any other: the hospital answers it out of its table, *booked* or *slot gone*, and a phone that thinks it too late takes
//! nothing back.
//!
//! Two devices of the patient's side can cross as well: then a cancel does not count beside an accept, a move or a check-in, for a lost
//! appointment does more harm than one too many, and a person is asked which it is. Staff's acts that cross stand side by side, but for
//! confirms: of two that answer the same wish, and did not know of each other, the one that the agent has heard of first is booked. The
//! other asks for nothing more, for nobody moves a patient who has been told a time and has asked for no other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AppointmentAct;
use crate::act::{Acts, Places, Side};

/// Which of two acts that cross counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// Both do, in either order.
    Both,
    /// The patient's does; the hospital's is overtaken.
    Patient,
    /// The hospital's does; the patient's is overtaken.
    Hospital,
}

/// The table: what comes of an act of the patient's side and one of the hospital's that cross.
pub fn stands(patient: &AppointmentAct, hospital: &AppointmentAct) -> Stands {
    use AppointmentAct as A;
    match (patient, hospital) {
        (A::Accept { .. } | A::Refuse { .. } | A::Move { .. } | A::Cancel { .. }, A::Arrived | A::Done)
        | (A::Accept { .. } | A::Refuse { .. }, A::Decline { .. } | A::CallOff { .. }) => Stands::Hospital,
        (A::Accept { offer, .. }, A::Withdraw { offer: withdrawn, .. }) if offer == withdrawn => {
            Stands::Hospital
        }
        (A::Cancel { .. }, A::Offer { .. } | A::Confirm { .. } | A::Book { .. } | A::Missed)
        | (A::Move { .. }, A::Confirm { .. } | A::Decline { .. })
        | (A::CheckIn, A::Missed) => Stands::Patient,
        _ => Stands::Both,
    }
}

/// In which turn an act overtakes others. What overtakes is itself looked at before: no circle can come about.
fn turn(what: &AppointmentAct) -> Option<u8> {
    use AppointmentAct as A;
    match what {
        A::Arrived | A::Done => Some(0),
        A::Cancel { .. } | A::Move { .. } | A::CheckIn => Some(1),
        A::Decline { .. } | A::CallOff { .. } | A::Withdraw { .. } => Some(2),
        _ => None,
    }
}

/// The places of all acts that were overtaken, each with the first that did it.
pub(super) fn overtaken(acts: &Acts<AppointmentAct>, foreign: &Places) -> BTreeMap<usize, usize> {
    let mut void = contested(acts, foreign);
    for now in 0..=2 {
        for (winner, act) in acts.iter().filter(|(_, act)| turn(&act.what) == Some(now)) {
            if void.contains_key(&winner) || foreign.contains(winner) {
                continue;
            }
            for (loser, other) in acts.iter() {
                let crosses = act.author.role.side() != other.author.role.side() && acts.cross(winner, loser);
                if crosses
                    && !foreign.contains(loser)
                    && overtakes(&act.what, act.author.role.side(), &other.what)
                {
                    void.entry(loser).or_insert(winner);
                }
            }
        }
    }
    void
}

fn overtakes(winner: &AppointmentAct, side: Side, loser: &AppointmentAct) -> bool {
    match side {
        Side::Patient => stands(winner, loser) == Stands::Patient,
        Side::Hospital => stands(loser, winner) == Stands::Hospital,
    }
}

/// Cancels beside which another device of the patient's side keeps the appointment.
fn contested(acts: &Acts<AppointmentAct>, foreign: &Places) -> BTreeMap<usize, usize> {
    use AppointmentAct as A;
    let counts = |place: &usize| !foreign.contains(*place);
    let cancels = acts.iter().filter(|(place, act)| counts(place) && matches!(act.what, A::Cancel { .. }));
    let keeps = |cancel: usize| {
        acts.iter()
            .filter(|(place, act)| {
                counts(place) && matches!(act.what, A::Accept { .. } | A::Move { .. } | A::CheckIn)
            })
            .find(|(place, _)| acts.cross(cancel, *place))
            .map(|(place, _)| place)
    };
    cancels.filter_map(|(place, _)| Some((place, keeps(place)?))).collect()
}
