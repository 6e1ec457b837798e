//! The keys a vault works with, each derived from the vault key for one purpose.

use mecum_seal::{RowKey, RowTagger, VaultKey, derive_key};

/// Name of a row in the file: HMAC of kind and name.
pub(crate) type RowId = [u8; 16];

pub(crate) struct Keys {
    pub(crate) row: RowKey,
    pub(crate) head: RowKey,
    pub(crate) folded: RowKey,
    names: RowTagger,
    tags: RowTagger,
}

impl Keys {
    pub(crate) fn derive(vault_key: &VaultKey) -> Box<Keys> {
        let row_key = |purpose| RowKey::from_bytes(*derive_key(vault_key, purpose).expose());
        Box::new(Keys {
            row: row_key("mecum/vault/1/row"),
            head: row_key("mecum/vault/1/head"),
            folded: row_key("mecum/vault/1/folded"),
            names: RowTagger::new(&derive_key(vault_key, "mecum/vault/1/name")),
            tags: RowTagger::new(&derive_key(vault_key, "mecum/vault/1/tag")),
        })
    }

    /// Where a row of this name is kept: names never stand in the file.
    pub(crate) fn id(&self, kind: u8, name: &[u8]) -> RowId {
        self.names.tag(&[&[kind], name])
    }

    /// What a row adds to its digest.
    pub(crate) fn tag(&self, kind: u8, id: &RowId, generation: u64) -> u128 {
        u128::from_be_bytes(self.tags.tag(&[b"row", &[kind], &generation.to_be_bytes(), id]))
    }

    /// Authenticates the commit counter kept outside the file.
    pub(crate) fn counter_tag(&self, counter: u64) -> [u8; 16] {
        self.tags.tag(&[b"counter", &counter.to_be_bytes()])
    }
}
