//! What tests, the bench and the demo share: repeatable randomness, a clock that stands still, and invented families.
//!
//! Never part of a shipped program's own data path. Everybody in it is invented; nothing here knows vaults or keys.

pub mod chaos;
pub mod clock;
pub mod entropy;
pub mod generator;
pub mod mutate;
pub mod relay;

pub use chaos::Chaos;
pub use clock::FakeClock;
pub use entropy::{Dice, SeededEntropy};
pub use generator::{GeneratedPerson, MIXED_AUTHORS, MixedEntry, OwnEntry, generate_family, generate_mixed};
pub use relay::{Cheat, FakeRelay};
