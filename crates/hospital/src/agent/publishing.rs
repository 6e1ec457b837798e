//! What everybody may read: the directory with the times that are free now, published anew whenever it says something else.

use std::time::Duration;

use mecum_client::Session;
use mecum_domain::{Directory, SlotState};
use tokio::time::Instant;

use super::{Agent, Desk, held};
use crate::error::HospitalError;

/// Between two notices: what is booked in a busy minute is published once.
const APART: Duration = Duration::from_secs(5);

/// After a failure.
const AGAIN: Duration = Duration::from_secs(30);

/// What says nothing new is published again after so long: a server that was put back from a copy has lost it, and whoever reads it sees
/// that somebody still looks after it.
const RENEWED_MS: i64 = 6 * 60 * 60 * 1_000;

impl Desk {
    /// The directory, with those of its times that somebody can still ask for.
    fn notice(&self, now_ms: i64) -> Directory {
        let table = self.ledger.table();
        let is_free =
            |slot| matches!(table.state(slot, now_ms), Some(SlotState::Free | SlotState::Offered(_)));
        let mut directory = self.notice.directory.clone();
        directory.slots.retain(|free| free.slot.starts_ms > now_ms && is_free(free.slot.id));
        directory
    }
}

impl Agent {
    /// Publishes what everybody may read, if it is not what was published last. Answers whether it did.
    ///
    /// # Errors
    /// The server does not take it, or cannot be reached: what was published before stands.
    pub async fn publish_notice(&self) -> Result<bool, HospitalError> {
        let (desk, clock) = (self.desk.clone(), self.clock.clone());
        let wanted = move |session: &mut Session| {
            let now_ms = clock.now_ms();
            let notice = held(&desk).notice(now_ms);
            let stands = session.has_published(&notice, now_ms.saturating_sub(RENEWED_MS));
            Ok((!stands).then_some(notice))
        };
        let Some(notice) = self.app.with(wanted).await? else { return Ok(false) };
        self.app.publish_notice(notice).await?;
        Ok(true)
    }

    /// The same now and then, for as long as the program runs. What fails is said to the log and tried again.
    pub(super) async fn keep_published(&mut self) {
        if self.publish_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let pause = match self.publish_notice().await {
            Ok(_) => APART,
            Err(error) => {
                self.say(&format!("what everybody may read was not published: {error}"));
                AGAIN
            }
        };
        self.publish_at = Some(Instant::now() + pause);
    }
}
