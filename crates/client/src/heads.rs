//! The heads record: a device's own last change in every document of a space. Its keyed hash is in each statement, so that a
//! snapshot made by anybody can be checked against what each writer had signed for.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Link};
use mecum_seal::{DocumentId, EpochKey, Hash32, derive_key, sha256_parts};
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};

/// This device's own last change in a document, as the vault keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct OwnChange {
    /// Its number along this device's actor; 0 if it wrote nothing.
    #[n(0)]
    pub(crate) seq: u64,
    /// Its Automerge hash; zeros if there is none.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
}

impl OwnChange {
    /// Nothing written.
    pub(crate) const NONE: OwnChange = OwnChange { seq: 0, hash: [0; 32] };
}

/// The hash of a record of (document, last change), in ascending order of documents. Keyed, so that it says nothing of the
/// plaintext to who has no epoch key.
pub(crate) fn heads_hash(key: &EpochKey, record: &BTreeMap<DocumentId, Link>) -> Hash32 {
    let key = derive_key(key, "mecum heads v2");
    let mut body = Vec::with_capacity(record.len() * 56);
    for (document, link) in record {
        body.extend_from_slice(document.as_bytes());
        body.extend_from_slice(&link.change_seq.to_be_bytes());
        body.extend_from_slice(&link.change);
    }
    sha256_parts(&[key.expose(), &body])
}

/// The record of one actor among the links of a space's documents.
pub(crate) fn record_of(
    actor: Actor,
    links: &BTreeMap<DocumentId, BTreeMap<Actor, Link>>,
) -> BTreeMap<DocumentId, Link> {
    links.iter().filter_map(|(document, of)| of.get(&actor).map(|link| (*document, *link))).collect()
}

impl Session {
    /// The hash for a statement that ends at the last own envelope of a space.
    pub(crate) fn own_heads(&self, space: &SpaceState) -> Result<Hash32, SessionError> {
        let mut record = BTreeMap::new();
        // A document that has ended is stated no more, also before its successor has begun here.
        let ends = self.ends(space.space);
        let stands = |state: &&DocumentState| state.space == space.space && !ends.is_ended(state.document);
        for state in self.documents.values().filter(stands) {
            let own = match state.own {
                Some(own) => own,
                // Kept by a version that did not note it.
                None => self
                    .load_document(state.document)?
                    .links()?
                    .get(&self.identity.actor())
                    .map_or(OwnChange::NONE, |link| OwnChange { seq: link.change_seq, hash: link.change }),
            };
            if own.seq > 0 {
                record.insert(state.document, Link { change_seq: own.seq, change: own.hash });
            }
        }
        Ok(heads_hash(&space.key, &record))
    }
}
