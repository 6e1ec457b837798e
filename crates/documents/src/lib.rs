//! Automerge documents as Mecum's records: typed edits in, entries with their clashes out, and the guards on what
//! peers send.
//!
//! It exists so that nothing above it sees Automerge, and nothing below a guard sees a peer's bytes. It knows Automerge
//! and `mecum_domain`; it must know no keys, no storage, no clock, no randomness and no network.

mod actor;
mod admit;
mod ancestry;
mod author;
mod care;
mod change_at;
mod chunk;
mod compact;
mod document;
mod entries;
pub mod leb128;
mod made_again;
mod payload;
mod regenesis;
mod replay;
mod reserved;
mod rewrite;
mod schema;
mod steps;
mod writes;

pub use actor::Actor;
pub use admit::{Admission, Incoming, Refusal};
pub use author::{AuthorError, Authored};
pub use care::{BadAct, CareAct, MAX_ACT_BYTES, MAX_AFTER, MAX_BY_BYTES, MAX_SEEN, StoredAct};
pub use chunk::ChunkError;
pub use compact::WorkOut;
pub use document::{Document, Limits, Link, LoadError};
pub use entries::{Entry, FieldState, Written};
pub use made_again::Payloads;
pub use payload::{DecodeError, Glance, Payload};
pub use regenesis::{Extracted, Item, Late, Regenesis, RegenesisError};
pub use replay::{Cut, Readmission, ReplayError, Replayed};
pub use reserved::{actor_after, replay_actor};
pub use rewrite::{Rewritten, TakenOut};
pub use schema::{
    MAX_CHANGE_BYTES, MAX_CHANGE_OPERATIONS, MAX_DOCUMENT_OPERATIONS, MAX_SNAPSHOT_BYTES, genesis_hash,
};
pub use steps::Step;
