//! Documents from outside: the payload codec, merging, the guards, snapshots, cuts and successors, each against its claims.

#[path = "documents/cuts.rs"]
mod cuts;
#[path = "documents/forge.rs"]
mod forge;
#[path = "documents/guards.rs"]
mod guards;
#[path = "documents/merging.rs"]
mod merging;
#[path = "documents/payloads.rs"]
mod payloads;
#[path = "documents/regenesis.rs"]
mod regenesis;
#[path = "documents/replay.rs"]
mod replay;
#[path = "documents/snapshots.rs"]
mod snapshots;
#[path = "documents/travelling.rs"]
mod travelling;
#[path = "documents/world.rs"]
mod world;
