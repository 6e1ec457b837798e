//! The bare primitives of ring, hpke and argon2, each behind the one use made of it here.
//!
//! Misused, any of these loses data or secrets; code outside this crate goes through `safe`.

pub(crate) mod aead;
pub(crate) mod argon;
pub(crate) mod hpke;
pub(crate) mod kdf;
pub(crate) mod sign;
