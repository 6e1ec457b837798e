//! Acts of a conversation as a device reads and writes them: each once, in a document of its author's side, under the id that follows from
//! it.

use std::collections::BTreeMap;

use mecum_documents::{CareAct, MAX_ACT_BYTES, MAX_AFTER, StoredAct};
use mecum_domain::{
    Act, ActId, ActKey, Acts, Author, Edit, FinishedKey, MAX_TEXT_BYTES, Role, Side, ThreadId,
};
use mecum_seal::{DeviceId, DocumentId, SpaceId};
use mecum_vault::Durability;

use super::act_id;
use crate::error::{SessionError, refused};
use crate::row::ItemKey;
use crate::session::Session;
use crate::stage::Stage;

/// What the first act of a conversation names: its own id follows from what it says.
const BEGINS: ThreadId = ThreadId::from_bytes([0; 16]);

/// An act that is there.
#[derive(Clone, Debug)]
pub(crate) struct FoundAct {
    /// Its side and id.
    pub(crate) key: ActKey,
    /// The conversation, of its first act too.
    pub(crate) thread: ThreadId,
    /// Who wrote it.
    pub(crate) author: Author,
    /// What it says.
    pub(crate) stored: StoredAct,
}

impl FoundAct {
    fn act<T>(&self, what: T) -> Act<T> {
        let StoredAct { lamport, at_ms, after, .. } = &self.stored;
        let (lamport, at_ms, after) = (*lamport, *at_ms, after.clone());
        Act { id: self.key.id, author: self.author.clone(), lamport, after, at_ms, what }
    }
}

/// The acts of one conversation of one form, as what they come to is read of.
pub(crate) fn acts_of<T: Clone>(
    found: &[FoundAct],
    thread: ThreadId,
    form: impl Fn(&CareAct) -> Option<&T>,
) -> Acts<T> {
    let of_thread = found.iter().filter(|one| one.thread == thread);
    Acts::new(of_thread.filter_map(|one| Some(one.act(form(&one.stored.what)?.clone()))))
}

impl Session {
    /// Every act of a conversation with a hospital, of both sides. Bytes that are none, or that lie under another id than theirs, are not
    /// among them: they are kept, and nobody reads them as somebody's word.
    pub(crate) fn acts_in(&mut self, space: SpaceId) -> Result<Vec<FoundAct>, SessionError> {
        let chart = self.spaces.get(&space).ok_or_else(SessionError::not_found)?.chart;
        self.load_chart(chart)?;
        let of_space = self.documents.values().filter(|state| state.space == space);
        let documents: Vec<(DocumentId, Side)> =
            of_space.filter_map(|state| Some((state.document, state.side?))).collect();
        let mut found: BTreeMap<ActKey, FoundAct> = BTreeMap::new();
        for (document, side) in documents {
            for (key, bytes) in self.open_document(document)?.finished().collect::<Vec<_>>() {
                let id = ActId::from_bytes(*key.as_bytes());
                let Ok(stored) = StoredAct::decode(&bytes) else { continue };
                if act_id(space, side, &bytes) != id {
                    continue;
                }
                let item = ItemKey::Finished(*key.as_bytes());
                let row = self.charts.get(&chart).and_then(|loaded| loaded.rows.get_in(document, item));
                // Of one without a row nobody knows who wrote it; the rest of the conversation is read all the same.
                let author = self.author_in(space, side, row.map(|row| row.device))?;
                let thread = if stored.thread == BEGINS {
                    ThreadId::from_bytes(*key.as_bytes())
                } else {
                    stored.thread
                };
                let key = ActKey { side, id };
                found.entry(key).or_insert(FoundAct { key, thread, author, stored });
            }
        }
        Ok(found.into_values().collect())
    }

    /// Who is behind a device that wrote on a side. Of one that is not of that side nothing but the side is known: what took another
    /// document's place says who had written what in it, and whoever made it may have said it wrong.
    fn author_in(
        &self,
        space: SpaceId,
        side: Side,
        device: Option<DeviceId>,
    ) -> Result<Author, SessionError> {
        let log = self.follower.space_log(space).ok_or(SessionError::Stored { what: "space log" })?;
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        let care = care.ok_or_else(SessionError::not_found)?;
        let role_of = |device| Some(care.role_of(log.owner(), self.follower.account_of(device)?));
        let known = device.and_then(|device| Some((device, role_of(device)?)));
        Ok(match (known.filter(|(_, role)| role.side() == side), side) {
            (Some((device, role)), _) => Author { name: self.author_of(device), role },
            (None, Side::Patient) => Author { name: String::new(), role: Role::Relative },
            (None, Side::Hospital) => Author { name: String::new(), role: Role::Staff },
        })
    }

    /// Says something in a conversation with a hospital, durably here: one act on the own side, after everything that is here of the
    /// conversation. Without a thread it begins one.
    ///
    /// # Errors
    /// `error-share-ended` and `error-read-only` as for any other words; `error-not-found` for a space that is no conversation, for a
    /// thread that is not there or of another form, and for an act that begins one or does not where the other is meant;
    /// `error-act-not-yours` for an act of the other side, or of another part; `error-too-long`.
    pub fn care_act(
        &mut self,
        space: SpaceId,
        thread: Option<ThreadId>,
        what: CareAct,
    ) -> Result<ActKey, SessionError> {
        let mut stage = Stage::default();
        self.check_writable(&stage, space)?;
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        let side = care.ok_or_else(SessionError::not_found)?.side_of(self.identity.account);
        let author = self.author_in(space, side, Some(self.identity.device))?;
        if !what.may(author.role) {
            return Err(refused("error-act-not-yours"));
        }
        if what.texts().iter().any(|text| text.len() > MAX_TEXT_BYTES) {
            return Err(refused("error-too-long"));
        }
        if what.begins() != thread.is_none() {
            return Err(SessionError::not_found());
        }
        let (lamport, after) = match thread {
            Some(thread) => self.next_in(space, thread, &what)?,
            None => (1, Vec::new()),
        };
        let thread = thread.unwrap_or(BEGINS);
        let bytes = StoredAct { thread, lamport, at_ms: self.now_ms(), after, what }.encode();
        if bytes.len() > MAX_ACT_BYTES {
            return Err(refused("error-too-long"));
        }
        let id = act_id(space, side, &bytes);
        let document = self.stage_care_document(&mut stage, space)?;
        let keep = Edit::Keep { key: FinishedKey::from_bytes(*id.as_bytes()), bytes };
        if self.stage_edits(&mut stage, document, vec![keep])?.is_some() {
            self.commit(stage, Durability::Full)?;
        }
        Ok(ActKey { side, id })
    }

    /// The number of the next act of a conversation, and the acts after which it is.
    fn next_in(
        &mut self,
        space: SpaceId,
        thread: ThreadId,
        what: &CareAct,
    ) -> Result<(u64, Vec<ActKey>), SessionError> {
        let found = self.acts_in(space)?;
        let first = found.iter().find(|one| one.key.id.as_bytes() == thread.as_bytes());
        let begun = |one: &FoundAct| one.thread == thread && one.stored.what.begins();
        if !first.is_some_and(|one| begun(one) && one.stored.what.is_of_form(what)) {
            return Err(SessionError::not_found());
        }
        let acts = acts_of(&found, thread, |act| what.is_of_form(act).then_some(act));
        let (lamport, mut after) = acts.next();
        // The highest: whoever knows them knows what they name.
        after.drain(..after.len().saturating_sub(MAX_AFTER));
        Ok((lamport, after))
    }
}
