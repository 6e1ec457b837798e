//! Acts of conversations with a hospital as finished entries: written once, kept byte for byte.
//!
//! Layout: `[1, thread, lamport, at_ms, [[side, id], …], by, form, what]`; form 1 is of an appointment, 2 of a case; what is
//! `[code, field, …]`. Form 3 says which acts of the other side were seen: what is `[[side, id], …]`. The entry's key is the act's id, and the side is the document that it lies in: neither is repeated inside. The id
//! follows from these bytes, with the space and the side (protocol.md, *Care spaces*), so the first act of a conversation cannot name its
//! own: its thread is 16 zero bytes, and its id is the conversation's.
//! Source of the words: `mecum_domain`.

mod layout;
#[cfg(test)]
mod tests;

use mecum_domain::{Act, ActId, ActKey, AppointmentAct, Author, CaseAct, FinishedKey, Role, ThreadId};
use minicbor::{Decoder, Encoder};

use layout::{Laid, length};

/// Most bytes of one act: two texts of the largest size in UTF-8, with a long wish.
pub const MAX_ACT_BYTES: usize = 64 * 1024;

/// Most acts that one names as its newest: no side has so many devices that write at once.
pub const MAX_AFTER: usize = 64;

/// Most bytes of the name of who speaks for a hospital: the longest names of people, with a title.
pub const MAX_BY_BYTES: usize = 128;

/// Most acts that one act says were seen: more than anybody reads at once.
pub const MAX_SEEN: usize = 64;

const VERSION: u8 = 1;

const FIELDS: usize = 8;

/// What the first act of a conversation has for its thread.
const BEGINS: ThreadId = ThreadId::from_bytes([0; 16]);

/// What is done in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CareAct {
    /// About an appointment.
    Appointment(AppointmentAct),
    /// About a question, a request, a complaint, a correction or a message.
    Case(CaseAct),
    /// A person has seen what the other side did. It says nothing, changes no state, and has no place among the other acts.
    Seen {
        /// Which acts, 1 to [`MAX_SEEN`] of one side, ascending, each once.
        acts: Vec<ActKey>,
    },
}

impl CareAct {
    /// Who may do it. The agent may do what staff may.
    pub fn may(&self, role: Role) -> bool {
        match self {
            CareAct::Appointment(what) => what.may(role),
            CareAct::Case(what) => what.may(role),
            CareAct::Seen { .. } => true,
        }
    }

    /// Whether it begins a conversation.
    pub fn begins(&self) -> bool {
        match self {
            CareAct::Appointment(what) => what.begins(),
            CareAct::Case(what) => what.begins(),
            CareAct::Seen { .. } => false,
        }
    }

    /// Whether both are about an appointment, both about a case, or both about what was seen.
    pub fn is_of_form(&self, other: &CareAct) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Every text in it, what somebody said first.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            CareAct::Appointment(what) => what.texts(),
            CareAct::Case(what) => what.texts(),
            CareAct::Seen { .. } => Vec::new(),
        }
    }
}

/// An act as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAct {
    /// The conversation; zeros in its first act.
    pub thread: ThreadId,
    /// Its number over both sides; 0 of what was seen.
    pub lamport: u64,
    /// When, by the writing device's clock, ms since the epoch.
    pub at_ms: i64,
    /// The newest acts that its author knew of; none of what was seen.
    pub after: Vec<ActKey>,
    /// Who speaks, as the writing device says: a person or a program of the hospital, whose account has one name for all of them. At
    /// most [`MAX_BY_BYTES`]; may be empty. On the patient's side it is empty, and nobody reads it there.
    pub by: String,
    /// What was done.
    pub what: CareAct,
}

/// Bytes that are no act of this version. Its entry is kept and not shown as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes are no act that this version can read")]
pub struct BadAct;

impl StoredAct {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let mut e = Encoder::new(&mut out);
        let mut write = || -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
            e.array(FIELDS as u64)?.u8(VERSION)?;
            self.thread.put(&mut e)?;
            self.lamport.put(&mut e)?;
            self.at_ms.put(&mut e)?;
            self.after.put(&mut e)?;
            self.by.put(&mut e)?;
            match &self.what {
                CareAct::Appointment(what) => {
                    e.u8(1)?;
                    what.put(&mut e)
                }
                CareAct::Case(what) => {
                    e.u8(2)?;
                    what.put(&mut e)
                }
                CareAct::Seen { acts } => {
                    e.u8(3)?;
                    acts.put(&mut e)
                }
            }
        };
        write().expect("a vector takes every byte");
        out
    }

    /// The act of these bytes, strictly: whatever would be written another way is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadAct> {
        if bytes.len() > MAX_ACT_BYTES {
            return Err(BadAct);
        }
        let mut d = Decoder::new(bytes);
        let mut read = || -> Result<Self, minicbor::decode::Error> {
            length(&mut d, FIELDS)?;
            if d.u8()? != VERSION {
                return Err(minicbor::decode::Error::message("of another version"));
            }
            let (thread, lamport, at_ms) = (Laid::take(&mut d)?, Laid::take(&mut d)?, Laid::take(&mut d)?);
            let (after, by) = (Laid::take(&mut d)?, Laid::take(&mut d)?);
            let what = match d.u8()? {
                1 => CareAct::Appointment(Laid::take(&mut d)?),
                2 => CareAct::Case(Laid::take(&mut d)?),
                3 => CareAct::Seen { acts: Laid::take(&mut d)? },
                _ => return Err(minicbor::decode::Error::message("a form that this version does not know")),
            };
            Ok(Self { thread, lamport, at_ms, after, by, what })
        };
        let act = read().map_err(|_| BadAct)?;
        if act.is_sound() && act.encode() == bytes { Ok(act) } else { Err(BadAct) }
    }

    /// Whether there is no more in it than there may be. What was seen is said in a conversation that has begun, once of each act and of
    /// one side, and neither has a number nor comes after anything.
    fn is_sound(&self) -> bool {
        let sound = match &self.what {
            CareAct::Appointment(_) | CareAct::Case(_) => true,
            CareAct::Seen { acts } => {
                let one_side = acts.first().map(|act| act.side) == acts.last().map(|act| act.side);
                let each_once = acts.is_sorted_by(|one, next| one < next);
                let apart = self.lamport == 0 && self.after.is_empty() && self.thread != BEGINS;
                (1..=MAX_SEEN).contains(&acts.len()) && one_side && each_once && apart
            }
        };
        sound && self.after.len() <= MAX_AFTER && self.by.len() <= MAX_BY_BYTES
    }

    /// The act of an appointment, as the entry's key and its document's side name it.
    pub fn appointment(&self, key: FinishedKey, author: Author) -> Option<Act<AppointmentAct>> {
        match &self.what {
            CareAct::Appointment(what) => Some(self.act(key, author, what.clone())),
            CareAct::Case(_) | CareAct::Seen { .. } => None,
        }
    }

    /// The act of a case, likewise.
    pub fn case(&self, key: FinishedKey, author: Author) -> Option<Act<CaseAct>> {
        match &self.what {
            CareAct::Case(what) => Some(self.act(key, author, what.clone())),
            CareAct::Appointment(_) | CareAct::Seen { .. } => None,
        }
    }

    fn act<T>(&self, key: FinishedKey, author: Author, what: T) -> Act<T> {
        let id = ActId::from_bytes(*key.as_bytes());
        Act { id, author, lamport: self.lamport, after: self.after.clone(), at_ms: self.at_ms, what }
    }
}
