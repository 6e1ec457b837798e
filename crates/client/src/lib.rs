//! The facade that three shells call: an account on this device, its charts, and its exchange with the server.
//!
//! Everything that a screen asks goes through [`App::call`]. Storage, clock, randomness and the network come in from
//! outside; keys never leave.

mod account_entries;
mod anew;
mod app;
mod arrivals;
mod aside;
mod base64;
mod believed;
mod broken;
mod care;
mod checking;
mod clock;
mod commands;
mod devices;
mod driver;
mod edits;
mod erasing;
mod error;
mod exchange;
mod folding;
mod founding;
#[cfg(test)]
mod frozen;
mod gather;
mod handed;
mod heads;
mod helpers;
mod honesty;
mod identity;
mod idle;
mod imports;
mod integrity;
mod loading;
mod logs;
mod members;
mod news;
mod notices;
mod pages;
mod pairing;
mod plaintext;
mod published;
mod recovery;
pub mod remote;
mod residue;
mod restored;
mod row;
mod rows_from;
mod session;
mod settings;
mod showing;
mod snapshots;
mod space;
mod stage;
mod summary;
#[doc(hidden)]
pub mod testing;
mod times;
mod views;
mod whereabouts;
mod writing;

pub use app::{App, AppOptions};
pub use broken::say_only_where_it_broke;
pub use care::{After, CareMark, CareSpace, CareTalk, OwnRow, SeenBy, TalkActs};
pub use checking::{VaultChecked, check_vault};
pub use clock::{Clock, FixedClock, SystemClock};
pub use error::SessionError;
pub use exchange::{ExchangeError, Exchanged};
pub use founding::found_account;
pub use imports::person_of_file;
pub use mecum_documents::CareAct;
pub use mecum_seal::{IncarnationId, SpaceId};
pub use members::{CareOffer, HospitalCard};
pub use news::News;
pub use row::{ChartRows, ItemKey, Row};
pub use session::{Past, Session, Surroundings};
pub use summary::ChartSummary;
pub use writing::KeepOutcome;
