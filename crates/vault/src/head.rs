//! The authenticated head: one sealed row that vouches for every other row.
//!
//! Each row has a tag, HMAC(kind, generation, id). The tags are summed modulo 2^128 into 64 digests, picked by the
//! row's id, so that replacing a row subtracts one tag and adds another: no commit costs more as the vault grows. The
//! digests, a count per kind and the commit counter are sealed together. Somebody without the keys cannot tell what
//! sum a changed set of rows would need, and an older head does not fit newer rows.

use mecum_seal::{Entropy, Hash32, open_row, seal_row, sha256_parts};

use crate::keys::{Keys, RowId};

/// Digests in the head.
pub(crate) const BUCKETS: usize = 64;
/// Kinds of rows that are counted.
pub(crate) const KINDS: usize = 16;
const HEAD_AAD: &[u8] = b"mecum/vault/1/head";
const HEAD_BYTES: usize = 8 + BUCKETS * 16 + KINDS * 4;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Commits so far: the generation of the newest rows.
    pub(crate) counter: u64,
    pub(crate) digests: [u128; BUCKETS],
    pub(crate) counts: [u32; KINDS],
}

impl Head {
    pub(crate) const EMPTY: Head = Head { counter: 0, digests: [0; BUCKETS], counts: [0; KINDS] };

    pub(crate) fn add(&mut self, keys: &Keys, kind: u8, id: &RowId, generation: u64) {
        let tag = keys.tag(kind, id, generation);
        if let Some(digest) = self.digests.get_mut(bucket_of(id)) {
            *digest = digest.wrapping_add(tag);
        }
        if let Some(count) = self.counts.get_mut(usize::from(kind)) {
            *count = count.wrapping_add(1);
        }
    }

    pub(crate) fn subtract(&mut self, keys: &Keys, kind: u8, id: &RowId, generation: u64) {
        let tag = keys.tag(kind, id, generation);
        if let Some(digest) = self.digests.get_mut(bucket_of(id)) {
            *digest = digest.wrapping_sub(tag);
        }
        if let Some(count) = self.counts.get_mut(usize::from(kind)) {
            *count = count.wrapping_sub(1);
        }
    }

    pub(crate) fn seal(&self, keys: &Keys, entropy: &dyn Entropy) -> Vec<u8> {
        let mut plain = Vec::with_capacity(HEAD_BYTES);
        plain.extend_from_slice(&self.counter.to_be_bytes());
        self.digests.iter().for_each(|digest| plain.extend_from_slice(&digest.to_be_bytes()));
        self.counts.iter().for_each(|count| plain.extend_from_slice(&count.to_be_bytes()));
        seal_row(&keys.head, HEAD_AAD, &plain, entropy)
    }

    pub(crate) fn open(keys: &Keys, sealed: &[u8]) -> Option<Head> {
        let plain = open_row(&keys.head, HEAD_AAD, sealed).ok()?;
        if plain.len() != HEAD_BYTES {
            return None;
        }
        let (counter, rest) = plain.split_first_chunk::<8>()?;
        let (digests, counts) = rest.split_at_checked(BUCKETS * 16)?;
        let mut head = Head { counter: u64::from_be_bytes(*counter), ..Head::EMPTY };
        for (digest, bytes) in head.digests.iter_mut().zip(digests.chunks_exact(16)) {
            *digest = u128::from_be_bytes(bytes.try_into().ok()?);
        }
        for (count, bytes) in head.counts.iter_mut().zip(counts.chunks_exact(4)) {
            *count = u32::from_be_bytes(bytes.try_into().ok()?);
        }
        Some(head)
    }
}

/// Ids are HMACs, so their first byte spreads rows evenly.
pub(crate) fn bucket_of(id: &RowId) -> usize {
    let [first, ..] = id;
    usize::from(*first) % BUCKETS
}

/// What a document's head row says of its envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DocumentHead {
    pub(crate) count: u64,
    pub(crate) chain: Hash32,
}

impl DocumentHead {
    pub(crate) const EMPTY: DocumentHead = DocumentHead { count: 0, chain: Hash32::ZERO };

    pub(crate) fn encode(&self) -> [u8; 40] {
        let mut out = [0u8; 40];
        let (count, chain) = out.split_at_mut(8);
        count.copy_from_slice(&self.count.to_be_bytes());
        chain.copy_from_slice(self.chain.as_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<DocumentHead> {
        let (count, chain) = bytes.split_first_chunk::<8>()?;
        Some(DocumentHead { count: u64::from_be_bytes(*count), chain: Hash32::from_slice(chain)? })
    }
}

/// `chain' = SHA-256(chain || SHA-256(envelope))`: binds each envelope and its order.
pub(crate) fn chain_step(chain: &Hash32, envelope_id: &Hash32) -> Hash32 {
    sha256_parts(&[chain.as_bytes(), envelope_id.as_bytes()])
}
