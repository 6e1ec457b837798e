//! Named places at which a proof harness makes the program panic: that panics are contained shows only where there are some.
//!
//! Nothing of this is in a program that ships: without the feature `armed`, which test dependencies alone turn on
//! (`checks::no_build_takes_checks_out` of `cargo xtask test`), [`here`] is nothing at all. It must not know what happens at a place.

/// A place: nothing happens.
#[cfg(not(feature = "armed"))]
#[inline]
pub const fn here(_: &'static str) {}

/// A place that works on something with a name: nothing happens.
#[cfg(not(feature = "armed"))]
#[inline]
pub const fn about(_: &'static str, _: &[u8]) {}

#[cfg(feature = "armed")]
pub use on::{Armed, about, arm, arm_about, arm_each, here};

#[cfg(feature = "armed")]
mod on {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static ANY: AtomicBool = AtomicBool::new(false);
    static NEXT: Mutex<Option<Trip>> = Mutex::new(None);

    struct Trip {
        place: &'static str,
        when: When,
        struck: bool,
    }

    enum When {
        /// Once, when the place is passed for as many more times.
        Once(u64),
        /// Each time.
        Each,
        /// Each time that it works on what has this name.
        About(Vec<u8>),
    }

    fn next() -> MutexGuard<'static, Option<Trip>> {
        NEXT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place.
    ///
    /// # Panics
    /// When it is passed for as many times as it is armed for, or each time.
    pub fn here(place: &'static str) {
        assert!(!(ANY.load(Ordering::SeqCst) && strikes(place, None)), "tripped at {place}");
    }

    /// A place that works on something with a name.
    ///
    /// # Panics
    /// Each time that it works on what it is armed for.
    pub fn about(place: &'static str, name: &[u8]) {
        assert!(!(ANY.load(Ordering::SeqCst) && strikes(place, Some(name))), "tripped at {place}");
    }

    /// A call of its own, so that nothing is held when it panics.
    fn strikes(place: &'static str, about: Option<&[u8]>) -> bool {
        let mut next = next();
        let Some(trip) = next.as_mut().filter(|trip| trip.place == place) else { return false };
        let strikes = match &mut trip.when {
            When::Once(0) => false,
            When::Once(left) => {
                *left -= 1;
                *left == 0
            }
            When::Each => true,
            When::About(name) => about == Some(name.as_slice()),
        };
        trip.struck |= strikes;
        strikes
    }

    fn armed(place: &'static str, when: When) -> Armed {
        *next() = Some(Trip { place, when, struck: false });
        ANY.store(true, Ordering::SeqCst);
        Armed(())
    }

    /// Makes the `at`-th passing of a place panic, in any thread of this process, until the answer is dropped. One harness at a time.
    #[must_use]
    pub fn arm(place: &'static str, at: u64) -> Armed {
        armed(place, When::Once(at.max(1)))
    }

    /// The same with each passing: as what is there to be worked on again breaks it again.
    #[must_use]
    pub fn arm_each(place: &'static str) -> Armed {
        armed(place, When::Each)
    }

    /// The same with each passing of a place by [`about`] that works on what has this name.
    #[must_use]
    pub fn arm_about(place: &'static str, name: &[u8]) -> Armed {
        armed(place, When::About(name.to_vec()))
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
