//! What whoever runs a relay may set, and where its time, randomness and log lines come from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mecum_seal::{Entropy, SystemEntropy};

use crate::bucket::Rate;

/// Limits against floods and slow clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections of one address at a time.
    pub connections_per_source: usize,
    /// Requests of one address.
    pub requests_per_source: Rate,
    /// Failed sign-ins and enrolments of one address. A right sign-in is accepted all the same, so that nobody can lock out
    /// another's device.
    pub failures_per_source: Rate,
    /// Mailboxes that one address may open without a sign-in; the /48 of an IPv6 address four times as many.
    pub mailboxes_per_source: Rate,
    /// Mailboxes for a quarter of an hour that one account may open from whatever address. Beyond, they are counted as without a sign-in.
    pub short_mailboxes_per_account: Rate,
    /// Mailboxes that live for days which one account may open, from whatever address: no account fills the room that all share.
    pub long_mailboxes_per_account: Rate,
    /// Requests for an account by its helpers that one address may make; the /48 of an IPv6 address four times as many. One that is
    /// known already is not counted again.
    pub helper_asks_per_source: Rate,
    /// Sync requests of one device: a device that floods waits, and the others of its account do not.
    pub syncs_per_device: Rate,
    /// Pages that one host may publish or replace.
    pub pages_per_account: Rate,
    /// Bytes that one account may store.
    pub quota_bytes: u64,
    /// Spaces that one account may found.
    pub quota_spaces: u64,
    /// From how many envelopes on that could be pruned the relay asks for a space's snapshot to be verified.
    pub prune_envelopes: u64,
    /// How long a client may take for a request's head, and how long a connection may idle.
    pub header_timeout: Duration,
    /// How long a client may take for a small body; a large one gets a second more for each 16 KiB that came.
    pub body_timeout: Duration,
    /// How long a client may leave a part of an answer unread.
    pub write_timeout: Duration,
    /// How long open requests may take after a stop.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            connections_per_source: 256,
            requests_per_source: Rate { burst: 400.0, per_second: 100.0 },
            // PROOF test 40: 10 a minute.
            failures_per_source: Rate { burst: 20.0, per_second: 10.0 / 60.0 },
            mailboxes_per_source: Rate { burst: 30.0, per_second: 0.2 },
            short_mailboxes_per_account: Rate { burst: 10.0, per_second: 1.0 / 60.0 },
            long_mailboxes_per_account: Rate { burst: 30.0, per_second: 30.0 / 86_400.0 },
            helper_asks_per_source: Rate { burst: 10.0, per_second: 1.0 / 3_600.0 },
            syncs_per_device: Rate { burst: 200.0, per_second: 50.0 },
            pages_per_account: Rate { burst: 30.0, per_second: 0.2 },
            quota_bytes: 2 * 1024 * 1024 * 1024,
            quota_spaces: 4_096,
            // As many as lie between two snapshots of a device: below, verifying costs more than is freed.
            prune_envelopes: 300,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(15),
            stop_timeout: Duration::from_secs(4),
        }
    }
}

/// What a relay is opened with.
#[derive(Clone)]
pub struct RelayOptions {
    /// What it calls itself.
    pub name: String,
    /// See [`Limits`].
    pub limits: Limits,
    /// The proxies in front of it: a request that comes from one of these is counted as from whom the last
    /// `X-Forwarded-For` names.
    pub proxies: Vec<IpAddr>,
    /// Where keys, nonces and tokens come from.
    pub entropy: Arc<dyn Entropy>,
    /// The time, in ms since the epoch.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Takes one line for each event. Lines hold no ids, addresses or bodies.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            name: "Mecum".to_owned(),
            limits: Limits::default(),
            proxies: Vec::new(),
            entropy: Arc::new(SystemEntropy::new()),
            clock: Arc::new(system_clock),
            log: Arc::new(|line| eprintln!("{line}")),
        }
    }
}

fn system_clock() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}
