//! The name under which one incarnation of one device writes, which Automerge calls its actor.
//!
//! Computed by the caller; this crate must not know how, only that it is 16 bytes and never shared.

use std::fmt;

use automerge::ActorId;

/// H(device key | incarnation), first 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor([u8; 16]);

impl Actor {
    /// The actor of these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn to_automerge(self) -> ActorId {
        ActorId::from(self.0)
    }

    /// `None` for an actor that is not 16 bytes long: no device of ours wrote it.
    pub(crate) fn of(actor: &ActorId) -> Option<Self> {
        actor.to_bytes().try_into().ok().map(Self)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}
