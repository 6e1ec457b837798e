//! What the relay says of itself: one line for each event, and counters. Never an id, an address, or a byte of a body.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use mecum_sync::RefusalCode;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Counters {
    /// Adds `by` to a counter. Names are fixed texts and codes: there are a few dozen.
    pub(crate) fn add(&self, name: &str, by: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(name) {
            *count = count.saturating_add(by);
        } else {
            counts.insert(name.to_owned(), by);
        }
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, code: RefusalCode) {
        self.add(&format!("mecum_refused_total{{code=\"{}\"}}", code.name()), 1);
    }

    /// The counters as plain text, one on each line.
    pub(crate) fn text(&self) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().fold(String::new(), |mut text, (name, count)| {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{name} {count}");
            text
        })
    }
}
