//! What a manager signed for the successors in a snapshot: which belong in it, with what each began, and what others had written
//! elsewhere by then.

use std::collections::BTreeMap;

use mecum_documents::{Document, Link};
use mecum_seal::{DocumentId, Hash32};
use mecum_sync::controls::holds;
use mecum_sync::{FoldedChain, Follower, Replaced};

use super::base::{Info, Record, base_digest};
use super::ends::Ends;
use super::records::record_hash;
use crate::error::SessionError;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// Successors whose beginning is what a manager signed.
#[derive(Default)]
pub(crate) struct SignedSuccessors {
    pub(crate) infos: BTreeMap<DocumentId, Info>,
    /// The chains that the space's last replacement names, and what each had written in the other documents.
    chains: Vec<FoldedChain>,
    records: Vec<Record>,
}

impl SignedSuccessors {
    /// Whether a chain stands where the last replacement found it, and its words in the documents are those of then.
    pub(crate) fn vouches(&self, chain: &FoldedChain, record: &BTreeMap<DocumentId, Link>) -> bool {
        let is_it = |device, incarnation| device == chain.device && incarnation == chain.incarnation;
        let named = self.chains.iter().find(|named| is_it(named.device, named.incarnation));
        let stands = named.is_some_and(|named| {
            (named.head.envelope_seq, named.head.hash) == (chain.head.envelope_seq, chain.head.hash)
        });
        let known = self.records.iter().find(|known| is_it(known.device, known.incarnation));
        stands && known.is_some_and(|known| known.hash == record_hash(record))
    }
}

/// The documents of a snapshot, and with what those among them began that took another's place.
pub(crate) struct InSnapshot<'a> {
    /// The last entry of the membership log that the snapshot knows.
    pub(crate) membership: Hash32,
    /// Every document in it.
    pub(crate) documents: &'a [DocumentId],
    pub(crate) begun: Vec<(DocumentId, Document, Info)>,
}

impl Session {
    /// Judges successors by the entries that say so; nothing if one began otherwise, or if one is left out: nobody has stated anything
    /// of a successor in which nobody has written yet, so only the log says that it belongs there.
    pub(crate) fn signed_successors(
        &self,
        stage: &Stage,
        follower: &Follower,
        space: &SpaceState,
        inside: InSnapshot<'_>,
    ) -> Result<Option<SignedSuccessors>, SessionError> {
        let mut signed = SignedSuccessors::default();
        let Some(log) = follower.space_log(space.space) else { return Ok(None) };
        // What was decided later says nothing of this snapshot.
        let Some(seq) = log.seq_of(inside.membership) else { return Ok(None) };
        let ends = Ends::of(Some(log), space.care.as_ref());
        let by_then: Vec<&Replaced> = ends.iter().filter(|of| of.entry <= seq).collect();
        if !holds("snapshot-whole", is_whole(&by_then, inside.documents)) {
            return Ok(None);
        }
        for (id, document, info) in inside.begun {
            let Some(of) = by_then.iter().find(|of| of.by == id) else { return Ok(None) };
            let heads = document.heads_of(&|actor| info.is_reserved(actor));
            let reason = self.reason_of(stage, space, of)?;
            if reason.is_none_or(|reason| reason.digest != base_digest(&heads, &info.encode())) {
                return Ok(None);
            }
            signed.infos.insert(id, info);
        }
        if let Some(last) = by_then.last()
            && let Some(info) = signed.infos.get(&last.by)
        {
            signed.records.clone_from(&info.records);
            signed.chains = self.chains_named(stage, space.space, last)?.unwrap_or_default();
        }
        Ok(Some(signed))
    }
}

/// Whether of every document whose place was taken the one that stands there last is among these, and none before it.
fn is_whole(by_then: &[&Replaced], documents: &[DocumentId]) -> bool {
    let ended = |document| by_then.iter().any(|of| of.document == document);
    by_then.iter().all(|of| ended(of.by) || documents.contains(&of.by))
        && !documents.iter().any(|document| ended(*document))
}
