//! Where randomness comes from: one trait, so that a test can replay every key, salt and id from a seed.
//!
//! It must not know what its bytes are used for.

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

/// A source of random bytes. Whoever makes a key, a salt or an id gets one of these handed in.
pub trait Entropy: Send + Sync {
    /// Fills `out` with bytes nobody can foretell (or, in tests, with bytes that follow from a seed).
    fn fill(&self, out: &mut [u8]);
}

impl<T: Entropy + ?Sized> Entropy for Arc<T> {
    fn fill(&self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

impl<T: Entropy + ?Sized> Entropy for &T {
    fn fill(&self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// The operating system's random source, through ring.
#[derive(Debug, Clone)]
pub struct SystemEntropy {
    source: SystemRandom,
}

impl SystemEntropy {
    /// A handle on the operating system's source. Holds no state of its own.
    pub fn new() -> SystemEntropy {
        SystemEntropy { source: SystemRandom::new() }
    }
}

impl Default for SystemEntropy {
    fn default() -> SystemEntropy {
        SystemEntropy::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        // Going on without randomness would mean predictable keys: stopping is the only safe answer.
        self.source.fill(out).expect("a running operating system has a random source");
    }
}
