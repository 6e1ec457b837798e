//! What the agent decides about slots, and why a table refuses it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::act::{Act, ActKey, ThreadId};
use crate::appointment::{AppointmentAct, Slot, SlotId};

/// One decision of the agent. Times are in ms since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotDecision {
    /// A time can be had.
    Publish {
        /// Code of the service in the directory.
        service: String,
        /// The time.
        slot: Slot,
    },
    /// A time that nobody has cannot be had any more: leave, an operation, a holiday.
    Close {
        /// Which.
        slot: SlotId,
    },
    /// A closed time can be had again.
    Reopen {
        /// Which.
        slot: SlotId,
    },
    /// Somebody is asked whether they want one of these. Nothing is kept for them.
    Offer {
        /// The hospital's act that says so.
        offer: ActKey,
        /// Who.
        to: ThreadId,
        /// Which, all or none of them.
        slots: Vec<SlotId>,
        /// Until when it stands, as the act says.
        until_ms: i64,
    },
    /// An offer does not stand any more. One that is not there, or is over, is none already.
    Withdraw {
        /// Which.
        offer: ActKey,
    },
    /// A time is kept for somebody, in place of what was kept for them before.
    Hold {
        /// For whom.
        to: ThreadId,
        /// Which.
        slot: SlotId,
        /// Until when.
        until_ms: i64,
    },
    /// Nothing is kept for somebody any more. Where nothing was, nothing changes.
    EndHold {
        /// For whom.
        of: ThreadId,
    },
    /// A time is somebody's, in place of what they had before.
    Give {
        /// Whose.
        to: ThreadId,
        /// Which.
        slot: SlotId,
    },
    /// Whatever somebody has, or is kept for or offered to them, is free again.
    Release {
        /// Whose.
        of: ThreadId,
    },
    /// Times that ended before this leave the table, and with them who had them; never later ones than the time of the decision. By
    /// a clock that runs ahead it forgets who has what is to come: it is not to be made before that clock was compared.
    Forget {
        /// Before when.
        before_ms: i64,
    },
}

impl SlotDecision {
    /// What an offer of the hospital's in a conversation is in its table: of the same slots and until the same time, so that nobody is
    /// told one and kept to another. `None` for any other act, and for an offer of whoever may make none.
    pub fn of_offer(to: ThreadId, act: &Act<AppointmentAct>) -> Option<Self> {
        let AppointmentAct::Offer { slots, until_ms, .. } = &act.what else { return None };
        let slots = slots.iter().map(|slot| slot.id).collect();
        let offer = Self::Offer { offer: act.key(), to, slots, until_ms: *until_ms };
        act.what.may(act.author.role).then_some(offer)
    }
}

/// Why a table does not take a decision. It never says who has a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SlotRefusal {
    /// It is not in the table.
    Unknown(SlotId),
    /// Somebody has it, or it is kept for somebody.
    Taken(SlotId),
    /// It is closed.
    Closed(SlotId),
    /// It has begun.
    Begun(SlotId),
    /// Its practitioner has this one at the same time.
    Overlaps(SlotId),
    /// It is there already.
    Twice,
    /// A slot of no minutes.
    NoTime,
    /// No slot in an offer, or more than [`super::MAX_OFFERED`].
    Count,
    /// A time that has passed already.
    Past,
    /// The table has [`super::MAX_SLOTS`].
    Full,
}

impl fmt::Display for SlotRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SlotRefusal::Unknown(_) => "the slot is not in the table: publish it first",
            SlotRefusal::Taken(_) => "somebody has the slot, or it is kept for somebody: choose another",
            SlotRefusal::Closed(_) => "the slot is closed: open it again, or choose another",
            SlotRefusal::Begun(_) => "the slot has begun: choose a later one",
            SlotRefusal::Overlaps(_) => "the practitioner has another slot at that time: close it first",
            SlotRefusal::Twice => "it is there already: look at the table, and give a new one another id",
            SlotRefusal::NoTime => "the slot has no minutes: say how long it is",
            SlotRefusal::Count => "an offer has one slot at least, and sixteen at most",
            SlotRefusal::Past => "the time until which it should stand has passed: choose a later one",
            SlotRefusal::Full => "the table is full: forget what is past, or publish fewer weeks",
        })
    }
}

impl std::error::Error for SlotRefusal {}
