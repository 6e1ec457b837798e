//! The contract between the screens and the client: commands, views, events and error codes.
//!
//! Views carry what a screen needs and nothing else: ids, content of the record, and Fluent message ids, never finished sentences.

mod care;
pub mod command;
mod connecting;
mod desk;
mod devices;
mod docs;
mod erasing;
mod error;
mod helpers;
mod hospital;
mod import;
mod integrity;
mod live;
mod members;
mod people;
mod record;
mod recovery;
mod vault;

pub use care::*;
pub use command::{COMMAND_NAMES, Command, CommandDoc, commands_doc};
pub use connecting::*;
pub use desk::*;
pub use devices::*;
pub use docs::api_markdown;
pub use erasing::*;
pub use error::{CallError, Code};
pub use helpers::*;
pub use hospital::*;
pub use import::*;
pub use integrity::*;
pub use live::*;
pub use mecum_domain as domain;
pub use members::*;
pub use people::*;
pub use record::*;
pub use recovery::*;
pub use vault::*;
