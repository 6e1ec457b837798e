//! Token buckets: so many requests at once, so many each second, for each source; and which addresses count as one.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use mecum_seal::{Entropy, SecretKey32, hmac16};

/// Most sources that are remembered; beyond, full buckets are forgotten, and if none is full, the fuller half: whoever brings many
/// addresses has the others' emptied buckets forgotten last.
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

/// What one site may have of IPv6, a /48 with its 65,536 /64s. An IPv4 address is counted for itself alone.
/// Source: RFC 6177 section 2 (what a site gets lies between a /64 and a /48).
fn site_of(ip: IpAddr) -> Option<IpAddr> {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Some(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80))),
        IpAddr::V4(_) => None,
    }
}

/// The network that an address belongs to, as whoever rents machines gets them: a /24 of IPv4, a /48 of IPv6.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() >> 8 << 8)),
        ip @ IpAddr::V6(_) => site_of(ip).unwrap_or(ip),
    }
}

/// Separates the tag from every other use of such a tag.
const SITE_CONTEXT: &[u8] = b"mecum/site/1\0";

/// Names networks by numbers that are the same while this process runs, and from which nobody without its key learns the network: a
/// table may hold them where it must not hold addresses.
#[derive(Debug)]
pub(crate) struct SiteNames {
    key: SecretKey32,
}

impl SiteNames {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self { key: SecretKey32::make(entropy) }
    }

    /// The number of the network that an address belongs to, from 1.
    pub(crate) fn name(&self, source: IpAddr) -> i64 {
        let network = match network_of(source) {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let tag = hmac16(&self.key, &[SITE_CONTEXT, &network.octets()]);
        // Sixty-two bits: two networks that fall together only share what one may have.
        let number = tag.iter().take(8).fold(0, |number: i64, byte| number << 8 | i64::from(*byte));
        (number & (i64::MAX >> 1)) + 1
    }
}

/// How many times as much as one of its sources a site may take.
const SITE: f64 = 4.0;

/// A bucket for each source, and a larger one for each site: for what costs the relay room that stays.
#[derive(Debug)]
pub(crate) struct SiteBuckets {
    sources: Buckets<IpAddr>,
    sites: Buckets<IpAddr>,
}

impl SiteBuckets {
    pub(crate) fn new(rate: Rate) -> Self {
        let larger = Rate { burst: rate.burst * SITE, per_second: rate.per_second * SITE };
        Self { sources: Buckets::new(rate), sites: Buckets::new(larger) }
    }

    /// Takes one token of the source and one of its site. What a source is refused takes nothing from its neighbours, and a site that
    /// has none left is not remembered source by source.
    pub(crate) fn take(&self, source: IpAddr, now_ms: i64) -> bool {
        let site = site_of(source);
        site.is_none_or(|site| self.sites.has(site, now_ms))
            && self.sources.take(source_of(source), now_ms)
            && site.is_none_or(|site| self.sites.take(site, now_ms))
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
                forget_fuller_half(&mut levels);
            }
        }
        let entry = levels.entry(source).or_insert((self.rate.burst, now_ms));
        entry.0 = refilled(self.rate, entry.0, entry.1, now_ms);
        entry.1 = now_ms;
        f(&mut entry.0)
    }
}

fn forget_fuller_half<K>(levels: &mut HashMap<K, (f64, i64)>) {
    let mut all: Vec<f64> = levels.values().map(|(level, _)| *level).collect();
    if all.is_empty() {
        return;
    }
    let half = all.len() / 2;
    let middle = *all.select_nth_unstable_by(half, f64::total_cmp).1;
    // Where most are alike, these go too: nobody among them is further ahead than another.
    levels.retain(|_, (level, _)| *level < middle);
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a rate limit need no 53 bits")]
fn refilled(rate: Rate, level: f64, at_ms: i64, now_ms: i64) -> f64 {
    let passed_ms = now_ms.saturating_sub(at_ms).max(0) as f64;
    (level + passed_ms / 1_000.0 * rate.per_second).min(rate.burst)
}

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;

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
    fn the_name_of_a_site_is_that_of_its_network_and_of_this_process() {
        let entropy = SeededEntropy::new(7);
        let (names, others) = (SiteNames::new(&entropy), SiteNames::new(&entropy));
        let of = |text: &str| names.name(text.parse().expect("an address"));
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"), "one /24");
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"), "mapped or not");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:ffff::9"), "one /48");
        let apart = ["192.0.2.1", "192.0.3.1", "2001:db8:1::", "2001:db8:2::", "::c000:201"].map(of);
        let different: std::collections::HashSet<i64> = apart.into_iter().collect();
        assert_eq!(different.len(), apart.len(), "different networks: {apart:?}");
        assert!(apart.iter().all(|name| *name > 0), "0 is nobody's name");
        let same: IpAddr = "192.0.2.1".parse().expect("an address");
        assert_ne!(names.name(same), others.name(same), "who has not the key cannot tell which it was");
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

    #[test]
    fn a_site_has_more_than_a_source_and_less_than_all_of_them() {
        let buckets = SiteBuckets::new(Rate { burst: 3.0, per_second: 0.0 });
        let at = |subnet: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, subnet, 0, 0, 0, 1));
        assert_eq!((0..10).filter(|_| buckets.take(at(0), 0)).count(), 3, "one /64");
        assert_eq!((1..100).filter(|n| buckets.take(at(*n), 0)).count(), 9, "and all others of its /48");
        let other: IpAddr = "2001:db8:2::1".parse().expect("an address");
        assert!(buckets.take(other, 0), "another site is not affected");
        let v4 = |n: u8| IpAddr::from([192, 0, 2, n]);
        assert_eq!((0..100).filter(|n| buckets.take(v4(*n), 0)).count(), 100, "each IPv4 address for itself");
    }

    #[test]
    fn who_brings_many_addresses_does_not_have_an_emptied_bucket_forgotten() {
        let buckets = Buckets::new(Rate { burst: 3.0, per_second: 0.0 });
        let emptied = usize::MAX;
        assert_eq!((0..5).filter(|_| buckets.take(emptied, 0)).count(), 3, "it is empty");
        // Each of these takes one token, so that none is full, until the table overflows twice.
        for n in 0..2 * MAX_SOURCES {
            buckets.take(n, 0);
            // Now and then one takes two: not all are alike.
            if n % 3 == 0 {
                buckets.take(n, 0);
            }
        }
        assert!(!buckets.take(emptied, 0), "still empty");
        let known = buckets.levels.lock().unwrap_or_else(PoisonError::into_inner).len();
        assert!(known <= MAX_SOURCES, "and no more are remembered than there is room for: {known}");
    }
}
