//! Conversations with a hospital: who is on which side of a space, and what says so.
//!
//! Sides come from the space's label and from nothing that changes: every device of every member comes to the same. This module knows no
//! screen and no mailbox.

mod acting;
mod documents;
pub(crate) mod owing;
pub(crate) mod queue;
mod saying;
mod seeing;
mod talks;

use mecum_domain::{ActId, HospitalId, Role, Side};
use mecum_seal::{AccountId, DeviceId, SpaceId, sha256_parts};
use mecum_sync::Follower;
use minicbor::{Decode, Encode};

use crate::space::SpaceState;

pub(crate) use acting::{FoundAct, acts_of};
pub(crate) use documents::{OfSide, may_open, new_document, side_of_document};
pub use saying::{After, OwnRow};
pub use seeing::SeenBy;
pub(crate) use talks::talks_of;
pub use talks::{CareMark, CareSpace, CareTalk, TalkActs};

/// Most accounts of a hospital in one space.
const MAX_MEMBERS: usize = 8;

/// In what part an account of a hospital acts: stable codes, never reused.
const PART_STAFF: u8 = 1;
const PART_AGENT: u8 = 2;

/// What the label of a space says of the hospital that it is shared with: which one, and which accounts are its own. Whoever else is in
/// the space is on the patient's side.
///
/// Layout: CBOR `[hospital (bytes, 16), [[account, part], …]]`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Care {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) hospital: [u8; 16],
    /// 1 to 8 of them, ascending by account, each once.
    #[n(1)]
    pub(crate) members: Vec<CareMember>,
}

/// An account of a hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct CareMember {
    #[n(0)]
    pub(crate) account: AccountId,
    /// 1 staff, 2 the agent.
    #[n(1)]
    pub(crate) part: u8,
}

impl Care {
    /// A hospital whose only account in the space is its agent's, which does what staff does as well.
    pub(crate) fn of_agent(hospital: HospitalId, account: AccountId) -> Self {
        Self { hospital: *hospital.as_bytes(), members: vec![CareMember { account, part: PART_AGENT }] }
    }

    /// Which hospital it is.
    pub(crate) fn hospital(&self) -> HospitalId {
        HospitalId::from_bytes(self.hospital)
    }

    /// The side of an account: the hospital's if it is named, the patient's if it is anybody else.
    pub(crate) fn side_of(&self, account: AccountId) -> Side {
        let named = self.members.iter().any(|member| member.account == account);
        if named { Side::Hospital } else { Side::Patient }
    }

    /// In what part an account acts, in a space of this owner.
    pub(crate) fn role_of(&self, owner: AccountId, account: AccountId) -> Role {
        match self.members.iter().find(|member| member.account == account) {
            Some(CareMember { part: PART_AGENT, .. }) => Role::Agent,
            Some(_) => Role::Staff,
            None if account == owner => Role::Patient,
            None => Role::Relative,
        }
    }

    /// Whether it can stand in the label of a space of this owner: it names somebody, each once and in order, nobody in a part that this
    /// version does not know, and not the owner, who is the patient's side.
    pub(crate) fn is_sound(&self, owner: AccountId) -> bool {
        let ascending = self.members.is_sorted_by(|one, next| one.account < next.account);
        let known =
            |member: &CareMember| matches!(member.part, PART_STAFF | PART_AGENT) && member.account != owner;
        (1..=MAX_MEMBERS).contains(&self.members.len()) && ascending && self.members.iter().all(known)
    }
}

/// The stable code of a side in stored and sent bytes, as in an act.
pub(crate) fn code_of_side(side: Side) -> u8 {
    match side {
        Side::Patient => 1,
        Side::Hospital => 2,
    }
}

/// The side of a code; none has another one.
pub(crate) fn side_of_code(code: u8) -> Option<Side> {
    match code {
        1 => Some(Side::Patient),
        2 => Some(Side::Hospital),
        _ => None,
    }
}

/// Whether a side that was read is one, or none was said.
pub(crate) fn is_known_side(code: Option<u8>) -> bool {
    code.is_none_or(|code| side_of_code(code).is_some())
}

/// The id of the act of these bytes on a side of a space: the first 16 bytes of a hash over all three. What lies under another key is none,
/// so that nobody can write something else under the id of what was answered already, and no id of another space or side is met.
pub(crate) fn act_id(space: SpaceId, side: Side, bytes: &[u8]) -> ActId {
    let hash = sha256_parts(&[b"mecum act v1\0", space.as_bytes(), &[code_of_side(side)], bytes]);
    let mut id = [0; 16];
    id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    ActId::from_bytes(id)
}

/// Whether a device may write in a document of this side in a space: in a conversation it writes in the documents of its own side, and
/// anywhere else in those of none. A document of a side where there is no conversation has no writers, nor has one of none where there is.
///
/// Asked of a follower that has the writer's log, and of nothing that changes with it: an account keeps its devices for ever, those that
/// were removed too.
pub(crate) fn may_stand(
    follower: &Follower,
    space: &SpaceState,
    side: Option<Side>,
    device: DeviceId,
) -> bool {
    match (&space.care, side) {
        (None, None) => true,
        (Some(care), Some(side)) => {
            follower.account_of(device).is_some_and(|account| care.side_of(account) == side)
        }
        _ => false,
    }
}

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod tests;
