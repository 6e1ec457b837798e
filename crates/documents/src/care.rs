//! Acts of conversations with a hospital as finished entries: written once, kept byte for byte.
//!
//! Layout: `[1, thread, lamport, at_ms, [[side, id], …], form, what]`; form 1 is of an appointment, 2 of a case; what is
//! `[code, field, …]`. The entry's key is the act's id, and the side is the document that it lies in: neither is repeated inside. The id
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

const VERSION: u8 = 1;

const FIELDS: usize = 7;

/// What is done in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CareAct {
    /// About an appointment.
    Appointment(AppointmentAct),
    /// About a question, a request, a complaint, a correction or a message.
    Case(CaseAct),
}

impl CareAct {
    /// Who may do it. The agent may do what staff may.
    pub fn may(&self, role: Role) -> bool {
        match self {
            CareAct::Appointment(what) => what.may(role),
            CareAct::Case(what) => what.may(role),
        }
    }

    /// Whether it begins a conversation.
    pub fn begins(&self) -> bool {
        match self {
            CareAct::Appointment(what) => what.begins(),
            CareAct::Case(what) => what.begins(),
        }
    }

    /// Whether both are about an appointment, or both about a case.
    pub fn is_of_form(&self, other: &CareAct) -> bool {
        matches!(self, CareAct::Appointment(_)) == matches!(other, CareAct::Appointment(_))
    }

    /// Every text in it, what somebody said first.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            CareAct::Appointment(what) => what.texts(),
            CareAct::Case(what) => what.texts(),
        }
    }
}

/// An act as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAct {
    /// The conversation; zeros in its first act.
    pub thread: ThreadId,
    /// Its number over both sides.
    pub lamport: u64,
    /// When, by the writing device's clock, ms since the epoch.
    pub at_ms: i64,
    /// The newest acts that its author knew of.
    pub after: Vec<ActKey>,
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
            match &self.what {
                CareAct::Appointment(what) => {
                    e.u8(1)?;
                    what.put(&mut e)
                }
                CareAct::Case(what) => {
                    e.u8(2)?;
                    what.put(&mut e)
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
            let (thread, lamport, at_ms, after) =
                (Laid::take(&mut d)?, Laid::take(&mut d)?, Laid::take(&mut d)?, Laid::take(&mut d)?);
            let what = match d.u8()? {
                1 => CareAct::Appointment(Laid::take(&mut d)?),
                2 => CareAct::Case(Laid::take(&mut d)?),
                _ => return Err(minicbor::decode::Error::message("a form that this version does not know")),
            };
            Ok(Self { thread, lamport, at_ms, after, what })
        };
        let act = read().map_err(|_| BadAct)?;
        if act.after.len() <= MAX_AFTER && act.encode() == bytes { Ok(act) } else { Err(BadAct) }
    }

    /// The act of an appointment, as the entry's key and its document's side name it.
    pub fn appointment(&self, key: FinishedKey, author: Author) -> Option<Act<AppointmentAct>> {
        match &self.what {
            CareAct::Appointment(what) => Some(self.act(key, author, what.clone())),
            CareAct::Case(_) => None,
        }
    }

    /// The act of a case, likewise.
    pub fn case(&self, key: FinishedKey, author: Author) -> Option<Act<CaseAct>> {
        match &self.what {
            CareAct::Case(what) => Some(self.act(key, author, what.clone())),
            CareAct::Appointment(_) => None,
        }
    }

    fn act<T>(&self, key: FinishedKey, author: Author, what: T) -> Act<T> {
        let id = ActId::from_bytes(*key.as_bytes());
        Act { id, author, lamport: self.lamport, after: self.after.clone(), at_ms: self.at_ms, what }
    }
}
