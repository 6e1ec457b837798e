//! Which checks are taken out, for the controls of proof harnesses: an attack that is refused shows something only if it
//! would have gone through without the check.
//!
//! Nothing of this is in a program that ships: without the feature `hostile-controls`, which test dependencies alone turn on
//! (`checks::no_build_takes_checks_out` of `cargo xtask test`), every question here is answered at compile time.

/// Whether `condition` holds, or the check of this name is taken out.
pub fn holds(check: &str, condition: bool) -> bool {
    condition || is_out(check)
}

/// Whether the check of this name is taken out: never.
#[cfg(not(feature = "hostile-controls"))]
#[inline]
pub const fn is_out(_: &str) -> bool {
    false
}

#[cfg(feature = "hostile-controls")]
pub use on::{TakenOut, is_out, take_out};

#[cfg(feature = "hostile-controls")]
mod on {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static ANY: AtomicBool = AtomicBool::new(false);
    static OUT: Mutex<&'static [&'static str]> = Mutex::new(&[]);

    fn out() -> MutexGuard<'static, &'static [&'static str]> {
        OUT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the check of this name is taken out, in this whole process.
    pub fn is_out(check: &str) -> bool {
        ANY.load(Ordering::SeqCst) && out().contains(&check)
    }

    /// Takes checks out until the answer is dropped. One harness at a time.
    #[must_use]
    pub fn take_out(checks: &'static [&'static str]) -> TakenOut {
        *out() = checks;
        ANY.store(!checks.is_empty(), Ordering::SeqCst);
        TakenOut
    }

    /// Puts every check back when it is dropped.
    #[derive(Debug)]
    pub struct TakenOut;

    impl Drop for TakenOut {
        fn drop(&mut self) {
            ANY.store(false, Ordering::SeqCst);
            *out() = &[];
        }
    }
}
