//! Challenges and sessions, in memory only: a challenge is good once, a session is known by the hash of its token. After a
//! restart devices sign in again, and no challenge from before is accepted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use mecum_seal::{Entropy, Hash32};
use mecum_sync::SessionToken;
use mecum_sync::limits::{CHALLENGE_LIFE_MS, SESSION_LIFE_MS};

use crate::store::Author;

/// Most challenges that wait for their answer; beyond, no new ones are given until some expire.
const MAX_CHALLENGES: usize = 10_000;
/// Most sessions at a time; beyond, the expired go, and if none is expired, no new ones open.
const MAX_SESSIONS: usize = 100_000;

/// What is open.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    challenges: Mutex<HashMap<Hash32, i64>>,
    sessions: Mutex<HashMap<Hash32, (Author, i64)>>,
}

impl Sessions {
    /// A fresh challenge; none if too many wait.
    pub(crate) fn challenge(&self, entropy: &dyn Entropy, now_ms: i64) -> Option<Hash32> {
        let mut nonce = [0u8; 32];
        entropy.fill(&mut nonce);
        let nonce = Hash32::from_bytes(nonce);
        let mut challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        if challenges.len() >= MAX_CHALLENGES {
            challenges.retain(|_, made_at| now_ms.saturating_sub(*made_at) <= CHALLENGE_LIFE_MS);
        }
        if challenges.len() >= MAX_CHALLENGES {
            return None;
        }
        challenges.insert(nonce, now_ms);
        Some(nonce)
    }

    /// Uses up a challenge. False if it is unknown, used, expired, or of another time than it is said to be.
    pub(crate) fn use_challenge(&self, nonce: Hash32, made_at_ms: i64, now_ms: i64) -> bool {
        let made_at = self.challenges.lock().unwrap_or_else(PoisonError::into_inner).remove(&nonce);
        let age_ms = now_ms.saturating_sub(made_at_ms);
        made_at == Some(made_at_ms) && (0..=CHALLENGE_LIFE_MS).contains(&age_ms)
    }

    /// Opens a session: its token and when it ends. None if there are too many.
    pub(crate) fn open(
        &self,
        author: Author,
        entropy: &dyn Entropy,
        now_ms: i64,
    ) -> Option<(SessionToken, i64)> {
        let mut bytes = [0u8; 32];
        entropy.fill(&mut bytes);
        let token = SessionToken::from_bytes(bytes);
        let expires_at_ms = now_ms.saturating_add(SESSION_LIFE_MS);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, (_, expires_at)| *expires_at > now_ms);
        }
        if sessions.len() >= MAX_SESSIONS {
            return None;
        }
        sessions.insert(token.hash(), (author, expires_at_ms));
        Some((token, expires_at_ms))
    }

    /// Who a token stands for, and until when.
    pub(crate) fn author(&self, token: &SessionToken, now_ms: i64) -> Option<(Author, i64)> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&token.hash()).copied().filter(|(_, expires_at)| *expires_at > now_ms)
    }
}

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;

    use super::*;

    #[test]
    fn of_ten_thousand_replays_none_is_accepted() {
        let (sessions, entropy) = (Sessions::default(), SeededEntropy::new(1));
        let nonce = sessions.challenge(&entropy, 5).expect("there is room");
        assert!(sessions.use_challenge(nonce, 5, 6), "the first time");
        let accepted = (0..10_000).filter(|n| sessions.use_challenge(nonce, 5, 6 + n)).count();
        assert_eq!(accepted, 0, "a challenge is good once");
    }

    #[test]
    fn challenges_have_a_limit_and_make_room_when_they_expire() {
        let (sessions, entropy) = (Sessions::default(), SeededEntropy::new(2));
        for _ in 0..MAX_CHALLENGES {
            assert!(sessions.challenge(&entropy, 0).is_some(), "below the limit");
        }
        assert!(sessions.challenge(&entropy, 1).is_none(), "at the limit");
        assert!(sessions.challenge(&entropy, CHALLENGE_LIFE_MS + 1).is_some(), "the expired make room");
    }
}
