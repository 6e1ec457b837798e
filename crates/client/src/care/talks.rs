//! The conversations of a space, each with its acts: what a program of a hospital reads to answer, and what screens show.

use std::collections::BTreeSet;

use mecum_api::MemberState;
use mecum_documents::CareAct;
use mecum_domain::{Acts, AppointmentAct, CaseAct, ChartId, HospitalId, Side, ThreadId};
use mecum_seal::{IncarnationId, SpaceId};

use super::acting::{FoundAct, acts_of, first_of};
use crate::error::SessionError;
use crate::session::Session;

/// A space of conversations between a patient and a hospital. Nothing in it was opened to say this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CareSpace {
    /// The space.
    pub space: SpaceId,
    /// The chart that it belongs to.
    pub chart: ChartId,
    /// The hospital that it is shared with.
    pub hospital: HospitalId,
    /// The side of this account.
    pub side: Side,
    /// Whether something may be said in it: both are in it, as far as is known here.
    pub open: bool,
}

/// One conversation.
#[derive(Clone, Debug)]
pub struct CareTalk {
    /// The space that it is in.
    pub space: SpaceId,
    /// The conversation.
    pub thread: ThreadId,
    /// What was said.
    pub acts: TalkActs,
}

/// The acts of a conversation, by what it is about.
#[derive(Clone, Debug)]
pub enum TalkActs {
    /// About an appointment.
    Appointment(Acts<AppointmentAct>),
    /// About a question, a request, a complaint, a correction or a message.
    Case(Acts<CaseAct>),
}

/// How far a space has come on this device: it changes whenever something in it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CareMark {
    /// The space.
    pub space: SpaceId,
    /// The last place in the server's order that was taken in.
    pub space_seq: u64,
    /// The number of this device's last envelope in it.
    pub own_seq: u64,
}

impl TalkActs {
    /// The acts of the conversation that begins with `first`.
    pub(super) fn of(found: &[FoundAct], thread: ThreadId, first: &CareAct) -> Option<Self> {
        match first {
            CareAct::Appointment(_) => Some(Self::Appointment(acts_of(found, thread, |act| match act {
                CareAct::Appointment(what) => Some(what),
                CareAct::Case(_) | CareAct::Seen { .. } => None,
            }))),
            CareAct::Case(_) => Some(Self::Case(acts_of(found, thread, |act| match act {
                CareAct::Case(what) => Some(what),
                CareAct::Appointment(_) | CareAct::Seen { .. } => None,
            }))),
            CareAct::Seen { .. } => None,
        }
    }
}

/// Every conversation among these acts, in the order of their ids. What names one that has not come is in none.
pub(crate) fn talks_of(found: &[FoundAct]) -> Vec<(ThreadId, TalkActs)> {
    let threads: BTreeSet<ThreadId> = found.iter().map(|one| one.thread).collect();
    let begun =
        |thread: ThreadId| Some((thread, TalkActs::of(found, thread, first_of(found, thread).ok()?)?));
    threads.into_iter().filter_map(begun).collect()
}

impl Session {
    /// The spaces of conversations with hospitals, in the order of their ids.
    pub fn care_spaces(&self) -> Vec<CareSpace> {
        let spaces = self.spaces.values().filter_map(|state| Some((state, state.care.as_ref()?)));
        spaces
            .map(|(state, care)| CareSpace {
                space: state.space,
                chart: state.chart,
                hospital: care.hospital(),
                side: care.side_of(self.identity.account),
                open: self.speaks_in(state.space, "").is_ok(),
            })
            .collect()
    }

    /// How far each of these spaces has come, in the order of their ids.
    pub fn care_marks(&self) -> Vec<CareMark> {
        let spaces = self.spaces.values().filter(|state| state.care.is_some());
        spaces.filter_map(|state| self.care_mark(state.space)).collect()
    }

    /// How far one of them has come.
    pub fn care_mark(&self, space: SpaceId) -> Option<CareMark> {
        let state = self.spaces.get(&space).filter(|state| state.care.is_some())?;
        let (space_seq, own_seq) = (self.follower.space_seq(space), state.own_seq);
        Some(CareMark { space, space_seq, own_seq })
    }

    /// The life of this device in which it writes: another one than before where its vault was found to be an older copy.
    pub fn life(&self) -> IncarnationId {
        self.identity.incarnation
    }

    /// Whether everything that the server had was fetched since this session was opened: what is decided before may be decided without what
    /// this device itself had said, where its vault is an older copy.
    pub fn has_caught_up(&self) -> bool {
        self.caught_up
    }

    /// Whether a hospital was in a space, and is not, as far as is known here.
    pub(super) fn is_hospital_out(&self, space: SpaceId) -> bool {
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        let of_hospital = |account| care.is_some_and(|care| care.side_of(account) == Side::Hospital);
        let mut stays =
            self.stays_in(space).into_iter().filter(|(account, _)| of_hospital(*account)).peekable();
        let is_in = |state| matches!(state, MemberState::Member | MemberState::Joining);
        stays.peek().is_some() && !stays.any(|(_, state)| is_in(state))
    }

    /// What the other side of a space is called, and how the hospital stands in it: founded and not let in yet is joining.
    pub(crate) fn hospital_in(&self, of: &CareSpace) -> Result<(String, MemberState), SessionError> {
        let care = self.spaces.get(&of.space).and_then(|state| state.care.as_ref());
        let care = care.ok_or_else(SessionError::not_found)?;
        let stays = self.stays_in(of.space);
        let hospital = stays.into_iter().find(|(account, _)| care.side_of(*account) == Side::Hospital);
        let state = hospital.map_or(MemberState::Joining, |(_, state)| state);
        let name = match of.side {
            Side::Patient => care.members.iter().find_map(|member| self.person_name(member.account)),
            Side::Hospital => Some(self.summary(of.chart)?.name),
        };
        Ok((name.unwrap_or_default(), state))
    }

    /// Every conversation of a space, in the order of their ids.
    ///
    /// # Errors
    /// `error-not-found` for a space that is not here; as reading.
    pub fn care_talks(&mut self, space: SpaceId) -> Result<Vec<CareTalk>, SessionError> {
        let found = self.acts_in(space)?;
        let talk = |(thread, acts)| CareTalk { space, thread, acts };
        Ok(talks_of(&found).into_iter().map(talk).collect())
    }
}
