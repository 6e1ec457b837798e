//! A clock that moves only when told to, so that a test says what time it is. Must not read the real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds since the epoch, moved by hand. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct FakeClock {
    ms: Arc<AtomicI64>,
}

impl FakeClock {
    /// A clock that shows `ms` since the epoch.
    pub fn at_ms(ms: i64) -> FakeClock {
        FakeClock { ms: Arc::new(AtomicI64::new(ms)) }
    }

    /// What it shows.
    pub fn now_ms(&self) -> i64 {
        self.ms.load(Ordering::SeqCst)
    }

    /// Moves it on by `ms` (or back, for tests of clocks that were set) and tells the new time.
    pub fn advance_ms(&self, ms: i64) -> i64 {
        self.ms.fetch_add(ms, Ordering::SeqCst) + ms
    }

    /// Sets it.
    pub fn set_ms(&self, ms: i64) {
        self.ms.store(ms, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told_and_clones_agree() {
        let clock = FakeClock::at_ms(1_000);
        let other = clock.clone();
        assert_eq!(clock.advance_ms(500), 1_500, "moved on");
        assert_eq!(other.now_ms(), 1_500, "a clone shows the same");
        other.set_ms(7);
        assert_eq!(clock.now_ms(), 7, "and moves the same");
    }
}
