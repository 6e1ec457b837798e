//! What was decided on this device and did not come to be, said in a sentence instead of in silence: an entry that another device
//! was faster with and that may not be signed again is kept for some days; what cannot be done or saved now, and is tried again, is
//! said until it could be.

#[cfg(test)]
mod frozen;

use std::collections::BTreeMap;

use mecum_api::{NoticeView, Topic};
use mecum_seal::AccountId;
use mecum_sync::{RefusalCode, SpaceBody};
use mecum_vault::Table;
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::helpers::ErrandOf;
use crate::idle::Trouble;
use crate::session::Session;
use crate::stage::Stage;

/// How long something that will not be tried again is told.
const TOLD_FOR_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// The settings that hold such things.
const KEPT: &[u8] = b"notice-";

/// What is tried again with the next exchange, or in the next idle moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waits {
    /// A share whose last day is over is to be ended.
    End,
    /// An entry is to be erased or moved, or void words are to be left behind.
    Erasure,
    /// What took an entry's place is to be begun with here.
    Beginning,
    /// What became of a recovery helper, or of a part, is to be kept: each for itself.
    Helper(ErrandOf),
    /// The vault's file is to be tidied up: tried again in idle moments.
    Storage(Trouble),
}

impl Waits {
    fn message_id(self) -> &'static str {
        match self {
            Waits::End => "notice-end-waits",
            Waits::Erasure | Waits::Beginning => "notice-erasure-waits",
            Waits::Helper(_) => "notice-helper-waits",
            Waits::Storage(trouble) => trouble.message_id(),
        }
    }
}

/// Why an entry that was signed here is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Another entry was faster, and this one means nothing on it, or is not allowed any more.
    Overtaken,
    /// The server has no more room for the account, or for whom it is about.
    Quota,
    /// The server does not take it, for another reason.
    Refused,
}

