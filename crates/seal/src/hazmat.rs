//! The bare primitives of ring, hpke and argon2, each behind the one use made of it here.
//!
//! Misused, any of these loses data or secrets; code outside this crate goes through `safe`.

pub(crate) mod aead;
pub(crate) mod argon;
pub(crate) mod hpke;
pub(crate) mod kdf;
mod low_order;
pub(crate) mod sign;

#[cfg(test)]
pub(crate) use low_order::x25519_encodings as low_order_x25519;

#[cfg(test)]
mod vectors;
