//! Where a successor stands: whether it is here, and whether it is what a manager signed and what comes out of the document here.

use std::collections::BTreeSet;

use mecum_api::ErasureKind;
use mecum_documents::{Actor, Document, Late};
use mecum_seal::{Envelope, SpaceId};
use mecum_sync::Replaced;
use mecum_vault::Table;

use super::super::base::{Base, Info, Pending, base_digest};
use super::super::comparing::WorkedOut;
use super::super::signing::key_of_item;
use crate::arrivals::{Arrival, waiting_prefix};
use crate::error::SessionError;
use crate::members::{actors_in, all_actors};
use crate::plaintext::unpack;
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

/// The old document here does not let the successor be worked out.
const BROKEN: SessionError = SessionError::Stored { what: "successor" };

/// What a successor begins with, judged.
pub(super) struct Begun {
    pub(super) base: Base,
    pub(super) info: Info,
    pub(super) document: Document,
    pub(super) rest: Vec<Arrival>,
    pub(super) pending: Pending,
}

/// Where a successor stands.
pub(super) enum Standing {
    /// It is here and good.
    Here(Box<Begun>),
    /// Its first envelope is not here yet.
    Waits,
    /// It is not what a manager signed, or not what comes out of the document here.
    Refused,
}

impl Session {
    pub(super) fn standing(
        &self,
        of: &Replaced,
        said: &[Pending],
        digest: mecum_seal::Hash32,
    ) -> Result<Standing, SessionError> {
        // What takes a document's place says no other side than its id, whether or not the one that ends is here.
        let its_side = |pending: &Pending| {
            self.spaces.get(&pending.space).is_some_and(|space| space.side_of(of.by) == pending.side())
        };
        let right = said.iter().filter(|pending| pending.of == of.document && its_side(pending));
        let right: Vec<&Pending> = right.collect();
        if right.is_empty() && !said.is_empty() {
            return Ok(Standing::Refused);
        }
        for pending in right {
            if let Some(begun) = self.begun_by(of, pending, digest)? {
                return Ok(Standing::Here(Box::new(begun)));
            }
        }
        Ok(Standing::Waits)
    }

    /// What a successor begins with, where it opens as somebody said.
    fn begun_by(
        &self,
        of: &Replaced,
        pending: &Pending,
        digest: mecum_seal::Hash32,
    ) -> Result<Option<Begun>, SessionError> {
        let Some(space) = self.spaces.get(&pending.space) else { return Ok(None) };
        let mut found = None;
        let mut rest = Vec::new();
        for (_, bytes) in self.vault.list_prefix(Table::Waiting, &waiting_prefix(of.by))? {
            let Ok(envelope) = Envelope::parse(&bytes) else { continue };
            let opened = space.open(&pending.key(), &envelope).and_then(|plain| unpack(&plain).ok());
            match opened.and_then(|body| Base::decode(&body)) {
                Some(base) => {
                    // Of several only the one that a manager signed counts.
                    if let Some(begun) = self.judge(base, of, pending, digest) {
                        found = Some(begun);
                    }
                }
                None => rest.push(Arrival { envelope, bytes: bytes.to_vec(), kept: false }),
            }
        }
        Ok(found.map(|begun| Begun { rest, ..begun }))
    }

    fn judge(
        &self,
        base: Base,
        of: &Replaced,
        pending: &Pending,
        digest: mecum_seal::Hash32,
    ) -> Option<Begun> {
        let info = Info::decode(&base.info)?;
        let document = base.document(self.identity.actor())?;
        let signed = base_digest(&document.heads_of(&|_| true), &base.info) == digest;
        let pending = pending.clone();
        (signed && base.of == of.document).then_some(Begun {
            base,
            info,
            document,
            rest: Vec::new(),
            pending,
        })
    }

    /// What this device had written in the old document beyond what the successor was made from; `None` if something else comes out
    /// of the old document than was sent.
    pub(super) fn late_in(
        &mut self,
        old: &DocumentState,
        of: &Replaced,
        begun: &Begun,
        kind: ErasureKind,
    ) -> Result<Option<Late>, SessionError> {
        let Begun { base, info, document: sent, .. } = begun;
        let current = self.open_document(old.document)?.clone();
        let Some(covered) = current.as_of(&base.covered()) else {
            // Something of the old document never came here: what is sent cannot be worked out, and is a manager's word.
            let chains = self.chains_named(&Stage::default(), old.space, of)?;
            return self.late_by_chain(old, chains.as_deref()).map(Some);
        };
        let replayed = self.replayed(&Stage::default(), old)?;
        let before = self.successor_info(&Stage::default(), old.document)?.unwrap_or_default();
        let author_of = |actor: Actor| before.author(replayed.author(actor));
        let left_out: BTreeSet<ItemKey> = base.left_out.iter().copied().collect();
        let keep = |item| !left_out.contains(&key_of_item(item));
        let made = covered
            .regenesis(of.by.as_bytes(), self.identity.actor(), &author_of, &keep)
            .map_err(|_| BROKEN)?;
        if made.document.heads() != sent.heads() {
            return Ok(None);
        }
        let here = WorkedOut {
            of,
            old,
            covered: &covered,
            replayed: &replayed,
            before: &before,
            made: &made,
            left_out: &left_out,
            kind,
        };
        if !self.is_as_here(&here, info)? {
            return Ok(None);
        }
        let own = self.own_actors(old.space);
        let late = current.late_edits(&covered, &made, &|actor| own.contains(&author_of(actor)), &keep);
        late.map(Some).map_err(|_| BROKEN)
    }

    /// Every actor under which this device may have written in a space.
    fn own_actors(&self, space: SpaceId) -> BTreeSet<Actor> {
        let log = self.follower.space_log(space);
        let own =
            all_actors(&self.follower).into_iter().filter(|((device, _), _)| *device == self.identity.device);
        own.flat_map(|(_, first)| log.map_or_else(|| vec![first], |log| actors_in(log, first))).collect()
    }
}