impl From<RefusalCode> for Cause {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::Quota => Cause::Quota,
            // What the log says of this account by now is by somebody else.
            RefusalCode::StaleHead | RefusalCode::NotMember | RefusalCode::UnknownSpace => Cause::Overtaken,
            _ => Cause::Refused,
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
        // One sentence, however many of a kind wait: since the first of them.
        let mut since: BTreeMap<&'static str, i64> = BTreeMap::new();
        for (what, at_ms) in &self.waits {
            let first = since.entry(what.message_id()).or_insert(*at_ms);
            *first = (*first).min(*at_ms);
        }
        let waiting = since.into_iter().map(|(message_id, at_ms)| NoticeView {
            message_id: message_id.to_owned(),
            who: String::new(),
            at_ms,
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

    /// Notes whether something could be done that is tried again by itself; an error here stops nothing else.
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

    /// Forgets what waits of recovery helpers and is not to be done any more.
    pub(crate) fn only_these_wait(&mut self, errands: &[ErrandOf]) {
        let before = self.waits.len();
        self.waits.retain(|what, _| !matches!(what, Waits::Helper(of) if !errands.contains(of)));
        if self.waits.len() < before {
            self.tell(Topic::Sync);
        }
    }

    /// Stages the sentence for an entry of a space's log that was signed here and is given up. `who`: by what its own terms call them.
    pub(crate) fn stage_given_up(
        &self,
        stage: &mut Stage,
        body: &SpaceBody,
        who: Option<String>,
        cause: Cause,
    ) {
        let member = match body {
            SpaceBody::Grant { member, .. } | SpaceBody::Remove { member, .. } => Some(*member),
            _ => None,
        };
        let message_id = match (body, cause) {
            (SpaceBody::Grant { .. }, Cause::Overtaken) => "notice-not-let-in",
            (SpaceBody::Grant { .. }, Cause::Quota) => "notice-not-let-in-quota",
            (SpaceBody::Grant { .. }, Cause::Refused) => "notice-not-let-in-refused",
            (SpaceBody::Remove { .. }, Cause::Overtaken) => "notice-not-removed",
            (SpaceBody::Remove { .. }, Cause::Quota) => "notice-not-removed-quota",
            (SpaceBody::Remove { .. }, Cause::Refused) => "notice-not-removed-refused",
            (SpaceBody::Leave { .. }, Cause::Overtaken) => "notice-not-left",
            (SpaceBody::Leave { .. }, Cause::Quota) => "notice-not-left-quota",
            (SpaceBody::Leave { .. }, Cause::Refused) => "notice-not-left-refused",
            // Nobody decides these: the next edit begins an epoch, and an erasure waits in its own list.
            (SpaceBody::Epoch { .. } | SpaceBody::Replace { .. } | SpaceBody::Genesis { .. }, _) => return,
        };
        let who = who.or_else(|| self.person_name(member?)).unwrap_or_default();
        self.stage_notice(stage, message_id, member, who);
    }

    /// Stages the sentence for an entry of the account's log that is given up.
    pub(crate) fn stage_account_entry_given_up(&self, stage: &mut Stage) {
        self.stage_notice(stage, "notice-device-entry", None, String::new());
    }

    /// Stages the sentence for what took an entry's place and is not what comes out of the document here.
    pub(crate) fn stage_replacement_refused(&self, stage: &mut Stage) {
        self.stage_notice(stage, "notice-erasure-differs", None, String::new());
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
    use mecum_api::{ChartArgs, EntryEraseArgs, ErasureArgs};
    use mecum_domain::{Field, Kind};

    use super::*;
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
        session.exchanging.answered = true;
        session.request().expect("it stops no exchange");
        let said: Vec<_> = session.sync_view().notices.into_iter().map(|notice| notice.message_id).collect();
        assert_eq!(said, ["notice-erasure-waits"], "but it is not passed over in silence");
        session.stop_after_commits_for_tests(100);
        session.request().expect("a request");
        assert_eq!(session.sync_view().notices.len(), 1, "before the server is heard nothing is tried");
        session.exchanging.answered = true;
        session.request().expect("a request");
        assert!(session.sync_view().notices.is_empty(), "it could be done: nothing is left to say");
    }

    fn said(session: &Session) -> Vec<String> {
        session.sync_view().notices.into_iter().map(|notice| notice.message_id).collect()
    }

    #[test]
    fn what_is_not_wanted_any_more_is_not_said_to_wait() {
        let (mut session, chart) = person(1);
        session.pin_for_tests(mecum_testkit::FakeRelay::new([9; 32]).key());
        let key = session.add(chart, Kind::Note, vec![(Field::Text, "goes".into())]).expect("a note");
        let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
        session.entry_erase(&args).expect("it is decided, and waits for the server");
        session.note_waits(Waits::Erasure, &Err::<(), _>(SessionError::Stored { what: "intent" }));
        session.request().expect("a request");
        assert_eq!(said(&session), ["notice-erasure-waits"], "as long as it is wanted");
        let listed = session.erasure_list(&ChartArgs { chart }).expect("a list");
        let erasure = listed.into_iter().next().expect("it is in it").erasure;
        session.erasure_stop(&ErasureArgs { erasure }).expect("stopped");
        session.request().expect("a request");
        assert!(said(&session).is_empty(), "and not when it was stopped, whatever the server says");
    }

    #[test]
    fn what_could_not_be_begun_with_is_said_until_it_could_be() {
        let (mut session, _) = person(1);
        session.note_waits(Waits::Beginning, &Err::<(), _>(SessionError::Stored { what: "successor" }));
        assert_eq!(said(&session), ["notice-erasure-waits"], "it is said");
        session.request().expect("a request");
        assert!(
            said(&session).is_empty(),
            "it was begun with: whether the server has answered does not matter"
        );
    }

    #[test]
    fn what_became_of_one_helper_says_nothing_of_another() {
        let (mut session, _) = person(1);
        let failed = || Err::<(), _>(SessionError::Stored { what: "helpers" });
        let of = |number| Waits::Helper(ErrandOf::Helper(number));
        session.note_waits(of(1), &failed());
        session.note_waits(of(2), &Ok(()));
        assert_eq!(
            said(&session),
            ["notice-helper-waits"],
            "that of the second was kept, and not of the first"
        );
        session.note_waits(of(3), &failed());
        assert_eq!(said(&session).len(), 1, "one sentence for both");
        session.note_waits(of(1), &Ok(()));
        assert_eq!(said(&session).len(), 1, "the third still waits");
        session.only_these_wait(&[ErrandOf::ServerPart]);
        assert!(said(&session).is_empty(), "a helper who is none any more is waited for by nobody");
    }
}
