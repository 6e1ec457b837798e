//! INSECURE stand-ins for tests: repeatable randomness and a passphrase KDF that costs nothing.
//!
//! Nothing here may be reached from a shipped program: keys made from it can be computed by anybody.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::entropy::Entropy;
use crate::hazmat::argon::{KdfFloor, KdfParams};
use crate::ids::sha256_parts;

/// Bytes that follow from a seed: block `i` is SHA-256(seed || i). Predictable by design.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: [u8; 32],
    blocks: AtomicU64,
}

impl SeededEntropy {
    /// The stream of `seed`, from its beginning.
    pub fn new(seed: u64) -> SeededEntropy {
        SeededEntropy {
            seed: *sha256_parts(&[b"mecum/testing/entropy", &seed.to_be_bytes()]).as_bytes(),
            blocks: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let bytes = sha256_parts(&[&self.seed, &block.to_be_bytes()]);
            chunk.copy_from_slice(&bytes.as_bytes()[..chunk.len()]);
        }
    }
}

/// Argon2id at its technical minimum (64 KiB, one pass): about 0.1 ms, and worthless against guessing.
pub fn fast_kdf() -> KdfParams {
    KdfParams::new(64, 1, 1, no_floor()).expect("64 KiB and one pass are valid Argon2 parameters")
}

/// Accepts any stored KDF parameters.
pub fn no_floor() -> KdfFloor {
    KdfFloor::none_for_tests()
}
