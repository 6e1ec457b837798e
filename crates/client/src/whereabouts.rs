//! Where everything is: the newest things that this device wrote, each with how far it has got.

use mecum_api::{ReceiptState, WhereItem};
use mecum_sync::Level;
use mecum_vault::{Durability, Table};

use crate::error::SessionError;
use crate::session::Session;
use crate::stage::{Outgoing, Stage};

/// Items shown of each state.
const SHOWN: usize = 20;

/// Items remembered; older ones are forgotten here, never in the record.
const REMEMBERED: usize = 2_000;

impl Session {
    /// The newest things of each state, newest first.
    pub fn whereabouts(&mut self) -> Result<Vec<WhereItem>, SessionError> {
        let mut items = Vec::new();
        let mut counts = [0_usize; 3];
        for outgoing in self.outgoing()?.into_iter().rev() {
            let state = self.receipt(outgoing.space, outgoing.seq);
            let at = match state {
                ReceiptState::Device => 0,
                ReceiptState::Sent => 1,
                ReceiptState::Received => 2,
            };
            let Some(count) = counts.get_mut(at).filter(|count| **count < SHOWN) else { continue };
            *count += 1;
            items.extend(self.where_item(&outgoing, state));
        }
        items.sort_by_key(|item| (item.state, std::cmp::Reverse(item.at_ms)));
        Ok(items)
    }

    fn where_item(&self, outgoing: &Outgoing, state: ReceiptState) -> Option<WhereItem> {
        let chart = self.spaces.get(&outgoing.space)?.chart;
        let level = self.follower.receipt_level(&self.own_chain(outgoing.space), outgoing.seq);
        let (sent_ms, by) = match level {
            Level::OnDevice => (None, None),
            Level::Stored { at_ms } => (at_ms, None),
            Level::Received { by } => (None, self.device_name(by)),
        };
        Some(WhereItem {
            chart,
            entry: outgoing.key.map(crate::row::ItemKey::name),
            title: outgoing.title.clone(),
            edits: outgoing.edits,
            at_ms: outgoing.at_ms,
            state,
            sent_ms,
            by,
        })
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

    /// Forgets the oldest things that the sheet would never show. The counts come from the chains, not from here.
    pub(crate) fn prune_outgoing(&mut self) -> Result<(), SessionError> {
        let names = self.vault.names(Table::Outbox)?;
        let Some(spare) = names.len().checked_sub(REMEMBERED).filter(|spare| *spare > 0) else {
            return Ok(());
        };
        let deletes = names.into_iter().take(spare).map(|name| (Table::Outbox, name)).collect();
        self.commit(Stage { deletes, ..Stage::default() }, Durability::Normal)
    }
}
