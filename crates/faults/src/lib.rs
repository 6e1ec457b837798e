//! A disk that fails on purpose, and the harness of the proofs that use it.
//!
//! It exists so that "saved" can be tested against what disks really do: lose what was not synced, tear it, refuse, and
//! forget. It knows SQLite's calls and bytes; it must not know what a vault is. Never shipped: only tests depend on it.
//! Beside it, what else only a harness does to a program: [`memory`] looks for things in another process,
//! [`paging`] pushes one out to a swap file.
//!
//! [`Disk::watch`] records every call that SQLite makes on the files of one folder and can let any of them fail;
//! [`Image::after_cut`] says what such a disk may hold after a power cut; [`Proof`] carries the figures of a test program
//! from the environment and prints its one line of results. [`Frozen`] holds a layout to the bytes that it once had.

mod cut;
mod dice;
mod disk;
mod frozen;
#[cfg(target_os = "linux")]
pub mod memory;
#[cfg(target_os = "linux")]
pub mod paging;
mod proof;
mod shim;

pub use cut::{Image, Loss};
pub use dice::Dice;
pub use disk::{Call, Disk, Event, Fault, Plan};
pub use frozen::Frozen;
pub use proof::{Proof, control_failed};
