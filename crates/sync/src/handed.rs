//! Pushes that somebody else wrote, handed to a relay that was restored and has lost them (ADR 0022).
//!
//! Whoever fetched a push has its envelopes and the signed statement that covers them: nothing of the writer's own is needed to
//! store it again as it was. The relay checks it as a reader does, and readers check it as ever: what is handed over counts for no
//! more than if its writer had come back.

use minicbor::{Decode, Encode};

use crate::codec;
use crate::frames::{Outcome, Push, SyncRequest, SyncResponse};
use crate::limits::MAX_PUSHES;

/// The part of a request that hands over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Handed {
    /// In an order in which each acknowledges only what is stored by then. Each with envelopes, and ending where they end. One of
    /// the signed-in device itself is of an epoch that is over: others may hold these links as they are.
    #[cbor(n(0), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub pushes: Vec<Push>,
}

/// The part of an answer that is about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HandedAnswer {
    /// One for each push that was handed over, in order.
    #[cbor(n(0), decode_with = "codec::list::<MAX_PUSHES, _, _>")]
    pub outcomes: Vec<Outcome>,
}

impl SyncRequest {
    /// What is handed over.
    pub fn handed(&self) -> &[Push] {
        self.handed.as_ref().map_or(&[], |handed| &handed.pushes)
    }
}

impl SyncResponse {
    /// One for each push that was handed over. None at all from a relay that takes none.
    pub fn handed_outcomes(&self) -> &[Outcome] {
        self.handed.as_ref().map_or(&[], |handed| &handed.outcomes)
    }
}
