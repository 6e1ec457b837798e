//! What an epoch adds to a document's key: whoever was removed holds the key of every document, and must not read what is
//! written in the next epoch.

use zeroize::Zeroizing;

use crate::hazmat::kdf::hkdf_into;
use crate::secret::{DocumentKey, EpochKey};

const CONTEXT: &[u8] = b"mecum/document-in-epoch/1";

/// The key that seals a document's envelopes in an epoch: in the first, the document's own key; in every later one
/// `HKDF-SHA256[salt = epoch key, "mecum/document-in-epoch/1"](document key, 32)`. Both keys are needed for it.
pub fn document_key_in_epoch(document: &DocumentKey, epoch: u32, epoch_key: &EpochKey) -> DocumentKey {
    if epoch <= 1 {
        return document.clone();
    }
    let mut key = Zeroizing::new([0u8; 32]);
    hkdf_into(document.expose(), epoch_key.expose(), &[CONTEXT], key.as_mut());
    DocumentKey::from_bytes(*key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn a_later_epoch_takes_both_keys_and_the_first_is_as_it_always_was() {
        let entropy = SeededEntropy::new(70);
        let (document, other) = (DocumentKey::make(&entropy), DocumentKey::make(&entropy));
        let (epoch, next) = (EpochKey::make(&entropy), EpochKey::make(&entropy));
        assert_eq!(
            document_key_in_epoch(&document, 1, &epoch).expose(),
            document.expose(),
            "what was sealed opens"
        );
        let keys = [
            *document.expose(),
            *document_key_in_epoch(&document, 2, &epoch).expose(),
            *document_key_in_epoch(&document, 2, &next).expose(),
            *document_key_in_epoch(&other, 2, &epoch).expose(),
        ];
        let different = keys.iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(different.len(), keys.len(), "neither key alone gives it away");
    }

    #[test]
    fn the_derivation_is_frozen() {
        let document = DocumentKey::from_bytes([1; 32]);
        let key = document_key_in_epoch(&document, 2, &EpochKey::from_bytes([2; 32]));
        let hex = key.expose().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(
            hex, "3cbe8785c5d172b61fc2b7bb86e90851e9fa020c0fed12c41cc9e2bd521ebed6",
            "stored envelopes depend on it"
        );
    }
}
