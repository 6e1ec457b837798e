//! Conversations with a hospital as tests need them: what is kept in one whatever it says, and what is there of it.

use std::collections::BTreeSet;

use mecum_documents::{CareAct, StoredAct};
use mecum_domain::{ActKey, Appointment, Author, Case, Edit, FinishedKey, HospitalId, Side, ThreadId};
use mecum_seal::{DocumentId, SpaceId};
use mecum_vault::Durability;

use crate::care::{After, SeenBy, acts_of};
use crate::error::SessionError;
use crate::members::HospitalCard;
use crate::session::Session;
use crate::stage::Stage;

/// What lies in a conversation: whose side, under which key, and what.
pub type Held = BTreeSet<(Side, [u8; 16], Vec<u8>)>;

fn keep(key: [u8; 16], bytes: &[u8]) -> Vec<Edit> {
    vec![Edit::Keep { key: FinishedKey::from_bytes(key), bytes: bytes.to_vec() }]
}

impl HospitalCard {
    /// The same account by another account's keys, as only who is dishonest says it.
    #[must_use]
    pub fn with_keys_of_for_tests(&self, other: &HospitalCard) -> HospitalCard {
        HospitalCard { genesis: other.genesis, kem: other.kem.clone(), ..self.clone() }
    }
}

impl Session {
    /// How many conversations were read for the queue of the desk.
    pub fn queue_read_for_tests(&self) -> u64 {
        self.queue.read
    }

    /// Keeps something on the own side of a conversation.
    pub fn keep_in_care_for_tests(
        &mut self,
        space: SpaceId,
        key: [u8; 16],
        bytes: &[u8],
    ) -> Result<DocumentId, SessionError> {
        let mut stage = Stage::default();
        let document = self.stage_care_document(&mut stage, space, 1)?;
        self.stage_edits(&mut stage, document, keep(key, bytes))?;
        self.commit(stage, Durability::Full)?;
        Ok(document)
    }

    /// The same in a document, as a program that does not ask whose it is.
    pub fn keep_in_document_for_tests(
        &mut self,
        document: DocumentId,
        key: [u8; 16],
        bytes: &[u8],
    ) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        self.stage_edits(&mut stage, document, keep(key, bytes))?;
        self.commit(stage, Durability::Full)
    }

    /// Says something in the own name, knowing everything that is here.
    pub fn act_for_tests(
        &mut self,
        space: SpaceId,
        thread: Option<ThreadId>,
        what: CareAct,
    ) -> Result<ActKey, SessionError> {
        self.care_act(space, thread, what, After::Everything, "")
    }

    /// Keeps an act on the own side, under its own id, as a program that asks for nothing that is in it.
    pub fn keep_act_for_tests(&mut self, space: SpaceId, act: &StoredAct) -> Result<ActKey, SessionError> {
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        let side = care.ok_or_else(SessionError::not_found)?.side_of(self.identity.account);
        self.keep_act(space, side, act)
    }

    /// Everything that lies in a conversation here.
    pub fn held_in_care_for_tests(&mut self, space: SpaceId) -> Result<Held, SessionError> {
        let of: Vec<(DocumentId, Side)> = self
            .documents
            .values()
            .filter(|state| state.space == space)
            .filter_map(|state| Some((state.document, state.side?)))
            .collect();
        let mut held = Held::new();
        for (document, side) in of {
            let finished = self.open_document(document)?.finished();
            held.extend(finished.map(|(key, bytes)| (side, *key.as_bytes(), bytes)));
        }
        Ok(held)
    }

    /// The acts of a conversation: which, in which thread of it, and by whom.
    pub fn acts_for_tests(
        &mut self,
        space: SpaceId,
    ) -> Result<Vec<(ActKey, ThreadId, Author)>, SessionError> {
        let found = self.acts_in(space)?;
        Ok(found.into_iter().map(|act| (act.key, act.thread, act.author)).collect())
    }

    /// Which acts of a conversation the other side has seen, when, and who.
    pub fn seen_for_tests(&mut self, space: SpaceId) -> Result<Vec<(ActKey, SeenBy)>, SessionError> {
        let found = self.acts_in(space)?;
        Ok(found.into_iter().filter_map(|act| Some((act.key, act.seen?))).collect())
    }

    /// What the acts of one thread come to, read as an appointment.
    pub fn appointment_for_tests(
        &mut self,
        space: SpaceId,
        thread: ThreadId,
    ) -> Result<Appointment, SessionError> {
        let found = self.acts_in(space)?;
        Ok(Appointment::of(&acts_of(&found, thread, |act| match act {
            CareAct::Appointment(what) => Some(what),
            CareAct::Case(_) | CareAct::Seen { .. } => None,
        })))
    }

    /// The same, read as a case.
    pub fn case_for_tests(&mut self, space: SpaceId, thread: ThreadId) -> Result<Case, SessionError> {
        let found = self.acts_in(space)?;
        let acts = acts_of(&found, thread, |act| match act {
            CareAct::Case(what) => Some(what),
            CareAct::Appointment(_) | CareAct::Seen { .. } => None,
        });
        Ok(Case::of(&acts, None))
    }

    /// How far this device has read at the server.
    pub fn cursor_for_tests(&self) -> u64 {
        self.follower.cursor()
    }

    /// With which hospital a space is, if with any.
    pub fn hospital_of_for_tests(&self, space: SpaceId) -> Option<HospitalId> {
        Some(self.spaces.get(&space)?.care.as_ref()?.hospital())
    }
}
