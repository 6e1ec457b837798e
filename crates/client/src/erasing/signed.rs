//! What a manager signed for the successors in a snapshot: with what each began, and what others had written elsewhere by then.

use std::collections::BTreeMap;

use mecum_documents::{Document, Link};
use mecum_seal::DocumentId;
use mecum_sync::{FoldedChain, Follower};

use super::base::{Info, Record, base_digest};
use super::signing::record_hash;
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

impl Session {
    /// Judges successors by the entries that say so; nothing if one began otherwise.
    pub(crate) fn signed_successors(
        &self,
        stage: &Stage,
        follower: &Follower,
        space: &SpaceState,
        begun: Vec<(DocumentId, Document, Info)>,
    ) -> Result<Option<SignedSuccessors>, SessionError> {
        let mut signed = SignedSuccessors::default();
        let Some(log) = follower.space_log(space.space) else { return Ok(None) };
        for (id, document, info) in begun {
            let Some(of) = log.replaced().iter().find(|of| of.by == id) else { return Ok(None) };
            let heads = document.heads_of(&|actor| info.is_reserved(actor));
            let reason = self.reason_of(stage, space, of)?;
            if reason.is_none_or(|reason| reason.digest != base_digest(&heads, &info.encode())) {
                return Ok(None);
            }
            signed.infos.insert(id, info);
        }
        if let Some(last) = log.replaced().last()
            && let Some(info) = signed.infos.get(&last.by)
        {
            signed.records.clone_from(&info.records);
            signed.chains = self.chains_named(stage, space.space, last)?.unwrap_or_default();
        }
        Ok(Some(signed))
    }
}
