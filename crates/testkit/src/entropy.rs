//! Repeatable randomness: the sealing crate's own test source, and dice thrown from it.

use std::fmt;

use mecum_seal::Entropy;
pub use mecum_seal::testing::SeededEntropy;

/// Throws numbers from a seeded source: the same seed throws the same on every machine.
pub struct Dice {
    entropy: SeededEntropy,
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dice")
    }
}

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice { entropy: SeededEntropy::new(seed) }
    }

    /// 64 random bits.
    pub fn bits(&self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// A number from 0 up to, and not with, `end`; 0 if `end` is 0. The bias below 2^-32 of small ranges is no matter here.
    pub fn below(&self, end: u64) -> u64 {
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low).max(0)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// A number from 0.0 up to, and not with, 1.0.
    pub fn fraction(&self) -> f64 {
        // 53 bits: as many as a double holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.bits() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// Around 0 with a standard deviation of about `spread`, never beyond 3.5 of it: the sum of twelve, less six.
    pub fn around(&self, spread: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.fraction()).sum();
        (sum - 6.0).clamp(-3.5, 3.5) * spread
    }

    /// True once in `times`.
    pub fn once_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these; `None` of none.
    pub fn choose<'t, T>(&self, of: &'t [T]) -> Option<&'t T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_and_another_throws_otherwise() {
        let throw = |seed| (0..20).map(|_| Dice::new(seed)).map(|dice| dice.bits()).collect::<Vec<_>>();
        assert_eq!(throw(7), throw(7), "the same seed");
        assert_ne!(throw(7), throw(8), "another seed");
        let dice = Dice::new(1);
        assert!((0..500).all(|_| (-3..=4).contains(&dice.between(-3, 4))), "within its ends");
        assert!((0..500).all(|_| dice.around(1.0).abs() <= 3.5), "never far out");
    }
}
