//! Acts of a conversation as a device reads them: each once, from a document of its author's side, under the id that follows from it.

use std::collections::BTreeMap;

use mecum_documents::{CareAct, StoredAct};
use mecum_domain::{Act, ActId, ActKey, Acts, Author, Role, Side, ThreadId};
use mecum_seal::{DeviceId, DocumentId, SpaceId};

use super::act_id;
use super::seeing::{SeenBy, say_seen};
use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::Session;

/// What the first act of a conversation names: its own id follows from what it says.
pub(super) const BEGINS: ThreadId = ThreadId::from_bytes([0; 16]);

/// An act that is there. What was seen is none of them: it stands with the acts that were.
#[derive(Clone, Debug)]
pub(crate) struct FoundAct {
    /// Its side and id.
    pub(crate) key: ActKey,
    /// The conversation, of its first act too.
    pub(crate) thread: ThreadId,
    /// Who wrote it: on the hospital's side whoever it names, where it names somebody.
    pub(crate) author: Author,
    /// The device that wrote it, where that is known.
    pub(crate) device: Option<DeviceId>,
    /// The number of this device's envelope that it lies in; 0 where another device wrote it.
    pub(crate) own_seq: u64,
    /// When the other side first said that somebody there has seen it.
    pub(crate) seen: Option<SeenBy>,
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
                let (device, own_seq) = row.map_or((None, 0), |row| (Some(row.device), row.own_seq));
                let mut author = self.author_in(space, side, device)?;
                // One account speaks for all of a hospital's people. What a patient's app writes there is read by nobody: the words
                // stay, and are by whose account they are.
                if side == Side::Hospital && !stored.by.is_empty() {
                    author.name.clone_from(&stored.by);
                }
                let thread = if stored.thread == BEGINS {
                    ThreadId::from_bytes(*key.as_bytes())
                } else {
                    stored.thread
                };
                let key = ActKey { side, id };
                let act = FoundAct { key, thread, author, device, own_seq, seen: None, stored };
                found.entry(key).or_insert(act);
            }
        }
        Ok(say_seen(found))
    }

    /// Who is behind a device that wrote on a side. Of one that is not of that side nothing but the side is known: what took another
    /// document's place says who had written what in it, and whoever made it may have said it wrong.
    pub(super) fn author_in(
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
}

/// What a conversation began with.
pub(super) fn first_of(found: &[FoundAct], thread: ThreadId) -> Result<&CareAct, SessionError> {
    let first = found.iter().find(|one| one.key.id.as_bytes() == thread.as_bytes());
    let begun = first.filter(|one| one.thread == thread && one.stored.what.begins());
    begun.map(|one| &one.stored.what).ok_or_else(SessionError::not_found)
}
