//! The relay over real TCP: what it stores, what it refuses, and what it withstands.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod backups;
mod bypass;
mod checks;
mod controls;
mod device;
mod exchange;
mod floods;
mod frames;
mod frozen;
mod handed;
mod helping;
mod histories;
mod introductions;
mod lockouts;
mod mailboxes;
mod members;
mod policies;
mod pruning;
mod publishing;
mod recovery;
mod refusals;
mod restored;
mod said;
mod server;
mod sign_in;
mod upheld;
mod wake;
