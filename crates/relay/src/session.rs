//! Challenges and sessions, in memory only. After a restart devices sign in again, and no challenge from before is accepted.
//!
//! A challenge is not remembered when it is given but recognised when it comes back: half of its nonce is random, half is a
//! tag over that and the time under a key of this process. So nobody can fill a table of open challenges and keep others from
//! signing in. What is remembered is which challenges were used, until they would have expired anyway. A session is known by the
//! hash of its token.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use mecum_seal::{AccountId, DeviceId, Entropy, Hash32, SecretKey32, hmac16};
use mecum_sync::SessionToken;
use mecum_sync::limits::{CHALLENGE_LIFE_MS, SESSION_LIFE_MS};

use crate::store::Author;

/// Separates the tag from every other use of such a tag.
const CHALLENGE_CONTEXT: &[u8] = b"mecum/challenge/1\0";
/// Random bytes of a nonce; the other half is the tag.
const RANDOM_BYTES: usize = 16;
/// Most challenges that are remembered as used in one lifetime of a challenge. Failed sign-ins take at most half of it, so
/// that they leave room for those that are right.
const MAX_USED: usize = 100_000;
/// Most sessions of one device at a time; a further one ends its oldest. A device needs one, and a few more after crashes.
const MAX_SESSIONS_PER_DEVICE: usize = 8;
/// Most sessions at a time; beyond, the expired go, and if none is expired, the oldest.
const MAX_SESSIONS: usize = 100_000;

/// What is open.
#[derive(Debug)]
pub(crate) struct Sessions {
    key: SecretKey32,
    used: Mutex<Used>,
    open: Mutex<Open>,
}

/// Used challenges, in two generations that are each kept for at least the life of a challenge.
#[derive(Debug, Default)]
struct Used {
    since_ms: i64,
    now: HashSet<Hash32>,
    before: HashSet<Hash32>,
}

#[derive(Debug, Default)]
struct Open {
    by_token: HashMap<Hash32, (Author, i64)>,
    by_device: HashMap<(AccountId, DeviceId), VecDeque<Hash32>>,
}

impl Sessions {
    /// Nothing open, and a fresh key for challenges.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self { key: SecretKey32::make(entropy), used: Mutex::default(), open: Mutex::default() }
    }

    /// A fresh challenge.
    pub(crate) fn challenge(&self, entropy: &dyn Entropy, now_ms: i64) -> Hash32 {
        let mut nonce = [0u8; 32];
        let (random, tag) = nonce.split_at_mut(RANDOM_BYTES);
        entropy.fill(random);
        tag.copy_from_slice(&self.tag(random, now_ms));
        Hash32::from_bytes(nonce)
    }

    /// Uses up a challenge. False if it was not given here, is used, expired, or of another time than it is said to be.
    /// `right` says whether everything else about the sign-in is.
    pub(crate) fn use_challenge(&self, nonce: Hash32, made_at_ms: i64, now_ms: i64, right: bool) -> bool {
        let (random, tag) = nonce.as_bytes().split_at(RANDOM_BYTES);
        let age_ms = now_ms.saturating_sub(made_at_ms);
        if !same_bytes(tag, &self.tag(random, made_at_ms)) || !(0..=CHALLENGE_LIFE_MS).contains(&age_ms) {
            return false;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.turn(now_ms);
        let room = if right { MAX_USED } else { MAX_USED / 2 };
        if used.before.contains(&nonce) || used.now.len() >= room {
            return false;
        }
        used.now.insert(nonce)
    }

    fn tag(&self, random: &[u8], made_at_ms: i64) -> [u8; 16] {
        hmac16(&self.key, &[CHALLENGE_CONTEXT, random, &made_at_ms.to_be_bytes()])
    }

    /// Opens a session: its token and when it ends.
    pub(crate) fn open(&self, author: Author, entropy: &dyn Entropy, now_ms: i64) -> (SessionToken, i64) {
        let mut bytes = [0u8; 32];
        entropy.fill(&mut bytes);
        let token = SessionToken::from_bytes(bytes);
        let expires_at_ms = now_ms.saturating_add(SESSION_LIFE_MS);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.make_room(author, now_ms);
        open.by_token.insert(token.hash(), (author, expires_at_ms));
        open.by_device.entry((author.account, author.device)).or_default().push_back(token.hash());
        (token, expires_at_ms)
    }

    /// Who a token stands for, and until when.
    pub(crate) fn author(&self, token: &SessionToken, now_ms: i64) -> Option<(Author, i64)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.by_token.get(&token.hash()).copied().filter(|(_, expires_at)| *expires_at > now_ms)
    }

    /// Ends every session of a device: it is not one of its account any more.
    pub(crate) fn end(&self, account: AccountId, device: DeviceId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for token in open.by_device.remove(&(account, device)).unwrap_or_default() {
            open.by_token.remove(&token);
        }
    }
}

impl Used {
    /// Forgets what would have expired anyway.
    fn turn(&mut self, now_ms: i64) {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        if passed_ms <= CHALLENGE_LIFE_MS {
            return;
        }
        self.before = std::mem::take(&mut self.now);
        if passed_ms > 2 * CHALLENGE_LIFE_MS {
            self.before.clear();
        }
        self.since_ms = now_ms;
    }
}

