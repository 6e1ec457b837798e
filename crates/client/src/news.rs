//! What changed since a screen last asked: of each thing that can change, when it did last.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use mecum_api::{NewsView, Topic};
use tokio::sync::watch;

/// How long an asker waits before an empty answer.
const WAIT: Duration = Duration::from_secs(25);

/// The news of one app.
#[derive(Debug)]
pub struct News {
    /// No more of them than there are charts, and a few: whoever asks after however long is told of each that changed.
    last: Mutex<BTreeMap<Topic, u64>>,
    at: watch::Sender<u64>,
}

impl Default for News {
    fn default() -> Self {
        Self { last: Mutex::default(), at: watch::Sender::new(0) }
    }
}

impl News {
    /// Something changed.
    pub fn tell(&self, topic: Topic) {
        let mut last = self.last.lock().expect("news are never left half told");
        let at = *self.at.borrow() + 1;
        last.insert(topic, at);
        // Still under the lock: two that tell at once must not take the same number, or the second is never heard.
        self.at.send_replace(at);
    }

    fn since(&self, after: u64) -> NewsView {
        let last = self.last.lock().expect("news are never left half told");
        let topics = last.iter().filter(|(_, at)| **at > after).map(|(topic, _)| *topic).collect();
        NewsView { at: *self.at.borrow(), topics }
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

    #[tokio::test]
    async fn whoever_asks_after_many_changes_is_told_of_each_thing_that_changed() {
        let news = News::default();
        news.tell(Topic::Devices);
        let charts = (0..=u8::MAX).map(|n| mecum_domain::ChartId::from_bytes([n; 16]));
        for _ in 0..3 {
            charts.clone().for_each(|chart| news.tell(Topic::Record { chart }));
        }
        let heard = news.wait(0).await;
        assert!(heard.topics.contains(&Topic::Devices), "what changed first too");
        assert_eq!(heard.topics.len(), 257, "and each chart, once");
    }
}
