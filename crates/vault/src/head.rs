//! The authenticated head: one sealed row that vouches for every other row.
//!
//! Each row has a tag, HMAC(kind, generation, id). The tags are summed modulo 2^128 into 64 digests, picked by the
//! row's id, so that replacing a row subtracts one tag and adds another: no commit costs more as the vault grows. The
//! digests, a count per kind and the commit counter are sealed together. Somebody without the keys cannot tell what
//! sum a changed set of rows would need, and an older head does not fit newer rows.
//!
//! A file with folded runs keeps the sums modulo 2^104: so the head, which every commit writes, fits a page of 1 KiB (ADR 0020).

use mecum_seal::{Entropy, Hash32, open_row, seal_row, sha256_parts};

use crate::keys::{Keys, RowId};

/// Digests in the head.
pub(crate) const BUCKETS: usize = 64;
/// Kinds of rows that are counted.
pub(crate) const KINDS: usize = 16;
const HEAD_AAD: &[u8] = b"mecum/vault/1/head";

/// How much of the sums is kept. How long a head is says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Sums modulo 2^128.
    Whole,
    /// Modulo 2^104.
    Narrow,
}

impl Width {
    fn digest_bytes(self) -> usize {
        match self {
            Width::Whole => 16,
            Width::Narrow => 13,
        }
    }

    fn head_bytes(self) -> usize {
        8 + BUCKETS * self.digest_bytes() + KINDS * 4
    }

    /// A sum, as much of it as counts.
    pub(crate) fn of(self, sum: u128) -> u128 {
        match self {
            Width::Whole => sum,
            Width::Narrow => sum & (u128::MAX >> 24),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Commits so far: the generation of the newest rows.
    pub(crate) counter: u64,
    pub(crate) width: Width,
    pub(crate) digests: [u128; BUCKETS],
    pub(crate) counts: [u32; KINDS],
}

impl Head {
    pub(crate) const EMPTY: Head =
        Head { counter: 0, width: Width::Whole, digests: [0; BUCKETS], counts: [0; KINDS] };

    /// One over no rows, for those that this one vouches for to be added to.
    pub(crate) fn without_rows(&self) -> Head {
        Head { counter: self.counter, width: self.width, ..Head::EMPTY }
    }

    /// Keeps less of the sums from now on.
    pub(crate) fn narrow(&mut self) {
        self.width = Width::Narrow;
        self.digests.iter_mut().for_each(|digest| *digest = Width::Narrow.of(*digest));
    }

    pub(crate) fn add(&mut self, keys: &Keys, kind: u8, id: &RowId, generation: u64) {
        let tag = keys.tag(kind, id, generation);
        if let Some(digest) = self.digests.get_mut(bucket_of(id)) {
            *digest = self.width.of(digest.wrapping_add(tag));
        }
        if let Some(count) = self.counts.get_mut(usize::from(kind)) {
            *count = count.wrapping_add(1);
        }
    }

    pub(crate) fn subtract(&mut self, keys: &Keys, kind: u8, id: &RowId, generation: u64) {
        let tag = keys.tag(kind, id, generation);
        if let Some(digest) = self.digests.get_mut(bucket_of(id)) {
            *digest = self.width.of(digest.wrapping_sub(tag));
        }
        if let Some(count) = self.counts.get_mut(usize::from(kind)) {
            *count = count.wrapping_sub(1);
        }
    }

    pub(crate) fn seal(&self, keys: &Keys, entropy: &dyn Entropy) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.width.head_bytes());
        plain.extend_from_slice(&self.counter.to_be_bytes());
        for digest in &self.digests {
            let bytes = digest.to_be_bytes();
            plain.extend_from_slice(bytes.get(bytes.len() - self.width.digest_bytes()..).unwrap_or_default());
        }
        self.counts.iter().for_each(|count| plain.extend_from_slice(&count.to_be_bytes()));
        seal_row(&keys.head, HEAD_AAD, &plain, entropy)
    }

    pub(crate) fn open(keys: &Keys, sealed: &[u8]) -> Option<Head> {
        let plain = open_row(&keys.head, HEAD_AAD, sealed).ok()?;
        let width = [Width::Whole, Width::Narrow].into_iter().find(|w| w.head_bytes() == plain.len())?;
        let (counter, rest) = plain.split_first_chunk::<8>()?;
        let (digests, counts) = rest.split_at_checked(BUCKETS * width.digest_bytes())?;
        let mut head = Head { counter: u64::from_be_bytes(*counter), width, ..Head::EMPTY };
        for (digest, bytes) in head.digests.iter_mut().zip(digests.chunks_exact(width.digest_bytes())) {
            *digest = bytes.iter().fold(0, |sum, byte| (sum << 8) | u128::from(*byte));
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

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;
    use mecum_seal::{VaultKey, sha256};

    use super::*;

    const FULL: u64 = 3_000;

    fn full(keys: &Keys, mut head: Head) -> Head {
        for at in 0..FULL {
            head.add(keys, (at % 12) as u8, &keys.id(1, &at.to_be_bytes()), at);
        }
        head
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_narrowed_at_any_time_is_as_if_it_always_had_been() {
        let keys = Keys::derive(&VaultKey::from_bytes([7; 32]));
        let entropy = SeededEntropy::new(1);
        let whole = full(&keys, Head::EMPTY);
        let mut narrowed = whole.clone();
        narrowed.narrow();
        let always = full(&keys, Head { width: Width::Narrow, ..Head::EMPTY });
        assert!(
            narrowed == always && narrowed != whole,
            "what counts of a sum is the same whenever it is cut"
        );
        for head in [&whole, &narrowed] {
            let opened = Head::open(&keys, &head.seal(&keys, &entropy));
            assert!(opened.as_ref() == Some(head), "each form says which it is");
        }
        for at in 0..FULL {
            let id = keys.id(1, &at.to_be_bytes());
            narrowed.subtract(&keys, (at % 12) as u8, &id, at);
        }
        assert!(narrowed == narrowed.without_rows(), "what was added is taken away again");
    }

    /// SHA-256 of each form's bytes, salt and all: other bytes are another format.
    #[test]
    fn both_forms_of_the_head_are_frozen() {
        let keys = Keys::derive(&VaultKey::from_bytes([7; 32]));
        for (width, bytes, frozen) in [
            (Width::Whole, 1_144, "91ff84253cdd67f2e23024e75bb95f9a051b8009f6f4c7283f921294176ff7e2"),
            (Width::Narrow, 952, "b1ca2238f8b2f4fbd5c09818a529a753b923313913ec743c99c39c8a706dbb0d"),
        ] {
            let head = full(&keys, Head { width, counter: FULL, ..Head::EMPTY });
            let sealed = head.seal(&keys, &SeededEntropy::new(1));
            assert_eq!((sealed.len(), sha256(&sealed).to_string().as_str()), (bytes, frozen));
        }
    }

    #[test]
    fn a_narrow_head_lies_on_one_page_of_a_kibibyte() {
        let keys = Keys::derive(&VaultKey::from_bytes([7; 32]));
        let narrow = Head { width: Width::Narrow, ..Head::EMPTY };
        // A leaf of a table holds a payload up to the page less 35 B: the body, and four bytes of what SQLite says of it.
        assert!(narrow.seal(&keys, &SeededEntropy::new(1)).len() + 4 <= 1_024 - 35);
    }
}
