//! How many things a person wrote here, and how far each has got: the counts of the honesty line.
//!
//! A thing is an entry, not an envelope: an entry that was written and then changed twice is one thing, and it is where
//! its last change is. The counts are kept beside the rows, so that home tells them without loading a row.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::{HonestyView, ReceiptState};
use mecum_seal::SpaceId;
use mecum_vault::Table;

use crate::error::SessionError;
use crate::row::Row;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// Envelopes whose counts lie in one view: an edit changes one or two of them, each a few hundred bytes.
const BLOCK: u64 = 256;

/// How many entries each own envelope of a chart was the last to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenHere {
    counts: BTreeMap<(SpaceId, u64), u32>,
    changed: BTreeSet<(SpaceId, u64)>,
}

impl WrittenHere {
    /// A row stands.
    pub(crate) fn add(&mut self, row: &Row) {
        if row.own_seq > 0 {
            *self.counts.entry((row.space, row.own_seq)).or_default() += 1;
            self.changed.insert((row.space, row.own_seq / BLOCK));
        }
    }

    /// A row stands no longer.
    pub(crate) fn remove(&mut self, row: &Row) {
        if let Some(count) = self.counts.get_mut(&(row.space, row.own_seq)) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&(row.space, row.own_seq));
            }
            self.changed.insert((row.space, row.own_seq / BLOCK));
        }
    }

    /// The vault has it as it is.
    pub(crate) fn is_kept(&mut self) {
        self.changed.clear();
    }

    /// Puts what changed into a stage.
    pub(crate) fn stage(&mut self, stage: &mut Stage) {
        for (space, block) in std::mem::take(&mut self.changed) {
            let span = (space, block * BLOCK)..(space, (block + 1) * BLOCK);
            let mut counts: Vec<u32> = Vec::new();
            for ((_, seq), count) in self.counts.range(span) {
                counts.resize(usize::try_from(seq % BLOCK).unwrap_or_default(), 0);
                counts.push(*count);
            }
            let body = minicbor::to_vec(counts).expect("plain numbers encode");
            stage.puts.push((Table::View, written_name(space, block), body));
        }
    }
}

/// The name of a block of counts among the views.
fn written_name(space: SpaceId, block: u64) -> Vec<u8> {
    [b"written".as_slice(), space.as_bytes(), &block.to_be_bytes()].concat()
}

impl Session {
    /// How many things that were written here are on this device only, at the relay, and with another device.
    ///
    /// # Errors
    /// [`SessionError::Read`] and [`SessionError::Stored`] when the counts cannot be read: then nothing is said.
    pub fn honesty(&self) -> Result<HonestyView, SessionError> {
        let mut view = HonestyView::default();
        for state in self.spaces.values().filter(|state| state.own_seq > 0) {
            let (sent, received) = self.reach(state);
            for block in 0..=state.own_seq / BLOCK {
                let Some(body) = self.vault.get(Table::View, &written_name(state.space, block))? else {
                    continue;
                };
                let counts: Vec<u32> =
                    minicbor::decode(&body).map_err(|_| SessionError::Stored { what: "counts" })?;
                for (seq, count) in (block * BLOCK..).zip(counts) {
                    let slot = match seq {
                        seq if seq <= received => &mut view.received,
                        seq if seq <= sent => &mut view.sent,
                        _ => &mut view.device,
                    };
                    *slot = slot.saturating_add(count);
                }
            }
        }
        Ok(view)
    }

    /// Up to where the own chain of a space is stored, and up to where another device has it.
    fn reach(&self, state: &SpaceState) -> (u64, u64) {
        let level = |seq: u64| self.receipt(state.space, seq);
        let last_with = |wanted: ReceiptState| {
            // Levels only fall along a chain: find where they fall below.
            let (mut low, mut high) = (0, state.own_seq);
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                if level(middle) >= wanted { low = middle } else { high = middle - 1 }
            }
            low
        };
        (last_with(ReceiptState::Sent), last_with(ReceiptState::Received))
    }
}

#[cfg(test)]
mod tests;
