//! What a vault keeps, refuses and notices.

#[path = "vault/canaries.rs"]
mod canaries;
#[path = "support/fixture.rs"]
mod fixture;
#[path = "vault/folding.rs"]
mod folding;
#[path = "vault/frozen.rs"]
mod frozen;
#[path = "vault/lifecycle.rs"]
mod lifecycle;
#[path = "vault/recovery.rs"]
mod recovery;
#[path = "vault/rows.rs"]
mod rows;
#[path = "vault/tampering.rs"]
mod tampering;
