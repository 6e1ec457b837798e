//! The relay over real TCP: what it stores, what it refuses, and what it withstands.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod backups;
mod checks;
mod device;
mod exchange;
mod floods;
mod frames;
mod lockouts;
mod policies;
mod refusals;
mod restored;
mod server;
mod sign_in;
mod wake;
