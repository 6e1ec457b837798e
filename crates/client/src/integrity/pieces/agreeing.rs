//! Whether what the server shows of a space is what this vault had verified, link by link, and whether everything that the server
//! lacks is still good here. A link names the one before it, so that one link that is equal says that all before it are.

use std::collections::BTreeMap;

use mecum_seal::{Envelope, Hash32, SpaceId};
use mecum_sync::{Chain, ChainHead};
use mecum_vault::Table;

use super::Pieces;
use crate::session::Session;

/// The links of a space that are at hand: by chain and number, and of those by id, the id of the link before.
type Links = BTreeMap<(Chain, u64), BTreeMap<Hash32, Hash32>>;

fn note(links: &mut Links, space: SpaceId, bytes: &[u8]) {
    let Ok(envelope) = Envelope::parse(bytes) else { return };
    let place = envelope.place();
    if place.space == space {
        let chain = Chain { device: place.device, incarnation: place.incarnation, space };
        let at = links.entry((chain, place.envelope_seq)).or_default();
        at.insert(envelope.content_id(), place.previous);
    }
}

/// Whether the links at hand lead from one head down to another.
fn lead(links: &Links, chain: Chain, from: ChainHead, to: ChainHead) -> bool {
    let mut expected = from.hash;
    for seq in (to.envelope_seq + 1..=from.envelope_seq).rev() {
        match links.get(&(chain, seq)).and_then(|at| at.get(&expected)) {
            Some(previous) => expected = *previous,
            None => return false,
        }
    }
    expected == to.hash
}

impl Pieces<'_> {
    /// Whether a space as it was fetched goes on from what this vault had verified, or stops short of it only by what is good here.
    pub(super) fn agrees(&self, fetched: &Session, space: SpaceId) -> bool {
        let (mut here, mut there) = (Links::new(), Links::new());
        for (_, bytes) in self.logs.values().flat_map(|log| &log.envelopes) {
            note(&mut here, space, bytes);
        }
        let aside = [Table::Waiting, Table::Quarantine, Table::Sync];
        for row in self.salvage.rows().iter().filter(|row| aside.contains(&row.table)) {
            note(&mut here, space, &row.body);
        }
        for log in fetched.vault.documents() {
            let Ok(envelopes) = fetched.envelopes(log, 0) else { return false };
            for (_, bytes) in &envelopes {
                note(&mut there, space, bytes);
            }
        }
        let own = self.own_chain(space);
        self.verified(space).into_iter().all(|(chain, head)| {
            let shown = fetched.follower.chain_head(&chain);
            if shown.envelope_seq <= head.envelope_seq {
                return lead(&here, chain, head, shown);
            }
            // Of the own chain nobody can have more than this vault, unless it is an older copy: that has to live anew. Of another's
            // the link itself tells, where it did not come folded.
            let at = there.get(&(chain, head.envelope_seq));
            chain != own && at.is_none_or(|at| at.contains_key(&head.hash))
        })
    }

    /// Where every chain of a space ended by this vault; the own one with what was never sent.
    fn verified(&self, space: SpaceId) -> Vec<(Chain, ChainHead)> {
        let own = self.own_chain(space);
        let others = self.follower.chains(space).into_iter().filter(|(chain, _)| *chain != own);
        let written = self.spaces.get(&space).map(|state| {
            (own, ChainHead { envelope_seq: state.own_seq, hash: state.own_last, ..ChainHead::EMPTY })
        });
        others.chain(written).collect()
    }

    fn own_chain(&self, space: SpaceId) -> Chain {
        Chain { device: self.identity.device, incarnation: self.identity.incarnation, space }
    }
}
