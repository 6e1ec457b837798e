//! What this device had written in a document without knowing that it had ended: written again where it belongs now, under its own
//! name; what belongs nowhere any more is counted, and the person is told.

use mecum_api::ErasureKind;
use mecum_documents::{Late, Payload};
use mecum_domain::{Batch, Edit};
use mecum_seal::{DocumentId, Envelope, SpaceId};
use mecum_sync::{FoldedChain, Replaced, SpaceBody};

use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::{Session, open_envelope};
use crate::space::DocumentState;
use crate::stage::Stage;

/// Edits in one change when they are written again.
const AT_ONCE: usize = 400;

pub(super) fn key_of(edit: &Edit) -> ItemKey {
    match edit {
        Edit::Add { entry, .. } | Edit::Set { entry, .. } => ItemKey::Entry(*entry.as_bytes()),
        Edit::Keep { key, .. } => ItemKey::Finished(*key.as_bytes()),
    }
}

impl Session {
    /// The chains that an entry names: up to where its successor has what they wrote.
    pub(super) fn chains_named(
        &self,
        stage: &Stage,
        space: SpaceId,
        of: &Replaced,
    ) -> Result<Option<Vec<FoldedChain>>, SessionError> {
        let entry = self.kept_entry(stage, space, of.entry)?;
        Ok(entry.and_then(|entry| match entry.body {
            SpaceBody::Replace { chains, .. } => Some(chains),
            _ => None,
        }))
    }

    /// The own words beyond what an entry's chains cover, where the state that the successor was made from cannot be had.
    pub(super) fn late_by_chain(
        &self,
        old: &DocumentState,
        chains: Option<&[FoldedChain]>,
    ) -> Result<Late, SessionError> {
        let space = self.space_of_document(old)?;
        let own = self.own_chain(old.space);
        let named = chains.into_iter().flatten();
        let covered = named
            .filter(|chain| chain.device == own.device && chain.incarnation == own.incarnation)
            .map(|chain| chain.head.envelope_seq)
            .max();
        let mut late = Late::default();
        for (_, bytes) in self.envelopes(old.document, 0)? {
            let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
            let place = envelope.place();
            let is_own = place.device == own.device && place.incarnation == own.incarnation;
            if is_own && place.envelope_seq > covered.unwrap_or(0) {
                let (_, body) = open_envelope(space, old, &bytes)?;
                let payload = Payload::decode(&body).map_err(|_| SessionError::Envelope)?;
                late.after.extend(payload.batch().edits.iter().cloned());
            }
        }
        Ok(late)
    }

    /// Writes late words again: into the successor, or where an entry was moved to. Answers how many belong nowhere any more.
    pub(super) fn stage_late(
        &mut self,
        stage: &mut Stage,
        by: DocumentId,
        late: Late,
        kind: ErasureKind,
    ) -> Result<u32, SessionError> {
        let Late { beside, seen, after, left_out } = late;
        let state = self.staged_document(stage, by)?;
        if self.check_writable(stage, state.space).is_err() {
            // Who may not write there any more cannot write it again: it goes with the document, and is counted.
            let gone = beside.len() + after.len() + left_out.len();
            return Ok(u32::try_from(gone).unwrap_or(u32::MAX));
        }
        if !beside.is_empty() {
            let batch = Batch { at_ms: self.now_ms(), edits: beside };
            let open = match stage.open.get(&by) {
                Some(open) => open.clone(),
                None => self.open_document(by)?.clone(),
            };
            let authored = open.author_beside(&seen, &batch)?;
            self.stage_authored(stage, by, authored, batch.at_ms)?;
        }
        let mut gone = Vec::new();
        let (fits, not): (Vec<Edit>, Vec<Edit>) = self.fitting(stage, by, after)?;
        gone.extend(not);
        for edits in fits.chunks(AT_ONCE) {
            self.stage_edits(stage, by, edits.to_vec())?;
        }
        for edit in left_out {
            let went = match kind {
                ErasureKind::ToSensitive | ErasureKind::FromSensitive => {
                    self.where_it_went(state.space, key_of(&edit))?
                }
                ErasureKind::Erase | ErasureKind::Cleared => None,
            };
            let may = |document: DocumentId| {
                let there = self.documents.get(&document)?;
                self.check_writable(stage, there.space).is_ok().then_some(document)
            };
            match (went.and_then(may), &edit) {
                (Some(document), Edit::Set { .. }) => {
                    self.stage_edits(stage, document, vec![edit])?;
                }
                _ => gone.push(edit),
            }
        }
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }

    /// The edits of entries that the document has or gets by them, and the others.
    fn fitting(
        &mut self,
        stage: &Stage,
        by: DocumentId,
        edits: Vec<Edit>,
    ) -> Result<(Vec<Edit>, Vec<Edit>), SessionError> {
        let open = match stage.open.get(&by) {
            Some(open) => open.clone(),
            None => self.open_document(by)?.clone(),
        };
        let mut added = std::collections::BTreeSet::new();
        let mut fits = Vec::new();
        let mut not = Vec::new();
        for edit in edits {
            let there = match &edit {
                Edit::Add { entry, .. } => added.insert(*entry),
                Edit::Set { entry, .. } => added.contains(entry) || open.entry(*entry).is_some(),
                Edit::Keep { .. } => true,
            };
            if there { fits.push(edit) } else { not.push(edit) }
        }
        Ok((fits, not))
    }
}
