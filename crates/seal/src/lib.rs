//! Sealing: what turns bytes into envelopes, rows, slots and wraps that only the right key opens.
//!
//! It exists so that every other part can hand bytes to a disk or a server without trusting either. It knows no
//! records, no database and no network: bytes and keys go in, bytes come out. Randomness enters through [`Entropy`]
//! only. `hazmat` holds the bare primitives; everything public is built from them in `safe`.

mod entropy;
mod hazmat;
mod ids;
mod safe;
mod secret;

#[doc(hidden)]
pub mod testing;

pub use entropy::{Entropy, SystemEntropy};
pub use hazmat::argon::{KdfFloor, KdfParams, KdfParamsError};
pub use hazmat::hpke::{BadKemKey, KEM_PUBLIC_BYTES, KEM_SECRET_BYTES, KemPublic, KemSecret};
pub use hazmat::kdf::{RowTagger, derive_key, hmac16};
pub use hazmat::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
pub use ids::{
    AccountId, DeviceId, DocumentId, Hash32, IncarnationId, ParseIdError, SpaceId, sha256, sha256_parts,
};
pub use safe::envelope::{
    ENVELOPE_VERSION, Envelope, MAX_ENVELOPE_BYTES, MAX_PLAINTEXT_BYTES, OpenEnvelopeError,
    ParseEnvelopeError, Place, Salt, SealEnvelopeError, SealedEnvelope, seal_envelope, seal_envelope_again,
    seal_envelope_seeded,
};
pub use safe::epoch::document_key_in_epoch;
pub use safe::helpers::{
    CHECK_WORDS, CombineError, HELPERS, HELPERS_NEEDED, HelperPart, HelperSet, SharedOut, check_words,
};
pub use safe::kit::{BadKitWords, KIT_WORDS, RecoveryKit};
pub use safe::padding::{PADDING_FLOOR_BYTES, padded_len};
pub use safe::pairing::{BadPairingWords, OpenPairingError, PAIRING_WORDS, PairingSecret};
pub use safe::passphrase::{
    MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARS, PassphraseCheck, PassphraseVerdict, check_passphrase,
    suggest_passphrase,
};
pub use safe::recovery::{RecoverySlot, WrongRecoveryKey, check_vouch};
pub use safe::row::{OpenRowError, ROW_OVERHEAD_BYTES, open_row, seal_row};
pub use safe::slot::{DecodeSlotError, MakeSlotError, PassphraseSlot, WrongPassphrase};
pub use safe::wrap::{
    SealToError, UnwrapError, WRAP_BYTES, WRAP_OVERHEAD_BYTES, open_from, seal_to, unwrap_key, wrap_key,
};
pub use secret::{
    AccountKey, DocumentKey, EpochKey, Key32, RecoveryKey, RowKey, SecretKey32, VaultKey, with_wiped_stack,
};
