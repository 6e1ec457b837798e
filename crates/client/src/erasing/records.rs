//! What each chain had written in a section's other documents when one of them ended: said by who signs the end, and held against the
//! documents here. A snapshot is believed by it where its writer's last statement is about the document that is gone.

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{Actor, Document, Link};
use mecum_seal::{DeviceId, DocumentId, Envelope, Hash32, IncarnationId, Place, SpaceId, sha256_parts};
use mecum_sync::{Chain, FoldedChain, Replaced};
use mecum_vault::Table;

use super::base::Record;
use super::comparing::WorkedOut;
use crate::error::SessionError;
use crate::heads::record_of;
use crate::identity::actor_of;
use crate::residue::Stands;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

/// The hash of what one writer wrote in some documents of a space, for [`Record`].
pub(crate) fn record_hash(record: &BTreeMap<DocumentId, Link>) -> Hash32 {
    let mut body = Vec::with_capacity(record.len() * 56);
    for (document, link) in record {
        body.extend_from_slice(document.as_bytes());
        body.extend_from_slice(&link.change_seq.to_be_bytes());
        body.extend_from_slice(&link.change);
    }
    sha256_parts(&[b"mecum record v1\0", &body])
}

/// The other documents of a section.
struct Beside {
    documents: BTreeMap<DocumentId, (DocumentState, Document)>,
    links: BTreeMap<DocumentId, BTreeMap<Actor, Link>>,
    /// Where their envelopes stand, once that is asked for.
    stands: Option<BTreeMap<DocumentId, Vec<Stands>>>,
}

/// Of each chain the first link that is here and in no document.
type Outside = BTreeMap<Name, u64>;

/// A chain of the section.
type Name = (DeviceId, IncarnationId);

impl Session {
    /// What each chain has written in the documents beside one that ends. Of whom something waits here or is put aside nothing is said:
    /// others may have it in its place. Nor of whom more is held than a restored server has shown again: the end names a chain as far as it
    /// was shown, and the documents say more.
    pub(super) fn records_beside(&self, old: &DocumentState) -> Result<Vec<Record>, SessionError> {
        let Some(state) = self.spaces.get(&old.space) else { return Ok(Vec::new()) };
        // One that has ended and stands here, for what took its place has not come yet, is gone elsewhere.
        let mut ends = self.ends(old.space).iter();
        let stands = ends.any(|of| of.document != old.document && self.documents.contains_key(&of.document));
        // Nor are words that a cut took out of a snapshot, until the section is built anew.
        if stands || self.is_cut_into_snapshot(old.space)? {
            return Ok(Vec::new());
        }
        let beside = self.beside(old)?;
        let outside = self.outside(old.space, &[(Table::Waiting, b""), (Table::Quarantine, b"")])?;
        let further = self.follower.held_further(old.space);
        let further: BTreeSet<Name> = further.iter().map(|(of, ..)| (of.device, of.incarnation)).collect();
        let mut records = Vec::new();
        for FoldedChain { device, incarnation, .. } in self.folded_chains(state) {
            let Some(actor) = self.actor_of_chain(device, incarnation) else { continue };
            let name = (device, incarnation);
            if !outside.contains_key(&name) && !further.contains(&name) {
                let hash = record_hash(&record_of(actor, &beside.links));
                records.push(Record { device, incarnation, hash });
            }
        }
        Ok(records)
    }

