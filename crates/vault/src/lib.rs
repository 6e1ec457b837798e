//! The vault: one SQLite file that keeps everything a device holds, sealed, and notices when it was tampered with.
//!
//! It exists so that "saved" survives a crash and a stolen file says nothing. It knows bytes, names and documents'
//! ids; it must not know what is inside them, nor what the keys it stores are for.
//!
//! Two kinds of content: **rows**, named and overwritten ([`Write::put`]), and **envelopes**, appended per document
//! ([`Write::append`]) and never changed; where their writer can make a run of them again, what it needs for that may stand in their place
//! ([`Write::fold`]). A sealed head authenticates all of them without work that grows with their
//! number (`head.rs` says how).

mod backup;
mod check;
mod copying;
mod distrust;
mod error;
mod guard;
mod head;
mod keys;
mod links;
mod location;
mod lock;
mod read;
mod recovery;
mod room;
mod salvage;
mod schema;
mod state;
mod unlock;
mod write;

pub use check::{CheckReport, Checking, Problem};
pub use copying::Copying;
pub use error::{CreateVaultError, Part, ReadVaultError, UnlockVaultError, WriteVaultError};
pub use guard::Guess;
pub use links::{Folded, Link};
pub use location::{Location, Presence, VaultOptions, presence};
pub use lock::{Hold, hold};
pub use read::Reading;
pub use salvage::{Salvage, SavedLog, SavedRow};
pub use state::{Table, Vault};
pub use write::{Durability, Write};
