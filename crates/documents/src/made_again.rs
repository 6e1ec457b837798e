//! The payloads of a document's own changes, made again: what an envelope held that was folded away.
//!
//! A change says everything about its edits but when they were written. The bytes are those of the writer wherever the writer is this
//! program; where it was another one they may differ, and whoever asked has to compare them with what was there.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Change;
use mecum_domain::{Batch, Edit};

use crate::actor::Actor;
use crate::admit::Refusal;
use crate::document::Document;
use crate::payload::Payload;
use crate::steps::Step;

/// Every change of a document with its edits.
pub struct Payloads {
    changes: BTreeMap<(Actor, u64), (Change, Vec<Edit>)>,
}

impl std::fmt::Debug for Payloads {
    /// Sizes only: payloads hold a person's record.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payloads").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Document {
    /// The payloads of all its changes. One pass over the whole history, so they come together; an error as in [`Self::steps`].
    pub fn payloads(&self) -> Result<Payloads, Refusal> {
        let steps = self.steps()?;
        let all = catch_unwind(AssertUnwindSafe(|| self.doc.get_changes(&[])));
        let mut all: BTreeMap<[u8; 32], Change> = all
            .map_err(|_| Refusal::Unloadable)?
            .into_iter()
            .map(|change| (change.hash().0, change))
            .collect();
        let of = |step: Step| Some(((step.actor, step.change_seq), (all.remove(&step.change)?, step.edits)));
        let changes = steps.into_iter().map(of).collect::<Option<_>>().ok_or(Refusal::Unloadable)?;
        Ok(Payloads { changes })
    }
}

impl Payloads {
    /// The bytes of the payload of one change, as written at that time; `None` if the document has no such change.
    pub fn encode(&self, actor: Actor, change_seq: u64, at_ms: i64) -> Option<Vec<u8>> {
        let (change, edits) = self.changes.get(&(actor, change_seq))?;
        Some(Payload::of(change.clone(), Batch { at_ms, edits: edits.clone() }).encode())
    }
}
