//! What was written to an entry, oldest first, and how far each of it has got.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::ReceiptState;
use mecum_domain::{ChartId, Edit};
use mecum_seal::{DeviceId, SpaceId};
use mecum_sync::Level;
use mecum_vault::Table;

use super::Session;
use crate::error::SessionError;
use crate::row::ItemKey;
use crate::stage::Stage;

/// One earlier envelope as far as it touched one entry.
#[derive(Clone, Debug)]
pub struct Past {
    /// When it was written, by its device's clock.
    pub at_ms: i64,
    /// Its device.
    pub device: DeviceId,
    /// Hash of its Automerge change.
    pub change: [u8; 32],
    /// `envelope_seq` if this installation wrote it, else 0.
    pub own_seq: u64,
    /// Its space.
    pub space: SpaceId,
    /// The edits on the entry.
    pub edits: Vec<Edit>,
    /// Hashes of the changes on this entry that its writer had seen.
    pub sees: Vec<[u8; 32]>,
}

impl Session {
    /// What was written to an entry, oldest first.
    pub fn history(&mut self, chart: ChartId, key: ItemKey) -> Result<Vec<Past>, SessionError> {
        let Some(document) = self.document_of(chart, key)? else { return Ok(Vec::new()) };
        let state = self.documents.get(&document).ok_or_else(SessionError::not_found)?;
        let touches = |edit: &Edit| match (edit, key) {
            (Edit::Add { entry, .. } | Edit::Set { entry, .. }, ItemKey::Entry(id)) => {
                *entry.as_bytes() == id
            }
            (Edit::Keep { key, .. }, ItemKey::Finished(id)) => *key.as_bytes() == id,
            _ => false,
        };
        let space = state.space;
        let times = self.times(document)?;
        let replayed = self.replayed(&Stage::default(), state)?;
        let info = self.successor_info(&Stage::default(), document)?.unwrap_or_default();
        let steps = self.open_document(document)?.steps().map_err(|_| SessionError::Envelope)?;
        let mut past = Vec::new();
        // By change: the changes on this entry that it and its writer had seen. Steps come after what they follow.
        let mut seen: BTreeMap<[u8; 32], BTreeSet<[u8; 32]>> = BTreeMap::new();
        for step in steps {
            let edits: Vec<Edit> = step.edits.into_iter().filter(|edit| touches(edit)).collect();
            let mut sees: BTreeSet<_> =
                step.deps.iter().filter_map(|dep| seen.get(dep)).flatten().copied().collect();
            let before = sees.iter().copied().collect();
            if !edits.is_empty() {
                sees.insert(step.change);
            }
            seen.insert(step.change, sees);
            // What was written again after a cut is by who wrote it first.
            let origin = replayed.origin(step.actor, step.change_seq);
            // So is what a successor began with.
            let author = info.author(origin.0);
            let Some(device) = self.actor_device(&author).filter(|_| !edits.is_empty()) else { continue };
            let noted = times.get(&origin);
            let before_it = info.touched(key).filter(|_| author != origin.0).map(|touched| touched.at_ms);
            past.push(Past {
                at_ms: noted.map(|noted| noted.at_ms).or(before_it).unwrap_or(0),
                device,
                change: step.change,
                own_seq: noted.map_or(0, |noted| noted.own_seq),
                space,
                edits,
                sees: before,
            });
        }
        // Of one moment, what saw more came later; the rest is the same order on every device.
        past.sort_by_key(|past| (past.at_ms, past.sees.len(), past.change));
        Ok(past)
    }

    /// Where something has got to that a device wrote. Of what this device wrote before its vault was put back from a copy the
    /// server is known to have it, and no more is claimed.
    pub(crate) fn receipt_by(&self, device: DeviceId, space: SpaceId, own_seq: u64) -> ReceiptState {
        if own_seq == 0 && device == self.identity.device {
            return ReceiptState::Sent;
        }
        self.receipt(space, own_seq)
    }

    /// Where an envelope has got to; `own_seq` 0 means that another device wrote it.
    pub fn receipt(&self, space: SpaceId, own_seq: u64) -> ReceiptState {
        if own_seq == 0 {
            return ReceiptState::Received;
        }
        // Of an older copy's chain the server may have others under the same numbers.
        let unsent = self.is_older_copy()
            && self
                .vault
                .get(Table::Sync, &crate::stage::push_name(space, own_seq))
                .is_ok_and(|row| row.is_some());
        if unsent {
            return ReceiptState::Device;
        }
        match self.follower.receipt_level(&self.own_chain(space), own_seq) {
            Level::OnDevice => ReceiptState::Device,
            Level::Stored { .. } => ReceiptState::Sent,
            Level::Received { .. } => ReceiptState::Received,
        }
    }
}