    /// Whether what is said of the chains is so, as far as this device can tell.
    pub(super) fn are_records_as_here(
        &self,
        here: &WorkedOut<'_>,
        said: &[Record],
    ) -> Result<bool, SessionError> {
        let by_chain: BTreeMap<Name, Hash32> =
            said.iter().map(|record| ((record.device, record.incarnation), record.hash)).collect();
        let space = here.old.space;
        let chains = self.chains_named(&Stage::default(), space, here.of)?.unwrap_or_default();
        let named: BTreeSet<Name> = chains.iter().map(|chain| (chain.device, chain.incarnation)).collect();
        if by_chain.len() != said.len() || !by_chain.keys().all(|name| named.contains(name)) {
            return Ok(false);
        }
        let mut beside = self.beside(here.old)?;
        if !self.are_those_of_then(here, &beside) || self.is_cut_into_snapshot(space)? {
            return Ok(true);
        }
        let kept = [(Table::Waiting, b"".as_slice()), (Table::Quarantine, b""), (Table::Sync, b"void")];
        let outside = self.outside(space, &kept)?;
        let cut = self.beside_a_cut(space, &beside)?;
        for chain in chains {
            let name = (chain.device, chain.incarnation);
            let last = chain.head.envelope_seq;
            let is_whole = outside.get(&name).is_none_or(|first| *first > last) && !cut.contains(&name);
            let actor = self.actor_of_chain(chain.device, chain.incarnation).filter(|_| is_whole);
            let (Some(said), Some(actor)) = (by_chain.get(&name), actor) else { continue };
            let known = self.record_then(space, &chain, actor, &mut beside)?;
            if known.is_some_and(|known| record_hash(&known) != *said) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What a chain had written in these documents up to the link that an entry names; `None` if that cannot be told here.
    fn record_then(
        &self,
        space: SpaceId,
        chain: &FoldedChain,
        actor: Actor,
        beside: &mut Beside,
    ) -> Result<Option<BTreeMap<DocumentId, Link>>, SessionError> {
        let FoldedChain { device, incarnation, head } = *chain;
        let name = Chain { space, device, incarnation };
        let shown = self.follower.chain_head(&name).envelope_seq;
        let here = match self.spaces.get(&space) {
            // What it has not sent is in the documents as well.
            Some(state) if name == self.own_chain(space) => state.own_seq,
            _ => shown,
        };
        if shown < head.envelope_seq {
            return Ok(None);
        }
        if here == head.envelope_seq {
            return Ok(Some(record_of(actor, &beside.links)));
        }
        if beside.stands.is_none() {
            let mut all = BTreeMap::new();
            for (document, (state, _)) in &beside.documents {
                all.insert(*document, self.stands(state, self.space_of_document(state)?)?);
            }
            beside.stands = Some(all);
        }
        let mut record = BTreeMap::new();
        for (document, link) in record_of(actor, &beside.links) {
            let stands = beside.stands.as_ref().and_then(|all| all.get(&document)).into_iter().flatten();
            let at: BTreeMap<u64, u64> = stands
                .filter(|at| (at.place.device, at.place.incarnation) == (device, incarnation))
                .filter(|at| at.actor == actor)
                .map(|at| (at.change_seq, at.place.envelope_seq))
                .collect();
            let later = |seq: &u64| at.get(seq).is_some_and(|link| *link > head.envelope_seq);
            let Some(change_seq) = (1..=link.change_seq).rev().find(|seq| !later(seq)) else { continue };
            let open = beside.documents.get(&document).map(|(_, open)| open);
            // One that came in a snapshot has no place.
            let known = at.get(&change_seq).and_then(|_| open?.hash_of_change(actor, change_seq));
            let Some(change) = known else { return Ok(None) };
            record.insert(document, Link { change_seq, change });
        }
        Ok(Some(record))
    }

    /// The chains that have words in a document with words beyond a cut. What was built on those is written again where they had been
    /// applied, and is not where they never were: of these chains the document says something else on every device.
    fn beside_a_cut(&self, space: SpaceId, beside: &Beside) -> Result<BTreeSet<Name>, SessionError> {
        let is_cut = |log: &mecum_sync::SpaceLog| !log.cut_sets().is_empty();
        if !self.follower.space_log(space).is_some_and(is_cut) {
            return Ok(BTreeSet::new());
        }
        let mut places: BTreeMap<DocumentId, Vec<Place>> = BTreeMap::new();
        for document in beside.documents.keys() {
            let of_log = self.places(*document)?.into_iter().map(|(_, place)| place);
            places.insert(*document, of_log.collect());
        }
        for (table, prefix) in
            [(Table::Waiting, b"".as_slice()), (Table::Quarantine, b""), (Table::Sync, b"void")]
        {
            for (_, bytes) in self.vault.list_prefix(table, prefix)? {
                let Ok(envelope) = Envelope::parse(&bytes) else { continue };
                let place = envelope.place();
                if let Some(of) = places.get_mut(&place.document) {
                    of.push(place.clone());
                }
            }
        }
        let mut chains = BTreeSet::new();
        for (document, places) in &places {
            let cuts = beside.documents.get(document).map_or(0, |(state, _)| state.cuts);
            if cuts > 0 || places.iter().any(|place| Self::is_void(&self.follower, place)) {
                chains.extend(places.iter().map(|place| (place.device, place.incarnation)));
            }
        }
        Ok(chains)
    }

    /// Whether the documents here are those that who signed the end had: no end of another one came between.
    fn are_those_of_then(&self, here: &WorkedOut<'_>, beside: &Beside) -> bool {
        let mut others = self.ends(here.old.space).iter().filter(|of| of.document != here.old.document);
        let as_then =
            |of: &Replaced| beside.documents.contains_key(&of.document) == (of.entry > here.of.entry);
        others.all(as_then)
    }

    fn beside(&self, old: &DocumentState) -> Result<Beside, SessionError> {
        let is_beside = |of: &&DocumentState| of.space == old.space && of.document != old.document;
        let (mut documents, mut links) = (BTreeMap::new(), BTreeMap::new());
        for state in self.documents.values().filter(is_beside) {
            let open = match self.open.get(&state.document) {
                Some((_, open)) => open.clone(),
                None => self.load_document(state.document)?,
            };
            links.insert(state.document, open.links()?.clone());
            documents.insert(state.document, (state.clone(), open));
        }
        Ok(Beside { documents, links, stands: None })
    }

    fn outside(&self, space: SpaceId, kept: &[(Table, &[u8])]) -> Result<Outside, SessionError> {
        let mut outside = Outside::new();
        for (table, prefix) in kept {
            for (_, bytes) in self.vault.list_prefix(*table, prefix)? {
                let Ok(envelope) = Envelope::parse(&bytes) else { continue };
                let place = envelope.place();
                if place.space == space {
                    let first = outside.entry((place.device, place.incarnation)).or_insert(u64::MAX);
                    *first = (*first).min(place.envelope_seq);
                }
            }
        }
        Ok(outside)
    }

    /// The actor as which a chain's device writes where it knows of no cut.
    fn actor_of_chain(&self, device: DeviceId, incarnation: IncarnationId) -> Option<Actor> {
        let account = self.follower.account_of(device)?;
        let known = self.follower.log_of(account)?.known(device)?;
        Some(actor_of(&known.card.signing, incarnation))
    }
}
