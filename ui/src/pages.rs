//! The pages: each asks by queries, draws, and acts by commands.

pub mod add;
pub(crate) mod answer;
pub mod changes;
pub mod devices;
pub mod edit;
pub mod entry;
pub mod first_run;
mod form;
pub(crate) mod head;
pub mod home;
pub mod import;
pub mod invitation;
pub mod join;
pub mod medicines;
pub mod members;
pub mod pairing;
pub mod people;
pub mod record;
pub mod restore;
pub mod results;
pub mod settings;
pub mod settle;
pub mod unlock;
pub mod whereabouts;
mod words;
