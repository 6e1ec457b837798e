//! Views: what the screens ask for, made from rows; a CRDT document is loaded only for one entry's clashes and history.
//!
//! It chooses nothing for a person: where a safety field has two values, both go out with who wrote them. It knows no
//! vault, no network and no JSON.

pub(crate) mod care;
pub(crate) mod changes;
pub(crate) mod clash;
pub(crate) mod entry;
pub(crate) mod home;
pub(crate) mod medicines;
pub(crate) mod results;
pub(crate) mod timeline;
mod units;

use std::collections::BTreeMap;

use mecum_api::{CallError, Code, RowView};
use mecum_domain::ChartId;
use mecum_seal::DeviceId;

use crate::error::SessionError;
use crate::row::{ItemKey, Row};
use crate::session::Session;
use crate::summary::is_new;

/// What every row of one chart is shown with.
pub(crate) struct Shown {
    author: String,
    /// The people behind the devices of other accounts.
    others: BTreeMap<DeviceId, String>,
    seen_ms: i64,
}

impl Shown {
    /// For the rows of a chart.
    pub(crate) fn of(session: &Session, chart: ChartId) -> Result<Self, SessionError> {
        Ok(Self {
            author: session.author_name(),
            others: session.authors_of_others(chart),
            seen_ms: session.seen_ms(chart)?,
        })
    }

    /// The person behind a device.
    pub(crate) fn author_of(&self, device: DeviceId) -> &str {
        self.others.get(&device).unwrap_or(&self.author)
    }

    /// Until when the person has looked, ms since the epoch; 0 never.
    pub(crate) fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// It arrived after the person last looked, and they did not write it here themselves.
    pub(crate) fn is_new(&self, session: &Session, row: &Row) -> bool {
        let own_words = row.editable() && row.device == session.this_device();
        is_new(row, self.seen_ms) && !own_words
    }

    /// A row as a screen shows it.
    pub(crate) fn row(&self, session: &Session, row: &Row) -> RowView {
        let receipt = session.receipt_by(row.device, row.space, row.own_seq);
        let device = session.device_name(row.device);
        row.view(
            receipt,
            device,
            row.device == session.this_device(),
            self.author_of(row.device),
            self.is_new(session, row),
        )
    }
}

/// The key of an entry's name in a command.
pub(crate) fn key_of(entry: &str) -> Result<ItemKey, SessionError> {
    ItemKey::parse(entry).ok_or_else(|| CallError::new(Code::BadCall, "error-entry-name").into())
}

/// A count as the contract has it.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
