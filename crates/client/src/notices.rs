//! What was decided on this device and did not come to be, said in a sentence instead of in silence: an entry that another device
//! was faster with and that may not be signed again is kept for some days; what cannot be done or saved now, and is tried again, is
//! said until it could be.

use mecum_api::{NoticeView, Topic};
use mecum_seal::AccountId;
use mecum_sync::SpaceBody;
use mecum_vault::Table;
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::session::Session;
use crate::stage::Stage;

/// How long something that will not be tried again is told.
const TOLD_FOR_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// The settings that hold such things.
const KEPT: &[u8] = b"notice-";

/// What is tried again with the next exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waits {
    /// A share whose last day is over is to be ended.
    End,
    /// An entry is to be erased or moved, or void words are to be left behind.
    Erasure,
    /// What became of a recovery helper, or of a part, is to be kept.
    Helper,
}

impl Waits {
    fn message_id(self) -> &'static str {
        match self {
            Waits::End => "notice-end-waits",
            Waits::Erasure => "notice-erasure-waits",
            Waits::Helper => "notice-helper-waits",
        }
    }
}

/// Something that was decided and is given up.
#[derive(Clone, Debug, Encode, Decode)]
struct GivenUp {
    #[n(0)]
    message_id: String,
    /// Whom it is about; empty where nobody, or nobody whose name is known.
    #[n(1)]
    who: String,
    #[n(2)]
    at_ms: i64,
}

impl Session {
    /// What there is to say, the newest first.
    pub(crate) fn notices(&self) -> Vec<NoticeView> {
        let waiting = self.waits.iter().map(|(what, at_ms)| NoticeView {
            message_id: what.message_id().to_owned(),
            who: String::new(),
            at_ms: *at_ms,
        });
        let now = self.now_ms();
        let kept = self.vault.list_prefix(Table::Setting, KEPT).unwrap_or_default();
        let kept = kept.into_iter().filter_map(|(_, body)| minicbor::decode::<GivenUp>(&body).ok());
        let told = kept
            .filter(|given_up| now.saturating_sub(given_up.at_ms) < TOLD_FOR_MS)
            .map(|GivenUp { message_id, who, at_ms }| NoticeView { message_id, who, at_ms });
        let mut all: Vec<NoticeView> = waiting.chain(told).collect();
        all.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then_with(|| a.message_id.cmp(&b.message_id)));
        all
    }

    /// Notes whether something could be done that is tried with each exchange; an error here never stops one.
    pub(crate) fn note_waits<T>(&mut self, what: Waits, outcome: &Result<T, SessionError>) {
        let changed = if outcome.is_ok() {
            self.waits.remove(&what).is_some()
        } else {
            let now = self.now_ms();
            let before = self.waits.len();
            self.waits.entry(what).or_insert(now);
            self.waits.len() > before
        };
        if changed {
            self.tell(Topic::Sync);
        }
    }

    /// Stages the sentence for an entry of a space's log that was signed here and is given up. `who`: by what its own terms call them.
    pub(crate) fn stage_given_up(&self, stage: &mut Stage, body: &SpaceBody, who: Option<String>) {
        let (message_id, member) = match body {
            SpaceBody::Grant { member, .. } => ("notice-not-let-in", Some(*member)),
            SpaceBody::Remove { member, .. } => ("notice-not-removed", Some(*member)),
            SpaceBody::Leave { .. } => ("notice-not-left", None),
            // Nobody decides these: the next edit begins an epoch, and an erasure waits in its own list.
            SpaceBody::Epoch { .. } | SpaceBody::Replace { .. } | SpaceBody::Genesis { .. } => return,
        };
        let who = who.or_else(|| self.person_name(member?)).unwrap_or_default();
        self.stage_notice(stage, message_id, member, who);
    }

    /// Stages the sentence for an entry of the account's log that is given up.
    pub(crate) fn stage_account_entry_given_up(&self, stage: &mut Stage) {
        self.stage_notice(stage, "notice-device-entry", None, String::new());
    }

    fn stage_notice(&self, stage: &mut Stage, message_id: &str, about: Option<AccountId>, who: String) {
        let given_up = GivenUp { message_id: message_id.to_owned(), who, at_ms: self.now_ms() };
        let body = minicbor::to_vec(&given_up).expect("plain fields encode");
        // One sentence about one person: it is said once, however many sections it was about.
        let about = about.map(|account| account.as_bytes().to_vec()).unwrap_or_default();
        let name = [KEPT, message_id.as_bytes(), b"/", &about].concat();
        stage.puts.push((Table::Setting, name, body));
        stage.topics.push(Topic::Sync);
    }

    /// Forgets what was told long enough.
    pub(crate) fn forget_told(&self, stage: &mut Stage) -> Result<(), SessionError> {
        let now = self.now_ms();
        for (name, body) in self.vault.list_prefix(Table::Setting, KEPT)? {
            let at_ms = minicbor::decode::<GivenUp>(&body).map_or(0, |given_up| given_up.at_ms);
            if now.saturating_sub(at_ms) >= TOLD_FOR_MS {
                stage.deletes.push((Table::Setting, name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::EntryEraseArgs;
    use mecum_domain::{Field, Kind};

    use crate::testing::person;

    #[test]
    fn what_cannot_be_done_now_is_said_until_it_could_be() {
        let (mut session, chart) = person(1);
        let key = session.add(chart, Kind::Note, vec![(Field::Text, "goes".into())]).expect("a note");
        // The decision is kept, and nothing after it.
        session.stop_after_commits_for_tests(1);
        let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
        session.entry_erase(&args).expect_err("it is decided and cannot be carried out");
        assert!(session.sync_view().notices.is_empty(), "whoever asked was told by the answer");
        session.answered = true;
        session.request().expect("it stops no exchange");
        let said: Vec<_> = session.sync_view().notices.into_iter().map(|notice| notice.message_id).collect();
        assert_eq!(said, ["notice-erasure-waits"], "but it is not passed over in silence");
        session.stop_after_commits_for_tests(100);
        session.request().expect("a request");
        assert_eq!(session.sync_view().notices.len(), 1, "before the server is heard nothing is tried");
        session.answered = true;
        session.request().expect("a request");
        assert!(session.sync_view().notices.is_empty(), "it could be done: nothing is left to say");
    }
}
