//! Token buckets: so many requests at once, so many each second, for each source.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Most sources that are remembered; beyond, full buckets are forgotten, and if none is full, everything is.
const MAX_SOURCES: usize = 100_000;

/// A rate.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many at once.
    pub burst: f64,
    /// How many come back each second.
    pub per_second: f64,
}

/// Who an address stands for: itself, or for IPv6 its /64, of which one subscriber has 2^64 addresses.
/// Source: RFC 6177 section 2 (a site gets at least a /64).
pub(crate) fn source_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// One bucket for each source.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    rate: Rate,
    levels: Mutex<HashMap<K, (f64, i64)>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, levels: Mutex::new(HashMap::new()) }
    }

    /// Takes one token. False if there is none.
    pub(crate) fn take(&self, source: K, now_ms: i64) -> bool {
        self.with_level(source, now_ms, |level| {
            let allowed = *level >= 1.0;
            if allowed {
                *level -= 1.0;
            }
            allowed
        })
    }

    /// Whether a token is there, without taking it.
    pub(crate) fn has(&self, source: K, now_ms: i64) -> bool {
        self.with_level(source, now_ms, |level| *level >= 1.0)
    }

    fn with_level<R>(&self, source: K, now_ms: i64, f: impl FnOnce(&mut f64) -> R) -> R {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MAX_SOURCES && !levels.contains_key(&source) {
            let rate = self.rate;
            levels.retain(|_, (level, at)| refilled(rate, *level, *at, now_ms) < rate.burst);
            if levels.len() >= MAX_SOURCES {
                levels.clear();
            }
        }
        let entry = levels.entry(source).or_insert((self.rate.burst, now_ms));
        entry.0 = refilled(self.rate, entry.0, entry.1, now_ms);
        entry.1 = now_ms;
        f(&mut entry.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a rate limit need no 53 bits")]
fn refilled(rate: Rate, level: f64, at_ms: i64, now_ms: i64) -> f64 {
    let passed_ms = now_ms.saturating_sub(at_ms).max(0) as f64;
    (level + passed_ms / 1_000.0 * rate.per_second).min(rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_its_subscriber() {
        let of = |text: &str| source_of(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"), "one /64 is one source");
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"), "another /64 is another");
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"), "a mapped address is the one that it maps");
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"), "each IPv4 address for itself");
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let buckets = Buckets::new(Rate { burst: 3.0, per_second: 1.0 });
        let given = (0..10).filter(|_| buckets.take("a", 0)).count();
        assert_eq!(given, 3, "the burst and no more");
        assert!(buckets.take("b", 0), "another source is not affected");
        assert!(!buckets.take("a", 900), "not a full token yet");
        assert!(buckets.take("a", 2_000), "a token has come back");
    }
}
