//! Where everything is: the newest things that this device wrote, each with how far it has got.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::{ReceiptState, WhereItem};
use mecum_seal::SpaceId;
use mecum_sync::Level;
use mecum_vault::{Durability, Table};

use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::Session;
use crate::stage::{Outgoing, Stage, outgoing_name};
use crate::summary::with_unit;

/// Items shown of each state.
const SHOWN: usize = 20;

/// Things remembered whatever their state; older ones are forgotten here, never in the record.
const REMEMBERED: usize = 24;

/// Things remembered that are on this device only.
const NOT_SENT: usize = 400;

/// So many are forgotten at once: each time that costs a commit.
const AT_ONCE: usize = 48;

impl Session {
    /// The newest things of each state, newest first.
    pub fn whereabouts(&mut self) -> Result<Vec<WhereItem>, SessionError> {
        let mut items = Vec::new();
        let mut counts = [0_usize; 3];
        for outgoing in newest_of_each(self.outgoing()?) {
            let state = self.receipt(outgoing.space, outgoing.seq);
            let at = match state {
                ReceiptState::Device => 0,
                ReceiptState::Sent => 1,
                ReceiptState::Received => 2,
            };
            let Some(count) = counts.get_mut(at).filter(|count| **count < SHOWN) else { continue };
            *count += 1;
            items.extend(self.where_item(&outgoing, state)?);
        }
        items.sort_by_key(|item| (item.state, std::cmp::Reverse(item.at_ms)));
        Ok(items)
    }

    fn where_item(
        &mut self,
        outgoing: &Outgoing,
        state: ReceiptState,
    ) -> Result<Option<WhereItem>, SessionError> {
        let Some(chart) = self.spaces.get(&outgoing.space).map(|space| space.chart) else { return Ok(None) };
        let level = self.follower.receipt_level(&self.own_chain(outgoing.space), outgoing.seq);
        let (sent_ms, by) = match level {
            Level::OnDevice => (None, None),
            Level::Stored { at_ms } => (at_ms, None),
            Level::Received { by } => (None, self.device_name(by)),
        };
        // What was said to a hospital is no entry: there is no page of it, and an entry of the same key is another thing.
        let said = self.spaces.get(&outgoing.space).is_some_and(|space| space.care.is_some());
        let key = outgoing.key.filter(|_| !said);
        let row = match key.filter(|_| outgoing.things == 1) {
            Some(key) => self.rows(chart)?.get(key),
            None => None,
        };
        let value = row.and_then(|row| Some(with_unit(row.value.as_deref()?, row.unit.as_deref())));
        Ok(Some(WhereItem {
            chart,
            entry: key.map(ItemKey::name),
            title: row.map_or_else(|| outgoing.title.clone(), |row| row.title.clone()),
            value,
            things: outgoing.things,
            at_ms: outgoing.at_ms,
            state,
            sent_ms,
            by,
        }))
    }

    /// Oldest first.
    fn outgoing(&self) -> Result<Vec<Outgoing>, SessionError> {
        let mut all = Vec::new();
        for (_, body) in self.vault.list(Table::Outbox)? {
            let item: Outgoing =
                minicbor::decode(&body).map_err(|_| SessionError::Stored { what: "outbox" })?;
            all.push(item);
        }
        all.sort_by_key(|item| item.at_ms);
        Ok(all)
    }

    /// Forgets the oldest things that the sheet would never show, and of one thing all but its last time. The counts come from the
    /// chains, not from here.
    pub(crate) fn prune_outgoing(&mut self) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        let names = self.vault.names(Table::Outbox)?;
        if names.len() >= REMEMBERED + AT_ONCE {
            let kept = self.remembered()?;
            let gone: Vec<_> = names.into_iter().filter(|name| !kept.contains(name)).collect();
            if gone.len() >= AT_ONCE {
                stage.deletes.extend(gone.into_iter().map(|name| (Table::Outbox, name)));
            }
        }
        self.forget_told(&mut stage)?;
        if stage.deletes.is_empty() {
            return Ok(());
        }
        self.commit(stage, Durability::Normal)
    }

    /// The names of the newest things, of the newest of each state in each section, and of what is on this device only.
    fn remembered(&self) -> Result<BTreeSet<Vec<u8>>, SessionError> {
        let mut counts: BTreeMap<(SpaceId, ReceiptState), usize> = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for (at, item) in newest_of_each(self.outgoing()?).enumerate() {
            let state = self.receipt(item.space, item.seq);
            let count = counts.entry((item.space, state)).or_default();
            *count += 1;
            let most = if state == ReceiptState::Device { NOT_SENT } else { SHOWN };
            if at < REMEMBERED || *count <= most {
                kept.insert(outgoing_name(&item));
            }
        }
        Ok(kept)
    }
}

/// Newest first. Of an entry that was written more than once the last time stands: it is one thing, and it has got as far
/// as its last change has.
fn newest_of_each(outgoing: Vec<Outgoing>) -> impl Iterator<Item = Outgoing> {
    let name = |item: &Outgoing| Some((item.space, item.key?));
    let mut last: BTreeMap<(SpaceId, ItemKey), u64> = BTreeMap::new();
    for item in &outgoing {
        if let Some(name) = name(item) {
            let seq = last.entry(name).or_default();
            *seq = item.seq.max(*seq);
        }
    }
    let stands = move |item: &Outgoing| name(item).is_none_or(|name| last.get(&name) == Some(&item.seq));
    outgoing.into_iter().rev().filter(stands)
}
