//! The hospital's program, patients' apps and a server over TCP: what it answers, what it books, and what it does after a bad day.

#[path = "agent/answers.rs"]
mod answers;
#[path = "agent/bad_days.rs"]
mod bad_days;
#[path = "agent/folder.rs"]
mod folder;
#[path = "agent/house.rs"]
mod house;
#[path = "../../client/tests/support/world.rs"]
mod world;
