//! Named places at which a proof harness makes the program panic: that panics are contained shows only where there are some.
//!
//! Nothing of this is in a program that ships: without the feature `armed`, which test dependencies alone turn on
//! (`checks::no_build_takes_checks_out` of `cargo xtask test`), [`here`] is nothing at all. It must not know what happens at a place.

/// A place: nothing happens.
#[cfg(not(feature = "armed"))]
#[inline]
pub const fn here(_: &'static str) {}

#[cfg(feature = "armed")]
pub use on::{Armed, arm, here};

#[cfg(feature = "armed")]
mod on {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static ANY: AtomicBool = AtomicBool::new(false);
    static NEXT: Mutex<Option<Trip>> = Mutex::new(None);

    struct Trip {
        place: &'static str,
        left: u64,
        struck: bool,
    }

    fn next() -> MutexGuard<'static, Option<Trip>> {
        NEXT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place.
    ///
    /// # Panics
    /// Once, when it is passed for as many times as it is armed for.
    pub fn here(place: &'static str) {
        assert!(!(ANY.load(Ordering::SeqCst) && strikes(place)), "tripped at {place}");
    }

    /// A call of its own, so that nothing is held when it panics.
    fn strikes(place: &'static str) -> bool {
        let mut next = next();
        let Some(trip) = next.as_mut().filter(|trip| trip.place == place && !trip.struck) else {
            return false;
        };
        trip.left = trip.left.saturating_sub(1);
        trip.struck = trip.left == 0;
        trip.struck
    }

    /// Makes the `at`-th passing of a place panic, in any thread of this process, until the answer is dropped. One harness at a time.
    #[must_use]
    pub fn arm(place: &'static str, at: u64) -> Armed {
        *next() = Some(Trip { place, left: at.max(1), struck: false });
        ANY.store(true, Ordering::SeqCst);
        Armed(())
    }

    /// Takes it back when it is dropped.
    #[derive(Debug)]
    pub struct Armed(());

    impl Armed {
        /// Whether it panicked.
        pub fn struck(&self) -> bool {
            next().as_ref().is_some_and(|trip| trip.struck)
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            ANY.store(false, Ordering::SeqCst);
            *next() = None;
        }
    }
}