impl Open {
    fn make_room(&mut self, author: Author, now_ms: i64) {
        let oldest = self
            .by_device
            .get(&(author.account, author.device))
            .filter(|tokens| tokens.len() >= MAX_SESSIONS_PER_DEVICE)
            .and_then(|tokens| tokens.front().copied());
        if let Some(oldest) = oldest {
            self.remove(oldest);
        }
        if self.by_token.len() < MAX_SESSIONS {
            return;
        }
        let ended: Vec<_> =
            self.by_token.iter().filter(|(_, (_, at))| *at <= now_ms).map(|(token, _)| *token).collect();
        let first = self.by_token.iter().min_by_key(|(_, (_, at))| *at).map(|(token, _)| *token);
        let going = if ended.is_empty() { first.into_iter().collect() } else { ended };
        for token in going {
            self.remove(token);
        }
    }

    fn remove(&mut self, token: Hash32) {
        let Some((author, _)) = self.by_token.remove(&token) else { return };
        let name = (author.account, author.device);
        if let Some(tokens) = self.by_device.get_mut(&name) {
            tokens.retain(|known| *known != token);
            if tokens.is_empty() {
                self.by_device.remove(&name);
            }
        }
    }
}

/// In the same time wherever they differ.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use mecum_seal::IncarnationId;
    use mecum_seal::testing::SeededEntropy;

    use super::*;

    fn author(device: u8) -> Author {
        Author {
            account: AccountId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([device; 16]),
            incarnation: IncarnationId::from_bytes([3; 16]),
        }
    }

    #[test]
    fn of_ten_thousand_replays_none_is_accepted() {
        let entropy = SeededEntropy::new(1);
        let sessions = Sessions::new(&entropy);
        let nonce = sessions.challenge(&entropy, 5);
        assert!(sessions.use_challenge(nonce, 5, 6, true), "the first time");
        let times = (0..10_000).map(|n| 6 + n * CHALLENGE_LIFE_MS / 2_000);
        let accepted = times.filter(|now_ms| sessions.use_challenge(nonce, 5, *now_ms, true)).count();
        assert_eq!(accepted, 0, "a challenge is good once, also long after");
        let restarted = Sessions::new(&entropy);
        let other = sessions.challenge(&entropy, 5);
        assert!(!restarted.use_challenge(other, 5, 6, true), "and good for the process that gave it");
    }

    #[test]
    fn a_challenge_is_good_for_its_life_at_its_time_and_unchanged() {
        let entropy = SeededEntropy::new(2);
        let sessions = Sessions::new(&entropy);
        let nonce = sessions.challenge(&entropy, 1_000);
        let late = 1_000 + CHALLENGE_LIFE_MS;
        assert!(!sessions.use_challenge(nonce, 1_000, late + 1, true), "too late");
        assert!(!sessions.use_challenge(nonce, 1_000, 999, true), "before it was given");
        assert!(!sessions.use_challenge(nonce, 1_001, 1_001, true), "of another time");
        for byte in 0..32 {
            let mut bytes = *nonce.as_bytes();
            bytes[byte] ^= 1;
            assert!(!sessions.use_challenge(Hash32::from_bytes(bytes), 1_000, 1_001, true), "byte {byte}");
        }
        assert!(sessions.use_challenge(nonce, 1_000, late, true), "as it was given, in time");
    }

    #[test]
    fn no_number_of_open_or_failed_challenges_keeps_another_from_signing_in() {
        let entropy = SeededEntropy::new(3);
        let sessions = Sessions::new(&entropy);
        for _ in 0..MAX_USED {
            let nonce = sessions.challenge(&entropy, 0);
            sessions.use_challenge(nonce, 0, 1, false);
        }
        let nonce = sessions.challenge(&entropy, 1);
        assert!(sessions.use_challenge(nonce, 1, 2, true), "a right one is still taken");
        assert!(!sessions.use_challenge(nonce, 1, 2, true), "once");
        let used = sessions.used.lock().expect("nothing panicked").now.len();
        assert!(used <= MAX_USED / 2 + 1, "and what is remembered is bounded: {used}");
    }

    #[test]
    fn a_device_that_opens_many_sessions_ends_its_own_and_no_others() {
        let entropy = SeededEntropy::new(4);
        let sessions = Sessions::new(&entropy);
        let (victim, _) = sessions.open(author(1), &entropy, 0);
        let flood: Vec<_> = (0..1_000).map(|n| sessions.open(author(2), &entropy, n).0).collect();
        let live = |token: &SessionToken| sessions.author(token, 1_000).is_some();
        assert!(live(&victim), "another device of the same account stays signed in");
        let live_of_flood = flood.iter().filter(|token| live(token)).count();
        assert_eq!(live_of_flood, MAX_SESSIONS_PER_DEVICE, "the flood has its own places only");
        sessions.end(author(2).account, author(2).device);
        assert!(!flood.iter().any(live) && live(&victim), "ending a device ends all of its sessions");
    }

    #[test]
    fn at_the_limit_the_oldest_session_makes_room() {
        let entropy = SeededEntropy::new(5);
        let sessions = Sessions::new(&entropy);
        let of = |n: u32| {
            let [a, b, c, d] = n.to_be_bytes();
            let mut id = [9; 16];
            id[..4].copy_from_slice(&[a, b, c, d]);
            Author { device: DeviceId::from_bytes(id), ..author(0) }
        };
        let (first, _) = sessions.open(of(0), &entropy, 0);
        for n in 1..=u32::try_from(MAX_SESSIONS).expect("it fits") {
            sessions.open(of(n), &entropy, 1);
        }
        assert!(sessions.author(&first, 2).is_none(), "the oldest went");
        let open = sessions.open.lock().expect("nothing panicked");
        assert_eq!(
            (open.by_token.len(), open.by_device.len()),
            (MAX_SESSIONS, MAX_SESSIONS),
            "and nothing grew"
        );
    }
}
