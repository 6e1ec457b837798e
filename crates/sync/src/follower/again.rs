//! Reading a relay's history again from its start: after it refused the cursor, or was restored from an older backup.
//!
//! What the relay shows counts from nothing, by the same rules as the first time: only what it has shown **since** is
//! acknowledged, and of the own chain only what it has shown since counts as stored. What was held before is remembered beside
//! it, by chain (number and hash) and not by place: the relay may order anew what it lost, but never put another link under a
//! number that is held here.

use std::collections::BTreeMap;

use mecum_seal::{DeviceId, Envelope, IncarnationId};
use minicbor::{Decode, Encode};

use super::{FollowError, Followed};
use crate::chain::ChainHead;
use crate::limits::MAX_STORED_MARKS;
use crate::snapshot::SnapshotBody;

/// What was shown of a space before its history is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Held {
    /// Entries of its membership log.
    #[n(0)]
    pub(crate) entries: u64,
    /// Where each chain of others stood that has not been shown so far again.
    #[n(1)]
    pub(crate) heads: BTreeMap<(DeviceId, IncarnationId), ChainHead>,
    /// The relay's receipts for links that it has not shown again: they say when, once it does.
    #[n(2)]
    pub(crate) stored: BTreeMap<(DeviceId, IncarnationId), Vec<(u64, i64)>>,
    /// Where the own chain stood, and which it was.
    #[n(3)]
    pub(crate) own: Option<(DeviceId, IncarnationId, u64)>,
}

impl Held {
    /// Whether every chain that ends in a snapshot where it ended here ends with the same link.
    pub(super) fn agrees_with(&self, snapshot: &SnapshotBody) -> bool {
        snapshot.chains.iter().all(|chain| {
            let held = self.heads.get(&(chain.device, chain.incarnation));
            held.is_none_or(|held| {
                held.envelope_seq != chain.head.envelope_seq || held.hash == chain.head.hash
            })
        })
    }
}

impl Followed {
    /// Begins again; the `own` chain is the device's own to compare.
    pub(super) fn begin_again(&mut self, own: (DeviceId, IncarnationId)) {
        let mut held = self.held.take().unwrap_or_default();
        held.entries = held.entries.max(self.confirmed_entries);
        for (name, head) in std::mem::take(&mut self.heads) {
            let further = held.heads.get(&name).is_none_or(|before| before.envelope_seq < head.envelope_seq);
            if name == own {
                let before = held.own.filter(|(device, life, _)| (*device, *life) == own);
                let last = before.map_or(0, |(_, _, last)| last).max(head.envelope_seq);
                held.own = Some((own.0, own.1, last));
            } else if further {
                held.heads.insert(name, head);
            }
        }
        for (name, marks) in std::mem::take(&mut self.stored) {
            let before = held.stored.entry(name).or_default();
            for (seq, at_ms) in marks {
                note(before, seq, at_ms);
            }
        }
        self.held = Some(held);
        self.aside = None;
        self.confirmed_entries = 0;
        self.next_space_seq = 1;
        self.statements.clear();
    }

    /// Where each chain stands as far as it is held here.
    pub(super) fn furthest(&self) -> BTreeMap<(DeviceId, IncarnationId), ChainHead> {
        let mut furthest = self.heads.clone();
        for (name, head) in self.held.iter().flat_map(|held| &held.heads) {
            let here = furthest.entry(*name).or_insert(*head);
            if here.envelope_seq < head.envelope_seq {
                *here = *head;
            }
        }
        furthest
    }

    /// How many entries of the log the relay has ever shown.
    pub(super) fn ever_confirmed(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.entries).max(self.confirmed_entries)
    }

    /// How many of these next links of a chain are held already. Another link under a number that is held is a fork.
    pub(super) fn held_of(
        &self,
        name: (DeviceId, IncarnationId),
        envelopes: &[Envelope],
    ) -> Result<usize, FollowError> {
        let Some(end) = self.held.as_ref().and_then(|held| held.heads.get(&name)) else { return Ok(0) };
        let known =
            envelopes.iter().take_while(|envelope| envelope.place().envelope_seq <= end.envelope_seq).count();
        match known.checked_sub(1).and_then(|last| envelopes.get(last)) {
            Some(last) if last.place().envelope_seq == end.envelope_seq && last.content_id() != end.hash => {
                Err(FollowError::Fork)
            }
            _ => Ok(known),
        }
    }

    /// Forgets what was held of a chain once it was shown so far again, and all of it once nothing is left.
    pub(super) fn shown_again(&mut self) {
        let Some(held) = &mut self.held else { return };
        let heads = &self.heads;
        let shown = |name: &(DeviceId, IncarnationId)| heads.get(name).map_or(0, |head| head.envelope_seq);
        held.heads.retain(|name, end| shown(name) < end.envelope_seq);
        held.own = held.own.filter(|(device, life, last)| shown(&(*device, *life)) < *last);
        for (name, marks) in &mut held.stored {
            let again = marks.partition_point(|(seq, _)| *seq <= shown(name));
            let now = self.stored.entry(*name).or_default();
            marks.drain(..again).for_each(|(seq, at_ms)| note(now, seq, at_ms));
        }
        held.stored.retain(|_, marks| !marks.is_empty());
        self.stored.retain(|_, marks| !marks.is_empty());
        let nothing = held.heads.is_empty() && held.stored.is_empty() && held.own.is_none();
        if nothing && self.confirmed_entries >= held.entries {
            self.held = None;
        }
    }
}

/// Notes a receipt's time, once for each place; the oldest go where there are too many.
pub(super) fn note(marks: &mut Vec<(u64, i64)>, seq: u64, at_ms: i64) {
    let at = marks.partition_point(|(before, _)| *before < seq);
    if marks.get(at).is_some_and(|(there, _)| *there == seq) {
        return;
    }
    marks.insert(at, (seq, at_ms));
    if marks.len() > MAX_STORED_MARKS {
        // What it covered is then shown with the time of the next, which is later, never earlier.
        marks.remove(0);
    }
}
