//! What changed since a screen last asked: small invalidations, kept for a while.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use mecum_api::{NewsView, Topic};
use tokio::sync::watch;

/// How many changes are remembered; an older asker is told everything.
const REMEMBERED: usize = 512;

/// How long an asker waits before an empty answer.
const WAIT: Duration = Duration::from_secs(25);

/// The news of one app.
#[derive(Debug)]
pub struct News {
    recent: Mutex<VecDeque<(u64, Topic)>>,
    at: watch::Sender<u64>,
}

impl Default for News {
    fn default() -> Self {
        Self { recent: Mutex::default(), at: watch::Sender::new(0) }
    }
}

impl News {
    /// Something changed.
    pub fn tell(&self, topic: Topic) {
        let mut recent = self.recent.lock().expect("news are never left half told");
        let at = *self.at.borrow() + 1;
        recent.push_back((at, topic));
        if recent.len() > REMEMBERED {
            recent.pop_front();
        }
        // Still under the lock: two that tell at once must not take the same number, or the second is never heard.
        self.at.send_replace(at);
    }

    fn since(&self, after: u64) -> NewsView {
        let recent = self.recent.lock().expect("news are never left half told");
        let topics: BTreeSet<Topic> =
            recent.iter().filter(|(at, _)| *at > after).map(|(_, topic)| *topic).collect();
        NewsView { at: *self.at.borrow(), topics: topics.into_iter().collect() }
    }

    /// Answers at once if something changed after `after`, else when something does, else empty after 25 s.
    pub async fn wait(&self, after: u64) -> NewsView {
        let mut at = self.at.subscribe();
        let news = self.since(after);
        // A restarted app counts from zero again: an asker from before is answered at once.
        if !news.topics.is_empty() || after > news.at {
            return news;
        }
        let _ = tokio::time::timeout(WAIT, at.wait_for(|now| *now > after)).await;
        self.since(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn news_are_told_once_and_in_one_piece() {
        let news = News::default();
        news.tell(Topic::Charts);
        news.tell(Topic::Charts);
        let first = news.wait(0).await;
        assert_eq!(first.topics, [Topic::Charts], "the same change twice is one piece of news");
        news.tell(Topic::Sync);
        assert_eq!(news.wait(first.at).await.topics, [Topic::Sync], "only what came after");
    }
}
