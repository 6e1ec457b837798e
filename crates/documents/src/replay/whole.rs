//! A document with cuts as a snapshot carries it: all that there ever was, from which whoever receives it builds the
//! document anew and believes nobody.

use std::collections::BTreeSet;

use super::layers::{Engine, Original};
use super::{Cut, ReplayError, Replayed};
use crate::actor::Actor;
use crate::document::Document;
use crate::steps::Step;

impl Document {
    /// This document and everything beside it in one, void changes too. Not for reading: for [`Self::replay_whole`]. Of a
    /// clone it has the line that this device saw first.
    pub fn whole(&self, state: &Replayed) -> Result<Self, ReplayError> {
        Ok(Engine::open(self, state)?.all)
    }

    /// The document that is left of a [`Self::whole`] by `cuts`, in their order, and its state; written from now on by the
    /// device whose first actor is `author`. `writers` says which actors devices write under: every other change must come out
    /// of these anew, and nothing else may be in it. `document` is its id. A snapshot of a document in which people
    /// had built on both lines of a clone does not pass; it is then fetched by its envelopes.
    pub fn replay_whole(
        whole: &Self,
        document: [u8; 16],
        cuts: Vec<Cut>,
        writers: &dyn Fn(Actor) -> bool,
        author: Actor,
    ) -> Result<(Self, Replayed), ReplayError> {
        let steps = whole.steps().map_err(ReplayError::Step)?;
        let count = steps.len();
        let mut engine = Engine::open(&Self::new(author), &Replayed::none(document))?;
        for cut in cuts {
            engine.add_layer(cut);
        }
        let mut left: Vec<Step> = steps.into_iter().filter(|step| writers(step.actor)).collect();
        // What was written again does not follow its original, so one pass in the order of history is not enough.
        loop {
            let before = left.len();
            let mut later = Vec::new();
            for step in left {
                if step.deps.iter().all(|dep| engine.all.has_change(dep)) {
                    engine.take_original(whole, step)?;
                } else {
                    later.push(step);
                }
            }
            left = later;
            if left.is_empty() {
                break;
            }
            if left.len() == before {
                return Err(ReplayError::State);
            }
        }
        let made: BTreeSet<[u8; 32]> = engine.all.heads().into_iter().collect();
        let given: BTreeSet<[u8; 32]> = whole.heads().into_iter().collect();
        if made != given || engine.all.steps().map_err(ReplayError::Step)?.len() != count {
            return Err(ReplayError::State);
        }
        let actor = engine.state.actor_for(author);
        engine.finish(&Self::new(actor))
    }
}

impl Engine {
    fn take_original(&mut self, whole: &Document, step: Step) -> Result<(), ReplayError> {
        let change = whole.change(&step.change).ok_or(ReplayError::State)?;
        self.append(&change)?;
        let origin = (step.actor, step.change_seq);
        let original =
            Original { hash: step.change, deps: step.deps, origin, edits: step.edits, change: Some(change) };
        self.through(0, original)
    }
}
