//! The hospital's own member: a program with a vault and keys that answers what patients ask, and alone books.
//!
//! It is an app like any other (`mecum-client`) and speaks with the server as one. It knows no table of the server's, shows no screen, and
//! decides nothing that needs a person: staff confirm, offer, answer and close on devices of the same account. Source: docs/adr/0024.

mod agent;
mod answering;
mod error;
mod ledger;
mod notice;
mod setup;

pub use agent::{Agent, HospitalOptions};
pub use error::HospitalError;
pub use setup::{Start, has_account};
