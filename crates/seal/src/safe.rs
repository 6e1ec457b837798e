//! What the rest of the product uses: each item here is hard to use wrongly.

pub(crate) mod envelope;
pub(crate) mod epoch;
pub(crate) mod helpers;
pub(crate) mod kit;
pub(crate) mod padding;
pub(crate) mod pairing;
pub(crate) mod passphrase;
pub(crate) mod recovery;
pub(crate) mod row;
pub(crate) mod slot;
pub(crate) mod words;
pub(crate) mod wrap;
