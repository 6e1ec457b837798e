//! Small invalidations: what changed, so that a screen asks again.

use mecum_domain::ChartId;
use serde::{Deserialize, Serialize};

/// What may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "topic")]
pub enum Topic {
    /// The vault was opened or locked.
    Vault,
    /// Language, display or other settings.
    Settings,
    /// The list of charts.
    Charts,
    /// Entries of one chart.
    Record {
        /// The chart.
        chart: ChartId,
    },
    /// Receipts, and the exchange with the server.
    Sync,
    /// Devices and pairing.
    Devices,
    /// An import.
    Import,
    /// A check, a backup or a mending.
    Integrity,
}

/// Waits for news after a point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsArgs {
    /// The last [`NewsView::at`]; 0 at first.
    pub after: u64,
}

/// What changed. An empty answer after 25 s means that nothing did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsView {
    /// The point to wait after.
    pub at: u64,
    /// What changed.
    pub topics: Vec<Topic>,
}
