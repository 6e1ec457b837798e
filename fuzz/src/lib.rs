//! Fuzzing of everything that reads bytes from elsewhere: one plain function for each parser, the bytes to begin with, and a
//! runner that changes them by their structure, watches time and memory, and keeps what was taken to go on from.
//!
//! It is not guided by coverage: that takes a compiler that this project does not build with.

mod corpus;
mod runner;
mod targets;

pub use corpus::{from_hex, kept_in};
pub use runner::{Bounds, Verdict, run};
pub use targets::TARGETS;

/// One parser.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder of kept inputs too.
    pub name: &'static str,
    /// Reads the bytes; whether they were taken. It must not panic, whatever they are.
    pub read: fn(&[u8]) -> bool,
    /// What it takes, to begin with.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// What is changed in them.
    pub shape: Shape,
}

/// What the bytes of a target look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// CBOR, and CBOR inside its byte strings.
    Cbor,
    /// JSON.
    Json,
    /// Nothing that the runner knows.
    Plain,
}
