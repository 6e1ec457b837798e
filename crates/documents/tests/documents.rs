//! Documents from outside: the payload codec, merging, the guards and snapshots, each against its claims.

#[path = "documents/forge.rs"]
mod forge;
#[path = "documents/guards.rs"]
mod guards;
#[path = "documents/merging.rs"]
mod merging;
#[path = "documents/payloads.rs"]
mod payloads;
#[path = "documents/snapshots.rs"]
mod snapshots;
#[path = "documents/travelling.rs"]
mod travelling;
